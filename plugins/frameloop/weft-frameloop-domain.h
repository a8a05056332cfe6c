/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <weft.h>

G_BEGIN_DECLS

#define WEFT_FRAMELOOP_TYPE_DOMAIN (weft_frameloop_domain_get_type ())
G_DECLARE_FINAL_TYPE (WeftFrameloopDomain, weft_frameloop_domain, WEFT_FRAMELOOP, DOMAIN, GObject)

/* The words of frame loops, and what is looked for in a recording of some. */
WeftDomain *weft_frameloop_domain_new (void);

G_END_DECLS
