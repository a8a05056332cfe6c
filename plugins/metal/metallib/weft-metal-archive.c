/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-metal-archive.h"

#include <string.h>

#ifdef WEFT_METAL_BZIP2
#include <bzlib.h>
#endif

#define BLOCK 512 /* bytes: what tar counts in */
#define MAX_FILES 4096

static gboolean
damaged (GError **error, const char *what)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "an archive of sources is damaged: %s",
               what);
  return FALSE;
}

void
weft_metal_file_free (WeftMetalFile *self)
{
  g_free (self->path);
  g_bytes_unref (self->contents);
  g_free (self);
}

/* ---- bzip2 ---- */

#ifdef WEFT_METAL_BZIP2

#define STEP (256 << 10)

/* Runs the decompressor until the end of its stream. What follows that is padding. */
static gboolean
expand (bz_stream *stream, GByteArray *expanded, gsize limit, GError **error)
{
  int state = BZ_OK;

  while (state == BZ_OK)
    {
      guint before = expanded->len;
      guint given = stream->avail_in;

      if (before >= limit)
        return damaged (error, "it expands to more than sources need");
      g_byte_array_set_size (expanded, before + STEP);
      stream->next_out = (char *) expanded->data + before;
      stream->avail_out = STEP;
      state = BZ2_bzDecompress (stream);
      g_byte_array_set_size (expanded, before + STEP - stream->avail_out);
      if (state == BZ_OK && stream->avail_in == given && expanded->len == before)
        return damaged (error, "it is cut short");
    }
  return state == BZ_STREAM_END || damaged (error, "bzip2 cannot expand it");
}

static GByteArray *
decompress (const guint8 *data, gsize size, gsize limit, GError **error)
{
  g_autoptr (GByteArray) expanded = g_byte_array_new ();
  bz_stream stream = { .next_in = (char *) (gsize) data, .avail_in = (guint) MIN (size, G_MAXINT) };
  gboolean good;

  if (BZ2_bzDecompressInit (&stream, 0, 0) != BZ_OK)
    {
      damaged (error, "there is no memory to expand it");
      return NULL;
    }
  good = expand (&stream, expanded, limit, error);
  BZ2_bzDecompressEnd (&stream);
  return good ? g_steal_pointer (&expanded) : NULL;
}

#else

static GByteArray *
decompress (const guint8 *data, gsize size, gsize limit, GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                       "the plugin was built without bzip2");
  return NULL;
}

#endif

/* ---- tar ---- */

/* A header of the format of 1988. */
typedef struct
{
  char name[100];
  char rights[24];
  char size[12];
  char time[12];
  char checksum[8];
  char type;
  char link[100];
  char magic[8];
  char owner[80];
  char prefix[155];
  char rest[12];
} Header;

G_STATIC_ASSERT (sizeof (Header) == BLOCK);

static gboolean
read_octal (const char *digits, gsize length, guint64 *number)
{
  gsize i = 0;

  *number = 0;
  while (i < length && digits[i] == ' ')
    i++;
  for (; i < length && digits[i] != '\0' && digits[i] != ' '; i++)
    {
      if (digits[i] < '0' || digits[i] > '7')
        return FALSE;
      *number = *number << 3 | (guint) (digits[i] - '0');
    }
  return TRUE;
}

static gboolean
is_sound (const guint8 *block, const Header *header)
{
  guint64 told;
  guint sum = 0;

  for (guint i = 0; i < BLOCK; i++)
    sum += i >= G_STRUCT_OFFSET (Header, checksum) && i < G_STRUCT_OFFSET (Header, type) ? ' '
                                                                                         : block[i];
  return read_octal (header->checksum, sizeof header->checksum, &told) && told == sum;
}

static char *
dup_path (const Header *header)
{
  g_autofree char *name = g_strndup (header->name, sizeof header->name);
  g_autofree char *prefix = g_strndup (header->prefix, sizeof header->prefix);

  if (memcmp (header->magic, "ustar", 6) != 0 || *prefix == '\0')
    return g_steal_pointer (&name);
  return g_strconcat (prefix, "/", name, NULL);
}

/* The "path" of an extended header: lines "LENGTH KEY=VALUE". */
static char *
find_long_path (const char *data, gsize size)
{
  while (size > 0)
    {
      gsize length = 0;
      gsize digits = 0;

      for (; digits < size && digits < 9 && g_ascii_isdigit (data[digits]); digits++)
        length = length * 10 + (gsize) (data[digits] - '0');
      if (length <= digits + 6 || length > size || data[digits] != ' ')
        return NULL;
      if (strncmp (data + digits + 1, "path=", 5) == 0)
        return g_strndup (data + digits + 6, length - digits - 7);
      data += length;
      size -= length;
    }
  return NULL;
}

static gboolean
add_file (GPtrArray *files, GBytes *all, gsize position, gsize size, const char *path,
          GError **error)
{
  WeftMetalFile *file;

  if (files->len >= MAX_FILES)
    return damaged (error, "it has too many files");
  file = g_new0 (WeftMetalFile, 1);
  file->path = g_utf8_make_valid (path, -1);
  file->contents = g_bytes_new_from_bytes (all, position, size);
  g_ptr_array_add (files, file);
  return TRUE;
}

/* One header, and what follows it. LONG_PATH is of the file that comes next. */
static gboolean
read_member (GBytes *all, gsize *position, char **long_path, GPtrArray *files, GError **error)
{
  gsize total;
  const guint8 *data = g_bytes_get_data (all, &total);
  const gsize contents = *position + BLOCK;
  g_autofree char *path = NULL;
  Header header;
  guint64 size;

  memcpy (&header, data + *position, sizeof header);
  if (!is_sound (data + *position, &header))
    return damaged (error, "the check sum of a header is wrong");
  if (!read_octal (header.size, sizeof header.size, &size) || size > total - contents)
    return damaged (error, "a file in it is cut short");
  *position = MIN (contents + (gsize) ((size + BLOCK - 1) / BLOCK * BLOCK), total);

  if (header.type == 'x')
    {
      g_free (*long_path);
      *long_path = find_long_path ((const char *) data + contents, (gsize) size);
      return TRUE;
    }
  path = *long_path ? g_steal_pointer (long_path) : dup_path (&header);
  return (header.type != '0' && header.type != '\0') ||
         add_file (files, all, contents, (gsize) size, path, error);
}

static gboolean
is_empty (const guint8 *block)
{
  for (guint i = 0; i < BLOCK; i++)
    if (block[i] != 0)
      return FALSE;
  return TRUE;
}

GPtrArray *
weft_metal_archive_read (const guint8 *data, gsize size, gsize limit, GError **error)
{
  GByteArray *expanded = decompress (data, size, limit, error);
  g_autoptr (GBytes) all = NULL;
  g_autoptr (GPtrArray) files = NULL;
  g_autofree char *long_path = NULL;
  gsize position = 0;

  if (expanded == NULL)
    return NULL;
  all = g_byte_array_free_to_bytes (expanded);
  files = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_metal_file_free);
  while (g_bytes_get_size (all) - position >= BLOCK &&
         !is_empty ((const guint8 *) g_bytes_get_data (all, NULL) + position))
    if (!read_member (all, &position, &long_path, files, error))
      return NULL;
  return g_steal_pointer (&files);
}
