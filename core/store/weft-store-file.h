/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "weft-chunk-builder.h"

G_BEGIN_DECLS

/* The writing end of a file: appends whole chunks, or nothing. */
typedef struct
{
  int fd;
  gboolean is_part; /* others follow, which say again what is provisional */
  guint64 size;     /* up to the last whole chunk */
  guint64 sequence; /* of the next chunk */
  GArray *index[WEFT_N_INDEX_STREAMS];
} WeftStoreFile;

gboolean weft_store_file_create (WeftStoreFile *self, const char *path,
                                 const WeftFileHeader *header, GError **error);

/* Again, where something in it is known later only. */
gboolean weft_store_file_write_header (WeftStoreFile *self, const WeftFileHeader *header,
                                       GError **error);

void weft_store_file_clear (WeftStoreFile *self);

/* Finishes CHUNK and appends it. */
gboolean weft_store_file_append (WeftStoreFile *self, WeftChunkBuilder *chunk, GError **error);

/* Appends SIZE bytes that are a chunk already. */
gboolean weft_store_file_append_copy (WeftStoreFile *self, const WeftChunkHeader *header,
                                      const void *payload, GError **error);

/* Leaves out of the index what sealed chunks have superseded, and ends the file. */
gboolean weft_store_file_finish (WeftStoreFile *self, WeftChunkBuilder *chunk, GError **error);

gboolean weft_store_file_sync (WeftStoreFile *self, GError **error);

/* The description that every file carries. */
gboolean weft_store_file_append_schema (WeftStoreFile *self, WeftChunkBuilder *chunk,
                                        GError **error);

G_END_DECLS
