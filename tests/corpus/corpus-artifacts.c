/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Companion files, and lanes that end. */

#include "corpus.h"

static CorpusLane *
lane (void)
{
  return corpus_lane ("artifacts", "metal.queue");
}

static void
artifact_dispatch (void)
{
  uint32_t files[2];
  WeftTargetDispatch dispatch = corpus_dispatch (lane (), "artifact-dispatch", 10 * MS, MS);

  files[0] =
      weft_target_artifact_new ("gputrace", "captures/frame-17.gputrace", "frame 17", 123456);
  files[1] = weft_target_artifact_new ("log", "captures/frame-17.log", NULL, 0);
  dispatch.artifacts = files;
  dispatch.n_artifacts = N_ELEMENTS (files);
  corpus_emit (lane (), &dispatch);
}

static void
artifact_submission (void)
{
  uint32_t file =
      weft_target_artifact_new ("dump", "captures/buffer.bin", "command buffer", UINT64_MAX);
  WeftTargetDispatch dispatch = corpus_dispatch (lane (), "artifact-submission", 20 * MS, MS);

  dispatch.submission = weft_target_id_new ();
  corpus_emit (lane (), &dispatch);
  weft_target_submission (
      &(WeftTargetSubmissionEvent){ .lane = lane ()->lane,
                                    .submission = dispatch.submission,
                                    .kind = WEFT_TARGET_SUBMISSION_COMPLETED,
                                    .ticks = corpus_ticks (corpus_time (21 * MS)),
                                    .artifacts = &file,
                                    .n_artifacts = 1 });
}

static void
artifact_registered (void)
{
  uint32_t file =
      weft_target_artifact_new ("pipeline", "cache/pipelines.bin", "all pipelines", 4096);
  WeftTargetRoutine *routine = weft_target_routine_new ("artifact-registered");
  const WeftTargetSource text = { .language = "wgsl", .path = "shaders/blit.wgsl" };
  const uint32_t owners[WEFT_TARGET_OWNER_SOURCE + 1] = {
    [WEFT_TARGET_OWNER_LANE] = weft_target_lane_get_id (lane ()->lane),
    [WEFT_TARGET_OWNER_QUEUE] = weft_target_queue_new (lane ()->lane, "blit"),
    [WEFT_TARGET_OWNER_ROUTINE] = weft_target_routine_get_id (routine),
    [WEFT_TARGET_OWNER_SOURCE] = weft_target_source_new (&text, sizeof text)
  };
  const WeftTargetTag tag = corpus_tag ("version", "4");

  corpus_span (lane (), "artifact-registered", 30 * MS, MS);
  corpus_settle ();
  for (size_t i = 0; i < N_ELEMENTS (owners); i++)
    weft_target_artifact_link (file, (WeftTargetOwner) i, owners[i]);
  weft_target_tag (WEFT_TARGET_OWNER_SOURCE, owners[WEFT_TARGET_OWNER_SOURCE], &tag);
}

static void
lane_close (void)
{
  CorpusLane *closed = corpus_lane ("closed lane", "executor.worker");

  corpus_span (closed, "lane-close", 40 * MS, MS);
  weft_target_lane_close (closed->lane);
  corpus_span (closed, "lane-close", 42 * MS, MS);
}

static const CorpusCase cases[] = {
  { "artifact-dispatch", "two files about a dispatch",
    "lane `artifacts`: `captures/frame-17.gputrace` and `captures/frame-17.log`, linked with it; "
    "sizes 123456 and 0",
    artifact_dispatch },
  { "artifact-submission", "a file of unknown size about a submission",
    "`captures/buffer.bin`, linked with the submission; no size", artifact_submission },
  { "artifact-registered", "a file about the runtime, a lane, a queue, a routine and a source",
    "`cache/pipelines.bin`, linked with all five; tag `version` of the source",
    artifact_registered },
  { "lane-close", "a lane that is closed, and reports once more",
    "lane `closed lane`: an end, 2 dispatches", lane_close },
};

const CorpusGroup corpus_artifacts = { "artifacts", cases, N_ELEMENTS (cases) };
