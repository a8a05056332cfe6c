/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-xctrace-samples.h"

#include <string.h>

#define RUNNING "Running"
#define CUT "<Call stack limit reached>" /* instead of the frames that are missing */
#define MAX_FRAMES 1024                  /* of a stack */

/* A file of code, and what is known of where it lay. */
typedef struct
{
  guint64 id;
  guint64 address; /* where it was loaded; 0 if that is not told */
  guint64 n_functions;
} Module;

struct _WeftXctraceSamples
{
  GHashTable *modules;    /* identity, a text → Module */
  GPtrArray *by_id;       /* element-type Module; id - 1 */
  GHashTable *symbols;    /* module, name, file, a text → id */
  GHashTable *frames;     /* module, address, function, line, a text → id */
  GHashTable *callchains; /* parent and frame, 16 bytes → id */
  GHashTable *referred; /* frame that references lead to → id: these stay while a table is read */
  guint64 n_rejected;
  guint64 n_not_running;
};

enum
{
  TIME,
  THREAD,
  PROCESS,
  CORE,
  STATE,
  WEIGHT,
  STACK,
  TAGGED_STACK,
};

static const WeftXctraceColumnWish wishes[] = {
  [TIME] = { "time", "sample-time", TRUE },
  [THREAD] = { "thread", "thread", TRUE },
  [PROCESS] = { "process", "process", FALSE },
  [CORE] = { "core", "core", FALSE },
  [STATE] = { "thread-state", "thread-state", FALSE },
  [WEIGHT] = { "weight", "weight", FALSE },
  [STACK] = { "stack", "backtrace", FALSE },
  [TAGGED_STACK] = { NULL, "tagged-backtrace", FALSE },
};

static guint64
find (GHashTable *table, const char *key)
{
  return GPOINTER_TO_SIZE (g_hash_table_lookup (table, key));
}

/* ---- Modules ---- */

static gboolean
make_module (WeftXctraceImport *import, const WeftXctraceElement *binary, const char *name,
             const char *path, guint64 *id, GError **error)
{
  WeftXctraceFields row = { 0 };
  const char *uuid = weft_xctrace_element_get_attribute (binary, "UUID");

  weft_xctrace_row_set_number (&row, "kind", WEFT_MODULE_KIND_FILE);
  weft_xctrace_row_set_text (&row, "name", name);
  weft_xctrace_row_set_text (&row, "path", path);
  weft_xctrace_row_set_text (&row, "build_id", uuid);
  return weft_xctrace_row_add (&row, import->builder, "modules", id, error);
}

/* MODULE is NULL where the frame is in no known file. */
static gboolean
find_module (WeftXctraceImport *import, const WeftXctraceElement *binary, Module **module,
             GError **error)
{
  WeftXctraceSamples *self = import->samples;
  const char *name = weft_xctrace_element_get_attribute (binary, "name");
  const char *path = weft_xctrace_element_get_attribute (binary, "path");
  const char *uuid = weft_xctrace_element_get_attribute (binary, "UUID");
  const char *address = weft_xctrace_element_get_attribute (binary, "load-addr");
  g_autofree char *key = NULL;

  *module = NULL;
  if (name == NULL && path == NULL)
    return TRUE;
  key = g_strdup_printf ("%s\n%s\n%s\n%s", name ? name : "", path ? path : "", uuid ? uuid : "",
                         address ? address : "");
  *module = g_hash_table_lookup (self->modules, key);
  if (*module != NULL)
    return TRUE;
  *module = g_new0 (Module, 1);
  g_ptr_array_add (self->by_id, *module);
  g_hash_table_insert (self->modules, g_steal_pointer (&key), *module);
  if (!weft_xctrace_parse_number (address, &(*module)->address))
    (*module)->address = 0;
  return make_module (import, binary, name ? name : path, path, &(*module)->id, error);
}

/* What Instruments could tell of each. */
static gboolean
write_module_states (WeftXctraceImport *import, GError **error)
{
  const GPtrArray *modules = import->samples->by_id;

  for (guint i = 0; i < modules->len; i++)
    {
      const Module *module = g_ptr_array_index (modules, i);
      WeftXctraceFields row = { 0 };

      weft_xctrace_row_set_number (&row, "module", module->id);
      weft_xctrace_row_set_time (&row, "time", 0);
      weft_xctrace_row_set_number (&row, "symbols",
                                   module->n_functions > 0 ? WEFT_SYMBOL_STATE_SYMBOLS
                                                           : WEFT_SYMBOL_STATE_NONE);
      weft_xctrace_row_set_number (&row, "n_symbols", module->n_functions);
      if (module->n_functions == 0)
        weft_xctrace_row_set_text (&row, "reason",
                                   "Instruments had none: run “xctrace symbolicate” with its dSYM "
                                   "before the export");
      if (!weft_xctrace_row_add (&row, import->builder, "module_states", NULL, error))
        return FALSE;
    }
  return TRUE;
}

/* ---- Functions ---- */

typedef struct
{
  Module *module;   /* or NULL */
  const char *name; /* of the function, or NULL */
  const char *file; /* or NULL */
  guint64 line;     /* or 0 */
  guint64 address;
} Place;

/* A number stands where there is no name. */
static const char *
get_function (const WeftXctraceElement *frame)
{
  const char *name = weft_xctrace_element_get_attribute (frame, "name");
  guint64 number;

  return name == NULL || name[0] == '\0' ||
                 (g_str_has_prefix (name, "0x") && weft_xctrace_parse_number (name, &number))
             ? NULL
             : name;
}

/* <source line="…"><path>…</path></source> */
static void
read_source (const WeftXctraceElement *frame, Place *place)
{
  const WeftXctraceElement *source = weft_xctrace_element_find (frame, "source");
  const WeftXctraceElement *path = weft_xctrace_element_find (source, "path");

  place->file = weft_xctrace_element_get_shown (path);
  if (!weft_xctrace_parse_number (weft_xctrace_element_get_attribute (source, "line"),
                                  &place->line))
    place->line = 0;
}

static gboolean
find_symbol (WeftXctraceImport *import, const Place *place, guint64 *id, GError **error)
{
  WeftXctraceSamples *self = import->samples;
  WeftXctraceFields row;
  g_autofree char *key = NULL;

  *id = 0;
  if (place->name == NULL)
    return TRUE;
  key = g_strdup_printf ("%" G_GUINT64_FORMAT "\n%s\n%s", place->module ? place->module->id : 0,
                         place->name, place->file ? place->file : "");
  *id = find (self->symbols, key);
  if (*id != 0)
    return TRUE;
  row = (WeftXctraceFields){ 0 };
  if (place->module != NULL)
    weft_xctrace_row_set_number (&row, "module", place->module->id);
  weft_xctrace_row_set_text (&row, "name", place->name);
  weft_xctrace_row_set_text (&row, "file", place->file);
  if (!weft_xctrace_row_add (&row, import->builder, "symbols", id, error))
    return FALSE;
  g_hash_table_insert (self->symbols, g_steal_pointer (&key), GSIZE_TO_POINTER (*id));
  if (place->module != NULL)
    place->module->n_functions++;
  return TRUE;
}

/* ---- Frames ---- */

static gboolean
make_frame (WeftXctraceImport *import, const Place *place, guint64 symbol, guint64 *id,
            GError **error)
{
  WeftXctraceFields row = { 0 };
  guint64 base = place->module != NULL ? place->module->address : 0;

  if (place->module != NULL)
    weft_xctrace_row_set_number (&row, "module", place->module->id);
  weft_xctrace_row_set_number (&row, "offset",
                               place->address >= base ? place->address - base : place->address);
  if (!weft_xctrace_row_add (&row, import->builder, "frames", id, error))
    return FALSE;
  if (symbol == 0)
    return TRUE;
  row = (WeftXctraceFields){ 0 };
  weft_xctrace_row_set_number (&row, "frame", *id);
  weft_xctrace_row_set_number (&row, "symbol", symbol);
  weft_xctrace_row_set_text (&row, "file", place->file);
  weft_xctrace_row_set_number (&row, "line", place->line);
  return weft_xctrace_row_add (&row, import->builder, "frame_symbols", NULL, error);
}

static gboolean
read_frame (WeftXctraceImport *import, const WeftXctraceElement *frame, guint64 *id, GError **error)
{
  WeftXctraceSamples *self = import->samples;
  Place place = { .name = get_function (frame) };
  g_autofree char *key = NULL;
  guint64 symbol;

  read_source (frame, &place);
  if (!weft_xctrace_parse_number (weft_xctrace_element_get_attribute (frame, "addr"),
                                  &place.address))
    place.address = 0;
  if (!find_module (import, weft_xctrace_element_find (frame, "binary"), &place.module, error) ||
      !find_symbol (import, &place, &symbol, error))
    return FALSE;
  key = g_strdup_printf ("%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT
                         " %" G_GUINT64_FORMAT,
                         place.module ? place.module->id : 0, place.address, symbol, place.line);
  *id = find (self->frames, key);
  if (*id != 0)
    return TRUE;
  if (!make_frame (import, &place, symbol, id, error))
    return FALSE;
  g_hash_table_insert (self->frames, g_steal_pointer (&key), GSIZE_TO_POINTER (*id));
  return TRUE;
}

static gboolean
find_frame (WeftXctraceImport *import, const WeftXctraceElement *frame, guint64 *id, GError **error)
{
  GHashTable *referred = import->samples->referred;

  *id = GPOINTER_TO_SIZE (g_hash_table_lookup (referred, frame->target));
  if (*id != 0)
    return TRUE;
  if (!read_frame (import, frame, id, error))
    return FALSE;
  if (frame->target != NULL)
    g_hash_table_insert (referred, (gpointer) frame->target, GSIZE_TO_POINTER (*id));
  return TRUE;
}

/* ---- Stacks ---- */

typedef struct
{
  guint64 parent;
  guint64 frame;
} Link;

static guint
hash_link (gconstpointer key)
{
  const Link *link = key;
  guint64 mixed = link->parent * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15) + link->frame;

  mixed *= G_GUINT64_CONSTANT (0xc2b2ae3d27d4eb4f);
  return (guint) (mixed ^ mixed >> 32);
}

static gboolean
equal_links (gconstpointer a, gconstpointer b)
{
  return memcmp (a, b, sizeof (Link)) == 0;
}

static gboolean
find_callchain (WeftXctraceImport *import, const Link *link, guint depth, guint64 *id,
                GError **error)
{
  GHashTable *callchains = import->samples->callchains;
  WeftXctraceFields row;

  *id = GPOINTER_TO_SIZE (g_hash_table_lookup (callchains, link));
  if (*id != 0)
    return TRUE;
  row = (WeftXctraceFields){ 0 };
  if (link->parent != 0)
    weft_xctrace_row_set_number (&row, "parent", link->parent);
  weft_xctrace_row_set_number (&row, "frame", link->frame);
  weft_xctrace_row_set_number (&row, "depth", depth);
  if (!weft_xctrace_row_add (&row, import->builder, "callchains", id, error))
    return FALSE;
  g_hash_table_insert (callchains, g_memdup2 (link, sizeof *link), GSIZE_TO_POINTER (*id));
  return TRUE;
}

/* <tagged-backtrace> has a <backtrace>, or the frames themselves. */
static const WeftXctraceElement *
get_backtrace (const WeftXctraceElement *const *cells)
{
  const WeftXctraceElement *stack =
      weft_xctrace_element_get (cells[STACK] != NULL ? cells[STACK] : cells[TAGGED_STACK]);
  const WeftXctraceElement *inner = weft_xctrace_element_find (stack, "backtrace");

  return inner != NULL ? inner : stack;
}

static gboolean
is_frame (const WeftXctraceElement *child)
{
  return strcmp (child->name, "frame") == 0 && weft_xctrace_element_get (child) != NULL;
}

/* Frames come innermost first; END says how Instruments' own unwinding went. */
static gboolean
read_stack (WeftXctraceImport *import, const WeftXctraceElement *stack, guint64 *callchain,
            WeftStackEnd *end, GError **error)
{
  const WeftXctraceElement *frames[MAX_FRAMES];
  guint n_frames = 0;

  *callchain = 0;
  *end = stack != NULL ? WEFT_STACK_END_COMPLETE : WEFT_STACK_END_NOT_UNWOUND;
  for (const WeftXctraceElement *child = stack ? stack->first : NULL; child; child = child->next)
    if (n_frames == MAX_FRAMES ||
        g_strcmp0 (weft_xctrace_element_get_attribute (child, "name"), CUT) == 0)
      *end = WEFT_STACK_END_DEPTH;
    else if (is_frame (child))
      frames[n_frames++] = child;
  if (n_frames == 0 && *end == WEFT_STACK_END_COMPLETE)
    *end = WEFT_STACK_END_NOT_UNWOUND;
  for (guint depth = 1; depth <= n_frames; depth++)
    {
      Link link = { .parent = *callchain };

      if (!find_frame (import, frames[n_frames - depth], &link.frame, error) ||
          !find_callchain (import, &link, depth, callchain, error))
        return FALSE;
    }
  return TRUE;
}

/* ---- Rows ---- */

static gboolean
add_sample (WeftXctraceImport *import, const WeftXctraceElement *const *cells, gint64 time,
            guint64 thread, GError **error)
{
  WeftXctraceFields row;
  WeftStackEnd end;
  guint64 callchain, core;
  gint64 weight;

  if (!read_stack (import, get_backtrace (cells), &callchain, &end, error))
    return FALSE;
  row = (WeftXctraceFields){ 0 };
  weft_xctrace_row_set_number (&row, "thread", thread);
  weft_xctrace_row_set_time (&row, "time", time);
  if (callchain != 0)
    weft_xctrace_row_set_number (&row, "callchain", callchain);
  if (weft_xctrace_read_time (cells[WEIGHT], &weight))
    weft_xctrace_row_set_number (&row, "weight", (guint64) weight);
  if (weft_xctrace_element_get_number (cells[CORE], &core))
    weft_xctrace_row_set_number (&row, "cpu", core);
  weft_xctrace_row_set_number (&row, "end", end);
  import->end = MAX (import->end, time);
  return weft_xctrace_row_add (&row, import->builder, "samples", NULL, error);
}

/* Only a thread that ran spent CPU time: those that waited may be in the table, too. */
static gboolean
read_row (WeftXctraceImport *import, const WeftXctraceElement *const *cells, GError **error)
{
  const char *state = weft_xctrace_element_get_shown (cells[STATE]);
  guint64 thread;
  gint64 time;

  if (!weft_xctrace_entities_add_thread (import->entities, cells[THREAD], cells[PROCESS], &thread,
                                         error))
    return FALSE;
  if (state != NULL && !g_str_equal (state, RUNNING))
    import->samples->n_not_running++;
  else if (thread == 0 || !weft_xctrace_read_time (cells[TIME], &time))
    import->samples->n_rejected++;
  else
    return add_sample (import, cells, time, thread, error);
  return TRUE;
}

const WeftXctraceKind weft_xctrace_samples_kind = { "time-profile", WEFT_XCTRACE_PHASE_SAMPLES,
                                                    wishes, G_N_ELEMENTS (wishes), read_row };

/* ---- The end ---- */

gboolean
weft_xctrace_samples_finish (WeftXctraceImport *import, GPtrArray *losses, GError **error)
{
  WeftXctraceSamples *self = import->samples;

  if (self->n_rejected > 0)
    g_ptr_array_add (losses,
                     g_strdup_printf ("%" G_GUINT64_FORMAT " samples without a time or a thread",
                                      self->n_rejected));
  if (self->n_not_running > 0)
    g_ptr_array_add (losses,
                     g_strdup_printf ("%" G_GUINT64_FORMAT " samples of threads that did not run",
                                      self->n_not_running));
  g_hash_table_remove_all (self->referred);
  return write_module_states (import, error);
}

WeftXctraceSamples *
weft_xctrace_samples_new (void)
{
  WeftXctraceSamples *self = g_new0 (WeftXctraceSamples, 1);

  self->modules = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->by_id = g_ptr_array_new_with_free_func (g_free);
  self->symbols = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->frames = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->callchains = g_hash_table_new_full (hash_link, equal_links, g_free, NULL);
  self->referred = g_hash_table_new (NULL, NULL);
  return self;
}

void
weft_xctrace_samples_free (WeftXctraceSamples *self)
{
  g_hash_table_unref (self->modules);
  g_ptr_array_unref (self->by_id);
  g_hash_table_unref (self->symbols);
  g_hash_table_unref (self->frames);
  g_hash_table_unref (self->callchains);
  g_hash_table_unref (self->referred);
  g_free (self);
}
