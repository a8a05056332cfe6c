/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-metal-bitstream.h"

G_BEGIN_DECLS

/*
 * The metadata of a module: texts, constants, lists of others, and of debugging information what
 * leads from code to lines. Each has a number, from 0.
 */
typedef struct _WeftMetalMetadata WeftMetalMetadata;

/* Of references to metadata: none. */
#define WEFT_METAL_NO_METADATA G_MAXUINT

WeftMetalMetadata *weft_metal_metadata_new (void);
void weft_metal_metadata_free (WeftMetalMetadata *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftMetalMetadata, weft_metal_metadata_free)

/* A record of a METADATA block. What belongs to one function alone is forgotten by truncating. */
gboolean weft_metal_metadata_add (WeftMetalMetadata *self, const WeftMetalBits *bits,
                                  GError **error);
guint weft_metal_metadata_get_length (WeftMetalMetadata *self);
void weft_metal_metadata_truncate (WeftMetalMetadata *self, guint length);

/* NULL, -1 or WEFT_METAL_NO_METADATA where NUMBER is not what is asked for. */
char *weft_metal_metadata_dup_text (WeftMetalMetadata *self, guint number);
gboolean weft_metal_metadata_has_text (WeftMetalMetadata *self, guint number, const char *text);
gint64 weft_metal_metadata_get_value (WeftMetalMetadata *self, guint number);
gboolean weft_metal_metadata_is_list (WeftMetalMetadata *self, guint number);
guint weft_metal_metadata_get_n_items (WeftMetalMetadata *self, guint number);
guint weft_metal_metadata_get_item (WeftMetalMetadata *self, guint number, guint index);

/* The function that a scope is in, itself one or not. */
guint weft_metal_metadata_find_subprogram (WeftMetalMetadata *self, guint scope);
char *weft_metal_metadata_dup_path (WeftMetalMetadata *self, guint subprogram);
guint weft_metal_metadata_get_line (WeftMetalMetadata *self, guint subprogram);

/* Goes from a place that was inlined to where it was inlined into in the end. */
void weft_metal_metadata_leave_inlined (WeftMetalMetadata *self, guint inlined_at, guint *line,
                                        guint *scope);

/* Lists with a name: "air.kernel". */
guint weft_metal_metadata_get_n_named (WeftMetalMetadata *self);
const char *weft_metal_metadata_get_name (WeftMetalMetadata *self, guint index);
guint weft_metal_metadata_get_n_of_name (WeftMetalMetadata *self, guint index);
guint weft_metal_metadata_get_of_name (WeftMetalMetadata *self, guint index, guint item);

G_END_DECLS
