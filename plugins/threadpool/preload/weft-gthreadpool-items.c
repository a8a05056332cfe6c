/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Items lie in one range of addresses, so that it can be told without a look at its memory whether
 * a pointer is one: what a program pushes may be any number. The range is reserved once and gets
 * memory as it is needed; what was used once is used again.
 */
#include "weft-gthreadpool.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define RANGE (UINT64_C (256) << 20)
#define SMALL_RANGE (UINT64_C (4) << 20) /* where addresses are rationed */
#define STEP (UINT64_C (64) << 10)

static uint8_t *range; /* (void *) -1: there is none */
static uint64_t range_size;
static uint64_t usable;    /* bytes that have memory */
static uint64_t n_used;    /* items that were ever used */
static uint64_t free_list; /* index of the first one, and a number that changes with each change */
static uint64_t held_list; /* those that are to be free as soon as nobody looks */
static uint32_t n_holders;

static Item *
nth (uint32_t index)
{
  return (Item *) (void *) range + index;
}

static bool
reserve (void)
{
  struct rlimit limit;
  uint64_t size = RANGE;
  uint8_t *made, *none = NULL;

  if (LOAD (&range) != NULL)
    return LOAD (&range) != MAP_FAILED;
  if (getrlimit (RLIMIT_AS, &limit) != 0 || limit.rlim_cur != RLIM_INFINITY)
    size = SMALL_RANGE;
  made = mmap (NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  STORE (&range_size, size);
  if (!SWAP_IF (&range, &none, made) && made != MAP_FAILED)
    munmap (made, size);
  return LOAD (&range) != MAP_FAILED;
}

/* Gives memory to the range up to END. */
static bool
grow (uint64_t end)
{
  uint64_t now = LOAD (&usable);

  while (now < end)
    {
      uint64_t more = now + STEP;

      if (more > LOAD (&range_size) || mprotect (range + now, STEP, PROT_READ | PROT_WRITE) != 0)
        return false;
      if (SWAP_IF (&usable, &now, more))
        now = more;
    }
  return true;
}

static void
push (uint64_t *list, Item *item)
{
  uint64_t old = LOAD (list), changed;

  do
    {
      STORE (&item->next, (uint32_t) old);
      changed = ((old >> 32) + 1) << 32 | ((uint32_t) (item - nth (0)) + 1);
    }
  while (!SWAP_IF (list, &old, changed));
}

/* Indices count from 1; memory of items stays, so that a look at one that is gone does no harm. */
static Item *
pop (uint64_t *list)
{
  uint64_t old = LOAD (list), changed;

  do
    {
      if ((uint32_t) old == 0)
        return NULL;
      changed = ((old >> 32) + 1) << 32 | LOAD (&nth ((uint32_t) old - 1)->next);
    }
  while (!SWAP_IF (list, &old, changed));
  return nth ((uint32_t) old - 1);
}

/* One that was never used, or NULL. */
static Item *
take_next (void)
{
  uint64_t index = LOAD (&n_used);

  for (;;)
    {
      uint64_t end = (index + 1) * sizeof (Item);

      if (end > LOAD (&range_size) || !grow (end))
        return NULL;
      if (SWAP_IF (&n_used, &index, index + 1))
        return nth ((uint32_t) index);
    }
}

Item *
item_new (void)
{
  int saved = errno;
  Item *item = NULL;

  if (reserve () && (item = pop (&free_list)) == NULL)
    item = take_next ();
  errno = saved;
  return item;
}

Item *
item_find (const void *p)
{
  uint64_t offset = (uint64_t) ((uintptr_t) p - (uintptr_t) LOAD (&range));

  if (offset >= LOAD (&n_used) * sizeof (Item) || offset % sizeof (Item) != 0)
    return NULL;
  return nth ((uint32_t) (offset / sizeof (Item)));
}

void
item_free (Item *item)
{
  STORE (&item->state, ITEM_FREE);
  push (LOAD (&n_holders) != 0 ? &held_list : &free_list, item);
}

void
items_hold (void)
{
  ADD (&n_holders, 1);
}

void
items_release (void)
{
  Item *item;

  if (ADD (&n_holders, (uint32_t) -1) == 0)
    while (LOAD (&n_holders) == 0 && (item = pop (&held_list)) != NULL)
      push (&free_list, item);
}

Item *
items_find (const Pool *pool, const void *data, uint64_t sequence)
{
  uint64_t n = LOAD (&n_used);
  Item *found = NULL;

  for (uint64_t i = 0; i < n; i++)
    {
      Item *item = nth ((uint32_t) i);

      if (LOAD (&item->state) == ITEM_QUEUED && item->pool == pool && item->sequence > sequence &&
          (data == NULL || item->data == data) &&
          (found == NULL || item->sequence < found->sequence))
        found = item;
    }
  return found;
}
