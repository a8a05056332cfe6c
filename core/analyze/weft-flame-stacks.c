/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-flame-stacks.h"

#include "weft-enum-types.h"

#define WHOLE G_MAXUINT32
/* Variants of functions: 0, or 1 where they are inlined. */
#define UNNAMED 2
#define MAX_STEPS (G_GUINT64_CONSTANT (1) << 31)

gboolean
weft_flame_stacks_init (WeftFlameStacks *self, const WeftAnalysisScope *scope, WeftFlameGroup group,
                        GError **error)
{
  const WeftFrameNamesOptions options = { WEFT_FRAME_GROUP_FUNCTION, TRUE, scope->excluded };

  *self = (WeftFlameStacks){ .scope = scope, .group = group };
  self->tree = weft_flame_tree_new ();
  weft_key_map_init (&self->roots);
  weft_key_map_init (&self->bases);
  weft_key_map_init (&self->placed);
  self->items = g_array_new (FALSE, FALSE, sizeof (guint32));
  self->texts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->catalog = weft_catalog_new (scope->store, scope->cancellable, error);
  if (self->catalog == NULL)
    return FALSE;
  self->callchains = weft_callchain_reader_new (scope, error);
  if (self->callchains == NULL)
    return FALSE;
  self->names = weft_frame_names_new (scope, self->callchains, &options, error);
  return self->names != NULL &&
         weft_cpu_filter_new (scope, self->callchains, self->catalog, &self->filter, error);
}

void
weft_flame_stacks_clear (WeftFlameStacks *self)
{
  g_clear_pointer (&self->filter, weft_cpu_filter_free);
  g_clear_pointer (&self->names, weft_frame_names_free);
  g_clear_pointer (&self->callchains, weft_callchain_reader_free);
  g_clear_pointer (&self->catalog, weft_catalog_free);
  g_clear_pointer (&self->tree, weft_flame_tree_free);
  weft_key_map_clear (&self->roots);
  weft_key_map_clear (&self->bases);
  weft_key_map_clear (&self->placed);
  g_clear_pointer (&self->items, g_array_unref);
  g_clear_pointer (&self->texts, g_hash_table_unref);
}

gboolean
weft_flame_stacks_is_full (WeftFlameStacks *self)
{
  return self->n_steps >= MAX_STEPS || weft_flame_tree_is_full (self->tree);
}

/* ---- Items ---- */

/* TEXT, which is taken, kept as long as the tree. */
static const char *
keep (WeftFlameStacks *self, char *text)
{
  gpointer kept;

  if (g_hash_table_lookup_extended (self->texts, text, &kept, NULL))
    g_free (text);
  else
    g_hash_table_add (self->texts, kept = text);
  return kept;
}

guint32
weft_flame_stacks_get_thread_item (WeftFlameStacks *self, guint32 thread)
{
  const WeftCatalogThread *found = weft_catalog_get_thread (self->catalog, thread);
  WeftFlameItem item = { .kind = WEFT_FLAME_OF_THREAD, .id = thread, .name = "[unknown thread]" };

  if (found != NULL)
    item.name =
        keep (self, found->name != NULL ? g_strdup_printf ("%s (%u)", found->name, found->tid)
                                        : g_strdup_printf ("%u", found->tid));
  return weft_flame_tree_add_item (self->tree, &item);
}

static guint32
get_process_item (WeftFlameStacks *self, guint32 thread)
{
  const WeftCatalogThread *found = weft_catalog_get_thread (self->catalog, thread);
  const WeftCatalogProcess *process =
      found != NULL ? weft_catalog_get_process (self->catalog, found->process) : NULL;
  WeftFlameItem item = { .kind = WEFT_FLAME_OF_PROCESS, .name = "[unknown process]" };

  if (process != NULL)
    {
      item.id = process->id;
      item.name = keep (self, process->name != NULL
                                  ? g_strdup_printf ("%s (%u)", process->name, process->pid)
                                  : g_strdup_printf ("%u", process->pid));
    }
  return weft_flame_tree_add_item (self->tree, &item);
}

static const char *
describe_reason (guint reason)
{
  /* clang-format off */
  static const char *const names[] = {
    [WEFT_WAIT_REASON_UNKNOWN] = "[waiting: not known for what]",
    [WEFT_WAIT_REASON_IDLE] = "[idle]",
    [WEFT_WAIT_REASON_LOCK] = "[waiting: lock]",
    [WEFT_WAIT_REASON_SEMAPHORE] = "[waiting: semaphore or condition]",
    [WEFT_WAIT_REASON_IPC] = "[waiting: other process]",
    [WEFT_WAIT_REASON_IO_READ] = "[waiting: read]",
    [WEFT_WAIT_REASON_IO_WRITE] = "[waiting: write]",
    [WEFT_WAIT_REASON_READINESS] = "[waiting: readiness]",
    [WEFT_WAIT_REASON_SLEEP] = "[sleeping]",
    [WEFT_WAIT_REASON_CONNECT] = "[waiting: connection]",
    [WEFT_WAIT_REASON_PAGE_FAULT] = "[waiting: memory]",
    [WEFT_WAIT_REASON_PREEMPTED] = "[preempted]",
    [WEFT_WAIT_REASON_OTHER] = "[waiting: other]",
  };
  /* clang-format on */

  return names[reason < G_N_ELEMENTS (names) ? reason : WEFT_WAIT_REASON_UNKNOWN];
}

guint32
weft_flame_stacks_get_reason_item (WeftFlameStacks *self, guint reason)
{
  WeftFlameItem item = { WEFT_FLAME_OF_REASON, reason, .name = describe_reason (reason) };

  return weft_flame_tree_add_item (self->tree, &item);
}

static guint32
get_function_item (WeftFlameStacks *self, const WeftFramePlace *place, gboolean is_inlined)
{
  const WeftFrameName *name = weft_frame_names_get (self->names, place->name);
  WeftFlameItem item = {
    .kind = WEFT_FLAME_FUNCTION,
    .id = place->name,
    .variant = is_inlined,
    .name = name->name,
    .symbol = name->symbol,
    .module = name->module_id,
    .module_name = name->module,
    .is_inlined = is_inlined,
    .is_kernel = name->is_kernel,
  };

  /* Places of no known function are not told apart: each would be a row of its own. */
  if (name->symbol == 0)
    {
      item.id = name->module_id;
      item.variant = UNNAMED + name->is_kernel;
      item.name = keep (self, name->module ? g_strdup_printf ("[%s: no names]", name->module)
                                           : g_strdup ("[code of no known file]"));
    }
  return weft_flame_tree_add_item (self->tree, &item);
}

static const char *
describe_cut (guint end)
{
  /* clang-format off */
  static const char *const names[] = {
    [WEFT_STACK_END_NOT_UNWOUND] = "[no stack: not read]",
    [WEFT_STACK_END_TRUNCATED] = "[stack cut: longer than its copy]",
    [WEFT_STACK_END_NO_MODULE] = "[stack cut: code of no known file]",
    [WEFT_STACK_END_NO_TABLE] = "[stack cut: no unwinding tables]",
    [WEFT_STACK_END_UNSUPPORTED] = "[stack cut: rule not understood]",
    [WEFT_STACK_END_STUCK] = "[stack cut: it did not go on]",
    [WEFT_STACK_END_DEPTH] = "[stack cut: too many frames]",
  };
  /* clang-format on */

  return end < G_N_ELEMENTS (names) && names[end] ? names[end] : "[no stack]";
}

guint32
weft_flame_stacks_get_cut (WeftFlameStacks *self, guint32 stack, guint end)
{
  WeftFlameItem item = { WEFT_FLAME_CUT, end, .name = describe_cut (end) };

  if (stack != 0 && (end == WEFT_STACK_END_COMPLETE || end == WEFT_STACK_END_NO_USER_STACK))
    return WHOLE;
  return weft_flame_tree_add_item (self->tree, &item);
}

/* ---- Roots ---- */

static guint32
get_root_item (WeftFlameStacks *self, guint32 thread, guint reason)
{
  switch (self->group)
    {
    case WEFT_FLAME_BY_PROCESS:
      return get_process_item (self, thread);
    case WEFT_FLAME_BY_REASON:
      return weft_flame_stacks_get_reason_item (self, reason);
    default:
      return weft_flame_stacks_get_thread_item (self, thread);
    }
}

guint32
weft_flame_stacks_get_root (WeftFlameStacks *self, guint32 thread, guint reason)
{
  guint64 key = (guint64) thread << 32 | reason;
  guint32 root;

  if (self->group == WEFT_FLAME_BY_NOTHING)
    return 0;
  if (weft_key_map_find (&self->roots, key, &root))
    return root;
  root = weft_flame_tree_get_child (self->tree, 0, get_root_item (self, thread, reason));
  return weft_key_map_add (&self->roots, key, root);
}

/* ---- Stacks ---- */

/* Those of one frame, inwards. */
static void
append_frame (WeftFlameStacks *self, guint32 stack)
{
  const WeftFramePlace *places;
  guint n = weft_frame_names_get_places (
      self->names, weft_callchain_reader_get_frame (self->callchains, stack), &places);

  self->n_steps += 1 + n;
  for (guint i = n; i-- > 0;)
    {
      guint32 item = get_function_item (self, &places[i], i > 0);

      g_array_append_val (self->items, item);
    }
}

const GArray *
weft_flame_stacks_read (WeftFlameStacks *self, guint32 stack, guint32 cut)
{
  guint32 *items;

  g_array_set_size (self->items, 0);
  for (; stack != 0 && !weft_flame_stacks_is_full (self);
       stack = weft_callchain_reader_get_parent (self->callchains, stack))
    append_frame (self, stack);
  if (cut != WHOLE)
    g_array_append_val (self->items, cut);
  items = (guint32 *) (gpointer) self->items->data;
  for (guint i = 0; !self->scope->inverted && i < self->items->len / 2; i++)
    {
      guint32 item = items[i];

      items[i] = items[self->items->len - 1 - i];
      items[self->items->len - 1 - i] = item;
    }
  return self->items;
}

static guint64
get_key (guint32 root, guint32 stack)
{
  return (guint64) root << 32 | stack;
}

/* From the nearest callers that have a place, inwards. */
static guint32
place_below_callers (WeftFlameStacks *self, guint32 root, guint32 stack)
{
  g_autoptr (GArray) pending = NULL;
  guint32 node = root;

  if (stack == 0 || weft_key_map_find (&self->placed, get_key (root, stack), &node))
    return node;
  pending = g_array_new (FALSE, FALSE, sizeof (guint32));
  for (; stack != 0 && !weft_key_map_find (&self->placed, get_key (root, stack), &node);
       stack = weft_callchain_reader_get_parent (self->callchains, stack))
    g_array_append_val (pending, stack);
  for (guint i = pending->len; i-- > 0;)
    {
      stack = g_array_index (pending, guint32, i);
      g_array_set_size (self->items, 0);
      append_frame (self, stack);
      for (guint item = self->items->len; item-- > 0;)
        node = weft_flame_tree_get_child (self->tree, node,
                                          g_array_index (self->items, guint32, item));
      weft_key_map_add (&self->placed, get_key (root, stack), node);
    }
  return node;
}

static guint32
place_above_callers (WeftFlameStacks *self, guint32 root, guint32 stack, guint32 cut)
{
  guint32 base = weft_key_map_add (&self->bases, get_key (root, cut), self->bases.n);
  guint32 node = root;
  const GArray *items;

  if (weft_key_map_find (&self->placed, get_key (base, stack), &node))
    return node;
  items = weft_flame_stacks_read (self, stack, cut);
  for (guint i = 0; i < items->len; i++)
    node = weft_flame_tree_get_child (self->tree, node, g_array_index (items, guint32, i));
  return weft_key_map_add (&self->placed, get_key (base, stack), node);
}

guint32
weft_flame_stacks_place (WeftFlameStacks *self, guint32 root, guint32 stack, guint32 cut)
{
  if (self->scope->inverted)
    return place_above_callers (self, root, stack, cut);
  if (cut != WHOLE)
    root = weft_flame_tree_get_child (self->tree, root, cut);
  return place_below_callers (self, root, stack);
}
