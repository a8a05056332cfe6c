/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What OpenCL's loader calls. */

#include "weft-opencl-layer.h"

#include <dlfcn.h>
#include <string.h>

#define EXPORT __attribute__ ((visibility ("default")))

OclTable ocl_next;

static OclTable layer;

EXPORT CL_API_ENTRY cl_int CL_API_CALL
clGetLayerInfo (cl_layer_info name, size_t size, void *value, size_t *needed)
{
  const cl_layer_api_version version = CL_LAYER_API_VERSION_100;

  if (name != CL_LAYER_API_VERSION || (value != NULL && size < sizeof version))
    return CL_INVALID_VALUE;
  if (value != NULL)
    memcpy (value, &version, sizeof version);
  if (needed != NULL)
    *needed = sizeof version;
  return CL_SUCCESS;
}

static void
forget (void)
{
  ocl_objects_forget ();
  ocl_clock_forget ();
  ocl_extension_forget ();
  ocl_kernel_forget ();
  ocl_program_forget ();
  ocl_queue_forget ();
}

/* A program may close the loader and then end: what is taken at exit still goes through it. */
static void
keep_loaded (void *function)
{
  Dl_info found;

  if (dladdr (function, &found) != 0 && found.dli_fname != NULL)
    dlopen (found.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}

/* Called once more by a loader that was closed and opened again.
 * An older loader has fewer entries, and asks for no others: those stay NULL. */
EXPORT CL_API_ENTRY cl_int CL_API_CALL
clInitLayer (cl_uint n_entries, const OclTable *target, cl_uint *n_entries_out,
             const OclTable **layer_out)
{
  static bool initialized;
  size_t n = sizeof ocl_next / sizeof (void *);

  if (target == NULL || n_entries_out == NULL || layer_out == NULL)
    return CL_INVALID_VALUE;
  memcpy (&ocl_next, target, (n_entries < n ? n_entries : n) * sizeof (void *));
  ocl_memory_fill (&layer);
  ocl_program_fill (&layer);
  ocl_kernel_fill (&layer);
  ocl_queue_fill (&layer);
  ocl_enqueue_fill (&layer);
  ocl_event_fill (&layer);
  ocl_extension_fill (&layer);
  if (!initialized)
    {
      pthread_atfork (NULL, NULL, forget);
      keep_loaded ((void *) ocl_next.clReleaseEvent);
      weft_target_start ();
      initialized = true;
    }
  *n_entries_out = (cl_uint) n;
  *layer_out = &layer;
  return CL_SUCCESS;
}

/* ---- Codes ---- */

#define NAME(code)                                                                                 \
  {                                                                                                \
    code, #code                                                                                    \
  }

static const struct
{
  cl_int code;
  const char *name;
} error_names[] = {
  NAME (CL_DEVICE_NOT_FOUND),
  NAME (CL_DEVICE_NOT_AVAILABLE),
  NAME (CL_COMPILER_NOT_AVAILABLE),
  NAME (CL_MEM_OBJECT_ALLOCATION_FAILURE),
  NAME (CL_OUT_OF_RESOURCES),
  NAME (CL_OUT_OF_HOST_MEMORY),
  NAME (CL_PROFILING_INFO_NOT_AVAILABLE),
  NAME (CL_MEM_COPY_OVERLAP),
  NAME (CL_IMAGE_FORMAT_MISMATCH),
  NAME (CL_IMAGE_FORMAT_NOT_SUPPORTED),
  NAME (CL_BUILD_PROGRAM_FAILURE),
  NAME (CL_MAP_FAILURE),
  NAME (CL_MISALIGNED_SUB_BUFFER_OFFSET),
  NAME (CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST),
  NAME (CL_COMPILE_PROGRAM_FAILURE),
  NAME (CL_LINKER_NOT_AVAILABLE),
  NAME (CL_LINK_PROGRAM_FAILURE),
  NAME (CL_DEVICE_PARTITION_FAILED),
  NAME (CL_KERNEL_ARG_INFO_NOT_AVAILABLE),
  NAME (CL_INVALID_VALUE),
  NAME (CL_INVALID_DEVICE_TYPE),
  NAME (CL_INVALID_PLATFORM),
  NAME (CL_INVALID_DEVICE),
  NAME (CL_INVALID_CONTEXT),
  NAME (CL_INVALID_QUEUE_PROPERTIES),
  NAME (CL_INVALID_COMMAND_QUEUE),
  NAME (CL_INVALID_HOST_PTR),
  NAME (CL_INVALID_MEM_OBJECT),
  NAME (CL_INVALID_IMAGE_FORMAT_DESCRIPTOR),
  NAME (CL_INVALID_IMAGE_SIZE),
  NAME (CL_INVALID_SAMPLER),
  NAME (CL_INVALID_BINARY),
  NAME (CL_INVALID_BUILD_OPTIONS),
  NAME (CL_INVALID_PROGRAM),
  NAME (CL_INVALID_PROGRAM_EXECUTABLE),
  NAME (CL_INVALID_KERNEL_NAME),
  NAME (CL_INVALID_KERNEL_DEFINITION),
  NAME (CL_INVALID_KERNEL),
  NAME (CL_INVALID_ARG_INDEX),
  NAME (CL_INVALID_ARG_VALUE),
  NAME (CL_INVALID_ARG_SIZE),
  NAME (CL_INVALID_KERNEL_ARGS),
  NAME (CL_INVALID_WORK_DIMENSION),
  NAME (CL_INVALID_WORK_GROUP_SIZE),
  NAME (CL_INVALID_WORK_ITEM_SIZE),
  NAME (CL_INVALID_GLOBAL_OFFSET),
  NAME (CL_INVALID_EVENT_WAIT_LIST),
  NAME (CL_INVALID_EVENT),
  NAME (CL_INVALID_OPERATION),
  NAME (CL_INVALID_GL_OBJECT),
  NAME (CL_INVALID_BUFFER_SIZE),
  NAME (CL_INVALID_MIP_LEVEL),
  NAME (CL_INVALID_GLOBAL_WORK_SIZE),
  NAME (CL_INVALID_PROPERTY),
  NAME (CL_INVALID_IMAGE_DESCRIPTOR),
  NAME (CL_INVALID_COMPILER_OPTIONS),
  NAME (CL_INVALID_LINKER_OPTIONS),
  NAME (CL_INVALID_DEVICE_PARTITION_COUNT),
  NAME (CL_INVALID_PIPE_SIZE),
  NAME (CL_INVALID_DEVICE_QUEUE),
};

const char *
ocl_error_name (cl_int code)
{
  for (size_t i = 0; i < sizeof error_names / sizeof error_names[0]; i++)
    if (error_names[i].code == code)
      return error_names[i].name;
  return "an error of the implementation's own";
}
