/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-xctrace-kind.h"

G_BEGIN_DECLS

/* What threads of processes did in the driver: a lane for each activity and process, nested by
 * begin and end where Instruments nests them, too.
 */
typedef struct _WeftXctraceDriver WeftXctraceDriver;

extern const WeftXctraceKind weft_xctrace_driver_kind;

WeftXctraceDriver *weft_xctrace_driver_new (void);
void weft_xctrace_driver_free (WeftXctraceDriver *self);

/* Writes what may still have had something inside it. */
gboolean weft_xctrace_driver_finish (WeftXctraceImport *import, GPtrArray *losses, GError **error);

G_END_DECLS
