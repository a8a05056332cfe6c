/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-dwarf.h"

#include <dwarf.h>

#define MAX_DEPTH 512
#define MAX_RANGES (1u << 16) /* of one function or call */
#define NO_NODE G_MAXUINT32
/* How many that begin before an address are looked at for the innermost one around it. */
#define MAX_STEPS 64

/* Where in the tree of entries it is: the function or call that encloses, and the function. */
typedef struct
{
  Dwarf_Die die;
  guint32 node;
  guint32 function;
} Level;

typedef struct
{
  WeftDwarfUnit *unit;
  guint depth;
  Level levels[MAX_DEPTH];
} Walk;

/* Declarations in types are no code, and their definitions stand elsewhere. */
static gboolean
may_have_code (guint tag)
{
  switch (tag)
    {
    case DW_TAG_structure_type:
    case DW_TAG_class_type:
    case DW_TAG_union_type:
    case DW_TAG_enumeration_type:
    case DW_TAG_array_type:
    case DW_TAG_subroutine_type:
    case DW_TAG_variable:
    case DW_TAG_formal_parameter:
    case DW_TAG_call_site:
    case DW_TAG_GNU_call_site:
    case DW_TAG_base_type:
    case DW_TAG_variant_part:
      return FALSE;
    default:
      return TRUE;
    }
}

static guint32
add_node (WeftDwarfUnit *self, Dwarf_Die *die, guint32 parent)
{
  WeftDwarfNode node = { .die = dwarf_dieoffset (die), .first_range = self->inlined_ranges->len };
  guint32 number = self->nodes->len;

  node.parent = parent == NO_NODE ? number : parent;
  if (parent != NO_NODE)
    node.depth = g_array_index (self->nodes, WeftDwarfNode, parent).depth + 1;
  g_array_append_val (self->nodes, node);
  return number;
}

static guint
add_ranges (GArray *ranges, Dwarf_Die *die, guint32 node)
{
  Dwarf_Addr base, low, high;
  ptrdiff_t at = 0;
  guint n = 0;

  while (n < MAX_RANGES && (at = dwarf_ranges (die, at, &base, &low, &high)) > 0)
    {
      if (low < high)
        g_array_append_val (ranges, ((WeftDwarfRange){ low, high, node }));
      n++;
    }
  return n;
}

static gboolean
has_code (Dwarf_Die *die)
{
  return dwarf_hasattr (die, DW_AT_low_pc) || dwarf_hasattr (die, DW_AT_ranges);
}

/* Makes LEVEL's node the one of its entry, if that is a function or a call. */
static void
visit (WeftDwarfUnit *self, Level *level)
{
  guint tag = dwarf_tag (&level->die);

  if (tag == DW_TAG_subprogram && has_code (&level->die))
    {
      level->node = add_node (self, &level->die, NO_NODE);
      level->function = level->node;
      add_ranges (self->functions, &level->die, level->node);
    }
  else if (tag == DW_TAG_inlined_subroutine && level->node != NO_NODE && has_code (&level->die))
    {
      level->node = add_node (self, &level->die, level->node);
      add_ranges (self->inlined_ranges, &level->die, level->node);
    }
}

static gboolean
descend (Walk *walk)
{
  Level *level = &walk->levels[walk->depth];
  Level *inner = level + 1;

  if (walk->depth + 1 == MAX_DEPTH || !may_have_code (dwarf_tag (&level->die)) ||
      dwarf_child (&level->die, &inner->die) != 0)
    return FALSE;
  inner->node = level->node;
  inner->function = level->function;
  walk->depth++;
  return TRUE;
}

/* A function is over: what was inlined since it began is in it. */
static void
leave (Walk *walk)
{
  Level *level = &walk->levels[walk->depth];

  if (level->function != NO_NODE && level->node == level->function &&
      dwarf_tag (&level->die) == DW_TAG_subprogram)
    g_array_index (walk->unit->nodes, WeftDwarfNode, level->node).end_range =
        walk->unit->inlined_ranges->len;
}

/* To the next entry beside it, or beside one that it is in. FALSE: that was the last. */
static gboolean
advance (Walk *walk)
{
  while (walk->depth > 0)
    {
      Level *level = &walk->levels[walk->depth];

      leave (walk);
      if (dwarf_siblingof (&level->die, &level->die) == 0)
        {
          level->node = level[-1].node;
          level->function = level[-1].function;
          return TRUE;
        }
      walk->depth--;
    }
  return FALSE;
}

static int
compare_ranges (gconstpointer a, gconstpointer b)
{
  const WeftDwarfRange *x = a;
  const WeftDwarfRange *y = b;

  if (x->low != y->low)
    return x->low < y->low ? -1 : 1;
  /* Inner ones last: they are found first. */
  return x->high > y->high ? -1 : x->high < y->high;
}

static void
read_functions (WeftDwarfUnit *self)
{
  Walk *walk = g_new (Walk, 1);
  gboolean more;

  walk->unit = self;
  walk->depth = 0;
  walk->levels[0] = (Level){ self->die, NO_NODE, NO_NODE };
  more = descend (walk);
  while (more)
    {
      visit (self, &walk->levels[walk->depth]);
      more = descend (walk) || advance (walk);
    }
  g_array_sort (self->functions, compare_ranges);
  g_free (walk);
}

static void
read_lines (WeftDwarfUnit *self)
{
  Dwarf_Lines *lines;
  size_t n;

  if (dwarf_getsrclines (&self->die, &lines, &n) != 0)
    return;
  for (size_t i = 0; i < n; i++)
    {
      Dwarf_Line *row = dwarf_onesrcline (lines, i);
      WeftDwarfLine line = { 0 };
      Dwarf_Addr address;
      bool ends = FALSE;
      int number = 0;

      if (dwarf_lineaddr (row, &address) != 0)
        continue;
      dwarf_lineno (row, &number);
      dwarf_lineendsequence (row, &ends);
      line.address = address;
      line.line = number;
      line.ends = ends;
      line.file = weft_dwarf_get_path (self->paths, &self->die, dwarf_linesrc (row, NULL, NULL));
      g_array_append_val (self->lines, line);
    }
}

void
weft_dwarf_unit_index (WeftDwarfUnit *self)
{
  if (self->is_indexed)
    return;
  self->is_indexed = TRUE;
  self->nodes = g_array_new (FALSE, FALSE, sizeof (WeftDwarfNode));
  self->functions = g_array_new (FALSE, FALSE, sizeof (WeftDwarfRange));
  self->inlined_ranges = g_array_new (FALSE, FALSE, sizeof (WeftDwarfRange));
  self->lines = g_array_new (FALSE, FALSE, sizeof (WeftDwarfLine));
  if (!self->is_split)
    read_functions (self);
  read_lines (self);
}

void
weft_dwarf_unit_clear (WeftDwarfUnit *self)
{
  g_clear_pointer (&self->nodes, g_array_unref);
  g_clear_pointer (&self->functions, g_array_unref);
  g_clear_pointer (&self->inlined_ranges, g_array_unref);
  g_clear_pointer (&self->lines, g_array_unref);
  self->is_indexed = FALSE;
}

const WeftDwarfRange *
weft_dwarf_unit_find_function (WeftDwarfUnit *self, guint64 address)
{
  const WeftDwarfRange *ranges = (const WeftDwarfRange *) (void *) self->functions->data;
  guint low = 0;
  guint high = self->functions->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (ranges[middle].low <= address)
        low = middle + 1;
      else
        high = middle;
    }
  for (guint i = low, steps = 0; i > 0 && steps < MAX_STEPS; i--, steps++)
    if (address < ranges[i - 1].high)
      return &ranges[i - 1];
  return NULL;
}

gssize
weft_dwarf_unit_find_line (WeftDwarfUnit *self, guint64 address)
{
  const WeftDwarfLine *lines = (const WeftDwarfLine *) (void *) self->lines->data;
  guint low = 0;
  guint high = self->lines->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (lines[middle].address <= address)
        low = middle + 1;
      else
        high = middle;
    }
  return low > 0 && !lines[low - 1].ends ? (gssize) low - 1 : -1;
}
