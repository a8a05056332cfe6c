/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-xctrace-kind.h"

G_BEGIN_DECLS

/* Command buffers and their encoders, by the numbers that Instruments gives them: what CPUs did to
 * hand them over, and when they were done. Each command buffer becomes a submission.
 */
typedef struct _WeftXctraceCommands WeftXctraceCommands;

extern const WeftXctraceKind weft_xctrace_encoders_kind;
extern const WeftXctraceKind weft_xctrace_completions_kind;
extern const WeftXctraceKind weft_xctrace_errors_kind;

typedef struct
{
  guint64 command_buffer;
  guint64 number;
  gint64 start;      /* encoding began */
  gint64 duration;   /* of it; -1 if that is not told */
  guint64 thread;    /* that encoded it, or 0 */
  guint64 process;   /* or 0 */
  const char *label; /* or NULL */
  gboolean has_work; /* the GPU worked on it */
} WeftXctraceEncoder;

WeftXctraceCommands *weft_xctrace_commands_new (void);
void weft_xctrace_commands_free (WeftXctraceCommands *self);

/* The encoder of PROCESS, or NULL; one of another process is counted and not found. */
WeftXctraceEncoder *weft_xctrace_commands_find_encoder (WeftXctraceCommands *self,
                                                        guint64 command_buffer, guint64 encoder,
                                                        guint64 process);

/* The submission of a command buffer of PROCESS, of which the GPU took up work that was handed over
 * at HANDED, or at a time that is not told: -1.
 */
gboolean weft_xctrace_commands_submit (WeftXctraceImport *import, guint64 command_buffer,
                                       guint64 process, gint64 handed, guint64 *submission,
                                       GError **error);

/* A row for the thread that encoded what DISPATCH ran, or, if that is 0, for its submission alone.
 */
gboolean weft_xctrace_commands_add_origin (WeftXctraceImport *import,
                                           const WeftXctraceEncoder *encoder, guint64 dispatch,
                                           guint64 submission, GError **error);

/* What no row of the GPU asked for; and adds to LOSSES what could not be carried. */
gboolean weft_xctrace_commands_finish (WeftXctraceImport *import, GPtrArray *losses,
                                       GError **error);

G_END_DECLS
