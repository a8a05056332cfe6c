/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writers and a drain on the very same mapping, so that a race detector sees both sides; see also
 * test-delivery.c, where they are apart as in life.
 */
#include "test-case.h"
#include "weft-target-private.h"

#include <pthread.h>

#define N_WRITERS 3
#define N_CALLS 60000

static WeftTargetRoutine routine = WEFT_TARGET_ROUTINE ("work");
static int running = N_WRITERS;

static void *
write_records (void *data)
{
  const WeftTargetTag tag = { "key", WEFT_TARGET_VALUE_STRING, { .string = "value" } };
  const WeftTargetDispatch dispatch
      = { .lane = data, .routine = &routine, .start = 1, .end = 2, .tags = &tag, .n_tags = 1 };

  for (unsigned int i = 0; i < N_CALLS; i++)
    {
      if (i % 3 == 0)
        weft_target_dispatch (&dispatch);
      else
        weft_target_span (data, &routine, i, i + 1);
    }
  __atomic_fetch_sub (&running, 1, __ATOMIC_SEQ_CST);
  return NULL;
}

static void
adopt (TestPeer *peer)
{
  const WftSession *session = wft_runtime->session;

  for (size_t i = 0; i < peer->n_segments; i++)
    peer->segments[i] = session->segments[i].header;
}

static void
same_mapping (void)
{
  TestRecorder *recorder = test_recorder_new ();
  WeftTargetLane *lane = weft_target_lane_new ("lane", "test.lane");
  pthread_t threads[N_WRITERS];
  WeftTargetStats stats;
  size_t records;

  recorder->keep = false;
  test_recorder_start (recorder);
  weft_target_span (lane, &routine, 1, 2);
  records = test_recorder_drain (recorder);
  for (int i = 0; i < N_WRITERS; i++)
    pthread_create (&threads[i], NULL, write_records, lane);
  while (__atomic_load_n (&running, __ATOMIC_SEQ_CST) > 0)
    {
      adopt (recorder->peers);
      records += test_recorder_drain (recorder);
    }
  for (int i = 0; i < N_WRITERS; i++)
    pthread_join (threads[i], NULL);
  records += test_recorder_drain (recorder);
  weft_target_get_stats (&stats, sizeof stats);
  CHECK_EQUAL (records + stats.dropped, N_WRITERS * N_CALLS + 1);
  CHECK_EQUAL (stats.queued, records);
  CHECK_EQUAL (test_peer_gaps (recorder->peers), 0);
  CHECK (recorder->fault == NULL);
}

static const TestCase cases[] = {
  { "/target/T8/same-mapping", same_mapping },
};

TEST_MAIN (cases)
