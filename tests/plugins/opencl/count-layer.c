/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A layer of OpenCL that counts the calls that went well, for tests to compare with what was
 * recorded. The counts lie in the file that OPENCL_COUNT_FILE names, as slots of 48 bytes of name
 * and 8 bytes of count, mapped so that they outlive a crash.
 */
#include <CL/cl_layer.h>

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define EXPORT __attribute__ ((visibility ("default"))) CL_API_ENTRY

typedef struct
{
  char name[48];
  uint64_t count;
} Slot;

/* Name, parameters, arguments; all return an error code. */
#define CALLS(C)                                                                                   \
  C (EnqueueReadBuffer,                                                                            \
     (cl_command_queue q, cl_mem m, cl_bool b, size_t o, size_t s, void *p, cl_uint n,             \
      const cl_event *w, cl_event *e),                                                             \
     (q, m, b, o, s, p, n, w, e))                                                                  \
  C (EnqueueWriteBuffer,                                                                           \
     (cl_command_queue q, cl_mem m, cl_bool b, size_t o, size_t s, const void *p, cl_uint n,       \
      const cl_event *w, cl_event *e),                                                             \
     (q, m, b, o, s, p, n, w, e))                                                                  \
  C (EnqueueReadBufferRect,                                                                        \
     (cl_command_queue q, cl_mem m, cl_bool b, const size_t *o, const size_t *h, const size_t *r,  \
      size_t x, size_t y, size_t z, size_t v, void *p, cl_uint n, const cl_event *w, cl_event *e), \
     (q, m, b, o, h, r, x, y, z, v, p, n, w, e))                                                   \
  C (EnqueueWriteBufferRect,                                                                       \
     (cl_command_queue q, cl_mem m, cl_bool b, const size_t *o, const size_t *h, const size_t *r,  \
      size_t x, size_t y, size_t z, size_t v, const void *p, cl_uint n, const cl_event *w,         \
      cl_event *e),                                                                                \
     (q, m, b, o, h, r, x, y, z, v, p, n, w, e))                                                   \
  C (EnqueueFillBuffer,                                                                            \
     (cl_command_queue q, cl_mem m, const void *p, size_t t, size_t o, size_t s, cl_uint n,        \
      const cl_event *w, cl_event *e),                                                             \
     (q, m, p, t, o, s, n, w, e))                                                                  \
  C (EnqueueCopyBuffer,                                                                            \
     (cl_command_queue q, cl_mem m, cl_mem d, size_t o, size_t x, size_t s, cl_uint n,             \
      const cl_event *w, cl_event *e),                                                             \
     (q, m, d, o, x, s, n, w, e))                                                                  \
  C (EnqueueCopyBufferRect,                                                                        \
     (cl_command_queue q, cl_mem m, cl_mem d, const size_t *o, const size_t *h, const size_t *r,   \
      size_t x, size_t y, size_t z, size_t v, cl_uint n, const cl_event *w, cl_event *e),          \
     (q, m, d, o, h, r, x, y, z, v, n, w, e))                                                      \
  C (EnqueueReadImage,                                                                             \
     (cl_command_queue q, cl_mem m, cl_bool b, const size_t *o, const size_t *r, size_t x,         \
      size_t y, void *p, cl_uint n, const cl_event *w, cl_event *e),                               \
     (q, m, b, o, r, x, y, p, n, w, e))                                                            \
  C (EnqueueWriteImage,                                                                            \
     (cl_command_queue q, cl_mem m, cl_bool b, const size_t *o, const size_t *r, size_t x,         \
      size_t y, const void *p, cl_uint n, const cl_event *w, cl_event *e),                         \
     (q, m, b, o, r, x, y, p, n, w, e))                                                            \
  C (EnqueueFillImage,                                                                             \
     (cl_command_queue q, cl_mem m, const void *p, const size_t *o, const size_t *r, cl_uint n,    \
      const cl_event *w, cl_event *e),                                                             \
     (q, m, p, o, r, n, w, e))                                                                     \
  C (EnqueueCopyImage,                                                                             \
     (cl_command_queue q, cl_mem m, cl_mem d, const size_t *o, const size_t *h, const size_t *r,   \
      cl_uint n, const cl_event *w, cl_event *e),                                                  \
     (q, m, d, o, h, r, n, w, e))                                                                  \
  C (EnqueueCopyImageToBuffer,                                                                     \
     (cl_command_queue q, cl_mem m, cl_mem d, const size_t *o, const size_t *r, size_t x,          \
      cl_uint n, const cl_event *w, cl_event *e),                                                  \
     (q, m, d, o, r, x, n, w, e))                                                                  \
  C (EnqueueCopyBufferToImage,                                                                     \
     (cl_command_queue q, cl_mem m, cl_mem d, size_t x, const size_t *o, const size_t *r,          \
      cl_uint n, const cl_event *w, cl_event *e),                                                  \
     (q, m, d, x, o, r, n, w, e))                                                                  \
  C (EnqueueUnmapMemObject,                                                                        \
     (cl_command_queue q, cl_mem m, void *p, cl_uint n, const cl_event *w, cl_event *e),           \
     (q, m, p, n, w, e))                                                                           \
  C (EnqueueMigrateMemObjects,                                                                     \
     (cl_command_queue q, cl_uint c, const cl_mem *m, cl_mem_migration_flags f, cl_uint n,         \
      const cl_event *w, cl_event *e),                                                             \
     (q, c, m, f, n, w, e))                                                                        \
  C (EnqueueNDRangeKernel,                                                                         \
     (cl_command_queue q, cl_kernel k, cl_uint d, const size_t *o, const size_t *g,                \
      const size_t *l, cl_uint n, const cl_event *w, cl_event *e),                                 \
     (q, k, d, o, g, l, n, w, e))                                                                  \
  C (EnqueueTask, (cl_command_queue q, cl_kernel k, cl_uint n, const cl_event *w, cl_event *e),    \
     (q, k, n, w, e))                                                                              \
  C (EnqueueNativeKernel,                                                                          \
     (cl_command_queue q, void (CL_CALLBACK * f) (void *), void *a, size_t s, cl_uint c,           \
      const cl_mem *m, const void **l, cl_uint n, const cl_event *w, cl_event *e),                 \
     (q, f, a, s, c, m, l, n, w, e))                                                               \
  C (EnqueueMarker, (cl_command_queue q, cl_event * e), (q, e))                                    \
  C (EnqueueMarkerWithWaitList, (cl_command_queue q, cl_uint n, const cl_event *w, cl_event *e),   \
     (q, n, w, e))                                                                                 \
  C (EnqueueBarrier, (cl_command_queue q), (q))                                                    \
  C (EnqueueBarrierWithWaitList, (cl_command_queue q, cl_uint n, const cl_event *w, cl_event *e),  \
     (q, n, w, e))                                                                                 \
  C (EnqueueSVMMemcpy,                                                                             \
     (cl_command_queue q, cl_bool b, void *d, const void *p, size_t s, cl_uint n,                  \
      const cl_event *w, cl_event *e),                                                             \
     (q, b, d, p, s, n, w, e))                                                                     \
  C (EnqueueSVMMemFill,                                                                            \
     (cl_command_queue q, void *d, const void *p, size_t t, size_t s, cl_uint n,                   \
      const cl_event *w, cl_event *e),                                                             \
     (q, d, p, t, s, n, w, e))                                                                     \
  C (SetKernelArg, (cl_kernel k, cl_uint i, size_t s, const void *p), (k, i, s, p))                \
  C (BuildProgram,                                                                                 \
     (cl_program p, cl_uint n, const cl_device_id *d, const char *o,                               \
      void (CL_CALLBACK * f) (cl_program, void *), void *u),                                       \
     (p, n, d, o, f, u))                                                                           \
  C (WaitForEvents, (cl_uint n, const cl_event *e), (n, e))                                        \
  C (Finish, (cl_command_queue q), (q))

enum
{
#define ENUMERATE(name, parameters, arguments) COUNT_##name,
  CALLS (ENUMERATE) COUNT_EnqueueMapBuffer,
  COUNT_EnqueueMapImage,
  COUNT_CreateProgramWithSource,
  COUNT_CreateProgramWithBinary,
  COUNT_CreateCommandQueue,
  COUNT_work_items,
  N_COUNTS,
};

static const char *const names[N_COUNTS] = {
#define NAME(name, parameters, arguments) [COUNT_##name] = #name,
  CALLS (NAME)[COUNT_EnqueueMapBuffer] = "EnqueueMapBuffer",
  [COUNT_EnqueueMapImage] = "EnqueueMapImage",
  [COUNT_CreateProgramWithSource] = "CreateProgramWithSource",
  [COUNT_CreateProgramWithBinary] = "CreateProgramWithBinary",
  [COUNT_CreateCommandQueue] = "CreateCommandQueue",
  [COUNT_work_items] = "work_items",
};

static Slot nowhere[N_COUNTS], *slots = nowhere;
static const struct _cl_icd_dispatch *target;
static struct _cl_icd_dispatch mine;

static void
count (int which, uint64_t by)
{
  __atomic_fetch_add (&slots[which].count, by, __ATOMIC_RELAXED);
}

#define WRAP(name, parameters, arguments)                                                          \
  static cl_int CL_API_CALL count_##name parameters                                                \
  {                                                                                                \
    cl_int result = target->cl##name arguments;                                                    \
    if (result == CL_SUCCESS)                                                                      \
      count (COUNT_##name, 1);                                                                     \
    return result;                                                                                 \
  }
CALLS (WRAP)

/* Work items as well. */
static cl_int CL_API_CALL
count_kernel (cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *offset,
              const size_t *global, const size_t *local, cl_uint n_waits, const cl_event *waits,
              cl_event *event)
{
  cl_int result = count_EnqueueNDRangeKernel (queue, kernel, dimensions, offset, global, local,
                                              n_waits, waits, event);
  uint64_t items = 1;

  for (cl_uint i = 0; result == CL_SUCCESS && i < dimensions; i++)
    items *= global[i];
  if (result == CL_SUCCESS)
    count (COUNT_work_items, items);
  return result;
}

static void *CL_API_CALL
count_map_buffer (cl_command_queue queue, cl_mem buffer, cl_bool blocking, cl_map_flags flags,
                  size_t offset, size_t size, cl_uint n_waits, const cl_event *waits,
                  cl_event *event, cl_int *error)
{
  void *result = target->clEnqueueMapBuffer (queue, buffer, blocking, flags, offset, size, n_waits,
                                             waits, event, error);

  count (COUNT_EnqueueMapBuffer, result != NULL);
  return result;
}

static void *CL_API_CALL
count_map_image (cl_command_queue queue, cl_mem image, cl_bool blocking, cl_map_flags flags,
                 const size_t *origin, const size_t *region, size_t *row, size_t *slice,
                 cl_uint n_waits, const cl_event *waits, cl_event *event, cl_int *error)
{
  void *result = target->clEnqueueMapImage (queue, image, blocking, flags, origin, region, row,
                                            slice, n_waits, waits, event, error);

  count (COUNT_EnqueueMapImage, result != NULL);
  return result;
}

static cl_program CL_API_CALL
count_source (cl_context context, cl_uint n, const char **strings, const size_t *lengths,
              cl_int *error)
{
  cl_program result = target->clCreateProgramWithSource (context, n, strings, lengths, error);

  count (COUNT_CreateProgramWithSource, result != NULL);
  return result;
}

static cl_program CL_API_CALL
count_binary (cl_context context, cl_uint n, const cl_device_id *devices, const size_t *lengths,
              const unsigned char **binaries, cl_int *states, cl_int *error)
{
  cl_program result =
      target->clCreateProgramWithBinary (context, n, devices, lengths, binaries, states, error);

  count (COUNT_CreateProgramWithBinary, result != NULL);
  return result;
}

static cl_command_queue CL_API_CALL
count_queue (cl_context context, cl_device_id device, cl_command_queue_properties properties,
             cl_int *error)
{
  cl_command_queue result = target->clCreateCommandQueue (context, device, properties, error);

  count (COUNT_CreateCommandQueue, result != NULL);
  return result;
}

static cl_command_queue CL_API_CALL
count_queue_with_properties (cl_context context, cl_device_id device,
                             const cl_queue_properties *properties, cl_int *error)
{
  cl_command_queue result =
      target->clCreateCommandQueueWithProperties (context, device, properties, error);

  count (COUNT_CreateCommandQueue, result != NULL);
  return result;
}

EXPORT cl_int CL_API_CALL
clGetLayerInfo (cl_layer_info name, size_t size, void *value, size_t *needed)
{
  cl_layer_api_version version = CL_LAYER_API_VERSION_100;

  if (name != CL_LAYER_API_VERSION || (value != NULL && size < sizeof version))
    return CL_INVALID_VALUE;
  if (value != NULL)
    memcpy (value, &version, sizeof version);
  if (needed != NULL)
    *needed = sizeof version;
  return CL_SUCCESS;
}

static void
map_counts (void)
{
  const char *path = getenv ("OPENCL_COUNT_FILE");
  int file = path ? open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0666) : -1;
  void *mapped;

  if (file < 0 || ftruncate (file, sizeof nowhere) != 0)
    return;
  mapped = mmap (NULL, sizeof nowhere, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close (file);
  if (mapped != MAP_FAILED)
    slots = mapped;
  for (int i = 0; i < N_COUNTS; i++)
    strncpy (slots[i].name, names[i], sizeof slots[i].name - 1);
}

EXPORT cl_int CL_API_CALL
clInitLayer (cl_uint n_entries, const struct _cl_icd_dispatch *dispatch, cl_uint *n_mine,
             const struct _cl_icd_dispatch **layer)
{
  (void) n_entries;
  target = dispatch;
  map_counts ();
#define ENTER(name, parameters, arguments) mine.cl##name = count_##name;
  CALLS (ENTER)
  mine.clEnqueueNDRangeKernel = count_kernel;
  mine.clEnqueueMapBuffer = count_map_buffer;
  mine.clEnqueueMapImage = count_map_image;
  mine.clCreateProgramWithSource = count_source;
  mine.clCreateProgramWithBinary = count_binary;
  mine.clCreateCommandQueue = count_queue;
  mine.clCreateCommandQueueWithProperties = count_queue_with_properties;
  *n_mine = sizeof mine / sizeof (void *);
  *layer = &mine;
  return CL_SUCCESS;
}
