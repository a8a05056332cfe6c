/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-threshold.h"

#include <math.h>
#include <string.h>

#include "weft-error.h"
#include "weft-filter.h"
#include "weft-query.h"

/* Words for what is asked most; everything else is an aggregate over dispatches, or
 * TABLE/AGGREGATE.
 */
static const struct
{
  const char *name;
  WeftThresholdSource source;
  const char *expression;
  WeftThresholdUnit unit;
} figures[] = {
  { "count", WEFT_THRESHOLD_QUERY, "count()", WEFT_THRESHOLD_PLAIN },
  { "total", WEFT_THRESHOLD_QUERY, "sum(duration)", WEFT_THRESHOLD_TIME },
  { "mean", WEFT_THRESHOLD_QUERY, "mean(duration)", WEFT_THRESHOLD_TIME },
  { "min", WEFT_THRESHOLD_QUERY, "min(duration)", WEFT_THRESHOLD_TIME },
  { "max", WEFT_THRESHOLD_QUERY, "max(duration)", WEFT_THRESHOLD_TIME },
  { "p50", WEFT_THRESHOLD_QUERY, "p50(duration)", WEFT_THRESHOLD_TIME },
  { "p90", WEFT_THRESHOLD_QUERY, "p90(duration)", WEFT_THRESHOLD_TIME },
  { "p95", WEFT_THRESHOLD_QUERY, "p95(duration)", WEFT_THRESHOLD_TIME },
  { "p99", WEFT_THRESHOLD_QUERY, "p99(duration)", WEFT_THRESHOLD_TIME },
  { "errors", WEFT_THRESHOLD_QUERY, "sum(failed)", WEFT_THRESHOLD_PLAIN },
  { "linked-origins", WEFT_THRESHOLD_LINKED, NULL, WEFT_THRESHOLD_SHARE },
  { "with-source", WEFT_THRESHOLD_COVERAGE, "source:*", WEFT_THRESHOLD_SHARE },
  { "with-counters", WEFT_THRESHOLD_COVERAGE, "counter:*", WEFT_THRESHOLD_SHARE },
  { "cpu-time", WEFT_THRESHOLD_CPU_TIME, NULL, WEFT_THRESHOLD_TIME },
  { "cpu-share", WEFT_THRESHOLD_CPU_SHARE, NULL, WEFT_THRESHOLD_SHARE },
  { "pending", WEFT_THRESHOLD_BOOKS, "pending", WEFT_THRESHOLD_PLAIN },
  { "rejected", WEFT_THRESHOLD_BOOKS, "rejected", WEFT_THRESHOLD_PLAIN },
  { "lost", WEFT_THRESHOLD_BOOKS, "lost", WEFT_THRESHOLD_PLAIN },
  { "problems", WEFT_THRESHOLD_FINDINGS, "problem", WEFT_THRESHOLD_PLAIN },
  { "attentions", WEFT_THRESHOLD_FINDINGS, "attention", WEFT_THRESHOLD_PLAIN },
  { "wall", WEFT_THRESHOLD_WALL, NULL, WEFT_THRESHOLD_TIME },
  { "regressions", WEFT_THRESHOLD_REGRESSION, NULL, WEFT_THRESHOLD_PLAIN },
};

static const struct
{
  const char *word;
  WeftThresholdComparison comparison;
} comparisons[] = {
  { "<", WEFT_THRESHOLD_BELOW }, { "<=", WEFT_THRESHOLD_AT_MOST },
  { ">", WEFT_THRESHOLD_ABOVE }, { ">=", WEFT_THRESHOLD_AT_LEAST },
  { "=", WEFT_THRESHOLD_EQUAL }, { "==", WEFT_THRESHOLD_EQUAL },
};

static const struct
{
  const char *word;
  double factor;
  WeftThresholdUnit unit;
} units[] = {
  { "ns", 1, WEFT_THRESHOLD_TIME },        { "us", 1e3, WEFT_THRESHOLD_TIME },
  { "µs", 1e3, WEFT_THRESHOLD_TIME },      { "ms", 1e6, WEFT_THRESHOLD_TIME },
  { "s", 1e9, WEFT_THRESHOLD_TIME },       { "min", 6e10, WEFT_THRESHOLD_TIME },
  { "%", 1, WEFT_THRESHOLD_SHARE },        { "", 1, WEFT_THRESHOLD_PLAIN },
  { "k", 1e3, WEFT_THRESHOLD_PLAIN },      { "M", 1e6, WEFT_THRESHOLD_PLAIN },
  { "G", 1e9, WEFT_THRESHOLD_PLAIN },      { "Ki", 1024, WEFT_THRESHOLD_PLAIN },
  { "Mi", 1048576, WEFT_THRESHOLD_PLAIN }, { "Gi", 1073741824, WEFT_THRESHOLD_PLAIN },
};

void
weft_threshold_free (WeftThreshold *self)
{
  g_free (self->text);
  g_free (self->label);
  g_free (self->figure);
  g_free (self->filter);
  g_free (self->value);
  g_free (self->table);
  g_free (self->expression);
  g_free (self);
}

static gboolean fail (const WeftThreshold *self, GError **error, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

static gboolean
fail (const WeftThreshold *self, GError **error, const char *format, ...)
{
  g_autofree char *what = NULL;
  va_list arguments;

  va_start (arguments, format);
  what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY, "“%s”: %s", self->text, what);
  return FALSE;
}

/* ---- Its parts ---- */

/* "NAME: REST": a colon with a blank behind it, which filters have in quotes only. */
static const char *
take_label (WeftThreshold *self, const char *text)
{
  const char *colon = strstr (text, ": ");
  const char *rest = text;

  if (colon != NULL && memchr (text, '"', (size_t) (colon - text)) == NULL)
    {
      g_autofree char *label = g_strndup (text, (gsize) (colon - text));

      if (*g_strstrip (label) != '\0')
        self->label = g_steal_pointer (&label);
      rest = colon + 2;
    }
  self->text = g_strstrip (g_strdup (rest));
  if (self->label == NULL)
    self->label = g_strdup (self->text);
  return self->text;
}

/* The last of the WORDS that compares, or -1: filters may have such in quotes, before it. */
static int
find_comparison (char **words, WeftThresholdComparison *comparison)
{
  int found = -1;

  for (int i = 0; words[i] != NULL; i++)
    for (gsize k = 0; k < G_N_ELEMENTS (comparisons); k++)
      if (strcmp (words[i], comparisons[k].word) == 0)
        {
          *comparison = comparisons[k].comparison;
          found = i;
        }
  return found;
}

static gboolean
parse_value (WeftThreshold *self, GError **error)
{
  char *rest;
  double value = g_ascii_strtod (self->value, &rest);

  while (*rest == ' ')
    rest++;
  self->is_relative = self->value[0] == '+' || self->value[0] == '-';
  for (gsize i = 0; rest != self->value && isfinite (value) && i < G_N_ELEMENTS (units); i++)
    if (strcmp (rest, units[i].word) == 0)
      {
        self->unit = units[i].unit;
        self->limit = value * units[i].factor;
        if (!self->is_relative)
          return TRUE;
        self->limit = value / 100;
        return self->unit == WEFT_THRESHOLD_SHARE ||
               fail (self, error, "“%s” is relative to the baseline: write per cent, such as +10%%",
                     self->value);
      }
  return fail (self, error,
               "“%s” is no value: write a number, one with a unit (2ms, 300us, 5%%, 10k), or a "
               "change against the baseline (+10%%)",
               self->value);
}

/* ---- What is asked ---- */

static char *
list_figures (void)
{
  GString *text = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (figures); i++)
    g_string_append_printf (text, "%s%s", i > 0 ? ", " : "", figures[i].name);
  return g_string_free (text, FALSE);
}

/* counter:NAME is the sum of that counter. */
static void
set_expression (WeftThreshold *self)
{
  const char *slash = strchr (self->figure, '/');
  const char *parenthesis = strchr (self->figure, '(');

  if (slash != NULL && (parenthesis == NULL || slash < parenthesis))
    {
      self->table = g_strndup (self->figure, (gsize) (slash - self->figure));
      self->expression = g_strdup (slash + 1);
      return;
    }
  self->table = g_strdup ("dispatches");
  self->expression = g_str_has_prefix (self->figure, "counter:")
                         ? g_strdup_printf ("sum(%s)", self->figure)
                         : g_strdup (self->figure);
}

/* An aggregate of one's own must be one that there is. */
static gboolean
check_expression (WeftThreshold *self, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (WeftQuery) query = NULL;
  g_autofree char *known = NULL;

  if (strchr (self->expression, '(') != NULL)
    {
      query = weft_query_new (self->table, &failure);
      if (query != NULL && weft_query_select (query, self->expression, NULL, &failure))
        return TRUE;
      return fail (self, error, "%s", failure->message);
    }
  known = list_figures ();
  return fail (self, error,
               "there is no figure “%s”: write one of %s, counter:NAME, an aggregate such as "
               "p95(queue_delay), or one of another table such as warnings/count()",
               self->figure, known);
}

static gboolean
check_unit (WeftThreshold *self, WeftThresholdUnit unit, GError **error)
{
  if (self->is_relative || self->unit == unit ||
      (self->unit == WEFT_THRESHOLD_PLAIN && self->limit == 0))
    return TRUE;
  switch (unit)
    {
    case WEFT_THRESHOLD_TIME:
      return fail (self, error, "“%s” is a time: write a unit, such as 2ms or 300us", self->figure);
    case WEFT_THRESHOLD_SHARE:
      return fail (self, error, "“%s” is a share: write per cent, such as 95%%", self->figure);
    default:
      return fail (self, error, "“%s” is a number without a unit: write such as 100 or 10k",
                   self->figure);
    }
}

static gboolean
find_figure (WeftThreshold *self, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (figures); i++)
    if (strcmp (self->figure, figures[i].name) == 0)
      {
        self->source = figures[i].source;
        self->table = g_strdup ("dispatches");
        self->expression = g_strdup (figures[i].expression);
        if (self->source == WEFT_THRESHOLD_REGRESSION && self->is_relative)
          return fail (self, error, "the number of regressions is not relative: write 0");
        return check_unit (self, figures[i].unit, error);
      }
  self->source = WEFT_THRESHOLD_QUERY;
  set_expression (self);
  return check_expression (self, error);
}

static gboolean
check_filter (WeftThreshold *self, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (WeftFilter) filter = NULL;

  if (self->filter == NULL)
    return TRUE;
  if (self->source == WEFT_THRESHOLD_WALL || self->source == WEFT_THRESHOLD_FINDINGS)
    return fail (self, error, "“%s” is of the whole recording: it takes no filter", self->figure);
  filter = weft_filter_new (self->filter, &failure);
  return filter != NULL || fail (self, error, "%s", failure->message);
}

WeftThreshold *
weft_threshold_parse (const char *text, GError **error)
{
  g_autoptr (WeftThreshold) self = g_new0 (WeftThreshold, 1);
  g_autofree char *clean = g_utf8_make_valid (text, -1);
  g_auto (GStrv) words = g_strsplit (take_label (self, clean), " ", -1);
  int place = find_comparison (words, &self->comparison);

  if (strcmp (clean, text) != 0)
    {
      fail (self, error, "this is no text in UTF-8");
      return NULL;
    }
  if (place < 1)
    {
      fail (self, error,
            "write FIGURE [FILTER] COMPARISON VALUE with blanks between, such as "
            "“p95 routine:gemm < 2ms”");
      return NULL;
    }
  self->figure = g_strdup (words[0]);
  self->value = g_strstrip (g_strjoinv (" ", words + place + 1));
  words[place][0] = '\0';
  for (int i = place; words[i] != NULL; i++)
    g_clear_pointer (&words[i], g_free);
  self->filter = g_strstrip (g_strjoinv (" ", words + 1));
  if (*self->filter == '\0')
    g_clear_pointer (&self->filter, g_free);
  if (!parse_value (self, error) || !find_figure (self, error) || !check_filter (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

/* ---- Values ---- */

gboolean
weft_threshold_holds (const WeftThreshold *self, double value, double limit)
{
  switch (self->comparison)
    {
    case WEFT_THRESHOLD_BELOW:
      return value < limit;
    case WEFT_THRESHOLD_AT_MOST:
      return value <= limit;
    case WEFT_THRESHOLD_ABOVE:
      return value > limit;
    case WEFT_THRESHOLD_AT_LEAST:
      return value >= limit;
    default:
      return value == limit;
    }
}

char *
weft_threshold_format (double value, WeftThresholdUnit unit)
{
  static const struct
  {
    double factor;
    const char *word;
  } times[] = { { 1e9, "s" }, { 1e6, "ms" }, { 1e3, "µs" }, { 1, "ns" } };

  if (unit == WEFT_THRESHOLD_SHARE)
    return g_strdup_printf ("%.4g %%", value);
  if (unit == WEFT_THRESHOLD_PLAIN)
    return g_strdup_printf (fabs (value) < 1e15 && value == floor (value) ? "%.0f" : "%.6g", value);
  for (gsize i = 0; i < G_N_ELEMENTS (times); i++)
    if (fabs (value) >= times[i].factor)
      return g_strdup_printf ("%.4g %s", value / times[i].factor, times[i].word);
  return g_strdup_printf ("%.4g ns", value);
}
