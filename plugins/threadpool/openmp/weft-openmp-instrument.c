/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-openmp-instrument.h"

/* Tools that the user lists come first, and the runtime takes the first that wants to be one. */
#define TOOLS "OMP_TOOL_LIBRARIES"

/* The path of LLVM's runtime, with which a program that was made for GCC's is to run instead. */
#define OTHER_RUNTIME "WEFT_OPENMP_RUNTIME"

struct _WeftOpenmpInstrument
{
  WeftLibraryInstrument parent_instance;

  WeftInstrument *tool;
};

static WeftInstrumentInterface *parent_interface;

static gboolean
use_other_runtime (WeftLaunch *launch, GError **error)
{
  const char *runtime = weft_launch_get_variable (launch, OTHER_RUNTIME);
  g_autofree char *note = NULL;

  if (runtime == NULL || *runtime == '\0')
    return TRUE;
  if (!g_path_is_absolute (runtime) || !g_file_test (runtime, G_FILE_TEST_IS_REGULAR))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                   "%s=%s is no library: give the whole path of LLVM's OpenMP runtime, or unset it",
                   OTHER_RUNTIME, runtime);
      return FALSE;
    }
  note = g_strdup_printf ("OpenMP: the program runs with %s, not with the runtime that it was made "
                          "for (%s is set)",
                          runtime, OTHER_RUNTIME);
  weft_launch_add_note (launch, note);
  return weft_launch_prepend_path (launch, "LD_PRELOAD", runtime, error);
}

/* The tool stands where it is listed last; a user who turned tools off is told. */
static gboolean
prepare (WeftInstrument *instrument, WeftLaunch *launch, GError **error)
{
  WeftOpenmpInstrument *self = WEFT_OPENMP_INSTRUMENT (instrument);
  const char *tools = weft_launch_get_variable (launch, "OMP_TOOL");

  if (g_strcmp0 (tools, "disabled") == 0)
    weft_launch_add_note (launch, "OpenMP: OMP_TOOL=disabled keeps LLVM's runtime from telling of "
                                  "its work");
  return use_other_runtime (launch, error) &&
         parent_interface->prepare (instrument, launch, error) &&
         weft_instrument_prepare (self->tool, launch, error);
}

static void
instrument_interface_init (WeftInstrumentInterface *interface)
{
  parent_interface = g_type_interface_peek_parent (interface);
  interface->prepare = prepare;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (WeftOpenmpInstrument, weft_openmp_instrument,
                               WEFT_TYPE_LIBRARY_INSTRUMENT,
                               G_IMPLEMENT_INTERFACE (WEFT_TYPE_INSTRUMENT,
                                                      instrument_interface_init))

static void
weft_openmp_instrument_finalize (GObject *object)
{
  WeftOpenmpInstrument *self = WEFT_OPENMP_INSTRUMENT (object);

  g_clear_object (&self->tool);
  G_OBJECT_CLASS (weft_openmp_instrument_parent_class)->finalize (object);
}

static void
weft_openmp_instrument_class_init (WeftOpenmpInstrumentClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = weft_openmp_instrument_finalize;
}

static void
weft_openmp_instrument_init (WeftOpenmpInstrument *self)
{
}

WeftInstrument *
weft_openmp_instrument_new (const char *folder)
{
  static const char *const domains[] = { "threadpool", NULL };
  g_autofree char *library = g_build_filename (folder, "libweft-openmp.so", NULL);
  g_autofree char *tool = g_build_filename (folder, "libweft-ompt.so", NULL);
  WeftOpenmpInstrument *self = g_object_new (
      WEFT_OPENMP_TYPE_INSTRUMENT, "name", "openmp", "description",
      "Tells of OpenMP's parallel regions, tasks, chunks of loops and what threads wait for, by "
      "GCC's or LLVM's runtime",
      "domains", domains, "library", library, NULL);

  self->tool = g_object_new (WEFT_TYPE_LIBRARY_INSTRUMENT, "name", "openmp-tool", "library", tool,
                             "variable", TOOLS, "append", TRUE, NULL);
  return WEFT_INSTRUMENT (self);
}
