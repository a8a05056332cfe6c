/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Uses a libavcodec of another major version. */

#include <stdio.h>

int avcodec_send_packet (void *context, const void *packet);

int
main (void)
{
  int answer = 0;

  for (int i = 0; i < 100; i++)
    answer += avcodec_send_packet ((void *) 1, (void *) 2);
  printf ("%d\n", answer);
  return 0;
}
