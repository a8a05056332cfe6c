/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tables of functions of sources. Those of GLib's own kinds are variables that it exports, and are
 * changed where they are, as GLib makes sources of them without calling what could be watched. All
 * others are copied, and GLib is given the copy: the program's own may be constant.
 */
#include <stdlib.h>
#include <string.h>

#include "weft-glib-sources.h"

#define N_BUCKETS 512
/* Sources with later tables go unwatched: a program that makes a table for each source would never
 * give back what copies take.
 */
#define MAX_TABLES 4096

typedef struct Table Table;

struct Table
{
  GlibSourceFuncs copy; /* first: what sources point to */
  GlibSourceFuncs seen; /* as the original was when it was copied */
  const GlibSourceFuncs *original;
  Table *next;
};

typedef struct
{
  const char *name;
  const char *kind;
  GlibSourceFuncs *funcs; /* NULL: this GLib has none */
  GlibSourceFuncs original;
} OwnTable;

static OwnTable own[] = {
  { .name = "g_idle_funcs", .kind = "idle" },
  { .name = "g_timeout_funcs", .kind = "timeout" },
  { .name = "g_unix_fd_source_funcs", .kind = "fd" },
  { .name = "g_io_watch_funcs", .kind = "channel" },
  { .name = "g_child_watch_funcs", .kind = "child" },
  { .name = "g_unix_signal_funcs", .kind = "signal" },
};

#define N_OWN (sizeof own / sizeof *own)

static GlibLock lock;
static Table *buckets[N_BUCKETS];
static unsigned n_tables;

static OwnTable *
find_own (const GlibSourceFuncs *funcs)
{
  for (size_t i = 0; i < N_OWN; i++)
    if (own[i].funcs == funcs)
      return &own[i];
  return NULL;
}

const GlibSourceFuncs *
weft_glib_original (const GlibSource *source, const char **kind)
{
  const OwnTable *known = find_own (source->funcs);

  if (known != NULL)
    {
      *kind = known->kind;
      return &known->original;
    }
  *kind = "source";
  return ((const Table *) source->funcs)->original;
}

static int
dispatch (void *source, GlibCallback callback, void *data)
{
  const char *kind;
  const GlibSourceFuncs *original = weft_glib_original (source, &kind);

  if (!weft_target_enabled ())
    return original->dispatch (source, callback, data);
  return weft_glib_dispatch (source, callback, data, original, kind);
}

static void
finalize (void *source)
{
  const char *kind;
  const GlibSourceFuncs *original = weft_glib_original (source, &kind);

  weft_glib_source_gone (source);
  if (original->finalize != NULL)
    original->finalize (source);
}

void
weft_glib_wrap_own (void)
{
  for (size_t i = 0; i < N_OWN; i++)
    {
      GlibSourceFuncs *funcs = weft_glib_symbol (own[i].name, NULL);

      if (funcs == NULL || funcs->dispatch == NULL)
        continue;
      own[i].original = *funcs;
      __atomic_store_n (&own[i].funcs, funcs, __ATOMIC_RELEASE);
      __atomic_store_n (&funcs->finalize, finalize, __ATOMIC_RELEASE);
      __atomic_store_n (&funcs->dispatch, dispatch, __ATOMIC_RELEASE);
    }
}

/* ---- Copies ---- */

static Table **
get_bucket (const GlibSourceFuncs *funcs)
{
  return &buckets[((uintptr_t) funcs >> 3) % N_BUCKETS];
}

/* The program may have written other functions to the same place since. */
static Table *
find_table (const GlibSourceFuncs *funcs)
{
  Table *table = *get_bucket (funcs);

  while (table != NULL &&
         (table->original != funcs || memcmp (&table->seen, funcs, sizeof *funcs) != 0))
    table = table->next;
  return table;
}

static Table *
copy_table (const GlibSourceFuncs *funcs)
{
  Table *table = n_tables < MAX_TABLES ? calloc (1, sizeof *table) : NULL;
  Table **bucket = get_bucket (funcs);

  if (table == NULL)
    return NULL;
  n_tables++;
  table->original = funcs;
  table->seen = table->copy = *funcs;
  table->copy.dispatch = dispatch;
  table->copy.finalize = finalize;
  table->next = *bucket;
  *bucket = table;
  return table;
}

const GlibSourceFuncs *
weft_glib_wrap (const GlibSourceFuncs *funcs)
{
  Table *table;

  if (funcs == NULL || funcs->dispatch == NULL || funcs->dispatch == dispatch)
    return funcs;
  weft_glib_lock (&lock);
  table = find_table (funcs);
  if (table == NULL)
    table = copy_table (funcs);
  weft_glib_unlock (&lock);
  return table != NULL ? &table->copy : funcs;
}

const GlibSourceFuncs *
weft_glib_wrapped (const GlibSourceFuncs *funcs, unsigned n)
{
  Table *table;

  weft_glib_lock (&lock);
  for (table = *get_bucket (funcs); table != NULL; table = table->next)
    if (table->original == funcs && n-- == 0)
      break;
  weft_glib_unlock (&lock);
  return table != NULL ? &table->copy : NULL;
}
