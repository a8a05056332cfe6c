/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-formula.h"

#include <math.h>
#include <string.h>

#include "weft-error.h"

typedef enum
{
  NUMBER,
  NAME,
  NEGATE,
  ADD,
  SUBTRACT,
  MULTIPLY,
  DIVIDE,
} Operation;

/* In the order of evaluation: operands first. */
typedef struct
{
  Operation operation;
  double number;
  char *name;
} Step;

struct _WeftFormula
{
  GArray *steps; /* element-type Step */
};

typedef struct
{
  const char *text;
  const char *at;
  guint depth;
  GArray *steps;
  GError **error;
} Parser;

static void
step_clear (gpointer data)
{
  g_free (((Step *) data)->name);
}

static gboolean
fail (Parser *parser, const char *what)
{
  g_set_error (parser->error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY, "At character %ld: %s",
               g_utf8_pointer_to_offset (parser->text, parser->at) + 1, what);
  return FALSE;
}

static void
skip_blanks (Parser *parser)
{
  while (g_ascii_isspace (*parser->at))
    parser->at++;
}

/* The character at hand is passed over if it is C. */
static gboolean
accept (Parser *parser, char c)
{
  skip_blanks (parser);
  if (*parser->at != c)
    return FALSE;
  parser->at++;
  return TRUE;
}

static void
add_step (Parser *parser, Operation operation)
{
  const Step step = { operation, 0, NULL };

  g_array_append_val (parser->steps, step);
}

static const char *
pass_digits (const char *at)
{
  while (g_ascii_isdigit (*at))
    at++;
  return at;
}

static gboolean
parse_number (Parser *parser)
{
  const char *end = pass_digits (parser->at);
  g_autofree char *text = NULL;
  Step step = { NUMBER, 0, NULL };

  if (*end == '.')
    end = pass_digits (end + 1);
  if (*end == 'e' || *end == 'E')
    {
      const char *exponent = end[1] == '+' || end[1] == '-' ? end + 2 : end + 1;

      if (g_ascii_isdigit (*exponent))
        end = pass_digits (exponent);
    }
  text = g_strndup (parser->at, (gsize) (end - parser->at));
  step.number = g_ascii_strtod (text, NULL);
  if (!isfinite (step.number))
    return fail (parser, "This number is too large");
  g_array_append_val (parser->steps, step);
  parser->at = end;
  return TRUE;
}

static gboolean
continues_name (gunichar c)
{
  return g_unichar_isalnum (c) || c == '_' || c == '.';
}

static void
take_name (Parser *parser, const char *begin, const char *end)
{
  const Step step = { NAME, 0, g_strndup (begin, (gsize) (end - begin)) };

  g_array_append_val (parser->steps, step);
}

static gboolean
parse_name (Parser *parser)
{
  const char *begin = parser->at;

  while (continues_name (g_utf8_get_char (parser->at)))
    parser->at = g_utf8_next_char (parser->at);
  take_name (parser, begin, parser->at);
  return TRUE;
}

static gboolean
parse_quoted_name (Parser *parser)
{
  const char *begin = parser->at + 1;
  const char *end = strchr (begin, '"');

  if (end == NULL)
    return fail (parser, "The name that begins here does not end: a “\"” is missing");
  if (end == begin)
    return fail (parser, "There is no name between the quotes");
  take_name (parser, begin, end);
  parser->at = end + 1;
  return TRUE;
}

static gboolean parse_sum (Parser *parser);

static gboolean
parse_operand (Parser *parser)
{
  gunichar c;

  if (accept (parser, '('))
    return parse_sum (parser) && (accept (parser, ')') || fail (parser, "A “)” is missing here"));
  c = g_utf8_get_char (parser->at);
  if (g_ascii_isdigit (*parser->at) || (c == '.' && g_ascii_isdigit (parser->at[1])))
    return parse_number (parser);
  if (c == '"')
    return parse_quoted_name (parser);
  if (g_unichar_isalpha (c) || c == '_')
    return parse_name (parser);
  return fail (parser, "A number, a name or a “(” is missing here");
}

static gboolean
parse_factor (Parser *parser)
{
  gboolean good;

  if (++parser->depth > WEFT_FORMULA_MAX_DEPTH)
    return fail (parser, "This is nested too deeply");
  if (accept (parser, '-'))
    {
      good = parse_factor (parser);
      add_step (parser, NEGATE);
    }
  else
    good = parse_operand (parser);
  parser->depth--;
  return good;
}

static gboolean
parse_product (Parser *parser)
{
  if (!parse_factor (parser))
    return FALSE;
  for (;;)
    {
      Operation operation;

      if (accept (parser, '*'))
        operation = MULTIPLY;
      else if (accept (parser, '/'))
        operation = DIVIDE;
      else
        return TRUE;
      if (!parse_factor (parser))
        return FALSE;
      add_step (parser, operation);
    }
}

static gboolean
parse_sum (Parser *parser)
{
  if (!parse_product (parser))
    return FALSE;
  for (;;)
    {
      Operation operation;

      if (accept (parser, '+'))
        operation = ADD;
      else if (accept (parser, '-'))
        operation = SUBTRACT;
      else
        return TRUE;
      if (!parse_product (parser))
        return FALSE;
      add_step (parser, operation);
    }
}

static gboolean
parse (Parser *parser)
{
  if (!g_utf8_validate (parser->text, -1, NULL))
    {
      g_set_error_literal (parser->error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY, "It is not UTF-8");
      return FALSE;
    }
  if (strlen (parser->text) > WEFT_FORMULA_MAX_LENGTH)
    {
      g_set_error (parser->error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY,
                   "It is longer than %d bytes", WEFT_FORMULA_MAX_LENGTH);
      return FALSE;
    }
  if (!parse_sum (parser))
    return FALSE;
  skip_blanks (parser);
  return *parser->at == '\0' || fail (parser, "An operator is missing here: + - * /");
}

WeftFormula *
weft_formula_new (const char *text, GError **error)
{
  WeftFormula *self = g_new0 (WeftFormula, 1);
  Parser parser = { .text = text, .at = text, .error = error };

  self->steps = g_array_new (FALSE, FALSE, sizeof (Step));
  g_array_set_clear_func (self->steps, step_clear);
  parser.steps = self->steps;
  if (parse (&parser))
    return self;
  weft_formula_free (self);
  return NULL;
}

void
weft_formula_free (WeftFormula *self)
{
  g_array_unref (self->steps);
  g_free (self);
}

void
weft_formula_foreach_name (const WeftFormula *self,
                           void (*function) (const char *name, gpointer data), gpointer data)
{
  for (guint i = 0; i < self->steps->len; i++)
    if (g_array_index (self->steps, Step, i).operation == NAME)
      function (g_array_index (self->steps, Step, i).name, data);
}

/* ---- Evaluation ---- */

static double
combine (Operation operation, double left, double right)
{
  switch (operation)
    {
    case ADD:
      return left + right;
    case SUBTRACT:
      return left - right;
    case MULTIPLY:
      return left * right;
    default:
      return right != 0 ? left / right : (double) NAN;
    }
}

WeftFormulaResult
weft_formula_evaluate (const WeftFormula *self, WeftFormulaLookup lookup, gpointer data,
                       double *value)
{
  g_autofree double *stack = g_new (double, self->steps->len);
  guint n = 0;

  for (guint i = 0; i < self->steps->len; i++)
    {
      const Step *step = &g_array_index (self->steps, Step, i);

      if (step->operation == NUMBER)
        stack[n++] = step->number;
      else if (step->operation == NEGATE)
        stack[n - 1] = -stack[n - 1];
      else if (step->operation != NAME)
        {
          n--;
          stack[n - 1] = combine (step->operation, stack[n - 1], stack[n]);
        }
      else if (!lookup (step->name, &stack[n++], data))
        return WEFT_FORMULA_MISSING;
    }
  *value = stack[0];
  return isfinite (*value) ? WEFT_FORMULA_VALUE : WEFT_FORMULA_UNDEFINED;
}
