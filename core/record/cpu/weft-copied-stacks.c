/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-copied-stacks.h"

/* Which registers a producer copies, by the numbers that DWARF gives them. */
typedef struct
{
  guint machine; /* WEFT_WIRE_MACHINE_… */
  guint n;
  guint8 numbers[WEFT_WIRE_N_REGISTERS];
} Layout;

#if defined(__x86_64__)
static const Layout native = { WEFT_WIRE_MACHINE_X86_64, 6, { 3, 6, 12, 13, 14, 15 } };
#elif defined(__aarch64__)
static const Layout native = { WEFT_WIRE_MACHINE_AARCH64,
                               12,
                               { 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30 } };
#else
static const Layout native = { 0, 0, { 0 } };
#endif

gboolean
weft_copied_stack_get_registers (const WeftWireStack *stack, WeftRegisters *registers)
{
  if (stack->machine != native.machine || native.n == 0)
    return FALSE;
  *registers = (WeftRegisters){ .pc = stack->program_counter, .sp = stack->stack_pointer };
  for (guint i = 0; i < native.n; i++)
    {
      registers->values[native.numbers[i]] = stack->registers[i];
      registers->known |= G_GUINT64_CONSTANT (1) << native.numbers[i];
    }
  return TRUE;
}

/* What lies beyond the copy is not asked for: the thread went on when it had made it. */
static guint
unwind (const WeftWireStack *stack, const guint8 *bytes, int pid, guint64 *callchain, gpointer data)
{
  WeftStackCopy copy = { .address = stack->stack_pointer, .bytes = bytes, .length = stack->copied };
  WeftRegisters registers;
  WeftStackEnd end;
  gboolean extended;

  if (!weft_copied_stack_get_registers (stack, &registers))
    return WEFT_STACK_END_NOT_UNWOUND;
  *callchain = weft_cpu_tracker_unwind (data, pid, &registers, &copy, &end, &extended);
  return end;
}

static void
prepare (int pid, gpointer data)
{
  weft_cpu_tracker_prepare (data, pid);
}

void
weft_copied_stacks_connect (WeftIngest *ingest, WeftCpuTracker *tracker)
{
  weft_ingest_set_unwinder (ingest, tracker != NULL ? unwind : NULL, tracker);
  weft_ingest_set_process_seen (ingest, tracker != NULL ? prepare : NULL, tracker);
}
