/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which CPU code queued target work and waited for it: is that known? */

#include "weft-analysis-scope.h"
#include "weft-diagnosis.h"
#include "weft-origin-rows.h"
#include "weft-waits.h"

typedef struct
{
  guint64 roles[WEFT_ORIGIN_ROLE_FAULT + 1];
  guint64 states[WEFT_LINK_STATUS_OUTSIDE_RUN + 1];
  guint64 total;
  guint64 with_stack;
  WeftFindingObjects strange;       /* of threads that no thread of the process is */
  WeftFindingObjects other_process; /* of those, threads of another process */
  WeftFindingObjects outside;
  WeftFindingObjects threads; /* that queued something */
  GHashTable *seen;           /* threads */
  GHashTable *tids;           /* of all threads */
  gint64 begin;
  gint64 end;
} Facts;

static const char *const capture_advice =
    "Capture an origin where work is queued, with weft_target_origin () or "
    "weft_target_origin_with_stack (), and where a thread waits for it (docs/producer-guide.md)";

static void
take_thread (WeftDiagnosis *self, Facts *facts, WeftRowCursor *row)
{
  guint64 thread = weft_row_cursor_get (row, WEFT_ORIGINS_THREAD);
  guint64 tid = weft_row_cursor_get (row, WEFT_ORIGINS_TID);
  const WeftCatalogThread *found = weft_catalog_get_thread (self->catalog, (guint32) thread);
  g_autofree char *number = NULL;

  if (thread == 0)
    {
      number = g_strdup_printf ("%" G_GINT64_FORMAT, (gint64) tid);
      weft_finding_objects_add (g_hash_table_contains (facts->tids, GSIZE_TO_POINTER (tid))
                                    ? &facts->other_process
                                    : &facts->strange,
                                "o", weft_row_cursor_get_number (row), number);
      return;
    }
  if (weft_row_cursor_get (row, WEFT_ORIGINS_ROLE) == WEFT_ORIGIN_ROLE_DISPATCH &&
      g_hash_table_add (facts->seen, GSIZE_TO_POINTER (thread)))
    {
      /* Threads of a pool have one name. */
      number = g_strdup_printf ("%s (%" G_GUINT64_FORMAT ")",
                                found && found->name ? found->name : "(no name)", tid);
      weft_finding_objects_add (&facts->threads, "t", thread, number);
    }
}

static gboolean
read_origins (WeftDiagnosis *self, Facts *facts, GError **error)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_ORIGINS);

  while (weft_row_cursor_next (rows))
    {
      guint64 role = weft_row_cursor_get (rows, WEFT_ORIGINS_ROLE);
      guint64 status = weft_row_cursor_get (rows, WEFT_ORIGINS_LINK_STATUS);
      gint64 time = weft_row_cursor_get_signed (rows, WEFT_ORIGINS_TIME);

      facts->total++;
      facts->roles[MIN (role, G_N_ELEMENTS (facts->roles) - 1)]++;
      facts->states[MIN (status, G_N_ELEMENTS (facts->states) - 1)]++;
      facts->with_stack += weft_row_cursor_get (rows, WEFT_ORIGINS_STACK) != 0;
      take_thread (self, facts, rows);
      if (time < facts->begin || time > facts->end)
        weft_finding_objects_add (&facts->outside, "o", weft_row_cursor_get_number (rows), "");
    }
  return weft_row_cursor_finish (rows, error);
}

static void
check_present (WeftDiagnosis *self, const Facts *facts)
{
  static const char *const question = "Is it known which threads queued target work?";
  guint64 dispatches = weft_diagnosis_count (self, WEFT_TABLE_DISPATCHES);
  guint64 queued = facts->roles[WEFT_ORIGIN_ROLE_DISPATCH];

  if (dispatches == 0)
    weft_diagnosis_add (self, "origins", question, WEFT_VERDICT_NOT_APPLICABLE, NULL, NULL,
                        "There is no target work");
  else if (queued == 0)
    weft_diagnosis_add (self, "origins", question, WEFT_VERDICT_ATTENTION, capture_advice, NULL,
                        "No dispatch of %" G_GUINT64_FORMAT " tells what queued it", dispatches);
  else
    weft_diagnosis_add (self, "origins", question, WEFT_VERDICT_GOOD, NULL, NULL,
                        "%" G_GUINT64_FORMAT " %s where work was queued; %" G_GUINT64_FORMAT
                        " of all %" G_GUINT64_FORMAT " %s a stack",
                        queued, weft_plural (queued, "origin tells", "origins tell"),
                        facts->with_stack, facts->total,
                        weft_plural (facts->with_stack, "holds", "hold"));
}

static void
check_links (WeftDiagnosis *self, const Facts *facts)
{
  static const char *const question = "Are origins linked to CPU stacks?";
  guint64 undecided = facts->states[WEFT_LINK_STATUS_UNDECIDED];
  guint64 linked =
      facts->states[WEFT_LINK_STATUS_LINKED_EXACT] + facts->states[WEFT_LINK_STATUS_LINKED];
  g_autoptr (GString) reasons = g_string_new (NULL);

  for (guint i = WEFT_LINK_STATUS_MISSING_THREAD; i < G_N_ELEMENTS (facts->states); i++)
    if (facts->states[i] > 0)
      g_string_append_printf (reasons, "; %" G_GUINT64_FORMAT ": %s", facts->states[i],
                              weft_link_status_explain ((WeftLinkStatus) i));
  if (facts->total == 0)
    weft_diagnosis_add (self, "origin-links", question, WEFT_VERDICT_NOT_APPLICABLE, NULL, NULL,
                        "There are no origins");
  else if (undecided == facts->total)
    weft_diagnosis_add (
        self, "origin-links", question, WEFT_VERDICT_NOT_APPLICABLE,
        "An origin is linked to the nearest CPU sample of its thread, or exactly where its stack "
        "was copied: record CPU samples beside the target work",
        NULL,
        "Not decided for any of %" G_GUINT64_FORMAT " %s: the recording has no CPU samples, and "
        "stacks that programs copied (%" G_GUINT64_FORMAT ") are not unwound yet",
        facts->total, weft_plural (facts->total, "origin", "origins"), facts->with_stack);
  else
    weft_diagnosis_add (self, "origin-links", question,
                        reasons->len > 0 ? WEFT_VERDICT_ATTENTION : WEFT_VERDICT_GOOD,
                        reasons->len > 0 ? "“weft target origins” lists each with its reason"
                                         : NULL,
                        NULL, "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " %s linked%s", linked,
                        facts->total, weft_plural (linked, "is", "are"), reasons->str);
}

static void
check_stale (WeftDiagnosis *self, const Facts *facts)
{
  static const char *const question = "Are origins recent enough for what they explain?";
  guint64 stale = facts->states[WEFT_LINK_STATUS_STALE];

  if (facts->states[WEFT_LINK_STATUS_UNDECIDED] == facts->total)
    weft_diagnosis_add (self, "stale-origins", question, WEFT_VERDICT_NOT_APPLICABLE, NULL, NULL,
                        facts->total > 0 ? "Not decided: there are no CPU samples to compare with"
                                         : "There are no origins");
  else if (stale > 0)
    weft_diagnosis_add (self, "stale-origins", question, WEFT_VERDICT_ATTENTION,
                        "Capture the origin where the work is queued, not once when it is set up",
                        NULL, "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " origins %s stale",
                        stale, facts->total, weft_plural (stale, "is", "are"));
  else
    weft_diagnosis_add (self, "stale-origins", question, WEFT_VERDICT_GOOD, NULL, NULL,
                        "No origin is stale");
}

static void
check_threads (WeftDiagnosis *self, Facts *facts)
{
  static const char *const question = "Do origins name threads of the program that reported them?";

  if (facts->other_process.count > 0)
    weft_diagnosis_add (
        self, "origin-processes", question, WEFT_VERDICT_ATTENTION,
        "Capture origins in the process that reports them; thread numbers of another process mean "
        "nothing there",
        &facts->other_process, "%" G_GUINT64_FORMAT " %s of another process: %s",
        facts->other_process.count,
        weft_plural (facts->other_process.count, "origin names a thread", "origins name threads"),
        weft_finding_objects_get_names (&facts->other_process));
  if (facts->strange.count > 0)
    weft_diagnosis_add (
        self, "origin-threads", question, WEFT_VERDICT_ATTENTION,
        "Give the number that weft_target_origin () captured, never one that the program made up",
        &facts->strange, "%" G_GUINT64_FORMAT " %s that nobody saw: %s", facts->strange.count,
        weft_plural (facts->strange.count, "origin names a thread", "origins name threads"),
        weft_finding_objects_get_names (&facts->strange));
  if (facts->strange.count + facts->other_process.count == 0)
    weft_diagnosis_add (self, "origin-threads", question,
                        facts->total > 0 ? WEFT_VERDICT_GOOD : WEFT_VERDICT_NOT_APPLICABLE, NULL,
                        NULL, facts->total > 0 ? "All do" : "There are no origins");
}

static void
check_times (WeftDiagnosis *self, Facts *facts)
{
  static const char *const question = "Do origins lie within the recording?";

  if (facts->outside.count > 0)
    weft_diagnosis_add (self, "origin-times", question, WEFT_VERDICT_ATTENTION,
                        "Capture each origin anew, with the clock of weft_target_now ()",
                        &facts->outside,
                        "%" G_GUINT64_FORMAT
                        " %s before the recording's begin or after its end, and %s kept as told",
                        facts->outside.count,
                        weft_plural (facts->outside.count, "origin is from", "origins are from"),
                        weft_plural (facts->outside.count, "was", "were"));
  else
    weft_diagnosis_add (self, "origin-times", question,
                        facts->total > 0 ? WEFT_VERDICT_GOOD : WEFT_VERDICT_NOT_APPLICABLE, NULL,
                        NULL, facts->total > 0 ? "All do" : "There are no origins");
}

/* ---- Waits ---- */

static gboolean
check_waits (WeftDiagnosis *self, const Facts *facts, GError **error)
{
  static const char *const question = "Is it known which threads waited for target work?";
  g_autoptr (WeftProducerIds) ids = weft_producer_ids_new ();
  g_autoptr (GArray) waits = NULL;
  guint64 half = 0;

  if (facts->roles[WEFT_ORIGIN_ROLE_WAIT_BEGIN] + facts->roles[WEFT_ORIGIN_ROLE_WAIT_END] == 0)
    {
      weft_diagnosis_add (self, "waits", question, WEFT_VERDICT_NOT_APPLICABLE, capture_advice,
                          NULL,
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
                        NULL, "%" G_GUINT64_FORMAT " of %u waits %s only a begin or only an end",
                        half, waits->len, weft_plural (half, "has", "have"));
  else
    weft_diagnosis_add (self, "waits", question, WEFT_VERDICT_GOOD, NULL, NULL,
                        "%u %s with begin and end", waits->len,
                        weft_plural (waits->len, "wait,", "waits, each"));
  return TRUE;
}

static gboolean
check_parallel (WeftDiagnosis *self, GError **error)
{
  static const char *const question = "Is target work only parallel, or proven synchronous?";
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_DISPATCHES);
  guint64 counts[WEFT_CLASSIFICATION_UNKNOWN + 1] = { 0 };
  guint64 total = weft_diagnosis_count (self, WEFT_TABLE_DISPATCHES);

  while (weft_row_cursor_next (rows))
    counts[MIN (weft_row_cursor_get (rows, WEFT_DISPATCHES_CLASSIFICATION),
                WEFT_CLASSIFICATION_UNKNOWN)]++;
  if (total == 0)
    weft_diagnosis_add (self, "parallelism", question, WEFT_VERDICT_NOT_APPLICABLE, NULL, NULL,
                        "There is no target work");
  else if (counts[WEFT_CLASSIFICATION_UNDECIDED] == total)
    weft_diagnosis_add (
        self, "parallelism", question, WEFT_VERDICT_NOT_APPLICABLE, NULL, NULL,
        "Not decided: target work counts as parallel unless a wait proves otherwise; "
        "“weft target dispatch” tells the waits for one");
  else
    weft_diagnosis_add (self, "parallelism", question, WEFT_VERDICT_GOOD, NULL, NULL,
                        "Dispatches proven synchronous: %" G_GUINT64_FORMAT
                        ", asynchronous: %" G_GUINT64_FORMAT ", not to be told: %" G_GUINT64_FORMAT,
                        counts[WEFT_CLASSIFICATION_SYNCHRONOUS],
                        counts[WEFT_CLASSIFICATION_ASYNCHRONOUS],
                        counts[WEFT_CLASSIFICATION_UNKNOWN]);
  return weft_row_cursor_finish (rows, error);
}

static void
check_parallel_threads (WeftDiagnosis *self, Facts *facts)
{
  static const char *const question =
      "Which threads have target work that is not CPU work of theirs?";
  guint64 count = facts->threads.count;

  if (count == 0)
    weft_diagnosis_add (self, "parallel-threads", question, WEFT_VERDICT_NOT_APPLICABLE, NULL, NULL,
                        "No thread is known to have queued target work");
  else
    weft_diagnosis_add (self, "parallel-threads", question, WEFT_VERDICT_GOOD, NULL,
                        &facts->threads,
                        "%" G_GUINT64_FORMAT " %s queued target work: %s. It ran on lanes: "
                        "parallel work, not CPU execution of %s",
                        count, weft_plural (count, "thread", "threads"),
                        weft_finding_objects_get_names (&facts->threads),
                        weft_plural (count, "this thread", "these threads"));
}

static gboolean
check_all (WeftDiagnosis *self, Facts *facts, GError **error)
{
  if (!weft_scope_find_span (self->scope, &facts->begin, &facts->end, error) ||
      !read_origins (self, facts, error))
    return FALSE;
  check_present (self, facts);
  check_threads (self, facts);
  check_times (self, facts);
  check_links (self, facts);
  check_stale (self, facts);
  check_parallel_threads (self, facts);
  return check_waits (self, facts, error) && check_parallel (self, error);
}

gboolean
weft_diagnose_origins (WeftDiagnosis *self, GError **error)
{
  Facts facts = { 0 };
  gboolean good;

  weft_finding_objects_init (&facts.strange);
  weft_finding_objects_init (&facts.other_process);
  weft_finding_objects_init (&facts.outside);
  weft_finding_objects_init (&facts.threads);
  facts.seen = g_hash_table_new (NULL, NULL);
  facts.tids = g_hash_table_new (NULL, NULL);
  for (guint i = 0; i < weft_catalog_get_n_threads (self->catalog); i++)
    g_hash_table_add (facts.tids,
                      GSIZE_TO_POINTER (weft_catalog_get_nth_thread (self->catalog, i)->tid));
  good = check_all (self, &facts, error);
  weft_finding_objects_clear (&facts.strange);
  weft_finding_objects_clear (&facts.other_process);
  weft_finding_objects_clear (&facts.outside);
  weft_finding_objects_clear (&facts.threads);
  g_hash_table_unref (facts.seen);
  g_hash_table_unref (facts.tids);
  return good;
}
