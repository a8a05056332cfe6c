/* SPDX-License-Identifier: LGPL-2.1-or-later */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER weft_peer

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "./lttng-tracepoints.h"

#if !defined(LTTNG_TRACEPOINTS_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define LTTNG_TRACEPOINTS_H

#include <lttng/tracepoint.h>
#include <stdint.h>

/* What a span of ours carries. */
LTTNG_UST_TRACEPOINT_EVENT (
    weft_peer, span,
    LTTNG_UST_TP_ARGS (uint32_t, lane, uint32_t, routine, uint64_t, start, uint64_t, end),
    LTTNG_UST_TP_FIELDS (lttng_ust_field_integer (uint32_t, lane, lane)
                             lttng_ust_field_integer (uint32_t, routine, routine)
                                 lttng_ust_field_integer (uint64_t, start, start)
                                     lttng_ust_field_integer (uint64_t, end, end)))

LTTNG_UST_TRACEPOINT_EVENT (
    weft_peer, begin, LTTNG_UST_TP_ARGS (uint32_t, lane, uint32_t, routine),
    LTTNG_UST_TP_FIELDS (lttng_ust_field_integer (uint32_t, lane, lane)
                             lttng_ust_field_integer (uint32_t, routine, routine)))

LTTNG_UST_TRACEPOINT_EVENT (weft_peer, end, LTTNG_UST_TP_ARGS (uint32_t, lane),
                            LTTNG_UST_TP_FIELDS (lttng_ust_field_integer (uint32_t, lane, lane)))

#endif

#include <lttng/tracepoint-event.h>
