/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernels that run on the processor: which functions of the process are their code. */

#include "weft-opencl-layer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_TOLD 4096u /* a power of two */
#define MAX_LOOKS 64u
#define MAX_DEVICES 16

/* What PoCL adds to the options of each build, for lines of kernels. */
#define EXTRA_FLAGS "POCL_EXTRA_BUILD_FLAGS"

static WeftTargetRoutine *told[N_TOLD]; /* atomic */

/* Once for each routine; of more than there is room for, nothing is told. */
static bool
is_new (WeftTargetRoutine *routine)
{
  uint32_t at = (uint32_t) ((uintptr_t) routine >> 4);

  for (uint32_t i = 0; i < MAX_LOOKS; i++)
    {
      WeftTargetRoutine *free_place = NULL;
      WeftTargetRoutine **place = &told[(at + i) % N_TOLD];

      if (OCL_LOAD (place) == routine)
        return false;
      if (OCL_LOAD (place) == NULL &&
          __atomic_compare_exchange_n (place, &free_place, routine, false, __ATOMIC_RELAXED,
                                       __ATOMIC_RELAXED))
        return true;
      if (free_place == routine)
        return false;
    }
  return false;
}

static bool
is_pocl (cl_device_id device)
{
  cl_platform_id platform = NULL;
  cl_device_type type = 0;
  char name[64] = "";

  return ocl_next.clGetDeviceInfo (device, CL_DEVICE_TYPE, sizeof type, &type, NULL) ==
             CL_SUCCESS &&
         (type & CL_DEVICE_TYPE_CPU) != 0 &&
         ocl_next.clGetDeviceInfo (device, CL_DEVICE_PLATFORM, sizeof platform, &platform, NULL) ==
             CL_SUCCESS &&
         ocl_next.clGetPlatformInfo (platform, CL_PLATFORM_NAME, sizeof name - 1, name, NULL) ==
             CL_SUCCESS &&
         strcmp (name, "Portable Computing Language") == 0;
}

static bool
runs_on_pocl (cl_kernel handle)
{
  cl_program program = NULL;
  cl_device_id devices[MAX_DEVICES];
  size_t size = 0;

  return ocl_next.clGetKernelInfo (handle, CL_KERNEL_PROGRAM, sizeof program, &program, NULL) ==
             CL_SUCCESS &&
         ocl_next.clGetProgramInfo (program, CL_PROGRAM_DEVICES, sizeof devices, devices, &size) ==
             CL_SUCCESS &&
         size >= sizeof devices[0] && is_pocl (devices[0]);
}

/* PoCL makes of a kernel a function for a whole work group, and names it so. */
void
ocl_code_tell (cl_kernel handle, WeftTargetRoutine *routine, const char *name)
{
  static const char *const endings[] = { "_workgroup", "_workgroup_fast", "" };
  WeftTargetTag tag = { .key = WEFT_TARGET_TAG_CODE, .type = WEFT_TARGET_VALUE_STRING };
  char function[300];

  if (!is_new (routine) || !runs_on_pocl (handle))
    return;
  for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
    {
      snprintf (function, sizeof function, "_pocl_kernel_%s%s", name, endings[i]);
      tag.value.string = function;
      weft_target_tag (WEFT_TARGET_OWNER_ROUTINE, weft_target_routine_get_id (routine), &tag);
    }
}

void
ocl_code_tag_lane (const WeftTargetLane *lane, cl_device_id device)
{
  WeftTargetTag tag = { .key = "extra_build_flags", .type = WEFT_TARGET_VALUE_STRING };

  tag.value.string = getenv (EXTRA_FLAGS);
  if (tag.value.string != NULL && *tag.value.string != '\0' && is_pocl (device))
    weft_target_tag (WEFT_TARGET_OWNER_LANE, weft_target_lane_get_id (lane), &tag);
}
