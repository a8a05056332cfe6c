/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-sql-source.h"

G_BEGIN_DECLS

/* weft_open (FILE [, PREFIX]): makes the tables and views of a recording in the temporary schema,
 * with PREFIX before their names. Gives the path of the file.
 */
void weft_sql_extension_open (const sqlite3_api_routines *api, sqlite3_context *context, int argc,
                              sqlite3_value **argv);

G_END_DECLS
