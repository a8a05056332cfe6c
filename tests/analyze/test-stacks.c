/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Looks inside: stacks, their names and sums by function, compared with counting stack by stack.
 * The rows are made up.
 */

#include "cpu-rows.h"
#include "weft-stack-walk.h"

#include <string.h>

typedef struct
{
  char *directory;
  Model *model;
  WeftStore *store;
  WeftAnalysisScope scope;
  WeftCatalog *catalog;
  WeftCallchainReader *callchains;
  WeftFrameNames *names;
} Fixture;

static void
fixture_begin (Fixture *self)
{
  *self = (Fixture){ 0 };
  self->directory = model_directory_new ();
  self->model = model_new (self->directory, &(WeftStoreOptions){ .flush_interval_ms = 60000 });
}

static void
fixture_open (Fixture *self)
{
  g_autoptr (GError) error = NULL;

  self->store = model_close (self->model);
  self->scope = (WeftAnalysisScope){ .store = self->store, .begin = G_MININT64, .end = G_MAXINT64 };
  self->catalog = weft_catalog_new (self->store, NULL, &error);
  g_assert_no_error (error);
  self->callchains = weft_callchain_reader_new (&self->scope, &error);
  g_assert_no_error (error);
}

static void
fixture_name (Fixture *self, const WeftFrameNamesOptions *options)
{
  g_autoptr (GError) error = NULL;

  g_clear_pointer (&self->names, weft_frame_names_free);
  self->names = weft_frame_names_new (&self->scope, self->callchains, options, &error);
  g_assert_no_error (error);
}

static void
fixture_end (Fixture *self)
{
  g_clear_pointer (&self->names, weft_frame_names_free);
  g_clear_pointer (&self->callchains, weft_callchain_reader_free);
  g_clear_pointer (&self->catalog, weft_catalog_free);
  weft_store_unref (self->store);
  model_free (self->model);
  model_directory_free (self->directory);
}

static void
assert_stack (Fixture *self, guint64 callchain, guint max, const char *expected)
{
  g_autofree char *text = weft_frame_names_describe_stack (
      self->names, self->callchains, weft_callchain_reader_find (self->callchains, callchain), max);

  g_assert_cmpstr (text, ==, expected);
}

/* ---- By hand ---- */

static void
test_names (void)
{
  Fixture f;
  guint64 program, kernel, frames[6], chain;
  const char *excluded[] = { "in*", NULL };

  fixture_begin (&f);
  program = cpu_module (f.model, "program", WEFT_MODULE_KIND_FILE);
  kernel = cpu_module (f.model, NULL, WEFT_MODULE_KIND_KERNEL);
  frames[0] = cpu_named_frame (f.model, program, 0x10, "main", 5);
  frames[1] = cpu_frame (f.model, program, 0x20, 1);
  frames[2] = cpu_frame (f.model, program, 0x1a2f, 1); /* without a name */
  frames[3] = cpu_frame (f.model, kernel, 0x40, 2);
  frames[4] = cpu_frame (f.model, 0, 0x7f00, 0);
  /* What was told first does not count any more; what comes out of order never does. */
  cpu_frame_symbol (f.model, frames[1], 0, cpu_symbol (f.model, program, "old"), NULL, 0);
  cpu_frame_symbol (f.model, frames[1], 0, cpu_symbol (f.model, program, "outer"), "o.c", 7);
  cpu_frame_symbol (f.model, frames[3], 0, cpu_symbol (f.model, kernel, "sys_read"), NULL, 0);
  cpu_frame_symbol (f.model, frames[1], 1, cpu_symbol (f.model, program, "in1"), "i.c", 8);
  cpu_frame_symbol (f.model, frames[1], 3, cpu_symbol (f.model, program, "in3"), "i.c", 8);
  cpu_frame_symbol (f.model, frames[1], 2, cpu_symbol (f.model, program, "in2"), "i.c", 9);
  cpu_frame_symbol (f.model, 77, 0, 1, NULL, 0);
  cpu_frame_symbol (f.model, frames[0], 1, 4711, NULL, 0);
  chain = 0;
  for (guint i = 0; i < 5; i++)
    chain = cpu_callchain (f.model, chain, frames[i]);
  fixture_open (&f);

  fixture_name (&f, &(WeftFrameNamesOptions){ .inlines = TRUE });
  assert_stack (&f, chain, 10, "0x7f00 ← sys_read [k] ← program+0x1a2f ← in2 ← in1 ← outer ← main");
  assert_stack (&f, chain, 2, "0x7f00 ← sys_read [k] ← …");
  assert_stack (&f, 0, 2, NULL);
  assert_stack (&f, 99, 2, NULL);
  /* 4 is in the kernel, 5 is not. */
  g_assert_cmpuint (weft_frame_names_leave_kernel (f.names, f.callchains, 4), ==, 3);
  g_assert_cmpuint (weft_frame_names_leave_kernel (f.names, f.callchains, 5), ==, 5);
  g_assert_cmpuint (weft_frame_names_leave_kernel (f.names, f.callchains, 0), ==, 0);
  g_assert_true (weft_frame_names_is_resolved (f.names, 2));
  g_assert_false (weft_frame_names_is_resolved (f.names, 3));
  fixture_name (&f, &(WeftFrameNamesOptions){ .inlines = FALSE });
  assert_stack (&f, 3, 10, "program+0x1a2f ← outer ← main");
  fixture_name (&f, &(WeftFrameNamesOptions){ .inlines = TRUE, .excluded = excluded });
  assert_stack (&f, 3, 10, "program+0x1a2f ← outer ← main");
  fixture_name (&f, &(WeftFrameNamesOptions){ .group = WEFT_FRAME_GROUP_LINE, .inlines = TRUE });
  assert_stack (&f, 3, 10, "[no lines] program ← i.c:9 ← i.c:8 ← o.c:7 ← main.c:5");
  fixture_name (&f, &(WeftFrameNamesOptions){ .group = WEFT_FRAME_GROUP_FILE });
  assert_stack (&f, 4, 10, "[no lines] [kernel] [k] ← [no lines] program ← o.c ← main.c");
  fixture_name (&f, &(WeftFrameNamesOptions){ .group = WEFT_FRAME_GROUP_MODULE });
  assert_stack (&f, chain, 10, "[no module] ← [kernel] [k] ← program ← program ← program");
  fixture_end (&f);
}

/* A cycle, a stack that is its own caller, ones that come later or not at all. */
static void
test_hostile (void)
{
  Fixture f;
  guint64 frame;
  g_autoptr (GArray) frames = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_autoptr (GArray) weights = NULL;
  g_auto (WeftStackSums) sums = { NULL, NULL };
  WeftStackPlan plan;
  guint64 count = 0;

  fixture_begin (&f);
  frame = cpu_named_frame (f.model, cpu_module (f.model, "m", WEFT_MODULE_KIND_FILE), 1, "f", 1);
  for (guint64 parent = 1; parent <= 4; parent++)
    {
      const guint64 parents[] = { 0, 2, 1, 3, 999 };

      model_begin (f.model, WEFT_TABLE_CALLCHAINS);
      model_set (f.model, WEFT_CALLCHAINS_PARENT, parents[parent]);
      model_set (f.model, WEFT_CALLCHAINS_FRAME, parent == 4 ? 55 : frame);
      model_commit (f.model);
      cpu_sample (f.model, 9, 10, parent, 1);
    }
  cpu_sample (f.model, 9, 10, 12345, 1);
  fixture_open (&f);
  fixture_name (&f, &(WeftFrameNamesOptions){ 0 });
  for (guint32 node = 0; node <= 4; node++)
    {
      weft_callchain_reader_read (f.callchains, node, TRUE, 100, frames);
      g_assert_cmpuint (frames->len, ==, MIN (node, node == 2 ? 2 : 1));
    }
  weights = weft_stack_weights_read (&f.scope, f.callchains, f.catalog, NULL, WEFT_STACK_ROOT_NONE,
                                     WEFT_STACK_ALL, NULL);
  weft_stack_plan_init (&plan, weights);
  g_assert_cmpuint (plan.n_columns, ==, 1);
  g_assert_true (
      weft_stack_sums_init (&sums, &f.scope, f.callchains, f.names, weights, &plan, NULL));
  for (guint32 name = 1; name <= weft_frame_names_get_n_names (f.names); name++)
    count += sums.selves[name].count;
  /* Five samples, of which one has a stack of nothing that is known. */
  g_assert_cmpuint (count, ==, 4);
  fixture_end (&f);
}

/* ---- By counting ---- */

#define N_FUNCTIONS 12
#define N_FRAMES 40
#define N_CHAINS 300
#define N_ROWS 2000
#define N_COLUMNS 2

typedef struct
{
  Fixture f;
  GRand *rand;
  guint functions[N_FRAMES + 1][3]; /* outermost first, ending in N_FUNCTIONS */
  guint64 self[N_FUNCTIONS + 2][N_COLUMNS];
  guint64 total[N_FUNCTIONS + 2][N_COLUMNS];
} Random;

static void
make_frames (Random *self)
{
  guint64 module = cpu_module (self->f.model, "m", WEFT_MODULE_KIND_FILE);

  for (guint i = 0; i < N_FUNCTIONS; i++)
    {
      char name[] = { 'f', (char) ('a' + i), 0 };

      cpu_symbol (self->f.model, module, name);
    }
  for (guint i = 1; i <= N_FRAMES; i++)
    {
      guint n = 1 + (guint) g_rand_int_range (self->rand, 0, 3);

      cpu_frame (self->f.model, module, i, 0);
      for (guint depth = 0; depth < 3; depth++)
        {
          guint function = (guint) g_rand_int_range (self->rand, 0, N_FUNCTIONS);

          self->functions[i][depth] = depth < n ? function : N_FUNCTIONS;
          if (depth < n)
            cpu_frame_symbol (self->f.model, i, depth, function + 1, NULL, 0);
        }
    }
}

/* The functions of a stack, innermost first; the last of FUNCTIONS, which is excluded, is left out.
 */
static guint
list_functions (Random *self, guint64 chain, gboolean inlines, gboolean exclude, guint *functions)
{
  guint n = 0;

  for (; chain != 0; chain = model_value (self->f.model, WEFT_CALLCHAINS_PARENT, chain))
    {
      const guint *of_frame =
          self->functions[model_value (self->f.model, WEFT_CALLCHAINS_FRAME, chain)];

      for (guint depth = inlines ? 3 : 1; depth-- > 0;)
        if (of_frame[depth] < N_FUNCTIONS - (exclude ? 1 : 0))
          functions[n++] = of_frame[depth];
    }
  return n;
}

static void
count_row (Random *self, guint64 chain, guint64 time, guint column, gboolean inlines,
           gboolean exclude)
{
  guint functions[3 * N_CHAINS];
  guint n = list_functions (self, chain, inlines, exclude, functions);
  gboolean seen[N_FUNCTIONS + 1] = { FALSE };

  if (n > 0)
    self->self[functions[0]][column] += time;
  for (guint i = 0; i < n; i++)
    if (!seen[functions[i]])
      {
        seen[functions[i]] = TRUE;
        self->total[functions[i]][column] += time;
      }
}

static void
count_rows (Random *self, gint64 begin, gint64 end, gboolean inlines, gboolean exclude)
{
  Model *model = self->f.model;

  memset (self->self, 0, sizeof self->self);
  memset (self->total, 0, sizeof self->total);
  for (guint64 id = 1; id <= N_ROWS; id++)
    {
      gint64 time = (gint64) model_value (model, WEFT_SAMPLES_TIME, id);
      gint64 start = (gint64) model_value (model, WEFT_WAITS_START, id);
      gint64 stop = start + (gint64) model_value (model, WEFT_WAITS_DURATION, id);

      if (time >= begin && time < end)
        count_row (self, model_value (model, WEFT_SAMPLES_CALLCHAIN, id),
                   model_value (model, WEFT_SAMPLES_WEIGHT, id), 0, inlines, exclude);
      start = MAX (start, begin);
      stop = MIN (stop, end);
      if (stop > start)
        count_row (self, model_value (model, WEFT_WAITS_CALLCHAIN, id), (guint64) (stop - start), 1,
                   inlines, exclude);
    }
}

static guint
find_function (const WeftFrameName *name)
{
  return name->name[0] == 'f' ? (guint) (name->name[1] - 'a') : N_FUNCTIONS;
}

static void
compare_names (Random *self, GArray *weights, const WeftStackPlan *plan)
{
  g_autoptr (GError) error = NULL;
  g_auto (WeftStackSums) sums = { NULL, NULL };
  guint32 n_names = weft_frame_names_get_n_names (self->f.names);

  weft_stack_sums_init (&sums, &self->f.scope, self->f.callchains, self->f.names, weights, plan,
                        &error);
  g_assert_no_error (error);
  for (guint32 name = WEFT_FRAME_NAME_NO_STACK + 1; name <= n_names; name++)
    for (guint c = 0; c < N_COLUMNS; c++)
      {
        guint function = find_function (weft_frame_names_get (self->f.names, name));

        g_assert_cmpuint (sums.selves[name * N_COLUMNS + c].time, ==, self->self[function][c]);
        g_assert_cmpuint (sums.totals[name * N_COLUMNS + c].time, ==, self->total[function][c]);
      }
}

/* What ran, and all waits as one. */
static void
plan_waits_together (WeftStackPlan *plan)
{
  plan->n_columns = N_COLUMNS;
  for (guint i = 0; i < WEFT_N_STACK_STATES; i++)
    plan->columns[i] = i == WEFT_STACK_ON_CPU ? 0 : 1;
}

static void
compare_all (Random *self, gint64 begin, gint64 end, gboolean inlines, gboolean exclude)
{
  char excluded[] = { 'f', 'a' + N_FUNCTIONS - 1, 0 };
  const char *patterns[] = { excluded, NULL };
  WeftStackPlan plan;
  g_autoptr (GArray) weights = NULL;
  g_autoptr (GError) error = NULL;

  fixture_name (&self->f, &(WeftFrameNamesOptions){ .inlines = inlines,
                                                    .excluded = exclude ? patterns : NULL });
  self->f.scope.begin = begin;
  self->f.scope.end = end;
  count_rows (self, begin, end, inlines, exclude);
  weights = weft_stack_weights_read (&self->f.scope, self->f.callchains, self->f.catalog, NULL,
                                     WEFT_STACK_ROOT_NONE, WEFT_STACK_ALL, &error);
  g_assert_no_error (error);
  plan_waits_together (&plan);
  compare_names (self, weights, &plan);
}

static void
test_random (void)
{
  for (guint round = 0; round < 10; round++)
    {
      Random self = { .rand = g_rand_new_with_seed (round) };

      fixture_begin (&self.f);
      make_frames (&self);
      for (guint i = 0; i < N_CHAINS; i++)
        cpu_callchain (self.f.model, (guint64) g_rand_int_range (self.rand, 0, (gint) i + 1),
                       (guint64) g_rand_int_range (self.rand, 1, N_FRAMES + 1));
      for (guint i = 0; i < N_ROWS; i++)
        {
          cpu_sample (self.f.model, 1, g_rand_int_range (self.rand, 0, 1000),
                      (guint64) g_rand_int_range (self.rand, 0, N_CHAINS + 1),
                      (guint64) g_rand_int_range (self.rand, 1, 9));
          cpu_wait (self.f.model, 1, g_rand_int_range (self.rand, 0, 1000),
                    (guint64) g_rand_int_range (self.rand, 0, 100),
                    (WeftWaitReason) g_rand_int_range (self.rand, 0, WEFT_N_WAIT_REASONS),
                    (guint64) g_rand_int_range (self.rand, 0, N_CHAINS + 1));
        }
      fixture_open (&self.f);
      compare_all (&self, G_MININT64, G_MAXINT64, FALSE, FALSE);
      compare_all (&self, G_MININT64, G_MAXINT64, TRUE, FALSE);
      compare_all (&self, 200, 700, TRUE, TRUE);
      compare_all (&self, 300, 300, FALSE, TRUE);
      g_rand_free (self.rand);
      fixture_end (&self.f);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/analyze/stacks/names", test_names);
  g_test_add_func ("/analyze/stacks/hostile", test_hostile);
  g_test_add_func ("/analyze/stacks/random", test_random);
  return g_test_run ();
}
