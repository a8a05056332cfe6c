/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "weft-version.h"

G_BEGIN_DECLS

/**
 * WEFT_ERROR:
 *
 * Error domain of recordings, queries and analyses; see [error@Error].
 *
 * Since: 0.1
 */
#define WEFT_ERROR (weft_error_quark ())

/**
 * WeftError:
 * @WEFT_ERROR_NOT_A_RECORDING: the file is no recording
 * @WEFT_ERROR_TOO_NEW: the file or plugin was made for a later version
 * @WEFT_ERROR_DAMAGED: what was asked for is damaged; `weft repair` may help
 * @WEFT_ERROR_TOO_LARGE: the answer would need more memory than the file can justify
 * @WEFT_ERROR_INVALID_FILTER: the filter text makes no sense; the message points at the character
 * @WEFT_ERROR_INVALID_QUERY: the parts of a query contradict each other
 * @WEFT_ERROR_NO_SUCH_TABLE: no table has this name
 * @WEFT_ERROR_NO_SUCH_FIELD: the table has no such field
 * @WEFT_ERROR_NO_SUCH_OBJECT: no object has this handle
 * @WEFT_ERROR_OUT_OF_RANGE: a time or number lies outside the recording
 * @WEFT_ERROR_INVALID_CURSOR: the cursor belongs to another query or is garbled
 * @WEFT_ERROR_PLUGIN: a plugin could not be used; the message says why
 * @WEFT_ERROR_RECORDER: recording failed; the message says why and what to do
 *
 * What can go wrong between a question and its answer. Input and output errors keep their own
 * domain, [error@Gio.IOErrorEnum].
 *
 * Since: 0.1
 */
typedef enum
{
  WEFT_ERROR_NOT_A_RECORDING,
  WEFT_ERROR_TOO_NEW,
  WEFT_ERROR_DAMAGED,
  WEFT_ERROR_TOO_LARGE,
  WEFT_ERROR_INVALID_FILTER,
  WEFT_ERROR_INVALID_QUERY,
  WEFT_ERROR_NO_SUCH_TABLE,
  WEFT_ERROR_NO_SUCH_FIELD,
  WEFT_ERROR_NO_SUCH_OBJECT,
  WEFT_ERROR_OUT_OF_RANGE,
  WEFT_ERROR_INVALID_CURSOR,
  WEFT_ERROR_PLUGIN,
  WEFT_ERROR_RECORDER,
} WeftError;

WEFT_API GQuark weft_error_quark (void);

G_END_DECLS
