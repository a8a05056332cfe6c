/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the tree of a filter to predicates: which tables and fields each of its fields means. */

#include "weft-conditions.h"

#include <string.h>

#include "weft-enum-types.h"
#include "weft-error.h"
#include "weft-filter-private.h"
#include "weft-relation.h"
#include "weft-stack-set.h"

typedef struct
{
  WeftRun *run;
  WeftTableId table;
} Compiler;

/* ---- Parts ---- */

/* Of names of fields, those that the table has. */
static gboolean
has_field (WeftTableId table, const char *name, WeftValueType type)
{
  const WeftField *field = weft_model_find_field (table, name);

  return field != NULL && field->type == type;
}

static WeftExpression *
new_expression (WeftTableId table, const char *text)
{
  WeftExpression *expression = weft_expression_new (table, text, NULL);

  g_assert (expression != NULL);
  return expression;
}

static WeftPredicate *
new_any (void)
{
  return weft_predicate_new (WEFT_PREDICATE_OR);
}

/* Takes both. */
static WeftPredicate *
new_both (WeftPredicate *a, WeftPredicate *b)
{
  WeftPredicate *both = weft_predicate_new (WEFT_PREDICATE_AND);

  weft_predicate_add (both, a);
  weft_predicate_add (both, b);
  return both;
}

static WeftPredicate *
new_equal (WeftTableId table, const char *field, gint64 value)
{
  return weft_predicate_new_between (new_expression (table, field), value, value);
}

/* What any of VALUES is: a text of FIELDS, a number of NUMBERS, or a row of HANDLE_FIELD. All are
 * paths from TABLE; NUMBERS and HANDLE_FIELD may be NULL. The handle of a row is its id where
 * HANDLE_FIELD is “”.
 */
typedef struct
{
  WeftTableId table;
  const char *fields[4];
  const char *numbers[3];
  const char *handle_field;
  int handle_table;
} Names;

static WeftPredicate *
match_handle (const Names *names, const WeftFilterMatch *match)
{
  WeftExpression *expression;

  if (names->handle_field == NULL || match->table != names->handle_table)
    return weft_predicate_new (WEFT_PREDICATE_NONE);
  expression = *names->handle_field == '\0' ? weft_expression_new_identity (names->table)
                                            : new_expression (names->table, names->handle_field);
  return weft_predicate_new_between (expression, (gint64) match->id, (gint64) match->id);
}

static void
add_match (WeftPredicate *any, const Names *names, const WeftFilterMatch *match)
{
  if (match->kind == WEFT_FILTER_MATCH_HANDLE)
    {
      weft_predicate_add (any, match_handle (names, match));
      return;
    }
  if (match->kind != WEFT_FILTER_MATCH_RANGE)
    for (guint i = 0; names->fields[i] != NULL; i++)
      weft_predicate_add (
          any, weft_predicate_new_text (new_expression (names->table, names->fields[i]), match));
  if (match->kind == WEFT_FILTER_MATCH_RANGE || match->has_number)
    for (guint i = 0; names->numbers[i] != NULL; i++)
      weft_predicate_add (
          any, weft_predicate_new_range (new_expression (names->table, names->numbers[i]),
                                         &match->range));
}

/* No values: it is there at all. */
static WeftPredicate *
match_names (const Names *names, const GPtrArray *values)
{
  WeftPredicate *any;

  if (values == NULL || values->len == 0)
    return weft_predicate_new (WEFT_PREDICATE_ALL);
  any = new_any ();
  for (guint i = 0; i < values->len; i++)
    add_match (any, names, g_ptr_array_index (values, i));
  return any;
}

static WeftPredicate *
match_ranges (WeftTableId table, const char *path, const GPtrArray *values)
{
  const Names names = { .table = table, .numbers = { path } };

  if (values == NULL || values->len == 0)
    return weft_predicate_new_has (new_expression (table, path));
  return match_names (&names, values);
}

static WeftPredicate *
match_words (WeftTableId table, const char *path, guint32 words)
{
  return weft_predicate_new_ids (new_expression (table, path), weft_id_set_new_bits (words));
}

static const char *
name_of (const WeftFilterNode *node)
{
  const char *name = weft_filter_field_info (node->field)->name;

  return name != NULL ? name : "text";
}

static WeftPredicate *
carry (const Compiler *self, const WeftFilterNode *node, WeftTableId target,
       WeftPredicate *predicate, GError **error)
{
  return weft_relation_carry (self->run, self->table, target, predicate, name_of (node), error);
}

/* ---- Things with names, and a table of their own ---- */

static const struct
{
  WeftFilterField field;
  Names names;
} things[] = {
  { WEFT_FILTER_FIELD_LANE, { WEFT_TABLE_LANES, { "name" }, { NULL }, "", WEFT_TABLE_LANES } },
  { WEFT_FILTER_FIELD_KIND, { WEFT_TABLE_LANES, { "kind" }, { NULL }, NULL, -1 } },
  { WEFT_FILTER_FIELD_QUEUE, { WEFT_TABLE_QUEUES, { "name" }, { NULL }, "", WEFT_TABLE_QUEUES } },
  { WEFT_FILTER_FIELD_SUBMISSION,
    { WEFT_TABLE_SUBMISSIONS, { NULL }, { NULL }, "", WEFT_TABLE_SUBMISSIONS } },
  { WEFT_FILTER_FIELD_ROUTINE,
    { WEFT_TABLE_ROUTINES, { "name", "label" }, { NULL }, "", WEFT_TABLE_ROUTINES } },
  { WEFT_FILTER_FIELD_ORIGIN,
    { WEFT_TABLE_ORIGINS,
      { "thread.name" },
      { "tid", "thread.tid" },
      "thread",
      WEFT_TABLE_THREADS } },
  { WEFT_FILTER_FIELD_TRACE, { WEFT_TABLE_TRACES, { "name" }, { NULL }, "", WEFT_TABLE_TRACES } },
  { WEFT_FILTER_FIELD_WARNING,
    { WEFT_TABLE_WARNINGS, { "code", "message" }, { NULL }, "", WEFT_TABLE_WARNINGS } },
  { WEFT_FILTER_FIELD_THREAD,
    { WEFT_TABLE_THREADS, { "name" }, { "tid" }, "", WEFT_TABLE_THREADS } },
  { WEFT_FILTER_FIELD_PROCESS,
    { WEFT_TABLE_PROCESSES, { "name" }, { "pid" }, "", WEFT_TABLE_PROCESSES } },
  { WEFT_FILTER_FIELD_RUNTIME,
    { WEFT_TABLE_RUNTIMES, { "name" }, { NULL }, "", WEFT_TABLE_RUNTIMES } },
};

static const Names *
find_thing (WeftFilterField field)
{
  for (guint i = 0; i < G_N_ELEMENTS (things); i++)
    if (things[i].field == field)
      return &things[i].names;
  return NULL;
}

/* ---- Things of which there may be several, with a name and a value ---- */

static const struct
{
  WeftFilterField field;
  Names names;
  const char *value;
  /* Where only names are asked for, rows that have to do with these are meant too. */
  WeftTableId registry;
} pairs[] = {
  { WEFT_FILTER_FIELD_ATTACHMENT,
    { WEFT_TABLE_ATTACHMENTS, { "label", "kind" }, { NULL }, "", WEFT_TABLE_ATTACHMENTS },
    "size",
    WEFT_N_TABLES },
  { WEFT_FILTER_FIELD_COUNTER,
    { WEFT_TABLE_COUNTER_VALUES, { "counter.name" }, { NULL }, "counter", WEFT_TABLE_COUNTERS },
    "value",
    WEFT_TABLE_COUNTERS },
  { WEFT_FILTER_FIELD_METRIC,
    { WEFT_TABLE_METRIC_POINTS, { "metric.name" }, { NULL }, "metric", WEFT_TABLE_METRICS },
    "value",
    WEFT_TABLE_METRICS },
  { WEFT_FILTER_FIELD_PHASE,
    { WEFT_TABLE_PHASES, { "name" }, { NULL }, NULL, -1 },
    "duration",
    WEFT_N_TABLES },
};

static WeftPredicate *
compile_registered (const Compiler *self, const WeftFilterNode *node, WeftTableId registry,
                    GError **error)
{
  const Names names = { registry, { "name" }, { NULL }, "", registry };

  return carry (self, node, registry, match_names (&names, node->names), error);
}

/* Metrics are of lanes: what has to do with dispatches has to do with those of their lanes. */
static WeftPredicate *
compile_metric (const Compiler *self, const WeftFilterNode *node, WeftPredicate *predicate,
                GError **error)
{
  g_autoptr (WeftPredicate) taken = predicate;
  g_autoptr (WeftExpression) lane = new_expression (WEFT_TABLE_METRIC_POINTS, "metric.lane");
  WeftIdSet *lanes = weft_relation_collect (self->run, WEFT_TABLE_METRIC_POINTS, predicate, lane,
                                            WEFT_TABLE_LANES, error);

  if (lanes == NULL)
    return NULL;
  return carry (self, node, WEFT_TABLE_LANES,
                weft_predicate_new_ids (weft_expression_new_identity (WEFT_TABLE_LANES), lanes),
                error);
}

static WeftPredicate *
compile_pair (const Compiler *self, const WeftFilterNode *node, guint pair, GError **error)
{
  const Names *names = &pairs[pair].names;
  WeftTableId registry = pairs[pair].registry;
  gboolean has_values = node->values != NULL && node->values->len > 0;
  g_autoptr (WeftExpression) registered = NULL;
  WeftPredicate *predicate;

  if (registry != WEFT_N_TABLES && !has_values)
    registered = weft_relation_find (self->table, registry);
  if (registered != NULL)
    return compile_registered (self, node, registry, error);
  predicate = match_names (names, node->names);
  if (has_values)
    predicate = new_both (predicate, match_ranges (names->table, pairs[pair].value, node->values));
  if (node->field == WEFT_FILTER_FIELD_METRIC && self->table != WEFT_TABLE_METRIC_POINTS &&
      self->table != WEFT_TABLE_METRICS)
    return compile_metric (self, node, predicate, error);
  return carry (self, node, names->table, predicate, error);
}

/* ---- Tags ---- */

static WeftPredicate *
match_truth (const WeftFilterMatch *match)
{
  static const char *const words[] = { "false", "true" };

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (match->kind == WEFT_FILTER_MATCH_WORD && g_ascii_strcasecmp (match->text, words[i]) == 0)
      return new_both (new_equal (WEFT_TABLE_TAGS, "type", WEFT_NUMBER_BOOLEAN),
                       new_equal (WEFT_TABLE_TAGS, "bits", i));
  return NULL;
}

static WeftPredicate *
match_tags (const WeftFilterNode *node)
{
  const Names keys = { .table = WEFT_TABLE_TAGS, .fields = { "key" } };
  const Names values = { .table = WEFT_TABLE_TAGS, .fields = { "text" }, .numbers = { "number" } };
  WeftPredicate *any;

  if (node->values == NULL || node->values->len == 0)
    return match_names (&keys, node->names);
  any = match_names (&values, node->values);
  for (guint i = 0; i < node->values->len; i++)
    {
      WeftPredicate *truth = match_truth (g_ptr_array_index (node->values, i));

      if (truth != NULL)
        weft_predicate_add (any, truth);
    }
  return new_both (match_names (&keys, node->names), any);
}

/* Rows of OWNER that have such a tag; EXPRESSION, about rows of the table, names them. */
static WeftPredicate *
compile_tags_of (const Compiler *self, const WeftFilterNode *node, WeftTableId owner,
                 WeftExpression *expression, GError **error)
{
  g_autoptr (WeftPredicate) predicate =
      new_both (new_equal (WEFT_TABLE_TAGS, "owner_table", owner), match_tags (node));
  g_autoptr (WeftExpression) named = new_expression (WEFT_TABLE_TAGS, "owner");
  WeftIdSet *ids =
      weft_relation_collect (self->run, WEFT_TABLE_TAGS, predicate, named, owner, error);

  if (ids != NULL)
    return weft_predicate_new_ids (expression, ids);
  weft_expression_free (expression);
  return NULL;
}

static WeftPredicate *
compile_tag (const Compiler *self, const WeftFilterNode *node, GError **error)
{
  const WeftField *dispatch = weft_model_find_field (self->table, "dispatch");
  g_autoptr (WeftPredicate) any = NULL;
  WeftPredicate *own;

  if (self->table == WEFT_TABLE_TAGS)
    return match_tags (node);
  own =
      compile_tags_of (self, node, self->table, weft_expression_new_identity (self->table), error);
  if (own == NULL || dispatch == NULL)
    return own;
  any = new_any ();
  weft_predicate_add (any, own);
  own = compile_tags_of (self, node, WEFT_TABLE_DISPATCHES,
                         weft_expression_new_field (self->table, dispatch), error);
  if (own == NULL)
    return NULL;
  weft_predicate_add (any, own);
  return g_steal_pointer (&any);
}

/* ---- What a row says itself, or else its dispatch ---- */

static const struct
{
  WeftFilterField field;
  WeftValueType type;
  const char *own[2];
  const char *of_dispatch;
} facts[] = {
  { WEFT_FILTER_FIELD_LABEL, WEFT_VALUE_STRING, { "label" }, "label" },
  { WEFT_FILTER_FIELD_START, WEFT_VALUE_TIME, { "start", "time" }, "start" },
  { WEFT_FILTER_FIELD_END, WEFT_VALUE_TIME, { "end", "time" }, "end" },
  { WEFT_FILTER_FIELD_DURATION, WEFT_VALUE_DURATION, { "duration" }, "duration" },
  { WEFT_FILTER_FIELD_SELF, WEFT_VALUE_DURATION, { "self_time" }, "self_time" },
  { WEFT_FILTER_FIELD_QUEUE_WAIT, WEFT_VALUE_DURATION, { "queue_wait" }, "queue_wait" },
  { WEFT_FILTER_FIELD_ATTEMPTS, WEFT_VALUE_UINT64, { "attempts" }, "attempts" },
  { WEFT_FILTER_FIELD_DEPTH, WEFT_VALUE_UINT64, { "depth" }, "depth" },
  { WEFT_FILTER_FIELD_STATUS, WEFT_VALUE_ENUM, { "status" }, "status" },
  { WEFT_FILTER_FIELD_CLASSIFICATION, WEFT_VALUE_ENUM, { "classification" }, "classification" },
};

static WeftPredicate *
match_fact (const WeftFilterNode *node, WeftTableId table, const char *path, WeftValueType type)
{
  const Names names = { .table = table, .fields = { path } };

  if (type == WEFT_VALUE_ENUM)
    return match_words (table, path, node->words);
  if (type != WEFT_VALUE_STRING)
    return match_ranges (table, path, node->values);
  if (node->values == NULL || node->values->len == 0)
    return weft_predicate_new_has (new_expression (table, path));
  return match_names (&names, node->values);
}

static WeftPredicate *
compile_fact (const Compiler *self, const WeftFilterNode *node, guint fact, GError **error)
{
  WeftValueType type = facts[fact].type;

  for (guint i = 0; i < G_N_ELEMENTS (facts[fact].own); i++)
    if (facts[fact].own[i] != NULL && has_field (self->table, facts[fact].own[i], type))
      return match_fact (node, self->table, facts[fact].own[i], type);
  return carry (self, node, WEFT_TABLE_DISPATCHES,
                match_fact (node, WEFT_TABLE_DISPATCHES, facts[fact].of_dispatch, type), error);
}

/* ---- Time ---- */

/* The time of a row: its own, or else that of its dispatch; NULL: it has none. */
static WeftPredicate *
new_overlap (WeftTableId table, gint64 low, gint64 high)
{
  static const char *const starts[] = { "start", "time", "dispatch.start" };
  static const char *const durations[] = { "duration", NULL, "dispatch.duration" };

  /* A start of something that has no duration is not the row's time. */
  for (guint i = has_field (table, "duration", WEFT_VALUE_DURATION) ? 0 : 1;
       i < G_N_ELEMENTS (starts); i++)
    {
      WeftExpression *start = weft_expression_new (table, starts[i], NULL);

      if (start != NULL)
        return weft_predicate_new_overlap (
            start, durations[i] != NULL ? weft_expression_new (table, durations[i], NULL) : NULL,
            low, high);
    }
  return NULL;
}

static WeftPredicate *
match_times (WeftTableId table, const WeftFilterNode *node)
{
  WeftPredicate *any = new_any ();

  for (guint i = 0; i < node->values->len; i++)
    {
      const WeftFilterMatch *match = g_ptr_array_index (node->values, i);
      gint64 low, high;

      if (weft_filter_range_get_bounds (&match->range, &low, &high))
        weft_predicate_add (any, new_overlap (table, low, high));
    }
  return any;
}

static WeftPredicate *
compile_time (const Compiler *self, const WeftFilterNode *node, GError **error)
{
  g_autoptr (WeftPredicate) own = new_overlap (self->table, G_MININT64, G_MAXINT64);

  if (own != NULL && (node->values == NULL || node->values->len == 0))
    return weft_predicate_new_has (g_steal_pointer (&own->first));
  if (own != NULL)
    return match_times (self->table, node);
  return carry (self, node, WEFT_TABLE_DISPATCHES,
                node->values == NULL || node->values->len == 0
                    ? weft_predicate_new (WEFT_PREDICATE_ALL)
                    : match_times (WEFT_TABLE_DISPATCHES, node),
                error);
}

/* ---- Source ---- */

static const Names source_names = {
  WEFT_TABLE_SOURCES, { "path" }, { NULL }, "", WEFT_TABLE_SOURCES
};

static WeftPredicate *
carry_to (WeftRun *run, WeftTableId table, WeftTableId target, WeftPredicate *predicate,
          GError **error)
{
  return weft_relation_carry (run, table, target, predicate, "source", error);
}

/* A dispatch's own source, or where it has none that of its routine. */
static WeftPredicate *
match_dispatch_source (const Compiler *self, const WeftFilterNode *node, GError **error)
{
  WeftPredicate *own = carry_to (self->run, WEFT_TABLE_DISPATCHES, WEFT_TABLE_SOURCES,
                                 match_names (&source_names, node->values), error);
  g_autoptr (WeftPredicate) any = NULL;
  WeftPredicate *of_routine;

  if (own == NULL)
    return NULL;
  any = new_any ();
  weft_predicate_add (any, own);
  of_routine = carry_to (self->run, WEFT_TABLE_ROUTINES, WEFT_TABLE_SOURCES,
                         match_names (&source_names, node->values), error);
  if (of_routine != NULL)
    of_routine =
        carry_to (self->run, WEFT_TABLE_DISPATCHES, WEFT_TABLE_ROUTINES, of_routine, error);
  if (of_routine == NULL)
    return NULL;
  weft_predicate_add (any, new_both (weft_predicate_new_not (weft_predicate_new_has (
                                         new_expression (WEFT_TABLE_DISPATCHES, "source"))),
                                     of_routine));
  return g_steal_pointer (&any);
}

static WeftPredicate *
compile_source (const Compiler *self, const WeftFilterNode *node, GError **error)
{
  WeftPredicate *of_dispatch;

  if (self->table == WEFT_TABLE_SOURCES ||
      (self->table != WEFT_TABLE_DISPATCHES && weft_model_find_field (self->table, "source")))
    return carry (self, node, WEFT_TABLE_SOURCES, match_names (&source_names, node->values), error);
  of_dispatch = match_dispatch_source (self, node, error);
  return of_dispatch == NULL ? NULL : carry (self, node, WEFT_TABLE_DISPATCHES, of_dispatch, error);
}

/* Lines FIRST to LAST, or only FIRST, touch the range. */
static WeftPredicate *
match_line_range (WeftTableId table, const WeftFilterRange *range)
{
  WeftFilterRange below = *range;
  WeftFilterRange above = *range;
  WeftPredicate *reaches = new_any ();
  WeftPredicate *lines;

  below.has_low = FALSE;
  above.has_high = FALSE;
  weft_predicate_add (reaches,
                      weft_predicate_new_range (new_expression (table, "last_line"), &above));
  weft_predicate_add (reaches,
                      weft_predicate_new_range (new_expression (table, "first_line"), &above));
  lines =
      new_both (weft_predicate_new_range (new_expression (table, "first_line"), &below), reaches);
  weft_predicate_add (
      lines, weft_predicate_new_between (new_expression (table, "first_line"), 1, G_MAXINT64));
  return lines;
}

static WeftPredicate *
match_lines (WeftTableId table, const WeftFilterNode *node)
{
  WeftPredicate *any = new_any ();

  for (guint i = 0; node->values != NULL && i < node->values->len; i++)
    {
      const WeftFilterMatch *match = g_ptr_array_index (node->values, i);

      weft_predicate_add (any, match_line_range (table, &match->range));
    }
  if (node->values == NULL || node->values->len == 0)
    weft_predicate_add (
        any, weft_predicate_new_between (new_expression (table, "first_line"), 1, G_MAXINT64));
  return any;
}

static WeftPredicate *
compile_line (const Compiler *self, const WeftFilterNode *node, GError **error)
{
  WeftPredicate *own;
  WeftPredicate *of_routine;
  WeftPredicate *any;

  if (self->table == WEFT_TABLE_SOURCE_LINES)
    return match_ranges (self->table, "line", node->values);
  if (self->table != WEFT_TABLE_DISPATCHES && weft_model_find_field (self->table, "first_line"))
    return match_lines (self->table, node);
  of_routine = carry_to (self->run, WEFT_TABLE_DISPATCHES, WEFT_TABLE_ROUTINES,
                         match_lines (WEFT_TABLE_ROUTINES, node), error);
  if (of_routine == NULL)
    return NULL;
  own = match_lines (WEFT_TABLE_DISPATCHES, node);
  any = new_any ();
  weft_predicate_add (any, own);
  weft_predicate_add (any,
                      new_both (new_equal (WEFT_TABLE_DISPATCHES, "first_line", 0), of_routine));
  return carry (self, node, WEFT_TABLE_DISPATCHES, any, error);
}

/* ---- Errors ---- */

/* The kinds of errors whose words fit. */
static gboolean
find_kinds (const WeftFilterNode *node, guint64 *bits, GError **error)
{
  g_autoptr (GEnumClass) klass = g_type_class_ref (WEFT_TYPE_ERROR_KIND);

  *bits = 0;
  for (guint i = 0; i < node->values->len; i++)
    {
      const WeftFilterMatch *match = g_ptr_array_index (node->values, i);

      if (match->kind == WEFT_FILTER_MATCH_HANDLE || match->kind == WEFT_FILTER_MATCH_RANGE)
        continue;
      for (guint k = 0; k < klass->n_values; k++)
        {
          GError *local = NULL;

          if (weft_filter_match_text (match, klass->values[k].value_nick, &local))
            *bits |= G_GUINT64_CONSTANT (1) << klass->values[k].value;
          if (local != NULL)
            {
              g_propagate_error (error, local);
              return FALSE;
            }
        }
    }
  return TRUE;
}

static WeftPredicate *
match_errors (const Compiler *self, WeftTableId table, const WeftFilterNode *node, GError **error)
{
  static const Names names = {
    WEFT_TABLE_ERRORS, { "name", "message" }, { NULL }, "", WEFT_TABLE_ERRORS
  };
  gboolean is_any = node->values == NULL || node->values->len == 0;
  WeftPredicate *detailed = weft_relation_carry (
      self->run, table, WEFT_TABLE_ERRORS, match_names (&names, node->values), "error", error);
  WeftPredicate *any;
  guint64 kinds = ~G_GUINT64_CONSTANT (1);

  if (detailed == NULL || !weft_model_find_field (table, "error_kind"))
    return detailed;
  any = new_any ();
  weft_predicate_add (any, detailed);
  if (!is_any && !find_kinds (node, &kinds, error))
    {
      weft_predicate_free (any);
      return NULL;
    }
  weft_predicate_add (any, weft_predicate_new_ids (new_expression (table, "error_kind"),
                                                   weft_id_set_new_bits (kinds)));
  return any;
}

static WeftPredicate *
compile_error (const Compiler *self, const WeftFilterNode *node, GError **error)
{
  WeftPredicate *of_dispatch;

  if (self->table == WEFT_TABLE_ERRORS || weft_model_find_field (self->table, "error"))
    return match_errors (self, self->table, node, error);
  of_dispatch = match_errors (self, WEFT_TABLE_DISPATCHES, node, error);
  return of_dispatch == NULL ? NULL : carry (self, node, WEFT_TABLE_DISPATCHES, of_dispatch, error);
}

/* ---- The row itself ---- */

static WeftPredicate *
compile_id (const Compiler *self, const WeftFilterNode *node)
{
  const Names names = { .table = self->table,
                        .handle_field = "",
                        .handle_table = (int) self->table };
  WeftPredicate *any = match_names (&names, node->values);

  for (guint i = 0; node->values != NULL && i < node->values->len; i++)
    {
      const WeftFilterMatch *match = g_ptr_array_index (node->values, i);

      if (match->kind == WEFT_FILTER_MATCH_RANGE || match->has_number)
        weft_predicate_add (any, weft_predicate_new_range (
                                     weft_expression_new_identity (self->table), &match->range));
    }
  return any;
}

static WeftPredicate *
compile_name (const Compiler *self, const WeftFilterNode *node, GError **error)
{
  static const char *const fields[] = { "name", "label", "code", "key", "path" };

  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    {
      g_autoptr (WeftExpression) expression =
          i > 0 && self->table == WEFT_TABLE_DISPATCHES
              ? NULL
              : weft_expression_new (self->table, fields[i], NULL);

      if (expression != NULL && expression->type == WEFT_VALUE_STRING)
        return match_fact (node, self->table, fields[i], WEFT_VALUE_STRING);
    }
  return carry (self, node, WEFT_TABLE_DISPATCHES,
                match_fact (node, WEFT_TABLE_DISPATCHES, "name", WEFT_VALUE_STRING), error);
}

/* Plain text: what the row says, and the names of what it refers to. */
static WeftPredicate *
compile_any (const Compiler *self, const WeftFilterNode *node)
{
  static const char *const further[] = { "name", "label", "path" };
  const WeftTableModel *model = weft_model_get_table (self->table);
  WeftPredicate *any = new_any ();

  for (guint i = 0; i < model->n_fields; i++)
    {
      const WeftField *field = &model->fields[i];
      Names names = { .table = self->table, .fields = { field->name } };

      for (guint v = 0; field->type == WEFT_VALUE_STRING && v < node->values->len; v++)
        add_match (any, &names, g_ptr_array_index (node->values, v));
      for (guint f = 0; field->reference >= 0 && f < G_N_ELEMENTS (further); f++)
        {
          g_autofree char *path = g_strconcat (field->name, ".", further[f], NULL);
          g_autoptr (WeftExpression) expression = weft_expression_new (self->table, path, NULL);

          names.fields[0] = path;
          for (guint v = 0;
               expression != NULL && expression->type == WEFT_VALUE_STRING && v < node->values->len;
               v++)
            add_match (any, &names, g_ptr_array_index (node->values, v));
        }
    }
  return any;
}

/* ---- Stacks ---- */

static const Names function_names = {
  WEFT_TABLE_FRAME_SYMBOLS, { "symbol.name", "symbol.linkage_name" }, { NULL }, "symbol",
  WEFT_TABLE_SYMBOLS,
};

static const Names module_names = {
  WEFT_TABLE_FRAMES, { "module.name", "module.path" }, { NULL }, "module", WEFT_TABLE_MODULES
};

static const Names symbol_names = {
  WEFT_TABLE_SYMBOLS, { "name", "linkage_name" }, { NULL }, "", WEFT_TABLE_SYMBOLS
};

static const Names names_of_modules = {
  WEFT_TABLE_MODULES, { "name", "path" }, { NULL }, "", WEFT_TABLE_MODULES
};

/* The frames that are in a function or module. */
static WeftIdSet *
find_frames (const Compiler *self, const WeftFilterNode *node, GError **error)
{
  gboolean by_function = node->field == WEFT_FILTER_FIELD_FUNCTION;
  const Names *names = by_function ? &function_names : &module_names;
  g_autoptr (WeftExpression) frame = by_function ? new_expression (names->table, "frame")
                                                 : weft_expression_new_identity (names->table);
  g_autoptr (WeftPredicate) predicate = match_names (names, node->values);

  return weft_relation_collect (self->run, names->table, predicate, frame, WEFT_TABLE_FRAMES,
                                error);
}

/* What has a stack fits by any function on it, wherever. */
static WeftPredicate *
compile_stack (const Compiler *self, const WeftFilterNode *node, GError **error)
{
  gboolean by_function = node->field == WEFT_FILTER_FIELD_FUNCTION;
  const Names *names = by_function ? &symbol_names : &names_of_modules;
  g_autoptr (WeftExpression) callchain = weft_relation_find (self->table, WEFT_TABLE_CALLCHAINS);
  g_autoptr (WeftIdSet) frames = NULL;
  WeftIdSet *callchains;

  if (callchain == NULL)
    return carry (self, node, names->table, match_names (names, node->values), error);
  frames = find_frames (self, node, error);
  callchains = frames != NULL ? weft_stack_set_new (self->run, frames, error) : NULL;
  if (callchains == NULL)
    return NULL;
  return weft_predicate_new_ids (g_steal_pointer (&callchain), callchains);
}

/* ---- Trees ---- */

static WeftPredicate *
compile_words_of_origin (const Compiler *self, const WeftFilterNode *node, const char *field,
                         GError **error)
{
  return carry (self, node, WEFT_TABLE_ORIGINS,
                match_words (WEFT_TABLE_ORIGINS, field, node->words), error);
}

/* Where only handles are given, the reference itself tells; NULL: not that. */
static WeftPredicate *
compile_handles (const Compiler *self, const WeftFilterNode *node, const Names *thing)
{
  g_autoptr (WeftPredicate) any = new_any ();

  if (node->values == NULL || node->values->len == 0 || g_strcmp0 (thing->handle_field, "") != 0)
    return NULL;
  for (guint i = 0; i < node->values->len; i++)
    {
      const WeftFilterMatch *match = g_ptr_array_index (node->values, i);
      WeftExpression *expression;

      if (match->kind != WEFT_FILTER_MATCH_HANDLE || match->table != thing->handle_table)
        return NULL;
      expression = weft_relation_find (self->table, thing->table);
      if (expression == NULL)
        return NULL;
      weft_predicate_add (
          any, weft_predicate_new_between (expression, (gint64) match->id, (gint64) match->id));
    }
  return g_steal_pointer (&any);
}

static WeftPredicate *
compile_thing (const Compiler *self, const WeftFilterNode *node, const Names *thing, GError **error)
{
  WeftPredicate *handles = compile_handles (self, node, thing);

  if (handles != NULL)
    return handles;
  return carry (self, node, thing->table, match_names (thing, node->values), error);
}

static WeftPredicate *
compile_term (const Compiler *self, const WeftFilterNode *node, GError **error)
{
  const Names *thing = find_thing (node->field);

  if (thing != NULL)
    return compile_thing (self, node, thing, error);
  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++)
    if (pairs[i].field == node->field)
      return compile_pair (self, node, i, error);
  for (guint i = 0; i < G_N_ELEMENTS (facts); i++)
    if (facts[i].field == node->field)
      return compile_fact (self, node, i, error);
  switch (node->field)
    {
    case WEFT_FILTER_FIELD_ANY:
      return compile_any (self, node);
    case WEFT_FILTER_FIELD_NAME:
      return compile_name (self, node, error);
    case WEFT_FILTER_FIELD_ID:
      return compile_id (self, node);
    case WEFT_FILTER_FIELD_SOURCE:
      return compile_source (self, node, error);
    case WEFT_FILTER_FIELD_LINE:
      return compile_line (self, node, error);
    case WEFT_FILTER_FIELD_ROLE:
      return compile_words_of_origin (self, node, "role", error);
    case WEFT_FILTER_FIELD_LINK:
      return compile_words_of_origin (self, node, "link_status", error);
    case WEFT_FILTER_FIELD_TAG:
      return compile_tag (self, node, error);
    case WEFT_FILTER_FIELD_ERROR:
      return compile_error (self, node, error);
    case WEFT_FILTER_FIELD_FUNCTION:
    case WEFT_FILTER_FIELD_MODULE:
      return compile_stack (self, node, error);
    case WEFT_FILTER_FIELD_REASON:
      return carry (self, node, WEFT_TABLE_WAITS,
                    match_words (WEFT_TABLE_WAITS, "reason", node->words), error);
    case WEFT_FILTER_FIELD_CPU:
      return carry (self, node, WEFT_TABLE_SAMPLES,
                    match_ranges (WEFT_TABLE_SAMPLES, "cpu", node->values), error);
    default:
      return compile_time (self, node, error);
    }
}

static WeftPredicate *
compile_node (const Compiler *self, const WeftFilterNode *node, GError **error)
{
  static const WeftPredicateKind kinds[] = {
    [WEFT_FILTER_NODE_ALL] = WEFT_PREDICATE_ALL,
    [WEFT_FILTER_NODE_AND] = WEFT_PREDICATE_AND,
    [WEFT_FILTER_NODE_OR] = WEFT_PREDICATE_OR,
    [WEFT_FILTER_NODE_NOT] = WEFT_PREDICATE_NOT,
  };
  g_autoptr (WeftPredicate) predicate = NULL;

  if (node->kind == WEFT_FILTER_NODE_TERM)
    return compile_term (self, node, error);
  predicate = weft_predicate_new (kinds[node->kind]);
  for (guint i = 0; node->children != NULL && i < node->children->len; i++)
    {
      WeftPredicate *child = compile_node (self, g_ptr_array_index (node->children, i), error);

      if (child == NULL)
        return NULL;
      weft_predicate_add (predicate, child);
    }
  return g_steal_pointer (&predicate);
}

static WeftPredicate *
new_range (const WeftQuestion *question)
{
  if (question->begin == question->end)
    return weft_predicate_new (WEFT_PREDICATE_NONE);
  return new_overlap (question->table, question->begin, question->end - 1);
}

/* Conditions that all must hold side by side, so that zones can grant each of them. Takes BOTH. */
static WeftPredicate *
flatten (WeftPredicate *both)
{
  WeftPredicate *flat = weft_predicate_new (WEFT_PREDICATE_AND);

  while (both->children->len > 0)
    {
      WeftPredicate *child = g_ptr_array_steal_index (both->children, 0);

      if (child->kind != WEFT_PREDICATE_AND)
        {
          weft_predicate_add (flat, child);
          continue;
        }
      while (child->children->len > 0)
        weft_predicate_add (flat, g_ptr_array_steal_index (child->children, 0));
      weft_predicate_free (child);
    }
  weft_predicate_free (both);
  return flat;
}

gboolean
weft_conditions_compile (const WeftQuestion *question, WeftRun *run, WeftPredicate **predicate,
                         GError **error)
{
  Compiler compiler = { run, question->table };
  g_autoptr (WeftPredicate) both = weft_predicate_new (WEFT_PREDICATE_AND);
  WeftPredicate *range = question->has_range ? new_range (question) : NULL;

  *predicate = NULL;
  if (range != NULL)
    weft_predicate_add (both, range);
  if (question->filter != NULL && !weft_filter_is_empty (question->filter))
    {
      WeftPredicate *filter =
          compile_node (&compiler, weft_filter_get_root (question->filter), error);

      if (filter == NULL)
        return FALSE;
      weft_predicate_add (both, filter);
    }
  if (question->condition != NULL && *question->condition != NULL)
    weft_predicate_add (both, g_steal_pointer (question->condition));
  if (both->children->len == 0)
    return TRUE;
  *predicate = flatten (g_steal_pointer (&both));
  if (!weft_relation_narrow (run, *predicate, error))
    return FALSE;
  return weft_predicate_bind (*predicate, run->store, question->table, error);
}
