/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-xctrace-contents.h"

#define NS_PER_US 1000
#define NS_PER_S 1e9
#define MAX_DURATION 1e9 /* s: 31 years */

static const char *
get_text (const WeftXctraceElement *parent, const char *name)
{
  return weft_xctrace_element_get_shown (weft_xctrace_element_find (parent, name));
}

static char *
join (const char *first, const char *between, const char *second)
{
  if (first == NULL || second == NULL)
    return g_strdup (first != NULL ? first : second);
  return g_strconcat (first, between, second, NULL);
}

static gint64
read_date (const char *text)
{
  g_autoptr (GDateTime) date = text != NULL ? g_date_time_new_from_iso8601 (text, NULL) : NULL;
  gint64 seconds = date != NULL ? g_date_time_to_unix (date) : 0;

  if (seconds <= 0 || seconds > (gint64) MAX_DURATION * 10)
    return 0;
  return (seconds * G_USEC_PER_SEC + g_date_time_get_microsecond (date)) * NS_PER_US;
}

static gint64
read_duration (const char *text)
{
  double seconds = text != NULL ? g_ascii_strtod (text, NULL) : 0;

  return seconds > 0 && seconds < MAX_DURATION ? (gint64) (seconds * NS_PER_S) : 0;
}

static char *
read_system (const WeftXctraceElement *device)
{
  g_autofree char *system = join (weft_xctrace_element_get_attribute (device, "platform"), " ",
                                  weft_xctrace_element_get_attribute (device, "os-version"));

  return join (system, ", ", weft_xctrace_element_get_attribute (device, "model"));
}

WeftXctraceContents *
weft_xctrace_contents_new (const WeftXctraceElement *info)
{
  WeftXctraceContents *self = g_new0 (WeftXctraceContents, 1);
  const WeftXctraceElement *target = weft_xctrace_element_find (info, "target");
  const WeftXctraceElement *process = weft_xctrace_element_find (target, "process");
  const WeftXctraceElement *summary = weft_xctrace_element_find (info, "summary");
  const char *version = get_text (summary, "instruments-version");
  g_autofree char *program = version ? g_strconcat ("Instruments ", version, NULL) : NULL;

  self->recorder = join (program, ", ", get_text (summary, "template-name"));
  self->system = read_system (weft_xctrace_element_find (target, "device"));
  self->command_line = join (weft_xctrace_element_get_attribute (process, "name"), " ",
                             weft_xctrace_element_get_attribute (process, "arguments"));
  self->has_pid =
      weft_xctrace_parse_number (weft_xctrace_element_get_attribute (process, "pid"), &self->pid);
  self->start = read_date (get_text (summary, "start-date"));
  self->duration = read_duration (get_text (summary, "duration"));
  return self;
}

void
weft_xctrace_contents_free (WeftXctraceContents *self)
{
  g_free (self->recorder);
  g_free (self->system);
  g_free (self->command_line);
  g_free (self);
}

static gboolean
add_fact (WeftRecordingBuilder *builder, const char *key, const char *text, GError **error)
{
  WeftXctraceFields row;

  if (text == NULL)
    return TRUE;
  row = (WeftXctraceFields){ 0 };
  weft_xctrace_row_set_text (&row, "key", key);
  weft_xctrace_row_set_text (&row, "text", text);
  return weft_xctrace_row_add (&row, builder, "meta", NULL, error);
}

gboolean
weft_xctrace_contents_write (const WeftXctraceContents *self, WeftRecordingBuilder *builder,
                             WeftXctraceEntities *entities, GError **error)
{
  if (self->recorder != NULL)
    weft_recording_builder_set_recorder_name (builder, self->recorder);
  if (self->has_pid && self->command_line != NULL)
    weft_xctrace_entities_describe (entities, self->pid, self->command_line);
  weft_recording_builder_set_end (builder, self->duration);
  return weft_recording_builder_set_start (builder, 0, self->start, error) &&
         add_fact (builder, "system", self->system, error) &&
         add_fact (builder, "command-line", self->command_line, error);
}
