/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <weft.h>

G_BEGIN_DECLS

#define WEFT_TYPE_OPENCL_DOMAIN (weft_opencl_domain_get_type ())
G_DECLARE_FINAL_TYPE (WeftOpenclDomain, weft_opencl_domain, WEFT, OPENCL_DOMAIN, GObject)

WeftDomain *weft_opencl_domain_new (void);

/* What is well and what is not with OpenCL in RECORDING; a list of WeftFinding. */
GListModel *weft_opencl_domain_find (WeftRecording *recording, GCancellable *cancellable,
                                     GError **error);

G_END_DECLS
