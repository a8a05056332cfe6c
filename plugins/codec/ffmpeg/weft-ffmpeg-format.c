/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Demuxers and muxers: a stage for each file, and one for each of its streams. */

#include "weft-ffmpeg.h"

static const char *
media_name (const AVStream *stream)
{
  switch (stream->codecpar != NULL ? stream->codecpar->codec_type : AVMEDIA_TYPE_UNKNOWN)
    {
    case AVMEDIA_TYPE_VIDEO:
      return "video";
    case AVMEDIA_TYPE_AUDIO:
      return "audio";
    case AVMEDIA_TYPE_SUBTITLE:
      return "subtitles";
    default:
      return "data";
    }
}

static const char *
format_name (const AVFormatContext *context)
{
  if (context->oformat != NULL)
    return context->oformat->name;
  return context->iformat != NULL ? context->iformat->name : "unknown";
}

static const char *
format_kind (const AVFormatContext *context)
{
  return context->oformat != NULL ? "codec.muxer" : "codec.demuxer";
}

static FfStage *
find_file (const AVFormatContext *context)
{
  FfStageInfo info;

  if (context == NULL)
    return NULL;
  info = (FfStageInfo){ .key = context, .what = context->iformat, .kind = format_kind (context) };
  return ff_stage_get (&info, "%s %s", format_name (context),
                       context->oformat != NULL ? "muxer" : "demuxer");
}

/* The file's own where the stream is none of it. */
static FfStage *
find_stream (const AVFormatContext *context, int index)
{
  FfStageInfo info;
  const AVStream *stream;

  if (index < 0 || (unsigned) index >= context->nb_streams)
    return find_file (context);
  stream = context->streams[index];
  info = (FfStageInfo){ .key = stream,
                        .what = context,
                        .owner = context,
                        .kind = format_kind (context),
                        .time_base = stream->time_base };
  return ff_stage_get (&info, "%s %s stream %d %s", format_name (context),
                       context->oformat != NULL ? "muxer" : "demuxer", index, media_name (stream));
}

/* ---- Reading ---- */

/* What it opens is known only when it is open. */
FF_PUBLIC int
avformat_open_input (AVFormatContext **context, const char *url, const AVInputFormat *format,
                     AVDictionary **options)
{
  const AVFormatContext *before;
  FfCall call = { .n_rests = -1 };
  int result;

  FF_PASS (avformat_open_input, context, url, format, options);
  before = *context;
  call.origin = weft_target_origin_with_stack ();
  result = real (context, url, format, options);
  if (before != NULL)
    ff_stage_forget (before);
  if (result < 0)
    return result;
  call.stage = find_file (*context);
  call.before = ff_stage_current ();
  ff_call_end (&call, "open", FF_WORK, NULL, result);
  return result;
}

FF_PUBLIC int
avformat_find_stream_info (AVFormatContext *context, AVDictionary **options)
{
  FfCall call;
  int result;

  FF_PASS (avformat_find_stream_info, context, options);
  call = ff_call_begin (find_file (context), FF_WORK);
  result = real (context, options);
  ff_call_end (&call, "probe", FF_WORK, NULL, result);
  return result;
}

FF_PUBLIC int
av_read_frame (AVFormatContext *context, AVPacket *packet)
{
  FfCall call;
  FfItem item = { .stream = -1 };
  int result;

  FF_PASS (av_read_frame, context, packet);
  call = ff_call_begin (find_file (context), FF_OUT);
  result = real (context, packet);
  if (result >= 0)
    {
      ff_item_init_packet (&item, packet);
      call.stage = find_stream (context, packet->stream_index);
    }
  ff_call_end (&call, "read", FF_OUT, &item, result);
  return result;
}

FF_PUBLIC void
avformat_close_input (AVFormatContext **context)
{
  FF_REAL (avformat_close_input);

  if (function.is_known && context != NULL && *context != NULL)
    ff_stage_forget (*context);
  if (real != NULL)
    real (context);
}

FF_PUBLIC void
avformat_free_context (AVFormatContext *context)
{
  FF_REAL (avformat_free_context);

  if (function.is_known && context != NULL)
    ff_stage_forget (context);
  if (real != NULL)
    real (context);
}

/* ---- Writing ---- */

FF_PUBLIC int
avformat_write_header (AVFormatContext *context, AVDictionary **options)
{
  FfCall call;
  int result;

  FF_PASS (avformat_write_header, context, options);
  call = ff_call_begin (find_file (context), FF_WORK);
  result = real (context, options);
  ff_call_end (&call, "header", FF_WORK, NULL, result);
  return result;
}

/* It takes the packet's contents away: what is told of it is read before. */
static FF_INLINE int
write_packet (int (*real) (AVFormatContext *context, AVPacket *packet), AVFormatContext *context,
              AVPacket *packet)
{
  FfCall call;
  FfItem item;
  int result;

  if (packet == NULL)
    {
      call = ff_call_begin (find_file (context), FF_WORK);
      result = real (context, packet);
      ff_call_end (&call, "flush", FF_WORK, NULL, result);
      return result;
    }
  ff_item_init_packet (&item, packet);
  call = ff_call_begin (find_stream (context, packet->stream_index), FF_AWAY);
  result = real (context, packet);
  ff_call_end (&call, "write", FF_AWAY, &item, result);
  return result;
}

FF_PUBLIC int
av_write_frame (AVFormatContext *context, AVPacket *packet)
{
  FF_REAL (av_write_frame);

  if (real == NULL)
    return AVERROR (ENOSYS);
  return listens ? write_packet (real, context, packet) : real (context, packet);
}

FF_PUBLIC int
av_interleaved_write_frame (AVFormatContext *context, AVPacket *packet)
{
  FF_REAL (av_interleaved_write_frame);

  if (real == NULL)
    return AVERROR (ENOSYS);
  return listens ? write_packet (real, context, packet) : real (context, packet);
}

FF_PUBLIC int
av_write_trailer (AVFormatContext *context)
{
  FfCall call;
  int result;

  FF_PASS (av_write_trailer, context);
  call = ff_call_begin (find_file (context), FF_WORK);
  result = real (context);
  ff_call_end (&call, "trailer", FF_WORK, NULL, result);
  return result;
}
