/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A function line by line and instruction by instruction, with what samples say of each. */

#include "weft-analyze.h"

#include <string.h>

#include "weft-annotated-code.h"
#include "weft-answer.h"
#include "weft-routine-code.h"
#include "weft-row-cursor.h"

/* As many lines of a source file are told around those that have code. */
#define MAX_LINES 5000

typedef struct
{
  WeftAnnotatedCode *code;
  const WeftAnalysisScope *scope;
  GHashTable *sources; /* file in the dictionary → GPtrArray of its lines, or NULL */
  gboolean has_source; /* lines of it were asked for and are there */
} Annotation;

static void
annotation_clear (Annotation *self)
{
  g_clear_pointer (&self->code, weft_annotated_code_free);
  g_clear_pointer (&self->sources, g_hash_table_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Annotation, annotation_clear)

/* ---- Source text ---- */

static void
free_lines (gpointer data)
{
  if (data != NULL)
    g_ptr_array_unref (data);
}

/* element type char * */
static GPtrArray *
split_text (WeftStore *store, guint64 blob, GError **error)
{
  g_autoptr (GBytes) bytes = NULL;
  g_autofree char *text = NULL;
  g_autofree char **split = NULL;
  GPtrArray *lines;

  bytes = weft_store_get_blob (store, (guint32) blob, error);
  if (bytes == NULL)
    return NULL;
  text = g_utf8_make_valid (g_bytes_get_data (bytes, NULL), (gssize) g_bytes_get_size (bytes));
  split = g_strsplit (text, "\n", -1);
  lines = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; split[i] != NULL; i++)
    g_ptr_array_add (lines, g_strchomp (split[i]));
  return lines;
}

/* The files that lines are of, as far as the recording has them. */
static gboolean
read_sources (Annotation *self, GError **error)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_SOURCES);
  const GArray *lines = self->code->lines;
  GError *failure = NULL;

  for (guint i = 1; i < lines->len; i++)
    g_hash_table_insert (self->sources,
                         GUINT_TO_POINTER (g_array_index (lines, WeftCodeLine, i).file), NULL);
  while (weft_row_cursor_next (rows) && failure == NULL)
    {
      gpointer file = GUINT_TO_POINTER ((guint) weft_row_cursor_get (rows, WEFT_SOURCES_PATH));
      guint64 text = weft_row_cursor_get (rows, WEFT_SOURCES_TEXT);

      if (text == 0 || text > G_MAXUINT32 || file == NULL ||
          !g_hash_table_contains (self->sources, file))
        continue;
      g_hash_table_insert (self->sources, file, split_text (self->scope->store, text, &failure));
      self->has_source = TRUE;
    }
  if (failure == NULL)
    return weft_row_cursor_finish (rows, error);
  weft_propagate_store_error (error, failure);
  return FALSE;
}

/* The source that all ROUTINES which have one share; 0 for none. */
static gboolean
find_source (const Annotation *self, const GArray *routines, guint64 *source, GError **error)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_ROUTINES);

  *source = 0;
  for (guint i = 0; i < routines->len; i++)
    {
      guint64 found;

      if (!weft_row_cursor_seek (rows, g_array_index (routines, guint32, i)))
        continue;
      found = weft_row_cursor_get (rows, WEFT_ROUTINES_SOURCE);
      if (*source != 0 && found != 0 && found != *source)
        {
          *source = 0;
          break;
        }
      *source = found != 0 ? found : *source;
    }
  return weft_row_cursor_finish (rows, error);
}

/* The function is the code of a routine, and its file was gone when it ended, as that of compilers
 * within programs is: then the text is that of the routine's source.
 */
static gboolean
read_routine_source (Annotation *self, GError **error)
{
  const WeftRowTable *symbols = self->code->symbols;
  gpointer file = GUINT_TO_POINTER (
      (guint) weft_row_table_get (symbols, WEFT_SYMBOLS_FILE, self->code->symbol));
  g_autoptr (WeftRowCursor) sources = weft_row_cursor_new (self->scope, WEFT_TABLE_SOURCES);
  g_autoptr (WeftCatalog) catalog =
      weft_catalog_new (self->scope->store, self->scope->cancellable, error);
  g_autoptr (WeftRoutineCode) code =
      catalog ? weft_routine_code_new (self->scope, catalog, error) : NULL;
  const GArray *routines;
  GError *failure = NULL;
  guint64 source, text;

  if (code == NULL)
    return FALSE;
  routines = weft_routine_code_get_routines (
      code, 0,
      weft_routine_code_find_name (
          code, weft_row_table_get_string (symbols, WEFT_SYMBOLS_NAME, self->code->symbol),
          weft_row_table_get_string (symbols, WEFT_SYMBOLS_LINKAGE_NAME, self->code->symbol)));
  if (routines == NULL || file == NULL || g_hash_table_lookup (self->sources, file) != NULL)
    return TRUE;
  if (!find_source (self, routines, &source, error))
    return FALSE;
  if (source == 0 || !weft_row_cursor_seek (sources, source))
    return weft_row_cursor_finish (sources, error);
  text = weft_row_cursor_get (sources, WEFT_SOURCES_TEXT);
  if (text == 0 || text > G_MAXUINT32)
    return TRUE;
  g_hash_table_insert (self->sources, file, split_text (self->scope->store, text, &failure));
  self->has_source = TRUE;
  if (failure == NULL)
    return TRUE;
  weft_propagate_store_error (error, failure);
  return FALSE;
}

/* NULL if it is not known. */
static const char *
get_text (const Annotation *self, guint32 file, guint64 line)
{
  const GPtrArray *lines = g_hash_table_lookup (self->sources, GUINT_TO_POINTER (file));

  return lines == NULL || line == 0 || line > lines->len ? NULL
                                                         : g_ptr_array_index (lines, line - 1);
}

static const char *
get_file (const Annotation *self, guint32 file)
{
  return file == 0 ? NULL : weft_store_get_string (self->scope->store, file);
}

static const WeftCodeLine *
get_line (const Annotation *self, guint32 line)
{
  return &g_array_index (self->code->lines, WeftCodeLine, line);
}

/* ---- The function ---- */

enum
{
  SYMBOL,
  NAME,
  MODULE,
  MODULE_NAME,
  FILE_NAME,
  LINE,
  OFFSET,
  SIZE,
  ARCHITECTURE,
  SAMPLES,
  SELF,
  TOTAL,
  SHARE,
  INLINED_ELSEWHERE,
  INLINED,
  VIEW,
  N_COLUMNS
};

static const WeftAnswerColumn columns[] = {
  [SYMBOL] = WEFT_ANSWER_ID ("symbol", "sym"),
  [NAME] = WEFT_ANSWER_COLUMN ("symbol_name", STRING),
  [MODULE] = WEFT_ANSWER_ID ("module", "mod"),
  [MODULE_NAME] = WEFT_ANSWER_COLUMN ("module_name", STRING),
  [FILE_NAME] = WEFT_ANSWER_COLUMN ("file", STRING),
  [LINE] = WEFT_ANSWER_COLUMN ("line", UINT64),
  [OFFSET] = WEFT_ANSWER_COLUMN ("address", UINT64),
  [SIZE] = WEFT_ANSWER_UNIT ("size", UINT64, "bytes"),
  [ARCHITECTURE] = WEFT_ANSWER_COLUMN ("architecture", STRING),
  [SAMPLES] = WEFT_ANSWER_COLUMN ("samples", UINT64),
  [SELF] = WEFT_ANSWER_COLUMN ("self", DURATION),
  [TOTAL] = WEFT_ANSWER_COLUMN ("total", DURATION),
  [SHARE] = WEFT_ANSWER_UNIT ("share", DOUBLE, "ratio"),
  [INLINED_ELSEWHERE] = WEFT_ANSWER_COLUMN ("inlined_elsewhere", DURATION),
  [INLINED] = WEFT_ANSWER_COLUMN ("inlined", BOOLEAN),
  [VIEW] = WEFT_ANSWER_COLUMN ("view", STRING),
};

static double
get_share (guint64 part, guint64 whole)
{
  return whole ? (double) part / (double) whole : 0;
}

static const char *
choose_view (const Annotation *self)
{
  gboolean has_lines = self->code->lines->len > 1;

  if (self->scope->mode != NULL)
    return self->scope->mode;
  if (self->code->instructions->len == 0)
    return "source";
  return has_lines ? "mixed" : "assembly";
}

/* ---- What is missing, and how to get it ---- */

typedef struct
{
  guint64 symbols; /* WeftSymbolState */
  const char *reason;
} ModuleState;

static gboolean
find_module_state (const Annotation *self, guint64 module, ModuleState *state, GError **error)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_MODULE_STATES);

  weft_row_cursor_where (rows, WEFT_MODULE_STATES_MODULE, module);
  while (weft_row_cursor_next (rows))
    {
      state->symbols = weft_row_cursor_get (rows, WEFT_MODULE_STATES_SYMBOLS);
      state->reason = weft_row_cursor_get_string (rows, WEFT_MODULE_STATES_REASON);
    }
  return weft_row_cursor_finish (rows, error);
}

static void append_hint (GString *hint, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
append_hint (GString *hint, const char *format, ...)
{
  va_list arguments;

  if (hint->len > 0)
    g_string_append_c (hint, ' ');
  va_start (arguments, format);
  g_string_append_vprintf (hint, format, arguments);
  va_end (arguments);
}

static gboolean
has_known_line (const Annotation *self)
{
  for (guint i = 1; i < self->code->lines->len; i++)
    if (get_line (self, i)->line != 0)
      return TRUE;
  return FALSE;
}

static void
explain_lines (const Annotation *self, const ModuleState *state, GString *hint)
{
  const char *module = weft_annotated_code_get_module_name (self->code, self->code->symbol);

  if (has_known_line (self) && self->has_source)
    return;
  if (has_known_line (self))
    append_hint (hint, "The text of its source is not in the recording: the file was not where the "
                       "debugging information says when it was recorded.");
  else
    append_hint (hint,
                 "No lines are known of it%s%s%s. Build it with debugging information (-g), or "
                 "install that of %s, and record again.",
                 state->reason ? " (" : "", state->reason ? state->reason : "",
                 state->reason ? ")" : "", module ? module : "its file");
}

static void
explain_code (const Annotation *self, GString *hint)
{
  const WeftAnnotatedCode *code = self->code;
  const char *reason;

  if (code->is_inlined)
    append_hint (hint, "It has no code of its own: it is inlined wherever it ran. “weft callers” "
                       "tells into what.");
  else if (code->bytes == NULL)
    append_hint (hint, "The recording has no code of it: that is kept of functions that samples "
                       "fell into, and whose file could be read when it ended.");
  else if (!weft_disassemble_is_possible (code->architecture, &reason))
    append_hint (hint, "Its code is shown as bytes: %s.", reason);
}

static char *
explain (const Annotation *self, GError **error)
{
  const WeftAnnotatedCode *code = self->code;
  guint64 module = weft_row_table_get (code->symbols, WEFT_SYMBOLS_MODULE, code->symbol);
  ModuleState state = { 0 };
  GString *hint = g_string_new (NULL);

  if (!find_module_state (self, module, &state, error))
    {
      g_string_free (hint, TRUE);
      return NULL;
    }
  if (code->cost.self > 0)
    append_hint (hint,
                 "A sample is taken some instructions after what took the time: look at those "
                 "above, too.");
  explain_code (self, hint);
  explain_lines (self, &state, hint);
  if (code->hotter != 0)
    append_hint (
        hint, "More time was spent in %s (sym-%" G_GUINT64_FORMAT "), of which there is no code.",
        weft_annotated_code_get_name (code, code->hotter), code->hotter);
  return g_string_free (hint, FALSE);
}

static gboolean
add_function (Annotation *self, WeftReport *report, GError **error)
{
  const WeftAnnotatedCode *code = self->code;
  const WeftRowTable *symbols = code->symbols;
  WeftTableBuilder *builder;
  g_autofree char *hint = explain (self, error);

  if (hint == NULL)
    return FALSE;
  builder = weft_answer_begin_table ("annotate", columns, N_COLUMNS);
  weft_table_builder_begin_row (builder);
  weft_table_builder_set_uint64 (builder, SYMBOL, code->symbol);
  weft_table_builder_set_string (builder, NAME, weft_annotated_code_get_name (code, code->symbol));
  weft_table_builder_set_uint64 (builder, MODULE,
                                 weft_row_table_get (symbols, WEFT_SYMBOLS_MODULE, code->symbol));
  weft_table_builder_set_string (builder, MODULE_NAME,
                                 weft_annotated_code_get_module_name (code, code->symbol));
  weft_table_builder_set_string (
      builder, FILE_NAME, weft_row_table_get_string (symbols, WEFT_SYMBOLS_FILE, code->symbol));
  if (weft_row_table_get (symbols, WEFT_SYMBOLS_LINE, code->symbol) != 0)
    weft_table_builder_set_uint64 (builder, LINE,
                                   weft_row_table_get (symbols, WEFT_SYMBOLS_LINE, code->symbol));
  if (code->bytes != NULL)
    {
      weft_table_builder_set_uint64 (builder, OFFSET, code->offset);
      weft_table_builder_set_uint64 (builder, SIZE, g_bytes_get_size (code->bytes));
    }
  weft_table_builder_set_string (builder, ARCHITECTURE, code->architecture);
  weft_table_builder_set_uint64 (builder, SAMPLES, code->cost.count);
  weft_table_builder_set_uint64 (builder, SELF, code->cost.self);
  weft_table_builder_set_uint64 (builder, TOTAL, code->cost.total);
  weft_table_builder_set_double (builder, SHARE, get_share (code->cost.self, code->whole));
  weft_table_builder_set_uint64 (builder, INLINED_ELSEWHERE, code->elsewhere);
  weft_table_builder_set_uint64 (builder, INLINED, code->is_inlined);
  weft_table_builder_set_string (builder, VIEW, choose_view (self));
  weft_table_builder_set_hint (builder, hint);
  weft_answer_add_table (report, builder);
  return TRUE;
}

/* ---- Lines ---- */

enum
{
  LINE_DEPTH,
  LINE_NUMBER,
  LINE_FILE,
  LINE_FUNCTION,
  LINE_SAMPLES,
  LINE_SELF,
  LINE_TOTAL,
  LINE_SHARE,
  LINE_TEXT,
  N_LINE_COLUMNS
};

static const WeftAnswerColumn line_columns[] = {
  [LINE_DEPTH] = WEFT_ANSWER_COLUMN ("depth", UINT64),
  [LINE_NUMBER] = WEFT_ANSWER_COLUMN ("line", UINT64),
  [LINE_FILE] = WEFT_ANSWER_COLUMN ("file", STRING),
  [LINE_FUNCTION] = WEFT_ANSWER_COLUMN ("function", STRING),
  [LINE_SAMPLES] = WEFT_ANSWER_COLUMN ("samples", UINT64),
  [LINE_SELF] = WEFT_ANSWER_COLUMN ("self", DURATION),
  [LINE_TOTAL] = WEFT_ANSWER_COLUMN ("total", DURATION),
  [LINE_SHARE] = WEFT_ANSWER_UNIT ("share", DOUBLE, "ratio"),
  [LINE_TEXT] = WEFT_ANSWER_COLUMN ("text", STRING),
};

/* What is inlined into a line comes after it, and of that what has most time first. */
static int
compare_lines (gconstpointer a, gconstpointer b, gpointer data)
{
  const Annotation *self = data;
  guint32 left = *(const guint32 *) a, right = *(const guint32 *) b;
  const WeftCodeLine *one = get_line (self, left);
  const WeftCodeLine *other = get_line (self, right);

  if (one->parent != other->parent)
    return one->parent < other->parent ? -1 : 1;
  if (one->parent == 0 && one->file != other->file)
    return strcmp (get_file (self, one->file) ? get_file (self, one->file) : "",
                   get_file (self, other->file) ? get_file (self, other->file) : "");
  if (one->parent != 0 && one->cost.total != other->cost.total)
    return one->cost.total > other->cost.total ? -1 : 1;
  if (one->line != other->line)
    return one->line < other->line ? -1 : 1;
  return left < right ? -1 : left > right;
}

static void
write_line (const Annotation *self, WeftTableBuilder *builder, const WeftCodeLine *line)
{
  weft_table_builder_begin_row (builder);
  weft_table_builder_set_uint64 (builder, LINE_DEPTH, line->depth);
  if (line->line != 0)
    weft_table_builder_set_uint64 (builder, LINE_NUMBER, line->line);
  weft_table_builder_set_string (builder, LINE_FILE, get_file (self, line->file));
  weft_table_builder_set_string (
      builder, LINE_FUNCTION,
      line->depth == 0 ? NULL : weft_annotated_code_get_name (self->code, line->symbol));
  weft_table_builder_set_uint64 (builder, LINE_SAMPLES, line->cost.count);
  weft_table_builder_set_uint64 (builder, LINE_SELF, line->cost.self);
  weft_table_builder_set_uint64 (builder, LINE_TOTAL, line->cost.total);
  weft_table_builder_set_double (builder, LINE_SHARE,
                                 get_share (line->cost.self, self->code->cost.self));
  weft_table_builder_set_string (builder, LINE_TEXT, get_text (self, line->file, line->line));
}

/* Lines of the file between those that have code, where that is not too far. */
static void
write_between (const Annotation *self, WeftTableBuilder *builder, guint32 file, guint64 first,
               guint64 end)
{
  if (end - first > MAX_LINES)
    return;
  for (guint64 number = first; number < end; number++)
    {
      const WeftCodeLine line = { .file = file, .line = number };

      if (get_text (self, file, number) != NULL)
        write_line (self, builder, &line);
    }
}

typedef struct
{
  guint32 *order; /* lines, those of one parent together */
  guint32 *first; /* place of the first of each parent's */
  guint32 *n;
} LineTree;

static void
write_below (const Annotation *self, WeftTableBuilder *builder, const LineTree *tree,
             guint32 parent)
{
  for (guint32 i = 0; i < tree->n[parent]; i++)
    {
      guint32 line = tree->order[tree->first[parent] + i];

      write_line (self, builder, get_line (self, line));
      /* No deeper than lines are inlined into one another: each row has one level. */
      write_below (self, builder, tree, line);
    }
}

static void
write_lines (const Annotation *self, WeftTableBuilder *builder, const LineTree *tree)
{
  guint32 file = 0;
  guint64 next = 0;

  for (guint32 i = 0; i < tree->n[0]; i++)
    {
      guint32 number = tree->order[tree->first[0] + i];
      const WeftCodeLine *line = get_line (self, number);

      if (i > 0 && line->file == file && line->line > next)
        write_between (self, builder, file, next, line->line);
      file = line->file;
      next = line->line + 1;
      write_line (self, builder, line);
      write_below (self, builder, tree, number);
    }
}

static void
add_lines (const Annotation *self, WeftReport *report)
{
  guint n = self->code->lines->len;
  g_autofree guint32 *order = g_new (guint32, n);
  g_autofree guint32 *first = g_new0 (guint32, n);
  g_autofree guint32 *counts = g_new0 (guint32, n);
  const LineTree tree = { order, first, counts };
  WeftTableBuilder *builder = weft_answer_begin_table ("lines", line_columns, N_LINE_COLUMNS);

  for (guint32 i = 1; i < n; i++)
    {
      order[i - 1] = i;
      counts[get_line (self, i)->parent]++;
    }
  g_qsort_with_data (order, (int) n - 1, sizeof *order, compare_lines, (gpointer) self);
  for (guint32 i = n - 1; i-- > 0;)
    first[get_line (self, order[i])->parent] = i;
  write_lines (self, builder, &tree);
  weft_answer_add_table (report, builder);
}

/* ---- Instructions ---- */

enum
{
  CODE_ADDRESS,
  CODE_BYTES,
  CODE_TEXT,
  CODE_TARGET,
  CODE_TARGET_NAME,
  CODE_SAMPLES,
  CODE_SELF,
  CODE_TOTAL,
  CODE_SHARE,
  CODE_DEPTH,
  CODE_FUNCTION,
  CODE_FILE,
  CODE_LINE,
  CODE_SOURCE,
  N_CODE_COLUMNS
};

static const WeftAnswerColumn code_columns[] = {
  [CODE_ADDRESS] = WEFT_ANSWER_COLUMN ("address", UINT64),
  [CODE_BYTES] = WEFT_ANSWER_COLUMN ("bytes", STRING),
  [CODE_TEXT] = WEFT_ANSWER_COLUMN ("text", STRING),
  [CODE_TARGET] = WEFT_ANSWER_ID ("target", "sym"),
  [CODE_TARGET_NAME] = WEFT_ANSWER_COLUMN ("target_name", STRING),
  [CODE_SAMPLES] = WEFT_ANSWER_COLUMN ("samples", UINT64),
  [CODE_SELF] = WEFT_ANSWER_COLUMN ("self", DURATION),
  [CODE_TOTAL] = WEFT_ANSWER_COLUMN ("total", DURATION),
  [CODE_SHARE] = WEFT_ANSWER_UNIT ("share", DOUBLE, "ratio"),
  [CODE_DEPTH] = WEFT_ANSWER_COLUMN ("depth", UINT64),
  [CODE_FUNCTION] = WEFT_ANSWER_COLUMN ("function", STRING),
  [CODE_FILE] = WEFT_ANSWER_COLUMN ("file", STRING),
  [CODE_LINE] = WEFT_ANSWER_COLUMN ("line", UINT64),
  [CODE_SOURCE] = WEFT_ANSWER_COLUMN ("source", STRING),
};

typedef struct
{
  guint64 offset;
  guint64 size;
  guint64 symbol;
} Place;

static int
compare_places (gconstpointer a, gconstpointer b)
{
  const Place *left = a;
  const Place *right = b;

  if (left->offset != right->offset)
    return left->offset < right->offset ? -1 : 1;
  return left->symbol < right->symbol ? -1 : left->symbol > right->symbol;
}

/* Functions of the same file by their addresses; element type Place. */
static GArray *
list_places (const Annotation *self)
{
  const WeftRowTable *symbols = self->code->symbols;
  guint64 module = weft_row_table_get (symbols, WEFT_SYMBOLS_MODULE, self->code->symbol);
  GArray *places = g_array_new (FALSE, FALSE, sizeof (Place));

  for (guint64 i = 0; i < weft_row_table_get_n_rows (symbols); i++)
    {
      guint64 symbol = weft_row_table_get_number (symbols, i);
      Place place = { weft_row_table_get (symbols, WEFT_SYMBOLS_OFFSET, symbol),
                      weft_row_table_get (symbols, WEFT_SYMBOLS_SIZE, symbol), symbol };

      if (place.offset != 0 && weft_row_table_get (symbols, WEFT_SYMBOLS_MODULE, symbol) == module)
        g_array_append_val (places, place);
    }
  g_array_sort (places, compare_places);
  return places;
}

static const Place *
find_place (const GArray *places, guint64 address)
{
  guint low = 0;
  guint high = places->len;
  const Place *found;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (g_array_index (places, Place, middle).offset <= address)
        low = middle + 1;
      else
        high = middle;
    }
  found = low == 0 ? NULL : &g_array_index (places, Place, low - 1);
  return found != NULL && (address - found->offset < found->size || address == found->offset)
             ? found
             : NULL;
}

static char *
print_bytes (const WeftAnnotatedCode *code, const WeftInstruction *instruction)
{
  const guint8 *bytes = g_bytes_get_data (code->bytes, NULL);
  GString *text = g_string_new (NULL);

  for (guint32 i = 0; i < instruction->size; i++)
    g_string_append_printf (text, "%s%02x", i > 0 ? " " : "",
                            bytes[instruction->address - code->offset + i]);
  return g_string_free (text, FALSE);
}

static void
set_target (const Annotation *self, WeftTableBuilder *builder, const GArray *places,
            const WeftInstruction *instruction)
{
  const Place *place = instruction->has_target ? find_place (places, instruction->target) : NULL;
  const char *name;
  g_autofree char *text = NULL;

  if (place == NULL)
    return;
  name = weft_annotated_code_get_name (self->code, place->symbol);
  text = instruction->target == place->offset
             ? g_strdup (name)
             : g_strdup_printf ("%s+0x%" G_GINT64_MODIFIER "x", name ? name : "",
                                instruction->target - place->offset);
  weft_table_builder_set_uint64 (builder, CODE_TARGET, place->symbol);
  weft_table_builder_set_string (builder, CODE_TARGET_NAME, text);
}

static void
set_place (const Annotation *self, WeftTableBuilder *builder, guint64 address)
{
  guint32 number = weft_annotated_code_find_line (self->code, address);
  const WeftCodeLine *line = get_line (self, number);

  if (number == 0)
    return;
  weft_table_builder_set_uint64 (builder, CODE_DEPTH, line->depth);
  if (line->depth > 0)
    weft_table_builder_set_string (builder, CODE_FUNCTION,
                                   weft_annotated_code_get_name (self->code, line->symbol));
  weft_table_builder_set_string (builder, CODE_FILE, get_file (self, line->file));
  if (line->line != 0)
    weft_table_builder_set_uint64 (builder, CODE_LINE, line->line);
  weft_table_builder_set_string (builder, CODE_SOURCE, get_text (self, line->file, line->line));
}

static void
add_instructions (const Annotation *self, WeftReport *report)
{
  const WeftAnnotatedCode *code = self->code;
  g_autoptr (GArray) places = list_places (self);
  WeftTableBuilder *builder =
      weft_answer_begin_table ("instructions", code_columns, N_CODE_COLUMNS);

  for (guint i = 0; i < code->instructions->len; i++)
    {
      const WeftInstruction *instruction = &g_array_index (code->instructions, WeftInstruction, i);
      const WeftPlaceCost *cost = &g_array_index (code->costs, WeftPlaceCost, i);
      g_autofree char *bytes = print_bytes (code, instruction);

      weft_table_builder_begin_row (builder);
      weft_table_builder_set_uint64 (builder, CODE_ADDRESS, instruction->address);
      weft_table_builder_set_string (builder, CODE_BYTES, bytes);
      weft_table_builder_set_string (builder, CODE_TEXT, instruction->text);
      set_target (self, builder, places, instruction);
      weft_table_builder_set_uint64 (builder, CODE_SAMPLES, cost->count);
      weft_table_builder_set_uint64 (builder, CODE_SELF, cost->self);
      weft_table_builder_set_uint64 (builder, CODE_TOTAL, cost->total);
      weft_table_builder_set_double (builder, CODE_SHARE, get_share (cost->self, code->cost.self));
      set_place (self, builder, instruction->address);
    }
  weft_answer_add_table (report, builder);
}

/* ---- Running ---- */

static gboolean
run_annotate (const WeftAnalysisScope *scope, WeftReport *report, GError **error)
{
  g_auto (Annotation) self = { .scope = scope };
  const char *view;

  self.sources = g_hash_table_new_full (NULL, NULL, NULL, free_lines);
  self.code = weft_annotated_code_new (scope, scope->handle, error);
  if (self.code == NULL || !read_sources (&self, error) || !read_routine_source (&self, error) ||
      !add_function (&self, report, error))
    return FALSE;
  view = choose_view (&self);
  if (strcmp (view, "assembly") != 0)
    add_lines (&self, report);
  if (strcmp (view, "source") != 0)
    add_instructions (&self, report);
  return TRUE;
}

static const char *const modes[] = { "mixed", "source", "assembly", NULL };

const WeftAnalysisKind weft_analyze_annotate = {
  .name = "annotate",
  .summary = "A function's source and instructions, with what each costs",
  .run = run_annotate,
  .options = WEFT_ANALYSIS_OPTION_FILTER | WEFT_ANALYSIS_OPTION_RANGE |
             WEFT_ANALYSIS_OPTION_HANDLE | WEFT_ANALYSIS_OPTION_MODE,
  .single = TRUE,
  .modes = modes,
};
