/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The commands that answer questions about a recording: all of one make. */

#include "ask.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "draw.h"
#include "print.h"
#include "text.h"

typedef struct
{
  char *filter;
  char *lane;
  char *routine;
  char *thread;
  char *mode;
  char *min_share;
  char *svg;
  char **excluded;
  char **reasons;
  char *what_if;
  char *object;
  char *from;
  char *to;
  char *at;
  char *by;
  char *group;
  char *cursor;
  char *columns;
  int limit;
  int buckets;
  gboolean all;
  gboolean inlines;
  gboolean inverted;
  gboolean source;
  gboolean assembly;
  gboolean wide;
  gboolean json;
} Options;

/* ---- Times ---- */

gboolean
ask_parse_time (const char *text, gint64 *time, GError **error)
{
  static const struct
  {
    const char *unit;
    double factor;
  } units[] = { { "s", 1e9 }, { "ms", 1e6 },   { "us", 1e3 },  { "µs", 1e3 },
                { "ns", 1 },  { "min", 6e10 }, { "h", 3.6e12 } };
  char *rest;
  double value = g_ascii_strtod (text, &rest);

  for (gsize i = 0; rest != text && i < G_N_ELEMENTS (units); i++)
    if (strcmp (rest, units[i].unit) == 0 && fabs (value * units[i].factor) < 9e18)
      {
        *time = (gint64) llround (value * units[i].factor);
        return TRUE;
      }
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
               "“%s” is no time: write a number and a unit, such as 1.5s, 20ms, 300us or 10ns",
               text);
  return FALSE;
}

gboolean
ask_parse_range (const char *from, const char *to, gint64 *begin, gint64 *end, GError **error)
{
  *begin = G_MININT64;
  *end = G_MAXINT64;
  if ((from != NULL && !ask_parse_time (from, begin, error)) ||
      (to != NULL && !ask_parse_time (to, end, error)))
    return FALSE;
  if (*begin > *end)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "--from %s is after --to %s",
                 from, to);
  return *begin <= *end;
}

static gboolean
set_range (WeftAnalysis *analysis, const Options *options, GError **error)
{
  gint64 begin, end;

  if (!ask_parse_range (options->from, options->to, &begin, &end, error))
    return FALSE;
  if (options->from != NULL || options->to != NULL)
    weft_analysis_set_range (analysis, begin, end);
  return TRUE;
}

/* ---- What is looked at ---- */

static void
append_term (GString *filter, const char *field, const char *value)
{
  g_autofree char *escaped = NULL;

  if (value == NULL)
    return;
  if (filter->len > 0)
    g_string_append_c (filter, ' ');
  if (strpbrk (value, " \t()\",") == NULL)
    {
      g_string_append_printf (filter, "%s:%s", field, value);
      return;
    }
  escaped = g_strescape (value, NULL);
  g_string_append_printf (filter, "%s:\"%s\"", field, escaped);
}

static gboolean
set_filter (WeftAnalysis *analysis, const Options *options, GError **error)
{
  g_autoptr (GString) filter = g_string_new (NULL);

  append_term (filter, "lane", options->lane);
  append_term (filter, "routine", options->routine);
  append_term (filter, "thread", options->thread);
  if (options->filter != NULL && filter->len > 0)
    g_string_append_printf (filter, " (%s)", options->filter);
  else if (options->filter != NULL)
    g_string_assign (filter, options->filter);
  return filter->len == 0 || weft_analysis_set_filter (analysis, filter->str, error);
}

/* "2 %", "0.5%" */
static gboolean
set_min_share (WeftAnalysis *analysis, const char *text, GError **error)
{
  char *rest;
  double value = g_ascii_strtod (text, &rest);

  while (g_ascii_isspace (*rest))
    rest++;
  if (rest == text || (*rest != '\0' && strcmp (rest, "%") != 0) || !(value >= 0 && value <= 100))
    {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                   "“%s” is no share: write per cent of the whole, such as 1 or 0.5%%", text);
      return FALSE;
    }
  weft_analysis_set_min_share (analysis, value / 100);
  return TRUE;
}

/* Words may be given several times, or with commas between. */
static gboolean
set_reasons (WeftAnalysis *analysis, char **reasons, GError **error)
{
  g_autofree char *joined = g_strjoinv (",", reasons);
  g_auto (GStrv) words = g_strsplit (joined, ",", -1);

  return weft_analysis_set_reasons (analysis, (const char *const *) words, error);
}

static gboolean
set_stack_options (WeftAnalysis *analysis, const Options *options, GError **error)
{
  const char *mode = options->source ? "source" : options->assembly ? "assembly" : options->mode;

  /* Of a path only the tree is a picture. */
  if (mode == NULL && options->svg != NULL &&
      strcmp (weft_analysis_get_kind (analysis), "critical-path") == 0)
    mode = "tree";

  if ((mode != NULL && !weft_analysis_set_mode (analysis, mode, error)) ||
      (options->min_share != NULL && !set_min_share (analysis, options->min_share, error)) ||
      (options->reasons != NULL && !set_reasons (analysis, options->reasons, error)))
    return FALSE;
  weft_analysis_set_excluded_symbols (analysis, (const char *const *) options->excluded);
  weft_analysis_set_inlines (analysis, options->inlines);
  weft_analysis_set_inverted (analysis, options->inverted);
  return options->what_if == NULL || weft_analysis_set_what_if (analysis, options->what_if, error);
}

static gboolean
set_options (WeftAnalysis *analysis, const Options *options, GError **error)
{
  gint64 at;

  if (!set_filter (analysis, options, error) || !set_range (analysis, options, error) ||
      !set_stack_options (analysis, options, error))
    return FALSE;
  if (options->by != NULL && !weft_analysis_set_order_by (analysis, options->by, error))
    return FALSE;
  if (options->group != NULL && !weft_analysis_set_group_by (analysis, options->group, error))
    return FALSE;
  if (options->at != NULL)
    {
      if (!ask_parse_time (options->at, &at, error))
        return FALSE;
      weft_analysis_set_at (analysis, at);
    }
  if (options->all)
    weft_analysis_set_limit (analysis, 0);
  else if (options->limit > 0)
    weft_analysis_set_limit (analysis, (guint) options->limit);
  if (options->buckets > 0)
    weft_analysis_set_buckets (analysis, (guint) options->buckets);
  weft_analysis_set_cursor (analysis, options->cursor);
  return TRUE;
}

/* ---- Words of the command line ---- */

/* "d-12" */
static gboolean
looks_like_handle (const char *word)
{
  const char *at = word;

  while (g_ascii_islower (*at))
    at++;
  return at > word && *at == '-' && g_ascii_isdigit (at[1]) &&
         strspn (at + 1, "0123456789") == strlen (at + 1);
}

static gboolean
is_file (const char *word)
{
  return g_str_has_suffix (word, ".weft") || strcmp (word, "latest") == 0 ||
         g_file_test (word, G_FILE_TEST_EXISTS);
}

/* Questions about functions, which are called like files now and then. */
static gboolean
is_about_functions (const char *kind)
{
  return strcmp (kind, "callers") == 0 || strcmp (kind, "annotate") == 0;
}

static gboolean
is_object (const char *kind, const char *word)
{
  if (is_about_functions (kind))
    return !g_str_has_suffix (word, ".weft") && strcmp (word, "latest") != 0;
  return looks_like_handle (word) || !is_file (word);
}

/* The words that are left: [OBJECT] [FILE]. */
static gboolean
split_words (const char *kind, int argc, char **argv, const char **handle, const char **file,
             GError **error)
{
  gboolean takes_handle =
      (weft_analysis_kind_get_options (kind) & WEFT_ANALYSIS_OPTION_HANDLE) != 0;
  int most = takes_handle ? 2 : 1;

  if (argc - 1 > most)
    {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "“%s” is one word too many",
                   argv[most + 1]);
      return FALSE;
    }
  if (argc == 3)
    {
      *handle = argv[1];
      *file = argv[2];
    }
  else if (argc == 2 && takes_handle && is_object (kind, argv[1]))
    *handle = argv[1];
  else if (argc == 2)
    *file = argv[1];
  return TRUE;
}

static char *
describe_words (const char *words, char **list)
{
  g_autofree char *joined = g_strjoinv (", ", list);

  return g_strdup_printf ("%s: %s", words, joined);
}

WeftRecording *
ask_open (const char *file, GError **error)
{
  g_autofree char *path = weft_recordings_resolve (file, error);
  g_autoptr (GFile) opened = NULL;

  if (path == NULL)
    return NULL;
  opened = g_file_new_for_commandline_arg (path);
  return weft_recording_open (opened, NULL, error);
}

static int
usage (GError *error)
{
  complain ("%s (see “%s --help”)", error->message, g_get_prgname ());
  return EXIT_USAGE;
}

/* TARGET is a file, which is replaced, or "-": standard output. */
static int
write_svg (WeftReport *report, const char *target, WeftRecording *recording)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *name = g_file_get_basename (weft_recording_get_file (recording));
  g_autofree char *svg = weft_flame_to_svg (report, name, &error);

  if (svg == NULL)
    return complain ("%s", error->message);
  if (strcmp (target, "-") == 0)
    fputs (svg, stdout);
  else if (!g_file_set_contents (target, svg, -1, &error))
    return complain ("%s", error->message);
  return EXIT_OK;
}

static int
print_answer (WeftReport *report, const Options *options, const PrintOptions *print)
{
  const char *unknown = print_find_unknown_column (report, print);
  g_autofree char *json = NULL;

  if (unknown != NULL)
    {
      complain ("there is no column “%s” in this answer: “--json” shows all by their names",
                unknown);
      return EXIT_USAGE;
    }
  if (!options->json)
    {
      print_report (report, print);
      return EXIT_OK;
    }
  json = weft_report_to_json (report);
  fputs (json, stdout);
  return EXIT_OK;
}

static int
answer (const char *kind, const char *handle, const char *file, const Options *options)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftRecording) recording = ask_open (file, &error);
  g_autoptr (WeftAnalysis) analysis = NULL;
  g_autoptr (WeftReport) report = NULL;
  g_auto (GStrv) columns = options->columns ? g_strsplit (options->columns, ",", -1) : NULL;
  PrintOptions print = { columns, options->wide, draw_timeline_buckets (), options->by };

  if (recording == NULL)
    return complain ("%s", error->message);
  analysis = weft_analysis_new (recording, kind, &error);
  if (analysis == NULL || !set_options (analysis, options, &error))
    return usage (error);
  weft_analysis_set_handle (analysis, handle);
  if (options->buckets > 0)
    print.n_buckets = (guint) options->buckets;
  if (!options->json)
    weft_analysis_set_buckets (analysis, print.n_buckets);
  report = weft_analysis_run (analysis, NULL, &error);
  if (report == NULL)
    return complain ("%s", error->message);
  if (options->svg != NULL)
    return write_svg (report, options->svg, recording);
  return print_answer (report, options, &print);
}

/* What shows code has all of these. */
#define MODES_OF_CODE                                                                              \
  (WEFT_ANALYSIS_OPTION_MODE | WEFT_ANALYSIS_OPTION_HANDLE | WEFT_ANALYSIS_OPTION_FILTER)

/* Only the options that KIND knows. */
static void
add_entries (GArray *entries, const char *kind, const char *groups, const char *orders,
             const char *modes, Options *options)
{
  const struct
  {
    WeftAnalysisOptions needs;
    GOptionEntry entry;
  } known[] = {
    { WEFT_ANALYSIS_OPTION_FILTER,
      { "filter", 'f', 0, G_OPTION_ARG_STRING, &options->filter,
        "Only what matches, in the filter language", "FILTER" } },
    { WEFT_ANALYSIS_OPTION_FILTER,
      { "lane", 'l', 0, G_OPTION_ARG_STRING, &options->lane, "Only this lane: name, glob or handle",
        "LANE" } },
    { WEFT_ANALYSIS_OPTION_FILTER,
      { "routine", 'r', 0, G_OPTION_ARG_STRING, &options->routine,
        "Only this routine: name, glob or handle", "ROUTINE" } },
    { WEFT_ANALYSIS_OPTION_FILTER,
      { "thread", 't', 0, G_OPTION_ARG_STRING, &options->thread,
        "Only this thread: name, glob, number or handle", "THREAD" } },
    { WEFT_ANALYSIS_OPTION_MODE,
      { "mode", 'm', 0, G_OPTION_ARG_STRING, &options->mode, modes, "WORD" } },
    { MODES_OF_CODE,
      { "source", 0, 0, G_OPTION_ARG_NONE, &options->source, "Short for --mode source", NULL } },
    { MODES_OF_CODE,
      { "assembly", 0, 0, G_OPTION_ARG_NONE, &options->assembly, "Short for --mode assembly",
        NULL } },
    { WEFT_ANALYSIS_OPTION_REASONS,
      { "reason", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->reasons,
        "Only waits of this reason, such as lock; may be given several times", "WORD" } },
    { WEFT_ANALYSIS_OPTION_INLINES,
      { "inlines", 'I', 0, G_OPTION_ARG_NONE, &options->inlines,
        "Tell inlined functions apart from those that they were inlined into", NULL } },
    { WEFT_ANALYSIS_OPTION_INVERTED,
      { "inverted", 'i', 0, G_OPTION_ARG_NONE, &options->inverted, "Callers below what they call",
        NULL } },
    { WEFT_ANALYSIS_OPTION_EXCLUDED,
      { "exclude-symbol", 'x', 0, G_OPTION_ARG_STRING_ARRAY, &options->excluded,
        "Leave functions out of stacks: name, glob, ~part or /regex/; may be given several times",
        "NAME" } },
    { WEFT_ANALYSIS_OPTION_MIN_SHARE,
      { "min-share", 0, 0, G_OPTION_ARG_STRING, &options->min_share,
        "Leave out what has less than this share of the whole", "PERCENT" } },
    { WEFT_ANALYSIS_OPTION_MIN_SHARE,
      { "svg", 0, 0, G_OPTION_ARG_FILENAME, &options->svg,
        "Draw it as a picture for a browser; - is standard output", "FILE" } },
    { WEFT_ANALYSIS_OPTION_WHAT_IF,
      { "thread", 't', 0, G_OPTION_ARG_STRING, &options->object,
        "Until this thread was done: handle, name or number", "THREAD" } },
    { WEFT_ANALYSIS_OPTION_WHAT_IF,
      { "dispatch", 'd', 0, G_OPTION_ARG_STRING, &options->object,
        "Until this dispatch was done: its handle", "DISPATCH" } },
    { WEFT_ANALYSIS_OPTION_WHAT_IF,
      { "trace", 0, 0, G_OPTION_ARG_STRING, &options->object,
        "Until this trace was done: its handle", "TRACE" } },
    { WEFT_ANALYSIS_OPTION_WHAT_IF,
      { "what-if", 0, 0, G_OPTION_ARG_STRING, &options->what_if,
        "What if this routine was so much faster, such as routine:gemm=2x", "CHANGE" } },
    { WEFT_ANALYSIS_OPTION_RANGE,
      { "from", 0, 0, G_OPTION_ARG_STRING, &options->from,
        "Only what ends after TIME from the start, such as 1.5s", "TIME" } },
    { WEFT_ANALYSIS_OPTION_RANGE,
      { "to", 0, 0, G_OPTION_ARG_STRING, &options->to, "Only what begins before TIME", "TIME" } },
    { WEFT_ANALYSIS_OPTION_AT,
      { "at", 0, 0, G_OPTION_ARG_STRING, &options->at, "At this time; the end if not given",
        "TIME" } },
    { WEFT_ANALYSIS_OPTION_GROUP,
      { "group", 'g', 0, G_OPTION_ARG_STRING, &options->group, groups, "WORD" } },
    { WEFT_ANALYSIS_OPTION_ORDER,
      { "by", 'b', 0, G_OPTION_ARG_STRING, &options->by, orders, "WORD" } },
    { WEFT_ANALYSIS_OPTION_LIMIT,
      { "limit", 'n', 0, G_OPTION_ARG_INT, &options->limit, "At most N rows", "N" } },
    { WEFT_ANALYSIS_OPTION_LIMIT,
      { "all", 'a', 0, G_OPTION_ARG_NONE, &options->all, "All rows", NULL } },
    { WEFT_ANALYSIS_OPTION_CURSOR,
      { "cursor", 0, 0, G_OPTION_ARG_STRING, &options->cursor, "Go on where an answer was cut",
        "CURSOR" } },
    { WEFT_ANALYSIS_OPTION_BUCKETS,
      { "buckets", 0, 0, G_OPTION_ARG_INT, &options->buckets, "Divide time into N parts", "N" } },
    { 0,
      { "columns", 'c', 0, G_OPTION_ARG_STRING, &options->columns, "Show these columns",
        "NAME,…" } },
    { 0,
      { "wide", 'w', 0, G_OPTION_ARG_NONE, &options->wide,
        "Show all columns, however wide the terminal", NULL } },
    { 0, { "json", 'j', 0, G_OPTION_ARG_NONE, &options->json, "Print JSON", NULL } },
  };
  WeftAnalysisOptions allowed = weft_analysis_kind_get_options (kind);

  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
    if ((known[i].needs & allowed) == known[i].needs)
      g_array_append_val (entries, known[i].entry);
}

static void
options_clear (Options *options)
{
  g_free (options->filter);
  g_free (options->lane);
  g_free (options->routine);
  g_free (options->thread);
  g_free (options->mode);
  g_free (options->min_share);
  g_free (options->svg);
  g_strfreev (options->excluded);
  g_strfreev (options->reasons);
  g_free (options->what_if);
  g_free (options->object);
  g_free (options->from);
  g_free (options->to);
  g_free (options->at);
  g_free (options->by);
  g_free (options->group);
  g_free (options->cursor);
  g_free (options->columns);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

static gboolean
check_numbers (const Options *options)
{
  if (options->limit >= 0 && options->buckets >= 0)
    return TRUE;
  complain ("--%s must not be below 1 (see “%s --help”)", options->limit < 0 ? "limit" : "buckets",
            g_get_prgname ());
  return FALSE;
}

int
command_ask (const char *kind, int argc, char **argv)
{
  g_auto (Options) options = { 0 };
  g_autoptr (GArray) entries = g_array_new (TRUE, TRUE, sizeof (GOptionEntry));
  g_auto (GStrv) group_words = weft_analysis_kind_list_groups (kind);
  g_auto (GStrv) order_words = weft_analysis_kind_list_orders (kind);
  g_auto (GStrv) mode_words = weft_analysis_kind_list_modes (kind);
  g_autofree char *groups = describe_words ("What a row stands for", group_words);
  g_autofree char *orders = describe_words ("What comes first", order_words);
  g_autofree char *modes = describe_words ("What is told", mode_words);
  gboolean takes_handle =
      (weft_analysis_kind_get_options (kind) & WEFT_ANALYSIS_OPTION_HANDLE) != 0;
  const char *handle = NULL, *file = NULL;
  g_autoptr (GError) error = NULL;
  int status;

  add_entries (entries, kind, groups, orders, modes, &options);
  if (!parse_options (weft_analysis_kind_get_summary (kind),
                      is_about_functions (kind) ? "FUNCTION [FILE]"
                      : takes_handle            ? "[OBJECT] [FILE]"
                                                : "[FILE]",
                      (GOptionEntry *) (gpointer) entries->data, &argc, &argv, &status))
    return status;
  if (!check_numbers (&options))
    return EXIT_USAGE;
  if (!split_words (kind, argc, argv, &handle, &file, &error))
    return usage (error);
  if (options.object != NULL)
    handle = options.object;
  return answer (kind, handle, file, &options);
}
