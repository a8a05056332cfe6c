/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "compare-rows.h"

#include <math.h>

#define MICROSECOND 1000

static guint64
add_row (WeftRecordingBuilder *builder, const char *table, GVariant *values)
{
  g_autoptr (GError) error = NULL;
  guint64 id = 0;

  weft_recording_builder_add_row (builder, table, values, &id, &error);
  g_assert_no_error (error);
  return id;
}

static double
draw_normal (GRand *chance)
{
  return sqrt (-2 * log (1 - g_rand_double (chance))) * cos (2 * G_PI * g_rand_double (chance));
}

static guint
add_named (WeftRecordingBuilder *builder, const char *table, const char *name, const char *kind,
           guint64 source)
{
  GVariantDict row;

  g_variant_dict_init (&row, NULL);
  g_variant_dict_insert (&row, "runtime", "t", (guint64) 1);
  g_variant_dict_insert (&row, "name", "s", name);
  if (kind != NULL)
    g_variant_dict_insert (&row, "kind", "s", kind);
  if (source != 0)
    g_variant_dict_insert (&row, "source", "t", source);
  return (guint) add_row (builder, table, g_variant_dict_end (&row));
}

static guint64
add_source (WeftRecordingBuilder *builder, const char *text)
{
  GVariantDict row;
  g_autofree char *hash = g_compute_checksum_for_string (G_CHECKSUM_SHA256, text, -1);

  g_variant_dict_init (&row, NULL);
  g_variant_dict_insert (&row, "runtime", "t", (guint64) 1);
  g_variant_dict_insert (&row, "path", "s", "work.c");
  g_variant_dict_insert (&row, "hash", "s", hash);
  g_variant_dict_insert (&row, "text", "s", text);
  return add_row (builder, "sources", g_variant_dict_end (&row));
}

static void
add_sequence (WeftRecordingBuilder *builder, const char *tag)
{
  add_row (builder, "words",
           g_variant_new_parsed ("{'domain': <'test'>, 'scope': <'word'>, 'subject': <'test.*'>, "
                                 "'key': <'sequence'>, 'text': <%s>}",
                                 tag));
}

static void
number_dispatch (WeftRecordingBuilder *builder, guint64 dispatch, const char *tag, guint64 number)
{
  add_row (builder, "tags",
           g_variant_new_parsed ("{'owner_table': <'dispatches'>, 'owner': <%t>, 'key': <%s>, "
                                 "'type': <'uint64'>, 'bits': <%t>}",
                                 dispatch, tag, number));
}

/* What disturbs a dispatch disturbs its neighbours: MACHINE moves slowly. Few are held up long. */
static guint64
draw_duration (const Run *run, GRand *chance, guint routine, double whole, const double *own,
               double *machine)
{
  double typical = 10 * MICROSECOND * (routine + 1);

  *machine = 0.95 * *machine + 0.01 * draw_normal (chance);
  if (g_rand_int_range (chance, 0, 200) == 0)
    typical += 100 * MICROSECOND * g_rand_double (chance);
  if (routine + 1 == run->slow)
    typical *= 1 + run->slower;
  return (guint64) (typical * exp (whole + own[routine] + *machine + 0.15 * draw_normal (chance)));
}

static void
add_rounds (WeftRecordingBuilder *builder, const Run *run, const guint *lanes,
            const guint *routines)
{
  g_autoptr (GRand) chance = g_rand_new_with_seed (run->seed);
  g_autofree double *own = g_new (double, run->n_routines);
  double whole = run->drift * draw_normal (chance), machine = 0;
  gint64 at = 1000 * MICROSECOND;

  for (guint i = 0; i < run->n_routines; i++)
    own[i] = run->drift / 2 * draw_normal (chance);
  for (guint round = 0; round < run->n_rounds; round++)
    for (guint i = 0; i < run->n_routines; i++)
      {
        g_autoptr (GError) error = NULL;
        guint64 id, duration = draw_duration (run, chance, i, whole, own, &machine);

        if (i + 1 == run->left_out)
          continue;
        weft_recording_builder_add_dispatch (builder, lanes[i % 2], routines[i], at, duration, 0,
                                             WEFT_STATUS_OK, &id, &error);
        g_assert_no_error (error);
        if (run->sequence != NULL && i == 0)
          number_dispatch (builder, id, run->sequence, round);
        at += (gint64) duration + 2 * MICROSECOND;
      }
}

WeftRecording *
compare_rows_make (const char *directory, const Run *run)
{
  static guint n;
  g_autofree char *path = g_strdup_printf ("%s/run-%u.weft", directory, ++n);
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftRecordingBuilder) builder = weft_recording_builder_new (path, &error);
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autofree guint *routines = g_new (guint, run->n_routines);
  guint lanes[2];
  WeftRecording *recording;
  guint64 source;

  g_assert_no_error (error);
  add_row (builder, "processes", g_variant_new_parsed ("{'pid': <uint64 7>, 'name': <'program'>}"));
  add_row (builder, "runtimes",
           g_variant_new_parsed ("{'process': <uint64 1>, 'name': <'program'>}"));
  lanes[0] = add_named (builder, "lanes", "first", "test.worker", 0);
  lanes[1] = add_named (builder, "lanes", "second", "test.worker", 0);
  source = run->source != NULL ? add_source (builder, run->source) : 0;
  for (guint i = 0; i < run->n_routines; i++)
    {
      g_autofree char *name = g_strdup_printf ("routine %u", i + 1);

      routines[i] = add_named (builder, "routines", name, NULL, source);
    }
  if (run->sequence != NULL)
    add_sequence (builder, run->sequence);
  add_rounds (builder, run, lanes, routines);
  weft_recording_builder_finish (builder, NULL, &error);
  g_assert_no_error (error);
  recording = weft_recording_open (file, NULL, &error);
  g_assert_no_error (error);
  return recording;
}
