/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-object-private.h"

#include <math.h>
#include <string.h>

#include "weft-error.h"
#include "weft-recording-private.h"

/**
 * WeftObject:
 *
 * One row of a recording as an object: a lane, a dispatch, a source, …
 *
 * Objects are made when they are asked for and read their values when these are asked for; they
 * cost little, but for many rows tables are the better form. An object says what its recording held
 * when it was made, also after that was refreshed. Two objects can stand for the same row: compare
 * them by [method@Object.equal].
 *
 * A value that cannot be read, because its part of the file is damaged, is like one that is not
 * there; [method@Object.check] tells.
 *
 * Since: 0.1
 */
typedef struct
{
  WeftRecording *recording;
  WeftStore *store;
  WeftPlace place;
} WeftObjectPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (WeftObject, weft_object, G_TYPE_OBJECT)

enum
{
  PROP_0,
  PROP_RECORDING,
  PROP_ID,
  PROP_HANDLE,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

/* ---- Values of a row ---- */

static gboolean
read_stored (WeftStore *store, WeftTableId table, const WeftPlace *place, WeftColumnNumber column,
             gboolean zero_is_null, guint64 *bits, GError **error)
{
  WeftStoreColumn values = { 0 };
  gboolean present;

  *bits = 0;
  if (place->chunk == WEFT_NO_CHUNK)
    {
      g_set_error (error, WEFT_STORE_ERROR, WEFT_STORE_ERROR_DAMAGED,
                   "Row %" G_GUINT64_FORMAT " of the table “%s” is missing", place->number,
                   weft_model_get_table (table)->name);
      return FALSE;
    }
  if (!weft_store_read_column (store, table, place->chunk, column, &values, error))
    return FALSE;
  present = weft_store_column_has (&values, place->row);
  if (present)
    *bits = weft_store_column_get (&values, place->row);
  weft_store_column_clear (&values);
  return present && !(zero_is_null && *bits == 0);
}

static guint64
number_as_double (guint64 bits, WeftNumberType type)
{
  double value;

  switch (type)
    {
    case WEFT_NUMBER_INT64:
      value = (double) (gint64) bits;
      break;
    case WEFT_NUMBER_DOUBLE:
      return bits;
    default:
      value = (double) bits;
    }
  memcpy (&bits, &value, sizeof bits);
  return bits;
}

static gboolean
read_number (WeftStore *store, WeftTableId table, const WeftPlace *place, const WeftField *field,
             guint64 *bits, GError **error)
{
  const WeftField *is_error = weft_model_find_field (table, "is_error");
  WeftTableId type_table = table;
  WeftPlace type_place = *place;
  guint64 value, type, through;

  *bits = 0;
  if (is_error != NULL && read_stored (store, table, place, is_error->column, TRUE, &value, error))
    return FALSE;
  if (field->through != 0)
    {
      const WeftField *reference = weft_model_find_column (table, field->through);

      if (!read_stored (store, table, place, field->through, TRUE, &through, error) ||
          !weft_store_find_row (store, (WeftTableId) reference->reference, through,
                                &type_place.chunk, &type_place.row, error))
        return FALSE;
      type_table = (WeftTableId) reference->reference;
    }
  read_stored (store, type_table, &type_place, field->second, FALSE, &type, error);
  if (type >= WEFT_NUMBER_STRING ||
      !read_stored (store, table, place, field->first, FALSE, &value, error))
    return FALSE;
  *bits = number_as_double (value, (WeftNumberType) type);
  return TRUE;
}

static gboolean
read_pair (WeftStore *store, WeftTableId table, const WeftPlace *place, const WeftField *field,
           guint64 *first, guint64 *second, GError **error)
{
  return read_stored (store, table, place, field->first, FALSE, first, error) &&
         read_stored (store, table, place, field->second, FALSE, second, error);
}

gboolean
weft_row_read_field (WeftStore *store, WeftTableId table, const WeftPlace *place,
                     const WeftField *field, guint64 *bits, GError **error)
{
  gboolean zero_is_null = field->type == WEFT_VALUE_STRING || field->type == WEFT_VALUE_ID;
  guint64 first, second;

  *bits = 0;
  switch (field->computed)
    {
    case WEFT_COMPUTED_SUM:
      if (!read_pair (store, table, place, field, &first, &second, error))
        return FALSE;
      *bits = first + second;
      return TRUE;
    case WEFT_COMPUTED_DIFFERENCE:
      if (!read_pair (store, table, place, field, &first, &second, error))
        return FALSE;
      /* Wraps where a hostile file has times that far apart. */
      *bits = field->type == WEFT_VALUE_DURATION && (gint64) first < (gint64) second
                  ? 0
                  : first - second;
      return TRUE;
    case WEFT_COMPUTED_BIT:
      if (!read_stored (store, table, place, field->first, FALSE, &first, error))
        return FALSE;
      *bits = (first & field->mask) != 0;
      return TRUE;
    case WEFT_COMPUTED_NUMBER:
      return read_number (store, table, place, field, bits, error);
    default:
      return read_stored (store, table, place, field->column, zero_is_null, bits, error);
    }
}

/* ---- Fields of an object ---- */

static WeftTableId
get_table (WeftObject *self)
{
  return (WeftTableId) WEFT_OBJECT_GET_CLASS (self)->table;
}

static const WeftField *
get_field (WeftObject *self, guint field)
{
  return &weft_model_get_table (get_table (self))->fields[field];
}

gboolean
weft_object_read (WeftObject *self, guint field, guint64 *bits)
{
  WeftObjectPrivate *priv = weft_object_get_instance_private (self);

  return weft_row_read_field (priv->store, get_table (self), &priv->place, get_field (self, field),
                              bits, NULL);
}

guint64
weft_object_read_uint64 (WeftObject *self, guint field)
{
  guint64 bits;

  weft_object_read (self, field, &bits);
  return bits;
}

double
weft_object_read_double (WeftObject *self, guint field)
{
  guint64 bits;
  double value;

  if (!weft_object_read (self, field, &bits))
    return (double) NAN;
  memcpy (&value, &bits, sizeof value);
  return value;
}

const char *
weft_object_read_string (WeftObject *self, guint field)
{
  WeftObjectPrivate *priv = weft_object_get_instance_private (self);
  guint64 bits;

  if (!weft_object_read (self, field, &bits) || bits > G_MAXUINT32)
    return NULL;
  return weft_store_get_string (priv->store, (guint32) bits);
}

/* The table that an ID names: told by the model or, for owners, by the row. */
static WeftTableId
get_referenced_table (WeftObject *self, const WeftField *field)
{
  WeftObjectPrivate *priv = weft_object_get_instance_private (self);
  const WeftField *owner_table = weft_model_find_field (get_table (self), "owner_table");
  guint64 table;

  if (field->reference >= 0)
    return (WeftTableId) field->reference;
  if (strcmp (field->name, "owner") != 0 || owner_table == NULL ||
      !weft_row_read_field (priv->store, get_table (self), &priv->place, owner_table, &table, NULL))
    return WEFT_N_TABLES;
  return (WeftTableId) MIN (table, WEFT_N_TABLES);
}

WeftObject *
weft_object_read_reference (WeftObject *self, guint field)
{
  WeftObjectPrivate *priv = weft_object_get_instance_private (self);
  WeftTableId table = get_referenced_table (self, get_field (self, field));
  WeftPlace place;
  guint64 id;

  if (table == WEFT_N_TABLES || weft_model_get_table (table)->object == NULL ||
      !weft_object_read (self, field, &id) ||
      !weft_recording_find_row (priv->recording, priv->store, table, id, &place, NULL))
    return NULL;
  return weft_object_new (priv->recording, priv->store, table, &place);
}

GBytes *
weft_object_read_blob (WeftObject *self, guint field, GError **error)
{
  WeftObjectPrivate *priv = weft_object_get_instance_private (self);
  GError *local = NULL;
  GBytes *bytes;
  guint64 id = 0;

  if (weft_row_read_field (priv->store, get_table (self), &priv->place, get_field (self, field),
                           &id, &local))
    {
      bytes = weft_store_get_blob (priv->store, (guint32) MIN (id, G_MAXUINT32), &local);
      if (bytes != NULL)
        return bytes;
    }
  if (local == NULL)
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_NO_SUCH_OBJECT,
                 "The recording does not hold this text: the producer told where it is, not what "
                 "it says");
  else
    weft_propagate_store_error (error, local);
  return NULL;
}

/* ---- The object ---- */

WeftObject *
weft_object_new (WeftRecording *recording, WeftStore *store, WeftTableId table,
                 const WeftPlace *place)
{
  WeftObject *self = g_object_new (weft_model_get_table (table)->object (), NULL);
  WeftObjectPrivate *priv = weft_object_get_instance_private (self);

  priv->recording = g_object_ref (recording);
  priv->store = weft_store_ref (store);
  priv->place = *place;
  return self;
}

static void
weft_object_finalize (GObject *object)
{
  WeftObjectPrivate *priv = weft_object_get_instance_private (WEFT_OBJECT (object));

  g_clear_pointer (&priv->store, weft_store_unref);
  g_clear_object (&priv->recording);

  G_OBJECT_CLASS (weft_object_parent_class)->finalize (object);
}

static void
weft_object_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  WeftObject *self = WEFT_OBJECT (object);

  switch (prop_id)
    {
    case PROP_RECORDING:
      g_value_set_object (value, weft_object_get_recording (self));
      break;
    case PROP_ID:
      g_value_set_uint64 (value, weft_object_get_id (self));
      break;
    case PROP_HANDLE:
      g_value_take_string (value, weft_object_get_handle (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

/* The type of a property says how its field's bits are to be shown. */
static void
get_field_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  WeftObject *self = WEFT_OBJECT (object);
  guint field = prop_id - 1;

  switch (G_TYPE_FUNDAMENTAL (G_VALUE_TYPE (value)))
    {
    case G_TYPE_UINT64:
      g_value_set_uint64 (value, weft_object_read_uint64 (self, field));
      break;
    case G_TYPE_INT64:
      g_value_set_int64 (value, (gint64) weft_object_read_uint64 (self, field));
      break;
    case G_TYPE_DOUBLE:
      g_value_set_double (value, weft_object_read_double (self, field));
      break;
    case G_TYPE_BOOLEAN:
      g_value_set_boolean (value, weft_object_read_uint64 (self, field) != 0);
      break;
    case G_TYPE_ENUM:
      g_value_set_enum (value, (int) weft_object_read_uint64 (self, field));
      break;
    case G_TYPE_STRING:
      g_value_set_string (value, weft_object_read_string (self, field));
      break;
    case G_TYPE_OBJECT:
      g_value_take_object (value, weft_object_read_reference (self, field));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static GParamSpec *
make_property (const WeftField *field, const char *name)
{
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  switch (field->type)
    {
    case WEFT_VALUE_INT64:
    case WEFT_VALUE_TIME:
      return g_param_spec_int64 (name, NULL, NULL, G_MININT64, G_MAXINT64, 0, flags);
    case WEFT_VALUE_DOUBLE:
      return g_param_spec_double (name, NULL, NULL, -G_MAXDOUBLE, G_MAXDOUBLE, 0, flags);
    case WEFT_VALUE_BOOLEAN:
      return g_param_spec_boolean (name, NULL, NULL, FALSE, flags);
    case WEFT_VALUE_STRING:
      return g_param_spec_string (name, NULL, NULL, NULL, flags);
    case WEFT_VALUE_ENUM:
      return g_param_spec_enum (name, NULL, NULL, field->enumeration (), 0, flags);
    case WEFT_VALUE_ID:
      if (strcmp (field->name, "owner") == 0)
        return g_param_spec_object (name, NULL, NULL, WEFT_TYPE_OBJECT, flags);
      if (field->reference == WEFT_TABLE_BLOBS)
        return NULL; /* only a function can fail */
      if (field->reference >= 0)
        return g_param_spec_object (
            name, NULL, NULL, weft_model_get_table ((WeftTableId) field->reference)->object (),
            flags);
      /* fall through */
    default:
      return g_param_spec_uint64 (name, NULL, NULL, 0, G_MAXUINT64, 0, flags);
    }
}

void
weft_object_class_set_table (WeftObjectClass *klass, WeftTableId table)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const WeftTableModel *model = weft_model_get_table (table);

  klass->table = table;
  object_class->get_property = get_field_property;
  for (guint i = 0; i < model->n_fields; i++)
    {
      g_autofree char *name = g_strdup (model->fields[i].name);
      GParamSpec *property;

      if (strcmp (name, "id") == 0)
        continue;
      property = make_property (&model->fields[i], g_intern_string (g_strdelimit (name, "_", '-')));
      if (property != NULL)
        g_object_class_install_property (object_class, i + 1, property);
    }
}

static void
weft_object_class_init (WeftObjectClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  object_class->finalize = weft_object_finalize;
  object_class->get_property = weft_object_get_property;

  klass->table = WEFT_N_TABLES;

  /**
   * WeftObject:recording: (getter get_recording)
   *
   * The recording that it is of.
   *
   * Since: 0.1
   */
  properties[PROP_RECORDING] =
      g_param_spec_object ("recording", NULL, NULL, WEFT_TYPE_RECORDING, flags);

  /**
   * WeftObject:id: (getter get_id)
   *
   * Its number among those of its kind.
   *
   * Since: 0.1
   */
  properties[PROP_ID] = g_param_spec_uint64 ("id", NULL, NULL, 0, G_MAXUINT64, 0, flags);

  /**
   * WeftObject:handle: (getter get_handle)
   *
   * Its handle, such as `d-12`.
   *
   * Since: 0.1
   */
  properties[PROP_HANDLE] = g_param_spec_string ("handle", NULL, NULL, NULL, flags);

  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
weft_object_init (WeftObject *self)
{
}

/**
 * weft_object_get_recording: (get-property recording)
 * @self: an object
 *
 * Returns: (transfer none): the recording that it is of
 *
 * Since: 0.1
 */
WeftRecording *
weft_object_get_recording (WeftObject *self)
{
  WeftObjectPrivate *priv = weft_object_get_instance_private (self);

  g_return_val_if_fail (WEFT_IS_OBJECT (self), NULL);

  return priv->recording;
}

/**
 * weft_object_get_id: (get-property id)
 * @self: an object
 *
 * Its number among those of its kind, from 1. What has no id of its own is counted in the order of
 * arrival.
 *
 * Returns: the number
 *
 * Since: 0.1
 */
guint64
weft_object_get_id (WeftObject *self)
{
  WeftObjectPrivate *priv = weft_object_get_instance_private (self);
  guint64 id;

  g_return_val_if_fail (WEFT_IS_OBJECT (self), 0);

  /* Field 0 is the id of what has one. */
  if (get_table (self) == WEFT_TABLE_TRACES && weft_object_read (self, 0, &id))
    return id;
  return priv->place.number;
}

/**
 * weft_object_get_handle: (get-property handle)
 * @self: an object
 *
 * Its handle, by which people and programs name it: `d-12` is a dispatch. See
 * [method@Recording.find].
 *
 * Returns: (transfer full) (nullable): the handle; %NULL for what has none, such as a phase
 *
 * Since: 0.1
 */
char *
weft_object_get_handle (WeftObject *self)
{
  const char *prefix;

  g_return_val_if_fail (WEFT_IS_OBJECT (self), NULL);

  prefix = weft_model_get_table (get_table (self))->prefix;
  return prefix == NULL
             ? NULL
             : g_strdup_printf ("%s-%" G_GUINT64_FORMAT, prefix, weft_object_get_id (self));
}

/**
 * weft_object_get_table:
 * @self: an object
 *
 * Returns: (transfer none): name of the table whose row it is, such as `dispatches`
 *
 * Since: 0.1
 */
const char *
weft_object_get_table (WeftObject *self)
{
  g_return_val_if_fail (WEFT_IS_OBJECT (self), NULL);

  return weft_model_get_table (get_table (self))->name;
}

/**
 * weft_object_list_fields:
 * @self: an object
 *
 * Returns: (transfer full): names of its fields, for [method@Object.get_value]
 *
 * Since: 0.1
 */
char **
weft_object_list_fields (WeftObject *self)
{
  const WeftTableModel *model;
  GPtrArray *names;

  g_return_val_if_fail (WEFT_IS_OBJECT (self), NULL);

  model = weft_model_get_table (get_table (self));
  names = g_ptr_array_new ();
  for (guint i = 0; i < model->n_fields; i++)
    g_ptr_array_add (names, g_strdup (model->fields[i].name));
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (names, FALSE);
}

/* The word of an enumeration's value, or the plain number if there is none. */
static char *
enum_text (GType type, guint64 bits)
{
  g_autoptr (GEnumClass) klass = g_type_class_ref (type);
  GEnumValue *found = bits <= G_MAXINT ? g_enum_get_value (klass, (int) bits) : NULL;

  return found ? g_strdup (found->value_nick) : g_strdup_printf ("%" G_GUINT64_FORMAT, bits);
}

/* The handle of the object that a field names, or its plain number if it has none. */
static char *
id_text (WeftObject *self, const WeftField *field, guint64 id)
{
  WeftTableId table = get_referenced_table (self, field);
  const char *prefix;

  if (strcmp (field->name, "id") == 0)
    table = get_table (self);
  prefix = table == WEFT_N_TABLES ? NULL : weft_model_get_table (table)->prefix;
  return g_strdup_printf ("%s%s%" G_GUINT64_FORMAT, prefix ? prefix : "", prefix ? "-" : "", id);
}

static GVariant *
make_variant (WeftObject *self, guint position, guint64 bits)
{
  const WeftField *field = get_field (self, position);
  const char *text;

  switch (field->type)
    {
    case WEFT_VALUE_INT64:
    case WEFT_VALUE_TIME:
      return g_variant_new_int64 ((gint64) bits);
    case WEFT_VALUE_DOUBLE:
      return g_variant_new_double (weft_object_read_double (self, position));
    case WEFT_VALUE_BOOLEAN:
      return g_variant_new_boolean (bits != 0);
    case WEFT_VALUE_ENUM:
      return g_variant_new_take_string (enum_text (field->enumeration (), bits));
    case WEFT_VALUE_ID:
      return g_variant_new_take_string (id_text (self, field, bits));
    case WEFT_VALUE_STRING:
      text = weft_object_read_string (self, position);
      return text ? g_variant_new_string (text) : NULL;
    default:
      return g_variant_new_uint64 (bits);
    }
}

/**
 * weft_object_get_value:
 * @self: an object
 * @field: name of a field, such as `start`
 *
 * A value by its field's name, in the types of [method@Table.get_variant]: `t` for unsigned numbers
 * and durations (nanoseconds), `x` for signed ones and times (nanoseconds since the start of the
 * recording), `d` for doubles, `b` for booleans, `s` for strings, words and handles.
 *
 * Returns: (transfer full) (nullable): the value, or %NULL if there is none or no such field
 *
 * Since: 0.1
 */
GVariant *
weft_object_get_value (WeftObject *self, const char *field)
{
  const WeftField *found;
  GVariant *value;
  guint position;
  guint64 bits;

  g_return_val_if_fail (WEFT_IS_OBJECT (self), NULL);
  g_return_val_if_fail (field != NULL, NULL);

  found = weft_model_find_field (get_table (self), field);
  if (found == NULL)
    return NULL;
  position = (guint) (found - weft_model_get_table (get_table (self))->fields);
  if (!weft_object_read (self, position, &bits))
    return NULL;
  value = make_variant (self, position, bits);
  return value == NULL ? NULL : g_variant_ref_sink (value);
}

/**
 * weft_object_check:
 * @self: an object
 * @error: return location for an error
 *
 * Tells whether all of its values can be read, which a damaged file may prevent.
 *
 * Returns: %TRUE if so; else %FALSE with [error@Error] %WEFT_ERROR_DAMAGED
 *
 * Since: 0.1
 */
gboolean
weft_object_check (WeftObject *self, GError **error)
{
  WeftObjectPrivate *priv = weft_object_get_instance_private (self);
  const WeftTableModel *model;

  g_return_val_if_fail (WEFT_IS_OBJECT (self), FALSE);

  model = weft_model_get_table (get_table (self));
  for (guint i = 0; i < model->n_fields; i++)
    {
      GError *local = NULL;
      guint64 bits;

      weft_row_read_field (priv->store, get_table (self), &priv->place, &model->fields[i], &bits,
                           &local);
      if (local != NULL)
        {
          weft_propagate_store_error (error, local);
          return FALSE;
        }
    }
  return TRUE;
}

/**
 * weft_object_equal:
 * @self: an object
 * @other: an object
 *
 * Returns: whether both stand for the same row of the same recording
 *
 * Since: 0.1
 */
gboolean
weft_object_equal (WeftObject *self, WeftObject *other)
{
  WeftObjectPrivate *priv = weft_object_get_instance_private (self);
  WeftObjectPrivate *other_priv = weft_object_get_instance_private (other);

  g_return_val_if_fail (WEFT_IS_OBJECT (self) && WEFT_IS_OBJECT (other), FALSE);

  return priv->recording == other_priv->recording && get_table (self) == get_table (other) &&
         priv->place.number == other_priv->place.number;
}

/**
 * weft_object_hash:
 * @self: an object
 *
 * Returns: a number that is the same for equal objects
 *
 * Since: 0.1
 */
guint
weft_object_hash (WeftObject *self)
{
  WeftObjectPrivate *priv = weft_object_get_instance_private (self);
  guint64 mixed;

  g_return_val_if_fail (WEFT_IS_OBJECT (self), 0);

  mixed = (priv->place.number * WEFT_N_TABLES + get_table (self)) * 0x9e3779b97f4a7c15u;
  return (guint) (mixed >> 32) ^ g_direct_hash (priv->recording);
}
