/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is told once and kept: lanes, queues, routines, sources, counter sets, artifacts, clocks.
 */
#include "weft-target-private.h"

#include <string.h>

#define STRING_ROOM (sizeof (WeftWireString) + WEFT_WIRE_MAX_STRING)
#define TEXT_ROOM (sizeof (WeftWireString) + WEFT_WIRE_MAX_TEXT)

struct _WftRoutineNode
{
  WftRoutineNode *next;
  WeftTargetRoutineInfo info;
  WeftTargetRoutine routine;
};

/* The runtime, locked, with room for an entry; NULL and counted otherwise. */
static WftRuntime *
begin (WftAppend *append, size_t size)
{
  WftRuntime *runtime = wft_runtime_ensure ();

  if (runtime == NULL)
    return NULL;
  if (runtime->disabled)
    {
      wft_stat_add (WEFT_WIRE_STAT_DISABLED, 1);
      return NULL;
    }
  if (!wft_session_ensure () || !wft_lock ())
    return NULL;
  if (wft_registry_begin (append, size))
    return runtime;
  wft_unlock ();
  return NULL;
}

static void
finish (WftAppend *append)
{
  wft_registry_publish (append);
  wft_unlock ();
}

/* ---- Lanes and queues ---- */

static WeftTargetLane *
lane_publish (WftRuntime *runtime, WftAppend *append, const WeftTargetLaneInfo *info)
{
  uint32_t cell = runtime->ids[WEFT_WIRE_ENTRY_LANE] < WFT_MAX_LANES ? wft_registry_cell ()
                                                                     : UINT32_MAX;
  WeftWireLaneEntry *entry;
  WeftTargetLane *lane;

  if (cell == UINT32_MAX)
    {
      wft_stat_add (WEFT_WIRE_STAT_REGISTRY_FULL, 1);
      return &wft_dead_lane;
    }
  entry = wft_registry_fixed (append, WEFT_WIRE_ENTRY_LANE, sizeof *entry);
  entry->id = wft_registry_next_id (WEFT_WIRE_ENTRY_LANE);
  entry->cell = cell;
  entry->clock = info->clock;
  entry->parent = info->parent != NULL ? info->parent->id : 0;
  wft_registry_string (append, info->name, WEFT_WIRE_MAX_STRING);
  wft_registry_string (append, info->kind, WEFT_WIRE_MAX_STRING);
  lane = &runtime->lanes[entry->id - 1];
  memset (lane, 0, sizeof *lane);
  lane->cell = cell;
  lane->clock = info->clock;
  lane->name = wft_arena_string (info->name);
  lane->id = entry->id;
  lane->scoped_id = info->clock == WEFT_WIRE_CLOCK_ID_RUNTIME ? entry->id : 0;
  wft_registry_publish (append);
  return lane;
}

WeftTargetLane *
weft_target_lane_new_full (const WeftTargetLaneInfo *info, size_t info_size)
{
  WftRuntime *runtime;
  WeftTargetLane *lane;
  WftAppend append;
  WFT_KEEP_ERRNO;
  WFT_FULL (WeftTargetLaneInfo, info, info_size)

  runtime = begin (&append, sizeof (WeftWireLaneEntry) + 2 * STRING_ROOM);
  if (runtime == NULL)
    return &wft_dead_lane;
  lane = lane_publish (runtime, &append, info);
  wft_gate_map (runtime);
  wft_unlock ();
  return lane;
}

WeftTargetLane *
weft_target_lane_new (const char *name, const char *kind)
{
  const WeftTargetLaneInfo info = { .name = name, .kind = kind };

  return weft_target_lane_new_full (&info, sizeof info);
}

uint32_t
weft_target_lane_get_id (const WeftTargetLane *lane)
{
  return lane != NULL ? lane->id : 0;
}

void
weft_target_lane_close (WeftTargetLane *lane)
{
  WeftWireLaneCloseEntry *entry;
  WftAppend append;
  WFT_KEEP_ERRNO;

  if (lane == NULL || lane->id == 0 || begin (&append, sizeof *entry) == NULL)
    return;
  entry = wft_registry_fixed (&append, WEFT_WIRE_ENTRY_LANE_CLOSE, sizeof *entry);
  entry->lane = lane->id;
  entry->ticks = wft_now ();
  finish (&append);
}

uint32_t
weft_target_queue_new (WeftTargetLane *lane, const char *name)
{
  WftAppend append;
  WeftWireQueueEntry *entry;
  WFT_KEEP_ERRNO;

  if (lane == NULL || lane->id == 0 || begin (&append, sizeof *entry + STRING_ROOM) == NULL)
    return 0;
  entry = wft_registry_fixed (&append, WEFT_WIRE_ENTRY_QUEUE, sizeof *entry);
  entry->id = wft_registry_next_id (WEFT_WIRE_ENTRY_QUEUE);
  entry->lane = lane->id;
  wft_registry_string (&append, name, WEFT_WIRE_MAX_STRING);
  finish (&append);
  return entry->id;
}

/* ---- Routines ---- */

static uint32_t
routine_publish (WftAppend *append, const WeftTargetRoutineInfo *info)
{
  WeftWireRoutineEntry *entry
      = wft_registry_fixed (append, WEFT_WIRE_ENTRY_ROUTINE, sizeof *entry);

  entry->id = wft_registry_next_id (WEFT_WIRE_ENTRY_ROUTINE);
  entry->source = info->source;
  entry->first_line = info->first_line;
  entry->last_line = info->last_line;
  wft_registry_string (append, info->name, WEFT_WIRE_MAX_STRING);
  wft_registry_string (append, info->label, WEFT_WIRE_MAX_STRING);
  wft_registry_string (append, info->flavour, WEFT_WIRE_MAX_STRING);
  wft_registry_publish (append);
  return entry->id;
}

#define ROUTINE_ROOM (sizeof (WeftWireRoutineEntry) + 3 * STRING_ROOM)

uint32_t
wft_routine_register (WeftTargetRoutine *routine)
{
  const WeftTargetRoutineInfo info = { .name = routine->name };
  WftAppend append;
  uint32_t id;

  if (routine == &wft_dead_routine || begin (&append, ROUTINE_ROOM) == NULL)
    return 0;
  id = routine->id;
  if (id == 0)
    {
      id = routine_publish (&append, &info);
      WFT_STORE_RELEASE (&routine->id, id);
    }
  wft_unlock ();
  return id;
}

uint32_t
weft_target_routine_get_id (WeftTargetRoutine *routine)
{
  WFT_KEEP_ERRNO;

  return routine != NULL ? wft_routine_id (routine) : 0;
}

static uint64_t
hash_string (uint64_t hash, const char *string)
{
  for (; string != NULL && *string != '\0'; string++)
    hash = (hash ^ (uint8_t) *string) * UINT64_C (0x100000001B3);
  return (hash ^ 0xff) * UINT64_C (0x100000001B3);
}

static bool
same_string (const char *kept, const char *given)
{
  if (given == NULL || kept == NULL)
    return given == kept;
  return strncmp (kept, given, WEFT_WIRE_MAX_STRING) == 0;
}

static bool
same_info (const WeftTargetRoutineInfo *kept, const WeftTargetRoutineInfo *given)
{
  return kept->source == given->source && kept->first_line == given->first_line
         && kept->last_line == given->last_line && same_string (kept->name, given->name)
         && same_string (kept->label, given->label) && same_string (kept->flavour, given->flavour);
}

static WeftTargetRoutine *
routine_insert (WftAppend *append, WftRoutineNode **bucket, const WeftTargetRoutineInfo *info)
{
  WftRoutineNode *node = wft_arena (sizeof *node);

  if (node == NULL)
    return &wft_dead_routine;
  node->info = *info;
  node->info.name = wft_arena_string (info->name);
  node->info.label = info->label != NULL ? wft_arena_string (info->label) : NULL;
  node->info.flavour = info->flavour != NULL ? wft_arena_string (info->flavour) : NULL;
  node->routine.name = node->info.name;
  node->routine.id = routine_publish (append, info);
  node->next = *bucket;
  *bucket = node;
  return &node->routine;
}

WeftTargetRoutine *
weft_target_routine_new_full (const WeftTargetRoutineInfo *info, size_t info_size)
{
  WeftTargetRoutine *routine = NULL;
  WftRoutineNode **bucket;
  WftRuntime *runtime;
  WftAppend append;
  uint64_t hash;
  WFT_KEEP_ERRNO;
  WFT_FULL (WeftTargetRoutineInfo, info, info_size)

  runtime = begin (&append, ROUTINE_ROOM);
  if (runtime == NULL)
    return &wft_dead_routine;
  hash = hash_string (UINT64_C (0xCBF29CE484222325), info->name);
  hash = hash_string (hash_string (hash, info->label), info->flavour) + info->first_line;
  bucket = &runtime->routines[(hash ^ hash >> 32) % WFT_N_BUCKETS];
  for (WftRoutineNode *node = *bucket; node != NULL && routine == NULL; node = node->next)
    if (same_info (&node->info, info))
      routine = &node->routine;
  if (routine == NULL)
    routine = routine_insert (&append, bucket, info);
  wft_unlock ();
  return routine;
}

WeftTargetRoutine *
weft_target_routine_new (const char *name)
{
  const WeftTargetRoutineInfo info = { .name = name };

  return weft_target_routine_new_full (&info, sizeof info);
}

/* ---- Clocks ---- */

uint32_t
weft_target_clock_new (const char *name, double frequency)
{
  WeftWireClockEntry *entry;
  WftAppend append;
  WFT_KEEP_ERRNO;

  if (begin (&append, sizeof *entry + STRING_ROOM) == NULL)
    return 0;
  entry = wft_registry_fixed (&append, WEFT_WIRE_ENTRY_CLOCK, sizeof *entry);
  entry->id = wft_registry_next_id (WEFT_WIRE_ENTRY_CLOCK);
  entry->frequency = frequency;
  wft_registry_string (&append, name, WEFT_WIRE_MAX_STRING);
  finish (&append);
  return entry->id;
}

/* ---- Sources ---- */

static void
lines_publish (uint32_t source, const WeftTargetLine *lines, size_t n_lines)
{
  size_t n = n_lines < WEFT_WIRE_MAX_LINES ? n_lines : WEFT_WIRE_MAX_LINES;
  WeftWireSourceLinesEntry *entry;
  WftAppend append;

  if (n == 0 || lines == NULL || !wft_registry_begin (&append, sizeof *entry + n * sizeof *lines))
    return;
  if (n < n_lines)
    wft_stat_add (WEFT_WIRE_STAT_TRUNCATED, 1);
  entry = wft_registry_fixed (&append, WEFT_WIRE_ENTRY_SOURCE_LINES, sizeof *entry);
  entry->source = source;
  entry->n_lines = (uint32_t) n;
  for (size_t i = 0; i < n; i++)
    {
      WeftWireLine *line = (WeftWireLine *) append.at;

      line->offset = lines[i].offset;
      line->line = lines[i].line;
      line->column = lines[i].column;
      append.at += sizeof *line;
    }
  wft_registry_publish (&append);
}

uint32_t
weft_target_source_new (const WeftTargetSource *source, size_t source_size)
{
  WeftWireSourceEntry *entry;
  WftAppend append;
  size_t length;
  uint32_t id;
  WFT_KEEP_ERRNO;
  WFT_FULL (WeftTargetSource, source, source_size)

  length = source->text_length;
  if (source->text == NULL)
    length = 0;
  else if (length == 0)
    length = strnlen (source->text, (size_t) WEFT_WIRE_MAX_SOURCE + 1);
  if (begin (&append, sizeof *entry + 2 * TEXT_ROOM + 3 * STRING_ROOM + sizeof (WeftWireString) + 8
                          + (length < WEFT_WIRE_MAX_SOURCE ? length : WEFT_WIRE_MAX_SOURCE))
      == NULL)
    return 0;
  entry = wft_registry_fixed (&append, WEFT_WIRE_ENTRY_SOURCE, sizeof *entry);
  id = entry->id = wft_registry_next_id (WEFT_WIRE_ENTRY_SOURCE);
  wft_registry_string (&append, source->language, WEFT_WIRE_MAX_STRING);
  wft_registry_string (&append, source->path, WEFT_WIRE_MAX_TEXT);
  wft_registry_string (&append, source->hash, WEFT_WIRE_MAX_STRING);
  wft_registry_string (&append, source->flavour, WEFT_WIRE_MAX_STRING);
  wft_registry_string (&append, source->build_flags, WEFT_WIRE_MAX_TEXT);
  wft_registry_text (&append, source->text, length, WEFT_WIRE_MAX_SOURCE);
  wft_registry_publish (&append);
  lines_publish (id, source->lines, source->n_lines);
  wft_unlock ();
  return id;
}

void
weft_target_source_map (uint32_t source, WeftTargetRoutine *routine, uint32_t first_line,
                        uint32_t last_line)
{
  WeftWireSourceRangeEntry *entry;
  WftAppend append;
  uint32_t id;
  WFT_KEEP_ERRNO;

  id = routine != NULL ? wft_routine_id (routine) : 0;
  if (source == 0 || id == 0 || begin (&append, sizeof *entry) == NULL)
    return;
  entry = wft_registry_fixed (&append, WEFT_WIRE_ENTRY_SOURCE_RANGE, sizeof *entry);
  entry->source = source;
  entry->routine = id;
  entry->first_line = first_line;
  entry->last_line = last_line;
  finish (&append);
}

/* ---- Counter sets ---- */

static void
state_publish (uint32_t set, const WeftTargetCounterState *state)
{
  WeftWireCounterStateEntry *entry;
  WftAppend append;

  if (!wft_registry_begin (&append, sizeof *entry + 3 * TEXT_ROOM))
    return;
  entry = wft_registry_fixed (&append, WEFT_WIRE_ENTRY_COUNTER_STATE, sizeof *entry);
  entry->set = set;
  entry->availability = (uint32_t) state->availability;
  entry->overhead = state->has_overhead ? state->overhead : UINT64_MAX;
  entry->ticks = wft_now ();
  wft_registry_string (&append, state->reason, WEFT_WIRE_MAX_TEXT);
  wft_registry_string (&append, state->probe, WEFT_WIRE_MAX_TEXT);
  wft_registry_string (&append, state->overhead_text, WEFT_WIRE_MAX_TEXT);
  wft_registry_publish (&append);
}

static void
counters_append (WftAppend *append, const WeftTargetCounter *counters, size_t n)
{
  for (size_t i = 0; i < n; i++)
    {
      WeftWireCounter *counter = (WeftWireCounter *) append->at;

      counter->unit = (uint8_t) counters[i].unit;
      counter->kind = (uint8_t) counters[i].kind;
      counter->aggregation = (uint8_t) counters[i].aggregation;
      counter->value_type = (uint8_t) counters[i].value_type;
      counter->reserved = 0;
      append->at += sizeof *counter;
    }
}

uint32_t
weft_target_counter_set_new (const char *name, const WeftTargetCounter *counters,
                             size_t n_counters, const WeftTargetCounterState *state)
{
  size_t n = counters == NULL ? 0 : n_counters;
  WeftWireCounterSetEntry *entry;
  WftAppend append;
  uint32_t id;
  WFT_KEEP_ERRNO;

  if (n > WEFT_WIRE_MAX_COUNTERS)
    n = WEFT_WIRE_MAX_COUNTERS;
  if (begin (&append, sizeof *entry + STRING_ROOM
                          + n * (sizeof (WeftWireCounter) + 2 * STRING_ROOM))
      == NULL)
    return 0;
  if (n < n_counters)
    wft_stat_add (WEFT_WIRE_STAT_TRUNCATED, 1);
  entry = wft_registry_fixed (&append, WEFT_WIRE_ENTRY_COUNTER_SET, sizeof *entry);
  id = entry->id = wft_registry_next_id (WEFT_WIRE_ENTRY_COUNTER_SET);
  entry->n_counters = (uint32_t) n;
  counters_append (&append, counters, n);
  wft_registry_string (&append, name, WEFT_WIRE_MAX_STRING);
  for (size_t i = 0; i < n; i++)
    {
      wft_registry_string (&append, counters[i].name, WEFT_WIRE_MAX_STRING);
      wft_registry_string (&append, counters[i].unit_name, WEFT_WIRE_MAX_STRING);
    }
  wft_registry_publish (&append);
  if (state != NULL)
    state_publish (id, state);
  wft_unlock ();
  return id;
}

void
weft_target_counter_set_update (uint32_t set, const WeftTargetCounterState *state)
{
  WftAppend probe;
  WFT_KEEP_ERRNO;

  if (set == 0 || state == NULL || begin (&probe, 0) == NULL)
    return;
  state_publish (set, state);
  wft_unlock ();
}

/* ---- Artifacts and tags ---- */

uint32_t
weft_target_artifact_new (const char *kind, const char *path, const char *label, uint64_t size)
{
  WeftWireArtifactEntry *entry;
  WftAppend append;
  WFT_KEEP_ERRNO;

  if (begin (&append, sizeof *entry + 2 * STRING_ROOM + TEXT_ROOM) == NULL)
    return 0;
  entry = wft_registry_fixed (&append, WEFT_WIRE_ENTRY_ARTIFACT, sizeof *entry);
  entry->id = wft_registry_next_id (WEFT_WIRE_ENTRY_ARTIFACT);
  entry->size = size;
  wft_registry_string (&append, kind, WEFT_WIRE_MAX_STRING);
  wft_registry_string (&append, path, WEFT_WIRE_MAX_TEXT);
  wft_registry_string (&append, label, WEFT_WIRE_MAX_STRING);
  finish (&append);
  return entry->id;
}

void
weft_target_artifact_link (uint32_t artifact, WeftTargetOwner owner, uint32_t number)
{
  WeftWireArtifactLinkEntry *entry;
  WftAppend append;
  WFT_KEEP_ERRNO;

  if (artifact == 0 || begin (&append, sizeof *entry) == NULL)
    return;
  entry = wft_registry_fixed (&append, WEFT_WIRE_ENTRY_ARTIFACT_LINK, sizeof *entry);
  entry->artifact = artifact;
  entry->owner_kind = (uint32_t) owner;
  entry->owner = number;
  finish (&append);
}

static void
tag_publish (uint32_t owner_kind, uint64_t owner, const WeftTargetTag *tag)
{
  bool is_string = tag->type == WEFT_TARGET_VALUE_STRING;
  WeftWireTagEntry *entry;
  WftAppend append;

  if (!wft_registry_begin (&append, sizeof *entry + STRING_ROOM + TEXT_ROOM))
    return;
  entry = wft_registry_fixed (&append, WEFT_WIRE_ENTRY_TAG, sizeof *entry);
  entry->owner_kind = owner_kind;
  entry->type = (uint32_t) tag->type;
  entry->owner = owner;
  if (tag->type == WEFT_TARGET_VALUE_BOOL)
    entry->bits = tag->value.boolean;
  else if (!is_string)
    entry->bits = tag->value.u64;
  wft_registry_string (&append, tag->key, WEFT_WIRE_MAX_STRING);
  wft_registry_string (&append, is_string ? tag->value.string : NULL, WEFT_WIRE_MAX_TEXT);
  wft_registry_publish (&append);
}

void
weft_target_tag (WeftTargetOwner owner, uint32_t number, const WeftTargetTag *tag)
{
  WftAppend probe;
  WFT_KEEP_ERRNO;

  if (tag == NULL || begin (&probe, 0) == NULL)
    return;
  tag_publish ((uint32_t) owner, number, tag);
  wft_unlock ();
}

/* ---- Metrics ---- */

static WeftTargetMetric *
metric_publish (WftRuntime *runtime, WftAppend *append, const WeftTargetMetric *like,
                WeftTargetUnit unit, const char *unit_name)
{
  WeftTargetMetric *metric = wft_arena (sizeof *metric);
  WeftWireMetricEntry *entry;

  if (metric == NULL)
    return NULL;
  *metric = *like;
  metric->name = wft_arena_string (like->name);
  metric->cell = like->kind == WEFT_TARGET_GAUGE ? wft_registry_cell () : UINT32_MAX;
  entry = wft_registry_fixed (append, WEFT_WIRE_ENTRY_METRIC, sizeof *entry);
  entry->id = metric->id = wft_registry_next_id (WEFT_WIRE_ENTRY_METRIC);
  entry->lane = metric->lane->id;
  entry->cell = metric->cell;
  entry->kind = (uint8_t) metric->kind;
  entry->unit = (uint8_t) unit;
  wft_registry_string (append, like->name, WEFT_WIRE_MAX_STRING);
  wft_registry_string (append, unit_name, WEFT_WIRE_MAX_STRING);
  wft_registry_publish (append);
  metric->next = runtime->metrics;
  WFT_STORE_RELEASE (&runtime->metrics, metric);
  return metric;
}

WeftTargetMetric *
weft_target_metric_new (WeftTargetLane *lane, WeftTargetMetricKind kind, const char *name,
                        WeftTargetUnit unit, const char *unit_name, const WeftTargetTag *tags,
                        size_t n_tags)
{
  static WeftTargetMetric dead_metric = { .cell = UINT32_MAX, .name = "" };
  WeftTargetMetric like = { .kind = kind, .lane = lane, .name = name };
  WeftTargetMetric *metric;
  WftRuntime *runtime;
  WftAppend append;
  size_t n = tags == NULL ? 0 : n_tags;
  WFT_KEEP_ERRNO;

  dead_metric.lane = &wft_dead_lane;
  if (lane == NULL || lane->id == 0)
    return &dead_metric;
  runtime = begin (&append, sizeof (WeftWireMetricEntry) + 2 * STRING_ROOM);
  if (runtime == NULL)
    return &dead_metric;
  if (n > WEFT_WIRE_MAX_TAGS)
    {
      n = WEFT_WIRE_MAX_TAGS;
      wft_stat_add (WEFT_WIRE_STAT_TRUNCATED, 1);
    }
  metric = metric_publish (runtime, &append, &like, unit, unit_name);
  for (size_t i = 0; metric != NULL && i < n; i++)
    tag_publish (WEFT_WIRE_OWNER_METRIC, metric->id, &tags[i]);
  wft_unlock ();
  return metric != NULL ? metric : &dead_metric;
}
