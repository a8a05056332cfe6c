/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-sql-source.h"

#include <string.h>

#include "weft-recording-private.h"

WeftSqlSource *
weft_sql_source_new (WeftRecording *recording, const sqlite3_api_routines *api)
{
  WeftSqlSource *self = g_new0 (WeftSqlSource, 1);

  self->refs = 1;
  self->api = api;
  self->recording = g_object_ref (recording);
  return self;
}

WeftSqlSource *
weft_sql_source_ref (WeftSqlSource *self)
{
  self->refs++;
  return self;
}

void
weft_sql_source_unref (gpointer data)
{
  WeftSqlSource *self = data;

  if (--self->refs > 0)
    return;
  g_clear_pointer (&self->store, weft_store_unref);
  g_clear_error (&self->error);
  g_object_unref (self->recording);
  g_free (self);
}

WeftStore *
weft_sql_source_begin (WeftSqlSource *self)
{
  if (self->n_cursors++ == 0)
    {
      /* What cannot be read anew is answered as it was last read. */
      if (self->is_followed)
        weft_recording_refresh (self->recording, NULL, NULL);
      g_clear_pointer (&self->store, weft_store_unref);
      self->store = weft_recording_ref_store (self->recording);
    }
  return self->store;
}

/* The view stays until the next statement begins: texts of the last row may still be asked for. */
void
weft_sql_source_end (WeftSqlSource *self)
{
  self->n_cursors--;
}

int
weft_sql_source_fail (WeftSqlSource *self, sqlite3_vtab *table, GError *error)
{
  const sqlite3_api_routines *sqlite3_api = self->api;
  gboolean is_cancelled = g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  sqlite3_free (table->zErrMsg);
  table->zErrMsg = sqlite3_mprintf ("%s", error->message);
  g_clear_error (&self->error);
  self->error = error;
  return is_cancelled ? SQLITE_INTERRUPT : SQLITE_ERROR;
}

int
weft_sql_source_declare (WeftSqlSource *self, sqlite3 *database, const char *declaration,
                         char **error)
{
  const sqlite3_api_routines *sqlite3_api = self->api;
  int status;

  self->is_declaring = TRUE;
  status = sqlite3_declare_vtab (database, declaration);
  self->is_declaring = FALSE;
  if (status != SQLITE_OK)
    *error = sqlite3_mprintf ("%s", sqlite3_errmsg (database));
  return status;
}

void
weft_sql_scalar_read (const sqlite3_api_routines *api, sqlite3_value *value, WeftSqlScalar *scalar)
{
  const sqlite3_api_routines *sqlite3_api = api;
  const char *text;

  *scalar = (WeftSqlScalar){ WEFT_SQL_NULL, 0, 0, NULL };
  switch (sqlite3_value_type (value))
    {
    case SQLITE_INTEGER:
      scalar->kind = WEFT_SQL_INTEGER;
      scalar->integer = sqlite3_value_int64 (value);
      break;
    case SQLITE_FLOAT:
      scalar->kind = WEFT_SQL_REAL;
      scalar->real = sqlite3_value_double (value);
      break;
    case SQLITE_TEXT:
      text = (const char *) sqlite3_value_text (value);
      /* Texts with a nought inside are no texts of a recording. */
      if (text == NULL || strlen (text) != (gsize) sqlite3_value_bytes (value))
        scalar->kind = WEFT_SQL_BYTES;
      else
        {
          scalar->kind = WEFT_SQL_TEXT;
          scalar->text = g_strdup (text);
        }
      break;
    case SQLITE_BLOB:
      scalar->kind = WEFT_SQL_BYTES;
      break;
    default:
      break;
    }
}
