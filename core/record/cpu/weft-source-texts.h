/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-symbol-rows.h"

G_BEGIN_DECLS

/*
 * The text of source files that code names, into the recording. Which files those are is said by
 * debugging information, which may have been made to name others: only what has the name of a
 * source file is read, and where the recorder has more rights than others, only what everybody may
 * read.
 */
typedef struct _WeftSourceTexts WeftSourceTexts;

WeftSourceTexts *weft_source_texts_new (WeftStoreWriter *store);
void weft_source_texts_free (WeftSourceTexts *self);

/* All files of FUNCTION, which is of a file that was made at MADE (CLOCK_REALTIME ns; 0: not
 * known).
 */
void weft_source_texts_add (WeftSourceTexts *self, const WeftSymbolFunction *function, gint64 made);

/* Writes them; says in ROWS which are newer than the code, and which were left out. */
void weft_source_texts_write (WeftSourceTexts *self, WeftSymbolRows *rows);

G_END_DECLS
