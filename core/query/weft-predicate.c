/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-predicate.h"

#include <string.h>

#define MEMO_SIZE 65536

WeftPredicate *
weft_predicate_new (WeftPredicateKind kind)
{
  WeftPredicate *self = g_new0 (WeftPredicate, 1);

  self->kind = kind;
  self->children = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_predicate_free);
  return self;
}

void
weft_predicate_free (WeftPredicate *self)
{
  g_ptr_array_unref (self->children);
  weft_expression_free (self->first);
  weft_expression_free (self->second);
  g_clear_pointer (&self->ids, weft_id_set_free);
  g_free (self->memo);
  g_free (self);
}

void
weft_predicate_add (WeftPredicate *self, WeftPredicate *child)
{
  g_ptr_array_add (self->children, child);
}

WeftPredicate *
weft_predicate_new_not (WeftPredicate *child)
{
  WeftPredicate *self = weft_predicate_new (WEFT_PREDICATE_NOT);

  weft_predicate_add (self, child);
  return self;
}

static WeftPredicate *
new_leaf (WeftPredicateKind kind, WeftExpression *first)
{
  WeftPredicate *self = weft_predicate_new (kind);

  self->first = first;
  return self;
}

WeftPredicate *
weft_predicate_new_has (WeftExpression *first)
{
  return new_leaf (WEFT_PREDICATE_HAS, first);
}

WeftPredicate *
weft_predicate_new_range (WeftExpression *first, const WeftFilterRange *range)
{
  WeftPredicate *self = new_leaf (WEFT_PREDICATE_RANGE, first);

  self->range = *range;
  return self;
}

static WeftFilterNumber
make_number (gint64 value)
{
  return (WeftFilterNumber){
    .integral = TRUE,
    .negative = value < 0,
    .magnitude = value < 0 ? -(guint64) value : (guint64) value,
    .real = (double) value,
  };
}

WeftPredicate *
weft_predicate_new_between (WeftExpression *first, gint64 low, gint64 high)
{
  WeftFilterRange range = {
    .low = make_number (low),
    .high = make_number (high),
    .has_low = TRUE,
    .has_high = TRUE,
  };

  return weft_predicate_new_range (first, &range);
}

WeftPredicate *
weft_predicate_new_ids (WeftExpression *first, WeftIdSet *ids)
{
  WeftPredicate *self = new_leaf (WEFT_PREDICATE_IDS, first);

  self->ids = ids;
  return self;
}

WeftPredicate *
weft_predicate_new_text (WeftExpression *first, const WeftFilterMatch *match)
{
  WeftPredicate *self = new_leaf (WEFT_PREDICATE_TEXT, first);

  self->match = match;
  self->memo = g_new0 (guint64, MEMO_SIZE);
  return self;
}

WeftPredicate *
weft_predicate_new_overlap (WeftExpression *first, WeftExpression *second, gint64 low, gint64 high)
{
  WeftPredicate *self = new_leaf (WEFT_PREDICATE_OVERLAP, first);

  self->second = second;
  self->low = low;
  self->high = high;
  return self;
}

gboolean
weft_predicate_bind (WeftPredicate *self, WeftStore *store, WeftTableId table, GError **error)
{
  for (guint i = 0; i < self->children->len; i++)
    if (!weft_predicate_bind (g_ptr_array_index (self->children, i), store, table, error))
      return FALSE;
  return weft_expression_bind (self->first, store, error) &&
         weft_expression_bind (self->second, store, error);
}

guint32
weft_predicate_get_places (const WeftPredicate *self)
{
  guint32 places =
      weft_expression_get_places (self->first) | weft_expression_get_places (self->second);

  for (guint i = 0; i < self->children->len; i++)
    places |= weft_predicate_get_places (g_ptr_array_index (self->children, i));
  return places;
}

/* ---- Zones ---- */

typedef struct
{
  guint64 min;
  guint64 max;
  gboolean has_nulls; /* or may have */
} Zone;

static gboolean
get_column_zone (const WeftExpression *expression, WeftStore *store, WeftTableId table, guint chunk,
                 Zone *zone)
{
  const WeftColumnSpec *column = &weft_schema_table (table)->columns[expression->place];
  WeftColumnNumber number = weft_model_get_table (table)->fields[0].column + expression->place;

  if (weft_store_get_zone (store, table, chunk, number, &zone->min, &zone->max))
    {
      zone->has_nulls =
          (column->flags & WEFT_COLUMN_NULLABLE) || (expression->zero_is_null && zone->min == 0);
      return TRUE;
    }
  /* An absent column is nought, or the chunk is damaged: reading it will tell. */
  return FALSE;
}

/* Where they are known and mean something. */
static gboolean
get_zone (const WeftExpression *expression, WeftStore *store, WeftTableId table, guint chunk,
          Zone *zone)
{
  WeftChunkInfo info;

  switch (expression->kind)
    {
    case WEFT_EXPRESSION_COLUMN:
      return get_column_zone (expression, store, table, chunk, zone);
    case WEFT_EXPRESSION_ARRIVAL:
      weft_store_get_chunk (store, table, chunk, &info);
      *zone = (Zone){ info.first_row, info.first_row + info.n_rows - 1, FALSE };
      return TRUE;
    default:
      return FALSE;
    }
}

static WeftRowsVerdict
judge_bounds (gboolean all, gboolean none, gboolean has_nulls)
{
  if (none)
    return WEFT_VERDICT_ROWS_NONE;
  return all && !has_nulls ? WEFT_VERDICT_ROWS_ALL : WEFT_VERDICT_ROWS_SOME;
}

static WeftRowsVerdict
judge_range (const WeftPredicate *self, const Zone *zone)
{
  WeftValueType type = self->first->type;
  gboolean is_signed = type == WEFT_VALUE_INT64 || type == WEFT_VALUE_TIME;
  gint64 low, high;
  gint64 min = (gint64) zone->min;
  gint64 max = (gint64) zone->max;

  if (type == WEFT_VALUE_DOUBLE || (!is_signed && zone->max > G_MAXINT64))
    return WEFT_VERDICT_ROWS_SOME;
  if (!weft_filter_range_get_bounds (&self->range, &low, &high))
    return WEFT_VERDICT_ROWS_NONE;
  return judge_bounds (low <= min && max <= high, max < low || min > high, zone->has_nulls);
}

static WeftRowsVerdict
judge_ids (const WeftPredicate *self, const Zone *zone)
{
  guint64 n = zone->max - zone->min + 1;

  if (n == 1)
    return judge_bounds (weft_id_set_has (self->ids, zone->min),
                         !weft_id_set_has (self->ids, zone->min), zone->has_nulls);
  if (n == 0 || n > 1 << 20)
    return WEFT_VERDICT_ROWS_SOME;
  return weft_id_set_has_any (self->ids, zone->min, n) ? WEFT_VERDICT_ROWS_SOME
                                                       : WEFT_VERDICT_ROWS_NONE;
}

/* By the first start and the last start plus the longest duration. */
static WeftRowsVerdict
judge_overlap (const WeftPredicate *self, const Zone *starts, const Zone *durations)
{
  gint64 first = (gint64) starts->min;
  gint64 last = (gint64) starts->max;
  gint64 end;

  if (first > self->high)
    return WEFT_VERDICT_ROWS_NONE;
  if (durations->max > G_MAXINT64 || __builtin_add_overflow (last, (gint64) durations->max, &end))
    end = G_MAXINT64;
  if (MAX (end, last) < self->low)
    return WEFT_VERDICT_ROWS_NONE;
  return judge_bounds (first >= self->low && last <= self->high, FALSE, starts->has_nulls);
}

static WeftRowsVerdict
judge_leaf (const WeftPredicate *self, WeftStore *store, WeftTableId table, guint chunk)
{
  Zone zone;
  Zone second = { 0 };

  if (!get_zone (self->first, store, table, chunk, &zone))
    return WEFT_VERDICT_ROWS_SOME;
  switch (self->kind)
    {
    case WEFT_PREDICATE_HAS:
      return judge_bounds (TRUE, zone.has_nulls && zone.max == 0 && self->first->zero_is_null,
                           zone.has_nulls);
    case WEFT_PREDICATE_RANGE:
      return judge_range (self, &zone);
    case WEFT_PREDICATE_IDS:
      return judge_ids (self, &zone);
    case WEFT_PREDICATE_OVERLAP:
      if (self->second != NULL && !get_zone (self->second, store, table, chunk, &second))
        return WEFT_VERDICT_ROWS_SOME;
      return judge_overlap (self, &zone, &second);
    default:
      return WEFT_VERDICT_ROWS_SOME;
    }
}

static WeftRowsVerdict
judge_children (const WeftPredicate *self, WeftStore *store, WeftTableId table, guint chunk)
{
  gboolean is_and = self->kind == WEFT_PREDICATE_AND;
  WeftRowsVerdict decisive = is_and ? WEFT_VERDICT_ROWS_NONE : WEFT_VERDICT_ROWS_ALL;
  WeftRowsVerdict verdict = is_and ? WEFT_VERDICT_ROWS_ALL : WEFT_VERDICT_ROWS_NONE;

  for (guint i = 0; i < self->children->len; i++)
    {
      WeftRowsVerdict of_child =
          weft_predicate_judge (g_ptr_array_index (self->children, i), store, table, chunk);

      if (of_child == decisive)
        return decisive;
      if (of_child == WEFT_VERDICT_ROWS_SOME)
        verdict = WEFT_VERDICT_ROWS_SOME;
    }
  return verdict;
}

WeftRowsVerdict
weft_predicate_judge (const WeftPredicate *self, WeftStore *store, WeftTableId table, guint chunk)
{
  switch (self->kind)
    {
    case WEFT_PREDICATE_ALL:
      return WEFT_VERDICT_ROWS_ALL;
    case WEFT_PREDICATE_NONE:
      return WEFT_VERDICT_ROWS_NONE;
    case WEFT_PREDICATE_AND:
    case WEFT_PREDICATE_OR:
      return judge_children (self, store, table, chunk);
    case WEFT_PREDICATE_NOT:
      return (WeftRowsVerdict) (WEFT_VERDICT_ROWS_ALL -
                                weft_predicate_judge (g_ptr_array_index (self->children, 0), store,
                                                      table, chunk));
    default:
      return judge_leaf (self, store, table, chunk);
    }
}

/* ---- Rows ---- */

#define IS_NULL(vector, i) ((vector)->has_nulls && (vector)->nulls[i])

/* Keeps those rows of the batch for which TEST of index i holds. */
#define KEEP(TEST)                                                                                 \
  for (guint i = 0; i < batch->n; i++)                                                             \
    {                                                                                              \
      out[kept] = batch->rows != NULL ? batch->rows[i] : (guint16) i;                              \
      kept += (TEST) != 0;                                                                         \
    }

static guint
select_double (const WeftPredicate *self, const WeftBatch *batch, const WeftVector *vector,
               guint16 *out)
{
  guint kept = 0;

  KEEP (!IS_NULL (vector, i) &&
        weft_filter_range_contains_double (&self->range, weft_bits_to_double (vector->values[i])))
  return kept;
}

static guint
select_range (const WeftPredicate *self, const WeftBatch *batch, const WeftVector *vector,
              guint16 *out)
{
  WeftValueType type = self->first->type;
  gboolean is_signed = type == WEFT_VALUE_INT64 || type == WEFT_VALUE_TIME;
  guint kept = 0;
  guint64 large = 0;
  gint64 low, high;

  if (type == WEFT_VALUE_DOUBLE)
    return select_double (self, batch, vector, out);
  for (guint i = 0; i < batch->n && !is_signed; i++)
    large |= vector->values[i];
  if (large > G_MAXINT64)
    {
      KEEP (!IS_NULL (vector, i) &&
            weft_filter_range_contains_uint64 (&self->range, vector->values[i]))
      return kept;
    }
  if (!weft_filter_range_get_bounds (&self->range, &low, &high))
    return 0;
  if (!vector->has_nulls)
    {
      KEEP (((gint64) vector->values[i] >= low) & ((gint64) vector->values[i] <= high))
    }
  else
    {
      KEEP ((vector->nulls[i] == 0) & ((gint64) vector->values[i] >= low) &
            ((gint64) vector->values[i] <= high))
    }
  return kept;
}

/* Whether a text fits: asked once for each string of the dictionary, mostly. -1: an error. */
static int
test_text (const WeftPredicate *self, WeftStore *store, guint64 number, GError **error)
{
  guint64 *memo = &self->memo[number % MEMO_SIZE];
  guint64 known = __atomic_load_n (memo, __ATOMIC_RELAXED);
  GError *local = NULL;
  const char *text;
  gboolean fits;

  if (number <= G_MAXUINT32 && known >> 2 == number && (known & 3) != 0)
    return (known & 3) == 2;
  text = weft_expression_get_text (self->first, store, number);
  fits = text != NULL && weft_filter_match_text (self->match, text, &local);
  if (local != NULL)
    {
      g_propagate_error (error, local);
      return -1;
    }
  if (number <= G_MAXUINT32)
    __atomic_store_n (memo, number << 2 | (fits ? 2 : 1), __ATOMIC_RELAXED);
  return fits;
}

static gboolean
select_text (const WeftPredicate *self, WeftStore *store, const WeftBatch *batch,
             const WeftVector *vector, guint16 *out, guint *n, GError **error)
{
  guint kept = 0;

  for (guint i = 0; i < batch->n; i++)
    {
      int fits = IS_NULL (vector, i) ? 0 : test_text (self, store, vector->values[i], error);

      if (fits < 0)
        return FALSE;
      out[kept] = batch->rows != NULL ? batch->rows[i] : (guint16) i;
      kept += (guint) fits;
    }
  *n = kept;
  return TRUE;
}

static gboolean
overlaps (const WeftPredicate *self, gint64 start, guint64 duration)
{
  gint64 last;

  if (duration > G_MAXINT64 || __builtin_add_overflow (start, (gint64) duration, &last))
    last = G_MAXINT64;
  return start <= self->high && MAX (start, last - (duration > 0)) >= self->low;
}

static gboolean
select_overlap (const WeftPredicate *self, const WeftBatch *batch, const WeftVector *starts,
                guint16 *out, guint *n, GError **error)
{
  WeftVector durations;
  guint kept = 0;

  if (self->second == NULL)
    memset (durations.values, 0, batch->n * sizeof durations.values[0]);
  else if (!weft_expression_evaluate (self->second, batch, &durations, error))
    return FALSE;
  KEEP (!IS_NULL (starts, i) && overlaps (self, (gint64) starts->values[i], durations.values[i]))
  *n = kept;
  return TRUE;
}

static gboolean
select_leaf_rows (const WeftPredicate *self, WeftStore *store, const WeftBatch *batch, guint16 *out,
                  guint *n, GError **error)
{
  WeftVector vector;
  guint kept = 0;

  if (!weft_expression_evaluate (self->first, batch, &vector, error))
    return FALSE;
  switch (self->kind)
    {
    case WEFT_PREDICATE_TEXT:
      return select_text (self, store, batch, &vector, out, n, error);
    case WEFT_PREDICATE_OVERLAP:
      return select_overlap (self, batch, &vector, out, n, error);
    case WEFT_PREDICATE_RANGE:
      kept = select_range (self, batch, &vector, out);
      break;
    case WEFT_PREDICATE_IDS:
      KEEP (!IS_NULL (&vector, i) && weft_id_set_has (self->ids, vector.values[i]))
      break;
    default:
      KEEP (!IS_NULL (&vector, i))
    }
  *n = kept;
  return TRUE;
}

/* Those rows of the batch that are not among the N in SOME, both ascending. */
static guint
subtract (const WeftBatch *batch, const guint16 *some, guint n, guint16 *out)
{
  guint kept = 0;
  guint at = 0;

  for (guint i = 0; i < batch->n; i++)
    {
      guint16 row = batch->rows != NULL ? batch->rows[i] : (guint16) i;
      gboolean is_among = at < n && some[at] == row;

      at += is_among;
      out[kept] = row;
      kept += !is_among;
    }
  return kept;
}

/* Where all values are one, the first row speaks for the others. */
static gboolean
is_constant (const WeftExpression *expression, const WeftBatch *batch)
{
  const WeftStoreColumn *column;

  if (expression->kind != WEFT_EXPRESSION_COLUMN)
    return FALSE;
  column = batch->columns[expression->place];
  return column->width == 0 && column->presence == NULL;
}

static gboolean
select_leaf (const WeftPredicate *self, WeftStore *store, const WeftBatch *batch, guint16 *out,
             guint *n, GError **error)
{
  WeftBatch one = *batch;

  if (batch->n < 2 || self->second != NULL || !is_constant (self->first, batch))
    return select_leaf_rows (self, store, batch, out, n, error);
  one.n = 1;
  if (!select_leaf_rows (self, store, &one, out, n, error))
    return FALSE;
  if (*n > 0)
    *n = subtract (batch, NULL, 0, out);
  return TRUE;
}

static guint
merge (const guint16 *a, guint n_a, const guint16 *b, guint n_b, guint16 *out)
{
  guint n = 0;
  guint i = 0;
  guint j = 0;

  while (i < n_a || j < n_b)
    out[n++] = j == n_b || (i < n_a && a[i] < b[j]) ? a[i++] : b[j++];
  return n;
}

static gboolean
select_and (const WeftPredicate *self, WeftStore *store, const WeftBatch *batch, guint16 *out,
            guint *n, GError **error)
{
  guint16 rows[WEFT_BATCH_ROWS];
  WeftBatch left = *batch;

  for (guint i = 0; i < self->children->len; i++)
    {
      if (!weft_predicate_select (g_ptr_array_index (self->children, i), store, &left, out, n,
                                  error))
        return FALSE;
      memcpy (rows, out, *n * sizeof rows[0]);
      left.rows = rows;
      left.n = *n;
      if (*n == 0)
        break;
    }
  return TRUE;
}

/* Each child sees only what none before it took. */
static gboolean
select_or (const WeftPredicate *self, WeftStore *store, const WeftBatch *batch, guint16 *out,
           guint *n, GError **error)
{
  guint16 left_rows[WEFT_BATCH_ROWS];
  guint16 found[WEFT_BATCH_ROWS];
  guint16 before[WEFT_BATCH_ROWS];
  WeftBatch left = *batch;
  guint n_found;

  *n = 0;
  for (guint i = 0; i < self->children->len && left.n > 0; i++)
    {
      if (!weft_predicate_select (g_ptr_array_index (self->children, i), store, &left, found,
                                  &n_found, error))
        return FALSE;
      if (n_found == 0)
        continue;
      memcpy (before, out, *n * sizeof before[0]);
      *n = merge (before, *n, found, n_found, out);
      left = *batch;
      left.n = subtract (batch, out, *n, left_rows);
      left.rows = left_rows;
    }
  return TRUE;
}

static gboolean
select_not (const WeftPredicate *self, WeftStore *store, const WeftBatch *batch, guint16 *out,
            guint *n, GError **error)
{
  guint16 some[WEFT_BATCH_ROWS];
  guint n_some;

  if (!weft_predicate_select (g_ptr_array_index (self->children, 0), store, batch, some, &n_some,
                              error))
    return FALSE;
  *n = subtract (batch, some, n_some, out);
  return TRUE;
}

gboolean
weft_predicate_select (const WeftPredicate *self, WeftStore *store, const WeftBatch *batch,
                       guint16 *out, guint *n, GError **error)
{
  switch (self->kind)
    {
    case WEFT_PREDICATE_ALL:
      *n = subtract (batch, NULL, 0, out);
      return TRUE;
    case WEFT_PREDICATE_NONE:
      *n = 0;
      return TRUE;
    case WEFT_PREDICATE_AND:
      return select_and (self, store, batch, out, n, error);
    case WEFT_PREDICATE_OR:
      return select_or (self, store, batch, out, n, error);
    case WEFT_PREDICATE_NOT:
      return select_not (self, store, batch, out, n, error);
    default:
      return select_leaf (self, store, batch, out, n, error);
    }
}
