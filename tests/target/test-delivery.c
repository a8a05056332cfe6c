/* SPDX-License-Identifier: BSD-2-Clause */
/* T8: what happens when things go wrong around a producer. */
#include "test-case.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>

static WeftTargetRoutine routine = WEFT_TARGET_ROUTINE ("work");

static void
pause_ms (long ms)
{
  const struct timespec wait = { ms / 1000, ms % 1000 * 1000000 };

  nanosleep (&wait, NULL);
}

static void
spans (WeftTargetLane *lane, unsigned int n)
{
  for (unsigned int i = 0; i < n; i++)
    weft_target_span (lane, &routine, i, i + 1);
}

static WeftTargetStats
stats_now (void)
{
  WeftTargetStats stats;

  weft_target_get_stats (&stats, sizeof stats);
  return stats;
}

/* ---- Death ---- */

static void
killed (void)
{
  TestRecorder *recorder = test_recorder_new ();
  pid_t pid;

  test_recorder_start (recorder);
  pid = fork ();
  if (pid == 0)
    {
      spans (weft_target_lane_new ("lane", "test.lane"), 12345);
      raise (SIGKILL);
    }
  test_wait (pid);
  CHECK_EQUAL (test_recorder_drain (recorder), 12345);
  CHECK (recorder->fault == NULL);
  CHECK_EQUAL (test_peer_gaps (recorder->peers), 0);
}

static void
recorder_gone (void)
{
  TestRecorder *recorder = test_recorder_new ();
  WeftTargetLane *lane = weft_target_lane_new ("lane", "test.lane");
  WeftTargetStats stats;
  size_t drained;

  recorder->keep = false;
  test_recorder_start (recorder);
  spans (lane, 10);
  CHECK_EQUAL (test_recorder_drain (recorder), 10);
  test_recorder_die (recorder);
  for (int i = 0; i < 900; i++)
    {
      spans (lane, 10000);
      if (stats_now ().state == WEFT_TARGET_STATE_DISCONNECTED)
        break;
    }
  stats = stats_now ();
  CHECK_EQUAL (stats.state, WEFT_TARGET_STATE_DISCONNECTED);
  spans (lane, 100);
  CHECK_EQUAL (stats_now ().dropped_disconnected, stats.dropped_disconnected + 100);
  /* The next one takes what is still there. */
  test_recorder_start (recorder);
  recorder->keep = false;
  spans (lane, 7);
  stats = stats_now ();
  drained = test_recorder_drain (recorder);
  CHECK_EQUAL (stats.state, WEFT_TARGET_STATE_CONNECTED);
  CHECK_EQUAL (drained + 10, stats.queued);
  CHECK_EQUAL (stats.connections, 2);
  spans (lane, 7);
  CHECK_EQUAL (test_recorder_drain (recorder), 7);
  CHECK (recorder->fault == NULL);
}

static void
not_reachable (void)
{
  TestRecorder *recorder = test_recorder_new ();
  WeftTargetLane *lane = weft_target_lane_new ("lane", "test.lane");
  WeftTargetStats stats;

  recorder->gate->major_min = recorder->gate->major_max = 1;
  recorder->gate->active = 1;
  spans (lane, 100);
  stats = stats_now ();
  CHECK_EQUAL (stats.state, WEFT_TARGET_STATE_DISCONNECTED);
  CHECK_EQUAL (stats.dropped_disconnected, 100);
  CHECK_EQUAL (stats.dropped, 100);
  test_recorder_start (recorder);
  recorder->gate->active = 1;
  pause_ms (15);
  spans (lane, 5);
  CHECK_EQUAL (test_recorder_drain (recorder), 5);
  CHECK_EQUAL (test_cell (recorder->peers->registry, 0)->drops[WEFT_WIRE_DROP_DISCONNECTED], 100);
}

/* A recorder that never drains: bounded memory, every loss counted, and a wish to be woken. */
static void
no_room (void)
{
  TestRecorder *recorder = test_recorder_new ();
  WeftTargetLane *lane = weft_target_lane_new ("lane", "test.lane");
  const uint64_t room = UINT64_C (1024) * WEFT_WIRE_MAX_SEGMENTS * 1024;
  WeftTargetStats stats;

  recorder->keep = false;
  test_recorder_start (recorder);
  spans (lane, (unsigned int) room + 1000);
  stats = stats_now ();
  CHECK_EQUAL (stats.queued, room);
  CHECK_EQUAL (stats.dropped_no_room, 1000);
  CHECK_EQUAL (test_recorder_drain (recorder), room);
  CHECK_EQUAL (recorder->peers->n_segments, WEFT_WIRE_MAX_SEGMENTS);
  CHECK (recorder->peers->wakes > 0);
  spans (lane, 3);
  CHECK_EQUAL (test_recorder_drain (recorder), 3);
  CHECK (recorder->fault == NULL);
  CHECK_EQUAL (test_peer_gaps (recorder->peers), 0);
}

/* ---- Fork and exec ---- */

static void
forks (void)
{
  TestRecorder *recorder = test_recorder_new ();
  WeftTargetLane *lane = weft_target_lane_new ("lane", "test.lane");
  WeftTargetMetric *gauge = weft_target_metric_new (lane, WEFT_TARGET_GAUGE, "g",
                                                    WEFT_TARGET_UNIT_NONE, NULL, NULL, 0);
  const WeftWireSpan *span;
  TestPeer *parent, *child;
  pid_t pid;

  test_recorder_start (recorder);
  weft_target_metric_report (gauge, 1.0);
  spans (lane, 100);
  pid = fork ();
  if (pid == 0)
    {
      WeftTargetLane *own;

      weft_target_metric_report (gauge, 2.0);
      spans (lane, 50);
      own = weft_target_lane_new ("child", "test.lane");
      CHECK_EQUAL (weft_target_lane_get_id (own), 2);
      spans (own, 5);
      CHECK_EQUAL (stats_now ().queued, 56);
      _exit (0);
    }
  CHECK_EQUAL (test_wait (pid), 0);
  spans (lane, 100);
  CHECK_EQUAL (test_recorder_drain (recorder), 201 + 56);
  parent = test_recorder_peer (recorder, getpid ());
  child = test_recorder_peer (recorder, pid);
  CHECK (parent != NULL && child != NULL);
  CHECK (parent->registry->runtime_id != child->registry->runtime_id);
  CHECK_EQUAL (parent->n_records, 201);
  CHECK_EQUAL (child->n_records, 56);
  CHECK_EQUAL (child->registry->pid, pid);
  CHECK_EQUAL (test_cell (parent->registry, 1)->gauge.count, 1);
  CHECK_EQUAL (test_cell (child->registry, 1)->gauge.count, 2);
  span = (const WeftWireSpan *) test_peer_find (child, WEFT_WIRE_SPAN, NULL);
  CHECK_EQUAL (span->routine, routine.id);
  CHECK_STRING (test_entry_string (test_entry_find (child->registry, WEFT_WIRE_ENTRY_LANE, NULL), 0),
                "lane");
  CHECK (recorder->fault == NULL);
}

static int threads_stop;

static void *
busy_thread (void *data)
{
  while (!__atomic_load_n (&threads_stop, __ATOMIC_ACQUIRE))
    {
      char name[16];
      static unsigned int turn;

      spans (data, 10);
      snprintf (name, sizeof name, "r%u", __atomic_fetch_add (&turn, 1, __ATOMIC_RELAXED) % 5000);
      weft_target_routine_new (name);
    }
  return NULL;
}

/* Whatever the parent's threads held at that moment, the child goes on. */
static void
forks_under_load (void)
{
  TestRecorder *recorder = test_recorder_new ();
  WeftTargetLane *lane = weft_target_lane_new ("lane", "test.lane");
  pthread_t threads[2];

  recorder->keep = false;
  test_recorder_start (recorder);
  for (int i = 0; i < 2; i++)
    pthread_create (&threads[i], NULL, busy_thread, lane);
  for (int i = 0; i < 30; i++)
    {
      pid_t pid = fork ();

      if (pid == 0)
        {
          alarm (20);
          spans (lane, 100);
          CHECK_EQUAL (stats_now ().queued + stats_now ().dropped_disconnected, 100);
          _exit (0);
        }
      CHECK_EQUAL (test_wait (pid), 0);
      test_recorder_drain (recorder);
    }
  __atomic_store_n (&threads_stop, 1, __ATOMIC_RELEASE);
  for (int i = 0; i < 2; i++)
    pthread_join (threads[i], NULL);
  CHECK (recorder->fault == NULL);
}

static void
executes (void)
{
  TestRecorder *recorder = test_recorder_new ();
  pid_t pid;

  test_recorder_start (recorder);
  pid = fork ();
  if (pid == 0)
    {
      spans (weft_target_lane_new ("lane", "test.lane"), 10);
      execl ("/proc/self/exe", "self", "--after-exec", (char *) NULL);
      _exit (9);
    }
  CHECK_EQUAL (test_wait (pid), 0);
  CHECK_EQUAL (test_recorder_drain (recorder), 30);
  CHECK_EQUAL (recorder->n_peers, 2);
}

/* ---- Descriptors, limits, privileges ---- */

static void
descriptors_closed (void)
{
  TestRecorder *recorder = test_recorder_new ();
  WeftTargetLane *lane = weft_target_lane_new ("lane", "test.lane");
  uint64_t runtime_id;
  struct stat status;
  pid_t pid;

  test_recorder_start (recorder);
  pid = fork ();
  if (pid == 0)
    {
      int fds[64];

      spans (lane, 10);
      closefrom (3);
      for (int i = 0; i < 64; i++)
        fds[i] = open ("/dev/null", O_RDWR);
      spans (lane, 10);
      /* Another generation: everything is made anew, and the host's files stay its own. */
      __atomic_store_n (&recorder->gate->active, 2, __ATOMIC_RELEASE);
      spans (lane, 10);
      CHECK_EQUAL (stats_now ().queued, 30);
      CHECK_EQUAL (stats_now ().state, WEFT_TARGET_STATE_CONNECTED);
      for (int i = 0; i < 64; i++)
        CHECK (fstat (fds[i], &status) == 0 && S_ISCHR (status.st_mode));
      _exit (0);
    }
  CHECK_EQUAL (test_wait (pid), 0);
  CHECK_EQUAL (test_recorder_drain (recorder), 30);
  CHECK_EQUAL (recorder->n_peers, 2);
  runtime_id = recorder->peers->registry->runtime_id;
  CHECK (runtime_id != recorder->peers->next->registry->runtime_id);
  CHECK (recorder->fault == NULL);
}

static void
expect_unsupported (const TestRecorder *recorder, WeftTargetLane *lane)
{
  WeftTargetStats stats;

  spans (lane, 10);
  stats = stats_now ();
  CHECK_EQUAL (stats.state, WEFT_TARGET_STATE_UNSUPPORTED);
  CHECK (stats.unsupported > 0);
  CHECK_EQUAL (stats.dropped, 10);
  CHECK (recorder->fault == NULL);
}

static void
file_size_limit (void)
{
  TestRecorder *recorder = test_recorder_new ();
  const struct rlimit limit = { 1 << 20, 1 << 20 };
  WeftTargetLane *lane;

  CHECK (setrlimit (RLIMIT_FSIZE, &limit) == 0);
  test_recorder_start (recorder);
  lane = weft_target_lane_new ("lane", "test.lane");
  expect_unsupported (recorder, lane);
  CHECK (weft_target_ring_enable (lane, NULL, 0));
}

static void
address_space_limit (void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  SKIP ("sanitizers need address space");
#else
  TestRecorder *recorder = test_recorder_new ();
  const struct rlimit limit = { 100 << 20, 100 << 20 };
  WeftTargetLane *lane;

  test_recorder_start (recorder);
  CHECK (setrlimit (RLIMIT_AS, &limit) == 0);
  lane = weft_target_lane_new ("lane", "test.lane");
  CHECK (lane != NULL);
  spans (lane, 10);
  CHECK (stats_now ().queued == 0);
#endif
}

static void
no_descriptors (void)
{
  TestRecorder *recorder = test_recorder_new ();
  struct rlimit limit = { 4, 64 };
  WeftTargetLane *lane;

  test_recorder_start (recorder);
  CHECK (setrlimit (RLIMIT_NOFILE, &limit) == 0);
  lane = weft_target_lane_new ("lane", "test.lane");
  spans (lane, 10);
  CHECK_EQUAL (stats_now ().queued, 0);
  limit.rlim_cur = 64;
  CHECK (setrlimit (RLIMIT_NOFILE, &limit) == 0);
  lane = weft_target_lane_new ("lane", "test.lane");
  pause_ms (1100);
  spans (lane, 10);
  CHECK_EQUAL (stats_now ().queued, 10);
}

static void
unprivileged (void)
{
  TestRecorder *recorder = test_recorder_new ();
  char path[300];

  if (getuid () != 0)
    SKIP ("not root");
  CHECK (chown (recorder->directory, 65534, 65534) == 0);
  snprintf (path, sizeof path, "%s/gate", recorder->directory);
  CHECK (chown (path, 65534, 65534) == 0);
  test_recorder_start (recorder);
  CHECK (setgid (65534) == 0 && setuid (65534) == 0);
  spans (weft_target_lane_new ("lane", "test.lane"), 10);
  CHECK_EQUAL (test_recorder_drain (recorder), 10);
  CHECK (recorder->fault == NULL);
}

static void
no_thread_of_ours (void)
{
  TestRecorder *recorder = test_recorder_new ();
  WeftTargetLane *lane = weft_target_lane_new ("lane", "test.lane");
  struct dirent *entry;
  int tasks = 0;
  DIR *directory;

  test_recorder_start (recorder);
  spans (lane, 10);
  directory = opendir ("/proc/self/task");
  while ((entry = readdir (directory)) != NULL)
    tasks += entry->d_name[0] != '.';
  closedir (directory);
#ifndef __SANITIZE_THREAD__
  CHECK_EQUAL (tasks, 1);
#endif
#ifndef __SANITIZE_THREAD__
  if (unshare (CLONE_NEWUSER) != 0)
    CHECK (errno == EPERM || errno == ENOSPC || errno == ENOSYS);
#endif
  spans (lane, 10);
  CHECK_EQUAL (test_recorder_drain (recorder), 20);
}

/* ---- Signals and threads ---- */

static WeftTargetLane *storm_lane;
static uint64_t storm_calls;
static WeftTargetRoutine storm_routine = WEFT_TARGET_ROUTINE ("storm");

static void
storm (int number)
{
  const WeftTargetTag tag = { "k", WEFT_TARGET_VALUE_U64, { .u64 = 1 } };
  const WeftTargetDispatch dispatch = { .lane = storm_lane, .routine = &storm_routine, .start = 1,
                                        .end = 2, .tags = &tag, .n_tags = 1 };

  (void) number;
  weft_target_dispatch (&dispatch);
  storm_calls++;
}

static void
signals (void)
{
  TestRecorder *recorder = test_recorder_new ();
  const struct sigaction action = { .sa_handler = storm };
  pid_t sender;
  uint64_t calls = 0, records = 0;
  WeftTargetStats stats;

  recorder->keep = false;
  storm_lane = weft_target_lane_new ("lane", "test.lane");
  test_recorder_start (recorder);
  sigaction (SIGUSR1, &action, NULL);
  sender = fork ();
  if (sender == 0)
    for (pid_t parent = getppid (); getppid () == parent; sched_yield ())
      kill (parent, SIGUSR1);
  for (int i = 0; i < 20000 && storm_calls < 20000; i++)
    {
      spans (storm_lane, 2000);
      calls += 2000;
      records += test_recorder_drain (recorder);
    }
  kill (sender, SIGKILL);
  test_wait (sender);
  records += test_recorder_drain (recorder);
  stats = stats_now ();
  CHECK_EQUAL (records + stats.dropped_reentrant + stats.dropped_no_room, calls + storm_calls);
  CHECK_EQUAL (stats.dropped, stats.dropped_reentrant + stats.dropped_no_room);
  CHECK_EQUAL (test_peer_gaps (recorder->peers), 0);
  CHECK (recorder->fault == NULL);
  printf ("# %llu in handlers, %llu of them inside a call\n", (unsigned long long) storm_calls,
          (unsigned long long) stats.dropped_reentrant);
}

static void *
short_thread (void *data)
{
  spans (data, 100);
  return NULL;
}

static void
many_threads (void)
{
  TestRecorder *recorder = test_recorder_new ();
  WeftTargetLane *lane = weft_target_lane_new ("lane", "test.lane");
  WeftTargetStats stats;
  size_t records = 0;
  uint32_t fresh;

  recorder->keep = false;
  test_recorder_start (recorder);
  for (int round = 0; round < 50; round++)
    {
      pthread_t threads[20];

      for (int i = 0; i < 20; i++)
        CHECK (pthread_create (&threads[i], NULL, short_thread, lane) == 0);
      for (int i = 0; i < 20; i++)
        pthread_join (threads[i], NULL);
      records += test_recorder_drain (recorder);
    }
  stats = stats_now ();
  CHECK_EQUAL (records, 100000);
  CHECK_EQUAL (stats.queued, 100000);
  CHECK_EQUAL (stats.dropped, 0);
  CHECK_EQUAL (test_peer_gaps (recorder->peers), 0);
  fresh = recorder->peers->segments[0]->fresh;
  CHECK (fresh <= 64);
  CHECK (recorder->fault == NULL);
}

/* ---- Spool ---- */

static char *
spool_path (const char *directory)
{
  static char path[600];
  struct dirent *entry;
  DIR *open_directory = opendir (directory);

  path[0] = '\0';
  while ((entry = readdir (open_directory)) != NULL)
    if (strstr (entry->d_name, ".spool") != NULL)
      snprintf (path, sizeof path, "%s/%s", directory, entry->d_name);
  closedir (open_directory);
  return path;
}

static size_t
spooled (const char *path)
{
  int fd = open (path, O_RDONLY);
  const WeftWireRegistry *registry;
  struct stat status;
  size_t n = 0;

  CHECK (fd >= 0 && fstat (fd, &status) == 0);
  registry = mmap (NULL, (size_t) status.st_size, PROT_READ, MAP_SHARED, fd, 0);
  CHECK (registry != MAP_FAILED && registry->magic == WEFT_WIRE_REGISTRY_MAGIC);
  for (uint64_t at = WEFT_WIRE_REGISTRY_SIZE; at + WEFT_WIRE_SEGMENT_HEADER < (uint64_t) status.st_size;
       at += WEFT_WIRE_SEGMENT_SIZE)
    {
      const WeftWireSegment *segment = (const WeftWireSegment *) ((uintptr_t) registry + at);
      const WeftWireBlock *blocks
          = (const WeftWireBlock *) ((uintptr_t) segment + segment->descriptors_offset);

      CHECK (segment->magic == WEFT_WIRE_SEGMENT_MAGIC);
      for (uint32_t i = 0; i < segment->fresh; i++)
        {
          n += blocks[i].committed / sizeof (WeftWireSpan);
          CHECK (blocks[i].committed == 0 || blocks[i].pair_monotonic != 0);
        }
    }
  close (fd);
  return n;
}

static void
spool (void)
{
  TestRecorder *recorder = test_recorder_new ();
  WeftTargetLane *lane;

  setenv ("WEFT_TARGET_SPOOL", recorder->directory, 1);
  lane = weft_target_lane_new ("lane", "test.lane");
  CHECK (weft_target_enabled ());
  spans (lane, 3000);
  CHECK_EQUAL (stats_now ().state, WEFT_TARGET_STATE_SPOOLING);
  weft_target_lane_new ("later", "test.lane");
  CHECK_EQUAL (stats_now ().queued, 3000);
  CHECK_EQUAL (spooled (spool_path (recorder->directory)), 3000);
}

static void
spool_yields_to_recorder (void)
{
  TestRecorder *recorder = test_recorder_new ();

  setenv ("WEFT_TARGET_SPOOL", recorder->directory, 1);
#ifndef WEFT_TARGET_NO_MEMFD
  test_recorder_start (recorder);
  spans (weft_target_lane_new ("lane", "test.lane"), 3000);
  CHECK_EQUAL (stats_now ().state, WEFT_TARGET_STATE_CONNECTED);
  CHECK_EQUAL (test_recorder_drain (recorder), 3000);
  CHECK_STRING (spool_path (recorder->directory), "");
#endif
}

static void
spool_maximum (void)
{
  TestRecorder *recorder = test_recorder_new ();
  WeftTargetStats stats;

  setenv ("WEFT_TARGET_SPOOL", recorder->directory, 1);
  setenv ("WEFT_TARGET_SPOOL_MAX", "1000000", 1);
  spans (weft_target_lane_new ("lane", "test.lane"), 100000);
  stats = stats_now ();
  CHECK (stats.queued > 10000 && stats.queued < 40000);
  CHECK_EQUAL (stats.queued + stats.dropped_no_room, 100000);
}

static void
spool_full_disk (void)
{
  TestRecorder *recorder = test_recorder_new ();
  char path[300];
  WeftTargetStats stats;

  snprintf (path, sizeof path, "%s/disk", recorder->directory);
  mkdir (path, 0700);
  if (unshare (CLONE_NEWNS) != 0 || mount ("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0
      || mount ("tmpfs", path, "tmpfs", 0, "size=1m") != 0)
    SKIP ("cannot mount a small disk");
  setenv ("WEFT_TARGET_SPOOL", path, 1);
  spans (weft_target_lane_new ("lane", "test.lane"), 100000);
  stats = stats_now ();
  CHECK_EQUAL (stats.state, WEFT_TARGET_STATE_SPOOLING);
  CHECK (stats.queued > 0 && stats.dropped_no_room > 0);
  CHECK_EQUAL (stats.queued + stats.dropped_no_room, 100000);
  for (int i = 0; i < 20000; i++)
    weft_target_lane_new ("filling the registry, too", "test.lane");
  CHECK (stats_now ().registry_full > 0);
}

static void
spool_file_limit (void)
{
  TestRecorder *recorder = test_recorder_new ();
  const struct rlimit limit = { 70 << 20, 70 << 20 };
  WeftTargetStats stats;

  setenv ("WEFT_TARGET_SPOOL", recorder->directory, 1);
  CHECK (setrlimit (RLIMIT_FSIZE, &limit) == 0);
  spans (weft_target_lane_new ("lane", "test.lane"), 300000);
  stats = stats_now ();
  CHECK (stats.queued > 0);
  CHECK_EQUAL (stats.queued + stats.dropped_no_room, 300000);
}

static void
spool_forks (void)
{
  TestRecorder *recorder = test_recorder_new ();
  WeftTargetLane *lane;
  pid_t pid;

  setenv ("WEFT_TARGET_SPOOL", recorder->directory, 1);
  lane = weft_target_lane_new ("lane", "test.lane");
  spans (lane, 100);
  pid = fork ();
  if (pid == 0)
    {
      spans (lane, 50);
      CHECK_EQUAL (stats_now ().queued, 50);
      CHECK_EQUAL (stats_now ().state, WEFT_TARGET_STATE_SPOOLING);
      _exit (0);
    }
  CHECK_EQUAL (test_wait (pid), 0);
  spans (lane, 10);
  CHECK_EQUAL (stats_now ().queued, 110);
}

static const TestCase cases[] = {
  { "/target/T8/killed", killed },
  { "/target/T8/recorder-gone", recorder_gone },
  { "/target/T8/not-reachable", not_reachable },
  { "/target/T8/no-room", no_room },
  { "/target/T8/forks", forks },
  { "/target/T8/forks-under-load", forks_under_load },
  { "/target/T8/executes", executes },
  { "/target/T8/descriptors-closed", descriptors_closed },
  { "/target/T8/file-size-limit", file_size_limit },
  { "/target/T8/address-space-limit", address_space_limit },
  { "/target/T8/no-descriptors", no_descriptors },
  { "/target/T8/unprivileged", unprivileged },
  { "/target/T8/no-thread-of-ours", no_thread_of_ours },
  { "/target/T8/signals", signals },
  { "/target/T8/many-threads", many_threads },
};

static const TestCase spool_cases[] = {
  { "/target/T8/spool", spool },
  { "/target/T8/spool-yields-to-recorder", spool_yields_to_recorder },
  { "/target/T8/spool-maximum", spool_maximum },
  { "/target/T8/spool-full-disk", spool_full_disk },
  { "/target/T8/spool-file-limit", spool_file_limit },
  { "/target/T8/spool-forks", spool_forks },
};

int
main (int argc, char **argv)
{
  if (argc > 1 && strcmp (argv[1], "--after-exec") == 0)
    {
      spans (weft_target_lane_new ("lane", "test.lane"), 20);
      return 0;
    }
#ifdef WEFT_TARGET_NO_MEMFD
  (void) cases;
#else
  if (argc < 2 || strcmp (argv[1], "--spools") != 0)
    return test_run (cases, sizeof cases / sizeof cases[0], argc, argv);
#endif
  return test_run (spool_cases, sizeof spool_cases / sizeof spool_cases[0], 1, argv);
}
