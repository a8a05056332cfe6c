/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-symbol-table.h"

#include <string.h>

/* How many that begin before an address are looked at for one that reaches over it. */
#define MAX_STEPS 64
/* A symbol without a size reaches to the next one, but not for ever. */
#define MAX_UNSIZED (1u << 20)

struct _WeftSymbolTable
{
  GArray *entries;  /* WeftSymbolEntry */
  GArray *sections; /* WeftSymbolSegment: executable ones, the bounds of symbols without a size */
  GPtrArray *names; /* owned */
  guint64 *reach;   /* of each: the furthest end of it and those before it */
};

WeftSymbolTable *
weft_symbol_table_new (void)
{
  WeftSymbolTable *self = g_new0 (WeftSymbolTable, 1);

  self->entries = g_array_new (FALSE, FALSE, sizeof (WeftSymbolEntry));
  self->sections = g_array_new (FALSE, FALSE, sizeof (WeftSymbolSegment));
  self->names = g_ptr_array_new_with_free_func (g_free);
  return self;
}

void
weft_symbol_table_free (WeftSymbolTable *self)
{
  g_array_unref (self->entries);
  g_array_unref (self->sections);
  g_ptr_array_unref (self->names);
  g_free (self->reach);
  g_free (self);
}

/* Larger is better: what has a size and is a function, then what people call it. */
static guint
rank (const GElf_Sym *symbol, const char *name)
{
  guint underscores = strspn (name, "_");
  guint score = 0;

  if (symbol->st_size > 0)
    score |= 1 << 6;
  if (GELF_ST_TYPE (symbol->st_info) != STT_NOTYPE)
    score |= 1 << 5;
  score |= (3 - MIN (underscores, 3)) << 3;
  if (GELF_ST_BIND (symbol->st_info) == STB_GLOBAL)
    score |= 2;
  else if (GELF_ST_BIND (symbol->st_info) == STB_WEAK)
    score |= 1;
  return score;
}

/* Marks that assemblers leave: $x and $d on ARM, local labels. */
static gboolean
is_name (const char *name)
{
  return name != NULL && name[0] != '\0' && name[0] != '$' && !g_str_has_prefix (name, ".L");
}

static gboolean
is_code (WeftSymbolImage *image, const GElf_Sym *symbol)
{
  guint type = GELF_ST_TYPE (symbol->st_info);
  GElf_Shdr header;
  Elf_Scn *section;

  if ((type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE) ||
      symbol->st_shndx == SHN_UNDEF)
    return FALSE;
  if (type != STT_NOTYPE)
    return symbol->st_shndx != SHN_ABS || symbol->st_value != 0;
  section = symbol->st_shndx < SHN_LORESERVE ? elf_getscn (image->elf, symbol->st_shndx) : NULL;
  return section != NULL && gelf_getshdr (section, &header) != NULL &&
         (header.sh_flags & SHF_EXECINSTR);
}

static void
add_symbols (WeftSymbolTable *self, WeftSymbolImage *image, Elf_Data *data, guint strings)
{
  GElf_Sym symbol;

  for (int i = 1; gelf_getsym (data, i, &symbol) != NULL; i++)
    {
      const char *name;

      if (!is_code (image, &symbol))
        continue;
      name = elf_strptr (image->elf, strings, symbol.st_name);
      if (is_name (name))
        g_array_append_val (self->entries, ((WeftSymbolEntry){ symbol.st_value, symbol.st_size,
                                                               name, rank (&symbol, name) }));
    }
}

static void
add_sections (WeftSymbolTable *self, WeftSymbolImage *image)
{
  Elf_Scn *section = NULL;
  GElf_Shdr header;

  while ((section = elf_nextscn (image->elf, section)) != NULL)
    if (gelf_getshdr (section, &header) != NULL && (header.sh_flags & SHF_EXECINSTR) &&
        (header.sh_flags & SHF_ALLOC))
      g_array_append_val (self->sections,
                          ((WeftSymbolSegment){ header.sh_addr, header.sh_size, 0 }));
}

gboolean
weft_symbol_table_add (WeftSymbolTable *self, WeftSymbolImage *image, guint type)
{
  Elf_Scn *section = NULL;
  gboolean found = FALSE;
  GElf_Shdr header;

  while ((section = elf_nextscn (image->elf, section)) != NULL)
    {
      Elf_Data *data;

      if (gelf_getshdr (section, &header) == NULL || header.sh_type != type)
        continue;
      data = elf_getdata (section, NULL);
      if (data == NULL || data->d_buf == NULL)
        continue;
      add_symbols (self, image, data, header.sh_link);
      found = TRUE;
    }
  if (found)
    add_sections (self, image);
  return found;
}

void
weft_symbol_table_add_entry (WeftSymbolTable *self, guint64 address, guint64 size, char *name)
{
  g_ptr_array_add (self->names, name);
  g_array_append_val (self->entries, ((WeftSymbolEntry){ address, size, name, 0 }));
}

static int
compare (gconstpointer a, gconstpointer b)
{
  const WeftSymbolEntry *x = a;
  const WeftSymbolEntry *y = b;
  gsize length_x, length_y;

  if (x->address != y->address)
    return x->address < y->address ? -1 : 1;
  if (x->rank != y->rank)
    return x->rank > y->rank ? -1 : 1;
  length_x = strlen (x->name);
  length_y = strlen (y->name);
  if (length_x != length_y)
    return length_x < length_y ? -1 : 1;
  return strcmp (x->name, y->name);
}

static guint64
section_end (WeftSymbolTable *self, guint64 address)
{
  for (guint i = 0; i < self->sections->len; i++)
    {
      const WeftSymbolSegment *s = &g_array_index (self->sections, WeftSymbolSegment, i);

      if (address >= s->address && address - s->address < s->length)
        return s->address + s->length;
    }
  return G_MAXUINT64;
}

/* Keeps the first of each address, and gives sizes to those that have none. */
static void
settle (WeftSymbolTable *self)
{
  WeftSymbolEntry *entries = (WeftSymbolEntry *) (void *) self->entries->data;
  guint n = 0;

  for (guint i = 0; i < self->entries->len; i++)
    if (n == 0 || entries[n - 1].address != entries[i].address)
      entries[n++] = entries[i];
  g_array_set_size (self->entries, n);
  self->reach = g_renew (guint64, self->reach, n + 1);
  for (guint i = 0; i < n; i++)
    {
      guint64 next = i + 1 < n ? entries[i + 1].address : G_MAXUINT64;
      guint64 end;

      if (entries[i].size == 0)
        entries[i].size = MIN (
            MIN (next, section_end (self, entries[i].address)) - entries[i].address, MAX_UNSIZED);
      entries[i].size = MIN (entries[i].size, G_MAXUINT64 - entries[i].address);
      end = entries[i].address + entries[i].size;
      self->reach[i] = i > 0 ? MAX (end, self->reach[i - 1]) : end;
    }
}

void
weft_symbol_table_sort (WeftSymbolTable *self)
{
  g_array_sort (self->entries, compare);
  settle (self);
}

guint
weft_symbol_table_get_n_entries (WeftSymbolTable *self)
{
  return self->entries->len;
}

/* How many begin at or before ADDRESS. */
static guint
n_before (WeftSymbolTable *self, guint64 address)
{
  const WeftSymbolEntry *entries = (const WeftSymbolEntry *) (void *) self->entries->data;
  guint low = 0;
  guint high = self->entries->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (entries[middle].address <= address)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

const WeftSymbolEntry *
weft_symbol_table_find (WeftSymbolTable *self, guint64 address, guint64 *gap_start,
                        guint64 *gap_end)
{
  const WeftSymbolEntry *entries = (const WeftSymbolEntry *) (void *) self->entries->data;
  guint n = n_before (self, address);

  for (guint i = n, steps = 0; i > 0 && self->reach[i - 1] > address && steps < MAX_STEPS;
       i--, steps++)
    if (address - entries[i - 1].address < entries[i - 1].size)
      return &entries[i - 1];
  *gap_start = n > 0 ? MIN (self->reach[n - 1], address) : 0;
  *gap_end = n < self->entries->len ? entries[n].address : G_MAXUINT64;
  return NULL;
}

const WeftSymbolEntry *
weft_symbol_table_find_start (WeftSymbolTable *self, guint64 address)
{
  guint n = n_before (self, address);
  const WeftSymbolEntry *entry;

  if (n == 0)
    return NULL;
  entry = &g_array_index (self->entries, WeftSymbolEntry, n - 1);
  return entry->address == address ? entry : NULL;
}
