/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The program's handles, and what is known of them. */

#include "weft-opencl-layer.h"

#include <stdlib.h>
#include <string.h>

#define N_BUCKETS 16384u
#define N_LOCKS 64u
#define SLAB 64u
#define N_STRINGS 8192u

static OclObject *buckets[N_BUCKETS];
static pthread_mutex_t locks[N_LOCKS] = { [0 ... N_LOCKS - 1] = PTHREAD_MUTEX_INITIALIZER };
static OclObject *unused[OCL_N_KINDS];
static pthread_mutex_t unused_lock[OCL_N_KINDS] = { [0 ... OCL_N_KINDS - 1] =
                                                        PTHREAD_MUTEX_INITIALIZER };
static uint32_t counts[OCL_N_KINDS]; /* atomic: in the table */
static const char *strings[N_STRINGS];
static pthread_mutex_t strings_lock = PTHREAD_MUTEX_INITIALIZER;

static const size_t sizes[OCL_N_KINDS] = {
  [OCL_QUEUE] = sizeof (OclQueue),     [OCL_COMMAND] = sizeof (OclCommand),
  [OCL_MEMORY] = sizeof (OclMemory),   [OCL_SVM] = sizeof (OclMemory),
  [OCL_PROGRAM] = sizeof (OclProgram), [OCL_KERNEL] = sizeof (OclKernel),
  [OCL_DEVICE] = sizeof (OclDevice),   [OCL_COMMAND_BUFFER] = sizeof (OclCommandBuffer),
};

static uint32_t
bucket_of (const void *handle)
{
  uint64_t value = (uint64_t) (uintptr_t) handle * UINT64_C (0x9E3779B97F4A7C15);

  return (uint32_t) (value >> 40) % N_BUCKETS;
}

static void
slab_add (OclKind kind)
{
  size_t n = kind == OCL_COMMAND || kind == OCL_MEMORY ? SLAB : 4;
  char *slab = calloc (n, sizes[kind]);

  for (size_t i = 0; slab != NULL && i < n; i++)
    {
      OclObject *object = (OclObject *) (slab + i * sizes[kind]);

      object->next = unused[kind];
      unused[kind] = object;
    }
}

/* A kernel keeps the room for its arguments. */
static void
wipe (OclObject *object, OclKind kind)
{
  if (kind == OCL_KERNEL)
    {
      OclKernel *kernel = (OclKernel *) object;
      OclArgument *arguments = kernel->arguments;
      uint32_t room = kernel->room;

      memset (kernel, 0, sizeof *kernel);
      kernel->arguments = arguments;
      kernel->room = room;
    }
  else
    memset (object, 0, sizes[kind]);
}

OclObject *
ocl_object_new (OclKind kind, void *handle)
{
  OclObject *object;

  pthread_mutex_lock (&unused_lock[kind]);
  if (unused[kind] == NULL)
    slab_add (kind);
  object = unused[kind];
  if (object != NULL)
    unused[kind] = object->next;
  pthread_mutex_unlock (&unused_lock[kind]);
  if (object == NULL)
    return NULL;
  wipe (object, kind);
  object->kind = kind;
  object->handle = handle;
  return object;
}

void
ocl_object_free (OclObject *object)
{
  OclKind kind = object->kind;

  pthread_mutex_lock (&unused_lock[kind]);
  object->next = unused[kind];
  unused[kind] = object;
  pthread_mutex_unlock (&unused_lock[kind]);
}

/* ---- The table: under the lock of the bucket ---- */

static OclObject **
place_of (OclKind kind, const void *handle, uint32_t bucket)
{
  OclObject **at = &buckets[bucket];

  while (*at != NULL && ((*at)->handle != handle || (*at)->kind != kind))
    at = &(*at)->next;
  return at;
}

static void
take_out (OclObject **at)
{
  OclObject *object = *at;

  *at = object->next;
  OCL_ADD (&counts[object->kind], -1u);
}

/* One that has the same handle is of a past life of it. */
void
ocl_object_add (OclObject *object)
{
  uint32_t bucket = bucket_of (object->handle);
  OclObject **at;

  object->references = 1;
  pthread_mutex_lock (&locks[bucket % N_LOCKS]);
  at = place_of (object->kind, object->handle, bucket);
  if (*at != NULL)
    take_out (at);
  object->next = buckets[bucket];
  buckets[bucket] = object;
  OCL_ADD (&counts[object->kind], 1);
  pthread_mutex_unlock (&locks[bucket % N_LOCKS]);
}

static void *
find (OclKind kind, const void *handle, uint32_t uses, uint32_t references)
{
  uint32_t bucket = bucket_of (handle);
  OclObject *object;

  if (handle == NULL || OCL_LOAD (&counts[kind]) == 0)
    return NULL;
  pthread_mutex_lock (&locks[bucket % N_LOCKS]);
  object = *place_of (kind, handle, bucket);
  if (object != NULL)
    {
      object->users += uses;
      object->references += references;
    }
  pthread_mutex_unlock (&locks[bucket % N_LOCKS]);
  return object;
}

void *
ocl_object_find (OclKind kind, const void *handle)
{
  return find (kind, handle, 0, 0);
}

void *
ocl_object_use (OclKind kind, const void *handle)
{
  return find (kind, handle, 1, 0);
}

void
ocl_object_retain (OclKind kind, const void *handle)
{
  find (kind, handle, 0, 1);
}

void
ocl_object_unuse (OclObject *object)
{
  uint32_t bucket = bucket_of (object->handle);
  bool last;

  pthread_mutex_lock (&locks[bucket % N_LOCKS]);
  last = --object->users == 0 && object->references == 0;
  pthread_mutex_unlock (&locks[bucket % N_LOCKS]);
  if (last)
    ocl_object_free (object);
}

/* The result is in use once more if it is somebody else's, too. */
void *
ocl_object_release (OclKind kind, const void *handle)
{
  uint32_t bucket = bucket_of (handle);
  OclObject **at, *object = NULL;

  if (handle == NULL || OCL_LOAD (&counts[kind]) == 0)
    return NULL;
  pthread_mutex_lock (&locks[bucket % N_LOCKS]);
  at = place_of (kind, handle, bucket);
  if (*at != NULL && --(*at)->references == 0)
    {
      object = *at;
      object->users++;
      take_out (at);
    }
  pthread_mutex_unlock (&locks[bucket % N_LOCKS]);
  return object;
}

/* One reference less; what is left of them, UINT32_MAX if there was none. In use, and in the table
 * as before.
 */
void *
ocl_object_drop (OclKind kind, const void *handle, uint32_t *left)
{
  uint32_t bucket = bucket_of (handle);
  OclObject *object;

  if (handle == NULL || OCL_LOAD (&counts[kind]) == 0)
    return NULL;
  pthread_mutex_lock (&locks[bucket % N_LOCKS]);
  object = *place_of (kind, handle, bucket);
  if (object != NULL)
    {
      object->users++;
      *left = object->references == 0 ? UINT32_MAX : --object->references;
    }
  pthread_mutex_unlock (&locks[bucket % N_LOCKS]);
  return object;
}

void
ocl_object_take_out (OclObject *object)
{
  uint32_t bucket = bucket_of (object->handle);
  OclObject **at;

  pthread_mutex_lock (&locks[bucket % N_LOCKS]);
  at = place_of (object->kind, object->handle, bucket);
  if (*at == object)
    take_out (at);
  pthread_mutex_unlock (&locks[bucket % N_LOCKS]);
}

/* All of a kind that are in the table, in use until ocl_object_unuse (). */
size_t
ocl_object_list (OclKind kind, OclObject **list, size_t max)
{
  size_t n = 0;

  if (OCL_LOAD (&counts[kind]) == 0)
    return 0;
  for (uint32_t bucket = 0; bucket < N_BUCKETS; bucket++)
    {
      pthread_mutex_lock (&locks[bucket % N_LOCKS]);
      for (OclObject *object = buckets[bucket]; object != NULL && n < max; object = object->next)
        if (object->kind == kind)
          {
            object->users++;
            list[n++] = object;
          }
      pthread_mutex_unlock (&locks[bucket % N_LOCKS]);
    }
  return n;
}

uint32_t
ocl_object_count (OclKind kind)
{
  return OCL_LOAD (&counts[kind]);
}

void
ocl_objects_forget (void)
{
  memset (buckets, 0, sizeof buckets);
  memset (unused, 0, sizeof unused);
  memset (counts, 0, sizeof counts);
  for (uint32_t i = 0; i < N_LOCKS; i++)
    pthread_mutex_init (&locks[i], NULL);
  for (uint32_t i = 0; i < OCL_N_KINDS; i++)
    pthread_mutex_init (&unused_lock[i], NULL);
  pthread_mutex_init (&strings_lock, NULL);
}

/* ---- Words ---- */

const char *
ocl_intern (const char *string)
{
  uint64_t hash = ocl_hash (OCL_HASH_START, string, strlen (string));
  const char *kept = "";

  pthread_mutex_lock (&strings_lock);
  for (uint32_t i = 0; i < 16; i++)
    {
      const char **at = &strings[(hash + i) % N_STRINGS];

      if (*at == NULL)
        *at = strdup (string);
      if (*at == NULL || strcmp (*at, string) == 0)
        {
          kept = *at != NULL ? *at : "";
          break;
        }
    }
  pthread_mutex_unlock (&strings_lock);
  return kept;
}
