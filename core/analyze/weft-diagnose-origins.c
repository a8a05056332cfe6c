/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which CPU code queued target work and waited for it: is that known? */

#include <string.h>

#include "weft-analysis-scope.h"
#include "weft-cpu-hints.h"
#include "weft-diagnosis.h"
#include "weft-dispatch-rows.h"
#include "weft-origin-rows.h"
#include "weft-waits.h"

#define N_STATUSES (WEFT_LINK_STATUS_OUTSIDE_RUN + 1)

/* A thread that queued target work. */
typedef struct
{
  guint64 id;
  guint64 tid;
  gboolean waited; /* for some of it, provably */
} Queuer;

typedef struct
{
  guint64 roles[WEFT_ORIGIN_ROLE_FAULT + 1];
  guint64 states[N_STATUSES];
  WeftFindingObjects objects[N_STATUSES];
  guint64 total;
  guint64 with_stack;
  GArray *queuers;         /* element type Queuer */
  GHashTable *seen;        /* thread → its place there + 1 */
  GHashTable *tids;        /* of all threads */
  GByteArray *synchronous; /* a bit for each dispatch */
  GHashTable *synchronous_submissions;
  gint64 begin;
  gint64 end;
  WeftCpuHints cpu;
} Facts;

static const char *const capture_advice =
    "Capture an origin where work is queued, with weft_target_origin () or "
    "weft_target_origin_with_stack (), and where a thread waits for it (docs/producer-guide.md)";

/* ---- Which work is proven synchronous ---- */

static void
take_synchronous (Facts *facts, WeftRowCursor *dispatch)
{
  guint64 id = weft_row_cursor_get_number (dispatch);
  guint64 submission = weft_row_cursor_get (dispatch, WEFT_DISPATCHES_SUBMISSION);

  if (id / 8 >= G_MAXUINT32 / 2)
    return;
  if (id / 8 >= facts->synchronous->len)
    {
      guint before = facts->synchronous->len;

      g_byte_array_set_size (facts->synchronous, (guint) MAX (id / 8 + 1, 2 * (guint64) before));
      memset (facts->synchronous->data + before, 0, facts->synchronous->len - before);
    }
  facts->synchronous->data[id / 8] |= (guint8) (1 << (id % 8));
  if (submission != 0)
    g_hash_table_add (facts->synchronous_submissions, GSIZE_TO_POINTER (submission));
}

static gboolean
read_synchronous (WeftDiagnosis *self, Facts *facts, GError **error)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_DISPATCHES);

  weft_row_cursor_where (rows, WEFT_DISPATCHES_CLASSIFICATION, WEFT_CLASSIFICATION_SYNCHRONOUS);
  while (weft_row_cursor_next (rows))
    take_synchronous (facts, rows);
  return weft_row_cursor_finish (rows, error);
}

static gboolean
is_synchronous (const Facts *facts, guint64 dispatch, guint64 submission)
{
  if (dispatch != 0)
    return dispatch / 8 < facts->synchronous->len &&
           (facts->synchronous->data[dispatch / 8] >> (dispatch % 8) & 1);
  return g_hash_table_contains (facts->synchronous_submissions, GSIZE_TO_POINTER (submission));
}

/* ---- Origins ---- */

/* What recorders before the linker left open, as far as it can be told from the rows. */
static WeftLinkStatus
guess_status (const Facts *facts, WeftRowCursor *row)
{
  gint64 time = weft_row_cursor_get_signed (row, WEFT_ORIGINS_TIME);
  guint64 tid = weft_row_cursor_get (row, WEFT_ORIGINS_TID);

  if (time < facts->begin || time > facts->end)
    return WEFT_LINK_STATUS_OUTSIDE_RUN;
  if (weft_row_cursor_get (row, WEFT_ORIGINS_THREAD) != 0)
    return WEFT_LINK_STATUS_UNDECIDED;
  return g_hash_table_contains (facts->tids, GSIZE_TO_POINTER (tid))
             ? WEFT_LINK_STATUS_WRONG_PID
             : WEFT_LINK_STATUS_MISSING_THREAD;
}

/* What a person calls an origin of this status: by the thread that it names. */
static char *
name_origin (WeftDiagnosis *self, WeftRowCursor *row)
{
  guint64 thread = weft_row_cursor_get (row, WEFT_ORIGINS_THREAD);
  const WeftCatalogThread *found = weft_catalog_get_thread (self->catalog, (guint32) thread);

  if (found != NULL && found->name != NULL)
    return g_strdup (found->name);
  return g_strdup_printf ("%" G_GINT64_FORMAT, weft_row_cursor_get_signed (row, WEFT_ORIGINS_TID));
}

static void
take_queuer (Facts *facts, WeftRowCursor *row)
{
  Queuer queuer = { .id = weft_row_cursor_get (row, WEFT_ORIGINS_THREAD),
                    .tid = weft_row_cursor_get (row, WEFT_ORIGINS_TID) };
  guint place;

  if (queuer.id == 0 || weft_row_cursor_get (row, WEFT_ORIGINS_ROLE) != WEFT_ORIGIN_ROLE_DISPATCH)
    return;
  place = GPOINTER_TO_UINT (g_hash_table_lookup (facts->seen, GSIZE_TO_POINTER (queuer.id)));
  if (place == 0)
    {
      g_array_append_val (facts->queuers, queuer);
      place = facts->queuers->len;
      g_hash_table_insert (facts->seen, GSIZE_TO_POINTER (queuer.id), GUINT_TO_POINTER (place));
    }
  g_array_index (facts->queuers, Queuer, place - 1).waited |=
      is_synchronous (facts, weft_row_cursor_get (row, WEFT_ORIGINS_DISPATCH),
                      weft_row_cursor_get (row, WEFT_ORIGINS_SUBMISSION));
}

static void
take_origin (WeftDiagnosis *self, Facts *facts, WeftRowCursor *row)
{
  guint64 role = weft_row_cursor_get (row, WEFT_ORIGINS_ROLE);
  guint64 status = weft_row_cursor_get (row, WEFT_ORIGINS_LINK_STATUS);
  g_autofree char *name = NULL;

  facts->total++;
  facts->roles[MIN (role, G_N_ELEMENTS (facts->roles) - 1)]++;
  facts->states[MIN (status, N_STATUSES - 1)]++;
  facts->with_stack += weft_row_cursor_get (row, WEFT_ORIGINS_STACK) != 0;
  take_queuer (facts, row);
  if (status == WEFT_LINK_STATUS_UNDECIDED)
    status = guess_status (facts, row);
  if (status < WEFT_LINK_STATUS_MISSING_THREAD || status >= N_STATUSES)
    return;
  name = name_origin (self, row);
  weft_finding_objects_add (&facts->objects[status], "o", weft_row_cursor_get_number (row), name);
}

static gboolean
read_origins (WeftDiagnosis *self, Facts *facts, GError **error)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_ORIGINS);

  while (weft_row_cursor_next (rows))
    take_origin (self, facts, rows);
  return weft_row_cursor_finish (rows, error);
}

/* ---- Findings ---- */

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

  for (guint i = WEFT_LINK_STATUS_MISSING_THREAD; i < N_STATUSES; i++)
    if (facts->states[i] > 0)
      g_string_append_printf (reasons, "; %" G_GUINT64_FORMAT ": %s", facts->states[i],
                              weft_link_status_explain ((WeftLinkStatus) i));
  if (undecided > 0)
    g_string_append_printf (reasons, "; not decided yet: %" G_GUINT64_FORMAT, undecided);
  if (facts->total == 0)
    weft_diagnosis_add (self, "origin-links", question, WEFT_VERDICT_NOT_APPLICABLE, NULL, NULL,
                        "There are no origins");
  else if (undecided == facts->total)
    weft_diagnosis_add (
        self, "origin-links", question, WEFT_VERDICT_NOT_APPLICABLE,
        "Record anew: an origin is linked exactly where its stack was copied, or to "
        "the nearest CPU sample of its thread",
        NULL,
        "Not decided for any of %" G_GUINT64_FORMAT
        " %s: the recording is young, or was made by a recorder that does not link",
        facts->total, weft_plural (facts->total, "origin", "origins"));
  else if (linked == 0)
    weft_diagnosis_add (
        self, "origin-links", question,
        /* That a thread was not sampled is no fault of its origins. */
        facts->states[WEFT_LINK_STATUS_NO_STACK] == facts->total ? WEFT_VERDICT_ATTENTION
                                                                 : WEFT_VERDICT_PROBLEM,
        "Look at the findings about origins below; weft_target_origin_with_stack () "
        "links without any CPU sample",
        NULL, "There are lanes, but none of %" G_GUINT64_FORMAT " %s linked%s", facts->total,
        weft_plural (facts->total, "origin is", "origins are"), reasons->str);
  else
    weft_diagnosis_add (self, "origin-links", question,
                        reasons->len > 0 ? WEFT_VERDICT_ATTENTION : WEFT_VERDICT_GOOD,
                        reasons->len > 0 ? "“weft target origins” lists each with its reason"
                                         : NULL,
                        NULL, "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " %s linked%s", linked,
                        facts->total, weft_plural (linked, "is", "are"), reasons->str);
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
      WeftFindingObjects *objects = &facts->objects[fault->status];

      if (objects->count > 0)
        weft_diagnosis_add (self, fault->check, fault->question, WEFT_VERDICT_ATTENTION,
                            fault->advice, objects, "%" G_GUINT64_FORMAT " %s: %s", objects->count,
                            weft_plural (objects->count, fault->one, fault->many),
                            weft_finding_objects_get_names (objects));
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

  if (facts->objects[WEFT_LINK_STATUS_WRONG_PID].count +
          facts->objects[WEFT_LINK_STATUS_SYNTHETIC_TID].count +
          facts->objects[WEFT_LINK_STATUS_MISSING_THREAD].count ==
      0)
    add_good (self, facts, "origin-threads",
              "Do origins name threads of the program that reported them?", "All do");
  if (facts->objects[WEFT_LINK_STATUS_OUTSIDE_RUN].count == 0)
    add_good (self, facts, "origin-times", "Do origins lie within the recording?", "All do");
  if (facts->objects[WEFT_LINK_STATUS_STALE].count > 0)
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
  WeftFindingObjects *objects = &facts->objects[WEFT_LINK_STATUS_NO_STACK];
  g_autofree char *why = NULL;

  if (objects->count == 0)
    return;
  if (facts->cpu.n_samples > 0)
    {
      weft_diagnosis_add (
          self, "origin-stacks", question, WEFT_VERDICT_ATTENTION,
          "Copy the stack where the work is queued, with "
          "weft_target_origin_with_stack (): a thread that hardly runs is hardly "
          "ever sampled",
          objects, "%" G_GUINT64_FORMAT " %s without any CPU sample: %s", objects->count,
          weft_plural (objects->count, "origin is of a thread", "origins are of threads"),
          weft_finding_objects_get_names (objects));
      return;
    }
  why = weft_cpu_hints_explain_no_samples (&facts->cpu);
  weft_diagnosis_add (self, "origin-stacks", question, WEFT_VERDICT_NOT_APPLICABLE,
                      "Record CPU samples beside the target work, or copy stacks with "
                      "weft_target_origin_with_stack ()",
                      NULL, "%" G_GUINT64_FORMAT " %s no stack. %s", objects->count,
                      weft_plural (objects->count, "origin has", "origins have"), why);
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
  guint64 reasons[WEFT_CLASSIFICATION_REASON_HALF_WAIT + 1] = { 0 };
  guint64 total = weft_diagnosis_count (self, WEFT_TABLE_DISPATCHES);
  g_autoptr (GString) unknown = g_string_new (NULL);

  while (weft_row_cursor_next (rows))
    {
      guint64 class = weft_row_cursor_get (rows, WEFT_DISPATCHES_CLASSIFICATION);
      guint64 reason = weft_row_cursor_get (rows, WEFT_DISPATCHES_CLASSIFICATION_REASON);

      counts[MIN (class, WEFT_CLASSIFICATION_UNKNOWN)]++;
      if (class == WEFT_CLASSIFICATION_UNKNOWN && reason < G_N_ELEMENTS (reasons))
        reasons[reason]++;
    }
  for (guint i = 0; i < G_N_ELEMENTS (reasons); i++)
    if (reasons[i] > 0)
      g_string_append_printf (unknown, "; %" G_GUINT64_FORMAT ": %s", reasons[i],
                              weft_classification_reason_explain ((WeftClassificationReason) i));
  if (total == 0)
    weft_diagnosis_add (self, "parallelism", question, WEFT_VERDICT_NOT_APPLICABLE, NULL, NULL,
                        "There is no target work");
  else if (counts[WEFT_CLASSIFICATION_UNDECIDED] == total)
    weft_diagnosis_add (
        self, "parallelism", question, WEFT_VERDICT_NOT_APPLICABLE, NULL, NULL,
        "Not decided: target work counts as parallel unless a wait proves otherwise; "
        "“weft target dispatch” tells the waits for one");
  else
    weft_diagnosis_add (
        self, "parallelism", question, WEFT_VERDICT_GOOD, NULL, NULL,
        "Dispatches proven synchronous: %" G_GUINT64_FORMAT ", asynchronous: %" G_GUINT64_FORMAT
        ", not to be told: %" G_GUINT64_FORMAT "%s",
        counts[WEFT_CLASSIFICATION_SYNCHRONOUS], counts[WEFT_CLASSIFICATION_ASYNCHRONOUS],
        counts[WEFT_CLASSIFICATION_UNKNOWN], unknown->str);
  return weft_row_cursor_finish (rows, error);
}

/* Threads of a pool have one name. */
static void
add_queuer (WeftDiagnosis *self, const Queuer *queuer, WeftFindingObjects *objects)
{
  const WeftCatalogThread *found = weft_catalog_get_thread (self->catalog, (guint32) queuer->id);
  g_autofree char *name = g_strdup_printf (
      "%s (%" G_GUINT64_FORMAT ")", found && found->name ? found->name : "(no name)", queuer->tid);

  weft_finding_objects_add (objects, "t", queuer->id, name);
}

static void
check_parallel_threads (WeftDiagnosis *self, Facts *facts)
{
  static const char *const question =
      "Which threads have target work that is not CPU work of theirs?";
  g_auto (WeftFindingObjects) parallel = { 0 };
  g_auto (WeftFindingObjects) waiting = { 0 };

  weft_finding_objects_init (&parallel);
  weft_finding_objects_init (&waiting);
  for (guint i = 0; i < facts->queuers->len; i++)
    {
      const Queuer *queuer = &g_array_index (facts->queuers, Queuer, i);

      add_queuer (self, queuer, queuer->waited ? &waiting : &parallel);
    }
  if (parallel.count > 0)
    weft_diagnosis_add (self, "parallel-threads", question, WEFT_VERDICT_GOOD, NULL, &parallel,
                        "%" G_GUINT64_FORMAT " %s queued target work: %s. It ran on lanes: "
                        "parallel work, not CPU execution of %s",
                        parallel.count, weft_plural (parallel.count, "thread", "threads"),
                        weft_finding_objects_get_names (&parallel),
                        weft_plural (parallel.count, "this thread", "these threads"));
  if (waiting.count > 0)
    weft_diagnosis_add (
        self, "waiting-threads", "Which threads provably waited for target work of theirs?",
        WEFT_VERDICT_GOOD, NULL, &waiting,
        "%" G_GUINT64_FORMAT " %s for work that %s: %s. That work is "
        "synchronous: “weft target dispatches” tells which",
        waiting.count, weft_plural (waiting.count, "thread waited", "threads waited"),
        weft_plural (waiting.count, "it queued", "they queued"),
        weft_finding_objects_get_names (&waiting));
  if (facts->queuers->len == 0)
    weft_diagnosis_add (self, "parallel-threads", question, WEFT_VERDICT_NOT_APPLICABLE, NULL, NULL,
                        "No thread is known to have queued target work");
}

static gboolean
check_all (WeftDiagnosis *self, Facts *facts, GError **error)
{
  if (!weft_scope_find_span (self->scope, &facts->begin, &facts->end, error) ||
      !weft_cpu_hints_read (&facts->cpu, self->scope, error) ||
      !read_synchronous (self, facts, error) || !read_origins (self, facts, error))
    return FALSE;
  check_present (self, facts);
  check_links (self, facts);
  check_faults (self, facts);
  check_stacks (self, facts);
  check_faultless (self, facts);
  check_parallel_threads (self, facts);
  return check_waits (self, facts, error) && check_parallel (self, error);
}

gboolean
weft_diagnose_origins (WeftDiagnosis *self, GError **error)
{
  Facts facts = { 0 };
  gboolean good;

  for (guint i = 0; i < N_STATUSES; i++)
    weft_finding_objects_init (&facts.objects[i]);
  facts.queuers = g_array_new (FALSE, FALSE, sizeof (Queuer));
  facts.seen = g_hash_table_new (NULL, NULL);
  facts.tids = g_hash_table_new (NULL, NULL);
  facts.synchronous = g_byte_array_new ();
  facts.synchronous_submissions = g_hash_table_new (NULL, NULL);
  for (guint i = 0; i < weft_catalog_get_n_threads (self->catalog); i++)
    g_hash_table_add (facts.tids,
                      GSIZE_TO_POINTER (weft_catalog_get_nth_thread (self->catalog, i)->tid));
  good = check_all (self, &facts, error);
  for (guint i = 0; i < N_STATUSES; i++)
    weft_finding_objects_clear (&facts.objects[i]);
  g_array_unref (facts.queuers);
  g_hash_table_unref (facts.seen);
  g_hash_table_unref (facts.tids);
  g_byte_array_unref (facts.synchronous);
  g_hash_table_unref (facts.synchronous_submissions);
  return good;
}
