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

/* How many of TOTAL blocks are read. */
typedef void (*WeftSpoolProgress) (guint64 done, guint64 total, gpointer data);

/* Reads spool files of producers (docs/wire-format.md, "Spool") into the new recording OUTPUT.
 * PATHS: NULL-terminated, all of one boot of one machine. G_IO_ERROR_INVALID_DATA where a file is
 * no spool; a spool cut short gives what it holds. PROGRESS and CANCELLABLE may be NULL; one that
 * is cancelled leaves no OUTPUT.
 */
gboolean weft_spool_import (const char *const *paths, const char *output,
                            WeftSpoolProgress progress, gpointer data, GCancellable *cancellable,
                            WeftSpoolResult *result, GError **error);

G_END_DECLS
