/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A producer that does what it is told, and says what it did:
 *
 *   producer KEY=VALUE…
 *
 * Its last line is "DONE KEY=VALUE…": per lane ("lane:NAME") the records handed to the library, and
 * the library's own stats. With counters=FILE the same numbers stand in a shared mapping, each
 * raised after the call has returned, so that they survive kill -9.
 */

#include "weft-target.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_LANES 64

#ifdef __SANITIZE_THREAD__
/* A block passes from thread to thread by way of the recorder, another process, which
 * ThreadSanitizer cannot see.
 */
const char *__tsan_default_options (void);

const char *
__tsan_default_options (void)
{
  return "report_bugs=0";
}
#endif

typedef struct
{
  uint64_t reported[MAX_LANES];
  uint64_t connected;
} Counters;

typedef struct
{
  long threads, lanes, spans, dispatches, rate, nest, reserve, pending, short_threads, processes;
  long metrics, warnings, traces, full, device, children, exec, signals, stacks, submissions, parts;
  long wait, close_all, uid, drop, unshare, sleep, names, sampling, reconnect, milliseconds, sources;
  const char *counters, *tag, *ready;
} Options;

static Options options = { .threads = 1, .lanes = 1, .sampling = 100, .uid = -1, .drop = -1, .tag = "" };
static Counters *counters;
static WeftTargetLane *lanes[MAX_LANES];
static char lane_names[MAX_LANES][64];
static int n_lanes;
static int stop;
static WeftTargetRoutine work = WEFT_TARGET_ROUTINE ("work");
static WeftTargetRoutine inner = WEFT_TARGET_ROUTINE ("inner");
static WeftTargetRoutine handler = WEFT_TARGET_ROUTINE ("handler");

static void
count (int lane)
{
  __atomic_fetch_add (&counters->reported[lane], 1, __ATOMIC_RELAXED);
}

static int
add_lane (const char *name, const char *kind, WeftTargetLane *parent, uint32_t clock)
{
  WeftTargetLaneInfo info = { .kind = kind, .parent = parent, .clock = clock };
  int i = n_lanes++;

  if (i >= MAX_LANES)
    abort ();
  snprintf (lane_names[i], sizeof lane_names[i], "%s%s", name, options.tag);
  info.name = lane_names[i];
  lanes[i] = weft_target_lane_new_full (&info, sizeof info);
  return i;
}

static uint64_t
monotonic (void)
{
  struct timespec t;

  clock_gettime (CLOCK_MONOTONIC, &t);
  return (uint64_t) t.tv_sec * 1000000000 + (uint64_t) t.tv_nsec;
}

static void
pause_for (long nanoseconds)
{
  struct timespec t = { nanoseconds / 1000000000, nanoseconds % 1000000000 };

  while (nanosleep (&t, &t) != 0 && errno == EINTR)
    continue;
}

static WeftTargetState
state (void)
{
  WeftTargetStats stats;

  weft_target_get_stats (&stats, sizeof stats);
  return stats.state;
}

/* A record on a lane of its own makes the library connect. */
static void
wait_for_connection (int lane)
{
  for (int i = 0; i < 3000; i++)
    {
      uint64_t now = weft_target_now ();

      if (weft_target_enabled ())
        {
          weft_target_span (lanes[lane], &work, now, now);
          count (lane);
        }
      if (state () == WEFT_TARGET_STATE_CONNECTED || state () == WEFT_TARGET_STATE_SPOOLING)
        {
          counters->connected = 1;
          return;
        }
      pause_for (10000000);
    }
  fprintf (stderr, "producer: nobody listens\n");
  exit (3);
}

/* ---- Plain work ---- */

static void
nested (int lane, long depth)
{
  WeftTargetSpan span = weft_target_span_begin (lanes[lane], depth > 1 ? &work : &inner);

  if (depth > 1)
    nested (lane, depth - 1);
  weft_target_span_end (span);
  count (lane);
}

static void
report_ids (int lane, uint64_t submission)
{
  uint64_t now = weft_target_now ();
  WeftTargetIds ids = { .id = weft_target_id_new (), .submission = submission };

  weft_target_span_with_ids (lanes[lane], &work, now, now + 1, &ids);
  count (lane);
}

static void
reserve_and_complete (int lane, int complete)
{
  WeftTargetDispatch dispatch = { .lane = lanes[lane], .routine = &work };

  dispatch.start = weft_target_now ();
  dispatch.id = weft_target_reserve (&dispatch);
  if (complete)
    {
      dispatch.end = weft_target_now ();
      weft_target_complete (&dispatch);
    }
  count (lane);
}

static void *
plain_work (void *data)
{
  long me = (long) (intptr_t) data;
  long period = options.rate > 0 ? 1000000000 / options.rate : 0;
  uint64_t submission = weft_target_id_new ();

  for (long i = 0; (i < options.spans || options.spans < 0) && !__atomic_load_n (&stop, __ATOMIC_RELAXED);
       i++)
    {
      int lane = (int) ((me + i) % options.lanes);
      uint64_t now = weft_target_now ();

      weft_target_span (lanes[lane], &work, now, now + 1);
      count (lane);
      if (period > 0)
        pause_for (period);
    }
  for (long i = 0; i < options.dispatches; i++)
    report_ids ((int) ((me + i) % options.lanes), submission);
  for (long i = 0; i < options.reserve; i++)
    reserve_and_complete ((int) ((me + i) % options.lanes), 1);
  for (long i = 0; i < options.pending; i++)
    reserve_and_complete ((int) ((me + i) % options.lanes), 0);
  if (options.nest > 0)
    nested ((int) (me % options.lanes), options.nest);
  return NULL;
}

static void *
short_work (void *data)
{
  uint64_t now = weft_target_now ();

  weft_target_span (lanes[0], &work, now, now + 1);
  count (0);
  return NULL;
}

static void
run_threads (void *(*function) (void *), long n)
{
  pthread_t *threads = calloc ((size_t) n + 1, sizeof *threads);

  for (long i = 0; i < n; i++)
    if (pthread_create (&threads[i], NULL, function, (void *) (intptr_t) i) != 0)
      abort ();
  for (long i = 0; i < n; i++)
    pthread_join (threads[i], NULL);
  free (threads);
}

/* Up to eight at a time come and go. */
static void
run_short_threads (long n)
{
  for (long done = 0; done < n; done += 8)
    run_threads (short_work, n - done < 8 ? n - done : 8);
}

/* ---- Everything a dispatch can carry ---- */

/* AddressSanitizer may keep locals elsewhere than on the stack. */
static WeftTargetOrigin __attribute__ ((noinline, no_sanitize_address))
origin_with_stack (void)
{
  volatile char marker[64] = "THE-STACK-OF-THE-DISPATCH";
  WeftTargetOrigin origin = weft_target_origin_with_stack ();

  return marker[0] ? origin : (WeftTargetOrigin){ 0 };
}

static uint32_t
add_source (void)
{
  static const WeftTargetLine lines[] = { { 16, 1, 2 }, { 48, 2, 5 }, { 96, 7, 1 } };
  WeftTargetSource source = { .language = "metal",
                              .path = "/src/gemm.metal",
                              .text = "kernel void gemm () {\n  /* \xc3\xbc */\n}\n",
                              .flavour = "release",
                              .build_flags = "-O3 -ffast",
                              .lines = lines,
                              .n_lines = 3 };

  return weft_target_source_new (&source, sizeof source);
}

static uint32_t
add_counter_sets (void)
{
  static const WeftTargetCounter definitions[] = {
    { "cycles", WEFT_TARGET_UNIT_CYCLES, NULL, WEFT_TARGET_COUNTER, WEFT_TARGET_AGGREGATE_SUM,
      WEFT_TARGET_VALUE_U64 },
    { "drift", WEFT_TARGET_UNIT_NANOSECONDS, NULL, WEFT_TARGET_GAUGE, WEFT_TARGET_AGGREGATE_LAST,
      WEFT_TARGET_VALUE_I64 },
    { "load", WEFT_TARGET_UNIT_NAMED, "loads", WEFT_TARGET_HISTOGRAM, WEFT_TARGET_AGGREGATE_MEAN,
      WEFT_TARGET_VALUE_F64 },
  };
  static const char *const names[] = { "present", "disabled", "unsupported", "failing" };
  uint32_t first = 0;

  for (int i = 0; i < 4; i++)
    {
      WeftTargetCounterState availability = { .availability = (WeftTargetAvailability) i,
                                              .reason = i ? "because" : NULL,
                                              .probe = "tried",
                                              .overhead_text = "little",
                                              .has_overhead = i == 0,
                                              .overhead = 250 };
      uint32_t set = weft_target_counter_set_new (names[i], definitions, 3, &availability);

      if (i == 0)
        first = set;
      else if (i == 3)
        weft_target_counter_set_update (
            set, &(WeftTargetCounterState){ .availability = WEFT_TARGET_PRESENT, .reason = "back" });
    }
  return first;
}

static void
report_full (int lane)
{
  uint32_t source = add_source ();
  uint32_t set = add_counter_sets ();
  uint32_t artifact = weft_target_artifact_new ("capture", "/tmp/x.gputrace", "one frame", 12345);
  uint32_t queue = weft_target_queue_new (lanes[lane], "queue-a");
  WeftTargetRoutineInfo info = { .name = "gemm", .label = "GEMM \xc3\xbc", .flavour = "f16",
                                 .source = source, .first_line = 1, .last_line = 3 };
  WeftTargetRoutine *gemm = weft_target_routine_new_full (&info, sizeof info);
  WeftTargetTrace trace = weft_target_trace_new ("step");
  WeftTargetErrorDetail error = { "Timeout", "took too long", "at gemm\nat main", "the fan" };
  WeftTargetPhase phases[] = { { "parse", 0, 100, 0, NULL },
                               { "decode", 100, 900, WEFT_TARGET_PHASE_SLOW | WEFT_TARGET_PHASE_ERROR,
                                 "bad frame" } };
  WeftTargetRoleOrigin origins[] = { { WEFT_TARGET_ROLE_DISPATCH, origin_with_stack () },
                                     { WEFT_TARGET_ROLE_WAIT_BEGIN, weft_target_origin () },
                                     { WEFT_TARGET_ROLE_WAIT_END, weft_target_origin () },
                                     { WEFT_TARGET_ROLE_COMPLETION, weft_target_origin () },
                                     { WEFT_TARGET_ROLE_FAULT, weft_target_origin () } };
  WeftTargetRange ranges[] = { { "layer", -2, 5 }, { "head", 7, 1 } };
  WeftTargetAttachment attachments[]
      = { { "tensor", "weights", "input", "f16", "8x128", 3, WEFT_TARGET_ACCESS_READ, 4096, 65536,
            WEFT_TARGET_PRIVACY_METADATA, ranges, 2 },
          { "buffer", "secret", NULL, NULL, NULL, WEFT_TARGET_NO_SLOT, WEFT_TARGET_ACCESS_READ_WRITE,
            0, WEFT_TARGET_UNKNOWN_SIZE, WEFT_TARGET_PRIVACY_REDACTED, ranges, 1 } };
  WeftTargetCounterValue values[] = { { { .u64 = 99 }, false }, { { .i64 = -5 }, false },
                                      { { .f64 = 0 }, true } };
  WeftTargetCounterSample samples[]
      = { { set, WEFT_TARGET_POINT_NAMED, "mid", weft_target_now (), values, 3 },
          { set, WEFT_TARGET_POINT_AFTER_DISPATCH, NULL, 0, values, 3 } };
  WeftTargetTag tags[] = { { "u", WEFT_TARGET_VALUE_U64, { .u64 = UINT64_MAX } },
                           { "i", WEFT_TARGET_VALUE_I64, { .i64 = -1 } },
                           { "f", WEFT_TARGET_VALUE_F64, { .f64 = 0.5 } },
                           { "b", WEFT_TARGET_VALUE_BOOL, { .boolean = true } },
                           { "s", WEFT_TARGET_VALUE_STRING, { .string = "text" } } };
  WeftTargetDispatch dispatch = { .lane = lanes[lane], .routine = gemm };

  weft_target_source_map (source, gemm, 1, 3);
  weft_target_tag (WEFT_TARGET_OWNER_LANE, weft_target_lane_get_id (lanes[lane]), &tags[4]);
  weft_target_artifact_link (artifact, WEFT_TARGET_OWNER_ROUTINE, weft_target_routine_get_id (gemm));

  dispatch.id = weft_target_id_new ();
  dispatch.submission = weft_target_id_new ();
  dispatch.queue = queue;
  dispatch.trace = &trace;
  dispatch.start = weft_target_now ();
  pause_for (1000000);
  dispatch.end = weft_target_now ();
  dispatch.label = "the big one";
  dispatch.status = WEFT_TARGET_ERROR;
  dispatch.error_kind = WEFT_TARGET_ERROR_TIMEOUT;
  dispatch.error = &error;
  dispatch.has_attempts = true;
  dispatch.attempts = 3;
  dispatch.has_queue_wait = true;
  dispatch.queue_wait = 5000;
  dispatch.queue_wait_last = 1200;
  dispatch.submitted = origins[0].origin.ticks;
  dispatch.source = source;
  dispatch.first_line = 11;
  dispatch.last_line = 12;
  dispatch.phases = phases;
  dispatch.n_phases = 2;
  dispatch.origins = origins;
  dispatch.n_origins = 5;
  dispatch.attachments = attachments;
  dispatch.n_attachments = 2;
  dispatch.samples = samples;
  dispatch.n_samples = 2;
  dispatch.artifacts = &artifact;
  dispatch.n_artifacts = 1;
  dispatch.tags = tags;
  dispatch.n_tags = 5;
  weft_target_dispatch (&dispatch);
  count (lane);

  weft_target_report_samples (lanes[lane], dispatch.id, 0, samples, 1);
  weft_target_report_origin (lanes[lane], WEFT_TARGET_ROLE_WAIT_END, dispatch.id, 0,
                             weft_target_origin ());
  weft_target_submission (&(WeftTargetSubmissionEvent){
      .lane = lanes[lane], .submission = dispatch.submission, .queue = queue,
      .kind = WEFT_TARGET_SUBMISSION_COMMIT, .tags = tags, .n_tags = 1, .origins = origins,
      .n_origins = 1 });
  weft_target_submission (&(WeftTargetSubmissionEvent){
      .lane = lanes[lane], .submission = dispatch.submission, .queue = queue,
      .kind = WEFT_TARGET_SUBMISSION_FAULT, .status = WEFT_TARGET_ERROR, .error = &error });
  weft_target_trace_end (&trace, "step", WEFT_TARGET_ERROR, WEFT_TARGET_ERROR_ABORT, &error);
  printf ("FULL id=%llu submission=%llu tid=%d duration=%llu\n", (unsigned long long) dispatch.id,
          (unsigned long long) dispatch.submission, (int) syscall (SYS_gettid),
          (unsigned long long) (weft_target_to_nanoseconds (dispatch.end)
                                - weft_target_to_nanoseconds (dispatch.start)));
}

/* What the queue of a lane gave out, run by a part of that lane: the only word of its submission. */
static void
report_part (void)
{
  static WeftTargetRoutine item = WEFT_TARGET_ROUTINE ("item");
  WeftTargetLane *whole = weft_target_lane_new ("whole", "test.whole");
  WeftTargetLane *part = weft_target_lane_new_full (
      &(WeftTargetLaneInfo){ .name = "part", .kind = "test.part", .parent = whole },
      sizeof (WeftTargetLaneInfo));
  uint64_t now = weft_target_now ();

  weft_target_dispatch (&(WeftTargetDispatch){ .lane = part, .routine = &item,
                                               .queue = weft_target_queue_new (whole, "items"),
                                               .submission = weft_target_id_new (),
                                               .start = now, .end = now + 1 });
}

static void
report_others (int lane)
{
  WeftTargetTag tag = { "color", WEFT_TARGET_VALUE_STRING, { .string = "red" } };
  WeftTargetMetric *metrics[3];
  static const char *const names[] = { "sum", "level", "spread" };

  for (int k = 0; k < 3 && options.metrics > 0; k++)
    metrics[k] = weft_target_metric_new (lanes[lane], (WeftTargetMetricKind) k, names[k],
                                         WEFT_TARGET_UNIT_NAMED, "things", &tag, 1);
  for (long i = 0; i < options.metrics; i++)
    for (int k = 0; k < 3; k++)
      weft_target_metric_report_full (metrics[k], (double) i + 0.25 * k, 0, &tag, i == 0);
  for (long i = 0; i < options.warnings; i++)
    weft_target_warn (&(WeftTargetWarning){
        .lane = lanes[lane], .severity = (WeftTargetSeverity) (i % 3), .code = "over-budget",
        .message = "too slow", .value = (double) i, .threshold = 16.6, .tags = &tag, .n_tags = 1 });
  for (long i = 0; i < options.traces; i++)
    {
      WeftTargetTrace trace = weft_target_trace_new ("workflow");

      if (i % 4 != 3)
        weft_target_trace_end (&trace, "workflow", WEFT_TARGET_OK, WEFT_TARGET_ERROR_NONE, NULL);
    }
  for (long i = 0; i < options.traces; i++)
    {
      WeftTargetTrace trace;

      weft_target_set_sampling (0);
      trace = weft_target_trace_new ("unseen");
      weft_target_trace_end (&trace, "unseen", WEFT_TARGET_OK, WEFT_TARGET_ERROR_NONE, NULL);
      weft_target_set_sampling ((double) options.sampling / 100);
    }
  for (long i = 0; i < options.stacks; i++)
    weft_target_report_origin (lanes[lane], WEFT_TARGET_ROLE_WAIT_BEGIN, 0, weft_target_id_new (),
                               origin_with_stack ());
  for (long i = 0; i < options.submissions; i++)
    for (int k = 0; k < 4; k++)
      weft_target_submission (&(WeftTargetSubmissionEvent){
          .lane = lanes[lane], .submission = 1000000 + (uint64_t) i,
          .kind = (WeftTargetSubmissionKind) k });
  for (long i = 0; i < options.parts; i++)
    report_part ();
}

/* ---- A device whose clock runs at 2 GHz from a zero of its own ---- */

static uint64_t
device_ticks (uint64_t nanoseconds)
{
  return nanoseconds * 2 - UINT64_C (1000000);
}

static void
report_device (void)
{
  uint32_t clock = weft_target_clock_new ("device", 2e9);
  int device = add_lane ("device", "test.device", NULL, clock);
  int twin = add_lane ("twin", "test.host", NULL, WEFT_TARGET_CLOCK_MONOTONIC);

  for (long i = 0; i < options.device; i++)
    {
      uint64_t before = weft_target_now (), shown = device_ticks (monotonic ());
      uint64_t after = weft_target_now (), start;

      weft_target_clock_calibrate (clock, shown, before, after);
      pause_for (2000000);
      start = monotonic ();
      weft_target_span (lanes[device], &work, device_ticks (start), device_ticks (start + 1000));
      count (device);
      weft_target_span (lanes[twin], &work, start, start + 1000);
      count (twin);
      pause_for (1000000);
    }
  {
    uint64_t before = weft_target_now (), shown = device_ticks (monotonic ());

    weft_target_clock_calibrate (clock, shown, before, weft_target_now ());
  }
}

/* ---- Signals ---- */

static int signal_lane;

static void
on_alarm (int number)
{
  int saved = errno;
  uint64_t now = weft_target_now ();
  WeftTargetSpan span;

  weft_target_span (lanes[signal_lane], &handler, now, now);
  span = weft_target_span_begin (lanes[signal_lane], &handler);
  weft_target_span_end (span);
  count (signal_lane);
  count (signal_lane);
  errno = saved;
}

static void
start_signals (void)
{
  struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
  struct itimerval timer = { { 0, 200 }, { 0, 200 } };

  sigaction (SIGALRM, &action, NULL);
  setitimer (ITIMER_REAL, &timer, NULL);
}

static void
stop_signals (void)
{
  struct itimerval timer = { { 0, 0 }, { 0, 0 } };

  setitimer (ITIMER_REAL, &timer, NULL);
}

/* ---- Processes ---- */

/* Names may be hostile. */
static void
print_lane (int lane)
{
  printf (" lane:");
  for (const char *c = lane_names[lane]; *c != '\0'; c++)
    putchar (*c > ' ' && *c < 127 ? *c : '?');
  printf ("=%llu", (unsigned long long) counters->reported[lane]);
}

static void
print_counts (void)
{
  WeftTargetStats s;

  weft_target_get_stats (&s, sizeof s);
  printf ("DONE pid=%d queued=%llu sent=%llu dropped=%llu disconnected=%llu no_room=%llu "
          "reentrant=%llu sampled_out=%llu connections=%llu mismatch=%llu state=%d",
          (int) getpid (), (unsigned long long) s.queued, (unsigned long long) s.sent,
          (unsigned long long) s.dropped, (unsigned long long) s.dropped_disconnected,
          (unsigned long long) s.dropped_no_room, (unsigned long long) s.dropped_reentrant,
          (unsigned long long) s.sampled_out, (unsigned long long) s.connections,
          (unsigned long long) s.schema_mismatch, (int) s.state);
  for (int i = 0; i < n_lanes; i++)
    print_lane (i);
  printf ("\n");
  fflush (stdout);
}

static void
close_everything (void)
{
  for (int fd = 3; fd < 1024; fd++)
    close (fd);
}

static void
fork_children (long n)
{
  for (long i = 0; i < n; i++)
    {
      pid_t pid = fork ();

      if (pid == 0)
        {
          run_threads (plain_work, options.threads);
          _exit (0);
        }
      waitpid (pid, NULL, 0);
    }
}

static void
exec_again (char **argv)
{
  char argument[32];
  int n = 0;
  char *arguments[64];

  for (; argv[n] != NULL && n < 60; n++)
    arguments[n] = argv[n];
  snprintf (argument, sizeof argument, "exec=%ld", options.exec - 1);
  arguments[n++] = argument;
  arguments[n] = NULL;
  print_counts ();
  execv ("/proc/self/exe", arguments);
  _exit (4);
}

static void
parse (const char *argument)
{
  static const struct
  {
    const char *name;
    long *value;
  } numbers[] = {
    { "threads", &options.threads },     { "lanes", &options.lanes },
    { "spans", &options.spans },         { "dispatches", &options.dispatches },
    { "rate", &options.rate },           { "nest", &options.nest },
    { "reserve", &options.reserve },     { "pending", &options.pending },
    { "short", &options.short_threads }, { "metrics", &options.metrics },
    { "warnings", &options.warnings },   { "traces", &options.traces },
    { "full", &options.full },           { "device", &options.device },
    { "fork", &options.children },       { "exec", &options.exec },
    { "signals", &options.signals },     { "stacks", &options.stacks },
    { "wait", &options.wait },           { "close", &options.close_all },
    { "uid", &options.uid },             { "drop", &options.drop },
                { "unshare", &options.unshare },
    { "sleep", &options.sleep },         { "names", &options.names },
    { "sampling", &options.sampling },   { "submissions", &options.submissions },
    { "parts", &options.parts },
    { "sources", &options.sources },     { "milliseconds", &options.milliseconds },
  };
  const char *equals = strchr (argument, '=');

  for (size_t i = 0; equals != NULL && i < sizeof numbers / sizeof numbers[0]; i++)
    if (strlen (numbers[i].name) == (size_t) (equals - argument)
        && strncmp (argument, numbers[i].name, (size_t) (equals - argument)) == 0)
      {
        *numbers[i].value = atol (equals + 1);
        return;
      }
  if (strncmp (argument, "counters=", 9) == 0)
    options.counters = argument + 9;
  else if (strncmp (argument, "tag=", 4) == 0)
    options.tag = argument + 4;
  else if (strncmp (argument, "ready=", 6) == 0)
    options.ready = argument + 6;
  else
    {
      fprintf (stderr, "producer: what is “%s”?\n", argument);
      exit (2);
    }
}

static void
map_counters (void)
{
  int fd = options.counters ? open (options.counters, O_RDWR | O_CREAT | O_CLOEXEC, 0666) : -1;

  if (fd >= 0 && ftruncate (fd, sizeof (Counters)) != 0)
    exit (5);
  counters = mmap (NULL, sizeof (Counters), PROT_READ | PROT_WRITE,
                   MAP_SHARED | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);
  if (counters == MAP_FAILED)
    exit (5);
  if (fd >= 0)
    close (fd);
}

static void
on_terminate (int number)
{
  __atomic_store_n (&stop, 1, __ATOMIC_RELAXED);
}

static void
hostile_names (void)
{
  int lane = add_lane ("\033[31mred\007\r\n\t\xff\xfe lane", "test.\033]0;title\007", NULL, 0);
  WeftTargetRoutine *routine = weft_target_routine_new ("\033[2Jgone\xc2\x9b" "31m");
  uint64_t now = weft_target_now ();

  weft_target_span (lanes[lane], routine, now, now);
  count (lane);
}

int
main (int argc, char **argv)
{
  int first, probe;

  for (int i = 1; i < argc; i++)
    parse (argv[i]);
  signal (SIGTERM, on_terminate);
  map_counters ();
  if (options.uid >= 0 && (setgid ((gid_t) options.uid) != 0 || setuid ((uid_t) options.uid) != 0))
    return 6;
  if (options.sampling < 100)
    weft_target_set_sampling ((double) options.sampling / 100);
  for (int i = 0; i < options.lanes; i++)
    {
      char name[32];

      snprintf (name, sizeof name, "lane-%d", i);
      add_lane (name, "test.lane", i > 0 ? lanes[0] : NULL, 0);
    }
  first = n_lanes;
  probe = add_lane ("probe", "test.probe", NULL, 0);
  if (options.wait)
    wait_for_connection (probe);
  if (options.ready != NULL)
    close (open (options.ready, O_WRONLY | O_CREAT, 0666));
  if (options.unshare && unshare (CLONE_NEWUSER) != 0)
    printf ("NOTE unshare failed: %s\n", strerror (errno));
  if (options.drop >= 0 && setuid ((uid_t) options.drop) != 0)
    return 6;
  if (options.close_all)
    close_everything ();
  if (options.signals)
    {
      signal_lane = add_lane ("signal", "test.signal", NULL, 0);
      start_signals ();
    }
  if (options.sources)
    add_source ();
  run_threads (plain_work, options.threads);
  if (options.signals)
    stop_signals ();
  run_short_threads (options.short_threads);
  if (options.full)
    report_full (add_lane ("full", "test.full", lanes[0], 0));
  report_others (first - 1);
  if (options.device > 0)
    report_device ();
  if (options.names)
    hostile_names ();
  fork_children (options.children);
  if (options.exec > 0)
    exec_again (argv);
  if (options.milliseconds > 0)
    pause_for (options.milliseconds * 1000000);
  print_counts ();
  while (options.sleep && !__atomic_load_n (&stop, __ATOMIC_RELAXED))
    pause_for (20000000);
  return 0;
}
