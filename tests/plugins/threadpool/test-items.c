/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The memory of wrapped items: each is somebody's, or nobody's, whoever takes and gives at once. */

#include <glib.h>
#include <sys/resource.h>

#include "weft-gthreadpool.h"

#define THREADS 4
#define HELD 64
#define ROUNDS 1000

static Pool pool;
static guint64 sequence;
static int done;

/* While somebody looks, what is given back is nobody's: all may be taken for a moment. */
static Item *
take (guintptr data)
{
  Item *item;

  while ((item = item_new ()) == NULL)
    g_thread_yield ();
  g_assert_true (item_find (item) == item);
  g_assert_cmpuint (LOAD (&item->state), ==, ITEM_FREE);
  item->data = (void *) data;
  item->pool = &pool;
  item->sequence = ADD (&sequence, 1);
  STORE (&item->state, ITEM_QUEUED);
  return item;
}

static void
give (Item *item, guintptr data)
{
  uint32_t queued = ITEM_QUEUED;

  g_assert_cmpuint ((guintptr) item->data, ==, data);
  g_assert_true (SWAP_IF (&item->state, &queued, ITEM_OVER));
  item_free (item);
}

static gpointer
take_and_give (gpointer data)
{
  guintptr own = (guintptr) data;
  Item *items[HELD];

  for (int round = 0; round < ROUNDS; round++)
    {
      int n = 1 + round % HELD;

      for (int i = 0; i < n; i++)
        items[i] = take (own);
      for (int i = 0; i < n; i++)
        give (items[i], own);
    }
  return NULL;
}

/* What is found while it is held stays what it was. */
static gpointer
look (gpointer data)
{
  while (!g_atomic_int_get (&done))
    for (guintptr own = 1; own <= THREADS; own++)
      {
        Item *item;

        items_hold ();
        item = items_find (&pool, (void *) own, 0);
        if (item != NULL)
          {
            guint64 found = item->sequence;

            g_thread_yield ();
            g_assert_cmpuint ((guintptr) item->data, ==, own);
            g_assert_cmpuint (item->sequence, ==, found);
          }
        items_release ();
      }
  return NULL;
}

static void
test_threads (void)
{
  GThread *threads[THREADS], *looking = g_thread_new ("looking", look, NULL);

  for (guintptr i = 0; i < THREADS; i++)
    threads[i] = g_thread_new ("taking", take_and_give, (gpointer) (i + 1));
  for (int i = 0; i < THREADS; i++)
    g_thread_join (threads[i]);
  g_atomic_int_set (&done, 1);
  g_thread_join (looking);
  g_assert_null (items_find (&pool, NULL, 0));
}

/* The oldest one first; what a program pushes is never taken for an item. */
static void
test_find (void)
{
  Item *first = take (7), *second = take (7), *other = take (8);

  g_assert_true (items_find (&pool, (void *) 7, 0) == first);
  g_assert_true (items_find (&pool, (void *) 7, first->sequence) == second);
  g_assert_null (items_find (&pool, (void *) 7, second->sequence));
  g_assert_true (items_find (&pool, (void *) 8, 0) == other);
  g_assert_true (items_find (&pool, NULL, 0) == first);
  g_assert_null (items_find (NULL, NULL, 0));
  for (guintptr i = 0; i < 4096; i++)
    g_assert_null (item_find ((void *) i));
  g_assert_null (item_find (&pool));
  g_assert_null (item_find ((char *) first + 1));
  g_assert_null (item_find ((void *) UINTPTR_MAX));
  give (first, 7);
  g_assert_true (items_find (&pool, (void *) 7, 0) == second);
  give (second, 7);
  give (other, 8);
}

/* More than there is room for: some are not wrapped, and nothing else happens. */
static void
test_many (void)
{
  GPtrArray *items = g_ptr_array_new ();
  Item *item;

  while ((item = item_new ()) != NULL)
    g_ptr_array_add (items, item);
  g_assert_cmpuint (items->len, >, 50000);
  g_assert_null (item_new ());
  for (guint i = 0; i < items->len; i++)
    item_free (items->pdata[i]);
  g_assert_nonnull (item = item_new ());
  item_free (item);
  g_ptr_array_unref (items);
}

int
main (int argc, char **argv)
{
  /* A bound, if none that is ever met: where addresses are rationed, the range is small. */
  const struct rlimit limit = { RLIM_INFINITY - 1, RLIM_INFINITY };

  g_assert_cmpint (setrlimit (RLIMIT_AS, &limit), ==, 0);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/threadpool/items/find", test_find);
  g_test_add_func ("/threadpool/items/threads", test_threads);
  g_test_add_func ("/threadpool/items/many", test_many);
  return g_test_run ();
}
