/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-xctrace-importer.h"

#include <string.h>

#include "weft-xctrace-trace.h"

#define HEAD 4096 /* bytes within which a document has begun */

struct _WeftXctraceImporter
{
  GObject parent_instance;
};

static char *
get_name (WeftImporter *importer)
{
  return g_strdup ("xctrace");
}

static char *
get_description (WeftImporter *importer)
{
  return g_strdup ("Tables of Instruments, as “xctrace export” writes them: GPU, driver, command "
                   "buffers, CPU samples");
}

static char **
get_patterns (WeftImporter *importer)
{
  return g_strsplit ("*.xml", "\n", -1);
}

static guint
recognizes (WeftImporter *importer, GBytes *head, const char *filename)
{
  gsize length;
  const char *data = g_bytes_get_data (head, &length);
  gssize within = (gssize) MIN (length, HEAD);

  return data != NULL && (g_strstr_len (data, within, "<trace-query-result") != NULL ||
                          g_strstr_len (data, within, "<trace-toc") != NULL)
             ? 95
             : 0;
}

/* RUN stays 0 where nothing is said of it. */
static gboolean
read_options (GVariant *options, guint *run, GError **error)
{
  GVariantIter iter;
  const char *name;
  GVariant *value;

  *run = 0;
  if (options == NULL)
    return TRUE;
  g_variant_iter_init (&iter, options);
  while (g_variant_iter_loop (&iter, "{&sv}", &name, &value))
    {
      gint64 number = -1;

      if (g_variant_is_of_type (value, G_VARIANT_TYPE_UINT32))
        number = g_variant_get_uint32 (value);
      else if (g_variant_is_of_type (value, G_VARIANT_TYPE_INT32))
        number = g_variant_get_int32 (value);
      if (!g_str_equal (name, "run") || number <= 0)
        {
          g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                       "“%s” is no option, or has no number from 1: this importer knows “run”",
                       name);
          g_variant_unref (value);
          return FALSE;
        }
      *run = (guint) number;
    }
  return TRUE;
}

static gboolean
import_files (WeftImporter *importer, GListModel *inputs, GFile *output, GVariant *options,
              WeftProgress *progress, GCancellable *cancellable, char ***losses, GError **error)
{
  g_autoptr (GPtrArray) told = g_ptr_array_new_with_free_func (g_free);
  guint run;

  if (!read_options (options, &run, error) ||
      !weft_xctrace_trace_import (inputs, output, run, progress, cancellable, told, error))
    return FALSE;
  g_ptr_array_add (told, NULL);
  *losses = (char **) g_ptr_array_free (g_steal_pointer (&told), FALSE);
  return TRUE;
}

static void
importer_interface_init (WeftImporterInterface *interface)
{
  interface->get_name = get_name;
  interface->get_description = get_description;
  interface->get_patterns = get_patterns;
  interface->recognizes = recognizes;
  interface->import_files = import_files;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (WeftXctraceImporter, weft_xctrace_importer, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (WEFT_TYPE_IMPORTER, importer_interface_init))

static void
weft_xctrace_importer_class_init (WeftXctraceImporterClass *klass)
{
}

static void
weft_xctrace_importer_init (WeftXctraceImporter *self)
{
}

WeftImporter *
weft_xctrace_importer_new (void)
{
  return g_object_new (WEFT_XCTRACE_TYPE_IMPORTER, NULL);
}
