/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "text.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DEFAULT_COLUMNS 80
/* Columns that are cut keep so much, where others to their right can be left out instead. */
#define LEAST_COLUMN 16
#define LEAST_SENTENCE 32

char *
text_duration (guint64 nanoseconds)
{
  double value = (double) nanoseconds;

  if (nanoseconds < 1000)
    return g_strdup_printf ("%" G_GUINT64_FORMAT " ns", nanoseconds);
  if (value < 1e6)
    return g_strdup_printf ("%.2f µs", value / 1e3);
  if (value < 1e9)
    return g_strdup_printf ("%.2f ms", value / 1e6);
  return g_strdup_printf ("%.2f s", value / 1e9);
}

char *
text_bytes (guint64 bytes)
{
  static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
  double value = (double) bytes;
  guint unit = 0;

  while (value >= 1024 && unit + 1 < G_N_ELEMENTS (units))
    {
      value /= 1024;
      unit++;
    }
  return g_strdup_printf (unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

char *
text_count (guint64 count)
{
  g_autofree char *plain = g_strdup_printf ("%" G_GUINT64_FORMAT, count);
  GString *text = g_string_new (NULL);
  gsize length = strlen (plain);

  for (gsize i = 0; i < length; i++)
    {
      if (i > 0 && (length - i) % 3 == 0)
        g_string_append_c (text, ',');
      g_string_append_c (text, plain[i]);
    }
  return g_string_free (text, FALSE);
}

char *
text_counted (guint64 count, const char *one, const char *many)
{
  g_autofree char *number = text_count (count);

  return g_strconcat (number, " ", count == 1 ? one : many, NULL);
}

/* Display columns of a character. */
static guint
width_of (gunichar c)
{
  if (g_unichar_iszerowidth (c))
    return 0;
  return g_unichar_iswide (c) ? 2 : 1;
}

guint
text_width (const char *text)
{
  guint width = 0;

  for (; *text; text = g_utf8_next_char (text))
    width += width_of (g_utf8_get_char (text));
  return width;
}

char *
text_cell (const char *text, guint width)
{
  GString *cell = g_string_new (NULL);
  guint used = 0;

  for (; *text; text = g_utf8_next_char (text))
    {
      gunichar c = g_utf8_get_char (text);

      if (!g_unichar_isprint (c))
        c = 0xfffd;
      if (used + width_of (c) > width - (*g_utf8_next_char (text) ? 1 : 0))
        {
          g_string_append (cell, "…");
          break;
        }
      g_string_append_unichar (cell, c);
      used += width_of (c);
    }
  return g_string_free (cell, FALSE);
}

void
text_vprint (FILE *stream, const char *format, va_list arguments)
{
  g_autofree char *raw = g_strdup_vprintf (format, arguments);
  g_autofree char *valid = g_utf8_make_valid (raw, -1);
  g_autoptr (GString) text = g_string_new (NULL);

  for (const char *at = valid; *at; at = g_utf8_next_char (at))
    {
      gunichar c = g_utf8_get_char (at);

      g_string_append_unichar (text, c == '\n' || g_unichar_isprint (c) ? c : 0xfffd);
    }
  fputs (text->str, stream);
}

void
text_print (FILE *stream, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  text_vprint (stream, format, arguments);
  va_end (arguments);
}

guint
text_columns (void)
{
  struct winsize size;
  const char *given = g_getenv ("COLUMNS");

  if (isatty (STDOUT_FILENO) && ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20)
    return size.ws_col;
  if (given != NULL && atoi (given) > 20)
    return (guint) atoi (given);
  return DEFAULT_COLUMNS;
}

static void
print_cell (const char *text, guint width, gboolean right, gboolean last)
{
  g_autofree char *cell = text_cell (text, width);
  int padding = (int) (width - MIN (text_width (cell), width));

  if (right)
    printf ("%*s%s", padding, "", cell);
  else
    printf ("%s%*s", cell, last ? 0 : padding, "");
  fputs (last ? "\n" : "  ", stdout);
}

static guint
least_width (char align)
{
  if (align == 'L')
    return LEAST_COLUMN;
  return align == 'T' ? LEAST_SENTENCE : G_MAXUINT;
}

/* Takes from the widest columns that may give way until all fit; returns how much is still too
 * much.
 */
static guint
shrink (guint *widths, const char *align, guint n, guint excess)
{
  while (excess > 0)
    {
      guint widest = G_MAXUINT;

      for (guint c = 0; c < n; c++)
        if (widths[c] > least_width (align[c]) &&
            (widest == G_MAXUINT || widths[c] > widths[widest]))
          widest = c;
      if (widest == G_MAXUINT)
        return excess;
      widths[widest]--;
      excess--;
    }
  return 0;
}

/* Cuts WIDTHS so that a line fits into WIDTH; returns how many columns are left. */
static guint
fit (guint *widths, const char *align, guint n, guint width)
{
  for (guint shown = n; shown > 1; shown--)
    {
      g_autofree guint *tried = g_memdup2 (widths, n * sizeof *widths);
      guint total = 2 * (shown - 1);

      for (guint c = 0; c < shown; c++)
        total += tried[c];
      if (total <= width || shrink (tried, align, shown, total - width) == 0)
        {
          memcpy (widths, tried, n * sizeof *widths);
          return shown;
        }
    }
  widths[0] = MIN (widths[0], width);
  return 1;
}

void
text_table_print_within (GPtrArray *rows, const char *align, guint width)
{
  guint n = (guint) strlen (align);
  g_autofree guint *widths = g_new0 (guint, n);
  guint shown;

  for (guint r = 0; r < rows->len; r++)
    {
      char **row = g_ptr_array_index (rows, r);

      for (guint c = 0; c < n; c++)
        widths[c] = MAX (widths[c], text_width (row[c]));
    }
  shown = fit (widths, align, n, width);

  for (guint r = 0; r < rows->len; r++)
    {
      char **row = g_ptr_array_index (rows, r);
      guint end = shown;

      while (end > 1 && row[end - 1][0] == '\0')
        end--;
      for (guint c = 0; c < end; c++)
        print_cell (row[c], widths[c], align[c] == 'r', c + 1 == end);
    }
  if (shown < n)
    {
      g_autofree char *left = g_strjoinv (", ", (char **) g_ptr_array_index (rows, 0) + shown);
      g_autofree char *line = g_strdup_printf ("Not shown: %s", left);

      text_wrap (stdout, 0, line);
    }
}

void
text_table_print (GPtrArray *rows, const char *align)
{
  text_table_print_within (rows, align, text_columns ());
}

void
text_heading (const char *title)
{
  const char *plain = g_getenv ("NO_COLOR");
  gboolean bold = isatty (STDOUT_FILENO) && (plain == NULL || *plain == '\0');

  printf ("\n%s", bold ? "\033[1m" : "");
  text_print (stdout, "%s", title);
  printf ("%s\n", bold ? "\033[0m" : "");
}

/* Where TEXT has to be broken to fit into WIDTH columns. */
static const char *
find_break (const char *text, guint width)
{
  guint used = 0;

  for (; *text && used + width_of (g_utf8_get_char (text)) <= width; text = g_utf8_next_char (text))
    used += width_of (g_utf8_get_char (text));
  return text;
}

/* Words of TEXT, those that are wider than WIDTH in pieces. */
static GStrv
split_words (const char *text, guint width)
{
  g_auto (GStrv) words = g_strsplit (text, " ", -1);
  g_autoptr (GStrvBuilder) pieces = g_strv_builder_new ();

  for (guint i = 0; words[i] != NULL; i++)
    {
      const char *at = words[i];

      do
        {
          const char *end = find_break (at, width);
          g_autofree char *piece = g_strndup (at, (gsize) (end - at));

          g_strv_builder_add (pieces, piece);
          at = end;
        }
      while (*at);
    }
  return g_strv_builder_end (pieces);
}

void
text_wrap_from (FILE *stream, guint used, guint indent, const char *text)
{
  guint room = MAX (text_columns (), indent + 20);
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  g_auto (GStrv) words = split_words (valid, room - indent);

  for (guint i = 0; words[i] != NULL; i++)
    {
      guint width = text_width (words[i]);
      gboolean first = i == 0 && used > 0;

      if (!first && used > 0 && used + 1 + width > room)
        {
          fputc ('\n', stream);
          used = 0;
        }
      if (used == 0)
        fprintf (stream, "%*s", (int) indent, "");
      else if (!first)
        fputc (' ', stream);
      used = (used ? used + (first ? 0 : 1) : indent) + width;
      text_print (stream, "%s", words[i]);
    }
  fputc ('\n', stream);
}

void
text_wrap (FILE *stream, guint indent, const char *text)
{
  text_wrap_from (stream, 0, indent, text);
}
char *
text_expand (const char *text)
{
  GString *expanded = g_string_new (NULL);

  for (guint column = 0; *text; text++)
    if (*text == '\t')
      do
        {
          g_string_append_c (expanded, ' ');
          column++;
        }
      while (column % 8 != 0);
    else
      {
        g_string_append_c (expanded, *text);
        column += (*text & 0xc0) == 0x80 ? 0 : 1;
      }
  return g_string_free (expanded, FALSE);
}

gboolean
text_parse_size (const char *text, guint64 *size)
{
  static const struct
  {
    const char *name;
    double factor;
  } units[] = { { "", 1 },     { "B", 1 },         { "kB", 1e3 },      { "MB", 1e6 },
                { "GB", 1e9 }, { "KiB", 1 << 10 }, { "MiB", 1 << 20 }, { "GiB", 1 << 30 } };
  char *end;
  double number = g_ascii_strtod (text, &end);

  for (guint i = 0; end != text && number >= 0 && i < G_N_ELEMENTS (units); i++)
    if (g_ascii_strcasecmp (end, units[i].name) == 0 && number * units[i].factor < 9e18)
      {
        *size = (guint64) (number * units[i].factor);
        return TRUE;
      }
  return FALSE;
}
