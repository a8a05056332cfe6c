/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whether the thread that queued a dispatch provably waited for it. */

#include "weft-enums.h"
#include "weft-linker-private.h"

/* A thread that waited for the dispatch or its submission. */
typedef struct
{
  guint64 thread;
  gint64 begin;
  gint64 end;
  gboolean has_begin;
  gboolean has_end;
  guint64 callchain; /* at the begin, or at the end where that has none */
} Wait;

typedef struct
{
  const GArray *lists[3]; /* of the dispatch, of its producer's id, of its submission */
  GArray *waits;          /* element type Wait */
  gboolean queued;        /* an origin tells of it */
  gboolean has_thread;
  gboolean unlinked; /* stacks are yet to come */
} Proofs;

/* ---- Stacks ---- */

static const WeftLinkerCallchain *
find_callchain (WeftLinker *self, guint64 id)
{
  const WeftLinkerCallchain *found;

  if (id - 1 >= self->callchains->len)
    return NULL;
  found = &g_array_index (self->callchains, WeftLinkerCallchain, id - 1);
  return found->parent < id ? found : NULL;
}

static guint64
function_of (const WeftLinker *self, guint64 frame)
{
  return frame - 1 < self->functions->len ? g_array_index (self->functions, guint64, frame - 1) : 0;
}

static gboolean
is_same_function (WeftLinker *self, guint64 a, guint64 b)
{
  const WeftLinkerCallchain *left = find_callchain (self, a);
  const WeftLinkerCallchain *right = find_callchain (self, b);
  guint64 function;

  if (left == NULL || right == NULL)
    return FALSE;
  function = function_of (self, left->frame);
  return function != 0 && function == function_of (self, right->frame);
}

static guint64
parent_of (WeftLinker *self, guint64 id)
{
  const WeftLinkerCallchain *found = find_callchain (self, id);

  return found != NULL ? found->parent : 0;
}

static guint
depth_of (WeftLinker *self, guint64 id)
{
  const WeftLinkerCallchain *found = find_callchain (self, id);

  return found != NULL ? found->depth : 0;
}

/* Where the stacks part, both may be in one function, at the calls that it makes one after the
 * other: its frame is shared. Beyond that nothing is.
 */
static guint64
share_callchain (WeftLinker *self, guint64 a, guint64 b)
{
  guint64 above_a = 0, above_b = 0;

  while (a != 0 && b != 0 && a != b)
    {
      guint depth_a = depth_of (self, a);
      guint depth_b = depth_of (self, b);

      above_a = above_b = 0;
      if (depth_a >= depth_b)
        {
          above_a = a;
          a = parent_of (self, a);
        }
      if (depth_b >= depth_a)
        {
          above_b = b;
          b = parent_of (self, b);
        }
    }
  if (a != b)
    return 0;
  return above_a != 0 && above_b != 0 && is_same_function (self, above_a, above_b) ? above_a : a;
}

/* ---- Waits ---- */

static const WeftLinkerEvidence *
evidence_at (const GArray *list, guint i)
{
  return &g_array_index (list, WeftLinkerEvidence, i);
}

static int
compare_evidence (gconstpointer a, gconstpointer b)
{
  const WeftLinkerEvidence *left = *(const WeftLinkerEvidence *const *) a;
  const WeftLinkerEvidence *right = *(const WeftLinkerEvidence *const *) b;

  if (left->thread != right->thread)
    return left->thread < right->thread ? -1 : 1;
  if (left->time != right->time)
    return left->time < right->time ? -1 : 1;
  if (left->role != right->role)
    return left->role < right->role ? -1 : 1;
  return left->origin < right->origin ? -1 : left->origin > right->origin;
}

/* An end belongs to the last begin before it that has none; of the same thread and object. */
static void
pair_waits (Proofs *self, const GArray *list)
{
  g_autoptr (GPtrArray) ends = g_ptr_array_new ();
  gboolean open = FALSE;

  for (guint i = 0; list != NULL && i < list->len; i++)
    if (evidence_at (list, i)->role == WEFT_ORIGIN_ROLE_WAIT_BEGIN ||
        evidence_at (list, i)->role == WEFT_ORIGIN_ROLE_WAIT_END)
      g_ptr_array_add (ends, (gpointer) evidence_at (list, i));
  g_ptr_array_sort (ends, compare_evidence);
  for (guint i = 0; i < ends->len; i++)
    {
      const WeftLinkerEvidence *end = g_ptr_array_index (ends, i);
      gboolean is_begin = end->role == WEFT_ORIGIN_ROLE_WAIT_BEGIN;
      Wait *last = open ? &g_array_index (self->waits, Wait, self->waits->len - 1) : NULL;
      Wait wait = { .thread = end->thread, .callchain = end->callchain };

      self->unlinked |= !end->linked;
      if (!is_begin && last != NULL && last->thread == end->thread)
        {
          last->end = end->time;
          last->has_end = TRUE;
          if (last->callchain == 0)
            last->callchain = end->callchain;
          open = FALSE;
          continue;
        }
      wait.has_begin = is_begin;
      wait.has_end = !is_begin;
      wait.begin = wait.end = end->time;
      g_array_append_val (self->waits, wait);
      open = is_begin;
    }
}

/* FALSE if nothing at all is told of it. */
static gboolean
find_lists (WeftLinker *linker, const WeftLinkerDispatch *dispatch, Proofs *self)
{
  self->lists[0] = weft_linker_get_evidence (linker, WEFT_LINKER_DISPATCHES, dispatch->dispatch);
  self->lists[1] = weft_linker_get_evidence (linker, WEFT_LINKER_PRODUCERS + dispatch->runtime,
                                             dispatch->producer_id);
  self->lists[2] = weft_linker_get_evidence (linker, WEFT_LINKER_SUBMISSIONS, dispatch->submission);
  return self->lists[0] != NULL || self->lists[1] != NULL || self->lists[2] != NULL;
}

static void
find_proofs (Proofs *self)
{
  self->waits = g_array_new (FALSE, FALSE, sizeof (Wait));
  for (guint i = 0; i < G_N_ELEMENTS (self->lists); i++)
    {
      for (guint j = 0; self->lists[i] != NULL && j < self->lists[i]->len; j++)
        {
          const WeftLinkerEvidence *evidence = evidence_at (self->lists[i], j);

          if (evidence->role != WEFT_ORIGIN_ROLE_DISPATCH)
            continue;
          self->queued = TRUE;
          self->has_thread |= !(evidence->thread & WEFT_LINKER_NO_THREAD);
          self->unlinked |= !evidence->linked;
        }
      pair_waits (self, self->lists[i]);
    }
}

/* The origin by which THREAD queued the dispatch; of its own rather than of its submission. */
static const WeftLinkerEvidence *
find_queuing (const Proofs *self, guint64 thread)
{
  if (thread & WEFT_LINKER_NO_THREAD)
    return NULL;
  for (guint i = 0; i < G_N_ELEMENTS (self->lists); i++)
    for (guint j = 0; self->lists[i] != NULL && j < self->lists[i]->len; j++)
      if (evidence_at (self->lists[i], j)->role == WEFT_ORIGIN_ROLE_DISPATCH &&
          evidence_at (self->lists[i], j)->thread == thread)
        return evidence_at (self->lists[i], j);
  return NULL;
}

/* ---- The rule ---- */

/* What one wait proves, the strongest last. */
static const WeftClassificationReason strengths[] = {
  WEFT_CLASSIFICATION_REASON_WAITS_UNKNOWN,    WEFT_CLASSIFICATION_REASON_NO_WAIT,
  WEFT_CLASSIFICATION_REASON_WAIT_ELSEWHERE,   WEFT_CLASSIFICATION_REASON_WAIT_BEFORE,
  WEFT_CLASSIFICATION_REASON_WAIT_ENDED_FIRST, WEFT_CLASSIFICATION_REASON_HALF_WAIT,
  WEFT_CLASSIFICATION_REASON_CLOCK_ERROR,      WEFT_CLASSIFICATION_REASON_WAIT,
};

static guint
strength_of (WeftClassificationReason reason)
{
  guint i = 0;

  while (strengths[i] != reason)
    i++;
  return i;
}

static gint64
after (gint64 time, gint64 bound)
{
  return bound > 0 && time > G_MAXINT64 - bound ? G_MAXINT64 : time + bound;
}

static gint64
before (gint64 time, gint64 bound)
{
  return time < G_MININT64 + bound ? G_MININT64 : time - bound;
}

/* A wait of the thread that queued the dispatch. Ends that are nearer to one another than the
 * clocks can tell prove nothing.
 */
static WeftClassificationReason
judge (const Wait *wait, const WeftLinkerDispatch *dispatch)
{
  gboolean bounded = dispatch->error_bound != G_MAXINT64;
  gint64 bound = bounded ? dispatch->error_bound : 0;
  gint64 earliest_end = before (dispatch->end, bound);
  gint64 latest_end = after (dispatch->end, bound);

  if (bounded && wait->has_end && wait->end < before (dispatch->start, bound))
    return WEFT_CLASSIFICATION_REASON_WAIT_BEFORE;
  if (bounded && wait->has_begin && wait->begin >= latest_end && latest_end > dispatch->start)
    return WEFT_CLASSIFICATION_REASON_NO_WAIT;
  if (!wait->has_begin || !wait->has_end)
    return WEFT_CLASSIFICATION_REASON_HALF_WAIT;
  if (!bounded || wait->begin > earliest_end)
    return WEFT_CLASSIFICATION_REASON_CLOCK_ERROR;
  if (wait->end >= latest_end)
    return WEFT_CLASSIFICATION_REASON_WAIT;
  return wait->end > earliest_end ? WEFT_CLASSIFICATION_REASON_CLOCK_ERROR
                                  : WEFT_CLASSIFICATION_REASON_WAIT_ENDED_FIRST;
}

typedef struct
{
  WeftClassificationReason reason;
  guint64 callchain;
  gboolean is_open; /* the end of a wait is yet to come */
} Verdict;

static void
weigh_waits (WeftLinker *self, const WeftLinkerDispatch *dispatch, const Proofs *proofs,
             Verdict *verdict)
{
  for (guint i = 0; i < proofs->waits->len; i++)
    {
      const Wait *wait = &g_array_index (proofs->waits, Wait, i);
      const WeftLinkerEvidence *queuing = find_queuing (proofs, wait->thread);
      WeftClassificationReason reason =
          queuing != NULL ? judge (wait, dispatch) : WEFT_CLASSIFICATION_REASON_WAIT_ELSEWHERE;

      verdict->is_open |= queuing != NULL && wait->has_begin && !wait->has_end;
      if (strength_of (reason) <= strength_of (verdict->reason))
        continue;
      verdict->reason = reason;
      if (reason == WEFT_CLASSIFICATION_REASON_WAIT)
        verdict->callchain = share_callchain (self, queuing->callchain, wait->callchain);
    }
}

static WeftClassification
classification_of (WeftClassificationReason reason)
{
  switch (reason)
    {
    case WEFT_CLASSIFICATION_REASON_WAIT:
      return WEFT_CLASSIFICATION_SYNCHRONOUS;
    case WEFT_CLASSIFICATION_REASON_NO_WAIT:
    case WEFT_CLASSIFICATION_REASON_WAIT_ELSEWHERE:
    case WEFT_CLASSIFICATION_REASON_WAIT_BEFORE:
    case WEFT_CLASSIFICATION_REASON_WAIT_ENDED_FIRST:
      return WEFT_CLASSIFICATION_ASYNCHRONOUS;
    default:
      return WEFT_CLASSIFICATION_UNKNOWN;
    }
}

gboolean
weft_linker_classify (WeftLinker *self, const WeftLinkerDispatch *dispatch, gboolean force)
{
  Verdict verdict = { .reason = self->options.no_waits ? WEFT_CLASSIFICATION_REASON_WAITS_UNKNOWN
                                                       : WEFT_CLASSIFICATION_REASON_NO_WAIT };
  Proofs proofs = { 0 };
  guint64 values[3];

  if (!find_lists (self, dispatch, &proofs))
    {
      weft_derived_rows_release (self->dispatches, dispatch->dispatch);
      return TRUE;
    }
  find_proofs (&proofs);
  if (!proofs.queued)
    verdict.reason = WEFT_CLASSIFICATION_REASON_NO_ORIGIN;
  else if (!proofs.has_thread)
    verdict.reason = WEFT_CLASSIFICATION_REASON_NO_THREAD;
  else if (dispatch->never_ran)
    verdict.reason = WEFT_CLASSIFICATION_REASON_NOT_COMPLETED;
  else
    weigh_waits (self, dispatch, &proofs, &verdict);
  g_array_unref (proofs.waits);
  if (!force && proofs.unlinked)
    return FALSE;
  if (!force && verdict.is_open && verdict.reason != WEFT_CLASSIFICATION_REASON_WAIT)
    return FALSE;

  values[0] = classification_of (verdict.reason);
  values[1] = verdict.reason;
  values[2] = verdict.callchain;
  weft_derived_rows_decide (self->dispatches, dispatch->dispatch, values);
  weft_linker_drop_evidence (self, WEFT_LINKER_DISPATCHES, dispatch->dispatch);
  weft_linker_drop_evidence (self, WEFT_LINKER_PRODUCERS + dispatch->runtime,
                             dispatch->producer_id);
  return TRUE;
}
