/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Programs: their texts as given, with options and logs, and what building them took. */

#include "weft-opencl-layer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FUNCTIONS 1024u
#define MAX_TEXT (UINT64_C (4) << 20)
#define MAX_KEPT_SOURCES 4096u
#define N_BUCKETS 1024u

static OclSource *sources[N_BUCKETS];
static uint32_t n_sources;
static pthread_mutex_t sources_lock = PTHREAD_MUTEX_INITIALIZER;
static WeftTargetLane *compiler;
static pthread_once_t compiler_once = PTHREAD_ONCE_INIT;

uint64_t
ocl_hash (uint64_t hash, const void *data, size_t size)
{
  const uint8_t *bytes = data;

  for (; size >= 8; size -= 8, bytes += 8)
    {
      uint64_t word;

      memcpy (&word, bytes, 8);
      hash = (hash ^ word) * UINT64_C (0x9E3779B97F4A7C15);
      hash ^= hash >> 29;
    }
  for (; size > 0; size--, bytes++)
    hash = (hash ^ *bytes) * UINT64_C (0x100000001B3);
  return hash ^ hash >> 32;
}

static void
make_compiler (void)
{
  compiler = weft_target_lane_new ("OpenCL compiler", "opencl.compiler");
}

static WeftTargetLane *
compiler_lane (void)
{
  pthread_once (&compiler_once, make_compiler);
  return compiler;
}

/* ---- Sources ---- */

static OclSource *
source_register (const char *text, size_t length, const char *language, const char *options,
                 uint64_t hash)
{
  OclSource *source = calloc (1, sizeof *source);
  OclFunction *functions = calloc (MAX_FUNCTIONS, sizeof *functions);
  char digits[20];

  snprintf (digits, sizeof digits, "%016llx", (unsigned long long) hash);
  if (source != NULL && functions != NULL)
    {
      memcpy (source->flavour, digits, sizeof digits);
      source->hash = hash;
      source->id = weft_target_source_new (
          &(WeftTargetSource){ .language = language,
                               .hash = text != NULL ? NULL : digits,
                               .text = text,
                               .text_length = length,
                               .flavour = digits,
                               .build_flags =
                                   options != NULL && *options != '\0' ? options : NULL },
          sizeof (WeftTargetSource));
      if (text != NULL)
        source->n_functions =
            (uint32_t) ocl_functions_scan (text, length, functions, MAX_FUNCTIONS);
      source->functions = realloc (functions, (source->n_functions + 1) * sizeof *functions);
      if (source->functions == NULL)
        source->functions = functions;
      return source;
    }
  free (source);
  free (functions);
  return NULL;
}

/* Equal texts that are built with equal options are one source. TEXT may be NULL: HASH then tells
 * what it was.
 */
static OclSource *
source_get (const char *text, size_t length, const char *language, const char *options,
            uint64_t hash)
{
  OclSource *source, **bucket;

  hash = ocl_hash (hash, language, strlen (language));
  if (text != NULL)
    hash = ocl_hash (hash, text, length);
  if (options != NULL)
    hash = ocl_hash (hash, options, strlen (options));
  bucket = &sources[hash % N_BUCKETS];
  pthread_mutex_lock (&sources_lock);
  for (source = *bucket; source != NULL && source->hash != hash; source = source->next)
    ;
  if (source == NULL && n_sources < MAX_KEPT_SOURCES)
    {
      source = source_register (text, length, language, options, hash);
      if (source != NULL)
        {
          source->next = *bucket;
          *bucket = source;
          n_sources++;
        }
    }
  pthread_mutex_unlock (&sources_lock);
  return source;
}

/* The text as the implementation keeps it: what was given, joined. */
static char *
program_text (cl_program handle, size_t *length)
{
  size_t size = 0;
  char *text;

  if (ocl_next.clGetProgramInfo (handle, CL_PROGRAM_SOURCE, 0, NULL, &size) != CL_SUCCESS ||
      size < 2 || size > MAX_TEXT * 16)
    return NULL;
  text = malloc (size + 1);
  if (text == NULL ||
      ocl_next.clGetProgramInfo (handle, CL_PROGRAM_SOURCE, size, text, NULL) != CL_SUCCESS)
    {
      free (text);
      return NULL;
    }
  text[size] = '\0';
  *length = strlen (text);
  return text;
}

static void
take_source (OclProgram *program, cl_program handle, const char *options)
{
  size_t length = 0;
  char *text = program_text (handle, &length);
  OclSource *source;

  if (text == NULL && program->language == NULL)
    return;
  source = source_get (text, length, text != NULL ? "OpenCL C" : program->language, options,
                       text != NULL ? OCL_HASH_START : program->hash);
  free (text);
  if (source == NULL)
    return;
  program->sources[0] = source;
  program->n_sources = 1;
}

/* ---- Building ---- */

static WeftTargetRoutine build_routine = WEFT_TARGET_ROUTINE ("clBuildProgram");
static WeftTargetRoutine compile_routine = WEFT_TARGET_ROUTINE ("clCompileProgram");
static WeftTargetRoutine link_routine = WEFT_TARGET_ROUTINE ("clLinkProgram");
static WeftTargetRoutine kernel_routine = WEFT_TARGET_ROUTINE ("clCreateKernel");
static WeftTargetRoutine kernels_routine = WEFT_TARGET_ROUTINE ("clCreateKernelsInProgram");
static WeftTargetRoutine load_routine = WEFT_TARGET_ROUTINE ("clCreateProgramWithBinary");

typedef struct
{
  WeftTargetDispatch dispatch;
  WeftTargetRoleOrigin origin;
  bool waits;
  void (CL_CALLBACK *notify) (cl_program program, void *data);
  void *data;
  char *options;
  bool notified; /* atomic */
} Build;

static bool
build_begin (Build *build, WeftTargetRoutine *routine, bool waits)
{
  memset (build, 0, sizeof *build);
  if (!ocl_is_listening ())
    return false;
  build->origin.role = WEFT_TARGET_ROLE_DISPATCH;
  build->origin.origin = weft_target_origin_with_stack ();
  build->waits = waits;
  build->dispatch.lane = compiler_lane ();
  build->dispatch.routine = routine;
  build->dispatch.submitted = build->origin.origin.ticks;
  build->dispatch.origins = &build->origin;
  build->dispatch.n_origins = 1;
  build->dispatch.id = weft_target_reserve (&build->dispatch);
  build->dispatch.n_origins = 0;
  build->dispatch.start = build->origin.origin.ticks;
  if (waits)
    weft_target_report_origin (build->dispatch.lane, WEFT_TARGET_ROLE_WAIT_BEGIN,
                               build->dispatch.id, 0, build->origin.origin);
  return true;
}

static cl_device_id
first_device (cl_program handle)
{
  cl_device_id devices[64];
  size_t size = 0;

  if (ocl_next.clGetProgramInfo (handle, CL_PROGRAM_DEVICES, sizeof devices, devices, &size) !=
          CL_SUCCESS ||
      size < sizeof devices[0])
    return NULL;
  return devices[0];
}

/* "" if there is none; to be freed. */
static char *
build_log (cl_program handle, cl_device_id device)
{
  size_t size = 0;
  char *log;

  if (device == NULL ||
      ocl_next.clGetProgramBuildInfo (handle, device, CL_PROGRAM_BUILD_LOG, 0, NULL, &size) !=
          CL_SUCCESS ||
      size == 0 || size > MAX_TEXT)
    return NULL;
  log = malloc (size + 1);
  if (log == NULL)
    return NULL;
  log[size] = '\0';
  if (ocl_next.clGetProgramBuildInfo (handle, device, CL_PROGRAM_BUILD_LOG, size, log, NULL) !=
      CL_SUCCESS)
    log[0] = '\0';
  return log;
}

static void
tag_string (WeftTargetTag *tags, size_t *n, const char *key, const char *text)
{
  if (text == NULL || *text == '\0')
    return;
  tags[*n].key = key;
  tags[*n].type = WEFT_TARGET_VALUE_STRING;
  tags[*n].value.string = text;
  (*n)++;
}

/* LABEL: what was built, for people. */
static void
build_end (Build *build, cl_int result, const char *label, const WeftTargetTag *tags, size_t n_tags)
{
  WeftTargetErrorDetail error = { .name = ocl_error_name (result) };
  WeftTargetOrigin end = weft_target_origin ();

  build->dispatch.end = end.ticks;
  build->dispatch.label = label;
  build->dispatch.tags = tags;
  build->dispatch.n_tags = n_tags;
  if (result != CL_SUCCESS)
    {
      build->dispatch.status = WEFT_TARGET_ERROR;
      build->dispatch.error_kind = WEFT_TARGET_ERROR_FAULT;
      build->dispatch.error = &error;
    }
  weft_target_report_origin (build->dispatch.lane,
                             build->waits ? WEFT_TARGET_ROLE_WAIT_END : WEFT_TARGET_ROLE_COMPLETION,
                             build->dispatch.id, 0, end);
  weft_target_complete (&build->dispatch);
}

static cl_int
build_status (cl_program handle, cl_device_id device)
{
  cl_build_status status = CL_BUILD_SUCCESS;

  if (device != NULL)
    ocl_next.clGetProgramBuildInfo (handle, device, CL_PROGRAM_BUILD_STATUS, sizeof status, &status,
                                    NULL);
  return status == CL_BUILD_ERROR ? CL_BUILD_PROGRAM_FAILURE : CL_SUCCESS;
}

/* What was built is known now: its text, its log, and the kernels in it. */
static void
build_finish (Build *build, cl_program handle, cl_int result)
{
  OclProgram *program = ocl_object_find (OCL_PROGRAM, handle);
  cl_device_id device = first_device (handle);
  char *log = build_log (handle, device);
  char kernels[512] = "";
  WeftTargetTag tags[4];
  size_t n_tags = 0;

  if (program != NULL && program->n_sources > 0)
    {
      WeftTargetTag tag = { .key = "build_log", .type = WEFT_TARGET_VALUE_STRING };

      build->dispatch.source = program->sources[0]->id;
      tag.value.string = log;
      if (log != NULL && log[0] != '\0')
        weft_target_tag (WEFT_TARGET_OWNER_SOURCE, program->sources[0]->id, &tag);
    }
  if (result == CL_SUCCESS &&
      ocl_next.clGetProgramInfo (handle, CL_PROGRAM_KERNEL_NAMES, sizeof kernels - 1, kernels,
                                 NULL) != CL_SUCCESS)
    kernels[0] = '\0';
  tag_string (tags, &n_tags, "build_options", build->options);
  tag_string (tags, &n_tags, "build_log", log);
  tag_string (tags, &n_tags, "kernels", kernels);
  build_end (build, result, kernels[0] != '\0' ? kernels : NULL, tags, n_tags);
  free (log);
}

static void CL_CALLBACK
build_notified (cl_program handle, void *data)
{
  Build *build = data;

  OCL_STORE (&build->notified, true);
  build_finish (build, handle, build_status (handle, first_device (handle)));
  build->notify (handle, build->data);
  free (build->options);
  free (build);
}

/* What a callback finds. One that never comes, since the call was refused, leaves it behind. */
static Build *
build_deferred (const Build *build, void (CL_CALLBACK *notify) (cl_program, void *), void *data,
                const char *options)
{
  Build *deferred = notify != NULL ? malloc (sizeof *deferred) : NULL;

  if (deferred == NULL)
    return NULL;
  *deferred = *build;
  deferred->notify = notify;
  deferred->data = data;
  deferred->options = options != NULL ? strdup (options) : NULL;
  return deferred;
}

static bool
is_refusal (cl_int result)
{
  return result != CL_SUCCESS && result != CL_BUILD_PROGRAM_FAILURE &&
         result != CL_COMPILE_PROGRAM_FAILURE && result != CL_LINK_PROGRAM_FAILURE;
}

static cl_int
build_called (Build *build, Build *deferred, cl_program handle, const char *options, cl_int result)
{
  build->options = (char *) options;
  if (deferred == NULL)
    build_finish (build, handle, result);
  else if (is_refusal (result))
    build_end (build, result, NULL, NULL, 0);
  return result;
}

static cl_int CL_API_CALL
build_program (cl_program handle, cl_uint n_devices, const cl_device_id *devices,
               const char *options, void (CL_CALLBACK *notify) (cl_program, void *), void *data)
{
  OclProgram *program = ocl_object_find (OCL_PROGRAM, handle);
  Build build, *deferred;

  if (program != NULL)
    take_source (program, handle, options);
  if (!build_begin (&build, &build_routine, notify == NULL))
    return ocl_next.clBuildProgram (handle, n_devices, devices, options, notify, data);
  deferred = build_deferred (&build, notify, data, options);
  return build_called (&build, deferred, handle, options,
                       ocl_next.clBuildProgram (handle, n_devices, devices, options,
                                                deferred != NULL ? build_notified : notify,
                                                deferred != NULL ? deferred : data));
}

static void
take_headers (cl_uint n, const cl_program *headers, const char *options)
{
  for (cl_uint i = 0; headers != NULL && i < n; i++)
    {
      OclProgram *program = ocl_object_find (OCL_PROGRAM, headers[i]);

      if (program != NULL)
        take_source (program, headers[i], options);
    }
}

static cl_int CL_API_CALL
compile_program (cl_program handle, cl_uint n_devices, const cl_device_id *devices,
                 const char *options, cl_uint n_headers, const cl_program *headers,
                 const char **names, void (CL_CALLBACK *notify) (cl_program, void *), void *data)
{
  OclProgram *program = ocl_object_find (OCL_PROGRAM, handle);
  Build build, *deferred;

  if (program != NULL)
    take_source (program, handle, options);
  take_headers (n_headers, headers, options);
  if (!build_begin (&build, &compile_routine, notify == NULL))
    return ocl_next.clCompileProgram (handle, n_devices, devices, options, n_headers, headers,
                                      names, notify, data);
  deferred = build_deferred (&build, notify, data, options);
  return build_called (&build, deferred, handle, options,
                       ocl_next.clCompileProgram (handle, n_devices, devices, options, n_headers,
                                                  headers, names,
                                                  deferred != NULL ? build_notified : notify,
                                                  deferred != NULL ? deferred : data));
}

static OclProgram *
program_add (cl_program handle, const char *language, uint64_t hash)
{
  OclProgram *program;

  if (handle == NULL)
    return NULL;
  program = (OclProgram *) ocl_object_new (OCL_PROGRAM, handle);
  if (program == NULL)
    return NULL;
  program->language = language;
  program->hash = hash;
  ocl_object_add (&program->object);
  return program;
}

/* A linked program has the texts of those that it was made of. */
static void
take_inputs (OclProgram *program, cl_uint n, const cl_program *inputs)
{
  for (cl_uint i = 0; inputs != NULL && i < n; i++)
    {
      OclProgram *input = ocl_object_find (OCL_PROGRAM, inputs[i]);

      for (uint32_t k = 0; input != NULL && k < input->n_sources; k++)
        {
          if (program->n_sources < OCL_MAX_SOURCES)
            program->sources[program->n_sources++] = input->sources[k];
          program->hash = ocl_hash (program->hash, &input->sources[k]->hash, sizeof (uint64_t));
        }
    }
}

static cl_program CL_API_CALL
link_program (cl_context context, cl_uint n_devices, const cl_device_id *devices,
              const char *options, cl_uint n_inputs, const cl_program *inputs,
              void (CL_CALLBACK *notify) (cl_program, void *), void *data, cl_int *error)
{
  Build build, *deferred = NULL;
  bool listening = build_begin (&build, &link_routine, notify == NULL);
  cl_int result = CL_SUCCESS;
  OclProgram *program;
  cl_program handle;

  if (listening)
    deferred = build_deferred (&build, notify, data, options);
  handle = ocl_next.clLinkProgram (context, n_devices, devices, options, n_inputs, inputs,
                                   deferred != NULL ? build_notified : notify,
                                   deferred != NULL ? deferred : data, &result);
  program = program_add (handle, NULL, OCL_HASH_START);
  if (program != NULL)
    take_inputs (program, n_inputs, inputs);
  if (listening && handle != NULL)
    build_called (&build, deferred, handle, options, result);
  else if (listening)
    build_end (&build, result, NULL, NULL, 0);
  if (error != NULL)
    *error = result;
  return handle;
}

/* ---- Making ---- */

static cl_program CL_API_CALL
create_with_source (cl_context context, cl_uint n, const char **strings, const size_t *lengths,
                    cl_int *error)
{
  cl_program handle = ocl_next.clCreateProgramWithSource (context, n, strings, lengths, error);

  program_add (handle, NULL, OCL_HASH_START);
  return handle;
}

void
ocl_program_add_il (cl_program handle, const void *il, size_t length)
{
  if (handle != NULL)
    program_add (handle, "intermediate language, without source",
                 ocl_hash (OCL_HASH_START, il, length));
}

static cl_program CL_API_CALL
create_with_il (cl_context context, const void *il, size_t length, cl_int *error)
{
  cl_program handle = ocl_next.clCreateProgramWithIL (context, il, length, error);

  ocl_program_add_il (handle, il, length);
  return handle;
}

static cl_program CL_API_CALL
create_with_binary (cl_context context, cl_uint n, const cl_device_id *devices,
                    const size_t *lengths, const unsigned char **binaries, cl_int *status,
                    cl_int *error)
{
  Build build;
  bool listening = build_begin (&build, &load_routine, true);
  cl_int result = CL_SUCCESS;
  cl_program handle =
      ocl_next.clCreateProgramWithBinary (context, n, devices, lengths, binaries, status, &result);
  uint64_t hash = OCL_HASH_START;

  if (listening)
    build_end (&build, result, NULL, NULL, 0);
  for (cl_uint i = 0; handle != NULL && i < n; i++)
    hash = ocl_hash (hash, binaries[i], lengths[i]);
  program_add (handle, "binary, without source", hash);
  if (error != NULL)
    *error = result;
  return handle;
}

static cl_program CL_API_CALL
create_with_built_in (cl_context context, cl_uint n, const cl_device_id *devices, const char *names,
                      cl_int *error)
{
  cl_program handle =
      ocl_next.clCreateProgramWithBuiltInKernels (context, n, devices, names, error);
  OclProgram *program;

  if (handle == NULL)
    return NULL;
  program = program_add (handle, "built into the device, without source",
                         ocl_hash (OCL_HASH_START, names, strlen (names)));
  if (program != NULL)
    take_source (program, handle, NULL);
  return handle;
}

static cl_int CL_API_CALL
retain_program (cl_program handle)
{
  cl_int result = ocl_next.clRetainProgram (handle);

  if (result == CL_SUCCESS)
    ocl_object_retain (OCL_PROGRAM, handle);
  return result;
}

static cl_int CL_API_CALL
release_program (cl_program handle)
{
  OclObject *object = ocl_object_release (OCL_PROGRAM, handle);

  if (object != NULL)
    ocl_object_unuse (object);
  return ocl_next.clReleaseProgram (handle);
}

/* ---- Kernels are made of programs: that may take as long as building them ---- */

static cl_kernel CL_API_CALL
create_kernel (cl_program handle, const char *name, cl_int *error)
{
  Build build;
  bool listening = build_begin (&build, &kernel_routine, true);
  cl_int result = CL_SUCCESS;
  cl_kernel kernel = ocl_next.clCreateKernel (handle, name, &result);

  if (listening)
    build_end (&build, result, name, NULL, 0);
  if (kernel != NULL)
    ocl_kernel_add (kernel, ocl_object_find (OCL_PROGRAM, handle));
  if (error != NULL)
    *error = result;
  return kernel;
}

static cl_int CL_API_CALL
create_kernels (cl_program handle, cl_uint n, cl_kernel *kernels, cl_uint *n_made)
{
  OclProgram *program = ocl_object_find (OCL_PROGRAM, handle);
  Build build;
  bool listening = kernels != NULL && build_begin (&build, &kernels_routine, true);
  cl_uint made = 0;
  cl_int result = ocl_next.clCreateKernelsInProgram (handle, n, kernels, &made);

  if (listening)
    build_end (&build, result, NULL, NULL, 0);
  if (result == CL_SUCCESS)
    for (cl_uint i = 0; kernels != NULL && i < made; i++)
      ocl_kernel_add (kernels[i], program);
  if (n_made != NULL)
    *n_made = made;
  return result;
}

/* Sources are the child's as well: their numbers stay. */
void
ocl_program_forget (void)
{
  pthread_mutex_init (&sources_lock, NULL);
}

void
ocl_program_fill (OclTable *table)
{
  table->clCreateProgramWithSource = create_with_source;
  table->clCreateProgramWithIL = create_with_il;
  table->clCreateProgramWithBinary = create_with_binary;
  table->clCreateProgramWithBuiltInKernels = create_with_built_in;
  table->clRetainProgram = retain_program;
  table->clReleaseProgram = release_program;
  table->clBuildProgram = build_program;
  table->clCompileProgram = compile_program;
  table->clLinkProgram = link_program;
  table->clCreateKernel = create_kernel;
  table->clCreateKernelsInProgram = create_kernels;
}
