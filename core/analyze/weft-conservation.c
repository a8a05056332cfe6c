/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-conservation.h"

#include "weft-query.h"
#include "weft-row-cursor.h"

/* Summaries of chunks know it. */
WeftTable *
weft_conservation_count_work (const WeftAnalysisScope *scope, GError **error)
{
  g_autoptr (WeftQuery) query = weft_query_new ("dispatches", error);

  if (query == NULL || !weft_query_group_by (query, "lane", NULL, error) ||
      !weft_query_group_by (query, "routine", NULL, error) ||
      !weft_query_select (query, "count()", NULL, error))
    return NULL;
  return weft_query_run (query, scope->recording, scope->cancellable, error);
}

/* NULL for lanes that are not listed. */
static WeftLaneBooks *
find (GHashTable *places, GArray *all, guint64 lane)
{
  guint place = GPOINTER_TO_UINT (g_hash_table_lookup (places, GSIZE_TO_POINTER (lane)));

  return place == 0 ? NULL : &g_array_index (all, WeftLaneBooks, place - 1);
}

/* The last row of a lane holds. */
static gboolean
read_counts (const WeftAnalysisScope *scope, GHashTable *places, GArray *all, GError **error)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (scope, WEFT_TABLE_LANE_COUNTS);

  while (weft_row_cursor_next (rows))
    {
      WeftLaneBooks *lane = find (places, all, weft_row_cursor_get (rows, WEFT_LANE_COUNTS_LANE));

      if (lane == NULL)
        continue;
      lane->submitted = weft_row_cursor_get (rows, WEFT_LANE_COUNTS_SUBMITTED);
      lane->completed = weft_row_cursor_get (rows, WEFT_LANE_COUNTS_COMPLETED);
      lane->pending = weft_row_cursor_get (rows, WEFT_LANE_COUNTS_PENDING);
      lane->sampled_out = weft_row_cursor_get (rows, WEFT_LANE_COUNTS_SAMPLED_OUT);
      lane->rejected = weft_row_cursor_get (rows, WEFT_LANE_COUNTS_REJECTED);
      lane->lost = weft_row_cursor_get (rows, WEFT_LANE_COUNTS_LOST);
    }
  return weft_row_cursor_finish (rows, error);
}

static gboolean
read_retention (const WeftAnalysisScope *scope, GHashTable *places, GArray *all, GError **error)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (scope, WEFT_TABLE_RETENTION);

  weft_row_cursor_where (rows, WEFT_RETENTION_OWNER_TABLE, WEFT_TABLE_DISPATCHES);
  while (weft_row_cursor_next (rows))
    {
      WeftLaneBooks *lane = find (places, all, weft_row_cursor_get (rows, WEFT_RETENTION_LANE));

      if (lane != NULL)
        lane->let_go += weft_row_cursor_get (rows, WEFT_RETENTION_ROWS);
    }
  return weft_row_cursor_finish (rows, error);
}

GArray *
weft_conservation_read (const WeftAnalysisScope *scope, WeftCatalog *catalog, WeftTable *work,
                        GError **error)
{
  g_autoptr (GArray) all = g_array_new (FALSE, TRUE, sizeof (WeftLaneBooks));
  g_autoptr (GHashTable) places = g_hash_table_new (NULL, NULL);

  for (guint i = 0; i < weft_catalog_get_n_lanes (catalog); i++)
    {
      WeftLaneBooks lane = { .lane = weft_catalog_get_nth_lane (catalog, i)->id };

      g_array_append_val (all, lane);
      g_hash_table_insert (places, GSIZE_TO_POINTER (lane.lane), GUINT_TO_POINTER (all->len));
    }
  for (guint i = 0; i < weft_table_get_n_rows (work); i++)
    {
      WeftLaneBooks *lane = find (places, all, weft_table_get_uint64 (work, 0, i));

      if (lane != NULL)
        lane->rows += weft_table_get_uint64 (work, 2, i);
    }
  if (!read_counts (scope, places, all, error) || !read_retention (scope, places, all, error))
    return NULL;
  return g_steal_pointer (&all);
}

static guint64
add_up (const WeftLaneBooks *self)
{
  return self->completed + self->pending + self->sampled_out + self->rejected + self->lost;
}

gboolean
weft_lane_books_are_open (const WeftLaneBooks *self)
{
  return self->submitted != 0 || add_up (self) != 0;
}

gint64
weft_lane_books_get_missing (const WeftLaneBooks *self)
{
  return (gint64) (self->submitted - add_up (self));
}

gboolean
weft_lane_books_hold (const WeftLaneBooks *self, gboolean grows)
{
  return weft_lane_books_get_missing (self) == 0 &&
         (grows || self->completed == self->rows + self->let_go);
}
