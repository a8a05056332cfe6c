/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-finding.h"

#include "weft-enum-types.h"

/**
 * WeftFinding:
 *
 * Answer of a diagnosis to one question: a verdict, what it rests on, and what to do.
 *
 * Since: 0.1
 */
struct _WeftFinding
{
  GObject parent_instance;

  char *check;
  char *question;
  WeftVerdict verdict;
  char *evidence;
  char *advice;
  char **handles;
};

enum
{
  PROP_0,
  PROP_CHECK,
  PROP_QUESTION,
  PROP_VERDICT,
  PROP_EVIDENCE,
  PROP_ADVICE,
  PROP_HANDLES,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (WeftFinding, weft_finding, G_TYPE_OBJECT)

static void
weft_finding_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  WeftFinding *self = WEFT_FINDING (object);

  switch (id)
    {
    case PROP_CHECK:
      g_value_set_string (value, self->check);
      break;
    case PROP_QUESTION:
      g_value_set_string (value, self->question);
      break;
    case PROP_VERDICT:
      g_value_set_enum (value, self->verdict);
      break;
    case PROP_EVIDENCE:
      g_value_set_string (value, self->evidence);
      break;
    case PROP_ADVICE:
      g_value_set_string (value, self->advice);
      break;
    case PROP_HANDLES:
      g_value_set_boxed (value, self->handles);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

/* Each is set once, while the object is made. */
static void
weft_finding_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  WeftFinding *self = WEFT_FINDING (object);

  switch (id)
    {
    case PROP_CHECK:
      self->check = g_value_dup_string (value);
      break;
    case PROP_QUESTION:
      self->question = g_value_dup_string (value);
      break;
    case PROP_VERDICT:
      self->verdict = g_value_get_enum (value);
      break;
    case PROP_EVIDENCE:
      self->evidence = g_value_dup_string (value);
      break;
    case PROP_ADVICE:
      self->advice = g_value_dup_string (value);
      break;
    case PROP_HANDLES:
      self->handles = g_value_dup_boxed (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
weft_finding_finalize (GObject *object)
{
  WeftFinding *self = WEFT_FINDING (object);

  g_free (self->check);
  g_free (self->question);
  g_free (self->evidence);
  g_free (self->advice);
  g_strfreev (self->handles);

  G_OBJECT_CLASS (weft_finding_parent_class)->finalize (object);
}

static void
weft_finding_class_init (WeftFindingClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS;

  object_class->get_property = weft_finding_get_property;
  object_class->set_property = weft_finding_set_property;
  object_class->finalize = weft_finding_finalize;

  /**
   * WeftFinding:check:
   *
   * Name of the check, `DOMAIN.WORDS-WITH-DASHES`.
   *
   * Since: 0.1
   */
  properties[PROP_CHECK] = g_param_spec_string ("check", NULL, NULL, NULL, flags);
  /**
   * WeftFinding:question:
   *
   * What was asked, as a sentence.
   *
   * Since: 0.1
   */
  properties[PROP_QUESTION] = g_param_spec_string ("question", NULL, NULL, NULL, flags);
  /**
   * WeftFinding:verdict:
   *
   * The answer.
   *
   * Since: 0.1
   */
  properties[PROP_VERDICT] =
      g_param_spec_enum ("verdict", NULL, NULL, WEFT_TYPE_VERDICT, WEFT_VERDICT_GOOD, flags);
  /**
   * WeftFinding:evidence:
   *
   * What the verdict rests on.
   *
   * Since: 0.1
   */
  properties[PROP_EVIDENCE] = g_param_spec_string ("evidence", NULL, NULL, NULL, flags);
  /**
   * WeftFinding:advice:
   *
   * What to do; %NULL if nothing.
   *
   * Since: 0.1
   */
  properties[PROP_ADVICE] = g_param_spec_string ("advice", NULL, NULL, NULL, flags);
  /**
   * WeftFinding:handles:
   *
   * Handles of the things it is about, such as `l-3`.
   *
   * Since: 0.1
   */
  properties[PROP_HANDLES] = g_param_spec_boxed ("handles", NULL, NULL, G_TYPE_STRV, flags);

  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
weft_finding_init (WeftFinding *self)
{
}

/**
 * weft_finding_new:
 * @check: name of the check, `DOMAIN.WORDS-WITH-DASHES`
 * @question: what was asked, as a sentence
 * @verdict: the answer
 * @evidence: what it rests on
 * @advice: (nullable): what to do
 * @handles: (nullable) (array zero-terminated=1): handles of the things it is about
 *
 * Returns: (transfer full): a finding
 *
 * Since: 0.1
 */
WeftFinding *
weft_finding_new (const char *check, const char *question, WeftVerdict verdict,
                  const char *evidence, const char *advice, const char *const *handles)
{
  g_return_val_if_fail (check != NULL && question != NULL && evidence != NULL, NULL);

  return g_object_new (WEFT_TYPE_FINDING, "check", check, "question", question, "verdict", verdict,
                       "evidence", evidence, "advice", advice, "handles", handles, NULL);
}

/**
 * weft_finding_get_check:
 * @self: a finding
 *
 * Returns: (transfer none) (nullable): name of the check
 *
 * Since: 0.1
 */
const char *
weft_finding_get_check (WeftFinding *self)
{
  g_return_val_if_fail (WEFT_IS_FINDING (self), NULL);

  return self->check;
}

/**
 * weft_finding_get_question:
 * @self: a finding
 *
 * Returns: (transfer none) (nullable): what was asked
 *
 * Since: 0.1
 */
const char *
weft_finding_get_question (WeftFinding *self)
{
  g_return_val_if_fail (WEFT_IS_FINDING (self), NULL);

  return self->question;
}

/**
 * weft_finding_get_verdict:
 * @self: a finding
 *
 * Returns: the answer
 *
 * Since: 0.1
 */
WeftVerdict
weft_finding_get_verdict (WeftFinding *self)
{
  g_return_val_if_fail (WEFT_IS_FINDING (self), WEFT_VERDICT_NOT_APPLICABLE);

  return self->verdict;
}

/**
 * weft_finding_get_evidence:
 * @self: a finding
 *
 * Returns: (transfer none) (nullable): what the verdict rests on
 *
 * Since: 0.1
 */
const char *
weft_finding_get_evidence (WeftFinding *self)
{
  g_return_val_if_fail (WEFT_IS_FINDING (self), NULL);

  return self->evidence;
}

/**
 * weft_finding_get_advice:
 * @self: a finding
 *
 * Returns: (transfer none) (nullable): what to do
 *
 * Since: 0.1
 */
const char *
weft_finding_get_advice (WeftFinding *self)
{
  g_return_val_if_fail (WEFT_IS_FINDING (self), NULL);

  return self->advice;
}

/**
 * weft_finding_get_handles:
 * @self: a finding
 *
 * Returns: (transfer none) (nullable) (array zero-terminated=1): handles of the things it is about
 *
 * Since: 0.1
 */
const char *const *
weft_finding_get_handles (WeftFinding *self)
{
  g_return_val_if_fail (WEFT_IS_FINDING (self), NULL);

  return (const char *const *) self->handles;
}
