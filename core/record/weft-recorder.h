/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/*
 * Records into one file: owns the runtime directory, the sources and the store, on a thread of its
 * own, and answers on a control socket.
 */
typedef struct _WeftRecorder WeftRecorder;

typedef struct
{
  const char *output;          /* the file to make; must not exist */
  const char *runtime_directory; /* NULL: a private one, for a launched program */
  const char *command_line;    /* of the recorded program, for the file; or NULL */
  guint flush_interval_ms;     /* 0: one second */
  guint uid;                   /* whose producers are let in */
  gboolean any_uid;
} WeftRecorderOptions;

typedef struct
{
  char state[16];      /* "recording", "stopping", "failed" */
  gint64 elapsed;      /* ns */
  guint64 dispatches;
  guint64 pending;
  guint64 rejected;
  guint64 lost;
  guint64 sampled_out;
  guint64 refused;     /* connections */
  guint lanes;
  guint runtimes;      /* attached now */
  guint runtimes_seen;
  guint64 file_size;   /* bytes */
  guint64 cpu;         /* ns of the recorder's process since the start */
  guint64 resident;    /* bytes */
} WeftRecorderStatus;

/* G_IO_ERROR_EXISTS, _NOT_FOUND, _PERMISSION_DENIED, _NO_SPACE for the file, _BUSY for the
 * runtime directory. Producers may connect once this returns.
 */
WeftRecorder *weft_recorder_new (const WeftRecorderOptions *options, GError **error);

const char *weft_recorder_get_runtime_directory (WeftRecorder *self);

/* The last published state; any thread. */
void weft_recorder_get_status (WeftRecorder *self, WeftRecorderStatus *status);

/* Called once on the recorder's thread when recording cannot go on (full disk) or was asked to
 * stop through the control socket.
 */
typedef void (*WeftRecorderEnded) (WeftRecorder *self, gpointer data);
void weft_recorder_set_ended (WeftRecorder *self, WeftRecorderEnded ended, gpointer data);

/* Tells the exit status of the launched program to the file. Any thread. */
void weft_recorder_set_exit_status (WeftRecorder *self, int status);

/* Closes the gate, takes what is there, finishes the file. FALSE if not everything could be
 * written; what could is readable. STATUS, if not NULL, gets the final figures. Frees SELF.
 */
gboolean weft_recorder_stop (WeftRecorder *self, WeftRecorderStatus *status, GError **error);

G_END_DECLS
