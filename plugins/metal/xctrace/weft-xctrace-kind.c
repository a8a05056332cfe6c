/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-xctrace-kind.h"

#include <string.h>

#define MAX_TIME (G_GUINT64_CONSTANT (1) << 60) /* ns: 36 years */

gboolean
weft_xctrace_read_time (const WeftXctraceElement *cell, gint64 *time)
{
  guint64 number;

  if (!weft_xctrace_element_get_number (cell, &number) || number > MAX_TIME)
    return FALSE;
  *time = (gint64) number;
  return TRUE;
}

gboolean
weft_xctrace_read_name (const WeftXctraceElement *cell, guint64 *number)
{
  return weft_xctrace_element_get_number (cell, number) && *number != 0 && *number != G_MAXUINT64;
}

const char *
weft_xctrace_read_label (const WeftXctraceElement *cell)
{
  const WeftXctraceElement *label = weft_xctrace_element_get (cell);

  if (label == NULL || label->first == NULL)
    return weft_xctrace_element_get_shown (label);
  return weft_xctrace_element_get_shown (label->first);
}

char *
weft_xctrace_join_names (const char *first, const char *second)
{
  if (first == NULL || second == NULL)
    return g_strdup (first != NULL ? first : second);
  return g_strconcat (first, " ", second, NULL);
}
