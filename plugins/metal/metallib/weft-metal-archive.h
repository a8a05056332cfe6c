/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* A file of an archive. */
typedef struct
{
  char *path;
  GBytes *contents;
} WeftMetalFile;

void weft_metal_file_free (WeftMetalFile *self);

/*
 * The files of a tar archive that bzip2 compressed, as compilers put sources into libraries:
 * element-type WeftMetalFile. NULL with G_IO_ERROR_INVALID_DATA if it is damaged, or expands to
 * more than LIMIT bytes; with G_IO_ERROR_NOT_SUPPORTED where the plugin was built without bzip2.
 */
GPtrArray *weft_metal_archive_read (const guint8 *data, gsize size, gsize limit, GError **error);

G_END_DECLS
