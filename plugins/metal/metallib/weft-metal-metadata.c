/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-metal-metadata.h"

#include <string.h>

/* Numbers of LLVM's records, which never change their meaning. */
enum
{
  RECORD_STRING = 1,
  RECORD_VALUE = 2,
  RECORD_NODE = 3,
  RECORD_NAME = 4,
  RECORD_DISTINCT_NODE = 5,
  RECORD_KIND = 6,
  RECORD_LOCATION = 7,
  RECORD_NAMED_NODE = 10,
  RECORD_ATTACHMENT = 11,
  RECORD_FILE = 16,
  RECORD_SUBPROGRAM = 21,
  RECORD_LEXICAL_BLOCK = 22,
  RECORD_LEXICAL_BLOCK_FILE = 23,
  RECORD_STRINGS = 35,
  RECORD_GLOBAL_DECLARATION_ATTACHMENT = 36,
  RECORD_INDEX_OFFSET = 38,
  RECORD_INDEX = 39,
  RECORD_LAST = 47,
};

#define MAX_TEXT (1 << 20) /* bytes of one; more is cut */
#define MAX_HOPS 64        /* from scope to scope */

typedef enum
{
  ITEM_OTHER,
  ITEM_TEXT,
  ITEM_VALUE,
  ITEM_LIST,
  ITEM_LOCATION,
  ITEM_FILE,
  ITEM_SUBPROGRAM,
  ITEM_SCOPE,
} ItemKind;

/* FIRST and N say where in TEXTS or NUMBERS it is kept. */
typedef struct
{
  guint kind;
  guint first;
  guint n;
} Item;

typedef struct
{
  char *name;
  guint first; /* in numbers */
  guint n;
} Named;

struct _WeftMetalMetadata
{
  GArray *items; /* element-type Item */
  GByteArray *texts;
  GArray *numbers; /* element-type guint */
  GArray *named;   /* element-type Named */
  char *name;      /* of the list that comes next */
};

/* ---- Records ---- */

static gboolean
damaged (GError **error, const char *what)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "the bitcode's metadata are damaged: %s",
               what);
  return FALSE;
}

static void
add_item (WeftMetalMetadata *self, ItemKind kind, guint first, guint n)
{
  Item item = { kind, first, n };

  g_array_append_val (self->items, item);
}

static void
add_text (WeftMetalMetadata *self, const guint8 *text, gsize size)
{
  add_item (self, ITEM_TEXT, self->texts->len, (guint) MIN (size, MAX_TEXT));
  g_byte_array_append (self->texts, text, (guint) MIN (size, MAX_TEXT));
}

static guint
narrow (guint64 number)
{
  return (guint) MIN (number, WEFT_METAL_NO_METADATA);
}

/* References are counted from 1, so that 0 is none. */
static guint
get_reference (const WeftMetalBits *bits, guint operand)
{
  guint64 number = operand < bits->n_operands ? bits->operands[operand] : 0;

  return number == 0 ? WEFT_METAL_NO_METADATA : narrow (number - 1);
}

static guint
get_number (const WeftMetalBits *bits, guint operand)
{
  return operand < bits->n_operands ? narrow (bits->operands[operand]) : 0;
}

static void
add_numbers (WeftMetalMetadata *self, ItemKind kind, const guint *numbers, guint n)
{
  add_item (self, kind, self->numbers->len, n);
  g_array_append_vals (self->numbers, numbers, n);
}

static void
add_list (WeftMetalMetadata *self, const WeftMetalBits *bits)
{
  add_item (self, ITEM_LIST, self->numbers->len, bits->n_operands);
  for (guint i = 0; i < bits->n_operands; i++)
    {
      guint number = get_reference (bits, i);

      g_array_append_val (self->numbers, number);
    }
}

static char *
dup_characters (const WeftMetalBits *bits)
{
  GString *text = g_string_sized_new (bits->n_operands);

  for (guint i = 0; i < bits->n_operands; i++)
    g_string_append_c (text, (char) bits->operands[i]);
  return g_string_free (text, FALSE);
}

static void
add_old_string (WeftMetalMetadata *self, const WeftMetalBits *bits)
{
  g_autofree char *text = dup_characters (bits);

  add_text (self, (const guint8 *) text, bits->n_operands);
}

static void
add_named (WeftMetalMetadata *self, const WeftMetalBits *bits)
{
  Named named = { g_steal_pointer (&self->name), self->numbers->len, bits->n_operands };

  if (named.name == NULL)
    return;
  for (guint i = 0; i < bits->n_operands; i++)
    {
      guint number = get_number (bits, i);

      g_array_append_val (self->numbers, number);
    }
  g_array_append_val (self->named, named);
}

/* The lengths stand as a stream of their own before the texts in one blob. */
static gboolean
add_strings (WeftMetalMetadata *self, const WeftMetalBits *bits, GError **error)
{
  guint64 n = bits->n_operands > 0 ? bits->operands[0] : 0;
  guint64 offset = bits->n_operands > 1 ? bits->operands[1] : 0;
  gsize text = (gsize) MIN (offset, bits->blob_size);
  gsize bit = 0;

  if (offset > bits->blob_size || n > offset * 8 / 6)
    return damaged (error, "texts lie outside their record");
  for (guint64 i = 0; i < n; i++)
    {
      guint64 length = 0;
      guint shift = 0;
      guint part;

      do
        {
          part = 0;
          for (guint k = 0; k < 6 && bit < offset * 8; k++, bit++)
            part |= (guint) (bits->blob[bit / 8] >> (bit % 8) & 1) << k;
          length |= (guint64) (part & 31) << shift;
          shift += 5;
        }
      while ((part & 32) != 0 && shift < 40);
      if (length > bits->blob_size - text)
        return damaged (error, "a text lies outside its record");
      add_text (self, bits->blob + text, (gsize) length);
      text += (gsize) length;
    }
  return TRUE;
}

/* What a record of debugging information leads to: the operands that are references, then a number.
 */
static void
add_debug (WeftMetalMetadata *self, ItemKind kind, const WeftMetalBits *bits)
{
  const guint scope = get_reference (bits, 1);

  switch (kind)
    {
    case ITEM_LOCATION: /* line, scope, inlined at */
      add_numbers (self, kind,
                   (guint[]){ get_number (bits, 1), get_number (bits, 3), get_reference (bits, 4) },
                   3);
      break;
    case ITEM_FILE: /* name, folder */
      add_numbers (self, kind, (guint[]){ scope, get_reference (bits, 2) }, 2);
      break;
    case ITEM_SUBPROGRAM: /* file, line */
      add_numbers (self, kind, (guint[]){ get_reference (bits, 4), get_number (bits, 5) }, 2);
      break;
    case ITEM_SCOPE: /* scope around it */
    case ITEM_OTHER:
    case ITEM_TEXT:
    case ITEM_VALUE:
    case ITEM_LIST:
    default:
      add_numbers (self, kind, &scope, 1);
      break;
    }
}

static ItemKind
get_debug_kind (guint code)
{
  switch (code)
    {
    case RECORD_LOCATION:
      return ITEM_LOCATION;
    case RECORD_FILE:
      return ITEM_FILE;
    case RECORD_SUBPROGRAM:
      return ITEM_SUBPROGRAM;
    case RECORD_LEXICAL_BLOCK:
    case RECORD_LEXICAL_BLOCK_FILE:
      return ITEM_SCOPE;
    default:
      return ITEM_OTHER;
    }
}

gboolean
weft_metal_metadata_add (WeftMetalMetadata *self, const WeftMetalBits *bits, GError **error)
{
  guint value;

  switch (bits->code)
    {
    case RECORD_STRINGS:
      return add_strings (self, bits, error);
    case RECORD_STRING:
      add_old_string (self, bits);
      return TRUE;
    case RECORD_VALUE: /* its type, and the number of the value */
      value = get_number (bits, 1);
      add_numbers (self, ITEM_VALUE, &value, 1);
      return TRUE;
    case RECORD_NODE:
    case RECORD_DISTINCT_NODE:
      add_list (self, bits);
      return TRUE;
    case RECORD_NAME:
      g_free (self->name);
      self->name = dup_characters (bits);
      return TRUE;
    case RECORD_NAMED_NODE:
      add_named (self, bits);
      return TRUE;
    case RECORD_KIND:
    case RECORD_ATTACHMENT:
    case RECORD_GLOBAL_DECLARATION_ATTACHMENT:
    case RECORD_INDEX_OFFSET:
    case RECORD_INDEX:
      return TRUE; /* these have no number */
    default:
      if (get_debug_kind (bits->code) != ITEM_OTHER)
        add_debug (self, get_debug_kind (bits->code), bits);
      else if (bits->code <= RECORD_LAST)
        add_item (self, ITEM_OTHER, 0, 0);
      return TRUE;
    }
}

guint
weft_metal_metadata_get_length (WeftMetalMetadata *self)
{
  return self->items->len;
}

void
weft_metal_metadata_truncate (WeftMetalMetadata *self, guint length)
{
  if (length < self->items->len)
    g_array_set_size (self->items, length);
}

/* ---- Questions ---- */

/* The item and the numbers it has; NULL if it is of another kind. */
static const guint *
get_numbers (WeftMetalMetadata *self, guint number, ItemKind kind)
{
  const Item *item;

  if (number >= self->items->len)
    return NULL;
  item = &g_array_index (self->items, Item, number);
  return item->kind == kind ? &g_array_index (self->numbers, guint, item->first) : NULL;
}

static const Item *
get_text (WeftMetalMetadata *self, guint number)
{
  const Item *item;

  if (number >= self->items->len)
    return NULL;
  item = &g_array_index (self->items, Item, number);
  return item->kind == ITEM_TEXT ? item : NULL;
}

char *
weft_metal_metadata_dup_text (WeftMetalMetadata *self, guint number)
{
  const Item *item = get_text (self, number);

  return item ? g_utf8_make_valid ((const char *) self->texts->data + item->first, item->n) : NULL;
}

gboolean
weft_metal_metadata_has_text (WeftMetalMetadata *self, guint number, const char *text)
{
  const Item *item = get_text (self, number);

  return item != NULL && item->n == strlen (text) &&
         memcmp (self->texts->data + item->first, text, item->n) == 0;
}

gint64
weft_metal_metadata_get_value (WeftMetalMetadata *self, guint number)
{
  const guint *value = get_numbers (self, number, ITEM_VALUE);

  return value ? (gint64) value[0] : -1;
}

gboolean
weft_metal_metadata_is_list (WeftMetalMetadata *self, guint number)
{
  return get_numbers (self, number, ITEM_LIST) != NULL;
}

guint
weft_metal_metadata_get_n_items (WeftMetalMetadata *self, guint number)
{
  return weft_metal_metadata_is_list (self, number) ? g_array_index (self->items, Item, number).n
                                                    : 0;
}

guint
weft_metal_metadata_get_item (WeftMetalMetadata *self, guint number, guint index)
{
  const guint *numbers = get_numbers (self, number, ITEM_LIST);

  return numbers != NULL && index < weft_metal_metadata_get_n_items (self, number)
             ? numbers[index]
             : WEFT_METAL_NO_METADATA;
}

guint
weft_metal_metadata_find_subprogram (WeftMetalMetadata *self, guint scope)
{
  for (guint hop = 0; hop < MAX_HOPS; hop++)
    {
      const guint *around = get_numbers (self, scope, ITEM_SCOPE);

      if (around == NULL)
        break;
      scope = around[0];
    }
  return get_numbers (self, scope, ITEM_SUBPROGRAM) ? scope : WEFT_METAL_NO_METADATA;
}

guint
weft_metal_metadata_get_line (WeftMetalMetadata *self, guint subprogram)
{
  const guint *numbers = get_numbers (self, subprogram, ITEM_SUBPROGRAM);

  return numbers ? numbers[1] : 0;
}

char *
weft_metal_metadata_dup_path (WeftMetalMetadata *self, guint subprogram)
{
  const guint *numbers = get_numbers (self, subprogram, ITEM_SUBPROGRAM);
  const guint *file = numbers ? get_numbers (self, numbers[0], ITEM_FILE) : NULL;
  g_autofree char *name = file ? weft_metal_metadata_dup_text (self, file[0]) : NULL;
  g_autofree char *folder = file ? weft_metal_metadata_dup_text (self, file[1]) : NULL;

  if (name == NULL || *name == '\0')
    return NULL;
  if (folder == NULL || *folder == '\0' || g_path_is_absolute (name))
    return g_steal_pointer (&name);
  return g_build_filename (folder, name, NULL);
}

void
weft_metal_metadata_leave_inlined (WeftMetalMetadata *self, guint inlined_at, guint *line,
                                   guint *scope)
{
  for (guint hop = 0; hop < MAX_HOPS; hop++)
    {
      const guint *location = get_numbers (self, inlined_at, ITEM_LOCATION);

      if (location == NULL)
        return;
      *line = location[0];
      *scope = location[1];
      inlined_at = location[2];
    }
}

guint
weft_metal_metadata_get_n_named (WeftMetalMetadata *self)
{
  return self->named->len;
}

const char *
weft_metal_metadata_get_name (WeftMetalMetadata *self, guint index)
{
  return g_array_index (self->named, Named, index).name;
}

guint
weft_metal_metadata_get_n_of_name (WeftMetalMetadata *self, guint index)
{
  return g_array_index (self->named, Named, index).n;
}

guint
weft_metal_metadata_get_of_name (WeftMetalMetadata *self, guint index, guint item)
{
  const Named *named = &g_array_index (self->named, Named, index);

  return item < named->n ? g_array_index (self->numbers, guint, named->first + item)
                         : WEFT_METAL_NO_METADATA;
}

/* ---- Life ---- */

static void
named_clear (gpointer data)
{
  Named *named = data;

  g_free (named->name);
}

WeftMetalMetadata *
weft_metal_metadata_new (void)
{
  WeftMetalMetadata *self = g_new0 (WeftMetalMetadata, 1);

  self->items = g_array_new (FALSE, FALSE, sizeof (Item));
  self->texts = g_byte_array_new ();
  self->numbers = g_array_new (FALSE, FALSE, sizeof (guint));
  self->named = g_array_new (FALSE, FALSE, sizeof (Named));
  g_array_set_clear_func (self->named, named_clear);
  return self;
}

void
weft_metal_metadata_free (WeftMetalMetadata *self)
{
  g_array_unref (self->items);
  g_byte_array_unref (self->texts);
  g_array_unref (self->numbers);
  g_array_unref (self->named);
  g_free (self->name);
  g_free (self);
}
