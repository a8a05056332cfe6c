/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-dispatch-names.h"

G_BEGIN_DECLS

/* Rows about dispatches, for every answer that lists some. */
typedef struct
{
  WeftDispatchNames names;
  WeftRowCursor *errors;
} WeftDispatchRows;

gboolean weft_dispatch_rows_init (WeftDispatchRows *self, const WeftAnalysisScope *scope,
                                  GError **error);
void weft_dispatch_rows_clear (WeftDispatchRows *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WeftDispatchRows, weft_dispatch_rows_clear)

WeftTableBuilder *weft_dispatch_rows_begin (const char *name);
/* Adds a row about dispatch ID, if there is one. */
void weft_dispatch_rows_add (WeftDispatchRows *self, WeftTableBuilder *builder, guint64 id);
gboolean weft_dispatch_rows_finish (WeftDispatchRows *self, GError **error);

/* A table "dispatches" of all whose COLUMN is VALUE, in the order of their start. */
gboolean weft_dispatch_rows_add_table (const WeftAnalysisScope *scope, WeftReport *report,
                                       WeftColumnNumber column, guint64 value, GError **error);

/* Of the dispatch at hand; ns. FALSE where nobody told when it was handed over. */
gboolean weft_dispatch_row_get_queue_delay (WeftRowCursor *dispatch, guint64 *delay);
guint64 weft_dispatch_row_get_self (WeftRowCursor *dispatch);

/* Why a dispatch is classified as it is, for people. */
const char *weft_classification_reason_explain (WeftClassificationReason reason);

G_END_DECLS
