/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-runtime-directory.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "weft-wire.h"

struct _WeftRuntimeDirectory
{
  char *path;
  int fd;
  int lock_fd;
  WeftWireGate *gate;
  GPtrArray *sockets; /* names, to be removed */
  gboolean is_private;
  gboolean is_locked;
};

static gboolean
fail (GError **error, const char *what, const char *path)
{
  int saved = errno;

  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (saved), "%s “%s”: %s", what, path,
               g_strerror (saved));
  return FALSE;
}

char *
weft_runtime_directory_default_path (void)
{
  const char *given = g_getenv ("WEFT_RUNTIME_DIR");
  const char *user = g_getenv ("XDG_RUNTIME_DIR");

  if (given != NULL && *given == '/')
    return g_strdup (given);
  if (user != NULL && *user == '/')
    return g_build_filename (user, "weft", NULL);
  return g_strdup_printf ("/tmp/weft-%u", (guint) geteuid ());
}

static gboolean
check_owner (int fd, mode_t type, const char *path, GError **error)
{
  struct stat st;

  if (fstat (fd, &st) != 0)
    return fail (error, "Cannot look at", path);
  if ((st.st_mode & S_IFMT) != type || (st.st_uid != geteuid () && st.st_uid != 0) ||
      (st.st_mode & 022) != 0)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
                   "“%s” must be yours and writable by no one else; remove it, or set "
                   "WEFT_RUNTIME_DIR to a folder of your own",
                   path);
      return FALSE;
    }
  return TRUE;
}

static gboolean
open_directory (WeftRuntimeDirectory *self, GError **error)
{
  if (g_mkdir (self->path, 0700) != 0 && errno != EEXIST)
    return fail (error, "Cannot make the runtime directory", self->path);

  self->fd = open (self->path, O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_RDONLY);
  if (self->fd < 0)
    return fail (error, "Cannot open the runtime directory", self->path);
  return check_owner (self->fd, S_IFDIR, self->path, error);
}

static gboolean
take_lock (WeftRuntimeDirectory *self, GError **error)
{
  self->lock_fd = openat (self->fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (self->lock_fd < 0)
    return fail (error, "Cannot make the lock of", self->path);
  self->is_locked = flock (self->lock_fd, LOCK_EX | LOCK_NB) == 0;
  if (self->is_locked)
    return TRUE;

  g_set_error (error, G_IO_ERROR, G_IO_ERROR_BUSY,
               "Another recorder (pid %u) owns “%s”; stop it (weft stop), or record a program of "
               "its own with “weft record -- PROGRAM”",
               self->gate->recorder_pid, self->path);
  return FALSE;
}

static gboolean
map_gate (WeftRuntimeDirectory *self, GError **error)
{
  g_autofree char *path = g_build_filename (self->path, WEFT_WIRE_GATE_NAME, NULL);
  int fd = openat (self->fd, WEFT_WIRE_GATE_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  struct stat st;
  void *memory;

  if (fd < 0)
    return fail (error, "Cannot open", path);
  if (!check_owner (fd, S_IFREG, path, error))
    {
      close (fd);
      return FALSE;
    }
  if (fstat (fd, &st) != 0 || (st.st_size < WEFT_WIRE_GATE_SIZE &&
                               ftruncate (fd, WEFT_WIRE_GATE_SIZE) != 0))
    {
      fail (error, "Cannot size", path);
      close (fd);
      return FALSE;
    }

  memory = mmap (NULL, WEFT_WIRE_GATE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close (fd);
  if (memory == MAP_FAILED)
    return fail (error, "Cannot map", path);
  self->gate = memory;
  return TRUE;
}

/* LOCK_FD: the lock, if it is ours already; else -1. */
static WeftRuntimeDirectory *
directory_open (const char *path, gboolean is_private, int lock_fd, GError **error)
{
  g_autoptr (WeftRuntimeDirectory) self = g_new0 (WeftRuntimeDirectory, 1);

  self->path = g_strdup (path);
  self->fd = -1;
  self->lock_fd = lock_fd;
  self->is_locked = lock_fd >= 0;
  self->is_private = is_private;
  self->sockets = g_ptr_array_new_with_free_func (g_free);
  if (!open_directory (self, error) || !map_gate (self, error) ||
      (!self->is_locked && !take_lock (self, error)))
    return NULL;
  return g_steal_pointer (&self);
}

WeftRuntimeDirectory *
weft_runtime_directory_open (const char *path, GError **error)
{
  return directory_open (path, FALSE, -1, error);
}

/* Recorders that were killed leave theirs behind: whose lock is free has no owner. */
static void
sweep (const char *parent)
{
  g_autoptr (GDir) dir = g_dir_open (parent, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (parent, name, NULL);
      g_autofree char *lock = g_build_filename (path, "lock", NULL);
      g_autofree char *gate = g_build_filename (path, WEFT_WIRE_GATE_NAME, NULL);

      /* Without a gate it is just being made. */
      if (g_str_has_prefix (name, "run-") && g_file_test (gate, G_FILE_TEST_EXISTS) &&
          g_file_test (lock, G_FILE_TEST_EXISTS))
        weft_runtime_directory_free (directory_open (path, TRUE, -1, NULL));
    }
}

/* The lock of a directory just made appears there only once it is held: a recorder that sweeps at the
 * same moment would take it for a dead one's.
 */
static int
make_lock (const char *path, GError **error)
{
  g_autofree char *fresh = g_build_filename (path, "lock.new", NULL);
  g_autofree char *name = g_build_filename (path, "lock", NULL);
  int fd = open (fresh, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

  if (fd >= 0 && flock (fd, LOCK_EX | LOCK_NB) == 0 && g_rename (fresh, name) == 0)
    return fd;
  fail (error, "Cannot make the lock of", path);
  if (fd >= 0)
    close (fd);
  g_unlink (fresh);
  g_rmdir (path);
  return -1;
}

WeftRuntimeDirectory *
weft_runtime_directory_open_private (GError **error)
{
  g_autofree char *parent = weft_runtime_directory_default_path ();
  g_autofree char *path = g_strdup_printf ("%s/run-%d-XXXXXX", parent, (int) getpid ());
  int fd;

  if (g_mkdir (parent, 0700) != 0 && errno != EEXIST)
    {
      fail (error, "Cannot make the runtime directory", parent);
      return NULL;
    }
  fd = open (parent, O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_RDONLY);
  if (fd < 0)
    {
      fail (error, "Cannot open the runtime directory", parent);
      return NULL;
    }
  if (!check_owner (fd, S_IFDIR, parent, error))
    {
      close (fd);
      return NULL;
    }
  close (fd);
  sweep (parent);
  if (g_mkdtemp_full (path, 0700) == NULL)
    {
      fail (error, "Cannot make a runtime directory in", parent);
      return NULL;
    }
  fd = make_lock (path, error);
  return fd >= 0 ? directory_open (path, TRUE, fd, error) : NULL;
}

const char *
weft_runtime_directory_get_path (WeftRuntimeDirectory *self)
{
  return self->path;
}

int
weft_runtime_directory_listen (WeftRuntimeDirectory *self, const char *name, int type,
                               GError **error)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

  /* By way of /proc, for the path of the directory may be longer than an address can be. */
  g_snprintf (address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", self->fd, name);
  unlinkat (self->fd, name, 0);
  if (fd < 0 || bind (fd, (struct sockaddr *) &address, sizeof address) != 0 ||
      fchmodat (self->fd, name, 0600, 0) != 0 || listen (fd, 1024) != 0)
    {
      fail (error, "Cannot listen in", self->path);
      if (fd >= 0)
        close (fd);
      return -1;
    }
  g_ptr_array_add (self->sockets, g_strdup (name));
  return fd;
}

guint32
weft_runtime_directory_announce (WeftRuntimeDirectory *self)
{
  WeftWireGate *gate = self->gate;
  guint32 generation = MAX (gate->generation + 1, 1);

  gate->recorder_pid = (guint32) getpid ();
  gate->major_min = 1;
  gate->major_max = WEFT_WIRE_MAJOR;
  gate->magic = WEFT_WIRE_GATE_MAGIC;
  __atomic_store_n (&gate->generation, generation, __ATOMIC_RELAXED);
  __atomic_store_n (&gate->active, generation, __ATOMIC_RELEASE);
  return generation;
}

void
weft_runtime_directory_withdraw (WeftRuntimeDirectory *self)
{
  if (self->gate != NULL)
    __atomic_store_n (&self->gate->active, 0, __ATOMIC_RELEASE);
}

static void
remove_private (WeftRuntimeDirectory *self)
{
  unlinkat (self->fd, WEFT_WIRE_SOCKET_NAME, 0);
  unlinkat (self->fd, "control.sock", 0);
  unlinkat (self->fd, WEFT_WIRE_GATE_NAME, 0);
  unlinkat (self->fd, "lock", 0);
  g_rmdir (self->path);
}

void
weft_runtime_directory_free (WeftRuntimeDirectory *self)
{
  if (self == NULL)
    return;
  if (self->is_locked)
    {
      for (guint i = 0; i < self->sockets->len; i++)
        unlinkat (self->fd, g_ptr_array_index (self->sockets, i), 0);
      if (self->is_private)
        remove_private (self);
    }
  if (self->lock_fd >= 0)
    close (self->lock_fd);
  if (self->gate != NULL)
    munmap (self->gate, WEFT_WIRE_GATE_SIZE);
  if (self->fd >= 0)
    close (self->fd);
  g_ptr_array_unref (self->sockets);
  g_free (self->path);
  g_free (self);
}
