/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Buffers, images and shared virtual memory: what they are, never what is in them. */

#include "weft-opencl-layer.h"

#include <stdio.h>
#include <string.h>

static uint32_t n_made; /* atomic */

static const struct
{
  cl_mem_flags flag;
  const char *name;
} flag_names[] = {
  { CL_MEM_WRITE_ONLY, "write-only" },
  { CL_MEM_READ_ONLY, "read-only" },
  { CL_MEM_USE_HOST_PTR, "use-host-ptr" },
  { CL_MEM_ALLOC_HOST_PTR, "alloc-host-ptr" },
  { CL_MEM_COPY_HOST_PTR, "copy-host-ptr" },
  { CL_MEM_HOST_WRITE_ONLY, "host-write-only" },
  { CL_MEM_HOST_READ_ONLY, "host-read-only" },
  { CL_MEM_HOST_NO_ACCESS, "host-no-access" },
  { CL_MEM_SVM_FINE_GRAIN_BUFFER, "fine-grain" },
  { CL_MEM_SVM_ATOMICS, "atomics" },
};

static void
append (char *text, size_t size, const char *more)
{
  size_t length = strlen (text);

  if (length < size)
    snprintf (text + length, size - length, "%s", more);
}

/* "buffer 3 (read-only, use-host-ptr)": what memory is does not change, so its label is stable. */
static void
name (OclMemory *memory, cl_mem_flags flags)
{
  bool any = false;

  snprintf (memory->label, sizeof memory->label, "%s %u", memory->kind, OCL_ADD (&n_made, 1) + 1);
  for (size_t i = 0; i < sizeof flag_names / sizeof flag_names[0]; i++)
    if (flags & flag_names[i].flag)
      {
        append (memory->label, sizeof memory->label, any ? ", " : " (");
        append (memory->label, sizeof memory->label, flag_names[i].name);
        any = true;
      }
  if (any)
    append (memory->label, sizeof memory->label, ")");
}

static OclMemory *
add (OclKind object_kind, void *handle, const char *kind, cl_mem_flags flags, uint64_t size)
{
  OclMemory *memory;

  if (handle == NULL)
    return NULL;
  memory = (OclMemory *) ocl_object_new (object_kind, handle);
  if (memory == NULL)
    return NULL;
  memory->kind = kind;
  memory->size = size;
  name (memory, flags);
  ocl_object_add (&memory->object);
  return memory;
}

void
ocl_memory_attach (WeftTargetAttachment *attachment, const OclMemory *memory)
{
  attachment->kind = memory->kind;
  attachment->label = memory->label;
  attachment->size = memory->size;
  attachment->offset = memory->offset;
  attachment->shape = memory->shape[0] != '\0' ? memory->shape : NULL;
  attachment->element_type = memory->element_type[0] != '\0' ? memory->element_type : NULL;
}

/* ---- Buffers ---- */

static cl_mem CL_API_CALL
create_buffer (cl_context context, cl_mem_flags flags, size_t size, void *host, cl_int *error)
{
  cl_mem handle = ocl_next.clCreateBuffer (context, flags, size, host, error);

  add (OCL_MEMORY, handle, "buffer", flags, size);
  return handle;
}

static cl_mem CL_API_CALL
create_buffer_with_properties (cl_context context, const cl_mem_properties *properties,
                               cl_mem_flags flags, size_t size, void *host, cl_int *error)
{
  cl_mem handle =
      ocl_next.clCreateBufferWithProperties (context, properties, flags, size, host, error);

  add (OCL_MEMORY, handle, "buffer", flags, size);
  return handle;
}

static cl_mem CL_API_CALL
create_sub_buffer (cl_mem buffer, cl_mem_flags flags, cl_buffer_create_type type, const void *info,
                   cl_int *error)
{
  cl_mem handle = ocl_next.clCreateSubBuffer (buffer, flags, type, info, error);
  const cl_buffer_region *region = info;
  OclMemory *whole = ocl_object_find (OCL_MEMORY, buffer);
  OclMemory *memory;

  if (handle == NULL || type != CL_BUFFER_CREATE_TYPE_REGION)
    return handle;
  memory = add (OCL_MEMORY, handle, "sub-buffer", flags, region->size);
  if (memory == NULL)
    return handle;
  memory->offset = region->origin;
  if (whole != NULL)
    {
      append (memory->label, sizeof memory->label, " of ");
      append (memory->label, sizeof memory->label, whole->label);
    }
  return handle;
}

static cl_mem CL_API_CALL
create_pipe (cl_context context, cl_mem_flags flags, cl_uint packet_size, cl_uint n_packets,
             const cl_pipe_properties *properties, cl_int *error)
{
  cl_mem handle = ocl_next.clCreatePipe (context, flags, packet_size, n_packets, properties, error);

  add (OCL_MEMORY, handle, "pipe", flags, (uint64_t) packet_size * n_packets);
  return handle;
}

/* ---- Images ---- */

static const struct
{
  cl_uint value;
  const char *name;
} format_names[] = {
  { CL_R, "R" },
  { CL_A, "A" },
  { CL_RG, "RG" },
  { CL_RA, "RA" },
  { CL_RGB, "RGB" },
  { CL_RGBA, "RGBA" },
  { CL_BGRA, "BGRA" },
  { CL_ARGB, "ARGB" },
  { CL_INTENSITY, "intensity" },
  { CL_LUMINANCE, "luminance" },
  { CL_DEPTH, "depth" },
  { CL_sRGBA, "sRGBA" },
  { CL_SNORM_INT8, "snorm8" },
  { CL_SNORM_INT16, "snorm16" },
  { CL_UNORM_INT8, "unorm8" },
  { CL_UNORM_INT16, "unorm16" },
  { CL_UNORM_SHORT_565, "unorm565" },
  { CL_UNORM_SHORT_555, "unorm555" },
  { CL_SIGNED_INT8, "int8" },
  { CL_SIGNED_INT16, "int16" },
  { CL_SIGNED_INT32, "int32" },
  { CL_UNSIGNED_INT8, "uint8" },
  { CL_UNSIGNED_INT16, "uint16" },
  { CL_UNSIGNED_INT32, "uint32" },
  { CL_HALF_FLOAT, "half" },
  { CL_FLOAT, "float" },
};

static const char *
format_name (cl_uint value)
{
  for (size_t i = 0; i < sizeof format_names / sizeof format_names[0]; i++)
    if (format_names[i].value == value)
      return format_names[i].name;
  return "other";
}

static size_t
image_number (cl_mem handle, cl_image_info what)
{
  size_t value = 0;

  if (ocl_next.clGetImageInfo (handle, what, sizeof value, &value, NULL) != CL_SUCCESS)
    return 0;
  return value;
}

static uint64_t
memory_size (cl_mem handle)
{
  size_t size = 0;

  if (ocl_next.clGetMemObjectInfo (handle, CL_MEM_SIZE, sizeof size, &size, NULL) != CL_SUCCESS)
    return WEFT_TARGET_UNKNOWN_SIZE;
  return size;
}

static void
append_size (OclMemory *memory, size_t size)
{
  char digits[24];

  snprintf (digits, sizeof digits, "%s%zu", memory->shape[0] != '\0' ? "×" : "", size);
  append (memory->shape, sizeof memory->shape, digits);
}

static cl_mem
add_image (cl_mem handle, cl_mem_flags flags)
{
  cl_image_format format = { 0, 0 };
  size_t height, depth;
  OclMemory *memory;

  if (handle == NULL)
    return handle;
  memory = add (OCL_MEMORY, handle, "image", flags, memory_size (handle));
  if (memory == NULL)
    return handle;
  height = image_number (handle, CL_IMAGE_HEIGHT);
  depth = image_number (handle, CL_IMAGE_DEPTH);
  append_size (memory, image_number (handle, CL_IMAGE_WIDTH));
  if (height > 0)
    append_size (memory, height);
  if (depth > 1)
    append_size (memory, depth);
  if (ocl_next.clGetImageInfo (handle, CL_IMAGE_FORMAT, sizeof format, &format, NULL) == CL_SUCCESS)
    snprintf (memory->element_type, sizeof memory->element_type, "%s %s",
              format_name (format.image_channel_order),
              format_name (format.image_channel_data_type));
  return handle;
}

static cl_mem CL_API_CALL
create_image (cl_context context, cl_mem_flags flags, const cl_image_format *format,
              const cl_image_desc *description, void *host, cl_int *error)
{
  return add_image (ocl_next.clCreateImage (context, flags, format, description, host, error),
                    flags);
}

static cl_mem CL_API_CALL
create_image_with_properties (cl_context context, const cl_mem_properties *properties,
                              cl_mem_flags flags, const cl_image_format *format,
                              const cl_image_desc *description, void *host, cl_int *error)
{
  return add_image (ocl_next.clCreateImageWithProperties (context, properties, flags, format,
                                                          description, host, error),
                    flags);
}

static cl_mem CL_API_CALL
create_image_2d (cl_context context, cl_mem_flags flags, const cl_image_format *format,
                 size_t width, size_t height, size_t row_pitch, void *host, cl_int *error)
{
  return add_image (
      ocl_next.clCreateImage2D (context, flags, format, width, height, row_pitch, host, error),
      flags);
}

static cl_mem CL_API_CALL
create_image_3d (cl_context context, cl_mem_flags flags, const cl_image_format *format,
                 size_t width, size_t height, size_t depth, size_t row_pitch, size_t slice_pitch,
                 void *host, cl_int *error)
{
  return add_image (ocl_next.clCreateImage3D (context, flags, format, width, height, depth,
                                              row_pitch, slice_pitch, host, error),
                    flags);
}

/* ---- Of OpenGL ---- */

static cl_mem CL_API_CALL
create_from_gl_buffer (cl_context context, cl_mem_flags flags, cl_GLuint number, int *error)
{
  cl_mem handle = ocl_next.clCreateFromGLBuffer (context, flags, number, error);

  if (handle != NULL)
    add (OCL_MEMORY, handle, "GL buffer", flags, memory_size (handle));
  return handle;
}

static cl_mem CL_API_CALL
create_from_gl_texture (cl_context context, cl_mem_flags flags, cl_GLenum target, cl_GLint level,
                        cl_GLuint texture, cl_int *error)
{
  return add_image (ocl_next.clCreateFromGLTexture (context, flags, target, level, texture, error),
                    flags);
}

static cl_mem CL_API_CALL
create_from_gl_renderbuffer (cl_context context, cl_mem_flags flags, cl_GLuint number,
                             cl_int *error)
{
  return add_image (ocl_next.clCreateFromGLRenderbuffer (context, flags, number, error), flags);
}

/* ---- References ---- */

static cl_int CL_API_CALL
retain_memory (cl_mem handle)
{
  cl_int result = ocl_next.clRetainMemObject (handle);

  if (result == CL_SUCCESS)
    ocl_object_retain (OCL_MEMORY, handle);
  return result;
}

/* Taken out before it is gone: its address may be another's at once. */
static cl_int CL_API_CALL
release_memory (cl_mem handle)
{
  OclObject *object = ocl_object_release (OCL_MEMORY, handle);

  if (object != NULL)
    ocl_object_unuse (object);
  return ocl_next.clReleaseMemObject (handle);
}

/* ---- Shared virtual memory ---- */

static void *CL_API_CALL
svm_allocate (cl_context context, cl_svm_mem_flags flags, size_t size, cl_uint alignment)
{
  void *memory = ocl_next.clSVMAlloc (context, flags, size, alignment);

  add (OCL_SVM, memory, "SVM", flags, size);
  return memory;
}

static void CL_API_CALL
svm_free (cl_context context, void *memory)
{
  OclObject *object = ocl_object_release (OCL_SVM, memory);

  if (object != NULL)
    ocl_object_unuse (object);
  ocl_next.clSVMFree (context, memory);
}

void
ocl_memory_fill (OclTable *table)
{
  table->clCreateBuffer = create_buffer;
  table->clCreateBufferWithProperties = create_buffer_with_properties;
  table->clCreateSubBuffer = create_sub_buffer;
  table->clCreatePipe = create_pipe;
  table->clCreateImage = create_image;
  table->clCreateImageWithProperties = create_image_with_properties;
  table->clCreateImage2D = create_image_2d;
  table->clCreateImage3D = create_image_3d;
  table->clCreateFromGLBuffer = create_from_gl_buffer;
  table->clCreateFromGLTexture = create_from_gl_texture;
  table->clCreateFromGLRenderbuffer = create_from_gl_renderbuffer;
  table->clRetainMemObject = retain_memory;
  table->clReleaseMemObject = release_memory;
  table->clSVMAlloc = svm_allocate;
  table->clSVMFree = svm_free;
}
