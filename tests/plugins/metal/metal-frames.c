/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Code that stands where Metal's would: it is put at Metal.framework/Versions/A/Metal, and keeps a
 * CPU busy until that has used the time that was asked for.
 */

#include <time.h>

unsigned commit_command_buffer (double seconds);

unsigned
commit_command_buffer (double seconds)
{
  unsigned value = 1;
  struct timespec used;

  do
    {
      for (unsigned i = 0; i < 100000; i++)
        value = value * 1664525u + 1013904223u;
      clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &used);
    }
  while ((double) used.tv_sec + (double) used.tv_nsec / 1e9 < seconds);
  return value;
}
