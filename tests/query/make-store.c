/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* make-store FILE DISPATCHES [--unfinished]: a recording of several chunks with every table that
 * queries go through; unfinished, its last rows are in journals only.
 */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "weft-store-writer.h"

#define LANES 12
#define ROUTINES 40

static WeftStoreWriter *writer;
static GRand *chance;

#define TABLE(NAME) WeftTableWriter *t = weft_store_writer_table (writer, WEFT_TABLE_##NAME)
#define SET(COLUMN, value) weft_table_writer_set (t, WEFT_##COLUMN, (guint64) (value))
#define BEGIN() weft_table_writer_begin (t)
#define COMMIT() weft_table_writer_commit (t)

static guint
pick (guint n)
{
  return g_rand_int (chance) % n;
}

static guint32
text (const char *prefix, guint number)
{
  g_autofree char *made = g_strdup_printf ("%s%u", prefix, number);

  return weft_store_writer_string (writer, made, -1);
}

static void
add_processes (void)
{
  for (guint i = 0; i < 2; i++)
    {
      TABLE (PROCESSES);

      BEGIN ();
      SET (PROCESSES_PID, 100 + i);
      SET (PROCESSES_NAME, text ("program-", i));
      if (i == 1)
        SET (PROCESSES_STARTED, -5);
      COMMIT ();
    }
  for (guint i = 0; i < 2; i++)
    {
      TABLE (RUNTIMES);

      BEGIN ();
      SET (RUNTIMES_PROCESS, i + 1);
      SET (RUNTIMES_NAME, text ("runtime-", i));
      SET (RUNTIMES_CLOCK, i);
      COMMIT ();
    }
  for (guint i = 0; i < 8; i++)
    {
      TABLE (THREADS);

      BEGIN ();
      SET (THREADS_PROCESS, i % 2 + 1);
      SET (THREADS_TID, 200 + i);
      SET (THREADS_NAME, i == 7 ? 0 : text ("worker-", i % 5));
      COMMIT ();
    }
}

static void
add_lanes (void)
{
  for (guint i = 0; i < LANES; i++)
    {
      TABLE (LANES);

      BEGIN ();
      SET (LANES_RUNTIME, i % 2 + 1);
      SET (LANES_PRODUCER_ID, i * 7);
      SET (LANES_NAME, text ("lane-", i));
      SET (LANES_KIND, text ("kind.", i % 3));
      SET (LANES_PARENT, i > 6 ? i - 6 : 0);
      COMMIT ();
    }
  for (guint i = 0; i < 4; i++)
    {
      TABLE (QUEUES);

      BEGIN ();
      SET (QUEUES_LANE, i + 1);
      SET (QUEUES_NAME, text ("queue-", i));
      COMMIT ();
    }
}

static void
add_routines (void)
{
  for (guint i = 0; i < 5; i++)
    {
      TABLE (SOURCES);

      BEGIN ();
      SET (SOURCES_RUNTIME, 1);
      SET (SOURCES_PATH, text ("src/kernels-", i));
      COMMIT ();
    }
  for (guint i = 0; i < ROUTINES; i++)
    {
      TABLE (ROUTINES);

      BEGIN ();
      SET (ROUTINES_RUNTIME, i % 2 + 1);
      SET (ROUTINES_NAME, text ("routine-", i % 37)); /* three names twice */
      SET (ROUTINES_LABEL, i % 4 ? 0 : text ("Routine ", i));
      SET (ROUTINES_SOURCE, i % 6);
      SET (ROUTINES_FIRST_LINE, i % 6 ? 10 * i + 1 : 0);
      SET (ROUTINES_LAST_LINE, i % 6 ? 10 * i + 5 : 0);
      COMMIT ();
    }
  for (guint i = 0; i < 6; i++)
    {
      TABLE (ERRORS);

      BEGIN ();
      SET (ERRORS_NAME, text ("error-", i));
      SET (ERRORS_MESSAGE, text ("it went wrong ", i));
      COMMIT ();
    }
}

static void
add_set (void)
{
  TABLE (COUNTER_SETS);

  BEGIN ();
  SET (COUNTER_SETS_RUNTIME, 1);
  SET (COUNTER_SETS_NAME, text ("set-", 0));
  COMMIT ();
}

static void
add_counters (void)
{
  add_set ();
  for (guint i = 0; i < 5; i++)
    {
      TABLE (COUNTERS);

      BEGIN ();
      SET (COUNTERS_SET, 1);
      SET (COUNTERS_POSITION, i);
      SET (COUNTERS_NAME, text ("counter-", i));
      SET (COUNTERS_AGGREGATION, i);
      COMMIT ();
    }
  for (guint i = 0; i < 6; i++)
    {
      TABLE (METRICS);

      BEGIN ();
      SET (METRICS_LANE, i + 1);
      SET (METRICS_NAME, text ("metric-", i % 3));
      COMMIT ();
    }
}

static void
add_group (guint number)
{
  {
    TABLE (SUBMISSIONS);

    BEGIN ();
    SET (SUBMISSIONS_RUNTIME, 1);
    SET (SUBMISSIONS_PRODUCER_ID, number);
    SET (SUBMISSIONS_LANE, number % LANES + 1);
    SET (SUBMISSIONS_QUEUE, number % 5);
    COMMIT ();
  }
  {
    TABLE (TRACES);

    /* Traces come as they end: their ids are in no order. */
    BEGIN ();
    SET (TRACES_ID, (number ^ 1) + 1);
    SET (TRACES_NAME, text ("step-", number % 9));
    SET (TRACES_START, (gint64) number * 1000 - 3000);
    if (number % 3)
      SET (TRACES_DURATION, number * 17);
    SET (TRACES_STATUS, number % 3);
    COMMIT ();
  }
}

static void
add_sample (guint64 dispatch, guint64 submission)
{
  guint64 sample;

  {
    TABLE (COUNTER_SAMPLES);

    BEGIN ();
    SET (COUNTER_SAMPLES_SET, 1);
    SET (COUNTER_SAMPLES_DISPATCH, dispatch);
    SET (COUNTER_SAMPLES_SUBMISSION, submission);
    SET (COUNTER_SAMPLES_POINT, pick (8));
    if (pick (2))
      SET (COUNTER_SAMPLES_TIME, (gint64) pick (1000000) - 10);
    sample = COMMIT ();
  }
  for (guint i = 0; i < 5; i++)
    {
      TABLE (COUNTER_VALUES);

      BEGIN ();
      SET (COUNTER_VALUES_SAMPLE, sample);
      SET (COUNTER_VALUES_COUNTER, i + 1);
      SET (COUNTER_VALUES_BITS, pick (1000));
      SET (COUNTER_VALUES_IS_ERROR, pick (20) == 0);
      COMMIT ();
    }
}

static void
add_tag (guint64 dispatch)
{
  TABLE (TAGS);
  guint key = pick (3);

  BEGIN ();
  SET (TAGS_OWNER_TABLE, WEFT_TABLE_DISPATCHES);
  SET (TAGS_OWNER, dispatch);
  SET (TAGS_KEY, text ("key-", key));
  SET (TAGS_TYPE, key == 2 ? 3 : 4);
  if (key == 2)
    SET (TAGS_BITS, pick (2));
  else
    SET (TAGS_TEXT, text ("value ", pick (20)));
  COMMIT ();
}

static void
add_attachment (guint64 dispatch)
{
  TABLE (ATTACHMENTS);

  BEGIN ();
  SET (ATTACHMENTS_DISPATCH, dispatch);
  SET (ATTACHMENTS_KIND, text ("kind-", pick (4)));
  SET (ATTACHMENTS_LABEL, text ("label-", pick (30)));
  if (pick (3))
    SET (ATTACHMENTS_SLOT, (gint64) pick (9) - 4);
  if (pick (3))
    SET (ATTACHMENTS_SIZE, pick (100000));
  SET (ATTACHMENTS_ACCESS, pick (4));
  COMMIT ();
}

static void
add_phase (guint64 dispatch)
{
  TABLE (PHASES);

  BEGIN ();
  SET (PHASES_DISPATCH, dispatch);
  SET (PHASES_NAME, text ("phase-", pick (4)));
  SET (PHASES_OFFSET, pick (50));
  SET (PHASES_DURATION, pick (500));
  SET (PHASES_FLAGS, pick (4));
  COMMIT ();
}

static void
add_origin (guint64 dispatch, gint64 time)
{
  TABLE (ORIGINS);

  BEGIN ();
  SET (ORIGINS_ROLE, pick (5));
  SET (ORIGINS_DISPATCH, dispatch);
  SET (ORIGINS_THREAD, pick (9));
  SET (ORIGINS_TID, 200 + pick (8));
  SET (ORIGINS_TIME, time);
  COMMIT ();
}

static void
add_point (gint64 time)
{
  TABLE (METRIC_POINTS);

  BEGIN ();
  SET (METRIC_POINTS_METRIC, pick (6) + 1);
  SET (METRIC_POINTS_TIME, time);
  weft_table_writer_set_double (t, WEFT_METRIC_POINTS_VALUE, (double) pick (1000) / 8 - 20);
  SET (METRIC_POINTS_THREAD, pick (9));
  COMMIT ();
}

static void
add_warning (guint64 dispatch, gint64 time)
{
  TABLE (WARNINGS);

  BEGIN ();
  SET (WARNINGS_LANE, pick (LANES) + 1);
  SET (WARNINGS_DISPATCH, dispatch);
  SET (WARNINGS_TIME, time);
  SET (WARNINGS_CODE, text ("code-", pick (3)));
  SET (WARNINGS_MESSAGE, text ("message ", pick (9)));
  SET (WARNINGS_SEVERITY, pick (3));
  COMMIT ();
}

static guint64
add_dispatch (guint i, gint64 start)
{
  TABLE (DISPATCHES);
  guint duration = pick (40) == 0 ? 0 : pick (3000);

  BEGIN ();
  SET (DISPATCHES_LANE, pick (LANES) + 1);
  SET (DISPATCHES_ROUTINE, pick (10) == 0 ? 0 : pick (ROUTINES) + 1);
  SET (DISPATCHES_START, start);
  SET (DISPATCHES_DURATION, duration);
  SET (DISPATCHES_DEPTH, pick (4));
  SET (DISPATCHES_CHILD_TIME, pick (4) ? 0 : pick (2000));
  SET (DISPATCHES_THREAD, pick (9));
  SET (DISPATCHES_PRODUCER_ID, i % 2 ? i : 0);
  SET (DISPATCHES_SUBMISSION, i % 3 ? i / 50 + 1 : 0);
  SET (DISPATCHES_QUEUE, pick (5));
  SET (DISPATCHES_TRACE, i % 7 ? i / 50 + 1 : 0);
  SET (DISPATCHES_STATUS, pick (20) ? 0 : pick (3));
  SET (DISPATCHES_ERROR, pick (20) ? 0 : pick (6) + 1);
  if (pick (2))
    SET (DISPATCHES_ATTEMPTS, pick (3));
  if (pick (3) == 0)
    SET (DISPATCHES_QUEUE_WAIT, pick (900));
  if (pick (3) == 0)
    SET (DISPATCHES_SUBMITTED, start - 500 + pick (1000));
  SET (DISPATCHES_LABEL, pick (5) ? 0 : text ("label ", pick (50)));
  SET (DISPATCHES_SOURCE, pick (8) ? 0 : pick (5) + 1);
  SET (DISPATCHES_MARKS, pick (8));
  return COMMIT ();
}

static void
add_rows (guint n)
{
  for (guint i = 0; i < n; i++)
    {
      gint64 start = (gint64) i * 100 + pick (5000) - 2500;
      guint64 dispatch;

      if (i % 50 == 0)
        add_group (i / 50);
      dispatch = add_dispatch (i, start);
      if (pick (8) == 0)
        add_sample (dispatch, pick (4) ? 0 : i / 50 + 1);
      if (pick (4) == 0)
        add_tag (dispatch);
      if (pick (6) == 0)
        add_attachment (dispatch);
      if (pick (9) == 0)
        add_phase (dispatch);
      if (pick (9) == 0)
        add_origin (dispatch, start);
      if (pick (9) == 0)
        add_point (start);
      if (pick (90) == 0)
        add_warning (dispatch, start);
    }
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  if (argc < 3)
    return 2;
  writer = weft_store_writer_new (argv[1], NULL, &error);
  if (writer == NULL)
    g_error ("%s", error->message);
  chance = g_rand_new_with_seed (1);
  add_processes ();
  add_lanes ();
  add_routines ();
  add_counters ();
  add_rows ((guint) g_ascii_strtoull (argv[2], NULL, 10));
  if (argc > 3 && strcmp (argv[3], "--unfinished") == 0)
    {
      weft_store_writer_flush (writer, &error);
      _exit (error != NULL);
    }
  g_rand_free (chance);
  return weft_store_writer_close (writer, &error) ? 0 : 1;
}
