/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-chunk.h"
#include "weft-overlay.h"
#include "weft-store.h"

G_BEGIN_DECLS

/* A dispatch chunk's derived companions. */
typedef struct
{
  WeftChunk *summary;
  WeftChunk *lod;
} WeftDigests;

struct _WeftStore
{
  gint refs; /* atomic */
  char *path;
  WeftInput *input;
  GPtrArray *parts; /* WeftStore: of a recording in parts, those beside the file, in order */
  WeftFileHeader header;
  WeftStoreState state;
  guint64 file_size;
  guint64 scanned; /* end of the last whole chunk */
  guint64 missing_bytes;
  guint64 n_unknown;
  GString *damage;
  GPtrArray *chunks; /* WeftChunk, all that is in the file or its index, in order */

  GPtrArray *tables[WEFT_N_TABLES]; /* chunks of rows, by first row, none twice */
  guint64 n_rows[WEFT_N_TABLES];
  GPtrArray *overlays[WEFT_N_TABLES]; /* WeftOverlay of each chunk, or NULL; NULL without any */
  GPtrArray *strings;
  GPtrArray *blobs;
  GArray *digests; /* WeftDigests of each dispatch chunk */

  /* For who cuts it: rows from here on are in use by its writer. */
  guint64 in_use_from[WEFT_N_TABLES];
};

/* A store of one file, of which nothing is known but its header. */
WeftStore *weft_store_open_file (const char *path, GError **error);
WeftStore *weft_store_new (const char *path, WeftInput *input, const WeftFileHeader *header);

/* A view of MAIN and the parts beside it; takes MAIN. EARLIER, if not NULL, is a view of before,
 * whose parts serve again where they did not change. BY_INDEX: not for repair. Not yet arranged.
 */
WeftStore *weft_store_open_parts (WeftStore *main, WeftStore *earlier, gboolean by_index,
                                  GError **error);
gboolean weft_store_parts_are_written (WeftStore *self);

/* Where the parts of the recording at PATH lie, and the part NUMBER of them. */
char *weft_store_parts_directory (const char *path);
char *weft_store_part_path (const char *path, guint number);
char *weft_store_parts_lock_path (const char *path);

/* All chunks, by a scan past the index, and not yet arranged: for repair. */
WeftStore *weft_store_open_all (const char *path, GError **error);

/* Fills CHUNKS from the index, if there is a sound one at the end. */
gboolean weft_store_read_index (WeftStore *self);

/* Appends to CHUNKS what lies between SCANNED and the end of the file. */
void weft_store_scan (WeftStore *self);

/* Sorts CHUNKS into tables, strings, blobs, digests and overlays. */
void weft_store_arrange (WeftStore *self);

/* Takes over what an earlier view has decoded. */
void weft_store_share_overlays (WeftStore *self, WeftStore *earlier);

void weft_store_add_damage (WeftStore *self, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* Position of a column in its table, and back. */
guint weft_store_column_place (WeftTableId table, WeftColumnNumber number);
WeftColumnNumber weft_store_column_number (WeftTableId table, guint place);

static inline WeftChunk *
weft_store_chunk (WeftStore *self, WeftTableId table, guint chunk)
{
  return g_ptr_array_index (self->tables[table], chunk);
}

/* NULL if no derived chunk says anything about the chunk's rows. */
static inline WeftOverlay *
weft_store_overlay (WeftStore *self, WeftTableId table, guint chunk)
{
  return self->overlays[table] == NULL ? NULL : g_ptr_array_index (self->overlays[table], chunk);
}

#define WEFT_DISPATCH_PLACE(NAME) (WEFT_DISPATCHES_##NAME - WEFT_COLUMN_BASE_DISPATCHES - 1)

/* A column that is released with the scope. */
static inline void
weft_column_auto_clear (WeftStoreColumn *column)
{
  weft_store_column_clear (column);
}
#define WEFT_AUTO_COLUMN __attribute__ ((cleanup (weft_column_auto_clear))) WeftStoreColumn

gboolean weft_store_read_chunk_column (WeftChunk *chunk, guint place, WeftStoreColumn *column,
                                       GError **error);

/* OVERLAY has the derived columns; it may be NULL. */
gboolean weft_store_scan_chunk_columns (WeftChunk *chunk, WeftOverlay *overlay, const guint *places,
                                        guint n_columns, WeftScanFunc func, gpointer data,
                                        GError **error);

G_END_DECLS
