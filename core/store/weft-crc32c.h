/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* CRC-32C (Castagnoli) of DATA; the CRC of nothing is 0. */
guint32 weft_crc32c (const void *data, gsize size);

G_END_DECLS
