/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-collection.h"

#include <string.h>

void
weft_collection_init (WeftCollection *self, guint width)
{
  self->width = width;
  self->groups = g_array_new (FALSE, FALSE, sizeof (guint32));
  self->values = g_array_new (FALSE, FALSE, sizeof (guint64));
  self->ends = NULL;
  self->sorted = NULL;
}

void
weft_collection_clear (WeftCollection *self)
{
  g_clear_pointer (&self->groups, g_array_unref);
  g_clear_pointer (&self->values, g_array_unref);
  g_clear_pointer (&self->ends, g_free);
  g_clear_pointer (&self->sorted, g_free);
}

void
weft_collection_begin (WeftCollection *self, guint n, guint32 **groups, guint64 **values)
{
  guint old = self->groups->len;

  g_array_set_size (self->groups, old + n);
  g_array_set_size (self->values, old + n);
  *groups = &g_array_index (self->groups, guint32, old);
  *values = &g_array_index (self->values, guint64, old);
}

void
weft_collection_end (WeftCollection *self, guint n, guint kept)
{
  g_array_set_size (self->groups, self->groups->len - n + kept);
  g_array_set_size (self->values, self->values->len - n + kept);
}

gboolean
weft_collection_merge (WeftCollection *self, const WeftCollection *other, const guint32 *map,
                       WeftRun *run, GError **error)
{
  guint old = self->groups->len;
  guint n = other->groups->len;

  if (!weft_run_hold (run, n * (sizeof (guint32) + self->width * 2 * sizeof (guint64)), error))
    return FALSE;
  g_array_set_size (self->groups, old + n);
  for (guint i = 0; i < n; i++)
    g_array_index (self->groups, guint32, old + i) = map[g_array_index (other->groups, guint32, i)];
  g_array_append_vals (self->values, other->values->data, other->values->len);
  return TRUE;
}

void
weft_collection_settle (WeftCollection *self, guint n_groups)
{
  guint n = self->groups->len;
  guint64 *sorted = g_new (guint64, (gsize) n * self->width + 1);
  const guint64 *values = (const guint64 *) (gpointer) self->values->data;

  self->ends = g_new0 (guint64, (gsize) n_groups + 1);
  for (guint i = 0; i < n; i++)
    self->ends[g_array_index (self->groups, guint32, i) + 1]++;
  for (guint i = 0; i < n_groups; i++)
    self->ends[i + 1] += self->ends[i];
  /* Each group's first place moves on to its end, where the next one's begins. */
  for (guint i = 0; i < n; i++)
    {
      guint64 place = self->ends[g_array_index (self->groups, guint32, i)]++;

      memcpy (sorted + place * self->width, values + (gsize) i * self->width,
              self->width * sizeof sorted[0]);
    }
  self->sorted = sorted;
  g_clear_pointer (&self->values, g_array_unref);
  g_clear_pointer (&self->groups, g_array_unref);
}

static guint64 *
get_values (const WeftCollection *self, guint group, guint64 *n)
{
  guint64 begin = group == 0 ? 0 : self->ends[group - 1];

  *n = self->ends[group] - begin;
  return self->sorted + begin * self->width;
}

guint64
weft_collection_get_n (const WeftCollection *self, guint group)
{
  guint64 n;

  get_values (self, group, &n);
  return n;
}

/* Values below PIVOT, then those equal to it or above. */
static void
partition (guint64 *values, guint64 low, guint64 high, guint64 *left, guint64 *right)
{
  guint64 pivot = values[low + (high - low) / 2];
  guint64 i = low;
  guint64 j = high;

  while (i <= j)
    {
      guint64 value;

      while (values[i] < pivot)
        i++;
      while (values[j] > pivot)
        j--;
      if (i > j)
        break;
      value = values[i];
      values[i++] = values[j];
      values[j] = value;
      if (j == 0)
        break;
      j--;
    }
  *left = j;
  *right = i;
}

guint64
weft_collection_get_rank (WeftCollection *self, guint group, guint64 rank)
{
  guint64 n;
  guint64 *values = get_values (self, group, &n);
  guint64 low = 0;
  guint64 high = n - 1;

  while (low < high)
    {
      guint64 left, right;

      partition (values, low, high, &left, &right);
      if (rank <= left)
        high = left;
      else if (rank >= right)
        low = right;
      else
        break;
    }
  return values[rank];
}

static int
compare_numbers (gconstpointer a, gconstpointer b)
{
  guint64 number_a = *(const guint64 *) a;
  guint64 number_b = *(const guint64 *) b;

  return number_a < number_b ? -1 : number_a > number_b;
}

guint64
weft_collection_count_distinct (WeftCollection *self, guint group)
{
  guint64 n;
  guint64 *values = get_values (self, group, &n);
  guint64 distinct = n > 0;

  qsort (values, n, sizeof values[0], compare_numbers);
  for (guint64 i = 1; i < n; i++)
    distinct += values[i] != values[i - 1];
  return distinct;
}

static int
compare_intervals (gconstpointer a, gconstpointer b)
{
  gint64 begin_a = *(const gint64 *) a;
  gint64 begin_b = *(const gint64 *) b;

  return begin_a < begin_b ? -1 : begin_a > begin_b;
}

guint64
weft_collection_measure_union (WeftCollection *self, guint group)
{
  guint64 n;
  gint64 *values = (gint64 *) get_values (self, group, &n);
  guint64 covered = 0;
  gint64 end = G_MININT64;

  qsort (values, n, 2 * sizeof values[0], compare_intervals);
  for (guint64 i = 0; i < n; i++)
    {
      gint64 from = MAX (values[2 * i], end);

      if (values[2 * i + 1] <= from)
        continue;
      covered += (guint64) values[2 * i + 1] - (guint64) from;
      end = values[2 * i + 1];
    }
  return covered;
}
