/* SPDX-License-Identifier: BSD-2-Clause */
/* Routines by the address of their code. */

#include "test-case.h"

#include <dlfcn.h>
#include <errno.h>

static __attribute__ ((noinline)) int
hidden_function (int value)
{
  return value + 1;
}

/* One that the program exports to nobody has its name in the file's symbol table only. */
static void
code_of_program (void)
{
  WeftTargetRoutine *routine
      = weft_target_routine_for_code ((const void *) (uintptr_t) hidden_function);

  CHECK_STRING (routine->name, "hidden_function");
  CHECK (weft_target_routine_for_code ((const char *) (uintptr_t) hidden_function + 1) == routine);
  CHECK (weft_target_routine_get_id (routine) != 0);
}

static void
code_of_library (void)
{
  const void *address = dlsym (RTLD_DEFAULT, "ether_ntoa");

  errno = 7;
  CHECK_STRING (weft_target_routine_for_code (address)->name, "ether_ntoa");
  CHECK_EQUAL (errno, 7);
}

/* A function that is code of several is as many routines; the file is only what it has by itself. */
static void
code_with_flavour (void)
{
  const void *address = (const void *) (uintptr_t) hidden_function;
  const WeftTargetRoutineInfo of_file = { .name = "hidden_function", .flavour = "test-target-code" };
  const WeftTargetRoutineInfo of_loop = { .name = "hidden_function", .flavour = "loop" };
  const WeftTargetRoutineInfo nameless = { .name = "0x0", .flavour = "task" };
  WeftTargetRoutine *plain = weft_target_routine_for_code_full (address, NULL);
  WeftTargetRoutine *loop = weft_target_routine_for_code_full (address, "loop");

  CHECK (plain == weft_target_routine_for_code (address));
  CHECK (plain == weft_target_routine_new_full (&of_file, sizeof of_file));
  CHECK (loop != plain);
  CHECK (loop == weft_target_routine_for_code_full (address, "loop"));
  CHECK (loop == weft_target_routine_new_full (&of_loop, sizeof of_loop));
  CHECK (loop != weft_target_routine_for_code_full (address, "task"));
  CHECK_STRING (loop->name, "hidden_function");
  CHECK (weft_target_routine_get_id (loop) != weft_target_routine_get_id (plain));
  CHECK (weft_target_routine_for_code_full (NULL, "task")
         == weft_target_routine_new_full (&nameless, sizeof nameless));
}

/* What has no name is called by where it is; nothing is guessed. */
static void
code_without_name (void)
{
  const void *page = mmap (NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  static const char data = 1;
  char name[64];

  snprintf (name, sizeof name, "0x%lx", (unsigned long) (uintptr_t) page);
  CHECK_STRING (weft_target_routine_for_code (page)->name, name);
  CHECK (strncmp (weft_target_routine_for_code (&data)->name, "test-target-code+0x", 19) == 0);
  CHECK_STRING (weft_target_routine_for_code (NULL)->name, "0x0");
}

/* The program's file is gone by now: what runs is still there to be read. */
static void
code_of_deleted_program (void)
{
  char copy[] = "/tmp/weft-code-XXXXXX";
  char command[4400], path[4096];
  ssize_t length = readlink ("/proc/self/exe", path, sizeof path - 1);
  int fd = mkstemp (copy);

  CHECK (fd >= 0 && length > 0);
  close (fd);
  path[length] = '\0';
  snprintf (command, sizeof command,
            "cp '%s' %s && chmod 700 %s && WEFT_CODE_DELETED=%s %s; status=$?; rm -f %s; exit $status",
            path, copy, copy, copy, copy, copy);
  CHECK_EQUAL (system (command), 0);
}

static void
name_without_file (const char *copy)
{
  const void *address = (const void *) (uintptr_t) hidden_function;
  const char *name;

  unlink (copy);
  name = weft_target_routine_for_code (address)->name;
  if (strcmp (name, "hidden_function") != 0)
    fprintf (stderr, "# %s\n", name != NULL ? name : "nothing");
  exit (strcmp (name, "hidden_function") == 0 ? hidden_function (-1) : 1);
}

static __attribute__ ((constructor)) void
begin (void)
{
  const char *copy = getenv ("WEFT_CODE_DELETED");

  if (copy != NULL)
    name_without_file (copy);
}

static const TestCase cases[] = {
  { "/target/T3/code-of-program", code_of_program },
  { "/target/T3/code-of-library", code_of_library },
  { "/target/T3/code-with-flavour", code_with_flavour },
  { "/target/T3/code-without-name", code_without_name },
  { "/target/T3/code-of-deleted-program", code_of_deleted_program },
};

TEST_MAIN (cases)
