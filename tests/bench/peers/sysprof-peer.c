/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Spans as marks of sysprof's capture library, written to FILE. */
#include <unistd.h>

#include <sysprof-capture.h>

#include "batches.h"

static SysprofCaptureWriter *writer;
static int32_t pid;

static void
spans (unsigned n)
{
  int64_t time = SYSPROF_CAPTURE_CURRENT_TIME;

  for (unsigned i = 0; i < n; i++, time += 100)
    sysprof_capture_writer_add_mark (writer, time, 0, pid, 50, "lane", "routine", NULL);
}

static void
pairs (unsigned n)
{
  for (unsigned i = 0; i < n; i++)
    {
      int64_t start = SYSPROF_CAPTURE_CURRENT_TIME;

      sysprof_capture_writer_add_mark (writer, start, 0, pid,
                                       (uint64_t) (SYSPROF_CAPTURE_CURRENT_TIME - start), "lane",
                                       "routine", NULL);
    }
}

int
main (int argc, char **argv)
{
  if (argc != 2)
    {
      fprintf (stderr, "Usage: sysprof-peer FILE\n");
      return 2;
    }
  sysprof_clock_init ();
  pid = (int32_t) getpid ();
  writer = sysprof_capture_writer_new (argv[1], 0);
  if (writer == NULL)
    {
      perror (argv[1]);
      return 1;
    }
  measure_batches ("sysprof.span-known", spans);
  measure_batches ("sysprof.span-pair", pairs);
  sysprof_capture_writer_unref (writer);
  return 0;
}
