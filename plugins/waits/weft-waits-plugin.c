/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The instrument: preloads what tells of hand-overs. */

#include <weft.h>

#include <sys/stat.h>

#define WAITS_TYPE_INSTRUMENT (waits_instrument_get_type ())
G_DECLARE_FINAL_TYPE (WaitsInstrument, waits_instrument, WAITS, INSTRUMENT, GObject)

struct _WaitsInstrument
{
  GObject parent_instance;

  char *library; /* that is preloaded */
};

static char *
get_name (WeftInstrument *instrument)
{
  return g_strdup ("waits");
}

static char *
get_description (WeftInstrument *instrument)
{
  return g_strdup ("Tells who ended whose wait, by the program's own calls of mutexes, conditions, "
                   "semaphores, barriers and futexes");
}

static gboolean
is_applicable (WeftInstrument *instrument, const char *const *argv, char **reason)
{
  g_autofree char *program = argv[0] ? g_find_program_in_path (argv[0]) : NULL;
  struct stat st;

  if (program == NULL || stat (program, &st) != 0 || !(st.st_mode & (S_ISUID | S_ISGID)))
    return TRUE;
  *reason = g_strdup_printf ("%s runs with the rights of another user, and lets nothing be "
                             "preloaded; as root, wakers are known without it",
                             program);
  return FALSE;
}

static gboolean
prepare (WeftInstrument *instrument, WeftLaunch *launch, GError **error)
{
  WaitsInstrument *self = WAITS_INSTRUMENT (instrument);

  if (!g_file_test (self->library, G_FILE_TEST_IS_REGULAR))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                   "%s is missing: it belongs beside the plugin", self->library);
      return FALSE;
    }
  return weft_launch_prepend_path (launch, "LD_PRELOAD", self->library, error);
}

static void
instrument_interface_init (WeftInstrumentInterface *interface)
{
  interface->get_name = get_name;
  interface->get_description = get_description;
  interface->is_applicable = is_applicable;
  interface->prepare = prepare;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (WaitsInstrument, waits_instrument, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (WEFT_TYPE_INSTRUMENT,
                                                      instrument_interface_init))

static void
waits_instrument_finalize (GObject *object)
{
  WaitsInstrument *self = WAITS_INSTRUMENT (object);

  g_free (self->library);
  G_OBJECT_CLASS (waits_instrument_parent_class)->finalize (object);
}

static void
waits_instrument_class_init (WaitsInstrumentClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = waits_instrument_finalize;
}

static void
waits_instrument_init (WaitsInstrument *self)
{
}

static gboolean
init (WeftPlugin *plugin, GError **error)
{
  g_autoptr (WaitsInstrument) instrument = g_object_new (WAITS_TYPE_INSTRUMENT, NULL);
  g_autofree char *folder = g_path_get_dirname (weft_plugin_get_path (plugin));

  instrument->library = g_build_filename (folder, "preload", "libweft-waits.so", NULL);
  weft_plugin_add_instrument (plugin, WEFT_INSTRUMENT (instrument));
  return TRUE;
}

WEFT_PLUGIN_DEFINE ("waits", WEFT_VERSION, "Who ended whose wait, without privileges",
                    "LGPL-2.1-or-later", init)
