/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-executor-instrument.h"

struct _WeftExecutorInstrument
{
  GObject parent_instance;
};

static char *
get_name (WeftInstrument *instrument)
{
  return g_strdup ("executor");
}

static char *
get_description (WeftInstrument *instrument)
{
  return g_strdup ("Has task runtimes that report by weft-executor.h tell each call, where they "
                   "would only count them");
}

static char **
get_domains (WeftInstrument *instrument)
{
  return g_strsplit ("executor", ",", -1);
}

static gboolean
prepare (WeftInstrument *instrument, WeftLaunch *launch, GError **error)
{
  weft_launch_set_variable (launch, "WEFT_EXECUTOR_SPANS", "on");
  return TRUE;
}

static void
instrument_interface_init (WeftInstrumentInterface *interface)
{
  interface->get_name = get_name;
  interface->get_description = get_description;
  interface->get_domains = get_domains;
  interface->prepare = prepare;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (WeftExecutorInstrument, weft_executor_instrument, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (WEFT_TYPE_INSTRUMENT,
                                                      instrument_interface_init))

static void
weft_executor_instrument_class_init (WeftExecutorInstrumentClass *klass)
{
}

static void
weft_executor_instrument_init (WeftExecutorInstrument *self)
{
}

WeftInstrument *
weft_executor_instrument_new (void)
{
  return g_object_new (WEFT_EXECUTOR_TYPE_INSTRUMENT, NULL);
}
