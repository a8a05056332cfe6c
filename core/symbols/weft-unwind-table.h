/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-elf-image.h"
#include "weft-unwind-cfi.h"

G_BEGIN_DECLS

/*
 * How to unwind the code of one file: its call frame information, made compact and quick to find.
 *
 * Code is divided into pages of 4 KiB. What a page needs is worked out when an address in it is
 * first asked for, from the entries of its functions only: rows of 4 bytes (an address within the
 * page and the number of a rule), in order of address. Equal rules are kept once. So a large
 * program costs what was sampled of it, and nothing stops the recorder for longer than a page
 * takes. Any thread may look up.
 */
typedef struct _WeftUnwindTable WeftUnwindTable;

/* What a machine's registers are for. */
typedef struct
{
  guint machine; /* EM_… */
  guint8 stack_pointer;
  guint8 frame_pointer;
  guint8 return_address; /* the register that stands for it */
  guint8 n_registers;
  gboolean has_link;    /* it is a real one, which calls leave it in */
  guint64 preserved;    /* bits of registers that functions hand back as they got them */
  guint64 address_mask; /* return addresses may be signed in the bits that this leaves out */
} WeftUnwindMachine;

enum
{
  WEFT_UNWIND_RULE_END = 1 << 0,     /* there is no caller */
  WEFT_UNWIND_RULE_SIGNAL = 1 << 1,  /* the caller was interrupted: it did not call */
  WEFT_UNWIND_RULE_UNKNOWN = 1 << 2, /* not understood */
  WEFT_UNWIND_RULE_SIMPLE = 1 << 3,  /* CFA by register, the return address in memory by the CFA */
  WEFT_UNWIND_RULE_SWITCH =
      1 << 4, /* it says itself where the stack pointer was: maybe in another stack */
};

/* What to do at an address. */
typedef struct
{
  guint8 flags;
  guint8 n_saved;
  gint16 return_offset; /* of a simple one */
  WeftUnwindPlace cfa;
  WeftUnwindPlace saved[]; /* the return address is among them unless the rule is simple */
} WeftUnwindRule;

/* NULL if it is not code of a machine that we know. One without call frame information knows no
 * rules. DESCRIPTOR is not needed afterwards.
 */
WeftUnwindTable *weft_unwind_table_new (WeftElfImage *image, int descriptor);
void weft_unwind_table_free (WeftUnwindTable *self);

/* That of the machine that we run on; NULL if it is none that we know. */
const WeftUnwindMachine *weft_unwind_machine_get_native (void);

const WeftUnwindMachine *weft_unwind_table_get_machine (const WeftUnwindTable *self);

/* Of a link-time virtual address; NULL if nothing is known of it. */
const WeftUnwindRule *weft_unwind_table_lookup (WeftUnwindTable *self, guint64 address);

/* Where the function that ADDRESS is in begins, as the table has it; FALSE if it is in none. */
gboolean weft_unwind_table_find_function (WeftUnwindTable *self, guint64 address, guint64 *begin);

/* Whether ADDRESS is where the kernel starts the program, or shortly after. */
gboolean weft_unwind_table_is_entry (const WeftUnwindTable *self, guint64 address);

/* The bytes of an expression in a rule. */
const guint8 *weft_unwind_table_get_expression (const WeftUnwindTable *self,
                                                const WeftUnwindPlace *place);

/* Of what it takes, for those who want to know. */
typedef struct
{
  guint n_functions;
  guint n_pages; /* that have been worked out */
  guint n_rows;
  guint n_rules;
  gsize n_bytes; /* of memory, all in all */
} WeftUnwindTableSize;

void weft_unwind_table_get_size (WeftUnwindTable *self, WeftUnwindTableSize *size);

/* Tells EACH of every row of all functions in order of the section, as they are written. */
void weft_unwind_table_foreach (WeftUnwindTable *self,
                                void (*each) (const WeftUnwindFde *fde, const WeftUnwindCie *cie,
                                              guint64 begin, guint64 end, const WeftUnwindRow *row,
                                              gpointer data),
                                gpointer data);

G_END_DECLS
