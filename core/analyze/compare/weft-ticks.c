/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-ticks.h"

#include <math.h>
#include <string.h>

#include "weft-answer.h"
#include "weft-compare-parts.h"
#include "weft-dispatch-noise.h"
#include "weft-query.h"
#include "weft-typical.h"
#include "weft-vocabulary.h"

/* So many steps are told one by one. */
#define N_TOLD 20
/* Fewer common steps say nothing. */
#define MIN_COMMON 8

typedef struct
{
  gint64 number;
  double duration;
} Tick;

/* The steps of one loop in one recording, by their numbers, each number once. */
typedef struct
{
  char *kind;
  char *lane;
  WeftComparisonSide side;
  guint run; /* among those of its side */
  GArray *ticks;
} Loop;

/* The same loop in all recordings: those of its steps that all have. */
typedef struct
{
  GPtrArray *loops; /* Loop */
  GArray *numbers;  /* gint64 */
  double *before;   /* of each step: the median of side A, then of side B */
  double *after;
} Aligned;

struct _WeftTicks
{
  GPtrArray *loops;   /* Loop */
  GPtrArray *aligned; /* Aligned */
  guint n_runs[2];
};

static const WeftFigure duration = {
  "duration", "ns", WEFT_POLARITY_LOWER, WEFT_SCALE_RATIO, .01, .03, 1, FALSE
};

static void
loop_free (gpointer data)
{
  Loop *loop = data;

  g_free (loop->kind);
  g_free (loop->lane);
  g_array_unref (loop->ticks);
  g_free (loop);
}

static void
aligned_free (gpointer data)
{
  Aligned *aligned = data;

  g_ptr_array_unref (aligned->loops);
  g_array_unref (aligned->numbers);
  g_free (aligned->before);
  g_free (aligned->after);
  g_free (aligned);
}

WeftTicks *
weft_ticks_new (void)
{
  WeftTicks *self = g_new0 (WeftTicks, 1);

  self->loops = g_ptr_array_new_with_free_func (loop_free);
  self->aligned = g_ptr_array_new_with_free_func (aligned_free);
  return self;
}

void
weft_ticks_free (WeftTicks *self)
{
  g_ptr_array_unref (self->loops);
  g_ptr_array_unref (self->aligned);
  g_free (self);
}

/* ---- Reading ---- */

static int
compare_ticks (gconstpointer a, gconstpointer b)
{
  const Tick *left = a, *right = b;

  return left->number < right->number ? -1 : left->number > right->number;
}

/* A number that stands twice names no step: neither is taken. */
static void
keep_single (GArray *ticks)
{
  guint kept = 0;

  g_array_sort (ticks, compare_ticks);
  for (guint i = 0; i < ticks->len; i++)
    {
      const Tick tick = g_array_index (ticks, Tick, i);
      gboolean is_twin =
          (i > 0 && g_array_index (ticks, Tick, i - 1).number == tick.number) ||
          (i + 1 < ticks->len && g_array_index (ticks, Tick, i + 1).number == tick.number);

      if (is_twin)
        continue;
      g_array_index (ticks, Tick, kept++) = tick;
    }
  g_array_set_size (ticks, kept);
}

static Loop *
take_loop (WeftTicks *self, WeftComparisonSide side, const char *kind, const char *lane)
{
  Loop *loop;

  for (guint i = self->loops->len; i-- > 0;)
    {
      loop = g_ptr_array_index (self->loops, i);
      if (loop->side != side || loop->run != self->n_runs[side])
        break;
      if (strcmp (loop->kind, kind) == 0 && g_strcmp0 (loop->lane, lane) == 0)
        return loop;
    }
  loop = g_new0 (Loop, 1);
  *loop = (Loop){ g_strdup (kind), g_strdup (lane), side, self->n_runs[side],
                  g_array_new (FALSE, FALSE, sizeof (Tick)) };
  g_ptr_array_add (self->loops, loop);
  return loop;
}

static WeftTable *
ask (const WeftAnalysisScope *scope, const char *kind, const char *tag, GError **error)
{
  g_autofree char *text = g_strdup_printf ("kind:\"%s\"", kind);
  g_autofree char *number = g_strconcat ("tag:", tag, NULL);
  const char *const none[] = { NULL };
  const char *const selects[] = { number,      "number", "duration", "duration",
                                  "lane.name", "lane",   NULL };
  g_autoptr (WeftFilter) filter = weft_filter_new (text, error);
  g_autoptr (WeftFilter) both = NULL;
  WeftAnalysisScope narrowed = *scope;

  if (filter == NULL)
    return NULL;
  both = scope->filter ? weft_filter_and (scope->filter, filter) : weft_filter_ref (filter);
  narrowed.filter = both;
  return weft_compare_query (&narrowed, "dispatches", none, selects, error);
}

static gboolean
read_kind (WeftTicks *self, const WeftAnalysisScope *scope, WeftComparisonSide side,
           const char *kind, const char *tag, GError **error)
{
  g_autoptr (WeftTable) table = ask (scope, kind, tag, error);

  if (table == NULL)
    return FALSE;
  for (guint row = 0; row < weft_table_get_n_rows (table); row++)
    {
      g_autofree char *text = weft_table_get_text (table, 0, row);
      Tick tick = { 0, weft_compare_get_number (table, "duration", row) };

      if (!weft_table_is_null (table, 0, row) &&
          g_ascii_string_to_signed (text, 10, G_MININT64, G_MAXINT64, &tick.number, NULL))
        g_array_append_val (
            take_loop (self, side, kind, weft_compare_get_text (table, "lane", row))->ticks, tick);
    }
  return TRUE;
}

/* The kinds of the lanes that dispatches ran on. */
static gboolean
list_kinds (const WeftAnalysisScope *scope, GStrvBuilder *kinds, GError **error)
{
  static const char *const groups[] = { "kind", "kind", NULL };
  static const char *const selects[] = { "count", "count", NULL };
  WeftAnalysisScope whole = *scope;
  g_autoptr (WeftTable) table = NULL;

  whole.filter = NULL;
  table = weft_compare_query (&whole, "lanes", groups, selects, error);
  for (guint row = 0; table != NULL && row < weft_table_get_n_rows (table); row++)
    if (weft_table_get_string (table, 0, row) != NULL)
      g_strv_builder_add (kinds, weft_table_get_string (table, 0, row));
  return table != NULL;
}

gboolean
weft_ticks_read (WeftTicks *self, const WeftAnalysisScope *scope, WeftComparisonSide side,
                 GError **error)
{
  WeftVocabulary *words = weft_recording_get_vocabulary (scope->recording);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) kinds = NULL;
  guint first = self->loops->len;

  if (!list_kinds (scope, builder, error))
    return FALSE;
  kinds = g_strv_builder_end (builder);
  for (guint i = 0; kinds[i] != NULL; i++)
    {
      const char *tag = weft_vocabulary_get_word (words, kinds[i], "sequence", FALSE);

      if (strcmp (tag, "sequence") != 0 && strpbrk (kinds[i], "\"\\") == NULL &&
          !read_kind (self, scope, side, kinds[i], tag, error))
        return FALSE;
    }
  for (guint i = first; i < self->loops->len; i++)
    keep_single (((Loop *) g_ptr_array_index (self->loops, i))->ticks);
  self->n_runs[side]++;
  return TRUE;
}

/* ---- Aligning ---- */

static double
get_median (GPtrArray *loops, const guint *places, WeftComparisonSide side)
{
  g_autofree double *values = g_new (double, loops->len);
  guint n = 0;

  for (guint i = 0; i < loops->len; i++)
    {
      const Loop *loop = g_ptr_array_index (loops, i);

      if (loop->side == side)
        values[n++] = g_array_index (loop->ticks, Tick, places[i]).duration;
    }
  return weft_select_rank (values, n, n / 2);
}

/* Moves each place to the step NUMBER or the next one; whether all have it. */
static gboolean
find_step (GPtrArray *loops, guint *places, gint64 number)
{
  gboolean has_all = TRUE;

  for (guint i = 0; i < loops->len; i++)
    {
      GArray *ticks = ((Loop *) g_ptr_array_index (loops, i))->ticks;

      while (places[i] < ticks->len && g_array_index (ticks, Tick, places[i]).number < number)
        places[i]++;
      has_all = has_all && places[i] < ticks->len &&
                g_array_index (ticks, Tick, places[i]).number == number;
    }
  return has_all;
}

static Aligned *
align (GPtrArray *loops)
{
  Aligned *self = g_new0 (Aligned, 1);
  g_autofree guint *places = g_new0 (guint, loops->len);
  GArray *first = ((Loop *) g_ptr_array_index (loops, 0))->ticks;

  self->loops = g_ptr_array_ref (loops);
  self->numbers = g_array_new (FALSE, FALSE, sizeof (gint64));
  self->before = g_new (double, first->len + 1);
  self->after = g_new (double, first->len + 1);
  for (guint i = 0; i < first->len; i++)
    {
      gint64 number = g_array_index (first, Tick, i).number;

      if (!find_step (loops, places, number))
        continue;
      self->before[self->numbers->len] = get_median (loops, places, WEFT_COMPARISON_SIDE_A);
      self->after[self->numbers->len] = get_median (loops, places, WEFT_COMPARISON_SIDE_B);
      g_array_append_val (self->numbers, number);
    }
  return self;
}

/* The median of how much longer each step took than it does on side A. */
static void
observe_loop (const Aligned *self, const Loop *loop, double typical, WeftMeasures *measures)
{
  const WeftSubject subject = { "tick", loop->kind, loop->lane, NULL };
  guint n = self->numbers->len, place = 0;
  g_autofree double *ratios = g_new (double, n);
  WeftObservation seen = { 0, NAN, 1 };
  WeftMeasure *measure;

  for (guint i = 0; i < n; i++)
    {
      while (g_array_index (loop->ticks, Tick, place).number !=
             g_array_index (self->numbers, gint64, i))
        place++;
      ratios[i] =
          fmax (g_array_index (loop->ticks, Tick, place).duration, 1) / fmax (self->before[i], 1);
    }
  weft_noise_of_values (ratios, n, &seen);
  seen.value = typical * weft_select_rank (ratios, n, n / 2);
  measures->side = loop->side;
  measures->n_runs[loop->side] = loop->run;
  measure = weft_measures_observe (measures, &subject, &duration, &seen, n);
  measure->weight = fmax (measure->weight, seen.value * n);
}

static void
observe_aligned (const Aligned *self, WeftMeasures *measures)
{
  guint n = self->numbers->len;
  g_autofree double *copy = g_memdup2 (self->before, n * sizeof (double));
  double typical = weft_select_rank (copy, n, n / 2);

  for (guint i = 0; i < self->loops->len; i++)
    observe_loop (self, g_ptr_array_index (self->loops, i), typical, measures);
}

/* All loops of the same lane; NULL unless each recording has it. */
static GPtrArray *
collect_loops (WeftTicks *self, const Loop *first)
{
  g_autoptr (GPtrArray) loops = g_ptr_array_new ();

  for (guint i = 0; i < self->loops->len; i++)
    {
      Loop *loop = g_ptr_array_index (self->loops, i);

      if (strcmp (loop->kind, first->kind) == 0 && g_strcmp0 (loop->lane, first->lane) == 0)
        g_ptr_array_add (loops, loop);
    }
  return loops->len == self->n_runs[0] + self->n_runs[1] ? g_steal_pointer (&loops) : NULL;
}

void
weft_ticks_observe (WeftTicks *self, WeftMeasures *measures)
{
  for (guint i = 0; i < self->loops->len; i++)
    {
      const Loop *loop = g_ptr_array_index (self->loops, i);
      g_autoptr (GPtrArray) loops = loop->side == WEFT_COMPARISON_SIDE_A && loop->run == 0
                                        ? collect_loops (self, loop)
                                        : NULL;
      Aligned *aligned = loops != NULL ? align (loops) : NULL;

      if (aligned == NULL)
        continue;
      g_ptr_array_add (self->aligned, aligned);
      if (aligned->numbers->len >= MIN_COMMON)
        observe_aligned (aligned, measures);
    }
  measures->n_runs[0] = self->n_runs[0];
  measures->n_runs[1] = self->n_runs[1];
}

/* ---- Steps one by one ---- */

static int
compare_steps (gconstpointer a, gconstpointer b, gpointer data)
{
  const Aligned *self = data;
  guint left = *(const guint *) a, right = *(const guint *) b;
  double x = fabs (self->after[left] - self->before[left]);
  double y = fabs (self->after[right] - self->before[right]);

  if (x != y)
    return x > y ? -1 : 1;
  return left < right ? -1 : left > right;
}

static void
report_aligned (Aligned *self, WeftTableBuilder *builder)
{
  guint n = self->numbers->len;
  g_autofree guint *order = g_new (guint, n + 1);
  const Loop *loop = g_ptr_array_index (self->loops, 0);

  for (guint i = 0; i < n; i++)
    order[i] = i;
  g_qsort_with_data (order, (int) n, sizeof *order, compare_steps, self);
  for (guint i = 0; i < MIN (n, N_TOLD); i++)
    {
      double before = self->before[order[i]], after = self->after[order[i]];

      weft_table_builder_begin_row (builder);
      weft_table_builder_set_string (builder, 0, loop->kind);
      weft_table_builder_set_string (builder, 1, loop->lane);
      weft_table_builder_set_int64 (builder, 2, g_array_index (self->numbers, gint64, order[i]));
      weft_table_builder_set_double (builder, 3, before);
      weft_table_builder_set_double (builder, 4, after);
      weft_table_builder_set_double (builder, 5, after - before);
    }
}

void
weft_ticks_report (WeftTicks *self, WeftReport *report)
{
  static const WeftAnswerColumn columns[] = {
    WEFT_ANSWER_COLUMN ("kind", STRING),  WEFT_ANSWER_COLUMN ("lane", STRING),
    WEFT_ANSWER_COLUMN ("step", INT64),   WEFT_ANSWER_UNIT ("a", DOUBLE, "ns"),
    WEFT_ANSWER_UNIT ("b", DOUBLE, "ns"), WEFT_ANSWER_UNIT ("difference", DOUBLE, "ns"),
  };
  WeftTableBuilder *builder = weft_answer_begin_table ("ticks", columns, G_N_ELEMENTS (columns));

  for (guint i = 0; i < self->aligned->len; i++)
    report_aligned (g_ptr_array_index (self->aligned, i), builder);
  weft_answer_add_table (report, builder);
}
