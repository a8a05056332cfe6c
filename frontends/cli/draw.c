/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "draw.h"

#include <stdio.h>
#include <string.h>

#include "draw-code.h"
#include "draw-flame.h"
#include "text.h"

#define LANE_WIDTH 24

static guint64
number_of (WeftTable *table, const char *name, guint row)
{
  int column = weft_table_find_column (table, name);

  return column < 0 ? 0 : weft_table_get_uint64 (table, (guint) column, row);
}

static const char *
string_of (WeftTable *table, const char *name, guint row)
{
  int column = weft_table_find_column (table, name);
  const char *text = column < 0 ? NULL : weft_table_get_string (table, (guint) column, row);

  return text ? text : "";
}

static char *
cell (const char *text, guint width)
{
  g_autofree char *cut = text_cell (text, width);

  return g_strdup_printf ("%s%*s", cut, (int) (width - text_width (cut)), "");
}

/* ---- Swimlanes ---- */

static const char *const levels[] = { "·", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };

static const char *
level_of (guint64 busy, guint64 length)
{
  guint level;

  if (busy == 0 || length == 0)
    return levels[0];
  level = (guint) (1 + (double) busy * 7.999 / (double) length);
  return levels[MIN (level, 8)];
}

guint
draw_timeline_buckets (void)
{
  return MAX (text_columns () - LANE_WIDTH - 4, 10);
}

typedef struct
{
  WeftTable *lanes;
  WeftTable *buckets; /* of those in which something ran; in the order of lanes, then of time */
  guint n_buckets;
  gint64 begin;
  guint64 length; /* of a bucket, ns */
} Timeline;

static void
draw_lane (const Timeline *timeline, guint lane, guint *row)
{
  g_autofree char *name = cell (string_of (timeline->lanes, "name", lane), LANE_WIDTH);
  guint64 handle = number_of (timeline->lanes, "lane", lane);
  g_autoptr (GString) line = g_string_new (NULL);

  for (guint bucket = 0; bucket < timeline->n_buckets; bucket++)
    {
      gboolean runs = *row < weft_table_get_n_rows (timeline->buckets) &&
                      number_of (timeline->buckets, "lane", *row) == handle &&
                      number_of (timeline->buckets, "bucket", *row) == bucket;

      g_string_append (
          line, runs ? level_of (number_of (timeline->buckets, "busy", *row), timeline->length)
                     : levels[0]);
      *row += runs ? 1 : 0;
    }
  text_print (stdout, "%s  %s\n", name, line->str);
}

/* One letter a reason, for what is not drawn as running. */
static const struct
{
  const char *reason;
  char letter;
} letters[] = {
  { "idle", 'i' },    { "lock", 'l' },       { "semaphore", 's' }, { "ipc", 'm' },
  { "io-read", 'r' }, { "io-write", 'w' },   { "readiness", 'd' }, { "sleep", 'z' },
  { "connect", 'c' }, { "page-fault", 'f' }, { "preempted", 'p' }, { "other", 'o' },
  { "unknown", '?' },
};

static guint
find_letter (const char *reason)
{
  for (guint i = 0; i < G_N_ELEMENTS (letters); i++)
    if (strcmp (letters[i].reason, reason) == 0)
      return i;
  return G_N_ELEMENTS (letters) - 1;
}

/* What it did most in a bucket: a block for running, a letter for waiting. */
static void
draw_moment (WeftTable *parts, guint row, guint64 length, guint *used, GString *line)
{
  guint64 running = number_of (parts, "running", row);
  guint64 waiting = number_of (parts, "waiting", row);
  guint letter = find_letter (string_of (parts, "reason", row));

  if (waiting == 0 || running >= waiting)
    {
      g_string_append (line, level_of (running, length));
      return;
    }
  *used |= 1u << letter;
  g_string_append_c (line, letters[letter].letter);
}

static void
draw_thread (WeftTable *threads, WeftTable *parts, const Timeline *timeline, guint thread,
             guint *row, guint *used)
{
  g_autofree char *name = cell (string_of (threads, "name", thread), LANE_WIDTH);
  guint64 handle = number_of (threads, "thread", thread);
  g_autoptr (GString) line = g_string_new (NULL);

  for (guint bucket = 0; bucket < timeline->n_buckets; bucket++)
    {
      if (*row >= weft_table_get_n_rows (parts) || number_of (parts, "thread", *row) != handle ||
          number_of (parts, "bucket", *row) != bucket)
        g_string_append_c (line, ' ');
      else
        draw_moment (parts, (*row)++, timeline->length, used, line);
    }
  text_print (stdout, "%s  %s\n", name, line->str);
}

static void
draw_threads (WeftReport *report, const Timeline *timeline)
{
  WeftTable *threads = weft_report_get_table (report, "threads");
  WeftTable *parts = weft_report_get_table (report, "thread-buckets");
  g_autoptr (GString) legend = g_string_new ("threads: blocks run");
  guint row = 0, used = 0;

  if (threads == NULL || parts == NULL || weft_table_get_n_rows (threads) == 0)
    return;
  for (guint i = 0; i < weft_table_get_n_rows (threads); i++)
    draw_thread (threads, parts, timeline, i, &row, &used);
  for (guint i = 0; i < G_N_ELEMENTS (letters); i++)
    if (used & 1u << i)
      g_string_append_printf (legend, ", %c waits (%s)", letters[i].letter, letters[i].reason);
  text_wrap (stdout, LANE_WIDTH + 2, legend->str);
}

/* Lanes, and threads where there are none. */
static WeftTable *
get_timed_table (WeftReport *report)
{
  WeftTable *lanes = weft_report_get_main_table (report);
  WeftTable *threads = weft_report_get_table (report, "threads");

  return weft_table_get_n_rows (lanes) > 0 || threads == NULL ? lanes : threads;
}

static gboolean
read_timeline (WeftReport *report, guint n_buckets, Timeline *timeline)
{
  WeftTable *timed = get_timed_table (report);
  int begin = weft_table_find_column (timed, "begin");
  int end = weft_table_find_column (timed, "end");

  timeline->lanes = weft_report_get_main_table (report);
  timeline->buckets = weft_report_get_table (report, "buckets");
  timeline->n_buckets = n_buckets;
  if (timeline->buckets == NULL || begin < 0 || end < 0 || timeline->n_buckets == 0)
    return FALSE;
  timeline->begin = weft_table_get_int64 (timed, (guint) begin, 0);
  timeline->length = (guint64) (weft_table_get_int64 (timed, (guint) end, 0) - timeline->begin) /
                     timeline->n_buckets;
  return TRUE;
}

static void
draw_timeline (WeftReport *report, guint n_buckets)
{
  Timeline timeline;
  guint row = 0;

  if (!read_timeline (report, n_buckets, &timeline))
    return;
  for (guint lane = 0; lane < weft_table_get_n_rows (timeline.lanes); lane++)
    draw_lane (&timeline, lane, &row);
  draw_threads (report, &timeline);
  {
    g_autofree char *begin = print_named (get_timed_table (report), "begin", 0);
    g_autofree char *end = print_named (get_timed_table (report), "end", 0);
    g_autofree char *length = text_duration (timeline.length);

    g_autofree char *legend = g_strdup_printf (
        "%s to %s, %s a block: · idle, ▁ hardly busy … █ busy throughout", begin, end, length);

    text_wrap (stdout, LANE_WIDTH + 2, legend);
  }
}

/* ---- Findings ---- */

static const char *
mark_of (const char *verdict)
{
  if (strcmp (verdict, "good") == 0)
    return "✓";
  if (strcmp (verdict, "problem") == 0)
    return "✗";
  return strcmp (verdict, "attention") == 0 ? "!" : "–";
}

/* What the evidence of one question says. */
static void
draw_evidence (WeftTable *table, guint row)
{
  const char *advice = string_of (table, "advice", row);

  text_wrap (stdout, 4, string_of (table, "evidence", row));
  if (*advice == '\0')
    return;
  fputs ("    → ", stdout);
  text_wrap_from (stdout, 6, 6, advice);
}

/* Of the same domain, with the same verdict. */
static gboolean
is_same_question (WeftTable *table, guint one, guint other)
{
  static const char *const columns[] = { "verdict", "question", "domain" };

  for (gsize i = 0; i < G_N_ELEMENTS (columns); i++)
    if (strcmp (string_of (table, columns[i], one), string_of (table, columns[i], other)) != 0)
      return FALSE;
  return TRUE;
}

/* The question of ROW, with all that was found about it with the same verdict. */
static void
draw_finding (WeftTable *table, guint row)
{
  const char *verdict = string_of (table, "verdict", row);
  const char *question = string_of (table, "question", row);
  const char *domain = string_of (table, "domain", row);
  g_autofree char *asked =
      *domain ? g_strdup_printf ("%s (%s)", question, domain) : g_strdup (question);

  fputs (mark_of (verdict), stdout);
  fputc (' ', stdout);
  text_wrap_from (stdout, 2, 2, asked);
  for (guint i = row; i < weft_table_get_n_rows (table); i++)
    if (is_same_question (table, row, i))
      draw_evidence (table, i);
}

static gboolean
is_first_of_question (WeftTable *table, guint row)
{
  for (guint i = 0; i < row; i++)
    if (is_same_question (table, row, i))
      return FALSE;
  return TRUE;
}

/* What needs looking at first; then what is good; then what does not arise. */
static void
draw_findings (WeftReport *report)
{
  static const char *const order[] = { "problem", "attention", "good", "not-applicable" };
  WeftTable *table = weft_report_get_main_table (report);

  for (gsize i = 0; i < G_N_ELEMENTS (order); i++)
    for (guint row = 0; row < weft_table_get_n_rows (table); row++)
      if (strcmp (string_of (table, "verdict", row), order[i]) == 0 &&
          is_first_of_question (table, row))
        draw_finding (table, row);
}

/* ---- Source ---- */

/* The time of each line, its number, and the line as it is, cut where the terminal ends. */
static void
draw_source_lines (WeftTable *lines)
{
  guint room = MAX (text_columns (), 40) - 20;

  for (guint row = 0; row < weft_table_get_n_rows (lines); row++)
    {
      g_autofree char *total =
          number_of (lines, "total", row) ? print_named (lines, "total", row) : g_strdup ("");
      g_autofree char *expanded = text_expand (string_of (lines, "text", row));
      g_autofree char *text = text_cell (expanded, room);

      text_print (stdout, "%*s%s  %6" G_GUINT64_FORMAT "%s%s\n",
                  (int) (10 - MIN (text_width (total), 10)), "", total,
                  number_of (lines, "number", row), *text ? "  " : "", text);
    }
}

gboolean
draw_report (WeftReport *report, const PrintOptions *options)
{
  const char *name = weft_report_get_name (report);
  gboolean is_timeline = strcmp (name, "timeline") == 0;
  WeftTable *table = is_timeline ? get_timed_table (report) : weft_report_get_main_table (report);

  if (options->columns != NULL || options->wide || weft_table_get_n_rows (table) == 0)
    return FALSE;
  if (is_timeline)
    draw_timeline (report, options->n_buckets);
  else if (strcmp (weft_table_get_name (table), "flame") == 0)
    draw_flame (report);
  else if (strcmp (name, "diagnose") == 0)
    draw_findings (report);
  else if (strcmp (name, "annotate") == 0)
    draw_code (report);
  else
    return FALSE;
  return TRUE;
}

gboolean
draw_leaves_parts (WeftReport *report)
{
  return strcmp (weft_report_get_name (report), "critical-path") == 0;
}

gboolean
draw_part (WeftTable *table)
{
  if (weft_table_find_column (table, "number") < 0 || weft_table_find_column (table, "text") < 0)
    return FALSE;
  draw_source_lines (table);
  return TRUE;
}
