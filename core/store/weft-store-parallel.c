/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-store-parallel.h"

#include <pthread.h>

#define MIN_ITEMS 8 /* for a second thread to be worth its start */

typedef struct
{
  guint n;
  guint next;
  guint n_started;
  WeftParallelFunc func;
  gpointer data;
  pthread_mutex_t lock;
  GError *error;
} Job;

static gpointer
work (gpointer data)
{
  Job *job = data;
  guint thread = __atomic_fetch_add (&job->n_started, 1, __ATOMIC_RELAXED);
  guint item;

  while ((item = __atomic_fetch_add (&job->next, 1, __ATOMIC_RELAXED)) < job->n)
    {
      g_autoptr (GError) error = NULL;

      if (job->func (thread, item, job->data, &error))
        continue;
      __atomic_store_n (&job->next, job->n, __ATOMIC_RELAXED);
      pthread_mutex_lock (&job->lock);
      if (job->error == NULL)
        job->error = g_steal_pointer (&error);
      pthread_mutex_unlock (&job->lock);
      break;
    }

  return NULL;
}

gboolean
weft_parallel_run (guint n, WeftParallelFunc func, gpointer data, GError **error)
{
  guint n_threads = CLAMP (n / MIN_ITEMS, 1, MIN (g_get_num_processors (), WEFT_MAX_THREADS));
  GThread *threads[WEFT_MAX_THREADS] = { NULL };
  Job job = { .n = n, .func = func, .data = data };

  pthread_mutex_init (&job.lock, NULL);
  for (guint i = 1; i < n_threads; i++)
    threads[i] = g_thread_try_new ("weft-query", work, &job, NULL);
  work (&job);
  for (guint i = 1; i < n_threads; i++)
    if (threads[i] != NULL)
      g_thread_join (threads[i]);
  pthread_mutex_destroy (&job.lock);

  if (job.error == NULL)
    return TRUE;
  g_propagate_error (error, job.error);
  return FALSE;
}
