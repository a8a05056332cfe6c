/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-store-format.h"
#include "weft-packing.h"
#include "weft-store.h"

G_BEGIN_DECLS

/* A decoded stream. Values are within the zone that its entry states: value - min <= max - min. */
typedef struct
{
  gint refs; /* atomic */
  guint32 count;
  guint32 width;
  guint64 base;
  gsize size; /* of memory */
  void *data;
  guint64 *presence;

  /* the cache's, under its lock */
  GList link;
  gpointer *place;
} WeftDecoded;

WeftDecoded *weft_decoded_ref (WeftDecoded *self);
void weft_decoded_unref (WeftDecoded *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftDecoded, weft_decoded_unref)

static inline WeftStoreColumn
weft_decoded_column (WeftDecoded *self)
{
  return (
      WeftStoreColumn){ self->data, self->presence, self->base, self->count, self->width, self };
}

/* RAW (aligned to 8) holds ENTRY's raw_size bytes; DURATIONS are those that LANE_GAP needs. NULL
 * if they are no such stream.
 */
WeftDecoded *weft_column_decode (const WeftStreamEntry *entry, const guint8 *raw,
                                 WeftDecoded *durations);

/* Likewise of values BEGIN to END - 1 only, which must be whole lanes where the encoding goes by
 * lanes; DURATIONS are those of the range.
 */
gboolean weft_column_has_ranges (const WeftStreamEntry *entry);
WeftDecoded *weft_column_decode_range (const WeftStreamEntry *entry, const guint8 *raw,
                                       guint32 begin, guint32 end, WeftDecoded *durations);

/* A stream that is decoded from one end to the other, a piece at a time. */
typedef struct
{
  const WeftStreamEntry *entry;
  WeftPackedCursor packed;
  guint width;
} WeftColumnCursor;

/* FALSE if the stream's encoding does not allow it, or RAW is no such stream. */
gboolean weft_column_open (WeftColumnCursor *self, const WeftStreamEntry *entry, const guint8 *raw);

/* Decodes the next N values (a multiple of WEFT_PACKED_BLOCK, or the rest) to OUT, which has room
 * for WEFT_PACKED_BLOCK times 8 bytes of each block; FALSE if they are not within the zone.
 */
gboolean weft_column_take (WeftColumnCursor *self, guint32 n, void *out, WeftStoreColumn *column);

/* The values of a stream of RUNS, and their LENGTHS. */
guint64 *weft_column_decode_runs (const WeftStreamEntry *entry, const guint8 *raw,
                                  guint64 **lengths, guint32 *n);

G_END_DECLS
