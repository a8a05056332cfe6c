/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-compare-parts.h"

#include "weft-analysis-scope.h"
#include "weft-analyze.h"
#include "weft-query.h"
#include "weft-row-scan.h"

WeftTable *
weft_compare_query (const WeftAnalysisScope *scope, const char *table, const char *const *groups,
                    const char *const *selects, GError **error)
{
  g_autoptr (WeftQuery) query = weft_query_new (table, error);

  if (query == NULL)
    return NULL;
  weft_query_set_filter (query, scope->filter);
  if (weft_scope_has_range (scope))
    weft_query_set_range (query, scope->begin, scope->end);
  for (; *groups != NULL; groups += 2)
    if (!weft_query_group_by (query, groups[0], groups[1], error))
      return NULL;
  for (; *selects != NULL; selects += 2)
    if (!weft_query_select (query, selects[0], selects[1], error))
      return NULL;
  return weft_query_run (query, scope->recording, scope->cancellable, error);
}

WeftReport *
weft_compare_ask (const WeftAnalysisScope *scope, const char *kind, GError **error)
{
  g_autoptr (WeftAnalysis) analysis = weft_analysis_new (scope->recording, kind, error);

  if (analysis == NULL)
    return NULL;
  weft_analysis_set_limit (analysis, 0);
  if (weft_scope_has_range (scope))
    weft_analysis_set_range (analysis, scope->begin, scope->end);
  if (scope->filter != NULL)
    {
      g_autofree char *text = weft_filter_to_string (scope->filter);

      if (!weft_analysis_set_filter (analysis, text, error))
        return NULL;
    }
  return weft_analysis_run (analysis, scope->cancellable, error);
}

static void
take_number (guint64 id, const guint64 *values, guint32 present, gpointer data)
{
  g_hash_table_insert (data, GUINT_TO_POINTER ((guint) id), GUINT_TO_POINTER ((guint) values[0]));
}

GHashTable *
weft_compare_read_sources (const WeftAnalysisScope *scope, GError **error)
{
  static const WeftColumnNumber source[] = { WEFT_ROUTINES_SOURCE };
  static const WeftColumnNumber path[] = { WEFT_SOURCES_PATH };
  g_autoptr (GHashTable) sources = g_hash_table_new (NULL, NULL);
  g_autoptr (GHashTable) paths = g_hash_table_new (NULL, NULL);
  GHashTable *found = g_hash_table_new (NULL, NULL);
  GHashTableIter iter;
  gpointer routine, id;

  if (!weft_scan_rows (scope->store, WEFT_TABLE_ROUTINES, source, 1, take_number, sources,
                       scope->cancellable, error) ||
      !weft_scan_rows (scope->store, WEFT_TABLE_SOURCES, path, 1, take_number, paths,
                       scope->cancellable, error))
    {
      g_hash_table_unref (found);
      return NULL;
    }
  g_hash_table_iter_init (&iter, sources);
  while (g_hash_table_iter_next (&iter, &routine, &id))
    {
      guint text = GPOINTER_TO_UINT (g_hash_table_lookup (paths, id));
      const char *name = text != 0 ? weft_store_get_string (scope->store, text) : NULL;

      if (name != NULL && *name != '\0')
        g_hash_table_insert (found, routine, (gpointer) name);
    }
  return found;
}

double
weft_compare_get_number (WeftTable *table, const char *name, guint row)
{
  int found = weft_table_find_column (table, name);
  guint column = (guint) found;

  if (found < 0 || weft_table_is_null (table, column, row))
    return 0;
  switch (weft_table_get_column_type (table, column))
    {
    case WEFT_VALUE_DOUBLE:
      return weft_table_get_double (table, column, row);
    case WEFT_VALUE_INT64:
    case WEFT_VALUE_TIME:
      return (double) weft_table_get_int64 (table, column, row);
    default:
      return (double) weft_table_get_uint64 (table, column, row);
    }
}

const char *
weft_compare_get_text (WeftTable *table, const char *name, guint row)
{
  int found = weft_table_find_column (table, name);

  return found < 0 ? NULL : weft_table_get_string (table, (guint) found, row);
}
