/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-answer.h"
#include "weft-dispatch-stream.h"

G_BEGIN_DECLS

/* What an answer says of the dispatches that it names, read one by one where they lie. */
typedef struct
{
  WeftCatalog *catalog;
  WeftRowCursor *dispatches;
} WeftDispatchNames;

gboolean weft_dispatch_names_init (WeftDispatchNames *self, const WeftAnalysisScope *scope,
                                   GError **error);
void weft_dispatch_names_clear (WeftDispatchNames *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WeftDispatchNames, weft_dispatch_names_clear)

/* Goes to dispatch ID; FALSE if there is none. */
gboolean weft_dispatch_names_seek (WeftDispatchNames *self, guint64 id);
gint64 weft_dispatch_names_get_start (WeftDispatchNames *self);
gint64 weft_dispatch_names_get_end (WeftDispatchNames *self);

/* Name for people: its own label, or its routine's name. */
const char *weft_dispatch_names_get_name (WeftDispatchNames *self);

/* Three columns that follow one another: name, lane, lane's name. */
#define WEFT_ANSWER_DISPATCH_COLUMNS                                                               \
  WEFT_ANSWER_COLUMN ("name", STRING), WEFT_ANSWER_ID ("lane", "l"),                               \
      WEFT_ANSWER_COLUMN ("lane_name", STRING)
#define WEFT_ANSWER_N_DISPATCH_COLUMNS 3

void weft_dispatch_names_set (WeftDispatchNames *self, WeftTableBuilder *builder,
                              guint first_column);

G_END_DECLS
