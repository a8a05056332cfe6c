/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-table.h"

#include <string.h>

#define BYTES_PER_WRITE 65536

/* Blanks at an end are quoted too: some readers strip them. */
static gboolean
needs_quotes (const char *text)
{
  gsize length = strlen (text);

  return length == 0 || strpbrk (text, "\",\r\n") != NULL || text[0] == ' ' || text[0] == '\t' ||
         text[length - 1] == ' ' || text[length - 1] == '\t';
}

static void
append_field (GString *out, const char *text)
{
  if (!needs_quotes (text))
    {
      g_string_append (out, text);
      return;
    }
  g_string_append_c (out, '"');
  for (; *text != '\0'; text++)
    {
      if (*text == '"')
        g_string_append_c (out, '"');
      g_string_append_c (out, *text);
    }
  g_string_append_c (out, '"');
}

static void
append_value (GString *out, WeftTable *self, guint column, guint row)
{
  g_autofree char *text = NULL;

  if (weft_table_is_null (self, column, row))
    return;
  text = weft_table_get_text (self, column, row);
  append_field (out, text);
}

/* Streams in memory do not look at their cancellable. */
static gboolean
write_pending (GString *pending, GOutputStream *stream, GCancellable *cancellable, GError **error)
{
  gboolean done =
      !g_cancellable_set_error_if_cancelled (cancellable, error) &&
      g_output_stream_write_all (stream, pending->str, pending->len, NULL, cancellable, error);

  g_string_truncate (pending, 0);
  return done;
}

/**
 * weft_table_write_csv:
 * @self: a table
 * @stream: where to write it; it is flushed and stays open
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Writes the table as comma-separated values after RFC 4180: UTF-8, lines end in CR LF, the first
 * one has the columns' names.
 *
 * Values are those of [method@Table.get_text]: numbers in the column's unit (times and durations in
 * nanoseconds) that read back as the same number, words, handles. Null is an empty field, empty
 * text is `""`. Text is written as it is: a program that takes fields beginning with `=`, `+`, `-`
 * or `@` for formulas must be told to import text.
 *
 * Fails as the stream does. Part of the table may have been written then.
 *
 * Returns: whether all of it was written
 *
 * Since: 0.1
 */
gboolean
weft_table_write_csv (WeftTable *self, GOutputStream *stream, GCancellable *cancellable,
                      GError **error)
{
  g_autoptr (GString) pending = NULL;
  guint n_columns;

  g_return_val_if_fail (WEFT_IS_TABLE (self), FALSE);
  g_return_val_if_fail (G_IS_OUTPUT_STREAM (stream), FALSE);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  pending = g_string_sized_new (BYTES_PER_WRITE + 4096);
  n_columns = weft_table_get_n_columns (self);
  for (guint i = 0; i < n_columns; i++)
    {
      g_string_append (pending, i > 0 ? "," : "");
      append_field (pending, weft_table_get_column_name (self, i));
    }
  g_string_append (pending, "\r\n");
  for (guint row = 0; row < weft_table_get_n_rows (self); row++)
    {
      for (guint i = 0; i < n_columns; i++)
        {
          g_string_append (pending, i > 0 ? "," : "");
          append_value (pending, self, i, row);
        }
      g_string_append (pending, "\r\n");
      if (pending->len >= BYTES_PER_WRITE && !write_pending (pending, stream, cancellable, error))
        return FALSE;
    }
  return write_pending (pending, stream, cancellable, error) &&
         g_output_stream_flush (stream, cancellable, error);
}
