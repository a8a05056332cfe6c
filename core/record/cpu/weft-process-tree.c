/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-process-tree.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static GArray *
list_numbers (const char *folder)
{
  GArray *numbers = g_array_new (FALSE, FALSE, sizeof (int));
  g_autoptr (GDir) entries = g_dir_open (folder, 0, NULL);
  const char *name;

  while (entries != NULL && (name = g_dir_read_name (entries)) != NULL)
    if (g_ascii_isdigit (*name))
      {
        int number = (int) g_ascii_strtoull (name, NULL, 10);

        g_array_append_val (numbers, number);
      }
  return numbers;
}

GArray *
weft_process_tree_list (void)
{
  return list_numbers ("/proc");
}

GArray *
weft_process_tree_list_threads (int pid)
{
  g_autofree char *folder = g_strdup_printf ("/proc/%d/task", pid);

  return list_numbers (folder);
}

/* The fields after the name, which may hold anything. */
static gboolean
read_stat (int pid, char *state, int *parent, guint *flags)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/stat", pid);
  g_autofree char *text = NULL;
  const char *fields;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return FALSE;
  fields = strrchr (text, ')');
  return fields != NULL && sscanf (fields, ") %c %d %*d %*d %*d %*d %u", state, parent, flags) == 3;
}

char
weft_process_tree_get_state (int pid, guint *flags)
{
  guint ignored;
  char state;
  int parent;

  return read_stat (pid, &state, &parent, flags ? flags : &ignored) ? state : '\0';
}

static gboolean
contains (GArray *numbers, int number)
{
  for (guint i = 0; i < numbers->len; i++)
    if (g_array_index (numbers, int, i) == number)
      return TRUE;
  return FALSE;
}

/* Appends the processes of ALL, with their PARENTS, that PID started. */
static void
append_children (GArray *found, int pid, GArray *all, GArray *parents)
{
  for (guint i = 0; i < all->len; i++)
    {
      int child = g_array_index (all, int, i);

      if (g_array_index (parents, int, i) == pid && !contains (found, child))
        g_array_append_val (found, child);
    }
}

GArray *
weft_process_tree_list_below (const int *pids, guint n_pids)
{
  g_autoptr (GArray) all = weft_process_tree_list ();
  g_autoptr (GArray) parents = g_array_new (FALSE, TRUE, sizeof (int));
  GArray *found = g_array_new (FALSE, FALSE, sizeof (int));

  g_array_set_size (parents, all->len);
  for (guint i = 0; i < all->len; i++)
    {
      char state;
      guint flags;

      read_stat (g_array_index (all, int, i), &state, &g_array_index (parents, int, i), &flags);
    }
  for (guint i = 0; i < n_pids; i++)
    if (!contains (found, pids[i]) && contains (all, pids[i]))
      g_array_append_val (found, pids[i]);
  for (guint i = 0; i < found->len; i++)
    append_children (found, g_array_index (found, int, i), all, parents);
  return found;
}

/* A thread that is gone has none. */
static void
append_children_of_thread (GArray *found, int pid, int tid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/task/%d/children", pid, tid);
  g_autofree char *text = NULL;
  g_auto (GStrv) numbers = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return;
  numbers = g_strsplit (g_strstrip (text), " ", -1);
  for (guint i = 0; numbers[i] != NULL; i++)
    {
      int child = (int) g_ascii_strtoull (numbers[i], NULL, 10);

      if (child > 0 && !contains (found, child))
        g_array_append_val (found, child);
    }
}

GArray *
weft_process_tree_list_family (int pid)
{
  GArray *found;

  if (access ("/proc/thread-self/children", R_OK) != 0)
    return weft_process_tree_list_below (&pid, 1);
  found = g_array_new (FALSE, FALSE, sizeof (int));
  g_array_append_val (found, pid);
  for (guint i = 0; i < found->len; i++)
    {
      int parent = g_array_index (found, int, i);
      g_autoptr (GArray) tids = weft_process_tree_list_threads (parent);

      if (tids->len == 0)
        g_array_remove_index (found, i--);
      for (guint t = 0; t < tids->len; t++)
        append_children_of_thread (found, parent, g_array_index (tids, int, t));
    }
  return found;
}
