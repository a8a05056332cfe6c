/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The extension “weft”: .load weft, or SELECT load_extension ('…/weft'). */

#include <sqlite3ext.h>
#include <weft.h>

G_MODULE_EXPORT int sqlite3_weft_init (sqlite3 *database, char **error,
                                       const sqlite3_api_routines *sqlite3_api);

int
sqlite3_weft_init (sqlite3 *database, char **error, const sqlite3_api_routines *sqlite3_api)
{
  if (sqlite3_libversion_number () < 3038000)
    {
      *error =
          sqlite3_mprintf ("weft wants SQLite 3.38 or later; this is %s", sqlite3_libversion ());
      return SQLITE_ERROR;
    }
  if (weft_sql_extend (database, sqlite3_api))
    return SQLITE_OK_LOAD_PERMANENTLY;
  *error = sqlite3_mprintf ("weft: %s", sqlite3_errmsg (database));
  return SQLITE_ERROR;
}
