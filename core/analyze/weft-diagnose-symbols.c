/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Names of functions: how much of the time has one, and which modules lack symbols. */

#include "weft-cpu-stacks.h"
#include "weft-diagnosis.h"
#include "weft-row-scan.h"

#include <string.h>

/* From this share of the samples on, functions without names are worth a look. */
#define GOOD_NAMES 0.95
/* So many modules are told one by one. */
#define MAX_MODULES 5

/* What is known of a module's symbols, and what its samples lack. */
typedef struct
{
  guint64 id;
  const char *name;
  guint64 kind;
  guint64 state;
  const char *reason;
  guint64 count; /* samples whose innermost function is here */
  guint64 nameless;
} Module;

typedef struct
{
  WeftDiagnosis *diagnosis;
  WeftCallchainReader *callchains;
  WeftFrameNames *names;
  GArray *modules;   /* element type Module; the first is of frames in no module */
  GHashTable *by_id; /* id → place */
  guint64 count;
  guint64 nameless;
} Symbols;

static void
symbols_clear (Symbols *self)
{
  g_clear_pointer (&self->names, weft_frame_names_free);
  g_clear_pointer (&self->callchains, weft_callchain_reader_free);
  g_clear_pointer (&self->modules, g_array_unref);
  g_clear_pointer (&self->by_id, g_hash_table_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Symbols, symbols_clear)

static Module *
get_module (Symbols *self, guint64 id)
{
  guint place = GPOINTER_TO_UINT (g_hash_table_lookup (self->by_id, GSIZE_TO_POINTER (id)));

  return &g_array_index (self->modules, Module, place);
}

static void
take_module (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  Symbols *self = data;
  Module module = { .id = number,
                    .name =
                        weft_store_get_string (self->diagnosis->scope->store, (guint32) values[0]),
                    .kind = values[1] };

  g_hash_table_insert (self->by_id, GSIZE_TO_POINTER (number),
                       GUINT_TO_POINTER (self->modules->len));
  g_array_append_val (self->modules, module);
}

/* Of the rows of a module the last counts. */
static void
take_state (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  Symbols *self = data;
  Module *module = get_module (self, values[0]);

  if (module->id == 0)
    return;
  module->state = values[1];
  module->reason = weft_store_get_string (self->diagnosis->scope->store, (guint32) values[2]);
}

static void
take_sample (const WeftSampleRow *sample, gpointer data)
{
  Symbols *self = data;
  guint32 frame = weft_callchain_reader_get_frame (self->callchains, sample->row.node);
  const WeftFramePlace *places;
  Module *module;

  if (frame == 0 || weft_frame_names_get_places (self->names, frame, &places) == 0)
    return;
  module = get_module (self, weft_frame_names_get (self->names, places[0].name)->module_id);
  module->count++;
  self->count++;
  if (weft_frame_names_is_resolved (self->names, frame))
    return;
  module->nameless++;
  self->nameless++;
}

static gboolean
read_rows (Symbols *self, GError **error)
{
  static const WeftColumnNumber module[] = { WEFT_MODULES_NAME, WEFT_MODULES_KIND };
  static const WeftColumnNumber state[] = { WEFT_MODULE_STATES_MODULE, WEFT_MODULE_STATES_SYMBOLS,
                                            WEFT_MODULE_STATES_REASON };
  static const WeftFrameNamesOptions options = { 0 };
  const WeftAnalysisScope *scope = self->diagnosis->scope;

  self->callchains = weft_callchain_reader_new (scope, error);
  if (self->callchains == NULL ||
      !weft_scan_rows (scope->store, WEFT_TABLE_MODULES, module, G_N_ELEMENTS (module), take_module,
                       self, scope->cancellable, error) ||
      !weft_scan_rows (scope->store, WEFT_TABLE_MODULE_STATES, state, G_N_ELEMENTS (state),
                       take_state, self, scope->cancellable, error))
    return FALSE;
  self->names = weft_frame_names_new (scope, self->callchains, &options, error);
  return self->names != NULL &&
         weft_stream_samples (scope, self->callchains, NULL, take_sample, self, error);
}

static int
compare_modules (gconstpointer a, gconstpointer b)
{
  const Module *module_a = a;
  const Module *module_b = b;

  if (module_a->nameless != module_b->nameless)
    return module_a->nameless > module_b->nameless ? -1 : 1;
  return module_a->id < module_b->id ? -1 : module_a->id > module_b->id;
}

static const char *
get_advice (const Module *module)
{
  switch (module->kind)
    {
    case WEFT_MODULE_KIND_JIT:
      return "Let the program tell where its generated code is: node --perf-basic-prof, java with "
             "perf-map-agent, or a jitdump";
    case WEFT_MODULE_KIND_KERNEL:
      return "Names of the kernel's functions can be read by root, or where kernel.kptr_restrict "
             "is "
             "0";
    default:
      return "Install its debugging symbols (Debian and Ubuntu: the package's -dbgsym, Fedora: dnf "
             "debuginfo-install), build it with -g, or record with DEBUGINFOD_URLS set and "
             "debuginfod allowed";
    }
}

static void
tell_module (Symbols *self, const Module *module)
{
  static const char *const states[] = {
    [WEFT_SYMBOL_STATE_NONE] = "it has no symbols",
    [WEFT_SYMBOL_STATE_EXPORTED] = "only exported functions are known",
    [WEFT_SYMBOL_STATE_SYMBOLS] = "its symbol table does not have these",
    [WEFT_SYMBOL_STATE_LINES] = "its debugging information does not have these",
    [WEFT_SYMBOL_STATE_MISMATCH] = "its debugging information is of another build",
    [WEFT_SYMBOL_STATE_FAILED] = "its symbols could not be read",
    [WEFT_SYMBOL_STATE_MAP] = "the program told nothing of these",
  };
  g_autoptr (WeftSubjects) objects = weft_subjects_new ();

  weft_subjects_add (objects, "mod", module->id, module->name);
  weft_diagnosis_add (self->diagnosis, "symbols-missing", "Which module lacks symbols?",
                      WEFT_VERDICT_ATTENTION, get_advice (module), objects,
                      "%s: %.1f %% of all samples are in functions of it without a name; %s%s%s",
                      module->name != NULL ? module->name : "(no name)",
                      100.0 * (double) module->nameless / (double) self->count,
                      module->state < G_N_ELEMENTS (states) ? states[module->state] : "",
                      module->reason != NULL ? ": " : "",
                      module->reason != NULL ? module->reason : "");
}

static void
check_names (Symbols *self)
{
  static const char *const question = "Do functions have names?";
  double named = 1.0 - (double) self->nameless / (double) MAX (self->count, 1);

  if (self->count == 0)
    return;
  weft_diagnosis_add (self->diagnosis, "symbols", question,
                      named >= GOOD_NAMES ? WEFT_VERDICT_GOOD : WEFT_VERDICT_ATTENTION, NULL, NULL,
                      "%.1f %% of %" G_GUINT64_FORMAT " %s in a function with a name", 100 * named,
                      self->count, weft_plural (self->count, "sample is", "samples are"));
  g_array_sort (self->modules, compare_modules);
  for (guint i = 0; i < MIN (self->modules->len, MAX_MODULES); i++)
    {
      const Module *module = &g_array_index (self->modules, Module, i);

      if (module->id != 0 && (double) module->nameless >= 0.01 * (double) self->count)
        tell_module (self, module);
    }
}

gboolean
weft_diagnose_symbols (WeftDiagnosis *diagnosis, GError **error)
{
  g_auto (Symbols) self = { .diagnosis = diagnosis };

  self.by_id = g_hash_table_new (NULL, NULL);
  self.modules = g_array_new (FALSE, TRUE, sizeof (Module));
  g_array_set_size (self.modules, 1);
  if (!read_rows (&self, error))
    return FALSE;
  check_names (&self);
  return TRUE;
}
