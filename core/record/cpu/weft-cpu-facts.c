/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-cpu-facts.h"

#include <string.h>

WeftCpuFacts *
weft_cpu_facts_new (void)
{
  WeftCpuFacts *self = g_new0 (WeftCpuFacts, 1);

  self->sampler = "off";
  self->wait_mode = "off";
  self->missing = g_string_new (NULL);
  return self;
}

void
weft_cpu_facts_free (WeftCpuFacts *self)
{
  g_string_free (self->missing, TRUE);
  g_free (self);
}

void
weft_cpu_facts_add_missing (WeftCpuFacts *self, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  if (strstr (self->missing->str, text) != NULL)
    return;
  if (self->missing->len > 0)
    g_string_append_c (self->missing, ' ');
  g_string_append (self->missing, text);
}

WeftCpuNote *
weft_cpu_note_new (WeftSeverity severity, const char *code, char *message)
{
  WeftCpuNote *self = g_new (WeftCpuNote, 1);

  self->severity = severity;
  self->code = code;
  self->message = message;
  return self;
}

void
weft_cpu_note_free (WeftCpuNote *self)
{
  g_free (self->message);
  g_free (self);
}
