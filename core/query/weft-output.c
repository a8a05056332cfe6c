/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-output.h"

#include <string.h>

#include "weft-error.h"
#include "weft-table-builder.h"

/* Numbers of an enumeration that have no name and are shown as such. */
#define MAX_UNNAMED 65536

gboolean
weft_output_init (WeftOutput *self, const WeftPlan *plan, guint64 n_rows, GError **error)
{
  self->plan = plan;
  if (n_rows > G_MAXINT32)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_TOO_LARGE,
                   "The answer would have %" G_GUINT64_FORMAT
                   " rows: set a limit and go on by its cursor",
                   n_rows);
      return FALSE;
    }
  if (!weft_run_hold (plan->run, n_rows * plan->items->len * (sizeof (guint64) + 1), error))
    return FALSE;
  self->n_rows = (guint) n_rows;
  self->n_columns = plan->items->len;
  self->columns = g_new0 (WeftOutputColumn, self->n_columns + 1);
  for (guint i = 0; i < self->n_columns; i++)
    {
      self->columns[i].values = g_new0 (guint64, n_rows + 1);
      self->columns[i].nulls = g_new0 (guint8, n_rows + 1);
    }
  return TRUE;
}

void
weft_output_clear (WeftOutput *self)
{
  for (guint i = 0; i < self->n_columns; i++)
    {
      g_free (self->columns[i].values);
      g_free (self->columns[i].nulls);
    }
  g_clear_pointer (&self->columns, g_free);
  self->n_columns = 0;
}

WeftValueType
weft_item_get_type (const WeftItem *item)
{
  if (item->aggregate.kind == WEFT_AGGREGATE_NONE)
    return item->expression->type;
  if (item->is_wide)
    return WEFT_VALUE_DOUBLE;
  return weft_aggregate_get_type (&item->aggregate, item->expression);
}

static GBytes *
pack_nulls (const guint8 *nulls, guint n)
{
  guint8 *bits;

  if (memchr (nulls, 1, n) == NULL)
    return NULL;
  bits = g_malloc0 (n / 8 + 1);
  for (guint i = 0; i < n; i++)
    bits[i / 8] |= (guint8) ((nulls[i] == 0) << (i % 8));
  return g_bytes_new_take (bits, (n + 7) / 8);
}

/* Numbers of strings become places in a dictionary of those that occur. */
static GBytes *
pack_strings (WeftOutput *self, guint column, const WeftExpression *expression, char ***dictionary)
{
  g_autoptr (GHashTable) places = g_hash_table_new (g_int64_hash, g_int64_equal);
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  guint64 *values = self->columns[column].values;
  guint8 *nulls = self->columns[column].nulls;
  guint32 *packed = g_new0 (guint32, (gsize) self->n_rows + 1);
  guint32 last = 0;

  for (guint i = 0; i < self->n_rows; i++)
    {
      gpointer place;
      const char *text;

      if (nulls[i])
        continue;
      if (i > 0 && values[i] == values[i - 1] && !nulls[i - 1])
        {
          packed[i] = last;
          continue;
        }
      place = g_hash_table_lookup (places, &values[i]);
      if (place == NULL)
        {
          text = weft_expression_get_text (expression, self->plan->run->store, values[i]);
          nulls[i] = text == NULL;
          if (text == NULL)
            continue;
          g_ptr_array_add (words, g_strdup (text));
          place = GUINT_TO_POINTER (words->len);
          g_hash_table_insert (places, &values[i], place);
        }
      packed[i] = last = GPOINTER_TO_UINT (place) - 1;
    }
  g_ptr_array_add (words, NULL);
  *dictionary = (char **) g_ptr_array_free (g_steal_pointer (&words), FALSE);
  return g_bytes_new_take (packed, (gsize) self->n_rows * sizeof packed[0]);
}

static char **
name_enumeration (GType type, guint64 largest)
{
  g_autoptr (GEnumClass) klass = g_type_class_ref (type);
  g_autoptr (GPtrArray) words = g_ptr_array_new ();

  for (guint64 i = 0; i < MAX (klass->n_values, largest + 1); i++)
    {
      GEnumValue *value = g_enum_get_value (klass, (int) i);

      g_ptr_array_add (words, value != NULL ? g_strdup (value->value_nick)
                                            : g_strdup_printf ("%" G_GUINT64_FORMAT, i));
    }
  g_ptr_array_add (words, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&words), FALSE);
}

static GBytes *
pack_enumeration (WeftOutput *self, guint column, GType type, char ***dictionary)
{
  guint64 *values = self->columns[column].values;
  guint8 *nulls = self->columns[column].nulls;
  guint32 *packed = g_new0 (guint32, (gsize) self->n_rows + 1);
  guint64 largest = 0;

  for (guint i = 0; i < self->n_rows; i++)
    {
      nulls[i] |= values[i] >= MAX_UNNAMED;
      packed[i] = nulls[i] ? 0 : (guint32) values[i];
      largest = MAX (largest, packed[i]);
    }
  *dictionary = name_enumeration (type, largest);
  return g_bytes_new_take (packed, (gsize) self->n_rows * sizeof packed[0]);
}

static GBytes *
pack_booleans (WeftOutput *self, guint column)
{
  guint8 *packed = g_new0 (guint8, (gsize) self->n_rows + 1);

  for (guint i = 0; i < self->n_rows; i++)
    packed[i] = self->columns[column].values[i] != 0;
  return g_bytes_new_take (packed, self->n_rows);
}

static const char *
choose_unit (const WeftItem *item)
{
  WeftAggregateKind kind = item->aggregate.kind;
  const char *unit = item->expression != NULL ? item->expression->unit : NULL;

  if (kind == WEFT_AGGREGATE_COUNT || kind == WEFT_AGGREGATE_COUNT_DISTINCT)
    return "count";
  if (unit == NULL && item->expression != NULL &&
      (item->expression->type == WEFT_VALUE_TIME || item->expression->type == WEFT_VALUE_DURATION))
    return "ns";
  return unit;
}

static guint
add_column (WeftTableBuilder *builder, const WeftItem *item)
{
  gboolean is_value = item->aggregate.kind == WEFT_AGGREGATE_NONE;
  WeftTableColumn column = {
    .name = item->name,
    .type = weft_item_get_type (item),
    .unit = choose_unit (item),
    .prefix = is_value ? item->expression->prefix : NULL,
  };

  return weft_table_builder_add_column (builder, &column);
}

static void
take_column (WeftOutput *self, guint i, WeftTableBuilder *builder, guint column)
{
  const WeftItem *item = WEFT_PLAN_ITEM (self->plan, i);
  WeftValueType type = weft_item_get_type (item);
  char **dictionary = NULL;
  GBytes *data;

  if (type == WEFT_VALUE_STRING)
    data = pack_strings (self, i, item->expression, &dictionary);
  else if (type == WEFT_VALUE_ENUM)
    data = pack_enumeration (self, i, item->expression->enumeration (), &dictionary);
  else if (type == WEFT_VALUE_BOOLEAN)
    data = pack_booleans (self, i);
  else
    data = g_bytes_new_take (g_steal_pointer (&self->columns[i].values),
                             (gsize) self->n_rows * sizeof (guint64));
  weft_table_builder_take_column (
      builder, column, data,
      type == WEFT_VALUE_ID ? NULL : pack_nulls (self->columns[i].nulls, self->n_rows), dictionary,
      self->n_rows);
}

WeftTable *
weft_output_finish (WeftOutput *self, const char *cursor)
{
  g_autoptr (WeftTableBuilder) builder = weft_table_builder_new ("query");
  guint column = 0;

  for (guint i = 0; i < self->n_columns; i++)
    if (!WEFT_PLAN_ITEM (self->plan, i)->is_hidden)
      add_column (builder, WEFT_PLAN_ITEM (self->plan, i));
  for (guint i = 0; i < self->n_columns; i++)
    if (!WEFT_PLAN_ITEM (self->plan, i)->is_hidden)
      take_column (self, i, builder, column++);
  if (cursor != NULL)
    weft_table_builder_set_cursor (builder, cursor);
  return weft_table_builder_finish (g_steal_pointer (&builder));
}
