/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-critical-path-history.h"

#include "weft-analysis-scope.h"
#include "weft-critical-path-clocks.h"
#include "weft-cpu-stream.h"
#include "weft-row-scan.h"
#include "weft-row-table.h"
#include "weft-stack-weights.h"
#include "weft-waits.h"

guint32
weft_path_history_find_thread (const WeftPathHistory *self, guint32 id)
{
  guint32 index;

  return weft_key_map_find (&self->thread_numbers, id, &index) ? index : WEFT_PATH_NONE;
}

/* The one of this id, made where there is none. */
static guint32
get_thread (WeftPathHistory *self, guint32 id)
{
  guint32 index = weft_key_map_add (&self->thread_numbers, id, self->threads->len);

  if (index == self->threads->len)
    g_array_append_vals (self->threads, &(WeftPathThread){ .id = id }, 1);
  return index;
}

/* Of the rows of a thread the last counts. */
static void
take_life (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  WeftPathHistory *self = data;
  WeftPathThread *thread = weft_path_thread (self, get_thread (self, (guint32) values[0]));

  thread->died = weft_path_bound_time ((gint64) values[1]);
  thread->born = weft_path_bound_time ((gint64) values[2]);
  thread->has_life = thread->born < thread->died;
}

static gboolean
read_lives (WeftPathHistory *self, GError **error)
{
  static const WeftColumnNumber columns[] = { WEFT_THREAD_TIMES_THREAD, WEFT_THREAD_TIMES_TIME,
                                              WEFT_THREAD_TIMES_START };

  return weft_scan_rows (self->scope->store, WEFT_TABLE_THREAD_TIMES, columns,
                         G_N_ELEMENTS (columns), take_life, self, self->scope->cancellable, error);
}

/* ---- Who queued what ---- */

typedef struct
{
  guint64 origin;
  guint32 thread;
  gint64 time;
} Queuing;

typedef struct
{
  GArray *origins; /* element type Queuing */
  WeftKeyMap of_dispatches;
  WeftKeyMap of_submissions;
  WeftKeyMap awaited_dispatches; /* of which somebody tells that it waited for them */
  WeftKeyMap awaited_submissions;
} Queuings;

static void
queuings_init (Queuings *self)
{
  self->origins = g_array_new (FALSE, FALSE, sizeof (Queuing));
  weft_key_map_init (&self->of_dispatches);
  weft_key_map_init (&self->of_submissions);
  weft_key_map_init (&self->awaited_dispatches);
  weft_key_map_init (&self->awaited_submissions);
}

static void
queuings_clear (Queuings *self)
{
  g_array_unref (self->origins);
  weft_key_map_clear (&self->of_dispatches);
  weft_key_map_clear (&self->of_submissions);
  weft_key_map_clear (&self->awaited_dispatches);
  weft_key_map_clear (&self->awaited_submissions);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Queuings, queuings_clear)

/* The first that tells of each. */
static gboolean
read_queuings (Queuings *self, const WeftAnalysisScope *scope, WeftProducerIds *ids, GError **error)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (scope, WEFT_TABLE_ORIGINS);

  weft_row_cursor_where (rows, WEFT_ORIGINS_ROLE, WEFT_ORIGIN_ROLE_DISPATCH);
  while (weft_row_cursor_next (rows))
    {
      guint64 submission = weft_row_cursor_get (rows, WEFT_ORIGINS_SUBMISSION);
      guint64 dispatch =
          weft_producer_ids_get (ids, weft_row_cursor_get (rows, WEFT_ORIGINS_DISPATCH),
                                 weft_row_cursor_get (rows, WEFT_ORIGINS_RUNTIME),
                                 weft_row_cursor_get (rows, WEFT_ORIGINS_PRODUCER_DISPATCH));
      Queuing queuing = {
        .origin = weft_row_cursor_get_number (rows),
        .thread = (guint32) weft_row_cursor_get (rows, WEFT_ORIGINS_THREAD),
        .time = weft_path_bound_time (weft_row_cursor_get_signed (rows, WEFT_ORIGINS_TIME)),
      };

      if (dispatch == 0 && submission == 0)
        continue;
      weft_key_map_add (dispatch != 0 ? &self->of_dispatches : &self->of_submissions,
                        dispatch != 0 ? dispatch : submission, self->origins->len);
      g_array_append_val (self->origins, queuing);
    }
  return weft_row_cursor_finish (rows, error);
}

static void
note_awaited (Queuings *self, const GArray *waits)
{
  for (guint i = 0; i < waits->len; i++)
    {
      const WeftWait *wait = &g_array_index (waits, WeftWait, i);

      if (wait->dispatch != 0)
        weft_key_map_add (&self->awaited_dispatches, wait->dispatch, 0);
      else if (wait->submission != 0)
        weft_key_map_add (&self->awaited_submissions, wait->submission, 0);
    }
}

static const Queuing *
find_queuing (const Queuings *self, const WeftPathDispatch *dispatch)
{
  guint32 index;

  if (weft_key_map_find (&self->of_dispatches, dispatch->id, &index) ||
      (dispatch->submission != 0 &&
       weft_key_map_find (&self->of_submissions, dispatch->submission, &index)))
    return &g_array_index (self->origins, Queuing, index);
  return NULL;
}

/* ---- Dispatches ---- */

static gint64
earlier (gint64 time, gint64 by)
{
  return time < G_MININT64 + by ? G_MININT64 : time - by;
}

static gint64
later (gint64 time, gint64 by)
{
  return by > 0 && time > G_MAXINT64 - by ? G_MAXINT64 : time + by;
}

/* When it was handed over: as it was told, else its start without the time that it queued, else
 * when its thread queued it.
 */
static void
find_queued (WeftPathDispatch *dispatch, WeftRowCursor *rows, const Queuing *queuing)
{
  guint64 wait = weft_row_cursor_get (rows, WEFT_DISPATCHES_QUEUE_WAIT_LAST);

  dispatch->has_queued = TRUE;
  if (weft_row_cursor_has (rows, WEFT_DISPATCHES_SUBMITTED))
    dispatch->queued =
        weft_path_bound_time (weft_row_cursor_get_signed (rows, WEFT_DISPATCHES_SUBMITTED));
  else if (weft_row_cursor_has (rows, WEFT_DISPATCHES_QUEUE_WAIT_LAST) && wait <= G_MAXINT64)
    dispatch->queued = weft_path_bound_time (earlier (dispatch->start, (gint64) wait));
  else if (queuing != NULL)
    dispatch->queued = queuing->time;
  else
    dispatch->has_queued = FALSE;
  /* Of a device's clock it may seem to be later, but not by more than that can be wrong. */
  if (dispatch->has_queued && dispatch->queued > later (dispatch->start, dispatch->error))
    dispatch->has_queued = FALSE;
  dispatch->queued =
      MIN (dispatch->has_queued ? dispatch->queued : dispatch->start, dispatch->start);
}

static void
fill_dispatch (WeftPathDispatch *dispatch, WeftRowCursor *rows, const Queuings *queuings,
               WeftPathClocks *clocks, const WeftCallchainReader *callchains)
{
  const Queuing *queuing = find_queuing (queuings, dispatch);
  guint64 marks = weft_row_cursor_get (rows, WEFT_DISPATCHES_MARKS);

  dispatch->routine = (guint32) weft_row_cursor_get (rows, WEFT_DISPATCHES_ROUTINE);
  dispatch->trace = (guint32) weft_row_cursor_get (rows, WEFT_DISPATCHES_TRACE);
  dispatch->is_inner = weft_row_cursor_get (rows, WEFT_DISPATCHES_DEPTH) > 1;
  dispatch->is_synchronous =
      weft_row_cursor_get (rows, WEFT_DISPATCHES_CLASSIFICATION) == WEFT_CLASSIFICATION_SYNCHRONOUS;
  if (callchains != NULL)
    dispatch->stack = weft_callchain_reader_find (
        callchains, weft_row_cursor_get (rows, WEFT_DISPATCHES_SHARED_CALLCHAIN));
  dispatch->error = (marks & 1) ? G_MAXINT64
                                : weft_path_clocks_get_error (clocks, dispatch->lane,
                                                              dispatch->start, dispatch->end);
  find_queued (dispatch, rows, queuing);
  if (queuing == NULL || queuing->time > later (dispatch->start, dispatch->error))
    return;
  dispatch->origin = queuing->origin;
  dispatch->thread = queuing->thread;
}

static int
compare_dispatches (gconstpointer a, gconstpointer b)
{
  const WeftPathDispatch *left = a;
  const WeftPathDispatch *right = b;

  return left->id < right->id ? -1 : left->id > right->id;
}

/* What nobody waited for matters only where it keeps a lane busy. */
static gboolean
is_wanted (const WeftAnalysisScope *scope, const Queuings *queuings,
           const WeftPathDispatch *dispatch)
{
  guint32 ignored;

  return (dispatch->queued < scope->end && dispatch->end >= scope->begin) ||
         weft_key_map_find (&queuings->awaited_dispatches, dispatch->id, &ignored) ||
         (dispatch->submission != 0 &&
          weft_key_map_find (&queuings->awaited_submissions, dispatch->submission, &ignored));
}

static gboolean
read_dispatches (WeftPathHistory *self, const Queuings *queuings,
                 const WeftCallchainReader *callchains, GError **error)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_DISPATCHES);
  g_autoptr (WeftPathClocks) clocks = weft_path_clocks_new (self->scope, error);

  if (clocks == NULL)
    return FALSE;
  while (weft_row_cursor_next (rows))
    {
      WeftPathDispatch dispatch = {
        .id = weft_row_cursor_get_number (rows),
        .submission = weft_row_cursor_get (rows, WEFT_DISPATCHES_SUBMISSION),
        .start = weft_path_bound_time (weft_row_cursor_get_signed (rows, WEFT_DISPATCHES_START)),
        .lane = (guint32) weft_row_cursor_get (rows, WEFT_DISPATCHES_LANE),
      };

      dispatch.end = weft_path_bound_time (
          weft_time_after (dispatch.start, weft_row_cursor_get (rows, WEFT_DISPATCHES_DURATION)));
      fill_dispatch (&dispatch, rows, queuings, clocks, callchains);
      if (is_wanted (self->scope, queuings, &dispatch) &&
          self->dispatches->len < WEFT_PATH_NONE - 1)
        {
          g_array_append_val (self->dispatches, dispatch);
          if (dispatch.thread != 0)
            get_thread (self, dispatch.thread);
        }
    }
  g_array_sort (self->dispatches, compare_dispatches);
  return weft_row_cursor_finish (rows, error);
}

guint32
weft_path_history_find_dispatch (const WeftPathHistory *self, guint64 id)
{
  guint low = 0;
  guint high = self->dispatches->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (weft_path_dispatch (self, middle)->id < id)
        low = middle + 1;
      else
        high = middle;
    }
  return low < self->dispatches->len && weft_path_dispatch (self, low)->id == id ? low
                                                                                 : WEFT_PATH_NONE;
}

/* ---- Lanes ---- */

static int
compare_ends (gconstpointer a, gconstpointer b, gpointer data)
{
  const WeftPathHistory *self = data;
  const guint32 left = *(const guint32 *) a, right = *(const guint32 *) b;
  const WeftPathDispatch *one = weft_path_dispatch (self, left);
  const WeftPathDispatch *other = weft_path_dispatch (self, right);

  if (one->lane != other->lane)
    return one->lane < other->lane ? -1 : 1;
  if (one->end != other->end)
    return one->end < other->end ? -1 : 1;
  return left < right ? -1 : left > right;
}

static guint32
get_by_lane (const WeftPathHistory *self, guint place)
{
  return g_array_index (self->by_lane, guint32, place);
}

static void
add_lane (WeftPathHistory *self, guint first, guint n)
{
  WeftPathLane lane = { TRUE, first, n };

  for (guint i = first + 1; i < first + n; i++)
    if (weft_path_dispatch (self, get_by_lane (self, i))->start <
        weft_path_dispatch (self, get_by_lane (self, i - 1))->end)
      lane.is_serial = FALSE;
  weft_key_map_add (&self->lane_numbers, weft_path_dispatch (self, get_by_lane (self, first))->lane,
                    self->lanes->len);
  g_array_append_val (self->lanes, lane);
}

static void
order_lanes (WeftPathHistory *self)
{
  guint first = 0;

  for (guint32 i = 0; i < self->dispatches->len; i++)
    if (!weft_path_dispatch (self, i)->is_inner)
      g_array_append_val (self->by_lane, i);
  g_array_sort_with_data (self->by_lane, compare_ends, self);
  for (guint i = 1; i <= self->by_lane->len; i++)
    {
      if (i < self->by_lane->len && weft_path_dispatch (self, get_by_lane (self, i))->lane ==
                                        weft_path_dispatch (self, get_by_lane (self, first))->lane)
        continue;
      add_lane (self, first, i - first);
      first = i;
    }
}

guint32
weft_path_history_find_before (const WeftPathHistory *self, guint32 dispatch, gint64 time)
{
  const WeftPathDispatch *asked = weft_path_dispatch (self, dispatch);
  guint32 number;
  const WeftPathLane *lane;
  guint low, high;

  if (asked->is_inner || !weft_key_map_find (&self->lane_numbers, asked->lane, &number))
    return WEFT_PATH_NONE;
  lane = &g_array_index (self->lanes, WeftPathLane, number);
  low = lane->first;
  high = lane->first + lane->n;
  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (weft_path_dispatch (self, get_by_lane (self, middle))->end <= time)
        low = middle + 1;
      else
        high = middle;
    }
  if (low > lane->first && get_by_lane (self, low - 1) == dispatch)
    low--;
  return lane->is_serial && low > lane->first ? get_by_lane (self, low - 1) : WEFT_PATH_NONE;
}

guint32
weft_path_history_find_fellow (const WeftPathHistory *self, guint32 zone, guint32 dispatch,
                               gint64 time)
{
  guint32 before = weft_path_history_find_before (self, dispatch, time);

  if (before == WEFT_PATH_NONE || zone == WEFT_PATH_NONE ||
      !weft_path_zone (self, zone)->is_group ||
      weft_path_dispatch (self, before)->submission !=
          weft_path_dispatch (self, dispatch)->submission)
    return WEFT_PATH_NONE;
  return before;
}

/* ---- Which thread waited for which ---- */

typedef enum
{
  PROVES_NOTHING,
  IS_TOO_CLOSE,
  PROVES
} Judgement;

/* The rule by which the recorder classifies dispatches, whoever waited. */
static Judgement
judge (const WeftWait *wait, const WeftPathDispatch *dispatch)
{
  gint64 earliest = earlier (dispatch->end, dispatch->error);
  gint64 latest = later (dispatch->end, dispatch->error);

  if (dispatch->error == G_MAXINT64)
    return dispatch->end >= wait->begin && dispatch->start <= wait->end ? IS_TOO_CLOSE
                                                                        : PROVES_NOTHING;
  if (wait->begin >= latest)
    return PROVES_NOTHING;
  if (wait->begin <= earliest && wait->end >= latest)
    return PROVES;
  return wait->end <= earliest ? PROVES_NOTHING : IS_TOO_CLOSE;
}

typedef struct
{
  guint32 dispatch;
  Judgement judgement;
} Best;

/* What ended last is what it waited for. */
static void
weigh (const WeftPathHistory *self, const WeftWait *wait, guint32 index, Best *best)
{
  const WeftPathDispatch *dispatch = weft_path_dispatch (self, index);
  Judgement judgement = judge (wait, dispatch);

  if (judgement == PROVES_NOTHING ||
      (best->dispatch != WEFT_PATH_NONE &&
       weft_path_dispatch (self, best->dispatch)->end >= dispatch->end))
    return;
  best->dispatch = index;
  best->judgement = judgement;
}

static int
compare_submissions (gconstpointer a, gconstpointer b, gpointer data)
{
  const WeftPathHistory *self = data;
  const guint32 left = *(const guint32 *) a, right = *(const guint32 *) b;
  guint64 one = weft_path_dispatch (self, left)->submission;
  guint64 other = weft_path_dispatch (self, right)->submission;

  if (one != other)
    return one < other ? -1 : 1;
  return left < right ? -1 : left > right;
}

/* element type guint32: those of a submission together */
static GArray *
order_submissions (WeftPathHistory *self)
{
  GArray *order = g_array_new (FALSE, FALSE, sizeof (guint32));

  for (guint32 i = 0; i < self->dispatches->len; i++)
    if (weft_path_dispatch (self, i)->submission != 0)
      g_array_append_val (order, i);
  g_array_sort_with_data (order, compare_submissions, self);
  return order;
}

static void
weigh_submission (const WeftPathHistory *self, const GArray *order, const WeftWait *wait,
                  Best *best)
{
  guint low = 0;
  guint high = order->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (weft_path_dispatch (self, g_array_index (order, guint32, middle))->submission <
          wait->submission)
        low = middle + 1;
      else
        high = middle;
    }
  for (; low < order->len; low++)
    {
      guint32 index = g_array_index (order, guint32, low);

      if (weft_path_dispatch (self, index)->submission != wait->submission)
        break;
      weigh (self, wait, index, best);
    }
}

static void
add_zone (WeftPathHistory *self, const GArray *submissions, const WeftWait *wait)
{
  Best best = { WEFT_PATH_NONE, PROVES_NOTHING };
  WeftPathZone zone = {
    .start = weft_path_bound_time (wait->begin),
    .end = weft_path_bound_time (wait->end),
    .begin_origin = wait->begin_origin,
    .end_origin = wait->end_origin,
  };
  guint32 index;

  if (wait->thread == 0 || wait->thread > G_MAXUINT32 || !wait->has_begin || !wait->has_end ||
      zone.start >= zone.end)
    return;
  index = weft_path_history_find_dispatch (self, wait->dispatch);
  if (wait->dispatch != 0 && index != WEFT_PATH_NONE)
    weigh (self, wait, index, &best);
  else if (wait->dispatch == 0 && wait->submission != 0)
    weigh_submission (self, submissions, wait, &best);
  if (best.dispatch == WEFT_PATH_NONE)
    return;
  zone.thread = get_thread (self, (guint32) wait->thread);
  zone.dispatch = best.dispatch;
  zone.release = MIN (weft_path_dispatch (self, best.dispatch)->end, zone.end);
  zone.release = MAX (zone.release, zone.start);
  zone.is_group = wait->dispatch == 0;
  zone.is_proven = best.judgement == PROVES;
  g_array_append_val (self->zones, zone);
}

static int
compare_releases (gconstpointer a, gconstpointer b)
{
  const WeftPathZone *left = a;
  const WeftPathZone *right = b;

  if (left->thread != right->thread)
    return left->thread < right->thread ? -1 : 1;
  if (left->release != right->release)
    return left->release > right->release ? -1 : 1;
  if (left->end != right->end)
    return left->end > right->end ? -1 : 1;
  return left->begin_origin < right->begin_origin ? -1 : left->begin_origin > right->begin_origin;
}

static int
compare_starts (gconstpointer a, gconstpointer b)
{
  const WeftPathZone *left = a;
  const WeftPathZone *right = b;

  if (left->thread != right->thread)
    return left->thread < right->thread ? -1 : 1;
  return left->start < right->start ? -1 : left->start > right->start;
}

/* From the last release backwards: what a zone has of time that later ones leave. */
static void
part_zones (WeftPathHistory *self)
{
  guint n = 0;
  guint32 thread = WEFT_PATH_NONE;
  gint64 left = G_MAXINT64;

  g_array_sort (self->zones, compare_releases);
  for (guint i = 0; i < self->zones->len; i++)
    {
      WeftPathZone zone = g_array_index (self->zones, WeftPathZone, i);

      if (zone.thread != thread)
        left = G_MAXINT64;
      thread = zone.thread;
      zone.end = MIN (zone.end, left);
      if (zone.start >= zone.end)
        continue;
      left = zone.start;
      g_array_index (self->zones, WeftPathZone, n++) = zone;
    }
  g_array_set_size (self->zones, n);
  g_array_sort (self->zones, compare_starts);
  for (guint i = 0; i < n; i++)
    {
      WeftPathThread *owner = weft_path_thread (self, weft_path_zone (self, i)->thread);

      if (owner->n_zones++ == 0)
        owner->first_zone = i;
    }
}

static void
make_zones (WeftPathHistory *self, const GArray *waits)
{
  g_autoptr (GArray) submissions = order_submissions (self);

  for (guint i = 0; i < waits->len; i++)
    add_zone (self, submissions, &g_array_index (waits, WeftWait, i));
  part_zones (self);
}

static gboolean
read_targets (WeftPathHistory *self, const WeftCallchainReader *callchains, gboolean all,
              GError **error)
{
  g_autoptr (WeftProducerIds) ids = weft_producer_ids_new ();
  g_auto (Queuings) queuings = { NULL };
  g_autoptr (GArray) waits = NULL;

  queuings_init (&queuings);
  if (!weft_producer_ids_want_table (ids, self->scope, WEFT_TABLE_ORIGINS, WEFT_ORIGINS_DISPATCH,
                                     WEFT_ORIGINS_RUNTIME, WEFT_ORIGINS_PRODUCER_DISPATCH, error) ||
      !weft_producer_ids_resolve (ids, self->scope, error))
    return FALSE;
  waits = weft_waits_read (self->scope, ids, error);
  if (waits == NULL || (waits->len == 0 && !all))
    return waits != NULL;
  note_awaited (&queuings, waits);
  if (!read_queuings (&queuings, self->scope, ids, error) ||
      !read_dispatches (self, &queuings, callchains, error))
    return FALSE;
  order_lanes (self);
  make_zones (self, waits);
  return TRUE;
}

/* ---- Waits ---- */

typedef struct
{
  WeftPathHistory *history;
  GArray *owners; /* element type guint32: index of each wait's thread */
} Waits;

static void
take_wait (const WeftWaitRow *row, gpointer data)
{
  Waits *self = data;
  WeftPathWait wait = {
    .start = weft_path_bound_time (row->row.start),
    .end = weft_path_bound_time (row->row.end),
    .id = row->row.id,
    .wakeup = row->wakeup,
    .waker = row->waker,
    .stack = row->row.node,
    .reason = row->row.reason < WEFT_N_WAIT_REASONS ? row->row.reason : WEFT_WAIT_REASON_UNKNOWN,
    .stack_end = row->end,
    .is_approximate = row->is_approximate,
  };
  guint32 owner = get_thread (self->history, row->row.thread);

  if (wait.start > wait.end || self->history->waits->len == WEFT_PATH_NONE - 1)
    return;
  g_array_append_val (self->history->waits, wait);
  g_array_append_val (self->owners, owner);
  weft_path_thread (self->history, owner)->n_waits++;
}

/* Who woke, and when; a wakeup that is not there, or is of another time, tells nothing. */
static gboolean
read_wakeups (WeftPathHistory *self, GError **error)
{
  static const WeftColumnNumber columns[] = { WEFT_WAKEUPS_TIME, WEFT_WAKEUPS_WAKER };
  g_autoptr (WeftRowTable) wakeups =
      weft_row_table_new (self->scope, WEFT_TABLE_WAKEUPS, columns, G_N_ELEMENTS (columns), error);

  if (wakeups == NULL)
    return FALSE;
  for (guint i = 0; i < self->waits->len; i++)
    {
      WeftPathWait *wait = &g_array_index (self->waits, WeftPathWait, i);

      if (wait->wakeup != 0 && weft_row_table_contains (wakeups, wait->wakeup))
        {
          wait->woken = (gint64) weft_row_table_get (wakeups, WEFT_WAKEUPS_TIME, wait->wakeup);
          if (wait->waker == 0)
            wait->waker = (guint32) weft_row_table_get (wakeups, WEFT_WAKEUPS_WAKER, wait->wakeup);
        }
      else
        wait->wakeup = 0;
      if (wait->wakeup == 0 || wait->woken < wait->start || wait->woken > wait->end)
        wait->wakeup = wait->waker = 0;
    }
  return TRUE;
}

static int
compare_waits (gconstpointer a, gconstpointer b)
{
  const WeftPathWait *left = a;
  const WeftPathWait *right = b;

  if (left->start != right->start)
    return left->start < right->start ? -1 : 1;
  return left->id < right->id ? -1 : left->id > right->id;
}

/* In order they come as a rule; what overlaps is cut to what is left of it. */
static void
straighten (WeftPathHistory *self, WeftPathThread *thread)
{
  WeftPathWait *waits =
      thread->n_waits > 0 ? &g_array_index (self->waits, WeftPathWait, thread->first_wait) : NULL;
  gboolean is_sorted = TRUE;
  guint n = 0;

  for (guint i = 1; i < thread->n_waits; i++)
    is_sorted &= waits[i - 1].start <= waits[i].start;
  if (!is_sorted)
    qsort (waits, thread->n_waits, sizeof *waits, compare_waits);
  for (guint i = 0; i < thread->n_waits; i++)
    {
      WeftPathWait wait = waits[i];

      wait.start = n > 0 ? MAX (wait.start, waits[n - 1].end) : wait.start;
      if (wait.start > wait.end)
        continue;
      wait.woken = MAX (wait.woken, wait.start);
      waits[n++] = wait;
    }
  thread->n_waits = n;
}

/* Those of a thread together: into places that are counted out. */
static void
order_waits (WeftPathHistory *self, const GArray *owners)
{
  GArray *sorted = g_array_sized_new (FALSE, FALSE, sizeof (WeftPathWait), self->waits->len);
  g_autofree guint *next = g_new (guint, self->threads->len + 1);
  guint first = 0;

  g_array_set_size (sorted, self->waits->len);
  for (guint i = 0; i < self->threads->len; i++)
    {
      WeftPathThread *thread = weft_path_thread (self, i);

      thread->first_wait = next[i] = first;
      first += thread->n_waits;
    }
  for (guint i = 0; i < owners->len; i++)
    g_array_index (sorted, WeftPathWait, next[g_array_index (owners, guint32, i)]++) =
        *weft_path_wait (self, i);
  g_array_unref (self->waits);
  self->waits = sorted;
  for (guint i = 0; i < self->threads->len; i++)
    straighten (self, weft_path_thread (self, i));
}

gboolean
weft_path_history_read_waits (WeftPathHistory *self, const WeftCallchainReader *callchains,
                              gint64 begin, gint64 end, GError **error)
{
  g_autoptr (GArray) owners = g_array_new (FALSE, FALSE, sizeof (guint32));
  WeftAnalysisScope scope = *self->scope;
  Waits waits = { self, owners };

  scope.begin = begin;
  scope.end = end;
  scope.reasons = 0;
  if (!weft_stream_waits (&scope, callchains, NULL, take_wait, &waits, error) ||
      !read_wakeups (self, error))
    return FALSE;
  order_waits (self, owners);
  return TRUE;
}

/* ---- Looking up ---- */

guint32
weft_path_history_find_wait (const WeftPathHistory *self, guint32 thread, gint64 time)
{
  const WeftPathThread *owner = weft_path_thread (self, thread);
  guint low = owner->first_wait;
  guint high = low + owner->n_waits;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (weft_path_wait (self, middle)->start < time)
        low = middle + 1;
      else
        high = middle;
    }
  return low > owner->first_wait ? low - 1 : WEFT_PATH_NONE;
}

guint32
weft_path_history_find_zone (const WeftPathHistory *self, guint32 thread, gint64 time)
{
  const WeftPathThread *owner = weft_path_thread (self, thread);
  guint low = owner->first_zone;
  guint high = low + owner->n_zones;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (weft_path_zone (self, middle)->start < time)
        low = middle + 1;
      else
        high = middle;
    }
  return low > owner->first_zone ? low - 1 : WEFT_PATH_NONE;
}

gboolean
weft_path_history_init (WeftPathHistory *self, const WeftAnalysisScope *scope,
                        const WeftCallchainReader *callchains, gboolean all_dispatches,
                        GError **error)
{
  *self = (WeftPathHistory){ .scope = scope };
  self->threads = g_array_new (FALSE, FALSE, sizeof (WeftPathThread));
  self->waits = g_array_new (FALSE, FALSE, sizeof (WeftPathWait));
  self->zones = g_array_new (FALSE, FALSE, sizeof (WeftPathZone));
  self->dispatches = g_array_new (FALSE, FALSE, sizeof (WeftPathDispatch));
  self->by_lane = g_array_new (FALSE, FALSE, sizeof (guint32));
  self->lanes = g_array_new (FALSE, FALSE, sizeof (WeftPathLane));
  weft_key_map_init (&self->thread_numbers);
  weft_key_map_init (&self->lane_numbers);
  return read_lives (self, error) && read_targets (self, callchains, all_dispatches, error);
}

void
weft_path_history_clear (WeftPathHistory *self)
{
  g_clear_pointer (&self->threads, g_array_unref);
  g_clear_pointer (&self->waits, g_array_unref);
  g_clear_pointer (&self->zones, g_array_unref);
  g_clear_pointer (&self->dispatches, g_array_unref);
  g_clear_pointer (&self->by_lane, g_array_unref);
  g_clear_pointer (&self->lanes, g_array_unref);
  weft_key_map_clear (&self->thread_numbers);
  weft_key_map_clear (&self->lane_numbers);
}
