/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-critical-path-history.h"

G_BEGIN_DECLS

/*
 * When everything would have happened, had the dispatches of some routines taken less (or more).
 *
 * All that is proven to wait for something comes as much earlier as that; what runs takes as long
 * as it did, and so does what nobody can explain: a wait of which nothing tells what ended it,
 * input and output, sleep. A dispatch cannot begin before it is handed over, nor, on a lane that
 * does one after another, before its predecessor has ended.
 */
typedef struct _WeftPathForecast WeftPathForecast;

/* FACTORS says of each dispatch by how much it would be faster: 1 is as it was. Waits were read
 * from BEGIN on, until when nothing changes.
 */
WeftPathForecast *weft_path_forecast_new (const WeftPathHistory *history, const double *factors,
                                          gint64 begin, gint64 end, GCancellable *cancellable,
                                          GError **error);
void weft_path_forecast_free (WeftPathForecast *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftPathForecast, weft_path_forecast_free)

/* The time at which a thread or dispatch would come to where it was at TIME. */
gint64 weft_path_forecast_get_thread_time (const WeftPathForecast *self, guint32 thread,
                                           gint64 time);
gint64 weft_path_forecast_get_dispatch_time (const WeftPathForecast *self, guint32 dispatch,
                                             gint64 time);

/* Whether the thread would not have to wait any more: what it waited for is there before it. */
gboolean weft_path_forecast_drops_wait (const WeftPathForecast *self, guint32 wait);
gboolean weft_path_forecast_drops_zone (const WeftPathForecast *self, guint32 zone);

G_END_DECLS
