/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Queues: a lane each, what is under way in it, and groups of it.
 *
 * Times are taken where the program comes by anyway: when it waits, when it queues more, when it
 * asks how a command fares, in callbacks of its own, and in the end. So no thread and no callback
 * is ours.
 */

#include "weft-opencl-layer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PENDING 65536u
#define MAX_LANES 1024u
#define MAX_ORPHANS 1024u
#define ROUND 32u
#define CALIBRATE_SYNC 1000000u
#define CALIBRATE_ALONG 20000000u

static uint32_t n_pending;             /* atomic */
static uint32_t n_queues;              /* atomic */
static bool warned;                    /* atomic */
static OclQueue *orphans[MAX_ORPHANS]; /* released by the program, with commands under way */
static uint32_t n_orphans;
static pthread_mutex_t orphans_lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- Counters of what is over ---- */

static uint32_t times_set;
static uint32_t order_set;
static uint32_t launch_set;
static pthread_once_t sets_once = PTHREAD_ONCE_INIT;

static void
make_sets (void)
{
  static const WeftTargetCounter times[] = {
    { .name = "queued_time", .unit = WEFT_TARGET_UNIT_NANOSECONDS },
    { .name = "submitted_time", .unit = WEFT_TARGET_UNIT_NANOSECONDS },
  };
  static const WeftTargetCounter order = { .name = "behind_time",
                                           .unit = WEFT_TARGET_UNIT_NANOSECONDS };
  static const WeftTargetCounter launch = { .name = "launch_time",
                                            .unit = WEFT_TARGET_UNIT_NANOSECONDS };
  const WeftTargetCounterState state = { .availability = WEFT_TARGET_PRESENT,
                                         .probe = "CL_QUEUE_PROFILING_ENABLE" };

  times_set = weft_target_counter_set_new ("opencl.times", times, 2, &state);
  order_set = weft_target_counter_set_new ("opencl.order", &order, 1, &state);
  launch_set = weft_target_counter_set_new ("opencl.launch", &launch, 1, &state);
}

/* ---- Groups: under the queue's lock ---- */

static OclBatch *
batch_open (OclQueue *queue)
{
  OclBatch *batch = queue->n_batches > 0 ? &queue->batches[queue->n_batches - 1] : NULL;

  if (batch != NULL && (!batch->closed || queue->n_batches == OCL_MAX_BATCHES))
    return batch;
  batch = &queue->batches[queue->n_batches++];
  memset (batch, 0, sizeof *batch);
  batch->id = weft_target_id_new ();
  weft_target_submission (&(WeftTargetSubmissionEvent){
      .lane = queue->lane, .submission = batch->id, .kind = WEFT_TARGET_SUBMISSION_BEGIN });
  return batch;
}

static void
batch_retire (OclQueue *queue, OclBatch *batch)
{
  size_t after = (size_t) (&queue->batches[queue->n_batches] - batch - 1);

  weft_target_submission (&(WeftTargetSubmissionEvent){
      .lane = queue->lane,
      .submission = batch->id,
      .kind = batch->failed ? WEFT_TARGET_SUBMISSION_FAULT : WEFT_TARGET_SUBMISSION_COMPLETED,
      .status = batch->failed ? WEFT_TARGET_ERROR : WEFT_TARGET_OK });
  memmove (batch, batch + 1, after * sizeof *batch);
  queue->n_batches--;
}

static void
batch_leave (OclQueue *queue, uint64_t id, bool failed)
{
  for (uint32_t i = 0; i < queue->n_batches; i++)
    {
      OclBatch *batch = &queue->batches[i];

      if (batch->id != id)
        continue;
      batch->pending--;
      batch->failed |= failed;
      if (batch->pending == 0 && batch->closed)
        batch_retire (queue, batch);
      return;
    }
}

void
ocl_queue_commit (OclQueue *queue, WeftTargetOrigin origin)
{
  const WeftTargetRoleOrigin role = { WEFT_TARGET_ROLE_DISPATCH, origin };
  OclBatch *batch;

  pthread_mutex_lock (&queue->lock);
  batch = queue->n_batches > 0 ? &queue->batches[queue->n_batches - 1] : NULL;
  if (batch != NULL && !batch->closed && queue->n_batches < OCL_MAX_BATCHES)
    {
      batch->closed = true;
      weft_target_submission (&(WeftTargetSubmissionEvent){ .lane = queue->lane,
                                                            .submission = batch->id,
                                                            .kind = WEFT_TARGET_SUBMISSION_COMMIT,
                                                            .ticks = origin.ticks,
                                                            .origins = &role,
                                                            .n_origins = 1 });
      if (batch->pending == 0)
        batch_retire (queue, batch);
    }
  pthread_mutex_unlock (&queue->lock);
}

/* ---- Commands ---- */

void
ocl_command_begin (OclQueue *queue, OclCommand *command)
{
  OclBatch *batch;

  command->queue = queue;
  command->object.users = 1;
  pthread_mutex_lock (&queue->lock);
  batch = batch_open (queue);
  batch->pending++;
  batch->last = ++queue->sequence;
  command->batch = batch->id;
  command->sequence = queue->sequence;
  pthread_mutex_unlock (&queue->lock);
}

static void
warn_once (OclQueue *queue)
{
  if (__atomic_exchange_n (&warned, true, __ATOMIC_RELAXED))
    return;
  weft_target_warn (&(WeftTargetWarning){
      .lane = queue->lane,
      .severity = WEFT_TARGET_SEVERITY_WARNING,
      .code = "opencl.too-many-under-way",
      .message = "So many commands are under way that the times of some are not taken.",
      .value = MAX_PENDING,
      .threshold = MAX_PENDING });
}

static void
leave_alone (OclQueue *queue, OclCommand *command)
{
  cl_event event = command->owned ? command->object.handle : NULL;

  warn_once (queue);
  pthread_mutex_lock (&queue->lock);
  batch_leave (queue, command->batch, false);
  pthread_mutex_unlock (&queue->lock);
  ocl_object_unuse (&command->object);
  if (event != NULL)
    ocl_next.clReleaseEvent (event);
}

static void
list_append (OclQueue *queue, OclCommand *command)
{
  OCL_ADD (&queue->n_listed, 1);
  command->earlier = queue->last;
  command->later = NULL;
  if (queue->last != NULL)
    queue->last->later = command;
  else
    queue->first = command;
  queue->last = command;
}

static void
list_remove (OclQueue *queue, OclCommand *command)
{
  OCL_ADD (&queue->n_listed, -1u);
  if (command->earlier != NULL)
    command->earlier->later = command->later;
  else
    queue->first = command->later;
  if (command->later != NULL)
    command->later->earlier = command->earlier;
  else
    queue->last = command->earlier;
}

void
ocl_command_queued (OclQueue *queue, OclCommand *command)
{
  if (OCL_LOAD (&n_pending) >= MAX_PENDING)
    ocl_queue_harvest (queue, OCL_GLANCE);
  if (OCL_LOAD (&n_pending) >= MAX_PENDING)
    {
      leave_alone (queue, command);
      return;
    }
  OCL_ADD (&n_pending, 1);
  pthread_mutex_lock (&queue->lock);
  command->pending = true;
  list_append (queue, command);
  pthread_mutex_unlock (&queue->lock);
}

/* With the times of the call: no device ever saw it. */
void
ocl_command_refused (OclQueue *queue, OclCommand *command, cl_int error)
{
  const WeftTargetErrorDetail detail = { .name = ocl_error_name (error),
                                         .message = "The call that queues it was refused." };
  const WeftTargetSpan span = { .start = command->bracket.before };

  weft_target_complete (&(WeftTargetDispatch){ .lane = queue->lane,
                                               .routine = command->routine,
                                               .id = command->id,
                                               .span = &span,
                                               .end = command->bracket.before,
                                               .status = WEFT_TARGET_CANCELED,
                                               .error_kind = WEFT_TARGET_ERROR_QUEUE,
                                               .error = &detail });
  pthread_mutex_lock (&queue->lock);
  batch_leave (queue, command->batch, false);
  pthread_mutex_unlock (&queue->lock);
  ocl_object_free (&command->object);
}

bool
ocl_command_adopt (OclCommand *command)
{
  OclQueue *queue = command->queue;
  bool adopted;

  if (queue == NULL)
    return false;
  pthread_mutex_lock (&queue->lock);
  adopted = command->pending;
  if (adopted)
    command->owned = true;
  pthread_mutex_unlock (&queue->lock);
  return adopted;
}

/* ---- Taking what is over: under the harvest lock ---- */

typedef struct
{
  cl_ulong queued;
  cl_ulong submitted;
  cl_ulong start;
  cl_ulong end;
} Times;

static bool
get_time (const OclCommand *command, cl_profiling_info what, cl_ulong *time)
{
  return ocl_next.clGetEventProfilingInfo (command->object.handle, what, sizeof *time, time,
                                           NULL) == CL_SUCCESS;
}

static bool
get_times (const OclCommand *command, Times *times)
{
  return get_time (command, CL_PROFILING_COMMAND_START, &times->start) &&
         get_time (command, CL_PROFILING_COMMAND_QUEUED, &times->queued) &&
         get_time (command, CL_PROFILING_COMMAND_SUBMIT, &times->submitted);
}

static uint64_t
between (uint64_t earlier, uint64_t later)
{
  return later > earlier ? later - earlier : 0;
}

static WeftTargetCounterSample
sample_of (uint32_t set, const WeftTargetCounterValue *values, size_t n)
{
  return (WeftTargetCounterSample){
    .set = set, .point = WEFT_TARGET_POINT_BEFORE_DISPATCH, .values = values, .n_values = n
  };
}

/* In a queue that keeps the order, a command is behind another until that is over; what it takes
 * from then, waiting for nothing, is the implementation's: to launch it, and to compile it if it is
 * new.
 */
static void
complete_timed (OclQueue *queue, const OclCommand *command, const Times *times)
{
  const uint64_t wait = between (times->queued, times->start);
  const uint64_t until = queue->last_end < times->start ? queue->last_end : times->start;
  const WeftTargetCounterValue values[] = {
    { .value.u64 = between (times->queued, times->submitted) },
    { .value.u64 = between (times->submitted, times->start) }
  };
  const WeftTargetCounterValue behind = { .value.u64 = between (times->queued, until) };
  const WeftTargetCounterValue launch = { .value.u64 = wait - behind.value.u64 };
  const WeftTargetCounterSample samples[] = { sample_of (times_set, values, 2),
                                              sample_of (order_set, &behind, 1),
                                              sample_of (launch_set, &launch, 1) };

  weft_target_complete (&(WeftTargetDispatch){ .lane = queue->lane,
                                               .routine = command->routine,
                                               .id = command->id,
                                               .start = times->start,
                                               .end = times->end,
                                               .has_queue_wait = true,
                                               .queue_wait = wait,
                                               .queue_wait_last = wait,
                                               .samples = samples,
                                               .n_samples = !queue->in_order ? 1
                                                            : command->waits ? 2
                                                                             : 3 });
  if (times->end > queue->last_end)
    queue->last_end = times->end;
}

/* The device tells no times: the moment at which we learn of it stands for them, and is said to. */
static void
complete_untimed (OclQueue *queue, const OclCommand *command, cl_int status)
{
  const WeftTargetErrorDetail detail = { .name = ocl_error_name (status) };
  const WeftTargetRoleOrigin origin = { WEFT_TARGET_ROLE_FAULT, weft_target_origin_with_stack () };
  const WeftTargetTag tag = { .key = "times",
                              .type = WEFT_TARGET_VALUE_STRING,
                              .value.string = "none told; noticed then" };
  const uint64_t now = weft_target_now ();
  const WeftTargetSpan span = { .start = now };

  weft_target_complete (&(WeftTargetDispatch){
      .lane = queue->lane,
      .routine = command->routine,
      .id = command->id,
      .span = &span,
      .end = now,
      .status = status < 0 ? WEFT_TARGET_ERROR : WEFT_TARGET_OK,
      .error_kind = status < 0 ? WEFT_TARGET_ERROR_FAULT : WEFT_TARGET_ERROR_NONE,
      .error = status < 0 ? &detail : NULL,
      .origins = &origin,
      .n_origins = status < 0 ? 1 : 0,
      .tags = &tag,
      .n_tags = 1 });
}

static void
compare_clocks (OclQueue *queue, const OclCommand *command, uint64_t queued)
{
  OclDevice *device = queue->device;

  if (device->has_timer ||
      (OCL_LOAD (&device->candidates) != 0 && command->bracket.earliest[0] == 0))
    return;
  ocl_device_compare (device, &command->bracket, queued);
  if (!queue->clock_told)
    {
      WeftTargetTag tag = { .key = "clock", .type = WEFT_TARGET_VALUE_STRING };

      tag.value.string = ocl_device_clock_name (device);
      weft_target_tag (WEFT_TARGET_OWNER_LANE, weft_target_lane_get_id (queue->lane), &tag);
      queue->clock_told = true;
    }
}

/* Whether it is over; says so if it is. The end's time is there only then: one question for most.
 */
static bool
take (OclQueue *queue, OclCommand *command)
{
  cl_int status = CL_COMPLETE;
  Times times;
  bool timed = queue->is_timed && get_time (command, CL_PROFILING_COMMAND_END, &times.end);

  if (!timed)
    {
      cl_int result = ocl_next.clGetEventInfo (
          command->object.handle, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status, NULL);

      if (result != CL_SUCCESS)
        status = result;
      if (status > CL_COMPLETE)
        return false;
      timed = status == CL_COMPLETE && queue->is_timed &&
              get_time (command, CL_PROFILING_COMMAND_END, &times.end);
    }
  if (timed && get_times (command, &times))
    {
      compare_clocks (queue, command, times.queued);
      complete_timed (queue, command, &times);
    }
  else
    complete_untimed (queue, command, status);
  command->failed = status < 0;
  return true;
}

/* The implementation is asked without the lock, for nobody may wait for it who only queues. What is
 * looked at stays: only who has the harvest lock takes commands out, and an event that the program
 * gave away is adopted while its command is in the list.
 */
typedef struct
{
  uint32_t n;
  bool over[ROUND];
  OclCommand *commands[ROUND];
} Look;

static void
look_collect (OclQueue *queue, Look *look, uint32_t max)
{
  look->n = 0;
  pthread_mutex_lock (&queue->lock);
  for (OclCommand *command = queue->first; command != NULL && look->n < max && look->n < ROUND;
       command = command->later)
    look->commands[look->n++] = command;
  pthread_mutex_unlock (&queue->lock);
}

/* In an out-of-order queue, what is not over goes behind the others, to be looked at last. */
static void
look_settle (OclQueue *queue, Look *look)
{
  pthread_mutex_lock (&queue->lock);
  for (uint32_t i = 0; i < look->n; i++)
    {
      OclCommand *command = look->commands[i];

      if (!look->over[i] && (queue->in_order || command->later == NULL))
        continue;
      list_remove (queue, command);
      if (!look->over[i])
        {
          list_append (queue, command);
          continue;
        }
      OCL_STORE (&command->pending, false);
      batch_leave (queue, command->batch, command->failed);
    }
  pthread_mutex_unlock (&queue->lock);
}

static void
let_go (OclCommand *command)
{
  cl_event event = command->object.handle;
  bool owned = command->owned;

  OCL_ADD (&n_pending, -1u);
  if (owned)
    ocl_object_take_out (&command->object);
  ocl_object_unuse (&command->object);
  if (owned)
    ocl_next.clReleaseEvent (event);
}

/* The number of commands that are over, of the first MAX. */
static uint32_t
harvest_round (OclQueue *queue, uint32_t max)
{
  uint32_t n_over = 0;
  Look look;

  look_collect (queue, &look, max);
  for (uint32_t i = 0; i < look.n; i++)
    {
      look.over[i] = take (queue, look.commands[i]);
      n_over += look.over[i];
      if (!look.over[i] && queue->in_order)
        look.n = i;
    }
  look_settle (queue, &look);
  for (uint32_t i = 0; i < look.n; i++)
    if (look.over[i])
      let_go (look.commands[i]);
  return n_over;
}

void
ocl_queue_harvest (OclQueue *queue, OclPatience patience)
{
  uint32_t left;

  if (OCL_LOAD (&queue->n_listed) == 0)
    return;
  if (patience == OCL_SYNC)
    pthread_mutex_lock (&queue->harvest_lock);
  else if (pthread_mutex_trylock (&queue->harvest_lock) != 0)
    return;
  left = patience == OCL_GLANCE ? 4 : OCL_LOAD (&queue->n_listed);
  while (left > 0)
    {
      uint32_t n = left < ROUND ? left : ROUND;

      left -= n;
      if (harvest_round (queue, n) < n && (queue->in_order || patience == OCL_GLANCE))
        break;
    }
  ocl_device_calibrate (queue->device, patience == OCL_SYNC ? CALIBRATE_SYNC : CALIBRATE_ALONG);
  pthread_mutex_unlock (&queue->harvest_lock);
}

/* ---- The end of queues, and of the program ---- */

static void
bury (OclQueue *queue)
{
  weft_target_lane_close (queue->lane);
  ocl_object_unuse (&queue->object);
}

/* Beyond so many of them, the last commands of one stay under way in the recording. */
static void
orphan_keep (OclQueue *queue)
{
  pthread_mutex_lock (&orphans_lock);
  if (n_orphans < MAX_ORPHANS)
    orphans[n_orphans++] = queue;
  pthread_mutex_unlock (&orphans_lock);
}

static OclQueue *
orphan_take (void)
{
  OclQueue *queue;

  pthread_mutex_lock (&orphans_lock);
  queue = n_orphans > 0 ? orphans[--n_orphans] : NULL;
  pthread_mutex_unlock (&orphans_lock);
  return queue;
}

static void
queue_released (OclQueue *queue)
{
  ocl_queue_harvest (queue, OCL_ALL);
  if (OCL_LOAD (&queue->n_listed) == 0)
    bury (queue);
  else
    orphan_keep (queue);
}

/* Nobody else has a queue that was taken, and no lock is held: events that go may take much with
 * them, and call the program.
 */
static void
drain_orphans (void)
{
  OclQueue *left[16];
  uint32_t n_left = 0;

  if (OCL_LOAD (&n_orphans) == 0)
    return;
  while (n_left < 16 && (left[n_left] = orphan_take ()) != NULL)
    {
      ocl_queue_harvest (left[n_left], OCL_ALL);
      if (OCL_LOAD (&left[n_left]->n_listed) == 0)
        bury (left[n_left]);
      else
        n_left++;
    }
  while (n_left > 0)
    orphan_keep (left[--n_left]);
}

void
ocl_queues_drain (bool all)
{
  OclObject *list[256];
  size_t n;

  drain_orphans ();
  if (!all)
    return;
  n = ocl_object_list (OCL_QUEUE, list, 256);
  for (size_t i = 0; i < n; i++)
    {
      ocl_queue_harvest ((OclQueue *) list[i], OCL_ALL);
      ocl_object_unuse (list[i]);
    }
  n = ocl_object_list (OCL_DEVICE, list, 256);
  for (size_t i = 0; i < n; i++)
    {
      ocl_device_calibrate ((OclDevice *) list[i], 0);
      ocl_object_unuse (list[i]);
    }
}

static void
at_exit (void)
{
  if (ocl_is_listening ())
    ocl_queues_drain (true);
}

/* The implementation's own handler, if it has one, is there once there is a queue; ours must come
 * before it, so it is made known after that.
 */
static void
watch_exit (void)
{
  static uint32_t watched;

  if (OCL_ADD (&watched, 1) < 8)
    atexit (at_exit);
}

/* ---- Queues ---- */

static void
tag_lane (OclQueue *queue, const char *key, const char *text)
{
  WeftTargetTag tag = { .key = key, .type = WEFT_TARGET_VALUE_STRING };

  tag.value.string = text;
  weft_target_tag (WEFT_TARGET_OWNER_LANE, weft_target_lane_get_id (queue->lane), &tag);
}

/* A program that makes queues without end gets no lanes without end. */
static WeftTargetLane *
make_lane (OclDevice *device)
{
  static WeftTargetLane *others;
  uint32_t number = OCL_ADD (&n_queues, 1) + 1;
  char name[192];

  if (number > MAX_LANES && OCL_LOAD (&others) != NULL)
    return OCL_LOAD (&others);
  snprintf (name, sizeof name, number > MAX_LANES ? "more queues" : "queue %u · %s", number,
            device->name);
  if (number > MAX_LANES)
    {
      OCL_STORE (&others,
                 weft_target_lane_new_full (&(WeftTargetLaneInfo){ .name = "more queues",
                                                                   .kind = "opencl.queue",
                                                                   .clock = device->clock },
                                            sizeof (WeftTargetLaneInfo)));
      return OCL_LOAD (&others);
    }
  return weft_target_lane_new_full (
      &(WeftTargetLaneInfo){ .name = name, .kind = "opencl.queue", .clock = device->clock },
      sizeof (WeftTargetLaneInfo));
}

static void
queue_add (cl_command_queue handle, cl_device_id id, const cl_queue_properties *properties,
           bool wants_profiling, bool is_timed)
{
  OclDevice *device = ocl_device_get (id);
  cl_command_queue_properties actual = 0;
  OclQueue *queue;

  if (device == NULL || (queue = (OclQueue *) ocl_object_new (OCL_QUEUE, handle)) == NULL)
    return;
  pthread_once (&sets_once, make_sets);
  pthread_mutex_init (&queue->lock, NULL);
  pthread_mutex_init (&queue->harvest_lock, NULL);
  ocl_next.clGetCommandQueueInfo (handle, CL_QUEUE_PROPERTIES, sizeof actual, &actual, NULL);
  queue->device = device;
  queue->in_order = !(actual & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE);
  queue->wants_profiling = wants_profiling;
  queue->is_timed = is_timed;
  for (uint32_t i = 0; properties != NULL && i < 32; i++)
    {
      queue->properties[i] = properties[i];
      queue->n_properties = i + 1;
      if (i % 2 == 0 && properties[i] == 0)
        break;
    }
  queue->lane = make_lane (device);
  ocl_device_tag (device, WEFT_TARGET_OWNER_LANE, weft_target_lane_get_id (queue->lane));
  ocl_code_tag_lane (queue->lane, id);
  tag_lane (queue, "order", queue->in_order ? "in order" : "out of order");
  tag_lane (queue, "profiling",
            wants_profiling ? "asked for by the program"
            : is_timed      ? "asked for by the recording"
                            : "refused by the implementation");
  if (device->has_timer)
    ocl_device_calibrate (device, 0);
  ocl_object_add (&queue->object);
  watch_exit ();
}

static cl_command_queue CL_API_CALL
create_queue (cl_context context, cl_device_id device, cl_command_queue_properties properties,
              cl_int *error)
{
  cl_command_queue_properties more = properties | CL_QUEUE_PROFILING_ENABLE;
  cl_command_queue handle = ocl_next.clCreateCommandQueue (context, device, more, error);
  bool is_timed = handle != NULL;

  if (handle == NULL)
    handle = ocl_next.clCreateCommandQueue (context, device, properties, error);
  if (handle != NULL)
    queue_add (handle, device, NULL, (properties & CL_QUEUE_PROFILING_ENABLE) != 0, is_timed);
  return handle;
}

/* Fills MORE with PROPERTIES and profiling. False where that is not to be: of queues on the device,
 * and of lists that are too long.
 */
static bool
add_profiling (const cl_queue_properties *properties, cl_queue_properties more[36], bool *asked)
{
  uint32_t n = 0;
  bool there = false;

  *asked = false;
  for (; properties != NULL && properties[n] != 0; n += 2)
    {
      if (n >= 30)
        return false;
      more[n] = properties[n];
      more[n + 1] = properties[n + 1];
      if (properties[n] != CL_QUEUE_PROPERTIES)
        continue;
      if (properties[n + 1] & CL_QUEUE_ON_DEVICE)
        return false;
      there = true;
      *asked = (properties[n + 1] & CL_QUEUE_PROFILING_ENABLE) != 0;
      more[n + 1] |= CL_QUEUE_PROFILING_ENABLE;
    }
  if (!there)
    {
      more[n++] = CL_QUEUE_PROPERTIES;
      more[n++] = CL_QUEUE_PROFILING_ENABLE;
    }
  more[n] = 0;
  return true;
}

cl_command_queue
ocl_queue_create (OclCreateQueue create, cl_context context, cl_device_id device,
                  const cl_queue_properties *properties, cl_int *error)
{
  cl_queue_properties more[36];
  cl_command_queue handle = NULL;
  bool asked = false, is_timed;

  if (!add_profiling (properties, more, &asked))
    return create (context, device, properties, error);
  handle = create (context, device, more, error);
  is_timed = handle != NULL;
  if (handle == NULL)
    handle = create (context, device, properties, error);
  if (handle != NULL)
    queue_add (handle, device, properties, asked, is_timed);
  return handle;
}

static cl_command_queue CL_API_CALL
create_queue_with_properties (cl_context context, cl_device_id device,
                              const cl_queue_properties *properties, cl_int *error)
{
  return ocl_queue_create (ocl_next.clCreateCommandQueueWithProperties, context, device, properties,
                           error);
}

static cl_int CL_API_CALL
retain_queue (cl_command_queue handle)
{
  cl_int result = ocl_next.clRetainCommandQueue (handle);

  if (result == CL_SUCCESS)
    ocl_object_retain (OCL_QUEUE, handle);
  return result;
}

static cl_int CL_API_CALL
release_queue (cl_command_queue handle)
{
  OclQueue *queue = ocl_object_release (OCL_QUEUE, handle);
  cl_int result = ocl_next.clReleaseCommandQueue (handle);

  if (queue != NULL)
    queue_released (queue);
  return result;
}

/* An event that was not looked at for long has a reference to its context. */
static cl_int CL_API_CALL
get_context_info (cl_context context, cl_context_info what, size_t size, void *value,
                  size_t *needed)
{
  if (what == CL_CONTEXT_REFERENCE_COUNT)
    ocl_queues_drain (true);
  return ocl_next.clGetContextInfo (context, what, size, value, needed);
}

static cl_int CL_API_CALL
release_context (cl_context context)
{
  if (ocl_object_count (OCL_QUEUE) > 0 || OCL_LOAD (&n_orphans) > 0)
    ocl_queues_drain (false);
  return ocl_next.clReleaseContext (context);
}

/* Deprecated since 1.1: profiling stays on, whatever the program wishes, and looks as it wishes. */
static cl_int CL_API_CALL
set_queue_property (cl_command_queue handle, cl_command_queue_properties properties, cl_bool enable,
                    cl_command_queue_properties *old)
{
  OclQueue *queue = ocl_object_find (OCL_QUEUE, handle);
  cl_command_queue_properties passed = properties;
  cl_int result;

  if (queue != NULL && !enable)
    passed &= ~(cl_command_queue_properties) CL_QUEUE_PROFILING_ENABLE;
  result = ocl_next.clSetCommandQueueProperty (handle, passed, enable, old);
  if (queue == NULL || result != CL_SUCCESS)
    return result;
  if (old != NULL && !queue->wants_profiling)
    *old &= ~(cl_command_queue_properties) CL_QUEUE_PROFILING_ENABLE;
  if (properties & CL_QUEUE_PROFILING_ENABLE)
    queue->wants_profiling = enable != CL_FALSE;
  if (properties & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE)
    queue->in_order = enable == CL_FALSE;
  return result;
}

static cl_int
give_back (const void *value, size_t value_size, size_t size, void *to, size_t *needed)
{
  if (needed != NULL)
    *needed = value_size;
  if (to == NULL)
    return CL_SUCCESS;
  if (size < value_size)
    return CL_INVALID_VALUE;
  if (value_size > 0)
    memcpy (to, value, value_size);
  return CL_SUCCESS;
}

/* As the program made it. */
static cl_int CL_API_CALL
get_queue_info (cl_command_queue handle, cl_command_queue_info what, size_t size, void *value,
                size_t *needed)
{
  OclQueue *queue = ocl_object_find (OCL_QUEUE, handle);
  cl_int result;

  if (queue != NULL && what == CL_QUEUE_REFERENCE_COUNT)
    ocl_queue_harvest (queue, OCL_ALL);
  result = ocl_next.clGetCommandQueueInfo (handle, what, size, value, needed);
  if (queue == NULL || result != CL_SUCCESS || queue->wants_profiling || !queue->is_timed)
    return result;
  if (what == CL_QUEUE_PROPERTIES && value != NULL)
    {
      cl_command_queue_properties properties;

      memcpy (&properties, value, sizeof properties);
      properties &= ~(cl_command_queue_properties) CL_QUEUE_PROFILING_ENABLE;
      memcpy (value, &properties, sizeof properties);
    }
  else if (what == CL_QUEUE_PROPERTIES_ARRAY)
    return give_back (queue->properties, queue->n_properties * sizeof queue->properties[0], size,
                      value, needed);
  return result;
}

static cl_int CL_API_CALL
flush (cl_command_queue handle)
{
  OclQueue *queue = ocl_is_listening () ? ocl_object_find (OCL_QUEUE, handle) : NULL;

  if (queue != NULL)
    ocl_queue_commit (queue, weft_target_origin_with_stack ());
  return ocl_next.clFlush (handle);
}

static cl_int CL_API_CALL
finish (cl_command_queue handle)
{
  OclQueue *queue = ocl_is_listening () ? ocl_object_find (OCL_QUEUE, handle) : NULL;
  WeftTargetOrigin origin;
  OclWait wait = { 0 };
  cl_int result;

  if (queue == NULL)
    return ocl_next.clFinish (handle);
  origin = weft_target_origin_with_stack ();
  ocl_wait_add_batches (&wait, queue, UINT64_MAX);
  ocl_queue_commit (queue, origin);
  ocl_wait_report (&wait, WEFT_TARGET_ROLE_WAIT_BEGIN, origin);
  result = ocl_next.clFinish (handle);
  ocl_wait_report (&wait, WEFT_TARGET_ROLE_WAIT_END, weft_target_origin ());
  ocl_queue_harvest (queue, OCL_SYNC);
  drain_orphans ();
  return result;
}

void
ocl_queue_forget (void)
{
  pthread_mutex_init (&orphans_lock, NULL);
  n_orphans = 0;
  n_pending = 0;
}

void
ocl_queue_fill (OclTable *table)
{
  table->clCreateCommandQueue = create_queue;
  table->clCreateCommandQueueWithProperties = create_queue_with_properties;
  table->clRetainCommandQueue = retain_queue;
  table->clReleaseCommandQueue = release_queue;
  table->clGetContextInfo = get_context_info;
  table->clReleaseContext = release_context;
  table->clSetCommandQueueProperty = set_queue_property;
  table->clGetCommandQueueInfo = get_queue_info;
  table->clFlush = flush;
  table->clFinish = finish;
}
