/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-xctrace-element.h"

G_BEGIN_DECLS

#define WEFT_XCTRACE_MAX_COLUMNS 256

typedef struct
{
  char *mnemonic; /* NULL if the schema does not tell */
  char *type;     /* engineering type, likewise */
} WeftXctraceColumn;

/* A table of an export, as its schema describes it. */
typedef struct
{
  char *schema;        /* its name, perhaps empty */
  char *place;         /* xpath of the table in the trace, or NULL */
  guint run;           /* that it is of; 0 if that is not told */
  gulong line;         /* where it begins */
  GPtrArray *columns;  /* element-type WeftXctraceColumn */
  gboolean has_schema; /* that names columns; else these are the tags of the first row */
  guint64 n_rows;
  gboolean wanted[WEFT_XCTRACE_MAX_COLUMNS]; /* columns that are to be read */
} WeftXctraceTable;

/* Cells in the order of the columns; those that are not wanted, and nulls, are NULL. */
typedef struct
{
  const WeftXctraceElement *cells[WEFT_XCTRACE_MAX_COLUMNS];
  guint n_cells;
  gulong line;
} WeftXctraceRow;

/* What a reader asks of a table: a column by its mnemonic, else, if there is but one of that
 * kind, by its engineering type. Either may be NULL.
 */
typedef struct
{
  const char *mnemonic;
  const char *type;
  gboolean is_required;
} WeftXctraceColumnWish;

WeftXctraceTable *weft_xctrace_table_new (const char *schema, const char *place, gulong line);
void weft_xctrace_table_free (WeftXctraceTable *self);

/* FALSE if it has too many already. */
gboolean weft_xctrace_table_add_column (WeftXctraceTable *self, const char *mnemonic,
                                        const char *type);

/* PLACES gets the column of each wish, or -1, and the table wants these; FALSE, with the first
 * wish that was required and is not met in MISSING.
 */
gboolean weft_xctrace_table_match (WeftXctraceTable *self, const WeftXctraceColumnWish *wishes,
                                   guint n_wishes, int *places, const char **missing);

/* Names of the columns that are not wanted, with commas; NULL if there are none. */
char *weft_xctrace_table_list_unwanted (const WeftXctraceTable *self);

G_END_DECLS
