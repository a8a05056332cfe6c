/* SPDX-License-Identifier: BSD-2-Clause */
#include "weft-target-private.h"

#include <string.h>

static uint32_t
current_state (const WftRuntime *runtime)
{
  uint32_t state = WFT_LOAD (&runtime->session->state);

  if (runtime->disabled)
    return WEFT_TARGET_STATE_DISABLED;
  if (state == WEFT_TARGET_STATE_CONNECTED
      && WFT_LOAD (WFT_LOAD (&weft_target_gate.remote)) == 0)
    return WEFT_TARGET_STATE_IDLE;
  return state;
}

/* Records in blocks that their writers still hold. */
static uint64_t
open_records (const WftRuntime *runtime)
{
  uint32_t n = WFT_LOAD (&runtime->session->next_writer);
  uint64_t open = 0;

  for (uint32_t i = 0; i < n && i < WFT_MAX_WRITERS; i++)
    {
      const WftWriter *writer = &runtime->writers[i];
      open += wft_block_records (writer);
    }
  return open;
}

static uint64_t
sent_records (WftSession *session)
{
  uint32_t n = WFT_LOAD_ACQUIRE (&session->n_segments);
  uint64_t sent = 0;

  for (uint32_t i = 0; i < n; i++)
    sent += WFT_LOAD (&session->segments[i].header->sent);
  return sent;
}

static void
sum_drops (const WftRuntime *runtime, uint64_t *drops)
{
  WeftWireCell *cells = wft_registry_cells ();
  uint32_t n = WFT_LOAD (&runtime->ids[WEFT_WIRE_ENTRY_LANE]);

  for (uint32_t i = 0; cells != NULL && i < n; i++)
    for (unsigned int reason = 0; reason < WEFT_WIRE_N_DROPS; reason++)
      drops[reason] += WFT_LOAD (&cells[runtime->lanes[i].cell].drops[reason]);
}

static void
fill (WeftTargetStats *stats, const WftRuntime *runtime, const uint64_t *counts)
{
  uint64_t drops[WEFT_WIRE_N_DROPS] = { 0 };

  sum_drops (runtime, drops);
  stats->state = (WeftTargetState) current_state (runtime);
  stats->queued = WFT_LOAD (&counts[WEFT_WIRE_STAT_QUEUED]) + open_records (runtime);
  stats->sent = sent_records (runtime->session);
  stats->dropped = WFT_LOAD (&counts[WEFT_WIRE_STAT_DROPPED]);
  stats->dropped_no_room = drops[WEFT_WIRE_DROP_NO_ROOM];
  stats->dropped_reentrant = drops[WEFT_WIRE_DROP_REENTRANT];
  stats->dropped_disconnected = WFT_LOAD (&counts[WEFT_WIRE_STAT_DISCONNECTED]);
  stats->dropped_too_large = drops[WEFT_WIRE_DROP_TOO_LARGE];
  stats->dropped_invalid = drops[WEFT_WIRE_DROP_INVALID];
  stats->sampled_out = drops[WEFT_WIRE_DROP_SAMPLED_OUT];
  stats->disabled = WFT_LOAD (&counts[WEFT_WIRE_STAT_DISABLED]);
  stats->unsupported = WFT_LOAD (&counts[WEFT_WIRE_STAT_UNSUPPORTED]);
  stats->schema_mismatch = WFT_LOAD (&counts[WEFT_WIRE_STAT_SCHEMA_MISMATCH]);
  stats->stacks_skipped = WFT_LOAD (&counts[WEFT_WIRE_STAT_STACKS_SKIPPED]);
  stats->registry_full = WFT_LOAD (&counts[WEFT_WIRE_STAT_REGISTRY_FULL]);
  stats->truncated = WFT_LOAD (&counts[WEFT_WIRE_STAT_TRUNCATED]);
  stats->listener_errors = WFT_LOAD (&counts[WEFT_WIRE_STAT_LISTENER_ERRORS]);
  stats->connections = WFT_LOAD (&counts[WEFT_WIRE_STAT_CONNECTIONS]);
}

void
weft_target_get_stats (WeftTargetStats *stats, size_t size)
{
  WftRuntime *runtime = wft_runtime;
  WeftTargetStats full = { 0 };
  WFT_KEEP_ERRNO;

  if (runtime != NULL && wft_session_ensure ())
    {
      WeftWireRegistry *registry = WFT_LOAD_ACQUIRE (&runtime->registry.header);

      if (registry != NULL)
        fill (&full, runtime, registry->stats);
    }
  memset (stats, 0, size);
  memcpy (stats, &full, size < sizeof full ? size : sizeof full);
}
