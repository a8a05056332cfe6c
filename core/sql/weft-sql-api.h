/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sqlite3.h>

struct sqlite3_api_routines;

/* The functions of the SQLite that this library is linked with, as it gives its own to extensions:
 * those that the virtual tables call.
 */
extern const struct sqlite3_api_routines weft_sql_own_api;
