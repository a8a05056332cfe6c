/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What threads did: by samples what they ran, by waits what they waited for. */

#include "weft-flame-threads.h"
#include "weft-cpu-hints.h"

#include <string.h>

#include "weft-analysis-scope.h"
#include "weft-flame-rows.h"
#include "weft-row-cursor.h"

#define NOTHING G_MAXUINT32

typedef struct
{
  WeftFlameStacks stacks;
  const WeftAnalysisScope *scope;
  const WeftFlameMode *mode;
  WeftFlameWork *work; /* or NULL */
  gboolean by_time;
  GArray *moments;         /* element type WeftFlameMoment, if by time */
  const WeftWaitRow *wait; /* at hand */
  guint32 cut;             /* of its stack */
} Threads;

static void
threads_clear (Threads *self)
{
  weft_flame_stacks_clear (&self->stacks);
  g_clear_pointer (&self->work, weft_flame_work_free);
  g_clear_pointer (&self->moments, g_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Threads, threads_clear)

/* ---- Adding ---- */

/* A leaf stands inside of the stack; where stacks are turned round, that is before it. */
static void
add_time (Threads *self, const WeftFlameMoment *moment, guint reason)
{
  WeftFlameStacks *stacks = &self->stacks;
  gboolean has_leaf = moment->leaf != NOTHING;
  guint32 node = weft_flame_stacks_get_root (stacks, moment->thread, reason);

  if (has_leaf && self->scope->inverted)
    node = weft_flame_tree_get_child (stacks->tree, node, moment->leaf);
  node = weft_flame_stacks_place (stacks, node, moment->stack, moment->cut);
  if (has_leaf && !self->scope->inverted)
    node = weft_flame_tree_get_child (stacks->tree, node, moment->leaf);
  weft_flame_tree_add (stacks->tree, node, moment->time, moment->amount, 1);
}

static void
add_moment (Threads *self, const WeftFlameMoment *moment, guint reason)
{
  if (self->by_time)
    g_array_append_val (self->moments, *moment);
  else
    add_time (self, moment, reason);
}

static void
add_sample (const WeftSampleRow *sample, gpointer data)
{
  Threads *self = data;
  guint64 before = MIN (sample->weight, (guint64) sample->row.start - (guint64) G_MININT64);
  WeftFlameMoment moment = {
    .thread = sample->row.thread,
    .stack = sample->row.node,
    .cut = weft_flame_stacks_get_cut (&self->stacks, sample->row.node, sample->end),
    .leaf = NOTHING,
    .time = WEFT_FLAME_ON_CPU,
    .start = MAX ((gint64) ((guint64) sample->row.start - before), self->scope->begin),
    .stop = sample->row.start,
    .slack = sample->weight,
    .amount = sample->weight,
  };

  add_moment (self, &moment, 0);
}

static guint32
get_work_item (Threads *self, const WeftWorkPiece *work)
{
  WeftFlameItem item = {
    .kind = WEFT_FLAME_WORK,
    .id = work->routine,
    .variant = work->lane,
    .name = weft_catalog_get_routine_name (self->stacks.catalog, work->routine),
    .lane = work->lane,
  };

  if (item.name == NULL)
    item.name = "[target work]";
  return weft_flame_tree_add_item (self->stacks.tree, &item);
}

static void
add_part (gint64 start, gint64 stop, const WeftWorkPiece *work, gpointer data)
{
  Threads *self = data;
  const WeftWaitRow *wait = self->wait;
  WeftFlameMoment moment = {
    .thread = wait->row.thread,
    .stack = work ? work->stack : wait->row.node,
    .cut = work ? NOTHING : self->cut,
    .leaf = NOTHING,
    .time = work ? WEFT_FLAME_OF_TARGET : WEFT_FLAME_OFF_CPU,
    .start = start,
    .stop = stop,
    .amount = (guint64) stop - (guint64) start,
  };

  if (work != NULL)
    moment.leaf = get_work_item (self, work);
  else if (self->stacks.group != WEFT_FLAME_BY_REASON)
    moment.leaf = weft_flame_stacks_get_reason_item (&self->stacks, wait->row.reason);
  add_moment (self, &moment, wait->row.reason);
}

static gboolean
is_wanted (const WeftAnalysisScope *scope, guint reason)
{
  return scope->reasons == 0 || (reason < 32 && (scope->reasons >> reason & 1));
}

static void
add_wait (const WeftWaitRow *wait, gpointer data)
{
  Threads *self = data;
  gint64 start = MAX (wait->row.start, self->scope->begin);
  gint64 stop = MIN (wait->row.end, self->scope->end);

  if (!is_wanted (self->scope, wait->row.reason) || start >= stop)
    return;
  self->wait = wait;
  self->cut = weft_flame_stacks_get_cut (&self->stacks, wait->row.node, wait->end);
  if (self->work != NULL)
    weft_flame_work_split (self->work, wait->row.thread, start, stop, add_part, self);
  else
    add_part (start, stop, NULL, self);
}

/* ---- What there is to ask ---- */

static gboolean
choose_group (const WeftAnalysisScope *scope, const WeftFlameMode *mode, gboolean by_time,
              WeftFlameGroup *group, GError **error)
{
  static const struct
  {
    const char *word;
    WeftFlameGroup group;
  } groups[] = { { "process", WEFT_FLAME_BY_PROCESS },
                 { "thread", WEFT_FLAME_BY_THREAD },
                 { "reason", WEFT_FLAME_BY_REASON },
                 { "none", WEFT_FLAME_BY_NOTHING } };

  *group = by_time ? WEFT_FLAME_BY_THREAD : mode->group;
  if (!scope->has_group)
    return TRUE;
  for (gsize i = 0; i < G_N_ELEMENTS (groups); i++)
    if (strcmp (scope->group_by, groups[i].word) == 0 &&
        (groups[i].group != WEFT_FLAME_BY_REASON || !mode->has_samples) &&
        (groups[i].group == WEFT_FLAME_BY_THREAD || !by_time))
      {
        *group = groups[i].group;
        return TRUE;
      }
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY,
               "%s “%s” cannot be grouped by %s; there are: %s",
               by_time ? "In the order of time, mode" : "Mode", mode->name, scope->group_by,
               by_time             ? "thread"
               : mode->has_samples ? "process, thread, none"
                                   : "process, thread, reason, none");
  return FALSE;
}

static const char *
find_meta (const WeftAnalysisScope *scope, const char *key)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (scope, WEFT_TABLE_META);

  while (weft_row_cursor_next (rows))
    if (g_strcmp0 (weft_row_cursor_get_string (rows, WEFT_META_KEY), key) == 0)
      return weft_row_cursor_get_string (rows, WEFT_META_TEXT);
  return NULL;
}

/* Why there is nothing to show. */
static char *
explain_nothing (const Threads *self)
{
  WeftTableId table = self->mode->has_samples ? WEFT_TABLE_SAMPLES : WEFT_TABLE_WAITS;
  const char *missing = find_meta (self->scope, "sampler-missing");
  char *parallel = self->mode->has_samples ? weft_cpu_hints_explain_parallel (self->scope) : NULL;

  if (parallel != NULL)
    return parallel;
  if (weft_store_get_n_rows (self->scope->store, table) > 0)
    return g_strdup (
        "Nothing is left by the range, the filter and the reasons that were asked for");
  return g_strdup_printf ("The recording has no %s%s%s. “weft record -- PROGRAM” takes them; “weft "
                          "diagnose” tells what "
                          "was missing; “--mode target” shows what lanes ran",
                          self->mode->has_samples ? "CPU samples" : "waits", missing ? ": " : "",
                          missing ? missing : "");
}

static gboolean
check_question (const WeftAnalysisScope *scope, gboolean by_time, GError **error)
{
  if (!by_time || !scope->inverted)
    return TRUE;
  g_set_error_literal (error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY,
                       "Stacks in the order of time cannot be turned round: one or the other");
  return FALSE;
}

/* ---- Running ---- */

static gboolean
read_all (Threads *self, GError **error)
{
  WeftFlameStacks *stacks = &self->stacks;

  if (self->mode->has_work)
    self->work = weft_flame_work_new (self->scope, stacks->callchains, error);
  if (self->mode->has_work && self->work == NULL)
    return FALSE;
  if (self->mode->has_samples && !weft_stream_samples (self->scope, stacks->callchains,
                                                       stacks->filter, add_sample, self, error))
    return FALSE;
  if (self->mode->has_waits &&
      !weft_stream_waits (self->scope, stacks->callchains, stacks->filter, add_wait, self, error))
    return FALSE;
  if (self->by_time)
    weft_flame_add_moments (stacks, self->moments);
  if (!weft_flame_stacks_is_full (stacks))
    return TRUE;
  g_set_error_literal (error, WEFT_ERROR, WEFT_ERROR_TOO_LARGE,
                       "The flame graph is too large; ask for a range, a thread or with a filter");
  return FALSE;
}

gboolean
weft_flame_run_threads (const WeftAnalysisScope *scope, const WeftFlameMode *mode,
                        WeftReport *report, GError **error)
{
  gboolean by_time = strcmp (scope->order_by, "time") == 0;
  g_auto (Threads) self = { .scope = scope, .mode = mode, .by_time = by_time };
  const WeftFlameLayout layout = { by_time, scope->inverted, scope->min_share, mode->name };
  WeftTableBuilder *builder;
  WeftFlameGroup group;

  if (!check_question (scope, by_time, error) ||
      !choose_group (scope, mode, by_time, &group, error) ||
      !weft_flame_stacks_init (&self.stacks, scope, group, error))
    return FALSE;
  self.moments = g_array_new (FALSE, FALSE, sizeof (WeftFlameMoment));
  if (!read_all (&self, error))
    return FALSE;
  builder = weft_flame_rows_begin ();
  if (weft_flame_tree_is_empty (self.stacks.tree))
    {
      g_autofree char *hint = explain_nothing (&self);

      weft_table_builder_set_hint (builder, hint);
    }
  else
    weft_flame_tree_write (self.stacks.tree, &layout, builder);
  {
    g_autoptr (WeftTable) table = weft_table_builder_finish (builder);

    weft_report_append (report, table);
  }
  return self.work == NULL || weft_flame_work_tell (self.work, scope, report, error);
}
