/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-batch-private.h"

#include "weft-object-private.h"
#include "weft-objects.h"

/**
 * WeftBatch:
 *
 * What a [class@Subscription] delivers at a time: rows of several kinds, each in the order in which
 * they were recorded, as columns or as objects.
 *
 * Since: 0.1
 */
struct _WeftBatch
{
  GObject parent_instance;

  WeftRecording *recording;
  WeftStore *store;
  GArray *places[WEFT_N_EVENT_KINDS]; /* element type WeftPlace; NULL: none */
  guint64 missed[WEFT_N_EVENT_KINDS];
  WeftTable *tables[WEFT_N_EVENT_KINDS]; /* made when asked for */
};

G_DEFINE_FINAL_TYPE (WeftBatch, weft_batch, G_TYPE_OBJECT)

/* ---- Objects of a kind ---- */

#define WEFT_TYPE_BATCH_OBJECTS (weft_batch_objects_get_type ())
G_DECLARE_FINAL_TYPE (WeftBatchObjects, weft_batch_objects, WEFT, BATCH_OBJECTS, GObject)

struct _WeftBatchObjects
{
  GObject parent_instance;

  WeftBatch *batch;
  guint position;
};

static void weft_batch_objects_model_init (GListModelInterface *interface);

G_DEFINE_FINAL_TYPE_WITH_CODE (WeftBatchObjects, weft_batch_objects, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL,
                                                      weft_batch_objects_model_init))

static GType
weft_batch_objects_get_item_type (GListModel *model)
{
  WeftTableId table = weft_event_table (WEFT_BATCH_OBJECTS (model)->position);

  return weft_model_get_table (table)->object ();
}

static guint
weft_batch_objects_get_n_items (GListModel *model)
{
  WeftBatchObjects *self = WEFT_BATCH_OBJECTS (model);
  const GArray *places = self->batch->places[self->position];

  return places == NULL ? 0 : places->len;
}

static gpointer
weft_batch_objects_get_item (GListModel *model, guint position)
{
  WeftBatchObjects *self = WEFT_BATCH_OBJECTS (model);
  GArray *places = self->batch->places[self->position];

  if (places == NULL || position >= places->len)
    return NULL;
  return weft_object_new (self->batch->recording, self->batch->store,
                          weft_event_table (self->position),
                          &g_array_index (places, WeftPlace, position));
}

static void
weft_batch_objects_model_init (GListModelInterface *interface)
{
  interface->get_item_type = weft_batch_objects_get_item_type;
  interface->get_n_items = weft_batch_objects_get_n_items;
  interface->get_item = weft_batch_objects_get_item;
}

static void
weft_batch_objects_finalize (GObject *object)
{
  g_clear_object (&WEFT_BATCH_OBJECTS (object)->batch);

  G_OBJECT_CLASS (weft_batch_objects_parent_class)->finalize (object);
}

static void
weft_batch_objects_class_init (WeftBatchObjectsClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = weft_batch_objects_finalize;
}

static void
weft_batch_objects_init (WeftBatchObjects *self)
{
}

/* ---- The batch ---- */

WeftTableId
weft_event_table (guint position)
{
  static const WeftTableId tables[WEFT_N_EVENT_KINDS] = {
    WEFT_TABLE_DISPATCHES,
    WEFT_TABLE_METRIC_POINTS,
    WEFT_TABLE_TRACES,
    WEFT_TABLE_WARNINGS,
  };

  return tables[position];
}

WeftBatch *
weft_batch_new (WeftRecording *recording, WeftStore *store)
{
  WeftBatch *self = g_object_new (WEFT_TYPE_BATCH, NULL);

  self->recording = g_object_ref (recording);
  self->store = weft_store_ref (store);
  return self;
}

void
weft_batch_take_rows (WeftBatch *self, guint position, GArray *places, guint64 missed)
{
  self->places[position] = places;
  self->missed[position] = missed;
}

static void
weft_batch_finalize (GObject *object)
{
  WeftBatch *self = WEFT_BATCH (object);

  for (guint i = 0; i < WEFT_N_EVENT_KINDS; i++)
    {
      g_clear_pointer (&self->places[i], g_array_unref);
      g_clear_object (&self->tables[i]);
    }
  g_clear_pointer (&self->store, weft_store_unref);
  g_clear_object (&self->recording);

  G_OBJECT_CLASS (weft_batch_parent_class)->finalize (object);
}

static void
weft_batch_class_init (WeftBatchClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = weft_batch_finalize;
}

static void
weft_batch_init (WeftBatch *self)
{
}

/**
 * weft_batch_get_n_rows:
 * @self: a batch
 * @kinds: one or several kinds
 *
 * Returns: how many rows of @kinds it holds
 *
 * Since: 0.1
 */
guint
weft_batch_get_n_rows (WeftBatch *self, WeftEventKinds kinds)
{
  guint n = 0;

  g_return_val_if_fail (WEFT_IS_BATCH (self), 0);

  for (guint i = 0; i < WEFT_N_EVENT_KINDS; i++)
    if ((kinds & 1u << i) && self->places[i] != NULL)
      n += self->places[i]->len;
  return n;
}

/**
 * weft_batch_get_missed:
 * @self: a batch
 * @kinds: one or several kinds
 *
 * How many rows lie between the batch before and this one that were not delivered: because the
 * reader was further behind than its bound, or because the file is damaged there.
 *
 * Returns: the number of rows
 *
 * Since: 0.1
 */
guint64
weft_batch_get_missed (WeftBatch *self, WeftEventKinds kinds)
{
  guint64 n = 0;

  g_return_val_if_fail (WEFT_IS_BATCH (self), 0);

  for (guint i = 0; i < WEFT_N_EVENT_KINDS; i++)
    if (kinds & 1u << i)
      n += self->missed[i];
  return n;
}

/* FALSE if KIND is not one kind. */
static gboolean
find_kind (WeftEventKinds kind, guint *position)
{
  for (guint i = 0; i < WEFT_N_EVENT_KINDS; i++)
    if ((guint) kind == 1u << i)
      {
        *position = i;
        return TRUE;
      }
  return FALSE;
}

/**
 * weft_batch_get_table:
 * @self: a batch
 * @kind: one kind
 *
 * The rows as columns, one for each field of the kind's table.
 *
 * Returns: (transfer none): the table; it has no rows if there are none of @kind
 *
 * Since: 0.1
 */
WeftTable *
weft_batch_get_table (WeftBatch *self, WeftEventKinds kind)
{
  guint position;

  g_return_val_if_fail (WEFT_IS_BATCH (self), NULL);
  g_return_val_if_fail (find_kind (kind, &position), NULL);

  if (self->tables[position] == NULL)
    {
      GArray *places = self->places[position];

      self->tables[position] = weft_rows_to_table (
          self->store, weft_event_table (position),
          places ? (const WeftPlace *) (gpointer) places->data : NULL, places ? places->len : 0);
    }
  return self->tables[position];
}

/**
 * weft_batch_get_objects:
 * @self: a batch
 * @kind: one kind
 *
 * The rows as objects, made when they are asked for.
 *
 * Returns: (transfer full): a list of [class@Dispatch], [class@MetricPoint], [class@Trace] or
 *   [class@Warning] objects
 *
 * Since: 0.1
 */
GListModel *
weft_batch_get_objects (WeftBatch *self, WeftEventKinds kind)
{
  WeftBatchObjects *objects;
  guint position;

  g_return_val_if_fail (WEFT_IS_BATCH (self), NULL);
  g_return_val_if_fail (find_kind (kind, &position), NULL);

  objects = g_object_new (WEFT_TYPE_BATCH_OBJECTS, NULL);
  objects->batch = g_object_ref (self);
  objects->position = position;
  return G_LIST_MODEL (objects);
}
