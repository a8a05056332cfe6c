/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-executor-diagnosis.h"

#include "weft-executor-loops.h"

#include <string.h>

/* From here on a share is worth looking at: of calls that are refused, of calls that fail, of time
 * that is spent waiting in the queue.
 */
#define REJECTED_SHARE 0.01
#define FAILED_SHARE 0.05
#define WAITING_SHARE 0.5

/* What the metrics of a lane add up to. */
typedef struct
{
  guint64 lane;
  char *name;
  char *policy;
  gboolean is_task; /* not a worker */
  guint64 n_dispatches;
  guint64 n_sampled_out;
  double attempts, succeeded, failed, canceled, rejected, requeued;
  double n_durations, n_waits;
  double duration, wait; /* ms */
  double spawned, crashed;
  double most_in_flight, most_pending, most_blocked, most_workers;
  gboolean has_metrics;
  gboolean lacks_attributes;
} Lane;

typedef struct
{
  WeftInquiry *inquiry;
  GPtrArray *lanes; /* element-type Lane */
  GHashTable *by_id;
} Diagnosis;

static void
lane_free (gpointer data)
{
  Lane *lane = data;

  g_free (lane->name);
  g_free (lane->policy);
  g_free (lane);
}

static void
diagnosis_clear (Diagnosis *self)
{
  g_clear_pointer (&self->lanes, g_ptr_array_unref);
  g_clear_pointer (&self->by_id, g_hash_table_unref);
  g_clear_object (&self->inquiry);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Diagnosis, diagnosis_clear)

/* ---- What there is ---- */

static guint
column (WeftTable *table, const char *name)
{
  int found = weft_table_find_column (table, name);

  g_assert (found >= 0);
  return (guint) found;
}

static double
get_double (WeftTable *table, const char *name, guint row)
{
  guint at = column (table, name);

  return weft_table_is_null (table, at, row) ? 0 : weft_table_get_double (table, at, row);
}

static guint64
get_number (WeftTable *table, const char *name, guint row)
{
  guint at = column (table, name);

  return weft_table_is_null (table, at, row) ? 0 : weft_table_get_uint64 (table, at, row);
}

static void
read_lanes (Diagnosis *self)
{
  g_autoptr (WeftReport) report =
      weft_inquiry_analyze (self->inquiry, "target-lanes", "kind:executor.*");
  WeftTable *table = report != NULL ? weft_report_get_main_table (report) : NULL;

  for (guint row = 0; table != NULL && row < weft_table_get_n_rows (table); row++)
    {
      const char *kind = weft_table_get_string (table, column (table, "kind"), row);
      Lane *lane;

      /* Loops have checks of their own. */
      if (kind == NULL || g_str_equal (kind, "executor.context"))
        continue;
      lane = g_new0 (Lane, 1);
      lane->lane = get_number (table, "lane", row);
      lane->name = g_strdup (weft_table_get_string (table, column (table, "name"), row));
      lane->is_task = !g_str_equal (kind, "executor.worker");
      lane->n_dispatches = get_number (table, "dispatches", row);
      lane->n_sampled_out = get_number (table, "sampled_out", row);
      g_ptr_array_add (self->lanes, lane);
      g_hash_table_insert (self->by_id, GSIZE_TO_POINTER (lane->lane), lane);
    }
}

typedef enum
{
  OF_TASK,
  OF_QUEUE,
  OF_WORKER,
} Scope;

typedef enum
{
  TOTAL,
  POINTS,
  MOST,
} Figure;

/* The metrics that are looked at, and which figure of each goes where. */
static const struct
{
  const char *name;
  Scope scope;
  Figure figure;
  gsize offset;
} figures[] = {
  { "task.dispatch.total", OF_TASK, TOTAL, G_STRUCT_OFFSET (Lane, attempts) },
  { "task.success.total", OF_TASK, TOTAL, G_STRUCT_OFFSET (Lane, succeeded) },
  { "task.failure.total", OF_TASK, TOTAL, G_STRUCT_OFFSET (Lane, failed) },
  { "task.canceled.total", OF_TASK, TOTAL, G_STRUCT_OFFSET (Lane, canceled) },
  { "task.rejected.total", OF_TASK, TOTAL, G_STRUCT_OFFSET (Lane, rejected) },
  { "task.requeue.total", OF_TASK, TOTAL, G_STRUCT_OFFSET (Lane, requeued) },
  { "task.duration_ms", OF_TASK, TOTAL, G_STRUCT_OFFSET (Lane, duration) },
  { "task.duration_ms", OF_TASK, POINTS, G_STRUCT_OFFSET (Lane, n_durations) },
  { "queue.wait_ms", OF_QUEUE, TOTAL, G_STRUCT_OFFSET (Lane, wait) },
  { "queue.wait_ms", OF_QUEUE, POINTS, G_STRUCT_OFFSET (Lane, n_waits) },
  { "queue.in_flight", OF_QUEUE, MOST, G_STRUCT_OFFSET (Lane, most_in_flight) },
  { "queue.pending", OF_QUEUE, MOST, G_STRUCT_OFFSET (Lane, most_pending) },
  { "queue.blocked", OF_QUEUE, MOST, G_STRUCT_OFFSET (Lane, most_blocked) },
  { "workers.active", OF_TASK, MOST, G_STRUCT_OFFSET (Lane, most_workers) },
  { "worker.spawn.total", OF_WORKER, TOTAL, G_STRUCT_OFFSET (Lane, spawned) },
  { "worker.crash.total", OF_WORKER, TOTAL, G_STRUCT_OFFSET (Lane, crashed) },
  { "worker.terminate.total", OF_WORKER, POINTS, 0 },
};

static gboolean
has_attribute (const char *tags, const char *key)
{
  g_autofree char *wanted = g_strconcat (key, "=", NULL);

  return tags != NULL && strstr (tags, wanted) != NULL;
}

static gboolean
lacks_attributes (Scope scope, const char *tags)
{
  return !has_attribute (tags, "task.id") || !has_attribute (tags, "task.type") ||
         (scope == OF_QUEUE && !has_attribute (tags, "queue.policy")) ||
         (scope == OF_WORKER && !has_attribute (tags, "worker.index"));
}

/* The word after “queue.policy=”. */
static char *
read_policy (const char *tags)
{
  const char *begin = strstr (tags, "queue.policy=");

  if (begin == NULL)
    return NULL;
  begin += strlen ("queue.policy=");
  return g_strndup (begin, strcspn (begin, " ,"));
}

static void
take_metric (Lane *lane, WeftTable *table, guint row)
{
  static const char *const columns[] = { "total", "points", "max" };
  const char *name = weft_table_get_string (table, column (table, "name"), row);
  const char *tags = weft_table_get_string (table, column (table, "tags"), row);

  for (gsize i = 0; i < G_N_ELEMENTS (figures); i++)
    {
      if (g_strcmp0 (name, figures[i].name) != 0)
        continue;
      lane->has_metrics = TRUE;
      lane->lacks_attributes |= lacks_attributes (figures[i].scope, tags);
      if (lane->policy == NULL && tags != NULL)
        lane->policy = read_policy (tags);
      if (figures[i].offset != 0)
        *(double *) G_STRUCT_MEMBER_P (lane, figures[i].offset) +=
            get_double (table, columns[figures[i].figure], row);
    }
}

static void
read_metrics (Diagnosis *self)
{
  g_autoptr (WeftReport) report =
      weft_inquiry_analyze (self->inquiry, "metrics", "kind:executor.*");
  WeftTable *table = report != NULL ? weft_report_get_main_table (report) : NULL;

  for (guint row = 0; table != NULL && row < weft_table_get_n_rows (table); row++)
    {
      Lane *lane =
          g_hash_table_lookup (self->by_id, GSIZE_TO_POINTER (get_number (table, "lane", row)));

      if (lane != NULL)
        take_metric (lane, table, row);
    }
}

/* ---- Findings ---- */

typedef gboolean (*Applies) (const Lane *lane);

/* GOOD where no lane shows the fault; else FAULT, with the lanes' names before what SAYS. */
static void
add_finding (Diagnosis *self, const char *check, const char *question, Applies applies,
             WeftVerdict fault, const char *good, const char *says, const char *advice)
{
  g_autoptr (WeftSubjects) lanes = weft_subjects_new ();

  for (guint i = 0; i < self->lanes->len; i++)
    {
      const Lane *lane = self->lanes->pdata[i];

      if (applies (lane))
        weft_subjects_add (lanes, "l", lane->lane, lane->name);
    }
  if (weft_subjects_get_count (lanes) == 0)
    weft_inquiry_add (self->inquiry, check, question, WEFT_VERDICT_GOOD, good, NULL, NULL);
  else
    weft_inquiry_tell (self->inquiry, check, question, fault, advice,
                       weft_subjects_get_handles (lanes), "%s: %s", weft_subjects_get_names (lanes),
                       says);
}

static double
count_ended (const Lane *lane)
{
  return lane->succeeded + lane->failed + lane->canceled + lane->rejected;
}

static gboolean
has_no_spans (const Lane *lane)
{
  return lane->is_task && count_ended (lane) > 0 && lane->n_dispatches == 0 &&
         lane->n_sampled_out == 0;
}

static gboolean
is_mute (const Lane *lane)
{
  return lane->is_task && !lane->has_metrics;
}

static gboolean
lacks_required (const Lane *lane)
{
  return lane->lacks_attributes;
}

static gboolean
does_not_add_up (const Lane *lane)
{
  return lane->is_task && lane->has_metrics &&
         (lane->n_durations != count_ended (lane) || lane->n_waits != lane->attempts);
}

static gboolean
rejects (const Lane *lane)
{
  return lane->rejected > 0 && lane->rejected >= REJECTED_SHARE * count_ended (lane);
}

static gboolean
fails (const Lane *lane)
{
  return lane->failed > 0 && lane->failed >= FAILED_SHARE * count_ended (lane);
}

static gboolean
crashes (const Lane *lane)
{
  return lane->crashed > 0;
}

static gboolean
waits (const Lane *lane)
{
  return lane->is_task && lane->wait > WAITING_SHARE * lane->duration && lane->most_pending > 1;
}

/* More would run if more were let in. */
static gboolean
is_held_back (const Lane *lane)
{
  return waits (lane) && lane->most_in_flight < lane->most_workers;
}

static gboolean
is_too_small (const Lane *lane)
{
  return waits (lane) && !is_held_back (lane);
}

static gboolean
blocks (const Lane *lane)
{
  return lane->most_blocked > 0;
}

static void
check_reports (Diagnosis *self)
{
  add_finding (
      self, "executor.spans", "Are calls of tasks recorded, or only counted?", has_no_spans,
      WEFT_VERDICT_ATTENTION, "Tasks tell their calls",
      "calls were counted, and none was told: spans are off",
      "Record with --with executor, or set WEFT_EXECUTOR_SPANS=on, or turn spans on in the "
      "configuration of the runtime");
  add_finding (self, "executor.metrics", "Do tasks report metrics?", is_mute,
               WEFT_VERDICT_ATTENTION, "Tasks report the metrics of task runtimes",
               "none of the metrics of task runtimes, so that queues and rates are not known",
               "Report by weft-executor.h, which emits them (docs/executor.md)");
  add_finding (self, "executor.attributes", "Do metrics have the attributes they must have?",
               lacks_required, WEFT_VERDICT_PROBLEM, "They do",
               "task.id, task.type, or, where they apply, queue.policy or worker.index are missing",
               "Report by weft-executor.h, or give these attributes (docs/executor.md)");
  add_finding (self, "executor.books", "Do counters and histograms of tasks add up?",
               does_not_add_up, WEFT_VERDICT_ATTENTION,
               "Each outcome has a duration, each attempt a queue wait",
               "some outcomes have no duration, or attempts no queue wait",
               "Nothing is wrong if calls were under way when recording began; else look whether "
               "records were lost");
}

static void
check_queues (Diagnosis *self)
{
  add_finding (self, "executor.rejections", "Do queues refuse calls?", rejects,
               WEFT_VERDICT_ATTENTION, "Hardly any",
               "full queues refused or dropped calls; “weft metrics --wide” tells how many",
               "Give the queue more depth or the task more workers, ask for less at once, or let "
               "callers wait (policy block)");
  add_finding (self, "executor.queue-wait", "Do calls wait longer than they run?", is_too_small,
               WEFT_VERDICT_ATTENTION, "They do not",
               "more than half of the time of calls was spent in the queue, with all workers busy",
               "Add workers, or shorten what they run: “weft target dispatches --by queue_wait” "
               "shows who waited longest");
  add_finding (self, "executor.max-in-flight", "Are workers idle while calls wait?", is_held_back,
               WEFT_VERDICT_ATTENTION, "They are not",
               "calls waited while fewer were in flight than there were workers",
               "Raise queue.max_in_flight to the number of workers");
  add_finding (self, "executor.blocked", "Do callers wait for room in queues?", blocks,
               WEFT_VERDICT_ATTENTION, "No caller did",
               "callers waited until a queue had room: they were slowed down",
               "This is what policy block is for; where callers must not wait, choose another one, "
               "or more depth");
}

static void
check_outcomes (Diagnosis *self)
{
  add_finding (self, "executor.failures", "Do calls fail?", fails, WEFT_VERDICT_ATTENTION,
               "Hardly any", "more than 5 % of calls ended in an error",
               "“weft target dispatches --filter status:error” shows them with their errors");
  add_finding (
      self, "executor.crashes", "Do workers crash?", crashes, WEFT_VERDICT_PROBLEM, "None did",
      "workers crashed; their calls were tried again or given up",
      "“weft target dispatches --filter 'lane:\"NAME\" status:error'” on the worker's lane "
      "shows what it ran when it crashed");
}

GListModel *
weft_executor_diagnose (WeftRecording *recording, GCancellable *cancellable, GError **error)
{
  g_auto (Diagnosis) self = { .inquiry = weft_inquiry_new ("executor", recording, cancellable) };

  self.lanes = g_ptr_array_new_with_free_func (lane_free);
  self.by_id = g_hash_table_new (NULL, NULL);
  read_lanes (&self);
  read_metrics (&self);
  if (self.lanes->len > 0)
    {
      check_reports (&self);
      check_queues (&self);
      check_outcomes (&self);
    }
  weft_executor_check_loops (self.inquiry);
  return weft_inquiry_end (self.inquiry, error);
}
