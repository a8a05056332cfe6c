/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who queued and waited for what, as origins tell, until the dispatches are classified. */

#include "weft-enums.h"
#include "weft-linker-private.h"

static guint
hash_key (gconstpointer key)
{
  const WeftLinkerKey *self = key;

  return (guint) ((self->id * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15)) >> 32) ^
         (guint) self->space * 0x85ebca6bu;
}

static gboolean
equal_keys (gconstpointer a, gconstpointer b)
{
  const WeftLinkerKey *left = a;
  const WeftLinkerKey *right = b;

  return left->space == right->space && left->id == right->id;
}

static void
object_free (gpointer data)
{
  WeftLinkerObject *self = data;

  g_array_unref (self->evidence);
  g_free (self);
}

void
weft_linker_evidence_init (WeftLinker *self)
{
  self->objects = g_hash_table_new_full (hash_key, equal_keys, NULL, object_free);
}

void
weft_linker_evidence_clear (WeftLinker *self)
{
  g_hash_table_unref (self->objects);
}

static WeftLinkerObject *
find_object (WeftLinker *self, const WeftLinkerKey *key)
{
  return g_hash_table_lookup (self->objects, key);
}

static void
drop_object (WeftLinker *self, WeftLinkerObject *object)
{
  g_queue_unlink (&self->object_order, &object->link);
  g_hash_table_remove (self->objects, &object->key);
}

static WeftLinkerObject *
get_object (WeftLinker *self, const WeftLinkerKey *key)
{
  WeftLinkerObject *object = find_object (self, key);

  if (object != NULL)
    return object;
  if (self->object_order.length >= MAX_OBJECTS)
    drop_object (self, g_queue_peek_head (&self->object_order));
  object = g_new0 (WeftLinkerObject, 1);
  object->key = *key;
  object->evidence = g_array_sized_new (FALSE, FALSE, sizeof (WeftLinkerEvidence), 4);
  object->link.data = object;
  g_queue_push_tail_link (&self->object_order, &object->link);
  g_hash_table_add (self->objects, object);
  return object;
}

static gboolean
key_of (const WeftLinkerOrigin *origin, WeftLinkerKey *key)
{
  if (origin->dispatch != 0)
    *key = (WeftLinkerKey){ WEFT_LINKER_DISPATCHES, origin->dispatch };
  else if (origin->producer_dispatch != 0)
    *key = (WeftLinkerKey){ WEFT_LINKER_PRODUCERS + origin->runtime, origin->producer_dispatch };
  else
    *key = (WeftLinkerKey){ WEFT_LINKER_SUBMISSIONS, origin->submission };
  return key->id != 0;
}

/* Of one object that has more than anybody needs, the latest. */
static void
add_evidence (WeftLinkerObject *object, const WeftLinkerEvidence *evidence)
{
  if (object->evidence->len >= MAX_EVIDENCE)
    g_array_remove_index (object->evidence, 0);
  g_array_append_val (object->evidence, *evidence);
}

void
weft_linker_add_evidence (WeftLinker *self, const WeftLinkerOrigin *origin, guint64 thread)
{
  WeftLinkerEvidence evidence = {
    .origin = origin->origin, .thread = thread, .time = origin->time, .role = origin->role
  };
  WeftLinkerKey key;

  if (origin->role < WEFT_ORIGIN_ROLE_FAULT + 1 && key_of (origin, &key))
    add_evidence (get_object (self, &key), &evidence);
}

static gboolean
set_evidence (WeftLinkerObject *object, guint64 origin, guint64 thread, guint64 callchain,
              gboolean by_sample)
{
  for (guint i = object == NULL ? 0 : object->evidence->len; i-- > 0;)
    {
      WeftLinkerEvidence *evidence = &g_array_index (object->evidence, WeftLinkerEvidence, i);

      if (evidence->origin != origin)
        continue;
      evidence->thread = thread;
      evidence->callchain = callchain;
      evidence->linked = TRUE;
      evidence->by_sample = by_sample;
      return TRUE;
    }
  return FALSE;
}

void
weft_linker_set_evidence (WeftLinker *self, const WeftLinkerOrigin *origin, guint64 thread,
                          guint64 callchain, gboolean by_sample)
{
  WeftLinkerKey key;

  if (key_of (origin, &key))
    set_evidence (find_object (self, &key), origin->origin, thread, callchain, by_sample);
}

const GArray *
weft_linker_get_evidence (WeftLinker *self, guint64 space, guint64 id)
{
  const WeftLinkerKey key = { space, id };
  const WeftLinkerObject *object =
      id != 0 && self->object_order.length > 0 ? find_object (self, &key) : NULL;

  return object != NULL ? object->evidence : NULL;
}

void
weft_linker_drop_evidence (WeftLinker *self, guint64 space, guint64 id)
{
  const WeftLinkerKey key = { space, id };
  WeftLinkerObject *object = find_object (self, &key);

  if (object != NULL)
    drop_object (self, object);
}
