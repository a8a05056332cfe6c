/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The calls that queue commands. Each is told of before it is made: origin, arguments and sizes;
 * its times come when it is over.
 */

#include "weft-opencl-layer.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ATTACHMENTS 32
#define MAX_TAGS 16
#define MAX_AFTER 8

/* ---- What is being told ---- */

/* Not on the stack, of which a copy is made to say where a call came from; nor among the thread's
 * variables, of which a library that is loaded late can have few.
 */
typedef struct
{
  WeftTargetDispatch dispatch;
  WeftTargetRoleOrigin origin;
  WeftTargetCounterSample samples[3];
  WeftTargetCounterValue values[3];
  WeftTargetTag tags[MAX_TAGS];
  char texts[3][72];
  WeftTargetAttachment attachments[MAX_ATTACHMENTS];
} Telling;

static __thread Telling *telling;
static pthread_key_t telling_key;
static pthread_once_t telling_once = PTHREAD_ONCE_INIT;

static void
free_telling (void *data)
{
  telling = NULL;
  free (data);
}

static void
make_telling_key (void)
{
  pthread_key_create (&telling_key, free_telling);
}

static bool
make_telling (void)
{
  pthread_once (&telling_once, make_telling_key);
  telling = calloc (1, sizeof *telling);
  return telling != NULL && pthread_setspecific (telling_key, telling) == 0;
}

static uint32_t items_set;
static uint32_t groups_set;
static uint32_t bytes_set;
static pthread_once_t sets_once = PTHREAD_ONCE_INIT;

static void
make_sets (void)
{
  static const WeftTargetCounter items = { .name = "work_items",
                                           .unit = WEFT_TARGET_UNIT_INVOCATIONS };
  static const WeftTargetCounter groups = { .name = "work_groups", .unit = WEFT_TARGET_UNIT_COUNT };
  static const WeftTargetCounter bytes = { .name = "bytes", .unit = WEFT_TARGET_UNIT_BYTES };
  const WeftTargetCounterState state = { .availability = WEFT_TARGET_PRESENT };

  items_set = weft_target_counter_set_new ("opencl.kernel", &items, 1, &state);
  groups_set = weft_target_counter_set_new ("opencl.groups", &groups, 1, &state);
  bytes_set = weft_target_counter_set_new ("opencl.transfer", &bytes, 1, &state);
}

static void
tell_tag (WeftTargetTag tag)
{
  if (telling->dispatch.n_tags < MAX_TAGS)
    telling->tags[telling->dispatch.n_tags++] = tag;
}

static void
tell_number (const char *key, uint64_t value)
{
  tell_tag ((WeftTargetTag){ .key = key, .type = WEFT_TARGET_VALUE_U64, .value.u64 = value });
}

static void
tell_flag (const char *key)
{
  tell_tag ((WeftTargetTag){ .key = key, .type = WEFT_TARGET_VALUE_BOOL, .value.boolean = true });
}

static void
tell_text (const char *key, const char *text)
{
  tell_tag ((WeftTargetTag){ .key = key, .type = WEFT_TARGET_VALUE_STRING, .value.string = text });
}

static void
tell_count (uint32_t set, uint64_t value)
{
  size_t n = telling->dispatch.n_samples;

  telling->values[n] = (WeftTargetCounterValue){ .value.u64 = value };
  telling->samples[n] = (WeftTargetCounterSample){ .set = set,
                                                   .point = WEFT_TARGET_POINT_BEFORE_DISPATCH,
                                                   .values = &telling->values[n],
                                                   .n_values = 1 };
  telling->dispatch.n_samples = n + 1;
}

static void
tell_memory (cl_mem handle, WeftTargetAccess access, uint64_t offset, uint64_t size)
{
  WeftTargetAttachment *attachment = &telling->attachments[telling->dispatch.n_attachments];
  const OclMemory *memory = ocl_object_find (OCL_MEMORY, handle);

  if (memory == NULL || telling->dispatch.n_attachments == MAX_ATTACHMENTS)
    return;
  memset (attachment, 0, sizeof *attachment);
  ocl_memory_attach (attachment, memory);
  attachment->slot = WEFT_TARGET_NO_SLOT;
  attachment->access = access;
  attachment->offset += offset;
  if (size != WEFT_TARGET_UNKNOWN_SIZE)
    attachment->size = size;
  telling->dispatch.n_attachments++;
}

static void
tell_svm (const void *address, WeftTargetAccess access, uint64_t size)
{
  const OclMemory *memory = ocl_object_find (OCL_SVM, address);
  WeftTargetAttachment *attachment = &telling->attachments[telling->dispatch.n_attachments];

  if (memory == NULL || telling->dispatch.n_attachments == MAX_ATTACHMENTS)
    return;
  memset (attachment, 0, sizeof *attachment);
  ocl_memory_attach (attachment, memory);
  attachment->slot = WEFT_TARGET_NO_SLOT;
  attachment->access = access;
  attachment->size = size;
  telling->dispatch.n_attachments++;
}

static char *
put_number (char *at, uint64_t value)
{
  char digits[20];
  int n = 0;

  do
    digits[n++] = (char) ('0' + value % 10);
  while ((value /= 10) != 0);
  while (n > 0)
    *at++ = digits[--n];
  return at;
}

/* "64×4": three numbers of 20 digits fit. */
static void
tell_sizes (const char *key, uint32_t text, cl_uint n_dimensions, const size_t *sizes)
{
  char *at = telling->texts[text];

  for (cl_uint i = 0; i < n_dimensions && i < 3; i++)
    {
      if (i > 0)
        {
          memcpy (at, "×", 2);
          at += 2;
        }
      at = put_number (at, sizes[i]);
    }
  *at = '\0';
  tell_text (key, telling->texts[text]);
}

/* What it waits for, by the numbers that its dispatches were told with. */
static void
tell_after (cl_uint n, const cl_event *events)
{
  for (cl_uint i = 0; events != NULL && i < n && i < MAX_AFTER; i++)
    {
      OclCommand *command = ocl_object_use (OCL_COMMAND, events[i]);

      if (command == NULL)
        continue;
      if (command->id != 0)
        tell_number ("after", command->id);
      ocl_object_unuse (&command->object);
    }
}

/* ---- A call ---- */

/* False: nobody listens, or the queue is not known. */
static bool
enqueue_begin (OclEnqueue *e, cl_command_queue handle, WeftTargetRoutine *routine, cl_uint n_after,
               const cl_event *after)
{
  if (!ocl_is_listening () || (telling == NULL && !make_telling ()))
    return false;
  e->queue = ocl_object_find (OCL_QUEUE, handle);
  e->command = e->queue != NULL ? (OclCommand *) ocl_object_new (OCL_COMMAND, NULL) : NULL;
  if (e->command == NULL)
    return false;
  pthread_once (&sets_once, make_sets);
  e->event = NULL;
  e->waits = false;
  e->wait.n = 0;
  e->origin = weft_target_origin_with_stack ();
  e->command->routine = routine;
  e->command->waits = n_after > 0;
  memset (&telling->dispatch, 0, sizeof telling->dispatch);
  telling->origin.role = WEFT_TARGET_ROLE_DISPATCH;
  telling->origin.origin = e->origin;
  telling->dispatch.lane = e->queue->lane;
  telling->dispatch.routine = routine;
  telling->dispatch.submitted = e->origin.ticks;
  telling->dispatch.origins = &telling->origin;
  telling->dispatch.n_origins = 1;
  telling->dispatch.tags = telling->tags;
  telling->dispatch.attachments = telling->attachments;
  telling->dispatch.samples = telling->samples;
  tell_after (n_after, after);
  return true;
}

static void
enqueue_wait (OclEnqueue *e)
{
  OclQueue *queue = e->queue;

  if (queue->in_order)
    ocl_wait_add_batches (&e->wait, queue, UINT64_MAX);
  ocl_wait_add (&e->wait, queue->lane, e->command->id, 0);
  ocl_queue_commit (queue, e->origin);
  ocl_wait_report (&e->wait, WEFT_TARGET_ROLE_WAIT_BEGIN, e->origin);
}

static void
enqueue_submit (OclEnqueue *e, cl_bool waits)
{
  OclCommand *command = e->command;

  e->waits = waits != CL_FALSE;
  if (e->waits)
    tell_flag ("blocking");
  ocl_command_begin (e->queue, command);
  telling->dispatch.submission = command->batch;
  command->id = weft_target_reserve (&telling->dispatch);
  if (e->waits)
    enqueue_wait (e);
  ocl_bracket_begin (&command->bracket, ocl_device_is_unsure (e->queue->device));
}

/* What the program gets is known before it gets it: another of its threads may use it at once. */
static cl_int
enqueue_end (OclEnqueue *e, cl_int result, cl_event *event)
{
  OclCommand *command = e->command;
  cl_event made = e->event;

  ocl_bracket_end (&command->bracket, command->bracket.earliest[0] != 0);
  if (e->waits)
    ocl_wait_report (&e->wait, WEFT_TARGET_ROLE_WAIT_END, weft_target_origin ());
  if (result != CL_SUCCESS || made == NULL)
    {
      ocl_command_refused (e->queue, command, result);
      return result;
    }
  command->object.handle = made;
  command->owned = event == NULL;
  if (event != NULL)
    ocl_object_add (&command->object);
  ocl_command_queued (e->queue, command);
  if (event != NULL)
    *event = made;
  ocl_queue_harvest (e->queue, e->waits ? OCL_SYNC : OCL_GLANCE);
  return result;
}

/* ---- Kernels ---- */

static void
tell_work (OclQueue *queue, OclKernel *kernel, cl_uint n_dimensions, const size_t *offset,
           const size_t *global, const size_t *local)
{
  uint64_t items = 1, groups = 1;

  for (cl_uint i = 0; global != NULL && i < n_dimensions && i < 3; i++)
    {
      items *= global[i];
      if (local != NULL && local[i] != 0)
        groups *= (global[i] + local[i] - 1) / local[i];
    }
  if (global != NULL && n_dimensions > 0)
    {
      tell_sizes ("global_size", 0, n_dimensions, global);
      tell_count (items_set, items);
    }
  if (local != NULL && n_dimensions > 0)
    {
      tell_sizes ("local_size", 1, n_dimensions, local);
      tell_count (groups_set, groups);
    }
  if (offset != NULL && n_dimensions > 0 &&
      (offset[0] | (n_dimensions > 1 ? offset[1] : 0) | (n_dimensions > 2 ? offset[2] : 0)) != 0)
    tell_sizes ("global_offset", 2, n_dimensions, offset);
  telling->dispatch.n_attachments =
      ocl_kernel_attach (kernel, telling->attachments, MAX_ATTACHMENTS);
  if (ocl_kernel_is_new (kernel, queue->device, n_dimensions, local))
    tell_flag ("first_use");
}

static cl_int CL_API_CALL
enqueue_kernel (cl_command_queue queue, cl_kernel handle, cl_uint n_dimensions,
                const size_t *offset, const size_t *global, const size_t *local, cl_uint n,
                const cl_event *after, cl_event *event)
{
  OclKernel *kernel = ocl_is_listening () ? ocl_object_find (OCL_KERNEL, handle) : NULL;
  OclEnqueue e;
  cl_int result;

  if (kernel == NULL || !enqueue_begin (&e, queue, kernel->routine, n, after))
    return ocl_next.clEnqueueNDRangeKernel (queue, handle, n_dimensions, offset, global, local, n,
                                            after, event);
  tell_work (e.queue, kernel, n_dimensions <= 3 ? n_dimensions : 0, offset, global, local);
  enqueue_submit (&e, CL_FALSE);
  result = ocl_next.clEnqueueNDRangeKernel (queue, handle, n_dimensions, offset, global, local, n,
                                            after, &e.event);
  return enqueue_end (&e, result, event);
}

static cl_int CL_API_CALL
enqueue_task (cl_command_queue queue, cl_kernel handle, cl_uint n, const cl_event *after,
              cl_event *event)
{
  const size_t one = 1;
  OclKernel *kernel = ocl_is_listening () ? ocl_object_find (OCL_KERNEL, handle) : NULL;
  OclEnqueue e;
  cl_int result;

  if (kernel == NULL || !enqueue_begin (&e, queue, kernel->routine, n, after))
    return ocl_next.clEnqueueTask (queue, handle, n, after, event);
  tell_work (e.queue, kernel, 1, NULL, &one, &one);
  enqueue_submit (&e, CL_FALSE);
  result = ocl_next.clEnqueueTask (queue, handle, n, after, &e.event);
  return enqueue_end (&e, result, event);
}

/* A function of the program itself: told by its symbol, or by where its file has it. */
static WeftTargetRoutine *
native_routine (void (CL_CALLBACK *function) (void *))
{
  WeftTargetRoutineInfo info = { .name = "native kernel" };
  char place[256];
  Dl_info found;

  if (dladdr ((void *) function, &found) == 0 || found.dli_fname == NULL)
    return weft_target_routine_new_full (&info, sizeof info);
  if (found.dli_sname != NULL && found.dli_saddr == (void *) function)
    info.name = found.dli_sname;
  snprintf (place, sizeof place, "%s+0x%zx", found.dli_fname,
            (size_t) ((char *) function - (char *) found.dli_fbase));
  info.flavour = place;
  return weft_target_routine_new_full (&info, sizeof info);
}

static cl_int CL_API_CALL
enqueue_native (cl_command_queue queue, void (CL_CALLBACK *function) (void *), void *arguments,
                size_t size, cl_uint n_memory, const cl_mem *memory, const void **places, cl_uint n,
                const cl_event *after, cl_event *event)
{
  OclEnqueue e;
  cl_int result;

  if (!ocl_is_listening () || !enqueue_begin (&e, queue, native_routine (function), n, after))
    return ocl_next.clEnqueueNativeKernel (queue, function, arguments, size, n_memory, memory,
                                           places, n, after, event);
  for (cl_uint i = 0; memory != NULL && i < n_memory; i++)
    tell_memory (memory[i], WEFT_TARGET_ACCESS_UNKNOWN, 0, WEFT_TARGET_UNKNOWN_SIZE);
  enqueue_submit (&e, CL_FALSE);
  result = ocl_next.clEnqueueNativeKernel (queue, function, arguments, size, n_memory, memory,
                                           places, n, after, &e.event);
  return enqueue_end (&e, result, event);
}

/* ---- Transfers of buffers ---- */

#define ROUTINE(name) static WeftTargetRoutine routine = WEFT_TARGET_ROUTINE (name)

static cl_int CL_API_CALL
enqueue_read (cl_command_queue queue, cl_mem memory, cl_bool blocking, size_t offset, size_t size,
              void *to, cl_uint n, const cl_event *after, cl_event *event)
{
  ROUTINE ("clEnqueueReadBuffer");
  OclEnqueue e;
  cl_int result;

  if (!enqueue_begin (&e, queue, &routine, n, after))
    return ocl_next.clEnqueueReadBuffer (queue, memory, blocking, offset, size, to, n, after,
                                         event);
  tell_memory (memory, WEFT_TARGET_ACCESS_READ, offset, size);
  tell_count (bytes_set, size);
  enqueue_submit (&e, blocking);
  result =
      ocl_next.clEnqueueReadBuffer (queue, memory, blocking, offset, size, to, n, after, &e.event);
  return enqueue_end (&e, result, event);
}

static cl_int CL_API_CALL
enqueue_write (cl_command_queue queue, cl_mem memory, cl_bool blocking, size_t offset, size_t size,
               const void *from, cl_uint n, const cl_event *after, cl_event *event)
{
  ROUTINE ("clEnqueueWriteBuffer");
  OclEnqueue e;
  cl_int result;

  if (!enqueue_begin (&e, queue, &routine, n, after))
    return ocl_next.clEnqueueWriteBuffer (queue, memory, blocking, offset, size, from, n, after,
                                          event);
  tell_memory (memory, WEFT_TARGET_ACCESS_WRITE, offset, size);
  tell_count (bytes_set, size);
  enqueue_submit (&e, blocking);
  result = ocl_next.clEnqueueWriteBuffer (queue, memory, blocking, offset, size, from, n, after,
                                          &e.event);
  return enqueue_end (&e, result, event);
}

static uint64_t
volume (const size_t *region)
{
  return region != NULL ? (uint64_t) region[0] * region[1] * region[2] : 0;
}

static void
tell_rectangle (cl_mem memory, WeftTargetAccess access, const size_t *origin, const size_t *region,
                size_t row_pitch, size_t slice_pitch)
{
  size_t row = row_pitch != 0 ? row_pitch : region != NULL ? region[0] : 0;
  size_t slice = slice_pitch != 0 ? slice_pitch : region != NULL ? row * region[1] : 0;
  uint64_t first = 0, last = 0;

  if (origin == NULL || region == NULL || volume (region) == 0)
    return;
  first = origin[0] + origin[1] * row + origin[2] * slice;
  last = first + region[0] + (region[1] - 1) * row + (region[2] - 1) * slice;
  tell_memory (memory, access, first, last - first);
}

static cl_int CL_API_CALL
enqueue_read_rectangle (cl_command_queue queue, cl_mem memory, cl_bool blocking,
                        const size_t *origin, const size_t *host_origin, const size_t *region,
                        size_t row_pitch, size_t slice_pitch, size_t host_row_pitch,
                        size_t host_slice_pitch, void *to, cl_uint n, const cl_event *after,
                        cl_event *event)
{
  ROUTINE ("clEnqueueReadBufferRect");
  OclEnqueue e;
  cl_int result;

  if (!enqueue_begin (&e, queue, &routine, n, after))
    return ocl_next.clEnqueueReadBufferRect (queue, memory, blocking, origin, host_origin, region,
                                             row_pitch, slice_pitch, host_row_pitch,
                                             host_slice_pitch, to, n, after, event);
  tell_rectangle (memory, WEFT_TARGET_ACCESS_READ, origin, region, row_pitch, slice_pitch);
  tell_count (bytes_set, volume (region));
  enqueue_submit (&e, blocking);
  result = ocl_next.clEnqueueReadBufferRect (queue, memory, blocking, origin, host_origin, region,
                                             row_pitch, slice_pitch, host_row_pitch,
                                             host_slice_pitch, to, n, after, &e.event);
  return enqueue_end (&e, result, event);
}

static cl_int CL_API_CALL
enqueue_write_rectangle (cl_command_queue queue, cl_mem memory, cl_bool blocking,
                         const size_t *origin, const size_t *host_origin, const size_t *region,
                         size_t row_pitch, size_t slice_pitch, size_t host_row_pitch,
                         size_t host_slice_pitch, const void *from, cl_uint n,
                         const cl_event *after, cl_event *event)
{
  ROUTINE ("clEnqueueWriteBufferRect");
  OclEnqueue e;
  cl_int result;

  if (!enqueue_begin (&e, queue, &routine, n, after))
    return ocl_next.clEnqueueWriteBufferRect (queue, memory, blocking, origin, host_origin, region,
                                              row_pitch, slice_pitch, host_row_pitch,
                                              host_slice_pitch, from, n, after, event);
  tell_rectangle (memory, WEFT_TARGET_ACCESS_WRITE, origin, region, row_pitch, slice_pitch);
  tell_count (bytes_set, volume (region));
  enqueue_submit (&e, blocking);
  result = ocl_next.clEnqueueWriteBufferRect (queue, memory, blocking, origin, host_origin, region,
                                              row_pitch, slice_pitch, host_row_pitch,
                                              host_slice_pitch, from, n, after, &e.event);
  return enqueue_end (&e, result, event);
}

static cl_int CL_API_CALL
enqueue_copy (cl_command_queue queue, cl_mem from, cl_mem to, size_t from_offset, size_t to_offset,
              size_t size, cl_uint n, const cl_event *after, cl_event *event)
{
  ROUTINE ("clEnqueueCopyBuffer");
  OclEnqueue e;
  cl_int result;

  if (!enqueue_begin (&e, queue, &routine, n, after))
    return ocl_next.clEnqueueCopyBuffer (queue, from, to, from_offset, to_offset, size, n, after,
                                         event);
  tell_memory (from, WEFT_TARGET_ACCESS_READ, from_offset, size);
  tell_memory (to, WEFT_TARGET_ACCESS_WRITE, to_offset, size);
  tell_count (bytes_set, size);
  enqueue_submit (&e, CL_FALSE);
  result = ocl_next.clEnqueueCopyBuffer (queue, from, to, from_offset, to_offset, size, n, after,
                                         &e.event);
  return enqueue_end (&e, result, event);
}

static cl_int CL_API_CALL
enqueue_copy_rectangle (cl_command_queue queue, cl_mem from, cl_mem to, const size_t *from_origin,
                        const size_t *to_origin, const size_t *region, size_t from_row_pitch,
                        size_t from_slice_pitch, size_t to_row_pitch, size_t to_slice_pitch,
                        cl_uint n, const cl_event *after, cl_event *event)
{
  ROUTINE ("clEnqueueCopyBufferRect");
  OclEnqueue e;
  cl_int result;

  if (!enqueue_begin (&e, queue, &routine, n, after))
    return ocl_next.clEnqueueCopyBufferRect (queue, from, to, from_origin, to_origin, region,
                                             from_row_pitch, from_slice_pitch, to_row_pitch,
                                             to_slice_pitch, n, after, event);
  tell_rectangle (from, WEFT_TARGET_ACCESS_READ, from_origin, region, from_row_pitch,
                  from_slice_pitch);
  tell_rectangle (to, WEFT_TARGET_ACCESS_WRITE, to_origin, region, to_row_pitch, to_slice_pitch);
  tell_count (bytes_set, volume (region));
  enqueue_submit (&e, CL_FALSE);
  result = ocl_next.clEnqueueCopyBufferRect (queue, from, to, from_origin, to_origin, region,
                                             from_row_pitch, from_slice_pitch, to_row_pitch,
                                             to_slice_pitch, n, after, &e.event);
  return enqueue_end (&e, result, event);
}

static cl_int CL_API_CALL
enqueue_fill (cl_command_queue queue, cl_mem memory, const void *pattern, size_t pattern_size,
              size_t offset, size_t size, cl_uint n, const cl_event *after, cl_event *event)
{
  ROUTINE ("clEnqueueFillBuffer");
  OclEnqueue e;
  cl_int result;

  if (!enqueue_begin (&e, queue, &routine, n, after))
    return ocl_next.clEnqueueFillBuffer (queue, memory, pattern, pattern_size, offset, size, n,
                                         after, event);
  tell_memory (memory, WEFT_TARGET_ACCESS_WRITE, offset, size);
  tell_count (bytes_set, size);
  enqueue_submit (&e, CL_FALSE);
  result = ocl_next.clEnqueueFillBuffer (queue, memory, pattern, pattern_size, offset, size, n,
                                         after, &e.event);
  return enqueue_end (&e, result, event);
}

/* ---- Images ---- */

static uint64_t
image_bytes (cl_mem image, const size_t *region)
{
  size_t element = 0;

  ocl_next.clGetImageInfo (image, CL_IMAGE_ELEMENT_SIZE, sizeof element, &element, NULL);
  return volume (region) * element;
}

static void
tell_image (cl_mem image, WeftTargetAccess access, const size_t *region)
{
  tell_memory (image, access, 0, WEFT_TARGET_UNKNOWN_SIZE);
  if (telling->dispatch.n_samples == 0)
    tell_count (bytes_set, image_bytes (image, region));
}

static cl_int CL_API_CALL
enqueue_read_image (cl_command_queue queue, cl_mem image, cl_bool blocking, const size_t *origin,
                    const size_t *region, size_t row_pitch, size_t slice_pitch, void *to, cl_uint n,
                    const cl_event *after, cl_event *event)
{
  ROUTINE ("clEnqueueReadImage");
  OclEnqueue e;
  cl_int result;

  if (!enqueue_begin (&e, queue, &routine, n, after))
    return ocl_next.clEnqueueReadImage (queue, image, blocking, origin, region, row_pitch,
                                        slice_pitch, to, n, after, event);
  tell_image (image, WEFT_TARGET_ACCESS_READ, region);
  enqueue_submit (&e, blocking);
  result = ocl_next.clEnqueueReadImage (queue, image, blocking, origin, region, row_pitch,
                                        slice_pitch, to, n, after, &e.event);
  return enqueue_end (&e, result, event);
}

static cl_int CL_API_CALL
enqueue_write_image (cl_command_queue queue, cl_mem image, cl_bool blocking, const size_t *origin,
                     const size_t *region, size_t row_pitch, size_t slice_pitch, const void *from,
                     cl_uint n, const cl_event *after, cl_event *event)
{
  ROUTINE ("clEnqueueWriteImage");
  OclEnqueue e;
  cl_int result;

  if (!enqueue_begin (&e, queue, &routine, n, after))
    return ocl_next.clEnqueueWriteImage (queue, image, blocking, origin, region, row_pitch,
                                         slice_pitch, from, n, after, event);
  tell_image (image, WEFT_TARGET_ACCESS_WRITE, region);
  enqueue_submit (&e, blocking);
  result = ocl_next.clEnqueueWriteImage (queue, image, blocking, origin, region, row_pitch,
                                         slice_pitch, from, n, after, &e.event);
  return enqueue_end (&e, result, event);
}

static cl_int CL_API_CALL
enqueue_copy_image (cl_command_queue queue, cl_mem from, cl_mem to, const size_t *from_origin,
                    const size_t *to_origin, const size_t *region, cl_uint n, const cl_event *after,
                    cl_event *event)
{
  ROUTINE ("clEnqueueCopyImage");
  OclEnqueue e;
  cl_int result;

  if (!enqueue_begin (&e, queue, &routine, n, after))
    return ocl_next.clEnqueueCopyImage (queue, from, to, from_origin, to_origin, region, n, after,
                                        event);
  tell_image (from, WEFT_TARGET_ACCESS_READ, region);
  tell_image (to, WEFT_TARGET_ACCESS_WRITE, region);
  enqueue_submit (&e, CL_FALSE);
  result = ocl_next.clEnqueueCopyImage (queue, from, to, from_origin, to_origin, region, n, after,
                                        &e.event);
  return enqueue_end (&e, result, event);
}

static cl_int CL_API_CALL
enqueue_image_to_buffer (cl_command_queue queue, cl_mem image, cl_mem buffer, const size_t *origin,
                         const size_t *region, size_t offset, cl_uint n, const cl_event *after,
                         cl_event *event)
{
  ROUTINE ("clEnqueueCopyImageToBuffer");
  OclEnqueue e;
  cl_int result;

  if (!enqueue_begin (&e, queue, &routine, n, after))
    return ocl_next.clEnqueueCopyImageToBuffer (queue, image, buffer, origin, region, offset, n,
                                                after, event);
  tell_image (image, WEFT_TARGET_ACCESS_READ, region);
  tell_memory (buffer, WEFT_TARGET_ACCESS_WRITE, offset, telling->values[0].value.u64);
  enqueue_submit (&e, CL_FALSE);
  result = ocl_next.clEnqueueCopyImageToBuffer (queue, image, buffer, origin, region, offset, n,
                                                after, &e.event);
  return enqueue_end (&e, result, event);
}

static cl_int CL_API_CALL
enqueue_buffer_to_image (cl_command_queue queue, cl_mem buffer, cl_mem image, size_t offset,
                         const size_t *origin, const size_t *region, cl_uint n,
                         const cl_event *after, cl_event *event)
{
  ROUTINE ("clEnqueueCopyBufferToImage");
  OclEnqueue e;
  cl_int result;

  if (!enqueue_begin (&e, queue, &routine, n, after))
    return ocl_next.clEnqueueCopyBufferToImage (queue, buffer, image, offset, origin, region, n,
                                                after, event);
  tell_image (image, WEFT_TARGET_ACCESS_WRITE, region);
  tell_memory (buffer, WEFT_TARGET_ACCESS_READ, offset, telling->values[0].value.u64);
  enqueue_submit (&e, CL_FALSE);
  result = ocl_next.clEnqueueCopyBufferToImage (queue, buffer, image, offset, origin, region, n,
                                                after, &e.event);
  return enqueue_end (&e, result, event);
}

static cl_int CL_API_CALL
enqueue_fill_image (cl_command_queue queue, cl_mem image, const void *colour, const size_t *origin,
                    const size_t *region, cl_uint n, const cl_event *after, cl_event *event)
{
  ROUTINE ("clEnqueueFillImage");
  OclEnqueue e;
  cl_int result;

  if (!enqueue_begin (&e, queue, &routine, n, after))
    return ocl_next.clEnqueueFillImage (queue, image, colour, origin, region, n, after, event);
  tell_image (image, WEFT_TARGET_ACCESS_WRITE, region);
  enqueue_submit (&e, CL_FALSE);
  result = ocl_next.clEnqueueFillImage (queue, image, colour, origin, region, n, after, &e.event);
  return enqueue_end (&e, result, event);
}

/* ---- Mapping ---- */

static WeftTargetAccess
map_access (cl_map_flags flags)
{
  bool writes = (flags & (CL_MAP_WRITE | CL_MAP_WRITE_INVALIDATE_REGION)) != 0;

  if (writes && flags & CL_MAP_READ)
    return WEFT_TARGET_ACCESS_READ_WRITE;
  return writes ? WEFT_TARGET_ACCESS_WRITE : WEFT_TARGET_ACCESS_READ;
}

static void *CL_API_CALL
enqueue_map_buffer (cl_command_queue queue, cl_mem buffer, cl_bool blocking, cl_map_flags flags,
                    size_t offset, size_t size, cl_uint n, const cl_event *after, cl_event *event,
                    cl_int *error)
{
  ROUTINE ("clEnqueueMapBuffer");
  OclEnqueue e;
  cl_int result = CL_SUCCESS;
  void *mapped;

  if (!enqueue_begin (&e, queue, &routine, n, after))
    return ocl_next.clEnqueueMapBuffer (queue, buffer, blocking, flags, offset, size, n, after,
                                        event, error);
  tell_memory (buffer, map_access (flags), offset, size);
  tell_count (bytes_set, size);
  enqueue_submit (&e, blocking);
  mapped = ocl_next.clEnqueueMapBuffer (queue, buffer, blocking, flags, offset, size, n, after,
                                        &e.event, &result);
  enqueue_end (&e, result, event);
  if (error != NULL)
    *error = result;
  return mapped;
}

static void *CL_API_CALL
enqueue_map_image (cl_command_queue queue, cl_mem image, cl_bool blocking, cl_map_flags flags,
                   const size_t *origin, const size_t *region, size_t *row_pitch,
                   size_t *slice_pitch, cl_uint n, const cl_event *after, cl_event *event,
                   cl_int *error)
{
  ROUTINE ("clEnqueueMapImage");
  OclEnqueue e;
  cl_int result = CL_SUCCESS;
  void *mapped;

  if (!enqueue_begin (&e, queue, &routine, n, after))
    return ocl_next.clEnqueueMapImage (queue, image, blocking, flags, origin, region, row_pitch,
                                       slice_pitch, n, after, event, error);
  tell_image (image, map_access (flags), region);
  enqueue_submit (&e, blocking);
  mapped = ocl_next.clEnqueueMapImage (queue, image, blocking, flags, origin, region, row_pitch,
                                       slice_pitch, n, after, &e.event, &result);
  enqueue_end (&e, result, event);
  if (error != NULL)
    *error = result;
  return mapped;
}

static cl_int CL_API_CALL
enqueue_unmap (cl_command_queue queue, cl_mem memory, void *mapped, cl_uint n,
               const cl_event *after, cl_event *event)
{
  ROUTINE ("clEnqueueUnmapMemObject");
  OclEnqueue e;
  cl_int result;

  if (!enqueue_begin (&e, queue, &routine, n, after))
    return ocl_next.clEnqueueUnmapMemObject (queue, memory, mapped, n, after, event);
  tell_memory (memory, WEFT_TARGET_ACCESS_UNKNOWN, 0, WEFT_TARGET_UNKNOWN_SIZE);
  enqueue_submit (&e, CL_FALSE);
  result = ocl_next.clEnqueueUnmapMemObject (queue, memory, mapped, n, after, &e.event);
  return enqueue_end (&e, result, event);
}

static cl_int CL_API_CALL
enqueue_migrate (cl_command_queue queue, cl_uint n_memory, const cl_mem *memory,
                 cl_mem_migration_flags flags, cl_uint n, const cl_event *after, cl_event *event)
{
  ROUTINE ("clEnqueueMigrateMemObjects");
  OclEnqueue e;
  cl_int result;

  if (!enqueue_begin (&e, queue, &routine, n, after))
    return ocl_next.clEnqueueMigrateMemObjects (queue, n_memory, memory, flags, n, after, event);
  for (cl_uint i = 0; memory != NULL && i < n_memory; i++)
    tell_memory (memory[i], WEFT_TARGET_ACCESS_UNKNOWN, 0, WEFT_TARGET_UNKNOWN_SIZE);
  if (flags & CL_MIGRATE_MEM_OBJECT_HOST)
    tell_flag ("to_host");
  enqueue_submit (&e, CL_FALSE);
  result = ocl_next.clEnqueueMigrateMemObjects (queue, n_memory, memory, flags, n, after, &e.event);
  return enqueue_end (&e, result, event);
}

/* ---- Markers and barriers ---- */

static cl_int CL_API_CALL
enqueue_marker (cl_command_queue queue, cl_uint n, const cl_event *after, cl_event *event)
{
  ROUTINE ("clEnqueueMarkerWithWaitList");
  OclEnqueue e;
  cl_int result;

  if (!enqueue_begin (&e, queue, &routine, n, after))
    return ocl_next.clEnqueueMarkerWithWaitList (queue, n, after, event);
  e.command->covers = n == 0;
  enqueue_submit (&e, CL_FALSE);
  result = ocl_next.clEnqueueMarkerWithWaitList (queue, n, after, &e.event);
  return enqueue_end (&e, result, event);
}

static cl_int CL_API_CALL
enqueue_barrier (cl_command_queue queue, cl_uint n, const cl_event *after, cl_event *event)
{
  ROUTINE ("clEnqueueBarrierWithWaitList");
  OclEnqueue e;
  cl_int result;

  if (!enqueue_begin (&e, queue, &routine, n, after))
    return ocl_next.clEnqueueBarrierWithWaitList (queue, n, after, event);
  e.command->covers = n == 0;
  enqueue_submit (&e, CL_FALSE);
  result = ocl_next.clEnqueueBarrierWithWaitList (queue, n, after, &e.event);
  return enqueue_end (&e, result, event);
}

static cl_int CL_API_CALL
enqueue_old_marker (cl_command_queue queue, cl_event *event)
{
  ROUTINE ("clEnqueueMarker");
  OclEnqueue e;
  cl_int result;

  if (event == NULL || !enqueue_begin (&e, queue, &routine, 0, NULL))
    return ocl_next.clEnqueueMarker (queue, event);
  e.command->covers = true;
  enqueue_submit (&e, CL_FALSE);
  result = ocl_next.clEnqueueMarker (queue, &e.event);
  return enqueue_end (&e, result, event);
}

/* The calls of 1.0 give no event; their successors of 1.2 do the same, and give one. */
static cl_int CL_API_CALL
enqueue_old_barrier (cl_command_queue queue)
{
  ROUTINE ("clEnqueueBarrier");
  OclEnqueue e;
  cl_int result;

  if (ocl_next.clEnqueueBarrierWithWaitList == NULL ||
      !enqueue_begin (&e, queue, &routine, 0, NULL))
    return ocl_next.clEnqueueBarrier (queue);
  e.command->covers = true;
  enqueue_submit (&e, CL_FALSE);
  result = ocl_next.clEnqueueBarrierWithWaitList (queue, 0, NULL, &e.event);
  return enqueue_end (&e, result, NULL);
}

static cl_int CL_API_CALL
enqueue_old_wait (cl_command_queue queue, cl_uint n, const cl_event *after)
{
  ROUTINE ("clEnqueueWaitForEvents");
  OclEnqueue e;
  cl_int result;

  if (ocl_next.clEnqueueBarrierWithWaitList == NULL || n == 0 || after == NULL ||
      !enqueue_begin (&e, queue, &routine, n, after))
    return ocl_next.clEnqueueWaitForEvents (queue, n, after);
  enqueue_submit (&e, CL_FALSE);
  result = ocl_next.clEnqueueBarrierWithWaitList (queue, n, after, &e.event);
  result = enqueue_end (&e, result, NULL);
  return result == CL_INVALID_EVENT_WAIT_LIST ? CL_INVALID_EVENT : result;
}

/* ---- Shared virtual memory ---- */

static cl_int CL_API_CALL
enqueue_svm_copy (cl_command_queue queue, cl_bool blocking, void *to, const void *from, size_t size,
                  cl_uint n, const cl_event *after, cl_event *event)
{
  ROUTINE ("clEnqueueSVMMemcpy");
  OclEnqueue e;
  cl_int result;

  if (!enqueue_begin (&e, queue, &routine, n, after))
    return ocl_next.clEnqueueSVMMemcpy (queue, blocking, to, from, size, n, after, event);
  tell_svm (from, WEFT_TARGET_ACCESS_READ, size);
  tell_svm (to, WEFT_TARGET_ACCESS_WRITE, size);
  tell_count (bytes_set, size);
  enqueue_submit (&e, blocking);
  result = ocl_next.clEnqueueSVMMemcpy (queue, blocking, to, from, size, n, after, &e.event);
  return enqueue_end (&e, result, event);
}

static cl_int CL_API_CALL
enqueue_svm_fill (cl_command_queue queue, void *memory, const void *pattern, size_t pattern_size,
                  size_t size, cl_uint n, const cl_event *after, cl_event *event)
{
  ROUTINE ("clEnqueueSVMMemFill");
  OclEnqueue e;
  cl_int result;

  if (!enqueue_begin (&e, queue, &routine, n, after))
    return ocl_next.clEnqueueSVMMemFill (queue, memory, pattern, pattern_size, size, n, after,
                                         event);
  tell_svm (memory, WEFT_TARGET_ACCESS_WRITE, size);
  tell_count (bytes_set, size);
  enqueue_submit (&e, CL_FALSE);
  result =
      ocl_next.clEnqueueSVMMemFill (queue, memory, pattern, pattern_size, size, n, after, &e.event);
  return enqueue_end (&e, result, event);
}

static cl_int CL_API_CALL
enqueue_svm_map (cl_command_queue queue, cl_bool blocking, cl_map_flags flags, void *memory,
                 size_t size, cl_uint n, const cl_event *after, cl_event *event)
{
  ROUTINE ("clEnqueueSVMMap");
  OclEnqueue e;
  cl_int result;

  if (!enqueue_begin (&e, queue, &routine, n, after))
    return ocl_next.clEnqueueSVMMap (queue, blocking, flags, memory, size, n, after, event);
  tell_svm (memory, map_access (flags), size);
  tell_count (bytes_set, size);
  enqueue_submit (&e, blocking);
  result = ocl_next.clEnqueueSVMMap (queue, blocking, flags, memory, size, n, after, &e.event);
  return enqueue_end (&e, result, event);
}

static cl_int CL_API_CALL
enqueue_svm_unmap (cl_command_queue queue, void *memory, cl_uint n, const cl_event *after,
                   cl_event *event)
{
  ROUTINE ("clEnqueueSVMUnmap");
  OclEnqueue e;
  cl_int result;

  if (!enqueue_begin (&e, queue, &routine, n, after))
    return ocl_next.clEnqueueSVMUnmap (queue, memory, n, after, event);
  tell_svm (memory, WEFT_TARGET_ACCESS_UNKNOWN, WEFT_TARGET_UNKNOWN_SIZE);
  enqueue_submit (&e, CL_FALSE);
  result = ocl_next.clEnqueueSVMUnmap (queue, memory, n, after, &e.event);
  return enqueue_end (&e, result, event);
}

static cl_int CL_API_CALL
enqueue_svm_migrate (cl_command_queue queue, cl_uint n_memory, const void **memory,
                     const size_t *sizes, cl_mem_migration_flags flags, cl_uint n,
                     const cl_event *after, cl_event *event)
{
  ROUTINE ("clEnqueueSVMMigrateMem");
  OclEnqueue e;
  cl_int result;

  if (!enqueue_begin (&e, queue, &routine, n, after))
    return ocl_next.clEnqueueSVMMigrateMem (queue, n_memory, memory, sizes, flags, n, after, event);
  for (cl_uint i = 0; memory != NULL && i < n_memory; i++)
    tell_svm (memory[i], WEFT_TARGET_ACCESS_UNKNOWN,
              sizes != NULL ? sizes[i] : WEFT_TARGET_UNKNOWN_SIZE);
  enqueue_submit (&e, CL_FALSE);
  result =
      ocl_next.clEnqueueSVMMigrateMem (queue, n_memory, memory, sizes, flags, n, after, &e.event);
  return enqueue_end (&e, result, event);
}

/* The memory is known until it is queued to be freed: its address may be another's soon. */
static cl_int CL_API_CALL
enqueue_svm_free (cl_command_queue queue, cl_uint n_memory, void **memory,
                  void (CL_CALLBACK *function) (cl_command_queue, cl_uint, void **, void *),
                  void *data, cl_uint n, const cl_event *after, cl_event *event)
{
  ROUTINE ("clEnqueueSVMFree");
  OclEnqueue e;
  bool told = enqueue_begin (&e, queue, &routine, n, after);
  cl_int result;

  for (cl_uint i = 0; memory != NULL && i < n_memory; i++)
    {
      OclObject *object;

      if (told)
        tell_svm (memory[i], WEFT_TARGET_ACCESS_UNKNOWN, WEFT_TARGET_UNKNOWN_SIZE);
      object = ocl_object_release (OCL_SVM, memory[i]);
      if (object != NULL)
        ocl_object_unuse (object);
    }
  if (!told)
    return ocl_next.clEnqueueSVMFree (queue, n_memory, memory, function, data, n, after, event);
  enqueue_submit (&e, CL_FALSE);
  result = ocl_next.clEnqueueSVMFree (queue, n_memory, memory, function, data, n, after, &e.event);
  return enqueue_end (&e, result, event);
}

/* ---- Of OpenGL and EGL ---- */

static void
tell_shared (cl_uint n, const cl_mem *memory)
{
  for (cl_uint i = 0; memory != NULL && i < n; i++)
    tell_memory (memory[i], WEFT_TARGET_ACCESS_UNKNOWN, 0, WEFT_TARGET_UNKNOWN_SIZE);
}

#define SHARED(function, call)                                                                     \
  static cl_int CL_API_CALL function (cl_command_queue queue, cl_uint n_memory,                    \
                                      const cl_mem *memory, cl_uint n, const cl_event *after,      \
                                      cl_event *event)                                             \
  {                                                                                                \
    ROUTINE (#call);                                                                               \
    OclEnqueue e;                                                                                  \
    cl_int result;                                                                                 \
                                                                                                   \
    if (!enqueue_begin (&e, queue, &routine, n, after))                                            \
      return ocl_next.call (queue, n_memory, memory, n, after, event);                             \
    tell_shared (n_memory, memory);                                                                \
    enqueue_submit (&e, CL_FALSE);                                                                 \
    result = ocl_next.call (queue, n_memory, memory, n, after, &e.event);                          \
    return enqueue_end (&e, result, event);                                                        \
  }

SHARED (enqueue_acquire_gl, clEnqueueAcquireGLObjects)
SHARED (enqueue_release_gl, clEnqueueReleaseGLObjects)
SHARED (enqueue_acquire_egl, clEnqueueAcquireEGLObjectsKHR)
SHARED (enqueue_release_egl, clEnqueueReleaseEGLObjectsKHR)

/* ---- Command buffers ---- */

cl_int
ocl_enqueue_command_buffer (clEnqueueCommandBufferKHR_fn real, cl_uint n_queues,
                            cl_command_queue *queues, cl_command_buffer_khr buffer, cl_uint n,
                            const cl_event *after, cl_event *event)
{
  ROUTINE ("clEnqueueCommandBufferKHR");
  OclCommandBuffer *known =
      ocl_is_listening () ? ocl_object_find (OCL_COMMAND_BUFFER, buffer) : NULL;
  cl_command_queue queue = queues != NULL && n_queues > 0 ? queues[0] : NULL;
  OclEnqueue e;
  cl_int result;

  if (queue == NULL && known != NULL)
    queue = known->queue;
  if (known == NULL || !enqueue_begin (&e, queue, &routine, n, after))
    return real (n_queues, queues, buffer, n, after, event);
  tell_number ("kernels", known->n_kernels);
  if (known->kernels[0] != '\0')
    telling->dispatch.label = known->kernels;
  enqueue_submit (&e, CL_FALSE);
  result = real (n_queues, queues, buffer, n, after, &e.event);
  return enqueue_end (&e, result, event);
}

/* ---- Other extensions ---- */

cl_int
ocl_enqueue_semaphores (clEnqueueWaitSemaphoresKHR_fn real, WeftTargetRoutine *routine,
                        cl_command_queue queue, cl_uint n_semaphores,
                        const cl_semaphore_khr *semaphores,
                        const cl_semaphore_payload_khr *payloads, cl_uint n, const cl_event *after,
                        cl_event *event)
{
  OclEnqueue e;
  cl_int result;

  if (!enqueue_begin (&e, queue, routine, n, after))
    return real (queue, n_semaphores, semaphores, payloads, n, after, event);
  tell_number ("semaphores", n_semaphores);
  enqueue_submit (&e, CL_FALSE);
  result = real (queue, n_semaphores, semaphores, payloads, n, after, &e.event);
  return enqueue_end (&e, result, event);
}

cl_int
ocl_enqueue_external (clEnqueueAcquireExternalMemObjectsKHR_fn real, WeftTargetRoutine *routine,
                      cl_command_queue queue, cl_uint n_memory, const cl_mem *memory, cl_uint n,
                      const cl_event *after, cl_event *event)
{
  OclEnqueue e;
  cl_int result;

  if (!enqueue_begin (&e, queue, routine, n, after))
    return real (queue, n_memory, memory, n, after, event);
  tell_shared (n_memory, memory);
  enqueue_submit (&e, CL_FALSE);
  result = real (queue, n_memory, memory, n, after, &e.event);
  return enqueue_end (&e, result, event);
}

cl_int
ocl_enqueue_copy_intel (clEnqueueMemcpyINTEL_fn real, cl_command_queue queue, cl_bool blocking,
                        void *to, const void *from, size_t size, cl_uint n, const cl_event *after,
                        cl_event *event)
{
  ROUTINE ("clEnqueueMemcpyINTEL");
  OclEnqueue e;
  cl_int result;

  if (!enqueue_begin (&e, queue, &routine, n, after))
    return real (queue, blocking, to, from, size, n, after, event);
  tell_count (bytes_set, size);
  enqueue_submit (&e, blocking);
  result = real (queue, blocking, to, from, size, n, after, &e.event);
  return enqueue_end (&e, result, event);
}

cl_int
ocl_enqueue_fill_intel (clEnqueueMemFillINTEL_fn real, cl_command_queue queue, void *memory,
                        const void *pattern, size_t pattern_size, size_t size, cl_uint n,
                        const cl_event *after, cl_event *event)
{
  ROUTINE ("clEnqueueMemFillINTEL");
  OclEnqueue e;
  cl_int result;

  if (!enqueue_begin (&e, queue, &routine, n, after))
    return real (queue, memory, pattern, pattern_size, size, n, after, event);
  tell_count (bytes_set, size);
  enqueue_submit (&e, CL_FALSE);
  result = real (queue, memory, pattern, pattern_size, size, n, after, &e.event);
  return enqueue_end (&e, result, event);
}

cl_int
ocl_enqueue_migrate_intel (clEnqueueMigrateMemINTEL_fn real, cl_command_queue queue,
                           const void *memory, size_t size, cl_mem_migration_flags flags, cl_uint n,
                           const cl_event *after, cl_event *event)
{
  ROUTINE ("clEnqueueMigrateMemINTEL");
  OclEnqueue e;
  cl_int result;

  if (!enqueue_begin (&e, queue, &routine, n, after))
    return real (queue, memory, size, flags, n, after, event);
  tell_count (bytes_set, size);
  if (flags & CL_MIGRATE_MEM_OBJECT_HOST)
    tell_flag ("to_host");
  enqueue_submit (&e, CL_FALSE);
  result = real (queue, memory, size, flags, n, after, &e.event);
  return enqueue_end (&e, result, event);
}

void
ocl_enqueue_fill (OclTable *table)
{
  table->clEnqueueNDRangeKernel = enqueue_kernel;
  table->clEnqueueTask = enqueue_task;
  table->clEnqueueNativeKernel = enqueue_native;
  table->clEnqueueReadBuffer = enqueue_read;
  table->clEnqueueWriteBuffer = enqueue_write;
  table->clEnqueueReadBufferRect = enqueue_read_rectangle;
  table->clEnqueueWriteBufferRect = enqueue_write_rectangle;
  table->clEnqueueCopyBuffer = enqueue_copy;
  table->clEnqueueCopyBufferRect = enqueue_copy_rectangle;
  table->clEnqueueFillBuffer = enqueue_fill;
  table->clEnqueueReadImage = enqueue_read_image;
  table->clEnqueueWriteImage = enqueue_write_image;
  table->clEnqueueCopyImage = enqueue_copy_image;
  table->clEnqueueCopyImageToBuffer = enqueue_image_to_buffer;
  table->clEnqueueCopyBufferToImage = enqueue_buffer_to_image;
  table->clEnqueueFillImage = enqueue_fill_image;
  table->clEnqueueMapBuffer = enqueue_map_buffer;
  table->clEnqueueMapImage = enqueue_map_image;
  table->clEnqueueUnmapMemObject = enqueue_unmap;
  table->clEnqueueMigrateMemObjects = enqueue_migrate;
  table->clEnqueueMarkerWithWaitList = enqueue_marker;
  table->clEnqueueBarrierWithWaitList = enqueue_barrier;
  table->clEnqueueMarker = enqueue_old_marker;
  table->clEnqueueBarrier = enqueue_old_barrier;
  table->clEnqueueWaitForEvents = enqueue_old_wait;
  table->clEnqueueSVMMemcpy = enqueue_svm_copy;
  table->clEnqueueSVMMemFill = enqueue_svm_fill;
  table->clEnqueueSVMMap = enqueue_svm_map;
  table->clEnqueueSVMUnmap = enqueue_svm_unmap;
  table->clEnqueueSVMMigrateMem = enqueue_svm_migrate;
  table->clEnqueueSVMFree = enqueue_svm_free;
  table->clEnqueueAcquireGLObjects = enqueue_acquire_gl;
  table->clEnqueueReleaseGLObjects = enqueue_release_gl;
  table->clEnqueueAcquireEGLObjectsKHR = enqueue_acquire_egl;
  table->clEnqueueReleaseEGLObjectsKHR = enqueue_release_egl;
}
