/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What weft-threadpool.h tells, as listeners in the process hear it. */

#include <glib.h>

#define WEFT_THREADPOOL_IMPLEMENTATION
#include "weft-threadpool.h"

typedef struct
{
  guint n_dispatches;
  WeftTargetDispatch last;
  WeftTargetTag tags[4];
  guint64 queue_wait;
  char *error;
  double pending, stolen;
  guint n_waits;
} Heard;

typedef struct
{
  WeftThreadpool *pool;
  WeftThreadpoolWorker *workers[2];
  Heard heard;
  uint32_t listener;
} Rig;

static WeftTargetRoutine routine = WEFT_TARGET_ROUTINE ("job");

static void
hear_metric (Heard *heard, const WeftTargetEvent *event)
{
  if (g_str_equal (event->data.metric.name, "queue.pending"))
    heard->pending = event->data.metric.value;
  else if (g_str_equal (event->data.metric.name, "steal.total"))
    heard->stolen += event->data.metric.value;
  else if (g_str_equal (event->data.metric.name, "queue.wait_ms"))
    heard->n_waits++;
}

static int
hear (const WeftTargetEvent *event, void *data)
{
  Heard *heard = data;
  const WeftTargetDispatch *dispatch = event->data.dispatch;

  if (event->kind == WEFT_TARGET_EVENT_METRIC)
    {
      hear_metric (heard, event);
      return 0;
    }
  heard->n_dispatches++;
  heard->last = *dispatch;
  g_assert_cmpuint (dispatch->n_tags, <=, G_N_ELEMENTS (heard->tags));
  for (gsize i = 0; i < dispatch->n_tags; i++)
    heard->tags[i] = dispatch->tags[i];
  g_free (heard->error);
  heard->error = dispatch->error != NULL ? g_strdup (dispatch->error->message) : NULL;
  return 0;
}

static Rig *
rig_new (void)
{
  const WeftThreadpoolOptions options = { .name = "pool", .max_threads = 2 };
  Rig *rig = g_new0 (Rig, 1);

  rig->pool = weft_threadpool_new (&options, sizeof options);
  for (guint i = 0; i < 2; i++)
    rig->workers[i] = weft_threadpool_worker_new (rig->pool, i);
  rig->listener =
      weft_target_listen (WEFT_TARGET_EVENT_DISPATCH | WEFT_TARGET_EVENT_METRIC, hear, &rig->heard);
  g_assert_cmpuint (rig->listener, !=, 0);
  return rig;
}

static void
rig_free (Rig *rig)
{
  weft_target_unlisten (rig->listener);
  weft_threadpool_free (rig->pool);
  g_free (rig->heard.error);
  g_free (rig);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Rig, rig_free)

static guint64
get_tag (const Rig *rig, const char *key)
{
  for (gsize i = 0; i < rig->heard.last.n_tags; i++)
    if (g_str_equal (rig->heard.tags[i].key, key))
      return rig->heard.tags[i].value.u64;
  return G_MAXUINT64;
}

/* ---- Tests ---- */

static void
test_run (void)
{
  g_autoptr (Rig) rig = rig_new ();
  WeftThreadpoolItem item;

  weft_threadpool_enqueue (&item, rig->pool, &routine, NULL, 0);
  g_assert_cmpuint (item.id, !=, 0);
  g_assert_cmpfloat (rig->heard.pending, ==, 1);
  g_assert_cmpuint (rig->heard.n_dispatches, ==, 0);
  weft_threadpool_run_begin (&item, rig->workers[1]);
  g_assert_cmpfloat (rig->heard.pending, ==, 0);
  g_assert_cmpuint (rig->heard.n_waits, ==, 1);
  weft_threadpool_run_end (&item);
  g_assert_cmpuint (rig->heard.n_dispatches, ==, 1);
  g_assert_true (rig->heard.last.lane == weft_threadpool_worker_get_lane (rig->workers[1]));
  g_assert_cmpint (rig->heard.last.status, ==, WEFT_TARGET_OK);
  g_assert_true (rig->heard.last.has_queue_wait);
  g_assert_cmpuint (rig->heard.last.submitted, <=, rig->heard.last.start);
  g_assert_cmpuint (rig->heard.last.start, <=, rig->heard.last.end);
  g_assert_cmpuint (rig->heard.last.n_tags, ==, 0);

  /* It is over: nothing more is told of it. */
  weft_threadpool_run_end (&item);
  weft_threadpool_cancel (&item, "late");
  g_assert_cmpuint (rig->heard.n_dispatches, ==, 1);
}

/* Who runs what stands in another's queue stole it, told or not; the item knows from whom. */
static void
test_steal (void)
{
  g_autoptr (Rig) rig = rig_new ();
  WeftThreadpoolItem item;

  weft_threadpool_enqueue (&item, rig->pool, &routine, rig->workers[0], 0);
  weft_threadpool_run_begin (&item, rig->workers[1]);
  weft_threadpool_run_end (&item);
  g_assert_cmpuint (get_tag (rig, "enqueued.by"), ==, 0);
  g_assert_cmpuint (get_tag (rig, "stolen.from"), ==, 0);
  g_assert_cmpuint (get_tag (rig, "steals"), ==, 1);
  g_assert_cmpfloat (rig->heard.stolen, ==, 1);

  weft_threadpool_enqueue (&item, rig->pool, &routine, rig->workers[0], 0);
  weft_threadpool_steal (&item, rig->workers[1]);
  weft_threadpool_steal (&item, rig->workers[0]);
  weft_threadpool_run_begin (&item, rig->workers[0]);
  weft_threadpool_run_end (&item);
  g_assert_cmpuint (get_tag (rig, "enqueued.by"), ==, 0);
  g_assert_cmpuint (get_tag (rig, "stolen.from"), ==, 1);
  g_assert_cmpuint (get_tag (rig, "steals"), ==, 2);
  g_assert_cmpuint (rig->heard.last.queue_wait_last, <=, rig->heard.last.queue_wait);

  weft_threadpool_enqueue (&item, rig->pool, &routine, NULL, 0);
  weft_threadpool_place (&item, rig->workers[1]);
  weft_threadpool_run_begin (&item, rig->workers[1]);
  weft_threadpool_run_end (&item);
  g_assert_cmpuint (get_tag (rig, "steals"), ==, G_MAXUINT64);
  g_assert_cmpuint (get_tag (rig, "enqueued.by"), ==, G_MAXUINT64);
}

static void
test_ends (void)
{
  const WeftTargetErrorDetail error = { .name = "Error", .message = "it is broken" };
  g_autoptr (Rig) rig = rig_new ();
  WeftThreadpoolItem item;

  weft_threadpool_enqueue (&item, rig->pool, &routine, NULL, 7);
  weft_threadpool_run_begin (&item, NULL);
  weft_threadpool_run_failed (&item, &error);
  g_assert_cmpint (rig->heard.last.status, ==, WEFT_TARGET_ERROR);
  g_assert_cmpuint (rig->heard.last.submission, ==, 7);
  g_assert_cmpstr (rig->heard.error, ==, "it is broken");
  g_assert_true (rig->heard.last.lane == weft_threadpool_get_lane (rig->pool));

  weft_threadpool_enqueue (&item, rig->pool, &routine, NULL, 0);
  weft_threadpool_cancel (&item, "not wanted");
  g_assert_cmpint (rig->heard.last.status, ==, WEFT_TARGET_CANCELED);
  g_assert_cmpuint (rig->heard.last.start, ==, rig->heard.last.end);
  g_assert_cmpstr (rig->heard.error, ==, "not wanted");
  g_assert_cmpfloat (rig->heard.pending, ==, 0);
  weft_threadpool_run_begin (&item, rig->workers[0]);
  weft_threadpool_run_end (&item);
  g_assert_cmpuint (rig->heard.n_dispatches, ==, 2);
}

/* An item that a worker runs while it waits within another one. */
static void
test_nested (void)
{
  g_autoptr (Rig) rig = rig_new ();
  WeftThreadpoolItem outer, inner;
  uint64_t start;

  weft_threadpool_enqueue (&outer, rig->pool, &routine, NULL, 0);
  weft_threadpool_run_begin (&outer, rig->workers[0]);
  weft_threadpool_enqueue (&inner, rig->pool, &routine, rig->workers[0], 0);
  weft_threadpool_run_begin (&inner, rig->workers[0]);
  weft_threadpool_run_end (&inner);
  start = rig->heard.last.start;
  weft_threadpool_run_end (&outer);
  g_assert_cmpuint (rig->heard.n_dispatches, ==, 2);
  g_assert_cmpuint (rig->heard.last.start, <=, start);
}

/* Nobody listens, or did not when the item was enqueued: nothing is told of it, and nothing breaks.
 */
static void
test_off (void)
{
  Rig *rig = rig_new ();
  WeftThreadpoolItem item;

  weft_target_unlisten (rig->listener);
  weft_threadpool_enqueue (&item, rig->pool, &routine, NULL, 0);
  g_assert_cmpuint (item.id, ==, 0);
  rig->listener = weft_target_listen (WEFT_TARGET_EVENT_DISPATCH, hear, &rig->heard);
  weft_threadpool_steal (&item, rig->workers[0]);
  weft_threadpool_place (&item, rig->workers[0]);
  weft_threadpool_run_begin (&item, rig->workers[1]);
  weft_threadpool_run_end (&item);
  weft_threadpool_enqueue (&item, NULL, &routine, NULL, 0);
  weft_threadpool_run_begin (&item, NULL);
  weft_threadpool_run_failed (&item, NULL);
  weft_threadpool_wait_begin (NULL, 1, 0);
  weft_threadpool_wait_end (NULL, 1, 0);
  weft_threadpool_worker_start (NULL);
  weft_threadpool_worker_stop (NULL);
  g_assert_null (weft_threadpool_worker_new (NULL, 0));
  g_assert_null (weft_threadpool_get_lane (NULL));
  weft_threadpool_free (NULL);
  g_assert_cmpuint (rig->heard.n_dispatches, ==, 0);
  rig_free (rig);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/threadpool/run", test_run);
  g_test_add_func ("/threadpool/steal", test_steal);
  g_test_add_func ("/threadpool/ends", test_ends);
  g_test_add_func ("/threadpool/nested", test_nested);
  g_test_add_func ("/threadpool/off", test_off);
  return g_test_run ();
}
