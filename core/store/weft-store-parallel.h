/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Calls FUNC for each of N items, from as many threads as there are processors (at most four),
 * thread 0 being the caller's. Stops at the first FALSE and returns its error.
 */
typedef gboolean (*WeftParallelFunc) (guint thread, guint item, gpointer data, GError **error);

#define WEFT_MAX_THREADS 4

gboolean weft_parallel_run (guint n, WeftParallelFunc func, gpointer data, GError **error);

G_END_DECLS
