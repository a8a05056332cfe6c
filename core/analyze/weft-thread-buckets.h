/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-cpu-filter.h"
#include "weft-table.h"

G_BEGIN_DECLS

/* What threads did over time: of each, how much of each of some equal parts of the range they ran
 * and waited, and for what.
 */
typedef struct _WeftThreadBuckets WeftThreadBuckets;

/* RANGE has a begin, an end, and a number of buckets. NULL in *BUCKETS where nothing is known of
 * threads, or its filter is not about them.
 */
gboolean weft_thread_buckets_new (const WeftAnalysisScope *range, WeftCatalog *catalog,
                                  WeftThreadBuckets **buckets, GError **error);
void weft_thread_buckets_free (WeftThreadBuckets *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftThreadBuckets, weft_thread_buckets_free)

/* A row for each thread, and one for each bucket in which it was there. */
WeftTable *weft_thread_buckets_make_threads (WeftThreadBuckets *self);
WeftTable *weft_thread_buckets_make_buckets (WeftThreadBuckets *self);

G_END_DECLS
