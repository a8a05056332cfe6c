/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The words of OpenCL. */

#include "weft-opencl-domain.h"

struct _WeftOpenclDomain
{
  GObject parent_instance;
};

static char *
get_name (WeftDomain *domain)
{
  return g_strdup ("opencl");
}

static void
add_kinds (WeftVocabulary *words)
{
  static const struct
  {
    const char *kind;
    const char *word;
    const char *singular;
    const char *plural;
  } terms[] = {
    { NULL, "lane", "command queue", "command queues" },
    { NULL, "queue", "command queue", "command queues" },
    { NULL, "submission", "batch", "batches" },
    { NULL, "dispatch", "command", "commands" },
    { NULL, "routine", "kernel", "kernels" },
    { NULL, "source", "program", "programs" },
    { NULL, "origin", "enqueue", "enqueues" },
    { NULL, "wait", "blocking call", "blocking calls" },
    { NULL, "attachment", "argument", "arguments" },
    { NULL, "runtime", "process", "processes" },
    { "opencl.compiler", "lane", "compiler", "compilers" },
    { "opencl.compiler", "dispatch", "build", "builds" },
    { "opencl.compiler", "routine", "call", "calls" },
    { "opencl.user-events", "lane", "user events", "user events" },
    { "opencl.user-events", "dispatch", "user event", "user events" },
  };

  weft_vocabulary_add_kind (words, "opencl.*", "OpenCL", "application-x-addon-symbolic", "#1c71d8");
  weft_vocabulary_add_kind (words, "opencl.queue", "OpenCL queue", "view-list-bullet-symbolic",
                            "#1c71d8");
  weft_vocabulary_add_kind (words, "opencl.compiler", "OpenCL compiler",
                            "applications-engineering-symbolic", "#c64600");
  weft_vocabulary_add_kind (words, "opencl.user-events", "OpenCL user events", "alarm-symbolic",
                            "#63452c");
  for (gsize i = 0; i < G_N_ELEMENTS (terms); i++)
    weft_vocabulary_add_word (words, terms[i].kind, terms[i].word, terms[i].singular,
                              terms[i].plural);
}

static void
add_attributes (WeftVocabulary *words)
{
  static const struct
  {
    const char *key;
    const char *label;
    const char *unit;
    const char *description;
  } attributes[] = {
    { "global_size", "Global size", NULL, "Work items in each dimension." },
    { "local_size", "Local size", NULL,
      "Work items of a work group in each dimension; absent where the implementation chose." },
    { "global_offset", "Global offset", NULL, "First work item in each dimension, if not 0." },
    { "blocking", "Blocking", NULL, "The call returned only when the command was over." },
    { "to_host", "To the host", NULL, "Memory objects were moved to the host." },
    { "after", "Behind", NULL, "The producer's number of a command that it waited for." },
    { "first_use", "First use", NULL,
      "The kernel ran on this device, with this local size, for the first time: what is compiled "
      "at run time is compiled there." },
    { "times", "Times", NULL, "Said where the times are not the device's." },
    { "build_options", "Build options", NULL, "As the program gave them." },
    { "build_log", "Build log", NULL, "What the compiler said." },
    { "kernels", "Kernels", NULL, "Kernels in what was built." },
    { "order", "Order", NULL, "Whether commands of the queue run one after the other." },
    { "profiling", "Profiling", NULL, "Who asked for the device's times." },
    { "clock", "Clock", NULL, "The clock that the device's times were found to be of." },
    { "extra_build_flags", "Extra build flags", NULL,
      "What was added to the options of every build for lines of kernels: it changes the timing." },
    { "platform", "Platform", NULL, "The implementation." },
    { "device", "Device", NULL, NULL },
    { "device_type", "Type of device", NULL, NULL },
    { "vendor", "Vendor", NULL, NULL },
    { "device_version", "OpenCL version", NULL, NULL },
    { "driver_version", "Driver version", NULL, NULL },
    { "language_version", "OpenCL C version", NULL, NULL },
    { "compute_units", "Compute units", "count", NULL },
    { "clock_mhz", "Highest clock frequency", "MHz", NULL },
    { "global_memory", "Global memory", "bytes", NULL },
    { "local_memory", "Local memory", "bytes", NULL },
    { "largest_buffer", "Largest buffer", "bytes", NULL },
    { "largest_work_group", "Largest work group", "count", NULL },
    { "timer_resolution", "Resolution of times", "ns", NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (attributes); i++)
    weft_vocabulary_add_attribute (words, attributes[i].key, attributes[i].label,
                                   attributes[i].unit, attributes[i].description);
}

/* Rates of transfers and kernels are of routines (COUNT is a column of theirs alone): the time of a
 * queue is that of its other commands, too.
 */
static void
add_figures (WeftVocabulary *words)
{
  weft_vocabulary_add_counter (words, "work_items", "Work items", "count",
                               "Work items of a kernel.", WEFT_POLARITY_NEUTRAL);
  weft_vocabulary_add_counter (words, "work_groups", "Work groups", "count",
                               "Work groups of a kernel whose local size was given.",
                               WEFT_POLARITY_NEUTRAL);
  weft_vocabulary_add_counter (words, "bytes", "Bytes moved", "bytes",
                               "Bytes that a transfer moved.", WEFT_POLARITY_NEUTRAL);
  weft_vocabulary_add_counter (words, "queued_time", "Time to submission", "ns",
                               "From the call until the device was told (QUEUED to SUBMIT).",
                               WEFT_POLARITY_LOWER);
  weft_vocabulary_add_counter (words, "submitted_time", "Time to the start", "ns",
                               "From telling the device until the start (SUBMIT to START).",
                               WEFT_POLARITY_LOWER);
  weft_vocabulary_add_counter (words, "launch_time", "Time to launch", "ns",
                               "From when nothing was in front of it until the start.",
                               WEFT_POLARITY_LOWER);
  weft_vocabulary_add_counter (words, "behind_time", "Time behind others", "ns",
                               "Until what was before it in its in-order queue was over.",
                               WEFT_POLARITY_LOWER);
  weft_vocabulary_add_derived_metric (
      words, "queue_wait_mean", "(queued_time + submitted_time) / dispatches",
      "Wait in the queue, mean", "ns", "From the call until the start.", WEFT_POLARITY_LOWER);
  weft_vocabulary_add_derived_metric (words, "behind_share", "100 * behind_time / elapsed",
                                      "Waiting behind others", "percent",
                                      "Time that commands waited for those before them in the "
                                      "queue, of the time recorded; more than 100 where several "
                                      "waited at once.",
                                      WEFT_POLARITY_LOWER);
  weft_vocabulary_add_derived_metric (words, "command_rate", "1e9 * dispatches / elapsed",
                                      "Commands a second", "1/s", NULL, WEFT_POLARITY_NEUTRAL);
  weft_vocabulary_add_derived_metric (
      words, "work_item_rate", "1e9 * work_items / total * (count / count)", "Work items a second",
      "1/s", "While the kernel ran.", WEFT_POLARITY_HIGHER);
  weft_vocabulary_add_derived_metric (words, "transfer_rate",
                                      "1e9 * bytes / total * (count / count)", "Bytes a second",
                                      "bytes/s", "While the transfer ran.", WEFT_POLARITY_HIGHER);
}

static void
add_hints (WeftVocabulary *words)
{
  static const char *const hints[][2] = {
    { "CL_BUILD_PROGRAM_FAILURE",
      "The compiler refused the program: its log is the tag build_log of the build" },
    { "CL_OUT_OF_RESOURCES", "The device ran out of something: registers, local memory, or time" },
    { "CL_MEM_OBJECT_ALLOCATION_FAILURE", "The device had no memory for an argument" },
    { "CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST",
      "What the command was to wait for failed: look at that" },
    { "CL_INVALID_KERNEL_ARGS", "An argument of the kernel was not set" },
    { "CL_INVALID_WORK_GROUP_SIZE",
      "The local size does not fit the device, the kernel or the global size" },
    { "opencl.too-many-under-way",
      "Wait for commands, or flush and let them end, before queuing so many more" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (hints); i++)
    weft_vocabulary_add_hint (words, hints[i][0], hints[i][1]);
}

static WeftVocabulary *
get_vocabulary (WeftDomain *domain)
{
  WeftVocabulary *words = weft_vocabulary_new ("opencl");

  weft_vocabulary_set_title (words, "OpenCL",
                             "Kernels and transfers that programs queue with OpenCL.");
  add_kinds (words);
  add_attributes (words);
  add_figures (words);
  add_hints (words);
  return words;
}

static GListModel *
diagnose (WeftDomain *domain, WeftRecording *recording, GCancellable *cancellable, GError **error)
{
  return weft_opencl_domain_find (recording, cancellable, error);
}

static void
domain_interface_init (WeftDomainInterface *interface)
{
  interface->get_name = get_name;
  interface->get_vocabulary = get_vocabulary;
  interface->diagnose = diagnose;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (WeftOpenclDomain, weft_opencl_domain, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (WEFT_TYPE_DOMAIN, domain_interface_init))

static void
weft_opencl_domain_class_init (WeftOpenclDomainClass *klass)
{
}

static void
weft_opencl_domain_init (WeftOpenclDomain *self)
{
}

WeftDomain *
weft_opencl_domain_new (void)
{
  return g_object_new (WEFT_TYPE_OPENCL_DOMAIN, NULL);
}
