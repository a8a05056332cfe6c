/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Expressions of derived metrics: exact values, what is refused and where, and nonsense. */

#include "weft-formula.h"

#include <math.h>
#include <string.h>

static gboolean
look_up (const char *name, double *value, gpointer data)
{
  static const struct
  {
    const char *name;
    double value;
  } values[] = {
    { "breaks", 6 },  { "dispatches", 4 }, { "zero", 0 },     { "cache misses", 100 },
    { "a.b_c", 0.5 }, { "Länge", 7 },      { "huge", 1e300 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    if (strcmp (values[i].name, name) == 0)
      {
        *value = values[i].value;
        return TRUE;
      }
  return FALSE;
}

static void
test_values (void)
{
  static const struct
  {
    const char *text;
    double value;
  } cases[] = {
    { "breaks / dispatches", 1.5 },
    { "1", 1 },
    { " 1 + 2 * 3 ", 7 },
    { "(1 + 2) * 3", 9 },
    { "10 - 4 - 3", 3 },
    { "16 / 4 / 2", 2 },
    { "-breaks", -6 },
    { "2 - -3", 5 },
    { "-2 * -3", 6 },
    { "- - 2", 2 },
    { "-(1 + 1)", -2 },
    { ".5", 0.5 },
    { "5.", 5 },
    { "1e3", 1000 },
    { "1.5E-1 * 2", 0.3 },
    { "\"cache misses\" / 100", 1 },
    { "a.b_c*a.b_c", 0.25 },
    { "Länge", 7 },
    { "\"dispatches\"", 4 },
    { "100*breaks/(breaks+dispatches)", 60 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (WeftFormula) formula = weft_formula_new (cases[i].text, &error);
      double value = 0;

      g_assert_no_error (error);
      g_assert_cmpint (weft_formula_evaluate (formula, look_up, NULL, &value), ==,
                       WEFT_FORMULA_VALUE);
      g_assert_cmpfloat (value, ==, cases[i].value);
    }
}

static void
test_no_values (void)
{
  static const struct
  {
    const char *text;
    WeftFormulaResult result;
  } cases[] = {
    { "nobody", WEFT_FORMULA_MISSING },
    { "breaks + nobody", WEFT_FORMULA_MISSING },
    { "breaks / zero", WEFT_FORMULA_UNDEFINED },
    { "zero / zero", WEFT_FORMULA_UNDEFINED },
    { "1 / (dispatches - 4)", WEFT_FORMULA_UNDEFINED },
    { "huge * huge", WEFT_FORMULA_UNDEFINED },
    { "huge * huge / huge", WEFT_FORMULA_UNDEFINED },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (WeftFormula) formula = weft_formula_new (cases[i].text, NULL);
      double value = 0;

      g_assert_nonnull (formula);
      g_assert_cmpint (weft_formula_evaluate (formula, look_up, NULL, &value), ==, cases[i].result);
    }
}

static void
assert_refused (const char *text, const char *message)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (weft_formula_new (text, &error));
  g_assert_nonnull (error);
  if (strstr (error->message, message) == NULL)
    g_error ("“%s” is refused with “%s”", text, error->message);
}

static void
test_refused (void)
{
  static const struct
  {
    const char *text;
    const char *message;
  } cases[] = {
    { "", "At character 1: A number, a name or a “(”" },
    { "1 +", "At character 4: A number" },
    { "1 2", "At character 3: An operator is missing" },
    { "(1", "At character 3: A “)” is missing" },
    { "1)", "At character 2: An operator" },
    { "ä ? b", "At character 3: An operator" },
    { "a b", "At character 3: An operator" },
    { "\"open", "At character 1: The name that begins here does not end" },
    { "\"\"", "At character 1: There is no name" },
    { "0x10", "At character 2: An operator" },
    { "1e999", "At character 1: This number is too large" },
    { "1 + * 2", "At character 5: A number" },
    { "+1", "At character 1: A number" },
    { "a = b", "At character 3: An operator" },
    { "\xff", "not UTF-8" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    assert_refused (cases[i].text, cases[i].message);
}

static char *
repeat (const char *text, guint count)
{
  GString *repeated = g_string_new (NULL);

  for (guint i = 0; i < count; i++)
    g_string_append (repeated, text);
  return g_string_free (repeated, FALSE);
}

static void
test_limits (void)
{
  g_autofree char *deep = repeat ("(", 1000);
  g_autofree char *negative = repeat ("-", 1000);
  g_autofree char *wide = repeat ("1+", 2000);
  g_autofree char *long_name = repeat ("a", WEFT_FORMULA_MAX_LENGTH + 1);
  g_autofree char *all = g_strconcat (wide, "1", NULL);
  g_autoptr (WeftFormula) formula = weft_formula_new (all, NULL);
  double value = 0;

  assert_refused (deep, "At character 65: This is nested too deeply");
  assert_refused (negative, "nested too deeply");
  assert_refused (long_name, "longer than 4096 bytes");
  g_assert_nonnull (formula);
  g_assert_cmpint (weft_formula_evaluate (formula, look_up, NULL, &value), ==, WEFT_FORMULA_VALUE);
  g_assert_cmpfloat (value, ==, 2001);
}

/* Nothing that is put together from what expressions are made of does harm, and what is taken has
 * the value of the same with all its parts in parentheses.
 */
static void
test_nonsense (void)
{
  static const char *const parts[] = {
    "1",  "2.5", "breaks", "zero", "nobody", "\"",   "\"cache misses\"",
    "(",  ")",   "+",      "-",    "*",      "/",    " ",
    "e5", ".",   "ä",      "\xc3", "\x01",   "1e308"
  };
  guint n_good = 0;

  for (guint i = 0; i < 200000; i++)
    {
      g_autoptr (GString) text = g_string_new (NULL);
      g_autofree char *wrapped = NULL;
      g_autoptr (WeftFormula) formula = NULL;
      g_autoptr (WeftFormula) again = NULL;
      WeftFormulaResult result;
      double value = 0, same = 0;

      for (guint n = (guint) g_test_rand_int_range (0, 12); n > 0; n--)
        g_string_append (text, parts[g_test_rand_int_range (0, G_N_ELEMENTS (parts))]);
      formula = weft_formula_new (text->str, NULL);
      if (formula == NULL)
        continue;
      n_good++;
      wrapped = g_strdup_printf (" ( %s ) ", text->str);
      again = weft_formula_new (wrapped, NULL);
      g_assert_nonnull (again);
      result = weft_formula_evaluate (formula, look_up, NULL, &value);
      g_assert_cmpint (result, ==, weft_formula_evaluate (again, look_up, NULL, &same));
      if (result == WEFT_FORMULA_VALUE)
        {
          g_assert_true (isfinite (value));
          g_assert_cmpfloat (value, ==, same);
        }
    }
  g_assert_cmpuint (n_good, >, 1000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/analyze/formula/values", test_values);
  g_test_add_func ("/analyze/formula/no-values", test_no_values);
  g_test_add_func ("/analyze/formula/refused", test_refused);
  g_test_add_func ("/analyze/formula/limits", test_limits);
  g_test_add_func ("/analyze/formula/nonsense", test_nonsense);
  return g_test_run ();
}
