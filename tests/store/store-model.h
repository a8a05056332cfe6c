/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A naive copy in memory of what a test writes, to compare what is read with. */
#pragma once

#include "weft-store-writer.h"
#include "weft-store.h"

typedef struct
{
  guint64 values[WEFT_MAX_COLUMNS];
  guint32 present; /* columns that were set */
} ModelRow;

typedef struct
{
  WeftStoreWriter *writer;
  char *path;
  GArray *tables[WEFT_N_TABLES]; /* ModelRow */
  GPtrArray *strings;
  WeftTableId table; /* of the row at hand */
  ModelRow row;
} Model;

/* Creates a file in DIRECTORY and its model. */
Model *model_new (const char *directory, const WeftStoreOptions *options);
void model_free (Model *self);

void model_begin (Model *self, WeftTableId table);
void model_set (Model *self, WeftColumnNumber column, guint64 value);
guint64 model_commit (Model *self);
guint32 model_string (Model *self, const char *text);
void model_dispatch (Model *self, guint64 lane, guint64 routine, gint64 start, guint64 duration);

/* Closes the writer and opens the file. */
WeftStore *model_close (Model *self);

/* Every row of STORE is that of the model; N_ROWS_KNOWN rows at least are there. */
void model_check (Model *self, WeftStore *store);
void model_check_prefix (Model *self, WeftStore *store);

const ModelRow *model_get (Model *self, WeftTableId table, guint64 id);
guint64 model_value (Model *self, WeftColumnNumber column, guint64 id);

/* Fills dispatches in a shape. */
typedef struct
{
  guint n_rows;
  guint n_lanes;
  guint n_routines;
  gboolean nested;
  gboolean parents;   /* as long as the run */
  gboolean late_rows; /* starts long past */
  gboolean extras;    /* ids, statuses, nullable columns */
} ModelShape;

void model_fill (Model *self, const ModelShape *shape, guint32 seed);

/* A directory that is removed, with what is in it, by model_directory_free (). */
char *model_directory_new (void);
void model_directory_free (char *directory);
