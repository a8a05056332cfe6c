/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Sources: all of them, or one with its lines and the time of the dispatches that ran them. */

#include "weft-analysis-scope.h"
#include "weft-analyze.h"
#include "weft-answer.h"
#include "weft-argument-rows.h"
#include "weft-dispatch-stream.h"
#include "weft-ranking.h"
#include "weft-row-table.h"

#include <string.h>

static const char *const orders[] = { "source", "time", "count", NULL };

enum
{
  HANDLE,
  PATH,
  LANGUAGE,
  HASH,
  HAS_TEXT,
  BYTES,
  FLAVOUR,
  BUILD_FLAGS,
  ROUTINES,
  COUNT,
  TOTAL,
  NOTE,
  N_COLUMNS
};

static const WeftAnswerColumn columns[N_COLUMNS] = {
  WEFT_ANSWER_ID ("source", "src"),
  WEFT_ANSWER_COLUMN ("path", STRING),
  WEFT_ANSWER_COLUMN ("language", STRING),
  WEFT_ANSWER_COLUMN ("hash", STRING),
  WEFT_ANSWER_COLUMN ("has_text", BOOLEAN),
  WEFT_ANSWER_UNIT ("bytes", UINT64, "bytes"),
  WEFT_ANSWER_COLUMN ("flavour", STRING),
  WEFT_ANSWER_COLUMN ("build_flags", STRING),
  WEFT_ANSWER_UNIT ("routines", UINT64, "count"),
  WEFT_ANSWER_UNIT ("count", UINT64, "count"),
  WEFT_ANSWER_COLUMN ("total", DURATION),
  WEFT_ANSWER_COLUMN ("note", STRING),
};

/* Lines of a source that dispatches ran: those of a routine, or a dispatch's own. */
typedef struct
{
  guint64 source;
  guint64 routine;
  guint64 first; /* 0: not known */
  guint64 last;
  guint64 count;
  guint64 total;
} Range;

/* What ran of a source. */
typedef struct
{
  guint64 routines;
  guint64 count;
  guint64 total;
} Sum;

typedef struct
{
  const WeftAnalysisScope *scope;
  WeftReport *report;
  WeftSelection *selection; /* NULL: all dispatches */
  WeftRowTable *routines;
  GHashTable *chosen; /* sources that are asked about; NULL: all */
  GArray *ranges;     /* element type Range */
  GHashTable *work;   /* routine → Range: its dispatches that have no lines of their own */
  GHashTable *sums;   /* source → Sum */
} Sources;

/* ---- Which sources ---- */

static gboolean
choose_named (Sources *self, GError **error)
{
  const char *name = self->scope->handle;
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_SOURCES);
  gboolean is_known = FALSE;

  for (guint64 i = 0; i < weft_row_table_get_n_rows (self->routines); i++)
    {
      guint64 id = weft_row_table_get_number (self->routines, i);
      guint64 source = weft_row_table_get (self->routines, WEFT_ROUTINES_SOURCE, id);

      if (g_strcmp0 (weft_row_table_get_string (self->routines, WEFT_ROUTINES_NAME, id), name) !=
              0 &&
          g_strcmp0 (weft_row_table_get_string (self->routines, WEFT_ROUTINES_LABEL, id), name) !=
              0)
        continue;
      is_known = TRUE;
      if (source != 0)
        g_hash_table_add (self->chosen, GSIZE_TO_POINTER (source));
    }
  while (weft_row_cursor_next (rows))
    {
      const char *path = weft_row_cursor_get_string (rows, WEFT_SOURCES_PATH);
      g_autofree char *base = path ? g_path_get_basename (path) : NULL;

      if (g_strcmp0 (path, name) != 0 && g_strcmp0 (base, name) != 0)
        continue;
      is_known = TRUE;
      g_hash_table_add (self->chosen, GSIZE_TO_POINTER (weft_row_cursor_get_number (rows)));
    }
  if (!weft_row_cursor_finish (rows, error))
    return FALSE;
  if (!is_known)
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_NO_SUCH_OBJECT,
                 "“%s” is not a source (src-…), a routine (r-…), a dispatch (d-…), the name of a "
                 "routine or the path of a source",
                 name);
  return is_known;
}

static gboolean
choose_dispatched (Sources *self, guint64 dispatch, GError **error)
{
  g_autoptr (WeftRowCursor) row = weft_row_cursor_new (self->scope, WEFT_TABLE_DISPATCHES);
  guint64 source = 0;

  if (weft_row_cursor_seek (row, dispatch))
    {
      source = weft_row_cursor_get (row, WEFT_DISPATCHES_SOURCE);
      if (source == 0)
        source = weft_row_table_get (self->routines, WEFT_ROUTINES_SOURCE,
                                     weft_row_cursor_get (row, WEFT_DISPATCHES_ROUTINE));
    }
  if (source != 0)
    g_hash_table_add (self->chosen, GSIZE_TO_POINTER (source));
  return weft_row_cursor_finish (row, error);
}

static gboolean
looks_like_handle (const char *text)
{
  static const char *const prefixes[] = { "src-", "r-", "d-" };

  for (guint i = 0; i < G_N_ELEMENTS (prefixes); i++)
    if (g_str_has_prefix (text, prefixes[i]) &&
        g_ascii_string_to_unsigned (text + strlen (prefixes[i]), 10, 0, G_MAXUINT64, NULL, NULL))
      return TRUE;
  return FALSE;
}

static gboolean
choose (Sources *self, GError **error)
{
  static const WeftTableId tables[] = { WEFT_TABLE_SOURCES, WEFT_TABLE_ROUTINES,
                                        WEFT_TABLE_DISPATCHES };
  WeftTableId table;
  guint64 id;

  if (self->scope->handle == NULL)
    return TRUE;
  self->chosen = g_hash_table_new (NULL, NULL);
  if (!looks_like_handle (self->scope->handle))
    return choose_named (self, error);
  if (!weft_answer_find_object (self->scope, tables, G_N_ELEMENTS (tables), &table, &id, error))
    return FALSE;
  if (table == WEFT_TABLE_DISPATCHES)
    return choose_dispatched (self, id, error);
  if (table == WEFT_TABLE_ROUTINES)
    id = weft_row_table_get (self->routines, WEFT_ROUTINES_SOURCE, id);
  if (id != 0)
    g_hash_table_add (self->chosen, GSIZE_TO_POINTER (id));
  return TRUE;
}

static gboolean
is_chosen (Sources *self, guint64 source)
{
  return self->chosen == NULL || g_hash_table_contains (self->chosen, GSIZE_TO_POINTER (source));
}

/* ---- What ran ---- */

static Range *
get_work (Sources *self, guint64 routine)
{
  Range *work = g_hash_table_lookup (self->work, GSIZE_TO_POINTER (routine));

  if (work == NULL)
    {
      work = g_new0 (Range, 1);
      work->routine = routine;
      g_hash_table_insert (self->work, GSIZE_TO_POINTER (routine), work);
    }
  return work;
}

static Sum *
get_sum (Sources *self, guint64 source)
{
  Sum *sum = g_hash_table_lookup (self->sums, GSIZE_TO_POINTER (source));

  if (sum == NULL)
    {
      sum = g_new0 (Sum, 1);
      g_hash_table_insert (self->sums, GSIZE_TO_POINTER (source), sum);
    }
  return sum;
}

static gboolean
read_dispatches (Sources *self, GError **error)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_DISPATCHES);

  while (weft_row_cursor_next (rows))
    {
      gint64 start = weft_row_cursor_get_signed (rows, WEFT_DISPATCHES_START);
      gint64 end = weft_time_after (start, weft_row_cursor_get (rows, WEFT_DISPATCHES_DURATION));
      Range own = {
        .source = weft_row_cursor_get (rows, WEFT_DISPATCHES_SOURCE),
        .routine = weft_row_cursor_get (rows, WEFT_DISPATCHES_ROUTINE),
        .first = weft_row_cursor_get (rows, WEFT_DISPATCHES_FIRST_LINE),
        .last = weft_row_cursor_get (rows, WEFT_DISPATCHES_LAST_LINE),
        .count = 1,
        .total = weft_scope_clip (self->scope, start, end),
      };
      gboolean is_own;
      Range *work;
      Sum *sum;

      if (!weft_selection_allows (self->selection, weft_row_cursor_get_number (rows)) ||
          !weft_scope_overlaps (self->scope, start, end))
        continue;
      is_own = own.source != 0 || own.first != 0;
      if (own.source == 0)
        own.source = weft_row_table_get (self->routines, WEFT_ROUTINES_SOURCE, own.routine);
      sum = get_sum (self, own.source);
      sum->count++;
      sum->total += own.total;
      if (is_own)
        {
          g_array_append_val (self->ranges, own);
          continue;
        }
      work = get_work (self, own.routine);
      work->count++;
      work->total += own.total;
    }
  return weft_row_cursor_finish (rows, error);
}

static void
add_range (Sources *self, guint64 routine, guint64 source, guint64 first, guint64 last)
{
  const Range *work = g_hash_table_lookup (self->work, GSIZE_TO_POINTER (routine));
  Range range = { source, routine, first, last, work ? work->count : 0, work ? work->total : 0 };

  g_array_append_val (self->ranges, range);
}

/* A routine's own ranges, or else the lines that it was made with. */
static gboolean
read_ranges (Sources *self, GError **error)
{
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_SOURCE_RANGES);
  g_autoptr (GHashTable) told = g_hash_table_new (NULL, NULL);

  while (weft_row_cursor_next (rows))
    {
      guint64 routine = weft_row_cursor_get (rows, WEFT_SOURCE_RANGES_ROUTINE);

      g_hash_table_add (told, GSIZE_TO_POINTER (routine));
      add_range (self, routine, weft_row_cursor_get (rows, WEFT_SOURCE_RANGES_SOURCE),
                 weft_row_cursor_get (rows, WEFT_SOURCE_RANGES_FIRST_LINE),
                 weft_row_cursor_get (rows, WEFT_SOURCE_RANGES_LAST_LINE));
    }
  for (guint64 i = 0; i < weft_row_table_get_n_rows (self->routines); i++)
    {
      guint64 id = weft_row_table_get_number (self->routines, i);

      get_sum (self, weft_row_table_get (self->routines, WEFT_ROUTINES_SOURCE, id))->routines++;
      if (!g_hash_table_contains (told, GSIZE_TO_POINTER (id)))
        add_range (self, id, weft_row_table_get (self->routines, WEFT_ROUTINES_SOURCE, id),
                   weft_row_table_get (self->routines, WEFT_ROUTINES_FIRST_LINE, id),
                   weft_row_table_get (self->routines, WEFT_ROUTINES_LAST_LINE, id));
    }
  return weft_row_cursor_finish (rows, error);
}

/* ---- The list ---- */

static const char *
explain_missing_text (WeftRowCursor *row)
{
  if (weft_row_cursor_get (row, WEFT_SOURCES_TEXT) != 0)
    return NULL;
  if (weft_row_cursor_get (row, WEFT_SOURCES_PATH) != 0)
    return "The text is not in the recording, only its path: the program brings it by giving the "
           "text to weft_target_source_new ()";
  return "The text is not in the recording, only its hash: the program brings it by giving the "
         "text to weft_target_source_new ()";
}

static void
set_size (Sources *self, WeftTableBuilder *builder, WeftRowCursor *blobs, guint64 text)
{
  weft_table_builder_set_uint64 (builder, HAS_TEXT, text != 0);
  if (text != 0 && weft_row_cursor_seek (blobs, text))
    weft_answer_copy (builder, BYTES, blobs, WEFT_BLOBS_SIZE);
}

static void
add_row (Sources *self, WeftTableBuilder *builder, WeftRowCursor *row, WeftRowCursor *blobs)
{
  guint64 id = weft_row_cursor_get_number (row);
  const Sum *sum = get_sum (self, id);

  weft_table_builder_begin_row (builder);
  weft_table_builder_set_uint64 (builder, HANDLE, id);
  weft_answer_copy (builder, PATH, row, WEFT_SOURCES_PATH);
  weft_answer_copy (builder, LANGUAGE, row, WEFT_SOURCES_LANGUAGE);
  weft_answer_copy (builder, HASH, row, WEFT_SOURCES_HASH);
  set_size (self, builder, blobs, weft_row_cursor_get (row, WEFT_SOURCES_TEXT));
  weft_answer_copy (builder, FLAVOUR, row, WEFT_SOURCES_FLAVOUR);
  weft_answer_copy (builder, BUILD_FLAGS, row, WEFT_SOURCES_BUILD_FLAGS);
  weft_table_builder_set_uint64 (builder, ROUTINES, sum->routines);
  weft_table_builder_set_uint64 (builder, COUNT, sum->count);
  weft_table_builder_set_uint64 (builder, TOTAL, sum->total);
  weft_table_builder_set_string (builder, NOTE, explain_missing_text (row));
}

static gint64
get_key (Sources *self, guint64 id)
{
  if (strcmp (self->scope->order_by, "time") == 0)
    return weft_rank_key (get_sum (self, id)->total);
  if (strcmp (self->scope->order_by, "count") == 0)
    return weft_rank_key (get_sum (self, id)->count);
  return 0;
}

static gboolean
list_sources (Sources *self, GError **error)
{
  g_autoptr (WeftTableBuilder) builder =
      weft_answer_begin_table ("target-source", columns, N_COLUMNS);
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_SOURCES);
  g_autoptr (WeftRowCursor) blobs = weft_row_cursor_new (self->scope, WEFT_TABLE_BLOBS);
  g_autoptr (WeftRanking) ranking = weft_ranking_new (self->scope, "target-source", FALSE, error);
  guint n_rows;

  if (ranking == NULL)
    return FALSE;
  while (weft_row_cursor_next (rows))
    {
      guint64 id = weft_row_cursor_get_number (rows);

      /* Of a filter's sources only those whose code ran. */
      if (is_chosen (self, id) && (self->selection == NULL || get_sum (self, id)->count > 0))
        weft_ranking_add (ranking, get_key (self, id), id, NULL);
    }
  n_rows = weft_ranking_finish (ranking);
  for (guint i = 0; i < n_rows; i++)
    if (weft_row_cursor_seek (rows, weft_ranking_get (ranking, i)->id))
      add_row (self, builder, rows, blobs);
  weft_ranking_set_cursor (ranking, builder);
  if (weft_ranking_is_empty (ranking))
    weft_table_builder_set_hint (
        builder,
        self->selection != NULL ? "Of nothing that fits the filter is the source told"
        : self->chosen != NULL
            ? "Nothing tells the source of this: the program names it where the routine is "
              "made, or at the dispatch (docs/producer-guide.md)"
            : "No source was registered: a program brings the text or names the path with "
              "weft_target_source_new () (docs/producer-guide.md)");
  else if (self->chosen != NULL && n_rows > 1)
    weft_table_builder_set_hint (builder, "Several sources fit: ask for one of them by its handle");
  weft_answer_add_table (self->report, g_steal_pointer (&builder));
  return weft_row_cursor_finish (rows, error) && weft_row_cursor_finish (blobs, error);
}

/* ---- One source ---- */

/* The lines of a text, without their ends; NULL if it is not in the recording. */
static gboolean
read_lines (Sources *self, guint64 source, GStrv *lines, GError **error)
{
  g_autoptr (WeftRowCursor) row = weft_row_cursor_new (self->scope, WEFT_TABLE_SOURCES);
  g_autoptr (GBytes) bytes = NULL;
  g_autofree char *text = NULL;
  GError *failure = NULL;
  guint64 blob = 0;
  guint n;

  *lines = NULL;
  if (weft_row_cursor_seek (row, source))
    blob = weft_row_cursor_get (row, WEFT_SOURCES_TEXT);
  if (!weft_row_cursor_finish (row, error))
    return FALSE;
  if (blob == 0)
    return TRUE;
  bytes = weft_store_get_blob (self->scope->store, (guint32) blob, &failure);
  if (bytes == NULL)
    {
      weft_propagate_store_error (error, failure);
      return FALSE;
    }
  text = g_utf8_make_valid (g_bytes_get_data (bytes, NULL), (gssize) g_bytes_get_size (bytes));
  *lines = g_strsplit (text, "\n", -1);
  n = g_strv_length (*lines);
  /* What follows the last line feed is no line. */
  if (n > 0 && *(*lines)[n - 1] == '\0')
    g_clear_pointer (&(*lines)[n - 1], g_free);
  for (guint i = 0; (*lines)[i] != NULL; i++)
    if (g_str_has_suffix ((*lines)[i], "\r"))
      (*lines)[i][strlen ((*lines)[i]) - 1] = '\0';
  return TRUE;
}

typedef struct
{
  guint64 routine; /* of the innermost range that covers it */
  gint64 count;
  guint64 total;
} Line;

/* Counts go up where a range begins and down behind its end. */
static void
cover_lines (Sources *self, guint64 source, Line *lines, guint n_lines)
{
  for (guint i = 0; i < self->ranges->len; i++)
    {
      const Range *range = &g_array_index (self->ranges, Range, i);
      guint64 last = MIN (MAX (range->last, range->first), n_lines);

      if (range->source != source || range->first == 0 || range->first > n_lines)
        continue;
      lines[range->first - 1].count += (gint64) range->count;
      lines[range->first - 1].total += range->total;
      lines[last].count -= (gint64) range->count;
      lines[last].total -= range->total;
    }
  for (guint i = 1; i < n_lines; i++)
    {
      lines[i].count += lines[i - 1].count;
      lines[i].total += lines[i - 1].total;
    }
}

static int
compare_ranges (gconstpointer a, gconstpointer b)
{
  const Range *left = a;
  const Range *right = b;

  if (left->source != right->source)
    return left->source < right->source ? -1 : 1;
  if (left->first != right->first)
    return left->first < right->first ? -1 : 1;
  if (left->last != right->last)
    return left->last > right->last ? -1 : 1;
  return left->routine < right->routine ? -1 : left->routine > right->routine;
}

/* Ranges come in order, so that inner ones come after outer ones: each line is written by the outer
 * ones first. To write no line twice, the open ones are kept on a stack.
 */
static void
name_lines (Sources *self, guint64 source, Line *lines, guint n_lines)
{
  g_autoptr (GArray) open = g_array_new (FALSE, FALSE, sizeof (Range));
  guint next = 0;

  for (guint line = 1; line <= n_lines; line++)
    {
      for (; next < self->ranges->len; next++)
        {
          const Range *range = &g_array_index (self->ranges, Range, next);

          if (range->source > source || (range->source == source && range->first > line))
            break;
          if (range->source == source && range->first == line)
            g_array_append_vals (open, range, 1);
        }
      while (open->len > 0 && g_array_index (open, Range, open->len - 1).last < line)
        g_array_set_size (open, open->len - 1);
      if (open->len > 0)
        lines[line - 1].routine = g_array_index (open, Range, open->len - 1).routine;
    }
}

static gboolean
add_lines (Sources *self, guint64 source, GError **error)
{
  static const WeftAnswerColumn line_columns[] = {
    WEFT_ANSWER_COLUMN ("number", UINT64),
    WEFT_ANSWER_COLUMN ("text", STRING),
    WEFT_ANSWER_ID ("routine", "r"),
    WEFT_ANSWER_COLUMN ("routine_name", STRING),
    WEFT_ANSWER_UNIT ("count", UINT64, "count"),
    WEFT_ANSWER_COLUMN ("total", DURATION),
  };
  g_autoptr (WeftTableBuilder) builder =
      weft_answer_begin_table ("lines", line_columns, G_N_ELEMENTS (line_columns));
  g_auto (GStrv) texts = NULL;
  g_autofree Line *lines = NULL;
  guint n_lines;

  if (!read_lines (self, source, &texts, error))
    return FALSE;
  n_lines = texts ? g_strv_length (texts) : 0;
  lines = g_new0 (Line, n_lines + 1);
  cover_lines (self, source, lines, n_lines);
  name_lines (self, source, lines, n_lines);
  for (guint i = 0; i < n_lines; i++)
    {
      weft_table_builder_begin_row (builder);
      weft_table_builder_set_uint64 (builder, 0, i + 1);
      weft_table_builder_set_string (builder, 1, texts[i]);
      weft_table_builder_set_uint64 (builder, 2, lines[i].routine);
      if (lines[i].routine != 0)
        weft_table_builder_set_string (
            builder, 3,
            weft_row_table_get_string (self->routines, WEFT_ROUTINES_NAME, lines[i].routine));
      weft_table_builder_set_uint64 (builder, 4, (guint64) lines[i].count);
      weft_table_builder_set_uint64 (builder, 5, lines[i].total);
    }
  if (texts == NULL)
    weft_table_builder_set_hint (builder, "The text is not in the recording");
  weft_answer_add_table (self->report, g_steal_pointer (&builder));
  return TRUE;
}

static void
add_routines (Sources *self, guint64 source)
{
  static const WeftAnswerColumn routine_columns[] = {
    WEFT_ANSWER_ID ("routine", "r"),
    WEFT_ANSWER_COLUMN ("name", STRING),
    WEFT_ANSWER_COLUMN ("first_line", UINT64),
    WEFT_ANSWER_COLUMN ("last_line", UINT64),
    WEFT_ANSWER_UNIT ("count", UINT64, "count"),
    WEFT_ANSWER_COLUMN ("total", DURATION),
  };
  g_autoptr (WeftTableBuilder) builder =
      weft_answer_begin_table ("routines", routine_columns, G_N_ELEMENTS (routine_columns));

  for (guint i = 0; i < self->ranges->len; i++)
    {
      const Range *range = &g_array_index (self->ranges, Range, i);

      if (range->source != source)
        continue;
      weft_table_builder_begin_row (builder);
      weft_table_builder_set_uint64 (builder, 0, range->routine);
      weft_table_builder_set_string (
          builder, 1,
          weft_row_table_get_string (self->routines, WEFT_ROUTINES_NAME, range->routine));
      if (range->first != 0)
        {
          weft_table_builder_set_uint64 (builder, 2, range->first);
          weft_table_builder_set_uint64 (builder, 3, range->last);
        }
      weft_table_builder_set_uint64 (builder, 4, range->count);
      weft_table_builder_set_uint64 (builder, 5, range->total);
    }
  weft_answer_add_table (self->report, g_steal_pointer (&builder));
}

static gboolean
add_arguments (Sources *self, guint64 source, GError **error)
{
  g_autoptr (GHashTable) routines = g_hash_table_new (NULL, NULL);

  for (guint i = 0; i < self->ranges->len; i++)
    {
      const Range *range = &g_array_index (self->ranges, Range, i);

      if (range->source == source)
        g_hash_table_add (routines, GSIZE_TO_POINTER (range->routine));
    }
  return weft_argument_rows_add_table (self->scope, self->report, routines, error);
}

static gboolean
add_line_table (Sources *self, guint64 source, GError **error)
{
  static const WeftAnswerColumn table_columns[] = {
    WEFT_ANSWER_UNIT ("offset", UINT64, "bytes"),
    WEFT_ANSWER_COLUMN ("line", UINT64),
    WEFT_ANSWER_COLUMN ("column", UINT64),
  };
  g_autoptr (WeftTableBuilder) builder =
      weft_answer_begin_table ("line_table", table_columns, G_N_ELEMENTS (table_columns));
  g_autoptr (WeftRowCursor) rows = weft_row_cursor_new (self->scope, WEFT_TABLE_SOURCE_LINES);

  weft_row_cursor_where (rows, WEFT_SOURCE_LINES_SOURCE, source);
  while (weft_row_cursor_next (rows))
    {
      weft_table_builder_begin_row (builder);
      weft_answer_copy (builder, 0, rows, WEFT_SOURCE_LINES_OFFSET);
      weft_answer_copy (builder, 1, rows, WEFT_SOURCE_LINES_LINE);
      weft_answer_copy (builder, 2, rows, WEFT_SOURCE_LINES_COLUMN);
    }
  weft_answer_add_table (self->report, g_steal_pointer (&builder));
  return weft_row_cursor_finish (rows, error);
}

static gboolean
add_parts (Sources *self, GError **error)
{
  GHashTableIter iter;
  gpointer source;

  if (self->chosen == NULL || g_hash_table_size (self->chosen) != 1)
    return TRUE;
  g_hash_table_iter_init (&iter, self->chosen);
  g_hash_table_iter_next (&iter, &source, NULL);
  g_array_sort (self->ranges, compare_ranges);
  if (!add_lines (self, GPOINTER_TO_SIZE (source), error))
    return FALSE;
  add_routines (self, GPOINTER_TO_SIZE (source));
  if (!add_arguments (self, GPOINTER_TO_SIZE (source), error))
    return FALSE;
  return add_line_table (self, GPOINTER_TO_SIZE (source), error);
}

/* ---- The kind ---- */

static gboolean
answer (Sources *self, GError **error)
{
  static const WeftColumnNumber numbers[] = {
    WEFT_ROUTINES_NAME,       WEFT_ROUTINES_LABEL,     WEFT_ROUTINES_SOURCE,
    WEFT_ROUTINES_FIRST_LINE, WEFT_ROUTINES_LAST_LINE,
  };

  self->routines =
      weft_row_table_new (self->scope, WEFT_TABLE_ROUTINES, numbers, G_N_ELEMENTS (numbers), error);
  return self->routines != NULL && choose (self, error) && read_dispatches (self, error) &&
         read_ranges (self, error) && list_sources (self, error) && add_parts (self, error);
}

static gboolean
run (const WeftAnalysisScope *scope, WeftReport *report, GError **error)
{
  Sources self = { .scope = scope, .report = report };
  gint64 begin, end;
  gboolean good;

  if (!weft_scope_find_range (scope, &begin, &end, error))
    return FALSE;
  self.ranges = g_array_new (FALSE, FALSE, sizeof (Range));
  self.work = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  self.sums = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  good = weft_scope_select_dispatches (scope, &self.selection, error) && answer (&self, error);
  g_clear_pointer (&self.selection, weft_selection_free);
  g_clear_pointer (&self.routines, weft_row_table_free);
  g_clear_pointer (&self.chosen, g_hash_table_unref);
  g_array_unref (self.ranges);
  g_hash_table_unref (self.work);
  g_hash_table_unref (self.sums);
  return good;
}

const WeftAnalysisKind weft_analyze_source = {
  .name = "target-source",
  .summary = "Sources, and the time of each line of one",
  .run = run,
  .options = WEFT_ANALYSIS_OPTION_FILTER | WEFT_ANALYSIS_OPTION_RANGE | WEFT_ANALYSIS_OPTION_ORDER |
             WEFT_ANALYSIS_OPTION_LIMIT | WEFT_ANALYSIS_OPTION_CURSOR | WEFT_ANALYSIS_OPTION_HANDLE,
  .orders = orders,
  .default_limit = 100,
};
