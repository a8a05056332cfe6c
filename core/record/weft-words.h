/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "weft-store-writer.h"

G_BEGIN_DECLS

/*
 * The vocabulary that a recording keeps: rows of domains whose lane kinds turn up, and of those
 * that are kept in any case. On the thread that appends rows.
 */
typedef struct _WeftWords WeftWords;

/* The scope whose subjects are lane kinds, or patterns of them. */
#define WEFT_WORDS_SCOPE_KIND "kind"

WeftWords *weft_words_new (WeftStoreWriter *store);
void weft_words_free (WeftWords *self);

/* WORDS: a(sssss), rows of domain, scope, subject, key, text. ALWAYS: whatever lanes there are. */
void weft_words_add (WeftWords *self, GVariant *words, gboolean always);

/* A lane has this kind. */
void weft_words_see_kind (WeftWords *self, const char *kind);

G_END_DECLS
