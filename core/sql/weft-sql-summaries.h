/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-sql-answer.h"

G_BEGIN_DECLS

/* Tables of groups that the engine has or finds at once: what SQLite would have to sort rows for.
 */
typedef struct
{
  const char *name;
  const char *summary;
  const char *table;
  const char *columns[16]; /* “NAME=EXPRESSION”; keys before aggregates; then NULL */
  guint n_keys;
} WeftSqlSummary;

const WeftSqlSummary *weft_sql_summaries_get (guint *n);

WeftSqlAnswerTable *weft_sql_summary_table_new (WeftSqlSource *source,
                                                const WeftSqlSummary *summary);

G_END_DECLS
