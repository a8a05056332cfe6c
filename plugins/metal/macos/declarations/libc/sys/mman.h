/* SPDX-License-Identifier: BSD-2-Clause */
/* See stdio.h. */
#pragma once

#include <sys/types.h>

#define PROT_NONE 0
#define PROT_READ 1
#define PROT_WRITE 2
#define MAP_SHARED 0x0001
#define MAP_PRIVATE 0x0002
#define MAP_FIXED 0x0010
#define MAP_NORESERVE 0x0040
#define MAP_ANON 0x1000
#define MAP_ANONYMOUS MAP_ANON
#define MAP_FAILED ((void *) -1)

void *mmap (void *at, size_t size, int protection, int flags, int fd, off_t offset);
int munmap (void *at, size_t size);
int mprotect (void *at, size_t size, int protection);
int madvise (void *at, size_t size, int advice);
int minherit (void *at, size_t size, int inherit);

#define VM_INHERIT_NONE 2
#define MADV_WILLNEED 3
#define MADV_DONTNEED 4
#define MADV_FREE 5
