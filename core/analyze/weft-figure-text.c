/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-figure-text.h"

#include <math.h>

typedef struct
{
  double factor;
  const char *name;
} Step;

/* The same in every locale. */
static char *
with_unit (double value, const char *format, const char *unit)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];

  g_ascii_formatd (number, sizeof number, format, value);
  return unit == NULL ? g_strdup (number) : g_strconcat (number, " ", unit, NULL);
}

static char *
in_steps (double value, const Step *steps, guint n_steps)
{
  guint i = n_steps - 1;

  while (i > 0 && fabs (value) < steps[i].factor)
    i--;
  return with_unit (value / steps[i].factor, "%.4g", steps[i].name);
}

static const char *const names[] = {
  [WEFT_UNIT_TICKS] = "ticks",
  [WEFT_UNIT_CYCLES] = "cycles",
  [WEFT_UNIT_INVOCATIONS] = "invocations",
  [WEFT_UNIT_PERCENT] = "%",
};

char *
weft_figure_text (double value, WeftUnit unit, const char *unit_name)
{
  static const Step times[] = { { 1, "ns" }, { 1e3, "µs" }, { 1e6, "ms" }, { 1e9, "s" } };
  static const Step sizes[] = {
    { 1, "bytes" }, { 0x1p10, "KiB" }, { 0x1p20, "MiB" }, { 0x1p30, "GiB" }
  };
  const char *name;

  if (unit == WEFT_UNIT_NANOSECONDS)
    return in_steps (value, times, G_N_ELEMENTS (times));
  if (unit == WEFT_UNIT_BYTES)
    return in_steps (value, sizes, G_N_ELEMENTS (sizes));
  name = (guint) unit < G_N_ELEMENTS (names) ? names[unit] : NULL;
  if (unit == WEFT_UNIT_NAMED)
    name = unit_name;
  return with_unit (value, "%.6g", name);
}
