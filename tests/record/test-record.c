/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From the library's calls to rows in the file. */

#include "record-rig.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "hand-producer.h"
#include "weft-enums.h"
#include "weft-ingest.h"
#include "weft-process-info.h"
#include "weft-producer-source.h"

static WeftStore *
record_once (const char *arguments, char **output)
{
  Rig *rig = rig_new ();
  g_autofree char *text = NULL;
  WeftStore *store;

  rig_start (rig);
  g_assert_cmpint (rig_wait (rig_produce (rig->runtime, arguments), &text, NULL), ==, 0);
  store = rig_stop (rig);
  rig_free (rig);
  if (output != NULL)
    *output = g_steal_pointer (&text);
  return store;
}

/* ---- Counts ---- */

static void
test_plain (void)
{
  g_autofree char *output = NULL;
  g_autoptr (WeftStore) store = record_once (
      "threads=4 lanes=3 spans=5000 dispatches=500 reserve=100 nest=9 wait=1", &output);
  RigCounts counts;

  rig_check_lanes (store, output);
  rig_counts (store, NULL, &counts);
  g_assert_cmpuint (counts.lost + counts.rejected + counts.pending, ==, 0);
  g_assert_cmpuint (rig_number (output, "dropped"), ==, 0);
}

static void
test_pending (void)
{
  g_autofree char *output = NULL;
  g_autoptr (WeftStore) store = record_once ("threads=2 reserve=10 pending=25 wait=1", &output);
  RigCounts counts;

  rig_counts (store, "lane-0", &counts);
  g_assert_cmpuint (counts.completed, ==, 20);
  g_assert_cmpuint (counts.pending, ==, 50);
}

static void
test_sampling (void)
{
  g_autofree char *output = NULL;
  g_autoptr (WeftStore) store =
      record_once ("spans=4000 dispatches=1000 sampling=25 wait=1", &output);
  RigCounts counts;

  rig_counts (store, "lane-0", &counts);
  g_assert_cmpuint (counts.submitted, ==, 5000);
  g_assert_cmpuint (counts.lost + counts.rejected, ==, 0);
  g_assert_cmpuint (counts.sampled_out, >, 3300);
  g_assert_cmpuint (counts.sampled_out, <, 4200);
}

static void
test_nesting (void)
{
  g_autoptr (WeftStore) store = record_once ("nest=5 wait=1", NULL);
  g_autoptr (Rows) rows = rows_read (store, WEFT_TABLE_DISPATCHES);
  guint64 self = 0, outer = 0;

  for (guint64 i = 0; i < rows->n; i++)
    {
      guint64 depth = rows_get (rows, i, WEFT_DISPATCHES_DEPTH);
      guint64 duration = rows_get (rows, i, WEFT_DISPATCHES_DURATION);

      if (depth == 0)
        continue;
      g_assert_cmpuint (depth, <=, 5);
      g_assert_cmpuint (rows_get (rows, i, WEFT_DISPATCHES_CHILD_TIME), <=, duration);
      self += duration - rows_get (rows, i, WEFT_DISPATCHES_CHILD_TIME);
      if (depth == 1)
        outer = duration;
    }
  g_assert_cmpuint (outer, >, 0);
  g_assert_cmpuint (self, ==, outer);
}

/* ---- Everything that a dispatch carries ---- */

static guint64
number_after (const char *text, const char *key)
{
  const char *at = strstr (text, key);

  g_assert_nonnull (at);
  return g_ascii_strtoull (at + strlen (key), NULL, 10);
}

#define assert_text(rows, row, column, text)                                                       \
  g_assert_cmpstr (rows_text ((rows), (row), (column)), ==, (text))
#define assert_value(rows, row, column, value)                                                     \
  g_assert_cmpuint (rows_get ((rows), (row), (column)), ==, (guint64) (value))

static void
check_full_dispatch (const Rows *d, guint64 i, const char *output)
{
  guint64 duration = rows_get (d, i, WEFT_DISPATCHES_DURATION);
  guint64 said = number_after (output, " duration=");

  assert_value (d, i, WEFT_DISPATCHES_PRODUCER_ID, number_after (output, "FULL id="));
  g_assert_cmpuint (duration, >=, 1000000);
  g_assert_cmpuint (MAX (duration, said) - MIN (duration, said), <, 20000);
  g_assert_cmpuint (rows_get (d, i, WEFT_DISPATCHES_SUBMISSION), !=, 0);
  g_assert_cmpuint (rows_get (d, i, WEFT_DISPATCHES_QUEUE), ==, 1);
  g_assert_cmpuint (rows_get (d, i, WEFT_DISPATCHES_TRACE), !=, 0);
  assert_value (d, i, WEFT_DISPATCHES_STATUS, WEFT_WIRE_STATUS_ERROR);
  assert_value (d, i, WEFT_DISPATCHES_ERROR_KIND, WEFT_WIRE_ERROR_TIMEOUT);
  g_assert_true (rows_has (d, i, WEFT_DISPATCHES_ATTEMPTS));
  assert_value (d, i, WEFT_DISPATCHES_ATTEMPTS, 3);
  assert_value (d, i, WEFT_DISPATCHES_QUEUE_WAIT, 5000);
  assert_value (d, i, WEFT_DISPATCHES_QUEUE_WAIT_LAST, 1200);
  g_assert_true (rows_has (d, i, WEFT_DISPATCHES_SUBMITTED));
  g_assert_cmpint ((gint64) rows_get (d, i, WEFT_DISPATCHES_SUBMITTED), <=,
                   (gint64) rows_get (d, i, WEFT_DISPATCHES_START));
  assert_text (d, i, WEFT_DISPATCHES_LABEL, "the big one");
  g_assert_cmpuint (rows_get (d, i, WEFT_DISPATCHES_SOURCE), !=, 0);
  assert_value (d, i, WEFT_DISPATCHES_FIRST_LINE, 11);
  assert_value (d, i, WEFT_DISPATCHES_LAST_LINE, 12);
  assert_value (d, i, WEFT_DISPATCHES_MARKS, 0);
  /* Its second wait has no begin. */
  assert_value (d, i, WEFT_DISPATCHES_CLASSIFICATION, WEFT_CLASSIFICATION_UNKNOWN);
  assert_value (d, i, WEFT_DISPATCHES_CLASSIFICATION_REASON, WEFT_CLASSIFICATION_REASON_HALF_WAIT);
}

static void
check_phases (WeftStore *store, guint64 dispatch)
{
  g_autoptr (Rows) p = rows_read (store, WEFT_TABLE_PHASES);
  g_autoptr (Rows) e = rows_read (store, WEFT_TABLE_ERRORS);

  g_assert_cmpuint (p->n, ==, 2);
  for (guint i = 0; i < 2; i++)
    assert_value (p, i, WEFT_PHASES_DISPATCH, dispatch);
  assert_text (p, 0, WEFT_PHASES_NAME, "parse");
  assert_value (p, 0, WEFT_PHASES_DURATION, 100);
  assert_value (p, 0, WEFT_PHASES_ERROR, 0);
  assert_text (p, 1, WEFT_PHASES_NAME, "decode");
  assert_value (p, 1, WEFT_PHASES_OFFSET, 100);
  assert_value (p, 1, WEFT_PHASES_DURATION, 900);
  assert_value (p, 1, WEFT_PHASES_FLAGS, WEFT_WIRE_PHASE_SLOW | WEFT_WIRE_PHASE_ERROR);
  {
    guint64 row = rows_find (e, WEFT_ERRORS_ID, rows_get (p, 1, WEFT_PHASES_ERROR), 0);

    assert_text (e, row, WEFT_ERRORS_MESSAGE, "bad frame");
  }
}

static void
check_error (WeftStore *store, guint64 id)
{
  g_autoptr (Rows) e = rows_read (store, WEFT_TABLE_ERRORS);
  guint64 row = rows_find (e, WEFT_ERRORS_ID, id, 0);

  assert_text (e, row, WEFT_ERRORS_NAME, "Timeout");
  assert_text (e, row, WEFT_ERRORS_MESSAGE, "took too long");
  assert_text (e, row, WEFT_ERRORS_STACK, "at gemm\nat main");
  assert_text (e, row, WEFT_ERRORS_CAUSE, "the fan");
}

static void
check_origins (WeftStore *store, guint64 dispatch, guint64 submission, const char *output)
{
  g_autoptr (Rows) o = rows_read (store, WEFT_TABLE_ORIGINS);
  g_autoptr (Rows) s = rows_read (store, WEFT_TABLE_STACKS);
  g_autoptr (Rows) t = rows_read (store, WEFT_TABLE_THREADS);
  guint roles[5] = { 0 }, of_submission = 0;

  for (guint64 i = 0; i < o->n; i++)
    {
      guint64 role = rows_get (o, i, WEFT_ORIGINS_ROLE);
      guint64 thread = rows_find (t, WEFT_THREADS_ID, rows_get (o, i, WEFT_ORIGINS_THREAD), 0);

      assert_value (o, i, WEFT_ORIGINS_TID, number_after (output, " tid="));
      assert_value (t, thread, WEFT_THREADS_TID, number_after (output, " tid="));
      assert_value (o, i, WEFT_ORIGINS_LINK_STATUS,
                    rows_get (o, i, WEFT_ORIGINS_STACK) != 0 ? WEFT_LINK_STATUS_LINKED_EXACT
                                                             : WEFT_LINK_STATUS_NO_STACK);
      assert_value (o, i, WEFT_ORIGINS_LINK_SAMPLE, 0);
      if (rows_get (o, i, WEFT_ORIGINS_DISPATCH) == dispatch)
        roles[role]++;
      else
        of_submission += rows_get (o, i, WEFT_ORIGINS_SUBMISSION) == submission;
      if (role == WEFT_WIRE_ROLE_DISPATCH)
        {
          guint64 stack = rows_find (s, WEFT_STACKS_ID, rows_get (o, i, WEFT_ORIGINS_STACK), 0);

          g_assert_cmpuint (stack, !=, G_MAXUINT64);
          g_assert_cmpuint (rows_get (s, stack, WEFT_STACKS_COPIED), >, 64);
          assert_value (s, stack, WEFT_STACKS_TIME, rows_get (o, i, WEFT_ORIGINS_TIME));
        }
    }
  g_assert_cmpuint (roles[WEFT_WIRE_ROLE_DISPATCH], ==, 1);
  g_assert_cmpuint (roles[WEFT_WIRE_ROLE_WAIT_BEGIN], ==, 1);
  g_assert_cmpuint (roles[WEFT_WIRE_ROLE_WAIT_END], ==, 2);
  g_assert_cmpuint (roles[WEFT_WIRE_ROLE_COMPLETION], ==, 1);
  g_assert_cmpuint (roles[WEFT_WIRE_ROLE_FAULT], ==, 1);
  g_assert_cmpuint (of_submission, ==, 1);
}

static void
check_attachments (WeftStore *store, guint64 dispatch)
{
  g_autoptr (Rows) a = rows_read (store, WEFT_TABLE_ATTACHMENTS);
  g_autoptr (Rows) r = rows_read (store, WEFT_TABLE_ATTACHMENT_RANGES);

  g_assert_cmpuint (a->n, ==, 2);
  assert_value (a, 0, WEFT_ATTACHMENTS_DISPATCH, dispatch);
  assert_text (a, 0, WEFT_ATTACHMENTS_KIND, "tensor");
  assert_text (a, 0, WEFT_ATTACHMENTS_LABEL, "weights");
  assert_text (a, 0, WEFT_ATTACHMENTS_ROLE, "input");
  assert_text (a, 0, WEFT_ATTACHMENTS_ELEMENT_TYPE, "f16");
  assert_text (a, 0, WEFT_ATTACHMENTS_SHAPE, "8x128");
  assert_value (a, 0, WEFT_ATTACHMENTS_SLOT, 3);
  assert_value (a, 0, WEFT_ATTACHMENTS_OFFSET, 4096);
  assert_value (a, 0, WEFT_ATTACHMENTS_SIZE, 65536);
  assert_value (a, 0, WEFT_ATTACHMENTS_ACCESS, WEFT_WIRE_ACCESS_READ);
  assert_value (a, 0, WEFT_ATTACHMENTS_PRIVACY, WEFT_WIRE_PRIVACY_METADATA);
  assert_text (a, 1, WEFT_ATTACHMENTS_LABEL, "");
  g_assert_false (rows_has (a, 1, WEFT_ATTACHMENTS_SLOT));
  g_assert_false (rows_has (a, 1, WEFT_ATTACHMENTS_SIZE));
  assert_value (a, 1, WEFT_ATTACHMENTS_ACCESS, WEFT_WIRE_ACCESS_READ_WRITE);
  assert_value (a, 1, WEFT_ATTACHMENTS_PRIVACY, WEFT_WIRE_PRIVACY_REDACTED);

  g_assert_cmpuint (r->n, ==, 2);
  assert_value (r, 0, WEFT_ATTACHMENT_RANGES_ATTACHMENT, rows_get (a, 0, WEFT_ATTACHMENTS_ID));
  assert_text (r, 0, WEFT_ATTACHMENT_RANGES_NAME, "layer");
  g_assert_cmpint ((gint64) rows_get (r, 0, WEFT_ATTACHMENT_RANGES_FIRST), ==, -2);
  assert_value (r, 0, WEFT_ATTACHMENT_RANGES_COUNT, 5);
  assert_text (r, 1, WEFT_ATTACHMENT_RANGES_NAME, "head");
}

static void
check_counter_sets (WeftStore *store)
{
  static const char *const names[] = { "present", "disabled", "unsupported", "failing" };
  g_autoptr (Rows) sets = rows_read (store, WEFT_TABLE_COUNTER_SETS);
  g_autoptr (Rows) states = rows_read (store, WEFT_TABLE_COUNTER_SET_STATES);
  g_autoptr (Rows) c = rows_read (store, WEFT_TABLE_COUNTERS);

  g_assert_cmpuint (sets->n, ==, 4);
  g_assert_cmpuint (states->n, ==, 5);
  g_assert_cmpuint (c->n, ==, 12);
  for (guint i = 0; i < 4; i++)
    {
      assert_text (sets, i, WEFT_COUNTER_SETS_NAME, names[i]);
      assert_value (states, i, WEFT_COUNTER_SET_STATES_AVAILABILITY, i);
      assert_text (states, i, WEFT_COUNTER_SET_STATES_REASON, i ? "because" : "");
      assert_text (states, i, WEFT_COUNTER_SET_STATES_PROBE, "tried");
      assert_text (states, i, WEFT_COUNTER_SET_STATES_OVERHEAD_TEXT, "little");
      g_assert_cmpint (rows_has (states, i, WEFT_COUNTER_SET_STATES_OVERHEAD), ==, i == 0);
    }
  assert_value (states, 0, WEFT_COUNTER_SET_STATES_OVERHEAD, 250);
  assert_value (states, 4, WEFT_COUNTER_SET_STATES_SET, rows_get (sets, 3, WEFT_COUNTER_SETS_ID));
  assert_value (states, 4, WEFT_COUNTER_SET_STATES_AVAILABILITY, WEFT_WIRE_PRESENT);
  assert_text (c, 2, WEFT_COUNTERS_NAME, "load");
  assert_text (c, 2, WEFT_COUNTERS_UNIT_NAME, "loads");
  assert_value (c, 2, WEFT_COUNTERS_POSITION, 2);
  assert_value (c, 2, WEFT_COUNTERS_UNIT, WEFT_WIRE_UNIT_NAMED);
  assert_value (c, 2, WEFT_COUNTERS_KIND, WEFT_WIRE_KIND_HISTOGRAM);
  assert_value (c, 2, WEFT_COUNTERS_AGGREGATION, WEFT_WIRE_AGGREGATE_MEAN);
  assert_value (c, 2, WEFT_COUNTERS_VALUE_TYPE, WEFT_WIRE_VALUE_F64);
}

static void
check_counter_samples (WeftStore *store, guint64 dispatch)
{
  g_autoptr (Rows) s = rows_read (store, WEFT_TABLE_COUNTER_SAMPLES);
  g_autoptr (Rows) v = rows_read (store, WEFT_TABLE_COUNTER_VALUES);

  g_assert_cmpuint (s->n, ==, 3);
  g_assert_cmpuint (v->n, ==, 9);
  for (guint i = 0; i < 3; i++)
    assert_value (s, i, WEFT_COUNTER_SAMPLES_DISPATCH, dispatch);
  assert_value (s, 0, WEFT_COUNTER_SAMPLES_POINT, WEFT_WIRE_POINT_NAMED);
  assert_text (s, 0, WEFT_COUNTER_SAMPLES_POINT_NAME, "mid");
  g_assert_true (rows_has (s, 0, WEFT_COUNTER_SAMPLES_TIME));
  assert_value (s, 1, WEFT_COUNTER_SAMPLES_POINT, WEFT_WIRE_POINT_AFTER_DISPATCH);
  g_assert_false (rows_has (s, 1, WEFT_COUNTER_SAMPLES_TIME));
  assert_value (v, 0, WEFT_COUNTER_VALUES_BITS, 99);
  g_assert_cmpint ((gint64) rows_get (v, 1, WEFT_COUNTER_VALUES_BITS), ==, -5);
  assert_value (v, 1, WEFT_COUNTER_VALUES_IS_ERROR, 0);
  assert_value (v, 2, WEFT_COUNTER_VALUES_IS_ERROR, 1);
}

static void
check_tags (WeftStore *store, guint64 dispatch)
{
  static const char *const keys[] = { "u", "i", "f", "b", "s" };
  static const double half = 0.5;
  guint64 bits[5] = { G_MAXUINT64, G_MAXUINT64, 0, 1, 0 };
  g_autoptr (Rows) t = rows_read (store, WEFT_TABLE_TAGS);
  guint found = 0, of_lane = 0, of_submission = 0;

  memcpy (&bits[2], &half, sizeof half);
  for (guint64 i = 0; i < t->n; i++)
    {
      of_lane += rows_get (t, i, WEFT_TAGS_OWNER_TABLE) == WEFT_TABLE_LANES;
      of_submission += rows_get (t, i, WEFT_TAGS_OWNER_TABLE) == WEFT_TABLE_SUBMISSIONS;
      if (rows_get (t, i, WEFT_TAGS_OWNER_TABLE) != WEFT_TABLE_DISPATCHES)
        continue;
      g_assert_cmpuint (found, <, 5);
      assert_value (t, i, WEFT_TAGS_OWNER, dispatch);
      assert_text (t, i, WEFT_TAGS_KEY, keys[found]);
      assert_value (t, i, WEFT_TAGS_TYPE, found);
      assert_value (t, i, WEFT_TAGS_BITS, bits[found]);
      assert_text (t, i, WEFT_TAGS_TEXT, found == 4 ? "text" : "");
      found++;
    }
  g_assert_cmpuint (found, ==, 5);
  g_assert_cmpuint (of_lane, ==, 1);
  g_assert_cmpuint (of_submission, ==, 1);
}

static void
check_source (WeftStore *store, guint64 id)
{
  static const char text[] = "kernel void gemm () {\n  /* \xc3\xbc */\n}\n";
  g_autoptr (Rows) s = rows_read (store, WEFT_TABLE_SOURCES);
  g_autoptr (Rows) lines = rows_read (store, WEFT_TABLE_SOURCE_LINES);
  g_autoptr (Rows) ranges = rows_read (store, WEFT_TABLE_SOURCE_RANGES);
  g_autoptr (Rows) routines = rows_read (store, WEFT_TABLE_ROUTINES);
  guint64 row = rows_find (s, WEFT_SOURCES_ID, id, 0);
  guint64 gemm = rows_find_text (routines, WEFT_ROUTINES_NAME, "gemm", 0);
  g_autoptr (GBytes) blob =
      weft_store_get_blob (store, (guint32) rows_get (s, row, WEFT_SOURCES_TEXT), NULL);

  assert_text (s, row, WEFT_SOURCES_LANGUAGE, "metal");
  assert_text (s, row, WEFT_SOURCES_PATH, "/src/gemm.metal");
  assert_text (s, row, WEFT_SOURCES_FLAVOUR, "release");
  assert_text (s, row, WEFT_SOURCES_BUILD_FLAGS, "-O3 -ffast");
  g_assert_nonnull (blob);
  g_assert_cmpmem (g_bytes_get_data (blob, NULL), g_bytes_get_size (blob), text, sizeof text - 1);
  g_assert_cmpuint (lines->n, ==, 3);
  assert_value (lines, 2, WEFT_SOURCE_LINES_OFFSET, 96);
  assert_value (lines, 2, WEFT_SOURCE_LINES_LINE, 7);
  assert_value (lines, 1, WEFT_SOURCE_LINES_COLUMN, 5);
  g_assert_cmpuint (ranges->n, ==, 1);
  assert_value (ranges, 0, WEFT_SOURCE_RANGES_ROUTINE, rows_get (routines, gemm, WEFT_ROUTINES_ID));
  assert_value (ranges, 0, WEFT_SOURCE_RANGES_LAST_LINE, 3);
  assert_text (routines, gemm, WEFT_ROUTINES_LABEL, "GEMM \xc3\xbc");
  assert_text (routines, gemm, WEFT_ROUTINES_FLAVOUR, "f16");
  assert_value (routines, gemm, WEFT_ROUTINES_SOURCE, id);
}

static void
check_rest (WeftStore *store, guint64 dispatch, guint64 submission)
{
  g_autoptr (Rows) a = rows_read (store, WEFT_TABLE_ARTIFACTS);
  g_autoptr (Rows) links = rows_read (store, WEFT_TABLE_ARTIFACT_LINKS);
  g_autoptr (Rows) events = rows_read (store, WEFT_TABLE_SUBMISSION_EVENTS);
  g_autoptr (Rows) traces = rows_read (store, WEFT_TABLE_TRACES);
  g_autoptr (Rows) queues = rows_read (store, WEFT_TABLE_QUEUES);

  g_assert_cmpuint (a->n, ==, 1);
  assert_text (a, 0, WEFT_ARTIFACTS_KIND, "capture");
  assert_text (a, 0, WEFT_ARTIFACTS_PATH, "/tmp/x.gputrace");
  assert_text (a, 0, WEFT_ARTIFACTS_LABEL, "one frame");
  assert_value (a, 0, WEFT_ARTIFACTS_SIZE, 12345);
  g_assert_cmpuint (links->n, ==, 2);
  assert_value (links, 0, WEFT_ARTIFACT_LINKS_OWNER_TABLE, WEFT_TABLE_ROUTINES);
  assert_value (links, 1, WEFT_ARTIFACT_LINKS_OWNER_TABLE, WEFT_TABLE_DISPATCHES);
  assert_value (links, 1, WEFT_ARTIFACT_LINKS_OWNER, dispatch);
  assert_text (queues, 0, WEFT_QUEUES_NAME, "queue-a");
  g_assert_cmpuint (events->n, ==, 2);
  for (guint i = 0; i < 2; i++)
    assert_value (events, i, WEFT_SUBMISSION_EVENTS_SUBMISSION, submission);
  assert_value (events, 0, WEFT_SUBMISSION_EVENTS_KIND, WEFT_WIRE_SUBMISSION_COMMIT);
  assert_value (events, 1, WEFT_SUBMISSION_EVENTS_KIND, WEFT_WIRE_SUBMISSION_FAULT);
  assert_value (events, 1, WEFT_SUBMISSION_EVENTS_STATUS, WEFT_WIRE_STATUS_ERROR);
  check_error (store, rows_get (events, 1, WEFT_SUBMISSION_EVENTS_ERROR));
  g_assert_cmpuint (traces->n, ==, 1);
  assert_text (traces, 0, WEFT_TRACES_NAME, "step");
  g_assert_true (rows_has (traces, 0, WEFT_TRACES_DURATION));
  assert_value (traces, 0, WEFT_TRACES_STATUS, WEFT_WIRE_STATUS_ERROR);
  assert_value (traces, 0, WEFT_TRACES_ERROR_KIND, WEFT_WIRE_ERROR_ABORT);
  check_error (store, rows_get (traces, 0, WEFT_TRACES_ERROR));
}

static void
test_full (void)
{
  g_autofree char *output = NULL;
  g_autoptr (WeftStore) store = record_once ("full=1 wait=1", &output);
  g_autoptr (Rows) d = rows_read (store, WEFT_TABLE_DISPATCHES);
  guint64 row = rows_find (d, WEFT_DISPATCHES_PRODUCER_ID, number_after (output, "FULL id="), 0);
  guint64 id, submission;

  g_assert_cmpuint (row, !=, G_MAXUINT64);
  id = rows_get (d, row, WEFT_DISPATCHES_ID);
  submission = rows_get (d, row, WEFT_DISPATCHES_SUBMISSION);
  check_full_dispatch (d, row, output);
  check_phases (store, id);
  check_error (store, rows_get (d, row, WEFT_DISPATCHES_ERROR));
  check_origins (store, id, submission, output);
  check_attachments (store, id);
  check_counter_sets (store);
  check_counter_samples (store, id);
  check_tags (store, id);
  check_source (store, rows_get (d, row, WEFT_DISPATCHES_SOURCE));
  check_rest (store, id, submission);
}

static void
test_names (void)
{
  g_autoptr (WeftStore) store = record_once ("lanes=2 spans=1 names=1 wait=1", NULL);
  g_autoptr (Rows) lanes = rows_read (store, WEFT_TABLE_LANES);
  guint64 first = rows_find_text (lanes, WEFT_LANES_NAME, "lane-0", 0);
  guint64 second = rows_find_text (lanes, WEFT_LANES_NAME, "lane-1", 0);

  assert_text (lanes, first, WEFT_LANES_KIND, "test.lane");
  assert_value (lanes, first, WEFT_LANES_PARENT, 0);
  assert_value (lanes, second, WEFT_LANES_PARENT, rows_get (lanes, first, WEFT_LANES_ID));
  for (guint64 i = 0; i < lanes->n; i++)
    g_assert_true (g_utf8_validate (rows_text (lanes, i, WEFT_LANES_NAME), -1, NULL));
  g_assert_cmpuint (rig_loss (store, "invalid-utf8"), >, 0);
}

/* ---- Metrics, warnings, traces, submissions ---- */

static void
test_events (void)
{
  g_autoptr (WeftStore) store =
      record_once ("metrics=40 warnings=30 traces=20 submissions=15 wait=1", NULL);
  g_autoptr (Rows) metrics = rows_read (store, WEFT_TABLE_METRICS);
  g_autoptr (Rows) points = rows_read (store, WEFT_TABLE_METRIC_POINTS);
  g_autoptr (Rows) warnings = rows_read (store, WEFT_TABLE_WARNINGS);
  g_autoptr (Rows) traces = rows_read (store, WEFT_TABLE_TRACES);
  g_autoptr (Rows) submissions = rows_read (store, WEFT_TABLE_SUBMISSIONS);
  g_autoptr (Rows) events = rows_read (store, WEFT_TABLE_SUBMISSION_EVENTS);
  double sums[4] = { 0 };
  guint open = 0;

  g_assert_cmpuint (metrics->n, ==, 3);
  for (guint i = 0; i < 3; i++)
    assert_value (metrics, i, WEFT_METRICS_KIND, i);
  assert_text (metrics, 1, WEFT_METRICS_NAME, "level");
  assert_text (metrics, 1, WEFT_METRICS_UNIT_NAME, "things");
  g_assert_cmpuint (points->n, ==, 120);
  for (guint64 i = 0; i < points->n; i++)
    {
      guint64 bits = rows_get (points, i, WEFT_METRIC_POINTS_VALUE);
      double value;

      memcpy (&value, &bits, sizeof value);
      sums[rows_get (points, i, WEFT_METRIC_POINTS_METRIC)] += value;
      g_assert_cmpuint (rows_get (points, i, WEFT_METRIC_POINTS_THREAD), !=, 0);
    }
  for (guint k = 0; k < 3; k++)
    g_assert_cmpfloat (sums[k + 1], ==, 40.0 * 39 / 2 + 40 * 0.25 * k);

  g_assert_cmpuint (warnings->n, ==, 30);
  assert_text (warnings, 7, WEFT_WARNINGS_CODE, "over-budget");
  assert_text (warnings, 7, WEFT_WARNINGS_MESSAGE, "too slow");
  for (guint64 i = 0; i < 30; i++)
    assert_value (warnings, i, WEFT_WARNINGS_SEVERITY, i % 3);

  g_assert_cmpuint (traces->n, ==, 20);
  for (guint64 i = 0; i < traces->n; i++)
    {
      assert_text (traces, i, WEFT_TRACES_NAME, "workflow");
      g_assert_true (rows_has (traces, i, WEFT_TRACES_START));
      open += !rows_has (traces, i, WEFT_TRACES_DURATION);
    }
  g_assert_cmpuint (open, ==, 5);
  g_assert_cmpuint (submissions->n, ==, 15);
  g_assert_cmpuint (events->n, ==, 60);
}

/* A submission belongs to the lane whose queue gave it out, whichever lane is the first to name it. */
static void
test_submission_of_part (void)
{
  g_autoptr (WeftStore) store = record_once ("parts=1 wait=1", NULL);
  g_autoptr (Rows) lanes = rows_read (store, WEFT_TABLE_LANES);
  g_autoptr (Rows) submissions = rows_read (store, WEFT_TABLE_SUBMISSIONS);
  g_autoptr (Rows) dispatches = rows_read (store, WEFT_TABLE_DISPATCHES);

  guint64 n_items = 0;

  g_assert_cmpuint (submissions->n, ==, 1);
  assert_text (lanes, rows_get (submissions, 0, WEFT_SUBMISSIONS_LANE) - 1, WEFT_LANES_NAME,
               "whole");
  /* Beside what the producer finds a recorder by. */
  for (guint64 i = 0; i < dispatches->n; i++)
    if (rows_get (dispatches, i, WEFT_DISPATCHES_SUBMISSION) != 0)
      {
        assert_text (lanes, rows_get (dispatches, i, WEFT_DISPATCHES_LANE) - 1, WEFT_LANES_NAME,
                     "part");
        n_items++;
      }
  g_assert_cmpuint (n_items, ==, 1);
}

/* ---- Device clocks ---- */

static void
test_device_clock (void)
{
  g_autoptr (WeftStore) store = record_once ("device=40 wait=1", NULL);
  g_autoptr (Rows) lanes = rows_read (store, WEFT_TABLE_LANES);
  g_autoptr (Rows) pairs = rows_read (store, WEFT_TABLE_CLOCK_PAIRS);
  g_autoptr (Rows) d = rows_read (store, WEFT_TABLE_DISPATCHES);
  guint64 device =
      rows_get (lanes, rows_find_text (lanes, WEFT_LANES_NAME, "device", 0), WEFT_LANES_ID);
  guint64 twin =
      rows_get (lanes, rows_find_text (lanes, WEFT_LANES_NAME, "twin", 0), WEFT_LANES_ID);
  guint64 bound = 0, at = 0, n = 0;

  for (guint64 i = 0; i < pairs->n; i++)
    bound = MAX (bound, rows_get (pairs, i, WEFT_CLOCK_PAIRS_ERROR_BOUND));
  for (guint64 i = 0; i < d->n; i++)
    {
      gint64 there, here;

      if (rows_get (d, i, WEFT_DISPATCHES_LANE) != device)
        continue;
      at = rows_find (d, WEFT_DISPATCHES_LANE, twin, at);
      g_assert_cmpuint (at, !=, G_MAXUINT64);
      there = (gint64) rows_get (d, i, WEFT_DISPATCHES_START);
      here = (gint64) rows_get (d, at++, WEFT_DISPATCHES_START);
      g_assert_cmpint (ABS (there - here), <=, (gint64) bound + 2000);
      assert_value (d, i, WEFT_DISPATCHES_MARKS, 0);
      g_assert_true (rows_has (d, i, WEFT_DISPATCHES_START_TICKS));
      g_assert_cmpuint (rows_get (d, i, WEFT_DISPATCHES_END_TICKS), >=,
                        rows_get (d, i, WEFT_DISPATCHES_START_TICKS) + 2000);
      n++;
    }
  g_assert_cmpuint (n, ==, 40);
}

/* ---- Sources stored once ---- */

static void
test_sources_once (void)
{
  Rig *rig = rig_new ();
  RigProgram *programs[2];

  rig_start (rig);
  for (guint i = 0; i < 2; i++)
    programs[i] = rig_produce (rig->runtime, "sources=1 spans=1 wait=1");
  for (guint i = 0; i < 2; i++)
    g_assert_cmpint (rig_wait (programs[i], NULL, NULL), ==, 0);
  {
    g_autoptr (WeftStore) store = rig_stop (rig);

    g_assert_cmpuint (weft_store_get_n_rows (store, WEFT_TABLE_SOURCES), ==, 2);
    g_assert_cmpuint (weft_store_get_n_rows (store, WEFT_TABLE_BLOBS), ==, 1);
  }
  rig_free (rig);
}

/* ---- Stacks, as an unwinder gets them ---- */

typedef struct
{
  guint n;
  guint with_marker;
  guint outside;
  guint compared;  /* stacks copied up to their top, … */
  guint different; /* … which is not what the program has there */
} Unwound;

#define TOP 256

/* The top of the main thread's stack holds arguments and environment, which stay as they are. */
static void
compare_top (Unwound *unwound, const WeftWireStack *stack, const guint8 *bytes, int pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/mem", pid);
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  guint8 top[TOP];

  if (fd < 0 || stack->cut || stack->copied < TOP)
    {
      close (fd);
      return;
    }
  unwound->compared++;
  unwound->different +=
      pread (fd, top, TOP, (off_t) (stack->stack_pointer + stack->copied - TOP)) != TOP ||
      memcmp (top, bytes + stack->copied - TOP, TOP) != 0;
  close (fd);
}

static guint
unwind (const WeftWireStack *stack, const guint8 *bytes, int pid, guint64 *callchain, gpointer data)
{
  Unwound *unwound = data;
  static const char marker[] = "THE-STACK-OF-THE-DISPATCH";

  *callchain = ++unwound->n;
  unwound->with_marker += memmem (bytes, stack->copied, marker, sizeof marker - 1) != NULL;
  compare_top (unwound, stack, bytes, pid);
  unwound->outside += stack->stack_pointer % 8 != 0 || stack->program_counter == 0;
  return 1;
}

static void
test_unwinder (void)
{
  g_autofree char *folder = rig_make_folder ();
  g_autofree char *runtime = g_build_filename (folder, "run", NULL);
  g_autofree char *file = g_build_filename (folder, "stacks.weft", NULL);
  g_autoptr (GError) error = NULL;
  GMainContext *context = g_main_context_new ();
  WeftStoreOptions options = { .start_monotonic = (gint64) hand_now () };
  WeftStoreWriter *writer = weft_store_writer_new (file, &options, &error);
  WeftIngest *ingest = weft_ingest_new (writer, options.start_monotonic);
  WeftRuntimeDirectory *directory = weft_runtime_directory_open (runtime, &error);
  WeftProducerSource *source =
      weft_producer_source_new (ingest, directory, context, geteuid (), FALSE, &error);
  Unwound unwound = { 0 };
  RigProgram *program;
  gint64 deadline = g_get_monotonic_time () + 20 * G_USEC_PER_SEC;

  g_assert_no_error (error);
  weft_ingest_set_unwinder (ingest, unwind, &unwound);
  weft_runtime_directory_announce (directory);
  program = rig_produce (runtime, "stacks=50 wait=1 sleep=1");
  while (unwound.n < 50 && g_get_monotonic_time () < deadline)
    {
      g_main_context_iteration (context, FALSE);
      g_usleep (1000);
    }
  g_assert_cmpuint (unwound.n, ==, 50);
  g_assert_cmpuint (unwound.with_marker, ==, 50);
  g_assert_cmpuint (unwound.outside, ==, 0);
  g_assert_cmpuint (unwound.different, ==, 0);
  g_test_message ("%u stacks compared with the program's memory", unwound.compared);
  kill (program->pid, SIGTERM);
  g_assert_cmpint (rig_wait (program, NULL, NULL), ==, 0);
  weft_producer_source_free (source);
  weft_ingest_free (ingest);
  weft_runtime_directory_free (directory);
  g_assert_true (weft_store_writer_close (writer, &error));
  g_main_context_unref (context);
  {
    g_autoptr (WeftStore) store = weft_store_open (file, &error);
    g_autoptr (Rows) rows = rows_read (store, WEFT_TABLE_STACKS);

    g_assert_cmpuint (rows->n, ==, 50);
    assert_value (rows, 49, WEFT_STACKS_END, 1);
    assert_value (rows, 49, WEFT_STACKS_CALLCHAIN, 50);
  }
  rig_remove_folder (g_steal_pointer (&folder));
}

/* ---- Lies ---- */

typedef void (*Lie) (Hand *hand);

/* What a hand-made producer wrote, as the file has it. */
static WeftStore *
record_hand (Lie setup, Lie lie)
{
  Rig *rig = rig_new ();
  Hand *hand = hand_new ();
  WeftStore *store;

  rig_start (rig);
  hand_writer (hand, 1, (int) getpid ());
  hand_lane (hand, 1, "hand", WEFT_WIRE_CLOCK_ID_RUNTIME);
  hand_routine (hand, 1, "routine");
  if (setup != NULL)
    setup (hand);
  g_assert_true (hand_connect (hand, rig->runtime));
  rig_wait_runtimes (rig, 1);
  lie (hand);
  store = rig_stop (rig);
  hand_free (hand);
  rig_free (rig);
  return store;
}

static void
lie_about_times_and_ids (Hand *hand)
{
  guint64 now = hand_now ();

  hand_span (hand, 1, 1, now, now + 10); /* kept */
  hand_span (hand, 1, 1, now, now - 1);  /* reversed */
  hand_span (hand, 1, 1, now, now + 3600 * G_GUINT64_CONSTANT (1000000000));
  hand_span (hand, 1, 1, now, G_MAXUINT64);
  hand_span (hand, 1, 1, 1, 2);     /* before the process */
  hand_span (hand, 9, 1, now, now); /* no such lane */
  hand_span (hand, 1, 9, now, now); /* no such routine */
  hand_span (hand, 1, 0, now, now);
  hand_span (hand, 0, 1, now, now);
}

static void
test_rejected (void)
{
  g_autoptr (WeftStore) store = record_hand (NULL, lie_about_times_and_ids);
  RigCounts counts;

  rig_counts (store, "hand", &counts);
  g_assert_cmpuint (counts.completed, ==, 1);
  g_assert_cmpuint (counts.rejected, ==, 6);
  g_assert_cmpuint (rig_loss (store, "times-reversed"), ==, 1);
  g_assert_cmpuint (rig_loss (store, "out-of-range"), ==, 3);
  g_assert_cmpuint (rig_loss (store, "unknown-routine"), ==, 2);
  g_assert_cmpuint (rig_loss (store, "unknown-lane"), ==, 2);
}

static void
report_after_start (Hand *hand)
{
  guint64 now = hand_now ();

  hand_span (hand, 1, 1, now - G_GUINT64_CONSTANT (10000000), now - 5000000);
}

static void
test_before_recording (void)
{
  Rig *rig = rig_new ();
  Hand *hand = hand_new ();

  hand_writer (hand, 1, (int) getpid ());
  hand_lane (hand, 1, "hand", WEFT_WIRE_CLOCK_ID_RUNTIME);
  hand_routine (hand, 1, "routine");
  report_after_start (hand);
  g_usleep (20000);
  rig_start (rig);
  g_assert_true (hand_connect (hand, rig->runtime));
  rig_wait_runtimes (rig, 1);
  {
    g_autoptr (WeftStore) store = rig_stop (rig);

    g_assert_cmpuint (rig_loss (store, "before-recording"), ==, 1);
  }
  hand_free (hand);
  rig_free (rig);
}

static void
lie_about_dispatches (Hand *hand)
{
  guint64 now = hand_now ();
  WeftWireDispatch d = { { WEFT_WIRE_DISPATCH, sizeof d / 8, 1 }, now, now, 1 };

  d.id = 7;
  hand_commit (hand, &d, sizeof d);
  hand_commit (hand, &d, sizeof d); /* the same again */
  d.record.type = WEFT_WIRE_COMPLETE;
  d.id = 0;
  hand_commit (hand, &d, sizeof d);
  d.id = 8; /* never reserved: kept, marked */
  hand_commit (hand, &d, sizeof d);
  d.record.type = WEFT_WIRE_RESERVE;
  d.id = 9;
  hand_commit (hand, &d, sizeof d);
  hand_commit (hand, &d, sizeof d); /* reserved twice */
  d.record.type = WEFT_WIRE_DISPATCH;
  d.id = 10;
  d.flags = WEFT_WIRE_FLAG_CLOCK;
  d.clock = 77; /* no such clock */
  hand_commit (hand, &d, sizeof d);
}

static void
test_rejected_dispatches (void)
{
  g_autoptr (WeftStore) store = record_hand (NULL, lie_about_dispatches);
  g_autoptr (Rows) d = rows_read (store, WEFT_TABLE_DISPATCHES);
  RigCounts counts;

  rig_counts (store, "hand", &counts);
  g_assert_cmpuint (counts.completed, ==, 2);
  g_assert_cmpuint (counts.pending, ==, 1);
  g_assert_cmpuint (rig_loss (store, "duplicate-id"), ==, 2);
  g_assert_cmpuint (rig_loss (store, "unknown-id"), ==, 1);
  g_assert_cmpuint (rig_loss (store, "no-clock"), ==, 1);
  assert_value (d, rows_find (d, WEFT_DISPATCHES_PRODUCER_ID, 8, 0), WEFT_DISPATCHES_MARKS, 4);
}

/* Numbers that no kernel gives, so that no thread has them now. */
#define ENDED_TID 2147000001
#define INHERITED_TID 2147000002
#define INVENTED_TID 2147000003

static void
add_writers (Hand *hand)
{
  WeftWireWriterEntry ended = { .id = 2, .tid = ENDED_TID, .ticks = hand_now () };
  WeftWireWriterEntry inherited = { .id = 3, .tid = INHERITED_TID, .ticks = 1 };

  hand_entry (hand, WEFT_WIRE_ENTRY_WRITER, &ended, sizeof ended, "ended", NULL);
  hand_entry (hand, WEFT_WIRE_ENTRY_WRITER, &inherited, sizeof inherited, "inherited", NULL);
}

static void
report_origins (Hand *hand)
{
  const int tids[] = { ENDED_TID, INHERITED_TID, INVENTED_TID, 0, -7, ENDED_TID, INVENTED_TID };

  for (guint i = 0; i < G_N_ELEMENTS (tids); i++)
    {
      WeftWireOrigin origin = { .record = { WEFT_WIRE_ORIGIN_EVENT, sizeof origin / 8, 1 },
                                .ticks = hand_now (),
                                .dispatch = 1,
                                .tid = tids[i] };

      hand_commit (hand, &origin, sizeof origin);
    }
}

/* Only what a thread registered itself with makes a thread of a number that is not there. */
static void
test_threads_of_origins (void)
{
  g_autoptr (WeftStore) store = record_hand (add_writers, report_origins);
  g_autoptr (Rows) o = rows_read (store, WEFT_TABLE_ORIGINS);
  g_autoptr (Rows) t = rows_read (store, WEFT_TABLE_THREADS);
  guint64 thread = rows_find (t, WEFT_THREADS_TID, ENDED_TID, 0);

  assert_text (t, thread, WEFT_THREADS_NAME, "ended");
  g_assert_cmpuint (t->n, ==, 2);
  g_assert_cmpuint (o->n, ==, 7);
  for (guint64 i = 0; i < o->n; i++)
    {
      gboolean known = (int) rows_get (o, i, WEFT_ORIGINS_TID) == ENDED_TID;

      assert_value (o, i, WEFT_ORIGINS_THREAD, known ? rows_get (t, thread, WEFT_THREADS_ID) : 0);
    }
  assert_value (o, 4, WEFT_ORIGINS_TID, (guint64) -7);
}

static void
add_device_lane (Hand *hand)
{
  hand_clock (hand, 2);
  hand_lane (hand, 2, "device", 2);
}

static void
add_pair (Hand *hand, guint64 device, guint64 time)
{
  WeftWireClockPair pair = { { WEFT_WIRE_CLOCK_PAIR, sizeof pair / 8, 0 }, device, time, time, 2 };

  hand_commit (hand, &pair, sizeof pair);
}

/* The pairs lie four seconds ahead: what happens now is out of their reach. Then they go back. */
static void
lie_about_clocks (Hand *hand)
{
  guint64 now = hand_now (), second = G_GUINT64_CONSTANT (1000000000);

  add_pair (hand, 4 * second, now + 4 * second);
  add_pair (hand, 5 * second, now + 5 * second);
  add_pair (hand, 3 * second, now + 6 * second); /* backwards */
  add_pair (hand, 6 * second, now + 2 * second);
  hand_span (hand, 2, 1, second / 100, second / 50);
  hand_span (hand, 2, 1, 5 * second, 5 * second); /* in the future */
}

static void
test_extrapolated (void)
{
  g_autoptr (WeftStore) store = record_hand (add_device_lane, lie_about_clocks);
  g_autoptr (Rows) d = rows_read (store, WEFT_TABLE_DISPATCHES);

  g_assert_cmpuint (d->n, ==, 1);
  assert_value (d, 0, WEFT_DISPATCHES_MARKS, 1);
  assert_value (d, 0, WEFT_DISPATCHES_DURATION, 10000000);
  g_assert_cmpuint (rig_loss (store, "out-of-range"), ==, 1);
  g_assert_cmpuint (rig_loss (store, "times-reversed"), ==, 2);
}

/* As two threads tell them, whose memory is read one after the other. */
static void
tell_pairs_out_of_order (Hand *hand)
{
  guint64 now = hand_now (), step = 1000000;

  add_pair (hand, 1 * step, now - 5 * step);
  add_pair (hand, 4 * step, now - 2 * step);
  add_pair (hand, 2 * step, now - 4 * step);
  add_pair (hand, 3 * step, now - 3 * step);
  add_pair (hand, 3 * step, now - 3 * step); /* once more */
  hand_span (hand, 2, 1, 2 * step, 3 * step);
}

static void
test_pairs_out_of_order (void)
{
  g_autoptr (WeftStore) store = record_hand (add_device_lane, tell_pairs_out_of_order);
  g_autoptr (Rows) d = rows_read (store, WEFT_TABLE_DISPATCHES);

  g_assert_cmpuint (d->n, ==, 1);
  assert_value (d, 0, WEFT_DISPATCHES_MARKS, 0);
  assert_value (d, 0, WEFT_DISPATCHES_DURATION, 1000000);
  g_assert_cmpuint (rig_loss (store, "times-reversed"), ==, 1);
}

static void
claim_tsc (Hand *hand)
{
  hand->registry->clock = WEFT_WIRE_CLOCK_TSC;
  hand->registry->start_ticks = 5; /* a counter that jumped since */
}

static void
report_jumping (Hand *hand)
{
  static const guint64 ticks[] = { 0, 1, 5, 1000, G_MAXUINT64 / 2, G_MAXUINT64 - 1, G_MAXUINT64 };

  for (guint i = 0; i < G_N_ELEMENTS (ticks); i++)
    for (guint k = 0; k < G_N_ELEMENTS (ticks); k++)
      hand_span (hand, 1, 1, ticks[i], ticks[k]);
}

static void
test_jumping_clock (void)
{
  g_autoptr (WeftStore) store = record_hand (claim_tsc, report_jumping);
  RigCounts counts;

  rig_counts (store, "hand", &counts);
  g_assert_cmpuint (counts.submitted, ==, 49);
}

static void
claim_newer (Hand *hand)
{
  WeftWireQueueEntry unknown = { .id = 1 };

  hand->hello.minor = hand->registry->minor = hand->segment->minor = 9;
  hand_entry (hand, 900, &unknown, sizeof unknown, "from the future", NULL);
  hand_lane (hand, 2, "after", WEFT_WIRE_CLOCK_ID_RUNTIME);
}

static void
report_newer (Hand *hand)
{
  guint64 now = hand_now ();
  struct
  {
    WeftWireSpan span;
    guint64 more[2]; /* a longer fixed part */
    WeftWireRecord side;
    guint64 payload;
  } longer = { { { WEFT_WIRE_SPAN, 6, 2 }, now, now + 5, 1, 0, 0 }, { 1, 2 }, { 200, 2, 0 }, 7 };
  WeftWireRecord unknown = { 60, 1, 0 };

  hand_commit (hand, &unknown, sizeof unknown);
  hand_commit (hand, &longer, sizeof longer);
  hand_span (hand, 2, 1, now, now + 1);
}

static void
test_newer_minor (void)
{
  g_autoptr (WeftStore) store = record_hand (claim_newer, report_newer);
  RigCounts counts;

  rig_counts (store, "after", &counts);
  g_assert_cmpuint (counts.completed, ==, 2);
  g_assert_cmpuint (rig_loss (store, "unknown-type"), ==, 2);
  g_assert_cmpuint (rig_loss (store, "malformed"), ==, 0);
}

static void
test_other_major (void)
{
  Rig *rig = rig_new ();
  Hand *hand = hand_new ();

  rig_start (rig);
  hand->hello.major = 2;
  g_assert_true (hand_connect (hand, rig->runtime));
  g_assert_true (hand_is_refused (hand->socket));
  {
    g_autoptr (WeftStore) store = rig_stop (rig);

    g_assert_true (rig_has_diagnostic (store, "producer-version"));
    g_assert_cmpuint (weft_store_get_n_rows (store, WEFT_TABLE_RUNTIMES), ==, 0);
  }
  hand_free (hand);
  rig_free (rig);
}

/* A library that meets a recorder of another time. */
static void
test_other_recorder (void)
{
  g_autofree char *folder = rig_make_folder ();
  g_autofree char *runtime = g_build_filename (folder, "run", NULL);
  g_autofree char *gate = g_build_filename (runtime, "gate", NULL);
  g_autofree char *output = NULL;
  g_autofree guint8 *page = g_malloc0 (WEFT_WIRE_GATE_SIZE);
  WeftWireGate *header = (WeftWireGate *) page;

  g_assert_cmpint (g_mkdir_with_parents (runtime, 0700), ==, 0);
  *header = (WeftWireGate){ WEFT_WIRE_GATE_MAGIC, 1, 1, 5, 6, 1 };
  g_assert_true (
      g_file_set_contents_full (gate, (char *) page, WEFT_WIRE_GATE_SIZE, 0, 0600, NULL));
  g_assert_cmpint (rig_wait (rig_produce (runtime, "spans=100"), &output, NULL), ==, 0);
  g_assert_cmpuint (rig_number (output, "mismatch"), >=, 1);
  g_assert_cmpuint (rig_number (output, "queued"), ==, 0);
  rig_remove_folder (g_steal_pointer (&folder));
}

static void
write_gap (Hand *hand)
{
  guint64 now = hand_now ();

  hand_span (hand, 1, 1, now, now);
  hand_full (hand);
  hand->records += 10;
  hand_span (hand, 1, 1, now, now);
}

static void
test_sequence_gap (void)
{
  g_autoptr (WeftStore) store = record_hand (NULL, write_gap);

  g_assert_cmpuint (rig_loss (store, "sequence-gap"), ==, 10);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/record/plain", test_plain);
  g_test_add_func ("/record/pending", test_pending);
  g_test_add_func ("/record/submission-of-part", test_submission_of_part);
  g_test_add_func ("/record/sampling", test_sampling);
  g_test_add_func ("/record/nesting", test_nesting);
  g_test_add_func ("/record/full", test_full);
  g_test_add_func ("/record/names", test_names);
  g_test_add_func ("/record/events", test_events);
  g_test_add_func ("/record/device-clock", test_device_clock);
  g_test_add_func ("/record/sources-once", test_sources_once);
  g_test_add_func ("/record/unwinder", test_unwinder);
  g_test_add_func ("/record/rejected", test_rejected);
  g_test_add_func ("/record/rejected-dispatches", test_rejected_dispatches);
  g_test_add_func ("/record/threads-of-origins", test_threads_of_origins);
  g_test_add_func ("/record/before-recording", test_before_recording);
  g_test_add_func ("/record/extrapolated", test_extrapolated);
  g_test_add_func ("/record/pairs-out-of-order", test_pairs_out_of_order);
  g_test_add_func ("/record/jumping-clock", test_jumping_clock);
  g_test_add_func ("/record/newer-minor", test_newer_minor);
  g_test_add_func ("/record/other-major", test_other_major);
  g_test_add_func ("/record/other-recorder", test_other_recorder);
  g_test_add_func ("/record/sequence-gap", test_sequence_gap);
  return g_test_run ();
}
