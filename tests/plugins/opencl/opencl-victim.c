/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Uses OpenCL in ways that a layer may break, and prints what it got: the same to the byte whether
 * or not somebody watches.
 *
 *   opencl-victim MODE [ROUNDS]
 */
#include <CL/cl.h>

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define N_THREADS 3
#define N_ITEMS 4096
#define HALF (N_ITEMS / 2)

static const char source[] =
    "#define STEP(x) ((x) * 1664525u + 1013904223u)\n"
    "\n"
    "__kernel void\n"
    "scramble (__global uint *values, const uint seed)\n"
    "{\n"
    "  size_t i = get_global_id (0);\n"
    "  values[i] = STEP (values[i] ^ seed);\n"
    "}\n"
    "\n"
    "__kernel void\n"
    "combine (__global uint *out, __global const uint *in, __constant uint *table,\n"
    "         __local uint *scratch)\n"
    "{\n"
    "  size_t i = get_global_id (0), l = get_local_id (0);\n"
    "  scratch[l] = in[i] + table[i % 4];\n"
    "  barrier (CLK_LOCAL_MEM_FENCE);\n"
    "  out[i] += scratch[(l + 1) % get_local_size (0)];\n"
    "}\n"
    "\n"
    "__kernel void\n"
    "churn (__global uint *values, const uint rounds)\n"
    "{\n"
    "  size_t i = get_global_id (0);\n"
    "  uint x = values[i];\n"
    "  for (uint r = 0; r < rounds; r++)\n"
    "    x = STEP (x) ^ (x >> 7);\n"
    "  values[i] = x;\n"
    "}\n";

static cl_platform_id platform;
static cl_device_id device;
static cl_context context;
static cl_program program;
static unsigned rounds = 4;

/* ---- Small things that all modes need ---- */

static void
check (cl_int error, const char *what)
{
  if (error == CL_SUCCESS)
    return;
  printf ("%s failed: %d\n", what, error);
  exit (3);
}

static unsigned
checksum (const cl_uint *values, size_t n)
{
  unsigned sum = 2166136261u;

  for (size_t i = 0; i < n; i++)
    sum = (sum ^ values[i]) * 16777619u;
  return sum;
}

static void
open_device (void)
{
  cl_int error = clGetPlatformIDs (1, &platform, NULL);

  if (error != CL_SUCCESS || clGetDeviceIDs (platform, CL_DEVICE_TYPE_ALL, 1, &device, NULL) != 0)
    {
      printf ("no device of OpenCL\n");
      exit (77);
    }
  context = clCreateContext (NULL, 1, &device, NULL, NULL, &error);
  check (error, "context");
}

static cl_program
build (const char *text, const char *options)
{
  cl_int error;
  cl_program built = clCreateProgramWithSource (context, 1, &text, NULL, &error);

  check (error, "program");
  check (clBuildProgram (built, 1, &device, options, NULL, NULL), "build");
  return built;
}

static cl_command_queue
new_queue (cl_command_queue_properties properties)
{
  cl_queue_properties list[] = { CL_QUEUE_PROPERTIES, properties, 0 };
  cl_int error;
  cl_command_queue queue =
      clCreateCommandQueueWithProperties (context, device, properties ? list : NULL, &error);

  check (error, "queue");
  return queue;
}

static cl_mem
new_buffer (size_t size, void *contents)
{
  cl_int error;
  cl_mem buffer = clCreateBuffer (
      context, CL_MEM_READ_WRITE | (contents ? CL_MEM_COPY_HOST_PTR : 0), size, contents, &error);

  check (error, "buffer");
  return buffer;
}

static cl_kernel
new_kernel (const char *name)
{
  cl_int error;
  cl_kernel kernel = clCreateKernel (program, name, &error);

  check (error, name);
  return kernel;
}

static void
fill_values (cl_uint *values, unsigned seed)
{
  for (unsigned i = 0; i < N_ITEMS; i++)
    values[i] = i * 2654435761u + seed;
}

static void
run (cl_command_queue queue, cl_kernel kernel, size_t n, size_t local, cl_uint n_waits,
     const cl_event *waits, cl_event *event)
{
  check (clEnqueueNDRangeKernel (queue, kernel, 1, NULL, &n, local ? &local : NULL, n_waits, waits,
                                 event),
         "kernel");
}

/* ---- Threads with queues of their own and one that they share ---- */

typedef struct
{
  unsigned number;
  cl_command_queue shared; /* out of order */
  unsigned sum;
} Worker;

/* Both halves of a buffer at once on the shared queue, put together behind both. */
static void
work_in_halves (Worker *worker, cl_mem values, cl_mem out, cl_mem table)
{
  cl_kernel scramble = new_kernel ("scramble"), combine = new_kernel ("combine");
  cl_buffer_region regions[2] = { { 0, HALF * 4 }, { HALF * 4, HALF * 4 } };
  cl_event halves[2], done;
  cl_uint seed = worker->number + 17;

  for (int i = 0; i < 2; i++)
    {
      cl_int error;
      cl_mem half = clCreateSubBuffer (values, CL_MEM_READ_WRITE, CL_BUFFER_CREATE_TYPE_REGION,
                                       &regions[i], &error);

      check (error, "sub-buffer");
      check (clSetKernelArg (scramble, 0, sizeof half, &half), "argument");
      check (clSetKernelArg (scramble, 1, sizeof seed, &seed), "argument");
      run (worker->shared, scramble, HALF, 0, 0, NULL, &halves[i]);
      clReleaseMemObject (half);
    }
  check (clSetKernelArg (combine, 0, sizeof out, &out), "argument");
  check (clSetKernelArg (combine, 1, sizeof values, &values), "argument");
  check (clSetKernelArg (combine, 2, sizeof table, &table), "argument");
  check (clSetKernelArg (combine, 3, 64 * sizeof (cl_uint), NULL), "argument");
  run (worker->shared, combine, N_ITEMS, 64, 2, halves, &done);
  check (clWaitForEvents (1, &done), "wait");
  for (int i = 0; i < 2; i++)
    clReleaseEvent (halves[i]);
  clReleaseEvent (done);
  clReleaseKernel (scramble);
  clReleaseKernel (combine);
}

static void *
work (void *data)
{
  Worker *worker = data;
  cl_uint values[N_ITEMS], table[4] = { 1, 2, 3, 5 };
  cl_command_queue own = new_queue (0);
  cl_mem in, out, constants = new_buffer (sizeof table, table);
  cl_kernel churn = new_kernel ("churn");
  cl_uint turns = 50 + worker->number;

  fill_values (values, worker->number);
  in = new_buffer (sizeof values, values);
  out = new_buffer (sizeof values, values);
  for (unsigned i = 0; i < rounds; i++)
    {
      work_in_halves (worker, in, out, constants);
      check (clSetKernelArg (churn, 0, sizeof out, &out), "argument");
      check (clSetKernelArg (churn, 1, sizeof turns, &turns), "argument");
      run (own, churn, N_ITEMS, 0, 0, NULL, NULL);
      check (clEnqueueReadBuffer (own, out, CL_TRUE, 0, sizeof values, values, 0, NULL, NULL),
             "read");
    }
  worker->sum = checksum (values, N_ITEMS);
  check (clFinish (own), "finish");
  clReleaseKernel (churn);
  clReleaseMemObject (in);
  clReleaseMemObject (out);
  clReleaseMemObject (constants);
  clReleaseCommandQueue (own);
  return NULL;
}

static void
mode_queues (void)
{
  Worker workers[N_THREADS];
  pthread_t threads[N_THREADS];
  cl_command_queue shared = new_queue (CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE);

  for (unsigned i = 0; i < N_THREADS; i++)
    {
      workers[i] = (Worker){ i, shared, 0 };
      pthread_create (&threads[i], NULL, work, &workers[i]);
    }
  for (unsigned i = 0; i < N_THREADS; i++)
    {
      pthread_join (threads[i], NULL);
      printf ("worker %u: %08x\n", i, workers[i].sum);
    }
  clReleaseCommandQueue (shared);
}

/* ---- User events, callbacks, profiling of the program's own ---- */

typedef struct
{
  pthread_mutex_t lock;
  pthread_cond_t changed;
  unsigned called;
  cl_int last;
} Calls;

static void CL_CALLBACK
was_done (cl_event event, cl_int status, void *data)
{
  Calls *calls = data;

  (void) event;
  pthread_mutex_lock (&calls->lock);
  calls->called++;
  calls->last = status;
  pthread_cond_signal (&calls->changed);
  pthread_mutex_unlock (&calls->lock);
}

static void *
open_gate (void *data)
{
  struct timespec pause = { 0, 2000000 };

  nanosleep (&pause, NULL);
  check (clSetUserEventStatus (data, CL_COMPLETE), "user event");
  return NULL;
}

static void
mode_events (void)
{
  Calls calls = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0 };
  cl_command_queue queue = new_queue (0);
  cl_kernel scramble = new_kernel ("scramble");
  cl_uint values[N_ITEMS], seed = 5;
  cl_mem buffer;

  fill_values (values, 1);
  buffer = new_buffer (sizeof values, values);
  check (clSetKernelArg (scramble, 0, sizeof buffer, &buffer), "argument");
  check (clSetKernelArg (scramble, 1, sizeof seed, &seed), "argument");
  for (unsigned i = 0; i < rounds; i++)
    {
      cl_int error;
      cl_event gate = clCreateUserEvent (context, &error), done;
      pthread_t opener;

      check (error, "user event");
      run (queue, scramble, N_ITEMS, 0, 1, &gate, &done);
      check (clSetEventCallback (done, CL_COMPLETE, was_done, &calls), "callback");
      pthread_create (&opener, NULL, open_gate, gate);
      check (clFlush (queue), "flush");
      check (clWaitForEvents (1, &done), "wait");
      pthread_join (opener, NULL);
      clReleaseEvent (gate);
      clReleaseEvent (done);
    }
  pthread_mutex_lock (&calls.lock);
  while (calls.called < rounds)
    pthread_cond_wait (&calls.changed, &calls.lock);
  pthread_mutex_unlock (&calls.lock);
  check (clEnqueueReadBuffer (queue, buffer, CL_TRUE, 0, sizeof values, values, 0, NULL, NULL),
         "read");
  printf ("values %08x, callbacks %u, last status %d\n", checksum (values, N_ITEMS), calls.called,
          calls.last);
  clReleaseMemObject (buffer);
  clReleaseKernel (scramble);
  clReleaseCommandQueue (queue);
}

/* A command that depends on one that failed fails, too. */
static void
mode_failed_event (void)
{
  cl_command_queue queue = new_queue (CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE);
  cl_uint values[N_ITEMS] = { 0 }, seed = 5;
  cl_mem buffer = new_buffer (sizeof values, values);
  cl_kernel scramble = new_kernel ("scramble");
  cl_int error, status;
  cl_event gate = clCreateUserEvent (context, &error), done;

  check (error, "user event");
  check (clSetKernelArg (scramble, 0, sizeof buffer, &buffer), "argument");
  check (clSetKernelArg (scramble, 1, sizeof seed, &seed), "argument");
  run (queue, scramble, N_ITEMS, 0, 1, &gate, &done);
  check (clFlush (queue), "flush");
  check (clSetUserEventStatus (gate, -42), "user event");
  printf ("wait for what failed: %d\n", clWaitForEvents (1, &done));
  check (clGetEventInfo (done, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status, NULL),
         "status");
  printf ("its status is %s\n", status < 0 ? "an error" : "no error");
  clReleaseEvent (gate);
  clReleaseEvent (done);
  clReleaseMemObject (buffer);
  clReleaseKernel (scramble);
  clReleaseCommandQueue (queue);
}

static void
print_profiling (const char *name, cl_command_queue queue, cl_kernel kernel)
{
  cl_command_queue_properties properties;
  cl_ulong times[4] = { 0 };
  cl_int errors[4];
  cl_event event;
  bool sorted = true;

  check (clGetCommandQueueInfo (queue, CL_QUEUE_PROPERTIES, sizeof properties, &properties, NULL),
         "queue");
  run (queue, kernel, N_ITEMS, 0, 0, NULL, &event);
  check (clWaitForEvents (1, &event), "wait");
  for (int i = 0; i < 4; i++)
    {
      errors[i] = clGetEventProfilingInfo (event, CL_PROFILING_COMMAND_QUEUED + i, sizeof times[i],
                                           &times[i], NULL);
      sorted = sorted && (i == 0 || times[i - 1] <= times[i]);
    }
  clReleaseEvent (event);
  printf ("%s: properties %lx, profiling %d %d %d %d, %s\n", name, (unsigned long) properties,
          errors[0], errors[1], errors[2], errors[3], sorted ? "sorted" : "not sorted");
}

/* A program that did not ask for profiling must not see that somebody else did. */
static void
mode_profiling (void)
{
  cl_command_queue with = new_queue (CL_QUEUE_PROFILING_ENABLE), without = new_queue (0);
  cl_uint values[N_ITEMS] = { 0 }, turns = 100;
  cl_mem buffer = new_buffer (sizeof values, values);
  cl_kernel churn = new_kernel ("churn");
  cl_queue_properties list[8];
  size_t size = 0;
  cl_int error;

  check (clSetKernelArg (churn, 0, sizeof buffer, &buffer), "argument");
  check (clSetKernelArg (churn, 1, sizeof turns, &turns), "argument");
  print_profiling ("asked for", with, churn);
  print_profiling ("not asked for", without, churn);
  error = clGetCommandQueueInfo (without, CL_QUEUE_PROPERTIES_ARRAY, sizeof list, list, &size);
  printf ("array of properties: %d, %zu bytes\n", error, error ? 0 : size);
  error = clGetCommandQueueInfo (with, CL_QUEUE_PROPERTIES_ARRAY, sizeof list, list, &size);
  printf ("array of properties: %d, %zu bytes\n", error, error ? 0 : size);
  clReleaseMemObject (buffer);
  clReleaseKernel (churn);
  clReleaseCommandQueue (with);
  clReleaseCommandQueue (without);
}

/* ---- Everything that moves memory ---- */

static void
move_rectangles (cl_command_queue queue, cl_mem from, cl_mem to, cl_uint *values)
{
  size_t zero[3] = { 0 }, there[3] = { 64, 4, 0 }, size[3] = { 128, 8, 1 };

  check (clEnqueueWriteBufferRect (queue, from, CL_FALSE, zero, zero, size, 256, 0, 256, 0, values,
                                   0, NULL, NULL),
         "write rectangle");
  check (
      clEnqueueCopyBufferRect (queue, from, to, zero, there, size, 256, 0, 256, 0, 0, NULL, NULL),
      "copy rectangle");
  check (clEnqueueReadBufferRect (queue, to, CL_TRUE, there, zero, size, 256, 0, 256, 0, values, 0,
                                  NULL, NULL),
         "read rectangle");
}

static void
move_images (cl_command_queue queue, cl_mem buffer)
{
  cl_image_format format = { CL_RGBA, CL_UNSIGNED_INT8 };
  cl_image_desc shape = { .image_type = CL_MEM_OBJECT_IMAGE2D,
                          .image_width = 32,
                          .image_height = 16 };
  size_t zero[3] = { 0 }, all[3] = { 32, 16, 1 }, row;
  cl_uint color[4] = { 1, 2, 3, 4 }, pixels[512];
  cl_int errors[2];
  cl_mem images[2];
  void *mapped;

  for (int i = 0; i < 2; i++)
    images[i] = clCreateImage (context, CL_MEM_READ_WRITE, &format, &shape, NULL, &errors[i]);
  if (errors[0] != CL_SUCCESS || errors[1] != CL_SUCCESS)
    {
      printf ("no images: %d\n", errors[0]);
      return;
    }
  check (clEnqueueFillImage (queue, images[0], color, zero, all, 0, NULL, NULL), "fill image");
  check (clEnqueueCopyImage (queue, images[0], images[1], zero, zero, all, 0, NULL, NULL),
         "copy image");
  check (clEnqueueReadImage (queue, images[1], CL_TRUE, zero, all, 0, 0, pixels, 0, NULL, NULL),
         "read image");
  check (clEnqueueWriteImage (queue, images[0], CL_FALSE, zero, all, 0, 0, pixels, 0, NULL, NULL),
         "write image");
  check (clEnqueueCopyImageToBuffer (queue, images[0], buffer, zero, all, 0, 0, NULL, NULL),
         "image to buffer");
  check (clEnqueueCopyBufferToImage (queue, buffer, images[1], 0, zero, all, 0, NULL, NULL),
         "buffer to image");
  mapped = clEnqueueMapImage (queue, images[1], CL_TRUE, CL_MAP_READ, zero, all, &row, NULL, 0,
                              NULL, NULL, &errors[0]);
  check (errors[0], "map image");
  check (clEnqueueUnmapMemObject (queue, images[1], mapped, 0, NULL, NULL), "unmap");
  check (clFinish (queue), "finish");
  printf ("image %08x\n", checksum (pixels, 512));
  clReleaseMemObject (images[0]);
  clReleaseMemObject (images[1]);
}

static void
move_shared_memory (cl_command_queue queue)
{
  cl_uint *memory = clSVMAlloc (context, CL_MEM_READ_WRITE, 2 * N_ITEMS * sizeof *memory, 0),
          seven = 7;

  if (memory == NULL)
    {
      printf ("no shared memory\n");
      return;
    }
  check (clEnqueueSVMMemFill (queue, memory, &seven, sizeof seven, N_ITEMS * sizeof *memory, 0,
                              NULL, NULL),
         "fill shared memory");
  check (clEnqueueSVMMemcpy (queue, CL_TRUE, memory + N_ITEMS, memory, N_ITEMS * sizeof *memory, 0,
                             NULL, NULL),
         "copy shared memory");
  printf ("shared %08x\n", checksum (memory + N_ITEMS, N_ITEMS));
  clSVMFree (context, memory);
}

static void
mode_transfers (void)
{
  cl_command_queue queue = new_queue (0);
  cl_uint values[N_ITEMS], pattern = 0x01020304, *mapped;
  cl_mem first, second;
  cl_event marker, barrier;
  cl_int error;

  fill_values (values, 9);
  first = new_buffer (sizeof values, NULL);
  second = new_buffer (sizeof values, NULL);
  check (clEnqueueFillBuffer (queue, second, &pattern, sizeof pattern, 0, sizeof values, 0, NULL,
                              NULL),
         "fill");
  for (unsigned i = 0; i < rounds; i++)
    {
      check (clEnqueueWriteBuffer (queue, first, CL_FALSE, 0, sizeof values, values, 0, NULL, NULL),
             "write");
      check (clEnqueueCopyBuffer (queue, first, second, 0, 0, HALF * 4, 0, NULL, NULL), "copy");
      mapped = clEnqueueMapBuffer (queue, second, CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, 0,
                                   sizeof values, 0, NULL, NULL, &error);
      check (error, "map");
      mapped[i] ^= 0xffff;
      check (clEnqueueUnmapMemObject (queue, second, mapped, 0, NULL, NULL), "unmap");
      check (clEnqueueReadBuffer (queue, second, CL_TRUE, 0, sizeof values, values, 0, NULL, NULL),
             "read");
    }
  move_rectangles (queue, first, second, values);
  check (clEnqueueMarkerWithWaitList (queue, 0, NULL, &marker), "marker");
  check (clEnqueueBarrierWithWaitList (queue, 1, &marker, &barrier), "barrier");
  check (clEnqueueMigrateMemObjects (queue, 1, &first, 0, 1, &barrier, NULL), "migrate");
  check (clFinish (queue), "finish");
  printf ("values %08x\n", checksum (values, N_ITEMS));
  move_images (queue, first);
  move_shared_memory (queue);
  clReleaseEvent (marker);
  clReleaseEvent (barrier);
  clReleaseMemObject (first);
  clReleaseMemObject (second);
  clReleaseCommandQueue (queue);
}

/* ---- Native kernels, and everything released before it ran ---- */

static void CL_CALLBACK
native (void *data)
{
  cl_uint **memory = data;

  for (unsigned i = 0; i < N_ITEMS; i++)
    (*memory)[i] += i;
}

static void
mode_native (void)
{
  cl_command_queue queue = new_queue (0);
  cl_uint values[N_ITEMS];
  void *arguments = NULL;
  const void *place = &arguments;
  cl_mem buffer;
  cl_int error = CL_SUCCESS;

  fill_values (values, 3);
  buffer = new_buffer (sizeof values, values);
  for (unsigned i = 0; i < rounds && error == CL_SUCCESS; i++)
    error = clEnqueueNativeKernel (queue, native, &arguments, sizeof arguments, 1, &buffer, &place,
                                   0, NULL, NULL);
  printf ("native kernels: %d\n", error);
  check (clEnqueueReadBuffer (queue, buffer, CL_TRUE, 0, sizeof values, values, 0, NULL, NULL),
         "read");
  printf ("values %08x\n", checksum (values, N_ITEMS));
  clReleaseMemObject (buffer);
  clReleaseCommandQueue (queue);
}

static void
mode_release (void)
{
  cl_uint values[N_ITEMS];

  fill_values (values, 21);
  for (unsigned i = 0; i < rounds; i++)
    {
      cl_command_queue queue = new_queue (0);
      cl_program own = build (source, "");
      cl_uint turns = 1000;
      cl_mem buffer = new_buffer (sizeof values, values);
      cl_int error;
      cl_kernel churn = clCreateKernel (own, "churn", &error);
      cl_event ran, event;

      check (error, "kernel");
      clReleaseProgram (own);
      check (clSetKernelArg (churn, 0, sizeof buffer, &buffer), "argument");
      check (clSetKernelArg (churn, 1, sizeof turns, &turns), "argument");
      run (queue, churn, N_ITEMS, 0, 0, NULL, &ran);
      clReleaseEvent (ran);
      clReleaseKernel (churn);
      check (
          clEnqueueReadBuffer (queue, buffer, CL_FALSE, 0, sizeof values, values, 0, NULL, &event),
          "read");
      clReleaseMemObject (buffer);
      clReleaseCommandQueue (queue);
      check (clWaitForEvents (1, &event), "wait");
      clReleaseEvent (event);
    }
  printf ("values %08x\n", checksum (values, N_ITEMS));
}

/* ---- What goes wrong ---- */

static void
mode_failures (void)
{
  const char *wrong = "__kernel void broken (__global int *x)\n{\n  x[0] = undeclared;\n}\n";
  cl_command_queue queue = new_queue (0);
  size_t n = N_ITEMS, odd = 0, size = 0;
  cl_kernel scramble = new_kernel ("scramble");
  cl_int error;
  cl_program failing = clCreateProgramWithSource (context, 1, &wrong, NULL, &error);

  check (error, "program");
  printf ("build: %d\n", clBuildProgram (failing, 1, &device, "-DSOME=1", NULL, NULL));
  error = clGetProgramBuildInfo (failing, device, CL_PROGRAM_BUILD_LOG, 0, NULL, &size);
  printf ("log: %d, %s\n", error, size > 1 ? "not empty" : "empty");
  clCreateKernel (failing, "broken", &error);
  printf ("kernel of it: %d\n", error);
  clCreateKernel (program, "no_such_kernel", &error);
  printf ("kernel that is not there: %d\n", error);
  printf ("no arguments: %d\n",
          clEnqueueNDRangeKernel (queue, scramble, 1, NULL, &n, NULL, 0, NULL, NULL));
  printf ("no dimensions: %d\n",
          clEnqueueNDRangeKernel (queue, scramble, 0, NULL, &n, NULL, 0, NULL, NULL));
  printf ("argument out of range: %d\n", clSetKernelArg (scramble, 9, sizeof odd, &odd));
  printf ("no queue: %d\n", clFinish (NULL));
  printf ("no events: %d\n", clWaitForEvents (0, NULL));
  printf ("no buffer: %d\n", clEnqueueReadBuffer (queue, NULL, CL_TRUE, 0, 4, &odd, 0, NULL, NULL));
  clReleaseProgram (failing);
  clReleaseKernel (scramble);
  clReleaseCommandQueue (queue);
}

/* The program as the device's own code, without its text. */
static void
mode_binary (void)
{
  cl_command_queue queue = new_queue (0);
  cl_uint values[N_ITEMS], turns = 30;
  cl_mem buffer;
  size_t size = 0;
  unsigned char *binary;
  cl_program loaded;
  cl_kernel churn;
  cl_int state, error;

  check (clGetProgramInfo (program, CL_PROGRAM_BINARY_SIZES, sizeof size, &size, NULL), "size");
  binary = malloc (size);
  check (clGetProgramInfo (program, CL_PROGRAM_BINARIES, sizeof binary, &binary, NULL), "binary");
  loaded = clCreateProgramWithBinary (context, 1, &device, &size, (const unsigned char **) &binary,
                                      &state, &error);
  check (error, "program of a binary");
  check (clBuildProgram (loaded, 1, &device, NULL, NULL, NULL), "build");
  churn = clCreateKernel (loaded, "churn", &error);
  check (error, "kernel");
  fill_values (values, 2);
  buffer = new_buffer (sizeof values, values);
  check (clSetKernelArg (churn, 0, sizeof buffer, &buffer), "argument");
  check (clSetKernelArg (churn, 1, sizeof turns, &turns), "argument");
  for (unsigned i = 0; i < rounds; i++)
    run (queue, churn, N_ITEMS, 0, 0, NULL, NULL);
  check (clEnqueueReadBuffer (queue, buffer, CL_TRUE, 0, sizeof values, values, 0, NULL, NULL),
         "read");
  printf ("values %08x\n", checksum (values, N_ITEMS));
  free (binary);
  clReleaseMemObject (buffer);
  clReleaseKernel (churn);
  clReleaseProgram (loaded);
  clReleaseCommandQueue (queue);
}

/* ---- Ends that nobody prepared for ---- */

/* Work that is still under way when the caller goes on. */
static void
leave_work_behind (void)
{
  cl_command_queue queue = new_queue (0);
  cl_uint values[N_ITEMS], turns = 20000;
  cl_mem buffer;
  cl_kernel churn = new_kernel ("churn");

  fill_values (values, 8);
  buffer = new_buffer (sizeof values, values);
  check (clSetKernelArg (churn, 0, sizeof buffer, &buffer), "argument");
  check (clSetKernelArg (churn, 1, sizeof turns, &turns), "argument");
  for (unsigned i = 0; i < rounds; i++)
    run (queue, churn, N_ITEMS, 0, 0, NULL, NULL);
  check (clFlush (queue), "flush");
  printf ("left %u behind\n", rounds);
  fflush (stdout);
}

/* Done work, then an end without a single release. */
static void
mode_exit (void)
{
  mode_release ();
  new_queue (0);
  printf ("bye\n");
  exit (5);
}

static void
mode_leave (void)
{
  leave_work_behind ();
  _exit (6);
}

static void
mode_crash (void)
{
  volatile int *nowhere = mmap (NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  mode_release ();
  fflush (stdout);
  *nowhere = 1;
}

static void
mode_abort (void)
{
  leave_work_behind ();
  abort ();
}

/* A child that uses nothing of it ends by itself; the parent goes on. */
static void
mode_fork (void)
{
  pid_t child;
  int status;

  mode_release ();
  fflush (stdout);
  child = fork ();
  if (child == 0)
    _exit (9);
  waitpid (child, &status, 0);
  printf ("the child ended with %d\n", WEXITSTATUS (status));
  mode_release ();
}

/* ---- What it costs, and what takes time ---- */

static double
seconds (void)
{
  struct timespec now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec + now.tv_nsec * 1e-9;
}

/* A user event holds the work back until all of it is queued. */
static void
queue_batch (cl_command_queue queue, cl_kernel kernel)
{
  size_t one = 1;
  cl_int error;
  cl_event gate = clCreateUserEvent (context, &error);

  check (error, "user event");
  for (unsigned i = 0; i < 64; i++)
    check (
        clEnqueueNDRangeKernel (queue, kernel, 1, NULL, &one, &one, i == 0, i ? NULL : &gate, NULL),
        "kernel");
  check (clSetUserEventStatus (gate, CL_COMPLETE), "user event");
  check (clFinish (queue), "finish");
  clReleaseEvent (gate);
}

/* CPU time of this thread a call, to standard error, once all is warm; that of taking the ends of
 * commands is in it.
 */
static void
mode_cost (void)
{
  cl_command_queue queue = new_queue (0);
  cl_uint values[N_ITEMS] = { 0 }, turns = 0;
  cl_mem buffer = new_buffer (sizeof values, values);
  cl_kernel churn = new_kernel ("churn");
  unsigned n_batches = (rounds + 63) / 64;
  double begin, middle, end;

  check (clSetKernelArg (churn, 0, sizeof buffer, &buffer), "argument");
  check (clSetKernelArg (churn, 1, sizeof turns, &turns), "argument");
  for (unsigned i = 0; i < 4; i++)
    queue_batch (queue, churn);
  begin = seconds ();
  for (unsigned i = 0; i < rounds * 10; i++)
    {
      clSetKernelArg (churn, 0, sizeof buffer, &buffer);
      clSetKernelArg (churn, 1, sizeof turns, &turns);
    }
  middle = seconds ();
  for (unsigned i = 0; i < n_batches; i++)
    queue_batch (queue, churn);
  end = seconds ();
  fprintf (stderr, "argument %.1f enqueue %.1f\n", (middle - begin) * 1e9 / (rounds * 20),
           (end - middle) * 1e9 / (n_batches * 64));
  clReleaseMemObject (buffer);
  clReleaseKernel (churn);
  clReleaseCommandQueue (queue);
}

/* Kernels that take long enough for samples to fall into them. */
static void
mode_busy (void)
{
  cl_command_queue queue = new_queue (0);
  cl_uint values[N_ITEMS], turns = 3000, seed = 1;
  cl_mem buffer;
  cl_kernel churn = new_kernel ("churn"), scramble = new_kernel ("scramble");

  fill_values (values, 4);
  buffer = new_buffer (sizeof values, values);
  check (clSetKernelArg (churn, 0, sizeof buffer, &buffer), "argument");
  check (clSetKernelArg (churn, 1, sizeof turns, &turns), "argument");
  check (clSetKernelArg (scramble, 0, sizeof buffer, &buffer), "argument");
  check (clSetKernelArg (scramble, 1, sizeof seed, &seed), "argument");
  for (unsigned i = 0; i < rounds; i++)
    {
      run (queue, churn, N_ITEMS, 0, 0, NULL, NULL);
      run (queue, scramble, N_ITEMS, 0, 0, NULL, NULL);
      check (clFinish (queue), "finish");
    }
  check (clEnqueueReadBuffer (queue, buffer, CL_TRUE, 0, sizeof values, values, 0, NULL, NULL),
         "read");
  printf ("values %08x\n", checksum (values, N_ITEMS));
  clReleaseMemObject (buffer);
  clReleaseKernel (churn);
  clReleaseKernel (scramble);
  clReleaseCommandQueue (queue);
}

static const struct
{
  const char *name;
  void (*run) (void);
} modes[] = {
  { "queues", mode_queues },
  { "events", mode_events },
  { "failed-event", mode_failed_event },
  { "profiling", mode_profiling },
  { "transfers", mode_transfers },
  { "native", mode_native },
  { "release", mode_release },
  { "failures", mode_failures },
  { "binary", mode_binary },
  { "exit", mode_exit },
  { "leave", mode_leave },
  { "crash", mode_crash },
  { "abort", mode_abort },
  { "fork", mode_fork },
  { "cost", mode_cost },
  { "busy", mode_busy },
};

int
main (int argc, char **argv)
{
  if (argc > 2)
    rounds = (unsigned) strtoul (argv[2], NULL, 10);
  for (size_t i = 0; argc > 1 && i < sizeof modes / sizeof *modes; i++)
    if (strcmp (argv[1], modes[i].name) == 0)
      {
        open_device ();
        program = build (source, "-cl-kernel-arg-info");
        modes[i].run ();
        clReleaseProgram (program);
        clReleaseContext (context);
        return 0;
      }
  fprintf (stderr, "opencl-victim MODE [ROUNDS]\n");
  return 2;
}
