/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-analysis-private.h"

G_BEGIN_DECLS

/* Which dispatches an answer is about, by id. NULL: all of them. */
typedef struct _WeftSelection WeftSelection;

WeftSelection *weft_selection_new (void);
void weft_selection_add (WeftSelection *self, guint64 id);
gboolean weft_selection_contains (const WeftSelection *self, guint64 id);
/* Likewise, where NULL is all of them. */
static inline gboolean
weft_selection_allows (const WeftSelection *self, guint64 id)
{
  return self == NULL || weft_selection_contains (self, id);
}
guint64 weft_selection_get_n_dispatches (const WeftSelection *self);
void weft_selection_free (WeftSelection *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftSelection, weft_selection_free)

typedef struct
{
  guint64 id;
  gint64 start;
  gint64 end;
  guint64 duration;
  guint64 child_time;
  guint32 lane;
  guint32 routine;
  guint32 thread;
  guint32 depth; /* 0: not known */
  guint8 status; /* WeftStatus */
  gboolean is_selected;
} WeftDispatchRow;

typedef void (*WeftDispatchFunc) (const WeftDispatchRow *row, gpointer data);

/* Passes all dispatches that overlap the scope's range to FUNC: those of a lane in the order of
 * (start, depth, shortest first, arrival), lanes in any but always the same order. What a selection
 * leaves out is passed too, and marked, for what lies within may be selected.
 *
 * Rows wait only for chunks that may hold earlier ones: memory follows the disorder, not the size.
 */
gboolean weft_stream_dispatches (const WeftAnalysisScope *scope, const WeftSelection *selection,
                                 WeftDispatchFunc func, gpointer data, GError **error);

/*
 * What is inside what: dispatches of a thread nest on a lane by the depths of their scopes. Where
 * the scope is not known (depth 0) a dispatch is in nothing and has nothing in it.
 */
typedef struct _WeftNesting WeftNesting;

WeftNesting *weft_nesting_new (void);
void weft_nesting_free (WeftNesting *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftNesting, weft_nesting_free)

/* Takes the rows of a lane in the order of the stream. Returns whether ROW is inside another, and
 * the TAG of the innermost such. Then ROW is to be entered with a tag of its own.
 */
gboolean weft_nesting_get_outer (WeftNesting *self, const WeftDispatchRow *row, guint32 *tag);
void weft_nesting_enter (WeftNesting *self, const WeftDispatchRow *row, guint32 tag);

G_END_DECLS
