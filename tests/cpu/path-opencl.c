/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Has kernels run and waits for each; says from when to when, by CLOCK_MONOTONIC.
 *
 *   path-opencl ROUNDS
 */
#include <CL/cl.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define N_ITEMS 4096

static const char source[] = "__kernel void churn (__global uint *values)\n"
                             "{\n"
                             "  uint x = get_global_id (0);\n"
                             "  for (uint i = 0; i < 2000; i++)\n"
                             "    x = x * 1664525u + 1013904223u ^ (x >> 7);\n"
                             "  values[get_global_id (0)] = x;\n"
                             "}\n";

static long long
get_time (void)
{
  struct timespec time;

  clock_gettime (CLOCK_MONOTONIC, &time);
  return time.tv_sec * INT64_C (1000000000) + time.tv_nsec;
}

static void
check (cl_int error, const char *what)
{
  if (error == CL_SUCCESS)
    return;
  printf ("%s failed: %d\n", what, error);
  exit (77);
}

static void
work (cl_command_queue queue, cl_kernel kernel, int n_rounds)
{
  const size_t n_items = N_ITEMS;

  for (int round = 0; round < n_rounds; round++)
    {
      check (clEnqueueNDRangeKernel (queue, kernel, 1, NULL, &n_items, NULL, 0, NULL, NULL),
             "enqueue");
      check (clFinish (queue), "finish");
    }
}

int
main (int argc, char **argv)
{
  const char *text = source;
  cl_platform_id platform;
  cl_device_id device;
  cl_context context;
  cl_program program;
  cl_command_queue queue;
  cl_kernel kernel;
  cl_mem buffer;
  cl_int error;
  long long begin;

  check (clGetPlatformIDs (1, &platform, NULL), "platform");
  check (clGetDeviceIDs (platform, CL_DEVICE_TYPE_ALL, 1, &device, NULL), "device");
  context = clCreateContext (NULL, 1, &device, NULL, NULL, &error);
  check (error, "context");
  program = clCreateProgramWithSource (context, 1, &text, NULL, &error);
  check (error, "program");
  check (clBuildProgram (program, 1, &device, NULL, NULL, NULL), "build");
  kernel = clCreateKernel (program, "churn", &error);
  check (error, "kernel");
  buffer = clCreateBuffer (context, CL_MEM_READ_WRITE, N_ITEMS * sizeof (cl_uint), NULL, &error);
  check (error, "buffer");
  check (clSetKernelArg (kernel, 0, sizeof buffer, &buffer), "argument");
  queue = clCreateCommandQueueWithProperties (context, device, NULL, &error);
  check (error, "queue");
  work (queue, kernel, 1); /* it is compiled for this size now */
  begin = get_time ();
  work (queue, kernel, argc > 1 ? atoi (argv[1]) : 10);
  printf ("%lld %lld\n", begin, get_time ());
  clReleaseCommandQueue (queue);
  clReleaseContext (context);
  return 0;
}
