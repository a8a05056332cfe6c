/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <weft.h>

G_BEGIN_DECLS

/* What the importers of this plugin have in common: rows of recordings, made and read. */

/* Fields of a row by name; those that are none are left out. */
void weft_metal_row_set_text (GVariantDict *row, const char *field, const char *text);
void weft_metal_row_set_id (GVariantDict *row, const char *field, guint64 id);
void weft_metal_row_set_number (GVariantDict *row, const char *field, guint64 number);

/* Adds ROW and clears it. Its number, or 0 with an error. */
guint64 weft_metal_row_add (WeftRecordingBuilder *builder, const char *table, GVariantDict *row,
                            GError **error);

/* A tag of a row of a table; of NULL, none. */
gboolean weft_metal_row_add_tag (WeftRecordingBuilder *builder, const char *table, guint64 owner,
                                 const char *key, const char *text, GError **error);

/* All rows of a table, of the FIELDS named with blanks between them. */
WeftTable *weft_metal_rows_read (WeftRecording *recording, const char *table, const char *fields,
                                 GCancellable *cancellable, GError **error);

/* The number of a table, as tags tell it. */
guint weft_metal_rows_find_table (const char *table);

/* Texts of the tags KEY of rows of a table: guint64* row to char*. */
GHashTable *weft_metal_rows_read_tags (WeftRecording *recording, const char *table, const char *key,
                                       GCancellable *cancellable, GError **error);

/* Copies all tables but those of EXCEPT, which ends with NULL. */
gboolean weft_metal_rows_copy (WeftRecordingBuilder *builder, WeftRecording *recording,
                               const char *const *except, GCancellable *cancellable,
                               GError **error);

G_END_DECLS
