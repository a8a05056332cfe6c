/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The instrument: names the layer to OpenCL's loader. */

#include "weft-opencl-instrument.h"

struct _WeftOpenclInstrument
{
  WeftLibraryInstrument parent_instance;
};

static WeftInstrumentInterface *library_interface;

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

static gboolean
prepare (WeftInstrument *instrument, WeftLaunch *launch, GError **error)
{
  ask_for_lines (launch);
  return library_interface->prepare (instrument, launch, error);
}

static void
instrument_interface_init (WeftInstrumentInterface *interface)
{
  library_interface = g_type_interface_peek_parent (interface);
  interface->prepare = prepare;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (WeftOpenclInstrument, weft_opencl_instrument,
                               WEFT_TYPE_LIBRARY_INSTRUMENT,
                               G_IMPLEMENT_INTERFACE (WEFT_TYPE_INSTRUMENT,
                                                      instrument_interface_init))

static void
weft_opencl_instrument_class_init (WeftOpenclInstrumentClass *klass)
{
}

static void
weft_opencl_instrument_init (WeftOpenclInstrument *self)
{
}

/* Behind the layers that are there already: the last one stands next to the program, whose calls
 * and stacks it is to tell of.
 */
WeftInstrument *
weft_opencl_instrument_new (const char *layer)
{
  static const char *const domains[] = { "opencl", NULL };

  return g_object_new (WEFT_TYPE_OPENCL_INSTRUMENT, "name", "opencl", "description",
                       "Makes programs that use OpenCL report their command queues: kernels and "
                       "transfers with the device's times, sources, arguments, who queued and who "
                       "waited",
                       "domains", domains, "library", layer, "variable", "OPENCL_LAYERS", "append",
                       TRUE, NULL);
}
