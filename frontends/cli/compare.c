/* SPDX-License-Identifier: GPL-3.0-or-later */

/* “weft compare”: what changed between recordings. */

#include "commands.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "print.h"
#include "text.h"

/* Stands for “--” between the sides while options are read, which would take it for their end. */
#define BETWEEN "\001--"
/* Rows without a change that people see. */
#define N_UNCHANGED 12

typedef struct
{
  char *filter;
  char *from;
  char *to;
  char *min_change;
  char *false_alarms;
  char *scope;
  gboolean all;
  gboolean json;
  gboolean markdown;
} Options;

static void
options_clear (Options *options)
{
  g_free (options->filter);
  g_free (options->from);
  g_free (options->to);
  g_free (options->min_change);
  g_free (options->false_alarms);
  g_free (options->scope);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

/* ---- What is asked ---- */

static gboolean
parse_percent (const char *text, double most, double *part, GError **error)
{
  char *rest;
  double value = g_ascii_strtod (text, &rest);

  while (g_ascii_isspace (*rest))
    rest++;
  if (rest != text && (*rest == '\0' || strcmp (rest, "%") == 0) && value >= 0 && value < most)
    {
      *part = value / 100;
      return TRUE;
    }
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
               "“%s” is no such share: write per cent, such as 2 or 0.5%%", text);
  return FALSE;
}

static gboolean
set_options (WeftComparison *comparison, const Options *options, GError **error)
{
  gint64 begin, end;
  double part;

  if (!ask_parse_range (options->from, options->to, &begin, &end, error) ||
      !weft_comparison_set_filter (comparison, options->filter, error))
    return FALSE;
  if (options->from != NULL || options->to != NULL)
    weft_comparison_set_range (comparison, begin, end);
  if (options->min_change != NULL)
    {
      if (!parse_percent (options->min_change, G_MAXDOUBLE, &part, error))
        return FALSE;
      weft_comparison_set_min_change (comparison, part);
    }
  if (options->false_alarms != NULL)
    {
      if (!parse_percent (options->false_alarms, 100, &part, error))
        return FALSE;
      weft_comparison_set_false_alarms (comparison, MAX (part, 1e-9));
    }
  return TRUE;
}

static gboolean
add_side (WeftComparison *comparison, WeftComparisonSide side, char **files, int n, GError **error)
{
  for (int i = 0; i < n; i++)
    {
      g_autoptr (WeftRecording) recording = ask_open (files[i], error);

      if (recording == NULL)
        {
          g_prefix_error (error, "%s: ", files[i]);
          return FALSE;
        }
      weft_comparison_add_recording (comparison, side, recording);
    }
  return TRUE;
}

/* A B, or A… -- B…: how many words stand on side A; -1 if that cannot be told. */
static int
find_sides (int argc, char **argv, int *first_b)
{
  for (int i = 1; i < argc; i++)
    if (strcmp (argv[i], BETWEEN) == 0)
      {
        *first_b = i + 1;
        return i > 1 && i + 1 < argc ? i - 1 : -1;
      }
  *first_b = 2;
  return argc == 3 ? 1 : -1;
}

/* ---- What people see ---- */

static gboolean
is_verdict (WeftTable *table, guint row, WeftComparisonVerdict verdict)
{
  return weft_table_get_uint64 (table, (guint) weft_table_find_column (table, "verdict"), row) ==
         (guint64) verdict;
}

static gboolean
is_change (WeftTable *table, guint row)
{
  return !is_verdict (table, row, WEFT_COMPARISON_VERDICT_NO_CHANGE) &&
         !is_verdict (table, row, WEFT_COMPARISON_VERDICT_CANNOT_JUDGE);
}

static gboolean
is_of_scope (WeftTable *table, guint row, const char *scope)
{
  const char *own = weft_table_get_string (table, 0, row);

  return scope == NULL || g_strcmp0 (own, scope) == 0;
}

/* “hash”, “(lane)” where a row is of a lane as a whole. */
static char *
name_row (WeftTable *table, guint row)
{
  g_autofree char *name = print_named (table, "name", row);
  g_autofree char *scope = print_named (table, "scope", row);

  return *name != '\0' ? g_steal_pointer (&name) : g_strdup_printf ("(%s)", scope);
}

/* Texts stay readable where a change is out of all proportion. */
static char *
print_part (WeftTable *table, const char *column, guint row, gboolean has_sign)
{
  int found = weft_table_find_column (table, column);
  int unit = weft_table_find_column (table, "change_unit");
  gboolean is_points = g_strcmp0 (weft_table_get_string (table, (guint) unit, row), "points") == 0;
  double value;

  if (weft_table_is_null (table, (guint) found, row))
    return g_strdup ("");
  value = weft_table_get_double (table, (guint) found, row);
  if (fabs (value) > 9999)
    return g_strdup (value < 0 ? "−lots" : "lots");
  return g_strdup_printf ("%s%.1f%s",
                          value < 0  ? "−"
                          : has_sign ? "+"
                                     : "",
                          fabs (value), is_points ? "" : " %");
}

static char *
print_interval (WeftTable *table, guint row)
{
  g_autofree char *low = print_part (table, "low", row, TRUE);
  g_autofree char *high = print_part (table, "high", row, TRUE);

  return *low == '\0' ? g_strdup ("") : g_strdup_printf ("%s … %s", low, high);
}

static char **
print_row (WeftTable *table, guint row)
{
  char **cells = g_new0 (char *, 9);
  g_autofree char *reason = print_named (table, "reason", row);
  int changed = weft_table_find_column (table, "source_changed");

  cells[0] = print_named (table, "verdict", row);
  cells[1] = name_row (table, row);
  cells[2] = print_named (table, "metric", row);
  cells[3] = print_named (table, "a", row);
  cells[4] = print_named (table, "b", row);
  cells[5] = print_part (table, "change", row, TRUE);
  cells[6] = print_interval (table, row);
  cells[7] = print_named (table, "lane", row);
  if (weft_table_get_boolean (table, (guint) changed, row))
    {
      char *name = g_strconcat (cells[1], " *", NULL);

      g_free (cells[1]);
      cells[1] = name;
    }
  return cells;
}

static char **
make_heading (void)
{
  static const char *const words[] = { "verdict", "name",          "metric", "A", "B",
                                       "change",  "95 % interval", "lane",   NULL };

  return g_strdupv ((char **) words);
}

static void
print_markdown (GPtrArray *rows)
{
  for (guint i = 0; i < rows->len; i++)
    {
      char **cells = g_ptr_array_index (rows, i);

      for (guint c = 0; cells[c] != NULL; c++)
        {
          g_auto (GStrv) parts = g_strsplit (cells[c], "|", -1);
          g_autofree char *cell = g_strjoinv ("\\|", parts);

          text_print (stdout, "%s %s", c == 0 ? "|" : " |", cell);
        }
      text_print (stdout, " |\n");
      if (i == 0)
        text_print (stdout, "|---|---|---|--:|--:|--:|---|---|\n");
    }
}

static void
print_rows (GPtrArray *rows, gboolean markdown)
{
  if (markdown)
    print_markdown (rows);
  else
    text_table_print (rows, "lLlrrrlL");
}

static void
print_heading (const char *text, gboolean markdown)
{
  if (markdown)
    text_print (stdout, "\n### %s\n\n", text);
  else
    text_heading (text);
}

/* All changes, or what did not change, most of all of routines. */
static guint
print_measures (WeftTable *table, const Options *options, gboolean changes)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  const char *scope = options->scope != NULL || changes ? options->scope : "routine";
  guint most = changes || options->all ? G_MAXUINT : N_UNCHANGED;

  g_ptr_array_add (rows, make_heading ());
  for (guint row = 0; row < weft_table_get_n_rows (table) && rows->len <= most; row++)
    if (is_change (table, row) == changes && is_of_scope (table, row, scope))
      g_ptr_array_add (rows, print_row (table, row));
  if (rows->len == 1)
    return 0;
  print_heading (changes ? "What changed" : "What did not, by the time it may have moved",
                 options->markdown);
  print_rows (rows, options->markdown);
  return rows->len - 1;
}

static void
print_recordings (WeftTable *table, gboolean markdown)
{
  for (guint row = 0; row < weft_table_get_n_rows (table); row++)
    {
      g_autofree char *side = g_ascii_strup (weft_table_get_string (table, 0, row), -1);
      g_autofree char *file = print_named (table, "file", row);
      g_autofree char *duration = print_named (table, "duration", row);
      g_autofree char *dispatches = print_named (table, "dispatches", row);
      g_autofree char *losses = print_named (table, "losses", row);

      text_print (stdout, "%s%s  %s: %s, %s dispatches%s%s%s\n", markdown ? "- " : "", side, file,
                  duration, dispatches, strcmp (losses, "0") == 0 ? "" : ", and ",
                  strcmp (losses, "0") == 0 ? "" : losses,
                  strcmp (losses, "0") == 0 ? "" : " that were not kept");
    }
}

static guint64
count_verdict (WeftTable *verdicts, WeftComparisonVerdict verdict)
{
  guint64 n = 0;

  for (guint row = 0; row < weft_table_get_n_rows (verdicts); row++)
    if (is_verdict (verdicts, row, verdict))
      n += weft_table_get_uint64 (verdicts, 2, row);
  return n;
}

static void
print_summary (WeftTable *verdicts)
{
  static const struct
  {
    WeftComparisonVerdict verdict;
    const char *words;
  } all[] = { { WEFT_COMPARISON_VERDICT_REGRESSED, "regressed" },
              { WEFT_COMPARISON_VERDICT_IMPROVED, "improved" },
              { WEFT_COMPARISON_VERDICT_CHANGED, "changed" },
              { WEFT_COMPARISON_VERDICT_NEW, "new" },
              { WEFT_COMPARISON_VERDICT_VANISHED, "vanished" },
              { WEFT_COMPARISON_VERDICT_NO_CHANGE, "without significant change" },
              { WEFT_COMPARISON_VERDICT_CANNOT_JUDGE, "that cannot be judged" } };
  g_autoptr (GString) text = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (all); i++)
    {
      guint64 n = count_verdict (verdicts, all[i].verdict);
      g_autofree char *count = text_count (n);

      if (n > 0)
        g_string_append_printf (text, "%s%s %s", text->len > 0 ? ", " : "", count, all[i].words);
    }
  text_print (stdout, "\nFigures: %s.\n", text->len > 0 ? text->str : "none");
}

static void
print_sources (WeftTable *table, gboolean markdown)
{
  for (guint row = 0; row < weft_table_get_n_rows (table); row++)
    {
      g_autofree char *source = print_named (table, "source", row);
      g_autofree char *routines = print_named (table, "routines", row);
      g_autofree char *diff = print_named (table, "diff", row);
      g_autofree char *title = g_strdup_printf ("Source changed: %s", source);

      print_heading (title, markdown);
      if (*routines != '\0')
        text_print (stdout, "Of %s (*).%s", routines, markdown ? "\n\n" : "\n");
      text_print (stdout, "%s%s%s", markdown ? "```diff\n" : "",
                  *diff != '\0' ? diff : "The recordings do not have both texts.\n",
                  markdown ? "```\n" : "");
    }
}

static void
print_ticks (WeftTable *table, gboolean markdown)
{
  const PrintOptions print = { 0 };

  if (weft_table_get_n_rows (table) == 0 || markdown)
    return;
  print_heading ("Steps that differ most", FALSE);
  print_table (table, &print);
}

static void
print_comparison (WeftReport *report, const Options *options)
{
  WeftTable *table = weft_report_get_main_table (report);

  print_recordings (weft_report_get_table (report, "recordings"), options->markdown);
  print_summary (weft_report_get_table (report, "verdicts"));
  if (print_measures (table, options, TRUE) == 0)
    text_print (stdout, "\nNo significant change.\n");
  print_measures (table, options, FALSE);
  print_sources (weft_report_get_table (report, "source_changes"), options->markdown);
  print_ticks (weft_report_get_table (report, "ticks"), options->markdown);
}

/* ---- The command ---- */

static int
compare (int argc, char **argv, const Options *options)
{
  g_autoptr (WeftComparison) comparison = weft_comparison_new ();
  g_autoptr (WeftReport) report = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *json = NULL;
  int first_b, n_a = find_sides (argc, argv, &first_b);

  if (n_a < 0)
    {
      complain ("name two recordings, or those of side A, “--” and those of side B "
                "(see “%s --help”)",
                g_get_prgname ());
      return EXIT_USAGE;
    }
  if (!set_options (comparison, options, &error))
    {
      complain ("%s (see “%s --help”)", error->message, g_get_prgname ());
      return EXIT_USAGE;
    }
  if (!add_side (comparison, WEFT_COMPARISON_SIDE_A, argv + 1, n_a, &error) ||
      !add_side (comparison, WEFT_COMPARISON_SIDE_B, argv + first_b, argc - first_b, &error))
    return complain ("%s", error->message);
  report = weft_comparison_run (comparison, NULL, &error);
  if (report == NULL)
    return complain ("%s", error->message);
  if (!options->json)
    {
      print_comparison (report, options);
      return EXIT_OK;
    }
  json = weft_report_to_json (report);
  fputs (json, stdout);
  return EXIT_OK;
}

int
command_compare (int argc, char **argv)
{
  g_auto (Options) options = { 0 };
  const GOptionEntry entries[] = {
    { "filter", 'f', 0, G_OPTION_ARG_STRING, &options.filter,
      "Only what matches, in the filter language", "FILTER" },
    { "from", 0, 0, G_OPTION_ARG_STRING, &options.from,
      "Only what ends after TIME from the start of each recording, such as 1.5s", "TIME" },
    { "to", 0, 0, G_OPTION_ARG_STRING, &options.to, "Only what begins before TIME", "TIME" },
    { "min-change", 0, 0, G_OPTION_ARG_STRING, &options.min_change,
      "Smaller changes do not matter; 1 % if not given", "PERCENT" },
    { "false-alarms", 0, 0, G_OPTION_ARG_STRING, &options.false_alarms,
      "Of the changes that are told, at most so many are none; 5 % if not given", "PERCENT" },
    { "scope", 0, 0, G_OPTION_ARG_STRING, &options.scope,
      "Show only this: routine, lane, source, counter, function, metric, derived, coverage, "
      "attachment, tick",
      "WORD" },
    { "all", 'a', 0, G_OPTION_ARG_NONE, &options.all, "All that did not change, too", NULL },
    { "markdown", 0, 0, G_OPTION_ARG_NONE, &options.markdown, "Print Markdown", NULL },
    { "json", 'j', 0, G_OPTION_ARG_NONE, &options.json, "Print JSON", NULL },
    { NULL },
  };
  g_autofree char **words = g_memdup2 (argv, ((gsize) argc + 1) * sizeof *argv);
  char **left = words;
  int status;

  for (int i = 1; i < argc; i++)
    if (strcmp (words[i], "--") == 0)
      {
        words[i] = (char *) BETWEEN;
        break;
      }
  if (!parse_options (
          "Says what changed between recordings, and whether it is more than recordings "
          "of the same program differ by: A B, or several of each with “--” between.",
          "A… [--] B…", entries, &argc, &left, &status))
    return status;
  return compare (argc, left, &options);
}
