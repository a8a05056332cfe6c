/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-scan.h"

#include <string.h>

#include "weft-chunk-reader.h"
#include "weft-recording-private.h"

/* One chunk on its way. */
typedef struct
{
  const WeftScan *scan;
  WeftChunkReader whole; /* columns beyond those that can be decoded as they pass */
  guint passing[WEFT_MAX_SCAN_COLUMNS];
  guint n_passing;
  WeftPredicate *predicates[64]; /* those that not all rows fit */
  guint n_predicates;
  guint first;
  WeftBatchFunc func;
  gpointer data;
  GError *error;
  gboolean has_failed;
} Pass;

/* Of several conditions, those that the chunk's zones do not grant. */
static WeftRowsVerdict
choose_predicates (Pass *self, guint chunk)
{
  const WeftScan *scan = self->scan;
  const WeftPredicate *predicate = scan->predicate;
  WeftRowsVerdict verdict;

  if (predicate == NULL)
    return WEFT_VERDICT_ROWS_ALL;
  verdict = weft_predicate_judge (predicate, scan->run->store, scan->table, chunk);
  if (verdict != WEFT_VERDICT_ROWS_SOME)
    return verdict;
  if (predicate->kind != WEFT_PREDICATE_AND ||
      predicate->children->len > G_N_ELEMENTS (self->predicates))
    {
      self->predicates[self->n_predicates++] = (WeftPredicate *) predicate;
      return verdict;
    }
  for (guint i = 0; i < predicate->children->len; i++)
    {
      WeftPredicate *child = g_ptr_array_index (predicate->children, i);

      if (weft_predicate_judge (child, scan->run->store, scan->table, chunk) ==
          WEFT_VERDICT_ROWS_SOME)
        self->predicates[self->n_predicates++] = child;
    }
  return verdict;
}

static gboolean
select_rows (Pass *self, WeftBatch *batch, guint16 *rows, guint16 *scratch)
{
  for (guint i = 0; i < self->n_predicates && batch->n > 0; i++)
    {
      guint n;

      if (!weft_predicate_select (self->predicates[i], self->scan->run->store, batch, scratch, &n,
                                  &self->error))
        return FALSE;
      memcpy (rows, scratch, n * sizeof rows[0]);
      batch->rows = rows;
      batch->n = n;
    }
  return TRUE;
}

static void
slice (const WeftStoreColumn *whole, guint first, guint n, WeftStoreColumn *piece)
{
  *piece = *whole;
  piece->n_rows = n;
  if (piece->data != NULL)
    piece->data = (const guint8 *) piece->data + (gsize) first * piece->width;
  if (piece->presence != NULL)
    piece->presence += first / 64;
}

static void
take_piece (const WeftStoreColumn *columns, gpointer data)
{
  Pass *self = data;
  WeftStoreColumn slices[WEFT_MAX_COLUMNS];
  guint16 rows[WEFT_BATCH_ROWS];
  guint16 scratch[WEFT_BATCH_ROWS];
  WeftBatch batch = { .first_row = self->whole.info.first_row + self->first };

  if (self->has_failed)
    return;
  batch.n = MIN (self->whole.info.n_rows - self->first, WEFT_BATCH_ROWS);
  for (guint i = 0; i < self->n_passing; i++)
    batch.columns[self->passing[i]] = &columns[i];
  for (guint place = 0; place < WEFT_MAX_COLUMNS; place++)
    if (self->whole.places >> place & 1)
      {
        slice (&self->whole.columns[place], self->first, batch.n, &slices[place]);
        batch.columns[place] = &slices[place];
      }
  self->has_failed = !weft_run_check (self->scan->run, &self->error) ||
                     !select_rows (self, &batch, rows, scratch) ||
                     (batch.n > 0 && !self->func (&batch, self->first, self->data, &self->error));
  self->first += WEFT_BATCH_ROWS;
}

static gboolean
pass_columns (Pass *self, guint chunk, GError **error)
{
  const WeftScan *scan = self->scan;
  WeftColumnNumber base = weft_model_get_table (scan->table)->fields[0].column;
  WeftColumnNumber numbers[WEFT_MAX_SCAN_COLUMNS];
  GError *local = NULL;

  if (self->n_passing == 0)
    {
      while (self->first < self->whole.info.n_rows && !self->has_failed)
        take_piece (NULL, self);
      return TRUE;
    }
  for (guint i = 0; i < self->n_passing; i++)
    numbers[i] = base + self->passing[i];
  if (weft_store_scan_columns (scan->run->store, scan->table, chunk, numbers, self->n_passing,
                               take_piece, self, &local))
    return TRUE;
  g_clear_error (&self->error);
  weft_propagate_store_error (error, local);
  return FALSE;
}

gboolean
weft_scan_chunk (const WeftScan *self, guint chunk, WeftBatchFunc func, gpointer data,
                 GError **error)
{
  Pass pass = { .scan = self, .func = func, .data = data };
  guint32 places = self->places;
  guint32 rest = 0;
  gboolean good;

  if (!weft_run_check (self->run, error))
    return FALSE;
  if (choose_predicates (&pass, chunk) == WEFT_VERDICT_ROWS_NONE)
    return TRUE;
  for (guint i = 0; i < pass.n_predicates; i++)
    places |= weft_predicate_get_places (pass.predicates[i]);
  for (guint place = 0; place < WEFT_MAX_COLUMNS; place++)
    {
      if (!(places >> place & 1))
        continue;
      if (pass.n_passing < WEFT_MAX_SCAN_COLUMNS)
        pass.passing[pass.n_passing++] = place;
      else
        rest |= 1u << place;
    }
  good = weft_chunk_reader_open (&pass.whole, self->run->store, self->table, chunk, rest, error) &&
         pass_columns (&pass, chunk, error);
  weft_chunk_reader_clear (&pass.whole);
  if (good && pass.has_failed)
    g_propagate_error (error, pass.error);
  return good && !pass.has_failed;
}
