/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Numbers by keys of 64 bits: what trees find the children of a node by, and sums what they are of.
 * Takes 12 bytes an entry and no allocation for each.
 */
typedef struct
{
  guint64 *keys;
  guint32 *values; /* + 1; 0 is free */
  guint n_bits;    /* room for 2^N_BITS, of which at most three in four are taken */
  guint n;
} WeftKeyMap;

void weft_key_map_init (WeftKeyMap *self);
void weft_key_map_clear (WeftKeyMap *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WeftKeyMap, weft_key_map_clear)

/* The value of KEY; where it has none it gets VALUE, which is below G_MAXUINT32 and is returned. */
guint32 weft_key_map_add (WeftKeyMap *self, guint64 key, guint32 value);
gboolean weft_key_map_find (const WeftKeyMap *self, guint64 key, guint32 *value);

G_END_DECLS
