/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-attachment-rows.h"

#include "weft-enum-types.h"

enum
{
  HANDLE,
  KIND,
  LABEL,
  SLOT,
  ACCESS,
  ROLE,
  OFFSET,
  SIZE,
  ELEMENT_TYPE,
  SHAPE,
  RANGES,
  PRIVACY,
  N_COLUMNS
};

static const WeftAnswerColumn columns[N_COLUMNS] = {
  WEFT_ANSWER_ID ("attachment", "a"),
  WEFT_ANSWER_COLUMN ("kind", STRING),
  WEFT_ANSWER_COLUMN ("label", STRING),
  WEFT_ANSWER_COLUMN ("slot", INT64),
  WEFT_ANSWER_ENUM ("access", weft_access_get_type),
  WEFT_ANSWER_COLUMN ("role", STRING),
  WEFT_ANSWER_UNIT ("offset", UINT64, "bytes"),
  WEFT_ANSWER_UNIT ("size", UINT64, "bytes"),
  WEFT_ANSWER_COLUMN ("element_type", STRING),
  WEFT_ANSWER_COLUMN ("shape", STRING),
  WEFT_ANSWER_COLUMN ("ranges", STRING),
  WEFT_ANSWER_ENUM ("privacy", weft_privacy_get_type),
};

/* "layer 11, head 0…31", or NULL; to be freed. */
static char *
get_ranges (const WeftAnalysisScope *scope, guint64 attachment, GError **error)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (scope, WEFT_TABLE_ATTACHMENT_RANGES);
  GString *text = g_string_new (NULL);

  weft_row_cursor_where (rows, WEFT_ATTACHMENT_RANGES_ATTACHMENT, attachment);
  while (weft_row_cursor_next (rows))
    {
      const char *name = weft_row_cursor_get_string (rows, WEFT_ATTACHMENT_RANGES_NAME);
      gint64 first = weft_row_cursor_get_signed (rows, WEFT_ATTACHMENT_RANGES_FIRST);
      guint64 count = weft_row_cursor_get (rows, WEFT_ATTACHMENT_RANGES_COUNT);

      g_string_append_printf (text, "%s%s %" G_GINT64_FORMAT, text->len > 0 ? ", " : "",
                              name ? name : "", first);
      if (count == 0)
        g_string_append (text, " (none)");
      /* Modulo 2⁶⁴, as hostile as it may be. */
      else if (count > 1)
        g_string_append_printf (text, "…%" G_GINT64_FORMAT, (gint64) ((guint64) first + count - 1));
    }
  if (!weft_row_cursor_finish (rows, error))
    {
      g_string_free (text, TRUE);
      return NULL;
    }
  return g_string_free (text, FALSE);
}

static gboolean
add_row (const WeftAnalysisScope *scope, WeftTableBuilder *builder, WeftRowCursor *row,
         GError **error)
{
  static const WeftColumnNumber copied[] = {
    [KIND] = WEFT_ATTACHMENTS_KIND,   [LABEL] = WEFT_ATTACHMENTS_LABEL,
    [SLOT] = WEFT_ATTACHMENTS_SLOT,   [ACCESS] = WEFT_ATTACHMENTS_ACCESS,
    [ROLE] = WEFT_ATTACHMENTS_ROLE,   [OFFSET] = WEFT_ATTACHMENTS_OFFSET,
    [SIZE] = WEFT_ATTACHMENTS_SIZE,   [ELEMENT_TYPE] = WEFT_ATTACHMENTS_ELEMENT_TYPE,
    [SHAPE] = WEFT_ATTACHMENTS_SHAPE,
  };
  guint64 id = weft_row_cursor_get_number (row);
  g_autofree char *ranges = get_ranges (scope, id, error);

  if (ranges == NULL)
    return FALSE;
  weft_table_builder_begin_row (builder);
  weft_table_builder_set_uint64 (builder, HANDLE, id);
  for (guint i = KIND; i < G_N_ELEMENTS (copied); i++)
    weft_answer_copy (builder, i, row, copied[i]);
  weft_table_builder_set_string (builder, RANGES, *ranges ? ranges : NULL);
  weft_answer_copy (builder, PRIVACY, row, WEFT_ATTACHMENTS_PRIVACY);
  return TRUE;
}

gboolean
weft_attachment_rows_add_table (const WeftAnalysisScope *scope, WeftReport *report,
                                const char *name, guint64 dispatch, GError **error)
{
  g_autoptr (WeftTableBuilder) builder = weft_answer_begin_table (name, columns, N_COLUMNS);
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (scope, WEFT_TABLE_ATTACHMENTS);

  weft_row_cursor_where (rows, WEFT_ATTACHMENTS_DISPATCH, dispatch);
  while (weft_row_cursor_next (rows))
    if (!add_row (scope, builder, rows, error))
      return FALSE;
  if (weft_table_builder_get_n_rows (builder) == 0)
    weft_table_builder_set_hint (
        builder, "This dispatch told of nothing that it touched; a program lists what each one "
                 "reads and writes in WeftTargetDispatch.attachments (docs/producer-guide.md)");
  weft_answer_add_table (report, g_steal_pointer (&builder));
  return weft_row_cursor_finish (rows, error);
}
