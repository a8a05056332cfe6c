/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What was the case at a point in time. */

#include "weft-analysis-scope.h"
#include "weft-analyze.h"
#include "weft-answer.h"
#include "weft-enum-types.h"
#include "weft-row-scan.h"
#include "weft-thread-moment.h"

#include <string.h>

/* Work that runs, or was handed over and has not begun. */
typedef struct
{
  guint64 id; /* 0: not completed in the recording */
  guint32 lane;
  guint32 routine;
  gint64 submitted;
  gint64 start; /* not told where ID is 0 */
  gint64 end;
} Work;

typedef struct
{
  guint64 runtime;
  guint64 producer_id;
} Identity;

typedef struct
{
  guint32 id;
  guint32 lane;
  const char *name;
  guint32 unit;
  const char *unit_name;
  gboolean is_set;
  gint64 time;
  double value;
  GString *tags; /* or NULL */
} Gauge;

typedef struct
{
  const WeftAnalysisScope *scope;
  gint64 at;
  WeftCatalog *catalog;
  GArray *running;      /* element type Work */
  GArray *pending;      /* element type Work */
  GHashTable *reserved; /* Identity → place in PENDING + 1 */
  GArray *gauges;       /* element type Gauge, by id */
  guint64 n_completed;
  guint64 n_traces;
  guint64 n_warnings;
} State;

static guint
hash_identity (gconstpointer key)
{
  const Identity *identity = key;

  return g_int64_hash (&identity->producer_id) ^ (guint) identity->runtime;
}

static gboolean
equal_identities (gconstpointer a, gconstpointer b)
{
  return memcmp (a, b, sizeof (Identity)) == 0;
}

static void
gauge_clear (gpointer data)
{
  Gauge *gauge = data;

  if (gauge->tags != NULL)
    g_string_free (gauge->tags, TRUE);
}

static void
state_clear (State *self)
{
  g_clear_pointer (&self->catalog, weft_catalog_free);
  g_clear_pointer (&self->running, g_array_unref);
  g_clear_pointer (&self->pending, g_array_unref);
  g_clear_pointer (&self->reserved, g_hash_table_unref);
  g_clear_pointer (&self->gauges, g_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (State, state_clear)

/* ---- Dispatches ---- */

static void
take_reservation (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  State *self = data;
  Identity identity = { values[0], values[1] };
  Work work = { .lane = (guint32) values[2],
                .routine = (guint32) values[3],
                .submitted = (gint64) values[4] };

  if (work.submitted > self->at || g_hash_table_contains (self->reserved, &identity))
    return;
  g_array_append_val (self->pending, work);
  g_hash_table_insert (self->reserved, g_memdup2 (&identity, sizeof identity),
                       GUINT_TO_POINTER (self->pending->len));
}

/* A reservation that was completed later is known from its dispatch. */
static void
forget_reservation (State *self, guint32 lane, guint64 producer_id)
{
  const WeftCatalogLane *of = weft_catalog_get_lane (self->catalog, lane);
  Identity identity = { of == NULL ? 0 : of->runtime, producer_id };
  guint place = GPOINTER_TO_UINT (g_hash_table_lookup (self->reserved, &identity));

  if (place > 0)
    g_array_index (self->pending, Work, place - 1).lane = 0;
}

enum
{
  ID,
  LANE,
  ROUTINE,
  START,
  DURATION,
  SUBMITTED,
  PRODUCER_ID,
  N_COLUMNS
};

static void
take_dispatch (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  State *self = data;
  Work work = { .id = values[ID],
                .lane = (guint32) values[LANE],
                .routine = (guint32) values[ROUTINE],
                .submitted = (gint64) values[SUBMITTED],
                .start = (gint64) values[START] };

  work.end = weft_time_after (work.start, values[DURATION]);
  if (values[PRODUCER_ID] != 0 && g_hash_table_size (self->reserved) > 0)
    forget_reservation (self, work.lane, values[PRODUCER_ID]);
  if (work.end <= self->at)
    self->n_completed++;
  else if (work.start <= self->at)
    g_array_append_val (self->running, work);
  else if ((present >> SUBMITTED & 1) && work.submitted <= self->at)
    g_array_append_val (self->pending, work);
}

static int
compare_work (gconstpointer a, gconstpointer b)
{
  const Work *work_a = a;
  const Work *work_b = b;

  if (work_a->lane != work_b->lane)
    return work_a->lane < work_b->lane ? -1 : 1;
  if (work_a->submitted != work_b->submitted)
    return work_a->submitted < work_b->submitted ? -1 : 1;
  if (work_a->start != work_b->start)
    return work_a->start < work_b->start ? -1 : 1;
  return work_a->id < work_b->id ? -1 : work_a->id > work_b->id;
}

static int
compare_running (gconstpointer a, gconstpointer b)
{
  const Work *work_a = a;
  const Work *work_b = b;

  if (work_a->lane != work_b->lane)
    return work_a->lane < work_b->lane ? -1 : 1;
  if (work_a->start != work_b->start)
    return work_a->start < work_b->start ? -1 : 1;
  return work_a->id < work_b->id ? -1 : work_a->id > work_b->id;
}

/* Chunks of which all has ended are counted, unless what they reserved is asked for; those of which
 * nothing was even handed over are left out.
 */
static gboolean
skip_chunk (State *self, guint chunk)
{
  WeftAnalysisScope before = { .store = self->scope->store, .begin = G_MININT64, .end = self->at };
  WeftAnalysisScope after = { .store = self->scope->store, .begin = self->at, .end = G_MAXINT64 };
  WeftChunkInfo info;
  guint64 min, max;

  if (g_hash_table_size (self->reserved) > 0)
    return FALSE;
  if (after.begin < G_MAXINT64 && weft_scope_skips_chunk (&after, chunk))
    {
      weft_store_get_chunk (self->scope->store, WEFT_TABLE_DISPATCHES, chunk, &info);
      self->n_completed += info.n_rows;
      return TRUE;
    }
  before.end += before.end < G_MAXINT64;
  return weft_scope_skips_chunk (&before, chunk) &&
         !weft_store_get_zone (self->scope->store, WEFT_TABLE_DISPATCHES, chunk,
                               WEFT_DISPATCHES_SUBMITTED, &min, &max);
}

static gboolean
find_dispatches (State *self, GError **error)
{
  static const WeftColumnNumber dispatches[N_COLUMNS] = {
    [ID] = WEFT_DISPATCHES_ID,
    [LANE] = WEFT_DISPATCHES_LANE,
    [ROUTINE] = WEFT_DISPATCHES_ROUTINE,
    [START] = WEFT_DISPATCHES_START,
    [DURATION] = WEFT_DISPATCHES_DURATION,
    [SUBMITTED] = WEFT_DISPATCHES_SUBMITTED,
    [PRODUCER_ID] = WEFT_DISPATCHES_PRODUCER_ID,
  };
  WeftStore *store = self->scope->store;

  for (guint chunk = 0; chunk < weft_store_get_n_chunks (store, WEFT_TABLE_DISPATCHES); chunk++)
    if (g_cancellable_set_error_if_cancelled (self->scope->cancellable, error) ||
        (!skip_chunk (self, chunk) &&
         !weft_scan_chunk_rows (store, WEFT_TABLE_DISPATCHES, chunk, dispatches, N_COLUMNS,
                                take_dispatch, self, error)))
      return FALSE;
  return TRUE;
}

static gboolean
find_work (State *self, GError **error)
{
  static const WeftColumnNumber reservations[] = {
    WEFT_RESERVATIONS_RUNTIME, WEFT_RESERVATIONS_PRODUCER_ID, WEFT_RESERVATIONS_LANE,
    WEFT_RESERVATIONS_ROUTINE, WEFT_RESERVATIONS_SUBMITTED
  };

  if (!weft_scan_rows (self->scope->store, WEFT_TABLE_RESERVATIONS, reservations,
                       G_N_ELEMENTS (reservations), take_reservation, self,
                       self->scope->cancellable, error) ||
      !find_dispatches (self, error))
    return FALSE;
  for (guint i = self->pending->len; i-- > 0;)
    if (g_array_index (self->pending, Work, i).lane == 0)
      g_array_remove_index_fast (self->pending, i);
  g_array_sort (self->running, compare_running);
  g_array_sort (self->pending, compare_work);
  return TRUE;
}

/* ---- Gauges, traces, warnings ---- */

static void
take_metric (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  State *self = data;
  Gauge gauge = { .id = (guint32) number,
                  .lane = (guint32) values[0],
                  .name = weft_store_get_string (self->scope->store, (guint32) values[1]),
                  .unit = (guint32) values[3],
                  .unit_name = weft_store_get_string (self->scope->store, (guint32) values[4]) };

  if (values[2] == WEFT_METRIC_GAUGE)
    g_array_append_val (self->gauges, gauge);
}

static Gauge *
find_gauge (State *self, guint64 id)
{
  guint low = 0;
  guint high = self->gauges->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;
      Gauge *gauge = &g_array_index (self->gauges, Gauge, middle);

      if (gauge->id == id)
        return gauge;
      if (gauge->id < id)
        low = middle + 1;
      else
        high = middle;
    }
  return NULL;
}

static void
take_point (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  State *self = data;
  gint64 time = (gint64) values[1];
  Gauge *gauge;

  if (time > self->at)
    return;
  gauge = find_gauge (self, values[0]);
  if (gauge == NULL || (gauge->is_set && time < gauge->time))
    return;
  gauge->is_set = TRUE;
  gauge->time = time;
  gauge->value = weft_double_from_bits (values[2]);
}

static void
append_tag (GString *tags, WeftStore *store, guint64 type, guint64 text, guint64 bits)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];
  const char *string;

  switch (type)
    {
    case WEFT_NUMBER_UINT64:
      g_string_append_printf (tags, "%" G_GUINT64_FORMAT, bits);
      break;
    case WEFT_NUMBER_INT64:
      g_string_append_printf (tags, "%" G_GINT64_FORMAT, (gint64) bits);
      break;
    case WEFT_NUMBER_DOUBLE:
      g_string_append (
          tags, g_ascii_formatd (number, sizeof number, "%.15g", weft_double_from_bits (bits)));
      break;
    case WEFT_NUMBER_BOOLEAN:
      g_string_append (tags, bits ? "true" : "false");
      break;
    default:
      string = weft_store_get_string (store, (guint32) text);
      g_string_append (tags, string == NULL ? "" : string);
    }
}

static void
take_tag (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  State *self = data;
  const char *key = weft_store_get_string (self->scope->store, (guint32) values[2]);
  Gauge *gauge = values[0] == WEFT_TABLE_METRICS ? find_gauge (self, values[1]) : NULL;

  if (gauge == NULL || key == NULL)
    return;
  if (gauge->tags == NULL)
    gauge->tags = g_string_new (NULL);
  else
    g_string_append_c (gauge->tags, ' ');
  g_string_append_printf (gauge->tags, "%s=", key);
  append_tag (gauge->tags, self->scope->store, values[3], values[4], values[5]);
}

static void
take_trace (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  State *self = data;
  gint64 start = (gint64) values[0];

  if ((present & 1) && start <= self->at &&
      (!(present & 2) || weft_time_after (start, values[1]) > self->at))
    self->n_traces++;
}

static void
take_warning (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  State *self = data;

  self->n_warnings += (gint64) values[0] <= self->at;
}

static gboolean
find_rest (State *self, GError **error)
{
  static const WeftColumnNumber metrics[] = { WEFT_METRICS_LANE, WEFT_METRICS_NAME,
                                              WEFT_METRICS_KIND, WEFT_METRICS_UNIT,
                                              WEFT_METRICS_UNIT_NAME };
  static const WeftColumnNumber points[] = { WEFT_METRIC_POINTS_METRIC, WEFT_METRIC_POINTS_TIME,
                                             WEFT_METRIC_POINTS_VALUE };
  static const WeftColumnNumber tags[] = { WEFT_TAGS_OWNER_TABLE, WEFT_TAGS_OWNER, WEFT_TAGS_KEY,
                                           WEFT_TAGS_TYPE,        WEFT_TAGS_TEXT,  WEFT_TAGS_BITS };
  static const WeftColumnNumber traces[] = { WEFT_TRACES_START, WEFT_TRACES_DURATION };
  static const WeftColumnNumber warnings[] = { WEFT_WARNINGS_TIME };
  const struct
  {
    WeftTableId table;
    const WeftColumnNumber *columns;
    guint n_columns;
    WeftRowFunc take;
  } tables[] = {
    { WEFT_TABLE_METRICS, metrics, G_N_ELEMENTS (metrics), take_metric },
    { WEFT_TABLE_METRIC_POINTS, points, G_N_ELEMENTS (points), take_point },
    { WEFT_TABLE_TAGS, tags, G_N_ELEMENTS (tags), take_tag },
    { WEFT_TABLE_TRACES, traces, G_N_ELEMENTS (traces), take_trace },
    { WEFT_TABLE_WARNINGS, warnings, G_N_ELEMENTS (warnings), take_warning },
  };

  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    if (!weft_scan_rows (self->scope->store, tables[i].table, tables[i].columns,
                         tables[i].n_columns, tables[i].take, self, self->scope->cancellable,
                         error))
      return FALSE;
  return TRUE;
}

/* ---- Tables ---- */

static WeftTable *
make_state (State *self)
{
  static const WeftTableColumn columns[] = {
    { "at", NULL, WEFT_VALUE_TIME },
    { "running_dispatches", NULL, WEFT_VALUE_UINT64 },
    { "pending_dispatches", NULL, WEFT_VALUE_UINT64 },
    { "lanes_active", NULL, WEFT_VALUE_UINT64 },
    { "traces_open", NULL, WEFT_VALUE_UINT64 },
    { "warnings", NULL, WEFT_VALUE_UINT64 },
    { "completed", NULL, WEFT_VALUE_UINT64 },
  };
  WeftTableBuilder *builder = weft_table_builder_new ("state");
  guint n_lanes = 0;

  for (guint i = 0; i < self->running->len; i++)
    n_lanes += i == 0 || g_array_index (self->running, Work, i).lane !=
                             g_array_index (self->running, Work, i - 1).lane;
  weft_table_builder_add_columns (builder, columns, G_N_ELEMENTS (columns));
  weft_table_builder_begin_row (builder);
  weft_table_builder_set_int64 (builder, 0, self->at);
  weft_table_builder_set_uint64 (builder, 1, self->running->len);
  weft_table_builder_set_uint64 (builder, 2, self->pending->len);
  weft_table_builder_set_uint64 (builder, 3, n_lanes);
  weft_table_builder_set_uint64 (builder, 4, self->n_traces);
  weft_table_builder_set_uint64 (builder, 5, self->n_warnings);
  weft_table_builder_set_uint64 (builder, 6, self->n_completed);
  return weft_table_builder_finish (builder);
}

static WeftTable *
make_gauges (State *self)
{
  WeftTableBuilder *builder = weft_table_builder_new ("gauges");
  static const WeftTableColumn columns[] = {
    { "metric", NULL, WEFT_VALUE_ID, NULL, "m" }, { "name", NULL, WEFT_VALUE_STRING },
    { "lane", NULL, WEFT_VALUE_ID, NULL, "l" },   { "lane_name", NULL, WEFT_VALUE_STRING },
    { "tags", NULL, WEFT_VALUE_STRING },          { "value", NULL, WEFT_VALUE_DOUBLE },
    { "set_at", NULL, WEFT_VALUE_TIME },          { "unit", NULL, WEFT_VALUE_STRING },
  };

  weft_table_builder_add_columns (builder, columns, G_N_ELEMENTS (columns));
  for (guint i = 0; i < self->gauges->len; i++)
    {
      const Gauge *gauge = &g_array_index (self->gauges, Gauge, i);

      if (!gauge->is_set)
        continue;
      weft_table_builder_begin_row (builder);
      weft_table_builder_set_uint64 (builder, 0, gauge->id);
      weft_table_builder_set_string (builder, 1, gauge->name);
      weft_table_builder_set_uint64 (builder, 2, gauge->lane);
      weft_table_builder_set_string (builder, 3,
                                     weft_catalog_get_lane_name (self->catalog, gauge->lane));
      weft_table_builder_set_string (builder, 4, gauge->tags == NULL ? NULL : gauge->tags->str);
      weft_table_builder_set_double (builder, 5, gauge->value);
      weft_table_builder_set_int64 (builder, 6, gauge->time);
      weft_table_builder_set_string (builder, 7,
                                     weft_answer_get_unit (gauge->unit, gauge->unit_name));
    }
  return weft_table_builder_finish (builder);
}

static void
begin_work (State *self, WeftTableBuilder *builder, const Work *work)
{
  weft_table_builder_begin_row (builder);
  weft_table_builder_set_uint64 (builder, 0, work->id);
  weft_table_builder_set_uint64 (builder, 1, work->lane);
  weft_table_builder_set_string (builder, 2,
                                 weft_catalog_get_lane_name (self->catalog, work->lane));
  weft_table_builder_set_uint64 (builder, 3, work->routine);
  weft_table_builder_set_string (builder, 4,
                                 weft_catalog_get_routine_name (self->catalog, work->routine));
}

static const WeftTableColumn work_columns[] = {
  { "dispatch", NULL, WEFT_VALUE_ID, NULL, "d" }, { "lane", NULL, WEFT_VALUE_ID, NULL, "l" },
  { "lane_name", NULL, WEFT_VALUE_STRING },       { "routine", NULL, WEFT_VALUE_ID, NULL, "r" },
  { "routine_name", NULL, WEFT_VALUE_STRING },
};

static WeftTable *
make_running (State *self)
{
  static const WeftTableColumn columns[] = {
    { "start", NULL, WEFT_VALUE_TIME },
    { "age", NULL, WEFT_VALUE_DURATION },
    { "end", NULL, WEFT_VALUE_TIME },
  };
  WeftTableBuilder *builder = weft_table_builder_new ("running");

  weft_table_builder_add_columns (builder, work_columns, G_N_ELEMENTS (work_columns));
  weft_table_builder_add_columns (builder, columns, G_N_ELEMENTS (columns));
  for (guint i = 0; i < self->running->len; i++)
    {
      const Work *work = &g_array_index (self->running, Work, i);

      begin_work (self, builder, work);
      weft_table_builder_set_int64 (builder, 5, work->start);
      weft_table_builder_set_uint64 (builder, 6, (guint64) self->at - (guint64) work->start);
      weft_table_builder_set_int64 (builder, 7, work->end);
    }
  return weft_table_builder_finish (builder);
}

/* When what never completed begins is not known. */
static WeftTable *
make_pending (State *self)
{
  static const WeftTableColumn columns[] = {
    { "submitted", NULL, WEFT_VALUE_TIME },
    { "waiting", NULL, WEFT_VALUE_DURATION },
    { "start", NULL, WEFT_VALUE_TIME },
  };
  WeftTableBuilder *builder = weft_table_builder_new ("pending");

  weft_table_builder_add_columns (builder, work_columns, G_N_ELEMENTS (work_columns));
  weft_table_builder_add_columns (builder, columns, G_N_ELEMENTS (columns));
  for (guint i = 0; i < self->pending->len; i++)
    {
      const Work *work = &g_array_index (self->pending, Work, i);

      begin_work (self, builder, work);
      weft_table_builder_set_int64 (builder, 5, work->submitted);
      weft_table_builder_set_uint64 (builder, 6, (guint64) self->at - (guint64) work->submitted);
      if (work->id != 0)
        weft_table_builder_set_int64 (builder, 7, work->start);
    }
  return weft_table_builder_finish (builder);
}

static gboolean
run_state (const WeftAnalysisScope *scope, WeftReport *report, GError **error)
{
  g_auto (State) self = { .scope = scope };
  WeftTable *(*const make[]) (State *) = { make_state, make_gauges, make_running, make_pending };
  g_autoptr (WeftTable) threads = NULL;

  self.running = g_array_new (FALSE, FALSE, sizeof (Work));
  self.pending = g_array_new (FALSE, FALSE, sizeof (Work));
  self.reserved = g_hash_table_new_full (hash_identity, equal_identities, g_free, NULL);
  self.gauges = g_array_new (FALSE, FALSE, sizeof (Gauge));
  g_array_set_clear_func (self.gauges, gauge_clear);
  self.catalog = weft_catalog_new (scope->store, scope->cancellable, error);
  if (self.catalog == NULL || !weft_scope_find_time (scope, &self.at, error) ||
      !find_work (&self, error) || !find_rest (&self, error))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (make); i++)
    {
      g_autoptr (WeftTable) table = make[i](&self);

      weft_report_append (report, table);
    }
  if (!weft_thread_moment_read (scope, self.catalog, self.at, &threads, error))
    return FALSE;
  if (threads != NULL)
    weft_report_append (report, threads);
  return TRUE;
}

const WeftAnalysisKind weft_analyze_state = {
  .name = "state",
  .summary = "Gauges, what ran and what was pending, and what threads did, at a point in time",
  .run = run_state,
  .options = WEFT_ANALYSIS_OPTION_AT,
  .single = TRUE,
};
