/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-linker-private.h"

#include "weft-enums.h"

#define FLUSH_INTERVAL (500 * NS_PER_MS)

typedef struct
{
  guint64 process;
  guint64 thread;
} Owner;

/* ---- Life ---- */

WeftLinker *
weft_linker_new (WeftStoreWriter *store, const WeftLinkerOptions *options)
{
  static const WeftColumnNumber origins[] = { WEFT_ORIGINS_LINK_STATUS, WEFT_ORIGINS_LINK_SAMPLE,
                                              WEFT_ORIGINS_LINK_DISTANCE,
                                              WEFT_ORIGINS_LINK_CALLCHAIN };
  static const WeftColumnNumber dispatches[] = { WEFT_DISPATCHES_CLASSIFICATION,
                                                 WEFT_DISPATCHES_CLASSIFICATION_REASON,
                                                 WEFT_DISPATCHES_SHARED_CALLCHAIN };
  static const guint64 no_origin[] = { 0, 0, 0, 0 };
  static const guint64 plain[] = { WEFT_CLASSIFICATION_UNKNOWN,
                                   WEFT_CLASSIFICATION_REASON_NO_ORIGIN, 0 };
  WeftLinker *self = g_new0 (WeftLinker, 1);

  self->store = store;
  self->end = G_MAXINT64;
  self->flushed = G_MININT64 / 2;
  weft_linker_set_options (self, options);
  self->history = weft_sample_history_new (WEFT_SAMPLE_HISTORY_SAMPLES);
  self->callchains = g_array_new (FALSE, TRUE, sizeof (WeftLinkerCallchain));
  self->functions = g_array_new (FALSE, TRUE, sizeof (guint64));
  self->owners =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, (GDestroyNotify) g_array_unref);
  self->origins = weft_derived_rows_new (store, WEFT_TABLE_ORIGINS, WEFT_LINKER_VERSION, origins,
                                         G_N_ELEMENTS (origins), no_origin);
  self->dispatches = weft_derived_rows_new (store, WEFT_TABLE_DISPATCHES, WEFT_LINKER_VERSION,
                                            dispatches, G_N_ELEMENTS (dispatches), plain);
  weft_linker_evidence_init (self);
  return self;
}

void
weft_linker_set_options (WeftLinker *self, const WeftLinkerOptions *options)
{
  if (options != NULL)
    self->options = *options;
  if (self->options.tolerance <= 0)
    self->options.tolerance = WEFT_LINKER_TOLERANCE;
  if (self->options.highest_tid <= 0)
    self->options.highest_tid = WEFT_LINKER_HIGHEST_TID;
}

void
weft_linker_set_no_samples (WeftLinker *self, gboolean no_samples)
{
  self->options.no_samples = no_samples;
}

void
weft_linker_set_no_waits (WeftLinker *self, gboolean no_waits)
{
  self->options.no_waits = no_waits;
}

void
weft_linker_set_end (WeftLinker *self, gint64 end)
{
  self->end =
      end < G_MAXINT64 - WEFT_LINKER_UNKNOWN_END ? end + WEFT_LINKER_UNKNOWN_END : G_MAXINT64;
}

/* ---- What it is told ---- */

void
weft_linker_add_sample (WeftLinker *self, guint64 thread, gint64 time, guint64 sample,
                        guint64 callchain)
{
  weft_sample_history_add (self->history, thread, time, sample, callchain);
}

void
weft_linker_add_wait (WeftLinker *self, guint64 thread, gint64 start, gint64 end, guint64 callchain)
{
  weft_sample_history_add_wait (self->history, thread, start, end, callchain);
}

void
weft_linker_add_callchain (WeftLinker *self, guint64 callchain, guint64 parent, guint64 frame,
                           guint depth)
{
  if (callchain == 0 || callchain > MAX_CALLCHAINS)
    return;
  if (callchain > self->callchains->len)
    g_array_set_size (self->callchains, (guint) callchain);
  g_array_index (self->callchains, WeftLinkerCallchain, callchain - 1) =
      (WeftLinkerCallchain){ parent, frame, depth };
}

void
weft_linker_add_frame (WeftLinker *self, guint64 frame, guint64 function)
{
  if (frame == 0 || frame > MAX_FRAMES)
    return;
  if (frame > self->functions->len)
    g_array_set_size (self->functions, (guint) frame);
  g_array_index (self->functions, guint64, frame - 1) = function;
}

/* A place each, which a later one may take. */
void
weft_linker_add_stack (WeftLinker *self, guint64 stack, guint64 callchain)
{
  if (callchain == 0)
    return;
  if (self->stacks == NULL)
    self->stacks = g_new0 (WeftLinkerStack, MAX_STACKS);
  self->stacks[stack % MAX_STACKS] = (WeftLinkerStack){ stack, callchain };
}

static guint64
callchain_of_stack (const WeftLinker *self, guint64 stack)
{
  if (self->stacks == NULL || self->stacks[stack % MAX_STACKS].stack != stack)
    return 0;
  return self->stacks[stack % MAX_STACKS].callchain;
}

void
weft_linker_add_thread (WeftLinker *self, guint64 process, gint64 tid, guint64 thread)
{
  GArray *owners = g_hash_table_lookup (self->owners, &tid);
  const Owner owner = { process, thread };

  if (tid <= 0 || self->n_owners >= MAX_OWNERS)
    return;
  if (owners == NULL)
    {
      owners = g_array_sized_new (FALSE, FALSE, sizeof (Owner), 1);
      g_hash_table_insert (self->owners, g_memdup2 (&tid, sizeof tid), owners);
    }
  g_array_append_val (owners, owner);
  self->n_owners++;
}

/* The latest thread of the origin's number in its own process; else OTHERS tells whether another
 * process has one.
 */
static guint64
find_owner (const WeftLinker *self, const WeftLinkerOrigin *origin, gboolean *others)
{
  const GArray *owners = g_hash_table_lookup (self->owners, &origin->tid);

  gboolean own = FALSE;

  *others = FALSE;
  if (origin->other_namespace)
    return 0;
  for (guint i = owners == NULL ? 0 : owners->len; i-- > 0;)
    {
      const Owner *owner = &g_array_index (owners, Owner, i);

      if (owner->process == origin->process && owner->thread != 0)
        return owner->thread;
      own |= owner->process == origin->process;
    }
  *others = owners != NULL && !own;
  return 0;
}

/* ---- Links ---- */

static guint64
thread_key (const WeftPendingOrigin *pending)
{
  if (pending->thread != 0)
    return pending->thread;
  return WEFT_LINKER_NO_THREAD | (guint64) pending->origin.tid;
}

static void
decide (WeftLinker *self, const WeftPendingOrigin *pending, WeftLinkStatus status,
        const WeftSampleMatch *match)
{
  guint64 values[] = { status, 0, 0, 0 };

  if (match != NULL)
    {
      values[1] = match->sample;
      values[2] = (guint64) match->distance;
      values[3] = status == WEFT_LINK_STATUS_TOO_FAR ? 0 : match->callchain;
    }
  weft_derived_rows_decide (self->origins, pending->origin.origin, values);
  weft_linker_set_evidence (self, &pending->origin, thread_key (pending), values[3],
                            status == WEFT_LINK_STATUS_LINKED ||
                                status == WEFT_LINK_STATUS_TOO_FAR ||
                                status == WEFT_LINK_STATUS_NO_STACK);
}

static gboolean
is_outside (const WeftLinker *self, const WeftLinkerOrigin *origin)
{
  gint64 now = MIN (origin->now, self->end);

  return origin->time < 0 || (now != G_MAXINT64 && origin->time > now + WEFT_LINKER_FUTURE);
}

static gboolean
is_synthetic (const WeftLinker *self, const WeftLinkerOrigin *origin)
{
  return origin->tid <= 0 || origin->tid > self->options.highest_tid;
}

/* FALSE if it has to wait: for the thread to be told of. */
static gboolean
decide_stranger (WeftLinker *self, WeftPendingOrigin *pending, gboolean force)
{
  gboolean others;

  if (is_synthetic (self, &pending->origin))
    {
      decide (self, pending, WEFT_LINK_STATUS_SYNTHETIC_TID, NULL);
      return TRUE;
    }
  pending->thread = find_owner (self, &pending->origin, &others);
  if (pending->thread != 0)
    return FALSE;
  if (!force && self->now < pending->arrived + WEFT_LINKER_STRANGER_GRACE)
    return FALSE;
  decide (self, pending, others ? WEFT_LINK_STATUS_WRONG_PID : WEFT_LINK_STATUS_MISSING_THREAD,
          NULL);
  return TRUE;
}

/* The wait's own stack is nearer to the truth than any sample: the thread stood there. */
static gboolean
find_nearest (const WeftLinker *self, const WeftPendingOrigin *pending, WeftSampleMatch *match)
{
  const WeftLinkerOrigin *origin = &pending->origin;
  gboolean found = weft_sample_history_find (self->history, pending->thread, origin->time, match);
  WeftSampleMatch wait;

  if ((origin->role == WEFT_ORIGIN_ROLE_WAIT_BEGIN || origin->role == WEFT_ORIGIN_ROLE_WAIT_END) &&
      weft_sample_history_find_wait (self->history, pending->thread, origin->time, &wait) &&
      wait.distance <= self->options.tolerance && (!found || wait.distance <= match->distance))
    {
      *match = wait;
      return TRUE;
    }
  return found;
}

static gboolean
samples_are_there (const WeftLinker *self, const WeftPendingOrigin *pending)
{
  gint64 last; /* that may be near enough */

  if (__builtin_add_overflow (pending->origin.time, self->options.tolerance, &last))
    last = G_MAXINT64;
  return self->options.no_samples || weft_sample_history_get_latest (self->history) >= last ||
         self->now >= pending->arrived + WEFT_LINKER_SAMPLES_LAG;
}

/* In the order of precedence; FALSE if it has to wait for samples. */
static gboolean
decide_known (WeftLinker *self, WeftPendingOrigin *pending, gboolean force)
{
  const WeftLinkerOrigin *origin = &pending->origin;
  WeftSampleMatch match = { 0 };

  if (origin->stack != 0)
    {
      match.callchain = callchain_of_stack (self, origin->stack);
      decide (self, pending, WEFT_LINK_STATUS_LINKED_EXACT, &match);
    }
  else if (origin->time < pending->due)
    decide (self, pending, WEFT_LINK_STATUS_STALE, NULL);
  else if (!force && !samples_are_there (self, pending))
    return FALSE;
  else if (!find_nearest (self, pending, &match))
    decide (self, pending, WEFT_LINK_STATUS_NO_STACK, NULL);
  else
    decide (self, pending,
            match.distance <= self->options.tolerance ? WEFT_LINK_STATUS_LINKED
                                                      : WEFT_LINK_STATUS_TOO_FAR,
            &match);
  return TRUE;
}

static gboolean
decide_origin (WeftLinker *self, WeftPendingOrigin *pending, gboolean force)
{
  if (is_outside (self, &pending->origin))
    {
      decide (self, pending, WEFT_LINK_STATUS_OUTSIDE_RUN, NULL);
      return TRUE;
    }
  if (pending->thread == 0 && decide_stranger (self, pending, force))
    return TRUE;
  return pending->thread != 0 && decide_known (self, pending, force);
}

/* How old an origin may be: what it is about was handed over, or happened, then. */
static gint64
due_time (const WeftLinkerOrigin *origin, const WeftLinkerDispatch *dispatch)
{
  gint64 about;

  if (origin->role == WEFT_ORIGIN_ROLE_WAIT_BEGIN || origin->role == WEFT_ORIGIN_ROLE_WAIT_END)
    return G_MININT64;
  about = origin->role == WEFT_ORIGIN_ROLE_DISPATCH ? dispatch->queued : dispatch->start;
  return about < G_MININT64 + WEFT_LINKER_STALE ? G_MININT64 : about - WEFT_LINKER_STALE;
}

static WeftPendingDispatch *
arrived_at (const WeftLinker *self, guint i)
{
  return &self->arrived[(self->arrived_first + i) & (self->arrived_room - 1)];
}

/* One that is not classified yet, and came not long ago; nearly always the last. */
static const WeftLinkerDispatch *
find_dispatch (const WeftLinker *self, guint64 id)
{
  guint steps = 0;

  for (guint i = self->n_arrived; i-- > 0 && id != 0 && steps < MAX_STEPS; steps++)
    {
      const WeftLinkerDispatch *dispatch = &arrived_at (self, i)->dispatch;

      if (dispatch->dispatch == id)
        return dispatch;
      if (dispatch->dispatch < id)
        return NULL;
    }
  for (const GList *l = self->held.tail; l != NULL && id != 0 && steps < MAX_STEPS;
       l = l->prev, steps++)
    {
      const WeftPendingDispatch *pending = l->data;

      if (pending->dispatch.dispatch == id)
        return &pending->dispatch;
    }
  return NULL;
}

void
weft_linker_add_origin (WeftLinker *self, const WeftLinkerOrigin *origin)
{
  const WeftLinkerDispatch *dispatch = find_dispatch (self, origin->dispatch);
  WeftPendingOrigin pending = { .origin = *origin,
                                .thread = origin->thread,
                                .due = dispatch ? due_time (origin, dispatch) : G_MININT64,
                                .arrived = self->now };
  GQueue *queue;

  self->n_origins = MAX (self->n_origins, origin->origin);
  weft_derived_rows_open (self->origins, origin->origin);
  weft_linker_add_evidence (self, origin, thread_key (&pending));
  if (decide_origin (self, &pending, FALSE))
    return;
  queue = pending.thread != 0 ? &self->pending : &self->strangers;
  g_queue_push_tail (queue, g_memdup2 (&pending, sizeof pending));
  if (queue->length > MAX_PENDING_ORIGINS)
    {
      g_autofree WeftPendingOrigin *first = g_queue_pop_head (queue);

      decide_origin (self, first, TRUE);
    }
}

/* ---- Dispatches ---- */

/* Origins that came before their dispatch may turn out to be too old for it. */
static void
find_stale (WeftLinker *self, const WeftLinkerDispatch *dispatch)
{
  static const guint64 stale[] = { WEFT_LINK_STATUS_STALE, 0, 0, 0 };
  const GArray *early = weft_linker_get_evidence (self, WEFT_LINKER_PRODUCERS + dispatch->runtime,
                                                  dispatch->producer_id);

  for (guint i = 0; early != NULL && i < early->len; i++)
    {
      const WeftLinkerEvidence *evidence = &g_array_index (early, WeftLinkerEvidence, i);
      const WeftLinkerOrigin origin = { .role = evidence->role };

      if (evidence->by_sample && evidence->time < due_time (&origin, dispatch))
        weft_derived_rows_decide (self->origins, evidence->origin, stale);
    }
}

static void
classify_first (WeftLinker *self, gboolean force)
{
  WeftPendingDispatch *first = arrived_at (self, 0);

  if (!weft_linker_classify (self, &first->dispatch, force))
    g_queue_push_tail (&self->held, g_memdup2 (first, sizeof *first));
  self->arrived_first = (self->arrived_first + 1) & (self->arrived_room - 1);
  self->n_arrived--;
}

static void
grow_arrived (WeftLinker *self)
{
  guint room = MAX (1024, 2 * self->arrived_room);
  WeftPendingDispatch *arrived = g_new (WeftPendingDispatch, room);

  for (guint i = 0; i < self->n_arrived; i++)
    arrived[i] = *arrived_at (self, i);
  g_free (self->arrived);
  self->arrived = arrived;
  self->arrived_room = room;
  self->arrived_first = 0;
}

void
weft_linker_add_dispatch (WeftLinker *self, const WeftLinkerDispatch *dispatch)
{
  self->n_dispatches = MAX (self->n_dispatches, dispatch->dispatch);
  weft_derived_rows_open (self->dispatches, dispatch->dispatch);
  find_stale (self, dispatch);
  if (self->n_arrived == MAX_DISPATCHES)
    classify_first (self, FALSE);
  if (self->n_arrived == self->arrived_room)
    grow_arrived (self);
  *arrived_at (self, self->n_arrived++) = (WeftPendingDispatch){ *dispatch, self->now };
}

/* The oldest dispatch that is held keeps a whole block of rows in memory. */
static gboolean
is_crowded (const WeftLinker *self)
{
  return self->held.length > MAX_HELD ||
         weft_derived_rows_get_n_blocks (self->dispatches) > MAX_BLOCKS;
}

static void
classify_held (WeftLinker *self, gboolean force)
{
  GList *next;

  for (GList *l = self->held.head; l != NULL; l = next)
    {
      WeftPendingDispatch *pending = l->data;

      next = l->next;
      if (!weft_linker_classify (self, &pending->dispatch, force))
        continue;
      g_free (pending);
      g_queue_delete_link (&self->held, l);
    }
}

static void
classify_arrived (WeftLinker *self, gboolean force)
{
  while (self->n_arrived > 0 &&
         (force || self->now >= arrived_at (self, 0)->arrived + WEFT_LINKER_WAIT_GRACE))
    classify_first (self, force);
}

static void
release_held (WeftLinker *self)
{
  while (is_crowded (self) && self->held.length > 0)
    {
      g_autofree WeftPendingDispatch *first = g_queue_pop_head (&self->held);

      weft_linker_classify (self, &first->dispatch, TRUE);
    }
}

/* ---- Time goes on ---- */

/* Who waits for a thread may get it when threads have come; else only the oldest have waited long
 * enough.
 */
static void
decide_strangers (WeftLinker *self, gboolean force)
{
  gboolean all = force || self->n_owners != self->n_owners_then;
  GList *next;

  self->n_owners_then = self->n_owners;
  for (GList *l = self->strangers.head; l != NULL; l = next)
    {
      WeftPendingOrigin *pending = l->data;
      gboolean decided = decide_origin (self, pending, force);

      next = l->next;
      if (!decided && pending->thread == 0 && !all)
        return;
      if (!decided && pending->thread == 0)
        continue;
      if (decided)
        g_free (pending);
      else
        g_queue_push_tail (&self->pending, pending);
      g_queue_delete_link (&self->strangers, l);
    }
}

/* Those who wait for samples have come in their order. */
static void
decide_pending (WeftLinker *self, gboolean force)
{
  WeftPendingOrigin *pending;

  decide_strangers (self, force);
  while ((pending = g_queue_peek_head (&self->pending)) != NULL &&
         decide_origin (self, pending, force))
    g_free (g_queue_pop_head (&self->pending));
}

void
weft_linker_flush (WeftLinker *self)
{
  release_held (self);
  weft_derived_rows_flush (self->origins, self->n_origins);
  weft_derived_rows_flush (self->dispatches, self->n_dispatches);
  self->flushed = self->now;
}

void
weft_linker_advance (WeftLinker *self, gint64 now, guint64 n_dispatches)
{
  self->now = now;
  self->n_dispatches = MAX (self->n_dispatches, n_dispatches);
  decide_pending (self, FALSE);
  classify_held (self, FALSE);
  classify_arrived (self, FALSE);
  if (now - self->flushed >= FLUSH_INTERVAL || is_crowded (self))
    weft_linker_flush (self);
}

void
weft_linker_free (WeftLinker *self)
{
  decide_pending (self, TRUE);
  classify_held (self, TRUE);
  classify_arrived (self, TRUE);
  weft_derived_rows_finish (self->origins, self->n_origins);
  weft_derived_rows_finish (self->dispatches, self->n_dispatches);

  weft_derived_rows_free (self->origins);
  weft_derived_rows_free (self->dispatches);
  weft_linker_evidence_clear (self);
  weft_sample_history_free (self->history);
  g_hash_table_unref (self->owners);
  g_array_unref (self->callchains);
  g_array_unref (self->functions);
  g_free (self->stacks);
  g_free (self->arrived);
  g_free (self);
}
