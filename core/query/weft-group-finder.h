/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-groups.h"

G_BEGIN_DECLS

/* Tells which groups the rows of one chunk are of. */
typedef struct
{
  WeftGroups *groups; /* of the chunk; new ones are made as they come */
  WeftVector *keys;   /* of a batch */
  guint32 of_rows[WEFT_BATCH_ROWS];
  guint place;
  guint64 low;
  guint32 *table; /* by value - LOW: the group + 1; NULL: keys are hashed */
} WeftGroupFinder;

void weft_group_finder_init (WeftGroupFinder *self, WeftGroups *groups, guint chunk);
void weft_group_finder_clear (WeftGroupFinder *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WeftGroupFinder, weft_group_finder_clear)

/* Fills OF_ROWS. */
gboolean weft_group_finder_find (WeftGroupFinder *self, const WeftBatch *batch, GError **error);

G_END_DECLS
