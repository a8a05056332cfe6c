/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-wait-handovers.h"

#define MAX_KEPT (1 << 20)
#define SLACK (20 * G_GINT64_CONSTANT (1000)) /* ns between the call and the switch */

typedef struct
{
  guint64 process;
  guint64 object;
} Key;

typedef struct
{
  gint64 time;
  guint64 thread;
} Release;

typedef struct
{
  gint64 begin;
  gint64 end;
  guint64 object;
  guint64 also;
  gboolean expired;
} Waiting;

struct _WeftWaitHandovers
{
  GHashTable *releases; /* Key → GArray of Release, by time */
  GHashTable *waitings; /* guint64 thread → GArray of Waiting, by their ends */
  guint n_kept;
};

static guint
hash_key (gconstpointer data)
{
  const Key *key = data;

  return (guint) (key->object >> 4 ^ key->object >> 32 ^ key->process * 0x9e3779b1u);
}

static gboolean
equal_keys (gconstpointer a, gconstpointer b)
{
  const Key *left = a, *right = b;

  return left->process == right->process && left->object == right->object;
}

WeftWaitHandovers *
weft_wait_handovers_new (void)
{
  WeftWaitHandovers *self = g_new0 (WeftWaitHandovers, 1);

  self->releases =
      g_hash_table_new_full (hash_key, equal_keys, g_free, (GDestroyNotify) g_array_unref);
  self->waitings =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, (GDestroyNotify) g_array_unref);
  return self;
}

void
weft_wait_handovers_free (WeftWaitHandovers *self)
{
  g_hash_table_unref (self->releases);
  g_hash_table_unref (self->waitings);
  g_free (self);
}

/* They come in order, but for those of different threads. */
static void
add_release (WeftWaitHandovers *self, const WeftIngestHandover *handover)
{
  Key key = { handover->process, handover->object };
  Release release = { handover->begin, handover->thread };
  GArray *releases = g_hash_table_lookup (self->releases, &key);
  guint at;

  if (releases == NULL)
    {
      releases = g_array_new (FALSE, FALSE, sizeof (Release));
      g_hash_table_insert (self->releases, g_memdup2 (&key, sizeof key), releases);
    }
  for (at = releases->len; at > 0; at--)
    if (g_array_index (releases, Release, at - 1).time <= release.time)
      break;
  g_array_insert_val (releases, at, release);
}

static void
add_waiting (WeftWaitHandovers *self, const WeftIngestHandover *handover)
{
  Waiting waiting = { handover->begin, handover->end, handover->object, handover->also,
                      handover->expired };
  GArray *waitings = g_hash_table_lookup (self->waitings, &handover->thread);

  if (waitings == NULL)
    {
      waitings = g_array_new (FALSE, FALSE, sizeof (Waiting));
      g_hash_table_insert (self->waitings, g_memdup2 (&handover->thread, sizeof (guint64)),
                           waitings);
    }
  g_array_append_val (waitings, waiting);
}

void
weft_wait_handovers_add (WeftWaitHandovers *self, const WeftIngestHandover *handover)
{
  if (handover->thread == 0 || self->n_kept >= MAX_KEPT)
    return;
  self->n_kept++;
  if (handover->waited)
    add_waiting (self, handover);
  else
    add_release (self, handover);
}

void
weft_wait_handovers_forget (WeftWaitHandovers *self, gint64 before)
{
  GHashTableIter iter;
  gpointer value;

  self->n_kept = 0;
  g_hash_table_iter_init (&iter, self->releases);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      GArray *releases = value;
      guint n = 0;

      while (n < releases->len && g_array_index (releases, Release, n).time < before)
        n++;
      self->n_kept += releases->len - n;
      if (n == releases->len)
        g_hash_table_iter_remove (&iter);
      else if (n > 0)
        g_array_remove_range (releases, 0, n);
    }
  g_hash_table_iter_init (&iter, self->waitings);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      GArray *waitings = value;
      guint n = 0;

      while (n < waitings->len && g_array_index (waitings, Waiting, n).end < before)
        n++;
      self->n_kept += waitings->len - n;
      if (n == waitings->len)
        g_hash_table_iter_remove (&iter);
      else if (n > 0)
        g_array_remove_range (waitings, 0, n);
    }
}

/* The first that ends after STOP, if it began before START: calls of one thread do not overlap. */
static const Waiting *
find_waiting (WeftWaitHandovers *self, const WeftWaitQuestion *question)
{
  const GArray *waitings = g_hash_table_lookup (self->waitings, &question->thread);
  guint low = 0, high = waitings ? waitings->len : 0;

  while (low < high)
    {
      guint middle = (low + high) / 2;

      if (g_array_index (waitings, Waiting, middle).end + SLACK < question->stop)
        low = middle + 1;
      else
        high = middle;
    }
  if (waitings == NULL || low >= waitings->len ||
      g_array_index (waitings, Waiting, low).begin > question->start + SLACK)
    return NULL;
  return &g_array_index (waitings, Waiting, low);
}

static void
find_release (WeftWaitHandovers *self, const WeftWaitQuestion *question, guint64 object,
              WeftWaitAnswer *answer)
{
  Key key = { question->process, object };
  const GArray *releases = object != 0 ? g_hash_table_lookup (self->releases, &key) : NULL;
  guint low = 0, high = releases ? releases->len : 0;

  while (low < high)
    {
      guint middle = (low + high) / 2;

      if (g_array_index (releases, Release, middle).time <= question->stop)
        low = middle + 1;
      else
        high = middle;
    }
  for (guint i = low; i > 0; i--)
    {
      const Release *release = &g_array_index (releases, Release, i - 1);

      if (release->time < question->start - SLACK || release->time <= answer->time)
        return;
      if (release->thread == question->thread)
        continue;
      *answer = (WeftWaitAnswer){ release->thread, object, release->time };
      return;
    }
}

gboolean
weft_wait_handovers_find (WeftWaitHandovers *self, const WeftWaitQuestion *question,
                          WeftWaitAnswer *answer)
{
  const Waiting *waiting = find_waiting (self, question);

  *answer = (WeftWaitAnswer){ .time = G_MININT64 };
  if (waiting == NULL)
    {
      find_release (self, question, question->object, answer);
      return answer->waker != 0;
    }
  find_release (self, question, waiting->object, answer);
  find_release (self, question, waiting->also, answer);
  if (answer->waker != 0 || !waiting->expired)
    return answer->waker != 0;
  *answer = (WeftWaitAnswer){ .object = waiting->object, .time = question->stop };
  return TRUE;
}
