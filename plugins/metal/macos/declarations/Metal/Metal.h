/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files beside this folder use of Metal, declared by us from its documentation, so that
 * they can be compiled where there is no macOS. Never used on macOS.
 */
#pragma once

#import <Foundation/Foundation.h>

typedef uint64_t MTLTimestamp;
typedef uint64_t MTLGPUAddress;

typedef struct
{
  NSUInteger width, height, depth;
} MTLSize;

static inline MTLSize
MTLSizeMake (NSUInteger width, NSUInteger height, NSUInteger depth)
{
  MTLSize size = { width, height, depth };

  return size;
}

/* ---- Counters ---- */

#define MTLCounterErrorValue ((uint64_t) ~0ULL)

typedef struct
{
  uint64_t timestamp;
} MTLCounterResultTimestamp;

extern NSString *const MTLCommonCounterSetTimestamp;
extern NSString *const MTLCommandBufferEncoderInfoErrorKey;

@protocol MTLCounter <NSObject>
@property (readonly, copy) NSString *name;
@end

@protocol MTLCounterSet <NSObject>
@property (readonly, copy) NSString *name;
@property (readonly, copy) NSArray<id<MTLCounter>> *counters;
@end

typedef NS_ENUM (NSUInteger, MTLStorageMode){
  MTLStorageModeShared = 0,
  MTLStorageModePrivate = 2,
};

typedef NS_ENUM (NSUInteger, MTLResourceOptions){
  MTLResourceStorageModeShared = 0,
};

@interface MTLCounterSampleBufferDescriptor : NSObject
@property (retain) id<MTLCounterSet> counterSet;
@property (copy) NSString *label;
@property MTLStorageMode storageMode;
@property NSUInteger sampleCount;
@end

@protocol MTLCounterSampleBuffer <NSObject>
@property (readonly) NSUInteger sampleCount;
- (NSData *)resolveCounterRange:(NSRange)range;
@end

typedef NS_ENUM (NSUInteger, MTLCounterSamplingPoint){
  MTLCounterSamplingPointAtStageBoundary,
  MTLCounterSamplingPointAtDrawBoundary,
  MTLCounterSamplingPointAtDispatchBoundary,
  MTLCounterSamplingPointAtTileDispatchBoundary,
  MTLCounterSamplingPointAtBlitBoundary,
};

/* ---- Resources, libraries, pipelines ---- */

@protocol MTLAllocation <NSObject>
@end

@protocol MTLBuffer <MTLAllocation>
@property (copy) NSString *label;
@property (readonly) NSUInteger length;
@property (readonly) MTLGPUAddress gpuAddress;
- (void *)contents;
@end

@protocol MTLFunction <NSObject>
@property (readonly) NSString *name;
@end

@protocol MTLLibrary <NSObject>
- (id<MTLFunction>)newFunctionWithName:(NSString *)name;
@end

@protocol MTLComputePipelineState <NSObject>
@property (readonly) NSString *label;
@property (readonly) NSUInteger maxTotalThreadsPerThreadgroup;
@property (readonly) NSUInteger threadExecutionWidth;
@property (readonly) NSUInteger staticThreadgroupMemoryLength;
@end

@interface MTLResidencySetDescriptor : NSObject
@end

API_AVAILABLE (macos (15.0))
@protocol MTLResidencySet <NSObject>
- (void)addAllocation:(id<MTLAllocation>)allocation;
- (void)commit;
- (void)requestResidency;
@end

/* ---- The classic path ---- */

@interface MTLComputePassSampleBufferAttachmentDescriptor : NSObject
@property (retain) id<MTLCounterSampleBuffer> sampleBuffer;
@property NSUInteger startOfEncoderSampleIndex;
@property NSUInteger endOfEncoderSampleIndex;
@end

@interface MTLComputePassSampleBufferAttachmentDescriptorArray : NSObject
- (MTLComputePassSampleBufferAttachmentDescriptor *)objectAtIndexedSubscript:(NSUInteger)index;
@end

@interface MTLComputePassDescriptor : NSObject
+ (MTLComputePassDescriptor *)computePassDescriptor;
@property (readonly) MTLComputePassSampleBufferAttachmentDescriptorArray *sampleBufferAttachments;
@end

@protocol MTLComputeCommandEncoder <NSObject>
- (void)setComputePipelineState:(id<MTLComputePipelineState>)state;
- (void)setBuffer:(id<MTLBuffer>)buffer offset:(NSUInteger)offset atIndex:(NSUInteger)index;
- (void)dispatchThreadgroups:(MTLSize)groups threadsPerThreadgroup:(MTLSize)threads;
- (void)sampleCountersInBuffer:(id<MTLCounterSampleBuffer>)buffer
                 atSampleIndex:(NSUInteger)index
                   withBarrier:(BOOL)barrier;
- (void)endEncoding;
@end

typedef NS_ENUM (NSUInteger, MTLCommandBufferStatus){
  MTLCommandBufferStatusNotEnqueued = 0,
  MTLCommandBufferStatusEnqueued = 1,
  MTLCommandBufferStatusCommitted = 2,
  MTLCommandBufferStatusScheduled = 3,
  MTLCommandBufferStatusCompleted = 4,
  MTLCommandBufferStatusError = 5,
};

typedef NS_ENUM (NSInteger, MTLCommandEncoderErrorState){
  MTLCommandEncoderErrorStateUnknown = 0,
  MTLCommandEncoderErrorStateCompleted = 1,
  MTLCommandEncoderErrorStateAffected = 2,
  MTLCommandEncoderErrorStatePending = 3,
  MTLCommandEncoderErrorStateFaulted = 4,
};

@protocol MTLCommandBufferEncoderInfo <NSObject>
@property (readonly) NSString *label;
@property (readonly) MTLCommandEncoderErrorState errorState;
@end

@protocol MTLCommandBuffer;
typedef void (^MTLCommandBufferHandler) (id<MTLCommandBuffer>);

@protocol MTLCommandBuffer <NSObject>
@property (copy) NSString *label;
@property (readonly) MTLCommandBufferStatus status;
@property (readonly) NSError *error;
@property (readonly) CFTimeInterval GPUStartTime;
@property (readonly) CFTimeInterval GPUEndTime;
- (id<MTLComputeCommandEncoder>)computeCommandEncoder;
- (id<MTLComputeCommandEncoder>)computeCommandEncoderWithDescriptor:
    (MTLComputePassDescriptor *)descriptor;
- (void)addCompletedHandler:(MTLCommandBufferHandler)handler;
- (void)commit;
- (void)waitUntilCompleted;
@end

@protocol MTLCommandQueue <NSObject>
- (id<MTLCommandBuffer>)commandBuffer;
@end

/* ---- Events ---- */

@protocol MTLEvent <NSObject>
@end

@protocol MTLSharedEvent <MTLEvent>
- (BOOL)waitUntilSignaledValue:(uint64_t)value timeoutMS:(uint64_t)ms;
@end

/* ---- Metal 4 ---- */

typedef struct
{
  uint64_t timestamp;
} MTL4TimestampHeapEntry API_AVAILABLE (macos (26.0));

typedef NS_ENUM (NSInteger, MTL4CounterHeapType){
  MTL4CounterHeapTypeInvalid,
  MTL4CounterHeapTypeTimestamp,
} API_AVAILABLE (macos (26.0));

typedef NS_ENUM (NSInteger, MTL4TimestampGranularity){
  MTL4TimestampGranularityRelaxed = 0,
  MTL4TimestampGranularityPrecise = 1,
} API_AVAILABLE (macos (26.0));

API_AVAILABLE (macos (26.0))
@interface MTL4CounterHeapDescriptor : NSObject
@property (nonatomic) MTL4CounterHeapType type;
@property (nonatomic) NSUInteger count;
@end

API_AVAILABLE (macos (26.0))
@protocol MTL4CounterHeap <NSObject>
@property (readonly) NSUInteger count;
- (NSData *)resolveCounterRange:(NSRange)range;
- (void)invalidateCounterRange:(NSRange)range;
@end

API_AVAILABLE (macos (26.0))
@interface MTL4ArgumentTableDescriptor : NSObject
@property (nonatomic) NSUInteger maxBufferBindCount;
@end

API_AVAILABLE (macos (26.0))
@protocol MTL4ArgumentTable <NSObject>
- (void)setAddress:(MTLGPUAddress)address atIndex:(NSUInteger)index;
@end

API_AVAILABLE (macos (26.0))
@protocol MTL4CommandAllocator <NSObject>
- (void)reset;
@end

API_AVAILABLE (macos (26.0))
@protocol MTL4ComputeCommandEncoder <NSObject>
- (void)setComputePipelineState:(id<MTLComputePipelineState>)state;
- (void)setArgumentTable:(id<MTL4ArgumentTable>)table;
- (void)dispatchThreadgroups:(MTLSize)groups threadsPerThreadgroup:(MTLSize)threads;
- (void)writeTimestampWithGranularity:(MTL4TimestampGranularity)granularity
                             intoHeap:(id<MTL4CounterHeap>)heap
                              atIndex:(NSUInteger)index;
- (void)endEncoding;
@end

API_AVAILABLE (macos (26.0))
@protocol MTL4CommandBuffer <NSObject>
- (void)beginCommandBufferWithAllocator:(id<MTL4CommandAllocator>)allocator;
- (void)endCommandBuffer;
- (id<MTL4ComputeCommandEncoder>)computeCommandEncoder;
- (void)useResidencySet:(id<MTLResidencySet>)set;
- (void)writeTimestampIntoHeap:(id<MTL4CounterHeap>)heap atIndex:(NSUInteger)index;
@end

API_AVAILABLE (macos (26.0))
@protocol MTL4CommitFeedback <NSObject>
@property (readonly) NSError *error;
@property (readonly) CFTimeInterval GPUStartTime;
@property (readonly) CFTimeInterval GPUEndTime;
@end

typedef void (^MTL4CommitFeedbackHandler) (id<MTL4CommitFeedback>) API_AVAILABLE (macos (26.0));

API_AVAILABLE (macos (26.0))
@interface MTL4CommitOptions : NSObject
- (void)addFeedbackHandler:(MTL4CommitFeedbackHandler)handler;
@end

API_AVAILABLE (macos (26.0))
@protocol MTL4CommandQueue <NSObject>
- (void)commit:(const id<MTL4CommandBuffer> __unsafe_unretained[])buffers count:(NSUInteger)count;
- (void)commit:(const id<MTL4CommandBuffer> __unsafe_unretained[])buffers
         count:(NSUInteger)count
       options:(MTL4CommitOptions *)options;
- (void)signalEvent:(id<MTLEvent>)event value:(uint64_t)value;
- (void)addResidencySet:(id<MTLResidencySet>)set;
@end

/* ---- Captures ---- */

typedef NS_ENUM (NSInteger, MTLCaptureDestination){
  MTLCaptureDestinationDeveloperTools = 1,
  MTLCaptureDestinationGPUTraceDocument = 2,
};

@interface MTLCaptureDescriptor : NSObject
@property (nonatomic, strong) id captureObject;
@property (nonatomic) MTLCaptureDestination destination;
@property (nonatomic, copy) NSURL *outputURL;
@end

@protocol MTLCaptureScope <NSObject>
@property (copy) NSString *label;
- (void)beginScope;
- (void)endScope;
@end

@protocol MTLDevice;

@interface MTLCaptureManager : NSObject
+ (MTLCaptureManager *)sharedCaptureManager;
- (BOOL)supportsDestination:(MTLCaptureDestination)destination;
- (BOOL)startCaptureWithDescriptor:(MTLCaptureDescriptor *)descriptor
                             error:(NSError *__autoreleasing *)error;
- (void)stopCapture;
- (id<MTLCaptureScope>)newCaptureScopeWithCommandQueue:(id<MTLCommandQueue>)queue;
- (id<MTLCaptureScope>)newCaptureScopeWithMTL4CommandQueue:(id<MTL4CommandQueue>)queue
    API_AVAILABLE (macos (26.0));
@property (readonly) BOOL isCapturing;
@end

/* ---- The device ---- */

@protocol MTLDevice <NSObject>
@property (readonly) NSString *name;
@property (readonly) NSArray<id<MTLCounterSet>> *counterSets;
- (BOOL)supportsCounterSampling:(MTLCounterSamplingPoint)point;
- (id<MTLCounterSampleBuffer>)
    newCounterSampleBufferWithDescriptor:(MTLCounterSampleBufferDescriptor *)descriptor
                                   error:(NSError *__autoreleasing *)error;
- (void)sampleTimestamps:(MTLTimestamp *)cpu gpuTimestamp:(MTLTimestamp *)gpu;
- (id<MTLCommandQueue>)newCommandQueue;
- (id<MTLBuffer>)newBufferWithLength:(NSUInteger)length options:(MTLResourceOptions)options;
- (id<MTLLibrary>)newLibraryWithSource:(NSString *)source
                               options:(id)options
                                 error:(NSError *__autoreleasing *)error;
- (id<MTLComputePipelineState>)
    newComputePipelineStateWithFunction:(id<MTLFunction>)function
                                  error:(NSError *__autoreleasing *)error;
- (id<MTLSharedEvent>)newSharedEvent;
- (id<MTLResidencySet>)newResidencySetWithDescriptor:(MTLResidencySetDescriptor *)descriptor
                                               error:(NSError *__autoreleasing *)error
    API_AVAILABLE (macos (15.0));
- (uint64_t)queryTimestampFrequency API_AVAILABLE (macos (26.0));
- (NSUInteger)sizeOfCounterHeapEntry:(MTL4CounterHeapType)type API_AVAILABLE (macos (26.0));
- (id<MTL4CounterHeap>)newCounterHeapWithDescriptor:(MTL4CounterHeapDescriptor *)descriptor
                                              error:(NSError *__autoreleasing *)error
    API_AVAILABLE (macos (26.0));
- (id<MTL4CommandQueue>)newMTL4CommandQueue API_AVAILABLE (macos (26.0));
- (id<MTL4CommandAllocator>)newCommandAllocator API_AVAILABLE (macos (26.0));
- (id<MTL4CommandBuffer>)newCommandBuffer API_AVAILABLE (macos (26.0));
- (id<MTL4ArgumentTable>)
    newArgumentTableWithDescriptor:(MTL4ArgumentTableDescriptor *)descriptor
                             error:(NSError *__autoreleasing *)error API_AVAILABLE (macos (26.0));
@end

extern id<MTLDevice> MTLCreateSystemDefaultDevice (void);
