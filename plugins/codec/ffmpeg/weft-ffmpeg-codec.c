/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Decoders and encoders: a stage for each context. */

#include "weft-ffmpeg.h"

/* A codec that a demuxer or muxer opens to look into a stream is none of the program's. */
static FfStage *
find_stage (const AVCodecContext *context, const AVCodec *codec)
{
  bool is_decoder;
  FfStageInfo info;

  if (codec == NULL)
    return NULL;
  is_decoder = ff_codec_is_decoder (codec);
  info = (FfStageInfo){ .key = context,
                        .what = codec,
                        .kind = is_decoder ? "codec.decoder" : "codec.encoder",
                        .time_base = is_decoder ? context->pkt_timebase : context->time_base };
  return ff_stage_get (&info, "%s %s%s", codec->name, is_decoder ? "decoder" : "encoder",
                       ff_stage_current () != NULL ? " (probe)" : "");
}

/* ---- Contexts ---- */

/* Its threads are made here. */
FF_PUBLIC int
avcodec_open2 (AVCodecContext *context, const AVCodec *codec, AVDictionary **options)
{
  FfCall call;
  int result;

  FF_PASS (avcodec_open2, context, codec, options);
  call = ff_call_begin (find_stage (context, codec != NULL ? codec : context->codec), FF_WORK);
  result = real (context, codec, options);
  ff_call_end (&call, "open", FF_WORK, NULL, result);
  return result;
}

FF_PUBLIC int
avcodec_close (AVCodecContext *context)
{
  FF_REAL (avcodec_close);

  if (function.is_known)
    ff_stage_forget (context);
  return real != NULL ? real (context) : AVERROR (ENOSYS);
}

FF_PUBLIC void
avcodec_free_context (AVCodecContext **context)
{
  FF_REAL (avcodec_free_context);

  if (function.is_known && context != NULL && *context != NULL)
    ff_stage_forget (*context);
  if (real != NULL)
    real (context);
}

FF_PUBLIC void
avcodec_flush_buffers (AVCodecContext *context)
{
  FF_REAL (avcodec_flush_buffers);
  FfStage *stage = listens ? find_stage (context, context->codec) : NULL;

  if (stage != NULL)
    ff_stage_flush (stage);
  if (real != NULL)
    real (context);
}

/* ---- Decoding ---- */

FF_PUBLIC int
avcodec_send_packet (AVCodecContext *context, const AVPacket *packet)
{
  FfCall call;
  FfItem item;
  int result;

  FF_PASS (avcodec_send_packet, context, packet);
  /* One without data asks for what is left. */
  if (packet == NULL || packet->size == 0)
    {
      call = ff_call_begin (find_stage (context, context->codec), FF_WORK);
      result = real (context, packet);
      ff_call_end (&call, "drain", FF_WORK, NULL, result);
      return result;
    }
  ff_item_init_packet (&item, packet);
  call = ff_call_begin (find_stage (context, context->codec), FF_IN);
  result = real (context, packet);
  ff_call_end (&call, "decode", FF_IN, &item, result);
  return result;
}

FF_PUBLIC int
avcodec_receive_frame (AVCodecContext *context, AVFrame *frame)
{
  FfCall call;
  FfItem item = { .stream = -1 };
  int result;

  FF_PASS (avcodec_receive_frame, context, frame);
  call = ff_call_begin (find_stage (context, context->codec), FF_OUT);
  result = real (context, frame);
  if (result >= 0)
    ff_item_init_frame (&item, frame, context->codec_type);
  ff_call_end (&call, "take frame", FF_OUT, &item, result);
  return result;
}

FF_PUBLIC int
avcodec_decode_subtitle2 (AVCodecContext *context, AVSubtitle *subtitle, int *got_subtitle,
                          AVPacket *packet)
{
  FfCall call;
  FfItem item;
  int result;

  FF_PASS (avcodec_decode_subtitle2, context, subtitle, got_subtitle, packet);
  ff_item_init_packet (&item, packet);
  call = ff_call_begin (find_stage (context, context->codec), FF_IN);
  result = real (context, subtitle, got_subtitle, packet);
  ff_call_end (&call, "decode", FF_IN, &item, result);
  return result;
}

/* ---- Encoding ---- */

FF_PUBLIC int
avcodec_send_frame (AVCodecContext *context, const AVFrame *frame)
{
  FfCall call;
  FfItem item;
  int result;

  FF_PASS (avcodec_send_frame, context, frame);
  if (frame == NULL)
    {
      call = ff_call_begin (find_stage (context, context->codec), FF_WORK);
      result = real (context, frame);
      ff_call_end (&call, "drain", FF_WORK, NULL, result);
      return result;
    }
  ff_item_init_frame (&item, frame, context->codec_type);
  call = ff_call_begin (find_stage (context, context->codec), FF_IN);
  result = real (context, frame);
  ff_call_end (&call, "encode", FF_IN, &item, result);
  return result;
}

FF_PUBLIC int
avcodec_receive_packet (AVCodecContext *context, AVPacket *packet)
{
  FfCall call;
  FfItem item = { .stream = -1 };
  int result;

  FF_PASS (avcodec_receive_packet, context, packet);
  call = ff_call_begin (find_stage (context, context->codec), FF_OUT);
  result = real (context, packet);
  if (result >= 0)
    {
      ff_item_init_packet (&item, packet);
      item.stream = -1;
    }
  ff_call_end (&call, "take packet", FF_OUT, &item, result);
  return result;
}

FF_PUBLIC int
avcodec_encode_subtitle (AVCodecContext *context, uint8_t *bytes, int size,
                         const AVSubtitle *subtitle)
{
  FfItem item = { .kind = "packet", .pts = AV_NOPTS_VALUE, .dts = AV_NOPTS_VALUE, .stream = -1 };
  FfCall call;
  int result;

  FF_PASS (avcodec_encode_subtitle, context, bytes, size, subtitle);
  call = ff_call_begin (find_stage (context, context->codec), FF_OUT);
  result = real (context, bytes, size, subtitle);
  item.size = result > 0 ? (uint64_t) result : 0;
  ff_call_end (&call, "encode", FF_OUT, &item, result);
  return result;
}
