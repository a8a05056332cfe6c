/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "weft-store-format.h"

G_BEGIN_DECLS

/* What a column holds, and what is known of its neighbours. */
typedef struct
{
  guint16 id;
  guint16 kind; /* equal for streams that are likely to be alike, but for 0 */
  WeftStoreType type;
  guint32 count;
  const guint64 *values;
  const guint64 *presence; /* NULL if every row has a value */

  gboolean ranged; /* parts of it will be read: nothing that has to be decoded whole */

  /* For the starts of a chunk that is sorted by (lane, start), and the like; else NULL. */
  const guint64 *durations; /* or NULL */
  const guint64 *lane_runs; /* rows of each lane, in order */
  guint32 n_lane_runs;
  guint16 duration_id;
} WeftColumnSource;

/* Chooses encodings and keeps the buffers that this takes. */
typedef struct _WeftColumnEncoder WeftColumnEncoder;

WeftColumnEncoder *weft_column_encoder_new (void);
void weft_column_encoder_free (WeftColumnEncoder *self);

/* Appends the column's stored bytes to OUT, and fills ENTRY but for its offset. */
void weft_column_encoder_add (WeftColumnEncoder *self, const WeftColumnSource *source,
                              GByteArray *out, WeftStreamEntry *entry);

/* Likewise for plain bytes, of which there are COUNT somethings. */
void weft_column_encoder_add_bytes (WeftColumnEncoder *self, guint16 id, const void *data,
                                    gsize size, guint32 count, GByteArray *out,
                                    WeftStreamEntry *entry);

G_END_DECLS
