/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* { "schema": "weft.NAME/1", MEMBER: … : what every --json answer looks like. MEMBER is "rows" (an
 * array is open afterwards) or "value" (an object is).
 */
JsonBuilder *json_answer_begin (const char *name, const char *member);

/* Closes what is open, prints one line to standard output, frees. */
void json_answer_end (JsonBuilder *builder, const char *member);

void json_add_string (JsonBuilder *builder, const char *name, const char *value); /* NULL: null */
void json_add_count (JsonBuilder *builder, const char *name, guint64 value);
void json_add_number (JsonBuilder *builder, const char *name, gint64 value);

G_END_DECLS
