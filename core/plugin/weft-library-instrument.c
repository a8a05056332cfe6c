/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-library-instrument.h"

#include "weft-program-file.h"

/**
 * WeftLibraryInstrument:
 *
 * An instrument that has the program load a library: by `LD_PRELOAD`, or by another variable that
 * holds a list of libraries, such as a loader of layers reads.
 *
 * Where the library is missing, all programs are refused, for the plugin was built without it.
 * Programs that load nothing are refused with the reason: those that run with other rights than the
 * user's, that are linked statically, or that are built for another processor or C library. Of a
 * script its interpreter is looked at.
 *
 * One that does more derives from it, implements [iface@Instrument] again, and calls what it
 * replaces (g_type_interface_peek_parent() in C).
 *
 * Since: 0.1
 */
typedef struct
{
  char *name;
  char *description;
  char **domains;
  char *library;
  char *variable;
  gboolean append;
} WeftLibraryInstrumentPrivate;

enum
{
  PROPERTY_NAME = 1,
  PROPERTY_DESCRIPTION,
  PROPERTY_DOMAINS,
  PROPERTY_LIBRARY,
  PROPERTY_VARIABLE,
  PROPERTY_APPEND,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];

static void instrument_interface_init (WeftInstrumentInterface *interface);

G_DEFINE_TYPE_WITH_CODE (WeftLibraryInstrument, weft_library_instrument, G_TYPE_OBJECT,
                         G_ADD_PRIVATE (WeftLibraryInstrument)
                             G_IMPLEMENT_INTERFACE (WEFT_TYPE_INSTRUMENT,
                                                    instrument_interface_init))

static WeftLibraryInstrumentPrivate *
get_private (gpointer instrument)
{
  return weft_library_instrument_get_instance_private (WEFT_LIBRARY_INSTRUMENT (instrument));
}

/* ---- The instrument ---- */

static char *
get_name (WeftInstrument *instrument)
{
  return g_strdup (get_private (instrument)->name);
}

static char *
get_description (WeftInstrument *instrument)
{
  return g_strdup (get_private (instrument)->description);
}

static char **
get_domains (WeftInstrument *instrument)
{
  return g_strdupv (get_private (instrument)->domains);
}

/* NULL where the library is there. Free with g_free (). */
static char *
tell_missing (const WeftLibraryInstrumentPrivate *self)
{
  if (self->library != NULL && g_file_test (self->library, G_FILE_TEST_IS_REGULAR))
    return NULL;
  return g_strdup_printf ("%s is missing: it belongs to the plugin, which is not built or not "
                          "installed whole",
                          self->library != NULL ? self->library : "The library");
}

static gboolean
is_applicable (WeftInstrument *instrument, const char *const *argv, char **reason)
{
  *reason = tell_missing (get_private (instrument));
  if (*reason == NULL)
    *reason = weft_program_file_refusal (argv[0]);
  return *reason == NULL;
}

static gboolean
prepare (WeftInstrument *instrument, WeftLaunch *launch, GError **error)
{
  WeftLibraryInstrumentPrivate *self = get_private (instrument);
  g_autofree char *missing = tell_missing (self);

  if (missing != NULL)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, missing);
      return FALSE;
    }
  return self->append ? weft_launch_append_path (launch, self->variable, self->library, error)
                      : weft_launch_prepend_path (launch, self->variable, self->library, error);
}

static void
instrument_interface_init (WeftInstrumentInterface *interface)
{
  interface->get_name = get_name;
  interface->get_description = get_description;
  interface->get_domains = get_domains;
  interface->is_applicable = is_applicable;
  interface->prepare = prepare;
}

/* ---- The type ---- */

static char **
text_property (WeftLibraryInstrumentPrivate *self, guint id)
{
  switch (id)
    {
    case PROPERTY_NAME:
      return &self->name;
    case PROPERTY_DESCRIPTION:
      return &self->description;
    case PROPERTY_LIBRARY:
      return &self->library;
    default:
      return &self->variable;
    }
}

static void
weft_library_instrument_set_property (GObject *object, guint id, const GValue *value,
                                      GParamSpec *spec)
{
  WeftLibraryInstrumentPrivate *self = get_private (object);

  if (id == PROPERTY_DOMAINS)
    self->domains = g_value_dup_boxed (value);
  else if (id == PROPERTY_APPEND)
    self->append = g_value_get_boolean (value);
  else
    *text_property (self, id) = g_value_dup_string (value);
}

static void
weft_library_instrument_get_property (GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  WeftLibraryInstrumentPrivate *self = get_private (object);

  if (id == PROPERTY_DOMAINS)
    g_value_set_boxed (value, self->domains);
  else if (id == PROPERTY_APPEND)
    g_value_set_boolean (value, self->append);
  else
    g_value_set_string (value, *text_property (self, id));
}

static void
weft_library_instrument_finalize (GObject *object)
{
  WeftLibraryInstrumentPrivate *self = get_private (object);

  g_free (self->name);
  g_free (self->description);
  g_strfreev (self->domains);
  g_free (self->library);
  g_free (self->variable);

  G_OBJECT_CLASS (weft_library_instrument_parent_class)->finalize (object);
}

#define FLAGS (G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS)

static void
weft_library_instrument_class_init (WeftLibraryInstrumentClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->set_property = weft_library_instrument_set_property;
  object_class->get_property = weft_library_instrument_get_property;
  object_class->finalize = weft_library_instrument_finalize;

  /**
   * WeftLibraryInstrument:name:
   *
   * Its name, as `--with` takes it.
   *
   * Since: 0.1
   */
  properties[PROPERTY_NAME] = g_param_spec_string ("name", NULL, NULL, NULL, FLAGS);
  /**
   * WeftLibraryInstrument:description:
   *
   * What it does, a sentence.
   *
   * Since: 0.1
   */
  properties[PROPERTY_DESCRIPTION] = g_param_spec_string ("description", NULL, NULL, NULL, FLAGS);
  /**
   * WeftLibraryInstrument:domains:
   *
   * Names of the domains whose lanes it brings.
   *
   * Since: 0.1
   */
  properties[PROPERTY_DOMAINS] = g_param_spec_boxed ("domains", NULL, NULL, G_TYPE_STRV, FLAGS);
  /**
   * WeftLibraryInstrument:library: (type filename)
   *
   * The library that the program is to load, an absolute path.
   *
   * Since: 0.1
   */
  properties[PROPERTY_LIBRARY] = g_param_spec_string ("library", NULL, NULL, NULL, FLAGS);
  /**
   * WeftLibraryInstrument:variable:
   *
   * The variable of the environment that lists libraries with colons between.
   *
   * Since: 0.1
   */
  properties[PROPERTY_VARIABLE] = g_param_spec_string ("variable", NULL, NULL, "LD_PRELOAD", FLAGS);
  /**
   * WeftLibraryInstrument:append:
   *
   * Whether the library stands behind those that are listed already, not in front of them.
   *
   * Since: 0.1
   */
  properties[PROPERTY_APPEND] = g_param_spec_boolean ("append", NULL, NULL, FALSE, FLAGS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
weft_library_instrument_init (WeftLibraryInstrument *self)
{
}

/**
 * weft_library_instrument_new:
 * @name: its name, as `--with` takes it
 * @description: what it does, a sentence
 * @domains: (nullable) (array zero-terminated=1): names of the domains whose lanes it brings
 * @library: (type filename): the library that is to be preloaded, an absolute path
 *
 * Makes an instrument that puts @library in front of `LD_PRELOAD`. For another variable, construct
 * the type with [property@LibraryInstrument:variable].
 *
 * Returns: (transfer full): an instrument
 *
 * Since: 0.1
 */
WeftInstrument *
weft_library_instrument_new (const char *name, const char *description, const char *const *domains,
                             const char *library)
{
  g_return_val_if_fail (name != NULL, NULL);
  g_return_val_if_fail (library != NULL, NULL);

  return g_object_new (WEFT_TYPE_LIBRARY_INSTRUMENT, "name", name, "description", description,
                       "domains", domains, "library", library, NULL);
}

/**
 * weft_library_instrument_get_library:
 * @self: an instrument
 *
 * Returns: (transfer none) (type filename): the library that the program is to load
 *
 * Since: 0.1
 */
const char *
weft_library_instrument_get_library (WeftLibraryInstrument *self)
{
  g_return_val_if_fail (WEFT_IS_LIBRARY_INSTRUMENT (self), NULL);

  return get_private (self)->library;
}
