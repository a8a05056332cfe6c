/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-address-space.h"
#include "weft-unwind-table.h"

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

/* What is known of an address of code. Stacks of one program go through the same calls over and
 * over: looking up mapping, page and row for each is most of what unwinding would cost.
 */
typedef struct
{
  guint64 key; /* address << 1 | whether it is a return address; 0: free */
  WeftCodeModule *module;
  guint64 bias;
  const WeftUnwindRule *rule; /* NULL: none */
  WeftUnwindTable *table;     /* NULL: none */
  gboolean is_mapped;
} WeftUnwindCacheEntry;

#define WEFT_UNWIND_CACHE_SIZE 1024 /* a power of two */

typedef struct
{
  gboolean is_used;
  WeftUnwindCacheEntry entries[WEFT_UNWIND_CACHE_SIZE];
} WeftUnwindCache;

/* Of the mappings as they are now: emptied when they change. */
WeftUnwindCache *weft_address_space_get_cache (WeftAddressSpace *self);

G_END_DECLS
