/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <weft.h>

G_BEGIN_DECLS

#define WEFT_CODEC_TYPE_DOMAIN (weft_codec_domain_get_type ())
G_DECLARE_FINAL_TYPE (WeftCodecDomain, weft_codec_domain, WEFT_CODEC, DOMAIN, GObject)

/* The words of media pipelines, and what is looked for in a recording of some. */
WeftDomain *weft_codec_domain_new (void);

G_END_DECLS
