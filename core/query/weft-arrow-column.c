/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-arrow-private.h"

#include <string.h>

#include "weft-enum-types.h"
#include "weft-error.h"

static gboolean
is_null (const WeftArrowColumn *self, gsize row)
{
  if (self->bits != NULL && !(self->bits[row / 8] >> (row % 8) & 1))
    return TRUE;
  return self->type == WEFT_VALUE_ID && ((const guint64 *) self->values)[row] == 0;
}

static gboolean
check_durations (const WeftArrowColumn *self, GError **error)
{
  const guint64 *values = (const guint64 *) self->values;
  gsize n = weft_table_get_n_rows (self->table);

  for (gsize i = 0; i < n; i++)
    if (values[i] > G_MAXINT64 && !is_null (self, i))
      {
        g_set_error (error, WEFT_ERROR, WEFT_ERROR_OUT_OF_RANGE,
                     "Row %" G_GSIZE_FORMAT " of column %s lasts %" G_GUINT64_FORMAT
                     " ns, more than a duration in Arrow can; write CSV instead",
                     i, weft_table_get_column_name (self->table, self->position), values[i]);
        return FALSE;
      }
  return TRUE;
}

/* Numbers without a word become words: the same as the table shows for them. */
static void
name_the_nameless (WeftArrowColumn *self, guint n_words)
{
  g_autoptr (GHashTable) added = g_hash_table_new (NULL, NULL);
  const guint32 *values = (const guint32 *) self->values;
  gsize n = weft_table_get_n_rows (self->table);
  guint32 *indices = g_new (guint32, n);

  for (gsize i = 0; i < n; i++)
    {
      gpointer key = GUINT_TO_POINTER (values[i]);
      gpointer index;

      indices[i] = is_null (self, i) ? 0 : values[i];
      if (indices[i] < n_words)
        continue;
      if (!g_hash_table_lookup_extended (added, key, NULL, &index))
        {
          index = GUINT_TO_POINTER (self->words->len);
          g_hash_table_insert (added, key, index);
          g_ptr_array_add (self->numbers, g_strdup_printf ("%u", values[i]));
          g_ptr_array_add (self->words, self->numbers->pdata[self->numbers->len - 1]);
        }
      indices[i] = GPOINTER_TO_UINT (index);
    }
  g_bytes_unref (self->indices);
  self->indices = g_bytes_new_take (indices, n * sizeof *indices);
}

static void
init_words (WeftArrowColumn *self)
{
  const char *const *words = weft_table_get_column_dictionary (self->table, self->position);
  const guint32 *values = (const guint32 *) self->values;
  gsize n = weft_table_get_n_rows (self->table);
  guint n_words;

  self->words = g_ptr_array_new ();
  self->numbers = g_ptr_array_new_with_free_func (g_free);
  for (n_words = 0; words != NULL && words[n_words] != NULL; n_words++)
    g_ptr_array_add (self->words, (gpointer) words[n_words]);
  self->indices = g_bytes_ref (weft_table_get_column_data (self->table, self->position));
  for (gsize i = 0; i < n; i++)
    if (values[i] >= n_words && !is_null (self, i))
      {
        name_the_nameless (self, n_words);
        break;
      }
}

gboolean
weft_arrow_column_init (WeftArrowColumn *self, WeftTable *table, guint position, GError **error)
{
  GBytes *validity = weft_table_get_column_validity (table, position);
  guint64 length;

  *self = (WeftArrowColumn){ .table = table, .position = position };
  self->type = weft_table_get_column_type (table, position);
  self->values = g_bytes_get_data (weft_table_get_column_data (table, position), NULL);
  self->bits = validity != NULL ? g_bytes_get_data (validity, NULL) : NULL;
  if (self->type == WEFT_VALUE_DURATION)
    return check_durations (self, error);
  if (self->type != WEFT_VALUE_STRING && self->type != WEFT_VALUE_ENUM)
    return TRUE;
  init_words (self);
  if (weft_arrow_column_measure_words (self, &length))
    return TRUE;
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_TOO_LARGE,
               "The words of column %s have %" G_GUINT64_FORMAT
               " bytes, more than 2 GiB; filter the rows, or write CSV instead",
               weft_table_get_column_name (table, position), length);
  return FALSE;
}

void
weft_arrow_column_clear (WeftArrowColumn *self)
{
  g_clear_pointer (&self->words, g_ptr_array_unref);
  g_clear_pointer (&self->numbers, g_ptr_array_unref);
  g_clear_pointer (&self->indices, g_bytes_unref);
}

static void
add_pair (GPtrArray *list, const char *key, const char *value)
{
  if (value == NULL)
    return;
  g_ptr_array_add (list, (gpointer) key);
  g_ptr_array_add (list, (gpointer) value);
}

GPtrArray *
weft_arrow_column_list_metadata (const WeftArrowColumn *self)
{
  GPtrArray *list = g_ptr_array_new ();
  g_autoptr (GEnumClass) klass = g_type_class_ref (WEFT_TYPE_VALUE_TYPE);

  add_pair (list, "weft.type", g_enum_get_value (klass, (int) self->type)->value_nick);
  add_pair (list, "weft.title", weft_table_get_column_title (self->table, self->position));
  add_pair (list, "weft.unit", weft_table_get_column_unit (self->table, self->position));
  add_pair (list, "weft.prefix", weft_table_get_column_prefix (self->table, self->position));
  if (self->type == WEFT_VALUE_TIME)
    add_pair (list, "weft.time", "nanoseconds since the start of the recording");
  g_ptr_array_add (list, NULL);
  return list;
}

GPtrArray *
weft_arrow_list_table_metadata (WeftTable *table)
{
  GPtrArray *list = g_ptr_array_new ();

  add_pair (list, "weft.table", weft_table_get_name (table));
  add_pair (list, "weft.cursor", weft_table_get_cursor (table));
  add_pair (list, "weft.hint", weft_table_get_hint (table));
  g_ptr_array_add (list, NULL);
  return list;
}

gboolean
weft_arrow_column_is_nullable (const WeftArrowColumn *self)
{
  return self->bits != NULL || self->type == WEFT_VALUE_ID;
}

gsize
weft_arrow_column_pack_validity (const WeftArrowColumn *self, gsize first, gsize n, guint8 *bits)
{
  gsize n_null = 0;

  memset (bits, 0, (n + 7) / 8);
  for (gsize i = 0; i < n; i++)
    {
      gboolean null = is_null (self, first + i);

      bits[i / 8] |= (guint8) (!null << (i % 8));
      n_null += null ? 1 : 0;
    }
  return n_null;
}

void
weft_arrow_column_pack_booleans (const WeftArrowColumn *self, gsize first, gsize n, guint8 *bits)
{
  memset (bits, 0, (n + 7) / 8);
  for (gsize i = 0; i < n; i++)
    bits[i / 8] |= (guint8) ((self->values[first + i] != 0) << (i % 8));
}

gboolean
weft_arrow_column_measure_words (const WeftArrowColumn *self, guint64 *length)
{
  *length = 0;
  for (guint i = 0; i < self->words->len; i++)
    *length += strlen (self->words->pdata[i]);
  return *length <= G_MAXINT32;
}
