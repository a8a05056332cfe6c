/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Processes and threads that come and go. */

#include "corpus.h"

#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t child;
static int child_pipe[2];

/* ---- A forked child ---- */

static void
run_child (int told, int end)
{
  CorpusLane *lane = corpus_lane ("child", "threadpool.worker");
  char byte = 'x';

  prctl (PR_SET_NAME, "corpus-child");
  corpus_sleep_until (corpus_time (70 * MS));
  for (uint64_t i = 0; i < 5; i++)
    corpus_span (lane, "child_work", (20 + i * 10) * MS, 8 * MS);
  corpus_settle ();
  if (write (told, &byte, 1) == 1 && read (end, &byte, 1) < 0)
    _exit (1);
  _exit (0);
}

/* The child reports, and stays until corpus_child_end (). */
int32_t
corpus_child (void)
{
  int told[2];
  char byte;

  if (child != 0)
    return (int32_t) child;
  corpus_settle ();
  if (pipe (told) != 0 || pipe (child_pipe) != 0 || (child = fork ()) < 0)
    abort ();
  if (child == 0)
    {
      close (child_pipe[1]);
      run_child (told[1], child_pipe[0]);
    }
  close (told[1]);
  close (child_pipe[0]);
  if (read (told[0], &byte, 1) != 1)
    abort ();
  close (told[0]);
  return (int32_t) child;
}

void
corpus_child_end (void)
{
  if (child == 0)
    return;
  close (child_pipe[1]);
  waitpid (child, NULL, 0);
  child = 0;
}

static void
process_fork (void)
{
  corpus_child ();
}

/* ---- Threads ---- */

static void
work_shortly (void *data)
{
  corpus_span (corpus_lane ("short-lived", "threadpool.worker"), "short_work", 50 * MS, MS);
}

static void
thread_short (void)
{
  for (int i = 0; i < 3; i++)
    {
      CorpusThread *thread = corpus_thread_new ("short-lived");

      corpus_thread_run (thread, work_shortly, NULL);
      corpus_thread_free (thread);
    }
}

static void
work_named (void *data)
{
  corpus_span (corpus_lane ("named threads", "threadpool.worker"), data, 60 * MS, MS);
}

/* The kernel keeps 15 bytes of a name. */
static void
thread_names (void)
{
  static const char *const names[] = { "a rather long thread name", "überträger", "" };
  static char routines[][16] = { "long_name", "not_ascii", "no_name" };

  for (size_t i = 0; i < N_ELEMENTS (names); i++)
    {
      CorpusThread *thread = corpus_thread_new (names[i]);

      corpus_thread_run (thread, work_named, routines[i]);
      corpus_thread_free (thread);
    }
}

static const CorpusCase cases[] = {
  { "process-fork", "a forked child reports on a lane of its own",
    "a second process and runtime; lane `child` there, 5 × `child_work` of 8 ms", process_fork },
  { "thread-short", "three threads, one after the other, live for one dispatch each",
    "lane `short-lived`: 3 × `short_work` on three threads of that name", thread_short },
  { "thread-names", "names that are too long, not ASCII, empty",
    "lane `named threads`: threads `a rather long t`, `überträger` and one without a name",
    thread_names },
};

const CorpusGroup corpus_processes = { "processes", cases, N_ELEMENTS (cases) };
