/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-xctrace-trace.h"

#include <string.h>

#include "weft-metal-domain.h"
#include "weft-xctrace-commands.h"
#include "weft-xctrace-contents.h"
#include "weft-xctrace-document.h"
#include "weft-xctrace-driver.h"
#include "weft-xctrace-gpu.h"
#include "weft-xctrace-samples.h"
#include "weft-xctrace-states.h"

#define MAX_FILES 4096
#define SURVEY_SHARE 0.3 /* of the time */
#define DIAGNOSIS "xctrace-not-carried"

static const WeftXctraceKind *const kinds[] = {
  &weft_xctrace_encoders_kind, &weft_xctrace_completions_kind, &weft_xctrace_errors_kind,
  &weft_xctrace_samples_kind,  &weft_xctrace_gpu_kind,         &weft_xctrace_driver_kind,
  &weft_xctrace_states_kind,
};

/* A table that is to be read. */
typedef struct
{
  const WeftXctraceKind *kind;
  guint document;
  int places[WEFT_XCTRACE_MAX_WISHES];
  guint64 n_uneven; /* rows that do not fit the schema */
} Source;

typedef struct
{
  WeftXctraceImport import;
  GPtrArray *documents;          /* element-type WeftXctraceDocument */
  GHashTable *sources;           /* WeftXctraceTable → Source */
  WeftXctraceContents *contents; /* of the run, or NULL */
  GHashTable *runs;              /* run → WeftXctraceContents */
  guint run;                     /* 0: not told */
  GPtrArray *losses;
  WeftXctracePhase phase;
  WeftProgress *progress;
  GCancellable *cancellable;
  guint64 done;  /* bytes */
  guint64 total; /* bytes of this part of the work */
  gboolean is_surveyed;
} Trace;

static void add_loss (Trace *self, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
add_loss (Trace *self, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_ptr_array_add (self->losses, g_strdup_vprintf (format, arguments));
  va_end (arguments);
}

/* ---- Files ---- */

static gboolean
add_document (Trace *self, GFile *file, GError **error)
{
  g_autoptr (GFileInfo) info =
      g_file_query_info (file, G_FILE_ATTRIBUTE_STANDARD_SIZE, G_FILE_QUERY_INFO_NONE, NULL, NULL);

  if (self->documents->len == MAX_FILES)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "There are more than %d files",
                   MAX_FILES);
      return FALSE;
    }
  if (info != NULL)
    self->total += (guint64) g_file_info_get_size (info);
  g_ptr_array_add (self->documents, weft_xctrace_document_new (file));
  return TRUE;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  g_autofree char *left = g_file_get_basename (*(GFile *const *) a);
  g_autofree char *right = g_file_get_basename (*(GFile *const *) b);

  return strcmp (left, right);
}

static GPtrArray *
list_folder (GFile *folder, GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GFileEnumerator) children = g_file_enumerate_children (
      folder, "standard::name,standard::type", G_FILE_QUERY_INFO_NONE, cancellable, error);
  GFileInfo *info;
  GFile *child;

  while (children != NULL)
    {
      if (!g_file_enumerator_iterate (children, &info, &child, cancellable, error))
        return NULL;
      if (info == NULL)
        break;
      if (g_file_info_get_file_type (info) == G_FILE_TYPE_REGULAR &&
          g_str_has_suffix (g_file_info_get_name (info), ".xml"))
        g_ptr_array_add (files, g_object_ref (child));
    }
  if (children == NULL)
    return NULL;
  g_ptr_array_sort (files, compare_names);
  return g_steal_pointer (&files);
}

static gboolean
add_folder (Trace *self, GFile *folder, GError **error)
{
  g_autofree char *name = g_file_get_basename (folder);
  g_autoptr (GPtrArray) files = NULL;

  if (g_str_has_suffix (name, ".trace"))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                   "“%s” is a trace of Instruments, which only Instruments can read: export its "
                   "tables with “xctrace export” on a Mac, and import these",
                   name);
      return FALSE;
    }
  files = list_folder (folder, self->cancellable, error);
  if (files == NULL)
    return FALSE;
  for (guint i = 0; i < files->len; i++)
    if (!add_document (self, g_ptr_array_index (files, i), error))
      return FALSE;
  if (files->len > 0)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "There is no XML file in “%s”", name);
  return FALSE;
}

static gboolean
add_inputs (Trace *self, GListModel *inputs, GError **error)
{
  for (guint i = 0; i < g_list_model_get_n_items (inputs); i++)
    {
      g_autoptr (GFile) file = g_list_model_get_item (inputs, i);
      gboolean is_folder =
          g_file_query_file_type (file, G_FILE_QUERY_INFO_NONE, NULL) == G_FILE_TYPE_DIRECTORY;

      if (is_folder ? !add_folder (self, file, error) : !add_document (self, file, error))
        return FALSE;
    }
  return TRUE;
}

/* ---- Progress ---- */

static void
on_progress (guint64 bytes, gpointer data)
{
  Trace *self = data;
  double part;

  self->done += bytes;
  if (self->progress == NULL)
    return;
  part = MIN (1.0, (double) self->done / (double) MAX (self->total, 1));
  weft_progress_report (self->progress,
                        self->is_surveyed ? SURVEY_SHARE + (1 - SURVEY_SHARE) * part
                                          : SURVEY_SHARE * part,
                        self->is_surveyed ? "Reading tables" : "Looking at files");
}

/* ---- What is there ---- */

static void
on_info (guint run, const WeftXctraceElement *info, gpointer data)
{
  Trace *self = data;

  g_hash_table_insert (self->runs, GUINT_TO_POINTER (run), weft_xctrace_contents_new (info));
}

static gboolean
survey (Trace *self, GError **error)
{
  const WeftXctraceHandler handler = { .progress = on_progress };

  for (guint i = 0; i < self->documents->len; i++)
    if (!weft_xctrace_document_survey (g_ptr_array_index (self->documents, i), on_info, &handler,
                                       self, self->cancellable, error))
      return FALSE;
  self->is_surveyed = TRUE;
  return TRUE;
}

static const WeftXctraceKind *
find_kind (const char *schema)
{
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (g_str_equal (kinds[i]->schema, schema))
      return kinds[i];
  return NULL;
}

/* Times of two runs have nothing to do with one another. */
static gboolean
choose_run (Trace *self, GError **error)
{
  for (guint i = 0; i < self->documents->len; i++)
    {
      const GPtrArray *tables = weft_xctrace_document_get_tables (self->documents->pdata[i]);

      for (guint j = 0; j < tables->len; j++)
        {
          const WeftXctraceTable *table = g_ptr_array_index (tables, j);

          if (table->run == 0 || table->run == self->run)
            continue;
          if (self->run == 0)
            {
              self->run = table->run;
              continue;
            }
          g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                       "There are tables of run %u and of run %u, whose times cannot be compared: "
                       "import the files of one run, or set the option “run”",
                       self->run, table->run);
          return FALSE;
        }
    }
  return TRUE;
}

static gboolean
is_read_already (Trace *self, const WeftXctraceKind *kind)
{
  GHashTableIter iter;
  gpointer source;

  g_hash_table_iter_init (&iter, self->sources);
  while (g_hash_table_iter_next (&iter, NULL, &source))
    if (((const Source *) source)->kind == kind)
      return TRUE;
  return FALSE;
}

static void
add_source (Trace *self, guint document, WeftXctraceTable *table, const WeftXctraceKind *kind)
{
  Source *source = g_new0 (Source, 1);
  g_autofree char *unwanted = NULL;
  const char *missing;

  source->kind = kind;
  source->document = document;
  if (!weft_xctrace_table_match (table, kind->wishes, kind->n_wishes, source->places, &missing))
    {
      add_loss (self, "%s: it has no column “%s”, without which it means nothing", table->schema,
                missing);
      g_free (source);
      return;
    }
  g_hash_table_insert (self->sources, table, source);
  unwanted = weft_xctrace_table_list_unwanted (table);
  if (unwanted != NULL)
    add_loss (self, "%s: columns %s", table->schema, unwanted);
}

static void
add_table (Trace *self, guint document, WeftXctraceTable *table, GString *unknown)
{
  const WeftXctraceKind *kind = find_kind (table->schema);

  if (table->n_rows == 0 || (self->run != 0 && table->run != 0 && table->run != self->run))
    return;
  if (kind == NULL)
    g_string_append_printf (unknown, "%s%s (%" G_GUINT64_FORMAT " rows)", unknown->len ? ", " : "",
                            table->schema[0] ? table->schema : "a table without a name",
                            table->n_rows);
  else if (is_read_already (self, kind))
    add_loss (self, "%s in “%s”, line %lu: there is one already, and work would count twice",
              table->schema, weft_xctrace_document_get_name (self->documents->pdata[document]),
              table->line);
  else
    add_source (self, document, table, kind);
}

static gboolean
find_tables (Trace *self, GError **error)
{
  g_autoptr (GString) unknown = g_string_new (NULL);

  for (guint i = 0; i < self->documents->len; i++)
    {
      GPtrArray *tables = weft_xctrace_document_get_tables (self->documents->pdata[i]);

      for (guint j = 0; j < tables->len; j++)
        add_table (self, i, g_ptr_array_index (tables, j), unknown);
    }
  if (g_hash_table_size (self->sources) == 0)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                   "There is no table with rows that this importer understands%s%s; see "
                   "docs/metal-import.md for those that it does",
                   unknown->len > 0 ? ", only " : "", unknown->str);
      return FALSE;
    }
  if (unknown->len > 0)
    add_loss (self, "Tables that are not understood: %s", unknown->str);
  if (is_read_already (self, &weft_xctrace_gpu_kind) &&
      !is_read_already (self, &weft_xctrace_encoders_kind))
    add_loss (self, "Which CPU threads encoded the work: export the table %s, too",
              weft_xctrace_encoders_kind.schema);
  return TRUE;
}

/* ---- Reading ---- */

static gboolean
on_table (WeftXctraceTable *table, guint index, gpointer data)
{
  Trace *self = data;
  const Source *source = g_hash_table_lookup (self->sources, table);

  return source != NULL && source->kind->phase == self->phase;
}

static gboolean
on_row (const WeftXctraceTable *table, const WeftXctraceRow *row, gpointer data, GError **error)
{
  Trace *self = data;
  Source *source = g_hash_table_lookup (self->sources, table);
  const WeftXctraceElement *cells[WEFT_XCTRACE_MAX_WISHES];

  if (row->n_cells != table->columns->len)
    {
      source->n_uneven++;
      return TRUE;
    }
  for (guint i = 0; i < source->kind->n_wishes; i++)
    cells[i] = source->places[i] >= 0 ? row->cells[source->places[i]] : NULL;
  return source->kind->row (&self->import, cells, error);
}

static gboolean
is_needed (Trace *self, guint document, WeftXctracePhase phase)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->sources);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const Source *source = value;

      if (source->document == document && source->kind->phase == phase)
        return TRUE;
    }
  return FALSE;
}

static void
begin_reading (Trace *self)
{
  self->done = self->total = 0;
  for (guint phase = 0; phase < WEFT_XCTRACE_N_PHASES; phase++)
    for (guint i = 0; i < self->documents->len; i++)
      if (is_needed (self, i, phase))
        self->total += weft_xctrace_document_get_size (self->documents->pdata[i]);
}

static gboolean
read_tables (Trace *self, GError **error)
{
  const WeftXctraceHandler handler = { on_table, on_row, on_progress };

  begin_reading (self);
  for (guint phase = 0; phase < WEFT_XCTRACE_N_PHASES; phase++)
    for (guint i = 0; i < self->documents->len; i++)
      {
        self->phase = phase;
        if (is_needed (self, i, phase) &&
            !weft_xctrace_document_read (self->documents->pdata[i], &handler, self,
                                         self->cancellable, error))
          return FALSE;
      }
  return TRUE;
}

/* ---- The recording ---- */

static gboolean
begin (Trace *self, GFile *output, GError **error)
{
  g_autofree char *path = g_file_get_path (output);
  WeftXctraceImport *import = &self->import;

  if (path == NULL)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                           "A recording is made on a file system of this machine only");
      return FALSE;
    }
  import->builder = weft_recording_builder_new (path, error);
  if (import->builder == NULL)
    return FALSE;
  weft_recording_builder_set_waits_known (import->builder, FALSE);
  import->entities = weft_xctrace_entities_new (import->builder);
  for (guint i = 0; i < self->documents->len; i++)
    weft_recording_builder_add_origin (import->builder,
                                       weft_xctrace_document_get_name (self->documents->pdata[i]));
  self->contents = g_hash_table_lookup (self->runs, GUINT_TO_POINTER (MAX (self->run, 1)));
  return self->contents == NULL ||
         weft_xctrace_contents_write (self->contents, import->builder, import->entities, error);
}

static void
add_uneven (Trace *self)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->sources);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const Source *source = value;

      if (source->n_uneven > 0)
        add_loss (self,
                  "%s: %" G_GUINT64_FORMAT " rows that have more or fewer cells than the table has "
                  "columns",
                  source->kind->schema, source->n_uneven);
    }
}

static gboolean
write_losses (Trace *self, GError **error)
{
  for (guint i = 0; i < self->losses->len; i++)
    {
      g_autofree char *message =
          g_strconcat ("Not carried: ", g_ptr_array_index (self->losses, i), NULL);
      WeftXctraceFields row = { 0 };

      weft_xctrace_row_set_time (&row, "time", 0);
      weft_xctrace_row_set_number (&row, "severity", WEFT_SEVERITY_INFO);
      weft_xctrace_row_set_text (&row, "code", DIAGNOSIS);
      weft_xctrace_row_set_text (&row, "message", message);
      if (!weft_xctrace_row_add (&row, self->import.builder, "diagnostics", NULL, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
end (Trace *self, GError **error)
{
  WeftXctraceImport *import = &self->import;
  g_autoptr (WeftDomain) domain = weft_metal_domain_new ();

  weft_xctrace_gpu_finish (import, self->losses);
  weft_xctrace_states_finish (import, self->losses);
  add_uneven (self);
  if (!weft_xctrace_driver_finish (import, self->losses, error) ||
      !weft_xctrace_samples_finish (import, self->losses, error) ||
      !weft_xctrace_commands_finish (import, self->losses, error))
    return FALSE;
  weft_recording_builder_set_end (import->builder, import->end);
  return weft_xctrace_entities_write_counts (import->entities, import->end, error) &&
         write_losses (self, error) &&
         weft_recording_builder_add_domain (import->builder, domain, self->cancellable, error) &&
         weft_recording_builder_finish (import->builder, self->cancellable, error);
}

/* ---- Life ---- */

static void
trace_init (Trace *self)
{
  memset (self, 0, sizeof *self);
  self->documents = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_xctrace_document_free);
  self->sources = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  self->runs =
      g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) weft_xctrace_contents_free);
  self->import.commands = weft_xctrace_commands_new ();
  self->import.gpu = weft_xctrace_gpu_new ();
  self->import.driver = weft_xctrace_driver_new ();
  self->import.states = weft_xctrace_states_new ();
  self->import.samples = weft_xctrace_samples_new ();
}

static void
trace_clear (Trace *self)
{
  g_ptr_array_unref (self->documents);
  g_hash_table_unref (self->sources);
  g_hash_table_unref (self->runs);
  g_clear_pointer (&self->import.entities, weft_xctrace_entities_free);
  g_clear_object (&self->import.builder);
  weft_xctrace_commands_free (self->import.commands);
  weft_xctrace_gpu_free (self->import.gpu);
  weft_xctrace_driver_free (self->import.driver);
  weft_xctrace_states_free (self->import.states);
  weft_xctrace_samples_free (self->import.samples);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Trace, trace_clear)

gboolean
weft_xctrace_trace_import (GListModel *inputs, GFile *output, guint run, WeftProgress *progress,
                           GCancellable *cancellable, GPtrArray *losses, GError **error)
{
  g_auto (Trace) self;

  trace_init (&self);
  self.run = run;
  self.losses = losses;
  self.progress = progress;
  self.cancellable = cancellable;
  return add_inputs (&self, inputs, error) && survey (&self, error) &&
         (run != 0 || choose_run (&self, error)) && find_tables (&self, error) &&
         begin (&self, output, error) && read_tables (&self, error) && end (&self, error);
}
