/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sqlite3.h>

#include "weft-sql-result.h"
#include "weft-sql-source.h"

G_BEGIN_DECLS

/*
 * What the engine can answer of a question. Aggregates of one table, with conditions and groups of
 * plain columns, become tables of groups, in whose rows SQLite finds keys and aggregates as
 * columns; all else of the question stays as it is. The largest rows (ORDER BY … LIMIT) get a
 * condition more: the last value that can be among them.
 */
typedef struct _WeftSqlRewriting WeftSqlRewriting;

/* TEXT is a statement that SQLite has prepared. PARAMETERS are bound. NULL with an error where the
 * engine was cancelled or the recording is damaged; where nothing can be rewritten, or it is not
 * ENABLED, there is no text.
 */
WeftSqlRewriting *weft_sql_rewrite (sqlite3 *database, WeftSqlSource *source, const char *text,
                                    GVariant *parameters, gboolean enabled, GError **error);
void weft_sql_rewriting_free (WeftSqlRewriting *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftSqlRewriting, weft_sql_rewriting_free)

/* NULL: the question stays as it is. */
const char *weft_sql_rewriting_get_text (const WeftSqlRewriting *self);
const char *weft_sql_rewriting_get_explanation (const WeftSqlRewriting *self);

/* Tells what the sums and extremes of times and durations are, rewritten or not. */
void weft_sql_rewriting_type_columns (const WeftSqlRewriting *self, WeftSqlResult *result);

G_END_DECLS
