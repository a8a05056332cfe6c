/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-predicate.h"
#include "weft-run.h"

G_BEGIN_DECLS

/* How rows of one table have to do with rows of another. */

/* The row of TARGET that a row of TABLE is of, by the fewest references; NULL if there is none. */
WeftExpression *weft_relation_find (WeftTableId table, WeftTableId target);

/* The rows of OF that EXPRESSION, about rows of TABLE that fit PREDICATE, names. */
WeftIdSet *weft_relation_collect (WeftRun *run, WeftTableId table, WeftPredicate *predicate,
                                  WeftExpression *expression, WeftTableId of, GError **error);

/* The condition on rows of TABLE that the row of TARGET they are of, or any that is of them, fits
 * PREDICATE. Takes PREDICATE. Fails with WEFT_ERROR_INVALID_FILTER where they have nothing to do
 * with each other; ABOUT is what was asked for.
 */
WeftPredicate *weft_relation_carry (WeftRun *run, WeftTableId table, WeftTableId target,
                                    WeftPredicate *predicate, const char *about, GError **error);

/* Conditions on texts of rows that others refer to, such as names of routines, become sets of these
 * rows: each text is looked at once. SELF is not bound yet.
 */
gboolean weft_relation_narrow (WeftRun *run, WeftPredicate *self, GError **error);

G_END_DECLS
