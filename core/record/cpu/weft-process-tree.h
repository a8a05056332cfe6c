/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Which processes and threads there are now, by /proc. Element-type int. */
GArray *weft_process_tree_list (void);

/* PIDS that exist, and what they have started, and so on; none twice. */
GArray *weft_process_tree_list_below (const int *pids, guint n_pids);

/* PID, if it exists, and likewise, without a look at all others where the kernel keeps lists of
 * children. Those may lack one while another ends: for who asks again.
 */
GArray *weft_process_tree_list_family (int pid);

/* Of PID; empty if it is gone. */
GArray *weft_process_tree_list_threads (int pid);

/* Letter of its state as in /proc/PID/stat, and its flags (PF_…, or 0); '\0': it is gone. FLAGS may
 * be NULL.
 */
char weft_process_tree_get_state (int pid, guint *flags);

G_END_DECLS
