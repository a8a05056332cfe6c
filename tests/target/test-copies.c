/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two copies of the library in one process: this program's, and a plugin's. With the program's
 * symbols exported they share a runtime; else they have one each.
 */
#include "test-case.h"

#include <dlfcn.h>

static WeftTargetRoutine routine = WEFT_TARGET_ROUTINE ("in the program");
static const char *plugin_path;

typedef void (*PluginRun) (unsigned int n);
typedef WeftTargetGate *(*PluginGate) (void);

static int
hear (const WeftTargetEvent *event, void *data)
{
  (void) event;
  ++*(int *) data;
  return 0;
}

static void
two_copies (void)
{
  TestRecorder *recorder = test_recorder_new ();
  WeftTargetLane *lane = weft_target_lane_new ("program", "test.lane");
  void *plugin = dlopen (plugin_path, RTLD_NOW | RTLD_LOCAL);
  size_t records, runtimes = 0;
  int heard = 0;
  uint32_t number;
  PluginGate gate;
  PluginRun run;

  if (plugin == NULL)
    printf ("# %s\n", dlerror ());
  CHECK (plugin != NULL);
  *(void **) &run = dlsym (plugin, "plugin_run");
  *(void **) &gate = dlsym (plugin, "plugin_gate");
  CHECK (gate () != &weft_target_gate);
  test_recorder_start (recorder);
  weft_target_span (lane, &routine, 1, 2);
  run (10);
  weft_target_span (lane, &routine, 1, 2);
  records = test_recorder_drain (recorder);
  CHECK_EQUAL (records, 12);
  for (TestPeer *peer = recorder->peers; peer != NULL; peer = peer->next)
    runtimes++;
#ifdef SHARED_RUNTIME
  CHECK_EQUAL (runtimes, 1);
  number = weft_target_listen (WEFT_TARGET_EVENT_DISPATCH, hear, &heard);
  run (3);
  CHECK_EQUAL (heard, 3);
  weft_target_unlisten (number);
  run (3);
  CHECK_EQUAL (heard, 3);
#else
  CHECK_EQUAL (runtimes, 2);
  CHECK (recorder->peers->message.instance != recorder->peers->next->message.instance);
  CHECK (recorder->peers->message.runtime_id != recorder->peers->next->message.runtime_id);
  (void) number;
  (void) hear;
  (void) heard;
#endif
  CHECK (recorder->fault == NULL);
  /* Unloading takes neither keys nor gates away. */
  dlclose (plugin);
  test_recorder_drain (recorder);
  weft_target_span (lane, &routine, 1, 2);
  CHECK_EQUAL (test_recorder_drain (recorder), 1);
}

static const TestCase cases[] = {
#ifdef SHARED_RUNTIME
  { "/target/T8/two-copies-one-runtime", two_copies },
#else
  { "/target/T8/two-copies-two-runtimes", two_copies },
#endif
};

int
main (int argc, char **argv)
{
  plugin_path = argc > 1 ? argv[1] : "";
  return test_run (cases, 1, 1, argv);
}
