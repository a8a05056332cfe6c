/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What OpenCL's loader calls: see README.md beside the plugin. */

#include <CL/cl_layer.h>

#include <string.h>

#define EXPORT __attribute__ ((visibility ("default")))

static struct _cl_icd_dispatch layer;

EXPORT CL_API_ENTRY cl_int CL_API_CALL
clGetLayerInfo (cl_layer_info name, size_t size, void *value, size_t *needed)
{
  const cl_layer_api_version version = CL_LAYER_API_VERSION_100;

  if (name != CL_LAYER_API_VERSION || (value != NULL && size < sizeof version))
    return CL_INVALID_VALUE;
  if (value != NULL)
    memcpy (value, &version, sizeof version);
  if (needed != NULL)
    *needed = sizeof version;
  return CL_SUCCESS;
}

/* Entries that are left NULL are the target's. */
EXPORT CL_API_ENTRY cl_int CL_API_CALL
clInitLayer (cl_uint n_entries, const struct _cl_icd_dispatch *target, cl_uint *n_entries_out,
             const struct _cl_icd_dispatch **layer_out)
{
  if (target == NULL || n_entries_out == NULL || layer_out == NULL)
    return CL_INVALID_VALUE;
  *n_entries_out = sizeof layer / sizeof (void *);
  *layer_out = &layer;
  return CL_SUCCESS;
}
