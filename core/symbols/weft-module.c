/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-module-private.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "weft-held-lock.h"

#define MAX_VDSO (64 * 1024)
#define MAX_DESCRIPTORS 512

/* What tells a file from one that was put in its place. */
typedef struct
{
  guint64 device;
  guint64 inode;
  guint64 size;
  gint64 changed; /* nanoseconds */
} Identity;

struct _WeftCodeModule
{
  WeftModuleSet *set;
  guint number;
  WeftModuleKind kind;
  char *path;
  char *build_id;
  guint64 size;
  int pid; /* of the process that first mapped it, or made it */
  guint64 start;
  guint64 end;
  Identity identity;
  WeftElfImage *image; /* NULL: no contents that we understand */
  gboolean has_contents;
  guint generation; /* atomic */

  /* Guarded by the set's lock. */
  int descriptor;
  GList in_use; /* its place among those whose files are open */

  pthread_mutex_t table_lock;
  gboolean has_table; /* atomic */
  WeftUnwindTable *table;
};

struct _WeftModuleSet
{
  pthread_mutex_t lock;
  GPtrArray *modules;     /* by number, from 1 */
  GHashTable *identities; /* of char * to WeftCodeModule */
  GQueue open;            /* those that have a descriptor, the latest used first */
  guint max_open;
};

/* Descriptors */

static guint
choose_max_open (void)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
    return MAX_DESCRIPTORS;
  return CLAMP (limit.rlim_cur / 4, 16, MAX_DESCRIPTORS);
}

/* Takes DESCRIPTOR, and closes that which was not used for longest if there are too many. A copy of
 * [vdso] could not be opened again, and is kept.
 */
static void
keep_descriptor (WeftCodeModule *self, int descriptor)
{
  WeftModuleSet *set = self->set;

  self->descriptor = descriptor;
  if (self->kind != WEFT_MODULE_KIND_FILE)
    return;
  g_queue_push_head_link (&set->open, &self->in_use);
  if (set->open.length > set->max_open)
    {
      WeftCodeModule *last = g_queue_pop_tail_link (&set->open)->data;

      close (last->descriptor);
      last->descriptor = -1;
    }
}

/* Opening it could do things if it were a device, a pipe or a terminal; only what is certainly a
 * plain file is opened to be read.
 */
static int
open_plain_file (const char *path)
{
  int place = open (path, O_PATH | O_CLOEXEC);
  g_autofree char *name = NULL;
  struct stat status;
  int descriptor = -1;

  if (place < 0)
    return -1;
  if (fstat (place, &status) == 0 && S_ISREG (status.st_mode))
    {
      name = g_strdup_printf ("/proc/self/fd/%d", place);
      descriptor = open (name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    }
  close (place);
  return descriptor;
}

static gboolean
get_identity (int descriptor, Identity *identity)
{
  struct stat status;

  if (fstat (descriptor, &status) < 0)
    return FALSE;
  identity->device = status.st_dev;
  identity->inode = status.st_ino;
  identity->size = status.st_size;
  identity->changed =
      (gint64) status.st_mtim.tv_sec * G_GINT64_CONSTANT (1000000000) + status.st_mtim.tv_nsec;
  return TRUE;
}

/* Some file systems (overlays, btrfs) tell stat another device than the kernel names in maps; both
 * are then without a real one.
 */
static gboolean
is_device (guint64 device, guint64 wanted)
{
  return device == wanted || (major (device) == 0 && major (wanted) == 0);
}

static gboolean
is_build_id (const WeftElfImage *image, const WeftModuleFile *file)
{
  gsize length;
  const guint8 *bytes;

  if (image == NULL)
    return FALSE;
  bytes = weft_elf_image_get_build_id (image, &length);
  return bytes != NULL && length == file->build_id_length &&
         memcmp (bytes, file->build_id, length) == 0;
}

/* Whether what was opened is what was mapped. A build id proves more than an inode. */
static gboolean
is_wanted (const WeftModuleFile *file, const Identity *identity, const WeftElfImage *image)
{
  if (file->build_id_length > 0)
    return is_build_id (image, file);
  return file->inode == 0 || (identity->inode == file->inode &&
                              (file->device == 0 || is_device (identity->device, file->device)));
}

/* What lies under a name, if it is what was mapped. */
typedef struct
{
  int descriptor;
  Identity identity;
  WeftElfImage *image;
} Opened;

static gboolean
open_as (const char *path, const WeftModuleFile *file, Opened *opened)
{
  opened->descriptor = open_plain_file (path);
  if (opened->descriptor < 0)
    return FALSE;
  opened->image = weft_elf_image_new (opened->descriptor);
  if (get_identity (opened->descriptor, &opened->identity) &&
      is_wanted (file, &opened->identity, opened->image))
    return TRUE;
  g_clear_pointer (&opened->image, weft_elf_image_free);
  close (opened->descriptor);
  opened->descriptor = -1;
  return FALSE;
}

static gboolean
open_under (const WeftModuleFile *file, Opened *opened, const char *format, ...)
{
  g_autofree char *path = NULL;
  va_list arguments;

  va_start (arguments, format);
  path = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  return open_as (path, file, opened);
}

/*
 * By the name that the process sees; the mapping itself, which leads to deleted files, too, but
 * takes privileges; the program that runs; and the same name as we see it, for processes that are
 * gone. The last two prove nothing by themselves.
 */
static gboolean
open_file (const WeftModuleFile *file, Opened *opened)
{
  gboolean has_identity = file->inode != 0 || file->build_id_length > 0;

  if (file->path[0] != '/')
    return FALSE;
  if (file->pid == 0)
    return open_as (file->path, file, opened);
  if (open_under (file, opened, "/proc/%d/root%s", file->pid, file->path))
    return TRUE;
  if (file->end > file->start &&
      open_under (file, opened,
                  "/proc/%d/map_files/%" G_GINT64_MODIFIER "x-%" G_GINT64_MODIFIER "x", file->pid,
                  file->start, file->end))
    return TRUE;
  return has_identity && (open_under (file, opened, "/proc/%d/exe", file->pid) ||
                          open_as (file->path, file, opened));
}

/* Opens again what was closed for want of descriptors. */
static void
reopen (WeftCodeModule *self)
{
  WeftModuleFile file = { .path = self->path,
                          .pid = self->pid,
                          .device = self->identity.device,
                          .inode = self->identity.inode,
                          .start = self->start,
                          .end = self->end };
  Opened opened = { -1, { 0 }, NULL };

  if (self->kind != WEFT_MODULE_KIND_FILE || !self->has_contents || !open_file (&file, &opened))
    return;
  g_clear_pointer (&opened.image, weft_elf_image_free);
  if (opened.identity.size == self->identity.size &&
      opened.identity.changed == self->identity.changed)
    keep_descriptor (self, opened.descriptor);
  else
    close (opened.descriptor);
}

int
weft_code_module_open (WeftCodeModule *self)
{
  g_autoptr (WeftHeldLock) held = weft_hold_lock (&self->set->lock);

  if (self->descriptor < 0)
    reopen (self);
  else if (self->kind == WEFT_MODULE_KIND_FILE)
    {
      g_queue_unlink (&self->set->open, &self->in_use);
      g_queue_push_head_link (&self->set->open, &self->in_use);
    }
  return self->descriptor < 0 ? -1 : fcntl (self->descriptor, F_DUPFD_CLOEXEC, 3);
}

/* Modules */

static WeftCodeModule *
add_module (WeftModuleSet *set, WeftModuleKind kind, const char *path)
{
  WeftCodeModule *self = g_new0 (WeftCodeModule, 1);

  self->set = set;
  self->kind = kind;
  self->path = g_strdup (path);
  self->descriptor = -1;
  self->in_use.data = self;
  pthread_mutex_init (&self->table_lock, NULL);
  g_ptr_array_add (set->modules, self);
  self->number = set->modules->len;
  return self;
}

static void
module_free (gpointer data)
{
  WeftCodeModule *self = data;

  if (self->descriptor >= 0)
    close (self->descriptor);
  g_clear_pointer (&self->table, weft_unwind_table_free);
  g_clear_pointer (&self->image, weft_elf_image_free);
  pthread_mutex_destroy (&self->table_lock);
  g_free (self->path);
  g_free (self->build_id);
  g_free (self);
}

static char *
format_bytes (const guint8 *bytes, gsize length)
{
  GString *text = g_string_sized_new (length * 2);

  for (gsize i = 0; i < length; i++)
    g_string_append_printf (text, "%02x", bytes[i]);
  return g_string_free (text, FALSE);
}

WeftModuleSet *
weft_module_set_new (void)
{
  WeftModuleSet *self = g_new0 (WeftModuleSet, 1);

  pthread_mutex_init (&self->lock, NULL);
  self->modules = g_ptr_array_new_with_free_func (module_free);
  self->identities = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_queue_init (&self->open);
  self->max_open = choose_max_open ();
  return self;
}

void
weft_module_set_free (WeftModuleSet *self)
{
  g_hash_table_unref (self->identities);
  g_ptr_array_unref (self->modules);
  pthread_mutex_destroy (&self->lock);
  g_free (self);
}

static WeftCodeModule *
find (WeftModuleSet *self, const char *identity)
{
  return g_hash_table_lookup (self->identities, identity);
}

static void
name (WeftModuleSet *self, char *identity, WeftCodeModule *module)
{
  g_hash_table_replace (self->identities, identity, module);
}

/* Identities as text: a kind and what it compares. */

static char *
build_id_name (const char *build_id)
{
  return g_strconcat ("build-id ", build_id, NULL);
}

static char *
identity_name (const Identity *identity)
{
  return g_strdup_printf ("file %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT
                          " %" G_GINT64_FORMAT,
                          identity->device, identity->inode, identity->size, identity->changed);
}

static char *
unread_name (const WeftModuleFile *file, const char *build_id)
{
  if (build_id != NULL)
    return g_strconcat ("unread ", build_id, NULL);
  return g_strdup_printf ("unread %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %s", file->device,
                          file->inode, file->path);
}

/* [vdso] is the same in all processes of a machine, and can be read in our own. */

static int
copy_vdso (const void *bytes, gsize size)
{
  int descriptor = memfd_create ("weft-vdso", MFD_CLOEXEC);

  if (descriptor >= 0 && write (descriptor, bytes, size) != (gssize) size)
    {
      close (descriptor);
      return -1;
    }
  return descriptor;
}

/* Its size follows from its last section headers, which stand at its end, or from its segments. */
static gsize
get_vdso_size (const Elf64_Ehdr *header)
{
  const Elf64_Phdr *segments =
      (const Elf64_Phdr *) (gconstpointer) ((const guint8 *) header + header->e_phoff);
  gsize size = header->e_shoff + (gsize) header->e_shnum * sizeof (Elf64_Shdr);

  for (guint i = 0; i < header->e_phnum; i++)
    if (segments[i].p_type == PT_LOAD)
      size = MAX (size, segments[i].p_offset + segments[i].p_filesz);
  return size;
}

static WeftCodeModule *
get_vdso (WeftModuleSet *self)
{
  WeftCodeModule *module = find (self, "vdso");
  const Elf64_Ehdr *header;

  if (module != NULL)
    return module;
  module = add_module (self, WEFT_MODULE_KIND_VDSO, "[vdso]");
  name (self, g_strdup ("vdso"), module);

  header = (const Elf64_Ehdr *) (gpointer) getauxval (AT_SYSINFO_EHDR);
  if (header == NULL || memcmp (header->e_ident, ELFMAG, SELFMAG) != 0 ||
      header->e_ident[EI_CLASS] != ELFCLASS64 || get_vdso_size (header) > MAX_VDSO)
    return module;
  module->descriptor = copy_vdso (header, get_vdso_size (header));
  if (module->descriptor >= 0)
    module->image = weft_elf_image_new (module->descriptor);
  if (module->image != NULL)
    {
      gsize length;
      const guint8 *build_id = weft_elf_image_get_build_id (module->image, &length);

      module->size = weft_elf_image_get_size (module->image);
      module->has_contents = TRUE;
      module->build_id = build_id != NULL ? format_bytes (build_id, length) : NULL;
    }
  return module;
}

/* Code without a file */

/* When a process began, as the kernel counts it; 0 if it is gone. */
static guint64
read_started (int pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/stat", pid);
  g_autofree char *text = NULL;
  const char *at;

  if (!g_file_get_contents (path, &text, NULL, NULL) || (at = strrchr (text, ')')) == NULL)
    return 0;
  for (guint field = 2; field < 22 && at != NULL; field++)
    {
      at = strchr (at, ' ');
      at = at != NULL ? at + 1 : NULL;
    }
  return at != NULL ? g_ascii_strtoull (at, NULL, 10) : 0;
}

static WeftCodeModule *
get_jit (WeftModuleSet *self, int pid, guint64 started)
{
  g_autofree char *latest = g_strdup_printf ("jit %d", pid);
  g_autofree char *exact = g_strdup_printf ("jit %d %" G_GUINT64_FORMAT, pid, started);
  WeftCodeModule *module = find (self, started != 0 ? exact : latest);

  if (module == NULL)
    {
      module = add_module (self, WEFT_MODULE_KIND_JIT, "[jit]");
      module->pid = pid;
      name (self, g_steal_pointer (&exact), module);
      name (self, g_steal_pointer (&latest), module);
    }
  return module;
}

WeftCodeModule *
weft_module_set_get_jit (WeftModuleSet *self, int pid, guint64 started)
{
  g_autoptr (WeftHeldLock) held = weft_hold_lock (&self->lock);

  return get_jit (self, pid, started);
}

WeftCodeModule *
weft_module_set_get_kernel (WeftModuleSet *self)
{
  g_autoptr (WeftHeldLock) held = weft_hold_lock (&self->lock);
  WeftCodeModule *module = find (self, "kernel");

  if (module == NULL)
    {
      module = add_module (self, WEFT_MODULE_KIND_KERNEL, "[kernel]");
      name (self, g_strdup ("kernel"), module);
    }
  return module;
}

/* Memory without a file, or one that programs make to have some: compilers at run time write there.
 */
static gboolean
is_anonymous (const char *path)
{
  static const char *const prefixes[] = { "//anon",  "[anon",     "[heap]", "[stack",
                                          "/memfd:", "/dev/zero", "/SYSV",  "/dev/shm/" };

  if (path[0] == '\0')
    return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (prefixes); i++)
    if (g_str_has_prefix (path, prefixes[i]))
      return TRUE;
  return FALSE;
}

/* Files */

static WeftCodeModule *
add_unread (WeftModuleSet *self, const WeftModuleFile *file, const char *build_id)
{
  char *identity = unread_name (file, build_id);
  WeftCodeModule *module = find (self, identity);

  if (module != NULL)
    {
      g_free (identity);
      return module;
    }
  module = add_module (
      self, file->path[0] == '/' ? WEFT_MODULE_KIND_FILE : WEFT_MODULE_KIND_UNKNOWN, file->path);
  module->build_id = g_strdup (build_id);
  name (self, identity, module);
  return module;
}

static WeftCodeModule *
add_file (WeftModuleSet *self, const WeftModuleFile *file, const char *build_id,
          const Opened *opened)
{
  WeftCodeModule *module = add_module (self, WEFT_MODULE_KIND_FILE, file->path);

  module->pid = file->pid;
  module->start = file->start;
  module->end = file->end;
  module->identity = opened->identity;
  module->size = opened->identity.size;
  module->image = opened->image;
  module->build_id = g_strdup (build_id);
  module->has_contents = TRUE;
  keep_descriptor (module, opened->descriptor);
  return module;
}

/* The module of an opened file, which is closed if that is known already. */
static WeftCodeModule *
take_opened (WeftModuleSet *self, const WeftModuleFile *file, Opened *opened)
{
  char *identity = identity_name (&opened->identity);
  WeftCodeModule *module = find (self, identity);
  g_autofree char *build_id = NULL;
  gsize length = 0;
  const guint8 *bytes =
      opened->image != NULL ? weft_elf_image_get_build_id (opened->image, &length) : NULL;

  if (bytes != NULL)
    build_id = format_bytes (bytes, length);
  if (module == NULL && build_id != NULL)
    {
      g_autofree char *build = build_id_name (build_id);

      module = find (self, build);
    }
  if (module != NULL)
    {
      name (self, identity, module);
      g_clear_pointer (&opened->image, weft_elf_image_free);
      close (opened->descriptor);
      return module;
    }

  module = add_file (self, file, build_id, opened);
  name (self, identity, module);
  if (build_id != NULL)
    name (self, build_id_name (build_id), module);
  return module;
}

static WeftCodeModule *
get_file (WeftModuleSet *self, const WeftModuleFile *file)
{
  g_autofree char *build_id =
      file->build_id_length > 0 ? format_bytes (file->build_id, file->build_id_length) : NULL;
  Opened opened = { -1, { 0 }, NULL };

  if (build_id != NULL)
    {
      g_autofree char *identity = build_id_name (build_id);
      WeftCodeModule *module = find (self, identity);

      if (module != NULL)
        return module;
    }
  if (open_file (file, &opened))
    {
      if (opened.image != NULL || !is_anonymous (file->path))
        return take_opened (self, file, &opened);
      close (opened.descriptor);
    }
  if (is_anonymous (file->path))
    return get_jit (self, file->pid, read_started (file->pid));
  return add_unread (self, file, build_id);
}

/* The kernel marks the names of deleted files; one may really be called so, and is tried first. */
static WeftCodeModule *
get_named (WeftModuleSet *self, const WeftModuleFile *file)
{
  WeftModuleFile real = *file;
  g_autofree char *path = NULL;
  Opened opened = { -1, { 0 }, NULL };

  if (!g_str_has_suffix (file->path, " (deleted)"))
    return get_file (self, file);
  if (file->build_id_length == 0 && open_file (file, &opened))
    return take_opened (self, file, &opened);
  path = g_strndup (file->path, strlen (file->path) - strlen (" (deleted)"));
  real.path = path;
  return get_file (self, &real);
}

WeftCodeModule *
weft_module_set_get (WeftModuleSet *self, const WeftModuleFile *file)
{
  g_autoptr (WeftHeldLock) held = weft_hold_lock (&self->lock);

  if (strcmp (file->path, "[vdso]") == 0)
    return get_vdso (self);
  if (is_anonymous (file->path) && !g_str_has_prefix (file->path, "/"))
    return get_jit (self, file->pid, read_started (file->pid));
  return get_named (self, file);
}

guint
weft_module_set_get_n_modules (WeftModuleSet *self)
{
  g_autoptr (WeftHeldLock) held = weft_hold_lock (&self->lock);

  return self->modules->len;
}

WeftCodeModule *
weft_module_set_get_nth (WeftModuleSet *self, guint number)
{
  g_autoptr (WeftHeldLock) held = weft_hold_lock (&self->lock);

  if (number == 0 || number > self->modules->len)
    return NULL;
  return g_ptr_array_index (self->modules, number - 1);
}

/* What is said of one */

guint
weft_code_module_get_number (const WeftCodeModule *self)
{
  return self->number;
}

WeftModuleKind
weft_code_module_get_kind (const WeftCodeModule *self)
{
  return self->kind;
}

const char *
weft_code_module_get_path (const WeftCodeModule *self)
{
  return self->path;
}

const char *
weft_code_module_get_build_id (const WeftCodeModule *self)
{
  return self->build_id;
}

guint64
weft_code_module_get_size (const WeftCodeModule *self)
{
  return self->size;
}

guint
weft_code_module_get_machine (const WeftCodeModule *self)
{
  return self->image != NULL ? weft_elf_image_get_machine (self->image) : EM_NONE;
}

int
weft_code_module_get_pid (const WeftCodeModule *self)
{
  return self->kind == WEFT_MODULE_KIND_JIT ? self->pid : 0;
}

guint
weft_code_module_get_generation (const WeftCodeModule *self)
{
  return g_atomic_int_get (&self->generation);
}

void
weft_code_module_renew (WeftCodeModule *self)
{
  g_atomic_int_inc (&self->generation);
}

gboolean
weft_code_module_has_contents (const WeftCodeModule *self)
{
  return self->has_contents;
}

gboolean
weft_code_module_has_addresses (const WeftCodeModule *self)
{
  guint64 begin, end;

  return self->image != NULL && weft_elf_image_get_code (self->image, &begin, &end);
}

guint64
weft_code_module_get_bias (const WeftCodeModule *self, guint64 address, guint64 file_offset)
{
  guint64 linked;

  if (self->kind == WEFT_MODULE_KIND_JIT || self->kind == WEFT_MODULE_KIND_KERNEL)
    return 0;
  if (self->image != NULL && weft_elf_image_get_address (self->image, file_offset, &linked))
    return linked - address;
  return file_offset - address;
}

static WeftUnwindTable *
build_table (WeftCodeModule *self)
{
  int descriptor;
  WeftUnwindTable *table;

  if (self->image == NULL)
    return NULL;
  descriptor = weft_code_module_open (self);
  if (descriptor < 0)
    return NULL;
  table = weft_unwind_table_new (self->image, descriptor);
  close (descriptor);
  return table;
}

WeftUnwindTable *
weft_code_module_get_unwind_table (WeftCodeModule *self)
{
  if (!__atomic_load_n (&self->has_table, __ATOMIC_ACQUIRE))
    {
      g_autoptr (WeftHeldLock) held = weft_hold_lock (&self->table_lock);

      if (!self->has_table)
        {
          self->table = build_table (self);
          __atomic_store_n (&self->has_table, TRUE, __ATOMIC_RELEASE);
        }
    }
  return self->table;
}

guint64
weft_code_module_find_function (WeftCodeModule *self, guint64 offset)
{
  WeftUnwindTable *table = weft_code_module_get_unwind_table (self);
  guint64 begin;

  if (table == NULL || !weft_unwind_table_find_function (table, offset, &begin))
    return 0;
  return (guint64) weft_code_module_get_number (self) << 48 ^ begin;
}
