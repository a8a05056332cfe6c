/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-list-private.h"

#include <string.h>

#include "weft-error.h"
#include "weft-recording-private.h"

/**
 * WeftList:
 *
 * Objects of one kind: all of a recording, or those that belong to another object.
 *
 * A list model whose items are made when they are asked for: a list of ten million dispatches costs
 * no more than one of ten. Objects stand in the order in which they were recorded. When the
 * recording is refreshed and there are more, the list grows and tells so by
 * [signal@Gio.ListModel::items-changed].
 *
 * Like other models, a list belongs to one thread, the one whose main context refreshes its
 * recording.
 *
 * Since: 0.1
 */

/* A chunk's part of the list. */
typedef struct
{
  guint64 first_row;
  guint64 position; /* of its first item in the list */
  guint32 n_rows;
  guint32 n_items;
} Segment;

struct _WeftList
{
  GObject parent_instance;

  WeftRecording *recording;
  WeftStore *store;
  WeftTableId table;
  WeftListCondition conditions[WEFT_LIST_MAX_CONDITIONS];
  guint n_conditions;
  WeftColumnNumber through;

  GArray *segments; /* element type Segment, one of each chunk; NULL until it is counted */
  guint n_items;
  char *damage;

  GBytes
      *rows; /* guint16 each: items of segment ROWS_OF, as rows of its chunk; NULL: as they are */
  guint rows_of; /* G_MAXUINT: of none */
};

enum
{
  PROP_0,
  PROP_RECORDING,
  PROP_N_ITEMS,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

static void weft_list_model_init (GListModelInterface *interface);

G_DEFINE_FINAL_TYPE_WITH_CODE (WeftList, weft_list, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, weft_list_model_init))

/* ---- Counting ---- */

/* Whether no row of the chunk can meet the conditions. A column without a zone is all nought. */
static gboolean
can_skip (WeftList *self, guint chunk)
{
  for (guint i = 0; i < self->n_conditions; i++)
    {
      const WeftListCondition *condition = &self->conditions[i];
      guint64 min, max;

      if (!weft_store_get_zone (self->store, self->table, chunk, condition->column, &min, &max))
        min = max = 0;
      if (condition->value < min || condition->value > max)
        return TRUE;
    }
  return FALSE;
}

typedef struct
{
  WeftList *list;
  guint32 n_items;
} Count;

static void
count_rows (const WeftStoreColumn *columns, gpointer data)
{
  Count *count = data;
  const WeftListCondition *conditions = count->list->conditions;

  for (guint row = 0; row < columns[0].n_rows; row++)
    {
      gboolean met = weft_store_column_get (&columns[0], row) == conditions[0].value;

      if (count->list->n_conditions > 1)
        met = met && weft_store_column_get (&columns[1], row) == conditions[1].value;
      count->n_items += met;
    }
}

static void
tell_damage (WeftList *self, const GError *error)
{
  if (self->damage == NULL)
    self->damage = g_strdup (error->message);
}

static guint32
count_chunk (WeftList *self, guint chunk, guint32 n_rows)
{
  WeftColumnNumber columns[WEFT_LIST_MAX_CONDITIONS];
  Count count = { .list = self };
  g_autoptr (GError) error = NULL;

  if (self->n_conditions == 0)
    return n_rows;
  if (can_skip (self, chunk))
    return 0;
  for (guint i = 0; i < self->n_conditions; i++)
    columns[i] = self->conditions[i].column;
  if (weft_store_scan_columns (self->store, self->table, chunk, columns, self->n_conditions,
                               count_rows, &count, &error))
    return count.n_items;
  tell_damage (self, error);
  return 0;
}

/* What is known of a chunk of the same rows. OLD is in their order, and so are those asked for. */
static gboolean
find_counted (GArray *old, guint *at, const WeftChunkInfo *info, guint32 *n_items)
{
  while (old != NULL && *at < old->len)
    {
      const Segment *segment = &g_array_index (old, Segment, *at);

      if (segment->first_row > info->first_row)
        return FALSE;
      (*at)++;
      if (segment->first_row == info->first_row && segment->n_rows == info->n_rows)
        {
          *n_items = segment->n_items;
          return TRUE;
        }
    }
  return FALSE;
}

static void
count_items (WeftList *self)
{
  g_autoptr (GArray) old = g_steal_pointer (&self->segments);
  guint64 position = 0;
  guint at = 0;

  self->segments = g_array_new (FALSE, FALSE, sizeof (Segment));
  for (guint chunk = 0; chunk < weft_store_get_n_chunks (self->store, self->table); chunk++)
    {
      WeftChunkInfo info;
      Segment segment = { .position = position };

      weft_store_get_chunk (self->store, self->table, chunk, &info);
      segment.first_row = info.first_row;
      segment.n_rows = info.n_rows;
      if (!find_counted (old, &at, &info, &segment.n_items))
        segment.n_items = count_chunk (self, chunk, info.n_rows);
      position += segment.n_items;
      g_array_append_val (self->segments, segment);
    }
  self->n_items = (guint) MIN (position, G_MAXUINT);
  g_clear_pointer (&self->rows, g_bytes_unref);
  self->rows_of = G_MAXUINT;
}

static void
ensure_counted (WeftList *self)
{
  if (self->segments == NULL)
    count_items (self);
}

static void
on_recording_changed (WeftRecording *recording, WeftList *self)
{
  guint before = self->n_items;

  if (self->segments == NULL)
    return;
  weft_store_unref (self->store);
  self->store = weft_recording_ref_store (recording);
  count_items (self);
  if (self->n_items == before)
    return;
  /* Rows only ever follow those before, unless chunks went bad. */
  if (self->n_items > before)
    g_list_model_items_changed (G_LIST_MODEL (self), before, 0, self->n_items - before);
  else
    g_list_model_items_changed (G_LIST_MODEL (self), 0, before, self->n_items);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_N_ITEMS]);
}

/* ---- Items ---- */

/* The rows of a chunk that meet the conditions, in the order of their numbers. ORDER: or NULL. */
static GBytes *
select_rows (WeftList *self, guint chunk, const guint16 *order)
{
  WeftStoreColumn columns[WEFT_LIST_MAX_CONDITIONS] = { 0 };
  const Segment *segment = &g_array_index (self->segments, Segment, chunk);
  /* As many as were counted, also where the file was damaged meanwhile. */
  guint16 *rows = g_new0 (guint16, segment->n_items);
  gboolean read = TRUE;
  guint n = 0;

  for (guint i = 0; i < self->n_conditions; i++)
    read = read && weft_store_read_column (self->store, self->table, chunk,
                                           self->conditions[i].column, &columns[i], NULL);
  for (guint i = 0; read && i < segment->n_rows && n < segment->n_items; i++)
    {
      guint16 row = order ? order[i] : (guint16) i;
      gboolean met = TRUE;

      for (guint j = 0; j < self->n_conditions; j++)
        met = met && weft_store_column_get (&columns[j], row) == self->conditions[j].value;
      if (met)
        rows[n++] = row;
    }
  for (guint i = 0; i < self->n_conditions; i++)
    weft_store_column_clear (&columns[i]);
  return g_bytes_new_take (rows, segment->n_items * sizeof *rows);
}

/* Has the rows of a chunk at hand: pages are looked at from one end to the other. */
static void
go_to_chunk (WeftList *self, guint chunk)
{
  g_autoptr (GBytes) order = NULL;

  if (self->rows_of == chunk)
    return;
  order = weft_recording_get_row_order (self->recording, self->store, self->table, chunk);
  g_clear_pointer (&self->rows, g_bytes_unref);
  self->rows = self->n_conditions == 0
                   ? g_steal_pointer (&order)
                   : select_rows (self, chunk, order ? g_bytes_get_data (order, NULL) : NULL);
  self->rows_of = chunk;
}

static guint
find_segment (WeftList *self, guint position)
{
  guint low = 0;
  guint high = self->segments->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (g_array_index (self->segments, Segment, middle).position <= position)
        low = middle + 1;
      else
        high = middle;
    }
  return low - 1;
}

static guint64
number_of_row (WeftList *self, guint chunk, const Segment *segment, guint row)
{
  WeftStoreColumn ids = { 0 };
  guint64 number = segment->first_row + row;

  if (self->table == WEFT_TABLE_DISPATCHES &&
      weft_store_read_column (self->store, self->table, chunk, WEFT_DISPATCHES_ID, &ids, NULL))
    {
      number = weft_store_column_get (&ids, row);
      weft_store_column_clear (&ids);
    }
  return number;
}

static void
find_place (WeftList *self, guint position, WeftPlace *place)
{
  guint chunk = find_segment (self, position);
  const Segment *segment = &g_array_index (self->segments, Segment, chunk);
  guint at = (guint) (position - segment->position);

  go_to_chunk (self, chunk);
  place->chunk = chunk;
  place->row = self->rows ? ((const guint16 *) g_bytes_get_data (self->rows, NULL))[at] : at;
  place->number = number_of_row (self, chunk, segment, place->row);
}

static GType
weft_list_get_item_type (GListModel *model)
{
  WeftList *self = WEFT_LIST (model);
  WeftTableId table = self->table;

  if (self->through != 0)
    table = (WeftTableId) weft_model_find_column (table, self->through)->reference;
  return weft_model_get_table (table)->object ();
}

static guint
weft_list_get_n_items (GListModel *model)
{
  WeftList *self = WEFT_LIST (model);

  ensure_counted (self);
  return self->n_items;
}

static gpointer
weft_list_get_item (GListModel *model, guint position)
{
  WeftList *self = WEFT_LIST (model);
  WeftPlace place, target;
  WeftTableId table;
  guint64 id = 0;
  const WeftField *field;

  ensure_counted (self);
  if (position >= self->n_items)
    return NULL;
  find_place (self, position, &place);
  if (self->through == 0)
    return weft_object_new (self->recording, self->store, self->table, &place);
  field = weft_model_find_column (self->table, self->through);
  table = (WeftTableId) field->reference;
  weft_row_read_field (self->store, self->table, &place, field, &id, NULL);
  if (!weft_recording_find_row (self->recording, self->store, table, id, &target, NULL))
    target = (WeftPlace){ .number = id, .chunk = WEFT_NO_CHUNK };
  return weft_object_new (self->recording, self->store, table, &target);
}

static void
weft_list_model_init (GListModelInterface *interface)
{
  interface->get_item_type = weft_list_get_item_type;
  interface->get_n_items = weft_list_get_n_items;
  interface->get_item = weft_list_get_item;
}

/* ---- The list ---- */

WeftList *
weft_list_new (WeftRecording *recording, WeftTableId table, const WeftListCondition *conditions,
               guint n_conditions, WeftColumnNumber through)
{
  WeftList *self = g_object_new (WEFT_TYPE_LIST, NULL);

  g_assert (n_conditions <= WEFT_LIST_MAX_CONDITIONS);

  self->recording = g_object_ref (recording);
  self->store = weft_recording_ref_store (recording);
  self->table = table;
  if (n_conditions > 0)
    memcpy (self->conditions, conditions, n_conditions * sizeof *conditions);
  self->n_conditions = n_conditions;
  self->through = through;
  g_signal_connect_object (recording, "changed", G_CALLBACK (on_recording_changed), self, 0);
  return self;
}

WeftList *
weft_list_new_children (WeftObject *parent, WeftTableId table, WeftColumnNumber by,
                        WeftColumnNumber through)
{
  const WeftField *owner_table = weft_model_find_field (table, "owner_table");
  WeftListCondition conditions[WEFT_LIST_MAX_CONDITIONS] = {
    { .column = by, .value = weft_object_get_id (parent) },
  };
  guint n_conditions = 1;

  if (owner_table != NULL)
    conditions[n_conditions++] = (WeftListCondition){
      .column = owner_table->column,
      .value = WEFT_OBJECT_GET_CLASS (parent)->table,
    };
  return weft_list_new (weft_object_get_recording (parent), table, conditions, n_conditions,
                        through);
}

static void
weft_list_finalize (GObject *object)
{
  WeftList *self = WEFT_LIST (object);

  g_clear_pointer (&self->segments, g_array_unref);
  g_clear_pointer (&self->rows, g_bytes_unref);
  g_clear_pointer (&self->store, weft_store_unref);
  g_clear_object (&self->recording);
  g_free (self->damage);

  G_OBJECT_CLASS (weft_list_parent_class)->finalize (object);
}

static void
weft_list_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  WeftList *self = WEFT_LIST (object);

  switch (prop_id)
    {
    case PROP_RECORDING:
      g_value_set_object (value, self->recording);
      break;
    case PROP_N_ITEMS:
      g_value_set_uint (value, weft_list_get_n_items (G_LIST_MODEL (self)));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
weft_list_class_init (WeftListClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  object_class->finalize = weft_list_finalize;
  object_class->get_property = weft_list_get_property;

  /**
   * WeftList:recording: (getter get_recording)
   *
   * The recording whose objects these are.
   *
   * Since: 0.1
   */
  properties[PROP_RECORDING] =
      g_param_spec_object ("recording", NULL, NULL, WEFT_TYPE_RECORDING, flags);

  /**
   * WeftList:n-items:
   *
   * How many objects there are.
   *
   * Since: 0.1
   */
  properties[PROP_N_ITEMS] =
      g_param_spec_uint ("n-items", NULL, NULL, 0, G_MAXUINT, 0, flags | G_PARAM_EXPLICIT_NOTIFY);

  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
weft_list_init (WeftList *self)
{
  self->rows_of = G_MAXUINT;
}

/**
 * weft_list_get_recording: (get-property recording)
 * @self: a list
 *
 * Returns: (transfer none): the recording whose objects these are
 *
 * Since: 0.1
 */
WeftRecording *
weft_list_get_recording (WeftList *self)
{
  g_return_val_if_fail (WEFT_IS_LIST (self), NULL);

  return self->recording;
}

/**
 * weft_list_get_damage:
 * @self: a list
 *
 * What could not be read while the list was made. Objects of such parts of the file are left out.
 *
 * Returns: (transfer full) (nullable): what is wrong, for people
 *
 * Since: 0.1
 */
char *
weft_list_get_damage (WeftList *self)
{
  g_return_val_if_fail (WEFT_IS_LIST (self), NULL);

  ensure_counted (self);
  return g_strdup (self->damage);
}

/**
 * weft_recording_get_objects:
 * @self: a recording
 * @table: name of a table, such as `dispatches`
 * @error: return location for an error
 *
 * All objects of a kind that is known by name only; [method@Recording.get_lanes] and others give
 * those of one kind. Fails with %WEFT_ERROR_NO_SUCH_TABLE if there is no such table, or if its rows
 * are not objects.
 *
 * Returns: (transfer full): a list of them
 *
 * Since: 0.1
 */
WeftList *
weft_recording_get_objects (WeftRecording *self, const char *table, GError **error)
{
  g_autoptr (GString) known = NULL;
  WeftTableId id;

  g_return_val_if_fail (WEFT_IS_RECORDING (self), NULL);
  g_return_val_if_fail (table != NULL, NULL);

  id = weft_model_find_table (table);
  if (id != WEFT_N_TABLES && weft_model_get_table (id)->object != NULL)
    return weft_list_new (self, id, NULL, 0, 0);
  known = g_string_new (NULL);
  for (guint i = 0; i < WEFT_N_TABLES; i++)
    if (weft_model_get_table ((WeftTableId) i)->object != NULL)
      g_string_append_printf (known, "%s%s", known->len > 0 ? ", " : "",
                              weft_model_get_table ((WeftTableId) i)->name);
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_NO_SUCH_TABLE,
               "No table of objects is called “%s”; there are %s", table, known->str);
  return NULL;
}
