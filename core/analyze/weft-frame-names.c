/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-frame-names.h"

#include "weft-name-patterns.h"
#include "weft-row-scan.h"

/* So many functions may be inlined into one another; what a file says beyond is left out. */
#define MAX_INLINED 255

typedef struct
{
  const char *name;
  guint8 kind;
} Module;

typedef struct
{
  guint64 id;
  guint32 module; /* number */
  guint32 name;   /* in the store's dictionary */
  guint32 file;
  guint32 line;
} Symbol;

/* What a row of the file says of a frame, chained in the order of their depths. */
typedef struct
{
  guint32 symbol; /* number */
  guint32 file;
  guint32 line;
  guint32 next;
} Told;

typedef struct
{
  guint32 module;
  guint32 first; /* in TOLD, then in PLACES */
  guint32 last;
  guint16 n;
  gboolean is_kernel;
  gboolean is_resolved;
  guint64 offset;
} Frame;

typedef struct
{
  guint64 a;
  guint64 b;
} Key;

struct _WeftFrameNames
{
  const WeftCallchainReader *callchains;
  WeftStore *store;
  WeftFrameNamesOptions options;
  WeftNamePatterns *excluded;
  WeftDenseRows module_rows;
  WeftDenseRows symbol_rows;
  GArray *modules; /* element type Module; the first of each array is none */
  GArray *symbols; /* element type Symbol */
  GArray *told;    /* element type Told */
  GArray *frames;  /* element type Frame */
  GArray *places;  /* element type WeftFramePlace */
  GArray *names;   /* element type WeftFrameName */
  GArray *hidden;  /* element type gboolean: of each name */
  GHashTable *by_key;
  GStringChunk *texts;
  GError *error;
};

static guint
key_hash (gconstpointer data)
{
  const Key *key = data;
  guint64 mixed = (key->a * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15)) ^ key->b;

  mixed *= G_GUINT64_CONSTANT (0xff51afd7ed558ccd);
  return (guint) (mixed >> 32);
}

static gboolean
key_equal (gconstpointer a, gconstpointer b)
{
  const Key *key_a = a;
  const Key *key_b = b;

  return key_a->a == key_b->a && key_a->b == key_b->b;
}

static GArray *
new_array (guint size)
{
  GArray *array = g_array_new (FALSE, TRUE, size);

  g_array_set_size (array, 1);
  return array;
}

static inline const char *
get_text (WeftFrameNames *self, guint32 id)
{
  return id == 0 ? NULL : weft_store_get_string (self->store, id);
}

/* ---- Rows ---- */

static void
take_module (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  WeftFrameNames *self = data;
  Module module = { get_text (self, (guint32) values[0]), (guint8) MIN (values[1], G_MAXUINT8) };

  if (weft_dense_rows_add (&self->module_rows, number) != 0)
    g_array_append_val (self->modules, module);
}

static void
take_symbol (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  WeftFrameNames *self = data;
  Symbol symbol = { .id = number,
                    .module = weft_dense_rows_find (&self->module_rows, values[0]),
                    .name = (guint32) values[1],
                    .file = (guint32) values[2],
                    .line = (guint32) MIN (values[3], G_MAXUINT32) };

  if (weft_dense_rows_add (&self->symbol_rows, number) != 0)
    g_array_append_val (self->symbols, symbol);
}

static void
take_frame (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  WeftFrameNames *self = data;
  Frame frame = { .module = weft_dense_rows_find (&self->module_rows, values[0]),
                  .is_kernel = (values[2] & 2) != 0,
                  .offset = values[1] };

  g_array_append_val (self->frames, frame);
}

/* A row of depth 0 begins what is told of a frame anew: what is told last counts. */
static void
take_frame_symbol (guint64 number, const guint64 *values, guint32 present, gpointer data)
{
  WeftFrameNames *self = data;
  guint32 at = weft_callchain_reader_find_frame (self->callchains, values[0]);
  Frame *frame = at < self->frames->len ? &g_array_index (self->frames, Frame, at) : NULL;
  Told told = { .symbol = weft_dense_rows_find (&self->symbol_rows, values[2]),
                .file = (guint32) values[3],
                .line = (guint32) MIN (values[4], G_MAXUINT32) };
  guint32 place = self->told->len;

  if (at == 0 || frame == NULL || told.symbol == 0 || place == G_MAXINT32)
    return;
  if (values[1] == 0)
    {
      frame->first = place;
      frame->n = 0;
    }
  else if (values[1] != frame->n || frame->n >= MAX_INLINED)
    return;
  else
    g_array_index (self->told, Told, frame->last).next = place;
  frame->last = place;
  frame->n++;
  g_array_append_val (self->told, told);
}

static gboolean
read_rows (WeftFrameNames *self, const WeftAnalysisScope *scope, GError **error)
{
  static const WeftColumnNumber module[] = { WEFT_MODULES_NAME, WEFT_MODULES_KIND };
  static const WeftColumnNumber symbol[] = { WEFT_SYMBOLS_MODULE, WEFT_SYMBOLS_NAME,
                                             WEFT_SYMBOLS_FILE, WEFT_SYMBOLS_LINE };
  static const WeftColumnNumber frame[] = { WEFT_FRAMES_MODULE, WEFT_FRAMES_OFFSET,
                                            WEFT_FRAMES_FLAGS };
  static const WeftColumnNumber frame_symbol[] = {
    WEFT_FRAME_SYMBOLS_FRAME, WEFT_FRAME_SYMBOLS_DEPTH, WEFT_FRAME_SYMBOLS_SYMBOL,
    WEFT_FRAME_SYMBOLS_FILE, WEFT_FRAME_SYMBOLS_LINE
  };
  const struct
  {
    WeftTableId table;
    const WeftColumnNumber *columns;
    guint n_columns;
    WeftRowFunc take;
  } tables[] = {
    { WEFT_TABLE_MODULES, module, G_N_ELEMENTS (module), take_module },
    { WEFT_TABLE_SYMBOLS, symbol, G_N_ELEMENTS (symbol), take_symbol },
    { WEFT_TABLE_FRAMES, frame, G_N_ELEMENTS (frame), take_frame },
    { WEFT_TABLE_FRAME_SYMBOLS, frame_symbol, G_N_ELEMENTS (frame_symbol), take_frame_symbol },
  };

  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    if (!weft_scan_rows (scope->store, tables[i].table, tables[i].columns, tables[i].n_columns,
                         tables[i].take, self, scope->cancellable, error))
      return FALSE;
  return TRUE;
}

/* ---- Names ---- */

static const char *
name_module (const Module *module)
{
  static const char *const kinds[] = { [WEFT_MODULE_KIND_VDSO] = "[vdso]",
                                       [WEFT_MODULE_KIND_KERNEL] = "[kernel]",
                                       [WEFT_MODULE_KIND_JIT] = "[jit]" };

  if (module->name != NULL)
    return module->name;
  return module->kind < G_N_ELEMENTS (kinds) ? kinds[module->kind] : NULL;
}

static const char *
add_text (WeftFrameNames *self, char *text)
{
  const char *kept = g_string_chunk_insert (self->texts, text);

  g_free (text);
  return kept;
}

static gboolean
is_hidden (WeftFrameNames *self, const WeftFrameName *name)
{
  gboolean matches = FALSE;

  if (self->error == NULL && !weft_name_patterns_is_empty (self->excluded))
    weft_name_patterns_match (self->excluded, name->name, &matches, &self->error);
  return matches;
}

static guint32
add_name (WeftFrameNames *self, const WeftFrameName *name)
{
  guint32 number = self->names->len;
  gboolean hidden = is_hidden (self, name);

  g_array_append_val (self->hidden, hidden);
  g_array_append_vals (self->names, name, 1);
  return number;
}

/* The number of the name that KEY has, or 0 with room for one that is added next. */
static guint32
find_name (WeftFrameNames *self, guint64 a, guint64 b)
{
  Key key = { a, b };
  gpointer number = g_hash_table_lookup (self->by_key, &key);

  if (number == NULL)
    g_hash_table_insert (self->by_key, g_memdup2 (&key, sizeof key),
                         GUINT_TO_POINTER (self->names->len));
  return GPOINTER_TO_UINT (number);
}

static WeftFrameName
begin_name (WeftFrameNames *self, const Frame *frame, guint32 module)
{
  const Module *in = &g_array_index (self->modules, Module, module);

  return (WeftFrameName){
    .module = name_module (in),
    .module_id = (guint32) weft_dense_rows_get_id (&self->module_rows, module),
    .kind = in->kind,
    .is_kernel = frame->is_kernel || in->kind == WEFT_MODULE_KIND_KERNEL,
  };
}

/* Keys of the different sorts of names differ in the lower half of B. */
enum
{
  KEY_FUNCTION = 1,
  KEY_ADDRESS,
  KEY_MODULE,
  KEY_LINE,
  KEY_FILE,
  KEY_NO_FILE
};

static guint64
sort_key (guint64 value, guint sort)
{
  return value << 8 | sort;
}

static guint32
name_function (WeftFrameNames *self, const Frame *frame, const Symbol *symbol)
{
  guint32 number =
      find_name (self, (guint64) symbol->module << 32 | symbol->name, sort_key (0, KEY_FUNCTION));
  WeftFrameName name;

  if (number != 0)
    return number;
  name = begin_name (self, frame, symbol->module);
  name.name = get_text (self, symbol->name);
  if (name.name == NULL)
    name.name = "[no name]";
  name.symbol = (guint32) MIN (symbol->id, G_MAXUINT32);
  name.file = get_text (self, symbol->file);
  name.line = symbol->line;
  return add_name (self, &name);
}

static guint32
name_address (WeftFrameNames *self, const Frame *frame)
{
  guint32 number = find_name (self, frame->offset, sort_key (frame->module, KEY_ADDRESS));
  WeftFrameName name;

  if (number != 0)
    return number;
  name = begin_name (self, frame, frame->module);
  name.name = add_text (
      self, name.module != NULL
                ? g_strdup_printf ("%s+0x%" G_GINT64_MODIFIER "x", name.module, frame->offset)
                : g_strdup_printf ("0x%" G_GINT64_MODIFIER "x", frame->offset));
  return add_name (self, &name);
}

static guint32
name_of_module (WeftFrameNames *self, const Frame *frame, guint sort)
{
  guint32 number = find_name (self, 0, sort_key (frame->module, sort));
  WeftFrameName name;

  if (number != 0)
    return number;
  name = begin_name (self, frame, frame->module);
  name.name = name.module != NULL ? name.module : "[no module]";
  if (sort == KEY_NO_FILE)
    name.name = add_text (self, g_strdup_printf ("[no lines] %s", name.name));
  return add_name (self, &name);
}

static guint32
name_line (WeftFrameNames *self, const Frame *frame, const Told *told)
{
  gboolean by_line = self->options.group == WEFT_FRAME_GROUP_LINE;
  WeftFrameName name;
  guint32 number;

  if (told->file == 0 || get_text (self, told->file) == NULL)
    return name_of_module (self, frame, KEY_NO_FILE);
  number = find_name (self, (guint64) told->file << 32 | (by_line ? told->line : 0),
                      sort_key (frame->module, by_line ? KEY_LINE : KEY_FILE));
  if (number != 0)
    return number;
  name = begin_name (self, frame, frame->module);
  name.file = get_text (self, told->file);
  name.line = by_line ? told->line : 0;
  name.name =
      by_line ? add_text (self, g_strdup_printf ("%s:%u", name.file, told->line)) : name.file;
  return add_name (self, &name);
}

static guint32
name_code (WeftFrameNames *self, const Frame *frame, const Told *told)
{
  return told ? name_function (self, frame, &g_array_index (self->symbols, Symbol, told->symbol))
              : name_address (self, frame);
}

/* Functions are left out, whatever is counted. */
static gboolean
is_excluded (WeftFrameNames *self, const Frame *frame, const Told *told)
{
  guint32 name;

  if (weft_name_patterns_is_empty (self->excluded))
    return FALSE;
  name = name_code (self, frame, told);
  return g_array_index (self->hidden, gboolean, name);
}

static void
add_place (WeftFrameNames *self, const Frame *frame, const Told *told)
{
  WeftFramePlace place = { .file = told ? get_text (self, told->file) : NULL,
                           .line = told ? told->line : 0 };

  if (is_excluded (self, frame, told))
    return;
  switch (self->options.group)
    {
    case WEFT_FRAME_GROUP_MODULE:
      place.name = name_of_module (self, frame, KEY_MODULE);
      break;
    case WEFT_FRAME_GROUP_LINE:
    case WEFT_FRAME_GROUP_FILE:
      place.name = told ? name_line (self, frame, told) : name_of_module (self, frame, KEY_NO_FILE);
      break;
    default:
      place.name = name_code (self, frame, told);
    }
  g_array_append_val (self->places, place);
}

static void
name_frame (WeftFrameNames *self, guint32 number)
{
  Frame *frame = &g_array_index (self->frames, Frame, number);
  guint32 first = self->places->len;
  guint32 at = frame->first;

  frame->is_resolved = at != 0;
  if (at == 0)
    add_place (self, frame, NULL);
  for (guint i = 0; at != 0 && i < frame->n && (i == 0 || self->options.inlines); i++)
    {
      const Told told = g_array_index (self->told, Told, at);

      add_place (self, frame, &told);
      at = told.next;
    }
  frame->first = first;
  frame->n = (guint16) (self->places->len - first);
}

static gboolean
name_frames (WeftFrameNames *self, GError **error)
{
  static const WeftFrameName no_stack = { .name = "[no stack]" };

  add_name (self, &no_stack);
  for (guint32 i = 1; i < self->frames->len && self->error == NULL; i++)
    name_frame (self, i);
  g_clear_pointer (&self->told, g_array_unref);
  if (self->error == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&self->error));
  return FALSE;
}

WeftFrameNames *
weft_frame_names_new (const WeftAnalysisScope *scope, const WeftCallchainReader *callchains,
                      const WeftFrameNamesOptions *options, GError **error)
{
  g_autoptr (WeftFrameNames) self = g_new0 (WeftFrameNames, 1);

  self->callchains = callchains;
  self->store = weft_store_ref (scope->store);
  self->options = *options;
  weft_dense_rows_init (&self->module_rows);
  weft_dense_rows_init (&self->symbol_rows);
  self->modules = new_array (sizeof (Module));
  self->symbols = new_array (sizeof (Symbol));
  self->told = new_array (sizeof (Told));
  self->frames = new_array (sizeof (Frame));
  self->places = g_array_new (FALSE, FALSE, sizeof (WeftFramePlace));
  self->names = new_array (sizeof (WeftFrameName));
  self->hidden = new_array (sizeof (gboolean));
  self->by_key = g_hash_table_new_full (key_hash, key_equal, g_free, NULL);
  self->texts = g_string_chunk_new (4096);
  self->excluded = weft_name_patterns_new (options->excluded, error);
  if (self->excluded == NULL || !read_rows (self, scope, error) || !name_frames (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
weft_frame_names_free (WeftFrameNames *self)
{
  weft_dense_rows_clear (&self->module_rows);
  weft_dense_rows_clear (&self->symbol_rows);
  g_array_unref (self->modules);
  g_array_unref (self->symbols);
  g_clear_pointer (&self->told, g_array_unref);
  g_array_unref (self->frames);
  g_array_unref (self->places);
  g_array_unref (self->names);
  g_array_unref (self->hidden);
  g_hash_table_unref (self->by_key);
  g_string_chunk_free (self->texts);
  g_clear_pointer (&self->excluded, weft_name_patterns_free);
  g_clear_error (&self->error);
  weft_store_unref (self->store);
  g_free (self);
}

guint32
weft_frame_names_get_n_names (const WeftFrameNames *self)
{
  return self->names->len - 1;
}

const WeftFrameName *
weft_frame_names_get (const WeftFrameNames *self, guint32 name)
{
  return &g_array_index (self->names, WeftFrameName, name);
}

guint
weft_frame_names_get_places (const WeftFrameNames *self, guint32 frame,
                             const WeftFramePlace **places)
{
  const Frame *of;

  if (frame == 0 || frame >= self->frames->len)
    return 0;
  of = &g_array_index (self->frames, Frame, frame);
  *places = &g_array_index (self->places, WeftFramePlace, of->first);
  return of->n;
}

gboolean
weft_frame_names_is_resolved (const WeftFrameNames *self, guint32 frame)
{
  return frame < self->frames->len && g_array_index (self->frames, Frame, frame).is_resolved;
}

/* ---- For people ---- */

char *
weft_frame_name_to_text (const WeftFrameName *name)
{
  return name->is_kernel ? g_strdup_printf ("%s [k]", name->name) : g_strdup (name->name);
}

guint32
weft_frame_names_leave_kernel (const WeftFrameNames *self, const WeftCallchainReader *callchains,
                               guint32 node)
{
  guint32 at = node;

  while (at != 0)
    {
      guint32 frame = weft_callchain_reader_get_frame (callchains, at);

      if (frame == 0 || !g_array_index (self->frames, Frame, frame).is_kernel)
        return at;
      at = weft_callchain_reader_get_parent (callchains, at);
    }
  return node;
}

static void
collect_names (const WeftFrameNames *self, const WeftCallchainReader *callchains, guint32 node,
               guint max, GPtrArray *texts)
{
  for (; node != 0; node = weft_callchain_reader_get_parent (callchains, node))
    {
      const WeftFramePlace *places;
      guint n = weft_frame_names_get_places (
          self, weft_callchain_reader_get_frame (callchains, node), &places);

      while (n-- > 0)
        {
          if (texts->len == max)
            {
              g_ptr_array_add (texts, g_strdup ("…"));
              return;
            }
          g_ptr_array_add (texts,
                           weft_frame_name_to_text (weft_frame_names_get (self, places[n].name)));
        }
    }
}

char *
weft_frame_names_describe_stack (const WeftFrameNames *self, const WeftCallchainReader *callchains,
                                 guint32 node, guint max)
{
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);
  GString *text;

  if (node == 0)
    return NULL;
  collect_names (self, callchains, node, max, texts);
  text = g_string_new (NULL);
  for (guint i = 0; i < texts->len; i++)
    g_string_append_printf (text, "%s%s", i > 0 ? " ← " : "",
                            (const char *) g_ptr_array_index (texts, i));
  return g_string_free (text, FALSE);
}
