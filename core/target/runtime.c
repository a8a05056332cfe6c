/* SPDX-License-Identifier: BSD-2-Clause */
#include "weft-target-private.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const uint32_t nought;

WeftTargetGate weft_target_gate = { 0, 0, &nought };
WftRuntime *wft_runtime;
WeftTargetLane wft_dead_lane;
WeftTargetRoutine wft_dead_routine = { "", 0, 0 };

/* By this name copies of the library in one process find each other. */
extern WEFT_TARGET_API WftRuntime *weft_target_runtime_1;
WftRuntime *weft_target_runtime_1;

static pthread_once_t once = PTHREAD_ONCE_INIT;

const char *
weft_target_version (void)
{
#define TEXT_(x) #x
#define TEXT(x) TEXT_ (x)
  return TEXT (WEFT_TARGET_VERSION_MAJOR) "." TEXT (WEFT_TARGET_VERSION_MINOR) ".0 (wire " TEXT (
      WEFT_WIRE_MAJOR) "." TEXT (WEFT_WIRE_MINOR) ")";
}

/* ---- Memory and descriptors ---- */

static void *
map_private (size_t size)
{
  void *memory = mmap (NULL, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

  return memory == MAP_FAILED ? NULL : memory;
}

static void
wipe_in_child (void)
{
  WftRuntime *runtime = wft_runtime;

  if (runtime == NULL)
    return;
  memset (runtime->session, 0, sizeof *runtime->session);
  memset (runtime->writers, 0, (size_t) runtime->first_writer * sizeof *runtime->writers);
  wft_self = &wft_nobody;
}

void *
wft_map_wiped (size_t size)
{
  void *memory = map_private (size);
  static bool registered;

  if (memory == NULL)
    return NULL;
#ifdef MADV_WIPEONFORK
  if (madvise (memory, size, MADV_WIPEONFORK) == 0)
    return memory;
#endif
  if (!registered)
    pthread_atfork (NULL, NULL, wipe_in_child);
  registered = true;
  return memory;
}

/* Away from the numbers that programs expect for themselves after close (0 … 2). */
int
wft_fd_high (int fd)
{
  int high;

  if (fd < 0 || fd > 2)
    return fd;
  high = fcntl (fd, F_DUPFD_CLOEXEC, 3);
  close (fd);
  return high;
}

bool
wft_fd_is (int fd, dev_t device, ino_t inode)
{
  struct stat status;

  return fd >= 0 && fstat (fd, &status) == 0 && status.st_dev == device
         && status.st_ino == inode;
}

/* Making a file longer than RLIMIT_FSIZE would raise SIGXFSZ. */
bool
wft_size_allowed (uint64_t size)
{
  struct rlimit limit;

  return getrlimit (RLIMIT_FSIZE, &limit) == 0
         && (limit.rlim_cur == RLIM_INFINITY || size <= limit.rlim_cur);
}

/* Sealed, so that a recorder may map it: it can neither shrink nor grow. -1 where there is none. */
int
wft_memfd (const char *what, uint32_t index, uint64_t size)
{
#ifdef WEFT_TARGET_NO_MEMFD
  (void) what;
  (void) index;
  (void) size;
  return -1;
#else
  char name[48];
  int fd;

  if (!wft_size_allowed (size))
    return -1;
  snprintf (name, sizeof name, "weft-%s-%d-%u", what, (int) getpid (), index);
  fd = wft_fd_high (memfd_create (name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (fd < 0)
    return -1;
  if (ftruncate (fd, (off_t) size) == 0
      && fcntl (fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
    return fd;
  close (fd);
  return -1;
#endif
}

int32_t
wft_tid (void)
{
#ifdef SYS_gettid
  return (int32_t) syscall (SYS_gettid);
#else
  uint64_t id = 0;

  pthread_threadid_np (NULL, &id);
  return (int32_t) id;
#endif
}

/* ---- Lock ---- */

bool
wft_lock (void)
{
  WftSession *session = wft_runtime->session;
  int cancel;

  pthread_setcancelstate (PTHREAD_CANCEL_DISABLE, &cancel);
  for (unsigned int i = 0; i < 100000; i++)
    {
      uint32_t expected = 0;

      if (__atomic_compare_exchange_n (&session->lock, &expected, 1, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED))
        {
          WFT_STORE (&session->lock_owner, &wft_self);
          session->lock_cancel = cancel;
          return true;
        }
      if (WFT_LOAD (&session->lock_owner) == (const void *) &wft_self)
        break;
      if (i > 100)
        sched_yield ();
    }
  pthread_setcancelstate (cancel, NULL);
  return false;
}

void
wft_unlock (void)
{
  WftSession *session = wft_runtime->session;
  int cancel = session->lock_cancel;

  WFT_STORE (&session->lock_owner, NULL);
  WFT_STORE_RELEASE (&session->lock, 0);
  pthread_setcancelstate (cancel, NULL);
}

/* ---- Arena ---- */

void *
wft_arena (size_t size)
{
  WftRuntime *runtime = wft_runtime;
  char *result;

  size = (size + 15) & ~(size_t) 15;
  if (size > runtime->arena_left)
    {
      size_t chunk = size > 65536 ? size : 65536;
      char *memory = map_private (chunk);

      if (memory == NULL)
        return NULL;
      runtime->arena = memory;
      runtime->arena_left = chunk;
    }
  result = runtime->arena;
  runtime->arena += size;
  runtime->arena_left -= size;
  return result;
}

const char *
wft_arena_string (const char *string)
{
  size_t length = strnlen (string == NULL ? "" : string, WEFT_WIRE_MAX_STRING);
  char *copy = wft_arena (length + 1);

  if (copy != NULL && length > 0)
    memcpy (copy, string, length);
  return copy != NULL ? copy : "";
}

/* ---- Gates: every copy of the library has one ---- */

void
wft_gates_update (void)
{
  WftRuntime *runtime = wft_runtime;

  for (int i = 0; i < WFT_N_GATES; i++)
    {
      WeftTargetGate *gate = WFT_LOAD_ACQUIRE (&runtime->gates[i]);

      if (gate == NULL)
        continue;
      WFT_STORE (&gate->reserved, WFT_LOAD (&runtime->sampling));
      __atomic_store_n (&gate->local, WFT_LOAD (&runtime->local), __ATOMIC_SEQ_CST);
    }
}

void
wft_gates_remote (const uint32_t *word)
{
  for (int i = 0; i < WFT_N_GATES; i++)
    {
      WeftTargetGate *gate = WFT_LOAD_ACQUIRE (&wft_runtime->gates[i]);

      if (gate != NULL)
        WFT_STORE_RELEASE (&gate->remote, word);
    }
}

void
wft_local_set (uint32_t bit, bool on)
{
  if (on)
    __atomic_fetch_or (&wft_runtime->local, bit, __ATOMIC_SEQ_CST);
  else
    __atomic_fetch_and (&wft_runtime->local, ~bit, __ATOMIC_SEQ_CST);
  wft_gates_update ();
}

static void
gate_attach (WftRuntime *runtime)
{
  for (int i = 0; i < WFT_N_GATES; i++)
    {
      WeftTargetGate *expected = NULL;

      if (!__atomic_compare_exchange_n (&runtime->gates[i], &expected, &weft_target_gate, false,
                                        __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)
          && expected != &weft_target_gate)
        continue;
      wft_gates_update ();
      if (runtime->gates[0] != NULL && i > 0)
        WFT_STORE (&weft_target_gate.remote, WFT_LOAD (&runtime->gates[0]->remote));
      return;
    }
}

/* ---- Runtime ---- */

/* Registries of this process that are mapped already: other copies out of reach. */
static uint16_t
count_instances (void)
{
  char needle[48], buffer[4096 + 1];
  size_t kept = 0, length;
  uint16_t found = 0;
  ssize_t n;
  int fd = open ("/proc/self/maps", O_RDONLY | O_CLOEXEC);

  if (fd < 0)
    return 0;
  length = (size_t) snprintf (needle, sizeof needle, "memfd:weft-registry-%d-", (int) getpid ());
  while ((n = read (fd, buffer + kept, sizeof buffer - 1 - kept)) > 0)
    {
      const char *at = buffer;

      buffer[kept + (size_t) n] = '\0';
      while ((at = strstr (at, needle)) != NULL)
        {
          found++;
          at += length;
        }
      n += (ssize_t) kept;
      kept = (size_t) n < length ? (size_t) n : length - 1;
      memmove (buffer, buffer + (size_t) n - kept, kept);
    }
  close (fd);
  return found;
}

static uint64_t
make_runtime_id (void)
{
  uint64_t id = 0;
  int fd = open ("/dev/urandom", O_RDONLY | O_CLOEXEC);

  if (fd >= 0)
    {
      if (read (fd, &id, sizeof id) != (ssize_t) sizeof id)
        id = 0;
      close (fd);
    }
  id ^= wft_monotonic () * UINT64_C (0x9E3779B97F4A7C15) ^ (uint64_t) getpid () << 40;
  return id != 0 ? id : 1;
}

static void
read_name (WftRuntime *runtime)
{
  int fd = open ("/proc/self/comm", O_RDONLY | O_CLOEXEC);
  ssize_t n = 0;

  if (fd >= 0)
    {
      n = read (fd, runtime->name, sizeof runtime->name - 1);
      close (fd);
    }
  if (n > 0 && runtime->name[n - 1] == '\n')
    n--;
  runtime->name[n > 0 ? n : 0] = '\0';
}

static const char *
environment (const char *name)
{
#ifdef __GLIBC__
  return secure_getenv (name);
#else
  return getenv (name);
#endif
}

static void
read_environment (WftRuntime *runtime)
{
  const char *value = environment ("WEFT_TARGET_DISABLE");

  runtime->disabled = value != NULL && value[0] != '\0' && strcmp (value, "0") != 0;
  value = environment ("WEFT_TARGET_SPOOL");
  if (value != NULL && value[0] == '/' && strlen (value) < sizeof runtime->spool_directory)
    {
      strcpy (runtime->spool_directory, value);
      runtime->wanted_spool = 1;
    }
  value = environment ("WEFT_RUNTIME_DIR");
  if (value != NULL && value[0] != '\0')
    {
      if (value[0] == '/' && strlen (value) < sizeof runtime->directory)
        strcpy (runtime->directory, value);
      return;
    }
  value = environment ("XDG_RUNTIME_DIR");
  if (value != NULL && value[0] == '/' && strlen (value) + 6 < sizeof runtime->directory)
    snprintf (runtime->directory, sizeof runtime->directory, "%s/weft", value);
  else
    snprintf (runtime->directory, sizeof runtime->directory, "/tmp/weft-%u",
              (unsigned int) geteuid ());
}

/* Unloading would leave threads with keys, gates and lanes in nothing. */
static void
stay_loaded (void)
{
  Dl_info info;

  if (dladdr (&weft_target_gate, &info) != 0 && info.dli_fname != NULL)
    dlopen (info.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}

static WftRuntime *
runtime_new (void)
{
  WftRuntime *runtime = map_private (sizeof *runtime);

  if (runtime == NULL)
    return NULL;
  runtime->magic = WFT_RUNTIME_MAGIC;
  runtime->size = sizeof *runtime;
  runtime->registry.fd = -1;
  runtime->clock = (uint16_t) wft_clock;
  runtime->start_monotonic = wft_monotonic ();
  runtime->start_ticks = wft_now ();
  runtime->session = wft_map_wiped (sizeof *runtime->session);
  runtime->writers = wft_map_wiped (WFT_MAX_WRITERS * sizeof *runtime->writers);
  runtime->lanes = map_private (WFT_MAX_LANES * sizeof *runtime->lanes);
  if (runtime->session == NULL || runtime->writers == NULL || runtime->lanes == NULL)
    return NULL;
  read_environment (runtime);
  read_name (runtime);
  runtime->spool_word = 1;
  runtime->instance = count_instances ();
  return runtime;
}

static bool
joinable (WftRuntime **shared)
{
  WftRuntime *other = shared != NULL ? WFT_LOAD_ACQUIRE (shared) : NULL;

  return other != NULL && other->magic == WFT_RUNTIME_MAGIC && other->size == sizeof *other;
}

/* Through the program, for a library linked with -Bsymbolic finds its own symbol first. */
static WftRuntime **
find_shared (void)
{
  void *program = dlopen (NULL, RTLD_LAZY);
  void *found = program != NULL ? dlsym (program, "weft_target_runtime_1") : NULL;

  if (program != NULL)
    dlclose (program);
  return found;
}

static void
initialize (void)
{
  WftRuntime **shared = find_shared ();
  WftRuntime *runtime;

  wft_clock_choose ();
  stay_loaded ();
  wft_writer_key ();
  if (!joinable (shared))
    {
      runtime = runtime_new ();
      if (runtime == NULL)
        return;
      weft_target_runtime_1 = runtime;
      wft_runtime = runtime;
      wft_session_ensure ();
      if (shared != NULL && WFT_LOAD (shared) == NULL)
        WFT_STORE_RELEASE (shared, runtime);
    }
  else
    {
      runtime = *shared;
      WFT_STORE (&wft_clock, runtime->clock);
      weft_target_runtime_1 = runtime;
    }
  WFT_STORE_RELEASE (&wft_runtime, runtime);
  gate_attach (runtime);
}

/* While a program starts, dlopen () runs constructors that are due, which may come here again on the
 * same thread: they go without, or would wait for themselves.
 */
WftRuntime *
wft_runtime_ensure (void)
{
  static __thread bool entered;
  WftRuntime *runtime = WFT_LOAD_ACQUIRE (&wft_runtime);

  if (WFT_UNLIKELY (runtime == NULL) && !entered)
    {
      entered = true;
      pthread_once (&once, initialize);
      entered = false;
      runtime = wft_runtime;
    }
  return runtime;
}

void
wft_runtime_unsupported (void)
{
  wft_runtime->unsupported = 1;
  WFT_STORE (&wft_runtime->session->state, WEFT_TARGET_STATE_UNSUPPORTED);
}

/* ---- Session ---- */

static void
session_begin (WftRuntime *runtime, WftSession *session)
{
  bool forked = runtime->registry.header != NULL;

  session->epoch = 1;
  session->socket = -1;
  session->spool_fd = -1;
  session->next_writer = runtime->first_writer;
  runtime->ids[WEFT_WIRE_ENTRY_CLOCK] = WEFT_WIRE_CLOCK_ID_MONOTONIC;
  runtime->runtime_id = make_runtime_id ();
  if (runtime->disabled)
    session->state = WEFT_TARGET_STATE_DISABLED;
  if (forked)
    {
      wft_registry_inherit (true);
      wft_rings_recover ();
      for (int i = 0; i < WFT_N_LISTENERS; i++)
        WFT_STORE (&runtime->listeners[i].users, 0);
      if (runtime->wanted_spool)
        wft_gates_remote (&runtime->spool_word);
    }
  else if (!wft_registry_create (&runtime->registry, true))
    {
      wft_registry_create (&runtime->registry, false);
      wft_runtime_unsupported ();
    }
  WFT_STORE_RELEASE (&session->alive, 1);
}

bool
wft_session_ensure (void)
{
  WftRuntime *runtime = wft_runtime;

  if (WFT_LIKELY (WFT_LOAD_ACQUIRE (&runtime->session->alive)))
    return true;
  if (!wft_lock ())
    return false;
  if (!runtime->session->alive)
    {
      wft_self = &wft_nobody;
      session_begin (runtime, runtime->session);
    }
  wft_unlock ();
  return true;
}
