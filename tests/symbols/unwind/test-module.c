/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <elf.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "weft-address-space.h"

static char *
make_folder (void)
{
  char *folder = g_dir_make_tmp ("weft-module-XXXXXX", NULL);

  g_assert_nonnull (folder);
  return folder;
}

/* This program, or another one, under a name of its own. */
static void
copy_program (const char *from, const char *to)
{
  g_autofree char *contents = NULL;
  gsize length;

  g_assert_true (g_file_get_contents (from, &contents, &length, NULL));
  g_assert_true (
      g_file_set_contents_full (to, contents, length, G_FILE_SET_CONTENTS_NONE, 0755, NULL));
}

static WeftModuleFile
file_of (const char *path)
{
  struct stat status;

  g_assert_cmpint (stat (path, &status), ==, 0);
  return (WeftModuleFile){
    .path = path, .pid = getpid (), .device = status.st_dev, .inode = status.st_ino
  };
}

static void
remove_all (char *folder, ...)
{
  va_list names;
  const char *path;

  va_start (names, folder);
  while ((path = va_arg (names, const char *)) != NULL)
    g_remove (path);
  va_end (names);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
  g_free (folder);
}

/* The same file is the same module, under any name, and so is a copy with the same build id. */
static void
test_identity (void)
{
  char *folder = make_folder ();
  g_autofree char *one = g_build_filename (folder, "one", NULL);
  g_autofree char *linked = g_build_filename (folder, "linked", NULL);
  g_autofree char *copied = g_build_filename (folder, "copied", NULL);
  WeftModuleSet *set = weft_module_set_new ();
  WeftModuleFile file;
  WeftCodeModule *module;
  int descriptor;
  char magic[4];

  copy_program ("/proc/self/exe", one);
  copy_program ("/proc/self/exe", copied);
  g_assert_cmpint (link (one, linked), ==, 0);
  file = file_of (one);
  module = weft_module_set_get (set, &file);
  g_assert_cmpuint (weft_code_module_get_number (module), ==, 1);
  g_assert_cmpint (weft_code_module_get_kind (module), ==, WEFT_MODULE_KIND_FILE);
  g_assert_true (weft_code_module_has_contents (module));
  g_assert_true (weft_code_module_has_addresses (module));
  g_assert_cmpstr (weft_code_module_get_path (module), ==, one);
  g_assert_cmpuint (weft_code_module_get_machine (module), !=, EM_NONE);

  file = file_of (linked);
  g_assert_true (weft_module_set_get (set, &file) == module);
  file = file_of (copied);
  g_assert_true (weft_module_set_get (set, &file) == module);
  file = (WeftModuleFile){ .path = copied };
  g_assert_true (weft_module_set_get (set, &file) == module);
  g_assert_cmpuint (weft_module_set_get_n_modules (set), ==, 1);
  g_assert_true (weft_module_set_get_nth (set, 1) == module);
  g_assert_null (weft_module_set_get_nth (set, 0));
  g_assert_null (weft_module_set_get_nth (set, 2));

  descriptor = weft_code_module_open (module);
  g_assert_cmpint (descriptor, >=, 0);
  g_assert_cmpint (pread (descriptor, magic, 4, 0), ==, 4);
  g_assert_cmpint (memcmp (magic, ELFMAG, 4), ==, 0);
  close (descriptor);
  weft_module_set_free (set);
  remove_all (folder, one, linked, copied, NULL);
}

/* What was put in a file's place is not taken for it; what was opened before stays readable. */
static void
test_replaced (void)
{
  char *folder = make_folder ();
  g_autofree char *path = g_build_filename (folder, "library", NULL);
  g_autofree char *other = g_build_filename (folder, "other", NULL);
  WeftModuleSet *set = weft_module_set_new ();
  WeftModuleSet *later = weft_module_set_new ();
  WeftModuleFile file;
  WeftCodeModule *module;
  WeftCodeModule *gone;
  int descriptor;

  copy_program ("/proc/self/exe", path);
  copy_program ("/bin/true", other);
  file = file_of (path);
  module = weft_module_set_get (set, &file);
  g_assert_cmpint (g_rename (other, path), ==, 0);
  g_assert_true (weft_module_set_get (set, &file) != module);
  descriptor = weft_code_module_open (module);
  g_assert_cmpint (descriptor, >=, 0);
  close (descriptor);

  /* Whoever comes only now knows the file's name and number, and nothing else. */
  gone = weft_module_set_get (later, &file);
  g_assert_false (weft_code_module_has_contents (gone));
  g_assert_false (weft_code_module_has_addresses (gone));
  g_assert_cmpint (weft_code_module_open (gone), ==, -1);
  g_assert_cmpstr (weft_code_module_get_path (gone), ==, path);
  g_assert_cmphex (weft_code_module_get_bias (gone, 0x7000, 0x500), ==, (guint64) 0x500 - 0x7000);
  g_assert_true (weft_module_set_get (later, &file) == gone);

  /* The file that is there now is another module. */
  file = file_of (path);
  g_assert_true (weft_module_set_get (later, &file) != gone);
  weft_module_set_free (set);
  weft_module_set_free (later);
  remove_all (folder, path, NULL);
}

/* A build id proves more than a name. */
static void
test_build_id (void)
{
  WeftModuleSet *set = weft_module_set_new ();
  WeftModuleFile file = file_of ("/bin/true");
  WeftCodeModule *module = weft_module_set_get (set, &file);
  static const guint8 other[20] = { 1, 2, 3 };
  g_autofree guint8 *bytes = NULL;
  const char *build_id = weft_code_module_get_build_id (module);
  WeftCodeModule *unread;

  g_assert_nonnull (build_id);
  bytes = g_malloc (strlen (build_id) / 2);
  for (gsize i = 0; i < strlen (build_id) / 2; i++)
    bytes[i] = (guint8) (g_ascii_xdigit_value (build_id[2 * i]) << 4 |
                         g_ascii_xdigit_value (build_id[2 * i + 1]));
  file = (WeftModuleFile){ .path = "/bin/true",
                           .pid = G_MAXINT,
                           .inode = 12345,
                           .build_id = bytes,
                           .build_id_length = strlen (build_id) / 2 };
  g_assert_true (weft_module_set_get (set, &file) == module);

  file.build_id = other;
  file.build_id_length = sizeof other;
  unread = weft_module_set_get (set, &file);
  g_assert_true (unread != module);
  g_assert_false (weft_code_module_has_contents (unread));
  g_assert_cmpstr (weft_code_module_get_build_id (unread), ==,
                   "0102030000000000000000000000000000000000");
  g_assert_true (weft_module_set_get (set, &file) == unread);
  weft_module_set_free (set);
}

/* What is no plain file is never opened: doing so could wait, or do something. */
static void
test_not_files (void)
{
  char *folder = make_folder ();
  g_autofree char *fifo = g_build_filename (folder, "fifo", NULL);
  g_autofree char *text = g_build_filename (folder, "text", NULL);
  WeftModuleSet *set = weft_module_set_new ();
  WeftModuleFile file = { .path = fifo };
  WeftCodeModule *module;

  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  g_assert_false (weft_code_module_has_contents (weft_module_set_get (set, &file)));
  file.path = folder;
  g_assert_false (weft_code_module_has_contents (weft_module_set_get (set, &file)));

  /* One that is no ELF file: addresses in it are offsets. */
  g_assert_true (g_file_set_contents (text, "#!/bin/sh\n", -1, NULL));
  file.path = text;
  module = weft_module_set_get (set, &file);
  g_assert_true (weft_code_module_has_contents (module));
  g_assert_false (weft_code_module_has_addresses (module));
  g_assert_cmpuint (weft_code_module_get_machine (module), ==, EM_NONE);
  weft_module_set_free (set);
  remove_all (folder, fifo, text, NULL);
}

static void
test_without_files (void)
{
  WeftModuleSet *set = weft_module_set_new ();
  WeftModuleFile file = { .path = "[vdso]", .pid = getpid () };
  WeftCodeModule *vdso = weft_module_set_get (set, &file);
  WeftCodeModule *jit;
  int descriptor;

  g_assert_cmpint (weft_code_module_get_kind (vdso), ==, WEFT_MODULE_KIND_VDSO);
  g_assert_true (weft_code_module_has_contents (vdso));
  file.pid = 1;
  g_assert_true (weft_module_set_get (set, &file) == vdso);
  descriptor = weft_code_module_open (vdso);
  g_assert_cmpint (descriptor, >=, 0);
  close (descriptor);

  jit = weft_module_set_get_jit (set, 10, 500);
  g_assert_cmpint (weft_code_module_get_kind (jit), ==, WEFT_MODULE_KIND_JIT);
  g_assert_cmpint (weft_code_module_get_pid (jit), ==, 10);
  g_assert_true (weft_module_set_get_jit (set, 10, 500) == jit);
  g_assert_true (weft_module_set_get_jit (set, 10, 0) == jit);
  g_assert_true (weft_module_set_get_jit (set, 10, 501) != jit);
  g_assert_true (weft_module_set_get_jit (set, 11, 500) != jit);
  g_assert_cmphex (weft_code_module_get_bias (jit, 0x7000, 0), ==, 0);

  for (guint i = 0; i < 3; i++)
    {
      static const char *const names[] = { "//anon", "[heap]", "/memfd:code (deleted)" };

      file = (WeftModuleFile){ .path = names[i], .pid = getpid () };
      g_assert_cmpint (weft_code_module_get_kind (weft_module_set_get (set, &file)), ==,
                       WEFT_MODULE_KIND_JIT);
    }
  g_assert_cmpint (weft_code_module_get_kind (weft_module_set_get_kernel (set)), ==,
                   WEFT_MODULE_KIND_KERNEL);
  weft_module_set_free (set);
}

/* Maps a copy of this program as code, deletes it, and stays. */
static pid_t
map_and_stay (const char *path, gboolean in_namespace, const char *hidden)
{
  int ready[2];
  char byte;
  pid_t child;

  g_assert_cmpint (pipe (ready), ==, 0);
  child = fork ();
  if (child == 0)
    {
      int descriptor;

      if (in_namespace &&
          (unshare (CLONE_NEWNS) < 0 || mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
           mount ("tmpfs", hidden, "tmpfs", 0, NULL) < 0))
        _exit (3);
      if (in_namespace)
        copy_program ("/proc/self/exe", path);
      descriptor = open (path, O_RDONLY);
      if (descriptor < 0 ||
          mmap (NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, descriptor, 0) == MAP_FAILED)
        _exit (4);
      if (!in_namespace)
        unlink (path);
      if (write (ready[1], "x", 1) != 1)
        _exit (5);
      for (;;)
        pause ();
    }
  close (ready[1]);
  if (read (ready[0], &byte, 1) != 1)
    {
      waitpid (child, NULL, 0);
      child = -1;
    }
  close (ready[0]);
  return child;
}

static WeftCodeModule *found;

static void
find_named (guint64 address, guint64 length, guint64 file_offset, WeftCodeModule *module,
            gpointer data)
{
  if (strcmp (weft_code_module_get_path (module), data) == 0)
    found = module;
}

static void
end_process (pid_t pid)
{
  kill (pid, SIGKILL);
  g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
}

/* A deleted file is reached through its mapping, which takes privileges. */
static void
test_deleted (void)
{
  char *folder = make_folder ();
  g_autofree char *path = g_build_filename (folder, "deleted", NULL);
  WeftModuleSet *set = weft_module_set_new ();
  WeftAddressSpace *space = weft_address_space_new ();
  pid_t child;

  copy_program ("/proc/self/exe", path);
  child = map_and_stay (path, FALSE, NULL);
  g_assert_cmpint (child, >, 0);
  found = NULL;
  g_assert_true (weft_address_space_read (space, set, child, find_named, path));
  if (geteuid () == 0)
    {
      /* The same build id as this program's: the module is known by the first of its names. */
      g_assert_null (found);
      for (guint i = 1; i <= weft_module_set_get_n_modules (set); i++)
        g_assert_true (weft_code_module_get_kind (weft_module_set_get_nth (set, i)) !=
                           WEFT_MODULE_KIND_FILE ||
                       weft_code_module_has_contents (weft_module_set_get_nth (set, i)));
    }
  else
    {
      g_assert_nonnull (found);
      g_assert_false (weft_code_module_has_contents (found));
    }
  end_process (child);
  weft_address_space_free (space);
  weft_module_set_free (set);
  remove_all (folder, NULL);
}

/* A file that is there only as the process sees it. */
static void
test_mount_namespace (void)
{
  char *folder = make_folder ();
  g_autofree char *path = g_build_filename (folder, "inside", NULL);
  WeftModuleSet *set = weft_module_set_new ();
  WeftAddressSpace *space = weft_address_space_new ();
  pid_t child = map_and_stay (path, TRUE, folder);

  if (child < 0)
    g_test_skip ("mounts in a namespace of one's own need root");
  else
    {
      WeftCodeModule *module;
      struct stat status;
      g_autofree char *inside = g_strdup_printf ("/proc/%d/root%s", child, path);

      g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
      g_assert_cmpint (stat (inside, &status), ==, 0);
      module = weft_module_set_get (
          set, &(WeftModuleFile){
                   .path = path, .pid = child, .device = status.st_dev, .inode = status.st_ino });
      g_assert_true (weft_code_module_has_contents (module));
      g_assert_true (weft_code_module_has_addresses (module));
      end_process (child);
    }
  weft_address_space_free (space);
  weft_module_set_free (set);
  remove_all (folder, NULL);
}

/* More files than may be open: those that were not used for longest are closed, and opened again
 * only if they are the same.
 */
static void
test_many_files (void)
{
  char *folder = make_folder ();
  WeftModuleSet *set;
  struct rlimit limit;
  struct rlimit small;
  GPtrArray *paths = g_ptr_array_new_with_free_func (g_free);
  guint n_open = 0;

  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  small = limit;
  small.rlim_cur = 64;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &small), ==, 0);
  set = weft_module_set_new ();
  for (guint i = 0; i < 100; i++)
    {
      char *path = g_strdup_printf ("%s/file-%u", folder, i);
      WeftModuleFile file;

      g_ptr_array_add (paths, path);
      g_assert_true (g_file_set_contents (path, path, -1, NULL));
      file = file_of (path);
      g_assert_true (weft_code_module_has_contents (weft_module_set_get (set, &file)));
    }
  g_assert_cmpuint (weft_module_set_get_n_modules (set), ==, 100);
  for (guint i = 0; i < 64; i++)
    n_open += fcntl ((int) i, F_GETFD) >= 0;
  g_assert_cmpuint (n_open, <, 40);

  g_assert_true (g_file_set_contents (g_ptr_array_index (paths, 0), "replaced", -1, NULL));
  g_assert_cmpint (weft_code_module_open (weft_module_set_get_nth (set, 1)), ==, -1);
  for (guint i = 1; i < 100; i++)
    {
      char text[256] = { 0 };
      int descriptor = weft_code_module_open (weft_module_set_get_nth (set, i + 1));

      g_assert_cmpint (descriptor, >=, 0);
      g_assert_cmpint (pread (descriptor, text, sizeof text - 1, 0), >, 0);
      g_assert_cmpstr (text, ==, g_ptr_array_index (paths, i));
      close (descriptor);
    }
  weft_module_set_free (set);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  for (guint i = 0; i < paths->len; i++)
    g_remove (g_ptr_array_index (paths, i));
  g_ptr_array_unref (paths);
  remove_all (folder, NULL);
}

static gpointer
ask_for_modules (gpointer set)
{
  for (guint i = 0; i < 200; i++)
    {
      static const char *const paths[] = { "/bin/true", "/bin/sh", "/bin/cat", "/nowhere",
                                           "[vdso]" };
      WeftModuleFile file = { .path = paths[i % G_N_ELEMENTS (paths)], .pid = getpid () };
      WeftCodeModule *module = weft_module_set_get (set, &file);
      int descriptor = weft_code_module_open (module);

      g_assert_true (weft_module_set_get_nth (set, weft_code_module_get_number (module)) == module);
      if (descriptor >= 0)
        close (descriptor);
    }
  return NULL;
}

static void
test_threads (void)
{
  WeftModuleSet *set = weft_module_set_new ();
  GThread *threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new (NULL, ask_for_modules, set);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_assert_cmpuint (weft_module_set_get_n_modules (set), ==, 5);
  weft_module_set_free (set);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/module/identity", test_identity);
  g_test_add_func ("/module/replaced", test_replaced);
  g_test_add_func ("/module/build-id", test_build_id);
  g_test_add_func ("/module/not-files", test_not_files);
  g_test_add_func ("/module/without-files", test_without_files);
  g_test_add_func ("/module/deleted", test_deleted);
  g_test_add_func ("/module/mount-namespace", test_mount_namespace);
  g_test_add_func ("/module/many-files", test_many_files);
  g_test_add_func ("/module/threads", test_threads);
  return g_test_run ();
}
