/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Stretches of time of several owners. */
typedef struct
{
  guint64 owner;
  gint64 start;
  gint64 end; /* not before START */
} WeftInterval;

/* Orders them by owner, then by start. */
void weft_intervals_sort (GArray *intervals);

/* Of sorted ones: the number of those of one owner that begin at FIRST. */
guint weft_intervals_count (const GArray *intervals, guint first);

/* Time that at least one of N intervals of one owner covers, in ns. */
guint64 weft_intervals_get_union (const WeftInterval *intervals, guint n);

G_END_DECLS
