/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The header in C++: what it adds there. */

#define WEFT_THREADPOOL_IMPLEMENTATION
#include "weft-threadpool.h"

#include <stdexcept>

namespace
{

struct Heard
{
  int n = 0;
  WeftTargetStatus status = WEFT_TARGET_OK;
};

int
hear (const WeftTargetEvent *event, void *data)
{
  Heard *heard = static_cast<Heard *> (data);

  heard->n++;
  heard->status = event->data.dispatch->status;
  return 0;
}

WeftTargetRoutine routine = WEFT_TARGET_ROUTINE ("job");
int number;

void
report (bool good, const char *name)
{
  std::printf ("%s %d - %s\n", good ? "ok" : "not ok", ++number, name);
}

void
run (WeftThreadpool *pool, WeftThreadpoolWorker *worker, bool fails)
{
  WeftThreadpoolItem item = {};

  weft_threadpool_enqueue (&item, pool, &routine, nullptr, 0);
  try
    {
      weft_threadpool::running scope (item, worker);

      if (fails)
        throw std::runtime_error ("job");
    }
  catch (const std::runtime_error &)
    {
    }
}

}

int
main ()
{
  WeftThreadpool *pool = weft_threadpool_new (nullptr, 0);
  WeftThreadpoolWorker *worker = weft_threadpool_worker_new (pool, 0);
  Heard heard;
  uint32_t listener = weft_target_listen (WEFT_TARGET_EVENT_DISPATCH, hear, &heard);

  std::printf ("1..2\n");
  run (pool, worker, false);
  report (heard.n == 1 && heard.status == WEFT_TARGET_OK, "an item runs as long as its scope");
  run (pool, worker, true);
  report (heard.n == 2 && heard.status == WEFT_TARGET_ERROR, "one left by an exception failed");
  weft_target_unlisten (listener);
  weft_threadpool_free (pool);
  return 0;
}
