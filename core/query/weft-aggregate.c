/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-aggregate.h"

#include <string.h>

#include "weft-error.h"
#include "weft-filter-lexer.h"

static const char *const names[] = {
  [WEFT_AGGREGATE_COUNT] = "count",   [WEFT_AGGREGATE_COUNT_DISTINCT] = "count_distinct",
  [WEFT_AGGREGATE_SUM] = "sum",       [WEFT_AGGREGATE_MIN] = "min",
  [WEFT_AGGREGATE_MAX] = "max",       [WEFT_AGGREGATE_MEAN] = "mean",
  [WEFT_AGGREGATE_STDDEV] = "stddev", [WEFT_AGGREGATE_BUSY] = "busy",
};

static gboolean
parse_percentile (const char *name, double *percentile)
{
  char *end;

  if (name[0] != 'p' || !g_ascii_isdigit (name[1]))
    return FALSE;
  *percentile = g_ascii_strtod (name + 1, &end);
  return *end == '\0' && strspn (name + 1, "0123456789.") == strlen (name + 1);
}

static WeftAggregateKind
find_kind (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (names[i] != NULL && strcmp (names[i], name) == 0)
      return i;
  return WEFT_AGGREGATE_NONE;
}

static gboolean
set_unknown (const char *name, GError **error)
{
  static const char *const known[] = { "count", "count_distinct", "sum",  "min", "max",
                                       "mean",  "stddev",         "busy", NULL };
  const char *nearest = weft_filter_nearest (name, known);

  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY,
               "There is no aggregate “%s”%s%s%s: there are count, count_distinct, sum, min, max, "
               "mean, stddev, busy, and p50, p99.9 and the like",
               name, nearest ? "; did you mean “" : "", nearest ? nearest : "",
               nearest ? "”?" : "");
  return FALSE;
}

static gboolean
parse_call (const char *text, const char *open, WeftAggregate *aggregate, char **argument,
            GError **error)
{
  g_autofree char *name = g_strndup (text, (gsize) (open - text));

  aggregate->kind = find_kind (name);
  if (aggregate->kind == WEFT_AGGREGATE_NONE && parse_percentile (name, &aggregate->percentile))
    aggregate->kind = WEFT_AGGREGATE_PERCENTILE;
  if (aggregate->kind == WEFT_AGGREGATE_NONE)
    return set_unknown (name, error);
  if (aggregate->kind == WEFT_AGGREGATE_PERCENTILE &&
      !(aggregate->percentile > 0 && aggregate->percentile <= 100))
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY,
                   "“%s”: a percentile is more than 0 and at most 100", text);
      return FALSE;
    }
  *argument = g_strstrip (g_strndup (open + 1, strlen (open) - 2));
  if (aggregate->kind == WEFT_AGGREGATE_BUSY || **argument == '\0')
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY,
                   aggregate->kind == WEFT_AGGREGATE_BUSY
                       ? "“%s”: busy is about dispatches as such; write it without parentheses"
                       : "“%s”: between the parentheses stands what is aggregated",
                   text);
      g_clear_pointer (argument, g_free);
      return FALSE;
    }
  return TRUE;
}

gboolean
weft_aggregate_parse (WeftTableId table, const char *text, WeftAggregate *aggregate,
                      char **argument, GError **error)
{
  const char *open = strchr (text, '(');
  gboolean is_field = weft_model_find_field (table, text) != NULL;

  *aggregate = (WeftAggregate){ WEFT_AGGREGATE_NONE, 0 };
  *argument = NULL;
  if (!is_field && (strcmp (text, "count") == 0 || strcmp (text, "busy") == 0))
    aggregate->kind = find_kind (text);
  else if (strcmp (text, "count()") == 0)
    aggregate->kind = WEFT_AGGREGATE_COUNT;
  else if (open != NULL && g_str_has_suffix (text, ")") && !g_str_has_prefix (text, "tag:") &&
           !g_str_has_prefix (text, "counter:"))
    return parse_call (text, open, aggregate, argument, error);
  else
    *argument = g_strdup (text);
  return TRUE;
}

gboolean
weft_aggregate_check (const WeftAggregate *self, const char *text, const WeftExpression *expression,
                      GError **error)
{
  gboolean is_busy = self->kind == WEFT_AGGREGATE_BUSY;

  if (self->kind <= WEFT_AGGREGATE_COUNT_DISTINCT || is_busy || !expression->is_typed ||
      weft_value_type_is_number (expression->type))
    return TRUE;
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY,
               "“%s”: only numbers and times can be aggregated so; count and count_distinct take "
               "anything",
               text);
  return FALSE;
}

WeftValueType
weft_aggregate_get_type (const WeftAggregate *self, const WeftExpression *expression)
{
  switch (self->kind)
    {
    case WEFT_AGGREGATE_COUNT:
    case WEFT_AGGREGATE_COUNT_DISTINCT:
      return WEFT_VALUE_UINT64;
    case WEFT_AGGREGATE_MEAN:
    case WEFT_AGGREGATE_STDDEV:
      return WEFT_VALUE_DOUBLE;
    case WEFT_AGGREGATE_BUSY:
      return WEFT_VALUE_DURATION;
    case WEFT_AGGREGATE_SUM:
      if (expression->type == WEFT_VALUE_TIME)
        return WEFT_VALUE_INT64;
      return expression->type == WEFT_VALUE_BOOLEAN ? WEFT_VALUE_UINT64 : expression->type;
    default:
      return expression->type;
    }
}
