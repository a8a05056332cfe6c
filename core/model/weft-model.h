/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib-object.h>

#include "weft-enums.h"
#include "weft-schema.h"

G_BEGIN_DECLS

/*
 * The public tables of a recording and their fields, made from model.toml. Tables have the numbers
 * of the schema.
 */

/* How a field follows from others of its row. */
typedef enum
{
  WEFT_COMPUTED_NOT,        /* stored */
  WEFT_COMPUTED_SUM,        /* FIRST + SECOND */
  WEFT_COMPUTED_DIFFERENCE, /* FIRST - SECOND, never below 0 where it is a duration; null if either
                               is */
  WEFT_COMPUTED_BIT,        /* whether FIRST & MASK */
  WEFT_COMPUTED_NUMBER,     /* the bits of FIRST as the WeftNumberType that SECOND tells (or, where
                               THROUGH is set, that field SECOND of the row that THROUGH names); null
                               for text, and where the row's field is_error is set */
} WeftComputed;

typedef struct
{
  const char *name;
  const char *summary;
  const char *unit; /* or NULL */
  WeftValueType type;
  gboolean nullable;           /* "none" and nought differ; else, for STRING and ID, 0 is null */
  WeftColumnNumber column;     /* of a stored field */
  int reference;               /* WeftTableId whose row an ID names, or -1 */
  GType (*enumeration) (void); /* of an ENUM */
  WeftComputed computed;
  WeftColumnNumber first;
  WeftColumnNumber second;
  WeftColumnNumber through;
  guint64 mask;
} WeftField;

typedef struct
{
  const char *name;
  const char *summary;
  const char *prefix;     /* of handles, or NULL */
  GType (*object) (void); /* class of its rows, or NULL */
  guint n_fields;
  const WeftField *fields;
} WeftTableModel;

const WeftTableModel *weft_model_get_table (WeftTableId table);

/* WEFT_N_TABLES if there is none. */
WeftTableId weft_model_find_table (const char *name);
WeftTableId weft_model_find_prefix (const char *prefix);

/* NULL if there is none. */
const WeftField *weft_model_find_field (WeftTableId table, const char *name);
const WeftField *weft_model_find_column (WeftTableId table, WeftColumnNumber column);

G_END_DECLS
