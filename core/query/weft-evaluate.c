/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-expression.h"

#include <string.h>

#include "weft-lookup.h"
#include "weft-side.h"

#define GATHER(TYPE)                                                                               \
  {                                                                                                \
    const TYPE *data = column->data;                                                               \
                                                                                                   \
    if (batch->rows == NULL)                                                                       \
      for (guint i = 0; i < batch->n; i++)                                                         \
        out->values[i] = column->base + data[i];                                                   \
    else                                                                                           \
      for (guint i = 0; i < batch->n; i++)                                                         \
        out->values[i] = column->base + data[batch->rows[i]];                                      \
  }                                                                                                \
  break

static void
gather (const WeftStoreColumn *column, const WeftBatch *batch, WeftVector *out)
{
  switch (column->width)
    {
    case 1:
      GATHER (guint8);
    case 2:
      GATHER (guint16);
    case 4:
      GATHER (guint32);
    case 8:
      GATHER (guint64);
    default:
      for (guint i = 0; i < batch->n; i++)
        out->values[i] = column->base;
    }
}

static void
gather_nulls (const WeftStoreColumn *column, const WeftBatch *batch, WeftVector *out)
{
  guint8 any = 0;

  for (guint i = 0; i < batch->n; i++)
    {
      guint row = batch->rows != NULL ? batch->rows[i] : i;
      guint8 is_null = !(column->presence[row / 64] >> (row % 64) & 1);

      out->nulls[i] = is_null;
      out->values[i] = is_null ? 0 : out->values[i];
      any |= is_null;
    }
  out->has_nulls = any;
}

static void
mark_zeros (const WeftBatch *batch, WeftVector *out)
{
  guint8 any = 0;

  for (guint i = 0; i < batch->n; i++)
    {
      out->nulls[i] = out->values[i] == 0;
      any |= out->nulls[i];
    }
  out->has_nulls = any;
}

static void
evaluate_column (const WeftExpression *self, const WeftBatch *batch, WeftVector *out)
{
  const WeftStoreColumn *column = batch->columns[self->place];

  gather (column, batch, out);
  out->has_nulls = FALSE;
  if (column->presence != NULL)
    gather_nulls (column, batch, out);
  else if (self->zero_is_null && column->base == 0)
    mark_zeros (batch, out);
}

static void
evaluate_arrival (const WeftBatch *batch, WeftVector *out)
{
  for (guint i = 0; i < batch->n; i++)
    out->values[i] = batch->first_row + (batch->rows != NULL ? batch->rows[i] : i);
  out->has_nulls = FALSE;
}

/* What is null in either. */
static void
merge_nulls (WeftVector *out, const WeftVector *other, guint n)
{
  if (!other->has_nulls)
    return;
  if (!out->has_nulls)
    memset (out->nulls, 0, n);
  out->has_nulls = TRUE;
  for (guint i = 0; i < n; i++)
    out->nulls[i] |= other->nulls[i];
  for (guint i = 0; i < n; i++)
    out->values[i] = out->nulls[i] ? 0 : out->values[i];
}

static gboolean
evaluate_arithmetic (const WeftExpression *self, const WeftBatch *batch, WeftVector *out,
                     GError **error)
{
  WeftVector second;

  if (!weft_expression_evaluate (self->first, batch, out, error) ||
      !weft_expression_evaluate (self->second, batch, &second, error))
    return FALSE;
  if (self->kind == WEFT_EXPRESSION_SUM)
    for (guint i = 0; i < batch->n; i++)
      out->values[i] += second.values[i];
  else if (self->type != WEFT_VALUE_DURATION)
    for (guint i = 0; i < batch->n; i++)
      out->values[i] -= second.values[i];
  else if (self->first->type == WEFT_VALUE_TIME)
    for (guint i = 0; i < batch->n; i++)
      out->values[i] = (gint64) out->values[i] > (gint64) second.values[i]
                           ? out->values[i] - second.values[i]
                           : 0;
  else
    for (guint i = 0; i < batch->n; i++)
      out->values[i] = out->values[i] > second.values[i] ? out->values[i] - second.values[i] : 0;
  merge_nulls (out, &second, batch->n);
  return TRUE;
}

static gboolean
evaluate_clipped (const WeftExpression *self, const WeftBatch *batch, WeftVector *out,
                  GError **error)
{
  WeftVector starts;

  if (!weft_expression_evaluate (self->first, batch, &starts, error) ||
      !weft_expression_evaluate (self->second, batch, out, error))
    return FALSE;
  for (guint i = 0; i < batch->n; i++)
    {
      gint64 start = (gint64) starts.values[i];
      gint64 end;

      if (out->values[i] > G_MAXINT64 ||
          __builtin_add_overflow (start, (gint64) out->values[i], &end))
        end = G_MAXINT64;
      start = MAX (start, self->low);
      end = MIN (end, self->high);
      out->values[i] = end > start ? (guint64) end - (guint64) start : 0;
    }
  merge_nulls (out, &starts, batch->n);
  return TRUE;
}

static gboolean
evaluate_bit (const WeftExpression *self, const WeftBatch *batch, WeftVector *out, GError **error)
{
  if (!weft_expression_evaluate (self->first, batch, out, error))
    return FALSE;
  for (guint i = 0; i < batch->n; i++)
    out->values[i] = (out->values[i] & self->mask) != 0;
  return TRUE;
}

static guint64
number_as_double (WeftNumberType type, guint64 bits)
{
  switch (type)
    {
    case WEFT_NUMBER_DOUBLE:
      return bits;
    case WEFT_NUMBER_INT64:
      return weft_double_to_bits ((double) (gint64) bits);
    default:
      return weft_double_to_bits ((double) bits);
    }
}

static gboolean
evaluate_number (const WeftExpression *self, const WeftBatch *batch, WeftVector *out,
                 GError **error)
{
  WeftVector types;
  WeftVector errors;

  if (!weft_expression_evaluate (self->first, batch, out, error) ||
      !weft_expression_evaluate (self->second, batch, &types, error))
    return FALSE;
  merge_nulls (out, &types, batch->n);
  if (!out->has_nulls)
    memset (out->nulls, 0, batch->n);
  out->has_nulls = TRUE;
  if (self->third == NULL)
    memset (errors.values, 0, batch->n * sizeof errors.values[0]);
  else if (!weft_expression_evaluate (self->third, batch, &errors, error))
    return FALSE;

  for (guint i = 0; i < batch->n; i++)
    {
      out->nulls[i] |= types.values[i] >= WEFT_NUMBER_STRING || errors.values[i] != 0;
      out->values[i] =
          out->nulls[i] ? 0 : number_as_double ((WeftNumberType) types.values[i], out->values[i]);
    }
  return TRUE;
}

static gboolean
evaluate_otherwise (const WeftExpression *self, const WeftBatch *batch, WeftVector *out,
                    GError **error)
{
  WeftVector second;

  if (!weft_expression_evaluate (self->first, batch, out, error))
    return FALSE;
  if (!out->has_nulls)
    return TRUE;
  if (!weft_expression_evaluate (self->second, batch, &second, error))
    return FALSE;
  for (guint i = 0; i < batch->n; i++)
    {
      if (!out->nulls[i])
        continue;
      out->values[i] = second.values[i];
      out->nulls[i] = second.has_nulls && second.nulls[i];
    }
  return TRUE;
}

gboolean
weft_expression_evaluate (const WeftExpression *self, const WeftBatch *batch, WeftVector *out,
                          GError **error)
{
  switch (self->kind)
    {
    case WEFT_EXPRESSION_COLUMN:
      evaluate_column (self, batch, out);
      return TRUE;
    case WEFT_EXPRESSION_ARRIVAL:
      evaluate_arrival (batch, out);
      return TRUE;
    case WEFT_EXPRESSION_SUM:
    case WEFT_EXPRESSION_DIFFERENCE:
      return evaluate_arithmetic (self, batch, out, error);
    case WEFT_EXPRESSION_CLIPPED:
      return evaluate_clipped (self, batch, out, error);
    case WEFT_EXPRESSION_BIT:
      return evaluate_bit (self, batch, out, error);
    case WEFT_EXPRESSION_NUMBER:
      return evaluate_number (self, batch, out, error);
    case WEFT_EXPRESSION_OTHERWISE:
      return evaluate_otherwise (self, batch, out, error);
    default:
      break;
    }

  if (!weft_expression_evaluate (self->first, batch, out, error))
    return FALSE;
  if (self->kind == WEFT_EXPRESSION_LOOKUP)
    return weft_lookup_resolve (self->lookup, out, batch->n, error);
  weft_side_resolve (self->side, out, batch->n);
  return TRUE;
}

gboolean
weft_expression_is_null (const WeftExpression *self, const WeftBatch *batch)
{
  const WeftStoreColumn *column;
  guint64 any = 0;

  if (self->kind != WEFT_EXPRESSION_COLUMN)
    return FALSE;
  column = batch->columns[self->place];
  if (column->presence == NULL)
    return self->zero_is_null && column->width == 0 && column->base == 0;
  for (guint i = 0; i < (column->n_rows + 63) / 64; i++)
    any |= column->presence[i];
  return any == 0;
}
