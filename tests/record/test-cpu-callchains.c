/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames and callchains once each, and how they are forgotten; files of /proc as they come. */

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "weft-cpu-callchains.h"
#include "weft-system-file.h"

#define N 20000

static guint32
add_stack (WeftCpuCallchains *self, guint64 seed, guint *n_new)
{
  guint32 callchain = 0;

  for (guint64 depth = 0; depth < 5; depth++)
    {
      gboolean is_new;
      guint32 frame =
          weft_cpu_callchains_add_frame (self, NULL, depth < 3 ? depth : seed, 0, &is_new);

      callchain = weft_cpu_callchains_add (self, callchain, frame, &is_new);
      *n_new += is_new;
    }
  return callchain;
}

static void
test_forget (void)
{
  g_autoptr (WeftCpuCallchains) self = weft_cpu_callchains_new ();
  guint32 before[N], n_frames, n_callchains;
  guint n_new = 0;

  for (guint i = 0; i < N; i++)
    before[i] = add_stack (self, 100 + i, &n_new);
  g_assert_cmpuint (n_new, ==, 3 + 2 * N);
  g_assert_cmpuint (weft_cpu_callchains_get_n_held (self), ==, n_new);
  n_new = 0;
  g_assert_cmpuint (add_stack (self, 100, &n_new), ==, before[0]);
  g_assert_cmpuint (n_new, ==, 0);
  g_assert_cmpuint (weft_cpu_callchains_get_depth (self, before[7]), ==, 5);

  n_frames = weft_cpu_callchains_get_n_frames (self);
  n_callchains = weft_cpu_callchains_get_n_callchains (self);
  weft_cpu_callchains_forget (self);
  g_assert_cmpuint (weft_cpu_callchains_get_n_held (self), ==, 0);
  g_assert_cmpuint (weft_cpu_callchains_get_depth (self, before[7]), ==, 0);
  g_assert_cmpuint (weft_cpu_callchains_get_frame (self, before[7]), ==, 0);
  g_assert_cmpuint (weft_cpu_callchains_get_parent (self, before[7]), ==, 0);

  /* The same again, under ids that go on; each is told anew, once. */
  for (guint i = 0; i < N; i++)
    {
      guint32 again = add_stack (self, 100 + i, &n_new);

      g_assert_cmpuint (again, >, n_callchains);
      g_assert_cmpuint (weft_cpu_callchains_get_frame (self, again), >, n_frames);
      g_assert_cmpuint (weft_cpu_callchains_get_depth (self, again), ==, 5);
    }
  g_assert_cmpuint (n_new, ==, 3 + 2 * N);
  g_assert_cmpuint (weft_cpu_callchains_get_n_callchains (self), ==, n_callchains + n_new);
  g_assert_cmpuint (add_stack (self, 100, &n_new), ==, n_callchains + 5);
}

static void
test_numbers (void)
{
  guint64 numbers[4] = { 0 };

  g_assert_cmpuint (weft_system_file_numbers ("  12\t3 x 4", numbers, 4), ==, 2);
  g_assert_cmpuint (numbers[0], ==, 12);
  g_assert_cmpuint (numbers[1], ==, 3);
  g_assert_cmpuint (weft_system_file_numbers ("1 2 3 4 5 6", numbers, 4), ==, 4);
  g_assert_cmpuint (weft_system_file_numbers ("-1", numbers, 4), ==, 0);
  g_assert_cmpuint (weft_system_file_numbers ("", numbers, 4), ==, 0);
}

static void
test_labels (void)
{
  static const char text[] = "MemTotalHuge: 1 kB\nMemTotal:    42 kB\nsome avg10=0.00 total=77\n"
                             "full total=5\nlast:";
  guint64 number = 0;

  g_assert_true (weft_system_file_find (text, "MemTotal:", &number));
  g_assert_cmpuint (number, ==, 42);
  g_assert_true (weft_system_file_find (text, "total=", &number));
  g_assert_cmpuint (number, ==, 77);
  g_assert_false (weft_system_file_find (text, "Total:", &number)); /* the end of another word */
  g_assert_false (weft_system_file_find (text, "last:", &number));
  g_assert_false (weft_system_file_find (text, "absent", &number));
}

/* Files that are missing, empty, too long for the room, and that change. */
static void
test_files (void)
{
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "weft-system-file-XXXXXX", NULL);
  int fd = g_mkstemp (path);
  WeftSystemFile file;
  char buffer[16];

  weft_system_file_open (&file, "/no/such/file");
  g_assert_false (weft_system_file_read (&file, buffer, sizeof buffer));
  g_assert_cmpstr (buffer, ==, "");
  weft_system_file_clear (&file);

  weft_system_file_open (&file, path);
  g_assert_false (weft_system_file_read (&file, buffer, sizeof buffer));
  g_assert_cmpint (write (fd, "0123456789abcdefghij", 20), ==, 20);
  g_assert_true (weft_system_file_read (&file, buffer, sizeof buffer));
  g_assert_cmpstr (buffer, ==, "0123456789abcde");
  g_assert_cmpint (ftruncate (fd, 3), ==, 0);
  g_assert_true (weft_system_file_read (&file, buffer, sizeof buffer));
  g_assert_cmpstr (buffer, ==, "012");
  weft_system_file_clear (&file);
  g_assert_cmpint (file.fd, ==, -1);
  close (fd);
  g_unlink (path);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cpu-callchains/forget", test_forget);
  g_test_add_func ("/system-file/numbers", test_numbers);
  g_test_add_func ("/system-file/labels", test_labels);
  g_test_add_func ("/system-file/files", test_files);
  return g_test_run ();
}
