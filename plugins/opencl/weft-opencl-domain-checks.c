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
  WeftInquiry *inquiry;
  guint64 n_queues;
  guint64 n_commands;
  double elapsed; /* ns */
} Checks;

/* ---- Asking and telling ---- */

#define COLUMNS(...) ((const char *const[]){ __VA_ARGS__, NULL })

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

static WeftSubjects *
list_rows (WeftTable *table)
{
  WeftSubjects *rows = weft_subjects_new ();

  if (table != NULL)
    weft_subjects_add_rows (rows, table, 0, -1);
  return rows;
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
  double others = weft_inquiry_ask_number (self->inquiry, "lanes", "kind:opencl.*", "count");
  g_autofree char *commands = NULL;
  g_autofree char *queues = NULL;

  self->n_queues = (guint64) weft_inquiry_ask_number (self->inquiry, "lanes", QUEUES, "count");
  self->n_commands =
      (guint64) weft_inquiry_ask_number (self->inquiry, "dispatches", QUEUES, "count");
  commands = weft_format_count (self->n_commands, "command", "commands");
  queues = weft_format_count (self->n_queues, "command queue", "command queues");
  if (self->n_queues > 0 && self->n_commands > 0)
    weft_inquiry_tell (self->inquiry, "opencl.queues", question, WEFT_VERDICT_GOOD, NULL, NULL,
                       "%s on %s", commands, queues);
  else if (self->n_queues > 0)
    weft_inquiry_tell (self->inquiry, "opencl.queues", question, WEFT_VERDICT_ATTENTION,
                       "See below whether commands were refused, failed or never ended", NULL,
                       "Command queues were made (%" G_GUINT64_FORMAT
                       "), and no command on them ended",
                       self->n_queues);
  else if (others > 0)
    weft_inquiry_tell (
        self->inquiry, "opencl.queues", question, WEFT_VERDICT_ATTENTION,
        "A program that looks at devices or builds programs makes no queue; one whose queues are "
        "missing made them before the recording began, or in a process that was not started by it",
        NULL, "The layer was there, but no command queue was made");
  else
    weft_inquiry_tell (
        self->inquiry, "opencl.queues", question, WEFT_VERDICT_NOT_APPLICABLE,
        "If it should have: it must load libOpenCL of a loader that knows layers (ocl-icd 2.3, or "
        "Khronos' loader), find a platform (“clinfo -l” lists them), and not run set-uid",
        NULL, "No call of OpenCL was seen: the program made none, or its loader knows no layers");
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
  g_autoptr (WeftReport) report = NULL;
  guint64 pending, lost;

  if (self->n_queues == 0)
    return;
  report = weft_inquiry_analyze (self->inquiry, "target-lanes", "kind:opencl.*");
  if (report == NULL)
    return;
  pending = sum_column (weft_report_get_main_table (report), "pending");
  lost = sum_column (weft_report_get_main_table (report), "lost");
  if (pending == 0 && lost == 0)
    weft_inquiry_tell (self->inquiry, "opencl.pending", question, WEFT_VERDICT_GOOD, NULL, NULL,
                       "All that was queued is there with its end");
  else
    weft_inquiry_tell (
        self->inquiry, "opencl.pending", question, WEFT_VERDICT_ATTENTION,
        "Ends are looked for when the program waits, queues more, or ends in order. What is "
        "pending then: it ended by force or at once (_exit ()), or the command never ends",
        NULL,
        "Commands and builds of which nobody saw the end: %" G_GUINT64_FORMAT
        "; lost on the way: %" G_GUINT64_FORMAT ": “weft target lanes” tells where",
        pending, lost);
}

/* ---- Times ---- */

static void
check_profiling (Checks *self)
{
  static const char *const question = "Does the device tell times?";
  g_autoptr (WeftTable) refused =
      weft_inquiry_ask (self->inquiry, "lanes", QUEUES " tag:profiling=refused*", NULL,
                        COLUMNS ("id", "tag:device"), NULL, 0);
  g_autoptr (WeftSubjects) subjects = list_rows (refused);
  g_autofree char *queues =
      weft_format_count (weft_subjects_get_count (subjects), "queue", "queues");

  if (refused == NULL || self->n_queues == 0)
    return;
  if (weft_table_get_n_rows (refused) == 0)
    weft_inquiry_tell (self->inquiry, "opencl.profiling", question, WEFT_VERDICT_GOOD, NULL, NULL,
                       "Of every queue; asked for by the recording where the program did not");
  else
    weft_inquiry_tell (
        self->inquiry, "opencl.profiling", question, WEFT_VERDICT_PROBLEM,
        "The implementation refuses CL_QUEUE_PROFILING_ENABLE: when commands ended is known only "
        "as closely as somebody looked",
        weft_subjects_get_handles (subjects), "Of %s it does not", queues);
}

static void
check_clock (Checks *self)
{
  static const char *const question = "How well are the device's times known?";
  g_autoptr (WeftTable) lanes = weft_inquiry_ask (self->inquiry, "lanes", QUEUES, COLUMNS ("clock"),
                                                  COLUMNS ("count"), NULL, 0);
  g_autoptr (WeftTable) names =
      weft_inquiry_ask (self->inquiry, "lanes", QUEUES " tag:clock", COLUMNS ("tag:clock"),
                        COLUMNS ("count"), NULL, 0);
  g_autoptr (WeftTable) pairs =
      weft_inquiry_ask (self->inquiry, "clock_pairs", NULL, COLUMNS ("clock"),
                        COLUMNS ("count", "p95(error_bound)"), NULL, 0);
  double worst = 0;
  guint64 n = 0;
  g_autofree char *found = names ? list_counts (names, 0, 1) : NULL;

  if (pairs == NULL || lanes == NULL || names == NULL ||
      weft_inquiry_ask_number (self->inquiry, "dispatches", QUEUES " status:ok", "count") == 0)
    return;
  for (guint i = 0; i < weft_table_get_n_rows (lanes); i++)
    for (guint j = 0; j < weft_table_get_n_rows (pairs); j++)
      if (weft_table_get_uint64 (lanes, 0, i) == weft_table_get_uint64 (pairs, 0, j))
        {
          n += weft_table_get_uint64 (pairs, 1, j);
          worst = MAX (worst, weft_table_get_double (pairs, 2, j));
        }
  if (n == 0)
    weft_inquiry_tell (
        self->inquiry, "opencl.clock", question, WEFT_VERDICT_PROBLEM,
        "Let the recording run until some commands have ended; a device whose clock cannot be "
        "read or found can only be placed by what was seen of it",
        NULL, "Its clock was never seen beside the host's: times of commands are not bounded");
  else
    weft_inquiry_tell (self->inquiry, "opencl.clock", question,
                       worst > FAR_OFF_NS ? WEFT_VERDICT_ATTENTION : WEFT_VERDICT_GOOD,
                       "Do not compare them with CPU stacks more finely than that", NULL,
                       "Within %.1f µs for 95 %% of %" G_GUINT64_FORMAT
                       " readings; queues by the clock that was "
                       "found: %s",
                       worst / 1e3, n, *found ? found : "none was told");
}

/* ---- Programs ---- */

static void
check_builds (Checks *self)
{
  static const char *const question = "Were all programs built?";
  g_autoptr (WeftTable) failed = weft_inquiry_ask (
      self->inquiry, "dispatches", BUILDS " status:error", NULL,
      COLUMNS ("id", "name", "error.name", "tag:build_log", "duration"), "start", 0);
  guint64 n = (guint64) weft_inquiry_ask_number (self->inquiry, "dispatches", BUILDS, "count");
  double time = weft_inquiry_ask_number (self->inquiry, "dispatches", BUILDS, "sum(duration)");
  g_autoptr (WeftSubjects) subjects = list_rows (failed);
  double share = self->elapsed > 0 ? 100 * time / self->elapsed : 0;
  g_autofree char *builds = weft_format_count (n, "build", "builds");

  if (failed == NULL || n == 0)
    return;
  if (weft_table_get_n_rows (failed) > 0)
    {
      const char *log = weft_table_get_string (failed, 3, 0);
      const char *code = weft_table_get_string (failed, 2, 0);
      g_autofree char *beginning = g_utf8_make_valid (log ? log : "(none)", -1);

      if (g_utf8_strlen (beginning, -1) > 600)
        *g_utf8_offset_to_pointer (beginning, 600) = '\0';
      weft_inquiry_tell (
          self->inquiry, "opencl.builds", question, WEFT_VERDICT_PROBLEM,
          "“weft target dispatch” of each tells the whole log; “weft target source” the text",
          weft_subjects_get_handles (subjects),
          "%u of %s failed; the first with %s, and the log: %s", weft_table_get_n_rows (failed),
          builds, code ? code : "an error", beginning);
      return;
    }
  weft_inquiry_tell (self->inquiry, "opencl.builds", question,
                     share > MUCH_BUILDING ? WEFT_VERDICT_ATTENTION : WEFT_VERDICT_GOOD,
                     "Keep what was built: clGetProgramInfo () with CL_PROGRAM_BINARIES, and "
                     "clCreateProgramWithBinary () the next time",
                     NULL, "%s took %.1f ms: %.1f %% of the time recorded", builds, in_ms (time),
                     share);
}

static void
check_sources (Checks *self)
{
  static const char *const question = "Is the source of every kernel that ran known?";
  g_autoptr (WeftTable) kernels = weft_inquiry_ask (
      self->inquiry, "dispatches", QUEUES " counter:work_items",
      COLUMNS ("routine", "routine.name", "routine.source.text", "routine.source.language"),
      COLUMNS ("count"), "-count", 0);
  g_autoptr (WeftSubjects) missing = weft_subjects_new ();
  guint n = kernels ? weft_table_get_n_rows (kernels) : 0;
  g_autofree char *all = weft_format_count (n, "kernel", "kernels");

  for (guint i = 0; i < n; i++)
    {
      const char *name = weft_table_get_string (kernels, 1, i);
      const char *language = weft_table_get_string (kernels, 3, i);
      g_autofree char *text = g_strdup_printf (
          "%s (%s)", name ? name : "?", language ? language : "nothing is known of its program");

      if (weft_table_is_null (kernels, 2, i) || weft_table_get_uint64 (kernels, 2, i) == 0)
        weft_subjects_add (missing, "r", weft_table_get_uint64 (kernels, 0, i), text);
    }
  if (n > 0 && weft_subjects_get_count (missing) == 0)
    weft_inquiry_tell (self->inquiry, "opencl.sources", question, WEFT_VERDICT_GOOD, NULL, NULL,
                       "Of %s, as the program gave it", all);
  else if (n > 0)
    weft_inquiry_tell (
        self->inquiry, "opencl.sources", question, WEFT_VERDICT_ATTENTION,
        "Programs that were loaded as binaries have no text. Remove the program's cache of them "
        "(hashcat keeps one in ~/.cache/hashcat), and record the first run",
        weft_subjects_get_handles (missing), "Of %" G_GUINT64_FORMAT " of %s it is not: %s",
        weft_subjects_get_count (missing), all, weft_subjects_get_names (missing));
}

static void
check_extra_flags (Checks *self)
{
  g_autoptr (WeftTable) lanes =
      weft_inquiry_ask (self->inquiry, "lanes", QUEUES " tag:extra_build_flags",
                        COLUMNS ("tag:extra_build_flags"), COLUMNS ("count"), NULL, 0);

  if (lanes == NULL || weft_table_get_n_rows (lanes) == 0)
    return;
  weft_inquiry_tell (self->inquiry, "opencl.extra-flags",
                     "Were kernels built as the program asked for?", WEFT_VERDICT_ATTENTION,
                     "Lines of kernels are known by it; for times, record without it", NULL,
                     "No: “%s” was added to every build, which makes kernels slower",
                     weft_table_get_string (lanes, 0, 0));
}

/* ---- What costs time ---- */

/* The first use of a kernel beside its usual time, from the call to the end. */
static void
check_first_use (Checks *self)
{
  static const char *const question = "Is compiling at the first use a matter of time?";
  g_autoptr (WeftTable) first = weft_inquiry_ask (
      self->inquiry, "dispatches", QUEUES " tag:first_use", COLUMNS ("routine", "routine.name"),
      COLUMNS ("count", "sum(queue_delay)", "sum(duration)"), "-sum(duration)", 0);
  g_autoptr (WeftTable) later =
      weft_inquiry_ask (self->inquiry, "dispatches", QUEUES " -tag:first_use", COLUMNS ("routine"),
                        COLUMNS ("count", "p50(queue_delay)", "p50(duration)"), NULL, 0);
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
  weft_inquiry_tell (
      self->inquiry, "opencl.first-use", question,
      self->elapsed > 0 && 100 * more / self->elapsed > MUCH_BUILDING ? WEFT_VERDICT_ATTENTION
                                                                      : WEFT_VERDICT_GOOD,
      "Run each kernel once before time matters, with the local size that it will have; leave "
      "first uses out of figures with the filter “-tag:first_use”",
      NULL,
      "First uses of kernels (%" G_GUINT64_FORMAT ") took %.1f ms longer than is usual of them%s%s",
      n, in_ms (more), name ? ", most of all " : "", name ? name : "");
}

static void
check_blocking (Checks *self)
{
  static const char *const question = "Do calls that block hold the program up?";
  g_autoptr (WeftTable) calls = weft_inquiry_ask (
      self->inquiry, "dispatches", QUEUES " tag:blocking", COLUMNS ("routine.name"),
      COLUMNS ("count", "sum(queue_delay)", "sum(duration)"), "-count", 0);
  double time = 0;
  guint64 n = 0;
  g_autofree char *names = calls ? list_counts (calls, 0, 1) : NULL;
  g_autofree char *commands = weft_format_count (self->n_commands, "command", "commands");

  if (calls == NULL || self->n_commands == 0)
    return;
  for (guint i = 0; i < weft_table_get_n_rows (calls); i++)
    {
      n += weft_table_get_uint64 (calls, 1, i);
      time += weft_table_get_double (calls, 2, i) + weft_table_get_double (calls, 3, i);
    }
  if (n == 0)
    weft_inquiry_tell (self->inquiry, "opencl.blocking", question, WEFT_VERDICT_GOOD, NULL, NULL,
                       "No read, write or map was queued as blocking");
  else
    weft_inquiry_tell (
        self->inquiry, "opencl.blocking", question,
        self->elapsed > 0 && 100 * time / self->elapsed > MUCH_BLOCKED ? WEFT_VERDICT_ATTENTION
                                                                       : WEFT_VERDICT_GOOD,
        "Queue reads without blocking and wait for their events later, so that the next command is "
        "there when one ends; “weft target origins --group thread” tells who waited",
        NULL, "%" G_GUINT64_FORMAT " of %s (%s) held %s up for %.1f ms", n, commands, names,
        n == 1 ? "its caller" : "their callers", in_ms (time));
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
  g_autofree char *times = NULL;
  guint n;

  if (self->n_commands == 0 || self->n_commands > MAX_COMPARED)
    return;
  lanes = weft_inquiry_ask (self->inquiry, "lanes", QUEUES " tag:order=\"in order\"", NULL,
                            COLUMNS ("id"), NULL, 0);
  commands = weft_inquiry_ask (self->inquiry, "dispatches", QUEUES, NULL,
                               COLUMNS ("id", "lane", "start", "end", "submitted", "tag:after"),
                               "lane", 0);
  attachments = weft_inquiry_ask (self->inquiry, "attachments", QUEUES, NULL,
                                  COLUMNS ("dispatch", "label", "kind", "access"), NULL, 0);
  if (weft_inquiry_is_over (self->inquiry) || weft_table_get_n_rows (lanes) == 0)
    return;
  for (guint i = 0; i < weft_table_get_n_rows (lanes); i++)
    g_hash_table_add (in_order, GSIZE_TO_POINTER (weft_table_get_uint64 (lanes, 0, i)));
  touches = index_touches (attachments);
  n = count_serialized (commands, in_order, touches, &time);
  times = weft_format_count (n, "time", "times");
  if (n == 0)
    weft_inquiry_tell (self->inquiry, "opencl.order", question, WEFT_VERDICT_GOOD, NULL, NULL,
                       "No command was seen to wait behind one that it shares no argument with");
  else
    weft_inquiry_tell (
        self->inquiry, "opencl.order", question,
        self->elapsed > 0 && 100 * time / self->elapsed > MUCH_SERIAL ? WEFT_VERDICT_ATTENTION
                                                                      : WEFT_VERDICT_GOOD,
        "Where the device can run several at once, queue them in several queues, or in one with "
        "CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE and events for what does depend",
        NULL,
        "Commands waited behind others that they share no argument with %s, for %.1f ms in "
        "all",
        times, in_ms (time));
}

/* ---- Failures, stacks, samples ---- */

static void
check_failures (Checks *self)
{
  static const char *const question = "Did commands fail, or were calls refused?";
  g_autoptr (WeftTable) failed =
      weft_inquiry_ask (self->inquiry, "dispatches", "kind:opencl.queue -status:ok", NULL,
                        COLUMNS ("id", "error.name", "name"), "start", 0);
  g_autoptr (WeftTable) counts =
      weft_inquiry_ask (self->inquiry, "dispatches", "kind:opencl.queue -status:ok",
                        COLUMNS ("error.name"), COLUMNS ("count"), "-count", 0);
  g_autoptr (WeftSubjects) subjects = list_rows (failed);
  g_autofree char *names = counts ? list_counts (counts, 0, 1) : NULL;

  if (failed == NULL || counts == NULL || self->n_queues == 0)
    return;
  if (weft_table_get_n_rows (failed) == 0)
    weft_inquiry_tell (self->inquiry, "opencl.failures", question, WEFT_VERDICT_GOOD, NULL, NULL,
                       "None");
  else
    weft_inquiry_tell (self->inquiry, "opencl.failures", question, WEFT_VERDICT_PROBLEM,
                       "“weft target dispatch” of each tells who queued it and what it was given",
                       weft_subjects_get_handles (subjects), "%u did: %s",
                       weft_table_get_n_rows (failed), names);
}

static void
check_stacks (Checks *self)
{
  static const char *const question = "Do commands know the stack that queued them?";
  g_autoptr (WeftTable) losses = weft_inquiry_ask (
      self->inquiry, "losses", NULL, COLUMNS ("reason"), COLUMNS ("sum(count)"), NULL, 0);
  double with = weft_inquiry_ask_number (self->inquiry, "origins",
                                         "kind:opencl.queue role:dispatch", "count(stack)");
  double all = weft_inquiry_ask_number (self->inquiry, "origins", "kind:opencl.queue role:dispatch",
                                        "count");

  gboolean is_limited = FALSE;

  if (self->n_commands == 0 || losses == NULL)
    return;
  for (guint i = 0; i < weft_table_get_n_rows (losses); i++)
    is_limited |= g_strcmp0 (weft_table_get_string (losses, 0, i), "stack-skipped") == 0;
  weft_inquiry_tell (
      self->inquiry, "opencl.stacks", question,
      with < all ? WEFT_VERDICT_ATTENTION : WEFT_VERDICT_GOOD,
      "At most 20,000 stacks a second are copied, so that the program is not held up; what is "
      "queued more often than that is linked to the nearest CPU sample",
      NULL, "Of %.0f of %.0f the stack was copied%s", with, all,
      is_limited ? "; the rest was over the limit" : "");
}

/* Kernels that run on the processor are sampled as any code is. */
static void
check_code (Checks *self)
{
  static const char *const question = "Do CPU samples in kernels belong to commands?";
  g_autoptr (WeftReport) report = NULL;
  WeftTable *fates;
  double all = 0, placed = 0;
  g_autofree char *samples = NULL;

  if (self->n_commands == 0)
    return;
  report = weft_inquiry_analyze (self->inquiry, "target-code", NULL);
  fates = report ? weft_report_get_table (report, "attribution") : NULL;
  for (guint i = 0; fates != NULL && i < weft_table_get_n_rows (fates); i++)
    {
      double n = weft_table_get_double (fates, 1, i);

      all += n;
      if (g_strcmp0 (weft_table_get_string (fates, 0, i), "to one dispatch") == 0)
        placed = n;
    }
  samples = weft_format_count ((guint64) all, "sample", "samples");
  if (all > 0)
    weft_inquiry_tell (
        self->inquiry, "opencl.code", question,
        placed < 0.9 * all ? WEFT_VERDICT_ATTENTION : WEFT_VERDICT_GOOD,
        "Where the same kernel runs in several commands at once, its samples cannot be told apart",
        NULL, "Of %s in the code of kernels, %.0f fell into one command: “weft target code”",
        samples, placed);
}

GListModel *
weft_opencl_domain_find (WeftRecording *recording, GCancellable *cancellable, GError **error)
{
  static void (*const checks[]) (Checks *) = {
    check_queues,    check_failures,    check_builds, check_pending,  check_profiling,
    check_clock,     check_sources,     check_stacks, check_blocking, check_order,
    check_first_use, check_extra_flags, check_code,
  };
  g_autoptr (WeftInquiry) inquiry = weft_inquiry_new ("opencl", recording, cancellable);
  Checks self = { .inquiry = inquiry, .elapsed = (double) weft_recording_get_duration (recording) };

  for (gsize i = 0; i < G_N_ELEMENTS (checks) && !weft_inquiry_is_over (inquiry); i++)
    checks[i](&self);
  return weft_inquiry_end (inquiry, error);
}
