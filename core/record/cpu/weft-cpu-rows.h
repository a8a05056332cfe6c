/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "weft-ingest.h"
#include "weft-linker.h"
#include "weft-module.h"
#include "weft-symbol-source.h"

G_BEGIN_DECLS

/*
 * Rows of what the tracker found out, on the engine's thread.
 *
 * The tracker hands over batches: new processes, threads, mappings, frames and callchains, then
 * what refers to them. Numbers of the tracker are dense; those of frames and callchains are the ids
 * of their rows, those of processes and threads are translated, because targets that report lanes
 * share these tables. What is waiting is bounded: the tracker is told to leave out samples and
 * waits, and counts them, but never what others refer to.
 */
typedef struct _WeftCpuRows WeftCpuRows;
typedef struct _WeftCpuBatch WeftCpuBatch;

/* Batches are taken on CONTEXT's thread. SYMBOLS and LINKER may be NULL. All outlive it. */
WeftCpuRows *weft_cpu_rows_new (WeftIngest *ingest, WeftSymbolSource *symbols, WeftLinker *linker,
                                GMainContext *context);

/* Takes what is waiting, and frees. On the engine's thread. */
void weft_cpu_rows_free (WeftCpuRows *self);

/* Writes what is waiting now. On the engine's thread. */
void weft_cpu_rows_drain (WeftCpuRows *self);

/* Likewise, and the waits that were held for hand-overs: none is going to come. */
void weft_cpu_rows_settle (WeftCpuRows *self);

/* Any thread; takes BATCH. The engine's thread, which drains in turn, is woken for much only, and
 * for who is new. */
void weft_cpu_rows_post (WeftCpuRows *self, WeftCpuBatch *batch);

/* Any thread: whether more waits than should. */
gboolean weft_cpu_rows_is_behind (WeftCpuRows *self);

G_END_DECLS
