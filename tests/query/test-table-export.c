/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables on their way out: CSV by the letter, what goes wrong with streams, Arrow in memory. */

#include <string.h>

#include "sample-tables.h"
#include "weft-arrow-abi.h"
#include "weft-error.h"
#include "weft-table-builder.h"

typedef gboolean (*Write) (WeftTable *, GOutputStream *, GCancellable *, GError **);

static const Write writes[] = { weft_table_write_csv, weft_table_write_arrow };

static GBytes *
write_table (WeftTable *table, Write write)
{
  g_autoptr (GOutputStream) stream = g_memory_output_stream_new_resizable ();
  g_autoptr (GError) error = NULL;

  g_assert_true (write (table, stream, NULL, &error));
  g_assert_no_error (error);
  g_assert_false (g_output_stream_is_closed (stream));
  g_output_stream_close (stream, NULL, NULL);
  return g_memory_output_stream_steal_as_bytes (G_MEMORY_OUTPUT_STREAM (stream));
}

static char *
write_csv (WeftTable *table)
{
  g_autoptr (GBytes) bytes = write_table (table, weft_table_write_csv);

  return g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

/* ---- CSV ---- */

static void
test_csv_text (void)
{
  static const struct
  {
    const char *text;
    const char *field;
  } cases[] = {
    { NULL, "" },
    { "", "\"\"" },
    { "plain text", "plain text" },
    { "a,b", "\"a,b\"" },
    { "say \"hi\"", "\"say \"\"hi\"\"\"" },
    { "\"", "\"\"\"\"" },
    { "two\nlines", "\"two\nlines\"" },
    { "two\r\nlines", "\"two\r\nlines\"" },
    { "\r", "\"\r\"" },
    { " a", "\" a\"" },
    { "a ", "\"a \"" },
    { "\ta", "\"\ta\"" },
    { "=cmd()", "=cmd()" },
    { "+1", "+1" },
    { "@x", "@x" },
    { "-1", "-1" },
    { "日本", "日本" },
    { "a;b", "a;b" },
  };
  static const WeftTableColumn column = { .name = "a,b", .type = WEFT_VALUE_STRING };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      WeftTableBuilder *builder = weft_table_builder_new ("cases");
      g_autoptr (WeftTable) table = NULL;
      g_autofree char *text = NULL;
      g_autofree char *expected = g_strdup_printf ("\"a,b\"\r\n%s\r\n", cases[i].field);

      weft_table_builder_add_column (builder, &column);
      weft_table_builder_begin_row (builder);
      weft_table_builder_set_string (builder, 0, cases[i].text);
      table = weft_table_builder_finish (builder);
      text = write_csv (table);
      g_assert_cmpstr (text, ==, expected);
    }
}

static void
test_csv_values (void)
{
  g_autoptr (WeftTable) table = sample_table_new ("types");
  g_autofree char *text = write_csv (table);
  g_auto (GStrv) lines = g_strsplit (text, "\r\n", -1);

  g_assert_cmpstr (lines[0], ==,
                   "unsigned,signed,double,time,duration,string,object,boolean,status");
  g_assert_cmpstr (lines[1], ==, "0,0,0,0,0,plain,,false,ok");
  g_assert_cmpstr (lines[2], ==,
                   "1152921504606846977,1152921504606846977,-0,-576460752303423488,"
                   "576460752303423488,\"a,b\",d-977,true,canceled");
  g_assert_nonnull (strstr (text, ",0.10000000000000001,"));
  g_assert_nonnull (strstr (text, "\r\n,,,,,,,,\r\n3,3,3,-1,1,plain,d-3,true,77\r\n"));
  g_assert_true (g_str_has_suffix (text, "\r\n4,4,4,-2,2,,d-4,false,77\r\n"));
}

static void
test_csv_empty (void)
{
  g_autoptr (WeftTable) empty = sample_table_new ("empty");
  g_autoptr (WeftTable) nothing = sample_table_new ("nothing");
  g_autofree char *only_names = write_csv (empty);
  g_autofree char *no_names = write_csv (nothing);

  g_assert_cmpstr (only_names, ==,
                   "unsigned,signed,double,time,duration,string,object,boolean,status\r\n");
  g_assert_cmpstr (no_names, ==, "\r\n");
}

/* ---- Streams ---- */

static void
test_full_disk (void)
{
  g_autoptr (WeftTable) small = sample_table_new ("empty");
  g_autoptr (WeftTable) large = sample_table_new ("long");
  WeftTable *tables[] = { small, large };

  for (guint i = 0; i < 4; i++)
    {
      g_autoptr (GFile) file = g_file_new_for_path ("/dev/full");
      g_autoptr (GFileOutputStream) raw = g_file_append_to (file, 0, NULL, NULL);
      g_autoptr (GOutputStream) buffered = NULL;
      g_autoptr (GError) error = NULL;

      if (raw == NULL)
        {
          g_test_skip ("needs /dev/full");
          return;
        }
      buffered = g_buffered_output_stream_new_sized (G_OUTPUT_STREAM (raw), 1 << 16);
      g_assert_false (writes[i % 2](tables[i / 2], buffered, NULL, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
    }
}

/* A stream that has room for some bytes only, at every place where a write can end. */
static void
test_small_streams (void)
{
  g_autoptr (WeftTable) table = sample_table_new ("long");

  for (guint i = 0; i < G_N_ELEMENTS (writes); i++)
    {
      g_autoptr (GBytes) whole = write_table (table, writes[i]);
      gsize size = g_bytes_get_size (whole);

      for (gsize room = 0; room < size; room += size / 11)
        {
          g_autofree guint8 *data = g_malloc (room + 1);
          g_autoptr (GOutputStream) stream = g_memory_output_stream_new (data, room, NULL, NULL);
          g_autoptr (GError) error = NULL;

          g_assert_false (writes[i](table, stream, NULL, &error));
          g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
          g_assert_cmpmem (data, room, g_bytes_get_data (whole, NULL), room);
        }
    }
}

static void
test_closed_stream (void)
{
  g_autoptr (WeftTable) table = sample_table_new ("types");

  for (guint i = 0; i < G_N_ELEMENTS (writes); i++)
    {
      g_autoptr (GOutputStream) stream = g_memory_output_stream_new_resizable ();
      g_autoptr (GError) error = NULL;

      g_output_stream_close (stream, NULL, NULL);
      g_assert_false (writes[i](table, stream, NULL, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
    }
}

static void
test_canceled (void)
{
  g_autoptr (WeftTable) table = sample_table_new ("long");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  g_cancellable_cancel (cancellable);
  for (guint i = 0; i < G_N_ELEMENTS (writes); i++)
    {
      g_autoptr (GOutputStream) stream = g_memory_output_stream_new_resizable ();
      g_autoptr (GError) error = NULL;

      g_assert_false (writes[i](table, stream, cancellable, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    }
}

static void
keep_result (GObject *source, GAsyncResult *result, gpointer data)
{
  *(GAsyncResult **) data = g_object_ref (result);
}

static GAsyncResult *
wait_for (GAsyncResult **result)
{
  while (*result == NULL)
    g_main_context_iteration (NULL, TRUE);
  return *result;
}

static void
test_asynchronous (void)
{
  WeftTable *table = sample_table_new ("types");
  g_autoptr (GBytes) csv = write_table (table, weft_table_write_csv);
  g_autoptr (GBytes) arrow = write_table (table, weft_table_write_arrow);
  g_autoptr (GOutputStream) first = g_memory_output_stream_new_resizable ();
  g_autoptr (GOutputStream) second = g_memory_output_stream_new_resizable ();
  g_autoptr (GAsyncResult) csv_result = NULL;
  g_autoptr (GAsyncResult) arrow_result = NULL;
  g_autoptr (GError) error = NULL;

  weft_table_write_csv_async (table, first, G_PRIORITY_DEFAULT, NULL, keep_result, &csv_result);
  weft_table_write_arrow_async (table, second, G_PRIORITY_DEFAULT, NULL, keep_result,
                                &arrow_result);
  /* The tasks hold what they need. */
  g_object_unref (table);
  g_assert_true (weft_table_write_csv_finish (table, wait_for (&csv_result), &error));
  g_assert_true (weft_table_write_arrow_finish (table, wait_for (&arrow_result), &error));
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (csv, NULL), g_bytes_get_size (csv),
                   g_memory_output_stream_get_data (G_MEMORY_OUTPUT_STREAM (first)),
                   g_memory_output_stream_get_data_size (G_MEMORY_OUTPUT_STREAM (first)));
  g_assert_cmpmem (g_bytes_get_data (arrow, NULL), g_bytes_get_size (arrow),
                   g_memory_output_stream_get_data (G_MEMORY_OUTPUT_STREAM (second)),
                   g_memory_output_stream_get_data_size (G_MEMORY_OUTPUT_STREAM (second)));
}

static void
test_asynchronous_failure (void)
{
  g_autoptr (WeftTable) table = sample_table_new ("types");
  g_autoptr (GOutputStream) stream = g_memory_output_stream_new_resizable ();
  g_autoptr (GAsyncResult) csv_result = NULL;
  g_autoptr (GAsyncResult) arrow_result = NULL;
  g_autoptr (GError) error = NULL;

  g_output_stream_close (stream, NULL, NULL);
  weft_table_write_csv_async (table, stream, G_PRIORITY_DEFAULT, NULL, keep_result, &csv_result);
  g_assert_false (weft_table_write_csv_finish (table, wait_for (&csv_result), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);
  weft_table_write_arrow_async (table, stream, G_PRIORITY_DEFAULT, NULL, keep_result,
                                &arrow_result);
  g_assert_false (weft_table_write_arrow_finish (table, wait_for (&arrow_result), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

/* ---- Arrow ---- */

static void
test_too_long_duration (void)
{
  static const WeftTableColumn column = { .name = "duration", .type = WEFT_VALUE_DURATION };
  WeftTableBuilder *builder = weft_table_builder_new ("long-durations");
  g_autoptr (WeftTable) table = NULL;
  g_autoptr (GOutputStream) stream = g_memory_output_stream_new_resizable ();
  g_autoptr (GError) error = NULL;
  struct ArrowArray array = { 0 };
  struct ArrowSchema schema = { 0 };

  weft_table_builder_add_column (builder, &column);
  weft_table_builder_begin_row (builder);
  weft_table_builder_set_uint64 (builder, 0, G_MAXINT64);
  weft_table_builder_begin_row (builder);
  weft_table_builder_set_uint64 (builder, 0, (guint64) G_MAXINT64 + 1);
  table = weft_table_builder_finish (builder);

  g_assert_false (weft_table_write_arrow (table, stream, NULL, &error));
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_OUT_OF_RANGE);
  g_assert_cmpstr (error->message, ==,
                   "Row 1 of column duration lasts 9223372036854775808 ns, more than a duration in "
                   "Arrow can; write CSV instead");
  g_clear_error (&error);
  g_assert_false (weft_table_export_arrow_c (table, (guintptr) &array, (guintptr) &schema, &error));
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_OUT_OF_RANGE);
  g_assert_null (array.release);
  g_assert_null (schema.release);
}

static void
export_table (WeftTable *table, struct ArrowArray *array, struct ArrowSchema *schema)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (weft_table_export_arrow_c (table, (guintptr) array, (guintptr) schema, &error));
  g_assert_no_error (error);
}

static gboolean
is_valid (const struct ArrowArray *array, gsize row)
{
  const guint8 *bits = array->buffers[0];

  return bits == NULL || (bits[row / 8] >> (row % 8) & 1);
}

static char *
read_word (const struct ArrowArray *array, gsize row)
{
  gint32 index = ((const gint32 *) array->buffers[1])[row];
  const gint32 *ends = array->dictionary->buffers[1];
  const char *text = array->dictionary->buffers[2];

  g_assert_cmpint (index, <, array->dictionary->length);
  return g_strndup (text + ends[index], (gsize) (ends[index + 1] - ends[index]));
}

static void
compare_value (WeftTable *table, const struct ArrowArray *array, guint column, guint row)
{
  g_autofree char *expected = NULL;
  g_autofree char *word = NULL;
  guint64 bits;

  switch (weft_table_get_column_type (table, column))
    {
    case WEFT_VALUE_STRING:
    case WEFT_VALUE_ENUM:
      expected = weft_table_get_text (table, column, row);
      word = read_word (array, row);
      g_assert_cmpstr (word, ==, expected);
      return;
    case WEFT_VALUE_BOOLEAN:
      g_assert_cmpint (((const guint8 *) array->buffers[1])[row / 8] >> (row % 8) & 1, ==,
                       weft_table_get_boolean (table, column, row));
      return;
    default:
      bits = weft_table_get_uint64 (table, column, row);
      g_assert_cmpmem (&bits, sizeof bits, (const guint64 *) array->buffers[1] + row, sizeof bits);
    }
}

static void
compare_column (WeftTable *table, const struct ArrowArray *array, guint column)
{
  gint64 n_null = 0;

  g_assert_cmpint (array->length, ==, weft_table_get_n_rows (table));
  g_assert_cmpint (array->offset, ==, 0);
  g_assert_cmpint (array->n_buffers, ==, 2);
  g_assert_nonnull (array->buffers[1]);
  for (guint row = 0; row < weft_table_get_n_rows (table); row++)
    {
      gboolean null = weft_table_is_null (table, column, row);

      g_assert_cmpint (is_valid (array, row), ==, !null);
      n_null += null ? 1 : 0;
      if (!null)
        compare_value (table, array, column, row);
    }
  g_assert_cmpint (array->null_count, ==, n_null);
}

static void
test_memory_values (void)
{
  static const char *const formats[] = { "L", "l", "g", "l", "tDn", "i", "L", "b", "i" };

  for (guint i = 0; sample_names[i] != NULL; i++)
    {
      g_autoptr (WeftTable) table = sample_table_new (sample_names[i]);
      struct ArrowArray array;
      struct ArrowSchema schema;

      export_table (table, &array, &schema);
      g_assert_cmpstr (schema.format, ==, "+s");
      g_assert_cmpint (schema.n_children, ==, weft_table_get_n_columns (table));
      g_assert_cmpint (array.n_children, ==, schema.n_children);
      g_assert_cmpint (array.length, ==, weft_table_get_n_rows (table));
      g_assert_cmpint (array.n_buffers, ==, 1);
      g_assert_null (array.buffers[0]);
      for (guint j = 0; j < weft_table_get_n_columns (table); j++)
        {
          g_assert_cmpstr (schema.children[j]->name, ==, weft_table_get_column_name (table, j));
          g_assert_cmpstr (schema.children[j]->format, ==, formats[j]);
          g_assert_cmpint (schema.children[j]->flags, ==, ARROW_FLAG_NULLABLE);
          g_assert_cmpint (schema.children[j]->dictionary != NULL, ==, formats[j][0] == 'i');
          compare_column (table, array.children[j], j);
        }
      array.release (&array);
      schema.release (&schema);
      g_assert_null (array.release);
      g_assert_null (schema.release);
    }
}

/* The value of KEY in metadata encoded as the interface says. */
static char *
find_metadata (const char *metadata, const char *key)
{
  gint32 n_pairs;
  gint32 length;

  memcpy (&n_pairs, metadata, sizeof n_pairs);
  metadata += sizeof n_pairs;
  for (gint32 i = 0; i < n_pairs; i++)
    {
      gboolean found;

      memcpy (&length, metadata, sizeof length);
      found = (gsize) length == strlen (key) && memcmp (metadata + 4, key, strlen (key)) == 0;
      metadata += 4 + length;
      memcpy (&length, metadata, sizeof length);
      if (found)
        return g_strndup (metadata + 4, (gsize) length);
      metadata += 4 + length;
    }
  return NULL;
}

static void
assert_metadata (const char *metadata, const char *key, const char *expected)
{
  g_autofree char *value = find_metadata (metadata, key);

  g_assert_cmpstr (value, ==, expected);
}

static void
test_memory_metadata (void)
{
  g_autoptr (WeftTable) table = sample_table_new ("types");
  struct ArrowArray array;
  struct ArrowSchema schema;

  export_table (table, &array, &schema);
  assert_metadata (schema.metadata, "weft.table", "types");
  assert_metadata (schema.metadata, "weft.cursor", "next");
  assert_metadata (schema.children[0]->metadata, "weft.unit", "bytes");
  assert_metadata (schema.children[2]->metadata, "weft.title", "A double, \"quoted\"");
  assert_metadata (schema.children[3]->metadata, "weft.time",
                   "nanoseconds since the start of the recording");
  assert_metadata (schema.children[6]->metadata, "weft.prefix", "d");
  assert_metadata (schema.children[6]->metadata, "weft.unit", NULL);
  array.release (&array);
  schema.release (&schema);
}

/* A reader may take children out and let go of them last, without the table. */
static void
test_memory_moved (void)
{
  WeftTable *table = sample_table_new ("types");
  struct ArrowArray array;
  struct ArrowSchema schema;
  struct ArrowArray child;
  struct ArrowSchema child_schema;
  struct ArrowArray dictionary;
  g_autofree char *word = NULL;

  export_table (table, &array, &schema);
  child = *array.children[5];
  array.children[5]->release = NULL;
  child_schema = *schema.children[5];
  schema.children[5]->release = NULL;
  dictionary = *array.children[8]->dictionary;
  array.children[8]->dictionary->release = NULL;
  g_object_unref (table);
  array.release (&array);
  schema.release (&schema);

  word = read_word (&child, 1);
  g_assert_cmpstr (word, ==, "a,b");
  g_assert_cmpstr (child_schema.name, ==, "string");
  g_assert_cmpint (dictionary.length, ==, 4);
  child.release (&child);
  child_schema.release (&child_schema);
  dictionary.release (&dictionary);
}

static void
test_memory_shared (void)
{
  g_autoptr (WeftTable) table = sample_table_new ("long");
  struct ArrowArray array;
  struct ArrowSchema schema;

  export_table (table, &array, &schema);
  for (guint i = 0; i < weft_table_get_n_columns (table); i++)
    if (weft_table_get_column_type (table, i) != WEFT_VALUE_BOOLEAN)
      g_assert_true (array.children[i]->buffers[1] ==
                     g_bytes_get_data (weft_table_get_column_data (table, i), NULL));
  array.release (&array);
  schema.release (&schema);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/query/table-export/csv-text", test_csv_text);
  g_test_add_func ("/query/table-export/csv-values", test_csv_values);
  g_test_add_func ("/query/table-export/csv-empty", test_csv_empty);
  g_test_add_func ("/query/table-export/full-disk", test_full_disk);
  g_test_add_func ("/query/table-export/small-streams", test_small_streams);
  g_test_add_func ("/query/table-export/closed-stream", test_closed_stream);
  g_test_add_func ("/query/table-export/canceled", test_canceled);
  g_test_add_func ("/query/table-export/asynchronous", test_asynchronous);
  g_test_add_func ("/query/table-export/asynchronous-failure", test_asynchronous_failure);
  g_test_add_func ("/query/table-export/too-long-duration", test_too_long_duration);
  g_test_add_func ("/query/table-export/memory-values", test_memory_values);
  g_test_add_func ("/query/table-export/memory-metadata", test_memory_metadata);
  g_test_add_func ("/query/table-export/memory-moved", test_memory_moved);
  g_test_add_func ("/query/table-export/memory-shared", test_memory_shared);

  return g_test_run ();
}
