/* SPDX-License-Identifier: BSD-2-Clause */
/* See stdio.h. */
#pragma once

#include <sys/socket.h>

struct sockaddr_un
{
  unsigned char sun_len;
  sa_family_t sun_family;
  char sun_path[104];
};
