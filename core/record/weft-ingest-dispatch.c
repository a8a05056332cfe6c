/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Spans and dispatches: checked, their times translated, halves joined, and written as rows. */

#include "weft-ingest-private.h"

#include <string.h>

#include "weft-clock.h"

/* Device times come from calibrated clocks: allow them to run ahead a little. */
#define FUTURE_TOLERANCE NS_PER_SECOND
#define DEFER_LIMIT (2 * NS_PER_SECOND)

/* ---- Time inside others ---- */

/* Spans of a writer arrive inner first. What lies deeper than DEPTH and on the same lane is inside
 * the one that ends now; what lies deeper on other lanes may still be inside an outer one.
 */
static guint64
close_scope (WeftIngestWriter *writer, guint32 lane, guint depth, guint64 duration)
{
  guint64 inner = 0;
  guint kept = 0;

  if (writer->scopes == NULL)
    writer->scopes = g_new (WeftIngestScope, MAX_SCOPES);

  for (guint i = 0; i < writer->n_scopes; i++)
    {
      WeftIngestScope scope = writer->scopes[i];

      if (scope.depth > depth)
        {
          if (scope.lane == lane)
            {
              inner += scope.time;
              continue;
            }
          if (depth == 1)
            continue;
          scope.depth = depth;
        }
      if (kept > 0 && writer->scopes[kept - 1].lane == scope.lane &&
          writer->scopes[kept - 1].depth == scope.depth)
        writer->scopes[kept - 1].time += scope.time;
      else
        writer->scopes[kept++] = scope;
    }

  if (depth > 1)
    {
      WeftIngestScope *last = kept > 0 ? &writer->scopes[kept - 1] : NULL;

      if (last != NULL && last->lane == lane && last->depth == depth)
        last->time += duration;
      else if (kept < MAX_SCOPES)
        writer->scopes[kept++] = (WeftIngestScope){ lane, depth, duration };
    }
  writer->n_scopes = kept;
  return MIN (inner, duration);
}

/* ---- Checks ---- */

/* Times are never repaired: reversed or out of range ones are refused. */
static gboolean
check_times (WeftIngestRuntime *self, gint64 start, gint64 end, WeftLoss *loss)
{
  if (G_UNLIKELY (end < start))
    *loss = WEFT_LOSS_TIMES_REVERSED;
  else if (G_UNLIKELY (start < self->earliest - self->ingest->start ||
                       end > self->now - self->ingest->start + FUTURE_TOLERANCE))
    *loss = WEFT_LOSS_OUT_OF_RANGE;
  else if (G_UNLIKELY (end < 0))
    *loss = WEFT_LOSS_BEFORE_RECORDING;
  else
    {
      self->ingest->last_end = MAX (self->ingest->last_end, end);
      return TRUE;
    }
  return FALSE;
}

static void
reject (WeftIngestLane *lane, WeftLoss loss)
{
  lane->losses[loss]++;
  lane->dirty = TRUE;
}

static inline gboolean
convert (WeftIngestRuntime *self, guint clock, guint64 ticks, gint64 *time, gboolean *extrapolated)
{
  if (G_LIKELY (clock == WEFT_WIRE_CLOCK_ID_RUNTIME &&
                weft_clock_map_convert_near (&self->map, ticks, time)))
    {
      *time -= self->ingest->start;
      *extrapolated = FALSE;
      return TRUE;
    }
  return weft_ingest_runtime_convert (self, clock, ticks, time, extrapolated);
}

void
weft_ingest_runtime_read_span (WeftIngestRuntime *self, WeftIngestWriter *writer,
                               const WeftWireSpan *span)
{
  WeftIngestLane *lane = weft_ingest_runtime_get_lane (self, span->record.lane);
  WeftTableWriter *t = self->ingest->tables[WEFT_TABLE_DISPATCHES];
  gboolean early, late;
  gint64 start, end;
  WeftLoss loss;
  guint64 inner;

  if (G_UNLIKELY (lane == NULL))
    {
      self->losses[WEFT_LOSS_UNKNOWN_LANE]++;
      return;
    }
  if (G_UNLIKELY (span->routine - 1 >= self->routines->len))
    {
      reject (lane, WEFT_LOSS_UNKNOWN_ROUTINE);
      return;
    }
  if (G_UNLIKELY (lane->clock > WEFT_WIRE_CLOCK_ID_MONOTONIC))
    {
      weft_ingest_runtime_read_dispatch (self, writer, (const guint8 *) span, sizeof *span);
      return;
    }
  if (G_UNLIKELY (!convert (self, lane->clock, span->start, &start, &early) ||
                  !convert (self, lane->clock, span->end, &end, &late)))
    {
      reject (lane, WEFT_LOSS_NO_CLOCK);
      return;
    }
  if (G_UNLIKELY (span->end < span->start))
    end = start - 1;
  if (G_UNLIKELY (!check_times (self, start, end, &loss)))
    {
      reject (lane, loss);
      return;
    }

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_DISPATCHES_LANE, lane->id);
  weft_table_writer_set (t, WEFT_DISPATCHES_ROUTINE,
                         g_array_index (self->routines, guint64, span->routine - 1));
  weft_table_writer_set (t, WEFT_DISPATCHES_START, (guint64) start);
  weft_table_writer_set (t, WEFT_DISPATCHES_DURATION, (guint64) (end - start));
  weft_table_writer_set (t, WEFT_DISPATCHES_THREAD, writer->thread);
  if (span->depth != 0)
    {
      weft_table_writer_set (t, WEFT_DISPATCHES_DEPTH, span->depth);
      inner = close_scope (writer, span->record.lane, span->depth, (guint64) (end - start));
      if (inner != 0)
        weft_table_writer_set (t, WEFT_DISPATCHES_CHILD_TIME, inner);
    }
  if (G_UNLIKELY (early || late))
    weft_table_writer_set (t, WEFT_DISPATCHES_MARKS, WEFT_MARK_EXTRAPOLATED);
  weft_ingest_commit (self->ingest, WEFT_TABLE_DISPATCHES);
  lane->completed++;
  lane->dirty = TRUE;
}

/* ---- Whole dispatches ---- */

static void
read_head (WeftWireDispatch *head, const guint8 *group)
{
  const WeftWireRecord *record = (const void *) group;

  weft_copy_fixed (head, sizeof *head, group, record->words * (gsize) 8);
  if (record->type == WEFT_WIRE_SPAN)
    memset ((guint8 *) head + sizeof (WeftWireSpan), 0, sizeof *head - sizeof (WeftWireSpan));
}

static guint
clock_of (const WeftWireDispatch *head, const WeftIngestLane *lane)
{
  return head->flags & WEFT_WIRE_FLAG_CLOCK ? head->clock : lane->clock;
}

/* What the runtime's own clock, by which origins go, may be wrong by. */
static gint64
own_error (const WeftIngestRuntime *self)
{
  const GArray *pairs = self->map.pairs;

  return pairs->len > 0 ? g_array_index (pairs, WeftClockPair, pairs->len - 1).error_bound : 0;
}

/* Two times of one clock lie in their order, however wrong it is. */
static gint64
error_of (const WeftIngestRuntime *self, const WeftWireDispatch *head, guint clock)
{
  const WeftIngestClock *device;
  gint64 error;

  if (clock == WEFT_WIRE_CLOCK_ID_RUNTIME)
    return 0;
  if (clock == WEFT_WIRE_CLOCK_ID_MONOTONIC)
    return own_error (self);
  device = g_ptr_array_index (self->clocks, clock - 2);
  error = MAX (weft_clock_map_get_error (&device->map, head->start),
               weft_clock_map_get_error (&device->map, head->end));
  return error < G_MAXINT64 / 2 ? error + own_error (self) : G_MAXINT64;
}

/* What the completion left out, the reservation said. */
static void
merge_heads (WeftWireDispatch *head, const WeftWireDispatch *reserved)
{
  if (head->routine == 0)
    head->routine = reserved->routine;
  if (head->submission == 0)
    head->submission = reserved->submission;
  if (head->trace == 0)
    head->trace = reserved->trace;
  if (head->queue == 0)
    head->queue = reserved->queue;
}

static void
note_queued (WeftIngestRuntime *self, gint64 time)
{
  self->queued = MIN (self->queued, time);
}

static void
set_times (WeftIngestRuntime *self, WeftTableWriter *t, const WeftWireTimes *times)
{
  gint64 submitted;
  gboolean extrapolated;

  if (times->has & WEFT_WIRE_HAS_ATTEMPTS)
    weft_table_writer_set (t, WEFT_DISPATCHES_ATTEMPTS, times->attempts);
  if (times->has & WEFT_WIRE_HAS_QUEUE_WAIT)
    {
      note_queued (self, self->started - (gint64) MIN (times->queue_wait, G_MAXINT64 / 4));
      weft_table_writer_set (t, WEFT_DISPATCHES_QUEUE_WAIT, times->queue_wait);
      weft_table_writer_set (t, WEFT_DISPATCHES_QUEUE_WAIT_LAST, times->queue_wait_last);
    }
  if (times->has & WEFT_WIRE_HAS_SUBMITTED &&
      weft_ingest_runtime_convert (self, WEFT_WIRE_CLOCK_ID_RUNTIME, times->submitted, &submitted,
                                   &extrapolated))
    {
      note_queued (self, submitted);
      weft_table_writer_set (t, WEFT_DISPATCHES_SUBMITTED, (guint64) submitted);
    }
}

/* Side records that are columns of the dispatch itself. */
static void
set_columns_of_sides (WeftIngestRuntime *self, WeftTableWriter *t, const guint8 *group,
                      gsize length, guint lane)
{
  gsize offset = 0, size = 0;
  const WeftWireRecord *record;
  WeftCursor cursor;

  while ((record = weft_group_next (group, length, &offset, &size)) != NULL)
    {
      if (record->type == WEFT_WIRE_SIDE_TIMES)
        {
          WeftWireTimes times;

          weft_copy_fixed (&times, sizeof times, record, size);
          set_times (self, t, &times);
        }
      else if (record->type == WEFT_WIRE_SIDE_LABEL)
        {
          weft_cursor_init (&cursor, record, sizeof (WeftWireLabel), size);
          weft_table_writer_set (t, WEFT_DISPATCHES_LABEL,
                                 weft_ingest_runtime_read_string (self, &cursor, lane));
        }
      else if (record->type == WEFT_WIRE_SIDE_SOURCE)
        {
          WeftWireSourceSide source;

          weft_copy_fixed (&source, sizeof source, record, size);
          weft_table_writer_set (t, WEFT_DISPATCHES_SOURCE,
                                 weft_ingest_runtime_lookup (self->sources, source.source));
          weft_table_writer_set (t, WEFT_DISPATCHES_FIRST_LINE, source.first_line);
          weft_table_writer_set (t, WEFT_DISPATCHES_LAST_LINE, source.last_line);
        }
      else if (record->type == WEFT_WIRE_SIDE_ERROR)
        weft_table_writer_set (
            t, WEFT_DISPATCHES_ERROR,
            weft_ingest_runtime_read_error (self, (const guint8 *) record, size, lane));
    }
}

static void
set_ids (WeftIngestRuntime *self, WeftTableWriter *t, const WeftWireDispatch *head)
{
  if (head->id != 0)
    weft_table_writer_set (t, WEFT_DISPATCHES_PRODUCER_ID, head->id);
  if (head->submission != 0)
    weft_table_writer_set (t, WEFT_DISPATCHES_SUBMISSION,
                           weft_ingest_runtime_get_submission (self, head->submission,
                                                               head->record.lane, head->queue));
  if (head->queue != 0)
    weft_table_writer_set (t, WEFT_DISPATCHES_QUEUE,
                           weft_ingest_runtime_lookup (self->queues, head->queue));
  if (head->trace != 0)
    weft_table_writer_set (t, WEFT_DISPATCHES_TRACE,
                           weft_ingest_runtime_get_trace (self, head->trace));
  if (head->status != 0)
    weft_table_writer_set (t, WEFT_DISPATCHES_STATUS,
                           MIN (head->status, WEFT_WIRE_STATUS_CANCELED));
  if (head->error_kind != 0)
    weft_table_writer_set (t, WEFT_DISPATCHES_ERROR_KIND, head->error_kind);
}

static gboolean
is_known (const WeftIngestRuntime *self, guint64 producer)
{
  return weft_ingest_recall (self->dispatches, producer) != 0;
}

static void
set_nesting (WeftTableWriter *t, WeftIngestWriter *writer, const WeftWireDispatch *head,
             guint64 duration)
{
  guint64 inner;

  if (head->depth == 0 || writer == NULL)
    return;
  weft_table_writer_set (t, WEFT_DISPATCHES_DEPTH, head->depth);
  inner = close_scope (writer, head->record.lane, head->depth, duration);
  if (inner != 0)
    weft_table_writer_set (t, WEFT_DISPATCHES_CHILD_TIME, inner);
}

typedef struct
{
  gint64 start;
  gint64 end;
  guint marks;
} Times;

static gboolean
translate (WeftIngestRuntime *self, const WeftIngestLane *lane, const WeftWireDispatch *head,
           Times *times, WeftLoss *loss)
{
  guint clock = clock_of (head, lane);
  gboolean early, late;

  *loss = WEFT_LOSS_NO_CLOCK;
  if (!weft_ingest_runtime_convert (self, clock, head->start, &times->start, &early) ||
      !weft_ingest_runtime_convert (self, clock, head->end, &times->end, &late))
    return FALSE;
  if (head->end < head->start)
    times->end = times->start - 1;
  times->marks = (early || late ? WEFT_MARK_EXTRAPOLATED : 0) |
                 (head->flags & WEFT_WIRE_FLAG_CUT ? WEFT_MARK_LIST_CUT : 0);
  return check_times (self, times->start, times->end, loss);
}

static void
set_reserved (WeftIngestRuntime *self, WeftTableWriter *t, const WeftIngestGroup *reserved,
              const WeftWireDispatch *first, guint lane)
{
  set_times (self, t,
             &(WeftWireTimes){ .has = WEFT_WIRE_HAS_SUBMITTED, .submitted = first->start });
  set_columns_of_sides (self, t, (const guint8 *) reserved->data, reserved->length, lane);
}

/* The columns that every dispatch has. */
static void
set_head (WeftIngestRuntime *self, WeftTableWriter *t, const WeftIngestLane *lane,
          const WeftWireDispatch *head, const Times *times)
{
  weft_table_writer_set (t, WEFT_DISPATCHES_LANE, lane->id);
  weft_table_writer_set (t, WEFT_DISPATCHES_ROUTINE,
                         g_array_index (self->routines, guint64, head->routine - 1));
  weft_table_writer_set (t, WEFT_DISPATCHES_START, (guint64) times->start);
  weft_table_writer_set (t, WEFT_DISPATCHES_DURATION, (guint64) (times->end - times->start));
  if (clock_of (head, lane) > WEFT_WIRE_CLOCK_ID_MONOTONIC)
    {
      weft_table_writer_set (t, WEFT_DISPATCHES_START_TICKS, head->start);
      weft_table_writer_set (t, WEFT_DISPATCHES_END_TICKS, head->end);
    }
}

/* What has no id, submission or side record cannot be linked with anything. */
static void
tell_linker (WeftIngestRuntime *self, const WeftWireDispatch *head, const WeftIngestLane *lane,
             const Times *times, guint64 id, gsize length)
{
  WeftIngest *ingest = self->ingest;
  WeftLinkerDispatch dispatch = { .dispatch = id,
                                  .runtime = self->id,
                                  .producer_id = head->id,
                                  .start = times->start,
                                  .end = times->end,
                                  .queued = self->queued };

  if (ingest->linker == NULL ||
      (head->id == 0 && head->submission == 0 && length <= head->record.words * (gsize) 8))
    return;
  dispatch.submission = weft_ingest_recall (self->submissions, head->submission);
  dispatch.error_bound = times->marks & WEFT_MARK_EXTRAPOLATED
                             ? G_MAXINT64
                             : error_of (self, head, clock_of (head, lane));
  dispatch.never_ran = head->status == WEFT_WIRE_STATUS_CANCELED && times->start == times->end;
  weft_linker_add_dispatch (ingest->linker, &dispatch);
}

/* Writes the row of GROUP, joined with the group of its reservation if there is one. */
static void
add_dispatch (WeftIngestRuntime *self, WeftIngestWriter *writer, guint64 thread,
              const guint8 *group, gsize length, const WeftIngestGroup *reserved, guint marks)
{
  WeftTableWriter *t = self->ingest->tables[WEFT_TABLE_DISPATCHES];
  WeftWireDispatch head, first = { 0 };
  WeftIngestLane *lane;
  WeftSideOwner owner = { 0 };
  WeftLoss loss;
  Times times;

  read_head (&head, group);
  lane = weft_ingest_runtime_get_lane (self, head.record.lane);
  if (reserved != NULL)
    {
      read_head (&first, (const guint8 *) reserved->data);
      merge_heads (&head, &first);
    }
  if (head.routine - 1 >= self->routines->len)
    {
      reject (lane, WEFT_LOSS_UNKNOWN_ROUTINE);
      return;
    }
  if (!translate (self, lane, &head, &times, &loss))
    {
      reject (lane, loss);
      return;
    }
  if (head.flags & WEFT_WIRE_FLAG_CUT)
    reject (lane, WEFT_LOSS_LIST_CUT);

  self->started = self->queued = times.start;
  weft_table_writer_begin (t);
  set_head (self, t, lane, &head, &times);
  weft_table_writer_set (t, WEFT_DISPATCHES_THREAD, thread);
  set_nesting (t, writer, &head, (guint64) (times.end - times.start));
  set_ids (self, t, &head);
  if (reserved != NULL)
    set_reserved (self, t, reserved, &first, head.record.lane);
  set_columns_of_sides (self, t, group, length, head.record.lane);
  if ((times.marks | marks) != 0)
    weft_table_writer_set (t, WEFT_DISPATCHES_MARKS, times.marks | marks);
  owner.dispatch = weft_ingest_commit (self->ingest, WEFT_TABLE_DISPATCHES);
  owner.lane = head.record.lane;
  weft_ingest_remember (&self->dispatches, head.id, owner.dispatch);
  lane->completed++;
  lane->dirty = TRUE;
  tell_linker (self, &head, lane, &times, owner.dispatch, length);

  if (reserved != NULL)
    weft_ingest_runtime_read_sides (self, &owner, (const guint8 *) reserved->data,
                                    reserved->length);
  weft_ingest_runtime_read_sides (self, &owner, group, length);
}

/* ---- Halves that wait for each other ---- */

static WeftIngestGroup *
copy_group (const guint8 *group, gsize length, guint64 thread, gint64 now)
{
  WeftIngestGroup *copy = g_malloc (sizeof *copy + length);

  copy->thread = thread;
  copy->arrived = now;
  copy->noted = FALSE;
  copy->length = length;
  memcpy (copy->data, group, length);
  return copy;
}

static void
keep_pending (WeftIngestRuntime *self, WeftIngestLane *lane, guint64 id, const guint8 *group,
              gsize length, guint64 thread)
{
  if (g_hash_table_size (self->pending) >= MAX_PENDING ||
      self->pending_bytes + length > MAX_PENDING_BYTES)
    {
      reject (lane, WEFT_LOSS_TOO_MANY_PENDING);
      return;
    }
  g_hash_table_insert (self->pending, g_memdup2 (&id, sizeof id),
                       copy_group (group, length, thread, self->now));
  self->pending_bytes += length;
  self->n_unnoted++;
  lane->pending++;
  lane->dirty = TRUE;
}

static guint
type_of (const WeftIngestGroup *group)
{
  return ((const WeftWireRecord *) group->data)->type;
}

/* A reservation or a completion: joined with its other half, or kept until that comes. */
static void
join (WeftIngestRuntime *self, WeftIngestWriter *writer, WeftIngestLane *lane,
      const WeftWireDispatch *head, const guint8 *group, gsize length)
{
  WeftIngestGroup *other = g_hash_table_lookup (self->pending, &head->id);
  WeftIngestLane *other_lane;

  if (head->id == 0)
    {
      reject (lane, WEFT_LOSS_UNKNOWN_ID);
      return;
    }
  if ((other != NULL && type_of (other) == head->record.type) || is_known (self, head->id))
    {
      reject (lane, WEFT_LOSS_DUPLICATE_ID);
      return;
    }
  if (other == NULL)
    {
      keep_pending (self, lane, head->id, group, length, writer->thread);
      return;
    }

  other_lane = weft_ingest_runtime_get_lane (self, ((const WeftWireRecord *) other->data)->lane);
  other_lane->pending--;
  other_lane->dirty = TRUE;
  self->pending_bytes -= other->length;
  if (head->record.type == WEFT_WIRE_COMPLETE)
    add_dispatch (self, writer, writer->thread, group, length, other, 0);
  else
    {
      g_autofree WeftIngestGroup *reservation =
          copy_group (group, length, writer->thread, self->now);

      add_dispatch (self, NULL, other->thread, (const guint8 *) other->data, other->length,
                    reservation, 0);
    }
  g_hash_table_remove (self->pending, &head->id);
}

static void
note_reservation (WeftIngestRuntime *self, const WeftWireDispatch *head)
{
  WeftTableWriter *t = self->ingest->tables[WEFT_TABLE_RESERVATIONS];
  const WeftIngestLane *lane = weft_ingest_runtime_get_lane (self, head->record.lane);
  guint64 submission =
      weft_ingest_runtime_get_submission (self, head->submission, head->record.lane, head->queue);
  gboolean extrapolated;
  gint64 time = 0;

  weft_ingest_runtime_convert (self, WEFT_WIRE_CLOCK_ID_RUNTIME, head->start, &time, &extrapolated);
  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_RESERVATIONS_RUNTIME, self->id);
  weft_table_writer_set (t, WEFT_RESERVATIONS_PRODUCER_ID, head->id);
  weft_table_writer_set (t, WEFT_RESERVATIONS_LANE, lane->id);
  weft_table_writer_set (t, WEFT_RESERVATIONS_ROUTINE,
                         weft_ingest_runtime_lookup (self->routines, head->routine));
  weft_table_writer_set (t, WEFT_RESERVATIONS_SUBMITTED, (guint64) time);
  weft_table_writer_set (t, WEFT_RESERVATIONS_SUBMISSION, submission);
  weft_table_writer_set (t, WEFT_RESERVATIONS_QUEUE,
                         weft_ingest_runtime_lookup (self->queues, head->queue));
  if (head->trace != 0)
    weft_table_writer_set (t, WEFT_RESERVATIONS_TRACE,
                           weft_ingest_runtime_get_trace (self, head->trace));
  weft_ingest_commit (self->ingest, WEFT_TABLE_RESERVATIONS);
}

/* What stands open for longer than a second or so becomes a row, so that a recorder that is killed
 * has not forgotten it.
 */
void
weft_ingest_runtime_note_reservations (WeftIngestRuntime *self)
{
  GHashTableIter iter;
  gpointer value;

  if (self->n_unnoted == 0)
    return;
  self->n_unnoted = 0;
  g_hash_table_iter_init (&iter, self->pending);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      WeftIngestGroup *group = value;
      WeftWireDispatch head;

      if (group->noted || type_of (group) != WEFT_WIRE_RESERVE)
        continue;
      read_head (&head, (const guint8 *) group->data);
      note_reservation (self, &head);
      group->noted = TRUE;
    }
}

/* At the end: a completion whose reservation never came still has sound times. */
void
weft_ingest_runtime_release_pending (WeftIngestRuntime *self)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->pending);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      WeftIngestGroup *group = value;
      WeftIngestLane *lane =
          weft_ingest_runtime_get_lane (self, ((const WeftWireRecord *) group->data)->lane);

      if (type_of (group) != WEFT_WIRE_COMPLETE)
        continue;
      lane->pending--;
      add_dispatch (self, NULL, group->thread, (const guint8 *) group->data, group->length, NULL,
                    WEFT_MARK_NOT_RESERVED);
    }
}

/* ---- Device clocks: wait for the pair that follows ---- */

static gboolean
defer (WeftIngestRuntime *self, guint number, const WeftWireDispatch *head, const guint8 *group,
       gsize length, guint64 thread)
{
  WeftIngestClock *clock;

  if (number - 2 >= self->clocks->len || head->record.type == WEFT_WIRE_RESERVE)
    return FALSE;
  clock = g_ptr_array_index (self->clocks, number - 2);
  if (weft_clock_map_covers (&clock->map, head->end) && clock->map.pairs->len > 1)
    return FALSE;
  if (self->deferred_bytes + length > MAX_DEFERRED_BYTES)
    return FALSE;
  g_queue_push_tail (&clock->deferred, copy_group (group, length, thread, self->now));
  self->deferred_bytes += length;
  return TRUE;
}

static void
read_translatable (WeftIngestRuntime *self, WeftIngestWriter *writer, const guint8 *group,
                   gsize length)
{
  WeftIngestLane *lane;
  WeftWireDispatch head;

  read_head (&head, group);
  lane = weft_ingest_runtime_get_lane (self, head.record.lane);
  if (head.record.type == WEFT_WIRE_RESERVE || head.record.type == WEFT_WIRE_COMPLETE)
    join (self, writer, lane, &head, group, length);
  else if (is_known (self, head.id))
    reject (lane, WEFT_LOSS_DUPLICATE_ID);
  else
    add_dispatch (self, writer, writer->thread, group, length, NULL, 0);
}

void
weft_ingest_runtime_release_deferred (WeftIngestRuntime *self, WeftIngestClock *clock, gboolean all)
{
  WeftIngestGroup *group;

  while ((group = g_queue_peek_head (&clock->deferred)) != NULL)
    {
      WeftIngestWriter writer = { .thread = group->thread };
      WeftWireDispatch head;

      read_head (&head, (const guint8 *) group->data);
      if (!all && !(weft_clock_map_covers (&clock->map, head.end) && clock->map.pairs->len > 1) &&
          self->now - group->arrived < DEFER_LIMIT)
        break;
      g_queue_pop_head (&clock->deferred);
      self->deferred_bytes -= group->length;
      read_translatable (self, &writer, (const guint8 *) group->data, group->length);
      g_free (writer.scopes);
      g_free (group);
    }
}

void
weft_ingest_runtime_read_dispatch (WeftIngestRuntime *self, WeftIngestWriter *writer,
                                   const guint8 *group, gsize length)
{
  WeftIngestLane *lane;
  WeftWireDispatch head;
  guint clock;

  read_head (&head, group);
  lane = weft_ingest_runtime_get_lane (self, head.record.lane);
  if (lane == NULL)
    {
      self->losses[WEFT_LOSS_UNKNOWN_LANE]++;
      return;
    }
  clock = clock_of (&head, lane);
  if (clock > WEFT_WIRE_CLOCK_ID_MONOTONIC &&
      defer (self, clock, &head, group, length, writer->thread))
    {
      return;
    }
  read_translatable (self, writer, group, length);
}
