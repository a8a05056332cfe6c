/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-error.h"

G_DEFINE_QUARK (weft - error, weft_error)
