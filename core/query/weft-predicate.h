/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-expression.h"
#include "weft-filter-private.h"
#include "weft-id-set.h"

G_BEGIN_DECLS

/* A condition on rows of a table, made for batches. A row without a value fits no leaf. */

typedef enum
{
  WEFT_PREDICATE_ALL,
  WEFT_PREDICATE_NONE,
  WEFT_PREDICATE_AND,
  WEFT_PREDICATE_OR,
  WEFT_PREDICATE_NOT,
  WEFT_PREDICATE_HAS,     /* FIRST has a value */
  WEFT_PREDICATE_RANGE,   /* FIRST lies in RANGE */
  WEFT_PREDICATE_IDS,     /* FIRST is in IDS */
  WEFT_PREDICATE_TEXT,    /* FIRST is a text that fits MATCH */
  WEFT_PREDICATE_OVERLAP, /* the time from FIRST on, SECOND long (or a point), touches [LOW, HIGH]
                           */
} WeftPredicateKind;

typedef struct _WeftPredicate WeftPredicate;

struct _WeftPredicate
{
  WeftPredicateKind kind;
  GPtrArray *children;
  WeftExpression *first;
  WeftExpression *second;
  WeftFilterRange range;
  WeftIdSet *ids;
  const WeftFilterMatch *match;
  guint64 *memo; /* of texts: what was found for a string, by its number; atomic */
  gint64 low;
  gint64 high;
};

WeftPredicate *weft_predicate_new (WeftPredicateKind kind);
void weft_predicate_free (WeftPredicate *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftPredicate, weft_predicate_free)

/* AND and OR; these take CHILD. */
void weft_predicate_add (WeftPredicate *self, WeftPredicate *child);
WeftPredicate *weft_predicate_new_not (WeftPredicate *child);

/* Leaves take their expressions and sets. MATCH outlives the predicate. */
WeftPredicate *weft_predicate_new_has (WeftExpression *first);
WeftPredicate *weft_predicate_new_range (WeftExpression *first, const WeftFilterRange *range);
WeftPredicate *weft_predicate_new_between (WeftExpression *first, gint64 low, gint64 high);
WeftPredicate *weft_predicate_new_ids (WeftExpression *first, WeftIdSet *ids);
WeftPredicate *weft_predicate_new_text (WeftExpression *first, const WeftFilterMatch *match);
WeftPredicate *weft_predicate_new_overlap (WeftExpression *first, WeftExpression *second,
                                           gint64 low, gint64 high);

gboolean weft_predicate_bind (WeftPredicate *self, WeftStore *store, WeftTableId table,
                              GError **error);
guint32 weft_predicate_get_places (const WeftPredicate *self);

/* What the zones of a chunk tell of its rows. */
typedef enum
{
  WEFT_VERDICT_ROWS_NONE,
  WEFT_VERDICT_ROWS_SOME,
  WEFT_VERDICT_ROWS_ALL,
} WeftRowsVerdict;

WeftRowsVerdict weft_predicate_judge (const WeftPredicate *self, WeftStore *store,
                                      WeftTableId table, guint chunk);

/* Which of the batch's rows fit: OUT has room for all. */
gboolean weft_predicate_select (const WeftPredicate *self, WeftStore *store, const WeftBatch *batch,
                                guint16 *out, guint *n, GError **error);

G_END_DECLS
