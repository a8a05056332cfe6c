/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * Memory that the kernel writes records to, and several of them in the order of time.
 *
 * Records stay where they are until they are let go of; only one that reaches over the end of the
 * memory is copied.
 */
typedef struct _WeftPerfRing WeftPerfRing;

/* SIZE: bytes for records, a power of two. NULL, with errno set: EPERM if the user may not lock so
 * much memory.
 */
WeftPerfRing *weft_perf_ring_new (int event, gsize size);

/* MEMORY is a struct perf_event_mmap_page, and SIZE bytes behind its page. */
WeftPerfRing *weft_perf_ring_new_for_memory (gpointer memory, gsize size);
void weft_perf_ring_free (WeftPerfRing *self);

/* Takes notice of what was written until now. */
void weft_perf_ring_update (WeftPerfRing *self);

/* The first record that was not let go of, aligned to 8; NULL if there is none. */
const guint8 *weft_perf_ring_peek (WeftPerfRing *self, gsize *length);
void weft_perf_ring_pop (WeftPerfRing *self);

/* Bytes that could not be read as records. */
guint64 weft_perf_ring_get_unreadable (const WeftPerfRing *self);

/* ---- Several ---- */

typedef struct _WeftPerfMerge WeftPerfMerge;

/* Called in the order of time: TIME is never less than before, although clocks of CPUs and
 * interrupts between reading the clock and writing may let a record come late.
 */
typedef void (*WeftPerfRecordFunc) (const guint8 *bytes, gsize length, gint64 time, gpointer data);

WeftPerfMerge *weft_perf_merge_new (void);
void weft_perf_merge_free (WeftPerfMerge *self);

/* Takes RING. */
void weft_perf_merge_add (WeftPerfMerge *self, WeftPerfRing *ring);

/* All records of before WATERMARK, which lies behind now by as much as writers may be late. */
void weft_perf_merge_drain (WeftPerfMerge *self, gint64 watermark, WeftPerfRecordFunc each,
                            gpointer data);

/* Records that came later than others that were told already, by more than 10 µs. */
guint64 weft_perf_merge_get_late (const WeftPerfMerge *self);
guint64 weft_perf_merge_get_unreadable (const WeftPerfMerge *self);

G_END_DECLS
