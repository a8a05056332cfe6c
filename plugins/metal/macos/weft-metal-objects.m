/* SPDX-License-Identifier: BSD-2-Clause */
/* What both paths share: pipelines, buffers, captures, ends. */
#define WEFT_METAL_IMPLEMENTATION
#import "weft-metal-objects.h"

#include <stdio.h>

WeftTargetRoutine *
weft_metal_pipeline_register (WeftMetalLibrary *library, id<MTLComputePipelineState> state,
                              NSString *function, NSString *pipeline)
{
  WeftMetalShaderInfo info = {
    .function = function.UTF8String,
    .stage = "kernel",
    .pipeline = (pipeline != nil ? pipeline : state.label).UTF8String,
    .max_threads_per_threadgroup = (uint32_t) state.maxTotalThreadsPerThreadgroup,
    .execution_width = (uint32_t) state.threadExecutionWidth,
    .threadgroup_memory = (uint32_t) state.staticThreadgroupMemoryLength,
  };

  return weft_metal_shader_new (library, &info, sizeof info);
}

void
weft_metal_buffer_register (WeftMetalDevice *device, id<MTLBuffer> buffer,
                            const WeftTargetAttachment *description)
{
  WeftTargetAttachment attachment = { .kind = "buffer" };

  if (description != NULL)
    attachment = *description;
  if (attachment.label == NULL)
    attachment.label = buffer.label.UTF8String;
  weft_metal_resource_add (device, buffer.gpuAddress, buffer.length, &attachment);
}

/* ---- Captures ---- */

static bool
start_capture (void *data, void *object, const char *path, char *reason, size_t reason_size)
{
  @autoreleasepool
    {
      MTLCaptureManager *manager = [MTLCaptureManager sharedCaptureManager];
      MTLCaptureDescriptor *descriptor = [MTLCaptureDescriptor new];
      NSError *error = nil;

      if (![manager supportsDestination:MTLCaptureDestinationGPUTraceDocument])
        {
          snprintf (reason, reason_size,
                    "captures to a document are off: run the program with MTL_CAPTURE_ENABLED=1");
          return false;
        }
      descriptor.captureObject = (__bridge id) object;
      descriptor.destination = MTLCaptureDestinationGPUTraceDocument;
      descriptor.outputURL = [NSURL fileURLWithPath:[NSString stringWithUTF8String:path]];
      if ([manager startCaptureWithDescriptor:descriptor error:&error])
        return true;
      snprintf (reason, reason_size, "%s", error.localizedDescription.UTF8String);
      return false;
    }
}

static void
stop_capture (void *data)
{
  [[MTLCaptureManager sharedCaptureManager] stopCapture];
}

void
weft_metal_fill_captures (WeftMetalFunctions *functions)
{
  functions->capture_start = start_capture;
  functions->capture_stop = stop_capture;
}

WeftMetalScope
weft_metal_capture_scope_begin (WeftMetalDevice *device, id<MTLCaptureScope> scope)
{
  NSString *label = scope.label;

  [scope beginScope];
  return weft_metal_scope_begin (device, label != nil ? label.UTF8String : "capture scope");
}

void
weft_metal_capture_scope_end (WeftMetalScope told, id<MTLCaptureScope> scope)
{
  weft_metal_scope_end (told);
  [scope endScope];
}

/* ---- Ends ---- */

/* Which encoders the error affected, as the classic path tells. */
static NSString *
describe_encoders (NSError *error)
{
  NSArray<id<MTLCommandBufferEncoderInfo>> *encoders
      = error.userInfo[MTLCommandBufferEncoderInfoErrorKey];
  NSString *text = @"";

  for (id<MTLCommandBufferEncoderInfo> encoder in encoders)
    {
      const char *state = "not affected";

      if (encoder.errorState == MTLCommandEncoderErrorStateFaulted)
        state = "faulted";
      else if (encoder.errorState == MTLCommandEncoderErrorStateAffected)
        state = "affected";
      else if (encoder.errorState == MTLCommandEncoderErrorStatePending)
        state = "not begun";
      else if (encoder.errorState == MTLCommandEncoderErrorStateUnknown)
        state = "unknown";
      text = [text stringByAppendingString:[NSString stringWithFormat:@"encoder “%@”: %s\n",
                                                                      encoder.label, state]];
    }
  return text;
}

void
weft_metal_tell_end (WeftMetalSubmission *submission, bool failed, NSError *error,
                     CFTimeInterval start, CFTimeInterval end)
{
  NSString *name = [NSString stringWithFormat:@"%@ %ld", error.domain, (long) error.code];
  NSString *detail = failed ? describe_encoders (error) : @"";
  WeftMetalFeedback feedback = {
    .failed = failed,
    .error_name = failed ? name.UTF8String : NULL,
    .error_message = failed ? error.localizedDescription.UTF8String : NULL,
    .error_detail = detail.length > 0 ? detail.UTF8String : NULL,
    .gpu_start = start,
    .gpu_end = end,
  };

  weft_metal_completed (submission, &feedback, sizeof feedback);
}
