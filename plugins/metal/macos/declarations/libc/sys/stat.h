/* SPDX-License-Identifier: BSD-2-Clause */
/* See stdio.h. */
#pragma once

#include <sys/types.h>
#include <time.h>

struct stat
{
  dev_t st_dev;
  mode_t st_mode;
  uint16_t st_nlink;
  ino_t st_ino;
  uid_t st_uid;
  gid_t st_gid;
  off_t st_size;
};

#define S_IFMT 0170000
#define S_IFDIR 0040000
#define S_IFREG 0100000
#define S_ISDIR(mode) (((mode) & S_IFMT) == S_IFDIR)
#define S_ISREG(mode) (((mode) & S_IFMT) == S_IFREG)
#define S_IWGRP 0000020
#define S_IWOTH 0000002

int stat (const char *path, struct stat *status);
int lstat (const char *path, struct stat *status);
int fstat (int fd, struct stat *status);
int mkdir (const char *path, mode_t mode);
