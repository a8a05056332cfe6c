/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Numbers equal byte strings alike, densely from 1. What is forgotten gets a new number when it
 * comes again; no number is given twice.
 */
typedef struct _WeftStringDictionary WeftStringDictionary;

WeftStringDictionary *weft_string_dictionary_new (void);
void weft_string_dictionary_free (WeftStringDictionary *self);

/* ADDED tells whether TEXT was not known. */
guint32 weft_string_dictionary_add (WeftStringDictionary *self, const char *text, gsize length,
                                    gboolean *added);

/* From here on strings are in use anew; returns the number of the generation. */
guint32 weft_string_dictionary_begin_generation (WeftStringDictionary *self);

/* Forgets the strings that were not added since GENERATION began and that KEEPS says no of. */
typedef gboolean (*WeftKeepsString) (guint32 id, gpointer data);
void weft_string_dictionary_forget (WeftStringDictionary *self, guint32 generation,
                                    WeftKeepsString keeps, gpointer data);

/* Bytes of memory, about. */
gsize weft_string_dictionary_get_size (WeftStringDictionary *self);

G_END_DECLS
