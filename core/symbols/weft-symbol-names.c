/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-symbol-names.h"

#include <string.h>

#define MAX_NAMES (1u << 21)
#define MAX_TEXT (1u << 28)

/* What is told is appended; what it overlaps leaves the tree, not the memory. */
typedef struct
{
  WeftSymbolFunction function;
  WeftSymbolName symbol;
  GArray *rows;
  gboolean was_found;
} Named;

struct _WeftSymbolNames
{
  GTree *by_start; /* of Named, none of which overlap */
  GPtrArray *all;
  GStringChunk *texts;
  gsize text_length;
  guint n_replaced;
};

static int
compare_starts (gconstpointer a, gconstpointer b, gpointer data)
{
  guint64 x = *(const guint64 *) a;
  guint64 y = *(const guint64 *) b;

  return x < y ? -1 : x > y;
}

static void
named_free (gpointer data)
{
  Named *named = data;

  g_clear_pointer (&named->rows, g_array_unref);
  g_free (named);
}

WeftSymbolNames *
weft_symbol_names_new (void)
{
  WeftSymbolNames *self = g_new0 (WeftSymbolNames, 1);

  self->by_start = g_tree_new_full (compare_starts, NULL, NULL, NULL);
  self->all = g_ptr_array_new_with_free_func (named_free);
  self->texts = g_string_chunk_new (4096);
  return self;
}

void
weft_symbol_names_free (WeftSymbolNames *self)
{
  g_tree_unref (self->by_start);
  g_ptr_array_unref (self->all);
  g_string_chunk_free (self->texts);
  g_free (self);
}

const char *
weft_symbol_names_intern (WeftSymbolNames *self, const char *text, gsize length)
{
  g_autofree char *valid = NULL;

  length = strnlen (text, MIN (length, WEFT_SYMBOL_MAX_TEXT));
  valid = g_utf8_make_valid (text, length);
  self->text_length += length;
  return self->text_length < MAX_TEXT ? g_string_chunk_insert_const (self->texts, valid) : NULL;
}

/* The last that begins at or before ADDRESS. */
static GTreeNode *
node_before (WeftSymbolNames *self, guint64 address)
{
  GTreeNode *after = g_tree_upper_bound (self->by_start, &address);

  return after != NULL ? g_tree_node_previous (after) : g_tree_node_last (self->by_start);
}

static void
remove_overlapping (WeftSymbolNames *self, guint64 start, guint64 end, const char *name)
{
  GTreeNode *node;

  while ((node = node_before (self, end - 1)) != NULL)
    {
      const Named *named = g_tree_node_value (node);

      if (named->function.start + named->function.size <= start)
        break;
      /* Names are interned: the same text is the same pointer. */
      self->n_replaced += named->was_found && named->symbol.name != name;
      g_tree_remove (self->by_start, &named->function.start);
    }
}

gboolean
weft_symbol_names_add (WeftSymbolNames *self, const WeftSymbolNamed *named)
{
  Named *entry;
  const char *name;

  name = named->name[0] != '\0' && named->size > 0 && self->all->len < MAX_NAMES &&
                 named->size <= G_MAXUINT64 - named->start
             ? weft_symbol_names_intern (self, named->name, strlen (named->name))
             : NULL;
  if (name == NULL)
    {
      if (named->rows != NULL)
        g_array_unref (named->rows);
      return FALSE;
    }
  remove_overlapping (self, named->start, named->start + named->size, name);
  entry = g_new0 (Named, 1);
  entry->symbol.name = name;
  entry->symbol.offset = named->start;
  entry->symbol.size = named->size;
  entry->rows = named->rows;
  entry->function.start = named->start;
  entry->function.size = named->size;
  entry->function.symbol = &entry->symbol;
  entry->function.file_offset = named->file_offset;
  if (named->rows != NULL)
    {
      entry->function.n_rows = named->rows->len;
      entry->function.rows = (const WeftSymbolRow *) (gconstpointer) named->rows->data;
    }
  g_ptr_array_add (self->all, entry);
  g_tree_insert (self->by_start, &entry->function.start, entry);
  return TRUE;
}

const WeftSymbolFunction *
weft_symbol_names_find (WeftSymbolNames *self, guint64 address)
{
  GTreeNode *node = node_before (self, address);
  Named *named = node != NULL ? g_tree_node_value (node) : NULL;

  if (named == NULL || address - named->function.start >= named->function.size)
    return NULL;
  named->was_found = TRUE;
  return &named->function;
}

guint
weft_symbol_names_get_n_replaced (WeftSymbolNames *self)
{
  return self->n_replaced;
}

guint
weft_symbol_names_get_n (WeftSymbolNames *self)
{
  return g_tree_nnodes (self->by_start);
}
