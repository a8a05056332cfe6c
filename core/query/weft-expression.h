/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-model.h"
#include "weft-store.h"

G_BEGIN_DECLS

/*
 * What can be said of a row: a field, a field of the row that it refers to, a tag, a counter.
 * Expressions are made from text by the schema alone, then bound to a recording, and then
 * evaluated over batches of rows.
 */

/* Rows of a batch, and values of a vector: a few vectors of this size stay in the nearest cache. */
#define WEFT_BATCH_ROWS 2048

typedef enum
{
  WEFT_EXPRESSION_COLUMN,     /* stored in column PLACE of the row */
  WEFT_EXPRESSION_ARRIVAL,    /* number of the row in the order of arrival, from 1 */
  WEFT_EXPRESSION_SUM,        /* FIRST + SECOND */
  WEFT_EXPRESSION_DIFFERENCE, /* FIRST - SECOND, not below 0 where it is a duration */
  WEFT_EXPRESSION_BIT,        /* FIRST & MASK */
  WEFT_EXPRESSION_NUMBER,     /* bits FIRST as the number type SECOND; null where THIRD is set */
  WEFT_EXPRESSION_LOOKUP,     /* SECOND of the row of TARGET that FIRST names */
  WEFT_EXPRESSION_CLIPPED,    /* how much of FIRST + [0, SECOND) lies in [LOW, HIGH) */
  WEFT_EXPRESSION_OTHERWISE,  /* FIRST, or SECOND where it is null */
  WEFT_EXPRESSION_TAG,        /* tag KEY of the row of TARGET that FIRST names */
  WEFT_EXPRESSION_COUNTER,    /* counter KEY of the row of TARGET that FIRST names */
} WeftExpressionKind;

typedef struct _WeftExpression WeftExpression;
typedef struct _WeftLookup WeftLookup;
typedef struct _WeftSide WeftSide;

struct _WeftExpression
{
  WeftExpressionKind kind;
  WeftTableId table; /* whose rows it is about */
  WeftValueType type;
  gboolean is_typed; /* else the type is known when it is bound */
  guint place;
  guint64 mask;
  gint64 low;
  gint64 high;
  gboolean zero_is_null;
  WeftTableId target;
  char *key;
  WeftExpression *first;
  WeftExpression *second;
  WeftExpression *third;

  /* How its values present themselves. */
  const char *unit;
  const char *prefix;
  GType (*enumeration) (void);

  /* Once it is bound. */
  WeftLookup *lookup;
  WeftSide *side;
};

/* Fails with WEFT_ERROR_NO_SUCH_FIELD, naming the nearest, or WEFT_ERROR_INVALID_QUERY. */
WeftExpression *weft_expression_new (WeftTableId table, const char *text, GError **error);
/* Of a stored or computed field of the table itself. */
WeftExpression *weft_expression_new_field (WeftTableId table, const WeftField *field);
/* The number by which other rows refer to a row: its id, or its place in the order of arrival. */
WeftExpression *weft_expression_new_identity (WeftTableId table);
/* The number of the row in the order of arrival. */
WeftExpression *weft_expression_new_arrival (WeftTableId table);
/* SECOND, which is about rows of the table that FIRST refers to. Takes both. */
WeftExpression *weft_expression_new_lookup (WeftExpression *first, WeftTableId target,
                                            WeftExpression *second);
/* The part that lies in [LOW, HIGH) where SELF is the duration of a row that has a start; else
 * SELF. Takes SELF.
 */
WeftExpression *weft_expression_clip (WeftExpression *self, gint64 low, gint64 high);
void weft_expression_free (WeftExpression *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftExpression, weft_expression_free)

/* The rows of other tables that it needs are read now or when they are first asked for. */
gboolean weft_expression_bind (WeftExpression *self, WeftStore *store, GError **error);

/* Whether both mean the same. */
gboolean weft_expression_equal (const WeftExpression *self, const WeftExpression *other);

/* The columns of the row that it needs: a bit for each place. */
guint32 weft_expression_get_places (const WeftExpression *self);

gboolean weft_value_type_is_number (WeftValueType type);

/* Values as bits; those of null rows are 0. */
typedef struct
{
  guint64 values[WEFT_BATCH_ROWS];
  guint8 nulls[WEFT_BATCH_ROWS]; /* 1: null; means nothing unless HAS_NULLS */
  gboolean has_nulls;
} WeftVector;

typedef struct
{
  const WeftStoreColumn *columns[WEFT_MAX_COLUMNS]; /* by place; those that are needed */
  guint64 first_row;   /* arrival number of row 0 where rows are in that order */
  const guint16 *rows; /* which rows of the columns; NULL: the first N */
  guint n;
} WeftBatch;

gboolean weft_expression_evaluate (const WeftExpression *self, const WeftBatch *batch,
                                   WeftVector *out, GError **error);

/* Whether it follows from the columns as such that no row has a value. */
gboolean weft_expression_is_null (const WeftExpression *self, const WeftBatch *batch);

/* Text of a string number, which may be one that a bound expression made. */
const char *weft_expression_get_text (const WeftExpression *self, WeftStore *store, guint64 number);

/* Bits whose unsigned order is that of the values, and back. Not for strings. */
static inline guint64
weft_order_bits (WeftValueType type, guint64 bits)
{
  const guint64 sign = G_GUINT64_CONSTANT (1) << 63;

  switch (type)
    {
    case WEFT_VALUE_INT64:
    case WEFT_VALUE_TIME:
      return bits ^ sign;
    case WEFT_VALUE_DOUBLE:
      return bits & sign ? ~bits : bits | sign;
    default:
      return bits;
    }
}

static inline guint64
weft_unorder_bits (WeftValueType type, guint64 order)
{
  const guint64 sign = G_GUINT64_CONSTANT (1) << 63;

  switch (type)
    {
    case WEFT_VALUE_INT64:
    case WEFT_VALUE_TIME:
      return order ^ sign;
    case WEFT_VALUE_DOUBLE:
      return order & sign ? order & ~sign : ~order;
    default:
      return order;
    }
}

static inline double
weft_bits_to_double (guint64 bits)
{
  double value;

  __builtin_memcpy (&value, &bits, sizeof value);
  return value;
}

static inline guint64
weft_double_to_bits (double value)
{
  guint64 bits;

  __builtin_memcpy (&bits, &value, sizeof bits);
  return bits;
}

/* A value of any numeric type as a double. */
static inline double
weft_bits_as_double (WeftValueType type, guint64 bits)
{
  switch (type)
    {
    case WEFT_VALUE_DOUBLE:
      return weft_bits_to_double (bits);
    case WEFT_VALUE_INT64:
    case WEFT_VALUE_TIME:
      return (double) (gint64) bits;
    default:
      return (double) bits;
    }
}

G_END_DECLS
