/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Time off the CPU by the target work that was waited for; what is left by its reason. */

#include <string.h>

#include "weft-answer.h"
#include "weft-critical-path-answer.h"
#include "weft-ranking.h"
#include "weft-stack-weights.h"

typedef enum
{
  BY_ROUTINE,
  BY_DISPATCH,
  BY_LANE,
  BY_THREAD
} GroupBy;

typedef struct
{
  guint64 key; /* of what GroupBy says; of waits for none, a reason */
  gboolean is_work;
  guint32 dispatch; /* index: the one that was waited for longest */
  guint32 thread;   /* index: of the last */
  guint64 count;
  guint64 time;
  guint64 running;
  guint64 queued;
  guint64 told; /* from its end until the thread ran again */
  guint64 longest;
} Group;

typedef struct
{
  WeftPathAnswer *answer;
  GroupBy by;
  GArray *groups; /* element type Group */
  WeftKeyMap works;
  WeftKeyMap others;
  guint64 total;
} OffCpu;

static void
off_cpu_clear (OffCpu *self)
{
  weft_key_map_clear (&self->works);
  weft_key_map_clear (&self->others);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (OffCpu, off_cpu_clear)

static guint64
get_key (const OffCpu *self, const WeftPathDispatch *dispatch, guint32 thread)
{
  switch (self->by)
    {
    case BY_DISPATCH:
      return dispatch->id;
    case BY_LANE:
      return dispatch->lane;
    case BY_THREAD:
      return thread;
    default:
      return (guint64) dispatch->lane << 32 | dispatch->routine;
    }
}

static Group *
get_group (OffCpu *self, guint64 key, gboolean is_work)
{
  guint32 number =
      weft_key_map_add (is_work ? &self->works : &self->others, key, self->groups->len);

  if (number == self->groups->len)
    g_array_append_vals (self->groups,
                         &(Group){ .key = key, .is_work = is_work, .dispatch = WEFT_PATH_NONE }, 1);
  return &g_array_index (self->groups, Group, number);
}

static guint64
get_overlap (gint64 start, gint64 stop, gint64 from, gint64 to)
{
  start = MAX (start, from);
  stop = MIN (stop, to);
  return stop > start ? (guint64) (stop - start) : 0;
}

/* A part of a wait, in which DISPATCH was what held it up. */
static void
add_work (OffCpu *self, const WeftPathZone *zone, guint32 index, gint64 start, gint64 stop)
{
  const WeftPathDispatch *dispatch = weft_path_dispatch (&self->answer->history, index);
  Group *group = get_group (self, get_key (self, dispatch, zone->thread), TRUE);
  guint64 time = (guint64) (stop - start);

  group->count++;
  group->time += time;
  group->running += get_overlap (start, stop, dispatch->start, dispatch->end);
  group->queued += get_overlap (start, stop, G_MININT64, dispatch->start);
  group->told += get_overlap (start, stop, dispatch->end, G_MAXINT64);
  group->thread = zone->thread;
  if (time >= group->longest)
    group->dispatch = index;
  group->longest = MAX (group->longest, time);
  self->total += time;
}

/* Of a submission that was waited for each dispatch has the time since the one before ended. */
static void
add_works (OffCpu *self, guint32 zone_index, gint64 start, gint64 stop)
{
  const WeftPathHistory *history = &self->answer->history;
  const WeftPathZone *zone = weft_path_zone (history, zone_index);
  guint32 dispatch = zone->dispatch;

  while (start < stop)
    {
      guint32 fellow = weft_path_history_find_fellow (
          history, zone_index, dispatch, weft_path_dispatch (history, dispatch)->start);
      gint64 since = start;

      if (fellow != WEFT_PATH_NONE)
        since = MAX (start, weft_path_dispatch (history, fellow)->end);
      if (since < stop)
        add_work (self, zone, dispatch, since, stop);
      stop = MIN (stop, since);
      if (fellow == WEFT_PATH_NONE)
        break;
      dispatch = fellow;
    }
}

static void
add_other (OffCpu *self, guint32 thread, const WeftPathWait *wait, gint64 start, gint64 stop)
{
  guint64 key = self->by == BY_THREAD ? (guint64) thread << 8 | wait->reason : wait->reason;
  Group *group;
  guint64 time = (guint64) (stop - start);

  if (start >= stop)
    return;
  group = get_group (self, key, FALSE);
  group->count++;
  group->time += time;
  group->thread = thread;
  group->longest = MAX (group->longest, time);
  self->total += time;
}

/* A wait in parts, in the order of time. */
static void
add_wait (OffCpu *self, guint32 thread, const WeftPathWait *wait)
{
  const WeftPathHistory *history = &self->answer->history;
  const WeftPathThread *owner = weft_path_thread (history, thread);
  gint64 start = MAX (wait->start, self->answer->question.begin);
  gint64 stop = MIN (wait->end, self->answer->question.end);
  guint32 first = weft_path_history_find_zone (history, thread, start + 1);

  if (first == WEFT_PATH_NONE)
    first = owner->first_zone;
  for (guint i = first; i < owner->first_zone + owner->n_zones && start < stop; i++)
    {
      const WeftPathZone *zone = weft_path_zone (history, i);

      if (zone->start >= stop)
        break;
      if (!zone->is_proven || zone->end <= start)
        continue;
      add_other (self, thread, wait, start, zone->start);
      start = MAX (start, zone->start);
      add_works (self, i, start, MIN (stop, zone->end));
      start = MIN (stop, zone->end);
    }
  add_other (self, thread, wait, start, stop);
}

/* ---- Rows ---- */

enum
{
  NAME,
  REASON,
  THREAD,
  LANE,
  ROUTINE,
  DISPATCH,
  COUNT,
  OFF_CPU,
  SHARE,
  RUNNING,
  QUEUED,
  TOLD,
  LONGEST,
  N_COLUMNS
};

static const WeftAnswerColumn columns[N_COLUMNS] = {
  [NAME] = WEFT_ANSWER_COLUMN ("name", STRING),
  [REASON] = WEFT_ANSWER_COLUMN ("reason", STRING),
  [THREAD] = WEFT_ANSWER_ID ("thread", "t"),
  [LANE] = WEFT_ANSWER_ID ("lane", "l"),
  [ROUTINE] = WEFT_ANSWER_ID ("routine", "r"),
  [DISPATCH] = WEFT_ANSWER_ID ("dispatch", "d"),
  [COUNT] = WEFT_ANSWER_COLUMN ("count", UINT64),
  [OFF_CPU] = WEFT_ANSWER_COLUMN ("off_cpu", DURATION),
  [SHARE] = WEFT_ANSWER_UNIT ("share", DOUBLE, "percent"),
  [RUNNING] = WEFT_ANSWER_COLUMN ("running", DURATION),
  [QUEUED] = WEFT_ANSWER_COLUMN ("queued", DURATION),
  [TOLD] = WEFT_ANSWER_COLUMN ("completion", DURATION),
  [LONGEST] = WEFT_ANSWER_COLUMN ("longest", DURATION),
};

static void
write_work (OffCpu *self, WeftTableBuilder *builder, const Group *group)
{
  const WeftPathDispatch *dispatch = weft_path_dispatch (&self->answer->history, group->dispatch);
  WeftCatalog *catalog = self->answer->stacks.catalog;
  const char *name = self->by == BY_LANE
                         ? weft_catalog_get_lane_name (catalog, dispatch->lane)
                         : weft_catalog_get_routine_name (catalog, dispatch->routine);

  weft_table_builder_set_string (builder, NAME, self->by == BY_THREAD ? "[target work]" : name);
  if (self->by == BY_THREAD)
    weft_table_builder_set_uint64 (builder, THREAD,
                                   weft_path_thread (&self->answer->history, group->thread)->id);
  else
    weft_table_builder_set_uint64 (builder, LANE, dispatch->lane);
  if (self->by == BY_ROUTINE || self->by == BY_DISPATCH)
    weft_table_builder_set_uint64 (builder, ROUTINE, dispatch->routine);
  weft_table_builder_set_uint64 (builder, DISPATCH, dispatch->id);
  weft_table_builder_set_uint64 (builder, RUNNING, group->running);
  weft_table_builder_set_uint64 (builder, QUEUED, group->queued);
  weft_table_builder_set_uint64 (builder, TOLD, group->told);
}

static void
write_group (OffCpu *self, WeftTableBuilder *builder, const Group *group)
{
  weft_table_builder_begin_row (builder);
  if (group->is_work)
    write_work (self, builder, group);
  else
    {
      weft_table_builder_set_string (builder, NAME, "[no target work known]");
      weft_table_builder_set_string (
          builder, REASON, weft_stack_state_get_name (WEFT_STACK_WAITS (group->key & 0xff)));
      if (self->by == BY_THREAD)
        weft_table_builder_set_uint64 (
            builder, THREAD, weft_path_thread (&self->answer->history, group->thread)->id);
    }
  weft_table_builder_set_uint64 (builder, COUNT, group->count);
  weft_table_builder_set_uint64 (builder, OFF_CPU, group->time);
  weft_answer_set_share (builder, SHARE, group->time, self->total);
  weft_table_builder_set_uint64 (builder, LONGEST, group->longest);
}

static gboolean
make_table (OffCpu *self, WeftReport *report, GError **error)
{
  g_autoptr (WeftRanking) ranking =
      weft_ranking_new (self->answer->scope, "critical-path", FALSE, error);
  WeftTableBuilder *builder;

  if (ranking == NULL)
    return FALSE;
  for (guint i = 0; i < self->groups->len; i++)
    {
      Group *group = &g_array_index (self->groups, Group, i);

      weft_ranking_add (ranking, weft_rank_key (group->time), i, group);
    }
  builder = weft_answer_begin_table ("off-cpu", columns, N_COLUMNS);
  for (guint i = 0, n = weft_ranking_finish (ranking); i < n; i++)
    write_group (self, builder, weft_ranking_get (ranking, i)->data);
  weft_ranking_set_cursor (ranking, builder);
  if (self->groups->len == 0)
    {
      g_autofree char *hint = weft_cpu_hints_explain_no_waits (&self->answer->hints);

      weft_table_builder_set_hint (builder, hint);
    }
  weft_answer_add_table (report, builder);
  return TRUE;
}

static void
add_thread (OffCpu *self, guint32 index)
{
  const WeftPathThread *thread = weft_path_thread (&self->answer->history, index);

  for (guint i = thread->first_wait; i < thread->first_wait + thread->n_waits; i++)
    add_wait (self, index, weft_path_wait (&self->answer->history, i));
}

gboolean
weft_path_answer_add_off_cpu (WeftPathAnswer *self, WeftReport *report, GError **error)
{
  static const char *const words[] = { "routine", "dispatch", "lane", "thread" };
  g_autoptr (GArray) groups = g_array_new (FALSE, FALSE, sizeof (Group));
  g_auto (OffCpu) off_cpu = { .answer = self, .groups = groups };

  weft_key_map_init (&off_cpu.works);
  weft_key_map_init (&off_cpu.others);
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (strcmp (self->scope->group_by, words[i]) == 0)
      off_cpu.by = i;
  if (self->scope->handle != NULL && self->question.thread != WEFT_PATH_NONE)
    add_thread (&off_cpu, self->question.thread);
  else
    for (guint32 i = 0; i < self->history.threads->len; i++)
      add_thread (&off_cpu, i);
  return make_table (&off_cpu, report, error);
}
