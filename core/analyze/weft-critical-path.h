/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-critical-path-forecast.h"

G_BEGIN_DECLS

/*
 * The critical path: what took up the time until something was done, from its end backwards.
 *
 * At each moment the path is at one thread or one dispatch. It goes on to another only where
 * something proves that the one could not go on without it: the wakeup that ended a wait, a wait
 * for a dispatch that its program told of, the hand-over of that dispatch, the making of a thread.
 * Where nothing does, it stays where it is and says that nobody knows. So its segments follow one
 * another without gaps, and add up to the time asked about, to the nanosecond.
 */
typedef enum
{
  WEFT_PATH_RUN,        /* a thread on a CPU */
  WEFT_PATH_PREEMPTED,  /* a thread that could go on, and was not let */
  WEFT_PATH_RUNNABLE,   /* from a wakeup until the thread ran */
  WEFT_PATH_DEVICE,     /* a dispatch that a thread waited for ran */
  WEFT_PATH_QUEUE,      /* it was handed over, and had not begun */
  WEFT_PATH_COMPLETION, /* it had ended, and the thread that waits did not know */
  WEFT_PATH_IO,         /* input or output */
  WEFT_PATH_SLEEP,      /* until a time was over */
  WEFT_PATH_INTERRUPT,  /* of a device or timer, nobody knows what for */
  WEFT_PATH_UNKNOWN,
  WEFT_PATH_N_KINDS
} WeftPathKind;

/* How the path goes on at the end of a segment. */
typedef enum
{
  WEFT_PATH_STAYS,     /* with the same thread or dispatch */
  WEFT_PATH_WOKE,      /* it woke the next one's thread */
  WEFT_PATH_QUEUED,    /* it handed the next one's dispatch over */
  WEFT_PATH_COMPLETED, /* the next one's thread waited for it */
  WEFT_PATH_FOLLOWED,  /* the next one's dispatch came behind it, and both were waited for */
  WEFT_PATH_MADE,      /* it made the next one's thread */
  WEFT_PATH_RETURNED,  /* nothing tells: what comes before is what the thread asked about did */
} WeftPathLink;

typedef enum
{
  WEFT_PATH_PROVEN,
  WEFT_PATH_APPROXIMATE, /* its times are not exact */
  WEFT_PATH_ASSUMED,     /* nothing proves that what follows waited for it */
  WEFT_PATH_NOT_KNOWN,
  WEFT_PATH_N_CONFIDENCES
} WeftPathConfidence;

/* Why nothing more is known. */
typedef enum
{
  WEFT_PATH_NO_CAUSE,
  WEFT_PATH_WAKER_UNKNOWN,
  WEFT_PATH_WAKER_UNWATCHED, /* who woke it is known, and not what that thread did */
  WEFT_PATH_CLOCK_ERROR,     /* the ends are closer than the clocks can tell */
  WEFT_PATH_UNWATCHED,
  WEFT_PATH_NOT_YET, /* before its thread began */
  WEFT_PATH_QUEUING_UNKNOWN,
  WEFT_PATH_CYCLE, /* each waited for the other */
  WEFT_PATH_AFTER_WORK,
} WeftPathCause;

typedef struct
{
  gint64 start;
  gint64 stop;
  guint64 forecast; /* how long it would take; as long as it did without a forecast */
  WeftPathKind kind;
  WeftPathLink link;
  WeftPathConfidence confidence;
  WeftPathCause cause;
  guint32 thread;   /* index; WEFT_PATH_NONE of what is no thread's */
  guint32 dispatch; /* index: that ran, queued, or was waited for */
  guint32 before;   /* index: that it queued behind */
  guint32 wait;     /* index: of the thread, during this segment */
  guint32 linked;   /* index: the wait that its end ended, by LINK */
  guint32 zone;     /* index: the wait for the dispatch */
} WeftPathSegment;

typedef struct
{
  const WeftPathHistory *history;
  const WeftPathForecast *forecast; /* or NULL */
  gboolean is_approximate;          /* what threads did was seen at looks only */
  GCancellable *cancellable;
  gint64 begin;
  gint64 end;
  guint32 thread;   /* that is at the end: index, or WEFT_PATH_NONE */
  guint32 dispatch; /* else */
} WeftPathQuestion;

/* Segments in the order of time, from the first to the last; element type WeftPathSegment. With a
 * forecast those are left out that would take no time, and TOTAL is what all would take.
 */
GArray *weft_path_walk (const WeftPathQuestion *question, guint64 *total, GError **error);

const char *weft_path_kind_get_name (WeftPathKind kind);
const char *weft_path_link_get_name (WeftPathLink link);
const char *weft_path_confidence_get_name (WeftPathConfidence confidence);
/* NULL of none. */
const char *weft_path_cause_explain (WeftPathCause cause);

G_END_DECLS
