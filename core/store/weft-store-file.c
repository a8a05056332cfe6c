/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-store-file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "weft-crc32c.h"

static void
set_error (GError **error, const char *what)
{
  int saved = errno;

  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (saved), "%s: %s", what,
               g_strerror (saved));
}

static gboolean
write_all (int fd, struct iovec *parts, int n_parts, guint64 offset)
{
  while (n_parts > 0)
    {
      gssize written = pwritev (fd, parts, n_parts, (off_t) offset);

      if (written < 0 && errno == EINTR)
        continue;
      if (written < 0)
        return FALSE;
      offset += (guint64) written;
      while (n_parts > 0 && (gsize) written >= parts->iov_len)
        {
          written -= (gssize) parts->iov_len;
          parts++;
          n_parts--;
        }
      if (n_parts > 0)
        {
          parts->iov_base = (guint8 *) parts->iov_base + written;
          parts->iov_len -= (gsize) written;
        }
    }

  return TRUE;
}

/* A limit on file sizes (ulimit -f) raises SIGXFSZ in the thread that writes, which would kill the
 * process: held back, the write fails with EFBIG like any other, and the signal is taken away.
 */
static gboolean
write_quietly (int fd, struct iovec *parts, int n_parts, guint64 offset)
{
  const struct timespec now = { 0, 0 };
  sigset_t limit, before, pending;
  gboolean written;
  int saved;

  sigemptyset (&limit);
  sigaddset (&limit, SIGXFSZ);
  pthread_sigmask (SIG_BLOCK, &limit, &before);
  written = write_all (fd, parts, n_parts, offset);
  saved = errno;
  if (!written && saved == EFBIG && sigpending (&pending) == 0 && sigismember (&pending, SIGXFSZ) &&
      !sigismember (&before, SIGXFSZ))
    sigtimedwait (&limit, NULL, &now);
  pthread_sigmask (SIG_SETMASK, &before, NULL);
  errno = saved;

  return written;
}

/* While the file is open it is locked for writing, which nobody heeds: it tells readers, also those
 * of other processes, that a writer is there. Without it (some network file systems) they cannot
 * tell, which is no reason to fail.
 */
static void
show_presence (int fd)
{
  struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

  if (fcntl (fd, F_OFD_SETLK, &lock) != 0)
    g_debug ("Cannot lock the recording: %s", g_strerror (errno));
}

gboolean
weft_store_file_write_header (WeftStoreFile *self, const WeftFileHeader *header, GError **error)
{
  WeftFileHeader copy = *header;
  struct iovec part = { &copy, sizeof copy };

  copy.crc = weft_crc32c (&copy, G_STRUCT_OFFSET (WeftFileHeader, crc));
  if (write_quietly (self->fd, &part, 1, 0))
    return TRUE;
  set_error (error, "Cannot write the beginning of the recording");
  return FALSE;
}

gboolean
weft_store_file_create (WeftStoreFile *self, const char *path, const WeftFileHeader *header,
                        GError **error)
{
  WeftFileHeader copy = *header;
  struct iovec part = { &copy, sizeof copy };

  memset (self, 0, sizeof *self);
  self->fd = open (path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (self->fd < 0)
    {
      set_error (error, path);
      return FALSE;
    }
  show_presence (self->fd);

  copy.crc = weft_crc32c (&copy, G_STRUCT_OFFSET (WeftFileHeader, crc));
  if (!write_quietly (self->fd, &part, 1, 0))
    {
      set_error (error, path);
      close (self->fd);
      unlink (path);
      return FALSE;
    }
  self->size = sizeof copy;
  for (guint i = 0; i < WEFT_N_INDEX_STREAMS; i++)
    self->index[i] = g_array_new (FALSE, FALSE, sizeof (guint64));
  return TRUE;
}

void
weft_store_file_clear (WeftStoreFile *self)
{
  if (self->fd >= 0)
    close (self->fd);
  for (guint i = 0; i < WEFT_N_INDEX_STREAMS; i++)
    g_clear_pointer (&self->index[i], g_array_unref);
  self->fd = -1;
}

static void
add_to_index (WeftStoreFile *self, const WeftChunkHeader *header)
{
  const guint64 values[WEFT_N_INDEX_STREAMS] = {
    self->size,   header->payload_size + sizeof *header,
    header->kind, header->table,
    header->rows, header->first_row,
    header->flags
  };

  for (guint i = 0; i < WEFT_N_INDEX_STREAMS; i++)
    g_array_append_val (self->index[i], values[i]);
}

static gboolean
append (WeftStoreFile *self, const WeftChunkHeader *header, struct iovec *parts, int n_parts,
        GError **error)
{
  if (!write_quietly (self->fd, parts, n_parts, self->size))
    {
      set_error (error, "Cannot write the recording");
      /* Without the torn chunk the file ends well; with it, readers pass over it. */
      if (ftruncate (self->fd, (off_t) self->size) != 0)
        g_debug ("Cannot cut a torn chunk off: %s", g_strerror (errno));
      return FALSE;
    }

  add_to_index (self, header);
  self->size += header->payload_size + sizeof *header;
  self->sequence++;
  return TRUE;
}

gboolean
weft_store_file_append (WeftStoreFile *self, WeftChunkBuilder *chunk, GError **error)
{
  struct iovec parts[] = {
    { &chunk->header, sizeof chunk->header },
    { chunk->directory->data, 0 },
    { chunk->payload->data, chunk->payload->len },
  };

  weft_chunk_builder_finish (chunk, self->sequence);
  parts[1].iov_len = chunk->directory->len * sizeof (WeftStreamEntry);
  return append (self, &chunk->header, parts, G_N_ELEMENTS (parts), error);
}

gboolean
weft_store_file_append_copy (WeftStoreFile *self, const WeftChunkHeader *header,
                             const void *payload, GError **error)
{
  WeftChunkHeader copy = *header;
  struct iovec parts[] = {
    { &copy, sizeof copy },
    { (gpointer) payload, header->payload_size },
  };

  copy.sequence = self->sequence;
  copy.crc = weft_crc32c (&copy, G_STRUCT_OFFSET (WeftChunkHeader, crc));
  return append (self, &copy, parts, G_N_ELEMENTS (parts), error);
}

/* A journal, whose rows are all in sealed chunks in a finished file, or what was said again. */
static gboolean
is_superseded (const WeftStoreFile *self, guint i)
{
  guint64 kind = g_array_index (self->index[WEFT_INDEX_KIND], guint64, i);
  guint64 flags = g_array_index (self->index[WEFT_INDEX_FLAGS], guint64, i);

  return kind == WEFT_CHUNK_JOURNAL ||
         (kind == WEFT_CHUNK_DERIVED && (flags & WEFT_CHUNK_PROVISIONAL) && !self->is_part);
}

static void
drop_superseded (WeftStoreFile *self)
{
  guint kept = 0;

  for (guint i = 0; i < self->index[0]->len; i++)
    {
      if (is_superseded (self, i))
        continue;
      for (guint stream = 0; stream < WEFT_N_INDEX_STREAMS; stream++)
        g_array_index (self->index[stream], guint64, kept) =
            g_array_index (self->index[stream], guint64, i);
      kept++;
    }

  for (guint stream = 0; stream < WEFT_N_INDEX_STREAMS; stream++)
    g_array_set_size (self->index[stream], kept);
}

gboolean
weft_store_file_finish (WeftStoreFile *self, WeftChunkBuilder *chunk, GError **error)
{
  guint64 index_offset = self->size;

  drop_superseded (self);
  weft_chunk_builder_begin (chunk, WEFT_CHUNK_INDEX, WEFT_NO_TABLE, self->index[0]->len, 0);
  for (guint i = 0; i < WEFT_N_INDEX_STREAMS; i++)
    weft_chunk_builder_add_numbers (chunk, (guint16) i, WEFT_STORE_TYPE_U64,
                                    (const guint64 *) (gpointer) self->index[i]->data,
                                    self->index[i]->len);
  if (!weft_store_file_append (self, chunk, error))
    return FALSE;

  weft_chunk_builder_begin (chunk, WEFT_CHUNK_END, WEFT_NO_TABLE, 0, 0);
  chunk->header.extra = index_offset;
  return weft_store_file_append (self, chunk, error);
}

gboolean
weft_store_file_sync (WeftStoreFile *self, GError **error)
{
  if (fdatasync (self->fd) == 0 || errno == EINVAL || errno == EROFS)
    return TRUE;

  set_error (error, "Cannot write the recording to the disk");
  return FALSE;
}

gboolean
weft_store_file_append_schema (WeftStoreFile *self, WeftChunkBuilder *chunk, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < WEFT_N_TABLES; i++)
    {
      const WeftTableSpec *spec = weft_schema_table (i);

      g_string_append_printf (text, "table %u %s\n", i, spec->name);
      for (guint j = 0; j < spec->n_columns; j++)
        g_string_append_printf (text, "column %u %s %d %d\n", j, spec->columns[j].name,
                                spec->columns[j].type, spec->columns[j].flags);
    }

  weft_chunk_builder_begin (chunk, WEFT_CHUNK_SCHEMA, WEFT_NO_TABLE, 0, 0);
  weft_chunk_builder_add_bytes (chunk, 0, text->str, text->len, 0);
  return weft_store_file_append (self, chunk, error);
}
