/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * weft-metal.h for Metal's objects: what fills its table, and what a program calls instead of, or
 * beside, Metal's own methods. Objective-C with ARC and blocks, macOS 13 and later; Metal 4 where
 * the system is macOS 26 or later.
 */
#pragma once

#import <Foundation/Foundation.h>
#import <Metal/Metal.h>

#include <weft-metal.h>

/* ---- Devices ---- */

/* Timestamps from counter sample buffers. Where the device samples at dispatch boundaries, they are
 * written around each dispatch; where it samples at stage boundaries only (Apple's GPUs), begin each
 * dispatch with a NULL encoder and give it a pass of its own (weft_metal_classic_pass ()).
 */
WeftMetalDevice *weft_metal_classic_device_new (id<MTLDevice> device);

/* Whether weft_metal_classic_pass () is the way here. */
bool weft_metal_classic_needs_passes (id<MTLDevice> device);

/* Timestamps from counter heaps. */
WeftMetalDevice *weft_metal_4_device_new (id<MTLDevice> device) API_AVAILABLE (macos (26.0));

/* ---- What is known of Metal's objects ---- */

/* The shader of a pipeline; PIPELINE tells it from others of the same function, or nil: its label. */
WeftTargetRoutine *weft_metal_pipeline_register (WeftMetalLibrary *library,
                                                 id<MTLComputePipelineState> state,
                                                 NSString *function, NSString *pipeline);

/* What lies at the buffer's GPU address. KIND, ROLE and others of DESCRIPTION (or NULL) add what
 * only the program knows: that it is a tensor, of which shape.
 */
void weft_metal_buffer_register (WeftMetalDevice *device, id<MTLBuffer> buffer,
                                 const WeftTargetAttachment *description);

/* ---- The classic path ---- */

/* A pass whose first and last timestamp, and counter samples, are those of DISPATCH. */
MTLComputePassDescriptor *weft_metal_classic_pass (const WeftMetalDispatch *dispatch);

/* Adds the completed handler that tells of the end, and commits. */
void weft_metal_classic_commit (WeftMetalSubmission *submission, id<MTLCommandBuffer> buffer);
void weft_metal_classic_commit_and_wait (WeftMetalQueue *queue, WeftMetalSubmission *submission,
                                         id<MTLCommandBuffer> buffer);

/* ---- Metal 4 ---- */

/* setAddress:atIndex: of the table, told of. */
void weft_metal_4_set_address (id<MTL4ArgumentTable> table, WeftMetalArguments *arguments,
                               WeftMetalDevice *device, MTLGPUAddress address, NSUInteger index,
                               WeftTargetAccess access, const char *role)
    API_AVAILABLE (macos (26.0));

/* Commits with a feedback handler that tells of completion or fault. */
void weft_metal_4_commit (WeftMetalSubmission *submission, id<MTL4CommandQueue> metal_queue,
                          id<MTL4CommandBuffer> buffer) API_AVAILABLE (macos (26.0));

/* The same, and waits until EVENT has VALUE. False after TIMEOUT ms. */
bool weft_metal_4_commit_and_wait (WeftMetalQueue *queue, WeftMetalSubmission *submission,
                                   id<MTL4CommandQueue> metal_queue, id<MTL4CommandBuffer> buffer,
                                   id<MTLSharedEvent> event, uint64_t value, uint64_t timeout)
    API_AVAILABLE (macos (26.0));

/* ---- Captures ---- */

/* beginScope and endScope, told of. */
WeftMetalScope weft_metal_capture_scope_begin (WeftMetalDevice *device, id<MTLCaptureScope> scope);
void weft_metal_capture_scope_end (WeftMetalScope told, id<MTLCaptureScope> scope);

/* ---- For the files of this folder ---- */

/* Captures: the same on both paths. */
void weft_metal_fill_captures (WeftMetalFunctions *functions);

/* Tells of the end of SUBMISSION; ERROR is nil if there was none. */
void weft_metal_tell_end (WeftMetalSubmission *submission, bool failed, NSError *error,
                          CFTimeInterval start, CFTimeInterval end);
