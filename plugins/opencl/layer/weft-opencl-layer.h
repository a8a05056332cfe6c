/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the layer's files share. The layer never calls what could wait for anything but what the
 * program itself waits for, starts no thread, and asks for no callback of its own.
 */
#ifndef WEFT_OPENCL_LAYER_H
#define WEFT_OPENCL_LAYER_H

#define CL_USE_DEPRECATED_OPENCL_1_0_APIS
#define CL_USE_DEPRECATED_OPENCL_1_1_APIS
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#define CL_USE_DEPRECATED_OPENCL_2_0_APIS
#define CL_USE_DEPRECATED_OPENCL_2_1_APIS
#define CL_USE_DEPRECATED_OPENCL_2_2_APIS
#include <CL/cl_layer.h>
#include <CL/cl.h>
#include <CL/cl_ext.h>
#include <CL/cl_icd.h>

#include <pthread.h>

#include "weft-target.h"

#define OCL_LIKELY(x) __builtin_expect (!!(x), 1)
#define OCL_LOAD(p) __atomic_load_n ((p), __ATOMIC_RELAXED)
#define OCL_STORE(p, v) __atomic_store_n ((p), (v), __ATOMIC_RELAXED)
#define OCL_ADD(p, v) __atomic_fetch_add ((p), (v), __ATOMIC_RELAXED)

typedef struct _cl_icd_dispatch OclTable;

/* What stands behind the layer. Entries that the loader does not have are NULL. */
extern OclTable ocl_next;

/* In a child of a fork, what the parent knew is the parent's, and locks may have been anybody's.
 * Each file has its own to forget.
 */
void ocl_clock_forget (void);
void ocl_extension_forget (void);
void ocl_kernel_forget (void);
void ocl_program_forget (void);
void ocl_queue_forget (void);

/* ---- objects.c: the program's handles, and what is known of them ---- */

typedef enum
{
  OCL_QUEUE,
  OCL_COMMAND, /* by its event */
  OCL_MEMORY,
  OCL_SVM, /* by its first address */
  OCL_PROGRAM,
  OCL_KERNEL,
  OCL_DEVICE,
  OCL_COMMAND_BUFFER,
  OCL_N_KINDS,
} OclKind;

/* Memory of one kind is never anything else, so that a program that uses what it released already
 * gets wrong words in its recording, and nothing worse.
 */
typedef struct _OclObject OclObject;
struct _OclObject
{
  OclObject *next; /* in the table, or among the unused */
  void *handle;
  OclKind kind;
  uint32_t references; /* the program's */
  uint32_t users;      /* calls that look at it right now, and lists that it is in */
};

OclObject *ocl_object_new (OclKind kind, void *handle); /* all zero; NULL without memory */
void ocl_object_add (OclObject *object);                /* with one reference */
void ocl_object_free (OclObject *object);               /* not in the table */
void *ocl_object_find (OclKind kind, const void *handle);
void *ocl_object_use (OclKind kind, const void *handle); /* until ocl_object_unuse () */
void ocl_object_unuse (OclObject *object);
void ocl_object_retain (OclKind kind, const void *handle);
void *ocl_object_release (OclKind kind, const void *handle); /* what was taken out, or NULL */
void *ocl_object_drop (OclKind kind, const void *handle, uint32_t *left);
void ocl_object_take_out (OclObject *object);
size_t ocl_object_list (OclKind kind, OclObject **list, size_t max);
uint32_t ocl_object_count (OclKind kind);
void ocl_objects_forget (void);              /* in a child of a fork */
const char *ocl_intern (const char *string); /* kept for ever; "" without room */

/* ---- clock.c: devices and their clocks ---- */

#define OCL_N_CLOCKS 4 /* of the host, that a device's may be */

typedef struct
{
  uint64_t start; /* runtime's ticks: EARLIEST was read between it and BEFORE */
  uint64_t before;
  uint64_t after;
  uint64_t earliest[OCL_N_CLOCKS]; /* the host's clocks, only while it is not known which is used */
  uint64_t latest[OCL_N_CLOCKS];
} OclBracket;

typedef struct
{
  OclObject object;
  cl_platform_id platform;
  char name[128];
  uint32_t clock;      /* of the library */
  bool has_timer;      /* clGetDeviceAndHostTimer () works */
  uint32_t candidates; /* atomic, bits: clocks of the host that it may be */
  uint32_t checked;    /* atomic: commands that were compared with them */
  pthread_mutex_t lock;
  uint64_t last_device; /* of the last pair */
  uint64_t last_ticks;  /* atomic */
  bool timed;           /* has a first pair */
} OclDevice;

OclDevice *ocl_device_get (cl_device_id id);
void ocl_device_tag (OclDevice *device, WeftTargetOwner owner, uint32_t number);
bool ocl_device_is_unsure (OclDevice *device);
const char *ocl_device_clock_name (const OclDevice *device);
void ocl_bracket_begin (OclBracket *bracket, bool clocks);
void ocl_bracket_end (OclBracket *bracket, bool clocks);
/* A command was queued at QUEUED of the device's clock, within BRACKET. */
void ocl_device_compare (OclDevice *device, const OclBracket *bracket, uint64_t queued);
/* A pair of now, if the last one is older than NANOSECONDS. */
void ocl_device_calibrate (OclDevice *device, uint64_t nanoseconds);

/* ---- memory.c ---- */

typedef struct
{
  OclObject object;
  const char *kind; /* "buffer", "image", … */
  char label[96];
  char shape[48];
  char element_type[32];
  uint64_t offset; /* in the buffer that it is a part of */
  uint64_t size;
} OclMemory;

void ocl_memory_fill (OclTable *table);

void ocl_memory_attach (WeftTargetAttachment *attachment, const OclMemory *memory);

/* ---- program.c ---- */

/* A function that a text defines: the lines from its first word to its last brace. */
typedef struct
{
  const char *name;
  uint32_t first_line;
  uint32_t last_line;
} OclFunction;

/* One text as it was built; kept for ever, equal ones once. */
typedef struct _OclSource OclSource;
struct _OclSource
{
  OclSource *next;
  uint64_t hash;
  uint32_t id;
  uint32_t n_functions;
  OclFunction *functions;
  char flavour[20];
};

#define OCL_MAX_SOURCES 16

typedef struct
{
  OclObject object;
  uint64_t hash; /* of what it was made from where that is no text */
  const char *language;
  uint32_t n_sources;
  OclSource *sources[OCL_MAX_SOURCES];
} OclProgram;

size_t ocl_functions_scan (const char *text, size_t length, OclFunction *functions, size_t max);
uint64_t ocl_hash (uint64_t hash, const void *data, size_t size);
#define OCL_HASH_START UINT64_C (0xCBF29CE484222325)

/* ---- kernel.c ---- */

typedef enum
{
  OCL_ARGUMENT_UNKNOWN,
  OCL_ARGUMENT_VALUE,
  OCL_ARGUMENT_LOCAL,
  OCL_ARGUMENT_MEMORY,
  OCL_ARGUMENT_SVM,
  OCL_ARGUMENT_NOTHING, /* a buffer argument that is NULL */
} OclArgumentKind;

typedef struct
{
  OclArgumentKind kind;
  uint32_t size;
  OclMemory *memory; /* or NULL */
  uint64_t within;   /* bytes into SVM */
  const char *name;  /* these once described, if the implementation knows */
  const char *type;
  uint8_t access;
  bool is_pointer;
  bool is_private;
} OclArgument;

typedef struct
{
  OclObject object;
  WeftTargetRoutine *routine;
  uint32_t n_arguments;
  uint32_t room;
  uint32_t epoch; /* that its arguments are of */
  bool described;
  OclArgument *arguments;
} OclKernel;

/* Grows when arguments may have been set that nobody saw. */
extern uint32_t ocl_argument_epoch;
extern uint32_t ocl_arguments_missed;

OclKernel *ocl_kernel_add (cl_kernel handle, OclProgram *program);
size_t ocl_kernel_attach (OclKernel *kernel, WeftTargetAttachment *attachments, size_t max);
/* Whether KERNEL runs with these local sizes on DEVICE for the first time. */
bool ocl_kernel_is_new (OclKernel *kernel, OclDevice *device, cl_uint n_dimensions,
                        const size_t *local);

void ocl_program_add_il (cl_program handle, const void *il, size_t length);
void ocl_program_fill (OclTable *table);
void ocl_kernel_fill (OclTable *table);

/* ---- code.c: kernels that run on the processor ---- */

void ocl_code_tell (cl_kernel handle, WeftTargetRoutine *routine, const char *name);
void ocl_code_tag_lane (const WeftTargetLane *lane, cl_device_id device);

/* ---- queue.c: lanes, what is under way in them, and groups of it ---- */

#define OCL_MAX_BATCHES 16

typedef struct
{
  uint64_t id;
  uint64_t last; /* sequence number of the last command */
  uint32_t pending;
  bool closed;
  bool failed;
} OclBatch;

typedef struct _OclCommand OclCommand;

typedef struct
{
  OclObject object;
  pthread_mutex_t lock;         /* guards lists and numbers; never held while others are called */
  pthread_mutex_t harvest_lock; /* who has it takes what is over; guards LAST_END, CLOCK_TOLD */
  WeftTargetLane *lane;
  OclDevice *device;
  bool in_order;
  bool wants_profiling; /* the program asked for it */
  bool is_timed;        /* the implementation gives times */
  bool clock_told;
  uint64_t sequence;
  uint64_t last_end; /* of the device's clock */
  uint32_t n_listed; /* atomic */
  OclCommand *first;
  OclCommand *last;
  uint32_t n_batches;
  OclBatch batches[OCL_MAX_BATCHES]; /* those under way, oldest first */
  uint32_t n_properties;             /* as the program gave them */
  cl_queue_properties properties[32];
} OclQueue;

/* One that was queued, or a user event (without a queue). */
struct _OclCommand
{
  OclObject object; /* its handle is the event; in the table only if the program has it */
  OclCommand *later;
  OclCommand *earlier;
  OclQueue *queue;
  WeftTargetRoutine *routine;
  uint64_t id; /* the dispatch's */
  uint64_t batch;
  uint64_t sequence;
  OclBracket bracket;
  bool pending; /* atomic: in the queue's list, or a user event that is not set */
  bool owned;   /* the event is ours to release when it is over */
  bool failed;
  bool waits;  /* for events */
  bool covers; /* is over only when all before it are */
};

void ocl_queue_fill (OclTable *table);

/* The program goes on once all that it queued so far is over, or waits for some of it: the group of
 * commands ends here.
 */
void ocl_queue_commit (OclQueue *queue, WeftTargetOrigin origin);
typedef enum
{
  OCL_GLANCE, /* at the next few commands, unless somebody else is at it */
  OCL_ALL,    /* unless somebody else is at it: from callbacks, which may wait for nothing */
  OCL_SYNC,
} OclPatience;

/* Takes what is over. */
void ocl_queue_harvest (OclQueue *queue, OclPatience patience);
/* Of queues that the program released, or of all. */
void ocl_queues_drain (bool all);
/* The program gave its last reference away. True if the event is needed until the command is over.
 */
bool ocl_command_adopt (OclCommand *command);
/* COMMAND is about to be queued; it was, or was not. */
void ocl_command_begin (OclQueue *queue, OclCommand *command);
void ocl_command_queued (OclQueue *queue, OclCommand *command);
void ocl_command_refused (OclQueue *queue, OclCommand *command, cl_int error);
typedef cl_command_queue (CL_API_CALL *OclCreateQueue) (cl_context context, cl_device_id device,
                                                        const cl_queue_properties *properties,
                                                        cl_int *error);

/* By CREATE, with profiling. */
cl_command_queue ocl_queue_create (OclCreateQueue create, cl_context context, cl_device_id device,
                                   const cl_queue_properties *properties, cl_int *error);

/* ---- wait.c ---- */

#define OCL_MAX_AWAITED 20

typedef struct
{
  WeftTargetLane *lane;
  uint64_t dispatch;
  uint64_t submission;
} OclAwaited;

typedef struct
{
  size_t n;
  OclAwaited awaited[OCL_MAX_AWAITED];
} OclWait;

/* ---- enqueue.c ---- */

typedef struct
{
  OclQueue *queue;
  OclCommand *command;
  WeftTargetOrigin origin;
  cl_event event;
  bool waits;
  OclWait wait;
} OclEnqueue;

void ocl_enqueue_fill (OclTable *table);
cl_int ocl_enqueue_command_buffer (clEnqueueCommandBufferKHR_fn real, cl_uint n_queues,
                                   cl_command_queue *queues, cl_command_buffer_khr buffer,
                                   cl_uint n, const cl_event *after, cl_event *event);

/* Those of extensions, by REAL of the platform. */
cl_int ocl_enqueue_semaphores (clEnqueueWaitSemaphoresKHR_fn real, WeftTargetRoutine *routine,
                               cl_command_queue queue, cl_uint n_semaphores,
                               const cl_semaphore_khr *semaphores,
                               const cl_semaphore_payload_khr *payloads, cl_uint n,
                               const cl_event *after, cl_event *event);
cl_int ocl_enqueue_external (clEnqueueAcquireExternalMemObjectsKHR_fn real,
                             WeftTargetRoutine *routine, cl_command_queue queue, cl_uint n_memory,
                             const cl_mem *memory, cl_uint n, const cl_event *after,
                             cl_event *event);
cl_int ocl_enqueue_copy_intel (clEnqueueMemcpyINTEL_fn real, cl_command_queue queue,
                               cl_bool blocking, void *to, const void *from, size_t size, cl_uint n,
                               const cl_event *after, cl_event *event);
cl_int ocl_enqueue_fill_intel (clEnqueueMemFillINTEL_fn real, cl_command_queue queue, void *memory,
                               const void *pattern, size_t pattern_size, size_t size, cl_uint n,
                               const cl_event *after, cl_event *event);
cl_int ocl_enqueue_migrate_intel (clEnqueueMigrateMemINTEL_fn real, cl_command_queue queue,
                                  const void *memory, size_t size, cl_mem_migration_flags flags,
                                  cl_uint n, const cl_event *after, cl_event *event);

/* ---- event.c: waits, and the program's own events ---- */

void ocl_event_fill (OclTable *table);

void ocl_wait_add (OclWait *wait, WeftTargetLane *lane, uint64_t dispatch, uint64_t submission);
/* All of QUEUE up to the command with number SEQUENCE. */
void ocl_wait_add_batches (OclWait *wait, OclQueue *queue, uint64_t sequence);
void ocl_wait_report (const OclWait *wait, WeftTargetRole role, WeftTargetOrigin origin);

/* ---- extension.c ---- */

/* Commands that are recorded once, and queued again and again as one. */
typedef struct
{
  OclObject object;
  cl_command_queue queue; /* that it is queued to where no other is named */
  uint32_t n_kernels;
  char kernels[224]; /* their names, as far as there is room */
} OclCommandBuffer;

void ocl_extension_fill (OclTable *table);

/* ---- layer.c ---- */

const char *ocl_error_name (cl_int code);

static inline bool
ocl_is_listening (void)
{
  return weft_target_enabled ();
}

#endif /* WEFT_OPENCL_LAYER_H */
