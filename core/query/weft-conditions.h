/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-plan.h"

G_BEGIN_DECLS

/* What the filter and the range of a question demand of rows; NULL: nothing. Conditions on rows of
 * other tables are answered here, by one scan of each.
 */
gboolean weft_conditions_compile (const WeftQuestion *question, WeftRun *run,
                                  WeftPredicate **predicate, GError **error);

G_END_DECLS
