/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A table of a recording, or the recording, for other programs. */

#include "commands.h"

#include <errno.h>
#include <gio/gunixoutputstream.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "plugins.h"
#include "text.h"

/* Rows that are in memory at a time, where an answer can be had in parts. */
#define PAGE_ROWS (1 << 17)

typedef struct
{
  char *output;
  char *table;
  char *select;
  char *group;
  char *order;
  char *filter;
  char *from;
  char *to;
  int limit;
} Options;

static void
options_clear (Options *options)
{
  g_free (options->output);
  g_free (options->table);
  g_free (options->select);
  g_free (options->group);
  g_free (options->order);
  g_free (options->filter);
  g_free (options->from);
  g_free (options->to);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

/* ---- Formats ---- */

/* Where in a text the rows stand, between what comes before the first and behind the last. */
typedef struct
{
  gsize begin;
  gsize end;
} Rows;

typedef struct
{
  const char *name;
  gboolean (*write) (WeftTable *table, GOutputStream *stream, GCancellable *cancellable,
                     GError **error);
  /* NULL: cannot be written in parts */
  Rows (*find_rows) (WeftTable *table, const char *text, gsize length);
  const char *separator; /* of the rows of two parts */
  gboolean is_text;
} Format;

static gboolean
write_json (WeftTable *table, GOutputStream *stream, GCancellable *cancellable, GError **error)
{
  g_autoptr (WeftReport) report = weft_report_new (weft_table_get_name (table), FALSE);

  weft_report_append (report, table);
  return weft_report_write_json (report, stream, cancellable, error);
}

/* Behind the heading, whose names may hold line ends between quotes. */
static Rows
find_csv_rows (WeftTable *table, const char *text, gsize length)
{
  gboolean quoted = FALSE;
  gsize at = 0;

  for (; at < length && (quoted || text[at] != '\n'); at++)
    if (text[at] == '"')
      quoted = !quoted;
  return (Rows){ MIN (at + 1, length), length };
}

/* {"schema":"weft.NAME/1","rows":[…],"cursor":"…"}: no cursor has brackets. */
static Rows
find_json_rows (WeftTable *table, const char *text, gsize length)
{
  const char *begin = memchr (text, '[', length);
  gsize end = length;

  while (text[end - 1] != ']')
    end--;
  return (Rows){ (gsize) (begin + 1 - text), end - 1 };
}

static const Format formats[] = {
  { "csv", weft_table_write_csv, find_csv_rows, "", TRUE },
  { "json", write_json, find_json_rows, ",", TRUE },
  { "arrow", weft_table_write_arrow, NULL, NULL, FALSE },
};

static const Format *
find_format (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (formats); i++)
    if (strcmp (formats[i].name, name) == 0)
      return &formats[i];
  return NULL;
}

/* ---- What is written ---- */

/* Commas between brackets or quotes belong to an expression. */
static GStrv
split_expressions (const char *list)
{
  g_autoptr (GStrvBuilder) parts = g_strv_builder_new ();
  const char *begin = list;
  int depth = 0;
  gboolean quoted = FALSE;

  for (const char *at = list; list != NULL; at++)
    {
      if (*at == '\0' || (*at == ',' && depth == 0 && !quoted))
        {
          g_autofree char *part = g_strndup (begin, (gsize) (at - begin));

          g_strv_builder_add (parts, g_strstrip (part));
          begin = at + 1;
        }
      if (*at == '\0')
        break;
      quoted ^= *at == '"';
      depth += quoted ? 0 : (*at == '(') - (*at == ')');
    }
  return g_strv_builder_end (parts);
}

static gboolean
add_expressions (WeftQuery *query, const char *list,
                 gboolean (*add) (WeftQuery *, const char *, const char *, GError **),
                 GError **error)
{
  g_auto (GStrv) words = split_expressions (list);

  for (guint i = 0; words[i] != NULL; i++)
    if (!add (query, words[i], NULL, error))
      return FALSE;
  return TRUE;
}

static gboolean
add_order (WeftQuery *query, const char *order, GError **error)
{
  gboolean descending;

  if (order == NULL)
    return TRUE;
  descending = order[0] == '-';
  return weft_query_order_by (query, order + descending, descending, error);
}

static gboolean
add_range (WeftQuery *query, const Options *options, GError **error)
{
  gint64 begin, end;

  if (!ask_parse_range (options->from, options->to, &begin, &end, error))
    return FALSE;
  if (options->from != NULL || options->to != NULL)
    weft_query_set_range (query, begin, end);
  return TRUE;
}

static WeftQuery *
make_query (const Options *options, GError **error)
{
  g_autoptr (WeftQuery) query =
      weft_query_new (options->table ? options->table : "dispatches", error);

  if (query == NULL ||
      (options->filter && !weft_query_set_filter_text (query, options->filter, error)) ||
      !add_range (query, options, error) ||
      !add_expressions (query, options->group, weft_query_group_by, error) ||
      !add_expressions (query, options->select, weft_query_select, error) ||
      !add_order (query, options->order, error))
    return NULL;
  weft_query_set_limit (query, (guint) options->limit);
  return g_steal_pointer (&query);
}

/* ---- Where to ---- */

/* An existing file stays until all is written; so does what a link points to. */
static GOutputStream *
open_output (const char *output, GError **error)
{
  g_autoptr (GFile) file = NULL;
  char *followed;

  if (output == NULL)
    return g_unix_output_stream_new (STDOUT_FILENO, FALSE);
  followed = realpath (output, NULL);
  file = g_file_new_for_path (followed ? followed : output);
  free (followed);
  return G_OUTPUT_STREAM (g_file_replace (file, NULL, FALSE, G_FILE_CREATE_PRIVATE, NULL, error));
}

/* A stream that is closed while it is cancelled leaves what was there. */
static gboolean
close_output (GOutputStream *stream, gboolean written, GError **error)
{
  g_autoptr (GCancellable) cancelled = g_cancellable_new ();

  if (written)
    return g_output_stream_close (stream, NULL, error);
  g_cancellable_cancel (cancelled);
  g_output_stream_close (stream, cancelled, NULL);
  return FALSE;
}

/* ---- Tables ---- */

/* On a terminal, names of the recording do nothing but stand there. */
static gboolean
put (GOutputStream *stream, const char *text, gsize length, GError **error)
{
  if (!G_IS_UNIX_OUTPUT_STREAM (stream) || !isatty (STDOUT_FILENO))
    return g_output_stream_write_all (stream, text, length, NULL, NULL, error);
  while (length > 0)
    {
      int part = (int) MIN (length, 1 << 16);

      text_print (stdout, "%.*s", part, text);
      text += part;
      length -= (gsize) part;
    }
  return TRUE;
}

typedef struct
{
  const Format *format;
  WeftQuery *query;
  WeftRecording *recording;
  GOutputStream *stream;
  guint64 left; /* rows still wanted */
  gboolean begun;
} Export;

static GBytes *
write_to_memory (const Format *format, WeftTable *table, GError **error)
{
  g_autoptr (GOutputStream) memory = g_memory_output_stream_new_resizable ();

  if (!format->write (table, memory, NULL, error) || !g_output_stream_close (memory, NULL, error))
    return NULL;
  return g_memory_output_stream_steal_as_bytes (G_MEMORY_OUTPUT_STREAM (memory));
}

/* Of the texts of all pages, the beginning of the first, the rows of each, and the end of the last,
 * where the cursor is left out.
 */
static gboolean
write_page (Export *self, WeftTable *page, gboolean last, GError **error)
{
  g_autoptr (GBytes) bytes = write_to_memory (self->format, page, error);
  const char *text;
  gsize length, begin;
  Rows rows;

  if (bytes == NULL)
    return FALSE;
  text = g_bytes_get_data (bytes, &length);
  rows = self->format->find_rows (page, text, length);
  begin = self->begun ? rows.begin : 0;
  if (self->begun && rows.end > rows.begin &&
      !put (self->stream, self->format->separator, strlen (self->format->separator), error))
    return FALSE;
  self->begun = TRUE;
  if (!put (self->stream, text + begin, rows.end - begin, error))
    return FALSE;
  return !last || self->format->find_rows != find_json_rows || put (self->stream, "]}\n", 3, error);
}

static gboolean
write_pages (Export *self, GError **error)
{
  g_autofree char *cursor = NULL;
  gboolean last = FALSE;

  while (!last)
    {
      g_autoptr (WeftTable) page = NULL;

      weft_query_set_limit (self->query, (guint) MIN (self->left, PAGE_ROWS));
      weft_query_set_cursor (self->query, cursor);
      page = weft_query_run (self->query, self->recording, NULL, error);
      if (page == NULL)
        return FALSE;
      g_free (cursor);
      cursor = g_strdup (weft_table_get_cursor (page));
      self->left -= weft_table_get_n_rows (page);
      last = cursor == NULL || self->left == 0;
      if (!write_page (self, page, last, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
write_table (Export *self, GError **error)
{
  g_autoptr (WeftTable) table = weft_query_run (self->query, self->recording, NULL, error);
  g_autoptr (GBytes) bytes = NULL;
  gsize length;
  const char *text;

  if (table == NULL)
    return FALSE;
  if (!self->format->is_text)
    return self->format->write (table, self->stream, NULL, error);
  bytes = write_to_memory (self->format, table, error);
  if (bytes == NULL)
    return FALSE;
  text = g_bytes_get_data (bytes, &length);
  return put (self->stream, text, length, error);
}

/* What is in the order of the file comes in parts; what has to be sorted or summed up comes whole,
 * as each part would have to be found anew.
 */
static gboolean
export_table (const Format *format, const Options *options, WeftQuery *query,
              WeftRecording *recording, GError **error)
{
  g_autoptr (GOutputStream) stream = open_output (options->output, error);
  Export self = {
    format, query, recording, stream, options->limit > 0 ? (guint64) options->limit : G_MAXUINT64,
    FALSE
  };
  gboolean written;

  if (stream == NULL)
    return FALSE;
  if (format->find_rows != NULL && options->order == NULL && options->group == NULL)
    written = write_pages (&self, error);
  else
    written = write_table (&self, error);
  return close_output (stream, written, error);
}

/* ---- Formats of plugins ---- */

static gboolean
export_by_plugin (WeftExporter *exporter, const Options *options, WeftRecording *recording,
                  GError **error)
{
  g_autoptr (GOutputStream) stream = open_output (options->output, error);
  g_auto (GStrv) losses = NULL;
  gboolean written;

  if (stream == NULL)
    return FALSE;
  written = weft_exporter_export_recording (exporter, recording, stream, NULL, NULL, NULL, &losses,
                                            error);
  for (guint i = 0; losses != NULL && losses[i] != NULL; i++)
    text_print (stderr, "weft: not carried: %s\n", losses[i]);
  return close_output (stream, written, error);
}

/* ---- The command ---- */

static int
complain_of_format (const char *format)
{
  GListModel *exporters = weft_plugin_registry_get_exporters (plugins_load ());
  g_autoptr (GString) names = g_string_new ("csv, json, arrow");

  for (guint i = 0; i < g_list_model_get_n_items (exporters); i++)
    {
      g_autoptr (WeftExporter) exporter = g_list_model_get_item (exporters, i);
      g_autofree char *name = weft_exporter_get_name (exporter);

      g_string_append_printf (names, ", %s", name);
    }
  complain ("there is no format “%s”; there are: %s (others come with plugins)", format,
            names->str);
  return EXIT_USAGE;
}

/* What says what a table is made of means nothing to a plugin, which writes the whole recording. */
static gboolean
concerns_tables (const Options *options)
{
  return options->table || options->select || options->group || options->order || options->filter ||
         options->from || options->to || options->limit > 0;
}

static gboolean
check (const Format *format, WeftExporter *exporter, const Options *options)
{
  if (options->limit < 0)
    complain ("--limit must not be below 1");
  else if (exporter != NULL && concerns_tables (options))
    complain ("a plugin’s format takes the whole recording: leave out all but --output");
  else if (options->output == NULL && isatty (STDOUT_FILENO) &&
           (exporter != NULL || !format->is_text))
    complain ("this format is nothing for a terminal: say where to with --output");
  else
    return TRUE;
  return FALSE;
}

static int
run (const char *name, const char *file, const Options *options)
{
  g_autoptr (GError) error = NULL;
  const Format *format = find_format (name);
  WeftExporter *exporter =
      format ? NULL : weft_plugin_registry_find_exporter (plugins_load (), name);
  g_autoptr (WeftRecording) recording = NULL;
  g_autoptr (WeftQuery) query = NULL;
  gboolean written;

  if (format == NULL && exporter == NULL)
    return complain_of_format (name);
  if (!check (format, exporter, options))
    return EXIT_USAGE;
  query = make_query (options, &error);
  if (query == NULL)
    {
      complain ("%s", error->message);
      return EXIT_USAGE;
    }
  recording = ask_open (file, &error);
  if (recording == NULL)
    return complain ("%s", error->message);
  signal (SIGPIPE, SIG_IGN); /* it is told as other failures to write are */
  if (exporter != NULL)
    written = export_by_plugin (exporter, options, recording, &error);
  else
    written = export_table (format, options, query, recording, &error);
  return written ? EXIT_OK : complain ("%s", error->message);
}

int
command_export (int argc, char **argv)
{
  g_auto (Options) options = { 0 };
  const GOptionEntry entries[] = {
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &options.output,
      "Where to; standard output if not given", "FILE" },
    { "table", 't', 0, G_OPTION_ARG_STRING, &options.table,
      "Which table; dispatches if not given (docs/tables.md lists them)", "TABLE" },
    { "select", 's', 0, G_OPTION_ARG_STRING, &options.select,
      "Which columns: fields, paths such as routine.name, aggregates such as p95(duration)",
      "EXPRESSION,…" },
    { "group", 'g', 0, G_OPTION_ARG_STRING, &options.group, "What a row stands for",
      "EXPRESSION,…" },
    { "by", 'b', 0, G_OPTION_ARG_STRING, &options.order,
      "What comes first; with a minus sign in front, the largest", "EXPRESSION" },
    { "filter", 'f', 0, G_OPTION_ARG_STRING, &options.filter,
      "Only what matches, in the filter language", "FILTER" },
    { "from", 0, 0, G_OPTION_ARG_STRING, &options.from,
      "Only what ends after TIME from the start, such as 1.5s", "TIME" },
    { "to", 0, 0, G_OPTION_ARG_STRING, &options.to, "Only what begins before TIME", "TIME" },
    { "limit", 'n', 0, G_OPTION_ARG_INT, &options.limit, "At most N rows; all if not given", "N" },
    { NULL },
  };
  int status;

  if (!parse_options ("Writes a table of a recording as csv, json or arrow, or the recording in a "
                      "format that a plugin brings.",
                      "FORMAT [FILE]", entries, &argc, &argv, &status))
    return status;
  if (argc < 2 || argc > 3)
    {
      complain ("name a format, and a recording if it is not the latest (see “%s --help”)",
                g_get_prgname ());
      return EXIT_USAGE;
    }
  return run (argv[1], argc == 3 ? argv[2] : NULL, &options);
}
