/* SPDX-License-Identifier: BSD-2-Clause */
/* T1 (gate), T2 (spans), T7 (clocks), T9 (stats). */
#include "test-case.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

static WeftTargetRoutine routine = WEFT_TARGET_ROUTINE ("work");

/* ---- T1 ---- */

/* From here on, a system call other than exit kills. */
static void
forbid_system_calls (void)
{
  struct sock_filter filter[] = {
    BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, nr)),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    BPF_STMT (BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
  };
  struct sock_fprog program = { sizeof filter / sizeof filter[0], filter };

  if (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
      || prctl (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
    SKIP ("no seccomp filters here");
}

static void
call_everything (WeftTargetLane *lane, WeftTargetMetric *metric)
{
  const WeftTargetDispatch dispatch = { .lane = lane, .routine = &routine, .id = 7, .end = 1 };
  const WeftTargetWarning warning = { .lane = lane, .code = "slow" };
  const WeftTargetSubmissionEvent submission = { .lane = lane, .submission = 3 };
  WeftTargetTrace trace;

  weft_target_span (lane, &routine, 1, 2);
  weft_target_span_end (weft_target_span_begin (lane, &routine));
  weft_target_dispatch (&dispatch);
  weft_target_reserve (&dispatch);
  weft_target_complete (&dispatch);
  weft_target_warn (&warning);
  weft_target_submission (&submission);
  weft_target_metric_report (metric, 1.0);
  weft_target_origin ();
  weft_target_origin_with_stack ();
  trace = weft_target_trace_new ("trace");
  weft_target_trace_end (&trace, "trace", WEFT_TARGET_OK, WEFT_TARGET_ERROR_NONE, NULL);
  weft_target_report_origin (lane, WEFT_TARGET_ROLE_WAIT_END, 1, 0, weft_target_origin ());
  weft_target_clock_calibrate (2, 1, 2, 3);
}

/* Without a call into the kernel there is no memory from it either; what malloc () may still hold is
 * looked at with its own account.
 */
static void
inactive_is_free (void)
{
  TestRecorder *recorder = test_recorder_new ();
  WeftTargetLane *lane = weft_target_lane_new ("lane", "test.lane");
  WeftTargetMetric *metric = weft_target_metric_new (lane, WEFT_TARGET_COUNTER, "count",
                                                     WEFT_TARGET_UNIT_COUNT, NULL, NULL, 0);

  CHECK (!weft_target_enabled ());
  CHECK (recorder->gate->active == 0);
  forbid_system_calls ();
  for (int i = 0; i < 1000; i++)
    call_everything (lane, metric);
  syscall (SYS_exit_group, routine.id == 0 ? 0 : 1);
}

/* A recorder that does not read our version costs no system calls either. */
static void
refused_is_free (void)
{
  TestRecorder *recorder = test_recorder_new ();
  WeftTargetLane *lane = weft_target_lane_new ("lane", "test.lane");
  WeftTargetStats stats;

  test_recorder_start_versions (recorder, 9, 12);
  weft_target_span (lane, &routine, 1, 2);
  weft_target_get_stats (&stats, sizeof stats);
  CHECK_EQUAL (stats.state, WEFT_TARGET_STATE_SCHEMA_MISMATCH);
  CHECK_EQUAL (stats.schema_mismatch, 1);
  CHECK_EQUAL (stats.queued, 0);
  test_recorder_stop (recorder);
  test_recorder_start (recorder);
  weft_target_span (lane, &routine, 1, 2);
  weft_target_get_stats (&stats, sizeof stats);
  CHECK_EQUAL (stats.queued, 1);
  test_recorder_stop (recorder);
  test_recorder_start_versions (recorder, 9, 12);
  weft_target_span (lane, &routine, 1, 2);
  forbid_system_calls ();
  for (int i = 0; i < 1000; i++)
    weft_target_span (lane, &routine, 1, 2);
  syscall (SYS_exit_group, 0);
}

static void
follows_recorders (void)
{
  TestRecorder *recorder = test_recorder_new ();
  WeftTargetLane *lane = weft_target_lane_new ("lane", "test.lane");

  for (unsigned int i = 0; i < 3; i++)
    {
      weft_target_span (lane, &routine, 1, 2);
      test_recorder_start (recorder);
      CHECK (weft_target_enabled ());
      weft_target_span (lane, &routine, i + 10, i + 20);
      CHECK_EQUAL (test_recorder_drain (recorder), 1);
      test_recorder_stop (recorder);
      CHECK (!weft_target_enabled ());
    }
  CHECK_EQUAL (recorder->n_peers, 3);
  CHECK (recorder->fault == NULL);
}

static void
disabled (void)
{
  TestRecorder *recorder = test_recorder_new ();
  WeftTargetStats stats;
  WeftTargetLane *lane;

  setenv ("WEFT_TARGET_DISABLE", "1", 1);
  test_recorder_start (recorder);
  lane = weft_target_lane_new ("lane", "test.lane");
  CHECK (lane != NULL);
  CHECK (!weft_target_enabled ());
  weft_target_span (lane, &routine, 1, 2);
  CHECK (!weft_target_ring_enable (lane, NULL, 0));
  weft_target_get_stats (&stats, sizeof stats);
  CHECK_EQUAL (stats.state, WEFT_TARGET_STATE_DISABLED);
  CHECK_EQUAL (stats.disabled, 1);
  CHECK_EQUAL (test_recorder_drain (recorder), 0);
}

static void
no_directory (void)
{
  WeftTargetStats stats;
  WeftTargetLane *lane;

  setenv ("WEFT_RUNTIME_DIR", "/nonexistent/weft/here", 1);
  lane = weft_target_lane_new ("lane", "test.lane");
  weft_target_span (lane, &routine, 1, 2);
  weft_target_get_stats (&stats, sizeof stats);
  CHECK_EQUAL (stats.state, WEFT_TARGET_STATE_IDLE);
  CHECK (weft_target_lane_get_id (lane) == 1);
}

static void
expect_no_gate (const char *directory)
{
  setenv ("WEFT_RUNTIME_DIR", directory, 1);
  weft_target_lane_new ("lane", "test.lane");
  CHECK (!weft_target_enabled ());
}

/* Each in a process of its own, for the gate is looked for once. */
static void
in_child (void (*function) (const char *), const char *argument)
{
  pid_t pid = fork ();
  int status;

  if (pid == 0)
    {
      function (argument);
      _exit (0);
    }
  status = test_wait (pid);
  CHECK (WIFEXITED (status) && WEXITSTATUS (status) == 0);
}

static void
hostile_gates (void)
{
  TestRecorder *recorder = test_recorder_new ();
  char directory[300], path[300];
  int fd;

  test_recorder_start (recorder);
  snprintf (directory, sizeof directory, "%s/link", recorder->directory);
  CHECK (symlink (recorder->directory, directory) == 0);
  in_child (expect_no_gate, directory);

  chmod (recorder->directory, 0777);
  in_child (expect_no_gate, recorder->directory);
  chmod (recorder->directory, 0700);

  snprintf (path, sizeof path, "%s/gate", recorder->directory);
  chmod (path, 0622);
  in_child (expect_no_gate, recorder->directory);
  chmod (path, 0600);

  snprintf (directory, sizeof directory, "%s/short", recorder->directory);
  mkdir (directory, 0700);
  snprintf (path, sizeof path, "%s/short/gate", recorder->directory);
  fd = open (path, O_RDWR | O_CREAT, 0600);
  CHECK (write (fd, "WFTGATE1\1\0\0\0", 12) == 12);
  in_child (expect_no_gate, directory);
  unlink (path);
  snprintf (directory, sizeof directory, "%s/gate", recorder->directory);
  CHECK (symlink (directory, path) == 0);
  snprintf (directory, sizeof directory, "%s/short", recorder->directory);
  in_child (expect_no_gate, directory);
  unlink (path);
  CHECK (mkfifo (path, 0600) == 0);
  in_child (expect_no_gate, directory);
  unlink (path);
  if (getuid () == 0)
    {
      fd = open (path, O_RDWR | O_CREAT, 0600);
      CHECK (ftruncate (fd, 4096) == 0 && pwrite (fd, "WFTGATE1\1\0\0\0", 12, 0) == 12);
      CHECK (fchown (fd, 65534, 65534) == 0);
      in_child (expect_no_gate, directory);
    }
}

/* ---- T2 ---- */

static void
span_given (void)
{
  TestRecorder *recorder = test_recorder_new ();
  WeftTargetLane *lane = weft_target_lane_new ("lane", "test.lane");
  const WeftWireSpan *span;
  TestPeer *peer;

  test_recorder_start (recorder);
  errno = 77;
  weft_target_span (lane, &routine, 1000, 2000);
  CHECK_EQUAL (errno, 77);
  weft_target_span (lane, NULL, 1, 2);
  weft_target_span (NULL, &routine, 1, 2);
  CHECK_EQUAL (test_recorder_drain (recorder), 1);
  peer = test_recorder_peer (recorder, getpid ());
  span = (const WeftWireSpan *) test_peer_find (peer, WEFT_WIRE_SPAN, NULL);
  CHECK_EQUAL (span->start, 1000);
  CHECK_EQUAL (span->end, 2000);
  CHECK_EQUAL (span->depth, 0);
  CHECK_EQUAL (span->record.lane, weft_target_lane_get_id (lane));
  CHECK_EQUAL (span->routine, routine.id);
  CHECK_EQUAL (test_cell (peer->registry, 0)->drops[WEFT_WIRE_DROP_INVALID], 1);
}

static void
leaf (WeftTargetLane *lane)
{
  WEFT_TARGET_SCOPE (lane, "leaf");
}

static void
span_nested (void)
{
  TestRecorder *recorder = test_recorder_new ();
  WeftTargetLane *lane = weft_target_lane_new ("lane", "test.lane");
  const WeftWireSpan *inner, *outer, *third;
  WeftTargetSpan first, second;
  TestPeer *peer;

  test_recorder_start (recorder);
  {
    WEFT_TARGET_SCOPE (lane, "outer");
    leaf (lane);
  }
  CHECK_EQUAL (test_recorder_drain (recorder), 2);
  peer = test_recorder_peer (recorder, getpid ());
  inner = (const WeftWireSpan *) test_peer_find (peer, WEFT_WIRE_SPAN, NULL);
  outer = (const WeftWireSpan *) test_peer_find (peer, WEFT_WIRE_SPAN, inner);
  CHECK_EQUAL (inner->depth, 2);
  CHECK_EQUAL (outer->depth, 1);
  CHECK (outer->start <= inner->start && inner->start <= inner->end && inner->end <= outer->end);

  /* Ended out of order, depth still comes back to nothing. */
  test_peer_forget (peer);
  first = weft_target_span_begin (lane, &routine);
  second = weft_target_span_begin (lane, &routine);
  weft_target_span_end (first);
  weft_target_span_end (second);
  weft_target_span_end (weft_target_span_begin (lane, &routine));
  test_recorder_drain (recorder);
  inner = (const WeftWireSpan *) test_peer_find (peer, WEFT_WIRE_SPAN, NULL);
  outer = (const WeftWireSpan *) test_peer_find (peer, WEFT_WIRE_SPAN, inner);
  third = (const WeftWireSpan *) test_peer_find (peer, WEFT_WIRE_SPAN, outer);
  CHECK_EQUAL (inner->depth, 1);
  CHECK_EQUAL (outer->depth, 2);
  CHECK_EQUAL (third->depth, 1);
}

static void *
end_elsewhere (void *data)
{
  weft_target_span_end (*(WeftTargetSpan *) data);
  return NULL;
}

static void
span_across_threads (void)
{
  TestRecorder *recorder = test_recorder_new ();
  WeftTargetLane *lane = weft_target_lane_new ("lane", "test.lane");
  const WeftWireSpan *foreign, *next;
  WeftTargetSpan span;
  pthread_t thread;
  TestPeer *peer;

  test_recorder_start (recorder);
  span = weft_target_span_begin (lane, &routine);
  pthread_create (&thread, NULL, end_elsewhere, &span);
  pthread_join (thread, NULL);
  weft_target_span_end (weft_target_span_begin (lane, &routine));
  CHECK_EQUAL (test_recorder_drain (recorder), 2);
  peer = test_recorder_peer (recorder, getpid ());
  foreign = (const WeftWireSpan *) test_peer_find (peer, WEFT_WIRE_SPAN, NULL);
  next = (const WeftWireSpan *) test_peer_find (peer, WEFT_WIRE_SPAN, foreign);
  if (foreign->start != span.start)
    {
      const WeftWireSpan *other = foreign;

      foreign = next;
      next = other;
    }
  CHECK_EQUAL (foreign->start, span.start);
  CHECK_EQUAL (foreign->depth, 0);
  CHECK_EQUAL (next->depth, 1);
}

/* ---- T7 ---- */

static uint64_t
monotonic (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (uint64_t) now.tv_sec * 1000000000u + (uint64_t) now.tv_nsec;
}

static void
clock_converts (void)
{
  uint64_t before, converted, after;

  test_recorder_new ();
  weft_target_lane_new ("lane", "test.lane");
  for (int i = 0; i < 5; i++)
    {
      const struct timespec wait = { 0, 5000000 };

      nanosleep (&wait, NULL);
      before = monotonic ();
      converted = weft_target_to_nanoseconds (weft_target_now ());
      after = monotonic ();
      CHECK (converted + 100000 > before && converted < after + 100000);
    }
}

static void
clock_monotonic (void)
{
  TestRecorder *recorder = test_recorder_new ();
  uint64_t before = monotonic (), ticks;

  setenv ("WEFT_TARGET_CLOCK", "monotonic", 1);
  ticks = weft_target_now ();
  CHECK (ticks >= before && ticks <= monotonic ());
  CHECK_EQUAL (weft_target_to_nanoseconds (ticks), ticks);
  test_recorder_start (recorder);
  weft_target_span_end (
      weft_target_span_begin (weft_target_lane_new ("lane", "test.lane"), &routine));
  CHECK_EQUAL (test_recorder_drain (recorder), 1);
  CHECK_EQUAL (recorder->peers->registry->clock, WEFT_WIRE_CLOCK_MONOTONIC);
}

static void
clock_device (void)
{
  TestRecorder *recorder = test_recorder_new ();
  uint32_t clock = weft_target_clock_new ("gpu", 1e6);
  const WeftTargetLaneInfo info = { "lane", "test.lane", NULL, clock };
  WeftTargetLane *lane = weft_target_lane_new_full (&info, sizeof info);
  const WeftWireDispatch *dispatch;
  const WeftWireClockPair *pair;
  TestPeer *peer;

  CHECK_EQUAL (clock, 2);
  test_recorder_start (recorder);
  weft_target_clock_calibrate (clock, 5, 100, 200);
  weft_target_span_end (weft_target_span_begin (lane, &routine));
  weft_target_span (lane, &routine, 5, 6);
  CHECK_EQUAL (test_recorder_drain (recorder), 3);
  peer = recorder->peers;
  pair = (const WeftWireClockPair *) test_peer_find (peer, WEFT_WIRE_CLOCK_PAIR, NULL);
  CHECK (pair->clock == clock && pair->device == 5 && pair->before == 100 && pair->after == 200);
  dispatch = (const WeftWireDispatch *) test_peer_find (peer, WEFT_WIRE_DISPATCH, NULL);
  CHECK (dispatch->flags & WEFT_WIRE_FLAG_CLOCK);
  CHECK_EQUAL (dispatch->clock, WEFT_WIRE_CLOCK_ID_RUNTIME);
  CHECK_EQUAL (dispatch->depth, 1);
  CHECK_EQUAL (((const WeftWireLaneEntry *) test_entry_find (peer->registry, WEFT_WIRE_ENTRY_LANE,
                                                             NULL))
                   ->clock,
               clock);
}

/* ---- T9 ---- */

static void
stats (void)
{
  TestRecorder *recorder = test_recorder_new ();
  WeftTargetLane *lane = weft_target_lane_new ("lane", "test.lane");
  WeftTargetStats got;

  weft_target_get_stats (&got, sizeof got);
  CHECK_EQUAL (got.state, WEFT_TARGET_STATE_IDLE);
  test_recorder_start (recorder);
  for (int i = 0; i < 5000; i++)
    weft_target_span (lane, &routine, 1, 2);
  weft_target_get_stats (&got, sizeof got);
  CHECK_EQUAL (got.state, WEFT_TARGET_STATE_CONNECTED);
  CHECK_EQUAL (got.queued, 5000);
  CHECK_EQUAL (got.sent, 0);
  CHECK_EQUAL (got.connections, 1);
  CHECK_EQUAL (test_recorder_drain (recorder), 5000);
  weft_target_get_stats (&got, sizeof got);
  CHECK_EQUAL (got.sent, 5000);
  CHECK_EQUAL (got.dropped, 0);
  got.state = WEFT_TARGET_STATE_DISABLED;
  weft_target_get_stats (&got, 4);
  CHECK_EQUAL (got.state, WEFT_TARGET_STATE_CONNECTED);
}

static const TestCase cases[] = {
  { "/target/T1/inactive-is-free", inactive_is_free },
  { "/target/T1/refused-is-free", refused_is_free },
  { "/target/T1/follows-recorders", follows_recorders },
  { "/target/T1/disabled", disabled },
  { "/target/T1/no-runtime-directory", no_directory },
  { "/target/T1/hostile-gates", hostile_gates },
  { "/target/T2/span-given", span_given },
  { "/target/T2/span-nested", span_nested },
  { "/target/T2/span-across-threads", span_across_threads },
  { "/target/T7/clock-converts", clock_converts },
  { "/target/T7/clock-monotonic", clock_monotonic },
  { "/target/T7/clock-device", clock_device },
  { "/target/T9/stats", stats },
};

TEST_MAIN (cases)
