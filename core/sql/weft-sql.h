/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-recording.h"
#include "weft-table.h"

G_BEGIN_DECLS

#define WEFT_TYPE_SQL (weft_sql_get_type ())
WEFT_API
G_DECLARE_FINAL_TYPE (WeftSql, weft_sql, WEFT, SQL, GObject)

WEFT_API WeftSql *weft_sql_new (WeftRecording *recording);
WEFT_API WeftRecording *weft_sql_get_recording (WeftSql *self);

WEFT_API gboolean weft_sql_get_rewriting (WeftSql *self);
WEFT_API void weft_sql_set_rewriting (WeftSql *self, gboolean rewriting);
WEFT_API guint weft_sql_get_time_limit (WeftSql *self);
WEFT_API void weft_sql_set_time_limit (WeftSql *self, guint milliseconds);
WEFT_API guint64 weft_sql_get_memory_limit (WeftSql *self);
WEFT_API void weft_sql_set_memory_limit (WeftSql *self, guint64 bytes);

WEFT_API WeftTable *weft_sql_query (WeftSql *self, const char *text, GVariant *parameters,
                                    GCancellable *cancellable, GError **error);
WEFT_API void weft_sql_query_async (WeftSql *self, const char *text, GVariant *parameters,
                                    GCancellable *cancellable, GAsyncReadyCallback callback,
                                    gpointer user_data);
WEFT_API WeftTable *weft_sql_query_finish (WeftSql *self, GAsyncResult *result, GError **error);
WEFT_API char *weft_sql_explain (WeftSql *self, const char *text, GVariant *parameters,
                                 GError **error);

WEFT_API gboolean weft_sql_is_complete (const char *text);
WEFT_API WeftTable *weft_sql_list_tables (void);
WEFT_API WeftTable *weft_sql_list_columns (void);

WEFT_API gboolean weft_sql_extend (gpointer database, gconstpointer api);

G_END_DECLS
