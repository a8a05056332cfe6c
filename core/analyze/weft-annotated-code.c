/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-annotated-code.h"

#include <string.h>

#include "weft-answer.h"
#include "weft-key-map.h"
#include "weft-name-patterns.h"
#include "weft-row-cursor.h"
#include "weft-stack-costs.h"

/* Frames that are walked; only a file made to be slow has more. */
#define MAX_STEPS (G_GUINT64_CONSTANT (1) << 31)
/* What a file says beyond is told of the place around. */
#define MAX_INLINED 64

/* What samples say of a function, whichever it is. */
typedef struct
{
  guint64 self;      /* of its code, whatever is inlined there */
  guint64 innermost; /* as what is inlined furthest in */
  gboolean has_frames;
  gboolean is_inlined;
  guint64 code; /* row of its code; 0: none */
} Use;

typedef struct
{
  WeftAnnotatedCode *self;
  WeftStackCosts costs;
  GHashTable *uses;  /* symbol → Use */
  WeftKeyMap files;  /* (symbol, file) → number */
  WeftKeyMap places; /* (parent, the number) → number */
  WeftKeyMap lines;  /* (the number, line) → line */
} Search;

static void
search_clear (Search *search)
{
  weft_stack_costs_clear (&search->costs);
  g_clear_pointer (&search->uses, g_hash_table_unref);
  weft_key_map_clear (&search->files);
  weft_key_map_clear (&search->places);
  weft_key_map_clear (&search->lines);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Search, search_clear)

/* ---- Which functions there are ---- */

static Use *
get_use (Search *search, guint64 symbol)
{
  Use *use = g_hash_table_lookup (search->uses, &symbol);

  if (use == NULL)
    {
      use = g_new0 (Use, 1);
      g_hash_table_insert (search->uses, g_memdup2 (&symbol, sizeof symbol), use);
    }
  return use;
}

static void
use_frames (Search *search)
{
  const WeftStackCosts *costs = &search->costs;

  for (guint32 i = 1; i <= weft_callchain_reader_get_n_frames (costs->callchains); i++)
    for (guint32 told = costs->facts[i].first, first = told; told != 0;
         told = weft_stack_costs_get_told (costs, told)->next)
      {
        Use *use = get_use (search, weft_stack_costs_get_told (costs, told)->symbol);

        use->has_frames |= told == first;
        use->is_inlined |= told != first;
      }
}

static void
use_samples (Search *search)
{
  const WeftStackCosts *costs = &search->costs;

  for (guint32 i = 1; i <= weft_callchain_reader_get_n_nodes (costs->callchains); i++)
    {
      const WeftFrameFacts *facts = weft_stack_costs_get_facts (costs, i);

      if (costs->costs[i].time == 0 || facts->first == 0)
        continue;
      get_use (search, weft_stack_costs_get_told (costs, facts->first)->symbol)->self +=
          costs->costs[i].time;
      get_use (search, weft_stack_costs_get_told (costs, facts->last)->symbol)->innermost +=
          costs->costs[i].time;
    }
}

static gboolean
use_code (Search *search, GError **error)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (search->costs.scope, WEFT_TABLE_CODE);

  while (weft_row_cursor_next (rows))
    {
      guint64 symbol =
          weft_stack_costs_get_same (&search->costs, weft_row_cursor_get (rows, WEFT_CODE_SYMBOL));

      if (symbol != 0)
        get_use (search, symbol)->code = weft_row_cursor_get_number (rows);
    }
  return weft_row_cursor_finish (rows, error);
}

/* ---- Which one is meant ---- */

static const char *
get_symbol_text (const Search *search, WeftColumnNumber column, guint64 symbol)
{
  const char *text = weft_row_table_get_string (search->costs.symbols, column, symbol);

  return text ? text : "";
}

/* "std::sort" is "std::sort<int*>(int*, int*)" too. */
static gboolean
begins_name (const char *name, const char *wanted)
{
  gsize length = strlen (wanted);

  return strncmp (name, wanted, length) == 0 && (name[length] == '(' || name[length] == '<');
}

typedef gboolean (*FitsFunc) (const Search *search, guint64 symbol, gpointer data, GError **error);

static gboolean
fits_exactly (const Search *search, guint64 symbol, gpointer data, GError **error)
{
  return strcmp (get_symbol_text (search, WEFT_SYMBOLS_NAME, symbol), data) == 0 ||
         strcmp (get_symbol_text (search, WEFT_SYMBOLS_LINKAGE_NAME, symbol), data) == 0;
}

static gboolean
fits_begin (const Search *search, guint64 symbol, gpointer data, GError **error)
{
  return begins_name (get_symbol_text (search, WEFT_SYMBOLS_NAME, symbol), data);
}

static gboolean
fits_pattern (const Search *search, guint64 symbol, gpointer data, GError **error)
{
  gboolean fits = FALSE;

  return weft_name_patterns_match (data, get_symbol_text (search, WEFT_SYMBOLS_NAME, symbol), &fits,
                                   error) &&
         fits;
}

typedef struct
{
  guint64 symbol;
  const Use *use;
} Candidate;

static int
compare_candidates (gconstpointer a, gconstpointer b)
{
  const Candidate *left = a;
  const Candidate *right = b;
  guint64 of_left = MAX (left->use->self, left->use->innermost);
  guint64 of_right = MAX (right->use->self, right->use->innermost);

  if (of_left != of_right)
    return of_left > of_right ? -1 : 1;
  return left->symbol < right->symbol ? -1 : left->symbol > right->symbol;
}

/* Element type Candidate, those with most time first. Where some have code of their own, those that
 * are only inlined are no candidates.
 */
static GArray *
find_candidates (Search *search, FitsFunc fits, gpointer data, GError **error)
{
  GArray *found = g_array_new (FALSE, FALSE, sizeof (Candidate));
  gboolean has_frames = FALSE;
  GHashTableIter iter;
  gpointer symbol, use;
  GError *failure = NULL;

  g_hash_table_iter_init (&iter, search->uses);
  while (g_hash_table_iter_next (&iter, &symbol, &use) && failure == NULL)
    if (fits (search, *(guint64 *) symbol, data, &failure))
      {
        Candidate candidate = { *(guint64 *) symbol, use };

        g_array_append_val (found, candidate);
        has_frames |= candidate.use->has_frames || candidate.use->code != 0;
      }
  for (guint i = found->len; has_frames && i-- > 0;)
    {
      const Candidate *candidate = &g_array_index (found, Candidate, i);

      if (!candidate->use->has_frames && candidate->use->code == 0)
        g_array_remove_index (found, i);
    }
  g_array_sort (found, compare_candidates);
  if (failure != NULL)
    g_propagate_error (error, failure);
  return found;
}

#define MAX_NAMED 12

static void
complain_of_many (const Search *search, const char *name, const GArray *found, GError **error)
{
  g_autoptr (GString) list = g_string_new (NULL);

  for (guint i = 0; i < MIN (found->len, MAX_NAMED); i++)
    {
      guint64 symbol = g_array_index (found, Candidate, i).symbol;
      const char *module = weft_annotated_code_get_module_name (search->self, symbol);

      g_string_append_printf (list, "%ssym-%" G_GUINT64_FORMAT " %s (%s)", i > 0 ? ", " : "",
                              symbol, get_symbol_text (search, WEFT_SYMBOLS_NAME, symbol),
                              module ? module : "no known file");
    }
  if (found->len > MAX_NAMED)
    g_string_append_printf (list, " and %u more", found->len - MAX_NAMED);
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY,
               "“%s” may be one of several functions; ask for one of them by its handle: %s", name,
               list->str);
}

static gboolean
choose_named (Search *search, const char *name, GError **error)
{
  const char *const texts[] = { name, NULL };
  g_autoptr (WeftNamePatterns) patterns = weft_name_patterns_new (texts, error);
  const struct
  {
    FitsFunc fits;
    gconstpointer data;
  } ways[] = { { fits_exactly, name }, { fits_begin, name }, { fits_pattern, patterns } };

  if (patterns == NULL)
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (ways); i++)
    {
      GError *failure = NULL;
      g_autoptr (GArray) found =
          find_candidates (search, ways[i].fits, (gpointer) ways[i].data, &failure);

      if (failure != NULL)
        {
          g_propagate_error (error, failure);
          return FALSE;
        }
      if (found->len == 1)
        search->self->symbol = g_array_index (found, Candidate, 0).symbol;
      else if (found->len > 1)
        complain_of_many (search, name, found, error);
      if (found->len > 0)
        return found->len == 1;
    }
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_NO_SUCH_OBJECT,
               "No stack of the recording has a function called “%s”; “weft top” lists those that "
               "ran",
               name);
  return FALSE;
}

static gboolean
is_any (const Search *search, guint64 symbol, gpointer data, GError **error)
{
  return TRUE;
}

/* The one with most time of its own that has code; else the one with most time. */
static gboolean
choose_hottest (Search *search, GError **error)
{
  g_autoptr (GArray) found = find_candidates (search, is_any, NULL, error);
  guint chosen = 0;

  if (found->len == 0 || g_array_index (found, Candidate, 0).use->self == 0)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_NO_SUCH_OBJECT,
                   "No sample of the recording is in a function with a name%s; “weft diagnose” "
                   "tells why",
                   search->costs.whole.count == 0 ? ": there are no CPU samples" : "");
      return FALSE;
    }
  for (guint i = 0; i < found->len; i++)
    if (g_array_index (found, Candidate, i).use->code != 0 &&
        g_array_index (found, Candidate, i).use->self > 0)
      {
        chosen = i;
        break;
      }
  search->self->symbol = g_array_index (found, Candidate, chosen).symbol;
  if (chosen > 0)
    search->self->hotter = g_array_index (found, Candidate, 0).symbol;
  return TRUE;
}

static gboolean
choose_function (Search *search, const char *handle, GError **error)
{
  guint64 symbol;

  if (handle == NULL)
    return choose_hottest (search, error);
  if (!g_str_has_prefix (handle, "sym-") ||
      !g_ascii_string_to_unsigned (handle + 4, 10, 1, G_MAXUINT64, &symbol, NULL))
    return choose_named (search, handle, error);
  search->self->symbol = weft_stack_costs_get_same (&search->costs, symbol);
  if (search->self->symbol != 0)
    return TRUE;
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_NO_SUCH_OBJECT, "There is no symbol %s", handle);
  return FALSE;
}

/* ---- Lines ---- */

static WeftCodeLine *
get_line (const WeftAnnotatedCode *self, guint32 line)
{
  return &g_array_index (self->lines, WeftCodeLine, line);
}

static guint32
add_line (Search *search, guint32 parent, guint64 symbol, guint32 file, guint64 line)
{
  WeftAnnotatedCode *self = search->self;
  guint32 of_file;
  guint32 of_place;
  guint32 found;
  WeftCodeLine added = { .parent = parent, .symbol = symbol, .file = file, .line = (guint32) line };

  if (parent != 0 && get_line (self, parent)->depth >= MAX_INLINED)
    return parent;
  of_file = weft_key_map_add (&search->files, symbol << 32 | file, (guint32) search->files.n);
  of_place = weft_key_map_add (&search->places, (guint64) parent << 32 | of_file,
                               (guint32) search->places.n);
  found = weft_key_map_add (&search->lines, (guint64) of_place << 32 | (guint32) line,
                            self->lines->len);
  if (found < self->lines->len)
    return found;
  added.depth = parent == 0 ? 0 : get_line (self, parent)->depth + 1;
  g_array_append_val (self->lines, added);
  return found;
}

static int
compare_stretches (gconstpointer a, gconstpointer b)
{
  const WeftCodeStretch *left = a;
  const WeftCodeStretch *right = b;

  return left->address < right->address ? -1 : left->address > right->address;
}

static gboolean
read_lines (Search *search, GError **error)
{
  WeftAnnotatedCode *self = search->self;
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_CODE_LINES);
  guint32 line = 0;

  weft_row_cursor_where (rows, WEFT_CODE_LINES_CODE, self->code);
  while (weft_row_cursor_next (rows))
    {
      WeftCodeStretch stretch = { weft_row_cursor_get (rows, WEFT_CODE_LINES_OFFSET), 0 };
      gboolean is_outermost = weft_row_cursor_get (rows, WEFT_CODE_LINES_DEPTH) == 0;
      guint64 symbol = weft_stack_costs_get_same (
          &search->costs, weft_row_cursor_get (rows, WEFT_CODE_LINES_SYMBOL));

      line = add_line (search, is_outermost ? 0 : line, symbol,
                       (guint32) weft_row_cursor_get (rows, WEFT_CODE_LINES_FILE),
                       weft_row_cursor_get (rows, WEFT_CODE_LINES_LINE));
      stretch.line = line;
      if (is_outermost || self->stretches->len == 0)
        g_array_append_val (self->stretches, stretch);
      else
        g_array_index (self->stretches, WeftCodeStretch, self->stretches->len - 1).line = line;
    }
  g_array_sort (self->stretches, compare_stretches);
  return weft_row_cursor_finish (rows, error);
}

guint32
weft_annotated_code_find_line (const WeftAnnotatedCode *self, guint64 address)
{
  guint low = 0;
  guint high = self->stretches->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (g_array_index (self->stretches, WeftCodeStretch, middle).address <= address)
        low = middle + 1;
      else
        high = middle;
    }
  return low == 0 ? 0 : g_array_index (self->stretches, WeftCodeStretch, low - 1).line;
}

/* ---- Code ---- */

static gboolean
read_code (Search *search, GError **error)
{
  WeftAnnotatedCode *self = search->self;
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_CODE);
  GError *failure = NULL;
  guint64 blob;

  self->code = get_use (search, self->symbol)->code;
  if (self->code == 0 || !weft_row_cursor_seek (rows, self->code))
    return weft_row_cursor_finish (rows, error);
  self->offset = weft_row_cursor_get (rows, WEFT_CODE_OFFSET);
  self->architecture = weft_row_cursor_get_string (rows, WEFT_CODE_ARCHITECTURE);
  blob = weft_row_cursor_get (rows, WEFT_CODE_BYTES);
  if (blob != 0 && blob <= G_MAXUINT32)
    self->bytes = weft_store_get_blob (self->scope->store, (guint32) blob, &failure);
  if (failure == NULL)
    return weft_row_cursor_finish (rows, error) && read_lines (search, error);
  weft_propagate_store_error (error, failure);
  return FALSE;
}

static int
compare_addresses (gconstpointer a, gconstpointer b)
{
  const guint64 left = *(const guint64 *) a;
  const guint64 right = *(const guint64 *) b;

  return left < right ? -1 : left > right;
}

/* Addresses at which something begins, whatever the code says. */
static GArray *
list_marks (Search *search)
{
  const WeftStackCosts *costs = &search->costs;
  GArray *marks = g_array_new (FALSE, FALSE, sizeof (guint64));

  for (guint i = 0; i < search->self->stretches->len; i++)
    g_array_append_val (marks, g_array_index (search->self->stretches, WeftCodeStretch, i).address);
  for (guint32 i = 1; i <= weft_callchain_reader_get_n_frames (costs->callchains); i++)
    if (costs->facts[i].first != 0 &&
        weft_stack_costs_get_told (costs, costs->facts[i].first)->symbol == search->self->symbol)
      g_array_append_val (marks, costs->facts[i].offset);
  g_array_sort (marks, compare_addresses);
  return marks;
}

static void
read_instructions (Search *search)
{
  WeftAnnotatedCode *self = search->self;
  g_autoptr (GArray) marks = NULL;
  const guint8 *bytes;
  gsize length;

  if (self->bytes == NULL)
    return;
  marks = list_marks (search);
  bytes = g_bytes_get_data (self->bytes, &length);
  g_clear_pointer (&self->instructions, g_array_unref);
  self->instructions = weft_disassemble (self->architecture, bytes, length, self->offset, marks);
  g_array_set_size (self->costs, self->instructions->len);
}

static WeftPlaceCost *
find_instruction (WeftAnnotatedCode *self, guint64 address)
{
  guint low = 0;
  guint high = self->instructions->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;
      const WeftInstruction *row = &g_array_index (self->instructions, WeftInstruction, middle);

      if (address < row->address)
        high = middle;
      else if (address - row->address >= row->size)
        low = middle + 1;
      else
        return &g_array_index (self->costs, WeftPlaceCost, middle);
    }
  return NULL;
}

/* ---- Costs ---- */

/* A stack as a whole, of which places are looked at. */
typedef struct
{
  guint32 stamp;
  WeftStackCost cost;
} Stack;

static void
add_cost (WeftPlaceCost *place, const Stack *stack, gboolean is_innermost)
{
  if (place->stamp != stack->stamp)
    place->total += stack->cost.time;
  place->stamp = stack->stamp;
  if (!is_innermost)
    return;
  place->self += stack->cost.time;
  place->count += stack->cost.count;
}

static void
add_frame (Search *search, const Stack *stack, const WeftFrameFacts *facts, guint32 told,
           gboolean is_innermost)
{
  WeftAnnotatedCode *self = search->self;
  WeftPlaceCost *instruction =
      self->is_inlined ? NULL : find_instruction (self, weft_frame_facts_get_address (facts));
  guint32 line = 0;

  add_cost (&self->cost, stack, is_innermost);
  if (instruction != NULL)
    add_cost (instruction, stack, is_innermost);
  for (; told != 0; told = weft_stack_costs_get_told (&search->costs, told)->next)
    {
      const WeftFrameTold *place = weft_stack_costs_get_told (&search->costs, told);

      line = add_line (search, line, place->symbol, place->file, place->line);
      add_cost (&get_line (self, line)->cost, stack, is_innermost);
    }
}

/* What of FACTS is in the function: the function itself, or where it is inlined; 0 if nothing is.
 */
static guint32
find_told (const Search *search, const WeftFrameFacts *facts)
{
  const WeftStackCosts *costs = &search->costs;
  guint32 told = facts->first;

  while (told != 0 && weft_stack_costs_get_told (costs, told)->symbol != search->self->symbol)
    told = search->self->is_inlined ? weft_stack_costs_get_told (costs, told)->next : 0;
  return told;
}

/* Whether it is the function too, inlined into another: the row of that may be another one. */
static gboolean
is_elsewhere (const Search *search, const WeftFrameFacts *facts)
{
  const WeftRowTable *symbols = search->costs.symbols;
  guint64 symbol = search->self->symbol;
  guint32 told = facts->first;

  for (told = told ? weft_stack_costs_get_told (&search->costs, told)->next : 0; told != 0;
       told = weft_stack_costs_get_told (&search->costs, told)->next)
    {
      guint64 other = weft_stack_costs_get_told (&search->costs, told)->symbol;

      if (weft_row_table_get (symbols, WEFT_SYMBOLS_NAME, other) ==
              weft_row_table_get (symbols, WEFT_SYMBOLS_NAME, symbol) &&
          weft_row_table_get (symbols, WEFT_SYMBOLS_MODULE, other) ==
              weft_row_table_get (symbols, WEFT_SYMBOLS_MODULE, symbol))
        return TRUE;
    }
  return FALSE;
}

static void
count_stack (Search *search, guint32 innermost)
{
  const WeftStackCosts *costs = &search->costs;
  const Stack stack = { innermost, costs->costs[innermost] };

  for (guint32 at = innermost; at != 0;
       at = weft_callchain_reader_get_parent (costs->callchains, at))
    {
      const WeftFrameFacts *facts = weft_stack_costs_get_facts (costs, at);
      guint32 told = find_told (search, facts);

      if (told != 0)
        add_frame (search, &stack, facts, told, at == innermost);
      else if (at == innermost && !search->self->is_inlined && is_elsewhere (search, facts))
        search->self->elsewhere += stack.cost.time;
    }
}

static gboolean
count_stacks (Search *search, GError **error)
{
  const WeftStackCosts *costs = &search->costs;

  guint64 n_steps = 0;

  for (guint32 i = 1; i <= weft_callchain_reader_get_n_nodes (costs->callchains); i++)
    {
      n_steps +=
          costs->costs[i].count > 0 ? weft_callchain_reader_get_depth (costs->callchains, i) : 0;
      if (n_steps > MAX_STEPS)
        {
          g_set_error_literal (
              error, WEFT_ERROR, WEFT_ERROR_TOO_LARGE,
              "The stacks are too many and too deep; ask for a range, or with a filter");
          return FALSE;
        }
      if (i % 4096 == 0 && g_cancellable_set_error_if_cancelled (costs->scope->cancellable, error))
        return FALSE;
      if (costs->costs[i].count > 0)
        count_stack (search, i);
    }
  search->self->whole = costs->whole.time;
  return TRUE;
}

/* ---- All of it ---- */

static void
annotated_code_init (WeftAnnotatedCode *self, const WeftAnalysisScope *scope)
{
  self->scope = scope;
  self->stretches = g_array_new (FALSE, FALSE, sizeof (WeftCodeStretch));
  self->lines = g_array_new (FALSE, TRUE, sizeof (WeftCodeLine));
  self->instructions = g_array_new (FALSE, FALSE, sizeof (WeftInstruction));
  self->costs = g_array_new (FALSE, TRUE, sizeof (WeftPlaceCost));
  g_array_set_size (self->lines, 1);
}

static gboolean
search_init (Search *search, WeftAnnotatedCode *self, GError **error)
{
  static const WeftColumnNumber modules[] = { WEFT_MODULES_NAME };

  *search = (Search){ .self = self };
  weft_key_map_init (&search->files);
  weft_key_map_init (&search->places);
  weft_key_map_init (&search->lines);
  search->uses = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  self->modules =
      weft_row_table_new (self->scope, WEFT_TABLE_MODULES, modules, G_N_ELEMENTS (modules), error);
  return self->modules != NULL && weft_stack_costs_init (&search->costs, self->scope, error);
}

static gboolean
annotate (Search *search, const char *handle, GError **error)
{
  WeftAnnotatedCode *self = search->self;
  const Use *use;

  use_frames (search);
  use_samples (search);
  if (!use_code (search, error) || !choose_function (search, handle, error) ||
      !read_code (search, error))
    return FALSE;
  use = get_use (search, self->symbol);
  self->is_inlined = !use->has_frames && use->is_inlined && use->code == 0;
  read_instructions (search);
  return count_stacks (search, error);
}

WeftAnnotatedCode *
weft_annotated_code_new (const WeftAnalysisScope *scope, const char *handle, GError **error)
{
  g_autoptr (WeftAnnotatedCode) self = g_new0 (WeftAnnotatedCode, 1);
  g_auto (Search) search = { 0 };
  gboolean done;

  annotated_code_init (self, scope);
  if (!search_init (&search, self, error))
    return NULL;
  self->symbols = search.costs.symbols;
  done = annotate (&search, handle, error);
  search.costs.symbols = NULL;
  return done ? g_steal_pointer (&self) : NULL;
}

void
weft_annotated_code_free (WeftAnnotatedCode *self)
{
  g_clear_pointer (&self->symbols, weft_row_table_free);
  g_clear_pointer (&self->modules, weft_row_table_free);
  g_clear_pointer (&self->bytes, g_bytes_unref);
  g_array_unref (self->stretches);
  g_array_unref (self->lines);
  g_array_unref (self->instructions);
  g_array_unref (self->costs);
  g_free (self);
}

const char *
weft_annotated_code_get_name (const WeftAnnotatedCode *self, guint64 symbol)
{
  return weft_row_table_get_string (self->symbols, WEFT_SYMBOLS_NAME, symbol);
}

const char *
weft_annotated_code_get_module_name (const WeftAnnotatedCode *self, guint64 symbol)
{
  return weft_row_table_get_string (
      self->modules, WEFT_MODULES_NAME,
      weft_row_table_get (self->symbols, WEFT_SYMBOLS_MODULE, symbol));
}
