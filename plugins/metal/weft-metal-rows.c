/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-metal-rows.h"

/* ---- Made ---- */

void
weft_metal_row_set_text (GVariantDict *row, const char *field, const char *text)
{
  if (text != NULL && *text != '\0')
    g_variant_dict_insert (row, field, "s", text);
}

void
weft_metal_row_set_id (GVariantDict *row, const char *field, guint64 id)
{
  if (id != 0)
    g_variant_dict_insert (row, field, "t", id);
}

void
weft_metal_row_set_number (GVariantDict *row, const char *field, guint64 number)
{
  g_variant_dict_insert (row, field, "t", number);
}

guint64
weft_metal_row_add (WeftRecordingBuilder *builder, const char *table, GVariantDict *row,
                    GError **error)
{
  guint64 id = 0;

  if (!weft_recording_builder_add_row (builder, table, g_variant_dict_end (row), &id, error))
    return 0;
  return id;
}

gboolean
weft_metal_row_add_tag (WeftRecordingBuilder *builder, const char *table, guint64 owner,
                        const char *key, const char *text, GError **error)
{
  g_auto (GVariantDict) row = G_VARIANT_DICT_INIT (NULL);

  if (text == NULL || *text == '\0')
    return TRUE;
  weft_metal_row_set_text (&row, "owner_table", table);
  weft_metal_row_set_id (&row, "owner", owner);
  weft_metal_row_set_text (&row, "key", key);
  weft_metal_row_set_text (&row, "type", "string");
  weft_metal_row_set_text (&row, "text", text);
  return weft_metal_row_add (builder, "tags", &row, error) != 0;
}

/* ---- Read ---- */

WeftTable *
weft_metal_rows_read (WeftRecording *recording, const char *table, const char *fields,
                      GCancellable *cancellable, GError **error)
{
  g_autoptr (WeftQuery) query = weft_query_new (table, error);
  g_auto (GStrv) names = g_strsplit (fields, " ", -1);

  if (query == NULL)
    return NULL;
  for (guint i = 0; names[i] != NULL; i++)
    if (!weft_query_select (query, names[i], NULL, error))
      return NULL;
  weft_query_set_limit (query, 0);
  return weft_query_run (query, recording, cancellable, error);
}

guint
weft_metal_rows_find_table (const char *table)
{
  g_autoptr (WeftTable) tables = weft_query_list_tables ();
  guint n = weft_table_get_n_rows (tables);

  for (guint i = 0; i < n; i++)
    if (g_strcmp0 (weft_table_get_string (tables, 0, i), table) == 0)
      return i;
  return n;
}

GHashTable *
weft_metal_rows_read_tags (WeftRecording *recording, const char *table, const char *key,
                           GCancellable *cancellable, GError **error)
{
  const guint number = weft_metal_rows_find_table (table);
  g_autoptr (WeftTable) tags =
      weft_metal_rows_read (recording, "tags", "owner_table owner key text", cancellable, error);
  g_autoptr (GHashTable) texts = NULL;

  if (tags == NULL)
    return NULL;
  texts = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  for (guint i = 0; i < weft_table_get_n_rows (tags); i++)
    {
      guint64 owner = weft_table_get_uint64 (tags, 1, i);

      if (weft_table_get_uint64 (tags, 0, i) == number &&
          g_strcmp0 (weft_table_get_string (tags, 2, i), key) == 0)
        g_hash_table_insert (texts, g_memdup2 (&owner, sizeof owner),
                             g_strdup (weft_table_get_string (tags, 3, i)));
    }
  return g_steal_pointer (&texts);
}

/* ---- Copied ---- */

gboolean
weft_metal_rows_copy (WeftRecordingBuilder *builder, WeftRecording *recording,
                      const char *const *except, GCancellable *cancellable, GError **error)
{
  g_autoptr (WeftTable) tables = weft_query_list_tables ();

  for (guint i = 0; i < weft_table_get_n_rows (tables); i++)
    {
      const char *table = weft_table_get_string (tables, 0, i);

      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
      if (!g_strv_contains (except, table) &&
          !weft_recording_builder_copy_table (builder, recording, table, error))
        return FALSE;
    }
  return TRUE;
}
