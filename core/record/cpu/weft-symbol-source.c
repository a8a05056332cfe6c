/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-symbol-source.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "weft-address-space.h"
#include "weft-clock.h"
#include "weft-debuginfod.h"
#include "weft-source-texts.h"
#include "weft-symbol-module.h"
#include "weft-symbol-rows.h"

#define MAX_WORKERS 4
/* While it records: seldom enough that what was found once is asked for in one go. */
#define BATCH_NS (G_GINT64_CONSTANT (500) * 1000000)
#define STEP_US 50000
/* At the end a large module is shared out among the workers. */
#define SHARE 1024
#define MAX_CODE (G_GUINT64_CONSTANT (64) << 20)
#define MAX_CODE_OF_ONE (4u << 20)

/* A module, as a row of the recording. */
typedef struct
{
  WeftSymbolModule *module;
  guint64 row;
  GArray *frames; /* guint64: added, and not handed over */
  GArray *open;   /* guint64: not found, but may be told later */
  guint n_jobs;
  gboolean has_frames;
  gboolean is_written;
  WeftSymbolModuleState written;
} SourceModule;

typedef struct
{
  SourceModule *module;
  guint64 address; /* where to look: of a return address, the call */
  const WeftSymbolFunction *function;
  guint64 n_samples;
} SourceFrame;

/* Frames of one module, for a worker and back. */
typedef struct
{
  SourceModule *module;
  gboolean saves; /* nothing to find: what was found is kept for others */
  guint n;
  guint64 *frames;
  guint64 *addresses;
  const WeftSymbolFunction **functions;
} Job;

typedef struct
{
  WeftSymbolSource *source;
  WeftSymbolizer *symbolizer;
  GThread *thread;
  gint64 cpu; /* ns, atomic: of the thread, after each job */
} Worker;

struct _WeftSymbolSource
{
  WeftStoreWriter *store;
  WeftSymbolMode mode;
  WeftSymbolShared *shared;
  WeftSymbolRows *rows;
  WeftDebuginfod *debuginfod;
  GHashTable *modules; /* WeftCodeModule → SourceModule, the one that frames belong to now */
  GPtrArray *all;      /* SourceModule */
  GArray *frames;      /* SourceFrame, by id - 1 */
  GAsyncQueue *jobs;   /* for the workers */
  GAsyncQueue *done;   /* back from them */
  Worker workers[MAX_WORKERS];
  guint n_workers;
  guint n_jobs; /* handed over and not back */
  guint64 n_frames;
  guint64 n_resolved;
  gint64 next_batch;
  gboolean was_told; /* the file, of the mode */
  gboolean is_over;  /* time is: no more jobs */
};

static int no_more; /* its address ends a worker */

/* ---- Workers ---- */

static void
job_free (gpointer data)
{
  Job *job = data;

  g_free (job->frames);
  g_free (job->addresses);
  g_free (job->functions);
  g_free (job);
}

static gpointer
work (gpointer data)
{
  Worker *self = data;

  while (TRUE)
    {
      Job *job = g_async_queue_pop (self->source->jobs);

      if ((gpointer) job == &no_more)
        break;
      if (job->saves)
        weft_symbol_module_save (job->module->module);
      else
        weft_symbol_module_resolve (job->module->module, self->symbolizer, job->addresses, job->n,
                                    job->functions);
      __atomic_store_n (&self->cpu, weft_clock_now (CLOCK_THREAD_CPUTIME_ID), __ATOMIC_RELAXED);
      g_async_queue_push (self->source->done, job);
    }
  /* The process that it talks to ends with the thread that started it. */
  weft_symbolizer_free (self->symbolizer);
  return NULL;
}

static void
start_worker (WeftSymbolSource *self, Worker *worker)
{
  worker->source = self;
  worker->symbolizer = weft_symbolizer_new ();
  if (self->debuginfod != NULL)
    weft_symbolizer_set_finder (worker->symbolizer, weft_debuginfod_find, self->debuginfod);
  worker->thread = g_thread_new ("weft-symbols", work, worker);
}

/* ---- Life ---- */

static void
source_module_free (gpointer data)
{
  SourceModule *module = data;

  weft_symbol_module_free (module->module);
  weft_symbol_module_state_clear (&module->written);
  g_array_unref (module->frames);
  g_array_unref (module->open);
  g_free (module);
}

static const char *
mode_name (WeftSymbolMode mode)
{
  return mode == WEFT_SYMBOL_MODE_OFF          ? "off"
         : mode == WEFT_SYMBOL_MODE_DEBUGINFOD ? "debuginfod"
                                               : "auto";
}

WeftSymbolSource *
weft_symbol_source_new (WeftStoreWriter *store, const WeftSymbolOptions *options)
{
  WeftSymbolSource *self = g_new0 (WeftSymbolSource, 1);
  WeftSymbolCache *cache = NULL;

  self->store = store;
  self->mode = options->mode;
  self->rows = weft_symbol_rows_new (store, options->start);
  self->modules = g_hash_table_new (NULL, NULL);
  self->all = g_ptr_array_new_with_free_func (source_module_free);
  self->frames = g_array_new (FALSE, TRUE, sizeof (SourceFrame));
  self->jobs = g_async_queue_new ();
  self->done = g_async_queue_new_full (job_free);
  if (self->mode == WEFT_SYMBOL_MODE_OFF)
    return self;
  if (options->cache_directory == NULL || options->cache_directory[0] != '\0')
    cache = weft_symbol_cache_new (options->cache_directory);
  self->shared = weft_symbol_shared_new (cache);
  self->shared->asks_servers = self->mode == WEFT_SYMBOL_MODE_DEBUGINFOD;
  if (self->shared->asks_servers)
    self->debuginfod = weft_debuginfod_new ();
  return self;
}

void
weft_symbol_source_free (WeftSymbolSource *self)
{
  for (guint i = 0; i < self->n_workers; i++)
    g_async_queue_push (self->jobs, &no_more);
  for (guint i = 0; i < self->n_workers; i++)
    g_thread_join (self->workers[i].thread);
  g_async_queue_unref (self->jobs);
  g_async_queue_unref (self->done);
  g_hash_table_unref (self->modules);
  weft_symbol_rows_free (self->rows);
  g_ptr_array_unref (self->all);
  g_array_unref (self->frames);
  g_clear_pointer (&self->shared, weft_symbol_shared_free);
  g_clear_pointer (&self->debuginfod, weft_debuginfod_free);
  g_free (self);
}

/* ---- What is added ---- */

static gboolean
is_dump (WeftCodeModule *module)
{
  g_autofree char *name = g_path_get_basename (weft_code_module_get_path (module));
  int pid;
  int length = 0;

  return sscanf (name, "jit-%d.dump%n", &pid, &length) == 1 && length > 0 && name[length] == '\0';
}

static void
put_job (WeftSymbolSource *self, Job *job)
{
  if (self->n_workers == 0)
    {
      self->n_workers = CLAMP (g_get_num_processors (), 2, MAX_WORKERS);
      for (guint i = 0; i < self->n_workers; i++)
        start_worker (self, &self->workers[i]);
    }
  g_async_queue_push (self->jobs, job);
}

static void
hand_over (WeftSymbolSource *self, SourceModule *module, const guint64 *frames, guint n)
{
  Job *job = g_new0 (Job, 1);

  job->module = module;
  job->n = n;
  job->frames = g_memdup2 (frames, n * sizeof *frames);
  job->addresses = g_new (guint64, n + 1);
  job->functions = g_new0 (const WeftSymbolFunction *, n + 1);
  for (guint i = 0; i < n; i++)
    job->addresses[i] = g_array_index (self->frames, SourceFrame, frames[i] - 1).address;
  module->n_jobs++;
  self->n_jobs++;
  put_job (self, job);
}

void
weft_symbol_source_add_module (WeftSymbolSource *self, WeftCodeModule *code, guint64 row)
{
  SourceModule *module;

  if (!self->was_told)
    weft_symbol_rows_add_meta (self->rows, "symbols", mode_name (self->mode));
  self->was_told = TRUE;
  if (self->mode == WEFT_SYMBOL_MODE_OFF)
    return;
  module = g_new0 (SourceModule, 1);
  module->module = weft_symbol_module_new (self->shared, code);
  module->row = row;
  module->frames = g_array_new (FALSE, FALSE, sizeof (guint64));
  module->open = g_array_new (FALSE, FALSE, sizeof (guint64));
  g_ptr_array_add (self->all, module);
  g_hash_table_insert (self->modules, code, module);
  if (is_dump (code))
    weft_symbol_shared_add_dump (self->shared, code);
  /* While the process is there its files can be opened. */
  if (weft_symbol_module_is_growing (module->module))
    hand_over (self, module, NULL, 0);
}

void
weft_symbol_source_add_frame (WeftSymbolSource *self, guint64 frame, WeftCodeModule *code,
                              guint64 offset, guint flags)
{
  SourceModule *module = code != NULL ? g_hash_table_lookup (self->modules, code) : NULL;
  SourceFrame *added;

  if (module == NULL)
    return;
  if (frame > self->frames->len)
    g_array_set_size (self->frames, frame);
  added = &g_array_index (self->frames, SourceFrame, frame - 1);
  added->module = module;
  added->address = offset - (flags & WEFT_FRAME_RETURN_ADDRESS && offset > 0 ? 1 : 0);
  g_array_append_val (module->frames, frame);
  module->has_frames = TRUE;
  self->n_frames++;
}

void
weft_symbol_source_add_sample (WeftSymbolSource *self, guint64 frame)
{
  if (frame >= 1 && frame <= self->frames->len)
    g_array_index (self->frames, SourceFrame, frame - 1).n_samples++;
}

/* ---- What comes back ---- */

static gboolean
state_equals (const WeftSymbolModuleState *a, const WeftSymbolModuleState *b)
{
  return a->state == b->state && a->n_symbols == b->n_symbols &&
         g_strcmp0 (a->reason, b->reason) == 0 && g_strcmp0 (a->debug_file, b->debug_file) == 0;
}

static void
write_state (WeftSymbolSource *self, SourceModule *module)
{
  WeftSymbolModuleState state = { 0 };

  weft_symbol_module_get_state (module->module, &state);
  if (module->is_written && state_equals (&state, &module->written))
    {
      weft_symbol_module_state_clear (&state);
      return;
    }
  weft_symbol_rows_add_state (self->rows, module->row, &state);
  weft_symbol_module_state_clear (&module->written);
  module->written = state;
  module->is_written = TRUE;
}

static void
take_frame (WeftSymbolSource *self, SourceModule *module, guint64 frame,
            const WeftSymbolFunction *function)
{
  SourceFrame *found = &g_array_index (self->frames, SourceFrame, frame - 1);

  if (function == NULL && weft_symbol_module_is_growing (module->module) && !self->is_over)
    {
      g_array_append_val (module->open, frame);
      return;
    }
  self->n_resolved++;
  found->function = function;
  if (function != NULL)
    weft_symbol_rows_add_frame (self->rows, frame, module->row, found->address, function);
}

static void
take_job (WeftSymbolSource *self, Job *job)
{
  for (guint i = 0; i < job->n; i++)
    take_frame (self, job->module, job->frames[i], job->functions[i]);
  job->module->n_jobs--;
  self->n_jobs--;
  if (job->n > 0 && !weft_symbol_module_is_growing (job->module->module))
    write_state (self, job->module);
  job_free (job);
}

static void
take_jobs (WeftSymbolSource *self)
{
  Job *job;

  while ((job = g_async_queue_try_pop (self->done)) != NULL)
    take_job (self, job);
}

/* What is waiting of MODULE, in SHARES. */
static void
hand_over_module (WeftSymbolSource *self, SourceModule *module, guint shares)
{
  GArray *frames = module->frames;
  guint step;

  if (frames->len == 0)
    return;
  step = MAX ((frames->len + shares - 1) / shares, SHARE);
  for (guint i = 0; i < frames->len; i += step)
    hand_over (self, module, &g_array_index (frames, guint64, i), MIN (step, frames->len - i));
  g_array_set_size (frames, 0);
}

void
weft_symbol_source_tick (WeftSymbolSource *self, gint64 now)
{
  take_jobs (self);
  if (now < self->next_batch)
    return;
  self->next_batch = now + BATCH_NS;
  for (guint i = 0; i < self->all->len; i++)
    {
      SourceModule *module = self->all->pdata[i];

      if (module->n_jobs == 0)
        hand_over_module (self, module, 1);
    }
}

gboolean
weft_symbol_source_catch_up (WeftSymbolSource *self)
{
  take_jobs (self);
  for (guint i = 0; i < self->all->len; i++)
    hand_over_module (self, self->all->pdata[i], MAX (self->n_workers, 2));
  return self->n_jobs == 0;
}

void
weft_symbol_source_get_progress (WeftSymbolSource *self, WeftSymbolProgress *progress)
{
  *progress = (WeftSymbolProgress){ .n_frames = self->n_frames, .n_resolved = self->n_resolved };
  for (guint i = 0; i < self->all->len; i++)
    {
      const SourceModule *module = self->all->pdata[i];

      progress->n_modules += module->has_frames;
      progress->n_failed += module->is_written && module->written.state == WEFT_SYMBOL_STATE_FAILED;
    }
}

guint64
weft_symbol_source_get_cpu (WeftSymbolSource *self)
{
  guint64 cpu = 0;

  for (guint i = 0; i < self->n_workers; i++)
    cpu += (guint64) __atomic_load_n (&self->workers[i].cpu, __ATOMIC_RELAXED) +
           weft_symbolizer_get_cpu (self->workers[i].symbolizer);
  return cpu;
}

/* ---- The end ---- */

static int
compare_places (gconstpointer a, gconstpointer b, gpointer data)
{
  const SourceFrame *frames = data;
  const SourceFrame *x = &frames[*(const guint64 *) a - 1];
  const SourceFrame *y = &frames[*(const guint64 *) b - 1];

  return x->address < y->address ? -1 : x->address > y->address;
}

/* Everything; neighbours in the code go to the same worker. */
static void
hand_over_all (WeftSymbolSource *self)
{
  for (guint i = 0; i < self->all->len; i++)
    {
      SourceModule *module = self->all->pdata[i];

      g_array_append_vals (module->frames, module->open->data, module->open->len);
      g_array_set_size (module->open, 0);
      g_array_sort_with_data (module->frames, compare_places, self->frames->data);
      hand_over_module (self, module, MAX (self->n_workers, 2));
    }
}

static gboolean
has_time (WeftSymbolSource *self, gint64 deadline, WeftSymbolStepFunc step, gpointer data)
{
  WeftSymbolProgress progress;

  if (weft_monotonic_now () >= deadline)
    return FALSE;
  if (step == NULL)
    return TRUE;
  weft_symbol_source_get_progress (self, &progress);
  return step (&progress, data);
}

static void
await_jobs (WeftSymbolSource *self, gint64 deadline, WeftSymbolStepFunc step, gpointer data)
{
  gboolean goes_on = TRUE;

  while (self->n_jobs > 0)
    {
      Job *job = g_async_queue_timeout_pop (self->done, STEP_US);

      if (job != NULL)
        take_job (self, job);
      if (!goes_on || has_time (self, deadline, step, data))
        continue;
      goes_on = FALSE;
      /* What waits for an answer gets one at once, and so does what has not asked yet. */
      for (guint i = 0; i < self->n_workers; i++)
        weft_symbolizer_cancel (self->workers[i].symbolizer);
    }
  if (!goes_on)
    weft_symbol_rows_add_diagnostic (self->rows, WEFT_SEVERITY_WARNING, "symbols-unfinished",
                                     "There was no time to read all symbols: some functions have "
                                     "no names. Record again: what was "
                                     "read is kept");
}

static void
write_states (WeftSymbolSource *self)
{
  for (guint i = 0; i < self->all->len; i++)
    {
      SourceModule *module = self->all->pdata[i];

      if (module->has_frames)
        write_state (self, module);
    }
}

static void
save_modules (WeftSymbolSource *self)
{
  for (guint i = 0; i < self->all->len; i++)
    {
      SourceModule *module = self->all->pdata[i];
      Job *job;

      if (!module->has_frames || weft_symbol_module_is_growing (module->module))
        continue;
      job = g_new0 (Job, 1);
      job->module = module;
      job->saves = TRUE;
      put_job (self, job);
    }
}

/* A function that samples fell into. */
typedef struct
{
  SourceModule *module;
  const WeftSymbolFunction *function;
  guint64 n_samples;
} HotFunction;

static int
compare_hot (gconstpointer a, gconstpointer b)
{
  const HotFunction *x = a;
  const HotFunction *y = b;

  if (x->n_samples != y->n_samples)
    return x->n_samples > y->n_samples ? -1 : 1;
  if (x->module->row != y->module->row)
    return x->module->row < y->module->row ? -1 : 1;
  return x->function->start < y->function->start ? -1 : x->function->start > y->function->start;
}

static int
compare_functions (gconstpointer a, gconstpointer b)
{
  const HotFunction *x = a;
  const HotFunction *y = b;

  if (x->module->row != y->module->row)
    return x->module->row < y->module->row ? -1 : 1;
  return x->function->start < y->function->start ? -1 : x->function->start > y->function->start;
}

static GArray *
gather_hot_functions (WeftSymbolSource *self)
{
  GArray *hot = g_array_new (FALSE, FALSE, sizeof (HotFunction));
  guint n = 0;

  for (guint i = 0; i < self->frames->len; i++)
    {
      const SourceFrame *frame = &g_array_index (self->frames, SourceFrame, i);

      if (frame->n_samples > 0 && frame->function != NULL && frame->function->symbol != NULL)
        g_array_append_val (hot,
                            ((HotFunction){ frame->module, frame->function, frame->n_samples }));
    }
  g_array_sort (hot, compare_functions);
  for (guint i = 0; i < hot->len; i++)
    {
      HotFunction *function = &g_array_index (hot, HotFunction, i);
      HotFunction *last = n > 0 ? &g_array_index (hot, HotFunction, n - 1) : NULL;

      if (last != NULL && compare_functions (last, function) == 0)
        last->n_samples += function->n_samples;
      else
        g_array_index (hot, HotFunction, n++) = *function;
    }
  g_array_set_size (hot, n);
  g_array_sort (hot, compare_hot);
  return hot;
}

/* When the module's file was last changed, CLOCK_REALTIME ns; 0: not known. */
static gint64
time_of (SourceModule *module)
{
  int descriptor = weft_code_module_open (weft_symbol_module_get_code (module->module));
  struct stat status;
  gint64 time = 0;

  if (descriptor < 0)
    return 0;
  if (fstat (descriptor, &status) == 0)
    time = status.st_mtim.tv_sec * G_GINT64_CONSTANT (1000000000) + status.st_mtim.tv_nsec;
  close (descriptor);
  return time;
}

static void
write_code (WeftSymbolSource *self)
{
  g_autoptr (GArray) hot = gather_hot_functions (self);
  g_autoptr (GByteArray) code = g_byte_array_new ();
  WeftSourceTexts *texts = weft_source_texts_new (self->store);
  guint64 written = 0;
  guint n_left_out = 0;

  for (guint i = 0; i < hot->len; i++)
    {
      const HotFunction *function = &g_array_index (hot, HotFunction, i);
      guint64 size = function->function->size;

      if (function->function->file_offset == G_MAXUINT64)
        continue;
      if (size > MAX_CODE_OF_ONE || written + size > MAX_CODE)
        n_left_out++;
      else if (weft_symbol_module_read_code (function->module->module, function->function, code))
        {
          written += size;
          weft_symbol_rows_add_code (self->rows, function->module->row, function->function,
                                     weft_symbol_module_get_architecture (function->module->module),
                                     code);
          weft_source_texts_add (texts, function->function, time_of (function->module));
        }
    }
  if (n_left_out > 0)
    {
      g_autofree char *message = g_strdup_printf (
          "The machine code of %u functions was left out: of each at most %u MiB are kept, of all "
          "%u MiB, the hottest first",
          n_left_out, MAX_CODE_OF_ONE >> 20, (guint) (MAX_CODE >> 20));

      weft_symbol_rows_add_diagnostic (self->rows, WEFT_SEVERITY_INFO, "code-left-out", message);
    }
  weft_source_texts_write (texts, self->rows);
  weft_source_texts_free (texts);
}

void
weft_symbol_source_finish (WeftSymbolSource *self, gint64 deadline, WeftSymbolStepFunc step,
                           gpointer data)
{
  if (self->mode == WEFT_SYMBOL_MODE_OFF)
    return;
  await_jobs (self, deadline, step, data);
  self->is_over = TRUE;
  hand_over_all (self);
  await_jobs (self, deadline, step, data);
  write_states (self);
  save_modules (self);
  write_code (self);
}
