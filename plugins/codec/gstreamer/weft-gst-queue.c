/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-gst-queue.h"

/* A push that takes so long may have waited for room: ticks are looked at in nanoseconds. */
#define SLOW_PUSH 20000
/* More are not kept: a queue that keeps its frames elsewhere, not as they were given to it. */
#define MAX_ENTRIES 16384
/* So many in a row that never went in: from a file, or put together anew. */
#define MAX_STRANGERS 1024

typedef struct
{
  gconstpointer item;
  guint64 pts;
  guint64 number;
  guint64 level; /* what was in the queue before */
  guint64 bytes;
  guint64 time;
  WeftCodecTicket ticket;
} Entry;

struct _GstWeftQueue
{
  gatomicrefcount references;
  GMutex lock;
  GQueue entries; /* element-type Entry, the oldest first */
  guint64 n_pushed;
  guint n_strangers; /* that came out last */
  guint64 bytes;
  guint64 time;
};

GstWeftQueue *
gst_weft_queue_new (GstElement *element)
{
  GstWeftQueue *self = g_new0 (GstWeftQueue, 1);

  g_atomic_ref_count_init (&self->references);
  g_mutex_init (&self->lock);
  g_queue_init (&self->entries);
  return self;
}

GstWeftQueue *
gst_weft_queue_ref (GstWeftQueue *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

void
gst_weft_queue_unref (GstWeftQueue *self)
{
  if (self == NULL || !g_atomic_ref_count_dec (&self->references))
    return;
  g_queue_clear_full (&self->entries, g_free);
  g_mutex_clear (&self->lock);
  g_free (self);
}

static guint64
get_size (const Entry *entry)
{
  return entry->ticket.size != WEFT_TARGET_UNKNOWN_SIZE ? entry->ticket.size : 0;
}

static guint64
get_duration (const Entry *entry)
{
  return entry->ticket.duration != WEFT_CODEC_NO_TIME ? entry->ticket.duration : 0;
}

/* The oldest, which is the caller's. */
static Entry *
take_oldest (GstWeftQueue *self)
{
  Entry *entry = g_queue_pop_head (&self->entries);

  self->bytes -= get_size (entry);
  self->time -= get_duration (entry);
  return entry;
}

static void
discard_oldest (GstWeftQueue *self, WeftCodecStage *stage, bool is_drop)
{
  Entry *entry = take_oldest (self);

  weft_codec_discard (stage, &entry->ticket, is_drop);
  g_free (entry);
}

guint64
gst_weft_queue_push (GstWeftQueue *self, WeftCodecStage *stage, gconstpointer item,
                     const WeftCodecFrame *frame)
{
  Entry *entry;
  guint64 number;

  if (__atomic_load_n (&self->n_strangers, __ATOMIC_RELAXED) >= MAX_STRANGERS)
    return 0;
  entry = g_new0 (Entry, 1);
  weft_codec_enqueue (stage, frame, &entry->ticket);
  g_mutex_lock (&self->lock);
  if (self->entries.length >= MAX_ENTRIES)
    discard_oldest (self, stage, false);
  entry->item = item;
  entry->pts = frame->pts;
  entry->level = self->entries.length;
  entry->bytes = self->bytes;
  entry->time = self->time;
  entry->number = number = ++self->n_pushed;
  if (entry->ticket.entered == 0)
    {
      entry->ticket.size = frame->size;
      entry->ticket.duration = frame->duration;
    }
  self->bytes += get_size (entry);
  self->time += get_duration (entry);
  g_queue_push_tail (&self->entries, entry);
  g_mutex_unlock (&self->lock);
  return number;
}

/* Whether there was no room beside what was there before; queues with other bounds never are. */
static bool
was_full (WeftCodecStage *stage, GstElement *element, guint64 level, guint64 bytes, guint64 time)
{
  GObjectClass *klass = G_OBJECT_GET_CLASS (element);
  guint max_level = 0, max_bytes = 0;
  guint64 max_time = 0;

  if (g_object_class_find_property (klass, "max-size-buffers") == NULL)
    return false;
  g_object_get (element, "max-size-buffers", &max_level, "max-size-bytes", &max_bytes,
                "max-size-time", &max_time, NULL);
  if (max_level != 0)
    weft_codec_set_capacity (stage, max_level);
  return (max_level != 0 && level >= max_level) || (max_bytes != 0 && bytes >= max_bytes) ||
         (max_time != 0 && time >= max_time);
}

static GList *
find_number (GstWeftQueue *self, guint64 number)
{
  GList *link = self->entries.tail;

  while (link != NULL && ((Entry *) link->data)->number > number)
    link = link->prev;
  return link != NULL && ((Entry *) link->data)->number == number ? link : NULL;
}

static void
forget (GstWeftQueue *self, WeftCodecStage *stage, GList *link)
{
  Entry *entry = link->data;

  self->bytes -= get_size (entry);
  self->time -= get_duration (entry);
  weft_codec_discard (stage, &entry->ticket, false);
  g_queue_delete_link (&self->entries, link);
  g_free (entry);
}

void
gst_weft_queue_pushed (GstWeftQueue *self, WeftCodecStage *stage, GstElement *element,
                       guint64 number, guint64 begin, GstFlowReturn result)
{
  bool is_slow =
      weft_target_to_nanoseconds (weft_target_now ()) - weft_target_to_nanoseconds (begin) >
      SLOW_PUSH;
  guint64 level = 0, bytes = 0, time = 0;
  GList *link;

  if (result >= GST_FLOW_OK && !is_slow && number != 1)
    return;
  g_mutex_lock (&self->lock);
  link = find_number (self, number);
  if (link != NULL && result < GST_FLOW_OK)
    forget (self, stage, link);
  else if (link != NULL)
    {
      level = ((Entry *) link->data)->level;
      bytes = ((Entry *) link->data)->bytes;
      time = ((Entry *) link->data)->time;
    }
  g_mutex_unlock (&self->lock);
  if (result < GST_FLOW_OK || !was_full (stage, element, level, bytes, time) || !is_slow)
    return;
  g_mutex_lock (&self->lock);
  link = find_number (self, number);
  if (link != NULL)
    weft_codec_admit (stage, &((Entry *) link->data)->ticket);
  g_mutex_unlock (&self->lock);
  weft_codec_wait (WEFT_CODEC_WAIT_ROOM, begin, weft_target_now ());
}

/* By its time, too: what was thrown away is used again for a later frame. A frame that the queue
 * marks as the first one after a gap is a copy, and has its time and size only.
 */
static GList *
find_frame (GstWeftQueue *self, gconstpointer item, const WeftCodecFrame *frame)
{
  GList *copy = NULL;

  for (GList *link = self->entries.head; link != NULL; link = link->next)
    {
      const Entry *entry = link->data;

      if (entry->pts != frame->pts)
        continue;
      if (entry->item == item)
        return link;
      if (copy == NULL && entry->pts != WEFT_CODEC_NO_TIME && entry->ticket.size == frame->size)
        copy = link;
    }
  return copy;
}

void
gst_weft_queue_pop (GstWeftQueue *self, WeftCodecStage *stage, gconstpointer item,
                    const WeftCodecFrame *frame, guint64 since)
{
  GList *link;
  Entry *entry;

  g_mutex_lock (&self->lock);
  link = find_frame (self, item, frame);
  if (link == NULL)
    {
      /* In it before anybody looked; or, again and again, not what was given to it. */
      if (++self->n_strangers >= MAX_STRANGERS)
        while (self->entries.length > 0)
          discard_oldest (self, stage, false);
      g_mutex_unlock (&self->lock);
      return;
    }
  self->n_strangers = 0;
  while (self->entries.head != link)
    discard_oldest (self, stage, true);
  entry = take_oldest (self);
  g_mutex_unlock (&self->lock);
  weft_codec_dequeue (stage, &entry->ticket,
                      since != 0 && entry->ticket.entered > since ? since : 0);
  g_free (entry);
}

void
gst_weft_queue_clear (GstWeftQueue *self, WeftCodecStage *stage, bool is_drop)
{
  g_mutex_lock (&self->lock);
  while (self->entries.length > 0)
    discard_oldest (self, stage, is_drop);
  g_mutex_unlock (&self->lock);
}
