/* SPDX-License-Identifier: BSD-2-Clause */
/* From nothing to a lane of a Metal queue: a kernel that runs a hundred times, and is recorded. */
#import "weft-metal-objects.h"

#include <stdio.h>

static NSString *const source = @"#include <metal_stdlib>\n"
                                 "using namespace metal;\n"
                                 "kernel void twice (device float *x [[buffer (0)]],\n"
                                 "                   uint i [[thread_position_in_grid]])\n"
                                 "{\n"
                                 "  x[i] *= 2;\n"
                                 "}\n";

/* One command buffer with one dispatch, and the wait for it. */
static void
run_once (id<MTLCommandQueue> metal_queue, WeftMetalQueue *queue, WeftTargetRoutine *shader,
          id<MTLComputePipelineState> pipeline, id<MTLBuffer> data, bool passes)
{
  id<MTLCommandBuffer> buffer = [metal_queue commandBuffer];
  WeftMetalSubmission *submission = weft_metal_submission_begin (queue);
  WeftMetalArguments arguments = { .n = 0 };
  WeftMetalDispatchInfo info = { .shader = shader, .arguments = &arguments };
  id<MTLComputeCommandEncoder> encoder = passes ? nil : [buffer computeCommandEncoder];
  WeftMetalDispatch dispatch;

  weft_metal_arguments_set (&arguments, &(WeftTargetAttachment) {
                                            .kind = "buffer",
                                            .label = "x",
                                            .size = data.length,
                                            .access = WEFT_TARGET_ACCESS_READ_WRITE,
                                        });
  dispatch = weft_metal_dispatch_begin (submission, (__bridge void *) encoder, &info);
  if (passes)
    encoder = [buffer computeCommandEncoderWithDescriptor:weft_metal_classic_pass (&dispatch)];
  [encoder setComputePipelineState:pipeline];
  [encoder setBuffer:data offset:0 atIndex:0];
  [encoder dispatchThreadgroups:MTLSizeMake (1024, 1, 1)
          threadsPerThreadgroup:MTLSizeMake (64, 1, 1)];
  weft_metal_dispatch_end (&dispatch, passes ? NULL : (__bridge void *) encoder);
  [encoder endEncoding];
  weft_metal_classic_commit_and_wait (queue, submission, buffer);
}

int
main (void)
{
  @autoreleasepool
    {
      id<MTLDevice> metal = MTLCreateSystemDefaultDevice ();
      NSError *error = nil;
      id<MTLLibrary> library = [metal newLibraryWithSource:source options:nil error:&error];
      id<MTLComputePipelineState> pipeline =
          [metal newComputePipelineStateWithFunction:[library newFunctionWithName:@"twice"]
                                               error:&error];
      id<MTLBuffer> data = [metal newBufferWithLength:65536 * sizeof (float)
                                              options:MTLResourceStorageModeShared];
      id<MTLCommandQueue> metal_queue = [metal newCommandQueue];
      bool passes = weft_metal_classic_needs_passes (metal);
      WeftMetalQueue *queue;
      WeftTargetRoutine *shader;

      if (pipeline == nil)
        {
          printf ("no Metal, or no kernel: %s\n", error.localizedDescription.UTF8String);
          return 1;
        }
      queue = weft_metal_queue_new (weft_metal_classic_device_new (metal), "GPU", NULL, 0);
      shader = weft_metal_pipeline_register (NULL, pipeline, @"twice", @"plain");
      for (int i = 0; i < 100; i++)
        run_once (metal_queue, queue, shader, pipeline, data, passes);
      weft_metal_queue_free (queue);
      return 0;
    }
}
