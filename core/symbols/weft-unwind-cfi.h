/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-unwind-reader.h"

G_BEGIN_DECLS

/* Registers that matter: numbers that DWARF gives them, below this. */
#define WEFT_UNWIND_N_REGISTERS 33

/* How the value that a register had in the calling function is found. */
typedef enum
{
  WEFT_UNWIND_SAME,          /* it was not touched, or nothing is said */
  WEFT_UNWIND_UNDEFINED,     /* it is lost; of the return address: there is no caller */
  WEFT_UNWIND_AT_CFA,        /* in memory, VALUE beyond the CFA */
  WEFT_UNWIND_CFA_PLUS,      /* it is the CFA and VALUE */
  WEFT_UNWIND_COPY,          /* in register OPERAND */
  WEFT_UNWIND_AT_REGISTER,   /* in memory, VALUE beyond what register OPERAND holds */
  WEFT_UNWIND_AT_EXPRESSION, /* in memory, where an expression says */
  WEFT_UNWIND_EXPRESSION,    /* it is what an expression says */
  WEFT_UNWIND_REGISTER_PLUS, /* of the CFA: register OPERAND and VALUE */
  WEFT_UNWIND_DEREFERENCED,  /* of the CFA: in memory, VALUE beyond what register OPERAND holds */
  WEFT_UNWIND_PLT,           /* of the CFA: VALUE beyond the stack pointer, and 8 more from byte
                              * OPERAND of each entry of 16 bytes on */
  WEFT_UNWIND_NOT_UNDERSTOOD,
} WeftUnwindHow;

/* An expression's OPERAND is its length, and its VALUE where in the section it begins. */
typedef struct
{
  guint8 how;
  guint8 number; /* of the register */
  guint16 operand;
  gint32 value;
} WeftUnwindPlace;

/* What holds from one address up to the next. */
typedef struct
{
  WeftUnwindPlace cfa;
  WeftUnwindPlace registers[WEFT_UNWIND_N_REGISTERS];
} WeftUnwindRow;

/* A section with call frame information, .eh_frame or .debug_frame. */
typedef struct
{
  const guint8 *bytes;
  gsize size;
  guint64 address;
  gboolean is_debug_frame;
} WeftUnwindSection;

/* What the functions that one compiler made have in common. */
typedef struct
{
  gsize offset; /* in the section, plus 1; 0: not read yet */
  gboolean is_sound;
  guint64 code_factor;
  gint64 data_factor;
  guint return_register;
  guint encoding; /* of addresses */
  gboolean has_augmentation;
  gboolean is_signal_frame;
  WeftUnwindRow initial;
} WeftUnwindCie;

/* The entry of one function. */
typedef struct
{
  guint64 begin;
  guint64 end;
  gsize cie; /* where in the section */
  gsize program;
  gsize program_size;
} WeftUnwindFde;

typedef enum
{
  WEFT_UNWIND_ENTRY_NONE, /* the end, or not sound */
  WEFT_UNWIND_ENTRY_CIE,
  WEFT_UNWIND_ENTRY_FDE,
} WeftUnwindEntry;

/* Told of each row in order of address; FALSE ends it. */
typedef gboolean (*WeftUnwindRowFunc) (guint64 begin, guint64 end, const WeftUnwindRow *row,
                                       gpointer data);

/* What stands at OFFSET, and where the next entry is (the section's size at its end). */
WeftUnwindEntry weft_unwind_section_next (const WeftUnwindSection *self, gsize offset, gsize *next);

/* FALSE if it cannot be understood; CIE says so then, too. */
gboolean weft_unwind_section_read_cie (const WeftUnwindSection *self, gsize offset,
                                       WeftUnwindCie *cie);

/* Where the entry of the function at OFFSET says that its CIE is. */
gboolean weft_unwind_section_find_cie (const WeftUnwindSection *self, gsize offset, gsize *cie);

gboolean weft_unwind_section_read_fde (const WeftUnwindSection *self, gsize offset,
                                       const WeftUnwindCie *cie, WeftUnwindFde *fde);

/* Runs what FDE says. */
void weft_unwind_section_run (const WeftUnwindSection *self, const WeftUnwindCie *cie,
                              const WeftUnwindFde *fde, WeftUnwindRowFunc each, gpointer data);

G_END_DECLS
