/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-collection.h"
#include "weft-plan.h"

G_BEGIN_DECLS

/* What is known of one aggregate of one group. */
typedef struct
{
  guint64 n; /* values */
  union
  {
    __int128 sum;
    double real;
    guint64 order; /* of the least or greatest value */
    struct
    {
      __int128 sum;
      unsigned __int128 power; /* sum of the squares, modulo 2¹²⁸ */
    } deviation;               /* while it is exact */
    struct
    {
      double mean;
      double squares; /* of the differences to the mean, summed */
    };
  };
  gboolean is_rough; /* the deviation is told by doubles */
} WeftGroupState;

/* How many values of each group are in each bucket of WEFT_N_HISTOGRAM_BUCKETS. */
typedef struct
{
  guint32 *counts;
  guint n_groups; /* for which there is room */
} WeftSpread;

/*
 * Groups of rows, found by hashing their keys. Those of each chunk are made apart and then merged
 * in the order of the chunks, so that sums of doubles do not depend on who is faster.
 */
typedef struct
{
  const WeftPlan *plan;
  guint n_keys;
  guint n_aggregates;
  const WeftItem **aggregates; /* owned by the plan's */
  guint n_groups;
  guint room;
  guint64 *keys; /* of each group: a bit for each key that is null, the keys */
  guint32 *slots;
  guint mask;
  WeftGroupState *states;      /* of each group, by aggregate */
  gboolean has_percentiles;    /* states hold them, not collections */
  WeftCollection *collections; /* of each aggregate that needs all values */
  gboolean has_spreads;        /* percentiles are found by them, where that is possible */
  gboolean is_crowded;         /* there are too many groups for that */
  WeftSpread *spreads;         /* of each aggregate that is its own OF_SPREADS */
  guint *of_spreads; /* of each aggregate: the one whose spread tells its rank; or G_MAXUINT */
} WeftGroups;

/* HAS_SPREADS: percentiles are to be found by spreads, not from collections. */
WeftGroups *weft_groups_new (const WeftPlan *plan, gboolean has_spreads);
void weft_groups_free (WeftGroups *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftGroups, weft_groups_free)

static inline guint64 *
weft_groups_get_keys (const WeftGroups *self, guint group)
{
  return self->keys + (gsize) group * (self->n_keys + 1);
}

static inline WeftGroupState *
weft_groups_get_state (const WeftGroups *self, guint group, guint aggregate)
{
  return &self->states[(gsize) group * self->n_aggregates + aggregate];
}

/* The group of some keys, which is made if there is none. */
guint weft_groups_find (WeftGroups *self, const guint64 *keys);

gboolean weft_groups_merge (WeftGroups *self, WeftGroups *other, GError **error);

/* The groups of a batch's rows. VECTORS: room for each key's values. */
gboolean weft_groups_find_rows (WeftGroups *self, const WeftBatch *batch, WeftVector *vectors,
                                guint32 *groups, GError **error);

/* The group of some keys that are known, or G_MAXUINT. */
guint weft_groups_look_up (const WeftGroups *self, const guint64 *keys);

/* Adds a batch's rows, each to its group. */
gboolean weft_groups_add (WeftGroups *self, const guint32 *groups, const WeftBatch *batch,
                          GError **error);

/* Finds the percentiles whose spreads are known by one more scan. */
gboolean weft_groups_find_ranks (WeftGroups *self, GError **error);

/* Answers from what the store knows without looking at rows, where that suffices; else ANSWERED is
 * FALSE.
 */
gboolean weft_groups_summarize (WeftGroups *self, gboolean *answered, GError **error);

/* The value of an aggregate of a group; FALSE if it has none. */
gboolean weft_groups_get (const WeftGroups *self, guint aggregate, guint group, guint64 *bits);

G_END_DECLS
