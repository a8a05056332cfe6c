/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "weft-store.h"

G_BEGIN_DECLS

#define WEFT_MAX_SCANNED_COLUMNS 16

/* One row: VALUES are the stored bits of the columns asked for; bit I of PRESENT is set where the
 * I-th has a value. NUMBER is its number in the order of arrival, which is the id of rows that have
 * one.
 */
typedef void (*WeftRowFunc) (guint64 number, const guint64 *values, guint32 present, gpointer data);

/* Passes the rows of a table to FUNC in the order of arrival: for the small tables, which name
 * things, and for the child tables of dispatches. Errors are those of WEFT_ERROR.
 */
gboolean weft_scan_rows (WeftStore *store, WeftTableId table, const WeftColumnNumber *columns,
                         guint n_columns, WeftRowFunc func, gpointer data,
                         GCancellable *cancellable, GError **error);

/* The same of one chunk. */
gboolean weft_scan_chunk_rows (WeftStore *store, WeftTableId table, guint chunk,
                               const WeftColumnNumber *columns, guint n_columns, WeftRowFunc func,
                               gpointer data, GError **error);

static inline double
weft_double_from_bits (guint64 bits)
{
  union
  {
    guint64 bits;
    double value;
  } u = { bits };

  return u.value;
}

G_END_DECLS
