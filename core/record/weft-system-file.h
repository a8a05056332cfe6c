/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A file of /proc that is read again and again. */
typedef struct
{
  int fd; /* -1: it cannot be read */
} WeftSystemFile;

void weft_system_file_open (WeftSystemFile *self, const char *path);
void weft_system_file_clear (WeftSystemFile *self);

/* Its beginning, with a zero behind it. FALSE if there is nothing to read any more. */
gboolean weft_system_file_read (WeftSystemFile *self, char *buffer, gsize size);

/* The number that follows LABEL, which stands at the beginning of a line or behind a blank. */
gboolean weft_system_file_find (const char *text, const char *label, guint64 *number);

/* Up to MAX numbers from TEXT on, with blanks between them; returns how many there are. */
guint weft_system_file_numbers (const char *text, guint64 *numbers, guint max);

G_END_DECLS
