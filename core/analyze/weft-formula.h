/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * The expression of a derived metric:
 *
 *   sum     = product { ("+" | "-") product }
 *   product = factor { ("*" | "/") factor }
 *   factor  = "-" factor | number | name | "(" sum ")"
 *   number  = digits [ "." digits ] [ "e" [ "+" | "-" ] digits ], or "." digits …
 *   name    = letter or "_", then letters, digits, "_" and "."; or anything between double quotes
 *
 * in numbers of double precision. Blanks do not count.
 */
typedef struct _WeftFormula WeftFormula;

/* Longer ones, and deeper ones, are refused: recordings are files of others. */
#define WEFT_FORMULA_MAX_LENGTH 4096 /* bytes */
#define WEFT_FORMULA_MAX_DEPTH 64

/* Fails with WEFT_ERROR_INVALID_QUERY that tells where, counted in characters from 1. */
WeftFormula *weft_formula_new (const char *text, GError **error);
void weft_formula_free (WeftFormula *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftFormula, weft_formula_free)

/* Calls FUNCTION for each name that stands in the expression. */
void weft_formula_foreach_name (const WeftFormula *self,
                                void (*function) (const char *name, gpointer data), gpointer data);

/* FALSE if nothing of this name has a value. */
typedef gboolean (*WeftFormulaLookup) (const char *name, double *value, gpointer data);

typedef enum
{
  WEFT_FORMULA_VALUE,
  WEFT_FORMULA_MISSING,   /* a name has no value */
  WEFT_FORMULA_UNDEFINED, /* the result is no number: a division by nought, or an overflow */
} WeftFormulaResult;

WeftFormulaResult weft_formula_evaluate (const WeftFormula *self, WeftFormulaLookup lookup,
                                         gpointer data, double *value);

G_END_DECLS
