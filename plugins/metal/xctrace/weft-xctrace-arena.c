/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-xctrace-arena.h"

#include <string.h>

#define BLOCK_SIZE 65536
#define ALIGNMENT sizeof (guint64)

struct _WeftXctraceArena
{
  GPtrArray *blocks; /* the first has BLOCK_SIZE bytes, the last is being filled */
  gsize room;        /* of the last */
  gsize used;        /* of the last */
  gsize size;
};

static void
add_block (WeftXctraceArena *self, gsize room)
{
  g_ptr_array_add (self->blocks, g_malloc (room));
  self->room = room;
  self->used = 0;
}

WeftXctraceArena *
weft_xctrace_arena_new (void)
{
  WeftXctraceArena *self = g_new0 (WeftXctraceArena, 1);

  self->blocks = g_ptr_array_new_with_free_func (g_free);
  add_block (self, BLOCK_SIZE);
  return self;
}

void
weft_xctrace_arena_free (WeftXctraceArena *self)
{
  g_ptr_array_unref (self->blocks);
  g_free (self);
}

gpointer
weft_xctrace_arena_alloc (WeftXctraceArena *self, gsize size)
{
  gsize wanted = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  char *place;

  if (self->room - self->used < wanted)
    add_block (self, MAX (wanted, BLOCK_SIZE));
  place = (char *) g_ptr_array_index (self->blocks, self->blocks->len - 1) + self->used;
  self->used += wanted;
  self->size += wanted;
  return memset (place, 0, wanted);
}

char *
weft_xctrace_arena_strndup (WeftXctraceArena *self, const char *text, gsize length)
{
  char *copy = weft_xctrace_arena_alloc (self, length + 1);

  memcpy (copy, text, length);
  return copy;
}

void
weft_xctrace_arena_clear (WeftXctraceArena *self)
{
  g_ptr_array_set_size (self->blocks, 1);
  self->room = BLOCK_SIZE;
  self->used = 0;
  self->size = 0;
}

gsize
weft_xctrace_arena_get_size (const WeftXctraceArena *self)
{
  return self->size;
}
