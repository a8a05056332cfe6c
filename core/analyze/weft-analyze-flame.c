/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-analyze.h"
#include "weft-flame-target.h"

static gboolean
run_flame (const WeftAnalysisScope *scope, WeftReport *report, GError **error)
{
  return weft_flame_run_target (scope, report, error);
}

static const char *const groups[] = { "lane", "process", "kind", NULL };

const WeftAnalysisKind weft_analyze_flame = {
  .name = "flame",
  .summary = "What ran inside what on each lane, as a tree",
  .run = run_flame,
  .options = WEFT_ANALYSIS_OPTION_FILTER | WEFT_ANALYSIS_OPTION_RANGE | WEFT_ANALYSIS_OPTION_GROUP,
  .groups = groups,
};
