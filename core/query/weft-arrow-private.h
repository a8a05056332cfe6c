/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What Arrow makes of the columns of a table; shared by the file and the in-memory interface. */
#pragma once

#include "weft-table.h"

G_BEGIN_DECLS

typedef struct
{
  WeftTable *table;
  guint position;
  WeftValueType type;

  const guint8 *values;
  const guint8 *bits; /* as from the table, or NULL */

  /* Of strings and enumerations: the table's words, then numbers that have no word. */
  GPtrArray *words;
  GPtrArray *numbers; /* those among them that are not the table's */
  GBytes *indices;    /* into WORDS; the table's own unless some had no word */
} WeftArrowColumn;

/* Fails if a value has no place in Arrow's types. */
gboolean weft_arrow_column_init (WeftArrowColumn *self, WeftTable *table, guint position,
                                 GError **error);
void weft_arrow_column_clear (WeftArrowColumn *self);

/* Key, value, key, value, …, NULL. */
GPtrArray *weft_arrow_column_list_metadata (const WeftArrowColumn *self);
GPtrArray *weft_arrow_list_table_metadata (WeftTable *table);

/* Whether it may have nulls; all fields are called nullable, so that the same question always has
 * the same schema.
 */
gboolean weft_arrow_column_is_nullable (const WeftArrowColumn *self);
/* How many of N rows from FIRST, a multiple of 8, are null; their bits go to BITS, (N + 7) / 8
 * bytes, set where there is a value. */
gsize weft_arrow_column_pack_validity (const WeftArrowColumn *self, gsize first, gsize n,
                                       guint8 *bits);
/* The same for the values of booleans. */
void weft_arrow_column_pack_booleans (const WeftArrowColumn *self, gsize first, gsize n,
                                      guint8 *bits);
/* The bytes of all words; FALSE if they are more than Arrow's strings can have. */
gboolean weft_arrow_column_measure_words (const WeftArrowColumn *self, guint64 *length);

G_END_DECLS
