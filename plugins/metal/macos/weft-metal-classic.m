/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The classic path: counter sample buffers. Values of the set “timestamp” are in the unit of
 * sampleTimestamps:gpuTimestamp:, whatever that is on a device; no frequency is claimed, the pairs
 * of clocks tell it.
 */
#import "weft-metal-objects.h"

#include <string.h>

static id<MTLDevice>
device_of (void *data)
{
  return (__bridge id<MTLDevice>) data;
}

static id<MTLCounterSet>
find_set (id<MTLDevice> device, NSString *name)
{
  for (id<MTLCounterSet> set in device.counterSets)
    if ([set.name isEqualToString:name])
      return set;
  return nil;
}

/* +1: the caller owns it. */
static void *
new_samples (id<MTLDevice> device, NSString *name, uint32_t n)
{
  @autoreleasepool
    {
      MTLCounterSampleBufferDescriptor *descriptor = [MTLCounterSampleBufferDescriptor new];
      NSError *error = nil;
      id<MTLCounterSampleBuffer> buffer;

      descriptor.counterSet = find_set (device, name);
      descriptor.label = [@"weft " stringByAppendingString:name];
      descriptor.storageMode = MTLStorageModeShared;
      descriptor.sampleCount = n;
      if (descriptor.counterSet == nil)
        return NULL;
      buffer = [device newCounterSampleBufferWithDescriptor:descriptor error:&error];
      return (__bridge_retained void *) buffer;
    }
}

static void *
heap_new (void *data, uint32_t n)
{
  return new_samples (device_of (data), MTLCommonCounterSetTimestamp, n);
}

static void *
samples_new (void *data, const char *set, uint32_t n)
{
  return new_samples (device_of (data), [NSString stringWithUTF8String:set], n);
}

static void
samples_free (void *data, void *buffer)
{
  id owned = (__bridge_transfer id) buffer;

  (void) owned;
}

/* Encoders of all kinds have this method; only the declaration is that of one of them. */
static void
samples_write (void *data, void *encoder, void *buffer, uint32_t index)
{
  id<MTLComputeCommandEncoder> to = (__bridge id<MTLComputeCommandEncoder>) encoder;

  [to sampleCountersInBuffer:(__bridge id<MTLCounterSampleBuffer>) buffer
               atSampleIndex:index
                 withBarrier:YES];
}

static void
timestamp_write (void *data, void *encoder, void *heap, uint32_t index,
                 WeftMetalGranularity granularity)
{
  id<MTLComputeCommandEncoder> to = (__bridge id<MTLComputeCommandEncoder>) encoder;

  [to sampleCountersInBuffer:(__bridge id<MTLCounterSampleBuffer>) heap
               atSampleIndex:index
                 withBarrier:granularity == WEFT_METAL_PRECISE];
}

/* Each sample is as many 64-bit values as its set has counters. */
static uint32_t
samples_resolve (void *data, void *buffer, uint32_t first, uint32_t n, uint32_t n_counters,
                 uint64_t *values)
{
  @autoreleasepool
    {
      NSData *resolved = [(__bridge id<MTLCounterSampleBuffer>) buffer
          resolveCounterRange:NSMakeRange (first, n)];
      size_t size = (size_t) n_counters * sizeof *values;
      size_t whole = size != 0 ? resolved.length / size : 0;

      if (whole > n)
        whole = n;
      if (whole > 0)
        memcpy (values, resolved.bytes, whole * size);
      return (uint32_t) whole;
    }
}

static uint32_t
heap_resolve (void *data, void *heap, uint32_t first, uint32_t n, uint64_t *ticks)
{
  return samples_resolve (data, heap, first, n, 1, ticks);
}

static bool
clock_read (void *data, uint64_t *ticks)
{
  MTLTimestamp cpu = 0, gpu = 0;

  [device_of (data) sampleTimestamps:&cpu gpuTimestamp:&gpu];
  *ticks = gpu;
  return gpu != 0;
}

bool
weft_metal_classic_needs_passes (id<MTLDevice> device)
{
  return ![device supportsCounterSampling:MTLCounterSamplingPointAtDispatchBoundary];
}

WeftMetalDevice *
weft_metal_classic_device_new (id<MTLDevice> device)
{
  WeftMetalFunctions functions = {
    .surface = WEFT_METAL_COUNTER_SAMPLE_BUFFER,
    .name = device.name.UTF8String,
    .data = (__bridge_retained void *) device, /* for the life of the process */
    .heap_new = heap_new,
    .heap_free = samples_free,
    .heap_resolve = heap_resolve,
    .clock_read = clock_read,
    .samples_new = samples_new,
    .samples_free = samples_free,
    .samples_write = samples_write,
    .samples_resolve = samples_resolve,
  };

  if (!weft_metal_classic_needs_passes (device))
    functions.timestamp_write = timestamp_write;
  weft_metal_fill_captures (&functions);
  return weft_metal_device_new (&functions, sizeof functions);
}

static void
attach (MTLComputePassDescriptor *pass, NSUInteger at, void *buffer, uint32_t first)
{
  MTLComputePassSampleBufferAttachmentDescriptor *attachment = pass.sampleBufferAttachments[at];

  attachment.sampleBuffer = (__bridge id<MTLCounterSampleBuffer>) buffer;
  attachment.startOfEncoderSampleIndex = first;
  attachment.endOfEncoderSampleIndex = first + 1;
}

MTLComputePassDescriptor *
weft_metal_classic_pass (const WeftMetalDispatch *dispatch)
{
  MTLComputePassDescriptor *pass = [MTLComputePassDescriptor computePassDescriptor];
  NSUInteger n = 0;

  if (dispatch->heap != NULL)
    attach (pass, n++, dispatch->heap, dispatch->first);
  /* A pass has four of them in all. */
  for (uint32_t i = 0; i < WEFT_METAL_MAX_SETS && n > 0 && n < 4; i++)
    if (dispatch->samples[i] != NULL)
      attach (pass, n++, dispatch->samples[i], dispatch->first);
  return pass;
}

void
weft_metal_classic_commit (WeftMetalSubmission *submission, id<MTLCommandBuffer> buffer)
{
  if (submission != NULL)
    {
      [buffer addCompletedHandler:^(id<MTLCommandBuffer> done) {
        weft_metal_tell_end (submission, done.status == MTLCommandBufferStatusError, done.error,
                             done.GPUStartTime, done.GPUEndTime);
      }];
      weft_metal_commit (submission);
    }
  [buffer commit];
}

void
weft_metal_classic_commit_and_wait (WeftMetalQueue *queue, WeftMetalSubmission *submission,
                                    id<MTLCommandBuffer> buffer)
{
  uint64_t id_ = weft_metal_submission_get_id (submission);

  weft_metal_wait_begin (queue, id_);
  weft_metal_classic_commit (submission, buffer);
  [buffer waitUntilCompleted];
  weft_metal_wait_end (queue, id_);
}
