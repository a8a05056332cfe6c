/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A plugin that brings one of each, for the tests of the command line. */

#include <string.h>
#include <weft.h>

typedef struct
{
  GObject parent_instance;
} Everything;

typedef struct
{
  GObjectClass parent_class;
} EverythingClass;

GType everything_get_type (void);

static char *
get_domain_name (WeftDomain *domain)
{
  return g_strdup ("test");
}

static WeftVocabulary *
get_vocabulary (WeftDomain *domain)
{
  WeftVocabulary *words = weft_vocabulary_new ("test");

  weft_vocabulary_add_kind (words, "test.lane", "Lane of a test", NULL, NULL);
  return words;
}

static void
domain_init (WeftDomainInterface *interface)
{
  interface->get_name = get_domain_name;
  interface->get_vocabulary = get_vocabulary;
}

static char *
get_instrument_name (WeftInstrument *instrument)
{
  return g_strdup ("test-instrument");
}

static gboolean
is_applicable (WeftInstrument *instrument, const char *const *argv, char **reason)
{
  if (strcmp (argv[0], "false") != 0)
    return TRUE;
  *reason = g_strdup ("It has nothing to report");
  return FALSE;
}

static gboolean
prepare (WeftInstrument *instrument, WeftLaunch *launch, GError **error)
{
  weft_launch_set_variable (launch, "WEFT_CLI_TEST", "prepared");
  weft_launch_add_note (launch, "The test is prepared");
  return TRUE;
}

static void
finished (WeftInstrument *instrument, WeftLaunch *launch, int wait_status)
{
  g_printerr ("finished with %d\n", wait_status);
}

static void
instrument_init (WeftInstrumentInterface *interface)
{
  interface->get_name = get_instrument_name;
  interface->is_applicable = is_applicable;
  interface->prepare = prepare;
  interface->finished = finished;
}

static char **
list_losses (void)
{
  static const char *const losses[] = { "half of it", NULL };

  return g_strdupv ((char **) losses);
}

static char *
get_importer_name (WeftImporter *importer)
{
  return g_strdup ("test-importer");
}

static guint
recognizes (WeftImporter *importer, GBytes *head, const char *filename)
{
  return g_str_has_suffix (filename, ".weft-test") ? 90 : 0;
}

static gboolean
import_file (WeftImporter *importer, GFile *input, GFile *output, GVariant *options,
             WeftProgress *progress, GCancellable *cancellable, char ***losses, GError **error)
{
  g_autoptr (WeftRecordingBuilder) builder =
      weft_recording_builder_new (g_file_peek_path (output), error);

  *losses = list_losses ();
  return builder != NULL && weft_recording_builder_finish (builder, cancellable, error);
}

static void
importer_init (WeftImporterInterface *interface)
{
  interface->get_name = get_importer_name;
  interface->recognizes = recognizes;
  interface->import_file = import_file;
}

static char *
get_exporter_name (WeftExporter *exporter)
{
  return g_strdup ("test-format");
}

static gboolean
export_recording (WeftExporter *exporter, WeftRecording *recording, GOutputStream *stream,
                  GVariant *options, WeftProgress *progress, GCancellable *cancellable,
                  char ***losses, GError **error)
{
  *losses = list_losses ();
  return g_output_stream_write_all (stream, "exported\n", 9, NULL, cancellable, error);
}

static void
exporter_init (WeftExporterInterface *interface)
{
  interface->get_name = get_exporter_name;
  interface->export_recording = export_recording;
}

G_DEFINE_TYPE_WITH_CODE (Everything, everything, G_TYPE_OBJECT,
                         G_IMPLEMENT_INTERFACE (WEFT_TYPE_DOMAIN, domain_init)
                             G_IMPLEMENT_INTERFACE (WEFT_TYPE_INSTRUMENT, instrument_init)
                                 G_IMPLEMENT_INTERFACE (WEFT_TYPE_IMPORTER, importer_init)
                                     G_IMPLEMENT_INTERFACE (WEFT_TYPE_EXPORTER, exporter_init))

static void
everything_class_init (EverythingClass *klass)
{
}

static void
everything_init (Everything *self)
{
}

static gboolean
init (WeftPlugin *plugin, GError **error)
{
  g_autoptr (GObject) everything = g_object_new (everything_get_type (), NULL);

  weft_plugin_add_domain (plugin, WEFT_DOMAIN (everything));
  weft_plugin_add_instrument (plugin, WEFT_INSTRUMENT (everything));
  weft_plugin_add_importer (plugin, WEFT_IMPORTER (everything));
  weft_plugin_add_exporter (plugin, WEFT_EXPORTER (everything));
  return TRUE;
}

WEFT_PLUGIN_DEFINE ("cli-plugin", "1.2", "One of each", "LGPL-2.1-or-later", init)
