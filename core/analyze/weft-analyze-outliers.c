/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Dispatches that took far longer than is usual for their routine, and what was different.
 *
 * What is usual is found from all dispatches of the routine in the recording, whatever the range
 * and the filter leave to be listed: see WeftTypical for median, scale and distance.
 */

#include "weft-analysis-scope.h"
#include "weft-analyze.h"
#include "weft-outlier-reasons.h"
#include "weft-ranking.h"

#include <string.h>

/* ns; clocks differ by that much. */
#define DURATION_FLOOR 50.0
#define DEFAULT_LIMIT 100

typedef struct
{
  GArray *durations; /* element type double, until TYPICAL is known */
  WeftTypical typical;
} Routine;

typedef struct
{
  const WeftAnalysisScope *scope;
  const WeftSelection *selection;
  GHashTable *routines; /* id → Routine */
  Routine *near[1024];  /* those of small ids, once they were found */
  guint32 last_id;
  Routine *last; /* the routine found last, or NULL */
  gboolean has_distribution;
  GArray *outliers; /* element type WeftOutlier */
} Outliers;

static void
routine_free (gpointer data)
{
  Routine *routine = data;

  g_clear_pointer (&routine->durations, g_array_unref);
  g_free (routine);
}

static Routine *
find_routine (Outliers *self, guint32 id)
{
  if (self->last == NULL || self->last_id != id)
    {
      self->last = id < G_N_ELEMENTS (self->near) ? self->near[id] : NULL;
      if (self->last == NULL)
        self->last = g_hash_table_lookup (self->routines, GUINT_TO_POINTER (id));
      if (id < G_N_ELEMENTS (self->near))
        self->near[id] = self->last;
      self->last_id = id;
    }
  return self->last;
}

/* ---- What is usual ---- */

static void
take_durations (const WeftStoreColumn *columns, gpointer data)
{
  Outliers *self = data;

  for (guint i = 0; i < columns[0].n_rows; i++)
    {
      guint32 id = (guint32) weft_store_column_get (&columns[0], i);
      double duration = (double) weft_store_column_get (&columns[1], i);
      Routine *routine = find_routine (self, id);

      /* What is of no routine has no distribution of its own. */
      if (id == 0)
        continue;
      if (routine == NULL)
        {
          routine = g_new0 (Routine, 1);
          routine->durations = g_array_new (FALSE, FALSE, sizeof (double));
          g_hash_table_insert (self->routines, GUINT_TO_POINTER (id), routine);
          self->last = routine;
        }
      g_array_append_val (routine->durations, duration);
    }
}

static gboolean
find_typicals (Outliers *self, GError **error)
{
  static const WeftColumnNumber columns[] = { WEFT_DISPATCHES_ROUTINE, WEFT_DISPATCHES_DURATION };
  GHashTableIter iter;
  gpointer value;

  if (!weft_scope_scan_dispatches (self->scope, columns, 2, take_durations, self, error))
    return FALSE;
  g_hash_table_iter_init (&iter, self->routines);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Routine *routine = value;

      weft_typical_init (&routine->typical, (double *) (gpointer) routine->durations->data,
                         routine->durations->len, DURATION_FLOOR);
      g_clear_pointer (&routine->durations, g_array_unref);
      self->has_distribution |= routine->typical.n >= WEFT_TYPICAL_MIN_VALUES;
    }
  return TRUE;
}

/* ---- What stands out ---- */

enum
{
  ID,
  LANE,
  ROUTINE,
  START,
  DURATION,
  DEPTH,
  N_COLUMNS
};

static void
take_rows (const WeftStoreColumn *columns, gpointer data)
{
  Outliers *self = data;

  for (guint i = 0; i < columns[ID].n_rows; i++)
    {
      guint64 duration = weft_store_column_get (&columns[DURATION], i);
      Routine *routine =
          find_routine (self, (guint32) weft_store_column_get (&columns[ROUTINE], i));
      WeftOutlier outlier;

      if (routine == NULL || routine->typical.n < WEFT_TYPICAL_MIN_VALUES)
        continue;
      outlier.distance = weft_typical_get_distance (&routine->typical, (double) duration);
      if (outlier.distance < WEFT_TYPICAL_DISTANCE)
        continue;
      outlier.id = weft_store_column_get (&columns[ID], i);
      outlier.lane = (guint32) weft_store_column_get (&columns[LANE], i);
      outlier.routine = self->last_id;
      outlier.depth = (guint32) weft_store_column_get (&columns[DEPTH], i);
      outlier.start = (gint64) weft_store_column_get (&columns[START], i);
      outlier.end = weft_time_after (outlier.start, duration);
      if (weft_scope_overlaps (self->scope, outlier.start, outlier.end) &&
          (self->selection == NULL || weft_selection_contains (self->selection, outlier.id)))
        g_array_append_val (self->outliers, outlier);
    }
}

static gboolean
find_outliers (Outliers *self, GError **error)
{
  static const WeftColumnNumber columns[N_COLUMNS] = {
    [ID] = WEFT_DISPATCHES_ID,
    [LANE] = WEFT_DISPATCHES_LANE,
    [ROUTINE] = WEFT_DISPATCHES_ROUTINE,
    [START] = WEFT_DISPATCHES_START,
    [DURATION] = WEFT_DISPATCHES_DURATION,
    [DEPTH] = WEFT_DISPATCHES_DEPTH,
  };

  return find_typicals (self, error) &&
         weft_scope_scan_dispatches (self->scope, columns, N_COLUMNS, take_rows, self, error);
}

static double
get_excess (Outliers *self, const WeftOutlier *outlier)
{
  return (double) ((guint64) outlier->end - (guint64) outlier->start) -
         find_routine (self, outlier->routine)->typical.median;
}

static gint64
get_key (Outliers *self, const WeftOutlier *outlier)
{
  /* To a thousandth of a scale; a time is its own key. */
  double key = outlier->distance * 1000.0;

  if (strcmp (self->scope->order_by, "duration") == 0)
    key = (double) ((guint64) outlier->end - (guint64) outlier->start);
  else if (strcmp (self->scope->order_by, "excess") == 0)
    key = get_excess (self, outlier);
  return (gint64) MIN (key, 9e18);
}

/* ---- Tables ---- */

static const WeftTableColumn outlier_columns[] = {
  { "dispatch", NULL, WEFT_VALUE_ID, NULL, "d" },
  { "lane", NULL, WEFT_VALUE_ID, NULL, "l" },
  { "lane_name", NULL, WEFT_VALUE_STRING },
  { "routine", NULL, WEFT_VALUE_ID, NULL, "r" },
  { "routine_name", NULL, WEFT_VALUE_STRING },
  { "start", NULL, WEFT_VALUE_TIME },
  { "duration", NULL, WEFT_VALUE_DURATION },
  { "typical", NULL, WEFT_VALUE_DURATION },
  { "excess", NULL, WEFT_VALUE_DURATION },
  { "distance", NULL, WEFT_VALUE_DOUBLE },
  { "why", NULL, WEFT_VALUE_STRING },
};

/* The texts of an outlier's reasons, from the first on. */
static char *
join_reasons (GArray *reasons, guint *first, guint outlier)
{
  GString *text = g_string_new (NULL);

  for (; *first < reasons->len; (*first)++)
    {
      const WeftReason *reason = &g_array_index (reasons, WeftReason, *first);

      if (reason->outlier != outlier)
        break;
      if (text->len > 0)
        g_string_append (text, "; ");
      g_string_append (text, reason->text);
    }
  if (text->len == 0)
    g_string_append (text, "nothing that was recorded tells why");
  return g_string_free (text, FALSE);
}

static void
write_outlier (Outliers *self, WeftCatalog *catalog, WeftTableBuilder *builder,
               const WeftOutlier *outlier, const char *why)
{
  double median = find_routine (self, outlier->routine)->typical.median;

  weft_table_builder_begin_row (builder);
  weft_table_builder_set_uint64 (builder, 0, outlier->id);
  weft_table_builder_set_uint64 (builder, 1, outlier->lane);
  weft_table_builder_set_string (builder, 2, weft_catalog_get_lane_name (catalog, outlier->lane));
  weft_table_builder_set_uint64 (builder, 3, outlier->routine);
  weft_table_builder_set_string (builder, 4,
                                 weft_catalog_get_routine_name (catalog, outlier->routine));
  weft_table_builder_set_int64 (builder, 5, outlier->start);
  weft_table_builder_set_uint64 (builder, 6, (guint64) outlier->end - (guint64) outlier->start);
  weft_table_builder_set_uint64 (builder, 7, (guint64) median);
  weft_table_builder_set_uint64 (builder, 8, (guint64) get_excess (self, outlier));
  weft_table_builder_set_double (builder, 9, outlier->distance);
  weft_table_builder_set_string (builder, 10, why);
}

static WeftTable *
make_reasons (GArray *outliers, GArray *reasons)
{
  static const WeftTableColumn columns[] = {
    { "dispatch", NULL, WEFT_VALUE_ID, NULL, "d" },
    { "reason", NULL, WEFT_VALUE_STRING },
    { "counter", NULL, WEFT_VALUE_STRING },
    { "value", NULL, WEFT_VALUE_DOUBLE },
    { "typical", NULL, WEFT_VALUE_DOUBLE },
    { "distance", NULL, WEFT_VALUE_DOUBLE },
    { "text", NULL, WEFT_VALUE_STRING },
  };
  WeftTableBuilder *builder = weft_table_builder_new ("reasons");

  weft_table_builder_add_columns (builder, columns, G_N_ELEMENTS (columns));
  for (guint i = 0; i < reasons->len; i++)
    {
      const WeftReason *reason = &g_array_index (reasons, WeftReason, i);

      weft_table_builder_begin_row (builder);
      weft_table_builder_set_uint64 (builder, 0,
                                     g_array_index (outliers, WeftOutlier, reason->outlier).id);
      weft_table_builder_set_string (builder, 1, weft_reason_get_name (reason->kind));
      weft_table_builder_set_string (builder, 2, reason->counter);
      if (reason->distance != 0)
        {
          weft_table_builder_set_double (builder, 3, reason->value);
          weft_table_builder_set_double (builder, 4, reason->typical);
          weft_table_builder_set_double (builder, 5, reason->distance);
        }
      else if (reason->kind == WEFT_REASON_ATTEMPTS)
        weft_table_builder_set_double (builder, 3, reason->value);
      weft_table_builder_set_string (builder, 6, reason->text);
    }
  return weft_table_builder_finish (builder);
}

/* Why there is none: there are too few dispatches, or none is far from the others. */
static void
set_hint (Outliers *self, WeftTableBuilder *builder)
{
  g_autofree char *hint = NULL;

  if (g_hash_table_size (self->routines) == 0 ||
      (self->selection != NULL && weft_selection_get_n_dispatches (self->selection) == 0))
    {
      weft_scope_set_nothing (self->scope, builder);
      return;
    }
  if (self->has_distribution)
    hint = g_strdup_printf ("No dispatch took far longer than is usual for its routine (%g times "
                            "the spread of the others)",
                            WEFT_TYPICAL_DISTANCE);
  else
    hint = g_strdup_printf ("What is usual of a routine is known from %d dispatches on, and none "
                            "ran as often",
                            WEFT_TYPICAL_MIN_VALUES);
  weft_table_builder_set_hint (builder, hint);
}

static WeftTable *
make_outliers (Outliers *self, GArray *page, GArray *reasons, WeftRanking *ranking, GError **error)
{
  g_autoptr (WeftTableBuilder) builder = weft_table_builder_new ("target-outliers");
  g_autoptr (WeftCatalog) catalog =
      weft_catalog_new (self->scope->store, self->scope->cancellable, error);
  guint reason = 0;

  if (catalog == NULL)
    return NULL;
  weft_table_builder_add_columns (builder, outlier_columns, G_N_ELEMENTS (outlier_columns));
  for (guint i = 0; i < page->len; i++)
    {
      g_autofree char *why = join_reasons (reasons, &reason, i);

      write_outlier (self, catalog, builder, &g_array_index (page, WeftOutlier, i), why);
    }
  weft_ranking_set_cursor (ranking, builder);
  if (self->outliers->len == 0)
    set_hint (self, builder);
  return weft_table_builder_finish (g_steal_pointer (&builder));
}

static gboolean
report_outliers (Outliers *self, WeftRanking *ranking, WeftReport *report, GError **error)
{
  g_autoptr (GArray) page = g_array_new (FALSE, FALSE, sizeof (WeftOutlier));
  g_autoptr (GArray) reasons = NULL;
  g_autoptr (WeftTable) outliers = NULL;
  g_autoptr (WeftTable) reason_table = NULL;
  guint n;

  for (guint i = 0; i < self->outliers->len; i++)
    {
      WeftOutlier *outlier = &g_array_index (self->outliers, WeftOutlier, i);

      weft_ranking_add (ranking, get_key (self, outlier), outlier->id, outlier);
    }
  n = weft_ranking_finish (ranking);
  for (guint i = 0; i < n; i++)
    g_array_append_vals (page, weft_ranking_get (ranking, i)->data, 1);
  reasons = weft_outlier_reasons_new (self->scope, page, error);
  outliers = reasons == NULL ? NULL : make_outliers (self, page, reasons, ranking, error);
  if (outliers == NULL)
    return FALSE;
  reason_table = make_reasons (page, reasons);
  weft_report_append (report, outliers);
  weft_report_append (report, reason_table);
  return TRUE;
}

static gboolean
run_outliers (const WeftAnalysisScope *scope, WeftReport *report, GError **error)
{
  g_autoptr (WeftSelection) selection = NULL;
  g_autoptr (WeftRanking) ranking = NULL;
  g_autoptr (GHashTable) routines = g_hash_table_new_full (NULL, NULL, NULL, routine_free);
  g_autoptr (GArray) outliers = g_array_new (FALSE, FALSE, sizeof (WeftOutlier));
  Outliers self = { .scope = scope, .routines = routines, .outliers = outliers };
  gint64 begin, end;

  if (!weft_scope_find_range (scope, &begin, &end, error) ||
      !weft_scope_select_dispatches (scope, &selection, error))
    return FALSE;
  self.selection = selection;
  ranking = weft_ranking_new (scope, "target-outliers", FALSE, error);
  return ranking != NULL && find_outliers (&self, error) &&
         report_outliers (&self, ranking, report, error);
}

static const char *const orders[] = { "distance", "duration", "excess", NULL };

const WeftAnalysisKind weft_analyze_outliers = {
  .name = "target-outliers",
  .summary = "Dispatches that took far longer than is usual for their routine, and why",
  .run = run_outliers,
  .options = WEFT_ANALYSIS_OPTION_FILTER | WEFT_ANALYSIS_OPTION_RANGE | WEFT_ANALYSIS_OPTION_ORDER |
             WEFT_ANALYSIS_OPTION_LIMIT | WEFT_ANALYSIS_OPTION_CURSOR,
  .orders = orders,
  .default_limit = DEFAULT_LIMIT,
};
