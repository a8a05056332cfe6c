/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * weft-metal: report what the queues of a Metal device run, over weft-target.h.
 *
 * Plain C11 and C++17. The device is behind a table of functions (WeftMetalFunctions): on macOS
 * weft-metal-classic.m or weft-metal-4.m fill it, a test fills it with a simulated device. Exactly
 * one file of a program defines WEFT_METAL_IMPLEMENTATION before it includes this header.
 *
 *   WeftMetalDevice *device = weft_metal_device_new (&functions, sizeof functions);
 *   WeftMetalQueue *queue = weft_metal_queue_new (device, "GPU", NULL, 0);
 *
 *   WeftMetalSubmission *submission = weft_metal_submission_begin (queue);
 *   WeftMetalDispatch dispatch = weft_metal_dispatch_begin (submission, encoder, &info);
 *   … encode the one dispatch …
 *   weft_metal_dispatch_end (&dispatch, encoder);
 *   weft_metal_commit (submission);
 *   … in the completion handler, on any thread: …
 *   weft_metal_completed (submission, &feedback, sizeof feedback);
 *
 * While nobody records, weft_metal_submission_begin () is a few loads and a branch and returns
 * NULL, and all that is given a NULL submission returns at once.
 *
 * Timestamps. Each dispatch takes a pair of entries in one of two heaps. When a heap is full the
 * other one is taken, if nothing in it is outstanding: entries that the GPU may still write are
 * never reused. A dispatch that gets no pair, or whose entries were not written, hold an error
 * value, are reversed, or lie outside the time in which its submission can have run, stays without
 * times: it was submitted and remains pending in the recording, and the reason is counted
 * (weft_metal_queue_get_stats (), metric metal.unresolved). No duration is ever made up.
 *
 * Clocks. The device's clock is read again and again between two readings of the CPU's, the
 * tightest of a few pairs is told (weft_target_clock_calibrate ()), and the recorder converts
 * between pairs. Drift and bound are gauges of the lane.
 *
 * Threads. All functions may be called from any thread; of one submission, encoding, committing and
 * completing come one after the other.
 */
#ifndef WEFT_METAL_H
#define WEFT_METAL_H

#include "weft-target.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WEFT_METAL_MAX_SETS 4u       /* counter sets sampled at a time */
#define WEFT_METAL_MAX_COUNTERS 32u  /* of one set */
#define WEFT_METAL_MAX_ARGUMENTS 32u /* of one dispatch; more are left out and counted */

#define WEFT_METAL_NOT_WRITTEN UINT64_C (0)   /* what an invalidated heap entry resolves to */
#define WEFT_METAL_ERROR_VALUE UINT64_MAX     /* MTLCounterErrorValue */

/* ---- The device, as a table ---- */

/* Where timestamps come from. GPU captures are a third surface, and no timing. */
typedef enum
{
  WEFT_METAL_TIMESTAMP_HEAP,        /* Metal 4: MTL4CounterHeap */
  WEFT_METAL_COUNTER_SAMPLE_BUFFER, /* classic: MTLCounterSampleBuffer of the set "timestamp" */
} WeftMetalSurface;

typedef enum
{
  WEFT_METAL_PRECISE, /* each timestamp at its very place; may split encoders */
  WEFT_METAL_RELAXED, /* cheaper; may be those of the encoder's ends */
} WeftMetalGranularity;

/* DATA is given to each function first. Functions marked (optional) may be NULL. They are called on
 * the thread that reports, never with a lock held that another function needs.
 */
typedef struct
{
  WeftMetalSurface surface;
  const char *name; /* of the device */
  double frequency; /* of the timestamps, ticks a second; 0 if unknown */
  void *data;

  /* N entries for timestamps; NULL if there are none to be had. */
  void *(*heap_new) (void *data, uint32_t n_entries);
  void (*heap_free) (void *data, void *heap);
  /* (optional) From now on the entries resolve to WEFT_METAL_NOT_WRITTEN. */
  void (*heap_invalidate) (void *data, void *heap, uint32_t first, uint32_t n);
  /* (optional) Encodes a timestamp; without it, or for a dispatch begun with a NULL encoder, the
   * program names the entries itself (a pass descriptor's sample indices).
   */
  void (*timestamp_write) (void *data, void *encoder, void *heap, uint32_t index,
                           WeftMetalGranularity granularity);
  /* The entries, after the GPU is done with them. How many were resolved. */
  uint32_t (*heap_resolve) (void *data, void *heap, uint32_t first, uint32_t n, uint64_t *ticks);
  /* The clock of the timestamps, now. False if it cannot be read. */
  bool (*clock_read) (void *data, uint64_t *ticks);

  /* (optional) Counter sample buffers of the set of that name. */
  void *(*samples_new) (void *data, const char *counter_set, uint32_t n_samples);
  void (*samples_free) (void *data, void *buffer);
  void (*samples_write) (void *data, void *encoder, void *buffer, uint32_t index);
  /* N_COUNTERS values for each of N samples, in the order of the set. How many samples. */
  uint32_t (*samples_resolve) (void *data, void *buffer, uint32_t first, uint32_t n,
                               uint32_t n_counters, uint64_t *values);

  /* (optional) A GPU capture of OBJECT (a queue, a scope) into a .gputrace document. False with a
   * REASON if it does not start.
   */
  bool (*capture_start) (void *data, void *object, const char *path, char *reason,
                         size_t reason_size);
  void (*capture_stop) (void *data);
} WeftMetalFunctions;

typedef struct _WeftMetalDevice WeftMetalDevice;
typedef struct _WeftMetalQueue WeftMetalQueue;
typedef struct _WeftMetalSubmission WeftMetalSubmission;
typedef struct _WeftMetalLibrary WeftMetalLibrary;
typedef struct _WeftMetalCounterSet WeftMetalCounterSet;

/* FUNCTIONS is copied; its name and data must live as long as the device. Devices, libraries and
 * counter sets live as long as the process, like all that is registered. NULL without memory.
 */
WeftMetalDevice *weft_metal_device_new (const WeftMetalFunctions *functions, size_t size);

/* Tells a pair of the clocks now, however young the last one is. False if the clock cannot be read
 * or went backwards, which is counted.
 */
bool weft_metal_calibrate (WeftMetalDevice *device);

typedef struct
{
  uint64_t calibrations; /* pairs told */
  uint64_t refused;      /* readings that failed, or went backwards */
  uint64_t error;        /* ns: half the time between the two readings of the last pair */
  double drift;          /* the measured frequency beside the stated one, as a share: 1e-6 is a
                            millionth fast; 0 if either is unknown */
  double frequency;      /* measured, ticks a second; 0 before the second pair */
} WeftMetalClockState;

void weft_metal_device_get_clock (WeftMetalDevice *device, WeftMetalClockState *state, size_t size);

/* ---- Libraries, sources, shaders ---- */

typedef struct
{
  const char *path;     /* of the .metallib; read for its hash if DATA is NULL; or NULL */
  const void *data;     /* its bytes, or NULL */
  size_t size;
  const char *flavour;  /* "fast", "deterministic", …; or NULL */
  const char *manifest; /* path of the source manifest beside it, or NULL; see docs/metal.md */
} WeftMetalLibraryInfo;

/* REASON (if not NULL) says what was wrong with the file or the manifest, "" if nothing was; what
 * was right is kept. NULL without memory only.
 */
WeftMetalLibrary *weft_metal_library_new (const WeftMetalLibraryInfo *info, size_t size,
                                          char *reason, size_t reason_size);

/* SHA-256 of the .metallib in hexadecimal, "" if neither bytes nor file could be read. */
const char *weft_metal_library_get_hash (const WeftMetalLibrary *library);

/* What pipeline creation tells, once for each pipeline; 0 is left out. */
typedef struct
{
  const char *function; /* its name in the library */
  const char *label;    /* for people, or NULL */
  const char *stage;    /* "kernel", "vertex", "fragment", …; or NULL */
  const char *pipeline; /* what tells this pipeline of the function from others: its label,
                           specialisation constants, …; or NULL */
  uint32_t max_threads_per_threadgroup;
  uint32_t execution_width;
  uint32_t threadgroup_memory; /* bytes */
} WeftMetalShaderInfo;

/* The routine of a pipeline: one for each library flavour, function and pipeline. LIBRARY may be
 * NULL. Its source is the manifest's. Never NULL.
 */
WeftTargetRoutine *weft_metal_shader_new (WeftMetalLibrary *library,
                                          const WeftMetalShaderInfo *info, size_t size);

/* ---- Arguments ---- */

/* What the argument table of an encoder holds: a value that the program keeps beside its own table.
 * All strings must live until the dispatch was begun. All zero: empty.
 */
typedef struct
{
  WeftTargetAttachment bound[WEFT_METAL_MAX_ARGUMENTS];
  uint32_t n;
  uint32_t omitted; /* that found no room */
} WeftMetalArguments;

/* Sets the attachment of ATTACHMENT->slot and ->kind, replacing the one before; an attachment
 * without a kind empties the slot of buffers.
 */
void weft_metal_arguments_set (WeftMetalArguments *arguments,
                               const WeftTargetAttachment *attachment);
void weft_metal_arguments_clear (WeftMetalArguments *arguments);

/* Metal 4's tables hold addresses: tell which resource lies where, and what is bound becomes known
 * by its address. Strings of DESCRIPTION are kept, each once and at most 65,536 of them, for as long
 * as the process lives; its ranges are not kept. False without memory.
 */
bool weft_metal_resource_add (WeftMetalDevice *device, uint64_t address, uint64_t length,
                              const WeftTargetAttachment *description);
void weft_metal_resource_remove (WeftMetalDevice *device, uint64_t address);

/* setAddress:atIndex: — what lies at ADDRESS, with the offset from its start. An address of no
 * resource is bound as a buffer of unknown size. ROLE and RANGES may be NULL.
 */
void weft_metal_arguments_set_address (WeftMetalArguments *arguments, WeftMetalDevice *device,
                                       int32_t slot, uint64_t address, WeftTargetAccess access,
                                       const char *role, const WeftTargetRange *ranges,
                                       size_t n_ranges);

/* ---- Queues ---- */

typedef struct
{
  uint32_t n_pairs;       /* of each of the two heaps; 0 is 1024 */
  uint32_t n_submissions; /* under way at a time; 0 is 256 */
  WeftMetalGranularity granularity;
  bool deferred; /* resolve in weft_metal_resolve () only, or when a heap is needed; else as soon as
                    a submission completed */
  bool no_stacks; /* origins without copied stacks */
  uint32_t calibration_interval; /* ms between pairs; 0 is 100 */
} WeftMetalQueueConfiguration;

/* A lane of kind metal.queue. CONFIGURATION may be NULL. NULL without memory; without heaps the
 * lane is there, and its dispatches have no times.
 */
WeftMetalQueue *weft_metal_queue_new (WeftMetalDevice *device, const char *name,
                                      const WeftMetalQueueConfiguration *configuration,
                                      size_t size);

/* Resolves what completed, and closes the lane. Heaps of what is still under way are freed when
 * that has completed.
 */
void weft_metal_queue_free (WeftMetalQueue *queue);

WeftTargetLane *weft_metal_queue_get_lane (WeftMetalQueue *queue);

/* Why a dispatch has no times. */
typedef enum
{
  WEFT_METAL_NO_SLOT,            /* both heaps hold entries that the GPU may still write */
  WEFT_METAL_NO_HEAP,            /* the device gave none */
  WEFT_METAL_ABANDONED,          /* encoded and never committed */
  WEFT_METAL_FAULT,              /* not written, and its submission failed */
  WEFT_METAL_UNWRITTEN,          /* not written or not resolved, for no reason told */
  WEFT_METAL_ERROR,              /* resolved to the error value */
  WEFT_METAL_REVERSED,           /* the end lies before the start */
  WEFT_METAL_OUTSIDE_SUBMISSION, /* when, by the calibration, its submission did not run */
  WEFT_METAL_N_REASONS,
} WeftMetalReason;

/* "no-slot", "no-heap", "abandoned", "fault", "not-written", "error-value", "reversed",
 * "outside-submission".
 */
const char *weft_metal_reason_get_name (WeftMetalReason reason);

/* Dispatches = resolved + unresolved of all reasons + those under way. */
typedef struct
{
  uint64_t submissions;
  uint64_t refused; /* command buffers not told of: more under way than configured */
  uint64_t dispatches;
  uint64_t resolved;
  uint64_t unresolved[WEFT_METAL_N_REASONS];
  uint64_t under_way;
  uint64_t turns; /* times that a heap was taken anew */
} WeftMetalQueueStats;

void weft_metal_queue_get_stats (WeftMetalQueue *queue, WeftMetalQueueStats *stats, size_t size);

/* Reports all that completed and was not resolved yet. Any thread, any time. */
void weft_metal_resolve (WeftMetalQueue *queue);

/* ---- Counters: a mode of its own ---- */

typedef struct
{
  const char *name;            /* as Metal calls the set: "statistic", "stageutilization", … */
  const char *const *counters; /* as Metal calls them, in the order of the resolved values */
  size_t n_counters;
  WeftTargetCounterState state; /* what the probe found; see weft-metal-probe */
} WeftMetalCounterSetInfo;

/* Units follow from Metal's names. NULL without memory. */
WeftMetalCounterSet *weft_metal_counter_set_new (const WeftMetalCounterSetInfo *info, size_t size);

/* The unit of a counter of Metal's: cycles, invocations, ticks, count. */
WeftTargetUnit weft_metal_counter_get_unit (const char *counter);

/* From now on each dispatch of QUEUE is sampled before and after; what is reported is the
 * difference, or an error value where either sample is one. Sampling changes what it measures: its
 * cost on the CPU is measured and stated in the set. False, with the reason in the set's state, if
 * the device gives no sample buffers, or the queue has WEFT_METAL_MAX_SETS sets. To be called while
 * nothing is being encoded.
 */
bool weft_metal_queue_sample (WeftMetalQueue *queue, WeftMetalCounterSet *set);

/* ---- Submissions and dispatches ---- */

typedef struct
{
  WeftTargetRoutine *shader;
  const char *label;                   /* where it is not the shader's, or NULL */
  const WeftMetalArguments *arguments; /* or NULL */
  const WeftTargetTrace *trace;        /* or NULL */
  const WeftTargetTag *tags;
  size_t n_tags;
} WeftMetalDispatchInfo;

/* All zero: nothing is recorded. */
typedef struct
{
  WeftMetalSubmission *submission;
  uint64_t id;
  void *heap;     /* where its timestamps go; NULL: it gets none */
  uint32_t first; /* entry of the start; the end's is the one after it */
  uint32_t pair;  /* the library's */
  void *samples[WEFT_METAL_MAX_SETS]; /* sample buffers, at the same entries; NULL: not sampled */
} WeftMetalDispatch;

WeftMetalSubmission *weft_metal_submission_open (WeftMetalQueue *queue);
WeftMetalDispatch weft_metal_dispatch_open (WeftMetalSubmission *submission, void *encoder,
                                            const WeftMetalDispatchInfo *info, size_t size);
void weft_metal_dispatch_close (const WeftMetalDispatch *dispatch, void *encoder);

/* A command buffer. NULL while nobody records. */
static inline WeftMetalSubmission *
weft_metal_submission_begin (WeftMetalQueue *queue)
{
  return weft_target_enabled () ? weft_metal_submission_open (queue) : NULL;
}

/* Directly before the call that encodes the work: takes the origin, and writes the first timestamp.
 * With a NULL encoder nothing is written: name heap and entries in the pass descriptor.
 */
static inline WeftMetalDispatch
weft_metal_dispatch_begin (WeftMetalSubmission *submission, void *encoder,
                           const WeftMetalDispatchInfo *info)
{
  static const WeftMetalDispatch nothing
      = { NULL, 0, NULL, 0, 0, { NULL, NULL, NULL, NULL } };

  return submission != NULL ? weft_metal_dispatch_open (submission, encoder, info, sizeof *info)
                            : nothing;
}

/* Directly after it. */
static inline void
weft_metal_dispatch_end (const WeftMetalDispatch *dispatch, void *encoder)
{
  if (dispatch->heap != NULL && encoder != NULL)
    weft_metal_dispatch_close (dispatch, encoder);
}

/* The number of the command buffer, 0 for NULL. */
uint64_t weft_metal_submission_get_id (const WeftMetalSubmission *submission);

/* Directly before the command buffer is committed. */
void weft_metal_commit (WeftMetalSubmission *submission);

/* Instead of that, for one that will never be committed. SUBMISSION is gone. */
void weft_metal_abandon (WeftMetalSubmission *submission);

/* This thread begins to wait for SUBMISSION, which was not completed yet, and goes on. The number
 * is weft_metal_submission_get_id (): SUBMISSION itself may be gone when the wait ends.
 */
void weft_metal_wait_begin (WeftMetalQueue *queue, uint64_t id);
void weft_metal_wait_end (WeftMetalQueue *queue, uint64_t id);

/* What the completion handler, or commit feedback, tells. */
typedef struct
{
  bool failed;
  const char *error_name;    /* the error's domain and code */
  const char *error_message; /* its description */
  const char *error_detail;  /* e.g. which encoders were affected; or NULL */
  double gpu_start;          /* seconds of the host's clock, as Metal gives them; 0 unknown */
  double gpu_end;
} WeftMetalFeedback;

/* SUBMISSION completed or failed. Any thread. SUBMISSION is gone. */
void weft_metal_completed (WeftMetalSubmission *submission, const WeftMetalFeedback *feedback,
                           size_t size);

/* ---- Captures ---- */

/* Starts a GPU capture; all that is submitted on the device until it ends is linked to it. Returns
 * the artifact's number, 0 with a warning record if it does not start, or one is under way.
 */
uint32_t weft_metal_capture_begin (WeftMetalDevice *device, WeftMetalQueue *queue, void *object,
                                   const char *path, const char *label);
void weft_metal_capture_end (WeftMetalDevice *device);

/* A phase of the program that captures may be made of (MTLCaptureScope): a span on the device's lane
 * “capture scopes”, kind metal.capture, linked to the capture that is under way when it ends. On the
 * CPU's clock, of the thread that begins it. A value, ended once.
 */
typedef struct
{
  WeftMetalDevice *device;
  WeftTargetSpan span;
} WeftMetalScope;

WeftMetalScope weft_metal_scope_begin (WeftMetalDevice *device, const char *label);
void weft_metal_scope_end (WeftMetalScope scope);

#ifdef __cplusplus
}
#endif

#ifdef WEFT_METAL_IMPLEMENTATION
#include "weft-metal-implementation.h"
#endif

#endif /* WEFT_METAL_H */
