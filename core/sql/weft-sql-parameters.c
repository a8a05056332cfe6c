/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-sql-parameters.h"

#include <stdlib.h>
#include <string.h>

#include "weft-error.h"

static gboolean
bind_value (sqlite3_stmt *statement, int index, GVariant *value)
{
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_VARIANT))
    {
      g_autoptr (GVariant) inner = g_variant_get_variant (value);

      return bind_value (statement, index, inner);
    }
  switch (g_variant_classify (value))
    {
    case G_VARIANT_CLASS_BOOLEAN:
      return sqlite3_bind_int (statement, index, g_variant_get_boolean (value)) == SQLITE_OK;
    case G_VARIANT_CLASS_BYTE:
      return sqlite3_bind_int (statement, index, g_variant_get_byte (value)) == SQLITE_OK;
    case G_VARIANT_CLASS_INT32:
      return sqlite3_bind_int (statement, index, g_variant_get_int32 (value)) == SQLITE_OK;
    case G_VARIANT_CLASS_UINT32:
      return sqlite3_bind_int64 (statement, index, g_variant_get_uint32 (value)) == SQLITE_OK;
    case G_VARIANT_CLASS_INT64:
      return sqlite3_bind_int64 (statement, index, g_variant_get_int64 (value)) == SQLITE_OK;
    case G_VARIANT_CLASS_UINT64:
      return g_variant_get_uint64 (value) <= G_MAXINT64 &&
             sqlite3_bind_int64 (statement, index, (gint64) g_variant_get_uint64 (value)) ==
                 SQLITE_OK;
    case G_VARIANT_CLASS_DOUBLE:
      return sqlite3_bind_double (statement, index, g_variant_get_double (value)) == SQLITE_OK;
    case G_VARIANT_CLASS_STRING:
      return sqlite3_bind_text (statement, index, g_variant_get_string (value, NULL), -1,
                                SQLITE_TRANSIENT) == SQLITE_OK;
    case G_VARIANT_CLASS_MAYBE:
      return TRUE;
    default:
      return FALSE;
    }
}

GVariant *
weft_sql_parameters_find (GVariant *parameters, int number, const char *name)
{
  if (parameters == NULL)
    return NULL;
  if (g_variant_is_of_type (parameters, G_VARIANT_TYPE_VARDICT))
    return name != NULL ? g_variant_lookup_value (parameters, name + 1, NULL) : NULL;
  if (!g_variant_is_of_type (parameters, G_VARIANT_TYPE ("av")) || number < 1 ||
      (gsize) number > g_variant_n_children (parameters))
    return NULL;
  return g_variant_get_child_value (parameters, (gsize) number - 1);
}

gboolean
weft_sql_parameters_bind_one (GVariant *parameters, sqlite3_stmt *statement, int index,
                              const char *name)
{
  g_autoptr (GVariant) value =
      weft_sql_parameters_find (parameters, name[0] == '?' ? atoi (name + 1) : 0, name);

  return value != NULL && bind_value (statement, index, value);
}

/* The number that a parameter has in the question as it was asked. */
static int
find_number (sqlite3_stmt *original, int index, const char *name)
{
  if (name == NULL)
    return index;
  return name[0] == '?' ? atoi (name + 1) : sqlite3_bind_parameter_index (original, name);
}

gboolean
weft_sql_parameters_bind (GVariant *parameters, sqlite3_stmt *original, sqlite3_stmt *statement,
                          GError **error)
{
  int n = sqlite3_bind_parameter_count (statement);

  for (int i = 1; i <= n; i++)
    {
      const char *name = sqlite3_bind_parameter_name (statement, i);
      int number = find_number (original, i, name);
      g_autoptr (GVariant) value = NULL;
      g_autofree char *text = g_strdup_printf ("?%d", number);

      /* Numbers may be left out: “?3” makes three parameters. */
      if (name == NULL && statement != original)
        continue;
      value = weft_sql_parameters_find (parameters, number, name);
      if (value != NULL && bind_value (statement, i, value))
        continue;
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY,
                   value == NULL ? "There is no value for the parameter %s"
                                 : "The value of the parameter %s is no number of 64 bits or text",
                   name != NULL ? name : text);
      return FALSE;
    }
  return TRUE;
}
