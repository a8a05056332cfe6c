/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Linked to FFmpeg, and loaded by a program that is not: decodes a file, and counts. */

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <signal.h>
#include <stdio.h>

int module_decode (const char *path, int crash_after);

static AVCodecContext *
open_decoder (const AVStream *stream)
{
  const AVCodec *codec = avcodec_find_decoder (stream->codecpar->codec_id);
  AVCodecContext *context = avcodec_alloc_context3 (codec);

  avcodec_parameters_to_context (context, stream->codecpar);
  context->pkt_timebase = stream->time_base;
  context->thread_count = 2;
  return avcodec_open2 (context, codec, NULL) >= 0 ? context : NULL;
}

static int
take_frames (AVCodecContext *context, AVFrame *frame, int crash_after)
{
  int n_frames = 0;

  while (avcodec_receive_frame (context, frame) >= 0)
    if (++n_frames, --crash_after == 0)
      raise (SIGSEGV);
  return n_frames;
}

int
module_decode (const char *path, int crash_after)
{
  AVFormatContext *file = NULL;
  AVPacket *packet = av_packet_alloc ();
  AVFrame *frame = av_frame_alloc ();
  AVCodecContext *context;
  int stream, n_packets = 0, n_frames = 0;

  if (avformat_open_input (&file, path, NULL, NULL) < 0)
    return 3;
  avformat_find_stream_info (file, NULL);
  stream = av_find_best_stream (file, AVMEDIA_TYPE_VIDEO, -1, -1, NULL, 0);
  context = stream >= 0 ? open_decoder (file->streams[stream]) : NULL;
  if (context == NULL)
    return 4;
  while (av_read_frame (file, packet) >= 0)
    {
      if (packet->stream_index == stream && avcodec_send_packet (context, packet) >= 0)
        {
          n_packets++;
          n_frames += take_frames (context, frame, crash_after - n_frames);
        }
      av_packet_unref (packet);
    }
  avcodec_send_packet (context, NULL);
  n_frames += take_frames (context, frame, crash_after - n_frames);
  printf ("%d packets, %d frames\n", n_packets, n_frames);
  avcodec_free_context (&context);
  avformat_close_input (&file);
  av_frame_free (&frame);
  av_packet_free (&packet);
  return 0;
}
