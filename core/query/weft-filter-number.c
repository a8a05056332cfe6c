/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-filter-lexer.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static const struct
{
  const char *name;
  guint64 factor;
  WeftFilterUnit unit;
} units[] = {
  { "ns", 1, WEFT_FILTER_UNIT_NANOSECONDS },
  { "us", 1000, WEFT_FILTER_UNIT_NANOSECONDS },
  { "\302\265s", 1000, WEFT_FILTER_UNIT_NANOSECONDS }, /* micro sign */
  { "\316\274s", 1000, WEFT_FILTER_UNIT_NANOSECONDS }, /* Greek mu */
  { "ms", 1000000, WEFT_FILTER_UNIT_NANOSECONDS },
  { "s", 1000000000, WEFT_FILTER_UNIT_NANOSECONDS },
  { "min", G_GUINT64_CONSTANT (60000000000), WEFT_FILTER_UNIT_NANOSECONDS },
  { "h", G_GUINT64_CONSTANT (3600000000000), WEFT_FILTER_UNIT_NANOSECONDS },
  { "B", 1, WEFT_FILTER_UNIT_BYTES },
  { "kB", 1000, WEFT_FILTER_UNIT_BYTES },
  { "MB", 1000000, WEFT_FILTER_UNIT_BYTES },
  { "GB", 1000000000, WEFT_FILTER_UNIT_BYTES },
  { "TB", G_GUINT64_CONSTANT (1000000000000), WEFT_FILTER_UNIT_BYTES },
  { "KiB", G_GUINT64_CONSTANT (1) << 10, WEFT_FILTER_UNIT_BYTES },
  { "MiB", G_GUINT64_CONSTANT (1) << 20, WEFT_FILTER_UNIT_BYTES },
  { "GiB", G_GUINT64_CONSTANT (1) << 30, WEFT_FILTER_UNIT_BYTES },
  { "TiB", G_GUINT64_CONSTANT (1) << 40, WEFT_FILTER_UNIT_BYTES },
  { "%", 1, WEFT_FILTER_UNIT_PERCENT },
};

/* The parts of a written number. */
typedef struct
{
  gboolean negative;
  const char *digits; /* sign left out */
  const char *unit;
  gboolean has_exponent;
} Written;

static gboolean
split (const char *text, Written *written)
{
  const char *at = text;

  *written = (Written){ .negative = *at == '-' };
  at += *at == '-' || *at == '+' ? 1 : 0;
  written->digits = at;
  if (!g_ascii_isdigit (*at))
    return FALSE;
  while (g_ascii_isdigit (*at))
    at++;
  if (*at == '.' && g_ascii_isdigit (at[1]))
    for (at++; g_ascii_isdigit (*at); at++)
      ;
  if ((*at == 'e' || *at == 'E') && g_ascii_isdigit (at[at[1] == '-' || at[1] == '+' ? 2 : 1]))
    {
      written->has_exponent = TRUE;
      for (at += 2; g_ascii_isdigit (*at); at++)
        ;
    }
  written->unit = at;
  return TRUE;
}

/* DIGITS times FACTOR where that is a whole number below 2^64. */
static gboolean
multiply (const char *digits, const char *end, guint64 factor, guint64 *product)
{
  unsigned __int128 value = 0;
  unsigned __int128 divisor = 1;
  const char *point = memchr (digits, '.', (gsize) (end - digits));

  while (point != NULL && end[-1] == '0')
    end--;
  for (const char *at = digits; at < end; at++)
    {
      if (at == point)
        continue;
      value = value * 10 + (unsigned) (*at - '0');
      divisor *= point != NULL && at > point ? 10 : 1;
      if (value > G_MAXUINT64 || divisor > G_MAXUINT64 / 10)
        return FALSE;
    }
  value *= factor;
  if (value % divisor != 0 || value / divisor > G_MAXUINT64)
    return FALSE;
  *product = (guint64) (value / divisor);
  return TRUE;
}

static gboolean
evaluate (const Written *written, guint64 factor, WeftFilterNumber *number)
{
  double real = g_ascii_strtod (written->digits, NULL) * (double) factor;

  if (!isfinite (real))
    return FALSE;
  number->integral = !written->has_exponent &&
                     multiply (written->digits, written->unit, factor, &number->magnitude);
  if (written->has_exponent && real < 9007199254740992.0 && real == floor (real))
    {
      number->integral = TRUE;
      number->magnitude = (guint64) real;
    }
  if (number->integral)
    real = (double) number->magnitude;
  number->negative = written->negative && real != 0;
  number->real = number->negative ? -real : real;
  return TRUE;
}

static gboolean fail (char **message, const char *format, ...) G_GNUC_PRINTF (2, 3);

static gboolean
fail (char **message, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  *message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  return FALSE;
}

static const char *
say_units (WeftFilterType type)
{
  switch (type)
    {
    case WEFT_FILTER_TYPE_TIME:
    case WEFT_FILTER_TYPE_DURATION:
      return "ns, us, ms, s, min or h";
    case WEFT_FILTER_TYPE_SIZE:
      return "B, kB, MB, GB, TB, KiB, MiB, GiB or TiB";
    default:
      return "ns, us, ms, s, min, h, B, kB, MB, GB, TB, KiB, MiB, GiB, TiB or %";
    }
}

static gboolean
unit_suits (WeftFilterType type, WeftFilterUnit unit)
{
  switch (type)
    {
    case WEFT_FILTER_TYPE_TIME:
    case WEFT_FILTER_TYPE_DURATION:
      return unit == WEFT_FILTER_UNIT_NANOSECONDS;
    case WEFT_FILTER_TYPE_SIZE:
      return unit == WEFT_FILTER_UNIT_BYTES;
    default:
      return TRUE;
    }
}

static gboolean
find_unit (const char *text, const Written *written, WeftFilterType type, guint64 *factor,
           WeftFilterUnit *unit, char **message)
{
  for (guint i = 0; i < G_N_ELEMENTS (units); i++)
    if (unit_suits (type, units[i].unit) && g_ascii_strcasecmp (units[i].name, written->unit) == 0)
      {
        *factor = units[i].factor;
        *unit = units[i].unit;
        return TRUE;
      }
  return fail (message, "“%s” has no unit known here; the units are %s", text, say_units (type));
}

static gboolean
is_duration (WeftFilterType type)
{
  return type == WEFT_FILTER_TYPE_TIME || type == WEFT_FILTER_TYPE_DURATION;
}

static gboolean
check_count (const char *text, const Written *written, const WeftFilterNumber *number,
             char **message)
{
  if (*written->unit != '\0' || !number->integral || number->negative)
    return fail (message, "“%s” is not a whole number such as 12", text);
  if (number->magnitude > G_MAXINT64)
    return fail (message, "“%s” is too large", text);
  return TRUE;
}

static gboolean
check_unit (const char *text, const Written *written, WeftFilterType type,
            const WeftFilterNumber *number, char **message)
{
  if (is_duration (type) && *written->unit == '\0' && !(number->integral && number->magnitude == 0))
    return fail (message, "“%s” needs a unit: %sns, %sus, %sms or %ss", text, text, text, text,
                 text);
  if (number->negative && (type == WEFT_FILTER_TYPE_DURATION || type == WEFT_FILTER_TYPE_SIZE))
    return fail (message, "“%s” is negative; nothing here is below 0", text);
  if (number->unit == WEFT_FILTER_UNIT_NANOSECONDS || number->unit == WEFT_FILTER_UNIT_BYTES)
    {
      const char *smallest = number->unit == WEFT_FILTER_UNIT_BYTES ? "a byte" : "a nanosecond";

      if (fabs (number->real) > (double) G_MAXINT64 / 2)
        return fail (message, "“%s” is too large", text);
      if (!number->integral)
        return fail (message, "“%s” is no whole number of %ss; nothing is measured finer than %s",
                     text, smallest + 2, smallest);
    }
  return TRUE;
}

gboolean
weft_filter_number_parse (const char *text, WeftFilterType type, WeftFilterNumber *number,
                          char **message)
{
  gboolean counts = type == WEFT_FILTER_TYPE_COUNT || type == WEFT_FILTER_TYPE_ID;
  Written written;
  guint64 factor = 1;

  *number = (WeftFilterNumber){ .unit = WEFT_FILTER_UNIT_NONE };
  *message = NULL;
  if (!split (text, &written))
    return fail (message, "“%s” is not a number%s", text,
                 is_duration (type) ? " with a unit, such as 2ms"
                 : counts           ? " such as 12"
                                    : "");
  if (is_duration (type))
    number->unit = WEFT_FILTER_UNIT_NANOSECONDS;
  else if (type == WEFT_FILTER_TYPE_SIZE)
    number->unit = WEFT_FILTER_UNIT_BYTES;
  if (!counts && *written.unit != '\0' &&
      !find_unit (text, &written, type, &factor, &number->unit, message))
    return FALSE;
  if (!evaluate (&written, factor, number))
    return fail (message, "“%s” is too large", text);
  if (counts)
    return check_count (text, &written, number, message);
  return check_unit (text, &written, type, number, message);
}

/* ---- Printing ---- */

/* VALUE in units of FACTOR, as a decimal fraction without loss: FACTOR is a power of ten. */
static char *
print_decimal (guint64 value, guint64 factor, const char *unit)
{
  GString *text = g_string_new (NULL);

  g_string_append_printf (text, "%" G_GUINT64_FORMAT, value / factor);
  if (value % factor != 0)
    {
      g_string_append_c (text, '.');
      for (guint64 rest = value % factor; rest != 0; rest %= factor)
        {
          factor /= 10;
          g_string_append_c (text, (char) ('0' + rest / factor));
        }
    }
  g_string_append (text, unit);
  return g_string_free (text, FALSE);
}

static char *
print_duration (guint64 value)
{
  if (value >= 1000000000)
    return print_decimal (value, 1000000000, "s");
  if (value >= 1000000)
    return print_decimal (value, 1000000, "ms");
  if (value >= 1000)
    return print_decimal (value, 1000, "us");
  return print_decimal (value, 1, "ns");
}

static char *
print_size (guint64 value)
{
  static const char *const binary[] = { "TiB", "GiB", "MiB", "KiB" };
  static const char *const decimal[] = { "TB", "GB", "MB", "kB" };

  for (guint i = 0; value != 0 && i < G_N_ELEMENTS (binary); i++)
    {
      guint64 factor = G_GUINT64_CONSTANT (1) << (40 - 10 * i);

      if (value % factor == 0)
        return print_decimal (value / factor, 1, binary[i]);
    }
  for (guint64 i = 0, factor = G_GUINT64_CONSTANT (1000000000000);
       value != 0 && i < G_N_ELEMENTS (decimal); i++, factor /= 1000)
    if (value % factor == 0)
      return print_decimal (value / factor, 1, decimal[i]);
  return print_decimal (value, 1, "B");
}

static char *
print_real (double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  for (int digits = 15; digits <= 17; digits++)
    {
      char format[] = { '%', '.', '1', (char) ('0' + digits - 10), 'g', '\0' };

      g_ascii_formatd (text, sizeof text, format, value);
      if (g_ascii_strtod (text, NULL) == value)
        break;
    }
  return g_strdup (text);
}

static char *
print_unsigned (const WeftFilterNumber *number)
{
  if (number->unit == WEFT_FILTER_UNIT_NANOSECONDS)
    return print_duration (number->magnitude);
  if (number->unit == WEFT_FILTER_UNIT_BYTES)
    return print_size (number->magnitude);
  if (number->integral)
    return g_strdup_printf ("%" G_GUINT64_FORMAT, number->magnitude);
  return print_real (fabs (number->real));
}

char *
weft_filter_number_print (const WeftFilterNumber *number)
{
  g_autofree char *digits = print_unsigned (number);

  return g_strconcat (number->negative ? "-" : "", digits,
                      number->unit == WEFT_FILTER_UNIT_PERCENT ? "%" : NULL, NULL);
}

gboolean
weft_filter_number_equal (const WeftFilterNumber *a, const WeftFilterNumber *b)
{
  return a->unit == b->unit && a->integral == b->integral && a->negative == b->negative &&
         (a->integral ? a->magnitude == b->magnitude : a->real == b->real);
}

/* ---- Ranges ---- */

/* The sign of VALUE minus NUMBER. */
static int
compare_magnitude (guint64 value, const WeftFilterNumber *number)
{
  double whole;

  if (number->negative)
    return 1;
  if (number->integral)
    return value < number->magnitude ? -1 : value > number->magnitude;
  whole = floor (number->real);
  if (whole >= 18446744073709551616.0)
    return -1;
  if (value != (guint64) whole)
    return value < (guint64) whole ? -1 : 1;
  return whole < number->real ? -1 : 0;
}

static int
compare_signed (gint64 value, const WeftFilterNumber *number)
{
  WeftFilterNumber opposite = *number;

  if (value >= 0)
    return compare_magnitude ((guint64) value, number);
  if (!number->negative)
    return -1;
  opposite.negative = FALSE;
  opposite.real = -number->real;
  return -compare_magnitude (-(guint64) value, &opposite);
}

int
weft_filter_number_compare (const WeftFilterNumber *a, const WeftFilterNumber *b)
{
  if (a->integral && !a->negative)
    return compare_magnitude (a->magnitude, b);
  if (a->integral && a->magnitude <= G_MAXINT64)
    return compare_signed (-(gint64) a->magnitude, b);
  return a->real < b->real ? -1 : a->real > b->real;
}

static gboolean
lies_within (const WeftFilterRange *range, int to_low, int to_high)
{
  if (range->has_low && (range->low_open ? to_low <= 0 : to_low < 0))
    return FALSE;
  return !range->has_high || (range->high_open ? to_high < 0 : to_high <= 0);
}

gboolean
weft_filter_range_contains_uint64 (const WeftFilterRange *range, guint64 value)
{
  return lies_within (range, compare_magnitude (value, &range->low),
                      compare_magnitude (value, &range->high));
}

gboolean
weft_filter_range_contains_int64 (const WeftFilterRange *range, gint64 value)
{
  return lies_within (range, compare_signed (value, &range->low),
                      compare_signed (value, &range->high));
}

gboolean
weft_filter_range_contains_double (const WeftFilterRange *range, double value)
{
  if (isnan (value))
    return !range->has_low && !range->has_high;
  return lies_within (range, value < range->low.real ? -1 : value > range->low.real,
                      value < range->high.real ? -1 : value > range->high.real);
}

/* The smallest whole number that is not below NUMBER, or with OPEN is above it. */
static gboolean
find_first (const WeftFilterNumber *number, gboolean open, gint64 *first)
{
  double whole = ceil (number->real);

  if (number->integral && number->magnitude <= G_MAXINT64)
    *first = number->negative ? -(gint64) number->magnitude : (gint64) number->magnitude;
  else if (whole >= 9223372036854775808.0)
    return FALSE;
  else
    *first = whole < -9223372036854775808.0 ? G_MININT64 : (gint64) whole;
  if (!open || number->real < whole)
    return TRUE;
  return *first < G_MAXINT64 ? ++*first > G_MININT64 : FALSE;
}

gboolean
weft_filter_range_get_bounds (const WeftFilterRange *range, gint64 *low, gint64 *high)
{
  *low = G_MININT64;
  *high = G_MAXINT64;
  if (range->has_low && !find_first (&range->low, range->low_open, low))
    return FALSE;
  if (range->has_high)
    {
      WeftFilterNumber opposite = range->high;

      /* The last that is not above it is the first not below it, seen from the other side. */
      opposite.negative = !opposite.negative;
      opposite.real = -opposite.real;
      if (!find_first (&opposite, range->high_open, high))
        return FALSE;
      *high = *high == G_MININT64 ? G_MAXINT64 : -*high;
    }
  return *low <= *high;
}
