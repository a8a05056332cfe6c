/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-cpu-filter.h"

#include "weft-frame-names.h"

typedef struct _Term Term;

/* A node of the filter, with what could be decided before any row was seen. */
struct _Term
{
  WeftFilterNodeKind kind;
  GPtrArray *children;
  const WeftFilterNode *node;
  GHashTable *threads; /* ids of those that fit, or NULL */
  guint8 *stacks;      /* a byte of each node: whether it fits, or NULL */
};

struct _WeftCpuFilter
{
  const WeftAnalysisScope *scope;
  const WeftCallchainReader *callchains;
  WeftCatalog *catalog;
  WeftFrameNames *names; /* made when a function is asked for */
  Term *root;
};

static void
term_free (gpointer data)
{
  Term *term = data;

  g_clear_pointer (&term->children, g_ptr_array_unref);
  g_clear_pointer (&term->threads, g_hash_table_unref);
  g_free (term->stacks);
  g_free (term);
}

/* ---- Names ---- */

static gboolean
fits_text (const WeftFilterMatch *match, const char *text, gboolean *fits, GError **error)
{
  g_autoptr (GError) failure = NULL;

  *fits = FALSE;
  if (text == NULL || match->kind == WEFT_FILTER_MATCH_HANDLE ||
      match->kind == WEFT_FILTER_MATCH_RANGE)
    return TRUE;
  *fits = weft_filter_match_text (match, text, &failure);
  if (failure == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* A thing with a name, a number and a handle. */
typedef struct
{
  int table;
  guint64 id;
  const char *texts[2];
  gboolean has_number;
  guint64 number;
} Thing;

static gboolean
fits_thing (const GPtrArray *values, const Thing *thing, gboolean *fits, GError **error)
{
  *fits = values == NULL || values->len == 0;
  for (guint i = 0; values != NULL && i < values->len && !*fits; i++)
    {
      const WeftFilterMatch *match = g_ptr_array_index (values, i);

      *fits = match->kind == WEFT_FILTER_MATCH_HANDLE && match->table == thing->table &&
              match->id == thing->id && thing->id != 0;
      if (thing->has_number && (match->kind == WEFT_FILTER_MATCH_RANGE || match->has_number))
        *fits = *fits || weft_filter_range_contains_uint64 (&match->range, thing->number);
      for (guint t = 0; t < G_N_ELEMENTS (thing->texts) && !*fits; t++)
        if (!fits_text (match, thing->texts[t], fits, error))
          return FALSE;
    }
  return TRUE;
}

/* ---- Threads ---- */

static Thing
describe_thread (const WeftCatalogThread *thread)
{
  return (Thing){ WEFT_TABLE_THREADS, thread->id, { thread->name }, TRUE, thread->tid };
}

static Thing
describe_process (const WeftCatalogProcess *process)
{
  return (Thing){ WEFT_TABLE_PROCESSES, process->id, { process->name }, TRUE, process->pid };
}

static gboolean
fits_thread (WeftCpuFilter *self, const WeftFilterNode *node, const WeftCatalogThread *thread,
             gboolean *fits, GError **error)
{
  const WeftCatalogProcess *process = weft_catalog_get_process (self->catalog, thread->process);
  Thing of_thread = describe_thread (thread);
  Thing of_process = process != NULL ? describe_process (process) : (Thing){ 0 };

  *fits = FALSE;
  if (node->field != WEFT_FILTER_FIELD_PROCESS &&
      !fits_thing (node->values, &of_thread, fits, error))
    return FALSE;
  return *fits || node->field == WEFT_FILTER_FIELD_THREAD || process == NULL ||
         fits_thing (node->values, &of_process, fits, error);
}

static gboolean
find_threads (WeftCpuFilter *self, Term *term, GError **error)
{
  term->threads = g_hash_table_new (NULL, NULL);
  for (guint i = 0; i < weft_catalog_get_n_threads (self->catalog); i++)
    {
      const WeftCatalogThread *thread = weft_catalog_get_nth_thread (self->catalog, i);
      gboolean fits;

      if (!fits_thread (self, term->node, thread, &fits, error))
        return FALSE;
      if (fits)
        g_hash_table_add (term->threads, GUINT_TO_POINTER (thread->id));
    }
  return TRUE;
}

/* ---- Stacks ---- */

static Thing
describe_name (WeftFilterField field, const WeftFrameName *name)
{
  switch (field)
    {
    case WEFT_FILTER_FIELD_MODULE:
      return (Thing){ .table = WEFT_TABLE_MODULES, .id = name->module_id, { name->module } };
    case WEFT_FILTER_FIELD_SOURCE:
      return (Thing){ .table = -1, .texts = { name->file } };
    default:
      return (Thing){ .table = WEFT_TABLE_SYMBOLS, .id = name->symbol, { name->name } };
    }
}

/* A byte for each name: whether it fits. */
static guint8 *
find_names (WeftCpuFilter *self, const WeftFilterNode *node, GError **error)
{
  guint32 n = weft_frame_names_get_n_names (self->names);
  g_autofree guint8 *found = g_new0 (guint8, (gsize) n + 1);

  for (guint32 i = WEFT_FRAME_NAME_NO_STACK + 1; i <= n; i++)
    {
      Thing thing = describe_name (node->field, weft_frame_names_get (self->names, i));
      gboolean fits;

      if (!fits_thing (node->values, &thing, &fits, error))
        return NULL;
      found[i] = fits;
    }
  return g_steal_pointer (&found);
}

static gboolean
need_names (WeftCpuFilter *self, GError **error)
{
  /* Whatever is left out of the answer: a filter sees all that is on the stack. */
  static const WeftFrameNamesOptions options = { .inlines = TRUE };

  if (self->names == NULL)
    self->names = weft_frame_names_new (self->scope, self->callchains, &options, error);
  return self->names != NULL;
}

static gboolean
find_stacks (WeftCpuFilter *self, Term *term, GError **error)
{
  guint32 n = weft_callchain_reader_get_n_nodes (self->callchains);
  g_autofree guint8 *names = NULL;

  if (!need_names (self, error))
    return FALSE;
  names = find_names (self, term->node, error);
  if (names == NULL)
    return FALSE;
  term->stacks = g_new0 (guint8, (gsize) n + 1);
  /* Callers come before those they call. */
  for (guint32 i = 1; i <= n; i++)
    {
      const WeftFramePlace *places;
      guint n_places = weft_frame_names_get_places (
          self->names, weft_callchain_reader_get_frame (self->callchains, i), &places);

      term->stacks[i] = term->stacks[weft_callchain_reader_get_parent (self->callchains, i)];
      while (n_places-- > 0)
        term->stacks[i] |= names[places[n_places].name];
    }
  return TRUE;
}

/* ---- Trees ---- */

static gboolean
is_of_rows (WeftFilterField field)
{
  return field == WEFT_FILTER_FIELD_REASON || field == WEFT_FILTER_FIELD_CPU ||
         field == WEFT_FILTER_FIELD_TIME || field == WEFT_FILTER_FIELD_START ||
         field == WEFT_FILTER_FIELD_END || field == WEFT_FILTER_FIELD_DURATION ||
         field == WEFT_FILTER_FIELD_ID;
}

static gboolean
is_of_threads (WeftFilterField field)
{
  return field == WEFT_FILTER_FIELD_THREAD || field == WEFT_FILTER_FIELD_PROCESS ||
         field == WEFT_FILTER_FIELD_ANY;
}

static gboolean
is_of_stacks (WeftFilterField field)
{
  return field == WEFT_FILTER_FIELD_FUNCTION || field == WEFT_FILTER_FIELD_NAME ||
         field == WEFT_FILTER_FIELD_MODULE || field == WEFT_FILTER_FIELD_SOURCE ||
         field == WEFT_FILTER_FIELD_ANY;
}

static gboolean
decide (WeftCpuFilter *self, Term *term, GError **error)
{
  WeftFilterField field = term->node->field;

  if (!is_of_rows (field) && !is_of_threads (field) && !is_of_stacks (field))
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_FILTER,
                   "Samples and waits have no “%s”; ask for function, module, source, thread, "
                   "process, reason, cpu, time or duration, or ask “weft target” about lanes",
                   weft_filter_field_info (field)->name);
      return FALSE;
    }
  return (!is_of_threads (field) || find_threads (self, term, error)) &&
         (!is_of_stacks (field) || find_stacks (self, term, error));
}

static Term *
compile (WeftCpuFilter *self, const WeftFilterNode *node, GError **error)
{
  Term *term = g_new0 (Term, 1);

  term->kind = node->kind;
  term->node = node;
  term->children = g_ptr_array_new_with_free_func (term_free);
  if (node->kind == WEFT_FILTER_NODE_TERM && !decide (self, term, error))
    {
      term_free (term);
      return NULL;
    }
  for (guint i = 0; node->children != NULL && i < node->children->len; i++)
    {
      Term *child = compile (self, g_ptr_array_index (node->children, i), error);

      if (child == NULL)
        {
          term_free (term);
          return NULL;
        }
      g_ptr_array_add (term->children, child);
    }
  return term;
}

gboolean
weft_cpu_filter_new (const WeftAnalysisScope *scope, const WeftCallchainReader *callchains,
                     WeftCatalog *catalog, WeftCpuFilter **filter, GError **error)
{
  g_autoptr (WeftCpuFilter) self = NULL;

  *filter = NULL;
  if (scope->filter == NULL)
    return TRUE;
  self = g_new0 (WeftCpuFilter, 1);
  self->scope = scope;
  self->callchains = callchains;
  self->catalog = catalog;
  self->root = compile (self, weft_filter_get_root (scope->filter), error);
  if (self->root == NULL)
    return FALSE;
  *filter = g_steal_pointer (&self);
  return TRUE;
}

static gboolean
term_is_of_threads (const Term *term)
{
  if (term->kind == WEFT_FILTER_NODE_TERM)
    return term->threads != NULL && term->stacks == NULL;
  for (guint i = 0; i < term->children->len; i++)
    if (!term_is_of_threads (g_ptr_array_index (term->children, i)))
      return FALSE;
  return TRUE;
}

gboolean
weft_cpu_filter_is_of_threads (const WeftCpuFilter *self)
{
  return term_is_of_threads (self->root);
}

void
weft_cpu_filter_free (WeftCpuFilter *self)
{
  g_clear_pointer (&self->root, term_free);
  g_clear_pointer (&self->names, weft_frame_names_free);
  g_free (self);
}

/* ---- Rows ---- */

static gboolean
contains (const GPtrArray *values, gint64 value)
{
  for (guint i = 0; values != NULL && i < values->len; i++)
    {
      const WeftFilterMatch *match = g_ptr_array_index (values, i);

      if (match->kind == WEFT_FILTER_MATCH_RANGE &&
          weft_filter_range_contains_int64 (&match->range, value))
        return TRUE;
    }
  return values == NULL || values->len == 0;
}

static gboolean
overlaps (const GPtrArray *values, const WeftCpuRow *row)
{
  for (guint i = 0; values != NULL && i < values->len; i++)
    {
      const WeftFilterMatch *match = g_ptr_array_index (values, i);
      gint64 low, high;

      if (weft_filter_range_get_bounds (&match->range, &low, &high) && row->start <= high &&
          (row->end > low || (row->start == row->end && row->start == low)))
        return TRUE;
    }
  return values == NULL || values->len == 0;
}

static gboolean
is_named (const GPtrArray *values, const WeftCpuRow *row)
{
  int table = row->is_wait ? WEFT_TABLE_WAITS : WEFT_TABLE_SAMPLES;

  for (guint i = 0; values != NULL && i < values->len; i++)
    {
      const WeftFilterMatch *match = g_ptr_array_index (values, i);

      if (match->kind == WEFT_FILTER_MATCH_HANDLE && match->table == table && match->id == row->id)
        return TRUE;
    }
  return FALSE;
}

static gboolean
row_fits (const WeftFilterNode *node, const WeftCpuRow *row)
{
  switch (node->field)
    {
    case WEFT_FILTER_FIELD_REASON:
      return row->is_wait && row->reason < 32 && (node->words >> row->reason & 1);
    case WEFT_FILTER_FIELD_CPU:
      return !row->is_wait && contains (node->values, row->cpu);
    case WEFT_FILTER_FIELD_START:
      return contains (node->values, row->start);
    case WEFT_FILTER_FIELD_END:
      return contains (node->values, row->end);
    case WEFT_FILTER_FIELD_DURATION:
      return row->is_wait && contains (node->values, row->end - row->start);
    case WEFT_FILTER_FIELD_ID:
      return is_named (node->values, row);
    default:
      return overlaps (node->values, row);
    }
}

static gboolean
fits (const Term *term, const WeftCpuRow *row)
{
  switch (term->kind)
    {
    case WEFT_FILTER_NODE_TERM:
      if (term->threads != NULL &&
          g_hash_table_contains (term->threads, GUINT_TO_POINTER (row->thread)))
        return TRUE;
      if (term->stacks != NULL)
        return term->stacks[row->node];
      return term->threads == NULL && row_fits (term->node, row);
    case WEFT_FILTER_NODE_NOT:
      return !fits (g_ptr_array_index (term->children, 0), row);
    case WEFT_FILTER_NODE_OR:
      for (guint i = 0; i < term->children->len; i++)
        if (fits (g_ptr_array_index (term->children, i), row))
          return TRUE;
      return FALSE;
    default:
      for (guint i = 0; i < term->children->len; i++)
        if (!fits (g_ptr_array_index (term->children, i), row))
          return FALSE;
      return TRUE;
    }
}

gboolean
weft_cpu_filter_allows (const WeftCpuFilter *self, const WeftCpuRow *row)
{
  return self == NULL || fits (self->root, row);
}
