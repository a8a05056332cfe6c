/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-frameloop-instrument.h"

#include <sys/stat.h>

struct _WeftFrameloopInstrument
{
  GObject parent_instance;

  char *library; /* that is preloaded */
};

static char *
get_name (WeftInstrument *instrument)
{
  return g_strdup ("gtk");
}

static char *
get_description (WeftInstrument *instrument)
{
  return g_strdup ("Tells of the frames of GTK windows: phases of the frame clock, missed frames, "
                   "a lane for each window");
}

static char **
get_domains (WeftInstrument *instrument)
{
  return g_strsplit ("frameloop", ",", -1);
}

static gboolean
is_applicable (WeftInstrument *instrument, const char *const *argv, char **reason)
{
  g_autofree char *program = argv[0] != NULL ? g_find_program_in_path (argv[0]) : NULL;
  struct stat st;

  if (program == NULL || stat (program, &st) != 0 || !(st.st_mode & (S_ISUID | S_ISGID)))
    return TRUE;
  *reason = g_strdup_printf ("%s runs with the rights of another user, and lets nothing be "
                             "preloaded",
                             program);
  return FALSE;
}

static gboolean
prepare (WeftInstrument *instrument, WeftLaunch *launch, GError **error)
{
  WeftFrameloopInstrument *self = WEFT_FRAMELOOP_INSTRUMENT (instrument);

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
  interface->get_domains = get_domains;
  interface->is_applicable = is_applicable;
  interface->prepare = prepare;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (WeftFrameloopInstrument, weft_frameloop_instrument, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (WEFT_TYPE_INSTRUMENT,
                                                      instrument_interface_init))

static void
weft_frameloop_instrument_finalize (GObject *object)
{
  WeftFrameloopInstrument *self = WEFT_FRAMELOOP_INSTRUMENT (object);

  g_free (self->library);
  G_OBJECT_CLASS (weft_frameloop_instrument_parent_class)->finalize (object);
}

static void
weft_frameloop_instrument_class_init (WeftFrameloopInstrumentClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = weft_frameloop_instrument_finalize;
}

static void
weft_frameloop_instrument_init (WeftFrameloopInstrument *self)
{
}

WeftInstrument *
weft_frameloop_instrument_new (const char *folder)
{
  WeftFrameloopInstrument *self = g_object_new (WEFT_FRAMELOOP_TYPE_INSTRUMENT, NULL);

  self->library = g_build_filename (folder, "preload", "libweft-gtk-frames.so", NULL);
  return WEFT_INSTRUMENT (self);
}
