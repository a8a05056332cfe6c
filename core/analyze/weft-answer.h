/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-catalog.h"
#include "weft-row-cursor.h"

G_BEGIN_DECLS

/* What answers do in the same way: tables by a plan, objects by their handles. */

typedef struct
{
  WeftTableColumn column;
  GType (*enumeration) (void); /* of an ENUM */
} WeftAnswerColumn;

#define WEFT_ANSWER_COLUMN(name, type)                                                             \
  {                                                                                                \
    { name, NULL, WEFT_VALUE_##type, NULL, NULL }, NULL                                            \
  }
#define WEFT_ANSWER_UNIT(name, type, unit)                                                         \
  {                                                                                                \
    { name, NULL, WEFT_VALUE_##type, unit, NULL }, NULL                                            \
  }
#define WEFT_ANSWER_ID(name, prefix)                                                               \
  {                                                                                                \
    { name, NULL, WEFT_VALUE_ID, NULL, prefix }, NULL                                              \
  }
#define WEFT_ANSWER_ENUM(name, enumeration)                                                        \
  {                                                                                                \
    { name, NULL, WEFT_VALUE_ENUM, NULL, NULL }, enumeration                                       \
  }

/* A table whose columns have the numbers of the plan. */
WeftTableBuilder *weft_answer_begin_table (const char *name, const WeftAnswerColumn *columns,
                                           guint n_columns);
/* Frees BUILDER. */
void weft_answer_add_table (WeftReport *report, WeftTableBuilder *builder);

/* Copies a value of the cursor's row by its type; nothing where it has none. Ids and texts of 0 are
 * none.
 */
void weft_answer_copy (WeftTableBuilder *builder, guint column, WeftRowCursor *row,
                       WeftColumnNumber number);

/* PART in per cent of WHOLE; nothing where there is no whole. */
void weft_answer_set_share (WeftTableBuilder *builder, guint column, guint64 part, guint64 whole);

/* A thread and its process, in columns that follow one another. TID is told where no thread of
 * that number is known.
 */
#define WEFT_ANSWER_THREAD_COLUMNS                                                                 \
  WEFT_ANSWER_ID ("thread", "t"), WEFT_ANSWER_COLUMN ("tid", UINT64),                              \
      WEFT_ANSWER_COLUMN ("thread_name", STRING), WEFT_ANSWER_ID ("process", "p"),                 \
      WEFT_ANSWER_COLUMN ("process_name", STRING)
#define WEFT_ANSWER_N_THREAD_COLUMNS 5

void weft_answer_set_thread (WeftTableBuilder *builder, guint first_column, WeftCatalog *catalog,
                             guint64 thread, guint64 tid);

/* Which object HANDLE names. Fails with WEFT_ERROR_NO_SUCH_OBJECT if it is none of the TABLES or
 * not there, and with WEFT_ERROR_INVALID_QUERY if it is NULL.
 */
gboolean weft_answer_find_object (const WeftAnalysisScope *scope, const WeftTableId *tables,
                                  guint n_tables, WeftTableId *table, guint64 *id, GError **error);

/* For people: the word of a unit, or the producer's own; NULL for plain numbers. */
const char *weft_answer_get_unit (guint64 unit, const char *unit_name);

/* What a dispatch, submission or trace failed with: the message of an error, else its name. */
const char *weft_answer_get_error (WeftRowCursor *errors, guint64 error);

G_END_DECLS
