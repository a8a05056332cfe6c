/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-gate-figures.h"

#include <string.h>

#include "weft-analysis.h"
#include "weft-query.h"
#include "weft-subjects.h"

typedef struct
{
  const WeftThreshold *threshold;
  WeftRecording *recording;
  GCancellable *cancellable;
} Asking;

/* ---- Asking ---- */

static WeftTable *
query (const Asking *asking, const char *table, const char *filter, const char *group,
       const char *select, GError **error)
{
  g_autoptr (WeftQuery) made = weft_query_new (table, error);

  if (made == NULL || (filter != NULL && !weft_query_set_filter_text (made, filter, error)) ||
      (group != NULL && !weft_query_group_by (made, group, NULL, error)) ||
      !weft_query_select (made, select, NULL, error))
    return NULL;
  return weft_query_run (made, asking->recording, asking->cancellable, error);
}

static gboolean
count (const Asking *asking, const char *table, const char *filter, double *number, GError **error)
{
  g_autoptr (WeftTable) answer = query (asking, table, filter, NULL, "count()", error);

  if (answer == NULL)
    return FALSE;
  *number = weft_table_get_double (answer, 0, 0);
  return TRUE;
}

static WeftReport *
analyze (const Asking *asking, const char *kind, const char *filter, GError **error)
{
  g_autoptr (WeftAnalysis) analysis = weft_analysis_new (asking->recording, kind, error);

  if (analysis == NULL || (filter != NULL && !weft_analysis_set_filter (analysis, filter, error)))
    return NULL;
  return weft_analysis_run (analysis, asking->cancellable, error);
}

/* That nothing matches is no answer: the same hint as of an empty answer says what is missing. */
static gboolean
doubt_if_nothing (const Asking *asking, WeftGateFigure *figure, GError **error)
{
  const WeftThreshold *threshold = asking->threshold;
  g_autoptr (WeftReport) report = NULL;
  double found;
  const char *hint;

  if (!count (asking, threshold->table, threshold->filter, &found, error))
    return FALSE;
  if (found > 0)
    return TRUE;
  report = analyze (asking, "target-dispatches", threshold->filter, error);
  if (report == NULL)
    return FALSE;
  hint = weft_table_get_hint (weft_report_get_main_table (report));
  figure->doubt = g_strdup_printf ("Nothing to measure. %s", hint ? hint : "No row matches");
  return TRUE;
}

/* ---- Figures ---- */

static gboolean
find_aggregate (const Asking *asking, WeftGateFigure *figure, GError **error)
{
  const WeftThreshold *threshold = asking->threshold;
  g_autoptr (WeftTable) answer =
      query (asking, threshold->table, threshold->filter, NULL, threshold->expression, error);
  const char *unit;

  if (answer == NULL)
    return FALSE;
  unit = weft_table_get_column_unit (answer, 0);
  figure->unit = g_strcmp0 (unit, "ns") == 0        ? WEFT_THRESHOLD_TIME
                 : g_strcmp0 (unit, "percent") == 0 ? WEFT_THRESHOLD_SHARE
                                                    : WEFT_THRESHOLD_PLAIN;
  /* Of other tables, no row may well be what is wanted. */
  if (strcmp (threshold->table, "dispatches") == 0 && !doubt_if_nothing (asking, figure, error))
    return FALSE;
  if (figure->doubt != NULL)
    return TRUE;
  if (!weft_table_is_null (answer, 0, 0))
    figure->value = weft_table_get_double (answer, 0, 0);
  else if (strcmp (threshold->table, "dispatches") == 0)
    figure->doubt =
        g_strdup_printf ("Nothing that is looked at has a value of %s", threshold->expression);
  return TRUE;
}

static gboolean
find_coverage (const Asking *asking, WeftGateFigure *figure, GError **error)
{
  const WeftThreshold *threshold = asking->threshold;
  g_autofree char *covered =
      threshold->filter != NULL
          ? g_strdup_printf ("(%s) %s", threshold->filter, threshold->expression)
          : g_strdup (threshold->expression);
  double all, part;

  figure->unit = WEFT_THRESHOLD_SHARE;
  if (!doubt_if_nothing (asking, figure, error) || figure->doubt != NULL)
    return figure->doubt != NULL;
  if (!count (asking, "dispatches", threshold->filter, &all, error) ||
      !count (asking, "dispatches", covered, &part, error))
    return FALSE;
  figure->value = 100 * part / all;
  return TRUE;
}

static gboolean
find_linked (const Asking *asking, WeftGateFigure *figure, GError **error)
{
  const char *filter = asking->threshold->filter;
  g_autofree char *queued =
      filter ? g_strdup_printf ("(%s) role:dispatch", filter) : g_strdup ("role:dispatch");
  g_autoptr (WeftTable) answer = query (asking, "origins", queued, "link_status", "count()", error);
  double all = 0, linked = 0;

  figure->unit = WEFT_THRESHOLD_SHARE;
  for (guint i = 0; answer != NULL && i < weft_table_get_n_rows (answer); i++)
    {
      const guint64 status = weft_table_get_uint64 (answer, 0, i);
      const double n = weft_table_get_double (answer, 1, i);

      all += n;
      linked +=
          status == WEFT_LINK_STATUS_LINKED_EXACT || status == WEFT_LINK_STATUS_LINKED ? n : 0;
    }
  if (all > 0)
    figure->value = 100 * linked / all;
  else
    figure->doubt = g_strdup ("No origin tells who queued what is looked at: “weft diagnose” says "
                              "what to do");
  return answer != NULL;
}

static gboolean
find_cpu_time (const Asking *asking, const char *filter, double *time, GError **error)
{
  g_autoptr (WeftReport) report = analyze (asking, "top", filter, error);
  WeftTable *whole = report ? weft_report_get_table (report, "whole") : NULL;
  int column = whole ? weft_table_find_column (whole, "cpu_time") : -1;

  *time = column >= 0 && weft_table_get_n_rows (whole) > 0
              ? weft_table_get_double (whole, (guint) column, 0)
              : 0;
  return report != NULL;
}

static gboolean
find_cpu (const Asking *asking, WeftGateFigure *figure, GError **error)
{
  const gboolean is_share = asking->threshold->source == WEFT_THRESHOLD_CPU_SHARE;
  double all, part;

  figure->unit = is_share ? WEFT_THRESHOLD_SHARE : WEFT_THRESHOLD_TIME;
  if (!find_cpu_time (asking, NULL, &all, error) ||
      !find_cpu_time (asking, asking->threshold->filter, &part, error))
    return FALSE;
  if (all > 0)
    figure->value = is_share ? 100 * part / all : part;
  else
    figure->doubt =
        g_strdup ("There are no CPU samples: “weft diagnose” says why, and how to get them");
  return TRUE;
}

static gboolean
find_books (const Asking *asking, WeftGateFigure *figure, GError **error)
{
  g_autoptr (WeftReport) report =
      analyze (asking, "target-conservation", asking->threshold->filter, error);
  WeftTable *table = report ? weft_report_get_main_table (report) : NULL;
  const int column = table ? weft_table_find_column (table, asking->threshold->expression) : 0;

  for (guint i = 0; table != NULL && i < weft_table_get_n_rows (table); i++)
    figure->value += weft_table_get_double (table, (guint) column, i);
  if (table != NULL && weft_table_get_n_rows (table) == 0)
    figure->doubt = g_strdup_printf ("Nothing to measure. %s", weft_table_get_hint (table)
                                                                   ? weft_table_get_hint (table)
                                                                   : "No lane matches");
  return report != NULL;
}

static gboolean
find_findings (const Asking *asking, WeftGateFigure *figure, GError **error)
{
  g_autoptr (WeftReport) report = analyze (asking, "diagnose", NULL, error);
  WeftTable *table = report ? weft_report_get_main_table (report) : NULL;
  const int column = table ? weft_table_find_column (table, "verdict") : 0;

  for (guint i = 0; table != NULL && i < weft_table_get_n_rows (table); i++)
    {
      g_autofree char *verdict = weft_table_get_text (table, (guint) column, i);

      figure->value += g_strcmp0 (verdict, asking->threshold->expression) == 0;
    }
  return report != NULL;
}

gboolean
weft_gate_figure_find (const WeftThreshold *threshold, WeftRecording *recording,
                       WeftGateFigure *figure, GCancellable *cancellable, GError **error)
{
  const Asking asking = { threshold, recording, cancellable };

  switch (threshold->source)
    {
    case WEFT_THRESHOLD_QUERY:
      return find_aggregate (&asking, figure, error);
    case WEFT_THRESHOLD_COVERAGE:
      return find_coverage (&asking, figure, error);
    case WEFT_THRESHOLD_LINKED:
      return find_linked (&asking, figure, error);
    case WEFT_THRESHOLD_CPU_TIME:
    case WEFT_THRESHOLD_CPU_SHARE:
      return find_cpu (&asking, figure, error);
    case WEFT_THRESHOLD_BOOKS:
      return find_books (&asking, figure, error);
    case WEFT_THRESHOLD_FINDINGS:
      return find_findings (&asking, figure, error);
    default:
      figure->unit = WEFT_THRESHOLD_TIME;
      figure->value = (double) weft_recording_get_duration (recording);
      return TRUE;
    }
}

/* ---- Whether it can be relied on ---- */

char *
weft_gate_find_doubt (WeftRecording *recording, GCancellable *cancellable, GError **error)
{
  const Asking asking = { NULL, recording, cancellable };
  g_autoptr (WeftReport) report = analyze (&asking, "target-conservation", NULL, error);
  g_autoptr (WeftSubjects) lanes = weft_subjects_new ();
  WeftTable *table;
  int lane, name, holds;

  if (report == NULL)
    return NULL;
  if (weft_recording_get_state (recording) != WEFT_RECORDING_COMPLETE)
    return g_strdup ("It is damaged, or not finished: “weft diagnose” says which");
  table = weft_report_get_main_table (report);
  lane = weft_table_find_column (table, "lane");
  name = weft_table_find_column (table, "name");
  holds = weft_table_find_column (table, "holds");
  for (guint i = 0; i < weft_table_get_n_rows (table); i++)
    if (!weft_table_get_boolean (table, (guint) holds, i))
      weft_subjects_add (lanes, "l", weft_table_get_uint64 (table, (guint) lane, i),
                         weft_table_get_string (table, (guint) name, i));
  if (weft_subjects_get_count (lanes) == 0)
    return NULL;
  return g_strdup_printf ("Dispatches are missing, and nothing says why: %s (“weft target "
                          "conservation”)",
                          weft_subjects_get_names (lanes));
}
