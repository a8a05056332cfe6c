/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A path as a flame graph: what threads on it ran and waited for by their stacks, and target work
 * under the stack that provably waited for it. Target work that nobody's stack provably waited for
 * stands beside the threads.
 */

#include "weft-critical-path-answer.h"
#include "weft-flame-rows.h"

#define WHOLE G_MAXUINT32

typedef struct
{
  WeftPathAnswer *answer;
  WeftFlameStacks *stacks;
} Tree;

/* What is no function and no reason to wait. */
typedef enum
{
  STATE_NO_SAMPLE,
  STATE_RUNNABLE,
  STATE_QUEUED,
  STATE_COMPLETION,
  STATE_UNKNOWN
} State;

static guint32
get_state_item (Tree *self, State state)
{
  static const char *const names[] = { "[no sample]", "[woken, not yet running]",
                                       "[queued for a target]", "[target work over, not yet told]",
                                       "[unknown]" };
  WeftFlameItem item = { .kind = WEFT_FLAME_STATE, .id = state, .name = names[state] };

  return weft_flame_tree_add_item (self->stacks->tree, &item);
}

static guint32
get_work_item (Tree *self, const WeftPathDispatch *dispatch)
{
  WeftFlameItem item = {
    .kind = WEFT_FLAME_WORK,
    .id = dispatch->routine,
    .variant = dispatch->lane,
    .name = weft_catalog_get_routine_name (self->stacks->catalog, dispatch->routine),
    .lane = dispatch->lane,
  };

  if (item.name == NULL)
    item.name = "[target work]";
  return weft_flame_tree_add_item (self->stacks->tree, &item);
}

static guint32
get_root (Tree *self, guint32 thread)
{
  return weft_flame_stacks_get_root (self->stacks,
                                     weft_path_thread (&self->answer->history, thread)->id, 0);
}

static void
add_leaf (Tree *self, guint32 node, guint32 item, WeftFlameTime time,
          const WeftPathSegment *segment)
{
  node = weft_flame_tree_get_child (self->stacks->tree, node, item);
  weft_flame_tree_add (self->stacks->tree, node, time, (guint64) (segment->stop - segment->start),
                       1);
}

/* Each sample stands for the time since the one before; the last for the rest, too. */
static void
add_run (Tree *self, const WeftPathSegment *segment)
{
  guint32 root = get_root (self, segment->thread);
  const WeftPathSample *samples;
  gint64 since = segment->start;
  guint n = weft_path_samples_find (self->answer->samples,
                                    weft_path_thread (&self->answer->history, segment->thread)->id,
                                    segment->start, segment->stop, &samples);

  if (n == 0)
    add_leaf (self, root, get_state_item (self, STATE_NO_SAMPLE), WEFT_FLAME_ON_CPU, segment);
  for (guint i = 0; i < n; i++)
    {
      gint64 until = i + 1 < n ? samples[i].time : segment->stop;
      guint32 cut =
          weft_flame_stacks_get_cut (self->stacks, samples[i].stack, samples[i].stack_end);
      guint32 node = weft_flame_stacks_place (self->stacks, root, samples[i].stack, cut);

      weft_flame_tree_add (self->stacks->tree, node, WEFT_FLAME_ON_CPU, (guint64) (until - since),
                           1);
      since = until;
    }
}

static guint32
get_leaf_of_wait (Tree *self, const WeftPathSegment *segment, guint reason)
{
  switch (segment->kind)
    {
    case WEFT_PATH_RUNNABLE:
      return get_state_item (self, STATE_RUNNABLE);
    case WEFT_PATH_COMPLETION:
      return get_state_item (self, STATE_COMPLETION);
    case WEFT_PATH_UNKNOWN:
      return get_state_item (self, STATE_UNKNOWN);
    default:
      return weft_flame_stacks_get_reason_item (self->stacks, reason);
    }
}

static void
add_wait (Tree *self, const WeftPathSegment *segment)
{
  guint32 node = segment->thread != WEFT_PATH_NONE ? get_root (self, segment->thread) : 0;
  guint reason = WEFT_WAIT_REASON_UNKNOWN;

  if (segment->wait != WEFT_PATH_NONE)
    {
      const WeftPathWait *wait = weft_path_wait (&self->answer->history, segment->wait);
      guint32 cut = weft_flame_stacks_get_cut (self->stacks, wait->stack, wait->stack_end);

      node = weft_flame_stacks_place (self->stacks, node, wait->stack, cut);
      reason = wait->reason;
    }
  add_leaf (self, node, get_leaf_of_wait (self, segment, reason), WEFT_FLAME_OFF_CPU, segment);
}

/* Under the functions that queued and waited, where one thread provably did both. */
static guint32
find_place (Tree *self, const WeftPathSegment *segment, const WeftPathDispatch *dispatch)
{
  const WeftPathHistory *history = &self->answer->history;
  const WeftPathZone *zone =
      segment->zone != WEFT_PATH_NONE ? weft_path_zone (history, segment->zone) : NULL;

  if (zone == NULL || !dispatch->is_synchronous || dispatch->stack == 0 ||
      weft_path_thread (history, zone->thread)->id != dispatch->thread)
    return 0;
  return weft_flame_stacks_place (self->stacks, get_root (self, zone->thread), dispatch->stack,
                                  WHOLE);
}

static void
add_work (Tree *self, const WeftPathSegment *segment)
{
  const WeftPathDispatch *dispatch = weft_path_dispatch (&self->answer->history, segment->dispatch);
  guint32 place = find_place (self, segment, dispatch);

  if (segment->kind == WEFT_PATH_DEVICE)
    add_leaf (self, place, get_work_item (self, dispatch), WEFT_FLAME_OF_TARGET, segment);
  else
    add_leaf (self, place, get_state_item (self, STATE_QUEUED), WEFT_FLAME_OFF_CPU, segment);
}

gboolean
weft_path_answer_add_tree (WeftPathAnswer *self, WeftReport *report, GError **error)
{
  const WeftAnalysisScope *scope = self->scope;
  const WeftFlameLayout layout = { FALSE, scope->inverted, scope->min_share, "wall" };
  Tree tree = { self, &self->stacks };
  WeftTableBuilder *builder;
  g_autoptr (WeftTable) table = NULL;

  for (guint i = 0; i < self->segments->len && !weft_flame_stacks_is_full (tree.stacks); i++)
    {
      const WeftPathSegment *segment = &g_array_index (self->segments, WeftPathSegment, i);

      if (segment->kind == WEFT_PATH_RUN)
        add_run (&tree, segment);
      else if (segment->kind == WEFT_PATH_DEVICE || segment->kind == WEFT_PATH_QUEUE)
        add_work (&tree, segment);
      else
        add_wait (&tree, segment);
    }
  if (weft_flame_stacks_is_full (tree.stacks))
    {
      g_set_error_literal (error, WEFT_ERROR, WEFT_ERROR_TOO_LARGE,
                           "The tree of this path is too large; ask for a shorter range");
      return FALSE;
    }
  builder = weft_flame_rows_begin ();
  if (!weft_flame_tree_is_empty (self->stacks.tree))
    weft_flame_tree_write (self->stacks.tree, &layout, builder);
  table = weft_table_builder_finish (builder);
  weft_report_append (report, table);
  return TRUE;
}
