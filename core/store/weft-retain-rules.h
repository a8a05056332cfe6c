/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-schema.h"

G_BEGIN_DECLS

/* What becomes of a table's rows when those of its time are let go. */
typedef enum
{
  WEFT_RETAIN_ALL,    /* all stay */
  WEFT_RETAIN_EVENTS, /* they go */
  WEFT_RETAIN_NAMED,  /* those stay that are referred to, or in use */
  WEFT_RETAIN_OWNED,  /* those stay whose owner does */
  WEFT_RETAIN_LATEST, /* the last of each key stays */
  WEFT_RETAIN_OPEN,   /* those stay that wait for their other half */
} WeftRetainRule;

#define WEFT_MAX_RETAIN_KEYS 3

typedef struct
{
  WeftRetainRule rule;
  /* OWNED: the owner; NAMED: whose rows in use are themselves in use; LATEST: the key. 0: none. */
  WeftColumnNumber keys[WEFT_MAX_RETAIN_KEYS];
  guint recent; /* NAMED: so many of the last rows are in use */
} WeftTableRetention;

const WeftTableRetention *weft_table_retention (WeftTableId table);

/* The table whose rows a column of type ID names; WEFT_N_TABLES where another column tells, or
 * where there is none.
 */
WeftTableId weft_column_target (WeftColumnNumber column);


G_END_DECLS
