/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-unwind-expression.h"

#define MAX_DEPTH 32

enum
{
  OP_ADDR = 0x03,
  OP_DEREF = 0x06,
  OP_CONST1U = 0x08,
  OP_CONST1S = 0x09,
  OP_CONST2U = 0x0a,
  OP_CONST2S = 0x0b,
  OP_CONST4U = 0x0c,
  OP_CONST4S = 0x0d,
  OP_CONST8U = 0x0e,
  OP_CONST8S = 0x0f,
  OP_CONSTU = 0x10,
  OP_CONSTS = 0x11,
  OP_DUP = 0x12,
  OP_DROP = 0x13,
  OP_OVER = 0x14,
  OP_SWAP = 0x16,
  OP_AND = 0x1a,
  OP_MINUS = 0x1c,
  OP_MUL = 0x1e,
  OP_NEG = 0x1f,
  OP_NOT = 0x20,
  OP_OR = 0x21,
  OP_PLUS = 0x22,
  OP_PLUS_UCONST = 0x23,
  OP_SHL = 0x24,
  OP_SHR = 0x25,
  OP_SHRA = 0x26,
  OP_XOR = 0x27,
  OP_EQ = 0x29,
  OP_GE = 0x2a,
  OP_GT = 0x2b,
  OP_LE = 0x2c,
  OP_LT = 0x2d,
  OP_NE = 0x2e,
  OP_LIT0 = 0x30,
  OP_LIT31 = 0x4f,
  OP_BREG0 = 0x70,
  OP_BREG31 = 0x8f,
  OP_BREGX = 0x92,
  OP_DEREF_SIZE = 0x94,
  OP_NOP = 0x96,
};

typedef struct
{
  WeftUnwindReader reader;
  guint64 stack[MAX_DEPTH];
  guint depth;
  WeftUnwindExpressionResult result;
} Evaluation;

static void
fail (Evaluation *self, WeftUnwindExpressionResult result)
{
  if (self->result == WEFT_UNWIND_EXPRESSION_DONE)
    self->result = result;
}

static void
push (Evaluation *self, guint64 value)
{
  if (self->depth < MAX_DEPTH)
    self->stack[self->depth++] = value;
  else
    fail (self, WEFT_UNWIND_EXPRESSION_NOT_KNOWN);
}

static guint64
pop (Evaluation *self)
{
  if (self->depth > 0)
    return self->stack[--self->depth];
  fail (self, WEFT_UNWIND_EXPRESSION_NOT_KNOWN);
  return 0;
}

static void
push_number (Evaluation *self, guint operation)
{
  WeftUnwindReader *reader = &self->reader;

  switch (operation)
    {
    case OP_CONST1U:
      push (self, weft_unwind_reader_u8 (reader));
      break;
    case OP_CONST1S:
      push (self, (guint64) (gint64) (gint8) weft_unwind_reader_u8 (reader));
      break;
    case OP_CONST2U:
      push (self, weft_unwind_reader_number (reader, 2));
      break;
    case OP_CONST2S:
      push (self, (guint64) (gint64) (gint16) weft_unwind_reader_number (reader, 2));
      break;
    case OP_CONST4U:
      push (self, weft_unwind_reader_number (reader, 4));
      break;
    case OP_CONST4S:
      push (self, (guint64) (gint64) (gint32) weft_unwind_reader_number (reader, 4));
      break;
    case OP_ADDR:
    case OP_CONST8U:
    case OP_CONST8S:
      push (self, weft_unwind_reader_number (reader, 8));
      break;
    case OP_CONSTU:
      push (self, weft_unwind_reader_uleb (reader));
      break;
    default: /* OP_CONSTS */
      push (self, (guint64) weft_unwind_reader_sleb (reader));
      break;
    }
}

static guint64
shift_right (guint64 value, guint64 bits)
{
  return bits < 64 ? value >> bits : 0;
}

/* With the two topmost. FALSE if there is no such operation. */
static gboolean
combine (guint operation, guint64 a, guint64 b, guint64 *value)
{
  gint64 left = (gint64) a;
  gint64 right = (gint64) b;

  switch (operation)
    {
    case OP_AND:
      return *value = a & b, TRUE;
    case OP_OR:
      return *value = a | b, TRUE;
    case OP_XOR:
      return *value = a ^ b, TRUE;
    case OP_PLUS:
      return *value = a + b, TRUE;
    case OP_MINUS:
      return *value = a - b, TRUE;
    case OP_MUL:
      return *value = a * b, TRUE;
    case OP_SHL:
      return *value = b < 64 ? a << b : 0, TRUE;
    case OP_SHR:
      return *value = shift_right (a, b), TRUE;
    case OP_SHRA:
      return *value = left < 0 ? ~shift_right (~a, b) : shift_right (a, b), TRUE;
    case OP_EQ:
      return *value = left == right, TRUE;
    case OP_GE:
      return *value = left >= right, TRUE;
    case OP_GT:
      return *value = left > right, TRUE;
    case OP_LE:
      return *value = left <= right, TRUE;
    case OP_LT:
      return *value = left < right, TRUE;
    case OP_NE:
      return *value = left != right, TRUE;
    default:
      return FALSE;
    }
}

/* Those that only move what is on the stack, or change the topmost. */
static gboolean
rearrange (Evaluation *self, guint operation)
{
  guint64 top, below;

  switch (operation)
    {
    case OP_NOP:
      return TRUE;
    case OP_DROP:
      pop (self);
      return TRUE;
    case OP_DUP:
      top = pop (self);
      push (self, top);
      push (self, top);
      return TRUE;
    case OP_OVER:
    case OP_SWAP:
      top = pop (self);
      below = pop (self);
      if (operation == OP_OVER)
        push (self, below);
      push (self, top);
      push (self, below);
      return TRUE;
    case OP_NEG:
      push (self, -pop (self));
      return TRUE;
    case OP_NOT:
      push (self, ~pop (self));
      return TRUE;
    case OP_PLUS_UCONST:
      push (self, pop (self) + weft_unwind_reader_uleb (&self->reader));
      return TRUE;
    default:
      return FALSE;
    }
}

static void
push_register (Evaluation *self, guint64 number, WeftUnwindRegisterFunc get_register, gpointer data)
{
  gint64 offset = weft_unwind_reader_sleb (&self->reader);
  guint64 value = 0;

  if (number > G_MAXUINT || !get_register ((guint) number, &value, data))
    fail (self, WEFT_UNWIND_EXPRESSION_NOT_KNOWN);
  push (self, value + (guint64) offset);
}

static void
dereference (Evaluation *self, guint size, WeftUnwindReadFunc read, gpointer data)
{
  guint64 value = 0;

  if (size == 0 || size > 8)
    fail (self, WEFT_UNWIND_EXPRESSION_NOT_KNOWN);
  else if (!read (pop (self), &value, data))
    fail (self, WEFT_UNWIND_EXPRESSION_NO_MEMORY);
  push (self, size < 8 ? value & ((G_GUINT64_CONSTANT (1) << size * 8) - 1) : value);
}

WeftUnwindExpressionResult
weft_unwind_expression_evaluate (const guint8 *bytes, gsize length, gboolean has_initial,
                                 guint64 initial, WeftUnwindRegisterFunc get_register,
                                 WeftUnwindReadFunc read, gpointer data, guint64 *value)
{
  Evaluation self = { .result = WEFT_UNWIND_EXPRESSION_DONE };

  weft_unwind_reader_init (&self.reader, bytes, length);
  if (has_initial)
    push (&self, initial);
  while (self.reader.at < self.reader.end && self.result == WEFT_UNWIND_EXPRESSION_DONE)
    {
      guint operation = weft_unwind_reader_u8 (&self.reader);
      guint64 combined;

      if (operation >= OP_LIT0 && operation <= OP_LIT31)
        push (&self, operation - OP_LIT0);
      else if (operation >= OP_BREG0 && operation <= OP_BREG31)
        push_register (&self, operation - OP_BREG0, get_register, data);
      else if (operation == OP_BREGX)
        push_register (&self, weft_unwind_reader_uleb (&self.reader), get_register, data);
      else if (operation == OP_DEREF)
        dereference (&self, 8, read, data);
      else if (operation == OP_DEREF_SIZE)
        dereference (&self, weft_unwind_reader_u8 (&self.reader), read, data);
      else if (operation == OP_ADDR || (operation >= OP_CONST1U && operation <= OP_CONSTS))
        push_number (&self, operation);
      else if (!rearrange (&self, operation))
        {
          guint64 right = pop (&self);
          guint64 left = pop (&self);

          if (combine (operation, left, right, &combined))
            push (&self, combined);
          else
            fail (&self, WEFT_UNWIND_EXPRESSION_NOT_KNOWN);
        }
    }
  *value = pop (&self);
  if (self.reader.failed)
    fail (&self, WEFT_UNWIND_EXPRESSION_NOT_KNOWN);
  return self.result;
}
