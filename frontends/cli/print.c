/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "print.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "draw.h"
#include "text.h"

/* What people see of an answer first; all of it is in --json, --wide and --columns. */
typedef struct
{
  const char *table;
  const char *columns; /* with blanks between */
} Choice;

static const Choice choices[] = {
  { "target-conservation", "lane name submitted completed pending sampled_out rejected lost holds "
                    "reasons" },
  { "target-lanes", "lane name kind dispatches busy utilisation errors pending mean longest "
                    "rejected lost" },
  { "target-top", "routine lane thread submission trace source name lane_names count total self "
                  "mean p95 max share_of_target_time errors p50 p99 stddev" },
  { "top", "name module_name self self_share total total_share samples off_cpu top_reason" },
  { "target", "name time_kind lane_names count total self mean share p95 max errors" },
  { "callers", "relation name module_name total share self samples off_cpu" },
  { "stacks", "stack total share samples off_cpu" },
  { "target-outliers",
    "dispatch routine_name why duration typical distance lane_name excess start" },
  { "target-routines", "routine name source lane_names count total mean p95 max errors" },
  { "target-attachments", "attachment kind label size access role shape slot uses target_time "
                          "bytes size_min size_max reads "
                          "writes routines redacted" },
  { "target-code",
    "routine routine_name dispatch function thread_name lane_name samples cpu_time share "
    "dispatches target_time cpus file line" },
  { "target-counters", "counter counter_name set_name samples value change_total unit mean "
                       "availability errors reason total min max kind aggregation" },
  { "target-submissions", "submission lane_name queue_name dispatches target_time queue_time "
                          "wait_time status begun committed completed error" },
  { "reasons", "dispatch text distance" },
  { "counters",
    "routine name counter counter_name set_name unit point point_name time value samples "
    "errors total mean per_dispatch" },
  { "derived", "lane routine name label value unit" },
  { "losses", "lane name runtime category reason count" },
  { "threads", "thread name process_name cpu_time off_cpu top_reason samples state reason age "
               "detail since until sampled lane_names dispatched "
               "target_waits target_wait_time wall tid" },
  { "lanes", "lane name kind process_name ran target_time busy" },
  { "target-dispatches",
    "dispatch name lane_name start duration self status queue_delay thread_name "
    "submission trace" },
  { "traces", "trace name status duration error start dispatches target_time lanes" },
  { "metrics", "metric name lane_name kind last unit points min mean max total p95 tags" },
  { "warnings", "warning severity code message time lane_name dispatch value threshold" },
  { "gauges", "metric name lane_name value unit set_at tags" },
  { "running", "dispatch lane_name routine_name start age end" },
  { "pending", "lane_name routine_name submitted waiting dispatch" },
  { "target-origins", "origin role dispatch thread_name link_status stack function time submission "
                      "tid relation queued "
                      "target_time waits wait_time" },
  { "origins",
    "origin role time thread_name link_status stack function tid from_start from_end reason" },
  { "waits",
    "name wait thread_name reason count duration detail waker_name stack share mean longest "
    "top_reason start process_name begin end overlap covers_end same_thread tid" },
  { "wakers", "wakee_name waker_name waker_kind count waited wait_stack waker_stack share longest "
              "top_reason wakee waker" },
  { "critical-path", "start duration kind thread_name routine_name reason link evidence confidence "
                     "lane_name cause stack" },
  { "path", "wall proven_share sampler thread_name dispatch proven approximate assumed unknown "
            "segments begin end missing" },
  { "parts", "kind name lane_name duration share segments thread routine" },
  { "off-cpu",
    "name reason off_cpu share count running queued completion longest thread dispatch" },
  { "what_if", "routine_name factor wall forecast change share dispatches target_time" },
  { "takes_over", "kind name lane_name before after change thread routine" },
  { NULL, NULL },
};

/* Parts of an answer that are for programs, and for people only with --wide. */
static const char *const parts_not_shown[] = { "tables", "own_cost", "program_counts", NULL };

/* Rows of a part that people see at first. */
#define PART_ROWS 20

static gboolean
is_nanoseconds (const char *unit)
{
  return g_strcmp0 (unit, "ns") == 0 || g_strcmp0 (unit, "nanoseconds") == 0;
}

/* Units that a number is written with. */
static gboolean
is_written_with (const char *unit)
{
  static const char *const units[] = { "percent", "ratio", "ns", "nanoseconds", "bytes", NULL };

  return unit != NULL && g_strv_contains (units, unit);
}

/* VALUE is not negative. */
static char *
print_magnitude (double value, const char *unit)
{
  if (g_strcmp0 (unit, "percent") == 0)
    return g_strdup_printf ("%.1f %%", value);
  if (g_strcmp0 (unit, "ratio") == 0)
    return g_strdup_printf ("%.1f %%", 100 * value);
  if (is_nanoseconds (unit) && value < 1000 && value != floor (value))
    return g_strdup_printf ("%.3g ns", value);
  if (is_nanoseconds (unit) && value < (double) G_MAXINT64)
    return text_duration ((guint64) llround (value));
  if (g_strcmp0 (unit, "bytes") == 0 && value < (double) G_MAXINT64)
    return text_bytes ((guint64) llround (value));
  if (value == floor (value) && value < 1e15)
    return text_count ((guint64) value);
  return is_written_with (unit) ? g_strdup_printf ("%.4g %s", value, unit)
                                : g_strdup_printf ("%.4g", value);
}

static char *
print_number (double value, const char *unit)
{
  g_autofree char *text = print_magnitude (fabs (value), unit);

  return g_strconcat (value < 0 ? "−" : "", text, NULL);
}

/* The unit of a value: of its column, or what its row says of itself. */
static const char *
unit_of (WeftTable *table, guint column, guint row)
{
  const char *unit = weft_table_get_column_unit (table, column);
  int told = unit == NULL ? weft_table_find_column (table, "unit") : -1;

  return told < 0 ? unit : weft_table_get_string (table, (guint) told, row);
}

/* The text of a row's unit, if its values do not show it. */
static char *
print_string (WeftTable *table, guint column, guint row)
{
  if (strcmp (weft_table_get_column_name (table, column), "unit") == 0 &&
      is_written_with (weft_table_get_string (table, column, row)))
    return g_strdup ("");
  return weft_table_get_text (table, column, row);
}

static char *
print_difference (gint64 difference)
{
  g_autofree char *text = text_duration ((guint64) ABS (difference));

  return g_strconcat (difference < 0 ? "−" : "", text, NULL);
}

/* DATE: nanoseconds since 1970. */
static char *
print_date (gint64 date)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_local (date / 1000000000);

  return time ? g_date_time_format (time, "%Y-%m-%d %H:%M:%S %z") : g_strdup ("?");
}

static char *
print_int64 (WeftTable *table, guint column, guint row)
{
  gint64 number = weft_table_get_int64 (table, column, row);

  if (g_strcmp0 (weft_table_get_column_unit (table, column), "ns") != 0)
    return weft_table_get_text (table, column, row);
  /* Everything else of this unit is relative to it. */
  if (strcmp (weft_table_get_column_name (table, column), "start") == 0)
    return print_date (number);
  return print_difference (number);
}

static char *
print_time (gint64 time)
{
  return g_strdup_printf ("%s%.6f s", time < 0 ? "−" : "", fabs ((double) time / 1e9));
}

/* Numbers that name something are no quantities. */
static gboolean
is_name (const char *column)
{
  static const char *const names[] = { "pid", "tid", "line", "slot", "version", "major", "minor" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_str_has_suffix (column, names[i]))
      return TRUE;
  return FALSE;
}

char *
print_value (WeftTable *table, guint column, guint row)
{
  const char *unit = weft_table_get_column_unit (table, column);

  if (weft_table_is_null (table, column, row))
    return g_strdup ("");
  switch (weft_table_get_column_type (table, column))
    {
    case WEFT_VALUE_TIME:
      return print_time (weft_table_get_int64 (table, column, row));
    case WEFT_VALUE_DURATION:
      return text_duration (weft_table_get_uint64 (table, column, row));
    case WEFT_VALUE_INT64:
      return print_int64 (table, column, row);
    case WEFT_VALUE_UINT64:
      if (g_strcmp0 (unit, "bytes") == 0)
        return text_bytes (weft_table_get_uint64 (table, column, row));
      if (is_name (weft_table_get_column_name (table, column)))
        return weft_table_get_text (table, column, row);
      return text_count (weft_table_get_uint64 (table, column, row));
    case WEFT_VALUE_DOUBLE:
      return print_number (weft_table_get_double (table, column, row),
                           unit_of (table, column, row));
    case WEFT_VALUE_BOOLEAN:
      return g_strdup (weft_table_get_boolean (table, column, row) ? "yes" : "no");
    case WEFT_VALUE_STRING:
      return print_string (table, column, row);
    default:
      return weft_table_get_text (table, column, row);
    }
}

char *
print_named (WeftTable *table, const char *name, guint row)
{
  int column = weft_table_find_column (table, name);

  return column < 0 ? g_strdup ("") : print_value (table, (guint) column, row);
}

/* ---- Which columns ---- */

static const char *
find_choice (const char *table)
{
  for (guint i = 0; choices[i].table != NULL; i++)
    if (strcmp (choices[i].table, table) == 0)
      return choices[i].columns;
  return NULL;
}

static gboolean
is_empty (WeftTable *table, guint column)
{
  for (guint row = 0; row < weft_table_get_n_rows (table); row++)
    {
      g_autofree char *text = print_value (table, column, row);

      if (*text != '\0')
        return FALSE;
    }
  return TRUE;
}

static gboolean
has_column (WeftReport *report, const char *name)
{
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (report)); i++)
    {
      g_autoptr (WeftTable) table = g_list_model_get_item (G_LIST_MODEL (report), i);

      if (weft_table_find_column (table, name) >= 0)
        return TRUE;
    }
  return FALSE;
}

const char *
print_find_unknown_column (WeftReport *report, const PrintOptions *options)
{
  for (guint i = 0; options->columns != NULL && options->columns[i] != NULL; i++)
    if (!has_column (report, options->columns[i]))
      return options->columns[i];
  return NULL;
}

static gboolean
is_figure (WeftTable *table, guint column)
{
  WeftValueType type = weft_table_get_column_type (table, column);

  return type != WEFT_VALUE_STRING && type != WEFT_VALUE_ENUM && type != WEFT_VALUE_ID;
}

/* What ORDER names is the first figure, so that it is seen however narrow the terminal. */
static void
show_order (WeftTable *table, GArray *chosen, const char *order)
{
  int found = order == NULL
                  ? -1
                  : weft_table_find_column (table, strcmp (order, "time") == 0 ? "total" : order);
  guint column = (guint) found;
  guint place = 0;

  if (found < 0 || !is_figure (table, column))
    return;
  for (guint i = 0; i < chosen->len; i++)
    if (g_array_index (chosen, guint, i) == column)
      g_array_remove_index (chosen, i--);
  while (place < chosen->len && !is_figure (table, g_array_index (chosen, guint, place)))
    place++;
  g_array_insert_val (chosen, place, column);
}

/* element type guint */
static GArray *
choose_columns (WeftTable *table, const PrintOptions *options)
{
  GArray *chosen = g_array_new (FALSE, FALSE, sizeof (guint));
  const char *choice = find_choice (weft_table_get_name (table));
  g_auto (GStrv) names = NULL;

  if (options->columns != NULL)
    names = g_strdupv (options->columns);
  else if (choice != NULL && !options->wide)
    names = g_strsplit (choice, " ", -1);

  for (guint i = 0; names != NULL && names[i] != NULL; i++)
    {
      int found = weft_table_find_column (table, names[i]);
      guint column = (guint) found;

      if (found >= 0 && (options->columns != NULL || !is_empty (table, column)))
        g_array_append_val (chosen, column);
    }
  for (guint column = 0; names == NULL && column < weft_table_get_n_columns (table); column++)
    if (options->wide || !is_empty (table, column))
      g_array_append_val (chosen, column);
  if (options->columns == NULL && !options->wide)
    show_order (table, chosen, options->order);
  return chosen;
}

/* ---- Tables ---- */

/* Texts that are of no use cut to the width of a name. */
static const char *const sentences[] = { "error", "message",    "reason",      "text",       "why",
                                         "stack", "wait_stack", "waker_stack", "call_stack", NULL };

static char
align_of (WeftTable *table, guint column)
{
  switch (weft_table_get_column_type (table, column))
    {
    case WEFT_VALUE_STRING:
      return g_strv_contains (sentences, weft_table_get_column_name (table, column)) ? 'T' : 'L';
    case WEFT_VALUE_ENUM:
    case WEFT_VALUE_ID:
    case WEFT_VALUE_BOOLEAN:
      return 'l';
    default:
      return 'r';
    }
}

static char **
print_row (WeftTable *table, GArray *columns, guint row)
{
  char **cells = g_new0 (char *, columns->len + 1);

  for (guint i = 0; i < columns->len; i++)
    cells[i] = print_value (table, g_array_index (columns, guint, i), row);
  return cells;
}

static void
print_rows (WeftTable *table, guint n_rows, const PrintOptions *options)
{
  g_autoptr (GArray) columns = choose_columns (table, options);
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  g_autoptr (GString) align = g_string_new (NULL);
  char **heading;

  if (columns->len == 0)
    return;
  heading = g_new0 (char *, columns->len + 1);
  for (guint i = 0; i < columns->len; i++)
    {
      guint column = g_array_index (columns, guint, i);

      heading[i] = g_strdup (weft_table_get_column_title (table, column));
      g_string_append_c (align, align_of (table, column));
    }
  g_ptr_array_add (rows, heading);
  for (guint row = 0; row < n_rows; row++)
    g_ptr_array_add (rows, print_row (table, columns, row));
  text_table_print_within (rows, align->str, options->wide ? G_MAXUINT : text_columns ());
}

void
print_table (WeftTable *table, const PrintOptions *options)
{
  print_rows (table, weft_table_get_n_rows (table), options);
}

/* ---- One row as lines of names and values ---- */

/* The value of the column that NAME with SUFFIX names; NULL if there is none or nothing in it. */
static char *
print_beside (WeftTable *table, const char *name, const char *suffix)
{
  g_autofree char *beside = g_strconcat (name, suffix, NULL);
  g_autofree char *text = print_named (table, beside, 0);

  return *text ? g_steal_pointer (&text) : NULL;
}

/* Told on the line of the object that it is of: "lane  l-17 GPU queue 0 (metal.queue)". */
static gboolean
is_told_beside (WeftTable *table, const char *name)
{
  static const char *const suffixes[] = { "_name", "_kind_label", "_kind" };

  /* What the thing is called stands before it. */
  if (g_str_has_suffix (name, "_word"))
    return TRUE;
  for (gsize i = 0; i < G_N_ELEMENTS (suffixes); i++)
    if (g_str_has_suffix (name, suffixes[i]))
      {
        g_autofree char *object = g_strndup (name, strlen (name) - strlen (suffixes[i]));
        int column = weft_table_find_column (table, object);

        return column >= 0 && weft_table_get_column_type (table, (guint) column) == WEFT_VALUE_ID &&
               !weft_table_is_null (table, (guint) column, 0);
      }
  return FALSE;
}

/* What is as it mostly is. */
static gboolean
is_unremarkable (WeftTable *table, guint column, const char *value)
{
  if (weft_table_get_column_type (table, column) == WEFT_VALUE_BOOLEAN)
    return !weft_table_get_boolean (table, column, 0);
  return weft_table_get_column_type (table, column) == WEFT_VALUE_ENUM &&
         strcmp (value, "none") == 0;
}

static char *
print_fact (WeftTable *table, guint column)
{
  const char *name = weft_table_get_column_name (table, column);
  g_autofree char *value = print_value (table, column, 0);
  g_autofree char *called = NULL;
  g_autofree char *kind = NULL;

  if (weft_table_get_column_type (table, column) != WEFT_VALUE_ID || *value == '\0')
    return g_steal_pointer (&value);
  called = print_beside (table, name, "_name");
  kind = print_beside (table, name, "_kind_label");
  if (kind == NULL)
    kind = print_beside (table, name, "_kind");
  return g_strdup_printf ("%s%s%s%s%s%s", value, called ? " " : "", called ? called : "",
                          kind ? " (" : "", kind ? kind : "", kind ? ")" : "");
}

static gboolean
is_fact_shown (WeftTable *table, guint column, const PrintOptions *options)
{
  g_autofree char *value = print_value (table, column, 0);

  if (options->wide || options->columns != NULL)
    return TRUE;
  return *value && !is_unremarkable (table, column, value) &&
         !is_told_beside (table, weft_table_get_column_name (table, column));
}

/* As people of its field call it. */
static char *
print_title (WeftTable *table, guint column, const PrintOptions *options)
{
  const char *name = weft_table_get_column_name (table, column);
  char *word = options->wide ? NULL : print_beside (table, name, "_word");

  return word ? word : g_strdup (weft_table_get_column_title (table, column));
}

static void
print_single (WeftTable *table, const PrintOptions *options)
{
  g_autoptr (GArray) columns = choose_columns (table, options);
  guint width = 0;

  for (guint i = columns->len; i-- > 0;)
    if (!is_fact_shown (table, g_array_index (columns, guint, i), options))
      g_array_remove_index (columns, i);
  for (guint i = 0; i < columns->len; i++)
    {
      g_autofree char *title = print_title (table, g_array_index (columns, guint, i), options);

      width = MAX (width, text_width (title));
    }
  for (guint i = 0; i < columns->len; i++)
    {
      guint column = g_array_index (columns, guint, i);
      g_autofree char *title = print_title (table, column, options);
      g_autofree char *fact =
          options->wide ? print_value (table, column, 0) : print_fact (table, column);

      text_print (stdout, "%s%*s  ", title, (int) (width - text_width (title)), "");
      if (options->wide)
        text_print (stdout, "%s\n", fact);
      else
        text_wrap_from (stdout, width + 2, width + 2, fact);
    }
}

/* ---- Reports ---- */

static void
print_hint (WeftTable *table)
{
  if (weft_table_get_hint (table) != NULL)
    text_wrap (stdout, 0, weft_table_get_hint (table));
}

static void
print_part (WeftTable *table, const PrintOptions *options)
{
  guint n_rows = weft_table_get_n_rows (table);
  guint shown = options->wide ? n_rows : MIN (n_rows, PART_ROWS);
  g_autofree char *title = g_strdelimit (g_strdup (weft_table_get_name (table)), "-_", ' ');

  title[0] = g_ascii_toupper (title[0]);
  text_heading (title);
  if (options->columns != NULL || options->wide || !draw_part (table))
    {
      print_rows (table, shown, options);
      if (shown < n_rows)
        text_print (stdout, "… %u more: --wide, --json\n", n_rows - shown);
    }
  print_hint (table);
}

static void
print_parts (WeftReport *report, const PrintOptions *options)
{
  for (guint i = 1; i < g_list_model_get_n_items (G_LIST_MODEL (report)); i++)
    {
      g_autoptr (WeftTable) table = g_list_model_get_item (G_LIST_MODEL (report), i);

      if (weft_table_get_n_rows (table) > 0 &&
          (options->wide || !g_strv_contains (parts_not_shown, weft_table_get_name (table))))
        print_part (table, options);
    }
}

static void
print_cursor (WeftTable *table)
{
  if (weft_table_get_cursor (table) != NULL)
    text_print (stdout, "There is more: --limit N, --all, or go on with\n--cursor %s\n",
                weft_table_get_cursor (table));
}

void
print_report (WeftReport *report, const PrintOptions *options)
{
  WeftTable *table = weft_report_get_main_table (report);

  if (draw_report (report, options))
    {
      if (draw_leaves_parts (report))
        print_parts (report, options);
      return;
    }
  if (weft_report_is_single (report))
    print_single (table, options);
  else if (weft_table_get_n_rows (table) > 0)
    print_table (table, options);
  else if (weft_table_get_hint (table) == NULL)
    text_print (stdout, "Nothing.\n");
  print_hint (table);
  print_cursor (table);
  print_parts (report, options);
}
