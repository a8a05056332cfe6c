/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-perf-events.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "weft-clock.h"
#include "weft-perf-record.h"

#define MIN_RING_BYTES (64 * 1024)
#define TRACEPOINT_STACK_BYTES 4096
#define MAX_CPUS 4096
#define SAMPLE_OVERHEAD 512 /* bytes of a sample in the ring, its stack left out */
#define WAKING_RATE 45      /* of a second: how long it may take to run when it is time */

#define MILLISECOND (NS_PER_SECOND / 1000)
#define SHORTEST_DRAIN (2 * MILLISECOND)
#define LONGEST_DRAIN (50 * MILLISECOND)

typedef struct
{
  int fd;
  WeftPerfKind kind;
  int counter; /* -1: it is none */
} Event;

typedef struct
{
  int number;
  int owner; /* the event whose ring it is; -1: there is none yet */
} Cpu;

struct _WeftPerfEvents
{
  WeftPerfSettings settings;
  gboolean build_ids;
  GArray *cpus;      /* element-type Cpu */
  GArray *events;    /* element-type Event */
  GHashTable *by_id; /* of an event: kind + 1, or -(counter + 1) */
  GArray *polled;    /* element-type struct pollfd */
  gboolean is_deaf;  /* to one of the rings: its process has ended */
  WeftPerfMerge *merge;
  gsize ring_bytes;
  gboolean has_counters;
};

/* ---- Life ---- */

/* "0-3,8": those that are on. */
static void
list_cpus (GArray *cpus)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) ranges = NULL;

  if (!g_file_get_contents ("/sys/devices/system/cpu/online", &text, NULL, NULL))
    text = g_strdup_printf ("0-%ld", sysconf (_SC_NPROCESSORS_ONLN) - 1);
  ranges = g_strsplit (g_strstrip (text), ",", -1);
  for (guint i = 0; ranges[i] != NULL; i++)
    {
      char *end;
      guint64 first = g_ascii_strtoull (ranges[i], &end, 10);
      guint64 last = *end == '-' ? g_ascii_strtoull (end + 1, NULL, 10) : first;

      for (guint64 n = first; n <= last && n < MAX_CPUS; n++)
        {
          Cpu cpu = { (int) n, -1 };

          g_array_append_val (cpus, cpu);
        }
    }
}

WeftPerfEvents *
weft_perf_events_new (const WeftPerfSettings *settings)
{
  WeftPerfEvents *self = g_new0 (WeftPerfEvents, 1);

  self->settings = *settings;
  self->build_ids = TRUE;
  self->cpus = g_array_new (FALSE, FALSE, sizeof (Cpu));
  self->events = g_array_new (FALSE, FALSE, sizeof (Event));
  self->polled = g_array_new (FALSE, FALSE, sizeof (struct pollfd));
  self->by_id = g_hash_table_new (NULL, NULL);
  self->merge = weft_perf_merge_new ();
  list_cpus (self->cpus);
  return self;
}

static void
close_events (WeftPerfEvents *self, guint first)
{
  for (guint i = first; i < self->events->len; i++)
    close (g_array_index (self->events, Event, i).fd);
  g_array_set_size (self->events, first);
}

void
weft_perf_events_free (WeftPerfEvents *self)
{
  weft_perf_merge_free (self->merge);
  close_events (self, 0);
  g_array_unref (self->cpus);
  g_array_unref (self->events);
  g_array_unref (self->polled);
  g_hash_table_unref (self->by_id);
  g_free (self);
}

/* ---- Attributes ---- */

static guint64
sample_type_of (WeftPerfEvents *self, WeftPerfKind kind)
{
  guint64 type = WEFT_PERF_COMMON;

  if (kind != WEFT_PERF_SAMPLES)
    type |= PERF_SAMPLE_RAW;
  if (kind == WEFT_PERF_OTHER_WAKINGS)
    return type;
  type |= PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER;
  if (self->settings.kernel)
    type |= PERF_SAMPLE_CALLCHAIN;
  if (kind == WEFT_PERF_SAMPLES && self->settings.counters)
    type |= PERF_SAMPLE_READ;
  return type;
}

static gsize
bytes_a_second (const WeftPerfSettings *settings)
{
  return (gsize) settings->frequency * (settings->stack_bytes + SAMPLE_OVERHEAD);
}

/* Half of a ring; less, to a quarter, where the other half is full too soon: who may not come first
 * was seen to come 15 ms late on a busy machine.
 */
static guint32
choose_watermark (const WeftPerfSettings *settings)
{
  gsize ring = settings->ring_bytes;
  gsize most = bytes_a_second (settings) / WAKING_RATE;

  return (guint32) CLAMP (ring - MIN (most, ring), ring / 4, ring / 2);
}

static void
describe_common (WeftPerfEvents *self, WeftPerfKind kind, struct perf_event_attr *attr)
{
  memset (attr, 0, sizeof *attr);
  attr->size = sizeof *attr;
  attr->sample_type = sample_type_of (self, kind);
  attr->disabled = 1;
  attr->inherit = self->settings.inherit;
  attr->enable_on_exec = self->settings.on_exec;
  attr->exclude_kernel = !self->settings.kernel;
  attr->exclude_hv = 1;
  attr->exclude_callchain_user = (attr->sample_type & PERF_SAMPLE_CALLCHAIN) != 0;
  attr->sample_id_all = 1;
  attr->use_clockid = 1;
  attr->clockid = CLOCK_MONOTONIC;
  attr->watermark = 1;
  attr->wakeup_watermark = choose_watermark (&self->settings);
  if (attr->sample_type & PERF_SAMPLE_REGS_USER)
    attr->sample_regs_user = WEFT_PERF_REGISTERS;
  if (attr->sample_type & PERF_SAMPLE_READ)
    attr->read_format = PERF_FORMAT_GROUP | PERF_FORMAT_ID;
}

static void
describe_samples (WeftPerfEvents *self, struct perf_event_attr *attr)
{
  describe_common (self, WEFT_PERF_SAMPLES, attr);
  attr->type = PERF_TYPE_SOFTWARE;
  attr->config = PERF_COUNT_SW_CPU_CLOCK;
  attr->freq = 1;
  attr->sample_freq = self->settings.frequency;
  attr->sample_stack_user = self->settings.stack_bytes;
  attr->exclude_idle = 1;
  attr->mmap = 1;
  attr->mmap2 = 1;
  attr->build_id = self->build_ids;
  attr->comm = 1;
  attr->comm_exec = 1;
  attr->task = 1;
  attr->context_switch = self->settings.switches;
}

static void
describe_tracepoint (WeftPerfEvents *self, WeftPerfKind kind, const WeftTracepoint *point,
                     struct perf_event_attr *attr)
{
  describe_common (self, kind, attr);
  attr->type = PERF_TYPE_TRACEPOINT;
  attr->config = point->id;
  attr->sample_period = 1;
  if (attr->sample_type & PERF_SAMPLE_STACK_USER)
    attr->sample_stack_user = TRACEPOINT_STACK_BYTES;
}

static int
open_event (const struct perf_event_attr *attr, const WeftPerfTarget *target, int cpu, int group)
{
  gulong flags = PERF_FLAG_FD_CLOEXEC | (target->is_group ? PERF_FLAG_PID_CGROUP : 0);

  return (int) syscall (SYS_perf_event_open, attr, target->id, cpu, group, flags);
}

/* ---- Rings ---- */

static WeftPerfRing *
map_ring (WeftPerfEvents *self, int event)
{
  WeftPerfRing *ring = NULL;

  if (self->ring_bytes == 0)
    self->ring_bytes = self->settings.ring_bytes;
  for (;;)
    {
      ring = weft_perf_ring_new (event, self->ring_bytes);
      if (ring != NULL || errno != EPERM || self->ring_bytes <= MIN_RING_BYTES)
        return ring;
      self->ring_bytes /= 2;
    }
}

/* Returns 0 or an errno. */
static int
give_ring (WeftPerfEvents *self, Cpu *cpu, int event)
{
  struct pollfd polled = { .fd = event, .events = POLLIN };
  WeftPerfRing *ring;

  if (cpu->owner >= 0)
    return ioctl (event, PERF_EVENT_IOC_SET_OUTPUT, cpu->owner) == 0 ? 0 : errno;
  ring = map_ring (self, event);
  if (ring == NULL)
    return errno;
  weft_perf_merge_add (self->merge, ring);
  cpu->owner = event;
  g_array_append_val (self->polled, polled);
  return 0;
}

/* ---- Opening ---- */

static void
remember (WeftPerfEvents *self, int fd, WeftPerfKind kind, int counter)
{
  Event event = { fd, kind, counter };
  guint64 id = 0;

  ioctl (fd, PERF_EVENT_IOC_ID, &id);
  g_array_append_val (self->events, event);
  g_hash_table_insert (self->by_id, GSIZE_TO_POINTER (id),
                       GINT_TO_POINTER (counter >= 0 ? -(counter + 1) : (int) kind + 1));
}

/* Beside LEADER, as far as there are any; samples tell of all members of the group. */
static void
open_counters (WeftPerfEvents *self, const WeftPerfTarget *target, int cpu, int leader)
{
  static const guint64 counters[] = { PERF_COUNT_HW_CPU_CYCLES, PERF_COUNT_HW_INSTRUCTIONS };

  for (guint i = 0; i < G_N_ELEMENTS (counters); i++)
    {
      struct perf_event_attr attr = { .size = sizeof attr,
                                      .type = PERF_TYPE_HARDWARE,
                                      .config = counters[i],
                                      .inherit = self->settings.inherit,
                                      .exclude_kernel = !self->settings.kernel,
                                      .exclude_hv = 1,
                                      .read_format = PERF_FORMAT_GROUP | PERF_FORMAT_ID };
      int fd = open_event (&attr, target, cpu, leader);

      if (fd < 0)
        continue;
      remember (self, fd, WEFT_PERF_SAMPLES, (int) i);
      self->has_counters = TRUE;
    }
}

/* What a kernel does not know is left out. */
static int
open_samples (WeftPerfEvents *self, const WeftPerfTarget *target, int cpu)
{
  struct perf_event_attr attr;
  int fd;

  describe_samples (self, &attr);
  fd = open_event (&attr, target, cpu, -1);
  if (fd < 0 && errno == EINVAL && self->settings.counters)
    {
      self->settings.counters = FALSE;
      return open_samples (self, target, cpu);
    }
  if (fd < 0 && errno == EINVAL && self->build_ids)
    {
      self->build_ids = FALSE;
      return open_samples (self, target, cpu);
    }
  return fd;
}

static int
open_tracepoint (WeftPerfEvents *self, WeftPerfKind kind, const WeftPerfTarget *target, int cpu,
                 const WeftTracepoint *point, const char *filter)
{
  struct perf_event_attr attr;
  int fd;
  int error;

  describe_tracepoint (self, kind, point, &attr);
  fd = open_event (&attr, target, cpu, -1);
  if (fd < 0 || filter == NULL || ioctl (fd, PERF_EVENT_IOC_SET_FILTER, filter) == 0)
    return fd;
  error = errno;
  close (fd);
  errno = error;
  return -1;
}

/* Returns 0 or an errno. */
static int
open_on_cpu (WeftPerfEvents *self, WeftPerfKind kind, const WeftPerfTarget *target, Cpu *cpu,
             const WeftTracepoint *point, const char *filter)
{
  int fd = kind == WEFT_PERF_SAMPLES
               ? open_samples (self, target, cpu->number)
               : open_tracepoint (self, kind, target, cpu->number, point, filter);

  if (fd < 0)
    return errno == ENODEV ? 0 : errno; /* the CPU was turned off */
  remember (self, fd, kind, -1);
  if (kind == WEFT_PERF_SAMPLES && self->settings.counters)
    open_counters (self, target, cpu->number, fd);
  return give_ring (self, cpu, fd);
}

/* Events that own rings stay: others may write there. */
static void
forget_failed (WeftPerfEvents *self, guint first)
{
  for (guint i = self->events->len; i > first; i--)
    {
      int fd = g_array_index (self->events, Event, i - 1).fd;
      gboolean is_owner = FALSE;

      for (guint c = 0; c < self->cpus->len; c++)
        is_owner |= g_array_index (self->cpus, Cpu, c).owner == fd;
      if (is_owner)
        continue;
      close (fd);
      g_array_remove_index (self->events, i - 1);
    }
}

int
weft_perf_events_open (WeftPerfEvents *self, WeftPerfKind kind, const WeftPerfTarget *target,
                       const WeftTracepoint *point, const char *filter)
{
  guint first = self->events->len;
  int error = 0;

  for (guint i = 0; i < self->cpus->len && error == 0; i++)
    error = open_on_cpu (self, kind, target, &g_array_index (self->cpus, Cpu, i), point, filter);
  if (error != 0)
    forget_failed (self, first);
  return error;
}

void
weft_perf_events_set_enabled (WeftPerfEvents *self, WeftPerfKind kind, gboolean enabled)
{
  for (guint i = 0; i < self->events->len; i++)
    {
      const Event *event = &g_array_index (self->events, Event, i);

      if (event->kind == kind)
        ioctl (event->fd, enabled ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE, 0);
    }
}

/* ---- What they say ---- */

WeftPerfMerge *
weft_perf_events_get_merge (WeftPerfEvents *self)
{
  return self->merge;
}

gboolean
weft_perf_events_identify (WeftPerfEvents *self, guint64 id, WeftPerfKind *kind,
                           guint64 *sample_type)
{
  int known = GPOINTER_TO_INT (g_hash_table_lookup (self->by_id, GSIZE_TO_POINTER (id)));

  if (known <= 0)
    return FALSE;
  *kind = (WeftPerfKind) (known - 1);
  *sample_type = sample_type_of (self, *kind);
  return TRUE;
}

int
weft_perf_events_identify_counter (WeftPerfEvents *self, guint64 id)
{
  int known = GPOINTER_TO_INT (g_hash_table_lookup (self->by_id, GSIZE_TO_POINTER (id)));

  return known < 0 ? -known - 1 : -1;
}

gboolean
weft_perf_events_has_counters (WeftPerfEvents *self)
{
  return self->has_counters;
}

gsize
weft_perf_events_get_ring_bytes (WeftPerfEvents *self)
{
  return self->ring_bytes;
}

void
weft_perf_events_wait (WeftPerfEvents *self, int descriptor, gint64 until)
{
  struct pollfd stop = { .fd = descriptor, .events = POLLIN };
  gint64 left = MAX (until - weft_monotonic_now (), 0);
  struct timespec timeout = { left / NS_PER_SECOND, left % NS_PER_SECOND };
  struct pollfd *polled;

  g_array_append_val (self->polled, stop);
  polled = (struct pollfd *) (gpointer) self->polled->data;
  ppoll (polled, self->polled->len, &timeout, NULL);
  g_array_set_size (self->polled, self->polled->len - 1);
  /* Whose process has ended is ready for ever. */
  for (guint i = 0; i < self->polled->len; i++)
    if (polled[i].revents & (POLLHUP | POLLERR))
      {
        polled[i].fd = -1;
        self->is_deaf = TRUE;
      }
}

gint64
weft_perf_events_get_drain_interval (WeftPerfEvents *self)
{
  gsize interval = self->ring_bytes / 4 * 1000 / MAX (bytes_a_second (&self->settings), 1);
  gboolean has_time = choose_watermark (&self->settings) > self->settings.ring_bytes / 4;

  /* Smaller rings than were asked for do not reach their mark in time. */
  if (has_time && !self->is_deaf && self->ring_bytes == self->settings.ring_bytes)
    return LONGEST_DRAIN;
  return CLAMP ((gint64) interval * MILLISECOND, SHORTEST_DRAIN, LONGEST_DRAIN);
}

G_STATIC_ASSERT (sizeof (gpointer) == sizeof (guint64));
