/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernels: which routine they are, and what their arguments are. */

#include "weft-opencl-layer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ARGUMENTS 128u
#define N_VARIANTS 65536u

static pthread_mutex_t describe_lock = PTHREAD_MUTEX_INITIALIZER;

uint32_t ocl_argument_epoch;
uint32_t ocl_arguments_missed;

/* ---- Routines ---- */

/* Equal names in programs that differ are different routines: by the hash of what was built. */
static WeftTargetRoutine *
routine_of (const char *name, const OclProgram *program)
{
  WeftTargetRoutineInfo info = { .name = name };
  char digits[20];

  for (uint32_t i = 0; program != NULL && i < program->n_sources; i++)
    {
      const OclSource *source = program->sources[i];

      if (i == 0)
        {
          info.source = source->id;
          info.flavour = source->flavour;
        }
      for (uint32_t k = 0; k < source->n_functions; k++)
        if (strcmp (source->functions[k].name, name) == 0)
          {
            info.source = source->id;
            info.first_line = source->functions[k].first_line;
            info.last_line = source->functions[k].last_line;
          }
    }
  if (program != NULL && program->n_sources > 1)
    {
      snprintf (digits, sizeof digits, "%016llx", (unsigned long long) program->hash);
      info.flavour = digits;
    }
  return weft_target_routine_new_full (&info, sizeof info);
}

static void
make_room (OclKernel *kernel)
{
  cl_uint n = 0;

  ocl_next.clGetKernelInfo (kernel->object.handle, CL_KERNEL_NUM_ARGS, sizeof n, &n, NULL);
  kernel->n_arguments = n < MAX_ARGUMENTS ? n : MAX_ARGUMENTS;
  /* Room that is too small is left behind: a thread may still look at it. */
  if (kernel->n_arguments > kernel->room)
    {
      kernel->arguments = calloc (kernel->n_arguments, sizeof *kernel->arguments);
      kernel->room = kernel->arguments != NULL ? kernel->n_arguments : 0;
    }
  if (kernel->n_arguments > kernel->room)
    kernel->n_arguments = kernel->room;
  if (kernel->n_arguments > 0)
    memset (kernel->arguments, 0, kernel->n_arguments * sizeof *kernel->arguments);
  kernel->epoch = OCL_LOAD (&ocl_argument_epoch);
}

OclKernel *
ocl_kernel_add (cl_kernel handle, OclProgram *program)
{
  OclKernel *kernel = (OclKernel *) ocl_object_new (OCL_KERNEL, handle);
  char name[256] = "";

  if (kernel == NULL)
    return NULL;
  if (ocl_next.clGetKernelInfo (handle, CL_KERNEL_FUNCTION_NAME, sizeof name - 1, name, NULL) !=
      CL_SUCCESS)
    name[0] = '\0';
  kernel->routine = routine_of (name[0] != '\0' ? name : "kernel", program);
  ocl_code_tell (handle, kernel->routine, name);
  make_room (kernel);
  ocl_object_add (&kernel->object);
  return kernel;
}

static cl_kernel CL_API_CALL
clone_kernel (cl_kernel from, cl_int *error)
{
  cl_kernel handle = ocl_next.clCloneKernel (from, error);
  OclKernel *original = ocl_object_find (OCL_KERNEL, from);
  OclKernel *kernel = handle != NULL ? ocl_kernel_add (handle, NULL) : NULL;

  if (kernel == NULL || original == NULL)
    return handle;
  kernel->routine = original->routine;
  kernel->epoch = original->epoch;
  if (kernel->n_arguments == original->n_arguments && kernel->n_arguments > 0)
    memcpy (kernel->arguments, original->arguments,
            kernel->n_arguments * sizeof *kernel->arguments);
  kernel->described = original->described;
  return handle;
}

static cl_int CL_API_CALL
retain_kernel (cl_kernel handle)
{
  cl_int result = ocl_next.clRetainKernel (handle);

  if (result == CL_SUCCESS)
    ocl_object_retain (OCL_KERNEL, handle);
  return result;
}

static cl_int CL_API_CALL
release_kernel (cl_kernel handle)
{
  OclObject *object = ocl_object_release (OCL_KERNEL, handle);

  if (object != NULL)
    ocl_object_unuse (object);
  return ocl_next.clReleaseKernel (handle);
}

/* ---- Arguments ---- */

/* What was set while nobody listened is not known. */
static void
forget_missed (OclKernel *kernel)
{
  uint32_t epoch;

  if (OCL_LOAD (&ocl_arguments_missed) != 0 &&
      __atomic_exchange_n (&ocl_arguments_missed, 0, __ATOMIC_RELAXED) != 0)
    OCL_ADD (&ocl_argument_epoch, 1);
  epoch = OCL_LOAD (&ocl_argument_epoch);
  if (kernel->epoch == epoch)
    return;
  kernel->epoch = epoch;
  for (uint32_t i = 0; i < kernel->n_arguments; i++)
    kernel->arguments[i].kind = OCL_ARGUMENT_UNKNOWN;
}

/* A value as large as a handle may be one; a description, if there is one, says so. */
static void
keep_argument (OclArgument *argument, size_t size, const void *value)
{
  const void *handle;

  argument->size = (uint32_t) size;
  argument->memory = NULL;
  argument->kind = value == NULL ? OCL_ARGUMENT_LOCAL : OCL_ARGUMENT_VALUE;
  if (size != sizeof handle)
    return;
  if (value == NULL)
    {
      argument->kind = argument->is_pointer ? OCL_ARGUMENT_NOTHING : OCL_ARGUMENT_LOCAL;
      return;
    }
  memcpy (&handle, value, sizeof handle);
  if (handle == NULL && argument->is_pointer)
    argument->kind = OCL_ARGUMENT_NOTHING;
  argument->memory = ocl_object_find (OCL_MEMORY, handle);
  if (argument->memory != NULL)
    argument->kind = OCL_ARGUMENT_MEMORY;
}

static cl_int CL_API_CALL
set_argument (cl_kernel handle, cl_uint index, size_t size, const void *value)
{
  cl_int result = ocl_next.clSetKernelArg (handle, index, size, value);
  OclKernel *kernel;

  if (!ocl_is_listening ())
    {
      if (OCL_LOAD (&ocl_arguments_missed) == 0)
        OCL_STORE (&ocl_arguments_missed, 1);
      return result;
    }
  kernel = ocl_object_find (OCL_KERNEL, handle);
  if (result != CL_SUCCESS || kernel == NULL || index >= kernel->n_arguments)
    return result;
  forget_missed (kernel);
  keep_argument (&kernel->arguments[index], size, value);
  return result;
}

static cl_int CL_API_CALL
set_argument_svm (cl_kernel handle, cl_uint index, const void *value)
{
  cl_int result = ocl_next.clSetKernelArgSVMPointer (handle, index, value);
  OclKernel *kernel = ocl_is_listening () ? ocl_object_find (OCL_KERNEL, handle) : NULL;
  OclArgument *argument;

  if (result != CL_SUCCESS || kernel == NULL || index >= kernel->n_arguments)
    {
      if (kernel == NULL)
        OCL_STORE (&ocl_arguments_missed, 1);
      return result;
    }
  forget_missed (kernel);
  argument = &kernel->arguments[index];
  argument->kind = value != NULL ? OCL_ARGUMENT_SVM : OCL_ARGUMENT_NOTHING;
  argument->memory = ocl_object_find (OCL_SVM, value);
  return result;
}

/* ---- What is said of arguments ---- */

static const char *
argument_text (cl_kernel handle, cl_uint index, cl_kernel_arg_info what)
{
  char text[128] = "";

  if (ocl_next.clGetKernelArgInfo == NULL ||
      ocl_next.clGetKernelArgInfo (handle, index, what, sizeof text - 1, text, NULL) != CL_SUCCESS)
    return "";
  return ocl_intern (text);
}

static const char *
space_name (cl_kernel_arg_address_qualifier space)
{
  switch (space)
    {
    case CL_KERNEL_ARG_ADDRESS_GLOBAL:
      return "global";
    case CL_KERNEL_ARG_ADDRESS_LOCAL:
      return "local";
    case CL_KERNEL_ARG_ADDRESS_CONSTANT:
      return "constant";
    default:
      return "private";
    }
}

static uint8_t
access_of (cl_kernel handle, cl_uint index, cl_kernel_arg_address_qualifier space)
{
  cl_kernel_arg_access_qualifier access = CL_KERNEL_ARG_ACCESS_NONE;
  cl_kernel_arg_type_qualifier type = 0;

  ocl_next.clGetKernelArgInfo (handle, index, CL_KERNEL_ARG_ACCESS_QUALIFIER, sizeof access,
                               &access, NULL);
  ocl_next.clGetKernelArgInfo (handle, index, CL_KERNEL_ARG_TYPE_QUALIFIER, sizeof type, &type,
                               NULL);
  if (access == CL_KERNEL_ARG_ACCESS_READ_ONLY || type & CL_KERNEL_ARG_TYPE_CONST ||
      space == CL_KERNEL_ARG_ADDRESS_CONSTANT)
    return WEFT_TARGET_ACCESS_READ;
  if (access == CL_KERNEL_ARG_ACCESS_WRITE_ONLY)
    return WEFT_TARGET_ACCESS_WRITE;
  if (access == CL_KERNEL_ARG_ACCESS_READ_WRITE)
    return WEFT_TARGET_ACCESS_READ_WRITE;
  return WEFT_TARGET_ACCESS_UNKNOWN;
}

/* "global float*": what is not said of an argument is left out. */
static const char *
type_of (cl_kernel handle, cl_uint index, const char *space)
{
  const char *type = argument_text (handle, index, CL_KERNEL_ARG_TYPE_NAME);
  char text[160];

  if (type[0] == '\0' || strcmp (space, "private") == 0)
    return type;
  snprintf (text, sizeof text, "%s %s", space, type);
  return ocl_intern (text);
}

static void
describe_argument (OclArgument *argument, cl_kernel handle, cl_uint i)
{
  cl_kernel_arg_address_qualifier space = CL_KERNEL_ARG_ADDRESS_PRIVATE;

  if (ocl_next.clGetKernelArgInfo == NULL ||
      ocl_next.clGetKernelArgInfo (handle, i, CL_KERNEL_ARG_ADDRESS_QUALIFIER, sizeof space, &space,
                                   NULL) != CL_SUCCESS)
    return;
  argument->name = argument_text (handle, i, CL_KERNEL_ARG_NAME);
  argument->type = type_of (handle, i, space_name (space));
  argument->access = access_of (handle, i, space);
  argument->is_private = space == CL_KERNEL_ARG_ADDRESS_PRIVATE;
  argument->is_pointer =
      space == CL_KERNEL_ARG_ADDRESS_GLOBAL || space == CL_KERNEL_ARG_ADDRESS_CONSTANT;
}

/* Once, whichever thread runs the kernel first. */
static void
describe (OclKernel *kernel)
{
  if (__atomic_load_n (&kernel->described, __ATOMIC_ACQUIRE))
    return;
  pthread_mutex_lock (&describe_lock);
  for (cl_uint i = 0; !kernel->described && i < kernel->n_arguments; i++)
    describe_argument (&kernel->arguments[i], kernel->object.handle, i);
  __atomic_store_n (&kernel->described, true, __ATOMIC_RELEASE);
  pthread_mutex_unlock (&describe_lock);
}

/* A value that is as large as a handle, and by chance equal to one, is a value. */
static OclArgumentKind
kind_of (const OclArgument *argument)
{
  if (argument->kind == OCL_ARGUMENT_MEMORY && argument->is_private)
    return OCL_ARGUMENT_VALUE;
  if (argument->kind == OCL_ARGUMENT_LOCAL && argument->is_pointer)
    return OCL_ARGUMENT_NOTHING;
  return argument->kind;
}

static void
attach (WeftTargetAttachment *attachment, const OclArgument *argument, int32_t slot)
{
  memset (attachment, 0, sizeof *attachment);
  switch (kind_of (argument))
    {
    case OCL_ARGUMENT_MEMORY:
      ocl_memory_attach (attachment, argument->memory);
      break;
    case OCL_ARGUMENT_SVM:
      if (argument->memory != NULL)
        ocl_memory_attach (attachment, argument->memory);
      else
        *attachment = (WeftTargetAttachment){ .kind = "SVM",
                                              .label = "SVM",
                                              .size = WEFT_TARGET_UNKNOWN_SIZE };
      break;
    case OCL_ARGUMENT_LOCAL:
      *attachment = (WeftTargetAttachment){ .kind = "local memory",
                                            .label = "local memory",
                                            .size = argument->size };
      break;
    case OCL_ARGUMENT_NOTHING:
      *attachment = (WeftTargetAttachment){ .kind = "null", .label = "NULL" };
      break;
    default:
      *attachment = (WeftTargetAttachment){ .kind = "value",
                                            .label = argument->name,
                                            .size = argument->size };
      break;
    }
  attachment->slot = slot;
  attachment->access = (WeftTargetAccess) argument->access;
  if (argument->name != NULL && argument->name[0] != '\0')
    attachment->role = argument->name;
  if (attachment->element_type == NULL && argument->type != NULL && argument->type[0] != '\0')
    attachment->element_type = argument->type;
}

/* Memory first, for lists are cut at an end. */
size_t
ocl_kernel_attach (OclKernel *kernel, WeftTargetAttachment *attachments, size_t max)
{
  size_t n = 0;

  forget_missed (kernel);
  describe (kernel);
  for (int values = 0; values < 2; values++)
    for (uint32_t i = 0; i < kernel->n_arguments && n < max; i++)
      {
        const OclArgument *argument = &kernel->arguments[i];

        if (argument->kind != OCL_ARGUMENT_UNKNOWN &&
            (kind_of (argument) == OCL_ARGUMENT_VALUE) == (values == 1))
          attach (&attachments[n++], argument, (int32_t) i);
      }
  return n;
}

/* ---- Variants: many implementations compile a kernel once more for other local sizes ---- */

static uint64_t variants[N_VARIANTS]; /* atomic */

bool
ocl_kernel_is_new (OclKernel *kernel, OclDevice *device, cl_uint n_dimensions, const size_t *local)
{
  uint64_t hash = ocl_hash (OCL_HASH_START, &kernel->routine, sizeof kernel->routine);

  hash = ocl_hash (hash, &device, sizeof device);
  if (local != NULL)
    hash = ocl_hash (hash, local, n_dimensions * sizeof *local);
  hash |= 1;
  for (uint32_t i = 0; i < 32; i++)
    {
      uint64_t *at = &variants[(hash >> 8) % N_VARIANTS ^ i];
      uint64_t seen = OCL_LOAD (at);

      if (seen == 0 &&
          __atomic_compare_exchange_n (at, &seen, hash, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        return true;
      if (seen == hash)
        return false;
    }
  return false;
}

void
ocl_kernel_forget (void)
{
  pthread_mutex_init (&describe_lock, NULL);
}

void
ocl_kernel_fill (OclTable *table)
{
  table->clCloneKernel = clone_kernel;
  table->clRetainKernel = retain_kernel;
  table->clReleaseKernel = release_kernel;
  table->clSetKernelArg = set_argument;
  table->clSetKernelArgSVMPointer = set_argument_svm;
}
