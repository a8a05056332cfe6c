/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-xctrace-document.h"

#include <expat.h>
#include <string.h>

#include "weft-xctrace-arena.h"
#include "weft-xctrace-ids.h"

#define BUFFER_SIZE 131072
#define MAX_DEPTH 64
#define MAX_TOKEN (1 << 20)        /* bytes of a tag, comment, … */
#define MAX_TEXT (1 << 20)         /* bytes of an element's text */
#define MAX_NAMES 4096             /* tags that differ */
#define MAX_TABLES 4096            /* of a document */
#define MAX_PENDING (1 << 18)      /* references to what comes later */
#define MAX_ROW ((gsize) 64 << 20) /* bytes of the elements of a row */
#define MAX_KEPT ((gsize) 1 << 30) /* bytes of elements that others refer to */

struct _WeftXctraceDocument
{
  GFile *file;
  char *name;
  guint64 size;
  gboolean is_contents;
  gboolean has_forward; /* references to what comes later */
  GPtrArray *tables;    /* element-type WeftXctraceTable */
  WeftXctraceIds *ids;
  GHashTable *names; /* set of tags */
  WeftXctraceArena *kept;
  GHashTable *elements; /* id → WeftXctraceElement in KEPT */
};

typedef enum
{
  SURVEY, /* what is there? */
  GATHER, /* elements that are referred to before they come */
  READ
} Pass;

/* Where the parser is, by the element that is open. */
typedef enum
{
  OUTSIDE,
  RESULT, /* <trace-query-result> */
  NODE,
  SCHEMA,
  COLUMN,
  MNEMONIC,
  TYPE,
  ROW,
  CELL,     /* anything in a row, or in <info> */
  CONTENTS, /* <trace-toc> */
  RUN,
  INFO,
  ELSEWHERE
} Place;

typedef struct
{
  Place place;
  WeftXctraceElement *element; /* that is being built, or NULL */
  guint64 id;                  /* of one that is to be kept */
  gboolean is_kept;            /* by itself, or because one around it is */
  gboolean has_children;
} Open;

/* A reference whose target is yet to come. */
typedef struct
{
  WeftXctraceElement *element;
  guint64 id;
} Fixup;

typedef struct
{
  WeftXctraceDocument *document;
  Pass pass;
  XML_Parser parser;
  const WeftXctraceHandler *handler;
  WeftXctraceInfoFunc info;
  gpointer data;
  GError *error;

  Open open[MAX_DEPTH + 1];
  guint depth;
  GString *text;
  WeftXctraceArena *scratch; /* of the row */
  GHashTable *pending;       /* id → line of the first reference; of the survey */
  GArray *fixups;            /* element-type Fixup */

  WeftXctraceTable *table;
  guint n_tables;
  gboolean rows_wanted;
  char *place; /* of the node */
  char *mnemonic;
  char *type;
  guint run;
  WeftXctraceRow row;
} Parse;

/* ---- Failures ---- */

static void fail (Parse *self, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
fail_at (Parse *self, gulong line, const char *message)
{
  if (self->error != NULL)
    return;
  g_set_error (&self->error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "“%s”, line %lu: %s",
               self->document->name, line, message);
  XML_StopParser (self->parser, XML_FALSE);
}

static void
fail (Parse *self, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  fail_at (self, XML_GetCurrentLineNumber (self->parser), message);
}

/* ---- Ids and references ---- */

/* 0 where there is none. */
static guint64
read_id (Parse *self, const char *text)
{
  guint64 id = 0;

  if (text != NULL && !g_ascii_string_to_unsigned (text, 10, 1, G_MAXINT64, &id, NULL))
    fail (self, "“%.64s” is no id: ids and references are numbers from 1", text);
  return id;
}

static gboolean
mark (Parse *self, guint64 id, WeftXctraceIdMark what)
{
  if (!weft_xctrace_ids_mark (self->document->ids, id, what))
    fail (self, "its ids are too many or too scattered: export fewer tables to one file");
  return self->error == NULL;
}

static void
survey_id (Parse *self, guint64 id)
{
  WeftXctraceIds *ids = self->document->ids;

  if (!weft_xctrace_ids_has (ids, id, WEFT_XCTRACE_ID_DEFINED))
    {
      if (mark (self, id, WEFT_XCTRACE_ID_DEFINED))
        g_hash_table_remove (self->pending, &id);
      return;
    }
  mark (self, id, WEFT_XCTRACE_ID_REPEATED);
  if (weft_xctrace_ids_has (ids, id, WEFT_XCTRACE_ID_REFERRED))
    fail (self, "id %" G_GUINT64_FORMAT " is given twice, and referred to", id);
}

static void
survey_reference (Parse *self, guint64 id)
{
  WeftXctraceIds *ids = self->document->ids;

  if (weft_xctrace_ids_has (ids, id, WEFT_XCTRACE_ID_REPEATED))
    {
      fail (self, "it refers to id %" G_GUINT64_FORMAT ", which was given twice", id);
      return;
    }
  if (!mark (self, id, WEFT_XCTRACE_ID_REFERRED) ||
      weft_xctrace_ids_has (ids, id, WEFT_XCTRACE_ID_DEFINED) ||
      g_hash_table_contains (self->pending, &id))
    return;
  self->document->has_forward = TRUE;
  if (g_hash_table_size (self->pending) >= MAX_PENDING)
    fail (self, "too many references to what comes later");
  else
    g_hash_table_insert (self->pending, g_memdup2 (&id, sizeof id),
                         GSIZE_TO_POINTER (XML_GetCurrentLineNumber (self->parser)));
}

static void
find_undefined (Parse *self)
{
  GHashTableIter iter;
  gpointer id, line;
  gulong first = G_MAXULONG;
  guint64 wanted = 0;
  g_autofree char *message = NULL;

  g_hash_table_iter_init (&iter, self->pending);
  while (g_hash_table_iter_next (&iter, &id, &line))
    if (GPOINTER_TO_SIZE (line) < first)
      {
        first = GPOINTER_TO_SIZE (line);
        wanted = *(const guint64 *) id;
      }
  if (wanted == 0)
    return;
  message = g_strdup_printf ("it refers to id %" G_GUINT64_FORMAT ", which nothing has", wanted);
  fail_at (self, first, message);
}

/* ---- Elements ---- */

static const char *
intern (Parse *self, const char *name)
{
  GHashTable *names = self->document->names;
  char *found = g_hash_table_lookup (names, name);

  if (found != NULL)
    return found;
  if (g_hash_table_size (names) >= MAX_NAMES)
    {
      fail (self, "too many kinds of elements");
      return "";
    }
  found = g_strdup (name);
  g_hash_table_add (names, found);
  return found;
}

static char *
copy (WeftXctraceArena *arena, const char *text)
{
  return weft_xctrace_arena_strndup (arena, text, strlen (text));
}

static void
copy_attributes (WeftXctraceArena *arena, WeftXctraceElement *element, const XML_Char **attributes)
{
  guint n = 0;

  for (guint i = 0; attributes[i] != NULL; i += 2)
    if (strcmp (attributes[i], "fmt") == 0)
      element->shown = copy (arena, attributes[i + 1]);
    else if (strcmp (attributes[i], "id") != 0 && strcmp (attributes[i], "ref") != 0)
      n += 2;
  if (n == 0)
    return;
  element->attributes = weft_xctrace_arena_alloc (arena, (n + 1) * sizeof (char *));
  n = 0;
  for (guint i = 0; attributes[i] != NULL; i += 2)
    if (strcmp (attributes[i], "fmt") != 0 && strcmp (attributes[i], "id") != 0 &&
        strcmp (attributes[i], "ref") != 0)
      {
        element->attributes[n++] = copy (arena, attributes[i]);
        element->attributes[n++] = copy (arena, attributes[i + 1]);
      }
}

static void
append (WeftXctraceElement *parent, WeftXctraceElement *child)
{
  if (parent->last != NULL)
    parent->last->next = child;
  else
    parent->first = child;
  parent->last = child;
}

static void
refer (Parse *self, WeftXctraceElement *element, guint64 id)
{
  const Fixup fixup = { element, id };

  element->target = g_hash_table_lookup (self->document->elements, &id);
  if (element->target == NULL && self->pass == GATHER)
    g_array_append_val (self->fixups, fixup);
}

static void
resolve_fixups (Parse *self)
{
  for (guint i = 0; i < self->fixups->len; i++)
    {
      const Fixup *fixup = &g_array_index (self->fixups, Fixup, i);

      fixup->element->target = g_hash_table_lookup (self->document->elements, &fixup->id);
    }
}

static void
build (Parse *self, Open *open, const char *name, const XML_Char **attributes, guint64 reference)
{
  WeftXctraceDocument *document = self->document;
  WeftXctraceArena *arena = open->is_kept ? document->kept : self->scratch;

  if (weft_xctrace_arena_get_size (self->scratch) > MAX_ROW)
    fail (self, "a row has more than %d MiB", (int) (MAX_ROW >> 20));
  if (open->is_kept && weft_xctrace_arena_get_size (document->kept) > MAX_KEPT)
    fail (self, "too much of it is referred to: export fewer tables to one file");
  open->element = weft_xctrace_arena_alloc (arena, sizeof (WeftXctraceElement));
  open->element->name = intern (self, name);
  if (reference != 0)
    refer (self, open->element, reference);
  else
    copy_attributes (arena, open->element, attributes);
}

static const char *
find_attribute (const XML_Char **attributes, const char *name)
{
  for (guint i = 0; attributes[i] != NULL; i += 2)
    if (strcmp (attributes[i], name) == 0)
      return attributes[i + 1];
  return NULL;
}

static gboolean
is_cell_wanted (const Parse *self)
{
  guint cell = self->row.n_cells;

  return self->rows_wanted && cell < WEFT_XCTRACE_MAX_COLUMNS && self->table->wanted[cell];
}

/* A schema that names no columns leaves them to the tags of the first row. */
static void
survey_cell (Parse *self, const char *name)
{
  if (self->table->has_schema || self->table->n_rows > 0)
    return;
  if (!weft_xctrace_table_add_column (self->table, NULL, name))
    fail (self, "a row has more than %d cells", WEFT_XCTRACE_MAX_COLUMNS);
}

/* Something in a row: built if it is wanted, or if something refers to it. */
static void
open_cell (Parse *self, Open *open, const Open *parent, const char *name,
           const XML_Char **attributes)
{
  guint64 id = read_id (self, find_attribute (attributes, "id"));
  guint64 reference = read_id (self, find_attribute (attributes, "ref"));
  gboolean is_first = parent->place == ROW;

  if (self->error != NULL)
    return;
  if (self->pass == SURVEY)
    {
      if (id != 0)
        survey_id (self, id);
      if (reference != 0)
        survey_reference (self, reference);
      if (is_first)
        survey_cell (self, name);
      return;
    }
  open->is_kept = parent->is_kept;
  if (id != 0 && weft_xctrace_ids_has (self->document->ids, id, WEFT_XCTRACE_ID_REFERRED) &&
      !g_hash_table_contains (self->document->elements, &id))
    {
      open->is_kept = TRUE;
      open->id = id;
    }
  if (open->is_kept || (is_first ? is_cell_wanted (self) : parent->element != NULL))
    build (self, open, name, attributes, reference);
  if (open->element != NULL && is_first && is_cell_wanted (self))
    self->row.cells[self->row.n_cells] = open->element;
  else if (open->element != NULL && parent->element != NULL)
    append (parent->element, open->element);
}

static void
close_cell (Parse *self, Open *open, const Open *parent)
{
  WeftXctraceDocument *document = self->document;
  WeftXctraceArena *arena = open->is_kept ? document->kept : self->scratch;

  if (open->element != NULL && !open->has_children && self->text->len > 0)
    open->element->text = weft_xctrace_arena_strndup (arena, self->text->str, self->text->len);
  if (open->id != 0 && open->element != NULL)
    {
      guint64 *key = weft_xctrace_arena_alloc (arena, sizeof *key);

      *key = open->id;
      g_hash_table_insert (document->elements, key, open->element);
    }
  if (parent->place == ROW && ++self->row.n_cells > WEFT_XCTRACE_MAX_COLUMNS)
    fail (self, "a row has more than %d cells", WEFT_XCTRACE_MAX_COLUMNS);
}

/* ---- Tables ---- */

/* Without a schema it is told by the types of its cells. */
static void
begin_table (Parse *self, const char *schema)
{
  WeftXctraceDocument *document = self->document;

  if (self->pass == SURVEY && document->tables->len >= MAX_TABLES)
    {
      fail (self, "it has more than %d tables", MAX_TABLES);
      return;
    }
  if (self->pass == SURVEY)
    g_ptr_array_add (
        document->tables,
        weft_xctrace_table_new (schema, self->place, XML_GetCurrentLineNumber (self->parser)));
  if (self->n_tables >= document->tables->len)
    {
      fail (self, "it changed while it was read");
      return;
    }
  self->table = g_ptr_array_index (document->tables, self->n_tables++);
}

/* Its columns are known. */
static void
announce_table (Parse *self)
{
  if (self->pass == READ)
    self->rows_wanted = self->handler->table (self->table, self->n_tables - 1, self->data);
}

static void
end_column (Parse *self)
{
  if (self->pass == SURVEY && self->error == NULL)
    {
      self->table->has_schema = TRUE;
      if (!weft_xctrace_table_add_column (self->table, self->mnemonic, self->type))
        fail (self, "a table has more than %d columns", WEFT_XCTRACE_MAX_COLUMNS);
    }
  g_clear_pointer (&self->mnemonic, g_free);
  g_clear_pointer (&self->type, g_free);
}

static void
begin_row (Parse *self)
{
  if (self->table == NULL)
    {
      begin_table (self, "");
      if (self->error == NULL)
        announce_table (self);
    }
  self->row.n_cells = 0;
  self->row.line = XML_GetCurrentLineNumber (self->parser);
  memset (self->row.cells, 0, sizeof self->row.cells);
}

static void
end_row (Parse *self)
{
  if (self->pass == SURVEY)
    self->table->n_rows++;
  else if (self->rows_wanted && self->error == NULL &&
           !self->handler->row (self->table, &self->row, self->data, &self->error))
    XML_StopParser (self->parser, XML_FALSE);
  weft_xctrace_arena_clear (self->scratch);
}

/* ---- Places ---- */

static Place
find_place (Place parent, const char *name)
{
  static const struct
  {
    Place parent;
    const char *name;
    Place place;
  } places[] = {
    { OUTSIDE, "trace-query-result", RESULT },
    { OUTSIDE, "trace-toc", CONTENTS },
    { RESULT, "node", NODE },
    { NODE, "schema", SCHEMA },
    { NODE, "row", ROW },
    { SCHEMA, "col", COLUMN },
    { COLUMN, "mnemonic", MNEMONIC },
    { COLUMN, "engineering-type", TYPE },
    { CONTENTS, "run", RUN },
    { RUN, "info", INFO },
  };

  if (parent == ROW || parent == INFO || parent == CELL)
    return CELL;
  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    if (places[i].parent == parent && strcmp (places[i].name, name) == 0)
      return places[i].place;
  return ELSEWHERE;
}

static void
begin_node (Parse *self, const XML_Char **attributes)
{
  g_free (self->place);
  self->place = g_strdup (find_attribute (attributes, "xpath"));
  self->table = NULL;
  self->rows_wanted = FALSE;
}

static void
enter (Parse *self, Open *open, const Open *parent, const char *name, const XML_Char **attributes)
{
  const char *text;

  switch (open->place)
    {
    case CONTENTS:
      self->document->is_contents = TRUE;
      break;
    case RUN:
      text = find_attribute (attributes, "number");
      self->run = text != NULL ? (guint) MIN (g_ascii_strtoull (text, NULL, 10), G_MAXUINT) : 0;
      break;
    case INFO:
      build (self, open, name, attributes, 0);
      break;
    case NODE:
      begin_node (self, attributes);
      break;
    case SCHEMA:
      text = find_attribute (attributes, "name");
      begin_table (self, text != NULL ? text : "");
      break;
    case ROW:
      begin_row (self);
      break;
    case CELL:
      if (!self->document->is_contents)
        open_cell (self, open, parent, name, attributes);
      else if (parent->element != NULL)
        {
          build (self, open, name, attributes, 0);
          append (parent->element, open->element);
        }
      break;
    default:
      if (open->place == ELSEWHERE && parent->place == OUTSIDE)
        fail (self,
              "this is no export of xctrace: it begins with <%.64s>, not with "
              "<trace-query-result> or <trace-toc>",
              name);
      break;
    }
}

static void
leave (Parse *self, Open *open, const Open *parent)
{
  switch (open->place)
    {
    case MNEMONIC:
      g_free (self->mnemonic);
      self->mnemonic = g_strdup (self->text->str);
      break;
    case TYPE:
      g_free (self->type);
      self->type = g_strdup (self->text->str);
      break;
    case COLUMN:
      end_column (self);
      break;
    case SCHEMA:
      announce_table (self);
      break;
    case ROW:
      end_row (self);
      break;
    case CELL:
      if (self->document->is_contents && open->element != NULL && !open->has_children)
        open->element->text =
            weft_xctrace_arena_strndup (self->scratch, self->text->str, self->text->len);
      else if (!self->document->is_contents && self->pass != SURVEY)
        close_cell (self, open, parent);
      break;
    case INFO:
      if (self->info != NULL)
        self->info (self->run, open->element, self->data);
      weft_xctrace_arena_clear (self->scratch);
      break;
    default:
      break;
    }
}

/* ---- The parser's calls ---- */

static void
on_start (void *data, const XML_Char *name, const XML_Char **attributes)
{
  Parse *self = data;
  Open *parent = &self->open[self->depth];
  Open *open;

  if (self->error != NULL)
    return;
  if (self->depth == MAX_DEPTH)
    {
      fail (self, "elements are nested more than %d deep", MAX_DEPTH);
      return;
    }
  parent->has_children = TRUE;
  open = &self->open[++self->depth];
  *open = (Open){ .place = find_place (parent->place, name) };
  g_string_truncate (self->text, 0);
  enter (self, open, parent, name, attributes);
}

static void
on_end (void *data, const XML_Char *name)
{
  Parse *self = data;

  if (self->error != NULL)
    return;
  leave (self, &self->open[self->depth], &self->open[self->depth - 1]);
  g_string_truncate (self->text, 0);
  self->depth--;
}

static void
on_text (void *data, const XML_Char *text, int length)
{
  Parse *self = data;
  const Open *open = &self->open[self->depth];

  if (self->error != NULL ||
      (open->element == NULL && open->place != MNEMONIC && open->place != TYPE))
    return;
  if (self->text->len + (gsize) length > MAX_TEXT)
    fail (self, "an element has more than %d MiB of text", MAX_TEXT >> 20);
  else
    g_string_append_len (self->text, text, length);
}

/* Exports have none; all that entities could do to their reader comes with one. */
static void
on_document_type (void *data, const XML_Char *name, const XML_Char *system, const XML_Char *public,
                  int has_subset)
{
  fail (data, "it declares a document type, which exports of xctrace do not");
}

/* ---- Reading ---- */

static void
parse_init (Parse *self, WeftXctraceDocument *document, Pass pass)
{
  memset (self, 0, sizeof *self);
  self->document = document;
  self->pass = pass;
  self->parser = XML_ParserCreate (NULL);
  self->text = g_string_new (NULL);
  self->scratch = weft_xctrace_arena_new ();
  self->pending = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  self->fixups = g_array_new (FALSE, FALSE, sizeof (Fixup));
  if (self->parser == NULL)
    return;
  XML_SetUserData (self->parser, self);
  XML_SetElementHandler (self->parser, on_start, on_end);
  XML_SetCharacterDataHandler (self->parser, on_text);
  XML_SetStartDoctypeDeclHandler (self->parser, on_document_type);
}

static void
parse_clear (Parse *self)
{
  g_clear_pointer (&self->parser, XML_ParserFree);
  g_string_free (self->text, TRUE);
  weft_xctrace_arena_free (self->scratch);
  g_hash_table_unref (self->pending);
  g_array_unref (self->fixups);
  g_free (self->place);
  g_free (self->mnemonic);
  g_free (self->type);
  g_clear_error (&self->error);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Parse, parse_clear)

static void
set_parser_error (Parse *self, guint64 total)
{
  enum XML_Error code = XML_GetErrorCode (self->parser);

  if (total == 0)
    fail (self, "the file is empty: see whether “xctrace export” printed an error");
  else if (code == XML_ERROR_NO_MEMORY)
    fail (self, "there is no memory left");
  else if (code == XML_ERROR_NO_ELEMENTS || code == XML_ERROR_UNCLOSED_TOKEN ||
           code == XML_ERROR_PARTIAL_CHAR || code == XML_ERROR_UNCLOSED_CDATA_SECTION)
    fail (self, "the file ends before the document does: export it again");
  else
    fail (self, "this is not XML: %s", XML_ErrorString (code));
}

/* A token is kept until its end is there, and looked at anew with each piece of it. */
static void
check_token (Parse *self, guint64 total)
{
  XML_Index index = XML_GetCurrentByteIndex (self->parser);

  if (index >= 0 && total - (guint64) index > MAX_TOKEN)
    fail (self, "a tag or comment has more than %d MiB", MAX_TOKEN >> 20);
}

static gboolean
feed (Parse *self, GInputStream *stream, GCancellable *cancellable)
{
  guint64 total = 0;
  gssize n;

  do
    {
      void *buffer = XML_GetBuffer (self->parser, BUFFER_SIZE);

      if (buffer == NULL)
        {
          fail (self, "there is no memory left");
          return FALSE;
        }
      n = g_input_stream_read (stream, buffer, BUFFER_SIZE, cancellable, &self->error);
      if (n < 0)
        return FALSE;
      total += (guint64) n;
      if (XML_ParseBuffer (self->parser, (int) n, n == 0) != XML_STATUS_OK)
        set_parser_error (self, total);
      else if (n > 0)
        check_token (self, total);
      if (self->error != NULL)
        return FALSE;
      if (self->handler->progress != NULL)
        self->handler->progress ((guint64) n, self->data);
    }
  while (n > 0);
  self->document->size = total;
  return TRUE;
}

static gboolean
run (Parse *self, GCancellable *cancellable, GError **error)
{
  g_autoptr (GFileInputStream) stream = NULL;

  if (self->parser == NULL)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "There is no memory left");
      return FALSE;
    }
  stream = g_file_read (self->document->file, cancellable, &self->error);
  if (stream == NULL || !feed (self, G_INPUT_STREAM (stream), cancellable))
    {
      g_propagate_error (error, g_steal_pointer (&self->error));
      return FALSE;
    }
  return TRUE;
}

gboolean
weft_xctrace_document_survey (WeftXctraceDocument *self, WeftXctraceInfoFunc info,
                              const WeftXctraceHandler *handler, gpointer data,
                              GCancellable *cancellable, GError **error)
{
  g_auto (Parse) parse;

  parse_init (&parse, self, SURVEY);
  parse.info = info;
  parse.handler = handler;
  parse.data = data;
  if (!run (&parse, cancellable, error))
    return FALSE;
  find_undefined (&parse);
  if (parse.error == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&parse.error));
  return FALSE;
}

static gboolean
gather (WeftXctraceDocument *self, const WeftXctraceHandler *handler, gpointer data,
        GCancellable *cancellable, GError **error)
{
  const WeftXctraceHandler quiet = { .progress = NULL };
  g_auto (Parse) parse;

  parse_init (&parse, self, GATHER);
  parse.handler = &quiet;
  if (!run (&parse, cancellable, error))
    return FALSE;
  resolve_fixups (&parse);
  return TRUE;
}

gboolean
weft_xctrace_document_read (WeftXctraceDocument *self, const WeftXctraceHandler *handler,
                            gpointer data, GCancellable *cancellable, GError **error)
{
  g_auto (Parse) parse;
  gboolean good;

  self->kept = weft_xctrace_arena_new ();
  self->elements = g_hash_table_new (g_int64_hash, g_int64_equal);
  parse_init (&parse, self, READ);
  parse.handler = handler;
  parse.data = data;
  good = (!self->has_forward || gather (self, handler, data, cancellable, error)) &&
         run (&parse, cancellable, error);
  g_clear_pointer (&self->elements, g_hash_table_unref);
  g_clear_pointer (&self->kept, weft_xctrace_arena_free);
  return good;
}

/* ---- Life ---- */

WeftXctraceDocument *
weft_xctrace_document_new (GFile *file)
{
  WeftXctraceDocument *self = g_new0 (WeftXctraceDocument, 1);
  g_autofree char *name = g_file_get_basename (file);

  self->file = g_object_ref (file);
  self->name = g_utf8_make_valid (name, -1);
  self->tables = g_ptr_array_new_with_free_func ((GDestroyNotify) weft_xctrace_table_free);
  self->ids = weft_xctrace_ids_new ();
  self->names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return self;
}

void
weft_xctrace_document_free (WeftXctraceDocument *self)
{
  g_object_unref (self->file);
  g_free (self->name);
  g_ptr_array_unref (self->tables);
  weft_xctrace_ids_free (self->ids);
  g_hash_table_unref (self->names);
  g_free (self);
}

const char *
weft_xctrace_document_get_name (const WeftXctraceDocument *self)
{
  return self->name;
}

guint64
weft_xctrace_document_get_size (const WeftXctraceDocument *self)
{
  return self->size;
}

GPtrArray *
weft_xctrace_document_get_tables (const WeftXctraceDocument *self)
{
  return self->tables;
}
