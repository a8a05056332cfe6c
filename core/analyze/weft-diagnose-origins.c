/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which CPU code queued target work: is that known, and if not, why? */

#include "weft-analysis-scope.h"
#include "weft-cpu-hints.h"
#include "weft-diagnosis.h"
#include "weft-origin-rows.h"
#include "weft-row-scan.h"

#define N_STATUSES (WEFT_LINK_STATUS_OUTSIDE_RUN + 1)

/* Origins that queued or waited are linked to say which code did; those that heard of the end
 * tell who heard and when, and need no stack for it.
 */
typedef struct
{
  guint64 roles[WEFT_ORIGIN_ROLE_FAULT + 1];
  guint64 states[N_STATUSES];
  WeftSubjects *subjects[N_STATUSES];
  guint64 heard; /* of those that heard, the ones without a sample near enough */
  guint64 total;
  guint64 with_stack;
  GHashTable *tids; /* of all threads */
  gint64 begin;
  gint64 end;
  WeftCpuHints cpu;
} Facts;

static const char *const capture_advice =
    "Capture an origin where work is queued, with weft_target_origin () or "
    "weft_target_origin_with_stack (), and where a thread waits for it (docs/producer-guide.md)";

/* ---- Origins ---- */

enum
{
  ROLE,
  STATUS,
  TIME,
  THREAD,
  TID,
  STACK,
  N_ORIGIN_COLUMNS
};

static const WeftColumnNumber origin_columns[N_ORIGIN_COLUMNS] = {
  WEFT_ORIGINS_ROLE,   WEFT_ORIGINS_LINK_STATUS, WEFT_ORIGINS_TIME,
  WEFT_ORIGINS_THREAD, WEFT_ORIGINS_TID,         WEFT_ORIGINS_STACK,
};

/* What recorders before the linker left open, as far as it can be told from the rows. */
static WeftLinkStatus
guess_status (const Facts *facts, const guint64 *origin)
{
  gint64 time = (gint64) origin[TIME];

  if (time < facts->begin || time > facts->end)
    return WEFT_LINK_STATUS_OUTSIDE_RUN;
  if (origin[THREAD] != 0)
    return WEFT_LINK_STATUS_UNDECIDED;
  return g_hash_table_contains (facts->tids, GSIZE_TO_POINTER (origin[TID]))
             ? WEFT_LINK_STATUS_WRONG_PID
             : WEFT_LINK_STATUS_MISSING_THREAD;
}

static gboolean
is_unsampled (guint64 status)
{
  return status == WEFT_LINK_STATUS_NO_STACK || status == WEFT_LINK_STATUS_TOO_FAR;
}

typedef struct
{
  WeftDiagnosis *diagnosis;
  Facts *facts;
} Reading;

static void
take_origin (guint64 number, const guint64 *origin, guint32 present, gpointer data)
{
  Reading *reading = data;
  Facts *facts = reading->facts;
  guint64 role = MIN (origin[ROLE], WEFT_ORIGIN_ROLE_FAULT);
  guint64 status = MIN (origin[STATUS], N_STATUSES - 1);
  const WeftCatalogThread *thread;
  char tid[24];

  facts->total++;
  facts->roles[role]++;
  facts->with_stack += origin[STACK] != 0;
  if (is_unsampled (status) && role >= WEFT_ORIGIN_ROLE_COMPLETION)
    {
      facts->heard++;
      return;
    }
  facts->states[status]++;
  if (status == WEFT_LINK_STATUS_UNDECIDED)
    status = guess_status (facts, origin);
  if (status < WEFT_LINK_STATUS_MISSING_THREAD)
    return;
  thread = weft_catalog_get_thread (reading->diagnosis->catalog, (guint32) origin[THREAD]);
  g_snprintf (tid, sizeof tid, "%" G_GINT64_FORMAT, (gint64) origin[TID]);
  weft_subjects_add (facts->subjects[status], "o", number,
                     thread != NULL && thread->name != NULL ? thread->name : tid);
}

static gboolean
read_origins (WeftDiagnosis *self, Facts *facts, GError **error)
{
  Reading reading = { self, facts };

  return weft_scan_rows (self->scope->store, WEFT_TABLE_ORIGINS, origin_columns, N_ORIGIN_COLUMNS,
                         take_origin, &reading, self->scope->cancellable, error);
}

/* ---- Findings ---- */

/* Dispatches on lanes that somebody else hands work to, and the kinds of the others. */
static guint64
count_queued (WeftDiagnosis *self, WeftSubjects *driven)
{
  guint64 queued = 0;

  for (guint i = 0; i < weft_table_get_n_rows (self->work); i++)
    {
      guint32 lane = (guint32) weft_table_get_uint64 (self->work, 0, i);
      const char *kind = weft_catalog_get_lane_kind (self->catalog, lane);

      if (kind != NULL && weft_vocabulary_is_self_driven (self->words, kind))
        weft_subjects_add (driven, "l", lane, weft_vocabulary_get_label (self->words, kind));
      else
        queued += weft_table_get_uint64 (self->work, 2, i);
    }
  return queued;
}

static void
check_present (WeftDiagnosis *self, const Facts *facts)
{
  static const char *const question = "Is it known which threads queued target work?";
  g_autoptr (WeftSubjects) driven = weft_subjects_new ();
  guint64 dispatches = count_queued (self, driven);
  guint64 queued = facts->roles[WEFT_ORIGIN_ROLE_DISPATCH];

  if (queued > 0)
    weft_diagnosis_add (self, "origins", question, WEFT_VERDICT_GOOD, NULL, NULL,
                        "%" G_GUINT64_FORMAT " %s where work was queued; %" G_GUINT64_FORMAT
                        " of all %" G_GUINT64_FORMAT " %s a stack",
                        queued, weft_plural (queued, "origin tells", "origins tell"),
                        facts->with_stack, facts->total,
                        weft_plural (facts->with_stack, "holds", "hold"));
  else if (dispatches > 0)
    weft_diagnosis_add (self, "origins", question, WEFT_VERDICT_ATTENTION, capture_advice, NULL,
                        "No dispatch of %" G_GUINT64_FORMAT " tells what queued it", dispatches);
  else if (weft_subjects_get_count (driven) > 0)
    weft_diagnosis_add (self, "origins", question, WEFT_VERDICT_NOT_APPLICABLE, NULL, driven,
                        "Nobody queues it: such lanes drive themselves (%s)",
                        weft_subjects_get_names (driven));
  else
    weft_diagnosis_add (self, "origins", question, WEFT_VERDICT_NOT_APPLICABLE, NULL, NULL,
                        "There is no target work");
}

/* Linking works where it does for most: what is wrong with the others are findings of their own. */
static void
check_links (WeftDiagnosis *self, const Facts *facts)
{
  static const char *const question = "Are origins linked to CPU stacks?";
  guint64 undecided = facts->states[WEFT_LINK_STATUS_UNDECIDED];
  guint64 linked =
      facts->states[WEFT_LINK_STATUS_LINKED_EXACT] + facts->states[WEFT_LINK_STATUS_LINKED];
  guint64 total = facts->total - facts->heard;
  g_autoptr (GString) reasons = g_string_new (NULL);

  for (guint i = WEFT_LINK_STATUS_MISSING_THREAD; i < N_STATUSES; i++)
    if (facts->states[i] > 0)
      g_string_append_printf (reasons, "; %" G_GUINT64_FORMAT ": %s", facts->states[i],
                              weft_link_status_explain ((WeftLinkStatus) i));
  if (undecided > 0)
    g_string_append_printf (reasons, "; not decided yet: %" G_GUINT64_FORMAT, undecided);
  if (total == 0)
    weft_diagnosis_add (self, "origin-links", question, WEFT_VERDICT_NOT_APPLICABLE, NULL, NULL,
                        facts->heard > 0 ? "There are only origins that heard of an end"
                                         : "There are no origins");
  else if (undecided == total)
    weft_diagnosis_add (
        self, "origin-links", question, WEFT_VERDICT_NOT_APPLICABLE,
        "Record anew: an origin is linked exactly where its stack was copied, or to "
        "the nearest CPU sample of its thread",
        NULL,
        "Not decided for any of %" G_GUINT64_FORMAT
        " %s: the recording is young, or was made by a recorder that does not link",
        total, weft_plural (total, "origin", "origins"));
  else if (linked == 0)
    weft_diagnosis_add (
        self, "origin-links", question,
        /* That a thread was not sampled is no fault of its origins. */
        facts->states[WEFT_LINK_STATUS_NO_STACK] == total ? WEFT_VERDICT_ATTENTION
                                                          : WEFT_VERDICT_PROBLEM,
        "Look at the findings about origins below; weft_target_origin_with_stack () "
        "links without any CPU sample",
        NULL, "There are lanes, but none of %" G_GUINT64_FORMAT " %s linked%s", total,
        weft_plural (total, "origin is", "origins are"), reasons->str);
  else
    weft_diagnosis_add (self, "origin-links", question,
                        2 * linked < total ? WEFT_VERDICT_ATTENTION : WEFT_VERDICT_GOOD,
                        2 * linked < total ? "“weft target origins” lists each with its reason"
                                           : NULL,
                        NULL, "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " %s linked%s", linked,
                        total, weft_plural (linked, "is", "are"), reasons->str);
}

/* What is wrong with origins of one status. */
typedef struct
{
  WeftLinkStatus status;
  const char *check;
  const char *question;
  const char *one; /* what one is; behind its number */
  const char *many;
  const char *advice;
} Fault;

static const Fault faults[] = {
  { WEFT_LINK_STATUS_WRONG_PID, "origin-processes",
    "Do origins name threads of the program that reported them?",
    "origin names a thread of another process", "origins name threads of another process",
    "Capture origins in the process that reports them; thread numbers of another process mean "
    "nothing there" },
  { WEFT_LINK_STATUS_SYNTHETIC_TID, "origin-numbers",
    "Do origins name threads of the program that reported them?",
    "origin has a number that no thread can have", "origins have numbers that no thread can have",
    "Give the number that weft_target_origin () captured, never one that the program made up: such "
    "an origin is linked to nothing" },
  { WEFT_LINK_STATUS_MISSING_THREAD, "origin-threads",
    "Do origins name threads of the program that reported them?",
    "origin names a thread that nobody saw", "origins name threads that nobody saw",
    "Give the number that weft_target_origin () captured, while its thread lives" },
  { WEFT_LINK_STATUS_OUTSIDE_RUN, "origin-times", "Do origins lie within the recording?",
    "origin is from before the recording's begin or after its end, and was kept as told",
    "origins are from before the recording's begin or after its end, and were kept as told",
    "Capture each origin anew, with the clock of weft_target_now ()" },
  { WEFT_LINK_STATUS_STALE, "stale-origins", "Are origins recent enough for what they explain?",
    "origin is stale: more than 250 ms older than what it is about",
    "origins are stale: more than 250 ms older than what they are about",
    "Capture the origin where the work is queued, not once when it is set up; where work waits in "
    "a queue for long, tell when it was submitted" },
  { WEFT_LINK_STATUS_TOO_FAR, "origin-samples", "Are CPU samples near enough to origins?",
    "origin is of a thread that has no CPU sample near enough",
    "origins are of threads that have no CPU sample near enough",
    "Copy the stack where the work is queued, with weft_target_origin_with_stack (); or sample "
    "more "
    "often; or allow a larger distance with “weft record --link-tolerance”" },
};

static void
check_faults (WeftDiagnosis *self, Facts *facts)
{
  for (guint i = 0; i < G_N_ELEMENTS (faults); i++)
    {
      const Fault *fault = &faults[i];
      WeftSubjects *subjects = facts->subjects[fault->status];
      guint64 n = weft_subjects_get_count (subjects);

      if (n > 0)
        weft_diagnosis_add (self, fault->check, fault->question, WEFT_VERDICT_ATTENTION,
                            fault->advice, subjects, "%" G_GUINT64_FORMAT " %s: %s", n,
                            weft_plural (n, fault->one, fault->many),
                            weft_subjects_get_names (subjects));
    }
}

static void
add_good (WeftDiagnosis *self, const Facts *facts, const char *check, const char *question,
          const char *evidence)
{
  weft_diagnosis_add (self, check, question,
                      facts->total > 0 ? WEFT_VERDICT_GOOD : WEFT_VERDICT_NOT_APPLICABLE, NULL,
                      NULL, "%s", facts->total > 0 ? evidence : "There are no origins");
}

/* Questions that no fault answers. */
static void
check_faultless (WeftDiagnosis *self, const Facts *facts)
{
  gboolean decided = facts->states[WEFT_LINK_STATUS_UNDECIDED] < facts->total;

  if (weft_subjects_get_count (facts->subjects[WEFT_LINK_STATUS_WRONG_PID]) +
          weft_subjects_get_count (facts->subjects[WEFT_LINK_STATUS_SYNTHETIC_TID]) +
          weft_subjects_get_count (facts->subjects[WEFT_LINK_STATUS_MISSING_THREAD]) ==
      0)
    add_good (self, facts, "origin-threads",
              "Do origins name threads of the program that reported them?", "All do");
  if (weft_subjects_get_count (facts->subjects[WEFT_LINK_STATUS_OUTSIDE_RUN]) == 0)
    add_good (self, facts, "origin-times", "Do origins lie within the recording?", "All do");
  if (weft_subjects_get_count (facts->subjects[WEFT_LINK_STATUS_STALE]) > 0)
    return;
  if (decided || facts->total == 0)
    add_good (self, facts, "stale-origins", "Are origins recent enough for what they explain?",
              "No origin is stale");
  else
    weft_diagnosis_add (self, "stale-origins", "Are origins recent enough for what they explain?",
                        WEFT_VERDICT_NOT_APPLICABLE, NULL, NULL, "Not decided");
}

/* Without any sample it is no fault of the origins. */
static void
check_stacks (WeftDiagnosis *self, Facts *facts)
{
  static const char *const question = "Have threads that origins name CPU samples?";
  WeftSubjects *subjects = facts->subjects[WEFT_LINK_STATUS_NO_STACK];
  guint64 n = weft_subjects_get_count (subjects);
  g_autofree char *why = NULL;

  if (n == 0)
    return;
  if (facts->cpu.n_samples > 0)
    {
      weft_diagnosis_add (
          self, "origin-stacks", question, WEFT_VERDICT_ATTENTION,
          "Copy the stack where the work is queued or waited for, with "
          "weft_target_origin_with_stack (): a thread that hardly runs is hardly ever sampled",
          subjects, "%" G_GUINT64_FORMAT " %s without any CPU sample: %s", n,
          weft_plural (n, "origin is of a thread", "origins are of threads"),
          weft_subjects_get_names (subjects));
      return;
    }
  why = weft_cpu_hints_explain_no_samples (&facts->cpu);
  weft_diagnosis_add (self, "origin-stacks", question, WEFT_VERDICT_NOT_APPLICABLE,
                      "Record CPU samples beside the target work, or copy stacks with "
                      "weft_target_origin_with_stack ()",
                      NULL, "%" G_GUINT64_FORMAT " %s no stack. %s", n,
                      weft_plural (n, "origin has", "origins have"), why);
}

static void
check_heard (WeftDiagnosis *self, const Facts *facts)
{
  if (facts->heard == 0)
    return;
  weft_diagnosis_add (self, "completion-stacks", "Is it known which code heard of ends?",
                      WEFT_VERDICT_NOT_APPLICABLE, NULL, NULL,
                      "Of %" G_GUINT64_FORMAT " %s thread and time are known, and no stack. "
                      "Nothing rests on it: who queued and who waited is told by other origins",
                      facts->heard,
                      weft_plural (facts->heard, "origin that heard of a completion or fault,",
                                   "origins that heard of completions or faults,"));
}

static gboolean
check_all (WeftDiagnosis *self, Facts *facts, GError **error)
{
  if (!weft_scope_find_span (self->scope, &facts->begin, &facts->end, error) ||
      !weft_cpu_hints_read (&facts->cpu, self->scope, error) || !read_origins (self, facts, error))
    return FALSE;
  check_present (self, facts);
  check_links (self, facts);
  check_faults (self, facts);
  check_stacks (self, facts);
  check_heard (self, facts);
  check_faultless (self, facts);
  return TRUE;
}

gboolean
weft_diagnose_origins (WeftDiagnosis *self, GError **error)
{
  Facts facts = { 0 };
  gboolean good;

  for (guint i = 0; i < N_STATUSES; i++)
    facts.subjects[i] = weft_subjects_new ();
  facts.tids = g_hash_table_new (NULL, NULL);
  for (guint i = 0; i < weft_catalog_get_n_threads (self->catalog); i++)
    g_hash_table_add (facts.tids,
                      GSIZE_TO_POINTER (weft_catalog_get_nth_thread (self->catalog, i)->tid));
  good = check_all (self, &facts, error);
  for (guint i = 0; i < N_STATUSES; i++)
    g_object_unref (facts.subjects[i]);
  g_hash_table_unref (facts.tids);
  return good;
}
