/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-concurrency.h"

#include "weft-analysis-scope.h"

typedef struct
{
  guint32 lane;
  guint32 depth;
  gint64 start;
  gint64 end;
} Asked;

/* A time at which is asked how much ran before it. */
typedef struct
{
  guint32 lane;
  gint64 time;
  guint32 place; /* of the asked one, twice; 1 more for its end */
  gint64 n;      /* starts less ends before it */
  __int128 sum;  /* of their times, likewise */
} Point;

struct _WeftConcurrency
{
  GArray *asked;  /* element type Asked */
  GArray *points; /* element type Point: by lane, then time */
  GArray *all;    /* the same by time */
  __int128 *same; /* of each asked one: time of its lane */
  __int128 *both; /* time of all lanes */
};

WeftConcurrency *
weft_concurrency_new (void)
{
  WeftConcurrency *self = g_new0 (WeftConcurrency, 1);

  self->asked = g_array_new (FALSE, FALSE, sizeof (Asked));
  self->points = g_array_new (FALSE, FALSE, sizeof (Point));
  self->all = g_array_new (FALSE, FALSE, sizeof (Point));
  return self;
}

void
weft_concurrency_free (WeftConcurrency *self)
{
  g_array_unref (self->asked);
  g_array_unref (self->points);
  g_array_unref (self->all);
  g_free (self->same);
  g_free (self->both);
  g_free (self);
}

guint
weft_concurrency_add (WeftConcurrency *self, guint32 lane, guint32 depth, gint64 start, gint64 end)
{
  Asked asked = { lane, depth, start, end };

  for (guint i = 0; i < 2; i++)
    {
      Point point = { lane, i == 0 ? start : end, self->asked->len * 2 + i, 0, 0 };

      g_array_append_val (self->points, point);
      point.lane = 0;
      g_array_append_val (self->all, point);
    }
  g_array_append_val (self->asked, asked);
  return self->asked->len - 1;
}

static int
compare_points (gconstpointer a, gconstpointer b)
{
  const Point *point_a = a;
  const Point *point_b = b;

  if (point_a->lane != point_b->lane)
    return point_a->lane < point_b->lane ? -1 : 1;
  return point_a->time < point_b->time ? -1 : point_a->time > point_b->time;
}

/* Counts what happened at TIME to the first point of LANE after it. */
static void
add_time (GArray *points, guint32 lane, gint64 time, int sign)
{
  guint low = 0;
  guint high = points->len;
  Point *point;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      point = &g_array_index (points, Point, middle);
      if (point->lane < lane || (point->lane == lane && point->time <= time))
        low = middle + 1;
      else
        high = middle;
    }
  point = &g_array_index (points, Point, low);
  if (low == points->len || point->lane != lane)
    return;
  point->n += sign;
  point->sum += sign * (__int128) time;
}

enum
{
  LANE,
  START,
  DURATION,
  DEPTH,
  N_COLUMNS
};

static void
take_rows (const WeftStoreColumn *columns, gpointer data)
{
  WeftConcurrency *self = data;

  for (guint i = 0; i < columns[LANE].n_rows; i++)
    {
      guint32 lane = (guint32) weft_store_column_get (&columns[LANE], i);
      gint64 start = (gint64) weft_store_column_get (&columns[START], i);
      gint64 end = weft_time_after (start, weft_store_column_get (&columns[DURATION], i));

      /* What is nested runs in place of what is around it. */
      if (weft_store_column_get (&columns[DEPTH], i) > 1)
        continue;
      add_time (self->points, lane, start, 1);
      add_time (self->points, lane, end, -1);
      add_time (self->all, 0, start, 1);
      add_time (self->all, 0, end, -1);
    }
}

/* Time that ran before each point, put with the one that asked: less at its start, more at its end.
 */
static __int128 *
add_up (WeftConcurrency *self, GArray *points)
{
  __int128 *times = g_new0 (__int128, MAX (1, self->asked->len));
  __int128 sum = 0;
  gint64 n = 0;

  for (guint i = 0; i < points->len; i++)
    {
      const Point *point = &g_array_index (points, Point, i);
      __int128 before;

      if (i > 0 && point[-1].lane != point->lane)
        {
          sum = 0;
          n = 0;
        }
      sum += point->sum;
      n += point->n;
      before = (__int128) n * point->time - sum;
      times[point->place / 2] += point->place % 2 ? before : -before;
    }
  return times;
}

gboolean
weft_concurrency_run (WeftConcurrency *self, const WeftAnalysisScope *scope, GError **error)
{
  static const WeftColumnNumber columns[N_COLUMNS] = {
    [LANE] = WEFT_DISPATCHES_LANE,
    [START] = WEFT_DISPATCHES_START,
    [DURATION] = WEFT_DISPATCHES_DURATION,
    [DEPTH] = WEFT_DISPATCHES_DEPTH,
  };

  g_array_sort (self->points, compare_points);
  g_array_sort (self->all, compare_points);
  if (self->asked->len > 0 &&
      !weft_scope_scan_dispatches (scope, columns, N_COLUMNS, take_rows, self, error))
    return FALSE;
  self->same = add_up (self, self->points);
  self->both = add_up (self, self->all);
  return TRUE;
}

static double
get_ratio (const Asked *asked, __int128 time)
{
  gint64 end = asked->end;

  return end == asked->start ? 0.0
                             : (double) time / (double) ((guint64) end - (guint64) asked->start);
}

double
weft_concurrency_get_same_lane (WeftConcurrency *self, guint place)
{
  const Asked *asked = &g_array_index (self->asked, Asked, place);
  double ratio = get_ratio (asked, self->same[place]);

  /* Itself. */
  return asked->depth <= 1 && asked->end > asked->start ? ratio - 1 : ratio;
}

double
weft_concurrency_get_other_lanes (WeftConcurrency *self, guint place)
{
  return get_ratio (&g_array_index (self->asked, Asked, place),
                    self->both[place] - self->same[place]);
}
