/* SPDX-License-Identifier: BSD-2-Clause */
#include "weft-target-private.h"

#include <string.h>

/* ---- Buffers ---- */

/* Bytes of STRING to keep: at most CAP, whole UTF-8 characters. */
size_t
wft_string_length (const char *string, size_t cap, bool *cut)
{
  size_t length = string != NULL ? strnlen (string, cap + 1) : 0;

  *cut = length > cap;
  if (length <= cap)
    return length;
  length = cap;
  for (int i = 0; i < 3 && length > 0 && ((uint8_t) string[length] & 0xc0) == 0x80; i++)
    length--;
  return length;
}

void *
wft_record (WftBuffer *buffer, unsigned int type, uint32_t lane, size_t size)
{
  WeftWireRecord *record = (WeftWireRecord *) buffer->at;

  if (buffer->overflow || (size_t) (buffer->end - buffer->at) < size)
    {
      buffer->overflow = true;
      return NULL;
    }
  memset (record, 0, size);
  record->type = (uint16_t) type;
  record->lane = lane;
  buffer->at += size;
  return record;
}

void
wft_record_string (WftBuffer *buffer, const char *text, size_t cap)
{
  WeftWireString *string = (WeftWireString *) buffer->at;
  bool cut;
  size_t length = wft_string_length (text, cap, &cut);
  size_t padded = (length + 7) & ~(size_t) 7;

  if (buffer->overflow || (size_t) (buffer->end - buffer->at) < sizeof *string + padded)
    {
      buffer->overflow = true;
      return;
    }
  string->length = (uint32_t) length;
  string->flags = cut ? WEFT_WIRE_STRING_CUT : 0;
  buffer->truncated += cut;
  buffer->at += sizeof *string;
  if (padded > 0)
    {
      memset (buffer->at + padded - 8, 0, 8);
      memcpy (buffer->at, text, length);
    }
  buffer->at += padded;
}

/* A side record that did not fit is taken back if that is allowed. */
void
wft_record_end (WftBuffer *buffer, void *record)
{
  WeftWireRecord *head = record;

  if (head != NULL && !buffer->overflow)
    {
      head->words = (uint16_t) ((buffer->at - (uint8_t *) record) / 8);
      return;
    }
  if (!buffer->lenient || (uint8_t *) record == buffer->start)
    return;
  if (head != NULL)
    buffer->at = record;
  buffer->overflow = false;
  buffer->cut = true;
}

size_t
wft_cap (WftBuffer *buffer, const void *list, size_t n, size_t cap)
{
  if (list == NULL || n <= cap)
    return list != NULL ? n : 0;
  buffer->cut = true;
  return cap;
}

/* ---- Side records ---- */

void
wft_encode_tags (WftBuffer *buffer, const WeftTargetTag *tags, size_t n)
{
  n = wft_cap (buffer, tags, n, WEFT_WIRE_MAX_TAGS);
  for (size_t i = 0; i < n; i++)
    {
      WeftWireTag *side = wft_record (buffer, WEFT_WIRE_SIDE_TAG, 0, sizeof *side);
      bool is_string = tags[i].type == WEFT_TARGET_VALUE_STRING;

      if (side != NULL)
        {
          side->type = (uint32_t) tags[i].type;
          if (tags[i].type == WEFT_TARGET_VALUE_BOOL)
            side->bits = tags[i].value.boolean;
          else if (!is_string)
            side->bits = tags[i].value.u64;
          wft_record_string (buffer, tags[i].key, WEFT_WIRE_MAX_STRING);
          wft_record_string (buffer, is_string ? tags[i].value.string : NULL, WEFT_WIRE_MAX_TEXT);
        }
      wft_record_end (buffer, side);
    }
}

void
wft_encode_error (WftBuffer *buffer, const WeftTargetErrorDetail *error)
{
  WeftWireError *side;

  if (error == NULL)
    return;
  side = wft_record (buffer, WEFT_WIRE_SIDE_ERROR, 0, sizeof *side);
  if (side != NULL)
    {
      wft_record_string (buffer, error->name, WEFT_WIRE_MAX_STRING);
      wft_record_string (buffer, error->message, WEFT_WIRE_MAX_TEXT);
      wft_record_string (buffer, error->stack, WEFT_WIRE_MAX_TEXT);
      wft_record_string (buffer, error->cause, WEFT_WIRE_MAX_TEXT);
    }
  wft_record_end (buffer, side);
}

/* Those that were taken while nobody listened say nothing. */
void
wft_encode_origins (WftBuffer *buffer, const WeftTargetRoleOrigin *origins, size_t n)
{
  n = wft_cap (buffer, origins, n, WEFT_WIRE_MAX_ORIGINS);
  for (size_t i = 0; i < n; i++)
    {
      WeftWireOrigin *side;

      if (origins[i].origin.ticks == 0)
        continue;
      side = wft_record (buffer, WEFT_WIRE_SIDE_ORIGIN, 0, sizeof *side);
      if (side != NULL)
        {
          side->ticks = origins[i].origin.ticks;
          side->stack = origins[i].origin.stack;
          side->tid = origins[i].origin.tid;
          side->role = (uint8_t) origins[i].role;
        }
      wft_record_end (buffer, side);
    }
}

void
wft_encode_samples (WftBuffer *buffer, const WeftTargetCounterSample *samples, size_t n)
{
  n = wft_cap (buffer, samples, n, WEFT_WIRE_MAX_SAMPLES);
  for (size_t i = 0; i < n; i++)
    {
      const WeftTargetCounterSample *sample = &samples[i];
      size_t n_values = wft_cap (buffer, sample->values, sample->n_values, WEFT_WIRE_MAX_COUNTERS);
      size_t size = sizeof (WeftWireCounters) + n_values * sizeof (WeftWireCounterValue);
      WeftWireCounters *side = wft_record (buffer, WEFT_WIRE_SIDE_COUNTERS, 0, size);

      if (side != NULL)
        {
          WeftWireCounterValue *values = (WeftWireCounterValue *) (side + 1);

          side->set = sample->set;
          side->point = (uint16_t) sample->point;
          side->n_values = (uint16_t) n_values;
          side->ticks = sample->ticks;
          for (size_t j = 0; j < n_values; j++)
            {
              values[j].bits = sample->values[j].value.u64;
              values[j].is_error = sample->values[j].is_error;
            }
          wft_record_string (buffer, sample->point_name, WEFT_WIRE_MAX_STRING);
        }
      wft_record_end (buffer, side);
    }
}

void
wft_encode_artifacts (WftBuffer *buffer, const uint32_t *artifacts, size_t n)
{
  n = wft_cap (buffer, artifacts, n, WEFT_WIRE_MAX_ARTIFACTS);
  for (size_t i = 0; i < n; i++)
    {
      WeftWireArtifactSide *side = wft_record (buffer, WEFT_WIRE_SIDE_ARTIFACT, 0, sizeof *side);

      if (side != NULL)
        side->artifact = artifacts[i];
      wft_record_end (buffer, side);
    }
}

void
wft_encode_phases (WftBuffer *buffer, const WeftTargetPhase *phases, size_t n)
{
  n = wft_cap (buffer, phases, n, WEFT_WIRE_MAX_PHASES);
  for (size_t i = 0; i < n; i++)
    {
      WeftWirePhase *side = wft_record (buffer, WEFT_WIRE_SIDE_PHASE, 0, sizeof *side);

      if (side != NULL)
        {
          side->offset = phases[i].offset;
          side->duration = phases[i].duration;
          side->flags = phases[i].flags;
          wft_record_string (buffer, phases[i].name, WEFT_WIRE_MAX_STRING);
          wft_record_string (buffer, phases[i].error, WEFT_WIRE_MAX_TEXT);
        }
      wft_record_end (buffer, side);
    }
}

static void
encode_ranges (WftBuffer *buffer, const WeftTargetRange *ranges, size_t n)
{
  n = wft_cap (buffer, ranges, n, WEFT_WIRE_MAX_RANGES);
  for (size_t i = 0; i < n; i++)
    {
      WeftWireRange *side = wft_record (buffer, WEFT_WIRE_SIDE_RANGE, 0, sizeof *side);

      if (side != NULL)
        {
          side->first = ranges[i].first;
          side->count = ranges[i].count;
          wft_record_string (buffer, ranges[i].name, WEFT_WIRE_MAX_STRING);
        }
      wft_record_end (buffer, side);
    }
}

void
wft_encode_attachments (WftBuffer *buffer, const WeftTargetAttachment *attachments, size_t n)
{
  n = wft_cap (buffer, attachments, n, WEFT_WIRE_MAX_ATTACHMENTS);
  for (size_t i = 0; i < n; i++)
    {
      const WeftTargetAttachment *attachment = &attachments[i];
      bool redacted = attachment->privacy == WEFT_TARGET_PRIVACY_REDACTED;
      WeftWireAttachment *side = wft_record (buffer, WEFT_WIRE_SIDE_ATTACHMENT, 0, sizeof *side);
      bool had_room = side != NULL;

      if (had_room)
        {
          side->offset = attachment->offset;
          side->size = attachment->size;
          side->slot = attachment->slot;
          side->access = (uint8_t) attachment->access;
          side->privacy = (uint8_t) attachment->privacy;
          wft_record_string (buffer, attachment->kind, WEFT_WIRE_MAX_STRING);
          wft_record_string (buffer, redacted ? NULL : attachment->label, WEFT_WIRE_MAX_STRING);
          wft_record_string (buffer, attachment->role, WEFT_WIRE_MAX_STRING);
          wft_record_string (buffer, attachment->element_type, WEFT_WIRE_MAX_STRING);
          wft_record_string (buffer, attachment->shape, WEFT_WIRE_MAX_STRING);
          had_room = !buffer->overflow;
        }
      wft_record_end (buffer, side);
      if (had_room && !redacted)
        encode_ranges (buffer, attachment->ranges, attachment->n_ranges);
    }
}

/* ---- Writing a group ---- */

static void
buffer_begin (WftBuffer *buffer, WftWriter *writer, bool lenient)
{
  memset (buffer, 0, sizeof *buffer);
  buffer->start = buffer->at = writer->block + writer->cursor;
  buffer->end = writer->block + WEFT_WIRE_BLOCK_SIZE;
  buffer->lenient = lenient;
}

/* Into what is left of the block; else into a fresh one; else as much as a block holds. */
static bool
write_group (WftWriter *writer, WeftTargetLane *lane, WftEncode encode, const void *what)
{
  WftBuffer buffer = { .overflow = true };

  if (writer->descriptor != NULL)
    {
      buffer_begin (&buffer, writer, false);
      encode (&buffer, what);
    }
  for (int lenient = 0; buffer.overflow && lenient < 2; lenient++)
    {
      if (lenient == 0 && !wft_take_block (writer, lane))
        return false;
      buffer_begin (&buffer, writer, lenient != 0);
      encode (&buffer, what);
    }
  if (buffer.overflow || buffer.at == buffer.start)
    {
      wft_drop (lane, buffer.overflow ? WEFT_WIRE_DROP_TOO_LARGE : WEFT_WIRE_DROP_INVALID);
      return false;
    }
  if (buffer.truncated != 0 || buffer.cut)
    wft_stat_add (WEFT_WIRE_STAT_TRUNCATED, buffer.truncated + buffer.cut);
  wft_commit (writer, (uint32_t) (buffer.at - buffer.start));
  return true;
}

/* For calls that did nothing wrong and find nobody: no more than compares. */
static inline bool
nobody_reads (void)
{
  uint32_t active = WFT_LOAD (WFT_LOAD (&weft_target_gate.remote));

  return active == 0 || wft_runtime == NULL || active == WFT_LOAD (&wft_runtime->session->refused);
}

bool
wft_emit (WeftTargetLane *lane, WftEncode encode, const void *what)
{
  WftWriter *writer;
  bool written;
  WFT_KEEP_ERRNO;

  if (nobody_reads ())
    return false;
  writer = wft_enter (lane);
  if (writer == NULL)
    return false;
  written = wft_open (writer, lane) && write_group (writer, lane, encode, what);
  wft_leave (writer);
  return written;
}
