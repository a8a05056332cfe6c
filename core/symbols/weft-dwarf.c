/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-dwarf.h"

#include <dwarf.h>

#define MAX_UNITS (1u << 20)
#define MAX_RANGES_PER_UNIT (1u << 16)
/* Of one function to the next that it is a copy of. */
#define MAX_ORIGINS 16
/* How many that begin before an address are looked at for one that reaches over it. */
#define MAX_STEPS 64

typedef struct
{
  guint64 low;
  guint64 high;
  guint64 reach; /* the furthest end of it and of those before it */
  guint32 unit;
} UnitRange;

struct _WeftDwarf
{
  Dwarf *dwarf;
  Dwarf *alternate;
  GPtrArray *units; /* WeftDwarfUnit */
  GArray *ranges;   /* UnitRange, by address */
  GHashTable *paths;
  gboolean has_split_units;
};

static void
unit_free (gpointer data)
{
  WeftDwarfUnit *unit = data;

  weft_dwarf_unit_clear (unit);
  g_free (unit);
}

static void
add_unit (WeftDwarf *self, Dwarf_Die *die, gboolean is_split)
{
  WeftDwarfUnit *unit = g_new0 (WeftDwarfUnit, 1);
  guint32 number = self->units->len;
  Dwarf_Addr base, low, high;
  ptrdiff_t at = 0;

  unit->die = *die;
  unit->paths = self->paths;
  unit->is_split = is_split;
  self->has_split_units |= is_split;
  g_ptr_array_add (self->units, unit);
  for (guint i = 0; i < MAX_RANGES_PER_UNIT; i++)
    {
      at = dwarf_ranges (die, at, &base, &low, &high);
      if (at <= 0)
        break;
      if (low < high)
        g_array_append_val (self->ranges, ((UnitRange){ low, high, 0, number }));
    }
}

static int
compare_ranges (gconstpointer a, gconstpointer b)
{
  const UnitRange *x = a;
  const UnitRange *y = b;

  if (x->low != y->low)
    return x->low < y->low ? -1 : 1;
  return x->high < y->high ? -1 : x->high > y->high;
}

static void
read_units (WeftDwarf *self)
{
  Dwarf_CU *unit = NULL;
  guint8 type;
  Dwarf_Die die;
  guint64 reach = 0;

  while (self->units->len < MAX_UNITS &&
         dwarf_get_units (self->dwarf, unit, &unit, NULL, &type, &die, NULL) == 0)
    if (dwarf_tag (&die) == DW_TAG_compile_unit || dwarf_tag (&die) == DW_TAG_skeleton_unit)
      add_unit (self, &die, type == DW_UT_skeleton || dwarf_hasattr (&die, DW_AT_GNU_dwo_name));
  g_array_sort (self->ranges, compare_ranges);
  for (guint i = 0; i < self->ranges->len; i++)
    {
      UnitRange *range = &g_array_index (self->ranges, UnitRange, i);

      reach = MAX (reach, range->high);
      range->reach = reach;
    }
}

WeftDwarf *
weft_dwarf_new (Elf *elf, Elf *alternate)
{
  Dwarf *dwarf = dwarf_begin_elf (elf, DWARF_C_READ, NULL);
  WeftDwarf *self;

  if (dwarf == NULL)
    return NULL;
  self = g_new0 (WeftDwarf, 1);
  self->dwarf = dwarf;
  self->units = g_ptr_array_new_with_free_func (unit_free);
  self->ranges = g_array_new (FALSE, FALSE, sizeof (UnitRange));
  self->paths = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  if (alternate != NULL)
    self->alternate = dwarf_begin_elf (alternate, DWARF_C_READ, NULL);
  if (self->alternate != NULL)
    dwarf_setalt (dwarf, self->alternate);
  read_units (self);
  if (self->ranges->len == 0)
    g_clear_pointer (&self, weft_dwarf_free);
  return self;
}

void
weft_dwarf_free (WeftDwarf *self)
{
  g_ptr_array_unref (self->units);
  g_array_unref (self->ranges);
  g_hash_table_unref (self->paths);
  dwarf_end (self->dwarf);
  if (self->alternate != NULL)
    dwarf_end (self->alternate);
  g_free (self);
}

gboolean
weft_dwarf_has_split_units (WeftDwarf *self)
{
  return self->has_split_units;
}

WeftDwarfUnit *
weft_dwarf_find_unit (WeftDwarf *self, guint64 address)
{
  const UnitRange *ranges = (const UnitRange *) (void *) self->ranges->data;
  guint low = 0;
  guint high = self->ranges->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (ranges[middle].low <= address)
        low = middle + 1;
      else
        high = middle;
    }
  for (guint i = low, steps = 0; i > 0 && ranges[i - 1].reach > address && steps < MAX_STEPS;
       i--, steps++)
    if (address < ranges[i - 1].high)
      {
        WeftDwarfUnit *unit = g_ptr_array_index (self->units, ranges[i - 1].unit);

        weft_dwarf_unit_index (unit);
        return unit;
      }
  return NULL;
}

/* A copy of a function refers to the function, a definition to its declaration. */
static gboolean
follow (Dwarf_Die *die)
{
  static const guint names[] = { DW_AT_abstract_origin, DW_AT_specification };
  Dwarf_Attribute attribute;

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (dwarf_attr (die, names[i], &attribute) != NULL &&
        dwarf_formref_die (&attribute, die) != NULL)
      return TRUE;
  return FALSE;
}

static const char *
text_of (Dwarf_Die *die, guint name)
{
  Dwarf_Attribute attribute;

  return dwarf_attr (die, name, &attribute) != NULL ? dwarf_formstring (&attribute) : NULL;
}

/* The library joins a file with its directory, not that with the unit's. */
const char *
weft_dwarf_get_path (GHashTable *paths, Dwarf_Die *unit, const char *file)
{
  const char *directory;
  char *path;

  if (file == NULL || file[0] == '/')
    return file;
  path = g_hash_table_lookup (paths, file);
  if (path != NULL)
    return path;
  directory = text_of (unit, DW_AT_comp_dir);
  path = directory != NULL ? g_build_filename (directory, file, NULL) : g_strdup (file);
  g_hash_table_insert (paths, (gpointer) file, path);
  return path;
}

static void
take_declaration (WeftDwarf *self, Dwarf_Die *die, WeftDwarfFunction *function)
{
  Dwarf_Die unit;
  int line;

  if (function->file != NULL || dwarf_decl_line (die, &line) != 0)
    return;
  function->file = dwarf_decl_file (die);
  if (dwarf_diecu (die, &unit, NULL, NULL) != NULL)
    function->file = weft_dwarf_get_path (self->paths, &unit, function->file);
  function->line = line;
}

gboolean
weft_dwarf_describe (WeftDwarf *self, Dwarf_Off offset, WeftDwarfFunction *function)
{
  Dwarf_Die die;

  *function = (WeftDwarfFunction){ 0 };
  if (dwarf_offdie (self->dwarf, offset, &die) == NULL)
    return FALSE;
  for (guint i = 0; i < MAX_ORIGINS; i++)
    {
      if (function->name == NULL)
        function->name = text_of (&die, DW_AT_name);
      if (function->linkage_name == NULL)
        function->linkage_name = text_of (&die, DW_AT_linkage_name);
      if (function->linkage_name == NULL)
        function->linkage_name = text_of (&die, DW_AT_MIPS_linkage_name);
      take_declaration (self, &die, function);
      if (!follow (&die))
        break;
    }
  return function->name != NULL || function->linkage_name != NULL;
}

void
weft_dwarf_get_call (WeftDwarf *self, WeftDwarfUnit *unit, Dwarf_Off offset, const char **file,
                     guint32 *line)
{
  Dwarf_Files *files;
  Dwarf_Attribute attribute;
  Dwarf_Word word;
  Dwarf_Die die;
  size_t n_files;

  *file = NULL;
  *line = 0;
  if (dwarf_offdie (self->dwarf, offset, &die) == NULL)
    return;
  if (dwarf_attr (&die, DW_AT_call_line, &attribute) != NULL &&
      dwarf_formudata (&attribute, &word) == 0)
    *line = (guint32) word;
  if (dwarf_attr (&die, DW_AT_call_file, &attribute) != NULL &&
      dwarf_formudata (&attribute, &word) == 0 &&
      dwarf_getsrcfiles (&unit->die, &files, &n_files) == 0 && word < n_files)
    *file = weft_dwarf_get_path (self->paths, &unit->die, dwarf_filesrc (files, word, NULL, NULL));
}
