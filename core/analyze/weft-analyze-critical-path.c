/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What took up the time until something was done. */

#include <string.h>

#include "weft-analyze.h"
#include "weft-answer.h"
#include "weft-critical-path-answer.h"

#define DEFAULT_LIMIT 50

static void
answer_clear (WeftPathAnswer *self)
{
  weft_path_history_clear (&self->history);
  weft_flame_stacks_clear (&self->stacks);
  g_clear_pointer (&self->samples, weft_path_samples_free);
  g_clear_pointer (&self->segments, g_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WeftPathAnswer, answer_clear)

/* Whether a question needs dispatches that nobody waited for. */
static gboolean
needs_all_dispatches (const WeftAnalysisScope *scope)
{
  return scope->handle != NULL &&
         (g_str_has_prefix (scope->handle, "d-") || g_str_has_prefix (scope->handle, "tr-"));
}

static gboolean
read_history (WeftPathAnswer *self, GError **error)
{
  const WeftCallchainReader *callchains = self->stacks.callchains;

  if (!weft_path_history_init (&self->history, self->scope, callchains,
                               needs_all_dispatches (self->scope), error) ||
      !weft_path_answer_find_question (self, error) ||
      !weft_path_history_read_waits (&self->history, callchains, self->question.begin,
                                     self->question.end, error))
    return FALSE;
  self->samples = weft_path_samples_new (self->scope, callchains, self->question.begin,
                                         self->question.end, error);
  return self->samples != NULL;
}

/* Behind the last dispatch of a trace nobody knows what it was about. */
static void
end_trace (WeftPathAnswer *self, gint64 end)
{
  WeftPathSegment rest = {
    .start = self->question.end,
    .stop = end,
    .forecast = (guint64) (end - self->question.end),
    .kind = WEFT_PATH_UNKNOWN,
    .confidence = WEFT_PATH_NOT_KNOWN,
    .cause = WEFT_PATH_AFTER_WORK,
    .thread = WEFT_PATH_NONE,
    .dispatch = self->question.dispatch,
    .before = WEFT_PATH_NONE,
    .wait = WEFT_PATH_NONE,
    .linked = WEFT_PATH_NONE,
    .zone = WEFT_PATH_NONE,
  };

  if (rest.start >= end)
    return;
  g_array_append_val (self->segments, rest);
  self->total += rest.forecast;
  self->question.end = end;
}

static gboolean
walk (WeftPathAnswer *self, GError **error)
{
  gint64 end = self->question.end;

  if (self->question.dispatch != WEFT_PATH_NONE)
    {
      gint64 last = weft_path_dispatch (&self->history, self->question.dispatch)->end;

      self->question.end = CLAMP (last, self->question.begin, end);
    }
  self->segments = weft_path_walk (&self->question, &self->total, error);
  if (self->segments == NULL)
    return FALSE;
  end_trace (self, end);
  return TRUE;
}

/* Why there is no path at all. */
static void
explain_nothing (WeftPathAnswer *self, WeftReport *report)
{
  g_autofree char *why = self->hints.n_waits == 0 && self->hints.n_samples == 0
                             ? weft_cpu_hints_explain_no_waits (&self->hints)
                             : g_strdup ("No thread was watched in this time");
  g_autofree char *hint = g_strdup_printf (
      "%s. A path can be told of threads that were watched (“weft record -- PROGRAM”), and of "
      "dispatches and traces",
      why);
  WeftTableBuilder *builder = weft_table_builder_new ("critical-path");

  weft_table_builder_set_hint (builder, hint);
  weft_answer_add_table (report, builder);
}

static gboolean
run_critical_path (const WeftAnalysisScope *scope, WeftReport *report, GError **error)
{
  g_auto (WeftPathAnswer) self = { .scope = scope };
  const char *mode = scope->mode != NULL ? scope->mode : "list";
  gboolean is_told;

  if (!weft_flame_stacks_init (&self.stacks, scope, WEFT_FLAME_BY_THREAD, error) ||
      !weft_cpu_hints_read (&self.hints, scope, error) || !read_history (&self, error))
    return FALSE;
  if (strcmp (mode, "off-cpu") == 0)
    return weft_path_answer_add_off_cpu (&self, report, error);
  if (self.question.thread == WEFT_PATH_NONE && self.question.dispatch == WEFT_PATH_NONE)
    {
      explain_nothing (&self, report);
      return TRUE;
    }
  if (!walk (&self, error))
    return FALSE;
  is_told = strcmp (mode, "tree") == 0 ? weft_path_answer_add_tree (&self, report, error)
                                       : weft_path_answer_add_segments (&self, report, error);
  if (!is_told)
    return FALSE;
  weft_path_answer_add_summary (&self, report);
  weft_path_answer_add_kinds (&self, report);
  weft_path_answer_add_parts (&self, report);
  return weft_path_answer_add_what_if (&self, report, error);
}

static const char *const modes[] = { "list", "tree", "off-cpu", NULL };
static const char *const groups[] = { "routine", "dispatch", "lane", "thread", NULL };
static const char *const orders[] = { "time", "duration", NULL };

const WeftAnalysisKind weft_analyze_critical_path = {
  .name = "critical-path",
  .summary = "What took up the time until a thread, dispatch or trace was done, from its end back",
  .run = run_critical_path,
  .options = WEFT_ANALYSIS_OPTION_RANGE | WEFT_ANALYSIS_OPTION_HANDLE | WEFT_ANALYSIS_OPTION_MODE |
             WEFT_ANALYSIS_OPTION_GROUP | WEFT_ANALYSIS_OPTION_ORDER | WEFT_ANALYSIS_OPTION_LIMIT |
             WEFT_ANALYSIS_OPTION_CURSOR | WEFT_ANALYSIS_OPTION_EXCLUDED |
             WEFT_ANALYSIS_OPTION_MIN_SHARE | WEFT_ANALYSIS_OPTION_WHAT_IF,
  .groups = groups,
  .orders = orders,
  .default_limit = DEFAULT_LIMIT,
  .modes = modes,
};
