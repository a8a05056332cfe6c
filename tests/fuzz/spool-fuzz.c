/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Spool files that somebody damaged, cut or made up: importing them ends in a recording or in an
 * error, and never worse.
 *
 * WEFT_FUZZ_SECONDS (3) and WEFT_FUZZ_SEED; the seed is printed.
 */

#include "record-rig.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "weft-spool.h"

/* What of a spool is worth damaging: header, used log, descriptors of the first blocks, data. */

typedef struct
{
  guint64 offset;
  guint64 length;
} Part;

static const Part parts[] = {
  { 0, sizeof (WeftWireRegistry) },
  { WEFT_WIRE_REGISTRY_HEADER, 1024 },
  { WEFT_WIRE_REGISTRY_SIZE, sizeof (WeftWireSegment) },
  { WEFT_WIRE_REGISTRY_SIZE + WEFT_WIRE_SEGMENT_HEADER, 16 * sizeof (WeftWireBlock) },
  { WEFT_WIRE_REGISTRY_SIZE + WEFT_WIRE_SEGMENT_HEADER
        + WEFT_WIRE_SEGMENT_BLOCKS * sizeof (WeftWireBlock),
    3 * WEFT_WIRE_BLOCK_SIZE },
};

static char *
make_spool (const char *folder)
{
  g_autofree char *spools = g_build_filename (folder, "spools", NULL);
  g_autoptr (GDir) dir = NULL;
  RigProgram *program;

  g_mkdir (spools, 0700);
  g_setenv ("WEFT_TARGET_SPOOL", spools, TRUE);
  program = rig_produce (folder, "threads=2 spans=600 nest=3 full=1 metrics=5 warnings=5 traces=8 "
                                 "device=3 submissions=5 pending=3 stacks=3 names=1");
  g_assert_cmpint (rig_wait (program, NULL, NULL), ==, 0);
  g_unsetenv ("WEFT_TARGET_SPOOL");
  dir = g_dir_open (spools, 0, NULL);
  return g_build_filename (spools, g_dir_read_name (dir), NULL);
}

static guint64
odd_number (GRand *rand)
{
  static const guint64 numbers[] = { 0, 1, 7, 8, 64, 4096, 32768, 32769, G_MAXINT32, G_MAXUINT32,
                                     G_MAXINT64, G_MAXUINT64, G_MAXUINT64 - 7 };

  if (g_rand_int_range (rand, 0, 3) == 0)
    return (guint64) g_rand_int (rand) << 32 | g_rand_int (rand);
  return numbers[g_rand_int_range (rand, 0, G_N_ELEMENTS (numbers))];
}

typedef struct
{
  guint64 offset;
  guint8 bytes[8];
} Change;

/* Changes FD in place and notes what stood there. */
static guint
damage (int fd, guint64 log_offset, guint64 log_length, GRand *rand, Change *changes, guint max)
{
  guint n = (guint) g_rand_int_range (rand, 1, (gint32) max);

  for (guint i = 0; i < n; i++)
    {
      guint which = (guint) g_rand_int_range (rand, 0, G_N_ELEMENTS (parts) + 2);
      Part part = which < G_N_ELEMENTS (parts) ? parts[which] : (Part){ log_offset, log_length };
      gsize width = (gsize) 1 << g_rand_int_range (rand, 0, 4);
      guint64 value = odd_number (rand);

      changes[i].offset = part.offset + g_rand_int (rand) % MAX (part.length - 8, 1);
      g_assert_cmpint (pread (fd, changes[i].bytes, 8, (off_t) changes[i].offset), ==, 8);
      g_assert_cmpint (pwrite (fd, &value, width, (off_t) changes[i].offset), ==, (ssize_t) width);
    }
  return n;
}

static void
undo (int fd, const Change *changes, guint n)
{
  while (n-- > 0)
    g_assert_cmpint (pwrite (fd, changes[n].bytes, 8, (off_t) changes[n].offset), ==, 8);
}

static gboolean
import (const char *spool, const char *output)
{
  const char *paths[] = { spool, NULL };
  WeftSpoolResult result = { 0 };
  g_autoptr (GError) error = NULL;
  gboolean imported;

  g_unlink (output);
  imported = weft_spool_import (paths, output, NULL, NULL, NULL, &result, &error);
  if (imported)
    {
      g_autoptr (WeftStore) store = weft_store_open (output, &error);

      g_assert_no_error (error);
      rig_check_conservation (store);
    }
  else
    g_assert_nonnull (error);
  return imported;
}

static void
test_damaged (void)
{
  const char *seconds = g_getenv ("WEFT_FUZZ_SECONDS"), *given = g_getenv ("WEFT_FUZZ_SEED");
  guint32 seed = given ? (guint32) g_ascii_strtoull (given, NULL, 10) : g_random_int ();
  gint64 end = g_get_monotonic_time ()
               + (gint64) ((seconds ? g_ascii_strtod (seconds, NULL) : 3) * 1e6);
  g_autofree char *folder = rig_make_folder ();
  g_autofree char *spool = make_spool (folder);
  g_autofree char *output = g_build_filename (folder, "x.weft", NULL);
  GRand *rand = g_rand_new_with_seed (seed);
  int fd = open (spool, O_RDWR | O_CLOEXEC);
  guint tries = 0, imported = 0;
  WeftWireRegistry header;
  Change changes[16];

  printf ("# seed %u\n", seed);
  g_assert_cmpint (pread (fd, &header, sizeof header, 0), ==, sizeof header);
  g_assert_true (import (spool, output));
  for (; g_get_monotonic_time () < end; tries++)
    {
      guint n = damage (fd, header.log_offset, header.log_head, rand, changes,
                        G_N_ELEMENTS (changes));

      imported += import (spool, output);
      undo (fd, changes, n);
    }
  g_test_message ("%u damaged spools, %u of them imported", tries, imported);
  g_assert_true (import (spool, output));
  g_assert_cmpuint (imported, >, 0);
  close (fd);
  g_rand_free (rand);
  rig_remove_folder (g_steal_pointer (&folder));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/spool-fuzz/damaged", test_damaged);
  return g_test_run ();
}
