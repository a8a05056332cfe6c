/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-chunk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "weft-crc32c.h"

#define CACHE_LIMIT (G_GUINT64_CONSTANT (256) << 20)
#define KEPT_SCRATCH (4 << 20)
#define MAX_COUNT (1 << 18) /* values of a stream that no file size bounds */
#define MAX_STREAMS 256
#define FIRST_READ 4096 /* enough for the header and directory of nearly every chunk */

/* The file */

static guint64
cache_limit (void)
{
  const char *text = g_getenv ("WEFT_STORE_CACHE");
  guint64 limit = 0;

  if (text != NULL && g_ascii_string_to_unsigned (text, 10, 0, G_MAXINT64, &limit, NULL))
    return limit;
  return CACHE_LIMIT;
}

WeftInput *
weft_input_open (const char *path, GError **error)
{
  WeftInput *self;
  struct stat status;
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

  if (fd < 0 || fstat (fd, &status) != 0)
    {
      int saved = errno;

      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (saved), "%s: %s", path,
                   g_strerror (saved));
      if (fd >= 0)
        close (fd);
      return NULL;
    }
  if (!S_ISREG (status.st_mode))
    {
      g_set_error (error, WEFT_STORE_ERROR, WEFT_STORE_ERROR_NOT_WEFT, "%s is not a regular file",
                   path);
      close (fd);
      return NULL;
    }

  self = g_new0 (WeftInput, 1);
  self->refs = 1;
  pthread_mutex_init (&self->lock, NULL);
  self->fd = fd;
  self->cache_limit = cache_limit ();
  return self;
}

WeftInput *
weft_input_ref (WeftInput *self)
{
  g_atomic_int_inc (&self->refs);
  return self;
}

void
weft_input_unref (WeftInput *self)
{
  if (!g_atomic_int_dec_and_test (&self->refs))
    return;
  g_assert (self->cached.length == 0);
  close (self->fd);
  pthread_mutex_destroy (&self->lock);
  g_free (self);
}

gboolean
weft_input_read (WeftInput *self, void *to, gsize size, guint64 offset)
{
  while (size > 0)
    {
      gssize got = pread (self->fd, to, size, (off_t) offset);

      if (got < 0 && errno == EINTR)
        continue;
      if (got <= 0)
        return FALSE;
      to = (guint8 *) to + got;
      size -= (gsize) got;
      offset += (guint64) got;
    }

  return TRUE;
}

/* The cache */

void
weft_input_cache_drop (WeftInput *self, WeftDecoded *decoded)
{
  g_queue_unlink (&self->cached, &decoded->link);
  self->cache_size -= decoded->size;
  *decoded->place = NULL;
  weft_decoded_unref (decoded);
}

WeftDecoded *
weft_input_cache_put (WeftInput *self, gpointer *place, WeftDecoded *decoded)
{
  pthread_mutex_lock (&self->lock);
  if (*place != NULL)
    {
      weft_decoded_unref (decoded);
      decoded = weft_decoded_ref (*place);
    }
  else if (decoded->size <= self->cache_limit)
    {
      while (self->cache_size + decoded->size > self->cache_limit)
        weft_input_cache_drop (self, g_queue_peek_tail (&self->cached));
      decoded->place = place;
      decoded->link.data = decoded;
      g_queue_push_head_link (&self->cached, &decoded->link);
      self->cache_size += decoded->size;
      *place = weft_decoded_ref (decoded);
    }
  pthread_mutex_unlock (&self->lock);

  return decoded;
}

WeftDecoded *
weft_input_cache_get (WeftInput *self, gpointer *place)
{
  WeftDecoded *decoded;

  pthread_mutex_lock (&self->lock);
  decoded = *place;
  if (decoded != NULL)
    {
      weft_decoded_ref (decoded);
      g_queue_unlink (&self->cached, &decoded->link);
      g_queue_push_head_link (&self->cached, &decoded->link);
    }
  pthread_mutex_unlock (&self->lock);

  return decoded;
}

/* Each thread's buffers for reading and decompressing */

typedef struct
{
  GByteArray *stored;
  GByteArray *raw;
  ZSTD_DCtx *zstd;
} Scratch;

static void
scratch_free (gpointer data)
{
  Scratch *self = data;

  g_byte_array_unref (self->stored);
  g_byte_array_unref (self->raw);
  ZSTD_freeDCtx (self->zstd);
  g_free (self);
}

static Scratch *
scratch_get (void)
{
  static GPrivate private = G_PRIVATE_INIT (scratch_free);
  Scratch *self = g_private_get (&private);

  if (self == NULL)
    {
      self = g_new0 (Scratch, 1);
      self->stored = g_byte_array_new ();
      self->raw = g_byte_array_new ();
      self->zstd = ZSTD_createDCtx ();
      g_private_set (&private, self);
    }
  return self;
}

static void
scratch_trim (GByteArray **buffer)
{
  if ((*buffer)->len <= KEPT_SCRATCH)
    return;
  g_byte_array_unref (*buffer);
  *buffer = g_byte_array_new ();
}

static guint8 *
scratch_room (GByteArray *buffer, gsize size)
{
  if (buffer->len < size)
    g_byte_array_set_size (buffer, (guint) size);
  return buffer->data;
}

/* Chunks */

WeftChunk *
weft_chunk_new (WeftInput *input, guint64 offset, const WeftChunkHeader *header)
{
  WeftChunk *self = g_new0 (WeftChunk, 1);

  self->refs = 1;
  pthread_mutex_init (&self->lock, NULL);
  self->input = weft_input_ref (input);
  self->offset = offset;
  self->size = header->payload_size + sizeof *header;
  self->first_row = header->first_row;
  self->rows = header->rows;
  self->flags = header->flags;
  self->kind = header->kind;
  self->table = header->table;
  return self;
}

WeftChunk *
weft_chunk_ref (WeftChunk *self)
{
  g_atomic_int_inc (&self->refs);
  return self;
}

static void
drop_decoded (WeftChunk *self)
{
  pthread_mutex_lock (&self->input->lock);
  for (guint i = 0; i < 2 * self->directory->n_streams; i++)
    if (self->directory->decoded[i] != NULL)
      weft_input_cache_drop (self->input, self->directory->decoded[i]);
  pthread_mutex_unlock (&self->input->lock);
  g_free (self->directory->decoded);
  g_free (self->directory);
}

void
weft_chunk_unref (WeftChunk *self)
{
  if (!g_atomic_int_dec_and_test (&self->refs))
    return;
  if (self->directory != NULL)
    drop_decoded (self);
  if (self->strings != NULL)
    {
      g_free (self->strings->text);
      g_free (self->strings->offsets);
      g_free (self->strings);
    }
  weft_input_unref (self->input);
  pthread_mutex_destroy (&self->lock);
  g_free (self);
}

gboolean
weft_chunk_header_is_valid (const WeftChunkHeader *header)
{
  return memcmp (header->magic, WEFT_CHUNK_MAGIC, sizeof header->magic) == 0 &&
         header->crc == weft_crc32c (header, G_STRUCT_OFFSET (WeftChunkHeader, crc)) &&
         header->payload_size % 8 == 0 &&
         header->payload_size / sizeof (WeftStreamEntry) >= header->n_streams;
}

gboolean
weft_chunk_header_fits (const WeftChunkHeader *header, guint64 offset, guint64 file_size)
{
  return offset <= file_size && file_size - offset >= sizeof *header &&
         header->payload_size <= file_size - offset - sizeof *header;
}

static gboolean
holds_rows (const WeftChunk *self)
{
  return self->kind == WEFT_CHUNK_SEALED || self->kind == WEFT_CHUNK_JOURNAL ||
         self->kind == WEFT_CHUNK_DERIVED;
}

static gboolean
count_is_sound (const WeftChunk *self, const WeftStreamEntry *entry)
{
  /* No encoding takes more, so that a small file cannot make a reader decompress for ever. */
  if (entry->encoding != WEFT_ENCODING_BYTES &&
      entry->raw_size > (guint64) entry->count * 64 + 8192)
    return FALSE;
  if (holds_rows (self))
    return entry->count == self->rows && entry->encoding != WEFT_ENCODING_BYTES;
  if (entry->encoding == WEFT_ENCODING_BYTES || self->kind == WEFT_CHUNK_INDEX)
    return entry->count == self->rows; /* which is checked against the bytes, or the file's size */
  return entry->count <= MAX_COUNT;
}

static gboolean
entry_is_sound (const WeftChunk *self, const WeftStreamEntry *entry, gsize head)
{
  if (entry->offset % 8 != 0 || entry->offset < head || entry->offset > self->size ||
      entry->stored_size > self->size - entry->offset)
    return FALSE;
  if (entry->raw_size > WEFT_MAX_SEGMENT_SIZE || entry->stored_size > WEFT_MAX_SEGMENT_SIZE)
    return FALSE;
  if (entry->compression == WEFT_COMPRESSION_NONE)
    return entry->raw_size == entry->stored_size && count_is_sound (self, entry);
  return entry->compression == WEFT_COMPRESSION_ZSTD &&
         entry->raw_size / WEFT_MAX_RATIO <= entry->stored_size && count_is_sound (self, entry);
}

static gboolean
matches (const WeftChunk *self, const WeftChunkHeader *header)
{
  return weft_chunk_header_is_valid (header) && header->kind == self->kind &&
         header->table == self->table && header->rows == self->rows &&
         header->first_row == self->first_row && header->flags == self->flags &&
         header->payload_size == self->size - sizeof *header;
}

gboolean
weft_chunk_damaged (const WeftChunk *self, const char *what, GError **error)
{
  g_set_error (error, WEFT_STORE_ERROR, WEFT_STORE_ERROR_DAMAGED,
               "Damaged chunk at byte %" G_GUINT64_FORMAT ": %s", self->offset, what);
  return FALSE;
}

static WeftChunkDirectory *
read_directory (WeftChunk *self, GError **error)
{
  g_autofree WeftChunkDirectory *directory = NULL;
  guint8 first[FIRST_READ];
  gsize got = MIN (sizeof first, self->size);
  WeftChunkHeader header;
  gsize size;

  if (got < sizeof header || !weft_input_read (self->input, first, got, self->offset))
    return weft_chunk_damaged (self, "its header cannot be read", error), NULL;
  memcpy (&header, first, sizeof header);
  if (!matches (self, &header))
    return weft_chunk_damaged (self, "its header is wrong", error), NULL;

  if (header.n_streams > MAX_STREAMS)
    return weft_chunk_damaged (self, "its directory is too large", error), NULL;
  size = header.n_streams * sizeof (WeftStreamEntry);
  directory = g_malloc0 (sizeof *directory + size);
  memcpy (directory->streams, first + sizeof header, MIN (size, got - sizeof header));
  if (size > got - sizeof header &&
      !weft_input_read (self->input, directory->streams, size, self->offset + sizeof header))
    return weft_chunk_damaged (self, "its directory cannot be read", error), NULL;
  if (weft_crc32c (directory->streams, size) != header.directory_crc)
    return weft_chunk_damaged (self, "the checksum of its directory is wrong", error), NULL;
  for (guint i = 0; i < header.n_streams; i++)
    if (!entry_is_sound (self, &directory->streams[i], sizeof header + size))
      return weft_chunk_damaged (self, "its directory is wrong", error), NULL;

  directory->version = header.version;
  directory->extra = header.extra;
  directory->n_streams = header.n_streams;
  directory->decoded = g_new0 (gpointer, 2 * header.n_streams);
  return g_steal_pointer (&directory);
}

const WeftChunkDirectory *
weft_chunk_get_directory (WeftChunk *self, GError **error)
{
  WeftChunkDirectory *directory = __atomic_load_n (&self->directory, __ATOMIC_ACQUIRE);

  if (directory != NULL)
    return directory;

  pthread_mutex_lock (&self->lock);
  if (self->directory == NULL)
    __atomic_store_n (&self->directory, read_directory (self, error), __ATOMIC_RELEASE);
  directory = self->directory;
  pthread_mutex_unlock (&self->lock);

  return directory;
}

const WeftStreamEntry *
weft_chunk_find_stream (const WeftChunkDirectory *directory, guint id)
{
  for (guint i = 0; i < directory->n_streams; i++)
    if (directory->streams[i].id == id)
      return &directory->streams[i];
  return NULL;
}

gboolean
weft_chunk_has_stream (WeftChunk *self, guint id)
{
  const WeftChunkDirectory *directory = weft_chunk_get_directory (self, NULL);

  return directory != NULL && weft_chunk_find_stream (directory, id) != NULL;
}

/* The checked, decompressed bytes of a stream: in TO, which has room for them, or in SCRATCH. */
static const guint8 *
read_raw (WeftChunk *self, const WeftStreamEntry *entry, Scratch *scratch, guint8 *to,
          GError **error)
{
  guint8 *stored;
  guint8 *raw;

  if (to != NULL && entry->compression == WEFT_COMPRESSION_NONE)
    stored = to;
  else
    stored = scratch_room (scratch->stored, entry->stored_size + 8);

  if (!weft_input_read (self->input, stored, entry->stored_size, self->offset + entry->offset))
    return weft_chunk_damaged (self, "a column cannot be read", error), NULL;
  if (weft_crc32c (stored, entry->stored_size) != entry->crc)
    return weft_chunk_damaged (self, "the checksum of a column is wrong", error), NULL;
  if (entry->compression == WEFT_COMPRESSION_NONE)
    return stored;

  if (ZSTD_getFrameContentSize (stored, entry->stored_size) != entry->raw_size)
    return weft_chunk_damaged (self, "the size of a compressed column is wrong", error), NULL;
  raw = scratch_room (scratch->raw, entry->raw_size + 8);
  if (ZSTD_decompressDCtx (scratch->zstd, raw, entry->raw_size, stored, entry->stored_size) !=
      entry->raw_size)
    return weft_chunk_damaged (self, "a column does not decompress", error), NULL;
  return raw;
}

static WeftDecoded *
decode (WeftChunk *self, const WeftStreamEntry *entry, GError **error)
{
  Scratch *scratch = scratch_get ();
  g_autoptr (WeftDecoded) durations = NULL;
  WeftDecoded *decoded = NULL;
  const guint8 *raw;

  if (entry->encoding == WEFT_ENCODING_LANE_GAP)
    {
      const WeftStreamEntry *partner = weft_chunk_find_stream (self->directory, entry->partner);

      if (partner != NULL && partner->encoding == WEFT_ENCODING_LANE_GAP)
        return weft_chunk_damaged (self, "a column refers to itself", error), NULL;
      durations = partner == NULL ? NULL : weft_chunk_read (self, entry->partner, error);
      if (durations == NULL)
        return partner == NULL ? (weft_chunk_damaged (self, "a column is missing", error), NULL)
                               : NULL;
    }

  raw = read_raw (self, entry, scratch, NULL, error);
  if (raw != NULL)
    {
      decoded = weft_column_decode (entry, raw, durations);
      if (decoded == NULL)
        weft_chunk_damaged (self, "a column does not decode", error);
    }
  scratch_trim (&scratch->stored);
  scratch_trim (&scratch->raw);
  return decoded;
}

WeftDecoded *
weft_chunk_read (WeftChunk *self, guint id, GError **error)
{
  const WeftChunkDirectory *directory = weft_chunk_get_directory (self, error);
  const WeftStreamEntry *entry;
  WeftDecoded *decoded;
  gpointer *place;

  if (directory == NULL)
    return NULL;
  entry = weft_chunk_find_stream (directory, id);
  if (entry == NULL || entry->encoding == WEFT_ENCODING_BYTES)
    {
      g_set_error (error, WEFT_STORE_ERROR, WEFT_STORE_ERROR_NO_SUCH_ROW,
                   "The chunk at byte %" G_GUINT64_FORMAT " has no stream %u", self->offset, id);
      return NULL;
    }

  place = &directory->decoded[entry - directory->streams];
  decoded = weft_input_cache_get (self->input, place);
  if (decoded == NULL)
    decoded = decode (self, entry, error);
  else
    return decoded;
  return decoded == NULL ? NULL : weft_input_cache_put (self->input, place, decoded);
}

WeftDecoded *
weft_chunk_get_cached (WeftChunk *self, const WeftStreamEntry *entry)
{
  return weft_input_cache_get (self->input,
                               &self->directory->decoded[entry - self->directory->streams]);
}

gboolean
weft_chunk_read_raw (WeftChunk *self, const WeftStreamEntry *entry, guint8 *to, GError **error)
{
  Scratch *scratch = scratch_get ();
  const guint8 *raw = read_raw (self, entry, scratch, to, error);

  if (raw != NULL && raw != to)
    memcpy (to, raw, entry->raw_size);
  scratch_trim (&scratch->stored);
  scratch_trim (&scratch->raw);
  return raw != NULL;
}

/* The checked raw bytes of a stream, kept in the cache as they are. */
static WeftDecoded *
get_raw (WeftChunk *self, const WeftStreamEntry *entry, GError **error)
{
  gsize number = self->directory->n_streams + (gsize) (entry - self->directory->streams);
  gpointer *place = &self->directory->decoded[number];
  WeftDecoded *bytes = weft_input_cache_get (self->input, place);
  guint8 *copy;

  if (bytes != NULL)
    return bytes;
  copy = g_try_malloc (entry->raw_size + 8);
  if (copy == NULL || !weft_chunk_read_raw (self, entry, copy, error))
    {
      g_free (copy);
      return NULL;
    }
  bytes = g_new0 (WeftDecoded, 1);
  bytes->refs = 1;
  bytes->size = sizeof *bytes + entry->raw_size;
  bytes->data = copy;
  return weft_input_cache_put (self->input, place, bytes);
}

static gboolean
slice_column (WeftDecoded *decoded, guint32 begin, guint32 end, WeftStoreColumn *column)
{
  *column = weft_decoded_column (decoded);
  if (column->data != NULL)
    column->data = (const guint8 *) column->data + (gsize) begin * column->width;
  column->n_rows = end - begin;
  return TRUE;
}

/* Whether a part costs less than the whole. */
static gboolean
has_decodable_ranges (WeftChunk *self, const WeftStreamEntry *entry)
{
  const WeftStreamEntry *partner;

  if (!weft_column_has_ranges (entry))
    return FALSE;
  if (entry->encoding != WEFT_ENCODING_LANE_GAP)
    return TRUE;
  partner = weft_chunk_find_stream (self->directory, entry->partner);
  return partner != NULL && partner->encoding != WEFT_ENCODING_LANE_GAP &&
         partner->encoding != WEFT_ENCODING_LANE_DELTA && partner->count == entry->count &&
         weft_column_has_ranges (partner);
}

static WeftDecoded *
decode_range (WeftChunk *self, const WeftStreamEntry *entry, guint32 begin, guint32 end,
              GError **error)
{
  g_autoptr (WeftDecoded) durations = NULL;
  g_autoptr (WeftDecoded) raw = NULL;
  WeftDecoded *decoded;

  if (entry->encoding == WEFT_ENCODING_LANE_GAP)
    {
      const WeftStreamEntry *partner = weft_chunk_find_stream (self->directory, entry->partner);

      durations = decode_range (self, partner, begin, end, error);
      if (durations == NULL)
        return NULL;
    }

  raw = get_raw (self, entry, error);
  if (raw == NULL)
    return NULL;
  decoded = weft_column_decode_range (entry, raw->data, begin, end, durations);
  if (decoded == NULL)
    weft_chunk_damaged (self, "a column does not decode", error);
  return decoded;
}

gboolean
weft_chunk_read_range (WeftChunk *self, guint id, guint32 begin, guint32 end,
                       WeftStoreColumn *column, GError **error)
{
  const WeftChunkDirectory *directory = weft_chunk_get_directory (self, error);
  const WeftStreamEntry *entry = directory == NULL ? NULL : weft_chunk_find_stream (directory, id);
  WeftDecoded *decoded = NULL;

  memset (column, 0, sizeof *column);
  if (directory == NULL)
    return FALSE;
  if (entry == NULL || end > entry->count || begin >= end)
    return weft_chunk_damaged (self, "a column is too short", error);

  if (!has_decodable_ranges (self, entry) || 2 * (end - begin) > entry->count)
    {
      decoded = weft_chunk_read (self, id, error);
      return decoded != NULL && slice_column (decoded, begin, end, column);
    }
  decoded = decode_range (self, entry, begin, end, error);
  if (decoded != NULL)
    *column = weft_decoded_column (decoded);
  return decoded != NULL;
}

guint64 *
weft_chunk_read_numbers (WeftChunk *self, guint id, guint32 as_many, guint32 *n)
{
  g_autoptr (WeftDecoded) decoded = weft_chunk_read (self, id, NULL);
  WeftStoreColumn column;
  guint64 *numbers;

  if (decoded == NULL || decoded->count == 0 || (as_many != 0 && decoded->count != as_many))
    return NULL;
  column = weft_decoded_column (decoded);
  numbers = g_new (guint64, column.n_rows);
  for (guint32 i = 0; i < column.n_rows; i++)
    numbers[i] = weft_store_column_get (&column, i);
  *n = column.n_rows;
  return numbers;
}

guint64 *
weft_chunk_read_runs (WeftChunk *self, guint id, guint64 **lengths, guint32 *n)
{
  const WeftChunkDirectory *directory = weft_chunk_get_directory (self, NULL);
  const WeftStreamEntry *entry = directory == NULL ? NULL : weft_chunk_find_stream (directory, id);
  g_autoptr (WeftDecoded) raw = NULL;

  if (entry == NULL || entry->count == 0 || (entry->flags & WEFT_STREAM_PRESENCE))
    return NULL;
  if (entry->encoding == WEFT_ENCODING_CONSTANT)
    {
      guint64 *value = g_new (guint64, 1);

      *lengths = g_new (guint64, 1);
      **lengths = entry->count;
      *value = entry->base;
      *n = 1;
      return value;
    }
  if (entry->encoding != WEFT_ENCODING_RUNS)
    return NULL;
  raw = get_raw (self, entry, NULL);
  return raw == NULL ? NULL : weft_column_decode_runs (entry, raw->data, lengths, n);
}

gboolean
weft_chunk_read_streams (WeftChunk *self, guint first, guint n, guint skip,
                         WeftStoreColumn *columns, guint32 *count, GError **error)
{
  gboolean good = TRUE;
  gboolean counted = FALSE;

  memset (columns, 0, n * sizeof *columns);
  for (guint i = 0; i < n && good; i++)
    {
      WeftDecoded *decoded = NULL;

      if (skip >> i & 1)
        continue;
      decoded = weft_chunk_read (self, first + i, error);
      good = decoded != NULL;
      if (good)
        columns[i] = weft_decoded_column (decoded);
      if (good && counted && decoded->count != *count)
        good = weft_chunk_damaged (self, "its columns differ in length", error);
      else if (good)
        *count = decoded->count;
      counted = TRUE;
    }

  for (guint i = 0; i < n && !good; i++)
    weft_store_column_clear (&columns[i]);
  return good;
}

guint8 *
weft_chunk_read_bytes (WeftChunk *self, guint id, gsize *size, guint32 *count, GError **error)
{
  const WeftChunkDirectory *directory = weft_chunk_get_directory (self, error);
  Scratch *scratch = scratch_get ();
  const WeftStreamEntry *entry;
  const guint8 *raw;
  guint8 *copy = NULL;

  if (directory == NULL)
    return NULL;
  entry = weft_chunk_find_stream (directory, id);
  if (entry == NULL || entry->encoding != WEFT_ENCODING_BYTES)
    return weft_chunk_damaged (self, "its bytes are missing", error), NULL;

  raw = read_raw (self, entry, scratch, NULL, error);
  if (raw != NULL)
    {
      copy = g_malloc (entry->raw_size + 1);
      memcpy (copy, raw, entry->raw_size);
      copy[entry->raw_size] = 0;
      *size = entry->raw_size;
      *count = entry->count;
    }
  scratch_trim (&scratch->stored);
  scratch_trim (&scratch->raw);
  return copy;
}

gboolean
weft_chunk_verify (WeftChunk *self, GError **error)
{
  const WeftChunkDirectory *directory = weft_chunk_get_directory (self, error);

  if (directory == NULL)
    return FALSE;
  for (guint i = 0; i < directory->n_streams; i++)
    {
      const WeftStreamEntry *entry = &directory->streams[i];

      if (entry->encoding == WEFT_ENCODING_BYTES)
        {
          gsize size;
          guint32 count;
          g_autofree guint8 *bytes = weft_chunk_read_bytes (self, entry->id, &size, &count, error);

          if (bytes == NULL)
            return FALSE;
        }
      else
        {
          g_autoptr (WeftDecoded) decoded = decode (self, entry, error);

          if (decoded == NULL)
            return FALSE;
        }
    }

  return TRUE;
}
