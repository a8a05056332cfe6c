/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-producer-ids.h"

#include "weft-row-cursor.h"
#include "weft-row-table.h"

typedef struct
{
  guint64 runtime;
  guint64 producer;
  guint64 dispatch; /* 0: not found */
} Wanted;

struct _WeftProducerIds
{
  GHashTable *wanted; /* Wanted → itself */
};

static guint
hash_wanted (gconstpointer key)
{
  const Wanted *wanted = key;

  return (guint) (wanted->producer * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15) >> 32) ^
         (guint) wanted->runtime;
}

static gboolean
equal_wanted (gconstpointer a, gconstpointer b)
{
  const Wanted *left = a;
  const Wanted *right = b;

  return left->runtime == right->runtime && left->producer == right->producer;
}

WeftProducerIds *
weft_producer_ids_new (void)
{
  WeftProducerIds *self = g_new0 (WeftProducerIds, 1);

  self->wanted = g_hash_table_new_full (hash_wanted, equal_wanted, g_free, NULL);
  return self;
}

void
weft_producer_ids_free (WeftProducerIds *self)
{
  g_hash_table_unref (self->wanted);
  g_free (self);
}

void
weft_producer_ids_want (WeftProducerIds *self, guint64 runtime, guint64 producer)
{
  const Wanted wanted = { runtime, producer, 0 };

  if (producer != 0 && !g_hash_table_contains (self->wanted, &wanted))
    g_hash_table_add (self->wanted, g_memdup2 (&wanted, sizeof wanted));
}

gboolean
weft_producer_ids_want_table (WeftProducerIds *self, const WeftAnalysisScope *scope,
                              WeftTableId table, WeftColumnNumber dispatch,
                              WeftColumnNumber runtime, WeftColumnNumber producer, GError **error)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (scope, table);

  weft_row_cursor_where (rows, dispatch, 0);
  while (weft_row_cursor_next (rows))
    weft_producer_ids_want (self, weft_row_cursor_get (rows, runtime),
                            weft_row_cursor_get (rows, producer));
  return weft_row_cursor_finish (rows, error);
}

gboolean
weft_producer_ids_resolve (WeftProducerIds *self, const WeftAnalysisScope *scope, GError **error)
{
  static const WeftColumnNumber lane_columns[] = { WEFT_LANES_RUNTIME };
  g_autoptr (WeftRowTable) lanes = NULL;
  g_autoptr (WeftRowCursor) rows = NULL;

  if (g_hash_table_size (self->wanted) == 0)
    return TRUE;
  lanes = weft_row_table_new (scope, WEFT_TABLE_LANES, lane_columns, 1, error);
  if (lanes == NULL)
    return FALSE;
  rows = weft_row_cursor_new (scope, WEFT_TABLE_DISPATCHES);
  while (weft_row_cursor_next (rows))
    {
      const guint64 lane = weft_row_cursor_get (rows, WEFT_DISPATCHES_LANE);
      const Wanted key = { weft_row_table_get (lanes, WEFT_LANES_RUNTIME, lane),
                           weft_row_cursor_get (rows, WEFT_DISPATCHES_PRODUCER_ID), 0 };
      Wanted *wanted = key.producer ? g_hash_table_lookup (self->wanted, &key) : NULL;

      if (wanted != NULL)
        wanted->dispatch = weft_row_cursor_get_number (rows);
    }
  return weft_row_cursor_finish (rows, error);
}

guint64
weft_producer_ids_get (WeftProducerIds *self, guint64 dispatch, guint64 runtime, guint64 producer)
{
  const Wanted key = { runtime, producer, 0 };
  const Wanted *found;

  if (dispatch != 0 || producer == 0)
    return dispatch;
  found = g_hash_table_lookup (self->wanted, &key);
  return found ? found->dispatch : 0;
}
