/* SPDX-License-Identifier: BSD-2-Clause */
/* See stdio.h. */
#pragma once

#include <sys/types.h>

typedef uint32_t socklen_t;
typedef uint8_t sa_family_t;

#define AF_UNIX 1
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_SEQPACKET 5
#define SOL_SOCKET 0xffff
#define SCM_RIGHTS 0x01
#define SO_NOSIGPIPE 0x1022
#define MSG_PEEK 0x2
#define MSG_DONTWAIT 0x80
#define MSG_NOSIGNAL 0x80000

struct sockaddr
{
  uint8_t sa_len;
  sa_family_t sa_family;
  char sa_data[14];
};

struct iovec
{
  void *iov_base;
  size_t iov_len;
};

struct msghdr
{
  void *msg_name;
  socklen_t msg_namelen;
  struct iovec *msg_iov;
  int msg_iovlen;
  void *msg_control;
  socklen_t msg_controllen;
  int msg_flags;
};

struct cmsghdr
{
  socklen_t cmsg_len;
  int cmsg_level;
  int cmsg_type;
};

#define WFT_ALIGN32(n) (((n) + 3) & ~(size_t) 3)
#define CMSG_DATA(message) ((unsigned char *) (message) + WFT_ALIGN32 (sizeof (struct cmsghdr)))
#define CMSG_FIRSTHDR(header) ((struct cmsghdr *) (header)->msg_control)
#define CMSG_LEN(size) (WFT_ALIGN32 (sizeof (struct cmsghdr)) + (size))
#define CMSG_SPACE(size) (WFT_ALIGN32 (sizeof (struct cmsghdr)) + WFT_ALIGN32 (size))

int socket (int domain, int type, int protocol);
int connect (int fd, const struct sockaddr *address, socklen_t size);
ssize_t send (int fd, const void *from, size_t n, int flags);
ssize_t recv (int fd, void *to, size_t n, int flags);
ssize_t sendmsg (int fd, const struct msghdr *message, int flags);
ssize_t recvmsg (int fd, struct msghdr *message, int flags);
int setsockopt (int fd, int level, int name, const void *value, socklen_t size);
int getsockopt (int fd, int level, int name, void *value, socklen_t *size);
