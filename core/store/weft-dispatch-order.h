/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Puts rows in the order of (lane, start, arrival). */
typedef struct
{
  guint32 n_rows;
  guint32 *rows;   /* the row that comes i-th */
  guint64 *starts; /* its start */
  guint32 n_lanes;
  guint64 *lanes;     /* the lanes, ascending */
  guint64 *lane_rows; /* the number of rows of each */

  /* private */
  guint32 *places;
  guint32 n_places;
} WeftDispatchOrder;

void weft_dispatch_order_init (WeftDispatchOrder *self);
void weft_dispatch_order_clear (WeftDispatchOrder *self);
void weft_dispatch_order_sort (WeftDispatchOrder *self, const guint64 *lanes, const guint64 *starts,
                               guint32 n_rows);

G_END_DECLS
