/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Real threads that wait, each for something else, and what is said of them. */

#include "cpu-rig.h"

#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "weft-clock.h"
#include "weft-enums.h"

#define MS G_GINT64_CONSTANT (1000000)

typedef struct
{
  const char *mode;
  WeftWaitReason reason;
  int system_call;
  const char *detail; /* how it begins */
  gboolean repeats;   /* it has to come back to be told */
} Case;

static const Case cases[] = {
  { "pool", WEFT_WAIT_REASON_IDLE, SYS_futex, "condition" },
  { "condition", WEFT_WAIT_REASON_SEMAPHORE, SYS_futex, "condition" },
  { "mutex", WEFT_WAIT_REASON_LOCK, SYS_futex, "mutex held by " },
  { "pi-mutex", WEFT_WAIT_REASON_LOCK, SYS_futex, "mutex held by " },
  { "rwlock", WEFT_WAIT_REASON_LOCK, SYS_futex, "read-write lock" },
  { "semaphore", WEFT_WAIT_REASON_SEMAPHORE, SYS_futex, "semaphore" },
  { "barrier", WEFT_WAIT_REASON_SEMAPHORE, SYS_futex, "barrier" },
  { "join", WEFT_WAIT_REASON_SEMAPHORE, SYS_futex, "end of thread " },
  { "futex", WEFT_WAIT_REASON_UNKNOWN, SYS_futex, "futex" },
  { "raw-lock", WEFT_WAIT_REASON_LOCK, SYS_futex, "lock" },
  { "pipe", WEFT_WAIT_REASON_IPC, SYS_read, "pipe:" },
  { "full-pipe", WEFT_WAIT_REASON_IPC, SYS_write, "pipe:" },
  { "socket", WEFT_WAIT_REASON_IPC, SYS_recvfrom, "socket:" },
  { "terminal", WEFT_WAIT_REASON_IO_READ, SYS_read, "/dev/pts/" },
  { "stopped-terminal", WEFT_WAIT_REASON_IO_WRITE, SYS_write, "/dev/pts/" },
  { "event", WEFT_WAIT_REASON_IPC, SYS_read, "anon_inode:[eventfd]" },
#ifdef SYS_poll
  { "poll", WEFT_WAIT_REASON_READINESS, SYS_poll, "socket:" },
  { "poll-timeout", WEFT_WAIT_REASON_READINESS, SYS_poll, "2 descriptors" },
  { "poll-loop", WEFT_WAIT_REASON_IDLE, SYS_poll, "2 descriptors", TRUE },
  { "poll-nothing", WEFT_WAIT_REASON_SLEEP, SYS_poll, "poll" },
  { "loop", WEFT_WAIT_REASON_IDLE, SYS_epoll_wait, "epoll", TRUE },
  { "signal", WEFT_WAIT_REASON_OTHER, SYS_pause, "pause" },
#endif
  { "select", WEFT_WAIT_REASON_READINESS, SYS_pselect6, "pipe:" },
  { "sleep", WEFT_WAIT_REASON_SLEEP, SYS_clock_nanosleep, "clock_nanosleep" },
  { "accept", WEFT_WAIT_REASON_CONNECT, SYS_accept, "socket:" },
  { "child", WEFT_WAIT_REASON_IPC, SYS_wait4, "wait4" },
  { "file-lock", WEFT_WAIT_REASON_LOCK, SYS_flock, "/tmp/weft-wait-" },
  { "fault", WEFT_WAIT_REASON_PAGE_FAULT, -1, "" },
};

typedef struct
{
  GPid pid;
  int in, out;
} Victim;

/* FALSE if it cannot wait like this here. */
static gboolean
victim_start (Victim *victim, const char *mode)
{
  char *argv[] = { (char *) g_getenv ("WEFT_TEST_WAIT_VICTIM"), (char *) mode, NULL };
  g_autoptr (GError) error = NULL;
  char text[16];

  g_spawn_async_with_pipes (NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &victim->pid,
                            &victim->in, &victim->out, NULL, &error);
  g_assert_no_error (error);
  return read (victim->out, text, sizeof text) == 6;
}

static void
victim_stop (Victim *victim)
{
  close (victim->in);
  close (victim->out);
  kill (victim->pid, SIGKILL);
  while (waitpid (victim->pid, NULL, 0) < 0)
    ;
  g_spawn_close_pid (victim->pid);
}

static guint
count_threads (const Victim *victim)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/task", victim->pid);
  g_autoptr (GDir) tasks = g_dir_open (path, 0, NULL);
  guint n = 0;

  while (g_dir_read_name (tasks) != NULL)
    n++;
  return n;
}

/* The threads named "victim", as /proc has them. */
static GArray *
victim_threads (const Victim *victim)
{
  GArray *tids = g_array_new (FALSE, FALSE, sizeof (int));
  g_autofree char *path = g_strdup_printf ("/proc/%d/task", victim->pid);
  g_autoptr (GDir) tasks = g_dir_open (path, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (tasks)) != NULL)
    {
      int tid = atoi (name);
      g_autofree char *comm = weft_process_thread_name (victim->pid, tid);

      if (g_strcmp0 (comm, "victim") == 0)
        g_array_append_val (tids, tid);
    }
  return tids;
}

/* On a busy machine they may take their time. */
static gboolean
all_wait (gpointer data)
{
  const Victim *victim = data;
  g_autoptr (GArray) tids = victim_threads (victim);

  for (guint i = 0; i < tids->len; i++)
    if (weft_process_thread_state (victim->pid, g_array_index (tids, int, i)) == 'R')
      return FALSE;
  return tids->len > 0;
}

/* It went on, and waits anew. */
static void
come_back (CpuRig *rig, const Victim *victim)
{
  g_autoptr (GArray) tids = victim_threads (victim);

  for (guint i = 0; i < tids->len; i++)
    {
      int tid = g_array_index (tids, int, i);

      weft_cpu_tracker_switch_in (rig->tracker, weft_monotonic_now (), victim->pid, tid, 0);
      weft_cpu_tracker_switch_out (rig->tracker, weft_monotonic_now (), victim->pid, tid, FALSE, 0,
                                   NULL);
    }
}

static void
check_waits (WeftStore *store, const Case *c)
{
  g_autoptr (Rows) waits = rows_read (store, WEFT_TABLE_WAITS);
  g_autoptr (Rows) threads = rows_read (store, WEFT_TABLE_THREADS);
  guint n = 0;

  for (guint64 i = 0; i < waits->n; i++)
    {
      guint64 thread = rows_get (waits, i, WEFT_WAITS_THREAD);
      const char *detail = rows_text (waits, i, WEFT_WAITS_DETAIL);

      if (g_strcmp0 (rows_text (threads, thread - 1, WEFT_THREADS_NAME), "victim") != 0 ||
          !(rows_get (waits, i, WEFT_WAITS_MARKS) & 2))
        continue;
      g_test_message ("%s: reason %u, system call %d, %s", c->mode,
                      (guint) rows_get (waits, i, WEFT_WAITS_REASON),
                      (int) rows_get (waits, i, WEFT_WAITS_SYSTEM_CALL), detail);
      g_assert_cmpuint (rows_get (waits, i, WEFT_WAITS_REASON), ==, c->reason);
      if (c->system_call >= 0)
        g_assert_cmpint ((gint64) rows_get (waits, i, WEFT_WAITS_SYSTEM_CALL), ==, c->system_call);
      g_assert_true (g_str_has_prefix (detail ? detail : "", c->detail));
      g_assert_true (rows_has (waits, i, WEFT_WAITS_SNAPSHOT));
      g_assert_cmpuint (rows_get (waits, i, WEFT_WAITS_CALLCHAIN), !=, 0);
      g_assert_cmpuint (rows_get (waits, i, WEFT_WAITS_END), ==, WEFT_STACK_END_COMPLETE);
      n++;
    }
  g_assert_cmpuint (n, >, 0);
}

/* Until N more looks have been taken, one at each thread that waits: one finds nothing while the
 * thread runs, and looks are paid for out of what time brings, so that the next may have to wait.
 */
static void
look (CpuRig *rig, guint n)
{
  const gint64 deadline = weft_monotonic_now () + 30000 * MS;
  WeftCpuTrackerStatus status;
  guint64 wanted;

  weft_cpu_tracker_get_status (rig->tracker, &status);
  wanted = status.snapshots + n;
  while (status.snapshots < wanted)
    {
      g_assert_cmpint (weft_monotonic_now (), <, deadline);
      g_usleep (1000);
      weft_cpu_tracker_tick (rig->tracker, weft_monotonic_now ());
      weft_cpu_tracker_get_status (rig->tracker, &status);
    }
}

/* At all threads. The first one, which runs now and then, is said to wait, too: how many looks there
 * will be is known then.
 */
static void
look_at_all (CpuRig *rig, const Victim *victim)
{
  weft_cpu_tracker_switch_in (rig->tracker, weft_monotonic_now (), victim->pid, victim->pid, 0);
  weft_cpu_tracker_switch_out (rig->tracker, weft_monotonic_now (), victim->pid, victim->pid, FALSE,
                               0, NULL);
  look (rig, count_threads (victim));
}

static void
test_reason (gconstpointer data)
{
  const Case *c = data;
  WeftCpuTrackerOptions options = { .snapshot_interval = MS, .snapshot_share = 1000 };
  CpuRig *rig = cpu_rig_new (&options);
  g_autoptr (WeftStore) store = NULL;
  g_autoptr (GArray) tids = NULL;
  Victim victim;

  if (!victim_start (&victim, c->mode))
    {
      g_test_skip ("this system does not let a program wait like that");
      weft_cpu_tracker_free (g_steal_pointer (&rig->tracker));
      victim_stop (&victim);
      return;
    }
  g_assert_true (rig_until (all_wait, &victim, 10));
  g_assert_true (weft_cpu_tracker_attach (rig->tracker, weft_monotonic_now (), victim.pid));
  tids = victim_threads (&victim);
  look_at_all (rig, &victim);
  for (guint i = 0; c->repeats && i < 3; i++)
    {
      come_back (rig, &victim);
      look (rig, tids->len);
    }
  store = cpu_rig_stop (rig, weft_monotonic_now () - rig->start);
  victim_stop (&victim);
  check_waits (store, c);
  cpu_rig_free (rig);
}

/* ---- Events that come after the look ---- */

/* What a look saw is of the wait that was at that time, and of none if the thread ran meanwhile:
 * the events of that come only afterwards. HALF_WAY: it ran while we looked.
 */
static void
check_late_events (gboolean half_way)
{
  WeftCpuTrackerOptions options = { .snapshot_interval = MS, .snapshot_share = 1000 };
  CpuRig *rig = cpu_rig_new (&options);
  g_autoptr (WeftStore) store = NULL;
  g_autoptr (Rows) waits = NULL;
  g_autoptr (GArray) tids = NULL;
  gint64 before, after;
  guint64 thread;
  guint n = 0;
  Victim victim;
  int tid;

  g_assert_true (victim_start (&victim, "sleep"));
  g_assert_true (rig_until (all_wait, &victim, 10));
  tids = victim_threads (&victim);
  tid = g_array_index (tids, int, 0);
  g_assert_true (weft_cpu_tracker_attach (rig->tracker, weft_monotonic_now (), victim.pid));
  g_usleep (5000);
  before = weft_monotonic_now ();
  look_at_all (rig, &victim);
  after = weft_monotonic_now ();
  weft_cpu_tracker_switch_in (rig->tracker, before - 2 * MS, victim.pid, tid, 0);
  weft_cpu_tracker_switch_out (rig->tracker, half_way ? after + MS : before - MS, victim.pid, tid,
                               FALSE, 0, NULL);
  store = cpu_rig_stop (rig, after + 2 * MS - rig->start);
  victim_stop (&victim);

  waits = rows_read (store, WEFT_TABLE_WAITS);
  thread = cpu_rig_thread_id (store, "victim");
  for (guint64 i = 0; i < waits->n; i++)
    {
      if (rows_get (waits, i, WEFT_WAITS_THREAD) != thread)
        continue;
      g_assert_cmpuint (rows_get (waits, i, WEFT_WAITS_CALLCHAIN) != 0, ==, n == 1 && !half_way);
      g_assert_cmpuint (rows_get (waits, i, WEFT_WAITS_REASON), ==,
                        n == 1 && !half_way ? WEFT_WAIT_REASON_SLEEP : WEFT_WAIT_REASON_UNKNOWN);
      n++;
    }
  g_assert_cmpuint (n, ==, 2);
  cpu_rig_free (rig);
}

static void
test_look_at_next_wait (void)
{
  check_late_events (FALSE);
}

static void
test_look_at_running (void)
{
  check_late_events (TRUE);
}

/* Time for hardly a look in a minute: waits stay without one, and each of them is counted. */
static void
test_price_is_kept (void)
{
  WeftCpuTrackerOptions options = { .snapshot_interval = MS, .snapshot_share = 1 };
  CpuRig *rig = cpu_rig_new (&options);
  g_autoptr (WeftStore) store = NULL;
  g_autoptr (GArray) tids = NULL;
  WeftCpuTrackerStatus status;
  gint64 now;
  Victim victim;
  int tid;

  g_assert_true (victim_start (&victim, "sleep"));
  g_assert_true (rig_until (all_wait, &victim, 10));
  tids = victim_threads (&victim);
  tid = g_array_index (tids, int, 0);
  now = weft_monotonic_now ();
  g_assert_true (weft_cpu_tracker_attach (rig->tracker, now, victim.pid));
  for (guint i = 0; i < 200; i++)
    {
      /* Only the clock that the tracker is shown goes on. */
      now += 2 * MS;
      weft_cpu_tracker_tick (rig->tracker, now);
      weft_cpu_tracker_switch_in (rig->tracker, now, victim.pid, tid, 0);
      weft_cpu_tracker_switch_out (rig->tracker, now + 1, victim.pid, tid, FALSE, 0, NULL);
    }
  weft_cpu_tracker_get_status (rig->tracker, &status);
  g_test_message ("%u looks, %u left out", (guint) status.snapshots,
                  (guint) status.snapshots_skipped);
  g_assert_cmpuint (status.snapshots, <, 100);
  g_assert_cmpuint (status.snapshots_skipped, >, 100);
  g_assert_cmpuint (status.snapshots + status.snapshots_skipped, <=, 201);
  store = cpu_rig_stop (rig, now - rig->start);
  victim_stop (&victim);
  cpu_rig_free (rig);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/cpu/wait-reason/%s", cases[i].mode);

      g_test_add_data_func (path, &cases[i], test_reason);
    }
  g_test_add_func ("/cpu/wait-look/next-wait", test_look_at_next_wait);
  g_test_add_func ("/cpu/wait-look/running", test_look_at_running);
  g_test_add_func ("/cpu/wait-look/price", test_price_is_kept);
  return g_test_run ();
}
