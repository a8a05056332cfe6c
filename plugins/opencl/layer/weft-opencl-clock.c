/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Devices, and how their clocks run beside ours.
 *
 * Where clGetDeviceAndHostTimer () works, it shows the device's clock. Else the time at which the
 * implementation says that a command was queued lies between the begin and the end of the call that
 * queued it: that is a pair already, and tells whether the clock is one of the host's, which then
 * is read instead.
 */

#include "weft-opencl-layer.h"

#include <string.h>
#include <time.h>

#define ALL_CLOCKS ((1u << OCL_N_CLOCKS) - 1)
#define COMPARISONS 64u

static const clockid_t host_clocks[OCL_N_CLOCKS] = { CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW,
                                                     CLOCK_REALTIME, CLOCK_BOOTTIME };
static const char *const host_clock_names[OCL_N_CLOCKS] = { "CLOCK_MONOTONIC",
                                                            "CLOCK_MONOTONIC_RAW", "CLOCK_REALTIME",
                                                            "CLOCK_BOOTTIME" };

static uint64_t
host_clock (uint32_t number)
{
  struct timespec t;

  clock_gettime (host_clocks[number], &t);
  return (uint64_t) t.tv_sec * 1000000000u + (uint64_t) t.tv_nsec;
}

void
ocl_bracket_begin (OclBracket *bracket, bool clocks)
{
  bracket->start = weft_target_now ();
  bracket->before = bracket->start;
  if (!clocks)
    return;
  for (uint32_t i = 0; i < OCL_N_CLOCKS; i++)
    bracket->earliest[i] = host_clock (i);
  bracket->before = weft_target_now ();
}

void
ocl_bracket_end (OclBracket *bracket, bool clocks)
{
  bracket->after = weft_target_now ();
  for (uint32_t i = 0; clocks && i < OCL_N_CLOCKS; i++)
    bracket->latest[i] = host_clock (i);
}

/* ---- Pairs ---- */

static void
give_pair (OclDevice *device, uint64_t ticks, uint64_t before, uint64_t after)
{
  if (device->timed && ticks <= device->last_device)
    return;
  weft_target_clock_calibrate (device->clock, ticks, before, after);
  device->timed = true;
  device->last_device = ticks;
  OCL_STORE (&device->last_ticks, after);
}

static uint32_t
first_candidate (const OclDevice *device)
{
  return (uint32_t) __builtin_ctz (OCL_LOAD (&device->candidates));
}

/* The narrowest of some readings. */
static void
read_host_clock (OclDevice *device)
{
  uint32_t number = first_candidate (device);
  uint64_t best = UINT64_MAX, ticks = 0, from = 0, to = 0;

  for (int i = 0; i < 3; i++)
    {
      uint64_t before = weft_target_now ();
      uint64_t value = host_clock (number);
      uint64_t after = weft_target_now ();

      if (after - before < best)
        {
          best = after - before;
          ticks = value;
          from = before;
          to = after;
        }
    }
  give_pair (device, ticks, from, to);
}

static bool
read_timer (OclDevice *device)
{
  cl_ulong ticks = 0, host = 0;
  uint64_t before = weft_target_now ();

  if (ocl_next.clGetDeviceAndHostTimer == NULL ||
      ocl_next.clGetDeviceAndHostTimer (device->object.handle, &ticks, &host) != CL_SUCCESS ||
      ticks == 0)
    return false;
  give_pair (device, ticks, before, weft_target_now ());
  return true;
}

bool
ocl_device_is_unsure (OclDevice *device)
{
  return !device->has_timer && OCL_LOAD (&device->candidates) != 0 &&
         OCL_LOAD (&device->checked) < COMPARISONS;
}

const char *
ocl_device_clock_name (const OclDevice *device)
{
  if (device->has_timer || OCL_LOAD (&device->candidates) == 0)
    return "its own";
  return host_clock_names[first_candidate (device)];
}

void
ocl_device_compare (OclDevice *device, const OclBracket *bracket, uint64_t queued)
{
  uint32_t candidates, number;

  pthread_mutex_lock (&device->lock);
  candidates = OCL_LOAD (&device->candidates);
  for (uint32_t i = 0; i < OCL_N_CLOCKS; i++)
    if (queued < bracket->earliest[i] || queued > bracket->latest[i])
      candidates &= ~(1u << i);
  OCL_STORE (&device->candidates, candidates);
  OCL_ADD (&device->checked, 1);
  if (candidates == 0)
    give_pair (device, queued, bracket->before, bracket->after);
  else if (!device->timed)
    {
      number = first_candidate (device);
      give_pair (device, bracket->earliest[number], bracket->start, bracket->before);
    }
  pthread_mutex_unlock (&device->lock);
}

void
ocl_device_calibrate (OclDevice *device, uint64_t nanoseconds)
{
  uint64_t now = weft_target_now ();
  uint64_t last = OCL_LOAD (&device->last_ticks);

  /* Ticks are shorter than nanoseconds, or as long: older at the latest. */
  if (last != 0 && now - last < nanoseconds)
    return;
  if (pthread_mutex_trylock (&device->lock) != 0)
    return;
  if (device->has_timer)
    read_timer (device);
  else if (device->timed && OCL_LOAD (&device->candidates) != 0)
    read_host_clock (device);
  pthread_mutex_unlock (&device->lock);
}

/* ---- Devices ---- */

static pthread_mutex_t devices_lock = PTHREAD_MUTEX_INITIALIZER;

static void
get_text (OclDevice *device, cl_device_info what, char *text, size_t size)
{
  text[0] = '\0';
  if (ocl_next.clGetDeviceInfo (device->object.handle, what, size - 1, text, NULL) != CL_SUCCESS)
    text[0] = '\0';
  text[size - 1] = '\0';
}

static void
describe (OclDevice *device, cl_device_id id)
{
  cl_ulong ticks = 0, host = 0;

  get_text (device, CL_DEVICE_NAME, device->name, sizeof device->name);
  if (device->name[0] == '\0')
    memcpy (device->name, "device", sizeof "device");
  ocl_next.clGetDeviceInfo (id, CL_DEVICE_PLATFORM, sizeof device->platform, &device->platform,
                            NULL);
  device->has_timer = ocl_next.clGetDeviceAndHostTimer != NULL &&
                      ocl_next.clGetDeviceAndHostTimer (id, &ticks, &host) == CL_SUCCESS &&
                      ticks != 0;
  device->candidates = ALL_CLOCKS;
  device->clock = weft_target_clock_new (device->name, 1e9);
  pthread_mutex_init (&device->lock, NULL);
}

OclDevice *
ocl_device_get (cl_device_id id)
{
  OclDevice *device = ocl_object_find (OCL_DEVICE, id);

  if (OCL_LIKELY (device != NULL))
    return device;
  pthread_mutex_lock (&devices_lock);
  device = ocl_object_find (OCL_DEVICE, id);
  if (device == NULL)
    {
      device = (OclDevice *) ocl_object_new (OCL_DEVICE, id);
      if (device != NULL)
        {
          describe (device, id);
          ocl_object_add (&device->object);
        }
    }
  pthread_mutex_unlock (&devices_lock);
  return device;
}

/* ---- What is said of devices ---- */

typedef enum
{
  INFO_TEXT,
  INFO_UINT,
  INFO_ULONG,
  INFO_SIZE,
} InfoType;

static const struct
{
  cl_device_info what;
  InfoType type;
  const char *key;
} infos[] = {
  { CL_DEVICE_NAME, INFO_TEXT, "device" },
  { CL_DEVICE_VENDOR, INFO_TEXT, "vendor" },
  { CL_DEVICE_VERSION, INFO_TEXT, "device_version" },
  { CL_DRIVER_VERSION, INFO_TEXT, "driver_version" },
  { CL_DEVICE_OPENCL_C_VERSION, INFO_TEXT, "language_version" },
  { CL_DEVICE_MAX_COMPUTE_UNITS, INFO_UINT, "compute_units" },
  { CL_DEVICE_MAX_CLOCK_FREQUENCY, INFO_UINT, "clock_mhz" },
  { CL_DEVICE_GLOBAL_MEM_SIZE, INFO_ULONG, "global_memory" },
  { CL_DEVICE_LOCAL_MEM_SIZE, INFO_ULONG, "local_memory" },
  { CL_DEVICE_MAX_MEM_ALLOC_SIZE, INFO_ULONG, "largest_buffer" },
  { CL_DEVICE_MAX_WORK_GROUP_SIZE, INFO_SIZE, "largest_work_group" },
  { CL_DEVICE_PROFILING_TIMER_RESOLUTION, INFO_SIZE, "timer_resolution" },
};

static void
tag_text (WeftTargetOwner owner, uint32_t number, const char *key, const char *text)
{
  WeftTargetTag tag = { .key = key, .type = WEFT_TARGET_VALUE_STRING };

  tag.value.string = text;
  if (text[0] != '\0')
    weft_target_tag (owner, number, &tag);
}

static const char *
type_name (cl_device_type type)
{
  if (type & CL_DEVICE_TYPE_GPU)
    return "GPU";
  if (type & CL_DEVICE_TYPE_CPU)
    return "CPU";
  if (type & CL_DEVICE_TYPE_ACCELERATOR)
    return "accelerator";
  return type & CL_DEVICE_TYPE_CUSTOM ? "custom" : "";
}

static void
tag_info (OclDevice *device, size_t i, WeftTargetOwner owner, uint32_t number)
{
  WeftTargetTag tag = { .key = infos[i].key, .type = WEFT_TARGET_VALUE_U64 };
  union
  {
    char text[256];
    cl_uint uint;
    cl_ulong ulong;
    size_t size;
  } value = { { 0 } };

  if (infos[i].type == INFO_TEXT)
    {
      get_text (device, infos[i].what, value.text, sizeof value.text);
      tag_text (owner, number, infos[i].key, value.text);
      return;
    }
  if (ocl_next.clGetDeviceInfo (device->object.handle, infos[i].what, sizeof value, &value, NULL) !=
      CL_SUCCESS)
    return;
  if (infos[i].type == INFO_UINT)
    tag.value.u64 = value.uint;
  else if (infos[i].type == INFO_SIZE)
    tag.value.u64 = value.size;
  else
    tag.value.u64 = value.ulong;
  weft_target_tag (owner, number, &tag);
}

void
ocl_device_tag (OclDevice *device, WeftTargetOwner owner, uint32_t number)
{
  cl_device_type type = 0;
  char platform[256] = "";

  for (size_t i = 0; i < sizeof infos / sizeof infos[0]; i++)
    tag_info (device, i, owner, number);
  ocl_next.clGetDeviceInfo (device->object.handle, CL_DEVICE_TYPE, sizeof type, &type, NULL);
  tag_text (owner, number, "device_type", type_name (type));
  if (device->platform != NULL &&
      ocl_next.clGetPlatformInfo (device->platform, CL_PLATFORM_NAME, sizeof platform - 1, platform,
                                  NULL) == CL_SUCCESS)
    tag_text (owner, number, "platform", platform);
}

void
ocl_clock_forget (void)
{
  pthread_mutex_init (&devices_lock, NULL);
}
