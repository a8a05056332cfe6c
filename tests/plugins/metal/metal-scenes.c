/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A program that reports a command queue as one would that leaves things out, on the real way from
 * program to file. Its arguments are the scenes:
 *
 *   healthy     nothing is left out
 *   no-source   the shader has a name and no source
 *   no-library  neither library nor pipeline of the shader is told
 *   unsampled   counter sets are listed and not sampled: disabled, unsupported, failing, forgotten
 *   errors      some counter values are error values
 *   unresolved  some dispatches got no times
 *   library HASH FUNCTION …   shaders of a .metallib with that hash, without their sources
 *   named FUNCTION …          the same, without saying of which library
 *   encoders LABEL …          GPU work as Instruments tells it, named by encoders' labels
 *   frames MODULE             no lane; time in MODULE's code
 */

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weft-target.h>

#define N_DISPATCHES 10

typedef struct
{
  bool no_source;
  bool no_library;
  bool unsampled;
  bool errors;
  bool unresolved;
  bool encoders;
  const char *hash; /* of the library, or NULL */
} Scene;

/* ---- Shaders ---- */

static void
tag (WeftTargetOwner owner, uint32_t number, const char *key, const char *text)
{
  const WeftTargetTag pair = { key, WEFT_TARGET_VALUE_STRING, { .string = text } };

  if (text != NULL)
    weft_target_tag (owner, number, &pair);
}

static uint32_t
register_source (void)
{
  static const char text[] = "kernel void scale (device float *x [[buffer (0)]])\n"
                             "{\n"
                             "  x[0] *= 2;\n"
                             "}\n";
  const WeftTargetSource source = { .language = "metal", .path = "scale.metal", .text = text };

  return weft_target_source_new (&source, sizeof source);
}

static WeftTargetRoutine *
register_shader (const Scene *scene, const char *function)
{
  WeftTargetRoutineInfo info = { .name = function };
  WeftTargetRoutine *routine;

  if (!scene->no_library)
    info.flavour = "fast / pipeline 1";
  if (!scene->no_source)
    {
      info.source = register_source ();
      info.first_line = 1;
      info.last_line = 4;
    }
  routine = weft_target_routine_new_full (&info, sizeof info);
  tag (WEFT_TARGET_OWNER_ROUTINE, weft_target_routine_get_id (routine), "metal.library-hash",
       scene->hash);
  return routine;
}

/* ---- Counters ---- */

static uint32_t
register_set (const char *name, const char *counter, WeftTargetAvailability availability,
              const char *reason)
{
  const WeftTargetCounter counters[] = {
    { counter, WEFT_TARGET_UNIT_INVOCATIONS, NULL, WEFT_TARGET_COUNTER, WEFT_TARGET_AGGREGATE_SUM,
      WEFT_TARGET_VALUE_U64 },
  };
  const WeftTargetCounterState state = { .availability = availability,
                                         .reason = reason,
                                         .probe = reason ? "supportsCounterSampling: NO" : NULL };

  return weft_target_counter_set_new (name, counters, 1, &state);
}

static uint32_t
register_sets (const Scene *scene)
{
  if (!scene->unsampled)
    return register_set ("statistic", "KernelInvocations", WEFT_TARGET_PRESENT, NULL);
  register_set ("statistic", "KernelInvocations", WEFT_TARGET_DISABLED, "the counter mode is off");
  register_set ("stageutilization", "TotalCycles", WEFT_TARGET_UNSUPPORTED,
                "not at dispatch boundaries");
  register_set ("timestamp", "GPUTimestamp", WEFT_TARGET_FAILING, "no memory for the buffer");
  register_set ("L2", "L2Misses", WEFT_TARGET_PRESENT, NULL);
  return 0;
}

/* ---- Work ---- */

static void
dispatch (const Scene *scene, WeftTargetLane *lane, WeftTargetRoutine *routine, uint32_t set,
          unsigned number)
{
  const uint64_t start = weft_target_now ();
  const WeftTargetCounterValue value = { .value.u64 = 64,
                                         .is_error = scene->errors && number % 5 == 0 };
  const WeftTargetCounterSample sample = {
    .set = set, .point = WEFT_TARGET_POINT_AFTER_DISPATCH, .values = &value, .n_values = 1
  };
  const WeftTargetDispatch work = { .lane = lane,
                                    .routine = routine,
                                    .start = start,
                                    .end = start + 1000,
                                    .samples = &sample,
                                    .n_samples = set != 0 ? 1 : 0 };

  weft_target_dispatch (&work);
}

static void
leave_unresolved (WeftTargetLane *lane)
{
  const WeftTargetTag reason = { "reason", WEFT_TARGET_VALUE_STRING, { .string = "not-written" } };
  WeftTargetMetric *metric = weft_target_metric_new (lane, WEFT_TARGET_COUNTER, "metal.unresolved",
                                                     WEFT_TARGET_UNIT_COUNT, NULL, &reason, 1);

  weft_target_metric_report (metric, 2);
  weft_target_metric_report (metric, 1);
}

static int
perform (const Scene *scene, char **functions, int n_functions)
{
  WeftTargetLane *lane =
      weft_target_lane_new ("GPU", scene->encoders ? "metal.channel" : "metal.queue");
  const uint32_t set = register_sets (scene);

  for (int i = 0; i < n_functions; i++)
    {
      WeftTargetRoutine *routine = register_shader (scene, functions[i]);

      for (unsigned number = 0; number < N_DISPATCHES; number++)
        dispatch (scene, lane, routine, set, number);
    }
  if (scene->unresolved)
    {
      leave_unresolved (lane);
      leave_unresolved (weft_target_lane_new ("second GPU", "metal.queue"));
    }
  return EXIT_SUCCESS;
}

static int
spend_time (const char *path)
{
  void *module = dlopen (path, RTLD_NOW);
  unsigned (*commit) (double) =
      module ? (unsigned (*) (double)) dlsym (module, "commit_command_buffer") : NULL;

  if (commit == NULL)
    {
      fprintf (stderr, "%s\n", dlerror ());
      return EXIT_FAILURE;
    }
  return commit (0.5) != 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main (int argc, char **argv)
{
  static char scale[] = "scale";
  char *usual[] = { scale };
  Scene scene = { 0 };
  int first = 2; /* function */

  if (argc < 2)
    return EXIT_FAILURE;
  if (strcmp (argv[1], "frames") == 0 && argc == 3)
    return spend_time (argv[2]);
  scene.no_source = strcmp (argv[1], "no-source") == 0;
  scene.no_library = strcmp (argv[1], "no-library") == 0;
  scene.unsampled = strcmp (argv[1], "unsampled") == 0;
  scene.errors = strcmp (argv[1], "errors") == 0;
  scene.unresolved = strcmp (argv[1], "unresolved") == 0;
  scene.encoders = strcmp (argv[1], "encoders") == 0;
  if (strcmp (argv[1], "library") == 0 && argc > 2)
    scene.hash = argv[first++];
  if (scene.hash != NULL || scene.encoders || strcmp (argv[1], "named") == 0)
    scene.no_source = true;
  return argc > first ? perform (&scene, argv + first, argc - first) : perform (&scene, usual, 1);
}
