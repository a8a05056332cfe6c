/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Routines: how often and how long they ran, where their source is, what was counted of them. */

#include "weft-analysis-scope.h"
#include "weft-analyze.h"
#include "weft-answer.h"
#include "weft-argument-rows.h"
#include "weft-counter-figures.h"
#include "weft-counter-names.h"
#include "weft-derived.h"
#include "weft-ranking.h"
#include "weft-row-table.h"
#include "weft-typical.h"
#include "weft-value-stats.h"

#include <string.h>

static const char *const orders[] = { "time", "count", "mean", "p95", "max", "errors", NULL };

enum
{
  HANDLE,
  NAME,
  LABEL,
  FLAVOUR,
  LANES,
  LANE_NAMES,
  SOURCE,
  SOURCE_PATH,
  FIRST_LINE,
  LAST_LINE,
  COUNT,
  TOTAL,
  MEAN,
  P95,
  MAX_DURATION,
  ERRORS,
  CANCELED,
  ATTACHMENTS,
  ROUTINE_WORD,
  N_COLUMNS
};

static const WeftAnswerColumn columns[N_COLUMNS] = {
  WEFT_ANSWER_ID ("routine", "r"),
  WEFT_ANSWER_COLUMN ("name", STRING),
  WEFT_ANSWER_COLUMN ("label", STRING),
  WEFT_ANSWER_COLUMN ("flavour", STRING),
  WEFT_ANSWER_UNIT ("lanes", UINT64, "count"),
  WEFT_ANSWER_COLUMN ("lane_names", STRING),
  WEFT_ANSWER_ID ("source", "src"),
  WEFT_ANSWER_COLUMN ("source_path", STRING),
  WEFT_ANSWER_COLUMN ("first_line", UINT64),
  WEFT_ANSWER_COLUMN ("last_line", UINT64),
  WEFT_ANSWER_UNIT ("count", UINT64, "count"),
  WEFT_ANSWER_COLUMN ("total", DURATION),
  WEFT_ANSWER_COLUMN ("mean", DURATION),
  WEFT_ANSWER_COLUMN ("p95", DURATION),
  WEFT_ANSWER_COLUMN ("max", DURATION),
  WEFT_ANSWER_UNIT ("errors", UINT64, "count"),
  WEFT_ANSWER_UNIT ("canceled", UINT64, "count"),
  WEFT_ANSWER_UNIT ("attachments", UINT64, "count"),
  WEFT_ANSWER_COLUMN ("routine_word", STRING),
};

typedef struct
{
  guint64 id;
  guint64 total; /* within the range */
  guint64 sum;   /* of whole durations, saturating */
  guint64 errors;
  guint64 canceled;
  guint64 attachments;
  GArray *durations; /* element type guint64; gone when P95 is known */
  guint64 n;
  guint64 p95;
  guint64 longest;
  GHashTable *seen; /* lanes */
  guint64 lane;     /* of the dispatch before */
  GArray *lanes;    /* element type guint64, each once, sorted when all is read */
} Routine;

typedef struct
{
  const WeftAnalysisScope *scope;
  Routine *near[1024];      /* those of small ids, once they were found */
  GHashTable *routines;     /* id → Routine */
  WeftSelection *selection; /* NULL: all */
  WeftRowTable *rows;
  WeftCatalog *catalog;
  WeftVocabulary *words;
} Routines;

static void
routine_free (gpointer data)
{
  Routine *routine = data;

  g_clear_pointer (&routine->durations, g_array_unref);
  g_hash_table_unref (routine->seen);
  g_array_unref (routine->lanes);
  g_free (routine);
}

static Routine *
get_routine (Routines *self, guint64 id)
{
  Routine *routine = id < G_N_ELEMENTS (self->near) ? self->near[id] : NULL;

  if (routine != NULL)
    return routine;
  routine = g_hash_table_lookup (self->routines, GSIZE_TO_POINTER (id));
  if (routine == NULL)
    {
      routine = g_new0 (Routine, 1);
      routine->id = id;
      routine->durations = g_array_new (FALSE, FALSE, sizeof (guint64));
      routine->seen = g_hash_table_new (NULL, NULL);
      routine->lanes = g_array_new (FALSE, FALSE, sizeof (guint64));
      g_hash_table_insert (self->routines, GSIZE_TO_POINTER (id), routine);
    }
  if (id < G_N_ELEMENTS (self->near))
    self->near[id] = routine;
  return routine;
}

/* Dispatches of one lane follow one another. */
static void
add_lane (Routine *routine, guint64 lane)
{
  if (routine->lanes->len > 0 && routine->lane == lane)
    return;
  routine->lane = lane;
  if (g_hash_table_add (routine->seen, GSIZE_TO_POINTER (lane)))
    g_array_append_val (routine->lanes, lane);
}

enum
{
  ID,
  START,
  DURATION,
  STATUS,
  ROUTINE,
  LANE,
  N_READ
};

static const WeftColumnNumber read_columns[N_READ] = {
  [ID] = WEFT_DISPATCHES_ID,
  [START] = WEFT_DISPATCHES_START,
  [DURATION] = WEFT_DISPATCHES_DURATION,
  [STATUS] = WEFT_DISPATCHES_STATUS,
  [ROUTINE] = WEFT_DISPATCHES_ROUTINE,
  [LANE] = WEFT_DISPATCHES_LANE,
};

static void
take_dispatches (const WeftStoreColumn *read, gpointer data)
{
  Routines *self = data;

  for (guint i = 0; i < read[START].n_rows; i++)
    {
      gint64 start = (gint64) weft_store_column_get (&read[START], i);
      guint64 duration = weft_store_column_get (&read[DURATION], i);
      guint64 status = weft_store_column_get (&read[STATUS], i);
      gint64 end = weft_time_after (start, duration);
      Routine *routine;

      if (!weft_selection_allows (self->selection, weft_store_column_get (&read[ID], i)) ||
          !weft_scope_overlaps (self->scope, start, end))
        continue;
      routine = get_routine (self, weft_store_column_get (&read[ROUTINE], i));
      routine->total += weft_scope_clip (self->scope, start, end);
      routine->sum = duration > G_MAXUINT64 - routine->sum ? G_MAXUINT64 : routine->sum + duration;
      routine->errors += status == WEFT_STATUS_ERROR;
      routine->canceled += status == WEFT_STATUS_CANCELED;
      routine->longest = MAX (routine->longest, duration);
      g_array_append_val (routine->durations, duration);
      add_lane (routine, weft_store_column_get (&read[LANE], i));
    }
}

static gboolean
count_attachments (Routines *self, GError **error)
{
  static const WeftColumnNumber numbers[] = { WEFT_DISPATCHES_ROUTINE, WEFT_DISPATCHES_START,
                                              WEFT_DISPATCHES_DURATION };
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_ATTACHMENTS);
  g_autoptr (WeftRowTable) dispatches = NULL;

  if (weft_store_get_n_rows (self->scope->store, WEFT_TABLE_ATTACHMENTS) == 0)
    return TRUE;
  dispatches = weft_row_table_new (self->scope, WEFT_TABLE_DISPATCHES, numbers,
                                   G_N_ELEMENTS (numbers), error);
  if (dispatches == NULL)
    return FALSE;
  while (weft_row_cursor_next (rows))
    {
      guint64 id = weft_row_cursor_get (rows, WEFT_ATTACHMENTS_DISPATCH);
      gint64 start = (gint64) weft_row_table_get (dispatches, WEFT_DISPATCHES_START, id);
      guint64 duration = weft_row_table_get (dispatches, WEFT_DISPATCHES_DURATION, id);

      if (weft_row_table_contains (dispatches, id) && weft_selection_allows (self->selection, id) &&
          weft_scope_overlaps (self->scope, start, weft_time_after (start, duration)))
        get_routine (self, weft_row_table_get (dispatches, WEFT_DISPATCHES_ROUTINE, id))
            ->attachments++;
    }
  return weft_row_cursor_finish (rows, error);
}

static int
compare_numbers (gconstpointer a, gconstpointer b)
{
  const guint64 left = *(const guint64 *) a;
  const guint64 right = *(const guint64 *) b;

  return left < right ? -1 : left > right;
}

static void
finish_routine (Routine *routine)
{
  GArray *durations = routine->durations;

  routine->n = durations->len;
  if (routine->n > 0)
    routine->p95 = weft_select_number ((guint64 *) (gpointer) durations->data, durations->len,
                                       (gsize) weft_nearest_rank (95, durations->len) - 1);
  g_clear_pointer (&routine->durations, g_array_unref);
  g_array_sort (routine->lanes, compare_numbers);
}

static gboolean
read_routines (Routines *self, GError **error)
{
  static const WeftColumnNumber numbers[] = {
    WEFT_ROUTINES_NAME,   WEFT_ROUTINES_LABEL,      WEFT_ROUTINES_FLAVOUR,
    WEFT_ROUTINES_SOURCE, WEFT_ROUTINES_FIRST_LINE, WEFT_ROUTINES_LAST_LINE,
  };
  GHashTableIter iter;
  gpointer routine;

  self->rows =
      weft_row_table_new (self->scope, WEFT_TABLE_ROUTINES, numbers, G_N_ELEMENTS (numbers), error);
  if (self->rows == NULL)
    return FALSE;
  /* Those that never ran are listed where nothing narrows the question. */
  for (guint64 i = 0; !weft_scope_has_range (self->scope) && self->selection == NULL &&
                      i < weft_row_table_get_n_rows (self->rows);
       i++)
    get_routine (self, weft_row_table_get_number (self->rows, i));
  if (!weft_scope_scan_dispatches (self->scope, read_columns, N_READ, take_dispatches, self,
                                   error) ||
      !count_attachments (self, error))
    return FALSE;
  g_hash_table_iter_init (&iter, self->routines);
  while (g_hash_table_iter_next (&iter, NULL, &routine))
    finish_routine (routine);
  return TRUE;
}

/* ---- Rows ---- */

static gint64
get_key (const Routine *routine, const char *order)
{
  guint64 n = routine->n;

  if (strcmp (order, "count") == 0)
    return weft_rank_key (n);
  if (strcmp (order, "mean") == 0)
    return n == 0 ? 0 : weft_rank_key (routine->sum / n);
  if (strcmp (order, "p95") == 0)
    return weft_rank_key (routine->p95);
  if (strcmp (order, "max") == 0)
    return weft_rank_key (routine->longest);
  if (strcmp (order, "errors") == 0)
    return weft_rank_key (routine->errors);
  return weft_rank_key (routine->total);
}

#define MAX_LANE_NAMES 8

static void
set_lanes (Routines *self, WeftTableBuilder *builder, const Routine *routine)
{
  g_autoptr (GString) names = g_string_new (NULL);

  weft_table_builder_set_uint64 (builder, LANES, routine->lanes->len);
  for (guint i = 0; i < MIN (routine->lanes->len, MAX_LANE_NAMES); i++)
    {
      const char *name = weft_catalog_get_lane_name (
          self->catalog, (guint32) g_array_index (routine->lanes, guint64, i));

      g_string_append_printf (names, "%s%s", i > 0 ? ", " : "", name ? name : "?");
    }
  if (routine->lanes->len > MAX_LANE_NAMES)
    g_string_append (names, ", …");
  weft_table_builder_set_string (builder, LANE_NAMES, names->len > 0 ? names->str : NULL);
}

/* Of the first lane that it ran on; NULL if it never ran. */
static const char *
get_kind (guint64 id, gpointer data)
{
  Routines *self = data;
  const Routine *routine = g_hash_table_lookup (self->routines, GSIZE_TO_POINTER (id));

  if (routine == NULL || routine->lanes->len == 0)
    return NULL;
  return weft_catalog_get_lane_kind (self->catalog,
                                     (guint32) g_array_index (routine->lanes, guint64, 0));
}

static void
set_source (Routines *self, WeftTableBuilder *builder, WeftRowCursor *sources, guint64 id)
{
  guint64 source = weft_row_table_get (self->rows, WEFT_ROUTINES_SOURCE, id);
  guint64 first = weft_row_table_get (self->rows, WEFT_ROUTINES_FIRST_LINE, id);

  weft_table_builder_set_uint64 (builder, SOURCE, source);
  if (source != 0 && weft_row_cursor_seek (sources, source))
    weft_answer_copy (builder, SOURCE_PATH, sources, WEFT_SOURCES_PATH);
  if (first == 0)
    return;
  weft_table_builder_set_uint64 (builder, FIRST_LINE, first);
  weft_table_builder_set_uint64 (builder, LAST_LINE,
                                 weft_row_table_get (self->rows, WEFT_ROUTINES_LAST_LINE, id));
}

static void
add_row (Routines *self, WeftTableBuilder *builder, WeftRowCursor *sources, const Routine *routine)
{
  guint64 n = routine->n;

  weft_table_builder_begin_row (builder);
  weft_table_builder_set_uint64 (builder, HANDLE, routine->id);
  weft_table_builder_set_string (
      builder, NAME, weft_row_table_get_string (self->rows, WEFT_ROUTINES_NAME, routine->id));
  weft_table_builder_set_string (
      builder, LABEL, weft_row_table_get_string (self->rows, WEFT_ROUTINES_LABEL, routine->id));
  weft_table_builder_set_string (
      builder, FLAVOUR, weft_row_table_get_string (self->rows, WEFT_ROUTINES_FLAVOUR, routine->id));
  set_lanes (self, builder, routine);
  set_source (self, builder, sources, routine->id);
  weft_table_builder_set_uint64 (builder, COUNT, n);
  weft_table_builder_set_uint64 (builder, TOTAL, routine->total);
  weft_table_builder_set_uint64 (builder, ERRORS, routine->errors);
  weft_table_builder_set_uint64 (builder, CANCELED, routine->canceled);
  weft_table_builder_set_uint64 (builder, ATTACHMENTS, routine->attachments);
  weft_table_builder_set_string (
      builder, ROUTINE_WORD,
      weft_vocabulary_get_word (self->words, get_kind (routine->id, self), "routine", FALSE));
  if (n == 0)
    return;
  weft_table_builder_set_uint64 (builder, MEAN, routine->sum / n);
  weft_table_builder_set_uint64 (builder, P95, routine->p95);
  weft_table_builder_set_uint64 (builder, MAX_DURATION, routine->longest);
}

static gboolean
list_routines (Routines *self, WeftReport *report, GHashTable *shown, GError **error)
{
  g_autoptr (WeftTableBuilder) builder =
      weft_answer_begin_table ("target-routines", columns, N_COLUMNS);
  g_autoptr (WeftRowCursor) sources = weft_row_cursor_new (self->scope, WEFT_TABLE_SOURCES);
  g_autoptr (WeftRanking) ranking = weft_ranking_new (self->scope, "target-routines", FALSE, error);
  GHashTableIter iter;
  gpointer routine;
  guint n_rows;

  if (ranking == NULL)
    return FALSE;
  g_hash_table_iter_init (&iter, self->routines);
  while (g_hash_table_iter_next (&iter, NULL, &routine))
    if (((Routine *) routine)->id != 0)
      weft_ranking_add (ranking, get_key (routine, self->scope->order_by),
                        ((Routine *) routine)->id, routine);
  n_rows = weft_ranking_finish (ranking);
  for (guint i = 0; i < n_rows; i++)
    {
      add_row (self, builder, sources, weft_ranking_get (ranking, i)->data);
      g_hash_table_add (shown, GSIZE_TO_POINTER (weft_ranking_get (ranking, i)->id));
    }
  weft_ranking_set_cursor (ranking, builder);
  if (weft_ranking_is_empty (ranking))
    {
      g_autofree char *hint = weft_scope_explain_nothing (self->scope);

      weft_table_builder_set_hint (builder, hint);
    }
  weft_answer_add_table (report, g_steal_pointer (&builder));
  return weft_row_cursor_finish (sources, error);
}

/* ---- Counters ---- */

enum
{
  OF_ROUTINE,
  OF_NAME,
  OF_COUNTER,
  OF_SAMPLES = OF_COUNTER + WEFT_ANSWER_N_COUNTER_COLUMNS,
  OF_ERRORS,
  OF_TOTAL,
  OF_MEAN,
  OF_PER_DISPATCH,
  N_COUNTER_COLUMNS
};

static const WeftAnswerColumn counter_columns[] = {
  WEFT_ANSWER_ID ("routine", "r"),
  WEFT_ANSWER_COLUMN ("name", STRING),
  WEFT_ANSWER_COUNTER_COLUMNS,
  WEFT_ANSWER_UNIT ("samples", UINT64, "count"),
  WEFT_ANSWER_UNIT ("errors", UINT64, "count"),
  WEFT_ANSWER_COLUMN ("total", DOUBLE),
  WEFT_ANSWER_COLUMN ("mean", DOUBLE),
  WEFT_ANSWER_COLUMN ("per_dispatch", DOUBLE),
};

static void
add_counter_row (Routines *self, WeftTableBuilder *builder, WeftCounterNames *names,
                 const WeftCounterFigures *figures)
{
  guint64 kind = weft_row_table_get (names->counters, WEFT_COUNTERS_KIND, figures->counter);

  weft_table_builder_begin_row (builder);
  weft_table_builder_set_uint64 (builder, OF_ROUTINE, figures->group);
  weft_table_builder_set_string (
      builder, OF_NAME, weft_row_table_get_string (self->rows, WEFT_ROUTINES_NAME, figures->group));
  weft_counter_names_set (names, builder, OF_COUNTER, figures->counter);
  weft_table_builder_set_uint64 (builder, OF_SAMPLES, figures->samples);
  weft_table_builder_set_uint64 (builder, OF_ERRORS, figures->errors);
  if (figures->stats.count == 0)
    return;
  weft_table_builder_set_double (builder, OF_MEAN, weft_value_stats_get_mean (&figures->stats));
  if (kind == WEFT_METRIC_GAUGE)
    return;
  weft_table_builder_set_double (builder, OF_TOTAL, figures->stats.sum);
  if (figures->dispatches > 0)
    weft_table_builder_set_double (builder, OF_PER_DISPATCH,
                                   figures->sum_of_dispatches / (double) figures->dispatches);
}

static gboolean
list_counters (Routines *self, WeftReport *report, GHashTable *shown, GError **error)
{
  g_autoptr (WeftTableBuilder) builder =
      weft_answer_begin_table ("counters", counter_columns, N_COUNTER_COLUMNS);
  g_autoptr (GArray) figures =
      weft_counter_figures_read (self->scope, self->selection, WEFT_COUNTERS_BY_ROUTINE, 0, error);
  g_auto (WeftCounterNames) names = { 0 };

  if (figures == NULL || !weft_counter_names_init (&names, self->scope, error))
    return FALSE;
  for (guint i = 0; i < figures->len; i++)
    {
      const WeftCounterFigures *one = &g_array_index (figures, WeftCounterFigures, i);

      if (g_hash_table_contains (shown, GSIZE_TO_POINTER (one->group)))
        add_counter_row (self, builder, &names, one);
    }
  weft_answer_add_table (report, g_steal_pointer (&builder));
  return TRUE;
}

/* ---- The kind ---- */

static gboolean
run (const WeftAnalysisScope *scope, WeftReport *report, GError **error)
{
  g_autoptr (GHashTable) shown = g_hash_table_new (NULL, NULL);
  Routines self = { .scope = scope };
  gint64 begin, end;
  gboolean good;

  if (!weft_scope_find_range (scope, &begin, &end, error))
    return FALSE;
  self.routines = g_hash_table_new_full (NULL, NULL, NULL, routine_free);
  self.words = weft_recording_get_vocabulary (scope->recording);
  good =
      weft_scope_select_dispatches (scope, &self.selection, error) &&
      (self.catalog = weft_catalog_new (scope->store, scope->cancellable, error)) != NULL &&
      read_routines (&self, error) && list_routines (&self, report, shown, error) &&
      list_counters (&self, report, shown, error) &&
      weft_argument_rows_add_table (scope, report, shown, error) &&
      weft_derived_add_table (scope, self.selection, WEFT_COUNTERS_BY_ROUTINE,
                              weft_report_get_main_table (report), get_kind, &self, report, error);
  g_hash_table_unref (self.routines);
  g_clear_pointer (&self.selection, weft_selection_free);
  g_clear_pointer (&self.rows, weft_row_table_free);
  g_clear_pointer (&self.catalog, weft_catalog_free);
  g_object_unref (self.words);
  return good;
}

const WeftAnalysisKind weft_analyze_routines = {
  .name = "target-routines",
  .summary = "Routines: how often and how long they ran, their source, what was counted",
  .run = run,
  .options = WEFT_ANALYSIS_OPTION_FILTER | WEFT_ANALYSIS_OPTION_RANGE | WEFT_ANALYSIS_OPTION_ORDER |
             WEFT_ANALYSIS_OPTION_LIMIT | WEFT_ANALYSIS_OPTION_CURSOR,
  .orders = orders,
  .default_limit = 100,
};
