/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <weft.h>

G_BEGIN_DECLS

/* What the domain asks of recordings; see the functions of WeftDomain of the same names. */

#define WEFT_METAL_CHECK_LANES "metal.lanes"
#define WEFT_METAL_CHECK_SOURCES "metal.sources"
#define WEFT_METAL_CHECK_COUNTERS "metal.counters"
#define WEFT_METAL_CHECK_COUNTER_ERRORS "metal.counter-errors"
#define WEFT_METAL_CHECK_RESOLVED "metal.resolved"
#define WEFT_METAL_CHECK_IDENTITY "metal.identity"

#define WEFT_METAL_ADVICE_LANES                                                                    \
  "Have the program report its queues: weft-metal.h writes timestamps around each dispatch and "   \
  "tells a lane of kind metal.queue (docs/metal.md). A trace of Instruments can be imported "      \
  "instead"
#define WEFT_METAL_ADVICE_SOURCES                                                                  \
  "Build with -frecord-sources and add the library: weft import RECORDING LIBRARY.metallib -o "    \
  "FILE. Or have the program register its sources (weft-metal.h)"
#define WEFT_METAL_ADVICE_COUNTERS                                                                 \
  "Sampling counters costs time, so it has to be asked for: turn on the counter mode of "          \
  "weft-metal.h, and see what the probe says of this device and path (docs/metal.md)"

GListModel *weft_metal_diagnose (WeftDomain *domain, WeftRecording *recording,
                                 GCancellable *cancellable, GError **error);
gboolean weft_metal_concerns (WeftDomain *domain, WeftRecording *recording);
GListModel *weft_metal_get_details (WeftDomain *domain, WeftRecording *recording, GObject *object);

/* "LIBRARY / FUNCTION / PIPELINE": what tells shaders apart. Parts that are not told are left out.
 */
char *weft_metal_shader_identity (const char *library, const char *function, const char *pipeline);

G_END_DECLS
