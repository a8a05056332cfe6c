/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-analysis-private.h"
#include "weft-dispatch-stream.h"
#include "weft-key-map.h"

G_BEGIN_DECLS

/* Which groups dispatches are in: one of each sort at most, of its routine, of its lane, of its
 * source. A pair of lane and routine says which.
 */
#define WEFT_N_GROUP_SORTS 3

typedef struct
{
  guint64 n;                        /* dispatches of the pair, before any filter */
  guint groups[WEFT_N_GROUP_SORTS]; /* G_MAXUINT: in none of that sort */
} WeftDispatchPair;

typedef struct
{
  GArray *pairs; /* element type WeftDispatchPair */
  WeftKeyMap numbers;
  guint n_groups;
} WeftDispatchGroups;

void weft_dispatch_groups_init (WeftDispatchGroups *self);
void weft_dispatch_groups_clear (WeftDispatchGroups *self);
void weft_dispatch_groups_add_pair (WeftDispatchGroups *self, guint32 lane, guint32 routine,
                                    const WeftDispatchPair *pair);

static inline const WeftDispatchPair *
weft_dispatch_groups_get_pair (const WeftDispatchGroups *self, guint number)
{
  return &((const WeftDispatchPair *) (gconstpointer) self->pairs->data)[number];
}

/* ---- Scans ---- */

/* What a scan passes on of a dispatch. PAIR is its number. */
typedef struct
{
  guint pair;
  gint64 start; /* where the scan asks for it */
  guint64 duration;
  guint64 inside; /* of the duration: within the range */
  guint64 row;    /* its number in the order of the file, from 1 */
} WeftPairedDispatch;

typedef void (*WeftPairedFunc) (const WeftPairedDispatch *dispatch, gpointer data);

typedef struct
{
  const WeftDispatchGroups *groups;
  const WeftAnalysisScope *scope;
  const WeftSelection *selection; /* NULL: all */
  gboolean needs_start;
} WeftPairedScan;

/* Passes the dispatches of a chunk that the selection and the range leave to FUNC. */
gboolean weft_paired_scan_chunk (const WeftPairedScan *self, guint chunk, WeftPairedFunc func,
                                 gpointer data, GError **error);

G_END_DECLS
