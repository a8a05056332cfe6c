/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <weft.h>

G_BEGIN_DECLS

/* Tags and gauges that come from Instruments' tables. */
void weft_xctrace_add_words (WeftVocabulary *words);

G_END_DECLS
