/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-metal-bitstream.h"

#include <string.h>

#define MAX_DEPTH 16
#define MAX_ABBREVIATIONS 4096       /* of a block */
#define MAX_ABBREVIATION_OPERANDS 64 /* LLVM's own have a dozen */

enum
{
  ID_END_BLOCK,
  ID_ENTER_BLOCK,
  ID_DEFINE_ABBREVIATION,
  ID_UNABBREVIATED,
  ID_FIRST_ABBREVIATION,
};

#define BLOCK_INFO 0
#define BLOCK_INFO_SET_BLOCK 1

typedef enum
{
  ENCODING_LITERAL,
  ENCODING_FIXED,
  ENCODING_VBR,
  ENCODING_ARRAY,
  ENCODING_CHAR6,
  ENCODING_BLOB,
} Encoding;

typedef struct
{
  Encoding encoding;
  guint64 value; /* the literal, or the width in bits */
} Operand;

typedef struct
{
  guint n_operands;
  Operand operands[];
} Abbreviation;

typedef struct
{
  guint width;              /* of abbreviation ids */
  gsize end;                /* bit that follows it */
  GPtrArray *abbreviations; /* element-type Abbreviation, shared */
} Block;

struct _WeftMetalBitstream
{
  const guint8 *data;
  gsize size;
  gsize position; /* bit */
  gsize end;      /* bit that follows the innermost block */
  gsize budget;   /* operands that may still come */
  gboolean bad;   /* something was read beyond the end */
  Block blocks[MAX_DEPTH];
  guint depth;
  GHashTable *known; /* guint to GPtrArray: abbreviations that all blocks of a number begin with */
  GArray *operands;  /* element-type guint64 */
};

/* ---- Bits ---- */

static gboolean
damaged (WeftMetalBitstream *self, GError **error, const char *what)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "the bitcode is damaged at byte %zu: %s",
               self->position / 8, what);
  return FALSE;
}

/* 0 beyond the end, which is remembered. */
static guint64
read_fixed (WeftMetalBitstream *self, guint width)
{
  guint64 value = 0;

  if (width > self->end - self->position)
    {
      self->bad = TRUE;
      self->position = self->end;
      return 0;
    }
  for (guint got = 0; got < width;)
    {
      guint shift = self->position % 8;
      guint n = MIN (8 - shift, width - got);
      guint64 part = (self->data[self->position / 8] >> shift) & ((1u << n) - 1);

      value |= part << got;
      got += n;
      self->position += n;
    }
  return value;
}

static guint64
read_vbr (WeftMetalBitstream *self, guint width)
{
  guint64 high = G_GUINT64_CONSTANT (1) << (width - 1);
  guint64 value = 0;
  guint64 part;
  guint shift = 0;

  do
    {
      part = read_fixed (self, width);
      if (shift < 64)
        value |= (part & (high - 1)) << shift;
      else if ((part & (high - 1)) != 0)
        self->bad = TRUE;
      shift += width - 1;
    }
  while ((part & high) != 0 && !self->bad);
  return value;
}

static void
align (WeftMetalBitstream *self)
{
  gsize next = (self->position + 31) / 32 * 32;

  if (next > self->end)
    self->bad = TRUE;
  self->position = MIN (next, self->end);
}

/* ---- Abbreviations ---- */

static gboolean
read_encoding (WeftMetalBitstream *self, Operand *operand)
{
  operand->encoding = (Encoding) read_fixed (self, 3);
  operand->value = 0;
  switch (operand->encoding)
    {
    case ENCODING_FIXED:
      operand->value = read_vbr (self, 5);
      return operand->value <= 64;
    case ENCODING_VBR:
      operand->value = read_vbr (self, 5);
      return operand->value <= 32 && operand->value != 1;
    case ENCODING_ARRAY:
    case ENCODING_CHAR6:
    case ENCODING_BLOB:
      return TRUE;
    case ENCODING_LITERAL:
    default:
      return FALSE;
    }
}

/* An array comes last but one, and its elements take room, else a few bits would stand for billions
 * of operands; a blob comes last.
 */
static gboolean
is_sound (const Abbreviation *self)
{
  for (guint i = 0; i < self->n_operands; i++)
    {
      Encoding encoding = self->operands[i].encoding;
      const Operand *element = &self->operands[self->n_operands - 1];

      if (encoding == ENCODING_BLOB && i + 1 != self->n_operands)
        return FALSE;
      if (encoding != ENCODING_ARRAY)
        continue;
      return i + 2 == self->n_operands &&
             (element->encoding == ENCODING_CHAR6 ||
              (element->encoding != ENCODING_LITERAL && element->value != 0));
    }
  return self->n_operands > 0;
}

static Abbreviation *
read_abbreviation (WeftMetalBitstream *self)
{
  guint64 n = read_vbr (self, 5);
  g_autofree Abbreviation *abbreviation = NULL;

  if (self->bad || n == 0 || n > MAX_ABBREVIATION_OPERANDS)
    return NULL;
  abbreviation = g_malloc0 (sizeof *abbreviation + n * sizeof abbreviation->operands[0]);
  abbreviation->n_operands = (guint) n;
  for (guint i = 0; i < n && !self->bad; i++)
    {
      Operand *operand = &abbreviation->operands[i];

      if (read_fixed (self, 1) != 0)
        operand->value = read_vbr (self, 8);
      else if (!read_encoding (self, operand))
        return NULL;
      /* Nothing is stored where nothing is needed. */
      if (operand->encoding != ENCODING_LITERAL && operand->encoding <= ENCODING_VBR &&
          operand->value == 0)
        operand->encoding = ENCODING_LITERAL;
    }
  return self->bad || !is_sound (abbreviation) ? NULL : g_steal_pointer (&abbreviation);
}

static gboolean
add_abbreviation (WeftMetalBitstream *self, GPtrArray *list, GError **error)
{
  Abbreviation *abbreviation;

  if (list->len >= MAX_ABBREVIATIONS)
    return damaged (self, error, "a block defines too many abbreviations");
  abbreviation = read_abbreviation (self);
  if (abbreviation == NULL)
    return damaged (self, error, "an abbreviation makes no sense");
  g_ptr_array_add (
      list, g_rc_box_dup (sizeof (Abbreviation) + abbreviation->n_operands * sizeof (Operand),
                          abbreviation));
  g_free (abbreviation);
  return TRUE;
}

static GPtrArray *
abbreviations_new (void)
{
  return g_ptr_array_new_with_free_func (g_rc_box_release);
}

/* ---- Records ---- */

static gboolean
push_operand (WeftMetalBitstream *self, guint64 value)
{
  if (self->budget == 0)
    {
      self->bad = TRUE;
      return FALSE;
    }
  self->budget--;
  g_array_append_val (self->operands, value);
  return TRUE;
}

static guint64
read_scalar (WeftMetalBitstream *self, const Operand *operand)
{
  static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._";

  switch (operand->encoding)
    {
    case ENCODING_FIXED:
      return read_fixed (self, (guint) operand->value);
    case ENCODING_VBR:
      return read_vbr (self, (guint) operand->value);
    case ENCODING_CHAR6:
      return (guint8) letters[read_fixed (self, 6)];
    case ENCODING_LITERAL:
    case ENCODING_ARRAY:
    case ENCODING_BLOB:
    default:
      return operand->value;
    }
}

static void
read_array (WeftMetalBitstream *self, const Operand *element)
{
  guint64 n = read_vbr (self, 6);

  for (guint64 i = 0; i < n && !self->bad; i++)
    if (!push_operand (self, read_scalar (self, element)))
      return;
}

static void
read_blob (WeftMetalBitstream *self, WeftMetalBits *bits)
{
  guint64 size = read_vbr (self, 6);

  align (self);
  if (self->bad || size > (self->end - self->position) / 8)
    {
      self->bad = TRUE;
      return;
    }
  bits->blob = self->data + self->position / 8;
  bits->blob_size = (gsize) size;
  self->position += (gsize) size * 8;
  align (self);
}

static void
read_abbreviated (WeftMetalBitstream *self, const Abbreviation *abbreviation, WeftMetalBits *bits)
{
  for (guint i = 0; i < abbreviation->n_operands && !self->bad; i++)
    {
      const Operand *operand = &abbreviation->operands[i];

      if (operand->encoding == ENCODING_ARRAY)
        {
          read_array (self, operand + 1);
          return;
        }
      if (operand->encoding == ENCODING_BLOB)
        read_blob (self, bits);
      else
        push_operand (self, read_scalar (self, operand));
    }
}

static void
read_unabbreviated (WeftMetalBitstream *self)
{
  guint64 code = read_vbr (self, 6);
  guint64 n = read_vbr (self, 6);

  push_operand (self, code);
  for (guint64 i = 0; i < n && !self->bad; i++)
    if (!push_operand (self, read_vbr (self, 6)))
      return;
}

static gboolean
read_record (WeftMetalBitstream *self, guint id, WeftMetalBits *bits, GError **error)
{
  const Block *block = &self->blocks[self->depth];

  g_array_set_size (self->operands, 0);
  bits->blob = NULL;
  bits->blob_size = 0;
  if (id == ID_UNABBREVIATED)
    read_unabbreviated (self);
  else if (id - ID_FIRST_ABBREVIATION < block->abbreviations->len)
    read_abbreviated (self, block->abbreviations->pdata[id - ID_FIRST_ABBREVIATION], bits);
  else
    return damaged (self, error, "a record uses an abbreviation that is not defined");
  if (self->bad || self->operands->len == 0)
    return damaged (self, error, "a record is cut short, or longer than its bytes allow");

  bits->kind = WEFT_METAL_BITS_RECORD;
  bits->code = (guint) MIN (g_array_index (self->operands, guint64, 0), G_MAXUINT);
  bits->operands = (const guint64 *) (const void *) self->operands->data + 1;
  bits->n_operands = self->operands->len - 1;
  return TRUE;
}

/* ---- Blocks ---- */

static void
copy_known (WeftMetalBitstream *self, guint number, GPtrArray *list)
{
  GPtrArray *known = g_hash_table_lookup (self->known, GUINT_TO_POINTER (number));

  for (guint i = 0; known != NULL && i < known->len; i++)
    g_ptr_array_add (list, g_rc_box_acquire (known->pdata[i]));
}

static gboolean
enter_block (WeftMetalBitstream *self, guint *number, GError **error)
{
  guint64 id = read_vbr (self, 8);
  guint64 width = read_vbr (self, 4);
  guint64 words;
  Block *block;

  align (self);
  words = read_fixed (self, 32);
  if (self->bad || words > (self->end - self->position) / 32)
    return damaged (self, error, "a block is longer than what it is in");
  if (width < 2 || width > 32 || id > G_MAXUINT16)
    return damaged (self, error, "a block makes no sense");
  if (self->depth + 1 >= MAX_DEPTH)
    return damaged (self, error, "blocks are nested too deep");

  block = &self->blocks[++self->depth];
  block->width = (guint) width;
  block->end = self->position + (gsize) words * 32;
  block->abbreviations = abbreviations_new ();
  copy_known (self, (guint) id, block->abbreviations);
  self->end = block->end;
  *number = (guint) id;
  return TRUE;
}

static void
leave_block (WeftMetalBitstream *self)
{
  self->position = self->blocks[self->depth].end;
  g_clear_pointer (&self->blocks[self->depth].abbreviations, g_ptr_array_unref);
  self->depth--;
  self->end = self->blocks[self->depth].end;
}

static gboolean
end_block (WeftMetalBitstream *self, GError **error)
{
  align (self);
  if (self->bad || self->depth == 0 || self->position != self->end)
    return damaged (self, error, "a block does not end where it says");
  leave_block (self);
  return TRUE;
}

static GPtrArray *
get_known (WeftMetalBitstream *self, guint64 number)
{
  GPtrArray *known = g_hash_table_lookup (self->known, GUINT_TO_POINTER ((guint) number));

  if (known == NULL)
    {
      known = abbreviations_new ();
      g_hash_table_insert (self->known, GUINT_TO_POINTER ((guint) number), known);
    }
  return known;
}

/* The block that tells what others begin with. */
static gboolean
read_block_info (WeftMetalBitstream *self, GError **error)
{
  GPtrArray *list = NULL;

  while (!self->bad)
    {
      guint id = (guint) read_fixed (self, self->blocks[self->depth].width);
      WeftMetalBits bits;

      switch (id)
        {
        case ID_END_BLOCK:
          return end_block (self, error);
        case ID_ENTER_BLOCK:
          return damaged (self, error, "a block lies where none may");
        case ID_DEFINE_ABBREVIATION:
          if (list == NULL)
            return damaged (self, error, "an abbreviation is for no block");
          if (!add_abbreviation (self, list, error))
            return FALSE;
          break;
        default:
          if (!read_record (self, id, &bits, error))
            return FALSE;
          if (bits.code == BLOCK_INFO_SET_BLOCK && bits.n_operands > 0 &&
              bits.operands[0] <= G_MAXUINT16)
            list = get_known (self, bits.operands[0]);
          break;
        }
    }
  return damaged (self, error, "a block has no end");
}

gboolean
weft_metal_bitstream_skip (WeftMetalBitstream *self, GError **error)
{
  if (self->depth == 0)
    return damaged (self, error, "there is no block to leave");
  leave_block (self);
  return TRUE;
}

/* ---- The stream ---- */

/* What one id stands for; FOUND if that is something for the caller. */
static gboolean
take (WeftMetalBitstream *self, guint id, WeftMetalBits *bits, gboolean *found, GError **error)
{
  *found = TRUE;
  switch (id)
    {
    case ID_END_BLOCK:
      bits->kind = WEFT_METAL_BITS_BLOCK_END;
      return end_block (self, error);
    case ID_ENTER_BLOCK:
      bits->kind = WEFT_METAL_BITS_BLOCK;
      if (!enter_block (self, &bits->code, error))
        return FALSE;
      *found = bits->code != BLOCK_INFO;
      return *found || read_block_info (self, error);
    case ID_DEFINE_ABBREVIATION:
      *found = FALSE;
      return add_abbreviation (self, self->blocks[self->depth].abbreviations, error);
    default:
      return read_record (self, id, bits, error);
    }
}

gboolean
weft_metal_bitstream_next (WeftMetalBitstream *self, WeftMetalBits *bits, GError **error)
{
  gboolean found = FALSE;

  while (!found)
    {
      guint width = self->blocks[self->depth].width;

      if (self->depth == 0 && self->end - self->position < 32)
        {
          bits->kind = WEFT_METAL_BITS_END;
          return TRUE;
        }
      if (width > self->end - self->position)
        return damaged (self, error, "a block has no end");
      if (!take (self, (guint) read_fixed (self, width), bits, &found, error))
        return FALSE;
    }
  return TRUE;
}

static guint32
get_u32 (const guint8 *data)
{
  guint32 value;

  memcpy (&value, data, sizeof value);
  return GUINT32_FROM_LE (value);
}

#define WRAPPER_MAGIC 0x0b17c0deu
#define WRAPPER_SIZE 20
#define MAGIC 0xdec04342u /* "BC", 0xc0, 0xde */

WeftMetalBitstream *
weft_metal_bitstream_new (const guint8 *data, gsize size, GError **error)
{
  WeftMetalBitstream *self;

  if (size >= WRAPPER_SIZE && get_u32 (data) == WRAPPER_MAGIC)
    {
      guint32 offset = get_u32 (data + 8);
      guint32 length = get_u32 (data + 12);

      if (offset > size || length > size - offset)
        {
          g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                               "the bitcode is cut short: its wrapper tells of more");
          return NULL;
        }
      data += offset;
      size = length;
    }
  if (size < 8 || get_u32 (data) != MAGIC)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                           "it does not begin as LLVM bitcode does");
      return NULL;
    }

  self = g_new0 (WeftMetalBitstream, 1);
  self->data = data + 4;
  self->size = (size - 4) & ~(gsize) 3;
  self->end = self->size * 8;
  self->budget = self->end * WEFT_METAL_OPERANDS_PER_BIT;
  self->blocks[0] = (Block){ 2, self->end, abbreviations_new () };
  self->known = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) g_ptr_array_unref);
  self->operands = g_array_new (FALSE, FALSE, sizeof (guint64));
  return self;
}

void
weft_metal_bitstream_free (WeftMetalBitstream *self)
{
  for (guint i = 0; i <= self->depth; i++)
    g_ptr_array_unref (self->blocks[i].abbreviations);
  g_hash_table_unref (self->known);
  g_array_unref (self->operands);
  g_free (self);
}
