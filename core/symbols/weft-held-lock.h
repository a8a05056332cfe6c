/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <pthread.h>

G_BEGIN_DECLS

/* A lock that is held until the end of the block:
 *
 *   g_autoptr (WeftHeldLock) held = weft_hold_lock (&self->lock);
 *
 * POSIX ones, not GLib's, so that thread sanitizers see them.
 */
typedef pthread_mutex_t WeftHeldLock;

static inline WeftHeldLock *
weft_hold_lock (pthread_mutex_t *lock)
{
  pthread_mutex_lock (lock);
  return lock;
}

static inline void
weft_held_lock_release (WeftHeldLock *lock)
{
  pthread_mutex_unlock (lock);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WeftHeldLock, weft_held_lock_release)

G_END_DECLS
