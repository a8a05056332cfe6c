/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-callchain-reader.h"
#include "weft-catalog.h"

G_BEGIN_DECLS

/*
 * Target work that a thread provably waited for: dispatches that are classified as synchronous,
 * between the begin and the end of the wait that proves it. It hangs under the frame that the stack
 * that queued it and the stack that waited share; where no stack is known of the two it hangs
 * nowhere, and is only counted.
 *
 * Where a thread waited for several at once, each moment belongs to the one that ended last: that
 * is what it waited for.
 */
typedef struct _WeftFlameWork WeftFlameWork;

typedef struct
{
  guint32 thread;
  guint32 lane;
  guint32 routine;
  guint32 stack; /* of the callchain reader */
  gint64 start;
  gint64 stop;
  guint64 dispatch;
} WeftWorkPiece;

/* A part of a wait, and the work that ran in it, or NULL. */
typedef void (*WeftWorkFunc) (gint64 start, gint64 stop, const WeftWorkPiece *work, gpointer data);

WeftFlameWork *weft_flame_work_new (const WeftAnalysisScope *scope,
                                    const WeftCallchainReader *callchains, GError **error);
void weft_flame_work_free (WeftFlameWork *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftFlameWork, weft_flame_work_free)

/* Passes a wait of THREAD in parts, in the order of time. */
void weft_flame_work_split (const WeftFlameWork *self, guint32 thread, gint64 start, gint64 stop,
                            WeftWorkFunc func, gpointer data);

/* What the graph shows of dispatches, and why not of the others: a table "target_work". */
gboolean weft_flame_work_tell (const WeftFlameWork *self, const WeftAnalysisScope *scope,
                               WeftReport *report, GError **error);

G_END_DECLS
