/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "draw-flame.h"

#include <stdio.h>
#include <string.h>

#include "print.h"
#include "text.h"

#define BAR_WIDTH 20
#define FIGURES_WIDTH 20 /* of a total and a share */
#define NAME_ROOM 16     /* that branches leave to names */

/* Rows of the tree that people see: the longest. A parent is as long as its child and stands before
 * it, so that it is among them too.
 */
#define MAX_ROWS 40

typedef struct
{
  WeftTable *table;
  guint n_rows;
  guint64 whole;
  gboolean *is_shown;
  guint *n_shown;  /* children of each row that are shown */
  guint *n_hidden; /* rows below each, at whatever depth, whose parent is shown and they not */
  guint64 *hidden; /* their time */
  guint width;     /* of names with their branches */
  guint64 least;   /* time of the shortest that is shown */
  guint n_left_out;
  gboolean has_bars;
} Tree;

static guint64
number_of (const Tree *self, const char *name, guint row)
{
  int column = weft_table_find_column (self->table, name);

  return column < 0 ? 0 : weft_table_get_uint64 (self->table, (guint) column, row);
}

static const char *
string_of (const Tree *self, const char *name, guint row)
{
  int column = weft_table_find_column (self->table, name);
  const char *text = column < 0 ? NULL : weft_table_get_string (self->table, (guint) column, row);

  return text ? text : "";
}

static gboolean
is_flagged (const Tree *self, const char *name, guint row)
{
  int column = weft_table_find_column (self->table, name);

  return column >= 0 && !weft_table_is_null (self->table, (guint) column, row) &&
         weft_table_get_boolean (self->table, (guint) column, row);
}

static int
compare_totals (gconstpointer a, gconstpointer b, gpointer data)
{
  const Tree *self = data;
  guint left = *(const guint *) a, right = *(const guint *) b;
  guint64 of_left = number_of (self, "total", left);
  guint64 of_right = number_of (self, "total", right);

  if (of_left != of_right)
    return of_left > of_right ? -1 : 1;
  return left < right ? -1 : 1;
}

static void
choose_rows (Tree *self)
{
  g_autofree guint *rows = g_new (guint, self->n_rows);

  for (guint row = 0; row < self->n_rows; row++)
    rows[row] = row;
  g_qsort_with_data (rows, (int) self->n_rows, sizeof *rows, compare_totals, self);
  for (guint i = 0; i < MIN (self->n_rows, MAX_ROWS); i++)
    {
      self->is_shown[rows[i]] = TRUE;
      self->least = number_of (self, "total", rows[i]);
    }
}

/* What is not shown is told of the last row around it that is. */
static void
count_hidden (Tree *self)
{
  g_autofree guint *shown = g_new0 (guint, self->n_rows);

  for (guint row = 1; row < self->n_rows; row++)
    {
      guint parent = (guint) MIN (number_of (self, "parent", row), row - 1);

      shown[row] = self->is_shown[row] ? row : shown[parent];
      if (self->is_shown[row])
        {
          self->n_shown[parent]++;
          continue;
        }
      self->n_left_out++;
      self->n_hidden[shown[parent]]++;
      if (shown[parent] == parent)
        self->hidden[parent] += number_of (self, "total", row);
    }
}

/* A line that says that there is one more is as long as that one. */
static void
show_single_rows (Tree *self)
{
  for (guint row = 1; row < self->n_rows; row++)
    {
      guint parent = (guint) MIN (number_of (self, "parent", row), row - 1);

      if (self->is_shown[row] || !self->is_shown[parent] || self->n_hidden[parent] != 1)
        continue;
      self->is_shown[row] = TRUE;
      self->n_shown[parent]++;
      self->n_hidden[parent] = 0;
      self->n_left_out--;
    }
}

/* ---- Lines ---- */

static void
draw_bar (const Tree *self, guint row, GString *line)
{
  guint64 total = number_of (self, "total", row);
  guint64 waiting =
      strcmp (string_of (self, "time_kind", 0), "wall") == 0 ? number_of (self, "waiting", row) : 0;
  guint filled = (guint) ((double) total * BAR_WIDTH / (double) MAX (self->whole, 1) + 0.5);
  guint hollow = (guint) ((double) waiting * BAR_WIDTH / (double) MAX (self->whole, 1) + 0.5);

  filled = MIN (filled, BAR_WIDTH);
  for (guint i = 0; i < filled; i++)
    g_string_append (line, i + MIN (hollow, filled) < filled ? "█" : "░");
}

static void
print_line (const Tree *self, const char *branch, const char *name, guint64 total, const char *bar)
{
  guint room = self->width;
  gboolean is_deep = text_width (branch) + NAME_ROOM > room;
  g_autofree char *label = g_strconcat (is_deep ? "… " : branch, name, NULL);
  g_autofree char *cell = text_cell (label, room);
  g_autofree char *time = text_duration (total);

  text_print (stdout, "%s%*s %*s%s %5.1f %%%s%s\n", cell, (int) (room - text_width (cell)), "",
              (int) (10 - MIN (text_width (time), 10)), "", time,
              100 * (double) total / (double) MAX (self->whole, 1), *bar ? "  " : "", bar);
}

static char *
make_name (const Tree *self, guint row)
{
  return g_strconcat (string_of (self, "name", row), is_flagged (self, "kernel", row) ? " [k]" : "",
                      is_flagged (self, "inlined", row) ? " (inlined)" : "", NULL);
}

/* A row with what is below it. OUTER stands before its children's branches. */
static guint draw_rows (const Tree *self, guint row, const char *branch, const char *outer);

static void
draw_hidden (const Tree *self, guint row, const char *outer)
{
  g_autofree char *branch = NULL;
  g_autofree char *count = NULL;
  g_autofree char *name = NULL;

  if (self->n_hidden[row] == 0)
    return;
  /* Of a row without children that are shown only what is directly below it is worth a line. */
  branch = g_strconcat (outer, self->n_shown[row] > 0 ? "└─ " : "", NULL);
  count = text_count (self->n_hidden[row]);
  name = g_strdup_printf ("… %s more", count);
  print_line (self, branch, name, self->hidden[row], "");
}

/* A single child goes on below its parent; several branch. Returns the first row behind them. */
static guint
draw_children (const Tree *self, guint row, const char *outer)
{
  guint depth = (guint) number_of (self, "depth", row);
  gboolean is_chain = self->n_shown[row] == 1 && self->n_hidden[row] == 0;
  guint next = row + 1;
  guint n = 0;

  while (next < self->n_rows && number_of (self, "depth", next) > depth)
    {
      gboolean is_last;
      g_autofree char *branch = NULL;
      g_autofree char *inner = NULL;

      if (!self->is_shown[next] || number_of (self, "depth", next) != depth + 1)
        {
          next++;
          continue;
        }
      is_last = ++n == self->n_shown[row] && self->n_hidden[row] == 0;
      branch = g_strconcat (outer, is_chain ? "" : is_last ? "└─ " : "├─ ", NULL);
      inner = g_strconcat (outer, is_chain ? "" : is_last ? "   " : "│  ", NULL);
      next = draw_rows (self, next, branch, inner);
    }
  draw_hidden (self, row, outer);
  return next;
}

static guint
draw_rows (const Tree *self, guint row, const char *branch, const char *outer)
{
  g_autoptr (GString) bar = g_string_new (NULL);
  g_autofree char *name = make_name (self, row);

  if (self->has_bars)
    draw_bar (self, row, bar);
  print_line (self, branch, name, number_of (self, "total", row), bar->str);
  return draw_children (self, row, outer);
}

/* ---- What it is ---- */

static void
explain (const Tree *self)
{
  const char *kind = string_of (self, "time_kind", 0);

  if (strcmp (kind, "target") == 0)
    text_wrap (stdout, 0,
               "All of it is target time, of lanes that run in parallel; none of it is CPU time.");
  else if (strcmp (kind, "cpu") == 0)
    text_wrap (stdout, 0, "CPU time by samples; no target time is in it.");
  else if (strcmp (kind, "off-cpu") == 0)
    text_wrap (stdout, 0, "Time off the CPU, by the stack that waited.");
  else
    text_wrap (stdout, 0, "Wall time of threads: █ on a CPU, ░ off it.");
}

static void
explain_limit (const Tree *self)
{
  g_autofree char *left_out = text_count (self->n_left_out);
  g_autofree char *all = text_count (self->n_rows);
  g_autofree char *text = NULL;

  if (self->n_left_out == 0)
    return;
  text =
      g_strdup_printf ("%s of %s rows are left out, none with more than %.2g %%. --json, --wide "
                       "and --svg FILE have all.",
                       left_out, all, 100 * (double) self->least / (double) MAX (self->whole, 1));
  text_wrap (stdout, 0, text);
}

void
draw_flame (WeftReport *report)
{
  WeftTable *table = weft_report_get_main_table (report);
  guint n = weft_table_get_n_rows (table);
  g_autofree gboolean *is_shown = g_new0 (gboolean, n);
  g_autofree guint *n_shown = g_new0 (guint, n);
  g_autofree guint *n_hidden = g_new0 (guint, n);
  g_autofree guint64 *hidden = g_new0 (guint64, n);
  Tree self = { .table = table,
                .n_rows = n,
                .is_shown = is_shown,
                .n_shown = n_shown,
                .n_hidden = n_hidden,
                .hidden = hidden };

  self.whole = number_of (&self, "total", 0);
  self.has_bars = text_columns () >= BAR_WIDTH + FIGURES_WIDTH + 2 + 2 * NAME_ROOM;
  self.width = MAX (text_columns (), FIGURES_WIDTH + 2 * NAME_ROOM) - FIGURES_WIDTH;
  if (self.has_bars)
    self.width -= BAR_WIDTH + 2;
  choose_rows (&self);
  count_hidden (&self);
  show_single_rows (&self);
  draw_rows (&self, 0, "", "");
  explain (&self);
  explain_limit (&self);
}
