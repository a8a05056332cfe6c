/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-symbol-stretches.h"

/* Painting inlined calls over each other costs this much at most, for files that nest them without
 * end.
 */
#define MAX_PAINT (1u << 26)

/* Where something changes: the beginning and end of what is inlined, and of lines. */
static int
compare_addresses (gconstpointer a, gconstpointer b)
{
  guint64 x = *(const guint64 *) a;
  guint64 y = *(const guint64 *) b;

  return x < y ? -1 : x > y;
}

static const WeftDwarfNode *
function_of (WeftDwarfUnit *unit, guint32 node)
{
  return node != G_MAXUINT32 ? &g_array_index (unit->nodes, WeftDwarfNode, node) : NULL;
}

static gboolean
overlaps (const WeftDwarfRange *range, guint64 start, guint64 end)
{
  return range->low < end && range->high > start;
}

static GArray *
gather_addresses (WeftDwarfUnit *unit, const WeftDwarfNode *function, guint64 start, guint64 end)
{
  GArray *addresses = g_array_new (FALSE, FALSE, sizeof (guint64));
  gssize line = weft_dwarf_unit_find_line (unit, start);

  g_array_append_val (addresses, start);
  for (guint i = function != NULL ? function->first_range : 0;
       function != NULL && i < function->end_range; i++)
    {
      const WeftDwarfRange *range = &g_array_index (unit->inlined_ranges, WeftDwarfRange, i);

      if (!overlaps (range, start, end))
        continue;
      if (range->low > start)
        g_array_append_val (addresses, range->low);
      if (range->high < end)
        g_array_append_val (addresses, range->high);
    }
  for (guint i = line < 0 ? 0 : line; i < unit->lines->len; i++)
    {
      guint64 address = g_array_index (unit->lines, WeftDwarfLine, i).address;

      if (address >= end)
        break;
      if (address > start)
        g_array_append_val (addresses, address);
    }
  return addresses;
}

static GArray *
make_stretches (GArray *addresses)
{
  GArray *stretches = g_array_sized_new (FALSE, TRUE, sizeof (WeftSymbolStretch), addresses->len);
  guint64 last = 0;

  g_array_sort (addresses, compare_addresses);
  for (guint i = 0; i < addresses->len; i++)
    {
      WeftSymbolStretch stretch = { .address = g_array_index (addresses, guint64, i) };

      if (i > 0 && stretch.address == last)
        continue;
      last = stretch.address;
      g_array_append_val (stretches, stretch);
    }
  return stretches;
}

static guint
find (GArray *stretches, guint64 address)
{
  guint low = 0;
  guint high = stretches->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (g_array_index (stretches, WeftSymbolStretch, middle).address < address)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

/* Outer calls come before those in them, so that the inner ones stay on top. */
static void
paint_calls (WeftDwarfUnit *unit, guint32 node, GArray *stretches, guint64 start, guint64 end)
{
  const WeftDwarfNode *function = function_of (unit, node);
  guint painted = 0;

  for (guint i = 0; i < stretches->len; i++)
    g_array_index (stretches, WeftSymbolStretch, i).node = node;
  for (guint i = function != NULL ? function->first_range : 0;
       function != NULL && i < function->end_range && painted < MAX_PAINT; i++)
    {
      const WeftDwarfRange *range = &g_array_index (unit->inlined_ranges, WeftDwarfRange, i);
      guint last;

      if (!overlaps (range, start, end))
        continue;
      last = find (stretches, range->high);
      for (guint j = find (stretches, MAX (range->low, start)); j < last; j++, painted++)
        g_array_index (stretches, WeftSymbolStretch, j).node = range->node;
    }
}

static void
set_lines (WeftDwarfUnit *unit, GArray *stretches)
{
  gssize at = -1;

  for (guint i = 0; i < stretches->len; i++)
    {
      WeftSymbolStretch *stretch = &g_array_index (stretches, WeftSymbolStretch, i);
      const WeftDwarfLine *line;

      if (at < 0)
        at = weft_dwarf_unit_find_line (unit, stretch->address);
      while (at >= 0 && at + 1 < (gssize) unit->lines->len &&
             g_array_index (unit->lines, WeftDwarfLine, at + 1).address <= stretch->address)
        at++;
      if (at < 0)
        continue;
      line = &g_array_index (unit->lines, WeftDwarfLine, at);
      if (line->ends)
        continue;
      stretch->file = line->file;
      stretch->line = line->line;
    }
}

GArray *
weft_symbol_stretches (WeftDwarfUnit *unit, guint32 node, guint64 start, guint64 size)
{
  g_autoptr (GArray) addresses =
      gather_addresses (unit, function_of (unit, node), start, start + size);
  GArray *stretches = make_stretches (addresses);

  paint_calls (unit, node, stretches, start, start + size);
  set_lines (unit, stretches);
  return stretches;
}
