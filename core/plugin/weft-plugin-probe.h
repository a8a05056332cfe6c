/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-plugin.h"

G_BEGIN_DECLS

/* What trying a file out in a process of its own has shown. */
typedef enum
{
  WEFT_PROBE_GOOD,   /* it can be loaded */
  WEFT_PROBE_BROKEN, /* its descriptor is not sound for this library */
  WEFT_PROBE_FAILED, /* it could not be opened or initialised here; it may be another time */
  WEFT_PROBE_CRASH,  /* it crashed, hung or ended the process */
} WeftProbeVerdict;

typedef struct
{
  WeftProbeVerdict verdict;
  char *name;
  char *version;
  char *description;
  char *licence;
  char *reason; /* unless good */
} WeftProbeResult;

const char *weft_probe_verdict_to_text (WeftProbeVerdict verdict);
gboolean weft_probe_verdict_from_text (const char *text, WeftProbeVerdict *verdict);

WeftProbeResult *weft_probe_result_new (WeftProbeVerdict verdict, const char *reason);
void weft_probe_result_free (WeftProbeResult *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftProbeResult, weft_probe_result_free)

/* Tries out PATH, at most TIME_LIMIT milliseconds. NULL if it could not be tried. */
WeftProbeResult *weft_plugin_probe_run (const char *path, guint time_limit,
                                        GCancellable *cancellable, GError **error);

/* The whole of the program weft-plugin-probe, which is no part of the public interface. */
WEFT_API int weft_plugin_probe_main (int argc, char **argv);

G_END_DECLS
