/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-counter-figures.h"

#include "weft-analysis-scope.h"
#include "weft-producer-ids.h"

#include <string.h>

double
weft_counter_get_value (guint64 bits, guint64 value_type)
{
  double value;

  switch (value_type)
    {
    case WEFT_NUMBER_INT64:
      return (double) (gint64) bits;
    case WEFT_NUMBER_DOUBLE:
      memcpy (&value, &bits, sizeof value);
      return value;
    default:
      return (double) bits;
    }
}

char *
weft_counter_get_text (guint64 bits, guint64 value_type)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  switch (value_type)
    {
    case WEFT_NUMBER_INT64:
      return g_strdup_printf ("%" G_GINT64_FORMAT, (gint64) bits);
    case WEFT_NUMBER_DOUBLE:
      return g_strdup (
          g_ascii_dtostr (text, sizeof text, weft_counter_get_value (bits, value_type)));
    default:
      return g_strdup_printf ("%" G_GUINT64_FORMAT, bits);
    }
}

/* The values of a counter at one dispatch. */
typedef struct
{
  guint64 dispatch;
  guint64 counter;
  gboolean has_before;
  gboolean has_after;
  double before;
  double after;
  guint64 order; /* in which they came */
} Sampled;

typedef struct
{
  const WeftAnalysisScope *scope;
  const WeftSelection *selection;
  WeftCountersBy by;
  guint64 wanted;
  WeftProducerIds *ids;
  WeftRowTable *samples;
  WeftRowTable *counters;
  WeftRowTable *dispatches;
  WeftRowTable *submissions;
  GHashTable *figures; /* WeftCounterFigures → itself */
  GHashTable *sampled; /* Sampled → itself */
} Reading;

/* Both structs begin with the two numbers that tell them apart. */
static guint
hash_pair (gconstpointer key)
{
  const guint64 *pair = key;

  return (guint) ((pair[0] * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15) + pair[1]) *
                      G_GUINT64_CONSTANT (0xff51afd7ed558ccd) >>
                  32);
}

static gboolean
equal_pairs (gconstpointer a, gconstpointer b)
{
  return memcmp (a, b, 2 * sizeof (guint64)) == 0;
}

static WeftCounterFigures *
get_figures (Reading *self, guint64 group, guint64 counter)
{
  const guint64 key[] = { group, counter };
  WeftCounterFigures *figures = g_hash_table_lookup (self->figures, key);

  if (figures == NULL)
    {
      figures = g_new0 (WeftCounterFigures, 1);
      figures->group = group;
      figures->counter = counter;
      g_hash_table_add (self->figures, figures);
    }
  return figures;
}

static Sampled *
get_sampled (Reading *self, guint64 dispatch, guint64 counter)
{
  const guint64 key[] = { dispatch, counter };
  Sampled *sampled = g_hash_table_lookup (self->sampled, key);

  if (sampled == NULL)
    {
      sampled = g_new0 (Sampled, 1);
      sampled->dispatch = dispatch;
      sampled->counter = counter;
      sampled->order = g_hash_table_size (self->sampled);
      g_hash_table_add (self->sampled, sampled);
    }
  return sampled;
}

static guint64
get_group (Reading *self, guint64 dispatch, guint64 submission)
{
  switch (self->by)
    {
    case WEFT_COUNTERS_BY_ROUTINE:
      return weft_row_table_get (self->dispatches, WEFT_DISPATCHES_ROUTINE, dispatch);
    case WEFT_COUNTERS_BY_LANE:
      return dispatch != 0
                 ? weft_row_table_get (self->dispatches, WEFT_DISPATCHES_LANE, dispatch)
                 : weft_row_table_get (self->submissions, WEFT_SUBMISSIONS_LANE, submission);
    case WEFT_COUNTERS_BY_DISPATCH:
      return dispatch;
    default:
      return 0;
    }
}

static gint64
get_start (Reading *self, guint64 dispatch)
{
  return (gint64) weft_row_table_get (self->dispatches, WEFT_DISPATCHES_START, dispatch);
}

static gint64
get_end (Reading *self, guint64 dispatch)
{
  return weft_time_after (
      get_start (self, dispatch),
      weft_row_table_get (self->dispatches, WEFT_DISPATCHES_DURATION, dispatch));
}

static gboolean
is_wanted (Reading *self, guint64 sample, guint64 dispatch)
{
  gint64 time = (gint64) weft_row_table_get (self->samples, WEFT_COUNTER_SAMPLES_TIME, sample);

  if (self->wanted != 0)
    return dispatch == self->wanted;
  if (!weft_selection_allows (self->selection, dispatch))
    return FALSE;
  if (dispatch != 0)
    return weft_scope_overlaps (self->scope, get_start (self, dispatch), get_end (self, dispatch));
  if (!weft_row_table_has (self->samples, WEFT_COUNTER_SAMPLES_TIME, sample))
    return !weft_scope_has_range (self->scope);
  return weft_scope_overlaps (self->scope, time, time);
}

static void
take_point (Sampled *sampled, guint64 point, double value)
{
  if (point == WEFT_SAMPLE_POINT_BEFORE_DISPATCH)
    {
      sampled->has_before = TRUE;
      sampled->before = value;
    }
  else if (point == WEFT_SAMPLE_POINT_AFTER_DISPATCH)
    {
      sampled->has_after = TRUE;
      sampled->after = value;
    }
}

static void
take_value (Reading *self, WeftRowCursor *row)
{
  guint64 sample = weft_row_cursor_get (row, WEFT_COUNTER_VALUES_SAMPLE);
  guint64 counter = weft_row_cursor_get (row, WEFT_COUNTER_VALUES_COUNTER);
  guint64 dispatch = weft_producer_ids_get (
      self->ids, weft_row_table_get (self->samples, WEFT_COUNTER_SAMPLES_DISPATCH, sample),
      weft_row_table_get (self->samples, WEFT_COUNTER_SAMPLES_RUNTIME, sample),
      weft_row_table_get (self->samples, WEFT_COUNTER_SAMPLES_PRODUCER_DISPATCH, sample));
  guint64 submission = weft_row_table_get (self->samples, WEFT_COUNTER_SAMPLES_SUBMISSION, sample);
  double value = weft_counter_get_value (
      weft_row_cursor_get (row, WEFT_COUNTER_VALUES_BITS),
      weft_row_table_get (self->counters, WEFT_COUNTERS_VALUE_TYPE, counter));
  WeftCounterFigures *figures;
  Sampled *sampled;

  if (!is_wanted (self, sample, dispatch))
    return;
  figures = get_figures (self, get_group (self, dispatch, submission), counter);
  sampled = dispatch ? get_sampled (self, dispatch, counter) : NULL;
  figures->samples++;
  if (weft_row_cursor_get (row, WEFT_COUNTER_VALUES_IS_ERROR) != 0)
    {
      figures->errors++;
      return;
    }
  weft_value_stats_add (&figures->stats, value);
  figures->last = value;
  if (sampled == NULL)
    return;
  figures->sum_of_dispatches += value;
  take_point (sampled, weft_row_table_get (self->samples, WEFT_COUNTER_SAMPLES_POINT, sample),
              value);
}

static int
compare_sampled (gconstpointer a, gconstpointer b)
{
  const Sampled *left = *(const Sampled *const *) a;
  const Sampled *right = *(const Sampled *const *) b;

  return left->order < right->order ? -1 : left->order > right->order;
}

/* In the order in which they came, so that sums are always the same. */
static void
take_dispatches (Reading *self)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer one;

  g_hash_table_iter_init (&iter, self->sampled);
  while (g_hash_table_iter_next (&iter, &one, NULL))
    g_ptr_array_add (all, one);
  g_ptr_array_sort (all, compare_sampled);
  for (guint i = 0; i < all->len; i++)
    {
      const Sampled *sampled = g_ptr_array_index (all, i);
      WeftCounterFigures *figures =
          get_figures (self, get_group (self, sampled->dispatch, 0), sampled->counter);

      figures->dispatches++;
      figures->target_time += weft_scope_clip (self->scope, get_start (self, sampled->dispatch),
                                               get_end (self, sampled->dispatch));
      if (sampled->has_before && sampled->has_after)
        weft_value_stats_add (&figures->delta, sampled->after - sampled->before);
    }
}

static gboolean
read_tables (Reading *self, GError **error)
{
  static const WeftColumnNumber samples[] = {
    WEFT_COUNTER_SAMPLES_DISPATCH, WEFT_COUNTER_SAMPLES_SUBMISSION,
    WEFT_COUNTER_SAMPLES_POINT,    WEFT_COUNTER_SAMPLES_TIME,
    WEFT_COUNTER_SAMPLES_RUNTIME,  WEFT_COUNTER_SAMPLES_PRODUCER_DISPATCH,
  };
  static const WeftColumnNumber counters[] = { WEFT_COUNTERS_VALUE_TYPE };
  static const WeftColumnNumber submissions[] = { WEFT_SUBMISSIONS_LANE };
  static const WeftColumnNumber dispatches[] = { WEFT_DISPATCHES_START, WEFT_DISPATCHES_DURATION,
                                                 WEFT_DISPATCHES_ROUTINE, WEFT_DISPATCHES_LANE };
  const struct
  {
    WeftRowTable **table;
    WeftTableId id;
    const WeftColumnNumber *columns;
    guint n_columns;
  } tables[] = {
    { &self->samples, WEFT_TABLE_COUNTER_SAMPLES, samples, G_N_ELEMENTS (samples) },
    { &self->counters, WEFT_TABLE_COUNTERS, counters, G_N_ELEMENTS (counters) },
    { &self->submissions, WEFT_TABLE_SUBMISSIONS, submissions, G_N_ELEMENTS (submissions) },
    { &self->dispatches, WEFT_TABLE_DISPATCHES, dispatches, G_N_ELEMENTS (dispatches) },
  };

  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    {
      *tables[i].table = weft_row_table_new (self->scope, tables[i].id, tables[i].columns,
                                             tables[i].n_columns, error);
      if (*tables[i].table == NULL)
        return FALSE;
    }
  return weft_producer_ids_want_table (self->ids, self->scope, WEFT_TABLE_COUNTER_SAMPLES,
                                       WEFT_COUNTER_SAMPLES_DISPATCH, WEFT_COUNTER_SAMPLES_RUNTIME,
                                       WEFT_COUNTER_SAMPLES_PRODUCER_DISPATCH, error) &&
         weft_producer_ids_resolve (self->ids, self->scope, error);
}

static gboolean
read_values (Reading *self, GError **error)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_COUNTER_VALUES);

  while (weft_row_cursor_next (rows))
    take_value (self, rows);
  take_dispatches (self);
  return weft_row_cursor_finish (rows, error);
}

static int
compare_figures (gconstpointer a, gconstpointer b)
{
  const WeftCounterFigures *left = a;
  const WeftCounterFigures *right = b;

  if (left->group != right->group)
    return left->group < right->group ? -1 : 1;
  return left->counter < right->counter ? -1 : left->counter > right->counter;
}

static GArray *
collect (Reading *self)
{
  GArray *figures = g_array_new (FALSE, FALSE, sizeof (WeftCounterFigures));
  GHashTableIter iter;
  gpointer one;

  g_hash_table_iter_init (&iter, self->figures);
  while (g_hash_table_iter_next (&iter, &one, NULL))
    g_array_append_vals (figures, one, 1);
  g_array_sort (figures, compare_figures);
  return figures;
}

static void
reading_clear (Reading *self)
{
  g_clear_pointer (&self->samples, weft_row_table_free);
  g_clear_pointer (&self->counters, weft_row_table_free);
  g_clear_pointer (&self->dispatches, weft_row_table_free);
  g_clear_pointer (&self->submissions, weft_row_table_free);
  g_hash_table_unref (self->figures);
  g_hash_table_unref (self->sampled);
}

GArray *
weft_counter_figures_read (const WeftAnalysisScope *scope, const WeftSelection *selection,
                           WeftCountersBy by, guint64 dispatch, GError **error)
{
  g_autoptr (WeftProducerIds) ids = weft_producer_ids_new ();
  Reading self = {
    .scope = scope, .selection = selection, .by = by, .wanted = dispatch, .ids = ids
  };
  GArray *figures = NULL;

  self.figures = g_hash_table_new_full (hash_pair, equal_pairs, g_free, NULL);
  self.sampled = g_hash_table_new_full (hash_pair, equal_pairs, g_free, NULL);
  /* Nothing else is read where nothing was sampled. */
  if (weft_store_get_n_rows (scope->store, WEFT_TABLE_COUNTER_VALUES) == 0)
    figures = g_array_new (FALSE, FALSE, sizeof (WeftCounterFigures));
  else if (read_tables (&self, error) && read_values (&self, error))
    figures = collect (&self);
  reading_clear (&self);
  return figures;
}

double
weft_counter_figures_get_value (const WeftCounterFigures *figures, guint64 aggregation)
{
  switch (aggregation)
    {
    case WEFT_AGGREGATION_MEAN:
      return weft_value_stats_get_mean (&figures->stats);
    case WEFT_AGGREGATION_MIN:
      return figures->stats.min;
    case WEFT_AGGREGATION_MAX:
      return figures->stats.max;
    case WEFT_AGGREGATION_LAST:
      return figures->last;
    default:
      return figures->stats.sum;
    }
}
