/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-loss-totals.h"

#include "weft-row-cursor.h"

static int
compare_totals (gconstpointer a, gconstpointer b)
{
  const WeftLossTotal *left = a;
  const WeftLossTotal *right = b;

  if (left->lane != right->lane)
    return left->lane < right->lane ? -1 : 1;
  if (left->runtime != right->runtime)
    return left->runtime < right->runtime ? -1 : 1;
  if (left->category != right->category)
    return left->category < right->category ? -1 : 1;
  return g_strcmp0 (left->reason, right->reason);
}

static guint
hash_total (gconstpointer key)
{
  const WeftLossTotal *total = key;

  return (guint) (total->lane * 31 + total->runtime * 17 + total->category) ^
         g_str_hash (total->reason);
}

static gboolean
equal_totals (gconstpointer a, gconstpointer b)
{
  return compare_totals (a, b) == 0;
}

GArray *
weft_loss_totals_read (const WeftAnalysisScope *scope, GError **error)
{
  g_autoptr (GHashTable) totals = g_hash_table_new_full (hash_total, equal_totals, g_free, NULL);
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (scope, WEFT_TABLE_LOSSES);
  GArray *sorted;
  GHashTableIter iter;
  gpointer total;

  while (weft_row_cursor_next (rows))
    {
      const char *reason = weft_row_cursor_get_string (rows, WEFT_LOSSES_REASON);
      WeftLossTotal row = {
        .lane = weft_row_cursor_get (rows, WEFT_LOSSES_LANE),
        .runtime = weft_row_cursor_get (rows, WEFT_LOSSES_RUNTIME),
        .category = weft_row_cursor_get (rows, WEFT_LOSSES_CATEGORY),
        .reason = reason ? reason : "",
        .count = weft_row_cursor_get (rows, WEFT_LOSSES_COUNT),
      };

      g_hash_table_replace (totals, g_memdup2 (&row, sizeof row), NULL);
    }
  if (!weft_row_cursor_finish (rows, error))
    return NULL;
  sorted = g_array_new (FALSE, FALSE, sizeof (WeftLossTotal));
  g_hash_table_iter_init (&iter, totals);
  while (g_hash_table_iter_next (&iter, &total, NULL))
    g_array_append_vals (sorted, total, 1);
  g_array_sort (sorted, compare_totals);
  return sorted;
}
