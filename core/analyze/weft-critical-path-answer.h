/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-catalog.h"
#include "weft-cpu-hints.h"
#include "weft-critical-path-samples.h"
#include "weft-critical-path.h"
#include "weft-flame-stacks.h"

G_BEGIN_DECLS

/* What the answers about a path are made of. */
typedef struct
{
  const WeftAnalysisScope *scope;
  WeftFlameStacks stacks; /* with catalog, stacks of code and their names */
  WeftPathHistory history;
  WeftPathSamples *samples;
  WeftCpuHints hints;
  WeftPathQuestion question;
  GArray *segments; /* element type WeftPathSegment; NULL until it was walked */
  guint64 total;
} WeftPathAnswer;

/* The thread, dispatch or trace of the scope's handle, and from when to when; without a handle the
 * first thread of the first process, or else the one that was busy last.
 */
gboolean weft_path_answer_find_question (WeftPathAnswer *self, GError **error);

/* Tables: the segments; what it was about and how much of it is proven; how much of what kind; and
 * which threads and routines it goes through.
 */
gboolean weft_path_answer_add_segments (WeftPathAnswer *self, WeftReport *report, GError **error);
void weft_path_answer_add_summary (WeftPathAnswer *self, WeftReport *report);
void weft_path_answer_add_kinds (WeftPathAnswer *self, WeftReport *report);
void weft_path_answer_add_parts (WeftPathAnswer *self, WeftReport *report);

/* As a tree, and off-CPU time by what was waited for. */
gboolean weft_path_answer_add_tree (WeftPathAnswer *self, WeftReport *report, GError **error);
gboolean weft_path_answer_add_off_cpu (WeftPathAnswer *self, WeftReport *report, GError **error);

/* What the scope's what-if would change: none without one. */
gboolean weft_path_answer_add_what_if (WeftPathAnswer *self, WeftReport *report, GError **error);

/* Segments that are the same for who looks at the whole: of one kind, by one thread or one routine
 * of a lane.
 */
typedef struct
{
  WeftPathKind kind;
  guint32 thread; /* id, or 0 */
  guint32 lane;
  guint32 routine;
  guint64 count;
  guint64 time;
  guint64 forecast;
} WeftPathPart;

/* In no order; element type WeftPathPart. */
GArray *weft_path_parts_new (const WeftPathHistory *history, const GArray *segments);
gboolean weft_path_part_is_same (const WeftPathPart *a, const WeftPathPart *b);
/* Six columns: kind, thread, lane, routine, name, lane_name. */
#define WEFT_PATH_PART_N_COLUMNS 6
#define WEFT_PATH_PART_COLUMNS                                                                     \
  WEFT_ANSWER_COLUMN ("kind", STRING), WEFT_ANSWER_ID ("thread", "t"),                             \
      WEFT_ANSWER_ID ("lane", "l"), WEFT_ANSWER_ID ("routine", "r"),                               \
      WEFT_ANSWER_COLUMN ("name", STRING), WEFT_ANSWER_COLUMN ("lane_name", STRING)
void weft_path_part_write (WeftPathAnswer *self, WeftTableBuilder *builder,
                           const WeftPathPart *part);

G_END_DECLS
