/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Whether recordings are as they should be, for people and for machines that build. */

#include <stdio.h>
#include <string.h>
#include <weft.h>

#include "ask.h"
#include "commands.h"
#include "text.h"

typedef struct
{
  char **thresholds;
  char **baselines;
  char *format;
  char *output;
  int min_runs;
  gboolean json;
} Options;

static void
options_clear (Options *options)
{
  g_strfreev (options->thresholds);
  g_strfreev (options->baselines);
  g_free (options->format);
  g_free (options->output);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

static int
cannot_judge (const char *message)
{
  complain ("%s", message);
  return WEFT_GATE_CANNOT_JUDGE;
}

/* A threshold compares; names of files do not. */
static gboolean
is_threshold (const char *word)
{
  return strpbrk (word, "<>=") != NULL;
}

typedef void (*AddRecording) (WeftGate *gate, WeftRecording *recording);

static gboolean
add_file (WeftGate *gate, const char *file, AddRecording add, GError **error)
{
  g_autoptr (WeftRecording) recording = ask_open (file, error);

  if (recording == NULL)
    return FALSE;
  add (gate, recording);
  return TRUE;
}

static gboolean
add_words (WeftGate *gate, int argc, char **argv, GError **error)
{
  gboolean any = FALSE;

  for (int i = 1; i < argc; i++)
    if (is_threshold (argv[i]) ? !weft_gate_add_threshold (gate, argv[i], error)
                               : !add_file (gate, argv[i], weft_gate_add_recording, error))
      return FALSE;
    else
      any |= !is_threshold (argv[i]);
  return any || add_file (gate, NULL, weft_gate_add_recording, error);
}

static gboolean
add_options (WeftGate *gate, const Options *options, GError **error)
{
  for (guint i = 0; options->thresholds != NULL && options->thresholds[i] != NULL; i++)
    {
      g_autoptr (GFile) file = g_file_new_for_commandline_arg (options->thresholds[i]);

      if (!weft_gate_load_thresholds (gate, file, NULL, error))
        return FALSE;
    }
  for (guint i = 0; options->baselines != NULL && options->baselines[i] != NULL; i++)
    if (!add_file (gate, options->baselines[i], weft_gate_add_baseline, error))
      return FALSE;
  if (options->min_runs > 0)
    weft_gate_set_min_runs (gate, (guint) options->min_runs);
  return TRUE;
}

/* To be freed; NULL for a format that there is not. */
static char *
write_as (WeftGateResult *result, const char *format)
{
  if (strcmp (format, "text") == 0)
    return weft_gate_result_to_text (result);
  if (strcmp (format, "json") == 0)
    return weft_report_to_json (weft_gate_result_get_report (result));
  if (strcmp (format, "junit") == 0)
    return weft_gate_result_to_junit (result);
  return weft_gate_result_to_markdown (result);
}

static gboolean
is_format (const char *format)
{
  static const char *const formats[] = { "text", "json", "junit", "markdown", NULL };

  return g_strv_contains (formats, format);
}

static int
judge (WeftGate *gate, const Options *options)
{
  const char *format = options->json ? "json" : options->format ? options->format : "text";
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftGateResult) result = weft_gate_run (gate, NULL, &error);
  g_autofree char *text = result ? write_as (result, format) : NULL;

  if (result == NULL)
    return cannot_judge (error->message);
  if (options->output != NULL && !g_file_set_contents (options->output, text, -1, &error))
    return cannot_judge (error->message);
  /* A person wants to see what came of it, too, where the report goes to a file. */
  if (options->output != NULL && strcmp (format, "text") != 0)
    {
      g_free (text);
      text = weft_gate_result_to_text (result);
      format = "text";
    }
  if (strcmp (format, "text") == 0)
    text_print (stdout, "%s", text);
  else
    fputs (text, stdout);
  return (int) weft_gate_result_get_verdict (result);
}

int
command_check (int argc, char **argv)
{
  g_auto (Options) options = { 0 };
  const GOptionEntry entries[] = {
    { "thresholds", 'T', 0, G_OPTION_ARG_FILENAME_ARRAY, &options.thresholds,
      "A file with a threshold on each line; may be given several times", "FILE" },
    { "baseline", 'B', 0, G_OPTION_ARG_FILENAME_ARRAY, &options.baselines,
      "A recording to compare with; may be given several times", "FILE" },
    { "min-runs", 0, 0, G_OPTION_ARG_INT, &options.min_runs,
      "Do not judge fewer recordings than this, on each side", "N" },
    { "format", 'F', 0, G_OPTION_ARG_STRING, &options.format,
      "How to report: text, json, junit, markdown", "WORD" },
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &options.output,
      "Write the report to FILE, and tell it as text", "FILE" },
    { "json", 'j', 0, G_OPTION_ARG_NONE, &options.json, "Short for --format json", NULL },
    { NULL },
  };
  g_autoptr (WeftGate) gate = weft_gate_new ();
  g_autoptr (GError) error = NULL;
  int status;

  if (!parse_options ("Whether recordings are as they should be: exit status 0 if all thresholds "
                      "hold, 1 if one does not, 2 if that cannot be judged. A threshold is such as "
                      "'p95 routine:gemm < 2ms'.",
                      "[FILE…] [THRESHOLD…]", entries, &argc, &argv, &status))
    return status;
  if (options.format != NULL && !is_format (options.format))
    {
      complain ("“%s” is no format: text, json, junit or markdown (see “%s --help”)",
                options.format, g_get_prgname ());
      return EXIT_USAGE;
    }
  if (options.min_runs < 0)
    return cannot_judge ("--min-runs must not be below 1");
  if (!add_options (gate, &options, &error) || !add_words (gate, argc, argv, &error))
    return cannot_judge (error->message);
  if (weft_gate_get_n_thresholds (gate) == 0)
    return cannot_judge ("there is no threshold: write one such as 'p95 routine:gemm < 2ms', or "
                         "name a file of them with --thresholds");
  return judge (gate, &options);
}
