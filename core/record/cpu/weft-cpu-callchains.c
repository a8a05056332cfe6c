/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-cpu-callchains.h"

#define FIRST_SLOTS 4096u
#define MAX_ENTRIES (1u << 28)

typedef struct
{
  guint64 offset;
  guint32 module;
  guint32 flags; /* and, above the lowest 8 bits, the module's generation */
} Frame;

typedef struct
{
  guint32 parent;
  guint32 frame;
  guint32 depth;
} Callchain;

/* Open addressing over numbers of entries; 0 is a free slot. */
typedef struct
{
  guint32 *slots;
  guint32 mask;
} Index;

struct _WeftCpuCallchains
{
  GArray *frames;     /* element-type Frame; id - 1 - forgotten */
  GArray *callchains; /* element-type Callchain; likewise */
  guint32 forgotten_frames;
  guint32 forgotten_callchains;
  Index frame_index;
  Index callchain_index;
};

static void
index_init (Index *self)
{
  self->mask = FIRST_SLOTS - 1;
  self->slots = g_new0 (guint32, FIRST_SLOTS);
}

static guint32
mix (guint64 a, guint64 b)
{
  guint64 hash = a * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15) + b;

  hash ^= hash >> 32;
  hash *= G_GUINT64_CONSTANT (0xd6e8feb86659fd93);
  return (guint32) (hash >> 32);
}

static guint32
hash_frame (const Frame *frame)
{
  return mix (frame->offset, (guint64) frame->module << 8 | frame->flags);
}

static guint32
hash_callchain (const Callchain *callchain)
{
  return mix (callchain->parent, callchain->frame);
}

WeftCpuCallchains *
weft_cpu_callchains_new (void)
{
  WeftCpuCallchains *self = g_new0 (WeftCpuCallchains, 1);

  self->frames = g_array_new (FALSE, FALSE, sizeof (Frame));
  self->callchains = g_array_new (FALSE, FALSE, sizeof (Callchain));
  index_init (&self->frame_index);
  index_init (&self->callchain_index);
  return self;
}

void
weft_cpu_callchains_free (WeftCpuCallchains *self)
{
  g_array_unref (self->frames);
  g_array_unref (self->callchains);
  g_free (self->frame_index.slots);
  g_free (self->callchain_index.slots);
  g_free (self);
}

static void
insert (Index *index, guint32 hash, guint32 id)
{
  guint32 at = hash & index->mask;

  while (index->slots[at] != 0)
    at = (at + 1) & index->mask;
  index->slots[at] = id;
}

/* Doubles the slots, into which the caller puts all entries anew; FALSE if there is room yet. */
static gboolean
grow (Index *index, guint n_entries)
{
  if (n_entries <= index->mask / 2)
    return FALSE;
  index->mask = index->mask * 2 + 1;
  g_free (index->slots);
  index->slots = g_new0 (guint32, (gsize) index->mask + 1);
  return TRUE;
}

guint32
weft_cpu_callchains_add_frame (WeftCpuCallchains *self, WeftCodeModule *module, guint64 offset,
                               guint flags, gboolean *is_new)
{
  Frame added = { .offset = offset, .flags = flags };
  guint32 hash;

  /* Where code took the place of other code, a frame there is another one from then on. */
  if (module != NULL)
    {
      added.module = weft_code_module_get_number (module);
      added.flags |= weft_code_module_get_generation (module) << 8;
    }
  hash = hash_frame (&added);
  *is_new = FALSE;
  for (guint32 at = hash & self->frame_index.mask; self->frame_index.slots[at] != 0;
       at = (at + 1) & self->frame_index.mask)
    {
      const Frame *frame = &g_array_index (self->frames, Frame, self->frame_index.slots[at] - 1);

      if (frame->offset == offset && frame->module == added.module && frame->flags == added.flags)
        return self->forgotten_frames + self->frame_index.slots[at];
    }
  if (weft_cpu_callchains_get_n_frames (self) >= MAX_ENTRIES)
    return 0;
  *is_new = TRUE;
  g_array_append_val (self->frames, added);
  if (grow (&self->frame_index, self->frames->len))
    {
      for (guint i = 0; i < self->frames->len; i++)
        insert (&self->frame_index, hash_frame (&g_array_index (self->frames, Frame, i)), i + 1);
    }
  else
    insert (&self->frame_index, hash, self->frames->len);
  return self->forgotten_frames + self->frames->len;
}

guint32
weft_cpu_callchains_add (WeftCpuCallchains *self, guint32 parent, guint32 frame, gboolean *is_new)
{
  Callchain added = { parent, frame, weft_cpu_callchains_get_depth (self, parent) + 1 };
  guint32 hash = hash_callchain (&added);
  Index *index = &self->callchain_index;

  *is_new = FALSE;
  for (guint32 at = hash & index->mask; index->slots[at] != 0; at = (at + 1) & index->mask)
    {
      const Callchain *callchain =
          &g_array_index (self->callchains, Callchain, index->slots[at] - 1);

      if (callchain->parent == parent && callchain->frame == frame)
        return self->forgotten_callchains + index->slots[at];
    }
  if (weft_cpu_callchains_get_n_callchains (self) >= MAX_ENTRIES)
    return 0;
  *is_new = TRUE;
  g_array_append_val (self->callchains, added);
  if (grow (index, self->callchains->len))
    {
      for (guint i = 0; i < self->callchains->len; i++)
        insert (index, hash_callchain (&g_array_index (self->callchains, Callchain, i)), i + 1);
    }
  else
    insert (index, hash, self->callchains->len);
  return self->forgotten_callchains + self->callchains->len;
}

/* NULL of one that is forgotten, and of none. */
static const Callchain *
find_callchain (const WeftCpuCallchains *self, guint32 callchain)
{
  guint32 place = callchain - self->forgotten_callchains - 1;

  return callchain > self->forgotten_callchains && place < self->callchains->len
             ? &g_array_index (self->callchains, Callchain, place)
             : NULL;
}

guint32
weft_cpu_callchains_get_depth (const WeftCpuCallchains *self, guint32 callchain)
{
  const Callchain *found = find_callchain (self, callchain);

  return found ? found->depth : 0;
}

guint32
weft_cpu_callchains_get_parent (const WeftCpuCallchains *self, guint32 callchain)
{
  const Callchain *found = find_callchain (self, callchain);

  return found ? found->parent : 0;
}

guint32
weft_cpu_callchains_get_frame (const WeftCpuCallchains *self, guint32 callchain)
{
  const Callchain *found = find_callchain (self, callchain);

  return found ? found->frame : 0;
}

guint32
weft_cpu_callchains_get_n_frames (const WeftCpuCallchains *self)
{
  return self->forgotten_frames + self->frames->len;
}

guint32
weft_cpu_callchains_get_n_callchains (const WeftCpuCallchains *self)
{
  return self->forgotten_callchains + self->callchains->len;
}

guint32
weft_cpu_callchains_get_n_held (const WeftCpuCallchains *self)
{
  return self->callchains->len;
}

static void
index_reset (Index *self)
{
  g_free (self->slots);
  index_init (self);
}

void
weft_cpu_callchains_forget (WeftCpuCallchains *self)
{
  self->forgotten_frames = weft_cpu_callchains_get_n_frames (self);
  self->forgotten_callchains = weft_cpu_callchains_get_n_callchains (self);
  g_array_set_size (self->frames, 0);
  g_array_set_size (self->callchains, 0);
  index_reset (&self->frame_index);
  index_reset (&self->callchain_index);
}
