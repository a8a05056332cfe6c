/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-module.h"
#include "weft-symbol-block.h"

G_BEGIN_DECLS

/*
 * The recorder's side of one weft-symbolizer: a process that reads ELF and DWARF. It is started
 * when it is first asked, and again after it fell over a file, which costs that file's names only.
 * One thread at a time, always the same one (the process ends with the thread that started it).
 */
typedef struct _WeftSymbolizer WeftSymbolizer;

/* What came of a question. */
typedef struct
{
  WeftSymbolState state;
  guint64 n_symbols;
  char *reason;      /* why there is no more; "" if all is there */
  char *link;        /* name of a file with debugging information, as the module says; or "" */
  char *debug_file;  /* where debugging information was read from; "" if from the module */
  GPtrArray *blocks; /* WeftSymbolBlock */
  GPtrArray *bytes;  /* GBytes: the same, encoded */
} WeftSymbolAnswer;

void weft_symbol_answer_free (WeftSymbolAnswer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftSymbolAnswer, weft_symbol_answer_free)

WeftSymbolizer *weft_symbolizer_new (void);
void weft_symbolizer_free (WeftSymbolizer *self);

/* Finds a file with debugging information elsewhere: a path, or NULL with a REASON. On the
 * symbolizer's thread.
 */
typedef char *(*WeftSymbolFindFunc) (const char *build_id, char **reason, gpointer data);
void weft_symbolizer_set_finder (WeftSymbolizer *self, WeftSymbolFindFunc find, gpointer data);

/* How long it may take for one message; ns. 0: 30 s. */
void weft_symbolizer_set_time_limit (WeftSymbolizer *self, gint64 limit);

/* Never NULL. OFFSETS are sorted; there is any number of them. */
WeftSymbolAnswer *weft_symbolizer_resolve (WeftSymbolizer *self, WeftCodeModule *module,
                                           const guint64 *offsets, guint n);

/* Likewise of a file that is no module: NUMBER and PATH identify it, DESCRIPTOR is not taken. */
WeftSymbolAnswer *weft_symbolizer_resolve_file (WeftSymbolizer *self, guint number,
                                                const char *path, const char *build_id,
                                                int descriptor, const guint64 *offsets, guint n);

/* Any thread: whatever is being waited for fails at once, and all that comes after. */
void weft_symbolizer_cancel (WeftSymbolizer *self);

/* Any thread: ns of CPU time of all its processes so far. */
guint64 weft_symbolizer_get_cpu (WeftSymbolizer *self);


G_END_DECLS
