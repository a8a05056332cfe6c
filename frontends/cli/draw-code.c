/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "draw-code.h"

#include <stdio.h>
#include <string.h>

#include "print.h"
#include "text.h"

/* Of a share, a time and what stands between. */
#define COST_WIDTH 19
/* Of more rows people see those that cost something, and so many around each. */
#define MAX_ROWS 200
#define AROUND 5

static guint64
number_of (WeftTable *table, const char *name, guint row)
{
  int column = weft_table_find_column (table, name);

  return column < 0 ? 0 : weft_table_get_uint64 (table, (guint) column, row);
}

/* Never NULL. */
static const char *
string_of (WeftTable *table, const char *name, guint row)
{
  int column = weft_table_find_column (table, name);
  const char *text = column < 0 ? NULL : weft_table_get_string (table, (guint) column, row);

  return text ? text : "";
}

static double
share_of (WeftTable *table, guint row)
{
  int column = weft_table_find_column (table, "share");

  return column < 0 ? 0 : weft_table_get_double (table, (guint) column, row);
}

/* The last part of a path. */
static const char *
get_file_name (const char *path)
{
  const char *slash = strrchr (path, '/');

  return slash ? slash + 1 : path;
}

/* ---- The function ---- */

static void
print_header (WeftTable *function)
{
  g_autofree char *self = print_named (function, "self", 0);
  g_autofree char *total = print_named (function, "total", 0);
  g_autofree char *samples = text_counted (number_of (function, "samples", 0), "sample", "samples");
  g_autofree char *symbol = print_named (function, "symbol", 0);
  g_autofree char *line = print_named (function, "line", 0);
  g_autofree char *elsewhere = print_named (function, "inlined_elsewhere", 0);
  g_autoptr (GString) text = g_string_new (NULL);

  g_string_append_printf (text, "%s  %s", string_of (function, "symbol_name", 0), symbol);
  if (*string_of (function, "module_name", 0))
    g_string_append_printf (text, "  %s", string_of (function, "module_name", 0));
  if (*string_of (function, "file", 0))
    g_string_append_printf (text, "  %s%s%s", string_of (function, "file", 0), *line ? ":" : "",
                            line);
  text_wrap (stdout, 0, text->str);
  g_string_printf (text, "%s itself in %s (%.1f %% of all CPU time), %s with what it called", self,
                   samples, 100 * share_of (function, 0), total);
  if (number_of (function, "inlined_elsewhere", 0) > 0)
    g_string_append_printf (text, "; %s more where it is inlined into others", elsewhere);
  text_wrap (stdout, 0, text->str);
  text_print (stdout, "\n");
}

/* " 45.3 %   1.23 ms" of what it costs itself; or "(1.23 ms)" of what it calls; or nothing. */
static char *
make_cost (WeftTable *table, guint row)
{
  g_autofree char *time = NULL;

  if (number_of (table, "total", row) == 0)
    return g_strdup_printf ("%*s", COST_WIDTH, "");
  if (number_of (table, "self", row) == 0)
    {
      time = text_duration (number_of (table, "total", row));
      return g_strdup_printf ("%*s(%s)", (int) (COST_WIDTH - 2 - MIN (text_width (time), 15)), "",
                              time);
    }
  time = text_duration (number_of (table, "self", row));
  return g_strdup_printf ("%5.1f %% %*s%s ", 100 * share_of (table, row),
                          (int) (10 - MIN (text_width (time), 10)), "", time);
}

static void
print_cut (const char *cost, const char *text)
{
  g_autofree char *cut = text_cell (text, MAX (text_columns (), COST_WIDTH + 40) - COST_WIDTH - 1);

  text_print (stdout, "%s %s\n", cost, cut);
}

static const char *
skip_blanks (const char *text)
{
  return text + strspn (text, " \t");
}

/* Whether each row is near to one that costs something; all are, if they are not too many. To be
 * freed.
 */
static gboolean *
find_near (WeftTable *table)
{
  guint n = weft_table_get_n_rows (table);
  gboolean *near = g_new0 (gboolean, n + 1);

  for (guint row = 0; row < n; row++)
    {
      guint first = row - MIN (row, AROUND);

      if (n > MAX_ROWS && number_of (table, "total", row) == 0)
        continue;
      for (guint i = first; i <= MIN (row + AROUND, n - 1); i++)
        near[i] = TRUE;
    }
  return near;
}

/* Returns the first row behind those that are left out from ROW on. */
static guint
skip_far (WeftTable *table, const gboolean *near, guint row, const char *one, const char *many)
{
  guint first = row;
  g_autofree char *count = NULL;

  while (row < weft_table_get_n_rows (table) && !near[row])
    row++;
  if (row == first)
    return row;
  count = text_counted (row - first, one, many);
  text_print (stdout, "%*s … %s without samples\n", COST_WIDTH, "", count);
  return row;
}

/* ---- Lines ---- */

/* "  12  for (…)", or further in "  ↳ dot, vector.h:3  return …". */
static char *
make_line (WeftTable *lines, guint row)
{
  guint depth = (guint) number_of (lines, "depth", row);
  const char *source = string_of (lines, "text", row);
  g_autofree char *text = text_expand (depth == 0 ? source : skip_blanks (source));
  guint64 number = number_of (lines, "line", row);

  if (depth > 0)
    return g_strdup_printf ("      %*s↳ %s, %s:%" G_GUINT64_FORMAT "  %s", (int) (2 * depth), "",
                            string_of (lines, "function", row),
                            get_file_name (string_of (lines, "file", row)), number, text);
  if (number == 0)
    return g_strdup ("     ?  (line not known)");
  return g_strdup_printf ("%6" G_GUINT64_FORMAT "  %s", number, text);
}

static void
draw_lines (WeftTable *lines)
{
  g_autofree gboolean *near = find_near (lines);
  const char *file = "";

  for (guint row = 0; row < weft_table_get_n_rows (lines); row++)
    {
      g_autofree char *cost = NULL;
      g_autofree char *line = NULL;

      row = skip_far (lines, near, row, "line", "lines");
      if (row == weft_table_get_n_rows (lines))
        return;
      cost = make_cost (lines, row);
      line = make_line (lines, row);

      if (number_of (lines, "depth", row) == 0 &&
          strcmp (file, string_of (lines, "file", row)) != 0)
        {
          file = string_of (lines, "file", row);
          text_print (stdout, "%*s %s\n", COST_WIDTH, "", file);
        }
      print_cut (cost, line);
    }
}

/* ---- Instructions ---- */

static gboolean
is_new_line (WeftTable *code, guint row)
{
  return row == 0 || number_of (code, "line", row) != number_of (code, "line", row - 1) ||
         number_of (code, "depth", row) != number_of (code, "depth", row - 1) ||
         strcmp (string_of (code, "file", row), string_of (code, "file", row - 1)) != 0 ||
         strcmp (string_of (code, "function", row), string_of (code, "function", row - 1)) != 0;
}

/* The line that instructions from ROW on are of. */
static void
print_source (WeftTable *code, guint row)
{
  guint depth = (guint) number_of (code, "depth", row);
  g_autofree char *expanded = text_expand (string_of (code, "source", row));
  g_autofree char *cost = g_strdup_printf ("%*s", COST_WIDTH, "");
  g_autofree char *text = NULL;

  if (*string_of (code, "file", row) == '\0')
    return;
  if (depth > 0)
    text = g_strdup_printf ("%*s↳ %s, %s:%" G_GUINT64_FORMAT "  %s", (int) (2 * depth), "",
                            string_of (code, "function", row),
                            get_file_name (string_of (code, "file", row)),
                            number_of (code, "line", row), skip_blanks (expanded));
  else if (*expanded)
    text = g_strdup_printf ("%" G_GUINT64_FORMAT "  %s", number_of (code, "line", row), expanded);
  else
    text = g_strdup_printf ("%s:%" G_GUINT64_FORMAT, get_file_name (string_of (code, "file", row)),
                            number_of (code, "line", row));
  print_cut (cost, text);
}

/* "    1139  call 0x1120 → memcpy", or its bytes where nobody can tell. */
static void
print_instruction (WeftTable *code, guint row)
{
  const char *text = string_of (code, "text", row);
  const char *target = string_of (code, "target_name", row);
  g_autofree char *cost = make_cost (code, row);
  g_autofree char *line =
      g_strdup_printf ("%12" G_GINT64_MODIFIER "x  %s%s%s", number_of (code, "address", row),
                       *text ? text : string_of (code, "bytes", row), *target ? " → " : "", target);

  print_cut (cost, line);
}

static void
draw_instructions (WeftTable *code, gboolean with_source)
{
  g_autofree gboolean *near = find_near (code);

  for (guint row = 0; row < weft_table_get_n_rows (code); row++)
    {
      guint first = row;

      row = skip_far (code, near, row, "instruction", "instructions");
      if (row == weft_table_get_n_rows (code))
        return;
      if (with_source && (row > first || is_new_line (code, row)))
        print_source (code, row);
      print_instruction (code, row);
    }
}

void
draw_code (WeftReport *report)
{
  WeftTable *function = weft_report_get_main_table (report);
  WeftTable *lines = weft_report_get_table (report, "lines");
  WeftTable *code = weft_report_get_table (report, "instructions");

  print_header (function);
  if (code != NULL)
    draw_instructions (code, lines != NULL);
  else if (lines != NULL)
    draw_lines (lines);
  if (weft_table_get_hint (function) != NULL && *weft_table_get_hint (function))
    {
      text_print (stdout, "\n");
      text_wrap (stdout, 0, weft_table_get_hint (function));
    }
}
