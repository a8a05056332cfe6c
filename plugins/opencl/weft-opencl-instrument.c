/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The instrument: names the layer to OpenCL's loader. */

#include "weft-opencl-instrument.h"

#include <sys/stat.h>

struct _WeftOpenclInstrument
{
  GObject parent_instance;

  char *layer; /* the library that the loader is to load */
};

static char *
get_name (WeftInstrument *instrument)
{
  return g_strdup ("opencl");
}

static char *
get_description (WeftInstrument *instrument)
{
  return g_strdup ("Makes programs that use OpenCL report their command queues: kernels and "
                   "transfers with the device's times, sources, arguments, who queued and who "
                   "waited");
}

static char **
get_domains (WeftInstrument *instrument)
{
  static const char *const domains[] = { "opencl", NULL };

  return g_strdupv ((char **) domains);
}

static gboolean
is_applicable (WeftInstrument *instrument, const char *const *argv, char **reason)
{
  g_autofree char *program = argv[0] ? g_find_program_in_path (argv[0]) : NULL;
  struct stat st;

  if (program == NULL || stat (program, &st) != 0 || !(st.st_mode & (S_ISUID | S_ISGID)))
    return TRUE;
  *reason = g_strdup_printf ("%s runs with the rights of another user, and is told of no layers of "
                             "OpenCL",
                             program);
  return FALSE;
}

/* Lines of kernels that run on the processor are known only if they are built for it. */
static void
ask_for_lines (WeftLaunch *launch)
{
  const char *asked = weft_launch_get_variable (launch, "WEFT_OPENCL_LINES");

  if (asked == NULL || *asked == '\0' || g_str_equal (asked, "0"))
    return;
  weft_launch_set_variable (launch, "POCL_EXTRA_BUILD_FLAGS", "-g -cl-opt-disable");
  weft_launch_add_note (launch, "Kernels are built for their lines, without optimisation "
                                "(WEFT_OPENCL_LINES): their times are not those of other runs");
}

/* Behind the layers that are there already: the last one stands next to the program, whose calls and
 * stacks it is to tell of.
 */
static gboolean
prepare (WeftInstrument *instrument, WeftLaunch *launch, GError **error)
{
  WeftOpenclInstrument *self = WEFT_OPENCL_INSTRUMENT (instrument);

  if (!g_file_test (self->layer, G_FILE_TEST_IS_REGULAR))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                   "%s is missing: it belongs beside the plugin, and is built where the headers of "
                   "OpenCL are installed",
                   self->layer);
      return FALSE;
    }
  ask_for_lines (launch);
  return weft_launch_append_path (launch, "OPENCL_LAYERS", self->layer, error);
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

G_DEFINE_FINAL_TYPE_WITH_CODE (WeftOpenclInstrument, weft_opencl_instrument, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (WEFT_TYPE_INSTRUMENT,
                                                      instrument_interface_init))

static void
weft_opencl_instrument_finalize (GObject *object)
{
  WeftOpenclInstrument *self = WEFT_OPENCL_INSTRUMENT (object);

  g_free (self->layer);
  G_OBJECT_CLASS (weft_opencl_instrument_parent_class)->finalize (object);
}

static void
weft_opencl_instrument_class_init (WeftOpenclInstrumentClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = weft_opencl_instrument_finalize;
}

static void
weft_opencl_instrument_init (WeftOpenclInstrument *self)
{
}

WeftInstrument *
weft_opencl_instrument_new (const char *layer)
{
  WeftOpenclInstrument *self = g_object_new (WEFT_TYPE_OPENCL_INSTRUMENT, NULL);

  self->layer = g_strdup (layer);
  return WEFT_INSTRUMENT (self);
}
