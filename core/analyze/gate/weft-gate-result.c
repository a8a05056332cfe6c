/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-gate-result-private.h"

#include <string.h>

#include "weft-answer.h"
#include "weft-enum-types.h"
#include "weft-subjects.h"

/**
 * WeftGateResult:
 *
 * What a [class@Gate] found: a verdict, and of each threshold what was measured and what was
 * demanded. It is told as a report (and so as JSON), as text, as Markdown and as JUnit's XML.
 *
 * Since: 0.1
 */

/* One threshold, in words. */
typedef struct
{
  char *name;
  char *threshold;
  char *finding; /* "3.1 ms, and at most 2 ms is demanded", or why it cannot be judged */
  WeftGateVerdict verdict;
} Line;

struct _WeftGateResult
{
  GObject parent_instance;

  GArray *lines; /* element type Line */
  WeftTableBuilder *builder;
  WeftReport *report;
  guint counts[WEFT_GATE_CANNOT_JUDGE + 1];
};

G_DEFINE_FINAL_TYPE (WeftGateResult, weft_gate_result, G_TYPE_OBJECT)

enum
{
  NAME,
  THRESHOLD,
  VERDICT,
  FIGURE,
  FILTER,
  VALUE,
  LIMIT,
  UNIT,
  BASELINE,
  REASON,
  N_COLUMNS
};

static const WeftAnswerColumn columns[N_COLUMNS] = {
  WEFT_ANSWER_COLUMN ("name", STRING),
  WEFT_ANSWER_COLUMN ("threshold", STRING),
  WEFT_ANSWER_ENUM ("verdict", weft_gate_verdict_get_type),
  WEFT_ANSWER_COLUMN ("figure", STRING),
  WEFT_ANSWER_COLUMN ("filter", STRING),
  WEFT_ANSWER_COLUMN ("value", DOUBLE),
  WEFT_ANSWER_COLUMN ("limit", DOUBLE),
  WEFT_ANSWER_COLUMN ("unit", STRING),
  WEFT_ANSWER_COLUMN ("baseline", DOUBLE),
  WEFT_ANSWER_COLUMN ("reason", STRING),
};

static void
line_clear (gpointer data)
{
  Line *line = data;

  g_free (line->name);
  g_free (line->threshold);
  g_free (line->finding);
}

static void
weft_gate_result_finalize (GObject *object)
{
  WeftGateResult *self = WEFT_GATE_RESULT (object);

  g_array_unref (self->lines);
  g_clear_pointer (&self->builder, weft_table_builder_free);
  g_clear_object (&self->report);

  G_OBJECT_CLASS (weft_gate_result_parent_class)->finalize (object);
}

static void
weft_gate_result_class_init (WeftGateResultClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = weft_gate_result_finalize;
}

static void
weft_gate_result_init (WeftGateResult *self)
{
  self->lines = g_array_new (FALSE, TRUE, sizeof (Line));
  g_array_set_clear_func (self->lines, line_clear);
  self->builder = weft_answer_begin_table ("check", columns, N_COLUMNS);
}

WeftGateResult *
weft_gate_result_new (void)
{
  return g_object_new (WEFT_TYPE_GATE_RESULT, NULL);
}

/* ---- Taking judgements ---- */

static void
add_row (WeftTableBuilder *builder, const WeftGateJudgement *judgement)
{
  static const char *const units[] = { NULL, "ns", "percent" };
  const WeftThreshold *threshold = judgement->threshold;

  weft_table_builder_begin_row (builder);
  weft_table_builder_set_string (builder, NAME, threshold->label);
  weft_table_builder_set_string (builder, THRESHOLD, threshold->text);
  weft_table_builder_set_uint64 (builder, VERDICT, judgement->verdict);
  weft_table_builder_set_string (builder, FIGURE, threshold->figure);
  weft_table_builder_set_string (builder, FILTER, threshold->filter);
  weft_table_builder_set_string (builder, UNIT, units[judgement->unit]);
  weft_table_builder_set_string (builder, REASON, judgement->reason);
  if (judgement->has_value)
    weft_table_builder_set_double (builder, VALUE, judgement->value);
  if (judgement->has_limit)
    weft_table_builder_set_double (builder, LIMIT, judgement->limit);
  if (judgement->has_baseline)
    weft_table_builder_set_double (builder, BASELINE, judgement->baseline);
}

/* "3.1 ms; 2 ms is the limit, from 1.8 ms of the baseline: why" */
static char *
describe (const WeftGateJudgement *judgement)
{
  GString *text = g_string_new (NULL);

  if (judgement->has_value)
    {
      g_autofree char *value = weft_threshold_format (judgement->value, judgement->unit);

      g_string_append (text, value);
    }
  if (judgement->has_limit && judgement->has_baseline)
    {
      g_autofree char *limit = weft_threshold_format (judgement->limit, judgement->unit);
      g_autofree char *baseline = weft_threshold_format (judgement->baseline, judgement->unit);

      g_string_append_printf (text, "; the baseline has %s, so that the limit is %s", baseline,
                              limit);
    }
  if (judgement->reason != NULL)
    g_string_append_printf (text, "%s%s", text->len > 0 ? ": " : "", judgement->reason);
  return g_string_free (text, FALSE);
}

void
weft_gate_result_add (WeftGateResult *self, const WeftGateJudgement *judgement)
{
  const Line line = {
    .name = g_strdup (judgement->threshold->label),
    .threshold = g_strdup (judgement->threshold->text),
    .finding = describe (judgement),
    .verdict = judgement->verdict,
  };

  add_row (self->builder, judgement);
  g_array_append_val (self->lines, line);
  self->counts[judgement->verdict]++;
}

/* ---- Reading ---- */

/**
 * weft_gate_result_get_verdict:
 * @self: a result
 *
 * Returns: failed if any threshold failed; else that it cannot be judged if any cannot; else passed
 *
 * Since: 0.1
 */
WeftGateVerdict
weft_gate_result_get_verdict (WeftGateResult *self)
{
  g_return_val_if_fail (WEFT_IS_GATE_RESULT (self), WEFT_GATE_CANNOT_JUDGE);

  if (self->counts[WEFT_GATE_FAILED] > 0)
    return WEFT_GATE_FAILED;
  return self->counts[WEFT_GATE_CANNOT_JUDGE] > 0 || self->lines->len == 0 ? WEFT_GATE_CANNOT_JUDGE
                                                                           : WEFT_GATE_PASSED;
}

/**
 * weft_gate_result_count:
 * @self: a result
 * @verdict: a verdict
 *
 * Returns: how many thresholds have it
 *
 * Since: 0.1
 */
guint
weft_gate_result_count (WeftGateResult *self, WeftGateVerdict verdict)
{
  g_return_val_if_fail (WEFT_IS_GATE_RESULT (self), 0);
  g_return_val_if_fail (verdict <= WEFT_GATE_CANNOT_JUDGE, 0);

  return self->counts[verdict];
}

/* One row: what comes of it all. */
static WeftTableBuilder *
make_summary (WeftGateResult *self)
{
  static const WeftAnswerColumn plan[] = {
    WEFT_ANSWER_ENUM ("verdict", weft_gate_verdict_get_type),
    WEFT_ANSWER_COLUMN ("passed", UINT64),
    WEFT_ANSWER_COLUMN ("failed", UINT64),
    WEFT_ANSWER_COLUMN ("cannot_judge", UINT64),
  };
  WeftTableBuilder *builder = weft_answer_begin_table ("summary", plan, G_N_ELEMENTS (plan));

  weft_table_builder_begin_row (builder);
  weft_table_builder_set_uint64 (builder, 0, weft_gate_result_get_verdict (self));
  for (guint i = 0; i < G_N_ELEMENTS (self->counts); i++)
    weft_table_builder_set_uint64 (builder, i + 1, self->counts[i]);
  return builder;
}

/**
 * weft_gate_result_get_report:
 * @self: a result
 *
 * The main table has a row for each threshold: `name`, `threshold`, `verdict`, `figure`, `filter`,
 * `value` and `limit` (in `unit`: "ns", "percent" or none), `baseline`, `reason`. The table
 * `summary` has one row: `verdict`, `passed`, `failed`, `cannot_judge`.
 *
 * Returns: (transfer none): the answer as a report, in the JSON schema `weft.check/1`
 *
 * Since: 0.1
 */
WeftReport *
weft_gate_result_get_report (WeftGateResult *self)
{
  g_return_val_if_fail (WEFT_IS_GATE_RESULT (self), NULL);

  if (self->report == NULL)
    {
      self->report = weft_report_new ("check", FALSE);
      weft_answer_add_table (self->report, g_steal_pointer (&self->builder));
      weft_answer_add_table (self->report, make_summary (self));
    }
  return self->report;
}

static char *
sum_up (WeftGateResult *self)
{
  g_autofree char *thresholds = weft_format_count (self->lines->len, "threshold", "thresholds");

  return g_strdup_printf ("%s: %u passed, %u failed, %u could not be judged", thresholds,
                          self->counts[WEFT_GATE_PASSED], self->counts[WEFT_GATE_FAILED],
                          self->counts[WEFT_GATE_CANNOT_JUDGE]);
}

/**
 * weft_gate_result_to_text:
 * @self: a result
 *
 * Returns: (transfer full): a line for each threshold, and one that sums up
 *
 * Since: 0.1
 */
char *
weft_gate_result_to_text (WeftGateResult *self)
{
  static const char *const marks[] = { "✓", "✗", "?" };
  g_autofree char *sum = NULL;
  GString *text;

  g_return_val_if_fail (WEFT_IS_GATE_RESULT (self), NULL);

  text = g_string_new (NULL);
  sum = sum_up (self);
  for (guint i = 0; i < self->lines->len; i++)
    {
      const Line *line = &g_array_index (self->lines, Line, i);

      g_string_append_printf (text, "%s %s\n", marks[line->verdict], line->threshold);
      if (strcmp (line->name, line->threshold) != 0)
        g_string_append_printf (text, "    %s\n", line->name);
      if (*line->finding != '\0')
        g_string_append_printf (text, "    %s\n", line->finding);
    }
  g_string_append_printf (text, "%s\n", sum);
  return g_string_free (text, FALSE);
}

/* What would end a cell, or begin markup, is escaped. */
static void
append_cell (GString *text, const char *cell)
{
  for (const char *at = cell; *at != '\0'; at++)
    {
      if (strchr ("|\\`*_<>[]", *at) != NULL)
        g_string_append_c (text, '\\');
      g_string_append_c (text, (guchar) *at < ' ' ? ' ' : *at);
    }
}

/**
 * weft_gate_result_to_markdown:
 * @self: a result
 *
 * Returns: (transfer full): a heading, a table of the thresholds, and a line that sums up
 *
 * Since: 0.1
 */
char *
weft_gate_result_to_markdown (WeftGateResult *self)
{
  static const char *const words[] = { "passed", "**failed**", "could not be judged" };
  static const char *const headings[] = { "Performance: passed", "Performance: failed",
                                          "Performance: could not be judged" };
  g_autofree char *sum = NULL;
  GString *text;

  g_return_val_if_fail (WEFT_IS_GATE_RESULT (self), NULL);

  text = g_string_new (NULL);
  sum = sum_up (self);
  g_string_append_printf (text, "### %s\n\n| threshold | verdict | found |\n|---|---|---|\n",
                          headings[weft_gate_result_get_verdict (self)]);
  for (guint i = 0; i < self->lines->len; i++)
    {
      const Line *line = &g_array_index (self->lines, Line, i);

      g_string_append (text, "| ");
      append_cell (text, line->name);
      g_string_append_printf (text, " | %s | ", words[line->verdict]);
      append_cell (text, line->finding);
      g_string_append (text, " |\n");
    }
  g_string_append_printf (text, "\n%s\n", sum);
  return g_string_free (text, FALSE);
}

/* Of what XML may not hold there is a replacement. */
static char *
escape_xml (const char *text)
{
  g_autofree char *clean = g_strdup (text);

  for (char *at = clean; *at != '\0'; at++)
    if ((guchar) *at < ' ' || *at == 0x7f)
      *at = ' ';
  return g_markup_escape_text (clean, -1);
}

/**
 * weft_gate_result_to_junit:
 * @self: a result
 *
 * Returns: (transfer full): JUnit's XML: a test case for each threshold; those that cannot be
 * judged are errors, those that fail are failures
 *
 * Since: 0.1
 */
char *
weft_gate_result_to_junit (WeftGateResult *self)
{
  static const char *const elements[] = { NULL, "failure", "error" };
  GString *text;

  g_return_val_if_fail (WEFT_IS_GATE_RESULT (self), NULL);

  text = g_string_new ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
  g_string_append_printf (text,
                          "<testsuites>\n  <testsuite name=\"weft check\" tests=\"%u\" "
                          "failures=\"%u\" errors=\"%u\">\n",
                          self->lines->len, self->counts[WEFT_GATE_FAILED],
                          self->counts[WEFT_GATE_CANNOT_JUDGE]);
  for (guint i = 0; i < self->lines->len; i++)
    {
      const Line *line = &g_array_index (self->lines, Line, i);
      g_autofree char *name = escape_xml (line->name);
      g_autofree char *threshold = escape_xml (line->threshold);
      g_autofree char *finding = escape_xml (line->finding);

      g_string_append_printf (text, "    <testcase classname=\"weft.check\" name=\"%s\">\n", name);
      if (line->verdict == WEFT_GATE_PASSED)
        g_string_append_printf (text, "      <system-out>%s: %s</system-out>\n", threshold,
                                finding);
      else
        g_string_append_printf (text, "      <%s message=\"%s\">%s</%s>\n", elements[line->verdict],
                                finding, threshold, elements[line->verdict]);
      g_string_append (text, "    </testcase>\n");
    }
  g_string_append (text, "  </testsuite>\n</testsuites>\n");
  return g_string_free (text, FALSE);
}
