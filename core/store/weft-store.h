/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "weft-schema.h"

G_BEGIN_DECLS

/*
 * Reads .weft files: finished ones by their index, growing or cut ones by their chunks.
 *
 * Nothing is read before it is asked for; decoded columns live in a cache of bounded size. All
 * functions may be called from several threads at once. Every byte of a file is distrusted: bounds,
 * checksums and counts are checked, and no allocation follows a number that the file's size does
 * not justify.
 */

#define WEFT_STORE_ERROR (weft_store_error_quark ())
GQuark weft_store_error_quark (void);

typedef enum
{
  WEFT_STORE_ERROR_NOT_WEFT,  /* no .weft file */
  WEFT_STORE_ERROR_TOO_NEW,   /* a later major version of the format */
  WEFT_STORE_ERROR_DAMAGED,   /* checksum or structure is wrong; `weft repair` may help */
  WEFT_STORE_ERROR_TOO_LARGE, /* asks for more memory than the file can justify */
  WEFT_STORE_ERROR_NO_SUCH_ROW,
} WeftStoreError;

typedef struct _WeftStore WeftStore;

typedef enum
{
  WEFT_STORE_COMPLETE, /* closed by its writer: index and trailer present */
  WEFT_STORE_GROWING,  /* no trailer: still written, or its writer was killed */
  WEFT_STORE_PARTIAL,  /* damaged: the intact chunks are served */
} WeftStoreState;

WeftStore *weft_store_open (const char *path, GError **error);
WeftStore *weft_store_ref (WeftStore *self);
void weft_store_unref (WeftStore *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftStore, weft_store_unref)

WeftStoreState weft_store_get_state (WeftStore *self);
/* Whether a writer, of any process of this machine, has the file open now. */
gboolean weft_store_is_written (WeftStore *self);
guint64 weft_store_get_file_size (WeftStore *self);
gint64 weft_store_get_start_monotonic (WeftStore *self); /* ns */
gint64 weft_store_get_start_realtime (WeftStore *self);  /* ns */
/* What is wrong with a PARTIAL file, in words for a person; NULL otherwise. */
const char *weft_store_get_damage (WeftStore *self);

/* A later view of a growing file; shares what is decoded. Returns SELF's reference if unchanged. */
WeftStore *weft_store_refresh (WeftStore *self, GError **error);

guint64 weft_store_get_n_rows (WeftStore *self, WeftTableId table);
guint weft_store_get_n_chunks (WeftStore *self, WeftTableId table);

/* NULL if ID is not in the dictionary. Valid as long as SELF. */
const char *weft_store_get_string (WeftStore *self, guint32 id);
GBytes *weft_store_get_blob (WeftStore *self, guint32 id, GError **error);

/* One chunk's rows. Sealed chunks of DISPATCHES are sorted by (lane, start); other chunks and
 * journals are in order of arrival. Chunks are in the order of first_row; rows may be missing
 * between them in a damaged file.
 */
typedef struct
{
  guint32 n_rows;
  guint64 first_row; /* arrival number of its first row, from 1; rows are [first, first + n) */
  gboolean sealed;
  guint64 file_offset;
  guint64 stored_size; /* bytes in the file */
} WeftChunkInfo;

void weft_store_get_chunk (WeftStore *self, WeftTableId table, guint chunk, WeftChunkInfo *info);

/* Smallest and largest value of a column in a chunk, as stored bits; FALSE if the column is
 * absent (all nought). Costs no read of the column.
 */
gboolean weft_store_get_zone (WeftStore *self, WeftTableId table, guint chunk,
                              WeftColumnNumber column, guint64 *min, guint64 *max);

/* A decoded column: value of row i = base + the i-th element of DATA (WIDTH bytes, unsigned,
 * little-endian), or BASE where WIDTH is 0. F64 columns have BASE 0, or WIDTH 0. PRESENCE is NULL
 * where every row has a value; the value of a row without one means nothing. Values lie within the
 * column's zone even in a hostile file. Release with weft_store_column_clear ().
 */
typedef struct
{
  const void *data;
  const guint64 *presence;
  guint64 base;
  guint32 n_rows;
  guint32 width;
  gpointer owner;
} WeftStoreColumn;

gboolean weft_store_read_column (WeftStore *self, WeftTableId table, guint chunk,
                                 WeftColumnNumber number, WeftStoreColumn *column, GError **error);
void weft_store_column_clear (WeftStoreColumn *column);

static inline guint64
weft_store_column_get (const WeftStoreColumn *column, guint row)
{
  switch (column->width)
    {
    case 1:
      return column->base + ((const guint8 *) column->data)[row];
    case 2:
      return column->base + ((const guint16 *) column->data)[row];
    case 4:
      return column->base + ((const guint32 *) column->data)[row];
    case 8:
      return column->base + ((const guint64 *) column->data)[row];
    default:
      return column->base;
    }
}

static inline gboolean
weft_store_column_has (const WeftStoreColumn *column, guint row)
{
  return column->presence == NULL || (column->presence[row / 64] >> (row % 64) & 1);
}

/* Some rows of several columns, in the order in which these were asked for. */
typedef void (*WeftScanFunc) (const WeftStoreColumn *columns, gpointer data);

#define WEFT_MAX_SCAN_COLUMNS 8

/* Passes a chunk's rows to FUNC, some at a time, from the first to the last. Columns that are not
 * in the cache are decoded as they pass and kept nowhere: for what reads everything once, this
 * costs a third of weft_store_read_column (). FALSE, after some of the rows, if one is damaged.
 */
gboolean weft_store_scan_columns (WeftStore *self, WeftTableId table, guint chunk,
                                  const WeftColumnNumber *numbers, guint n_columns,
                                  WeftScanFunc func, gpointer data, GError **error);

/* One value; row by arrival number or, in tables with a KEY column, by id (they are equal). */
gboolean weft_store_find_row (WeftStore *self, WeftTableId table, guint64 id, guint *chunk,
                              guint *row, GError **error);

/* Chunk summaries of the dispatches, merged over the whole recording (rows without a summary, such
 * as journalled ones, are scanned).
 */
typedef struct
{
  guint32 lane;    /* 0 when grouped by routine only */
  guint32 routine; /* 0 when grouped by lane only */
  guint64 count;
  guint64 sum; /* ns, saturating at G_MAXUINT64 */
  guint64 min;
  guint64 max;
} WeftGroupSummary;

typedef enum
{
  WEFT_GROUP_BY_LANE = 1 << 0,
  WEFT_GROUP_BY_ROUTINE = 1 << 1,
} WeftGroupBy;

/* element type WeftGroupSummary, ordered by (lane, routine) */
GArray *weft_store_summarize (WeftStore *self, WeftGroupBy by, GError **error);

/* When the first dispatch of a lane in a chunk starts. */
typedef struct
{
  guint32 lane;
  gint64 first;
} WeftLaneStart;

/* Those of all lanes that the chunk has rows of; from its summary, if it has one. Replaces what is
 * in STARTS, of element type WeftLaneStart.
 */
gboolean weft_store_get_lane_starts (WeftStore *self, guint chunk, GArray *starts, GError **error);

/* The nearest rank of a percentile among N > 0 values: 1 to N. A percentile is a decimal number of
 * at most six places: in binary 99.9 is a little more, and would make rank 1,000 of 999 exactly.
 */
static inline guint64
weft_nearest_rank (double percentile, guint64 n)
{
  const guint64 whole = 100 * G_GUINT64_CONSTANT (1000000);
  unsigned __int128 parts = (unsigned __int128) (guint64) (percentile * 1e6 + 0.5) * n;
  guint64 rank = (guint64) ((parts + whole - 1) / whole);

  return CLAMP (rank, 1, n);
}

/* Exact nearest-rank percentiles of the durations of each routine; PERCENTILE in (0, 100]. The
 * summaries' histograms name the bucket, the columns give the value. element type
 * WeftGroupSummary with SUM holding the percentile, ordered by routine.
 */
GArray *weft_store_percentile (WeftStore *self, double percentile, GError **error);

/* The N longest dispatches, longest first (ties by id): chunk maxima skip chunks. */
typedef struct
{
  guint64 id;
  guint32 lane;
  guint32 routine;
  gint64 start;
  guint64 duration;
} WeftLongDispatch;

GArray *weft_store_longest (WeftStore *self, guint n, GError **error);

/* A slice of the timeline: for each lane and each of N_BUCKETS equal buckets of [begin, end), how
 * busy the lane was. Read from level of detail where it is fine enough, from rows where not.
 */
typedef struct
{
  guint64 busy;    /* ns of the bucket covered by at least one dispatch (union) */
  guint32 count;   /* dispatches that begin in the bucket */
  guint32 errors;  /* of those, status not ok */
  guint64 longest; /* longest duration of those, ns */
  guint32 routine; /* the routine that is busy longest in the bucket; 0 if idle */
} WeftTimelineBucket;

/* BUCKETS has n_lanes × n_buckets elements, lane by lane. */
gboolean weft_store_timeline (WeftStore *self, const guint32 *lanes, guint n_lanes, gint64 begin,
                              gint64 end, guint n_buckets, WeftTimelineBucket *buckets,
                              GError **error);

/* Reads and checks every chunk. */
typedef struct
{
  guint64 chunks;
  guint64 rows;
  guint64 damaged_chunks;
  guint64 unknown_chunks;
  guint64 missing_bytes;
} WeftStoreReport;

gboolean weft_store_verify (WeftStore *self, WeftStoreReport *report, GError **error);

/* How much of TOTAL is done. */
typedef void (*WeftStoreProgress) (guint64 done, guint64 total, gpointer data);

/* Writes the intact part of IN, damaged anywhere, to the new file OUT, finished with an index.
 * PROGRESS and CANCELLABLE may be NULL; one that is cancelled leaves no OUT.
 */
gboolean weft_store_repair (const char *in, const char *out, WeftStoreProgress progress,
                            gpointer data, GCancellable *cancellable, WeftStoreReport *report,
                            GError **error);

G_END_DECLS
