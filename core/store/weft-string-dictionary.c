/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-string-dictionary.h"

#include <string.h>

#define ARENA_SIZE 65536

typedef struct
{
  guint32 hash;
  guint32 place; /* of the entry, from 1; 0: free */
} Slot;

typedef struct
{
  const char *text;
  gsize length;
  guint32 id;
  guint32 generation; /* that it was added in last */
} Entry;

struct _WeftStringDictionary
{
  Slot *slots; /* open addressing, at most half full */
  guint mask;
  GArray *entries; /* Entry */
  guint32 last_id;
  guint32 generation;
  gsize size;
  GPtrArray *arenas;
  char *arena;
  gsize arena_left;
};

WeftStringDictionary *
weft_string_dictionary_new (void)
{
  WeftStringDictionary *self = g_new0 (WeftStringDictionary, 1);

  self->mask = 1023;
  self->slots = g_new0 (Slot, self->mask + 1);
  self->entries = g_array_new (FALSE, FALSE, sizeof (Entry));
  self->arenas = g_ptr_array_new_with_free_func (g_free);
  return self;
}

void
weft_string_dictionary_free (WeftStringDictionary *self)
{
  g_free (self->slots);
  g_array_unref (self->entries);
  g_ptr_array_unref (self->arenas);
  g_free (self);
}

static guint32
hash_bytes (const char *text, gsize length)
{
  guint64 hash = length * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);

  for (; length >= 8; text += 8, length -= 8)
    {
      guint64 word;

      memcpy (&word, text, 8);
      hash = (hash ^ word) * G_GUINT64_CONSTANT (0xff51afd7ed558ccd);
      hash ^= hash >> 32;
    }
  for (; length > 0; text++, length--)
    hash = (hash ^ (guint8) *text) * G_GUINT64_CONSTANT (0x100000001b3);

  hash ^= hash >> 29;
  hash *= G_GUINT64_CONSTANT (0xc4ceb9fe1a85ec53);
  return (guint32) (hash >> 32);
}

static const char *
keep (WeftStringDictionary *self, const char *text, gsize length)
{
  char *kept;

  if (length > self->arena_left)
    {
      self->arena_left = MAX (length, ARENA_SIZE);
      self->arena = g_malloc (self->arena_left);
      g_ptr_array_add (self->arenas, self->arena);
    }

  kept = self->arena;
  memcpy (kept, text, length);
  self->arena += length;
  self->arena_left -= length;
  return kept;
}

static void
insert (WeftStringDictionary *self, Slot entry)
{
  guint slot = entry.hash & self->mask;

  while (self->slots[slot].place != 0)
    slot = (slot + 1) & self->mask;
  self->slots[slot] = entry;
}

static void
grow (WeftStringDictionary *self)
{
  guint old_mask = self->mask;
  g_autofree Slot *old = g_steal_pointer (&self->slots);

  self->mask = old_mask * 2 + 1;
  self->slots = g_new0 (Slot, self->mask + 1);
  for (guint i = 0; i <= old_mask; i++)
    if (old[i].place != 0)
      insert (self, old[i]);
}

static gboolean
holds (WeftStringDictionary *self, const Slot *slot, guint32 hash, const char *text, gsize length)
{
  const Entry *entry;

  if (slot->hash != hash)
    return FALSE;
  entry = &g_array_index (self->entries, Entry, slot->place - 1);
  return entry->length == length && memcmp (entry->text, text, length) == 0;
}

guint32
weft_string_dictionary_add (WeftStringDictionary *self, const char *text, gsize length,
                            gboolean *added)
{
  guint32 hash = hash_bytes (text, length);
  guint slot = hash & self->mask;
  Entry entry = { NULL, length, 0, self->generation };

  *added = FALSE;
  for (; self->slots[slot].place != 0; slot = (slot + 1) & self->mask)
    if (holds (self, &self->slots[slot], hash, text, length))
      {
        Entry *known = &g_array_index (self->entries, Entry, self->slots[slot].place - 1);

        known->generation = self->generation;
        return known->id;
      }

  *added = TRUE;
  entry.text = keep (self, text, length);
  entry.id = ++self->last_id;
  self->size += length;
  g_array_append_val (self->entries, entry);
  self->slots[slot].hash = hash;
  self->slots[slot].place = self->entries->len;
  if (self->entries->len > self->mask / 2)
    grow (self);
  return entry.id;
}

guint32
weft_string_dictionary_begin_generation (WeftStringDictionary *self)
{
  return ++self->generation;
}

void
weft_string_dictionary_forget (WeftStringDictionary *self, guint32 generation,
                               WeftKeepsString keeps, gpointer data)
{
  g_autoptr (GArray) entries = g_steal_pointer (&self->entries);
  g_autoptr (GPtrArray) arenas = g_steal_pointer (&self->arenas);

  g_free (self->slots);
  self->mask = 1023;
  self->slots = g_new0 (Slot, self->mask + 1);
  self->entries = g_array_new (FALSE, FALSE, sizeof (Entry));
  self->arenas = g_ptr_array_new_with_free_func (g_free);
  self->arena_left = 0;
  self->size = 0;
  for (guint i = 0; i < entries->len; i++)
    {
      Entry entry = g_array_index (entries, Entry, i);
      Slot slot = { hash_bytes (entry.text, entry.length), 0 };

      if (entry.generation < generation && !keeps (entry.id, data))
        continue;
      entry.text = keep (self, entry.text, entry.length);
      self->size += entry.length;
      g_array_append_val (self->entries, entry);
      slot.place = self->entries->len;
      insert (self, slot);
      if (self->entries->len > self->mask / 2)
        grow (self);
    }
}

gsize
weft_string_dictionary_get_size (WeftStringDictionary *self)
{
  return self->size + self->entries->len * (sizeof (Entry) + 2 * sizeof (Slot));
}
