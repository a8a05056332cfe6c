/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A Metal-shaped producer on the real way from weft-metal.h to a file: each case is what programs
 * do with their queues, or what goes wrong there. It writes what truly happened, for
 * producer-test.py.
 *
 *   metal-producer TRUTH LIBRARY MANIFEST [N]
 *
 * TRUTH gets lines "KIND, tab, …". With N, N dispatches are encoded and what one costs is printed
 * as benches do.
 */
#define WEFT_METAL_IMPLEMENTATION
#include "weft-metal.h"

#include "simulated-metal.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define N_PAIRS 8
#define WORK_NS UINT64_C (60000)
#define MAX_TRUTHS 4096

typedef struct
{
  const char *name; /* of the case */
  uint64_t id;
  uint64_t times[2];
  SimulatedQueue *gpu;
} Truth;

/* What a completion handler needs. */
typedef struct
{
  WeftMetalSubmission *submission;
  bool affected; /* tell which encoders a fault affected */
} Handler;

static FILE *out;
static Truth truths[MAX_TRUTHS];
static unsigned int n_truths;
static WeftTargetRoutine *shaders[3];

static uint64_t
monotonic (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (uint64_t) now.tv_sec * 1000000000u + (uint64_t) now.tv_nsec;
}

static void
sleep_ms (long ms)
{
  struct timespec time = { 0, ms * 1000000 };

  nanosleep (&time, NULL);
}

static Truth *
truth_new (const char *name)
{
  unsigned int at = __atomic_fetch_add (&n_truths, 1, __ATOMIC_RELAXED);

  if (at >= MAX_TRUTHS)
    abort ();
  truths[at].name = name;
  return &truths[at];
}

/* ---- What a program does with a command buffer ---- */

static void
encode (WeftMetalSubmission *submission, SimulatedBuffer *buffer, const char *name,
        const WeftMetalArguments *arguments)
{
  Truth *truth = truth_new (name);
  WeftMetalDispatchInfo info = { .shader = shaders[0], .label = name, .arguments = arguments };
  WeftMetalDispatch dispatch = weft_metal_dispatch_begin (submission, buffer, &info);

  truth->id = dispatch.id;
  simulated_buffer_work (buffer, WORK_NS, truth->times);
  weft_metal_dispatch_end (&dispatch, buffer);
}

/* On the GPU's thread, as Metal's handlers are on one of Metal's. */
static void
completed (bool failed, double start, double end, void *data)
{
  Handler *handler = data;
  WeftMetalFeedback feedback = {
    .failed = failed,
    .error_name = failed ? "MTLCommandBufferErrorDomain 3" : NULL,
    .error_message = failed ? "Caused GPU Address Fault Error" : NULL,
    .error_detail = failed ? "encoder “reduce” faulted" : NULL,
    .gpu_start = start,
    .gpu_end = end,
  };

  weft_metal_completed (handler->submission, &feedback, sizeof feedback);
  free (handler);
}

static void
commit (WeftMetalSubmission *submission, SimulatedBuffer *buffer, bool waits)
{
  Handler *handler = calloc (1, sizeof *handler);

  if (handler == NULL)
    abort ();
  handler->submission = submission;
  weft_metal_commit (submission);
  simulated_buffer_commit (buffer, waits, completed, handler);
}

/* The wait begins before the commit, so that it is known to have begun before the work. */
__attribute__ ((noinline)) static void
commit_and_wait (WeftMetalQueue *queue, WeftMetalSubmission *submission, SimulatedBuffer *buffer)
{
  uint64_t id = weft_metal_submission_get_id (submission);

  weft_metal_wait_begin (queue, id);
  commit (submission, buffer, true);
  simulated_buffer_wait (buffer);
  weft_metal_wait_end (queue, id);
}

/* One command buffer of N dispatches, waited for. */
static void
run (WeftMetalQueue *queue, SimulatedQueue *gpu, const char *name, unsigned int n)
{
  SimulatedBuffer *buffer = simulated_buffer_new (gpu);
  WeftMetalSubmission *submission = weft_metal_submission_begin (queue);

  for (unsigned int i = 0; i < n; i++)
    encode (submission, buffer, name, NULL);
  commit_and_wait (queue, submission, buffer);
}

static void
tell_stats (const char *name, WeftMetalQueue *queue)
{
  WeftMetalQueueStats stats;

  weft_metal_queue_get_stats (queue, &stats, sizeof stats);
  fprintf (out, "stats\t%s\t%lu\t%lu\t%lu\t%lu\t%lu\t%lu", name, (unsigned long) stats.submissions,
           (unsigned long) stats.refused, (unsigned long) stats.dispatches,
           (unsigned long) stats.resolved, (unsigned long) stats.under_way,
           (unsigned long) stats.turns);
  for (int i = 0; i < WEFT_METAL_N_REASONS; i++)
    fprintf (out, "\t%s=%lu", weft_metal_reason_get_name ((WeftMetalReason) i),
             (unsigned long) stats.unresolved[i]);
  fputc ('\n', out);
}

/* A queue of the library with the GPU behind it; closed and told of by finish (). */
typedef struct
{
  const char *name;
  SimulatedDevice *simulated;
  WeftMetalDevice *device;
  WeftMetalQueue *queue;
  SimulatedQueue *gpu;
} Rig;

static Rig
start (const char *name, const SimulatedOptions *options, WeftMetalQueueConfiguration configuration)
{
  Rig rig = { .name = name, .simulated = simulated_device_new (name, options) };
  WeftMetalFunctions functions = simulated_device_get_functions (rig.simulated);

  if (configuration.n_pairs == 0)
    configuration.n_pairs = N_PAIRS;
  configuration.calibration_interval = 20;
  rig.device = weft_metal_device_new (&functions, sizeof functions);
  rig.queue = weft_metal_queue_new (rig.device, name, &configuration, sizeof configuration);
  rig.gpu = simulated_queue_new (rig.simulated);
  return rig;
}

static void
finish (Rig *rig)
{
  WeftMetalClockState clock;

  simulated_queue_free (rig->gpu);
  weft_metal_resolve (rig->queue);
  tell_stats (rig->name, rig->queue);
  weft_metal_device_get_clock (rig->device, &clock, sizeof clock);
  fprintf (out, "clock\t%s\t%lu\t%lu\t%lu\t%.9g\t%lu\n", rig->name,
           (unsigned long) clock.calibrations, (unsigned long) clock.refused,
           (unsigned long) clock.error, clock.drift * 1e6,
           (unsigned long) simulated_device_get_kink (rig->simulated));
  weft_metal_queue_free (rig->queue);
}

static const SimulatedOptions sound = { .frequency = 24e6, .drift = 400e-6 };

/* ---- Cases ---- */

/* Command buffers of three through heaps of eight pairs: they come round again and again. */
static void
case_ring (void)
{
  Rig rig = start ("ring", &sound, (WeftMetalQueueConfiguration){ 0 });

  for (int i = 0; i < 20; i++)
    run (rig.queue, rig.gpu, "ring", 3);
  finish (&rig);
}

/* The clock runs fast by 400 ppm for half a second, and slow by as much for another. */
static void
case_drift (void)
{
  Rig rig =
      start ("drift", &sound, (WeftMetalQueueConfiguration){ .granularity = WEFT_METAL_RELAXED });

  for (int i = 0; i < 50; i++)
    {
      run (rig.queue, rig.gpu, "drift", 1);
      sleep_ms (20);
    }
  finish (&rig);
}

/* Nobody waits: the handler hears of it. */
static void
case_asynchronous (void)
{
  Rig rig = start ("asynchronous", &sound, (WeftMetalQueueConfiguration){ 0 });

  for (int i = 0; i < 4; i++)
    {
      SimulatedBuffer *buffer = simulated_buffer_new (rig.gpu);
      WeftMetalSubmission *submission = weft_metal_submission_begin (rig.queue);

      encode (submission, buffer, "asynchronous", NULL);
      commit (submission, buffer, false);
    }
  finish (&rig);
}

static void *
encode_on_thread (void *data)
{
  Rig *rig = data;

  for (int i = 0; i < 12; i++)
    {
      SimulatedBuffer *buffer = simulated_buffer_new (rig->gpu);
      WeftMetalSubmission *submission = weft_metal_submission_begin (rig->queue);

      for (int j = 0; j < 5; j++)
        encode (submission, buffer, "threads", NULL);
      if (i % 3 == 0)
        commit_and_wait (rig->queue, submission, buffer);
      else
        commit (submission, buffer, false);
    }
  return NULL;
}

static void
case_threads (void)
{
  Rig rig = start ("threads", &sound, (WeftMetalQueueConfiguration){ .n_pairs = 512 });
  pthread_t threads[4];

  for (int i = 0; i < 4; i++)
    if (pthread_create (&threads[i], NULL, encode_on_thread, &rig) != 0)
      abort ();
  for (int i = 0; i < 4; i++)
    pthread_join (threads[i], NULL);
  finish (&rig);
}

/* The GPU stands still while both heaps fill: what comes then gets no pair, and the same heaps
 * serve again when it has gone on.
 */
static void
case_late (void)
{
  Rig rig = start ("late", &sound, (WeftMetalQueueConfiguration){ 0 });
  SimulatedBuffer *last;
  WeftMetalSubmission *submission;

  simulated_queue_hold (rig.gpu);
  for (int i = 0; i < 4; i++)
    {
      SimulatedBuffer *buffer = simulated_buffer_new (rig.gpu);

      submission = weft_metal_submission_begin (rig.queue);
      for (int j = 0; j < 4; j++)
        encode (submission, buffer, "late-first", NULL);
      commit (submission, buffer, false);
    }
  last = simulated_buffer_new (rig.gpu);
  submission = weft_metal_submission_begin (rig.queue);
  for (int j = 0; j < 5; j++)
    encode (submission, last, "late-no-slot", NULL);
  commit (submission, last, true);
  simulated_queue_release (rig.gpu);
  simulated_buffer_wait (last);
  run (rig.queue, rig.gpu, "late-after", 8);
  finish (&rig);
}

/* Nothing is resolved until the heaps come round, or the end. */
static void
case_deferred (void)
{
  Rig rig = start ("deferred", &sound, (WeftMetalQueueConfiguration){ .deferred = true });
  WeftMetalQueueStats stats;

  run (rig.queue, rig.gpu, "deferred", 5);
  weft_metal_queue_get_stats (rig.queue, &stats, sizeof stats);
  fprintf (out, "deferred\t%lu\t%lu\n", (unsigned long) stats.resolved,
           (unsigned long) stats.under_way);
  for (int i = 0; i < 6; i++)
    run (rig.queue, rig.gpu, "deferred", 5);
  finish (&rig);
}

/* The second of three meets a fault: the first has its times, the others were never written. */
static void
case_fault (void)
{
  Rig rig = start ("fault", &sound, (WeftMetalQueueConfiguration){ 0 });
  SimulatedBuffer *buffer = simulated_buffer_new (rig.gpu);
  WeftMetalSubmission *submission = weft_metal_submission_begin (rig.queue);

  encode (submission, buffer, "fault-before", NULL);
  simulated_buffer_fault (buffer);
  encode (submission, buffer, "fault-lost", NULL);
  encode (submission, buffer, "fault-lost", NULL);
  commit_and_wait (rig.queue, submission, buffer);
  finish (&rig);
}

static void
case_troubles (const char *name, const SimulatedOptions *options)
{
  static const struct
  {
    SimulatedTrouble trouble;
    const char *label;
  } troubles[] = { { SIMULATED_SOUND, "trouble-none" },
                   { SIMULATED_UNWRITTEN, "trouble-unwritten" },
                   { SIMULATED_ERROR_VALUE, "trouble-error-value" },
                   { SIMULATED_REVERSED, "trouble-reversed" } };
  Rig rig = start (name, options, (WeftMetalQueueConfiguration){ 0 });
  SimulatedBuffer *buffer = simulated_buffer_new (rig.gpu);
  WeftMetalSubmission *submission = weft_metal_submission_begin (rig.queue);

  for (int i = 0; i < 4; i++)
    {
      simulated_buffer_trouble (buffer, troubles[i].trouble);
      encode (submission, buffer, troubles[i].label, NULL);
    }
  commit_and_wait (rig.queue, submission, buffer);
  finish (&rig);
}

/* Entries of before cannot be made unwritten: what the GPU does not write is old, and shows it. */
static void
case_stale (void)
{
  const SimulatedOptions classic = { .frequency = 1e9, .classic = true };
  Rig rig = start ("stale", &classic, (WeftMetalQueueConfiguration){ 0 });
  SimulatedBuffer *buffer;
  WeftMetalSubmission *submission;

  run (rig.queue, rig.gpu, "stale-before", 2 * N_PAIRS);
  buffer = simulated_buffer_new (rig.gpu);
  submission = weft_metal_submission_begin (rig.queue);
  simulated_buffer_fault (buffer);
  encode (submission, buffer, "stale-never-ran", NULL);
  commit_and_wait (rig.queue, submission, buffer);
  finish (&rig);
}

/* The heap counts in another unit than the clock that is read: nothing fits. */
static void
case_other_unit (void)
{
  const SimulatedOptions other = { .frequency = 24e6, .heap_scale = 1000.0 / 24 };
  Rig rig = start ("other unit", &other, (WeftMetalQueueConfiguration){ 0 });

  run (rig.queue, rig.gpu, "other-unit", 4);
  finish (&rig);
}

static void
case_no_heaps (void)
{
  const SimulatedOptions none = { .frequency = 24e6, .no_heaps = true };
  Rig rig = start ("no heaps", &none, (WeftMetalQueueConfiguration){ 0 });

  run (rig.queue, rig.gpu, "no-heaps", 3);
  finish (&rig);
}

static void
case_abandoned (void)
{
  Rig rig = start ("abandoned", &sound, (WeftMetalQueueConfiguration){ 0 });

  for (int i = 0; i < 3; i++)
    {
      SimulatedBuffer *buffer = simulated_buffer_new (rig.gpu);
      WeftMetalSubmission *submission = weft_metal_submission_begin (rig.queue);

      for (int j = 0; j < 4; j++)
        encode (submission, buffer, "abandoned", NULL);
      weft_metal_abandon (submission);
      simulated_buffer_discard (buffer);
    }
  run (rig.queue, rig.gpu, "abandoned-after", N_PAIRS);
  finish (&rig);
}

/* Two at a time, and a third. */
static void
case_refused (void)
{
  Rig rig = start ("refused", &sound, (WeftMetalQueueConfiguration){ .n_submissions = 2 });
  WeftMetalSubmission *one = weft_metal_submission_begin (rig.queue);
  WeftMetalSubmission *two = weft_metal_submission_begin (rig.queue);
  WeftMetalSubmission *three = weft_metal_submission_begin (rig.queue);

  fprintf (out, "refused\t%d\n", one != NULL && two != NULL && three == NULL);
  weft_metal_abandon (one);
  weft_metal_abandon (two);
  weft_metal_abandon (three);
  finish (&rig);
}

static void
case_counters (void)
{
  static const char *const statistic[] = { "KernelInvocations", "TotalCycles", "FragmentsPassed" };
  static const char *const stages[] = { "TotalCycles", "VertexCycles", "FragmentCycles" };
  Rig rig = start ("counters", &sound, (WeftMetalQueueConfiguration){ 0 });
  WeftMetalCounterSet *set = weft_metal_counter_set_new (
      &(WeftMetalCounterSetInfo){
          .name = "statistic",
          .counters = statistic,
          .n_counters = 3,
          .state = { .availability = WEFT_TARGET_DISABLED, .reason = "not asked for" } },
      sizeof (WeftMetalCounterSetInfo));
  WeftMetalCounterSet *failing = weft_metal_counter_set_new (
      &(WeftMetalCounterSetInfo){ .name = "stageutilization", .counters = stages, .n_counters = 3 },
      sizeof (WeftMetalCounterSetInfo));
  SimulatedBuffer *buffer;
  WeftMetalSubmission *submission;

  run (rig.queue, rig.gpu, "counters-off", 1);
  fprintf (out, "sampled\t%d\t%d\n", weft_metal_queue_sample (rig.queue, set),
           weft_metal_queue_sample (rig.queue, failing));
  for (int i = 0; i < 12; i++)
    run (rig.queue, rig.gpu, "counters", 3);
  buffer = simulated_buffer_new (rig.gpu);
  submission = weft_metal_submission_begin (rig.queue);
  simulated_buffer_counters_fail (buffer);
  encode (submission, buffer, "counters-error", NULL);
  commit_and_wait (rig.queue, submission, buffer);
  finish (&rig);
}

static void
bind_everything (WeftMetalDevice *device, WeftMetalArguments *arguments)
{
  static const WeftTargetRange ranges[] = { { "layer", 7, 1 }, { "head", 0, 16 } };
  const WeftTargetAttachment weights = {
    .kind = "tensor", .label = "blk.7.attn_q", .element_type = "q4_0", .shape = "2048×2048"
  };

  weft_metal_resource_add (device, 0x10000, 0x8000, &weights);
  weft_metal_arguments_set_address (arguments, device, 0, 0x10400, WEFT_TARGET_ACCESS_READ,
                                    "weights", ranges, 2);
  weft_metal_arguments_set_address (arguments, device, 1, 0x20000, WEFT_TARGET_ACCESS_WRITE,
                                    "output", NULL, 0);
  weft_metal_arguments_set (arguments, &(WeftTargetAttachment){ .kind = "texture",
                                                                .label = "lut",
                                                                .slot = 0,
                                                                .access = WEFT_TARGET_ACCESS_READ,
                                                                .size = 4096 });
}

static void
case_arguments (void)
{
  Rig rig = start ("arguments", &sound, (WeftMetalQueueConfiguration){ 0 });
  SimulatedBuffer *buffer = simulated_buffer_new (rig.gpu);
  WeftMetalSubmission *submission = weft_metal_submission_begin (rig.queue);
  WeftMetalArguments arguments = { .n = 0 };

  bind_everything (rig.device, &arguments);
  encode (submission, buffer, "arguments", &arguments);
  weft_metal_resource_remove (rig.device, 0x10000);
  weft_metal_arguments_set_address (&arguments, rig.device, 0, 0x10400, WEFT_TARGET_ACCESS_READ,
                                    NULL, NULL, 0);
  weft_metal_arguments_set (&arguments, &(WeftTargetAttachment){ .slot = 1 });
  encode (submission, buffer, "arguments-changed", &arguments);
  weft_metal_arguments_clear (&arguments);
  for (int i = 0; i < 40; i++)
    weft_metal_arguments_set (&arguments,
                              &(WeftTargetAttachment){ .kind = "buffer", .slot = i, .size = 1 });
  encode (submission, buffer, "arguments-many", &arguments);
  commit_and_wait (rig.queue, submission, buffer);
  finish (&rig);
}

static void
case_capture (void)
{
  Rig rig = start ("capture", &sound, (WeftMetalQueueConfiguration){ 0 });
  uint32_t artifact, second, nothing;
  WeftMetalScope scope;

  nothing = weft_metal_capture_begin (rig.device, rig.queue, NULL, "no.gputrace", "nothing");
  run (rig.queue, rig.gpu, "capture-before", 1);
  artifact =
      weft_metal_capture_begin (rig.device, rig.queue, rig.gpu, "/tmp/step-7.gputrace", "step 7");
  second = weft_metal_capture_begin (rig.device, rig.queue, rig.gpu, "second.gputrace", "second");
  scope = weft_metal_scope_begin (rig.device, "prefill");
  run (rig.queue, rig.gpu, "capture-during", 2);
  weft_metal_scope_end (scope);
  weft_metal_capture_end (rig.device);
  weft_metal_scope_end (weft_metal_scope_begin (rig.device, "decode"));
  run (rig.queue, rig.gpu, "capture-after", 1);
  fprintf (out, "capture\t%d\t%d\t%d\n", artifact != 0, second == 0, nothing == 0);
  finish (&rig);
}

/* The queue is given up while its work is under way: the GPU's last handler frees it. */
static void
case_closing (void)
{
  Rig rig = start ("closing", &sound, (WeftMetalQueueConfiguration){ .deferred = true });

  simulated_queue_hold (rig.gpu);
  for (int i = 0; i < 3; i++)
    {
      SimulatedBuffer *buffer = simulated_buffer_new (rig.gpu);
      WeftMetalSubmission *submission = weft_metal_submission_begin (rig.queue);

      encode (submission, buffer, "closing", NULL);
      commit (submission, buffer, false);
    }
  weft_metal_queue_free (rig.queue);
  simulated_queue_release (rig.gpu);
  simulated_queue_free (rig.gpu);
}

/* ---- Cost ---- */

static int
compare (const void *a, const void *b)
{
  const uint64_t *one = a, *other = b;

  return *one < *other ? -1 : *one > *other;
}

/* The median of batches of a thousand, each a command buffer that is waited for. While somebody
 * records, there is time between them, as no more than 20,000 stacks are copied in a second.
 */
static void
measure (unsigned long n)
{
  Rig rig = start ("cost", &sound, (WeftMetalQueueConfiguration){ .n_pairs = 4096 });
  uint64_t *batches = calloc (n / 1000 + 1, sizeof *batches), began;
  unsigned long n_batches = 0;

  if (batches == NULL)
    abort ();

  for (unsigned long done = 0; done < n; done += 1000)
    {
      SimulatedBuffer *buffer = simulated_buffer_new (rig.gpu);
      WeftMetalSubmission *submission = weft_metal_submission_begin (rig.queue);
      WeftMetalDispatchInfo info = { .shader = shaders[0] };

      began = monotonic ();
      for (int i = 0; i < 1000; i++)
        {
          WeftMetalDispatch dispatch = weft_metal_dispatch_begin (submission, buffer, &info);

          weft_metal_dispatch_end (&dispatch, buffer);
        }
      batches[n_batches++] = monotonic () - began;
      commit_and_wait (rig.queue, submission, buffer);
      if (weft_target_enabled ())
        sleep_ms (55);
    }
  qsort (batches, n_batches, sizeof *batches, compare);
  printf ("%s %.2f ns\n", weft_target_enabled () ? "metal-dispatch" : "metal-inactive",
          (double) batches[n_batches / 2] / 1000);
  free (batches);
  fprintf (out, "calls\t%lu\n", (unsigned long) simulated_device_get_calls (rig.simulated));
  finish (&rig);
}

static void
make_shaders (const char *library_path, const char *manifest)
{
  char reason[256];
  WeftMetalLibrary *library = weft_metal_library_new (
      &(WeftMetalLibraryInfo){ .path = library_path, .flavour = "fast", .manifest = manifest },
      sizeof (WeftMetalLibraryInfo), reason, sizeof reason);

  fprintf (out, "library\t%s\t%s\n", weft_metal_library_get_hash (library), reason);
  shaders[0] = weft_metal_shader_new (library,
                                      &(WeftMetalShaderInfo){ .function = "tq1s_gemv",
                                                              .label = "matrix × vector",
                                                              .stage = "kernel",
                                                              .pipeline = "rows=4",
                                                              .max_threads_per_threadgroup = 1024,
                                                              .execution_width = 32 },
                                      sizeof (WeftMetalShaderInfo));
  shaders[1] = weft_metal_shader_new (
      library, &(WeftMetalShaderInfo){ .function = "tq1s_gemv", .pipeline = "rows=8" },
      sizeof (WeftMetalShaderInfo));
  shaders[2] = weft_metal_shader_new (NULL, &(WeftMetalShaderInfo){ .function = "fill" },
                                      sizeof (WeftMetalShaderInfo));
}

int
main (int argc, char **argv)
{
  WeftTargetLane *lane;
  WeftTargetRoutine base = WEFT_TARGET_ROUTINE ("base");
  uint64_t now;

  if (argc < 4 || (out = fopen (argv[1], "w")) == NULL)
    {
      fprintf (stderr, "metal-producer: TRUTH LIBRARY MANIFEST [N]\n");
      return 2;
    }
  make_shaders (argv[2], argv[3]);
  lane = weft_target_lane_new_full (&(WeftTargetLaneInfo){ .name = "base",
                                                           .kind = "test.base",
                                                           .clock = WEFT_TARGET_CLOCK_MONOTONIC },
                                    sizeof (WeftTargetLaneInfo));
  if (argc > 4)
    {
      measure (strtoul (argv[4], NULL, 10));
      fclose (out);
      return 0;
    }
  sleep_ms (50);
  now = monotonic ();
  weft_target_span (lane, &base, now, now);
  fprintf (out, "base\t%lu\n", (unsigned long) now);
  case_ring ();
  case_asynchronous ();
  case_threads ();
  case_late ();
  case_deferred ();
  case_fault ();
  case_troubles ("troubles", &sound);
  case_stale ();
  case_other_unit ();
  case_no_heaps ();
  case_abandoned ();
  case_refused ();
  case_counters ();
  case_arguments ();
  case_capture ();
  case_closing ();
  case_drift ();
  for (unsigned int i = 0; i < n_truths; i++)
    fprintf (out, "dispatch\t%s\t%lu\t%lu\t%lu\n", truths[i].name, (unsigned long) truths[i].id,
             (unsigned long) truths[i].times[0], (unsigned long) truths[i].times[1]);
  fclose (out);
  return 0;
}
