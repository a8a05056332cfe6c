/* SPDX-License-Identifier: BSD-2-Clause */
#include "weft-target-private.h"

#include <sched.h>
#include <string.h>

bool
wft_listened (uint32_t kind)
{
  WftRuntime *runtime = wft_runtime;

  if ((WFT_LOAD (&weft_target_gate.local) & WFT_LOCAL_LISTENER) == 0 || runtime == NULL
      || wft_self->listening)
    return false;
  for (int i = 0; i < WFT_N_LISTENERS; i++)
    if (WFT_LOAD (&runtime->listeners[i].kinds) & kind)
      return true;
  return false;
}

static void
call (WftWriter *writer, WftListenerSlot *slot, const WeftTargetEvent *event)
{
  __atomic_fetch_add (&slot->users, 1, __ATOMIC_SEQ_CST);
  if (__atomic_load_n (&slot->kinds, __ATOMIC_SEQ_CST) & event->kind)
    {
      writer->listening = 1;
      writer->listener = slot->number;
      if (slot->function (event, slot->data) != 0)
        wft_stat_add (WEFT_WIRE_STAT_LISTENER_ERRORS, 1);
      writer->listener = 0;
      writer->listening = 0;
    }
  __atomic_fetch_sub (&slot->users, 1, __ATOMIC_SEQ_CST);
}

void
wft_tell (const WeftTargetEvent *event)
{
  WftRuntime *runtime = wft_runtime;
  WftWriter *writer = wft_self;

  if (!writer->used)
    writer = wft_writer_slow ();
  if (writer == NULL || writer->listening)
    return;
  for (int i = 0; i < WFT_N_LISTENERS; i++)
    if (WFT_LOAD (&runtime->listeners[i].kinds) & event->kind)
      call (writer, &runtime->listeners[i], event);
}

uint32_t
weft_target_listen (uint32_t kinds, WeftTargetListener listener, void *data)
{
  WftRuntime *runtime;
  uint32_t number = 0;
  WFT_KEEP_ERRNO;

  runtime = wft_runtime_ensure ();
  if (runtime == NULL || runtime->disabled || listener == NULL || kinds == 0
      || !wft_session_ensure () || !wft_lock ())
    return 0;
  for (int i = 0; i < WFT_N_LISTENERS && number == 0; i++)
    {
      WftListenerSlot *slot = &runtime->listeners[i];

      if (WFT_LOAD (&slot->kinds) != 0 || WFT_LOAD (&slot->users) != 0)
        continue;
      slot->function = listener;
      slot->data = data;
      runtime->listener_number++;
      number = slot->number = (uint32_t) runtime->listener_number * WFT_N_LISTENERS + (uint32_t) i;
      __atomic_store_n (&slot->kinds, kinds, __ATOMIC_SEQ_CST);
      wft_local_set (WFT_LOCAL_LISTENER, true);
    }
  wft_unlock ();
  return number;
}

void
weft_target_unlisten (uint32_t number)
{
  WftRuntime *runtime = wft_runtime;
  WftListenerSlot *slot;
  bool any = false;
  WFT_KEEP_ERRNO;

  if (runtime == NULL || number == 0 || !wft_session_ensure () || !wft_lock ())
    return;
  slot = &runtime->listeners[number % WFT_N_LISTENERS];
  if (slot->number != number)
    slot = NULL;
  else
    __atomic_store_n (&slot->kinds, 0, __ATOMIC_SEQ_CST);
  for (int i = 0; i < WFT_N_LISTENERS; i++)
    any = any || WFT_LOAD (&runtime->listeners[i].kinds) != 0;
  if (!any)
    wft_local_set (WFT_LOCAL_LISTENER, false);
  wft_unlock ();
  if (slot == NULL || wft_self->listener == number)
    return;
  while (__atomic_load_n (&slot->users, __ATOMIC_SEQ_CST) != 0)
    sched_yield ();
}
