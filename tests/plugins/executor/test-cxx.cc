/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The header in C++: what it adds there. */

#define WEFT_EXECUTOR_IMPLEMENTATION
#include "weft-executor.h"

#include <atomic>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <thread>
#include <vector>

namespace
{

int number;
bool good;

#define CHECK(condition)                                                                           \
  do                                                                                               \
    if (!(condition))                                                                              \
      {                                                                                            \
        std::printf ("# %s:%d: %s\n", __FILE__, __LINE__, #condition);                             \
        good = false;                                                                              \
      }                                                                                            \
  while (0)

/* A runtime with a task, and what it heard of traces. */
struct Rig
{
  WeftExecutorRuntime *runtime = weft_executor_runtime_new (nullptr);
  WeftExecutorMethod *method;
  WeftExecutorEvent last{};
  std::string error;
  int n_traces = 0;

  Rig ()
  {
    WeftExecutorTaskInfo info = {};

    info.id = "t";
    method = weft_executor_method_new (weft_executor_task_new (runtime, &info), "m");
  }
  ~Rig () { weft_executor_runtime_free (runtime); }

  void hear (const WeftExecutorEvent &event)
  {
    if (event.kind != WEFT_EXECUTOR_EVENT_TRACE)
      return;
    last = event;
    error = event.error != nullptr ? event.error : "";
    n_traces++;
  }

  void call (const WeftExecutorTrace *trace)
  {
    WeftExecutorCall call;

    weft_executor_call_begin (&call, method, trace);
    weft_executor_call_enqueue (&call);
    weft_executor_call_dispatch (&call, nullptr);
    weft_executor_call_end (&call, WEFT_EXECUTOR_SUCCEEDED, nullptr);
  }
};

void
returns ()
{
  Rig rig;
  weft_executor::subscription ears (rig.runtime, [&rig] (const WeftExecutorEvent &e) { rig.hear (e); });

  int result = weft_executor::run_with_trace (rig.runtime, "doc:1", [&rig] (WeftExecutorTrace &trace) {
    rig.call (&trace);
    return 7;
  });
  CHECK (result == 7 && rig.n_traces == 1);
  CHECK (rig.last.status == WEFT_TARGET_OK && rig.last.error_kind == WEFT_TARGET_ERROR_NONE);
}

void
aborted ()
{
  Rig rig;
  weft_executor::subscription ears (rig.runtime, [&rig] (const WeftExecutorEvent &e) { rig.hear (e); });
  bool caught = false;

  try
    {
      weft_executor::run_with_trace (rig.runtime, "doc:1",
                                     [] (WeftExecutorTrace &) { throw weft_executor::aborted (); });
    }
  catch (const weft_executor::aborted &)
    {
      caught = true;
    }
  CHECK (caught && rig.n_traces == 1);
  CHECK (rig.last.status == WEFT_TARGET_CANCELED && rig.last.error_kind == WEFT_TARGET_ERROR_ABORT);
}

void
throws ()
{
  Rig rig;
  weft_executor::subscription ears (rig.runtime, [&rig] (const WeftExecutorEvent &e) { rig.hear (e); });
  int n_caught = 0;

  for (int i = 0; i < 2; i++)
    try
      {
        weft_executor::run_with_trace (rig.runtime, "doc:1", [i] (WeftExecutorTrace &) {
          if (i == 0)
            throw 7;
          throw std::runtime_error ("no such document");
        });
      }
    catch (...)
      {
        n_caught++;
      }
  CHECK (n_caught == 2 && rig.n_traces == 2);
  CHECK (rig.last.status == WEFT_TARGET_ERROR);
  CHECK (rig.last.error_kind == WEFT_TARGET_ERROR_EXCEPTION);
  CHECK (rig.error == "no such document");
}

/* From several threads at once: none of them notices. */
void
exceptions ()
{
  Rig rig;
  std::atomic<int> n_thrown{ 0 };
  WeftTargetStats stats;
  std::vector<std::thread> threads;

  {
    weft_executor::subscription ears (rig.runtime, [&n_thrown] (const WeftExecutorEvent &) {
      n_thrown++;
      throw std::runtime_error ("a broken listener");
    });

    for (int i = 0; i < 4; i++)
      threads.emplace_back ([&rig] {
        for (int j = 0; j < 100; j++)
          rig.call (nullptr);
      });
    for (std::thread &thread : threads)
      thread.join ();
  }
  weft_target_get_stats (&stats, sizeof stats);
  /* Attempt, outcome, and two histograms of each call. */
  CHECK (n_thrown == 1600 && stats.listener_errors == 1600);
  rig.call (nullptr);
  CHECK (n_thrown == 1600);
}

void
run (const char *name, void (*function) ())
{
  good = true;
  function ();
  std::printf ("%s %d %s\n", good ? "ok" : "not ok", ++number, name);
}

} // namespace

int
main ()
{
  std::puts ("1..4");
  setenv ("WEFT_EXECUTOR_SPANS", "off", 1);
  run ("/executor/X-35/c++-returns", returns);
  run ("/executor/X-36/c++-aborted", aborted);
  run ("/executor/X-37/c++-throws", throws);
  run ("/executor/X-46/c++-exceptions", exceptions);
  return 0;
}
