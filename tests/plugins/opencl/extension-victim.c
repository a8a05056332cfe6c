/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks for functions of extensions by name, calls each that there is, and prints what came of it.
 */

#include <CL/cl.h>
#include <CL/cl_ext.h>

#include <stdio.h>
#include <stdlib.h>

#define N_ITEMS 64

static cl_platform_id platform;
static cl_device_id device;
static cl_context context;
static cl_command_queue queue;
static cl_mem buffer;

static void *
function (const char *name)
{
  void *address = clGetExtensionFunctionAddressForPlatform (platform, name);

  printf ("%s: %s\n", name, address != NULL ? "there" : "not there");
  return address;
}

static void
use_semaphores (const char *name)
{
  clEnqueueWaitSemaphoresKHR_fn call = function (name);
  cl_semaphore_khr semaphore = NULL;
  cl_event event = NULL;

  if (call == NULL)
    return;
  printf ("%d\n", call (queue, 1, &semaphore, NULL, 0, NULL, &event));
  printf ("%d\n", clWaitForEvents (1, &event));
  printf ("%d\n", clReleaseEvent (event));
  printf ("refused: %d\n", call (queue, 0, NULL, NULL, 0, NULL, NULL));
}

static void
use_external (const char *name)
{
  clEnqueueAcquireExternalMemObjectsKHR_fn call = function (name);

  if (call != NULL)
    printf ("%d\n", call (queue, 1, &buffer, 0, NULL, NULL));
}

static void
use_shared_memory (void)
{
  clEnqueueMemFillINTEL_fn fill = function ("clEnqueueMemFillINTEL");
  clEnqueueMemcpyINTEL_fn copy = function ("clEnqueueMemcpyINTEL");
  clEnqueueMigrateMemINTEL_fn migrate = function ("clEnqueueMigrateMemINTEL");
  cl_uint *memory = clSVMAlloc (context, CL_MEM_READ_WRITE, sizeof (cl_uint) * N_ITEMS, 0);
  cl_uint value = 7, copied[N_ITEMS] = { 0 };

  if (fill == NULL || copy == NULL || migrate == NULL || memory == NULL)
    return;
  printf ("%d\n", fill (queue, memory, &value, sizeof value, sizeof copied, 0, NULL, NULL));
  printf ("%d\n", migrate (queue, memory, sizeof copied, 0, 0, NULL, NULL));
  printf ("%d\n", copy (queue, CL_TRUE, copied, memory, sizeof copied, 0, NULL, NULL));
  printf ("%u\n", copied[N_ITEMS - 1]);
  clSVMFree (context, memory);
}

static const char source[] = "__kernel void inc (__global uint *a) { a[get_global_id (0)]++; }";

static void
use_command_buffer (void)
{
  clCreateCommandBufferKHR_fn create = function ("clCreateCommandBufferKHR");
  clCommandNDRangeKernelKHR_fn command = function ("clCommandNDRangeKernelKHR");
  clFinalizeCommandBufferKHR_fn finalize = function ("clFinalizeCommandBufferKHR");
  clEnqueueCommandBufferKHR_fn enqueue = function ("clEnqueueCommandBufferKHR");
  clReleaseCommandBufferKHR_fn release = function ("clReleaseCommandBufferKHR");
  const char *text = source;
  const size_t n = N_ITEMS;
  cl_program program = clCreateProgramWithSource (context, 1, &text, NULL, NULL);
  cl_uint values[N_ITEMS];
  cl_command_buffer_khr commands;
  cl_kernel kernel;

  if (create == NULL || clBuildProgram (program, 1, &device, "", NULL, NULL) != CL_SUCCESS)
    return;
  kernel = clCreateKernel (program, "inc", NULL);
  clSetKernelArg (kernel, 0, sizeof buffer, &buffer);
  commands = create (1, &queue, NULL, NULL);
  for (int i = 0; i < 2; i++)
    printf ("%d\n", command (commands, NULL, NULL, kernel, 1, NULL, &n, NULL, 0, NULL, NULL, NULL));
  printf ("%d\n", finalize (commands));
  for (int i = 0; i < 3; i++)
    printf ("%d %d\n", enqueue (0, NULL, commands, 0, NULL, NULL), clFinish (queue));
  clEnqueueReadBuffer (queue, buffer, CL_TRUE, 0, sizeof values, values, 0, NULL, NULL);
  printf ("%u\n", values[N_ITEMS - 1]);
  printf ("%d\n", release (commands));
  clReleaseKernel (kernel);
  clReleaseProgram (program);
}

static void
queue_many (unsigned long n)
{
  cl_event gate = clCreateUserEvent (context, NULL);
  const cl_uint value = 3;
  unsigned long refused = 0;

  for (unsigned long i = 0; i < n; i++)
    refused += clEnqueueFillBuffer (queue, buffer, &value, sizeof value, 0, sizeof value, 1, &gate,
                                    NULL) != CL_SUCCESS;
  printf ("%lu refused, %d\n", refused, clSetUserEventStatus (gate, CL_COMPLETE));
  printf ("%d %d\n", clFinish (queue), clReleaseEvent (gate));
}

static void
use_all (void)
{
  use_semaphores ("clEnqueueWaitSemaphoresKHR");
  use_semaphores ("clEnqueueSignalSemaphoresKHR");
  use_external ("clEnqueueAcquireExternalMemObjectsKHR");
  use_external ("clEnqueueReleaseExternalMemObjectsKHR");
  use_shared_memory ();
  use_command_buffer ();
  printf ("%s\n", function ("clNoFunction") == NULL ? "none" : "one");
}

int
main (int argc, char **argv)
{
  cl_uint values[N_ITEMS] = { 0 };

  if (clGetPlatformIDs (1, &platform, NULL) != CL_SUCCESS ||
      clGetDeviceIDs (platform, CL_DEVICE_TYPE_ALL, 1, &device, NULL) != CL_SUCCESS)
    return 1;
  context = clCreateContext (NULL, 1, &device, NULL, NULL, NULL);
  queue = clCreateCommandQueueWithProperties (context, device, NULL, NULL);
  buffer = clCreateBuffer (context, CL_MEM_COPY_HOST_PTR, sizeof values, values, NULL);
  if (argc > 1)
    queue_many (strtoul (argv[1], NULL, 10));
  else
    use_all ();
  clReleaseMemObject (buffer);
  clReleaseCommandQueue (queue);
  clReleaseContext (context);
  return 0;
}
