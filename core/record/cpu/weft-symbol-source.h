/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-enums.h"
#include "weft-module.h"
#include "weft-store-writer.h"

G_BEGIN_DECLS

/*
 * Names for frames: gathers the frames that a recording gets, has them resolved while it goes on,
 * and writes symbols, inlined functions, lines, the machine code and the sources of what was
 * sampled.
 *
 * One thread, the engine's, calls all of this and is the only one that the rows come from. Files
 * are read on threads of the source's own, ELF and DWARF in processes of their own.
 */
typedef struct _WeftSymbolSource WeftSymbolSource;

typedef struct
{
  WeftSymbolMode mode;
  gint64 start;                /* time zero of the recording, CLOCK_MONOTONIC ns */
  const char *cache_directory; /* NULL: the user's own; "": none */
} WeftSymbolOptions;

/* STORE outlives it. */
WeftSymbolSource *weft_symbol_source_new (WeftStoreWriter *store, const WeftSymbolOptions *options);
void weft_symbol_source_free (WeftSymbolSource *self);

/* MODULE is row ROW of the table of modules. Told once, before any of its frames; later the module
 * may get another row (a newer version of a program's generated code), from when on frames belong
 * to that.
 */
void weft_symbol_source_add_module (WeftSymbolSource *self, WeftCodeModule *module, guint64 row);

/* Frame FRAME of the table of frames is at OFFSET of MODULE (NULL: in none, nothing is done). FLAGS
 * as in WeftCodeFrame: the call is looked up, not what it returns to.
 */
void weft_symbol_source_add_frame (WeftSymbolSource *self, guint64 frame, WeftCodeModule *module,
                                   guint64 offset, guint flags);

/* A sample fell into FRAME (its innermost one): its function's code is kept, the hottest first. */
void weft_symbol_source_add_sample (WeftSymbolSource *self, guint64 frame);

/* Hands over what was gathered, and writes what became known. Returns at once; to be called every
 * 100 ms or so.
 */
void weft_symbol_source_tick (WeftSymbolSource *self, gint64 now);

/* The same, for all that waits. Whether nothing is under way any more: what can be known yet of the
 * frames so far is written then.
 */
gboolean weft_symbol_source_catch_up (WeftSymbolSource *self);

typedef struct
{
  guint64 n_frames;   /* asked for */
  guint64 n_resolved; /* decided: named, or known to have no name */
  guint n_modules;
  guint n_failed; /* of them */
} WeftSymbolProgress;

void weft_symbol_source_get_progress (WeftSymbolSource *self, WeftSymbolProgress *progress);

/* ns of CPU time that reading symbols took so far, in this process and in those that read for it.
 */
guint64 weft_symbol_source_get_cpu (WeftSymbolSource *self);

/* Waits until every frame is decided and written, then writes code, lines and sources. At DEADLINE
 * (CLOCK_MONOTONIC ns) the rest stays without names, and module_states and a diagnostic say so.
 * STEP (or NULL) is called every 100 ms or so; once it returns FALSE, the deadline has come.
 */
typedef gboolean (*WeftSymbolStepFunc) (const WeftSymbolProgress *progress, gpointer data);
void weft_symbol_source_finish (WeftSymbolSource *self, gint64 deadline, WeftSymbolStepFunc step,
                                gpointer data);

G_END_DECLS
