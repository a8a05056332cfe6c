/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The segments of a path, each with what proves it. */

#include <string.h>

#include "weft-answer.h"
#include "weft-critical-path-answer.h"
#include "weft-ranking.h"
#include "weft-stack-weights.h"

/* Functions of a stack that are told. */
#define MAX_FUNCTIONS 10

enum
{
  START,
  DURATION,
  KIND,
  CONFIDENCE,
  THREAD,
  THREAD_TID,
  THREAD_NAME,
  THREAD_PROCESS,
  THREAD_PROCESS_NAME,
  LANE,
  LANE_NAME,
  ROUTINE,
  ROUTINE_NAME,
  DISPATCH,
  BEHIND,
  REASON,
  LINK,
  LINKED_WAIT,
  LINKED_WAKEUP,
  LINKED_DISPATCH,
  WAIT,
  WAKEUP,
  ORIGIN,
  WAIT_BEGIN,
  WAIT_END,
  SAMPLES,
  SAMPLE,
  AFTER_WAIT,
  BEFORE_WAIT,
  CAUSE,
  STACK,
  EVIDENCE,
  N_COLUMNS
};

static const WeftAnswerColumn columns[N_COLUMNS] = {
  [START] = WEFT_ANSWER_COLUMN ("start", TIME),
  [DURATION] = WEFT_ANSWER_COLUMN ("duration", DURATION),
  [KIND] = WEFT_ANSWER_COLUMN ("kind", STRING),
  [CONFIDENCE] = WEFT_ANSWER_COLUMN ("confidence", STRING),
  [THREAD] = WEFT_ANSWER_ID ("thread", "t"),
  [THREAD_TID] = WEFT_ANSWER_COLUMN ("tid", UINT64),
  [THREAD_NAME] = WEFT_ANSWER_COLUMN ("thread_name", STRING),
  [THREAD_PROCESS] = WEFT_ANSWER_ID ("process", "p"),
  [THREAD_PROCESS_NAME] = WEFT_ANSWER_COLUMN ("process_name", STRING),
  [LANE] = WEFT_ANSWER_ID ("lane", "l"),
  [LANE_NAME] = WEFT_ANSWER_COLUMN ("lane_name", STRING),
  [ROUTINE] = WEFT_ANSWER_ID ("routine", "r"),
  [ROUTINE_NAME] = WEFT_ANSWER_COLUMN ("routine_name", STRING),
  [DISPATCH] = WEFT_ANSWER_ID ("dispatch", "d"),
  [BEHIND] = WEFT_ANSWER_ID ("behind", "d"),
  [REASON] = WEFT_ANSWER_COLUMN ("reason", STRING),
  [LINK] = WEFT_ANSWER_COLUMN ("link", STRING),
  [LINKED_WAIT] = WEFT_ANSWER_ID ("linked_wait", "wt"),
  [LINKED_WAKEUP] = WEFT_ANSWER_ID ("linked_wakeup", "wk"),
  [LINKED_DISPATCH] = WEFT_ANSWER_ID ("linked_dispatch", "d"),
  [WAIT] = WEFT_ANSWER_ID ("wait", "wt"),
  [WAKEUP] = WEFT_ANSWER_ID ("wakeup", "wk"),
  [ORIGIN] = WEFT_ANSWER_ID ("origin", "o"),
  [WAIT_BEGIN] = WEFT_ANSWER_ID ("wait_begin", "o"),
  [WAIT_END] = WEFT_ANSWER_ID ("wait_end", "o"),
  [SAMPLES] = WEFT_ANSWER_COLUMN ("samples", UINT64),
  [SAMPLE] = WEFT_ANSWER_ID ("sample", "sm"),
  [AFTER_WAIT] = WEFT_ANSWER_ID ("after_wait", "wt"),
  [BEFORE_WAIT] = WEFT_ANSWER_ID ("before_wait", "wt"),
  [CAUSE] = WEFT_ANSWER_COLUMN ("cause", STRING),
  [STACK] = WEFT_ANSWER_COLUMN ("stack", STRING),
  [EVIDENCE] = WEFT_ANSWER_COLUMN ("evidence", STRING),
};

typedef struct
{
  WeftPathAnswer *answer;
  WeftTableBuilder *builder;
  GString *evidence; /* handles of the row at hand */
} Rows;

static const WeftPathSegment *
get_segment (const WeftPathAnswer *self, guint index)
{
  return &g_array_index (self->segments, WeftPathSegment, index);
}

/* A handle in its column, and among what proves the row. */
static void
set_evidence (Rows *self, guint column, guint64 id)
{
  const char *prefix = columns[column].column.prefix;

  weft_table_builder_set_uint64 (self->builder, column, id);
  if (id != 0)
    g_string_append_printf (self->evidence, "%s%s-%" G_GUINT64_FORMAT,
                            self->evidence->len > 0 ? " " : "", prefix, id);
}

static void
set_stack (Rows *self, guint32 node)
{
  WeftFlameStacks *stacks = &self->answer->stacks;
  guint32 shown = weft_frame_names_leave_kernel (stacks->names, stacks->callchains, node);
  g_autofree char *stack =
      weft_frame_names_describe_stack (stacks->names, stacks->callchains, shown, MAX_FUNCTIONS);

  weft_table_builder_set_string (self->builder, STACK, stack);
}

/* Between which waits it ran, and what was seen of it. */
static void
write_run (Rows *self, const WeftPathSegment *segment)
{
  const WeftPathHistory *history = &self->answer->history;
  const WeftPathThread *thread = weft_path_thread (history, segment->thread);
  guint32 before = weft_path_history_find_wait (history, segment->thread, segment->start + 1);
  guint32 after = before == WEFT_PATH_NONE ? thread->first_wait : before + 1;
  const WeftPathSample *first;
  guint n = weft_path_samples_find (self->answer->samples, thread->id, segment->start,
                                    segment->stop, &first);

  weft_table_builder_set_uint64 (self->builder, SAMPLES, n);
  if (n > 0)
    {
      set_evidence (self, SAMPLE, first[n - 1].id);
      set_stack (self, first[n - 1].stack);
    }
  if (before != WEFT_PATH_NONE)
    set_evidence (self, AFTER_WAIT, weft_path_wait (history, before)->id);
  if (after < thread->first_wait + thread->n_waits)
    set_evidence (self, BEFORE_WAIT, weft_path_wait (history, after)->id);
}

static void
write_wait (Rows *self, guint32 index)
{
  const WeftPathWait *wait = weft_path_wait (&self->answer->history, index);

  set_evidence (self, WAIT, wait->id);
  set_evidence (self, WAKEUP, wait->wakeup);
  weft_table_builder_set_string (self->builder, REASON,
                                 weft_stack_state_get_name (WEFT_STACK_WAITS (wait->reason)));
  set_stack (self, wait->stack);
}

static void
write_dispatch (Rows *self, const WeftPathSegment *segment)
{
  const WeftPathDispatch *dispatch = weft_path_dispatch (&self->answer->history, segment->dispatch);
  WeftCatalog *catalog = self->answer->stacks.catalog;

  weft_table_builder_set_uint64 (self->builder, LANE, dispatch->lane);
  weft_table_builder_set_string (self->builder, LANE_NAME,
                                 weft_catalog_get_lane_name (catalog, dispatch->lane));
  weft_table_builder_set_uint64 (self->builder, ROUTINE, dispatch->routine);
  weft_table_builder_set_string (self->builder, ROUTINE_NAME,
                                 weft_catalog_get_routine_name (catalog, dispatch->routine));
  set_evidence (self, DISPATCH, dispatch->id);
  if (segment->kind == WEFT_PATH_QUEUE)
    set_evidence (self, ORIGIN, dispatch->origin);
  if (segment->before != WEFT_PATH_NONE)
    set_evidence (self, BEHIND, weft_path_dispatch (&self->answer->history, segment->before)->id);
}

static void
write_zone (Rows *self, guint32 index)
{
  const WeftPathZone *zone = weft_path_zone (&self->answer->history, index);

  set_evidence (self, WAIT_BEGIN, zone->begin_origin);
  set_evidence (self, WAIT_END, zone->end_origin);
}

/* How the path goes on to the NEXT segment. */
static void
write_link (Rows *self, const WeftPathSegment *segment, const WeftPathSegment *next)
{
  const WeftPathHistory *history = &self->answer->history;

  weft_table_builder_set_string (self->builder, LINK, weft_path_link_get_name (segment->link));
  if (segment->linked != WEFT_PATH_NONE)
    {
      const WeftPathWait *wait = weft_path_wait (history, segment->linked);

      set_evidence (self, LINKED_WAIT, wait->id);
      set_evidence (self, LINKED_WAKEUP, wait->wakeup);
    }
  else if (segment->link == WEFT_PATH_QUEUED && next != NULL && next->dispatch != WEFT_PATH_NONE)
    {
      const WeftPathDispatch *dispatch = weft_path_dispatch (history, next->dispatch);

      set_evidence (self, LINKED_DISPATCH, dispatch->id);
      set_evidence (self, ORIGIN, dispatch->origin);
    }
}

static void
write_segment (Rows *self, guint index)
{
  WeftPathAnswer *answer = self->answer;
  const WeftPathSegment *segment = get_segment (answer, index);
  const WeftPathSegment *next =
      index + 1 < answer->segments->len ? get_segment (answer, index + 1) : NULL;

  weft_table_builder_begin_row (self->builder);
  g_string_truncate (self->evidence, 0);
  weft_table_builder_set_int64 (self->builder, START, segment->start);
  weft_table_builder_set_uint64 (self->builder, DURATION,
                                 (guint64) (segment->stop - segment->start));
  weft_table_builder_set_string (self->builder, KIND, weft_path_kind_get_name (segment->kind));
  weft_table_builder_set_string (self->builder, CONFIDENCE,
                                 weft_path_confidence_get_name (segment->confidence));
  if (segment->thread != WEFT_PATH_NONE)
    weft_answer_set_thread (self->builder, THREAD, answer->stacks.catalog,
                            weft_path_thread (&answer->history, segment->thread)->id, 0);
  if (segment->kind == WEFT_PATH_RUN)
    write_run (self, segment);
  if (segment->wait != WEFT_PATH_NONE)
    write_wait (self, segment->wait);
  if (segment->dispatch != WEFT_PATH_NONE)
    write_dispatch (self, segment);
  if (segment->zone != WEFT_PATH_NONE)
    write_zone (self, segment->zone);
  write_link (self, segment, next);
  weft_table_builder_set_string (self->builder, CAUSE, weft_path_cause_explain (segment->cause));
  if (self->evidence->len > 0)
    weft_table_builder_set_string (self->builder, EVIDENCE, self->evidence->str);
}

gboolean
weft_path_answer_add_segments (WeftPathAnswer *self, WeftReport *report, GError **error)
{
  gboolean by_time = strcmp (self->scope->order_by, "time") == 0;
  g_autoptr (WeftRanking) ranking = weft_ranking_new (self->scope, "critical-path", by_time, error);
  g_autoptr (GString) evidence = g_string_new (NULL);
  Rows rows = { self, NULL, evidence };

  if (ranking == NULL)
    return FALSE;
  for (guint i = 0; i < self->segments->len; i++)
    {
      const WeftPathSegment *segment = get_segment (self, i);

      weft_ranking_add (ranking, by_time ? segment->start : segment->stop - segment->start, i,
                        NULL);
    }
  rows.builder = weft_answer_begin_table ("critical-path", columns, N_COLUMNS);
  for (guint i = 0, n = weft_ranking_finish (ranking); i < n; i++)
    write_segment (&rows, (guint) weft_ranking_get (ranking, i)->id);
  weft_ranking_set_cursor (ranking, rows.builder);
  weft_answer_add_table (report, rows.builder);
  return TRUE;
}
