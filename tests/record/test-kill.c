/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Programs and recorders that are killed at any moment: what was reported is in the file.
 *
 * WEFT_TEST_KILLS (default 5), WEFT_TEST_THREADS (300) and WEFT_TEST_PROCESSES (40) say how often.
 */

#include "record-rig.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hand-producer.h"

typedef struct
{
  guint64 reported[64];
  guint64 connected;
} Counters;

static guint
how_often (const char *name, guint otherwise)
{
  const char *given = g_getenv (name);

  return given ? (guint) atoi (given) : otherwise;
}

static Counters *
map_counters (const char *path)
{
  int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  Counters *counters;

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (ftruncate (fd, sizeof *counters), ==, 0);
  counters = mmap (NULL, sizeof *counters, PROT_READ, MAP_SHARED, fd, 0);
  g_assert_true (counters != MAP_FAILED);
  close (fd);
  return counters;
}

static gboolean
is_connected (gpointer counters)
{
  return __atomic_load_n (&((Counters *) counters)->connected, __ATOMIC_RELAXED) != 0;
}

/* ---- The program is killed ---- */

static void
test_program_killed (void)
{
  guint kills = how_often ("WEFT_TEST_KILLS", 5);
  g_autofree guint64 *reported = g_new0 (guint64, kills);
  Rig *rig = rig_new ();
  guint64 records = 0, in_flight = 0;

  rig_start (rig);
  for (guint i = 0; i < kills; i++)
    {
      g_autofree char *path = g_strdup_printf ("%s/counters-%u", rig->folder, i);
      g_autofree char *arguments = g_strdup_printf (
          "threads=3 spans=-1 wait=1 rate=%u tag=-%u counters=%s", i % 3 == 0 ? 0 : 3000, i, path);
      Counters *counters = map_counters (path);
      RigProgram *program = rig_produce (rig->runtime, arguments);

      g_assert_true (rig_until (is_connected, counters, 20));
      g_usleep ((gulong) g_random_int_range (0, i % 3 == 0 ? 15000 : 60000));
      kill (program->pid, SIGKILL);
      g_assert_cmpint (rig_wait (program, NULL, NULL), ==, 128 + SIGKILL);
      reported[i] = counters->reported[0];
      munmap (counters, sizeof *counters);
    }
  {
    g_autoptr (WeftStore) store = rig_stop (rig);

    for (guint i = 0; i < kills; i++)
      {
        g_autofree char *name = g_strdup_printf ("lane-0-%u", i);
        RigCounts counts;

        rig_counts (store, name, &counts);
        if (counts.submitted < reported[i])
          g_test_message ("%s: submitted %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT, name,
                          counts.submitted, reported[i]);
        g_assert_cmpuint (counts.submitted, >=, reported[i]);
        g_assert_cmpuint (counts.submitted, <=, reported[i] + 3);
        g_assert_cmpuint (counts.rejected, ==, 0);
        records += counts.completed;
        in_flight += counts.submitted - reported[i];
        if (i % 3 != 0)
          g_assert_cmpuint (counts.lost, ==, 0);
      }
    g_assert_cmpuint (rig_loss (store, "sequence-gap"), ==, 0);
    g_assert_cmpuint (rig_loss (store, "malformed"), ==, 0);
    g_assert_cmpuint (weft_store_get_n_rows (store, WEFT_TABLE_PROCESS_ENDS), ==, kills);
    g_test_message ("%u kills, %" G_GUINT64_FORMAT " records, %" G_GUINT64_FORMAT
                    " dropped for want of room, %" G_GUINT64_FORMAT " in flight when killed",
                    kills, records, rig_loss (store, "no-room"), in_flight);
  }
  rig_free (rig);
}

/* ---- The recorder is killed ---- */

#define RATE 2000
#define SAMPLE_US 20000
#define MAX_SAMPLES 512
/* A flush each second, and time to write it on a busy machine. */
#define FLUSH_MARGIN (G_GUINT64_CONSTANT (1600) * 1000 * 1000)

typedef struct
{
  guint64 time;
  guint64 reported;
} Sample;

static RigProgram *
start_recorder (Rig *rig, const char *file)
{
  char *argv[] = { (char *) rig_weft (), (char *) "record", (char *) "-q", (char *) "-o",
                   (char *) file, NULL };

  return rig_spawn (rig->runtime, argv);
}

static guint64
reported_before (const Sample *samples, guint n, guint64 time)
{
  guint64 reported = samples[0].reported;

  for (guint i = 0; i < n && samples[i].time <= time; i++)
    reported = samples[i].reported;
  return reported;
}

/* Rows of lane-0 in an unfinished file, by counting: its counters may be older than its rows. */
static guint64
count_rows (WeftStore *store, const char *lane_name)
{
  g_autoptr (Rows) lanes = rows_read (store, WEFT_TABLE_LANES);
  guint64 lane = rows_find_text (lanes, WEFT_LANES_NAME, lane_name, 0), n = 0;

  if (lane == G_MAXUINT64)
    return 0;
  {
    g_autoptr (Rows) d = rows_read (store, WEFT_TABLE_DISPATCHES);

    for (guint64 i = 0; i < d->n; i++)
      n += rows_get (d, i, WEFT_DISPATCHES_LANE) == rows_get (lanes, lane, WEFT_LANES_ID);
  }
  return n;
}

static guint
sample (const Counters *counters, Sample *samples, gint64 microseconds)
{
  gint64 end = g_get_monotonic_time () + microseconds;
  guint n = 0;

  do
    {
      samples[n].time = hand_now ();
      samples[n].reported = __atomic_load_n (&counters->reported[0], __ATOMIC_RELAXED);
      n++;
      g_usleep (SAMPLE_US);
    }
  while (g_get_monotonic_time () < end && n < MAX_SAMPLES);
  return n;
}

typedef struct
{
  char *runtime;
  guint32 generation;
} GateGoal;

/* The gate was opened by a later recorder than the one before. */
static gboolean
gate_has_opened (gpointer data)
{
  GateGoal *goal = data;
  g_autofree char *path = g_build_filename (goal->runtime, WEFT_WIRE_GATE_NAME, NULL);
  g_autofree char *text = NULL;
  gsize length = 0;
  WeftWireGate gate;

  if (!g_file_get_contents (path, &text, &length, NULL) || length < sizeof gate)
    return FALSE;
  memcpy (&gate, text, sizeof gate);
  if (gate.active <= goal->generation)
    return FALSE;
  goal->generation = gate.active;
  return TRUE;
}

static void
test_recorder_killed (void)
{
  guint kills = how_often ("WEFT_TEST_KILLS", 5);
  Rig *rig = rig_new ();
  g_autofree char *path = g_build_filename (rig->folder, "counters", NULL);
  g_autofree char *arguments = g_strdup_printf (
      "threads=2 spans=-1 rate=%d wait=1 counters=%s", RATE, path);
  g_autofree char *output = NULL;
  g_autofree Sample *samples = g_new (Sample, MAX_SAMPLES);
  Counters *counters = map_counters (path);
  GateGoal gate = { rig->runtime, 0 };
  RigProgram *program = NULL;
  guint64 recorded = 0, before = 0;

  for (guint i = 0; i <= kills; i++)
    {
      g_autofree char *file = g_strdup_printf ("%s/k%u.weft", rig->folder, i);
      RigProgram *recorder = start_recorder (rig, file);
      g_autoptr (GError) error = NULL;
      g_autoptr (WeftStore) store = NULL;
      guint64 killed_at, at_least, first;
      guint n;

      g_assert_true (rig_until (gate_has_opened, &gate, 20));
      if (program == NULL)
        program = rig_produce (rig->runtime, arguments);
      g_assert_true (rig_until (is_connected, counters, 20));
      g_usleep (100000); /* to connect again */
      n = sample (counters, samples,
                  i < kills ? g_random_int_range (0, 10) ? g_random_int_range (0, 1900000)
                                                         : g_random_int_range (0, 4000000)
                            : 300000);
      killed_at = hand_now ();
      kill (recorder->pid, i < kills ? SIGKILL : SIGINT);
      if (i == kills)
        {
          g_assert_cmpint (rig_wait (recorder, NULL, NULL), ==, 0);
          kill (program->pid, SIGTERM);
          g_assert_cmpint (rig_wait (program, &output, NULL), ==, 0);
        }
      else
        g_assert_cmpint (rig_wait (recorder, NULL, NULL), ==, 128 + SIGKILL);

      first = samples[0].reported;
      at_least = i < kills ? reported_before (samples, n, killed_at - FLUSH_MARGIN) - first
                           : samples[n - 1].reported - first;
      store = weft_store_open (file, &error);
      g_assert_no_error (error);
      g_assert_cmpint (weft_store_get_state (store), ==,
                       i < kills ? WEFT_STORE_GROWING : WEFT_STORE_COMPLETE);
      g_assert_cmpuint (count_rows (store, "lane-0"), >=, at_least);
      g_assert_cmpuint (rig_loss (store, "malformed") + rig_loss (store, "sequence-gap"), ==, 0);
      recorded += count_rows (store, "lane-0") + count_rows (store, "probe");
      before += rig_loss (store, "before-recording");
      g_unlink (file);
    }

  /* The gate stayed open all the time: each call was either written or counted. */
  {
    guint64 calls = rig_number (output, "lane:lane-0") + rig_number (output, "lane:probe");
    guint64 queued = rig_number (output, "queued"), dropped = rig_number (output, "dropped");

    g_test_message ("%u kills, %" G_GUINT64_FORMAT " calls: %" G_GUINT64_FORMAT
                    " in files, %" G_GUINT64_FORMAT " found too late, %" G_GUINT64_FORMAT
                    " in the last unflushed moments, %" G_GUINT64_FORMAT " dropped",
                    kills, calls, recorded, before, queued - recorded - before, dropped);
    g_assert_cmpuint (rig_number (output, "connections"), ==, kills + 1);
    g_assert_cmpuint (recorded + before, <=, queued);
    /* The last recorder withdrew the gate: calls after that are nobody's. */
    g_assert_cmpuint (queued + dropped, <=, calls);
    g_assert_cmpuint (calls - queued - dropped, <=, 2 * RATE);
    g_assert_cmpuint (queued - recorded - before, <=, (kills + 1) * 2 * RATE * 2);
  }
  munmap (counters, sizeof *counters);
  rig_free (rig);
}

/* ---- Crowds ---- */

static void
test_threads (void)
{
  guint n = how_often ("WEFT_TEST_THREADS", 300);
  g_autofree char *arguments = g_strdup_printf ("threads=4 spans=1000 short=%u wait=1", n);
  Rig *rig = rig_new ();
  g_autofree char *output = NULL;

  rig_start (rig);
  g_assert_cmpint (rig_wait (rig_produce (rig->runtime, arguments), &output, NULL), ==, 0);
  {
    g_autoptr (WeftStore) store = rig_stop (rig);

    rig_check_lanes (store, output);
    g_assert_cmpuint (rig_loss (store, "sequence-gap"), ==, 0);
    g_assert_cmpuint (rig_number (output, "dropped"), ==, 0);
  }
  rig_free (rig);
}

static void
test_threads_at_once (void)
{
  guint n = how_often ("WEFT_TEST_THREADS", 300);
  g_autofree char *arguments = g_strdup_printf ("threads=%u spans=20 lanes=8 wait=1", n);
  Rig *rig = rig_new ();
  g_autofree char *output = NULL;

  rig_start (rig);
  g_assert_cmpint (rig_wait (rig_produce (rig->runtime, arguments), &output, NULL), ==, 0);
  {
    g_autoptr (WeftStore) store = rig_stop (rig);

    rig_check_lanes (store, output);
    g_assert_cmpuint (rig_number (output, "dropped"), ==, 0);
  }
  rig_free (rig);
}

/* Processes that are over at once: none waits for a connection. */
static void
test_processes (void)
{
  guint n = how_often ("WEFT_TEST_PROCESSES", 40);
  g_autofree RigProgram **programs = g_new0 (RigProgram *, n);
  Rig *rig = rig_new ();
  RigCounts counts;

  rig_start (rig);
  for (guint i = 0; i < n; i++)
    {
      programs[i] = rig_produce (rig->runtime, "threads=2 spans=25");
      if (i >= 8)
        g_assert_cmpint (rig_wait (g_steal_pointer (&programs[i - 8]), NULL, NULL), ==, 0);
    }
  for (guint i = 0; i < n; i++)
    if (programs[i] != NULL)
      g_assert_cmpint (rig_wait (programs[i], NULL, NULL), ==, 0);
  {
    g_autoptr (WeftStore) store = rig_stop (rig);

    rig_counts (store, "lane-0", &counts);
    g_test_message ("%u processes: %" G_GUINT64_FORMAT " records, %" G_GUINT64_FORMAT " lost", n,
                    counts.completed, counts.lost);
    g_assert_cmpuint (counts.submitted, ==, n * 50);
    g_assert_cmpuint (counts.completed, ==, n * 50);
    g_assert_cmpuint (weft_store_get_n_rows (store, WEFT_TABLE_PROCESSES), ==, n);
    g_assert_cmpuint (weft_store_get_n_rows (store, WEFT_TABLE_PROCESS_ENDS), ==, n);
  }
  rig_free (rig);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/kill/program", test_program_killed);
  g_test_add_func ("/kill/recorder", test_recorder_killed);
  g_test_add_func ("/kill/threads", test_threads);
  g_test_add_func ("/kill/threads-at-once", test_threads_at_once);
  g_test_add_func ("/kill/processes", test_processes);
  return g_test_run ();
}
