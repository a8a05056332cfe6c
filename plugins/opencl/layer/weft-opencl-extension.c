/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Functions of extensions, which programs ask for by name and call past the loader. */

#include "weft-opencl-layer-private.h"

#include <string.h>

#define MAX_PLATFORMS 8u

typedef enum
{
  CREATE_QUEUE,
  CREATE_IL,
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

static void *
real_of (Function function, cl_device_id device)
{
  cl_platform_id platform = NULL;
  void *real = NULL;

  if (device != NULL)
    ocl_next.clGetDeviceInfo (device, CL_DEVICE_PLATFORM, sizeof platform, &platform, NULL);
  pthread_mutex_lock (&platforms_lock);
  for (uint32_t i = 0; i < n_platforms; i++)
    if (platforms[i].platform == platform || real == NULL)
      real = platforms[i].real[function];
  pthread_mutex_unlock (&platforms_lock);
  return real;
}

/* ---- Functions that make what is followed ---- */

static cl_command_queue CL_API_CALL
create_queue_khr (cl_context context, cl_device_id device,
                  const cl_queue_properties_khr *properties, cl_int *error)
{
  clCreateCommandQueueWithPropertiesKHR_fn real = real_of (CREATE_QUEUE, device);

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
  clCreateProgramWithILKHR_fn real = real_of (CREATE_IL, device_of (context));
  cl_program handle = real (context, il, length, error);

  ocl_program_add_il (handle, il, length);
  return handle;
}

/* ---- Asking for them ---- */

static const struct
{
  const char *name;
  void *ours;
} functions[N_FUNCTIONS] = {
  [CREATE_QUEUE] = { "clCreateCommandQueueWithPropertiesKHR", create_queue_khr },
  [CREATE_IL] = { "clCreateProgramWithILKHR", create_il_khr },
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

void
ocl_extension_fill (OclTable *table)
{
  table->clGetExtensionFunctionAddressForPlatform = get_address_for_platform;
  table->clGetExtensionFunctionAddress = get_address;
}
