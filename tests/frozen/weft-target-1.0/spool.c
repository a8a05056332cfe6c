/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where no recorder can be reached: the same bytes in a file of our own. Storage is reserved before
 * it is written, for a full disk would raise SIGBUS on a mapping.
 */
#include "weft-target-private.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_MAXIMUM (UINT64_C (2) << 30)

static int
reserve (int fd, uint64_t offset, uint64_t size)
{
#if defined(__linux__)
  /* Not posix_fallocate (): where the file system cannot reserve, it writes each block. */
  int result;

  do
    result = fallocate (fd, 0, (off_t) offset, (off_t) size);
  while (result != 0 && errno == EINTR);
  if (result == 0 || errno != EOPNOTSUPP)
    return result;
#endif
#if defined(__APPLE__)
  fstore_t store = { F_ALLOCATEALL, F_PEOFPOSMODE, 0, (off_t) size, 0 };

  return fcntl (fd, F_PREALLOCATE, &store);
#else
  return posix_fallocate (fd, (off_t) offset, (off_t) size);
#endif
}

/* May be called by several writers at once, of different blocks. */
bool
wft_spool_reserve (uint64_t offset, uint64_t size)
{
  WftSession *session = wft_runtime->session;

  if (WFT_ADD (&session->spool_size, size) + size > session->spool_maximum
      || !wft_size_allowed (offset + size)
      || !wft_fd_is (session->spool_fd, session->socket_device, session->socket_inode)
      || reserve (session->spool_fd, offset, size) != 0)
    {
      __atomic_fetch_sub (&session->spool_size, size, __ATOMIC_RELAXED);
      return false;
    }
  return true;
}

static uint64_t
maximum (void)
{
  const char *text = getenv ("WEFT_TARGET_SPOOL_MAX");
  uint64_t value = text != NULL ? strtoull (text, NULL, 10) : 0;

  return value != 0 ? value : DEFAULT_MAXIMUM;
}

static int
open_spool (const WftRuntime *runtime)
{
  char path[640], name[sizeof runtime->name];
  int length;

  memcpy (name, runtime->name, sizeof name);
  for (char *at = name; *at != '\0'; at++)
    if (*at == '/' || *at == ' ' || (unsigned char) *at < 32)
      *at = '_';
  length = snprintf (path, sizeof path, "%s/%s-%d-%016llx.spool", runtime->spool_directory, name,
                     (int) getpid (), (unsigned long long) runtime->runtime_id);
  if (length < 0 || (size_t) length >= sizeof path)
    return -1;
  return wft_fd_high (open (path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
}

bool
wft_spool_start (void)
{
  WftRuntime *runtime = wft_runtime;
  WftSession *session = runtime->session;
  struct stat status;
  int fd = open_spool (runtime);

  if (fd < 0)
    return false;
  session->spool_maximum = maximum ();
  session->spool_size = 0;
  session->spool_fd = fd;
  if (fstat (fd, &status) == 0)
    {
      session->socket_device = status.st_dev;
      session->socket_inode = status.st_ino;
      if (wft_registry_to_file (fd))
        {
          WFT_STORE_RELEASE (&session->spooling, 1);
          if (session->n_segments == 0 && wft_segment_init (&session->segments[0], 0))
            {
              WFT_STORE_RELEASE (&session->n_segments, 1);
              return true;
            }
          WFT_STORE (&session->spooling, 0);
        }
    }
  close (fd);
  session->spool_fd = -1;
  return false;
}
