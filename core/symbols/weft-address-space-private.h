/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-address-space.h"

G_BEGIN_DECLS

typedef struct
{
  guint64 start;
  guint64 end;
  guint64 bias; /* what makes an address one of the module */
  WeftCodeModule *module;
} WeftAddressMapping;

/* NULL if nothing is mapped there. What is returned stands until the mappings change. */
const WeftAddressMapping *weft_address_space_find (WeftAddressSpace *self, guint64 address);

G_END_DECLS
