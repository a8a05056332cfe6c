/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sampling.h"

#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "json.h"
#include "text.h"

#define MAX_PIDS 1000

/* ---- Options ---- */

static const GEnumValue *
find_sampler (const char *name)
{
  g_autoptr (GEnumClass) samplers = g_type_class_ref (WEFT_TYPE_SAMPLER);

  return g_enum_get_value_by_nick (samplers, name ? name : "auto");
}

/* NULL if they are not numbers. */
static GArray *
parse_pids (const char *text)
{
  g_autoptr (GArray) pids = g_array_new (FALSE, FALSE, sizeof (int));
  g_auto (GStrv) words = g_strsplit (text, ",", MAX_PIDS);

  for (guint i = 0; words[i] != NULL; i++)
    {
      guint64 number;
      int pid;

      if (!g_ascii_string_to_unsigned (g_strstrip (words[i]), 10, 1, G_MAXINT, &number, NULL))
        return NULL;
      pid = (int) number;
      g_array_append_val (pids, pid);
    }
  return pids->len > 0 ? g_steal_pointer (&pids) : NULL;
}

static gboolean
check_pids (const char *text)
{
  g_autoptr (GArray) pids = parse_pids (text);

  return pids != NULL;
}

gboolean
sampling_check (const Sampling *self, gboolean has_program)
{
  const GEnumValue *sampler = find_sampler (self->cpu);
  gboolean is_off = sampler != NULL && sampler->value == WEFT_SAMPLER_OFF;

  if (sampler == NULL)
    complain ("--cpu takes auto, perf, ptrace or off, not “%s”", self->cpu);
  else if (self->frequency < 0 || self->frequency > WEFT_RECORDER_MAX_FREQUENCY)
    complain ("--frequency takes a number of samples in a second, %d at most",
              WEFT_RECORDER_MAX_FREQUENCY);
  else if (self->stack_size != 0 && (self->stack_size < WEFT_RECORDER_MIN_STACK ||
                                     self->stack_size > WEFT_RECORDER_MAX_STACK))
    complain ("--stack-size takes a number of bytes from %d to %d", WEFT_RECORDER_MIN_STACK,
              WEFT_RECORDER_MAX_STACK);
  else if (self->pids != NULL && !check_pids (self->pids))
    complain ("--pid takes process ids with commas between, not “%s”", self->pids);
  else if (self->pids != NULL && has_program)
    complain ("--pid is for programs that run already; without it, the program that is named is "
              "recorded");
  else if (self->pids != NULL && self->system)
    complain ("--pid and --system contradict each other: --system records all processes");
  else if (is_off && (self->pids != NULL || self->system))
    complain ("--cpu off contradicts --pid and --system, which say whose CPU time to record");
  else if (self->system && sampler->value == WEFT_SAMPLER_PTRACE)
    complain ("--cpu ptrace stops single programs: it cannot record the whole system");
  else
    return TRUE;
  return FALSE;
}

void
sampling_apply (const Sampling *self, WeftRecorder *recorder)
{
  g_autoptr (GArray) pids = self->pids ? parse_pids (self->pids) : NULL;

  weft_recorder_set_sampler (recorder, (WeftSampler) find_sampler (self->cpu)->value);
  weft_recorder_set_sample_frequency (recorder, (guint) self->frequency);
  weft_recorder_set_stack_size (recorder, (guint) self->stack_size);
  weft_recorder_set_whole_system (recorder, self->system);
  if (pids != NULL)
    weft_recorder_set_pids (recorder, (const int *) (gpointer) pids->data, pids->len);
}

void
sampling_clear (Sampling *self)
{
  g_free (self->cpu);
  g_free (self->pids);
}

/* ---- What became of it ---- */

static gboolean
is_sampling (WeftRecorderStatus *status)
{
  return strcmp (weft_recorder_status_get_sampler (status), "off") != 0;
}

char *
sampling_describe (WeftRecorderStatus *status)
{
  guint64 n_samples = weft_recorder_status_get_samples (status);
  g_autofree char *samples = text_counted (n_samples, "CPU sample", "CPU samples");
  g_autofree char *waits = text_counted (weft_recorder_status_get_waits (status), "wait", "waits");
  g_autofree char *complete = NULL;

  if (!is_sampling (status))
    return NULL;
  if (n_samples > 0)
    complete = g_strdup_printf (" (%.1f %% with the whole stack)",
                                100.0 * (double) weft_recorder_status_get_stacks_complete (status) /
                                    (double) n_samples);
  return g_strdup_printf ("%s%s, %s", samples, complete ? complete : "", waits);
}

void
sampling_print (WeftRecorderStatus *status)
{
  const char *missing = weft_recorder_status_get_sampler_missing (status);
  guint64 n_lost = weft_recorder_status_get_events_lost (status);

  if (n_lost > 0)
    fprintf (stderr, "CPU events that were lost: %" G_GUINT64_FORMAT " (see “weft diagnose”).\n",
             n_lost);
  if (*missing != '\0')
    text_print (stderr, "Not recorded (%s): %s\n", weft_recorder_status_get_sampler (status),
                missing);
}

void
sampling_add_json (JsonBuilder *builder, WeftRecorderStatus *status)
{
  json_add_string (builder, "sampler", weft_recorder_status_get_sampler (status));
  json_add_string (builder, "sampler_missing", weft_recorder_status_get_sampler_missing (status));
  json_add_count (builder, "samples", weft_recorder_status_get_samples (status));
  json_add_count (builder, "stacks_complete", weft_recorder_status_get_stacks_complete (status));
  json_add_count (builder, "waits", weft_recorder_status_get_waits (status));
  json_add_count (builder, "events_lost", weft_recorder_status_get_events_lost (status));
}
