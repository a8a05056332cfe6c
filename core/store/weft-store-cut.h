/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-retained-rows.h"

G_BEGIN_DECLS

/* How a recording in parts is cut: parts before OLDEST are let go, but for what WeftRetainedRows
 * keeps of them.
 */
typedef struct
{
  guint oldest;
  gboolean in_parts;           /* the others stay files of their own; else they are copied */
  gboolean is_final;           /* what was provisional has been said again */
  gboolean sorts_out;          /* see WeftRetainedRows */
  gint64 before;               /* ns: what ended before may be gone */
  const WeftRowSet *forgotten; /* strings that its writer will not name again; NULL: none of all */
  const guint64 *in_use_from;  /* WEFT_N_TABLES first rows that it will; NULL: none of all */
} WeftStoreCut;

/* Writes the new file OUT, finished with an index; none is left after FALSE. STRINGS, if not NULL,
 * gets those of the older parts that are named (only if CUT sorts out).
 */
gboolean weft_store_cut (WeftStore *store, const char *out, const WeftStoreCut *cut,
                         WeftRowSet *strings, GError **error);

G_END_DECLS
