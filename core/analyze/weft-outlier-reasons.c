/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-outlier-reasons.h"

#include <math.h>

#include "weft-analysis-scope.h"
#include "weft-concurrency.h"
#include "weft-enum-types.h"
#include "weft-figure-text.h"
#include "weft-phase-figures.h"
#include "weft-query.h"
#include "weft-row-scan.h"

/* What is usual of how many run beside a dispatch is taken from at least so many of its routine,
 * evenly spread, where there are as many.
 */
#define MIN_SAMPLES 64
/* Below these, differences are no reasons: ns, bytes, dispatches beside it. */
#define TIME_FLOOR 1000.0
#define SIZE_FLOOR 1024.0
#define BESIDE_FLOOR 0.25

static const char *const names[WEFT_N_REASONS] = {
  [WEFT_REASON_QUEUE_DELAY] = "queue-delay",
  [WEFT_REASON_ATTACHMENTS] = "attachments",
  [WEFT_REASON_COUNTER] = "counter",
  [WEFT_REASON_PHASE] = "phase",
  [WEFT_REASON_NESTED] = "nested",
  [WEFT_REASON_SAME_LANE] = "same-lane",
  [WEFT_REASON_OTHER_LANES] = "other-lanes",
  [WEFT_REASON_FIRST] = "first",
  [WEFT_REASON_ATTEMPTS] = "attempts",
  [WEFT_REASON_STATUS] = "status",
};

const char *
weft_reason_get_name (WeftReasonKind kind)
{
  return names[kind];
}

/* Of a routine of which a dispatch stands out. */
typedef struct
{
  gboolean has_first;
  gint64 first_start;
  guint64 first_id;
  GArray *delays;  /* double; of those whose queue delay is known */
  GArray *nested;  /* double */
  GArray *samples; /* WeftOutlier */
  guint64 stride;  /* each so many-th is a sample */
  guint64 n_seen;
  GArray *sizes;  /* double; of those with attachments */
  GArray *values; /* double; of the counter at hand */

  /* What is usual; of no values where there are none. */
  WeftTypical delay;
  WeftTypical nesting;
  WeftTypical size;
  WeftTypical same_lane;
  WeftTypical other_lanes;
} Routine;

/* Of a dispatch that stands out. */
typedef struct
{
  gboolean has_delay;
  gboolean has_size;
  double delay;
  double nested;
  double size;
  guint64 attempts;
  guint status;
  guint error_kind;
  guint place; /* in the concurrency */
} Facts;

typedef struct
{
  guint64 dispatch;
  double size;
} Sized;

typedef struct
{
  const WeftAnalysisScope *scope;
  GArray *outliers;
  GArray *reasons;
  GHashTable *routines; /* id → Routine */
  GHashTable *places;   /* id of a dispatch → its place + 1 */
  Facts *facts;
  GArray *sized; /* element type Sized, by dispatch */
  WeftConcurrency *concurrency;
} Search;

static void
routine_free (gpointer data)
{
  Routine *routine = data;

  g_array_unref (routine->delays);
  g_array_unref (routine->nested);
  g_array_unref (routine->samples);
  g_array_unref (routine->sizes);
  g_array_unref (routine->values);
  g_free (routine);
}

static void
reason_clear (gpointer data)
{
  WeftReason *reason = data;

  g_free (reason->counter);
  g_free (reason->text);
}

static void
search_clear (Search *self)
{
  g_clear_pointer (&self->reasons, g_array_unref);
  g_clear_pointer (&self->routines, g_hash_table_unref);
  g_clear_pointer (&self->places, g_hash_table_unref);
  g_clear_pointer (&self->sized, g_array_unref);
  g_clear_pointer (&self->concurrency, weft_concurrency_free);
  g_free (self->facts);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Search, search_clear)

static const WeftOutlier *
get_outlier (Search *self, guint place)
{
  return &g_array_index (self->outliers, WeftOutlier, place);
}

static Routine *
get_routine (Search *self, guint64 id)
{
  return g_hash_table_lookup (self->routines, GUINT_TO_POINTER ((guint) id));
}

/* Place + 1, or 0. */
static guint
find_outlier (Search *self, guint64 id)
{
  return GPOINTER_TO_UINT (g_hash_table_lookup (self->places, &id));
}

static void
append (GArray *values, double value)
{
  g_array_append_val (values, value);
}

/* Takes TEXT. */
static WeftReason *
add_reason (Search *self, WeftReasonKind kind, guint place, char *text)
{
  WeftReason reason = { .kind = kind, .outlier = place, .text = text };

  g_array_append_val (self->reasons, reason);
  return &g_array_index (self->reasons, WeftReason, self->reasons->len - 1);
}

/* Whether VALUE is far from what is typical; more of it, or less too if EITHER_WAY. */
static gboolean
stands_out (const WeftTypical *typical, double value, gboolean either_way)
{
  double distance;

  if (typical->n < WEFT_TYPICAL_MIN_VALUES)
    return FALSE;
  distance = weft_typical_get_distance (typical, value);
  return (either_way ? fabs (distance) : distance) >= WEFT_TYPICAL_DISTANCE;
}

/* If it is one. */
static void
add_figure (Search *self, WeftReasonKind kind, guint place, const WeftTypical *typical,
            double value, WeftUnit unit)
{
  static const char *const formats[WEFT_N_REASONS][2] = {
    [WEFT_REASON_QUEUE_DELAY] = { "waited ", " in the queue, typically " },
    [WEFT_REASON_ATTACHMENTS] = { "", " of attachments, typically " },
    [WEFT_REASON_NESTED] = { "", " in what is nested inside it, typically " },
    [WEFT_REASON_SAME_LANE] = { "", " beside it on its lane, typically " },
    [WEFT_REASON_OTHER_LANES] = { "", " beside it on other lanes, typically " },
  };
  g_autofree char *figure = NULL;
  g_autofree char *usual = NULL;
  WeftReason *reason;

  if (!stands_out (typical, value, FALSE))
    return;
  figure = weft_figure_text (value, unit, NULL);
  usual = weft_figure_text (typical->median, unit, NULL);
  reason = add_reason (self, kind, place,
                       g_strconcat (formats[kind][0], figure, formats[kind][1], usual, NULL));
  reason->value = value;
  reason->typical = typical->median;
  reason->distance = weft_typical_get_distance (typical, value);
}

/* VALUES are used up. */
static void
find_typical (WeftTypical *typical, GArray *values, double floor)
{
  if (values->len > 0)
    weft_typical_init (typical, (double *) (gpointer) values->data, values->len, floor);
}

/* ---- The dispatches ---- */

enum
{
  ID,
  LANE,
  ROUTINE,
  START,
  DURATION,
  DEPTH,
  CHILD_TIME,
  STATUS,
  ERROR_KIND,
  ATTEMPTS,
  QUEUE_WAIT,
  SUBMITTED,
  N_COLUMNS
};

/* Every STRIDE-th; where there are twice as many as needed, every second of them goes. */
static void
take_sample (Routine *routine, const WeftOutlier *dispatch)
{
  if (routine->n_seen++ % routine->stride != 0)
    return;
  if (routine->samples->len == 2 * MIN_SAMPLES)
    {
      for (guint i = 0; i < MIN_SAMPLES; i++)
        g_array_index (routine->samples, WeftOutlier, i) =
            g_array_index (routine->samples, WeftOutlier, 2 * i);
      g_array_set_size (routine->samples, MIN_SAMPLES);
      routine->stride *= 2;
    }
  g_array_append_vals (routine->samples, dispatch, 1);
}

static gboolean
get_delay (const guint64 *values, guint32 present, double *delay)
{
  gint64 start = (gint64) values[START];
  gint64 submitted = (gint64) values[SUBMITTED];

  if (present >> QUEUE_WAIT & 1)
    *delay = (double) values[QUEUE_WAIT];
  else if ((present >> SUBMITTED & 1) && submitted <= start)
    *delay = (double) ((guint64) start - (guint64) submitted);
  else
    return FALSE;
  return TRUE;
}

static void
take_dispatch (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  Search *self = data;
  Routine *routine = get_routine (self, values[ROUTINE]);
  WeftOutlier dispatch = { .id = values[ID],
                           .lane = (guint32) values[LANE],
                           .depth = (guint32) values[DEPTH],
                           .start = (gint64) values[START] };
  double delay = 0;
  gboolean has_delay;
  guint place;

  if (routine == NULL)
    return;
  dispatch.end = weft_time_after (dispatch.start, values[DURATION]);
  if (!routine->has_first || dispatch.start < routine->first_start ||
      (dispatch.start == routine->first_start && dispatch.id < routine->first_id))
    {
      routine->has_first = TRUE;
      routine->first_start = dispatch.start;
      routine->first_id = dispatch.id;
    }
  has_delay = get_delay (values, present, &delay);
  if (has_delay)
    append (routine->delays, delay);
  append (routine->nested, (double) values[CHILD_TIME]);
  take_sample (routine, &dispatch);

  place = find_outlier (self, dispatch.id);
  if (place == 0)
    return;
  self->facts[place - 1] = (Facts){ .has_delay = has_delay,
                                    .delay = delay,
                                    .nested = (double) values[CHILD_TIME],
                                    .attempts = present >> ATTEMPTS & 1 ? values[ATTEMPTS] : 1,
                                    .status = (guint) values[STATUS],
                                    .error_kind = (guint) values[ERROR_KIND] };
}

static gboolean
read_dispatches (Search *self, GError **error)
{
  static const WeftColumnNumber columns[N_COLUMNS] = {
    [ID] = WEFT_DISPATCHES_ID,
    [LANE] = WEFT_DISPATCHES_LANE,
    [ROUTINE] = WEFT_DISPATCHES_ROUTINE,
    [START] = WEFT_DISPATCHES_START,
    [DURATION] = WEFT_DISPATCHES_DURATION,
    [DEPTH] = WEFT_DISPATCHES_DEPTH,
    [CHILD_TIME] = WEFT_DISPATCHES_CHILD_TIME,
    [STATUS] = WEFT_DISPATCHES_STATUS,
    [ERROR_KIND] = WEFT_DISPATCHES_ERROR_KIND,
    [ATTEMPTS] = WEFT_DISPATCHES_ATTEMPTS,
    [QUEUE_WAIT] = WEFT_DISPATCHES_QUEUE_WAIT,
    [SUBMITTED] = WEFT_DISPATCHES_SUBMITTED,
  };

  return weft_scan_rows (self->scope->store, WEFT_TABLE_DISPATCHES, columns, N_COLUMNS,
                         take_dispatch, self, self->scope->cancellable, error);
}

static char *
describe_status (const Facts *facts)
{
  g_autoptr (GEnumClass) klass = g_type_class_ref (WEFT_TYPE_ERROR_KIND);
  const GEnumValue *kind = g_enum_get_value (klass, (int) facts->error_kind);

  if (facts->status == WEFT_STATUS_CANCELED)
    return g_strdup ("was canceled");
  if (kind == NULL || kind->value == WEFT_ERROR_KIND_NONE)
    return g_strdup ("ended with an error");
  return g_strdup_printf ("ended with an error (%s)", kind->value_nick);
}

static void
add_plain_reasons (Search *self, guint place)
{
  const WeftOutlier *outlier = get_outlier (self, place);
  const Routine *routine = get_routine (self, outlier->routine);
  const Facts *facts = &self->facts[place];

  if (routine->has_first && routine->first_id == outlier->id)
    add_reason (self, WEFT_REASON_FIRST, place,
                g_strdup ("the first of its routine (often compilation or cold caches)"));
  if (facts->attempts > 1)
    add_reason (self, WEFT_REASON_ATTEMPTS, place,
                g_strdup_printf ("%" G_GUINT64_FORMAT " attempts", facts->attempts))
        ->value = (double) facts->attempts;
  if (facts->status != WEFT_STATUS_OK)
    add_reason (self, WEFT_REASON_STATUS, place, describe_status (facts));
}

/* ---- What ran beside it ---- */

static gboolean
find_concurrency (Search *self, GError **error)
{
  GHashTableIter iter;
  gpointer routine;

  self->concurrency = weft_concurrency_new ();
  for (guint i = 0; i < self->outliers->len; i++)
    {
      const WeftOutlier *outlier = get_outlier (self, i);

      self->facts[i].place = weft_concurrency_add (self->concurrency, outlier->lane, outlier->depth,
                                                   outlier->start, outlier->end);
    }
  g_hash_table_iter_init (&iter, self->routines);
  while (g_hash_table_iter_next (&iter, NULL, &routine))
    {
      GArray *samples = ((Routine *) routine)->samples;

      for (guint i = 0; i < samples->len; i++)
        {
          WeftOutlier *sample = &g_array_index (samples, WeftOutlier, i);

          /* Its id is not needed any more. */
          sample->id = weft_concurrency_add (self->concurrency, sample->lane, sample->depth,
                                             sample->start, sample->end);
        }
    }
  return weft_concurrency_run (self->concurrency, self->scope, error);
}

/* ---- Figures of a routine ---- */

static void
find_typicals (Search *self, Routine *routine)
{
  double same[2 * MIN_SAMPLES] = { 0 };
  double other[2 * MIN_SAMPLES] = { 0 };
  guint n = routine->samples->len;

  for (guint i = 0; i < n; i++)
    {
      guint place = (guint) g_array_index (routine->samples, WeftOutlier, i).id;

      same[i] = weft_concurrency_get_same_lane (self->concurrency, place);
      other[i] = weft_concurrency_get_other_lanes (self->concurrency, place);
    }
  if (n > 0)
    {
      weft_typical_init (&routine->same_lane, same, n, BESIDE_FLOOR);
      weft_typical_init (&routine->other_lanes, other, n, BESIDE_FLOOR);
    }
  find_typical (&routine->delay, routine->delays, TIME_FLOOR);
  find_typical (&routine->nesting, routine->nested, TIME_FLOOR);
  find_typical (&routine->size, routine->sizes, SIZE_FLOOR);
}

static void
add_figures (Search *self, guint place)
{
  const Facts *facts = &self->facts[place];
  const Routine *routine = get_routine (self, get_outlier (self, place)->routine);

  if (facts->has_delay)
    add_figure (self, WEFT_REASON_QUEUE_DELAY, place, &routine->delay, facts->delay,
                WEFT_UNIT_NANOSECONDS);
  if (facts->has_size)
    add_figure (self, WEFT_REASON_ATTACHMENTS, place, &routine->size, facts->size, WEFT_UNIT_BYTES);
  add_figure (self, WEFT_REASON_NESTED, place, &routine->nesting, facts->nested,
              WEFT_UNIT_NANOSECONDS);
  add_figure (self, WEFT_REASON_SAME_LANE, place, &routine->same_lane,
              weft_concurrency_get_same_lane (self->concurrency, facts->place), WEFT_UNIT_NONE);
  add_figure (self, WEFT_REASON_OTHER_LANES, place, &routine->other_lanes,
              weft_concurrency_get_other_lanes (self->concurrency, facts->place), WEFT_UNIT_NONE);
  add_plain_reasons (self, place);
}

/* ---- Attachments ---- */

static void
take_attachment (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  Search *self = data;
  Sized sized = { values[0], (double) values[1] };
  Sized *last =
      self->sized->len == 0 ? NULL : &g_array_index (self->sized, Sized, self->sized->len - 1);

  if (sized.dispatch == 0 || !(present & 2))
    return;
  /* Those of a dispatch come together. */
  if (last != NULL && last->dispatch == sized.dispatch)
    last->size += sized.size;
  else
    g_array_append_val (self->sized, sized);
}

static int
compare_sized (gconstpointer a, gconstpointer b)
{
  const Sized *sized_a = a;
  const Sized *sized_b = b;

  return sized_a->dispatch < sized_b->dispatch ? -1 : sized_a->dispatch > sized_b->dispatch;
}

static const Sized *
find_sized (Search *self, guint64 dispatch)
{
  guint low = 0;
  guint high = self->sized->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;
      const Sized *sized = &g_array_index (self->sized, Sized, middle);

      if (sized->dispatch == dispatch)
        return sized;
      if (sized->dispatch < dispatch)
        low = middle + 1;
      else
        high = middle;
    }
  return NULL;
}

static void
take_sizes (const WeftStoreColumn *columns, gpointer data)
{
  Search *self = data;

  for (guint i = 0; i < columns[0].n_rows; i++)
    {
      Routine *routine = get_routine (self, weft_store_column_get (&columns[1], i));
      const Sized *sized =
          routine == NULL ? NULL : find_sized (self, weft_store_column_get (&columns[0], i));

      if (sized != NULL)
        append (routine->sizes, sized->size);
    }
}

static gboolean
read_attachments (Search *self, GError **error)
{
  static const WeftColumnNumber attachments[] = { WEFT_ATTACHMENTS_DISPATCH,
                                                  WEFT_ATTACHMENTS_SIZE };
  static const WeftColumnNumber dispatches[] = { WEFT_DISPATCHES_ID, WEFT_DISPATCHES_ROUTINE };
  gboolean has_any = FALSE;

  self->sized = g_array_new (FALSE, FALSE, sizeof (Sized));
  if (!weft_scan_rows (self->scope->store, WEFT_TABLE_ATTACHMENTS, attachments, 2, take_attachment,
                       self, self->scope->cancellable, error))
    return FALSE;
  g_array_sort (self->sized, compare_sized);
  for (guint i = 0; i < self->outliers->len; i++)
    {
      const Sized *sized = find_sized (self, get_outlier (self, i)->id);

      self->facts[i].has_size = sized != NULL;
      self->facts[i].size = sized == NULL ? 0 : sized->size;
      has_any |= sized != NULL;
    }
  return !has_any ||
         weft_scope_scan_dispatches (self->scope, dispatches, 2, take_sizes, self, error);
}

/* ---- Counters ---- */

/* Which counters the dispatches that stand out have values of. */
typedef struct
{
  Search *search;
  GHashTable *samples;  /* ids */
  GHashTable *counters; /* ids */
  GPtrArray *names;     /* each once, in the order of the counters */
} CounterNames;

static void
counter_names_clear (CounterNames *self)
{
  g_clear_pointer (&self->samples, g_hash_table_unref);
  g_clear_pointer (&self->counters, g_hash_table_unref);
  g_clear_pointer (&self->names, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CounterNames, counter_names_clear)

static void
take_counter_sample (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  CounterNames *self = data;

  if (find_outlier (self->search, values[0]) > 0)
    g_hash_table_add (self->samples, g_memdup2 (&number, sizeof number));
}

static void
take_counter_value (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  CounterNames *self = data;

  if (g_hash_table_contains (self->samples, &values[0]))
    g_hash_table_add (self->counters, GUINT_TO_POINTER ((guint) values[1]));
}

static void
take_counter (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  CounterNames *self = data;
  const char *name = weft_store_get_string (self->search->scope->store, (guint32) values[0]);

  if (name != NULL && g_hash_table_contains (self->counters, GUINT_TO_POINTER ((guint) number)) &&
      !g_ptr_array_find_with_equal_func (self->names, name, g_str_equal, NULL))
    g_ptr_array_add (self->names, (gpointer) name);
}

static gboolean
find_counters (CounterNames *self, GError **error)
{
  static const WeftColumnNumber samples[] = { WEFT_COUNTER_SAMPLES_DISPATCH };
  static const WeftColumnNumber values[] = { WEFT_COUNTER_VALUES_SAMPLE,
                                             WEFT_COUNTER_VALUES_COUNTER };
  static const WeftColumnNumber counters[] = { WEFT_COUNTERS_NAME };
  const WeftAnalysisScope *scope = self->search->scope;

  self->samples = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  self->counters = g_hash_table_new (NULL, NULL);
  self->names = g_ptr_array_new ();
  return weft_scan_rows (scope->store, WEFT_TABLE_COUNTER_SAMPLES, samples, 1, take_counter_sample,
                         self, scope->cancellable, error) &&
         weft_scan_rows (scope->store, WEFT_TABLE_COUNTER_VALUES, values, 2, take_counter_value,
                         self, scope->cancellable, error) &&
         weft_scan_rows (scope->store, WEFT_TABLE_COUNTERS, counters, 1, take_counter, self,
                         scope->cancellable, error);
}

/* Dispatches that have the counter: id, routine, value. */
static WeftTable *
query_counter (Search *self, const char *name, GError **error)
{
  g_autoptr (WeftQuery) query = weft_query_new ("dispatches", error);
  g_autoptr (WeftFilter) filter = NULL;
  g_autofree char *expression = g_strconcat ("counter:", name, NULL);
  WeftFilterNode *term = weft_filter_node_new_term (WEFT_FILTER_FIELD_COUNTER);

  g_ptr_array_add (term->names, weft_filter_match_new (WEFT_FILTER_MATCH_WORD, name));
  filter = weft_filter_new_from_node (term);
  if (query == NULL || !weft_query_select (query, "id", NULL, error) ||
      !weft_query_select (query, "routine", NULL, error) ||
      !weft_query_select (query, expression, "value", error))
    return NULL;
  weft_query_set_filter (query, filter);
  return weft_query_run (query, self->scope->recording, self->scope->cancellable, error);
}

static char *
describe_counter (const char *name, const char *unit_name, double value, double typical)
{
  WeftUnit unit = WEFT_UNIT_NAMED;
  g_autofree char *figure = NULL;
  g_autofree char *usual = NULL;

  if (g_strcmp0 (unit_name, "ns") == 0)
    unit = WEFT_UNIT_NANOSECONDS;
  else if (g_strcmp0 (unit_name, "bytes") == 0)
    unit = WEFT_UNIT_BYTES;
  else if (g_strcmp0 (unit_name, "count") == 0)
    unit = WEFT_UNIT_COUNT;
  figure = weft_figure_text (value, unit, unit_name);
  usual = weft_figure_text (typical, unit, unit_name);
  return g_strdup_printf ("%s: %s, typically %s", name, figure, usual);
}

static void
add_counter_reason (Search *self, guint place, const char *name, const WeftTypical *typical,
                    WeftTable *table, guint row)
{
  double value = weft_table_get_double (table, 2, row);
  WeftReason *reason;

  if (!stands_out (typical, value, TRUE))
    return;
  reason = add_reason (
      self, WEFT_REASON_COUNTER, place,
      describe_counter (name, weft_table_get_column_unit (table, 2), value, typical->median));
  reason->counter = g_strdup (name);
  reason->value = value;
  reason->typical = typical->median;
  reason->distance = fabs (weft_typical_get_distance (typical, value));
}

static void
compare_values (Search *self, const char *name, WeftTable *table)
{
  double floor = weft_table_get_column_type (table, 2) == WEFT_VALUE_DOUBLE ? 1e-9 : 1.0;
  g_autoptr (GHashTable) typicals = g_hash_table_new_full (NULL, NULL, NULL, g_free);

  for (guint row = 0; row < weft_table_get_n_rows (table); row++)
    {
      Routine *routine = get_routine (self, weft_table_get_uint64 (table, 1, row));

      if (routine != NULL && !weft_table_is_null (table, 2, row))
        append (routine->values, weft_table_get_double (table, 2, row));
    }
  for (guint row = 0; row < weft_table_get_n_rows (table); row++)
    {
      guint place = find_outlier (self, weft_table_get_uint64 (table, 0, row));
      gpointer id = GUINT_TO_POINTER ((guint) weft_table_get_uint64 (table, 1, row));
      WeftTypical *typical = g_hash_table_lookup (typicals, id);

      if (place == 0 || weft_table_is_null (table, 2, row))
        continue;
      if (typical == NULL)
        {
          GArray *values = get_routine (self, GPOINTER_TO_UINT (id))->values;

          typical = g_new0 (WeftTypical, 1);
          find_typical (typical, values, floor);
          g_array_set_size (values, 0);
          g_hash_table_insert (typicals, id, typical);
        }
      add_counter_reason (self, place - 1, name, typical, table, row);
    }
}

static gboolean
compare_counters (Search *self, GError **error)
{
  g_auto (CounterNames) counters = { .search = self };

  if (!find_counters (&counters, error))
    return FALSE;
  for (guint i = 0; i < counters.names->len; i++)
    {
      const char *name = g_ptr_array_index (counters.names, i);
      g_autoptr (WeftTable) table = query_counter (self, name, error);
      GHashTableIter iter;
      gpointer routine;

      if (table == NULL)
        return FALSE;
      compare_values (self, name, table);
      g_hash_table_iter_init (&iter, self->routines);
      while (g_hash_table_iter_next (&iter, NULL, &routine))
        g_array_set_size (((Routine *) routine)->values, 0);
    }
  return TRUE;
}

/* ---- Phases ---- */

static gboolean
compare_phases (Search *self, GError **error)
{
  g_autoptr (GArray) figures =
      weft_phase_figures_find (self->scope, self->places, self->routines, TIME_FLOOR, error);

  for (guint i = 0; figures != NULL && i < figures->len; i++)
    {
      const WeftPhaseFigure *found = &g_array_index (figures, WeftPhaseFigure, i);
      g_autofree char *figure = weft_figure_text (found->value, WEFT_UNIT_NANOSECONDS, NULL);
      g_autofree char *usual = weft_figure_text (found->typical, WEFT_UNIT_NANOSECONDS, NULL);
      WeftReason *reason =
          add_reason (self, WEFT_REASON_PHASE, found->place,
                      g_strdup_printf ("%s in phase %s, typically %s", figure, found->name, usual));

      reason->value = found->value;
      reason->typical = found->typical;
      reason->distance = found->distance;
    }
  return figures != NULL;
}

/* ---- All of it ---- */

static int
compare_reasons (gconstpointer a, gconstpointer b)
{
  const WeftReason *reason_a = a;
  const WeftReason *reason_b = b;

  if (reason_a->outlier != reason_b->outlier)
    return reason_a->outlier < reason_b->outlier ? -1 : 1;
  if (reason_a->distance != reason_b->distance)
    return reason_a->distance > reason_b->distance ? -1 : 1;
  if (reason_a->kind != reason_b->kind)
    return reason_a->kind < reason_b->kind ? -1 : 1;
  if (reason_a->kind == WEFT_REASON_PHASE)
    return g_strcmp0 (reason_a->text, reason_b->text);
  return g_strcmp0 (reason_a->counter, reason_b->counter);
}

static void
add_routine (Search *self, guint32 id)
{
  Routine *routine;

  if (get_routine (self, id) != NULL)
    return;
  routine = g_new0 (Routine, 1);
  routine->stride = 1;
  routine->delays = g_array_new (FALSE, FALSE, sizeof (double));
  routine->nested = g_array_new (FALSE, FALSE, sizeof (double));
  routine->samples = g_array_new (FALSE, FALSE, sizeof (WeftOutlier));
  routine->sizes = g_array_new (FALSE, FALSE, sizeof (double));
  routine->values = g_array_new (FALSE, FALSE, sizeof (double));
  g_hash_table_insert (self->routines, GUINT_TO_POINTER (id), routine);
}

GArray *
weft_outlier_reasons_new (const WeftAnalysisScope *scope, GArray *outliers, GError **error)
{
  g_auto (Search) self = { .scope = scope, .outliers = outliers };
  GHashTableIter iter;
  gpointer routine;

  self.reasons = g_array_new (FALSE, FALSE, sizeof (WeftReason));
  g_array_set_clear_func (self.reasons, reason_clear);
  if (outliers->len == 0)
    return g_steal_pointer (&self.reasons);

  self.routines = g_hash_table_new_full (NULL, NULL, NULL, routine_free);
  self.places = g_hash_table_new (g_int64_hash, g_int64_equal);
  self.facts = g_new0 (Facts, outliers->len);
  for (guint i = 0; i < outliers->len; i++)
    {
      WeftOutlier *outlier = &g_array_index (outliers, WeftOutlier, i);

      add_routine (&self, outlier->routine);
      g_hash_table_insert (self.places, &outlier->id, GUINT_TO_POINTER (i + 1));
    }
  if (!read_dispatches (&self, error) || !read_attachments (&self, error) ||
      !find_concurrency (&self, error) || !compare_counters (&self, error) ||
      !compare_phases (&self, error))
    return NULL;
  g_hash_table_iter_init (&iter, self.routines);
  while (g_hash_table_iter_next (&iter, NULL, &routine))
    find_typicals (&self, routine);
  for (guint i = 0; i < outliers->len; i++)
    add_figures (&self, i);
  g_array_sort (self.reasons, compare_reasons);
  return g_steal_pointer (&self.reasons);
}
