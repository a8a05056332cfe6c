/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-run.h"

G_BEGIN_DECLS

/* Values of groups that are kept until all are there: for percentiles, distinct values, and the
 * union of intervals.
 */
typedef struct
{
  guint width;     /* words of a value */
  GArray *groups;  /* guint32 */
  GArray *values;  /* guint64, WIDTH of each */
  guint64 *sorted; /* the values by group, once all are there */
  guint64 *ends;   /* of each group's */
} WeftCollection;

void weft_collection_init (WeftCollection *self, guint width);
void weft_collection_clear (WeftCollection *self);

/* Makes room for N values of one word, of which the first KEPT are kept. */
void weft_collection_begin (WeftCollection *self, guint n, guint32 **groups, guint64 **values);
void weft_collection_end (WeftCollection *self, guint n, guint kept);

/* Appends what OTHER has, its groups being numbered by MAP. */
gboolean weft_collection_merge (WeftCollection *self, const WeftCollection *other,
                                const guint32 *map, WeftRun *run, GError **error);

/* Sorts the values by group; none is added then. */
void weft_collection_settle (WeftCollection *self, guint n_groups);

guint64 weft_collection_get_n (const WeftCollection *self, guint group);
/* The value at RANK, from 0, of the group's, which become ordered so far. */
guint64 weft_collection_get_rank (WeftCollection *self, guint group, guint64 rank);
guint64 weft_collection_count_distinct (WeftCollection *self, guint group);
/* Of pairs of begin and end, both signed. */
guint64 weft_collection_measure_union (WeftCollection *self, guint group);

G_END_DECLS
