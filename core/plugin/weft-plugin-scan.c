/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-plugin-scan.h"

#include <gmodule.h>
#include <string.h>

#include "weft-plugin-file.h"
#include "weft-plugin-private.h"

static void
candidate_free (WeftPluginCandidate *candidate)
{
  g_object_unref (candidate->plugin);
  g_free (candidate->identity);
  g_free (candidate);
}

WeftPluginScan *
weft_plugin_scan_new (void)
{
  WeftPluginScan *self = g_new0 (WeftPluginScan, 1);

  self->known = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->disabled = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->found = g_ptr_array_new_with_free_func ((GDestroyNotify) candidate_free);
  return self;
}

void
weft_plugin_scan_free (WeftPluginScan *self)
{
  g_strfreev (self->search_path);
  g_hash_table_unref (self->known);
  g_hash_table_unref (self->disabled);
  g_free (self->cache_path);
  g_ptr_array_unref (self->found);
  g_free (self);
}

static WeftPluginCandidate *
add_candidate (WeftPluginScan *self, const char *path)
{
  WeftPluginCandidate *candidate = g_new0 (WeftPluginCandidate, 1);

  candidate->plugin = weft_plugin_new (path);
  g_ptr_array_add (self->found, candidate);
  return candidate;
}

static void
judge (WeftPluginScan *self, WeftPluginCandidate *candidate, const WeftProbeResult *result)
{
  WeftPlugin *plugin = candidate->plugin;

  weft_plugin_describe (plugin, result->name, result->version, result->description,
                        result->licence);
  if (g_hash_table_contains (self->disabled, weft_plugin_get_name (plugin)))
    weft_plugin_disable (plugin, "It was asked not to be used");
  else if (result->verdict != WEFT_PROBE_GOOD)
    weft_plugin_refuse (plugin, result->reason != NULL ? result->reason : "It did not say why");
  else
    candidate->is_good = TRUE;
}

gboolean
weft_plugin_scan_file (WeftPluginScan *self, WeftPluginCache *cache, const char *path,
                       GCancellable *cancellable, GError **error)
{
  WeftPluginCandidate *candidate = add_candidate (self, path);
  g_autoptr (GError) failure = NULL;
  const WeftProbeResult *result;

  /* By the name of its file, so that one can be kept from being tried out, too. */
  if (g_hash_table_contains (self->disabled, weft_plugin_get_name (candidate->plugin)))
    {
      weft_plugin_disable (candidate->plugin, "It was asked not to be used");
      return TRUE;
    }
  candidate->identity = weft_plugin_file_identify (path, &failure);
  if (candidate->identity == NULL)
    {
      weft_plugin_refuse (candidate->plugin, failure->message);
      return TRUE;
    }
  result = weft_plugin_cache_find (cache, candidate->identity);
  if (result == NULL)
    {
      WeftProbeResult *fresh =
          weft_plugin_probe_run (path, self->time_limit, cancellable, &failure);

      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        {
          g_clear_pointer (&fresh, weft_probe_result_free);
          return FALSE;
        }
      if (fresh == NULL)
        fresh = weft_probe_result_new (WEFT_PROBE_FAILED, failure->message);
      weft_plugin_cache_take (cache, candidate->identity, fresh);
      result = fresh;
    }
  judge (self, candidate, result);
  return TRUE;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* Names of the shared libraries in FOLDER, sorted. */
static GPtrArray *
list_folder (const char *folder, GError **error)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, error);
  g_autoptr (GPtrArray) names = NULL;
  const char *name;

  if (dir == NULL)
    return NULL;
  names = g_ptr_array_new_with_free_func (g_free);
  while ((name = g_dir_read_name (dir)) != NULL)
    if (*name != '.' && g_str_has_suffix (name, "." G_MODULE_SUFFIX))
      g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);
  return g_steal_pointer (&names);
}

/* Most folders need not exist. One that cannot be read, or was named and is wrong, is told of. */
static void
refuse_folder (WeftPluginScan *self, const char *folder, const char *reason)
{
  WeftPluginCandidate *candidate;

  if (!g_hash_table_add (self->known, g_strdup (folder)))
    return;
  candidate = add_candidate (self, folder);
  weft_plugin_refuse (candidate->plugin, reason);
}

static gboolean
scan_folder (WeftPluginScan *self, WeftPluginCache *cache, const char *folder,
             GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (GPtrArray) names = NULL;

  if (!g_path_is_absolute (folder))
    {
      refuse_folder (self, folder, "Folders of plugins are named by their whole paths, from /");
      return TRUE;
    }
  names = list_folder (folder, &failure);
  if (names == NULL && !g_error_matches (failure, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    refuse_folder (self, folder, failure->message);
  for (guint i = 0; names != NULL && i < names->len; i++)
    {
      g_autofree char *path = g_build_filename (folder, g_ptr_array_index (names, i), NULL);

      /* Known already, or the folder is named twice. */
      if (!g_hash_table_add (self->known, g_strdup (path)))
        continue;
      if (!weft_plugin_scan_file (self, cache, path, cancellable, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
weft_plugin_scan_run (WeftPluginScan *self, GCancellable *cancellable, GError **error)
{
  g_autoptr (WeftPluginCache) cache = weft_plugin_cache_new (self->cache_path);
  gboolean done = TRUE;

  for (guint i = 0; done && self->search_path[i] != NULL; i++)
    done = scan_folder (self, cache, self->search_path[i], cancellable, error);
  weft_plugin_cache_save (cache);
  return done;
}
