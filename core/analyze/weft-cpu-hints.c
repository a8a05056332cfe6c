/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-cpu-hints.h"

#include <string.h>

#include "weft-analysis-scope.h"
#include "weft-query.h"
#include "weft-row-scan.h"
#include "weft-subjects.h"

static void
take_meta (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  WeftCpuHints *self = data;
  const char *key = weft_store_get_string (self->store, (guint32) values[0]);
  const struct
  {
    const char *key;
    const char **text;
  } texts[] = {
    { "sampler", &self->sampler },
    { "sampler-missing", &self->missing },
    { "kernel-stacks", &self->kernel_stacks },
    { "wait-mode", &self->wait_mode },
    { "hardware-counters", &self->counters },
  };

  if (key == NULL)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    if (strcmp (key, texts[i].key) == 0)
      *texts[i].text = weft_store_get_string (self->store, (guint32) values[1]);
  if (strcmp (key, "sampler-frequency") == 0 && (present & 4))
    self->frequency = (gint64) values[2];
}

gboolean
weft_cpu_hints_read (WeftCpuHints *self, const WeftAnalysisScope *scope, GError **error)
{
  static const WeftColumnNumber columns[] = { WEFT_META_KEY, WEFT_META_TEXT, WEFT_META_NUMBER };

  *self = (WeftCpuHints){ .store = scope->store };
  self->n_samples = weft_store_get_n_rows (scope->store, WEFT_TABLE_SAMPLES);
  self->n_waits = weft_store_get_n_rows (scope->store, WEFT_TABLE_WAITS);
  self->n_wakeups = weft_store_get_n_rows (scope->store, WEFT_TABLE_WAKEUPS);
  return weft_scan_rows (scope->store, WEFT_TABLE_META, columns, G_N_ELEMENTS (columns), take_meta,
                         self, scope->cancellable, error);
}

gboolean
weft_cpu_hints_is_off (const WeftCpuHints *self)
{
  return self->sampler == NULL || strcmp (self->sampler, "off") == 0;
}

static char *
explain_off (const WeftCpuHints *self, const char *what)
{
  if (self->missing != NULL)
    return g_strdup_printf ("The recording has no %s: CPUs could not be sampled. %s", what,
                            self->missing);
  if (self->sampler != NULL)
    return g_strdup_printf ("The recording has no %s: it was made with the sampler turned off",
                            what);
  return g_strdup_printf ("The recording has no %s: its recorder did not sample CPUs. “weft record "
                          "-- PROGRAM” samples what it launches",
                          what);
}

static void
append_missing (const WeftCpuHints *self, GString *text)
{
  if (self->missing != NULL)
    g_string_append_printf (text, ". What was missing: %s", self->missing);
}

char *
weft_cpu_hints_explain_no_samples (const WeftCpuHints *self)
{
  GString *text;

  if (weft_cpu_hints_is_off (self))
    return explain_off (self, "CPU samples");
  text = g_string_new (NULL);
  g_string_append_printf (text, "The sampler ran (%s) but took no sample: ", self->sampler);
  if (self->frequency > 0)
    g_string_append_printf (text,
                            "what it watched used less than %.1f ms of CPU time, or waited all "
                            "along",
                            1e3 / (double) self->frequency);
  else
    g_string_append (text, "what it watched used hardly any CPU time, or waited all along");
  append_missing (self, text);
  return g_string_free (text, FALSE);
}

char *
weft_cpu_hints_explain_no_waits (const WeftCpuHints *self)
{
  GString *text;

  if (weft_cpu_hints_is_off (self))
    return explain_off (self, "waits");
  if (self->wait_mode != NULL && strcmp (self->wait_mode, "off") == 0)
    return g_strdup ("The recording has no waits: it was made without watching them");
  text =
      g_string_new ("The recording has no waits: no thread was taken off its CPU, or it cannot be "
                    "seen here when that happens");
  append_missing (self, text);
  return g_string_free (text, FALSE);
}

char *
weft_cpu_hints_explain_parallel (const WeftAnalysisScope *scope)
{
  g_autoptr (WeftFilter) queued = weft_filter_new ("role:dispatch", NULL);
  g_autoptr (WeftFilter) filter = NULL;
  g_autoptr (WeftQuery) query = weft_query_new ("origins", NULL);
  g_autoptr (WeftTable) answer = NULL;
  g_autofree char *dispatches = NULL;
  guint64 n;

  if (scope->filter == NULL || !weft_query_select (query, "count()", NULL, NULL))
    return NULL;
  filter = weft_filter_and (scope->filter, queued);
  weft_query_set_filter (query, filter);
  answer = weft_query_run (query, scope->recording, scope->cancellable, NULL);
  n = answer != NULL ? weft_table_get_uint64 (answer, 0, 0) : 0;
  if (n == 0)
    return NULL;
  dispatches = weft_format_count (n, "dispatch was", "dispatches were");
  return g_strdup_printf ("No CPU sample is of it, but %s queued there: parallel work on lanes, "
                          "not CPU execution (“weft target origins”)",
                          dispatches);
}

char *
weft_cpu_hints_explain_nothing (const WeftCpuHints *self, const WeftAnalysisScope *scope)
{
  char *parallel = weft_cpu_hints_explain_parallel (scope);

  if (parallel != NULL)
    return parallel;
  if (self->n_samples == 0 && self->n_waits == 0)
    return weft_cpu_hints_explain_no_samples (self);
  if (scope->filter != NULL || scope->reasons != 0)
    return g_strdup (weft_scope_has_range (scope)
                         ? "No sample or wait in this range of time matches the filter"
                         : "No sample or wait matches the filter");
  return g_strdup (weft_scope_has_range (scope)
                       ? "No thread was sampled or waited in this range of time"
                       : "There is nothing of this kind in the recording");
}
