/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-stack-costs.h"

#include "weft-row-scan.h"

/* ---- Symbols ---- */

static guint
hash_symbol (gconstpointer data)
{
  const guint64 *key = data;
  guint64 mixed = 0;

  for (guint i = 0; i < 4; i++)
    mixed = (mixed ^ key[i]) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
  return (guint) (mixed >> 32);
}

static gboolean
equal_symbols (gconstpointer a, gconstpointer b)
{
  const guint64 *left = a;
  const guint64 *right = b;

  return left[0] == right[0] && left[1] == right[1] && left[2] == right[2] && left[3] == right[3];
}

/* Functions that are only inlined have no address: they are told apart by their declarations. */
static gboolean
read_symbols (WeftStackCosts *self, GError **error)
{
  static const WeftColumnNumber columns[] = {
    WEFT_SYMBOLS_MODULE, WEFT_SYMBOLS_NAME, WEFT_SYMBOLS_LINKAGE_NAME, WEFT_SYMBOLS_OFFSET,
    WEFT_SYMBOLS_SIZE,   WEFT_SYMBOLS_FILE, WEFT_SYMBOLS_LINE,
  };
  g_autoptr (GHashTable) known = g_hash_table_new_full (hash_symbol, equal_symbols, g_free, g_free);
  guint64 n_rows;

  self->symbols =
      weft_row_table_new (self->scope, WEFT_TABLE_SYMBOLS, columns, G_N_ELEMENTS (columns), error);
  if (self->symbols == NULL)
    return FALSE;
  n_rows = weft_row_table_get_n_rows (self->symbols);
  self->same = g_new0 (guint64, n_rows + 1);
  for (guint64 i = 0; i < n_rows; i++)
    {
      guint64 id = weft_row_table_get_number (self->symbols, i);
      guint64 offset = weft_row_table_get (self->symbols, WEFT_SYMBOLS_OFFSET, id);
      guint64 key[] = { weft_row_table_get (self->symbols, WEFT_SYMBOLS_MODULE, id),
                        weft_row_table_get (self->symbols, WEFT_SYMBOLS_NAME, id), offset,
                        offset ? 0
                               : weft_row_table_get (self->symbols, WEFT_SYMBOLS_FILE, id) << 32 |
                                     weft_row_table_get (self->symbols, WEFT_SYMBOLS_LINE, id) };
      guint64 *found = g_hash_table_lookup (known, key);

      self->same[i] = found != NULL ? *found : id;
      if (found == NULL)
        g_hash_table_insert (known, g_memdup2 (key, sizeof key), g_memdup2 (&id, sizeof id));
    }
  return TRUE;
}

guint64
weft_stack_costs_get_same (const WeftStackCosts *self, guint64 symbol)
{
  guint64 index;

  return weft_row_table_get_index (self->symbols, symbol, &index) ? self->same[index] : 0;
}

/* ---- Frames ---- */

static void
take_frame (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  WeftStackCosts *self = data;
  WeftFrameFacts *facts = &self->facts[weft_callchain_reader_find_frame (self->callchains, number)];

  facts->module = values[0];
  facts->offset = values[1];
  facts->flags = values[2];
}

/* A row of depth 0 begins what is told of a frame anew: what is told last counts. */
static void
take_frame_symbol (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  WeftStackCosts *self = data;
  guint32 frame = weft_callchain_reader_find_frame (self->callchains, values[0]);
  WeftFrameFacts *facts = &self->facts[frame];
  WeftFrameTold told = { .symbol = weft_stack_costs_get_same (self, values[2]),
                         .file = (guint32) values[3],
                         .line = values[4] };
  guint32 place = self->told->len;

  if (frame == 0 || told.symbol == 0 || place == G_MAXINT32 || (values[1] > 0 && facts->first == 0))
    return;
  if (values[1] == 0)
    facts->first = place;
  else
    g_array_index (self->told, WeftFrameTold, facts->last).next = place;
  facts->last = place;
  g_array_append_val (self->told, told);
}

static gboolean
read_frames (WeftStackCosts *self, GError **error)
{
  static const WeftColumnNumber frame[] = { WEFT_FRAMES_MODULE, WEFT_FRAMES_OFFSET,
                                            WEFT_FRAMES_FLAGS };
  static const WeftColumnNumber frame_symbol[] = {
    WEFT_FRAME_SYMBOLS_FRAME, WEFT_FRAME_SYMBOLS_DEPTH, WEFT_FRAME_SYMBOLS_SYMBOL,
    WEFT_FRAME_SYMBOLS_FILE, WEFT_FRAME_SYMBOLS_LINE
  };

  self->facts =
      g_new0 (WeftFrameFacts, (gsize) weft_callchain_reader_get_n_frames (self->callchains) + 1);
  self->told = g_array_new (FALSE, TRUE, sizeof (WeftFrameTold));
  g_array_set_size (self->told, 1);
  return weft_scan_rows (self->scope->store, WEFT_TABLE_FRAMES, frame, G_N_ELEMENTS (frame),
                         take_frame, self, self->scope->cancellable, error) &&
         weft_scan_rows (self->scope->store, WEFT_TABLE_FRAME_SYMBOLS, frame_symbol,
                         G_N_ELEMENTS (frame_symbol), take_frame_symbol, self,
                         self->scope->cancellable, error);
}

/* ---- Samples ---- */

static void
take_sample (const WeftSampleRow *sample, gpointer data)
{
  WeftStackCosts *self = data;
  WeftStackCost *cost = &self->costs[sample->row.node];

  cost->count++;
  cost->time += sample->weight;
  self->whole.count++;
  self->whole.time += sample->weight;
}

gboolean
weft_stack_costs_init (WeftStackCosts *self, const WeftAnalysisScope *scope, GError **error)
{
  *self = (WeftStackCosts){ .scope = scope };
  self->catalog = weft_catalog_new (scope->store, scope->cancellable, error);
  if (self->catalog == NULL)
    return FALSE;
  self->callchains = weft_callchain_reader_new (scope, error);
  if (self->callchains == NULL || !read_symbols (self, error) || !read_frames (self, error) ||
      !weft_cpu_filter_new (scope, self->callchains, self->catalog, &self->filter, error))
    return FALSE;
  self->costs =
      g_new0 (WeftStackCost, (gsize) weft_callchain_reader_get_n_nodes (self->callchains) + 1);
  return weft_stream_samples (scope, self->callchains, self->filter, take_sample, self, error);
}

void
weft_stack_costs_clear (WeftStackCosts *self)
{
  g_clear_pointer (&self->filter, weft_cpu_filter_free);
  g_clear_pointer (&self->symbols, weft_row_table_free);
  g_clear_pointer (&self->callchains, weft_callchain_reader_free);
  g_clear_pointer (&self->catalog, weft_catalog_free);
  g_clear_pointer (&self->told, g_array_unref);
  g_clear_pointer (&self->same, g_free);
  g_clear_pointer (&self->facts, g_free);
  g_clear_pointer (&self->costs, g_free);
}
