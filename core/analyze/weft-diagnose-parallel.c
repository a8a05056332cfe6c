/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whether threads waited for target work, and what of it is therefore synchronous. */

#include "weft-analysis-scope.h"
#include "weft-diagnosis.h"
#include "weft-dispatch-rows.h"
#include "weft-origin-rows.h"
#include "weft-row-scan.h"
#include "weft-waits.h"

#include <string.h>

/* A thread that queued target work. */
typedef struct
{
  guint64 id;
  guint64 tid;
  gboolean waited; /* for some of it, provably */
} Queuer;

typedef struct
{
  guint64 classes[WEFT_CLASSIFICATION_UNKNOWN + 1];
  guint64 unknown[WEFT_CLASSIFICATION_REASON_WAITS_UNKNOWN + 1]; /* by reason */
  guint8 *synchronous;                                           /* a bit for each dispatch */
  guint64 n_dispatches;
  GHashTable *synchronous_submissions;
  GArray *queuers;  /* element type Queuer */
  GHashTable *seen; /* thread → its place there + 1 */
  guint64 n_wait_origins;
} Work;

static const char *const wait_advice =
    "Capture an origin on the thread that waits, before and after it does, with the dispatch or "
    "submission that it waits for (docs/producer-guide.md)";

static void
work_clear (Work *work)
{
  g_free (work->synchronous);
  g_hash_table_unref (work->synchronous_submissions);
  g_array_unref (work->queuers);
  g_hash_table_unref (work->seen);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Work, work_clear)

/* ---- Which work is proven synchronous ---- */

static void
take_dispatches (const WeftStoreColumn *columns, gpointer data)
{
  Work *work = data;

  for (guint i = 0; i < columns[0].n_rows; i++)
    {
      guint64 class = weft_store_column_get (&columns[1], i);
      guint64 id, submission;

      work->classes[MIN (class, WEFT_CLASSIFICATION_UNKNOWN)]++;
      if (class == WEFT_CLASSIFICATION_UNKNOWN)
        work->unknown[MIN (weft_store_column_get (&columns[2], i),
                           G_N_ELEMENTS (work->unknown) - 1)]++;
      if (class != WEFT_CLASSIFICATION_SYNCHRONOUS)
        continue;
      id = weft_store_column_get (&columns[0], i);
      submission = weft_store_column_get (&columns[3], i);
      if (id <= work->n_dispatches)
        work->synchronous[id / 8] |= (guint8) (1 << (id % 8));
      if (submission != 0)
        g_hash_table_add (work->synchronous_submissions, GSIZE_TO_POINTER (submission));
    }
}

static gboolean
read_dispatches (WeftDiagnosis *self, Work *work, GError **error)
{
  static const WeftColumnNumber columns[] = {
    WEFT_DISPATCHES_ID,
    WEFT_DISPATCHES_CLASSIFICATION,
    WEFT_DISPATCHES_CLASSIFICATION_REASON,
    WEFT_DISPATCHES_SUBMISSION,
  };

  return weft_scope_scan_dispatches (self->scope, columns, G_N_ELEMENTS (columns), take_dispatches,
                                     work, error);
}

static gboolean
is_synchronous (const Work *work, guint64 dispatch, guint64 submission)
{
  if (dispatch != 0)
    return dispatch <= work->n_dispatches &&
           (work->synchronous[dispatch / 8] >> (dispatch % 8) & 1);
  return g_hash_table_contains (work->synchronous_submissions, GSIZE_TO_POINTER (submission));
}

/* ---- Who queued it ---- */

enum
{
  ROLE,
  THREAD,
  TID,
  DISPATCH,
  SUBMISSION,
  N_ORIGIN_COLUMNS
};

static void
take_origin (guint64 number, const guint64 *origin, guint32 present, gpointer data)
{
  Work *work = data;
  Queuer queuer = { .id = origin[THREAD], .tid = origin[TID] };
  guint place;

  work->n_wait_origins +=
      origin[ROLE] == WEFT_ORIGIN_ROLE_WAIT_BEGIN || origin[ROLE] == WEFT_ORIGIN_ROLE_WAIT_END;
  if (queuer.id == 0 || origin[ROLE] != WEFT_ORIGIN_ROLE_DISPATCH)
    return;
  place = GPOINTER_TO_UINT (g_hash_table_lookup (work->seen, GSIZE_TO_POINTER (queuer.id)));
  if (place == 0)
    {
      g_array_append_val (work->queuers, queuer);
      place = work->queuers->len;
      g_hash_table_insert (work->seen, GSIZE_TO_POINTER (queuer.id), GUINT_TO_POINTER (place));
    }
  g_array_index (work->queuers, Queuer, place - 1).waited |=
      is_synchronous (work, origin[DISPATCH], origin[SUBMISSION]);
}

static gboolean
read_origins (WeftDiagnosis *self, Work *work, GError **error)
{
  static const WeftColumnNumber columns[N_ORIGIN_COLUMNS] = {
    WEFT_ORIGINS_ROLE,     WEFT_ORIGINS_THREAD,     WEFT_ORIGINS_TID,
    WEFT_ORIGINS_DISPATCH, WEFT_ORIGINS_SUBMISSION,
  };

  return weft_scan_rows (self->scope->store, WEFT_TABLE_ORIGINS, columns, N_ORIGIN_COLUMNS,
                         take_origin, work, self->scope->cancellable, error);
}

/* ---- Waits ---- */

static gboolean
check_waits (WeftDiagnosis *self, const Work *work, GError **error)
{
  static const char *const question = "Is it known which threads waited for target work?";
  g_autoptr (WeftProducerIds) ids = weft_producer_ids_new ();
  g_autoptr (GArray) waits = NULL;
  guint64 half = 0;

  if (work->n_wait_origins == 0)
    {
      weft_diagnosis_add (self, "waits", question, WEFT_VERDICT_NOT_APPLICABLE, wait_advice, NULL,
                          "No wait was reported: either no thread waited, or the program does not "
                          "tell");
      return TRUE;
    }
  if (!weft_producer_ids_want_table (ids, self->scope, WEFT_TABLE_ORIGINS, WEFT_ORIGINS_DISPATCH,
                                     WEFT_ORIGINS_RUNTIME, WEFT_ORIGINS_PRODUCER_DISPATCH, error) ||
      !weft_producer_ids_resolve (ids, self->scope, error))
    return FALSE;
  waits = weft_waits_read (self->scope, ids, error);
  if (waits == NULL)
    return FALSE;
  for (guint i = 0; i < waits->len; i++)
    half += !g_array_index (waits, WeftWait, i).has_begin ||
            !g_array_index (waits, WeftWait, i).has_end;
  if (half > 0)
    weft_diagnosis_add (self, "waits", question, WEFT_VERDICT_ATTENTION,
                        "Report both ends of each wait, on the thread that waits, with the same "
                        "dispatch or submission",
                        NULL, "%" G_GUINT64_FORMAT " of %u %s %s only a begin or only an end", half,
                        waits->len, weft_plural (waits->len, "wait", "waits"),
                        weft_plural (half, "has", "have"));
  else
    weft_diagnosis_add (self, "waits", question, WEFT_VERDICT_GOOD, NULL, NULL,
                        "%u %s with begin and end", waits->len,
                        weft_plural (waits->len, "wait,", "waits, each"));
  return TRUE;
}

/* ---- Parallel or synchronous ---- */

static void
check_parallel (WeftDiagnosis *self, const Work *work)
{
  static const char *const question = "Is target work only parallel, or proven synchronous?";
  guint64 total = weft_diagnosis_count (self, WEFT_TABLE_DISPATCHES);
  g_autoptr (GString) unknown = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (work->unknown); i++)
    if (work->unknown[i] > 0)
      g_string_append_printf (unknown, "; %" G_GUINT64_FORMAT ": %s", work->unknown[i],
                              weft_classification_reason_explain ((WeftClassificationReason) i));
  if (total == 0)
    weft_diagnosis_add (self, "parallelism", question, WEFT_VERDICT_NOT_APPLICABLE, NULL, NULL,
                        "There is no target work");
  else if (work->classes[WEFT_CLASSIFICATION_UNDECIDED] == total)
    weft_diagnosis_add (
        self, "parallelism", question, WEFT_VERDICT_NOT_APPLICABLE, NULL, NULL,
        "Not decided: target work counts as parallel unless a wait proves otherwise; "
        "“weft target dispatch” tells the waits for one");
  else
    weft_diagnosis_add (self, "parallelism", question, WEFT_VERDICT_GOOD, NULL, NULL,
                        "Dispatches proven synchronous: %" G_GUINT64_FORMAT
                        ", asynchronous: %" G_GUINT64_FORMAT ", not to be told: %" G_GUINT64_FORMAT
                        "%s",
                        work->classes[WEFT_CLASSIFICATION_SYNCHRONOUS],
                        work->classes[WEFT_CLASSIFICATION_ASYNCHRONOUS],
                        work->classes[WEFT_CLASSIFICATION_UNKNOWN], unknown->str);
}

static void
check_parallel_threads (WeftDiagnosis *self, const Work *work)
{
  static const char *const question =
      "Which threads have target work that is not CPU work of theirs?";
  g_autoptr (WeftSubjects) parallel = weft_subjects_new ();
  g_autoptr (WeftSubjects) waiting = weft_subjects_new ();

  for (guint i = 0; i < work->queuers->len; i++)
    {
      const Queuer *queuer = &g_array_index (work->queuers, Queuer, i);

      g_autofree char *name = weft_diagnosis_name_thread (self, queuer->id, (gint64) queuer->tid);

      weft_subjects_add (queuer->waited ? waiting : parallel, "t", queuer->id, name);
    }
  if (weft_subjects_get_count (parallel) > 0)
    weft_diagnosis_add (
        self, "parallel-threads", question, WEFT_VERDICT_GOOD, NULL, parallel,
        "%" G_GUINT64_FORMAT " %s queued target work: %s. It ran on lanes: "
        "parallel work, not CPU execution of %s",
        weft_subjects_get_count (parallel),
        weft_plural (weft_subjects_get_count (parallel), "thread", "threads"),
        weft_subjects_get_names (parallel),
        weft_plural (weft_subjects_get_count (parallel), "this thread", "these threads"));
  if (weft_subjects_get_count (waiting) > 0)
    weft_diagnosis_add (
        self, "waiting-threads", "Which threads provably waited for target work of theirs?",
        WEFT_VERDICT_GOOD, NULL, waiting,
        "%" G_GUINT64_FORMAT " %s for work that %s: %s. That work is "
        "synchronous: “weft target dispatches” tells which",
        weft_subjects_get_count (waiting),
        weft_plural (weft_subjects_get_count (waiting), "thread waited", "threads waited"),
        weft_plural (weft_subjects_get_count (waiting), "it queued", "they queued"),
        weft_subjects_get_names (waiting));
  if (work->queuers->len == 0)
    weft_diagnosis_add (self, "parallel-threads", question, WEFT_VERDICT_NOT_APPLICABLE, NULL, NULL,
                        "No thread is known to have queued target work");
}

gboolean
weft_diagnose_parallel (WeftDiagnosis *self, GError **error)
{
  /* A hostile file may claim any number. */
  g_auto (Work) work = {
    .n_dispatches = MIN (weft_diagnosis_count (self, WEFT_TABLE_DISPATCHES), G_MAXUINT32),
  };

  work.synchronous = g_malloc0 (work.n_dispatches / 8 + 1);
  work.synchronous_submissions = g_hash_table_new (NULL, NULL);
  work.queuers = g_array_new (FALSE, FALSE, sizeof (Queuer));
  work.seen = g_hash_table_new (NULL, NULL);
  if (!read_dispatches (self, &work, error) || !read_origins (self, &work, error))
    return FALSE;
  check_parallel_threads (self, &work);
  if (!check_waits (self, &work, error))
    return FALSE;
  check_parallel (self, &work);
  return TRUE;
}
