/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "json.h"

#include <stdio.h>
#include <string.h>

JsonBuilder *
json_answer_begin (const char *name, const char *member)
{
  JsonBuilder *builder = json_builder_new ();
  g_autofree char *schema = g_strdup_printf ("weft.%s/1", name);

  json_builder_begin_object (builder);
  json_add_string (builder, "schema", schema);
  json_builder_set_member_name (builder, member);
  if (strcmp (member, "rows") == 0)
    json_builder_begin_array (builder);
  else
    json_builder_begin_object (builder);
  return builder;
}

void
json_answer_end (JsonBuilder *builder, const char *member)
{
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *text = NULL;

  if (strcmp (member, "rows") == 0)
    json_builder_end_array (builder);
  else
    json_builder_end_object (builder);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  text = json_to_string (root, FALSE);
  puts (text);
  g_object_unref (builder);
}

void
json_add_string (JsonBuilder *builder, const char *name, const char *value)
{
  json_builder_set_member_name (builder, name);
  if (value != NULL)
    json_builder_add_string_value (builder, value);
  else
    json_builder_add_null_value (builder);
}

void
json_add_number (JsonBuilder *builder, const char *name, gint64 value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, value);
}

void
json_add_count (JsonBuilder *builder, const char *name, guint64 value)
{
  json_add_number (builder, name, (gint64) MIN (value, (guint64) G_MAXINT64));
}
