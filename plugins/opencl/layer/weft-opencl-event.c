/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Waits, the program's references to events, its callbacks, and events of its own. */

#include "weft-opencl-layer.h"

#include <stdlib.h>

#define MAX_TOLD 4096u

/* ---- Waits ---- */

void
ocl_wait_add (OclWait *wait, WeftTargetLane *lane, uint64_t dispatch, uint64_t submission)
{
  for (size_t i = 0; i < wait->n; i++)
    if (wait->awaited[i].dispatch == dispatch && wait->awaited[i].submission == submission)
      return;
  if (wait->n < OCL_MAX_AWAITED && (dispatch | submission) != 0)
    wait->awaited[wait->n++] = (OclAwaited){ lane, dispatch, submission };
}

void
ocl_wait_add_batches (OclWait *wait, OclQueue *queue, uint64_t sequence)
{
  pthread_mutex_lock (&queue->lock);
  for (uint32_t i = 0; i < queue->n_batches; i++)
    if (queue->batches[i].last <= sequence && queue->batches[i].pending > 0)
      ocl_wait_add (wait, queue->lane, 0, queue->batches[i].id);
  pthread_mutex_unlock (&queue->lock);
}

void
ocl_wait_report (const OclWait *wait, WeftTargetRole role, WeftTargetOrigin origin)
{
  for (size_t i = 0; i < wait->n; i++)
    weft_target_report_origin (wait->awaited[i].lane, role, wait->awaited[i].dispatch,
                               wait->awaited[i].submission, origin);
}

/* ---- The program's own events ---- */

static WeftTargetLane *user_events;
static pthread_once_t user_events_once = PTHREAD_ONCE_INIT;
static WeftTargetRoutine user_event_routine = WEFT_TARGET_ROUTINE ("user event");

static void
make_user_events (void)
{
  user_events = weft_target_lane_new ("OpenCL user events", "opencl.user-events");
}

static cl_event CL_API_CALL
create_user_event (cl_context context, cl_int *error)
{
  cl_event event = ocl_next.clCreateUserEvent (context, error);
  WeftTargetRoleOrigin origin = { .role = WEFT_TARGET_ROLE_DISPATCH };
  WeftTargetDispatch dispatch = { .routine = &user_event_routine };
  OclCommand *command;

  if (event == NULL || !ocl_is_listening () ||
      (command = (OclCommand *) ocl_object_new (OCL_COMMAND, event)) == NULL)
    return event;
  pthread_once (&user_events_once, make_user_events);
  origin.origin = weft_target_origin_with_stack ();
  dispatch.lane = user_events;
  dispatch.submitted = origin.origin.ticks;
  dispatch.origins = &origin;
  dispatch.n_origins = 1;
  command->routine = &user_event_routine;
  command->bracket.before = origin.origin.ticks;
  command->pending = true;
  command->id = weft_target_reserve (&dispatch);
  ocl_object_add (&command->object);
  return event;
}

/* It is over when it is set; who set it is what completes it. */
static cl_int CL_API_CALL
set_user_event_status (cl_event event, cl_int status)
{
  OclCommand *command = ocl_is_listening () ? ocl_object_use (OCL_COMMAND, event) : NULL;
  const WeftTargetErrorDetail detail = { .name = ocl_error_name (status),
                                         .message = "The program set it to an error." };
  WeftTargetRoleOrigin origin = { .role = WEFT_TARGET_ROLE_COMPLETION };
  cl_int result;

  if (command == NULL)
    return ocl_next.clSetUserEventStatus (event, status);
  origin.origin = weft_target_origin_with_stack ();
  weft_target_handover (&(WeftTargetHandover){ .kind = WEFT_TARGET_HANDOVER_RELEASED,
                                               .object = (uint64_t) (uintptr_t) event,
                                               .begin = origin.origin.ticks });
  result = ocl_next.clSetUserEventStatus (event, status);
  if (result == CL_SUCCESS && command->queue == NULL &&
      __atomic_exchange_n (&command->pending, false, __ATOMIC_RELAXED))
    weft_target_complete (&(WeftTargetDispatch){
        .lane = user_events,
        .routine = &user_event_routine,
        .id = command->id,
        .start = command->bracket.before,
        .end = origin.origin.ticks,
        .status = status < 0 ? WEFT_TARGET_ERROR : WEFT_TARGET_OK,
        .error_kind = status < 0 ? WEFT_TARGET_ERROR_ABORT : WEFT_TARGET_ERROR_NONE,
        .error = status < 0 ? &detail : NULL,
        .origins = &origin,
        .n_origins = 1 });
  ocl_object_unuse (&command->object);
  return result;
}

/* ---- Waiting for events ---- */

static WeftTargetLane *
lane_of (const OclCommand *command)
{
  return command->queue != NULL ? command->queue->lane : user_events;
}

/* What is before an event in a queue that keeps the order is waited for, too. */
static void
add_earlier (OclWait *wait, const OclCommand *command, WeftTargetOrigin origin)
{
  if (command->queue == NULL)
    return;
  if (command->queue->in_order || command->covers)
    ocl_wait_add_batches (wait, command->queue, command->sequence);
  ocl_queue_commit (command->queue, origin);
}

static void
report_events (cl_uint n, const cl_event *events, WeftTargetRole role, WeftTargetOrigin origin,
               OclWait *wait)
{
  for (cl_uint i = 0; i < n && i < MAX_TOLD; i++)
    {
      OclCommand *command = ocl_object_use (OCL_COMMAND, events[i]);

      if (command == NULL)
        continue;
      if (role == WEFT_TARGET_ROLE_WAIT_BEGIN)
        add_earlier (wait, command, origin);
      if (command->id != 0)
        weft_target_report_origin (lane_of (command), role, command->id, 0, origin);
      ocl_object_unuse (&command->object);
    }
}

static void
harvest_events (cl_uint n, const cl_event *events)
{
  OclQueue *last = NULL;

  for (cl_uint i = 0; i < n && i < MAX_TOLD; i++)
    {
      OclCommand *command = ocl_object_use (OCL_COMMAND, events[i]);

      if (command == NULL)
        continue;
      if (command->queue != NULL && command->queue != last)
        ocl_queue_harvest (command->queue, OCL_SYNC);
      last = command->queue;
      ocl_object_unuse (&command->object);
    }
}

static cl_int CL_API_CALL
wait_for_events (cl_uint n, const cl_event *events)
{
  WeftTargetOrigin origin, after;
  OclWait wait = { 0 };
  cl_int result;

  if (!ocl_is_listening () || events == NULL)
    return ocl_next.clWaitForEvents (n, events);
  origin = weft_target_origin_with_stack ();
  report_events (n, events, WEFT_TARGET_ROLE_WAIT_BEGIN, origin, &wait);
  ocl_wait_report (&wait, WEFT_TARGET_ROLE_WAIT_BEGIN, origin);
  result = ocl_next.clWaitForEvents (n, events);
  after = weft_target_origin ();
  report_events (n, events, WEFT_TARGET_ROLE_WAIT_END, after, NULL);
  ocl_wait_report (&wait, WEFT_TARGET_ROLE_WAIT_END, after);
  harvest_events (n, events);
  return result;
}

/* ---- References ---- */

static cl_int CL_API_CALL
retain_event (cl_event event)
{
  cl_int result = ocl_next.clRetainEvent (event);

  if (result == CL_SUCCESS)
    ocl_object_retain (OCL_COMMAND, event);
  return result;
}

/* The program's last reference becomes ours while the command is under way: so there is never one
 * more than the program knows of.
 */
static cl_int CL_API_CALL
release_event (cl_event event)
{
  uint32_t left = 0;
  OclCommand *command = ocl_object_drop (OCL_COMMAND, event, &left);
  bool adopted;

  if (command == NULL)
    return ocl_next.clReleaseEvent (event);
  if (left == UINT32_MAX)
    {
      ocl_object_unuse (&command->object);
      return CL_INVALID_EVENT;
    }
  adopted = left == 0 && ocl_command_adopt (command);
  if (left == 0 && !adopted)
    ocl_object_take_out (&command->object);
  ocl_object_unuse (&command->object);
  return adopted ? CL_SUCCESS : ocl_next.clReleaseEvent (event);
}

/* ---- Asking how one fares ---- */

/* A program that asks until it is over learns so here. */
static cl_int CL_API_CALL
get_event_info (cl_event event, cl_event_info what, size_t size, void *value, size_t *needed)
{
  cl_int result = ocl_next.clGetEventInfo (event, what, size, value, needed);
  OclCommand *command;

  if (what != CL_EVENT_COMMAND_EXECUTION_STATUS || result != CL_SUCCESS || value == NULL ||
      *(const cl_int *) value > CL_COMPLETE || !ocl_is_listening ())
    return result;
  command = ocl_object_use (OCL_COMMAND, event);
  if (command == NULL)
    return result;
  if (command->queue != NULL && OCL_LOAD (&command->pending))
    {
      weft_target_report_origin (lane_of (command), WEFT_TARGET_ROLE_COMPLETION, command->id, 0,
                                 weft_target_origin ());
      ocl_queue_harvest (command->queue, OCL_ALL);
    }
  ocl_object_unuse (&command->object);
  return result;
}

/* Times are there because we asked for them: not for a program that did not. */
static cl_int CL_API_CALL
get_event_profile (cl_event event, cl_profiling_info what, size_t size, void *value, size_t *needed)
{
  cl_command_queue handle = NULL;
  OclQueue *queue;

  if (ocl_object_count (OCL_QUEUE) > 0 &&
      ocl_next.clGetEventInfo (event, CL_EVENT_COMMAND_QUEUE, sizeof handle, &handle, NULL) ==
          CL_SUCCESS &&
      (queue = ocl_object_find (OCL_QUEUE, handle)) != NULL && queue->is_timed &&
      !queue->wants_profiling)
    return CL_PROFILING_INFO_NOT_AVAILABLE;
  return ocl_next.clGetEventProfilingInfo (event, what, size, value, needed);
}

/* ---- The program's callbacks ---- */

typedef struct
{
  OclCommand *command;
  void (CL_CALLBACK *function) (cl_event event, cl_int status, void *data);
  void *data;
} Callback;

static void CL_CALLBACK
call_back (cl_event event, cl_int status, void *data)
{
  Callback callback = *(Callback *) data;
  OclCommand *command = callback.command;

  free (data);
  weft_target_report_origin (lane_of (command), WEFT_TARGET_ROLE_COMPLETION, command->id, 0,
                             weft_target_origin ());
  if (command->queue != NULL)
    ocl_queue_harvest (command->queue, OCL_ALL);
  ocl_object_unuse (&command->object);
  callback.function (event, status, callback.data);
}

static cl_int CL_API_CALL
set_event_callback (cl_event event, cl_int status,
                    void (CL_CALLBACK *function) (cl_event, cl_int, void *), void *data)
{
  OclCommand *command = status == CL_COMPLETE && function != NULL && ocl_is_listening ()
                            ? ocl_object_use (OCL_COMMAND, event)
                            : NULL;
  Callback *callback = command != NULL ? malloc (sizeof *callback) : NULL;
  cl_int result;

  if (callback == NULL)
    {
      if (command != NULL)
        ocl_object_unuse (&command->object);
      return ocl_next.clSetEventCallback (event, status, function, data);
    }
  *callback = (Callback){ command, function, data };
  result = ocl_next.clSetEventCallback (event, status, call_back, callback);
  if (result != CL_SUCCESS)
    {
      ocl_object_unuse (&command->object);
      free (callback);
    }
  return result;
}

void
ocl_event_fill (OclTable *table)
{
  table->clCreateUserEvent = create_user_event;
  table->clSetUserEventStatus = set_user_event_status;
  table->clWaitForEvents = wait_for_events;
  table->clRetainEvent = retain_event;
  table->clReleaseEvent = release_event;
  table->clGetEventInfo = get_event_info;
  table->clGetEventProfilingInfo = get_event_profile;
  table->clSetEventCallback = set_event_callback;
}
