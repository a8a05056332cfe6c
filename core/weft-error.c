/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-error.h"

/**
 * weft_error_quark:
 *
 * Returns: the domain of [error@Error]
 *
 * Since: 0.1
 */
/* clang-format off */
G_DEFINE_QUARK (weft-error-quark, weft_error)
/* clang-format on */
