/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-analysis-private.h"

G_BEGIN_DECLS

/* The rows of flame graphs, of whatever time: parents stand before their children. */
enum
{
  WEFT_FLAME_DEPTH,
  WEFT_FLAME_PARENT, /* row of the parent, from 0; null of the first */
  WEFT_FLAME_KIND,
  WEFT_FLAME_NAME,
  WEFT_FLAME_PROCESS,
  WEFT_FLAME_THREAD,
  WEFT_FLAME_LANE,
  WEFT_FLAME_ROUTINE,
  WEFT_FLAME_SYMBOL,
  WEFT_FLAME_MODULE,
  WEFT_FLAME_MODULE_NAME,
  WEFT_FLAME_REASON,
  WEFT_FLAME_INLINED,
  WEFT_FLAME_KERNEL,
  WEFT_FLAME_COUNT,
  WEFT_FLAME_TOTAL,
  WEFT_FLAME_SELF,
  WEFT_FLAME_WAITING, /* part of the total off the CPU */
  WEFT_FLAME_TARGET,  /* part of that in which proven target work ran */
  WEFT_FLAME_ERRORS,
  WEFT_FLAME_START,
  WEFT_FLAME_STOP,
  WEFT_FLAME_TIME_KIND,
  WEFT_FLAME_N_COLUMNS
};

/* A table called "flame" with these columns. */
WeftTableBuilder *weft_flame_rows_begin (void);

/* Whether TABLE is such a one. */
gboolean weft_flame_rows_are_in (WeftTable *table);

G_END_DECLS
