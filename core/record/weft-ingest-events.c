/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Everything that is no dispatch: submissions, waits, metrics, warnings, traces, clocks, stacks. */

#include "weft-ingest-private.h"

#include <string.h>

static gint64
event_time (WeftIngestRuntime *self, guint64 ticks)
{
  gboolean extrapolated;
  gint64 time = 0;

  if (!weft_ingest_runtime_convert (self, WEFT_WIRE_CLOCK_ID_RUNTIME, ticks, &time, &extrapolated))
    weft_ingest_runtime_count (self, 0, WEFT_LOSS_NO_CLOCK, 1);
  return time;
}

static guint64
known_dispatch (const WeftIngestRuntime *self, guint64 producer)
{
  return weft_ingest_recall (self->dispatches, producer);
}

/* ---- Submissions ---- */

/* A row at first sight, on the lane of the queue where one is told: what one lane's queue gives out
 * may run on other lanes, and be seen there first. The memory of them is bounded: one that comes
 * back after 65,536 others may get a second row, with the same producer id.
 */
guint64
weft_ingest_runtime_get_submission (WeftIngestRuntime *self, guint64 producer, guint lane,
                                    guint queue)
{
  WeftTableWriter *t = self->ingest->tables[WEFT_TABLE_SUBMISSIONS];
  const WeftIngestLane *known = weft_ingest_runtime_get_lane (self, lane);
  guint64 id = weft_ingest_recall (self->submissions, producer);
  guint64 queue_lane = weft_ingest_runtime_lookup (self->queue_lanes, queue);

  if (producer == 0 || id != 0)
    return id;

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_SUBMISSIONS_RUNTIME, self->id);
  weft_table_writer_set (t, WEFT_SUBMISSIONS_PRODUCER_ID, producer);
  weft_table_writer_set (t, WEFT_SUBMISSIONS_LANE,
                         queue_lane != 0 ? queue_lane
                         : known         ? known->id
                                         : 0);
  weft_table_writer_set (t, WEFT_SUBMISSIONS_QUEUE,
                         weft_ingest_runtime_lookup (self->queues, queue));
  id = weft_ingest_commit (self->ingest, WEFT_TABLE_SUBMISSIONS);
  weft_ingest_remember (&self->submissions, producer, id);
  return id;
}

static guint64
find_error (WeftIngestRuntime *self, const guint8 *group, gsize length, guint lane)
{
  gsize offset = 0, size = 0;
  const WeftWireRecord *record;

  while ((record = weft_group_next (group, length, &offset, &size)) != NULL)
    if (record->type == WEFT_WIRE_SIDE_ERROR)
      return weft_ingest_runtime_read_error (self, (const guint8 *) record, size, lane);
  return 0;
}

static void
read_submission_event (WeftIngestRuntime *self, const guint8 *group, gsize size, gsize length)
{
  WeftTableWriter *t = self->ingest->tables[WEFT_TABLE_SUBMISSION_EVENTS];
  WeftWireSubmissionEvent event;
  WeftSideOwner owner = { 0 };
  guint64 error;

  weft_copy_fixed (&event, sizeof event, group, size);
  owner.lane = event.record.lane;
  owner.submission =
      weft_ingest_runtime_get_submission (self, event.submission, event.record.lane, event.queue);
  if (owner.submission == 0)
    {
      weft_ingest_runtime_count (self, 0, WEFT_LOSS_UNKNOWN_ID, 1);
      return;
    }
  error = find_error (self, group, length, owner.lane);

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_SUBMISSION_EVENTS_SUBMISSION, owner.submission);
  weft_table_writer_set (t, WEFT_SUBMISSION_EVENTS_KIND, event.kind);
  weft_table_writer_set (t, WEFT_SUBMISSION_EVENTS_TIME, (guint64) event_time (self, event.ticks));
  weft_table_writer_set (t, WEFT_SUBMISSION_EVENTS_STATUS, event.status);
  weft_table_writer_set (t, WEFT_SUBMISSION_EVENTS_ERROR, error);
  weft_ingest_commit (self->ingest, WEFT_TABLE_SUBMISSION_EVENTS);
  weft_ingest_runtime_read_sides (self, &owner, group, length);
}

static void
read_origin_event (WeftIngestRuntime *self, const guint8 *group, gsize size)
{
  WeftWireOrigin origin;

  weft_copy_fixed (&origin, sizeof origin, group, size);
  weft_ingest_runtime_add_origin (
      self, &origin, known_dispatch (self, origin.dispatch),
      weft_ingest_runtime_get_submission (self, origin.submission, origin.record.lane, 0));
}

static void
read_counter_event (WeftIngestRuntime *self, const guint8 *group, gsize size, gsize length)
{
  WeftWireCounterEvent event;
  WeftSideOwner owner = { 0 };

  weft_copy_fixed (&event, sizeof event, group, size);
  owner.lane = event.record.lane;
  owner.dispatch = known_dispatch (self, event.dispatch);
  owner.producer_dispatch = event.dispatch;
  owner.submission = weft_ingest_runtime_get_submission (self, event.submission, owner.lane, 0);
  weft_ingest_runtime_read_sides (self, &owner, group, length);
}

/* ---- Metrics and warnings ---- */

static void
read_metric_point (WeftIngestRuntime *self, WeftIngestWriter *writer, const guint8 *group,
                   gsize size, gsize length)
{
  WeftTableWriter *t = self->ingest->tables[WEFT_TABLE_METRIC_POINTS];
  WeftWireMetricPoint point;
  guint64 metric, id;

  weft_copy_fixed (&point, sizeof point, group, size);
  metric = weft_ingest_runtime_lookup (self->metrics, point.metric);
  if (metric == 0)
    {
      weft_ingest_runtime_count (self, 0, WEFT_LOSS_UNKNOWN_ID, 1);
      return;
    }
  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_METRIC_POINTS_METRIC, metric);
  weft_table_writer_set (t, WEFT_METRIC_POINTS_TIME, (guint64) event_time (self, point.ticks));
  weft_table_writer_set_double (t, WEFT_METRIC_POINTS_VALUE, point.value);
  weft_table_writer_set (t, WEFT_METRIC_POINTS_THREAD, writer->thread);
  id = weft_ingest_commit (self->ingest, WEFT_TABLE_METRIC_POINTS);
  if (length > size)
    weft_ingest_runtime_read_tags (self, WEFT_TABLE_METRIC_POINTS, id, group, length,
                                   point.record.lane);
}

static void
read_warning (WeftIngestRuntime *self, const guint8 *group, gsize size, gsize length)
{
  WeftTableWriter *t = self->ingest->tables[WEFT_TABLE_WARNINGS];
  WeftWireWarning warning;
  const WeftIngestLane *lane;
  WeftCursor cursor;
  guint64 id;

  weft_copy_fixed (&warning, sizeof warning, group, size);
  weft_cursor_init (&cursor, group, sizeof warning, size);
  lane = weft_ingest_runtime_get_lane (self, warning.record.lane);

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_WARNINGS_LANE, lane ? lane->id : 0);
  weft_table_writer_set (t, WEFT_WARNINGS_DISPATCH, known_dispatch (self, warning.dispatch));
  weft_table_writer_set (t, WEFT_WARNINGS_PRODUCER_DISPATCH, warning.dispatch);
  weft_table_writer_set (t, WEFT_WARNINGS_TIME, (guint64) event_time (self, warning.ticks));
  weft_table_writer_set (t, WEFT_WARNINGS_CODE,
                         weft_ingest_runtime_read_string (self, &cursor, warning.record.lane));
  weft_table_writer_set (t, WEFT_WARNINGS_MESSAGE,
                         weft_ingest_runtime_read_string (self, &cursor, warning.record.lane));
  weft_table_writer_set (t, WEFT_WARNINGS_SEVERITY, warning.severity);
  weft_table_writer_set_double (t, WEFT_WARNINGS_VALUE, warning.value);
  weft_table_writer_set_double (t, WEFT_WARNINGS_THRESHOLD, warning.threshold);
  id = weft_ingest_commit (self->ingest, WEFT_TABLE_WARNINGS);
  weft_ingest_runtime_read_tags (self, WEFT_TABLE_WARNINGS, id, group, length, warning.record.lane);
}

/* ---- Traces ---- */

static WeftIngestTrace *
find_trace (WeftIngestRuntime *self, guint64 producer)
{
  WeftIngestTrace *trace = g_hash_table_lookup (self->traces, &producer);

  if (trace != NULL)
    return trace;
  if (g_hash_table_size (self->traces) >= MAX_TRACES)
    {
      weft_ingest_runtime_count (self, 0, WEFT_LOSS_TOO_MANY_PENDING, 1);
      return NULL;
    }
  trace = g_new0 (WeftIngestTrace, 1);
  trace->id = ++self->ingest->n_traces;
  g_hash_table_insert (self->traces, g_memdup2 (&producer, sizeof producer), trace);
  return trace;
}

guint64
weft_ingest_runtime_get_trace (WeftIngestRuntime *self, guint64 producer)
{
  const WeftIngestTrace *trace = find_trace (self, producer);

  return trace ? trace->id : 0;
}

static void
read_trace_begin (WeftIngestRuntime *self, const guint8 *group, gsize size)
{
  WeftWireTraceBegin begin;
  WeftIngestTrace *trace;
  WeftCursor cursor;

  weft_copy_fixed (&begin, sizeof begin, group, size);
  weft_cursor_init (&cursor, group, sizeof begin, size);
  trace = find_trace (self, begin.trace);
  if (trace == NULL)
    return;
  trace->name = weft_ingest_runtime_read_string (self, &cursor, 0);
  trace->start = event_time (self, begin.ticks);
  trace->has_start = TRUE;
}

/* The trace stays in memory, for dispatches of it may still come. */
static void
write_trace (WeftIngestRuntime *self, guint64 producer, const WeftIngestTrace *trace,
             const WeftWireTraceEnd *end, guint64 error)
{
  WeftTableWriter *t = self->ingest->tables[WEFT_TABLE_TRACES];
  gint64 time = end ? event_time (self, end->ticks) : 0;

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_TRACES_ID, trace->id);
  weft_table_writer_set (t, WEFT_TRACES_RUNTIME, self->id);
  weft_table_writer_set (t, WEFT_TRACES_PRODUCER_ID, producer);
  weft_table_writer_set (t, WEFT_TRACES_NAME, trace->name);
  if (trace->has_start)
    weft_table_writer_set (t, WEFT_TRACES_START, (guint64) trace->start);
  if (end != NULL && trace->has_start && time >= trace->start)
    weft_table_writer_set (t, WEFT_TRACES_DURATION, (guint64) (time - trace->start));
  if (end != NULL)
    {
      weft_table_writer_set (t, WEFT_TRACES_STATUS, end->status);
      weft_table_writer_set (t, WEFT_TRACES_ERROR_KIND, end->error_kind);
      weft_table_writer_set (t, WEFT_TRACES_ERROR, error);
    }
  weft_ingest_commit (self->ingest, WEFT_TABLE_TRACES);
}

static void
read_trace_end (WeftIngestRuntime *self, const guint8 *group, gsize size, gsize length)
{
  WeftWireTraceEnd end;
  WeftIngestTrace *trace;
  guint64 error;

  weft_copy_fixed (&end, sizeof end, group, size);
  trace = find_trace (self, end.trace);
  if (trace == NULL)
    return;
  if (trace->ended != 0)
    {
      weft_ingest_runtime_count (self, 0, WEFT_LOSS_DUPLICATE_ID, 1);
      return;
    }
  error = find_error (self, group, length, 0);
  write_trace (self, end.trace, trace, &end, error);
  weft_ingest_runtime_read_tags (self, WEFT_TABLE_TRACES, trace->id, group, length, 0);
  trace->ended = MAX (self->now, 1);
}

/* Those that have not ended: rows without a duration. */
void
weft_ingest_runtime_end_traces (WeftIngestRuntime *self)
{
  GHashTableIter iter;
  gpointer key, value;

  g_hash_table_iter_init (&iter, self->traces);
  while (g_hash_table_iter_next (&iter, &key, &value))
    {
      const WeftIngestTrace *trace = value;

      if (trace->ended == 0)
        write_trace (self, *(guint64 *) key, trace, NULL, 0);
    }
}

void
weft_ingest_runtime_hold_strings (WeftIngestRuntime *self, GArray *ids)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->traces);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (((const WeftIngestTrace *) value)->ended == 0)
      g_array_append_val (ids, ((const WeftIngestTrace *) value)->name);
}

static gboolean
ended_before (gpointer key, gpointer value, gpointer before)
{
  const WeftIngestTrace *trace = value;

  return trace->ended != 0 && trace->ended < *(gint64 *) before;
}

void
weft_ingest_runtime_forget_traces (WeftIngestRuntime *self, gint64 before)
{
  g_hash_table_foreach_remove (self->traces, ended_before, &before);
}

/* ---- Clocks and stacks ---- */

static void
read_clock_pair (WeftIngestRuntime *self, const guint8 *group, gsize size)
{
  WeftWireClockPair pair;
  WeftIngestClock *clock;
  gint64 before, after, time;

  weft_copy_fixed (&pair, sizeof pair, group, size);
  if (pair.clock - 2 >= self->clocks->len || pair.after < pair.before)
    {
      weft_ingest_runtime_count (self, 0, WEFT_LOSS_UNKNOWN_ID, 1);
      return;
    }
  clock = g_ptr_array_index (self->clocks, pair.clock - 2);
  before = event_time (self, pair.before);
  after = event_time (self, pair.after);
  time = before + (after - before) / 2;
  if (!weft_clock_map_add (&clock->map, pair.device, time + self->ingest->start,
                           (after - before + 1) / 2))
    {
      weft_ingest_runtime_count (self, 0, WEFT_LOSS_TIMES_REVERSED, 1);
      return;
    }
  weft_ingest_store_pair (self, clock->id, pair.device, time + self->ingest->start,
                          (after - before + 1) / 2);
}

static void
read_stack (WeftIngestRuntime *self, WeftIngestWriter *writer, const guint8 *group, gsize size)
{
  WeftIngest *ingest = self->ingest;
  WeftTableWriter *t = ingest->tables[WEFT_TABLE_STACKS];
  const guint8 *bytes = group + sizeof (WeftWireStack);
  WeftWireStack stack;
  guint64 callchain = 0;
  guint64 id;
  guint end = 0;

  weft_copy_fixed (&stack, sizeof stack, group, size);
  if (size < sizeof stack || stack.copied > size - sizeof stack || stack.id == 0)
    {
      weft_ingest_runtime_count (self, 0, WEFT_LOSS_MALFORMED, 1);
      return;
    }

  /* What a file brings was copied in a process that is not there any more. */
  if (ingest->unwind != NULL && !self->gone)
    end = ingest->unwind (&stack, bytes, self->pid, &callchain, ingest->unwind_data);

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_STACKS_THREAD, weft_ingest_runtime_find_thread (self, stack.tid));
  weft_table_writer_set (t, WEFT_STACKS_TIME, (guint64) event_time (self, stack.ticks));
  weft_table_writer_set (t, WEFT_STACKS_PROGRAM_COUNTER, stack.program_counter);
  weft_table_writer_set (t, WEFT_STACKS_STACK_POINTER, stack.stack_pointer);
  weft_table_writer_set (t, WEFT_STACKS_COPIED, stack.copied);
  weft_table_writer_set (t, WEFT_STACKS_END, end);
  weft_table_writer_set (t, WEFT_STACKS_CALLCHAIN, callchain);
  id = weft_ingest_commit (ingest, WEFT_TABLE_STACKS);
  weft_ingest_remember (&self->stacks, stack.id, id);
  if (ingest->linker != NULL)
    weft_linker_add_stack (ingest->linker, id, callchain);
}

static void
read_handover (WeftIngestRuntime *self, WeftIngestWriter *writer, const guint8 *group, gsize size)
{
  WeftIngest *ingest = self->ingest;
  WeftWireHandover record;
  WeftIngestHandover handover = { .process = self->process, .thread = writer->thread };

  weft_copy_fixed (&record, sizeof record, group, size);
  if (record.kind > WEFT_WIRE_HANDOVER_EXPIRED || record.object == 0)
    {
      weft_ingest_runtime_count (self, 0, WEFT_LOSS_INVALID, 1);
      return;
    }
  handover.waited = record.kind != WEFT_WIRE_HANDOVER_RELEASED;
  handover.expired = record.kind == WEFT_WIRE_HANDOVER_EXPIRED;
  handover.object = record.object;
  handover.also = record.also;
  handover.begin = event_time (self, record.begin);
  handover.end = handover.waited ? event_time (self, record.end) : handover.begin;
  if (handover.end < handover.begin)
    weft_ingest_runtime_count (self, 0, WEFT_LOSS_TIMES_REVERSED, 1);
  else if (ingest->handover != NULL)
    ingest->handover (&handover, ingest->handover_data);
}

gboolean
weft_ingest_runtime_read_event (WeftIngestRuntime *self, WeftIngestWriter *writer,
                                const guint8 *group, gsize length)
{
  const WeftWireRecord *record = (const void *) group;
  gsize size = record->words * (gsize) 8;

  switch (record->type)
    {
    case WEFT_WIRE_SUBMISSION_EVENT:
      read_submission_event (self, group, size, length);
      return TRUE;
    case WEFT_WIRE_ORIGIN_EVENT:
      read_origin_event (self, group, size);
      return TRUE;
    case WEFT_WIRE_METRIC_POINT:
      read_metric_point (self, writer, group, size, length);
      return TRUE;
    case WEFT_WIRE_WARNING:
      read_warning (self, group, size, length);
      return TRUE;
    case WEFT_WIRE_TRACE_BEGIN:
      read_trace_begin (self, group, size);
      return TRUE;
    case WEFT_WIRE_TRACE_END:
      read_trace_end (self, group, size, length);
      return TRUE;
    case WEFT_WIRE_CLOCK_PAIR:
      read_clock_pair (self, group, size);
      return TRUE;
    case WEFT_WIRE_STACK:
      read_stack (self, writer, group, size);
      return TRUE;
    case WEFT_WIRE_COUNTER_EVENT:
      read_counter_event (self, group, size, length);
      return TRUE;
    case WEFT_WIRE_HANDOVER:
      read_handover (self, writer, group, size);
      return TRUE;
    default:
      return FALSE;
    }
}
