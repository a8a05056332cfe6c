/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sqlite3.h>

#include "weft-sql-condition.h"

G_BEGIN_DECLS

/* Values of the parameters of a question: “av” by number, or “a{sv}” by name. */

/* The value of parameter NUMBER, from 1, whose name with its first letter is NAME, or NULL. */
GVariant *weft_sql_parameters_find (GVariant *parameters, int number, const char *name);

/* Binds parameter INDEX of a statement to the value of what is called NAME, such as “?3”. */
gboolean weft_sql_parameters_bind_one (GVariant *parameters, sqlite3_stmt *statement, int index,
                                       const char *name);

/* Binds all parameters of a statement; those of a rewritten one have the numbers of ORIGINAL. */
gboolean weft_sql_parameters_bind (GVariant *parameters, sqlite3_stmt *original,
                                   sqlite3_stmt *statement, GError **error);

G_END_DECLS
