/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-retain-rules.h"
#include "weft-store-private.h"

G_BEGIN_DECLS

/* A set of small numbers. */
typedef struct
{
  guint64 *words;
  guint64 n; /* numbers below it are known */
} WeftRowSet;

void weft_row_set_init (WeftRowSet *self, guint64 n);
void weft_row_set_clear (WeftRowSet *self);

static inline gboolean
weft_row_set_has (const WeftRowSet *self, guint64 number)
{
  return number < self->n && (self->words[number / 64] >> (number % 64) & 1);
}

/* Whether it is new; numbers out of bounds never are. */
static inline gboolean
weft_row_set_add (WeftRowSet *self, guint64 number)
{
  guint64 bit = G_GUINT64_CONSTANT (1) << (number % 64);
  gboolean is_new = number < self->n && !(self->words[number / 64] & bit);

  if (is_new)
    self->words[number / 64] |= bit;
  return is_new;
}

/*
 * A store in parts is cut: the parts from OLDEST on stay whole. Of what the older ones hold stays
 * what the rest refers to, what is in use, and the last word on what is told again and again.
 */
typedef struct
{
  WeftStore *store;
  guint oldest;
  gboolean sorts_out;                /* else all that is no event stays */
  WeftRowSet rows[WEFT_N_TABLES];    /* of the older parts, by row number; that stay */
  WeftRowSet visited[WEFT_N_TABLES]; /* of those, what they refer to was noted */
  WeftRowSet traces;                 /* by their ids, which are not their numbers */
  WeftRowSet ended[2];               /* processes, runtimes */
  WeftRowSet strings;                /* that are named by what stays */
} WeftRetainedRows;

gboolean weft_retained_rows_init (WeftRetainedRows *self, WeftStore *store, guint oldest,
                                  gboolean sorts_out, GError **error);
void weft_retained_rows_clear (WeftRetainedRows *self);

static inline gboolean
weft_retained_rows_is_older (const WeftRetainedRows *self, const WeftChunk *chunk)
{
  return chunk->input->part < self->oldest;
}

G_END_DECLS
