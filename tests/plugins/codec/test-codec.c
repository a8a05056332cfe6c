/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What weft-codec.h tells, heard by a listener in the process. */

#include <errno.h>
#include <glib.h>
#include <stdlib.h>

#define WEFT_CODEC_IMPLEMENTATION
#include "weft-codec.h"

/* ---- Allocation ---- */

static gint n_allocations;

void *__real_malloc (size_t size);
void *__real_calloc (size_t n, size_t size);
void *__wrap_malloc (size_t size);
void *__wrap_calloc (size_t n, size_t size);

void *
__wrap_malloc (size_t size)
{
  g_atomic_int_inc (&n_allocations);
  return __real_malloc (size);
}

void *
__wrap_calloc (size_t n, size_t size)
{
  g_atomic_int_inc (&n_allocations);
  return __real_calloc (n, size);
}

/* ---- What was heard ---- */

typedef struct
{
  const WeftTargetLane *lane;
  const WeftTargetRoutine *routine;
  guint64 start, end, trace, queue_wait;
  guint n_origins, n_phases, n_attachments;
  WeftTargetStatus status;
  char *error;
  char *phases;          /* names, with commas between */
  guint64 phase_time[8]; /* ns */
} Heard;

typedef struct
{
  pthread_mutex_t lock; /* one that ThreadSanitizer knows */
  GArray *dispatches;   /* element-type Heard */
  GHashTable *sums;     /* char → double */
  GHashTable *last;
  guint n_traces;
  guint number;
} Ear;

static void
hear_dispatch (Ear *self, const WeftTargetDispatch *dispatch)
{
  g_autoptr (GString) names = g_string_new (NULL);
  Heard heard = { .lane = dispatch->lane,
                  .routine = dispatch->routine,
                  .start = dispatch->start,
                  .end = dispatch->end,
                  .trace = dispatch->trace != NULL ? dispatch->trace->id : 0,
                  .queue_wait = dispatch->queue_wait,
                  .n_origins = (guint) dispatch->n_origins,
                  .n_phases = (guint) dispatch->n_phases,
                  .n_attachments = (guint) dispatch->n_attachments,
                  .status = dispatch->status };

  for (gsize i = 0; i < dispatch->n_phases; i++)
    {
      g_string_append_printf (names, "%s%s", i > 0 ? "," : "", dispatch->phases[i].name);
      if (i < G_N_ELEMENTS (heard.phase_time))
        heard.phase_time[i] = dispatch->phases[i].duration;
    }
  heard.phases = g_strdup (names->str);
  heard.error = dispatch->error != NULL ? g_strdup (dispatch->error->message) : NULL;
  g_array_append_val (self->dispatches, heard);
}

static void
hear_metric (Ear *self, const WeftTargetEvent *event)
{
  double *sum = g_hash_table_lookup (self->sums, event->data.metric.name);
  double *last = g_memdup2 (&event->data.metric.value, sizeof (double));

  if (sum == NULL)
    {
      sum = g_new0 (double, 1);
      g_hash_table_insert (self->sums, g_strdup (event->data.metric.name), sum);
    }
  *sum += event->data.metric.value;
  g_hash_table_replace (self->last, g_strdup (event->data.metric.name), last);
}

static int
hear (const WeftTargetEvent *event, void *data)
{
  Ear *self = data;

  pthread_mutex_lock (&self->lock);
  if (event->kind == WEFT_TARGET_EVENT_DISPATCH)
    hear_dispatch (self, event->data.dispatch);
  else if (event->kind == WEFT_TARGET_EVENT_METRIC)
    hear_metric (self, event);
  else if (event->kind == WEFT_TARGET_EVENT_TRACE)
    self->n_traces++;
  pthread_mutex_unlock (&self->lock);
  return 0;
}

static void
clear_heard (gpointer data)
{
  g_free (((Heard *) data)->phases);
  g_free (((Heard *) data)->error);
}

static Ear *
listen (void)
{
  Ear *self = g_new0 (Ear, 1);

  pthread_mutex_init (&self->lock, NULL);
  self->dispatches = g_array_new (FALSE, FALSE, sizeof (Heard));
  g_array_set_clear_func (self->dispatches, clear_heard);
  self->sums = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->last = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->number = weft_target_listen (
      WEFT_TARGET_EVENT_DISPATCH | WEFT_TARGET_EVENT_METRIC | WEFT_TARGET_EVENT_TRACE, hear, self);
  g_assert_cmpuint (self->number, !=, 0);
  return self;
}

static void
unlisten (Ear *self)
{
  weft_target_unlisten (self->number);
  g_array_unref (self->dispatches);
  g_hash_table_unref (self->sums);
  g_hash_table_unref (self->last);
  pthread_mutex_destroy (&self->lock);
  g_free (self);
}

static double
get_sum (Ear *self, const char *name)
{
  const double *sum = g_hash_table_lookup (self->sums, name);

  return sum != NULL ? *sum : 0;
}

static double
get_last (Ear *self, const char *name)
{
  const double *last = g_hash_table_lookup (self->last, name);

  return last != NULL ? *last : -1;
}

static const Heard *
get_heard (Ear *self, guint i)
{
  g_assert_cmpuint (i, <, self->dispatches->len);
  return &g_array_index (self->dispatches, Heard, i);
}

/* Nanoseconds of all that was told on STAGE's lane. */
static double
sum_own_time (Ear *self, WeftCodecStage *stage)
{
  double sum = 0;

  for (guint i = 0; i < self->dispatches->len; i++)
    if (get_heard (self, i)->lane == weft_codec_stage_get_lane (stage))
      sum += weft_codec_nanoseconds_ (get_heard (self, i)->start, get_heard (self, i)->end);
  return sum;
}

/* ---- A pipeline ---- */

typedef struct
{
  WeftCodecPipeline *pipeline;
  WeftCodecStage *source, *decoder, *queue, *sink;
  WeftCodecThread *thread;
} Rig;

static WeftCodecStage *
make_stage (WeftCodecPipeline *pipeline, const char *name, const char *kind)
{
  WeftCodecStageInfo info = { .name = name, .kind = kind, .pipeline = pipeline };
  WeftCodecStage *stage = weft_codec_stage_new (&info, sizeof info);

  g_assert_nonnull (stage);
  return stage;
}

static Rig
make_rig (void)
{
  Rig rig;

  rig.pipeline = weft_codec_pipeline_new ("player");
  rig.source = make_stage (rig.pipeline, "file", "codec.source");
  rig.decoder = make_stage (rig.pipeline, "decoder", "codec.decoder");
  rig.queue = make_stage (rig.pipeline, "frames", "codec.queue");
  rig.sink = make_stage (rig.pipeline, "screen", "codec.sink");
  rig.thread = weft_codec_thread_new (rig.pipeline, "reader");
  return rig;
}

static void
clear_rig (Rig *rig)
{
  weft_codec_thread_free (rig->thread);
  weft_codec_stage_free (rig->source);
  weft_codec_stage_free (rig->decoder);
  weft_codec_stage_free (rig->queue);
  weft_codec_stage_free (rig->sink);
  weft_codec_pipeline_free (rig->pipeline);
  g_assert_cmpuint (weft_codec_depth_, ==, 0);
}

static WeftCodecFrame
make_frame (guint64 time)
{
  WeftCodecFrame frame = WEFT_CODEC_FRAME;

  frame.time = frame.pts = time;
  frame.size = 100;
  frame.duration = 40000000;
  frame.media = "video/x-raw";
  return frame;
}

static void
work (void)
{
  const guint64 begin = weft_target_now ();

  while (weft_codec_nanoseconds_ (begin, weft_target_now ()) < 20000)
    ;
}

/* ---- Tests ---- */

static void
test_own_time (void)
{
  Rig rig = make_rig ();
  Ear *ear = listen ();
  WeftCodecFrame frame = make_frame (1);
  const Heard *run;
  double time = 0;

  weft_codec_run_begin (rig.thread, &frame);
  weft_codec_begin (rig.decoder, &frame);
  work ();
  weft_codec_begin (rig.sink, &frame);
  work ();
  weft_codec_end (rig.sink, WEFT_CODEC_DONE, NULL);
  work ();
  weft_codec_end (rig.decoder, WEFT_CODEC_DONE, NULL);
  weft_codec_run_end (rig.thread);

  run = get_heard (ear, ear->dispatches->len - 1);
  g_assert_cmpstr (run->phases, ==, "decoder,screen,decoder");
  g_assert_cmpuint (get_heard (ear, 0)->n_attachments, ==, 1);
  g_assert_cmpfloat (ABS (sum_own_time (ear, rig.sink) - (double) run->phase_time[1]), <=, 2);
  g_assert_cmpfloat (
      ABS (sum_own_time (ear, rig.decoder) - (double) (run->phase_time[0] + run->phase_time[2])),
      <=, 4);
  for (guint i = 0; i < 3; i++)
    {
      g_assert_cmpuint (run->phase_time[i], >=, 20000);
      time += (double) run->phase_time[i];
    }
  g_assert_cmpfloat (time, <=, weft_codec_nanoseconds_ (run->start, run->end) + 4);
  g_assert_cmpfloat (get_sum (ear, "frames.in"), ==, 2);
  unlisten (ear);
  clear_rig (&rig);
}

static void
test_waits (void)
{
  Rig rig = make_rig ();
  Ear *ear = listen ();
  WeftCodecFrame frame = make_frame (1);
  guint64 begin, end;
  double waited;

  weft_codec_begin (rig.sink, &frame);
  work ();
  begin = weft_target_now ();
  work ();
  end = weft_target_now ();
  weft_codec_wait (WEFT_CODEC_WAIT_CLOCK, begin, end);
  work ();
  weft_codec_end (rig.sink, WEFT_CODEC_DONE, NULL);

  waited = weft_codec_nanoseconds_ (begin, end);
  g_assert_cmpfloat (get_sum (ear, "wait.clock"), ==, waited);
  /* Two parts, and the wait is in neither. */
  g_assert_cmpuint (ear->dispatches->len, ==, 2);
  for (guint i = 0; i < 2; i++)
    g_assert_true (get_heard (ear, i)->end <= begin || get_heard (ear, i)->start >= end);
  g_assert_cmpuint (get_heard (ear, 1)->n_origins, ==, 2);

  /* Outside of work nobody waits; a wait that ended before the work began is none of it. */
  weft_codec_wait (WEFT_CODEC_WAIT_CLOCK, begin, end);
  weft_codec_begin (rig.sink, &frame);
  weft_codec_wait (WEFT_CODEC_WAIT_CLOCK, begin, end);
  weft_codec_end (rig.sink, WEFT_CODEC_DONE, NULL);
  g_assert_cmpfloat (get_sum (ear, "wait.clock"), ==, waited);
  unlisten (ear);
  clear_rig (&rig);
}

static void
test_queue (void)
{
  Rig rig = make_rig ();
  Ear *ear = listen ();
  WeftCodecTicket tickets[3];
  const Heard *heard;

  weft_codec_set_capacity (rig.queue, 2);
  for (guint i = 0; i < 3; i++)
    {
      WeftCodecFrame frame = make_frame (i);

      weft_codec_enqueue (rig.queue, &frame, &tickets[i]);
    }
  g_assert_cmpfloat (get_last (ear, "queue.level"), ==, 3);
  g_assert_cmpfloat (get_last (ear, "queue.level_bytes"), ==, 300);
  g_assert_cmpfloat (get_last (ear, "queue.level_time"), ==, 120000000);
  g_assert_cmpfloat (get_last (ear, "queue.capacity"), ==, 2);
  work ();
  weft_codec_admit (rig.queue, &tickets[2]);
  g_assert_cmpfloat (get_sum (ear, "queue.full"), >=, 20000);
  weft_codec_discard (rig.queue, &tickets[0], true);
  weft_codec_dequeue (rig.queue, &tickets[1], 0);
  weft_codec_dequeue (rig.queue, &tickets[2], tickets[1].entered);
  g_assert_cmpuint (ear->dispatches->len, ==, 2);
  heard = get_heard (ear, 0);
  g_assert_cmpuint (heard->queue_wait, >=, 20000);
  g_assert_cmpuint (heard->n_origins, ==, 1);
  /* Who waited for room, and who waited for it to come. */
  g_assert_cmpuint (get_heard (ear, 1)->n_origins, ==, 5);
  g_assert_cmpfloat (get_last (ear, "queue.level"), ==, 0);
  g_assert_cmpfloat (get_last (ear, "queue.level_bytes"), ==, 0);
  g_assert_cmpfloat (get_sum (ear, "frames.dropped"), ==, 1);
  g_assert_cmpfloat (get_sum (ear, "queue.wait"), >=, 20000);
  g_assert_cmpfloat (get_sum (ear, "queue.empty"), >, 0);
  unlisten (ear);
  clear_rig (&rig);
}

static void
test_ways (void)
{
  Rig rig = make_rig ();
  WeftCodecStage *other = make_stage (rig.pipeline, "recorder", "codec.sink");
  Ear *ear = listen ();
  WeftCodecFrame frame = make_frame (40), stranger = make_frame (80);
  guint64 trace;

  weft_codec_made (rig.source, &frame, 0);
  trace = get_heard (ear, 0)->trace;
  g_assert_cmpuint (trace, !=, 0);
  g_assert_cmpuint (weft_codec_stage_get_source (rig.source), !=, 0);
  weft_codec_begin (rig.decoder, &frame);
  weft_codec_begin (rig.sink, &frame);
  weft_codec_end (rig.sink, WEFT_CODEC_DONE, NULL);
  weft_codec_begin (other, &frame);
  weft_codec_end (other, WEFT_CODEC_DONE, NULL);
  weft_codec_end (rig.decoder, WEFT_CODEC_DONE, NULL);
  for (guint i = 0; i < ear->dispatches->len; i++)
    if (get_heard (ear, i)->n_attachments > 0)
      g_assert_cmpuint (get_heard (ear, i)->trace, ==, trace);
  g_assert_cmpuint (ear->n_traces, ==, 1);
  g_assert_cmpfloat (get_sum (ear, "latency"), >, 0);

  /* One whose beginning nobody told has no way; nor has one that came from elsewhere. */
  weft_codec_begin (rig.sink, &stranger);
  weft_codec_end (rig.sink, WEFT_CODEC_DONE, NULL);
  frame.sources = UINT64_C (1) << 60;
  weft_codec_begin (rig.sink, &frame);
  weft_codec_end (rig.sink, WEFT_CODEC_DONE, NULL);
  g_assert_cmpuint (get_heard (ear, ear->dispatches->len - 1)->trace, ==, 0);
  g_assert_cmpuint (ear->n_traces, ==, 1);
  unlisten (ear);
  weft_codec_stage_free (other);
  clear_rig (&rig);
}

/* More frames on their way than are kept: the newest are known. */
static void
test_many_ways (void)
{
  Rig rig = make_rig ();
  Ear *ear = listen ();
  guint known = 0;

  for (guint i = 0; i < 10000; i++)
    {
      WeftCodecFrame frame = make_frame (i * UINT64_C (33333333));

      weft_codec_made (rig.source, &frame, 0);
    }
  for (guint i = 9000; i < 10000; i++)
    known += weft_codec_find_way_ (rig.pipeline, i * UINT64_C (33333333), 0).id != 0;
  g_assert_cmpuint (known, >, 900);
  unlisten (ear);
  clear_rig (&rig);
}

static void
test_failures (void)
{
  Rig rig = make_rig ();
  Ear *ear = listen ();
  WeftCodecFrame frame = make_frame (1);
  const WeftTargetErrorDetail error = { .name = "disk", .message = "No space left" };
  guint n_failed = 0;

  weft_codec_begin (rig.decoder, &frame);
  weft_codec_begin (rig.sink, &frame);
  weft_codec_error (rig.sink, &error);
  weft_codec_end (rig.sink, WEFT_CODEC_FAILED, "error");
  weft_codec_end (rig.decoder, WEFT_CODEC_FAILED, "error");
  for (guint i = 0; i < ear->dispatches->len; i++)
    {
      const Heard *heard = get_heard (ear, i);

      n_failed += heard->status == WEFT_TARGET_ERROR;
      if (heard->status == WEFT_TARGET_ERROR)
        {
          g_assert_true (heard->lane == weft_codec_stage_get_lane (rig.sink));
          g_assert_cmpstr (heard->error, ==, "No space left");
        }
      else if (heard->n_attachments > 0)
        g_assert_cmpint (heard->status, ==, WEFT_TARGET_CANCELED);
    }
  g_assert_cmpuint (n_failed, ==, 1);
  g_assert_cmpfloat (get_sum (ear, "errors"), ==, 1);
  unlisten (ear);
  clear_rig (&rig);
}

/* Ends without begins, begins without ends, and more of them than are kept. */
static void
test_unbalanced (void)
{
  Rig rig = make_rig ();
  Ear *ear = listen ();
  WeftCodecFrame frame = make_frame (1);

  weft_codec_end (rig.decoder, WEFT_CODEC_DONE, NULL);
  weft_codec_run_end (rig.thread);
  g_assert_cmpuint (ear->dispatches->len, ==, 0);

  weft_codec_begin (rig.decoder, &frame);
  weft_codec_begin (rig.sink, &frame);
  weft_codec_end (rig.decoder, WEFT_CODEC_DONE, NULL);
  g_assert_cmpuint (weft_codec_depth_, ==, 0);

  weft_codec_run_begin (rig.thread, &frame);
  for (guint i = 0; i < 100; i++)
    weft_codec_begin (rig.decoder, &frame);
  for (guint i = 0; i < 100; i++)
    weft_codec_end (rig.decoder, WEFT_CODEC_DONE, NULL);
  g_assert_cmpuint (weft_codec_depth_, ==, 1);
  weft_codec_begin (rig.decoder, &frame);
  weft_codec_run_end (rig.thread);
  unlisten (ear);
  clear_rig (&rig);
}

static void
test_nothing (void)
{
  Ear *ear = listen ();
  WeftCodecFrame frame = make_frame (1);
  const WeftTargetErrorDetail error = { .message = "none" };
  WeftCodecTicket ticket;

  weft_codec_made (NULL, &frame, 0);
  weft_codec_depart (NULL, &frame);
  weft_codec_worked (NULL, 1);
  weft_codec_run_begin (NULL, &frame);
  weft_codec_begin (NULL, &frame);
  weft_codec_end (NULL, WEFT_CODEC_DONE, NULL);
  weft_codec_run_end (NULL);
  weft_codec_enqueue (NULL, &frame, &ticket);
  weft_codec_dequeue (NULL, &ticket, 0);
  weft_codec_discard (NULL, &ticket, true);
  weft_codec_set_capacity (NULL, 1);
  weft_codec_put_out (NULL, 1);
  weft_codec_dropped (NULL, 1);
  weft_codec_quality (NULL, 1, 1);
  weft_codec_error (NULL, &error);
  weft_codec_stage_free (NULL);
  weft_codec_thread_free (NULL);
  weft_codec_pipeline_free (NULL);
  g_assert_cmpuint (weft_codec_depth_, ==, 0);
  g_assert_cmpuint (ear->dispatches->len, ==, 0);
  unlisten (ear);
}

static void
test_off (void)
{
  Rig rig = make_rig ();
  int before;

  g_assert_false (weft_target_enabled ());
  before = g_atomic_int_get (&n_allocations);
  errno = ENOENT;
  for (guint i = 0; i < 1000; i++)
    {
      WeftCodecFrame frame = make_frame (i);
      WeftCodecTicket ticket;

      weft_codec_made (rig.source, &frame, 0);
      weft_codec_run_begin (rig.thread, &frame);
      weft_codec_begin (rig.decoder, &frame);
      weft_codec_enqueue (rig.queue, &frame, &ticket);
      weft_codec_dequeue (rig.queue, &ticket, 0);
      weft_codec_put_out (rig.decoder, 1);
      weft_codec_end (rig.decoder, WEFT_CODEC_DONE, NULL);
      weft_codec_run_end (rig.thread);
    }
  g_assert_cmpint (g_atomic_int_get (&n_allocations), ==, before);
  g_assert_cmpint (errno, ==, ENOENT);
  clear_rig (&rig);
}

/* ---- Threads ---- */

#define N_THREADS 4
#define N_FRAMES 500

typedef struct
{
  Rig *rig;
  guint number;
} Worker;

static gpointer
run_worker (gpointer data)
{
  Worker *self = data;

  for (guint i = 0; i < N_FRAMES; i++)
    {
      WeftCodecFrame frame = make_frame (self->number * 1000 + i);
      WeftCodecTicket ticket;

      weft_codec_made (self->rig->source, &frame, 0);
      weft_codec_enqueue (self->rig->queue, &frame, &ticket);
      weft_codec_dequeue (self->rig->queue, &ticket, 0);
      weft_codec_begin (self->rig->decoder, &frame);
      weft_codec_begin (self->rig->sink, &frame);
      weft_codec_end (self->rig->sink, WEFT_CODEC_DONE, NULL);
      weft_codec_end (self->rig->decoder, WEFT_CODEC_DONE, NULL);
    }
  return NULL;
}

static void
test_threads (void)
{
  Rig rig = make_rig ();
  Ear *ear = listen ();
  GThread *threads[N_THREADS];
  Worker workers[N_THREADS];

  for (guint i = 0; i < N_THREADS; i++)
    {
      workers[i] = (Worker){ &rig, i };
      threads[i] = g_thread_new ("worker", run_worker, &workers[i]);
    }
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  g_assert_cmpfloat (get_sum (ear, "frames.in"), ==, 3 * N_THREADS * N_FRAMES);
  g_assert_cmpuint (rig.queue->level, ==, 0);
  g_assert_cmpuint (rig.queue->level_bytes, ==, 0);
  unlisten (ear);
  clear_rig (&rig);
}

int
main (int argc, char **argv)
{
  g_setenv ("WEFT_RUNTIME_DIR", "/nonexistent", TRUE);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/codec/off", test_off);
  g_test_add_func ("/codec/own-time", test_own_time);
  g_test_add_func ("/codec/waits", test_waits);
  g_test_add_func ("/codec/queue", test_queue);
  g_test_add_func ("/codec/ways", test_ways);
  g_test_add_func ("/codec/many-ways", test_many_ways);
  g_test_add_func ("/codec/failures", test_failures);
  g_test_add_func ("/codec/unbalanced", test_unbalanced);
  g_test_add_func ("/codec/nothing", test_nothing);
  g_test_add_func ("/codec/threads", test_threads);
  return g_test_run ();
}
