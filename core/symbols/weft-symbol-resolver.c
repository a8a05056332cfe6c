/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-symbol-resolver.h"

#include <string.h>

#include "weft-demangle.h"
#include "weft-dwarf.h"
#include "weft-symbol-stretches.h"
#include "weft-symbol-table.h"

#define FLUSH_BYTES (4u << 20)
/* Of a function: larger ones are cut, so that no claim of a file costs more. */
#define MAX_FUNCTION (16u << 20)

struct _WeftSymbolResolver
{
  WeftSymbolImage *image;
  WeftSymbolImage *debug;
  WeftSymbolImage *alternate;
  WeftSymbolImage *packed;
  gboolean is_plain;
  gboolean is_ready;
  WeftSymbolTable *table;
  guint n_named;
  WeftDwarf *dwarf;
  WeftSymbolState state;
  const char *reason;

  WeftSymbolBlockBuilder *block;
  GHashTable *files; /* text, by where it lies → number in the block */
};

WeftSymbolResolver *
weft_symbol_resolver_new (int descriptor, gboolean is_plain, char **reason)
{
  WeftSymbolImage *image = weft_symbol_image_open (descriptor, reason);
  WeftSymbolResolver *self;

  if (image == NULL)
    return NULL;
  self = g_new0 (WeftSymbolResolver, 1);
  self->image = image;
  self->is_plain = is_plain;
  self->reason = "";
  self->block = weft_symbol_block_builder_new ();
  self->files = g_hash_table_new (NULL, NULL);
  return self;
}

void
weft_symbol_resolver_free (WeftSymbolResolver *self)
{
  g_clear_pointer (&self->dwarf, weft_dwarf_free);
  g_clear_pointer (&self->table, weft_symbol_table_free);
  g_clear_pointer (&self->packed, weft_symbol_image_free);
  g_clear_pointer (&self->alternate, weft_symbol_image_free);
  g_clear_pointer (&self->debug, weft_symbol_image_free);
  g_clear_pointer (&self->image, weft_symbol_image_free);
  g_hash_table_unref (self->files);
  weft_symbol_block_builder_free (self->block);
  g_free (self);
}

WeftSymbolImage *
weft_symbol_resolver_get_image (WeftSymbolResolver *self)
{
  return self->image;
}

/* ---- The files ---- */

static char *
check_part (WeftSymbolResolver *self, WeftSymbolImage *image, WeftSymbolPart part,
            gboolean check_sum)
{
  WeftSymbolImage *origin = self->debug != NULL ? self->debug : self->image;
  gboolean is_debug = part == WEFT_SYMBOL_PART_DEBUG;
  const guint8 *wanted = is_debug ? self->image->build_id : origin->alternate_id;
  gsize length = is_debug ? self->image->build_id_length : origin->alternate_id_length;
  guint32 sum;

  if (is_debug && image->machine != self->image->machine)
    return g_strdup ("it is for another machine");
  if (length > 0 && image->build_id_length > 0)
    return length == image->build_id_length && memcmp (wanted, image->build_id, length) == 0
               ? NULL
               : g_strdup ("its build id is another one");
  if (!check_sum)
    return g_strdup ("it has no build id");
  if (!weft_symbol_image_sum (image, &sum) || sum != self->image->link_sum)
    return g_strdup ("its check sum is another one than the program says");
  return NULL;
}

WeftSymbolImage *
weft_symbol_resolver_attach (WeftSymbolResolver *self, WeftSymbolPart part, int descriptor,
                             gboolean check_sum, char **reason)
{
  WeftSymbolImage **place = part == WEFT_SYMBOL_PART_DEBUG ? &self->debug : &self->alternate;
  WeftSymbolImage *image = weft_symbol_image_open (descriptor, reason);

  if (image == NULL)
    return NULL;
  *reason = *place != NULL || self->is_ready ? g_strdup ("there is one already")
                                             : check_part (self, image, part, check_sum);
  if (*reason != NULL)
    {
      weft_symbol_image_free (image);
      return NULL;
    }
  *place = image;
  return image;
}

static gboolean
add_table (WeftSymbolResolver *self)
{
  if (self->image->has_symbols)
    return weft_symbol_table_add (self->table, self->image, SHT_SYMTAB);
  if (self->debug != NULL && self->debug->has_symbols)
    return weft_symbol_table_add (self->table, self->debug, SHT_SYMTAB);
  self->packed = weft_symbol_image_open_packed (self->image);
  return self->packed != NULL && weft_symbol_table_add (self->table, self->packed, SHT_SYMTAB);
}

static void
open_dwarf (WeftSymbolResolver *self)
{
  Elf *alternate = self->alternate != NULL ? self->alternate->elf : NULL;

  if (self->debug != NULL && self->debug->has_debug_info)
    self->dwarf = weft_dwarf_new (self->debug->elf, alternate);
  else if (self->image->has_debug_info)
    self->dwarf = weft_dwarf_new (self->image->elf, alternate);
}

static const char *
explain (WeftSymbolResolver *self)
{
  WeftSymbolImage *debug = self->debug != NULL ? self->debug : self->image;

  if (self->dwarf == NULL)
    return debug->has_debug_info ? "its debugging information cannot be read"
                                 : "it has no debugging information: lines and inlined functions "
                                   "are not known";
  if (weft_dwarf_has_split_units (self->dwarf))
    return "parts of its debugging information are in .dwo files, which are not read: inlined "
           "functions of those are not known";
  if (debug->alternate_name != NULL && self->alternate == NULL)
    return "a file that its debugging information shares with others is missing: some names are "
           "not known";
  return "";
}

static void
get_ready (WeftSymbolResolver *self)
{
  gboolean has_table, has_exports;

  if (self->is_ready)
    return;
  self->is_ready = TRUE;
  self->table = weft_symbol_table_new ();
  has_table = add_table (self);
  has_exports = weft_symbol_table_add (self->table, self->image, SHT_DYNSYM);
  weft_symbol_table_sort (self->table);
  weft_symbol_table_add_linkage (self->table, self->image);
  weft_symbol_table_sort (self->table);
  self->n_named = weft_symbol_table_get_n_entries (self->table);
  if (!has_table)
    {
      weft_symbol_table_add_unnamed (self->table, self->image);
      weft_symbol_table_sort (self->table);
    }
  if (!self->is_plain)
    open_dwarf (self);
  self->state = self->dwarf != NULL ? WEFT_SYMBOL_STATE_LINES
                : has_table         ? WEFT_SYMBOL_STATE_SYMBOLS
                : has_exports       ? WEFT_SYMBOL_STATE_EXPORTED
                                    : WEFT_SYMBOL_STATE_NONE;
  self->reason = explain (self);
}

WeftSymbolState
weft_symbol_resolver_get_state (WeftSymbolResolver *self)
{
  return self->state;
}

guint
weft_symbol_resolver_get_n_symbols (WeftSymbolResolver *self)
{
  return self->n_named;
}

const char *
weft_symbol_resolver_get_reason (WeftSymbolResolver *self)
{
  return self->reason;
}

/* ---- Names ---- */

static guint32
file_number (WeftSymbolResolver *self, const char *file)
{
  guint number;

  if (file == NULL)
    return 0;
  number = GPOINTER_TO_UINT (g_hash_table_lookup (self->files, file));
  if (number == 0)
    {
      number = weft_symbol_block_builder_string (self->block, file);
      g_hash_table_insert (self->files, (gpointer) file, GUINT_TO_POINTER (number));
    }
  return number;
}

static guint32
add_symbol (WeftSymbolResolver *self, guint64 key, const WeftDwarfFunction *function,
            const char *table_name, guint64 offset, guint64 size)
{
  const char *linkage = function->linkage_name;
  g_autofree char *demangled = NULL;
  const char *name;

  /* What compilers clone has no linkage name of its own in the debugging information. */
  if (linkage == NULL)
    linkage = table_name;
  if (linkage != NULL)
    demangled = weft_demangle (linkage);
  name = demangled != NULL ? demangled : function->name != NULL ? function->name : linkage;
  return weft_symbol_block_builder_symbol (
      self->block, key, name, linkage != NULL && !g_str_equal (linkage, name) ? linkage : NULL,
      function->file, function->line, offset, size);
}

static guint32
add_table_symbol (WeftSymbolResolver *self, const WeftSymbolEntry *entry)
{
  WeftDwarfFunction nothing = { 0 };
  guint32 number = weft_symbol_block_builder_find (self->block, 0, entry->address);

  return number != 0 ? number
                     : add_symbol (self, 0, &nothing, entry->name, entry->address, entry->size);
}

static guint32
add_dwarf_symbol (WeftSymbolResolver *self, Dwarf_Off die, guint64 offset, guint64 size)
{
  guint64 key = die + 1;
  guint32 number = weft_symbol_block_builder_find (self->block, key, offset);
  const WeftSymbolEntry *entry;
  WeftDwarfFunction function;

  if (number != 0)
    return number;
  entry = offset != 0 ? weft_symbol_table_find_start (self->table, offset) : NULL;
  if (!weft_dwarf_describe (self->dwarf, die, &function) && entry == NULL)
    return 0;
  return add_symbol (self, key, &function, entry != NULL ? entry->name : NULL, offset, size);
}

/* ---- Functions ---- */

/* Scopes and rows of one function, as they are numbered in it. */
typedef struct
{
  WeftSymbolResolver *resolver;
  WeftDwarfUnit *unit;
  GHashTable *numbers; /* node → scope */
  GByteArray *scopes;
  guint n_scopes;
} Scopes;

static guint32
add_scope (Scopes *self, guint32 node)
{
  const WeftDwarfNode *n;
  guint32 number, parent, symbol, line;
  const char *file;

  if (node == G_MAXUINT32)
    return 0;
  n = &g_array_index (self->unit->nodes, WeftDwarfNode, node);
  if (n->depth == 0)
    return 0;
  number = GPOINTER_TO_UINT (g_hash_table_lookup (self->numbers, GUINT_TO_POINTER (node)));
  if (number != 0)
    return number;
  parent = add_scope (self, n->parent);
  symbol = add_dwarf_symbol (self->resolver, n->die, 0, 0);
  /* One that nobody names counts as part of what it is in. */
  number = parent;
  if (symbol != 0)
    {
      weft_dwarf_get_call (self->resolver->dwarf, self->unit, n->die, &file, &line);
      weft_symbol_put_number (self->scopes, parent);
      weft_symbol_put_number (self->scopes, symbol);
      weft_symbol_put_number (self->scopes, file_number (self->resolver, file));
      weft_symbol_put_number (self->scopes, line);
      number = ++self->n_scopes;
    }
  g_hash_table_insert (self->numbers, GUINT_TO_POINTER (node), GUINT_TO_POINTER (number));
  return number;
}

typedef struct
{
  guint32 scope, file, line;
} Place;

static guint
encode_rows (Scopes *scopes, GArray *stretches, guint64 start, GByteArray *rows)
{
  Place last = { G_MAXUINT32, 0, 0 };
  guint64 address = start;
  guint n = 0;

  for (guint i = 0; i < stretches->len; i++)
    {
      const WeftSymbolStretch *s = &g_array_index (stretches, WeftSymbolStretch, i);
      Place place = { add_scope (scopes, s->node), file_number (scopes->resolver, s->file),
                      s->line };

      if (memcmp (&place, &last, sizeof place) == 0)
        continue;
      weft_symbol_put_number (rows, s->address - address);
      weft_symbol_put_number (rows, place.scope);
      weft_symbol_put_number (rows, place.file);
      weft_symbol_put_number (rows, place.line);
      address = s->address;
      last = place;
      n++;
    }
  return n;
}

static void
add_function (WeftSymbolResolver *self, WeftSymbolBlockFunction *function, WeftDwarfUnit *unit,
              guint32 node)
{
  g_autoptr (GByteArray) rows = g_byte_array_new ();
  g_autoptr (GByteArray) scope_bytes = g_byte_array_new ();
  g_autoptr (GHashTable) numbers = g_hash_table_new (NULL, NULL);
  Scopes scopes = { self, unit, numbers, scope_bytes, 0 };
  guint64 length = function->size;
  g_autoptr (GArray) stretches = NULL;

  if (unit != NULL)
    {
      stretches = weft_symbol_stretches (unit, node, function->start, function->size);
      function->n_rows = encode_rows (&scopes, stretches, function->start, rows);
    }
  function->n_scopes = scopes.n_scopes;
  function->scopes = scope_bytes;
  function->rows = rows;
  function->file_offset = G_MAXUINT64;
  if (function->symbol != 0 &&
      (!weft_symbol_image_locate (self->image, function->start, &length, &function->file_offset) ||
       length < function->size))
    function->file_offset = G_MAXUINT64;
  weft_symbol_block_builder_function (self->block, function);
}

/* Says what is at OFFSET, and returns where that ends. */
static guint64
resolve (WeftSymbolResolver *self, guint64 offset)
{
  WeftSymbolBlockFunction function = { 0 };
  WeftDwarfUnit *unit = self->dwarf != NULL ? weft_dwarf_find_unit (self->dwarf, offset) : NULL;
  const WeftDwarfRange *range = unit != NULL ? weft_dwarf_unit_find_function (unit, offset) : NULL;
  guint64 gap_start = 0;
  guint64 gap_end = G_MAXUINT64;
  const WeftSymbolEntry *entry;

  if (range != NULL && range->high - range->low <= MAX_FUNCTION)
    {
      const WeftDwarfNode *node = &g_array_index (unit->nodes, WeftDwarfNode, range->node);

      function.start = range->low;
      function.size = range->high - range->low;
      function.symbol = add_dwarf_symbol (self, node->die, range->low, function.size);
      add_function (self, &function, unit, range->node);
      return range->high;
    }
  entry = weft_symbol_table_find (self->table, offset, &gap_start, &gap_end);
  function.start = entry != NULL ? entry->address : gap_start;
  function.size = entry != NULL ? MIN (entry->size, MAX_FUNCTION) : gap_end - gap_start;
  if (entry != NULL && offset - function.start < function.size)
    function.symbol = add_table_symbol (self, entry);
  else if (entry != NULL || self->dwarf != NULL)
    function = (WeftSymbolBlockFunction){ .start = offset, .size = 1 };
  /* What has lines but no functions: assembly, and what is split off. */
  add_function (self, &function, entry != NULL ? unit : NULL, G_MAXUINT32);
  return function.start + function.size;
}

static void
flush_block (WeftSymbolResolver *self, WeftSymbolFlushFunc flush, gpointer data)
{
  flush (self->block, data);
  g_hash_table_remove_all (self->files);
}

void
weft_symbol_resolver_resolve (WeftSymbolResolver *self, const guint64 *offsets, guint n,
                              WeftSymbolFlushFunc flush, gpointer data)
{
  guint64 done = 0;

  get_ready (self);
  for (guint i = 0; i < n; i++)
    {
      if (i > 0 && offsets[i] < done)
        continue;
      done = resolve (self, offsets[i]);
      if (weft_symbol_block_builder_get_size (self->block) >= FLUSH_BYTES)
        flush_block (self, flush, data);
    }
  flush_block (self, flush, data);
}
