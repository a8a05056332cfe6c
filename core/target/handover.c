/* SPDX-License-Identifier: BSD-2-Clause */
#include "weft-target-private.h"

#include <string.h>

static void
encode_handover (WftBuffer *buffer, const void *data)
{
  const WeftTargetHandover *handover = data;
  WeftWireHandover *record = wft_record (buffer, WEFT_WIRE_HANDOVER, 0, sizeof *record);

  if (record == NULL)
    return;
  record->object = handover->object;
  record->also = handover->also;
  record->begin = handover->begin;
  record->end = handover->end;
  record->kind = handover->kind;
  wft_record_end (buffer, record);
}

void
weft_target_handover_write (const WeftTargetHandover *handover, size_t size)
{
  WFT_KEEP_ERRNO;
  WFT_FULL (WeftTargetHandover, handover, size)

  if (handover->object == 0 || (unsigned) handover->kind > WEFT_TARGET_HANDOVER_EXPIRED)
    {
      wft_drop (NULL, WEFT_WIRE_DROP_INVALID);
      return;
    }
  wft_emit (NULL, encode_handover, handover);
}

void
weft_target_start (void)
{
  WftRuntime *runtime;
  WFT_KEEP_ERRNO;

  runtime = wft_runtime_ensure ();
  if (runtime == NULL || runtime->disabled || !wft_session_ensure () || !wft_lock ())
    return;
  wft_gate_map (runtime);
  wft_unlock ();
}
