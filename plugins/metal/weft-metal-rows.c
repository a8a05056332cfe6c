/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-metal-rows.h"

#include <glib/gstdio.h>

#include "weft-metal-domain.h"

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

static gboolean
add_word (WeftRecordingBuilder *builder, WeftVocabulary *words, guint index, GError **error)
{
  static const char *const fields[] = { "domain", "scope", "subject", "key", "text" };
  g_auto (GVariantDict) row = G_VARIANT_DICT_INIT (NULL);
  const char *texts[G_N_ELEMENTS (fields)];

  weft_vocabulary_get_row (words, index, &texts[0], &texts[1], &texts[2], &texts[3], &texts[4]);
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    weft_metal_row_set_text (&row, fields[i], texts[i]);
  return weft_metal_row_add (builder, "words", &row, error) != 0;
}

gboolean
weft_metal_rows_add_words (WeftRecordingBuilder *builder, GError **error)
{
  g_autoptr (WeftDomain) domain = weft_metal_domain_new ();
  g_autoptr (WeftVocabulary) words = weft_domain_get_vocabulary (domain);
  g_auto (GVariantDict) plugin = G_VARIANT_DICT_INIT (NULL);

  for (guint i = 0; i < weft_vocabulary_get_n_rows (words); i++)
    if (!add_word (builder, words, i, error))
      return FALSE;
  weft_metal_row_set_text (&plugin, "name", "metal");
  weft_metal_row_set_text (&plugin, "version", WEFT_VERSION);
  return weft_metal_row_add (builder, "plugins", &plugin, error) != 0;
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

/* ---- Finished ---- */

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

static gboolean
add_finding (WeftRecordingBuilder *builder, WeftFinding *finding, GError **error)
{
  g_autoptr (GEnumClass) verdicts = g_type_class_ref (WEFT_TYPE_VERDICT);
  g_autofree char *handles = g_strjoinv (" ", (GStrv) weft_finding_get_handles (finding));
  g_auto (GVariantDict) row = G_VARIANT_DICT_INIT (NULL);

  weft_metal_row_set_text (&row, "domain", "metal");
  weft_metal_row_set_text (&row, "check", weft_finding_get_check (finding));
  weft_metal_row_set_text (&row, "question", weft_finding_get_question (finding));
  weft_metal_row_set_text (
      &row, "verdict", g_enum_get_value (verdicts, weft_finding_get_verdict (finding))->value_nick);
  weft_metal_row_set_text (&row, "evidence", weft_finding_get_evidence (finding));
  weft_metal_row_set_text (&row, "advice", weft_finding_get_advice (finding));
  weft_metal_row_set_text (&row, "handles", handles);
  return weft_metal_row_add (builder, "findings", &row, error) != 0;
}

static gboolean
write_findings (const char *path, const char *output, GCancellable *cancellable, GError **error)
{
  static const char *const nothing[] = { NULL };
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (WeftRecording) recording = weft_recording_open (file, cancellable, error);
  g_autoptr (WeftDomain) domain = weft_metal_domain_new ();
  g_autoptr (WeftRecordingBuilder) builder = NULL;
  g_autoptr (GListModel) findings = NULL;

  if (recording == NULL)
    return FALSE;
  findings = weft_domain_diagnose (domain, recording, cancellable, error);
  builder = findings ? weft_recording_builder_new (output, error) : NULL;
  if (builder == NULL || !weft_metal_rows_copy (builder, recording, nothing, cancellable, error))
    return FALSE;
  for (guint i = 0; i < g_list_model_get_n_items (findings); i++)
    {
      g_autoptr (WeftFinding) finding = g_list_model_get_item (findings, i);

      if (!add_finding (builder, finding, error))
        return FALSE;
    }
  return weft_recording_builder_finish (builder, cancellable, error);
}

gboolean
weft_metal_rows_finish (WeftRecordingBuilder *builder, const char *path, const char *output,
                        GCancellable *cancellable, GError **error)
{
  gboolean good = weft_recording_builder_finish (builder, cancellable, error) &&
                  write_findings (path, output, cancellable, error);

  g_unlink (path);
  return good;
}
