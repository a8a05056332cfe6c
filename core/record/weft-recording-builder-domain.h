/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-domain.h"
#include "weft-recording-builder.h"

G_BEGIN_DECLS

WEFT_API gboolean weft_recording_builder_add_domain (WeftRecordingBuilder *self, WeftDomain *domain,
                                                     GCancellable *cancellable, GError **error);

G_END_DECLS
