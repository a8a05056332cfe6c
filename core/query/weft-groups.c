/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-groups.h"

#include <math.h>
#include <string.h>

#include "weft-store-format.h"

static guint
get_width (WeftAggregateKind kind)
{
  switch (kind)
    {
    case WEFT_AGGREGATE_COUNT_DISTINCT:
    case WEFT_AGGREGATE_PERCENTILE:
      return 1;
    case WEFT_AGGREGATE_BUSY:
      return 2;
    default:
      return 0;
    }
}

static void
find_aggregates (WeftGroups *self)
{
  const WeftPlan *plan = self->plan;

  self->aggregates = g_new0 (const WeftItem *, plan->items->len + 1);
  for (guint i = 0; i < plan->items->len; i++)
    if (WEFT_PLAN_ITEM (plan, i)->aggregate.kind != WEFT_AGGREGATE_NONE)
      self->aggregates[self->n_aggregates++] = WEFT_PLAN_ITEM (plan, i);
}

/* More would take too much memory, or have no number in a byte. */
#define MAX_SPREADS 8
#define MAX_PERCENTILES 255

/* Which percentiles are of the same values; of values in the order of their bits. */
static void
find_spreads (WeftGroups *self)
{
  guint n = 0;

  self->spreads = g_new0 (WeftSpread, self->n_aggregates + 1);
  self->of_spreads = g_new (guint, self->n_aggregates + 1);
  for (guint a = 0; a < self->n_aggregates; a++)
    {
      const WeftItem *item = self->aggregates[a];
      WeftValueType type = item->expression != NULL ? item->expression->type : WEFT_VALUE_STRING;

      self->of_spreads[a] = G_MAXUINT;
      if (!self->has_spreads || item->aggregate.kind != WEFT_AGGREGATE_PERCENTILE ||
          type == WEFT_VALUE_STRING || weft_order_bits (type, 0) != 0)
        continue;
      self->of_spreads[a] = a;
      for (guint b = 0; b < a && self->of_spreads[a] == a; b++)
        if (self->of_spreads[b] == b &&
            weft_expression_equal (item->expression, self->aggregates[b]->expression))
          self->of_spreads[a] = b;
      if (self->of_spreads[a] == a && n++ >= MAX_SPREADS)
        self->of_spreads[a] = G_MAXUINT;
    }
}

WeftGroups *
weft_groups_new (const WeftPlan *plan, gboolean has_spreads)
{
  WeftGroups *self = g_new0 (WeftGroups, 1);

  self->plan = plan;
  self->n_keys = plan->keys->len;
  find_aggregates (self);
  self->room = 64;
  self->mask = 255;
  self->slots = g_new0 (guint32, self->mask + 1);
  self->keys = g_new (guint64, (gsize) self->room * (self->n_keys + 1));
  self->states = g_new0 (WeftGroupState, (gsize) self->room * self->n_aggregates + 1);
  self->collections = g_new0 (WeftCollection, self->n_aggregates + 1);
  /* Counts are of 32 bits. */
  self->has_spreads = has_spreads && self->n_aggregates <= MAX_PERCENTILES &&
                      weft_store_get_n_rows (plan->run->store, plan->table) <= G_MAXUINT32;
  find_spreads (self);
  for (guint i = 0; i < self->n_aggregates; i++)
    weft_collection_init (&self->collections[i], get_width (self->aggregates[i]->aggregate.kind));
  return self;
}

void
weft_groups_free (WeftGroups *self)
{
  for (guint i = 0; i < self->n_aggregates; i++)
    {
      weft_collection_clear (&self->collections[i]);
      g_free (self->spreads[i].counts);
    }
  g_free (self->collections);
  g_free (self->spreads);
  g_free (self->of_spreads);
  g_free (self->aggregates);
  g_free (self->keys);
  g_free (self->slots);
  g_free (self->states);
  g_free (self);
}

static inline guint64
hash_keys (const guint64 *keys, guint n)
{
  guint64 hash = 0;

  for (guint i = 0; i < n; i++)
    {
      hash = (hash ^ keys[i]) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
      hash ^= hash >> 29;
    }
  return hash;
}

static void
grow_slots (WeftGroups *self)
{
  g_free (self->slots);
  self->mask = self->mask * 4 + 3;
  self->slots = g_new0 (guint32, (gsize) self->mask + 1);
  for (guint i = 0; i < self->n_groups; i++)
    {
      guint64 slot = hash_keys (weft_groups_get_keys (self, i), self->n_keys + 1);

      while (self->slots[slot & self->mask] != 0)
        slot++;
      self->slots[slot & self->mask] = i + 1;
    }
}

static void
grow_room (WeftGroups *self)
{
  gsize old = (gsize) self->room * self->n_aggregates;

  self->room *= 2;
  self->keys = g_renew (guint64, self->keys, (gsize) self->room * (self->n_keys + 1));
  self->states =
      g_renew (WeftGroupState, self->states, (gsize) self->room * self->n_aggregates + 1);
  memset (self->states + old, 0, old * sizeof self->states[0]);
}

/* The group; or G_MAXUINT, and the slot where it belongs. */
static inline guint
find_slot (const WeftGroups *self, const guint64 *keys, guint64 *found)
{
  guint n_words = self->n_keys + 1;
  guint64 slot = hash_keys (keys, n_words);

  for (; self->slots[slot & self->mask] != 0; slot++)
    {
      guint group = self->slots[slot & self->mask] - 1;

      if (memcmp (weft_groups_get_keys (self, group), keys, n_words * sizeof keys[0]) == 0)
        return group;
    }
  *found = slot;
  return G_MAXUINT;
}

guint
weft_groups_look_up (const WeftGroups *self, const guint64 *keys)
{
  guint64 slot;

  return find_slot (self, keys, &slot);
}

guint
weft_groups_find (WeftGroups *self, const guint64 *keys)
{
  guint n_words = self->n_keys + 1;
  guint64 slot = 0;
  guint group = find_slot (self, keys, &slot);

  if (group != G_MAXUINT)
    return group;
  if (self->n_groups == self->room)
    grow_room (self);
  memcpy (weft_groups_get_keys (self, self->n_groups), keys, n_words * sizeof keys[0]);
  self->slots[slot & self->mask] = ++self->n_groups;
  if (self->n_groups > self->mask / 2)
    grow_slots (self);
  return self->n_groups - 1;
}

/* Equal doubles have equal bits, but for the two noughts. */
static guint64
unify (WeftValueType type, guint64 bits)
{
  return type == WEFT_VALUE_DOUBLE && weft_bits_to_double (bits) == 0 ? 0 : bits;
}

gboolean
weft_groups_find_rows (WeftGroups *self, const WeftBatch *batch, WeftVector *vectors,
                       guint32 *groups, GError **error)
{
  guint64 keys[64 + 1] = { 0 };

  for (guint k = 0; k < self->n_keys; k++)
    if (!weft_expression_evaluate (WEFT_PLAN_KEY (self->plan, k)->expression, batch, &vectors[k],
                                   error))
      return FALSE;
  for (guint i = 0; i < batch->n; i++)
    {
      keys[0] = 0;
      for (guint k = 0; k < self->n_keys; k++)
        {
          gboolean is_null = vectors[k].has_nulls && vectors[k].nulls[i];

          keys[0] |= (guint64) (is_null != 0) << k;
          keys[k + 1] = is_null ? 0
                                : unify (WEFT_PLAN_KEY (self->plan, k)->expression->type,
                                         vectors[k].values[i]);
        }
      groups[i] = weft_groups_find (self, keys);
    }
  return TRUE;
}

/* ---- Adding ---- */

#define IS_NULL(vector, i) ((vector)->has_nulls && (vector)->nulls[i])

/* Runs STATEMENTS for the state of each value's group. */
#define FOR_EACH(STATEMENTS)                                                                       \
  for (guint i = 0; i < n; i++)                                                                    \
    {                                                                                              \
      WeftGroupState *state = &states[(gsize) groups[i] * stride];                                 \
                                                                                                   \
      if (IS_NULL (vector, i))                                                                     \
        continue;                                                                                  \
      state->n++;                                                                                  \
      STATEMENTS;                                                                                  \
    }

static void
add_sums (WeftGroupState *states, guint stride, WeftValueType type, const guint32 *groups, guint n,
          const WeftVector *vector)
{
  if (type == WEFT_VALUE_DOUBLE)
    {
      FOR_EACH (state->real += weft_bits_to_double (vector->values[i]))
    }
  else if (type == WEFT_VALUE_INT64 || type == WEFT_VALUE_TIME)
    {
      FOR_EACH (state->sum += (gint64) vector->values[i])
    }
  else
    {
      FOR_EACH (state->sum += vector->values[i])
    }
}

static void
add_extremes (WeftGroupState *states, guint stride, const WeftItem *item, const guint32 *groups,
              guint n, const WeftVector *vector)
{
  WeftValueType type = item->expression->type;

  if (item->aggregate.kind == WEFT_AGGREGATE_MIN)
    {
      FOR_EACH (guint64 order = weft_order_bits (type, vector->values[i]);
                state->order = state->n == 1 ? order : MIN (state->order, order))
    }
  else
    {
      FOR_EACH (state->order = MAX (state->order, weft_order_bits (type, vector->values[i])))
    }
}

/* Deviations of whole numbers below this are exact: their squares, 2³² of them, fit into 128 bits.
 */
#define MAX_EXACT (G_GUINT64_CONSTANT (1) << 47)

/* The differences to the mean, which is rounded, add up to the remainder; modulo 2¹²⁸ all is exact.
 */
static double
sum_squares (const WeftGroupState *state, double *mean)
{
  __int128 n = state->n;
  __int128 middle = (state->deviation.sum + (state->deviation.sum < 0 ? -n : n) / 2) / n;
  __int128 rest = state->deviation.sum - n * middle;
  unsigned __int128 squares = state->deviation.power;

  squares -= 2 * (unsigned __int128) middle * (unsigned __int128) state->deviation.sum;
  squares += (unsigned __int128) (n * middle) * (unsigned __int128) middle;
  *mean = (double) middle + (double) rest / (double) n;
  return (double) squares - (double) rest * (double) rest / (double) n;
}

/* From then on it is told by doubles. */
static void
roughen (WeftGroupState *state)
{
  double mean = 0;
  double squares = 0;

  if (state->is_rough)
    return;
  if (state->n > 0)
    squares = sum_squares (state, &mean);
  state->mean = mean;
  state->squares = squares;
  state->is_rough = TRUE;
}

static inline void
add_rough (WeftGroupState *state, double value)
{
  double difference = value - state->mean;

  state->mean += difference / (double) state->n;
  state->squares += difference * (value - state->mean);
}

static void
add_deviations (WeftGroupState *states, guint stride, WeftValueType type, const guint32 *groups,
                guint n, const WeftVector *vector)
{
  gboolean is_signed = type == WEFT_VALUE_INT64 || type == WEFT_VALUE_TIME;
  guint64 all = 0;

  for (guint i = 0; i < n; i++)
    all |= is_signed ? vector->values[i] ^ (guint64) ((gint64) vector->values[i] >> 63)
                     : vector->values[i];
  if (type == WEFT_VALUE_DOUBLE || all >= MAX_EXACT)
    {
      for (guint i = 0; i < n; i++)
        roughen (&states[(gsize) groups[i] * stride]);
      FOR_EACH (add_rough (state, weft_bits_as_double (type, vector->values[i])))
      return;
    }
  for (guint i = 0; i < n; i++)
    {
      WeftGroupState *state = &states[(gsize) groups[i] * stride];
      gint64 value = (gint64) vector->values[i];

      if (IS_NULL (vector, i))
        continue;
      state->n++;
      if (state->is_rough)
        {
          add_rough (state, (double) value);
          continue;
        }
      state->deviation.sum += value;
      state->deviation.power += (unsigned __int128) ((__int128) value * value);
    }
}

/* ---- Spreads ---- */

/* Groups of a chunk, and of all: 4 KiB each. */
#define MAX_CROWD 512
#define MAX_ALL 4096

static gboolean
reserve_spread (WeftGroups *self, WeftSpread *spread, guint most)
{
  guint room = MIN (MAX (self->n_groups, spread->n_groups * 2), most);

  if (self->n_groups > most)
    self->is_crowded = TRUE;
  if (self->is_crowded || self->n_groups <= spread->n_groups)
    return !self->is_crowded;
  spread->counts = g_renew (guint32, spread->counts, (gsize) room * WEFT_N_HISTOGRAM_BUCKETS);
  memset (spread->counts + (gsize) spread->n_groups * WEFT_N_HISTOGRAM_BUCKETS, 0,
          (gsize) (room - spread->n_groups) * WEFT_N_HISTOGRAM_BUCKETS * sizeof (guint32));
  spread->n_groups = room;
  return TRUE;
}

static void
add_spread (WeftGroups *self, WeftSpread *spread, const guint32 *groups, guint n,
            const WeftVector *vector)
{
  if (!reserve_spread (self, spread, MAX_CROWD))
    return;
  for (guint i = 0; i < n; i++)
    spread->counts[(gsize) groups[i] * WEFT_N_HISTOGRAM_BUCKETS +
                   weft_histogram_bucket (vector->values[i])] += !IS_NULL (vector, i);
}

static void
merge_spread (WeftGroups *self, WeftSpread *spread, const WeftSpread *other, const guint32 *map,
              guint n_groups)
{
  if (!reserve_spread (self, spread, MAX_ALL))
    return;
  for (guint i = 0; i < MIN (n_groups, other->n_groups); i++)
    {
      const guint32 *from = other->counts + (gsize) i * WEFT_N_HISTOGRAM_BUCKETS;
      guint32 *to = spread->counts + (gsize) map[i] * WEFT_N_HISTOGRAM_BUCKETS;

      for (guint bucket = 0; bucket < WEFT_N_HISTOGRAM_BUCKETS; bucket++)
        to[bucket] += from[bucket];
    }
}

static void
collect (WeftCollection *collection, const WeftItem *item, const guint32 *groups, guint n,
         const WeftVector *vector)
{
  WeftValueType type = item->expression->type;
  gboolean is_percentile = item->aggregate.kind == WEFT_AGGREGATE_PERCENTILE;
  guint32 *to_groups;
  guint64 *to_values;
  guint kept = 0;

  weft_collection_begin (collection, n, &to_groups, &to_values);
  for (guint i = 0; i < n; i++)
    {
      to_groups[kept] = groups[i];
      to_values[kept] = is_percentile ? weft_order_bits (type, vector->values[i])
                                      : unify (type, vector->values[i]);
      kept += !IS_NULL (vector, i);
    }
  weft_collection_end (collection, n, kept);
}

static gboolean
add_busy (WeftGroups *self, guint aggregate, const guint32 *groups, const WeftBatch *batch,
          GError **error)
{
  const WeftQuestion *question = self->plan->question;
  const WeftItem *item = self->aggregates[aggregate];
  WeftCollection *collection = &self->collections[aggregate];
  WeftVector starts;
  WeftVector durations;

  if (!weft_expression_evaluate (item->expression, batch, &starts, error) ||
      !weft_expression_evaluate (item->duration, batch, &durations, error))
    return FALSE;
  for (guint i = 0; i < batch->n; i++)
    {
      gint64 interval[2] = { (gint64) starts.values[i] };

      if (durations.values[i] > G_MAXINT64 ||
          __builtin_add_overflow (interval[0], (gint64) durations.values[i], &interval[1]))
        interval[1] = G_MAXINT64;
      if (question->has_range)
        {
          interval[0] = MAX (interval[0], question->begin);
          interval[1] = MIN (interval[1], question->end);
        }
      if (interval[0] >= interval[1])
        continue;
      g_array_append_val (collection->groups, groups[i]);
      g_array_append_vals (collection->values, interval, 2);
    }
  return TRUE;
}

/* Few groups: each batch adds up in the nearest cache, alternate rows apart, so that those of one
 * group need not wait for each other. A word holds a sum of 32-bit values below and their number
 * above; a batch overflows neither.
 */
#define FEW_GROUPS 256
#define WAYS 4
#define ONE (G_GUINT64_CONSTANT (1) << 48)

G_STATIC_ASSERT (WEFT_BATCH_ROWS <= 65535);

static void
fold_few (WeftGroups *self, guint aggregate, const guint64 *few, guint64 base)
{
  for (guint group = 0; group < self->n_groups; group++)
    {
      WeftGroupState *state = weft_groups_get_state (self, group, aggregate);

      for (guint way = 0; way < WAYS; way++)
        {
          guint64 n = few[group * WAYS + way] / ONE;

          state->n += n;
          state->sum += (__int128) n * base + few[group * WAYS + way] % ONE;
        }
    }
}

/* ADDEND may use I. */
#define ADD_FEW(ADDEND)                                                                            \
  {                                                                                                \
    guint i = 0;                                                                                   \
                                                                                                   \
    for (; i + WAYS <= n; i += WAYS)                                                               \
      {                                                                                            \
        few[groups[i] * WAYS] += ONE + (ADDEND (i));                                               \
        few[groups[i + 1] * WAYS + 1] += ONE + (ADDEND (i + 1));                                   \
        few[groups[i + 2] * WAYS + 2] += ONE + (ADDEND (i + 2));                                   \
        few[groups[i + 3] * WAYS + 3] += ONE + (ADDEND (i + 3));                                   \
      }                                                                                            \
    for (; i < n; i++)                                                                             \
      few[groups[i] * WAYS] += ONE + (ADDEND (i));                                                 \
  }

#define NOTHING(i) 0
#define VALUE(i) data[i]
#define CHOSEN(i) data[rows[i]]

#define SUM_FEW(TYPE)                                                                              \
  {                                                                                                \
    const TYPE *data = column->data;                                                               \
                                                                                                   \
    if (rows == NULL)                                                                              \
      ADD_FEW (VALUE)                                                                              \
    else                                                                                           \
      ADD_FEW (CHOSEN)                                                                             \
  }                                                                                                \
  break

static void
count_few (WeftGroups *self, guint aggregate, const guint32 *groups, guint n)
{
  guint64 few[FEW_GROUPS * WAYS];

  memset (few, 0, self->n_groups * WAYS * sizeof few[0]);
  ADD_FEW (NOTHING)
  fold_few (self, aggregate, few, 0);
}

/* FALSE: the values are not that simple. */
static gboolean
sum_few (WeftGroups *self, guint aggregate, const guint32 *groups, const WeftBatch *batch)
{
  const WeftExpression *expression = self->aggregates[aggregate]->expression;
  const WeftStoreColumn *column;
  const guint16 *rows = batch->rows;
  guint n = batch->n;
  guint64 few[FEW_GROUPS * WAYS];

  if (self->n_groups > FEW_GROUPS || expression->kind != WEFT_EXPRESSION_COLUMN ||
      expression->type == WEFT_VALUE_DOUBLE || expression->type == WEFT_VALUE_INT64 ||
      expression->type == WEFT_VALUE_TIME)
    return FALSE;
  column = batch->columns[expression->place];
  if (column->presence != NULL || column->width == 0 || column->width > 4)
    return FALSE;
  memset (few, 0, self->n_groups * WAYS * sizeof few[0]);
  switch (column->width)
    {
    case 1:
      SUM_FEW (guint8);
    case 2:
      SUM_FEW (guint16);
    default:
      SUM_FEW (guint32);
    }
  fold_few (self, aggregate, few, column->base);
  return TRUE;
}

/* Values of an aggregate, each to its group. */
static void
add_values (WeftGroups *self, guint aggregate, const guint32 *groups, guint n,
            const WeftVector *vector)
{
  const WeftItem *item = self->aggregates[aggregate];
  WeftGroupState *states = self->states + aggregate;
  guint stride = self->n_aggregates;
  guint spread = self->of_spreads[aggregate];

  switch (item->aggregate.kind)
    {
    case WEFT_AGGREGATE_COUNT:
      for (guint i = 0; i < n; i++)
        states[(gsize) groups[i] * stride].n += !IS_NULL (vector, i);
      break;
    case WEFT_AGGREGATE_SUM:
    case WEFT_AGGREGATE_MEAN:
      add_sums (states, stride, item->expression->type, groups, n, vector);
      break;
    case WEFT_AGGREGATE_MIN:
    case WEFT_AGGREGATE_MAX:
      add_extremes (states, stride, item, groups, n, vector);
      break;
    case WEFT_AGGREGATE_STDDEV:
      add_deviations (states, stride, item->expression->type, groups, n, vector);
      break;
    default:
      if (spread == G_MAXUINT)
        collect (&self->collections[aggregate], item, groups, n, vector);
      else if (spread == aggregate)
        add_spread (self, &self->spreads[aggregate], groups, n, vector);
    }
}

/* What needs no values, or takes them from the column. */
static gboolean
add_simply (WeftGroups *self, guint aggregate, const guint32 *groups, const WeftBatch *batch)
{
  const WeftItem *item = self->aggregates[aggregate];
  WeftGroupState *states = self->states + aggregate;

  if (item->expression != NULL)
    return (item->aggregate.kind == WEFT_AGGREGATE_SUM ||
            item->aggregate.kind == WEFT_AGGREGATE_MEAN) &&
           sum_few (self, aggregate, groups, batch);
  if (self->n_groups <= FEW_GROUPS)
    count_few (self, aggregate, groups, batch->n);
  else
    for (guint i = 0; i < batch->n; i++)
      states[(gsize) groups[i] * self->n_aggregates].n++;
  return TRUE;
}

gboolean
weft_groups_add (WeftGroups *self, const guint32 *groups, const WeftBatch *batch, GError **error)
{
  const WeftExpression *last = NULL; /* whose values VECTOR holds */
  WeftVector vector;

  for (guint a = 0; a < self->n_aggregates; a++)
    {
      const WeftItem *item = self->aggregates[a];

      if (item->aggregate.kind == WEFT_AGGREGATE_BUSY)
        {
          if (!add_busy (self, a, groups, batch, error))
            return FALSE;
          continue;
        }
      if (add_simply (self, a, groups, batch) ||
          (self->of_spreads[a] != G_MAXUINT && self->of_spreads[a] != a) ||
          weft_expression_is_null (item->expression, batch))
        continue;
      if (last == NULL || !weft_expression_equal (last, item->expression))
        {
          if (!weft_expression_evaluate (item->expression, batch, &vector, error))
            return FALSE;
          last = item->expression;
        }
      add_values (self, a, groups, batch->n, &vector);
    }
  return TRUE;
}

/* ---- Merging ---- */

static void
merge_deviations (WeftGroupState *state, const WeftGroupState *other)
{
  WeftGroupState added = *other;
  double n = (double) state->n;
  double m = (double) other->n;
  double difference;

  if (!state->is_rough && !other->is_rough)
    {
      state->deviation.sum += other->deviation.sum;
      state->deviation.power += other->deviation.power;
      return;
    }
  roughen (state);
  roughen (&added);
  difference = added.mean - state->mean;
  state->mean += difference * m / (n + m);
  state->squares += added.squares + difference * difference * n * m / (n + m);
}

static void
merge_state (const WeftItem *item, WeftGroupState *state, const WeftGroupState *other)
{
  if (other->n == 0)
    return;
  switch (item->aggregate.kind)
    {
    case WEFT_AGGREGATE_SUM:
    case WEFT_AGGREGATE_MEAN:
      if (item->expression->type == WEFT_VALUE_DOUBLE)
        state->real += other->real;
      else
        state->sum += other->sum;
      break;
    case WEFT_AGGREGATE_MIN:
      state->order = state->n == 0 ? other->order : MIN (state->order, other->order);
      break;
    case WEFT_AGGREGATE_MAX:
      state->order = MAX (state->order, other->order);
      break;
    case WEFT_AGGREGATE_STDDEV:
      merge_deviations (state, other);
      break;
    default:
      break;
    }
  state->n += other->n;
}

gboolean
weft_groups_merge (WeftGroups *self, WeftGroups *other, GError **error)
{
  g_autofree guint32 *map = g_new (guint32, (gsize) other->n_groups + 1);
  guint before = self->n_groups;

  for (guint i = 0; i < other->n_groups; i++)
    {
      map[i] = weft_groups_find (self, weft_groups_get_keys (other, i));
      for (guint a = 0; a < self->n_aggregates; a++)
        merge_state (self->aggregates[a], weft_groups_get_state (self, map[i], a),
                     weft_groups_get_state (other, i, a));
    }
  for (guint a = 0; a < self->n_aggregates; a++)
    if (!weft_collection_merge (&self->collections[a], &other->collections[a], map, self->plan->run,
                                error))
      return FALSE;
  self->is_crowded |= other->is_crowded;
  for (guint a = 0; a < self->n_aggregates; a++)
    if (self->of_spreads[a] == a)
      merge_spread (self, &self->spreads[a], &other->spreads[a], map, other->n_groups);
  return weft_run_hold (
      self->plan->run,
      (guint64) (self->n_groups - before) *
          (self->n_aggregates * sizeof (WeftGroupState) + (self->n_keys + 3) * sizeof (guint64)),
      error);
}

/* ---- Results ---- */

static gboolean
get_collected (const WeftGroups *self, guint aggregate, guint group, guint64 *bits)
{
  const WeftItem *item = self->aggregates[aggregate];
  WeftCollection *collection = &self->collections[aggregate];
  guint64 n = weft_collection_get_n (collection, group);

  switch (item->aggregate.kind)
    {
    case WEFT_AGGREGATE_COUNT_DISTINCT:
      *bits = weft_collection_count_distinct (collection, group);
      return TRUE;
    case WEFT_AGGREGATE_BUSY:
      *bits = weft_collection_measure_union (collection, group);
      return TRUE;
    default:
      if (n == 0)
        return FALSE;
      *bits = weft_unorder_bits (
          item->expression->type,
          weft_collection_get_rank (collection, group,
                                    weft_nearest_rank (item->aggregate.percentile, n) - 1));
      return TRUE;
    }
}

static guint64
get_sum (const WeftItem *item, const WeftGroupState *state)
{
  if (item->expression->type == WEFT_VALUE_DOUBLE)
    return weft_double_to_bits (state->real);
  return item->is_wide ? weft_double_to_bits ((double) state->sum) : (guint64) state->sum;
}

static double
get_mean (const WeftItem *item, const WeftGroupState *state)
{
  double sum = item->expression->type == WEFT_VALUE_DOUBLE ? state->real : (double) state->sum;

  return sum / (double) state->n;
}

static double
get_deviation (const WeftGroupState *state)
{
  double mean;
  double squares = state->is_rough ? state->squares : sum_squares (state, &mean);

  return sqrt (squares / (double) (state->n - 1));
}

gboolean
weft_groups_get (const WeftGroups *self, guint aggregate, guint group, guint64 *bits)
{
  const WeftItem *item = self->aggregates[aggregate];
  const WeftGroupState *state = weft_groups_get_state (self, group, aggregate);

  if (get_width (item->aggregate.kind) > 0 && !self->has_percentiles &&
      self->of_spreads[aggregate] == G_MAXUINT)
    return get_collected (self, aggregate, group, bits);
  switch (item->aggregate.kind)
    {
    case WEFT_AGGREGATE_COUNT:
      *bits = state->n;
      return TRUE;
    case WEFT_AGGREGATE_SUM:
      *bits = get_sum (item, state);
      return state->n > 0;
    case WEFT_AGGREGATE_MEAN:
      *bits = weft_double_to_bits (state->n > 0 ? get_mean (item, state) : 0);
      return state->n > 0;
    case WEFT_AGGREGATE_STDDEV:
      *bits = state->n < 2 ? 0 : weft_double_to_bits (get_deviation (state));
      return state->n > 1;
    default:
      *bits = weft_unorder_bits (item->expression->type, state->order);
      return state->n > 0;
    }
}
