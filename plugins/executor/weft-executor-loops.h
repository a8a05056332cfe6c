/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <weft.h>

G_BEGIN_DECLS

/* Of lanes of kind executor.context, if there are any. */
void weft_executor_check_loops (WeftInquiry *inquiry);

G_END_DECLS
