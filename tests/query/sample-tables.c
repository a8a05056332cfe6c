/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sample-tables.h"

#include <math.h>
#include <string.h>

#include "weft-enum-types.h"
#include "weft-table-builder.h"

const char *const sample_names[] = { "types", "empty", "nothing", "nulls", "long", NULL };

static WeftTableBuilder *
begin_types (const char *name)
{
  static const WeftTableColumn columns[] = {
    { .name = "unsigned", .type = WEFT_VALUE_UINT64, .unit = "bytes" },
    { .name = "signed", .type = WEFT_VALUE_INT64 },
    { .name = "double", .type = WEFT_VALUE_DOUBLE, .title = "A double, \"quoted\"" },
    { .name = "time", .type = WEFT_VALUE_TIME },
    { .name = "duration", .type = WEFT_VALUE_DURATION },
    { .name = "string", .type = WEFT_VALUE_STRING },
    { .name = "object", .type = WEFT_VALUE_ID, .prefix = "d" },
    { .name = "boolean", .type = WEFT_VALUE_BOOLEAN },
  };
  static const WeftTableColumn status = { .name = "status", .type = WEFT_VALUE_ENUM };
  WeftTableBuilder *builder = weft_table_builder_new (name);

  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    weft_table_builder_add_column (builder, &columns[i]);
  weft_table_builder_add_enum (builder, &status, WEFT_TYPE_STATUS);
  return builder;
}

static void
add_row (WeftTableBuilder *builder, guint64 number, double real, const char *text)
{
  weft_table_builder_begin_row (builder);
  weft_table_builder_set_uint64 (builder, 0, number);
  weft_table_builder_set_int64 (builder, 1, (gint64) number);
  weft_table_builder_set_double (builder, 2, real);
  weft_table_builder_set_int64 (builder, 3, -(gint64) (number / 2));
  weft_table_builder_set_uint64 (builder, 4, number / 2);
  weft_table_builder_set_string (builder, 5, text);
  weft_table_builder_set_uint64 (builder, 6, number % 1000);
  weft_table_builder_set_uint64 (builder, 7, number % 2);
  weft_table_builder_set_uint64 (builder, 8, number % 3);
}

static void
add_awkward_rows (WeftTableBuilder *builder)
{
  static const char *const texts[] = {
    "plain", "a,b",  "say \"hi\"", "two\r\nlines", "=1+1", "",   " ends ", "\ttab",
    "日本",  "nul?", "a;b",        "\"",           ",",    "\n", "-1",     "null",
  };
  static const double reals[] = { 0,
                                  -0.0,
                                  0.1,
                                  1.0 / 3,
                                  5e-324,
                                  1.7976931348623157e308,
                                  -1e9,
                                  (double) INFINITY,
                                  (double) -INFINITY,
                                  (double) NAN,
                                  1e21,
                                  123456789.125,
                                  2.5e-8,
                                  -7,
                                  1e-5,
                                  42 };
  g_autofree char *huge = g_strnfill (1 << 20, '"');

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    add_row (builder, i * G_GUINT64_CONSTANT (1152921504606846976) + i, reals[i], texts[i]);
  add_row (builder, G_MAXUINT64, 1, huge);
  weft_table_builder_begin_row (builder);
  add_row (builder, 3, 3, "plain");
  weft_table_builder_set_uint64 (builder, 8, SAMPLE_UNKNOWN_STATUS);
  add_row (builder, 4, 4, NULL);
  weft_table_builder_set_uint64 (builder, 8, SAMPLE_UNKNOWN_STATUS);
}

static WeftTable *
make_types (const char *name, gboolean awkward, guint n_null)
{
  WeftTableBuilder *builder = begin_types (name);

  if (awkward)
    add_awkward_rows (builder);
  for (guint i = 0; i < n_null; i++)
    weft_table_builder_begin_row (builder);
  weft_table_builder_set_cursor (builder, awkward ? "next" : NULL);
  weft_table_builder_set_hint (builder, awkward ? NULL : "Nothing was recorded.");
  return weft_table_builder_finish (builder);
}

static WeftTable *
make_long (void)
{
  WeftTableBuilder *builder = begin_types ("long");

  for (guint64 i = 0; i < SAMPLE_LONG_ROWS; i++)
    {
      char text[16];

      if (i % 7 == 0)
        {
          weft_table_builder_begin_row (builder);
          continue;
        }
      g_snprintf (text, sizeof text, "word %u", (guint) (i * i % 1009));
      add_row (builder, i, (double) i / 8, text);
    }
  return weft_table_builder_finish (builder);
}

WeftTable *
sample_table_new (const char *name)
{
  if (strcmp (name, "types") == 0)
    return make_types (name, TRUE, 0);
  if (strcmp (name, "empty") == 0)
    return make_types (name, FALSE, 0);
  if (strcmp (name, "nulls") == 0)
    return make_types (name, FALSE, 13);
  if (strcmp (name, "long") == 0)
    return make_long ();
  return weft_table_builder_finish (weft_table_builder_new (name));
}
