/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Functions of extensions, which programs ask for by name and call past the loader. */

#include "weft-opencl-layer.h"

#include <string.h>

#define MAX_PLATFORMS 8u

typedef enum
{
  CREATE_QUEUE,
  CREATE_IL,
  CREATE_COMMAND_BUFFER,
  RETAIN_COMMAND_BUFFER,
  RELEASE_COMMAND_BUFFER,
  COMMAND_KERNEL,
  ENQUEUE_COMMAND_BUFFER,
  WAIT_SEMAPHORES,
  SIGNAL_SEMAPHORES,
  ACQUIRE_EXTERNAL,
  RELEASE_EXTERNAL,
  COPY_INTEL,
  FILL_INTEL,
  MIGRATE_INTEL,
  N_FUNCTIONS,
} Function;

typedef struct
{
  cl_platform_id platform;
  void *real[N_FUNCTIONS];
} Platform;

static Platform platforms[MAX_PLATFORMS];
static uint32_t n_platforms;
static pthread_mutex_t platforms_lock = PTHREAD_MUTEX_INITIALIZER;

/* Of the platform, or of any where that is not known: most programs use one. */
static void *
real_of (Function function, cl_platform_id platform)
{
  void *real = NULL;

  pthread_mutex_lock (&platforms_lock);
  for (uint32_t i = 0; i < n_platforms; i++)
    if (platforms[i].real[function] != NULL && (platforms[i].platform == platform || real == NULL))
      real = platforms[i].real[function];
  pthread_mutex_unlock (&platforms_lock);
  return real;
}

static cl_platform_id
platform_of_device (cl_device_id device)
{
  cl_platform_id platform = NULL;

  if (device != NULL)
    ocl_next.clGetDeviceInfo (device, CL_DEVICE_PLATFORM, sizeof platform, &platform, NULL);
  return platform;
}

static cl_platform_id
platform_of_queue (cl_command_queue handle)
{
  const OclQueue *queue = ocl_object_find (OCL_QUEUE, handle);

  return queue != NULL ? queue->device->platform : NULL;
}

static cl_platform_id
platform_of_buffer (cl_command_buffer_khr handle)
{
  const OclCommandBuffer *buffer = ocl_object_find (OCL_COMMAND_BUFFER, handle);

  return buffer != NULL ? platform_of_queue (buffer->queue) : NULL;
}

/* ---- Functions that make what is followed ---- */

static cl_command_queue CL_API_CALL
create_queue_khr (cl_context context, cl_device_id device,
                  const cl_queue_properties_khr *properties, cl_int *error)
{
  clCreateCommandQueueWithPropertiesKHR_fn real =
      real_of (CREATE_QUEUE, platform_of_device (device));

  return ocl_queue_create (real, context, device, properties, error);
}

static cl_device_id
device_of (cl_context context)
{
  cl_device_id devices[64];
  size_t size = 0;

  if (ocl_next.clGetContextInfo (context, CL_CONTEXT_DEVICES, sizeof devices, devices, &size) !=
          CL_SUCCESS ||
      size < sizeof devices[0])
    return NULL;
  return devices[0];
}

static cl_program CL_API_CALL
create_il_khr (cl_context context, const void *il, size_t length, cl_int *error)
{
  clCreateProgramWithILKHR_fn real = real_of (CREATE_IL, platform_of_device (device_of (context)));
  cl_program handle = real (context, il, length, error);

  ocl_program_add_il (handle, il, length);
  return handle;
}

/* ---- Command buffers: queued as one, told of as one ---- */

static cl_command_buffer_khr CL_API_CALL
create_command_buffer (cl_uint n_queues, const cl_command_queue *queues,
                       const cl_command_buffer_properties_khr *properties, cl_int *error)
{
  cl_command_queue queue = n_queues > 0 && queues != NULL ? queues[0] : NULL;
  clCreateCommandBufferKHR_fn real = real_of (CREATE_COMMAND_BUFFER, platform_of_queue (queue));
  cl_command_buffer_khr handle = real (n_queues, queues, properties, error);
  OclCommandBuffer *buffer =
      handle != NULL ? (OclCommandBuffer *) ocl_object_new (OCL_COMMAND_BUFFER, handle) : NULL;

  if (buffer == NULL)
    return handle;
  buffer->queue = queue;
  ocl_object_add (&buffer->object);
  return handle;
}

static cl_int CL_API_CALL
retain_command_buffer (cl_command_buffer_khr handle)
{
  clRetainCommandBufferKHR_fn real = real_of (RETAIN_COMMAND_BUFFER, platform_of_buffer (handle));
  cl_int result = real (handle);

  if (result == CL_SUCCESS)
    ocl_object_retain (OCL_COMMAND_BUFFER, handle);
  return result;
}

static cl_int CL_API_CALL
release_command_buffer (cl_command_buffer_khr handle)
{
  clReleaseCommandBufferKHR_fn real = real_of (RELEASE_COMMAND_BUFFER, platform_of_buffer (handle));
  OclObject *object = ocl_object_release (OCL_COMMAND_BUFFER, handle);

  if (object != NULL)
    ocl_object_unuse (object);
  return real (handle);
}

static void
add_kernel (OclCommandBuffer *buffer, const OclKernel *kernel)
{
  const char *name = kernel != NULL ? kernel->routine->name : "kernel";
  size_t length = strlen (buffer->kernels), more = strlen (name);

  buffer->n_kernels++;
  if (length + more + 3 > sizeof buffer->kernels)
    return;
  if (length > 0)
    {
      memcpy (buffer->kernels + length, ", ", 2);
      length += 2;
    }
  memcpy (buffer->kernels + length, name, more + 1);
}

static cl_int CL_API_CALL
command_kernel (cl_command_buffer_khr handle, cl_command_queue queue,
                const cl_ndrange_kernel_command_properties_khr *properties, cl_kernel kernel,
                cl_uint n_dimensions, const size_t *offset, const size_t *global,
                const size_t *local, cl_uint n, const cl_sync_point_khr *after,
                cl_sync_point_khr *point, cl_mutable_command_khr *command)
{
  clCommandNDRangeKernelKHR_fn real = real_of (COMMAND_KERNEL, platform_of_buffer (handle));
  OclCommandBuffer *buffer = ocl_object_find (OCL_COMMAND_BUFFER, handle);
  cl_int result = real (handle, queue, properties, kernel, n_dimensions, offset, global, local, n,
                        after, point, command);

  if (result == CL_SUCCESS && buffer != NULL)
    add_kernel (buffer, ocl_object_find (OCL_KERNEL, kernel));
  return result;
}

static cl_int CL_API_CALL
enqueue_command_buffer (cl_uint n_queues, cl_command_queue *queues, cl_command_buffer_khr buffer,
                        cl_uint n, const cl_event *after, cl_event *event)
{
  clEnqueueCommandBufferKHR_fn real = real_of (ENQUEUE_COMMAND_BUFFER, platform_of_buffer (buffer));

  return ocl_enqueue_command_buffer (real, n_queues, queues, buffer, n, after, event);
}

/* ---- Functions that queue ---- */

#define SEMAPHORES(function, number, call)                                                         \
  static cl_int CL_API_CALL function (                                                             \
      cl_command_queue queue, cl_uint n_semaphores, const cl_semaphore_khr *semaphores,            \
      const cl_semaphore_payload_khr *payloads, cl_uint n, const cl_event *after, cl_event *event) \
  {                                                                                                \
    static WeftTargetRoutine routine = WEFT_TARGET_ROUTINE (#call);                                \
                                                                                                   \
    return ocl_enqueue_semaphores (real_of (number, platform_of_queue (queue)), &routine, queue,   \
                                   n_semaphores, semaphores, payloads, n, after, event);           \
  }

#define EXTERNAL(function, number, call)                                                           \
  static cl_int CL_API_CALL function (cl_command_queue queue, cl_uint n_memory,                    \
                                      const cl_mem *memory, cl_uint n, const cl_event *after,      \
                                      cl_event *event)                                             \
  {                                                                                                \
    static WeftTargetRoutine routine = WEFT_TARGET_ROUTINE (#call);                                \
                                                                                                   \
    return ocl_enqueue_external (real_of (number, platform_of_queue (queue)), &routine, queue,     \
                                 n_memory, memory, n, after, event);                               \
  }

SEMAPHORES (wait_semaphores, WAIT_SEMAPHORES, clEnqueueWaitSemaphoresKHR)
SEMAPHORES (signal_semaphores, SIGNAL_SEMAPHORES, clEnqueueSignalSemaphoresKHR)
EXTERNAL (acquire_external, ACQUIRE_EXTERNAL, clEnqueueAcquireExternalMemObjectsKHR)
EXTERNAL (release_external, RELEASE_EXTERNAL, clEnqueueReleaseExternalMemObjectsKHR)

static cl_int CL_API_CALL
copy_intel (cl_command_queue queue, cl_bool blocking, void *to, const void *from, size_t size,
            cl_uint n, const cl_event *after, cl_event *event)
{
  return ocl_enqueue_copy_intel (real_of (COPY_INTEL, platform_of_queue (queue)), queue, blocking,
                                 to, from, size, n, after, event);
}

static cl_int CL_API_CALL
fill_intel (cl_command_queue queue, void *memory, const void *pattern, size_t pattern_size,
            size_t size, cl_uint n, const cl_event *after, cl_event *event)
{
  return ocl_enqueue_fill_intel (real_of (FILL_INTEL, platform_of_queue (queue)), queue, memory,
                                 pattern, pattern_size, size, n, after, event);
}

static cl_int CL_API_CALL
migrate_intel (cl_command_queue queue, const void *memory, size_t size,
               cl_mem_migration_flags flags, cl_uint n, const cl_event *after, cl_event *event)
{
  return ocl_enqueue_migrate_intel (real_of (MIGRATE_INTEL, platform_of_queue (queue)), queue,
                                    memory, size, flags, n, after, event);
}

/* ---- Asking for them ---- */

static const struct
{
  const char *name;
  void *ours;
} functions[N_FUNCTIONS] = {
  [CREATE_QUEUE] = { "clCreateCommandQueueWithPropertiesKHR", create_queue_khr },
  [CREATE_IL] = { "clCreateProgramWithILKHR", create_il_khr },
  [CREATE_COMMAND_BUFFER] = { "clCreateCommandBufferKHR", create_command_buffer },
  [RETAIN_COMMAND_BUFFER] = { "clRetainCommandBufferKHR", retain_command_buffer },
  [RELEASE_COMMAND_BUFFER] = { "clReleaseCommandBufferKHR", release_command_buffer },
  [COMMAND_KERNEL] = { "clCommandNDRangeKernelKHR", command_kernel },
  [ENQUEUE_COMMAND_BUFFER] = { "clEnqueueCommandBufferKHR", enqueue_command_buffer },
  [WAIT_SEMAPHORES] = { "clEnqueueWaitSemaphoresKHR", wait_semaphores },
  [SIGNAL_SEMAPHORES] = { "clEnqueueSignalSemaphoresKHR", signal_semaphores },
  [ACQUIRE_EXTERNAL] = { "clEnqueueAcquireExternalMemObjectsKHR", acquire_external },
  [RELEASE_EXTERNAL] = { "clEnqueueReleaseExternalMemObjectsKHR", release_external },
  [COPY_INTEL] = { "clEnqueueMemcpyINTEL", copy_intel },
  [FILL_INTEL] = { "clEnqueueMemFillINTEL", fill_intel },
  [MIGRATE_INTEL] = { "clEnqueueMigrateMemINTEL", migrate_intel },
};

/* Ours, once it is known what is behind it; what there is no room for stays the platform's. */
static void *
stand_before (cl_platform_id platform, const char *name, void *real)
{
  void *given = real;
  uint32_t function = 0, i = 0;

  while (function < N_FUNCTIONS && strcmp (functions[function].name, name) != 0)
    function++;
  if (function == N_FUNCTIONS || real == NULL)
    return real;
  pthread_mutex_lock (&platforms_lock);
  while (i < n_platforms && platforms[i].platform != platform)
    i++;
  if (i < MAX_PLATFORMS)
    {
      platforms[i].platform = platform;
      platforms[i].real[function] = real;
      n_platforms = i == n_platforms ? i + 1 : n_platforms;
      given = functions[function].ours;
    }
  pthread_mutex_unlock (&platforms_lock);
  return given;
}

static void *CL_API_CALL
get_address_for_platform (cl_platform_id platform, const char *name)
{
  void *real = ocl_next.clGetExtensionFunctionAddressForPlatform (platform, name);

  return name != NULL ? stand_before (platform, name, real) : real;
}

static void *CL_API_CALL
get_address (const char *name)
{
  void *real = ocl_next.clGetExtensionFunctionAddress (name);

  return name != NULL ? stand_before (NULL, name, real) : real;
}

/* The platforms' functions stay where they are. */
void
ocl_extension_forget (void)
{
  pthread_mutex_init (&platforms_lock, NULL);
}

void
ocl_extension_fill (OclTable *table)
{
  table->clGetExtensionFunctionAddressForPlatform = get_address_for_platform;
  table->clGetExtensionFunctionAddress = get_address;
}
