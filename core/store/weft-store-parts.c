/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Recordings in parts: what a recorder of the last seconds leaves while it runs. Beside the file,
 * which holds what stays, lies a folder with the parts, each a file of its own, numbered in order.
 */

#include "weft-store-private.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_PARTS 4096 /* that are opened, whatever a folder holds */

char *
weft_store_parts_directory (const char *path)
{
  return g_strconcat (path, ".parts", NULL);
}

char *
weft_store_part_path (const char *path, guint number)
{
  return g_strdup_printf ("%s.parts/%010u", path, number);
}

char *
weft_store_parts_lock_path (const char *path)
{
  return g_strconcat (path, ".parts/writer", NULL);
}

static int
compare_numbers (gconstpointer a, gconstpointer b)
{
  guint left = *(const guint *) a;
  guint right = *(const guint *) b;

  return left < right ? -1 : left > right;
}

static GArray *
list_parts (const char *path)
{
  g_autofree char *directory = weft_store_parts_directory (path);
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);
  GArray *numbers = g_array_new (FALSE, FALSE, sizeof (guint));
  const char *name;

  while (dir != NULL && numbers->len < MAX_PARTS && (name = g_dir_read_name (dir)) != NULL)
    {
      guint64 number;
      guint part;

      if (!g_ascii_string_to_unsigned (name, 10, 1, G_MAXUINT32, &number, NULL))
        continue;
      part = (guint) number;
      g_array_append_val (numbers, part);
    }
  g_array_sort (numbers, compare_numbers);
  return numbers;
}

static WeftStore *
find_part (WeftStore *earlier, guint number)
{
  for (guint i = 0; earlier != NULL && i < earlier->parts->len; i++)
    {
      WeftStore *part = g_ptr_array_index (earlier->parts, i);

      if (part->input->part == number)
        return part;
    }
  return NULL;
}

/* NULL if it has gone, or is none of this recording. */
static WeftStore *
open_part (WeftStore *main, WeftStore *earlier, guint number, gboolean by_index)
{
  g_autofree char *path = weft_store_part_path (main->path, number);
  WeftStore *known = find_part (earlier, number);
  WeftStore *self;

  if (known != NULL)
    return weft_store_refresh (known, NULL);
  self = weft_store_open_file (path, NULL);
  if (self == NULL)
    return NULL;
  if (memcmp (self->header.uuid, main->header.uuid, sizeof main->header.uuid) != 0)
    {
      weft_store_unref (self);
      return NULL;
    }
  self->input->part = number;
  self->input->cache_limit /= 4; /* there are about eight */
  if (!by_index || !weft_store_read_index (self))
    weft_store_scan (self);
  return self;
}

static void
add_store (WeftStore *self, WeftStore *from)
{
  for (guint i = 0; i < from->chunks->len; i++)
    g_ptr_array_add (self->chunks, weft_chunk_ref (g_ptr_array_index (from->chunks, i)));
  self->file_size += from->file_size;
  self->missing_bytes += from->missing_bytes;
  self->n_unknown += from->n_unknown;
  if (from->damage != NULL)
    weft_store_add_damage (self, "%s", from->damage->str);
}

/* Parts first: what the writer moves from them into the file meanwhile is then there twice, which
 * harms nobody, and not nowhere.
 */
WeftStore *
weft_store_open_parts (WeftStore *main, WeftStore *earlier, gboolean by_index, GError **error)
{
  g_autoptr (GPtrArray) parts = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_store_unref);
  g_autoptr (GArray) numbers = list_parts (main->path);
  g_autoptr (WeftStore) before = main;
  g_autoptr (WeftStore) base = NULL;
  WeftStore *self;

  for (guint i = 0; i < numbers->len; i++)
    {
      WeftStore *part = open_part (main, earlier, g_array_index (numbers, guint, i), by_index);

      if (part != NULL)
        g_ptr_array_add (parts, part);
    }
  base = weft_store_open_file (main->path, error);
  if (base == NULL)
    return NULL;
  if (!by_index || !weft_store_read_index (base))
    weft_store_scan (base);
  if (!(base->header.flags & WEFT_FILE_IN_PARTS))
    return g_steal_pointer (&base); /* it was finished meanwhile */

  self = weft_store_new (main->path, base->input, &base->header);
  add_store (self, base);
  for (guint i = 0; i < parts->len; i++)
    add_store (self, g_ptr_array_index (parts, i));
  self->parts = g_steal_pointer (&parts);
  self->state = self->damage != NULL ? WEFT_STORE_PARTIAL : WEFT_STORE_GROWING;
  return self;
}

gboolean
weft_store_parts_are_written (WeftStore *self)
{
  g_autofree char *path = weft_store_parts_lock_path (self->path);
  struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  gboolean written;

  if (fd < 0)
    return FALSE;
  written = fcntl (fd, F_OFD_GETLK, &lock) == 0 && lock.l_type == F_WRLCK;
  close (fd);
  return written;
}
