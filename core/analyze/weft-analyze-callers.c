/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who called a function, and what it called. */

#include "weft-analysis-scope.h"
#include "weft-analyze.h"
#include "weft-answer.h"
#include "weft-call-edges.h"
#include "weft-cpu-hints.h"
#include "weft-cpu-stacks.h"
#include "weft-name-patterns.h"
#include "weft-wait-columns.h"

#include <string.h>

#define DEFAULT_LIMIT 25
/* Stacks that are told in full, and how many functions of each. */
#define MAX_STACKS 5
#define MAX_FUNCTIONS 24
/* Functions that are suggested where none is called so. */
#define MAX_SUGGESTIONS 5

typedef struct
{
  const WeftAnalysisScope *scope;
  WeftCpuStacks stacks;
  WeftCpuHints facts;
  WeftStackPlan plan;
  WeftCallEdges edges;
  guint8 *chosen; /* by name */
  guint n_chosen;
  GString *suggestions;
} Callers;

static void
callers_clear (Callers *self)
{
  weft_cpu_stacks_clear (&self->stacks);
  weft_call_edges_clear (&self->edges);
  g_free (self->chosen);
  if (self->suggestions != NULL)
    g_string_free (self->suggestions, TRUE);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Callers, callers_clear)

/* ---- Which functions ---- */

/* "ns::Class::call(int)" is asked for as "call" or "Class::call", too. */
static gboolean
is_called (const char *name, const char *asked)
{
  const char *arguments = strchr (name + 1, '(');
  g_autofree char *plain =
      arguments == NULL ? g_strdup (name) : g_strndup (name, (gsize) (arguments - name));
  g_autofree char *end = g_strconcat ("::", asked, NULL);

  return strcmp (plain, asked) == 0 || g_str_has_suffix (plain, end);
}

static void
choose (Callers *self, guint32 name)
{
  self->chosen[name] = TRUE;
  self->n_chosen++;
}

static void
suggest (Callers *self, const char *name)
{
  if (strstr (name, self->scope->handle) == NULL ||
      g_strrstr_len (self->suggestions->str, -1, name) != NULL)
    return;
  g_string_append_printf (self->suggestions, "%s“%s”", self->suggestions->len > 0 ? ", " : "",
                          name);
}

static gboolean
choose_by_pattern (Callers *self, GError **error)
{
  const char *texts[] = { self->scope->handle, NULL };
  g_autoptr (WeftNamePatterns) patterns = weft_name_patterns_new (texts, error);
  guint32 n = weft_frame_names_get_n_names (self->stacks.names);

  if (patterns == NULL)
    return FALSE;
  for (guint32 i = 1; i <= n; i++)
    {
      gboolean matches;

      if (!weft_name_patterns_match (patterns, weft_frame_names_get (self->stacks.names, i)->name,
                                     &matches, error))
        return FALSE;
      if (matches)
        choose (self, i);
    }
  for (guint32 i = 1; i <= n && self->n_chosen == 0; i++)
    if (is_called (weft_frame_names_get (self->stacks.names, i)->name, self->scope->handle))
      choose (self, i);
  for (guint32 i = 1, told = 0; i <= n && self->n_chosen == 0 && told < MAX_SUGGESTIONS; i++)
    {
      gsize length = self->suggestions->len;

      suggest (self, weft_frame_names_get (self->stacks.names, i)->name);
      told += self->suggestions->len > length;
    }
  return TRUE;
}

/* Equal functions of a module may have several rows, of which names tell one. */
static gboolean
choose_by_handle (Callers *self, guint64 symbol, GError **error)
{
  g_autoptr (WeftRowCursor) symbols = weft_row_cursor_new (self->scope, WEFT_TABLE_SYMBOLS);
  const char *text;
  guint64 module;

  if (!weft_row_cursor_seek (symbols, symbol))
    return weft_row_cursor_finish (symbols, error);
  text = weft_row_cursor_get_string (symbols, WEFT_SYMBOLS_NAME);
  module = weft_row_cursor_get (symbols, WEFT_SYMBOLS_MODULE);
  for (guint32 i = 1; i <= weft_frame_names_get_n_names (self->stacks.names); i++)
    {
      const WeftFrameName *name = weft_frame_names_get (self->stacks.names, i);

      if (name->symbol != 0 && name->module_id == module && g_strcmp0 (name->name, text) == 0)
        choose (self, i);
    }
  return TRUE;
}

static gboolean
choose_functions (Callers *self, GError **error)
{
  const char *asked = self->scope->handle;
  guint64 symbol;

  self->chosen = g_new0 (guint8, (gsize) weft_frame_names_get_n_names (self->stacks.names) + 1);
  self->suggestions = g_string_new (NULL);
  if (g_str_has_prefix (asked, "sym-") &&
      g_ascii_string_to_unsigned (asked + 4, 10, 1, G_MAXUINT64, &symbol, NULL))
    return choose_by_handle (self, symbol, error);
  return choose_by_pattern (self, error);
}

static gboolean
has_stacks (const Callers *self)
{
  return self->facts.n_samples > 0 || self->facts.n_waits > 0;
}

static void
set_no_function (Callers *self, GError **error)
{
  g_autofree char *why = NULL;

  if (self->suggestions->len > 0)
    why = g_strdup_printf ("there are %s", self->suggestions->str);
  else
    why = g_strdup ("“weft top” lists those that are; patterns such as ~part or std::* are "
                    "understood");
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_NO_SUCH_OBJECT,
               "No function called “%s” is on any stack: %s", self->scope->handle, why);
}

/* ---- Order ---- */

static guint64
sum_waits (const Callers *self, const WeftStackFigure *figures, gboolean count)
{
  guint64 sum = 0;

  for (guint c = 1; c < self->plan.n_columns; c++)
    sum += count ? figures[c].count : figures[c].time;
  return sum;
}

static guint64
get_key (const Callers *self, const WeftStackFigure *figures)
{
  WeftWaitReason reason;

  if (strcmp (self->scope->order_by, "off_cpu") == 0)
    return sum_waits (self, figures, FALSE);
  if (strcmp (self->scope->order_by, "samples") == 0)
    return figures[0].count;
  if (weft_wait_columns_find (self->scope->order_by, &reason))
    {
      gint8 column = self->plan.columns[WEFT_STACK_WAITS (reason)];

      return column < 0 ? 0 : figures[column].time;
    }
  return figures[0].time;
}

typedef struct
{
  guint32 name;
  const WeftStackFigure *figures;
} Edge;

static int
compare_figures (Callers *self, const WeftStackFigure *a, const WeftStackFigure *b)
{
  const guint64 keys_a[] = { get_key (self, a), a[0].time, sum_waits (self, a, FALSE) };
  const guint64 keys_b[] = { get_key (self, b), b[0].time, sum_waits (self, b, FALSE) };

  for (guint i = 0; i < G_N_ELEMENTS (keys_a); i++)
    if (keys_a[i] != keys_b[i])
      return keys_a[i] > keys_b[i] ? -1 : 1;
  return 0;
}

static int
compare_edges (gconstpointer a, gconstpointer b, gpointer data)
{
  const Edge *edge_a = a;
  const Edge *edge_b = b;
  int order = compare_figures (data, edge_a->figures, edge_b->figures);

  if (order != 0)
    return order;
  return edge_a->name < edge_b->name ? -1 : edge_a->name > edge_b->name;
}

/* element type Edge: those that have anything */
static GArray *
list_edges (const Callers *self, const WeftStackFigure *by_name)
{
  GArray *edges = g_array_new (FALSE, FALSE, sizeof (Edge));

  for (guint32 i = 0; i <= self->edges.n_names; i++)
    {
      const Edge edge = { i, by_name + (gsize) i * self->plan.n_columns };

      if (edge.figures[0].count + sum_waits (self, edge.figures, TRUE) > 0)
        g_array_append_val (edges, edge);
    }
  g_array_sort_with_data (edges, compare_edges, (gpointer) self);
  return edges;
}

/* ---- Rows ---- */

enum
{
  RELATION,
  SYMBOL,
  NAME,
  MODULE,
  MODULE_NAME,
  TOTAL,
  SHARE,
  SELF,
  SAMPLES,
  OFF_CPU,
  OFF_CPU_SHARE,
  WAITS,
  KERNEL,
  N_COLUMNS
};

static const WeftTableColumn columns[N_COLUMNS] = {
  [RELATION] = { "relation", NULL, WEFT_VALUE_STRING },
  [SYMBOL] = { "symbol", NULL, WEFT_VALUE_ID, NULL, "sym" },
  [NAME] = { "name", NULL, WEFT_VALUE_STRING },
  [MODULE] = { "module", NULL, WEFT_VALUE_ID, NULL, "mod" },
  [MODULE_NAME] = { "module_name", NULL, WEFT_VALUE_STRING },
  [TOTAL] = { "total", NULL, WEFT_VALUE_DURATION },
  [SHARE] = { "share", NULL, WEFT_VALUE_DOUBLE, "percent" },
  [SELF] = { "self", NULL, WEFT_VALUE_DURATION },
  [SAMPLES] = { "samples", NULL, WEFT_VALUE_UINT64 },
  [OFF_CPU] = { "off_cpu", NULL, WEFT_VALUE_DURATION },
  [OFF_CPU_SHARE] = { "off_cpu_share", NULL, WEFT_VALUE_DOUBLE, "percent" },
  [WAITS] = { "waits", NULL, WEFT_VALUE_UINT64 },
  [KERNEL] = { "kernel", NULL, WEFT_VALUE_BOOLEAN },
};

static void
set_name (Callers *self, WeftTableBuilder *builder, guint32 number)
{
  const WeftFrameName *name = weft_frame_names_get (self->stacks.names, number);

  if (number == 0)
    {
      weft_table_builder_set_string (builder, NAME, "[outermost]");
      return;
    }
  weft_table_builder_set_uint64 (builder, SYMBOL, name->symbol);
  weft_table_builder_set_string (builder, NAME, name->name);
  weft_table_builder_set_uint64 (builder, MODULE, name->module_id);
  weft_table_builder_set_string (builder, MODULE_NAME, name->module);
  weft_table_builder_set_uint64 (builder, KERNEL, name->is_kernel);
}

static void
add_row (Callers *self, WeftTableBuilder *builder, const char *relation, const Edge *edge,
         const WeftStackFigure *selves)
{
  const WeftStackFigure *whole = self->edges.total;
  guint64 off_cpu = sum_waits (self, edge->figures, FALSE);

  weft_table_builder_begin_row (builder);
  weft_table_builder_set_string (builder, RELATION, relation);
  set_name (self, builder, edge->name);
  weft_table_builder_set_uint64 (builder, TOTAL, edge->figures[0].time);
  weft_answer_set_share (builder, SHARE, edge->figures[0].time, whole[0].time);
  if (selves != NULL)
    weft_table_builder_set_uint64 (builder, SELF, selves[0].time);
  weft_table_builder_set_uint64 (builder, SAMPLES, edge->figures[0].count);
  if (self->plan.n_columns == 1)
    return;
  weft_table_builder_set_uint64 (builder, OFF_CPU, off_cpu);
  weft_answer_set_share (builder, OFF_CPU_SHARE, off_cpu, sum_waits (self, whole, FALSE));
  weft_table_builder_set_uint64 (builder, WAITS, sum_waits (self, edge->figures, TRUE));
  for (guint i = 0; i < WEFT_N_WAIT_REASONS; i++)
    {
      gint8 column = self->plan.columns[WEFT_STACK_WAITS (i)];

      if (column >= 0 && edge->figures[column].time > 0)
        weft_table_builder_set_uint64 (builder, N_COLUMNS + i, edge->figures[column].time);
    }
}

static void
add_edges (Callers *self, WeftTableBuilder *builder, const char *relation,
           const WeftStackFigure *by_name, const WeftStackFigure *selves)
{
  g_autoptr (GArray) edges = list_edges (self, by_name);
  guint n = self->scope->limit == 0 ? edges->len : MIN (edges->len, self->scope->limit);

  for (guint i = 0; i < n; i++)
    {
      const Edge *edge = &g_array_index (edges, Edge, i);

      add_row (self, builder, relation, edge,
               selves == NULL ? NULL : selves + (gsize) edge->name * self->plan.n_columns);
    }
}

/* Functions that are chosen together are one; what only one of them is called is told. */
static void
add_functions (Callers *self, WeftTableBuilder *builder)
{
  Edge edge = { 0, self->edges.total };

  for (guint32 i = 1; i <= self->edges.n_names && edge.name == 0; i++)
    if (self->chosen[i])
      edge.name = i;
  add_row (self, builder, "function", &edge, self->edges.self);
  if (self->n_chosen > 1)
    {
      g_autofree char *several =
          g_strdup_printf ("[%u functions: %s]", self->n_chosen, self->scope->handle);

      weft_table_builder_set_string (builder, NAME, several);
      weft_table_builder_set_uint64 (builder, SYMBOL, 0);
    }
}

static WeftTable *
make_table (Callers *self)
{
  WeftTableBuilder *builder = weft_table_builder_new ("callers");
  g_autofree char *hint = NULL;

  weft_table_builder_add_columns (builder, columns, N_COLUMNS);
  weft_wait_columns_add (builder);
  add_edges (self, builder, "caller", self->edges.callers, NULL);
  if (self->n_chosen > 0)
    add_functions (self, builder);
  add_edges (self, builder, "callee", self->edges.callees, self->edges.within);
  if (self->edges.total[0].count + sum_waits (self, self->edges.total, TRUE) == 0)
    hint = weft_cpu_hints_explain_nothing (&self->facts, self->scope);
  weft_table_builder_set_hint (builder, hint);
  return weft_table_builder_finish (builder);
}

/* ---- Whole stacks ---- */

/* A stack of functions, whatever the addresses in them. */
typedef struct
{
  Callers *self;
  GHashTable *stacks; /* GBytes of names, the innermost first → figures */
} Collector;

static void
take_stack (const guint32 *names, guint n, const WeftStackFigure *figures, gpointer data)
{
  Collector *collector = data;
  guint n_columns = collector->self->plan.n_columns;
  g_autoptr (GBytes) key = NULL;
  WeftStackFigure *sums;
  guint at = 0;

  while (at < n && !collector->self->chosen[names[at]])
    at++;
  if (at == n)
    return;
  key = g_bytes_new (names, n * sizeof *names);
  sums = g_hash_table_lookup (collector->stacks, key);
  if (sums == NULL)
    {
      sums = g_new0 (WeftStackFigure, n_columns);
      g_hash_table_insert (collector->stacks, g_bytes_ref (key), sums);
    }
  for (guint c = 0; c < n_columns; c++)
    {
      sums[c].count += figures[c].count;
      sums[c].time += figures[c].time;
    }
}

typedef struct
{
  GBytes *names;
  const WeftStackFigure *figures;
} Stack;

static int
compare_stacks (gconstpointer a, gconstpointer b, gpointer data)
{
  const Stack *stack_a = a;
  const Stack *stack_b = b;
  int order = compare_figures (data, stack_a->figures, stack_b->figures);

  return order != 0 ? order : g_bytes_compare (stack_a->names, stack_b->names);
}

/* Those of the most time, in the order asked for; element type Stack. */
static GArray *
list_stacks (Callers *self, GHashTable *stacks)
{
  GArray *list = g_array_new (FALSE, FALSE, sizeof (Stack));
  GHashTableIter iter;
  Stack stack;

  g_hash_table_iter_init (&iter, stacks);
  while (g_hash_table_iter_next (&iter, (gpointer *) &stack.names, (gpointer *) &stack.figures))
    g_array_append_val (list, stack);
  g_array_sort_with_data (list, compare_stacks, self);
  return list;
}

static char *
describe_stack (Callers *self, GBytes *bytes)
{
  gsize size;
  const guint32 *names = g_bytes_get_data (bytes, &size);
  guint n = (guint) (size / sizeof *names);
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < MIN (n, MAX_FUNCTIONS); i++)
    {
      g_autofree char *name =
          weft_frame_name_to_text (weft_frame_names_get (self->stacks.names, names[i]));

      g_string_append_printf (text, "%s%s", i > 0 ? " ← " : "", name);
    }
  if (n > MAX_FUNCTIONS)
    g_string_append (text, " ← …");
  return g_string_free (text, FALSE);
}

static WeftTable *
write_stacks (Callers *self, GArray *stacks)
{
  static const WeftTableColumn stack_columns[] = {
    { "stack", NULL, WEFT_VALUE_STRING },
    { "total", NULL, WEFT_VALUE_DURATION },
    { "share", NULL, WEFT_VALUE_DOUBLE, "percent" },
    { "samples", NULL, WEFT_VALUE_UINT64 },
    { "off_cpu", NULL, WEFT_VALUE_DURATION },
  };
  WeftTableBuilder *builder = weft_table_builder_new ("stacks");

  weft_table_builder_add_columns (builder, stack_columns, G_N_ELEMENTS (stack_columns));
  for (guint i = 0; i < MIN (stacks->len, MAX_STACKS); i++)
    {
      const Stack *stack = &g_array_index (stacks, Stack, i);
      g_autofree char *text = describe_stack (self, stack->names);

      weft_table_builder_begin_row (builder);
      weft_table_builder_set_string (builder, 0, text);
      weft_table_builder_set_uint64 (builder, 1, stack->figures[0].time);
      weft_answer_set_share (builder, 2, stack->figures[0].time, self->edges.total[0].time);
      weft_table_builder_set_uint64 (builder, 3, stack->figures[0].count);
      if (self->plan.n_columns > 1)
        weft_table_builder_set_uint64 (builder, 4, sum_waits (self, stack->figures, FALSE));
    }
  return weft_table_builder_finish (builder);
}

static void
bytes_unref (gpointer data)
{
  g_bytes_unref (data);
}

static WeftTable *
make_stacks (Callers *self, GError **error)
{
  g_autoptr (GHashTable) stacks =
      g_hash_table_new_full (g_bytes_hash, g_bytes_equal, bytes_unref, g_free);
  g_autoptr (GArray) list = NULL;
  Collector collector = { self, stacks };

  if (!weft_stack_walk (self->scope, self->stacks.callchains, self->stacks.names,
                        self->stacks.weights, &self->plan, take_stack, &collector, error))
    return NULL;
  list = list_stacks (self, stacks);
  return write_stacks (self, list);
}

static gboolean
find_edges (Callers *self, GError **error)
{
  weft_stack_plan_init (&self->plan, self->stacks.weights);
  return weft_call_edges_init (&self->edges, self->scope, self->stacks.callchains,
                               self->stacks.names, self->stacks.weights, &self->plan, self->chosen,
                               error);
}

static gboolean
run_callers (const WeftAnalysisScope *scope, WeftReport *report, GError **error)
{
  g_auto (Callers) self = { .scope = scope };
  g_autoptr (WeftTable) table = NULL;
  g_autoptr (WeftTable) stacks = NULL;
  gint64 begin, end;

  if (scope->handle == NULL)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY,
                   "Say which function: its name, a pattern such as ~part or std::*, or a handle "
                   "(sym-…)");
      return FALSE;
    }
  if (!weft_scope_find_range (scope, &begin, &end, error) ||
      !weft_cpu_hints_read (&self.facts, scope, error) ||
      !weft_cpu_stacks_init (&self.stacks, scope, WEFT_FRAME_GROUP_FUNCTION, WEFT_STACK_ROOT_NONE,
                             error) ||
      !choose_functions (&self, error))
    return FALSE;
  if (self.n_chosen == 0 && has_stacks (&self))
    {
      set_no_function (&self, error);
      return FALSE;
    }
  if (!find_edges (&self, error))
    return FALSE;
  table = make_table (&self);
  stacks = make_stacks (&self, error);
  if (stacks == NULL)
    return FALSE;
  weft_report_append (report, table);
  weft_report_append (report, stacks);
  return TRUE;
}

static const char *const order_words[] = {
  "total",      "samples",   "off_cpu",  "idle",      "lock",  "semaphore",
  "ipc",        "io_read",   "io_write", "readiness", "sleep", "connect",
  "page_fault", "preempted", "other",    "unknown",   NULL,
};

const WeftAnalysisKind weft_analyze_callers = {
  .name = "callers",
  .summary = "Who called a function, and what it called",
  .run = run_callers,
  .options = WEFT_ANALYSIS_OPTION_FILTER | WEFT_ANALYSIS_OPTION_RANGE | WEFT_ANALYSIS_OPTION_ORDER |
             WEFT_ANALYSIS_OPTION_LIMIT | WEFT_ANALYSIS_OPTION_HANDLE |
             WEFT_ANALYSIS_OPTION_EXCLUDED | WEFT_ANALYSIS_OPTION_INLINES |
             WEFT_ANALYSIS_OPTION_REASONS,
  .orders = order_words,
  .default_limit = DEFAULT_LIMIT,
};
