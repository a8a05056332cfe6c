/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <weft.h>

G_BEGIN_DECLS

#define WEFT_METAL_TYPE_DOMAIN (weft_metal_domain_get_type ())
G_DECLARE_FINAL_TYPE (WeftMetalDomain, weft_metal_domain, WEFT_METAL, DOMAIN, GObject)

WeftDomain *weft_metal_domain_new (void);

G_END_DECLS
