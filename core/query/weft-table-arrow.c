/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Arrow's file format (https://arrow.apache.org/docs/format/Columnar.html#ipc-file-format):
 *
 *   ARROW1, schema, a dictionary per column of words, batches of rows, end mark, footer, ARROW1
 *
 * Each part is a FlatBuffer that describes the bytes behind it.
 */

#include "weft-table.h"

#include <string.h>

#include "weft-arrow-private.h"
#include "weft-error.h"
#include "weft-flatbuffer.h"

#define MAGIC "ARROW1"
#define ROWS_PER_BATCH 65536
#define BYTES_PER_WRITE 65536

/* Numbers of Schema.fbs and Message.fbs. */
enum
{
  METADATA_V5 = 4,
  HEADER_SCHEMA = 1,
  HEADER_DICTIONARY_BATCH = 2,
  HEADER_RECORD_BATCH = 3,
  TYPE_INT = 2,
  TYPE_FLOATING_POINT = 3,
  TYPE_UTF8 = 5,
  TYPE_BOOL = 6,
  TYPE_DURATION = 18,
  PRECISION_DOUBLE = 2,
  UNIT_NANOSECOND = 3,
};

/* Where a part of the file is, as the footer lists them. Little-endian. */
typedef struct
{
  guint64 offset;
  guint32 metadata_length;
  guint32 padding;
  guint64 body_length;
} Block;

/* Where a buffer is within the body of a batch. Little-endian. */
typedef struct
{
  guint64 offset;
  guint64 length;
} Buffer;

/* Rows of a column in a batch. Little-endian. */
typedef struct
{
  guint64 length;
  guint64 n_null;
} FieldNode;

typedef struct
{
  WeftTable *table;
  WeftArrowColumn *columns;
  guint n_columns;

  GOutputStream *stream;
  GCancellable *cancellable;
  GByteArray *pending;  /* written, but not to STREAM yet */
  guint64 position;     /* in the file, of the next byte */
  GArray *dictionaries; /* element type Block */
  GArray *batches;
} Writer;

/* ---- Bytes ---- */

/* Streams in memory do not look at their cancellable. */
static gboolean
write_all (Writer *self, gconstpointer bytes, gsize n, GError **error)
{
  return !g_cancellable_set_error_if_cancelled (self->cancellable, error) &&
         g_output_stream_write_all (self->stream, bytes, n, NULL, self->cancellable, error);
}

static gboolean
flush (Writer *self, GError **error)
{
  gboolean done = write_all (self, self->pending->data, self->pending->len, error);

  g_byte_array_set_size (self->pending, 0);
  return done;
}

static gboolean
put (Writer *self, gconstpointer bytes, gsize n, GError **error)
{
  self->position += n;
  if (n >= BYTES_PER_WRITE)
    return flush (self, error) && write_all (self, bytes, n, error);
  g_byte_array_append (self->pending, bytes, (guint) n);
  return self->pending->len < BYTES_PER_WRITE || flush (self, error);
}

static gsize
padding_of (guint64 n)
{
  return -n & 7;
}

static gboolean
put_padding (Writer *self, guint64 written, GError **error)
{
  static const guint8 zeros[8];

  return put (self, zeros, padding_of (written), error);
}

static gboolean
put_padded (Writer *self, gconstpointer bytes, gsize n, GError **error)
{
  return put (self, bytes, n, error) && put_padding (self, n, error);
}

static gboolean
put_u32 (Writer *self, guint32 value, GError **error)
{
  guint32 bytes = GUINT32_TO_LE (value);

  return put (self, &bytes, sizeof bytes, error);
}

/* A message, all but its body; BLOCKS may be NULL. */
static gboolean
put_message (Writer *self, WeftFlatbuffer *buffer, guint8 header_type, guint32 header,
             guint64 body_length, GArray *blocks, GError **error)
{
  Block block = { .offset = GUINT64_TO_LE (self->position),
                  .body_length = GUINT64_TO_LE (body_length) };
  const guint8 *bytes;
  gsize size;
  guint32 message;

  weft_flatbuffer_begin_table (buffer);
  weft_flatbuffer_set_i64 (buffer, 3, (gint64) body_length);
  weft_flatbuffer_set_reference (buffer, 2, header);
  weft_flatbuffer_set_i16 (buffer, 0, METADATA_V5);
  weft_flatbuffer_set_u8 (buffer, 1, header_type);
  message = weft_flatbuffer_end_table (buffer);
  bytes = weft_flatbuffer_finish (buffer, message, &size);
  /* The mark and the length of 8 bytes belong to it. */
  block.metadata_length = GUINT32_TO_LE ((guint32) size + 8);
  if (blocks != NULL)
    g_array_append_val (blocks, block);
  return put_u32 (self, 0xffffffff, error) && put_u32 (self, (guint32) size, error) &&
         put (self, bytes, size, error);
}

/* ---- Schema ---- */

static guint32
add_metadata (WeftFlatbuffer *buffer, GPtrArray *pairs)
{
  g_autoptr (GArray) references = g_array_new (FALSE, FALSE, sizeof (guint32));

  for (guint i = 0; pairs->pdata[i] != NULL; i += 2)
    {
      guint32 value = weft_flatbuffer_add_string (buffer, pairs->pdata[i + 1]);
      guint32 key = weft_flatbuffer_add_string (buffer, pairs->pdata[i]);
      guint32 pair;

      weft_flatbuffer_begin_table (buffer);
      weft_flatbuffer_set_reference (buffer, 1, value);
      weft_flatbuffer_set_reference (buffer, 0, key);
      pair = weft_flatbuffer_end_table (buffer);
      g_array_append_val (references, pair);
    }
  return weft_flatbuffer_add_references (buffer, (const guint32 *) references->data,
                                         references->len);
}

static guint32
add_int_type (WeftFlatbuffer *buffer, gint32 width, gboolean is_signed)
{
  weft_flatbuffer_begin_table (buffer);
  weft_flatbuffer_set_i32 (buffer, 0, width);
  weft_flatbuffer_set_u8 (buffer, 1, is_signed ? 1 : 0);
  return weft_flatbuffer_end_table (buffer);
}

static guint32
add_small_type (WeftFlatbuffer *buffer, gint16 choice)
{
  weft_flatbuffer_begin_table (buffer);
  if (choice != 0)
    weft_flatbuffer_set_i16 (buffer, 0, choice);
  return weft_flatbuffer_end_table (buffer);
}

static guint32
add_type (WeftFlatbuffer *buffer, WeftValueType type, guint8 *type_type)
{
  switch (type)
    {
    case WEFT_VALUE_STRING:
    case WEFT_VALUE_ENUM:
      *type_type = TYPE_UTF8;
      return add_small_type (buffer, 0);
    case WEFT_VALUE_BOOLEAN:
      *type_type = TYPE_BOOL;
      return add_small_type (buffer, 0);
    case WEFT_VALUE_DOUBLE:
      *type_type = TYPE_FLOATING_POINT;
      return add_small_type (buffer, PRECISION_DOUBLE);
    case WEFT_VALUE_DURATION:
      *type_type = TYPE_DURATION;
      return add_small_type (buffer, UNIT_NANOSECOND);
    default:
      *type_type = TYPE_INT;
      return add_int_type (buffer, 64, type == WEFT_VALUE_INT64 || type == WEFT_VALUE_TIME);
    }
}

static guint32
add_dictionary_encoding (WeftFlatbuffer *buffer, guint id)
{
  guint32 index_type = add_int_type (buffer, 32, TRUE);

  weft_flatbuffer_begin_table (buffer);
  weft_flatbuffer_set_i64 (buffer, 0, id);
  weft_flatbuffer_set_reference (buffer, 1, index_type);
  return weft_flatbuffer_end_table (buffer);
}

static guint32
add_field (WeftFlatbuffer *buffer, const WeftArrowColumn *column)
{
  g_autoptr (GPtrArray) pairs = weft_arrow_column_list_metadata (column);
  guint32 metadata = add_metadata (buffer, pairs);
  guint32 children = weft_flatbuffer_add_references (buffer, NULL, 0);
  guint32 dictionary =
      column->words != NULL ? add_dictionary_encoding (buffer, column->position) : 0;
  guint8 type_type;
  guint32 type = add_type (buffer, column->type, &type_type);
  guint32 name = weft_flatbuffer_add_string (
      buffer, weft_table_get_column_name (column->table, column->position));

  weft_flatbuffer_begin_table (buffer);
  weft_flatbuffer_set_reference (buffer, 6, metadata);
  weft_flatbuffer_set_reference (buffer, 5, children);
  weft_flatbuffer_set_reference (buffer, 4, dictionary);
  weft_flatbuffer_set_reference (buffer, 3, type);
  weft_flatbuffer_set_reference (buffer, 0, name);
  weft_flatbuffer_set_u8 (buffer, 1, 1);
  weft_flatbuffer_set_u8 (buffer, 2, type_type);
  return weft_flatbuffer_end_table (buffer);
}

static guint32
add_schema (Writer *self, WeftFlatbuffer *buffer)
{
  g_autoptr (GPtrArray) pairs = weft_arrow_list_table_metadata (self->table);
  g_autofree guint32 *references = g_new (guint32, self->n_columns);
  guint32 metadata = add_metadata (buffer, pairs);
  guint32 fields;

  for (guint i = 0; i < self->n_columns; i++)
    references[i] = add_field (buffer, &self->columns[i]);
  fields = weft_flatbuffer_add_references (buffer, references, self->n_columns);
  weft_flatbuffer_begin_table (buffer);
  weft_flatbuffer_set_reference (buffer, 2, metadata);
  weft_flatbuffer_set_reference (buffer, 1, fields);
  weft_flatbuffer_set_i16 (buffer, 0, G_BYTE_ORDER == G_BIG_ENDIAN ? 1 : 0);
  return weft_flatbuffer_end_table (buffer);
}

static gboolean
put_schema (Writer *self, GError **error)
{
  g_auto (WeftFlatbuffer) buffer = { 0 };
  guint32 schema;

  weft_flatbuffer_init (&buffer);
  schema = add_schema (self, &buffer);
  return put_message (self, &buffer, HEADER_SCHEMA, schema, 0, NULL, error);
}

/* ---- Batches ---- */

/* Describes a batch whose body has BUFFERS; their offsets are filled in here. */
static guint32
add_record_batch (WeftFlatbuffer *buffer, gsize n_rows, const FieldNode *nodes, guint n_nodes,
                  Buffer *buffers, guint n_buffers, guint64 *body_length)
{
  guint32 buffer_list;
  guint32 node_list;
  guint64 offset = 0;

  for (guint i = 0; i < n_buffers; i++)
    {
      guint64 length = buffers[i].length;

      buffers[i].offset = GUINT64_TO_LE (offset);
      buffers[i].length = GUINT64_TO_LE (length);
      offset += length + padding_of (length);
    }
  *body_length = offset;
  buffer_list = weft_flatbuffer_add_structs (buffer, buffers, sizeof *buffers, n_buffers);
  node_list = weft_flatbuffer_add_structs (buffer, nodes, sizeof *nodes, n_nodes);
  weft_flatbuffer_begin_table (buffer);
  weft_flatbuffer_set_i64 (buffer, 0, (gint64) n_rows);
  weft_flatbuffer_set_reference (buffer, 2, buffer_list);
  weft_flatbuffer_set_reference (buffer, 1, node_list);
  return weft_flatbuffer_end_table (buffer);
}

/* Where each word ends, then the words. */
static gboolean
put_words (Writer *self, const GPtrArray *words, GError **error)
{
  gint32 end = 0;

  if (!put (self, &end, sizeof end, error))
    return FALSE;
  for (guint i = 0; i < words->len; i++)
    {
      end += (gint32) strlen (words->pdata[i]);
      if (!put (self, &end, sizeof end, error))
        return FALSE;
    }
  if (!put_padding (self, (words->len + 1) * sizeof end, error))
    return FALSE;
  for (guint i = 0; i < words->len; i++)
    if (!put (self, words->pdata[i], strlen (words->pdata[i]), error))
      return FALSE;
  return put_padding (self, (guint64) end, error);
}

static gboolean
put_dictionary (Writer *self, const WeftArrowColumn *column, GError **error)
{
  g_auto (WeftFlatbuffer) buffer = { 0 };
  FieldNode node = { .length = GUINT64_TO_LE ((guint64) column->words->len) };
  Buffer buffers[3] = { 0 };
  guint64 body_length;
  guint32 batch;
  guint32 dictionary;

  weft_flatbuffer_init (&buffer);
  buffers[1].length = (column->words->len + 1) * sizeof (gint32);
  weft_arrow_column_measure_words (column, &buffers[2].length);
  batch = add_record_batch (&buffer, column->words->len, &node, 1, buffers, 3, &body_length);
  weft_flatbuffer_begin_table (&buffer);
  weft_flatbuffer_set_i64 (&buffer, 0, column->position);
  weft_flatbuffer_set_reference (&buffer, 1, batch);
  dictionary = weft_flatbuffer_end_table (&buffer);
  return put_message (self, &buffer, HEADER_DICTIONARY_BATCH, dictionary, body_length,
                      self->dictionaries, error) &&
         put_words (self, column->words, error);
}

static gsize
length_of_values (const WeftArrowColumn *column, gsize n)
{
  if (column->type == WEFT_VALUE_BOOLEAN)
    return (n + 7) / 8;
  return n * (column->words != NULL ? sizeof (guint32) : sizeof (guint64));
}

static gboolean
put_column (Writer *self, const WeftArrowColumn *column, gsize first, gsize n, gboolean any_null,
            GError **error)
{
  guint8 bits[ROWS_PER_BATCH / 8];
  gsize length = length_of_values (column, n);

  if (any_null)
    {
      weft_arrow_column_pack_validity (column, first, n, bits);
      if (!put_padded (self, bits, (n + 7) / 8, error))
        return FALSE;
    }
  if (column->type == WEFT_VALUE_BOOLEAN)
    {
      weft_arrow_column_pack_booleans (column, first, n, bits);
      return put_padded (self, bits, length, error);
    }
  if (column->words != NULL)
    return put_padded (self, (const guint32 *) g_bytes_get_data (column->indices, NULL) + first,
                       length, error);
  return put_padded (self, (const guint64 *) column->values + first, length, error);
}

/* Rows FIRST to FIRST + N. */
static gboolean
put_batch (Writer *self, gsize first, gsize n, GError **error)
{
  g_auto (WeftFlatbuffer) buffer = { 0 };
  g_autofree FieldNode *nodes = g_new0 (FieldNode, self->n_columns);
  g_autofree Buffer *buffers = g_new0 (Buffer, 2 * self->n_columns);
  guint8 bits[ROWS_PER_BATCH / 8];
  guint64 body_length;
  guint32 batch;

  weft_flatbuffer_init (&buffer);
  for (guint i = 0; i < self->n_columns; i++)
    {
      gsize n_null = weft_arrow_column_is_nullable (&self->columns[i])
                         ? weft_arrow_column_pack_validity (&self->columns[i], first, n, bits)
                         : 0;

      nodes[i].length = GUINT64_TO_LE ((guint64) n);
      nodes[i].n_null = GUINT64_TO_LE ((guint64) n_null);
      buffers[2 * i].length = n_null > 0 ? (n + 7) / 8 : 0;
      buffers[2 * i + 1].length = length_of_values (&self->columns[i], n);
    }
  batch = add_record_batch (&buffer, n, nodes, self->n_columns, buffers, 2 * self->n_columns,
                            &body_length);
  if (!put_message (self, &buffer, HEADER_RECORD_BATCH, batch, body_length, self->batches, error))
    return FALSE;
  for (guint i = 0; i < self->n_columns; i++)
    if (!put_column (self, &self->columns[i], first, n, nodes[i].n_null != 0, error))
      return FALSE;
  return TRUE;
}

/* ---- The file ---- */

static gboolean
put_footer (Writer *self, GError **error)
{
  g_auto (WeftFlatbuffer) buffer = { 0 };
  guint32 batches;
  guint32 dictionaries;
  guint32 schema;
  const guint8 *bytes;
  gsize size;

  weft_flatbuffer_init (&buffer);
  batches = weft_flatbuffer_add_structs (&buffer, self->batches->data, sizeof (Block),
                                         self->batches->len);
  dictionaries = weft_flatbuffer_add_structs (&buffer, self->dictionaries->data, sizeof (Block),
                                              self->dictionaries->len);
  schema = add_schema (self, &buffer);
  weft_flatbuffer_begin_table (&buffer);
  weft_flatbuffer_set_reference (&buffer, 3, batches);
  weft_flatbuffer_set_reference (&buffer, 2, dictionaries);
  weft_flatbuffer_set_reference (&buffer, 1, schema);
  weft_flatbuffer_set_i16 (&buffer, 0, METADATA_V5);
  bytes = weft_flatbuffer_finish (&buffer, weft_flatbuffer_end_table (&buffer), &size);
  return put_u32 (self, 0xffffffff, error) && put_u32 (self, 0, error) &&
         put (self, bytes, size, error) && put_u32 (self, (guint32) size, error) &&
         put (self, MAGIC, strlen (MAGIC), error);
}

static gboolean
put_table (Writer *self, GError **error)
{
  gsize n_rows = weft_table_get_n_rows (self->table);

  for (guint i = 0; i < self->n_columns; i++)
    if (!weft_arrow_column_init (&self->columns[i], self->table, i, error))
      return FALSE;
  if (!put_padded (self, MAGIC, strlen (MAGIC), error) || !put_schema (self, error))
    return FALSE;
  for (guint i = 0; i < self->n_columns; i++)
    if (self->columns[i].words != NULL && !put_dictionary (self, &self->columns[i], error))
      return FALSE;
  for (gsize first = 0; first < n_rows; first += ROWS_PER_BATCH)
    if (!put_batch (self, first, MIN (n_rows - first, ROWS_PER_BATCH), error))
      return FALSE;
  return put_footer (self, error) && flush (self, error) &&
         g_output_stream_flush (self->stream, self->cancellable, error);
}

/**
 * weft_table_write_arrow:
 * @self: a table
 * @stream: where to write it; it is flushed and stays open
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Writes the table as an Arrow file, as pandas, DuckDB, Polars and R read it, without a copy of the
 * whole in memory: batches have 65,536 rows.
 *
 * Strings and enumerations are dictionaries of UTF-8 text with 32-bit indices, durations are
 * Arrow's durations in nanoseconds, times are 64-bit numbers of nanoseconds since the start of the
 * recording, ids are unsigned 64-bit numbers, null where they are 0. The metadata of a field has
 * `weft.type`, `weft.title`, `weft.unit` and `weft.prefix` of handles; that of the schema has
 * `weft.table`, `weft.cursor` and `weft.hint`.
 *
 * Fails with %WEFT_ERROR_OUT_OF_RANGE for a duration of 2^63 ns or more, with %WEFT_ERROR_TOO_LARGE
 * if the words of a column are more than 2 GiB, and as the stream does. Part of the table may have
 * been written then.
 *
 * Returns: whether all of it was written
 *
 * Since: 0.1
 */
gboolean
weft_table_write_arrow (WeftTable *self, GOutputStream *stream, GCancellable *cancellable,
                        GError **error)
{
  guint n_columns = weft_table_get_n_columns (self);
  g_autofree WeftArrowColumn *columns = g_new0 (WeftArrowColumn, n_columns);
  g_autoptr (GByteArray) pending = g_byte_array_new ();
  g_autoptr (GArray) dictionaries = g_array_new (FALSE, FALSE, sizeof (Block));
  g_autoptr (GArray) batches = g_array_new (FALSE, FALSE, sizeof (Block));
  Writer writer = {
    .table = self,
    .columns = columns,
    .n_columns = n_columns,
    .stream = stream,
    .cancellable = cancellable,
    .pending = pending,
    .dictionaries = dictionaries,
    .batches = batches,
  };
  gboolean done;

  g_return_val_if_fail (WEFT_IS_TABLE (self), FALSE);
  g_return_val_if_fail (G_IS_OUTPUT_STREAM (stream), FALSE);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  done = put_table (&writer, error);
  for (guint i = 0; i < n_columns; i++)
    weft_arrow_column_clear (&columns[i]);
  return done;
}
