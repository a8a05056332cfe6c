/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Queries for rows: first it is found which ones, by the columns that decide that; then the others
 * are read of these only.
 */

#include "weft-plan.h"

#include <string.h>

#include "weft-chunk-reader.h"
#include "weft-cursor.h"
#include "weft-error.h"
#include "weft-output.h"
#include "weft-scan.h"
#include "weft-sorter.h"
#include "weft-store-parallel.h"

/* Where a row is: its chunk, and the row in it. */
#define PLACE(chunk, row) ((guint64) (chunk) << 16 | (row))
#define PLACE_CHUNK(place) ((guint) ((place) >> 16))
#define PLACE_ROW(place) ((guint16) (place))

/* ---- In the order of arrival ---- */

typedef struct
{
  guint64 *places;
  guint n;
} Found;

typedef struct
{
  WeftPlan *plan;
  WeftScan scan;
  WeftExpression *identity;
  guint64 after; /* rows up to this number are not wanted */
  guint first_chunk;
  Found *found; /* by chunk */
} Arrivals;

typedef struct
{
  const Arrivals *arrivals;
  guint chunk;
  WeftChunkInfo info;
  guint32 *rows; /* by place in the order of arrival: the row + 1 */
  guint n;
} ArrivalPass;

static gboolean
set_damaged (const WeftChunkInfo *info, GError **error)
{
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_DAMAGED,
               "The chunk at byte %" G_GUINT64_FORMAT " does not hold the rows that it should",
               info->file_offset);
  return FALSE;
}

static gboolean
take_arrivals (const WeftBatch *batch, guint first, gpointer data, GError **error)
{
  ArrivalPass *self = data;
  WeftVector numbers;

  if (!weft_expression_evaluate (self->arrivals->identity, batch, &numbers, error))
    return FALSE;
  for (guint i = 0; i < batch->n; i++)
    {
      guint64 place = numbers.values[i] - self->info.first_row;

      if (place >= self->info.n_rows || self->rows[place] != 0)
        return set_damaged (&self->info, error);
      if (numbers.values[i] <= self->arrivals->after)
        continue;
      self->rows[place] = first + (batch->rows != NULL ? batch->rows[i] : i) + 1;
      self->n++;
    }
  return TRUE;
}

static gboolean
find_in_chunk (guint thread, guint item, gpointer data, GError **error)
{
  Arrivals *self = data;
  ArrivalPass pass = { .arrivals = self, .chunk = self->first_chunk + item };
  Found *found = &self->found[pass.chunk];
  g_autofree guint32 *rows = NULL;
  guint n = 0;

  weft_store_get_chunk (self->scan.run->store, self->scan.table, pass.chunk, &pass.info);
  if (pass.info.first_row + pass.info.n_rows - 1 <= self->after)
    return TRUE;
  pass.rows = rows = g_new0 (guint32, pass.info.n_rows);
  if (!weft_scan_chunk (&self->scan, pass.chunk, take_arrivals, &pass, error) ||
      !weft_run_hold (self->scan.run, pass.n * sizeof (guint64), error))
    return FALSE;
  found->places = g_new (guint64, pass.n + 1);
  found->n = pass.n;
  for (guint i = 0; i < pass.info.n_rows; i++)
    {
      found->places[n] = PLACE (pass.chunk, (rows[i] - 1) & 0xffff);
      n += rows[i] != 0;
      if (n == pass.n)
        break;
    }
  weft_run_advance (self->scan.run, 1);
  return TRUE;
}

/* A few chunks at first, then ever more, until there are enough rows. */
static gboolean
find_arrivals (Arrivals *self, guint64 wanted, guint64 *total, GError **error)
{
  guint n_chunks = weft_store_get_n_chunks (self->scan.run->store, self->scan.table);
  guint at_once = wanted == 0 ? n_chunks : 1;

  *total = 0;
  while (self->first_chunk < n_chunks && (wanted == 0 || *total < wanted))
    {
      guint n = MIN (at_once, n_chunks - self->first_chunk);

      if (!weft_parallel_run (n, find_in_chunk, self, error))
        return FALSE;
      for (guint i = 0; i < n; i++)
        *total += self->found[self->first_chunk + i].n;
      self->first_chunk += n;
      at_once *= 2;
    }
  return TRUE;
}

static void
join_arrivals (Arrivals *self, guint64 *places, guint64 n)
{
  guint64 at = 0;

  for (guint i = 0; i < self->first_chunk && at < n; i++)
    {
      guint64 taken = MIN (self->found[i].n, n - at);

      /* Where nothing was found, there are no places to copy from. */
      if (taken > 0)
        memcpy (places + at, self->found[i].places, taken * sizeof places[0]);
      at += taken;
    }
}

/* ---- In an order that was asked for ---- */

typedef struct
{
  WeftPlan *plan;
  WeftScan scan;
  WeftExpression *identity;
  const WeftCursor *cursor;
  WeftSorter sorters[WEFT_MAX_THREADS];
  guint *chunks;    /* in the order in which they are looked at */
  guint64 *best;    /* of each of these: no row's first key comes before */
  guint64 bar;      /* atomic: rows with a later first key are not wanted */
  gboolean has_bar; /* whether first keys can be compared with it */
  guint n_skipped;  /* atomic */
} Ordered;

typedef struct
{
  Ordered *ordered;
  WeftSorter *sorter;
  guint chunk;
} OrderedPass;

/* Leaves out rows whose first key comes after the bar. */
static gboolean
keep_below_bar (const Ordered *self, const WeftSorter *sorter, WeftBatch *batch, guint16 *rows,
                GError **error)
{
  guint64 bar = __atomic_load_n (&self->bar, __ATOMIC_RELAXED);
  guint64 record[WEFT_SORTER_FIRST_KEY + 64];
  WeftVector vector;
  guint kept = 0;

  if (!self->has_bar || bar == G_MAXUINT64)
    return TRUE;
  if (!weft_expression_evaluate (
          WEFT_PLAN_ITEM (self->plan, WEFT_PLAN_ORDER (self->plan, 0)->item)->expression, batch,
          &vector, error))
    return FALSE;
  for (guint i = 0; i < batch->n; i++)
    {
      gboolean is_null = vector.has_nulls && vector.nulls[i];

      record[WEFT_SORTER_NULLS] = 0;
      weft_sorter_set_key (sorter, record, 0, vector.values[i], is_null);
      rows[kept] = batch->rows != NULL ? batch->rows[i] : (guint16) i;
      kept += !is_null && record[WEFT_SORTER_FIRST_KEY] <= bar;
    }
  batch->rows = rows;
  batch->n = kept;
  return TRUE;
}

static gboolean
take_ordered (const WeftBatch *all, guint first, gpointer data, GError **error)
{
  OrderedPass *self = data;
  const WeftPlan *plan = self->ordered->plan;
  guint n_words = self->sorter->n_words;
  guint16 rows[WEFT_BATCH_ROWS];
  WeftBatch left = *all;
  const WeftBatch *batch = &left;
  g_autofree guint64 *records = NULL;
  const WeftCursor *cursor = self->ordered->cursor;
  WeftVector vector;

  if (!keep_below_bar (self->ordered, self->sorter, &left, rows, error))
    return FALSE;
  if (left.n == 0)
    return TRUE;
  records = g_new0 (guint64, (gsize) left.n * n_words);
  if (!weft_expression_evaluate (self->ordered->identity, batch, &vector, error))
    return FALSE;
  for (guint i = 0; i < batch->n; i++)
    {
      records[i * n_words + WEFT_SORTER_NUMBER] = vector.values[i];
      records[i * n_words + WEFT_SORTER_PLACE] =
          PLACE (self->chunk, first + (batch->rows != NULL ? batch->rows[i] : i));
    }
  for (guint k = 0; k < plan->orders->len; k++)
    {
      const WeftItem *item = WEFT_PLAN_ITEM (plan, WEFT_PLAN_ORDER (plan, k)->item);

      if (!weft_expression_evaluate (item->expression, batch, &vector, error))
        return FALSE;
      for (guint i = 0; i < batch->n; i++)
        weft_sorter_set_key (self->sorter, records + i * n_words, k, vector.values[i],
                             vector.has_nulls && vector.nulls[i]);
    }
  for (guint i = 0; i < batch->n; i++)
    {
      const guint64 *record = records + i * n_words;

      if (cursor->record != NULL && weft_sorter_compare (self->sorter, record, cursor->record) <= 0)
        continue;
      if (!weft_sorter_add (self->sorter, record, error))
        return FALSE;
    }
  return TRUE;
}

static void
lower_bar (Ordered *self, const WeftSorter *sorter)
{
  guint64 mine = sorter->bar != NULL && !(sorter->bar[WEFT_SORTER_NULLS] & 1)
                     ? sorter->bar[WEFT_SORTER_FIRST_KEY]
                     : G_MAXUINT64;
  guint64 bar = __atomic_load_n (&self->bar, __ATOMIC_RELAXED);

  while (mine < bar && !__atomic_compare_exchange_n (&self->bar, &bar, mine, TRUE, __ATOMIC_RELAXED,
                                                     __ATOMIC_RELAXED))
    ;
}

static gboolean
order_chunk (guint thread, guint item, gpointer data, GError **error)
{
  Ordered *self = data;
  OrderedPass pass = { self, &self->sorters[thread], self->chunks[item] };

  if (self->has_bar && self->best[item] > __atomic_load_n (&self->bar, __ATOMIC_RELAXED))
    {
      __atomic_fetch_add (&self->n_skipped, 1, __ATOMIC_RELAXED);
      weft_run_advance (self->scan.run, 1);
      return TRUE;
    }
  if (!weft_scan_chunk (&self->scan, pass.chunk, take_ordered, &pass, error))
    return FALSE;
  weft_sorter_settle (pass.sorter);
  lower_bar (self, pass.sorter);
  weft_run_advance (self->scan.run, 1);
  return TRUE;
}

typedef struct
{
  guint64 best;
  guint chunk;
} Bound;

static int
compare_bounds (gconstpointer a, gconstpointer b)
{
  const Bound *bound_a = a;
  const Bound *bound_b = b;

  if (bound_a->best != bound_b->best)
    return bound_a->best < bound_b->best ? -1 : 1;
  return bound_a->chunk < bound_b->chunk ? -1 : 1;
}

/* The first key that any row of a chunk can have, by its zone; FALSE: not known. */
static gboolean
get_best (const Ordered *self, guint chunk, guint64 *best)
{
  const WeftOrder *order = WEFT_PLAN_ORDER (self->plan, 0);
  const WeftExpression *expression = WEFT_PLAN_ITEM (self->plan, order->item)->expression;
  WeftColumnNumber number =
      weft_model_get_table (self->scan.table)->fields[0].column + expression->place;
  guint64 min, max;

  if (!weft_store_get_zone (self->scan.run->store, self->scan.table, chunk, number, &min, &max))
    return FALSE;
  *best = order->descending ? ~weft_order_bits (expression->type, max)
                            : weft_order_bits (expression->type, min);
  return TRUE;
}

/* Chunks with the best first keys come first, where zones tell. */
static void
arrange_chunks (Ordered *self, guint n_chunks)
{
  const WeftItem *item = WEFT_PLAN_ITEM (self->plan, WEFT_PLAN_ORDER (self->plan, 0)->item);
  g_autofree Bound *bounds = g_new0 (Bound, n_chunks + 1);

  self->bar = G_MAXUINT64;
  self->has_bar =
      self->plan->question->limit > 0 && item->expression->kind == WEFT_EXPRESSION_COLUMN &&
      item->expression->type != WEFT_VALUE_STRING && item->expression->type != WEFT_VALUE_DOUBLE;
  self->chunks = g_new (guint, n_chunks + 1);
  self->best = g_new0 (guint64, n_chunks + 1);
  for (guint i = 0; i < n_chunks; i++)
    {
      bounds[i].chunk = i;
      if (self->has_bar && !get_best (self, i, &bounds[i].best))
        bounds[i].best = 0;
    }
  if (self->has_bar)
    qsort (bounds, n_chunks, sizeof bounds[0], compare_bounds);
  for (guint i = 0; i < n_chunks; i++)
    {
      self->chunks[i] = bounds[i].chunk;
      self->best[i] = bounds[i].best;
    }
}

static guint32
get_order_places (const WeftPlan *plan)
{
  guint32 places = 0;

  for (guint k = 0; k < plan->orders->len; k++)
    places |= weft_expression_get_places (
        WEFT_PLAN_ITEM (plan, WEFT_PLAN_ORDER (plan, k)->item)->expression);
  return places;
}

static gboolean
find_ordered (Ordered *self, guint limit, WeftSorter *sorted, GError **error)
{
  guint n_chunks = weft_store_get_n_chunks (self->scan.run->store, self->scan.table);
  gboolean good;

  for (guint i = 0; i < WEFT_MAX_THREADS; i++)
    {
      weft_sorter_init (&self->sorters[i], self->plan, limit);
      self->sorters[i].cursor_texts = (const char *const *) self->cursor->texts;
    }
  arrange_chunks (self, n_chunks);
  good = weft_parallel_run (n_chunks, order_chunk, self, error);
  for (guint i = 0; i < WEFT_MAX_THREADS; i++)
    {
      good = good && weft_sorter_merge (sorted, &self->sorters[i], error);
      weft_sorter_clear (&self->sorters[i]);
    }
  g_free (self->chunks);
  g_free (self->best);
  if (good)
    weft_sorter_finish (sorted);
  weft_run_explain (self->scan.run, "order: %u of %u chunks skipped by their first key",
                    self->n_skipped, n_chunks);
  return good;
}

/* ---- Reading what is selected ---- */

typedef struct
{
  guint64 place;
  guint32 row; /* of the answer */
} Wanted;

typedef struct
{
  WeftPlan *plan;
  WeftOutput *output;
  Wanted *wanted; /* by place */
  guint *runs;    /* where each chunk's begin */
  guint32 places;
} Reading;

static int
compare_wanted (gconstpointer a, gconstpointer b)
{
  const Wanted *wanted_a = a;
  const Wanted *wanted_b = b;

  return wanted_a->place < wanted_b->place ? -1 : wanted_a->place > wanted_b->place;
}

static gboolean
read_batch (Reading *self, WeftChunkReader *reader, const Wanted *wanted, guint n, GError **error)
{
  guint16 rows[WEFT_BATCH_ROWS];
  WeftBatch batch;
  WeftVector vector;

  for (guint i = 0; i < n; i++)
    rows[i] = PLACE_ROW (wanted[i].place);
  weft_chunk_reader_get_some (reader, rows, n, &batch);
  for (guint c = 0; c < self->output->n_columns; c++)
    {
      const WeftItem *item = WEFT_PLAN_ITEM (self->plan, c);
      WeftOutputColumn *column = &self->output->columns[c];

      if (item->is_hidden)
        continue;
      if (!weft_expression_evaluate (item->expression, &batch, &vector, error))
        return FALSE;
      for (guint i = 0; i < n; i++)
        {
          column->values[wanted[i].row] = vector.values[i];
          column->nulls[wanted[i].row] = vector.has_nulls && vector.nulls[i];
        }
    }
  return TRUE;
}

static gboolean
read_run (guint thread, guint item, gpointer data, GError **error)
{
  Reading *self = data;
  const Wanted *wanted = self->wanted + self->runs[item];
  guint n = self->runs[item + 1] - self->runs[item];
  g_auto (WeftChunkReader) reader = { 0 };

  if (!weft_chunk_reader_open (&reader, self->plan->run->store, self->plan->table,
                               PLACE_CHUNK (wanted[0].place), self->places, error))
    return FALSE;
  for (guint i = 0; i < n; i += WEFT_BATCH_ROWS)
    if (!weft_run_check (self->plan->run, error) ||
        !read_batch (self, &reader, wanted + i, MIN (n - i, WEFT_BATCH_ROWS), error))
      return FALSE;
  return TRUE;
}

/* What is in the order of arrival comes chunk by chunk already. */
static gboolean
is_by_chunk (const guint64 *places, guint n)
{
  for (guint i = 1; i < n; i++)
    if (PLACE_CHUNK (places[i]) < PLACE_CHUNK (places[i - 1]))
      return FALSE;
  return TRUE;
}

static gboolean
read_selected (WeftPlan *plan, const guint64 *places, WeftOutput *output, GError **error)
{
  g_autofree Wanted *wanted = g_new (Wanted, (gsize) output->n_rows + 1);
  g_autoptr (GArray) runs = g_array_new (FALSE, FALSE, sizeof (guint));
  Reading reading = { .plan = plan, .output = output, .wanted = wanted };

  for (guint i = 0; i < output->n_rows; i++)
    wanted[i] = (Wanted){ places[i], i };
  if (!is_by_chunk (places, output->n_rows))
    qsort (wanted, output->n_rows, sizeof wanted[0], compare_wanted);
  for (guint i = 0; i < output->n_rows; i++)
    if (i == 0 || PLACE_CHUNK (wanted[i].place) != PLACE_CHUNK (wanted[i - 1].place))
      g_array_append_val (runs, i);
  g_array_append_val (runs, output->n_rows);
  reading.runs = (guint *) (gpointer) runs->data;
  for (guint i = 0; i < plan->items->len; i++)
    if (!WEFT_PLAN_ITEM (plan, i)->is_hidden)
      reading.places |= weft_expression_get_places (WEFT_PLAN_ITEM (plan, i)->expression);
  return output->n_rows == 0 || weft_parallel_run (runs->len - 1, read_run, &reading, error);
}

/* ---- */

static WeftTable *
run_ordered (WeftPlan *plan, WeftExpression *identity, const WeftCursor *cursor, GError **error)
{
  g_autofree Ordered *ordered = g_new0 (Ordered, 1);
  g_autofree guint64 *places = NULL;
  g_autofree char *next = NULL;
  g_auto (WeftSorter) sorted = { 0 };
  g_auto (WeftOutput) output = { 0 };
  guint limit = plan->question->limit;
  guint64 n;

  ordered->plan = plan;
  ordered->identity = identity;
  ordered->cursor = cursor;
  ordered->scan = (WeftScan){ plan->run, plan->table, plan->predicate,
                              weft_expression_get_places (identity) | get_order_places (plan) };
  weft_sorter_init (&sorted, plan, limit);
  if (!find_ordered (ordered, limit, &sorted, error))
    return NULL;
  n = weft_sorter_get_n (&sorted);
  places = g_new (guint64, n + 1);
  for (guint64 i = 0; i < n; i++)
    places[i] = weft_sorter_get (&sorted, i)[WEFT_SORTER_PLACE];
  if (!weft_output_init (&output, plan, n, error) || !read_selected (plan, places, &output, error))
    return NULL;
  if (limit > 0 && n == limit)
    next = weft_cursor_print (&sorted, weft_sorter_get (&sorted, n - 1));
  return weft_output_finish (&output, next);
}

/* Places are not numbers where chunks are sorted: the last row's number is read. */
static gboolean
read_number (WeftPlan *plan, const WeftExpression *identity, guint64 place, guint64 *number,
             GError **error)
{
  g_auto (WeftChunkReader) reader = { 0 };
  guint16 row = PLACE_ROW (place);
  WeftVector vector;
  WeftBatch batch;

  if (!weft_chunk_reader_open (&reader, plan->run->store, plan->table, PLACE_CHUNK (place),
                               weft_expression_get_places (identity), error))
    return FALSE;
  weft_chunk_reader_get_some (&reader, &row, 1, &batch);
  if (!weft_expression_evaluate (identity, &batch, &vector, error))
    return FALSE;
  *number = vector.values[0];
  return TRUE;
}

static WeftTable *
finish_arrivals (Arrivals *self, guint64 total, GError **error)
{
  guint limit = self->plan->question->limit;
  g_auto (WeftSorter) sorter = { 0 };
  g_auto (WeftOutput) output = { 0 };
  g_autofree guint64 *places = NULL;
  g_autofree char *next = NULL;
  guint64 record[WEFT_SORTER_FIRST_KEY] = { 0 };
  guint64 n = limit > 0 ? MIN (total, limit) : total;

  places = g_new (guint64, n + 1);
  join_arrivals (self, places, n);
  if (!weft_output_init (&output, self->plan, n, error) ||
      !read_selected (self->plan, places, &output, error))
    return NULL;
  if (limit > 0 && n == limit)
    {
      if (!read_number (self->plan, self->identity, places[n - 1], &record[WEFT_SORTER_NUMBER],
                        error))
        return NULL;
      weft_sorter_init (&sorter, self->plan, limit);
      next = weft_cursor_print (&sorter, record);
    }
  return weft_output_finish (&output, next);
}

static WeftTable *
run_arrivals (WeftPlan *plan, WeftExpression *identity, const WeftCursor *cursor, GError **error)
{
  guint n_chunks = weft_store_get_n_chunks (plan->run->store, plan->table);
  Arrivals arrivals = {
    .plan = plan,
    .scan = { plan->run, plan->table, plan->predicate, weft_expression_get_places (identity) },
    .identity = identity,
    .after = cursor->record != NULL ? cursor->record[WEFT_SORTER_NUMBER] : plan->question->after,
    .found = g_new0 (Found, n_chunks + 1),
  };
  WeftTable *table = NULL;
  guint64 total;

  if (find_arrivals (&arrivals, plan->question->limit, &total, error))
    table = finish_arrivals (&arrivals, total, error);
  weft_run_explain (plan->run, "scan: %u of %u chunks looked at", arrivals.first_chunk, n_chunks);
  for (guint i = 0; i < n_chunks; i++)
    g_free (arrivals.found[i].places);
  g_free (arrivals.found);
  return table;
}

WeftTable *
weft_rows_run (WeftPlan *plan, GError **error)
{
  g_autoptr (WeftExpression) identity = weft_expression_new_arrival (plan->table);
  g_auto (WeftCursor) cursor = { 0 };
  WeftTable *table;

  weft_run_expect (plan->run, weft_store_get_n_chunks (plan->run->store, plan->table));
  if (!weft_cursor_parse (&cursor, plan, plan->question->cursor, error) ||
      !weft_longest_run (plan, &table, error))
    return NULL;
  if (table != NULL)
    return table;
  if (plan->orders->len > 0)
    return run_ordered (plan, identity, &cursor, error);
  return run_arrivals (plan, identity, &cursor, error);
}
