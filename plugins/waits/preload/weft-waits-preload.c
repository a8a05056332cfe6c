/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Preloaded into a program, tells who gave away what others wait for, and who waited: mutexes,
 * conditions, semaphores, barriers of the C library, and futexes by way of syscall ().
 *
 * What nobody waits for is passed on after one look at the word that says so. The library's layouts
 * are those of glibc's public headers. Nothing is allocated, nothing waits here, and where no
 * recorder listens nothing is told.
 */
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "weft-target.h"

#define PUBLIC __attribute__ ((visibility ("default")))
#define UNLIKELY(x) __builtin_expect (!!(x), 0)
#define SHORT 2000 /* ns: shorter waits were none */

/* The library that tells may use what is watched. */
static __thread bool busy __attribute__ ((tls_model ("initial-exec")));

/* The newest version of each: older ones of conditions have another layout. */
static void *
resolve (const char *name)
{
#if defined(__x86_64__)
  void *function = dlvsym (RTLD_NEXT, name, "GLIBC_2.3.2");

  if (function != NULL)
    return function;
#endif
  return dlsym (RTLD_NEXT, name);
}

#define REAL(name)                                                                                 \
  ({                                                                                               \
    static __typeof__ (&name) real_;                                                               \
    __typeof__ (&name) found_ = __atomic_load_n (&real_, __ATOMIC_RELAXED);                        \
    if (UNLIKELY (found_ == NULL))                                                                 \
      {                                                                                            \
        found_ = (__typeof__ (&name)) resolve (#name);                                             \
        __atomic_store_n (&real_, found_, __ATOMIC_RELAXED);                                       \
      }                                                                                            \
    found_;                                                                                        \
  })

/* Before there are threads; until something is asked of the library it does not look for recorders.
 */
__attribute__ ((constructor)) static void
begin (void)
{
  busy = true;
  weft_target_start ();
  busy = false;
}

static inline uint64_t
now (void)
{
  return weft_target_now ();
}

static bool
listens (void)
{
  return !busy && weft_target_enabled ();
}

static void
tell (WeftTargetHandoverKind kind, const void *object, const void *also, uint64_t begin,
      uint64_t end)
{
  WeftTargetHandover handover = {
    .kind = kind, .object = (uintptr_t) object, .also = (uintptr_t) also, .begin = begin, .end = end
  };

  busy = true;
  weft_target_handover (&handover);
  busy = false;
}

static void
tell_released (const void *object)
{
  uint64_t time;

  if (!listens ())
    return;
  time = now ();
  tell (WEFT_TARGET_HANDOVER_RELEASED, object, NULL, time, time);
}

static void
tell_waited (const void *object, const void *also, uint64_t begin, bool expired)
{
  uint64_t end = now ();

  if (weft_target_to_nanoseconds (end) - weft_target_to_nanoseconds (begin) > SHORT)
    tell (expired ? WEFT_TARGET_HANDOVER_EXPIRED : WEFT_TARGET_HANDOVER_WAITED, object, also, begin,
          end);
}

/* ---- Mutexes ---- */

/* As far as the word tells: 0 is free; 2, or a bit beside the owner's number, is waited for. */
static inline bool
is_free (pthread_mutex_t *mutex)
{
  return __atomic_load_n (&mutex->__data.__lock, __ATOMIC_RELAXED) == 0;
}

static inline bool
is_waited_for (pthread_mutex_t *mutex)
{
  unsigned word = (unsigned) __atomic_load_n (&mutex->__data.__lock, __ATOMIC_RELAXED);

  return word == 2 || (word & FUTEX_WAITERS) != 0;
}

PUBLIC int
pthread_mutex_lock (pthread_mutex_t *mutex)
{
  uint64_t since;
  int result;

  if (is_free (mutex) || !listens ())
    return REAL (pthread_mutex_lock) (mutex);
  since = now ();
  result = REAL (pthread_mutex_lock) (mutex);
  tell_waited (mutex, NULL, since, result == ETIMEDOUT);
  return result;
}

PUBLIC int
pthread_mutex_timedlock (pthread_mutex_t *restrict mutex, const struct timespec *restrict until)
{
  uint64_t since;
  int result;

  if (is_free (mutex) || !listens ())
    return REAL (pthread_mutex_timedlock) (mutex, until);
  since = now ();
  result = REAL (pthread_mutex_timedlock) (mutex, until);
  tell_waited (mutex, NULL, since, result == ETIMEDOUT);
  return result;
}

PUBLIC int
pthread_mutex_unlock (pthread_mutex_t *mutex)
{
  if (UNLIKELY (is_waited_for (mutex)))
    tell_released (mutex);
  return REAL (pthread_mutex_unlock) (mutex);
}

/* ---- Conditions ---- */

/* The mutex is given away, and may have to be waited for afterwards. */
static void
before_wait (pthread_mutex_t *mutex)
{
  if (is_waited_for (mutex))
    tell_released (mutex);
}

PUBLIC int
pthread_cond_wait (pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex)
{
  uint64_t since;
  int result;

  if (!listens ())
    return REAL (pthread_cond_wait) (condition, mutex);
  before_wait (mutex);
  since = now ();
  result = REAL (pthread_cond_wait) (condition, mutex);
  tell_waited (condition, mutex, since, result == ETIMEDOUT);
  return result;
}

PUBLIC int
pthread_cond_timedwait (pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
                        const struct timespec *restrict until)
{
  uint64_t since;
  int result;

  if (!listens ())
    return REAL (pthread_cond_timedwait) (condition, mutex, until);
  before_wait (mutex);
  since = now ();
  result = REAL (pthread_cond_timedwait) (condition, mutex, until);
  tell_waited (condition, mutex, since, result == ETIMEDOUT);
  return result;
}

PUBLIC int
pthread_cond_clockwait (pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
                        clockid_t clock, const struct timespec *restrict until)
{
  uint64_t since;
  int result;

  if (!listens ())
    return REAL (pthread_cond_clockwait) (condition, mutex, clock, until);
  before_wait (mutex);
  since = now ();
  result = REAL (pthread_cond_clockwait) (condition, mutex, clock, until);
  tell_waited (condition, mutex, since, result == ETIMEDOUT);
  return result;
}

static inline bool
has_waiters (pthread_cond_t *condition)
{
  return __atomic_load_n (&condition->__data.__wrefs, __ATOMIC_RELAXED) >> 3 != 0;
}

PUBLIC int
pthread_cond_signal (pthread_cond_t *condition)
{
  if (has_waiters (condition))
    tell_released (condition);
  return REAL (pthread_cond_signal) (condition);
}

PUBLIC int
pthread_cond_broadcast (pthread_cond_t *condition)
{
  if (has_waiters (condition))
    tell_released (condition);
  return REAL (pthread_cond_broadcast) (condition);
}

/* ---- Semaphores ---- */

/* The value, and the number of those who wait. */
static inline uint64_t
semaphore_state (sem_t *semaphore)
{
  return __atomic_load_n ((uint64_t *) (void *) semaphore, __ATOMIC_RELAXED);
}

PUBLIC int
sem_wait (sem_t *semaphore)
{
  uint64_t since;
  int result;

  if ((uint32_t) semaphore_state (semaphore) != 0 || !listens ())
    return REAL (sem_wait) (semaphore);
  since = now ();
  result = REAL (sem_wait) (semaphore);
  tell_waited (semaphore, NULL, since, result != 0 && errno == ETIMEDOUT);
  return result;
}

PUBLIC int
sem_timedwait (sem_t *restrict semaphore, const struct timespec *restrict until)
{
  uint64_t since;
  int result;

  if ((uint32_t) semaphore_state (semaphore) != 0 || !listens ())
    return REAL (sem_timedwait) (semaphore, until);
  since = now ();
  result = REAL (sem_timedwait) (semaphore, until);
  tell_waited (semaphore, NULL, since, result != 0 && errno == ETIMEDOUT);
  return result;
}

PUBLIC int
sem_clockwait (sem_t *restrict semaphore, clockid_t clock, const struct timespec *restrict until)
{
  uint64_t since;
  int result;

  if ((uint32_t) semaphore_state (semaphore) != 0 || !listens ())
    return REAL (sem_clockwait) (semaphore, clock, until);
  since = now ();
  result = REAL (sem_clockwait) (semaphore, clock, until);
  tell_waited (semaphore, NULL, since, result != 0 && errno == ETIMEDOUT);
  return result;
}

PUBLIC int
sem_post (sem_t *semaphore)
{
  if (semaphore_state (semaphore) >> 32 != 0)
    tell_released (semaphore);
  return REAL (sem_post) (semaphore);
}

/* ---- Barriers ---- */

/* Who comes last lets the others go, and is the one that is told so. */
PUBLIC int
pthread_barrier_wait (pthread_barrier_t *barrier)
{
  uint64_t since;
  int result;

  if (!listens ())
    return REAL (pthread_barrier_wait) (barrier);
  since = now ();
  result = REAL (pthread_barrier_wait) (barrier);
  if (result == PTHREAD_BARRIER_SERIAL_THREAD)
    tell (WEFT_TARGET_HANDOVER_RELEASED, barrier, NULL, since, since);
  else
    tell_waited (barrier, NULL, since, false);
  return result;
}

/* ---- Futexes of others ---- */

static bool
waits (long operation)
{
  switch (operation & FUTEX_CMD_MASK)
    {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
    case FUTEX_LOCK_PI:
      return true;
    default:
      return false;
    }
}

static bool
wakes (long operation)
{
  switch (operation & FUTEX_CMD_MASK)
    {
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET:
    case FUTEX_WAKE_OP:
    case FUTEX_REQUEUE:
    case FUTEX_CMP_REQUEUE:
    case FUTEX_UNLOCK_PI:
      return true;
    default:
      return false;
    }
}

typedef long (*SystemCall) (long number, long a, long b, long c, long d, long e, long f);

/* Of as many arguments as there may be: those that were not given are passed on unread. */
PUBLIC long
syscall (long number, ...)
{
  static SystemCall real;
  __builtin_va_list list;
  uint64_t since;
  long a[6], result;

  __builtin_va_start (list, number);
  for (unsigned i = 0; i < 6; i++)
    a[i] = __builtin_va_arg(list, long);
  __builtin_va_end (list);
  if (UNLIKELY (real == NULL))
    real = (SystemCall) resolve ("syscall");

  if (number != SYS_futex || !(waits (a[1]) || wakes (a[1])) || !listens ())
    return real (number, a[0], a[1], a[2], a[3], a[4], a[5]);
  if (wakes (a[1]))
    {
      tell_released ((const void *) a[0]);
      return real (number, a[0], a[1], a[2], a[3], a[4], a[5]);
    }
  since = now ();
  result = real (number, a[0], a[1], a[2], a[3], a[4], a[5]);
  {
    int saved = errno;

    tell_waited ((const void *) a[0], NULL, since, result != 0 && saved == ETIMEDOUT);
    errno = saved;
  }
  return result;
}
