/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-store-writer.h"
#include "weft-symbol-module.h"

G_BEGIN_DECLS

/* Rows of what is known of functions. On the engine's thread. */
typedef struct _WeftSymbolRows WeftSymbolRows;

/* START: time zero, CLOCK_MONOTONIC ns. */
WeftSymbolRows *weft_symbol_rows_new (WeftStoreWriter *store, gint64 start);
void weft_symbol_rows_free (WeftSymbolRows *self);

/* The functions that FRAME, at ADDRESS in FUNCTION, is in. MODULE is a row of that table. */
void weft_symbol_rows_add_frame (WeftSymbolRows *self, guint64 frame, guint64 module,
                                 guint64 address, const WeftSymbolFunction *function);

void weft_symbol_rows_add_state (WeftSymbolRows *self, guint64 module,
                                 const WeftSymbolModuleState *state);

/* The code of FUNCTION and its lines. */
void weft_symbol_rows_add_code (WeftSymbolRows *self, guint64 module,
                                const WeftSymbolFunction *function, const char *architecture,
                                const GByteArray *code);

void weft_symbol_rows_add_diagnostic (WeftSymbolRows *self, guint severity, const char *code,
                                      const char *message);
void weft_symbol_rows_add_meta (WeftSymbolRows *self, const char *key, const char *text);

G_END_DECLS
