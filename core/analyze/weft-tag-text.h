/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-row-cursor.h"

G_BEGIN_DECLS

/* Attributes as text, for people. */

/* The value of the tag at hand; to be freed. */
char *weft_tag_text_new (WeftRowCursor *tag);

/* Of all rows of a table that have any: row → "key=value key=value" by key. */
GHashTable *weft_tag_texts_read (const WeftAnalysisScope *scope, WeftTableId owner_table,
                                 GError **error);

G_END_DECLS
