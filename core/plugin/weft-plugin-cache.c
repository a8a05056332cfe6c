/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-plugin-cache.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "weft-plugin-file.h"

#define FORMAT 1
#define MAX_SIZE (4 << 20)
#define MAX_DEPTH 8
#define MAX_VERDICTS 1000

struct _WeftPluginCache
{
  char *path;
  GHashTable *results; /* identity -> WeftProbeResult */
  GPtrArray *fresh;    /* identities that the file does not have */
};

char *
weft_plugin_cache_default_path (void)
{
  /* Somebody else's wishes could stand in it. */
  if (weft_privilege_of_process () == WEFT_PRIVILEGE_ELEVATED)
    return NULL;
  return g_build_filename (g_get_user_cache_dir (), "weft", "plugins.json", NULL);
}

/* The contents, if they are this user's own and of a size that can be meant. */
static char *
read_own_file (const char *path)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  g_autofree char *text = NULL;
  struct stat st;
  ssize_t n = -1;

  if (fd < 0)
    return NULL;
  if (fstat (fd, &st) == 0 && S_ISREG (st.st_mode) && st.st_uid == geteuid () &&
      (st.st_mode & (S_IWGRP | S_IWOTH)) == 0 && st.st_size <= MAX_SIZE)
    {
      text = g_malloc0 (st.st_size + 1);
      n = read (fd, text, st.st_size);
    }
  close (fd);
  return n == st.st_size ? g_steal_pointer (&text) : NULL;
}

/* The parser calls itself for each level. */
static gboolean
is_shallow (const char *text)
{
  gboolean in_string = FALSE;
  int depth = 0;

  for (; *text != '\0' && depth <= MAX_DEPTH; text++)
    {
      if (*text == '\\' && in_string && text[1] != '\0')
        text++;
      else if (*text == '"')
        in_string = !in_string;
      else if (!in_string && strchr ("[{", *text) != NULL)
        depth++;
      else if (!in_string && strchr ("]}", *text) != NULL)
        depth--;
    }
  return depth <= MAX_DEPTH;
}

static const char *
text_of (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : NULL;
}

/* Verdicts on descriptors hold for the library that made them only; crashes are not tried twice. */
static gboolean
still_holds (const WeftProbeResult *result, const char *library)
{
  if (result->verdict == WEFT_PROBE_CRASH)
    return result->reason != NULL;
  if (g_strcmp0 (library, WEFT_VERSION_TEXT) != 0)
    return FALSE;
  return result->verdict == WEFT_PROBE_GOOD
             ? result->name != NULL && result->version != NULL
             : result->verdict == WEFT_PROBE_BROKEN && result->reason != NULL;
}

static void
read_verdict (WeftPluginCache *self, JsonNode *node)
{
  g_autoptr (WeftProbeResult) result = weft_probe_result_new (WEFT_PROBE_FAILED, NULL);
  const char *identity;
  JsonObject *object;

  if (!JSON_NODE_HOLDS_OBJECT (node))
    return;
  object = json_node_get_object (node);
  identity = text_of (object, "identity");
  if (identity == NULL ||
      !weft_probe_verdict_from_text (text_of (object, "verdict"), &result->verdict))
    return;
  result->name = g_strdup (text_of (object, "name"));
  result->version = g_strdup (text_of (object, "version"));
  result->description = g_strdup (text_of (object, "description"));
  result->licence = g_strdup (text_of (object, "licence"));
  result->reason = g_strdup (text_of (object, "reason"));
  if (still_holds (result, text_of (object, "library")))
    g_hash_table_replace (self->results, g_strdup (identity), g_steal_pointer (&result));
}

static void
read_cache (WeftPluginCache *self)
{
  g_autofree char *text = self->path != NULL ? read_own_file (self->path) : NULL;
  g_autoptr (JsonNode) root = NULL;
  JsonNode *verdicts;
  JsonObject *object;

  if (text != NULL && is_shallow (text))
    root = json_from_string (text, NULL);
  if (root == NULL || !JSON_NODE_HOLDS_OBJECT (root))
    return;
  object = json_node_get_object (root);
  if (json_object_get_int_member_with_default (object, "format", 0) != FORMAT)
    return;
  verdicts = json_object_get_member (object, "verdicts");
  if (verdicts == NULL || !JSON_NODE_HOLDS_ARRAY (verdicts))
    return;
  for (guint i = 0; i < json_array_get_length (json_node_get_array (verdicts)); i++)
    read_verdict (self, json_array_get_element (json_node_get_array (verdicts), i));
}

WeftPluginCache *
weft_plugin_cache_new (const char *path)
{
  WeftPluginCache *self = g_new0 (WeftPluginCache, 1);

  self->path = g_strdup (path);
  self->results = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                         (GDestroyNotify) weft_probe_result_free);
  self->fresh = g_ptr_array_new_with_free_func (g_free);
  read_cache (self);
  return self;
}

void
weft_plugin_cache_free (WeftPluginCache *self)
{
  g_free (self->path);
  g_hash_table_unref (self->results);
  g_ptr_array_unref (self->fresh);
  g_free (self);
}

const WeftProbeResult *
weft_plugin_cache_find (WeftPluginCache *self, const char *identity)
{
  return g_hash_table_lookup (self->results, identity);
}

void
weft_plugin_cache_take (WeftPluginCache *self, const char *identity, WeftProbeResult *result)
{
  g_hash_table_replace (self->results, g_strdup (identity), result);
  /* What failed for want of something may work as soon as that is there. */
  if (result->verdict != WEFT_PROBE_FAILED)
    g_ptr_array_add (self->fresh, g_strdup (identity));
}

static void
add_text (JsonBuilder *builder, const char *name, const char *text)
{
  if (text == NULL)
    return;
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, text);
}

static void
add_verdict (JsonBuilder *builder, const char *identity, const WeftProbeResult *result)
{
  json_builder_begin_object (builder);
  add_text (builder, "identity", identity);
  add_text (builder, "library", WEFT_VERSION_TEXT);
  add_text (builder, "verdict", weft_probe_verdict_to_text (result->verdict));
  add_text (builder, "name", result->name);
  add_text (builder, "version", result->version);
  add_text (builder, "description", result->description);
  add_text (builder, "licence", result->licence);
  add_text (builder, "reason", result->reason);
  json_builder_end_object (builder);
}

static char *
to_json (WeftPluginCache *self)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  GHashTableIter iter;
  gpointer identity, result;
  guint n = 0;

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "format");
  json_builder_add_int_value (builder, FORMAT);
  json_builder_set_member_name (builder, "verdicts");
  json_builder_begin_array (builder);
  g_hash_table_iter_init (&iter, self->results);
  while (n < MAX_VERDICTS && g_hash_table_iter_next (&iter, &identity, &result))
    if (((WeftProbeResult *) result)->verdict != WEFT_PROBE_FAILED)
      {
        add_verdict (builder, identity, result);
        n++;
      }
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  return json_to_string (root, TRUE);
}

/* What other processes have found out meanwhile. */
static void
merge_file (WeftPluginCache *self)
{
  g_autoptr (WeftPluginCache) there = weft_plugin_cache_new (self->path);
  GHashTableIter iter;
  gpointer identity, result;

  g_hash_table_iter_init (&iter, there->results);
  while (g_hash_table_iter_next (&iter, &identity, &result))
    if (!g_hash_table_contains (self->results, identity))
      {
        g_hash_table_iter_steal (&iter);
        g_hash_table_insert (self->results, identity, result);
      }
}

void
weft_plugin_cache_save (WeftPluginCache *self)
{
  g_autofree char *folder = NULL, *json = NULL;

  if (self->path == NULL || self->fresh->len == 0)
    return;
  merge_file (self);
  /* Files come and go; the ones at hand are the ones that were just tried out. */
  if (g_hash_table_size (self->results) > MAX_VERDICTS)
    g_hash_table_remove_all (self->results);
  folder = g_path_get_dirname (self->path);
  json = to_json (self);
  if (g_mkdir_with_parents (folder, 0700) == 0)
    g_file_set_contents_full (self->path, json, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL);
  g_ptr_array_set_size (self->fresh, 0);
}
