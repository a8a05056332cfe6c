/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-expression.h"

#include <string.h>

#include "weft-error.h"
#include "weft-filter-lexer.h"
#include "weft-lookup.h"
#include "weft-side.h"

#define MAX_BYTES 4096
#define MAX_STEPS 16

void
weft_expression_free (WeftExpression *self)
{
  if (self == NULL)
    return;
  weft_expression_free (self->first);
  weft_expression_free (self->second);
  weft_expression_free (self->third);
  g_clear_pointer (&self->lookup, weft_lookup_free);
  g_clear_pointer (&self->side, weft_side_free);
  g_free (self->key);
  g_free (self);
}

static WeftExpression *
expression_new (WeftExpressionKind kind, WeftTableId table, WeftValueType type)
{
  WeftExpression *self = g_new0 (WeftExpression, 1);

  self->kind = kind;
  self->table = table;
  self->type = type;
  self->is_typed = TRUE;
  self->target = WEFT_N_TABLES;
  return self;
}

static void
present_as_field (WeftExpression *self, const WeftField *field)
{
  self->unit = field->unit;
  self->enumeration = field->enumeration;
  if (field->reference >= 0)
    self->prefix = weft_model_get_table ((WeftTableId) field->reference)->prefix;
}

static const WeftField *
find_column (WeftTableId table, WeftColumnNumber column)
{
  const WeftTableModel *model = weft_model_get_table (table);

  for (guint i = 0; i < model->n_fields; i++)
    if (model->fields[i].computed == WEFT_COMPUTED_NOT && model->fields[i].column == column)
      return &model->fields[i];
  g_assert_not_reached ();
}

static guint
get_place (WeftTableId table, const char *name)
{
  const WeftTableSpec *spec = weft_schema_table (table);

  for (guint i = 0; i < spec->n_columns; i++)
    if (strcmp (spec->columns[i].name, name) == 0)
      return i;
  g_assert_not_reached ();
}

static WeftExpression *
new_column (WeftTableId table, const WeftField *field)
{
  WeftExpression *self = expression_new (WEFT_EXPRESSION_COLUMN, table, field->type);

  self->place = get_place (table, field->name);
  self->zero_is_null =
      !field->nullable && (field->type == WEFT_VALUE_STRING || field->type == WEFT_VALUE_ID);
  present_as_field (self, field);
  if (field->type == WEFT_VALUE_ID && strcmp (field->name, "id") == 0)
    self->prefix = weft_model_get_table (table)->prefix;
  return self;
}

static WeftExpression *
new_column_by_number (WeftTableId table, WeftColumnNumber column)
{
  return new_column (table, find_column (table, column));
}

WeftExpression *
weft_expression_new_lookup (WeftExpression *first, WeftTableId target, WeftExpression *second)
{
  WeftExpression *self = expression_new (WEFT_EXPRESSION_LOOKUP, first->table, second->type);

  self->is_typed = second->is_typed;
  self->target = target;
  self->unit = second->unit;
  self->prefix = second->prefix;
  self->enumeration = second->enumeration;
  self->first = first;
  self->second = second;
  return self;
}

/* The type of a number's bits, in this row or in the one that it refers to. */
static WeftExpression *
new_number_type (WeftTableId table, const WeftField *field)
{
  WeftExpression *through;
  WeftTableId target;

  if (field->through == 0)
    return new_column_by_number (table, field->second);
  through = new_column_by_number (table, field->through);
  target = (WeftTableId) find_column (table, field->through)->reference;
  return weft_expression_new_lookup (through, target, new_column_by_number (target, field->second));
}

WeftExpression *
weft_expression_new_field (WeftTableId table, const WeftField *field)
{
  static const WeftExpressionKind kinds[] = {
    [WEFT_COMPUTED_SUM] = WEFT_EXPRESSION_SUM,
    [WEFT_COMPUTED_DIFFERENCE] = WEFT_EXPRESSION_DIFFERENCE,
    [WEFT_COMPUTED_BIT] = WEFT_EXPRESSION_BIT,
    [WEFT_COMPUTED_NUMBER] = WEFT_EXPRESSION_NUMBER,
  };
  const WeftField *is_error = weft_model_find_field (table, "is_error");
  WeftExpression *self;

  if (field->computed == WEFT_COMPUTED_NOT)
    return new_column (table, field);
  self = expression_new (kinds[field->computed], table, field->type);
  present_as_field (self, field);
  self->mask = field->mask;
  self->first = new_column_by_number (table, field->first);
  if (field->computed == WEFT_COMPUTED_SUM || field->computed == WEFT_COMPUTED_DIFFERENCE)
    self->second = new_column_by_number (table, field->second);
  if (field->computed == WEFT_COMPUTED_NUMBER)
    {
      self->second = new_number_type (table, field);
      self->third = is_error != NULL ? new_column (table, is_error) : NULL;
    }
  return self;
}

WeftExpression *
weft_expression_new_identity (WeftTableId table)
{
  const WeftField *id = weft_model_find_field (table, "id");

  return id != NULL ? new_column (table, id) : weft_expression_new_arrival (table);
}

WeftExpression *
weft_expression_clip (WeftExpression *self, gint64 low, gint64 high)
{
  const WeftField *start = weft_model_find_field (self->table, "start");
  const WeftField *duration = weft_model_find_field (self->table, "duration");
  WeftExpression *clipped;

  if (start == NULL || duration == NULL || self->kind != WEFT_EXPRESSION_COLUMN ||
      self->place != get_place (self->table, duration->name))
    return self;
  clipped = expression_new (WEFT_EXPRESSION_CLIPPED, self->table, WEFT_VALUE_DURATION);
  clipped->first = new_column (self->table, start);
  clipped->second = self;
  clipped->low = low;
  clipped->high = high;
  return clipped;
}

/* The rows of a chunk of dispatches are in another order. */
WeftExpression *
weft_expression_new_arrival (WeftTableId table)
{
  if (table == WEFT_TABLE_DISPATCHES)
    return new_column (table, weft_model_find_field (table, "id"));
  return expression_new (WEFT_EXPRESSION_ARRIVAL, table, WEFT_VALUE_UINT64);
}

/* FIRST, or SECOND where FIRST is null. Takes both. */
static WeftExpression *
new_otherwise (WeftExpression *first, WeftExpression *second)
{
  WeftExpression *self = expression_new (WEFT_EXPRESSION_OTHERWISE, first->table, first->type);

  self->is_typed = first->is_typed;
  self->first = first;
  self->second = second;
  return self;
}

static WeftExpression *
new_side (WeftExpressionKind kind, WeftExpression *first, WeftTableId target, const char *key)
{
  WeftExpression *self = expression_new (kind, first->table, WEFT_VALUE_UINT64);

  self->is_typed = FALSE;
  self->first = first;
  self->target = target;
  self->key = g_strdup (key);
  return self;
}

/* The dispatch that a row belongs to, or NULL. */
static WeftExpression *
new_dispatch (WeftTableId table)
{
  const WeftField *field = weft_model_find_field (table, "dispatch");

  return field != NULL && field->reference == WEFT_TABLE_DISPATCHES ? new_column (table, field)
                                                                    : NULL;
}

static WeftExpression *
new_tag (WeftTableId table, const char *key)
{
  WeftExpression *own =
      new_side (WEFT_EXPRESSION_TAG, weft_expression_new_identity (table), table, key);
  WeftExpression *dispatch = new_dispatch (table);

  if (dispatch == NULL)
    return own;
  return new_otherwise (own, new_side (WEFT_EXPRESSION_TAG, dispatch, WEFT_TABLE_DISPATCHES, key));
}

static WeftExpression *
new_counter (WeftTableId table, const char *key, GError **error)
{
  WeftExpression *dispatch;

  if (table == WEFT_TABLE_DISPATCHES || table == WEFT_TABLE_SUBMISSIONS)
    return new_side (WEFT_EXPRESSION_COUNTER, weft_expression_new_identity (table), table, key);
  dispatch = new_dispatch (table);
  if (dispatch != NULL)
    return new_side (WEFT_EXPRESSION_COUNTER, dispatch, WEFT_TABLE_DISPATCHES, key);
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_NO_SUCH_FIELD,
               "Rows of “%s” have no counters: ask dispatches or submissions",
               weft_model_get_table (table)->name);
  return NULL;
}

/* A dispatch's name: its label, else that of its routine. */
static WeftExpression *
new_name (void)
{
  WeftExpression *label = new_column_by_number (WEFT_TABLE_DISPATCHES, WEFT_DISPATCHES_LABEL);
  WeftExpression *routine = new_column_by_number (WEFT_TABLE_DISPATCHES, WEFT_DISPATCHES_ROUTINE);
  WeftExpression *name = new_column_by_number (WEFT_TABLE_ROUTINES, WEFT_ROUTINES_NAME);

  return new_otherwise (label, weft_expression_new_lookup (routine, WEFT_TABLE_ROUTINES, name));
}

/* The source it says it is of, else that of its routine. */
static WeftExpression *
new_code_source (void)
{
  WeftExpression *own = new_column_by_number (WEFT_TABLE_DISPATCHES, WEFT_DISPATCHES_SOURCE);
  WeftExpression *routine = new_column_by_number (WEFT_TABLE_DISPATCHES, WEFT_DISPATCHES_ROUTINE);
  WeftExpression *source = new_column_by_number (WEFT_TABLE_ROUTINES, WEFT_ROUTINES_SOURCE);
  WeftExpression *self =
      new_otherwise (own, weft_expression_new_lookup (routine, WEFT_TABLE_ROUTINES, source));

  self->prefix = own->prefix;
  return self;
}

static void
set_no_such_field (WeftTableId table, const char *name, GError **error)
{
  const WeftTableModel *model = weft_model_get_table (table);
  g_autofree const char **names = g_new0 (const char *, model->n_fields + 3);
  const char *nearest;
  guint n = 0;

  for (; n < model->n_fields; n++)
    names[n] = model->fields[n].name;
  if (table == WEFT_TABLE_DISPATCHES)
    {
      names[n++] = "name";
      names[n] = "code_source";
    }
  nearest = weft_filter_nearest (name, names);
  if (nearest != NULL)
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_NO_SUCH_FIELD,
                 "“%s” has no field “%s”: did you mean “%s”?", model->name, name, nearest);
  else
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_NO_SUCH_FIELD, "“%s” has no field “%s”", model->name,
                 name);
}

static WeftExpression *new_path (WeftTableId table, const char *text, guint n_steps,
                                 GError **error);

/* What follows a field that refers to other rows. */
static WeftExpression *
new_step (WeftTableId table, const WeftField *field, const char *rest, guint n_steps,
          GError **error)
{
  WeftExpression *second;

  if (field->reference < 0)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_NO_SUCH_FIELD,
                   "“%s” of “%s” refers to no other row: nothing can follow it", field->name,
                   weft_model_get_table (table)->name);
      return NULL;
    }
  if (n_steps == MAX_STEPS)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY,
                   "A path goes through at most %d references", MAX_STEPS);
      return NULL;
    }
  second = new_path ((WeftTableId) field->reference, rest, n_steps + 1, error);
  if (second == NULL)
    return NULL;
  return weft_expression_new_lookup (new_column (table, field), (WeftTableId) field->reference,
                                     second);
}

static WeftExpression *
new_path (WeftTableId table, const char *text, guint n_steps, GError **error)
{
  const char *dot = strchr (text, '.');
  g_autofree char *name = dot != NULL ? g_strndup (text, (gsize) (dot - text)) : g_strdup (text);
  const WeftField *field;

  if (g_str_has_prefix (text, "tag:") && text[4] != '\0')
    return new_tag (table, text + 4);
  if (g_str_has_prefix (text, "counter:") && text[8] != '\0')
    return new_counter (table, text + 8, error);
  field = weft_model_find_field (table, name);
  if (field != NULL)
    return dot == NULL ? weft_expression_new_field (table, field)
                       : new_step (table, field, dot + 1, n_steps, error);
  if (table == WEFT_TABLE_DISPATCHES && strcmp (text, "name") == 0)
    return new_name ();
  if (table == WEFT_TABLE_DISPATCHES && strcmp (text, "code_source") == 0)
    return new_code_source ();
  set_no_such_field (table, name, error);
  return NULL;
}

WeftExpression *
weft_expression_new (WeftTableId table, const char *text, GError **error)
{
  if (strlen (text) > MAX_BYTES || !g_utf8_validate (text, -1, NULL))
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY,
                   "An expression is valid UTF-8 of at most %d bytes", MAX_BYTES);
      return NULL;
    }
  return new_path (table, text, 0, error);
}

guint32
weft_expression_get_places (const WeftExpression *self)
{
  guint32 places = 0;

  if (self == NULL)
    return 0;
  if (self->kind == WEFT_EXPRESSION_COLUMN)
    return 1u << self->place;
  if (self->kind == WEFT_EXPRESSION_ARRIVAL)
    return 0;
  places = weft_expression_get_places (self->first) | weft_expression_get_places (self->third);
  if (self->kind != WEFT_EXPRESSION_LOOKUP)
    places |= weft_expression_get_places (self->second);
  return places;
}

gboolean
weft_value_type_is_number (WeftValueType type)
{
  switch (type)
    {
    case WEFT_VALUE_STRING:
    case WEFT_VALUE_ENUM:
    case WEFT_VALUE_ID:
      return FALSE;
    default:
      return TRUE;
    }
}

static void
take_type (WeftExpression *self, WeftExpression *from)
{
  self->type = from->type;
  self->unit = from->unit;
  self->is_typed = TRUE;
}

gboolean
weft_expression_bind (WeftExpression *self, WeftStore *store, GError **error)
{
  if (self == NULL)
    return TRUE;
  if (!weft_expression_bind (self->first, store, error) ||
      !weft_expression_bind (self->second, store, error) ||
      !weft_expression_bind (self->third, store, error))
    return FALSE;

  switch (self->kind)
    {
    case WEFT_EXPRESSION_LOOKUP:
      g_clear_pointer (&self->lookup, weft_lookup_free);
      self->lookup = weft_lookup_new (store, self->target, self->second, error);
      take_type (self, self->second);
      return self->lookup != NULL;
    case WEFT_EXPRESSION_OTHERWISE:
      take_type (self, self->first);
      return TRUE;
    case WEFT_EXPRESSION_TAG:
    case WEFT_EXPRESSION_COUNTER:
      g_clear_pointer (&self->side, weft_side_free);
      self->side = self->kind == WEFT_EXPRESSION_TAG
                       ? weft_side_new_tag (store, self->target, self->key, error)
                       : weft_side_new_counter (store, self->target, self->key, error);
      if (self->side == NULL)
        return FALSE;
      self->type = weft_side_get_type (self->side);
      self->unit = weft_side_get_unit (self->side);
      self->is_typed = TRUE;
      return TRUE;
    default:
      return TRUE;
    }
}

const char *
weft_expression_get_text (const WeftExpression *self, WeftStore *store, guint64 number)
{
  const char *text;

  if (number <= G_MAXUINT32)
    return weft_store_get_string (store, (guint32) number);
  switch (self->kind)
    {
    case WEFT_EXPRESSION_TAG:
      return weft_side_get_text (self->side, number);
    case WEFT_EXPRESSION_LOOKUP:
      return weft_expression_get_text (self->second, store, number);
    case WEFT_EXPRESSION_OTHERWISE:
      text = weft_expression_get_text (self->first, store, number);
      return text != NULL ? text : weft_expression_get_text (self->second, store, number);
    default:
      return NULL;
    }
}

gboolean
weft_expression_equal (const WeftExpression *self, const WeftExpression *other)
{
  if (self == other)
    return TRUE;
  return self != NULL && other != NULL && self->kind == other->kind &&
         self->table == other->table && self->type == other->type && self->place == other->place &&
         self->mask == other->mask && self->low == other->low && self->high == other->high &&
         self->zero_is_null == other->zero_is_null && self->target == other->target &&
         g_strcmp0 (self->key, other->key) == 0 &&
         weft_expression_equal (self->first, other->first) &&
         weft_expression_equal (self->second, other->second) &&
         weft_expression_equal (self->third, other->third);
}
