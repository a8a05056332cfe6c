/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-key-map.h"

#define FIRST_BITS 6

static guint
place_of (guint64 key, guint n_bits)
{
  /* The top bits of the product depend on all bits of the key. */
  key ^= key >> 32;
  return (guint) ((key * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15)) >> (64 - n_bits));
}

void
weft_key_map_init (WeftKeyMap *self)
{
  self->n = 0;
  self->n_bits = FIRST_BITS;
  self->keys = g_new (guint64, 1u << FIRST_BITS);
  self->values = g_new0 (guint32, 1u << FIRST_BITS);
}

void
weft_key_map_clear (WeftKeyMap *self)
{
  g_clear_pointer (&self->keys, g_free);
  g_clear_pointer (&self->values, g_free);
}

/* Where KEY is, or the free place where it belongs. */
static guint
find_place (const WeftKeyMap *self, guint64 key)
{
  guint mask = (1u << self->n_bits) - 1;
  guint place = place_of (key, self->n_bits);

  while (self->values[place] != 0 && self->keys[place] != key)
    place = (place + 1) & mask;
  return place;
}

static void
grow (WeftKeyMap *self)
{
  g_autofree guint64 *keys = self->keys;
  g_autofree guint32 *values = self->values;
  guint n = 1u << self->n_bits;

  self->n_bits++;
  self->keys = g_new (guint64, (gsize) n * 2);
  self->values = g_new0 (guint32, (gsize) n * 2);
  for (guint i = 0; i < n; i++)
    if (values[i] != 0)
      {
        guint place = find_place (self, keys[i]);

        self->keys[place] = keys[i];
        self->values[place] = values[i];
      }
}

guint32
weft_key_map_add (WeftKeyMap *self, guint64 key, guint32 value)
{
  guint place = find_place (self, key);

  if (self->values[place] != 0)
    return self->values[place] - 1;
  if (self->n >= (1u << self->n_bits) / 4 * 3)
    {
      grow (self);
      place = find_place (self, key);
    }
  self->keys[place] = key;
  self->values[place] = value + 1;
  self->n++;
  return value;
}

gboolean
weft_key_map_find (const WeftKeyMap *self, guint64 key, guint32 *value)
{
  guint place = find_place (self, key);

  if (self->values[place] == 0)
    return FALSE;
  *value = self->values[place] - 1;
  return TRUE;
}
