/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-store-cut.h"
#include "weft-store-file.h"

G_BEGIN_DECLS

/*
 * The files of a recording of the last seconds or bytes: a number of parts, written one after the
 * other, of which the oldest goes when there is too much, and the recording's own file, which keeps
 * what must stay of those that went. On the writing thread, but for what says otherwise.
 */
typedef struct _WeftStoreRotation WeftStoreRotation;

typedef struct
{
  gint64 duration; /* ns; 0: any */
  guint64 size;    /* bytes; 0: any */
} WeftStoreKeep;

/* Makes the file and the folder. HEADER is that of all of them. */
WeftStoreRotation *weft_store_rotation_new (const char *path, const WeftFileHeader *header,
                                            const WeftStoreKeep *keep, GError **error);

/* Leaves the files as they are. */
void weft_store_rotation_free (WeftStoreRotation *self);

/* Makes the next part. */
gboolean weft_store_rotation_begin (WeftStoreRotation *self, WeftStoreFile *file,
                                    WeftChunkBuilder *chunk, GError **error);

/* FILE is finished, and closed here; it holds what came until UNTIL (ns of the recording). */
void weft_store_rotation_add (WeftStoreRotation *self, WeftStoreFile *file, gint64 until);

/* Lets the oldest parts go, as far as there are too many. NAMED gets the strings that are named by
 * what is left of the older ones, if these were sorted out; else it stays as it is.
 */
gboolean weft_store_rotation_trim (WeftStoreRotation *self, const WeftRowSet *forgotten,
                                   const guint64 *in_use_from, WeftRowSet *named, GError **error);

/* Bytes of the file and its finished parts. Any thread. */
guint64 weft_store_rotation_get_size (WeftStoreRotation *self);

/* Puts what came SINCE (ns of the recording) into the new file OUT. Any thread. */
gboolean weft_store_rotation_copy (WeftStoreRotation *self, gint64 since, const char *out,
                                   GError **error);

/* Puts all that is to be kept into one file, which replaces this one, and removes the parts. */
gboolean weft_store_rotation_finish (WeftStoreRotation *self, GError **error);

G_END_DECLS
