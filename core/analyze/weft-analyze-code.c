/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* CPU samples inside target work that runs on CPUs of its own process: to which dispatch each
 * belongs, and what of it took the time.
 *
 * A sample belongs to a dispatch if a function on its stack is the code of the dispatch's routine,
 * as the process told, and the dispatch is the only one of that code that ran in the process at
 * that time. Where several ran, or none, that is what is said of it.
 */

#include "weft-analysis-scope.h"
#include "weft-analyze.h"
#include "weft-answer.h"
#include "weft-cpu-hints.h"
#include "weft-cpu-stream.h"
#include "weft-frame-names.h"
#include "weft-key-map.h"
#include "weft-ranking.h"
#include "weft-routine-code.h"

#include <string.h>

#define DEFAULT_LIMIT 50
/* Dispatches that began before a sample and may still run; what lies further back in a file that
 * was made to be slow is as if several ran.
 */
#define MAX_LOOKS 4096

typedef enum
{
  BY_ROUTINE,
  BY_DISPATCH,
  BY_LANE,
  BY_FUNCTION,
  BY_LINE,
  BY_THREAD,
} By;

typedef enum
{
  IN_ONE,
  IN_SEVERAL,
  IN_NONE,
  N_FATES
} Fate;

static const char *const group_words[] = { "routine", "dispatch", "lane", "function",
                                           "line",    "thread",   NULL };
static const char *const order_words[] = { "time", "samples", "dispatches", NULL };

typedef struct
{
  guint64 id;
  gint64 start;
  gint64 end;
  gint64 last_end; /* of this one and those before it */
  guint32 lane;
  guint32 routine;
  gboolean is_selected;
  gboolean is_hit;
} Run;

typedef struct
{
  guint32 routine;
  guint32 lane;
  guint32 thread;
  guint32 name; /* of a function */
  guint32 line;
  const char *file;
  guint64 dispatch;
  guint64 samples;
  guint64 time;
  guint64 dispatches;  /* with samples */
  guint64 target_time; /* of these */
} Group;

typedef struct
{
  const WeftAnalysisScope *scope;
  By by;
  guint64 only_dispatch;
  guint64 only_routine;
  WeftCatalog *catalog;
  WeftRoutineCode *code;
  WeftCallchainReader *callchains;
  WeftFrameNames *names;
  WeftSelection *selection;
  WeftCpuHints facts;
  guint32 *marks;   /* of each node */
  WeftKeyMap lists; /* routine → place in RUNS */
  GPtrArray *runs;  /* GArray of Run, by start */
  WeftKeyMap keys;
  GArray *groups; /* element type Group */
  guint64 samples[N_FATES];
  guint64 times[N_FATES];
} Code;

static void
code_clear (Code *self)
{
  g_clear_pointer (&self->catalog, weft_catalog_free);
  g_clear_pointer (&self->code, weft_routine_code_free);
  g_clear_pointer (&self->names, weft_frame_names_free);
  g_clear_pointer (&self->callchains, weft_callchain_reader_free);
  g_clear_pointer (&self->selection, weft_selection_free);
  g_clear_pointer (&self->marks, g_free);
  g_clear_pointer (&self->runs, g_ptr_array_unref);
  g_clear_pointer (&self->groups, g_array_unref);
  weft_key_map_clear (&self->lists);
  weft_key_map_clear (&self->keys);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Code, code_clear)

/* ---- What ran when ---- */

static void
take_dispatch (const WeftDispatchRow *row, gpointer data)
{
  Code *self = data;
  Run run = { .id = row->id,
              .start = row->start,
              .end = row->end,
              .lane = row->lane,
              .routine = row->routine,
              .is_selected = row->is_selected };
  guint32 place;

  if (weft_key_map_find (&self->lists, row->routine, &place))
    g_array_append_val ((GArray *) g_ptr_array_index (self->runs, place), run);
}

static int
compare_runs (gconstpointer a, gconstpointer b)
{
  const Run *left = a;
  const Run *right = b;

  if (left->start != right->start)
    return left->start < right->start ? -1 : 1;
  return left->id < right->id ? -1 : left->id > right->id;
}

/* Routines that told of code get a list each; others none. */
static void
prepare_lists (Code *self)
{
  for (guint32 name = 1;; name++)
    {
      const GArray *routines = weft_routine_code_get_routines (self->code, 0, name);

      if (routines == NULL)
        return;
      for (guint i = 0; i < routines->len; i++)
        if (weft_key_map_add (&self->lists, g_array_index (routines, guint32, i),
                              self->runs->len) == self->runs->len)
          g_ptr_array_add (self->runs, g_array_new (FALSE, FALSE, sizeof (Run)));
    }
}

static gboolean
read_runs (Code *self, GError **error)
{
  prepare_lists (self);
  if (!weft_stream_dispatches (self->scope, self->selection, take_dispatch, self, error))
    return FALSE;
  for (guint i = 0; i < self->runs->len; i++)
    {
      GArray *list = g_ptr_array_index (self->runs, i);
      gint64 last = G_MININT64;

      g_array_sort (list, compare_runs);
      for (guint j = 0; j < list->len; j++)
        {
          Run *run = &g_array_index (list, Run, j);

          run->last_end = last = MAX (last, run->end);
        }
    }
  return TRUE;
}

/* Those of LIST that run at TIME: how many, two at most, and one of them. */
static guint
count_runs (GArray *list, gint64 time, Run **found)
{
  guint low = 0, high = list->len, n = 0;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (g_array_index (list, Run, middle).start <= time)
        low = middle + 1;
      else
        high = middle;
    }
  for (guint looks = 0; low-- > 0 && n < 2; looks++)
    {
      Run *run = &g_array_index (list, Run, low);

      if (run->last_end < time)
        break;
      if (looks == MAX_LOOKS)
        return 2;
      if (run->end >= time)
        {
          *found = run;
          n++;
        }
    }
  return n;
}

static Fate
find_run (Code *self, guint32 process, guint32 mark, gint64 time, Run **run)
{
  const GArray *routines = weft_routine_code_get_routines (self->code, process, mark);
  guint n = 0, place;

  for (guint i = 0; routines != NULL && i < routines->len && n < 2; i++)
    if (weft_key_map_find (&self->lists, g_array_index (routines, guint32, i), &place))
      n += count_runs (g_ptr_array_index (self->runs, place), time, run);
  return n == 0 ? IN_NONE : n == 1 ? IN_ONE : IN_SEVERAL;
}

/* ---- What samples say ---- */

/* The innermost place outside the operating system's kernel: time that it takes there counts for
 * who called it.
 */
static const WeftFramePlace *
get_place (Code *self, guint32 node)
{
  const WeftFramePlace *places;
  guint n = weft_frame_names_get_places (
      self->names,
      weft_callchain_reader_get_frame (
          self->callchains, weft_frame_names_leave_kernel (self->names, self->callchains, node)),
      &places);

  return n == 0 ? NULL : &places[n - 1];
}

static Group *
get_group (Code *self, const WeftSampleRow *sample, const Run *run)
{
  const WeftFramePlace *place = get_place (self, sample->row.node);
  Group group = { 0 };
  guint64 key = 0;
  guint32 number;

  if (self->by == BY_ROUTINE || self->by == BY_DISPATCH)
    group.routine = run->routine;
  if (self->by == BY_LANE || self->by == BY_DISPATCH)
    group.lane = run->lane;
  if (self->by == BY_DISPATCH)
    key = group.dispatch = run->id;
  else if (self->by == BY_ROUTINE)
    key = run->routine;
  else if (self->by == BY_LANE)
    key = run->lane;
  else if (self->by == BY_THREAD)
    key = group.thread = sample->row.thread;
  else if (place != NULL)
    {
      group.name = place->name;
      group.line = self->by == BY_LINE ? place->line : 0;
      group.file = self->by == BY_LINE ? place->file : NULL;
      key = (guint64) group.name << 32 | group.line;
    }
  number = weft_key_map_add (&self->keys, key, self->groups->len);
  if (number == self->groups->len)
    g_array_append_val (self->groups, group);
  return &g_array_index (self->groups, Group, number);
}

static gboolean
is_asked_for (const Code *self, const Run *run)
{
  return run->is_selected && (self->only_dispatch == 0 || run->id == self->only_dispatch) &&
         (self->only_routine == 0 || run->routine == self->only_routine);
}

static void
take_sample (const WeftSampleRow *sample, gpointer data)
{
  Code *self = data;
  guint32 mark = self->marks[sample->row.node];
  const WeftCatalogThread *thread =
      mark ? weft_catalog_get_thread (self->catalog, sample->row.thread) : NULL;
  Run *run = NULL;
  Group *group;
  Fate fate;

  if (thread == NULL || weft_routine_code_get_routines (self->code, thread->process, mark) == NULL)
    return;
  fate = find_run (self, thread->process, mark, sample->row.start, &run);
  if (fate == IN_ONE ? !is_asked_for (self, run) : self->scope->handle != NULL)
    return;
  self->samples[fate]++;
  self->times[fate] += sample->weight;
  if (fate != IN_ONE)
    return;
  group = get_group (self, sample, run);
  group->samples++;
  group->time += sample->weight;
  if (run->is_hit)
    return;
  run->is_hit = TRUE;
  group->dispatches++;
  group->target_time += weft_scope_clip (self->scope, run->start, run->end);
}

/* ---- Rows ---- */

enum
{
  ROUTINE,
  ROUTINE_NAME,
  LANE,
  LANE_NAME,
  DISPATCH,
  FUNCTION,
  FILE_NAME,
  LINE,
  THREAD,
  THREAD_NAME,
  SAMPLES,
  CPU_TIME,
  SHARE,
  DISPATCHES,
  TARGET_TIME,
  CPUS,
  N_COLUMNS
};

static const WeftAnswerColumn columns[N_COLUMNS] = {
  [ROUTINE] = WEFT_ANSWER_ID ("routine", "r"),
  [ROUTINE_NAME] = WEFT_ANSWER_COLUMN ("routine_name", STRING),
  [LANE] = WEFT_ANSWER_ID ("lane", "l"),
  [LANE_NAME] = WEFT_ANSWER_COLUMN ("lane_name", STRING),
  [DISPATCH] = WEFT_ANSWER_ID ("dispatch", "d"),
  [FUNCTION] = WEFT_ANSWER_COLUMN ("function", STRING),
  [FILE_NAME] = WEFT_ANSWER_COLUMN ("file", STRING),
  [LINE] = WEFT_ANSWER_COLUMN ("line", UINT64),
  [THREAD] = WEFT_ANSWER_ID ("thread", "t"),
  [THREAD_NAME] = WEFT_ANSWER_COLUMN ("thread_name", STRING),
  [SAMPLES] = WEFT_ANSWER_UNIT ("samples", UINT64, "count"),
  [CPU_TIME] = WEFT_ANSWER_COLUMN ("cpu_time", DURATION),
  [SHARE] = WEFT_ANSWER_UNIT ("share", DOUBLE, "percent"),
  [DISPATCHES] = WEFT_ANSWER_UNIT ("dispatches", UINT64, "count"),
  [TARGET_TIME] = WEFT_ANSWER_COLUMN ("target_time", DURATION),
  [CPUS] = WEFT_ANSWER_COLUMN ("cpus", DOUBLE),
};

static void
set_names (Code *self, WeftTableBuilder *builder, const Group *group)
{
  const WeftCatalogThread *thread = weft_catalog_get_thread (self->catalog, group->thread);
  const WeftFrameName *name =
      group->name != 0 ? weft_frame_names_get (self->names, group->name) : NULL;

  weft_table_builder_set_uint64 (builder, ROUTINE, group->routine);
  weft_table_builder_set_string (builder, ROUTINE_NAME,
                                 weft_catalog_get_routine_name (self->catalog, group->routine));
  weft_table_builder_set_uint64 (builder, LANE, group->lane);
  weft_table_builder_set_string (builder, LANE_NAME,
                                 weft_catalog_get_lane_name (self->catalog, group->lane));
  weft_table_builder_set_uint64 (builder, DISPATCH, group->dispatch);
  weft_table_builder_set_string (builder, FUNCTION, name ? name->name : NULL);
  weft_table_builder_set_string (builder, FILE_NAME, group->file);
  if (group->line != 0)
    weft_table_builder_set_uint64 (builder, LINE, group->line);
  weft_table_builder_set_uint64 (builder, THREAD, group->thread);
  weft_table_builder_set_string (builder, THREAD_NAME, thread ? thread->name : NULL);
}

/* Dispatches are told where each belongs to one row only. */
static void
add_row (Code *self, WeftTableBuilder *builder, const Group *group)
{
  weft_table_builder_begin_row (builder);
  set_names (self, builder, group);
  weft_table_builder_set_uint64 (builder, SAMPLES, group->samples);
  weft_table_builder_set_uint64 (builder, CPU_TIME, group->time);
  weft_answer_set_share (builder, SHARE, group->time, self->times[IN_ONE]);
  if (self->by != BY_ROUTINE && self->by != BY_DISPATCH && self->by != BY_LANE)
    return;
  weft_table_builder_set_uint64 (builder, DISPATCHES, group->dispatches);
  weft_table_builder_set_uint64 (builder, TARGET_TIME, group->target_time);
  if (group->target_time > 0)
    weft_table_builder_set_double (builder, CPUS,
                                   (double) group->time / (double) group->target_time);
}

static char *
explain_nothing (Code *self)
{
  if (self->facts.n_samples == 0)
    return weft_cpu_hints_explain_no_samples (&self->facts);
  if (weft_routine_code_get_n_routines (self->code) == 0)
    return g_strdup ("No routine told which functions of its process are its code, as those do "
                     "whose work runs on the CPUs of the process (WEFT_TARGET_TAG_CODE in "
                     "docs/producer-guide.md)");
  if (self->samples[IN_SEVERAL] + self->samples[IN_NONE] == 0)
    return g_strdup ("No sample that fits what was asked for fell into the code of a routine");
  return g_strdup ("Samples fell into the code of routines, but none while just one dispatch of it "
                   "that fits ran");
}

static gint64
get_key (Code *self, const Group *group)
{
  if (strcmp (self->scope->order_by, "samples") == 0)
    return weft_rank_key (group->samples);
  return weft_rank_key (strcmp (self->scope->order_by, "time") == 0 ? group->time
                                                                    : group->dispatches);
}

static gboolean
add_groups (Code *self, WeftReport *report, GError **error)
{
  g_autoptr (WeftRanking) ranking = weft_ranking_new (self->scope, "target-code", FALSE, error);
  WeftTableBuilder *builder;
  guint n;

  if (ranking == NULL)
    return FALSE;
  for (guint i = 0; i < self->groups->len; i++)
    {
      Group *group = &g_array_index (self->groups, Group, i);

      weft_ranking_add (ranking, get_key (self, group), i, group);
    }
  builder = weft_answer_begin_table ("target-code", columns, N_COLUMNS);
  n = weft_ranking_finish (ranking);
  for (guint i = 0; i < n; i++)
    add_row (self, builder, weft_ranking_get (ranking, i)->data);
  weft_ranking_set_cursor (ranking, builder);
  if (weft_ranking_is_empty (ranking))
    {
      g_autofree char *hint = explain_nothing (self);

      weft_table_builder_set_hint (builder, hint);
    }
  weft_answer_add_table (report, builder);
  return TRUE;
}

/* What became of all samples that fell into the code of routines. */
static void
add_fates (Code *self, WeftReport *report)
{
  static const WeftAnswerColumn fate_columns[] = {
    WEFT_ANSWER_COLUMN ("attributed", STRING),
    WEFT_ANSWER_UNIT ("samples", UINT64, "count"),
    WEFT_ANSWER_COLUMN ("cpu_time", DURATION),
    WEFT_ANSWER_UNIT ("share", DOUBLE, "percent"),
  };
  static const char *const words[N_FATES] = { "to one dispatch", "several ran at the time",
                                              "none ran at the time" };
  WeftTableBuilder *builder =
      weft_answer_begin_table ("attribution", fate_columns, G_N_ELEMENTS (fate_columns));
  guint64 whole = self->times[IN_ONE] + self->times[IN_SEVERAL] + self->times[IN_NONE];

  for (guint i = 0; i < N_FATES; i++)
    {
      if (self->samples[i] == 0)
        continue;
      weft_table_builder_begin_row (builder);
      weft_table_builder_set_string (builder, 0, words[i]);
      weft_table_builder_set_uint64 (builder, 1, self->samples[i]);
      weft_table_builder_set_uint64 (builder, 2, self->times[i]);
      weft_answer_set_share (builder, 3, self->times[i], whole);
    }
  weft_answer_add_table (report, builder);
}

/* ---- Running ---- */

static gboolean
read_names (Code *self, GError **error)
{
  const WeftFrameNamesOptions options =
      WEFT_FRAME_NAMES_OPTIONS (self->scope, WEFT_FRAME_GROUP_FUNCTION);

  self->catalog = weft_catalog_new (self->scope->store, self->scope->cancellable, error);
  if (self->catalog == NULL)
    return FALSE;
  self->code = weft_routine_code_new (self->scope, self->catalog, error);
  self->callchains = self->code ? weft_callchain_reader_new (self->scope, error) : NULL;
  self->names = self->callchains
                    ? weft_frame_names_new (self->scope, self->callchains, &options, error)
                    : NULL;
  self->marks = self->names ? weft_routine_code_mark_nodes (self->code, self->scope,
                                                            self->callchains, self->names, error)
                            : NULL;
  return self->marks != NULL;
}

static gboolean
find_object (Code *self, GError **error)
{
  static const WeftTableId tables[] = { WEFT_TABLE_DISPATCHES, WEFT_TABLE_ROUTINES };
  WeftTableId table;
  guint64 id;

  if (self->scope->handle == NULL)
    return TRUE;
  if (!weft_answer_find_object (self->scope, tables, G_N_ELEMENTS (tables), &table, &id, error))
    return FALSE;
  if (table == WEFT_TABLE_DISPATCHES)
    self->only_dispatch = id;
  else
    self->only_routine = id;
  return TRUE;
}

static gboolean
run_code (const WeftAnalysisScope *scope, WeftReport *report, GError **error)
{
  g_auto (Code) self = { .scope = scope };
  gint64 begin, end;

  while (strcmp (group_words[self.by], scope->group_by) != 0)
    self.by++;
  if (scope->handle != NULL && !scope->has_group)
    self.by = BY_LINE;
  self.runs = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);
  self.groups = g_array_new (FALSE, FALSE, sizeof (Group));
  weft_key_map_init (&self.lists);
  weft_key_map_init (&self.keys);
  if (!weft_scope_find_range (scope, &begin, &end, error) || !find_object (&self, error) ||
      !weft_cpu_hints_read (&self.facts, scope, error) ||
      !weft_scope_select_dispatches (scope, &self.selection, error) || !read_names (&self, error) ||
      !read_runs (&self, error) ||
      !weft_stream_samples (scope, self.callchains, NULL, take_sample, &self, error) ||
      !add_groups (&self, report, error))
    return FALSE;
  add_fates (&self, report);
  return TRUE;
}

const WeftAnalysisKind weft_analyze_code = {
  .name = "target-code",
  .summary = "CPU time inside target work that runs on the CPUs of its own process",
  .run = run_code,
  .options = WEFT_ANALYSIS_OPTION_FILTER | WEFT_ANALYSIS_OPTION_RANGE | WEFT_ANALYSIS_OPTION_GROUP |
             WEFT_ANALYSIS_OPTION_ORDER | WEFT_ANALYSIS_OPTION_LIMIT | WEFT_ANALYSIS_OPTION_CURSOR |
             WEFT_ANALYSIS_OPTION_HANDLE | WEFT_ANALYSIS_OPTION_EXCLUDED |
             WEFT_ANALYSIS_OPTION_INLINES,
  .groups = group_words,
  .orders = order_words,
  .default_limit = DEFAULT_LIMIT,
};
