/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Exports of Instruments that somebody damaged, cut or made up: importing them ends in a recording
 * that is sound or in an error that names a line, and never worse.
 *
 * WEFT_FUZZ_SECONDS (3) and WEFT_FUZZ_SEED; the seed is printed.
 */

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <weft.h>

#include "weft-xctrace-trace.h"

#define MAX_CHANGES 6

static const char head[] = "<?xml version=\"1.0\"?>\n<trace-query-result>\n";
static const char tail[] = "</trace-query-result>\n";

typedef struct
{
  const char *schema;
  const char *columns; /* mnemonic:type, with blanks between */
} Shape;

static const Shape shapes[] = {
  { "metal-gpu-intervals",
    "start:start-time duration:duration channel-name:gpu-channel-name start-latency:duration "
    "event-label:formatted-label state:gpu-state process:process gpu:metal-device-name "
    "bytes:size-in-bytes cmdbuffer-id:metal-command-buffer-id encoder-id:metal-command-buffer-id" },
  { "metal-application-encoders-list",
    "start:start-time duration:duration thread:thread process:process "
    "cmdbuffer-label:metal-object-label encoder-label:metal-object-label "
    "cmdbuffer-id:metal-command-buffer-id encoder-id:metal-command-buffer-id" },
  { "metal-command-buffer-completed", "timestamp:start-time cmdbuffer-id:metal-command-buffer-id" },
  { "metal-command-buffer-error",
    "timestamp:start-time cmdbuffer-id:metal-command-buffer-id error:string" },
  { "metal-driver-intervals",
    "start:start-time duration:duration gpu-driver-name:gpu-driver-name event-depth:metal-nesting-"
    "level event-label:formatted-label process:process thread:thread" },
  { "metal-gpu-state-intervals",
    "start:start-time duration:duration state:gpu-state num-events:uint32 gpu:metal-device-name" },
  { "time-profile", "time:sample-time thread:thread process:process core:core "
                    "thread-state:thread-state weight:weight stack:tagged-backtrace" },
};

/* ---- Documents ---- */

typedef struct
{
  GRand *rand;
  GString *text;
  guint n_ids;
} Maker;

/* An id, or a reference to any there may be; TRUE if nothing is to be in the element. */
static gboolean
begin_element (Maker *self, const char *tag)
{
  gboolean refers = self->n_ids > 0 && g_rand_int_range (self->rand, 0, 3) == 0;

  g_string_append_printf (self->text, "<%s", tag);
  if (refers)
    {
      /* Sometimes to what is yet to come. */
      g_string_append_printf (self->text, " ref=\"%d\"/>",
                              g_rand_int_range (self->rand, 1, (gint32) self->n_ids + 2));
      return TRUE;
    }
  if (g_rand_boolean (self->rand))
    g_string_append_printf (self->text, " id=\"%u\"", ++self->n_ids);
  g_string_append_printf (self->text, " fmt=\"%s %d\">", tag, g_rand_int_range (self->rand, 0, 5));
  return FALSE;
}

static void
add_number (Maker *self, const char *tag)
{
  static const char *const odd[] = { "", "-1", "18446744073709551615", "0x10", "1e9", "soon" };

  if (begin_element (self, tag))
    return;
  if (g_rand_int_range (self->rand, 0, 20) == 0)
    g_string_append (self->text, odd[g_rand_int_range (self->rand, 0, G_N_ELEMENTS (odd))]);
  else
    g_string_append_printf (self->text, "%d", g_rand_int_range (self->rand, 0, 3000));
  g_string_append_printf (self->text, "</%s>", tag);
}

static void
add_process (Maker *self)
{
  if (begin_element (self, "process"))
    return;
  add_number (self, "pid");
  g_string_append (self->text, "</process>");
}

static void
add_thread (Maker *self)
{
  if (begin_element (self, "thread"))
    return;
  add_number (self, "tid");
  add_process (self);
  g_string_append (self->text, "</thread>");
}

static void
add_frame (Maker *self)
{
  if (g_rand_int_range (self->rand, 0, 4) == 0)
    {
      begin_element (self, "frame");
      g_string_append (self->text, g_str_has_suffix (self->text->str, "/>") ? "" : "</frame>");
      return;
    }
  g_string_append_printf (self->text, "<frame name=\"f%d\" addr=\"0x%x\">",
                          g_rand_int_range (self->rand, 0, 9), g_rand_int (self->rand));
  g_string_append_printf (
      self->text, "<binary id=\"%u\" name=\"lib%d\" load-addr=\"0x%x\" path=\"/lib\"/>",
      ++self->n_ids, g_rand_int_range (self->rand, 0, 3), g_rand_int_range (self->rand, 0, 4096));
  g_string_append (self->text, "<source line=\"7\"><path>a.c</path></source></frame>");
}

static void
add_stack (Maker *self)
{
  if (begin_element (self, "tagged-backtrace"))
    return;
  for (gint i = g_rand_int_range (self->rand, 0, 5); i > 0; i--)
    add_frame (self);
  g_string_append (self->text, "</tagged-backtrace>");
}

static void
add_cell (Maker *self, const char *type)
{
  if (g_rand_int_range (self->rand, 0, 15) == 0)
    g_string_append (self->text, "<sentinel/>");
  else if (g_str_equal (type, "process"))
    add_process (self);
  else if (g_str_equal (type, "thread"))
    add_thread (self);
  else if (g_str_equal (type, "tagged-backtrace"))
    add_stack (self);
  else
    add_number (self, type);
}

static void
add_table (Maker *self, const Shape *shape, guint number)
{
  g_auto (GStrv) columns = g_strsplit (shape->columns, " ", -1);

  g_string_append_printf (self->text, "<node xpath='//run[1]/table[%u]'><schema name=\"%s\">",
                          number, shape->schema);
  for (guint i = 0; columns[i] != NULL; i++)
    {
      char *type = strchr (columns[i], ':');

      *type++ = '\0';
      g_string_append_printf (self->text,
                              "<col><mnemonic>%s</mnemonic><engineering-type>%s</engineering-type>"
                              "</col>",
                              columns[i], type);
    }
  g_string_append (self->text, "</schema>\n");
  for (gint rows = g_rand_int_range (self->rand, 1, 30); rows > 0; rows--)
    {
      g_string_append (self->text, "<row>");
      for (guint i = 0; columns[i] != NULL; i++)
        add_cell (self, columns[i] + strlen (columns[i]) + 1);
      g_string_append (self->text, "</row>\n");
    }
  g_string_append (self->text, "</node>\n");
}

/* Some tables, in any order, that are well-formed and refer to one another at random. */
static GString *
make_document (GRand *rand)
{
  Maker self = { .rand = rand, .text = g_string_new (head) };

  for (guint n = (guint) g_rand_int_range (rand, 1, 6); n > 0; n--)
    add_table (&self, &shapes[g_rand_int_range (rand, 0, G_N_ELEMENTS (shapes))], n);
  /* What was referred to and did not come. */
  g_string_append_printf (self.text, "<node><row><x id=\"%u\"/></row></node>", self.n_ids + 1);
  g_string_append (self.text, tail);
  return self.text;
}

/* ---- Damage ---- */

static void
damage (GRand *rand, GString *text)
{
  static const char *const pieces[] = { "<row>",     "</row>",    "<sentinel/>", "id=\"1\"",
                                        "ref=\"3\"", "</node>",   "<col>",       "&amp;",
                                        "\"",        "<a><a><a>", "<!--",        "]]>",
                                        "<![CDATA[", "\xff",      "<!DOCTYPE a>" };
  gsize place = (gsize) g_rand_double_range (rand, 0, (double) text->len);
  gsize wanted = (gsize) g_rand_int_range (rand, 1, 200);
  gsize length = MIN (wanted, text->len - place);
  const char *piece = pieces[g_rand_int_range (rand, 0, G_N_ELEMENTS (pieces))];
  g_autofree char *copy = g_strndup (text->str + place, length);

  switch (g_rand_int_range (rand, 0, 5))
    {
    case 0:
      g_string_truncate (text, place);
      break;
    case 1:
      text->str[place] = (char) g_rand_int_range (rand, 1, 256);
      break;
    case 2:
      g_string_erase (text, (gssize) place, (gssize) length);
      break;
    case 3:
      g_string_insert (text, (gssize) place, copy);
      break;
    default:
      g_string_insert (text, (gssize) place, piece);
      break;
    }
}

/* ---- Imports ---- */

static gboolean
import (const char *input, const char *output, GError **error)
{
  g_autoptr (GListStore) inputs = g_list_store_new (G_TYPE_FILE);
  g_autoptr (GFile) file = g_file_new_for_path (input);
  g_autoptr (GFile) target = g_file_new_for_path (output);
  g_autoptr (GPtrArray) losses = g_ptr_array_new_with_free_func (g_free);

  g_list_store_append (inputs, file);
  return weft_xctrace_trace_import (G_LIST_MODEL (inputs), target, 0, NULL, NULL, losses, error);
}

/* Its lanes add up, and it says how many dispatches it has. */
static void
check_recording (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (WeftRecording) recording = weft_recording_open (file, NULL, &error);
  g_autoptr (WeftAnalysis) analysis = NULL;
  g_autoptr (WeftReport) report = NULL;
  WeftTable *lanes;
  int column;

  g_assert_no_error (error);
  g_assert_cmpint (weft_recording_get_state (recording), ==, WEFT_RECORDING_COMPLETE);
  analysis = weft_analysis_new (recording, "target-lanes", &error);
  g_assert_no_error (error);
  report = weft_analysis_run (analysis, NULL, &error);
  g_assert_no_error (error);
  lanes = weft_report_get_main_table (report);
  column = weft_table_find_column (lanes, "adds_up");
  g_assert_cmpint (column, >=, 0);
  for (guint i = 0; i < weft_table_get_n_rows (lanes); i++)
    g_assert_true (weft_table_get_boolean (lanes, (guint) column, i));
}

static void
test_fuzz (void)
{
  const char *seconds = g_getenv ("WEFT_FUZZ_SECONDS");
  const char *given = g_getenv ("WEFT_FUZZ_SEED");
  guint32 seed = given != NULL ? (guint32) g_ascii_strtoull (given, NULL, 10) : g_random_int ();
  gint64 end = g_get_monotonic_time () +
               (seconds != NULL ? g_ascii_strtoll (seconds, NULL, 10) : 3) * G_USEC_PER_SEC;
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  g_autofree char *folder = g_dir_make_tmp ("weft-xctrace-XXXXXX", NULL);
  g_autofree char *input = g_build_filename (folder, "x.xml", NULL);
  g_autofree char *output = g_build_filename (folder, "x.weft", NULL);
  guint n_good = 0, n_bad = 0;

  printf ("# WEFT_FUZZ_SEED=%u\n", seed);
  do
    {
      g_autoptr (GString) text = make_document (rand);
      g_autoptr (GError) error = NULL;
      gint changes = g_rand_int_range (rand, 0, MAX_CHANGES);

      for (gint i = 0; i < changes && text->len > 0; i++)
        damage (rand, text);
      g_assert_true (g_file_set_contents (input, text->str, (gssize) text->len, NULL));
      if (import (input, output, &error))
        {
          n_good++;
          check_recording (output);
          g_unlink (output);
          continue;
        }
      n_bad++;
      g_assert_nonnull (error);
      g_assert_false (g_file_test (output, G_FILE_TEST_EXISTS));
      g_assert_true (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA) ||
                     g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED) ||
                     g_error_matches (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT));
      if (error->code == G_IO_ERROR_INVALID_DATA)
        g_assert_nonnull (strstr (error->message, ", line "));
    }
  while (g_get_monotonic_time () < end || n_good == 0 || n_bad == 0);
  printf ("# %u recordings, %u refusals\n", n_good, n_bad);
  g_unlink (input);
  g_rmdir (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/xctrace/fuzz", test_fuzz);
  return g_test_run ();
}
