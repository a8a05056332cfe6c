/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-symbol-cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "weft-debug-files.h"

#define MAGIC "weft symbols 1\n"
#define MAX_FILE (128u << 20)
#define DEFAULT_LIMIT (G_GUINT64_CONSTANT (1) << 30)
#define SUM_LENGTH 32
#define SUFFIX ".symbols"

struct _WeftSymbolCache
{
  int directory;
  guint64 limit;
  GMutex lock; /* of what removes */
};

WeftSymbolCacheEntry *
weft_symbol_cache_entry_new (void)
{
  WeftSymbolCacheEntry *self = g_new0 (WeftSymbolCacheEntry, 1);

  self->reason = g_strdup ("");
  self->link = g_strdup ("");
  self->debug_file = g_strdup ("");
  self->blocks = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_symbol_block_free);
  self->bytes = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  return self;
}

void
weft_symbol_cache_entry_free (WeftSymbolCacheEntry *self)
{
  g_free (self->reason);
  g_free (self->link);
  g_free (self->debug_file);
  g_ptr_array_unref (self->blocks);
  g_ptr_array_unref (self->bytes);
  g_free (self);
}

/* ---- The directory ---- */

static gboolean
is_ours_alone (int descriptor)
{
  struct stat status;

  return fstat (descriptor, &status) == 0 && S_ISDIR (status.st_mode) &&
         status.st_uid == geteuid () && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* With sudo the environment may still be the user's, whose files root does not trust. */
static char *
default_base (void)
{
  const char *base = g_get_user_cache_dir ();
  const struct passwd *user;
  struct stat status;

  if (geteuid () != 0 || (stat (base, &status) == 0 && status.st_uid == 0))
    return g_strdup (base);
  user = getpwuid (0);
  return g_build_filename (user != NULL ? user->pw_dir : "/root", ".cache", NULL);
}

static int
open_directory (const char *path)
{
  int descriptor;

  if (g_mkdir_with_parents (path, 0700) != 0)
    return -1;
  descriptor = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor >= 0 && !is_ours_alone (descriptor))
    {
      close (descriptor);
      return -1;
    }
  return descriptor;
}

WeftSymbolCache *
weft_symbol_cache_new (const char *directory)
{
  g_autofree char *base = directory == NULL ? default_base () : NULL;
  g_autofree char *path =
      directory == NULL ? g_build_filename (base, "weft", "symbols", NULL) : g_strdup (directory);
  WeftSymbolCache *self;
  int descriptor = open_directory (path);

  if (descriptor < 0)
    return NULL;
  self = g_new0 (WeftSymbolCache, 1);
  self->directory = descriptor;
  self->limit = DEFAULT_LIMIT;
  g_mutex_init (&self->lock);
  return self;
}

void
weft_symbol_cache_free (WeftSymbolCache *self)
{
  close (self->directory);
  g_mutex_clear (&self->lock);
  g_free (self);
}

void
weft_symbol_cache_set_limit (WeftSymbolCache *self, guint64 bytes)
{
  self->limit = bytes != 0 ? bytes : DEFAULT_LIMIT;
}

/* A build id is a name, nothing else. */
static char *
name_of (const char *build_id)
{
  gsize length = strlen (build_id);

  if (length < 4 || length > 128 || strspn (build_id, "0123456789abcdef") != length)
    return NULL;
  return g_strconcat (build_id, SUFFIX, NULL);
}

/* ---- What it depends on ---- */

/* The file with the debugging information that would be used now: its path, size and time of
 * change; "" if there is none.
 */
static char *
identify_debug_file (const char *build_id, const char *path, const char *link,
                     const char *remembered)
{
  g_autofree char *found = NULL;
  struct stat status;
  char *identity;
  int descriptor = weft_debug_files_open_build_id (build_id, &found);

  if (descriptor < 0)
    descriptor = weft_debug_files_open_link (path, link, &found);
  /* One that came from elsewhere is not looked for again, but it has to be there. */
  if (descriptor < 0 && remembered[0] != '\0')
    {
      descriptor = weft_debug_files_open (remembered);
      found = g_strdup (remembered);
    }
  if (descriptor < 0 || fstat (descriptor, &status) != 0)
    {
      if (descriptor >= 0)
        close (descriptor);
      return g_strdup ("");
    }
  identity = g_strdup_printf ("%s %" G_GINT64_FORMAT " %" G_GINT64_FORMAT ".%09ld", found,
                              (gint64) status.st_size, (gint64) status.st_mtim.tv_sec,
                              status.st_mtim.tv_nsec);
  close (descriptor);
  return identity;
}

/* ---- Reading ---- */

static GByteArray *
read_file (WeftSymbolCache *self, const char *name)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  int descriptor = openat (self->directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  struct stat status;
  gsize done = 0;

  if (descriptor < 0)
    return NULL;
  if (fstat (descriptor, &status) == 0 && S_ISREG (status.st_mode) && status.st_uid == geteuid () &&
      (status.st_mode & (S_IWGRP | S_IWOTH)) == 0 && status.st_size <= MAX_FILE)
    {
      ssize_t n = 1;

      g_byte_array_set_size (bytes, status.st_size);
      while (done < bytes->len && n > 0)
        {
          n = pread (descriptor, bytes->data + done, bytes->len - done, done);
          done += MAX (n, 0);
        }
      futimens (descriptor, NULL);
    }
  close (descriptor);
  return done > 0 && done == bytes->len ? g_steal_pointer (&bytes) : NULL;
}

static void
sum_of (const guint8 *bytes, gsize length, guint8 sum[SUM_LENGTH])
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize n = SUM_LENGTH;

  g_checksum_update (checksum, bytes, length);
  g_checksum_get_digest (checksum, sum, &n);
}

static gboolean
is_whole (const GByteArray *bytes)
{
  guint8 sum[SUM_LENGTH];

  if (bytes->len < strlen (MAGIC) + SUM_LENGTH || memcmp (bytes->data, MAGIC, strlen (MAGIC)) != 0)
    return FALSE;
  sum_of (bytes->data, bytes->len - SUM_LENGTH, sum);
  return memcmp (sum, bytes->data + bytes->len - SUM_LENGTH, SUM_LENGTH) == 0;
}

static gboolean
read_blocks (WeftSymbolReader *reader, WeftSymbolCacheEntry *entry)
{
  guint64 n = weft_symbol_get_number (reader);

  for (guint64 i = 0; i < n && !reader->failed; i++)
    {
      guint64 length = weft_symbol_get_number (reader);
      WeftSymbolBlock *block;

      if (length > (gsize) (reader->end - reader->at))
        return FALSE;
      block = weft_symbol_block_decode (reader->at, length);
      if (block == NULL)
        return FALSE;
      g_ptr_array_add (entry->blocks, block);
      g_ptr_array_add (entry->bytes, g_bytes_new (reader->at, length));
      reader->at += length;
    }
  return !reader->failed && reader->at == reader->end;
}

static void
replace (char **place, char *text)
{
  g_free (*place);
  *place = text;
}

WeftSymbolCacheEntry *
weft_symbol_cache_load (WeftSymbolCache *self, const char *build_id, const char *path,
                        guint64 module_size)
{
  g_autofree char *name = name_of (build_id);
  g_autoptr (GByteArray) bytes = name != NULL ? read_file (self, name) : NULL;
  g_autoptr (WeftSymbolCacheEntry) entry = weft_symbol_cache_entry_new ();
  g_autofree char *remembered = NULL;
  g_autofree char *identity = NULL;
  WeftSymbolReader reader;
  guint64 version;

  if (bytes == NULL || !is_whole (bytes))
    return NULL;
  weft_symbol_reader_init (&reader, bytes->data + strlen (MAGIC),
                           bytes->len - strlen (MAGIC) - SUM_LENGTH);
  version = weft_symbol_get_number (&reader);
  entry->module_size = weft_symbol_get_number (&reader);
  if (version != WEFT_SYMBOL_VERSION || entry->module_size != module_size)
    return NULL;
  entry->state = weft_symbol_get_number_below (&reader, WEFT_SYMBOL_STATE_MAP + 1);
  entry->n_symbols = weft_symbol_get_number (&reader);
  replace (&entry->reason, weft_symbol_get_text (&reader));
  replace (&entry->link, weft_symbol_get_text (&reader));
  replace (&entry->debug_file, weft_symbol_get_text (&reader));
  remembered = weft_symbol_get_text (&reader);
  identity = identify_debug_file (build_id, path, entry->link, entry->debug_file);
  if (!g_str_equal (identity, remembered) || !read_blocks (&reader, entry))
    return NULL;
  return g_steal_pointer (&entry);
}

/* ---- Writing ---- */

static GByteArray *
encode (const char *build_id, const WeftSymbolCacheEntry *entry, const char *path)
{
  GByteArray *bytes = g_byte_array_new ();
  g_autofree char *identity = identify_debug_file (build_id, path, entry->link, entry->debug_file);
  guint8 sum[SUM_LENGTH];

  g_byte_array_append (bytes, (const guint8 *) MAGIC, strlen (MAGIC));
  weft_symbol_put_number (bytes, WEFT_SYMBOL_VERSION);
  weft_symbol_put_number (bytes, entry->module_size);
  weft_symbol_put_number (bytes, entry->state);
  weft_symbol_put_number (bytes, entry->n_symbols);
  weft_symbol_put_text (bytes, entry->reason, -1);
  weft_symbol_put_text (bytes, entry->link, -1);
  weft_symbol_put_text (bytes, entry->debug_file, -1);
  weft_symbol_put_text (bytes, identity, -1);
  weft_symbol_put_number (bytes, entry->bytes->len);
  for (guint i = 0; i < entry->bytes->len; i++)
    {
      gsize length;
      const guint8 *block = g_bytes_get_data (g_ptr_array_index (entry->bytes, i), &length);

      weft_symbol_put_number (bytes, length);
      g_byte_array_append (bytes, block, length);
    }
  sum_of (bytes->data, bytes->len, sum);
  g_byte_array_append (bytes, sum, SUM_LENGTH);
  return bytes;
}

static gboolean
write_file (WeftSymbolCache *self, const char *name, const GByteArray *bytes)
{
  gsize done = 0;
  int descriptor =
      openat (self->directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

  if (descriptor < 0)
    return FALSE;
  while (done < bytes->len)
    {
      ssize_t n = write (descriptor, bytes->data + done, bytes->len - done);

      if (n < 0 && errno != EINTR)
        break;
      done += MAX (n, 0);
    }
  close (descriptor);
  return done == bytes->len;
}

typedef struct
{
  char *name;
  guint64 size;
  gint64 used;
} Kept;

static void
kept_clear (gpointer data)
{
  Kept *kept = data;

  g_free (kept->name);
}

static int
compare_used (gconstpointer a, gconstpointer b)
{
  const Kept *x = a;
  const Kept *y = b;

  return x->used < y->used ? -1 : x->used > y->used;
}

static GArray *
list_kept (WeftSymbolCache *self)
{
  GArray *kept = g_array_new (FALSE, FALSE, sizeof (Kept));
  int copy = openat (self->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *directory = copy >= 0 ? fdopendir (copy) : NULL;
  const struct dirent *file;

  g_array_set_clear_func (kept, kept_clear);
  while (directory != NULL && (file = readdir (directory)) != NULL)
    {
      struct stat status;

      if (file->d_name[0] != '.' &&
          fstatat (self->directory, file->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
          S_ISREG (status.st_mode))
        {
          Kept one = { g_strdup (file->d_name), status.st_size,
                       status.st_mtim.tv_sec * G_GINT64_CONSTANT (1000000000) +
                           status.st_mtim.tv_nsec };

          g_array_append_val (kept, one);
        }
    }
  if (directory != NULL)
    closedir (directory);
  g_array_sort (kept, compare_used);
  return kept;
}

static void
make_room (WeftSymbolCache *self, guint64 wanted)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  g_autoptr (GArray) kept = list_kept (self);
  guint64 total = wanted;

  for (guint i = 0; i < kept->len; i++)
    total += g_array_index (kept, Kept, i).size;
  for (guint i = 0; i < kept->len && total > self->limit; i++)
    if (unlinkat (self->directory, g_array_index (kept, Kept, i).name, 0) == 0)
      total -= g_array_index (kept, Kept, i).size;
}

void
weft_symbol_cache_save (WeftSymbolCache *self, const char *build_id, const char *path,
                        const WeftSymbolCacheEntry *entry)
{
  g_autofree char *name = name_of (build_id);
  g_autoptr (GByteArray) bytes = encode (build_id, entry, path);
  g_autofree char *temporary = NULL;

  if (name == NULL || bytes->len > MAX_FILE || bytes->len > self->limit / 2)
    return;
  make_room (self, bytes->len);
  temporary = g_strdup_printf ("%s.%d.%p.new", name, getpid (), (gconstpointer) entry);
  if (!write_file (self, temporary, bytes) ||
      renameat (self->directory, temporary, self->directory, name) != 0)
    unlinkat (self->directory, temporary, 0);
}
