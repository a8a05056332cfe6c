/* SPDX-License-Identifier: BSD-2-Clause */
/* T8: a producer of an older minor version, as statically linked ones are, beside today's. */
#include "test-case.h"

static const char *producer;
static WeftTargetRoutine routine = WEFT_TARGET_ROUTINE ("work");

static void
older_minor (void)
{
  TestRecorder *recorder = test_recorder_new ();
  TestPeer *today, *older;
  pid_t pid;

  test_recorder_start (recorder);
  weft_target_span (weft_target_lane_new ("lane", "test.lane"), &routine, 1, 2);
  fflush (stdout);
  pid = fork ();
  if (pid == 0)
    {
      if (freopen ("/dev/null", "w", stdout) == NULL)
        _exit (8);
      execl (producer, "producer", "50", (char *) NULL);
      _exit (9);
    }
  CHECK_EQUAL (test_wait (pid), 0);
  CHECK_EQUAL (test_recorder_drain (recorder), 52);
  today = test_recorder_peer (recorder, getpid ());
  older = test_recorder_peer (recorder, pid);
  CHECK (today != NULL && older != NULL);
  CHECK_EQUAL (older->registry->minor, 0);
  CHECK_EQUAL (older->message.minor, 0);
  CHECK_EQUAL (today->registry->minor, WEFT_WIRE_MINOR);
  CHECK_EQUAL (test_peer_count (older, WEFT_WIRE_SPAN), 50);
  CHECK_EQUAL (test_peer_count (older, WEFT_WIRE_DISPATCH), 1);
  CHECK_EQUAL (test_peer_count (older, WEFT_WIRE_SIDE_TAG), 1);
  CHECK (recorder->fault == NULL);
}

static const TestCase cases[] = {
  { "/target/T8/older-minor", older_minor },
};

int
main (int argc, char **argv)
{
  producer = argc > 1 ? argv[1] : "";
  return test_run (cases, 1, 1, argv);
}
