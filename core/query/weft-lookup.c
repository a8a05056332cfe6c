/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-lookup.h"

#include <string.h>

#include "weft-chunk-reader.h"
#include "weft-numbering.h"

/* The values of one chunk's rows, in the order of arrival. */
typedef struct
{
  guint32 *narrow; /* offsets from BASE, where they fit */
  guint64 *wide;   /* else */
  guint64 base;
  guint8 *nulls; /* NULL: none */
} Block;

struct _WeftLookup
{
  WeftStore *store;
  const WeftExpression *expression;
  WeftTableId table;
  WeftNumbering *numbering;
  Block **blocks; /* atomic: set once */
  GMutex lock;
};

static void
block_free (Block *block)
{
  if (block == NULL)
    return;
  g_free (block->narrow);
  g_free (block->wide);
  g_free (block->nulls);
  g_free (block);
}

WeftLookup *
weft_lookup_new (WeftStore *store, WeftTableId table, const WeftExpression *expression,
                 GError **error)
{
  WeftNumbering *numbering = weft_numbering_new (store, table, error);
  WeftLookup *self;

  if (numbering == NULL)
    return NULL;
  self = g_new0 (WeftLookup, 1);
  self->store = weft_store_ref (store);
  self->expression = expression;
  self->table = table;
  self->numbering = numbering;
  self->blocks = g_new0 (Block *, weft_store_get_n_chunks (store, table) + 1);
  g_mutex_init (&self->lock);
  return self;
}

void
weft_lookup_free (WeftLookup *self)
{
  for (guint i = 0; i < weft_store_get_n_chunks (self->store, self->table); i++)
    block_free (self->blocks[i]);
  g_free (self->blocks);
  weft_numbering_free (self->numbering);
  weft_store_unref (self->store);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* Half the memory where values lie close together. */
static void
narrow (Block *block, guint n)
{
  guint64 low = G_MAXUINT64;
  guint64 high = 0;

  for (guint i = 0; i < n; i++)
    {
      low = MIN (low, block->wide[i]);
      high = MAX (high, block->wide[i]);
    }
  if (high - low > G_MAXUINT32)
    return;
  block->base = low;
  block->narrow = g_new (guint32, n);
  for (guint i = 0; i < n; i++)
    block->narrow[i] = (guint32) (block->wide[i] - low);
  g_clear_pointer (&block->wide, g_free);
}

static void
block_take (Block *block, const WeftVector *vector, const guint32 *places, guint first, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      guint place = places != NULL ? places[first + i] : first + i;
      gboolean is_null = vector->has_nulls && vector->nulls[i];

      block->wide[place] = is_null ? 0 : vector->values[i];
      block->nulls[place] = is_null;
    }
}

static Block *
block_new (WeftLookup *self, guint chunk, GError **error)
{
  g_auto (WeftChunkReader) reader = { 0 };
  g_autofree guint32 *places = NULL;
  Block *block;
  WeftVector vector;
  guint n;

  if (!weft_chunk_reader_open (&reader, self->store, self->table, chunk,
                               weft_expression_get_places (self->expression), error) ||
      !weft_chunk_reader_get_arrivals (&reader, &places, error))
    return NULL;
  n = reader.info.n_rows;
  block = g_new0 (Block, 1);
  block->wide = g_new0 (guint64, n);
  block->nulls = g_new0 (guint8, n);
  for (guint first = 0; first < n; first += WEFT_BATCH_ROWS)
    {
      WeftBatch batch;

      weft_chunk_reader_get_rows (&reader, first, &batch);
      if (!weft_expression_evaluate (self->expression, &batch, &vector, error))
        {
          block_free (block);
          return NULL;
        }
      block_take (block, &vector, places, first, batch.n);
    }
  if (memchr (block->nulls, 1, n) == NULL)
    g_clear_pointer (&block->nulls, g_free);
  narrow (block, n);
  return block;
}

static const Block *
get_block (WeftLookup *self, guint chunk, GError **error)
{
  Block *block = __atomic_load_n (&self->blocks[chunk], __ATOMIC_ACQUIRE);

  if (block != NULL)
    return block;
  g_mutex_lock (&self->lock);
  block = self->blocks[chunk];
  if (block == NULL)
    {
      block = block_new (self, chunk, error);
      __atomic_store_n (&self->blocks[chunk], block, __ATOMIC_RELEASE);
    }
  g_mutex_unlock (&self->lock);
  return block;
}

static void
set_null (WeftVector *vector, guint i)
{
  if (!vector->has_nulls)
    memset (vector->nulls, 0, sizeof vector->nulls);
  vector->has_nulls = TRUE;
  vector->values[i] = 0;
  vector->nulls[i] = 1;
}

gboolean
weft_lookup_resolve (WeftLookup *self, WeftVector *vector, guint n, GError **error)
{
  const Block *block = NULL;
  guint64 first = 0;
  guint64 n_rows = 0;

  for (guint i = 0; i < n; i++)
    {
      guint64 row = weft_numbering_get_row (self->numbering, vector->values[i]);
      guint chunk;

      if (vector->has_nulls && vector->nulls[i])
        continue;
      if (row - first >= n_rows || block == NULL)
        {
          if (!weft_numbering_find_chunk (self->numbering, row, &chunk, &first, &n_rows))
            {
              set_null (vector, i);
              continue;
            }
          block = get_block (self, chunk, error);
          if (block == NULL)
            return FALSE;
        }
      if (block->nulls != NULL && block->nulls[row - first])
        set_null (vector, i);
      else
        vector->values[i] = block->narrow != NULL ? block->narrow[row - first] + block->base
                                                  : block->wide[row - first];
    }
  return TRUE;
}
