/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-unwind-cfi.h"

#define MAX_REMEMBERED 16
#define MAX_PROGRAM (1024 * 1024) /* bytes; those of real functions have some thousands at most */

enum
{
  CFA_ADVANCE = 0x40, /* the two highest bits; the others are an operand */
  CFA_OFFSET = 0x80,
  CFA_RESTORE = 0xc0,

  CFA_NOP = 0x00,
  CFA_SET_LOC = 0x01,
  CFA_ADVANCE_1 = 0x02,
  CFA_ADVANCE_2 = 0x03,
  CFA_ADVANCE_4 = 0x04,
  CFA_OFFSET_EXTENDED = 0x05,
  CFA_RESTORE_EXTENDED = 0x06,
  CFA_UNDEFINED = 0x07,
  CFA_SAME_VALUE = 0x08,
  CFA_REGISTER = 0x09,
  CFA_REMEMBER = 0x0a,
  CFA_RESTORE_STATE = 0x0b,
  CFA_DEF_CFA = 0x0c,
  CFA_DEF_CFA_REGISTER = 0x0d,
  CFA_DEF_CFA_OFFSET = 0x0e,
  CFA_DEF_CFA_EXPRESSION = 0x0f,
  CFA_EXPRESSION = 0x10,
  CFA_OFFSET_EXTENDED_SF = 0x11,
  CFA_DEF_CFA_SF = 0x12,
  CFA_DEF_CFA_OFFSET_SF = 0x13,
  CFA_VAL_OFFSET = 0x14,
  CFA_VAL_OFFSET_SF = 0x15,
  CFA_VAL_EXPRESSION = 0x16,
  CFA_NEGATE_RA_STATE_WITH_PC = 0x2c, /* AArch64; what is signed is stripped of its signature */
  CFA_NEGATE_RA_STATE = 0x2d,
  CFA_GNU_ARGS_SIZE = 0x2e,
  CFA_GNU_NEGATIVE_OFFSET = 0x2f,

  OP_DEREF = 0x06,
  OP_AND = 0x1a,
  OP_PLUS = 0x22,
  OP_SHL = 0x24,
  OP_GE = 0x2a,
  OP_LIT0 = 0x30,
  OP_LIT3 = 0x33,
  OP_LIT15 = 0x3f,
  OP_BREG0 = 0x70,
  OP_BREG31 = 0x8f,
};

/* Entries */

/* Positions READER after the length, and bounds it by that. FALSE at the end of the section. */
static gboolean
open_entry (const WeftUnwindSection *self, gsize offset, WeftUnwindReader *reader)
{
  guint64 length;

  if (offset >= self->size)
    return FALSE;
  weft_unwind_reader_init (reader, self->bytes, self->size);
  reader->at += offset;
  length = weft_unwind_reader_number (reader, 4);

  /* Where it is 0xffffffff, 8 bytes of length would follow: no section is as large. */
  if (reader->failed || length < 4 || length > weft_unwind_reader_get_left (reader))
    return FALSE;
  reader->end = reader->at + length;
  return TRUE;
}

static gboolean
is_cie (const WeftUnwindSection *self, guint64 id)
{
  return id == (self->is_debug_frame ? 0xffffffffu : 0);
}

WeftUnwindEntry
weft_unwind_section_next (const WeftUnwindSection *self, gsize offset, gsize *next)
{
  WeftUnwindReader reader;

  *next = self->size;
  if (!open_entry (self, offset, &reader))
    return WEFT_UNWIND_ENTRY_NONE;
  *next = reader.end - self->bytes;
  return is_cie (self, weft_unwind_reader_number (&reader, 4)) ? WEFT_UNWIND_ENTRY_CIE
                                                               : WEFT_UNWIND_ENTRY_FDE;
}

gboolean
weft_unwind_section_find_cie (const WeftUnwindSection *self, gsize offset, gsize *cie)
{
  WeftUnwindReader reader;
  gsize here;
  guint64 id;

  if (!open_entry (self, offset, &reader))
    return FALSE;
  here = reader.at - self->bytes;
  id = weft_unwind_reader_number (&reader, 4);
  if (is_cie (self, id))
    return FALSE;
  if (!self->is_debug_frame && id > here)
    return FALSE;
  *cie = self->is_debug_frame ? id : here - id;
  return *cie < self->size;
}

gboolean
weft_unwind_section_read_fde (const WeftUnwindSection *self, gsize offset, const WeftUnwindCie *cie,
                              WeftUnwindFde *fde)
{
  WeftUnwindBases bases = { self->address, 0, 0 };
  WeftUnwindReader reader;
  guint64 length;

  if (!weft_unwind_section_find_cie (self, offset, &fde->cie) ||
      !open_entry (self, offset, &reader))
    return FALSE;
  weft_unwind_reader_skip (&reader, 4);
  fde->begin = weft_unwind_reader_pointer (&reader, cie->encoding, &bases);
  length = weft_unwind_reader_pointer (&reader, cie->encoding & 0x0f, &bases);
  fde->end = fde->begin + length;
  if (cie->has_augmentation)
    weft_unwind_reader_skip (&reader, weft_unwind_reader_uleb (&reader));
  fde->program = reader.at - self->bytes;
  fde->program_size = weft_unwind_reader_get_left (&reader);
  return !reader.failed && fde->end > fde->begin && fde->program_size <= MAX_PROGRAM;
}

/* Expressions that compilers and linkers write are told apart once, so that unwinding needs to
 * evaluate hardly any.
 */

/* DW_OP_breg7 8, DW_OP_breg16 0, 15, and, N, ge, 3, shl, plus: entry N bytes and more into one of
 * the 16 bytes of a PLT's entry has pushed a number.
 */
static gboolean
take_plt (WeftUnwindReader reader, WeftUnwindPlace *place)
{
  static const guint8 before[] = { OP_BREG0 + 16, 0, OP_LIT15, OP_AND };
  static const guint8 after[] = { OP_GE, OP_LIT3, OP_SHL, OP_PLUS };
  gint64 value;
  guint threshold;

  if (weft_unwind_reader_u8 (&reader) != OP_BREG0 + 7)
    return FALSE;
  value = weft_unwind_reader_sleb (&reader);
  if (weft_unwind_reader_get_left (&reader) != sizeof before + 1 + sizeof after ||
      memcmp (reader.at, before, sizeof before) != 0 ||
      memcmp (reader.at + sizeof before + 1, after, sizeof after) != 0)
    return FALSE;
  threshold = reader.at[sizeof before];
  if (threshold < OP_LIT0 || threshold > OP_LIT15 || value != (gint32) value)
    return FALSE;
  *place = (WeftUnwindPlace){ WEFT_UNWIND_PLT, 0, threshold - OP_LIT0, (gint32) value };
  return TRUE;
}

/* DW_OP_bregN V, with DW_OP_deref behind it or not. */
static gboolean
take_register (WeftUnwindReader reader, gboolean is_dereferenced, WeftUnwindHow how,
               WeftUnwindPlace *place)
{
  guint operation = weft_unwind_reader_u8 (&reader);
  gint64 value;

  if (operation < OP_BREG0 || operation > OP_BREG31)
    return FALSE;
  value = weft_unwind_reader_sleb (&reader);
  if (is_dereferenced && weft_unwind_reader_u8 (&reader) != OP_DEREF)
    return FALSE;
  if (reader.failed || reader.at != reader.end || value != (gint32) value)
    return FALSE;
  *place = (WeftUnwindPlace){ how, 0, operation - OP_BREG0, (gint32) value };
  return TRUE;
}

static WeftUnwindPlace
take_expression (const WeftUnwindSection *self, WeftUnwindReader *reader, WeftUnwindHow how)
{
  guint64 length = weft_unwind_reader_uleb (reader);
  WeftUnwindReader expression = *reader;
  WeftUnwindPlace place = { WEFT_UNWIND_NOT_UNDERSTOOD, 0, 0, 0 };
  gsize offset = reader->at - self->bytes;

  if (!weft_unwind_reader_skip (reader, length) || length == 0 || length > G_MAXUINT16 ||
      offset > G_MAXINT32)
    return place;
  expression.end = reader->at;
  if (how == WEFT_UNWIND_REGISTER_PLUS) /* of the CFA */
    {
      if (take_plt (expression, &place) ||
          take_register (expression, TRUE, WEFT_UNWIND_DEREFERENCED, &place) ||
          take_register (expression, FALSE, WEFT_UNWIND_REGISTER_PLUS, &place))
        return place;
      how = WEFT_UNWIND_EXPRESSION;
    }
  else if (how == WEFT_UNWIND_AT_EXPRESSION &&
           take_register (expression, FALSE, WEFT_UNWIND_AT_REGISTER, &place))
    return place;
  return (WeftUnwindPlace){ how, 0, length, (gint32) offset };
}

/* Programs */

typedef struct
{
  const WeftUnwindSection *section;
  const WeftUnwindCie *cie;
  WeftUnwindReader reader;
  gboolean has_initial; /* not while the CIE's own program runs */
  gboolean is_lost;     /* something was not understood: nothing that follows is known */
  guint64 at;
  guint64 end;
  WeftUnwindRow row;
  WeftUnwindRow remembered[MAX_REMEMBERED];
  guint n_remembered;
} Program;

static void
set_place (Program *self, guint64 number, WeftUnwindHow how, guint64 operand, gint64 value)
{
  if (number >= WEFT_UNWIND_N_REGISTERS)
    return;
  if (value != (gint32) value || operand > G_MAXUINT16)
    how = WEFT_UNWIND_NOT_UNDERSTOOD;
  self->row.registers[number] =
      (WeftUnwindPlace){ how, (guint8) number, (guint16) operand, (gint32) value };
}

static void
set_expression (Program *self, WeftUnwindHow how)
{
  guint64 number = weft_unwind_reader_uleb (&self->reader);
  WeftUnwindPlace place = take_expression (self->section, &self->reader, how);

  set_place (self, number, place.how, place.operand, place.value);
}

static void
set_cfa (Program *self, guint64 number, gint64 value)
{
  gboolean is_known = number < WEFT_UNWIND_N_REGISTERS && value == (gint32) value;

  self->row.cfa =
      (WeftUnwindPlace){ is_known ? WEFT_UNWIND_REGISTER_PLUS : WEFT_UNWIND_NOT_UNDERSTOOD, 0,
                         (guint16) number, (gint32) value };
}

static void
restore_place (Program *self, guint64 number)
{
  if (number >= WEFT_UNWIND_N_REGISTERS)
    return;
  if (self->has_initial)
    self->row.registers[number] = self->cie->initial.registers[number];
  else
    set_place (self, number, WEFT_UNWIND_SAME, 0, 0);
}

static void
remember (Program *self)
{
  if (self->n_remembered < MAX_REMEMBERED)
    self->remembered[self->n_remembered++] = self->row;
  else
    self->is_lost = TRUE;
}

static void
recall (Program *self)
{
  if (self->n_remembered > 0)
    self->row = self->remembered[--self->n_remembered];
  else
    self->is_lost = TRUE;
}

/* Those that say where registers are. */
static void
run_register (Program *self, guint operation)
{
  WeftUnwindReader *reader = &self->reader;
  gint64 factor = self->cie->data_factor;
  guint64 number;

  if (operation == CFA_EXPRESSION || operation == CFA_VAL_EXPRESSION)
    {
      set_expression (self, operation == CFA_EXPRESSION ? WEFT_UNWIND_AT_EXPRESSION
                                                        : WEFT_UNWIND_EXPRESSION);
      return;
    }

  number = weft_unwind_reader_uleb (reader);
  switch (operation)
    {
    case CFA_OFFSET_EXTENDED:
      set_place (self, number, WEFT_UNWIND_AT_CFA, 0,
                 (gint64) (weft_unwind_reader_uleb (reader) * (guint64) factor));
      break;
    case CFA_OFFSET_EXTENDED_SF:
      set_place (self, number, WEFT_UNWIND_AT_CFA, 0,
                 (gint64) ((guint64) weft_unwind_reader_sleb (reader) * (guint64) factor));
      break;
    case CFA_GNU_NEGATIVE_OFFSET:
      set_place (self, number, WEFT_UNWIND_AT_CFA, 0,
                 (gint64) - (weft_unwind_reader_uleb (reader) * (guint64) factor));
      break;
    case CFA_VAL_OFFSET:
      set_place (self, number, WEFT_UNWIND_CFA_PLUS, 0,
                 (gint64) (weft_unwind_reader_uleb (reader) * (guint64) factor));
      break;
    case CFA_VAL_OFFSET_SF:
      set_place (self, number, WEFT_UNWIND_CFA_PLUS, 0,
                 (gint64) ((guint64) weft_unwind_reader_sleb (reader) * (guint64) factor));
      break;
    case CFA_REGISTER:
      set_place (self, number, WEFT_UNWIND_COPY, weft_unwind_reader_uleb (reader), 0);
      break;
    case CFA_RESTORE_EXTENDED:
      restore_place (self, number);
      break;
    case CFA_UNDEFINED:
      set_place (self, number, WEFT_UNWIND_UNDEFINED, 0, 0);
      break;
    default: /* CFA_SAME_VALUE */
      set_place (self, number, WEFT_UNWIND_SAME, 0, 0);
      break;
    }
}

/* Those that say what the CFA is. */
static void
run_cfa (Program *self, guint operation)
{
  WeftUnwindReader *reader = &self->reader;
  guint64 factor = (guint64) self->cie->data_factor;
  guint64 number = self->row.cfa.operand;

  switch (operation)
    {
    case CFA_DEF_CFA:
      number = weft_unwind_reader_uleb (reader);
      set_cfa (self, number, (gint64) weft_unwind_reader_uleb (reader));
      break;
    case CFA_DEF_CFA_SF:
      number = weft_unwind_reader_uleb (reader);
      set_cfa (self, number, (gint64) ((guint64) weft_unwind_reader_sleb (reader) * factor));
      break;
    case CFA_DEF_CFA_REGISTER:
      set_cfa (self, weft_unwind_reader_uleb (reader), self->row.cfa.value);
      break;
    case CFA_DEF_CFA_OFFSET:
      set_cfa (self, number, (gint64) weft_unwind_reader_uleb (reader));
      break;
    case CFA_DEF_CFA_OFFSET_SF:
      set_cfa (self, number, (gint64) ((guint64) weft_unwind_reader_sleb (reader) * factor));
      break;
    default: /* CFA_DEF_CFA_EXPRESSION */
      self->row.cfa = take_expression (self->section, reader, WEFT_UNWIND_REGISTER_PLUS);
      break;
    }
}

static void
run_other (Program *self, guint operation)
{
  switch (operation)
    {
    case CFA_NOP:
    case CFA_NEGATE_RA_STATE:
    case CFA_NEGATE_RA_STATE_WITH_PC:
      break;
    case CFA_GNU_ARGS_SIZE:
      weft_unwind_reader_uleb (&self->reader);
      break;
    case CFA_REMEMBER:
      remember (self);
      break;
    case CFA_RESTORE_STATE:
      recall (self);
      break;
    case CFA_DEF_CFA:
    case CFA_DEF_CFA_SF:
    case CFA_DEF_CFA_REGISTER:
    case CFA_DEF_CFA_OFFSET:
    case CFA_DEF_CFA_OFFSET_SF:
    case CFA_DEF_CFA_EXPRESSION:
      run_cfa (self, operation);
      break;
    case CFA_OFFSET_EXTENDED:
    case CFA_OFFSET_EXTENDED_SF:
    case CFA_GNU_NEGATIVE_OFFSET:
    case CFA_VAL_OFFSET:
    case CFA_VAL_OFFSET_SF:
    case CFA_REGISTER:
    case CFA_RESTORE_EXTENDED:
    case CFA_UNDEFINED:
    case CFA_SAME_VALUE:
    case CFA_EXPRESSION:
    case CFA_VAL_EXPRESSION:
      run_register (self, operation);
      break;
    default:
      self->is_lost = TRUE;
      break;
    }
}

/* Runs what changes the row; returns whether OPERATION moves on instead, to NEXT. */
static gboolean
run_one (Program *self, guint operation, guint64 *next)
{
  WeftUnwindReader *reader = &self->reader;
  WeftUnwindBases bases = { self->section->address, 0, 0 };
  guint operand = operation & 0x3f;

  switch (operation & 0xc0)
    {
    case CFA_ADVANCE:
      *next = self->at + operand * self->cie->code_factor;
      return TRUE;
    case CFA_OFFSET:
      set_place (self, operand, WEFT_UNWIND_AT_CFA, 0,
                 (gint64) (weft_unwind_reader_uleb (reader) * (guint64) self->cie->data_factor));
      return FALSE;
    case CFA_RESTORE:
      restore_place (self, operand);
      return FALSE;
    default:
      break;
    }

  switch (operation)
    {
    case CFA_SET_LOC:
      bases.section += reader->begin - self->section->bytes;
      *next = weft_unwind_reader_pointer (reader, self->cie->encoding, &bases);
      return TRUE;
    case CFA_ADVANCE_1:
      *next = self->at + weft_unwind_reader_u8 (reader) * self->cie->code_factor;
      return TRUE;
    case CFA_ADVANCE_2:
      *next = self->at + weft_unwind_reader_number (reader, 2) * self->cie->code_factor;
      return TRUE;
    case CFA_ADVANCE_4:
      *next = self->at + weft_unwind_reader_number (reader, 4) * self->cie->code_factor;
      return TRUE;
    default:
      run_other (self, operation);
      return FALSE;
    }
}

static void
program_init (Program *self, const WeftUnwindSection *section, const WeftUnwindCie *cie,
              gsize offset, gsize size)
{
  self->section = section;
  self->cie = cie;
  self->has_initial = FALSE;
  self->is_lost = FALSE;
  self->n_remembered = 0;
  weft_unwind_reader_init (&self->reader, section->bytes + offset, size);
}

/* Nothing is known of the rest of a function whose program we lost. */
static void
lose (Program *self)
{
  memset (&self->row, 0, sizeof self->row);
  self->row.cfa.how = WEFT_UNWIND_NOT_UNDERSTOOD;
}

void
weft_unwind_section_run (const WeftUnwindSection *self, const WeftUnwindCie *cie,
                         const WeftUnwindFde *fde, WeftUnwindRowFunc each, gpointer data)
{
  Program program;

  program_init (&program, self, cie, fde->program, fde->program_size);
  program.has_initial = TRUE;
  program.row = cie->initial;
  program.at = fde->begin;
  while (program.reader.at < program.reader.end && !program.is_lost)
    {
      guint64 next;

      if (!run_one (&program, weft_unwind_reader_u8 (&program.reader), &next))
        continue;
      if (program.reader.failed || next < program.at || next > fde->end)
        program.is_lost = TRUE;
      else if (next > program.at)
        {
          if (!each (program.at, next, &program.row, data))
            return;
          program.at = next;
        }
    }
  if (program.is_lost || program.reader.failed)
    lose (&program);
  if (program.at < fde->end)
    each (program.at, fde->end, &program.row, data);
}

/* CIEs */

/* What the letters after 'z' say; those that are not known end it, for their data have no known
 * length.
 */
static void
read_augmentation (WeftUnwindCie *cie, const char *letters, WeftUnwindReader *reader)
{
  WeftUnwindBases bases = { 0, 0, 0 };

  for (; *letters != '\0'; letters++)
    switch (*letters)
      {
      case 'L': /* encoding of what exceptions need */
        weft_unwind_reader_u8 (reader);
        break;
      case 'P': /* the function that exceptions call */
        weft_unwind_reader_pointer (reader, weft_unwind_reader_u8 (reader) & 0x0f, &bases);
        break;
      case 'R':
        cie->encoding = weft_unwind_reader_u8 (reader);
        break;
      case 'S':
        cie->is_signal_frame = TRUE;
        break;
      case 'B': /* AArch64: the key of signed return addresses, and tagged stacks */
      case 'G':
        break;
      default:
        return;
      }
}

static gboolean
read_cie_header (const WeftUnwindSection *self, WeftUnwindReader *reader, WeftUnwindCie *cie)
{
  guint version;
  const char *letters;

  if (!is_cie (self, weft_unwind_reader_number (reader, 4)))
    return FALSE;
  version = weft_unwind_reader_u8 (reader);
  letters = weft_unwind_reader_text (reader);
  if (letters == NULL || (version != 1 && version != 3 && version != 4))
    return FALSE;
  if (version == 4 && (weft_unwind_reader_u8 (reader) != 8 || weft_unwind_reader_u8 (reader) != 0))
    return FALSE;
  cie->code_factor = weft_unwind_reader_uleb (reader);
  cie->data_factor = weft_unwind_reader_sleb (reader);
  cie->return_register =
      version == 1 ? weft_unwind_reader_u8 (reader) : (guint) weft_unwind_reader_uleb (reader);
  cie->has_augmentation = letters[0] == 'z';
  if (letters[0] != '\0' && !cie->has_augmentation)
    return FALSE;

  if (cie->has_augmentation)
    {
      guint64 length = weft_unwind_reader_uleb (reader);
      WeftUnwindReader data = *reader;

      if (!weft_unwind_reader_skip (reader, length))
        return FALSE;
      data.end = reader->at;
      read_augmentation (cie, letters + 1, &data);
      if (data.failed)
        return FALSE;
    }
  return !reader->failed && cie->return_register < WEFT_UNWIND_N_REGISTERS &&
         (cie->encoding & 0x80) == 0;
}

gboolean
weft_unwind_section_read_cie (const WeftUnwindSection *self, gsize offset, WeftUnwindCie *cie)
{
  WeftUnwindReader reader;
  Program program;
  guint64 next;

  memset (cie, 0, sizeof *cie);
  cie->offset = offset + 1;
  if (!open_entry (self, offset, &reader) || !read_cie_header (self, &reader, cie) ||
      weft_unwind_reader_get_left (&reader) > MAX_PROGRAM)
    return FALSE;

  program_init (&program, self, cie, reader.at - self->bytes,
                weft_unwind_reader_get_left (&reader));
  memset (&program.row, 0, sizeof program.row);
  program.row.cfa.how = WEFT_UNWIND_NOT_UNDERSTOOD;
  for (guint i = 0; i < WEFT_UNWIND_N_REGISTERS; i++)
    program.row.registers[i].number = i;
  program.at = 0;
  while (program.reader.at < program.reader.end && !program.is_lost)
    if (run_one (&program, weft_unwind_reader_u8 (&program.reader), &next))
      program.is_lost = TRUE;
  cie->initial = program.row;
  cie->is_sound = !program.is_lost && !program.reader.failed;
  return cie->is_sound;
}
