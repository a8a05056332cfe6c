/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-predicate.h"
#include "weft-query.h"

G_BEGIN_DECLS

/* Only rows behind row NUMBER, in the order of arrival; for questions that neither group nor order.
 * Chunks of earlier rows are not looked at.
 */
void weft_query_set_after (WeftQuery *self, guint64 number);

/* Answers by one view of a recording; of the rows that fit CONDITION, too, which is taken, not
 * bound, and may be NULL.
 */
WeftTable *weft_query_run_on (WeftQuery *self, WeftStore *store, WeftPredicate *condition,
                              GCancellable *cancellable, GError **error);

G_END_DECLS
