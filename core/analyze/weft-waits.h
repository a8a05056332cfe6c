/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-answer.h"
#include "weft-producer-ids.h"

G_BEGIN_DECLS

/* A thread that waited for a dispatch or a submission, from the origin that tells of the begin to
 * the one that tells of the end.
 */
typedef struct
{
  guint64 thread; /* 0: not known, only its number */
  guint64 tid;
  guint64 dispatch;
  guint64 submission;
  gint64 begin;
  gint64 end;
  gboolean has_begin;
  gboolean has_end; /* else it was waiting yet, or nobody told */
  guint64 begin_origin; /* ids of the two; 0 as above */
  guint64 end_origin;
} WeftWait;

/* All of them, in the order of thread, object and time; element type WeftWait. IDS knows the
 * origins that came before their dispatch.
 */
GArray *weft_waits_read (const WeftAnalysisScope *scope, WeftProducerIds *ids, GError **error);

/* A table NAME of some of them, told against a dispatch that began at START and ended at END, and
 * that the threads of QUEUED_BY (element type guint64) queued; the latter may be NULL.
 */
WeftTableBuilder *weft_wait_rows_begin (const char *name);
void weft_wait_rows_add (WeftTableBuilder *builder, WeftCatalog *catalog, const WeftWait *wait,
                         gint64 start, gint64 end, const GArray *queued_by);

gboolean weft_wait_is_by (const WeftWait *wait, const GArray *queued_by);
/* It began before END, and did not end before it. */
gboolean weft_wait_covers_end (const WeftWait *wait, gint64 start, gint64 end);

/* Threads as one number: THREAD, or a number that no thread is known of. */
guint64 weft_thread_key (guint64 thread, guint64 tid);

G_END_DECLS
