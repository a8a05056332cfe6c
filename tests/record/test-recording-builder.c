/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Recordings out of rows; what is in the file is looked at by way of the store. */

#include <glib/gstdio.h>
#include <string.h>
#include <weft.h>

#include "record-rig.h"

typedef struct
{
  char *folder;
  char *file;
  WeftRecordingBuilder *builder;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fixture->folder = rig_make_folder ();
  fixture->file = g_build_filename (fixture->folder, "x.weft", NULL);
  fixture->builder = weft_recording_builder_new (fixture->file, &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_object_unref (fixture->builder);
  rig_remove_folder (fixture->folder);
  g_free (fixture->file);
}

/* VALUES is the text of an a{sv}. */
static gboolean
try_row (Fixture *fixture, const char *table, const char *values, guint64 *id, GError **error)
{
  GVariant *variant = g_variant_parse (G_VARIANT_TYPE_VARDICT, values, NULL, NULL, NULL);

  g_assert_nonnull (variant);
  g_variant_ref_sink (variant);
  gboolean good = weft_recording_builder_add_row (fixture->builder, table, variant, id, error);
  g_variant_unref (variant);
  return good;
}

static guint64
add_row (Fixture *fixture, const char *table, const char *values)
{
  g_autoptr (GError) error = NULL;
  guint64 id = 0;

  g_assert_true (try_row (fixture, table, values, &id, &error));
  g_assert_no_error (error);
  return id;
}

static void
add_basics (Fixture *fixture)
{
  g_assert_cmpuint (add_row (fixture, "processes", "{'pid': <77>, 'name': <'made'>}"), ==, 1);
  g_assert_cmpuint (add_row (fixture, "runtimes", "{'process': <1>, 'name': <'made'>}"), ==, 1);
  g_assert_cmpuint (add_row (fixture, "threads", "{'process': <1>, 'tid': <78>}"), ==, 1);
  g_assert_cmpuint (
      add_row (fixture, "lanes", "{'runtime': <1>, 'name': <'one'>, 'kind': <'made.lane'>}"), ==,
      1);
  g_assert_cmpuint (add_row (fixture, "lanes", "{'id': <2>, 'name': <'two'>, 'parent': <'l-1'>}"),
                    ==, 2);
  g_assert_cmpuint (add_row (fixture, "routines", "{'name': <'work'>}"), ==, 1);
}

static WeftStore *
finish (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  WeftStoreReport report;
  WeftStore *store;

  g_assert_true (weft_recording_builder_finish (fixture->builder, NULL, &error));
  g_assert_no_error (error);
  store = weft_store_open (fixture->file, &error);
  g_assert_no_error (error);
  g_assert_cmpint (weft_store_get_state (store), ==, WEFT_STORE_COMPLETE);
  g_assert_true (weft_store_verify (store, &report, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (report.damaged_chunks, ==, 0);
  return store;
}

static const char *
find_fact (const Rows *meta, const char *key)
{
  guint64 row = rows_find_text (meta, WEFT_META_KEY, key, 0);

  return row == G_MAXUINT64 ? NULL : rows_text (meta, row, WEFT_META_TEXT);
}

static void
test_rows (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WeftStore) store = NULL;
  g_autoptr (Rows) lanes = NULL;
  g_autoptr (Rows) dispatches = NULL;
  g_autoptr (Rows) tags = NULL;
  g_autoptr (Rows) sources = NULL;
  g_autoptr (Rows) traces = NULL;
  g_autoptr (GBytes) text = NULL;
  double value = 0.5;
  guint64 bits;

  add_basics (fixture);
  g_assert_cmpuint (add_row (fixture, "sources", "{'path': <'a.c'>, 'text': <'int a;'>}"), ==, 1);
  g_assert_cmpuint (add_row (fixture, "traces", "{'name': <'request'>, 'start': <int64 -5>}"), ==,
                    1);
  g_assert_cmpuint (
      add_row (
          fixture, "dispatches",
          "{'lane': <uint32 1>, 'routine': <'r-1'>, 'start': <int64 -10>, 'duration': <byte 0x20>,"
          " 'status': <'error'>, 'error_kind': <2>, 'attempts': <uint64 3>, 'trace': <1>,"
          " 'label': <'first'>, 'source': <1>}"),
      ==, 1);
  add_row (fixture, "tags",
           "{'owner_table': <'dispatches'>, 'owner': <1>, 'key': <'load'>, 'type': <'double'>,"
           " 'bits': <0.5>}");
  g_assert_cmpuint (weft_recording_builder_get_n_rows (fixture->builder, "dispatches"), ==, 1);

  store = finish (fixture);
  lanes = rows_read (store, WEFT_TABLE_LANES);
  g_assert_cmpuint (lanes->n, ==, 2);
  g_assert_cmpstr (rows_text (lanes, 0, WEFT_LANES_KIND), ==, "made.lane");
  g_assert_cmpuint (rows_get (lanes, 1, WEFT_LANES_PARENT), ==, 1);
  dispatches = rows_read (store, WEFT_TABLE_DISPATCHES);
  g_assert_cmpint ((gint64) rows_get (dispatches, 0, WEFT_DISPATCHES_START), ==, -10);
  g_assert_cmpuint (rows_get (dispatches, 0, WEFT_DISPATCHES_DURATION), ==, 32);
  g_assert_cmpuint (rows_get (dispatches, 0, WEFT_DISPATCHES_STATUS), ==, WEFT_STATUS_ERROR);
  g_assert_cmpuint (rows_get (dispatches, 0, WEFT_DISPATCHES_ERROR_KIND), ==,
                    WEFT_ERROR_KIND_QUEUE);
  g_assert_true (rows_has (dispatches, 0, WEFT_DISPATCHES_ATTEMPTS));
  g_assert_false (rows_has (dispatches, 0, WEFT_DISPATCHES_QUEUE_WAIT));
  g_assert_cmpstr (rows_text (dispatches, 0, WEFT_DISPATCHES_LABEL), ==, "first");
  tags = rows_read (store, WEFT_TABLE_TAGS);
  memcpy (&bits, &value, sizeof bits);
  g_assert_cmpuint (rows_get (tags, 0, WEFT_TAGS_OWNER_TABLE), ==, WEFT_TABLE_DISPATCHES);
  g_assert_cmpuint (rows_get (tags, 0, WEFT_TAGS_BITS), ==, bits);
  sources = rows_read (store, WEFT_TABLE_SOURCES);
  text = weft_store_get_blob (store, (guint32) rows_get (sources, 0, WEFT_SOURCES_TEXT), NULL);
  g_assert_cmpmem (g_bytes_get_data (text, NULL), g_bytes_get_size (text), "int a;", 6);
  traces = rows_read (store, WEFT_TABLE_TRACES);
  g_assert_cmpuint (rows_get (traces, 0, WEFT_TRACES_ID), ==, 1);
  rig_check_conservation (store);
}

/* What a recording says of its making. */
static void
test_facts (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WeftStore) store = NULL;
  g_autoptr (Rows) meta = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_false (weft_recording_builder_set_start (fixture->builder, -1, 0, &error));
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_OUT_OF_RANGE);
  g_clear_error (&error);
  add_row (fixture, "meta", "{'key': <'host'>, 'text': <'elsewhere'>}");
  g_assert_true (weft_recording_builder_set_start (fixture->builder, 1000, 2000, &error));
  weft_recording_builder_set_recorder_name (fixture->builder, "other profiler 3");
  weft_recording_builder_add_origin (fixture->builder, "a.json");
  store = finish (fixture);
  meta = rows_read (store, WEFT_TABLE_META);
  g_assert_cmpstr (find_fact (meta, "recorder"), ==, "other profiler 3");
  g_assert_cmpstr (find_fact (meta, "imported-from"), ==, "a.json");
  g_assert_cmpstr (find_fact (meta, "host"), ==, "elsewhere");
  g_assert_cmpint (weft_store_get_start_monotonic (store), ==, 1000);
  g_assert_cmpint (weft_store_get_start_realtime (store), ==, 2000);
}

static void
test_nothing (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WeftStore) store = finish (fixture);
  g_autoptr (Rows) meta = rows_read (store, WEFT_TABLE_META);
  g_autoptr (GError) error = NULL;

  g_assert_nonnull (find_fact (meta, "imported-from"));
  g_assert_false (try_row (fixture, "lanes", "{}", NULL, &error));
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_RECORDER);
  g_clear_error (&error);
  g_assert_false (weft_recording_builder_finish (fixture->builder, NULL, &error));
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_RECORDER);
}

/* ---- Many dispatches ---- */

#define N 100000

static void
test_many (Fixture *fixture, gconstpointer data)
{
  g_autofree guint32 *lanes = g_new (guint32, N);
  g_autofree guint32 *routines = g_new (guint32, N);
  g_autofree gint64 *starts = g_new (gint64, N);
  g_autofree guint64 *durations = g_new (guint64, N);
  g_autoptr (WeftStore) store = NULL;
  g_autoptr (GArray) groups = NULL;
  g_autoptr (GError) error = NULL;
  guint64 first = 0, id = 0;

  add_basics (fixture);
  for (guint i = 0; i < N; i++)
    {
      lanes[i] = 1 + i % 2;
      routines[i] = 1;
      starts[i] = (gint64) i * 100;
      durations[i] = i % 90;
    }
  g_autoptr (GBytes) lane_bytes = g_bytes_new (lanes, N * sizeof *lanes);
  g_autoptr (GBytes) routine_bytes = g_bytes_new (routines, N * sizeof *routines);
  g_autoptr (GBytes) start_bytes = g_bytes_new (starts, N * sizeof *starts);
  g_autoptr (GBytes) duration_bytes = g_bytes_new (durations, N * sizeof *durations);
  g_autoptr (GBytes) short_bytes = g_bytes_new (durations, 12);

  g_assert_false (weft_recording_builder_add_dispatches (fixture->builder, lane_bytes,
                                                         routine_bytes, start_bytes, short_bytes,
                                                         NULL, NULL, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  lanes[N - 1] = 3;
  g_autoptr (GBytes) wrong_bytes = g_bytes_new (lanes, N * sizeof *lanes);
  g_assert_false (weft_recording_builder_add_dispatches (fixture->builder, wrong_bytes,
                                                         routine_bytes, start_bytes, duration_bytes,
                                                         NULL, NULL, NULL, &error));
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_NO_SUCH_OBJECT);
  g_assert_nonnull (strstr (error->message, "99999"));
  g_clear_error (&error);
  g_assert_cmpuint (weft_recording_builder_get_n_rows (fixture->builder, "dispatches"), ==, 0);

  g_assert_true (weft_recording_builder_add_dispatches (fixture->builder, lane_bytes, routine_bytes,
                                                        start_bytes, duration_bytes, NULL, NULL,
                                                        &first, &error));
  g_assert_true (weft_recording_builder_add_dispatch (fixture->builder, 1, 1, N * 100, 5, 1,
                                                      WEFT_STATUS_CANCELED, &id, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (first, ==, 1);
  g_assert_cmpuint (id, ==, N + 1);
  store = finish (fixture);
  groups = weft_store_summarize (store, WEFT_GROUP_BY_LANE, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_array_index (groups, WeftGroupSummary, 0).count, ==, N / 2 + 1);
  g_assert_cmpuint (g_array_index (groups, WeftGroupSummary, 1).count, ==, N / 2);
  rig_check_conservation (store);
}

/* ---- What is refused ---- */

typedef struct
{
  const char *table;
  const char *values;
  gboolean weft; /* of WEFT_ERROR, else of G_IO_ERROR */
  int code;
} Wrong;

static const Wrong wrongs[] = {
  { "no-such", "{}", TRUE, WEFT_ERROR_NO_SUCH_TABLE },
  { "", "{}", TRUE, WEFT_ERROR_NO_SUCH_TABLE },
  { "lanes", "{'colour': <1>}", TRUE, WEFT_ERROR_NO_SUCH_FIELD },
  { "dispatches", "{'classification': <1>}", TRUE, WEFT_ERROR_NO_SUCH_FIELD },
  { "dispatches", "{'end': <1>}", TRUE, WEFT_ERROR_NO_SUCH_FIELD },
  { "dispatches", "{'self_time': <1>}", TRUE, WEFT_ERROR_NO_SUCH_FIELD },
  { "lanes", "{'name': <1>}", FALSE, G_IO_ERROR_INVALID_ARGUMENT },
  { "lanes", "{'name': <@ay [0x61]>}", FALSE, G_IO_ERROR_INVALID_ARGUMENT },
  { "lanes", "{'name': <'a'>, 'name': <'b'>}", FALSE, G_IO_ERROR_INVALID_ARGUMENT },
  { "lanes", "{'runtime': <2>}", TRUE, WEFT_ERROR_NO_SUCH_OBJECT },
  { "lanes", "{'runtime': <-1>}", TRUE, WEFT_ERROR_OUT_OF_RANGE },
  { "lanes", "{'runtime': <uint64 18446744073709551615>}", TRUE, WEFT_ERROR_NO_SUCH_OBJECT },
  { "lanes", "{'runtime': <'l-1'>}", TRUE, WEFT_ERROR_OUT_OF_RANGE },
  { "lanes", "{'runtime': <'rt-'>}", TRUE, WEFT_ERROR_OUT_OF_RANGE },
  { "lanes", "{'runtime': <'rt-99999999999999999999'>}", TRUE, WEFT_ERROR_OUT_OF_RANGE },
  { "lanes", "{'runtime': <1.0>}", FALSE, G_IO_ERROR_INVALID_ARGUMENT },
  { "lanes", "{'id': <7>}", TRUE, WEFT_ERROR_OUT_OF_RANGE },
  { "lanes", "{'id': <'l-3'>}", TRUE, WEFT_ERROR_OUT_OF_RANGE },
  { "traces", "{'id': <2>}", TRUE, WEFT_ERROR_OUT_OF_RANGE },
  { "processes", "{'pid': <-4>}", TRUE, WEFT_ERROR_OUT_OF_RANGE },
  { "dispatches", "{'routine': <1>}", TRUE, WEFT_ERROR_NO_SUCH_OBJECT },
  { "dispatches", "{'lane': <1>}", TRUE, WEFT_ERROR_NO_SUCH_OBJECT },
  { "dispatches", "{'lane': <0>, 'routine': <1>}", TRUE, WEFT_ERROR_NO_SUCH_OBJECT },
  { "dispatches", "{'lane': <1>, 'routine': <1>, 'duration': <-1>}", TRUE,
    WEFT_ERROR_OUT_OF_RANGE },
  { "dispatches", "{'lane': <1>, 'routine': <1>, 'duration': <uint64 18446744073709551615>}", TRUE,
    WEFT_ERROR_OUT_OF_RANGE },
  { "dispatches", "{'lane': <1>, 'routine': <1>, 'start': <int64 -9223372036854775808>}", TRUE,
    WEFT_ERROR_OUT_OF_RANGE },
  { "dispatches", "{'lane': <1>, 'routine': <1>, 'start': <uint64 9223372036854775808>}", TRUE,
    WEFT_ERROR_OUT_OF_RANGE },
  { "dispatches", "{'lane': <1>, 'routine': <1>, 'status': <3>}", TRUE, WEFT_ERROR_OUT_OF_RANGE },
  { "dispatches", "{'lane': <1>, 'routine': <1>, 'status': <'fine'>}", TRUE,
    WEFT_ERROR_OUT_OF_RANGE },
  { "dispatches", "{'lane': <1>, 'routine': <1>, 'status': <[1]>}", FALSE,
    G_IO_ERROR_INVALID_ARGUMENT },
  { "phases", "{'dispatch': <1>}", TRUE, WEFT_ERROR_NO_SUCH_OBJECT },
  { "tags", "{'owner_table': <'lanes'>, 'owner': <3>}", TRUE, WEFT_ERROR_NO_SUCH_OBJECT },
  { "tags", "{'owner_table': <'lakes'>, 'owner': <1>}", TRUE, WEFT_ERROR_OUT_OF_RANGE },
  { "tags", "{'owner_table': <4711>, 'owner': <1>}", TRUE, WEFT_ERROR_OUT_OF_RANGE },
  { "tags", "{'owner_table': <'lanes'>}", TRUE, WEFT_ERROR_NO_SUCH_OBJECT },
  { "tags", "{'owner_table': <'lanes'>, 'owner': <1>, 'bits': <'x'>}", FALSE,
    G_IO_ERROR_INVALID_ARGUMENT },
  { "clocks", "{'frequency': <'fast'>}", FALSE, G_IO_ERROR_INVALID_ARGUMENT },
  { "sources", "{'text': <7>}", FALSE, G_IO_ERROR_INVALID_ARGUMENT },
  { "blobs", "{'size': <7>}", FALSE, G_IO_ERROR_INVALID_ARGUMENT },
  { "meta", "{'key': <'recorder'>, 'text': <'me'>}", FALSE, G_IO_ERROR_INVALID_ARGUMENT },
};

static void
test_wrong (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WeftStore) store = NULL;
  g_autoptr (GError) error = NULL;

  add_basics (fixture);
  for (guint i = 0; i < G_N_ELEMENTS (wrongs); i++)
    {
      const Wrong *wrong = &wrongs[i];
      GQuark domain = wrong->weft ? WEFT_ERROR : G_IO_ERROR;
      guint64 before = weft_recording_builder_get_n_rows (fixture->builder, wrong->table);

      g_test_message ("%s %s", wrong->table, wrong->values);
      g_assert_false (try_row (fixture, wrong->table, wrong->values, NULL, &error));
      g_assert_error (error, domain, wrong->code);
      g_clear_error (&error);
      g_assert_cmpuint (weft_recording_builder_get_n_rows (fixture->builder, wrong->table), ==,
                        before);
    }
  g_assert_false (weft_recording_builder_add_row (fixture->builder, "lanes",
                                                  g_variant_new_string ("x"), NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  g_assert_false (weft_recording_builder_add_dispatch (fixture->builder, 1, 2, 0, 0, 0,
                                                       WEFT_STATUS_OK, NULL, &error));
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_NO_SUCH_OBJECT);
  g_clear_error (&error);
  g_assert_false (weft_recording_builder_add_dispatch (fixture->builder, 1, 1, G_MININT64, 0, 0,
                                                       WEFT_STATUS_OK, NULL, &error));
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_OUT_OF_RANGE);
  store = finish (fixture);
}

/* Strings that are none, and a dictionary that is not in order. */
static void
test_garbled (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WeftStore) store = NULL;

  for (guint i = 0; i < 2000; i++)
    {
      guint8 bytes[64];
      gsize length = (gsize) g_test_rand_int_range (0, sizeof bytes);
      g_autoptr (GVariant) values = NULL;
      gpointer copy;

      for (gsize j = 0; j < length; j++)
        bytes[j] = (guint8) g_test_rand_int_range (0, 256);
      if (length > 8)
        memcpy (bytes, "name\0\0\0", 8);
      copy = g_memdup2 (bytes, length);
      values = g_variant_ref_sink (
          g_variant_new_from_data (G_VARIANT_TYPE_VARDICT, copy, length, FALSE, g_free, copy));
      weft_recording_builder_add_row (fixture->builder, "lanes", values, NULL, NULL);
    }
  store = finish (fixture);
}

static GVariant *
random_value (void)
{
  static const gint64 numbers[] = { 0,
                                    1,
                                    2,
                                    -1,
                                    255,
                                    1 << 20,
                                    G_MAXINT64,
                                    G_MININT64,
                                    G_GINT64_CONSTANT (1) << 61,
                                    -(G_GINT64_CONSTANT (1) << 61) };
  gint64 number = numbers[g_test_rand_int_range (0, G_N_ELEMENTS (numbers))];

  switch (g_test_rand_int_range (0, 6))
    {
    case 0:
      return g_variant_new_uint64 ((guint64) number);
    case 1:
      return g_variant_new_string ("error");
    case 2:
      return g_variant_new_double ((double) number / 3);
    case 3:
      return g_variant_new_bytestring ("bytes");
    case 4:
      return g_variant_new_boolean (number & 1);
    default:
      return g_variant_new_int64 (number);
    }
}

/* Any field of any table with any value: an error, or a row of a sound file. */
static void
test_random (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WeftStore) store = NULL;
  guint kept = 0;

  add_basics (fixture);
  for (guint i = 0; i < 20000; i++)
    {
      const WeftTableSpec *spec = weft_schema_table (g_test_rand_int_range (0, WEFT_N_TABLES));
      GVariantBuilder values;
      int n = g_test_rand_int_range (0, 4);

      g_variant_builder_init (&values, G_VARIANT_TYPE_VARDICT);
      for (int j = 0; j < n; j++)
        g_variant_builder_add (&values, "{sv}",
                               spec->columns[g_test_rand_int_range (0, (int) spec->n_columns)].name,
                               random_value ());
      if (strcmp (spec->name, "dispatches") == 0)
        {
          g_variant_builder_add (&values, "{sv}", "lane", g_variant_new_int32 (1));
          g_variant_builder_add (&values, "{sv}", "routine", g_variant_new_int32 (1));
        }
      kept += weft_recording_builder_add_row (fixture->builder, spec->name,
                                              g_variant_builder_end (&values), NULL, NULL);
    }
  g_assert_cmpuint (kept, >, 100);
  store = finish (fixture);
}

/* ---- Files ---- */

static void
on_finished (GObject *object, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (
      weft_recording_builder_finish_finish (WEFT_RECORDING_BUILDER (object), result, &error));
  g_assert_no_error (error);
  *(gboolean *) data = TRUE;
}

/* ---- Bare values ---- */

typedef struct
{
  const char *table;
  const char *number_fields[3];
  guint64 numbers[3];
  const char *text_field;
  const char *text;
  gboolean weft; /* whose error */
  int code;
} BareWrong;

static const BareWrong bare_wrongs[] = {
  { "looms", { NULL }, { 0 }, NULL, NULL, TRUE, WEFT_ERROR_NO_SUCH_TABLE },
  { "lanes", { "warp" }, { 1 }, NULL, NULL, TRUE, WEFT_ERROR_NO_SUCH_FIELD },
  { "lanes", { "runtime", "runtime" }, { 1, 1 }, NULL, NULL, FALSE, G_IO_ERROR_INVALID_ARGUMENT },
  { "lanes", { "runtime" }, { 2 }, NULL, NULL, TRUE, WEFT_ERROR_NO_SUCH_OBJECT },
  { "lanes", { "id" }, { 7 }, NULL, NULL, TRUE, WEFT_ERROR_OUT_OF_RANGE },
  { "lanes", { "name" }, { 7 }, NULL, NULL, FALSE, G_IO_ERROR_INVALID_ARGUMENT },
  { "lanes", { NULL }, { 0 }, "runtime", "rt-1", FALSE, G_IO_ERROR_INVALID_ARGUMENT },
  { "lanes", { NULL }, { 0 }, "name", "\xff", FALSE, G_IO_ERROR_INVALID_ARGUMENT },
  { "sources", { "text" }, { 7 }, NULL, NULL, FALSE, G_IO_ERROR_INVALID_ARGUMENT },
  { "dispatches", { "lane" }, { 1 }, NULL, NULL, TRUE, WEFT_ERROR_NO_SUCH_OBJECT },
  { "dispatches",
    { "lane", "routine", "start" },
    { 1, 1, G_GUINT64_CONSTANT (1) << 62 },
    NULL,
    NULL,
    TRUE,
    WEFT_ERROR_OUT_OF_RANGE },
  { "dispatches",
    { "lane", "routine", "status" },
    { 1, 1, 9 },
    NULL,
    NULL,
    TRUE,
    WEFT_ERROR_OUT_OF_RANGE },
  { "dispatches",
    { "lane", "routine", "classification" },
    { 1, 1, 1 },
    NULL,
    NULL,
    TRUE,
    WEFT_ERROR_NO_SUCH_FIELD },
  { "meta", { NULL }, { 0 }, "key", "recorder", FALSE, G_IO_ERROR_INVALID_ARGUMENT },
  { "tags", { "owner_table", "owner" }, { 200, 1 }, NULL, NULL, TRUE, WEFT_ERROR_OUT_OF_RANGE },
};

static void
try_bare_wrong (Fixture *fixture, const BareWrong *wrong)
{
  g_autoptr (GError) error = NULL;
  const char *const fields[] = { wrong->text_field, NULL };
  const char *const texts[] = { wrong->text, NULL };
  guint64 before = weft_recording_builder_get_n_rows (fixture->builder, wrong->table);
  const GQuark domain = wrong->weft ? WEFT_ERROR : G_IO_ERROR;
  gsize n = 0;

  while (n < G_N_ELEMENTS (wrong->numbers) && wrong->number_fields[n] != NULL)
    n++;
  g_assert_false (weft_recording_builder_add_values (fixture->builder, wrong->table,
                                                     wrong->number_fields, wrong->numbers, n,
                                                     fields, texts, NULL, &error));
  g_assert_error (error, domain, wrong->code);
  g_assert_cmpuint (weft_recording_builder_get_n_rows (fixture->builder, wrong->table), ==, before);
}

/* As by add_row, for all that it takes. */
static void
test_values (Fixture *fixture, gconstpointer data)
{
  static const char *const fields[] = { "lane", "routine", "start", "duration", "status" };
  static const guint64 numbers[] = { 1, 1, (guint64) -5, 20, WEFT_STATUS_ERROR };
  static const char *const text_fields[] = { "label", NULL };
  static const char *const texts[] = { "first", NULL };
  static const char *const point_fields[] = { "metric", "time", "value" };
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftStore) store = NULL;
  g_autoptr (Rows) dispatches = NULL;
  g_autoptr (Rows) points = NULL;
  double value = 2.5;
  guint64 point[] = { 1, 7, 0 };
  guint64 id = 0;

  add_basics (fixture);
  add_row (fixture, "metrics", "{'lane': <1>, 'name': <'load'>}");
  memcpy (&point[2], &value, sizeof value);
  for (guint i = 0; i < G_N_ELEMENTS (bare_wrongs); i++)
    try_bare_wrong (fixture, &bare_wrongs[i]);
  g_assert_true (weft_recording_builder_add_values (fixture->builder, "dispatches", fields, numbers,
                                                    G_N_ELEMENTS (numbers), text_fields, texts, &id,
                                                    &error));
  g_assert_no_error (error);
  g_assert_cmpuint (id, ==, 1);
  add_row (fixture, "dispatches",
           "{'lane': <1>, 'routine': <1>, 'start': <int64 -5>, 'duration': <20>,"
           " 'status': <'error'>, 'label': <'first'>}");
  g_assert_true (weft_recording_builder_add_values (fixture->builder, "metric_points", point_fields,
                                                    point, G_N_ELEMENTS (point), NULL, NULL, NULL,
                                                    &error));
  g_assert_no_error (error);

  store = finish (fixture);
  dispatches = rows_read (store, WEFT_TABLE_DISPATCHES);
  g_assert_cmpuint (dispatches->n, ==, 2);
  for (WeftColumnNumber column = WEFT_DISPATCHES_ID + 1; column <= WEFT_DISPATCHES_MARKS; column++)
    g_assert_cmpuint (rows_get (dispatches, 0, column), ==, rows_get (dispatches, 1, column));
  points = rows_read (store, WEFT_TABLE_METRIC_POINTS);
  g_assert_cmpuint (rows_get (points, 0, WEFT_METRIC_POINTS_VALUE), ==, point[2]);
}

/* ---- What the data cannot tell ---- */

static void
add_queued_work (Fixture *fixture)
{
  add_basics (fixture);
  add_row (fixture, "dispatches", "{'lane': <1>, 'routine': <1>, 'start': <20>, 'duration': <5>}");
  add_row (fixture, "origins",
           "{'role': <'dispatch'>, 'dispatch': <1>, 'thread': <1>, 'tid': <78>, 'time': <10>,"
           " 'runtime': <1>}");
}

static void
check_class (Fixture *fixture, WeftClassification class, WeftClassificationReason reason)
{
  g_autoptr (WeftStore) store = finish (fixture);
  g_autoptr (Rows) dispatches = rows_read (store, WEFT_TABLE_DISPATCHES);

  g_assert_cmpuint (rows_get (dispatches, 0, WEFT_DISPATCHES_CLASSIFICATION), ==, class);
  g_assert_cmpuint (rows_get (dispatches, 0, WEFT_DISPATCHES_CLASSIFICATION_REASON), ==, reason);
}

/* That nobody tells of a wait says that nobody waited, unless nobody could have told. */
static void
test_waits_unknown (Fixture *fixture, gconstpointer data)
{
  weft_recording_builder_set_waits_known (fixture->builder, FALSE);
  add_queued_work (fixture);
  check_class (fixture, WEFT_CLASSIFICATION_UNKNOWN, WEFT_CLASSIFICATION_REASON_WAITS_UNKNOWN);
  g_object_unref (fixture->builder);
  g_unlink (fixture->file);

  fixture->builder = weft_recording_builder_new (fixture->file, NULL);
  add_queued_work (fixture);
  check_class (fixture, WEFT_CLASSIFICATION_ASYNCHRONOUS, WEFT_CLASSIFICATION_REASON_NO_WAIT);
}

static void
test_end (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WeftStore) store = NULL;
  g_autoptr (Rows) meta = NULL;

  add_basics (fixture);
  add_row (fixture, "dispatches", "{'lane': <1>, 'routine': <1>, 'start': <20>, 'duration': <5>}");
  weft_recording_builder_set_end (fixture->builder, 1000);
  weft_recording_builder_set_end (fixture->builder, 10);
  store = finish (fixture);
  meta = rows_read (store, WEFT_TABLE_META);
  g_assert_cmpuint (
      rows_get (meta, rows_find_text (meta, WEFT_META_KEY, "duration", 0), WEFT_META_NUMBER), ==,
      1000);
}

static void
test_flush (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GFile) file = g_file_new_for_path (fixture->file);
  g_autoptr (WeftRecording) recording = NULL;

  g_assert_cmpstr (weft_recording_builder_get_path (fixture->builder), ==, fixture->file);
  add_basics (fixture);
  g_assert_true (weft_recording_builder_flush (fixture->builder, NULL, &error));
  g_assert_no_error (error);
  recording = weft_recording_open (file, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (weft_recording_get_state (recording), ==, WEFT_RECORDING_UNFINISHED);
  g_assert_cmpuint (weft_recording_get_n_rows (recording, "lanes"), ==, 2);
  g_assert_true (weft_recording_builder_finish (fixture->builder, NULL, &error));
  g_assert_false (weft_recording_builder_flush (fixture->builder, NULL, &error));
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_RECORDER);
}

/* ---- A domain ---- */

#define TEST_TYPE_DOMAIN (test_domain_get_type ())
G_DECLARE_FINAL_TYPE (TestDomain, test_domain, TEST, DOMAIN, GObject)

struct _TestDomain
{
  GObject parent_instance;
};

static char *
get_name (WeftDomain *domain)
{
  return g_strdup ("made");
}

static WeftVocabulary *
get_vocabulary (WeftDomain *domain)
{
  WeftVocabulary *words = weft_vocabulary_new ("made");

  weft_vocabulary_add_word (words, NULL, "dispatch", "piece", "pieces");
  return words;
}

static GListModel *
diagnose (WeftDomain *domain, WeftRecording *recording, GCancellable *cancellable, GError **error)
{
  g_autoptr (GListStore) findings = g_list_store_new (WEFT_TYPE_FINDING);
  g_autofree char *evidence = g_strdup_printf ("%" G_GUINT64_FORMAT " lanes",
                                               weft_recording_get_n_rows (recording, "lanes"));
  const char *const handles[] = { "l-1", "l-2", NULL };
  g_autoptr (WeftFinding) finding = weft_finding_new ("made.lanes", "Are there lanes?",
                                                      WEFT_VERDICT_GOOD, evidence, NULL, handles);

  g_list_store_append (findings, finding);
  return G_LIST_MODEL (g_steal_pointer (&findings));
}

static void
domain_interface_init (WeftDomainInterface *interface)
{
  interface->get_name = get_name;
  interface->get_vocabulary = get_vocabulary;
  interface->diagnose = diagnose;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (TestDomain, test_domain, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (WEFT_TYPE_DOMAIN, domain_interface_init))

static void
test_domain_class_init (TestDomainClass *klass)
{
}

static void
test_domain_init (TestDomain *self)
{
}

/* Its words, and what it finds in the rows. */
static void
test_domain (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftDomain) domain = g_object_new (TEST_TYPE_DOMAIN, NULL);
  g_autoptr (WeftStore) store = NULL;
  g_autoptr (Rows) words = NULL;
  g_autoptr (Rows) findings = NULL;

  add_basics (fixture);
  g_assert_true (weft_recording_builder_add_domain (fixture->builder, domain, NULL, &error));
  g_assert_no_error (error);
  store = finish (fixture);
  words = rows_read (store, WEFT_TABLE_WORDS);
  g_assert_cmpuint (rows_find_text (words, WEFT_WORDS_TEXT, "pieces", 0), !=, G_MAXUINT64);
  findings = rows_read (store, WEFT_TABLE_FINDINGS);
  g_assert_cmpuint (findings->n, ==, 1);
  g_assert_cmpstr (rows_text (findings, 0, WEFT_FINDINGS_DOMAIN), ==, "made");
  g_assert_cmpstr (rows_text (findings, 0, WEFT_FINDINGS_EVIDENCE), ==, "2 lanes");
  g_assert_cmpstr (rows_text (findings, 0, WEFT_FINDINGS_HANDLES), ==, "l-1 l-2");
  g_assert_cmpuint (rows_get (findings, 0, WEFT_FINDINGS_VERDICT), ==, WEFT_VERDICT_GOOD);
}

static void
test_files (Fixture *fixture, gconstpointer data)
{
  g_autofree char *file = g_build_filename (fixture->folder, "let-go.weft", NULL);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  WeftRecordingBuilder *other;
  gboolean done = FALSE;

  g_assert_null (weft_recording_builder_new (fixture->file, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_clear_error (&error);
  g_assert_null (weft_recording_builder_new ("/no/such/folder/x.weft", &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_clear_error (&error);

  other = weft_recording_builder_new (file, &error);
  g_assert_true (g_file_test (file, G_FILE_TEST_EXISTS));
  g_assert_finalize_object (other);
  g_assert_false (g_file_test (file, G_FILE_TEST_EXISTS));

  g_cancellable_cancel (cancellable);
  g_assert_false (weft_recording_builder_finish (fixture->builder, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  weft_recording_builder_finish_async (fixture->builder, NULL, on_finished, &done);
  while (!done)
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (g_file_test (fixture->file, G_FILE_TEST_EXISTS));
}

/* ---- Copies ---- */

static WeftRecording *
open_finished (Fixture *fixture)
{
  g_autoptr (GFile) file = g_file_new_for_path (fixture->file);
  g_autoptr (GError) error = NULL;
  WeftRecording *recording;

  g_assert_true (weft_recording_builder_finish (fixture->builder, NULL, &error));
  g_assert_no_error (error);
  recording = weft_recording_open (file, NULL, &error);
  g_assert_no_error (error);
  return recording;
}

/* Of a table that has rows already, of none, and rows for tables that links were decided for. */
static void
test_copies (Fixture *fixture, gconstpointer data)
{
  static const char *const tables[] = { "runtimes", "lanes", "routines", "dispatches", "blobs" };
  g_autofree char *other = g_strconcat (fixture->file, ".copy", NULL);
  g_autoptr (WeftRecordingBuilder) copy = NULL;
  g_autoptr (WeftRecording) recording = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) refused = NULL;

  add_basics (fixture);
  for (guint i = 0; i < 3; i++)
    add_row (fixture, "dispatches", "{'lane': <1>, 'routine': <1>, 'start': <5>}");
  recording = open_finished (fixture);
  copy = weft_recording_builder_new (other, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    {
      g_assert_true (weft_recording_builder_copy_table (copy, recording, tables[i], &error));
      g_assert_no_error (error);
      if (!g_str_equal (tables[i], "blobs"))
        g_assert_cmpuint (weft_recording_builder_get_n_rows (copy, tables[i]), ==,
                          weft_recording_get_n_rows (recording, tables[i]));
    }

  g_assert_false (weft_recording_builder_copy_table (copy, recording, "lanes", &refused));
  g_assert_error (refused, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_clear_error (&refused);
  g_assert_false (weft_recording_builder_copy_table (copy, recording, "nothing", &refused));
  g_assert_error (refused, WEFT_ERROR, WEFT_ERROR_NO_SUCH_TABLE);
  g_clear_error (&refused);
  g_assert_false (weft_recording_builder_add_dispatch (copy, 1, 1, 0, 1, 0, 0, NULL, &refused));
  g_assert_error (refused, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
  g_clear_error (&refused);
  g_assert_true (weft_recording_builder_add_row (
      copy, "lanes", g_variant_new_parsed ("{'name': <'three'>}"), NULL, &error));
  g_assert_true (weft_recording_builder_finish (copy, NULL, &error));
  g_assert_false (weft_recording_builder_copy_table (copy, recording, "threads", &refused));
  g_assert_error (refused, WEFT_ERROR, WEFT_ERROR_RECORDER);
  g_unlink (other);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/builder/rows", Fixture, NULL, set_up, test_rows, tear_down);
  g_test_add ("/builder/facts", Fixture, NULL, set_up, test_facts, tear_down);
  g_test_add ("/builder/nothing", Fixture, NULL, set_up, test_nothing, tear_down);
  g_test_add ("/builder/many", Fixture, NULL, set_up, test_many, tear_down);
  g_test_add ("/builder/wrong", Fixture, NULL, set_up, test_wrong, tear_down);
  g_test_add ("/builder/garbled", Fixture, NULL, set_up, test_garbled, tear_down);
  g_test_add ("/builder/random", Fixture, NULL, set_up, test_random, tear_down);
  g_test_add ("/builder/values", Fixture, NULL, set_up, test_values, tear_down);
  g_test_add ("/builder/waits-unknown", Fixture, NULL, set_up, test_waits_unknown, tear_down);
  g_test_add ("/builder/end", Fixture, NULL, set_up, test_end, tear_down);
  g_test_add ("/builder/flush", Fixture, NULL, set_up, test_flush, tear_down);
  g_test_add ("/builder/domain", Fixture, NULL, set_up, test_domain, tear_down);
  g_test_add ("/builder/files", Fixture, NULL, set_up, test_files, tear_down);
  g_test_add ("/builder/copies", Fixture, NULL, set_up, test_copies, tear_down);
  return g_test_run ();
}
