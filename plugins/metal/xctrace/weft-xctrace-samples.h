/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-xctrace-kind.h"

G_BEGIN_DECLS

/* CPU samples with their stacks, as the Time Profiler's table has them: modules, functions and
 * frames, each made once.
 */
typedef struct _WeftXctraceSamples WeftXctraceSamples;

extern const WeftXctraceKind weft_xctrace_samples_kind;

WeftXctraceSamples *weft_xctrace_samples_new (void);
void weft_xctrace_samples_free (WeftXctraceSamples *self);

gboolean weft_xctrace_samples_finish (WeftXctraceImport *import, GPtrArray *losses, GError **error);

G_END_DECLS
