/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <elfutils/libdwfl.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <ucontext.h>

#include "cpu-rig.h"
#include "weft-clock.h"
#include "weft-copied-stacks.h"
#include "weft-producer-source.h"

#define MAX_OWN_STACK 65536

/* A recorder without a sampler, and a program that copies stacks. */
typedef struct
{
  CpuRig *cpu;
  char *runtime;
  WeftRuntimeDirectory *directory;
  WeftProducerSource *source;
} StackRig;

static StackRig *
stack_rig_new (void)
{
  StackRig *rig = g_new0 (StackRig, 1);
  g_autoptr (GError) error = NULL;

  rig->cpu = cpu_rig_new (NULL);
  rig->runtime = g_build_filename (rig->cpu->folder, "run", NULL);
  rig->directory = weft_runtime_directory_open (rig->runtime, &error);
  g_assert_no_error (error);
  rig->source = weft_producer_source_new (rig->cpu->ingest, rig->directory, rig->cpu->context,
                                          geteuid (), FALSE, &error);
  g_assert_no_error (error);
  weft_copied_stacks_connect (rig->cpu->ingest, rig->cpu->tracker);
  weft_runtime_directory_announce (rig->directory);
  return rig;
}

static WeftStore *
stack_rig_stop (StackRig *rig)
{
  gint64 deadline = g_get_monotonic_time () + G_USEC_PER_SEC / 2;

  while (g_get_monotonic_time () < deadline)
    {
      g_main_context_iteration (rig->cpu->context, FALSE);
      g_usleep (1000);
    }
  weft_producer_source_free (rig->source);
  weft_copied_stacks_connect (rig->cpu->ingest, NULL);
  return cpu_rig_stop (rig->cpu, weft_monotonic_now () - rig->cpu->start);
}

static void
stack_rig_free (StackRig *rig)
{
  weft_runtime_directory_free (rig->directory);
  cpu_rig_free (rig->cpu);
  g_free (rig->runtime);
  g_free (rig);
}

static guint
count_runtimes (StackRig *rig)
{
  WeftIngestTotals totals;

  weft_ingest_get_totals (rig->cpu->ingest, &totals);
  return totals.runtimes_seen;
}

static void
wait_for_runtime (StackRig *rig)
{
  gint64 deadline = g_get_monotonic_time () + 20 * G_USEC_PER_SEC;

  while (count_runtimes (rig) == 0 && g_get_monotonic_time () < deadline)
    {
      g_main_context_iteration (rig->cpu->context, FALSE);
      g_usleep (1000);
    }
  g_assert_cmpuint (count_runtimes (rig), ==, 1);
}

/* The function at OFFSET of a file, by libdw. */
static char *
name_function (const char *path, guint64 offset)
{
  static const Dwfl_Callbacks callbacks = { .find_elf = dwfl_build_id_find_elf,
                                            .find_debuginfo = dwfl_standard_find_debuginfo,
                                            .section_address = dwfl_offline_section_address };
  Dwfl *dwfl = dwfl_begin (&callbacks);
  Dwfl_Module *module = dwfl_report_offline (dwfl, path, path, -1);
  GElf_Addr bias = 0;
  const char *name = NULL;
  char *copy;

  dwfl_report_end (dwfl, NULL, NULL);
  if (module != NULL && dwfl_module_getelf (module, &bias) != NULL)
    name = dwfl_module_addrname (module, offset + bias);
  copy = g_strdup (name != NULL ? name : "?");
  dwfl_end (dwfl);
  return copy;
}

/* Names of the functions of a callchain, innermost first. */
static GPtrArray *
name_callchain (WeftStore *store, guint64 callchain)
{
  g_autoptr (Rows) callchains = rows_read (store, WEFT_TABLE_CALLCHAINS);
  g_autoptr (Rows) frames = rows_read (store, WEFT_TABLE_FRAMES);
  g_autoptr (Rows) modules = rows_read (store, WEFT_TABLE_MODULES);
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);

  while (callchain != 0)
    {
      guint64 row = rows_find (callchains, WEFT_CALLCHAINS_ID, callchain, 0);
      guint64 frame =
          rows_find (frames, WEFT_FRAMES_ID, rows_get (callchains, row, WEFT_CALLCHAINS_FRAME), 0);
      guint64 module =
          rows_find (modules, WEFT_MODULES_ID, rows_get (frames, frame, WEFT_FRAMES_MODULE), 0);
      guint64 before = rows_get (frames, frame, WEFT_FRAMES_FLAGS) & WEFT_FRAME_RETURN_ADDRESS;

      g_assert_cmpuint (module, !=, G_MAXUINT64);
      g_ptr_array_add (names,
                       name_function (rows_text (modules, module, WEFT_MODULES_PATH),
                                      rows_get (frames, frame, WEFT_FRAMES_OFFSET) - before));
      callchain = rows_get (callchains, row, WEFT_CALLCHAINS_PARENT);
      g_assert_cmpuint (names->len, <, 100);
    }
  return names;
}

static gboolean
has_name (GPtrArray *names, const char *name)
{
  for (guint i = 0; i < names->len; i++)
    if (strcmp (g_ptr_array_index (names, i), name) == 0)
      return TRUE;
  return FALSE;
}

/* All are whole, from where the library copied them down to the program's start. */
static void
check_stacks (WeftStore *store, guint expected)
{
  g_autoptr (Rows) stacks = rows_read (store, WEFT_TABLE_STACKS);
  g_autoptr (Rows) callchains = rows_read (store, WEFT_TABLE_CALLCHAINS);
  g_autoptr (GPtrArray) names = NULL;

  g_assert_cmpuint (stacks->n, ==, expected);
  for (guint i = 0; i < stacks->n; i++)
    {
      g_assert_cmpuint (rows_get (stacks, i, WEFT_STACKS_END), ==, WEFT_STACK_END_COMPLETE);
      g_assert_cmpuint (rows_find (callchains, WEFT_CALLCHAINS_ID,
                                   rows_get (stacks, i, WEFT_STACKS_CALLCHAIN), 0),
                        !=, G_MAXUINT64);
    }

  names = name_callchain (store, rows_get (stacks, 0, WEFT_STACKS_CALLCHAIN));
  for (guint i = 0; i < names->len; i++)
    g_test_message ("%s", (const char *) g_ptr_array_index (names, i));
  g_assert_true (has_name (names, "main"));
  g_assert_true (has_name (names, "origin_with_stack"));
}

static void
test_running (void)
{
  StackRig *rig = stack_rig_new ();
  RigProgram *program = rig_produce (rig->runtime, "stacks=50 wait=1 sleep=1");
  g_autoptr (WeftStore) store = NULL;

  wait_for_runtime (rig);
  store = stack_rig_stop (rig);
  kill (program->pid, SIGTERM);
  g_assert_cmpint (rig_wait (program, NULL, NULL), ==, 0);
  check_stacks (store, 50);
  stack_rig_free (rig);
}

/* Our stack, up to its top or so far: sanitizers make it large. */
static gsize
read_own_stack (guint64 address, guint8 *bytes)
{
  struct iovec to = { bytes, MAX_OWN_STACK };
  struct iovec from = { (gpointer) (gsize) address, MAX_OWN_STACK };
  gssize n;

  while ((n = process_vm_readv (getpid (), &to, 1, &from, 1, 0)) < 0 && from.iov_len > 4096)
    from.iov_len -= 1024;
  g_assert_cmpint (n, >, 0);
  return n;
}

/* It was gone before its stack was read; what it had mapped is known since it began to report. A
 * forked process has our own stack, too.
 */
static void
test_ended (void)
{
#if defined(__x86_64__)
  static const guint8 numbers[] = { REG_RBX, REG_RBP, REG_R12, REG_R13, REG_R14, REG_R15 };
  CpuRig *rig = cpu_rig_new (NULL);
  WeftWireStack stack = { .machine = WEFT_WIRE_MACHINE_X86_64 };
  WeftRegisters registers;
  g_autofree guint8 *bytes = g_malloc (MAX_OWN_STACK);
  WeftStackCopy copy = { .bytes = bytes, .length = MAX_OWN_STACK };
  WeftStackEnd end;
  gboolean extended;
  ucontext_t context;
  pid_t child = fork ();
  g_autoptr (WeftStore) store = NULL;

  if (child == 0)
    for (;;)
      pause ();
  weft_cpu_tracker_prepare (rig->tracker, child);
  kill (child, SIGKILL);
  g_assert_cmpint (waitpid (child, NULL, 0), ==, child);

  getcontext (&context);
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    stack.registers[i] = (guint64) context.uc_mcontext.gregs[numbers[i]];
  stack.program_counter = (guint64) context.uc_mcontext.gregs[REG_RIP];
  stack.stack_pointer = (guint64) context.uc_mcontext.gregs[REG_RSP];
  g_assert_true (weft_copied_stack_get_registers (&stack, &registers));
  copy.address = stack.stack_pointer;
  copy.length = read_own_stack (copy.address, bytes);
  g_assert_cmpuint (
      weft_cpu_tracker_unwind (rig->tracker, child, &registers, &copy, &end, &extended), !=, 0);
  g_assert_cmpint (end, ==, WEFT_STACK_END_COMPLETE);

  /* Cut short, it says so. */
  copy.length = 256;
  g_assert_cmpuint (
      weft_cpu_tracker_unwind (rig->tracker, child, &registers, &copy, &end, &extended), !=, 0);
  g_assert_cmpint (end, ==, WEFT_STACK_END_TRUNCATED);
  g_assert_false (extended);
  store = cpu_rig_stop (rig, 1);
  cpu_rig_free (rig);
#else
  g_test_skip ("registers are read on x86-64 only");
#endif
}

/* Hostile and foreign copies: nothing is made up, nothing breaks. */
static void
test_hostile (void)
{
  CpuRig *rig = cpu_rig_new (NULL);
  WeftWireStack stack = { .machine = WEFT_WIRE_MACHINE_AARCH64, .copied = 64 };
  WeftRegisters registers;
  guint8 bytes[512];
  g_autoptr (WeftStore) store = NULL;

#if defined(__x86_64__)
  g_assert_false (weft_copied_stack_get_registers (&stack, &registers));
  stack.machine = WEFT_WIRE_MACHINE_X86_64;
#endif
  for (guint round = 0; round < 20000; round++)
    {
      WeftStackCopy copy = { .bytes = bytes, .length = g_test_rand_int_range (0, sizeof bytes) };
      WeftStackEnd end;
      gboolean extended;

      for (guint i = 0; i < sizeof bytes; i += 8)
        {
          guint64 word = g_test_rand_int () % 3 == 0 ? (guint64) (gsize) test_hostile + i
                                                     : (guint64) g_test_rand_int () << 32;

          memcpy (bytes + i, &word, sizeof word);
        }
      stack.program_counter =
          g_test_rand_bit () ? (guint64) (gsize) test_hostile : (guint64) g_test_rand_int () << 20;
      stack.stack_pointer = (guint64) g_test_rand_int () << g_test_rand_int_range (0, 33);
      for (guint i = 0; i < WEFT_WIRE_N_REGISTERS; i++)
        stack.registers[i] = stack.stack_pointer + g_test_rand_int_range (-64, 640);
      g_assert_true (weft_copied_stack_get_registers (&stack, &registers));
      copy.address = stack.stack_pointer;
      weft_cpu_tracker_unwind (rig->tracker, getpid (), &registers, &copy, &end, &extended);
      g_assert_cmpuint (end, <=, WEFT_STACK_END_NO_USER_STACK);
      g_assert_cmpuint (end, !=, WEFT_STACK_END_NOT_UNWOUND);
    }
  store = cpu_rig_stop (rig, 1);
  cpu_rig_free (rig);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/copied-stacks/running", test_running);
  g_test_add_func ("/copied-stacks/ended", test_ended);
  g_test_add_func ("/copied-stacks/hostile", test_hostile);
  return g_test_run ();
}
