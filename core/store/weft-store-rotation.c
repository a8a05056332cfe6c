/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-store-rotation.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* Bytes that stay before they are looked through, and how small a part of the bound at least. */
#define SORT_OUT_SIZE (1 << 20)
#define SORT_OUT_PART 16
#define ROW_SIZE 16

typedef struct
{
  guint number;
  guint64 size;
  gint64 until;
} Part;

struct _WeftStoreRotation
{
  char *path;
  char *next_path; /* of the file while it is made anew */
  WeftFileHeader header;
  WeftStoreKeep keep;
  int lock_file;
  guint next;
  guint64 sorted_size; /* what stayed when it was looked through last */

  GMutex lock;   /* of what follows */
  GArray *parts; /* element-type Part */
  guint64 base_size;
};

static gboolean
set_error (GError **error, const char *what, const char *path)
{
  int saved = errno;

  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (saved), "%s “%s”: %s", what, path,
               g_strerror (saved));
  return FALSE;
}

/* Readers ask for this lock, which nobody heeds, to know whether a writer is there. */
static gboolean
show_presence (WeftStoreRotation *self, GError **error)
{
  struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
  g_autofree char *path = weft_store_parts_lock_path (self->path);

  self->lock_file = open (path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (self->lock_file < 0)
    return set_error (error, "Cannot make", path);
  if (fcntl (self->lock_file, F_OFD_SETLK, &lock) != 0)
    g_debug ("Cannot lock “%s”: %s", path, g_strerror (errno));
  return TRUE;
}

static gboolean
make_file (WeftStoreRotation *self, GError **error)
{
  WeftChunkBuilder chunk;
  WeftStoreFile file;
  gboolean good;

  if (!weft_store_file_create (&file, self->path, &self->header, error))
    return FALSE;
  weft_chunk_builder_init (&chunk);
  good = weft_store_file_append_schema (&file, &chunk, error) &&
         weft_store_file_finish (&file, &chunk, error);
  self->base_size = file.size;
  weft_chunk_builder_clear (&chunk);
  weft_store_file_clear (&file);
  return good;
}

/* A folder that a killed recorder left is in the way only if there is still its file. */
static gboolean
make_folder (WeftStoreRotation *self, GError **error)
{
  g_autofree char *directory = weft_store_parts_directory (self->path);

  if (g_mkdir (directory, 0700) != 0)
    return set_error (error, "Cannot make the folder", directory);
  if (show_presence (self, error))
    return TRUE;
  g_rmdir (directory);
  return FALSE;
}

WeftStoreRotation *
weft_store_rotation_new (const char *path, const WeftFileHeader *header, const WeftStoreKeep *keep,
                         GError **error)
{
  WeftStoreRotation *self = g_new0 (WeftStoreRotation, 1);

  self->path = g_strdup (path);
  self->next_path = g_strconcat (path, ".parts/next", NULL);
  self->header = *header;
  self->header.flags |= WEFT_FILE_IN_PARTS;
  self->keep = *keep;
  self->lock_file = -1;
  self->next = 1;
  self->parts = g_array_new (FALSE, FALSE, sizeof (Part));
  g_mutex_init (&self->lock);
  if (make_file (self, error) && make_folder (self, error))
    return self;
  if (self->base_size > 0)
    g_unlink (path);
  weft_store_rotation_free (self);
  return NULL;
}

void
weft_store_rotation_free (WeftStoreRotation *self)
{
  if (self->lock_file >= 0)
    close (self->lock_file);
  g_array_unref (self->parts);
  g_mutex_clear (&self->lock);
  g_free (self->next_path);
  g_free (self->path);
  g_free (self);
}

gboolean
weft_store_rotation_begin (WeftStoreRotation *self, WeftStoreFile *file, WeftChunkBuilder *chunk,
                           GError **error)
{
  g_autofree char *path = weft_store_part_path (self->path, self->next);

  if (!weft_store_file_create (file, path, &self->header, error))
    return FALSE;
  file->is_part = TRUE;
  self->next++;
  return weft_store_file_append_schema (file, chunk, error);
}

void
weft_store_rotation_add (WeftStoreRotation *self, WeftStoreFile *file, gint64 until)
{
  const Part part = { .number = self->next - 1, .size = file->size, .until = until };

  weft_store_file_clear (file);
  g_mutex_lock (&self->lock);
  g_array_append_val (self->parts, part);
  g_mutex_unlock (&self->lock);
}

/* How many of the oldest parts are too many. The file is counted twice: it is made anew beside
 * itself.
 */
static guint
count_surplus (WeftStoreRotation *self)
{
  const Part *last = &g_array_index (self->parts, Part, self->parts->len - 1);
  guint64 size = 2 * self->base_size;
  guint n = 0;

  for (guint i = 0; i < self->parts->len; i++)
    size += g_array_index (self->parts, Part, i).size;
  for (; n + 1 < self->parts->len; n++)
    {
      const Part *part = &g_array_index (self->parts, Part, n);

      if (!(self->keep.duration > 0 && part->until < last->until - self->keep.duration) &&
          !(self->keep.size > 0 && size > self->keep.size))
        break;
      size -= part->size;
    }
  return n;
}

static gboolean
is_worth_sorting (WeftStoreRotation *self, guint64 staying)
{
  guint64 enough = SORT_OUT_SIZE;

  if (self->keep.size > 0)
    enough = MIN (enough, self->keep.size / SORT_OUT_PART);
  return staying > MAX (enough, 2 * self->sorted_size);
}

/* What would stay of the older parts if nothing were looked through: bytes, of which a row and a
 * string count as some, however well they are packed: memory has to hold them as well.
 */
static guint64
measure_staying (WeftStore *store, guint oldest)
{
  guint64 size = 0;

  for (guint i = 0; i < store->chunks->len; i++)
    {
      const WeftChunk *chunk = g_ptr_array_index (store->chunks, i);

      if (chunk->input->part < oldest &&
          (chunk->kind == WEFT_CHUNK_STRINGS || chunk->kind == WEFT_CHUNK_BLOB ||
           (chunk->kind == WEFT_CHUNK_SEALED && chunk->table < WEFT_N_TABLES &&
            weft_table_retention (chunk->table)->rule != WEFT_RETAIN_EVENTS)))
        size += MAX (chunk->size, chunk->rows * (guint64) ROW_SIZE);
    }
  return size;
}

static gboolean
replace_file (WeftStoreRotation *self, GError **error)
{
  GStatBuf status;

  if (g_rename (self->next_path, self->path) != 0)
    return set_error (error, "Cannot replace", self->path);
  g_mutex_lock (&self->lock);
  if (g_stat (self->path, &status) == 0)
    self->base_size = (guint64) status.st_size;
  g_mutex_unlock (&self->lock);
  return TRUE;
}

static void
remove_parts (WeftStoreRotation *self, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *path =
          weft_store_part_path (self->path, g_array_index (self->parts, Part, i).number);

      g_unlink (path);
    }
  g_mutex_lock (&self->lock);
  g_array_remove_range (self->parts, 0, n);
  g_mutex_unlock (&self->lock);
}

static gboolean
measure_base (WeftStoreRotation *self, GError **error)
{
  g_autoptr (WeftStore) store = weft_store_open_file (self->path, error);

  if (store == NULL)
    return FALSE;
  if (!weft_store_read_index (store))
    weft_store_scan (store);
  self->sorted_size = measure_staying (store, 1);
  return TRUE;
}

gboolean
weft_store_rotation_trim (WeftStoreRotation *self, const WeftRowSet *forgotten,
                          const guint64 *in_use_from, WeftRowSet *named, GError **error)
{
  guint n = count_surplus (self);
  WeftStoreCut cut = { .in_parts = TRUE, .forgotten = forgotten, .in_use_from = in_use_from };
  g_autoptr (WeftStore) store = NULL;

  if (n == 0)
    return TRUE;
  store = weft_store_open (self->path, error);
  if (store == NULL)
    return FALSE;
  cut.oldest = g_array_index (self->parts, Part, n).number;
  cut.before = g_array_index (self->parts, Part, n - 1).until;
  cut.sorts_out = is_worth_sorting (self, measure_staying (store, cut.oldest));
  if (!weft_store_cut (store, self->next_path, &cut, cut.sorts_out ? named : NULL, error) ||
      !replace_file (self, error))
    return FALSE;
  if (cut.sorts_out && !measure_base (self, error))
    return FALSE;
  remove_parts (self, n);
  return TRUE;
}

guint64
weft_store_rotation_get_size (WeftStoreRotation *self)
{
  guint64 size;

  g_mutex_lock (&self->lock);
  size = self->base_size;
  for (guint i = 0; i < self->parts->len; i++)
    size += g_array_index (self->parts, Part, i).size;
  g_mutex_unlock (&self->lock);
  return size;
}

/* The oldest part that holds something of SINCE or later, within the bound of bytes. */
static gboolean
choose_oldest (WeftStoreRotation *self, gint64 since, WeftStoreCut *cut)
{
  guint64 size = self->base_size;
  guint i;

  g_mutex_lock (&self->lock);
  for (i = self->parts->len; i > 0; i--)
    {
      const Part *part = &g_array_index (self->parts, Part, i - 1);

      size += part->size;
      if (part->until < since ||
          (self->keep.size > 0 && i < self->parts->len && size > self->keep.size))
        break;
      cut->oldest = part->number;
    }
  if (i > 0)
    cut->before = g_array_index (self->parts, Part, i - 1).until;
  g_mutex_unlock (&self->lock);
  return cut->oldest > 0;
}

static gboolean
copy (WeftStoreRotation *self, gint64 since, const char *out, gboolean is_final, GError **error)
{
  WeftStoreCut cut = { .sorts_out = TRUE, .is_final = is_final };
  g_autoptr (WeftStore) store = NULL;

  if (!choose_oldest (self, since, &cut))
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "Nothing has been recorded yet");
      return FALSE;
    }
  store = weft_store_open (self->path, error);
  return store != NULL && weft_store_cut (store, out, &cut, NULL, error);
}

gboolean
weft_store_rotation_copy (WeftStoreRotation *self, gint64 since, const char *out, GError **error)
{
  return copy (self, since, out, FALSE, error);
}

static void
remove_folder (WeftStoreRotation *self)
{
  g_autofree char *directory = weft_store_parts_directory (self->path);
  g_autofree char *lock_path = weft_store_parts_lock_path (self->path);

  remove_parts (self, self->parts->len);
  g_unlink (lock_path);
  if (g_rmdir (directory) != 0)
    g_debug ("Cannot remove “%s”: %s", directory, g_strerror (errno));
}

gboolean
weft_store_rotation_finish (WeftStoreRotation *self, GError **error)
{
  gint64 since = G_MININT64;

  if (self->keep.duration > 0 && self->parts->len > 0)
    since = g_array_index (self->parts, Part, self->parts->len - 1).until - self->keep.duration;
  if (!copy (self, since, self->next_path, TRUE, error) || !replace_file (self, error))
    {
      g_prefix_error (error,
                      "The parts of the recording could not be put together (they are readable as "
                      "they are, and “weft repair” can do it later): ");
      return FALSE;
    }
  remove_folder (self);
  return TRUE;
}
