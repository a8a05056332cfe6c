/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-model.h"

#include <string.h>

/* Made from model.toml. */
extern const WeftTableModel weft_model_tables[WEFT_N_TABLES];

const WeftTableModel *
weft_model_get_table (WeftTableId table)
{
  g_return_val_if_fail (table < WEFT_N_TABLES, NULL);

  return &weft_model_tables[table];
}

WeftTableId
weft_model_find_table (const char *name)
{
  for (guint i = 0; i < WEFT_N_TABLES; i++)
    if (strcmp (weft_model_tables[i].name, name) == 0)
      return (WeftTableId) i;
  return WEFT_N_TABLES;
}

WeftTableId
weft_model_find_prefix (const char *prefix)
{
  for (guint i = 0; i < WEFT_N_TABLES; i++)
    if (g_strcmp0 (weft_model_tables[i].prefix, prefix) == 0)
      return (WeftTableId) i;
  return WEFT_N_TABLES;
}

const WeftField *
weft_model_find_field (WeftTableId table, const char *name)
{
  const WeftTableModel *model = weft_model_get_table (table);

  for (guint i = 0; i < model->n_fields; i++)
    if (strcmp (model->fields[i].name, name) == 0)
      return &model->fields[i];
  return NULL;
}

const WeftField *
weft_model_find_column (WeftTableId table, WeftColumnNumber column)
{
  const WeftTableModel *model = weft_model_get_table (table);

  for (guint i = 0; i < model->n_fields; i++)
    if (model->fields[i].computed == WEFT_COMPUTED_NOT && model->fields[i].column == column)
      return &model->fields[i];
  return NULL;
}
