/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Entries of a producer's registry. */

#include "weft-ingest-private.h"

#include <string.h>

/* Ids are dense: entry N of a kind has number N. Anything else is refused. */
static gboolean
accept_number (WeftIngestRuntime *self, const GArray *ids, guint32 number, guint max)
{
  if (number == 0 || number != ids->len + 1)
    {
      weft_ingest_runtime_count (self, 0, WEFT_LOSS_UNKNOWN_ID, 1);
      return FALSE;
    }
  if (number > max)
    {
      weft_ingest_runtime_count (self, 0, WEFT_LOSS_TOO_MANY_REGISTERED, 1);
      return FALSE;
    }
  return TRUE;
}

static guint64
lane_id (WeftIngestRuntime *self, guint32 number)
{
  const WeftIngestLane *lane = weft_ingest_runtime_get_lane (self, number);

  return lane ? lane->id : 0;
}

static void
read_writer (WeftIngestRuntime *self, const WeftWireEntry *entry)
{
  WeftWireWriterEntry e;
  WeftCursor cursor;
  gsize length;
  g_autofree char *name = NULL;

  weft_copy_fixed (&e, sizeof e, entry, entry->fixed);
  weft_cursor_init (&cursor, entry, entry->fixed, entry->size);
  if (!accept_number (self, self->writers, e.id, MAX_WRITERS))
    return;
  name = weft_ingest_runtime_read_text (self, &cursor, 0, &length);
  weft_ingest_register_writer (self, e.tid, e.ticks, name && *name ? name : NULL);
}

/* What an older process dropped before we came is no loss of this recording. */
static void
read_base (WeftIngestRuntime *self, WeftIngestLane *lane)
{
  if (lane->cell < self->n_base)
    memcpy (lane->base, self->base[lane->cell].drops, sizeof lane->base);
}

static guint64
clock_row (WeftIngestRuntime *self, guint32 clock)
{
  if (clock == WEFT_WIRE_CLOCK_ID_RUNTIME)
    return self->clock_id;
  if (clock - 2 < self->clocks->len)
    return ((WeftIngestClock *) g_ptr_array_index (self->clocks, clock - 2))->id;
  return 0;
}

static guint32
read_kind (WeftIngestRuntime *self, WeftCursor *cursor)
{
  WeftIngest *ingest = self->ingest;
  gsize length = 0;
  g_autofree char *text = weft_ingest_runtime_read_text (self, cursor, 0, &length);
  guint32 kind = weft_ingest_runtime_intern (self, text, length, 0);

  if (kind != 0 && kind != ingest->last_kind && ingest->kind_seen != NULL)
    ingest->kind_seen (text, ingest->kind_data);
  ingest->last_kind = kind;
  return kind;
}

static void
read_lane (WeftIngestRuntime *self, const WeftWireEntry *entry)
{
  WeftTableWriter *t = self->ingest->tables[WEFT_TABLE_LANES];
  WeftWireLaneEntry e;
  WeftIngestLane lane = { 0 };
  WeftCursor cursor;
  guint32 name, kind;

  weft_copy_fixed (&e, sizeof e, entry, entry->fixed);
  weft_cursor_init (&cursor, entry, entry->fixed, entry->size);
  if (!accept_number (self, self->lanes, e.id, MAX_LANES))
    return;
  name = weft_ingest_runtime_read_string (self, &cursor, 0);
  kind = read_kind (self, &cursor);

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_LANES_RUNTIME, self->id);
  weft_table_writer_set (t, WEFT_LANES_PRODUCER_ID, e.id);
  weft_table_writer_set (t, WEFT_LANES_NAME, name);
  weft_table_writer_set (t, WEFT_LANES_KIND, kind);
  weft_table_writer_set (t, WEFT_LANES_PARENT, lane_id (self, e.parent));
  weft_table_writer_set (t, WEFT_LANES_CLOCK, clock_row (self, e.clock));
  lane.id = (guint32) weft_ingest_commit (self->ingest, WEFT_TABLE_LANES);
  lane.clock = e.clock;
  lane.cell = e.cell;
  lane.dirty = TRUE;
  read_base (self, &lane);
  g_array_append_val (self->lanes, lane);
}

static void
read_lane_close (WeftIngestRuntime *self, const WeftWireEntry *entry)
{
  WeftTableWriter *t = self->ingest->tables[WEFT_TABLE_LANE_ENDS];
  WeftWireLaneCloseEntry e;
  gboolean extrapolated;
  gint64 time = 0;

  weft_copy_fixed (&e, sizeof e, entry, entry->fixed);
  if (lane_id (self, e.lane) == 0)
    {
      weft_ingest_runtime_count (self, 0, WEFT_LOSS_UNKNOWN_LANE, 1);
      return;
    }
  weft_ingest_runtime_convert (self, WEFT_WIRE_CLOCK_ID_RUNTIME, e.ticks, &time, &extrapolated);
  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_LANE_ENDS_LANE, lane_id (self, e.lane));
  weft_table_writer_set (t, WEFT_LANE_ENDS_TIME, (guint64) time);
  weft_ingest_commit (self->ingest, WEFT_TABLE_LANE_ENDS);
}

static void
read_queue (WeftIngestRuntime *self, const WeftWireEntry *entry)
{
  WeftTableWriter *t = self->ingest->tables[WEFT_TABLE_QUEUES];
  WeftWireQueueEntry e;
  WeftCursor cursor;
  guint64 id, lane;

  weft_copy_fixed (&e, sizeof e, entry, entry->fixed);
  weft_cursor_init (&cursor, entry, entry->fixed, entry->size);
  if (!accept_number (self, self->queues, e.id, MAX_ROUTINES))
    return;
  weft_table_writer_begin (t);
  lane = lane_id (self, e.lane);
  weft_table_writer_set (t, WEFT_QUEUES_LANE, lane);
  weft_table_writer_set (t, WEFT_QUEUES_NAME, weft_ingest_runtime_read_string (self, &cursor, 0));
  id = weft_ingest_commit (self->ingest, WEFT_TABLE_QUEUES);
  g_array_append_val (self->queues, id);
  g_array_append_val (self->queue_lanes, lane);
}

static void
read_routine (WeftIngestRuntime *self, const WeftWireEntry *entry)
{
  WeftTableWriter *t = self->ingest->tables[WEFT_TABLE_ROUTINES];
  WeftWireRoutineEntry e;
  WeftCursor cursor;
  guint64 id;

  weft_copy_fixed (&e, sizeof e, entry, entry->fixed);
  weft_cursor_init (&cursor, entry, entry->fixed, entry->size);
  if (!accept_number (self, self->routines, e.id, MAX_ROUTINES))
    return;
  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_ROUTINES_RUNTIME, self->id);
  weft_table_writer_set (t, WEFT_ROUTINES_NAME, weft_ingest_runtime_read_string (self, &cursor, 0));
  weft_table_writer_set (t, WEFT_ROUTINES_LABEL,
                         weft_ingest_runtime_read_string (self, &cursor, 0));
  weft_table_writer_set (t, WEFT_ROUTINES_FLAVOUR,
                         weft_ingest_runtime_read_string (self, &cursor, 0));
  weft_table_writer_set (t, WEFT_ROUTINES_SOURCE,
                         weft_ingest_runtime_lookup (self->sources, e.source));
  weft_table_writer_set (t, WEFT_ROUTINES_FIRST_LINE, e.first_line);
  weft_table_writer_set (t, WEFT_ROUTINES_LAST_LINE, e.last_line);
  id = weft_ingest_commit (self->ingest, WEFT_TABLE_ROUTINES);
  g_array_append_val (self->routines, id);
}

static void
read_source (WeftIngestRuntime *self, const WeftWireEntry *entry)
{
  WeftIngest *ingest = self->ingest;
  WeftTableWriter *t = ingest->tables[WEFT_TABLE_SOURCES];
  static const WeftColumnNumber columns[] = { WEFT_SOURCES_LANGUAGE, WEFT_SOURCES_PATH,
                                              WEFT_SOURCES_HASH, WEFT_SOURCES_FLAVOUR,
                                              WEFT_SOURCES_BUILD_FLAGS };
  WeftWireSourceEntry e;
  WeftCursor cursor;
  guint64 id;
  guint32 strings[G_N_ELEMENTS (columns)];
  g_autofree char *text = NULL;
  gsize length = 0;

  weft_copy_fixed (&e, sizeof e, entry, entry->fixed);
  weft_cursor_init (&cursor, entry, entry->fixed, entry->size);
  if (!accept_number (self, self->sources, e.id, MAX_ROUTINES))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    strings[i] = weft_ingest_runtime_read_string (self, &cursor, 0);
  text = weft_ingest_runtime_read_text (self, &cursor, 0, &length);

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_SOURCES_RUNTIME, self->id);
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    weft_table_writer_set (t, columns[i], strings[i]);
  if (length > 0)
    weft_table_writer_set (t, WEFT_SOURCES_TEXT,
                           weft_store_writer_blob (ingest->store, text, length));
  id = weft_ingest_commit (ingest, WEFT_TABLE_SOURCES);
  g_array_append_val (self->sources, id);
}

static void
read_source_lines (WeftIngestRuntime *self, const WeftWireEntry *entry)
{
  WeftTableWriter *t = self->ingest->tables[WEFT_TABLE_SOURCE_LINES];
  WeftWireSourceLinesEntry e;
  const guint8 *lines = (const guint8 *) entry + entry->fixed;
  guint64 source;

  weft_copy_fixed (&e, sizeof e, entry, entry->fixed);
  source = weft_ingest_runtime_lookup (self->sources, e.source);
  if (source == 0 || e.n_lines > (entry->size - entry->fixed) / sizeof (WeftWireLine))
    {
      weft_ingest_runtime_count (self, 0, WEFT_LOSS_MALFORMED, 1);
      return;
    }
  for (guint32 i = 0; i < e.n_lines; i++)
    {
      WeftWireLine line;

      memcpy (&line, lines + i * sizeof line, sizeof line);
      weft_table_writer_begin (t);
      weft_table_writer_set (t, WEFT_SOURCE_LINES_SOURCE, source);
      weft_table_writer_set (t, WEFT_SOURCE_LINES_OFFSET, line.offset);
      weft_table_writer_set (t, WEFT_SOURCE_LINES_LINE, line.line);
      weft_table_writer_set (t, WEFT_SOURCE_LINES_COLUMN, line.column);
      weft_ingest_commit (self->ingest, WEFT_TABLE_SOURCE_LINES);
    }
}

static void
read_source_range (WeftIngestRuntime *self, const WeftWireEntry *entry)
{
  WeftTableWriter *t = self->ingest->tables[WEFT_TABLE_SOURCE_RANGES];
  WeftWireSourceRangeEntry e;

  weft_copy_fixed (&e, sizeof e, entry, entry->fixed);
  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_SOURCE_RANGES_SOURCE,
                         weft_ingest_runtime_lookup (self->sources, e.source));
  weft_table_writer_set (t, WEFT_SOURCE_RANGES_ROUTINE,
                         weft_ingest_runtime_lookup (self->routines, e.routine));
  weft_table_writer_set (t, WEFT_SOURCE_RANGES_FIRST_LINE, e.first_line);
  weft_table_writer_set (t, WEFT_SOURCE_RANGES_LAST_LINE, e.last_line);
  weft_ingest_commit (self->ingest, WEFT_TABLE_SOURCE_RANGES);
}

static void
add_counter (WeftIngestRuntime *self, guint64 set, guint position, const WeftWireCounter *counter,
             WeftCursor *names)
{
  WeftTableWriter *t = self->ingest->tables[WEFT_TABLE_COUNTERS];

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_COUNTERS_SET, set);
  weft_table_writer_set (t, WEFT_COUNTERS_POSITION, position);
  weft_table_writer_set (t, WEFT_COUNTERS_NAME, weft_ingest_runtime_read_string (self, names, 0));
  weft_table_writer_set (t, WEFT_COUNTERS_UNIT_NAME,
                         weft_ingest_runtime_read_string (self, names, 0));
  weft_table_writer_set (t, WEFT_COUNTERS_UNIT, counter->unit);
  weft_table_writer_set (t, WEFT_COUNTERS_KIND, counter->kind);
  weft_table_writer_set (t, WEFT_COUNTERS_AGGREGATION, counter->aggregation);
  weft_table_writer_set (t, WEFT_COUNTERS_VALUE_TYPE, counter->value_type);
  weft_ingest_commit (self->ingest, WEFT_TABLE_COUNTERS);
}

static void
read_counter_set (WeftIngestRuntime *self, const WeftWireEntry *entry)
{
  WeftIngest *ingest = self->ingest;
  WeftTableWriter *t = ingest->tables[WEFT_TABLE_COUNTER_SETS];
  WeftWireCounterSetEntry e;
  const guint8 *counters = (const guint8 *) entry + entry->fixed;
  WeftIngestCounterSet set = { 0 };
  WeftCursor cursor;

  weft_copy_fixed (&e, sizeof e, entry, entry->fixed);
  if (!accept_number (self, self->counter_sets, e.id, MAX_ROUTINES))
    return;
  if (e.n_counters > WEFT_WIRE_MAX_COUNTERS ||
      e.n_counters * sizeof (WeftWireCounter) > entry->size - entry->fixed)
    e.n_counters = 0;
  weft_cursor_init (&cursor, entry, entry->fixed + e.n_counters * sizeof (WeftWireCounter),
                    entry->size);

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_COUNTER_SETS_RUNTIME, self->id);
  weft_table_writer_set (t, WEFT_COUNTER_SETS_NAME,
                         weft_ingest_runtime_read_string (self, &cursor, 0));
  set.id = weft_ingest_commit (ingest, WEFT_TABLE_COUNTER_SETS);
  set.n_counters = e.n_counters;
  set.first_counter = ingest->n_rows[WEFT_TABLE_COUNTERS] + 1;
  for (guint i = 0; i < e.n_counters; i++)
    {
      WeftWireCounter counter;

      memcpy (&counter, counters + i * sizeof counter, sizeof counter);
      add_counter (self, set.id, i, &counter, &cursor);
    }
  g_array_append_val (self->counter_sets, set);
}

static void
read_counter_state (WeftIngestRuntime *self, const WeftWireEntry *entry)
{
  WeftTableWriter *t = self->ingest->tables[WEFT_TABLE_COUNTER_SET_STATES];
  WeftWireCounterStateEntry e;
  WeftCursor cursor;
  gint64 time = 0;
  gboolean extrapolated;

  weft_copy_fixed (&e, sizeof e, entry, entry->fixed);
  weft_cursor_init (&cursor, entry, entry->fixed, entry->size);
  if (e.set - 1 >= self->counter_sets->len)
    {
      weft_ingest_runtime_count (self, 0, WEFT_LOSS_UNKNOWN_ID, 1);
      return;
    }
  weft_ingest_runtime_convert (self, WEFT_WIRE_CLOCK_ID_RUNTIME, e.ticks, &time, &extrapolated);
  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_COUNTER_SET_STATES_SET,
                         g_array_index (self->counter_sets, WeftIngestCounterSet, e.set - 1).id);
  weft_table_writer_set (t, WEFT_COUNTER_SET_STATES_TIME, (guint64) time);
  weft_table_writer_set (t, WEFT_COUNTER_SET_STATES_AVAILABILITY, e.availability);
  weft_table_writer_set (t, WEFT_COUNTER_SET_STATES_REASON,
                         weft_ingest_runtime_read_string (self, &cursor, 0));
  weft_table_writer_set (t, WEFT_COUNTER_SET_STATES_PROBE,
                         weft_ingest_runtime_read_string (self, &cursor, 0));
  if (e.overhead != G_MAXUINT64)
    weft_table_writer_set (t, WEFT_COUNTER_SET_STATES_OVERHEAD, e.overhead);
  weft_table_writer_set (t, WEFT_COUNTER_SET_STATES_OVERHEAD_TEXT,
                         weft_ingest_runtime_read_string (self, &cursor, 0));
  weft_ingest_commit (self->ingest, WEFT_TABLE_COUNTER_SET_STATES);
}

static void
read_metric (WeftIngestRuntime *self, const WeftWireEntry *entry)
{
  WeftTableWriter *t = self->ingest->tables[WEFT_TABLE_METRICS];
  WeftWireMetricEntry e;
  WeftCursor cursor;
  guint64 id;

  weft_copy_fixed (&e, sizeof e, entry, entry->fixed);
  weft_cursor_init (&cursor, entry, entry->fixed, entry->size);
  if (!accept_number (self, self->metrics, e.id, MAX_ROUTINES))
    return;
  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_METRICS_LANE, lane_id (self, e.lane));
  weft_table_writer_set (t, WEFT_METRICS_NAME, weft_ingest_runtime_read_string (self, &cursor, 0));
  weft_table_writer_set (t, WEFT_METRICS_UNIT_NAME,
                         weft_ingest_runtime_read_string (self, &cursor, 0));
  weft_table_writer_set (t, WEFT_METRICS_KIND, e.kind);
  weft_table_writer_set (t, WEFT_METRICS_UNIT, e.unit);
  id = weft_ingest_commit (self->ingest, WEFT_TABLE_METRICS);
  g_array_append_val (self->metrics, id);
}

static void
read_clock (WeftIngestRuntime *self, const WeftWireEntry *entry)
{
  WeftWireClockEntry e;
  WeftIngestClock *clock;
  WeftCursor cursor;

  weft_copy_fixed (&e, sizeof e, entry, entry->fixed);
  weft_cursor_init (&cursor, entry, entry->fixed, entry->size);
  if (e.id != self->clocks->len + 2 || e.id > G_MAXUINT16)
    {
      weft_ingest_runtime_count (self, 0, WEFT_LOSS_UNKNOWN_ID, 1);
      return;
    }
  clock = g_new0 (WeftIngestClock, 1);
  weft_clock_map_init (&clock->map);
  g_queue_init (&clock->deferred);
  clock->id = weft_ingest_register_clock (self, weft_ingest_runtime_read_string (self, &cursor, 0),
                                          e.frequency);
  g_ptr_array_add (self->clocks, clock);
}

static void
read_artifact (WeftIngestRuntime *self, const WeftWireEntry *entry)
{
  WeftTableWriter *t = self->ingest->tables[WEFT_TABLE_ARTIFACTS];
  WeftWireArtifactEntry e;
  WeftCursor cursor;
  guint64 id;

  weft_copy_fixed (&e, sizeof e, entry, entry->fixed);
  weft_cursor_init (&cursor, entry, entry->fixed, entry->size);
  if (!accept_number (self, self->artifacts, e.id, MAX_ROUTINES))
    return;
  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_ARTIFACTS_RUNTIME, self->id);
  weft_table_writer_set (t, WEFT_ARTIFACTS_KIND,
                         weft_ingest_runtime_read_string (self, &cursor, 0));
  weft_table_writer_set (t, WEFT_ARTIFACTS_PATH,
                         weft_ingest_runtime_read_string (self, &cursor, 0));
  weft_table_writer_set (t, WEFT_ARTIFACTS_LABEL,
                         weft_ingest_runtime_read_string (self, &cursor, 0));
  if (e.size != G_MAXUINT64)
    weft_table_writer_set (t, WEFT_ARTIFACTS_SIZE, e.size);
  id = weft_ingest_commit (self->ingest, WEFT_TABLE_ARTIFACTS);
  g_array_append_val (self->artifacts, id);
}

/* The table and row of what a tag or link belongs to; FALSE if there is no such thing. */
static gboolean
find_owner (WeftIngestRuntime *self, guint32 kind, guint64 number, WeftTableId *table, guint64 *row)
{
  switch (kind)
    {
    case WEFT_WIRE_OWNER_RUNTIME:
      *table = WEFT_TABLE_RUNTIMES;
      *row = self->id;
      return TRUE;
    case WEFT_WIRE_OWNER_LANE:
      *table = WEFT_TABLE_LANES;
      *row = lane_id (self, (guint32) MIN (number, G_MAXUINT32));
      return *row != 0;
    case WEFT_WIRE_OWNER_QUEUE:
      *table = WEFT_TABLE_QUEUES;
      *row = weft_ingest_runtime_lookup (self->queues, (guint) MIN (number, G_MAXUINT32));
      return *row != 0;
    case WEFT_WIRE_OWNER_ROUTINE:
      *table = WEFT_TABLE_ROUTINES;
      *row = weft_ingest_runtime_lookup (self->routines, (guint) MIN (number, G_MAXUINT32));
      return *row != 0;
    case WEFT_WIRE_OWNER_SOURCE:
      *table = WEFT_TABLE_SOURCES;
      *row = weft_ingest_runtime_lookup (self->sources, (guint) MIN (number, G_MAXUINT32));
      return *row != 0;
    case WEFT_WIRE_OWNER_METRIC:
      *table = WEFT_TABLE_METRICS;
      *row = weft_ingest_runtime_lookup (self->metrics, (guint) MIN (number, G_MAXUINT32));
      return *row != 0;
    default:
      return FALSE;
    }
}

static void
read_artifact_link (WeftIngestRuntime *self, const WeftWireEntry *entry)
{
  WeftTableWriter *t = self->ingest->tables[WEFT_TABLE_ARTIFACT_LINKS];
  WeftWireArtifactLinkEntry e;
  WeftTableId table;
  guint64 row, artifact;

  weft_copy_fixed (&e, sizeof e, entry, entry->fixed);
  artifact = weft_ingest_runtime_lookup (self->artifacts, e.artifact);
  if (artifact == 0 || !find_owner (self, e.owner_kind, e.owner, &table, &row))
    {
      weft_ingest_runtime_count (self, 0, WEFT_LOSS_UNKNOWN_ID, 1);
      return;
    }
  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_ARTIFACT_LINKS_ARTIFACT, artifact);
  weft_table_writer_set (t, WEFT_ARTIFACT_LINKS_OWNER_TABLE, table);
  weft_table_writer_set (t, WEFT_ARTIFACT_LINKS_OWNER, row);
  weft_ingest_commit (self->ingest, WEFT_TABLE_ARTIFACT_LINKS);
}

static void
read_tag (WeftIngestRuntime *self, const WeftWireEntry *entry)
{
  WeftWireTagEntry e;
  WeftCursor cursor;
  WeftTableId table;
  guint64 row;
  guint32 key, text;

  weft_copy_fixed (&e, sizeof e, entry, entry->fixed);
  weft_cursor_init (&cursor, entry, entry->fixed, entry->size);
  if (!find_owner (self, e.owner_kind, e.owner, &table, &row))
    {
      weft_ingest_runtime_count (self, 0, WEFT_LOSS_UNKNOWN_ID, 1);
      return;
    }
  key = weft_ingest_runtime_read_string (self, &cursor, 0);
  text = weft_ingest_runtime_read_string (self, &cursor, 0);
  weft_ingest_add_tag (self->ingest, table, row, key, e.type, text, e.bits);
}

static void
read_entry (WeftIngestRuntime *self, const WeftWireEntry *entry)
{
  switch (entry->type)
    {
    case WEFT_WIRE_ENTRY_WRITER:
      read_writer (self, entry);
      break;
    case WEFT_WIRE_ENTRY_LANE:
      read_lane (self, entry);
      break;
    case WEFT_WIRE_ENTRY_LANE_CLOSE:
      read_lane_close (self, entry);
      break;
    case WEFT_WIRE_ENTRY_QUEUE:
      read_queue (self, entry);
      break;
    case WEFT_WIRE_ENTRY_ROUTINE:
      read_routine (self, entry);
      break;
    case WEFT_WIRE_ENTRY_SOURCE:
      read_source (self, entry);
      break;
    case WEFT_WIRE_ENTRY_SOURCE_LINES:
      read_source_lines (self, entry);
      break;
    case WEFT_WIRE_ENTRY_SOURCE_RANGE:
      read_source_range (self, entry);
      break;
    case WEFT_WIRE_ENTRY_COUNTER_SET:
      read_counter_set (self, entry);
      break;
    case WEFT_WIRE_ENTRY_COUNTER_STATE:
      read_counter_state (self, entry);
      break;
    case WEFT_WIRE_ENTRY_METRIC:
      read_metric (self, entry);
      break;
    case WEFT_WIRE_ENTRY_CLOCK:
      read_clock (self, entry);
      break;
    case WEFT_WIRE_ENTRY_ARTIFACT:
      read_artifact (self, entry);
      break;
    case WEFT_WIRE_ENTRY_ARTIFACT_LINK:
      read_artifact_link (self, entry);
      break;
    case WEFT_WIRE_ENTRY_TAG:
      read_tag (self, entry);
      break;
    default: /* of a later minor version */
      weft_ingest_runtime_count (self, 0, WEFT_LOSS_UNKNOWN_TYPE, 1);
      break;
    }
}

gboolean
weft_ingest_runtime_read_log (WeftIngestRuntime *self, const guint8 *data, gsize length,
                              gsize *consumed)
{
  gsize at = 0;

  while (length - at >= sizeof (WeftWireEntry))
    {
      const WeftWireEntry *entry = (const void *) (data + at);

      if (entry->size % 8 != 0 || entry->fixed < sizeof *entry || entry->fixed % 8 != 0 ||
          entry->fixed > entry->size)
        {
          weft_ingest_runtime_count (self, 0, WEFT_LOSS_MALFORMED, 1);
          return FALSE;
        }
      if (entry->size > length - at)
        break;
      read_entry (self, entry);
      at += entry->size;
    }
  *consumed = at;
  return TRUE;
}
