/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-aggregate.h"
#include "weft-predicate.h"
#include "weft-query.h"
#include "weft-run.h"

G_BEGIN_DECLS

/* What was asked for, as it was said. */
typedef struct
{
  char *text;
  char *name; /* of the column, or NULL */
  gboolean descending;
} WeftClause;

typedef struct
{
  WeftTableId table;
  WeftFilter *filter; /* or NULL */
  gint64 begin;
  gint64 end;
  gboolean has_range;
  GArray *selects;           /* WeftClause */
  GArray *groups;            /* WeftClause */
  GArray *orders;            /* WeftClause */
  guint limit;               /* 0: none */
  guint64 after;             /* of arrivals: the rows behind this one */
  char *cursor;              /* or NULL */
  WeftPredicate **condition; /* one more, not bound, which the plan takes; or NULL */
} WeftQuestion;

/* A column of the answer, or what it is ordered by. */
typedef struct
{
  char *name;
  WeftAggregate aggregate;    /* of kind NONE: the value of a row, or of the group's key KEY */
  WeftExpression *expression; /* of BUSY: the start; NULL: none */
  WeftExpression *duration;   /* of BUSY */
  int key;
  gboolean is_wide;   /* a sum that does not fit into 64 bits */
  gboolean is_hidden; /* serves the order only */
} WeftItem;

typedef struct
{
  guint item;
  gboolean descending;
} WeftOrder;

/* What is to be done, bound to a recording. */
typedef struct
{
  const WeftQuestion *question;
  WeftTableId table;
  WeftRun *run;
  GArray *keys;   /* WeftItem, of the groups */
  GArray *items;  /* WeftItem: keys first, then what is selected, then hidden ones */
  GArray *orders; /* WeftOrder */
  gboolean is_grouped;
  WeftPredicate *predicate; /* or NULL */
  guint64 hash;             /* of the question, for cursors */
} WeftPlan;

gboolean weft_question_check_select (WeftTableId table, const char *text, GError **error);
/* Whether NAME is that of a column of the answer. */
gboolean weft_question_has_column (const WeftQuestion *self, const char *name);
guint64 weft_question_hash (const WeftQuestion *self);

/* QUESTION and RUN outlive it. */
WeftPlan *weft_plan_new (const WeftQuestion *question, WeftRun *run, GError **error);
void weft_plan_free (WeftPlan *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftPlan, weft_plan_free)

#define WEFT_PLAN_ITEM(plan, i) (&g_array_index ((plan)->items, WeftItem, i))
#define WEFT_PLAN_KEY(plan, i) (&g_array_index ((plan)->keys, WeftItem, i))
#define WEFT_PLAN_ORDER(plan, i) (&g_array_index ((plan)->orders, WeftOrder, i))

/* The answers of queries for rows, and for groups of rows. */
/* TABLE stays NULL where the longest dispatches are not what is asked for. */
gboolean weft_longest_run (WeftPlan *plan, WeftTable **table, GError **error);
WeftTable *weft_rows_run (WeftPlan *plan, GError **error);
WeftTable *weft_groups_run (WeftPlan *plan, GError **error);

G_END_DECLS
