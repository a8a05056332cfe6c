/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* cpu-probe OPTION=VALUE… -- PROGRAM…: runs a source of CPU events and prints what it told, as
 * JSON. sampler: auto, perf, ptrace; pid: to attach to; seconds: how long, where no program is
 * launched.
 */

#include <gio/gio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "cpu-tracker-double.h"
#include "weft-clock.h"
#include "weft-cpu-source.h"

static const char *const kinds[] = { "map", "name", "exec",   "start", "exit",  "sample",
                                     "out", "in",   "wakeup", "lost",  "attach" };

typedef struct
{
  int pids[16];
  WeftCpuSourceOptions options;
  double seconds;
  gboolean verbose;
} Probe;

static WeftSampler
parse_sampler (const char *name)
{
  if (strcmp (name, "perf") == 0)
    return WEFT_SAMPLER_PERF;
  return strcmp (name, "ptrace") == 0 ? WEFT_SAMPLER_PTRACE : WEFT_SAMPLER_AUTO;
}

static void
set_option (Probe *self, const char *option)
{
  const char *value = strchr (option, '=') ? strchr (option, '=') + 1 : "";

  if (g_str_has_prefix (option, "sampler="))
    self->options.sampler = parse_sampler (value);
  else if (g_str_has_prefix (option, "frequency="))
    self->options.frequency = (guint) atoi (value);
  else if (g_str_has_prefix (option, "stack="))
    self->options.stack_bytes = (guint) atoi (value);
  else if (g_str_has_prefix (option, "pid="))
    self->pids[self->options.n_pids++] = atoi (value);
  else if (g_str_has_prefix (option, "seconds="))
    self->seconds = g_ascii_strtod (value, NULL);
  else if (g_str_has_prefix (option, "system"))
    self->options.system = TRUE;
  else if (g_str_has_prefix (option, "no-waits"))
    self->options.no_waits = TRUE;
  else if (g_str_has_prefix (option, "verbose"))
    self->verbose = TRUE;
}

static void
wait_for_end (Probe *self, gint64 end)
{
  WeftProgram *program = self->options.program;

  while (program ? weft_program_is_running (program) : weft_monotonic_now () < end)
    g_usleep (2000);
}

static gboolean
is_in_order (GArray *told)
{
  for (guint i = 1; i < told->len; i++)
    if (g_array_index (told, Told, i).time < g_array_index (told, Told, i - 1).time)
      return FALSE;
  return TRUE;
}

/* What JSON wants, and UTF-8 as it is. */
static char *
escape (const char *text)
{
  char others[129];

  for (guint i = 0; i < 128; i++)
    others[i] = (char) (128 + i);
  others[128] = '\0';
  return g_strescape (text, others);
}

static void
print_figures (Probe *self, WeftCpuTracker *tracker, const WeftCpuFacts *facts, double seconds)
{
  GArray *told = told_get (tracker);
  guint n_stacks = 0, n_kernel = 0, n_woken_by_stack = 0, n_out_stacks = 0, n_unknown_cpu = 0;
  guint64 weight = 0;
  g_autoptr (GHashTable) pids = g_hash_table_new (NULL, NULL);
  g_autofree char *missing = escape (facts->missing->str);

  for (guint i = 0; i < told->len; i++)
    {
      const Told *one = &g_array_index (told, Told, i);

      g_hash_table_add (pids, GINT_TO_POINTER (one->pid));
      n_woken_by_stack += one->kind == TOLD_WAKEUP && one->stack > 0;
      n_out_stacks += one->kind == TOLD_OUT && one->stack > 0;
      if (one->kind != TOLD_SAMPLE)
        continue;
      n_stacks += one->stack > 0 && one->has_registers;
      n_kernel += one->n_kernel > 0;
      n_unknown_cpu += one->cpu == G_MAXUINT16;
      weight += one->number;
    }
  printf ("{\"sampler\": \"%s\", \"wait_mode\": \"%s\", \"kernel_stacks\": %d, \"tracepoints\": "
          "%d, \"ring\": %" G_GSIZE_FORMAT ", \"missing\": \"%s\", \"seconds\": %.3f, \"ordered\": "
          "%d, \"processes\": %u, \"stacks\": %u, \"kernel_samples\": %u, \"weight\": %.6f, "
          "\"out_stacks\": %u, \"waker_stacks\": %u, \"unknown_cpu\": %u",
          facts->sampler, facts->wait_mode, facts->kernel_stacks, facts->tracepoints,
          facts->ring_bytes, missing, seconds, is_in_order (told), g_hash_table_size (pids),
          n_stacks, n_kernel, (double) weight / NS_PER_SECOND, n_out_stacks, n_woken_by_stack,
          n_unknown_cpu);
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    printf (", \"%s\": %u", kinds[i], told_count (tracker, (ToldKind) i));
}

static void
print_notes (WeftCpuSource *source)
{
  g_autoptr (GPtrArray) notes = weft_cpu_source_take_notes (source);

  printf (", \"notes\": [");
  for (guint i = 0; i < notes->len; i++)
    {
      const WeftCpuNote *note = g_ptr_array_index (notes, i);
      g_autofree char *message = escape (note->message);

      printf ("%s{\"code\": \"%s\", \"message\": \"%s\"}", i ? ", " : "", note->code, message);
    }
  printf ("]");
}

static void
print_verbose (WeftCpuTracker *tracker)
{
  GArray *told = told_get (tracker);

  for (guint i = 0; i < told->len; i++)
    {
      const Told *one = &g_array_index (told, Told, i);

      fprintf (stderr,
               "%" G_GINT64_FORMAT " %s %d/%d other %d number %" G_GUINT64_FORMAT
               " stack %zu flag %d cpu %u %s\n",
               one->time, kinds[one->kind], one->pid, one->tid, one->other, one->number, one->stack,
               one->flag, one->cpu, one->name);
    }
}

static int
fail (WeftCpuSource *source, WeftCpuTracker *tracker, WeftCpuFacts *facts, const GError *error)
{
  g_autofree char *message = escape (error->message);

  printf ("{\"error\": \"%s\"}\n", message);
  g_clear_pointer (&source, weft_cpu_source_free);
  weft_cpu_facts_free (facts);
  weft_cpu_tracker_free (tracker);
  return 2;
}

static int
run (Probe *self, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftProgram) program = NULL;
  WeftCpuTracker *tracker = told_new ();
  WeftCpuFacts *facts = weft_cpu_facts_new ();
  WeftCpuSource *source;
  WeftCpuSourceStatus status;
  struct rusage usage;
  gint64 start = weft_monotonic_now ();

  if (argv != NULL)
    program = weft_program_new ((const char *const *) argv, NULL, NULL, &error);
  self->options.program = program;
  self->options.pids = self->pids;
  source = error == NULL ? weft_cpu_source_new (&self->options, tracker, facts, &error) : NULL;
  if (source != NULL && program != NULL)
    weft_program_release (program, &error);
  if (error != NULL)
    return fail (source, tracker, facts, error);
  wait_for_end (self, start + (gint64) (self->seconds * NS_PER_SECOND));
  weft_cpu_source_stop (source);
  weft_cpu_source_get_status (source, &status);
  print_figures (self, tracker, facts, (double) (weft_monotonic_now () - start) / NS_PER_SECOND);
  print_notes (source);
  getrusage (RUSAGE_CHILDREN, &usage);
  printf (", \"lost_events\": %" G_GUINT64_FORMAT ", \"sampler_cpu\": %.6f, \"stopped\": %.6f, "
          "\"program_cpu\": %.6f, \"exit_status\": %d}\n",
          status.lost, (double) status.sampler_cpu / NS_PER_SECOND,
          (double) status.target_stopped / NS_PER_SECOND,
          (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
              (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6,
          program ? weft_program_get_exit_status (program) : 0);
  if (self->verbose)
    print_verbose (tracker);
  weft_cpu_source_free (source);
  weft_cpu_facts_free (facts);
  weft_cpu_tracker_free (tracker);
  return 0;
}

int
main (int argc, char **argv)
{
  Probe self = { .seconds = 1 };
  int i;

  for (i = 1; i < argc && strcmp (argv[i], "--") != 0; i++)
    set_option (&self, argv[i]);
  return run (&self, i + 1 < argc ? argv + i + 1 : NULL);
}
