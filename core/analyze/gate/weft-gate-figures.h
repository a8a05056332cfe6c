/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-recording.h"
#include "weft-threshold.h"

G_BEGIN_DECLS

/* What a recording says of a figure. */
typedef struct
{
  double value;
  WeftThresholdUnit unit;
  char *doubt; /* why it cannot be told; NULL if it can */
} WeftGateFigure;

/* FALSE only where something failed. */
gboolean weft_gate_figure_find (const WeftThreshold *threshold, WeftRecording *recording,
                                WeftGateFigure *figure, GCancellable *cancellable, GError **error);

/* Why nothing in RECORDING can be relied on, to be freed; NULL with no ERROR if it can. */
char *weft_gate_find_doubt (WeftRecording *recording, GCancellable *cancellable, GError **error);

G_END_DECLS
