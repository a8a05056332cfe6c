/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-stack-weights.h"
#include "weft-table-builder.h"

G_BEGIN_DECLS

/* A column of time for each reason to wait, called as the reason is: "page_fault". Returns the
 * first of WEFT_N_WAIT_REASONS.
 */
guint weft_wait_columns_add (WeftTableBuilder *builder);
/* The reason that a column, or a word with "-" for "_", is of. */
gboolean weft_wait_columns_find (const char *name, WeftWaitReason *reason);

G_END_DECLS
