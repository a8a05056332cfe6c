/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-expression.h"

G_BEGIN_DECLS

/*
 * An expression about rows of a table, by their ids. Only those chunks are evaluated that hold a
 * row that is asked for, whole and once. Any thread.
 */

/* EXPRESSION is bound and outlives it. */
WeftLookup *weft_lookup_new (WeftStore *store, WeftTableId table, const WeftExpression *expression,
                             GError **error);
void weft_lookup_free (WeftLookup *self);

/* Replaces the N ids in VECTOR by the expression's values; rows that do not exist have none. */
gboolean weft_lookup_resolve (WeftLookup *self, WeftVector *vector, guint n, GError **error);

G_END_DECLS
