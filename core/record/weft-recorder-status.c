/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-recorder-status-private.h"

#include "weft-enum-types.h"

/**
 * WeftRecorderStatus:
 *
 * How far a recorder has got: a snapshot, which does not change.
 *
 * [property@Recorder:status] is that of a recorder of this process, [property@Session:status] that
 * of any recorder that runs.
 *
 * Since: 0.1
 */
struct _WeftRecorderStatus
{
  GObject parent_instance;

  WeftRecorderState state;
  WeftEngineStatus figures;
  WeftKeepFigures kept;
};

enum
{
  PROP_0,
  PROP_STATE,
  PROP_ELAPSED,
  PROP_DISPATCHES,
  PROP_PENDING,
  PROP_REJECTED,
  PROP_LOST,
  PROP_SAMPLED_OUT,
  PROP_REFUSED,
  PROP_LANES,
  PROP_RUNTIMES,
  PROP_RUNTIMES_SEEN,
  PROP_FILE_SIZE,
  PROP_CPU,
  PROP_RESIDENT,
  PROP_SAMPLES,
  PROP_STACKS_COMPLETE,
  PROP_WAITS,
  PROP_EVENTS_LOST,
  PROP_SAMPLER,
  PROP_SAMPLER_MISSING,
  PROP_MATCHES,
  PROP_KEPT,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (WeftRecorderStatus, weft_recorder_status, G_TYPE_OBJECT)

WeftRecorderStatus *
weft_recorder_status_new (WeftRecorderState state, const WeftEngineStatus *figures,
                          const WeftKeepFigures *kept)
{
  WeftRecorderStatus *self = g_object_new (WEFT_TYPE_RECORDER_STATUS, NULL);

  self->state = state;
  self->figures = *figures;
  if (kept != NULL)
    self->kept = *kept;
  return self;
}

static void
get_cpu_figure (WeftRecorderStatus *self, guint id, GValue *value, GParamSpec *spec)
{
  switch (id)
    {
    case PROP_SAMPLES:
      g_value_set_uint64 (value, self->figures.samples);
      break;
    case PROP_STACKS_COMPLETE:
      g_value_set_uint64 (value, self->figures.stacks_complete);
      break;
    case PROP_WAITS:
      g_value_set_uint64 (value, self->figures.waits);
      break;
    case PROP_EVENTS_LOST:
      g_value_set_uint64 (value, self->figures.events_lost);
      break;
    case PROP_SAMPLER:
      g_value_set_string (value, self->figures.sampler);
      break;
    case PROP_SAMPLER_MISSING:
      g_value_set_string (value, self->figures.sampler_missing);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (self, id, spec);
    }
}

static void
weft_recorder_status_get_property (GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  WeftRecorderStatus *self = WEFT_RECORDER_STATUS (object);

  switch (id)
    {
    case PROP_STATE:
      g_value_set_enum (value, self->state);
      break;
    case PROP_ELAPSED:
      g_value_set_int64 (value, self->figures.elapsed);
      break;
    case PROP_DISPATCHES:
      g_value_set_uint64 (value, self->figures.dispatches);
      break;
    case PROP_PENDING:
      g_value_set_uint64 (value, self->figures.pending);
      break;
    case PROP_REJECTED:
      g_value_set_uint64 (value, self->figures.rejected);
      break;
    case PROP_LOST:
      g_value_set_uint64 (value, self->figures.lost);
      break;
    case PROP_SAMPLED_OUT:
      g_value_set_uint64 (value, self->figures.sampled_out);
      break;
    case PROP_REFUSED:
      g_value_set_uint64 (value, self->figures.refused);
      break;
    case PROP_LANES:
      g_value_set_uint (value, self->figures.lanes);
      break;
    case PROP_RUNTIMES:
      g_value_set_uint (value, self->figures.runtimes);
      break;
    case PROP_RUNTIMES_SEEN:
      g_value_set_uint (value, self->figures.runtimes_seen);
      break;
    case PROP_FILE_SIZE:
      g_value_set_uint64 (value, self->figures.file_size);
      break;
    case PROP_CPU:
      g_value_set_uint64 (value, self->figures.cpu);
      break;
    case PROP_RESIDENT:
      g_value_set_uint64 (value, self->figures.resident);
      break;
    case PROP_MATCHES:
      g_value_set_uint64 (value, self->kept.matches);
      break;
    case PROP_KEPT:
      g_value_set_uint (value, self->kept.kept);
      break;
    default:
      get_cpu_figure (self, id, value, spec);
    }
}

/* Of the records' connections and the recorder itself. */
static void
install_surroundings (GParamFlags flags)
{
  /**
   * WeftRecorderStatus:refused:
   *
   * Connections that were refused.
   *
   * Since: 0.1
   */
  properties[PROP_REFUSED] = g_param_spec_uint64 ("refused", NULL, NULL, 0, G_MAXUINT64, 0, flags);

  /**
   * WeftRecorderStatus:lanes:
   *
   * Lanes that were seen.
   *
   * Since: 0.1
   */
  properties[PROP_LANES] = g_param_spec_uint ("lanes", NULL, NULL, 0, G_MAXUINT, 0, flags);

  /**
   * WeftRecorderStatus:runtimes:
   *
   * Runtimes that are attached now.
   *
   * Since: 0.1
   */
  properties[PROP_RUNTIMES] = g_param_spec_uint ("runtimes", NULL, NULL, 0, G_MAXUINT, 0, flags);

  /**
   * WeftRecorderStatus:runtimes-seen:
   *
   * Runtimes that were seen, those attached now among them.
   *
   * Since: 0.1
   */
  properties[PROP_RUNTIMES_SEEN] =
      g_param_spec_uint ("runtimes-seen", NULL, NULL, 0, G_MAXUINT, 0, flags);

  /**
   * WeftRecorderStatus:file-size:
   *
   * Size of the file, bytes.
   *
   * Since: 0.1
   */
  properties[PROP_FILE_SIZE] =
      g_param_spec_uint64 ("file-size", NULL, NULL, 0, G_MAXUINT64, 0, flags);

  /**
   * WeftRecorderStatus:cpu:
   *
   * CPU time of the recorder's process since the start, nanoseconds: what recording costs.
   *
   * Since: 0.1
   */
  properties[PROP_CPU] = g_param_spec_uint64 ("cpu", NULL, NULL, 0, G_MAXUINT64, 0, flags);

  /**
   * WeftRecorderStatus:resident:
   *
   * Resident memory of the recorder's process, bytes.
   *
   * Since: 0.1
   */
  properties[PROP_RESIDENT] =
      g_param_spec_uint64 ("resident", NULL, NULL, 0, G_MAXUINT64, 0, flags);

  /**
   * WeftRecorderStatus:matches:
   *
   * Dispatches that [property@Recorder:keep-filter] fitted. 0 of a recorder of another process.
   *
   * Since: 0.1
   */
  properties[PROP_MATCHES] = g_param_spec_uint64 ("matches", NULL, NULL, 0, G_MAXUINT64, 0, flags);

  /**
   * WeftRecorderStatus:kept:
   *
   * Files that were made for them. 0 of a recorder of another process.
   *
   * Since: 0.1
   */
  properties[PROP_KEPT] = g_param_spec_uint ("kept", NULL, NULL, 0, G_MAXUINT, 0, flags);
}

/* Of the CPUs. */
static void
install_cpu_figures (GParamFlags flags)
{
  /**
   * WeftRecorderStatus:samples:
   *
   * Samples of CPU time that were taken.
   *
   * Since: 0.1
   */
  properties[PROP_SAMPLES] = g_param_spec_uint64 ("samples", NULL, NULL, 0, G_MAXUINT64, 0, flags);

  /**
   * WeftRecorderStatus:stacks-complete:
   *
   * Samples whose stack reaches the begin of its thread.
   *
   * Since: 0.1
   */
  properties[PROP_STACKS_COMPLETE] =
      g_param_spec_uint64 ("stacks-complete", NULL, NULL, 0, G_MAXUINT64, 0, flags);

  /**
   * WeftRecorderStatus:waits:
   *
   * Waits off the CPU that were recorded.
   *
   * Since: 0.1
   */
  properties[PROP_WAITS] = g_param_spec_uint64 ("waits", NULL, NULL, 0, G_MAXUINT64, 0, flags);

  /**
   * WeftRecorderStatus:events-lost:
   *
   * CPU events that came faster than they could be taken or written.
   *
   * Since: 0.1
   */
  properties[PROP_EVENTS_LOST] =
      g_param_spec_uint64 ("events-lost", NULL, NULL, 0, G_MAXUINT64, 0, flags);

  /**
   * WeftRecorderStatus:sampler:
   *
   * Where CPU events come from: `perf-cgroup` (of all that a launched program starts, however short
   * it lives), `perf`, `perf-user` (without the kernel's part), `ptrace` or `off`.
   *
   * Since: 0.1
   */
  properties[PROP_SAMPLER] = g_param_spec_string ("sampler", NULL, NULL, NULL, flags);

  /**
   * WeftRecorderStatus:sampler-missing:
   *
   * What is not recorded of the CPUs, and how to get it: sentences for people.
   *
   * Since: 0.1
   */
  properties[PROP_SAMPLER_MISSING] =
      g_param_spec_string ("sampler-missing", NULL, NULL, NULL, flags);
}

static void
weft_recorder_status_class_init (WeftRecorderStatusClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  object_class->get_property = weft_recorder_status_get_property;

  /**
   * WeftRecorderStatus:state:
   *
   * What the recorder is doing.
   *
   * Since: 0.1
   */
  properties[PROP_STATE] =
      g_param_spec_enum ("state", NULL, NULL, WEFT_TYPE_RECORDER_STATE, WEFT_RECORDER_NEW, flags);

  /**
   * WeftRecorderStatus:elapsed:
   *
   * Time since the start, nanoseconds.
   *
   * Since: 0.1
   */
  properties[PROP_ELAPSED] = g_param_spec_int64 ("elapsed", NULL, NULL, 0, G_MAXINT64, 0, flags);

  /**
   * WeftRecorderStatus:dispatches:
   *
   * Recorded dispatches.
   *
   * Since: 0.1
   */
  properties[PROP_DISPATCHES] =
      g_param_spec_uint64 ("dispatches", NULL, NULL, 0, G_MAXUINT64, 0, flags);

  /**
   * WeftRecorderStatus:pending:
   *
   * Dispatches that were submitted and have not completed.
   *
   * Since: 0.1
   */
  properties[PROP_PENDING] = g_param_spec_uint64 ("pending", NULL, NULL, 0, G_MAXUINT64, 0, flags);

  /**
   * WeftRecorderStatus:rejected:
   *
   * Records that were refused because they were not sound.
   *
   * Since: 0.1
   */
  properties[PROP_REJECTED] =
      g_param_spec_uint64 ("rejected", NULL, NULL, 0, G_MAXUINT64, 0, flags);

  /**
   * WeftRecorderStatus:lost:
   *
   * Records that could not be kept.
   *
   * Since: 0.1
   */
  properties[PROP_LOST] = g_param_spec_uint64 ("lost", NULL, NULL, 0, G_MAXUINT64, 0, flags);

  /**
   * WeftRecorderStatus:sampled-out:
   *
   * Records left out by sampling.
   *
   * Since: 0.1
   */
  properties[PROP_SAMPLED_OUT] =
      g_param_spec_uint64 ("sampled-out", NULL, NULL, 0, G_MAXUINT64, 0, flags);

  install_surroundings (flags);
  install_cpu_figures (flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
weft_recorder_status_init (WeftRecorderStatus *self)
{
}

/**
 * weft_recorder_status_get_state:
 * @self: a status
 *
 * Tells what the recorder is doing.
 *
 * Returns: the state
 *
 * Since: 0.1
 */
WeftRecorderState
weft_recorder_status_get_state (WeftRecorderStatus *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER_STATUS (self), WEFT_RECORDER_NEW);

  return self->state;
}

/**
 * weft_recorder_status_get_elapsed:
 * @self: a status
 *
 * Tells how long the recorder has run.
 *
 * Returns: nanoseconds
 *
 * Since: 0.1
 */
gint64
weft_recorder_status_get_elapsed (WeftRecorderStatus *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER_STATUS (self), 0);

  return self->figures.elapsed;
}

/**
 * weft_recorder_status_get_dispatches:
 * @self: a status
 *
 * Tells how many dispatches were recorded.
 *
 * Returns: their number
 *
 * Since: 0.1
 */
guint64
weft_recorder_status_get_dispatches (WeftRecorderStatus *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER_STATUS (self), 0);

  return self->figures.dispatches;
}

/**
 * weft_recorder_status_get_pending:
 * @self: a status
 *
 * Tells how many dispatches were submitted and have not completed.
 *
 * Returns: their number
 *
 * Since: 0.1
 */
guint64
weft_recorder_status_get_pending (WeftRecorderStatus *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER_STATUS (self), 0);

  return self->figures.pending;
}

/**
 * weft_recorder_status_get_rejected:
 * @self: a status
 *
 * Tells how many records were refused because they were not sound.
 *
 * Returns: their number
 *
 * Since: 0.1
 */
guint64
weft_recorder_status_get_rejected (WeftRecorderStatus *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER_STATUS (self), 0);

  return self->figures.rejected;
}

/**
 * weft_recorder_status_get_lost:
 * @self: a status
 *
 * Tells how many records could not be kept.
 *
 * Returns: their number
 *
 * Since: 0.1
 */
guint64
weft_recorder_status_get_lost (WeftRecorderStatus *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER_STATUS (self), 0);

  return self->figures.lost;
}

/**
 * weft_recorder_status_get_sampled_out:
 * @self: a status
 *
 * Tells how many records sampling left out.
 *
 * Returns: their number
 *
 * Since: 0.1
 */
guint64
weft_recorder_status_get_sampled_out (WeftRecorderStatus *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER_STATUS (self), 0);

  return self->figures.sampled_out;
}

/**
 * weft_recorder_status_get_refused:
 * @self: a status
 *
 * Tells how many connections were refused.
 *
 * Returns: their number
 *
 * Since: 0.1
 */
guint64
weft_recorder_status_get_refused (WeftRecorderStatus *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER_STATUS (self), 0);

  return self->figures.refused;
}

/**
 * weft_recorder_status_get_lanes:
 * @self: a status
 *
 * Tells how many lanes were seen.
 *
 * Returns: their number
 *
 * Since: 0.1
 */
guint
weft_recorder_status_get_lanes (WeftRecorderStatus *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER_STATUS (self), 0);

  return self->figures.lanes;
}

/**
 * weft_recorder_status_get_runtimes:
 * @self: a status
 *
 * Tells how many runtimes are attached now.
 *
 * Returns: their number
 *
 * Since: 0.1
 */
guint
weft_recorder_status_get_runtimes (WeftRecorderStatus *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER_STATUS (self), 0);

  return self->figures.runtimes;
}

/**
 * weft_recorder_status_get_runtimes_seen:
 * @self: a status
 *
 * Tells how many runtimes were seen, those attached now among them.
 *
 * Returns: their number
 *
 * Since: 0.1
 */
guint
weft_recorder_status_get_runtimes_seen (WeftRecorderStatus *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER_STATUS (self), 0);

  return self->figures.runtimes_seen;
}

/**
 * weft_recorder_status_get_file_size:
 * @self: a status
 *
 * Tells how large the file is.
 *
 * Returns: bytes
 *
 * Since: 0.1
 */
guint64
weft_recorder_status_get_file_size (WeftRecorderStatus *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER_STATUS (self), 0);

  return self->figures.file_size;
}

/**
 * weft_recorder_status_get_cpu:
 * @self: a status
 *
 * Tells how much CPU time the recorder's process has used since the start.
 *
 * Returns: nanoseconds
 *
 * Since: 0.1
 */
guint64
weft_recorder_status_get_cpu (WeftRecorderStatus *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER_STATUS (self), 0);

  return self->figures.cpu;
}

/**
 * weft_recorder_status_get_resident:
 * @self: a status
 *
 * Tells how much memory the recorder's process holds.
 *
 * Returns: bytes
 *
 * Since: 0.1
 */
guint64
weft_recorder_status_get_resident (WeftRecorderStatus *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER_STATUS (self), 0);

  return self->figures.resident;
}

/**
 * weft_recorder_status_get_samples:
 * @self: a status
 *
 * Tells how many samples of CPU time were taken.
 *
 * Returns: their number
 *
 * Since: 0.1
 */
guint64
weft_recorder_status_get_samples (WeftRecorderStatus *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER_STATUS (self), 0);

  return self->figures.samples;
}

/**
 * weft_recorder_status_get_stacks_complete:
 * @self: a status
 *
 * Tells how many samples have a stack that reaches the begin of its thread.
 *
 * Returns: their number
 *
 * Since: 0.1
 */
guint64
weft_recorder_status_get_stacks_complete (WeftRecorderStatus *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER_STATUS (self), 0);

  return self->figures.stacks_complete;
}

/**
 * weft_recorder_status_get_waits:
 * @self: a status
 *
 * Tells how many waits off the CPU were recorded.
 *
 * Returns: their number
 *
 * Since: 0.1
 */
guint64
weft_recorder_status_get_waits (WeftRecorderStatus *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER_STATUS (self), 0);

  return self->figures.waits;
}

/**
 * weft_recorder_status_get_events_lost:
 * @self: a status
 *
 * Tells how many CPU events came faster than they could be taken or written.
 *
 * Returns: their number
 *
 * Since: 0.1
 */
guint64
weft_recorder_status_get_events_lost (WeftRecorderStatus *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER_STATUS (self), 0);

  return self->figures.events_lost;
}

/**
 * weft_recorder_status_get_sampler:
 * @self: a status
 *
 * Tells where CPU events come from.
 *
 * Returns: `perf-cgroup`, `perf`, `perf-user`, `ptrace` or `off`
 *
 * Since: 0.1
 */
const char *
weft_recorder_status_get_sampler (WeftRecorderStatus *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER_STATUS (self), NULL);

  return self->figures.sampler;
}

/**
 * weft_recorder_status_get_sampler_missing:
 * @self: a status
 *
 * Tells what is not recorded of the CPUs, and how to get it.
 *
 * Returns: sentences for people; empty if nothing is missing
 *
 * Since: 0.1
 */
const char *
weft_recorder_status_get_sampler_missing (WeftRecorderStatus *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER_STATUS (self), NULL);

  return self->figures.sampler_missing;
}

/**
 * weft_recorder_status_get_matches:
 * @self: a status
 *
 * Tells how many dispatches [property@Recorder:keep-filter] fitted.
 *
 * Returns: how many
 *
 * Since: 0.1
 */
guint64
weft_recorder_status_get_matches (WeftRecorderStatus *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER_STATUS (self), 0);

  return self->kept.matches;
}

/**
 * weft_recorder_status_get_kept:
 * @self: a status
 *
 * Tells how many files were made for them.
 *
 * Returns: how many
 *
 * Since: 0.1
 */
guint
weft_recorder_status_get_kept (WeftRecorderStatus *self)
{
  g_return_val_if_fail (WEFT_IS_RECORDER_STATUS (self), 0);

  return self->kept.kept;
}
