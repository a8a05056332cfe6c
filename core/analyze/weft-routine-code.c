/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-routine-code.h"

#include "weft-key-map.h"
#include "weft-row-cursor.h"
#include "weft-row-table.h"

#include <string.h>

/* As WEFT_TARGET_TAG_CODE of the producer's header says. */
#define TAG_CODE "code.function"

struct _WeftRoutineCode
{
  GHashTable *names;    /* text of the store → number */
  GHashTable *routines; /* guint32: those that told */
  WeftKeyMap places;    /* process << 32 | name → place in LISTS */
  GPtrArray *lists;     /* GArray of guint32 */
};

static void
add_routine (WeftRoutineCode *self, guint32 process, guint32 name, guint32 routine)
{
  guint32 place =
      weft_key_map_add (&self->places, (guint64) process << 32 | name, self->lists->len);
  GArray *list;

  if (place == self->lists->len)
    g_ptr_array_add (self->lists, g_array_new (FALSE, FALSE, sizeof (guint32)));
  list = g_ptr_array_index (self->lists, place);
  for (guint i = 0; i < list->len; i++)
    if (g_array_index (list, guint32, i) == routine)
      return;
  g_array_append_val (list, routine);
}

static void
take_tag (WeftRoutineCode *self, WeftCatalog *catalog, guint64 id, const char *function)
{
  const WeftCatalogRoutine *routine =
      id <= G_MAXUINT32 ? weft_catalog_get_routine (catalog, (guint32) id) : NULL;
  const WeftCatalogRuntime *runtime =
      routine ? weft_catalog_get_runtime (catalog, routine->runtime) : NULL;
  guint32 number;

  if (runtime == NULL || function == NULL)
    return;
  number = GPOINTER_TO_UINT (g_hash_table_lookup (self->names, function));
  if (number == 0)
    {
      number = g_hash_table_size (self->names) + 1;
      g_hash_table_insert (self->names, (gpointer) function, GUINT_TO_POINTER (number));
    }
  g_hash_table_add (self->routines, GUINT_TO_POINTER (routine->id));
  add_routine (self, runtime->process, number, routine->id);
  if (runtime->process != 0)
    add_routine (self, 0, number, routine->id);
}

WeftRoutineCode *
weft_routine_code_new (const WeftAnalysisScope *scope, WeftCatalog *catalog, GError **error)
{
  WeftRoutineCode *self = g_new0 (WeftRoutineCode, 1);
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (scope, WEFT_TABLE_TAGS);

  self->names = g_hash_table_new (g_str_hash, g_str_equal);
  self->routines = g_hash_table_new (NULL, NULL);
  self->lists = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);
  weft_key_map_init (&self->places);
  weft_row_cursor_where (rows, WEFT_TAGS_OWNER_TABLE, WEFT_TABLE_ROUTINES);
  while (weft_row_cursor_next (rows))
    if (g_strcmp0 (weft_row_cursor_get_string (rows, WEFT_TAGS_KEY), TAG_CODE) == 0)
      take_tag (self, catalog, weft_row_cursor_get (rows, WEFT_TAGS_OWNER),
                weft_row_cursor_get_string (rows, WEFT_TAGS_TEXT));
  if (weft_row_cursor_finish (rows, error))
    return self;
  weft_routine_code_free (self);
  return NULL;
}

void
weft_routine_code_free (WeftRoutineCode *self)
{
  g_hash_table_unref (self->names);
  g_hash_table_unref (self->routines);
  g_ptr_array_unref (self->lists);
  weft_key_map_clear (&self->places);
  g_free (self);
}

guint
weft_routine_code_get_n_routines (const WeftRoutineCode *self)
{
  return g_hash_table_size (self->routines);
}

guint32
weft_routine_code_find_name (const WeftRoutineCode *self, const char *name, const char *linkage)
{
  guint32 number = 0;

  if (name != NULL)
    number = GPOINTER_TO_UINT (g_hash_table_lookup (self->names, name));
  if (number == 0 && linkage != NULL)
    number = GPOINTER_TO_UINT (g_hash_table_lookup (self->names, linkage));
  return number;
}

const GArray *
weft_routine_code_get_routines (const WeftRoutineCode *self, guint32 process, guint32 name)
{
  guint32 place;

  return weft_key_map_find (&self->places, (guint64) process << 32 | name, &place)
             ? g_ptr_array_index (self->lists, place)
             : NULL;
}

guint32 *
weft_routine_code_mark_nodes (const WeftRoutineCode *self, const WeftAnalysisScope *scope,
                              const WeftCallchainReader *callchains, const WeftFrameNames *names,
                              GError **error)
{
  static const WeftColumnNumber columns[] = { WEFT_SYMBOLS_LINKAGE_NAME };
  g_autoptr (WeftRowTable) symbols =
      weft_row_table_new (scope, WEFT_TABLE_SYMBOLS, columns, G_N_ELEMENTS (columns), error);
  guint32 n_names = weft_frame_names_get_n_names (names);
  guint32 n_nodes = weft_callchain_reader_get_n_nodes (callchains);
  g_autofree guint32 *told = g_new0 (guint32, (gsize) n_names + 1);
  guint32 *marks;

  if (symbols == NULL)
    return NULL;
  for (guint32 i = 1; i <= n_names; i++)
    {
      const WeftFrameName *name = weft_frame_names_get (names, i);

      if (name->symbol != 0)
        told[i] = weft_routine_code_find_name (
            self, name->name,
            weft_row_table_get_string (symbols, WEFT_SYMBOLS_LINKAGE_NAME, name->symbol));
    }
  marks = g_new0 (guint32, (gsize) n_nodes + 1);
  for (guint32 node = 1; node <= n_nodes; node++)
    {
      const WeftFramePlace *places;
      guint n = weft_frame_names_get_places (
          names, weft_callchain_reader_get_frame (callchains, node), &places);

      marks[node] = marks[weft_callchain_reader_get_parent (callchains, node)];
      for (guint i = 0; i < n; i++)
        if (told[places[i].name] != 0)
          marks[node] = told[places[i].name];
    }
  return marks;
}
