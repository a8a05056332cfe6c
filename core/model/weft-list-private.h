/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-list.h"
#include "weft-object-private.h"

G_BEGIN_DECLS

/* What a column must hold for a row to be in a list. */
typedef struct
{
  WeftColumnNumber column;
  guint64 value;
} WeftListCondition;

#define WEFT_LIST_MAX_CONDITIONS 2

/* The rows of TABLE that meet all CONDITIONS. Where THROUGH is not 0 the objects are those that
 * this column of the rows names.
 */
WeftList *weft_list_new (WeftRecording *recording, WeftTableId table,
                         const WeftListCondition *conditions, guint n_conditions,
                         WeftColumnNumber through);

/* For what belongs to PARENT by the column BY; owner_table, if there is one, is met as well. */
WeftList *weft_list_new_children (WeftObject *parent, WeftTableId table, WeftColumnNumber by,
                                  WeftColumnNumber through);

G_END_DECLS
