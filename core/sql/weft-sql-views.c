/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-sql-views.h"

#include <string.h>

/* Names of tables stand in braces; “{#NAME}” is the number of one. */
static const struct
{
  const char *name;
  const char *summary;
  const char *query;
} joins[] = {
  { "frame_functions", "Frames with the functions they are in, as `depth` counts inlined ones.",
    "SELECT f.id AS frame, fs.depth AS depth, s.name AS function, f.module_name AS module, "
    "fs.file AS file, fs.line AS line FROM {frames} f "
    "LEFT JOIN {frame_symbols} fs ON fs.frame = f.id LEFT JOIN {symbols} s ON s.id = fs.symbol" },
  { "sample_functions", "Samples with the innermost function of their stack.",
    "SELECT sm.id AS sample, sm.thread AS thread, sm.thread_name AS thread_name, sm.time AS time, "
    "sm.weight AS weight, s.name AS function, f.module_name AS module, fs.file AS file, "
    "fs.line AS line FROM {samples} sm JOIN {callchains} c ON c.id = sm.callchain "
    "JOIN {frames} f ON f.id = c.frame LEFT JOIN {frame_symbols} fs ON fs.frame = f.id "
    "AND fs.depth = (SELECT max(x.depth) FROM {frame_symbols} x WHERE x.frame = f.id) "
    "LEFT JOIN {symbols} s ON s.id = fs.symbol" },
  { "dispatch_tags", "Tags of dispatches.",
    "SELECT g.owner AS dispatch, g.key AS key, g.text AS text, g.number AS number FROM {tags} g "
    "WHERE g.owner_table = {#dispatches}" },
  { "dispatch_origins", "Origins of dispatches with the names of both.",
    "SELECT o.id AS origin, o.role AS role, o.dispatch AS dispatch, d.name AS name, "
    "d.lane_name AS lane, o.thread_name AS thread, o.time AS time, o.link_status AS link_status "
    "FROM {origins} o JOIN {dispatches} d ON d.id = o.dispatch" },
};

static void
add_column (GArray *columns, const char *name, guint column)
{
  WeftSqlViewColumn added = { g_intern_string (name), column };

  g_array_append_val (columns, added);
}

/* A name in the place of a reference, which moves behind it. */
static gboolean
add_named (GArray *columns, const WeftSqlColumns *table, guint number)
{
  const char *name = table->columns[number].name;
  g_autofree char *of_name = g_strconcat (name, "_name", NULL);
  g_autofree char *of_id = g_strconcat (name, "_id", NULL);
  int named = table->columns[number].is_hidden ? -1 : weft_sql_columns_find (table, of_name);

  if (named < 0 || table->columns[number].type != WEFT_VALUE_ID)
    return FALSE;
  add_column (columns, name, (guint) named);
  add_column (columns, of_id, number);
  return TRUE;
}

static void
add_view (GArray *views, WeftTableId table)
{
  const WeftSqlColumns *of_table = weft_sql_columns_get (table);
  const char *name = weft_model_get_table (table)->name;
  g_autoptr (GArray) columns = g_array_new (FALSE, FALSE, sizeof (WeftSqlViewColumn));
  g_autofree char *view_name = g_strconcat ("named_", name, NULL);
  gboolean is_named = FALSE;
  WeftSqlView view = { .table = table };

  if (table == WEFT_TABLE_DISPATCHES)
    add_column (columns, "name", (guint) weft_sql_columns_find (of_table, "name"));
  for (guint i = 0; i < of_table->n_columns; i++)
    if (add_named (columns, of_table, i))
      is_named = TRUE;
    else if (!of_table->columns[i].is_hidden)
      add_column (columns, of_table->columns[i].name, i);
  if (!is_named)
    return;
  view.name = g_intern_string (view_name);
  view.summary = g_strdup_printf ("`%s` with names in the place of ids.", name);
  view.columns = g_steal_pointer (&columns);
  g_array_append_val (views, view);
}

static GArray *
make_views (void)
{
  GArray *views = g_array_new (FALSE, FALSE, sizeof (WeftSqlView));

  for (guint i = 0; i < WEFT_N_TABLES; i++)
    add_view (views, (WeftTableId) i);
  for (guint i = 0; i < G_N_ELEMENTS (joins); i++)
    {
      WeftSqlView view = {
        .name = joins[i].name,
        .summary = g_strdup (joins[i].summary),
        .table = WEFT_N_TABLES,
        .join = joins[i].query,
      };

      g_array_append_val (views, view);
    }
  return views;
}

const WeftSqlView *
weft_sql_views_get (guint *n)
{
  static GArray *views;

  if (g_once_init_enter (&views))
    g_once_init_leave (&views, make_views ());
  *n = views->len;
  return (const WeftSqlView *) (gpointer) views->data;
}

const WeftSqlView *
weft_sql_views_find (const char *name)
{
  guint n;
  const WeftSqlView *views = weft_sql_views_get (&n);

  for (guint i = 0; i < n; i++)
    if (views[i].table != WEFT_N_TABLES && g_ascii_strcasecmp (views[i].name, name) == 0)
      return &views[i];
  return NULL;
}

/* A name as SQL quotes it. */
static void
append_quoted (GString *text, const char *first, const char *second)
{
  g_autofree char *name = g_strconcat (first, second, NULL);

  g_string_append_c (text, '"');
  for (const char *at = name; *at != '\0'; at++)
    {
      if (*at == '"')
        g_string_append_c (text, '"');
      g_string_append_c (text, *at);
    }
  g_string_append_c (text, '"');
}

static void
append_join (GString *text, const WeftSqlView *self, const char *prefix)
{
  for (const char *at = self->join; *at != '\0'; at++)
    {
      gsize length = strcspn (at, "}");
      g_autofree char *name = NULL;

      if (*at != '{')
        {
          g_string_append_c (text, *at);
          continue;
        }
      name = g_strndup (at + 1, length - 1);
      if (name[0] == '#')
        g_string_append_printf (text, "%d", weft_model_find_table (name + 1));
      else
        append_quoted (text, prefix, name);
      at += length;
    }
}

char *
weft_sql_view_create (const WeftSqlView *self, const char *prefix)
{
  GString *text = g_string_new ("CREATE TEMP VIEW ");

  append_quoted (text, prefix, self->name);
  g_string_append (text, " AS ");
  if (self->table == WEFT_N_TABLES)
    {
      append_join (text, self, prefix);
      return g_string_free (text, FALSE);
    }
  g_string_append (text, "SELECT ");
  for (guint i = 0; i < self->columns->len; i++)
    {
      const WeftSqlViewColumn *column = &g_array_index (self->columns, WeftSqlViewColumn, i);

      g_string_append (text, i > 0 ? ", " : "");
      append_quoted (text, weft_sql_columns_get (self->table)->columns[column->column].name, "");
      g_string_append (text, " AS ");
      append_quoted (text, column->name, "");
    }
  g_string_append (text, " FROM ");
  append_quoted (text, prefix, weft_model_get_table (self->table)->name);
  return g_string_free (text, FALSE);
}
