/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <sqlite3.h>

#include "weft-table.h"

G_BEGIN_DECLS

/* Rows of a statement as they come, and then a table of them: what a column holds is known at the
 * end.
 */
typedef struct _WeftSqlResult WeftSqlResult;

WeftSqlResult *weft_sql_result_new (sqlite3_stmt *statement, guint64 memory_limit);
void weft_sql_result_free (WeftSqlResult *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftSqlResult, weft_sql_result_free)

/* The values are those of an aggregate of times or durations. */
void weft_sql_result_set_type (WeftSqlResult *self, guint column, WeftValueType type);

/* Takes the row that STATEMENT stands on. Fails with WEFT_ERROR_TOO_LARGE. */
gboolean weft_sql_result_take (WeftSqlResult *self, sqlite3_stmt *statement, GError **error);

/* Takes what was taken. */
WeftTable *weft_sql_result_finish (WeftSqlResult *self);

G_END_DECLS
