/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-id-set.h"

WeftIdSet *
weft_id_set_new (WeftStore *store, WeftTableId table, GError **error)
{
  g_autoptr (WeftNumbering) numbering = weft_numbering_new (store, table, error);
  WeftIdSet *self;
  guint64 base, n;

  if (numbering == NULL || !weft_numbering_get_span (numbering, &base, &n, error))
    return NULL;
  self = g_new0 (WeftIdSet, 1);
  self->base = base;
  self->n = n;
  self->words = g_new0 (guint64, n / 64 + 1);
  return self;
}

WeftIdSet *
weft_id_set_new_bits (guint64 bits)
{
  WeftIdSet *self = g_new0 (WeftIdSet, 1);

  self->n = 64;
  self->words = g_memdup2 (&bits, sizeof bits);
  return self;
}

void
weft_id_set_free (WeftIdSet *self)
{
  g_free (self->words);
  g_free (self);
}

gboolean
weft_id_set_has_any (const WeftIdSet *self, guint64 first, guint64 n)
{
  guint64 begin = first > self->base ? first - self->base : 0;
  guint64 end = first + n > self->base ? MIN (first + n - self->base, self->n) : 0;

  for (guint64 place = begin; place < end;)
    {
      guint64 word = self->words[place / 64] >> (place % 64);
      guint64 left = end - place;

      if (left < 64 && (word & ((G_GUINT64_CONSTANT (1) << left) - 1)) != 0)
        return TRUE;
      if (left >= 64 && word != 0)
        return TRUE;
      place = (place / 64 + 1) * 64;
    }
  return FALSE;
}
