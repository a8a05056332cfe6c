/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-relation.h"

#include <string.h>

#include "weft-error.h"
#include "weft-scan.h"
#include "weft-store-parallel.h"

/* ---- Paths ---- */

typedef struct
{
  WeftTableId table;
  int before; /* place of the step before, or -1 */
  const WeftField *field;
} Step;

/* The expression of a path that ends with step LAST. */
static WeftExpression *
build (const Step *steps, int last)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (int at = last; at > 0; at = steps[at].before)
    {
      if (text->len > 0)
        g_string_prepend_c (text, '.');
      g_string_prepend (text, steps[at].field->name);
    }
  return weft_expression_new (steps[0].table, text->str, NULL);
}

WeftExpression *
weft_relation_find (WeftTableId table, WeftTableId target)
{
  Step steps[WEFT_N_TABLES] = { { table, -1, NULL } };
  gboolean seen[WEFT_N_TABLES] = { FALSE };
  guint n = 1;

  if (table == target)
    return weft_expression_new_identity (table);
  seen[table] = TRUE;
  for (guint at = 0; at < n; at++)
    {
      const WeftTableModel *model = weft_model_get_table (steps[at].table);

      for (guint i = 0; i < model->n_fields; i++)
        {
          int reference = model->fields[i].reference;

          if (reference < 0 || seen[reference])
            continue;
          seen[reference] = TRUE;
          steps[n++] = (Step){ (WeftTableId) reference, (int) at, &model->fields[i] };
          if ((WeftTableId) reference == target)
            return build (steps, (int) n - 1);
        }
    }
  return NULL;
}

/* ---- Sets ---- */

typedef struct
{
  WeftScan scan;
  WeftExpression *expression;
  WeftIdSet *ids;
} Collect;

static gboolean
take_batch (const WeftBatch *batch, guint first, gpointer data, GError **error)
{
  Collect *self = data;
  WeftVector vector;

  if (!weft_expression_evaluate (self->expression, batch, &vector, error))
    return FALSE;
  for (guint i = 0; i < batch->n; i++)
    if (!vector.has_nulls || !vector.nulls[i])
      weft_id_set_add (self->ids, vector.values[i]);
  return TRUE;
}

static gboolean
collect_chunk (guint thread, guint item, gpointer data, GError **error)
{
  Collect *self = data;

  return weft_scan_chunk (&self->scan, item, take_batch, self, error);
}

WeftIdSet *
weft_relation_collect (WeftRun *run, WeftTableId table, WeftPredicate *predicate,
                       WeftExpression *expression, WeftTableId of, GError **error)
{
  g_autoptr (WeftIdSet) ids = NULL;
  Collect collect = { .scan = { run, table, predicate, 0 }, .expression = expression };

  if (!weft_predicate_bind (predicate, run->store, table, error) ||
      !weft_expression_bind (expression, run->store, error))
    return NULL;
  ids = weft_id_set_new (run->store, of, error);
  if (ids == NULL)
    return NULL;
  collect.ids = ids;
  collect.scan.places = weft_expression_get_places (expression);
  if (!weft_parallel_run (weft_store_get_n_chunks (run->store, table), collect_chunk, &collect,
                          error))
    return NULL;
  weft_run_explain (run, "filter: rows of “%s” found by a scan of “%s”",
                    weft_model_get_table (of)->name, weft_model_get_table (table)->name);
  return g_steal_pointer (&ids);
}

/* ---- Carrying ---- */

/* Rows of TABLE whose EXPRESSION names a row of TARGET that fits. Takes both. */
static WeftPredicate *
carry_forward (WeftRun *run, WeftTableId target, WeftPredicate *predicate,
               WeftExpression *expression, GError **error)
{
  g_autoptr (WeftPredicate) taken = predicate;
  g_autoptr (WeftExpression) identity = weft_expression_new_identity (target);
  WeftIdSet *ids = weft_relation_collect (run, target, predicate, identity, target, error);

  if (ids != NULL)
    return weft_predicate_new_ids (expression, ids);
  weft_expression_free (expression);
  return NULL;
}

/* Rows of TABLE that the EXPRESSION of a row of TARGET that fits names. Takes both. */
static WeftPredicate *
carry_backward (WeftRun *run, WeftTableId table, WeftTableId target, WeftPredicate *predicate,
                WeftExpression *expression, GError **error)
{
  g_autoptr (WeftPredicate) taken = predicate;
  g_autoptr (WeftExpression) named = expression;
  WeftIdSet *ids = weft_relation_collect (run, target, predicate, expression, table, error);

  if (ids == NULL)
    return NULL;
  return weft_predicate_new_ids (weft_expression_new_identity (table), ids);
}

static gboolean
is_of_dispatches (WeftTableId table)
{
  g_autoptr (WeftExpression) forward = weft_relation_find (table, WEFT_TABLE_DISPATCHES);
  g_autoptr (WeftExpression) backward = weft_relation_find (WEFT_TABLE_DISPATCHES, table);

  return forward != NULL || backward != NULL;
}

/* Rows whose owner is one of IDS of table OWNER. Takes IDS. */
static WeftPredicate *
new_owned (WeftTableId table, WeftTableId owner, WeftIdSet *ids)
{
  WeftPredicate *both = weft_predicate_new (WEFT_PREDICATE_AND);
  WeftExpression *owner_table = weft_expression_new (table, "owner_table", NULL);

  weft_predicate_add (both, weft_predicate_new_between (owner_table, owner, owner));
  weft_predicate_add (both,
                      weft_predicate_new_ids (weft_expression_new (table, "owner", NULL), ids));
  return both;
}

/* The rows of TABLE that fit. */
static WeftIdSet *
collect_own (WeftRun *run, WeftTableId table, WeftPredicate *predicate, GError **error)
{
  g_autoptr (WeftExpression) identity = weft_expression_new_identity (table);

  return weft_relation_collect (run, table, predicate, identity, table, error);
}

/* Rows that say by number which table they are about: that one, or dispatches that have to do with
 * it.
 */
static WeftPredicate *
carry_to_owner (WeftRun *run, WeftTableId table, WeftTableId target, WeftPredicate *predicate,
                const char *about, GError **error)
{
  g_autoptr (WeftPredicate) any = weft_predicate_new (WEFT_PREDICATE_OR);
  g_autoptr (WeftPredicate) of_dispatches = NULL;
  WeftIdSet *ids = collect_own (run, target, predicate, error);

  if (ids == NULL)
    {
      weft_predicate_free (predicate);
      return NULL;
    }
  weft_predicate_add (any, new_owned (table, target, ids));
  if (target == WEFT_TABLE_DISPATCHES || !is_of_dispatches (target))
    {
      weft_predicate_free (predicate);
      return g_steal_pointer (&any);
    }
  of_dispatches = weft_relation_carry (run, WEFT_TABLE_DISPATCHES, target, predicate, about, error);
  ids =
      of_dispatches == NULL ? NULL : collect_own (run, WEFT_TABLE_DISPATCHES, of_dispatches, error);
  if (ids == NULL)
    return NULL;
  weft_predicate_add (any, new_owned (table, WEFT_TABLE_DISPATCHES, ids));
  return g_steal_pointer (&any);
}

WeftPredicate *
weft_relation_carry (WeftRun *run, WeftTableId table, WeftTableId target, WeftPredicate *predicate,
                     const char *about, GError **error)
{
  WeftExpression *expression;

  if (table == target)
    return predicate;
  expression = weft_relation_find (table, target);
  if (expression != NULL)
    return carry_forward (run, target, predicate, expression, error);
  if (table == WEFT_TABLE_TAGS || table == WEFT_TABLE_ARTIFACT_LINKS)
    return carry_to_owner (run, table, target, predicate, about, error);
  if (target == WEFT_TABLE_DISPATCHES || table == WEFT_TABLE_DISPATCHES ||
      table == WEFT_TABLE_SUBMISSIONS || table == WEFT_TABLE_METRICS)
    expression = weft_relation_find (target, table);
  if (expression != NULL)
    return carry_backward (run, table, target, predicate, expression, error);
  if (table != WEFT_TABLE_DISPATCHES && target != WEFT_TABLE_DISPATCHES &&
      is_of_dispatches (table) && is_of_dispatches (target))
    {
      predicate = weft_relation_carry (run, WEFT_TABLE_DISPATCHES, target, predicate, about, error);
      return predicate == NULL
                 ? NULL
                 : weft_relation_carry (run, table, WEFT_TABLE_DISPATCHES, predicate, about, error);
    }
  weft_predicate_free (predicate);
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_FILTER,
               "Rows of “%s” cannot be filtered by “%s”: they have nothing to do with it",
               weft_model_get_table (table)->name, about);
  return NULL;
}

/* ---- Texts of what rows refer to ---- */

static gboolean
can_narrow (WeftRun *run, const WeftPredicate *self)
{
  const WeftExpression *first = self->first;

  if (self->kind != WEFT_PREDICATE_TEXT || first->kind != WEFT_EXPRESSION_LOOKUP)
    return FALSE;
  return first->target != WEFT_TABLE_DISPATCHES &&
         (weft_schema_table (first->target)->columns[0].flags & WEFT_COLUMN_KEY) &&
         weft_store_get_n_rows (run->store, first->target) <=
             weft_store_get_n_rows (run->store, first->table);
}

/* Of a column's text or, where it has none, another: two conditions, each of which can be narrowed.
 */
static void
split_otherwise (WeftPredicate *self)
{
  g_autoptr (WeftExpression) otherwise = NULL;
  WeftPredicate *second;
  WeftPredicate *has;

  if (self->kind != WEFT_PREDICATE_TEXT || self->first->kind != WEFT_EXPRESSION_OTHERWISE ||
      self->first->first->kind != WEFT_EXPRESSION_COLUMN)
    return;
  otherwise = g_steal_pointer (&self->first);
  /* A column owns nothing. */
  has = weft_predicate_new_has (g_memdup2 (otherwise->first, sizeof *otherwise->first));
  second = weft_predicate_new (WEFT_PREDICATE_AND);
  weft_predicate_add (second, weft_predicate_new_not (has));
  weft_predicate_add (second,
                      weft_predicate_new_text (g_steal_pointer (&otherwise->second), self->match));
  self->kind = WEFT_PREDICATE_OR;
  weft_predicate_add (self,
                      weft_predicate_new_text (g_steal_pointer (&otherwise->first), self->match));
  weft_predicate_add (self, second);
}

gboolean
weft_relation_narrow (WeftRun *run, WeftPredicate *self, GError **error)
{
  g_autoptr (WeftExpression) lookup = NULL;
  g_autoptr (WeftExpression) arrival = NULL;
  g_autoptr (WeftPredicate) of_target = NULL;

  split_otherwise (self);
  for (guint i = 0; i < self->children->len; i++)
    if (!weft_relation_narrow (run, g_ptr_array_index (self->children, i), error))
      return FALSE;
  if (!can_narrow (run, self))
    return TRUE;
  lookup = g_steal_pointer (&self->first);
  self->first = g_steal_pointer (&lookup->first);
  self->kind = WEFT_PREDICATE_IDS;
  of_target = weft_predicate_new_text (g_steal_pointer (&lookup->second), self->match);
  arrival = weft_expression_new_arrival (lookup->target);
  self->ids =
      weft_relation_collect (run, lookup->target, of_target, arrival, lookup->target, error);
  return self->ids != NULL;
}
