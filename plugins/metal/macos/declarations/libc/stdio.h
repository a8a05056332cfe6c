/* SPDX-License-Identifier: BSD-2-Clause */
/* What is used of the C library, for compiling where its headers are those of another system. */
#pragma once

#include <stddef.h>

typedef struct WeftFile FILE;

FILE *fopen (const char *path, const char *mode);
size_t fread (void *to, size_t size, size_t n, FILE *file);
int ferror (FILE *file);
int fclose (FILE *file);
int snprintf (char *to, size_t size, const char *format, ...)
    __attribute__ ((format (printf, 3, 4)));
int printf (const char *format, ...) __attribute__ ((format (printf, 1, 2)));
int puts (const char *text);
