/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Main loops: what kept them from turning, and what their thread did in the meantime.
 */

#include "weft-executor-loops.h"

#include <string.h>

#define OF_LOOPS "kind:executor.context"
#define BLOCKED OF_LOOPS " warning:blocked"

/* Dispatches that are looked into, and functions of a stack, in a sentence. */
#define MAX_SHOWN 3
#define MAX_FUNCTIONS 10
/* A stack is followed as long as it has so much of the time. */
#define MAIN_SHARE 0.5
/* Of a dispatch's time, that what it did is worth a word. */
#define TOLD_SHARE 0.05

/* What tells of dispatches: stacks are the program's from the function that it calls. */
#define LIBRARY "libweft-glib.so"

typedef struct
{
  guint64 thread;
  gint64 begin;
  gint64 end;
} Moment;

static guint64
get_number (WeftTable *table, const char *name, guint row)
{
  const guint at = (guint) weft_table_find_column (table, name);

  return weft_table_is_null (table, at, row) ? 0 : weft_table_get_uint64 (table, at, row);
}

static const char *
get_text (WeftTable *table, const char *name, guint row)
{
  return weft_table_get_string (table, (guint) weft_table_find_column (table, name), row);
}

/* ---- The stacks that had most of a dispatch's time ---- */

/* What the thread did, as a tree, on CPUs or waiting. NULL where that cannot be told, which is no
 * error of the question.
 */
static WeftTable *
ask_stacks (WeftInquiry *inquiry, const Moment *moment, gboolean waiting)
{
  /* A thread that was preempted did not wait. */
  static const char *const reasons[] = { "unknown", "lock",       "semaphore", "ipc",
                                         "io-read", "io-write",   "readiness", "sleep",
                                         "connect", "page-fault", "other",     NULL };
  g_autofree char *filter = g_strdup_printf ("thread:t-%" G_GUINT64_FORMAT, moment->thread);
  g_autoptr (WeftAnalysis) analysis =
      weft_analysis_new (weft_inquiry_get_recording (inquiry), "flame", NULL);
  g_autoptr (WeftReport) report = NULL;

  if (analysis == NULL || !weft_analysis_set_filter (analysis, filter, NULL) ||
      !weft_analysis_set_mode (analysis, waiting ? "off-cpu" : "cpu", NULL) ||
      (waiting && !weft_analysis_set_reasons (analysis, reasons, NULL)))
    return NULL;
  weft_analysis_set_range (analysis, moment->begin, moment->end);
  report = weft_analysis_run (analysis, NULL, NULL);
  return report != NULL ? g_object_ref (weft_report_get_main_table (report)) : NULL;
}

/* Rows come after their parents. The child of PARENT with most time; 0 if none has so much. */
static guint
find_main_child (WeftTable *table, guint parent, guint64 enough)
{
  guint found = 0;
  guint64 most = enough;

  for (guint row = parent + 1; row < weft_table_get_n_rows (table); row++)
    {
      const guint64 total = get_number (table, "total", row);

      if (!weft_table_is_null (table, (guint) weft_table_find_column (table, "parent"), row) &&
          get_number (table, "parent", row) == parent && total >= most)
        {
          found = row;
          most = total + 1;
        }
    }
  return found;
}

static gboolean
is_of_kernel (WeftTable *table, guint row)
{
  const guint at = (guint) weft_table_find_column (table, "kernel");

  return !weft_table_is_null (table, at, row) && weft_table_get_boolean (table, at, row);
}

/* “on_click → load → read → [io-read]” */
static char *
name_stack (WeftTable *table, guint64 time)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  const guint64 enough = (guint64) ((double) time * MAIN_SHARE);
  guint row = 0;

  while ((row = find_main_child (table, row, enough)) != 0)
    if (g_strcmp0 (get_text (table, "module_name", row), LIBRARY) == 0)
      g_ptr_array_set_size (names, 0);
    else if (!is_of_kernel (table, row))
      g_ptr_array_add (names, (char *) get_text (table, "name", row));
  if (names->len > MAX_FUNCTIONS)
    {
      names->pdata[MAX_FUNCTIONS / 2] = (char *) "…";
      g_ptr_array_remove_range (names, MAX_FUNCTIONS / 2 + 1, names->len - MAX_FUNCTIONS);
    }
  g_ptr_array_add (names, NULL);
  return g_strjoinv (" → ", (char **) names->pdata);
}

/* Adds “, 40 ms of it waiting: …” if that is worth telling. */
static gboolean
add_time (WeftInquiry *inquiry, const Moment *moment, gboolean waiting, GString *text)
{
  g_autoptr (WeftTable) table = ask_stacks (inquiry, moment, waiting);
  const guint64 time =
      table != NULL && weft_table_get_n_rows (table) > 0 ? get_number (table, "total", 0) : 0;
  g_autofree char *stack = NULL;

  if ((double) time < TOLD_SHARE * (double) (moment->end - moment->begin))
    return FALSE;
  stack = name_stack (table, time);
  g_string_append_printf (text, ", %.0f ms %s: %s", (double) time / 1e6,
                          waiting ? "waiting" : "on a CPU", stack);
  return TRUE;
}

/* ---- What blocked ---- */

static WeftTable *
ask_dispatches (WeftInquiry *inquiry)
{
  static const char *const selects[] = { "dispatch",        "dispatch.routine.name",
                                         "dispatch.thread", "dispatch.start",
                                         "dispatch.end",    "value",
                                         "threshold",       NULL };

  return weft_inquiry_ask (inquiry, "warnings", BLOCKED, NULL, selects, "-value", 0);
}

static void
add_dispatch (WeftInquiry *inquiry, WeftTable *blocked, guint row, GString *text)
{
  const Moment moment = {
    .thread = weft_table_get_uint64 (blocked, 2, row),
    .begin = weft_table_get_int64 (blocked, 3, row),
    .end = weft_table_get_int64 (blocked, 4, row),
  };
  const char *name = weft_table_get_string (blocked, 1, row);
  gboolean is_known;

  g_string_append_printf (text, "; d-%" G_GUINT64_FORMAT " of %s took %.0f ms",
                          weft_table_get_uint64 (blocked, 0, row), name,
                          (double) (moment.end - moment.begin) / 1e6);
  is_known = add_time (inquiry, &moment, FALSE, text);
  if (!add_time (inquiry, &moment, TRUE, text) && !is_known)
    g_string_append (text, ", and no stack was recorded that tells by what");
}

static void
tell_blocked (WeftInquiry *inquiry, WeftTable *blocked)
{
  g_autoptr (WeftSubjects) dispatches = weft_subjects_new ();
  g_autoptr (GString) text = g_string_new (NULL);
  const guint n = weft_table_get_n_rows (blocked);
  g_autofree char *times = weft_format_count (n, "dispatch", "dispatches");
  double sum = 0;

  for (guint row = 0; row < n; row++)
    {
      sum += weft_table_get_double (blocked, 5, row);
      /* One that was lost is only counted. */
      if (weft_table_is_null (blocked, 0, row) || weft_table_get_uint64 (blocked, 0, row) == 0)
        continue;
      weft_subjects_add (dispatches, "d", weft_table_get_uint64 (blocked, 0, row),
                         weft_table_get_string (blocked, 1, row));
      if (row < MAX_SHOWN)
        add_dispatch (inquiry, blocked, row, text);
    }
  weft_inquiry_tell (
      inquiry, "executor.blocked-loops", "Do main loops turn in time?", WEFT_VERDICT_ATTENTION,
      "Do what takes long in a thread (g_task_run_in_thread ()) or in pieces; “weft flame --mode "
      "wall --from … --to …” shows all that the thread did within a dispatch",
      weft_subjects_get_handles (dispatches),
      "For more than %.0f ms at a time, %s kept loops from turning, %.0f ms in all%s",
      weft_table_get_double (blocked, 6, 0), times, sum, text->str);
}

void
weft_executor_check_loops (WeftInquiry *inquiry)
{
  g_autoptr (WeftTable) blocked = NULL;
  const double n = weft_inquiry_ask_number (inquiry, "dispatches", OF_LOOPS, "count()");

  if (n == 0 || weft_inquiry_is_over (inquiry))
    return;
  blocked = ask_dispatches (inquiry);
  if (blocked == NULL)
    return;
  if (weft_table_get_n_rows (blocked) > 0)
    tell_blocked (inquiry, blocked);
  else
    weft_inquiry_tell (inquiry, "executor.blocked-loops", "Do main loops turn in time?",
                       WEFT_VERDICT_GOOD, NULL, NULL,
                       "None of %.0f dispatches kept its loop from turning for long", n);
}
