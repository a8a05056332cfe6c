/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a recording says of itself, and its objects by their handles. */

#include <string.h>

#include "weft-error.h"
#include "weft-object-private.h"
#include "weft-recording-private.h"

/* ---- Meta ---- */

/* Calls FUNC with each row of the table of facts, of those that have a key, until it returns TRUE.
 */
typedef gboolean (*MetaFunc) (WeftStore *store, const WeftPlace *place, const char *key,
                              gpointer data);

static void
each_meta (WeftStore *store, MetaFunc func, gpointer data)
{
  const WeftField *key_field = weft_model_find_field (WEFT_TABLE_META, "key");

  for (guint chunk = 0; chunk < weft_store_get_n_chunks (store, WEFT_TABLE_META); chunk++)
    {
      WeftChunkInfo info;

      weft_store_get_chunk (store, WEFT_TABLE_META, chunk, &info);
      for (guint row = 0; row < info.n_rows; row++)
        {
          const WeftPlace place = { .number = info.first_row + row, .chunk = chunk, .row = row };
          const char *key;
          guint64 id;

          weft_row_read_field (store, WEFT_TABLE_META, &place, key_field, &id, NULL);
          key = weft_store_get_string (store, (guint32) MIN (id, G_MAXUINT32));
          if (key != NULL && func (store, &place, key, data))
            return;
        }
    }
}

typedef struct
{
  const char *key;
  char *text;
  gint64 number;
  gboolean has_number;
} Fact;

static gboolean
read_fact (WeftStore *store, const WeftPlace *place, const char *key, gpointer data)
{
  Fact *fact = data;
  guint64 bits;

  if (strcmp (key, fact->key) != 0)
    return FALSE;
  if (weft_row_read_field (store, WEFT_TABLE_META, place,
                           weft_model_find_field (WEFT_TABLE_META, "number"), &bits, NULL))
    {
      fact->number = (gint64) bits;
      fact->has_number = TRUE;
    }
  weft_row_read_field (store, WEFT_TABLE_META, place,
                       weft_model_find_field (WEFT_TABLE_META, "text"), &bits, NULL);
  fact->text = g_strdup (weft_store_get_string (store, (guint32) MIN (bits, G_MAXUINT32)));
  return TRUE;
}

/**
 * weft_recording_get_meta:
 * @self: a recording
 * @key: name of a fact, such as `kernel`; see [method@Recording.list_meta]
 *
 * A fact about the recording as a whole: `host`, `command-line`, `recorder`, `processors`, … A
 * number is given as a text.
 *
 * Returns: (transfer full) (nullable): the fact, or %NULL if it is not known
 *
 * Since: 0.1
 */
char *
weft_recording_get_meta (WeftRecording *self, const char *key)
{
  g_autoptr (WeftStore) store = NULL;
  Fact fact = { .key = key };

  g_return_val_if_fail (WEFT_IS_RECORDING (self), NULL);
  g_return_val_if_fail (key != NULL, NULL);

  store = weft_recording_ref_store (self);
  each_meta (store, read_fact, &fact);
  if (fact.text == NULL && fact.has_number)
    return g_strdup_printf ("%" G_GINT64_FORMAT, fact.number);
  return fact.text;
}

static gboolean
add_key (WeftStore *store, const WeftPlace *place, const char *key, gpointer data)
{
  if (!g_ptr_array_find_with_equal_func (data, key, g_str_equal, NULL))
    g_ptr_array_add (data, g_strdup (key));
  return FALSE;
}

/**
 * weft_recording_list_meta:
 * @self: a recording
 *
 * Returns: (transfer full): the keys of [method@Recording.get_meta]
 *
 * Since: 0.1
 */
char **
weft_recording_list_meta (WeftRecording *self)
{
  g_autoptr (WeftStore) store = NULL;
  GPtrArray *keys;

  g_return_val_if_fail (WEFT_IS_RECORDING (self), NULL);

  keys = g_ptr_array_new ();
  store = weft_recording_ref_store (self);
  each_meta (store, add_key, keys);
  g_ptr_array_add (keys, NULL);
  return (char **) g_ptr_array_free (keys, FALSE);
}

/**
 * weft_recording_get_host: (get-property host)
 * @self: a recording
 *
 * Returns: (transfer full) (nullable): name of the machine that recorded
 *
 * Since: 0.1
 */
char *
weft_recording_get_host (WeftRecording *self)
{
  return weft_recording_get_meta (self, "host");
}

/**
 * weft_recording_get_command_line: (get-property command-line)
 * @self: a recording
 *
 * Returns: (transfer full) (nullable): the program that was recorded and its arguments; %NULL if
 *   the recorder started none
 *
 * Since: 0.1
 */
char *
weft_recording_get_command_line (WeftRecording *self)
{
  return weft_recording_get_meta (self, "command-line");
}

/* ---- Words ---- */

/* The text of a field, "" if there is none. */
static const char *
read_text (WeftStore *store, WeftTableId table, const WeftPlace *place, const char *field)
{
  const char *text;
  guint64 bits;

  weft_row_read_field (store, table, place, weft_model_find_field (table, field), &bits, NULL);
  text = weft_store_get_string (store, (guint32) MIN (bits, G_MAXUINT32));
  return text ? text : "";
}

static void
add_word (WeftVocabulary *vocabulary, WeftStore *store, const WeftPlace *place)
{
  g_autoptr (GError) error = NULL;

  if (!weft_vocabulary_add_row (vocabulary, read_text (store, WEFT_TABLE_WORDS, place, "domain"),
                                read_text (store, WEFT_TABLE_WORDS, place, "scope"),
                                read_text (store, WEFT_TABLE_WORDS, place, "subject"),
                                read_text (store, WEFT_TABLE_WORDS, place, "key"),
                                read_text (store, WEFT_TABLE_WORDS, place, "text"), &error))
    g_debug ("A word of the recording is left out: %s", error->message);
}

/**
 * weft_recording_get_vocabulary:
 * @self: a recording
 *
 * The words of the plugins with which it was recorded, as the file keeps them: the same on every
 * machine, whatever plugins it has.
 *
 * Returns: (transfer full): the vocabulary, a copy of one's own
 *
 * Since: 0.1
 */
WeftVocabulary *
weft_recording_get_vocabulary (WeftRecording *self)
{
  g_autoptr (WeftStore) store = NULL;
  WeftVocabulary *vocabulary;

  g_return_val_if_fail (WEFT_IS_RECORDING (self), NULL);

  store = weft_recording_ref_store (self);
  vocabulary = weft_vocabulary_new (NULL);
  for (guint chunk = 0; chunk < weft_store_get_n_chunks (store, WEFT_TABLE_WORDS); chunk++)
    {
      WeftChunkInfo info;

      weft_store_get_chunk (store, WEFT_TABLE_WORDS, chunk, &info);
      for (guint row = 0; row < info.n_rows; row++)
        add_word (vocabulary, store, &(WeftPlace){ .chunk = chunk, .row = row });
    }
  return vocabulary;
}

/* ---- Duration ---- */

/* The largest end of the rows passed. */
static void
find_end (const WeftStoreColumn *columns, gpointer data)
{
  gint64 *end = data;

  for (guint row = 0; row < columns[0].n_rows; row++)
    *end = MAX (*end, (gint64) (weft_store_column_get (&columns[0], row) +
                                weft_store_column_get (&columns[1], row)));
}

/* Chunks that cannot hold a later end are passed over, and the last ones are looked at first. */
static gint64
find_last_end (WeftStore *store)
{
  static const WeftColumnNumber columns[] = { WEFT_DISPATCHES_START, WEFT_DISPATCHES_DURATION };
  gint64 end = 0;

  for (guint i = weft_store_get_n_chunks (store, WEFT_TABLE_DISPATCHES); i > 0; i--)
    {
      guint64 min, start = 0, duration = 0;

      weft_store_get_zone (store, WEFT_TABLE_DISPATCHES, i - 1, columns[0], &min, &start);
      weft_store_get_zone (store, WEFT_TABLE_DISPATCHES, i - 1, columns[1], &min, &duration);
      if ((gint64) (start + duration) > end)
        weft_store_scan_columns (store, WEFT_TABLE_DISPATCHES, i - 1, columns, 2, find_end, &end,
                                 NULL);
    }
  return end;
}

static gint64
find_last_time (WeftStore *store, WeftTableId table, WeftColumnNumber column)
{
  gint64 last = 0;

  for (guint i = 0; i < weft_store_get_n_chunks (store, table); i++)
    {
      guint64 min, max;

      if (weft_store_get_zone (store, table, i, column, &min, &max))
        last = MAX (last, (gint64) max);
    }
  return last;
}

gint64
weft_recording_measure (WeftStore *store)
{
  static const struct
  {
    WeftTableId table;
    WeftColumnNumber time;
  } moments[] = {
    { WEFT_TABLE_METRIC_POINTS, WEFT_METRIC_POINTS_TIME },
    { WEFT_TABLE_WARNINGS, WEFT_WARNINGS_TIME },
    { WEFT_TABLE_SUBMISSION_EVENTS, WEFT_SUBMISSION_EVENTS_TIME },
    { WEFT_TABLE_OWN_COST, WEFT_OWN_COST_TIME },
  };
  Fact fact = { .key = "duration" };
  gint64 end;

  each_meta (store, read_fact, &fact);
  g_free (fact.text);
  if (fact.has_number && fact.number > 0)
    return fact.number;
  end = find_last_end (store);
  for (guint i = 0; i < G_N_ELEMENTS (moments); i++)
    end = MAX (end, find_last_time (store, moments[i].table, moments[i].time));
  return end;
}

/* ---- Objects ---- */

/* The table and number of a handle: letters, a dash, a number from 1. */
static gboolean
parse_handle (const char *handle, WeftTableId *table, guint64 *id)
{
  const char *dash = strchr (handle, '-');
  g_autofree char *prefix = dash == NULL ? NULL : g_strndup (handle, (gsize) (dash - handle));

  if (prefix == NULL || *prefix == '\0' ||
      !g_ascii_string_to_unsigned (dash + 1, 10, 1, G_MAXUINT64, id, NULL))
    return FALSE;
  *table = weft_model_find_prefix (prefix);
  return *table != WEFT_N_TABLES && weft_model_get_table (*table)->object != NULL;
}

/* "d-1 (dispatch), l-1 (lane), …" */
static char *
list_handles (void)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < WEFT_N_TABLES; i++)
    {
      const WeftTableModel *model = weft_model_get_table ((WeftTableId) i);

      if (model->prefix != NULL && model->object != NULL)
        g_string_append_printf (text, "%s%s-1 (%s)", text->len > 0 ? ", " : "", model->prefix,
                                model->name);
    }
  return g_string_free (text, FALSE);
}

/**
 * weft_recording_find:
 * @self: a recording
 * @handle: a handle, such as `d-12`
 * @error: return location for an error
 *
 * Finds an object by its handle: a prefix that names its kind, a dash, and its id. Fails with
 * %WEFT_ERROR_NO_SUCH_OBJECT.
 *
 * Returns: (transfer full): the object
 *
 * Since: 0.1
 */
WeftObject *
weft_recording_find (WeftRecording *self, const char *handle, GError **error)
{
  g_autoptr (WeftStore) store = NULL;
  GError *local = NULL;
  WeftTableId table;
  WeftPlace place;
  guint64 id;

  g_return_val_if_fail (WEFT_IS_RECORDING (self), NULL);
  g_return_val_if_fail (handle != NULL, NULL);

  if (!parse_handle (handle, &table, &id))
    {
      g_autofree char *known = list_handles ();

      g_set_error (error, WEFT_ERROR, WEFT_ERROR_NO_SUCH_OBJECT,
                   "“%s” is no handle; handles look like these: %s", handle, known);
      return NULL;
    }
  store = weft_recording_ref_store (self);
  if (weft_recording_find_row (self, store, table, id, &place, &local))
    return weft_object_new (self, store, table, &place);
  if (!g_error_matches (local, WEFT_STORE_ERROR, WEFT_STORE_ERROR_NO_SUCH_ROW))
    {
      weft_propagate_store_error (error, local);
      return NULL;
    }
  g_error_free (local);
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_NO_SUCH_OBJECT,
               "The recording has no %s; it has %" G_GUINT64_FORMAT " %s", handle,
               weft_store_get_n_rows (store, table), weft_model_get_table (table)->name);
  return NULL;
}

/**
 * weft_recording_get_source_text:
 * @self: a recording
 * @source: id of a source
 * @error: return location for an error
 *
 * The text of a source that a program registered; see also [method@Source.get_text].
 *
 * Returns: (transfer full): the text, in the encoding it was written in, mostly UTF-8
 *
 * Since: 0.1
 */
GBytes *
weft_recording_get_source_text (WeftRecording *self, guint64 source, GError **error)
{
  g_autofree char *handle = g_strdup_printf (
      "%s-%" G_GUINT64_FORMAT, weft_model_get_table (WEFT_TABLE_SOURCES)->prefix, source);
  g_autoptr (WeftObject) object = weft_recording_find (self, handle, error);
  const WeftField *text = weft_model_find_field (WEFT_TABLE_SOURCES, "text");

  if (object == NULL)
    return NULL;
  return weft_object_read_blob (
      object, (guint) (text - weft_model_get_table (WEFT_TABLE_SOURCES)->fields), error);
}
