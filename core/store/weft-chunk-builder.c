/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-chunk-builder.h"

#include <string.h>

#include "weft-crc32c.h"

void
weft_chunk_builder_init (WeftChunkBuilder *self)
{
  memset (self, 0, sizeof *self);
  self->encoder = weft_column_encoder_new ();
  self->directory = g_array_new (FALSE, FALSE, sizeof (WeftStreamEntry));
  self->payload = g_byte_array_new ();
}

void
weft_chunk_builder_clear (WeftChunkBuilder *self)
{
  g_clear_pointer (&self->encoder, weft_column_encoder_free);
  g_clear_pointer (&self->directory, g_array_unref);
  g_clear_pointer (&self->payload, g_byte_array_unref);
}

void
weft_chunk_builder_begin (WeftChunkBuilder *self, WeftChunkKind kind, guint16 table, guint32 rows,
                          guint64 first_row)
{
  memset (&self->header, 0, sizeof self->header);
  memcpy (self->header.magic, WEFT_CHUNK_MAGIC, sizeof self->header.magic);
  self->header.kind = (guint16) kind;
  self->header.version = 1;
  self->header.table = table;
  self->header.rows = rows;
  self->header.first_row = first_row;
  g_array_set_size (self->directory, 0);
  g_byte_array_set_size (self->payload, 0);
}

static void
add_entry (WeftChunkBuilder *self, gsize begin, WeftStreamEntry *entry)
{
  entry->offset = begin; /* finish () moves it behind the directory */
  g_array_append_val (self->directory, *entry);
}

/* Rows have many tables of few columns, what is derived one of many streams. */
static guint16
stream_kind (const WeftChunkBuilder *self, guint16 id)
{
  if (self->header.kind <= WEFT_CHUNK_JOURNAL)
    return (guint16) (1 + (self->header.kind * 64 + self->header.table % 64) * 32 + id % 32);
  return (guint16) (16384 + self->header.kind % 64 * 256 + id % 256);
}

const WeftStreamEntry *
weft_chunk_builder_find (const WeftChunkBuilder *self, guint16 id)
{
  for (guint i = 0; i < self->directory->len; i++)
    if (g_array_index (self->directory, WeftStreamEntry, i).id == id)
      return &g_array_index (self->directory, WeftStreamEntry, i);
  return NULL;
}

void
weft_chunk_builder_add (WeftChunkBuilder *self, const WeftColumnSource *source)
{
  gsize begin = self->payload->len;
  WeftColumnSource copy = *source;
  WeftStreamEntry entry;

  copy.kind = stream_kind (self, source->id);
  weft_column_encoder_add (self->encoder, &copy, self->payload, &entry);
  add_entry (self, begin, &entry);
}

void
weft_chunk_builder_add_numbers (WeftChunkBuilder *self, guint16 id, WeftStoreType type,
                                const guint64 *values, guint32 count)
{
  WeftColumnSource source = { .id = id, .type = type, .values = values, .count = count };

  weft_chunk_builder_add (self, &source);
}

void
weft_chunk_builder_add_bytes (WeftChunkBuilder *self, guint16 id, const void *data, gsize size,
                              guint32 count)
{
  gsize begin = self->payload->len;
  WeftStreamEntry entry;

  weft_column_encoder_add_bytes (self->encoder, id, data, size, count, self->payload, &entry);
  add_entry (self, begin, &entry);
}

void
weft_chunk_builder_finish (WeftChunkBuilder *self, guint64 sequence)
{
  gsize directory_size = self->directory->len * sizeof (WeftStreamEntry);

  for (guint i = 0; i < self->directory->len; i++)
    g_array_index (self->directory, WeftStreamEntry, i).offset +=
        sizeof self->header + directory_size;
  self->header.n_streams = (guint16) self->directory->len;
  self->header.payload_size = directory_size + self->payload->len;
  self->header.sequence = sequence;
  self->header.directory_crc = weft_crc32c (self->directory->data, directory_size);
  self->header.crc = weft_crc32c (&self->header, G_STRUCT_OFFSET (WeftChunkHeader, crc));
}
