/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-recording-builder.h"

#include <string.h>
#include <unistd.h>

#include "weft-error.h"
#include "weft-linker.h"
#include "weft-model.h"
#include "weft-recording-copy.h"
#include "weft-recording-private.h"
#include "weft-store-writer.h"

#define MAX_TIME (G_GINT64_CONSTANT (1) << 61) /* ns: 73 years before and after the start */
#define MAX_TEXT (64 << 20)
#define MAX_BLOB (512 << 20)

/**
 * WeftRecordingBuilder:
 *
 * Makes a recording out of rows: for importers, scripts and tests.
 *
 * Rows go to the tables that `docs/file-format.md` lists, with the fields that they have there;
 * each row gets the next number of its table, from 1, as its id. A row that is named by another
 * comes before it. What does not fit is refused with an error and leaves the recording as it was.
 *
 * The recording says of itself that it was made and not recorded: the table `meta` has a row
 * `imported-from`. Lanes without rows in `lane_counts` get one that says that all their dispatches
 * are there.
 *
 * A builder that is let go of before [method@RecordingBuilder.finish] leaves no file. It may be
 * used from one thread at a time.
 *
 * Since: 0.1
 */
struct _WeftRecordingBuilder
{
  GObject parent_instance;

  char *path;
  WeftStoreWriter *writer; /* NULL once it is finished */
  WeftLinker *linker; /* NULL where rows that it decides about are copies */
  GArray *processes; /* element-type guint64: of each runtime; runtime - 1 */
  GArray *runtimes;  /* element-type guint64: of each lane; lane - 1 */
  guint n_untold;    /* rows since the linker was asked to decide */
  WeftTableWriter *tables[WEFT_N_TABLES];
  gint64 start_monotonic;
  gint64 start_realtime;
  char *recorder_name;
  GPtrArray *origins;
  GArray *lane_totals;       /* element-type guint64: dispatches; lane - 1 */
  GHashTable *counted_lanes; /* set of lanes with rows in lane_counts */
  gint64 last_end;
  gboolean has_facts; /* copied: those of the recording that they are of */
};

G_DEFINE_FINAL_TYPE (WeftRecordingBuilder, weft_recording_builder, G_TYPE_OBJECT)

/* A value that was checked and not written yet. */
typedef struct
{
  const WeftField *field;
  const WeftColumnSpec *spec;
  gboolean is_given;
  GVariant *value;  /* that it was given as, or NULL */
  guint64 bits;     /* of numbers */
  const char *text; /* of texts */
  gsize length;
} Cell;

/* ---- Checks ---- */

static gboolean
is_open (WeftRecordingBuilder *self, GError **error)
{
  const GError *failure = self->writer ? weft_store_writer_get_error (self->writer) : NULL;

  if (failure != NULL)
    g_propagate_error (error, g_error_copy (failure));
  else if (self->writer == NULL)
    g_set_error_literal (error, WEFT_ERROR, WEFT_ERROR_RECORDER,
                         "The recording is finished: nothing can be added to it");
  return self->writer != NULL && failure == NULL;
}

static guint64
count_rows (WeftRecordingBuilder *self, WeftTableId table)
{
  return self->tables[table]->total;
}

static gboolean
check_reference (WeftRecordingBuilder *self, const char *field, WeftTableId table, guint64 id,
                 GError **error)
{
  if (id <= count_rows (self, table))
    return TRUE;
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_NO_SUCH_OBJECT,
               "“%s” names row %" G_GUINT64_FORMAT " of “%s”, which has %" G_GUINT64_FORMAT
               "; add that row first",
               field, id, weft_schema_table (table)->name, count_rows (self, table));
  return FALSE;
}

static gboolean
is_signed (const Cell *cell)
{
  return cell->spec->type == WEFT_STORE_TYPE_TIME || cell->spec->type == WEFT_STORE_TYPE_I64;
}

/* What was given, to be shown. */
static GVariant *
get_value (const Cell *cell)
{
  if (cell->value != NULL)
    return g_variant_ref (cell->value);
  if (cell->text != NULL)
    return g_variant_ref_sink (g_variant_new_string (cell->text));
  return g_variant_ref_sink (is_signed (cell) ? g_variant_new_int64 ((gint64) cell->bits)
                                              : g_variant_new_uint64 (cell->bits));
}

static gboolean
set_wrong_type (GError **error, const Cell *cell, const char *wanted)
{
  g_autoptr (GVariant) given = get_value (cell);

  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "“%s” is %s, not of type “%s”",
               cell->field->name, wanted, g_variant_get_type_string (given));
  return FALSE;
}

static gboolean
set_out_of_range (GError **error, const Cell *cell, const char *wanted)
{
  g_autoptr (GVariant) given = get_value (cell);
  g_autofree char *value = g_variant_print (given, FALSE);

  g_set_error (error, WEFT_ERROR, WEFT_ERROR_OUT_OF_RANGE, "“%s” is %s, not %s", cell->field->name,
               wanted, value);
  return FALSE;
}

/* An integer of any width; NEGATIVE tells how BITS are meant. */
static gboolean
read_integer (GVariant *value, guint64 *bits, gboolean *negative)
{
  gint64 number = 0;

  switch (g_variant_classify (value))
    {
    case G_VARIANT_CLASS_BYTE:
      number = g_variant_get_byte (value);
      break;
    case G_VARIANT_CLASS_BOOLEAN:
      number = g_variant_get_boolean (value);
      break;
    case G_VARIANT_CLASS_INT16:
      number = g_variant_get_int16 (value);
      break;
    case G_VARIANT_CLASS_UINT16:
      number = g_variant_get_uint16 (value);
      break;
    case G_VARIANT_CLASS_INT32:
      number = g_variant_get_int32 (value);
      break;
    case G_VARIANT_CLASS_UINT32:
      number = g_variant_get_uint32 (value);
      break;
    case G_VARIANT_CLASS_INT64:
      number = g_variant_get_int64 (value);
      break;
    case G_VARIANT_CLASS_UINT64:
      *bits = g_variant_get_uint64 (value);
      *negative = FALSE;
      return TRUE;
    default:
      return FALSE;
    }
  *bits = (guint64) number;
  *negative = number < 0;
  return TRUE;
}

static guint64
double_bits (double number)
{
  guint64 bits;

  memcpy (&bits, &number, sizeof bits);
  return bits;
}

static gboolean
check_double (Cell *cell, GError **error)
{
  gboolean negative;

  if (g_variant_is_of_type (cell->value, G_VARIANT_TYPE_DOUBLE))
    {
      cell->bits = double_bits (g_variant_get_double (cell->value));
      return TRUE;
    }
  if (!read_integer (cell->value, &cell->bits, &negative))
    return set_wrong_type (error, cell, "a number");
  cell->bits = double_bits (negative ? (double) (gint64) cell->bits : (double) cell->bits);
  return TRUE;
}

static gboolean
check_range (const Cell *cell, gboolean negative, GError **error)
{
  switch (cell->spec->type)
    {
    case WEFT_STORE_TYPE_TIME:
      if (negative ? (gint64) cell->bits < -MAX_TIME : cell->bits > MAX_TIME)
        return set_out_of_range (error, cell,
                                 "nanoseconds since the start of the recording, 2⁶¹ at most");
      return TRUE;
    case WEFT_STORE_TYPE_DURATION:
      if (negative || cell->bits > MAX_TIME)
        return set_out_of_range (error, cell, "a duration of 0 to 2⁶¹ nanoseconds");
      return TRUE;
    case WEFT_STORE_TYPE_I64:
      if (!negative && cell->bits > G_MAXINT64)
        return set_out_of_range (error, cell, "a number below 2⁶³");
      return TRUE;
    default:
      return !negative || set_out_of_range (error, cell, "no negative number");
    }
}

static gboolean
check_integer (Cell *cell, GError **error)
{
  gboolean negative;

  if (!read_integer (cell->value, &cell->bits, &negative))
    return set_wrong_type (error, cell, "a whole number");
  return check_range (cell, negative, error);
}

/* Columns that hold the 64 bits of a number of any type. */
static gboolean
check_bits (Cell *cell, GError **error)
{
  gboolean negative;

  if (g_variant_is_of_type (cell->value, G_VARIANT_TYPE_DOUBLE))
    cell->bits = double_bits (g_variant_get_double (cell->value));
  else if (!read_integer (cell->value, &cell->bits, &negative))
    return set_wrong_type (error, cell, "a number");
  return TRUE;
}

static gboolean
is_owner_table (const Cell *cell)
{
  return cell->field->column == WEFT_TAGS_OWNER_TABLE ||
         cell->field->column == WEFT_ARTIFACT_LINKS_OWNER_TABLE;
}

/* The word for a value of an enumeration, or the name of a table. */
static gboolean
read_word (Cell *cell, GEnumClass *enumeration)
{
  const char *word = g_variant_get_string (cell->value, NULL);
  const GEnumValue *value = enumeration ? g_enum_get_value_by_nick (enumeration, word) : NULL;
  WeftTableId table = is_owner_table (cell) ? weft_model_find_table (word) : WEFT_N_TABLES;

  cell->bits = value != NULL ? (guint64) value->value : table;
  return value != NULL || table < WEFT_N_TABLES;
}

static gboolean
check_enum_number (const Cell *cell, GEnumClass *enumeration, gboolean negative, GError **error)
{
  if (negative || cell->bits > G_MAXINT ||
      (enumeration != NULL && g_enum_get_value (enumeration, (int) cell->bits) == NULL) ||
      (is_owner_table (cell) && cell->bits >= WEFT_N_TABLES) ||
      (enumeration == NULL && !is_owner_table (cell) && cell->bits > G_MAXUINT8))
    return set_out_of_range (error, cell, "a number of its enumeration");
  return TRUE;
}

static gboolean
check_enum (Cell *cell, GError **error)
{
  g_autoptr (GTypeClass) klass =
      cell->field->enumeration ? g_type_class_ref (cell->field->enumeration ()) : NULL;
  GEnumClass *enumeration = (GEnumClass *) klass;
  gboolean negative;

  if (g_variant_is_of_type (cell->value, G_VARIANT_TYPE_STRING))
    return read_word (cell, enumeration) ||
           set_out_of_range (error, cell, "one of the words of its enumeration");
  if (!read_integer (cell->value, &cell->bits, &negative))
    return set_wrong_type (error, cell, "a number or word of its enumeration");
  return check_enum_number (cell, enumeration, negative, error);
}

/* A number, or a handle such as “l-3”. */
static gboolean
check_id (WeftRecordingBuilder *self, Cell *cell, GError **error)
{
  int reference = cell->field->reference;
  gboolean negative = FALSE;

  if (g_variant_is_of_type (cell->value, G_VARIANT_TYPE_STRING) && reference >= 0)
    {
      const char *prefix = weft_model_get_table (reference)->prefix;
      const char *text = g_variant_get_string (cell->value, NULL);
      gsize length = prefix ? strlen (prefix) : 0;

      if (prefix == NULL || strncmp (text, prefix, length) != 0 || text[length] != '-' ||
          !g_ascii_string_to_unsigned (text + length + 1, 10, 1, G_MAXINT64, &cell->bits, NULL))
        return set_out_of_range (error, cell, "an id or handle");
    }
  else if (!read_integer (cell->value, &cell->bits, &negative))
    return set_wrong_type (error, cell, "an id");
  if (negative)
    return set_out_of_range (error, cell, "an id");
  return reference < 0 || check_reference (self, cell->field->name, reference, cell->bits, error);
}

static gboolean
check_length (const Cell *cell, GError **error)
{
  if (cell->length <= MAX_TEXT)
    return TRUE;
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_OUT_OF_RANGE,
               "“%s” has %" G_GSIZE_FORMAT " bytes; a text may have %d", cell->field->name,
               cell->length, MAX_TEXT);
  return FALSE;
}

static gboolean
check_string (Cell *cell, GError **error)
{
  if (!g_variant_is_of_type (cell->value, G_VARIANT_TYPE_STRING))
    return set_wrong_type (error, cell, "a text");
  cell->text = g_variant_get_string (cell->value, &cell->length);
  return check_length (cell, error);
}

static gboolean
check_blob (Cell *cell, GError **error)
{
  if (!g_variant_is_of_type (cell->value, G_VARIANT_TYPE_STRING) &&
      !g_variant_is_of_type (cell->value, G_VARIANT_TYPE_BYTESTRING))
    return set_wrong_type (error, cell, "a text or bytes");
  if (g_variant_get_size (cell->value) <= MAX_BLOB)
    return TRUE;
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_OUT_OF_RANGE,
               "“%s” has %" G_GSIZE_FORMAT " bytes; contents may have %d", cell->field->name,
               g_variant_get_size (cell->value), MAX_BLOB);
  return FALSE;
}

static gboolean
check_value (WeftRecordingBuilder *self, Cell *cell, GError **error)
{
  if (cell->field->column == WEFT_TAGS_BITS || cell->field->column == WEFT_COUNTER_VALUES_BITS)
    return check_bits (cell, error);
  switch (cell->spec->type)
    {
    case WEFT_STORE_TYPE_STRING:
      return check_string (cell, error);
    case WEFT_STORE_TYPE_BLOB:
      return check_blob (cell, error);
    case WEFT_STORE_TYPE_F64:
      return check_double (cell, error);
    case WEFT_STORE_TYPE_ENUM:
      return check_enum (cell, error);
    case WEFT_STORE_TYPE_ID:
      return check_id (self, cell, error);
    default:
      return check_integer (cell, error);
    }
}

/* ---- Rows ---- */

/* What a row means nothing without. */
static gboolean
is_required (WeftColumnNumber column)
{
  switch (column)
    {
    case WEFT_PROCESS_ENDS_PROCESS:
    case WEFT_RUNTIME_ENDS_RUNTIME:
    case WEFT_RUNTIME_STATS_RUNTIME:
    case WEFT_CLOCK_PAIRS_CLOCK:
    case WEFT_LANE_COUNTS_LANE:
    case WEFT_LANE_ENDS_LANE:
    case WEFT_SOURCE_LINES_SOURCE:
    case WEFT_ROUTINE_ARGUMENTS_ROUTINE:
    case WEFT_SUBMISSION_EVENTS_SUBMISSION:
    case WEFT_DISPATCHES_LANE:
    case WEFT_DISPATCHES_ROUTINE:
    case WEFT_PHASES_DISPATCH:
    case WEFT_ATTACHMENTS_DISPATCH:
    case WEFT_ATTACHMENT_RANGES_ATTACHMENT:
    case WEFT_COUNTER_SET_STATES_SET:
    case WEFT_COUNTERS_SET:
    case WEFT_COUNTER_SAMPLES_SET:
    case WEFT_COUNTER_VALUES_SAMPLE:
    case WEFT_COUNTER_VALUES_COUNTER:
    case WEFT_METRIC_POINTS_METRIC:
    case WEFT_TAGS_OWNER:
    case WEFT_ARTIFACT_LINKS_ARTIFACT:
    case WEFT_ARTIFACT_LINKS_OWNER:
      return TRUE;
    default:
      return FALSE;
    }
}

/* The columns of a row by their places; those that were not given have no value. */
typedef struct
{
  WeftTableId table;
  const WeftTableSpec *spec;
  Cell cells[WEFT_MAX_COLUMNS];
} Row;

static void
row_clear (Row *row)
{
  for (guint i = 0; i < WEFT_MAX_COLUMNS; i++)
    g_clear_pointer (&row->cells[i].value, g_variant_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Row, row_clear)

/* Ids are given by the builder; who knows the next may say it. */
static gboolean
is_own_id (const Cell *cell)
{
  return (cell->spec->flags & WEFT_COLUMN_KEY) != 0 || cell->field->column == WEFT_TRACES_ID;
}

static gboolean
check_own_id (const Cell *cell, guint64 next, GError **error)
{
  guint64 given = 0;
  gboolean negative = FALSE;

  if (read_integer (cell->value, &given, &negative) && !negative && given == next)
    return TRUE;
  g_set_error (error, WEFT_ERROR, WEFT_ERROR_OUT_OF_RANGE,
               "Rows are numbered as they come: the “%s” of this one is %" G_GUINT64_FORMAT
               "; leave it out",
               cell->field->name, next);
  return FALSE;
}

/* The field's place in its row; NULL if there is none that may be set. */
static Cell *
find_cell (WeftRecordingBuilder *self, Row *row, const char *name, GError **error)
{
  const WeftField *field = weft_model_find_field (row->table, name);
  const WeftColumnSpec *spec;
  guint place;

  if (field == NULL)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_NO_SUCH_FIELD, "“%s” has no field “%s”",
                   row->spec->name, name);
      return NULL;
    }
  place = field->computed == WEFT_COMPUTED_NOT
              ? field->column - self->tables[row->table]->column_base - 1
              : WEFT_MAX_COLUMNS;
  spec = place < WEFT_MAX_COLUMNS ? &row->spec->columns[place] : NULL;
  if (spec == NULL || (spec->flags & WEFT_COLUMN_DERIVED))
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_NO_SUCH_FIELD,
                   "“%s” of “%s” follows from others and cannot be set", name, row->spec->name);
      return NULL;
    }
  if (row->cells[place].is_given)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "“%s” is given twice", name);
      return NULL;
    }
  row->cells[place].is_given = TRUE;
  row->cells[place].field = field;
  row->cells[place].spec = spec;
  return &row->cells[place];
}

static gboolean
fill_cell (WeftRecordingBuilder *self, Row *row, const char *name, GVariant *value, GError **error)
{
  Cell *cell = find_cell (self, row, name, error);

  if (cell == NULL)
    return FALSE;
  cell->value = g_variant_ref (value);
  return is_own_id (cell) ? check_own_id (cell, count_rows (self, row->table) + 1, error)
                          : check_value (self, cell, error);
}

static const Cell *
get_cell (WeftRecordingBuilder *self, const Row *row, WeftColumnNumber column)
{
  return &row->cells[column - self->tables[row->table]->column_base - 1];
}

static gboolean
check_required (WeftRecordingBuilder *self, const Row *row, GError **error)
{
  for (guint i = 0; i < row->spec->n_columns; i++)
    if (is_required (self->tables[row->table]->column_base + 1 + i) && row->cells[i].bits == 0)
      {
        g_set_error (error, WEFT_ERROR, WEFT_ERROR_NO_SUCH_OBJECT, "A row of “%s” needs its “%s”",
                     row->spec->name, row->spec->columns[i].name);
        return FALSE;
      }
  return TRUE;
}

static gboolean
check_owner (WeftRecordingBuilder *self, const Row *row, GError **error)
{
  const Cell *table, *owner;

  if (row->table == WEFT_TABLE_TAGS)
    {
      table = get_cell (self, row, WEFT_TAGS_OWNER_TABLE);
      owner = get_cell (self, row, WEFT_TAGS_OWNER);
    }
  else if (row->table == WEFT_TABLE_ARTIFACT_LINKS)
    {
      table = get_cell (self, row, WEFT_ARTIFACT_LINKS_OWNER_TABLE);
      owner = get_cell (self, row, WEFT_ARTIFACT_LINKS_OWNER);
    }
  else
    return TRUE;
  return check_reference (self, "owner", table->bits, owner->bits, error);
}

static gboolean
check_facts (WeftRecordingBuilder *self, const Row *row, GError **error)
{
  static const char *const own[] = { "recorder",        "imported-from",  "duration",
                                     "start-monotonic", "start-realtime", NULL };
  const Cell *key;

  if (row->table == WEFT_TABLE_BLOBS)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                           "Contents are given to the field that refers to them, not to “blobs”");
      return FALSE;
    }
  if (row->table != WEFT_TABLE_META)
    return TRUE;
  key = get_cell (self, row, WEFT_META_KEY);
  if (key->text == NULL || !g_strv_contains (own, key->text))
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
               "The fact “%s” is told by the builder itself", key->text);
  return FALSE;
}

static gboolean
fill_row (WeftRecordingBuilder *self, Row *row, GVariant *values, GError **error)
{
  GVariantIter iter;
  const char *name;
  GVariant *value;

  g_variant_iter_init (&iter, values);
  while (g_variant_iter_next (&iter, "{&sv}", &name, &value))
    {
      gboolean good = fill_cell (self, row, name, value, error);

      g_variant_unref (value);
      if (!good)
        return FALSE;
    }
  return check_required (self, row, error) && check_owner (self, row, error) &&
         check_facts (self, row, error);
}

/* Strings and blobs get their numbers now that nothing can go wrong any more. */
static guint64
get_bits (WeftRecordingBuilder *self, const Cell *cell)
{
  gsize length;
  const char *data;

  switch (cell->spec->type)
    {
    case WEFT_STORE_TYPE_STRING:
      return weft_store_writer_string (self->writer, cell->text, (gssize) cell->length);
    case WEFT_STORE_TYPE_BLOB:
      if (g_variant_is_of_type (cell->value, G_VARIANT_TYPE_STRING))
        data = g_variant_get_string (cell->value, &length);
      else
        data = g_variant_get_fixed_array (cell->value, &length, 1);
      return weft_store_writer_blob (self->writer, data, length);
    default:
      return cell->bits;
    }
}

static void
count_dispatch (WeftRecordingBuilder *self, guint64 lane, gint64 start, guint64 duration)
{
  if (self->lane_totals->len < lane)
    g_array_set_size (self->lane_totals, (guint) lane);
  g_array_index (self->lane_totals, guint64, lane - 1)++;
  self->last_end = MAX (self->last_end, start + (gint64) duration);
}

/* ---- Links ---- */

#define ROWS_A_TURN 4096 /* between the linker's turns */

static guint64
lookup (const GArray *ids, guint64 number)
{
  return number - 1 < ids->len ? g_array_index (ids, guint64, number - 1) : 0;
}

/* Tables of which rows are decided about, or that this rests on. */
static gboolean
is_linked (WeftTableId table)
{
  const WeftTableSpec *spec = weft_schema_table (table);

  for (guint i = 0; i < spec->n_columns; i++)
    if (spec->columns[i].flags & WEFT_COLUMN_DERIVED)
      return TRUE;
  return table == WEFT_TABLE_SAMPLES || table == WEFT_TABLE_STACKS;
}

static gboolean
check_linked (WeftRecordingBuilder *self, WeftTableId table, GError **error)
{
  if (self->linker != NULL || !is_linked (table))
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
               "Nothing can be added to “%s” of a copy: what such rows are linked to was decided "
               "when it was recorded",
               weft_schema_table (table)->name);
  return FALSE;
}

/* VALUES are of all columns. */
static void
tell_linker (WeftRecordingBuilder *self, WeftTableId table, guint64 id, const guint64 *values,
             gboolean has_submitted)
{
  WeftLinkerRowFacts facts = { .has_submitted = has_submitted };
  const guint64 *runtime = &values[WEFT_LANES_RUNTIME - WEFT_COLUMN_BASE_LANES - 1];
  const guint64 *process = &values[WEFT_RUNTIMES_PROCESS - WEFT_COLUMN_BASE_RUNTIMES - 1];

  if (self->linker == NULL)
    return;
  if (table == WEFT_TABLE_LANES)
    g_array_append_val (self->runtimes, *runtime);
  else if (table == WEFT_TABLE_RUNTIMES)
    g_array_append_val (self->processes, *process);
  else if (table == WEFT_TABLE_ORIGINS)
    facts.process =
        lookup (self->processes, values[WEFT_ORIGINS_RUNTIME - WEFT_COLUMN_BASE_ORIGINS - 1]);
  else if (table == WEFT_TABLE_DISPATCHES)
    facts.runtime =
        lookup (self->runtimes, values[WEFT_DISPATCHES_LANE - WEFT_COLUMN_BASE_DISPATCHES - 1]);
  weft_linker_add_row (self->linker, table, id, values, &facts);
  if (++self->n_untold < ROWS_A_TURN)
    return;
  self->n_untold = 0;
  weft_linker_advance (self->linker, 0, count_rows (self, WEFT_TABLE_DISPATCHES));
}

static void
tell_linker_row (WeftRecordingBuilder *self, const Row *row, guint64 id)
{
  guint64 values[WEFT_MAX_COLUMNS];

  for (guint i = 0; i < row->spec->n_columns; i++)
    values[i] = row->cells[i].is_given ? row->cells[i].bits : 0;
  tell_linker (self, row->table, id, values,
               row->table == WEFT_TABLE_DISPATCHES &&
                   get_cell (self, row, WEFT_DISPATCHES_SUBMITTED)->is_given);
}

static guint64
write_row (WeftRecordingBuilder *self, Row *row)
{
  WeftTableWriter *t = self->tables[row->table];
  guint64 next = count_rows (self, row->table) + 1;

  for (guint i = 0; i < row->spec->n_columns; i++)
    if (row->cells[i].is_given)
      row->cells[i].bits = get_bits (self, &row->cells[i]);
  weft_table_writer_begin (t);
  for (guint i = 0; i < row->spec->n_columns; i++)
    if (row->cells[i].is_given && !is_own_id (&row->cells[i]))
      weft_table_writer_set (t, t->column_base + 1 + i, row->cells[i].bits);
  if (row->table == WEFT_TABLE_TRACES)
    weft_table_writer_set (t, WEFT_TRACES_ID, next);
  if (row->table == WEFT_TABLE_DISPATCHES)
    count_dispatch (self, get_cell (self, row, WEFT_DISPATCHES_LANE)->bits,
                    (gint64) get_cell (self, row, WEFT_DISPATCHES_START)->bits,
                    get_cell (self, row, WEFT_DISPATCHES_DURATION)->bits);
  if (row->table == WEFT_TABLE_LANE_COUNTS)
    g_hash_table_add (self->counted_lanes,
                      GSIZE_TO_POINTER (get_cell (self, row, WEFT_LANE_COUNTS_LANE)->bits));
  weft_table_writer_commit (t);
  tell_linker_row (self, row, next);
  return next;
}

static gboolean
begin_row (Row *row, const char *table, GError **error)
{
  row->table = weft_model_find_table (table);
  if (row->table == WEFT_N_TABLES)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_NO_SUCH_TABLE, "There is no table “%s”", table);
      return FALSE;
    }
  row->spec = weft_schema_table (row->table);
  return TRUE;
}

/**
 * weft_recording_builder_add_row:
 * @self: a builder
 * @table: name of a table, such as `lanes`
 * @values: the fields, of type `a{sv}`: whole numbers, doubles, texts; for fields that name a row
 * its id or handle; for enumerations the number or word; for contents a text or bytes
 * @id: (out) (optional): the number of the row, by which others may name it
 *
 * Adds a row. Fields that are left out have no value.
 *
 * Returns: %FALSE, without a row, with [error@Error]: `NO_SUCH_TABLE`, `NO_SUCH_FIELD`,
 *   `NO_SUCH_OBJECT` where it names a row that does not exist, or names none where it has to,
 *   `OUT_OF_RANGE`, `RECORDER` if the recording is finished; or [error@Gio.IOErrorEnum]:
 *   `INVALID_ARGUMENT` where a value has the wrong type, others where the disk failed
 *
 * Since: 0.1
 */
gboolean
weft_recording_builder_add_row (WeftRecordingBuilder *self, const char *table, GVariant *values,
                                guint64 *id, GError **error)
{
  g_autoptr (GVariant) sunk = NULL;
  g_auto (Row) row = { 0 };
  guint64 number;

  g_return_val_if_fail (WEFT_IS_RECORDING_BUILDER (self), FALSE);
  g_return_val_if_fail (table != NULL && values != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  sunk = g_variant_ref_sink (values);
  if (!is_open (self, error))
    return FALSE;
  if (!g_variant_is_of_type (values, G_VARIANT_TYPE_VARDICT))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                   "A row is of type a{sv}, not “%s”", g_variant_get_type_string (values));
      return FALSE;
    }
  if (!begin_row (&row, table, error) || !check_linked (self, row.table, error) ||
      !fill_row (self, &row, values, error))
    return FALSE;
  number = write_row (self, &row);
  if (id != NULL)
    *id = number;
  return TRUE;
}

/* ---- Rows of bare values ---- */

static gboolean
check_number (WeftRecordingBuilder *self, WeftTableId table, Cell *cell, GError **error)
{
  gboolean negative = is_signed (cell) && (gint64) cell->bits < 0;
  g_autoptr (GTypeClass) klass = NULL;

  switch (cell->spec->type)
    {
    case WEFT_STORE_TYPE_STRING:
    case WEFT_STORE_TYPE_BLOB:
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "“%s” is %s, not a number",
                   cell->field->name,
                   cell->spec->type == WEFT_STORE_TYPE_BLOB ? "a text or bytes" : "a text");
      return FALSE;
    case WEFT_STORE_TYPE_F64:
      return TRUE;
    case WEFT_STORE_TYPE_ID:
      if (is_own_id (cell))
        return cell->bits == count_rows (self, table) + 1 ||
               set_out_of_range (error, cell, "the number that the row gets; leave it out");
      return cell->field->reference < 0 ||
             check_reference (self, cell->field->name, cell->field->reference, cell->bits, error);
    case WEFT_STORE_TYPE_ENUM:
      if (cell->field->enumeration != NULL)
        klass = g_type_class_ref (cell->field->enumeration ());
      return check_enum_number (cell, (GEnumClass *) klass, FALSE, error);
    default:
      return cell->field->column == WEFT_TAGS_BITS ||
             cell->field->column == WEFT_COUNTER_VALUES_BITS || check_range (cell, negative, error);
    }
}

static gboolean
check_text (const Cell *cell, GError **error)
{
  if (cell->spec->type == WEFT_STORE_TYPE_STRING && g_utf8_validate (cell->text, -1, NULL))
    return check_length (cell, error);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "“%s” is no text in UTF-8",
               cell->field->name);
  return FALSE;
}

static gsize
count_texts (const char *const *texts)
{
  return texts != NULL ? g_strv_length ((char **) texts) : 0;
}

static gboolean
fill_values (WeftRecordingBuilder *self, Row *row, const char *const *number_fields,
             const guint64 *numbers, gsize n_numbers, const char *const *text_fields,
             const char *const *texts, GError **error)
{
  for (gsize i = 0; i < n_numbers; i++)
    {
      Cell *cell = find_cell (self, row, number_fields[i], error);

      if (cell == NULL)
        return FALSE;
      cell->bits = numbers[i];
      if (!check_number (self, row->table, cell, error))
        return FALSE;
    }
  for (gsize i = 0; text_fields != NULL && text_fields[i] != NULL; i++)
    {
      Cell *cell = find_cell (self, row, text_fields[i], error);

      if (cell == NULL)
        return FALSE;
      cell->text = texts[i];
      cell->length = strlen (texts[i]);
      if (!check_text (cell, error))
        return FALSE;
    }
  return check_required (self, row, error) && check_owner (self, row, error) &&
         check_facts (self, row, error);
}

/**
 * weft_recording_builder_add_values:
 * @self: a builder
 * @table: name of a table, such as `lanes`
 * @number_fields: (array length=n_numbers): fields that are numbers, ids or enumerations
 * @numbers: (array length=n_numbers): their values: 64 bits each, as the field has them; of
 *   signed numbers in two's complement, of doubles as IEEE 754 lays them down
 * @n_numbers: how many
 * @text_fields: (nullable) (array zero-terminated=1): fields that are texts
 * @texts: (nullable) (array zero-terminated=1): their values, as many
 * @id: (out) (optional): the number of the row
 *
 * Adds a row: as [method@RecordingBuilder.add_row], but several times faster. For importers of many
 * rows. It has no handles, no words of enumerations, and no contents.
 *
 * Returns: %FALSE, without a row, with the errors of [method@RecordingBuilder.add_row]
 *
 * Since: 0.1
 */
gboolean
weft_recording_builder_add_values (WeftRecordingBuilder *self, const char *table,
                                   const char *const *number_fields, const guint64 *numbers,
                                   gsize n_numbers, const char *const *text_fields,
                                   const char *const *texts, guint64 *id, GError **error)
{
  g_auto (Row) row = { 0 };
  guint64 number;

  g_return_val_if_fail (WEFT_IS_RECORDING_BUILDER (self), FALSE);
  g_return_val_if_fail (table != NULL, FALSE);
  g_return_val_if_fail (n_numbers == 0 || (number_fields != NULL && numbers != NULL), FALSE);
  g_return_val_if_fail (count_texts (text_fields) == count_texts (texts), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!is_open (self, error) || !begin_row (&row, table, error) ||
      !check_linked (self, row.table, error) ||
      !fill_values (self, &row, number_fields, numbers, n_numbers, text_fields, texts, error))
    return FALSE;
  number = write_row (self, &row);
  if (id != NULL)
    *id = number;
  return TRUE;
}

/* ---- Dispatches ---- */

typedef struct
{
  guint64 lane;
  guint64 routine;
  gint64 start;
  guint64 duration;
  guint64 thread;
  guint64 status;
} Dispatch;

static gboolean
check_dispatch (WeftRecordingBuilder *self, const Dispatch *dispatch, GError **error)
{
  if (!check_linked (self, WEFT_TABLE_DISPATCHES, error))
    return FALSE;
  if (dispatch->lane == 0 || dispatch->routine == 0)
    g_set_error_literal (error, WEFT_ERROR, WEFT_ERROR_NO_SUCH_OBJECT,
                         "A row of “dispatches” needs its “lane” and its “routine”");
  else if (dispatch->start < -MAX_TIME || dispatch->start > MAX_TIME)
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_OUT_OF_RANGE,
                 "“start” is nanoseconds since the start of the recording, 2⁶¹ at most, not "
                 "%" G_GINT64_FORMAT,
                 dispatch->start);
  else if (dispatch->duration > MAX_TIME)
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_OUT_OF_RANGE,
                 "“duration” is 0 to 2⁶¹ nanoseconds, not %" G_GUINT64_FORMAT, dispatch->duration);
  else if (dispatch->status > WEFT_STATUS_CANCELED)
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_OUT_OF_RANGE,
                 "There is no status %" G_GUINT64_FORMAT, dispatch->status);
  else
    return check_reference (self, "lane", WEFT_TABLE_LANES, dispatch->lane, error) &&
           check_reference (self, "routine", WEFT_TABLE_ROUTINES, dispatch->routine, error) &&
           check_reference (self, "thread", WEFT_TABLE_THREADS, dispatch->thread, error);
  return FALSE;
}

static guint64
write_dispatch (WeftRecordingBuilder *self, const Dispatch *dispatch)
{
  WeftTableWriter *t = self->tables[WEFT_TABLE_DISPATCHES];
  enum
  {
    base = WEFT_COLUMN_BASE_DISPATCHES + 1
  };
  guint64 values[WEFT_MAX_COLUMNS] = {
    [WEFT_DISPATCHES_LANE - base] = dispatch->lane,
    [WEFT_DISPATCHES_START - base] = (guint64) dispatch->start,
    [WEFT_DISPATCHES_DURATION - base] = dispatch->duration,
    [WEFT_DISPATCHES_STATUS - base] = dispatch->status,
  };
  guint64 id;

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_DISPATCHES_LANE, dispatch->lane);
  weft_table_writer_set (t, WEFT_DISPATCHES_ROUTINE, dispatch->routine);
  weft_table_writer_set (t, WEFT_DISPATCHES_START, (guint64) dispatch->start);
  weft_table_writer_set (t, WEFT_DISPATCHES_DURATION, dispatch->duration);
  if (dispatch->thread != 0)
    weft_table_writer_set (t, WEFT_DISPATCHES_THREAD, dispatch->thread);
  if (dispatch->status != WEFT_STATUS_OK)
    weft_table_writer_set (t, WEFT_DISPATCHES_STATUS, dispatch->status);
  count_dispatch (self, dispatch->lane, dispatch->start, dispatch->duration);
  id = weft_table_writer_commit (t);
  tell_linker (self, WEFT_TABLE_DISPATCHES, id, values, FALSE);
  return id;
}

/**
 * weft_recording_builder_add_dispatch:
 * @self: a builder
 * @lane: id of its lane
 * @routine: id of its routine
 * @start: nanoseconds since the start of the recording
 * @duration: nanoseconds
 * @thread: id of the thread that it was given by, or 0
 * @status: how it ended
 * @id: (out) (optional): its number
 *
 * Adds a dispatch: as [method@RecordingBuilder.add_row] with a row of `dispatches`, but faster.
 *
 * Returns: %FALSE, without a row, with the errors of [method@RecordingBuilder.add_row]
 *
 * Since: 0.1
 */
gboolean
weft_recording_builder_add_dispatch (WeftRecordingBuilder *self, guint lane, guint routine,
                                     gint64 start, guint64 duration, guint thread,
                                     WeftStatus status, guint64 *id, GError **error)
{
  const Dispatch dispatch = { lane, routine, start, duration, thread, status };
  guint64 number;

  g_return_val_if_fail (WEFT_IS_RECORDING_BUILDER (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!is_open (self, error) || !check_dispatch (self, &dispatch, error))
    return FALSE;
  number = write_dispatch (self, &dispatch);
  if (id != NULL)
    *id = number;
  return TRUE;
}

/* Columns as they were given; of those that were not, DATA is NULL. */
typedef struct
{
  const char *name;
  const guint8 *data;
  gsize width;
} Column;

enum
{
  LANES,
  ROUTINES,
  STARTS,
  DURATIONS,
  THREADS,
  STATUSES,
  N_COLUMNS
};

static gboolean
open_columns (GBytes *const *given, Column *columns, gsize *n, GError **error)
{
  static const Column forms[N_COLUMNS] = {
    [LANES] = { "lanes", NULL, sizeof (guint32) },
    [ROUTINES] = { "routines", NULL, sizeof (guint32) },
    [STARTS] = { "starts", NULL, sizeof (gint64) },
    [DURATIONS] = { "durations", NULL, sizeof (guint64) },
    [THREADS] = { "threads", NULL, sizeof (guint32) },
    [STATUSES] = { "statuses", NULL, sizeof (guint8) },
  };

  memcpy (columns, forms, sizeof forms);
  *n = g_bytes_get_size (given[LANES]) / columns[LANES].width;
  for (guint i = 0; i < N_COLUMNS; i++)
    {
      if (given[i] == NULL)
        continue;
      columns[i].data = g_bytes_get_data (given[i], NULL);
      if (g_bytes_get_size (given[i]) != *n * columns[i].width)
        {
          g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                       "“%s” has %" G_GSIZE_FORMAT " bytes; %" G_GSIZE_FORMAT
                       " numbers of %" G_GSIZE_FORMAT " bytes each are wanted",
                       columns[i].name, g_bytes_get_size (given[i]), *n, columns[i].width);
          return FALSE;
        }
    }
  return TRUE;
}

static guint64
get_number (const Column *column, gsize row)
{
  guint64 number = 0;

  if (column->data != NULL)
    memcpy (&number, column->data + row * column->width, column->width);
  return number;
}

static Dispatch
get_dispatch (const Column *columns, gsize row)
{
  return (Dispatch){
    get_number (&columns[LANES], row),           get_number (&columns[ROUTINES], row),
    (gint64) get_number (&columns[STARTS], row), get_number (&columns[DURATIONS], row),
    get_number (&columns[THREADS], row),         get_number (&columns[STATUSES], row)
  };
}

/**
 * weft_recording_builder_add_dispatches:
 * @self: a builder
 * @lanes: ids of their lanes, 32 bits each
 * @routines: ids of their routines, 32 bits each
 * @starts: nanoseconds since the start of the recording, signed, 64 bits each
 * @durations: nanoseconds, 64 bits each
 * @threads: (nullable): ids of threads or 0, 32 bits each
 * @statuses: (nullable): values of [enum@Status], 8 bits each
 * @first_id: (out) (optional): the number of the first; the others follow
 *
 * Adds many dispatches by their columns, in the machine's byte order: all, or, after an error,
 * none.
 *
 * Returns: %FALSE with the errors of [method@RecordingBuilder.add_row]
 *
 * Since: 0.1
 */
gboolean
weft_recording_builder_add_dispatches (WeftRecordingBuilder *self, GBytes *lanes, GBytes *routines,
                                       GBytes *starts, GBytes *durations, GBytes *threads,
                                       GBytes *statuses, guint64 *first_id, GError **error)
{
  GBytes *const given[N_COLUMNS] = { lanes, routines, starts, durations, threads, statuses };
  Column columns[N_COLUMNS];
  gsize n;

  g_return_val_if_fail (WEFT_IS_RECORDING_BUILDER (self), FALSE);
  g_return_val_if_fail (lanes && routines && starts && durations, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!is_open (self, error) || !open_columns (given, columns, &n, error))
    return FALSE;
  for (gsize i = 0; i < n; i++)
    {
      Dispatch dispatch = get_dispatch (columns, i);

      if (!check_dispatch (self, &dispatch, error))
        {
          g_prefix_error (error, "Row %" G_GSIZE_FORMAT ": ", i);
          return FALSE;
        }
    }
  if (first_id != NULL)
    *first_id = count_rows (self, WEFT_TABLE_DISPATCHES) + 1;
  for (gsize i = 0; i < n; i++)
    {
      Dispatch dispatch = get_dispatch (columns, i);

      write_dispatch (self, &dispatch);
    }
  return TRUE;
}

/* ---- Copies ---- */

static gboolean
check_copy (WeftRecordingBuilder *self, WeftTableId table, WeftStore *store, GError **error)
{
  if (table == WEFT_N_TABLES)
    {
      g_set_error_literal (error, WEFT_ERROR, WEFT_ERROR_NO_SUCH_TABLE, "There is no such table");
      return FALSE;
    }
  if (weft_store_get_state (store) != WEFT_STORE_COMPLETE)
    {
      g_set_error_literal (error, WEFT_ERROR, WEFT_ERROR_DAMAGED,
                           "The recording is not finished, or damaged: wait for its end, or use "
                           "“weft repair”");
      return FALSE;
    }
  if (count_rows (self, table) == 0)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
               "“%s” has rows already: those of another recording would get other numbers",
               weft_schema_table (table)->name);
  return FALSE;
}

/**
 * weft_recording_builder_copy_table:
 * @self: a builder
 * @recording: a recording that is finished
 * @table: name of a table, such as `lanes`
 *
 * Copies all rows of a table of another recording, which keep their numbers. To make a recording
 * that tells more than another, copy its tables (their names are those of `docs/tables.md`), and
 * add rows behind them.
 *
 * Rows are not looked at: that others, which they name, are copied too is up to the caller. What
 * dispatches and origins are linked to is copied with them; once a table of these, of samples or of
 * stacks was copied, no rows can be added to such tables. Contents follow the rows that refer to
 * them; where `blobs` are copied first, they keep their numbers. Of `meta`, the facts of the other recording stand; only what
 * [method@RecordingBuilder.add_origin] told is added.
 *
 * Returns: %FALSE with [error@Error]: `NO_SUCH_TABLE`, `DAMAGED`, `RECORDER` if this recording is
 *   finished; or [error@Gio.IOErrorEnum]: `INVALID_ARGUMENT` where the table has rows already,
 *   `NOT_SUPPORTED` where only a part of the recording was kept
 *
 * Since: 0.1
 */
gboolean
weft_recording_builder_copy_table (WeftRecordingBuilder *self, WeftRecording *recording,
                                   const char *table, GError **error)
{
  g_autoptr (WeftStore) store = NULL;
  GError *failure = NULL;
  WeftTableId id;

  g_return_val_if_fail (WEFT_IS_RECORDING_BUILDER (self), FALSE);
  g_return_val_if_fail (WEFT_IS_RECORDING (recording), FALSE);
  g_return_val_if_fail (table != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  store = weft_recording_ref_store (recording);
  id = weft_model_find_table (table);
  if (!is_open (self, error) || !check_copy (self, id, store, error))
    return FALSE;
  if (is_linked (id) && weft_store_get_n_rows (store, id) > 0)
    g_clear_pointer (&self->linker, weft_linker_free);
  if (id == WEFT_TABLE_META)
    {
      self->has_facts = TRUE;
      weft_store_writer_set_start (self->writer, weft_store_get_start_monotonic (store),
                                   weft_store_get_start_realtime (store), NULL);
    }
  if (!weft_recording_copy_table (store, self->writer, id, &failure))
    {
      weft_propagate_store_error (error, failure);
      return FALSE;
    }
  return TRUE;
}

/**
 * weft_recording_builder_get_n_rows:
 * @self: a builder
 * @table: name of a table
 *
 * Tells how many rows a table has got: also the id of its last one.
 *
 * Returns: their number; 0 if there is no such table, or the recording is finished
 *
 * Since: 0.1
 */
guint64
weft_recording_builder_get_n_rows (WeftRecordingBuilder *self, const char *table)
{
  WeftTableId id;

  g_return_val_if_fail (WEFT_IS_RECORDING_BUILDER (self), 0);
  g_return_val_if_fail (table != NULL, 0);

  id = weft_model_find_table (table);
  return self->writer != NULL && id < WEFT_N_TABLES ? count_rows (self, id) : 0;
}

/* ---- About the recording ---- */

/**
 * weft_recording_builder_get_path:
 * @self: a builder
 *
 * Returns: (type filename): the file that it makes
 *
 * Since: 0.1
 */
const char *
weft_recording_builder_get_path (WeftRecordingBuilder *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDING_BUILDER (self), NULL);

  return self->path;
}

/**
 * weft_recording_builder_set_start:
 * @self: a builder
 * @monotonic: `CLOCK_MONOTONIC` at time zero of the recording, nanoseconds; 0 if unknown
 * @realtime: time zero in nanoseconds since 1970; 0 if unknown
 *
 * Tells when the recording began. Times of rows are relative to it and do not change.
 *
 * Returns: %FALSE with [error@Error] (`OUT_OF_RANGE` if negative, `RECORDER` if the recording is
 * finished) or [error@Gio.IOErrorEnum]
 *
 * Since: 0.1
 */
gboolean
weft_recording_builder_set_start (WeftRecordingBuilder *self, gint64 monotonic, gint64 realtime,
                                  GError **error)
{
  g_return_val_if_fail (WEFT_IS_RECORDING_BUILDER (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!is_open (self, error))
    return FALSE;
  if (monotonic < 0 || realtime < 0)
    {
      g_set_error_literal (error, WEFT_ERROR, WEFT_ERROR_OUT_OF_RANGE,
                           "A recording cannot begin before 1970, nor before the machine");
      return FALSE;
    }
  self->start_monotonic = monotonic;
  self->start_realtime = realtime;
  return weft_store_writer_set_start (self->writer, monotonic, realtime, error);
}

/**
 * weft_recording_builder_set_recorder_name:
 * @self: a builder
 * @name: (nullable): what made the data, such as the name and version of another profiler
 *
 * Tells by what the data were recorded. Without it, the recording names this library.
 *
 * Since: 0.1
 */
void
weft_recording_builder_set_recorder_name (WeftRecordingBuilder *self, const char *name)
{
  g_return_if_fail (WEFT_IS_RECORDING_BUILDER (self));

  g_free (self->recorder_name);
  self->recorder_name = name ? g_utf8_make_valid (name, -1) : NULL;
}

/**
 * weft_recording_builder_add_origin:
 * @self: a builder
 * @origin: where the data come from: a file, an address, a script
 *
 * Adds a source of the data, to be named in the recording.
 *
 * Since: 0.1
 */
void
weft_recording_builder_add_origin (WeftRecordingBuilder *self, const char *origin)
{
  g_return_if_fail (WEFT_IS_RECORDING_BUILDER (self));
  g_return_if_fail (origin != NULL);

  g_ptr_array_add (self->origins, g_utf8_make_valid (origin, -1));
}

/**
 * weft_recording_builder_set_end:
 * @self: a builder
 * @end: nanoseconds since the start of the recording
 *
 * Tells until when was recorded. Without it, and where dispatches end later, the recording ends
 * with the last of its dispatches.
 *
 * Since: 0.1
 */
void
weft_recording_builder_set_end (WeftRecordingBuilder *self, gint64 end)
{
  g_return_if_fail (WEFT_IS_RECORDING_BUILDER (self));

  self->last_end = MAX (self->last_end, MIN (end, MAX_TIME));
}

/**
 * weft_recording_builder_set_waits_known:
 * @self: a builder
 * @waits_known: whether the data would tell of waits, if there were any
 *
 * Tells what it means that nobody waited for a dispatch. Usually no origin of a wait says that no
 * thread waited; data of a program that cannot tell of waits say nothing about that, and their
 * dispatches are classified as unknown, not as asynchronous. To be called before the first row.
 *
 * Since: 0.1
 */
void
weft_recording_builder_set_waits_known (WeftRecordingBuilder *self, gboolean waits_known)
{
  g_return_if_fail (WEFT_IS_RECORDING_BUILDER (self));

  if (self->linker != NULL)
    weft_linker_set_no_waits (self->linker, !waits_known);
}

/* ---- The end ---- */

/**
 * weft_recording_builder_flush:
 * @self: a builder
 * @cancellable: (nullable): a cancellable
 *
 * Puts the rows of until now into the file, which can be opened then, as a recording that is not
 * finished.
 *
 * Returns: %FALSE with [error@Gio.IOErrorEnum] if not everything could be written, or
 *   `WEFT_ERROR_RECORDER` if the recording is finished
 *
 * Since: 0.1
 */
gboolean
weft_recording_builder_flush (WeftRecordingBuilder *self, GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (WEFT_IS_RECORDING_BUILDER (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return !g_cancellable_set_error_if_cancelled (cancellable, error) && is_open (self, error) &&
         weft_store_writer_flush (self->writer, error);
}

static void
write_fact (WeftRecordingBuilder *self, const char *key, const char *text, gint64 number)
{
  WeftTableWriter *t = self->tables[WEFT_TABLE_META];
  guint32 key_id = weft_store_writer_string (self->writer, key, -1);
  guint32 text_id = weft_store_writer_string (self->writer, text, -1);

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_META_KEY, key_id);
  if (text != NULL)
    weft_table_writer_set (t, WEFT_META_TEXT, text_id);
  else
    weft_table_writer_set (t, WEFT_META_NUMBER, (guint64) number);
  weft_table_writer_commit (t);
}

static void
write_lane_counts (WeftRecordingBuilder *self)
{
  WeftTableWriter *t = self->tables[WEFT_TABLE_LANE_COUNTS];

  for (guint lane = 1; lane <= self->lane_totals->len; lane++)
    {
      guint64 total = g_array_index (self->lane_totals, guint64, lane - 1);

      if (total == 0 || g_hash_table_contains (self->counted_lanes, GSIZE_TO_POINTER (lane)))
        continue;
      weft_table_writer_begin (t);
      weft_table_writer_set (t, WEFT_LANE_COUNTS_LANE, lane);
      weft_table_writer_set (t, WEFT_LANE_COUNTS_TIME, (guint64) self->last_end);
      weft_table_writer_set (t, WEFT_LANE_COUNTS_SUBMITTED, total);
      weft_table_writer_set (t, WEFT_LANE_COUNTS_COMPLETED, total);
      weft_table_writer_commit (t);
    }
}

static void
write_facts (WeftRecordingBuilder *self)
{
  if (!self->has_facts)
    write_fact (self, "recorder", self->recorder_name ? self->recorder_name : "weft " WEFT_VERSION,
                0);
  if (self->origins->len == 0 && !self->has_facts)
    write_fact (self, "imported-from", "rows", 0);
  for (guint i = 0; i < self->origins->len; i++)
    write_fact (self, "imported-from", g_ptr_array_index (self->origins, i), 0);
  if (self->has_facts)
    return;
  write_fact (self, "start-monotonic", NULL, self->start_monotonic);
  write_fact (self, "start-realtime", NULL, self->start_realtime);
  write_fact (self, "duration", NULL, self->last_end);
}

static gboolean
finish (WeftRecordingBuilder *self, GError **error)
{
  WeftStoreWriter *writer;

  write_lane_counts (self);
  write_facts (self);
  if (self->linker != NULL && self->last_end > 0)
    weft_linker_set_end (self->linker, self->last_end);
  if (self->linker != NULL)
    weft_linker_advance (self->linker, 0, count_rows (self, WEFT_TABLE_DISPATCHES));
  g_clear_pointer (&self->linker, weft_linker_free);
  writer = g_steal_pointer (&self->writer);
  return weft_store_writer_close (writer, error);
}

/**
 * weft_recording_builder_finish:
 * @self: a builder
 * @cancellable: (nullable): a cancellable; it counts before the file is being finished, not later
 *
 * Finishes the file.
 *
 * Returns: %FALSE with [error@Gio.IOErrorEnum] if not everything could be written, or
 *   `WEFT_ERROR_RECORDER` if it was finished before
 *
 * Since: 0.1
 */
gboolean
weft_recording_builder_finish (WeftRecordingBuilder *self, GCancellable *cancellable,
                               GError **error)
{
  g_return_val_if_fail (WEFT_IS_RECORDING_BUILDER (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return !g_cancellable_set_error_if_cancelled (cancellable, error) && is_open (self, error) &&
         finish (self, error);
}

static void
finish_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GError *error = NULL;

  if (weft_recording_builder_finish (source, cancellable, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

/**
 * weft_recording_builder_finish_async:
 * @self: a builder, which must not be used until @callback
 * @cancellable: (nullable): a cancellable
 * @callback: called when the file is finished
 * @user_data: data for @callback
 *
 * Finishes the file; see [method@RecordingBuilder.finish].
 *
 * Since: 0.1
 */
void
weft_recording_builder_finish_async (WeftRecordingBuilder *self, GCancellable *cancellable,
                                     GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (WEFT_IS_RECORDING_BUILDER (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, weft_recording_builder_finish_async);
  /* A file that is finished is finished. */
  g_task_set_check_cancellable (task, FALSE);
  g_task_run_in_thread (task, finish_thread);
}

/**
 * weft_recording_builder_finish_finish:
 * @self: a builder
 * @result: what the callback got
 *
 * Ends [method@RecordingBuilder.finish_async].
 *
 * Returns: %FALSE as [method@RecordingBuilder.finish] does
 *
 * Since: 0.1
 */
gboolean
weft_recording_builder_finish_finish (WeftRecordingBuilder *self, GAsyncResult *result,
                                      GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/* ---- Life ---- */

static void
weft_recording_builder_finalize (GObject *object)
{
  WeftRecordingBuilder *self = WEFT_RECORDING_BUILDER (object);

  if (self->writer != NULL)
    {
      g_clear_pointer (&self->linker, weft_linker_free);
      weft_store_writer_close (self->writer, NULL);
      unlink (self->path);
    }
  g_free (self->path);
  g_free (self->recorder_name);
  g_ptr_array_unref (self->origins);
  g_array_unref (self->lane_totals);
  g_array_unref (self->processes);
  g_array_unref (self->runtimes);
  g_hash_table_unref (self->counted_lanes);
  G_OBJECT_CLASS (weft_recording_builder_parent_class)->finalize (object);
}

static void
weft_recording_builder_class_init (WeftRecordingBuilderClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = weft_recording_builder_finalize;
}

static void
weft_recording_builder_init (WeftRecordingBuilder *self)
{
  self->origins = g_ptr_array_new_with_free_func (g_free);
  self->lane_totals = g_array_new (FALSE, TRUE, sizeof (guint64));
  self->processes = g_array_new (FALSE, FALSE, sizeof (guint64));
  self->runtimes = g_array_new (FALSE, FALSE, sizeof (guint64));
  self->counted_lanes = g_hash_table_new (NULL, NULL);
}

/**
 * weft_recording_builder_new:
 * @path: (type filename): the file to make; it must not exist
 *
 * Begins a recording.
 *
 * Returns: (transfer full): a builder; %NULL with [error@Gio.IOErrorEnum] if the file cannot be
 * made
 *
 * Since: 0.1
 */
WeftRecordingBuilder *
weft_recording_builder_new (const char *path, GError **error)
{
  g_autoptr (WeftRecordingBuilder) self = NULL;

  g_return_val_if_fail (path != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  self = g_object_new (WEFT_TYPE_RECORDING_BUILDER, NULL);
  self->path = g_strdup (path);
  self->writer = weft_store_writer_new (path, NULL, error);
  if (self->writer == NULL)
    {
      g_prefix_error (error, "Cannot make the recording: ");
      return NULL;
    }
  for (guint i = 0; i < WEFT_N_TABLES; i++)
    self->tables[i] = weft_store_writer_table (self->writer, i);
  self->linker = weft_linker_new (self->writer, NULL);
  return g_steal_pointer (&self);
}
