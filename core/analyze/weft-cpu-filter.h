/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-callchain-reader.h"
#include "weft-catalog.h"

G_BEGIN_DECLS

/* What a filter leaves of samples and waits. Threads, processes, functions and modules are looked
 * at once each, not once for each row.
 */
typedef struct _WeftCpuFilter WeftCpuFilter;

/* One of either; what it has not is nought. */
typedef struct
{
  guint64 id;
  gint64 start;
  gint64 end; /* of a sample: its start */
  guint32 thread;
  guint32 node; /* of its stack */
  guint32 cpu;
  guint8 reason;
  gboolean is_wait;
} WeftCpuRow;

/* NULL in *FILTER where the scope has none: all. Fails with WEFT_ERROR_INVALID_FILTER where it asks
 * for what neither has.
 */
gboolean weft_cpu_filter_new (const WeftAnalysisScope *scope, const WeftCallchainReader *callchains,
                              WeftCatalog *catalog, WeftCpuFilter **filter, GError **error);
void weft_cpu_filter_free (WeftCpuFilter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftCpuFilter, weft_cpu_filter_free)

/* Whether it chooses threads, and of those all that they did. */
gboolean weft_cpu_filter_is_of_threads (const WeftCpuFilter *self);

/* NULL allows all. */
gboolean weft_cpu_filter_allows (const WeftCpuFilter *self, const WeftCpuRow *row);

G_END_DECLS
