/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Names are those of functions here, not of members of a structure of them. */
#define SQLITE_CORE 1
#include <sqlite3ext.h>

#include "weft-sql-api.h"

const sqlite3_api_routines weft_sql_own_api = {
  .aggregate_context = sqlite3_aggregate_context,
  .context_db_handle = sqlite3_context_db_handle,
  .create_function_v2 = sqlite3_create_function_v2,
  .create_module_v2 = sqlite3_create_module_v2,
  .declare_vtab = sqlite3_declare_vtab,
  .errmsg = sqlite3_errmsg,
  .exec = sqlite3_exec,
  .free = sqlite3_free,
  .libversion_number = sqlite3_libversion_number,
  .mprintf = sqlite3_mprintf,
  .result_blob64 = sqlite3_result_blob64,
  .result_double = sqlite3_result_double,
  .result_error = sqlite3_result_error,
  .result_error_nomem = sqlite3_result_error_nomem,
  .result_error_toobig = sqlite3_result_error_toobig,
  .result_int64 = sqlite3_result_int64,
  .result_text = sqlite3_result_text,
  .result_text64 = sqlite3_result_text64,
  .result_value = sqlite3_result_value,
  .user_data = sqlite3_user_data,
  .value_bytes = sqlite3_value_bytes,
  .value_double = sqlite3_value_double,
  .value_int64 = sqlite3_value_int64,
  .value_numeric_type = sqlite3_value_numeric_type,
  .value_text = sqlite3_value_text,
  .value_type = sqlite3_value_type,
  .vtab_collation = sqlite3_vtab_collation,
  .vtab_config = sqlite3_vtab_config,
  .vtab_in = sqlite3_vtab_in,
  .vtab_in_first = sqlite3_vtab_in_first,
  .vtab_in_next = sqlite3_vtab_in_next,
  .strlike = sqlite3_strlike,
  .strglob = sqlite3_strglob,
};
