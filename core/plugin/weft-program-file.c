/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-program-file.h"

#include <elf.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "weft-elf-image.h"

/* As far as the kernel goes along interpreters of interpreters. */
#define MAX_SCRIPTS 5
#define MAX_LINE 256

/* What decides whether a library can be loaded. */
typedef struct
{
  guint machine;
  gboolean is_64;
  char *linker; /* base name of the dynamic linker; NULL if there is none */
} Format;

static void
format_clear (Format *self)
{
  g_free (self->linker);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Format, format_clear)

static char *
read_linker (const WeftElfImage *image, int descriptor)
{
  WeftElfSegment segment;
  g_autofree guint8 *bytes = NULL;
  g_autofree char *path = NULL;

  if (!weft_elf_image_find_segment (image, PT_INTERP, &segment) || segment.file_size > PATH_MAX)
    return NULL;
  bytes = weft_elf_image_read (image, descriptor, segment.offset, segment.file_size);
  if (bytes == NULL)
    return NULL;
  path = g_strndup ((const char *) bytes, segment.file_size);
  return g_path_get_basename (path);
}

/* FALSE if it is no ELF file that can be read. */
static gboolean
format_read (Format *self, int descriptor)
{
  g_autoptr (WeftElfImage) image = weft_elf_image_new (descriptor);

  if (image == NULL)
    return FALSE;
  self->machine = weft_elf_image_get_machine (image);
  self->is_64 = weft_elf_image_is_64 (image);
  self->linker = read_linker (image, descriptor);
  return TRUE;
}

static int
open_program (const char *path)
{
  return open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

/* What libraries of ours are built for: the same as the program that this runs in. */
static gboolean
format_read_own (Format *self)
{
  int descriptor = open_program ("/proc/self/exe");
  gboolean known = descriptor >= 0 && format_read (self, descriptor);

  if (descriptor >= 0)
    close (descriptor);
  return known && self->linker != NULL;
}

/* ---- Scripts ---- */

/* The interpreter that the first line names; NULL if it is no script. */
static char *
read_interpreter (int descriptor)
{
  char line[MAX_LINE];
  gssize length = pread (descriptor, line, sizeof line - 1, 0);
  char *name;

  if (length < 3 || line[0] != '#' || line[1] != '!')
    return NULL;
  line[length] = '\0';
  name = line + 2 + strspn (line + 2, " \t");
  name[strcspn (name, " \t\n")] = '\0';
  return *name == '/' ? g_strdup (name) : NULL;
}

/* Opens PATH, or what runs it where it is a script, and sets PATH to what was opened. */
static int
open_what_runs (char **path)
{
  int descriptor = open_program (*path);

  for (guint i = 0; i < MAX_SCRIPTS && descriptor >= 0; i++)
    {
      char *interpreter = read_interpreter (descriptor);

      if (interpreter == NULL)
        break;
      g_free (*path);
      *path = interpreter;
      close (descriptor);
      descriptor = open_program (*path);
    }
  return descriptor;
}

/* ---- What stands against it ---- */

/* The dynamic linker loads nothing on the user's word into what runs with rights that are not his.
 */
static gboolean
has_other_rights (int descriptor)
{
  struct stat st;

  if (fstat (descriptor, &st) != 0)
    return FALSE;
  return ((st.st_mode & S_ISUID) && st.st_uid != geteuid ()) ||
         ((st.st_mode & S_ISGID) && st.st_gid != getegid ()) ||
         (geteuid () != 0 && fgetxattr (descriptor, "security.capability", NULL, 0) > 0);
}

/* A shared object without linker that is run as a program is a linker itself. */
static gboolean
is_linker (const char *path)
{
  g_autofree char *name = g_path_get_basename (path);

  return strstr (name, ".so") != NULL;
}

static char *
format_refusal (const Format *self, const char *path)
{
  g_auto (Format) own = { 0 };

  if (self->linker == NULL && !is_linker (path))
    return g_strdup_printf ("%s is linked statically, and loads no libraries", path);
  if (!format_read_own (&own))
    return NULL;
  if (self->machine != own.machine || self->is_64 != own.is_64)
    return g_strdup_printf ("%s is built for another kind of processor than the library that it "
                            "would have to load",
                            path);
  if (self->linker != NULL && !g_str_equal (self->linker, own.linker))
    return g_strdup_printf ("%s uses another C library (by %s) than the library that it would "
                            "have to load (by %s)",
                            path, self->linker, own.linker);
  return NULL;
}

static char *
descriptor_refusal (int descriptor, const char *path)
{
  g_auto (Format) format = { 0 };

  if (has_other_rights (descriptor))
    return g_strdup_printf ("%s runs with other rights than yours, and lets nothing be loaded into "
                            "it",
                            path);
  return format_read (&format, descriptor) ? format_refusal (&format, path) : NULL;
}

char *
weft_program_file_refusal (const char *program)
{
  g_autofree char *path = g_find_program_in_path (program);
  char *refusal;
  int descriptor;

  if (path == NULL)
    return NULL;
  descriptor = open_what_runs (&path);
  if (descriptor < 0)
    return NULL;
  refusal = descriptor_refusal (descriptor, path);
  close (descriptor);
  return refusal;
}
