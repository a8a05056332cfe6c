/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * A group of processes for a launched program and all that it starts, so that events of a CPU can
 * be had of them alone, however short they live. It lies below the recorder's own group and is
 * removed at the end; processes that are still in it go on in the recorder's.
 */
typedef struct _WeftCgroup WeftCgroup;

/* Removes what recorders left that were killed, too. G_IO_ERROR_NOT_SUPPORTED if there is no
 * hierarchy for it, others if it may not be changed.
 */
WeftCgroup *weft_cgroup_new (GError **error);
void weft_cgroup_free (WeftCgroup *self);

gboolean weft_cgroup_add (WeftCgroup *self, int pid, GError **error);

/* For PERF_FLAG_PID_CGROUP. */
int weft_cgroup_get_descriptor (WeftCgroup *self);


G_END_DECLS
