/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-plan.h"

G_BEGIN_DECLS

/*
 * Keeps records in an order, all or the first N. A record is a few words: what it stands for, its
 * number (which decides where all else is equal), a bit for each key that is null, and the keys,
 * made so that they ascend. Nulls come last.
 */
typedef struct
{
  const WeftPlan *plan;
  const char *const *cursor_texts; /* what a key of WEFT_SORTER_CURSOR_TEXT stands for */
  GArray *words;
  guint n_words; /* of a record */
  guint limit;   /* 0: none */
  guint64 *bar;  /* the last record that is kept, once there are N */
} WeftSorter;

enum
{
  WEFT_SORTER_PLACE,
  WEFT_SORTER_NUMBER,
  WEFT_SORTER_NULLS,
  WEFT_SORTER_FIRST_KEY,
};

#define WEFT_SORTER_CURSOR_TEXT G_MAXUINT64

void weft_sorter_init (WeftSorter *self, const WeftPlan *plan, guint limit);
void weft_sorter_clear (WeftSorter *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WeftSorter, weft_sorter_clear)

/* Sets key K of RECORD. */
void weft_sorter_set_key (const WeftSorter *self, guint64 *record, guint k, guint64 bits,
                          gboolean is_null);
int weft_sorter_compare (const WeftSorter *self, const guint64 *a, const guint64 *b);

gboolean weft_sorter_add (WeftSorter *self, const guint64 *record, GError **error);
/* Sets the bar as low as it can be. */
void weft_sorter_settle (WeftSorter *self);
/* Takes what OTHER has. */
gboolean weft_sorter_merge (WeftSorter *self, WeftSorter *other, GError **error);
void weft_sorter_finish (WeftSorter *self);

guint64 weft_sorter_get_n (const WeftSorter *self);
const guint64 *weft_sorter_get (const WeftSorter *self, guint64 i);

G_END_DECLS
