/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What can be measured on this machine, tried out: enumerates counter sets and sampling points,
 * makes a sample buffer of each set, samples a small dispatch on the classic path, writes timestamps
 * around it on Metal 4's path, and makes a GPU capture of it. Prints each outcome, and registers
 * every counter set with what came of it, so that a recording of this program (`weft record`, or
 * WEFT_TARGET_SPOOL) says why counters are there or not.
 *
 *   weft-metal-probe [FOLDER]      where the capture goes; a temporary folder else
 */
#import "weft-metal-objects.h"

#include <stdio.h>
#include <string.h>

#define N_TRIES 64
#define N_VALUES 64

static NSString *const kernel_source = @"#include <metal_stdlib>\n"
                                        "using namespace metal;\n"
                                        "kernel void probe (device uint *out [[buffer (0)]],\n"
                                        "                   uint i [[thread_position_in_grid]])\n"
                                        "{\n"
                                        "  uint x = i;\n"
                                        "  for (uint n = 0; n < 1000; n++)\n"
                                        "    x = x * 1664525u + 1013904223u;\n"
                                        "  out[i] = x;\n"
                                        "}\n";

typedef struct
{
  id<MTLDevice> device;
  id<MTLCommandQueue> queue;
  id<MTLComputePipelineState> pipeline;
  id<MTLBuffer> out;
  bool at_dispatch; /* where the classic path samples */
  bool at_stage;
  const char *metal_4; /* whether its encoders sample counters; NULL: there is none */
} Probe;

/* What came of a counter set. */
typedef struct
{
  WeftTargetAvailability availability;
  char reason[256];
  char probe[1024];
  uint64_t overhead; /* ns of GPU time a sample; 0 unknown */
} Outcome;

static void
say (Outcome *outcome, NSString *text)
{
  size_t used = strlen (outcome->probe);

  snprintf (outcome->probe + used, sizeof outcome->probe - used, "%s%s", used > 0 ? "; " : "",
            text.UTF8String);
  printf ("    %s\n", text.UTF8String);
}

static bool
prepare (Probe *probe)
{
  NSError *error = nil;
  id<MTLLibrary> library;

  probe->device = MTLCreateSystemDefaultDevice ();
  if (probe->device == nil)
    {
      puts ("There is no Metal device.");
      return false;
    }
  printf ("device: %s\nsystem: %s\n", probe->device.name.UTF8String,
          [NSProcessInfo processInfo].operatingSystemVersionString.UTF8String);
  library = [probe->device newLibraryWithSource:kernel_source options:nil error:&error];
  if (library != nil)
    probe->pipeline = [probe->device
        newComputePipelineStateWithFunction:[library newFunctionWithName:@"probe"]
                                      error:&error];
  if (probe->pipeline == nil)
    {
      printf ("The kernel cannot be built: %s\n", error.localizedDescription.UTF8String);
      return false;
    }
  probe->queue = [probe->device newCommandQueue];
  probe->out = [probe->device newBufferWithLength:65536 * sizeof (uint32_t)
                                          options:MTLResourceStorageModeShared];
  return true;
}

static void
try_points (Probe *probe)
{
  static const struct
  {
    MTLCounterSamplingPoint point;
    const char *name;
  } points[] = {
    { MTLCounterSamplingPointAtStageBoundary, "MTLCounterSamplingPointAtStageBoundary" },
    { MTLCounterSamplingPointAtDrawBoundary, "MTLCounterSamplingPointAtDrawBoundary" },
    { MTLCounterSamplingPointAtDispatchBoundary, "MTLCounterSamplingPointAtDispatchBoundary" },
    { MTLCounterSamplingPointAtTileDispatchBoundary,
      "MTLCounterSamplingPointAtTileDispatchBoundary" },
    { MTLCounterSamplingPointAtBlitBoundary, "MTLCounterSamplingPointAtBlitBoundary" },
  };

  puts ("sampling points:");
  for (size_t i = 0; i < sizeof points / sizeof *points; i++)
    printf ("  %s: %s\n", points[i].name,
            [probe->device supportsCounterSampling:points[i].point] ? "supported"
                                                                    : "not supported");
  probe->at_dispatch
      = [probe->device supportsCounterSampling:MTLCounterSamplingPointAtDispatchBoundary];
  probe->at_stage
      = [probe->device supportsCounterSampling:MTLCounterSamplingPointAtStageBoundary];
}

/* ---- The classic path ---- */

static void
encode_dispatch (const Probe *probe, id<MTLComputeCommandEncoder> encoder)
{
  [encoder setComputePipelineState:probe->pipeline];
  [encoder setBuffer:probe->out offset:0 atIndex:0];
  [encoder dispatchThreadgroups:MTLSizeMake (1024, 1, 1)
          threadsPerThreadgroup:MTLSizeMake (64, 1, 1)];
}

static id<MTLComputeCommandEncoder>
begin_pass (const Probe *probe, id<MTLCommandBuffer> buffer, id<MTLCounterSampleBuffer> samples)
{
  MTLComputePassDescriptor *pass;

  if (samples == nil || probe->at_dispatch)
    return [buffer computeCommandEncoder];
  pass = [MTLComputePassDescriptor computePassDescriptor];
  pass.sampleBufferAttachments[0].sampleBuffer = samples;
  pass.sampleBufferAttachments[0].startOfEncoderSampleIndex = 0;
  pass.sampleBufferAttachments[0].endOfEncoderSampleIndex = 1;
  return [buffer computeCommandEncoderWithDescriptor:pass];
}

/* GPU time of N_TRIES passes of one dispatch each, in seconds; sampled, if there are SAMPLES. */
static double
run_classic (const Probe *probe, id<MTLCounterSampleBuffer> samples)
{
  id<MTLCommandBuffer> buffer = [probe->queue commandBuffer];

  for (int i = 0; i < N_TRIES; i++)
    {
      id<MTLComputeCommandEncoder> encoder = begin_pass (probe, buffer, samples);

      if (samples != nil && probe->at_dispatch)
        [encoder sampleCountersInBuffer:samples atSampleIndex:0 withBarrier:YES];
      encode_dispatch (probe, encoder);
      if (samples != nil && probe->at_dispatch)
        [encoder sampleCountersInBuffer:samples atSampleIndex:1 withBarrier:YES];
      [encoder endEncoding];
    }
  [buffer commit];
  [buffer waitUntilCompleted];
  return buffer.status == MTLCommandBufferStatusCompleted ? buffer.GPUEndTime - buffer.GPUStartTime
                                                          : -1;
}

/* What the two samples hold: how many values, how many of them errors. */
static void
look_at_values (Outcome *outcome, id<MTLCounterSet> set, NSData *resolved)
{
  size_t n = resolved.length / sizeof (uint64_t);
  const uint64_t *values = (const uint64_t *) resolved.bytes;
  size_t errors = 0, nonzero = 0;

  for (size_t i = 0; i < n; i++)
    {
      errors += values[i] == MTLCounterErrorValue;
      nonzero += values[i] != 0;
    }
  say (outcome, [NSString stringWithFormat:@"two samples of %lu counters resolved to %lu values, "
                                            "%lu of them MTLCounterErrorValue, %lu not nought",
                                           (unsigned long) set.counters.count, (unsigned long) n,
                                           (unsigned long) errors, (unsigned long) nonzero]);
  if (n == 0 || errors == n || nonzero == 0)
    {
      outcome->availability = WEFT_TARGET_FAILING;
      snprintf (outcome->reason, sizeof outcome->reason,
                n == 0 ? "the samples did not resolve" : "no counter has a value");
      return;
    }
  outcome->availability = WEFT_TARGET_DISABLED;
  snprintf (outcome->reason, sizeof outcome->reason,
            "works, and is sampled only if a program asks for it (weft_metal_queue_sample ())");
}

static void
sample_classic (const Probe *probe, id<MTLCounterSet> set, id<MTLCounterSampleBuffer> samples,
                Outcome *outcome)
{
  double plain = run_classic (probe, nil), sampled = run_classic (probe, samples);

  if (plain < 0 || sampled < 0)
    {
      outcome->availability = WEFT_TARGET_FAILING;
      snprintf (outcome->reason, sizeof outcome->reason, "a sampled command buffer failed");
      return;
    }
  if (sampled > plain)
    outcome->overhead = (uint64_t) ((sampled - plain) * 1e9 / (2 * N_TRIES));
  say (outcome, [NSString stringWithFormat:@"%d dispatches took %.1f µs of GPU time, sampled at "
                                            "%s boundaries %.1f µs",
                                           N_TRIES, plain * 1e6,
                                           probe->at_dispatch ? "dispatch" : "stage",
                                           sampled * 1e6]);
  look_at_values (outcome, set, [samples resolveCounterRange:NSMakeRange (0, 2)]);
}

static void
try_set (const Probe *probe, id<MTLCounterSet> set, Outcome *outcome)
{
  MTLCounterSampleBufferDescriptor *descriptor = [MTLCounterSampleBufferDescriptor new];
  NSError *error = nil;
  id<MTLCounterSampleBuffer> samples;

  descriptor.counterSet = set;
  descriptor.label = @"weft probe";
  descriptor.storageMode = MTLStorageModeShared;
  descriptor.sampleCount = 2;
  samples = [probe->device newCounterSampleBufferWithDescriptor:descriptor error:&error];
  if (samples == nil)
    {
      outcome->availability = WEFT_TARGET_FAILING;
      snprintf (outcome->reason, sizeof outcome->reason, "no sample buffer: %s",
                error.localizedDescription.UTF8String);
      say (outcome, [NSString stringWithFormat:@"newCounterSampleBufferWithDescriptor: %@",
                                               error.localizedDescription]);
      return;
    }
  say (outcome, @"newCounterSampleBufferWithDescriptor: made");
  if (!probe->at_dispatch && !probe->at_stage)
    {
      outcome->availability = WEFT_TARGET_UNSUPPORTED;
      snprintf (outcome->reason, sizeof outcome->reason,
                "the device samples at neither dispatch nor stage boundaries of compute");
      return;
    }
  sample_classic (probe, set, samples, outcome);
}

static void
register_set (id<MTLCounterSet> set, const Outcome *outcome)
{
  const char *names[N_VALUES];
  WeftMetalCounterSetInfo info = { .name = set.name.UTF8String, .counters = names };

  for (id<MTLCounter> counter in set.counters)
    if (info.n_counters < N_VALUES)
      names[info.n_counters++] = counter.name.UTF8String;
  info.state.availability = outcome->availability;
  info.state.reason = outcome->reason;
  info.state.probe = outcome->probe;
  info.state.has_overhead = outcome->overhead != 0;
  info.state.overhead = outcome->overhead;
  info.state.overhead_text = "GPU time of a sample, by the difference of two runs of a small kernel";
  weft_metal_counter_set_new (&info, sizeof info);
}

static void
try_sets (const Probe *probe)
{
  puts ("counter sets, on the classic path:");
  if (probe->device.counterSets.count == 0)
    puts ("  none");
  for (id<MTLCounterSet> set in probe->device.counterSets)
    {
      Outcome outcome = { .availability = WEFT_TARGET_UNSUPPORTED };

      printf ("  %s:", set.name.UTF8String);
      for (id<MTLCounter> counter in set.counters)
        printf (" %s", counter.name.UTF8String);
      puts ("");
      try_set (probe, set, &outcome);
      if (probe->metal_4 != NULL)
        say (&outcome, [NSString stringWithUTF8String:probe->metal_4]);
      register_set (set, &outcome);
    }
}

/* ---- Metal 4 ---- */

API_AVAILABLE (macos (26.0))
static bool
run_metal_4 (Probe *probe, id<MTL4CommandQueue> queue, id<MTL4CounterHeap> heap)
{
  id<MTL4CommandAllocator> allocator = [probe->device newCommandAllocator];
  id<MTL4CommandBuffer> buffer = [probe->device newCommandBuffer];
  MTL4ArgumentTableDescriptor *descriptor = [MTL4ArgumentTableDescriptor new];
  const id<MTL4CommandBuffer> __unsafe_unretained buffers[] = { buffer };
  id<MTLSharedEvent> event = [probe->device newSharedEvent];
  NSError *error = nil;
  id<MTL4ArgumentTable> table;
  id<MTLResidencySet> set = [probe->device newResidencySetWithDescriptor:[MTLResidencySetDescriptor new]
                                                                   error:&error];
  id<MTL4ComputeCommandEncoder> encoder;

  descriptor.maxBufferBindCount = 1;
  table = [probe->device newArgumentTableWithDescriptor:descriptor error:&error];
  [table setAddress:probe->out.gpuAddress atIndex:0];
  [set addAllocation:probe->out];
  [set commit];
  [buffer beginCommandBufferWithAllocator:allocator];
  [buffer useResidencySet:set];
  encoder = [buffer computeCommandEncoder];
  probe->metal_4 = "MTL4ComputeCommandEncoder has no sampleCountersInBuffer";
  if ([encoder respondsToSelector:@selector (sampleCountersInBuffer:atSampleIndex:withBarrier:)])
    probe->metal_4 = "MTL4ComputeCommandEncoder has sampleCountersInBuffer";
  printf ("  %s\n", probe->metal_4);
  [encoder writeTimestampWithGranularity:MTL4TimestampGranularityPrecise intoHeap:heap atIndex:0];
  [encoder setComputePipelineState:probe->pipeline];
  [encoder setArgumentTable:table];
  [encoder dispatchThreadgroups:MTLSizeMake (1024, 1, 1)
          threadsPerThreadgroup:MTLSizeMake (64, 1, 1)];
  [encoder writeTimestampWithGranularity:MTL4TimestampGranularityPrecise intoHeap:heap atIndex:1];
  [encoder endEncoding];
  [buffer endCommandBuffer];
  [queue commit:buffers count:1];
  [queue signalEvent:event value:1];
  return [event waitUntilSignaledValue:1 timeoutMS:5000];
}

API_AVAILABLE (macos (26.0))
static void
tell_metal_4 (const Probe *probe, id<MTL4CounterHeap> heap, Outcome *outcome)
{
  NSData *resolved = [heap resolveCounterRange:NSMakeRange (0, 2)];
  const MTL4TimestampHeapEntry *entries = (const MTL4TimestampHeapEntry *) resolved.bytes;
  uint64_t frequency = [probe->device queryTimestampFrequency];

  say (outcome,
       [NSString
           stringWithFormat:@"queryTimestampFrequency: %llu; sizeOfCounterHeapEntry: %lu",
                            (unsigned long long) frequency,
                            (unsigned long) [probe->device
                                sizeOfCounterHeapEntry:MTL4CounterHeapTypeTimestamp]]);
  if (resolved.length < 2 * sizeof *entries || entries[1].timestamp <= entries[0].timestamp)
    {
      outcome->availability = WEFT_TARGET_FAILING;
      snprintf (outcome->reason, sizeof outcome->reason, "the entries did not resolve to a pair");
      return;
    }
  outcome->availability = WEFT_TARGET_PRESENT;
  outcome->reason[0] = '\0';
  say (outcome,
       [NSString stringWithFormat:@"a dispatch of %llu ticks, %.1f µs by that frequency",
                                  (unsigned long long) (entries[1].timestamp - entries[0].timestamp),
                                  frequency != 0
                                      ? (double) (entries[1].timestamp - entries[0].timestamp)
                                            * 1e6 / (double) frequency
                                      : 0.0]);
}

static void
try_metal_4 (Probe *probe, Outcome *outcome)
{
  puts ("Metal 4, timestamp heap:");
  snprintf (outcome->reason, sizeof outcome->reason, "it needs macOS 26");
  if (@available (macOS 26.0, *))
    {
      MTL4CounterHeapDescriptor *descriptor = [MTL4CounterHeapDescriptor new];
      NSError *error = nil;
      id<MTL4CommandQueue> queue;
      id<MTL4CounterHeap> heap;

      snprintf (outcome->reason, sizeof outcome->reason, "the device has no MTL4CommandQueue");
      if (![probe->device respondsToSelector:@selector (newMTL4CommandQueue)])
        return;
      queue = [probe->device newMTL4CommandQueue];
      descriptor.type = MTL4CounterHeapTypeTimestamp;
      descriptor.count = 2;
      heap = [probe->device newCounterHeapWithDescriptor:descriptor error:&error];
      outcome->availability = WEFT_TARGET_FAILING;
      snprintf (outcome->reason, sizeof outcome->reason, "no queue, or no timestamp heap: %s",
                error.localizedDescription.UTF8String);
      if (queue == nil || heap == nil)
        return;
      snprintf (outcome->reason, sizeof outcome->reason,
                "the dispatch did not complete within five seconds");
      if (run_metal_4 (probe, queue, heap))
        tell_metal_4 (probe, heap, outcome);
    }
}

static void
register_heap (Probe *probe)
{
  static const char *const names[] = { "GPUTimestamp" };
  Outcome outcome = { .availability = WEFT_TARGET_UNSUPPORTED };
  WeftMetalCounterSetInfo info
      = { .name = "MTL4CounterHeapTypeTimestamp", .counters = names, .n_counters = 1 };

  try_metal_4 (probe, &outcome);
  if (outcome.reason[0] != '\0')
    printf ("  %s\n", outcome.reason);
  info.state.availability = outcome.availability;
  info.state.reason = outcome.reason;
  info.state.probe = outcome.probe;
  weft_metal_counter_set_new (&info, sizeof info);
}

/* ---- Captures ---- */

/* What a capture shows can be looked at in Xcode only: its counters are behind no public interface.
 * So whether one can be made is what is found out here, and where it is.
 */
static void
try_capture (const Probe *probe, NSString *folder)
{
  NSString *path = [folder stringByAppendingPathComponent:@"weft-metal-probe.gputrace"];
  MTLCaptureManager *manager = [MTLCaptureManager sharedCaptureManager];
  MTLCaptureDescriptor *descriptor = [MTLCaptureDescriptor new];
  NSError *error = nil;

  puts ("GPU capture:");
  if (![manager supportsDestination:MTLCaptureDestinationGPUTraceDocument])
    {
      puts ("  documents are not supported: run this with MTL_CAPTURE_ENABLED=1");
      return;
    }
  [[NSFileManager defaultManager] removeItemAtPath:path error:NULL];
  descriptor.captureObject = probe->queue;
  descriptor.destination = MTLCaptureDestinationGPUTraceDocument;
  descriptor.outputURL = [NSURL fileURLWithPath:path];
  if (![manager startCaptureWithDescriptor:descriptor error:&error])
    {
      printf ("  does not start: %s\n", error.localizedDescription.UTF8String);
      return;
    }
  run_classic (probe, nil);
  [manager stopCapture];
  if (![[NSFileManager defaultManager] fileExistsAtPath:path])
    {
      puts ("  it ended and left no document");
      return;
    }
  printf ("  made: %s\n  Open it in Xcode and compare its counters with the sets above: what it "
          "shows beyond them is not to be had while the program runs.\n",
          path.UTF8String);
  weft_target_artifact_new ("metal.capture", path.UTF8String, "capability probe", 0);
}

int
main (int argc, char **argv)
{
  @autoreleasepool
    {
      Probe probe = { .at_dispatch = false };
      WeftTargetLane *lane = weft_target_lane_new ("probe", "metal.queue");
      static WeftTargetRoutine routine = WEFT_TARGET_ROUTINE ("capability probe");
      WeftTargetSpan span = weft_target_span_begin (lane, &routine);
      NSString *folder
          = argc > 1 ? [NSString stringWithUTF8String:argv[1]] : NSTemporaryDirectory ();

      if (!prepare (&probe))
        return 1;
      try_points (&probe);
      register_heap (&probe);
      try_sets (&probe);
      try_capture (&probe, folder);
      weft_target_span_end (span);
      return 0;
    }
}
