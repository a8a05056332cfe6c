/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bytes of a .weft file; docs/file-format.md says what they mean. */
#pragma once

#include <glib.h>

#include "weft-schema.h"

G_BEGIN_DECLS

G_STATIC_ASSERT (G_BYTE_ORDER == G_LITTLE_ENDIAN);

#define WEFT_FILE_MAGIC "\x89WEFT\r\n\x1a"
#define WEFT_FILE_MAJOR 1
#define WEFT_FILE_MINOR 2
#define WEFT_CHUNK_MAGIC "\xf7WfChnk\n"

#define WEFT_MAX_CHUNK_ROWS 65536
#define WEFT_MAX_SEGMENT_SIZE (G_GUINT64_CONSTANT (1) << 30)
#define WEFT_MAX_RATIO 1024 /* of raw to stored bytes of a compressed segment */
#define WEFT_NO_TABLE 0xffff

typedef struct
{
  guint8 magic[8];
  guint16 major;
  guint16 minor;
  guint32 header_size;
  guint8 uuid[16];
  gint64 start_monotonic;
  gint64 start_realtime;
  guint32 flags; /* WeftFileFlags */
  guint8 reserved[8];
  guint32 crc; /* of the bytes before it */
} WeftFileHeader;

G_STATIC_ASSERT (sizeof (WeftFileHeader) == 64);

typedef enum
{
  WEFT_FILE_IN_PARTS = 1 << 0, /* more of it lies in files beside it */
} WeftFileFlags;

typedef enum
{
  WEFT_CHUNK_SCHEMA = 1,
  WEFT_CHUNK_STRINGS = 2,
  WEFT_CHUNK_BLOB = 3,
  WEFT_CHUNK_SEALED = 4,
  WEFT_CHUNK_JOURNAL = 5,
  WEFT_CHUNK_SUMMARY = 6,
  WEFT_CHUNK_LOD = 7,
  WEFT_CHUNK_INDEX = 8,
  WEFT_CHUNK_END = 9,
  WEFT_CHUNK_DERIVED = 10,
  WEFT_CHUNK_LAST_KIND = WEFT_CHUNK_DERIVED,
} WeftChunkKind;

typedef enum
{
  WEFT_CHUNK_SORTED = 1 << 0,      /* by (lane, start); else in order of arrival */
  WEFT_CHUNK_PROVISIONAL = 1 << 1, /* DERIVED: a later chunk says it again for the whole range */
} WeftChunkFlags;

typedef struct
{
  guint8 magic[8];
  guint16 kind;
  guint16 version;
  guint16 table;
  guint16 n_streams;
  guint32 flags;
  guint32 rows;
  guint64 payload_size; /* what follows this header, directory included; a multiple of 8 */
  guint64 first_row;
  guint64 sequence;
  guint64 extra;         /* END: offset of the index; LOD: exponent of the finest level */
  guint32 directory_crc; /* of n_streams directory entries */
  guint32 crc;           /* of the bytes before it */
} WeftChunkHeader;

G_STATIC_ASSERT (sizeof (WeftChunkHeader) == 64);

typedef enum
{
  WEFT_ENCODING_CONSTANT = 0,
  WEFT_ENCODING_SEQUENCE = 1,
  WEFT_ENCODING_PACKED = 2,
  WEFT_ENCODING_RUNS = 3,
  WEFT_ENCODING_DELTA = 4,
  WEFT_ENCODING_LANE_DELTA = 5,
  WEFT_ENCODING_LANE_GAP = 6,
  WEFT_ENCODING_DICTIONARY = 7,
  WEFT_ENCODING_BYTES = 8,
} WeftEncoding;

typedef enum
{
  WEFT_COMPRESSION_NONE = 0,
  WEFT_COMPRESSION_ZSTD = 1,
} WeftCompression;

#define WEFT_STREAM_PRESENCE 1 /* a bitmap precedes the values */

/* A directory entry: one stream (a column, for chunks of rows) of a chunk. */
typedef struct
{
  guint16 id;
  guint8 encoding;
  guint8 compression;
  guint8 flags;
  guint8 type;
  guint16 partner; /* LANE_GAP: the stream of the durations */
  guint32 count;
  guint32 crc;    /* of the stored bytes */
  guint64 offset; /* from the start of the chunk's header; a multiple of 8 */
  guint64 stored_size;
  guint64 raw_size;
  guint64 min;
  guint64 max;
  guint64 base;
} WeftStreamEntry;

G_STATIC_ASSERT (sizeof (WeftStreamEntry) == 64);

/* Streams of an INDEX chunk. */
enum
{
  WEFT_INDEX_OFFSET,
  WEFT_INDEX_SIZE,
  WEFT_INDEX_KIND,
  WEFT_INDEX_TABLE,
  WEFT_INDEX_ROWS,
  WEFT_INDEX_FIRST_ROW,
  WEFT_INDEX_FLAGS,
  WEFT_N_INDEX_STREAMS
};

/* Streams of a SUMMARY chunk: three groupings and a histogram. */
enum
{
  WEFT_SUMMARY_PAIRS = 0,
  WEFT_SUMMARY_ROUTINES = 8,
  WEFT_SUMMARY_LANES = 16,
  WEFT_SUMMARY_HISTOGRAM = 24,
  WEFT_SUMMARY_LONGEST = 32,
};

/* Beside the lanes' groups: when their first row starts and their last one ends. */
#define WEFT_SUMMARY_FIRST_START 22
#define WEFT_SUMMARY_LAST_END 23

enum
{
  WEFT_LONGEST_ID,
  WEFT_LONGEST_LANE,
  WEFT_LONGEST_ROUTINE,
  WEFT_LONGEST_START,
  WEFT_LONGEST_DURATION,
  WEFT_N_LONGEST_STREAMS
};

#define WEFT_MAX_LONGEST 128 /* rows of a chunk that its summary names */

enum
{
  WEFT_GROUP_LANE,
  WEFT_GROUP_ROUTINE,
  WEFT_GROUP_COUNT,
  WEFT_GROUP_SUM,
  WEFT_GROUP_MIN,
  WEFT_GROUP_MAX,
  WEFT_N_GROUP_STREAMS
};

enum
{
  WEFT_HISTOGRAM_ROUTINE,
  WEFT_HISTOGRAM_BUCKET,
  WEFT_HISTOGRAM_COUNT,
  WEFT_N_HISTOGRAM_STREAMS
};

#define WEFT_SUMMARY_VERSION 1

/* Streams of a LOD chunk: stream = level * 8 + one of these; the last level is the long rows. */
enum
{
  WEFT_CELL_LANE, /* of each lane that has cells */
  WEFT_CELL_BUCKET,
  WEFT_CELL_BUSY,
  WEFT_CELL_COUNT,
  WEFT_CELL_ERRORS,
  WEFT_CELL_LONGEST,
  WEFT_CELL_ROUTINE,
  WEFT_N_CELL_STREAMS,
  WEFT_CELL_LANE_CELLS = WEFT_N_CELL_STREAMS, /* of each lane: its number of cells */
};

enum
{
  WEFT_LONG_LANE,
  WEFT_LONG_START,
  WEFT_LONG_DURATION,
  WEFT_LONG_ROUTINE,
  WEFT_LONG_ERROR,
  WEFT_N_LONG_STREAMS
};

#define WEFT_LOD_VERSION 2
#define WEFT_LOD_STREAMS_PER_LEVEL 8
#define WEFT_LOD_MAX_LEVELS 16
#define WEFT_LOD_LONG (WEFT_LOD_MAX_LEVELS * WEFT_LOD_STREAMS_PER_LEVEL)
#define WEFT_LOD_LONG_BUCKETS 64

/* Durations below 16 have a bucket each; above, sixteen buckets an octave. */
static inline guint
weft_histogram_bucket (guint64 duration)
{
  guint exponent;

  if (duration < 16)
    return (guint) duration;
  exponent = 63 - __builtin_clzll (duration);
  return (exponent - 3) * 16 + ((duration >> (exponent - 4)) & 15);
}

static inline guint64
weft_histogram_bucket_start (guint bucket)
{
  if (bucket < 16)
    return bucket;
  return (guint64) (16 + bucket % 16) << (bucket / 16 - 1);
}

#define WEFT_N_HISTOGRAM_BUCKETS 976

/* The end of a dispatch, or the end of time. */
static inline gint64
weft_time_add (gint64 start, guint64 duration)
{
  gint64 end;

  if (duration > G_MAXINT64 || __builtin_add_overflow (start, (gint64) duration, &end))
    return G_MAXINT64;
  return end;
}

/* Loops that gain much from wide registers are compiled twice; the loader chooses. Sanitizers
 * cannot run that early.
 */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__SANITIZE_ADDRESS__) &&                  \
    !defined(__SANITIZE_THREAD__) && !defined(__clang__)
#define WEFT_HOT __attribute__ ((target_clones ("avx2", "default")))
#else
#define WEFT_HOT
#endif

G_END_DECLS
