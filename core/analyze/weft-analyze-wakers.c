/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who ended the waits of whom. */

#include "weft-analysis-scope.h"
#include "weft-analyze.h"
#include "weft-answer.h"
#include "weft-cpu-hints.h"
#include "weft-frame-names.h"
#include "weft-key-map.h"
#include "weft-ranking.h"
#include "weft-row-table.h"
#include "weft-stack-weights.h"

#include <string.h>

#define DEFAULT_LIMIT 50
/* Functions of a stack that are told. */
#define MAX_FUNCTIONS 10

typedef enum
{
  KIND_UNKNOWN,
  KIND_INTERRUPT,
  KIND_THREAD,
  N_KINDS
} WakerKind;

static const char *const kind_names[N_KINDS] = { "unknown", "interrupt", "thread" };

/* Waits of one thread that one other ended, from one stack to another if these are asked for. */
typedef struct
{
  guint32 wakee;
  guint32 waker;
  WakerKind kind;
  guint32 waker_node;
  guint32 wait_node;
  guint64 count;
  guint64 time;
  guint64 longest;
  guint64 reasons[WEFT_N_WAIT_REASONS];
} Pair;

typedef struct
{
  guint64 count;
  guint64 time;
} Sum;

typedef struct
{
  const WeftAnalysisScope *scope;
  gboolean by_stack;
  guint64 wakee; /* 0: of all */
  WeftCatalog *catalog;
  WeftCallchainReader *callchains;
  WeftFrameNames *names;
  WeftCpuFilter *filter;
  WeftRowTable *wakeups;
  WeftCpuHints facts;
  GArray *pairs; /* element type Pair */
  WeftKeyMap threads;
  WeftKeyMap stacks;
  WeftKeyMap keys;
  Sum sums[N_KINDS];
} Wakers;

static void
wakers_clear (Wakers *self)
{
  g_clear_pointer (&self->catalog, weft_catalog_free);
  g_clear_pointer (&self->names, weft_frame_names_free);
  g_clear_pointer (&self->filter, weft_cpu_filter_free);
  g_clear_pointer (&self->callchains, weft_callchain_reader_free);
  g_clear_pointer (&self->wakeups, weft_row_table_free);
  g_clear_pointer (&self->pairs, g_array_unref);
  weft_key_map_clear (&self->threads);
  weft_key_map_clear (&self->stacks);
  weft_key_map_clear (&self->keys);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Wakers, wakers_clear)

/* ---- Pairs ---- */

static void
describe_pair (Wakers *self, const WeftWaitRow *wait, Pair *pair)
{
  gboolean is_told = wait->wakeup != 0 && weft_row_table_contains (self->wakeups, wait->wakeup);

  *pair = (Pair){ .wakee = wait->row.thread, .waker = wait->waker };
  if (pair->waker == 0 && is_told)
    pair->waker = (guint32) weft_row_table_get (self->wakeups, WEFT_WAKEUPS_WAKER, wait->wakeup);
  pair->kind = pair->waker != 0 ? KIND_THREAD : is_told ? KIND_INTERRUPT : KIND_UNKNOWN;
  if (!self->by_stack)
    return;
  pair->wait_node = wait->row.node;
  if (is_told)
    pair->waker_node = weft_callchain_reader_find (
        self->callchains, weft_row_table_get (self->wakeups, WEFT_WAKEUPS_CALLCHAIN, wait->wakeup));
}

static guint32
number_of (WeftKeyMap *map, guint32 a, guint32 b)
{
  return weft_key_map_add (map, (guint64) a << 32 | b, map->n);
}

/* What is equal in all of them has one number. */
static Pair *
get_pair (Wakers *self, const Pair *pair)
{
  guint32 threads = number_of (&self->threads, pair->wakee, pair->waker);
  guint32 stacks = number_of (&self->stacks, pair->waker_node, pair->wait_node);
  guint64 key = ((guint64) threads << 32 | stacks) * N_KINDS + pair->kind;
  guint32 number = weft_key_map_add (&self->keys, key, self->pairs->len);

  if (number == self->pairs->len)
    g_array_append_vals (self->pairs, pair, 1);
  return &g_array_index (self->pairs, Pair, number);
}

/* Who was preempted could have gone on all along: nobody wakes it. */
static void
take_wait (const WeftWaitRow *wait, gpointer data)
{
  Wakers *self = data;
  guint reason =
      wait->row.reason < WEFT_N_WAIT_REASONS ? wait->row.reason : WEFT_WAIT_REASON_UNKNOWN;
  Pair described;
  Pair *pair;

  if (reason == WEFT_WAIT_REASON_PREEMPTED || wait->is_open ||
      (self->wakee != 0 && self->wakee != wait->row.thread))
    return;
  describe_pair (self, wait, &described);
  pair = get_pair (self, &described);
  pair->count++;
  pair->time += wait->clipped;
  pair->longest = MAX (pair->longest, wait->clipped);
  pair->reasons[reason] += wait->clipped;
  self->sums[pair->kind].count++;
  self->sums[pair->kind].time += wait->clipped;
}

/* ---- Rows ---- */

enum
{
  WAKEE,
  WAKEE_NAME,
  WAKER,
  WAKER_NAME,
  WAKER_KIND,
  COUNT,
  TIME,
  SHARE,
  LONGEST,
  TOP_REASON,
  WAIT_STACK,
  WAKER_STACK,
  WAIT_CALLCHAIN,
  WAKER_CALLCHAIN,
  N_COLUMNS
};

static const WeftTableColumn columns[N_COLUMNS] = {
  [WAKEE] = { "wakee", NULL, WEFT_VALUE_ID, NULL, "t" },
  [WAKEE_NAME] = { "wakee_name", NULL, WEFT_VALUE_STRING },
  [WAKER] = { "waker", NULL, WEFT_VALUE_ID, NULL, "t" },
  [WAKER_NAME] = { "waker_name", NULL, WEFT_VALUE_STRING },
  [WAKER_KIND] = { "waker_kind", NULL, WEFT_VALUE_STRING },
  [COUNT] = { "count", NULL, WEFT_VALUE_UINT64 },
  [TIME] = { "waited", NULL, WEFT_VALUE_DURATION },
  [SHARE] = { "share", NULL, WEFT_VALUE_DOUBLE, "percent" },
  [LONGEST] = { "longest", NULL, WEFT_VALUE_DURATION },
  [TOP_REASON] = { "top_reason", NULL, WEFT_VALUE_STRING },
  [WAIT_STACK] = { "wait_stack", NULL, WEFT_VALUE_STRING },
  [WAKER_STACK] = { "waker_stack", NULL, WEFT_VALUE_STRING },
  [WAIT_CALLCHAIN] = { "wait_callchain", NULL, WEFT_VALUE_ID, NULL, "cc" },
  [WAKER_CALLCHAIN] = { "waker_callchain", NULL, WEFT_VALUE_ID, NULL, "cc" },
};

static guint64
sum_times (const Wakers *self)
{
  guint64 sum = 0;

  for (guint i = 0; i < N_KINDS; i++)
    sum += self->sums[i].time;
  return sum;
}

static const char *
name_thread (Wakers *self, guint32 id)
{
  const WeftCatalogThread *thread = weft_catalog_get_thread (self->catalog, id);

  return thread == NULL ? NULL : thread->name;
}

/* What the program called; how the kernel goes about it is the same each time. */
static void
set_stack (Wakers *self, WeftTableBuilder *builder, guint text, guint callchain, guint32 node)
{
  guint32 shown = weft_frame_names_leave_kernel (self->names, self->callchains, node);
  g_autofree char *stack =
      weft_frame_names_describe_stack (self->names, self->callchains, shown, MAX_FUNCTIONS);

  weft_table_builder_set_string (builder, text, stack);
  if (node != 0)
    weft_table_builder_set_uint64 (builder, callchain,
                                   weft_callchain_reader_get_id (self->callchains, node));
}

static void
write_pair (Wakers *self, WeftTableBuilder *builder, const Pair *pair)
{
  guint64 sum = sum_times (self);
  guint top = 0;

  weft_table_builder_begin_row (builder);
  weft_table_builder_set_uint64 (builder, WAKEE, pair->wakee);
  weft_table_builder_set_string (builder, WAKEE_NAME, name_thread (self, pair->wakee));
  weft_table_builder_set_uint64 (builder, WAKER, pair->waker);
  weft_table_builder_set_string (builder, WAKER_NAME, name_thread (self, pair->waker));
  weft_table_builder_set_string (builder, WAKER_KIND, kind_names[pair->kind]);
  weft_table_builder_set_uint64 (builder, COUNT, pair->count);
  weft_table_builder_set_uint64 (builder, TIME, pair->time);
  weft_answer_set_share (builder, SHARE, pair->time, sum);
  weft_table_builder_set_uint64 (builder, LONGEST, pair->longest);
  for (guint i = 1; i < WEFT_N_WAIT_REASONS; i++)
    if (pair->reasons[i] > pair->reasons[top])
      top = i;
  weft_table_builder_set_string (builder, TOP_REASON,
                                 weft_stack_state_get_name (WEFT_STACK_WAITS (top)));
  set_stack (self, builder, WAIT_STACK, WAIT_CALLCHAIN, pair->wait_node);
  set_stack (self, builder, WAKER_STACK, WAKER_CALLCHAIN, pair->waker_node);
}

static void
set_hint (Wakers *self, WeftTableBuilder *builder)
{
  g_autofree char *hint = NULL;

  if (self->facts.n_waits == 0)
    hint = weft_cpu_hints_explain_no_waits (&self->facts);
  else if (self->pairs->len == 0)
    hint = weft_cpu_hints_explain_nothing (&self->facts, self->scope);
  else if (self->sums[KIND_THREAD].count == 0 && self->sums[KIND_INTERRUPT].count == 0)
    hint = g_strdup_printf (
        "Nobody told who ended these waits: the kernel tells it to those who may read its "
        "tracepoints (root, or CAP_PERFMON with readable tracefs)%s%s",
        self->facts.missing != NULL ? ". What was missing: " : "",
        self->facts.missing != NULL ? self->facts.missing : "");
  weft_table_builder_set_hint (builder, hint);
}

static guint64
get_key (Wakers *self, const Pair *pair)
{
  if (strcmp (self->scope->order_by, "count") == 0)
    return pair->count;
  return strcmp (self->scope->order_by, "longest") == 0 ? pair->longest : pair->time;
}

static WeftTable *
make_table (Wakers *self, GError **error)
{
  g_autoptr (WeftRanking) ranking = weft_ranking_new (self->scope, "wakers", FALSE, error);
  WeftTableBuilder *builder;

  if (ranking == NULL)
    return NULL;
  for (guint i = 0; i < self->pairs->len; i++)
    {
      Pair *pair = &g_array_index (self->pairs, Pair, i);

      weft_ranking_add (ranking, weft_rank_key (get_key (self, pair)), i, pair);
    }
  builder = weft_table_builder_new ("wakers");
  weft_table_builder_add_columns (builder, columns, N_COLUMNS);
  for (guint i = 0, n = weft_ranking_finish (ranking); i < n; i++)
    write_pair (self, builder, weft_ranking_get (ranking, i)->data);
  weft_ranking_set_cursor (ranking, builder);
  if (self->scope->cursor == NULL)
    set_hint (self, builder);
  return weft_table_builder_finish (builder);
}

/* How much of the waiting is explained at all. */
static WeftTable *
make_known (Wakers *self)
{
  static const WeftTableColumn known[] = {
    { "waker_kind", NULL, WEFT_VALUE_STRING },
    { "count", NULL, WEFT_VALUE_UINT64 },
    { "waited", NULL, WEFT_VALUE_DURATION },
    { "share", NULL, WEFT_VALUE_DOUBLE, "percent" },
  };
  WeftTableBuilder *builder = weft_table_builder_new ("known");
  guint64 sum = sum_times (self);

  weft_table_builder_add_columns (builder, known, G_N_ELEMENTS (known));
  for (guint i = N_KINDS; i-- > 0 && self->pairs->len > 0;)
    {
      weft_table_builder_begin_row (builder);
      weft_table_builder_set_string (builder, 0, kind_names[i]);
      weft_table_builder_set_uint64 (builder, 1, self->sums[i].count);
      weft_table_builder_set_uint64 (builder, 2, self->sums[i].time);
      weft_answer_set_share (builder, 3, self->sums[i].time, sum);
    }
  return weft_table_builder_finish (builder);
}

static gboolean
read_waits (Wakers *self, GError **error)
{
  static const WeftColumnNumber wakeups[] = { WEFT_WAKEUPS_WAKER, WEFT_WAKEUPS_CALLCHAIN };
  const WeftFrameNamesOptions options =
      WEFT_FRAME_NAMES_OPTIONS (self->scope, WEFT_FRAME_GROUP_FUNCTION);

  self->catalog = weft_catalog_new (self->scope->store, self->scope->cancellable, error);
  self->callchains = self->catalog != NULL ? weft_callchain_reader_new (self->scope, error) : NULL;
  if (self->callchains == NULL ||
      !weft_cpu_filter_new (self->scope, self->callchains, self->catalog, &self->filter, error))
    return FALSE;
  self->names = weft_frame_names_new (self->scope, self->callchains, &options, error);
  if (self->names == NULL)
    return FALSE;
  self->wakeups =
      weft_row_table_new (self->scope, WEFT_TABLE_WAKEUPS, wakeups, G_N_ELEMENTS (wakeups), error);
  return self->wakeups != NULL &&
         weft_stream_waits (self->scope, self->callchains, self->filter, take_wait, self, error);
}

static gboolean
find_wakee (Wakers *self, GError **error)
{
  static const WeftTableId threads[] = { WEFT_TABLE_THREADS };
  WeftTableId table;

  return self->scope->handle == NULL ||
         weft_answer_find_object (self->scope, threads, 1, &table, &self->wakee, error);
}

static gboolean
run_wakers (const WeftAnalysisScope *scope, WeftReport *report, GError **error)
{
  g_auto (Wakers) self = { .scope = scope };
  g_autoptr (WeftTable) table = NULL;
  g_autoptr (WeftTable) known = NULL;
  gint64 begin, end;

  self.by_stack = strcmp (scope->group_by, "stack") == 0;
  self.pairs = g_array_new (FALSE, FALSE, sizeof (Pair));
  weft_key_map_init (&self.threads);
  weft_key_map_init (&self.stacks);
  weft_key_map_init (&self.keys);
  if (!weft_scope_find_range (scope, &begin, &end, error) || !find_wakee (&self, error) ||
      !weft_cpu_hints_read (&self.facts, scope, error) || !read_waits (&self, error))
    return FALSE;
  table = make_table (&self, error);
  if (table == NULL)
    return FALSE;
  known = make_known (&self);
  weft_report_append (report, table);
  weft_report_append (report, known);
  return TRUE;
}

static const char *const group_words[] = { "thread", "stack", NULL };
static const char *const order_words[] = { "waited", "count", "longest", NULL };

const WeftAnalysisKind weft_analyze_wakers = {
  .name = "wakers",
  .summary = "Which threads ended the waits of which",
  .run = run_wakers,
  .options = WEFT_ANALYSIS_OPTION_FILTER | WEFT_ANALYSIS_OPTION_RANGE | WEFT_ANALYSIS_OPTION_GROUP |
             WEFT_ANALYSIS_OPTION_ORDER | WEFT_ANALYSIS_OPTION_LIMIT | WEFT_ANALYSIS_OPTION_CURSOR |
             WEFT_ANALYSIS_OPTION_HANDLE | WEFT_ANALYSIS_OPTION_EXCLUDED |
             WEFT_ANALYSIS_OPTION_INLINES | WEFT_ANALYSIS_OPTION_REASONS,
  .groups = group_words,
  .orders = order_words,
  .default_limit = DEFAULT_LIMIT,
};
