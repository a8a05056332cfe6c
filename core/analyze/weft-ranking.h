/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-analysis-private.h"

G_BEGIN_DECLS

/* Puts rows into the order of a number, then of their ids, and keeps the page of them that the
 * scope's cursor and limit ask for; the others cost no memory.
 */
typedef struct
{
  gint64 key;
  guint64 id;
  gpointer data; /* the caller's */
} WeftRank;

typedef struct _WeftRanking WeftRanking;

/* Behind all others where the largest come first. */
#define WEFT_RANK_LAST G_MININT64

/* The largest keys come first, or the smallest if ASCENDING. KIND is the answer's name. NULL with
 * WEFT_ERROR_INVALID_CURSOR where the scope's cursor is of another question.
 */
WeftRanking *weft_ranking_new (const WeftAnalysisScope *scope, const char *kind, gboolean ascending,
                               GError **error);
void weft_ranking_free (WeftRanking *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftRanking, weft_ranking_free)

void weft_ranking_add (WeftRanking *self, gint64 key, guint64 id, gpointer data);
/* A key of an unsigned number. */
gint64 weft_rank_key (guint64 value);

/* After the last: the number of rows on the page, which then can be asked for. */
guint weft_ranking_finish (WeftRanking *self);
const WeftRank *weft_ranking_get (WeftRanking *self, guint position);
gboolean weft_ranking_is_empty (WeftRanking *self); /* nothing was added */
/* Tells the table how to go on, if there is more. */
void weft_ranking_set_cursor (WeftRanking *self, WeftTableBuilder *builder);

G_END_DECLS
