/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Flame graphs as pictures. All that comes from a recording is text, and is written as such. */

#include "weft-flame.h"

#include <string.h>

#include "weft-error.h"
#include "weft-figure-text.h"
#include "weft-flame-parts.h"
#include "weft-flame-rows.h"

#define WIDTH 1200
#define PAD 10
#define ROW 17
#define TOP 64
#define CHARACTER 6.63 /* of a letter in the font of the boxes */
#define LEGEND_ROW 20
/* What is narrower is not drawn: it could not be seen. */
#define NARROWEST 0.4
#define TITLE_CHARACTER 9.8
#define WORDS "Find a name (key /)"

/* ---- Colours ---- */

typedef struct
{
  const char *class;
  const char *light;
  const char *dark;
  const char *label; /* NULL: named by what it is used for */
} Colour;

#define N_NAMED 8 /* files of code, or routines, that have a colour of their own */

/* clang-format off */
static const Colour colours[] = {
  { "m0", "#a8c8f0", "#2f5b8f", NULL },
  { "m1", "#f6c793", "#875a22", NULL },
  { "m2", "#b2dba6", "#3c6e38", NULL },
  { "m3", "#dcc0ea", "#6a4a80", NULL },
  { "m4", "#a4dcd4", "#2a6a66", NULL },
  { "m5", "#f2b5bf", "#874655", NULL },
  { "m6", "#e6d88c", "#6f641d", NULL },
  { "m7", "#d3c1ab", "#675440", NULL },
  { "mo", "#d3d8dd", "#4a5159", "all others" },
  { "k",  "#f0a07c", "#984a28", "kernel" },
  { "g",  "#e6e9ec", "#343a40", "threads, lanes" },
  { "c",  "#bfc5cb", "#5b636b", "outer part not known" },
  { "t",  "#7fd1b9", "#1f7a62", "target work waited for" },
  { "r-idle",       "#e3e7ea", "#3a4046", "idle" },
  { "r-lock",       "#ee8a8a", "#94312f", "lock" },
  { "r-semaphore",  "#f5b0a1", "#8a4436", "semaphore or condition" },
  { "r-ipc",        "#cdb8ec", "#5d4a85", "other process" },
  { "r-io-read",    "#97cfe0", "#256577", "read" },
  { "r-io-write",   "#8ec9ae", "#2c6a4d", "write" },
  { "r-readiness",  "#bcd3ee", "#3d5878", "readiness" },
  { "r-sleep",      "#cfd6dc", "#49525b", "sleep" },
  { "r-connect",    "#b9b3ea", "#4b4788", "connection" },
  { "r-page-fault", "#e9cf84", "#77601c", "memory" },
  { "r-preempted",  "#f3dc78", "#7d6a14", "preempted" },
  { "r-other",      "#cbc3b6", "#575044", "other wait" },
};
/* clang-format on */

#define OTHER_CODE N_NAMED
#define OTHER_WAIT (G_N_ELEMENTS (colours) - 1)

static guint
find_colour (const char *class)
{
  for (guint i = 0; i < G_N_ELEMENTS (colours); i++)
    if (strcmp (colours[i].class, class) == 0)
      return i;
  return OTHER_WAIT;
}

/* ---- What is drawn ---- */

typedef struct
{
  double x;
  double width;
  double filled; /* of it by the children so far */
  guint y;       /* row of the picture */
  guint colour;
  gboolean is_drawn;
} Box;

typedef struct
{
  WeftTable *table;
  const char *title;
  guint n_rows;
  Box *boxes;
  guint n_lines; /* rows of the picture */
  guint n_left_out;
  guint n_inlined;
  gboolean by_time;
  gint64 begin;
  gint64 end;
  const char *named[N_NAMED];
  guint n_named;
  guint used[G_N_ELEMENTS (colours)];
  GString *out;
} Picture;

static guint64
get_number (const Picture *self, guint column, guint row)
{
  return weft_table_get_uint64 (self->table, column, row);
}

static gint64
get_time (const Picture *self, guint column, guint row)
{
  return weft_table_get_int64 (self->table, column, row);
}

/* Never NULL. */
static const char *
get_string (const Picture *self, guint column, guint row)
{
  const char *text = weft_table_get_string (self->table, column, row);

  return text ? text : "";
}

static gboolean
is_flagged (const Picture *self, guint column, guint row)
{
  return !weft_table_is_null (self->table, column, row) &&
         weft_table_get_boolean (self->table, column, row);
}

static gboolean
is_kind (const Picture *self, guint row, const char *kind)
{
  return strcmp (get_string (self, WEFT_FLAME_KIND, row), kind) == 0;
}

/* ---- Which colour what has ---- */

/* What has one of the named colours: the file of a function, the routine of a span; or NULL. */
static const char *
get_colour_key (const Picture *self, guint row)
{
  if (is_kind (self, row, "span"))
    return get_string (self, WEFT_FLAME_NAME, row);
  if (!is_kind (self, row, "function") || is_flagged (self, WEFT_FLAME_KERNEL, row))
    return NULL;
  return *get_string (self, WEFT_FLAME_MODULE_NAME, row)
             ? get_string (self, WEFT_FLAME_MODULE_NAME, row)
             : NULL;
}

typedef struct
{
  const char *name;
  guint64 self;
} Share;

static int
compare_shares (gconstpointer a, gconstpointer b)
{
  const Share *left = a;
  const Share *right = b;

  if (left->self != right->self)
    return left->self > right->self ? -1 : 1;
  return strcmp (left->name, right->name);
}

/* Those that have most time of their own. */
static void
name_colours (Picture *self)
{
  g_autoptr (GHashTable) places = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GArray) shares = g_array_new (FALSE, FALSE, sizeof (Share));

  for (guint row = 0; row < self->n_rows; row++)
    {
      const char *key = get_colour_key (self, row);
      gpointer place;

      if (key == NULL)
        continue;
      if (!g_hash_table_lookup_extended (places, key, NULL, &place))
        {
          Share share = { key, 0 };

          place = GUINT_TO_POINTER (shares->len);
          g_hash_table_insert (places, (gpointer) key, place);
          g_array_append_val (shares, share);
        }
      g_array_index (shares, Share, GPOINTER_TO_UINT (place)).self +=
          get_number (self, WEFT_FLAME_SELF, row);
    }
  g_array_sort (shares, compare_shares);
  self->n_named = MIN (shares->len, N_NAMED);
  for (guint i = 0; i < self->n_named; i++)
    self->named[i] = g_array_index (shares, Share, i).name;
}

static guint
choose_colour (const Picture *self, guint row)
{
  const char *key = get_colour_key (self, row);
  g_autofree char *reason = NULL;

  for (guint i = 0; key != NULL && i < self->n_named; i++)
    if (strcmp (self->named[i], key) == 0)
      return i;
  if (is_kind (self, row, "function") || is_kind (self, row, "span"))
    return is_flagged (self, WEFT_FLAME_KERNEL, row) ? find_colour ("k") : OTHER_CODE;
  if (is_kind (self, row, "reason"))
    {
      reason = g_strconcat ("r-", get_string (self, WEFT_FLAME_REASON, row), NULL);
      return find_colour (reason);
    }
  if (is_kind (self, row, "cut"))
    return find_colour ("c");
  return find_colour (is_kind (self, row, "target") ? "t" : "g");
}

/* ---- Where things are ---- */

/* Beside its siblings by weight; by time where it ran, each thread below the last. */
static void
place_box (Picture *self, guint row, guint *band)
{
  Box *box = &self->boxes[row];
  guint depth = (guint) get_number (self, WEFT_FLAME_DEPTH, row);
  Box *parent =
      row == 0 ? NULL : &self->boxes[MIN (get_number (self, WEFT_FLAME_PARENT, row), row - 1)];
  const double room = WIDTH - 2 * PAD;
  double whole;

  if (self->by_time)
    {
      whole = MAX ((double) self->end - (double) self->begin, 1);
      box->x =
          room * (((double) get_time (self, WEFT_FLAME_START, row) - (double) self->begin) / whole);
      box->width = room * (((double) get_time (self, WEFT_FLAME_STOP, row) -
                            (double) get_time (self, WEFT_FLAME_START, row)) /
                           whole);
      if (depth == 1)
        *band = self->n_lines;
      box->y = depth == 0 ? 0 : *band + depth - 1;
    }
  else
    {
      whole = MAX ((double) get_number (self, WEFT_FLAME_TOTAL, 0), 1);
      box->x = parent == NULL ? 0 : parent->x + parent->filled;
      box->width = room * ((double) get_number (self, WEFT_FLAME_TOTAL, row) / whole);
      if (parent != NULL)
        parent->filled += box->width;
      box->y = depth;
    }
  box->is_drawn = box->width >= NARROWEST && (parent == NULL || parent->is_drawn);
  self->n_left_out += !box->is_drawn;
  if (box->is_drawn)
    self->n_lines = MAX (self->n_lines, box->y + 1);
}

static void
lay_out (Picture *self)
{
  guint band = 1;

  self->boxes = g_new0 (Box, MAX (self->n_rows, 1));
  self->by_time = self->n_rows > 0 && !weft_table_is_null (self->table, WEFT_FLAME_START, 0);
  if (self->by_time)
    {
      self->begin = get_time (self, WEFT_FLAME_START, 0);
      self->end = get_time (self, WEFT_FLAME_STOP, 0);
    }
  name_colours (self);
  for (guint row = 0; row < self->n_rows; row++)
    {
      place_box (self, row, &band);
      self->boxes[row].colour = choose_colour (self, row);
      self->used[self->boxes[row].colour] += self->boxes[row].is_drawn;
    }
}

/* ---- Text ---- */

/* What XML does not allow, what terminals obey and what turns the direction of text is replaced. */
static gboolean
is_allowed (gunichar c)
{
  return c >= 0x20 && (c < 0x7f || c > 0x9f) && c != 0xfffe && c != 0xffff &&
         !(c >= 0x202a && c <= 0x202e) && !(c >= 0x2066 && c <= 0x2069);
}

static void
append_text (GString *out, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);

  for (const char *at = valid; *at; at = g_utf8_next_char (at))
    {
      gunichar c = g_utf8_get_char (at);

      if (c == '<')
        g_string_append (out, "&lt;");
      else if (c == '>')
        g_string_append (out, "&gt;");
      else if (c == '&')
        g_string_append (out, "&amp;");
      else if (c == '"')
        g_string_append (out, "&quot;");
      else
        g_string_append_unichar (out, is_allowed (c) ? c : 0xfffd);
    }
}

/* The same in every locale. */
static void
append_number (GString *out, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  g_ascii_formatd (text, sizeof text, "%.2f", value);
  g_string_append (out, text);
}

static void
append_share (GString *out, double share)
{
  append_number (out, 100 * share);
  g_string_append (out, " %");
}

static void
append_duration (GString *out, guint64 time)
{
  g_autofree char *text = weft_figure_text ((double) time, WEFT_UNIT_NANOSECONDS, NULL);

  g_string_append (out, text);
}

static char *
cut_name (const char *name, double width)
{
  glong room = (glong) ((width - 6) / CHARACTER);
  g_autofree char *start = NULL;

  if (room < 3)
    return NULL;
  if (g_utf8_strlen (name, -1) <= room)
    return g_strdup (name);
  start = g_utf8_substring (name, 0, room - 1);
  return g_strconcat (start, "…", NULL);
}

/* ---- Boxes ---- */

static const char *
count_what (const Picture *self, guint row)
{
  const char *kind = get_string (self, WEFT_FLAME_TIME_KIND, row);

  if (strcmp (kind, "cpu") == 0)
    return "samples";
  if (strcmp (kind, "off-cpu") == 0)
    return "waits";
  return is_kind (self, row, "target") || strcmp (kind, "wall") == 0 ? "samples and waits"
                                                                     : "dispatches";
}

static void
append_part (GString *out, const char *words, guint64 time)
{
  if (time == 0)
    return;
  g_string_append (out, words);
  append_duration (out, time);
}

/* Its lines: the name, where it is from, its figures. */
static void
append_tooltip (Picture *self, guint row)
{
  GString *out = self->out;
  guint64 total = get_number (self, WEFT_FLAME_TOTAL, row);
  guint64 whole = get_number (self, WEFT_FLAME_TOTAL, 0);

  append_text (out, get_string (self, WEFT_FLAME_NAME, row));
  if (*get_string (self, WEFT_FLAME_MODULE_NAME, row))
    {
      g_string_append_c (out, '\n');
      append_text (out, get_string (self, WEFT_FLAME_MODULE_NAME, row));
    }
  if (is_flagged (self, WEFT_FLAME_INLINED, row))
    g_string_append (out, "\ninlined");
  if (is_flagged (self, WEFT_FLAME_KERNEL, row))
    g_string_append (out, "\nkernel");
  g_string_append_c (out, '\n');
  append_duration (out, total);
  g_string_append (out, " (");
  append_share (out, whole ? (double) total / (double) whole : 0);
  g_string_append_printf (out, "), %" G_GUINT64_FORMAT " %s",
                          get_number (self, WEFT_FLAME_COUNT, row), count_what (self, row));
  append_part (out, "\nself ", get_number (self, WEFT_FLAME_SELF, row));
  append_part (out, "\noff the CPU ", get_number (self, WEFT_FLAME_WAITING, row));
  append_part (out, "\nof it while target work ran ", get_number (self, WEFT_FLAME_TARGET, row));
}

static double
get_y (guint line)
{
  return TOP + line * ROW;
}

static void
append_label (Picture *self, const Box *box, const char *name)
{
  g_autofree char *label = cut_name (name, box->width);

  if (label == NULL)
    return;
  g_string_append (self->out, "<text x=\"");
  append_number (self->out, PAD + box->x + 3);
  g_string_append (self->out, "\" y=\"");
  append_number (self->out, get_y (box->y) + 12.5);
  g_string_append (self->out, "\">");
  append_text (self->out, label);
  g_string_append (self->out, "</text>");
}

static void
append_box (Picture *self, guint row)
{
  const Box *box = &self->boxes[row];
  GString *out = self->out;

  g_string_append_printf (out, "<g class=\"b %s%s\" data-w=\"", colours[box->colour].class,
                          is_flagged (self, WEFT_FLAME_INLINED, row) ? " in" : "");
  append_number (out, box->width);
  g_string_append (out, "\"><title>");
  append_tooltip (self, row);
  g_string_append (out, "</title><rect x=\"");
  append_number (out, PAD + box->x);
  g_string_append (out, "\" y=\"");
  append_number (out, get_y (box->y));
  g_string_append (out, "\" width=\"");
  append_number (out, MAX (box->width - 0.6, 0.2));
  g_string_append_printf (out, "\" height=\"%d\" rx=\"1.5\"/>", ROW - 1);
  append_label (self, box, get_string (self, WEFT_FLAME_NAME, row));
  g_string_append (out, "</g>\n");
}

/* ---- What is around ---- */

static void
append_line (Picture *self, const char *class, const char *id, double x, double y)
{
  g_string_append_printf (self->out, "<text class=\"%s\"", class);
  if (id != NULL)
    g_string_append_printf (self->out, " id=\"%s\"", id);
  g_string_append (self->out, " x=\"");
  append_number (self->out, x);
  g_string_append (self->out, "\" y=\"");
  append_number (self->out, y);
  g_string_append (self->out, "\">");
}

static const char *
describe_time (const Picture *self)
{
  const char *kind = self->n_rows > 0 ? get_string (self, WEFT_FLAME_TIME_KIND, 0) : "";

  if (strcmp (kind, "cpu") == 0)
    return "CPU time, by samples";
  if (strcmp (kind, "off-cpu") == 0)
    return "Time off the CPU";
  if (strcmp (kind, "wall") == 0)
    return "Wall time of threads, on the CPU and off it";
  return "Target time of lanes, which run in parallel; none of it is CPU time";
}

static void
append_summary (Picture *self)
{
  GString *out = self->out;

  if (self->n_rows == 0)
    {
      append_text (out, weft_table_get_hint (self->table) ? weft_table_get_hint (self->table)
                                                          : "There is nothing to show.");
      return;
    }
  g_string_append (out, describe_time (self));
  g_string_append (out, ": ");
  append_duration (out, get_number (self, WEFT_FLAME_TOTAL, 0));
  g_string_append_printf (out, ", %" G_GUINT64_FORMAT " %s", get_number (self, WEFT_FLAME_COUNT, 0),
                          count_what (self, 0));
  if (self->by_time)
    g_string_append (out, ", from left to right as it happened");
  if (self->n_left_out > 0)
    g_string_append_printf (out, ". %u boxes too narrow to be seen are left out", self->n_left_out);
}

#define N_TICKS 6

static void
append_ticks (Picture *self)
{
  const double room = WIDTH - 2 * PAD;
  guint64 length = (guint64) self->end - (guint64) self->begin;

  for (guint i = 0; self->by_time && i <= N_TICKS; i++)
    {
      double x = PAD + room * i / N_TICKS;
      g_autofree char *text = weft_figure_text (
          (double) self->begin + (double) length * i / N_TICKS, WEFT_UNIT_NANOSECONDS, NULL);

      g_string_append (self->out, "<line class=\"tick\" x1=\"");
      append_number (self->out, x);
      g_string_append (self->out, "\" x2=\"");
      append_number (self->out, x);
      g_string_append_printf (self->out, "\" y1=\"%d\" y2=\"", TOP - 12);
      append_number (self->out, get_y (self->n_lines));
      g_string_append_printf (self->out, "\"/><text class=\"l\" text-anchor=\"%s\" x=\"",
                              i == 0         ? "start"
                              : i == N_TICKS ? "end"
                                             : "middle");
      append_number (self->out, x);
      g_string_append_printf (self->out, "\" y=\"%d\">", TOP - 3);
      append_text (self->out, text);
      g_string_append (self->out, "</text>\n");
    }
}

/* Returns the y below it. */
static double
append_legend (Picture *self, double y)
{
  double x = PAD;

  for (guint i = 0; i < G_N_ELEMENTS (colours); i++)
    {
      const char *name = i < N_NAMED ? self->named[i] : colours[i].label;
      g_autofree char *label = NULL;
      double width;

      if (self->used[i] == 0)
        continue;
      label = cut_name (name, 30 * CHARACTER);
      width = 22 + (double) g_utf8_strlen (label, -1) * CHARACTER + 14;
      if (x + width > WIDTH - PAD)
        {
          x = PAD;
          y += LEGEND_ROW;
        }
      g_string_append_printf (self->out, "<g class=\"%s\"><rect x=\"", colours[i].class);
      append_number (self->out, x);
      g_string_append (self->out, "\" y=\"");
      append_number (self->out, y);
      g_string_append (self->out, "\" width=\"13\" height=\"13\" rx=\"2\"/></g>");
      append_line (self, "l", NULL, x + 19, y + 11);
      append_text (self->out, label);
      g_string_append (self->out, "</text>\n");
      x += width;
    }
  if (self->n_inlined > 0)
    {
      append_line (self, "l", NULL, x, y + 11);
      g_string_append (self->out, "paler: inlined</text>\n");
    }
  return y + LEGEND_ROW;
}

static void
append_style (GString *out)
{
  g_string_append (out, "<style><![CDATA[\n" WEFT_FLAME_STYLE);
  for (guint i = 0; i < G_N_ELEMENTS (colours); i++)
    g_string_append_printf (out, ".%s rect { fill: %s; }\n", colours[i].class, colours[i].light);
  g_string_append (out, "@media (prefers-color-scheme: dark) {\n" WEFT_FLAME_DARK);
  for (guint i = 0; i < G_N_ELEMENTS (colours); i++)
    g_string_append_printf (out, ".%s rect { fill: %s; }\n", colours[i].class, colours[i].dark);
  g_string_append (out, "}\n]]></style>\n");
}

static void
append_head (Picture *self, int height)
{
  GString *out = self->out;
  /* The field to search in stands to the right of it. */
  g_autofree char *title = cut_name (self->title, (WIDTH - 240) * CHARACTER / TITLE_CHARACTER);

  g_string_append (out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
  g_string_append_printf (out,
                          "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
                          "viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"title summary\">\n",
                          WIDTH, height, WIDTH, height);
  g_string_append (out, "<title id=\"title\">");
  append_text (out, self->title);
  g_string_append (out, "</title>\n<desc id=\"summary\">");
  append_summary (self);
  g_string_append (out, "</desc>\n");
  append_style (out);
  g_string_append_printf (out, "<rect class=\"bg\" width=\"%d\" height=\"%d\"/>\n", WIDTH, height);
  append_line (self, "h", NULL, PAD, 26);
  append_text (out, title);
  g_string_append (out, "</text>\n");
  append_line (self, "s", NULL, PAD, 45);
  append_summary (self);
  g_string_append (out, "</text>\n");
}

static void
append_foot (Picture *self, double y)
{
  append_line (self, "d", "detail", PAD, y + 13);
  g_string_append (self->out, "</text>\n");
  g_string_append_printf (
      self->out, "<text class=\"s\" id=\"found\" text-anchor=\"end\" x=\"%d\" y=\"45\"/>\n",
      WIDTH - PAD);
  g_string_append_printf (
      self->out, "<script><![CDATA[\nconst PAD = %d, CHARACTER = %d / 100, WORDS = \"%s\";\n", PAD,
      (int) (CHARACTER * 100 + 0.5), WORDS);
  g_string_append (self->out, WEFT_FLAME_SCRIPT "]]></script>\n</svg>\n");
}

static char *
draw (WeftTable *table, const char *title)
{
  g_autoptr (GString) body = g_string_new (NULL);
  Picture self = { .table = table, .title = title, .n_rows = weft_table_get_n_rows (table) };
  double y;

  self.out = body;
  lay_out (&self);
  append_ticks (&self);
  for (guint row = 0; row < self.n_rows; row++)
    if (self.boxes[row].is_drawn)
      {
        append_box (&self, row);
        self.n_inlined += is_flagged (&self, WEFT_FLAME_INLINED, row);
      }
  y = append_legend (&self, get_y (self.n_lines) + 10);
  append_foot (&self, y);
  self.out = g_string_new (NULL);
  append_head (&self, (int) y + 26);
  g_string_append_len (self.out, body->str, (gssize) body->len);
  g_free (self.boxes);
  return g_string_free (self.out, FALSE);
}

/**
 * weft_flame_to_svg:
 * @report: an answer of the analysis `flame`, in whatever mode, or of `critical-path` in mode `tree`
 * @title: what stands above the picture
 * @error: return location for an error
 *
 * Draws a flame graph as a picture that needs nothing else: it can be opened in a browser, where it
 * can be searched, zoomed by a click and walked through with the arrow keys, or be shown by
 * whatever shows SVG. Nothing in it asks for anything from outside, and the same report makes the
 * same picture. Colours are by file of code, by kind and by reason, and suit light and dark
 * surroundings.
 *
 * Boxes too narrow to be seen are left out; the picture says how many.
 *
 * Returns: (transfer full): an SVG document, or %NULL if @report is no flame graph
 *   ([error@Weft.Error.INVALID_QUERY])
 *
 * Since: 0.1
 */
char *
weft_flame_to_svg (WeftReport *report, const char *title, GError **error)
{
  WeftTable *table;

  g_return_val_if_fail (WEFT_IS_REPORT (report), NULL);
  g_return_val_if_fail (title != NULL, NULL);

  table = weft_report_get_main_table (report);
  if (table != NULL && weft_flame_rows_are_in (table))
    return draw (table, title);
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY,
               "An answer of “%s” is no flame graph; “flame” can be drawn as one, and "
               "“critical-path” as a tree",
               weft_report_get_name (report));
  return NULL;
}

/**
 * weft_flame_write_svg:
 * @report: an answer of the analysis `flame`, in whatever mode
 * @title: what stands above the picture
 * @stream: where to
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Writes what [func@flame_to_svg] draws.
 *
 * Returns: whether all was written
 *
 * Since: 0.1
 */
gboolean
weft_flame_write_svg (WeftReport *report, const char *title, GOutputStream *stream,
                      GCancellable *cancellable, GError **error)
{
  g_autofree char *svg = NULL;

  g_return_val_if_fail (WEFT_IS_REPORT (report), FALSE);
  g_return_val_if_fail (title != NULL, FALSE);
  g_return_val_if_fail (G_IS_OUTPUT_STREAM (stream), FALSE);

  svg = weft_flame_to_svg (report, title, error);
  return svg != NULL &&
         g_output_stream_write_all (stream, svg, strlen (svg), NULL, cancellable, error);
}
