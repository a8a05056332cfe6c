/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zstd-lanes: compresses files, or a mix of texts it makes up, on several threads, and reports
 * what they do through libweft-target.
 *
 * One thread reads blocks and puts them into a bounded queue; workers compress them; each file's
 * blocks are written in order, a zstd frame each, so that `zstd -d` reads the result.
 *
 *   lanes        the pool, a worker each below it, and the reader
 *   dispatches   one a block, with phases, queue wait, sizes, and the stack that put it in
 *   submissions  one a file: begun, committed when all is queued, completed by the last worker
 *   waits        the reader waits for a file, which proves that its stack waited for the work
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <zstd.h>

#include "weft-target.h"

#define MAX_WORKERS 64
#define QUEUE_CAPACITY 16
#define STARVED_NS 2000000u
#define MADE_UP_KINDS 3

typedef struct
{
  unsigned workers;
  int level;
  size_t block_size;
  size_t made_up_size; /* bytes, of all made-up texts */
  const char *output;  /* folder, or NULL */
} Options;

typedef struct _File File;
typedef struct _Block Block;

struct _Block
{
  File *file;
  uint64_t index;
  uint64_t offset; /* in the file */
  size_t size;
  size_t compressed_size;
  void *data;
  void *compressed;
  uint64_t submitted; /* ticks */
  WeftTargetOrigin origin;
  Block *next;
};

struct _File
{
  const char *name;
  FILE *input; /* NULL: made up */
  FILE *output;
  unsigned kind;
  uint64_t left;
  uint64_t random;
  uint64_t submission;

  pthread_mutex_t lock;
  pthread_cond_t done;
  Block *finished; /* not written yet, in order */
  uint64_t n_queued;
  uint64_t n_written;
  uint64_t n_done; /* written or not, and reported */
  uint64_t bytes_in;
  uint64_t bytes_out;
  bool all_queued;
  bool completed;
  bool failed;
};

typedef struct
{
  pthread_mutex_t lock;
  pthread_cond_t not_empty;
  pthread_cond_t not_full;
  Block *blocks[QUEUE_CAPACITY];
  unsigned head;
  unsigned length;
  bool closed;
} Queue;

typedef struct
{
  WeftTargetLane *lane;
  char name[32];
  pthread_t thread;
  bool started;
  uint64_t n_blocks;
} Worker;

static Options options = { 0, 6, 128 * 1024, 48 * 1024 * 1024, NULL };
static Queue queue = {
  .lock = PTHREAD_MUTEX_INITIALIZER,
  .not_empty = PTHREAD_COND_INITIALIZER,
  .not_full = PTHREAD_COND_INITIALIZER,
};
static Worker workers[MAX_WORKERS];

/* ---- What Weft is told again and again ---- */

static struct
{
  WeftTargetLane *pool;
  WeftTargetLane *reader;
  uint32_t queue;
  WeftTargetRoutine *compress;
  WeftTargetMetric *depth;
  WeftTargetMetric *done;
  uint32_t counters;
  uint32_t source;
  WeftTargetTrace trace;
} weft;

static uint64_t
nanoseconds_between (uint64_t from, uint64_t to)
{
  return to > from ? weft_target_to_nanoseconds (to) - weft_target_to_nanoseconds (from) : 0;
}

static void
report_submission (const File *file, WeftTargetSubmissionKind kind, WeftTargetRole role)
{
  WeftTargetTag name = { .key = "file", .type = WEFT_TARGET_VALUE_STRING };
  WeftTargetRoleOrigin origin;

  if (!weft_target_enabled ())
    return;

  name.value.string = file->name;
  origin = (WeftTargetRoleOrigin){ role, weft_target_origin () };
  weft_target_submission (&(WeftTargetSubmissionEvent){
      .lane = weft.pool,
      .submission = file->submission,
      .queue = weft.queue,
      .kind = kind,
      .status = kind == WEFT_TARGET_SUBMISSION_FAULT ? WEFT_TARGET_ERROR : WEFT_TARGET_OK,
      .origins = &origin,
      .n_origins = 1,
      .tags = &name,
      .n_tags = 1,
  });
}

static void
report_starving (const Worker *worker, uint64_t waited_ns)
{
  weft_target_warn (&(WeftTargetWarning){
      .lane = worker->lane,
      .severity = WEFT_TARGET_SEVERITY_WARNING,
      .code = "starving",
      .message = "waited for the reader",
      .value = (double) waited_ns,
      .threshold = STARVED_NS,
  });
}

/* When each phase ended; one starts where the one before it ends. */
typedef struct
{
  uint64_t started;
  uint64_t compressed;
  uint64_t checked;
  uint64_t written;
} Stages;

static void
report_block (const Worker *worker, const Block *block, const Stages *stages,
              const WeftTargetSpan *span, const char *error)
{
  uint64_t compressing = nanoseconds_between (stages->started, stages->compressed);
  uint64_t checking = nanoseconds_between (stages->compressed, stages->checked);
  uint64_t writing = nanoseconds_between (stages->checked, stages->written);
  WeftTargetPhase phases[] = {
    { "compress", 0, compressing, error ? WEFT_TARGET_PHASE_ERROR : 0, error },
    { "verify", compressing, checking, 0, NULL },
    { "write", compressing + checking, writing, 0, NULL },
  };
  WeftTargetRange range = { "block", (int64_t) block->index, 1 };
  WeftTargetAttachment attachments[] = {
    { .kind = "buffer",
      .label = block->file->name,
      .role = "input",
      .element_type = "u8",
      .slot = 0,
      .access = WEFT_TARGET_ACCESS_READ,
      .offset = block->offset,
      .size = block->size,
      .ranges = &range,
      .n_ranges = 1 },
    { .kind = "buffer",
      .label = "frame",
      .role = "output",
      .element_type = "u8",
      .slot = 1,
      .access = WEFT_TARGET_ACCESS_WRITE,
      .size = block->compressed_size },
  };
  WeftTargetCounterValue values[] = {
    { .value.u64 = block->size },
    { .value.u64 = block->compressed_size },
    { .value.f64 = block->compressed_size != 0
                       ? (double) block->size / (double) block->compressed_size
                       : 0 },
  };
  WeftTargetCounterSample sample = {
    .set = weft.counters,
    .point = WEFT_TARGET_POINT_AFTER_DISPATCH,
    .ticks = stages->written,
    .values = values,
    .n_values = 3,
  };
  WeftTargetRoleOrigin origins[] = {
    { WEFT_TARGET_ROLE_DISPATCH, block->origin },
    { WEFT_TARGET_ROLE_COMPLETION, weft_target_origin () },
  };
  WeftTargetErrorDetail detail = { .name = "ZSTD", .message = error };
  uint64_t waited = nanoseconds_between (block->submitted, stages->started);

  weft_target_dispatch (&(WeftTargetDispatch){
      .lane = worker->lane,
      .routine = weft.compress,
      .id = weft_target_id_new (),
      .submission = block->file->submission,
      .queue = weft.queue,
      .trace = &weft.trace,
      .span = span,
      .end = stages->written,
      .status = error ? WEFT_TARGET_ERROR : WEFT_TARGET_OK,
      .error_kind = error ? WEFT_TARGET_ERROR_FAULT : WEFT_TARGET_ERROR_NONE,
      .error = error ? &detail : NULL,
      .has_attempts = true,
      .attempts = 1,
      .has_queue_wait = block->submitted != 0,
      .queue_wait = waited,
      .queue_wait_last = waited,
      .submitted = block->submitted,
      .phases = phases,
      .n_phases = 3,
      .origins = block->origin.ticks != 0 ? origins : origins + 1,
      .n_origins = block->origin.ticks != 0 ? 2 : 1,
      .attachments = attachments,
      .n_attachments = 2,
      .samples = &sample,
      .n_samples = 1,
  });
}

/* ---- Texts made up, the same in each run ---- */

static uint64_t
next_random (uint64_t *state)
{
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

static int
make_up_line (File *file, char *line, size_t size)
{
  static const char *const words[] = { "warp", "weft",    "lane",    "thread",  "the",
                                       "a",    "of",      "shuttle", "loom",    "and",
                                       "runs", "over",    "under",   "through", "while",
                                       "each", "pattern", "slowly",  "block",   "in" };
  uint64_t random = next_random (&file->random);
  unsigned n = sizeof words / sizeof words[0];

  switch (file->kind)
    {
    case 0:
      return snprintf (line, size, "%s %s %s %s%s", words[random % n], words[(random >> 8) % n],
                       words[(random >> 16) % n], words[(random >> 24) % n],
                       random >> 61 == 0 ? ".\n" : " ");
    case 1:
      return snprintf (line, size, "2024-03-%02u %02u:%02u:%02u.%06u worker[%u]: %s %s in %u us\n",
                       1 + (unsigned) (random % 28), (unsigned) (random >> 8) % 24,
                       (unsigned) (random >> 16) % 60, (unsigned) (random >> 24) % 60,
                       (unsigned) (random >> 32) % 1000000, (unsigned) (random >> 40) % 16,
                       words[(random >> 44) % n], words[(random >> 52) % n],
                       (unsigned) (random >> 20) % 5000);
    default:
      return snprintf (line, size, "{\"id\":%" PRIu64 ",\"x\":%.3f,\"tag\":\"%s\"}\n", random >> 40,
                       (double) (random & 0xfffff) / 1000.0, words[(random >> 30) % n]);
    }
}

static size_t
make_up (File *file, char *data, size_t size)
{
  size_t wanted = file->left < size ? (size_t) file->left : size;
  size_t used = 0;

  while (used < wanted)
    {
      char line[160];
      size_t length = (size_t) make_up_line (file, line, sizeof line);

      if (length > wanted - used)
        length = wanted - used;
      memcpy (data + used, line, length);
      used += length;
    }
  file->left -= used;
  return used;
}

/* ---- The queue ---- */

static void
queue_push (Block *block)
{
  unsigned depth;

  pthread_mutex_lock (&queue.lock);
  while (queue.length == QUEUE_CAPACITY)
    pthread_cond_wait (&queue.not_full, &queue.lock);
  queue.blocks[(queue.head + queue.length) % QUEUE_CAPACITY] = block;
  depth = ++queue.length;
  pthread_cond_signal (&queue.not_empty);
  pthread_mutex_unlock (&queue.lock);
  weft_target_metric_report (weft.depth, depth);
}

/* NULL when there will be no more. */
static Block *
queue_pop (const Worker *worker)
{
  Block *block = NULL;
  uint64_t from = 0, waited;
  unsigned depth;

  pthread_mutex_lock (&queue.lock);
  if (queue.length == 0 && weft_target_enabled ())
    from = weft_target_now ();
  while (queue.length == 0 && !queue.closed)
    pthread_cond_wait (&queue.not_empty, &queue.lock);
  if (queue.length != 0)
    {
      block = queue.blocks[queue.head];
      queue.head = (queue.head + 1) % QUEUE_CAPACITY;
      queue.length--;
      pthread_cond_signal (&queue.not_full);
    }
  depth = queue.length;
  pthread_mutex_unlock (&queue.lock);

  if (block == NULL)
    return NULL;
  weft_target_metric_report (weft.depth, depth);
  waited = from != 0 ? nanoseconds_between (from, weft_target_now ()) : 0;
  if (waited > STARVED_NS)
    report_starving (worker, waited);
  return block;
}

static void
queue_close (void)
{
  pthread_mutex_lock (&queue.lock);
  queue.closed = true;
  pthread_cond_broadcast (&queue.not_empty);
  pthread_mutex_unlock (&queue.lock);
}

/* ---- Blocks ---- */

static void
block_free (Block *block)
{
  if (block == NULL)
    return;
  free (block->data);
  free (block->compressed);
  free (block);
}

static Block *
block_new (File *file)
{
  Block *block = calloc (1, sizeof *block);

  if (block == NULL)
    return NULL;
  block->file = file;
  block->data = malloc (options.block_size);
  block->compressed = malloc (ZSTD_compressBound (options.block_size));
  if (block->data != NULL && block->compressed != NULL)
    return block;
  block_free (block);
  return NULL;
}

enum
{
  COMPRESS_FIRST_LINE = __LINE__ + 4
};

/* NULL, or what went wrong. */
static const char *
block_compress (Block *block, ZSTD_CCtx *context)
{
  size_t size;

  if (context == NULL)
    return "no memory for a compressor";
  size = ZSTD_compressCCtx (context, block->compressed, ZSTD_compressBound (options.block_size),
                            block->data, block->size, options.level);
  if (ZSTD_isError (size))
    return ZSTD_getErrorName (size);
  block->compressed_size = size;
  return NULL;
}

enum
{
  COMPRESS_LAST_LINE = __LINE__ - 4
};

/* Reads the frame back: what was written can be had again. */
static const char *
block_check (const Block *block, ZSTD_DCtx *context, void *scratch)
{
  size_t size;

  if (context == NULL || scratch == NULL)
    return "no memory for checking";
  size = ZSTD_decompressDCtx (context, scratch, options.block_size, block->compressed,
                              block->compressed_size);
  if (ZSTD_isError (size))
    return ZSTD_getErrorName (size);
  return size == block->size && memcmp (scratch, block->data, size) == 0 ? NULL : "differs";
}

/* Writes all frames whose turn it is. FILE's lock is held. */
static void
file_write_in_order (File *file)
{
  while (file->finished != NULL && file->finished->index == file->n_written)
    {
      Block *block = file->finished;

      file->finished = block->next;
      if (fwrite (block->compressed, 1, block->compressed_size, file->output) !=
          block->compressed_size)
        file->failed = true;
      file->n_written++;
      file->bytes_in += block->size;
      file->bytes_out += block->compressed_size;
      block_free (block);
    }
}

/* Takes BLOCK. */
static void
file_take_block (File *file, Block *block, bool failed)
{
  Block **place = &file->finished;

  pthread_mutex_lock (&file->lock);
  while (*place != NULL && (*place)->index < block->index)
    place = &(*place)->next;
  block->next = *place;
  *place = block;
  file->failed = file->failed || failed;
  file_write_in_order (file);
  pthread_mutex_unlock (&file->lock);
}

/* Lets the reader go on, and with it the file. */
static void
file_complete (File *file)
{
  report_submission (file,
                     file->failed ? WEFT_TARGET_SUBMISSION_FAULT : WEFT_TARGET_SUBMISSION_COMPLETED,
                     WEFT_TARGET_ROLE_COMPLETION);
  pthread_mutex_lock (&file->lock);
  file->completed = true;
  pthread_cond_signal (&file->done);
  pthread_mutex_unlock (&file->lock);
}

/* A block is over, its report included: nothing of FILE may be touched after the last. */
static void
file_count_block (File *file)
{
  bool last;

  pthread_mutex_lock (&file->lock);
  file->n_done++;
  last = file->all_queued && file->n_done == file->n_queued;
  pthread_mutex_unlock (&file->lock);
  if (last)
    file_complete (file);
}

/* ---- Workers ---- */

typedef struct
{
  ZSTD_CCtx *compressor;
  ZSTD_DCtx *decompressor;
  void *scratch;
} Tools;

static void
worker_do_block (Worker *worker, Block *block, const Tools *tools)
{
  WeftTargetSpan span = weft_target_span_begin (worker->lane, weft.compress);
  bool reporting = span.start != 0;
  Stages stages = { .started = span.start };
  Block copy;
  const char *error;

  error = block_compress (block, tools->compressor);
  stages.compressed = reporting ? weft_target_now () : 0;
  if (error == NULL)
    error = block_check (block, tools->decompressor, tools->scratch);
  stages.checked = reporting ? weft_target_now () : 0;

  copy = *block;
  worker->n_blocks++;
  file_take_block (block->file, block, error != NULL);
  if (error != NULL)
    fprintf (stderr, "zstd-lanes: %s: block %" PRIu64 ": %s\n", copy.file->name, copy.index, error);
  if (reporting)
    {
      stages.written = weft_target_now ();
      report_block (worker, &copy, &stages, &span, error);
    }
  weft_target_metric_report (weft.done, 1);
  file_count_block (copy.file);
}

static void *
worker_run (void *data)
{
  Worker *worker = data;
  Tools tools = { ZSTD_createCCtx (), ZSTD_createDCtx (), malloc (options.block_size) };
  Block *block;

  while ((block = queue_pop (worker)) != NULL)
    worker_do_block (worker, block, &tools);

  ZSTD_freeCCtx (tools.compressor);
  ZSTD_freeDCtx (tools.decompressor);
  free (tools.scratch);
  return NULL;
}

static bool
start_workers (void)
{
  for (unsigned i = 0; i < options.workers; i++)
    {
      int error = pthread_create (&workers[i].thread, NULL, worker_run, &workers[i]);

      if (error != 0)
        {
          fprintf (stderr, "zstd-lanes: cannot start a thread: %s\n", strerror (error));
          return false;
        }
      workers[i].started = true;
    }
  return true;
}

static void
join_workers (void)
{
  queue_close ();
  for (unsigned i = 0; i < options.workers; i++)
    if (workers[i].started)
      pthread_join (workers[i].thread, NULL);
}

/* ---- The reader ---- */

static size_t
file_read_block (File *file, Block *block)
{
  WEFT_TARGET_SCOPE (weft.reader, "read block");

  if (file->input == NULL)
    return make_up (file, block->data, options.block_size);
  return fread (block->data, 1, options.block_size, file->input);
}

static bool
file_queue_blocks (File *file)
{
  uint64_t offset = 0;

  for (uint64_t index = 0;; index++)
    {
      Block *block = block_new (file);

      if (block == NULL)
        return false;
      block->size = file_read_block (file, block);
      if (block->size == 0)
        {
          block_free (block);
          return file->input == NULL || !ferror (file->input);
        }
      block->index = index;
      block->offset = offset;
      offset += block->size;
      pthread_mutex_lock (&file->lock);
      file->n_queued++;
      pthread_mutex_unlock (&file->lock);
      block->origin = weft_target_origin_with_stack ();
      block->submitted = block->origin.ticks;
      queue_push (block);
    }
}

/* Returns when the last block was written. */
static void
file_wait (File *file)
{
  bool nothing_left;

  pthread_mutex_lock (&file->lock);
  file->all_queued = true;
  nothing_left = file->n_done == file->n_queued;
  pthread_mutex_unlock (&file->lock);
  if (nothing_left)
    {
      file_complete (file);
      return;
    }

  weft_target_report_origin (weft.pool, WEFT_TARGET_ROLE_WAIT_BEGIN, 0, file->submission,
                             weft_target_origin_with_stack ());
  pthread_mutex_lock (&file->lock);
  while (!file->completed)
    pthread_cond_wait (&file->done, &file->lock);
  pthread_mutex_unlock (&file->lock);
  weft_target_report_origin (weft.pool, WEFT_TARGET_ROLE_WAIT_END, 0, file->submission,
                             weft_target_origin ());
}

static FILE *
open_output (const char *name)
{
  const char *base = strrchr (name, '/') ? strrchr (name, '/') + 1 : name;
  char path[4096];

  if (options.output == NULL)
    return tmpfile ();
  if (snprintf (path, sizeof path, "%s/%s.zst", options.output, base) >= (int) sizeof path)
    {
      errno = ENAMETOOLONG;
      return NULL;
    }
  return fopen (path, "wbe");
}

/* The totals of all files. */
static struct
{
  unsigned files;
  uint64_t blocks;
  uint64_t bytes_in;
  uint64_t bytes_out;
} total;

static bool
file_compress (File *file)
{
  bool good;

  file->submission = weft_target_id_new ();
  pthread_mutex_init (&file->lock, NULL);
  pthread_cond_init (&file->done, NULL);
  report_submission (file, WEFT_TARGET_SUBMISSION_BEGIN, WEFT_TARGET_ROLE_DISPATCH);
  good = file_queue_blocks (file);
  if (!good)
    fprintf (stderr, "zstd-lanes: %s: %s\n", file->name, strerror (errno));
  report_submission (file, WEFT_TARGET_SUBMISSION_COMMIT, WEFT_TARGET_ROLE_DISPATCH);
  file_wait (file);
  pthread_cond_destroy (&file->done);
  pthread_mutex_destroy (&file->lock);

  total.files++;
  total.blocks += file->n_written;
  total.bytes_in += file->bytes_in;
  total.bytes_out += file->bytes_out;
  return good && !file->failed;
}

static bool
compress_named (const char *name, FILE *input, unsigned kind, uint64_t size)
{
  File file = {
    .name = name,
    .input = input,
    .output = open_output (name),
    .kind = kind,
    .left = size,
    .random = 0x9e3779b97f4a7c15u + kind,
  };
  bool good;

  if (file.output == NULL)
    {
      fprintf (stderr, "zstd-lanes: %s: no output: %s\n", name, strerror (errno));
      return false;
    }
  good = file_compress (&file);
  if (fclose (file.output) != 0)
    {
      fprintf (stderr, "zstd-lanes: %s: cannot be written: %s\n", name, strerror (errno));
      good = false;
    }
  return good;
}

static bool
compress_path (const char *path)
{
  FILE *input = fopen (path, "rbe");
  bool good;

  if (input == NULL)
    {
      fprintf (stderr, "zstd-lanes: %s: %s\n", path, strerror (errno));
      return false;
    }
  good = compress_named (path, input, 0, 0);
  fclose (input);
  return good;
}

static bool
compress_all (char **paths, int n_paths)
{
  static const char *const made_up[MADE_UP_KINDS] = { "prose.txt", "worker.log", "points.json" };
  bool good = true;

  for (int i = 0; i < n_paths; i++)
    good = compress_path (paths[i]) && good;
  if (n_paths != 0)
    return good;
  for (unsigned kind = 0; kind < MADE_UP_KINDS; kind++)
    good = compress_named (made_up[kind], NULL, kind, options.made_up_size / MADE_UP_KINDS) && good;
  return good;
}

/* ---- What Weft is told once ---- */

/* This file's own text, so that a recording can show it wherever it is opened. */
extern const char own_source[], own_source_end[];
__asm__(".pushsection .rodata\n"
        "own_source: .incbin \"" OWN_SOURCE "\"\n"
        "own_source_end: .byte 0\n"
        ".popsection\n");

static void
describe_routine (void)
{
  char flavour[32];
  WeftTargetSource source = {
    .language = "c",
    .path = "examples/zstd-lanes.c",
    .text = own_source,
    .text_length = (size_t) (own_source_end - own_source),
  };

  snprintf (flavour, sizeof flavour, "level %d", options.level);
  weft.source = weft_target_source_new (&source, sizeof source);
  weft.compress = weft_target_routine_new_full (
      &(WeftTargetRoutineInfo){
          .name = "compress block",
          .flavour = flavour,
          .source = weft.source,
          .first_line = COMPRESS_FIRST_LINE,
          .last_line = COMPRESS_LAST_LINE,
      },
      sizeof (WeftTargetRoutineInfo));
}

static const WeftTargetCounter block_counters[] = {
  { "bytes in", WEFT_TARGET_UNIT_BYTES, NULL, WEFT_TARGET_COUNTER, WEFT_TARGET_AGGREGATE_SUM,
    WEFT_TARGET_VALUE_U64 },
  { "bytes out", WEFT_TARGET_UNIT_BYTES, NULL, WEFT_TARGET_COUNTER, WEFT_TARGET_AGGREGATE_SUM,
    WEFT_TARGET_VALUE_U64 },
  { "ratio", WEFT_TARGET_UNIT_NONE, NULL, WEFT_TARGET_GAUGE, WEFT_TARGET_AGGREGATE_MEAN,
    WEFT_TARGET_VALUE_F64 },
};

static void
describe_lanes (void)
{
  const WeftTargetCounterState state = {
    .availability = WEFT_TARGET_PRESENT,
    .overhead_text = "sizes that are at hand anyway",
  };
  const WeftTargetTag level = {
    .key = "zstd.level",
    .type = WEFT_TARGET_VALUE_I64,
    .value.i64 = options.level,
  };

  weft.pool = weft_target_lane_new ("compressors", "threadpool.pool");
  weft.reader = weft_target_lane_new ("reader", "io.reader");
  weft.queue = weft_target_queue_new (weft.pool, "blocks");
  weft_target_tag (WEFT_TARGET_OWNER_LANE, weft_target_lane_get_id (weft.pool), &level);
  for (unsigned i = 0; i < options.workers; i++)
    {
      WeftTargetLaneInfo info = {
        .name = workers[i].name,
        .kind = "threadpool.worker",
        .parent = weft.pool,
      };

      snprintf (workers[i].name, sizeof workers[i].name, "worker %u", i + 1);
      workers[i].lane = weft_target_lane_new_full (&info, sizeof info);
    }
  weft.depth = weft_target_metric_new (weft.pool, WEFT_TARGET_GAUGE, "queue.depth",
                                       WEFT_TARGET_UNIT_COUNT, NULL, NULL, 0);
  weft.done = weft_target_metric_new (weft.pool, WEFT_TARGET_COUNTER, "blocks.done",
                                      WEFT_TARGET_UNIT_COUNT, NULL, NULL, 0);
  weft.counters = weft_target_counter_set_new ("zstd block", block_counters, 3, &state);
  weft.trace = weft_target_trace_new ("compress");
}

/* ---- Command line ---- */

static const char usage[] =
    "Usage: zstd-lanes [OPTION…] [FILE…]\n"
    "Compresses files on several threads and reports the work to Weft, if it listens.\n"
    "Without files: texts made up, the same in each run.\n\n"
    "  -w, --workers N   threads that compress (default: one a processor, at least 2, at most 8)\n"
    "  -l, --level N     of zstd, 1 to 19 (default: 6)\n"
    "  -b, --block KIB   block size (default: 128)\n"
    "  -s, --size MIB    of the texts made up (default: 48)\n"
    "  -o, --output DIR  keep the results, as DIR/NAME.zst\n"
    "  -h, --help\n";

static bool
parse_number (const char *text, long low, long high, long *number)
{
  char *end;

  errno = 0;
  *number = strtol (text, &end, 10);
  return errno == 0 && end != text && *end == '\0' && *number >= low && *number <= high;
}

static bool
parse_option (int option)
{
  long number = 0;

  switch (option)
    {
    case 'w':
      if (!parse_number (optarg, 1, MAX_WORKERS, &number))
        return false;
      options.workers = (unsigned) number;
      return true;
    case 'l':
      if (!parse_number (optarg, 1, 19, &number))
        return false;
      options.level = (int) number;
      return true;
    case 'b':
      if (!parse_number (optarg, 1, 16 * 1024, &number))
        return false;
      options.block_size = (size_t) number * 1024;
      return true;
    case 's':
      if (!parse_number (optarg, 0, 4096, &number))
        return false;
      options.made_up_size = (size_t) number * 1024 * 1024;
      return true;
    case 'o':
      options.output = optarg;
      return true;
    default:
      return false;
    }
}

static void
parse_arguments (int argc, char **argv)
{
  static const struct option long_options[] = {
    { "workers", required_argument, NULL, 'w' },
    { "level", required_argument, NULL, 'l' },
    { "block", required_argument, NULL, 'b' },
    { "size", required_argument, NULL, 's' },
    { "output", required_argument, NULL, 'o' },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
  };
  long processors = sysconf (_SC_NPROCESSORS_ONLN);
  int option;

  options.workers = processors < 2 ? 2 : processors > 8 ? 8 : (unsigned) processors;
  while ((option = getopt_long (argc, argv, "w:l:b:s:o:h", long_options, NULL)) != -1)
    {
      if (option == 'h')
        {
          fputs (usage, stdout);
          exit (EXIT_SUCCESS);
        }
      if (!parse_option (option))
        {
          if (option != '?')
            fprintf (stderr, "zstd-lanes: not a value of -%c: %s\n", option, optarg);
          fputs (usage, stderr);
          exit (2);
        }
    }
}

static void
print_totals (double seconds)
{
  printf ("files %u\nblocks %" PRIu64 "\nbytes-in %" PRIu64 "\nbytes-out %" PRIu64 "\n",
          total.files, total.blocks, total.bytes_in, total.bytes_out);
  printf ("ratio %.2f\nseconds %.2f\n",
          total.bytes_out != 0 ? (double) total.bytes_in / (double) total.bytes_out : 0, seconds);
  for (unsigned i = 0; i < options.workers; i++)
    printf ("%s: %" PRIu64 " blocks\n", workers[i].name, workers[i].n_blocks);
}

static double
monotonic_seconds (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

int
main (int argc, char **argv)
{
  double started = monotonic_seconds ();
  bool good;

  parse_arguments (argc, argv);
  describe_routine ();
  describe_lanes ();
  good = start_workers () && compress_all (argv + optind, argc - optind);
  join_workers ();
  weft_target_trace_end (&weft.trace, "compress", good ? WEFT_TARGET_OK : WEFT_TARGET_ERROR,
                         good ? WEFT_TARGET_ERROR_NONE : WEFT_TARGET_ERROR_FAULT, NULL);
  print_totals (monotonic_seconds () - started);
  return good && fflush (stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
