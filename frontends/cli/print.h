/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <weft.h>

G_BEGIN_DECLS

/* Reports for people. */

typedef struct
{
  char **columns;    /* names of those to show, or NULL: those that the answer is known by */
  gboolean wide;     /* nothing is left out or cut to fit the terminal */
  guint n_buckets;   /* that a timeline was asked for */
  const char *order; /* word that comes first in the answer, or NULL */
} PrintOptions;

/* A value as people read it: 1.23 ms, 4.5 MiB, 1,234; nothing for null. */
char *print_value (WeftTable *table, guint column, guint row);

/* A value of the column called NAME; an empty text if there is none. */
char *print_named (WeftTable *table, const char *name, guint row);

void print_table (WeftTable *table, const PrintOptions *options);

/* The first of the columns asked for that no table of REPORT has, or NULL. */
const char *print_find_unknown_column (WeftReport *report, const PrintOptions *options);

void print_report (WeftReport *report, const PrintOptions *options);

G_END_DECLS
