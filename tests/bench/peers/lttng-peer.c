/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Spans as LTTng-UST tracepoints. `lttng-peer inactive` is for when no session is there. */
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "lttng-tracepoints.h"

#include <string.h>

#include "batches.h"

static void
spans (unsigned n)
{
  uint64_t time = monotonic_ns ();

  for (unsigned i = 0; i < n; i++, time += 100)
    lttng_ust_tracepoint (weft_peer, span, 1, i & 31, time, time + 50);
}

static void
pairs (unsigned n)
{
  for (unsigned i = 0; i < n; i++)
    {
      lttng_ust_tracepoint (weft_peer, begin, 1, i & 31);
      lttng_ust_tracepoint (weft_peer, end, 1);
    }
}

int
main (int argc, char **argv)
{
  if (argc > 1 && strcmp (argv[1], "inactive") == 0)
    {
      measure_batches ("lttng.inactive", spans);
      return 0;
    }
  if (!lttng_ust_tracepoint_enabled (weft_peer, span))
    {
      fprintf (stderr, "lttng-peer: no session listens\n");
      return 1;
    }
  measure_batches ("lttng.span-known", spans);
  measure_batches ("lttng.span-pair", pairs);
  return 0;
}
