/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-symbol-module.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How many that begin before an address are looked at for one that reaches over it. */
#define MAX_STEPS 8

struct _WeftSymbolModule
{
  WeftSymbolShared *shared;
  WeftCodeModule *code;
  GMutex lock; /* of what follows */
  WeftSymbolModuleState state;

  /* Files. */
  GPtrArray *blocks;    /* WeftSymbolBlock, owned */
  GPtrArray *bytes;     /* GBytes: the same, for the cache */
  GPtrArray *functions; /* WeftSymbolFunction in the blocks, by start */
  char *link;
  gboolean cache_was_read;
  gboolean is_new; /* there is something that the cache has not */

  /* Code that a program made. */
  int namespace_pid;
  WeftSymbolNames *names;
  WeftJitMap *map;
  GPtrArray *dumps; /* WeftJitDump */
  guint n_dumps_seen;
  guint n_replaced;
};

WeftSymbolShared *
weft_symbol_shared_new (WeftSymbolCache *cache)
{
  WeftSymbolShared *self = g_new0 (WeftSymbolShared, 1);

  self->cache = cache;
  self->dumps = g_ptr_array_new ();
  g_mutex_init (&self->lock);
  return self;
}

void
weft_symbol_shared_free (WeftSymbolShared *self)
{
  g_clear_pointer (&self->cache, weft_symbol_cache_free);
  g_clear_pointer (&self->kernel, weft_kernel_symbols_free);
  g_ptr_array_unref (self->dumps);
  g_mutex_clear (&self->lock);
  g_free (self->kernel_reason);
  g_free (self);
}

void
weft_symbol_shared_add_dump (WeftSymbolShared *self, WeftCodeModule *module)
{
  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->dumps, module);
  g_mutex_unlock (&self->lock);
}

void
weft_symbol_module_state_clear (WeftSymbolModuleState *self)
{
  g_clear_pointer (&self->reason, g_free);
  g_clear_pointer (&self->debug_file, g_free);
}

static void
set_state (WeftSymbolModule *self, WeftSymbolState state, guint64 n_symbols, const char *reason,
           const char *debug_file)
{
  char *old_reason = self->state.reason;
  char *old_file = self->state.debug_file;

  self->state.state = state;
  self->state.n_symbols = n_symbols;
  self->state.reason = g_strdup (reason);
  self->state.debug_file = g_strdup (debug_file);
  g_free (old_reason);
  g_free (old_file);
}

WeftSymbolModule *
weft_symbol_module_new (WeftSymbolShared *shared, WeftCodeModule *module)
{
  WeftSymbolModule *self = g_new0 (WeftSymbolModule, 1);

  self->shared = shared;
  self->code = module;
  g_mutex_init (&self->lock);
  set_state (self, WEFT_SYMBOL_STATE_NONE, 0, "", "");
  self->blocks = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_symbol_block_free);
  self->bytes = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  self->functions = g_ptr_array_new ();
  self->dumps = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_jit_dump_free);
  self->link = g_strdup ("");
  if (weft_code_module_get_kind (module) == WEFT_MODULE_KIND_JIT)
    {
      self->namespace_pid = weft_jit_namespace_pid (weft_code_module_get_pid (module));
      self->names = weft_symbol_names_new ();
    }
  return self;
}

void
weft_symbol_module_free (WeftSymbolModule *self)
{
  weft_symbol_module_state_clear (&self->state);
  g_ptr_array_unref (self->blocks);
  g_ptr_array_unref (self->bytes);
  g_ptr_array_unref (self->functions);
  g_ptr_array_unref (self->dumps);
  g_clear_pointer (&self->names, weft_symbol_names_free);
  g_clear_pointer (&self->map, weft_jit_map_free);
  g_mutex_clear (&self->lock);
  g_free (self->link);
  g_free (self);
}

WeftCodeModule *
weft_symbol_module_get_code (WeftSymbolModule *self)
{
  return self->code;
}

void
weft_symbol_module_get_state (WeftSymbolModule *self, WeftSymbolModuleState *state)
{
  g_mutex_lock (&self->lock);
  state->state = self->state.state;
  state->n_symbols = self->state.n_symbols;
  state->reason = g_strdup (self->state.reason);
  state->debug_file = g_strdup (self->state.debug_file);
  g_mutex_unlock (&self->lock);
}

gboolean
weft_symbol_module_is_growing (WeftSymbolModule *self)
{
  return self->names != NULL;
}

/* ---- Files ---- */

static int
compare_functions (gconstpointer a, gconstpointer b)
{
  const WeftSymbolFunction *x = *(const WeftSymbolFunction *const *) a;
  const WeftSymbolFunction *y = *(const WeftSymbolFunction *const *) b;

  if (x->start != y->start)
    return x->start < y->start ? -1 : 1;
  return x->size < y->size ? -1 : x->size > y->size;
}

/* The first of those that are the same stays. */
static void
drop_repeated (GPtrArray *functions)
{
  guint n = 0;

  for (guint i = 0; i < functions->len; i++)
    {
      const WeftSymbolFunction *last = n > 0 ? functions->pdata[n - 1] : NULL;
      const WeftSymbolFunction *function = functions->pdata[i];

      if (last == NULL || last->start != function->start || last->size != function->size)
        functions->pdata[n++] = functions->pdata[i];
    }
  g_ptr_array_set_size (functions, n);
}

/* Takes what is in BLOCKS and BYTES. */
static void
add_blocks (WeftSymbolModule *self, GPtrArray *blocks, GPtrArray *bytes)
{
  for (guint i = 0; i < blocks->len; i++)
    {
      WeftSymbolBlock *block = blocks->pdata[i];

      for (guint j = 0; j < block->functions->len; j++)
        g_ptr_array_add (self->functions, &g_array_index (block->functions, WeftSymbolFunction, j));
    }
  g_ptr_array_extend_and_steal (self->blocks, g_ptr_array_ref (blocks));
  g_ptr_array_extend_and_steal (self->bytes, g_ptr_array_ref (bytes));
  g_ptr_array_sort (self->functions, compare_functions);
  drop_repeated (self->functions);
}

static const WeftSymbolFunction *
find_function (WeftSymbolModule *self, guint64 address)
{
  guint low = 0;
  guint high = self->functions->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;
      const WeftSymbolFunction *function = self->functions->pdata[middle];

      if (function->start <= address)
        low = middle + 1;
      else
        high = middle;
    }
  for (guint i = low, steps = 0; i > 0 && steps < MAX_STEPS; i--, steps++)
    {
      const WeftSymbolFunction *function = self->functions->pdata[i - 1];

      if (address - function->start < function->size)
        return function;
    }
  return NULL;
}

static void
read_cache (WeftSymbolModule *self)
{
  const char *build_id = weft_code_module_get_build_id (self->code);
  g_autoptr (WeftSymbolCacheEntry) entry = NULL;

  if (self->cache_was_read || self->shared->cache == NULL || build_id == NULL)
    return;
  self->cache_was_read = TRUE;
  entry =
      weft_symbol_cache_load (self->shared->cache, build_id, weft_code_module_get_path (self->code),
                              weft_code_module_get_size (self->code));
  if (entry == NULL || (self->shared->asks_servers && entry->state != WEFT_SYMBOL_STATE_LINES))
    return;
  set_state (self, entry->state, entry->n_symbols, entry->reason, entry->debug_file);
  g_free (self->link);
  self->link = g_strdup (entry->link);
  add_blocks (self, entry->blocks, entry->bytes);
}

static int
compare_addresses (gconstpointer a, gconstpointer b)
{
  guint64 x = *(const guint64 *) a;
  guint64 y = *(const guint64 *) b;

  return x < y ? -1 : x > y;
}

/* Those that nothing is known of, sorted. */
static GArray *
gather_missing (WeftSymbolModule *self, const guint64 *addresses, guint n)
{
  GArray *missing = g_array_new (FALSE, FALSE, sizeof (guint64));

  for (guint i = 0; i < n; i++)
    if (find_function (self, addresses[i]) == NULL)
      g_array_append_val (missing, addresses[i]);
  g_array_sort (missing, compare_addresses);
  return missing;
}

static void
take_answer (WeftSymbolModule *self, WeftSymbolAnswer *answer)
{
  set_state (self, answer->state, answer->n_symbols, answer->reason, answer->debug_file);
  g_free (self->link);
  self->link = g_strdup (answer->link);
  self->is_new = TRUE;
  add_blocks (self, answer->blocks, answer->bytes);
}

static void
resolve_file (WeftSymbolModule *self, WeftSymbolizer *symbolizer, const guint64 *addresses, guint n,
              const WeftSymbolFunction **functions)
{
  g_autoptr (GArray) missing = NULL;
  gboolean has_failed;

  g_mutex_lock (&self->lock);
  read_cache (self);
  missing = gather_missing (self, addresses, n);
  has_failed = self->state.state == WEFT_SYMBOL_STATE_FAILED;
  g_mutex_unlock (&self->lock);
  /* What it fell over once it would fall over again. */
  if (missing->len > 0 && !has_failed)
    {
      g_autoptr (WeftSymbolAnswer) answer = weft_symbolizer_resolve (
          symbolizer, self->code, (const guint64 *) (gconstpointer) missing->data, missing->len);

      g_mutex_lock (&self->lock);
      take_answer (self, answer);
      g_mutex_unlock (&self->lock);
    }
  g_mutex_lock (&self->lock);
  for (guint i = 0; i < n; i++)
    functions[i] = find_function (self, addresses[i]);
  g_mutex_unlock (&self->lock);
}

void
weft_symbol_module_save (WeftSymbolModule *self)
{
  const char *build_id = weft_code_module_get_build_id (self->code);
  WeftSymbolCacheEntry entry;

  g_mutex_lock (&self->lock);
  if (self->shared->cache != NULL && build_id != NULL && self->is_new &&
      self->state.state != WEFT_SYMBOL_STATE_FAILED)
    {
      entry = (WeftSymbolCacheEntry){ .module_size = weft_code_module_get_size (self->code),
                                      .state = self->state.state,
                                      .n_symbols = self->state.n_symbols,
                                      .reason = self->state.reason,
                                      .link = self->link,
                                      .debug_file = self->state.debug_file,
                                      .blocks = self->blocks,
                                      .bytes = self->bytes };
      weft_symbol_cache_save (self->shared->cache, build_id, weft_code_module_get_path (self->code),
                              &entry);
    }
  self->is_new = FALSE;
  g_mutex_unlock (&self->lock);
}

/* ---- The kernel ---- */

static void
resolve_kernel (WeftSymbolModule *self, const guint64 *addresses, guint n,
                const WeftSymbolFunction **functions)
{
  WeftSymbolShared *shared = self->shared;
  WeftKernelSymbols *kernel;

  g_mutex_lock (&shared->lock);
  if (!shared->kernel_was_read)
    shared->kernel = weft_kernel_symbols_read (&shared->kernel_reason);
  shared->kernel_was_read = TRUE;
  kernel = shared->kernel;
  for (guint i = 0; i < n; i++)
    functions[i] = kernel != NULL ? weft_kernel_symbols_find (kernel, addresses[i]) : NULL;
  g_mutex_unlock (&shared->lock);

  g_mutex_lock (&self->lock);
  set_state (self, kernel != NULL ? WEFT_SYMBOL_STATE_SYMBOLS : WEFT_SYMBOL_STATE_NONE,
             kernel != NULL ? weft_kernel_symbols_get_n (kernel) : 0,
             kernel != NULL ? "" : shared->kernel_reason, "");
  g_mutex_unlock (&self->lock);
}

/* ---- Code that a program made ---- */

/* Those mapped files of code that this process wrote. */
static void
open_dumps (WeftSymbolModule *self)
{
  WeftSymbolShared *shared = self->shared;

  g_mutex_lock (&shared->lock);
  for (; self->n_dumps_seen < shared->dumps->len; self->n_dumps_seen++)
    {
      WeftCodeModule *file = shared->dumps->pdata[self->n_dumps_seen];
      const char *name = strrchr (weft_code_module_get_path (file), '/');
      int descriptor;

      if (name == NULL || atoi (name + strlen ("/jit-")) != self->namespace_pid)
        continue;
      descriptor = weft_code_module_open (file);
      if (descriptor >= 0)
        g_ptr_array_add (self->dumps, weft_jit_dump_new (descriptor));
    }
  g_mutex_unlock (&shared->lock);
}

static void
read_made_code (WeftSymbolModule *self)
{
  g_autofree char *reason = NULL;
  guint n;

  if (self->map == NULL)
    self->map = weft_jit_map_open (weft_code_module_get_pid (self->code), &reason);
  open_dumps (self);
  if (self->map != NULL)
    weft_jit_map_read (self->map, self->names);
  for (guint i = 0; i < self->dumps->len; i++)
    {
      g_autofree char *failure = NULL;

      if (!weft_jit_dump_read (self->dumps->pdata[i], self->names, &failure) && reason == NULL)
        reason = g_steal_pointer (&failure);
    }
  /* What has a name is not to give it to what takes its place. */
  if (weft_symbol_names_get_n_replaced (self->names) != self->n_replaced)
    weft_code_module_renew (self->code);
  self->n_replaced = weft_symbol_names_get_n_replaced (self->names);
  n = weft_symbol_names_get_n (self->names);
  if (n > 0)
    set_state (self, WEFT_SYMBOL_STATE_MAP, n, reason != NULL ? reason : "", "");
  else if (reason != NULL || self->map == NULL)
    set_state (self, WEFT_SYMBOL_STATE_NONE, 0,
               reason != NULL ? reason
                              : "the program does not say what the code is that it makes: some "
                                "have an option for it (node: --perf-basic-prof)",
               "");
}

static void
resolve_made_code (WeftSymbolModule *self, const guint64 *addresses, guint n,
                   const WeftSymbolFunction **functions)
{
  g_mutex_lock (&self->lock);
  read_made_code (self);
  for (guint i = 0; i < n; i++)
    functions[i] = weft_symbol_names_find (self->names, addresses[i]);
  g_mutex_unlock (&self->lock);
}

/* ---- All ---- */

void
weft_symbol_module_resolve (WeftSymbolModule *self, WeftSymbolizer *symbolizer,
                            const guint64 *addresses, guint n, const WeftSymbolFunction **functions)
{
  switch (weft_code_module_get_kind (self->code))
    {
    case WEFT_MODULE_KIND_FILE:
    case WEFT_MODULE_KIND_VDSO:
      resolve_file (self, symbolizer, addresses, n, functions);
      break;
    case WEFT_MODULE_KIND_KERNEL:
      resolve_kernel (self, addresses, n, functions);
      break;
    case WEFT_MODULE_KIND_JIT:
      resolve_made_code (self, addresses, n, functions);
      break;
    case WEFT_MODULE_KIND_UNKNOWN:
    default:
      memset (functions, 0, n * sizeof *functions);
      break;
    }
}

static gboolean
read_file_code (WeftSymbolModule *self, guint64 file_offset, GByteArray *code)
{
  int descriptor = weft_code_module_open (self->code);
  gboolean is_read;

  if (descriptor < 0)
    return FALSE;
  is_read = pread (descriptor, code->data, code->len, file_offset) == (ssize_t) code->len;
  close (descriptor);
  return is_read;
}

gboolean
weft_symbol_module_read_code (WeftSymbolModule *self, const WeftSymbolFunction *function,
                              GByteArray *code)
{
  gboolean is_read = FALSE;

  if (function->file_offset > G_MAXINT64 - function->size)
    return FALSE;
  g_byte_array_set_size (code, function->size);
  if (self->names == NULL)
    return read_file_code (self, function->file_offset, code);
  g_mutex_lock (&self->lock);
  for (guint i = 0; !is_read && i < self->dumps->len; i++)
    is_read = weft_jit_dump_get_code (self->dumps->pdata[i], function->file_offset, code->data,
                                      code->len);
  g_mutex_unlock (&self->lock);
  return is_read;
}

const char *
weft_symbol_module_get_architecture (WeftSymbolModule *self)
{
  guint machine = weft_code_module_get_machine (self->code);

  if (self->dumps->len > 0)
    machine = weft_jit_dump_get_machine (self->dumps->pdata[0]);
  return machine == EM_X86_64 ? "x86_64" : machine == EM_AARCH64 ? "aarch64" : NULL;
}
