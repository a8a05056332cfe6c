/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Filter graphs: a stage for each graph. Its filters call one another without a word to others. */

#include "weft-ffmpeg.h"

#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <string.h>

#define MAX_NAMES 6

/* What only carries frames into a graph and out of it says nothing of what it does. */
static bool
is_worth_naming (const AVFilterContext *filter)
{
  static const char *const plain[] = { "buffer", "abuffer", "buffersink", "abuffersink",
                                       "format", "aformat", "trim",       "atrim" };

  for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
    if (strcmp (filter->filter->name, plain[i]) == 0)
      return false;
  return true;
}

static void
name_graph (const AVFilterGraph *graph, char *name, size_t size)
{
  size_t length = 0;
  int n_names = 0;

  name[0] = '\0';
  for (unsigned i = 0; i < graph->nb_filters && n_names < MAX_NAMES; i++)
    {
      const AVFilterContext *filter = graph->filters[i];

      if (filter == NULL || filter->filter == NULL || !is_worth_naming (filter))
        continue;
      length += (size_t) snprintf (name + length, size - length, "%s%s", n_names > 0 ? "," : "",
                                   filter->filter->name);
      n_names++;
      if (length >= size)
        break;
    }
  if (n_names == 0)
    snprintf (name, size, "%s", "copy");
}

static FfStage *
find_stage (const AVFilterGraph *graph)
{
  const FfStageInfo info = { .key = graph, .what = "graph", .kind = "codec.filter" };
  char name[96];

  if (graph == NULL)
    return NULL;
  name_graph (graph, name, sizeof name);
  return ff_stage_get (&info, "%s filter", name);
}

/* ---- Graphs ---- */

/* Its threads are made here. */
FF_PUBLIC int
avfilter_graph_config (AVFilterGraph *graph, void *log)
{
  FfCall call;
  int result;

  FF_PASS (avfilter_graph_config, graph, log);
  call = ff_call_begin (find_stage (graph), FF_WORK);
  result = real (graph, log);
  ff_call_end (&call, "configure", FF_WORK, NULL, result);
  return result;
}

FF_PUBLIC void
avfilter_graph_free (AVFilterGraph **graph)
{
  FF_REAL (avfilter_graph_free);

  if (function.is_known && graph != NULL && *graph != NULL)
    ff_stage_forget (*graph);
  if (real != NULL)
    real (graph);
}

FF_PUBLIC int
avfilter_graph_request_oldest (AVFilterGraph *graph)
{
  FfCall call;
  int result;

  FF_PASS (avfilter_graph_request_oldest, graph);
  call = ff_call_begin (find_stage (graph), FF_WORK);
  result = real (graph);
  ff_call_end (&call, "run", FF_WORK, NULL, result);
  return result;
}

/* ---- In ---- */

/* Of the link that a source or sink has. */
static FfStage *
find_end (const AVFilterContext *filter, const AVFilterLink *link)
{
  FfStage *stage = find_stage (filter->graph);

  if (stage != NULL && link != NULL)
    stage->time_base = link->time_base;
  return stage;
}

typedef int (*AddFrame) (AVFilterContext *source, AVFrame *frame, int flags);

/* It takes the frame's contents away: what is told of it is read before. */
static FF_INLINE int
add_frame (AddFrame real, AVFilterContext *source, AVFrame *frame, int flags)
{
  const AVFilterLink *link = source->nb_outputs > 0 ? source->outputs[0] : NULL;
  FfStage *stage = find_end (source, link);
  FfCall call;
  FfItem item;
  int result;

  if (frame == NULL)
    {
      call = ff_call_begin (stage, FF_WORK);
      result = real (source, frame, flags);
      ff_call_end (&call, "drain", FF_WORK, NULL, result);
      return result;
    }
  ff_item_init_frame (&item, frame, link != NULL ? link->type : AVMEDIA_TYPE_UNKNOWN);
  call = ff_call_begin (stage, FF_IN);
  result = real (source, frame, flags);
  ff_call_end (&call, "put frame", FF_IN, &item, result);
  return result;
}

FF_PUBLIC int
av_buffersrc_add_frame_flags (AVFilterContext *source, AVFrame *frame, int flags)
{
  FF_REAL (av_buffersrc_add_frame_flags);

  if (real == NULL)
    return AVERROR (ENOSYS);
  return listens ? add_frame (real, source, frame, flags) : real (source, frame, flags);
}

/* The other two are the same without flags, or with one. */
FF_PUBLIC int
av_buffersrc_add_frame (AVFilterContext *source, AVFrame *frame)
{
  FF_REAL (av_buffersrc_add_frame);
  const FfFunction full =
      ff_function_find (FF_av_buffersrc_add_frame_flags, __builtin_return_address (0));

  if (real == NULL)
    return AVERROR (ENOSYS);
  if (!listens || full.call == NULL)
    return real (source, frame);
  return add_frame ((AddFrame) full.call, source, frame, 0);
}

FF_PUBLIC int
av_buffersrc_write_frame (AVFilterContext *source, const AVFrame *frame)
{
  FF_REAL (av_buffersrc_write_frame);
  const FfFunction full =
      ff_function_find (FF_av_buffersrc_add_frame_flags, __builtin_return_address (0));

  if (real == NULL)
    return AVERROR (ENOSYS);
  if (!listens || full.call == NULL)
    return real (source, frame);
  return add_frame ((AddFrame) full.call, source, (AVFrame *) frame, AV_BUFFERSRC_FLAG_KEEP_REF);
}

/* ---- Out ---- */

static FF_INLINE FfCall
begin_taking (const AVFilterContext *sink)
{
  return ff_call_begin (find_end (sink, sink->nb_inputs > 0 ? sink->inputs[0] : NULL), FF_OUT);
}

static void
end_taking (FfCall *call, const AVFilterContext *sink, const AVFrame *frame, int result)
{
  FfItem item = { .stream = -1 };

  if (result >= 0)
    ff_item_init_frame (&item, frame,
                        sink->nb_inputs > 0 ? sink->inputs[0]->type : AVMEDIA_TYPE_UNKNOWN);
  ff_call_end (call, "take frame", FF_OUT, &item, result);
}

FF_PUBLIC int
av_buffersink_get_frame_flags (AVFilterContext *sink, AVFrame *frame, int flags)
{
  FfCall call;
  int result;

  FF_PASS (av_buffersink_get_frame_flags, sink, frame, flags);
  call = begin_taking (sink);
  result = real (sink, frame, flags);
  end_taking (&call, sink, frame, result);
  return result;
}

FF_PUBLIC int
av_buffersink_get_frame (AVFilterContext *sink, AVFrame *frame)
{
  FfCall call;
  int result;

  FF_PASS (av_buffersink_get_frame, sink, frame);
  call = begin_taking (sink);
  result = real (sink, frame);
  end_taking (&call, sink, frame, result);
  return result;
}

FF_PUBLIC int
av_buffersink_get_samples (AVFilterContext *sink, AVFrame *frame, int n_samples)
{
  FfCall call;
  int result;

  FF_PASS (av_buffersink_get_samples, sink, frame, n_samples);
  call = begin_taking (sink);
  result = real (sink, frame, n_samples);
  end_taking (&call, sink, frame, result);
  return result;
}
