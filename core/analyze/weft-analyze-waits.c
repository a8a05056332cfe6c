/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What threads waited for: each time, or summed up. */

#include "weft-analysis-scope.h"
#include "weft-analyze.h"
#include "weft-answer.h"
#include "weft-cpu-hints.h"
#include "weft-frame-names.h"
#include "weft-key-map.h"
#include "weft-ranking.h"
#include "weft-stack-weights.h"

#include <string.h>

#include "weft-enum-types.h"

#define DEFAULT_LIMIT 50
/* Functions of a stack that are told. */
#define MAX_FUNCTIONS 16

typedef enum
{
  BY_WAIT,
  BY_REASON,
  BY_THREAD,
  BY_PROCESS,
  BY_OBJECT,
  BY_STACK
} GroupBy;

static const char *const group_words[] = { "wait",   "reason", "thread", "process",
                                           "object", "stack",  NULL };

/* Waits that have something in common. */
typedef struct
{
  guint64 key;
  guint32 detail; /* in the store's dictionary */
  guint64 count;
  guint64 total;
  guint64 longest;
  guint64 n_known; /* whose waker is known */
  guint64 n_stacks;
  guint64 reasons[WEFT_N_WAIT_REASONS];
} Group;

typedef struct
{
  const WeftAnalysisScope *scope;
  GroupBy by;
  WeftCatalog *catalog;
  WeftCallchainReader *callchains;
  WeftFrameNames *names;
  WeftCpuFilter *filter;
  WeftCpuHints facts;
  WeftRanking *ranking;
  GArray *groups; /* element type Group */
  WeftKeyMap keys;
  guint64 count;
  guint64 total;
} Waits;

static void
waits_clear (Waits *self)
{
  g_clear_pointer (&self->catalog, weft_catalog_free);
  g_clear_pointer (&self->names, weft_frame_names_free);
  g_clear_pointer (&self->filter, weft_cpu_filter_free);
  g_clear_pointer (&self->callchains, weft_callchain_reader_free);
  g_clear_pointer (&self->ranking, weft_ranking_free);
  g_clear_pointer (&self->groups, g_array_unref);
  weft_key_map_clear (&self->keys);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Waits, waits_clear)

/* ---- Groups ---- */

static guint64
get_group_key (Waits *self, const WeftWaitRow *wait)
{
  const WeftCatalogThread *thread;

  switch (self->by)
    {
    case BY_REASON:
      return wait->row.reason;
    case BY_THREAD:
      return wait->row.thread;
    case BY_PROCESS:
      thread = weft_catalog_get_thread (self->catalog, wait->row.thread);
      return thread == NULL ? 0 : thread->process;
    case BY_OBJECT:
      /* What words tell of it is more than its address. */
      return wait->detail != 0 ? (guint64) 1 << 63 | wait->detail : wait->object;
    default:
      return wait->row.node;
    }
}

static Group *
get_group (Waits *self, guint64 key)
{
  guint32 number = weft_key_map_add (&self->keys, key, self->groups->len);

  if (number == self->groups->len)
    g_array_append_vals (self->groups, &(Group){ .key = key }, 1);
  return &g_array_index (self->groups, Group, number);
}

static void
add_to_group (Waits *self, const WeftWaitRow *wait)
{
  Group *group = get_group (self, get_group_key (self, wait));
  guint reason =
      wait->row.reason < WEFT_N_WAIT_REASONS ? wait->row.reason : WEFT_WAIT_REASON_UNKNOWN;

  group->detail = wait->detail;
  group->count++;
  group->total += wait->clipped;
  group->longest = MAX (group->longest, wait->clipped);
  group->n_known += wait->wakeup != 0;
  group->n_stacks += wait->row.node != 0;
  group->reasons[reason] += wait->clipped;
}

static gint64
get_wait_key (Waits *self, const WeftWaitRow *wait)
{
  if (strcmp (self->scope->order_by, "start") == 0)
    return wait->row.start;
  return weft_rank_key (wait->clipped);
}

static void
take_wait (const WeftWaitRow *wait, gpointer data)
{
  Waits *self = data;

  self->count++;
  self->total += wait->clipped;
  if (self->by == BY_WAIT)
    weft_ranking_add (self->ranking, get_wait_key (self, wait), wait->row.id, NULL);
  else
    add_to_group (self, wait);
}

static guint64
get_key (Waits *self, const Group *group)
{
  const char *order = self->scope->order_by;

  if (strcmp (order, "count") == 0)
    return group->count;
  if (strcmp (order, "longest") == 0)
    return group->longest;
  if (strcmp (order, "mean") == 0)
    return group->total / group->count;
  return group->total;
}

static void
rank_groups (Waits *self)
{
  for (guint i = 0; i < self->groups->len; i++)
    {
      Group *group = &g_array_index (self->groups, Group, i);

      weft_ranking_add (self->ranking, weft_rank_key (get_key (self, group)), i, group);
    }
}

/* ---- Rows of waits ---- */

enum
{
  WAIT,
  THREAD,
  THREAD_TID,
  THREAD_NAME,
  THREAD_PROCESS,
  THREAD_PROCESS_NAME,
  REASON,
  START,
  DURATION,
  OBJECT,
  DETAIL,
  SYSTEM_CALL,
  WAKER,
  WAKER_TID,
  WAKER_NAME,
  WAKER_PROCESS,
  WAKER_PROCESS_NAME,
  STACK,
  CALLCHAIN,
  STACK_END,
  APPROXIMATE,
  OPEN,
  N_COLUMNS
};

#define WAKER_COLUMNS                                                                              \
  WEFT_ANSWER_ID ("waker", "t"), WEFT_ANSWER_COLUMN ("waker_tid", UINT64),                         \
      WEFT_ANSWER_COLUMN ("waker_name", STRING), WEFT_ANSWER_ID ("waker_process", "p"),            \
      WEFT_ANSWER_COLUMN ("waker_process_name", STRING)

static const WeftAnswerColumn wait_columns[N_COLUMNS] = {
  WEFT_ANSWER_ID ("wait", "wt"),
  WEFT_ANSWER_THREAD_COLUMNS,
  WEFT_ANSWER_ENUM ("reason", weft_wait_reason_get_type),
  WEFT_ANSWER_COLUMN ("start", TIME),
  WEFT_ANSWER_COLUMN ("duration", DURATION),
  WEFT_ANSWER_COLUMN ("object", UINT64),
  WEFT_ANSWER_COLUMN ("detail", STRING),
  WEFT_ANSWER_COLUMN ("system_call", INT64),
  WAKER_COLUMNS,
  WEFT_ANSWER_COLUMN ("stack", STRING),
  WEFT_ANSWER_ID ("callchain", "cc"),
  WEFT_ANSWER_ENUM ("stack_end", weft_stack_end_get_type),
  WEFT_ANSWER_COLUMN ("approximate", BOOLEAN),
  WEFT_ANSWER_COLUMN ("open", BOOLEAN),
};

/* How the kernel goes about waiting is the same each time. */
static void
set_stack (Waits *self, WeftTableBuilder *builder, guint column, guint32 node)
{
  guint32 shown = weft_frame_names_leave_kernel (self->names, self->callchains, node);
  g_autofree char *stack =
      weft_frame_names_describe_stack (self->names, self->callchains, shown, MAX_FUNCTIONS);

  weft_table_builder_set_string (builder, column, stack);
}

/* One that is not known is as if it was not told. */
static void
set_word (WeftTableBuilder *builder, guint column, guint64 word, guint64 last)
{
  weft_table_builder_set_uint64 (builder, column, word <= last ? word : 0);
}

static void
write_wait (Waits *self, WeftTableBuilder *builder, WeftRowCursor *row)
{
  guint64 marks = weft_row_cursor_get (row, WEFT_WAITS_MARKS);
  guint64 waker = weft_row_cursor_get (row, WEFT_WAITS_WAKER);
  guint64 callchain = weft_row_cursor_get (row, WEFT_WAITS_CALLCHAIN);

  weft_table_builder_begin_row (builder);
  weft_table_builder_set_uint64 (builder, WAIT, weft_row_cursor_get_number (row));
  weft_answer_set_thread (builder, THREAD, self->catalog,
                          weft_row_cursor_get (row, WEFT_WAITS_THREAD), 0);
  set_word (builder, REASON, weft_row_cursor_get (row, WEFT_WAITS_REASON), WEFT_WAIT_REASON_OTHER);
  weft_answer_copy (builder, START, row, WEFT_WAITS_START);
  weft_answer_copy (builder, DURATION, row, WEFT_WAITS_DURATION);
  if (weft_row_cursor_get (row, WEFT_WAITS_OBJECT) != 0)
    weft_answer_copy (builder, OBJECT, row, WEFT_WAITS_OBJECT);
  weft_answer_copy (builder, DETAIL, row, WEFT_WAITS_DETAIL);
  weft_answer_copy (builder, SYSTEM_CALL, row, WEFT_WAITS_SYSTEM_CALL);
  if (waker != 0)
    weft_answer_set_thread (builder, WAKER, self->catalog, waker, 0);
  set_stack (self, builder, STACK, weft_callchain_reader_find (self->callchains, callchain));
  weft_table_builder_set_uint64 (builder, CALLCHAIN, callchain);
  set_word (builder, STACK_END, weft_row_cursor_get (row, WEFT_WAITS_END),
            WEFT_STACK_END_NO_USER_STACK);
  weft_table_builder_set_uint64 (builder, APPROXIMATE, marks & 1);
  weft_table_builder_set_uint64 (builder, OPEN, marks >> 1 & 1);
}

/* ---- Rows of groups ---- */

enum
{
  G_NAME,
  G_THREAD,
  G_PROCESS,
  G_CALLCHAIN,
  G_OBJECT,
  G_COUNT,
  G_TOTAL,
  G_SHARE,
  G_MEAN,
  G_LONGEST,
  G_TOP_REASON,
  G_WAKERS_KNOWN,
  G_STACKS,
  N_GROUP_COLUMNS
};

static const WeftTableColumn group_columns[N_GROUP_COLUMNS] = {
  [G_NAME] = { "name", NULL, WEFT_VALUE_STRING },
  [G_THREAD] = { "thread", NULL, WEFT_VALUE_ID, NULL, "t" },
  [G_PROCESS] = { "process", NULL, WEFT_VALUE_ID, NULL, "p" },
  [G_CALLCHAIN] = { "callchain", NULL, WEFT_VALUE_ID, NULL, "cc" },
  [G_OBJECT] = { "object", NULL, WEFT_VALUE_UINT64 },
  [G_COUNT] = { "count", NULL, WEFT_VALUE_UINT64 },
  [G_TOTAL] = { "duration", NULL, WEFT_VALUE_DURATION },
  [G_SHARE] = { "share", NULL, WEFT_VALUE_DOUBLE, "percent" },
  [G_MEAN] = { "mean", NULL, WEFT_VALUE_DURATION },
  [G_LONGEST] = { "longest", NULL, WEFT_VALUE_DURATION },
  [G_TOP_REASON] = { "top_reason", NULL, WEFT_VALUE_STRING },
  [G_WAKERS_KNOWN] = { "wakers_known", NULL, WEFT_VALUE_UINT64 },
  [G_STACKS] = { "with_stack", NULL, WEFT_VALUE_UINT64 },
};

static void
name_object (Waits *self, WeftTableBuilder *builder, const Group *group)
{
  g_autofree char *address = NULL;

  if (group->key >> 63)
    {
      weft_table_builder_set_string (builder, G_NAME,
                                     weft_store_get_string (self->scope->store, group->detail));
      return;
    }
  address = group->key == 0 ? g_strdup ("[not known]")
                            : g_strdup_printf ("0x%" G_GINT64_MODIFIER "x", group->key);
  weft_table_builder_set_string (builder, G_NAME, address);
  if (group->key != 0)
    weft_table_builder_set_uint64 (builder, G_OBJECT, group->key);
}

static void
name_thread (Waits *self, WeftTableBuilder *builder, guint32 id)
{
  const WeftCatalogThread *thread = weft_catalog_get_thread (self->catalog, id);

  weft_table_builder_set_uint64 (builder, G_THREAD, id);
  if (thread == NULL)
    return;
  weft_table_builder_set_string (builder, G_NAME, thread->name);
  weft_table_builder_set_uint64 (builder, G_PROCESS, thread->process);
}

static void
name_group (Waits *self, WeftTableBuilder *builder, const Group *group)
{
  const WeftCatalogProcess *process;

  switch (self->by)
    {
    case BY_REASON:
      weft_table_builder_set_string (
          builder, G_NAME,
          weft_stack_state_get_name (WEFT_STACK_WAITS (MIN (group->key, WEFT_N_WAIT_REASONS - 1))));
      break;
    case BY_THREAD:
      name_thread (self, builder, (guint32) group->key);
      break;
    case BY_PROCESS:
      process = weft_catalog_get_process (self->catalog, (guint32) group->key);
      weft_table_builder_set_uint64 (builder, G_PROCESS, group->key);
      weft_table_builder_set_string (builder, G_NAME, process == NULL ? NULL : process->name);
      break;
    case BY_OBJECT:
      name_object (self, builder, group);
      break;
    default:
      set_stack (self, builder, G_NAME, (guint32) group->key);
      if (group->key == 0)
        weft_table_builder_set_string (builder, G_NAME, "[no stack]");
      weft_table_builder_set_uint64 (
          builder, G_CALLCHAIN,
          weft_callchain_reader_get_id (self->callchains, (guint32) group->key));
    }
}

static void
write_group (Waits *self, WeftTableBuilder *builder, const Group *group)
{
  guint top = 0;

  weft_table_builder_begin_row (builder);
  name_group (self, builder, group);
  weft_table_builder_set_uint64 (builder, G_COUNT, group->count);
  weft_table_builder_set_uint64 (builder, G_TOTAL, group->total);
  weft_answer_set_share (builder, G_SHARE, group->total, self->total);
  weft_table_builder_set_uint64 (builder, G_MEAN, group->total / group->count);
  weft_table_builder_set_uint64 (builder, G_LONGEST, group->longest);
  weft_table_builder_set_uint64 (builder, G_WAKERS_KNOWN, group->n_known);
  weft_table_builder_set_uint64 (builder, G_STACKS, group->n_stacks);
  for (guint i = 1; i < WEFT_N_WAIT_REASONS; i++)
    if (group->reasons[i] > group->reasons[top])
      top = i;
  if (self->by != BY_REASON)
    weft_table_builder_set_string (builder, G_TOP_REASON,
                                   weft_stack_state_get_name (WEFT_STACK_WAITS (top)));
}

/* ---- Tables ---- */

static void
set_hint (Waits *self, WeftTableBuilder *builder)
{
  g_autofree char *hint = NULL;

  if (self->count > 0 || self->scope->cursor != NULL)
    return;
  hint = self->facts.n_waits == 0 ? weft_cpu_hints_explain_no_waits (&self->facts)
                                  : weft_cpu_hints_explain_nothing (&self->facts, self->scope);
  weft_table_builder_set_hint (builder, hint);
}

static WeftTableBuilder *
make_waits (Waits *self, GError **error)
{
  g_autoptr (WeftTableBuilder) builder = weft_answer_begin_table ("waits", wait_columns, N_COLUMNS);
  g_autoptr (WeftRowCursor) row = weft_row_cursor_new (self->scope, WEFT_TABLE_WAITS);

  for (guint i = 0, n = weft_ranking_finish (self->ranking); i < n; i++)
    if (weft_row_cursor_seek (row, weft_ranking_get (self->ranking, i)->id))
      write_wait (self, builder, row);
  return weft_row_cursor_finish (row, error) ? g_steal_pointer (&builder) : NULL;
}

static WeftTableBuilder *
make_groups (Waits *self)
{
  WeftTableBuilder *builder = weft_table_builder_new ("waits");

  weft_table_builder_add_columns (builder, group_columns, N_GROUP_COLUMNS);
  rank_groups (self);
  for (guint i = 0, n = weft_ranking_finish (self->ranking); i < n; i++)
    write_group (self, builder, weft_ranking_get (self->ranking, i)->data);
  return builder;
}

static gboolean
read_waits (Waits *self, GError **error)
{
  const WeftFrameNamesOptions options =
      WEFT_FRAME_NAMES_OPTIONS (self->scope, WEFT_FRAME_GROUP_FUNCTION);

  self->catalog = weft_catalog_new (self->scope->store, self->scope->cancellable, error);
  self->callchains = self->catalog != NULL ? weft_callchain_reader_new (self->scope, error) : NULL;
  if (self->callchains == NULL ||
      !weft_cpu_filter_new (self->scope, self->callchains, self->catalog, &self->filter, error))
    return FALSE;
  self->names = weft_frame_names_new (self->scope, self->callchains, &options, error);
  return self->names != NULL &&
         weft_stream_waits (self->scope, self->callchains, self->filter, take_wait, self, error);
}

static gboolean
run_waits (const WeftAnalysisScope *scope, WeftReport *report, GError **error)
{
  g_auto (Waits) self = { .scope = scope };
  WeftTableBuilder *builder;
  gint64 begin, end;

  for (guint i = 0; group_words[i] != NULL; i++)
    if (strcmp (group_words[i], scope->group_by) == 0)
      self.by = i;
  weft_key_map_init (&self.keys);
  self.groups = g_array_new (FALSE, FALSE, sizeof (Group));
  self.ranking = weft_ranking_new (scope, "waits", strcmp (scope->order_by, "start") == 0, error);
  if (self.ranking == NULL || !weft_scope_find_range (scope, &begin, &end, error) ||
      !weft_cpu_hints_read (&self.facts, scope, error) || !read_waits (&self, error))
    return FALSE;
  builder = self.by == BY_WAIT ? make_waits (&self, error) : make_groups (&self);
  if (builder == NULL)
    return FALSE;
  weft_ranking_set_cursor (self.ranking, builder);
  set_hint (&self, builder);
  weft_answer_add_table (report, builder);
  return TRUE;
}

static const char *const order_words[] = { "duration", "count", "longest", "mean", "start", NULL };

const WeftAnalysisKind weft_analyze_waits = {
  .name = "waits",
  .summary = "What threads waited for, each time or summed up",
  .run = run_waits,
  .options = WEFT_ANALYSIS_OPTION_FILTER | WEFT_ANALYSIS_OPTION_RANGE | WEFT_ANALYSIS_OPTION_GROUP |
             WEFT_ANALYSIS_OPTION_ORDER | WEFT_ANALYSIS_OPTION_LIMIT | WEFT_ANALYSIS_OPTION_CURSOR |
             WEFT_ANALYSIS_OPTION_EXCLUDED | WEFT_ANALYSIS_OPTION_INLINES |
             WEFT_ANALYSIS_OPTION_REASONS,
  .groups = group_words,
  .orders = order_words,
  .default_limit = DEFAULT_LIMIT,
};
