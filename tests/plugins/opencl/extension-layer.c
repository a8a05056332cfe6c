/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A layer that has extensions which no implementation here has: each is done by calls that there
 * are. */

#include <CL/cl_layer.h>
#include <CL/cl.h>
#include <CL/cl_ext.h>

#include <string.h>

static const struct _cl_icd_dispatch *next;
static struct _cl_icd_dispatch mine;

static cl_int CL_API_CALL
semaphores (cl_command_queue queue, cl_uint n_semaphores, const cl_semaphore_khr *given,
            const cl_semaphore_payload_khr *payloads, cl_uint n, const cl_event *after,
            cl_event *event)
{
  return n_semaphores == 0 ? CL_INVALID_VALUE
                           : next->clEnqueueMarkerWithWaitList (queue, n, after, event);
}

static cl_int CL_API_CALL
external (cl_command_queue queue, cl_uint n_memory, const cl_mem *memory, cl_uint n,
          const cl_event *after, cl_event *event)
{
  return next->clEnqueueMigrateMemObjects (queue, n_memory, memory, 0, n, after, event);
}

static cl_int CL_API_CALL
copy (cl_command_queue queue, cl_bool blocking, void *to, const void *from, size_t size, cl_uint n,
      const cl_event *after, cl_event *event)
{
  return next->clEnqueueSVMMemcpy (queue, blocking, to, from, size, n, after, event);
}

static cl_int CL_API_CALL
fill (cl_command_queue queue, void *memory, const void *pattern, size_t pattern_size, size_t size,
      cl_uint n, const cl_event *after, cl_event *event)
{
  return next->clEnqueueSVMMemFill (queue, memory, pattern, pattern_size, size, n, after, event);
}

static cl_int CL_API_CALL
migrate (cl_command_queue queue, const void *memory, size_t size, cl_mem_migration_flags flags,
         cl_uint n, const cl_event *after, cl_event *event)
{
  return next->clEnqueueMarkerWithWaitList (queue, n, after, event);
}

static const struct
{
  const char *name;
  void *function;
} functions[] = {
  { "clEnqueueWaitSemaphoresKHR", semaphores },
  { "clEnqueueSignalSemaphoresKHR", semaphores },
  { "clEnqueueAcquireExternalMemObjectsKHR", external },
  { "clEnqueueReleaseExternalMemObjectsKHR", external },
  { "clEnqueueMemcpyINTEL", copy },
  { "clEnqueueMemFillINTEL", fill },
  { "clEnqueueMigrateMemINTEL", migrate },
};

static void *CL_API_CALL
get_address (cl_platform_id platform, const char *name)
{
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
    if (strcmp (functions[i].name, name) == 0)
      return functions[i].function;
  return next->clGetExtensionFunctionAddressForPlatform (platform, name);
}

__attribute__ ((visibility ("default"))) CL_API_ENTRY cl_int CL_API_CALL
clGetLayerInfo (cl_layer_info name, size_t size, void *value, size_t *needed)
{
  const cl_layer_api_version version = CL_LAYER_API_VERSION_100;

  if (name != CL_LAYER_API_VERSION)
    return CL_INVALID_VALUE;
  if (value != NULL && size >= sizeof version)
    memcpy (value, &version, sizeof version);
  if (needed != NULL)
    *needed = sizeof version;
  return CL_SUCCESS;
}

__attribute__ ((visibility ("default"))) CL_API_ENTRY cl_int CL_API_CALL
clInitLayer (cl_uint n_entries, const struct _cl_icd_dispatch *dispatch, cl_uint *n_mine,
             const struct _cl_icd_dispatch **layer)
{
  next = dispatch;
  mine.clGetExtensionFunctionAddressForPlatform = get_address;
  *n_mine = sizeof mine / sizeof (void *);
  *layer = &mine;
  return CL_SUCCESS;
}
