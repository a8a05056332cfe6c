/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "weft-boot-clock.h"
#include "weft-enums.h"
#include "weft-program.h"

G_BEGIN_DECLS

/*
 * Records into one file: owns the runtime directory, the sources and the store, on a thread of its
 * own, and answers on a control socket. WeftRecorder is its public face.
 */
typedef struct _WeftRecordEngine WeftRecordEngine;

typedef struct
{
  const char *output;            /* the file to make; must not exist */
  const char *runtime_directory; /* NULL: a private one, for a launched program */
  const char *command_line;      /* of the recorded program, for the file; or NULL */
  guint flush_interval_ms;       /* 0: one second */
  gint64 link_tolerance;         /* ns; 0: the linker's own */
  gint64 duration;               /* ns, until it ends with WEFT_ENGINE_DURATION; 0: it does not */
  gint64 keep_duration;          /* ns: only so much of the end is kept; 0: all */
  guint64 keep_size;             /* bytes, likewise */
  gboolean system_context;       /* how busy the machine is */
  guint uid;                     /* whose producers are let in */
  gboolean any_uid;
  WeftSymbolMode symbols;
  const int *skips_symbols;  /* atomic: once it is not 0, no more are read; or NULL */
  WeftBootClock *boot_clock; /* that tells when the machine slept; NULL: its own */
} WeftRecordEngineOptions;

typedef struct
{
  char state[16]; /* "recording", "stopping", "failed" */
  gint64 elapsed; /* ns */
  guint64 dispatches;
  guint64 pending;
  guint64 rejected;
  guint64 lost;
  guint64 sampled_out;
  guint64 refused; /* connections */
  guint lanes;
  guint runtimes; /* attached now */
  guint runtimes_seen;
  guint64 file_size; /* bytes */
  guint64 cpu;       /* ns of the recorder's process since the start */
  guint64 resident;  /* bytes */

  /* Of the CPUs. */
  char sampler[16]; /* "perf-cgroup", "perf", "perf-user", "ptrace", "off" */
  guint64 samples;
  guint64 stacks_complete; /* of them */
  guint64 waits;
  guint64 events_lost;
  char sampler_missing[1024]; /* what is not recorded, and why */
} WeftEngineStatus;

/* Why recording should stop. */
typedef enum
{
  WEFT_ENGINE_STOPPED,  /* asked to through the control socket */
  WEFT_ENGINE_PROGRAM,  /* the program ended, or those that were attached to */
  WEFT_ENGINE_DURATION, /* the time is over */
  WEFT_ENGINE_FAILED,   /* it cannot go on: the disk is full, … */
} WeftEngineEnd;

/* G_IO_ERROR_EXISTS, _NOT_FOUND, _PERMISSION_DENIED, _NO_SPACE for the file, _BUSY for the
 * runtime directory. Producers may connect once this returns.
 */
WeftRecordEngine *weft_record_engine_new (const WeftRecordEngineOptions *options, GError **error);

const char *weft_record_engine_get_runtime_directory (WeftRecordEngine *self);

/* The last published state; any thread. */
void weft_record_engine_get_status (WeftRecordEngine *self, WeftEngineStatus *status);

/* ENDED is called once, PUBLISHED whenever there is a new status; both on the engine's thread, none
 * after weft_record_engine_stop () has returned.
 */
typedef struct
{
  void (*ended) (WeftRecordEngine *self, WeftEngineEnd end, gpointer data);
  void (*published) (WeftRecordEngine *self, gpointer data);
} WeftEngineListener;

void weft_record_engine_set_listener (WeftRecordEngine *self, const WeftEngineListener *listener,
                                      gpointer data);

/* What programs do on the CPUs. */
typedef struct
{
  WeftSampler sampler;
  guint frequency;      /* Hz; 0: the usual */
  guint stack_bytes;    /* likewise */
  WeftProgram *program; /* held; or NULL */
  const int *pids;
  guint n_pids;
  gboolean system;
} WeftEngineCpuOptions;

/* Once. A held program can be let go of when it has returned. FALSE if what was asked for cannot be
 * had; what just happens to be closed to us is in the status.
 */
gboolean weft_record_engine_sample (WeftRecordEngine *self, const WeftEngineCpuOptions *options,
                                    GError **error);

/* Recording ends with PROGRAM, whose exit status goes to the file. Any thread. */
void weft_record_engine_set_program (WeftRecordEngine *self, WeftProgram *program);

/* As a shell would tell it. Any thread. */
void weft_record_engine_set_exit_status (WeftRecordEngine *self, int status);

/* The first thing that went wrong with the file, or NULL. Any thread; owned by the engine. */
const GError *weft_record_engine_get_error (WeftRecordEngine *self);

/* Rows for the file. */
typedef enum
{
  WEFT_ADDITION_WORDS,  /* (ba(sssss)): whether in any case; domain, scope, subject, key, text */
  WEFT_ADDITION_PLUGIN, /* (sss): name, version, path */
  WEFT_ADDITION_DIAGNOSTIC, /* (uss): severity, code, message */
  WEFT_ADDITION_FINDING, /* (sssusss): domain, check, question, verdict, evidence, advice, handles
                          */
} WeftAdditionKind;

/* Any thread; in the order of the calls. A floating ROW is taken. */
void weft_record_engine_add (WeftRecordEngine *self, WeftAdditionKind kind, GVariant *row);

/* Takes what producers have written, and waits until all that is known is in the file. Any thread
 * but the engine's; the engine must not be stopped meanwhile.
 */
gboolean weft_record_engine_flush (WeftRecordEngine *self, GError **error);

/* Likewise, once what is recorded is over: with the samples and waits of its last moments, and the
 * names of functions on the stacks so far, as far as they are known by DEADLINE (CLOCK_MONOTONIC
 * ns).
 */
gboolean weft_record_engine_flush_named (WeftRecordEngine *self, gint64 deadline, GError **error);

/* Makes the file OUT of what came SINCE (ns of the recording) until now, while recording goes on.
 * For recordings of which only the end is kept. As flush: any thread but the engine's.
 */
gboolean weft_record_engine_keep (WeftRecordEngine *self, gint64 since, const char *out,
                                  GError **error);

/* Closes the gate, takes what is there, finishes the file. FALSE if not everything could be
 * written; what could is readable. STATUS, if not NULL, gets the final figures. Frees SELF.
 */
gboolean weft_record_engine_stop (WeftRecordEngine *self, WeftEngineStatus *status, GError **error);

G_END_DECLS
