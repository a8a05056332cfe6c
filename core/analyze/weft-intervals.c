/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-intervals.h"

static int
compare_intervals (gconstpointer a, gconstpointer b)
{
  const WeftInterval *left = a;
  const WeftInterval *right = b;

  if (left->owner != right->owner)
    return left->owner < right->owner ? -1 : 1;
  if (left->start != right->start)
    return left->start < right->start ? -1 : 1;
  return left->end < right->end ? -1 : left->end > right->end;
}

void
weft_intervals_sort (GArray *intervals)
{
  g_array_sort (intervals, compare_intervals);
}

guint
weft_intervals_count (const GArray *intervals, guint first)
{
  guint64 owner = g_array_index (intervals, WeftInterval, first).owner;
  guint last = first;

  while (last < intervals->len && g_array_index (intervals, WeftInterval, last).owner == owner)
    last++;
  return last - first;
}

guint64
weft_intervals_get_union (const WeftInterval *intervals, guint n)
{
  guint64 covered = 0;
  gint64 until = G_MININT64;

  for (guint i = 0; i < n; i++)
    {
      gint64 start = MAX (intervals[i].start, until);

      if (intervals[i].end <= start)
        continue;
      covered += (guint64) intervals[i].end - (guint64) start;
      until = intervals[i].end;
    }
  return covered;
}
