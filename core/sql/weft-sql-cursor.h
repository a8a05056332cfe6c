/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-chunk-reader.h"
#include "weft-run.h"
#include "weft-sql-index.h"
#include "weft-sql-source.h"

G_BEGIN_DECLS

/*
 * Rows of a table one by one, made by the batch: a batch is found by predicates, an index or a
 * number, and a column of it is read and evaluated when it is first asked for.
 */

typedef enum
{
  WEFT_SQL_SCAN,       /* as they lie in the file */
  WEFT_SQL_ASCENDING,  /* in the order of their numbers */
  WEFT_SQL_DESCENDING, /* from the last number to the first */
  WEFT_SQL_ONE,        /* one row, by its number */
  WEFT_SQL_INDEXED,    /* those that an index names */
} WeftSqlWay;

typedef struct
{
  WeftExpression *expression; /* bound; NULL until it is asked for */
  WeftVector *vector;
  guint64 batch; /* that VECTOR is of */
} WeftSqlCursorColumn;

typedef struct
{
  WeftSqlSource *source;
  const WeftSqlColumns *columns;
  WeftStore *store;
  WeftRun run;

  WeftSqlWay way;
  WeftSqlConditions conditions;
  WeftPredicate *predicate; /* or NULL: all rows */
  const WeftSqlIndexEntry *entries;
  gsize n_entries;

  guint chunk; /* that READER is of, if IS_OPEN */
  guint next_chunk;
  gboolean is_open;
  WeftChunkReader reader;
  GBytes *order; /* rows of the chunk by their numbers; NULL: they are in that order */
  guint first;   /* of the chunk, or entry, that comes next */

  guint16 rows[WEFT_BATCH_ROWS];
  WeftBatch batch;
  guint64 number; /* of the batch */
  guint row;      /* of the batch */
  gboolean is_over;
  WeftSqlCursorColumn *of_columns;
} WeftSqlCursor;

/* Takes part in the source's view until it is cleared. */
void weft_sql_cursor_init (WeftSqlCursor *self, WeftSqlSource *source,
                           const WeftSqlColumns *columns);
void weft_sql_cursor_clear (WeftSqlCursor *self);

/* Forgets what was sought. */
void weft_sql_cursor_reset (WeftSqlCursor *self, const WeftSqlPatterns *patterns);

/* Goes to the first row. PREDICATE is taken and not bound; NULL: all. */
gboolean weft_sql_cursor_scan (WeftSqlCursor *self, WeftSqlWay way, WeftPredicate *predicate,
                               GError **error);
gboolean weft_sql_cursor_find (WeftSqlCursor *self, guint64 id, GError **error);
/* The rows that an index names; ENTRIES outlive the scan. */
gboolean weft_sql_cursor_follow (WeftSqlCursor *self, const WeftSqlIndexEntry *entries, gsize n,
                                 GError **error);

gboolean weft_sql_cursor_next_batch (WeftSqlCursor *self, GError **error);

/* The values of a column of the batch. */
const WeftVector *weft_sql_cursor_evaluate (WeftSqlCursor *self, guint column, GError **error);
/* The number of the row, from 1 in the order of arrival. */
gboolean weft_sql_cursor_get_number (WeftSqlCursor *self, guint64 *number, GError **error);

static inline gboolean
weft_sql_cursor_next (WeftSqlCursor *self, GError **error)
{
  return ++self->row < self->batch.n || weft_sql_cursor_next_batch (self, error);
}

G_END_DECLS
