/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Entries of procedure linkage tables: each jumps through a slot that a relocation fills, which
 * names the function. Found by the jump, for linkers lay these tables out in many ways.
 */

#include "weft-symbol-table.h"

#include <string.h>

#define ENTRY_SIZE 16
#define MAX_ENTRIES (1u << 20)

typedef struct
{
  WeftSymbolTable *table;
  WeftSymbolImage *image;
  GHashTable *slots; /* guint64 address → name, in the file */
  GPtrArray *lazy;   /* name of the n-th of .rela.plt, or NULL */
} Linkage;

static const char *
relocation_name (Linkage *self, Elf_Data *symbols, guint strings, guint64 info)
{
  GElf_Sym symbol;

  if (symbols == NULL || GELF_R_SYM (info) == 0 ||
      gelf_getsym (symbols, GELF_R_SYM (info), &symbol) == NULL)
    return NULL;
  return elf_strptr (self->image->elf, strings, symbol.st_name);
}

static gboolean
is_slot (Linkage *self, guint64 info)
{
  guint64 type = GELF_R_TYPE (info);

  return self->image->machine == EM_X86_64
             ? type == R_X86_64_GLOB_DAT || type == R_X86_64_JUMP_SLOT || type == R_X86_64_IRELATIVE
             : type == R_AARCH64_GLOB_DAT || type == R_AARCH64_JUMP_SLOT ||
                   type == R_AARCH64_IRELATIVE;
}

static void
read_relocations (Linkage *self, Elf_Scn *section, const GElf_Shdr *header, gboolean is_lazy)
{
  Elf_Data *data = elf_getdata (section, NULL);
  Elf_Scn *symbol_section = elf_getscn (self->image->elf, header->sh_link);
  GElf_Shdr symbol_header = { 0 };
  Elf_Data *symbols = NULL;
  GElf_Rela relocation;

  if (symbol_section != NULL && gelf_getshdr (symbol_section, &symbol_header) != NULL &&
      (symbol_header.sh_type == SHT_DYNSYM || symbol_header.sh_type == SHT_SYMTAB))
    symbols = elf_getdata (symbol_section, NULL);
  for (guint i = 0; data != NULL && i < MAX_ENTRIES && gelf_getrela (data, i, &relocation) != NULL;
       i++)
    {
      const char *name = NULL;

      if (is_slot (self, relocation.r_info))
        name = relocation_name (self, symbols, symbol_header.sh_link, relocation.r_info);
      /* One without a symbol asks a function at run time which one to use. */
      if (name == NULL && is_slot (self, relocation.r_info) && relocation.r_addend != 0)
        {
          const WeftSymbolEntry *chooser =
              weft_symbol_table_find_start (self->table, relocation.r_addend);

          name = chooser != NULL ? chooser->name : NULL;
        }
      if (is_lazy)
        g_ptr_array_add (self->lazy, (char *) name);
      if (name != NULL && name[0] != '\0')
        g_hash_table_insert (self->slots, g_memdup2 (&relocation.r_offset, 8), (char *) name);
    }
}

static guint32
word (const guint8 *bytes)
{
  guint32 value;

  memcpy (&value, bytes, sizeof value);
  return value;
}

/* The slot that the entry at ADDRESS jumps through, or 0; LAZY gets the number that it pushes. */
static guint64
x86_64_slot (const guint8 *code, gsize length, guint64 address, guint *lazy)
{
  for (gsize i = 0; i + 6 <= length; i++)
    if (code[i] == 0xff && code[i + 1] == 0x25)
      return address + i + 6 + (gint64) (gint32) word (code + i + 2);
  for (gsize i = 0; i + 5 <= length && i <= 4; i += 4)
    if (code[i] == 0x68)
      *lazy = word (code + i + 1);
  return 0;
}

static guint64
aarch64_slot (const guint8 *code, gsize length, guint64 address)
{
  for (gsize i = 0; i + 8 <= length; i += 4)
    {
      guint32 page = word (code + i);
      guint32 load = word (code + i + 4);
      gint64 pages = ((gint64) (gint32) (page << 8) >> 13 << 2 | (page >> 29 & 3)) << 12;

      if ((page & 0x9f00001f) == 0x90000010 && (load & 0xffc003ff) == 0xf9400211)
        return (((address + i) & ~G_GUINT64_CONSTANT (0xfff)) + pages) + (load >> 10 & 0xfff) * 8;
    }
  return 0;
}

static void
read_entries (Linkage *self, Elf_Scn *section, const GElf_Shdr *header)
{
  Elf_Data *data = elf_rawdata (section, NULL);
  gsize step = header->sh_entsize == 8 ? 8 : ENTRY_SIZE;

  if (data == NULL || data->d_buf == NULL)
    return;
  for (gsize at = 0; at + step <= data->d_size && at / step < MAX_ENTRIES; at += step)
    {
      const guint8 *code = (const guint8 *) data->d_buf + at;
      guint64 address = header->sh_addr + at;
      guint lazy = G_MAXUINT;
      guint64 slot = self->image->machine == EM_X86_64 ? x86_64_slot (code, step, address, &lazy)
                                                       : aarch64_slot (code, step, address);
      const char *name = g_hash_table_lookup (self->slots, &slot);

      if (slot == 0 && lazy < self->lazy->len)
        name = g_ptr_array_index (self->lazy, lazy);
      if (name != NULL)
        weft_symbol_table_add_entry (self->table, address, step, g_strconcat (name, "@plt", NULL));
    }
}

static void
each_section (Linkage *self, gboolean relocations)
{
  Elf_Scn *section = NULL;
  GElf_Shdr header;
  size_t names;

  if (elf_getshdrstrndx (self->image->elf, &names) != 0)
    return;
  while ((section = elf_nextscn (self->image->elf, section)) != NULL)
    {
      const char *name = gelf_getshdr (section, &header) != NULL
                             ? elf_strptr (self->image->elf, names, header.sh_name)
                             : NULL;

      if (name == NULL)
        continue;
      if (relocations && header.sh_type == SHT_RELA && g_str_has_prefix (name, ".rela."))
        read_relocations (self, section, &header, g_str_equal (name, ".rela.plt"));
      if (!relocations && header.sh_type == SHT_PROGBITS &&
          (g_str_equal (name, ".plt") || g_str_has_prefix (name, ".plt.")))
        read_entries (self, section, &header);
    }
}

void
weft_symbol_table_add_linkage (WeftSymbolTable *self, WeftSymbolImage *image)
{
  Linkage linkage = { self, image, NULL, NULL };

  if (image->machine != EM_X86_64 && image->machine != EM_AARCH64)
    return;
  linkage.slots = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  linkage.lazy = g_ptr_array_new ();
  each_section (&linkage, TRUE);
  each_section (&linkage, FALSE);
  g_hash_table_unref (linkage.slots);
  g_ptr_array_unref (linkage.lazy);
}
