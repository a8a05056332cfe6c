/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <weft.h>

#include "weft-xctrace-entities.h"

G_BEGIN_DECLS

/* What the table of contents says of a run: what was recorded, when, by what. */
typedef struct
{
  char *recorder;     /* program and template, or NULL */
  char *system;       /* operating system and model, or NULL */
  char *command_line; /* of the process that was launched or attached to, or NULL */
  guint64 pid;
  gboolean has_pid;
  gint64 start;    /* ns since 1970; 0 if that is not told */
  gint64 duration; /* ns; 0 if that is not told */
} WeftXctraceContents;

WeftXctraceContents *weft_xctrace_contents_new (const WeftXctraceElement *info);
void weft_xctrace_contents_free (WeftXctraceContents *self);

/* Tells the recording. */
gboolean weft_xctrace_contents_write (const WeftXctraceContents *self,
                                      WeftRecordingBuilder *builder, WeftXctraceEntities *entities,
                                      GError **error);

G_END_DECLS
