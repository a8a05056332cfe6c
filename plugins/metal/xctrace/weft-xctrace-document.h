/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "weft-xctrace-table.h"

G_BEGIN_DECLS

/* One XML file that `xctrace export` wrote: tables, or the table of contents.
 *
 * It is read several times from its beginning, and never held as a whole. The first time, the
 * survey, finds what is wrong with it, which tables it has, and which of its elements others refer
 * to: only these are kept while its rows are read.
 */
typedef struct _WeftXctraceDocument WeftXctraceDocument;

typedef struct
{
  /* A table begins; FALSE if its rows are not wanted. */
  gboolean (*table) (WeftXctraceTable *table, guint index, gpointer data);
  /* FALSE, with an error, to stop. What it is given lasts until it returns; elements that others
   * refer to last, at their places, until the document has been read.
   */
  gboolean (*row) (const WeftXctraceTable *table, const WeftXctraceRow *row, gpointer data,
                   GError **error);
  /* BYTES more were read. */
  void (*progress) (guint64 bytes, gpointer data);
} WeftXctraceHandler;

WeftXctraceDocument *weft_xctrace_document_new (GFile *file);
void weft_xctrace_document_free (WeftXctraceDocument *self);

/* INFO is told of what a table of contents says of each run. */
typedef void (*WeftXctraceInfoFunc) (guint run, const WeftXctraceElement *info, gpointer data);

gboolean weft_xctrace_document_survey (WeftXctraceDocument *self, WeftXctraceInfoFunc info,
                                       const WeftXctraceHandler *handler, gpointer data,
                                       GCancellable *cancellable, GError **error);
gboolean weft_xctrace_document_read (WeftXctraceDocument *self, const WeftXctraceHandler *handler,
                                     gpointer data, GCancellable *cancellable, GError **error);

const char *weft_xctrace_document_get_name (const WeftXctraceDocument *self);
guint64 weft_xctrace_document_get_size (const WeftXctraceDocument *self);
/* element-type WeftXctraceTable, in their order */
GPtrArray *weft_xctrace_document_get_tables (const WeftXctraceDocument *self);

G_END_DECLS
