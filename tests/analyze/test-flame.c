/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sample.h"

#include <string.h>

#define COLUMNS "depth parent kind name process lane routine count total self errors time_kind"

/* Lane 1: work 0–100 holds inner 10–30 and inner 40–90, which holds leaf 50–60. Lane 2, of another
 * kind: work 0–50, and inner 20–70 whose scope is not known. */
static Sample *
make_spans (void)
{
  Sample *sample = sample_new ();

  sample_lane (sample, "queue", "test.queue", 0);
  sample_lane (sample, "pool", "test.pool", 0);
  sample_routine (sample, "work");
  sample_routine (sample, "inner");
  sample_routine (sample, "leaf");
  sample_span (sample, 1, 2, 10, 20, 2, 0);
  sample_span (sample, 1, 3, 50, 10, 3, 0);
  sample_span (sample, 1, 2, 40, 50, 2, 10);
  sample_span (sample, 1, 1, 0, 100, 1, 70);
  sample_span (sample, 2, 1, 0, 50, 1, 0);
  sample_begin (sample, 2, 2, 20, 50);
  model_set (sample->model, WEFT_DISPATCHES_THREAD, 1);
  model_set (sample->model, WEFT_DISPATCHES_STATUS, WEFT_STATUS_ERROR);
  model_commit (sample->model);
  return sample;
}

static void
test_tree (void)
{
  g_autoptr (Sample) sample = make_spans ();
  g_autoptr (WeftReport) report = sample_run (sample_analysis (sample, "flame"));

  sample_assert_table (weft_report_get_main_table (report), COLUMNS,
                       "0 - all all - - - 6 200 0 1 target\n"
                       "1 0 lane queue - l-1 - 4 100 0 0 target\n"
                       "2 1 span work - l-1 r-1 1 100 30 0 target\n"
                       "3 2 span inner - l-1 r-2 2 70 60 0 target\n"
                       "4 3 span leaf - l-1 r-3 1 10 10 0 target\n"
                       "1 0 lane pool - l-2 - 2 100 0 1 target\n"
                       "2 5 span work - l-2 r-1 1 50 50 0 target\n"
                       "2 5 span inner - l-2 r-2 1 50 50 1 target\n");
}

static void
test_groups (void)
{
  g_autoptr (Sample) sample = make_spans ();
  g_autoptr (GError) error = NULL;
  WeftAnalysis *analysis = sample_analysis (sample, "flame");
  g_autoptr (WeftReport) processes = NULL;
  g_autoptr (WeftReport) kinds = NULL;

  g_assert_true (weft_analysis_set_group_by (analysis, "process", &error));
  processes = sample_run (analysis);
  sample_assert_table (weft_report_get_main_table (processes),
                       "depth parent kind name process lane total",
                       "0 - all all - - 200\n"
                       "1 0 process program p-1 - 200\n"
                       "2 1 lane queue - l-1 100\n"
                       "3 2 span work - l-1 100\n"
                       "4 3 span inner - l-1 70\n"
                       "5 4 span leaf - l-1 10\n"
                       "2 1 lane pool - l-2 100\n"
                       "3 6 span work - l-2 50\n"
                       "3 6 span inner - l-2 50\n");

  analysis = sample_analysis (sample, "flame");
  g_assert_true (weft_analysis_set_group_by (analysis, "kind", &error));
  kinds = sample_run (analysis);
  sample_assert_table (weft_report_get_main_table (kinds), "depth parent kind name lane total",
                       "0 - all all - 200\n"
                       "1 0 kind test.queue - 100\n"
                       "2 1 lane queue l-1 100\n"
                       "3 2 span work l-1 100\n"
                       "4 3 span inner l-1 70\n"
                       "5 4 span leaf l-1 10\n"
                       "1 0 kind test.pool - 100\n"
                       "2 6 lane pool l-2 100\n"
                       "3 7 span work l-2 50\n"
                       "3 7 span inner l-2 50\n");
}

static void
test_range (void)
{
  g_autoptr (Sample) sample = make_spans ();
  WeftAnalysis *analysis = sample_analysis (sample, "flame");
  g_autoptr (WeftReport) report = NULL;

  weft_analysis_set_range (analysis, 20, 55);
  report = sample_run (analysis);
  sample_assert_table (weft_report_get_main_table (report), "depth kind name count total self",
                       "0 all all 6 100 0\n"
                       "1 lane pool 2 65 0\n"
                       "2 span inner 1 35 35\n"
                       "2 span work 1 30 30\n"
                       "1 lane queue 4 35 0\n"
                       "2 span work 1 35 10\n"
                       "3 span inner 2 25 20\n"
                       "4 span leaf 1 5 5\n");
}

/* What begins when something ends, or takes no time at all, is in nothing that it is not in. */
static void
test_same_times (void)
{
  g_autoptr (Sample) sample = sample_new ();
  g_autoptr (WeftReport) report = NULL;

  sample_lane (sample, "lane", "x", 0);
  sample_routine (sample, "a");
  sample_routine (sample, "b");
  sample_routine (sample, "c");
  sample_span (sample, 1, 2, 0, 20, 2, 0);
  sample_span (sample, 1, 1, 0, 20, 1, 20);
  sample_span (sample, 1, 3, 20, 0, 1, 0);
  sample_span (sample, 1, 2, 20, 10, 2, 0);
  sample_span (sample, 1, 1, 20, 10, 1, 10);
  report = sample_run (sample_analysis (sample, "flame"));
  sample_assert_table (weft_report_get_main_table (report), "depth name count total self",
                       "0 all 5 30 0\n"
                       "1 lane 5 30 0\n"
                       "2 a 2 30 0\n"
                       "3 b 2 30 30\n"
                       "2 c 1 0 0\n");
}

static void
test_nothing (void)
{
  g_autoptr (Sample) sample = sample_new ();
  g_autoptr (WeftReport) report = NULL;
  WeftTable *table;

  sample_lane (sample, "idle", "x", 0);
  report = sample_run (sample_analysis (sample, "flame"));
  table = weft_report_get_main_table (report);
  g_assert_cmpuint (weft_table_get_n_rows (table), ==, 0);
  g_assert_nonnull (strstr (weft_table_get_hint (table), "nothing was completed"));
}

/* ---- Against a naive computation ---- */

typedef struct
{
  guint lane;
  guint routine;
  guint thread;
  guint depth;
  gint64 start;
  gint64 end;
  guint parent; /* place + 1, or 0 */
} Span;

typedef struct
{
  Sample *sample;
  GRand *rand;
  GArray *spans;
  guint thread;
} Growth;

/* Inner ones are written first, as they arrive. */
static guint64
grow (Growth *self, gint64 start, gint64 end, guint depth, guint parent, guint lane)
{
  Span span = { .lane = lane,
                .routine = (guint) g_rand_int_range (self->rand, 1, 4),
                .thread = self->thread,
                .depth = depth,
                .start = start,
                .end = end,
                .parent = parent };
  guint place = self->spans->len;
  guint64 inner = 0;
  gint64 at = start;

  g_array_append_val (self->spans, span);
  while (depth < 6 && end - at > 10)
    {
      gint64 from = at + g_rand_int_range (self->rand, 0, (gint32) (end - at) / 2 + 1);
      gint64 to = from + g_rand_int_range (self->rand, 1, (gint32) (end - from) + 1);

      inner += grow (self, from, to, depth + 1, place + 1, lane);
      at = to;
    }
  sample_begin (self->sample, lane, span.routine, start, (guint64) (end - start));
  model_set (self->sample->model, WEFT_DISPATCHES_THREAD, self->thread);
  model_set (self->sample->model, WEFT_DISPATCHES_DEPTH, depth);
  model_set (self->sample->model, WEFT_DISPATCHES_CHILD_TIME, inner);
  model_commit (self->sample->model);
  return (guint64) (end - start);
}

typedef struct
{
  guint64 count;
  gint64 total;
  gint64 self;
} Figures;

static char *
get_path (GArray *spans, guint place)
{
  const Span *span = &g_array_index (spans, Span, place);
  g_autofree char *outer = span->parent > 0 ? get_path (spans, span->parent - 1)
                                            : g_strdup_printf ("lane-%u", span->lane);

  return g_strdup_printf ("%s/routine-%u", outer, span->routine);
}

static Figures *
get_figures (GHashTable *paths, const char *path)
{
  Figures *figures = g_hash_table_lookup (paths, path);

  if (figures == NULL)
    {
      figures = g_new0 (Figures, 1);
      g_hash_table_insert (paths, g_strdup (path), figures);
    }
  return figures;
}

static GHashTable *
compute (GArray *spans, gint64 begin, gint64 end)
{
  GHashTable *paths = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);

  for (guint i = 0; i < spans->len; i++)
    {
      const Span *span = &g_array_index (spans, Span, i);
      g_autofree char *path = get_path (spans, i);
      gint64 time = MIN (span->end, end) - MAX (span->start, begin);
      Figures *figures;

      if (span->start >= end || span->end < begin || (span->end == begin && span->start < begin))
        continue;
      figures = get_figures (paths, path);
      figures->count++;
      figures->total += time;
      figures->self += time;
      if (span->parent > 0)
        {
          g_autofree char *outer = get_path (spans, span->parent - 1);

          get_figures (paths, outer)->self -= time;
        }
    }
  return paths;
}

static void
compare (WeftTable *table, GHashTable *paths)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  guint n_spans = 0;

  for (guint row = 0; row < weft_table_get_n_rows (table); row++)
    {
      const char *kind =
          weft_table_get_string (table, (guint) weft_table_find_column (table, "kind"), row);
      const char *name =
          weft_table_get_string (table, (guint) weft_table_find_column (table, "name"), row);
      guint parent = (guint) weft_table_get_uint64 (
          table, (guint) weft_table_find_column (table, "parent"), row);
      const Figures *figures;

      if (strcmp (kind, "span") != 0)
        {
          g_ptr_array_add (names, g_strdup (name));
          continue;
        }
      g_ptr_array_add (names,
                       g_strdup_printf ("%s/%s", (char *) g_ptr_array_index (names, parent), name));
      figures = g_hash_table_lookup (paths, g_ptr_array_index (names, row));
      g_assert_nonnull (figures);
      n_spans++;
      g_assert_cmpuint (
          weft_table_get_uint64 (table, (guint) weft_table_find_column (table, "count"), row), ==,
          figures->count);
      g_assert_cmpint (
          weft_table_get_int64 (table, (guint) weft_table_find_column (table, "total"), row), ==,
          figures->total);
      g_assert_cmpint (
          weft_table_get_int64 (table, (guint) weft_table_find_column (table, "self"), row), ==,
          figures->self);
    }
  g_assert_cmpuint (n_spans, ==, g_hash_table_size (paths));
}

static void
test_brute_force (void)
{
  g_autoptr (Sample) sample = sample_new ();
  g_autoptr (GRand) rand = g_rand_new_with_seed (11);
  g_autoptr (GArray) spans = g_array_new (FALSE, FALSE, sizeof (Span));
  Growth growth = { sample, rand, spans, 0 };
  const gint64 ranges[][2] = { { G_MININT64, G_MAXINT64 }, { 3000, 3333 }, { 0, 70000 } };

  for (guint i = 1; i < 4; i++)
    {
      g_autofree char *lane = g_strdup_printf ("lane-%u", i);
      g_autofree char *routine = g_strdup_printf ("routine-%u", i);

      sample_lane (sample, lane, "x", 0);
      sample_routine (sample, routine);
      sample_thread (sample, 200 + i, "worker");
    }
  for (guint i = 0; i < 600; i++)
    {
      gint64 start = i / 3 * 500 + g_rand_int_range (rand, 0, 10);

      growth.thread = 1 + i % 3;
      grow (&growth, start, start + g_rand_int_range (rand, 1, 480), 1, 0,
            1 + (guint) g_rand_int_range (rand, 0, 3));
    }
  g_assert_cmpuint (spans->len, >, 3000);

  for (guint i = 0; i < G_N_ELEMENTS (ranges); i++)
    {
      g_autoptr (GHashTable) paths = compute (spans, ranges[i][0], ranges[i][1]);
      WeftAnalysis *analysis = sample_analysis (sample, "flame");
      g_autoptr (WeftReport) report = NULL;

      weft_analysis_set_range (analysis, ranges[i][0], ranges[i][1]);
      report = sample_run (analysis);
      compare (weft_report_get_main_table (report), paths);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/analyze/flame/tree", test_tree);
  g_test_add_func ("/analyze/flame/groups", test_groups);
  g_test_add_func ("/analyze/flame/range", test_range);
  g_test_add_func ("/analyze/flame/same-times", test_same_times);
  g_test_add_func ("/analyze/flame/nothing", test_nothing);
  g_test_add_func ("/analyze/flame/brute-force", test_brute_force);
  return g_test_run ();
}
