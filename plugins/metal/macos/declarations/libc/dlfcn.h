/* SPDX-License-Identifier: BSD-2-Clause */
/* See stdio.h. */
#pragma once

#define RTLD_LAZY 1
#define RTLD_NOW 2
#define RTLD_NOLOAD 0x10
#define RTLD_NODELETE 0x80
#define RTLD_DEFAULT ((void *) -2)

typedef struct
{
  const char *dli_fname;
  void *dli_fbase;
  const char *dli_sname;
  void *dli_saddr;
} Dl_info;

void *dlopen (const char *path, int mode);
int dlclose (void *handle);
void *dlsym (void *handle, const char *name);
int dladdr (const void *address, Dl_info *info);
