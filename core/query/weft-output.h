/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-plan.h"

G_BEGIN_DECLS

/* A column of an answer while it is filled: 64 bits a row, and what is null. */
typedef struct
{
  guint64 *values;
  guint8 *nulls;
} WeftOutputColumn;

typedef struct
{
  const WeftPlan *plan;
  guint n_rows;
  guint n_columns;
  WeftOutputColumn *columns; /* one for each item of the plan */
} WeftOutput;

/* Fails with WEFT_ERROR_TOO_LARGE. */
gboolean weft_output_init (WeftOutput *self, const WeftPlan *plan, guint64 n_rows, GError **error);
void weft_output_clear (WeftOutput *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WeftOutput, weft_output_clear)

/* Type of an item's values. */
WeftValueType weft_item_get_type (const WeftItem *item);

/* Takes the values of the items that are not hidden. */
WeftTable *weft_output_finish (WeftOutput *self, const char *cursor);

G_END_DECLS
