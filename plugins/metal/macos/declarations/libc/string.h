/* SPDX-License-Identifier: BSD-2-Clause */
/* See stdio.h. */
#pragma once

#include <stddef.h>

void *memset (void *to, int value, size_t size);
void *memcpy (void *to, const void *from, size_t size);
void *memmove (void *to, const void *from, size_t size);
int memcmp (const void *a, const void *b, size_t size);
size_t strlen (const char *text);
size_t strnlen (const char *text, size_t size);
int strncmp (const char *a, const char *b, size_t size);
int strcmp (const char *a, const char *b);
char *strcpy (char *to, const char *from);
char *strchr (const char *text, int character);
char *strrchr (const char *text, int character);
char *strstr (const char *text, const char *part);
