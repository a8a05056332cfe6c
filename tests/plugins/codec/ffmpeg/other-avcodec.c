/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stands for a libavcodec of another major version, whose structures are laid out otherwise. */

unsigned avcodec_version (void);
int avcodec_send_packet (void *context, const void *packet);

unsigned
avcodec_version (void)
{
  return 99u << 16;
}

/* What it is given here points nowhere. */
int
avcodec_send_packet (void *context, const void *packet)
{
  return context == (void *) 1 && packet == (void *) 2 ? 12345 : -1;
}
