/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The CPU side: what was sampled, how far stacks go, what waits tell, and whether time adds up. */

#include "weft-analysis-scope.h"
#include "weft-cpu-hints.h"
#include "weft-diagnosis.h"
#include "weft-row-scan.h"
#include "weft-thread-figures.h"

#include <string.h>

/* Below these shares something is worth a look. */
#define GOOD_STACKS 0.97
#define GOOD_WAITS 0.8
/* And above this one, of wall time waited for a CPU. */
#define CROWDED 0.1
/* On and off may differ from the wall time by so much of it, and by so many ns. */
#define TIME_TOLERANCE 0.01
#define TIME_SLACK 1000000

typedef struct
{
  WeftDiagnosis *diagnosis;
  WeftCpuHints hints;
  guint64 samples[WEFT_STACK_END_NO_USER_STACK + 1]; /* by how unwinding ended */
  guint64 n_samples;
  guint64 n_approximate;
  guint64 n_kernel; /* of which a kernel frame is innermost */
  guint64 waited;   /* ns, without the waits of those who were preempted */
  guint64 with_stack;
  guint64 with_reason;
  guint64 with_waker;
  guint64 wakeable;
  WeftCallchainReader *callchains;
  GArray *kernel_frames; /* a gboolean for each frame */
} Cpu;

static void
cpu_clear (Cpu *self)
{
  g_clear_pointer (&self->callchains, weft_callchain_reader_free);
  g_clear_pointer (&self->kernel_frames, g_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Cpu, cpu_clear)

static double
share (guint64 part, guint64 whole)
{
  return whole == 0 ? 0 : (double) part / (double) whole;
}

/* ---- Rows ---- */

static void
take_frame (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  Cpu *self = data;
  gboolean is_kernel = (values[0] & 2) != 0;

  g_array_append_val (self->kernel_frames, is_kernel);
}

static void
take_sample (const WeftSampleRow *sample, gpointer data)
{
  Cpu *self = data;
  guint32 frame = weft_callchain_reader_get_frame (self->callchains, sample->row.node);

  self->samples[MIN (sample->end, WEFT_STACK_END_NO_USER_STACK)]++;
  self->n_samples++;
  self->n_approximate += sample->is_approximate;
  if (frame != 0 && frame < self->kernel_frames->len)
    self->n_kernel += g_array_index (self->kernel_frames, gboolean, frame);
}

static void
take_wait (const WeftWaitRow *wait, gpointer data)
{
  Cpu *self = data;

  if (wait->row.reason == WEFT_WAIT_REASON_PREEMPTED)
    return;
  self->waited += wait->clipped;
  if (wait->row.node != 0)
    self->with_stack += wait->clipped;
  if (wait->row.reason != WEFT_WAIT_REASON_UNKNOWN)
    self->with_reason += wait->clipped;
  if (wait->is_open)
    return;
  self->wakeable += wait->clipped;
  if (wait->wakeup != 0 || wait->waker != 0)
    self->with_waker += wait->clipped;
}

static gboolean
read_rows (Cpu *self, GError **error)
{
  static const WeftColumnNumber flags[] = { WEFT_FRAMES_FLAGS };
  const WeftAnalysisScope *scope = self->diagnosis->scope;
  gboolean none = FALSE;

  self->kernel_frames = g_array_new (FALSE, FALSE, sizeof (gboolean));
  g_array_append_val (self->kernel_frames, none);
  self->callchains = weft_callchain_reader_new (scope, error);
  return self->callchains != NULL && weft_cpu_hints_read (&self->hints, scope, error) &&
         weft_scan_rows (scope->store, WEFT_TABLE_FRAMES, flags, 1, take_frame, self,
                         scope->cancellable, error) &&
         weft_stream_samples (scope, self->callchains, NULL, take_sample, self, error) &&
         weft_stream_waits (scope, self->callchains, NULL, take_wait, self, error);
}

/* ---- The sampler ---- */

static void
check_sampler (Cpu *self)
{
  static const char *const question = "Were CPUs sampled?";
  g_autofree char *why = weft_cpu_hints_explain_no_samples (&self->hints);

  if (self->n_samples > 0)
    weft_diagnosis_add (self->diagnosis, "sampler", question, WEFT_VERDICT_GOOD, NULL, NULL,
                        "%" G_GUINT64_FORMAT " %s by “%s”, %" G_GINT64_FORMAT " a second of CPU "
                        "time%s",
                        self->n_samples, weft_plural (self->n_samples, "sample", "samples"),
                        self->hints.sampler != NULL ? self->hints.sampler : "?",
                        self->hints.frequency,
                        self->n_approximate > 0 ? "; their times are approximate" : "");
  else if (weft_cpu_hints_is_off (&self->hints) && self->hints.missing == NULL)
    weft_diagnosis_add (self->diagnosis, "sampler", question, WEFT_VERDICT_NOT_APPLICABLE, NULL,
                        NULL, "%s", why);
  else
    weft_diagnosis_add (self->diagnosis, "sampler", question,
                        self->hints.missing != NULL && weft_cpu_hints_is_off (&self->hints)
                            ? WEFT_VERDICT_PROBLEM
                            : WEFT_VERDICT_ATTENTION,
                        self->hints.missing, NULL, "%s", why);
}

static void
check_permissions (Cpu *self)
{
  if (self->hints.sampler == NULL)
    return;
  if (self->hints.missing == NULL)
    weft_diagnosis_add (self->diagnosis, "permissions", "Was all permitted that sampling needs?",
                        WEFT_VERDICT_GOOD, NULL, NULL, "Nothing was missing");
  else
    weft_diagnosis_add (self->diagnosis, "permissions", "Was all permitted that sampling needs?",
                        WEFT_VERDICT_ATTENTION, self->hints.missing, NULL,
                        "Something was not permitted or not there; what is missing, and what would "
                        "allow it, is told beside");
}

static void
check_counters (Cpu *self)
{
  static const char *const question = "Were cycles and instructions counted?";

  if (self->hints.counters == NULL || self->n_samples == 0)
    return;
  if (strcmp (self->hints.counters, "yes") == 0)
    weft_diagnosis_add (self->diagnosis, "hardware-counters", question, WEFT_VERDICT_GOOD, NULL,
                        NULL, "They were read with each sample");
  else
    weft_diagnosis_add (
        self->diagnosis, "hardware-counters", question, WEFT_VERDICT_NOT_APPLICABLE, NULL, NULL,
        "This machine has no hardware counters, or they are closed to processes, as in "
        "most virtual machines");
}

/* ---- Stacks ---- */

static const struct
{
  const char *what;
  const char *advice;
} ends[WEFT_STACK_END_NO_USER_STACK + 1] = {
  [WEFT_STACK_END_NOT_UNWOUND] = { "were not unwound", "Record with user stacks allowed" },
  [WEFT_STACK_END_TRUNCATED] = { "end where the copy of the stack did",
                                 "Let more of each stack be copied when recording" },
  [WEFT_STACK_END_NO_MODULE] = { "end at an address in no known module",
                                 "Let programs with generated code write a perf map or jitdump" },
  [WEFT_STACK_END_NO_TABLE] = { "end in code without unwinding tables or frame pointers",
                                "Build with -fasynchronous-unwind-tables or "
                                "-fno-omit-frame-pointer" },
  [WEFT_STACK_END_UNSUPPORTED] = { "end at an unwinding rule that is not understood", NULL },
  [WEFT_STACK_END_STUCK] = { "end where the stack did not go on", NULL },
  [WEFT_STACK_END_DEPTH] = { "are deeper than the largest number of frames", NULL },
  [WEFT_STACK_END_NO_USER_STACK] = { "are of threads without a user stack", NULL },
};

static guint64
count_user_stacks (const Cpu *self)
{
  return self->n_samples - self->samples[WEFT_STACK_END_NO_USER_STACK];
}

static char *
list_ends (const Cpu *self)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (ends); i++)
    if (ends[i].what != NULL && self->samples[i] > 0)
      g_string_append_printf (text, "; %.1f %% %s", 100 * share (self->samples[i], self->n_samples),
                              ends[i].what);
  return g_string_free (text, FALSE);
}

static void
check_stacks (Cpu *self)
{
  guint64 complete = self->samples[WEFT_STACK_END_COMPLETE];
  double part = share (complete, count_user_stacks (self));
  g_autofree char *others = list_ends (self);
  guint worst = WEFT_STACK_END_TRUNCATED;

  if (count_user_stacks (self) == 0)
    return;
  for (guint i = 0; i < WEFT_STACK_END_NO_USER_STACK; i++)
    if (i != WEFT_STACK_END_COMPLETE && self->samples[i] > self->samples[worst])
      worst = i;
  weft_diagnosis_add (self->diagnosis, "cpu-stacks", "Do stacks reach the start of their thread?",
                      part >= GOOD_STACKS ? WEFT_VERDICT_GOOD : WEFT_VERDICT_ATTENTION,
                      part >= GOOD_STACKS ? NULL : ends[worst].advice, NULL,
                      "%.1f %% of %" G_GUINT64_FORMAT " do%s", 100 * part, count_user_stacks (self),
                      others);
}

static void
check_kernel (Cpu *self)
{
  static const char *const question = "Are kernel functions on the stacks?";

  if (self->n_samples == 0)
    return;
  if (self->n_kernel > 0)
    weft_diagnosis_add (self->diagnosis, "kernel-stacks", question, WEFT_VERDICT_GOOD, NULL, NULL,
                        "%.1f %% of the samples are in the kernel",
                        100 * share (self->n_kernel, self->n_samples));
  else
    weft_diagnosis_add (self->diagnosis, "kernel-stacks", question, WEFT_VERDICT_NOT_APPLICABLE,
                        "They are recorded for root, and for those whom kernel.perf_event_paranoid "
                        "of 1 or less or CAP_PERFMON allows it",
                        NULL,
                        "No sample is in the kernel: time that was spent there is told of the "
                        "function that called it, or is not sampled");
}

/* ---- Waits ---- */

static void
check_waits (Cpu *self)
{
  static const char *const question = "Is it known what threads waited for?";
  double reasons = share (self->with_reason, self->waited);
  double stacks = share (self->with_stack, self->waited);
  gboolean is_good = reasons >= GOOD_WAITS && stacks >= GOOD_WAITS;
  g_autofree char *why = weft_cpu_hints_explain_no_waits (&self->hints);

  if (self->n_samples == 0 && self->hints.n_waits == 0)
    return;
  if (self->waited == 0)
    weft_diagnosis_add (self->diagnosis, "cpu-waits", question, WEFT_VERDICT_NOT_APPLICABLE, NULL,
                        NULL, "%s", self->hints.n_waits > 0 ? "Nobody waited but for a CPU" : why);
  else
    weft_diagnosis_add (
        self->diagnosis, "cpu-waits", question,
        is_good ? WEFT_VERDICT_GOOD : WEFT_VERDICT_ATTENTION,
        is_good ? NULL
                : "Waits shorter than the interval at which they are looked at have no stack and "
                  "often no reason; who may read tracepoints gets both at the switch itself",
        NULL, "Of the time waited, %.1f %% has a reason and %.1f %% a stack", 100 * reasons,
        100 * stacks);
}

static void
check_wakers (Cpu *self)
{
  double part = share (self->with_waker, self->wakeable);

  if (self->wakeable == 0)
    return;
  weft_diagnosis_add (self->diagnosis, "cpu-wakers", "Is it known who ended waits?",
                      part >= GOOD_WAITS ? WEFT_VERDICT_GOOD : WEFT_VERDICT_ATTENTION,
                      part >= GOOD_WAITS
                          ? NULL
                          : "The kernel tells it to root, or with CAP_PERFMON where tracefs can be "
                            "read",
                      NULL, "Of the time waited, %.1f %% was ended by somebody known", 100 * part);
}

/* ---- Threads ---- */

typedef struct
{
  guint64 on_cpu;
  guint64 off_cpu;
  guint64 preempted;
  guint64 wall;
  guint n_threads;
} Sums;

static void
take_thread (Sums *sums, WeftSubjects *wrong, const WeftCatalogThread *thread,
             const WeftThreadFigures *figures)
{
  gint64 wall = figures->stop - figures->start;
  gint64 difference = (gint64) (figures->on_cpu + figures->off_cpu) - wall;

  sums->n_threads++;
  sums->on_cpu += figures->on_cpu;
  sums->off_cpu += figures->off_cpu;
  sums->preempted += figures->reasons[WEFT_WAIT_REASON_PREEMPTED];
  sums->wall += (guint64) wall;
  if ((double) ABS (difference) > TIME_TOLERANCE * (double) wall + TIME_SLACK)
    weft_subjects_add (wrong, "t", thread->id, thread->name);
}

static void
tell_times (Cpu *self, const Sums *sums, WeftSubjects *wrong)
{
  static const char *const question = "Do times on and off the CPU add up?";

  if (weft_subjects_get_count (wrong) == 0)
    weft_diagnosis_add (self->diagnosis, "thread-times", question, WEFT_VERDICT_GOOD, NULL, NULL,
                        "Of %u %s, on-CPU and off-CPU time are the time that they were watched for",
                        sums->n_threads, weft_plural (sums->n_threads, "thread", "threads"));
  else
    weft_diagnosis_add (self->diagnosis, "thread-times", question, WEFT_VERDICT_ATTENTION,
                        "Events were lost, or the machine was suspended: see the losses", wrong,
                        "They do not of %s", weft_subjects_get_names (wrong));
}

static void
tell_parallelism (Cpu *self, const Sums *sums, guint64 span)
{
  double crowded = share (sums->preempted, sums->on_cpu + sums->preempted);
  gboolean is_crowded = crowded > CROWDED;

  if (span == 0 || sums->on_cpu == 0)
    return;
  weft_diagnosis_add (
      self->diagnosis, "cpu-use", "Did threads have to wait for a CPU?",
      is_crowded ? WEFT_VERDICT_ATTENTION : WEFT_VERDICT_GOOD,
      is_crowded ? "More threads wanted to run than there were CPUs: let fewer run "
                   "at once, or the machine do less beside"
                 : NULL,
      NULL,
      "%u %s used %.2f CPUs on average; %.1f %% of the time in which they could run "
      "they waited for one",
      sums->n_threads, weft_plural (sums->n_threads, "thread", "threads"),
      (double) sums->on_cpu / (double) span, 100 * crowded);
}

static gboolean
check_threads (Cpu *self, GError **error)
{
  const WeftAnalysisScope *scope = self->diagnosis->scope;
  g_autoptr (WeftThreadTable) threads = weft_thread_table_new (scope, NULL, NULL, error);
  WeftCatalog *catalog = self->diagnosis->catalog;
  g_autoptr (WeftSubjects) wrong = weft_subjects_new ();
  Sums sums = { 0 };
  gint64 begin, end;

  if (threads == NULL || !weft_scope_find_span (scope, &begin, &end, error))
    return FALSE;
  for (guint i = 0; i < weft_catalog_get_n_threads (catalog); i++)
    {
      const WeftCatalogThread *thread = weft_catalog_get_nth_thread (catalog, i);
      const WeftThreadFigures *figures = weft_thread_table_get (threads, thread->id);

      if (figures != NULL && figures->has_times)
        take_thread (&sums, wrong, thread, figures);
    }
  if (sums.n_threads == 0)
    return TRUE;
  tell_times (self, &sums, wrong);
  tell_parallelism (self, &sums, end > begin ? (guint64) end - (guint64) begin : 0);
  return TRUE;
}

gboolean
weft_diagnose_cpu (WeftDiagnosis *diagnosis, GError **error)
{
  g_auto (Cpu) self = { .diagnosis = diagnosis };

  if (!read_rows (&self, error))
    return FALSE;
  check_sampler (&self);
  check_permissions (&self);
  check_counters (&self);
  check_stacks (&self);
  check_kernel (&self);
  check_waits (&self);
  check_wakers (&self);
  return check_threads (&self, error);
}
