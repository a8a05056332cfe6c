/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-analysis-private.h"

G_BEGIN_DECLS

/* Which dispatch a row means that came before it: such a row names none, but tells its runtime and
 * the producer's own number of the dispatch.
 */
typedef struct _WeftProducerIds WeftProducerIds;

WeftProducerIds *weft_producer_ids_new (void);
void weft_producer_ids_free (WeftProducerIds *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftProducerIds, weft_producer_ids_free)

/* First all that are asked for, then one reading of the dispatches. */
void weft_producer_ids_want (WeftProducerIds *self, guint64 runtime, guint64 producer);
gboolean weft_producer_ids_resolve (WeftProducerIds *self, const WeftAnalysisScope *scope,
                                    GError **error);
/* DISPATCH where it is not 0, else the one that was found; 0 if there is none. */
guint64 weft_producer_ids_get (WeftProducerIds *self, guint64 dispatch, guint64 runtime,
                               guint64 producer);

/* Of all rows of a table with these columns. */
gboolean weft_producer_ids_want_table (WeftProducerIds *self, const WeftAnalysisScope *scope,
                                       WeftTableId table, WeftColumnNumber dispatch,
                                       WeftColumnNumber runtime, WeftColumnNumber producer,
                                       GError **error);

G_END_DECLS
