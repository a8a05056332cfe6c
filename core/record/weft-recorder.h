/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "weft-enums.h"
#include "weft-finding.h"
#include "weft-recorder-status.h"
#include "weft-version.h"

G_BEGIN_DECLS

/**
 * WeftRecorderEnd:
 * @WEFT_RECORDER_END_NONE: it goes on
 * @WEFT_RECORDER_END_STOPPED: [method@Recorder.stop] was called
 * @WEFT_RECORDER_END_REQUESTED: another process asked for it, as `weft stop` does
 * @WEFT_RECORDER_END_PROGRAM: the program ended
 * @WEFT_RECORDER_END_DURATION: [property@Recorder:duration] is over
 * @WEFT_RECORDER_END_FAILED: it cannot go on; [method@Recorder.get_error] says why
 *
 * Why a recording should be stopped, or was.
 *
 * Since: 0.1
 */
typedef enum
{
  WEFT_RECORDER_END_NONE,
  WEFT_RECORDER_END_STOPPED,
  WEFT_RECORDER_END_REQUESTED,
  WEFT_RECORDER_END_PROGRAM,
  WEFT_RECORDER_END_DURATION,
  WEFT_RECORDER_END_FAILED,
} WeftRecorderEnd;

/**
 * WEFT_RECORDER_MAX_FREQUENCY:
 *
 * How often threads can be sampled at most, Hertz.
 *
 * Since: 0.1
 */
#define WEFT_RECORDER_MAX_FREQUENCY 20000

/**
 * WEFT_RECORDER_MIN_STACK:
 *
 * How much of a stack is copied at least, bytes.
 *
 * Since: 0.1
 */
#define WEFT_RECORDER_MIN_STACK 1024

/**
 * WEFT_RECORDER_MAX_STACK:
 *
 * How much of a stack can be copied at most, bytes.
 *
 * Since: 0.1
 */
#define WEFT_RECORDER_MAX_STACK 61440

#define WEFT_TYPE_RECORDER (weft_recorder_get_type ())
WEFT_API
G_DECLARE_FINAL_TYPE (WeftRecorder, weft_recorder, WEFT, RECORDER, GObject)

WEFT_API WeftRecorder *weft_recorder_new (void);

/* Before the start. */
WEFT_API void weft_recorder_set_output (WeftRecorder *self, const char *output);
WEFT_API void weft_recorder_set_argv (WeftRecorder *self, const char *const *argv);
WEFT_API void weft_recorder_set_environment (WeftRecorder *self, const char *const *environment);
WEFT_API void weft_recorder_set_working_directory (WeftRecorder *self, const char *directory);
WEFT_API void weft_recorder_set_command_line (WeftRecorder *self, const char *command_line);
WEFT_API void weft_recorder_set_duration (WeftRecorder *self, gint64 duration);
WEFT_API void weft_recorder_set_link_tolerance (WeftRecorder *self, gint64 tolerance);
WEFT_API void weft_recorder_set_any_user (WeftRecorder *self, gboolean any_user);
WEFT_API void weft_recorder_set_symbols (WeftRecorder *self, WeftSymbolMode symbols);
WEFT_API void weft_recorder_set_private (WeftRecorder *self, gboolean is_private);
WEFT_API void weft_recorder_set_flush_interval (WeftRecorder *self, guint interval);
WEFT_API void weft_recorder_set_status_interval (WeftRecorder *self, guint interval);
WEFT_API void weft_recorder_set_system_context (WeftRecorder *self, gboolean system_context);
WEFT_API void weft_recorder_set_keep_duration (WeftRecorder *self, gint64 duration);
WEFT_API void weft_recorder_set_keep_size (WeftRecorder *self, guint64 size);
WEFT_API gboolean weft_recorder_set_keep_filter (WeftRecorder *self, const char *filter,
                                                 GError **error);
WEFT_API void weft_recorder_set_keep_after (WeftRecorder *self, gint64 duration);

WEFT_API void weft_recorder_set_sampler (WeftRecorder *self, WeftSampler sampler);
WEFT_API void weft_recorder_set_sample_frequency (WeftRecorder *self, guint frequency);
WEFT_API void weft_recorder_set_stack_size (WeftRecorder *self, guint size);
WEFT_API void weft_recorder_set_whole_system (WeftRecorder *self, gboolean whole_system);
WEFT_API void weft_recorder_set_pids (WeftRecorder *self, const int *pids, gsize n_pids);

WEFT_API const char *weft_recorder_get_output (WeftRecorder *self);
WEFT_API const char *const *weft_recorder_get_argv (WeftRecorder *self);
WEFT_API const char *const *weft_recorder_get_environment (WeftRecorder *self);
WEFT_API const char *weft_recorder_get_working_directory (WeftRecorder *self);
WEFT_API const char *weft_recorder_get_command_line (WeftRecorder *self);
WEFT_API gint64 weft_recorder_get_duration (WeftRecorder *self);
WEFT_API gint64 weft_recorder_get_link_tolerance (WeftRecorder *self);
WEFT_API gboolean weft_recorder_get_any_user (WeftRecorder *self);
WEFT_API WeftSymbolMode weft_recorder_get_symbols (WeftRecorder *self);
WEFT_API gboolean weft_recorder_get_private (WeftRecorder *self);
WEFT_API guint weft_recorder_get_flush_interval (WeftRecorder *self);
WEFT_API guint weft_recorder_get_status_interval (WeftRecorder *self);
WEFT_API gboolean weft_recorder_get_system_context (WeftRecorder *self);
WEFT_API gint64 weft_recorder_get_keep_duration (WeftRecorder *self);
WEFT_API guint64 weft_recorder_get_keep_size (WeftRecorder *self);
WEFT_API char *weft_recorder_get_keep_filter (WeftRecorder *self);
WEFT_API gint64 weft_recorder_get_keep_after (WeftRecorder *self);
WEFT_API WeftSampler weft_recorder_get_sampler (WeftRecorder *self);
WEFT_API guint weft_recorder_get_sample_frequency (WeftRecorder *self);
WEFT_API guint weft_recorder_get_stack_size (WeftRecorder *self);
WEFT_API gboolean weft_recorder_get_whole_system (WeftRecorder *self);
WEFT_API const int *weft_recorder_get_pids (WeftRecorder *self, gsize *n_pids);

/* The run. */
WEFT_API gboolean weft_recorder_start (WeftRecorder *self, GCancellable *cancellable,
                                       GError **error);
WEFT_API void weft_recorder_start_async (WeftRecorder *self, GCancellable *cancellable,
                                         GAsyncReadyCallback callback, gpointer user_data);
WEFT_API gboolean weft_recorder_start_finish (WeftRecorder *self, GAsyncResult *result,
                                              GError **error);

WEFT_API gboolean weft_recorder_wait (WeftRecorder *self, GCancellable *cancellable,
                                      GError **error);
WEFT_API void weft_recorder_wait_async (WeftRecorder *self, GCancellable *cancellable,
                                        GAsyncReadyCallback callback, gpointer user_data);
WEFT_API gboolean weft_recorder_wait_finish (WeftRecorder *self, GAsyncResult *result,
                                             GError **error);

WEFT_API WeftRecorderStatus *weft_recorder_stop (WeftRecorder *self, GCancellable *cancellable,
                                                 GError **error);
WEFT_API void weft_recorder_stop_async (WeftRecorder *self, GCancellable *cancellable,
                                        GAsyncReadyCallback callback, gpointer user_data);
WEFT_API WeftRecorderStatus *weft_recorder_stop_finish (WeftRecorder *self, GAsyncResult *result,
                                                        GError **error);

WEFT_API gboolean weft_recorder_flush (WeftRecorder *self, GCancellable *cancellable,
                                       GError **error);
WEFT_API void weft_recorder_flush_async (WeftRecorder *self, GCancellable *cancellable,
                                         GAsyncReadyCallback callback, gpointer user_data);
WEFT_API gboolean weft_recorder_flush_finish (WeftRecorder *self, GAsyncResult *result,
                                              GError **error);

WEFT_API gboolean weft_recorder_keep (WeftRecorder *self, const char *path,
                                      GCancellable *cancellable, GError **error);
WEFT_API void weft_recorder_keep_async (WeftRecorder *self, const char *path,
                                        GCancellable *cancellable, GAsyncReadyCallback callback,
                                        gpointer user_data);
WEFT_API gboolean weft_recorder_keep_finish (WeftRecorder *self, GAsyncResult *result,
                                             GError **error);

WEFT_API void weft_recorder_skip_symbols (WeftRecorder *self);

WEFT_API void weft_recorder_send_signal (WeftRecorder *self, int signal_number);
WEFT_API void weft_recorder_set_exit_status (WeftRecorder *self, int status);

WEFT_API WeftRecorderState weft_recorder_get_state (WeftRecorder *self);
WEFT_API WeftRecorderEnd weft_recorder_get_end (WeftRecorder *self);
WEFT_API GError *weft_recorder_get_error (WeftRecorder *self);
WEFT_API WeftRecorderStatus *weft_recorder_get_status (WeftRecorder *self);
WEFT_API const char *weft_recorder_get_runtime_directory (WeftRecorder *self);
WEFT_API int weft_recorder_get_pid (WeftRecorder *self);
WEFT_API gboolean weft_recorder_is_program_running (WeftRecorder *self);
WEFT_API int weft_recorder_get_exit_status (WeftRecorder *self);

/* What else the file should hold; before the start or until the stop. */
WEFT_API gboolean weft_recorder_add_words (WeftRecorder *self, GVariant *words, gboolean always,
                                           GError **error);
WEFT_API gboolean weft_recorder_add_plugin (WeftRecorder *self, const char *name,
                                            const char *version, const char *path, GError **error);
WEFT_API gboolean weft_recorder_add_diagnostic (WeftRecorder *self, WeftSeverity severity,
                                                const char *code, const char *message,
                                                GError **error);
WEFT_API gboolean weft_recorder_add_finding (WeftRecorder *self, const char *domain,
                                             WeftFinding *finding, GError **error);

G_END_DECLS
