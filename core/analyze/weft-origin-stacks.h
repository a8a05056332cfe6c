/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-frame-names.h"
#include "weft-row-cursor.h"

G_BEGIN_DECLS

/* The stacks that origins are linked to: those captured at that very point, or of the nearest CPU
 * sample.
 */
typedef struct
{
  WeftCallchainReader *callchains;
  WeftFrameNames *names;
  WeftRowCursor *stacks;
  WeftRowCursor *samples;
} WeftOriginStacks;

gboolean weft_origin_stacks_init (WeftOriginStacks *self, const WeftAnalysisScope *scope,
                                  GError **error);
void weft_origin_stacks_clear (WeftOriginStacks *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WeftOriginStacks, weft_origin_stacks_clear)

/* The id of the callchain of the origin at hand; 0: it is linked to none. */
guint64 weft_origin_stacks_find (WeftOriginStacks *self, WeftRowCursor *origin);

/* "submit ← main", to be freed; NULL for none. */
char *weft_origin_stacks_describe (WeftOriginStacks *self, guint64 callchain);
/* The innermost function, not counting those of Weft by which it is reported; belongs to SELF; NULL
 * for none.
 */
const char *weft_origin_stacks_get_function (WeftOriginStacks *self, guint64 callchain);

gboolean weft_origin_stacks_finish (WeftOriginStacks *self, GError **error);

G_END_DECLS
