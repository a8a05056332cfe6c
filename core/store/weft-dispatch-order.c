/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-dispatch-order.h"

#include <string.h>

#include "weft-store-format.h"

#define MAX_PLACES (1 << 20) /* span of lane numbers that are sorted by counting */
#define PATIENCE 16          /* moves per row before insertion gives up */

void
weft_dispatch_order_init (WeftDispatchOrder *self)
{
  memset (self, 0, sizeof *self);
  self->rows = g_new (guint32, WEFT_MAX_CHUNK_ROWS);
  self->starts = g_new (guint64, WEFT_MAX_CHUNK_ROWS);
  self->lanes = g_new (guint64, WEFT_MAX_CHUNK_ROWS);
  self->lane_rows = g_new (guint64, WEFT_MAX_CHUNK_ROWS);
}

void
weft_dispatch_order_clear (WeftDispatchOrder *self)
{
  g_free (self->rows);
  g_free (self->starts);
  g_free (self->lanes);
  g_free (self->lane_rows);
  g_free (self->places);
}

static void
add_lane (WeftDispatchOrder *self, guint64 lane, guint32 n_rows)
{
  self->lanes[self->n_lanes] = lane;
  self->lane_rows[self->n_lanes++] = n_rows;
}

static void
sort_by_counting (WeftDispatchOrder *self, const guint64 *lanes, const guint64 *starts,
                  guint64 first, guint32 span)
{
  guint32 n = self->n_rows;
  guint32 *rows = self->rows;
  guint64 *sorted = self->starts;
  guint32 *places; /* by lane */
  guint32 place = 0;

  if (self->n_places < span)
    {
      self->n_places = span;
      self->places = g_renew (guint32, self->places, span);
    }
  memset (self->places, 0, span * sizeof *self->places);
  places = self->places - first;

#pragma GCC unroll 4
  for (guint32 i = 0; i < n; i++)
    places[lanes[i]]++;
  for (guint32 i = 0; i < span; i++)
    {
      guint32 n_rows = self->places[i];

      self->places[i] = place;
      place += n_rows;
      if (n_rows > 0)
        add_lane (self, first + i, n_rows);
    }
#pragma GCC unroll 4
  for (guint32 i = 0; i < n; i++)
    {
      guint32 to = places[lanes[i]]++;

      rows[to] = i;
      sorted[to] = starts[i];
    }
}

static int
compare_lanes (gconstpointer a, gconstpointer b, gpointer lanes)
{
  guint64 lane_a = ((const guint64 *) lanes)[*(const guint32 *) a];
  guint64 lane_b = ((const guint64 *) lanes)[*(const guint32 *) b];

  return lane_a < lane_b ? -1 : lane_a > lane_b;
}

static void
sort_by_comparing (WeftDispatchOrder *self, const guint64 *lanes, const guint64 *starts)
{
  guint32 begin = 0;

  for (guint32 i = 0; i < self->n_rows; i++)
    self->rows[i] = i;
  g_qsort_with_data (self->rows, (gint) self->n_rows, sizeof *self->rows, compare_lanes,
                     (gpointer) lanes);
  for (guint32 i = 0; i < self->n_rows; i++)
    {
      self->starts[i] = starts[self->rows[i]];
      if (i + 1 == self->n_rows || lanes[self->rows[i + 1]] != lanes[self->rows[i]])
        {
          add_lane (self, lanes[self->rows[i]], i + 1 - begin);
          begin = i + 1;
        }
    }
}

/* Rows of a lane come nearly in order: a parent after its children, a late row. */
static gboolean
insert_rows (gint64 *starts, guint32 *rows, guint32 n)
{
  guint64 moves = 0;

  for (guint32 i = 1; i < n; i++)
    {
      gint64 start = starts[i];
      guint32 row = rows[i];
      guint32 to = i;

      for (; to > 0 && starts[to - 1] > start; to--)
        {
          starts[to] = starts[to - 1];
          rows[to] = rows[to - 1];
        }
      starts[to] = start;
      rows[to] = row;
      moves += i - to;
      if (moves > (guint64) PATIENCE * n + 65536)
        return FALSE;
    }

  return TRUE;
}

WEFT_HOT static gboolean
is_sorted (const gint64 *starts, guint32 n)
{
  guint64 wrong = 0;

  for (guint32 i = 1; i < n; i++)
    wrong |= starts[i] < starts[i - 1];
  return wrong == 0;
}

WEFT_HOT static void
find_range (const guint64 *values, guint32 n, guint64 *first, guint64 *last)
{
  guint64 low = G_MAXUINT64;
  guint64 high = 0;

  for (guint32 i = 0; i < n; i++)
    {
      low = values[i] < low ? values[i] : low;
      high = values[i] > high ? values[i] : high;
    }
  *first = low;
  *last = high;
}

typedef struct
{
  gint64 start;
  guint32 row;
} Key;

static int
compare_keys (gconstpointer a, gconstpointer b)
{
  const Key *key_a = a;
  const Key *key_b = b;

  if (key_a->start != key_b->start)
    return key_a->start < key_b->start ? -1 : 1;
  return key_a->row < key_b->row ? -1 : key_a->row > key_b->row;
}

static void
merge_rows (gint64 *starts, guint32 *rows, guint32 n)
{
  g_autofree Key *keys = g_new (Key, n);

  for (guint32 i = 0; i < n; i++)
    keys[i] = (Key){ starts[i], rows[i] };
  qsort (keys, n, sizeof *keys, compare_keys);
  for (guint32 i = 0; i < n; i++)
    {
      starts[i] = keys[i].start;
      rows[i] = keys[i].row;
    }
}

void
weft_dispatch_order_sort (WeftDispatchOrder *self, const guint64 *lanes, const guint64 *starts,
                          guint32 n_rows)
{
  guint64 first, last;
  guint32 row = 0;

  self->n_rows = n_rows;
  self->n_lanes = 0;
  find_range (lanes, n_rows, &first, &last);
  if (last - first < MAX_PLACES)
    sort_by_counting (self, lanes, starts, first, (guint32) (last - first + 1));
  else
    sort_by_comparing (self, lanes, starts);

  for (guint32 lane = 0; lane < self->n_lanes; lane++)
    {
      guint32 n = (guint32) self->lane_rows[lane];

      gint64 *lane_starts = (gint64 *) self->starts + row;

      if (!is_sorted (lane_starts, n) && !insert_rows (lane_starts, self->rows + row, n))
        merge_rows (lane_starts, self->rows + row, n);
      row += n;
    }
}
