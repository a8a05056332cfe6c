/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib-object.h>

#include "weft-version.h"

G_BEGIN_DECLS

/**
 * WeftRecorderState:
 * @WEFT_RECORDER_NEW: not started yet
 * @WEFT_RECORDER_RECORDING: recording; it goes on until it is stopped
 * @WEFT_RECORDER_STOPPING: taking what is still there and finishing the file
 * @WEFT_RECORDER_FINISHED: the file is finished
 * @WEFT_RECORDER_FAILED: not everything could be written; what could is readable
 *
 * What a recorder is doing.
 *
 * Since: 0.1
 */
typedef enum
{
  WEFT_RECORDER_NEW,
  WEFT_RECORDER_RECORDING,
  WEFT_RECORDER_STOPPING,
  WEFT_RECORDER_FINISHED,
  WEFT_RECORDER_FAILED,
} WeftRecorderState;

#define WEFT_TYPE_RECORDER_STATUS (weft_recorder_status_get_type ())
WEFT_API
G_DECLARE_FINAL_TYPE (WeftRecorderStatus, weft_recorder_status, WEFT, RECORDER_STATUS, GObject)

WEFT_API WeftRecorderState weft_recorder_status_get_state (WeftRecorderStatus *self);
WEFT_API gint64 weft_recorder_status_get_elapsed (WeftRecorderStatus *self);
WEFT_API guint64 weft_recorder_status_get_dispatches (WeftRecorderStatus *self);
WEFT_API guint64 weft_recorder_status_get_pending (WeftRecorderStatus *self);
WEFT_API guint64 weft_recorder_status_get_rejected (WeftRecorderStatus *self);
WEFT_API guint64 weft_recorder_status_get_lost (WeftRecorderStatus *self);
WEFT_API guint64 weft_recorder_status_get_sampled_out (WeftRecorderStatus *self);
WEFT_API guint64 weft_recorder_status_get_refused (WeftRecorderStatus *self);
WEFT_API guint weft_recorder_status_get_lanes (WeftRecorderStatus *self);
WEFT_API guint weft_recorder_status_get_runtimes (WeftRecorderStatus *self);
WEFT_API guint weft_recorder_status_get_runtimes_seen (WeftRecorderStatus *self);
WEFT_API guint64 weft_recorder_status_get_file_size (WeftRecorderStatus *self);
WEFT_API guint64 weft_recorder_status_get_cpu (WeftRecorderStatus *self);
WEFT_API guint64 weft_recorder_status_get_resident (WeftRecorderStatus *self);
WEFT_API guint64 weft_recorder_status_get_matches (WeftRecorderStatus *self);
WEFT_API guint weft_recorder_status_get_kept (WeftRecorderStatus *self);
WEFT_API guint64 weft_recorder_status_get_samples (WeftRecorderStatus *self);
WEFT_API guint64 weft_recorder_status_get_stacks_complete (WeftRecorderStatus *self);
WEFT_API guint64 weft_recorder_status_get_waits (WeftRecorderStatus *self);
WEFT_API guint64 weft_recorder_status_get_events_lost (WeftRecorderStatus *self);
WEFT_API const char *weft_recorder_status_get_sampler (WeftRecorderStatus *self);
WEFT_API const char *weft_recorder_status_get_sampler_missing (WeftRecorderStatus *self);

G_END_DECLS
