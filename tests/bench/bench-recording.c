/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "bench-recording.h"

#include <string.h>

#include <weft.h>

#include "bench-rows.h"
#include "weft-store-writer.h"

#define N_LANES 8
#define PER_SUBMISSION 16
#define PER_WAIT 64    /* submissions */
#define PER_SAMPLE 100 /* dispatches */
#define N_COUNTERS 4
#define PID 1000

typedef struct
{
  WeftStoreWriter *writer;
  WeftTableWriter *dispatches;
  WeftTableWriter *submissions;
  WeftTableWriter *origins;
  WeftTableWriter *samples;
  WeftTableWriter *values;
  guint64 on_lane[N_LANES + 1];
  guint64 submission[N_LANES + 1]; /* the one that is open, and how much it has */
  guint in_submission[N_LANES + 1];
  gboolean *waited; /* for each dispatch */
  guint64 n_origins;
} Recording;

static void
append (WeftStoreWriter *writer, WeftTableId table, const WeftColumnNumber *columns,
        const guint64 *values, guint n)
{
  WeftTableWriter *rows = weft_store_writer_table (writer, table);

  weft_table_writer_begin (rows);
  for (guint i = 0; i < n; i++)
    weft_table_writer_set (rows, columns[i], values[i]);
  weft_table_writer_commit (rows);
}

#define APPEND(writer, table, columns, ...)                                                        \
  append (writer, table, (const WeftColumnNumber[]) columns, (const guint64[]){ __VA_ARGS__ },     \
          G_N_ELEMENTS (((const guint64[]){ __VA_ARGS__ })))
#define COLUMNS(...)                                                                               \
  {                                                                                                \
    __VA_ARGS__                                                                                    \
  }

static guint32
numbered (WeftStoreWriter *writer, const char *word, guint number)
{
  g_autofree char *text = g_strdup_printf ("%s %u", word, number);

  return weft_store_writer_string (writer, text, -1);
}

static guint32
text (WeftStoreWriter *writer, const char *words)
{
  return weft_store_writer_string (writer, words, -1);
}

/* ---- What is there before any work ---- */

static void
append_program (WeftStoreWriter *writer)
{
  APPEND (writer, WEFT_TABLE_PROCESSES,
          COLUMNS (WEFT_PROCESSES_PID, WEFT_PROCESSES_NAME, WEFT_PROCESSES_EXECUTABLE), PID,
          text (writer, "loom"), text (writer, "/usr/bin/loom"));
  APPEND (writer, WEFT_TABLE_RUNTIMES, COLUMNS (WEFT_RUNTIMES_PROCESS, WEFT_RUNTIMES_NAME), 1,
          text (writer, "loom"));
  for (guint i = 1; i <= N_LANES; i++)
    {
      APPEND (writer, WEFT_TABLE_THREADS,
              COLUMNS (WEFT_THREADS_PROCESS, WEFT_THREADS_TID, WEFT_THREADS_NAME), 1, PID + i - 1,
              numbered (writer, "thread", i));
      APPEND (
          writer, WEFT_TABLE_LANES,
          COLUMNS (WEFT_LANES_RUNTIME, WEFT_LANES_PRODUCER_ID, WEFT_LANES_NAME, WEFT_LANES_KIND), 1,
          i, numbered (writer, "lane", i), text (writer, "loom.queue"));
    }
}

static void
append_code (WeftStoreWriter *writer)
{
  static const char program[] = "weave (warp, weft)\n";

  APPEND (writer, WEFT_TABLE_SOURCES,
          COLUMNS (WEFT_SOURCES_RUNTIME, WEFT_SOURCES_PATH, WEFT_SOURCES_TEXT), 1,
          text (writer, "loom.weave"), weft_store_writer_blob (writer, program, strlen (program)));
  for (guint i = 1; i <= BENCH_ROUTINES; i++)
    APPEND (writer, WEFT_TABLE_ROUTINES,
            COLUMNS (WEFT_ROUTINES_RUNTIME, WEFT_ROUTINES_NAME, WEFT_ROUTINES_SOURCE), 1,
            numbered (writer, "routine", i), 1);
  APPEND (writer, WEFT_TABLE_COUNTER_SETS,
          COLUMNS (WEFT_COUNTER_SETS_RUNTIME, WEFT_COUNTER_SETS_NAME), 1, text (writer, "cloth"));
  APPEND (writer, WEFT_TABLE_COUNTER_SET_STATES, COLUMNS (WEFT_COUNTER_SET_STATES_SET), 1);
  for (guint i = 1; i <= N_COUNTERS; i++)
    APPEND (writer, WEFT_TABLE_COUNTERS,
            COLUMNS (WEFT_COUNTERS_SET, WEFT_COUNTERS_POSITION, WEFT_COUNTERS_NAME), 1, i - 1,
            numbered (writer, "counter", i));
}

/* ---- Work ---- */

static void
append_origin (Recording *self, guint role, guint lane, guint64 submission, guint64 dispatch,
               gint64 time)
{
  WeftTableWriter *rows = self->origins;

  weft_table_writer_begin (rows);
  weft_table_writer_set (rows, WEFT_ORIGINS_ROLE, role);
  weft_table_writer_set (rows, WEFT_ORIGINS_SUBMISSION, submission);
  weft_table_writer_set (rows, WEFT_ORIGINS_DISPATCH, dispatch);
  weft_table_writer_set (rows, WEFT_ORIGINS_THREAD, lane);
  weft_table_writer_set (rows, WEFT_ORIGINS_TID, PID + lane - 1);
  weft_table_writer_set (rows, WEFT_ORIGINS_TIME, (guint64) MAX (time, 0));
  weft_table_writer_set (rows, WEFT_ORIGINS_RUNTIME, 1);
  self->n_origins = weft_table_writer_commit (rows);
}

static guint64
take_submission (Recording *self, guint lane)
{
  if (self->submission[lane] == 0 || self->in_submission[lane] == PER_SUBMISSION)
    {
      weft_table_writer_begin (self->submissions);
      weft_table_writer_set (self->submissions, WEFT_SUBMISSIONS_RUNTIME, 1);
      weft_table_writer_set (self->submissions, WEFT_SUBMISSIONS_PRODUCER_ID,
                             self->submission[lane] + lane);
      weft_table_writer_set (self->submissions, WEFT_SUBMISSIONS_LANE, lane);
      self->submission[lane] = weft_table_writer_commit (self->submissions);
      self->in_submission[lane] = 0;
    }
  self->in_submission[lane]++;
  return self->submission[lane];
}

static void
append_samples (Recording *self, guint64 dispatch)
{
  guint64 sample;

  weft_table_writer_begin (self->samples);
  weft_table_writer_set (self->samples, WEFT_COUNTER_SAMPLES_SET, 1);
  weft_table_writer_set (self->samples, WEFT_COUNTER_SAMPLES_DISPATCH, dispatch);
  weft_table_writer_set (self->samples, WEFT_COUNTER_SAMPLES_RUNTIME, 1);
  sample = weft_table_writer_commit (self->samples);
  for (guint i = 1; i <= N_COUNTERS; i++)
    {
      weft_table_writer_begin (self->values);
      weft_table_writer_set (self->values, WEFT_COUNTER_VALUES_SAMPLE, sample);
      weft_table_writer_set (self->values, WEFT_COUNTER_VALUES_COUNTER, i);
      weft_table_writer_set (self->values, WEFT_COUNTER_VALUES_BITS, bench_random () % 100000);
      weft_table_writer_commit (self->values);
    }
}

static void
append_dispatch (Recording *self, const BenchRows *rows, guint64 i, guint slower)
{
  guint lane = rows->lanes[i];
  guint64 submission = take_submission (self, lane);
  gboolean waits = submission % PER_WAIT == 0;
  guint64 duration = rows->durations[i];
  gint64 start = rows->starts[i];
  guint64 id;

  if (rows->routines[i] + 1u == slower)
    duration += duration / 10;
  weft_table_writer_begin (self->dispatches);
  weft_table_writer_set (self->dispatches, WEFT_DISPATCHES_LANE, lane);
  weft_table_writer_set (self->dispatches, WEFT_DISPATCHES_ROUTINE, rows->routines[i] + 1u);
  weft_table_writer_set (self->dispatches, WEFT_DISPATCHES_START, (guint64) start);
  weft_table_writer_set (self->dispatches, WEFT_DISPATCHES_DURATION, duration);
  weft_table_writer_set (self->dispatches, WEFT_DISPATCHES_THREAD, lane);
  weft_table_writer_set (self->dispatches, WEFT_DISPATCHES_PRODUCER_ID, i + 1);
  weft_table_writer_set (self->dispatches, WEFT_DISPATCHES_SUBMISSION, submission);
  id = weft_table_writer_commit (self->dispatches);
  self->waited[id - 1] = waits;
  self->on_lane[lane]++;
  if (self->in_submission[lane] == 1)
    append_origin (self, WEFT_ORIGIN_ROLE_DISPATCH, lane, 0, id, start - 100);
  if (waits && self->in_submission[lane] == PER_SUBMISSION)
    {
      append_origin (self, WEFT_ORIGIN_ROLE_WAIT_BEGIN, lane, submission, 0, start);
      append_origin (self, WEFT_ORIGIN_ROLE_WAIT_END, lane, submission, 0,
                     start + (gint64) duration);
    }
  if (i % PER_SAMPLE == 0)
    append_samples (self, id);
}

/* ---- What the linker and the recorder say in the end ---- */

static void
derive_dispatches (Recording *self, guint64 n)
{
  g_autofree guint64 *classes = g_new (guint64, WEFT_STORE_SEAL_ROWS);
  g_autofree guint64 *reasons = g_new (guint64, WEFT_STORE_SEAL_ROWS);

  for (guint64 first = 0; first < n; first += WEFT_STORE_SEAL_ROWS)
    {
      guint32 part = (guint32) MIN (n - first, WEFT_STORE_SEAL_ROWS);
      const WeftDerivedColumn columns[] = {
        { WEFT_DISPATCHES_CLASSIFICATION, classes, 0 },
        { WEFT_DISPATCHES_CLASSIFICATION_REASON, reasons, 0 },
      };

      for (guint32 i = 0; i < part; i++)
        {
          gboolean waited = self->waited[first + i];

          classes[i] = waited ? WEFT_CLASSIFICATION_SYNCHRONOUS : WEFT_CLASSIFICATION_ASYNCHRONOUS;
          reasons[i] =
              waited ? WEFT_CLASSIFICATION_REASON_WAIT : WEFT_CLASSIFICATION_REASON_NO_WAIT;
        }
      weft_store_writer_derive (self->writer, WEFT_TABLE_DISPATCHES, 1, first + 1, part, columns,
                                G_N_ELEMENTS (columns), FALSE);
    }
}

static void
derive_origins (Recording *self)
{
  const WeftDerivedColumn column = { WEFT_ORIGINS_LINK_STATUS, NULL, WEFT_LINK_STATUS_LINKED };

  for (guint64 first = 0; first < self->n_origins; first += WEFT_STORE_SEAL_ROWS)
    weft_store_writer_derive (self->writer, WEFT_TABLE_ORIGINS, 1, first + 1,
                              (guint32) MIN (self->n_origins - first, WEFT_STORE_SEAL_ROWS),
                              &column, 1, FALSE);
}

static void
append_counts (Recording *self, gint64 end)
{
  for (guint i = 1; i <= N_LANES; i++)
    APPEND (self->writer, WEFT_TABLE_LANE_COUNTS,
            COLUMNS (WEFT_LANE_COUNTS_LANE, WEFT_LANE_COUNTS_TIME, WEFT_LANE_COUNTS_SUBMITTED,
                     WEFT_LANE_COUNTS_COMPLETED),
            i, (guint64) end, self->on_lane[i], self->on_lane[i]);
}

void
bench_recording_write (const char *path, guint64 n, guint64 seed, guint slower)
{
  g_autoptr (GError) error = NULL;
  Recording self = { .writer = weft_store_writer_new (path, NULL, &error) };
  BenchRows rows = { 0 };

  g_assert_no_error (error);
  append_program (self.writer);
  append_code (self.writer);
  self.dispatches = weft_store_writer_table (self.writer, WEFT_TABLE_DISPATCHES);
  self.submissions = weft_store_writer_table (self.writer, WEFT_TABLE_SUBMISSIONS);
  self.origins = weft_store_writer_table (self.writer, WEFT_TABLE_ORIGINS);
  self.samples = weft_store_writer_table (self.writer, WEFT_TABLE_COUNTER_SAMPLES);
  self.values = weft_store_writer_table (self.writer, WEFT_TABLE_COUNTER_VALUES);
  self.waited = g_new (gboolean, n);
  bench_seed (seed);
  bench_rows_init (&rows, n, N_LANES);
  for (guint64 i = 0; i < n; i++)
    append_dispatch (&self, &rows, i, slower);
  derive_dispatches (&self, n);
  derive_origins (&self);
  append_counts (&self, rows.end);
  bench_rows_clear (&rows);
  g_free (self.waited);
  weft_store_writer_close (self.writer, &error);
  g_assert_no_error (error);
}
