/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <weft.h>

G_BEGIN_DECLS

/* Adds what is found about OpenMP, if the recording has any of it. */
gboolean weft_openmp_diagnose (WeftRecording *recording, GListStore *findings,
                               GCancellable *cancellable, GError **error);

/* Whether stacks lead through a runtime of OpenMP that reported nothing. */
gboolean weft_openmp_concerns (WeftDomain *domain, WeftRecording *recording);

G_END_DECLS
