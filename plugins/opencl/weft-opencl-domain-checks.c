/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is well and what is not with OpenCL in a recording. */

#include "weft-opencl-domain.h"

#include <string.h>

#define QUEUES "kind:opencl.queue"
#define BUILDS                                                                                     \
  "kind:opencl.compiler routine:clBuildProgram,clCompileProgram,clLinkProgram,"                    \
  "clCreateProgramWithBinary"
/* Commands that are compared with those before them; of more, none are: it would take too long. */
#define MAX_COMPARED 100000
/* Shares of the time recorded from which on it is worth a look, in per cent. */
#define MUCH_BLOCKED 10
#define MUCH_SERIAL 5
#define MUCH_BUILDING 20
/* Errors of the clock beyond which short commands cannot be placed. */
#define FAR_OFF_NS 100000

typedef struct
{
  WeftRecording *recording;
  GCancellable *cancellable;
  GListStore *findings;
  GError *error; /* the first */
  guint64 n_queues;
  guint64 n_commands;
  double elapsed; /* ns */
} Checks;

/* ---- Asking and telling ---- */

/* Columns are GROUPS, with commas between, if there are any, then SELECTS, NULL-terminated; in the
 * order of ORDER. NULL once something failed.
 */
static WeftTable *
ask (Checks *self, const char *table, const char *filter, const char *groups, const char *order,
     const char *const *selects)
{
  g_autoptr (WeftQuery) query = NULL;
  g_auto (GStrv) keys = g_strsplit (groups ? groups : "", ",", -1);
  gboolean descending = order != NULL && *order == '-';

  if (self->error != NULL)
    return NULL;
  query = weft_query_new (table, &self->error);
  if (query == NULL || (filter && !weft_query_set_filter_text (query, filter, &self->error)))
    return NULL;
  for (guint i = 0; keys[i] != NULL; i++)
    if (!weft_query_group_by (query, keys[i], NULL, &self->error))
      return NULL;
  for (guint i = 0; selects[i] != NULL; i++)
    if (!weft_query_select (query, selects[i], NULL, &self->error))
      return NULL;
  if (order && !weft_query_order_by (query, order + descending, descending, &self->error))
    return NULL;
  return weft_query_run (query, self->recording, self->cancellable, &self->error);
}

#define ASK(self, table, filter, group, order, ...)                                                \
  ask (self, table, filter, group, order, (const char *const[]){ __VA_ARGS__, NULL })

/* One number, of the first row; 0 if there is none. */
static double
ask_number (Checks *self, const char *table, const char *filter, const char *select)
{
  g_autoptr (WeftTable) answer = ASK (self, table, filter, NULL, NULL, select);

  return answer == NULL || weft_table_get_n_rows (answer) == 0 || weft_table_is_null (answer, 0, 0)
             ? 0
             : weft_table_get_double (answer, 0, 0);
}

static void add (Checks *self, const char *check, const char *question, WeftVerdict verdict,
                 GStrv handles, const char *advice, const char *format, ...) G_GNUC_PRINTF (7, 8);

/* ADVICE is left out where all is well. */
static void
add (Checks *self, const char *check, const char *question, WeftVerdict verdict, GStrv handles,
     const char *advice, const char *format, ...)
{
  g_autofree char *evidence = NULL;
  g_autoptr (WeftFinding) finding = NULL;
  va_list arguments;

  if (self->error != NULL)
    return;
  va_start (arguments, format);
  evidence = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  finding = weft_finding_new (check, question, verdict, evidence,
                              verdict == WEFT_VERDICT_GOOD ? NULL : advice,
                              (const char *const *) handles);
  g_list_store_append (self->findings, finding);
}

/* "read 3, write 2": the first rows of a table of names and counts. */
static char *
list_counts (WeftTable *table, guint name, guint count)
{
  guint n = weft_table_get_n_rows (table);
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < MIN (n, 5); i++)
    {
      const char *word = weft_table_get_string (table, name, i);

      g_string_append_printf (text, "%s%s %" G_GUINT64_FORMAT, i > 0 ? ", " : "",
                              word ? word : "(no name)", weft_table_get_uint64 (table, count, i));
    }
  if (n > 5)
    g_string_append_printf (text, " and %u more", n - 5);
  return g_string_free (text, FALSE);
}

static GStrv
list_handles (WeftTable *table, guint column)
{
  g_autoptr (GStrvBuilder) handles = g_strv_builder_new ();

  for (guint i = 0; i < MIN (weft_table_get_n_rows (table), 10); i++)
    {
      g_autofree char *handle = weft_table_get_handle (table, column, i);

      if (handle != NULL)
        g_strv_builder_add (handles, handle);
    }
  return g_strv_builder_end (handles);
}

static double
in_ms (double nanoseconds)
{
  return nanoseconds / 1e6;
}

/* ---- Does it arrive? ---- */

static void
check_queues (Checks *self)
{
  static const char *const question = "Does the program's OpenCL arrive in the recording?";
  double others = ask_number (self, "lanes", "kind:opencl.*", "count");

  self->n_queues = (guint64) ask_number (self, "lanes", QUEUES, "count");
  self->n_commands = (guint64) ask_number (self, "dispatches", QUEUES, "count");
  if (self->n_queues > 0 && self->n_commands > 0)
    add (self, "opencl.queues", question, WEFT_VERDICT_GOOD, NULL, NULL,
         "%" G_GUINT64_FORMAT " commands on %" G_GUINT64_FORMAT " command %s", self->n_commands,
         self->n_queues, self->n_queues == 1 ? "queue" : "queues");
  else if (self->n_queues > 0)
    add (self, "opencl.queues", question, WEFT_VERDICT_ATTENTION, NULL,
         "See below whether commands were refused, failed or never ended",
         "Command queues were made (%" G_GUINT64_FORMAT "), and no command on them ended",
         self->n_queues);
  else if (others > 0)
    add (self, "opencl.queues", question, WEFT_VERDICT_ATTENTION, NULL,
         "A program that looks at devices or builds programs makes no queue; one whose queues are "
         "missing made them before the recording began, or in a process that was not started by it",
         "The layer was there, but no command queue was made");
  else
    add (self, "opencl.queues", question, WEFT_VERDICT_NOT_APPLICABLE, NULL,
         "If it should have: it must load libOpenCL of a loader that knows layers (ocl-icd 2.3, or "
         "Khronos' loader), find a platform (“clinfo -l” lists them), and not run set-uid",
         "No call of OpenCL was seen: the program made none, or its loader knows no layers");
}

/* The sum of a column of an answer; 0 where it has none. */
static guint64
sum_column (WeftTable *table, const char *name)
{
  int column = weft_table_find_column (table, name);
  guint64 sum = 0;

  for (guint i = 0; column >= 0 && i < weft_table_get_n_rows (table); i++)
    if (!weft_table_is_null (table, (guint) column, i))
      sum += weft_table_get_uint64 (table, (guint) column, i);
  return sum;
}

static void
check_pending (Checks *self)
{
  static const char *const question = "Is the end of every command known?";
  g_autoptr (WeftAnalysis) analysis = NULL;
  g_autoptr (WeftReport) report = NULL;
  guint64 pending, lost;

  if (self->error != NULL || self->n_queues == 0)
    return;
  analysis = weft_analysis_new (self->recording, "target-lanes", &self->error);
  if (analysis == NULL || !weft_analysis_set_filter (analysis, "kind:opencl.*", &self->error))
    return;
  report = weft_analysis_run (analysis, self->cancellable, &self->error);
  if (report == NULL)
    return;
  pending = sum_column (weft_report_get_main_table (report), "pending");
  lost = sum_column (weft_report_get_main_table (report), "lost");
  if (pending == 0 && lost == 0)
    add (self, "opencl.pending", question, WEFT_VERDICT_GOOD, NULL, NULL,
         "All that was queued is there with its end");
  else
    add (self, "opencl.pending", question, WEFT_VERDICT_ATTENTION, NULL,
         "Ends are looked for when the program waits, queues more, or ends in order. What is "
         "pending then: it ended by force or at once (_exit ()), or the command never ends",
         "Of %" G_GUINT64_FORMAT " commands and builds nobody saw the end, and %" G_GUINT64_FORMAT
         " were lost on the way: “weft target lanes” tells where",
         pending, lost);
}

/* ---- Times ---- */

static void
check_profiling (Checks *self)
{
  static const char *const question = "Does the device tell times?";
  g_autoptr (WeftTable) refused =
      ASK (self, "lanes", QUEUES " tag:profiling=refused*", NULL, NULL, "id", "tag:device");
  g_auto (GStrv) handles = refused ? list_handles (refused, 0) : NULL;

  if (refused == NULL || self->n_queues == 0)
    return;
  if (weft_table_get_n_rows (refused) == 0)
    add (self, "opencl.profiling", question, WEFT_VERDICT_GOOD, NULL, NULL,
         "Of every queue; asked for by the recording where the program did not");
  else
    add (self, "opencl.profiling", question, WEFT_VERDICT_PROBLEM, handles,
         "The implementation refuses CL_QUEUE_PROFILING_ENABLE: when commands ended is known only "
         "as closely as somebody looked",
         "Of %u queues it does not", weft_table_get_n_rows (refused));
}

static void
check_clock (Checks *self)
{
  static const char *const question = "How well are the device's times known?";
  g_autoptr (WeftTable) lanes = ASK (self, "lanes", QUEUES, "clock", NULL, "count");
  g_autoptr (WeftTable) names =
      ASK (self, "lanes", QUEUES " tag:clock", "tag:clock", NULL, "count");
  g_autoptr (WeftTable) pairs =
      ASK (self, "clock_pairs", NULL, "clock", NULL, "count", "p95(error_bound)");
  double worst = 0;
  guint64 n = 0;
  g_autofree char *found = names ? list_counts (names, 0, 1) : NULL;

  if (pairs == NULL || lanes == NULL || names == NULL ||
      ask_number (self, "dispatches", QUEUES " status:ok", "count") == 0)
    return;
  for (guint i = 0; i < weft_table_get_n_rows (lanes); i++)
    for (guint j = 0; j < weft_table_get_n_rows (pairs); j++)
      if (weft_table_get_uint64 (lanes, 0, i) == weft_table_get_uint64 (pairs, 0, j))
        {
          n += weft_table_get_uint64 (pairs, 1, j);
          worst = MAX (worst, weft_table_get_double (pairs, 2, j));
        }
  if (n == 0)
    add (self, "opencl.clock", question, WEFT_VERDICT_PROBLEM, NULL,
         "Let the recording run until some commands have ended; a device whose clock cannot be "
         "read or found can only be placed by what was seen of it",
         "Its clock was never seen beside the host's: times of commands are not bounded");
  else
    add (self, "opencl.clock", question,
         worst > FAR_OFF_NS ? WEFT_VERDICT_ATTENTION : WEFT_VERDICT_GOOD, NULL,
         "Do not compare them with CPU stacks more finely than that",
         "Within %.1f µs for 95 %% of %" G_GUINT64_FORMAT " readings; queues by the clock that was "
         "found: %s",
         worst / 1e3, n, *found ? found : "none was told");
}

/* ---- Programs ---- */

static void
check_builds (Checks *self)
{
  static const char *const question = "Were all programs built?";
  g_autoptr (WeftTable) failed = ASK (self, "dispatches", BUILDS " status:error", NULL, "start",
                                      "id", "name", "error.name", "tag:build_log", "duration");
  guint64 n = (guint64) ask_number (self, "dispatches", BUILDS, "count");
  double time = ask_number (self, "dispatches", BUILDS, "sum(duration)");
  g_auto (GStrv) handles = failed ? list_handles (failed, 0) : NULL;
  double share = self->elapsed > 0 ? 100 * time / self->elapsed : 0;

  if (failed == NULL || n == 0)
    return;
  if (weft_table_get_n_rows (failed) > 0)
    {
      const char *log = weft_table_get_string (failed, 3, 0);
      const char *code = weft_table_get_string (failed, 2, 0);
      g_autofree char *beginning = g_utf8_make_valid (log ? log : "(none)", -1);

      if (g_utf8_strlen (beginning, -1) > 600)
        *g_utf8_offset_to_pointer (beginning, 600) = '\0';
      add (self, "opencl.builds", question, WEFT_VERDICT_PROBLEM, handles,
           "“weft target dispatch” of each tells the whole log; “weft target source” the text",
           "%u of %" G_GUINT64_FORMAT " builds failed; the first with %s, and the log: %s",
           weft_table_get_n_rows (failed), n, code ? code : "an error", beginning);
      return;
    }
  add (self, "opencl.builds", question,
       share > MUCH_BUILDING ? WEFT_VERDICT_ATTENTION : WEFT_VERDICT_GOOD, NULL,
       "Keep what was built: clGetProgramInfo () with CL_PROGRAM_BINARIES, and "
       "clCreateProgramWithBinary () the next time",
       "Building took %.1f ms in %" G_GUINT64_FORMAT " %s: %.1f %% of the time recorded",
       in_ms (time), n, n == 1 ? "call" : "calls", share);
}

static void
check_sources (Checks *self)
{
  static const char *const question = "Is the source of every kernel that ran known?";
  g_autoptr (WeftTable) kernels =
      ASK (self, "dispatches", QUEUES " counter:work_items",
           "routine,routine.name,routine.source.text,routine.source.language", "-count", "count");
  g_autoptr (GStrvBuilder) handles = g_strv_builder_new ();
  g_autoptr (GString) names = g_string_new (NULL);
  g_auto (GStrv) list = NULL;
  guint missing = 0, n = kernels ? weft_table_get_n_rows (kernels) : 0;

  for (guint i = 0; i < n; i++)
    {
      const char *name = weft_table_get_string (kernels, 1, i);
      const char *language = weft_table_get_string (kernels, 3, i);
      g_autofree char *handle = weft_table_get_handle (kernels, 0, i);

      if (!weft_table_is_null (kernels, 2, i) && weft_table_get_uint64 (kernels, 2, i) != 0)
        continue;
      if (missing++ < 5)
        g_string_append_printf (names, "%s%s (%s)", missing > 1 ? ", " : "", name ? name : "?",
                                language ? language : "nothing is known of its program");
      if (missing <= 10 && handle != NULL)
        g_strv_builder_add (handles, handle);
    }
  list = g_strv_builder_end (handles);
  if (n > 0 && missing == 0)
    add (self, "opencl.sources", question, WEFT_VERDICT_GOOD, NULL, NULL,
         "Of all %u, as the program gave it", n);
  else if (n > 0)
    add (self, "opencl.sources", question, WEFT_VERDICT_ATTENTION, list,
         "Programs that were loaded as binaries have no text. Remove the program's cache of them "
         "(hashcat keeps one in ~/.cache/hashcat), and record the first run",
         "Of %u of %u kernels it is not: %s", missing, n, names->str);
}

static void
check_extra_flags (Checks *self)
{
  g_autoptr (WeftTable) lanes =
      ASK (self, "lanes", QUEUES " tag:extra_build_flags", "tag:extra_build_flags", NULL, "count");

  if (lanes == NULL || weft_table_get_n_rows (lanes) == 0)
    return;
  add (self, "opencl.extra-flags", "Were kernels built as the program asked for?",
       WEFT_VERDICT_ATTENTION, NULL,
       "Lines of kernels are known by it; for times, record without it",
       "No: “%s” was added to every build, which makes kernels slower",
       weft_table_get_string (lanes, 0, 0));
}

/* ---- What costs time ---- */

/* The first use of a kernel beside its usual time, from the call to the end. */
static void
check_first_use (Checks *self)
{
  static const char *const question = "Is compiling at the first use a matter of time?";
  g_autoptr (WeftTable) first =
      ASK (self, "dispatches", QUEUES " tag:first_use", "routine,routine.name", "-sum(duration)",
           "count", "sum(queue_delay)", "sum(duration)");
  g_autoptr (WeftTable) later = ASK (self, "dispatches", QUEUES " -tag:first_use", "routine", NULL,
                                     "count", "p50(queue_delay)", "p50(duration)");
  double more = 0, most = 0;
  const char *name = NULL;
  guint64 n = 0;

  for (guint i = 0; first && later && i < weft_table_get_n_rows (first); i++)
    for (guint j = 0; j < weft_table_get_n_rows (later); j++)
      if (weft_table_get_uint64 (first, 0, i) == weft_table_get_uint64 (later, 0, j))
        {
          guint64 uses = weft_table_get_uint64 (first, 2, i);
          double usual = weft_table_get_double (later, 2, j) + weft_table_get_double (later, 3, j);
          double extra = weft_table_get_double (first, 3, i) + weft_table_get_double (first, 4, i) -
                         (double) uses * usual;

          n += uses;
          more += MAX (extra, 0);
          name = extra > most ? weft_table_get_string (first, 1, i) : name;
          most = MAX (most, extra);
        }
  if (n == 0)
    return;
  add (self, "opencl.first-use", question,
       self->elapsed > 0 && 100 * more / self->elapsed > MUCH_BUILDING ? WEFT_VERDICT_ATTENTION
                                                                       : WEFT_VERDICT_GOOD,
       NULL,
       "Run each kernel once before time matters, with the local size that it will have; leave "
       "first uses out of figures with the filter “-tag:first_use”",
       "First uses of kernels (%" G_GUINT64_FORMAT
       ") took %.1f ms longer than is usual of them%s%s",
       n, in_ms (more), name ? ", most of all " : "", name ? name : "");
}

static void
check_blocking (Checks *self)
{
  static const char *const question = "Do calls that block hold the program up?";
  g_autoptr (WeftTable) calls = ASK (self, "dispatches", QUEUES " tag:blocking", "routine.name",
                                     "-count", "count", "sum(queue_delay)", "sum(duration)");
  double time = 0;
  guint64 n = 0;
  g_autofree char *names = calls ? list_counts (calls, 0, 1) : NULL;

  if (calls == NULL || self->n_commands == 0)
    return;
  for (guint i = 0; i < weft_table_get_n_rows (calls); i++)
    {
      n += weft_table_get_uint64 (calls, 1, i);
      time += weft_table_get_double (calls, 2, i) + weft_table_get_double (calls, 3, i);
    }
  if (n == 0)
    add (self, "opencl.blocking", question, WEFT_VERDICT_GOOD, NULL, NULL,
         "No read, write or map was queued as blocking");
  else
    add (
        self, "opencl.blocking", question,
        self->elapsed > 0 && 100 * time / self->elapsed > MUCH_BLOCKED ? WEFT_VERDICT_ATTENTION
                                                                       : WEFT_VERDICT_GOOD,
        NULL,
        "Queue reads without blocking and wait for their events later, so that the next command is "
        "there when one ends; “weft target origins --group thread” tells who waited",
        "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
        " commands (%s) held their callers up for %.1f ms",
        n, self->n_commands, names, in_ms (time));
}

/* ---- Independent work in an in-order queue ---- */

/* What a command touches: labels with whether it writes; NULL label: something that cannot be told
 * from others.
 */
typedef struct
{
  const char *label;
  gboolean writes;
} Touch;

/* Memory that may overlap under another name cannot be told apart. */
static gboolean
is_plain (const char *kind)
{
  return g_strcmp0 (kind, "buffer") == 0 || g_strcmp0 (kind, "image") == 0;
}

/* By dispatch; values are GArray of Touch. */
static GHashTable *
index_touches (WeftTable *attachments)
{
  GHashTable *index = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) g_array_unref);

  for (guint i = 0; i < weft_table_get_n_rows (attachments); i++)
    {
      gpointer key = GSIZE_TO_POINTER (weft_table_get_uint64 (attachments, 0, i));
      const char *kind = weft_table_get_string (attachments, 2, i);
      Touch touch = { weft_table_get_string (attachments, 1, i),
                      weft_table_get_uint64 (attachments, 3, i) != WEFT_ACCESS_READ };
      GArray *touches = g_hash_table_lookup (index, key);

      if (g_strcmp0 (kind, "value") == 0 || g_strcmp0 (kind, "local memory") == 0)
        continue;
      if (!is_plain (kind))
        touch.label = NULL;
      if (touches == NULL)
        {
          touches = g_array_new (FALSE, FALSE, sizeof (Touch));
          g_hash_table_insert (index, key, touches);
        }
      g_array_append_val (touches, touch);
    }
  return index;
}

static gboolean
are_independent (const GArray *a, const GArray *b)
{
  if (a == NULL || b == NULL)
    return FALSE;
  for (guint i = 0; i < a->len; i++)
    for (guint j = 0; j < b->len; j++)
      {
        const Touch *left = &g_array_index (a, Touch, i), *right = &g_array_index (b, Touch, j);

        if (left->label == NULL || right->label == NULL ||
            ((left->writes || right->writes) && strcmp (left->label, right->label) == 0))
          return FALSE;
      }
  return TRUE;
}

/* A command that waited while the one before it ran, with which it shares nothing that either
 * writes. Returns how many, and in TIME for how long.
 */
static guint
count_serialized (WeftTable *commands, GHashTable *lanes, GHashTable *touches, double *time)
{
  guint n = 0;

  for (guint i = 1; i < weft_table_get_n_rows (commands); i++)
    {
      gint64 before_start = weft_table_get_int64 (commands, 2, i - 1);
      gint64 before_end = weft_table_get_int64 (commands, 3, i - 1);
      gint64 submitted = weft_table_get_int64 (commands, 4, i);

      guint64 lane = weft_table_get_uint64 (commands, 1, i);

      if (lane != weft_table_get_uint64 (commands, 1, i - 1) ||
          !g_hash_table_contains (lanes, GSIZE_TO_POINTER (lane)) ||
          weft_table_is_null (commands, 4, i) || submitted >= before_end ||
          !weft_table_is_null (commands, 5, i) ||
          !are_independent (
              g_hash_table_lookup (touches,
                                   GSIZE_TO_POINTER (weft_table_get_uint64 (commands, 0, i - 1))),
              g_hash_table_lookup (touches,
                                   GSIZE_TO_POINTER (weft_table_get_uint64 (commands, 0, i)))))
        continue;
      n++;
      *time += (double) (before_end - MAX (submitted, before_start));
    }
  return n;
}

static void
check_order (Checks *self)
{
  static const char *const question = "Does order keep independent commands from running at once?";
  g_autoptr (GHashTable) in_order = g_hash_table_new (NULL, NULL);
  g_autoptr (WeftTable) lanes = NULL;
  g_autoptr (WeftTable) commands = NULL;
  g_autoptr (WeftTable) attachments = NULL;
  g_autoptr (GHashTable) touches = NULL;
  double time = 0;
  guint n;

  if (self->n_commands == 0 || self->n_commands > MAX_COMPARED)
    return;
  lanes = ASK (self, "lanes", QUEUES " tag:order=\"in order\"", NULL, NULL, "id");
  commands = ASK (self, "dispatches", QUEUES, NULL, "lane", "id", "lane", "start", "end",
                  "submitted", "tag:after");
  attachments =
      ASK (self, "attachments", QUEUES, NULL, NULL, "dispatch", "label", "kind", "access");
  if (self->error != NULL || weft_table_get_n_rows (lanes) == 0)
    return;
  for (guint i = 0; i < weft_table_get_n_rows (lanes); i++)
    g_hash_table_add (in_order, GSIZE_TO_POINTER (weft_table_get_uint64 (lanes, 0, i)));
  touches = index_touches (attachments);
  n = count_serialized (commands, in_order, touches, &time);
  if (n == 0)
    add (self, "opencl.order", question, WEFT_VERDICT_GOOD, NULL, NULL,
         "No command was seen to wait behind one that it shares no argument with");
  else
    add (self, "opencl.order", question,
         self->elapsed > 0 && 100 * time / self->elapsed > MUCH_SERIAL ? WEFT_VERDICT_ATTENTION
                                                                       : WEFT_VERDICT_GOOD,
         NULL,
         "Where the device can run several at once, queue them in several queues, or in one with "
         "CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE and events for what does depend",
         "Commands waited behind others that they share no argument with %u times, for %.1f ms in "
         "all",
         n, in_ms (time));
}

/* ---- Failures, stacks, samples ---- */

static void
check_failures (Checks *self)
{
  static const char *const question = "Did commands fail, or were calls refused?";
  g_autoptr (WeftTable) failed = ASK (self, "dispatches", "kind:opencl.queue -status:ok", NULL,
                                      "start", "id", "error.name", "name");
  g_autoptr (WeftTable) counts =
      ASK (self, "dispatches", "kind:opencl.queue -status:ok", "error.name", "-count", "count");
  g_auto (GStrv) handles = failed ? list_handles (failed, 0) : NULL;
  g_autofree char *names = counts ? list_counts (counts, 0, 1) : NULL;

  if (failed == NULL || counts == NULL || self->n_queues == 0)
    return;
  if (weft_table_get_n_rows (failed) == 0)
    add (self, "opencl.failures", question, WEFT_VERDICT_GOOD, NULL, NULL, "None");
  else
    add (self, "opencl.failures", question, WEFT_VERDICT_PROBLEM, handles,
         "“weft target dispatch” of each tells who queued it and what it was given", "%u did: %s",
         weft_table_get_n_rows (failed), names);
}

static void
check_stacks (Checks *self)
{
  static const char *const question = "Do commands know the stack that queued them?";
  g_autoptr (WeftTable) losses = ASK (self, "losses", NULL, "reason", NULL, "sum(count)");
  double with = ask_number (self, "origins", "kind:opencl.queue role:dispatch", "count(stack)");
  double all = ask_number (self, "origins", "kind:opencl.queue role:dispatch", "count");

  gboolean is_limited = FALSE;

  if (self->n_commands == 0 || losses == NULL)
    return;
  for (guint i = 0; i < weft_table_get_n_rows (losses); i++)
    is_limited |= g_strcmp0 (weft_table_get_string (losses, 0, i), "stack-skipped") == 0;
  add (self, "opencl.stacks", question, with < all ? WEFT_VERDICT_ATTENTION : WEFT_VERDICT_GOOD,
       NULL,
       "At most 20,000 stacks a second are copied, so that the program is not held up; what is "
       "queued more often than that is linked to the nearest CPU sample",
       "Of %.0f of %.0f the stack was copied%s", with, all,
       is_limited ? "; the rest was over the limit" : "");
}

/* Kernels that run on the processor are sampled as any code is. */
static void
check_code (Checks *self)
{
  static const char *const question = "Do CPU samples in kernels belong to commands?";
  g_autoptr (WeftAnalysis) analysis = NULL;
  g_autoptr (WeftReport) report = NULL;
  WeftTable *fates;
  double all = 0, placed = 0;

  if (self->error != NULL || self->n_commands == 0)
    return;
  analysis = weft_analysis_new (self->recording, "target-code", &self->error);
  report = analysis ? weft_analysis_run (analysis, self->cancellable, &self->error) : NULL;
  fates = report ? weft_report_get_table (report, "attribution") : NULL;
  for (guint i = 0; fates != NULL && i < weft_table_get_n_rows (fates); i++)
    {
      double samples = weft_table_get_double (fates, 1, i);

      all += samples;
      if (g_strcmp0 (weft_table_get_string (fates, 0, i), "to one dispatch") == 0)
        placed = samples;
    }
  if (all > 0)
    add (self, "opencl.code", question,
         placed < 0.9 * all ? WEFT_VERDICT_ATTENTION : WEFT_VERDICT_GOOD, NULL,
         "Where the same kernel runs in several commands at once, its samples cannot be told apart",
         "%.0f of %.0f samples in the code of kernels fell into one command: “weft target code”",
         placed, all);
}

GListModel *
weft_opencl_domain_find (WeftRecording *recording, GCancellable *cancellable, GError **error)
{
  static void (*const checks[]) (Checks *) = {
    check_queues,    check_failures,    check_builds, check_pending,  check_profiling,
    check_clock,     check_sources,     check_stacks, check_blocking, check_order,
    check_first_use, check_extra_flags, check_code,
  };
  Checks self = { .recording = recording,
                  .cancellable = cancellable,
                  .findings = g_list_store_new (WEFT_TYPE_FINDING),
                  .elapsed = (double) weft_recording_get_duration (recording) };

  for (gsize i = 0; i < G_N_ELEMENTS (checks) && self.error == NULL; i++)
    checks[i](&self);
  /* What was found in time is told. */
  if (g_error_matches (self.error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_clear_error (&self.error);
      add (&self, "opencl.time", "Was there time for all checks?", WEFT_VERDICT_ATTENTION, NULL,
           "Record for a shorter time", "No: some that are about OpenCL were left out");
    }
  if (self.error == NULL)
    return G_LIST_MODEL (self.findings);
  g_object_unref (self.findings);
  g_propagate_error (error, self.error);
  return NULL;
}
