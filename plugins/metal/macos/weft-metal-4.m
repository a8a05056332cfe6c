/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Metal 4: counter heaps, commit feedback, argument tables. Its command encoders write timestamps;
 * they have no sampleCountersInBuffer, so there are no counter sample buffers on this path.
 */
#import "weft-metal-objects.h"

#include <string.h>
#include <time.h>

#define CLOCK_TIMEOUT_MS 50
#define SETTLE_NS 5000000

/* What a heap's clock is read by. */
API_AVAILABLE (macos (26.0))
@interface WeftMetal4Device : NSObject
@property (nonatomic, strong) id<MTLDevice> device;
@property (nonatomic) bool sampled; /* sampleTimestamps: counts in ticks of the heaps */
@property (nonatomic, strong) id<MTL4CommandQueue> queue; /* else: timestamps of our own */
@property (nonatomic, strong) id<MTL4CommandAllocator> allocator;
@property (nonatomic, strong) id<MTL4CommandBuffer> buffer;
@property (nonatomic, strong) id<MTL4CounterHeap> heap;
@property (nonatomic, strong) id<MTLSharedEvent> event;
@property (nonatomic) uint64_t value;
@end

@implementation WeftMetal4Device
@end

API_AVAILABLE (macos (26.0))
static WeftMetal4Device *
self_of (void *data)
{
  return (__bridge WeftMetal4Device *) data;
}

API_AVAILABLE (macos (26.0))
static id<MTL4CounterHeap>
make_heap (id<MTLDevice> device, uint32_t n)
{
  MTL4CounterHeapDescriptor *descriptor = [MTL4CounterHeapDescriptor new];
  NSError *error = nil;

  descriptor.type = MTL4CounterHeapTypeTimestamp;
  descriptor.count = n;
  return [device newCounterHeapWithDescriptor:descriptor error:&error];
}

/* ---- The table ---- */

API_AVAILABLE (macos (26.0))
static void *
heap_new (void *data, uint32_t n)
{
  @autoreleasepool
    {
      return (__bridge_retained void *) make_heap (self_of (data).device, n);
    }
}

API_AVAILABLE (macos (26.0))
static void
heap_free (void *data, void *heap)
{
  id owned = (__bridge_transfer id) heap;

  (void) owned;
}

API_AVAILABLE (macos (26.0))
static void
heap_invalidate (void *data, void *heap, uint32_t first, uint32_t n)
{
  [(__bridge id<MTL4CounterHeap>) heap invalidateCounterRange:NSMakeRange (first, n)];
}

API_AVAILABLE (macos (26.0))
static void
timestamp_write (void *data, void *encoder, void *heap, uint32_t index,
                 WeftMetalGranularity granularity)
{
  id<MTL4ComputeCommandEncoder> to = (__bridge id<MTL4ComputeCommandEncoder>) encoder;

  [to writeTimestampWithGranularity:granularity == WEFT_METAL_PRECISE
                                        ? MTL4TimestampGranularityPrecise
                                        : MTL4TimestampGranularityRelaxed
                           intoHeap:(__bridge id<MTL4CounterHeap>) heap
                            atIndex:index];
}

API_AVAILABLE (macos (26.0))
static uint32_t
resolve (id<MTL4CounterHeap> heap, uint32_t first, uint32_t n, uint64_t *ticks)
{
  @autoreleasepool
    {
      NSData *resolved = [heap resolveCounterRange:NSMakeRange (first, n)];
      size_t whole = resolved.length / sizeof (MTL4TimestampHeapEntry);
      const MTL4TimestampHeapEntry *entries = (const MTL4TimestampHeapEntry *) resolved.bytes;

      if (whole > n)
        whole = n;
      for (size_t i = 0; i < whole; i++)
        ticks[i] = entries[i].timestamp;
      return (uint32_t) whole;
    }
}

API_AVAILABLE (macos (26.0))
static uint32_t
heap_resolve (void *data, void *heap, uint32_t first, uint32_t n, uint64_t *ticks)
{
  return resolve ((__bridge id<MTL4CounterHeap>) heap, first, n, ticks);
}

/* ---- The clock ---- */

static bool
read_sampled (id<MTLDevice> device, uint64_t *ticks)
{
  MTLTimestamp cpu = 0, gpu = 0;

  [device sampleTimestamps:&cpu gpuTimestamp:&gpu];
  *ticks = gpu;
  return gpu != 0;
}

/* A timestamp of our own, written between this call's begin and end: whatever its unit, it is that
 * of the others in heaps.
 */
API_AVAILABLE (macos (26.0))
static bool
read_written (WeftMetal4Device *self, uint64_t *ticks)
{
  @autoreleasepool
    {
      id<MTL4CommandBuffer> buffer = self.buffer;
      const id<MTL4CommandBuffer> __unsafe_unretained buffers[] = { buffer };

      [self.heap invalidateCounterRange:NSMakeRange (0, 1)];
      [self.allocator reset];
      [buffer beginCommandBufferWithAllocator:self.allocator];
      [buffer writeTimestampIntoHeap:self.heap atIndex:0];
      [buffer endCommandBuffer];
      [self.queue commit:buffers count:1];
      self.value = self.value + 1;
      [self.queue signalEvent:self.event value:self.value];
      return [self.event waitUntilSignaledValue:self.value timeoutMS:CLOCK_TIMEOUT_MS]
             && resolve (self.heap, 0, 1, ticks) == 1 && *ticks != 0;
    }
}

API_AVAILABLE (macos (26.0))
static bool
clock_read (void *data, uint64_t *ticks)
{
  WeftMetal4Device *self = self_of (data);

  return self.sampled ? read_sampled (self.device, ticks) : read_written (self, ticks);
}

/* Whether sampleTimestamps: advances as fast as the heaps' clock is said to. On some systems it
 * tells nanoseconds where heaps hold ticks.
 */
API_AVAILABLE (macos (26.0))
static bool
is_same_unit (id<MTLDevice> device)
{
  struct timespec pause = { 0, SETTLE_NS };
  uint64_t first = 0, second = 0, start, end;
  double rate, stated = (double) [device queryTimestampFrequency] / 1e9;

  start = weft_target_to_nanoseconds (weft_target_now ());
  if (stated <= 0 || !read_sampled (device, &first))
    return false;
  nanosleep (&pause, NULL);
  if (!read_sampled (device, &second) || second <= first)
    return false;
  end = weft_target_to_nanoseconds (weft_target_now ());
  rate = (double) (second - first) / (double) (end - start);
  return rate > stated * 0.9 && rate < stated * 1.1;
}

API_AVAILABLE (macos (26.0))
static WeftMetal4Device *
make_self (id<MTLDevice> device)
{
  WeftMetal4Device *self = [WeftMetal4Device new];

  self.device = device;
  self.sampled = is_same_unit (device);
  if (!self.sampled)
    {
      self.queue = [device newMTL4CommandQueue];
      self.allocator = [device newCommandAllocator];
      self.buffer = [device newCommandBuffer];
      self.heap = make_heap (device, 1);
      self.event = [device newSharedEvent];
    }
  return self;
}

WeftMetalDevice *
weft_metal_4_device_new (id<MTLDevice> device)
{
  WeftMetalFunctions functions = {
    .surface = WEFT_METAL_TIMESTAMP_HEAP,
    .name = device.name.UTF8String,
    .frequency = (double) [device queryTimestampFrequency],
    .data = (__bridge_retained void *) make_self (device), /* for the life of the process */
    .heap_new = heap_new,
    .heap_free = heap_free,
    .heap_invalidate = heap_invalidate,
    .timestamp_write = timestamp_write,
    .heap_resolve = heap_resolve,
    .clock_read = clock_read,
  };

  weft_metal_fill_captures (&functions);
  return weft_metal_device_new (&functions, sizeof functions);
}

/* ---- For programs ---- */

void
weft_metal_4_set_address (id<MTL4ArgumentTable> table, WeftMetalArguments *arguments,
                          WeftMetalDevice *device, MTLGPUAddress address, NSUInteger index,
                          WeftTargetAccess access, const char *role)
{
  [table setAddress:address atIndex:index];
  weft_metal_arguments_set_address (arguments, device, (int32_t) index, address, access, role,
                                    NULL, 0);
}

void
weft_metal_4_commit (WeftMetalSubmission *submission, id<MTL4CommandQueue> metal_queue,
                     id<MTL4CommandBuffer> buffer)
{
  const id<MTL4CommandBuffer> __unsafe_unretained buffers[] = { buffer };
  MTL4CommitOptions *options;

  if (submission == NULL)
    {
      [metal_queue commit:buffers count:1];
      return;
    }
  options = [MTL4CommitOptions new];
  [options addFeedbackHandler:^(id<MTL4CommitFeedback> feedback) {
    weft_metal_tell_end (submission, feedback.error != nil, feedback.error, feedback.GPUStartTime,
                         feedback.GPUEndTime);
  }];
  weft_metal_commit (submission);
  [metal_queue commit:buffers count:1 options:options];
}

bool
weft_metal_4_commit_and_wait (WeftMetalQueue *queue, WeftMetalSubmission *submission,
                              id<MTL4CommandQueue> metal_queue, id<MTL4CommandBuffer> buffer,
                              id<MTLSharedEvent> event, uint64_t value, uint64_t timeout)
{
  uint64_t id_ = weft_metal_submission_get_id (submission);
  bool signaled;

  weft_metal_wait_begin (queue, id_);
  weft_metal_4_commit (submission, metal_queue, buffer);
  [metal_queue signalEvent:event value:value];
  signaled = [event waitUntilSignaledValue:value timeoutMS:timeout];
  weft_metal_wait_end (queue, id_);
  return signaled;
}
