/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-sorter.h"

#include <string.h>

#include "weft-output.h"

#define SLACK 4096 /* records beyond the limit, before they are sorted and cut */

void
weft_sorter_init (WeftSorter *self, const WeftPlan *plan, guint limit)
{
  self->plan = plan;
  self->cursor_texts = NULL;
  self->n_words = WEFT_SORTER_FIRST_KEY + plan->orders->len;
  self->words = g_array_new (FALSE, FALSE, sizeof (guint64) * self->n_words);
  self->limit = limit;
  self->bar = NULL;
}

void
weft_sorter_clear (WeftSorter *self)
{
  g_clear_pointer (&self->words, g_array_unref);
  g_clear_pointer (&self->bar, g_free);
}

static const WeftItem *
get_item (const WeftSorter *self, guint k)
{
  return WEFT_PLAN_ITEM (self->plan, WEFT_PLAN_ORDER (self->plan, k)->item);
}

static gboolean
is_text (const WeftItem *item)
{
  return item->aggregate.kind == WEFT_AGGREGATE_NONE && item->expression->type == WEFT_VALUE_STRING;
}

void
weft_sorter_set_key (const WeftSorter *self, guint64 *record, guint k, guint64 bits,
                     gboolean is_null)
{
  const WeftItem *item = get_item (self, k);
  guint64 key = is_null ? 0 : bits;

  if (!is_text (item) && !is_null)
    {
      key = weft_order_bits (weft_item_get_type (item), bits);
      key = WEFT_PLAN_ORDER (self->plan, k)->descending ? ~key : key;
    }
  record[WEFT_SORTER_NULLS] &= ~(G_GUINT64_CONSTANT (1) << k);
  record[WEFT_SORTER_NULLS] |= (guint64) (is_null != 0) << k;
  record[WEFT_SORTER_FIRST_KEY + k] = key;
}

static const char *
get_text (const WeftSorter *self, const WeftItem *item, guint k, guint64 key)
{
  const char *text;

  if (key == WEFT_SORTER_CURSOR_TEXT && self->cursor_texts != NULL)
    return self->cursor_texts[k];
  text = weft_expression_get_text (item->expression, self->plan->run->store, key);
  return text != NULL ? text : "";
}

static int
compare_texts (const WeftSorter *self, guint k, guint64 a, guint64 b)
{
  const WeftItem *item = get_item (self, k);
  int order = a == b ? 0 : strcmp (get_text (self, item, k, a), get_text (self, item, k, b));

  return WEFT_PLAN_ORDER (self->plan, k)->descending ? -order : order;
}

int
weft_sorter_compare (const WeftSorter *self, const guint64 *a, const guint64 *b)
{
  for (guint k = 0; k < self->plan->orders->len; k++)
    {
      guint64 key_a = a[WEFT_SORTER_FIRST_KEY + k];
      guint64 key_b = b[WEFT_SORTER_FIRST_KEY + k];
      gboolean null_a = a[WEFT_SORTER_NULLS] >> k & 1;
      gboolean null_b = b[WEFT_SORTER_NULLS] >> k & 1;
      int order;

      if (null_a != null_b)
        return null_a ? 1 : -1;
      if (key_a == key_b || null_a)
        continue;
      order = is_text (get_item (self, k)) ? compare_texts (self, k, key_a, key_b)
                                           : (key_a < key_b ? -1 : 1);
      if (order != 0)
        return order;
    }
  return a[WEFT_SORTER_NUMBER] < b[WEFT_SORTER_NUMBER]
             ? -1
             : a[WEFT_SORTER_NUMBER] > b[WEFT_SORTER_NUMBER];
}

static int
compare_records (gconstpointer a, gconstpointer b, gpointer data)
{
  return weft_sorter_compare (data, a, b);
}

static guint64 *
get_record (const WeftSorter *self, guint64 i)
{
  return (guint64 *) (gpointer) self->words->data + i * self->n_words;
}

static void
sort (WeftSorter *self)
{
  g_array_sort_with_data (self->words, compare_records, self);
}

static void
cut (WeftSorter *self)
{
  sort (self);
  if (self->words->len < self->limit)
    return;
  g_array_set_size (self->words, self->limit);
  g_free (self->bar);
  self->bar = g_memdup2 (get_record (self, self->limit - 1), sizeof (guint64) * self->n_words);
}

gboolean
weft_sorter_add (WeftSorter *self, const guint64 *record, GError **error)
{
  if (self->limit == 0 && self->words->len % 65536 == 65535 &&
      !weft_run_hold (self->plan->run, 65536 * sizeof (guint64) * self->n_words, error))
    return FALSE;
  if (self->bar != NULL && weft_sorter_compare (self, record, self->bar) > 0)
    return TRUE;
  g_array_append_vals (self->words, record, 1);
  if (self->limit > 0 && self->words->len >= (guint64) self->limit + MAX (self->limit, SLACK))
    cut (self);
  return TRUE;
}

void
weft_sorter_settle (WeftSorter *self)
{
  if (self->limit > 0 && self->words->len > self->limit)
    cut (self);
}

gboolean
weft_sorter_merge (WeftSorter *self, WeftSorter *other, GError **error)
{
  if (other->words->len == 0)
    return TRUE;
  if (self->limit == 0 &&
      !weft_run_hold (self->plan->run,
                      (guint64) other->words->len * sizeof (guint64) * self->n_words, error))
    return FALSE;
  g_array_append_vals (self->words, other->words->data, other->words->len);
  if (self->limit > 0 && self->words->len >= self->limit)
    cut (self);
  return TRUE;
}

void
weft_sorter_finish (WeftSorter *self)
{
  if (self->limit > 0)
    cut (self);
  else
    sort (self);
}

guint64
weft_sorter_get_n (const WeftSorter *self)
{
  return self->words->len;
}

const guint64 *
weft_sorter_get (const WeftSorter *self, guint64 i)
{
  return get_record (self, i);
}
