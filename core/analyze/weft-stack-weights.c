/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-stack-weights.h"

#include "weft-enum-types.h"
#include "weft-key-map.h"

typedef struct
{
  WeftCatalog *catalog;
  WeftStackRoot root;
  guint32 states;
  WeftKeyMap roots; /* id → number */
  WeftKeyMap keys;  /* (number of the root, node, state) → place in WEIGHTS */
  GArray *weights;  /* element type WeftStackWeight */
  guint32 last_thread;
  guint32 last_root;
} Reader;

/* Bits of a key. */
#define STATE 4
#define STATE_AND_NODE (31 + STATE)
G_STATIC_ASSERT (WEFT_N_STACK_STATES <= 1 << STATE);

static guint32
find_root (Reader *self, guint32 thread)
{
  const WeftCatalogThread *found;

  if (self->root == WEFT_STACK_ROOT_NONE)
    return 0;
  if (self->root == WEFT_STACK_ROOT_THREAD)
    return thread;
  if (thread != self->last_thread)
    {
      found = weft_catalog_get_thread (self->catalog, thread);
      self->last_thread = thread;
      self->last_root = found == NULL ? 0 : found->process;
    }
  return self->last_root;
}

static void
add (Reader *self, const WeftCpuRow *row, guint32 state, guint64 time)
{
  guint32 root = find_root (self, row->thread);
  /* A node takes 31 bits, and there are fewer roots than rows. */
  guint64 key = (guint64) weft_key_map_add (&self->roots, root, self->roots.n) << STATE_AND_NODE |
                (guint64) row->node << STATE | state;
  guint32 number = weft_key_map_add (&self->keys, key, self->weights->len);
  WeftStackWeight *weight;

  if (number == self->weights->len)
    g_array_append_vals (self->weights, &(WeftStackWeight){ root, row->node, state, 0, 0 }, 1);
  weight = &g_array_index (self->weights, WeftStackWeight, number);
  weight->count++;
  weight->time += time;
}

static void
take_sample (const WeftSampleRow *sample, gpointer data)
{
  add (data, &sample->row, WEFT_STACK_ON_CPU, sample->weight);
}

static void
take_wait (const WeftWaitRow *wait, gpointer data)
{
  Reader *self = data;
  guint reason =
      wait->row.reason < WEFT_N_WAIT_REASONS ? wait->row.reason : WEFT_WAIT_REASON_UNKNOWN;

  if (self->states >> WEFT_STACK_WAITS (reason) & 1)
    add (self, &wait->row, WEFT_STACK_WAITS (reason), wait->clipped);
}

static int
compare (gconstpointer a, gconstpointer b)
{
  const WeftStackWeight *weight_a = a;
  const WeftStackWeight *weight_b = b;

  if (weight_a->root != weight_b->root)
    return weight_a->root < weight_b->root ? -1 : 1;
  if (weight_a->node != weight_b->node)
    return weight_a->node < weight_b->node ? -1 : 1;
  return weight_a->state < weight_b->state ? -1 : weight_a->state > weight_b->state;
}

static void
reader_clear (Reader *self)
{
  weft_key_map_clear (&self->roots);
  weft_key_map_clear (&self->keys);
  g_clear_pointer (&self->weights, g_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Reader, reader_clear)

GArray *
weft_stack_weights_read (const WeftAnalysisScope *scope, const WeftCallchainReader *callchains,
                         WeftCatalog *catalog, const WeftCpuFilter *filter, WeftStackRoot root,
                         guint32 states, GError **error)
{
  g_auto (Reader) self = { .catalog = catalog, .root = root, .states = states };

  weft_key_map_init (&self.roots);
  weft_key_map_init (&self.keys);
  self.weights = g_array_new (FALSE, FALSE, sizeof (WeftStackWeight));
  if ((self.states & 1) &&
      !weft_stream_samples (scope, callchains, filter, take_sample, &self, error))
    return NULL;
  if ((self.states & WEFT_STACK_ALL_WAITS) &&
      !weft_stream_waits (scope, callchains, filter, take_wait, &self, error))
    return NULL;
  g_array_sort (self.weights, compare);
  return g_steal_pointer (&self.weights);
}

const char *
weft_stack_state_get_name (guint state)
{
  g_autoptr (GEnumClass) klass = NULL;
  const GEnumValue *value;

  if (state == WEFT_STACK_ON_CPU)
    return "on-cpu";
  klass = g_type_class_ref (WEFT_TYPE_WAIT_REASON);
  value = g_enum_get_value (klass, (int) state - 1);
  /* Texts of enumerations are there forever. */
  return value != NULL ? value->value_nick : NULL;
}
