/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-kernel-symbols.h"

#include <string.h>

#include "weft-symbol-names.h"

/* The last function of a stretch of code has no next one to end at. */
#define MAX_SIZE (1u << 20)
#define MAX_ENTRIES (1u << 22)

typedef struct
{
  guint64 address;
  guint32 position; /* of the line, for the order at one address */
  guint32 name;     /* in the text */
} Entry;

/* Few of them are asked for: only those become functions. */
struct _WeftKernelSymbols
{
  char *text;
  GArray *entries; /* Entry, by address; one of each */
  WeftSymbolNames *names;
};

static int
compare (gconstpointer a, gconstpointer b)
{
  const Entry *x = a;
  const Entry *y = b;

  if (x->address != y->address)
    return x->address < y->address ? -1 : 1;
  return x->position < y->position ? -1 : x->position > y->position;
}

/* "ffffffff81000000 T name" or "… t name\t[module]"; ends with a nought. */
static void
parse_line (WeftKernelSymbols *self, char *line)
{
  Entry entry = { .position = self->entries->len };
  char *at = line;
  char *module;

  for (; g_ascii_isxdigit (*at); at++)
    entry.address = entry.address << 4 | (guint64) g_ascii_xdigit_value (*at);
  if (at == line || at[0] != ' ' || at[1] == '\0' || at[2] != ' ' || at[3] == '\0' ||
      strchr ("tTwW", at[1]) == NULL)
    return;
  module = strchr (at + 3, '\t');
  if (module != NULL)
    *module = ' ';
  entry.name = at + 3 - self->text;
  g_array_append_val (self->entries, entry);
}

static void
parse_lines (WeftKernelSymbols *self, gsize length)
{
  char *end = self->text + length;

  for (char *line = self->text; line < end && self->entries->len < MAX_ENTRIES;)
    {
      char *next = memchr (line, '\n', end - line);

      if (next == NULL)
        next = end;
      *next = '\0';
      parse_line (self, line);
      line = next + 1;
    }
}

/* Of several names at one address the first is what the kernel's own traces show. */
static void
drop_repeated (GArray *entries)
{
  guint n = 0;

  for (guint i = 0; i < entries->len; i++)
    if (n == 0 ||
        g_array_index (entries, Entry, n - 1).address != g_array_index (entries, Entry, i).address)
      g_array_index (entries, Entry, n++) = g_array_index (entries, Entry, i);
  g_array_set_size (entries, n);
}

WeftKernelSymbols *
weft_kernel_symbols_parse (char *text, gsize length, char **reason)
{
  WeftKernelSymbols *self = g_new0 (WeftKernelSymbols, 1);
  const Entry *last;

  /* With room for the nought behind the last line. */
  self->text = g_realloc (text, length + 1);
  self->entries = g_array_new (FALSE, FALSE, sizeof (Entry));
  self->names = weft_symbol_names_new ();
  parse_lines (self, MIN (length, G_MAXUINT32 - 1));
  g_array_sort (self->entries, compare);
  drop_repeated (self->entries);
  last =
      self->entries->len > 0 ? &g_array_index (self->entries, Entry, self->entries->len - 1) : NULL;
  if (last != NULL && last->address != 0)
    return self;
  *reason = g_strdup (last == NULL ? "/proc/kallsyms cannot be read"
                                   : "the kernel hides its addresses from this user "
                                     "(kernel.kptr_restrict): record as root");
  weft_kernel_symbols_free (self);
  return NULL;
}

WeftKernelSymbols *
weft_kernel_symbols_read (char **reason)
{
  char *text;
  gsize length;

  if (g_file_get_contents ("/proc/kallsyms", &text, &length, NULL))
    return weft_kernel_symbols_parse (text, length, reason);
  *reason = g_strdup ("/proc/kallsyms cannot be read");
  return NULL;
}

void
weft_kernel_symbols_free (WeftKernelSymbols *self)
{
  g_array_unref (self->entries);
  weft_symbol_names_free (self->names);
  g_free (self->text);
  g_free (self);
}

const WeftSymbolFunction *
weft_kernel_symbols_find (WeftKernelSymbols *self, guint64 address)
{
  const WeftSymbolFunction *function = weft_symbol_names_find (self->names, address);
  guint low = 0;
  guint high = self->entries->len;
  const Entry *entry;
  guint64 size = MAX_SIZE;

  if (function != NULL)
    return function;
  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (g_array_index (self->entries, Entry, middle).address <= address)
        low = middle + 1;
      else
        high = middle;
    }
  if (low == 0)
    return NULL;
  entry = &g_array_index (self->entries, Entry, low - 1);
  if (low < self->entries->len)
    size = MIN (size, entry[1].address - entry->address);
  if (entry->address == 0 || address - entry->address >= size)
    return NULL;
  weft_symbol_names_add (self->names, &(WeftSymbolNamed){ .start = entry->address,
                                                          .size = size,
                                                          .name = self->text + entry->name,
                                                          .file_offset = G_MAXUINT64 });
  return weft_symbol_names_find (self->names, address);
}

guint
weft_kernel_symbols_get_n (WeftKernelSymbols *self)
{
  return self->entries->len;
}
