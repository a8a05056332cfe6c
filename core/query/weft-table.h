/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "weft-enums.h"
#include "weft-object.h"
#include "weft-version.h"

G_BEGIN_DECLS

#define WEFT_TYPE_TABLE (weft_table_get_type ())
WEFT_API
G_DECLARE_FINAL_TYPE (WeftTable, weft_table, WEFT, TABLE, GObject)

#define WEFT_TYPE_ROW (weft_row_get_type ())
WEFT_API
G_DECLARE_FINAL_TYPE (WeftRow, weft_row, WEFT, ROW, GObject)

WEFT_API const char *weft_table_get_name (WeftTable *self);
WEFT_API guint weft_table_get_n_rows (WeftTable *self);
WEFT_API guint weft_table_get_n_columns (WeftTable *self);
WEFT_API int weft_table_find_column (WeftTable *self, const char *name);
WEFT_API const char *weft_table_get_column_name (WeftTable *self, guint column);
WEFT_API const char *weft_table_get_column_title (WeftTable *self, guint column);
WEFT_API WeftValueType weft_table_get_column_type (WeftTable *self, guint column);
WEFT_API const char *weft_table_get_column_unit (WeftTable *self, guint column);
WEFT_API const char *weft_table_get_column_prefix (WeftTable *self, guint column);
WEFT_API GBytes *weft_table_get_column_data (WeftTable *self, guint column);
WEFT_API GBytes *weft_table_get_column_validity (WeftTable *self, guint column);
WEFT_API const char *const *weft_table_get_column_dictionary (WeftTable *self, guint column);

WEFT_API gboolean weft_table_is_null (WeftTable *self, guint column, guint row);
WEFT_API guint64 weft_table_get_uint64 (WeftTable *self, guint column, guint row);
WEFT_API gint64 weft_table_get_int64 (WeftTable *self, guint column, guint row);
WEFT_API double weft_table_get_double (WeftTable *self, guint column, guint row);
WEFT_API gboolean weft_table_get_boolean (WeftTable *self, guint column, guint row);
WEFT_API const char *weft_table_get_string (WeftTable *self, guint column, guint row);
WEFT_API char *weft_table_get_handle (WeftTable *self, guint column, guint row);
WEFT_API char *weft_table_get_text (WeftTable *self, guint column, guint row);
WEFT_API GVariant *weft_table_get_variant (WeftTable *self, guint column, guint row);

WEFT_API WeftObject *weft_table_get_object (WeftTable *self, WeftRecording *recording, guint column,
                                            guint row, GError **error);

WEFT_API const char *weft_table_get_cursor (WeftTable *self);
WEFT_API const char *weft_table_get_hint (WeftTable *self);

WEFT_API gboolean weft_table_write_csv (WeftTable *self, GOutputStream *stream,
                                        GCancellable *cancellable, GError **error);
WEFT_API void weft_table_write_csv_async (WeftTable *self, GOutputStream *stream, int io_priority,
                                          GCancellable *cancellable, GAsyncReadyCallback callback,
                                          gpointer user_data);
WEFT_API gboolean weft_table_write_csv_finish (WeftTable *self, GAsyncResult *result,
                                               GError **error);
WEFT_API gboolean weft_table_write_arrow (WeftTable *self, GOutputStream *stream,
                                          GCancellable *cancellable, GError **error);
WEFT_API void weft_table_write_arrow_async (WeftTable *self, GOutputStream *stream, int io_priority,
                                            GCancellable *cancellable, GAsyncReadyCallback callback,
                                            gpointer user_data);
WEFT_API gboolean weft_table_write_arrow_finish (WeftTable *self, GAsyncResult *result,
                                                 GError **error);
WEFT_API gboolean weft_table_export_arrow_c (WeftTable *self, guint64 array_address,
                                             guint64 schema_address, GError **error);

WEFT_API WeftTable *weft_row_get_table (WeftRow *self);
WEFT_API guint weft_row_get_index (WeftRow *self);
WEFT_API GVariant *weft_row_get (WeftRow *self, const char *column);

G_END_DECLS
