/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-cpu-rows.h"

#include "weft-address-space.h"
#include "weft-cpu-batch.h"
#include "weft-ingest-private.h"
#include "weft-wait-handovers.h"
#include "weft-clock.h"

#define MAX_WAITING_BYTES ((gsize) 64 << 20)
#define WAKING_BYTES ((gsize) 256 << 10) /* for fewer, nobody is woken */
#define HELD (NS_PER_SECOND / 4)         /* ns that a wait may be held for hand-overs to come */
#define MAX_HELD 262144

typedef struct
{
  guint64 process;
  guint64 thread;
  int tid;
} ThreadRow;

/* A wait that the program itself may tell the end of, or one that came after it. */
typedef struct
{
  gint64 arrived;
  WeftCpuWaitRow wait;
  gboolean woken; /* so the kernel told */
  WeftCpuWakeupRow wakeup;
} HeldWait;

struct _WeftCpuRows
{
  WeftIngest *ingest;
  WeftSymbolSource *symbols;
  WeftLinker *linker;
  GSource *source;
  GAsyncQueue *waiting; /* element-type WeftCpuBatch */
  gsize waiting_bytes;  /* atomic */

  GArray *processes; /* guint64 rows by the tracker's number - 1 */
  GArray *threads;   /* ThreadRow likewise */
  GArray *modules;   /* guint64 rows by the module's number - 1 */
  GArray *texts;     /* guint32 strings by the tracker's number - 1 */

  WeftWaitHandovers *handovers; /* once there are any */
  GQueue held;                  /* element-type HeldWait */
};

/* ---- The way from one thread to the other ---- */

static gboolean
on_posted (gpointer data)
{
  weft_cpu_rows_drain (data);
  return G_SOURCE_CONTINUE;
}

static gboolean
dispatch_posted (GSource *source, GSourceFunc callback, gpointer data)
{
  g_source_set_ready_time (source, -1);
  return callback (data);
}

static GSourceFuncs source_funcs = { .dispatch = dispatch_posted };

static void
on_handover (const WeftIngestHandover *handover, gpointer data)
{
  WeftCpuRows *self = data;

  if (self->handovers == NULL)
    self->handovers = weft_wait_handovers_new ();
  weft_wait_handovers_add (self->handovers, handover);
}

WeftCpuRows *
weft_cpu_rows_new (WeftIngest *ingest, WeftSymbolSource *symbols, WeftLinker *linker,
                   GMainContext *context)
{
  WeftCpuRows *self = g_new0 (WeftCpuRows, 1);

  self->ingest = ingest;
  self->symbols = symbols;
  self->linker = linker;
  self->waiting = g_async_queue_new_full ((GDestroyNotify) weft_cpu_batch_free);
  self->processes = g_array_new (FALSE, TRUE, sizeof (guint64));
  self->threads = g_array_new (FALSE, TRUE, sizeof (ThreadRow));
  self->modules = g_array_new (FALSE, TRUE, sizeof (guint64));
  self->texts = g_array_new (FALSE, TRUE, sizeof (guint32));
  self->source = g_source_new (&source_funcs, sizeof (GSource));
  g_source_set_callback (self->source, on_posted, self, NULL);
  g_source_attach (self->source, context);
  g_queue_init (&self->held);
  weft_ingest_set_handover (ingest, on_handover, self);
  return self;
}

void
weft_cpu_rows_post (WeftCpuRows *self, WeftCpuBatch *batch)
{
  gsize waiting =
      __atomic_add_fetch (&self->waiting_bytes, weft_cpu_batch_get_size (batch), __ATOMIC_RELAXED);
  /* Targets that report lanes may tell of the same ones. */
  gboolean has_new = batch->processes->len + batch->threads->len > 0;

  g_async_queue_push (self->waiting, batch);
  if (has_new || waiting > WAKING_BYTES)
    g_source_set_ready_time (self->source, 0);
}

gboolean
weft_cpu_rows_is_behind (WeftCpuRows *self)
{
  return __atomic_load_n (&self->waiting_bytes, __ATOMIC_RELAXED) > MAX_WAITING_BYTES;
}

/* ---- What others refer to ---- */

static guint64
process_row (WeftCpuRows *self, guint32 number)
{
  return number - 1 < self->processes->len ? g_array_index (self->processes, guint64, number - 1)
                                           : 0;
}

static guint64
thread_row (WeftCpuRows *self, guint32 number)
{
  return number - 1 < self->threads->len
             ? g_array_index (self->threads, ThreadRow, number - 1).thread
             : 0;
}

static void
put (GArray *array, guint32 number, guint64 row)
{
  if (number > array->len)
    g_array_set_size (array, number);
  g_array_index (array, guint64, number - 1) = row;
}

static void
add_process (WeftCpuRows *self, const WeftCpuProcessRow *row)
{
  put (self->processes, row->number, weft_ingest_add_watched_process (self->ingest, &row->info));
}

static void
add_thread (WeftCpuRows *self, const WeftCpuThreadRow *row)
{
  WeftIngestThread info = { .tid = row->tid,
                            .namespace_tid = row->namespace_tid,
                            .started = row->started,
                            .seen = row->seen,
                            .name = row->name };
  ThreadRow thread = { .process = process_row (self, row->process), .tid = row->tid };

  thread.thread = weft_ingest_add_thread (self->ingest, thread.process, &info);
  if (row->number > self->threads->len)
    g_array_set_size (self->threads, row->number);
  g_array_index (self->threads, ThreadRow, row->number - 1) = thread;
}

static guint64
add_module (WeftCpuRows *self, WeftCodeModule *module, guint64 process)
{
  WeftIngest *ingest = self->ingest;
  WeftTableWriter *t = ingest->tables[WEFT_TABLE_MODULES];
  const char *path = weft_code_module_get_path (module);
  g_autofree char *name = path ? g_path_get_basename (path) : NULL;
  guint32 path_string = weft_ingest_intern_untrusted (ingest, path);
  guint32 name_string = weft_ingest_intern_untrusted (ingest, name);
  guint32 build_id = weft_ingest_intern_untrusted (ingest, weft_code_module_get_build_id (module));
  guint kind = weft_code_module_get_kind (module);
  guint64 row;

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_MODULES_KIND, kind);
  weft_table_writer_set (t, WEFT_MODULES_NAME, name_string);
  weft_table_writer_set (t, WEFT_MODULES_PATH, path_string);
  weft_table_writer_set (t, WEFT_MODULES_BUILD_ID, build_id);
  weft_table_writer_set (t, WEFT_MODULES_SIZE, weft_code_module_get_size (module));
  if (kind == WEFT_MODULE_KIND_JIT)
    weft_table_writer_set (t, WEFT_MODULES_PROCESS, process);
  row = weft_ingest_commit (ingest, WEFT_TABLE_MODULES);
  put (self->modules, weft_code_module_get_number (module), row);
  if (self->symbols != NULL)
    weft_symbol_source_add_module (self->symbols, module, row);
  return row;
}

static guint64
module_row (WeftCpuRows *self, WeftCodeModule *module, guint32 process)
{
  guint32 number = module ? weft_code_module_get_number (module) : 0;
  guint64 row = 0;

  if (number == 0)
    return 0;
  if (number <= self->modules->len)
    row = g_array_index (self->modules, guint64, number - 1);
  return row ? row : add_module (self, module, process_row (self, process));
}

static void
add_mapping (WeftCpuRows *self, const WeftCpuMappingRow *row)
{
  WeftTableWriter *t = self->ingest->tables[WEFT_TABLE_MAPPINGS];
  guint64 module = module_row (self, row->module, row->process);

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_MAPPINGS_PROCESS, process_row (self, row->process));
  weft_table_writer_set (t, WEFT_MAPPINGS_MODULE, module);
  weft_table_writer_set (t, WEFT_MAPPINGS_TIME, (guint64) (row->time - self->ingest->start));
  weft_table_writer_set (t, WEFT_MAPPINGS_ADDRESS, row->address);
  weft_table_writer_set (t, WEFT_MAPPINGS_SIZE, row->length);
  weft_table_writer_set (t, WEFT_MAPPINGS_OFFSET, row->offset);
  weft_ingest_commit (self->ingest, WEFT_TABLE_MAPPINGS);
}

static void
tell_linker_of_frame (WeftCpuRows *self, guint64 id, const WeftCpuFrameRow *row)
{
  guint64 offset = row->offset - (row->flags & WEFT_FRAME_RETURN_ADDRESS ? 1 : 0);

  if (self->linker != NULL && row->module != NULL)
    weft_linker_add_frame (self->linker, id, weft_code_module_find_function (row->module, offset));
}

static void
add_frame (WeftCpuRows *self, const WeftCpuFrameRow *row)
{
  WeftTableWriter *t = self->ingest->tables[WEFT_TABLE_FRAMES];
  guint64 module = module_row (self, row->module, row->process);
  guint64 id;

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_FRAMES_MODULE, module);
  weft_table_writer_set (t, WEFT_FRAMES_OFFSET, row->offset);
  weft_table_writer_set (t, WEFT_FRAMES_FLAGS, row->flags);
  id = weft_ingest_commit (self->ingest, WEFT_TABLE_FRAMES);
  tell_linker_of_frame (self, id, row);
  if (self->symbols != NULL)
    weft_symbol_source_add_frame (self->symbols, id, row->module, row->offset, row->flags);
}

static void
add_callchain (WeftCpuRows *self, const WeftCpuCallchainRow *row)
{
  WeftTableWriter *t = self->ingest->tables[WEFT_TABLE_CALLCHAINS];
  guint64 id;

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_CALLCHAINS_PARENT, row->parent);
  weft_table_writer_set (t, WEFT_CALLCHAINS_FRAME, row->frame);
  weft_table_writer_set (t, WEFT_CALLCHAINS_DEPTH, row->depth);
  id = weft_ingest_commit (self->ingest, WEFT_TABLE_CALLCHAINS);
  if (self->linker != NULL)
    weft_linker_add_callchain (self->linker, id, row->parent, row->frame, row->depth);
}

static void
add_text (WeftCpuRows *self, const char *text)
{
  guint32 string = weft_ingest_intern_untrusted (self->ingest, text);

  g_array_append_val (self->texts, string);
}

/* ---- What refers to them ---- */

static void
add_sample (WeftCpuRows *self, const WeftCpuSampleRow *row)
{
  WeftTableWriter *t = self->ingest->tables[WEFT_TABLE_SAMPLES];
  guint64 thread = thread_row (self, row->thread);
  gint64 time = row->time - self->ingest->start;
  guint64 id;

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_SAMPLES_THREAD, thread);
  weft_table_writer_set (t, WEFT_SAMPLES_TIME, (guint64) time);
  weft_table_writer_set (t, WEFT_SAMPLES_CALLCHAIN, row->callchain);
  weft_table_writer_set (t, WEFT_SAMPLES_WEIGHT, row->weight);
  weft_table_writer_set (t, WEFT_SAMPLES_CPU, row->cpu);
  weft_table_writer_set (t, WEFT_SAMPLES_END, row->end);
  weft_table_writer_set (t, WEFT_SAMPLES_MARKS, row->marks);
  if (row->has_counters)
    {
      weft_table_writer_set (t, WEFT_SAMPLES_CYCLES, row->cycles);
      weft_table_writer_set (t, WEFT_SAMPLES_INSTRUCTIONS, row->instructions);
    }
  id = weft_ingest_commit (self->ingest, WEFT_TABLE_SAMPLES);
  if (self->linker != NULL)
    weft_linker_add_sample (self->linker, thread, time, id, row->callchain);
  if (self->symbols != NULL && row->frame != 0)
    weft_symbol_source_add_sample (self->symbols, row->frame);
}

static guint64
write_wakeup (WeftCpuRows *self, const WeftCpuWakeupRow *row, guint64 waker, guint source,
              guint64 object)
{
  WeftTableWriter *t = self->ingest->tables[WEFT_TABLE_WAKEUPS];

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_WAKEUPS_TIME, (guint64) (row->time - self->ingest->start));
  weft_table_writer_set (t, WEFT_WAKEUPS_WAKER, waker);
  weft_table_writer_set (t, WEFT_WAKEUPS_WAKEE, thread_row (self, row->wakee));
  weft_table_writer_set (t, WEFT_WAKEUPS_CALLCHAIN, row->callchain);
  weft_table_writer_set (t, WEFT_WAKEUPS_END, row->end);
  weft_table_writer_set (t, WEFT_WAKEUPS_SOURCE, source);
  weft_table_writer_set (t, WEFT_WAKEUPS_OBJECT, object);
  return weft_ingest_commit (self->ingest, WEFT_TABLE_WAKEUPS);
}

static void
write_wait (WeftCpuRows *self, const WeftCpuWaitRow *row, guint64 waker, guint64 wakeup)
{
  WeftTableWriter *t = self->ingest->tables[WEFT_TABLE_WAITS];
  gint64 start = row->start - self->ingest->start;

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_WAITS_THREAD, thread_row (self, row->thread));
  weft_table_writer_set (t, WEFT_WAITS_START, (guint64) start);
  weft_table_writer_set (t, WEFT_WAITS_DURATION, (guint64) (row->stop - row->start));
  weft_table_writer_set (t, WEFT_WAITS_REASON, row->reason);
  weft_table_writer_set (t, WEFT_WAITS_CALLCHAIN, row->callchain);
  weft_table_writer_set (t, WEFT_WAITS_END, row->end);
  weft_table_writer_set (t, WEFT_WAITS_MARKS, row->marks);
  if (row->snapshot != 0)
    weft_table_writer_set (t, WEFT_WAITS_SNAPSHOT, (guint64) (row->snapshot - self->ingest->start));
  if (row->has_system_call)
    weft_table_writer_set (t, WEFT_WAITS_SYSTEM_CALL, (guint64) (gint64) row->system_call);
  weft_table_writer_set (t, WEFT_WAITS_OBJECT, row->object);
  if (row->detail != 0)
    weft_table_writer_set (t, WEFT_WAITS_DETAIL,
                           g_array_index (self->texts, guint32, row->detail - 1));
  weft_table_writer_set (t, WEFT_WAITS_WAKER, waker);
  weft_table_writer_set (t, WEFT_WAITS_WAKEUP, wakeup);
  weft_ingest_commit (self->ingest, WEFT_TABLE_WAITS);
}

/* What the kernel tells comes first; else the program itself may have told. */
static void
finish_wait (WeftCpuRows *self, const WeftCpuWaitRow *row, const WeftCpuWakeupRow *waking)
{
  const ThreadRow *thread = &g_array_index (self->threads, ThreadRow, row->thread - 1);
  WeftWaitQuestion question = { .process = thread->process,
                                .thread = thread->thread,
                                .object = row->object,
                                .start = row->start - self->ingest->start,
                                .stop = row->stop - self->ingest->start };
  WeftWaitAnswer answer;

  if (waking != NULL)
    {
      guint64 waker = thread_row (self, waking->waker);

      write_wait (self, row, waker,
                  write_wakeup (self, waking, waker, WEFT_WAKEUP_SOURCE_KERNEL, row->object));
    }
  else if (self->handovers != NULL && row->reason != WEFT_WAIT_REASON_PREEMPTED &&
           weft_wait_handovers_find (self->handovers, &question, &answer))
    {
      WeftCpuWakeupRow told = { .time = answer.time + self->ingest->start, .wakee = row->thread };

      write_wait (
          self, row, answer.waker,
          write_wakeup (self, &told, answer.waker, WEFT_WAKEUP_SOURCE_PROGRAM, answer.object));
    }
  else
    write_wait (self, row, 0, 0);
}

static void
release_held (WeftCpuRows *self, gint64 before)
{
  HeldWait *held;

  while ((held = g_queue_peek_head (&self->held)) != NULL &&
         (held->arrived < before || self->held.length > MAX_HELD))
    {
      finish_wait (self, &held->wait, held->woken ? &held->wakeup : NULL);
      g_free (g_queue_pop_head (&self->held));
    }
}

static void
hold_wait (WeftCpuRows *self, const WeftCpuWaitRow *row, const WeftCpuWakeupRow *waking)
{
  HeldWait *held = g_new0 (HeldWait, 1);

  held->arrived = weft_monotonic_now ();
  held->wait = *row;
  held->woken = waking != NULL;
  if (waking != NULL)
    held->wakeup = *waking;
  g_queue_push_tail (&self->held, held);
}

static void
add_wait (WeftCpuRows *self, const WeftCpuBatch *batch, const WeftCpuWaitRow *row)
{
  const WeftCpuWakeupRow *waking =
      row->wakeup ? &g_array_index (batch->wakeups, WeftCpuWakeupRow, row->wakeup - 1) : NULL;

  if (self->linker != NULL)
    weft_linker_add_wait (self->linker, thread_row (self, row->thread),
                          row->start - self->ingest->start, row->stop - self->ingest->start,
                          row->callchain);
  if (self->held.length == 0 && (waking != NULL || row->reason == WEFT_WAIT_REASON_PREEMPTED))
    finish_wait (self, row, waking);
  else
    hold_wait (self, row, waking);
}

static void
add_thread_time (WeftCpuRows *self, const WeftCpuThreadTimeRow *row)
{
  WeftTableWriter *t = self->ingest->tables[WEFT_TABLE_THREAD_TIMES];
  const ThreadRow *thread = &g_array_index (self->threads, ThreadRow, row->thread - 1);

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_THREAD_TIMES_THREAD, thread->thread);
  weft_table_writer_set (t, WEFT_THREAD_TIMES_TIME, (guint64) (row->time - self->ingest->start));
  weft_table_writer_set (t, WEFT_THREAD_TIMES_START, (guint64) (row->start - self->ingest->start));
  weft_table_writer_set (t, WEFT_THREAD_TIMES_ON_CPU, row->on_cpu);
  weft_table_writer_set (t, WEFT_THREAD_TIMES_OFF_CPU, row->off_cpu);
  weft_table_writer_set (t, WEFT_THREAD_TIMES_ENDED, row->ended);
  weft_ingest_commit (self->ingest, WEFT_TABLE_THREAD_TIMES);
  if (row->ended)
    weft_ingest_end_thread (self->ingest, thread->process, thread->tid, thread->thread, row->time);
}

static void
add_loss (WeftCpuRows *self, const WeftCpuLossRow *row)
{
  WeftTableWriter *t = self->ingest->tables[WEFT_TABLE_LOSSES];
  guint32 reason =
      weft_store_writer_string (self->ingest->store, weft_loss_get_name (row->loss), -1);

  weft_table_writer_begin (t);
  weft_table_writer_set (t, WEFT_LOSSES_TIME, (guint64) (row->time - self->ingest->start));
  weft_table_writer_set (t, WEFT_LOSSES_CATEGORY, weft_loss_get_category (row->loss));
  weft_table_writer_set (t, WEFT_LOSSES_REASON, reason);
  weft_table_writer_set (t, WEFT_LOSSES_COUNT, row->count);
  weft_ingest_commit (self->ingest, WEFT_TABLE_LOSSES);
}

#define FOR_EACH(array, Type, row)                                                                 \
  for (const Type *row = (const Type *) (gpointer) (array)->data, *row##_end = row + (array)->len; \
       row < row##_end; row++)

static void
write_references (WeftCpuRows *self, const WeftCpuBatch *batch)
{
  FOR_EACH (batch->processes, WeftCpuProcessRow, row)
  add_process (self, row);
  FOR_EACH (batch->threads, WeftCpuThreadRow, row)
  add_thread (self, row);
  FOR_EACH (batch->mappings, WeftCpuMappingRow, row)
  add_mapping (self, row);
  FOR_EACH (batch->frames, WeftCpuFrameRow, row)
  add_frame (self, row);
  FOR_EACH (batch->callchains, WeftCpuCallchainRow, row)
  add_callchain (self, row);
  for (guint i = 0; i < batch->texts->len; i++)
    add_text (self, g_ptr_array_index (batch->texts, i));
}

static void
write_batch (WeftCpuRows *self, const WeftCpuBatch *batch)
{
  write_references (self, batch);
  if (batch->frames_in_use != 0)
    weft_store_writer_set_in_use (self->ingest->store, WEFT_TABLE_FRAMES, batch->frames_in_use);
  if (batch->callchains_in_use != 0)
    weft_store_writer_set_in_use (self->ingest->store, WEFT_TABLE_CALLCHAINS,
                                  batch->callchains_in_use);
  FOR_EACH (batch->samples, WeftCpuSampleRow, row)
  add_sample (self, row);
  FOR_EACH (batch->waits, WeftCpuWaitRow, row)
  add_wait (self, batch, row);
  FOR_EACH (batch->thread_times, WeftCpuThreadTimeRow, row)
  add_thread_time (self, row);
  FOR_EACH (batch->process_ends, WeftCpuProcessEndRow, row)
  weft_ingest_end_process (self->ingest, process_row (self, row->process), row->time, FALSE, 0);
  FOR_EACH (batch->losses, WeftCpuLossRow, row)
  add_loss (self, row);
}

void
weft_cpu_rows_drain (WeftCpuRows *self)
{
  gint64 now = weft_monotonic_now ();
  WeftCpuBatch *batch;

  while ((batch = g_async_queue_try_pop (self->waiting)) != NULL)
    {
      write_batch (self, batch);
      __atomic_sub_fetch (&self->waiting_bytes, weft_cpu_batch_get_size (batch), __ATOMIC_RELAXED);
      weft_cpu_batch_free (batch);
    }
  release_held (self, now - HELD);
  if (self->handovers != NULL)
    weft_wait_handovers_forget (self->handovers, now - self->ingest->start - 8 * HELD);
}

void
weft_cpu_rows_settle (WeftCpuRows *self)
{
  weft_cpu_rows_drain (self);
  release_held (self, G_MAXINT64);
}

void
weft_cpu_rows_free (WeftCpuRows *self)
{
  weft_cpu_rows_settle (self);
  weft_ingest_set_handover (self->ingest, NULL, NULL);
  g_clear_pointer (&self->handovers, weft_wait_handovers_free);
  g_source_destroy (self->source);
  g_source_unref (self->source);
  g_async_queue_unref (self->waiting);
  g_array_unref (self->processes);
  g_array_unref (self->threads);
  g_array_unref (self->modules);
  g_array_unref (self->texts);
  g_free (self);
}
