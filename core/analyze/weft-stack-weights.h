/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-cpu-stream.h"

G_BEGIN_DECLS

/* What threads did: they ran, or waited for one of the reasons. */
#define WEFT_STACK_ON_CPU 0
#define WEFT_STACK_WAITS(reason) (1 + (reason))
#define WEFT_N_WAIT_REASONS (WEFT_WAIT_REASON_OTHER + 1)
#define WEFT_N_STACK_STATES WEFT_STACK_WAITS (WEFT_N_WAIT_REASONS)

#define WEFT_STACK_ALL_WAITS (((1u << WEFT_N_WAIT_REASONS) - 1) << 1)
#define WEFT_STACK_ALL (WEFT_STACK_ALL_WAITS | 1u)

/* Whose stacks are kept apart. */
typedef enum
{
  WEFT_STACK_ROOT_NONE,
  WEFT_STACK_ROOT_THREAD,
  WEFT_STACK_ROOT_PROCESS,
} WeftStackRoot;

/* Samples or waits of one stack, added up. */
typedef struct
{
  guint32 root; /* id of the thread or process; 0 if not asked for */
  guint32 node; /* of the callchain reader; 0: no stack */
  guint32 state;
  guint64 count;
  guint64 time; /* ns: weights of samples, waits as far as they lie in the range */
} WeftStackWeight;

/* All that the scope's range, its reasons and FILTER leave, of the STATES (bit I: state I): element
 * type WeftStackWeight, each (root, node, state) once, ordered by them.
 */
GArray *weft_stack_weights_read (const WeftAnalysisScope *scope,
                                 const WeftCallchainReader *callchains, WeftCatalog *catalog,
                                 const WeftCpuFilter *filter, WeftStackRoot root, guint32 states,
                                 GError **error);

/* Word of a state: "on-cpu", or that of the reason. */
const char *weft_stack_state_get_name (guint state);

G_END_DECLS
