/* SPDX-License-Identifier: BSD-2-Clause */
/* See stdio.h. */
#pragma once

#include <sys/types.h>

#define _SC_PAGESIZE 29

ssize_t read (int fd, void *to, size_t n);
ssize_t write (int fd, const void *from, size_t n);
ssize_t pwrite (int fd, const void *from, size_t n, off_t at);
int close (int fd);
int unlink (const char *path);
int ftruncate (int fd, off_t size);
int issetugid (void);
pid_t getpid (void);
uid_t getuid (void);
uid_t geteuid (void);
gid_t getgid (void);
gid_t getegid (void);
long sysconf (int name);
