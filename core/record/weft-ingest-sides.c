/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Side records: what a dispatch or submission brings along, each a row of a child table. */

#include "weft-ingest-private.h"

#include <string.h>

guint64
weft_ingest_runtime_read_error (WeftIngestRuntime *self, const guint8 *record, gsize length,
                                guint lane)
{
  WeftTableWriter *t = self->ingest->tables[WEFT_TABLE_ERRORS];
  WeftCursor cursor;

  weft_cursor_init (&cursor, record, sizeof (WeftWireError), length);
  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_ERRORS_NAME,
                         weft_ingest_runtime_read_string (self, &cursor, lane));
  weft_table_writer_set (t, WEFT_ERRORS_MESSAGE,
                         weft_ingest_runtime_read_string (self, &cursor, lane));
  weft_table_writer_set (t, WEFT_ERRORS_STACK,
                         weft_ingest_runtime_read_string (self, &cursor, lane));
  weft_table_writer_set (t, WEFT_ERRORS_CAUSE,
                         weft_ingest_runtime_read_string (self, &cursor, lane));
  return weft_ingest_commit (self->ingest, WEFT_TABLE_ERRORS);
}

static guint64
add_phase_error (WeftIngestRuntime *self, guint32 message)
{
  WeftTableWriter *t = self->ingest->tables[WEFT_TABLE_ERRORS];

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_ERRORS_MESSAGE, message);
  return weft_ingest_commit (self->ingest, WEFT_TABLE_ERRORS);
}

static void
read_phase (WeftIngestRuntime *self, const WeftSideOwner *owner, const WeftWireRecord *record,
            gsize size)
{
  WeftTableWriter *t = self->ingest->tables[WEFT_TABLE_PHASES];
  WeftWirePhase phase;
  WeftCursor cursor;
  guint32 name, message;
  guint64 error;

  weft_copy_fixed (&phase, sizeof phase, record, size);
  weft_cursor_init (&cursor, record, sizeof phase, size);
  name = weft_ingest_runtime_read_string (self, &cursor, owner->lane);
  message = weft_ingest_runtime_read_string (self, &cursor, owner->lane);
  error = message ? add_phase_error (self, message) : 0;

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_PHASES_DISPATCH, owner->dispatch);
  weft_table_writer_set (t, WEFT_PHASES_NAME, name);
  weft_table_writer_set (t, WEFT_PHASES_OFFSET, phase.offset);
  weft_table_writer_set (t, WEFT_PHASES_DURATION, phase.duration);
  weft_table_writer_set (t, WEFT_PHASES_FLAGS, phase.flags);
  weft_table_writer_set (t, WEFT_PHASES_ERROR, error);
  weft_ingest_commit (self->ingest, WEFT_TABLE_PHASES);
}

static guint64
read_attachment (WeftIngestRuntime *self, const WeftSideOwner *owner, const WeftWireRecord *record,
                 gsize size)
{
  static const WeftColumnNumber strings[] = { WEFT_ATTACHMENTS_KIND, WEFT_ATTACHMENTS_LABEL,
                                              WEFT_ATTACHMENTS_ROLE, WEFT_ATTACHMENTS_ELEMENT_TYPE,
                                              WEFT_ATTACHMENTS_SHAPE };
  WeftTableWriter *t = self->ingest->tables[WEFT_TABLE_ATTACHMENTS];
  WeftWireAttachment attachment;
  WeftCursor cursor;

  weft_copy_fixed (&attachment, sizeof attachment, record, size);
  weft_cursor_init (&cursor, record, sizeof attachment, size);
  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_ATTACHMENTS_DISPATCH, owner->dispatch);
  for (guint i = 0; i < G_N_ELEMENTS (strings); i++)
    weft_table_writer_set (t, strings[i],
                           weft_ingest_runtime_read_string (self, &cursor, owner->lane));
  if (attachment.slot != G_MININT32)
    weft_table_writer_set (t, WEFT_ATTACHMENTS_SLOT, (guint64) (gint64) attachment.slot);
  weft_table_writer_set (t, WEFT_ATTACHMENTS_OFFSET, attachment.offset);
  if (attachment.size != G_MAXUINT64)
    weft_table_writer_set (t, WEFT_ATTACHMENTS_SIZE, attachment.size);
  weft_table_writer_set (t, WEFT_ATTACHMENTS_ACCESS, attachment.access);
  weft_table_writer_set (t, WEFT_ATTACHMENTS_PRIVACY, attachment.privacy);
  return weft_ingest_commit (self->ingest, WEFT_TABLE_ATTACHMENTS);
}

static void
read_range (WeftIngestRuntime *self, guint64 attachment, guint lane, const WeftWireRecord *record,
            gsize size)
{
  WeftTableWriter *t = self->ingest->tables[WEFT_TABLE_ATTACHMENT_RANGES];
  WeftWireRange range;
  WeftCursor cursor;

  weft_copy_fixed (&range, sizeof range, record, size);
  weft_cursor_init (&cursor, record, sizeof range, size);
  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_ATTACHMENT_RANGES_ATTACHMENT, attachment);
  weft_table_writer_set (t, WEFT_ATTACHMENT_RANGES_NAME,
                         weft_ingest_runtime_read_string (self, &cursor, lane));
  weft_table_writer_set (t, WEFT_ATTACHMENT_RANGES_FIRST, (guint64) range.first);
  weft_table_writer_set (t, WEFT_ATTACHMENT_RANGES_COUNT, range.count);
  weft_ingest_commit (self->ingest, WEFT_TABLE_ATTACHMENT_RANGES);
}

static void
add_counter_values (WeftIngestRuntime *self, guint64 sample, const WeftIngestCounterSet *set,
                    const WeftWireCounters *counters, const guint8 *values)
{
  WeftTableWriter *t = self->ingest->tables[WEFT_TABLE_COUNTER_VALUES];

  for (guint i = 0; i < MIN (counters->n_values, set->n_counters); i++)
    {
      WeftWireCounterValue value;

      memcpy (&value, values + i * sizeof value, sizeof value);
      weft_table_writer_begin (t);
      weft_table_writer_set (t, WEFT_COUNTER_VALUES_SAMPLE, sample);
      weft_table_writer_set (t, WEFT_COUNTER_VALUES_COUNTER, set->first_counter + i);
      weft_table_writer_set (t, WEFT_COUNTER_VALUES_BITS, value.bits);
      if (value.is_error)
        weft_table_writer_set (t, WEFT_COUNTER_VALUES_IS_ERROR, 1);
      weft_ingest_commit (self->ingest, WEFT_TABLE_COUNTER_VALUES);
    }
}

static void
read_counters (WeftIngestRuntime *self, const WeftSideOwner *owner, const WeftWireRecord *record,
               gsize size)
{
  WeftTableWriter *t = self->ingest->tables[WEFT_TABLE_COUNTER_SAMPLES];
  const WeftIngestCounterSet *set;
  WeftWireCounters counters;
  WeftCursor cursor;
  gsize fixed;
  gint64 time;
  gboolean extrapolated;
  guint64 sample;

  weft_copy_fixed (&counters, sizeof counters, record, size);
  fixed = sizeof counters + counters.n_values * sizeof (WeftWireCounterValue);
  if (counters.set - 1 >= self->counter_sets->len || fixed > size)
    {
      weft_ingest_runtime_count (self, 0, WEFT_LOSS_UNKNOWN_ID, 1);
      return;
    }
  set = &g_array_index (self->counter_sets, WeftIngestCounterSet, counters.set - 1);
  weft_cursor_init (&cursor, record, fixed, size);

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_COUNTER_SAMPLES_SET, set->id);
  weft_table_writer_set (t, WEFT_COUNTER_SAMPLES_DISPATCH, owner->dispatch);
  weft_table_writer_set (t, WEFT_COUNTER_SAMPLES_SUBMISSION, owner->submission);
  weft_table_writer_set (t, WEFT_COUNTER_SAMPLES_POINT, counters.point);
  weft_table_writer_set (t, WEFT_COUNTER_SAMPLES_POINT_NAME,
                         weft_ingest_runtime_read_string (self, &cursor, owner->lane));
  if (counters.ticks != 0 && weft_ingest_runtime_convert (self, WEFT_WIRE_CLOCK_ID_RUNTIME,
                                                          counters.ticks, &time, &extrapolated))
    weft_table_writer_set (t, WEFT_COUNTER_SAMPLES_TIME, (guint64) time);
  weft_table_writer_set (t, WEFT_COUNTER_SAMPLES_RUNTIME, self->id);
  if (owner->producer_dispatch != 0)
    weft_table_writer_set (t, WEFT_COUNTER_SAMPLES_PRODUCER_DISPATCH, owner->producer_dispatch);
  sample = weft_ingest_commit (self->ingest, WEFT_TABLE_COUNTER_SAMPLES);
  add_counter_values (self, sample, set, &counters, (const guint8 *) record + sizeof counters);
}

static void
read_artifact (WeftIngestRuntime *self, const WeftSideOwner *owner, const WeftWireRecord *record,
               gsize size)
{
  WeftTableWriter *t = self->ingest->tables[WEFT_TABLE_ARTIFACT_LINKS];
  WeftWireArtifactSide side;
  guint64 artifact;

  weft_copy_fixed (&side, sizeof side, record, size);
  artifact = weft_ingest_runtime_lookup (self->artifacts, side.artifact);
  if (artifact == 0)
    {
      weft_ingest_runtime_count (self, 0, WEFT_LOSS_UNKNOWN_ID, 1);
      return;
    }
  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_ARTIFACT_LINKS_ARTIFACT, artifact);
  weft_table_writer_set (t, WEFT_ARTIFACT_LINKS_OWNER_TABLE,
                         owner->dispatch ? WEFT_TABLE_DISPATCHES : WEFT_TABLE_SUBMISSIONS);
  weft_table_writer_set (t, WEFT_ARTIFACT_LINKS_OWNER,
                         owner->dispatch ? owner->dispatch : owner->submission);
  weft_ingest_commit (self->ingest, WEFT_TABLE_ARTIFACT_LINKS);
}

static void
read_tag (WeftIngestRuntime *self, WeftTableId table, guint64 owner, guint lane,
          const WeftWireRecord *record, gsize size)
{
  WeftWireTag tag;
  WeftCursor cursor;
  guint32 key, text;

  weft_copy_fixed (&tag, sizeof tag, record, size);
  weft_cursor_init (&cursor, record, sizeof tag, size);
  key = weft_ingest_runtime_read_string (self, &cursor, lane);
  text = weft_ingest_runtime_read_string (self, &cursor, lane);
  weft_ingest_add_tag (self->ingest, table, owner, key, tag.type, text, tag.bits);
}

void
weft_ingest_runtime_read_tags (WeftIngestRuntime *self, WeftTableId owner_table, guint64 owner,
                               const guint8 *group, gsize length, guint lane)
{
  gsize offset = 0, size = 0;
  const WeftWireRecord *record;

  while ((record = weft_group_next (group, length, &offset, &size)) != NULL)
    if (record->type == WEFT_WIRE_SIDE_TAG)
      read_tag (self, owner_table, owner, lane, record, size);
}

void
weft_ingest_runtime_read_sides (WeftIngestRuntime *self, const WeftSideOwner *owner,
                                const guint8 *group, gsize length)
{
  WeftTableId table = owner->dispatch ? WEFT_TABLE_DISPATCHES : WEFT_TABLE_SUBMISSIONS;
  guint64 row = owner->dispatch ? owner->dispatch : owner->submission;
  gsize offset = 0, size = 0;
  guint64 attachment = 0;
  const WeftWireRecord *record;

  while ((record = weft_group_next (group, length, &offset, &size)) != NULL)
    switch (record->type)
      {
      case WEFT_WIRE_SIDE_PHASE:
        read_phase (self, owner, record, size);
        break;
      case WEFT_WIRE_SIDE_ORIGIN:
        {
          WeftWireOrigin origin;

          weft_copy_fixed (&origin, sizeof origin, record, size);
          origin.dispatch = 0;
          weft_ingest_runtime_add_origin (self, &origin, owner->dispatch, owner->submission);
          break;
        }
      case WEFT_WIRE_SIDE_ATTACHMENT:
        attachment = read_attachment (self, owner, record, size);
        break;
      case WEFT_WIRE_SIDE_RANGE:
        read_range (self, attachment, owner->lane, record, size);
        break;
      case WEFT_WIRE_SIDE_COUNTERS:
        read_counters (self, owner, record, size);
        break;
      case WEFT_WIRE_SIDE_TAG:
        read_tag (self, table, row, owner->lane, record, size);
        break;
      case WEFT_WIRE_SIDE_ARTIFACT:
        read_artifact (self, owner, record, size);
        break;
      default:
        break;
      }
}

/* ---- Origins ---- */

static void
tell_linker (WeftIngestRuntime *self, const WeftLinkerOrigin *origin)
{
  WeftIngest *ingest = self->ingest;
  WeftLinkerOrigin told = *origin;

  told.runtime = self->id;
  told.process = self->process;
  told.other_namespace = self->other_pid_namespace;
  told.now = self->now < G_MAXINT64 / 4 ? self->now - ingest->start : G_MAXINT64;
  weft_linker_add_origin (ingest->linker, &told);
}

static void
commit_origin (WeftIngestRuntime *self, const WeftWireOrigin *origin, guint64 dispatch,
               guint64 submission, guint64 stack)
{
  WeftIngest *ingest = self->ingest;
  WeftTableWriter *t = ingest->tables[WEFT_TABLE_ORIGINS];
  guint64 thread = weft_ingest_runtime_find_thread (self, origin->tid);
  gboolean extrapolated;
  guint64 id;
  gint64 time = 0;

  if (!weft_ingest_runtime_convert (self, WEFT_WIRE_CLOCK_ID_RUNTIME, origin->ticks, &time,
                                    &extrapolated))
    {
      weft_ingest_runtime_count (self, 0, WEFT_LOSS_NO_CLOCK, 1);
      return;
    }
  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_ORIGINS_ROLE, origin->role);
  weft_table_writer_set (t, WEFT_ORIGINS_DISPATCH, dispatch);
  weft_table_writer_set (t, WEFT_ORIGINS_SUBMISSION, submission);
  weft_table_writer_set (t, WEFT_ORIGINS_THREAD, thread);
  weft_table_writer_set (t, WEFT_ORIGINS_TID, (guint64) (gint64) origin->tid);
  weft_table_writer_set (t, WEFT_ORIGINS_TIME, (guint64) time);
  weft_table_writer_set (t, WEFT_ORIGINS_STACK, stack);
  weft_table_writer_set (t, WEFT_ORIGINS_RUNTIME, self->id);
  weft_table_writer_set (t, WEFT_ORIGINS_PRODUCER_DISPATCH, origin->dispatch);
  id = weft_ingest_commit (ingest, WEFT_TABLE_ORIGINS);
  if (ingest->linker != NULL)
    tell_linker (self, &(WeftLinkerOrigin){ .origin = id,
                                            .role = origin->role,
                                            .dispatch = dispatch,
                                            .submission = submission,
                                            .producer_dispatch = origin->dispatch,
                                            .thread = thread,
                                            .tid = origin->tid,
                                            .time = time,
                                            .stack = stack });
}

/* The stack may stand in the block of another thread, which this drain saw too early: such an
 * origin waits for the next drains.
 */
void
weft_ingest_runtime_add_origin (WeftIngestRuntime *self, const WeftWireOrigin *origin,
                                guint64 dispatch, guint64 submission)
{
  guint64 stack = weft_ingest_recall (self->stacks, origin->stack);
  WeftIngestLateOrigin *late;

  if (origin->stack == 0 || stack != 0 || self->late_origins.length >= MAX_LATE_ORIGINS)
    {
      commit_origin (self, origin, dispatch, submission, stack);
      return;
    }
  late = g_new0 (WeftIngestLateOrigin, 1);
  late->origin = *origin;
  late->dispatch = dispatch;
  late->submission = submission;
  g_queue_push_tail (&self->late_origins, late);
}

void
weft_ingest_runtime_release_late_origins (WeftIngestRuntime *self, gboolean all)
{
  guint n = self->late_origins.length;

  for (guint i = 0; i < n; i++)
    {
      WeftIngestLateOrigin *late = g_queue_pop_head (&self->late_origins);
      guint64 stack = weft_ingest_recall (self->stacks, late->origin.stack);

      if (stack == 0 && !all && late->drains++ < 2)
        {
          g_queue_push_tail (&self->late_origins, late);
          continue;
        }
      commit_origin (self, &late->origin, late->dispatch, late->submission, stack);
      g_free (late);
    }
}
