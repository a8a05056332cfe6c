/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Flame graphs, of whatever time. */

#include "weft-analyze.h"

#include <string.h>

#include "weft-flame-target.h"
#include "weft-flame-threads.h"

#define TARGET "target"

static const WeftFlameMode modes_of_threads[] = {
  { "cpu", TRUE, FALSE, FALSE, WEFT_FLAME_BY_PROCESS },
  { "off-cpu", FALSE, TRUE, FALSE, WEFT_FLAME_BY_PROCESS },
  { "wall", TRUE, TRUE, TRUE, WEFT_FLAME_BY_THREAD },
};

static gboolean
check_target (const WeftAnalysisScope *scope, GError **error)
{
  static const char *const groups[] = { "lane", "process", "kind", NULL };
  const char *wrong = NULL;

  if (scope->has_group && !g_strv_contains (groups, scope->group_by))
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY,
                   "Mode “target” cannot be grouped by %s; there are: lane, process, kind",
                   scope->group_by);
      return FALSE;
    }
  if (scope->inverted)
    wrong = "be turned round";
  else if (strcmp (scope->order_by, "time") == 0)
    wrong = "be ordered by time (“weft timeline” is)";
  else if (scope->reasons != 0)
    wrong = "be asked for waits";
  if (wrong == NULL)
    return TRUE;
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY, "Mode “target” cannot %s", wrong);
  return FALSE;
}

/* What threads did, where the recording knows of it. */
static const char *
choose_mode (const WeftAnalysisScope *scope)
{
  if (scope->mode != NULL)
    return scope->mode;
  return weft_store_get_n_rows (scope->store, WEFT_TABLE_SAMPLES) > 0 ? modes_of_threads[0].name
                                                                      : TARGET;
}

static gboolean
run_flame (const WeftAnalysisScope *scope, WeftReport *report, GError **error)
{
  const char *mode = choose_mode (scope);

  for (gsize i = 0; i < G_N_ELEMENTS (modes_of_threads); i++)
    if (strcmp (mode, modes_of_threads[i].name) == 0)
      return weft_flame_run_threads (scope, &modes_of_threads[i], report, error);
  return check_target (scope, error) && weft_flame_run_target (scope, report, error);
}

static const char *const modes[] = { "cpu", "off-cpu", "wall", TARGET, NULL };
static const char *const groups[] = {
  "lane", "process", "kind", "thread", "reason", "none", NULL,
};
static const char *const orders[] = { "total", "time", NULL };

const WeftAnalysisKind weft_analyze_flame = {
  .name = "flame",
  .summary = "What ran inside what, as a tree: of threads, or of lanes",
  .run = run_flame,
  .options = WEFT_ANALYSIS_OPTION_FILTER | WEFT_ANALYSIS_OPTION_RANGE | WEFT_ANALYSIS_OPTION_GROUP |
             WEFT_ANALYSIS_OPTION_ORDER | WEFT_ANALYSIS_OPTION_MODE |
             WEFT_ANALYSIS_OPTION_EXCLUDED | WEFT_ANALYSIS_OPTION_INVERTED |
             WEFT_ANALYSIS_OPTION_MIN_SHARE | WEFT_ANALYSIS_OPTION_REASONS,
  .groups = groups,
  .orders = orders,
  .modes = modes,
};
