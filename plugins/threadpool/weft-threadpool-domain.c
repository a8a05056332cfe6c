/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-threadpool-domain.h"

#include "openmp/weft-openmp-diagnosis.h"
#include "openmp/weft-openmp-words.h"
#include "weft-threadpool-diagnosis.h"

#define DOMAIN "threadpool"

struct _WeftThreadpoolDomain
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
  weft_vocabulary_set_title (words, "Thread pools",
                             "Queues of work, the threads that take it from them, and who stole "
                             "from whom.");
  weft_vocabulary_add_kind (words, "threadpool.*", "Thread pool", "network-workgroup-symbolic",
                            "#1a5fb4");
  weft_vocabulary_add_kind (words, "threadpool.pool", "Thread pool", "network-workgroup-symbolic",
                            "#1a5fb4");
  weft_vocabulary_add_kind (words, "threadpool.worker", "Pool worker",
                            "applications-system-symbolic", "#2ec27e");
  weft_vocabulary_add_word (words, NULL, "runtime", "program with pools", "programs with pools");
  weft_vocabulary_add_word (words, NULL, "lane", "pool", "pools");
  weft_vocabulary_add_word (words, "threadpool.worker", "lane", "worker", "workers");
  weft_vocabulary_add_word (words, NULL, "queue", "work queue", "work queues");
  weft_vocabulary_add_word (words, NULL, "submission", "batch", "batches");
  weft_vocabulary_add_word (words, NULL, "dispatch", "work item", "work items");
  weft_vocabulary_add_word (words, NULL, "routine", "function", "functions");
  weft_vocabulary_add_word (words, NULL, "wait", "join", "joins");
}

static void
add_attributes (WeftVocabulary *words)
{
  weft_vocabulary_add_attribute (words, "pool.max_threads", "Most threads", "count",
                                 "Threads that the pool may have; -1: no bound.");
  weft_vocabulary_add_attribute (words, "pool.exclusive", "Exclusive", NULL,
                                 "Whether the pool has threads of its own.");
  weft_vocabulary_add_attribute (words, "worker.index", "Worker", NULL,
                                 "Which worker of its pool.");
  weft_vocabulary_add_attribute (words, "stolen.from", "Stolen from", NULL,
                                 "The worker whose queue the item was taken from.");
  weft_vocabulary_add_attribute (words, "steals", "Steals", "count",
                                 "How often the item was stolen before it ran.");
  weft_vocabulary_add_attribute (words, "enqueued.by", "Enqueued by", NULL,
                                 "The worker that enqueued the item.");
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
    { "queue.pending", "Pending", NULL, "count", "Items that wait in the queue.",
      WEFT_POLARITY_LOWER },
    { "queue.wait_ms", "Queue wait", NULL, "ms", "Time in the queue, of each item that ran.",
      WEFT_POLARITY_LOWER },
    { "workers.active", "Workers", NULL, "count", "Threads that the pool has.",
      WEFT_POLARITY_NEUTRAL },
    { "steal.total", "Steals", NULL, "count",
      "How often a worker took an item out of the queue of another.", WEFT_POLARITY_NEUTRAL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (metrics); i++)
    weft_vocabulary_add_metric (words, metrics[i].name, metrics[i].label, metrics[i].unit,
                                metrics[i].description, metrics[i].polarity);
}

static void
add_derived_metrics (WeftVocabulary *words)
{
  static const Measure metrics[] = {
    { "queue_wait_p95", "Queue wait, p95", "queue.wait_ms.p95", "ms",
      "95 of 100 items waited no longer.", WEFT_POLARITY_LOWER },
    { "utilisation", "Utilisation", "100 * parts.busy.mean / elapsed", "percent",
      "Time in which workers ran something, waits inside of it included, of all time.", WEFT_POLARITY_NEUTRAL },
    { "throughput", "Throughput", "1e9 * parts.dispatches.sum / elapsed", "1/s",
      "Items that workers ran, a second.", WEFT_POLARITY_HIGHER },
    { "imbalance", "Imbalance", "100 * (parts.busy.max - parts.busy.mean) / parts.busy.max",
      "percent",
      "How far workers stay behind the busiest one on average; 0: all have as much to do.",
      WEFT_POLARITY_LOWER },
    { "steal_rate", "Steal rate", "100 * steal.total / parts.dispatches.sum", "percent",
      "Steals, as a share of the items that ran.", WEFT_POLARITY_NEUTRAL },
    { "queue_share", "Share of waiting",
      "100 * queue.wait_ms.sum / (queue.wait_ms.sum + parts.total.sum / 1e6)", "percent",
      "Share of the time from enqueueing to the end that items waited in the queue.",
      WEFT_POLARITY_LOWER },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (metrics); i++)
    weft_vocabulary_add_derived_metric (words, metrics[i].name, metrics[i].text, metrics[i].label,
                                        metrics[i].unit, metrics[i].description,
                                        metrics[i].polarity);
}

static WeftVocabulary *
get_vocabulary (WeftDomain *domain)
{
  WeftVocabulary *words = weft_vocabulary_new (DOMAIN);

  add_kinds (words);
  add_attributes (words);
  add_metrics (words);
  add_derived_metrics (words);
  weft_openmp_add_words (words);
  weft_vocabulary_add_hint (words, "abort",
                            "It never ran: its pool was closed while it was in the queue.");
  return words;
}

static GListModel *
diagnose (WeftDomain *domain, WeftRecording *recording, GCancellable *cancellable, GError **error)
{
  g_autoptr (GListModel) findings = weft_threadpool_diagnose (recording, cancellable, error);

  if (findings == NULL ||
      !weft_openmp_diagnose (recording, G_LIST_STORE (findings), cancellable, error))
    return NULL;
  return g_steal_pointer (&findings);
}

/* ---- The type ---- */

static void
domain_interface_init (WeftDomainInterface *interface)
{
  interface->get_name = get_name;
  interface->get_vocabulary = get_vocabulary;
  interface->diagnose = diagnose;
  interface->concerns = weft_openmp_concerns;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (WeftThreadpoolDomain, weft_threadpool_domain, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (WEFT_TYPE_DOMAIN, domain_interface_init))

static void
weft_threadpool_domain_class_init (WeftThreadpoolDomainClass *klass)
{
}

static void
weft_threadpool_domain_init (WeftThreadpoolDomain *self)
{
}

WeftDomain *
weft_threadpool_domain_new (void)
{
  return g_object_new (WEFT_THREADPOOL_TYPE_DOMAIN, NULL);
}
