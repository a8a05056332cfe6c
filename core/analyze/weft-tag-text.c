/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-tag-text.h"

#include <string.h>

char *
weft_tag_text_new (WeftRowCursor *tag)
{
  guint64 bits = weft_row_cursor_get (tag, WEFT_TAGS_BITS);
  char number[G_ASCII_DTOSTR_BUF_SIZE];

  switch (weft_row_cursor_get (tag, WEFT_TAGS_TYPE))
    {
    case WEFT_NUMBER_STRING:
      return g_strdup (weft_row_cursor_get_string (tag, WEFT_TAGS_TEXT)
                           ? weft_row_cursor_get_string (tag, WEFT_TAGS_TEXT)
                           : "");
    case WEFT_NUMBER_INT64:
      return g_strdup_printf ("%" G_GINT64_FORMAT, (gint64) bits);
    case WEFT_NUMBER_DOUBLE:
      return g_strdup (
          g_ascii_dtostr (number, sizeof number, weft_row_cursor_get_double (tag, WEFT_TAGS_BITS)));
    case WEFT_NUMBER_BOOLEAN:
      return g_strdup (bits ? "true" : "false");
    default:
      return g_strdup_printf ("%" G_GUINT64_FORMAT, bits);
    }
}

static void
strings_free (gpointer data)
{
  g_ptr_array_unref (data);
}

static int
compare_texts (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* Arrays of texts become one text each. */
static GHashTable *
join_texts (GHashTable *lists)
{
  GHashTable *texts = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  GHashTableIter iter;
  gpointer owner, value;

  g_hash_table_iter_init (&iter, lists);
  while (g_hash_table_iter_next (&iter, &owner, &value))
    {
      GPtrArray *list = value;

      g_ptr_array_sort (list, compare_texts);
      g_ptr_array_add (list, NULL);
      g_hash_table_insert (texts, owner, g_strjoinv (" ", (char **) list->pdata));
    }
  return texts;
}

GHashTable *
weft_tag_texts_read (const WeftAnalysisScope *scope, WeftTableId owner_table, GError **error)
{
  g_autoptr (GHashTable) lists = g_hash_table_new_full (NULL, NULL, NULL, strings_free);
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (scope, WEFT_TABLE_TAGS);

  weft_row_cursor_where (rows, WEFT_TAGS_OWNER_TABLE, owner_table);
  while (weft_row_cursor_next (rows))
    {
      gpointer owner = GSIZE_TO_POINTER (weft_row_cursor_get (rows, WEFT_TAGS_OWNER));
      const char *key = weft_row_cursor_get_string (rows, WEFT_TAGS_KEY);
      g_autofree char *text = weft_tag_text_new (rows);
      GPtrArray *list = g_hash_table_lookup (lists, owner);

      if (list == NULL)
        {
          list = g_ptr_array_new_with_free_func (g_free);
          g_hash_table_insert (lists, owner, list);
        }
      g_ptr_array_add (list, g_strdup_printf ("%s=%s", key ? key : "", text));
    }
  return weft_row_cursor_finish (rows, error) ? join_texts (lists) : NULL;
}
