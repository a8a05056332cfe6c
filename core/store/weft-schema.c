/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-schema.h"

#include <pthread.h>

static const WeftColumnSpec columns[WEFT_N_COLUMN_NUMBERS] = {
#define WEFT_SCHEMA_TABLE(NAME, name)
#define WEFT_SCHEMA_COLUMN(TABLE, NAME, name, TYPE, FLAGS)                                         \
  [WEFT_##TABLE##_##NAME] = { #name, WEFT_STORE_TYPE_##TYPE, WEFT_COLUMN_##FLAGS },
  WEFT_SCHEMA (WEFT_SCHEMA_TABLE, WEFT_SCHEMA_COLUMN)
#undef WEFT_SCHEMA_TABLE
#undef WEFT_SCHEMA_COLUMN
};

/* The running number that follows each table's last column: the next table's base. */
static const struct
{
  const char *name;
  guint base;
} tables[WEFT_N_TABLES + 1] = {
#define WEFT_SCHEMA_TABLE(NAME, name) [WEFT_TABLE_##NAME] = { #name, WEFT_COLUMN_BASE_##NAME },
#define WEFT_SCHEMA_COLUMN(TABLE, NAME, name, TYPE, FLAGS)
  WEFT_SCHEMA (WEFT_SCHEMA_TABLE, WEFT_SCHEMA_COLUMN)
#undef WEFT_SCHEMA_TABLE
#undef WEFT_SCHEMA_COLUMN
      [WEFT_N_TABLES] = { NULL, WEFT_N_COLUMN_NUMBERS },
};

static WeftTableSpec specs[WEFT_N_TABLES];

static void
fill_specs (void)
{
  for (guint i = 0; i < WEFT_N_TABLES; i++)
    {
      specs[i].name = tables[i].name;
      specs[i].columns = &columns[tables[i].base + 1];
      specs[i].n_columns = tables[i + 1].base - tables[i].base - 1;
      g_assert (specs[i].n_columns <= WEFT_MAX_COLUMNS);
    }
}

const WeftTableSpec *
weft_schema_table (WeftTableId table)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;

  g_return_val_if_fail (table < WEFT_N_TABLES, NULL);

  pthread_once (&once, fill_specs);

  return &specs[table];
}
