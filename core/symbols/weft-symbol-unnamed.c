/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Functions that a stripped file no longer names: how to unwind them it still says, and with that where
 * each begins and ends. So what was sampled in one function is told as one, by its address.
 */

#include "weft-symbol-table.h"

#include "weft-unwind-cfi.h"

/* As disassemblers call them. */
#define UNNAMED "sub_%" G_GINT64_MODIFIER "x"

static gboolean
is_known (WeftSymbolTable *self, guint64 address)
{
  guint64 gap_start, gap_end;

  return weft_symbol_table_find (self, address, &gap_start, &gap_end) != NULL;
}

static void
add_range (WeftSymbolTable *self, const WeftUnwindFde *fde, GArray *found)
{
  if (fde->begin < fde->end && !is_known (self, fde->begin))
    g_array_append_val (found, ((WeftSymbolSegment){ fde->begin, fde->end - fde->begin, 0 }));
}

static void
collect (WeftSymbolTable *self, const WeftUnwindSection *section, GArray *found)
{
  WeftUnwindCie cie = { 0 };
  gsize next, cie_offset;
  WeftUnwindEntry entry;

  for (gsize at = 0; at < section->size; at = next)
    {
      WeftUnwindFde fde;

      entry = weft_unwind_section_next (section, at, &next);
      if (entry == WEFT_UNWIND_ENTRY_NONE)
        return;
      if (entry != WEFT_UNWIND_ENTRY_FDE ||
          !weft_unwind_section_find_cie (section, at, &cie_offset))
        continue;
      if (cie.offset != cie_offset + 1 &&
          !weft_unwind_section_read_cie (section, cie_offset, &cie))
        continue;
      if (weft_unwind_section_read_fde (section, at, &cie, &fde))
        add_range (self, &fde, found);
    }
}

void
weft_symbol_table_add_unnamed (WeftSymbolTable *self, WeftSymbolImage *image)
{
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (WeftSymbolSegment));
  GElf_Shdr header;
  Elf_Scn *section = weft_symbol_image_find (image, ".eh_frame", &header);
  Elf_Data *data = section != NULL && header.sh_type != SHT_NOBITS ? elf_getdata (section, NULL)
                                                                   : NULL;

  if (data == NULL || data->d_buf == NULL)
    return;
  collect (self, &(WeftUnwindSection){ data->d_buf, data->d_size, header.sh_addr, FALSE }, found);
  for (guint i = 0; i < found->len; i++)
    {
      const WeftSymbolSegment *range = &g_array_index (found, WeftSymbolSegment, i);

      weft_symbol_table_add_entry (self, range->address, range->length,
                                   g_strdup_printf (UNNAMED, range->address));
    }
}
