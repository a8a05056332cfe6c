/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Links of origins and classes of dispatches, told by hand: each status and reason, what comes
 * first of two that fit, thresholds at their edges, and what comes late.
 */

#include "record-rig.h"

#include "weft-derived-rows.h"
#include "weft-enums.h"
#include "weft-linker.h"
#include "weft-sample-history.h"

#define MS G_GINT64_CONSTANT (1000000)
#define SECOND (1000 * MS)

/* Threads that the linker knows: of process 1, and of process 2. */
#define OURS 11
#define OURS_TID 1011
#define IDLE 12
#define IDLE_TID 1012
#define THEIRS 21
#define THEIRS_TID 2021

typedef struct
{
  char *folder;
  char *path;
  WeftStoreWriter *store;
  WeftLinker *linker;
  guint64 n_origins;
  guint64 n_dispatches;
  gint64 now;
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  static const WeftStoreOptions options = { .flush_interval_ms = 100000 };

  self->folder = rig_make_folder ();
  self->path = g_build_filename (self->folder, "linker.weft", NULL);
  self->store = weft_store_writer_new (self->path, &options, NULL);
  self->linker = weft_linker_new (self->store, NULL);
  weft_linker_add_thread (self->linker, 1, OURS_TID, OURS);
  weft_linker_add_thread (self->linker, 1, IDLE_TID, IDLE);
  weft_linker_add_thread (self->linker, 2, THEIRS_TID, THEIRS);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  if (self->linker != NULL)
    weft_linker_free (self->linker);
  if (self->store != NULL)
    weft_store_writer_close (self->store, NULL);
  rig_remove_folder (self->folder);
  g_free (self->path);
}

static void
advance (Fixture *self, gint64 time)
{
  self->now += time;
  weft_linker_advance (self->linker, self->now, self->n_dispatches);
}

/* What a reader of the file sees now. */
static WeftStore *
look (Fixture *self)
{
  WeftStore *store;

  if (self->linker != NULL)
    weft_linker_flush (self->linker);
  g_assert_true (weft_store_writer_flush (self->store, NULL));
  store = weft_store_open (self->path, NULL);
  g_assert_nonnull (store);
  return store;
}

static WeftStore *
finish (Fixture *self)
{
  g_autoptr (GError) error = NULL;
  WeftStore *store;

  weft_linker_advance (self->linker, self->now, self->n_dispatches);
  g_clear_pointer (&self->linker, weft_linker_free);
  weft_store_writer_close (g_steal_pointer (&self->store), &error);
  g_assert_no_error (error);
  store = weft_store_open (self->path, NULL);
  g_assert_cmpint (weft_store_get_state (store), ==, WEFT_STORE_COMPLETE);
  return store;
}

/* ---- Telling ---- */

static guint64
add_origin (Fixture *self, const WeftLinkerOrigin *told)
{
  WeftTableWriter *t = weft_store_writer_table (self->store, WEFT_TABLE_ORIGINS);
  WeftLinkerOrigin origin = *told;

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_ORIGINS_ROLE, origin.role);
  origin.origin = weft_table_writer_commit (t);
  origin.process = 1;
  if (origin.now == 0)
    origin.now = G_MAXINT64;
  weft_linker_add_origin (self->linker, &origin);
  self->n_origins = origin.origin;
  return origin.origin;
}

static guint64
add_dispatch (Fixture *self, const WeftLinkerDispatch *told)
{
  WeftTableWriter *t = weft_store_writer_table (self->store, WEFT_TABLE_DISPATCHES);
  WeftLinkerDispatch dispatch = *told;

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_DISPATCHES_LANE, 1);
  weft_table_writer_set (t, WEFT_DISPATCHES_START, (guint64) dispatch.start);
  dispatch.dispatch = weft_table_writer_commit (t);
  if (dispatch.queued == 0)
    dispatch.queued = dispatch.start;
  weft_linker_add_dispatch (self->linker, &dispatch);
  self->n_dispatches = dispatch.dispatch;
  return dispatch.dispatch;
}

static void
add_plain (Fixture *self, guint n)
{
  WeftTableWriter *t = weft_store_writer_table (self->store, WEFT_TABLE_DISPATCHES);

  for (guint i = 0; i < n; i++)
    {
      weft_table_writer_begin (t);
      weft_table_writer_set (t, WEFT_DISPATCHES_LANE, 1 + i % 3);
      self->n_dispatches = weft_table_writer_commit (t);
    }
}

static void
add_samples (Fixture *self, guint64 thread, gint64 from, gint64 to, gint64 period)
{
  static guint64 sample = 100;

  for (gint64 time = from; time <= to; time += period, sample++)
    weft_linker_add_sample (self->linker, thread, time, sample, 1000 + sample);
}

/* ---- Reading ---- */

static guint64
read_value (WeftStore *store, WeftTableId table, WeftColumnNumber number, guint64 id)
{
  g_autoptr (GError) error = NULL;
  WeftStoreColumn column;
  guint chunk, row;
  guint64 value;

  g_assert_true (weft_store_find_row (store, table, id, &chunk, &row, NULL));
  weft_store_read_column (store, table, chunk, number, &column, &error);
  g_assert_no_error (error);
  value = weft_store_column_get (&column, row);
  weft_store_column_clear (&column);
  return value;
}

#define ORIGIN(store, id, NAME) read_value (store, WEFT_TABLE_ORIGINS, WEFT_ORIGINS_LINK_##NAME, id)
#define DISPATCH(store, id, NAME)                                                                  \
  read_value (store, WEFT_TABLE_DISPATCHES, WEFT_DISPATCHES_##NAME, id)

static void
assert_class (WeftStore *store, guint64 id, WeftClassification class,
              WeftClassificationReason reason)
{
  g_assert_cmpuint (DISPATCH (store, id, CLASSIFICATION), ==, class);
  g_assert_cmpuint (DISPATCH (store, id, CLASSIFICATION_REASON), ==, reason);
}

/* ---- Statuses ---- */

enum
{
  OUTSIDE = 1 << 0,
  WRONG_PID = 1 << 1,
  SYNTHETIC = 1 << 2,
  MISSING = 1 << 3,
  STACK = 1 << 4,
  STALE = 1 << 5,
  SAMPLE_NEAR = 1 << 6,
  SAMPLE_FAR = 1 << 7,
};

/* Everything that an origin may have at once; of threads it has one. */
static const struct
{
  guint has;
  WeftLinkStatus status;
} mixtures[] = {
  /* one at a time */
  { OUTSIDE, WEFT_LINK_STATUS_OUTSIDE_RUN },
  { WRONG_PID, WEFT_LINK_STATUS_WRONG_PID },
  { SYNTHETIC, WEFT_LINK_STATUS_SYNTHETIC_TID },
  { MISSING, WEFT_LINK_STATUS_MISSING_THREAD },
  { STACK, WEFT_LINK_STATUS_LINKED_EXACT },
  { STALE, WEFT_LINK_STATUS_STALE },
  { SAMPLE_NEAR, WEFT_LINK_STATUS_LINKED },
  { SAMPLE_FAR, WEFT_LINK_STATUS_TOO_FAR },
  { 0, WEFT_LINK_STATUS_NO_STACK },
  /* each pair that can be */
  { OUTSIDE | WRONG_PID, WEFT_LINK_STATUS_OUTSIDE_RUN },
  { OUTSIDE | SYNTHETIC, WEFT_LINK_STATUS_OUTSIDE_RUN },
  { OUTSIDE | MISSING, WEFT_LINK_STATUS_OUTSIDE_RUN },
  { OUTSIDE | STACK, WEFT_LINK_STATUS_OUTSIDE_RUN },
  { OUTSIDE | STALE, WEFT_LINK_STATUS_OUTSIDE_RUN },
  { OUTSIDE | SAMPLE_NEAR, WEFT_LINK_STATUS_OUTSIDE_RUN },
  { OUTSIDE | SAMPLE_FAR, WEFT_LINK_STATUS_OUTSIDE_RUN },
  { WRONG_PID | STACK, WEFT_LINK_STATUS_WRONG_PID },
  { WRONG_PID | STALE, WEFT_LINK_STATUS_WRONG_PID },
  { WRONG_PID | SAMPLE_NEAR, WEFT_LINK_STATUS_WRONG_PID },
  { SYNTHETIC | STACK, WEFT_LINK_STATUS_SYNTHETIC_TID },
  { SYNTHETIC | STALE, WEFT_LINK_STATUS_SYNTHETIC_TID },
  { MISSING | STACK, WEFT_LINK_STATUS_MISSING_THREAD },
  { MISSING | STALE, WEFT_LINK_STATUS_MISSING_THREAD },
  { STACK | STALE, WEFT_LINK_STATUS_LINKED_EXACT },
  { STACK | SAMPLE_NEAR, WEFT_LINK_STATUS_LINKED_EXACT },
  { STACK | SAMPLE_FAR, WEFT_LINK_STATUS_LINKED_EXACT },
  { STALE | SAMPLE_NEAR, WEFT_LINK_STATUS_STALE },
  { STALE | SAMPLE_FAR, WEFT_LINK_STATUS_STALE },
  /* of many */
  { OUTSIDE | WRONG_PID | STACK | STALE, WEFT_LINK_STATUS_OUTSIDE_RUN },
  { STACK | STALE | SAMPLE_NEAR, WEFT_LINK_STATUS_LINKED_EXACT },
};

static guint64
add_mixture (Fixture *self, guint has, gint64 time)
{
  WeftLinkerOrigin origin = { .role = WEFT_ORIGIN_ROLE_DISPATCH,
                              .tid = OURS_TID,
                              .thread = OURS,
                              .time = has & OUTSIDE ? -time : time };

  if (has & (WRONG_PID | SYNTHETIC | MISSING))
    {
      origin.tid = has & WRONG_PID ? THEIRS_TID : has & SYNTHETIC ? 1 << 30 : 777;
      origin.thread = 0;
    }
  if (has & STACK)
    {
      origin.stack = 5;
      weft_linker_add_stack (self->linker, 5, 55);
    }
  origin.dispatch = add_dispatch (self, &(WeftLinkerDispatch){
                                            .start = origin.time + (has & STALE ? SECOND : MS),
                                            .end = origin.time + 2 * SECOND,
                                        });
  if (has & SAMPLE_NEAR)
    add_samples (self, has & WRONG_PID ? THEIRS : OURS, time, time, MS);
  if (has & SAMPLE_FAR)
    add_samples (self, OURS, time - 100 * MS, time - 100 * MS, MS);
  return add_origin (self, &origin);
}

static void
test_mixture (Fixture *self, gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  guint64 id = add_mixture (self, mixtures[i].has, 5 * SECOND);
  g_autoptr (WeftStore) store = finish (self);

  g_assert_cmpuint (ORIGIN (store, id, STATUS), ==, mixtures[i].status);
  if (mixtures[i].status == WEFT_LINK_STATUS_LINKED_EXACT)
    g_assert_cmpuint (ORIGIN (store, id, CALLCHAIN), ==, 55);
  else if (mixtures[i].status == WEFT_LINK_STATUS_LINKED)
    g_assert_cmpuint (ORIGIN (store, id, CALLCHAIN), >, 1000);
  else
    g_assert_cmpuint (ORIGIN (store, id, CALLCHAIN), ==, 0);
  g_assert_cmpuint (ORIGIN (store, id, DISTANCE), ==,
                    mixtures[i].status == WEFT_LINK_STATUS_TOO_FAR ? 100 * MS : 0);
  g_assert_cmpint (ORIGIN (store, id, SAMPLE) != 0, ==,
                   mixtures[i].status == WEFT_LINK_STATUS_LINKED ||
                       mixtures[i].status == WEFT_LINK_STATUS_TOO_FAR);
}

/* ---- Thresholds ---- */

static guint64
add_simple (Fixture *self, guint role, gint64 time)
{
  return add_origin (
      self, &(WeftLinkerOrigin){ .role = role, .tid = OURS_TID, .thread = OURS, .time = time });
}

static void
test_tolerance (Fixture *self, gconstpointer data)
{
  const gint64 distances[] = { 0, 1, 9999999, 10000000, 10000001, 20000000 };
  guint64 early[6], late[6], between;
  g_autoptr (WeftStore) store = NULL;

  add_samples (self, OURS, SECOND, SECOND, MS);
  add_samples (self, OURS, 3 * SECOND, 3 * SECOND, MS);
  for (guint i = 0; i < 6; i++)
    {
      early[i] = add_simple (self, WEFT_ORIGIN_ROLE_DISPATCH, SECOND - distances[i]);
      late[i] = add_simple (self, WEFT_ORIGIN_ROLE_FAULT, SECOND + distances[i]);
    }
  between = add_simple (self, WEFT_ORIGIN_ROLE_COMPLETION, 2 * SECOND);
  store = finish (self);
  for (guint i = 0; i < 6; i++)
    {
      WeftLinkStatus status = i < 4 ? WEFT_LINK_STATUS_LINKED : WEFT_LINK_STATUS_TOO_FAR;

      g_assert_cmpuint (ORIGIN (store, early[i], STATUS), ==, status);
      g_assert_cmpuint (ORIGIN (store, late[i], STATUS), ==, status);
      g_assert_cmpint (ORIGIN (store, early[i], DISTANCE), ==, distances[i]);
      g_assert_cmpint (ORIGIN (store, late[i], DISTANCE), ==, distances[i]);
    }
  g_assert_cmpuint (ORIGIN (store, between, STATUS), ==, WEFT_LINK_STATUS_TOO_FAR);
  g_assert_cmpuint (ORIGIN (store, between, DISTANCE), ==, SECOND);
}

static void
test_tolerance_option (Fixture *self, gconstpointer data)
{
  guint64 near, far;
  g_autoptr (WeftStore) store = NULL;

  weft_linker_set_options (self->linker, &(WeftLinkerOptions){ .tolerance = 2 * MS });
  add_samples (self, OURS, SECOND, SECOND, MS);
  near = add_simple (self, WEFT_ORIGIN_ROLE_DISPATCH, SECOND + 2 * MS);
  far = add_simple (self, WEFT_ORIGIN_ROLE_DISPATCH, SECOND + 2 * MS + 1);
  store = finish (self);
  g_assert_cmpuint (ORIGIN (store, near, STATUS), ==, WEFT_LINK_STATUS_LINKED);
  g_assert_cmpuint (ORIGIN (store, far, STATUS), ==, WEFT_LINK_STATUS_TOO_FAR);
}

static guint64
add_aged (Fixture *self, guint role, gint64 age_to_queued, gint64 age_to_start)
{
  guint64 dispatch = add_dispatch (self, &(WeftLinkerDispatch){ .start = SECOND + age_to_start,
                                                                .end = 9 * SECOND,
                                                                .queued = SECOND + age_to_queued });

  return add_origin (
      self,
      &(WeftLinkerOrigin){
          .role = role, .tid = OURS_TID, .thread = OURS, .time = SECOND, .dispatch = dispatch });
}

/* 250 ms before what it is about was handed over, or, of an event, before the start. */
static void
test_stale (Fixture *self, gconstpointer data)
{
  const struct
  {
    guint role;
    gint64 queued;
    gint64 start;
    gboolean stale;
  } cases[] = {
    { WEFT_ORIGIN_ROLE_DISPATCH, 250 * MS, 250 * MS, FALSE },
    { WEFT_ORIGIN_ROLE_DISPATCH, 250 * MS + 1, 250 * MS + 1, TRUE },
    { WEFT_ORIGIN_ROLE_DISPATCH, 1, 5 * SECOND, FALSE },
    { WEFT_ORIGIN_ROLE_COMPLETION, 1, 250 * MS, FALSE },
    { WEFT_ORIGIN_ROLE_COMPLETION, 1, 250 * MS + 1, TRUE },
    { WEFT_ORIGIN_ROLE_FAULT, 1, 250 * MS + 1, TRUE },
    { WEFT_ORIGIN_ROLE_WAIT_BEGIN, SECOND, 5 * SECOND, FALSE },
    { WEFT_ORIGIN_ROLE_WAIT_END, SECOND, 5 * SECOND, FALSE },
  };
  guint64 ids[G_N_ELEMENTS (cases)];
  g_autoptr (WeftStore) store = NULL;

  add_samples (self, OURS, SECOND, SECOND, MS);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    ids[i] = add_aged (self, cases[i].role, cases[i].queued, cases[i].start);
  store = finish (self);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpuint (ORIGIN (store, ids[i], STATUS), ==,
                      cases[i].stale ? WEFT_LINK_STATUS_STALE : WEFT_LINK_STATUS_LINKED);
}

/* An origin that came before its dispatch, and was linked, turns out to be too old. */
static void
test_stale_late (Fixture *self, gconstpointer data)
{
  WeftLinkerOrigin origin = { .role = WEFT_ORIGIN_ROLE_DISPATCH,
                              .tid = OURS_TID,
                              .thread = OURS,
                              .time = SECOND,
                              .runtime = 3,
                              .producer_dispatch = 99 };
  guint64 old, exact;
  g_autoptr (WeftStore) before = NULL;
  g_autoptr (WeftStore) after = NULL;

  add_samples (self, OURS, SECOND, 2 * SECOND, MS);
  old = add_origin (self, &origin);
  origin.stack = 8;
  exact = add_origin (self, &origin);
  before = look (self);
  g_assert_cmpuint (ORIGIN (before, old, STATUS), ==, WEFT_LINK_STATUS_LINKED);
  add_dispatch (self,
                &(WeftLinkerDispatch){
                    .runtime = 3, .producer_id = 99, .start = 2 * SECOND, .end = 3 * SECOND });
  after = finish (self);
  g_assert_cmpuint (ORIGIN (after, old, STATUS), ==, WEFT_LINK_STATUS_STALE);
  g_assert_cmpuint (ORIGIN (after, old, CALLCHAIN), ==, 0);
  g_assert_cmpuint (ORIGIN (after, exact, STATUS), ==, WEFT_LINK_STATUS_LINKED_EXACT);
}

static void
test_outside (Fixture *self, gconstpointer data)
{
  const struct
  {
    gint64 time;
    gboolean outside;
  } cases[] = { { -1, TRUE },           { G_MININT64, TRUE },      { 0, FALSE },
                { SECOND + MS, FALSE }, { SECOND + MS + 1, TRUE }, { G_MAXINT64, TRUE } };
  guint64 ids[G_N_ELEMENTS (cases)];
  guint64 unbounded, unbounded_far;
  g_autoptr (WeftStore) store = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    ids[i] = add_origin (
        self, &(WeftLinkerOrigin){
                  .tid = OURS_TID, .thread = OURS, .time = cases[i].time, .now = SECOND });
  /* Where nobody knows how late it is, only the end tells; a minute is allowed for it. */
  unbounded = add_simple (self, WEFT_ORIGIN_ROLE_DISPATCH, 61 * SECOND);
  unbounded_far = add_simple (self, WEFT_ORIGIN_ROLE_DISPATCH, 62 * SECOND);
  weft_linker_set_end (self->linker, SECOND);
  store = finish (self);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpuint (ORIGIN (store, ids[i], STATUS), ==,
                      cases[i].outside ? WEFT_LINK_STATUS_OUTSIDE_RUN : WEFT_LINK_STATUS_NO_STACK);
  g_assert_cmpuint (ORIGIN (store, unbounded, STATUS), ==, WEFT_LINK_STATUS_NO_STACK);
  g_assert_cmpuint (ORIGIN (store, unbounded_far, STATUS), ==, WEFT_LINK_STATUS_OUTSIDE_RUN);
}

static void
test_numbers (Fixture *self, gconstpointer data)
{
  const struct
  {
    gint64 tid;
    WeftLinkStatus status;
  } cases[] = {
    { 0, WEFT_LINK_STATUS_SYNTHETIC_TID },    { -1, WEFT_LINK_STATUS_SYNTHETIC_TID },
    { 1, WEFT_LINK_STATUS_MISSING_THREAD },   { 5000, WEFT_LINK_STATUS_MISSING_THREAD },
    { 5001, WEFT_LINK_STATUS_SYNTHETIC_TID }, { G_MAXINT64, WEFT_LINK_STATUS_SYNTHETIC_TID }
  };
  guint64 ids[G_N_ELEMENTS (cases)];
  g_autoptr (WeftStore) store = NULL;

  weft_linker_set_options (self->linker, &(WeftLinkerOptions){ .highest_tid = 5000 });
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    ids[i] = add_origin (self, &(WeftLinkerOrigin){ .tid = cases[i].tid, .time = SECOND });
  store = finish (self);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpuint (ORIGIN (store, ids[i], STATUS), ==, cases[i].status);
}

/* ---- Threads that are told of later, or elsewhere ---- */

static void
test_strangers (Fixture *self, gconstpointer data)
{
  guint64 mine, theirs, child, elsewhere;
  g_autoptr (WeftStore) store = NULL;

  mine = add_origin (self, &(WeftLinkerOrigin){ .tid = 3001, .time = SECOND });
  theirs = add_origin (self, &(WeftLinkerOrigin){ .tid = 3002, .time = SECOND });
  child = add_origin (self, &(WeftLinkerOrigin){ .tid = 3003, .time = SECOND });
  elsewhere = add_origin (
      self, &(WeftLinkerOrigin){ .tid = THEIRS_TID, .time = SECOND, .other_namespace = TRUE });
  advance (self, SECOND);
  weft_linker_add_thread (self->linker, 1, 3001, 31);
  weft_linker_add_thread (self->linker, 2, 3001, 32);
  weft_linker_add_thread (self->linker, 2, 3002, 33);
  weft_linker_add_thread (self->linker, 3, 3003, 0);
  add_samples (self, 31, SECOND, SECOND, MS);
  advance (self, SECOND);
  advance (self, SECOND);
  store = look (self);
  g_assert_cmpuint (ORIGIN (store, mine, STATUS), ==, WEFT_LINK_STATUS_LINKED);
  g_assert_cmpuint (ORIGIN (store, theirs, STATUS), ==, WEFT_LINK_STATUS_WRONG_PID);
  g_assert_cmpuint (ORIGIN (store, child, STATUS), ==, WEFT_LINK_STATUS_WRONG_PID);
  g_assert_cmpuint (ORIGIN (store, elsewhere, STATUS), ==, WEFT_LINK_STATUS_MISSING_THREAD);
}

/* ---- Samples that come later ---- */

static guint64
status_now (Fixture *self, guint64 id)
{
  g_autoptr (WeftStore) store = look (self);

  return ORIGIN (store, id, STATUS);
}

static void
test_waits_for_samples (Fixture *self, gconstpointer data)
{
  guint64 id = add_simple (self, WEFT_ORIGIN_ROLE_DISPATCH, SECOND);

  add_samples (self, IDLE, SECOND, SECOND + 9 * MS, MS);
  add_samples (self, OURS, SECOND - 8 * MS, SECOND - 8 * MS, MS);
  advance (self, 100 * MS);
  g_assert_cmpuint (status_now (self, id), ==, WEFT_LINK_STATUS_UNDECIDED);
  /* A nearer one, just before nothing nearer can come. */
  add_samples (self, OURS, SECOND + 3 * MS, SECOND + 3 * MS, MS);
  add_samples (self, IDLE, SECOND + 10 * MS, SECOND + 10 * MS, MS);
  advance (self, 100 * MS);
  {
    g_autoptr (WeftStore) store = look (self);

    g_assert_cmpuint (ORIGIN (store, id, STATUS), ==, WEFT_LINK_STATUS_LINKED);
    g_assert_cmpuint (ORIGIN (store, id, DISTANCE), ==, 3 * MS);
  }
}

/* Nobody runs, so no sample comes: a second is enough. */
static void
test_gives_up (Fixture *self, gconstpointer data)
{
  guint64 id;

  advance (self, SECOND);
  id = add_simple (self, WEFT_ORIGIN_ROLE_DISPATCH, SECOND);
  advance (self, SECOND - 1);
  g_assert_cmpuint (status_now (self, id), ==, WEFT_LINK_STATUS_UNDECIDED);
  advance (self, 1);
  g_assert_cmpuint (status_now (self, id), ==, WEFT_LINK_STATUS_NO_STACK);
}

static void
test_no_sampler (Fixture *self, gconstpointer data)
{
  guint64 id;

  weft_linker_set_options (self->linker, &(WeftLinkerOptions){ .no_samples = TRUE });
  id = add_simple (self, WEFT_ORIGIN_ROLE_DISPATCH, SECOND);
  g_assert_cmpuint (status_now (self, id), ==, WEFT_LINK_STATUS_NO_STACK);
}

/* The stack of a thread that stands still in a wait is where its wait origins are. */
static void
test_wait_stacks (Fixture *self, gconstpointer data)
{
  guint64 begin, end, inside, dispatch, nearer, far;
  g_autoptr (WeftStore) store = NULL;

  weft_linker_add_wait (self->linker, OURS, SECOND, 2 * SECOND, 77);
  weft_linker_add_wait (self->linker, OURS, 3 * SECOND, 4 * SECOND, 0);
  add_samples (self, OURS, SECOND - MS, SECOND - MS, MS);
  begin = add_simple (self, WEFT_ORIGIN_ROLE_WAIT_BEGIN, SECOND - MS / 10);
  end = add_simple (self, WEFT_ORIGIN_ROLE_WAIT_END, 2 * SECOND + MS / 10);
  inside = add_simple (self, WEFT_ORIGIN_ROLE_WAIT_BEGIN, SECOND + 500 * MS);
  dispatch = add_simple (self, WEFT_ORIGIN_ROLE_DISPATCH, SECOND + 500 * MS);
  nearer = add_simple (self, WEFT_ORIGIN_ROLE_WAIT_BEGIN, SECOND - MS * 9 / 10);
  far = add_simple (self, WEFT_ORIGIN_ROLE_WAIT_BEGIN, 3 * SECOND);
  store = finish (self);
  g_assert_cmpuint (ORIGIN (store, begin, STATUS), ==, WEFT_LINK_STATUS_LINKED);
  g_assert_cmpuint (ORIGIN (store, begin, CALLCHAIN), ==, 77);
  g_assert_cmpuint (ORIGIN (store, begin, DISTANCE), ==, MS / 10);
  g_assert_cmpuint (ORIGIN (store, begin, SAMPLE), ==, 0);
  g_assert_cmpuint (ORIGIN (store, end, CALLCHAIN), ==, 77);
  g_assert_cmpuint (ORIGIN (store, end, DISTANCE), ==, MS / 10);
  g_assert_cmpuint (ORIGIN (store, inside, CALLCHAIN), ==, 77);
  g_assert_cmpuint (ORIGIN (store, inside, DISTANCE), ==, 0);
  g_assert_cmpuint (ORIGIN (store, dispatch, STATUS), ==, WEFT_LINK_STATUS_TOO_FAR);
  g_assert_cmpuint (ORIGIN (store, nearer, SAMPLE), !=, 0);
  g_assert_cmpuint (ORIGIN (store, far, STATUS), ==, WEFT_LINK_STATUS_TOO_FAR);
}

/* ---- The history of samples ---- */

static void
test_history (void)
{
  WeftSampleHistory *history = weft_sample_history_new (100);
  WeftSampleMatch match;

  g_assert_cmpint (weft_sample_history_get_latest (history), ==, G_MININT64);
  g_assert_false (weft_sample_history_find (history, 1, 0, &match));
  g_assert_false (weft_sample_history_find (history, 0, 0, &match));
  g_assert_false (weft_sample_history_find (history, G_MAXUINT64, 0, &match));
  for (guint i = 0; i < 150; i++)
    weft_sample_history_add (history, 1 + i % 2, i * 10, i, i + 1000);
  weft_sample_history_add (history, G_MAXUINT64, 5000, 1, 1);
  /* The first fifty are forgotten. */
  g_assert_true (weft_sample_history_find (history, 1, 0, &match));
  g_assert_cmpuint (match.sample, ==, 50);
  g_assert_cmpint (match.distance, ==, 500);
  /* Out of order, a tie, and times as far apart as can be. */
  weft_sample_history_add (history, 1, 1001, 7, 7);
  g_assert_true (weft_sample_history_find (history, 1, 1001, &match));
  g_assert_cmpuint (match.sample, ==, 7);
  g_assert_true (weft_sample_history_find (history, 2, 1000, &match));
  g_assert_cmpuint (match.sample, ==, 99);
  g_assert_cmpint (match.distance, ==, 10);
  g_assert_true (weft_sample_history_find (history, 1, G_MININT64, &match));
  g_assert_cmpint (match.distance, ==, G_MAXINT64);
  g_assert_true (weft_sample_history_find (history, 1, G_MAXINT64, &match));
  g_assert_cmpuint (match.sample, ==, 148);
  /* One thread drives all others out. */
  for (guint i = 0; i < 100; i++)
    weft_sample_history_add (history, 9, 2000 + i, i, i);
  g_assert_false (weft_sample_history_find (history, 1, 0, &match));
  for (guint i = 0; i < 1000; i++)
    weft_sample_history_add_wait (history, 3, i * 10, i * 10 + 5, 1 + i);
  g_assert_true (weft_sample_history_find_wait (history, 3, 9993, &match));
  g_assert_cmpuint (match.callchain, ==, 1000);
  g_assert_cmpint (match.distance, ==, 0);
  g_assert_true (weft_sample_history_find_wait (history, 3, 0, &match));
  g_assert_cmpint (match.distance, ==, (1000 - WEFT_SAMPLE_HISTORY_WAITS) * 10);
  weft_sample_history_free (history);
}

/* ---- Classification ---- */

/* A dispatch from 1 to 2 s, in microseconds from its start. */
#define FROM SECOND
#define TO (2 * SECOND)

typedef struct
{
  gint64 bound;
  guint64 thread; /* that waits; 0: none does */
  gint64 begin;   /* G_MININT64: not told */
  gint64 end;
  WeftClassification class;
  WeftClassificationReason reason;
} WaitCase;

#define NOT_TOLD G_MININT64
#define SYNC WEFT_CLASSIFICATION_SYNCHRONOUS, WEFT_CLASSIFICATION_REASON_WAIT
#define ASYNC(REASON) WEFT_CLASSIFICATION_ASYNCHRONOUS, WEFT_CLASSIFICATION_REASON_##REASON
#define UNSURE(REASON) WEFT_CLASSIFICATION_UNKNOWN, WEFT_CLASSIFICATION_REASON_##REASON

static const WaitCase wait_cases[] = {
  { 0, 0, 0, 0, ASYNC (NO_WAIT) },
  { 0, OURS, FROM - MS, TO + MS, SYNC },
  { 0, OURS, FROM + MS, TO, SYNC },
  { 0, OURS, FROM + MS, TO - 1, ASYNC (WAIT_ENDED_FIRST) },
  { 0, OURS, TO - 1, TO + 1, SYNC },
  { 0, OURS, TO, TO + MS, ASYNC (NO_WAIT) },
  { 0, OURS, TO + MS, TO + 2 * MS, ASYNC (NO_WAIT) },
  { 0, OURS, FROM - 2 * MS, FROM - 1, ASYNC (WAIT_BEFORE) },
  { 0, OURS, FROM - 2 * MS, FROM, ASYNC (WAIT_ENDED_FIRST) },
  { 0, IDLE, FROM + MS, TO + MS, ASYNC (WAIT_ELSEWHERE) },
  { 0, OURS, FROM + MS, NOT_TOLD, UNSURE (HALF_WAIT) },
  { 0, OURS, NOT_TOLD, TO + MS, UNSURE (HALF_WAIT) },
  { 0, OURS, NOT_TOLD, FROM - MS, ASYNC (WAIT_BEFORE) },
  { 0, OURS, TO + MS, NOT_TOLD, ASYNC (NO_WAIT) },
  { 0, IDLE, FROM + MS, NOT_TOLD, ASYNC (WAIT_ELSEWHERE) },
  /* clocks that may be wrong by 1 ms */
  { MS, OURS, FROM, TO + MS, SYNC },
  { MS, OURS, FROM, TO + MS - 1, UNSURE (CLOCK_ERROR) },
  { MS, OURS, FROM, TO - MS + 1, UNSURE (CLOCK_ERROR) },
  { MS, OURS, FROM, TO - MS, ASYNC (WAIT_ENDED_FIRST) },
  { MS, OURS, TO - MS, TO + 5 * MS, SYNC },
  { MS, OURS, TO - MS + 1, TO + 5 * MS, UNSURE (CLOCK_ERROR) },
  { MS, OURS, TO + MS - 1, TO + 5 * MS, UNSURE (CLOCK_ERROR) },
  { MS, OURS, TO + MS, TO + 5 * MS, ASYNC (NO_WAIT) },
  { MS, OURS, FROM - 5 * MS, FROM - MS - 1, ASYNC (WAIT_BEFORE) },
  { MS, OURS, FROM - 5 * MS, FROM - MS, ASYNC (WAIT_ENDED_FIRST) },
  /* and by nobody knows what */
  { G_MAXINT64, OURS, FROM, TO + SECOND, UNSURE (CLOCK_ERROR) },
  { G_MAXINT64, OURS, FROM - SECOND, FROM - SECOND + MS, UNSURE (CLOCK_ERROR) },
  { G_MAXINT64, 0, 0, 0, ASYNC (NO_WAIT) },
};

static gint64
tid_of (guint64 thread)
{
  return thread == OURS ? OURS_TID : thread == IDLE ? IDLE_TID : 777;
}

static void
add_about (Fixture *self, guint role, guint64 thread, gint64 time, guint64 dispatch,
           guint64 submission)
{
  add_origin (self, &(WeftLinkerOrigin){ .role = role,
                                         .tid = tid_of (thread),
                                         .thread = thread,
                                         .time = time,
                                         .dispatch = dispatch,
                                         .submission = submission });
}

static void
add_wait (Fixture *self, const WaitCase *wait, guint64 dispatch, guint64 submission)
{
  if (wait->thread != 0 && wait->begin != NOT_TOLD)
    add_about (self, WEFT_ORIGIN_ROLE_WAIT_BEGIN, wait->thread, wait->begin, dispatch, submission);
  if (wait->thread != 0 && wait->end != NOT_TOLD)
    add_about (self, WEFT_ORIGIN_ROLE_WAIT_END, wait->thread, wait->end, dispatch, submission);
}

static void
test_waits (Fixture *self, gconstpointer data)
{
  const gboolean of_submission = GPOINTER_TO_INT (data);
  guint64 ids[G_N_ELEMENTS (wait_cases)];
  g_autoptr (WeftStore) store = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (wait_cases); i++)
    {
      guint64 submission = of_submission ? 100 + i : 0;

      ids[i] = add_dispatch (self, &(WeftLinkerDispatch){ .start = FROM,
                                                          .end = TO,
                                                          .submission = submission,
                                                          .error_bound = wait_cases[i].bound });
      add_about (self, WEFT_ORIGIN_ROLE_DISPATCH, OURS, FROM - MS, of_submission ? 0 : ids[i],
                 submission);
      add_wait (self, &wait_cases[i], of_submission ? 0 : ids[i], submission);
      add_about (self, WEFT_ORIGIN_ROLE_COMPLETION, OURS, TO + MS, ids[i], 0);
    }
  store = finish (self);
  for (guint i = 0; i < G_N_ELEMENTS (wait_cases); i++)
    {
      g_test_message ("wait %u", i);
      assert_class (store, ids[i], wait_cases[i].class, wait_cases[i].reason);
    }
}

static void
test_zero_duration (Fixture *self, gconstpointer data)
{
  const WaitCase wait = { .thread = OURS, .begin = FROM, .end = FROM };
  guint64 id = add_dispatch (self, &(WeftLinkerDispatch){ .start = FROM, .end = FROM });
  g_autoptr (WeftStore) store = NULL;

  add_about (self, WEFT_ORIGIN_ROLE_DISPATCH, OURS, FROM, id, 0);
  add_wait (self, &wait, id, 0);
  store = finish (self);
  assert_class (store, id, SYNC);
}

/* Without knowing who queued it, nobody can have waited for it. */
static void
test_unknown_queuer (Fixture *self, gconstpointer data)
{
  const WaitCase wait = { .thread = OURS, .begin = FROM, .end = TO + MS };
  WeftLinkerDispatch told = { .start = FROM, .end = TO };
  guint64 nobody, stranger, completion, both, never;
  g_autoptr (WeftStore) store = NULL;

  nobody = add_dispatch (self, &told);
  add_wait (self, &wait, nobody, 0);
  stranger = add_dispatch (self, &told);
  add_about (self, WEFT_ORIGIN_ROLE_DISPATCH, 0, FROM, stranger, 0);
  add_about (self, WEFT_ORIGIN_ROLE_WAIT_BEGIN, 0, FROM + 1, stranger, 0);
  add_about (self, WEFT_ORIGIN_ROLE_WAIT_END, 0, TO + 1, stranger, 0);
  completion = add_dispatch (self, &told);
  add_about (self, WEFT_ORIGIN_ROLE_COMPLETION, OURS, TO, completion, 0);
  both = add_dispatch (self, &told);
  add_about (self, WEFT_ORIGIN_ROLE_DISPATCH, 0, FROM, both, 0);
  add_about (self, WEFT_ORIGIN_ROLE_DISPATCH, OURS, FROM, both, 0);
  add_wait (self, &wait, both, 0);
  told.never_ran = TRUE;
  never = add_dispatch (self, &told);
  add_about (self, WEFT_ORIGIN_ROLE_DISPATCH, OURS, FROM, never, 0);
  add_wait (self, &wait, never, 0);
  store = finish (self);
  assert_class (store, nobody, UNSURE (NO_ORIGIN));
  assert_class (store, stranger, UNSURE (NO_THREAD));
  assert_class (store, completion, UNSURE (NO_ORIGIN));
  assert_class (store, both, SYNC);
  assert_class (store, never, UNSURE (NOT_COMPLETED));
}

/* The strongest of several waits counts, in whatever order they are told. */
static void
test_strongest (Fixture *self, gconstpointer data)
{
  const WaitCase waits[] = {
    { .thread = IDLE, .begin = FROM, .end = TO + MS },
    { .thread = OURS, .begin = FROM - 9 * MS, .end = FROM - 8 * MS },
    { .thread = OURS, .begin = FROM + MS, .end = TO - MS },
    { .thread = OURS, .begin = NOT_TOLD, .end = TO + 9 * MS },
    { .thread = OURS, .begin = TO - MS / 2, .end = TO + MS },
  };
  const struct
  {
    WeftClassification class;
    WeftClassificationReason reason;
  } expected[] = { { ASYNC (WAIT_ELSEWHERE) },
                   { ASYNC (WAIT_BEFORE) },
                   { ASYNC (WAIT_ENDED_FIRST) },
                   { UNSURE (HALF_WAIT) },
                   { SYNC } };
  guint64 ids[2][G_N_ELEMENTS (waits)];
  g_autoptr (WeftStore) store = NULL;

  for (guint n = 1; n <= G_N_ELEMENTS (waits); n++)
    for (guint turn = 0; turn < 2; turn++)
      {
        guint64 id = add_dispatch (self, &(WeftLinkerDispatch){ .start = FROM, .end = TO });

        ids[turn][n - 1] = id;
        for (guint i = 0; i < n; i++)
          add_wait (self, &waits[turn == 0 ? i : n - 1 - i], id, 0);
        add_about (self, WEFT_ORIGIN_ROLE_DISPATCH, OURS, FROM - 20 * MS, id, 0);
      }
  store = finish (self);
  for (guint n = 1; n <= G_N_ELEMENTS (waits); n++)
    for (guint turn = 0; turn < 2; turn++)
      assert_class (store, ids[turn][n - 1], expected[n - 1].class, expected[n - 1].reason);
}

/* ---- What comes late ---- */

static WeftClassification
class_now (Fixture *self, guint64 id)
{
  g_autoptr (WeftStore) store = look (self);

  return (WeftClassification) DISPATCH (store, id, CLASSIFICATION);
}

/* The row comes long after those who asked for it and waited for it were heard. */
static void
test_late_completion (Fixture *self, gconstpointer data)
{
  const guint roles[] = { WEFT_ORIGIN_ROLE_DISPATCH, WEFT_ORIGIN_ROLE_WAIT_BEGIN,
                          WEFT_ORIGIN_ROLE_WAIT_END };
  const gint64 times[] = { FROM - MS, FROM, TO + MS };
  guint64 id, other;

  weft_linker_set_options (self->linker, &(WeftLinkerOptions){ .no_samples = TRUE });
  for (guint i = 0; i < G_N_ELEMENTS (roles); i++)
    add_origin (self, &(WeftLinkerOrigin){ .role = roles[i],
                                           .tid = OURS_TID,
                                           .thread = OURS,
                                           .time = times[i],
                                           .runtime = 4,
                                           .producer_dispatch = 40 });
  advance (self, 100 * SECOND);
  other = add_dispatch (
      self, &(WeftLinkerDispatch){ .runtime = 5, .producer_id = 40, .start = FROM, .end = TO });
  id = add_dispatch (
      self, &(WeftLinkerDispatch){ .runtime = 4, .producer_id = 40, .start = FROM, .end = TO });
  advance (self, 1499 * MS);
  g_assert_cmpint (class_now (self, id), ==, WEFT_CLASSIFICATION_UNDECIDED);
  advance (self, MS);
  g_assert_cmpint (class_now (self, id), ==, WEFT_CLASSIFICATION_SYNCHRONOUS);
  g_assert_cmpint (class_now (self, other), ==, WEFT_CLASSIFICATION_UNKNOWN);
}

/* A wait that goes on holds the answer, however long; what cannot change it does not. */
static void
test_open_wait (Fixture *self, gconstpointer data)
{
  guint64 held, proven, elsewhere, never;
  g_autoptr (WeftStore) store = NULL;

  weft_linker_set_options (self->linker, &(WeftLinkerOptions){ .no_samples = TRUE });
  held = add_dispatch (self, &(WeftLinkerDispatch){ .start = FROM, .end = TO });
  proven = add_dispatch (self, &(WeftLinkerDispatch){ .start = FROM, .end = TO });
  elsewhere = add_dispatch (self, &(WeftLinkerDispatch){ .start = FROM, .end = TO });
  never = add_dispatch (self, &(WeftLinkerDispatch){ .start = FROM, .end = TO });
  for (guint64 id = held; id <= never; id++)
    {
      add_about (self, WEFT_ORIGIN_ROLE_DISPATCH, OURS, FROM - MS, id, 0);
      add_about (self, WEFT_ORIGIN_ROLE_WAIT_BEGIN, id == elsewhere ? IDLE : OURS, FROM, id, 0);
    }
  add_about (self, WEFT_ORIGIN_ROLE_WAIT_END, OURS, TO + MS, proven, 0);
  add_about (self, WEFT_ORIGIN_ROLE_WAIT_BEGIN, OURS, TO + 2 * MS, proven, 0);
  advance (self, 100 * SECOND);
  g_assert_cmpint (class_now (self, held), ==, WEFT_CLASSIFICATION_UNDECIDED);
  g_assert_cmpint (class_now (self, proven), ==, WEFT_CLASSIFICATION_SYNCHRONOUS);
  g_assert_cmpint (class_now (self, elsewhere), ==, WEFT_CLASSIFICATION_ASYNCHRONOUS);
  add_about (self, WEFT_ORIGIN_ROLE_WAIT_END, OURS, TO + MS, held, 0);
  advance (self, 100 * MS);
  g_assert_cmpint (class_now (self, held), ==, WEFT_CLASSIFICATION_SYNCHRONOUS);
  store = finish (self);
  assert_class (store, never, UNSURE (HALF_WAIT));
}

/* ---- Stacks that are shared ---- */

/* main → run → frame → { encode → submit, wait → block }; run → other. Frames 3 and 13 are one
 * function at two places.
 */
static const struct
{
  guint64 parent;
  guint64 frame;
} chains[] = {
  { 0, 1 },  { 1, 2 },  { 2, 3 },  { 3, 4 }, { 4, 5 }, /* 1 to 5: main run frame encode submit */
  { 2, 13 }, { 6, 14 }, { 7, 15 },                     /* 6 to 8: frame wait block */
  { 2, 20 },                                           /* 9: other */
  { 0, 30 },                                           /* 10: another thread's first */
};

static guint64
share (Fixture *self, guint64 queued, guint64 waited, gboolean at_end)
{
  static guint64 stack = 0;
  guint64 id = add_dispatch (self, &(WeftLinkerDispatch){ .start = FROM, .end = TO });
  WeftLinkerOrigin origin = {
    .tid = OURS_TID, .thread = OURS, .time = FROM - MS, .dispatch = id, .stack = ++stack
  };

  weft_linker_add_stack (self->linker, stack, queued);
  add_origin (self, &origin);
  origin.role = WEFT_ORIGIN_ROLE_WAIT_BEGIN;
  origin.stack = at_end ? 0 : ++stack;
  weft_linker_add_stack (self->linker, stack, at_end ? queued : waited);
  add_origin (self, &origin);
  origin.role = WEFT_ORIGIN_ROLE_WAIT_END;
  origin.time = TO + MS;
  origin.stack = ++stack;
  weft_linker_add_stack (self->linker, stack, waited);
  add_origin (self, &origin);
  return id;
}

static void
test_shared (Fixture *self, gconstpointer data)
{
  const gboolean functions = GPOINTER_TO_INT (data);
  const struct
  {
    guint64 queued, waited, by_places, by_functions;
  } cases[] = {
    { 5, 8, 2, 3 }, { 8, 5, 2, 6 }, { 5, 5, 5, 5 },  { 5, 4, 4, 4 },  { 4, 5, 4, 4 },
    { 5, 9, 2, 2 }, { 9, 8, 2, 2 }, { 5, 10, 0, 0 }, { 5, 99, 0, 0 }, { 3, 6, 2, 3 },
  };
  guint64 ids[G_N_ELEMENTS (cases)], at_end;
  g_autoptr (WeftStore) store = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (chains); i++)
    {
      guint depth = 0;

      for (guint64 at = chains[i].parent; at != 0; at = chains[at - 1].parent)
        depth++;
      weft_linker_add_callchain (self->linker, i + 1, chains[i].parent, chains[i].frame, depth);
    }
  for (guint64 frame = 1; functions && frame <= 30; frame++)
    weft_linker_add_frame (self->linker, frame, frame == 13 ? 3 : frame);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    ids[i] = share (self, cases[i].queued, cases[i].waited, FALSE);
  at_end = share (self, 5, 8, TRUE);
  store = finish (self);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      assert_class (store, ids[i], SYNC);
      g_assert_cmpuint (DISPATCH (store, ids[i], SHARED_CALLCHAIN), ==,
                        functions ? cases[i].by_functions : cases[i].by_places);
    }
  g_assert_cmpuint (DISPATCH (store, at_end, SHARED_CALLCHAIN), ==, functions ? 3 : 2);
}

/* ---- Many ---- */

/* Plain dispatches, of which nothing is told, and a few others between them. */
static void
test_plain (Fixture *self, gconstpointer data)
{
  guint64 told[4];
  g_autoptr (WeftStore) growing = NULL;
  g_autoptr (WeftStore) store = NULL;

  weft_linker_set_options (self->linker, &(WeftLinkerOptions){ .no_samples = TRUE });
  for (guint i = 0; i < G_N_ELEMENTS (told); i++)
    {
      add_plain (self, i == 1 ? 150000 : 30000);
      advance (self, 10 * MS);
      told[i] = add_dispatch (self, &(WeftLinkerDispatch){ .start = FROM, .end = TO });
      add_about (self, WEFT_ORIGIN_ROLE_DISPATCH, OURS, FROM, told[i], 0);
    }
  add_plain (self, 100);
  advance (self, SECOND);
  growing = look (self);
  for (guint64 id = 1; id <= self->n_dispatches; id += 501)
    assert_class (growing, id, UNSURE (NO_ORIGIN));
  g_assert_cmpuint (DISPATCH (growing, told[3], CLASSIFICATION), ==, 0);
  advance (self, SECOND);
  store = finish (self);
  for (guint64 id = 1; id <= self->n_dispatches; id += 501)
    assert_class (store, id, UNSURE (NO_ORIGIN));
  for (guint i = 0; i < G_N_ELEMENTS (told); i++)
    assert_class (store, told[i], ASYNC (NO_WAIT));
}

/* Nobody ever tells of the threads, and no wait ever ends: what does not fit is decided. */
static void
test_bounds (Fixture *self, gconstpointer data)
{
  const guint n = 400000;
  g_autoptr (WeftStore) store = NULL;
  guint64 last;

  for (guint i = 0; i < n; i++)
    {
      guint64 id = add_dispatch (
          self, &(WeftLinkerDispatch){ .start = FROM, .end = TO, .runtime = 1, .producer_id = i });

      add_origin (self,
                  &(WeftLinkerOrigin){ .tid = 1000000 + i % 1000, .time = FROM, .dispatch = id });
      if (i % 10 == 0)
        {
          add_about (self, WEFT_ORIGIN_ROLE_DISPATCH, OURS, FROM, id, 0);
          add_about (self, WEFT_ORIGIN_ROLE_WAIT_BEGIN, OURS, FROM, id, 0);
        }
      if (i % 1000 == 0)
        advance (self, 0);
    }
  last = self->n_origins;
  store = finish (self);
  for (guint64 id = 1; id <= last; id += 997)
    g_assert_cmpuint (ORIGIN (store, id, STATUS), !=, WEFT_LINK_STATUS_UNDECIDED);
  for (guint64 id = 1; id <= n; id += 997)
    g_assert_cmpuint (DISPATCH (store, id, CLASSIFICATION), !=, WEFT_CLASSIFICATION_UNDECIDED);
}

/* What is decided anew after its block was written. */
static void
test_amend (Fixture *self, gconstpointer data)
{
  static const WeftColumnNumber columns[] = { WEFT_ORIGINS_LINK_STATUS };
  static const guint64 none[] = { 0 };
  WeftTableWriter *t = weft_store_writer_table (self->store, WEFT_TABLE_ORIGINS);
  WeftDerivedRows *rows =
      weft_derived_rows_new (self->store, WEFT_TABLE_ORIGINS, 7, columns, 1, none);
  g_autoptr (WeftStore) store = NULL;

  for (guint64 i = 1; i <= 70000; i++)
    {
      const guint64 value[] = { 1 + i % 3 };

      weft_table_writer_begin (t);
      weft_table_writer_set (t, WEFT_ORIGINS_TID, 1);
      g_assert_cmpuint (weft_table_writer_commit (t), ==, i);
      weft_derived_rows_open (rows, i);
      if (i % 5 != 0)
        weft_derived_rows_decide (rows, i, value);
      if (i % 9000 == 0)
        weft_derived_rows_flush (rows, i);
    }
  g_assert_cmpuint (weft_derived_rows_get_n_blocks (rows), ==, 2);
  for (guint64 i = 5; i <= 70000; i += 5)
    weft_derived_rows_decide (rows, i, (guint64[]){ 8 });
  weft_derived_rows_flush (rows, 70000);
  g_assert_cmpuint (weft_derived_rows_get_n_blocks (rows), ==, 1);
  weft_derived_rows_decide (rows, 17, (guint64[]){ 9 });
  weft_derived_rows_finish (rows, 70000);
  weft_derived_rows_free (rows);
  store = finish (self);
  for (guint64 i = 1; i <= 70000; i += i < 100 ? 1 : 331)
    g_assert_cmpuint (ORIGIN (store, i, STATUS), ==, i == 17 ? 9 : i % 5 == 0 ? 8 : 1 + i % 3);
}

static void
add_test (const char *path, gconstpointer data, void (*test) (Fixture *, gconstpointer))
{
  g_test_add (path, Fixture, data, set_up, test, tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (mixtures); i++)
    {
      g_autofree char *path = g_strdup_printf ("/linker/precedence/%u", i);

      add_test (path, GUINT_TO_POINTER (i), test_mixture);
    }
  add_test ("/linker/tolerance", NULL, test_tolerance);
  add_test ("/linker/tolerance-option", NULL, test_tolerance_option);
  add_test ("/linker/stale", NULL, test_stale);
  add_test ("/linker/stale-late", NULL, test_stale_late);
  add_test ("/linker/outside", NULL, test_outside);
  add_test ("/linker/numbers", NULL, test_numbers);
  add_test ("/linker/strangers", NULL, test_strangers);
  add_test ("/linker/waits-for-samples", NULL, test_waits_for_samples);
  add_test ("/linker/gives-up", NULL, test_gives_up);
  add_test ("/linker/no-sampler", NULL, test_no_sampler);
  add_test ("/linker/wait-stacks", NULL, test_wait_stacks);
  g_test_add_func ("/linker/history", test_history);
  add_test ("/linker/waits/dispatch", GINT_TO_POINTER (FALSE), test_waits);
  add_test ("/linker/waits/submission", GINT_TO_POINTER (TRUE), test_waits);
  add_test ("/linker/waits/zero-duration", NULL, test_zero_duration);
  add_test ("/linker/waits/unknown-queuer", NULL, test_unknown_queuer);
  add_test ("/linker/waits/strongest", NULL, test_strongest);
  add_test ("/linker/late-completion", NULL, test_late_completion);
  add_test ("/linker/open-wait", NULL, test_open_wait);
  add_test ("/linker/shared/places", GINT_TO_POINTER (FALSE), test_shared);
  add_test ("/linker/shared/functions", GINT_TO_POINTER (TRUE), test_shared);
  add_test ("/linker/plain", NULL, test_plain);
  add_test ("/linker/bounds", NULL, test_bounds);
  add_test ("/linker/amend", NULL, test_amend);
  return g_test_run ();
}
