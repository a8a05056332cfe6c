/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-query.h"

G_BEGIN_DECLS

/* Only rows behind row NUMBER, in the order of arrival; for questions that neither group nor order.
 * Chunks of earlier rows are not looked at.
 */
void weft_query_set_after (WeftQuery *self, guint64 number);

G_END_DECLS
