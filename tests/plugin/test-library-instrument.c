/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which programs are refused, and what the others are made to load. Programs are copies of one that
 * is there, changed where the kernel and the linker look.
 */

#include <weft.h>

#include <elf.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROGRAM "/bin/true"

typedef struct
{
  char *folder;
  char *library;
  WeftInstrument *instrument;
} Rig;

static void
rig_set_up (Rig *self, gconstpointer data)
{
  static const char *const domains[] = { "weaving", NULL };

  self->folder = g_dir_make_tmp ("weft-test-XXXXXX", NULL);
  self->library = g_build_filename (self->folder, "library.so", NULL);
  g_assert_true (g_file_set_contents (self->library, "", 0, NULL));
  self->instrument = weft_library_instrument_new ("loom", "A loom", domains, self->library);
}

static void
rig_tear_down (Rig *self, gconstpointer data)
{
  g_autoptr (GDir) folder = g_dir_open (self->folder, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (folder)) != NULL)
    {
      g_autofree char *path = g_build_filename (self->folder, name, NULL);

      g_unlink (path);
    }
  g_rmdir (self->folder);
  g_free (self->folder);
  g_free (self->library);
  g_object_unref (self->instrument);
}

/* ---- Programs ---- */

static char *
write_program (Rig *self, const char *name, const char *bytes, gsize size)
{
  char *path = g_build_filename (self->folder, name, NULL);

  g_assert_true (g_file_set_contents (path, bytes, (gssize) size, NULL));
  g_assert_cmpint (g_chmod (path, 0755), ==, 0);
  return path;
}

typedef void (*Change) (Elf64_Ehdr *header, Elf64_Phdr *interpreter, char *bytes);

static char *
write_changed (Rig *self, const char *name, Change change)
{
  g_autofree char *bytes = NULL;
  gsize size;
  Elf64_Ehdr *header;
  Elf64_Phdr *segment;

  g_assert_true (g_file_get_contents (PROGRAM, &bytes, &size, NULL));
  header = (Elf64_Ehdr *) bytes;
  segment = (Elf64_Phdr *) (bytes + header->e_phoff);
  while (segment->p_type != PT_INTERP)
    segment++;
  change (header, segment, bytes);
  return write_program (self, name, bytes, size);
}

static void
change_nothing (Elf64_Ehdr *header, Elf64_Phdr *interpreter, char *bytes)
{
}

static void
take_linker (Elf64_Ehdr *header, Elf64_Phdr *interpreter, char *bytes)
{
  interpreter->p_type = PT_NULL;
}

static void
change_machine (Elf64_Ehdr *header, Elf64_Phdr *interpreter, char *bytes)
{
  header->e_machine = EM_68K;
}

static void
change_linker (Elf64_Ehdr *header, Elf64_Phdr *interpreter, char *bytes)
{
  strcpy (bytes + interpreter->p_offset, "/lib/ld-other.so");
}

static void
lose_linker (Elf64_Ehdr *header, Elf64_Phdr *interpreter, char *bytes)
{
  interpreter->p_offset = G_MAXUINT64 - 4;
}

/* ---- Tests ---- */

/* REASON: a part of what is said; NULL if the program is taken. */
static void
assert_answer (Rig *self, const char *program, const char *reason)
{
  const char *const argv[] = { program, NULL };
  g_autofree char *said = NULL;

  g_assert_true (weft_instrument_is_applicable (self->instrument, argv, &said) == (reason == NULL));
  if (reason == NULL)
    return;
  g_assert_nonnull (said);
  g_assert_nonnull (strstr (said, reason));
}

static void
test_formats (Rig *self, gconstpointer data)
{
  static const struct
  {
    const char *name;
    Change change;
    const char *reason;
  } cases[] = {
    { "same", change_nothing, NULL },
    { "static", take_linker, "linked statically" },
    { "linker.so", take_linker, NULL },
    { "foreign", change_machine, "another kind of processor" },
    { "other", change_linker, "another C library (by ld-other.so)" },
    { "broken", lose_linker, "linked statically" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = write_changed (self, cases[i].name, cases[i].change);

      assert_answer (self, path, cases[i].reason);
    }
}

static void
test_scripts (Rig *self, gconstpointer data)
{
  g_autofree char *program = write_changed (self, "static", take_linker);
  g_autofree char *text = g_strdup_printf ("#! %s -x\n", program);
  g_autofree char *script = write_program (self, "script", text, strlen (text));
  g_autofree char *outer_text = g_strdup_printf ("#!%s", script);
  g_autofree char *outer = write_program (self, "outer", outer_text, strlen (outer_text));
  g_autofree char *own_text = g_strdup_printf ("#!%s/self\n", self->folder);
  g_autofree char *own = write_program (self, "self", own_text, strlen (own_text));
  g_autofree char *plain = write_program (self, "plain", "#!/bin/sh\n", 10);
  g_autofree char *empty = write_program (self, "empty", "", 0);

  assert_answer (self, script, "static is linked statically");
  assert_answer (self, outer, "static is linked statically");
  assert_answer (self, own, NULL);
  assert_answer (self, plain, NULL);
  assert_answer (self, empty, NULL);
  assert_answer (self, "/nowhere/program", NULL);
}

static void
test_rights (Rig *self, gconstpointer data)
{
  g_autofree char *path = write_changed (self, "rights", change_nothing);

  /* One's own rights are no other rights. */
  g_assert_cmpint (g_chmod (path, 04755), ==, 0);
  assert_answer (self, path, NULL);
  if (geteuid () != 0)
    {
      g_test_skip ("only root can give a file to another user");
      return;
    }
  g_assert_cmpint (chown (path, 65534, 65534), ==, 0);
  g_assert_cmpint (g_chmod (path, 04755), ==, 0);
  assert_answer (self, path, "other rights than yours");
  g_assert_cmpint (g_chmod (path, 02755), ==, 0);
  assert_answer (self, path, "other rights than yours");
  g_assert_cmpint (g_chmod (path, 0755), ==, 0);
  assert_answer (self, path, NULL);
}

static void
test_launch (Rig *self, gconstpointer data)
{
  static const char *const argv[] = { PROGRAM, NULL };
  static const char *const environment[] = { "LD_PRELOAD=/a.so", "LAYERS=/b.so", NULL };
  g_autoptr (WeftLaunch) launch = weft_launch_new (argv, environment);
  g_autoptr (WeftInstrument) layer =
      g_object_new (WEFT_TYPE_LIBRARY_INSTRUMENT, "name", "layer", "library", self->library,
                    "variable", "LAYERS", "append", TRUE, NULL);
  g_autofree char *preload = g_strconcat (self->library, ":/a.so", NULL);
  g_autofree char *layers = g_strconcat ("/b.so:", self->library, NULL);
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) domains = weft_instrument_get_domains (self->instrument);
  g_autofree char *name = weft_instrument_get_name (layer);

  g_assert_true (weft_instrument_prepare (self->instrument, launch, &error));
  g_assert_no_error (error);
  g_assert_true (weft_instrument_prepare (layer, launch, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (weft_launch_get_variable (launch, "LD_PRELOAD"), ==, preload);
  g_assert_cmpstr (weft_launch_get_variable (launch, "LAYERS"), ==, layers);
  g_assert_cmpstr (domains[0], ==, "weaving");
  g_assert_cmpstr (name, ==, "layer");

  g_unlink (self->library);
  assert_answer (self, PROGRAM, "is missing");
  g_assert_false (weft_instrument_prepare (self->instrument, launch, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/plugin/library-instrument/formats", Rig, NULL, rig_set_up, test_formats,
              rig_tear_down);
  g_test_add ("/plugin/library-instrument/scripts", Rig, NULL, rig_set_up, test_scripts,
              rig_tear_down);
  g_test_add ("/plugin/library-instrument/rights", Rig, NULL, rig_set_up, test_rights,
              rig_tear_down);
  g_test_add ("/plugin/library-instrument/launch", Rig, NULL, rig_set_up, test_launch,
              rig_tear_down);
  return g_test_run ();
}
