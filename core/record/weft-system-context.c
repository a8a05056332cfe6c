/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-system-context.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cpu/weft-process-tree.h"
#include "weft-clock.h"
#include "weft-enums.h"
#include "weft-system-file.h"

#define INTERVAL (500 * (NS_PER_SECOND / 1000))
#define MAX_INTERVAL (5 * NS_PER_SECOND)
#define MAX_SHARE 0.002 /* of one CPU that measuring may take */
#define MAX_CPUS 64     /* with lanes of their own */
#define MAX_PROCESSES 64
#define BUFFER_SIZE 16384

/* A gauge, or a counter of which what was added is told. */
typedef struct
{
  const char *name;
  WeftMetricKind kind;
  WeftUnit unit;
  guint64 id; /* 0: not told of yet */
  gboolean has_last;
  double last; /* as it was told, or the sum so far */
} Metric;

typedef struct
{
  guint64 lane;
  guint n;
  Metric *metrics;
} Lane;

typedef enum
{
  USER,
  NICE,
  KERNEL,
  IDLE,
  IO_WAIT,
  INTERRUPTS,
  SOFT_INTERRUPTS,
  STOLEN,
  N_CPU_TIMES
} CpuTime;

typedef struct
{
  guint64 times[N_CPU_TIMES];
  guint64 all;
  gboolean known;
} CpuTimes;

enum
{
  CPU_USE,
  CPU_USER,
  CPU_KERNEL,
  CPU_IO_WAIT,
  CPU_STOLEN,
  CPU_PRESSURE,
  N_CPU_METRICS
};

enum
{
  MEMORY_USED,
  MEMORY_AVAILABLE,
  MEMORY_TOTAL,
  SWAP_USED,
  MEMORY_PRESSURE,
  N_MEMORY_METRICS
};

enum
{
  IO_READ,
  IO_WRITTEN,
  IO_RECEIVED,
  IO_SENT,
  IO_PRESSURE,
  N_IO_METRICS
};

enum
{
  PROCESS_CPU,
  PROCESS_USE,
  PROCESS_RESIDENT,
  PROCESS_THREADS,
  PROCESS_READ,
  PROCESS_WRITTEN,
  PROCESS_FAULTS,
  PROCESS_MAJOR_FAULTS,
  N_PROCESS_METRICS
};

static const Metric cpu_metrics[N_CPU_METRICS] = {
  { "use", WEFT_METRIC_GAUGE, WEFT_UNIT_PERCENT },
  { "user", WEFT_METRIC_GAUGE, WEFT_UNIT_PERCENT },
  { "kernel", WEFT_METRIC_GAUGE, WEFT_UNIT_PERCENT },
  { "io wait", WEFT_METRIC_GAUGE, WEFT_UNIT_PERCENT },
  { "stolen", WEFT_METRIC_GAUGE, WEFT_UNIT_PERCENT },
  { "pressure", WEFT_METRIC_GAUGE, WEFT_UNIT_PERCENT },
};

static const Metric memory_metrics[N_MEMORY_METRICS] = {
  { "used", WEFT_METRIC_GAUGE, WEFT_UNIT_BYTES },
  { "available", WEFT_METRIC_GAUGE, WEFT_UNIT_BYTES },
  { "total", WEFT_METRIC_GAUGE, WEFT_UNIT_BYTES },
  { "swap used", WEFT_METRIC_GAUGE, WEFT_UNIT_BYTES },
  { "pressure", WEFT_METRIC_GAUGE, WEFT_UNIT_PERCENT },
};

static const Metric io_metrics[N_IO_METRICS] = {
  { "read", WEFT_METRIC_COUNTER, WEFT_UNIT_BYTES },
  { "written", WEFT_METRIC_COUNTER, WEFT_UNIT_BYTES },
  { "received", WEFT_METRIC_COUNTER, WEFT_UNIT_BYTES },
  { "sent", WEFT_METRIC_COUNTER, WEFT_UNIT_BYTES },
  { "pressure", WEFT_METRIC_GAUGE, WEFT_UNIT_PERCENT },
};

static const Metric process_metrics[N_PROCESS_METRICS] = {
  { "cpu", WEFT_METRIC_COUNTER, WEFT_UNIT_NANOSECONDS },
  { "use", WEFT_METRIC_GAUGE, WEFT_UNIT_PERCENT },
  { "resident", WEFT_METRIC_GAUGE, WEFT_UNIT_BYTES },
  { "threads", WEFT_METRIC_GAUGE, WEFT_UNIT_COUNT },
  { "read", WEFT_METRIC_COUNTER, WEFT_UNIT_BYTES },
  { "written", WEFT_METRIC_COUNTER, WEFT_UNIT_BYTES },
  { "faults", WEFT_METRIC_COUNTER, WEFT_UNIT_COUNT },
  { "major faults", WEFT_METRIC_COUNTER, WEFT_UNIT_COUNT },
};

/* Nothing was added for so long: there is none. */
#define NO_PRESSURE_NS (5 * G_GINT64_CONSTANT (1000000000))

/* The totals that shares are made of. */
typedef struct
{
  guint n_additions; /* that were seen; the first look counts as one */
  guint64 total;     /* µs */
  gint64 since;      /* ns: when it became so */
} Pressure;

typedef struct
{
  guint64 id;
  int pid;
  gboolean seen; /* in this round */
  WeftSystemFile stat;
  WeftSystemFile io;
  gboolean has_cpu;
  guint64 cpu; /* ticks */
  Lane lane;
} Process;

struct _WeftSystemContext
{
  WeftIngest *ingest;
  int root;
  gint64 interval;
  gint64 last;  /* ns; 0: never measured */
  gint64 spent; /* ns of CPU time, of the last measurements on average */
  gint64 now;   /* of this one */
  double seconds_per_tick;

  WeftSystemFile stat, meminfo, vmstat, net, pressure[3];
  CpuTimes all;
  CpuTimes cpus[MAX_CPUS];
  Pressure pressures[3];
  Lane cpu, memory, io;
  Lane cpu_lanes[MAX_CPUS];
  GHashTable *processes; /* id → Process */
  GHashTable *found;     /* set of the ids of those that nobody else tells the end of */
  char buffer[BUFFER_SIZE];
};

/* ---- Lanes and points ---- */

static void
lane_init (WeftSystemContext *self, Lane *lane, const char *name, const char *kind,
           const Metric *metrics, guint n)
{
  lane->lane = weft_ingest_add_core_lane (self->ingest, name, kind);
  lane->metrics = g_memdup2 (metrics, n * sizeof *metrics);
  lane->n = n;
}

static void
add_point (WeftSystemContext *self, Lane *lane, guint number, double value)
{
  Metric *metric = &lane->metrics[number];

  if (metric->id == 0)
    metric->id = weft_ingest_add_core_metric (self->ingest, lane->lane, metric->name, metric->kind,
                                              metric->unit);
  weft_ingest_add_core_point (self->ingest, metric->id, self->now, value);
}

/* A gauge holds until it is told anew. */
static void
set_gauge (WeftSystemContext *self, Lane *lane, guint number, double value)
{
  Metric *metric = &lane->metrics[number];

  if (metric->has_last && metric->last == value)
    return;
  metric->has_last = TRUE;
  metric->last = value;
  add_point (self, lane, number, value);
}

static void
set_percent (WeftSystemContext *self, Lane *lane, guint number, double share)
{
  set_gauge (self, lane, number, round (CLAMP (share, 0, 1e6) * 1000) / 10);
}

/* What was added since the last time; the first time there is nothing to compare with. */
static void
add_to_counter (WeftSystemContext *self, Lane *lane, guint number, double sum)
{
  Metric *metric = &lane->metrics[number];

  if (metric->has_last && sum > metric->last)
    add_point (self, lane, number, sum - metric->last);
  metric->has_last = TRUE;
  metric->last = sum;
}

/* ---- CPUs ---- */

/* The shares of the time since the last look. FALSE the first time. */
static gboolean
take_cpu_times (CpuTimes *self, const char *text, double *shares)
{
  CpuTimes now = { .known = TRUE };
  guint64 all;

  if (weft_system_file_numbers (text, now.times, N_CPU_TIMES) < IDLE + 1)
    return FALSE;
  for (guint i = 0; i < N_CPU_TIMES; i++)
    now.all += now.times[i];
  all = now.all - self->all;
  for (guint i = 0; i < N_CPU_TIMES; i++)
    shares[i] = all == 0 || now.times[i] < self->times[i]
                    ? 0
                    : (double) (now.times[i] - self->times[i]) / (double) all;
  all = self->known ? all : 0;
  *self = now;
  return all > 0;
}

static double
busy_share (const double *shares)
{
  return 1 - shares[IDLE] - shares[IO_WAIT];
}

static void
take_cpu (WeftSystemContext *self, guint cpu, const char *text)
{
  double shares[N_CPU_TIMES];
  g_autofree char *name = NULL;

  if (!take_cpu_times (&self->cpus[cpu], text, shares))
    return;
  if (self->cpu_lanes[cpu].metrics == NULL)
    {
      name = g_strdup_printf ("cpu %u", cpu);
      lane_init (self, &self->cpu_lanes[cpu], name, "system.cpu", cpu_metrics, 1);
    }
  set_percent (self, &self->cpu_lanes[cpu], CPU_USE, busy_share (shares));
}

static void
measure_cpus (WeftSystemContext *self)
{
  double shares[N_CPU_TIMES];
  const char *line = self->buffer;

  if (!weft_system_file_read (&self->stat, self->buffer, BUFFER_SIZE))
    return;
  if (take_cpu_times (&self->all, line + strlen ("cpu "), shares))
    {
      set_percent (self, &self->cpu, CPU_USE, busy_share (shares));
      set_percent (self, &self->cpu, CPU_USER, shares[USER] + shares[NICE]);
      set_percent (self, &self->cpu, CPU_KERNEL,
                   shares[KERNEL] + shares[INTERRUPTS] + shares[SOFT_INTERRUPTS]);
      set_percent (self, &self->cpu, CPU_IO_WAIT, shares[IO_WAIT]);
      set_percent (self, &self->cpu, CPU_STOLEN, shares[STOLEN]);
    }
  while ((line = strchr (line, '\n')) != NULL && g_str_has_prefix (++line, "cpu"))
    {
      char *end;
      guint64 cpu = g_ascii_strtoull (line + strlen ("cpu"), &end, 10);

      if (cpu < MAX_CPUS && strchr (end, '\n') != NULL)
        take_cpu (self, (guint) cpu, end);
    }
}

/* ---- Memory, input and output, pressure ---- */

static void
measure_memory (WeftSystemContext *self)
{
  guint64 total = 0, available = 0, swap = 0, swap_free = 0;

  if (!weft_system_file_read (&self->meminfo, self->buffer, BUFFER_SIZE) ||
      !weft_system_file_find (self->buffer, "MemTotal:", &total) ||
      !weft_system_file_find (self->buffer, "MemAvailable:", &available))
    return;
  weft_system_file_find (self->buffer, "SwapTotal:", &swap);
  weft_system_file_find (self->buffer, "SwapFree:", &swap_free);
  set_gauge (self, &self->memory, MEMORY_TOTAL, (double) total * 1024);
  set_gauge (self, &self->memory, MEMORY_AVAILABLE, (double) available * 1024);
  set_gauge (self, &self->memory, MEMORY_USED, (double) (total - MIN (available, total)) * 1024);
  set_gauge (self, &self->memory, SWAP_USED, (double) (swap - MIN (swap_free, swap)) * 1024);
}

static void
measure_blocks (WeftSystemContext *self)
{
  guint64 in, out;

  if (!weft_system_file_read (&self->vmstat, self->buffer, BUFFER_SIZE) ||
      !weft_system_file_find (self->buffer, "pgpgin", &in) ||
      !weft_system_file_find (self->buffer, "pgpgout", &out))
    return;
  add_to_counter (self, &self->io, IO_READ, (double) in * 1024);
  add_to_counter (self, &self->io, IO_WRITTEN, (double) out * 1024);
}

/* All interfaces but the one to oneself. */
static void
measure_network (WeftSystemContext *self)
{
  guint64 received = 0, sent = 0;
  const char *line = self->buffer;

  if (!weft_system_file_read (&self->net, self->buffer, BUFFER_SIZE))
    return;
  for (; line != NULL && *line != '\0'; line = strchr (line, '\n'))
    {
      guint64 numbers[9];
      const char *colon;

      line += *line == '\n';
      line += strspn (line, " ");
      colon = line + strcspn (line, ":\n");
      if (*colon != ':' || g_str_has_prefix (line, "lo:") ||
          weft_system_file_numbers (colon + 1, numbers, G_N_ELEMENTS (numbers)) < 9)
        continue;
      received += numbers[0];
      sent += numbers[8];
    }
  add_to_counter (self, &self->io, IO_RECEIVED, (double) received);
  add_to_counter (self, &self->io, IO_SENT, (double) sent);
}

/* The share of the time in which something stood still for want of it. The kernel adds to the total
 * every two seconds or so: the share is that of the time from one addition to the next.
 */
static void
measure_pressure (WeftSystemContext *self, guint i, Lane *lane, guint metric)
{
  Pressure *pressure = &self->pressures[i];
  guint64 total;

  if (!weft_system_file_read (&self->pressure[i], self->buffer, BUFFER_SIZE) ||
      !weft_system_file_find (self->buffer, "total=", &total))
    return;
  if (total == pressure->total)
    {
      if (self->now - pressure->since > NO_PRESSURE_NS)
        set_percent (self, lane, metric, 0);
      return;
    }
  if (pressure->n_additions > 1 && total > pressure->total)
    set_percent (self, lane, metric,
                 MIN (100, (double) (total - pressure->total) * 1e3 /
                               (double) (self->now - pressure->since)));
  pressure->n_additions++;
  pressure->total = total;
  pressure->since = self->now;
}

/* ---- Processes ---- */

static void
process_free (gpointer data)
{
  Process *self = data;

  weft_system_file_clear (&self->stat);
  weft_system_file_clear (&self->io);
  g_free (self->lane.metrics);
  g_free (self);
}

static void
measure_io_of (WeftSystemContext *self, Process *process)
{
  guint64 number;

  if (!weft_system_file_read (&process->io, self->buffer, BUFFER_SIZE))
    return;
  if (weft_system_file_find (self->buffer, "read_bytes:", &number))
    add_to_counter (self, &process->lane, PROCESS_READ, (double) number);
  if (weft_system_file_find (self->buffer, "write_bytes:", &number))
    add_to_counter (self, &process->lane, PROCESS_WRITTEN, (double) number);
}

/* Fields 10 (faults) to 24 (resident pages) of proc(5), behind the name in parentheses and seven
 * that are not wanted.
 */
static gboolean
measure_stat_of (WeftSystemContext *self, Process *process)
{
  enum
  {
    FAULTS = 0,
    MAJOR_FAULTS = 2,
    USER_TIME = 4,
    KERNEL_TIME = 5
  };
  guint64 numbers[6], threads[1], memory[3];
  const char *at;
  guint64 cpu;

  if (!weft_system_file_read (&process->stat, self->buffer, BUFFER_SIZE) ||
      (at = strrchr (self->buffer, ')')) == NULL)
    return FALSE;
  for (guint i = 0; i < 8 && at != NULL; i++)
    at = strchr (at + 1, ' ');
  if (at == NULL || weft_system_file_numbers (at, numbers, G_N_ELEMENTS (numbers)) < 6)
    return FALSE;
  for (guint i = 0; i < 10 && at != NULL; i++)
    at = strchr (at + 1, ' ');
  if (at == NULL || weft_system_file_numbers (at, threads, 1) < 1)
    return FALSE;
  for (guint i = 0; i < 2 && at != NULL; i++)
    at = strchr (at + 1, ' ');
  if (at == NULL || weft_system_file_numbers (at, memory, G_N_ELEMENTS (memory)) < 3)
    return FALSE;

  cpu = numbers[USER_TIME] + numbers[KERNEL_TIME];
  add_to_counter (self, &process->lane, PROCESS_FAULTS, (double) numbers[FAULTS]);
  add_to_counter (self, &process->lane, PROCESS_MAJOR_FAULTS, (double) numbers[MAJOR_FAULTS]);
  add_to_counter (self, &process->lane, PROCESS_CPU, (double) cpu * self->seconds_per_tick * 1e9);
  if (process->has_cpu && self->now > self->last && cpu >= process->cpu)
    set_percent (self, &process->lane, PROCESS_USE,
                 (double) (cpu - process->cpu) * self->seconds_per_tick * 1e9 /
                     (double) (self->now - self->last));
  process->has_cpu = TRUE;
  process->cpu = cpu;
  set_gauge (self, &process->lane, PROCESS_THREADS, (double) threads[0]);
  set_gauge (self, &process->lane, PROCESS_RESIDENT,
             (double) memory[2] * (double) sysconf (_SC_PAGESIZE));
  return TRUE;
}

static Process *
add_process (WeftSystemContext *self, guint64 id, int pid, gboolean is_new)
{
  static const guint from_nought[] = { PROCESS_CPU, PROCESS_READ, PROCESS_WRITTEN, PROCESS_FAULTS,
                                       PROCESS_MAJOR_FAULTS };
  Process *process = g_new0 (Process, 1);
  g_autofree char *name = weft_process_thread_name (pid, pid);
  g_autofree char *stat = g_strdup_printf ("/proc/%d/stat", pid);
  g_autofree char *io = g_strdup_printf ("/proc/%d/io", pid);
  g_autofree char *title = g_strdup_printf ("%s (%d)", name ? name : "process", pid);

  process->id = id;
  process->pid = pid;
  weft_system_file_open (&process->stat, stat);
  weft_system_file_open (&process->io, io);
  lane_init (self, &process->lane, title, "system.process", process_metrics, N_PROCESS_METRICS);
  weft_ingest_add_core_tag (self->ingest, process->lane.lane, "pid", (guint64) pid);
  weft_ingest_add_core_tag (self->ingest, process->lane.lane, "process", id);
  for (guint i = 0; is_new && i < G_N_ELEMENTS (from_nought); i++)
    process->lane.metrics[from_nought[i]].has_last = TRUE;
  g_hash_table_insert (self->processes, GSIZE_TO_POINTER (id), process);
  return process;
}

static void
take_process (guint64 id, int pid, gboolean is_new, gpointer data)
{
  WeftSystemContext *self = data;
  Process *process = g_hash_table_lookup (self->processes, GSIZE_TO_POINTER (id));

  if (process == NULL && g_hash_table_size (self->processes) < MAX_PROCESSES)
    process = add_process (self, id, pid, is_new);
  if (process != NULL)
    process->seen = TRUE;
}

static gboolean
is_gone (gpointer key, gpointer value, gpointer data)
{
  Process *process = value;
  WeftSystemContext *self = data;
  gboolean gone = !process->seen || !measure_stat_of (self, process);

  if (!gone)
    measure_io_of (self, process);
  else if (g_hash_table_remove (self->found, GSIZE_TO_POINTER (process->id)))
    weft_ingest_end_process (self->ingest, process->id, self->now, FALSE, 0);
  process->seen = FALSE;
  return gone;
}

/* Children that nobody told of. */
static void
look_for_children (WeftSystemContext *self)
{
  g_autoptr (GArray) pids = NULL;

  if (self->root == 0)
    return;
  pids = weft_process_tree_list_family (self->root);
  for (guint i = 0; i < MIN (pids->len, MAX_PROCESSES); i++)
    {
      int pid = g_array_index (pids, int, i);
      WeftProcessInfo info;

      if (weft_ingest_has_process (self->ingest, pid))
        continue;
      weft_process_info_read (&info, pid);
      if (info.name != NULL)
        g_hash_table_add (self->found,
                          GSIZE_TO_POINTER (weft_ingest_add_process (self->ingest, &info)));
      weft_process_info_clear (&info);
    }
}

static void
measure_processes (WeftSystemContext *self)
{
  look_for_children (self);
  weft_ingest_each_process (self->ingest, take_process, self);
  g_hash_table_foreach_remove (self->processes, is_gone, self);
}

/* ---- All together ---- */

WeftSystemContext *
weft_system_context_new (WeftIngest *ingest)
{
  static const char *const pressures[] = { "/proc/pressure/cpu", "/proc/pressure/memory",
                                           "/proc/pressure/io" };
  WeftSystemContext *self = g_new0 (WeftSystemContext, 1);

  self->ingest = ingest;
  self->interval = INTERVAL;
  self->seconds_per_tick = 1.0 / (double) sysconf (_SC_CLK_TCK);
  self->processes = g_hash_table_new_full (NULL, NULL, NULL, process_free);
  self->found = g_hash_table_new (NULL, NULL);
  weft_system_file_open (&self->stat, "/proc/stat");
  weft_system_file_open (&self->meminfo, "/proc/meminfo");
  weft_system_file_open (&self->vmstat, "/proc/vmstat");
  weft_system_file_open (&self->net, "/proc/net/dev");
  for (guint i = 0; i < G_N_ELEMENTS (pressures); i++)
    weft_system_file_open (&self->pressure[i], pressures[i]);
  lane_init (self, &self->cpu, "cpu", "system.cpu", cpu_metrics, N_CPU_METRICS);
  lane_init (self, &self->memory, "memory", "system.memory", memory_metrics, N_MEMORY_METRICS);
  lane_init (self, &self->io, "io", "system.io", io_metrics, N_IO_METRICS);
  return self;
}

void
weft_system_context_free (WeftSystemContext *self)
{
  weft_system_file_clear (&self->stat);
  weft_system_file_clear (&self->meminfo);
  weft_system_file_clear (&self->vmstat);
  weft_system_file_clear (&self->net);
  for (guint i = 0; i < G_N_ELEMENTS (self->pressure); i++)
    weft_system_file_clear (&self->pressure[i]);
  for (guint i = 0; i < MAX_CPUS; i++)
    g_free (self->cpu_lanes[i].metrics);
  g_free (self->cpu.metrics);
  g_free (self->memory.metrics);
  g_free (self->io.metrics);
  g_hash_table_unref (self->processes);
  g_hash_table_unref (self->found);
  g_free (self);
}

void
weft_system_context_set_root (WeftSystemContext *self, int pid)
{
  self->root = pid;
}

/* Where measuring is dear, as with many processes, it is done less often. */
static void
keep_to_share (WeftSystemContext *self, gint64 spent)
{
  self->spent = (3 * self->spent + spent) / 4;
  self->interval = CLAMP ((gint64) ((double) self->spent / MAX_SHARE), INTERVAL, MAX_INTERVAL);
}

void
weft_system_context_tick (WeftSystemContext *self, gint64 now)
{
  if (self->last == 0 || now - self->last >= self->interval)
    weft_system_context_measure (self, now);
}

void
weft_system_context_measure (WeftSystemContext *self, gint64 now)
{
  gint64 begin = weft_clock_now (CLOCK_THREAD_CPUTIME_ID);

  self->now = now;
  measure_cpus (self);
  measure_memory (self);
  measure_blocks (self);
  measure_network (self);
  measure_pressure (self, 0, &self->cpu, CPU_PRESSURE);
  measure_pressure (self, 1, &self->memory, MEMORY_PRESSURE);
  measure_pressure (self, 2, &self->io, IO_PRESSURE);
  measure_processes (self);
  self->last = now;
  keep_to_share (self, weft_clock_now (CLOCK_THREAD_CPUTIME_ID) - begin);
}
