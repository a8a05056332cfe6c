/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-metal-domain.h"

#include "weft-metal-diagnosis.h"
#include "xctrace/weft-xctrace-words.h"

struct _WeftMetalDomain
{
  GObject parent_instance;
};

/* ---- Lanes ---- */

static const struct
{
  const char *pattern;
  const char *label;
  const char *icon;
  const char *color;
} kinds[] = {
  { "metal.queue", "Metal command queue", "view-list-symbolic", "#9141ac" },
  { "metal.channel", "GPU channel", "video-display-symbolic", "#c061cb" },
  { "metal.driver", "Metal driver", "applications-engineering-symbolic", "#a51d2d" },
  { "metal.state", "GPU state", "power-profile-performance-symbolic", "#986a44" },
  { "metal.encoder", "Metal encoding on the CPU", "document-edit-symbolic", "#1c71d8" },
  { "metal.capture", "Metal capture scope", "camera-photo-symbolic", "#e66100" },
  { "metal.*", "Metal", "video-display-symbolic", "#813d9c" },
};

static const struct
{
  const char *pattern; /* NULL: of all kinds */
  const char *word;
  const char *singular;
  const char *plural;
} words[] = {
  { NULL, "runtime", "device context", "device contexts" },
  { NULL, "queue", "command queue", "command queues" },
  { NULL, "submission", "command buffer", "command buffers" },
  { NULL, "dispatch", "GPU dispatch", "GPU dispatches" },
  { NULL, "phase", "stage", "stages" },
  { NULL, "routine", "shader", "shaders" },
  { NULL, "source", "Metal source", "Metal sources" },
  { NULL, "attachment", "resource", "resources" },
  { NULL, "counter set", "Metal counter set", "Metal counter sets" },
  { NULL, "artifact", "companion file", "companion files" },
  { "metal.channel", "dispatch", "GPU interval", "GPU intervals" },
  { "metal.driver", "dispatch", "driver interval", "driver intervals" },
  { "metal.driver", "routine", "driver activity", "driver activities" },
  { "metal.state", "dispatch", "interval", "intervals" },
  { "metal.state", "routine", "state", "states" },
  { "metal.encoder", "dispatch", "encoder", "encoders" },
  { "metal.capture", "dispatch", "captured scope", "captured scopes" },
};

static void
add_kinds (WeftVocabulary *vocabulary)
{
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    weft_vocabulary_add_kind (vocabulary, kinds[i].pattern, kinds[i].label, kinds[i].icon,
                              kinds[i].color);
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    weft_vocabulary_add_word (vocabulary, words[i].pattern, words[i].word, words[i].singular,
                              words[i].plural);
}

/* ---- Tags ---- */

static const struct
{
  const char *key;
  const char *label;
  const char *unit;
  const char *description;
} attributes[] = {
  { "metal.surface", "Observation surface", NULL,
    "Where times and values come from, which are never mixed: timestamp-heap, "
    "counter-sample-buffer or capture." },
  { "metal.granularity", "Timestamp granularity", NULL,
    "precise: MTL4TimestampGranularityPrecise, at the edges of each dispatch, which may cost "
    "time; relaxed: MTL4TimestampGranularityRelaxed, at the edges of a pass." },
  { "metal.device", "Device", NULL, "Name of the MTLDevice." },
  { "metal.function", "Function", NULL, "Name of the function in its library." },
  { "metal.pipeline", "Pipeline", NULL, "Identity of the pipeline state that the function is in." },
  { "metal.stage", "Stage", NULL,
    "kernel, vertex, fragment, mesh, object, visible, intersection." },
  { "metal.math", "Floating-point flavour", NULL, "fast math, or precise math." },
  { "metal.library", "Library", NULL, "Name or flavour of the library." },
  { "metal.library-hash", "Library hash", NULL,
    "SHA-256 of the .metallib: the same one read later adds its sources and arguments." },
  { "metal.library-uuid", "Library UUID", NULL, "UUID that the linker gave the library." },
  { "metal.library-format", "Library format", NULL, "Version of the .metallib format." },
  { "metal.joined-by", "Joined by", NULL,
    "How a shader is known to be a function of a library that was read later: library (its hash), "
    "name, or the label of its encoder." },
  { "metal.flavour", "Library flavour", NULL, "System, Metal and AIR version it is built for." },
  { "metal.function-hash", "Function hash", NULL, "Hash that the library has of the function." },
  { "metal.compiler", "Compiler", NULL, "What compiled the function." },
  { "metal.execution-width", "Execution width", "count", "Threads that run in step." },
  { "metal.threads-per-threadgroup-max", "Threads per threadgroup", "count",
    "maxTotalThreadsPerThreadgroup of the pipeline." },
  { "metal.threadgroup-memory", "Threadgroup memory", "bytes",
    "staticThreadgroupMemoryLength of the pipeline." },
  { "metal.gpu-time", "GPU time", "ns", "GPUEndTime less GPUStartTime of the command buffer." },
  { "metal.arguments-omitted", "Arguments left out", "count",
    "Bindings over the cap on what is told of a dispatch." },
};

static void
add_attributes (WeftVocabulary *vocabulary)
{
  for (guint i = 0; i < G_N_ELEMENTS (attributes); i++)
    weft_vocabulary_add_attribute (vocabulary, attributes[i].key, attributes[i].label,
                                   attributes[i].unit, attributes[i].description);
}

/* ---- Counters: of the sample-buffer surface, by the strings that Metal itself uses ---- */

static const struct
{
  const char *name;
  const char *label;
  const char *unit;
  const char *constant; /* of Metal's headers */
  WeftPolarity polarity;
} counters[] = {
  { "GPUTimestamp", "GPU timestamp", "ticks", "MTLCommonCounterTimestamp", WEFT_POLARITY_NEUTRAL },
  { "KernelInvocations", "Kernel invocations", "invocations",
    "MTLCommonCounterComputeKernelInvocations", WEFT_POLARITY_NEUTRAL },
  { "VertexInvocations", "Vertex invocations", "invocations", "MTLCommonCounterVertexInvocations",
    WEFT_POLARITY_NEUTRAL },
  { "PostTessellationVertexInvocations", "Vertex invocations after tessellation", "invocations",
    "MTLCommonCounterPostTessellationVertexInvocations", WEFT_POLARITY_NEUTRAL },
  { "TessellationInputPatches", "Patches tessellated", "count",
    "MTLCommonCounterTessellationInputPatches", WEFT_POLARITY_NEUTRAL },
  { "ClipperInvocations", "Clipper invocations", "invocations",
    "MTLCommonCounterClipperInvocations", WEFT_POLARITY_NEUTRAL },
  { "ClipperPrimitivesOut", "Primitives after clipping", "count",
    "MTLCommonCounterClipperPrimitivesOut", WEFT_POLARITY_NEUTRAL },
  { "FragmentInvocations", "Fragment invocations", "invocations",
    "MTLCommonCounterFragmentInvocations", WEFT_POLARITY_NEUTRAL },
  { "FragmentsPassed", "Fragments passed", "count", "MTLCommonCounterFragmentsPassed",
    WEFT_POLARITY_NEUTRAL },
  { "TotalCycles", "Cycles", "cycles", "MTLCommonCounterTotalCycles", WEFT_POLARITY_LOWER },
  { "VertexCycles", "Vertex cycles", "cycles", "MTLCommonCounterVertexCycles",
    WEFT_POLARITY_LOWER },
  { "TessellationCycles", "Tessellation cycles", "cycles", "MTLCommonCounterTessellationCycles",
    WEFT_POLARITY_LOWER },
  { "PostTessellationVertexCycles", "Vertex cycles after tessellation", "cycles",
    "MTLCommonCounterPostTessellationVertexCycles", WEFT_POLARITY_LOWER },
  { "FragmentCycles", "Fragment cycles", "cycles", "MTLCommonCounterFragmentCycles",
    WEFT_POLARITY_LOWER },
  { "RenderTargetWriteCycles", "Render-target write cycles", "cycles",
    "MTLCommonCounterRenderTargetWriteCycles", WEFT_POLARITY_LOWER },
};

static void
add_counters (WeftVocabulary *vocabulary)
{
  for (guint i = 0; i < G_N_ELEMENTS (counters); i++)
    {
      g_autofree char *description = g_strdup_printf (
          "%s, of a counter sample buffer. A sample that the GPU could not take is an error value "
          "(MTLCounterErrorValue), not a number.",
          counters[i].constant);

      weft_vocabulary_add_counter (vocabulary, counters[i].name, counters[i].label,
                                   counters[i].unit, description, counters[i].polarity);
    }
}

/* ---- Metrics, and what follows from figures ---- */

static void
add_metrics (WeftVocabulary *vocabulary)
{
  weft_vocabulary_add_metric (vocabulary, "metal.unresolved", "Dispatches without times", "count",
                              "Whose timestamps were never resolved, by reason; no duration is "
                              "made up for them.",
                              WEFT_POLARITY_LOWER);
  weft_vocabulary_add_metric (vocabulary, "metal.refused", "Calls refused", "count",
                              "Calls of the producer that made no sense.", WEFT_POLARITY_LOWER);
  weft_vocabulary_add_metric (vocabulary, "metal.clock.drift", "Clock drift", "ppm",
                              "Of the GPU's clock from the CPU's, by the last calibration.",
                              WEFT_POLARITY_NEUTRAL);
  weft_vocabulary_add_metric (vocabulary, "metal.clock.error", "Clock error", "ns",
                              "How far a converted time may be off.", WEFT_POLARITY_LOWER);
}

static const struct
{
  const char *name;
  const char *expression;
  const char *label;
  const char *unit;
  WeftPolarity polarity;
} derived[] = {
  { "metal.invocations-per-dispatch", "KernelInvocations / dispatches", "Invocations a dispatch",
    "invocations", WEFT_POLARITY_NEUTRAL },
  { "metal.invocations-per-run", "KernelInvocations / count", "Invocations a dispatch",
    "invocations", WEFT_POLARITY_NEUTRAL },
  { "metal.cycles-per-invocation", "TotalCycles / KernelInvocations", "Cycles an invocation",
    "cycles", WEFT_POLARITY_LOWER },
  { "metal.invocation-rate", "KernelInvocations * 1e9 / total", "Kernel invocation rate", "1/s",
    WEFT_POLARITY_HIGHER },
  { "metal.cycle-rate", "TotalCycles * 1e9 / total", "Cycle rate", "1/s", WEFT_POLARITY_NEUTRAL },
  { "metal.vertex-share", "100 * VertexCycles / TotalCycles", "Vertex cycles", "percent",
    WEFT_POLARITY_NEUTRAL },
  { "metal.fragment-share", "100 * FragmentCycles / TotalCycles", "Fragment cycles", "percent",
    WEFT_POLARITY_NEUTRAL },
  { "metal.fragment-pass-share", "100 * FragmentsPassed / FragmentInvocations",
    "Fragments that passed", "percent", WEFT_POLARITY_HIGHER },
};

static void
add_derived (WeftVocabulary *vocabulary)
{
  for (guint i = 0; i < G_N_ELEMENTS (derived); i++)
    weft_vocabulary_add_derived_metric (vocabulary, derived[i].name, derived[i].expression,
                                        derived[i].label, derived[i].unit, NULL,
                                        derived[i].polarity);
}

/* ---- Hints: the three surfaces, where they may be sampled, and what is missing ---- */

static const struct
{
  const char *code;
  const char *text;
} hints[] = {
  { "metal.surface.timestamp-heap",
    "Times by Metal 4's timestamp heap: MTL4CounterHeapDescriptor, MTL4CounterHeapTypeTimestamp, "
    "MTL4CounterHeap; written by MTL4ComputeCommandEncoder and MTL4RenderCommandEncoder "
    "writeTimestampWithGranularity: and MTL4CommandBuffer writeTimestampIntoHeap:atIndex:; read by "
    "resolveCounterHeap: and resolveCounterRange:; MTLDevice sizeOfCounterHeapEntry and "
    "queryTimestampFrequency. It has times only, no hardware counters." },
  { "metal.surface.counter-sample-buffer",
    "Hardware counters by sample buffers: MTLDevice counterSets, MTLCounterSet, "
    "MTLCounterSampleBufferDescriptor, newCounterSampleBufferWithDescriptor:error:, "
    "supportsCounterSampling:; sampleCountersInBuffer:atSampleIndex:withBarrier: of compute, "
    "render, blit and acceleration-structure encoders; read by MTLCounterSampleBuffer "
    "resolveCounterRange: into MTLCounterResultStatistic, MTLCounterResultStageUtilization or "
    "MTLCounterResultTimestamp. Barriers and sampling cost time." },
  { "metal.surface.capture",
    "A GPU capture: MTLCaptureManager, MTLCaptureDescriptor, MTLCaptureScope, of a device, a queue "
    "or a scope, written as a .gputrace document. A companion file to open in Xcode, not a source "
    "of times here." },
  { "metal.sampling-point.stage-boundary",
    "MTLCounterSamplingPointAtStageBoundary: at the edges of a pass's stages." },
  { "metal.sampling-point.draw-boundary",
    "MTLCounterSamplingPointAtDrawBoundary: between draws of a render pass." },
  { "metal.sampling-point.dispatch-boundary",
    "MTLCounterSamplingPointAtDispatchBoundary: between dispatches of a compute pass." },
  { "metal.sampling-point.tile-dispatch-boundary",
    "MTLCounterSamplingPointAtTileDispatchBoundary: between tile dispatches." },
  { "metal.sampling-point.blit-boundary", "MTLCounterSamplingPointAtBlitBoundary: between blits." },
  { "metal.counter-set.timestamp", "MTLCommonCounterSetTimestamp: GPU timestamps." },
  { "metal.counter-set.statistic",
    "MTLCommonCounterSetStatistic: invocations and primitives by stage." },
  { "metal.counter-set.stageutilization", "MTLCommonCounterSetStageUtilization: cycles by stage." },
  { "metal.error-value",
    "MTLCounterErrorValue (all bits set): the GPU could not take this sample." },
  { "metal-unresolved",
    "The timestamps of a dispatch were not resolved; the message says why, and no duration is made "
    "up for it." },
  { "metal-refused", "A call of the Metal producer made no sense, and was refused." },
  { "metal-capture", "A GPU capture could not be begun or ended." },
  { WEFT_METAL_CHECK_LANES, WEFT_METAL_ADVICE_LANES },
  { WEFT_METAL_CHECK_SOURCES, WEFT_METAL_ADVICE_SOURCES },
  { WEFT_METAL_CHECK_COUNTERS, WEFT_METAL_ADVICE_COUNTERS },
};

static void
add_hints (WeftVocabulary *vocabulary)
{
  for (guint i = 0; i < G_N_ELEMENTS (hints); i++)
    weft_vocabulary_add_hint (vocabulary, hints[i].code, hints[i].text);
}

/* ---- The domain ---- */

static char *
get_name (WeftDomain *domain)
{
  return g_strdup ("metal");
}

static WeftVocabulary *
get_vocabulary (WeftDomain *domain)
{
  WeftVocabulary *vocabulary = weft_vocabulary_new ("metal");

  weft_vocabulary_set_title (vocabulary, "Metal",
                             "Work that programs hand to GPUs by Metal. Its lanes run beside the "
                             "CPU: their time is not CPU time.");
  add_kinds (vocabulary);
  add_attributes (vocabulary);
  add_counters (vocabulary);
  add_metrics (vocabulary);
  add_derived (vocabulary);
  add_hints (vocabulary);
  weft_xctrace_add_words (vocabulary);
  return vocabulary;
}

static void
domain_interface_init (WeftDomainInterface *interface)
{
  interface->get_name = get_name;
  interface->get_vocabulary = get_vocabulary;
  interface->diagnose = weft_metal_diagnose;
  interface->concerns = weft_metal_concerns;
  interface->get_details = weft_metal_get_details;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (WeftMetalDomain, weft_metal_domain, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (WEFT_TYPE_DOMAIN, domain_interface_init))

static void
weft_metal_domain_class_init (WeftMetalDomainClass *klass)
{
}

static void
weft_metal_domain_init (WeftMetalDomain *self)
{
}

WeftDomain *
weft_metal_domain_new (void)
{
  return g_object_new (WEFT_METAL_TYPE_DOMAIN, NULL);
}
