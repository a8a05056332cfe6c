/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-unwind-reader.h"

G_BEGIN_DECLS

typedef gboolean (*WeftUnwindReadFunc) (guint64 address, guint64 *value, gpointer data);
typedef gboolean (*WeftUnwindRegisterFunc) (guint number, guint64 *value, gpointer data);

typedef enum
{
  WEFT_UNWIND_EXPRESSION_DONE,
  WEFT_UNWIND_EXPRESSION_NO_MEMORY, /* it reads what we do not have */
  WEFT_UNWIND_EXPRESSION_NOT_KNOWN, /* an operation that we do not know, or one without sense */
} WeftUnwindExpressionResult;

/* What a DWARF expression comes to: arithmetic, registers and memory, no branches, and so always
 * as long as it is written. INITIAL (the CFA) lies on its stack if HAS_INITIAL.
 */
WeftUnwindExpressionResult weft_unwind_expression_evaluate (const guint8 *bytes, gsize length,
                                                            gboolean has_initial, guint64 initial,
                                                            WeftUnwindRegisterFunc get_register,
                                                            WeftUnwindReadFunc read, gpointer data,
                                                            guint64 *value);

G_END_DECLS
