/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hand-made events: what rows come of them. */

#include "cpu-rig.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "weft-clock.h"
#include "weft-enums.h"
#include "weft-wait-handovers.h"

/* Numbers that no process has. */
#define PID 90000001
#define STRANGER 90000077
#define CHILD 90000002
#define TID 90000003
#define OTHER 90000004

#define US G_GINT64_CONSTANT (1000)
#define MS G_GINT64_CONSTANT (1000000)

#define MARK_APPROXIMATE 1
#define MARK_OPEN 2

static void
sample (CpuRig *rig, gint64 time, int pid, int tid, const guint64 *chain, guint n)
{
  WeftCpuSample s = { .time = rig->start + time,
                      .pid = pid,
                      .tid = tid,
                      .cpu = 1,
                      .weight = (guint64) MS,
                      .kernel_chain = chain,
                      .n_kernel = n };

  weft_cpu_tracker_sample (rig->tracker, &s);
}

static void
out (CpuRig *rig, gint64 time, int pid, int tid, gboolean preempted)
{
  weft_cpu_tracker_switch_out (rig->tracker, rig->start + time, pid, tid, preempted, 0, NULL);
}

static void
in (CpuRig *rig, gint64 time, int pid, int tid)
{
  weft_cpu_tracker_switch_in (rig->tracker, rig->start + time, pid, tid, 0);
}

static void
name (CpuRig *rig, gint64 time, int pid, int tid, const char *text, gboolean is_exec)
{
  weft_cpu_tracker_name (rig->tracker, rig->start + time, pid, tid, text, is_exec);
}

static void
start (CpuRig *rig, gint64 time, int pid, int tid, int parent_pid, int parent_tid)
{
  weft_cpu_tracker_start (rig->tracker, rig->start + time, pid, tid, parent_pid, parent_tid);
}

static void
leave (CpuRig *rig, gint64 time, int pid, int tid)
{
  weft_cpu_tracker_exit (rig->tracker, rig->start + time, pid, tid);
}

/* Of every thread, the last row of its times: both parts make up the whole, and the waits in the
 * file are the part off the CPU.
 */
static void
check_times (WeftStore *store)
{
  g_autoptr (Rows) times = rows_read (store, WEFT_TABLE_THREAD_TIMES);
  g_autoptr (Rows) threads = rows_read (store, WEFT_TABLE_THREADS);
  g_autoptr (Rows) waits = rows_read (store, WEFT_TABLE_WAITS);

  g_assert_cmpuint (times->n, >, 0);
  for (guint64 t = 0; t < threads->n; t++)
    {
      guint64 id = rows_get (threads, t, WEFT_THREADS_ID);
      guint64 on = 0, off = 0, waited = 0;
      gint64 begin = 0, end = 0;

      for (guint64 i = 0; i < times->n; i++)
        if (rows_get (times, i, WEFT_THREAD_TIMES_THREAD) == id)
          {
            on = rows_get (times, i, WEFT_THREAD_TIMES_ON_CPU);
            off = rows_get (times, i, WEFT_THREAD_TIMES_OFF_CPU);
            begin = (gint64) rows_get (times, i, WEFT_THREAD_TIMES_START);
            end = (gint64) rows_get (times, i, WEFT_THREAD_TIMES_TIME);
            g_assert_cmpuint (on + off, ==, (guint64) (end - begin));
          }
      for (guint64 i = 0; i < waits->n; i++)
        if (rows_get (waits, i, WEFT_WAITS_THREAD) == id)
          waited += rows_get (waits, i, WEFT_WAITS_DURATION);
      g_assert_cmpuint (waited, ==, off);
    }
}

static guint64
time_of (WeftStore *store, guint64 thread, WeftColumnNumber column)
{
  g_autoptr (Rows) times = rows_read (store, WEFT_TABLE_THREAD_TIMES);
  guint64 value = G_MAXUINT64;

  for (guint64 i = 0; i < times->n; i++)
    if (rows_get (times, i, WEFT_THREAD_TIMES_THREAD) == thread)
      value = rows_get (times, i, column);
  return value;
}

/* ---- Who is there ---- */

static void
test_life (void)
{
  CpuRig *rig = cpu_rig_new (NULL);
  g_autoptr (WeftStore) store = NULL;
  g_autoptr (Rows) processes = NULL, threads = NULL, samples = NULL, ends = NULL, waits = NULL;
  const guint64 chain[] = { 0xffffffff81000010, 0xffffffff81000020 };
  const guint64 shorter[] = { 0xffffffff81000020 };
  guint64 main_thread, worker;

  name (rig, 0, PID, PID, "program", TRUE);
  sample (rig, 1 * MS, PID, PID, chain, 2);
  start (rig, 2 * MS, PID, TID, PID, PID);
  in (rig, 3 * MS, PID, TID);
  name (rig, 3 * MS + US, PID, TID, "worker", FALSE);
  sample (rig, 4 * MS, PID, TID, chain, 2);
  sample (rig, 5 * MS, PID, TID, chain, 2);
  leave (rig, 6 * MS, PID, TID);
  sample (rig, 6 * MS + 1, PID, TID, shorter, 1); /* it is still on its way out */
  out (rig, 6 * MS + 2, PID, TID, FALSE);
  leave (rig, 10 * MS, PID, PID);
  store = cpu_rig_stop (rig, 20 * MS);

  processes = rows_read (store, WEFT_TABLE_PROCESSES);
  threads = rows_read (store, WEFT_TABLE_THREADS);
  samples = rows_read (store, WEFT_TABLE_SAMPLES);
  ends = rows_read (store, WEFT_TABLE_PROCESS_ENDS);
  waits = rows_read (store, WEFT_TABLE_WAITS);
  g_assert_cmpuint (processes->n, ==, 1);
  g_assert_cmpstr (rows_text (processes, 0, WEFT_PROCESSES_NAME), ==, "program");
  g_assert_cmpuint (threads->n, ==, 2);
  g_assert_cmpuint (samples->n, ==, 4);
  g_assert_cmpuint (ends->n, ==, 1);
  g_assert_cmpint ((gint64) rows_get (ends, 0, WEFT_PROCESS_ENDS_TIME), ==, 10 * MS);
  main_thread = cpu_rig_thread_id (store, "program");
  worker = cpu_rig_thread_id (store, "worker");
  g_assert_cmpuint (rows_get (samples, 0, WEFT_SAMPLES_THREAD), ==, main_thread);
  for (guint i = 1; i < 4; i++)
    g_assert_cmpuint (rows_get (samples, i, WEFT_SAMPLES_THREAD), ==, worker);
  g_assert_cmpuint (time_of (store, main_thread, WEFT_THREAD_TIMES_ON_CPU), ==, 10 * MS);
  g_assert_cmpuint (time_of (store, worker, WEFT_THREAD_TIMES_ON_CPU), ==, 3 * MS);
  g_assert_cmpuint (time_of (store, worker, WEFT_THREAD_TIMES_OFF_CPU), ==, 1 * MS);
  g_assert_cmpuint (time_of (store, worker, WEFT_THREAD_TIMES_ENDED), ==, 1);
  /* It waited for a CPU. */
  g_assert_cmpuint (waits->n, ==, 1);
  g_assert_cmpuint (rows_get (waits, 0, WEFT_WAITS_REASON), ==, WEFT_WAIT_REASON_PREEMPTED);
  check_times (store);
  cpu_rig_free (rig);
}

/* Equal stacks are one row, and share the rows of their callers. */
static void
test_callchains (void)
{
  CpuRig *rig = cpu_rig_new (NULL);
  g_autoptr (WeftStore) store = NULL;
  g_autoptr (Rows) frames = NULL, callchains = NULL, samples = NULL, modules = NULL;
  const guint64 base = 0xffffffff81000000;
  guint64 chain[4] = { base + 4, base + 3, base + 2, base + 1 };

  name (rig, 0, PID, PID, "program", TRUE);
  sample (rig, 1 * MS, PID, PID, chain, 4);
  sample (rig, 2 * MS, PID, PID, chain, 4);
  chain[0] = base + 5;
  sample (rig, 3 * MS, PID, PID, chain, 4);
  sample (rig, 4 * MS, PID, PID, chain + 2, 2);
  store = cpu_rig_stop (rig, 5 * MS);

  modules = rows_read (store, WEFT_TABLE_MODULES);
  frames = rows_read (store, WEFT_TABLE_FRAMES);
  callchains = rows_read (store, WEFT_TABLE_CALLCHAINS);
  samples = rows_read (store, WEFT_TABLE_SAMPLES);
  g_assert_cmpuint (modules->n, ==, 1);
  g_assert_cmpuint (rows_get (modules, 0, WEFT_MODULES_KIND), ==, WEFT_MODULE_KIND_KERNEL);
  /* A frame that is the innermost of one stack and a caller in another is two. */
  g_assert_cmpuint (frames->n, ==, 6);
  g_assert_cmpuint (callchains->n, ==, 6);
  g_assert_cmpuint (rows_get (samples, 0, WEFT_SAMPLES_CALLCHAIN), ==,
                    rows_get (samples, 1, WEFT_SAMPLES_CALLCHAIN));
  for (guint64 i = 0; i < callchains->n; i++)
    {
      guint64 parent = rows_get (callchains, i, WEFT_CALLCHAINS_PARENT);

      g_assert_cmpuint (rows_get (callchains, i, WEFT_CALLCHAINS_ID), ==, i + 1);
      g_assert_cmpuint (parent, <=, i);
      g_assert_cmpuint (rows_get (callchains, i, WEFT_CALLCHAINS_DEPTH), ==,
                        parent ? rows_get (callchains, parent - 1, WEFT_CALLCHAINS_DEPTH) + 1 : 1);
    }
  cpu_rig_free (rig);
}

/* A number comes again: another thread, another row. */
static void
test_reuse (void)
{
  CpuRig *rig = cpu_rig_new (NULL);
  g_autoptr (WeftStore) store = NULL;
  g_autoptr (Rows) threads = NULL, processes = NULL, samples = NULL;
  gint64 t = 0;

  name (rig, t, PID, PID, "program", TRUE);
  sample (rig, t + MS, PID, PID, NULL, 0);
  for (guint i = 0; i < 3; i++, t += 100 * MS)
    {
      start (rig, t + 2 * MS, PID, TID, PID, PID);
      in (rig, t + 3 * MS, PID, TID);
      sample (rig, t + 4 * MS, PID, TID, NULL, 0);
      leave (rig, t + 5 * MS, PID, TID);
      start (rig, t + 10 * MS, CHILD, CHILD, PID, PID);
      in (rig, t + 11 * MS, CHILD, CHILD);
      sample (rig, t + 12 * MS, CHILD, CHILD, NULL, 0);
      leave (rig, t + 13 * MS, CHILD, CHILD);
    }
  store = cpu_rig_stop (rig, t);
  processes = rows_read (store, WEFT_TABLE_PROCESSES);
  threads = rows_read (store, WEFT_TABLE_THREADS);
  samples = rows_read (store, WEFT_TABLE_SAMPLES);
  g_assert_cmpuint (processes->n, ==, 1 + 3);
  g_assert_cmpuint (threads->n, ==, 1 + 3 + 3);
  g_assert_cmpuint (samples->n, ==, 7);
  for (guint64 i = 0, generation = 1; i < threads->n; i++)
    if (rows_get (threads, i, WEFT_THREADS_TID) == TID)
      g_assert_cmpuint (rows_get (threads, i, WEFT_THREADS_GENERATION), ==, generation++);
  for (guint64 i = 0; i < samples->n; i++)
    for (guint64 j = 0; j < i; j++)
      g_assert_cmpuint (rows_get (samples, i, WEFT_SAMPLES_THREAD), !=,
                        rows_get (samples, j, WEFT_SAMPLES_THREAD));
  check_times (store);
  cpu_rig_free (rig);
}

/* What ran before an exec is another process; without anything to tell of before it is the same. */
static void
test_exec (void)
{
  CpuRig *rig = cpu_rig_new (NULL);
  g_autoptr (WeftStore) store = NULL;
  g_autoptr (Rows) processes = NULL, samples = NULL, threads = NULL;

  name (rig, 0, PID, PID, "first", TRUE);
  start (rig, 1 * MS, PID, TID, PID, PID);
  in (rig, 1 * MS, PID, TID);
  name (rig, 1 * MS, PID, TID, "worker", FALSE);
  sample (rig, 2 * MS, PID, PID, NULL, 0);
  sample (rig, 2 * MS, PID, TID, NULL, 0);
  weft_cpu_tracker_tick (rig->tracker, rig->start + 2 * MS);
  name (rig, 3 * MS, PID, PID, "second", TRUE); /* its other thread is gone with it */
  sample (rig, 4 * MS, PID, PID, NULL, 0);
  leave (rig, 5 * MS, PID, PID);

  start (rig, 6 * MS, CHILD, CHILD, OTHER, OTHER);
  name (rig, 6 * MS, CHILD, CHILD, "third", TRUE);
  leave (rig, 7 * MS, CHILD, CHILD);
  store = cpu_rig_stop (rig, 8 * MS);

  processes = rows_read (store, WEFT_TABLE_PROCESSES);
  samples = rows_read (store, WEFT_TABLE_SAMPLES);
  threads = rows_read (store, WEFT_TABLE_THREADS);
  g_assert_cmpuint (processes->n, ==, 3);
  g_assert_cmpstr (rows_text (processes, 0, WEFT_PROCESSES_NAME), ==, "first");
  g_assert_cmpstr (rows_text (processes, 1, WEFT_PROCESSES_NAME), ==, "second");
  g_assert_cmpstr (rows_text (processes, 2, WEFT_PROCESSES_NAME), ==, "third");
  g_assert_cmpuint (rows_get (processes, 1, WEFT_PROCESSES_PID), ==, PID);
  g_assert_cmpuint (rows_get (processes, 2, WEFT_PROCESSES_PARENT_PID), ==, OTHER);
  g_assert_cmpuint (threads->n, ==, 4);
  g_assert_cmpuint (rows_get (samples, 0, WEFT_SAMPLES_THREAD), !=,
                    rows_get (samples, 2, WEFT_SAMPLES_THREAD));
  g_assert_cmpuint (time_of (store, cpu_rig_thread_id (store, "first"), WEFT_THREAD_TIMES_ON_CPU),
                    ==, 3 * MS);
  g_assert_cmpuint (time_of (store, cpu_rig_thread_id (store, "second"), WEFT_THREAD_TIMES_ON_CPU),
                    ==, 2 * MS);
  check_times (store);
  cpu_rig_free (rig);
}

/* ---- Who waits ---- */

static void
test_waits (void)
{
  CpuRig *rig = cpu_rig_new (NULL);
  g_autoptr (WeftStore) store = NULL;
  g_autoptr (Rows) waits = NULL;

  name (rig, 0, PID, PID, "program", TRUE);
  out (rig, 10 * MS, PID, PID, FALSE);
  in (rig, 30 * MS, PID, PID);
  out (rig, 31 * MS, PID, PID, TRUE);
  in (rig, 33 * MS, PID, PID);
  in (rig, 34 * MS, PID, PID); /* nothing new */
  out (rig, 40 * MS, PID, PID, FALSE);
  store = cpu_rig_stop (rig, 100 * MS);

  waits = rows_read (store, WEFT_TABLE_WAITS);
  g_assert_cmpuint (waits->n, ==, 3);
  g_assert_cmpuint (rows_get (waits, 0, WEFT_WAITS_START), ==, 10 * MS);
  g_assert_cmpuint (rows_get (waits, 0, WEFT_WAITS_DURATION), ==, 20 * MS);
  g_assert_cmpuint (rows_get (waits, 0, WEFT_WAITS_REASON), ==, WEFT_WAIT_REASON_UNKNOWN);
  g_assert_cmpuint (rows_get (waits, 0, WEFT_WAITS_MARKS), ==, 0);
  g_assert_cmpuint (rows_get (waits, 1, WEFT_WAITS_REASON), ==, WEFT_WAIT_REASON_PREEMPTED);
  g_assert_cmpuint (rows_get (waits, 1, WEFT_WAITS_DURATION), ==, 2 * MS);
  g_assert_cmpuint (rows_get (waits, 2, WEFT_WAITS_DURATION), ==, 60 * MS);
  g_assert_cmpuint (rows_get (waits, 2, WEFT_WAITS_MARKS), ==, MARK_OPEN);
  g_assert_cmpuint (time_of (store, 1, WEFT_THREAD_TIMES_ON_CPU), ==, 18 * MS);
  check_times (store);
  cpu_rig_free (rig);
}

/* Events that are missing cost certainty, not the sum. */
static void
test_lost (void)
{
  CpuRig *rig = cpu_rig_new (NULL);
  g_autoptr (WeftStore) store = NULL;
  g_autoptr (Rows) waits = NULL;

  name (rig, 0, PID, PID, "program", TRUE);
  out (rig, 10 * MS, PID, PID, FALSE);
  weft_cpu_tracker_lost (rig->tracker, rig->start + 15 * MS, 0, 7);
  out (rig, 30 * MS, PID, PID, FALSE); /* it ran meanwhile */
  in (rig, 40 * MS, PID, PID);
  out (rig, 50 * MS, PID, PID, FALSE);
  sample (rig, 60 * MS, PID, PID, NULL, 0); /* so it runs */
  store = cpu_rig_stop (rig, 70 * MS);

  waits = rows_read (store, WEFT_TABLE_WAITS);
  g_assert_cmpuint (waits->n, ==, 3);
  g_assert_cmpuint (rows_get (waits, 0, WEFT_WAITS_MARKS), ==, MARK_APPROXIMATE);
  g_assert_cmpuint (rows_get (waits, 1, WEFT_WAITS_MARKS), ==, 0);
  g_assert_cmpuint (rows_get (waits, 2, WEFT_WAITS_DURATION), ==, 10 * MS);
  g_assert_cmpuint (rig_loss (store, "sample-lost"), ==, 7);
  check_times (store);
  cpu_rig_free (rig);
}

static void
test_wakers (void)
{
  CpuRig *rig = cpu_rig_new (NULL);
  g_autoptr (WeftStore) store = NULL;
  g_autoptr (Rows) waits = NULL, wakeups = NULL, times = NULL;
  const guint64 chain[] = { 0xffffffff81000010 };
  WeftCpuSample stack = { .kernel_chain = chain, .n_kernel = 1 };
  guint64 worker;

  name (rig, 0, PID, PID, "program", TRUE);
  start (rig, 1 * MS, PID, TID, PID, PID);
  in (rig, 1 * MS, PID, TID);
  name (rig, 1 * MS, PID, TID, "worker", FALSE);
  out (rig, 10 * MS, PID, PID, FALSE);
  weft_cpu_tracker_wakeup (rig->tracker, rig->start + 20 * MS, PID, TID, PID, FALSE, &stack);
  weft_cpu_tracker_wakeup (rig->tracker, rig->start + 21 * MS, 0, 0, PID, TRUE, NULL); /* late */
  in (rig, 30 * MS, PID, PID);
  weft_cpu_tracker_wakeup (rig->tracker, rig->start + 31 * MS, PID, TID, PID, FALSE, &stack);
  out (rig, 40 * MS, PID, PID, FALSE);
  weft_cpu_tracker_wakeup (rig->tracker, rig->start + 50 * MS, PID, TID, PID, TRUE, NULL);
  in (rig, 60 * MS, PID, PID);
  out (rig, 70 * MS, PID, PID, FALSE);
  weft_cpu_tracker_wakeup (rig->tracker, rig->start + 75 * MS, STRANGER, STRANGER, PID, FALSE,
                           NULL);
  in (rig, 80 * MS, PID, PID);
  store = cpu_rig_stop (rig, 100 * MS);

  waits = rows_read (store, WEFT_TABLE_WAITS);
  wakeups = rows_read (store, WEFT_TABLE_WAKEUPS);
  worker = cpu_rig_thread_id (store, "worker");
  g_assert_cmpuint (wakeups->n, ==, 4);
  /* Who makes a thread makes it runnable. */
  g_assert_cmpuint (rows_get (wakeups, 0, WEFT_WAKEUPS_TIME), ==, 1 * MS);
  g_assert_cmpuint (rows_get (wakeups, 0, WEFT_WAKEUPS_WAKEE), ==, worker);
  g_assert_cmpuint (rows_get (wakeups, 0, WEFT_WAKEUPS_WAKER), ==,
                    rows_get (waits, 1, WEFT_WAITS_THREAD));
  g_assert_cmpuint (rows_get (wakeups, 1, WEFT_WAKEUPS_TIME), ==, 20 * MS);
  g_assert_cmpuint (rows_get (wakeups, 1, WEFT_WAKEUPS_WAKER), ==, worker);
  g_assert_cmpuint (rows_get (wakeups, 1, WEFT_WAKEUPS_CALLCHAIN), !=, 0);
  g_assert_cmpuint (rows_get (wakeups, 1, WEFT_WAKEUPS_SOURCE), ==, WEFT_WAKEUP_SOURCE_KERNEL);
  g_assert_cmpuint (rows_get (wakeups, 2, WEFT_WAKEUPS_WAKER), ==, 0);
  g_assert_cmpuint (waits->n, ==, 4); /* the first is the worker's for its first CPU */
  g_assert_cmpuint (rows_get (waits, 0, WEFT_WAITS_WAKEUP), ==, 1);
  g_assert_cmpuint (rows_get (waits, 1, WEFT_WAITS_WAKER), ==, worker);
  g_assert_cmpuint (rows_get (waits, 1, WEFT_WAITS_WAKEUP), ==, 2);
  g_assert_cmpuint (rows_get (waits, 2, WEFT_WAITS_WAKER), ==, 0);
  g_assert_cmpuint (rows_get (waits, 2, WEFT_WAITS_WAKEUP), ==, 3);
  g_assert_cmpuint (rows_get (waits, 3, WEFT_WAITS_WAKEUP), ==, 4);
  /* Who is known only as one that woke another is not watched: its times are not known. */
  g_assert_cmpuint (rows_get (wakeups, 3, WEFT_WAKEUPS_WAKER), !=, 0);
  times = rows_read (store, WEFT_TABLE_THREAD_TIMES);
  for (guint i = 0; i < times->n; i++)
    g_assert_cmpuint (rows_get (times, i, WEFT_THREAD_TIMES_THREAD), !=,
                      rows_get (wakeups, 3, WEFT_WAKEUPS_WAKER));
  check_times (store);
  cpu_rig_free (rig);
}

static void
test_approximate (void)
{
  WeftCpuTrackerOptions options = { .approximate = TRUE };
  CpuRig *rig = cpu_rig_new (&options);
  g_autoptr (WeftStore) store = NULL;
  g_autoptr (Rows) waits = NULL;

  name (rig, 0, PID, PID, "program", TRUE);
  out (rig, 10 * MS, PID, PID, FALSE);
  in (rig, 20 * MS, PID, PID);
  store = cpu_rig_stop (rig, 30 * MS);
  waits = rows_read (store, WEFT_TABLE_WAITS);
  g_assert_cmpuint (rows_get (waits, 0, WEFT_WAITS_MARKS), ==, MARK_APPROXIMATE);
  cpu_rig_free (rig);
}

/* ---- Threads that targets tell of ---- */

/* A child of ours that has run another program since. */
static pid_t
spawn_sleeper (void)
{
  const char *argv[] = { "sleep", "1000", NULL };
  g_autoptr (GError) error = NULL;
  pid_t pid;

  g_spawn_async (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL,
                 NULL, &pid, &error);
  g_assert_no_error (error);
  return pid;
}

/* /proc knows of the other program before its event has come: what the child did before it is the
 * parent's program still, and the other one's row is also that of a producer that is in it.
 */
static void
test_exec_ahead (void)
{
  CpuRig *rig = cpu_rig_new (NULL);
  g_autoptr (WeftStore) store = NULL;
  g_autoptr (Rows) processes = NULL;
  WeftProcessInfo info;
  gint64 forked = weft_monotonic_now () - rig->start;
  pid_t pid = spawn_sleeper ();
  guint n = 0;

  g_assert_true (weft_cpu_tracker_attach (rig->tracker, rig->start, getpid ()));
  start (rig, forked, pid, pid, getpid (), getpid ());
  sample (rig, forked + 1, pid, pid, NULL, 0);
  weft_cpu_tracker_tick (rig->tracker, rig->start + forked + 100 * MS);
  weft_cpu_rows_drain (rig->rows);
  weft_process_info_read (&info, pid);
  g_assert_cmpstr (info.command_line, ==, "sleep 1000");
  g_assert_cmpuint (weft_ingest_add_process (rig->ingest, &info), ==, 3);
  name (rig, forked + 2, pid, pid, "sleep", TRUE);
  sample (rig, forked + 3, pid, pid, NULL, 0);
  store = cpu_rig_stop (rig, forked + 200 * MS);
  kill (pid, SIGKILL);
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);

  processes = rows_read (store, WEFT_TABLE_PROCESSES);
  g_assert_cmpuint (processes->n, ==, 3);
  for (guint64 i = 0; i < processes->n; i++)
    {
      const char *command_line = rows_text (processes, i, WEFT_PROCESSES_COMMAND_LINE);

      n += rows_get (processes, i, WEFT_PROCESSES_PID) == (guint64) pid;
      g_assert_cmpint (g_str_equal (command_line, "sleep 1000"), ==,
                       rows_get (processes, i, WEFT_PROCESSES_ID) == 3);
    }
  g_assert_cmpuint (n, ==, 2);
  weft_process_info_clear (&info);
  cpu_rig_free (rig);
}

static void
test_shared_identity (void)
{
  CpuRig *rig = cpu_rig_new (NULL);
  g_autoptr (WeftStore) store = NULL;
  g_autoptr (Rows) threads = NULL, processes = NULL, samples = NULL;
  WeftProcessInfo info = { .pid = PID,
                           .started = rig->start - 995 * MS, /* in ticks of 10 ms */
                           .command_line = (char *) "program --option" };
  WeftIngestThread thread = { .tid = TID,
                              .namespace_tid = TID,
                              .started = rig->start + 10 * MS,
                              .seen = rig->start + 11 * MS,
                              .name = "told",
                              .runtime = 1 };
  guint64 process = weft_ingest_add_process (rig->ingest, &info);
  guint64 first = weft_ingest_add_thread (rig->ingest, process, &thread);

  start (rig, -1000 * MS, PID, PID, OTHER, OTHER);
  in (rig, 0, PID, PID);
  start (rig, 8 * MS, PID, TID, PID, PID);
  sample (rig, 12 * MS, PID, TID, NULL, 0);
  leave (rig, 13 * MS, PID, TID);
  start (rig, 100 * MS, PID, TID, PID, PID);
  sample (rig, 102 * MS, PID, TID, NULL, 0);
  weft_cpu_tracker_tick (rig->tracker, rig->start + 103 * MS);
  weft_cpu_rows_drain (rig->rows);

  /* Told by a producer that heard of it when it was gone: by when it was seen. */
  thread.started = 0;
  thread.seen = rig->start + 101 * MS;
  thread.runtime = 2;
  g_assert_cmpuint (weft_ingest_add_thread (rig->ingest, process, &thread), !=, first);
  thread.seen = rig->start + 12 * MS;
  thread.runtime = 3;
  g_assert_cmpuint (weft_ingest_add_thread (rig->ingest, process, &thread), ==, first);
  store = cpu_rig_stop (rig, 200 * MS);

  processes = rows_read (store, WEFT_TABLE_PROCESSES);
  threads = rows_read (store, WEFT_TABLE_THREADS);
  samples = rows_read (store, WEFT_TABLE_SAMPLES);
  g_assert_cmpuint (processes->n, ==, 1);
  g_assert_cmpuint (threads->n, ==, 3);
  g_assert_cmpuint (rows_get (samples, 0, WEFT_SAMPLES_THREAD), ==, first);
  g_assert_cmpuint (rows_get (samples, 1, WEFT_SAMPLES_THREAD), !=, first);
  cpu_rig_free (rig);
}

/* ---- Hand-overs ---- */

#define OBJECT 0x1000
#define LOCK 0x2000

static void
hand (WeftWaitHandovers *handovers, guint64 thread, guint64 object, gint64 time)
{
  const WeftIngestHandover handover = {
    .process = 1, .thread = thread, .object = object, .begin = time, .end = time
  };

  weft_wait_handovers_add (handovers, &handover);
}

static void
wait_for (WeftWaitHandovers *handovers, guint64 thread, gint64 begin, gint64 end, gboolean expired)
{
  const WeftIngestHandover handover = { .process = 1,
                                        .thread = thread,
                                        .waited = TRUE,
                                        .expired = expired,
                                        .object = OBJECT,
                                        .also = LOCK,
                                        .begin = begin,
                                        .end = end };

  weft_wait_handovers_add (handovers, &handover);
}

/* The waker of thread 7 from START to STOP; G_MAXUINT64: not known. */
static guint64
waker (WeftWaitHandovers *handovers, guint64 object, gint64 start_time, gint64 stop)
{
  const WeftWaitQuestion question = {
    .process = 1, .thread = 7, .object = object, .start = start_time, .stop = stop
  };
  WeftWaitAnswer answer;

  return weft_wait_handovers_find (handovers, &question, &answer) ? answer.waker : G_MAXUINT64;
}

static void
test_handovers (void)
{
  WeftWaitHandovers *handovers = weft_wait_handovers_new ();

  g_assert_cmpuint (waker (handovers, OBJECT, 10 * MS, 20 * MS), ==, G_MAXUINT64);
  hand (handovers, 3, OBJECT, 19 * MS);
  hand (handovers, 2, OBJECT, 12 * MS); /* comes late */
  hand (handovers, 7, OBJECT, 20 * MS); /* nobody wakes himself */
  hand (handovers, 4, OBJECT, 21 * MS);
  hand (handovers, 5, LOCK, 45 * MS);
  g_assert_cmpuint (waker (handovers, OBJECT, 10 * MS, 20 * MS), ==, 3);
  g_assert_cmpuint (waker (handovers, OBJECT, 10 * MS, 15 * MS), ==, 2);
  g_assert_cmpuint (waker (handovers, OBJECT, 13 * MS, 15 * MS), ==, G_MAXUINT64);
  g_assert_cmpuint (waker (handovers, 0, 10 * MS, 20 * MS), ==, G_MAXUINT64);

  /* What it says that it waited for counts, and what it then waited for beside that. */
  wait_for (handovers, 7, 40 * MS, 50 * MS, FALSE);
  g_assert_cmpuint (waker (handovers, 0, 41 * MS, 49 * MS), ==, 5);
  /* The time was over, unless somebody was there first. */
  wait_for (handovers, 7, 60 * MS, 70 * MS, TRUE);
  g_assert_cmpuint (waker (handovers, 0, 60 * MS, 70 * MS), ==, 0);
  hand (handovers, 6, OBJECT, 65 * MS);
  g_assert_cmpuint (waker (handovers, 0, 60 * MS, 70 * MS), ==, 6);
  /* Of another wait, after it. */
  g_assert_cmpuint (waker (handovers, 0, 71 * MS, 75 * MS), ==, G_MAXUINT64);

  weft_wait_handovers_forget (handovers, 60 * MS);
  g_assert_cmpuint (waker (handovers, OBJECT, 10 * MS, 20 * MS), ==, G_MAXUINT64);
  g_assert_cmpuint (waker (handovers, 0, 60 * MS, 70 * MS), ==, 6);
  weft_wait_handovers_free (handovers);
}

/* ---- Two threads ---- */

typedef struct
{
  CpuRig *rig;
  gint over; /* atomic */
} Sampler;

static gpointer
run_sampler (gpointer data)
{
  Sampler *sampler = data;
  CpuRig *rig = sampler->rig;

  name (rig, 0, PID, PID, "program", TRUE);
  for (guint i = 1; i <= 20000; i++)
    {
      const guint64 chain[] = { 0xffffffff81000000 + i % 257, 0xffffffff81000000 + i % 31 };
      gint64 time = i * MS;

      sample (rig, time, PID, PID, chain, 2);
      out (rig, time + MS / 4, PID, PID, i % 2);
      in (rig, time + MS / 2, PID, PID);
      if (i % 100 == 0)
        weft_cpu_tracker_tick (rig->tracker, rig->start + time);
    }
  g_atomic_int_set (&sampler->over, 1);
  return NULL;
}

/* The sampler tells, the engine asks and writes. */
static void
test_two_threads (void)
{
  CpuRig *rig = cpu_rig_new (NULL);
  g_autoptr (WeftStore) store = NULL;
  g_autoptr (Rows) samples = NULL, waits = NULL;
  Sampler sampler = { .rig = rig };
  GThread *thread = g_thread_new ("sampler", run_sampler, &sampler);
  const WeftRegisters registers = { .pc = 0x1000, .sp = 0x2000 };
  guint8 bytes[64] = { 0 };
  const WeftStackCopy stack = { .address = 0x2000, .bytes = bytes, .length = sizeof bytes };

  while (!g_atomic_int_get (&sampler.over))
    {
      WeftCpuTrackerStatus status;
      WeftStackEnd end;
      gboolean extended;

      g_main_context_iteration (rig->context, FALSE);
      g_assert_cmpuint (
          weft_cpu_tracker_unwind (rig->tracker, PID, &registers, &stack, &end, &extended), !=, 0);
      weft_cpu_tracker_get_status (rig->tracker, &status);
      g_assert_cmpuint (status.behind, ==, 0);
      g_usleep (200);
    }
  g_thread_join (thread);
  store = cpu_rig_stop (rig, 30000 * MS);
  samples = rows_read (store, WEFT_TABLE_SAMPLES);
  waits = rows_read (store, WEFT_TABLE_WAITS);
  g_assert_cmpuint (samples->n, ==, 20000);
  g_assert_cmpuint (waits->n, ==, 20000);
  check_times (store);
  cpu_rig_free (rig);
}

/* ---- Nonsense ---- */

static void
test_nonsense (void)
{
  CpuRig *rig = cpu_rig_new (NULL);
  g_autoptr (WeftStore) store = NULL;
  g_autoptr (GRand) random = g_rand_new_with_seed (4);

  for (guint i = 0; i < 20000; i++)
    {
      gint64 time = g_rand_int_range (random, 0, 1000000) * (gint64) 1000;
      int pid = g_rand_int_range (random, -1, 6) + (g_rand_boolean (random) ? PID : 0);
      int tid = g_rand_int_range (random, -1, 6) + (g_rand_boolean (random) ? PID : 0);
      const guint64 chain[] = { g_rand_int (random), g_rand_int (random) % 16 };

      if (pid > 0 && pid < PID)
        pid = tid = 0;
      if (tid > 0 && tid < PID)
        tid = 0;
      switch (g_rand_int_range (random, 0, 8))
        {
        case 0:
          start (rig, time, pid, tid, PID, PID + 1);
          break;
        case 1:
          leave (rig, time, pid, tid);
          break;
        case 2:
          name (rig, time, pid, tid, "name that is longer than it may be", i % 64 == 0);
          break;
        case 3:
          weft_cpu_tracker_wakeup (rig->tracker, rig->start + time, pid, tid, PID + 2, FALSE, NULL);
          break;
        case 4:
          sample (rig, time, pid, tid, chain, 2);
          break;
        case 5:
          in (rig, time, pid, tid);
          break;
        default:
          out (rig, time, pid, tid, i % 3 == 0);
        }
      if (i % 100 == 0)
        weft_cpu_tracker_tick (rig->tracker, rig->start + i * MS);
      if (i % 500 == 0)
        weft_cpu_rows_drain (rig->rows);
    }
  store = cpu_rig_stop (rig, 1000000 * MS);
  check_times (store);
  cpu_rig_free (rig);
}

/* The engine's thread comes by itself: it is woken only for who is new, and for more than it should
 * find then.
 */
static void
test_wakes_for_much (void)
{
  const guint many = 8192;
  CpuRig *rig = cpu_rig_new (NULL);
  g_autoptr (WeftStore) store = NULL;
  g_autoptr (Rows) samples = NULL;

  start (rig, 0, PID, PID, OTHER, OTHER);
  in (rig, 1, PID, PID);
  sample (rig, 2, PID, PID, NULL, 0);
  weft_cpu_tracker_tick (rig->tracker, rig->start + 60 * MS);
  g_assert_true (g_main_context_iteration (rig->context, FALSE));
  sample (rig, 61 * MS, PID, PID, NULL, 0);
  weft_cpu_tracker_tick (rig->tracker, rig->start + 120 * MS);
  g_assert_false (g_main_context_iteration (rig->context, FALSE));
  for (guint i = 0; i < many; i++)
    sample (rig, 121 * MS + i, PID, PID, NULL, 0);
  weft_cpu_tracker_tick (rig->tracker, rig->start + 200 * MS);
  g_assert_true (g_main_context_iteration (rig->context, FALSE));
  g_assert_false (g_main_context_iteration (rig->context, FALSE));
  store = cpu_rig_stop (rig, 300 * MS);
  samples = rows_read (store, WEFT_TABLE_SAMPLES);
  g_assert_cmpuint (samples->n, ==, many + 2);
  cpu_rig_free (rig);
}

/* It comes again soon where memory or /proc has something to add that will be gone. */
static void
test_hurries (void)
{
  CpuRig *rig = cpu_rig_new (NULL);
  g_autoptr (WeftStore) store = NULL;
  gint64 calm, hurried;

  start (rig, 0, PID, PID, OTHER, OTHER);
  sample (rig, 2, PID, PID, NULL, 0);
  calm = weft_cpu_tracker_tick (rig->tracker, rig->start + 10 * MS) - rig->start;
  name (rig, 11 * MS, PID, PID, "next", TRUE);
  hurried = weft_cpu_tracker_tick (rig->tracker, rig->start + 12 * MS) - rig->start;
  g_assert_cmpint (hurried - 12 * MS, <, calm - 10 * MS);
  g_assert_cmpint (weft_cpu_tracker_tick (rig->tracker, rig->start + 2000 * MS) - rig->start, ==,
                   calm + 1990 * MS);
  store = cpu_rig_stop (rig, 2001 * MS);
  cpu_rig_free (rig);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cpu/tracker/wakes-for-much", test_wakes_for_much);
  g_test_add_func ("/cpu/tracker/hurries", test_hurries);
  g_test_add_func ("/cpu/tracker/life", test_life);
  g_test_add_func ("/cpu/tracker/callchains", test_callchains);
  g_test_add_func ("/cpu/tracker/reuse", test_reuse);
  g_test_add_func ("/cpu/tracker/exec", test_exec);
  g_test_add_func ("/cpu/tracker/waits", test_waits);
  g_test_add_func ("/cpu/tracker/lost", test_lost);
  g_test_add_func ("/cpu/tracker/wakers", test_wakers);
  g_test_add_func ("/cpu/tracker/approximate", test_approximate);
  g_test_add_func ("/cpu/tracker/exec-ahead", test_exec_ahead);
  g_test_add_func ("/cpu/tracker/shared-identity", test_shared_identity);
  g_test_add_func ("/cpu/tracker/handovers", test_handovers);
  g_test_add_func ("/cpu/tracker/two-threads", test_two_threads);
  g_test_add_func ("/cpu/tracker/nonsense", test_nonsense);
  return g_test_run ();
}
