/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-callchain-reader.h"

#include "weft-row-scan.h"

/* ---- Numbers without gaps ---- */

typedef struct
{
  guint64 id;     /* of the first row */
  guint32 number; /* of the same */
} Run;

void
weft_dense_rows_init (WeftDenseRows *self)
{
  self->runs = g_array_new (FALSE, FALSE, sizeof (Run));
  self->n_rows = 0;
}

void
weft_dense_rows_clear (WeftDenseRows *self)
{
  g_clear_pointer (&self->runs, g_array_unref);
}

static const Run *
get_run (const WeftDenseRows *self, guint i)
{
  return &g_array_index (self->runs, Run, i);
}

guint32
weft_dense_rows_add (WeftDenseRows *self, guint64 id)
{
  const Run *last = self->runs->len > 0 ? get_run (self, self->runs->len - 1) : NULL;

  if (self->n_rows >= G_MAXINT32)
    return 0;
  self->n_rows++;
  if (last == NULL || last->id + (self->n_rows - last->number) != id)
    g_array_append_vals (self->runs, &(Run){ id, self->n_rows }, 1);
  return self->n_rows;
}

guint32
weft_dense_rows_find (const WeftDenseRows *self, guint64 id)
{
  guint low = 0;
  guint high = self->runs->len;
  guint32 end;
  guint64 number;

  /* The last run that begins at ID or before. */
  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (get_run (self, middle)->id <= id)
        low = middle + 1;
      else
        high = middle;
    }
  if (low == 0)
    return 0;
  number = id - get_run (self, low - 1)->id + get_run (self, low - 1)->number;
  end = low < self->runs->len ? get_run (self, low)->number : self->n_rows + 1;
  return number < end ? (guint32) number : 0;
}

guint64
weft_dense_rows_get_id (const WeftDenseRows *self, guint32 number)
{
  for (guint i = self->runs->len; i-- > 0;)
    if (get_run (self, i)->number <= number)
      return get_run (self, i)->id + (number - get_run (self, i)->number);
  return 0;
}

/* ---- Stacks ---- */

typedef struct
{
  guint32 parent;
  guint32 frame;
  guint32 depth;
} Node;

struct _WeftCallchainReader
{
  WeftDenseRows nodes;
  WeftDenseRows frames;
  GArray *stacks; /* element type Node; the first is none */
};

static void
take_frame (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  WeftCallchainReader *self = data;

  weft_dense_rows_add (&self->frames, number);
}

static void
take_callchain (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  WeftCallchainReader *self = data;
  guint32 parent = weft_dense_rows_find (&self->nodes, values[0]);
  Node node = { .parent = parent };

  /* This row is not in yet: a parent that is none of those before it is cut off. */
  if (weft_dense_rows_add (&self->nodes, number) == 0)
    return;
  node.frame = weft_dense_rows_find (&self->frames, values[1]);
  node.depth = g_array_index (self->stacks, Node, parent).depth + 1;
  g_array_append_val (self->stacks, node);
}

WeftCallchainReader *
weft_callchain_reader_new (const WeftAnalysisScope *scope, GError **error)
{
  static const WeftColumnNumber callchain[] = { WEFT_CALLCHAINS_PARENT, WEFT_CALLCHAINS_FRAME };
  g_autoptr (WeftCallchainReader) self = g_new0 (WeftCallchainReader, 1);
  Node none = { 0, 0, 0 };

  weft_dense_rows_init (&self->nodes);
  weft_dense_rows_init (&self->frames);
  self->stacks = g_array_new (FALSE, FALSE, sizeof (Node));
  g_array_append_val (self->stacks, none);
  if (!weft_scan_rows (scope->store, WEFT_TABLE_FRAMES, NULL, 0, take_frame, self,
                       scope->cancellable, error) ||
      !weft_scan_rows (scope->store, WEFT_TABLE_CALLCHAINS, callchain, G_N_ELEMENTS (callchain),
                       take_callchain, self, scope->cancellable, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
weft_callchain_reader_free (WeftCallchainReader *self)
{
  weft_dense_rows_clear (&self->nodes);
  weft_dense_rows_clear (&self->frames);
  g_array_unref (self->stacks);
  g_free (self);
}

static inline const Node *
get_node (const WeftCallchainReader *self, guint32 node)
{
  return &g_array_index (self->stacks, Node, node);
}

guint32
weft_callchain_reader_get_n_nodes (const WeftCallchainReader *self)
{
  return self->nodes.n_rows;
}

guint32
weft_callchain_reader_get_n_frames (const WeftCallchainReader *self)
{
  return self->frames.n_rows;
}

guint32
weft_callchain_reader_find (const WeftCallchainReader *self, guint64 callchain)
{
  return weft_dense_rows_find (&self->nodes, callchain);
}

guint32
weft_callchain_reader_find_frame (const WeftCallchainReader *self, guint64 frame)
{
  return weft_dense_rows_find (&self->frames, frame);
}

guint64
weft_callchain_reader_get_id (const WeftCallchainReader *self, guint32 node)
{
  return weft_dense_rows_get_id (&self->nodes, node);
}

guint32
weft_callchain_reader_get_parent (const WeftCallchainReader *self, guint32 node)
{
  return get_node (self, node)->parent;
}

guint32
weft_callchain_reader_get_frame (const WeftCallchainReader *self, guint32 node)
{
  return get_node (self, node)->frame;
}

guint32
weft_callchain_reader_get_depth (const WeftCallchainReader *self, guint32 node)
{
  return get_node (self, node)->depth;
}

guint
weft_callchain_reader_read (const WeftCallchainReader *self, guint32 node, gboolean innermost_first,
                            guint max, GArray *frames)
{
  guint depth = get_node (self, node)->depth;
  guint n = MIN (depth, max);

  g_array_set_size (frames, n);
  for (guint i = 0; i < n; i++)
    {
      g_array_index (frames, guint32, innermost_first ? i : n - 1 - i) =
          get_node (self, node)->frame;
      node = get_node (self, node)->parent;
    }
  return depth - n;
}
