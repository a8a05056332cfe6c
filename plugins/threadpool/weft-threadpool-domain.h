/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <weft.h>

G_BEGIN_DECLS

/* Words for thread pools, and what is to be asked about them. */
#define WEFT_THREADPOOL_TYPE_DOMAIN (weft_threadpool_domain_get_type ())
G_DECLARE_FINAL_TYPE (WeftThreadpoolDomain, weft_threadpool_domain, WEFT_THREADPOOL, DOMAIN,
                      GObject)

WeftDomain *weft_threadpool_domain_new (void);

G_END_DECLS
