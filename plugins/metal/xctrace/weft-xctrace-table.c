/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-xctrace-table.h"

#include <string.h>

static void
column_free (gpointer data)
{
  WeftXctraceColumn *self = data;

  g_free (self->mnemonic);
  g_free (self->type);
  g_free (self);
}

/* “…/run[1]/…”, or “…/run[@number="1"]/…” as users write it. */
static guint
find_run (const char *place)
{
  const char *run = place != NULL ? strstr (place, "/run[") : NULL;
  guint64 number = 0;

  if (run == NULL)
    return 0;
  run += strlen ("/run[");
  run += strcspn (run, "0123456789]");
  number = g_ascii_strtoull (run, NULL, 10);
  return number <= G_MAXUINT ? (guint) number : 0;
}

WeftXctraceTable *
weft_xctrace_table_new (const char *schema, const char *place, gulong line)
{
  WeftXctraceTable *self = g_new0 (WeftXctraceTable, 1);

  self->schema = g_strdup (schema);
  self->place = g_strdup (place);
  self->run = find_run (place);
  self->line = line;
  self->columns = g_ptr_array_new_with_free_func (column_free);
  return self;
}

void
weft_xctrace_table_free (WeftXctraceTable *self)
{
  g_free (self->schema);
  g_free (self->place);
  g_ptr_array_unref (self->columns);
  g_free (self);
}

gboolean
weft_xctrace_table_add_column (WeftXctraceTable *self, const char *mnemonic, const char *type)
{
  WeftXctraceColumn *column;

  if (self->columns->len == WEFT_XCTRACE_MAX_COLUMNS)
    return FALSE;
  column = g_new0 (WeftXctraceColumn, 1);
  column->mnemonic = g_strdup (mnemonic);
  column->type = g_strdup (type);
  g_ptr_array_add (self->columns, column);
  return TRUE;
}

static int
find_by_mnemonic (const WeftXctraceTable *self, const char *mnemonic)
{
  for (guint i = 0; i < self->columns->len && mnemonic != NULL; i++)
    {
      const WeftXctraceColumn *column = g_ptr_array_index (self->columns, i);

      if (g_strcmp0 (column->mnemonic, mnemonic) == 0)
        return (int) i;
    }
  return -1;
}

static int
find_by_type (const WeftXctraceTable *self, const char *type)
{
  int found = -1;

  for (guint i = 0; i < self->columns->len && type != NULL; i++)
    {
      const WeftXctraceColumn *column = g_ptr_array_index (self->columns, i);

      if (g_strcmp0 (column->type, type) != 0)
        continue;
      if (found >= 0)
        return -1;
      found = (int) i;
    }
  return found;
}

gboolean
weft_xctrace_table_match (WeftXctraceTable *self, const WeftXctraceColumnWish *wishes,
                          guint n_wishes, int *places, const char **missing)
{
  *missing = NULL;
  for (guint i = 0; i < n_wishes; i++)
    {
      places[i] = find_by_mnemonic (self, wishes[i].mnemonic);
      if (places[i] < 0)
        places[i] = find_by_type (self, wishes[i].type);
      if (places[i] >= 0)
        self->wanted[places[i]] = TRUE;
      else if (wishes[i].is_required && *missing == NULL)
        *missing = wishes[i].mnemonic != NULL ? wishes[i].mnemonic : wishes[i].type;
    }
  return *missing == NULL;
}

char *
weft_xctrace_table_list_unwanted (const WeftXctraceTable *self)
{
  g_autoptr (GString) names = g_string_new (NULL);

  for (guint i = 0; i < self->columns->len; i++)
    {
      const WeftXctraceColumn *column = g_ptr_array_index (self->columns, i);
      const char *name = column->mnemonic ? column->mnemonic : column->type;

      if (!self->wanted[i] && name != NULL)
        g_string_append_printf (names, "%s%s", names->len > 0 ? ", " : "", name);
    }
  return names->len > 0 ? g_string_free (g_steal_pointer (&names), FALSE) : NULL;
}
