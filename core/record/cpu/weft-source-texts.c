/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-source-texts.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "weft-enums.h"

#define MAX_TEXT (4u << 20)
#define MAX_ALL (64u << 20)
#define MAX_FILES 8192
#define MAX_NAMED 5 /* in a diagnostic */

struct _WeftSourceTexts
{
  WeftStoreWriter *store;
  GHashTable *paths; /* char * → gint64: when the code was made, the oldest that names it */
  gsize length;
  GString *newer;
  guint n_newer;
  guint n_too_large;
};

static const struct
{
  const char *ending;
  const char *language;
} languages[] = {
  { ".c", "c" },           { ".h", "c" },
  { ".i", "c" },           { ".cc", "c++" },
  { ".cpp", "c++" },       { ".cxx", "c++" },
  { ".c++", "c++" },       { ".C", "c++" },
  { ".hh", "c++" },        { ".hpp", "c++" },
  { ".hxx", "c++" },       { ".ipp", "c++" },
  { ".tcc", "c++" },       { ".inl", "c++" },
  { ".rs", "rust" },       { ".s", "assembly" },
  { ".S", "assembly" },    { ".asm", "assembly" },
  { ".m", "objective-c" }, { ".mm", "objective-c++" },
  { ".go", "go" },         { ".d", "d" },
  { ".f", "fortran" },     { ".f90", "fortran" },
  { ".swift", "swift" },   { ".zig", "zig" },
  { ".js", "javascript" }, { ".mjs", "javascript" },
  { ".ts", "typescript" }, { ".py", "python" },
  { ".java", "java" },     { ".y", "c" },
  { ".l", "c" },
};

WeftSourceTexts *
weft_source_texts_new (WeftStoreWriter *store)
{
  WeftSourceTexts *self = g_new0 (WeftSourceTexts, 1);

  self->store = store;
  self->paths = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);
  self->newer = g_string_new (NULL);
  return self;
}

void
weft_source_texts_free (WeftSourceTexts *self)
{
  g_hash_table_unref (self->paths);
  g_string_free (self->newer, TRUE);
  g_free (self);
}

/* Headers of C++'s own library have no ending. */
static const char *
language_of (const char *path)
{
  const char *ending = strrchr (path, '.');
  const char *name = strrchr (path, '/');

  for (guint i = 0; ending != NULL && ending > name && i < G_N_ELEMENTS (languages); i++)
    if (g_str_equal (ending, languages[i].ending))
      return languages[i].language;
  return strstr (path, "/include/c++/") != NULL ? "c++" : NULL;
}

static void
add_path (WeftSourceTexts *self, const char *path, gint64 made)
{
  gint64 *oldest;

  if (path == NULL || path[0] != '/' || g_hash_table_size (self->paths) >= MAX_FILES ||
      language_of (path) == NULL)
    return;
  oldest = g_hash_table_lookup (self->paths, path);
  if (oldest == NULL)
    {
      oldest = g_new (gint64, 1);
      *oldest = made;
      g_hash_table_insert (self->paths, (gpointer) path, oldest);
    }
  *oldest = MIN (*oldest, made);
}

void
weft_source_texts_add (WeftSourceTexts *self, const WeftSymbolFunction *function, gint64 made)
{
  const char *last = NULL;

  for (guint i = 0; i < function->n_scopes; i++)
    add_path (self, function->scopes[i].file, made);
  for (guint i = 0; i < function->n_rows; i++)
    {
      if (function->rows[i].file != last)
        add_path (self, function->rows[i].file, made);
      last = function->rows[i].file;
    }
}

/* NULL: it is not there, not to be read, or none to be kept. */
static char *
read_text (WeftSourceTexts *self, const char *path, struct stat *status, gsize *length)
{
  int descriptor = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  gboolean is_allowed;
  char *text = NULL;

  if (descriptor < 0)
    return NULL;
  is_allowed = fstat (descriptor, status) == 0 && S_ISREG (status->st_mode) &&
               (geteuid () != 0 || (status->st_mode & S_IROTH) != 0);
  if (is_allowed && (status->st_size > MAX_TEXT || self->length + status->st_size > MAX_ALL))
    {
      self->n_too_large++;
      is_allowed = FALSE;
    }
  if (is_allowed)
    {
      ssize_t n;

      text = g_malloc (status->st_size + 1);
      n = pread (descriptor, text, status->st_size, 0);
      *length = MAX (n, 0);
      self->length += *length;
      if (n <= 0)
        g_clear_pointer (&text, g_free);
    }
  close (descriptor);
  return text;
}

static void
write_text (WeftSourceTexts *self, const char *path, gint64 made)
{
  WeftTableWriter *t = weft_store_writer_table (self->store, WEFT_TABLE_SOURCES);
  gsize length = 0;
  struct stat status;
  g_autofree char *text = read_text (self, path, &status, &length);
  g_autofree char *sum = NULL;

  if (text == NULL)
    return;
  sum = g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *) text, length);
  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_SOURCES_LANGUAGE,
                         weft_store_writer_string (self->store, language_of (path), -1));
  weft_table_writer_set (t, WEFT_SOURCES_PATH, weft_store_writer_string (self->store, path, -1));
  weft_table_writer_set (t, WEFT_SOURCES_HASH, weft_store_writer_string (self->store, sum, -1));
  weft_table_writer_set (t, WEFT_SOURCES_TEXT, weft_store_writer_blob (self->store, text, length));
  weft_table_writer_commit (t);
  if (made != 0 &&
      status.st_mtim.tv_sec * G_GINT64_CONSTANT (1000000000) + status.st_mtim.tv_nsec > made)
    {
      if (self->n_newer++ < MAX_NAMED)
        g_string_append_printf (self->newer, "%s“%s”", self->newer->len > 0 ? ", " : "", path);
    }
}

void
weft_source_texts_write (WeftSourceTexts *self, WeftSymbolRows *rows)
{
  g_autoptr (GList) paths = g_hash_table_get_keys (self->paths);
  g_autofree char *message = NULL;

  /* In an order that does not depend on where they lie in memory. */
  paths = g_list_sort (paths, (GCompareFunc) strcmp);
  for (GList *path = paths; path != NULL; path = path->next)
    write_text (self, path->data, *(gint64 *) g_hash_table_lookup (self->paths, path->data));
  if (self->n_newer > 0)
    {
      message =
          g_strdup_printf ("%u source files were changed after the program was built, so that "
                           "lines may be off: %s%s. Build it again",
                           self->n_newer, self->newer->str, self->n_newer > MAX_NAMED ? ", …" : "");
      weft_symbol_rows_add_diagnostic (rows, WEFT_SEVERITY_WARNING, "source-newer", message);
    }
  if (self->n_too_large > 0)
    {
      g_autofree char *text =
          g_strdup_printf ("%u source files were left out: of each at most %u MiB are kept, of all "
                           "%u MiB",
                           self->n_too_large, MAX_TEXT >> 20, MAX_ALL >> 20);

      weft_symbol_rows_add_diagnostic (rows, WEFT_SEVERITY_INFO, "sources-left-out", text);
    }
}
