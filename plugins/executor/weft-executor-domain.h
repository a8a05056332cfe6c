/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <weft.h>

G_BEGIN_DECLS

/* Words for task runtimes, what is derived from their metrics, and checks of what they did. */
#define WEFT_EXECUTOR_TYPE_DOMAIN (weft_executor_domain_get_type ())
G_DECLARE_FINAL_TYPE (WeftExecutorDomain, weft_executor_domain, WEFT_EXECUTOR, DOMAIN, GObject)

WeftDomain *weft_executor_domain_new (void);

G_END_DECLS
