/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <pthread.h>

#include "weft-column-decoder.h"

G_BEGIN_DECLS

/* An open file, shared by all views of it, with the cache of what was decoded from it. */
typedef struct
{
  gint refs; /* atomic */
  int fd;
  pthread_mutex_t lock; /* of the cache */
  GQueue cached;        /* WeftDecoded, latest first */
  guint64 cache_size;
  guint64 cache_limit;
  guint64 strings_size; /* atomic: strings are not given up while the file is open */
  guint part;           /* of a recording in parts; 0: the file itself */
} WeftInput;

WeftInput *weft_input_open (const char *path, GError **error);
WeftInput *weft_input_ref (WeftInput *self);
void weft_input_unref (WeftInput *self);
gboolean weft_input_read (WeftInput *self, void *to, gsize size, guint64 offset);

/* What the cache holds at PLACE, or NULL. */
WeftDecoded *weft_input_cache_get (WeftInput *self, gpointer *place);

/* Takes over a reference of DECODED and returns one, of what another thread put there before or
 * of DECODED itself. PLACE must be dropped before it goes away.
 */
WeftDecoded *weft_input_cache_put (WeftInput *self, gpointer *place, WeftDecoded *decoded);

/* With the lock held. */
void weft_input_cache_drop (WeftInput *self, WeftDecoded *decoded);

/* What is decoded of a chunk of strings. */
typedef struct
{
  char *text;
  guint32 *offsets;
} WeftChunkStrings;

/* One chunk of a file. What is first known of it comes from its header or from the index; the
 * directory is read, checked and compared with that when it is first needed.
 */
typedef struct
{
  gint refs; /* atomic */
  WeftInput *input;
  guint64 offset;
  guint64 size; /* header included */
  guint64 first_row;
  guint32 rows;
  guint32 flags;
  guint16 kind;
  guint16 table;

  pthread_mutex_t lock;
  struct _WeftChunkDirectory *directory; /* atomic: set once */
  WeftChunkStrings *strings;             /* atomic: set once */
} WeftChunk;

typedef struct _WeftChunkDirectory
{
  guint16 version;
  guint64 extra;
  guint n_streams;
  gpointer *decoded; /* WeftDecoded of each, then of each one's raw bytes; under the input's lock */
  WeftStreamEntry streams[];
} WeftChunkDirectory;

WeftChunk *weft_chunk_new (WeftInput *input, guint64 offset, const WeftChunkHeader *header);
WeftChunk *weft_chunk_ref (WeftChunk *self);
void weft_chunk_unref (WeftChunk *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftChunk, weft_chunk_unref)

/* Whether the header is one, and the chunk lies within FILE_SIZE. */
gboolean weft_chunk_header_is_valid (const WeftChunkHeader *header);
gboolean weft_chunk_header_fits (const WeftChunkHeader *header, guint64 offset, guint64 file_size);

const WeftChunkDirectory *weft_chunk_get_directory (WeftChunk *self, GError **error);

/* NULL, without an error, if the chunk has no such stream. */
const WeftStreamEntry *weft_chunk_find_stream (const WeftChunkDirectory *directory, guint id);
gboolean weft_chunk_has_stream (WeftChunk *self, guint id);

/* NULL with an error if it is damaged; WEFT_STORE_ERROR_NO_SUCH_ROW if there is none. */
WeftDecoded *weft_chunk_read (WeftChunk *self, guint id, GError **error);

/* Streams FIRST to FIRST + N - 1, but for those in the bit set SKIP, which must all have the same
 * number of values. Nothing is to be cleared after FALSE.
 */
gboolean weft_chunk_read_streams (WeftChunk *self, guint first, guint n, guint skip,
                                  WeftStoreColumn *columns, guint32 *count, GError **error);

/* What the cache holds of a stream, or NULL. */
WeftDecoded *weft_chunk_get_cached (WeftChunk *self, const WeftStreamEntry *entry);

/* The checked and decompressed bytes of a stream; TO has room for raw_size and 8 more. */
gboolean weft_chunk_read_raw (WeftChunk *self, const WeftStreamEntry *entry, guint8 *to,
                              GError **error);

/* Values BEGIN to END - 1 of a stream, which must be whole lanes where it is encoded by lanes. */
gboolean weft_chunk_read_range (WeftChunk *self, guint id, guint32 begin, guint32 end,
                                WeftStoreColumn *column, GError **error);

/* A copy of a whole stream's values; NULL if they are not AS_MANY (0: any number, but not none). */
guint64 *weft_chunk_read_numbers (WeftChunk *self, guint id, guint32 as_many, guint32 *n);

/* The values of a stream that is encoded as runs, and their LENGTHS; NULL if it is not. */
guint64 *weft_chunk_read_runs (WeftChunk *self, guint id, guint64 **lengths, guint32 *n);

/* The bytes of a BYTES stream. */
guint8 *weft_chunk_read_bytes (WeftChunk *self, guint id, gsize *size, guint32 *count,
                               GError **error);

gboolean weft_chunk_damaged (const WeftChunk *self, const char *what, GError **error);

/* Checks every byte. */
gboolean weft_chunk_verify (WeftChunk *self, GError **error);

G_END_DECLS
