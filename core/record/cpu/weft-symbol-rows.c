/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-symbol-rows.h"

#include "weft-clock.h"

/* More calls than this are not inlined into each other but a mistake. */
#define MAX_CHAIN 512

struct _WeftSymbolRows
{
  WeftStoreWriter *store;
  gint64 start;
  GHashTable *seen;    /* WeftSymbolName, by where it is → row */
  GHashTable *symbols; /* SymbolKey → row */
  GHashTable *strings; /* text, by where it is → string */
};

/* Two names that came by different ways may be of one function. */
typedef struct
{
  guint64 module;
  guint64 offset;
  guint32 name;
  guint32 linkage_name;
  guint32 file;
  guint32 line;
  guint64 row;
} SymbolKey;

/* A place in the source, and the function that it is in there. */
typedef struct
{
  const WeftSymbolName *symbol;
  const char *file;
  guint32 line;
} Place;

static guint
key_hash (gconstpointer data)
{
  const SymbolKey *key = data;
  guint64 hash = key->module * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15) + key->offset;

  hash = (hash ^ key->name) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15) + key->line;
  return (guint) (hash >> 29);
}

static gboolean
key_equal (gconstpointer a, gconstpointer b)
{
  const SymbolKey *x = a;
  const SymbolKey *y = b;

  return x->module == y->module && x->offset == y->offset && x->name == y->name &&
         x->linkage_name == y->linkage_name && x->file == y->file && x->line == y->line;
}

WeftSymbolRows *
weft_symbol_rows_new (WeftStoreWriter *store, gint64 start)
{
  WeftSymbolRows *self = g_new0 (WeftSymbolRows, 1);

  self->store = store;
  self->start = start;
  self->seen = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  self->symbols = g_hash_table_new_full (key_hash, key_equal, g_free, NULL);
  self->strings = g_hash_table_new (NULL, NULL);
  return self;
}

void
weft_symbol_rows_free (WeftSymbolRows *self)
{
  g_hash_table_unref (self->seen);
  g_hash_table_unref (self->symbols);
  g_hash_table_unref (self->strings);
  g_free (self);
}

/* TEXT lives as long as the rows. */
static guint32
string (WeftSymbolRows *self, const char *text)
{
  guint32 number;

  if (text == NULL)
    return 0;
  number = GPOINTER_TO_UINT (g_hash_table_lookup (self->strings, text));
  if (number == 0)
    {
      number = weft_store_writer_string (self->store, text, -1);
      g_hash_table_insert (self->strings, (gpointer) text, GUINT_TO_POINTER (number));
    }
  return number;
}

static guint64
commit_symbol (WeftSymbolRows *self, const SymbolKey *key, guint64 size)
{
  WeftTableWriter *t = weft_store_writer_table (self->store, WEFT_TABLE_SYMBOLS);

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_SYMBOLS_MODULE, key->module);
  weft_table_writer_set (t, WEFT_SYMBOLS_NAME, key->name);
  weft_table_writer_set (t, WEFT_SYMBOLS_LINKAGE_NAME, key->linkage_name);
  weft_table_writer_set (t, WEFT_SYMBOLS_OFFSET, key->offset);
  weft_table_writer_set (t, WEFT_SYMBOLS_SIZE, size);
  weft_table_writer_set (t, WEFT_SYMBOLS_FILE, key->file);
  weft_table_writer_set (t, WEFT_SYMBOLS_LINE, key->line);
  return weft_table_writer_commit (t);
}

static guint64
symbol_row (WeftSymbolRows *self, guint64 module, const WeftSymbolName *symbol)
{
  guint64 *seen = g_hash_table_lookup (self->seen, symbol);
  SymbolKey key;
  SymbolKey *entry;

  /* A module may have more than one row: a place alone does not tell. */
  if (seen != NULL && seen[0] == module)
    return seen[1];
  key = (SymbolKey){ .module = module,
                     .offset = symbol->offset,
                     .name = string (self, symbol->name),
                     .linkage_name = string (self, symbol->linkage_name),
                     .file = string (self, symbol->file),
                     .line = symbol->line };
  entry = g_hash_table_lookup (self->symbols, &key);
  if (entry == NULL)
    {
      key.row = commit_symbol (self, &key, symbol->size);
      entry = g_memdup2 (&key, sizeof key);
      g_hash_table_add (self->symbols, entry);
    }
  seen = g_new (guint64, 2);
  seen[0] = module;
  seen[1] = entry->row;
  g_hash_table_replace (self->seen, (gpointer) symbol, seen);
  return entry->row;
}

/* Where ROW is, the innermost place first; returns how many there are. */
static guint
unfold (const WeftSymbolFunction *function, const WeftSymbolRow *row, Place places[MAX_CHAIN])
{
  const char *file = row != NULL ? row->file : NULL;
  guint32 line = row != NULL ? row->line : 0;
  guint32 scope = row != NULL ? row->scope : 0;
  guint n = 0;

  while (scope != 0 && n + 1 < MAX_CHAIN)
    {
      const WeftSymbolScope *s = &function->scopes[scope - 1];

      places[n++] = (Place){ s->symbol, file, line };
      file = s->file;
      line = s->line;
      scope = s->parent;
    }
  places[n++] = (Place){ function->symbol, file, line };
  return n;
}

void
weft_symbol_rows_add_frame (WeftSymbolRows *self, guint64 frame, guint64 module, guint64 address,
                            const WeftSymbolFunction *function)
{
  WeftTableWriter *t = weft_store_writer_table (self->store, WEFT_TABLE_FRAME_SYMBOLS);
  Place places[MAX_CHAIN];
  guint n;

  if (function->symbol == NULL)
    return;
  n = unfold (function, weft_symbol_function_find_row (function, address), places);
  for (guint i = 0; i < n; i++)
    {
      const Place *place = &places[n - 1 - i];
      guint64 symbol = symbol_row (self, module, place->symbol);

      weft_table_writer_begin (t);
      weft_table_writer_set (t, WEFT_FRAME_SYMBOLS_FRAME, frame);
      weft_table_writer_set (t, WEFT_FRAME_SYMBOLS_DEPTH, i);
      weft_table_writer_set (t, WEFT_FRAME_SYMBOLS_SYMBOL, symbol);
      weft_table_writer_set (t, WEFT_FRAME_SYMBOLS_FILE, string (self, place->file));
      weft_table_writer_set (t, WEFT_FRAME_SYMBOLS_LINE, place->line);
      weft_table_writer_commit (t);
    }
}

void
weft_symbol_rows_add_state (WeftSymbolRows *self, guint64 module,
                            const WeftSymbolModuleState *state)
{
  WeftTableWriter *t = weft_store_writer_table (self->store, WEFT_TABLE_MODULE_STATES);

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_MODULE_STATES_MODULE, module);
  weft_table_writer_set (t, WEFT_MODULE_STATES_TIME,
                         (guint64) (weft_monotonic_now () - self->start));
  weft_table_writer_set (t, WEFT_MODULE_STATES_SYMBOLS, state->state);
  weft_table_writer_set (t, WEFT_MODULE_STATES_N_SYMBOLS, state->n_symbols);
  weft_table_writer_set (t, WEFT_MODULE_STATES_DEBUG_FILE,
                         weft_store_writer_string (self->store, state->debug_file, -1));
  weft_table_writer_set (t, WEFT_MODULE_STATES_REASON,
                         weft_store_writer_string (self->store, state->reason, -1));
  weft_table_writer_commit (t);
}

static void
add_line (WeftSymbolRows *self, guint64 code, guint64 module, guint64 offset,
          const WeftSymbolFunction *function, const WeftSymbolRow *row)
{
  WeftTableWriter *t = weft_store_writer_table (self->store, WEFT_TABLE_CODE_LINES);
  Place places[MAX_CHAIN];
  guint n = unfold (function, row, places);

  for (guint i = 0; i < n; i++)
    {
      const Place *place = &places[n - 1 - i];
      guint64 symbol = symbol_row (self, module, place->symbol);

      weft_table_writer_begin (t);
      weft_table_writer_set (t, WEFT_CODE_LINES_CODE, code);
      weft_table_writer_set (t, WEFT_CODE_LINES_OFFSET, offset);
      weft_table_writer_set (t, WEFT_CODE_LINES_DEPTH, i);
      weft_table_writer_set (t, WEFT_CODE_LINES_SYMBOL, symbol);
      weft_table_writer_set (t, WEFT_CODE_LINES_FILE, string (self, place->file));
      weft_table_writer_set (t, WEFT_CODE_LINES_LINE, place->line);
      weft_table_writer_commit (t);
    }
}

void
weft_symbol_rows_add_code (WeftSymbolRows *self, guint64 module, const WeftSymbolFunction *function,
                           const char *architecture, const GByteArray *code)
{
  WeftTableWriter *t = weft_store_writer_table (self->store, WEFT_TABLE_CODE);
  guint64 symbol = symbol_row (self, module, function->symbol);
  guint64 row;

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_CODE_MODULE, module);
  weft_table_writer_set (t, WEFT_CODE_SYMBOL, symbol);
  weft_table_writer_set (t, WEFT_CODE_OFFSET, function->start);
  weft_table_writer_set (t, WEFT_CODE_SIZE, code->len);
  weft_table_writer_set (t, WEFT_CODE_ARCHITECTURE,
                         weft_store_writer_string (self->store, architecture, -1));
  weft_table_writer_set (t, WEFT_CODE_BYTES,
                         weft_store_writer_blob (self->store, code->data, code->len));
  row = weft_table_writer_commit (t);
  for (guint i = 0; i < function->n_rows; i++)
    add_line (self, row, module, function->start + function->rows[i].distance, function,
              &function->rows[i]);
}

void
weft_symbol_rows_add_diagnostic (WeftSymbolRows *self, guint severity, const char *code,
                                 const char *message)
{
  WeftTableWriter *t = weft_store_writer_table (self->store, WEFT_TABLE_DIAGNOSTICS);

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_DIAGNOSTICS_TIME, (guint64) (weft_monotonic_now () - self->start));
  weft_table_writer_set (t, WEFT_DIAGNOSTICS_SEVERITY, severity);
  weft_table_writer_set (t, WEFT_DIAGNOSTICS_CODE,
                         weft_store_writer_string (self->store, code, -1));
  weft_table_writer_set (t, WEFT_DIAGNOSTICS_MESSAGE,
                         weft_store_writer_string (self->store, message, -1));
  weft_table_writer_commit (t);
}

void
weft_symbol_rows_add_meta (WeftSymbolRows *self, const char *key, const char *text)
{
  WeftTableWriter *t = weft_store_writer_table (self->store, WEFT_TABLE_META);

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_META_KEY, weft_store_writer_string (self->store, key, -1));
  weft_table_writer_set (t, WEFT_META_TEXT, weft_store_writer_string (self->store, text, -1));
  weft_table_writer_commit (t);
}
