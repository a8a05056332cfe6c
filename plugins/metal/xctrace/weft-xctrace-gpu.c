/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-xctrace-gpu.h"

#include "weft-xctrace-commands.h"

#define KIND "metal.channel"
#define NO_LABEL "(no label)"
#define USUAL_STATE "Active"

struct _WeftXctraceGpu
{
  guint64 n_rejected;
};

enum
{
  START,
  DURATION,
  CHANNEL,
  FRAME,
  LATENCY,
  LABEL,
  STATE,
  PROCESS,
  GPU,
  SURFACES,
  BYTES,
  COMMAND_BUFFER,
  ENCODER,
};

static const WeftXctraceColumnWish wishes[] = {
  [START] = { "start", "start-time", TRUE },
  [DURATION] = { "duration", NULL, TRUE },
  [CHANNEL] = { "channel-name", "gpu-channel-name", FALSE },
  [FRAME] = { "frame-number", "gpu-frame-number", FALSE },
  [LATENCY] = { "start-latency", NULL, FALSE },
  [LABEL] = { "event-label", NULL, FALSE },
  [STATE] = { "state", "gpu-state", FALSE },
  [PROCESS] = { "process", "process", FALSE },
  [GPU] = { "gpu", "metal-device-name", FALSE },
  [SURFACES] = { "iosurface-accesses", NULL, FALSE },
  [BYTES] = { "bytes", "size-in-bytes", FALSE },
  [COMMAND_BUFFER] = { "cmdbuffer-id", NULL, FALSE },
  [ENCODER] = { "encoder-id", NULL, FALSE },
};

typedef struct
{
  gint64 start;
  gint64 duration;
  gint64 handed; /* over; -1 if that is not told */
  guint64 process;
  guint64 lane;
  guint64 command_buffer; /* or 0 */
  guint64 number;         /* of the encoder, or 0 */
  WeftXctraceEncoder *encoder;
  guint64 submission;
  guint64 id; /* of the dispatch */
} Work;

/* ---- A row ---- */

static gboolean
find_lane (WeftXctraceImport *import, const WeftXctraceElement *const *cells, Work *work,
           GError **error)
{
  g_autofree char *name = weft_xctrace_join_names (weft_xctrace_element_get_shown (cells[GPU]),
                                                   weft_xctrace_element_get_shown (cells[CHANNEL]));

  return weft_xctrace_entities_add_process (import->entities, cells[PROCESS], &work->process,
                                            error) &&
         weft_xctrace_entities_add_lane (import->entities, work->process, KIND,
                                         name != NULL ? name : "GPU", &work->lane, error);
}

/* Latency counts from when the CPU handed the work over. */
static void
read_handed (const WeftXctraceElement *latency, Work *work)
{
  gint64 time;

  work->handed =
      weft_xctrace_read_time (latency, &time) && time <= work->start ? work->start - time : -1;
}

static gboolean
find_command (WeftXctraceImport *import, const WeftXctraceElement *const *cells, Work *work,
              GError **error)
{
  if (!weft_xctrace_read_name (cells[COMMAND_BUFFER], &work->command_buffer))
    return TRUE;
  if (weft_xctrace_read_name (cells[ENCODER], &work->number))
    work->encoder = weft_xctrace_commands_find_encoder (import->commands, work->command_buffer,
                                                        work->number, work->process);
  if (work->encoder != NULL)
    work->encoder->has_work = TRUE;
  return weft_xctrace_commands_submit (import, work->command_buffer, work->process, work->handed,
                                       &work->submission, error);
}

/* Encoders have the name that the program gave them; intervals that of the command buffer before
 * it.
 */
static gboolean
find_routine (WeftXctraceImport *import, const WeftXctraceElement *label, const Work *work,
              guint64 *routine, GError **error)
{
  const char *name = work->encoder != NULL ? work->encoder->label : NULL;

  if (name == NULL)
    name = weft_xctrace_read_label (label);
  return weft_xctrace_entities_add_routine (import->entities, work->process,
                                            name != NULL ? name : NO_LABEL, routine, error);
}

static gboolean
add_dispatch (WeftXctraceImport *import, const WeftXctraceElement *label, Work *work,
              GError **error)
{
  WeftXctraceFields row;
  guint64 routine;

  if (!find_routine (import, label, work, &routine, error))
    return FALSE;
  row = (WeftXctraceFields){ 0 };
  weft_xctrace_row_set_number (&row, "lane", work->lane);
  weft_xctrace_row_set_number (&row, "routine", routine);
  weft_xctrace_row_set_time (&row, "start", work->start);
  weft_xctrace_row_set_number (&row, "duration", (guint64) work->duration);
  weft_xctrace_row_set_number (&row, "producer_id", work->number);
  if (work->submission != 0)
    weft_xctrace_row_set_number (&row, "submission", work->submission);
  if (work->handed >= 0)
    weft_xctrace_row_set_time (&row, "submitted", work->handed);
  import->end = MAX (import->end, work->start + work->duration);
  weft_xctrace_entities_count (import->entities, work->lane);
  return weft_xctrace_row_add (&row, import->builder, "dispatches", &work->id, error);
}

static gboolean
add_number (WeftXctraceImport *import, const Work *work, const char *key,
            const WeftXctraceElement *cell, GError **error)
{
  guint64 number;

  return !weft_xctrace_element_get_number (cell, &number) || number == 0 ||
         weft_xctrace_add_tag (import->builder, WEFT_XCTRACE_DISPATCHES, work->id, key, number,
                               error);
}

static gboolean
add_tags (WeftXctraceImport *import, const WeftXctraceElement *const *cells, const Work *work,
          GError **error)
{
  const char *state = weft_xctrace_element_get_shown (cells[STATE]);
  const char *surfaces = weft_xctrace_element_get_shown (cells[SURFACES]);

  return add_number (import, work, "metal.frame", cells[FRAME], error) &&
         add_number (import, work, "metal.bytes", cells[BYTES], error) &&
         (work->encoder == NULL || work->encoder->duration < 0 ||
          weft_xctrace_add_tag (import->builder, WEFT_XCTRACE_DISPATCHES, work->id,
                                "metal.encode-time", (guint64) work->encoder->duration, error)) &&
         (state == NULL || g_str_equal (state, USUAL_STATE) ||
          weft_xctrace_add_text_tag (import->builder, WEFT_XCTRACE_DISPATCHES, work->id,
                                     "metal.state", state, error)) &&
         (surfaces == NULL ||
          weft_xctrace_add_text_tag (import->builder, WEFT_XCTRACE_DISPATCHES, work->id,
                                     "metal.iosurfaces", surfaces, error));
}

static gboolean
read_row (WeftXctraceImport *import, const WeftXctraceElement *const *cells, GError **error)
{
  Work work = { 0 };

  if (!find_lane (import, cells, &work, error))
    return FALSE;
  if (!weft_xctrace_read_time (cells[START], &work.start) ||
      !weft_xctrace_read_time (cells[DURATION], &work.duration))
    {
      import->gpu->n_rejected++;
      weft_xctrace_entities_reject (import->entities, work.lane, "no-times");
      return TRUE;
    }
  read_handed (cells[LATENCY], &work);
  return find_command (import, cells, &work, error) &&
         add_dispatch (import, cells[LABEL], &work, error) &&
         add_tags (import, cells, &work, error) &&
         (work.encoder == NULL ||
          weft_xctrace_commands_add_origin (import, work.encoder, work.id, 0, error));
}

const WeftXctraceKind weft_xctrace_gpu_kind = { "metal-gpu-intervals", WEFT_XCTRACE_PHASE_WORK,
                                                wishes, G_N_ELEMENTS (wishes), read_row };

/* ---- The end ---- */

void
weft_xctrace_gpu_finish (WeftXctraceImport *import, GPtrArray *losses)
{
  if (import->gpu->n_rejected > 0)
    g_ptr_array_add (losses, g_strdup_printf ("%" G_GUINT64_FORMAT
                                              " intervals of the GPU without a start or duration",
                                              import->gpu->n_rejected));
}

WeftXctraceGpu *
weft_xctrace_gpu_new (void)
{
  return g_new0 (WeftXctraceGpu, 1);
}

void
weft_xctrace_gpu_free (WeftXctraceGpu *self)
{
  g_free (self);
}
