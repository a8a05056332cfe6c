/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-gstreamer-instrument.h"

#define TRACER "weft"

struct _WeftGstreamerInstrument
{
  WeftLibraryInstrument parent_instance;
};

static WeftInstrumentInterface *parent_interface;

/* GStreamer writes all plugins that it has found into a file. The user's own would get ours and
 * lose it again with each recording, so this one is a copy that begins as theirs. Returns its path.
 */
static char *
make_registry (WeftLaunch *launch)
{
  const char *own = weft_launch_get_variable (launch, "GST_REGISTRY_1_0");
  const char *cache = weft_launch_get_variable (launch, "XDG_CACHE_HOME");
  const char *home = weft_launch_get_variable (launch, "HOME");
  g_autofree char *base =
      cache != NULL && *cache != '\0'
          ? g_strdup (cache)
          : g_build_filename (home != NULL ? home : g_get_home_dir (), ".cache", NULL);
  g_autofree char *folder = g_build_filename (base, "weft", "gstreamer", NULL);
  g_autofree char *copy = g_build_filename (folder, "registry.bin", NULL);
  g_autofree char *users =
      g_build_filename (base, "gstreamer-1.0", "registry." WEFT_CODEC_CPU ".bin", NULL);
  g_autofree char *contents = NULL;
  gsize length;

  if (own == NULL || *own == '\0')
    own = weft_launch_get_variable (launch, "GST_REGISTRY");
  if (g_file_test (copy, G_FILE_TEST_EXISTS) || g_mkdir_with_parents (folder, 0700) != 0)
    return g_steal_pointer (&copy);
  if (g_file_get_contents (own != NULL && *own != '\0' ? own : users, &contents, &length, NULL))
    g_file_set_contents (copy, contents, (gssize) length, NULL);
  return g_steal_pointer (&copy);
}

/* The user's own tracers go on. */
static void
add_tracer (WeftLaunch *launch)
{
  const char *others = weft_launch_get_variable (launch, "GST_TRACERS");
  g_autofree char *all = others != NULL && *others != '\0' ? g_strconcat (others, ";" TRACER, NULL)
                                                           : g_strdup (TRACER);

  weft_launch_set_variable (launch, "GST_TRACERS", all);
}

static gboolean
prepare (WeftInstrument *instrument, WeftLaunch *launch, GError **error)
{
  const char *library = weft_library_instrument_get_library (WEFT_LIBRARY_INSTRUMENT (instrument));
  g_autofree char *folder = g_path_get_dirname (library);
  g_autofree char *registry = make_registry (launch);
  const char *update = weft_launch_get_variable (launch, "GST_REGISTRY_UPDATE");
  const char *paths = weft_launch_get_variable (launch, "GST_PLUGIN_PATH_1_0");

  if (!g_file_test (library, G_FILE_TEST_IS_REGULAR))
    return parent_interface->prepare (instrument, launch, error);
  if (!weft_launch_prepend_path (launch, paths != NULL ? "GST_PLUGIN_PATH_1_0" : "GST_PLUGIN_PATH",
                                 folder, error))
    return FALSE;
  weft_launch_set_variable (launch, "GST_REGISTRY", registry);
  weft_launch_unset_variable (launch, "GST_REGISTRY_1_0");
  add_tracer (launch);
  if (g_strcmp0 (update, "no") == 0 || weft_launch_get_variable (launch, "GST_REGISTRY_DISABLE"))
    weft_launch_add_note (launch, "GStreamer is told not to look for plugins (GST_REGISTRY_UPDATE, "
                                  "GST_REGISTRY_DISABLE): it may not find the tracer");
  return TRUE;
}

static void
instrument_interface_init (WeftInstrumentInterface *interface)
{
  parent_interface = g_type_interface_peek_parent (interface);
  interface->prepare = prepare;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (WeftGstreamerInstrument, weft_gstreamer_instrument,
                               WEFT_TYPE_LIBRARY_INSTRUMENT,
                               G_IMPLEMENT_INTERFACE (WEFT_TYPE_INSTRUMENT,
                                                      instrument_interface_init))

static void
weft_gstreamer_instrument_class_init (WeftGstreamerInstrumentClass *klass)
{
}

static void
weft_gstreamer_instrument_init (WeftGstreamerInstrument *self)
{
}

WeftInstrument *
weft_gstreamer_instrument_new (const char *folder)
{
  static const char *const domains[] = { "codec", NULL };
  g_autofree char *library = g_build_filename (folder, "gstreamer", "libgstweft.so", NULL);

  return g_object_new (
      WEFT_GSTREAMER_TYPE_INSTRUMENT, "name", "gstreamer", "description",
      "Tells what the elements of GStreamer pipelines do to each buffer: own time, "
      "queues, drops, latency",
      "domains", domains, "library", library, NULL);
}
