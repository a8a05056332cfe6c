/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-wait-primitive.h"

#include <elf.h>
#include <string.h>
#include <unistd.h>

#include "weft-elf-image.h"

#define MAX_INNER 8 /* frames between the system call and the function */
#define MAX_SYMBOL_BYTES (4 << 20)

static const struct
{
  const char *name;
  WeftWaitPrimitive primitive;
} functions[] = {
  { "syscall", WEFT_WAIT_PRIMITIVE_RAW },
  { "pthread_mutex_lock", WEFT_WAIT_PRIMITIVE_MUTEX },
  { "pthread_mutex_timedlock", WEFT_WAIT_PRIMITIVE_MUTEX },
  { "pthread_mutex_clocklock", WEFT_WAIT_PRIMITIVE_MUTEX },
  { "mtx_lock", WEFT_WAIT_PRIMITIVE_MUTEX },
  { "mtx_timedlock", WEFT_WAIT_PRIMITIVE_MUTEX },
  { "pthread_rwlock_rdlock", WEFT_WAIT_PRIMITIVE_RWLOCK },
  { "pthread_rwlock_wrlock", WEFT_WAIT_PRIMITIVE_RWLOCK },
  { "pthread_rwlock_timedrdlock", WEFT_WAIT_PRIMITIVE_RWLOCK },
  { "pthread_rwlock_timedwrlock", WEFT_WAIT_PRIMITIVE_RWLOCK },
  { "pthread_rwlock_clockrdlock", WEFT_WAIT_PRIMITIVE_RWLOCK },
  { "pthread_rwlock_clockwrlock", WEFT_WAIT_PRIMITIVE_RWLOCK },
  { "pthread_cond_wait", WEFT_WAIT_PRIMITIVE_CONDITION },
  { "pthread_cond_timedwait", WEFT_WAIT_PRIMITIVE_CONDITION },
  { "pthread_cond_clockwait", WEFT_WAIT_PRIMITIVE_CONDITION },
  { "cnd_wait", WEFT_WAIT_PRIMITIVE_CONDITION },
  { "cnd_timedwait", WEFT_WAIT_PRIMITIVE_CONDITION },
  { "sem_wait", WEFT_WAIT_PRIMITIVE_SEMAPHORE },
  { "sem_timedwait", WEFT_WAIT_PRIMITIVE_SEMAPHORE },
  { "sem_clockwait", WEFT_WAIT_PRIMITIVE_SEMAPHORE },
  { "pthread_barrier_wait", WEFT_WAIT_PRIMITIVE_BARRIER },
  { "pthread_join", WEFT_WAIT_PRIMITIVE_JOIN },
  { "pthread_timedjoin_np", WEFT_WAIT_PRIMITIVE_JOIN },
  { "pthread_clockjoin_np", WEFT_WAIT_PRIMITIVE_JOIN },
  { "thrd_join", WEFT_WAIT_PRIMITIVE_JOIN },
  { "pthread_once", WEFT_WAIT_PRIMITIVE_ONCE },
  { "call_once", WEFT_WAIT_PRIMITIVE_ONCE },
  { "g_mutex_lock", WEFT_WAIT_PRIMITIVE_MUTEX },
  { "g_rec_mutex_lock", WEFT_WAIT_PRIMITIVE_MUTEX },
  { "g_bit_lock", WEFT_WAIT_PRIMITIVE_MUTEX },
  { "g_cond_wait", WEFT_WAIT_PRIMITIVE_CONDITION },
  { "g_cond_wait_until", WEFT_WAIT_PRIMITIVE_CONDITION },
  { "g_once_init_enter", WEFT_WAIT_PRIMITIVE_ONCE },
};

typedef struct
{
  guint64 start;
  guint64 end;
  WeftWaitPrimitive primitive;
} Range;

struct _WeftWaitPrimitives
{
  GHashTable *modules; /* GUINT module → GArray of Range, sorted; empty ones of other modules */
};

WeftWaitPrimitives *
weft_wait_primitives_new (void)
{
  WeftWaitPrimitives *self = g_new0 (WeftWaitPrimitives, 1);

  self->modules = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) g_array_unref);
  return self;
}

void
weft_wait_primitives_free (WeftWaitPrimitives *self)
{
  g_hash_table_unref (self->modules);
  g_free (self);
}

static gboolean
is_library (WeftCodeModule *module)
{
  static const char *const names[] = { "libc.so.6", "libc-2.", "libpthread.so.0", "libpthread-2.",
                                       "libglib-2.0.so.0" };
  const char *path = weft_code_module_get_path (module);
  const char *slash = path ? strrchr (path, '/') : NULL;

  for (guint i = 0; slash != NULL && i < G_N_ELEMENTS (names); i++)
    if (g_str_has_prefix (slash + 1, names[i]))
      return TRUE;
  return FALSE;
}

static gboolean
is_c_library (WeftCodeModule *module)
{
  const char *path = weft_code_module_get_path (module);

  return is_library (module) && strstr (path, "/libglib") == NULL;
}

static int
compare_ranges (gconstpointer a, gconstpointer b)
{
  const Range *left = a, *right = b;

  return left->start < right->start ? -1 : left->start > right->start;
}

static void
add_symbol (GArray *ranges, const Elf64_Sym *symbol, const char *strings, gsize length)
{
  const char *name = strings + symbol->st_name;

  if (ELF64_ST_TYPE (symbol->st_info) != STT_FUNC || symbol->st_size == 0 ||
      symbol->st_name >= length || memchr (name, 0, length - symbol->st_name) == NULL)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (functions); i++)
    if (g_str_equal (name, functions[i].name))
      {
        Range range = { symbol->st_value, symbol->st_value + symbol->st_size,
                        functions[i].primitive };

        g_array_append_val (ranges, range);
      }
}

static void
read_symbols (GArray *ranges, int descriptor)
{
  g_autoptr (WeftElfImage) image = weft_elf_image_new (descriptor);
  WeftElfSection symbols, strings;
  g_autofree guint8 *symbol_bytes = NULL;
  g_autofree guint8 *string_bytes = NULL;

  if (image == NULL || !weft_elf_image_is_64 (image) ||
      !weft_elf_image_find_section (image, descriptor, ".dynsym", &symbols) ||
      !weft_elf_image_find_section (image, descriptor, ".dynstr", &strings) ||
      symbols.size > MAX_SYMBOL_BYTES || strings.size > MAX_SYMBOL_BYTES)
    return;
  symbol_bytes = weft_elf_image_read (image, descriptor, symbols.offset, symbols.size);
  string_bytes = weft_elf_image_read (image, descriptor, strings.offset, strings.size);
  if (symbol_bytes == NULL || string_bytes == NULL)
    return;
  for (gsize i = 0; i < symbols.size / sizeof (Elf64_Sym); i++)
    {
      Elf64_Sym symbol;

      memcpy (&symbol, symbol_bytes + i * sizeof symbol, sizeof symbol);
      add_symbol (ranges, &symbol, (const char *) string_bytes, strings.size);
    }
  g_array_sort (ranges, compare_ranges);
}

static GArray *
get_ranges (WeftWaitPrimitives *self, WeftCodeModule *module)
{
  guint number = weft_code_module_get_number (module);
  GArray *ranges = g_hash_table_lookup (self->modules, GUINT_TO_POINTER (number));
  int descriptor;

  if (ranges != NULL)
    return ranges;
  ranges = g_array_new (FALSE, FALSE, sizeof (Range));
  g_hash_table_insert (self->modules, GUINT_TO_POINTER (number), ranges);
  descriptor = is_library (module) ? weft_code_module_open (module) : -1;
  if (descriptor >= 0)
    {
      read_symbols (ranges, descriptor);
      close (descriptor);
    }
  return ranges;
}

static WeftWaitPrimitive
find_range (const GArray *ranges, guint64 address)
{
  guint low = 0, high = ranges->len;

  while (low < high)
    {
      guint middle = (low + high) / 2;

      if (g_array_index (ranges, Range, middle).start <= address)
        low = middle + 1;
      else
        high = middle;
    }
  if (low == 0 || address >= g_array_index (ranges, Range, low - 1).end)
    return WEFT_WAIT_PRIMITIVE_UNKNOWN;
  return g_array_index (ranges, Range, low - 1).primitive;
}

WeftWaitPrimitive
weft_wait_primitives_find (WeftWaitPrimitives *self, const WeftCodeFrame *frames, guint n_frames)
{
  WeftWaitPrimitive best = WEFT_WAIT_PRIMITIVE_UNKNOWN;

  for (guint i = 0; i < MIN (n_frames, MAX_INNER); i++)
    {
      WeftWaitPrimitive primitive;
      guint64 address = frames[i].offset;

      if (frames[i].module == NULL || (frames[i].flags & WEFT_FRAME_KERNEL))
        continue;
      if (frames[i].flags & WEFT_FRAME_RETURN_ADDRESS)
        address--;
      primitive = find_range (get_ranges (self, frames[i].module), address);
      if (primitive > WEFT_WAIT_PRIMITIVE_LIBRARY)
        return primitive;
      if (primitive == WEFT_WAIT_PRIMITIVE_RAW)
        best = primitive;
      else if (i == 0 && is_c_library (frames[i].module))
        best = WEFT_WAIT_PRIMITIVE_LIBRARY;
    }
  return best;
}
