/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-executor-domain.h"

#include "weft-executor-diagnosis.h"

#define DOMAIN "executor"

struct _WeftExecutorDomain
{
  GObject parent_instance;
};

static char *
get_name (WeftDomain *domain)
{
  return g_strdup (DOMAIN);
}

/* ---- Words ---- */

static void
add_kinds (WeftVocabulary *words)
{
  weft_vocabulary_set_title (words, "Task runtimes",
                             "Tasks behind queues, their workers, and the calls they run.");
  weft_vocabulary_add_kind (words, "executor.*", "Executor", "system-run-symbolic", "#5e5c64");
  weft_vocabulary_add_kind (words, "executor.pool", "Worker pool", "network-workgroup-symbolic",
                            "#1c71d8");
  weft_vocabulary_add_kind (words, "executor.singleton", "Single worker", "avatar-default-symbolic",
                            "#26a269");
  weft_vocabulary_add_kind (words, "executor.worker", "Worker", "applications-system-symbolic",
                            "#e5a50a");
  /* Who asked is told with the call, on the task's lane. */
  weft_vocabulary_set_self_driven (words, "executor.worker", TRUE);
  weft_vocabulary_add_kind (words, "executor.context", "Main context",
                            "emblem-synchronizing-symbolic", "#9141ac");
  weft_vocabulary_add_word (words, NULL, "runtime", "task runtime", "task runtimes");
  weft_vocabulary_add_word (words, NULL, "lane", "task", "tasks");
  weft_vocabulary_add_word (words, "executor.worker", "lane", "worker", "workers");
  weft_vocabulary_add_word (words, "executor.context", "lane", "main context", "main contexts");
  weft_vocabulary_add_word (words, "executor.context", "dispatch", "dispatch", "dispatches");
  weft_vocabulary_add_word (words, "executor.context", "routine", "source", "sources");
  weft_vocabulary_add_word (words, NULL, "queue", "dispatch queue", "dispatch queues");
  weft_vocabulary_add_word (words, NULL, "submission", "batch", "batches");
  weft_vocabulary_add_word (words, NULL, "dispatch", "call", "calls");
  weft_vocabulary_add_word (words, "executor.worker", "dispatch", "attempt", "attempts");
  weft_vocabulary_add_word (words, NULL, "routine", "method", "methods");
  weft_vocabulary_add_word (words, NULL, "attachment", "argument", "arguments");
  weft_vocabulary_add_word (words, NULL, "trace", "workflow", "workflows");
}

static void
add_attributes (WeftVocabulary *words)
{
  static const struct
  {
    const char *key;
    const char *label;
    const char *unit;
    const char *description;
  } attributes[] = {
    { "task.id", "Task", NULL, "Stable name of the task." },
    { "task.name", "Task name", NULL, "Name of the task for people." },
    { "task.type", "Type", NULL, "parallel: a pool of workers; singleton: one worker." },
    { "worker.index", "Worker", NULL,
      "Which worker of the task; of a call, that of its last attempt." },
    { "queue.policy", "Queue policy", NULL,
      "What a full queue does: block, reject, drop-latest or drop-oldest." },
    { "queue.max_in_flight", "Most in flight", "count", "Calls that may run at once." },
    { "queue.max_depth", "Queue depth", "count", "Calls that may wait." },
    { "call.id", "Call", NULL, "The producer's number of the call that an attempt is of." },
    { "attempt", "Attempt", NULL, "Which attempt of its call, from 1." },
    { "polls", "Polls", "count", "How often the call was polled." },
    { "poll.time", "Time in polls", "ns", "Time of all polls of the call." },
    { "phases.cut", "Phases left out", "count", "Phases for which there was no room." },
    { "source", "Source", NULL,
      "What kind of source a main context dispatched: idle, timeout, fd, channel, child, signal, "
      "or "
      "source for all others." },
    { "priority", "Priority", NULL, "Of a source of a main context: less is more urgent." },
    { "ready", "Ready since", NULL,
      "How it is known since when a source was ready: due (its time had come), queued (it was "
      "attached or made ready), again (it is always ready, since its last dispatch), polled (the "
      "poll that found it ready ended: it may have been ready for longer)." },
    { "executor.runtime", "Runtime", NULL, "Name of the task runtime." },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (attributes); i++)
    weft_vocabulary_add_attribute (words, attributes[i].key, attributes[i].label,
                                   attributes[i].unit, attributes[i].description);
}

typedef struct
{
  const char *name;
  const char *label;
  const char *text; /* unit of a metric, expression of a derived one */
  const char *unit;
  const char *description;
  WeftPolarity polarity;
} Measure;

static void
add_metrics (WeftVocabulary *words)
{
  static const Measure metrics[] = {
    { "task.dispatch.total", "Attempts", NULL, "count",
      "Attempts that began; a second one counts again.", WEFT_POLARITY_NEUTRAL },
    { "task.success.total", "Successes", NULL, "count", "Calls that ended well.",
      WEFT_POLARITY_HIGHER },
    { "task.failure.total", "Failures", NULL, "count",
      "Calls that ended in an error, or crashed too often.", WEFT_POLARITY_LOWER },
    { "task.canceled.total", "Canceled", NULL, "count", "Calls canceled in the queue or in flight.",
      WEFT_POLARITY_NEUTRAL },
    { "task.rejected.total", "Rejected", NULL, "count", "Calls refused or dropped by the queue.",
      WEFT_POLARITY_LOWER },
    { "task.requeue.total", "Requeued", NULL, "count", "Calls queued again after a crash.",
      WEFT_POLARITY_LOWER },
    { "worker.spawn.total", "Spawned", NULL, "count", "Workers that were created.",
      WEFT_POLARITY_NEUTRAL },
    { "worker.crash.total", "Crashed", NULL, "count", "Workers that crashed.",
      WEFT_POLARITY_LOWER },
    { "worker.terminate.total", "Terminated", NULL, "count", "Workers that were ended.",
      WEFT_POLARITY_NEUTRAL },
    { "queue.in_flight", "In flight", NULL, "count", "Calls that were dispatched and are not over.",
      WEFT_POLARITY_NEUTRAL },
    { "queue.pending", "Pending", NULL, "count", "Calls that wait in the queue.",
      WEFT_POLARITY_LOWER },
    { "queue.blocked", "Blocked", NULL, "count", "Callers that wait for room in the queue.",
      WEFT_POLARITY_LOWER },
    { "workers.active", "Workers", NULL, "count", "Workers that are there.",
      WEFT_POLARITY_NEUTRAL },
    { "task.duration_ms", "Duration", NULL, "ms", "From the request of a call to its end.",
      WEFT_POLARITY_LOWER },
    { "queue.wait_ms", "Queue wait", NULL, "ms", "Time in the queue, of each attempt.",
      WEFT_POLARITY_LOWER },
    { "context.polls", "Polls", NULL, "count", "How often a main loop looked for events.",
      WEFT_POLARITY_NEUTRAL },
    { "context.sleep", "Sleep", NULL, "ns", "Time of each poll that might sleep.",
      WEFT_POLARITY_NEUTRAL },
    { "context.asleep", "Asleep", NULL, NULL, "1 while a main loop sleeps in its poll, else 0.",
      WEFT_POLARITY_NEUTRAL },
    { "context.wait", "Wait for dispatch", NULL, "ns",
      "How long each source was ready before it was dispatched.", WEFT_POLARITY_LOWER },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (metrics); i++)
    weft_vocabulary_add_metric (words, metrics[i].name, metrics[i].label, metrics[i].unit,
                                metrics[i].description, metrics[i].polarity);
}

#define ENDED                                                                                      \
  "(task.success.total + task.failure.total + task.canceled.total + task.rejected.total)"

static void
add_derived_metrics (WeftVocabulary *words)
{
  static const Measure metrics[] = {
    { "queue_wait_p95", "Queue wait, p95", "queue.wait_ms.p95", "ms",
      "95 of 100 attempts waited no longer.", WEFT_POLARITY_LOWER },
    { "duration_p95", "Duration, p95", "task.duration_ms.p95", "ms",
      "95 of 100 calls took no longer from request to end.", WEFT_POLARITY_LOWER },
    { "utilisation", "Utilisation", "100 * queue.in_flight.average / workers.active.max", "percent",
      "Calls in flight, over time, as a share of the workers.", WEFT_POLARITY_NEUTRAL },
    { "throughput", "Throughput", "1e9 * task.success.total / elapsed", "1/s",
      "Calls that ended well, a second.", WEFT_POLARITY_HIGHER },
    { "rejection_rate", "Rejection rate", "100 * task.rejected.total / " ENDED, "percent",
      "Share of calls that the queue refused or dropped.", WEFT_POLARITY_LOWER },
    { "failure_rate", "Failure rate", "100 * task.failure.total / " ENDED, "percent",
      "Share of calls that ended in an error.", WEFT_POLARITY_LOWER },
    { "queue_share", "Share of waiting", "100 * queue.wait_ms.sum / task.duration_ms.sum",
      "percent", "Share of the time of calls that they waited in the queue.", WEFT_POLARITY_LOWER },
    { "context_wait_p95", "Wait for dispatch, p95", "context.wait.p95", "ns",
      "95 of 100 sources were dispatched no later after they were ready.", WEFT_POLARITY_LOWER },
    { "context_utilisation", "Utilisation of the loop", "100 * (1 - context.asleep.average)",
      "percent", "Share of the time in which the main loop did not sleep.", WEFT_POLARITY_NEUTRAL },
    { "context_throughput", "Dispatches a second", "1e9 * context.wait.count / elapsed", "1/s",
      "Dispatches of sources, a second.", WEFT_POLARITY_NEUTRAL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (metrics); i++)
    weft_vocabulary_add_derived_metric (words, metrics[i].name, metrics[i].text, metrics[i].label,
                                        metrics[i].unit, metrics[i].description,
                                        metrics[i].polarity);
}

static void
add_hints (WeftVocabulary *words)
{
  weft_vocabulary_add_hint (words, "abort", "It was canceled: in the queue, or while it ran.");
  weft_vocabulary_add_hint (words, "queue",
                            "The queue was full: it refused or dropped the call by its policy.");
  weft_vocabulary_add_hint (words, "crash",
                            "Its worker crashed, and it was not tried again: the last attempt on "
                            "the worker's lane shows where it ran.");
  weft_vocabulary_add_hint (words, "blocked",
                            "A dispatch kept its main loop from turning: nothing else of that "
                            "context was served in the meantime.");
  weft_vocabulary_add_hint (words, "exception", "The method failed: its error says how.");
}

static WeftVocabulary *
get_vocabulary (WeftDomain *domain)
{
  WeftVocabulary *words = weft_vocabulary_new (DOMAIN);

  add_kinds (words);
  add_attributes (words);
  add_metrics (words);
  add_derived_metrics (words);
  add_hints (words);
  return words;
}

/* ---- Details ---- */

static void
add_detail (GListStore *details, const char *label, char *text)
{
  g_autofree char *owned = text;
  g_autoptr (WeftDetail) detail = weft_detail_new ("Call", label, owned, NULL);

  g_list_store_append (details, detail);
}

static void
add_call (GListStore *details, WeftDispatch *call)
{
  guint64 duration = weft_dispatch_get_duration (call);

  if (weft_dispatch_has_attempts (call))
    {
      guint64 attempts = weft_dispatch_get_attempts (call);

      add_detail (details, "Attempts",
                  attempts == 0 ? g_strdup ("none: it was never dispatched")
                                : g_strdup_printf ("%" G_GUINT64_FORMAT, attempts));
    }
  if (weft_dispatch_has_queue_wait (call) && duration > 0)
    add_detail (
        details, "Waited in the queue",
        g_strdup_printf ("%.3f ms, %.0f %% of its time",
                         (double) weft_dispatch_get_queue_wait (call) / 1e6,
                         100.0 * (double) weft_dispatch_get_queue_wait (call) / (double) duration));
}

/* What is particular to a call: how often it was tried, and how much of its time it only waited. */
static GListModel *
get_details (WeftDomain *domain, WeftRecording *recording, GObject *object)
{
  GListStore *details = g_list_store_new (WEFT_TYPE_DETAIL);
  g_autoptr (WeftLane) lane = NULL;

  if (WEFT_IS_DISPATCH (object))
    lane = weft_dispatch_get_lane (WEFT_DISPATCH (object));
  if (lane != NULL && weft_lane_get_kind (lane) != NULL &&
      g_str_has_prefix (weft_lane_get_kind (lane), "executor.") &&
      !g_str_equal (weft_lane_get_kind (lane), "executor.worker"))
    add_call (details, WEFT_DISPATCH (object));
  return G_LIST_MODEL (details);
}

/* ---- The type ---- */

static GListModel *
diagnose (WeftDomain *domain, WeftRecording *recording, GCancellable *cancellable, GError **error)
{
  return weft_executor_diagnose (recording, cancellable, error);
}

static void
domain_interface_init (WeftDomainInterface *interface)
{
  interface->get_name = get_name;
  interface->get_vocabulary = get_vocabulary;
  interface->diagnose = diagnose;
  interface->get_details = get_details;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (WeftExecutorDomain, weft_executor_domain, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (WEFT_TYPE_DOMAIN, domain_interface_init))

static void
weft_executor_domain_class_init (WeftExecutorDomainClass *klass)
{
}

static void
weft_executor_domain_init (WeftExecutorDomain *self)
{
}

WeftDomain *
weft_executor_domain_new (void)
{
  return g_object_new (WEFT_EXECUTOR_TYPE_DOMAIN, NULL);
}
