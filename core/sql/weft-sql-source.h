/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <sqlite3ext.h>

#include "weft-recording.h"
#include "weft-sql-condition.h"

G_BEGIN_DECLS

/*
 * A recording as the virtual tables of one connection see it. Statements see one view of a growing
 * file from beginning to end; the next one sees the latest.
 *
 * SQLite is called through the functions that the connection's own copy of it gave (API): several
 * copies may live in one process. Functions that call it have a local “sqlite3_api”, which the
 * macros of sqlite3ext.h use.
 */
typedef struct
{
  gint refs;
  const sqlite3_api_routines *api;
  WeftRecording *recording;
  WeftStore *store;          /* the view in use; NULL between statements */
  guint n_cursors;           /* that use it */
  gboolean is_followed;      /* refreshed for each statement */
  gboolean is_declaring;     /* a table, which looks like the making of one */
  GCancellable *cancellable; /* of the running statement, or NULL */
  GError *error;             /* what SQLite was told in words, or NULL */
} WeftSqlSource;

WeftSqlSource *weft_sql_source_new (WeftRecording *recording, const sqlite3_api_routines *api);
WeftSqlSource *weft_sql_source_ref (WeftSqlSource *self);
void weft_sql_source_unref (gpointer self);

/* The view that the running statements use. */
WeftStore *weft_sql_source_begin (WeftSqlSource *self);
void weft_sql_source_end (WeftSqlSource *self);

/* Tells SQLite of an error, which is taken and kept; returns a code of SQLite's. */
int weft_sql_source_fail (WeftSqlSource *self, sqlite3_vtab *table, GError *error);

/* Declares a table to SQLite; one of its codes, with a message. */
int weft_sql_source_declare (WeftSqlSource *self, sqlite3 *database, const char *declaration,
                             char **error);

/* What SQLite's value is. */
void weft_sql_scalar_read (const sqlite3_api_routines *api, sqlite3_value *value,
                           WeftSqlScalar *scalar);

G_END_DECLS
