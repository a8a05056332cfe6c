/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-sorter.h"

G_BEGIN_DECLS

/* The place in an answer after which it goes on: the last record, its texts spelled out. */
typedef struct
{
  guint64 *record; /* NULL: from the beginning */
  char **texts;    /* by key */
} WeftCursor;

/* Fails with WEFT_ERROR_INVALID_CURSOR where TEXT is none of the plan's question. */
gboolean weft_cursor_parse (WeftCursor *self, const WeftPlan *plan, const char *text,
                            GError **error);
void weft_cursor_clear (WeftCursor *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WeftCursor, weft_cursor_clear)

char *weft_cursor_print (const WeftSorter *sorter, const guint64 *record);

G_END_DECLS
