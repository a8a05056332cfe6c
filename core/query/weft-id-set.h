/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-numbering.h"

G_BEGIN_DECLS

/* A bit for each row of a table, by id. */
typedef struct
{
  guint64 base;
  guint64 n;
  guint64 *words;
} WeftIdSet;

WeftIdSet *weft_id_set_new (WeftStore *store, WeftTableId table, GError **error);
/* Of small numbers: bit N of BITS. */
WeftIdSet *weft_id_set_new_bits (guint64 bits);
void weft_id_set_free (WeftIdSet *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftIdSet, weft_id_set_free)

/* Whether any of the N ids from FIRST on is in it. */
gboolean weft_id_set_has_any (const WeftIdSet *self, guint64 first, guint64 n);

static inline gboolean
weft_id_set_has (const WeftIdSet *self, guint64 id)
{
  guint64 place = id - self->base;

  return place < self->n && (self->words[place / 64] >> (place % 64) & 1);
}

/* Any thread. */
static inline void
weft_id_set_add (WeftIdSet *self, guint64 id)
{
  guint64 place = id - self->base;
  guint64 bit = G_GUINT64_CONSTANT (1) << (place % 64);

  if (place < self->n && !(__atomic_load_n (&self->words[place / 64], __ATOMIC_RELAXED) & bit))
    __atomic_fetch_or (&self->words[place / 64], bit, __ATOMIC_RELAXED);
}

G_END_DECLS
