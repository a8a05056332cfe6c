/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* One instruction, or bytes that are none. */
typedef struct
{
  guint64 address;
  guint32 size;
  gboolean has_target; /* it calls or jumps to a place that is known */
  guint64 target;
  char *text; /* in the assembler's words; NULL where nobody can tell */
} WeftInstruction;

/* Whether code for this machine can be told as instructions; REASON (not to be freed) says why not.
 */
gboolean weft_disassemble_is_possible (const char *architecture, const char **reason);

/* Element type WeftInstruction, in the order of addresses, all bytes of CODE once. Where it is not
 * possible each row has the bytes up to the next of MARKS (element type guint64, ascending), but at
 * most 8.
 */
GArray *weft_disassemble (const char *architecture, const guint8 *code, gsize length,
                          guint64 address, const GArray *marks);

G_END_DECLS
