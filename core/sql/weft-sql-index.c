/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-sql-index.h"

#include <string.h>

#include "weft-chunk-reader.h"

#define DIGIT_BITS 11
#define N_DIGITS (1u << DIGIT_BITS)

struct _WeftSqlIndex
{
  WeftSqlIndexEntry *entries; /* by value, then place */
  gsize n;
};

void
weft_sql_index_free (WeftSqlIndex *self)
{
  g_free (self->entries);
  g_free (self);
}

static gboolean
take_chunk (WeftSqlIndex *self, WeftRun *run, WeftTableId table, guint chunk,
            const WeftExpression *expression, GError **error)
{
  g_auto (WeftChunkReader) reader = { 0 };
  g_autofree WeftVector *vector = g_new (WeftVector, 1);

  if (!weft_run_check (run, error) ||
      !weft_chunk_reader_open (&reader, run->store, table, chunk,
                               weft_expression_get_places (expression), error))
    return FALSE;
  for (guint first = 0; first < reader.info.n_rows; first += WEFT_BATCH_ROWS)
    {
      WeftBatch batch;

      weft_chunk_reader_get_rows (&reader, first, &batch);
      if (!weft_expression_evaluate (expression, &batch, vector, error))
        return FALSE;
      for (guint i = 0; i < batch.n; i++)
        if (!vector->has_nulls || !vector->nulls[i])
          self->entries[self->n++] = (WeftSqlIndexEntry){ vector->values[i], chunk, first + i };
    }
  return TRUE;
}

/* By one digit of the values; what is equal stays in its order. */
static void
sort_by_digit (const WeftSqlIndexEntry *from, WeftSqlIndexEntry *to, gsize n, guint shift)
{
  gsize places[N_DIGITS] = { 0 };
  gsize place = 0;

  for (gsize i = 0; i < n; i++)
    places[from[i].value >> shift & (N_DIGITS - 1)]++;
  for (guint digit = 0; digit < N_DIGITS; digit++)
    {
      gsize count = places[digit];

      places[digit] = place;
      place += count;
    }
  for (gsize i = 0; i < n; i++)
    to[places[from[i].value >> shift & (N_DIGITS - 1)]++] = from[i];
}

static void
sort (WeftSqlIndex *self)
{
  g_autofree WeftSqlIndexEntry *other = g_new (WeftSqlIndexEntry, self->n + 1);
  guint64 bits = 0;

  for (gsize i = 0; i < self->n; i++)
    bits |= self->entries[i].value;
  for (guint shift = 0; shift < 64 && bits >> shift != 0; shift += DIGIT_BITS)
    {
      WeftSqlIndexEntry *sorted = g_steal_pointer (&other);

      sort_by_digit (self->entries, sorted, self->n, shift);
      other = self->entries;
      self->entries = sorted;
    }
}

WeftSqlIndex *
weft_sql_index_new (WeftRun *run, WeftTableId table, const WeftExpression *expression,
                    GError **error)
{
  WeftSqlIndex *self = g_new0 (WeftSqlIndex, 1);
  guint n_chunks = weft_store_get_n_chunks (run->store, table);
  gsize n_rows = 0;

  for (guint i = 0; i < n_chunks; i++)
    {
      WeftChunkInfo info;

      weft_store_get_chunk (run->store, table, i, &info);
      n_rows += info.n_rows;
    }
  self->entries = g_new (WeftSqlIndexEntry, n_rows + 1);
  for (guint i = 0; i < n_chunks; i++)
    if (!take_chunk (self, run, table, i, expression, error))
      {
        weft_sql_index_free (self);
        return NULL;
      }
  sort (self);
  return self;
}

/* The first entry whose value is not below VALUE. */
static gsize
find_first (const WeftSqlIndex *self, guint64 value)
{
  gsize low = 0;
  gsize high = self->n;

  while (low < high)
    {
      gsize middle = low + (high - low) / 2;

      if (self->entries[middle].value < value)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

const WeftSqlIndexEntry *
weft_sql_index_find (const WeftSqlIndex *self, guint64 value, gsize *n)
{
  gsize first = find_first (self, value);
  gsize end = value == G_MAXUINT64 ? self->n : find_first (self, value + 1);

  *n = end - first;
  return self->entries + first;
}
