/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-cpu-stream.h"
#include "weft-row-table.h"

G_BEGIN_DECLS

/*
 * What samples cost by their stacks, and where in which functions the frames of these are: each
 * stack once, however many samples it has.
 */
typedef struct
{
  guint64 symbol; /* one row of it stands for all that say the same */
  guint32 file;   /* in the store's dictionary; 0: not known */
  guint64 line;   /* 0: not known */
  guint32 next;   /* the function inlined there; 0: none */
} WeftFrameTold;

typedef struct
{
  guint64 module;
  guint64 offset;
  guint64 flags;
  guint32 first; /* in TOLD: the function whose code it is; 0: not known */
  guint32 last;
} WeftFrameFacts;

typedef struct
{
  guint64 count;
  guint64 time;
} WeftStackCost;

typedef struct
{
  const WeftAnalysisScope *scope;
  WeftCatalog *catalog;
  WeftCallchainReader *callchains;
  WeftCpuFilter *filter;
  WeftRowTable *symbols;
  guint64 *same;         /* of each row of SYMBOLS by its index, the id that stands for it */
  WeftFrameFacts *facts; /* of each frame of CALLCHAINS */
  GArray *told;          /* element type WeftFrameTold; the first is none */
  WeftStackCost *costs;  /* of each stack of CALLCHAINS: samples whose stack it is */
  WeftStackCost whole;
} WeftStackCosts;

gboolean weft_stack_costs_init (WeftStackCosts *self, const WeftAnalysisScope *scope,
                                GError **error);
void weft_stack_costs_clear (WeftStackCosts *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WeftStackCosts, weft_stack_costs_clear)

/* The id that stands for SYMBOL and all that say the same; 0: there is no such row. */
guint64 weft_stack_costs_get_same (const WeftStackCosts *self, guint64 symbol);

static inline const WeftFrameFacts *
weft_stack_costs_get_facts (const WeftStackCosts *self, guint32 stack)
{
  return &self->facts[weft_callchain_reader_get_frame (self->callchains, stack)];
}

static inline const WeftFrameTold *
weft_stack_costs_get_told (const WeftStackCosts *self, guint32 told)
{
  return &g_array_index (self->told, WeftFrameTold, told);
}

/* The address that ran: of a return address that of the call before it. */
static inline guint64
weft_frame_facts_get_address (const WeftFrameFacts *facts)
{
  return facts->offset - ((facts->flags & 1) && facts->offset > 0 ? 1 : 0);
}

G_END_DECLS
