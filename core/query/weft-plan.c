/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-plan.h"

#include <string.h>

#include "weft-conditions.h"
#include "weft-error.h"

/* Orders and keys together are as many as a word has bits. */
#define MAX_CLAUSES 32
#define MAX_COLUMNS 256

static void
item_clear (gpointer data)
{
  WeftItem *item = data;

  g_free (item->name);
  weft_expression_free (item->expression);
  weft_expression_free (item->duration);
}

/* A name for the column of an expression: “sum(queue_wait)” becomes “sum_queue_wait”. */
static char *
make_name (const char *text)
{
  GString *name = g_string_new (NULL);

  for (const char *at = text; *at != '\0'; at++)
    if (g_ascii_isalnum (*at))
      g_string_append_c (name, g_ascii_tolower (*at));
    else if ((guint8) *at >= 0x80)
      g_string_append_c (name, *at);
    else if (name->len > 0 && name->str[name->len - 1] != '_')
      g_string_append_c (name, '_');
  while (name->len > 0 && name->str[name->len - 1] == '_')
    g_string_truncate (name, name->len - 1);
  return g_string_free (name, FALSE);
}

static int
find_name (GArray *items, const char *name)
{
  for (guint i = 0; i < items->len; i++)
    if (strcmp (g_array_index (items, WeftItem, i).name, name) == 0)
      return (int) i;
  return -1;
}

static gboolean
item_parse_busy (WeftItem *item, WeftTableId table, GError **error)
{
  if (table != WEFT_TABLE_DISPATCHES)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY,
                   "“busy” is the time that dispatches cover: ask the table “dispatches”");
      return FALSE;
    }
  item->expression = weft_expression_new (table, "start", error);
  item->duration = weft_expression_new (table, "duration", error);
  return TRUE;
}

static gboolean
item_parse (WeftItem *item, WeftTableId table, const char *text, GError **error)
{
  g_autofree char *argument = NULL;

  *item = (WeftItem){ .key = -1 };
  if (!weft_aggregate_parse (table, text, &item->aggregate, &argument, error))
    return FALSE;
  if (item->aggregate.kind == WEFT_AGGREGATE_BUSY)
    return item_parse_busy (item, table, error);
  if (argument == NULL)
    return TRUE;
  item->expression = weft_expression_new (table, argument, error);
  if (item->expression == NULL)
    return FALSE;
  if (weft_aggregate_check (&item->aggregate, text, item->expression, error))
    return TRUE;
  item_clear (item);
  return FALSE;
}

gboolean
weft_question_check_select (WeftTableId table, const char *text, GError **error)
{
  WeftItem item;

  if (!item_parse (&item, table, text, error))
    return FALSE;
  item_clear (&item);
  return TRUE;
}

/* Takes ITEM. */
static gboolean
add_item (GArray *items, WeftItem *item, const WeftClause *clause, GError **error)
{
  item->name = clause->name != NULL ? g_strdup (clause->name) : make_name (clause->text);
  if (find_name (items, item->name) >= 0 && clause->name != NULL)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY, "Two columns are called “%s”",
                   item->name);
      item_clear (item);
      return FALSE;
    }
  for (guint i = 2; find_name (items, item->name) >= 0; i++)
    {
      g_autofree char *base = make_name (clause->text);

      g_free (item->name);
      item->name = g_strdup_printf ("%s_%u", base, i);
    }
  g_array_append_vals (items, item, 1);
  return TRUE;
}

static gboolean
add_keys (WeftPlan *self, GError **error)
{
  const WeftQuestion *question = self->question;

  for (guint i = 0; i < question->groups->len; i++)
    {
      const WeftClause *clause = &g_array_index (question->groups, WeftClause, i);
      WeftItem item = { .key = (int) i };
      WeftItem key = { .key = (int) i };

      item.expression = weft_expression_new (self->table, clause->text, error);
      if (item.expression == NULL || !add_item (self->items, &item, clause, error))
        return FALSE;
      key.expression = weft_expression_new (self->table, clause->text, error);
      key.name = g_strdup (clause->text);
      g_array_append_val (self->keys, key);
    }
  return TRUE;
}

/* Beside aggregates there may stand what is the same in a whole group. */
static gboolean
settle_key (WeftPlan *self, WeftItem *item, const char *text, GError **error)
{
  if (!self->is_grouped || item->aggregate.kind != WEFT_AGGREGATE_NONE)
    return TRUE;
  for (guint i = 0; i < self->keys->len; i++)
    if (strcmp (WEFT_PLAN_KEY (self, i)->name, text) == 0)
      item->key = (int) i;
  if (item->key >= 0)
    return TRUE;
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY,
               "“%s” is neither aggregated nor grouped by: rows of a group differ in it%s", text,
               strcmp (text, "count") == 0 ? "; the number of rows is “count()”" : "");
  return FALSE;
}

static gboolean
add_selects (WeftPlan *self, GError **error)
{
  const WeftQuestion *question = self->question;

  for (guint i = 0; i < question->selects->len; i++)
    {
      const WeftClause *clause = &g_array_index (question->selects, WeftClause, i);
      WeftItem item;

      if (!item_parse (&item, self->table, clause->text, error))
        return FALSE;
      if (!settle_key (self, &item, clause->text, error))
        {
          item_clear (&item);
          return FALSE;
        }
      if (!add_item (self->items, &item, clause, error))
        return FALSE;
    }
  return TRUE;
}

static void
add_all_fields (WeftPlan *self)
{
  const WeftTableModel *model = weft_model_get_table (self->table);

  for (guint i = 0; i < model->n_fields; i++)
    {
      WeftItem item = { .key = -1, .name = g_strdup (model->fields[i].name) };

      item.expression = weft_expression_new_field (self->table, &model->fields[i]);
      g_array_append_val (self->items, item);
    }
}

static int
find_clause (const WeftPlan *self, const char *text)
{
  const WeftQuestion *question = self->question;
  int found = find_name (self->items, text);

  for (guint i = 0; found < 0 && i < question->groups->len; i++)
    if (strcmp (g_array_index (question->groups, WeftClause, i).text, text) == 0)
      found = (int) i;
  for (guint i = 0; found < 0 && i < question->selects->len; i++)
    if (strcmp (g_array_index (question->selects, WeftClause, i).text, text) == 0)
      found = (int) (question->groups->len + i);
  return found;
}

static gboolean
add_orders (WeftPlan *self, GError **error)
{
  const WeftQuestion *question = self->question;

  for (guint i = 0; i < question->orders->len; i++)
    {
      const WeftClause *clause = &g_array_index (question->orders, WeftClause, i);
      int found = find_clause (self, clause->text);
      WeftOrder order = { .item = (guint) found, .descending = clause->descending };

      if (found < 0)
        {
          WeftItem item;

          if (!item_parse (&item, self->table, clause->text, error))
            return FALSE;
          item.name = g_strdup ("");
          item.is_hidden = TRUE;
          if (!settle_key (self, &item, clause->text, error) ||
              (!self->is_grouped && item.aggregate.kind != WEFT_AGGREGATE_NONE))
            {
              item_clear (&item);
              if (error != NULL && *error == NULL)
                g_set_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY,
                             "Rows cannot be ordered by “%s”: nothing is grouped", clause->text);
              return FALSE;
            }
          order.item = self->items->len;
          g_array_append_val (self->items, item);
        }
      g_array_append_val (self->orders, order);
    }
  return TRUE;
}

/* Groups that are equal in all else stand in the order of their keys. */
static void
add_key_orders (WeftPlan *self)
{
  for (guint i = 0; i < self->keys->len; i++)
    {
      WeftOrder order = { .item = i };

      g_array_append_val (self->orders, order);
    }
}

static gboolean
has_aggregate (const WeftQuestion *question)
{
  for (guint i = 0; i < question->selects->len; i++)
    {
      g_autofree char *argument = NULL;
      WeftAggregate aggregate;

      if (weft_aggregate_parse (question->table,
                                g_array_index (question->selects, WeftClause, i).text, &aggregate,
                                &argument, NULL) &&
          aggregate.kind != WEFT_AGGREGATE_NONE)
        return TRUE;
    }
  return FALSE;
}

static gboolean
check_size (const WeftQuestion *question, GError **error)
{
  if (question->selects->len <= MAX_COLUMNS && question->groups->len <= MAX_CLAUSES &&
      question->orders->len <= MAX_CLAUSES)
    return TRUE;
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY,
               "A query has at most %d columns, %d groups and %d orders", MAX_COLUMNS, MAX_CLAUSES,
               MAX_CLAUSES);
  return FALSE;
}

static gboolean
fill (WeftPlan *self, GError **error)
{
  const WeftQuestion *question = self->question;
  gboolean has_aggregates = has_aggregate (question);

  self->is_grouped = question->groups->len > 0 || has_aggregates;
  if (!check_size (question, error))
    return FALSE;
  if (question->groups->len > 0 && !has_aggregates)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY,
                   "Rows are grouped, and nothing is aggregated: select “count”, or "
                   "“sum(duration)” and the like");
      return FALSE;
    }
  if (!add_keys (self, error) || !add_selects (self, error))
    return FALSE;
  if (question->selects->len == 0)
    add_all_fields (self);
  if (!add_orders (self, error))
    return FALSE;
  add_key_orders (self);
  return TRUE;
}

static WeftPlan *
plan_new (const WeftQuestion *question, WeftRun *run)
{
  WeftPlan *self = g_new0 (WeftPlan, 1);

  self->question = question;
  self->table = question->table;
  self->run = run;
  self->keys = g_array_new (FALSE, TRUE, sizeof (WeftItem));
  self->items = g_array_new (FALSE, TRUE, sizeof (WeftItem));
  self->orders = g_array_new (FALSE, TRUE, sizeof (WeftOrder));
  g_array_set_clear_func (self->keys, item_clear);
  g_array_set_clear_func (self->items, item_clear);
  return self;
}

void
weft_plan_free (WeftPlan *self)
{
  g_array_unref (self->keys);
  g_array_unref (self->items);
  g_array_unref (self->orders);
  g_clear_pointer (&self->predicate, weft_predicate_free);
  g_free (self);
}

gboolean
weft_question_has_column (const WeftQuestion *self, const char *name)
{
  g_autoptr (WeftPlan) plan = plan_new (self, NULL);

  return fill (plan, NULL) && find_clause (plan, name) >= 0;
}

static void
hash_clauses (GChecksum *checksum, GArray *clauses)
{
  for (guint i = 0; i < clauses->len; i++)
    {
      const WeftClause *clause = &g_array_index (clauses, WeftClause, i);
      const char *name = clause->name != NULL ? clause->name : "";

      g_checksum_update (checksum, (const guchar *) clause->text,
                         (gssize) strlen (clause->text) + 1);
      g_checksum_update (checksum, (const guchar *) name, (gssize) strlen (name) + 1);
      g_checksum_update (checksum, (const guchar *) (clause->descending ? "d" : "a"), 1);
    }
  g_checksum_update (checksum, (const guchar *) ";", 2);
}

guint64
weft_question_hash (const WeftQuestion *self)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree char *filter =
      self->filter != NULL ? weft_filter_to_string (self->filter) : g_strdup ("");
  g_autofree char *rest = g_strdup_printf (
      "%s;%d;%" G_GINT64_FORMAT ";%" G_GINT64_FORMAT, weft_model_get_table (self->table)->name,
      self->has_range, self->has_range ? self->begin : 0, self->has_range ? self->end : 0);
  guint8 digest[32];
  gsize length = sizeof digest;
  guint64 hash;

  g_checksum_update (checksum, (const guchar *) rest, -1);
  g_checksum_update (checksum, (const guchar *) filter, (gssize) strlen (filter) + 1);
  hash_clauses (checksum, self->selects);
  hash_clauses (checksum, self->groups);
  hash_clauses (checksum, self->orders);
  g_checksum_get_digest (checksum, digest, &length);
  memcpy (&hash, digest, sizeof hash);
  return hash;
}

/* Totals of durations are clipped to the range. */
static void
clip_sums (WeftPlan *self)
{
  const WeftQuestion *question = self->question;

  for (guint i = 0; i < self->items->len && question->has_range; i++)
    {
      WeftItem *item = WEFT_PLAN_ITEM (self, i);

      if (item->aggregate.kind == WEFT_AGGREGATE_SUM)
        item->expression = weft_expression_clip (item->expression, question->begin, question->end);
    }
}

/* Bound, the type of a tag or counter is known. */
static gboolean
bind_items (GArray *items, WeftStore *store, GError **error)
{
  for (guint i = 0; i < items->len; i++)
    {
      WeftItem *item = &g_array_index (items, WeftItem, i);

      if (!weft_expression_bind (item->expression, store, error) ||
          !weft_aggregate_check (&item->aggregate, item->name, item->expression, error))
        return FALSE;
    }
  return TRUE;
}

WeftPlan *
weft_plan_new (const WeftQuestion *question, WeftRun *run, GError **error)
{
  g_autoptr (WeftPlan) self = plan_new (question, run);

  if (!fill (self, error))
    return NULL;
  clip_sums (self);
  if (!bind_items (self->keys, run->store, error) || !bind_items (self->items, run->store, error))
    return NULL;
  self->hash = weft_question_hash (question);
  if (!weft_conditions_compile (question, run, &self->predicate, error))
    return NULL;
  return g_steal_pointer (&self);
}
