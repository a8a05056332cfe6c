/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-analysis-private.h"

G_BEGIN_DECLS

/* Names that a person wrote: "main", "std::*", "~alloc" (a part of it), "/^_Z/" (a regular
 * expression). Blanks, commas and parentheses are nothing special, for names of functions have
 * them.
 */
typedef struct _WeftNamePatterns WeftNamePatterns;

/* TEXTS may be NULL. Fails with WEFT_ERROR_INVALID_QUERY. */
WeftNamePatterns *weft_name_patterns_new (const char *const *texts, GError **error);
void weft_name_patterns_free (WeftNamePatterns *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftNamePatterns, weft_name_patterns_free)

gboolean weft_name_patterns_is_empty (const WeftNamePatterns *self);

/* Whether NAME fits any of them, in MATCHES. FALSE with an error where one takes too many steps. */
gboolean weft_name_patterns_match (const WeftNamePatterns *self, const char *name,
                                   gboolean *matches, GError **error);

G_END_DECLS
