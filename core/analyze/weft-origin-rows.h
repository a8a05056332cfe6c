/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-dispatch-names.h"
#include "weft-origin-stacks.h"
#include "weft-producer-ids.h"

G_BEGIN_DECLS

/* Rows about origins, which the list of all of them and the answer about one dispatch share. */

/* A table NAME with the columns of weft_origin_rows_add (). */
WeftTableBuilder *weft_origin_rows_begin (const char *name);

/* A row for the origin at hand. DISPATCH is the one that times are told against, or 0. */
void weft_origin_rows_add (WeftTableBuilder *builder, WeftDispatchNames *names,
                           WeftOriginStacks *stacks, WeftRowCursor *origin, guint64 dispatch);

/* The same, of a status in general. */
const char *weft_link_status_explain (WeftLinkStatus status);

G_END_DECLS
