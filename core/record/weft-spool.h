/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct
{
  guint64 dispatches;
  guint64 rejected;
  guint64 lost;
  guint lanes;
} WeftSpoolResult;

/* Reads spool files of producers (docs/wire-format.md, "Spool") into the new recording OUTPUT.
 * PATHS: NULL-terminated, all of one boot of one machine. G_IO_ERROR_INVALID_DATA where a file is
 * no spool; a spool cut short gives what it holds.
 */
gboolean weft_spool_import (const char *const *paths, const char *output, WeftSpoolResult *result,
                            GError **error);

G_END_DECLS
