/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-analysis-private.h"
#include "weft-callchain-reader.h"

G_BEGIN_DECLS

/* CPU samples by thread and time: what a thread ran, where a path says that it did. */
typedef struct _WeftPathSamples WeftPathSamples;

typedef struct
{
  guint64 id;
  gint64 time;
  guint32 thread;
  guint32 stack;
  guint8 stack_end;
} WeftPathSample;

WeftPathSamples *weft_path_samples_new (const WeftAnalysisScope *scope,
                                        const WeftCallchainReader *callchains, gint64 begin,
                                        gint64 end, GError **error);
void weft_path_samples_free (WeftPathSamples *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftPathSamples, weft_path_samples_free)

/* Those taken after START and not after STOP: how many, and the first. */
guint weft_path_samples_find (const WeftPathSamples *self, guint32 thread, gint64 start,
                              gint64 stop, const WeftPathSample **first);

G_END_DECLS
