/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-metal-library-importer.h"

#include "weft-metal-domain.h"
#include "weft-metal-library-rows.h"
#include "weft-metal-rows.h"

#define MAX_FILE (G_GINT64_CONSTANT (512) << 20)

struct _WeftMetalLibraryImporter
{
  GObject parent_instance;
};

/* A library, and the recording that it is written to. */
typedef struct
{
  WeftMetalLibrary *library;
  char *path;
  WeftRecordingBuilder *builder;
  WeftMetalLibraryRows *rows;
} Import;

static void
import_clear (Import *self)
{
  g_clear_pointer (&self->rows, weft_metal_library_rows_free);
  g_clear_object (&self->builder);
  g_clear_pointer (&self->library, weft_metal_library_free);
  g_free (self->path);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Import, import_clear)

/* ---- What they have in common ---- */

static GBytes *
read_file (GFile *input, GCancellable *cancellable, GError **error)
{
  g_autoptr (GFileInfo) info = g_file_query_info (input, G_FILE_ATTRIBUTE_STANDARD_SIZE,
                                                  G_FILE_QUERY_INFO_NONE, cancellable, error);

  if (info == NULL)
    return NULL;
  if (g_file_info_get_size (info) > MAX_FILE)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                   "It has %" G_GOFFSET_FORMAT
                   " bytes; Metal libraries are read up to %" G_GINT64_FORMAT,
                   g_file_info_get_size (info), MAX_FILE);
      return NULL;
    }
  return g_file_load_bytes (input, cancellable, NULL, error);
}

static gboolean
check_options (GVariant *options, GError **error)
{
  if (options == NULL || g_variant_n_children (options) == 0)
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                       "Reading Metal libraries has no options");
  return FALSE;
}

static gboolean
open_library (Import *self, GFile *input, GFile *output, GVariant *options,
              GCancellable *cancellable, GError **error)
{
  g_autofree char *recording = g_file_get_path (output);
  g_autoptr (GBytes) file = NULL;

  if (!check_options (options, error))
    return FALSE;
  self->path = g_file_get_path (input);
  if (self->path == NULL || recording == NULL)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                           "Metal libraries are read from, and recordings written to, files of "
                           "this machine");
      return FALSE;
    }
  file = read_file (input, cancellable, error);
  if (file != NULL)
    self->library = weft_metal_library_read (file, error);
  if (self->library == NULL)
    {
      g_prefix_error (error, "%s: ", self->path);
      return FALSE;
    }
  self->builder = weft_recording_builder_new (recording, error);
  if (self->builder == NULL)
    return FALSE;
  weft_recording_builder_add_origin (self->builder, self->path);
  return TRUE;
}

static gboolean
add_plugin (WeftRecordingBuilder *builder, GError **error)
{
  g_auto (GVariantDict) row = G_VARIANT_DICT_INIT (NULL);

  weft_metal_row_set_text (&row, "name", "metal");
  weft_metal_row_set_text (&row, "version", WEFT_VERSION);
  return weft_metal_row_add (builder, "plugins", &row, error) != 0;
}

static gboolean
finish (Import *self, GPtrArray *losses, char ***told, GCancellable *cancellable, GError **error)
{
  g_autoptr (WeftDomain) domain = weft_metal_domain_new ();

  if (!weft_recording_builder_add_domain (self->builder, domain, cancellable, error) ||
      !weft_recording_builder_finish (self->builder, cancellable, error))
    return FALSE;
  for (guint i = 0; i < self->library->losses->len; i++)
    g_ptr_array_add (losses, g_strdup (self->library->losses->pdata[i]));
  g_ptr_array_add (losses, NULL);
  *told = (char **) g_ptr_array_steal (losses, NULL);
  return TRUE;
}

/* ---- A library alone ---- */

static gboolean
import_file (WeftImporter *importer, GFile *input, GFile *output, GVariant *options,
             WeftProgress *progress, GCancellable *cancellable, char ***losses, GError **error)
{
  g_autoptr (GPtrArray) sentences = g_ptr_array_new_with_free_func (g_free);
  g_auto (Import) self = { NULL };

  if (!open_library (&self, input, output, options, cancellable, error) ||
      !add_plugin (self.builder, error))
    return FALSE;
  self.rows = weft_metal_library_rows_new (self.library, self.path, self.builder, error);
  if (self.rows == NULL)
    return FALSE;
  for (guint i = 0; i < self.library->functions->len; i++)
    if (!weft_metal_library_rows_add_routine (self.rows, i, error))
      return FALSE;
  return finish (&self, sentences, losses, cancellable, error);
}

/* ---- A library and what ran ---- */

enum
{
  ID,
  RUNTIME,
  NAME,
  LABEL,
  FLAVOUR,
  SOURCE,
  FIRST_LINE,
  LAST_LINE,
};

typedef struct
{
  Import *import;
  WeftRecording *recording;
  WeftTable *routines;
  GHashTable *libraries; /* guint64* routine to char*: hash of the library that it is of */
  GHashTable *names;     /* guint64* routine to char*: the function that it is, if not its name */
  GHashTable *described; /* set of guint64*: routines whose arguments are known already */
  GHashTable *ran;       /* set of guint64*: routines that command queues ran */
  GHashTable *labels;    /* char* to guint: encoders, and how many routines have the name */
  GHashTable *functions; /* char* to guint: name to place in the library + 1; 0: not unique */
  GHashTable *joined;    /* set of guint: functions that a routine was found for */
} Join;

static void
join_clear (Join *self)
{
  g_clear_object (&self->recording);
  g_clear_object (&self->routines);
  g_clear_pointer (&self->libraries, g_hash_table_unref);
  g_clear_pointer (&self->names, g_hash_table_unref);
  g_clear_pointer (&self->described, g_hash_table_unref);
  g_clear_pointer (&self->ran, g_hash_table_unref);
  g_clear_pointer (&self->labels, g_hash_table_unref);
  g_clear_pointer (&self->functions, g_hash_table_unref);
  g_clear_pointer (&self->joined, g_hash_table_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Join, join_clear)

static GHashTable *
index_functions (const WeftMetalLibrary *library)
{
  GHashTable *functions = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < library->functions->len; i++)
    {
      const WeftMetalFunction *function = library->functions->pdata[i];
      gboolean is_new = !g_hash_table_contains (functions, function->name);

      g_hash_table_insert (functions, function->name, GUINT_TO_POINTER (is_new ? i + 1 : 0));
    }
  return functions;
}

/* The routines that rows of TABLE, all or those that pass a filter, are of. */
static GHashTable *
read_routines_of (WeftRecording *recording, const char *name, const char *filter,
                  GCancellable *cancellable, GError **error)
{
  g_autoptr (WeftQuery) query = weft_query_new (name, error);
  g_autoptr (WeftTable) table = NULL;
  GHashTable *routines;

  if (query == NULL || (filter != NULL && !weft_query_set_filter_text (query, filter, error)) ||
      !weft_query_group_by (query, "routine", NULL, error) ||
      !weft_query_select (query, "count()", NULL, error))
    return NULL;
  weft_query_set_limit (query, 0);
  table = weft_query_run (query, recording, cancellable, error);
  if (table == NULL)
    return NULL;
  routines = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  for (guint i = 0; i < weft_table_get_n_rows (table); i++)
    {
      guint64 routine = weft_table_get_uint64 (table, 0, i);

      g_hash_table_add (routines, g_memdup2 (&routine, sizeof routine));
    }
  return routines;
}

/* Names of the encoders that channels ran: char* to how many routines have it. */
static GHashTable *
count_labels (WeftTable *routines, GHashTable *channels)
{
  GHashTable *labels = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < weft_table_get_n_rows (routines); i++)
    {
      const guint64 id = weft_table_get_uint64 (routines, ID, i);
      const char *name = weft_table_get_string (routines, NAME, i);
      gpointer n = name ? g_hash_table_lookup (labels, name) : NULL;

      if (name != NULL && g_hash_table_contains (channels, &id))
        g_hash_table_insert (labels, g_strdup (name), GUINT_TO_POINTER (GPOINTER_TO_UINT (n) + 1));
    }
  return labels;
}

static gboolean
read_what_ran (Join *self, GCancellable *cancellable, GError **error)
{
  g_autoptr (GHashTable) channels = NULL;

  self->ran =
      read_routines_of (self->recording, "dispatches", "kind:metal.queue", cancellable, error);
  if (self->ran != NULL)
    channels =
        read_routines_of (self->recording, "dispatches", "kind:metal.channel", cancellable, error);
  if (channels != NULL)
    self->labels = count_labels (self->routines, channels);
  return self->labels != NULL;
}

static gboolean
open_recording (Join *self, GFile *file, GCancellable *cancellable, GError **error)
{
  self->recording = weft_recording_open (file, cancellable, error);
  if (self->recording == NULL)
    return FALSE;
  self->routines = weft_metal_rows_read (
      self->recording, "routines", "id runtime name label flavour source first_line last_line",
      cancellable, error);
  if (self->routines == NULL)
    return FALSE;
  self->libraries = weft_metal_rows_read_tags (self->recording, "routines", "metal.library-hash",
                                               cancellable, error);
  if (self->libraries != NULL)
    self->names = weft_metal_rows_read_tags (self->recording, "routines", "metal.function",
                                             cancellable, error);
  if (self->names != NULL)
    self->described =
        read_routines_of (self->recording, "routine_arguments", NULL, cancellable, error);
  self->functions = index_functions (self->import->library);
  self->joined = g_hash_table_new (NULL, NULL);
  return self->described != NULL && read_what_ran (self, cancellable, error);
}

static gboolean
is_library (const WeftMetalLibrary *library, const char *told)
{
  return g_ascii_strcasecmp (told, library->sha256) == 0 ||
         (library->uuid != NULL && g_ascii_strcasecmp (told, library->uuid) == 0);
}

/* How a routine is known to be the function of its name: by the library that the program told; or
 * else, of what says that it is a function or what a command queue ran, by name; or, of an encoder,
 * by the label, which is its program's word and no other's. NULL if it is not.
 */
static const char *
find_reason (Join *self, guint64 id, const char *name)
{
  const char *told = g_hash_table_lookup (self->libraries, &id);

  if (told != NULL)
    return is_library (self->import->library, told) ? "library" : NULL;
  if (g_hash_table_contains (self->names, &id) || g_hash_table_contains (self->ran, &id))
    return "name";
  return GPOINTER_TO_UINT (g_hash_table_lookup (self->labels, name)) == 1 ? "label" : NULL;
}

/* Its place + 1, or 0. */
static guint
find_function (Join *self, guint row, const char **reason)
{
  const guint64 id = weft_table_get_uint64 (self->routines, ID, row);
  const char *tagged = g_hash_table_lookup (self->names, &id);
  const char *name = tagged ? tagged : weft_table_get_string (self->routines, NAME, row);

  *reason = name ? find_reason (self, id, name) : NULL;
  return *reason ? GPOINTER_TO_UINT (g_hash_table_lookup (self->functions, name)) : 0;
}

static gboolean
add_joined_routine (Join *self, guint row, guint function, GError **error)
{
  static const char *const texts[] = { [NAME] = "name", [LABEL] = "label", [FLAVOUR] = "flavour" };
  g_auto (GVariantDict) fields = G_VARIANT_DICT_INIT (NULL);
  WeftTable *routines = self->routines;

  for (guint i = NAME; i <= FLAVOUR; i++)
    weft_metal_row_set_text (&fields, texts[i], weft_table_get_string (routines, i, row));
  weft_metal_row_set_id (&fields, "runtime", weft_table_get_uint64 (routines, RUNTIME, row));
  if (weft_table_get_uint64 (routines, SOURCE, row) == 0 && function != 0)
    weft_metal_library_rows_set_source (self->import->rows, function - 1, &fields);
  else
    {
      weft_metal_row_set_id (&fields, "source", weft_table_get_uint64 (routines, SOURCE, row));
      weft_metal_row_set_id (&fields, "first_line",
                             weft_table_get_uint64 (routines, FIRST_LINE, row));
      weft_metal_row_set_id (&fields, "last_line",
                             weft_table_get_uint64 (routines, LAST_LINE, row));
    }
  return weft_metal_row_add (self->import->builder, "routines", &fields, error) != 0;
}

static gboolean
add_routines (Join *self, GError **error)
{
  const guint n = weft_table_get_n_rows (self->routines);
  g_autofree guint *functions = g_new0 (guint, n + 1);
  g_autofree const char **reasons = g_new0 (const char *, n + 1);

  for (guint i = 0; i < n; i++)
    {
      if (weft_table_get_uint64 (self->routines, ID, i) != i + 1)
        {
          g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                               "Routines are missing: only recordings that were kept whole can be "
                               "added to");
          return FALSE;
        }
      functions[i] = find_function (self, i, &reasons[i]);
      if (!add_joined_routine (self, i, functions[i], error))
        return FALSE;
    }
  for (guint i = 0; i < n; i++)
    {
      const guint64 id = i + 1;

      if (functions[i] == 0)
        continue;
      g_hash_table_add (self->joined, GUINT_TO_POINTER (functions[i]));
      if (g_hash_table_contains (self->described, &id))
        continue;
      if (!weft_metal_row_add_tag (self->import->builder, "routines", id, "metal.joined-by",
                                   reasons[i], error) ||
          !weft_metal_library_rows_describe (self->import->rows, functions[i] - 1, id,
                                             g_hash_table_contains (self->libraries, &id), error))
        return FALSE;
    }
  return TRUE;
}

/* Functions that did not run are told of, too. */
static gboolean
add_others (Join *self, GError **error)
{
  for (guint i = 0; i < self->import->library->functions->len; i++)
    if (!g_hash_table_contains (self->joined, GUINT_TO_POINTER (i + 1)) &&
        !weft_metal_library_rows_add_routine (self->import->rows, i, error))
      return FALSE;
  return TRUE;
}

/* What the domain says and found before may not hold any more: it is asked anew. FIELDS begins with
 * that of the domain.
 */
static gboolean
copy_of_others (Join *self, const char *table, const char *fields, GCancellable *cancellable,
                GError **error)
{
  g_auto (GStrv) names = g_strsplit (fields, " ", -1);
  g_autoptr (WeftTable) rows =
      weft_metal_rows_read (self->recording, table, fields, cancellable, error);

  for (guint i = 0; rows != NULL && i < weft_table_get_n_rows (rows); i++)
    {
      g_auto (GVariantDict) row = G_VARIANT_DICT_INIT (NULL);

      if (g_strcmp0 (weft_table_get_string (rows, 0, i), "metal") == 0)
        continue;
      for (guint k = 0; names[k] != NULL; k++)
        {
          g_autofree char *text = weft_table_get_text (rows, k, i);

          weft_metal_row_set_text (&row, names[k], text);
        }
      if (weft_metal_row_add (self->import->builder, table, &row, error) == 0)
        return FALSE;
    }
  return rows != NULL;
}

static gboolean
copy_domains (Join *self, GCancellable *cancellable, GError **error)
{
  return copy_of_others (self, "words", "domain scope subject key text", cancellable, error) &&
         copy_of_others (self, "findings", "domain check question verdict evidence advice handles",
                         cancellable, error);
}

static gboolean
has_plugin (Join *self)
{
  g_autoptr (WeftTable) plugins =
      weft_metal_rows_read (self->recording, "plugins", "name", NULL, NULL);

  for (guint i = 0; plugins != NULL && i < weft_table_get_n_rows (plugins); i++)
    if (g_strcmp0 (weft_table_get_string (plugins, 0, i), "metal") == 0)
      return TRUE;
  return FALSE;
}

static char *
describe_join (Join *self)
{
  g_autofree char *name = g_path_get_basename (self->import->path);
  const guint n = g_hash_table_size (self->joined);

  return n > 0 ? NULL
               : g_strdup_printf ("No routine of the recording is known to be a function of “%s”: "
                                  "its functions stand beside them",
                                  name);
}

static gboolean
write_joined (Join *self, GCancellable *cancellable, GError **error)
{
  static const char *const except[] = { "routines", "words", "findings", NULL };
  Import *import = self->import;

  if (!weft_metal_rows_copy (import->builder, self->recording, except, cancellable, error) ||
      (!has_plugin (self) && !add_plugin (import->builder, error)))
    return FALSE;
  import->rows =
      weft_metal_library_rows_new (import->library, import->path, import->builder, error);
  return import->rows != NULL && add_routines (self, error) && add_others (self, error) &&
         copy_domains (self, cancellable, error);
}

static gboolean
join (WeftImporter *importer, GFile *recording, GFile *input, GFile *output, GVariant *options,
      WeftProgress *progress, GCancellable *cancellable, char ***losses, GError **error)
{
  g_autoptr (GPtrArray) sentences = g_ptr_array_new_with_free_func (g_free);
  g_auto (Import) import = { NULL };
  g_auto (Join) self = { .import = &import };
  char *sentence;

  if (!open_library (&import, input, output, options, cancellable, error) ||
      !open_recording (&self, recording, cancellable, error) ||
      !write_joined (&self, cancellable, error))
    return FALSE;
  sentence = describe_join (&self);
  if (sentence != NULL)
    g_ptr_array_add (sentences, sentence);
  return finish (&import, sentences, losses, cancellable, error);
}

/* ---- The importer ---- */

static char *
get_name (WeftImporter *importer)
{
  return g_strdup ("metallib");
}

static char *
get_description (WeftImporter *importer)
{
  return g_strdup ("Functions, arguments and sources of a Metal library, alone or joined to what "
                   "ran");
}

static char **
get_patterns (WeftImporter *importer)
{
  return g_strsplit ("*.metallib", " ", -1);
}

static guint
recognizes (WeftImporter *importer, GBytes *head, const char *filename)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (head, &size);

  return weft_metal_library_recognizes (data, size) ? 100 : 0;
}

static void
importer_interface_init (WeftImporterInterface *interface)
{
  interface->get_name = get_name;
  interface->get_description = get_description;
  interface->get_patterns = get_patterns;
  interface->recognizes = recognizes;
  interface->import_file = import_file;
  interface->join = join;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (WeftMetalLibraryImporter, weft_metal_library_importer, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (WEFT_TYPE_IMPORTER, importer_interface_init))

static void
weft_metal_library_importer_class_init (WeftMetalLibraryImporterClass *klass)
{
}

static void
weft_metal_library_importer_init (WeftMetalLibraryImporter *self)
{
}

WeftImporter *
weft_metal_library_importer_new (void)
{
  return g_object_new (WEFT_METAL_TYPE_LIBRARY_IMPORTER, NULL);
}
