/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-gst-frame.h"

static const char *
make_shape (const GstStructure *structure)
{
  char text[64];
  int width, height, rate, channels;

  if (gst_structure_get_int (structure, "width", &width) &&
      gst_structure_get_int (structure, "height", &height))
    g_snprintf (text, sizeof text, "%d×%d", width, height);
  else if (gst_structure_get_int (structure, "rate", &rate) &&
           gst_structure_get_int (structure, "channels", &channels))
    g_snprintf (text, sizeof text, "%d×%d Hz", channels, rate);
  else
    return NULL;
  return g_intern_string (text);
}

static const char *
find_format (const GstStructure *structure)
{
  static const char *const fields[] = { "format", "stream-format", "profile" };
  const char *text = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (fields) && text == NULL; i++)
    text = gst_structure_get_string (structure, fields[i]);
  return text != NULL ? g_intern_string (text) : NULL;
}

/* From the events that stick to the pad: only the thread that pushes from it comes here. */
static void
read_formats (GstWeftPad *self, GstPad *pad)
{
  GstEvent *event = gst_pad_get_sticky_event (pad, GST_EVENT_SEGMENT, 0);
  GstCaps *caps = gst_pad_get_current_caps (pad);

  gst_segment_init (&self->segment, GST_FORMAT_UNDEFINED);
  if (event != NULL)
    {
      gst_event_copy_segment (event, &self->segment);
      gst_event_unref (event);
    }
  self->media = self->format = self->shape = NULL;
  if (caps != NULL && gst_caps_get_size (caps) > 0)
    {
      const GstStructure *structure = gst_caps_get_structure (caps, 0);

      self->media = g_intern_string (gst_structure_get_name (structure));
      self->format = find_format (structure);
      self->shape = make_shape (structure);
    }
  if (caps != NULL)
    gst_caps_unref (caps);
}

static guint32
get_flags (const GstBuffer *buffer, const char *media)
{
  guint flags = GST_BUFFER_FLAGS (buffer);
  bool is_coded = media != NULL && !g_str_has_suffix (media, "x-raw");

  return (is_coded && !(flags & GST_BUFFER_FLAG_DELTA_UNIT) ? WEFT_CODEC_FRAME_KEY : 0) |
         (flags & GST_BUFFER_FLAG_DISCONT ? WEFT_CODEC_FRAME_DISCONT : 0) |
         (flags & GST_BUFFER_FLAG_CORRUPTED ? WEFT_CODEC_FRAME_CORRUPTED : 0) |
         (flags & GST_BUFFER_FLAG_GAP ? WEFT_CODEC_FRAME_GAP : 0) |
         (flags & GST_BUFFER_FLAG_HEADER ? WEFT_CODEC_FRAME_HEADER : 0);
}

static void
fill_from_buffer (WeftCodecFrame *frame, const GstWeftPad *self, GstBuffer *buffer)
{
  frame->pts = GST_BUFFER_PTS (buffer);
  frame->dts = GST_BUFFER_DTS (buffer);
  frame->duration = GST_BUFFER_DURATION (buffer);
  frame->size = gst_buffer_get_size (buffer);
  frame->flags = get_flags (buffer, self->media);
  if (gst_buffer_n_memory (buffer) > 0)
    {
      const GstMemory *memory = gst_buffer_peek_memory (buffer, 0);

      frame->memory = memory->allocator != NULL ? memory->allocator->mem_type : NULL;
    }
  if (self->segment.format == GST_FORMAT_TIME && GST_BUFFER_PTS_IS_VALID (buffer))
    frame->time =
        gst_segment_to_running_time (&self->segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer));
}

void
gst_weft_frame_fill (WeftCodecFrame *frame, GstWeftPad *self, GstPad *pad, GstBuffer *buffer,
                     GstBufferList *list)
{
  const WeftCodecFrame nothing = WEFT_CODEC_FRAME;

  *frame = nothing;
  if (g_atomic_int_get (&self->is_stale))
    {
      g_atomic_int_set (&self->is_stale, 0);
      read_formats (self, pad);
    }
  if (list != NULL)
    {
      frame->n_frames = gst_buffer_list_length (list);
      buffer = frame->n_frames > 0 ? gst_buffer_list_get (list, 0) : NULL;
    }
  if (buffer != NULL)
    fill_from_buffer (frame, self, buffer);
  if (list != NULL)
    frame->size = gst_buffer_list_calculate_size (list);
  frame->media = self->media;
  frame->format = self->format;
  frame->shape = self->shape;
}
