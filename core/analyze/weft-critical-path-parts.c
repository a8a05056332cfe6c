/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A path summed up: of what kinds it is, and which threads and routines it goes through. */

#include <string.h>

#include "weft-answer.h"
#include "weft-critical-path-answer.h"

/* Rows that tell most of it. */
#define MAX_PARTS 100

gboolean
weft_path_part_is_same (const WeftPathPart *a, const WeftPathPart *b)
{
  return a->kind == b->kind && a->thread == b->thread && a->lane == b->lane &&
         a->routine == b->routine;
}

static WeftPathPart
describe (const WeftPathHistory *history, const WeftPathSegment *segment)
{
  WeftPathPart part = { .kind = segment->kind };

  if (segment->thread != WEFT_PATH_NONE)
    part.thread = weft_path_thread (history, segment->thread)->id;
  else if (segment->dispatch != WEFT_PATH_NONE)
    {
      const WeftPathDispatch *dispatch = weft_path_dispatch (history, segment->dispatch);

      part.lane = dispatch->lane;
      part.routine = dispatch->routine;
    }
  return part;
}

/* Of a thread by its id, else by lane and routine. */
static guint64
get_key (WeftKeyMap *targets, const WeftPathPart *part)
{
  guint64 of_target = (guint64) part->lane << 32 | part->routine;
  guint64 owner =
      part->thread != 0 ? part->thread : weft_key_map_add (targets, of_target, targets->n);

  return (owner << 1 | (part->thread != 0)) * WEFT_PATH_N_KINDS + part->kind;
}

GArray *
weft_path_parts_new (const WeftPathHistory *history, const GArray *segments)
{
  GArray *parts = g_array_new (FALSE, FALSE, sizeof (WeftPathPart));
  g_auto (WeftKeyMap) numbers = { NULL };
  g_auto (WeftKeyMap) targets = { NULL };

  weft_key_map_init (&numbers);
  weft_key_map_init (&targets);
  for (guint i = 0; i < segments->len; i++)
    {
      const WeftPathSegment *segment = &g_array_index (segments, WeftPathSegment, i);
      WeftPathPart described = describe (history, segment);
      guint32 number = weft_key_map_add (&numbers, get_key (&targets, &described), parts->len);
      WeftPathPart *part;

      if (number == parts->len)
        g_array_append_val (parts, described);
      part = &g_array_index (parts, WeftPathPart, number);
      part->count++;
      part->time += (guint64) (segment->stop - segment->start);
      part->forecast += segment->forecast;
    }
  return parts;
}

void
weft_path_part_write (WeftPathAnswer *self, WeftTableBuilder *builder, const WeftPathPart *part)
{
  WeftCatalog *catalog = self->stacks.catalog;
  const WeftCatalogThread *thread = weft_catalog_get_thread (catalog, part->thread);

  weft_table_builder_set_string (builder, 0, weft_path_kind_get_name (part->kind));
  weft_table_builder_set_uint64 (builder, 1, part->thread);
  weft_table_builder_set_uint64 (builder, 2, part->lane);
  weft_table_builder_set_uint64 (builder, 3, part->routine);
  weft_table_builder_set_string (
      builder, 4,
      thread != NULL ? thread->name : weft_catalog_get_routine_name (catalog, part->routine));
  weft_table_builder_set_string (builder, 5, weft_catalog_get_lane_name (catalog, part->lane));
}

static int
compare_parts (gconstpointer a, gconstpointer b)
{
  const WeftPathPart *left = a;
  const WeftPathPart *right = b;

  if (left->time != right->time)
    return left->time > right->time ? -1 : 1;
  return memcmp (left, right, G_STRUCT_OFFSET (WeftPathPart, count));
}

void
weft_path_answer_add_parts (WeftPathAnswer *self, WeftReport *report)
{
  static const WeftAnswerColumn columns[] = {
    WEFT_PATH_PART_COLUMNS,
    WEFT_ANSWER_COLUMN ("segments", UINT64),
    WEFT_ANSWER_COLUMN ("duration", DURATION),
    WEFT_ANSWER_UNIT ("share", DOUBLE, "percent"),
  };
  WeftTableBuilder *builder = weft_answer_begin_table ("parts", columns, G_N_ELEMENTS (columns));
  g_autoptr (GArray) parts = weft_path_parts_new (&self->history, self->segments);

  g_array_sort (parts, compare_parts);
  for (guint i = 0; i < MIN (parts->len, MAX_PARTS); i++)
    {
      const WeftPathPart *part = &g_array_index (parts, WeftPathPart, i);

      weft_table_builder_begin_row (builder);
      weft_path_part_write (self, builder, part);
      weft_table_builder_set_uint64 (builder, WEFT_PATH_PART_N_COLUMNS, part->count);
      weft_table_builder_set_uint64 (builder, WEFT_PATH_PART_N_COLUMNS + 1, part->time);
      weft_answer_set_share (builder, WEFT_PATH_PART_N_COLUMNS + 2, part->time, self->total);
    }
  weft_answer_add_table (report, builder);
}

void
weft_path_answer_add_kinds (WeftPathAnswer *self, WeftReport *report)
{
  static const WeftAnswerColumn columns[] = {
    WEFT_ANSWER_COLUMN ("kind", STRING),
    WEFT_ANSWER_COLUMN ("segments", UINT64),
    WEFT_ANSWER_COLUMN ("duration", DURATION),
    WEFT_ANSWER_UNIT ("share", DOUBLE, "percent"),
  };
  WeftTableBuilder *builder = weft_answer_begin_table ("kinds", columns, G_N_ELEMENTS (columns));
  guint64 counts[WEFT_PATH_N_KINDS] = { 0 };
  guint64 times[WEFT_PATH_N_KINDS] = { 0 };

  for (guint i = 0; i < self->segments->len; i++)
    {
      const WeftPathSegment *segment = &g_array_index (self->segments, WeftPathSegment, i);

      counts[segment->kind]++;
      times[segment->kind] += (guint64) (segment->stop - segment->start);
    }
  for (guint kind = 0; kind < WEFT_PATH_N_KINDS; kind++)
    {
      if (counts[kind] == 0)
        continue;
      weft_table_builder_begin_row (builder);
      weft_table_builder_set_string (builder, 0, weft_path_kind_get_name (kind));
      weft_table_builder_set_uint64 (builder, 1, counts[kind]);
      weft_table_builder_set_uint64 (builder, 2, times[kind]);
      weft_answer_set_share (builder, 3, times[kind], self->total);
    }
  weft_answer_add_table (report, builder);
}

/* What the path was asked for, in the first five columns. */
static void
write_question (WeftPathAnswer *self, WeftTableBuilder *builder)
{
  const WeftPathQuestion *question = &self->question;

  if (question->thread != WEFT_PATH_NONE)
    {
      guint32 id = weft_path_thread (&self->history, question->thread)->id;
      const WeftCatalogThread *thread = weft_catalog_get_thread (self->stacks.catalog, id);

      weft_table_builder_set_uint64 (builder, 0, id);
      weft_table_builder_set_string (builder, 1, thread != NULL ? thread->name : NULL);
    }
  else if (question->dispatch != WEFT_PATH_NONE)
    weft_table_builder_set_uint64 (builder, 2,
                                   weft_path_dispatch (&self->history, question->dispatch)->id);
  weft_table_builder_set_int64 (builder, 3, question->begin);
  weft_table_builder_set_int64 (builder, 4, question->end);
}

void
weft_path_answer_add_summary (WeftPathAnswer *self, WeftReport *report)
{
  static const WeftAnswerColumn columns[] = {
    WEFT_ANSWER_ID ("thread", "t"),
    WEFT_ANSWER_COLUMN ("thread_name", STRING),
    WEFT_ANSWER_ID ("dispatch", "d"),
    WEFT_ANSWER_COLUMN ("begin", TIME),
    WEFT_ANSWER_COLUMN ("end", TIME),
    WEFT_ANSWER_COLUMN ("wall", DURATION),
    WEFT_ANSWER_COLUMN ("segments", UINT64),
    WEFT_ANSWER_COLUMN ("proven", DURATION),
    WEFT_ANSWER_UNIT ("proven_share", DOUBLE, "percent"),
    WEFT_ANSWER_COLUMN ("approximate", DURATION),
    WEFT_ANSWER_COLUMN ("assumed", DURATION),
    WEFT_ANSWER_COLUMN ("unknown", DURATION),
    WEFT_ANSWER_COLUMN ("sampler", STRING),
    WEFT_ANSWER_COLUMN ("missing", STRING),
  };
  WeftTableBuilder *builder = weft_answer_begin_table ("path", columns, G_N_ELEMENTS (columns));
  guint64 times[WEFT_PATH_N_CONFIDENCES] = { 0 };

  for (guint i = 0; i < self->segments->len; i++)
    {
      const WeftPathSegment *segment = &g_array_index (self->segments, WeftPathSegment, i);

      times[segment->confidence] += (guint64) (segment->stop - segment->start);
    }
  weft_table_builder_begin_row (builder);
  write_question (self, builder);
  weft_table_builder_set_uint64 (builder, 5, self->total);
  weft_table_builder_set_uint64 (builder, 6, self->segments->len);
  weft_table_builder_set_uint64 (builder, 7, times[WEFT_PATH_PROVEN]);
  weft_answer_set_share (builder, 8, times[WEFT_PATH_PROVEN], self->total);
  weft_table_builder_set_uint64 (builder, 9, times[WEFT_PATH_APPROXIMATE]);
  weft_table_builder_set_uint64 (builder, 10, times[WEFT_PATH_ASSUMED]);
  weft_table_builder_set_uint64 (builder, 11, times[WEFT_PATH_NOT_KNOWN]);
  weft_table_builder_set_string (builder, 12, self->hints.sampler);
  weft_table_builder_set_string (builder, 13, self->hints.missing);
  weft_answer_add_table (report, builder);
}
