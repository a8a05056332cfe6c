/* SPDX-License-Identifier: BSD-2-Clause */
/* See stdio.h. */
#pragma once

#include <stddef.h>

void *malloc (size_t size);
void *calloc (size_t n, size_t size);
void *realloc (void *old, size_t size);
void free (void *memory);
unsigned long strtoul (const char *text, char **end, int base);
unsigned long long strtoull (const char *text, char **end, int base);
char *getenv (const char *name);
