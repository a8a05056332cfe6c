/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "weft-store.h"

G_BEGIN_DECLS

/*
 * The named things of a recording by their ids, read once for an answer. Texts belong to the store;
 * NULL is none.
 */
typedef struct
{
  guint32 id;
  guint32 pid;
  const char *name;
} WeftCatalogProcess;

typedef struct
{
  guint32 id;
  guint32 process;
  const char *name;
} WeftCatalogRuntime;

typedef struct
{
  guint32 id;
  guint32 runtime;
  guint32 parent;
  const char *name;
  const char *kind;
} WeftCatalogLane;

typedef struct
{
  guint32 id;
  guint32 runtime;
  const char *name;
} WeftCatalogRoutine;

typedef struct
{
  guint32 id;
  guint32 process;
  guint32 tid;
  const char *name;
  gint64 first_seen;
} WeftCatalogThread;

typedef struct _WeftCatalog WeftCatalog;

WeftCatalog *weft_catalog_new (WeftStore *store, GCancellable *cancellable, GError **error);
void weft_catalog_free (WeftCatalog *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftCatalog, weft_catalog_free)

/* All return NULL where there is no such thing. */
const WeftCatalogProcess *weft_catalog_get_process (WeftCatalog *self, guint32 id);
const WeftCatalogRuntime *weft_catalog_get_runtime (WeftCatalog *self, guint32 id);
const WeftCatalogLane *weft_catalog_get_lane (WeftCatalog *self, guint32 id);
const WeftCatalogRoutine *weft_catalog_get_routine (WeftCatalog *self, guint32 id);
const WeftCatalogThread *weft_catalog_get_thread (WeftCatalog *self, guint32 id);

/* The process of a lane, by its runtime. */
const WeftCatalogProcess *weft_catalog_get_lane_process (WeftCatalog *self,
                                                         const WeftCatalogLane *lane);

const char *weft_catalog_get_lane_name (WeftCatalog *self, guint32 id);
const char *weft_catalog_get_lane_kind (WeftCatalog *self, guint32 id);
const char *weft_catalog_get_routine_name (WeftCatalog *self, guint32 id);

/* Whether the recorder itself tells of it, as of CPUs and memory, and no target. */
gboolean weft_catalog_is_core_lane (const WeftCatalogLane *lane);

/* By id; of lanes, those that are not the core's. */
guint weft_catalog_get_n_lanes (WeftCatalog *self);
const WeftCatalogLane *weft_catalog_get_nth_lane (WeftCatalog *self, guint n);
guint weft_catalog_get_n_threads (WeftCatalog *self);
const WeftCatalogThread *weft_catalog_get_nth_thread (WeftCatalog *self, guint n);

G_END_DECLS
