/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-xctrace-element.h"

#include <string.h>

/* A chain of references comes only from a hand: one that is longer, or a ring, is nothing. */
#define MAX_STEPS 4

const WeftXctraceElement *
weft_xctrace_element_get (const WeftXctraceElement *self)
{
  for (guint i = 0; self != NULL && self->target != NULL; i++)
    self = i < MAX_STEPS ? self->target : NULL;
  return self == NULL || strcmp (self->name, "sentinel") == 0 ? NULL : self;
}

const WeftXctraceElement *
weft_xctrace_element_find (const WeftXctraceElement *self, const char *name)
{
  self = weft_xctrace_element_get (self);
  for (const WeftXctraceElement *child = self ? self->first : NULL; child != NULL;
       child = child->next)
    if (strcmp (child->name, name) == 0)
      return weft_xctrace_element_get (child);
  return NULL;
}

const char *
weft_xctrace_element_get_attribute (const WeftXctraceElement *self, const char *name)
{
  self = weft_xctrace_element_get (self);
  for (guint i = 0; self != NULL && self->attributes != NULL && self->attributes[i] != NULL; i += 2)
    if (strcmp (self->attributes[i], name) == 0)
      return self->attributes[i + 1];
  return NULL;
}

gboolean
weft_xctrace_parse_number (const char *text, guint64 *number)
{
  gboolean is_hexadecimal = text != NULL && g_str_has_prefix (text, "0x");

  return text != NULL &&
         g_ascii_string_to_unsigned (is_hexadecimal ? text + 2 : text, is_hexadecimal ? 16 : 10, 0,
                                     G_MAXUINT64, number, NULL);
}

gboolean
weft_xctrace_element_get_number (const WeftXctraceElement *self, guint64 *number)
{
  self = weft_xctrace_element_get (self);
  return self != NULL && weft_xctrace_parse_number (self->text, number);
}

static gboolean
is_blank (const char *text)
{
  return text == NULL || text[strspn (text, " \t\r\n")] == '\0';
}

const char *
weft_xctrace_element_get_shown (const WeftXctraceElement *self)
{
  self = weft_xctrace_element_get (self);
  if (self == NULL)
    return NULL;
  if (!is_blank (self->shown))
    return self->shown;
  return is_blank (self->text) ? NULL : self->text;
}
