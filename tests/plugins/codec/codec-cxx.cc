// SPDX-License-Identifier: LGPL-2.1-or-later
// weft-codec.h in C++17: it compiles without a warning, and its calls can be made.
#define WEFT_CODEC_IMPLEMENTATION
#include "weft-codec.h"

#include <cstdio>

int
main ()
{
  WeftCodecPipeline *pipeline = weft_codec_pipeline_new ("player");
  WeftCodecStageInfo info = { "decoder", "codec.decoder", nullptr, pipeline, nullptr };
  WeftCodecStage *decoder = weft_codec_stage_new (&info, sizeof info);
  WeftCodecFrame frame = WEFT_CODEC_FRAME;
  const bool good = decoder != nullptr && frame.n_frames == 1 && frame.pts == WEFT_CODEC_NO_TIME;

  weft_codec_begin (decoder, &frame);
  weft_codec_end (decoder, WEFT_CODEC_DONE, nullptr);
  weft_codec_stage_free (decoder);
  weft_codec_pipeline_free (pipeline);
  std::puts ("1..1");
  std::puts (good ? "ok 1 - calls" : "not ok 1 - calls");
  return good ? 0 : 1;
}
