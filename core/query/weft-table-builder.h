/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-table.h"

G_BEGIN_DECLS

/*
 * Makes tables. Values are set in the row begun last; what is not set is null. Setting a value
 * of another type than the column's is a programming error.
 */
typedef struct _WeftTableBuilder WeftTableBuilder;

/* How a column presents itself. What is NULL is left out. */
typedef struct
{
  const char *name;  /* lower case, underscores: member of JSON objects, header of CSV */
  const char *title; /* for people; NULL: the name with spaces */
  WeftValueType type;
  const char *unit;   /* "ns" is implied by TIME and DURATION; "bytes", "percent", "count", … */
  const char *prefix; /* of handles, for ID: "d" */
} WeftTableColumn;

/* NAME is that of the answer: "target-top" makes the JSON schema weft.target-top/1. */
WeftTableBuilder *weft_table_builder_new (const char *name);
void weft_table_builder_free (WeftTableBuilder *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftTableBuilder, weft_table_builder_free)

guint weft_table_builder_add_column (WeftTableBuilder *self, const WeftTableColumn *column);
/* Several at once; the first is the number of columns there were. */
void weft_table_builder_add_columns (WeftTableBuilder *self, const WeftTableColumn *columns,
                                     guint n_columns);
/* The words of an ENUM column, from a registered enumeration: their nicks. */
guint weft_table_builder_add_enum (WeftTableBuilder *self, const WeftTableColumn *column,
                                   GType enumeration);

void weft_table_builder_begin_row (WeftTableBuilder *self);
guint weft_table_builder_get_n_rows (WeftTableBuilder *self);
/* UINT64, DURATION, ENUM, BOOLEAN; ID too, where 0 is null. */
void weft_table_builder_set_uint64 (WeftTableBuilder *self, guint column, guint64 value);
void weft_table_builder_set_int64 (WeftTableBuilder *self, guint column, gint64 value);
void weft_table_builder_set_double (WeftTableBuilder *self, guint column, double value);
/* TEXT may be NULL: null. */
void weft_table_builder_set_string (WeftTableBuilder *self, guint column, const char *text);

/* A whole column at once, for engines: DATA as WeftValueType says, VALIDITY (a bit per row, least
 * significant first) or NULL, DICTIONARY for STRING and ENUM. Takes the references. All columns
 * must then have the same number of rows.
 */
void weft_table_builder_take_column (WeftTableBuilder *self, guint column, GBytes *data,
                                     GBytes *validity, char **dictionary, guint n_rows);

void weft_table_builder_set_cursor (WeftTableBuilder *self, const char *cursor);
/* What to tell a person where the table is empty. */
void weft_table_builder_set_hint (WeftTableBuilder *self, const char *hint);

/* Frees SELF. */
WeftTable *weft_table_builder_finish (WeftTableBuilder *self);

G_END_DECLS
