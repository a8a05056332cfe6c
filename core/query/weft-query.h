/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-filter.h"
#include "weft-recording.h"
#include "weft-table.h"

G_BEGIN_DECLS

#define WEFT_TYPE_QUERY (weft_query_get_type ())
WEFT_API
G_DECLARE_FINAL_TYPE (WeftQuery, weft_query, WEFT, QUERY, GObject)

WEFT_API WeftQuery *weft_query_new (const char *table, GError **error);
WEFT_API const char *weft_query_get_table (WeftQuery *self);

WEFT_API void weft_query_set_filter (WeftQuery *self, WeftFilter *filter);
WEFT_API gboolean weft_query_set_filter_text (WeftQuery *self, const char *text, GError **error);
WEFT_API void weft_query_set_range (WeftQuery *self, gint64 begin, gint64 end);
WEFT_API gboolean weft_query_select (WeftQuery *self, const char *expression, const char *name,
                                     GError **error);
WEFT_API gboolean weft_query_group_by (WeftQuery *self, const char *expression, const char *name,
                                       GError **error);
WEFT_API gboolean weft_query_order_by (WeftQuery *self, const char *expression, gboolean descending,
                                       GError **error);
WEFT_API void weft_query_set_limit (WeftQuery *self, guint limit);
WEFT_API void weft_query_set_cursor (WeftQuery *self, const char *cursor);

WEFT_API WeftTable *weft_query_run (WeftQuery *self, WeftRecording *recording,
                                    GCancellable *cancellable, GError **error);
WEFT_API void weft_query_run_async (WeftQuery *self, WeftRecording *recording,
                                    GCancellable *cancellable, GFileProgressCallback progress,
                                    gpointer progress_data, GDestroyNotify progress_destroy,
                                    GAsyncReadyCallback callback, gpointer user_data);
WEFT_API WeftTable *weft_query_run_finish (WeftQuery *self, GAsyncResult *result, GError **error);
WEFT_API char *weft_query_explain (WeftQuery *self, WeftRecording *recording, GError **error);

WEFT_API WeftTable *weft_query_list_tables (void);
WEFT_API WeftTable *weft_query_list_fields (const char *table, GError **error);

G_END_DECLS
