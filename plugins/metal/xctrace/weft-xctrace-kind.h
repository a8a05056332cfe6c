/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <weft.h>

#include "weft-xctrace-entities.h"
#include "weft-xctrace-table.h"

G_BEGIN_DECLS

/* What the readers of tables share. */
typedef struct
{
  WeftRecordingBuilder *builder;
  WeftXctraceEntities *entities;
  struct _WeftXctraceCommands *commands;
  struct _WeftXctraceGpu *gpu;
  struct _WeftXctraceDriver *driver;
  struct _WeftXctraceStates *states;
  struct _WeftXctraceSamples *samples;
  gint64 end; /* of the latest row */
} WeftXctraceImport;

/* What is read first is there when the rest is read: what the CPU did before what the GPU did with
 * it, samples before origins, which are linked to them.
 */
typedef enum
{
  WEFT_XCTRACE_PHASE_COMMANDS,
  WEFT_XCTRACE_PHASE_SAMPLES,
  WEFT_XCTRACE_PHASE_WORK,
  WEFT_XCTRACE_N_PHASES
} WeftXctracePhase;

#define WEFT_XCTRACE_MAX_WISHES 24

/* A table that is understood. */
typedef struct
{
  const char *schema;
  WeftXctracePhase phase;
  const WeftXctraceColumnWish *wishes;
  guint n_wishes;
  /* CELLS are those of the wishes. FALSE, with an error, only if nothing can go on. */
  gboolean (*row) (WeftXctraceImport *import, const WeftXctraceElement *const *cells,
                   GError **error);
} WeftXctraceKind;

/* A time or duration, in nanoseconds; FALSE if it is none, or beyond 2⁶⁰. */
gboolean weft_xctrace_read_time (const WeftXctraceElement *cell, gint64 *time);

/* A number by which Instruments names something; FALSE if there is none, which all bits set mean,
 * too.
 */
gboolean weft_xctrace_read_name (const WeftXctraceElement *cell, guint64 *number);

/* What a label begins with: a label is made of parts, of which the first is given by the program.
 */
const char *weft_xctrace_read_label (const WeftXctraceElement *cell);

/* “M1 Compute”: of either part; NULL if both are missing. */
char *weft_xctrace_join_names (const char *first, const char *second);

G_END_DECLS
