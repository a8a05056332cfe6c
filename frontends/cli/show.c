/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What a recording holds. */

#include "commands.h"

#include <stdio.h>
#include <string.h>
#include <weft.h>

#include "json.h"
#include "text.h"
#include "weft-store.h"

#define TOP_ROUTINES 10
#define MAX_LANES_SHOWN 40

typedef struct
{
  guint64 dispatches;
  guint64 total; /* ns */
  guint64 longest;
  guint64 counts[6]; /* submitted, completed, pending, sampled out, rejected, lost */
  char *name;
  char *kind;
  guint64 id;
} Lane;

typedef struct
{
  guint64 lane;
  guint64 runtime;
  const char *reason;
  guint64 category;
  guint64 count;
} Loss;

typedef struct
{
  const char *name;
  guint64 count;
} ProgramCount;

typedef struct
{
  WeftStore *store;
  char *path;
  GArray *lanes;        /* element-type Lane, by id */
  GHashTable *losses;   /* "lane runtime reason" → Loss */
  GHashTable *routines; /* id → const char * */
  GArray *top;          /* element-type WeftGroupSummary, longest total first */
  guint64 own_cpu;
  guint64 own_resident;
  gint64 duration;
  GArray *program_counts; /* element-type ProgramCount: what the programs counted themselves */
  JsonBuilder *builder;   /* while rows are added to an answer */
} Show;

/* ---- Reading ---- */

typedef void (*RowFunc) (Show *self, const guint64 *values, const gboolean *present);

/* Calls FUNC with the values of COLUMNS of every row, in order of arrival. */
static gboolean
each_row (Show *self, WeftTableId table, const WeftColumnNumber *numbers, guint n, RowFunc func,
          GError **error)
{
  WeftStoreColumn columns[8];
  guint64 values[8];
  gboolean present[8];

  for (guint chunk = 0; chunk < weft_store_get_n_chunks (self->store, table); chunk++)
    {
      WeftChunkInfo info;
      guint read = 0;

      weft_store_get_chunk (self->store, table, chunk, &info);
      while (read < n && weft_store_read_column (self->store, table, chunk, numbers[read],
                                                 &columns[read], error))
        read++;
      for (guint row = 0; read == n && row < info.n_rows; row++)
        {
          for (guint i = 0; i < n; i++)
            {
              values[i] = weft_store_column_get (&columns[i], row);
              present[i] = weft_store_column_has (&columns[i], row);
            }
          func (self, values, present);
        }
      for (guint i = 0; i < read; i++)
        weft_store_column_clear (&columns[i]);
      if (read < n)
        return FALSE;
    }
  return TRUE;
}

static const char *
string_of (Show *self, guint64 id)
{
  const char *text = weft_store_get_string (self->store, (guint32) id);

  return text ? text : "";
}

static void
on_lane (Show *self, const guint64 *values, const gboolean *present)
{
  Lane lane = { .id = values[0],
                .name = g_strdup (string_of (self, values[1])),
                .kind = g_strdup (string_of (self, values[2])) };

  g_array_append_val (self->lanes, lane);
}

static int
compare_ids (gconstpointer a, gconstpointer b)
{
  const Lane *left = a, *right = b;

  return left->id < right->id ? -1 : left->id > right->id;
}

/* Not by position: a repaired recording may lack some. */
static Lane *
find_lane (Show *self, guint64 id)
{
  const Lane wanted = { .id = id };
  guint at;

  if (!g_array_binary_search (self->lanes, &wanted, compare_ids, &at))
    return NULL;
  return &g_array_index (self->lanes, Lane, at);
}

static void
on_counts (Show *self, const guint64 *values, const gboolean *present)
{
  Lane *lane = find_lane (self, values[0]);

  if (lane != NULL)
    memcpy (lane->counts, values + 1, sizeof lane->counts);
}

/* The counters are running totals: the last row of each holds. */
static void
on_loss (Show *self, const guint64 *values, const gboolean *present)
{
  char *key = g_strdup_printf ("%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT,
                               values[0], values[1], values[3]);
  Loss *loss = g_new0 (Loss, 1);

  loss->lane = values[0];
  loss->runtime = values[1];
  loss->category = values[2];
  loss->reason = string_of (self, values[3]);
  loss->count = values[4];
  g_hash_table_replace (self->losses, key, loss);
}

static void
on_routine (Show *self, const guint64 *values, const gboolean *present)
{
  g_hash_table_insert (self->routines, GSIZE_TO_POINTER (values[0]),
                       (gpointer) string_of (self, values[1]));
}

static void
on_own_cost (Show *self, const guint64 *values, const gboolean *present)
{
  self->own_cpu = values[0];
  self->own_resident = MAX (self->own_resident, values[1]);
}

static void
on_meta (Show *self, const guint64 *values, const gboolean *present)
{
  if (strcmp (string_of (self, values[0]), "duration") == 0)
    self->duration = (gint64) values[1];
}

static void
on_program_count (Show *self, const guint64 *values, const gboolean *present)
{
  const char *name = string_of (self, values[0]);
  ProgramCount *count;

  for (guint i = 0; i < self->program_counts->len; i++)
    {
      count = &g_array_index (self->program_counts, ProgramCount, i);
      if (strcmp (count->name, name) == 0)
        {
          count->count += values[1];
          return;
        }
    }
  g_array_append_vals (self->program_counts, &(ProgramCount){ name, values[1] }, 1);
}

static gboolean
read_small_tables (Show *self, GError **error)
{
  static const WeftColumnNumber lanes[] = { WEFT_LANES_ID, WEFT_LANES_NAME, WEFT_LANES_KIND };
  static const WeftColumnNumber counts[] = {
    WEFT_LANE_COUNTS_LANE,    WEFT_LANE_COUNTS_SUBMITTED,   WEFT_LANE_COUNTS_COMPLETED,
    WEFT_LANE_COUNTS_PENDING, WEFT_LANE_COUNTS_SAMPLED_OUT, WEFT_LANE_COUNTS_REJECTED,
    WEFT_LANE_COUNTS_LOST
  };
  static const WeftColumnNumber losses[] = { WEFT_LOSSES_LANE, WEFT_LOSSES_RUNTIME,
                                             WEFT_LOSSES_CATEGORY, WEFT_LOSSES_REASON,
                                             WEFT_LOSSES_COUNT };
  static const WeftColumnNumber routines[] = { WEFT_ROUTINES_ID, WEFT_ROUTINES_NAME };
  static const WeftColumnNumber cost[] = { WEFT_OWN_COST_CPU, WEFT_OWN_COST_RESIDENT };
  static const WeftColumnNumber stats[] = { WEFT_RUNTIME_STATS_NAME, WEFT_RUNTIME_STATS_COUNT };
  static const WeftColumnNumber meta[] = { WEFT_META_KEY, WEFT_META_NUMBER };

  if (!each_row (self, WEFT_TABLE_LANES, lanes, G_N_ELEMENTS (lanes), on_lane, error))
    return FALSE;
  g_array_sort (self->lanes, compare_ids);
  return each_row (self, WEFT_TABLE_LANE_COUNTS, counts, G_N_ELEMENTS (counts), on_counts, error) &&
         each_row (self, WEFT_TABLE_LOSSES, losses, G_N_ELEMENTS (losses), on_loss, error) &&
         each_row (self, WEFT_TABLE_ROUTINES, routines, G_N_ELEMENTS (routines), on_routine,
                   error) &&
         each_row (self, WEFT_TABLE_RUNTIME_STATS, stats, G_N_ELEMENTS (stats), on_program_count,
                   error) &&
         each_row (self, WEFT_TABLE_OWN_COST, cost, G_N_ELEMENTS (cost), on_own_cost, error) &&
         each_row (self, WEFT_TABLE_META, meta, G_N_ELEMENTS (meta), on_meta, error);
}

static int
compare_totals (gconstpointer a, gconstpointer b)
{
  const WeftGroupSummary *left = a, *right = b;

  return left->sum < right->sum ? 1 : left->sum > right->sum ? -1 : 0;
}

static gboolean
read_summaries (Show *self, GError **error)
{
  g_autoptr (GArray) lanes = weft_store_summarize (self->store, WEFT_GROUP_BY_LANE, error);

  if (lanes == NULL)
    return FALSE;
  for (guint i = 0; i < lanes->len; i++)
    {
      const WeftGroupSummary *summary = &g_array_index (lanes, WeftGroupSummary, i);
      Lane *lane = find_lane (self, summary->lane);

      if (lane == NULL)
        continue;
      lane->dispatches = summary->count;
      lane->total = summary->sum;
      lane->longest = summary->max;
    }
  self->top = weft_store_summarize (self->store, WEFT_GROUP_BY_ROUTINE, error);
  if (self->top == NULL)
    return FALSE;
  g_array_sort (self->top, compare_totals);
  return TRUE;
}

static void
on_dispatch (Show *self, const guint64 *values, const gboolean *present)
{
  self->duration = MAX (self->duration, (gint64) (values[0] + values[1]));
}

/* Where no recorder said how long it ran (an import, an unfinished file): to the last end. */
static gboolean
read_duration (Show *self, GError **error)
{
  static const WeftColumnNumber columns[] = { WEFT_DISPATCHES_START, WEFT_DISPATCHES_DURATION };

  return self->duration > 0 || each_row (self, WEFT_TABLE_DISPATCHES, columns,
                                         G_N_ELEMENTS (columns), on_dispatch, error);
}

/* ---- For people ---- */

static const char *
state_name (WeftStoreState state)
{
  static const char *const names[] = {
    [WEFT_STORE_COMPLETE] = "complete",
    [WEFT_STORE_GROWING] = "unfinished",
    [WEFT_STORE_PARTIAL] = "damaged",
  };

  return names[state];
}

static void
print_heading (Show *self)
{
  g_autofree char *size = text_bytes (weft_store_get_file_size (self->store));
  g_autofree char *duration = text_duration ((guint64) self->duration);
  const char *damage = weft_store_get_damage (self->store);
  WeftStoreState state = weft_store_get_state (self->store);

  text_print (stdout, "%s: %s, %s%s", self->path, size, state_name (state),
              state == WEFT_STORE_GROWING ? ": still being written, or its recorder was killed"
                                          : "");
  if (self->duration > 0)
    printf (", %s", duration);
  putchar ('\n');
  if (damage != NULL)
    text_print (stdout, "%s\n“weft repair” saves the intact part as a new file.\n", damage);
}

static char **
row_of (char *first, ...)
{
  GPtrArray *row = g_ptr_array_new ();
  va_list arguments;

  va_start (arguments, first);
  for (char *cell = first; cell != NULL; cell = va_arg (arguments, char *))
    g_ptr_array_add (row, cell);
  va_end (arguments);
  g_ptr_array_add (row, NULL);
  return (char **) g_ptr_array_free (row, FALSE);
}

/* The busiest first; then in the order in which they were made. */
static int
compare_busy (gconstpointer a, gconstpointer b)
{
  const Lane *left = *(Lane *const *) a, *right = *(Lane *const *) b;

  if (left->total != right->total)
    return left->total < right->total ? 1 : -1;
  return compare_ids (left, right);
}

static GPtrArray *
lanes_by_work (Show *self)
{
  GPtrArray *lanes = g_ptr_array_new ();

  for (guint i = 0; i < self->lanes->len; i++)
    g_ptr_array_add (lanes, &g_array_index (self->lanes, Lane, i));
  g_ptr_array_sort (lanes, compare_busy);
  return lanes;
}

static void
print_lanes (Show *self)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  g_autoptr (GPtrArray) lanes = lanes_by_work (self);

  if (self->lanes->len == 0)
    {
      puts ("\nNo lane was reported: does the program use libweft-target? "
            "(docs/producer-guide.md)");
      return;
    }
  g_ptr_array_add (rows,
                   row_of (g_strdup ("LANE"), g_strdup ("KIND"), g_strdup ("DISPATCHES"),
                           g_strdup ("TOTAL"), g_strdup ("LONGEST"), g_strdup ("NOT KEPT"), NULL));
  for (guint i = 0; i < MIN (self->lanes->len, MAX_LANES_SHOWN); i++)
    {
      const Lane *lane = g_ptr_array_index (lanes, i);

      g_ptr_array_add (rows, row_of (g_strdup (lane->name), g_strdup (lane->kind),
                                     text_count (lane->dispatches), text_duration (lane->total),
                                     text_duration (lane->longest),
                                     text_count (lane->counts[2] + lane->counts[3] +
                                                 lane->counts[4] + lane->counts[5]),
                                     NULL));
    }
  putchar ('\n');
  text_table_print (rows, "Llrrrr");
  if (self->lanes->len > MAX_LANES_SHOWN)
    printf ("… and %u more lanes (--json lists all)\n", self->lanes->len - MAX_LANES_SHOWN);
}

static const char *
routine_name (Show *self, guint32 id)
{
  const char *name = g_hash_table_lookup (self->routines, GSIZE_TO_POINTER ((gsize) id));

  return name ? name : "?";
}

static void
print_routines (Show *self)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);

  if (self->top->len == 0)
    return;
  g_ptr_array_add (rows, row_of (g_strdup ("ROUTINE"), g_strdup ("COUNT"), g_strdup ("TOTAL"),
                                 g_strdup ("MEAN"), g_strdup ("LONGEST"), NULL));
  for (guint i = 0; i < MIN (self->top->len, TOP_ROUTINES); i++)
    {
      const WeftGroupSummary *summary = &g_array_index (self->top, WeftGroupSummary, i);

      g_ptr_array_add (rows, row_of (g_strdup (routine_name (self, summary->routine)),
                                     text_count (summary->count), text_duration (summary->sum),
                                     text_duration (summary->sum / MAX (summary->count, 1)),
                                     text_duration (summary->max), NULL));
    }
  putchar ('\n');
  text_table_print (rows, "Lrrrr");
}

static void
print_tables (Show *self)
{
  const char *separator = "Rows: ";
  guint column = 0;

  putchar ('\n');
  for (guint i = 0; i < WEFT_N_TABLES; i++)
    {
      guint64 n = weft_store_get_n_rows (self->store, i);
      g_autofree char *count = text_count (n);
      g_autofree char *text =
          g_strdup_printf ("%s%s %s", separator, count, weft_schema_table (i)->name);

      if (n == 0)
        continue;
      if (column > 0 && column + strlen (text) + 1 > text_columns ())
        {
          fputs (",\n  ", stdout);
          column = 0;
        }
      fputs (column ? text : text + (*separator == ',' ? 2 : 0), stdout);
      column += (guint) strlen (text);
      separator = ", ";
    }
  puts (*separator == ',' ? "" : "Rows: none");
}

static const char *const categories[] = { "rejected", "lost", "sampled out", "repaired" };

static const char *
category_name (guint64 category)
{
  return category < G_N_ELEMENTS (categories) ? categories[category] : "?";
}

static int
compare_losses (gconstpointer a, gconstpointer b)
{
  const Loss *left = *(Loss *const *) a, *right = *(Loss *const *) b;

  if (left->lane != right->lane)
    return left->lane < right->lane ? -1 : 1;
  if (left->runtime != right->runtime)
    return left->runtime < right->runtime ? -1 : 1;
  return strcmp (left->reason, right->reason);
}

/* By lane, then by reason. Element-type Loss. */
static GPtrArray *
sorted_losses (Show *self)
{
  GPtrArray *losses = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->losses);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    g_ptr_array_add (losses, value);
  g_ptr_array_sort (losses, compare_losses);
  return losses;
}

static void
print_losses (Show *self)
{
  g_autoptr (GPtrArray) losses = sorted_losses (self);

  puts (losses->len == 0 ? "Losses: none" : "Losses:");
  for (guint i = 0; i < losses->len; i++)
    {
      const Loss *loss = g_ptr_array_index (losses, i);
      const Lane *lane = find_lane (self, loss->lane);
      g_autofree char *count = text_count (loss->count);
      g_autofree char *name = lane ? text_cell (lane->name, 60) : g_strdup ("(no lane)");

      text_print (stdout, "  %s: %s %s (%s)\n", name, count, category_name (loss->category),
                  loss->reason);
    }
}

static void
print_diagnostic (Show *self, const guint64 *values, const gboolean *present)
{
  g_autofree char *message = text_cell (string_of (self, values[1]), 400);

  text_print (stdout, "%s: %s\n", string_of (self, values[0]), message);
}

static void
add_diagnostic_json (Show *self, const guint64 *values, const gboolean *present)
{
  json_builder_begin_object (self->builder);
  json_add_string (self->builder, "code", string_of (self, values[0]));
  json_add_string (self->builder, "message", string_of (self, values[1]));
  json_builder_end_object (self->builder);
}

static void
add_clock_json (Show *self, const guint64 *values, const gboolean *present)
{
  json_builder_begin_object (self->builder);
  json_add_count (self->builder, "id", values[0]);
  json_add_string (self->builder, "name", string_of (self, values[1]));
  json_builder_end_object (self->builder);
}

static const WeftColumnNumber diagnostic_columns[] = { WEFT_DIAGNOSTICS_CODE,
                                                       WEFT_DIAGNOSTICS_MESSAGE };
static const WeftColumnNumber clock_columns[] = { WEFT_CLOCKS_ID, WEFT_CLOCKS_NAME };

static void
print_clock (Show *self, const guint64 *values, const gboolean *present)
{
  g_autofree char *name = text_cell (string_of (self, values[1]), 40);

  printf ("%s%s", values[0] == 1 ? "Clocks: " : ", ", name);
}

static void
print_program_counts (Show *self)
{
  for (guint i = 0; i < self->program_counts->len; i++)
    {
      const ProgramCount *count = &g_array_index (self->program_counts, ProgramCount, i);
      g_autofree char *text = text_count (count->count);

      text_print (stdout, "%s%s %s", i ? ", " : "Programs counted: ", text, count->name);
    }
  if (self->program_counts->len > 0)
    putchar ('\n');
}

static int
print_text (Show *self)
{
  g_autofree char *cpu = text_duration (self->own_cpu);
  g_autofree char *resident = text_bytes (self->own_resident);
  g_autofree char *pairs = text_count (weft_store_get_n_rows (self->store, WEFT_TABLE_CLOCK_PAIRS));

  print_heading (self);
  print_lanes (self);
  print_routines (self);
  print_tables (self);
  print_losses (self);
  print_program_counts (self);
  if (weft_store_get_n_rows (self->store, WEFT_TABLE_CLOCKS) > 0)
    {
      each_row (self, WEFT_TABLE_CLOCKS, clock_columns, 2, print_clock, NULL);
      printf (" (%s calibration pairs)\n", pairs);
    }
  printf ("Own cost: %s of CPU, at most %s of memory\n", cpu, resident);
  each_row (self, WEFT_TABLE_DIAGNOSTICS, diagnostic_columns, 2, print_diagnostic, NULL);
  return EXIT_OK;
}

/* ---- For programs ---- */

static void
add_lane_json (JsonBuilder *builder, const Lane *lane)
{
  static const char *const names[] = { "submitted",   "completed", "pending",
                                       "sampled_out", "rejected",  "lost" };
  g_autofree char *handle = g_strdup_printf ("l-%" G_GUINT64_FORMAT, lane->id);

  json_builder_begin_object (builder);
  json_add_string (builder, "handle", handle);
  json_add_string (builder, "name", lane->name);
  json_add_string (builder, "kind", lane->kind);
  json_add_count (builder, "dispatches", lane->dispatches);
  json_add_count (builder, "total", lane->total);
  json_add_count (builder, "longest", lane->longest);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    json_add_count (builder, names[i], lane->counts[i]);
  json_builder_end_object (builder);
}

static void
add_losses_json (Show *self, JsonBuilder *builder)
{
  g_autoptr (GPtrArray) losses = sorted_losses (self);

  json_builder_set_member_name (builder, "losses");
  json_builder_begin_array (builder);
  for (guint i = 0; i < losses->len; i++)
    {
      const Loss *loss = g_ptr_array_index (losses, i);

      json_builder_begin_object (builder);
      json_add_count (builder, "lane", loss->lane);
      json_add_count (builder, "runtime", loss->runtime);
      json_add_string (builder, "category", category_name (loss->category));
      json_add_string (builder, "reason", loss->reason);
      json_add_count (builder, "count", loss->count);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}

static void
add_routines_json (Show *self, JsonBuilder *builder)
{
  json_builder_set_member_name (builder, "routines");
  json_builder_begin_array (builder);
  for (guint i = 0; i < self->top->len; i++)
    {
      const WeftGroupSummary *summary = &g_array_index (self->top, WeftGroupSummary, i);
      g_autofree char *handle = g_strdup_printf ("r-%u", summary->routine);

      json_builder_begin_object (builder);
      json_add_string (builder, "handle", handle);
      json_add_string (builder, "name", routine_name (self, summary->routine));
      json_add_count (builder, "count", summary->count);
      json_add_count (builder, "total", summary->sum);
      json_add_count (builder, "shortest", summary->min);
      json_add_count (builder, "longest", summary->max);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}

static void
add_program_counts_json (Show *self, JsonBuilder *builder)
{
  json_builder_set_member_name (builder, "program_counts");
  json_builder_begin_object (builder);
  for (guint i = 0; i < self->program_counts->len; i++)
    {
      const ProgramCount *count = &g_array_index (self->program_counts, ProgramCount, i);

      json_add_count (builder, count->name, count->count);
    }
  json_builder_end_object (builder);
}

static int
print_json (Show *self)
{
  JsonBuilder *builder = json_answer_begin ("show", "value");

  json_add_string (builder, "file", self->path);
  json_add_string (builder, "state", state_name (weft_store_get_state (self->store)));
  json_add_string (builder, "damage", weft_store_get_damage (self->store));
  json_add_count (builder, "file_size", weft_store_get_file_size (self->store));
  json_add_number (builder, "start", weft_store_get_start_realtime (self->store));
  json_add_number (builder, "duration", self->duration);
  json_add_count (builder, "own_cpu", self->own_cpu);
  json_add_count (builder, "own_resident", self->own_resident);
  json_builder_set_member_name (builder, "rows");
  json_builder_begin_object (builder);
  for (guint i = 0; i < WEFT_N_TABLES; i++)
    json_add_count (builder, weft_schema_table (i)->name, weft_store_get_n_rows (self->store, i));
  json_builder_end_object (builder);
  json_builder_set_member_name (builder, "lanes");
  json_builder_begin_array (builder);
  for (guint i = 0; i < self->lanes->len; i++)
    add_lane_json (builder, &g_array_index (self->lanes, Lane, i));
  json_builder_end_array (builder);
  add_routines_json (self, builder);
  add_losses_json (self, builder);
  add_program_counts_json (self, builder);
  self->builder = builder;
  json_builder_set_member_name (builder, "clocks");
  json_builder_begin_array (builder);
  each_row (self, WEFT_TABLE_CLOCKS, clock_columns, 2, add_clock_json, NULL);
  json_builder_end_array (builder);
  json_builder_set_member_name (builder, "diagnostics");
  json_builder_begin_array (builder);
  each_row (self, WEFT_TABLE_DIAGNOSTICS, diagnostic_columns, 2, add_diagnostic_json, NULL);
  json_builder_end_array (builder);
  json_answer_end (builder, "value");
  return EXIT_OK;
}

/* ---- The command ---- */

static void
clear_lane (gpointer data)
{
  Lane *lane = data;

  g_free (lane->name);
  g_free (lane->kind);
}

static int
show (Show *self, gboolean json)
{
  g_autoptr (GError) error = NULL;

  self->store = weft_store_open (self->path, &error);
  if (self->store == NULL || !read_small_tables (self, &error) || !read_summaries (self, &error) ||
      !read_duration (self, &error))
    return g_str_has_prefix (error->message, self->path)
               ? complain ("%s", error->message)
               : complain ("%s: %s", self->path, error->message);
  return json ? print_json (self) : print_text (self);
}

int
command_show (int argc, char **argv)
{
  gboolean json = FALSE;
  const GOptionEntry entries[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON", NULL },
    { NULL },
  };
  g_autoptr (GError) error = NULL;
  Show self = { 0 };
  int status;

  if (!parse_options ("Tells what a recording holds; the latest one if no FILE is given.", "[FILE]",
                      entries, &argc, &argv, &status))
    return status;
  if (argc > 2)
    {
      complain ("one file at a time");
      return EXIT_USAGE;
    }
  self.path = weft_recordings_resolve (argc == 2 ? argv[1] : NULL, &error);
  if (self.path == NULL)
    return complain ("%s", error->message);

  self.lanes = g_array_new (FALSE, FALSE, sizeof (Lane));
  g_array_set_clear_func (self.lanes, clear_lane);
  self.losses = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self.routines = g_hash_table_new (NULL, NULL);
  self.program_counts = g_array_new (FALSE, FALSE, sizeof (ProgramCount));
  status = show (&self, json);
  g_array_unref (self.lanes);
  g_hash_table_unref (self.losses);
  g_hash_table_unref (self.routines);
  g_array_unref (self.program_counts);
  g_clear_pointer (&self.top, g_array_unref);
  g_clear_pointer (&self.store, weft_store_unref);
  g_free (self.path);
  return status;
}
