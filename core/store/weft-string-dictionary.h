/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Numbers equal byte strings alike, densely from 1. */
typedef struct _WeftStringDictionary WeftStringDictionary;

WeftStringDictionary *weft_string_dictionary_new (void);
void weft_string_dictionary_free (WeftStringDictionary *self);

/* ADDED tells whether TEXT was not known. */
guint32 weft_string_dictionary_add (WeftStringDictionary *self, const char *text, gsize length,
                                    gboolean *added);

G_END_DECLS
