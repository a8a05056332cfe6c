/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-version.h"

/**
 * weft_get_version:
 *
 * The version of the library that runs, which may be later than the one compiled against.
 *
 * Returns: (transfer none): three numbers with dots between
 *
 * Since: 0.1
 */
const char *
weft_get_version (void)
{
  return WEFT_VERSION_TEXT;
}
