/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-program.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct _WeftProgram
{
  gatomicrefcount n_references;
  char *name;
  char *path; /* what will be run, or NULL */
  int pid;
  int pidfd;
  int hold;    /* a byte lets it go; -1: it was let go */
  int report;  /* what kept it from running; -1: that was read */
  GMutex lock; /* of what follows */
  gboolean has_ended;
  int wait_status;
};

/* ---- In the child ---- */

/* All that it needs, for it may not allocate: other threads held locks when it was made. */
typedef struct
{
  char **argv;
  char **environment;
  char **paths;       /* to try, in this order */
  char **script_argv; /* for /bin/sh: its second is the script */
  const char *directory;
  int hold;
  int report;
} Child;

typedef struct
{
  int error; /* errno */
  int is_directory;
} Report;

/* The program gets its signals as if it had been started by itself. */
static void
reset_signals (void)
{
  static const int signals[] = { SIGINT, SIGTERM, SIGXFSZ, SIGPIPE, SIGCHLD };
  struct sigaction action = { .sa_handler = SIG_DFL };

  for (guint i = 0; i < G_N_ELEMENTS (signals); i++)
    sigaction (signals[i], &action, NULL);
}

#define MAX_DESCRIPTORS 65536

static void
close_on_exec (void)
{
  struct rlimit limit = { .rlim_cur = MAX_DESCRIPTORS };

  if (syscall (SYS_close_range, 3, ~0u, CLOSE_RANGE_CLOEXEC) == 0)
    return;
  getrlimit (RLIMIT_NOFILE, &limit);
  for (int fd = 3; fd < (int) MIN (limit.rlim_cur, MAX_DESCRIPTORS); fd++)
    fcntl (fd, F_SETFD, FD_CLOEXEC);
}

/* Returns why none could be run. */
static int
try_paths (const Child *child)
{
  gboolean was_denied = FALSE;

  for (guint i = 0; child->paths[i] != NULL; i++)
    {
      execve (child->paths[i], child->argv, child->environment);
      if (errno == ENOEXEC)
        {
          child->script_argv[1] = child->paths[i];
          execve ("/bin/sh", child->script_argv, child->environment);
          return ENOEXEC;
        }
      if (errno == EACCES)
        was_denied = TRUE;
      else if (errno != ENOENT && errno != ENOTDIR && errno != ESTALE && errno != ENODEV)
        return errno;
    }
  return was_denied ? EACCES : ENOENT;
}

G_NORETURN static void
run_child (const Child *child)
{
  Report report = { 0 };
  char go;
  ssize_t n;

  reset_signals ();
  do
    n = read (child->hold, &go, 1);
  while (n < 0 && errno == EINTR);
  if (n != 1)
    _exit (127);

  close_on_exec ();
  if (child->directory != NULL && chdir (child->directory) != 0)
    report = (Report){ errno, TRUE };
  else
    report.error = try_paths (child);
  while (write (child->report, &report, sizeof report) < 0 && errno == EINTR)
    ;
  _exit (127);
}

/* ---- Launch ---- */

static const char *
find_variable (const char *const *environment, const char *name)
{
  return environment ? g_environ_getenv ((char **) environment, name) : g_getenv (name);
}

/* What a program's name may stand for. */
static char **
list_paths (const char *name, const char *const *environment)
{
  g_autoptr (GStrvBuilder) paths = g_strv_builder_new ();
  g_auto (GStrv) folders = NULL;
  const char *path = find_variable (environment, "PATH");

  if (strchr (name, '/') != NULL)
    {
      g_strv_builder_add (paths, name);
      return g_strv_builder_end (paths);
    }
  folders = g_strsplit (path ? path : "/bin:/usr/bin:.", ":", -1);
  for (guint i = 0; *name != '\0' && folders[i] != NULL; i++)
    {
      g_autofree char *candidate = g_build_filename (*folders[i] ? folders[i] : ".", name, NULL);

      g_strv_builder_add (paths, candidate);
    }
  return g_strv_builder_end (paths);
}

static char *
find_program (char **paths, const char *directory)
{
  for (guint i = 0; paths[i] != NULL; i++)
    {
      g_autofree char *path = g_canonicalize_filename (paths[i], directory);

      if (g_file_test (path, G_FILE_TEST_IS_REGULAR) && g_access (path, X_OK) == 0)
        return g_steal_pointer (&path);
    }
  return NULL;
}

static char **
make_script_argv (const char *const *argv)
{
  g_autoptr (GStrvBuilder) script = g_strv_builder_new ();

  g_strv_builder_add_many (script, "/bin/sh", argv[0], NULL);
  for (guint i = 1; argv[i] != NULL; i++)
    g_strv_builder_add (script, argv[i]);
  return g_strv_builder_end (script);
}

static void
set_spawn_error (GError **error, int code, int cause, const char *what)
{
  g_set_error (error, G_SPAWN_ERROR, code, "%s (%s)", what, g_strerror (cause));
}

/* CHILD holds the child's ends of the pipes. */
static gboolean
fork_child (WeftProgram *self, Child *child, GError **error)
{
  self->pid = fork ();
  if (self->pid < 0)
    {
      set_spawn_error (error, G_SPAWN_ERROR_FORK, errno, "Failed to fork");
      return FALSE;
    }
  if (self->pid == 0)
    {
      close (self->hold);
      close (self->report);
      run_child (child);
    }
  self->pidfd = (int) syscall (SYS_pidfd_open, self->pid, 0);
  if (self->pidfd >= 0)
    return TRUE;
  set_spawn_error (error, G_SPAWN_ERROR_FAILED, errno,
                   "Cannot watch a process: Linux 5.3 or later is needed, without a filter that "
                   "forbids pidfd_open");
  return FALSE;
}

static gboolean
make_pipes (WeftProgram *self, Child *child, GError **error)
{
  int hold[2] = { -1, -1 };
  int report[2] = { -1, -1 };
  gboolean made = pipe2 (hold, O_CLOEXEC) == 0 && pipe2 (report, O_CLOEXEC) == 0;

  if (!made)
    set_spawn_error (error, G_SPAWN_ERROR_FAILED, errno, "Cannot make a pipe");
  child->hold = hold[0];
  self->hold = hold[1];
  self->report = report[0];
  child->report = report[1];
  return made;
}

static void
clear_descriptor (int *fd)
{
  if (*fd >= 0)
    close (*fd);
  *fd = -1;
}

WeftProgram *
weft_program_new (const char *const *argv, const char *const *environment, const char *directory,
                  GError **error)
{
  g_autoptr (WeftProgram) self = g_new0 (WeftProgram, 1);
  g_auto (GStrv) paths = list_paths (argv[0], environment);
  g_auto (GStrv) variables = environment ? g_strdupv ((char **) environment) : g_get_environ ();
  g_auto (GStrv) script_argv = make_script_argv (argv);
  g_autofree char **script =
      g_memdup2 (script_argv, (g_strv_length (script_argv) + 1) * sizeof *script_argv);
  Child child = { .argv = (char **) argv,
                  .environment = variables,
                  .paths = paths,
                  .script_argv = script,
                  .directory = directory };
  gboolean made;

  g_atomic_ref_count_init (&self->n_references);
  g_mutex_init (&self->lock);
  self->name = g_strdup (argv[0]);
  self->path = find_program (paths, directory);
  self->pidfd = -1;
  made = make_pipes (self, &child, error) && fork_child (self, &child, error);
  clear_descriptor (&child.hold);
  clear_descriptor (&child.report);
  return made ? g_steal_pointer (&self) : NULL;
}

/* ---- Letting it go ---- */

static int
spawn_error_of (int cause)
{
  static const struct
  {
    int cause;
    int code;
  } errors[] = {
    { EACCES, G_SPAWN_ERROR_ACCES },  { EPERM, G_SPAWN_ERROR_PERM },
    { E2BIG, G_SPAWN_ERROR_TOO_BIG }, { ENOEXEC, G_SPAWN_ERROR_NOEXEC },
    { ENOENT, G_SPAWN_ERROR_NOENT },  { ENAMETOOLONG, G_SPAWN_ERROR_NAMETOOLONG },
    { ENOMEM, G_SPAWN_ERROR_NOMEM },  { ENOTDIR, G_SPAWN_ERROR_NOTDIR },
    { ELOOP, G_SPAWN_ERROR_LOOP },    { ETXTBSY, G_SPAWN_ERROR_TXTBUSY },
    { EIO, G_SPAWN_ERROR_IO },        { ENFILE, G_SPAWN_ERROR_NFILE },
    { EMFILE, G_SPAWN_ERROR_MFILE },  { EINVAL, G_SPAWN_ERROR_INVAL },
    { EISDIR, G_SPAWN_ERROR_ISDIR },  { ELIBBAD, G_SPAWN_ERROR_LIBBAD },
  };

  for (guint i = 0; i < G_N_ELEMENTS (errors); i++)
    if (errors[i].cause == cause)
      return errors[i].code;
  return G_SPAWN_ERROR_FAILED;
}

static void
set_not_run (WeftProgram *self, const Report *report, GError **error)
{
  g_autofree char *what = NULL;
  int cause = report->error;

  /* A folder of PATH that is closed to us hides that the others do not have it either. */
  if (cause == EACCES && !report->is_directory && strchr (self->name, '/') == NULL &&
      self->path == NULL)
    cause = ENOENT;
  what = report->is_directory
             ? g_strdup ("Failed to change to its working directory")
             : g_strdup_printf ("Failed to execute child process “%s”", self->name);
  set_spawn_error (error, report->is_directory ? G_SPAWN_ERROR_CHDIR : spawn_error_of (cause),
                   cause, what);
}

gboolean
weft_program_release (WeftProgram *self, GError **error)
{
  Report report;
  ssize_t n;

  g_return_val_if_fail (self->hold >= 0, FALSE);

  while (write (self->hold, "", 1) < 0 && errno == EINTR)
    ;
  clear_descriptor (&self->hold);
  do
    n = read (self->report, &report, sizeof report);
  while (n < 0 && errno == EINTR);
  clear_descriptor (&self->report);
  if (n != sizeof report)
    return TRUE;
  set_not_run (self, &report, error);
  return FALSE;
}

/* ---- Its life ---- */

/* Never before it has ended: waiting would take a tracer's news away. */
static void
reap (WeftProgram *self)
{
  struct pollfd poll_fd = { .fd = self->pidfd, .events = POLLIN };
  int status;

  if (!self->has_ended && poll (&poll_fd, 1, 0) == 1 &&
      waitpid (self->pid, &status, __WALL | WNOHANG) == self->pid)
    {
      self->has_ended = TRUE;
      self->wait_status = status;
    }
}

void
weft_program_tell_ended (WeftProgram *self, int wait_status)
{
  g_mutex_lock (&self->lock);
  if (!self->has_ended)
    self->wait_status = wait_status;
  self->has_ended = TRUE;
  g_mutex_unlock (&self->lock);
}

gboolean
weft_program_is_running (WeftProgram *self)
{
  gboolean is_running;

  g_mutex_lock (&self->lock);
  reap (self);
  is_running = !self->has_ended;
  g_mutex_unlock (&self->lock);
  return is_running;
}

int
weft_program_get_exit_status (WeftProgram *self)
{
  int status;

  if (weft_program_is_running (self))
    return -1;
  g_mutex_lock (&self->lock);
  status = self->wait_status;
  g_mutex_unlock (&self->lock);
  return WIFSIGNALED (status) ? 128 + WTERMSIG (status) : WEXITSTATUS (status);
}

void
weft_program_send_signal (WeftProgram *self, int signal_number)
{
  syscall (SYS_pidfd_send_signal, self->pidfd, signal_number, NULL, 0);
}

int
weft_program_get_pid (WeftProgram *self)
{
  return self->pid;
}

const char *
weft_program_get_path (WeftProgram *self)
{
  return self->path;
}

int
weft_program_get_descriptor (WeftProgram *self)
{
  return self->pidfd;
}

WeftProgram *
weft_program_ref (WeftProgram *self)
{
  g_atomic_ref_count_inc (&self->n_references);
  return self;
}

static gpointer
wait_and_forget (gpointer data)
{
  while (waitpid (GPOINTER_TO_INT (data), NULL, __WALL) < 0 && errno == EINTR)
    ;
  return NULL;
}

/* Nobody asks any more, but somebody must wait for it. */
static void
leave_behind (WeftProgram *self)
{
  gboolean was_held = self->hold >= 0;

  clear_descriptor (&self->hold);
  if (self->pid <= 0 || (self->pidfd >= 0 && !weft_program_is_running (self)))
    return;
  if (was_held)
    wait_and_forget (GINT_TO_POINTER (self->pid));
  else
    g_thread_unref (g_thread_new ("weft-reaper", wait_and_forget, GINT_TO_POINTER (self->pid)));
}

void
weft_program_unref (WeftProgram *self)
{
  if (!g_atomic_ref_count_dec (&self->n_references))
    return;
  leave_behind (self);
  clear_descriptor (&self->pidfd);
  clear_descriptor (&self->report);
  g_mutex_clear (&self->lock);
  g_free (self->name);
  g_free (self->path);
  g_free (self);
}
