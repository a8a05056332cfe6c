/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-kernel-symbols.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The last function of a stretch of code has no next one to end at. */
#define MAX_SIZE (1u << 20)
#define MAX_LINES (1u << 22)

typedef struct
{
  guint64 address;
  char *name;
} Entry;

static void
entry_clear (gpointer data)
{
  Entry *entry = data;

  g_free (entry->name);
}

static int
compare (gconstpointer a, gconstpointer b)
{
  const Entry *x = a;
  const Entry *y = b;

  return x->address < y->address ? -1 : x->address > y->address;
}

/* "ffffffff81000000 T name" or "… t name\t[module]". */
static void
parse_line (GArray *entries, const char *line, gsize length)
{
  g_autofree char *copy = g_strndup (line, length);
  char *end;
  guint64 address = g_ascii_strtoull (copy, &end, 16);
  char *module;

  if (end[0] != ' ' || end[1] == '\0' || end[2] != ' ' || strchr ("tTwW", end[1]) == NULL)
    return;
  module = strchr (end + 3, '\t');
  if (module != NULL)
    *module = ' ';
  g_array_append_val (entries, ((Entry){ address, g_strdup (end + 3) }));
}

WeftSymbolNames *
weft_kernel_symbols_parse (const char *text, gsize length, char **reason)
{
  g_autoptr (GArray) entries = g_array_new (FALSE, FALSE, sizeof (Entry));
  const char *end = text + length;
  WeftSymbolNames *names;

  g_array_set_clear_func (entries, entry_clear);
  for (const char *line = text; line < end && entries->len < MAX_LINES;)
    {
      const char *next = memchr (line, '\n', end - line);

      if (next == NULL)
        next = end;
      parse_line (entries, line, next - line);
      line = next + 1;
    }
  g_array_sort (entries, compare);
  if (entries->len == 0 || g_array_index (entries, Entry, entries->len - 1).address == 0)
    {
      *reason = g_strdup (entries->len == 0 ? "/proc/kallsyms cannot be read"
                                            : "the kernel hides its addresses from this user "
                                              "(kernel.kptr_restrict): record as root");
      return NULL;
    }
  names = weft_symbol_names_new ();
  for (guint i = 0; i < entries->len; i++)
    {
      const Entry *entry = &g_array_index (entries, Entry, i);
      guint64 next = entry->address + MAX_SIZE;

      /* Of several names at one address the first is what the kernel's own traces show. */
      if (i > 0 && entry[-1].address == entry->address)
        continue;
      for (guint j = i + 1; j < entries->len; j++)
        if (g_array_index (entries, Entry, j).address != entry->address)
          {
            next = MIN (next, g_array_index (entries, Entry, j).address);
            break;
          }
      weft_symbol_names_add (names, &(WeftSymbolNamed){ .start = entry->address,
                                                        .size = next - entry->address,
                                                        .name = entry->name,
                                                        .file_offset = G_MAXUINT64 });
    }
  return names;
}

WeftSymbolNames *
weft_kernel_symbols_read (char **reason)
{
  g_autofree char *text = NULL;
  gsize length;

  if (!g_file_get_contents ("/proc/kallsyms", &text, &length, NULL))
    {
      *reason = g_strdup ("/proc/kallsyms cannot be read");
      return NULL;
    }
  return weft_kernel_symbols_parse (text, length, reason);
}
