/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Explicit tasks of GCC's runtime: a header of ours in front of the data that it copies. */

#include "weft-openmp-gomp.h"

#include <stdlib.h>
#include <string.h>

#define ON_STACK 512
#define MAX_SIZE (1 << 30)

#define FLAG_UNTIED 0x1u
#define FLAG_FINAL 0x2u
#define FLAG_DEPEND 0x8u
#define FLAG_PRIORITY 0x10u
#define FLAG_IF 0x400u
#define FLAG_NOGROUP 0x800u
#define FLAG_DETACH 0x2000u

typedef void (*Code) (void *data);
typedef void (*Copy) (void *to, void *from);

/* What lies in front of the task's own data. The runtime reads and writes the first words: the
 * event of a task that is detached; of a loop's tasks their range, and behind it what reductions
 * need.
 */
typedef struct
{
  void *words[3];
  Code code;
  uint32_t offset;  /* of the task's own data */
  uint32_t n_words; /* of them that the task's data begins with, too */
  bool is_loop;
  OmpTask task;
} Header;

/* In front of nothing: the data are copied by a function of the program. */
typedef struct
{
  Header header;
  Copy copy;
  void *data;
} Parcel;

static size_t
get_offset (size_t alignment)
{
  return (sizeof (Header) + alignment - 1) & ~(alignment - 1);
}

static void
run_task (void *data)
{
  Header *header = data;
  void *own = (char *) data + header->offset;
  OmpThread *thread = omp_thread ();
  OmpWork *work = thread != NULL ? omp_work_new (thread) : NULL;

  memcpy (own, header->words, header->n_words * sizeof *header->words);
  if (work != NULL)
    {
      work->task = header->task;
      if (header->is_loop)
        {
          work->has_range = true;
          work->range_begin = (uintptr_t) header->words[0];
          work->range_end = (uintptr_t) header->words[1];
        }
      omp_task_begin (thread, work);
    }
  header->code (own);
  if (work == NULL)
    return;
  omp_work_end (thread, work, WEFT_TARGET_OK);
  omp_work_free (thread, work);
}

static void
copy_parcel (void *to, void *from)
{
  Parcel *parcel = from;

  memcpy (to, &parcel->header, sizeof parcel->header);
  if (parcel->header.n_words == 1 && !parcel->header.is_loop && parcel->data != NULL)
    memcpy (parcel->data, parcel->header.words, sizeof parcel->header.words[0]);
  parcel->copy ((char *) to + parcel->header.offset, parcel->data);
}

/* ---- What is told of it ---- */

static void
add_dependence (OmpTask *task, const void *address, WeftTargetAccess access)
{
  if (task->n_dependences < OMP_MAX_DEPENDENCES)
    task->dependences[task->n_dependences] = (OmpDependence){ address, access };
  task->n_dependences++;
}

/* The list has two forms; in the second, what follows the addresses are objects of dependences. */
static void
add_dependences (OmpTask *task, void *const *list)
{
  bool is_short = list[0] != NULL;
  uintptr_t n = (uintptr_t) list[is_short ? 0 : 1];
  uintptr_t n_out = (uintptr_t) list[is_short ? 1 : 2];
  uintptr_t n_all_out = is_short ? n_out : n_out + (uintptr_t) list[3];
  uintptr_t n_addresses = is_short ? n : n_all_out + (uintptr_t) list[4];
  void *const *addresses = list + (is_short ? 2 : 5);

  for (uintptr_t i = 0; i < n && i < n_addresses; i++)
    add_dependence (task, addresses[i],
                    i < n_all_out ? WEFT_TARGET_ACCESS_READ_WRITE : WEFT_TARGET_ACCESS_READ);
}

static void
fill (Header *header, Code code, void *data, size_t alignment, uint32_t n_words)
{
  header->code = code;
  header->offset = (uint32_t) get_offset (alignment);
  header->n_words = n_words;
  if (data != NULL)
    memcpy (header->words, data, n_words * sizeof *header->words);
}

/* ---- Handing it over ---- */

/* What the runtime is given instead. */
typedef struct
{
  void *data;
  Copy copy;
  long size;
  long alignment;
  void *buffer; /* to be freed, or NULL */
} Wrapped;

/* Takes a header that is filled; ROOM has ON_STACK bytes. Whether there was memory. */
static bool
wrap (Wrapped *wrapped, Parcel *parcel, void *data, Copy copy, long size, size_t alignment,
      char *room)
{
  size_t whole = parcel->header.offset + (size_t) size;

  wrapped->size = (long) whole;
  wrapped->alignment = (long) alignment;
  if (copy != NULL)
    {
      parcel->copy = copy;
      parcel->data = data;
      wrapped->data = parcel;
      wrapped->copy = copy_parcel;
      return true;
    }
  if (whole + alignment > ON_STACK)
    room = wrapped->buffer = malloc (whole + alignment);
  if (room == NULL)
    return false;
  room = (char *) (((uintptr_t) room + alignment - 1) & ~(uintptr_t) (alignment - 1));
  memcpy (room, &parcel->header, sizeof parcel->header);
  if (size > 0)
    memcpy (room + parcel->header.offset, data, (size_t) size);
  wrapped->data = room;
  return true;
}

static size_t
get_alignment (long alignment)
{
  return alignment > (long) _Alignof(Header) ? (size_t) alignment : _Alignof(Header);
}

PUBLIC void GOMP_task (Code fn, void *data, Copy copy, long size, long alignment, bool may_defer,
                       unsigned flags, void **depend, int priority, void *detach);

PUBLIC void
GOMP_task (Code fn, void *data, Copy copy, long size, long alignment, bool may_defer,
           unsigned flags, void **depend, int priority, void *detach)
{
  const void *caller = __builtin_return_address (0);
  __typeof__ (&GOMP_task) real = BEHIND (GOMP_task);
  OmpThread *thread = omp_thread ();
  size_t aligned = get_alignment (alignment);
  bool has_event = (flags & FLAG_DETACH) != 0 && size >= (long) sizeof (void *);
  Parcel parcel = { .header.task = { .counted = may_defer, .undeferred = !may_defer } };
  Wrapped wrapped = { 0 };
  char room[ON_STACK];

  if (real == NULL)
    return;
  if (thread == NULL || fn == NULL || size < 0 || size > MAX_SIZE || !omp_listens (caller))
    {
      real (fn, data, copy, size, alignment, may_defer, flags, depend, priority, detach);
      return;
    }
  fill (&parcel.header, fn, data, aligned, has_event ? 1 : 0);
  if (!wrap (&wrapped, &parcel, data, copy, size, aligned, room))
    {
      real (fn, data, copy, size, alignment, may_defer, flags, depend, priority, detach);
      return;
    }
  {
    Header *header = copy != NULL ? &parcel.header : wrapped.data;
    OmpTask *task = &header->task;

    task->untied = (flags & FLAG_UNTIED) != 0;
    task->final = (flags & FLAG_FINAL) != 0;
    task->priority = (flags & FLAG_PRIORITY) != 0 ? priority : 0;
    if ((flags & FLAG_DEPEND) != 0 && depend != NULL)
      add_dependences (task, depend);
    omp_task_create (thread, task, omp_routine_of_function ((const void *) fn, OMP_TASK),
                     weft_target_origin_with_stack ());
    real (run_task, wrapped.data, wrapped.copy, wrapped.size, wrapped.alignment, may_defer, flags,
          depend, priority, detach);
    if (has_event && data != NULL)
      memcpy (data, header->words, sizeof header->words[0]);
  }
  free (wrapped.buffer);
}

/* ---- Loops of tasks ---- */

/* How many tasks, the runtime decides: they are not counted while they wait. */
#define TASK_LOOP(name, type)                                                                      \
  PUBLIC void name (Code fn, void *data, Copy copy, long size, long alignment, unsigned flags,     \
                    unsigned long n_tasks, int priority, type start, type end, type step);         \
  PUBLIC void name (Code fn, void *data, Copy copy, long size, long alignment, unsigned flags,     \
                    unsigned long n_tasks, int priority, type start, type end, type step)          \
  {                                                                                                \
    const void *caller = __builtin_return_address (0);                                             \
    __typeof__ (&name) real = BEHIND (name);                                                       \
    OmpThread *thread = omp_thread ();                                                             \
    size_t aligned = get_alignment (alignment);                                                    \
    Parcel parcel = { .header.task = { .undeferred = (flags & FLAG_IF) == 0 } };                   \
    Wrapped wrapped = { 0 };                                                                       \
    char room[ON_STACK];                                                                           \
                                                                                                   \
    if (real == NULL)                                                                              \
      return;                                                                                      \
    if (thread == NULL || sizeof (type) != sizeof (void *) ||                                      \
        size < (long) sizeof parcel.header.words || size > MAX_SIZE || !omp_listens (caller))      \
      {                                                                                            \
        real (fn, data, copy, size, alignment, flags, n_tasks, priority, start, end, step);        \
        return;                                                                                    \
      }                                                                                            \
    loop_begin (thread, &parcel, fn, data, aligned, flags);                                        \
    if (wrap (&wrapped, &parcel, data, copy, size, aligned, room))                                 \
      real (run_task, wrapped.data, wrapped.copy, wrapped.size, wrapped.alignment, flags, n_tasks, \
            priority, start, end, step);                                                           \
    else                                                                                           \
      real (fn, data, copy, size, alignment, flags, n_tasks, priority, start, end, step);          \
    loop_end (thread, flags);                                                                      \
    free (wrapped.buffer);                                                                         \
  }

/* Data of a loop's tasks begin with the range and, with a reduction, a pointer. */
static void
loop_begin (OmpThread *thread, Parcel *parcel, Code code, void *data, size_t alignment,
            unsigned flags)
{
  OmpTask *task = &parcel->header.task;

  fill (&parcel->header, code, data, alignment, 3);
  parcel->header.n_words = 2;
  parcel->header.is_loop = true;
  task->untied = (flags & FLAG_UNTIED) != 0;
  task->final = (flags & FLAG_FINAL) != 0;
  if ((flags & FLAG_NOGROUP) == 0)
    omp_group_begin (thread);
  omp_task_create (thread, task, omp_routine_of_function ((const void *) code, OMP_TASK),
                   weft_target_origin_with_stack ());
  if ((flags & FLAG_NOGROUP) == 0)
    omp_wait_begin (thread, OMP_WAIT_GROUP);
}

static void
loop_end (OmpThread *thread, unsigned flags)
{
  if ((flags & FLAG_NOGROUP) != 0)
    return;
  omp_wait_end (thread, OMP_WAIT_GROUP);
  omp_group_end (thread);
}

TASK_LOOP (GOMP_taskloop, long)
TASK_LOOP (GOMP_taskloop_ull, unsigned long long)
