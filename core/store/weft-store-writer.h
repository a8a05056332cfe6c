/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "weft-schema.h"

G_BEGIN_DECLS

/*
 * Writes one .weft file.
 *
 * One thread (the caller's: ingest) appends rows; one thread of the writer's own sorts, encodes,
 * compresses and writes. The two share memtables of WEFT_STORE_SEAL_ROWS rows: rows below the
 * published length are immutable, a full memtable is handed over whole. When the writing thread
 * falls behind by more than the bound of WeftStoreOptions, appending waits: memory stays bounded,
 * and the producers' rings fill and count what they drop.
 */
#define WEFT_STORE_SEAL_ROWS 65536

#define WEFT_STORE_PARTS_PER_BOUND 8 /* of what is kept, where that is bounded */

typedef struct _WeftStoreWriter WeftStoreWriter;
typedef struct _WeftTableWriter WeftTableWriter;

typedef struct
{
  guint flush_interval_ms;  /* journal the unsealed rows this often; 0 is 1000 */
  guint sync_interval_ms;   /* fdatasync this often; 0 is 5000 */
  guint64 max_queued_bytes; /* memtables waiting to be written; 0 is 256 MiB */
  gint64 start_monotonic;   /* CLOCK_MONOTONIC ns of time zero of the recording */
  gint64 start_realtime;    /* CLOCK_REALTIME ns at that moment */
  gint64 keep_duration;     /* ns: only so much of the end is kept; 0: all */
  guint64 keep_size;        /* bytes: only so much of the end is kept; 0: all */
} WeftStoreOptions;

typedef struct
{
  guint64 rows;          /* appended, all tables */
  guint64 bytes_written; /* size of the file, or files, so far */
  guint64 bytes_queued;  /* memtables waiting for the writing thread */
  guint64 waits;         /* times that appending had to wait for it */
  guint64 strings;       /* bytes of memory of the texts that are known by number, about */
} WeftStoreStatistics;

/* Creates PATH (mode 0600, O_EXCL: an existing file is an error G_IO_ERROR_EXISTS). */
WeftStoreWriter *weft_store_writer_new (const char *path, const WeftStoreOptions *options,
                                        GError **error);

/* Tells time zero of the recording where it was not known at first. Rows do not change. */
gboolean weft_store_writer_set_start (WeftStoreWriter *self, gint64 monotonic, gint64 realtime,
                                      GError **error);

/* Flushes, seals, writes the index and the trailer, and frees. FALSE if anything was not written;
 * what was flushed before the first failure stays readable.
 */
gboolean weft_store_writer_close (WeftStoreWriter *self, GError **error);

/* Hands everything appended so far to the writing thread, and waits until it is in the file. */
gboolean weft_store_writer_flush (WeftStoreWriter *self, GError **error);

/*
 * With a bound on what is kept, the recording is in parts until it is closed: a part that is as long
 * as an eighth of the bound is finished, and the next begun; the oldest go.
 *
 * To be called now and then by the appending thread: begins a part when it is time.
 */
void weft_store_writer_tick (WeftStoreWriter *self);

/* Strings that the appending thread will name without asking for them again: added to IDS, of
 * element type guint32. Called by the tick.
 */
typedef void (*WeftHoldStrings) (GArray *ids, gpointer data);
void weft_store_writer_set_held_strings (WeftStoreWriter *self, WeftHoldStrings hold,
                                         gpointer data);

/* Rows of a table before FIRST_ROW will be named by no later row that does not come soon. */
void weft_store_writer_set_in_use (WeftStoreWriter *self, WeftTableId table, guint64 first_row);

/* Begins a part now; the appending thread. Returns what to wait for. */
guint64 weft_store_writer_rotate (WeftStoreWriter *self);

/* Makes the file OUT of what came SINCE (ns of the recording) until rotation TICKET. Not the
 * appending thread.
 */
gboolean weft_store_writer_keep (WeftStoreWriter *self, guint64 ticket, gint64 since,
                                 const char *out, GError **error);

/* The first error of the writing thread (full disk, …), or NULL. Rows appended after it are
 * counted, not kept. Safe from any thread; owned by the writer.
 */
const GError *weft_store_writer_get_error (WeftStoreWriter *self);

void weft_store_writer_get_statistics (WeftStoreWriter *self, WeftStoreStatistics *statistics);

/* The dictionary: equal strings get equal numbers, "" and NULL get 0. LENGTH -1: nul-terminated.
 * TEXT must be valid UTF-8 (ingest repairs and counts before it comes here).
 */
guint32 weft_store_writer_string (WeftStoreWriter *self, const char *text, gssize length);

/* Content-addressed: equal bytes get equal numbers and are stored once. */
guint32 weft_store_writer_blob (WeftStoreWriter *self, const void *data, gsize length);

WeftTableWriter *weft_store_writer_table (WeftStoreWriter *self, WeftTableId table);

/* A derived column of some rows: VALUES of each, or VALUE of all where that is NULL. */
typedef struct
{
  WeftColumnNumber number;
  const guint64 *values;
  guint64 value;
} WeftDerivedColumn;

/* What an algorithm, in its VERSION, decided about rows FIRST_ID to FIRST_ID + N - 1 of TABLE; N is
 * at most WEFT_STORE_SEAL_ROWS. Where the first derived column of the table is nought, nothing is
 * decided and what was said before stands. Of what is said twice the higher version counts, then
 * what was said last. PROVISIONAL: the whole range will be told again, without this, before the
 * file is closed. Waits for the writing thread as appending does.
 */
void weft_store_writer_derive (WeftStoreWriter *self, WeftTableId table, guint version,
                               guint64 first_id, guint32 n, const WeftDerivedColumn *columns,
                               guint n_columns, gboolean provisional);

/* Appending a row: begin, set the columns that are not nought, commit.
 *
 *   weft_table_writer_begin (t);
 *   weft_table_writer_set (t, WEFT_DISPATCHES_LANE, lane);
 *   id = weft_table_writer_commit (t);
 *
 * A column that no row of a memtable sets takes no memory and no time. Setting a NULLABLE column
 * marks it present. commit returns the row's dense number from 1 in order of arrival, which is
 * also stored in its KEY column.
 */
struct _WeftTableWriter
{
  /* The part that the inline functions below need; the rest is the writer's own. */
  guint32 *narrow[WEFT_MAX_COLUMNS];   /* offsets; NULL until a row of this memtable sets the
                                          column, and once a value did not fit */
  guint64 bases[WEFT_MAX_COLUMNS];     /* of the TIME columns' offsets; others count from nought */
  guint64 *wide[WEFT_MAX_COLUMNS];     /* then, the values; else NULL */
  guint64 *presence[WEFT_MAX_COLUMNS]; /* bitmaps of the NULLABLE columns */
  guint32 *n_rows;                     /* published rows of this memtable */
  guint64 total;                       /* rows in all, read by any thread */
  guint32 row;                         /* the row being filled */
  guint32 cleared;                     /* rows below are nought unless set */
  guint32 column_base;
};

/* The offset of a time that is not set; no offset is as large. */
#define WEFT_NO_OFFSET G_MAXUINT32

void weft_table_writer_set_slow (WeftTableWriter *self, guint column, guint64 value);
void weft_table_writer_begin_slow (WeftTableWriter *self);

/* Makes room for a row, waiting for the writing thread if its queue is full. */
static inline void
weft_table_writer_begin (WeftTableWriter *self)
{
  if (G_UNLIKELY (self->row == self->cleared))
    weft_table_writer_begin_slow (self);
}

static inline guint64
weft_table_writer_commit (WeftTableWriter *self)
{
  self->row++;
  __atomic_store_n (self->n_rows, self->row, __ATOMIC_RELEASE);
  __atomic_store_n (&self->total, self->total + 1, __ATOMIC_RELAXED);
  return self->total;
}

/* Folded away where NUMBER is a constant. */
static inline gboolean
weft_column_is_nullable (WeftColumnNumber number)
{
  enum
  {
    NONE = 0,
    NULLABLE = 1,
    DERIVED = 0,
    KEY = 0
  };

  switch (number)
    {
#define WEFT_SCHEMA_TABLE(NAME, name) case WEFT_COLUMN_BASE_##NAME:
#define WEFT_SCHEMA_COLUMN(TABLE, NAME, name, TYPE, FLAGS)                                         \
  case WEFT_##TABLE##_##NAME:                                                                      \
    return FLAGS;
      WEFT_SCHEMA (WEFT_SCHEMA_TABLE, WEFT_SCHEMA_COLUMN)
#undef WEFT_SCHEMA_TABLE
#undef WEFT_SCHEMA_COLUMN
    default:
      return FALSE;
    }
}

static inline gboolean
weft_column_is_time (WeftColumnNumber number)
{
  switch (number)
    {
#define WEFT_SCHEMA_TABLE(NAME, name) case WEFT_COLUMN_BASE_##NAME:
#define WEFT_SCHEMA_COLUMN(TABLE, NAME, name, TYPE, FLAGS)                                         \
  case WEFT_##TABLE##_##NAME:                                                                      \
    return WEFT_STORE_TYPE_##TYPE == WEFT_STORE_TYPE_TIME;
      WEFT_SCHEMA (WEFT_SCHEMA_TABLE, WEFT_SCHEMA_COLUMN)
#undef WEFT_SCHEMA_TABLE
#undef WEFT_SCHEMA_COLUMN
    default:
      return FALSE;
    }
}

/* A column's place in its table, likewise. */
static inline guint
weft_column_place (WeftColumnNumber number)
{
  switch (number)
    {
#define WEFT_SCHEMA_TABLE(NAME, name)
#define WEFT_SCHEMA_COLUMN(TABLE, NAME, name, TYPE, FLAGS)                                         \
  case WEFT_##TABLE##_##NAME:                                                                      \
    return WEFT_##TABLE##_##NAME - WEFT_COLUMN_BASE_##TABLE - 1;
      WEFT_SCHEMA (WEFT_SCHEMA_TABLE, WEFT_SCHEMA_COLUMN)
#undef WEFT_SCHEMA_TABLE
#undef WEFT_SCHEMA_COLUMN
    default:
      return 0;
    }
}

static inline void
weft_table_writer_set (WeftTableWriter *self, WeftColumnNumber number, guint64 value)
{
  guint column =
      __builtin_constant_p (number) ? weft_column_place (number) : number - self->column_base - 1;

  guint64 offset = weft_column_is_time (number) ? value - self->bases[column] : value;

  if (G_LIKELY (self->narrow[column] != NULL && offset < WEFT_NO_OFFSET))
    self->narrow[column][self->row] = (guint32) offset;
  else
    weft_table_writer_set_slow (self, column, value);
  if (weft_column_is_nullable (number))
    {
      guint64 *word = &self->presence[column][self->row / 64];

      /* The writing thread may be reading the bits of earlier rows in the same word. */
      __atomic_store_n (word, *word | G_GUINT64_CONSTANT (1) << (self->row % 64), __ATOMIC_RELAXED);
    }
}

/* Of a column that is a F64. */
static inline void
weft_table_writer_set_double (WeftTableWriter *self, WeftColumnNumber number, double value)
{
  union
  {
    double value;
    guint64 bits;
  } u = { value };

  weft_table_writer_set (self, number, u.bits);
}

G_END_DECLS
