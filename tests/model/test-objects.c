/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Objects and lists of recordings made by hand. */

#include <math.h>
#include <string.h>

#include "rig.h"

static gpointer
get (WeftList *list, guint position)
{
  return g_list_model_get_item (G_LIST_MODEL (list), position);
}

static guint
count (WeftList *list)
{
  return g_list_model_get_n_items (G_LIST_MODEL (list));
}

static void
assert_value (gpointer object, const char *field, const char *expected)
{
  g_autoptr (GVariant) value = weft_object_get_value (object, field);
  g_autofree char *text = value ? g_variant_print (value, TRUE) : NULL;

  g_assert_cmpstr (text, ==, expected);
}

/* A process, a runtime, two lanes, a routine with a source, one dispatch with all it can have. */
static void
fill_one_of_each (Rig *self)
{
  Model *model = self->model;

  rig_begin_text (self, WEFT_TABLE_PROCESSES, WEFT_PROCESSES_NAME, "program");
  model_set (model, WEFT_PROCESSES_PID, 100);
  model_commit (model);
  rig_begin_text (self, WEFT_TABLE_RUNTIMES, WEFT_RUNTIMES_NAME, "runtime");
  model_set (model, WEFT_RUNTIMES_PROCESS, 1);
  model_set (model, WEFT_RUNTIMES_CLOCK, WEFT_CLOCK_TSC);
  model_commit (model);
  rig_begin_text (self, WEFT_TABLE_LANES, WEFT_LANES_NAME, "one");
  model_set (model, WEFT_LANES_KIND, weft_store_writer_string (model->writer, "test.lane", -1));
  model_set (model, WEFT_LANES_RUNTIME, 1);
  model_commit (model);
  rig_begin_text (self, WEFT_TABLE_LANES, WEFT_LANES_NAME, "two");
  model_set (model, WEFT_LANES_PARENT, 1);
  model_commit (model);
  rig_begin_text (self, WEFT_TABLE_SOURCES, WEFT_SOURCES_PATH, "/a/b.metal");
  model_set (model, WEFT_SOURCES_TEXT, weft_store_writer_blob (model->writer, "hello", 5));
  model_commit (model);
  rig_begin_text (self, WEFT_TABLE_SOURCES, WEFT_SOURCES_PATH, "/elsewhere");
  model_commit (model);
  rig_begin_text (self, WEFT_TABLE_ROUTINES, WEFT_ROUTINES_NAME, "gemm");
  model_set (model, WEFT_ROUTINES_SOURCE, 1);
  model_commit (model);
  model_begin (model, WEFT_TABLE_SOURCE_LINES);
  model_set (model, WEFT_SOURCE_LINES_SOURCE, 1);
  model_set (model, WEFT_SOURCE_LINES_LINE, 7);
  model_commit (model);

  model_begin (model, WEFT_TABLE_DISPATCHES);
  model_set (model, WEFT_DISPATCHES_LANE, 1);
  model_set (model, WEFT_DISPATCHES_ROUTINE, 1);
  model_set (model, WEFT_DISPATCHES_START, (guint64) -500);
  model_set (model, WEFT_DISPATCHES_DURATION, 2000);
  model_set (model, WEFT_DISPATCHES_CHILD_TIME, 300);
  model_set (model, WEFT_DISPATCHES_STATUS, WEFT_STATUS_ERROR);
  model_set (model, WEFT_DISPATCHES_ATTEMPTS, 0);
  model_set (model, WEFT_DISPATCHES_TRACE, 7);
  model_set (model, WEFT_DISPATCHES_SUBMITTED, (guint64) -700);
  model_commit (model);
  model_begin (model, WEFT_TABLE_DISPATCHES);
  model_set (model, WEFT_DISPATCHES_LANE, 2);
  model_set (model, WEFT_DISPATCHES_START, 4000);
  model_commit (model);

  rig_begin_text (self, WEFT_TABLE_TRACES, WEFT_TRACES_NAME, "step");
  model_set (model, WEFT_TRACES_ID, 7);
  model_commit (model);
  rig_begin_text (self, WEFT_TABLE_PHASES, WEFT_PHASES_NAME, "poll");
  model_set (model, WEFT_PHASES_DISPATCH, 1);
  model_set (model, WEFT_PHASES_FLAGS, 2);
  model_commit (model);
}

static void
test_fields (Rig *self, gconstpointer data)
{
  g_autoptr (WeftList) dispatches = NULL;
  g_autoptr (WeftDispatch) dispatch = NULL;
  g_autoptr (WeftDispatch) second = NULL;
  g_autoptr (WeftRoutine) routine = NULL;
  g_autoptr (WeftLane) lane = NULL;
  g_autoptr (WeftQueue) queue = NULL;
  g_autofree char *handle = NULL;

  fill_one_of_each (self);
  rig_finish (self);
  dispatches = weft_recording_get_dispatches (self->recording);
  g_assert_cmpuint (count (dispatches), ==, 2);
  dispatch = get (dispatches, 0);
  second = get (dispatches, 1);
  g_assert_null (get (dispatches, 2));

  handle = weft_object_get_handle (WEFT_OBJECT (dispatch));
  g_assert_cmpstr (handle, ==, "d-1");
  g_assert_cmpint (weft_dispatch_get_start (dispatch), ==, -500);
  g_assert_cmpint (weft_dispatch_get_end (dispatch), ==, 1500);
  g_assert_cmpuint (weft_dispatch_get_self_time (dispatch), ==, 1700);
  g_assert_cmpuint (weft_dispatch_get_queue_delay (dispatch), ==, 200);
  g_assert_cmpint (weft_dispatch_get_status (dispatch), ==, WEFT_STATUS_ERROR);
  g_assert_true (weft_dispatch_has_attempts (dispatch));
  g_assert_cmpuint (weft_dispatch_get_attempts (dispatch), ==, 0);
  g_assert_false (weft_dispatch_has_attempts (second));
  g_assert_false (weft_dispatch_has_queue_delay (second));
  g_assert_null (weft_dispatch_get_label (dispatch));
  lane = weft_dispatch_get_lane (dispatch);
  g_assert_cmpstr (weft_lane_get_name (lane), ==, "one");
  routine = weft_dispatch_get_routine (dispatch);
  g_assert_cmpstr (weft_routine_get_name (routine), ==, "gemm");
  queue = weft_dispatch_get_queue (dispatch);
  g_assert_null (queue);

  assert_value (dispatch, "start", "int64 -500");
  assert_value (dispatch, "duration", "uint64 2000");
  assert_value (dispatch, "status", "'error'");
  assert_value (dispatch, "lane", "'l-1'");
  assert_value (dispatch, "id", "'d-1'");
  assert_value (dispatch, "trace", "'tr-7'");
  assert_value (dispatch, "attempts", "uint64 0");
  assert_value (second, "attempts", NULL);
  assert_value (second, "routine", NULL);
  assert_value (second, "no_such", NULL);
}

static void
test_properties (Rig *self, gconstpointer data)
{
  g_autoptr (WeftObject) dispatch = NULL;
  g_autoptr (WeftLane) lane = NULL;
  g_autoptr (WeftRecording) recording = NULL;
  g_autofree char *handle = NULL;
  g_autofree char *name = NULL;
  WeftStatus status;
  gint64 start;
  guint64 id, duration;

  fill_one_of_each (self);
  rig_finish (self);
  dispatch = weft_recording_find (self->recording, "d-1", NULL);
  g_object_get (dispatch, "id", &id, "handle", &handle, "recording", &recording, "start", &start,
                "duration", &duration, "status", &status, "lane", &lane, NULL);
  g_assert_cmpuint (id, ==, 1);
  g_assert_cmpstr (handle, ==, "d-1");
  g_assert_true (recording == self->recording);
  g_assert_cmpint (start, ==, -500);
  g_assert_cmpuint (duration, ==, 2000);
  g_assert_cmpint (status, ==, WEFT_STATUS_ERROR);
  g_object_get (lane, "name", &name, NULL);
  g_assert_cmpstr (name, ==, "one");
}

/* Every property of every class can be read, of rows that have it and of rows that do not. */
static void
test_every_property (Rig *self, gconstpointer data)
{
  static const char *const handles[] = { "p-1",   "rt-1", "l-1", "l-2", "src-1",
                                         "src-2", "r-1",  "d-1", "d-2", "tr-7" };

  fill_one_of_each (self);
  rig_finish (self);
  for (guint i = 0; i < G_N_ELEMENTS (handles); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (WeftObject) object = weft_recording_find (self->recording, handles[i], &error);
      g_autofree GParamSpec **specs = NULL;
      g_auto (GStrv) fields = NULL;
      guint n;

      g_assert_no_error (error);
      g_assert_true (weft_object_check (object, &error));
      specs = g_object_class_list_properties (G_OBJECT_GET_CLASS (object), &n);
      fields = weft_object_list_fields (object);
      g_assert_cmpuint (n, >=, g_strv_length (fields));
      for (guint j = 0; j < n; j++)
        {
          g_auto (GValue) value = G_VALUE_INIT;

          g_object_get_property (G_OBJECT (object), specs[j]->name, &value);
          g_assert_true (G_IS_VALUE (&value));
        }
    }
}

static void
test_children (Rig *self, gconstpointer data)
{
  g_autoptr (WeftObject) dispatch = NULL;
  g_autoptr (WeftObject) lane = NULL;
  g_autoptr (WeftObject) trace = NULL;
  g_autoptr (WeftObject) sub_lane = NULL;
  g_autoptr (WeftPhase) phase = NULL;
  g_autoptr (WeftDispatch) traced = NULL;
  g_autoptr (WeftList) phases = NULL;
  g_autoptr (WeftList) sub_lanes = NULL;
  g_autoptr (WeftList) dispatches = NULL;
  g_autoptr (WeftList) none = NULL;

  fill_one_of_each (self);
  rig_finish (self);
  dispatch = weft_recording_find (self->recording, "d-1", NULL);
  phases = weft_dispatch_get_phases (WEFT_DISPATCH (dispatch));
  g_assert_cmpuint (count (phases), ==, 1);
  g_assert_true (g_list_model_get_item_type (G_LIST_MODEL (phases)) == WEFT_TYPE_PHASE);
  phase = get (phases, 0);
  g_assert_cmpstr (weft_phase_get_name (phase), ==, "poll");
  g_assert_true (weft_phase_get_failed (phase));
  g_assert_false (weft_phase_get_slow (phase));
  none = weft_dispatch_get_attachments (WEFT_DISPATCH (dispatch));
  g_assert_cmpuint (count (none), ==, 0);

  lane = weft_recording_find (self->recording, "l-1", NULL);
  sub_lanes = weft_lane_get_sub_lanes (WEFT_LANE (lane));
  g_assert_cmpuint (count (sub_lanes), ==, 1);
  sub_lane = get (sub_lanes, 0);
  g_assert_cmpstr (weft_lane_get_name (WEFT_LANE (sub_lane)), ==, "two");

  trace = weft_recording_find (self->recording, "tr-7", NULL);
  dispatches = weft_trace_get_dispatches (WEFT_TRACE (trace));
  g_assert_cmpuint (count (dispatches), ==, 1);
  traced = get (dispatches, 0);
  g_assert_true (weft_object_equal (WEFT_OBJECT (traced), dispatch));
  g_assert_cmpuint (weft_object_hash (WEFT_OBJECT (traced)), ==, weft_object_hash (dispatch));
  g_assert_false (weft_object_equal (lane, dispatch));
}

/* Tags and artifacts belong to rows of any table: those of another with the same id are not meant.
 */
static void
test_owned (Rig *self, gconstpointer data)
{
  g_autoptr (WeftObject) dispatch = NULL;
  g_autoptr (WeftObject) owner = NULL;
  g_autoptr (WeftTag) tag = NULL;
  g_autoptr (WeftArtifact) artifact = NULL;
  g_autoptr (WeftArtifact) missing = NULL;
  g_autoptr (WeftList) tags = NULL;
  g_autoptr (WeftList) artifacts = NULL;
  Model *model = self->model;

  fill_one_of_each (self);
  for (guint i = 0; i < 2; i++)
    {
      rig_begin_text (self, WEFT_TABLE_TAGS, WEFT_TAGS_KEY, i == 0 ? "of lane" : "of dispatch");
      model_set (model, WEFT_TAGS_OWNER_TABLE, i == 0 ? WEFT_TABLE_LANES : WEFT_TABLE_DISPATCHES);
      model_set (model, WEFT_TAGS_OWNER, 1);
      model_set (model, WEFT_TAGS_TYPE, WEFT_NUMBER_INT64);
      model_set (model, WEFT_TAGS_BITS, (guint64) -3);
      model_commit (model);
    }
  rig_begin_text (self, WEFT_TABLE_ARTIFACTS, WEFT_ARTIFACTS_LABEL, "capture");
  model_commit (model);
  for (guint i = 1; i <= 2; i++)
    {
      model_begin (model, WEFT_TABLE_ARTIFACT_LINKS);
      model_set (model, WEFT_ARTIFACT_LINKS_ARTIFACT, i); /* there is no second */
      model_set (model, WEFT_ARTIFACT_LINKS_OWNER_TABLE, WEFT_TABLE_DISPATCHES);
      model_set (model, WEFT_ARTIFACT_LINKS_OWNER, 1);
      model_commit (model);
    }
  rig_finish (self);

  dispatch = weft_recording_find (self->recording, "d-1", NULL);
  tags = weft_dispatch_get_tags (WEFT_DISPATCH (dispatch));
  g_assert_cmpuint (count (tags), ==, 1);
  tag = get (tags, 0);
  g_assert_cmpstr (weft_tag_get_key (tag), ==, "of dispatch");
  g_assert_cmpint (weft_tag_get_value_type (tag), ==, WEFT_NUMBER_INT64);
  g_assert_cmpfloat (weft_tag_get_number (tag), ==, -3);
  owner = weft_tag_get_owner (tag);
  g_assert_true (weft_object_equal (owner, dispatch));

  artifacts = weft_dispatch_get_artifacts (WEFT_DISPATCH (dispatch));
  g_assert_true (g_list_model_get_item_type (G_LIST_MODEL (artifacts)) == WEFT_TYPE_ARTIFACT);
  g_assert_cmpuint (count (artifacts), ==, 2);
  artifact = get (artifacts, 0);
  g_assert_cmpstr (weft_artifact_get_label (artifact), ==, "capture");
  missing = get (artifacts, 1);
  g_assert_null (weft_artifact_get_label (missing));
  g_assert_false (weft_object_check (WEFT_OBJECT (missing), NULL));
}

/* The value of a counter is a number by its counter's type; an error is none. */
static void
test_counter_values (Rig *self, gconstpointer data)
{
  static const guint types[] = { WEFT_NUMBER_UINT64, WEFT_NUMBER_INT64, WEFT_NUMBER_DOUBLE };
  const double third = 0.25;
  guint64 bits[] = { 5, (guint64) -6, 0 };
  g_autoptr (WeftList) values = NULL;
  Model *model = self->model;

  memcpy (&bits[2], &third, sizeof third);
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    {
      model_begin (model, WEFT_TABLE_COUNTERS);
      model_set (model, WEFT_COUNTERS_VALUE_TYPE, types[i]);
      model_commit (model);
    }
  for (guint i = 0; i < 6; i++)
    {
      model_begin (model, WEFT_TABLE_COUNTER_VALUES);
      model_set (model, WEFT_COUNTER_VALUES_COUNTER, i % 3 + 1);
      model_set (model, WEFT_COUNTER_VALUES_BITS, bits[i % 3]);
      model_set (model, WEFT_COUNTER_VALUES_IS_ERROR, i >= 3);
      model_commit (model);
    }
  rig_finish (self);
  values = weft_recording_get_counter_values (self->recording);
  for (guint i = 0; i < 6; i++)
    {
      const double expected[] = { 5, -6, 0.25 };
      g_autoptr (WeftCounterValue) value = get (values, i);

      g_assert_cmpint (weft_counter_value_get_is_error (value), ==, i >= 3);
      g_assert_cmpint (weft_counter_value_has_number (value), ==, i < 3);
      if (i < 3)
        g_assert_cmpfloat (weft_counter_value_get_number (value), ==, expected[i]);
      else
        g_assert_true (isnan (weft_counter_value_get_number (value)));
    }
}

static void
test_source_text (Rig *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) text = NULL;
  g_autoptr (GBytes) again = NULL;
  g_autoptr (WeftObject) source = NULL;

  fill_one_of_each (self);
  rig_finish (self);
  text = weft_recording_get_source_text (self->recording, 1, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (text, NULL), g_bytes_get_size (text), "hello", 5);
  source = weft_recording_find (self->recording, "src-1", NULL);
  again = weft_source_get_text (WEFT_SOURCE (source), NULL);
  g_assert_true (g_bytes_equal (text, again));

  g_assert_null (weft_recording_get_source_text (self->recording, 2, &error));
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_NO_SUCH_OBJECT);
  g_assert_nonnull (strstr (error->message, "does not hold this text"));
  g_clear_error (&error);
  g_assert_null (weft_recording_get_source_text (self->recording, 99, &error));
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_NO_SUCH_OBJECT);
}

static void
test_find (Rig *self, gconstpointer data)
{
  static const char *const malformed[] = {
    "",     "d",      "d-",   "-1", "d-0", "d--1", "d-1x", "D-1", "x-1", "d-18446744073709551616",
    " d-1", "blob-1", "d-1\n"
  };
  static const char *const missing[] = { "d-3", "q-1", "d-18446744073709551615", "tr-1" };

  fill_one_of_each (self);
  rig_finish (self);
  for (guint i = 0; i < G_N_ELEMENTS (malformed); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (weft_recording_find (self->recording, malformed[i], &error));
      g_assert_error (error, WEFT_ERROR, WEFT_ERROR_NO_SUCH_OBJECT);
      g_assert_nonnull (strstr (error->message, "d-1 (dispatches)"));
    }
  for (guint i = 0; i < G_N_ELEMENTS (missing); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (weft_recording_find (self->recording, missing[i], &error));
      g_assert_error (error, WEFT_ERROR, WEFT_ERROR_NO_SUCH_OBJECT);
      g_assert_nonnull (strstr (error->message, missing[i]));
    }
}

/* Sorted chunks of several lanes: lists are in the order of arrival all the same. */
static void
test_order (Rig *self, gconstpointer data)
{
  const ModelShape shape = { .n_rows = 200000, .n_lanes = 7, .n_routines = 5, .extras = TRUE };
  g_autoptr (WeftList) all = NULL;
  g_autoptr (WeftList) of_lane = NULL;
  g_autoptr (WeftLane) lane = NULL;
  guint64 previous = 0;
  guint n_of_lane = 0;

  for (guint i = 0; i < 8; i++)
    {
      rig_begin_text (self, WEFT_TABLE_LANES, WEFT_LANES_NAME, "lane");
      model_commit (self->model);
    }
  model_fill (self->model, &shape, 11);
  rig_finish (self);
  all = weft_recording_get_dispatches (self->recording);
  g_assert_cmpuint (count (all), ==, shape.n_rows);
  for (guint i = 0; i < shape.n_rows; i += 97)
    {
      g_autoptr (WeftDispatch) dispatch = get (all, i);

      g_assert_cmpuint (weft_object_get_id (WEFT_OBJECT (dispatch)), ==, i + 1);
      g_assert_cmpint (weft_dispatch_get_start (dispatch), ==,
                       (gint64) model_value (self->model, WEFT_DISPATCHES_START, i + 1));
    }

  lane = (WeftLane *) weft_recording_find (self->recording, "l-3", NULL);
  of_lane = weft_lane_get_dispatches (lane);
  for (guint i = 1; i <= shape.n_rows; i++)
    n_of_lane += model_value (self->model, WEFT_DISPATCHES_LANE, i) == 3;
  g_assert_cmpuint (n_of_lane, >, 1000);
  g_assert_cmpuint (count (of_lane), ==, n_of_lane);
  for (guint i = 0; i < n_of_lane; i += 13)
    {
      g_autoptr (WeftDispatch) dispatch = get (of_lane, i);
      guint64 id = weft_object_get_id (WEFT_OBJECT (dispatch));

      g_assert_cmpuint (id, >, previous);
      g_assert_cmpuint (model_value (self->model, WEFT_DISPATCHES_LANE, id), ==, 3);
      previous = id;
    }
}

typedef struct
{
  guint n_signals;
  guint position;
  guint removed;
  guint added;
} Changes;

static void
on_items_changed (GListModel *list, guint position, guint removed, guint added, Changes *changes)
{
  changes->n_signals++;
  changes->position = position;
  changes->removed = removed;
  changes->added = added;
}

/* Journals, which sealed chunks replace, while lists and objects of before are held. */
static void
test_growing (Rig *self, gconstpointer data)
{
  const ModelShape first = { .n_rows = 1000, .n_lanes = 3, .n_routines = 2 };
  const ModelShape second = { .n_rows = 150000, .n_lanes = 3, .n_routines = 2 };
  g_autoptr (WeftList) all = NULL;
  g_autoptr (WeftList) of_lane = NULL;
  g_autoptr (WeftLane) lane = NULL;
  g_autoptr (WeftDispatch) early = NULL;
  g_autoptr (GError) error = NULL;
  Changes changes = { 0 };
  guint n_of_lane;
  gint64 start;

  rig_begin_text (self, WEFT_TABLE_LANES, WEFT_LANES_NAME, "lane");
  model_commit (self->model);
  model_fill (self->model, &first, 1);
  rig_open (self);
  g_assert_cmpint (weft_recording_get_state (self->recording), ==, WEFT_RECORDING_UNFINISHED);
  g_assert_true (weft_recording_get_live (self->recording));
  all = weft_recording_get_dispatches (self->recording);
  lane = (WeftLane *) weft_recording_find (self->recording, "l-1", NULL);
  of_lane = weft_lane_get_dispatches (lane);
  g_assert_cmpuint (count (all), ==, first.n_rows);
  n_of_lane = count (of_lane);
  early = get (all, 499);
  start = weft_dispatch_get_start (early);
  g_signal_connect (all, "items-changed", G_CALLBACK (on_items_changed), &changes);

  g_assert_true (weft_recording_refresh (self->recording, NULL, NULL));
  g_assert_cmpuint (changes.n_signals, ==, 0);
  model_fill (self->model, &second, 2);
  rig_finish (self);
  g_assert_true (weft_recording_refresh (self->recording, NULL, &error));
  g_assert_no_error (error);

  g_assert_cmpint (weft_recording_get_state (self->recording), ==, WEFT_RECORDING_COMPLETE);
  g_assert_false (weft_recording_get_live (self->recording));
  g_assert_cmpuint (changes.n_signals, ==, 1);
  g_assert_cmpuint (changes.position, ==, first.n_rows);
  g_assert_cmpuint (changes.removed, ==, 0);
  g_assert_cmpuint (changes.added, ==, second.n_rows);
  g_assert_cmpuint (count (all), ==, first.n_rows + second.n_rows);
  g_assert_cmpuint (count (of_lane), >, n_of_lane);
  g_assert_cmpint (weft_dispatch_get_start (early), ==, start);
  g_assert_cmpuint (weft_object_get_id (WEFT_OBJECT (early)), ==, 500);
}

/* All properties and values of all objects; how many there were. */
static guint
walk_everything (WeftRecording *recording)
{
  guint n_objects = 0;

  for (guint table = 0; table < WEFT_N_TABLES; table++)
    {
      g_autoptr (WeftList) list =
          weft_recording_get_objects (recording, weft_schema_table (table)->name, NULL);

      for (guint i = 0; list != NULL && i < count (list); i++, n_objects++)
        {
          g_autoptr (WeftObject) object = get (list, i);
          g_auto (GStrv) fields = weft_object_list_fields (object);
          g_autofree GParamSpec **specs = NULL;
          guint n;

          g_assert_cmpuint (weft_object_get_id (object), >, 0);
          for (guint j = 0; fields[j] != NULL; j++)
            {
              GVariant *value = weft_object_get_value (object, fields[j]);

              g_clear_pointer (&value, g_variant_unref);
            }
          specs = g_object_class_list_properties (G_OBJECT_GET_CLASS (object), &n);
          for (guint j = 0; j < n; j++)
            {
              g_auto (GValue) value = G_VALUE_INIT;

              g_object_get_property (G_OBJECT (object), specs[j]->name, &value);
            }
        }
    }
  return n_objects;
}

static void
test_objects_by_name (Rig *self, gconstpointer data)
{
  g_autoptr (WeftList) lanes = NULL;
  g_autoptr (GError) error = NULL;

  fill_one_of_each (self);
  rig_finish (self);
  lanes = weft_recording_get_objects (self->recording, "lanes", &error);
  g_assert_no_error (error);
  g_assert_cmpuint (count (lanes), ==, 2);
  g_assert_cmpuint (walk_everything (self->recording), ==, 12);
  g_assert_null (weft_recording_get_objects (self->recording, "meta", &error));
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_NO_SUCH_TABLE);
  g_assert_nonnull (strstr (error->message, "dispatches"));
}

/* Numbers that make no sense, in every column of every table. */
static void
test_nonsense (Rig *self, gconstpointer data)
{
  static const guint64 values[] = { G_MAXUINT64, 77,         G_MAXUINT32,
                                    1,           G_MAXINT64, (guint64) G_MININT64 };
  WeftColumnNumber column = 0;

  for (guint table = 0; table < WEFT_N_TABLES; table++)
    {
      const WeftTableSpec *spec = weft_schema_table (table);
      WeftColumnNumber first = column + 1;

      column += spec->n_columns + 1;
      for (guint row = 0; row < G_N_ELEMENTS (values); row++)
        {
          if (table == WEFT_TABLE_BLOBS)
            continue; /* the writer's own */
          model_begin (self->model, table);
          for (guint i = 0; i < spec->n_columns; i++)
            if (!(spec->columns[i].flags & (WEFT_COLUMN_KEY | WEFT_COLUMN_DERIVED)))
              model_set (self->model, first + i, values[(row + i) % G_N_ELEMENTS (values)]);
          model_commit (self->model);
        }
    }
  rig_finish (self);
  g_assert_cmpuint (walk_everything (self->recording), >, 100);
  g_assert_cmpint (weft_recording_get_duration (self->recording), >=, 0);
}

/* Bytes that were changed on the disk: objects say less, and nothing worse happens. */
static void
test_corruptions (Rig *self, gconstpointer data)
{
  g_autofree char *path = g_build_filename (self->directory, "corrupt", NULL);
  g_autofree char *contents = NULL;
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GRand) random = g_rand_new_with_seed (4711);
  guint n_opened = 0, n_whole;
  gsize length;

  fill_one_of_each (self);
  rig_finish (self);
  n_whole = walk_everything (self->recording);
  g_assert_true (g_file_get_contents (self->model->path, &contents, &length, NULL));
  for (guint i = 0; i < 300; i++)
    {
      g_autofree char *changed = g_memdup2 (contents, length);
      g_autoptr (WeftRecording) recording = NULL;

      for (guint n = g_rand_int_range (random, 1, 5); n > 0; n--)
        changed[g_rand_int_range (random, 0, (gint32) length)] ^=
            (char) g_rand_int_range (random, 1, 256);
      g_assert_true (g_file_set_contents (path, changed, (gssize) length, NULL));
      recording = weft_recording_open (file, NULL, NULL);
      if (recording == NULL)
        continue;
      n_opened++;
      g_assert_cmpuint (walk_everything (recording), <=, n_whole);
    }
  g_assert_cmpuint (n_opened, >, 50);
}

#define CASE(path, function) g_test_add (path, Rig, NULL, rig_set_up, function, rig_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  CASE ("/model/objects/fields", test_fields);
  CASE ("/model/objects/properties", test_properties);
  CASE ("/model/objects/every-property", test_every_property);
  CASE ("/model/objects/children", test_children);
  CASE ("/model/objects/owned", test_owned);
  CASE ("/model/objects/counter-values", test_counter_values);
  CASE ("/model/objects/source-text", test_source_text);
  CASE ("/model/objects/find", test_find);
  CASE ("/model/objects/by-name", test_objects_by_name);
  CASE ("/model/objects/nonsense", test_nonsense);
  CASE ("/model/objects/corruptions", test_corruptions);
  CASE ("/model/objects/order", test_order);
  CASE ("/model/objects/growing", test_growing);

  return g_test_run ();
}
