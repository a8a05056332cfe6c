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

/* JSON allows the control characters above 0x7e, and those that turn the direction of text, as they
 * are; terminals obey them.
 */
static char *
escape_controls (const char *json)
{
  GString *text = g_string_new (NULL);

  for (; *json; json = g_utf8_next_char (json))
    {
      gunichar c = g_utf8_get_char (json);

      if ((c >= 0x7f && c <= 0x9f) || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069))
        g_string_append_printf (text, "\\u%04x", c);
      else
        g_string_append_unichar (text, c);
    }
  return g_string_free (text, FALSE);
}

void
json_answer_end (JsonBuilder *builder, const char *member)
{
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *raw = NULL;
  g_autofree char *text = NULL;

  if (strcmp (member, "rows") == 0)
    json_builder_end_array (builder);
  else
    json_builder_end_object (builder);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  raw = json_to_string (root, FALSE);
  text = escape_controls (raw);
  puts (text);
  g_object_unref (builder);
}

void
json_add_string (JsonBuilder *builder, const char *name, const char *value)
{
  g_autofree char *valid = value ? g_utf8_make_valid (value, -1) : NULL;

  json_builder_set_member_name (builder, name);
  if (valid != NULL)
    json_builder_add_string_value (builder, valid);
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
