/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Follows a program of awkward stacks instruction by instruction and compares each stack, frame by
 * frame, with libdw's reading of it.
 */

#include <elfutils/libdwfl.h>
#include <string.h>

#include "stepper.h"

#define MAX_FRAMES 1024
#define MAX_STEPS 6000

typedef struct
{
  Stepper stepper;
  WeftModuleSet *modules;
  WeftAddressSpace *space;
  Dwfl *dwfl;
  guint8 *copy;
  gsize copied;
  WeftCodeFrame frames[MAX_FRAMES];
  guint n_frames;
  WeftStackEnd end;
  gboolean extended;
  guint64 theirs[MAX_FRAMES];
  guint n_theirs;
} Rig;

static const Dwfl_Callbacks callbacks = {
  .find_elf = dwfl_linux_proc_find_elf,
  .find_debuginfo = dwfl_standard_find_debuginfo,
};

static gboolean
rig_init (Rig *self, const char *shape)
{
  const char *program = g_getenv ("WEFT_SHAPES");
  const char *folder = g_getenv ("G_TEST_BUILDDIR");
  g_autofree char *path =
      g_build_filename (folder != NULL ? folder : ".", program != NULL ? program : "shapes", NULL);

  memset (self, 0, sizeof *self);
  if (!stepper_start (&self->stepper, path, shape))
    {
      g_test_skip ("processes cannot be traced here");
      return FALSE;
    }
  self->modules = weft_module_set_new ();
  self->space = weft_address_space_new ();
  g_assert_true (
      weft_address_space_read (self->space, self->modules, self->stepper.process, NULL, NULL));
  self->dwfl = dwfl_begin (&callbacks);
  g_assert_cmpint (dwfl_linux_proc_report (self->dwfl, self->stepper.process), ==, 0);
  g_assert_cmpint (dwfl_report_end (self->dwfl, NULL, NULL), ==, 0);
  g_assert_cmpint (dwfl_linux_proc_attach (self->dwfl, self->stepper.process, true), ==, 0);
  self->copy = g_malloc (1 << 20);
  return TRUE;
}

static void
rig_clear (Rig *self)
{
  dwfl_end (self->dwfl);
  weft_address_space_free (self->space);
  weft_module_set_free (self->modules);
  g_free (self->copy);
  stepper_stop (&self->stepper);
}

static void
unwind (Rig *self, gsize length, gboolean with_more)
{
  WeftRegisters registers;
  WeftStackCopy stack = { .bytes = self->copy, .data = &self->stepper };

  stepper_get_registers (&self->stepper, &registers);
  self->copied = stepper_read (registers.sp, self->copy, length, &self->stepper);
  stack.address = registers.sp;
  stack.length = self->copied;
  stack.more = with_more ? stepper_read : NULL;
  self->n_frames = weft_unwind (self->space, &registers, &stack, self->frames, MAX_FRAMES,
                                &self->end, &self->extended);
}

static int
take_frame (Dwfl_Frame *frame, void *data)
{
  Rig *self = data;
  Dwarf_Addr pc;

  if (!dwfl_frame_pc (frame, &pc, NULL) || self->n_theirs == MAX_FRAMES)
    return DWARF_CB_ABORT;
  self->theirs[self->n_theirs++] = pc;
  return DWARF_CB_OK;
}

static void
unwind_with_libdw (Rig *self)
{
  self->n_theirs = 0;
  dwfl_getthread_frames (self->dwfl, self->stepper.pid, take_frame, self);
}

/* Whether libdw has the same frames, if it comes down to where the thread began: it does not where
 * the loader resolves a call, nor where compilers describe the last instructions of a function
 * wrongly.
 */
static gboolean
is_alike (const Rig *self)
{
  if (self->n_theirs == 0 ||
      self->theirs[self->n_theirs - 1] != self->frames[self->n_frames - 1].address)
    return TRUE;
  if (self->n_frames != self->n_theirs)
    return FALSE;
  for (guint i = 0; i < self->n_theirs; i++)
    if (self->frames[i].address != self->theirs[i])
      return FALSE;
  return TRUE;
}

/* Whether the stack begins where the first one did. */
static gboolean
has_begin (const Rig *self, const guint64 *begin, guint n_begin)
{
  if (self->n_frames < n_begin)
    return FALSE;
  for (guint i = 0; i < n_begin; i++)
    if (self->frames[self->n_frames - 1 - i].address != begin[i])
      return FALSE;
  return TRUE;
}

static void
show (const Rig *self)
{
  for (guint i = 0; i < MAX (self->n_frames, self->n_theirs) && i < 12; i++)
    g_test_message ("  %2u %16" G_GINT64_MODIFIER "x %16" G_GINT64_MODIFIER "x %s", i,
                    i < self->n_frames ? self->frames[i].address : 0,
                    i < self->n_theirs ? self->theirs[i] : 0,
                    i < self->n_frames && self->frames[i].module != NULL
                        ? weft_code_module_get_path (self->frames[i].module)
                        : "");
}

typedef struct
{
  guint wrong;   /* not libdw's frames, or not down to where the thread began */
  guint shorter; /* libdw did not come as far */
} Tally;

static void
take_step (Rig *rig, const guint64 *begin, guint n_begin, Tally *tally)
{
  unwind_with_libdw (rig);
  if (rig->n_theirs == 0 || rig->theirs[rig->n_theirs - 1] != begin[0])
    tally->shorter++;
  if (rig->end == WEFT_STACK_END_COMPLETE && is_alike (rig) && has_begin (rig, begin, n_begin))
    return;
  if (tally->wrong++ < 3)
    {
      g_test_message ("step %u ended %d", rig->stepper.n_steps, rig->end);
      show (rig);
    }
}

/* Every stack between the two traps is whole, and the same as libdw's. */
static void
check_steps (const char *shape, gsize copied, gboolean with_more)
{
  g_autofree Rig *rig = g_new (Rig, 1);
  guint64 begin[2] = { 0 };
  Tally tally = { 0 };

  if (!rig_init (rig, shape))
    return;
  do
    {
      unwind (rig, copied, with_more);
      if (rig->stepper.n_steps == 0)
        for (guint i = 0; i < G_N_ELEMENTS (begin); i++)
          begin[i] = rig->frames[rig->n_frames - 1 - i].address;
      take_step (rig, begin, G_N_ELEMENTS (begin), &tally);
    }
  while (rig->stepper.n_steps < MAX_STEPS && stepper_next (&rig->stepper));
  g_test_message ("%s: %u stacks, %u wrong; libdw did not come as far in %u", shape,
                  rig->stepper.n_steps + 1, tally.wrong, tally.shorter);
  g_assert_cmpuint (rig->stepper.n_steps, >, 10);
  g_assert_cmpuint (tally.wrong, ==, 0);
  rig_clear (rig);
}

static void
test_shape (gconstpointer shape)
{
  check_steps (shape, 1 << 16, FALSE);
}

/* Deeper than the copy: what is behind it is asked for. */
static void
test_deep (void)
{
  check_steps ("deep", 1 << 14, TRUE);
}

/* A handler on a stack of its own interrupts one that is not in the copy. */
static void
test_another_stack (void)
{
  check_steps ("altstack", 1 << 16, TRUE);
}

/* Code that no table knows, by its frame pointers. */
static void
test_jit (void)
{
  check_steps ("jit", 1 << 16, FALSE);
}

/* The stack as it is a moment later, when the thread has gone on. */
static gsize
read_changed (guint64 address, void *buffer, gsize length, gpointer data)
{
  memset (buffer, 0x5a, length);
  return length;
}

static gsize
read_nothing (guint64 address, void *buffer, gsize length, gpointer data)
{
  return 0;
}

/* A copy that ends too early says so; nothing that does not belong to it is made up. */
static void
test_truncated (void)
{
  static const WeftReadStackFunc readers[] = { NULL, read_changed, read_nothing };
  g_autofree Rig *rig = g_new (Rig, 1);
  g_autofree WeftCodeFrame *whole = NULL;
  WeftRegisters registers;
  guint n_whole;

  if (!rig_init (rig, "deep"))
    return;
  unwind (rig, 1 << 14, TRUE);
  g_assert_cmpint (rig->end, ==, WEFT_STACK_END_COMPLETE);
  g_assert_true (rig->extended);
  n_whole = rig->n_frames;
  whole = g_memdup2 (rig->frames, n_whole * sizeof *whole);
  g_assert_cmpuint (n_whole, >, 400);

  stepper_get_registers (&rig->stepper, &registers);
  for (guint reader = 0; reader < G_N_ELEMENTS (readers); reader++)
    for (gsize length = 0; length < 3000; length += 24)
      {
        WeftStackCopy stack = { registers.sp, rig->copy, length, readers[reader], NULL };
        WeftStackEnd end;
        gboolean extended;
        guint n =
            weft_unwind (rig->space, &registers, &stack, rig->frames, MAX_FRAMES, &end, &extended);

        g_assert_cmpuint (n, >=, 1);
        g_assert_cmpuint (n, <, n_whole);
        if (length > 0 || readers[reader] != read_changed)
          {
            g_assert_cmpint (end, ==, WEFT_STACK_END_TRUNCATED);
            for (guint i = 0; i < n; i++)
              g_assert_cmphex (rig->frames[i].address, ==, whole[i].address);
          }
      }
  rig_clear (rig);
}

/* What is read beyond a copy that ends at END, after the thread has changed one word in STRIDE of
 * it. */
typedef struct
{
  Rig *rig;
  guint64 end;
  guint stride;
  gboolean with_addresses; /* those of code, too */
} Later;

static gsize
read_later (guint64 address, void *buffer, gsize length, gpointer data)
{
  const Later *later = data;
  gsize n = stepper_read (address, buffer, length, &later->rig->stepper);
  guint64 *words = buffer;

  for (gsize i = 0; i < n / 8 && address + i * 8 < later->end; i += later->stride)
    if (later->with_addresses || !weft_address_space_contains (later->rig->space, words[i] - 1))
      words[i] ^= 0x55;
  return n;
}

/* A thread that has gone on a little still has the same callers; one that has returned has not. */
static void
test_gone_on (void)
{
  static const struct
  {
    guint stride;
    gboolean with_addresses;
    WeftStackEnd end;
  } cases[] = { { 4, FALSE, WEFT_STACK_END_COMPLETE },
                { 1, TRUE, WEFT_STACK_END_TRUNCATED },
                { 1, FALSE, WEFT_STACK_END_TRUNCATED } };
  g_autofree Rig *rig = g_new (Rig, 1);
  WeftRegisters registers;

  if (!rig_init (rig, "deep"))
    return;
  unwind (rig, 1 << 14, TRUE);
  stepper_get_registers (&rig->stepper, &registers);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      Later later = { rig, registers.sp + 4096, cases[i].stride, cases[i].with_addresses };
      WeftStackCopy stack = { registers.sp, rig->copy, 4096, read_later, &later };
      WeftStackEnd end;
      gboolean extended;
      guint n =
          weft_unwind (rig->space, &registers, &stack, rig->frames, MAX_FRAMES, &end, &extended);

      g_assert_true (extended);
      g_assert_cmpint (end, ==, cases[i].end);
      if (end == WEFT_STACK_END_TRUNCATED)
        g_assert_cmpuint (n, <, 30);
      else
        g_assert_cmpuint (n, ==, rig->n_frames);
    }
  rig_clear (rig);
}

static void
test_max_frames (void)
{
  g_autofree Rig *rig = g_new (Rig, 1);
  WeftRegisters registers;
  WeftStackCopy stack = { 0 };
  WeftStackEnd end;

  if (!rig_init (rig, "deep"))
    return;
  unwind (rig, 1 << 18, FALSE);
  g_assert_cmpint (rig->end, ==, WEFT_STACK_END_COMPLETE);
  stepper_get_registers (&rig->stepper, &registers);
  stack = (WeftStackCopy){ registers.sp, rig->copy, rig->copied, NULL, NULL };
  g_assert_cmpuint (weft_unwind (rig->space, &registers, &stack, rig->frames, 7, &end, NULL), ==,
                    7);
  g_assert_cmpint (end, ==, WEFT_STACK_END_DEPTH);
  g_assert_cmpuint (
      weft_unwind (rig->space, &registers, &stack, rig->frames, rig->n_frames, &end, NULL), ==,
      rig->n_frames);
  g_assert_cmpint (end, ==, WEFT_STACK_END_COMPLETE);
  rig_clear (rig);
}

/* Frames say where in which module they are, and which are return addresses. */
static void
test_frames (void)
{
  g_autofree Rig *rig = g_new (Rig, 1);
  g_autofree char *name = NULL;

  if (!rig_init (rig, "plain"))
    return;
  unwind (rig, 1 << 16, FALSE);
  g_assert_cmpuint (rig->n_frames, ==, 5);
  g_assert_cmpuint (rig->frames[0].flags, ==, 0);
  for (guint i = 1; i < rig->n_frames; i++)
    g_assert_cmpuint (rig->frames[i].flags, ==, WEFT_FRAME_RETURN_ADDRESS);
  for (guint i = 0; i < rig->n_frames; i++)
    {
      WeftCodeFrame frame;

      g_assert_true (weft_address_space_locate (rig->space, rig->frames[i].address, &frame));
      g_assert_true (frame.module == rig->frames[i].module);
      g_assert_cmphex (frame.offset, ==, rig->frames[i].offset);
    }
  name = g_path_get_basename (weft_code_module_get_path (rig->frames[0].module));
  g_assert_true (g_str_has_prefix (name, "shapes"));
  g_assert_true (rig->frames[4].module == rig->frames[0].module);
  g_assert_true (rig->frames[2].module != rig->frames[0].module);
  rig_clear (rig);
}

/* Stacks of several processes are unwound at once, by tables that are still being worked out. */
typedef struct
{
  WeftAddressSpace *space; /* of one thread */
  const Rig *rig;
  const WeftRegisters *registers;
} Share;

static gpointer
unwind_share (gpointer data)
{
  const Share *share = data;
  WeftStackCopy stack = { share->registers->sp, share->rig->copy, share->rig->copied, NULL, NULL };
  g_autofree WeftCodeFrame *frames = g_new (WeftCodeFrame, MAX_FRAMES);

  for (guint i = 0; i < 50; i++)
    {
      WeftStackEnd end;

      g_assert_cmpuint (
          weft_unwind (share->space, share->registers, &stack, frames, MAX_FRAMES, &end, NULL), ==,
          share->rig->n_frames);
      g_assert_cmpint (end, ==, WEFT_STACK_END_COMPLETE);
      weft_address_space_unmap (share->space, 1, 1);
    }
  return NULL;
}

static void
test_several_threads (void)
{
  g_autofree Rig *rig = g_new (Rig, 1);
  WeftModuleSet *fresh = weft_module_set_new ();
  WeftRegisters registers;
  Share shares[4];
  GThread *threads[4];

  if (rig_init (rig, "deep"))
    {
      unwind (rig, 1 << 18, FALSE);
      stepper_get_registers (&rig->stepper, &registers);
      for (guint i = 0; i < G_N_ELEMENTS (shares); i++)
        {
          shares[i] = (Share){ weft_address_space_new (), rig, &registers };
          weft_address_space_read (shares[i].space, fresh, rig->stepper.process, NULL, NULL);
        }
      for (guint i = 0; i < G_N_ELEMENTS (shares); i++)
        threads[i] = g_thread_new (NULL, unwind_share, &shares[i]);
      for (guint i = 0; i < G_N_ELEMENTS (shares); i++)
        {
          g_thread_join (threads[i]);
          weft_address_space_free (shares[i].space);
        }
      rig_clear (rig);
    }
  weft_module_set_free (fresh);
}

int
main (int argc, char **argv)
{
  static const char *const shapes[] = { "plain",  "alloca", "realigned", "variadic", "plt",
                                        "signal", "vfork",  "noreturn",  "callback", "thread" };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (shapes); i++)
    {
      g_autofree char *name = g_strconcat ("/unwinder/", shapes[i], NULL);

      g_test_add_data_func (name, shapes[i], test_shape);
    }
  g_test_add_func ("/unwinder/deep", test_deep);
  g_test_add_func ("/unwinder/another-stack", test_another_stack);
  g_test_add_func ("/unwinder/jit", test_jit);
  g_test_add_func ("/unwinder/truncated", test_truncated);
  g_test_add_func ("/unwinder/gone-on", test_gone_on);
  g_test_add_func ("/unwinder/max-frames", test_max_frames);
  g_test_add_func ("/unwinder/frames", test_frames);
  g_test_add_func ("/unwinder/several-threads", test_several_threads);
  return g_test_run ();
}
