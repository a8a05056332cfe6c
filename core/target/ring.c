/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rings: the last dispatches of a lane, as the bytes that a segment would hold. The state of a slot
 * that holds entry N is 2 N; while it is written 2 N - 1, and while it is read 2 N + 1. A writer that
 * meets a slot in use leaves its entry out: readers count it among the overwritten.
 */
#include "weft-target-private.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define DEFAULT_CAPACITY 512u
#define DEFAULT_ENTRY_SIZE 1024u
#define MAX_CAPACITY 65536u
#define MIN_ENTRY_SIZE 128u
#define MAX_ENTRY_SIZE WEFT_WIRE_BLOCK_SIZE

typedef struct
{
  uint64_t state; /* atomic */
  uint64_t time;
  WeftTargetLane *lane;
  uint32_t length;
  uint32_t cut;
} Slot;

struct _WftRing
{
  WeftTargetRingConfiguration configuration;
  uint64_t head; /* atomic: last sequence given */
  size_t size;
  size_t stride;
};

static Slot *
slot_at (WftRing *ring, uint64_t sequence)
{
  uint64_t index = sequence % ring->configuration.capacity;

  return (Slot *) ((uint8_t *) (ring + 1) + index * ring->stride);
}

/* ---- Use: a ring is unmapped when nobody is inside ---- */

static WftRing *
ring_use (WeftTargetLane *lane)
{
  WftRing *ring;

  __atomic_fetch_add (&lane->ring_users, 1, __ATOMIC_SEQ_CST);
  ring = __atomic_load_n (&lane->ring, __ATOMIC_SEQ_CST);
  if (ring == NULL)
    __atomic_fetch_sub (&lane->ring_users, 1, __ATOMIC_SEQ_CST);
  return ring;
}

static void
ring_release (WeftTargetLane *lane)
{
  __atomic_fetch_sub (&lane->ring_users, 1, __ATOMIC_SEQ_CST);
}

static void
ring_replace (WeftTargetLane *lane, WftRing *ring)
{
  WftRing *old = __atomic_exchange_n (&lane->ring, ring, __ATOMIC_SEQ_CST);

  if (old == NULL)
    return;
  while (__atomic_load_n (&lane->ring_users, __ATOMIC_SEQ_CST) != 0)
    sched_yield ();
  munmap (old, old->size);
}

/* In a forked child: threads that were inside are not here. */
void
wft_rings_recover (void)
{
  WftRuntime *runtime = wft_runtime;

  for (uint32_t i = 0; i < runtime->ids[WEFT_WIRE_ENTRY_LANE]; i++)
    {
      WftRing *ring = runtime->lanes[i].ring;

      runtime->lanes[i].ring_users = 0;
      for (uint32_t j = 0; ring != NULL && j < ring->configuration.capacity; j++)
        if (slot_at (ring, j)->state & 1)
          slot_at (ring, j)->state = 0;
    }
}

/* ---- Writing ---- */

static void
slot_fill (Slot *slot, const WftRing *ring, const WftDispatch *what)
{
  WftDispatch named = *what;
  WftBuffer buffer = { .lenient = true };

  named.named = true;
  buffer.start = buffer.at = (uint8_t *) (slot + 1);
  buffer.end = buffer.start + ring->configuration.entry_size;
  wft_encode_dispatch (&buffer, &named);
  slot->length = (uint32_t) (buffer.at - buffer.start);
  slot->cut = buffer.cut;
  slot->lane = what->dispatch->lane;
}

void
wft_ring_push (WeftTargetLane *lane, const WftDispatch *what)
{
  WftRing *ring;
  uint64_t sequence, state, time;
  Slot *slot;

  if (WFT_LOAD (&lane->ring) == NULL || !wft_session_ensure () || (ring = ring_use (lane)) == NULL)
    return;
  time = ring->configuration.clock != NULL
             ? ring->configuration.clock (ring->configuration.clock_data)
             : weft_target_to_nanoseconds (wft_now ());
  sequence = WFT_ADD (&ring->head, 1) + 1;
  slot = slot_at (ring, sequence);
  state = WFT_LOAD (&slot->state);
  if ((state & 1) == 0 && state < 2 * sequence
      && __atomic_compare_exchange_n (&slot->state, &state, 2 * sequence - 1, false,
                                      __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
    {
      slot->time = time;
      slot_fill (slot, ring, what);
      WFT_STORE_RELEASE (&slot->state, 2 * sequence);
    }
  ring_release (lane);
}

/* ---- Turning on and off ---- */

static WftRing *
ring_new (const WeftTargetRingConfiguration *wanted)
{
  WeftTargetRingConfiguration resolved = *wanted;
  size_t stride, size;
  WftRing *ring;

  if (resolved.capacity == 0)
    resolved.capacity = DEFAULT_CAPACITY;
  if (resolved.capacity > MAX_CAPACITY)
    resolved.capacity = MAX_CAPACITY;
  if (resolved.entry_size == 0)
    resolved.entry_size = DEFAULT_ENTRY_SIZE;
  if (resolved.entry_size < MIN_ENTRY_SIZE)
    resolved.entry_size = MIN_ENTRY_SIZE;
  if (resolved.entry_size > MAX_ENTRY_SIZE)
    resolved.entry_size = MAX_ENTRY_SIZE;
  resolved.entry_size = (resolved.entry_size + 7) & ~7u;
  stride = sizeof (Slot) + resolved.entry_size;
  size = sizeof *ring + resolved.capacity * stride;
  ring = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (ring == MAP_FAILED)
    return NULL;
  ring->configuration = resolved;
  ring->size = size;
  ring->stride = stride;
  return ring;
}

/* Whether any lane has a ring decides the gate's bit. */
static void
update_gate (void)
{
  WftRuntime *runtime = wft_runtime;
  bool any = false;

  for (uint32_t i = 0; i < runtime->ids[WEFT_WIRE_ENTRY_LANE] && !any; i++)
    any = WFT_LOAD (&runtime->lanes[i].ring) != NULL;
  wft_local_set (WFT_LOCAL_RING, any);
}

bool
weft_target_ring_enable (WeftTargetLane *lane, const WeftTargetRingConfiguration *configuration,
                         size_t configuration_size)
{
  WeftTargetRingConfiguration wanted = { 0 };
  WftRing *ring;
  WFT_KEEP_ERRNO;

  if (lane == NULL || lane->id == 0)
    return false;
  if (configuration != NULL)
    memcpy (&wanted, configuration,
            configuration_size < sizeof wanted ? configuration_size : sizeof wanted);
  if (!wft_session_ensure () || (ring = ring_new (&wanted)) == NULL)
    return false;
  if (!wft_lock ())
    {
      munmap (ring, ring->size);
      return false;
    }
  ring_replace (lane, ring);
  update_gate ();
  wft_unlock ();
  return true;
}

void
weft_target_ring_disable (WeftTargetLane *lane)
{
  WFT_KEEP_ERRNO;

  if (lane == NULL || lane->id == 0 || !wft_session_ensure () || !wft_lock ())
    return;
  ring_replace (lane, NULL);
  update_gate ();
  wft_unlock ();
}

/* ---- Reading ---- */

/* Writers that are faster than this reader would overwrite each entry just before it came there:
 * once overtaken, it leaps ahead.
 */
static uint64_t
leap (WftRing *ring, uint64_t sequence)
{
  uint64_t head = WFT_LOAD_ACQUIRE (&ring->head);
  uint64_t capacity = ring->configuration.capacity;
  uint64_t safe = head > capacity ? head - capacity + capacity / 4 : 0;

  return safe > sequence ? safe : sequence;
}

/* Waits for another reader, but never for a writer. */
static bool
slot_lock (Slot *slot, uint64_t sequence)
{
  for (int i = 0; i < 1000; i++)
    {
      uint64_t state = 2 * sequence;

      if (__atomic_compare_exchange_n (&slot->state, &state, 2 * sequence + 1, false,
                                       __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return true;
      if (state != 2 * sequence + 1)
        return false;
      sched_yield ();
    }
  return false;
}

/* Copies slots after SINCE, oldest first, into AT; returns how many are whole. */
static size_t
copy_slots (WftRing *ring, uint64_t first, uint64_t head, uint8_t *at)
{
  size_t n = 0;

  for (uint64_t sequence = first; sequence <= head; sequence++)
    {
      Slot *slot = slot_at (ring, sequence);
      Slot *copy = (Slot *) (at + n * ring->stride);

      if (!slot_lock (slot, sequence))
        {
          if (WFT_LOAD (&slot->state) > 2 * sequence + 1)
            sequence = leap (ring, sequence);
          continue;
        }
      memcpy (&copy->time, &slot->time, ring->stride - offsetof (Slot, time));
      WFT_STORE_RELEASE (&slot->state, 2 * sequence);
      copy->state = 2 * sequence;
      n += copy->length <= ring->configuration.entry_size;
    }
  return n;
}

/* A record decodes to at most this much beside its own bytes. */
#define DECODED_RECORD 256u

static size_t
decoded_size (const uint8_t *slots, size_t n, size_t stride)
{
  size_t size = 0;

  for (size_t i = 0; i < n; i++)
    {
      const Slot *slot = (const Slot *) (slots + i * stride);
      const uint8_t *bytes = (const uint8_t *) (slot + 1);

      size += 2 * slot->length + DECODED_RECORD;
      for (uint32_t at = 0; at < slot->length;
           at += ((const WeftWireRecord *) (bytes + at))->words * 8u)
        size += DECODED_RECORD;
    }
  return size;
}

/* A result in one allocation: room is given out from its tail. */
typedef struct
{
  uint8_t *room;
  const uint8_t *at;
  const uint8_t *end;
} Decoder;

static void *
give (Decoder *decoder, size_t size)
{
  void *result = decoder->room;

  decoder->room += (size + 7) & ~(size_t) 7;
  return result;
}

/* Empty strings come back as NULL, as most were. */
static const char *
decode_string (Decoder *decoder, const uint8_t **at)
{
  const WeftWireString *string = (const WeftWireString *) *at;
  char *copy;

  *at += sizeof *string + ((string->length + 7u) & ~7u);
  if (string->length == 0)
    return NULL;
  copy = give (decoder, string->length + 1u);
  memcpy (copy, string + 1, string->length);
  copy[string->length] = '\0';
  return copy;
}

static size_t
count (const Decoder *decoder, unsigned int type)
{
  size_t n = 0;

  for (const uint8_t *at = decoder->at; at < decoder->end;
       at += ((const WeftWireRecord *) at)->words * 8u)
    n += ((const WeftWireRecord *) at)->type == type;
  return n;
}

static void
decode_counters (Decoder *decoder, const WeftWireCounters *side, WeftTargetCounterSample *sample)
{
  const WeftWireCounterValue *from = (const WeftWireCounterValue *) (side + 1);
  const uint8_t *strings = (const uint8_t *) (from + side->n_values);
  WeftTargetCounterValue *values = give (decoder, side->n_values * sizeof *values);

  for (uint16_t i = 0; i < side->n_values; i++)
    {
      values[i].value.u64 = from[i].bits;
      values[i].is_error = from[i].is_error != 0;
    }
  sample->set = side->set;
  sample->point = (WeftTargetSamplePoint) side->point;
  sample->ticks = side->ticks;
  sample->values = values;
  sample->n_values = side->n_values;
  sample->point_name = decode_string (decoder, &strings);
}

static void
decode_tag (Decoder *decoder, const WeftWireTag *side, WeftTargetTag *tag)
{
  const uint8_t *strings = (const uint8_t *) (side + 1);
  const char *text;

  tag->key = decode_string (decoder, &strings);
  tag->type = (WeftTargetValueType) side->type;
  text = decode_string (decoder, &strings);
  if (tag->type == WEFT_TARGET_VALUE_STRING)
    tag->value.string = text != NULL ? text : "";
  else if (tag->type == WEFT_TARGET_VALUE_BOOL)
    tag->value.boolean = side->bits != 0;
  else
    tag->value.u64 = side->bits;
}

static void
decode_phase (Decoder *decoder, const WeftWirePhase *side, WeftTargetPhase *phase)
{
  const uint8_t *strings = (const uint8_t *) (side + 1);

  phase->offset = side->offset;
  phase->duration = side->duration;
  phase->flags = side->flags;
  phase->name = decode_string (decoder, &strings);
  phase->error = decode_string (decoder, &strings);
}

static void
decode_attachment (Decoder *decoder, const WeftWireAttachment *side, WeftTargetAttachment *result,
                   WeftTargetRange *ranges)
{
  const uint8_t *strings = (const uint8_t *) (side + 1);

  result->offset = side->offset;
  result->size = side->size;
  result->slot = side->slot;
  result->access = (WeftTargetAccess) side->access;
  result->privacy = (WeftTargetPrivacy) side->privacy;
  result->kind = decode_string (decoder, &strings);
  result->label = decode_string (decoder, &strings);
  result->role = decode_string (decoder, &strings);
  result->element_type = decode_string (decoder, &strings);
  result->shape = decode_string (decoder, &strings);
  result->ranges = ranges;
}

/* The lists of a dispatch, being filled. */
typedef struct
{
  WeftTargetPhase *phases;
  WeftTargetRoleOrigin *origins;
  WeftTargetAttachment *attachments;
  WeftTargetRange *ranges;
  WeftTargetCounterSample *samples;
  uint32_t *artifacts;
  WeftTargetTag *tags;
} Lists;

static void
lists_begin (Decoder *decoder, WeftTargetDispatch *dispatch, Lists *lists)
{
  lists->phases = give (decoder, count (decoder, WEFT_WIRE_SIDE_PHASE) * sizeof *lists->phases);
  lists->origins = give (decoder, count (decoder, WEFT_WIRE_SIDE_ORIGIN) * sizeof *lists->origins);
  lists->attachments
      = give (decoder, count (decoder, WEFT_WIRE_SIDE_ATTACHMENT) * sizeof *lists->attachments);
  lists->ranges = give (decoder, count (decoder, WEFT_WIRE_SIDE_RANGE) * sizeof *lists->ranges);
  lists->samples = give (decoder, count (decoder, WEFT_WIRE_SIDE_COUNTERS) * sizeof *lists->samples);
  lists->artifacts
      = give (decoder, count (decoder, WEFT_WIRE_SIDE_ARTIFACT) * sizeof *lists->artifacts);
  lists->tags = give (decoder, count (decoder, WEFT_WIRE_SIDE_TAG) * sizeof *lists->tags);
  dispatch->phases = lists->phases;
  dispatch->origins = lists->origins;
  dispatch->attachments = lists->attachments;
  dispatch->samples = lists->samples;
  dispatch->artifacts = lists->artifacts;
  dispatch->tags = lists->tags;
}

static void
decode_list_item (Decoder *decoder, WeftTargetDispatch *dispatch, Lists *lists)
{
  const uint8_t *strings = decoder->at;

  switch (((const WeftWireRecord *) decoder->at)->type)
    {
    case WEFT_WIRE_SIDE_PHASE:
      decode_phase (decoder, (const WeftWirePhase *) decoder->at,
                    &lists->phases[dispatch->n_phases++]);
      break;
    case WEFT_WIRE_SIDE_ORIGIN:
      {
        const WeftWireOrigin *side = (const WeftWireOrigin *) decoder->at;
        WeftTargetRoleOrigin *origin = &lists->origins[dispatch->n_origins++];

        origin->role = (WeftTargetRole) side->role;
        origin->origin.ticks = side->ticks;
        origin->origin.stack = side->stack;
        origin->origin.tid = side->tid;
      }
      break;
    case WEFT_WIRE_SIDE_ATTACHMENT:
      decode_attachment (decoder, (const WeftWireAttachment *) decoder->at,
                         &lists->attachments[dispatch->n_attachments++], lists->ranges);
      break;
    case WEFT_WIRE_SIDE_RANGE:
      {
        const WeftWireRange *side = (const WeftWireRange *) decoder->at;

        strings += sizeof *side;
        lists->ranges->first = side->first;
        lists->ranges->count = side->count;
        lists->ranges->name = decode_string (decoder, &strings);
        lists->ranges++;
        lists->attachments[dispatch->n_attachments - 1].n_ranges++;
      }
      break;
    case WEFT_WIRE_SIDE_COUNTERS:
      decode_counters (decoder, (const WeftWireCounters *) decoder->at,
                       &lists->samples[dispatch->n_samples++]);
      break;
    case WEFT_WIRE_SIDE_TAG:
      decode_tag (decoder, (const WeftWireTag *) decoder->at, &lists->tags[dispatch->n_tags++]);
      break;
    case WEFT_WIRE_SIDE_ARTIFACT:
      lists->artifacts[dispatch->n_artifacts++]
          = ((const WeftWireArtifactSide *) decoder->at)->artifact;
      break;
    default:
      break;
    }
}

static void
decode_error (Decoder *decoder, WeftTargetDispatch *dispatch)
{
  const uint8_t *strings = decoder->at + sizeof (WeftWireError);
  WeftTargetErrorDetail *error = give (decoder, sizeof *error);

  error->name = decode_string (decoder, &strings);
  error->message = decode_string (decoder, &strings);
  error->stack = decode_string (decoder, &strings);
  error->cause = decode_string (decoder, &strings);
  dispatch->error = error;
}

static void
decode_times (const WeftWireTimes *side, WeftTargetDispatch *dispatch)
{
  dispatch->has_attempts = (side->has & WEFT_WIRE_HAS_ATTEMPTS) != 0;
  dispatch->attempts = side->attempts;
  dispatch->has_queue_wait = (side->has & WEFT_WIRE_HAS_QUEUE_WAIT) != 0;
  dispatch->queue_wait = side->queue_wait;
  dispatch->queue_wait_last = side->queue_wait_last;
  dispatch->submitted = side->submitted;
}

static void
decode_side (Decoder *decoder, WeftTargetDispatch *dispatch, Lists *lists)
{
  const uint8_t *strings = decoder->at + sizeof (WeftWireLabel);

  switch (((const WeftWireRecord *) decoder->at)->type)
    {
    case WFT_RING_ROUTINE:
      dispatch->routine->name = decode_string (decoder, &strings);
      break;
    case WEFT_WIRE_SIDE_TIMES:
      decode_times ((const WeftWireTimes *) decoder->at, dispatch);
      break;
    case WEFT_WIRE_SIDE_LABEL:
      dispatch->label = decode_string (decoder, &strings);
      break;
    case WEFT_WIRE_SIDE_SOURCE:
      dispatch->source = ((const WeftWireSourceSide *) decoder->at)->source;
      dispatch->first_line = ((const WeftWireSourceSide *) decoder->at)->first_line;
      dispatch->last_line = ((const WeftWireSourceSide *) decoder->at)->last_line;
      break;
    case WEFT_WIRE_SIDE_ERROR:
      decode_error (decoder, dispatch);
      break;
    default:
      decode_list_item (decoder, dispatch, lists);
    }
}

static void
decode_head (Decoder *decoder, const Slot *slot, WeftTargetRingEntry *entry)
{
  const WeftWireDispatch *record = (const WeftWireDispatch *) decoder->at;
  WeftTargetDispatch *dispatch = &entry->dispatch;
  uint32_t clock = record->flags & WEFT_WIRE_FLAG_CLOCK ? record->clock : slot->lane->clock;

  entry->sequence = slot->state / 2;
  entry->time = slot->time;
  entry->cut = slot->cut != 0;
  dispatch->lane = slot->lane;
  dispatch->routine = give (decoder, sizeof *dispatch->routine);
  dispatch->routine->name = NULL;
  dispatch->routine->id = record->routine;
  dispatch->start = record->start;
  dispatch->end = record->end;
  dispatch->id = record->id;
  dispatch->submission = record->submission;
  dispatch->queue = record->queue;
  dispatch->status = (WeftTargetStatus) record->status;
  dispatch->error_kind = (WeftTargetErrorKind) record->error_kind;
  if (record->trace != 0)
    {
      WeftTargetTrace *trace = give (decoder, sizeof *trace);

      trace->id = record->trace;
      trace->sampled = true;
      dispatch->trace = trace;
    }
  if (clock == WEFT_WIRE_CLOCK_ID_RUNTIME)
    {
      entry->start_ns = weft_target_to_nanoseconds (record->start);
      entry->end_ns = weft_target_to_nanoseconds (record->end);
    }
  else if (clock == WEFT_WIRE_CLOCK_ID_MONOTONIC)
    {
      entry->start_ns = record->start;
      entry->end_ns = record->end;
    }
}

static void
decode_entry (Decoder *decoder, const Slot *slot, WeftTargetRingEntry *entry)
{
  Lists lists;

  decoder->at = (const uint8_t *) (slot + 1);
  decoder->end = decoder->at + slot->length;
  if (slot->length < sizeof (WeftWireDispatch))
    return;
  decode_head (decoder, slot, entry);
  lists_begin (decoder, &entry->dispatch, &lists);
  while (decoder->at < decoder->end)
    {
      decode_side (decoder, &entry->dispatch, &lists);
      decoder->at += ((const WeftWireRecord *) decoder->at)->words * 8u;
    }
}

static WeftTargetRingDelta *
delta_new (const uint8_t *slots, size_t n, size_t stride)
{
  size_t entries_size = n * sizeof (WeftTargetRingEntry);
  WeftTargetRingDelta *delta
      = calloc (1, sizeof *delta + entries_size + decoded_size (slots, n, stride));
  Decoder decoder;

  if (delta == NULL)
    return NULL;
  delta->entries = (WeftTargetRingEntry *) (delta + 1);
  delta->n_entries = n;
  decoder.room = (uint8_t *) delta->entries + entries_size;
  for (size_t i = 0; i < n; i++)
    decode_entry (&decoder, (const Slot *) (slots + i * stride), &delta->entries[i]);
  return delta;
}

/* The head is looked at once there is memory, for getting it may take longer than a round of fast
 * writers; what came meanwhile and has no place is left to the next read.
 */
static WeftTargetRingDelta *
read_ring (WftRing *ring, uint64_t since)
{
  uint64_t capacity = ring->configuration.capacity;
  uint64_t head = WFT_LOAD_ACQUIRE (&ring->head), first, places;
  WeftTargetRingDelta *delta;
  uint8_t *slots;
  size_t n;

  if (since > head)
    since = head;
  places = head - since + 64 < capacity ? head - since + 64 : capacity;
  slots = malloc (places * ring->stride);
  if (slots == NULL)
    return NULL;
  head = WFT_LOAD_ACQUIRE (&ring->head);
  first = head - since > capacity ? head - capacity + 1 : since + 1;
  if (head >= first + places)
    head = first + places - 1;
  n = copy_slots (ring, first, head, slots);
  delta = delta_new (slots, n, ring->stride);
  free (slots);
  if (delta == NULL)
    return NULL;
  delta->head = head;
  delta->dropped = head - since - n;
  delta->enabled = true;
  delta->configuration = ring->configuration;
  return delta;
}

WeftTargetRingDelta *
weft_target_ring_read (WeftTargetLane *lane, uint64_t since)
{
  WeftTargetRingDelta *delta;
  WftRing *ring;
  WFT_KEEP_ERRNO;

  if (lane == NULL || lane->id == 0 || !wft_session_ensure () || (ring = ring_use (lane)) == NULL)
    return calloc (1, sizeof *delta);
  delta = read_ring (ring, since);
  ring_release (lane);
  return delta;
}

void
weft_target_ring_delta_free (WeftTargetRingDelta *delta)
{
  free (delta);
}
