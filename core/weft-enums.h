/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

/**
 * WeftValueType:
 * @WEFT_VALUE_UINT64: unsigned number, 8 bytes
 * @WEFT_VALUE_INT64: signed number, 8 bytes
 * @WEFT_VALUE_DOUBLE: IEEE 754 double, 8 bytes
 * @WEFT_VALUE_TIME: signed nanoseconds since the start of the recording, 8 bytes
 * @WEFT_VALUE_DURATION: unsigned nanoseconds, 8 bytes
 * @WEFT_VALUE_STRING: index into the column's dictionary, 4 bytes unsigned
 * @WEFT_VALUE_ENUM: like STRING; the index is the value of the enumeration
 * @WEFT_VALUE_ID: number of an object; 0 is none, 8 bytes unsigned
 * @WEFT_VALUE_BOOLEAN: 0 or 1, 1 byte
 *
 * What a column of a table holds, and how its bytes are to be read.
 *
 * Since: 0.1
 */
typedef enum
{
  WEFT_VALUE_UINT64,
  WEFT_VALUE_INT64,
  WEFT_VALUE_DOUBLE,
  WEFT_VALUE_TIME,
  WEFT_VALUE_DURATION,
  WEFT_VALUE_STRING,
  WEFT_VALUE_ENUM,
  WEFT_VALUE_ID,
  WEFT_VALUE_BOOLEAN,
} WeftValueType;

/**
 * WeftStatus:
 * @WEFT_STATUS_OK: as intended
 * @WEFT_STATUS_ERROR: with an error
 * @WEFT_STATUS_CANCELED: it was called off
 *
 * How a dispatch, a submission or a trace ended.
 *
 * Since: 0.1
 */
typedef enum
{
  WEFT_STATUS_OK,
  WEFT_STATUS_ERROR,
  WEFT_STATUS_CANCELED,
} WeftStatus;

/**
 * WeftErrorKind:
 * @WEFT_ERROR_KIND_NONE: no error, or none told
 * @WEFT_ERROR_KIND_ABORT: aborted
 * @WEFT_ERROR_KIND_QUEUE: its queue refused or lost it
 * @WEFT_ERROR_KIND_CRASH: the worker died
 * @WEFT_ERROR_KIND_EXCEPTION: the routine raised an error
 * @WEFT_ERROR_KIND_FAULT: the device faulted
 * @WEFT_ERROR_KIND_TIMEOUT: it took too long
 *
 * What kind of error ended a dispatch or trace.
 *
 * Since: 0.1
 */
typedef enum
{
  WEFT_ERROR_KIND_NONE,
  WEFT_ERROR_KIND_ABORT,
  WEFT_ERROR_KIND_QUEUE,
  WEFT_ERROR_KIND_CRASH,
  WEFT_ERROR_KIND_EXCEPTION,
  WEFT_ERROR_KIND_FAULT,
  WEFT_ERROR_KIND_TIMEOUT,
} WeftErrorKind;

/**
 * WeftOriginRole:
 * @WEFT_ORIGIN_ROLE_DISPATCH: it queued the work
 * @WEFT_ORIGIN_ROLE_WAIT_BEGIN: it began to wait for the work
 * @WEFT_ORIGIN_ROLE_WAIT_END: its wait ended
 * @WEFT_ORIGIN_ROLE_COMPLETION: it learned of the completion
 * @WEFT_ORIGIN_ROLE_FAULT: it learned of the fault
 *
 * What the thread of an origin did at its time.
 *
 * Since: 0.1
 */
typedef enum
{
  WEFT_ORIGIN_ROLE_DISPATCH,
  WEFT_ORIGIN_ROLE_WAIT_BEGIN,
  WEFT_ORIGIN_ROLE_WAIT_END,
  WEFT_ORIGIN_ROLE_COMPLETION,
  WEFT_ORIGIN_ROLE_FAULT,
} WeftOriginRole;

/**
 * WeftLinkStatus:
 * @WEFT_LINK_STATUS_UNDECIDED: not decided yet
 * @WEFT_LINK_STATUS_LINKED_EXACT: a stack captured at that very point
 * @WEFT_LINK_STATUS_LINKED: the nearest CPU sample within tolerance
 * @WEFT_LINK_STATUS_MISSING_THREAD: no thread of this id is known
 * @WEFT_LINK_STATUS_NO_STACK: the thread has no CPU sample
 * @WEFT_LINK_STATUS_TOO_FAR: the nearest CPU sample is beyond tolerance
 * @WEFT_LINK_STATUS_SYNTHETIC_TID: the id is one of a lane, not of a thread
 * @WEFT_LINK_STATUS_WRONG_PID: the thread belongs to another process
 * @WEFT_LINK_STATUS_STALE: the origin is older than what it may explain
 * @WEFT_LINK_STATUS_OUTSIDE_RUN: its time lies outside the recording
 *
 * Whether an origin is linked to a CPU stack, or why it is not.
 *
 * Since: 0.1
 */
typedef enum
{
  WEFT_LINK_STATUS_UNDECIDED,
  WEFT_LINK_STATUS_LINKED_EXACT,
  WEFT_LINK_STATUS_LINKED,
  WEFT_LINK_STATUS_MISSING_THREAD,
  WEFT_LINK_STATUS_NO_STACK,
  WEFT_LINK_STATUS_TOO_FAR,
  WEFT_LINK_STATUS_SYNTHETIC_TID,
  WEFT_LINK_STATUS_WRONG_PID,
  WEFT_LINK_STATUS_STALE,
  WEFT_LINK_STATUS_OUTSIDE_RUN,
} WeftLinkStatus;

/**
 * WeftClassification:
 * @WEFT_CLASSIFICATION_UNDECIDED: not decided yet
 * @WEFT_CLASSIFICATION_SYNCHRONOUS: a wait proves it
 * @WEFT_CLASSIFICATION_ASYNCHRONOUS: the thread went on
 * @WEFT_CLASSIFICATION_UNKNOWN: the evidence does not tell
 *
 * Whether the thread that queued a dispatch provably waited for it.
 *
 * Since: 0.1
 */
typedef enum
{
  WEFT_CLASSIFICATION_UNDECIDED,
  WEFT_CLASSIFICATION_SYNCHRONOUS,
  WEFT_CLASSIFICATION_ASYNCHRONOUS,
  WEFT_CLASSIFICATION_UNKNOWN,
} WeftClassification;

/**
 * WeftSubmissionEventKind:
 * @WEFT_SUBMISSION_EVENT_BEGIN: its first dispatch was added
 * @WEFT_SUBMISSION_EVENT_COMMIT: it was handed over
 * @WEFT_SUBMISSION_EVENT_COMPLETED: it is done
 * @WEFT_SUBMISSION_EVENT_FAULT: it faulted
 *
 * What happened to a submission.
 *
 * Since: 0.1
 */
typedef enum
{
  WEFT_SUBMISSION_EVENT_BEGIN,
  WEFT_SUBMISSION_EVENT_COMMIT,
  WEFT_SUBMISSION_EVENT_COMPLETED,
  WEFT_SUBMISSION_EVENT_FAULT,
} WeftSubmissionEventKind;

/**
 * WeftAccess:
 * @WEFT_ACCESS_UNKNOWN: not told
 * @WEFT_ACCESS_READ: read
 * @WEFT_ACCESS_WRITE: wrote
 * @WEFT_ACCESS_READ_WRITE: both
 *
 * What a dispatch did with an attachment.
 *
 * Since: 0.1
 */
typedef enum
{
  WEFT_ACCESS_UNKNOWN,
  WEFT_ACCESS_READ,
  WEFT_ACCESS_WRITE,
  WEFT_ACCESS_READ_WRITE,
} WeftAccess;

/**
 * WeftPrivacy:
 * @WEFT_PRIVACY_METADATA: what describes it, never contents
 * @WEFT_PRIVACY_REDACTED: label and ranges are withheld
 *
 * How much of an attachment the producer told.
 *
 * Since: 0.1
 */
typedef enum
{
  WEFT_PRIVACY_METADATA,
  WEFT_PRIVACY_REDACTED,
} WeftPrivacy;

/**
 * WeftAvailability:
 * @WEFT_AVAILABILITY_PRESENT: it does
 * @WEFT_AVAILABILITY_DISABLED: it could, and is turned off
 * @WEFT_AVAILABILITY_UNSUPPORTED: it cannot here
 * @WEFT_AVAILABILITY_FAILING: it should, and fails
 *
 * Whether a counter set delivers values.
 *
 * Since: 0.1
 */
typedef enum
{
  WEFT_AVAILABILITY_PRESENT,
  WEFT_AVAILABILITY_DISABLED,
  WEFT_AVAILABILITY_UNSUPPORTED,
  WEFT_AVAILABILITY_FAILING,
} WeftAvailability;

/**
 * WeftUnit:
 * @WEFT_UNIT_NONE: a plain number
 * @WEFT_UNIT_TICKS: ticks of a clock
 * @WEFT_UNIT_CYCLES: cycles of a processor
 * @WEFT_UNIT_INVOCATIONS: invocations
 * @WEFT_UNIT_BYTES: bytes
 * @WEFT_UNIT_PERCENT: hundredths
 * @WEFT_UNIT_COUNT: things counted
 * @WEFT_UNIT_NANOSECONDS: nanoseconds
 * @WEFT_UNIT_NAMED: named by the producer in words
 *
 * Unit of a counter or metric.
 *
 * Since: 0.1
 */
typedef enum
{
  WEFT_UNIT_NONE,
  WEFT_UNIT_TICKS,
  WEFT_UNIT_CYCLES,
  WEFT_UNIT_INVOCATIONS,
  WEFT_UNIT_BYTES,
  WEFT_UNIT_PERCENT,
  WEFT_UNIT_COUNT,
  WEFT_UNIT_NANOSECONDS,
  WEFT_UNIT_NAMED,
} WeftUnit;

/**
 * WeftMetricKind:
 * @WEFT_METRIC_COUNTER: they add up
 * @WEFT_METRIC_GAUGE: the last one stands
 * @WEFT_METRIC_HISTOGRAM: they are a distribution
 *
 * How the observations of a counter or metric combine.
 *
 * Since: 0.1
 */
typedef enum
{
  WEFT_METRIC_COUNTER,
  WEFT_METRIC_GAUGE,
  WEFT_METRIC_HISTOGRAM,
} WeftMetricKind;

/**
 * WeftAggregation:
 * @WEFT_AGGREGATION_SUM: added
 * @WEFT_AGGREGATION_MEAN: averaged
 * @WEFT_AGGREGATION_MIN: the smallest
 * @WEFT_AGGREGATION_MAX: the largest
 * @WEFT_AGGREGATION_LAST: the latest
 *
 * How a producer wants a counter's values to be combined.
 *
 * Since: 0.1
 */
typedef enum
{
  WEFT_AGGREGATION_SUM,
  WEFT_AGGREGATION_MEAN,
  WEFT_AGGREGATION_MIN,
  WEFT_AGGREGATION_MAX,
  WEFT_AGGREGATION_LAST,
} WeftAggregation;

/**
 * WeftNumberType:
 * @WEFT_NUMBER_UINT64: unsigned
 * @WEFT_NUMBER_INT64: signed
 * @WEFT_NUMBER_DOUBLE: IEEE 754 double
 * @WEFT_NUMBER_BOOLEAN: 0 or 1
 * @WEFT_NUMBER_STRING: text; tags only
 *
 * Type of a counter's values or of a tag.
 *
 * Since: 0.1
 */
typedef enum
{
  WEFT_NUMBER_UINT64,
  WEFT_NUMBER_INT64,
  WEFT_NUMBER_DOUBLE,
  WEFT_NUMBER_BOOLEAN,
  WEFT_NUMBER_STRING,
} WeftNumberType;

/**
 * WeftSamplePoint:
 * @WEFT_SAMPLE_POINT_BEFORE_DISPATCH: before the dispatch
 * @WEFT_SAMPLE_POINT_AFTER_DISPATCH: after the dispatch
 * @WEFT_SAMPLE_POINT_SUBMISSION_BEGIN: at the submission's begin
 * @WEFT_SAMPLE_POINT_SUBMISSION_END: at the submission's end
 * @WEFT_SAMPLE_POINT_WAIT_BEGIN: at a wait's begin
 * @WEFT_SAMPLE_POINT_WAIT_END: at a wait's end
 * @WEFT_SAMPLE_POINT_STATE_CHANGE: when a state changed
 * @WEFT_SAMPLE_POINT_NAMED: at a point that the producer names
 *
 * When counter values were taken.
 *
 * Since: 0.1
 */
typedef enum
{
  WEFT_SAMPLE_POINT_BEFORE_DISPATCH,
  WEFT_SAMPLE_POINT_AFTER_DISPATCH,
  WEFT_SAMPLE_POINT_SUBMISSION_BEGIN,
  WEFT_SAMPLE_POINT_SUBMISSION_END,
  WEFT_SAMPLE_POINT_WAIT_BEGIN,
  WEFT_SAMPLE_POINT_WAIT_END,
  WEFT_SAMPLE_POINT_STATE_CHANGE,
  WEFT_SAMPLE_POINT_NAMED,
} WeftSamplePoint;

/**
 * WeftSeverity:
 * @WEFT_SEVERITY_INFO: good to know
 * @WEFT_SEVERITY_WARNING: should be looked at
 * @WEFT_SEVERITY_ERROR: something is wrong
 *
 * Weight of a warning or diagnostic.
 *
 * Since: 0.1
 */
typedef enum
{
  WEFT_SEVERITY_INFO,
  WEFT_SEVERITY_WARNING,
  WEFT_SEVERITY_ERROR,
} WeftSeverity;

/**
 * WeftLossCategory:
 * @WEFT_LOSS_CATEGORY_REJECTED: refused: not sound
 * @WEFT_LOSS_CATEGORY_LOST: could not be kept
 * @WEFT_LOSS_CATEGORY_SAMPLED_OUT: left out by sampling
 * @WEFT_LOSS_CATEGORY_REPAIRED: kept, with a string or list cut or mended
 *
 * What became of records that are not in the recording.
 *
 * Since: 0.1
 */
typedef enum
{
  WEFT_LOSS_CATEGORY_REJECTED,
  WEFT_LOSS_CATEGORY_LOST,
  WEFT_LOSS_CATEGORY_SAMPLED_OUT,
  WEFT_LOSS_CATEGORY_REPAIRED,
} WeftLossCategory;

/**
 * WeftClockKind:
 * @WEFT_CLOCK_UNKNOWN: not told
 * @WEFT_CLOCK_MONOTONIC: CLOCK_MONOTONIC, nanoseconds
 * @WEFT_CLOCK_TSC: time stamp counter
 * @WEFT_CLOCK_DEVICE: ticks of a device, known by calibration pairs
 * @WEFT_CLOCK_INJECTED: given by the host
 *
 * What a clock counts.
 *
 * Since: 0.1
 */
typedef enum
{
  WEFT_CLOCK_UNKNOWN,
  WEFT_CLOCK_MONOTONIC,
  WEFT_CLOCK_TSC,
  WEFT_CLOCK_DEVICE,
  WEFT_CLOCK_INJECTED,
} WeftClockKind;

/**
 * WeftRecordingState:
 * @WEFT_RECORDING_COMPLETE: finished by its recorder
 * @WEFT_RECORDING_UNFINISHED: being written, or its recorder was killed
 * @WEFT_RECORDING_DAMAGED: parts are missing; the rest is served
 *
 * What is known of a recording's file.
 *
 * Since: 0.1
 */
typedef enum
{
  WEFT_RECORDING_COMPLETE,
  WEFT_RECORDING_UNFINISHED,
  WEFT_RECORDING_DAMAGED,
} WeftRecordingState;

/**
 * WeftVerdict:
 * @WEFT_VERDICT_GOOD: all is well
 * @WEFT_VERDICT_ATTENTION: something to look at
 * @WEFT_VERDICT_PROBLEM: something is wrong, and the finding says what to do
 * @WEFT_VERDICT_NOT_APPLICABLE: the question does not arise
 *
 * Answer of a diagnosis to one of its questions.
 *
 * Since: 0.1
 */
typedef enum
{
  WEFT_VERDICT_GOOD,
  WEFT_VERDICT_ATTENTION,
  WEFT_VERDICT_PROBLEM,
  WEFT_VERDICT_NOT_APPLICABLE,
} WeftVerdict;

/**
 * WeftPolarity:
 * @WEFT_POLARITY_NEUTRAL: neither is better, or it is not known
 * @WEFT_POLARITY_HIGHER: more is better
 * @WEFT_POLARITY_LOWER: less is better
 *
 * Whether more of a counter or metric is better.
 *
 * Since: 0.1
 */
typedef enum
{
  WEFT_POLARITY_NEUTRAL,
  WEFT_POLARITY_HIGHER,
  WEFT_POLARITY_LOWER,
} WeftPolarity;

/**
 * WeftClassificationReason:
 * @WEFT_CLASSIFICATION_REASON_UNDECIDED: not decided yet
 * @WEFT_CLASSIFICATION_REASON_WAIT: the thread that queued it waited for it until after its end
 * @WEFT_CLASSIFICATION_REASON_NO_WAIT: that thread did not wait for it or its submission
 * @WEFT_CLASSIFICATION_REASON_WAIT_ELSEWHERE: another thread waited for it
 * @WEFT_CLASSIFICATION_REASON_WAIT_ENDED_FIRST: the wait ended before the dispatch did
 * @WEFT_CLASSIFICATION_REASON_WAIT_BEFORE: the wait was over before the dispatch began
 * @WEFT_CLASSIFICATION_REASON_CLOCK_ERROR: the ends are closer than the clocks' error bound
 * @WEFT_CLASSIFICATION_REASON_NO_ORIGIN: nothing says which thread queued it
 * @WEFT_CLASSIFICATION_REASON_NO_THREAD: the thread that queued it is not known
 * @WEFT_CLASSIFICATION_REASON_NOT_COMPLETED: no sound times are known of it
 * @WEFT_CLASSIFICATION_REASON_HALF_WAIT: only one end of the wait is known
 * @WEFT_CLASSIFICATION_REASON_WAITS_UNKNOWN: what recorded it cannot tell of waits
 *
 * Why a dispatch is classified as it is.
 *
 * Since: 0.1
 */
typedef enum
{
  WEFT_CLASSIFICATION_REASON_UNDECIDED,
  WEFT_CLASSIFICATION_REASON_WAIT,
  WEFT_CLASSIFICATION_REASON_NO_WAIT,
  WEFT_CLASSIFICATION_REASON_WAIT_ELSEWHERE,
  WEFT_CLASSIFICATION_REASON_WAIT_ENDED_FIRST,
  WEFT_CLASSIFICATION_REASON_WAIT_BEFORE,
  WEFT_CLASSIFICATION_REASON_CLOCK_ERROR,
  WEFT_CLASSIFICATION_REASON_NO_ORIGIN,
  WEFT_CLASSIFICATION_REASON_NO_THREAD,
  WEFT_CLASSIFICATION_REASON_NOT_COMPLETED,
  WEFT_CLASSIFICATION_REASON_HALF_WAIT,
  WEFT_CLASSIFICATION_REASON_WAITS_UNKNOWN,
} WeftClassificationReason;

/**
 * WeftModuleKind:
 * @WEFT_MODULE_KIND_UNKNOWN: not known
 * @WEFT_MODULE_KIND_FILE: a file
 * @WEFT_MODULE_KIND_VDSO: code that the kernel maps into every process
 * @WEFT_MODULE_KIND_KERNEL: the kernel or a module of it
 * @WEFT_MODULE_KIND_JIT: code that a program made at run time
 *
 * What kind of code a module is.
 *
 * Since: 0.1
 */
typedef enum
{
  WEFT_MODULE_KIND_UNKNOWN,
  WEFT_MODULE_KIND_FILE,
  WEFT_MODULE_KIND_VDSO,
  WEFT_MODULE_KIND_KERNEL,
  WEFT_MODULE_KIND_JIT,
} WeftModuleKind;

/**
 * WeftSymbolState:
 * @WEFT_SYMBOL_STATE_NONE: there are none
 * @WEFT_SYMBOL_STATE_EXPORTED: only what the file exports
 * @WEFT_SYMBOL_STATE_SYMBOLS: its symbol table
 * @WEFT_SYMBOL_STATE_LINES: debugging information, with lines and inlined functions
 * @WEFT_SYMBOL_STATE_MISMATCH: its debugging information is of another build
 * @WEFT_SYMBOL_STATE_FAILED: reading them failed
 * @WEFT_SYMBOL_STATE_MAP: what the program itself told
 *
 * Where the names of a module's functions come from.
 *
 * Since: 0.1
 */
typedef enum
{
  WEFT_SYMBOL_STATE_NONE,
  WEFT_SYMBOL_STATE_EXPORTED,
  WEFT_SYMBOL_STATE_SYMBOLS,
  WEFT_SYMBOL_STATE_LINES,
  WEFT_SYMBOL_STATE_MISMATCH,
  WEFT_SYMBOL_STATE_FAILED,
  WEFT_SYMBOL_STATE_MAP,
} WeftSymbolState;

/**
 * WeftStackEnd:
 * @WEFT_STACK_END_NOT_UNWOUND: it was not unwound
 * @WEFT_STACK_END_COMPLETE: at the start of the thread
 * @WEFT_STACK_END_TRUNCATED: where the copy of the stack ended
 * @WEFT_STACK_END_NO_MODULE: at an address in no known module
 * @WEFT_STACK_END_NO_TABLE: in code without unwinding tables or frame pointers
 * @WEFT_STACK_END_UNSUPPORTED: at a rule that is not understood
 * @WEFT_STACK_END_STUCK: where the stack did not go on
 * @WEFT_STACK_END_DEPTH: at the largest number of frames
 * @WEFT_STACK_END_NO_USER_STACK: there was none: the thread is one of the kernel, or ended
 *
 * How the unwinding of a stack ended.
 *
 * Since: 0.1
 */
typedef enum
{
  WEFT_STACK_END_NOT_UNWOUND,
  WEFT_STACK_END_COMPLETE,
  WEFT_STACK_END_TRUNCATED,
  WEFT_STACK_END_NO_MODULE,
  WEFT_STACK_END_NO_TABLE,
  WEFT_STACK_END_UNSUPPORTED,
  WEFT_STACK_END_STUCK,
  WEFT_STACK_END_DEPTH,
  WEFT_STACK_END_NO_USER_STACK,
} WeftStackEnd;

/**
 * WeftWaitReason:
 * @WEFT_WAIT_REASON_UNKNOWN: nothing tells
 * @WEFT_WAIT_REASON_IDLE: for work: a pool or loop with nothing to do
 * @WEFT_WAIT_REASON_LOCK: for a lock
 * @WEFT_WAIT_REASON_SEMAPHORE: for a semaphore, condition or barrier
 * @WEFT_WAIT_REASON_IPC: for another process or a message: pipe, socket, queue, child
 * @WEFT_WAIT_REASON_IO_READ: for data of a file or device
 * @WEFT_WAIT_REASON_IO_WRITE: for data to be taken by a file or device
 * @WEFT_WAIT_REASON_READINESS: for one of several descriptors to be ready
 * @WEFT_WAIT_REASON_SLEEP: for a time to pass
 * @WEFT_WAIT_REASON_CONNECT: for a connection
 * @WEFT_WAIT_REASON_PAGE_FAULT: for memory
 * @WEFT_WAIT_REASON_PREEMPTED: for a CPU: it could have gone on
 * @WEFT_WAIT_REASON_OTHER: for something else: see its system call
 *
 * What a thread waited for.
 *
 * Since: 0.1
 */
typedef enum
{
  WEFT_WAIT_REASON_UNKNOWN,
  WEFT_WAIT_REASON_IDLE,
  WEFT_WAIT_REASON_LOCK,
  WEFT_WAIT_REASON_SEMAPHORE,
  WEFT_WAIT_REASON_IPC,
  WEFT_WAIT_REASON_IO_READ,
  WEFT_WAIT_REASON_IO_WRITE,
  WEFT_WAIT_REASON_READINESS,
  WEFT_WAIT_REASON_SLEEP,
  WEFT_WAIT_REASON_CONNECT,
  WEFT_WAIT_REASON_PAGE_FAULT,
  WEFT_WAIT_REASON_PREEMPTED,
  WEFT_WAIT_REASON_OTHER,
} WeftWaitReason;

/**
 * WeftWakeupSource:
 * @WEFT_WAKEUP_SOURCE_UNKNOWN: not known
 * @WEFT_WAKEUP_SOURCE_KERNEL: the kernel told
 * @WEFT_WAKEUP_SOURCE_PROGRAM: the program's own calls were watched
 *
 * How a wake-up is known.
 *
 * Since: 0.1
 */
typedef enum
{
  WEFT_WAKEUP_SOURCE_UNKNOWN,
  WEFT_WAKEUP_SOURCE_KERNEL,
  WEFT_WAKEUP_SOURCE_PROGRAM,
} WeftWakeupSource;

/**
 * WeftSampler:
 * @WEFT_SAMPLER_AUTO: the best that this machine and its permissions allow
 * @WEFT_SAMPLER_PERF: the kernel's performance events
 * @WEFT_SAMPLER_PTRACE: stopping the threads that run, which needs no permissions
 * @WEFT_SAMPLER_OFF: none
 *
 * How a recorder learns what programs do on the CPUs.
 *
 * Since: 0.1
 */
typedef enum
{
  WEFT_SAMPLER_AUTO,
  WEFT_SAMPLER_PERF,
  WEFT_SAMPLER_PTRACE,
  WEFT_SAMPLER_OFF,
} WeftSampler;

/**
 * WeftSymbolMode:
 * @WEFT_SYMBOL_MODE_AUTO: of files of this machine, and what programs tell
 * @WEFT_SYMBOL_MODE_OFF: none: frames keep their addresses
 * @WEFT_SYMBOL_MODE_DEBUGINFOD: also of the servers that the environment's DEBUGINFOD_URLS names
 *
 * Where a recorder gets the names of functions from.
 *
 * Since: 0.1
 */
typedef enum
{
  WEFT_SYMBOL_MODE_AUTO,
  WEFT_SYMBOL_MODE_OFF,
  WEFT_SYMBOL_MODE_DEBUGINFOD,
} WeftSymbolMode;

G_END_DECLS
