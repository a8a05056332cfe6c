/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-vocabulary.h"

#include <string.h>

#include "weft-enum-types.h"
#include "weft-error.h"

/* What no sound vocabulary comes near; recordings are files of others. */
#define MAX_ROWS 100000

#define SCOPE_DOMAIN "domain"
#define SCOPE_KIND "kind"
#define SCOPE_WORD "word"
#define SCOPE_ATTRIBUTE "attribute"
#define SCOPE_COUNTER "counter"
#define SCOPE_METRIC "metric"
#define SCOPE_DERIVED "derived"
#define SCOPE_HINT "hint"

#define KEY_PLURAL_SUFFIX ".plural"

/* ---- WeftTerm ---- */

/**
 * WeftTerm:
 *
 * What is known of a tag, counter or metric: how to call it, its unit, and whether more is better.
 *
 * A term is a copy: it does not change with its vocabulary.
 *
 * Since: 0.1
 */
struct _WeftTerm
{
  GObject parent_instance;

  char *name;
  char *domain;
  char *label;
  char *unit;
  char *description;
  char *expression;
  WeftPolarity polarity;
};

enum
{
  PROP_0,
  PROP_NAME,
  PROP_DOMAIN,
  PROP_LABEL,
  PROP_UNIT,
  PROP_DESCRIPTION,
  PROP_EXPRESSION,
  PROP_POLARITY,
  N_PROPS
};

static GParamSpec *term_properties[N_PROPS];

G_DEFINE_FINAL_TYPE (WeftTerm, weft_term, G_TYPE_OBJECT)

static void
weft_term_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  WeftTerm *self = WEFT_TERM (object);

  switch (id)
    {
    case PROP_NAME:
      g_value_set_string (value, self->name);
      break;
    case PROP_DOMAIN:
      g_value_set_string (value, self->domain);
      break;
    case PROP_LABEL:
      g_value_set_string (value, self->label);
      break;
    case PROP_UNIT:
      g_value_set_string (value, self->unit);
      break;
    case PROP_DESCRIPTION:
      g_value_set_string (value, self->description);
      break;
    case PROP_EXPRESSION:
      g_value_set_string (value, self->expression);
      break;
    case PROP_POLARITY:
      g_value_set_enum (value, self->polarity);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
weft_term_finalize (GObject *object)
{
  WeftTerm *self = WEFT_TERM (object);

  g_free (self->name);
  g_free (self->domain);
  g_free (self->label);
  g_free (self->unit);
  g_free (self->description);
  g_free (self->expression);

  G_OBJECT_CLASS (weft_term_parent_class)->finalize (object);
}

static void
weft_term_class_init (WeftTermClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  object_class->get_property = weft_term_get_property;
  object_class->finalize = weft_term_finalize;

  /**
   * WeftTerm:name:
   *
   * Key of the tag, or name of the counter or metric.
   *
   * Since: 0.1
   */
  term_properties[PROP_NAME] = g_param_spec_string ("name", NULL, NULL, NULL, flags);
  /**
   * WeftTerm:domain:
   *
   * Name of the domain that knows it; %NULL if none does.
   *
   * Since: 0.1
   */
  term_properties[PROP_DOMAIN] = g_param_spec_string ("domain", NULL, NULL, NULL, flags);
  /**
   * WeftTerm:label:
   *
   * For people; the name if no domain knows better.
   *
   * Since: 0.1
   */
  term_properties[PROP_LABEL] = g_param_spec_string ("label", NULL, NULL, NULL, flags);
  /**
   * WeftTerm:unit:
   *
   * `ns`, `bytes`, `percent`, `count` or another word; %NULL if not told.
   *
   * Since: 0.1
   */
  term_properties[PROP_UNIT] = g_param_spec_string ("unit", NULL, NULL, NULL, flags);
  /**
   * WeftTerm:description:
   *
   * A sentence; %NULL if there is none.
   *
   * Since: 0.1
   */
  term_properties[PROP_DESCRIPTION] = g_param_spec_string ("description", NULL, NULL, NULL, flags);
  /**
   * WeftTerm:expression:
   *
   * How a derived metric is computed; %NULL for others.
   *
   * Since: 0.1
   */
  term_properties[PROP_EXPRESSION] = g_param_spec_string ("expression", NULL, NULL, NULL, flags);
  /**
   * WeftTerm:polarity:
   *
   * Whether more of it is better.
   *
   * Since: 0.1
   */
  term_properties[PROP_POLARITY] =
      g_param_spec_enum ("polarity", NULL, NULL, WEFT_TYPE_POLARITY, WEFT_POLARITY_NEUTRAL, flags);

  g_object_class_install_properties (object_class, N_PROPS, term_properties);
}

static void
weft_term_init (WeftTerm *self)
{
}

/**
 * weft_term_get_name:
 * @self: a term
 *
 * Returns: (transfer none): key of the tag, or name of the counter or metric
 *
 * Since: 0.1
 */
const char *
weft_term_get_name (WeftTerm *self)
{
  g_return_val_if_fail (WEFT_IS_TERM (self), NULL);

  return self->name;
}

/**
 * weft_term_get_domain:
 * @self: a term
 *
 * Returns: (transfer none) (nullable): name of the domain that knows it
 *
 * Since: 0.1
 */
const char *
weft_term_get_domain (WeftTerm *self)
{
  g_return_val_if_fail (WEFT_IS_TERM (self), NULL);

  return self->domain;
}

/**
 * weft_term_get_label:
 * @self: a term
 *
 * Returns: (transfer none): what people call it; the name if no domain knows better
 *
 * Since: 0.1
 */
const char *
weft_term_get_label (WeftTerm *self)
{
  g_return_val_if_fail (WEFT_IS_TERM (self), NULL);

  return self->label;
}

/**
 * weft_term_get_unit:
 * @self: a term
 *
 * Returns: (transfer none) (nullable): `ns`, `bytes`, `percent`, `count` or another word
 *
 * Since: 0.1
 */
const char *
weft_term_get_unit (WeftTerm *self)
{
  g_return_val_if_fail (WEFT_IS_TERM (self), NULL);

  return self->unit;
}

/**
 * weft_term_get_description:
 * @self: a term
 *
 * Returns: (transfer none) (nullable): a sentence
 *
 * Since: 0.1
 */
const char *
weft_term_get_description (WeftTerm *self)
{
  g_return_val_if_fail (WEFT_IS_TERM (self), NULL);

  return self->description;
}

/**
 * weft_term_get_expression:
 * @self: a term
 *
 * Returns: (transfer none) (nullable): how a derived metric is computed
 *
 * Since: 0.1
 */
const char *
weft_term_get_expression (WeftTerm *self)
{
  g_return_val_if_fail (WEFT_IS_TERM (self), NULL);

  return self->expression;
}

/**
 * weft_term_get_polarity:
 * @self: a term
 *
 * Returns: whether more of it is better
 *
 * Since: 0.1
 */
WeftPolarity
weft_term_get_polarity (WeftTerm *self)
{
  g_return_val_if_fail (WEFT_IS_TERM (self), WEFT_POLARITY_NEUTRAL);

  return self->polarity;
}

/* ---- WeftVocabulary ---- */

typedef struct
{
  char *domain;
  char *scope;
  char *subject;
  char *key;
  char *text;
} Row;

/**
 * WeftVocabulary:
 *
 * The words of one or several domains: what lane kinds, submissions, tags, counters and so on are
 * called, in which units they count, how they look.
 *
 * A vocabulary is data. It is saved in each recording as rows of five strings, so that a recording
 * keeps its words where no plugin of its domain is installed; [method@Vocabulary.to_rows] and
 * [ctor@Vocabulary.new_from_rows] are the way there and back. In a row (domain, scope, subject,
 * key, text), the scope is one of:
 *
 * | scope | subject | keys |
 * |---|---|---|
 * | `domain` | empty | `label`, `description` |
 * | `kind` | lane kind or pattern | `label`, `icon`, `color`, `driver`: `self` or `others` |
 * | `word` | lane kind or pattern | a neutral word, the same with `.plural` |
 * | `attribute` | key of a tag | `label`, `unit`, `description` |
 * | `counter`, `metric` | name | `label`, `unit`, `description`, `polarity` |
 * | `derived` | name | the same, and `expression` |
 * | `hint` | code | `text` |
 *
 * Rows of other scopes and keys are kept as they are: they come from later versions.
 *
 * A lane kind such as `a.b.c` is described by the row of the kind itself, else by that of the
 * pattern `a.b.*`, then `a.*`. Where several domains of a merged vocabulary describe a tag or
 * counter of the same name, the domain of the lane kind asked for wins, then the one merged first.
 *
 * Look-ups always answer: what nobody described is called by its own name.
 *
 * A vocabulary is not locked: change it before it is shared between threads.
 *
 * Since: 0.1
 */
struct _WeftVocabulary
{
  GObject parent_instance;

  char *domain; /* of rows added without saying; NULL in merged ones */
  GPtrArray *rows;
  GHashTable *places;  /* scope, subject and key -> GPtrArray of Row, in order of addition */
  GPtrArray *domains;  /* names, in order of addition */
  GHashTable *known;   /* set of the same */
  GHashTable *uniques; /* domain, scope, subject and key -> Row */
};

G_DEFINE_FINAL_TYPE (WeftVocabulary, weft_vocabulary, G_TYPE_OBJECT)

static void
row_free (Row *row)
{
  g_free (row->domain);
  g_free (row->scope);
  g_free (row->subject);
  g_free (row->key);
  g_free (row->text);
  g_free (row);
}

static void
weft_vocabulary_finalize (GObject *object)
{
  WeftVocabulary *self = WEFT_VOCABULARY (object);

  g_free (self->domain);
  g_hash_table_unref (self->uniques);
  g_hash_table_unref (self->known);
  g_hash_table_unref (self->places);
  g_ptr_array_unref (self->domains);
  g_ptr_array_unref (self->rows);

  G_OBJECT_CLASS (weft_vocabulary_parent_class)->finalize (object);
}

static void
weft_vocabulary_class_init (WeftVocabularyClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = weft_vocabulary_finalize;
}

static void
weft_vocabulary_init (WeftVocabulary *self)
{
  self->rows = g_ptr_array_new_with_free_func ((GDestroyNotify) row_free);
  self->domains = g_ptr_array_new_with_free_func (g_free);
  self->known = g_hash_table_new (g_str_hash, g_str_equal);
  self->places =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref);
  self->uniques = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

/**
 * weft_vocabulary_new:
 * @domain: (nullable): name of the domain whose words will be added; %NULL for one that is to be
 *   filled by [method@Vocabulary.merge] and [method@Vocabulary.add_row] only
 *
 * Returns: (transfer full): a vocabulary without words
 *
 * Since: 0.1
 */
WeftVocabulary *
weft_vocabulary_new (const char *domain)
{
  WeftVocabulary *self = g_object_new (WEFT_TYPE_VOCABULARY, NULL);

  g_return_val_if_fail (domain == NULL || *domain != '\0', self);

  self->domain = g_strdup (domain);
  return self;
}

/* The unit separator cannot be mistaken: add_row () refuses it in scope and key, and the subject
 * stands between them.
 */
static char *
place_of (const char *scope, const char *subject, const char *key)
{
  return g_strjoin ("\x1f", scope, key, subject, NULL);
}

static void
add_to_place (WeftVocabulary *self, Row *row)
{
  g_autofree char *place = place_of (row->scope, row->subject, row->key);
  GPtrArray *there = g_hash_table_lookup (self->places, place);

  if (there == NULL)
    {
      there = g_ptr_array_new ();
      g_hash_table_insert (self->places, g_steal_pointer (&place), there);
    }
  g_ptr_array_add (there, row);
}

static void
add_domain (WeftVocabulary *self, const char *domain)
{
  char *name;

  if (g_hash_table_contains (self->known, domain))
    return;
  name = g_strdup (domain);
  g_ptr_array_add (self->domains, name);
  g_hash_table_add (self->known, name);
}

static char *
unique_of (const char *domain, const char *scope, const char *subject, const char *key)
{
  return g_strjoin ("\x1f", scope, key, domain, subject, NULL);
}

static void
set_row (WeftVocabulary *self, const char *domain, const char *scope, const char *subject,
         const char *key, const char *text)
{
  g_autofree char *unique = unique_of (domain, scope, subject, key);
  Row *row = g_hash_table_lookup (self->uniques, unique);

  if (row != NULL)
    {
      g_autofree char *old = g_steal_pointer (&row->text);

      row->text = g_strdup (text);
      return;
    }
  row = g_new0 (Row, 1);
  row->domain = g_strdup (domain);
  row->scope = g_strdup (scope);
  row->subject = g_strdup (subject);
  row->key = g_strdup (key);
  row->text = g_strdup (text);
  g_ptr_array_add (self->rows, row);
  g_hash_table_insert (self->uniques, g_steal_pointer (&unique), row);
  add_to_place (self, row);
  add_domain (self, domain);
}

static void
set_own (WeftVocabulary *self, const char *scope, const char *subject, const char *key,
         const char *text)
{
  if (text != NULL)
    set_row (self, self->domain, scope, subject, key, text);
}

/**
 * weft_vocabulary_add_row:
 * @self: a vocabulary
 * @domain: name of the domain
 * @scope: `domain`, `kind`, `word`, `attribute`, `counter`, `metric`, `derived` or `hint`
 * @subject: what is described; empty in the scope `domain`
 * @key: what is told of it
 * @text: the text
 * @error: where to say what is wrong
 *
 * Adds a row as it stands in a recording, or replaces its text if the vocabulary has it.
 * [class@Vocabulary] lists the scopes and their keys.
 *
 * Fails with %WEFT_ERROR_DAMAGED if a name is empty or holds control characters, a text is not
 * UTF-8, or there are more than 100,000 rows.
 *
 * Returns: whether the row was sound
 *
 * Since: 0.1
 */
gboolean
weft_vocabulary_add_row (WeftVocabulary *self, const char *domain, const char *scope,
                         const char *subject, const char *key, const char *text, GError **error)
{
  const char *names[] = { domain, scope, key };
  const char *texts[] = { domain, scope, key, subject, text };

  g_return_val_if_fail (WEFT_IS_VOCABULARY (self), FALSE);
  g_return_val_if_fail (domain != NULL && scope != NULL && key != NULL, FALSE);
  g_return_val_if_fail (subject != NULL && text != NULL, FALSE);

  if (self->rows->len >= MAX_ROWS)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_DAMAGED, "A vocabulary has at most %d rows",
                   MAX_ROWS);
      return FALSE;
    }
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    if (!g_utf8_validate (texts[i], -1, NULL))
      {
        g_set_error_literal (error, WEFT_ERROR, WEFT_ERROR_DAMAGED,
                             "A row of the vocabulary is not UTF-8");
        return FALSE;
      }
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (*names[i] == '\0' || strchr (names[i], '\x1f') != NULL)
      {
        g_set_error (error, WEFT_ERROR, WEFT_ERROR_DAMAGED,
                     "A row of the vocabulary about “%s” has an empty or garbled domain, scope or "
                     "key",
                     subject);
        return FALSE;
      }
  set_row (self, domain, scope, subject, key, text);
  return TRUE;
}

/**
 * weft_vocabulary_new_from_rows:
 * @rows: an array of (domain, scope, subject, key, text), type `a(sssss)`
 * @error: where to say what is wrong
 *
 * Makes a vocabulary out of what a recording keeps. A floating @rows is consumed.
 *
 * Fails with %WEFT_ERROR_DAMAGED as [method@Vocabulary.add_row] does.
 *
 * Returns: (transfer full): the vocabulary
 *
 * Since: 0.1
 */
WeftVocabulary *
weft_vocabulary_new_from_rows (GVariant *rows, GError **error)
{
  g_autoptr (WeftVocabulary) self = NULL;
  g_autoptr (GVariant) held = NULL;
  const char *domain, *scope, *subject, *key, *text;
  GVariantIter iter;

  g_return_val_if_fail (rows != NULL, NULL);
  g_return_val_if_fail (g_variant_is_of_type (rows, G_VARIANT_TYPE ("a(sssss)")), NULL);

  held = g_variant_ref_sink (rows);
  self = weft_vocabulary_new (NULL);
  g_variant_iter_init (&iter, held);
  while (g_variant_iter_next (&iter, "(&s&s&s&s&s)", &domain, &scope, &subject, &key, &text))
    if (!weft_vocabulary_add_row (self, domain, scope, subject, key, text, error))
      return NULL;
  return g_steal_pointer (&self);
}

/**
 * weft_vocabulary_to_rows:
 * @self: a vocabulary
 *
 * The vocabulary as a recording keeps it.
 *
 * Returns: (transfer full): an array of (domain, scope, subject, key, text), type `a(sssss)`, in
 *   the order of addition
 *
 * Since: 0.1
 */
GVariant *
weft_vocabulary_to_rows (WeftVocabulary *self)
{
  GVariantBuilder builder;

  g_return_val_if_fail (WEFT_IS_VOCABULARY (self), NULL);

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(sssss)"));
  for (guint i = 0; i < self->rows->len; i++)
    {
      const Row *row = g_ptr_array_index (self->rows, i);

      g_variant_builder_add (&builder, "(sssss)", row->domain, row->scope, row->subject, row->key,
                             row->text);
    }
  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

/**
 * weft_vocabulary_get_n_rows:
 * @self: a vocabulary
 *
 * Returns: number of rows
 *
 * Since: 0.1
 */
guint
weft_vocabulary_get_n_rows (WeftVocabulary *self)
{
  g_return_val_if_fail (WEFT_IS_VOCABULARY (self), 0);

  return self->rows->len;
}

/**
 * weft_vocabulary_get_row:
 * @self: a vocabulary
 * @index: which row, below [method@Vocabulary.get_n_rows]
 * @domain: (out) (transfer none): name of the domain
 * @scope: (out) (transfer none): what kind of thing is described
 * @subject: (out) (transfer none): what is described
 * @key: (out) (transfer none): what is told of it
 * @text: (out) (transfer none): the text
 *
 * One row as a recording keeps it.
 *
 * Since: 0.1
 */
void
weft_vocabulary_get_row (WeftVocabulary *self, guint index, const char **domain, const char **scope,
                         const char **subject, const char **key, const char **text)
{
  const Row *row;

  g_return_if_fail (WEFT_IS_VOCABULARY (self));
  g_return_if_fail (index < self->rows->len);

  row = g_ptr_array_index (self->rows, index);
  *domain = row->domain;
  *scope = row->scope;
  *subject = row->subject;
  *key = row->key;
  *text = row->text;
}

/**
 * weft_vocabulary_merge:
 * @self: a vocabulary
 * @other: another one
 *
 * Adds the rows of @other. What both say of the same domain's things, @other says last; what
 * different domains say stays side by side.
 *
 * Since: 0.1
 */
void
weft_vocabulary_merge (WeftVocabulary *self, WeftVocabulary *other)
{
  g_return_if_fail (WEFT_IS_VOCABULARY (self));
  g_return_if_fail (WEFT_IS_VOCABULARY (other));
  g_return_if_fail (self != other);

  for (guint i = 0; i < other->rows->len && self->rows->len < MAX_ROWS; i++)
    {
      const Row *row = g_ptr_array_index (other->rows, i);

      set_row (self, row->domain, row->scope, row->subject, row->key, row->text);
    }
}

/* ---- Adding ---- */

/* A kind, or one that ends in “.*”. */
static gboolean
is_pattern (const char *pattern)
{
  const char *star;

  if (pattern == NULL || *pattern == '\0' || *pattern == '.' ||
      !g_utf8_validate (pattern, -1, NULL))
    return FALSE;
  star = strchr (pattern, '*');
  return star == NULL || (star[1] == '\0' && star > pattern && star[-1] == '.');
}

static gboolean
is_color (const char *color)
{
  if (color == NULL || color[0] != '#' || strlen (color) != 7)
    return FALSE;
  for (guint i = 1; i < 7; i++)
    if (!g_ascii_isxdigit (color[i]))
      return FALSE;
  return TRUE;
}

static gboolean
is_name (const char *name)
{
  return name != NULL && *name != '\0' && g_utf8_validate (name, -1, NULL);
}

static gboolean
is_text (const char *text)
{
  return text == NULL || g_utf8_validate (text, -1, NULL);
}

/**
 * weft_vocabulary_set_title:
 * @self: a vocabulary of one domain
 * @label: what people call the domain
 * @description: (nullable): a sentence
 *
 * Tells of the domain itself.
 *
 * Since: 0.1
 */
void
weft_vocabulary_set_title (WeftVocabulary *self, const char *label, const char *description)
{
  g_return_if_fail (WEFT_IS_VOCABULARY (self));
  g_return_if_fail (self->domain != NULL);
  g_return_if_fail (is_name (label) && is_text (description));

  set_own (self, SCOPE_DOMAIN, "", "label", label);
  set_own (self, SCOPE_DOMAIN, "", "description", description);
}

/**
 * weft_vocabulary_add_kind:
 * @self: a vocabulary of one domain
 * @pattern: a lane kind (`a.b`), or the beginning of several (`a.*`)
 * @label: what people call such a lane
 * @icon_name: (nullable): name of a symbolic icon
 * @color: (nullable): `#rrggbb`
 *
 * Describes a lane kind.
 *
 * Since: 0.1
 */
void
weft_vocabulary_add_kind (WeftVocabulary *self, const char *pattern, const char *label,
                          const char *icon_name, const char *color)
{
  g_return_if_fail (WEFT_IS_VOCABULARY (self));
  g_return_if_fail (self->domain != NULL);
  g_return_if_fail (is_pattern (pattern));
  g_return_if_fail (is_name (label) && is_text (icon_name));
  g_return_if_fail (color == NULL || is_color (color));

  set_own (self, SCOPE_KIND, pattern, "label", label);
  set_own (self, SCOPE_KIND, pattern, "icon", icon_name);
  set_own (self, SCOPE_KIND, pattern, "color", color);
}

/**
 * weft_vocabulary_set_self_driven:
 * @self: a vocabulary of one domain
 * @pattern: a lane kind (`a.b`), or the beginning of several (`a.*`)
 * @self_driven: whether lanes of this kind find their work themselves
 *
 * Says that nobody hands work to such lanes: a loop whose steps follow one another, a worker whose
 * calls are told on another lane. Where their dispatches have no origin, nothing is missing.
 *
 * Since: 0.1
 */
void
weft_vocabulary_set_self_driven (WeftVocabulary *self, const char *pattern, gboolean self_driven)
{
  g_return_if_fail (WEFT_IS_VOCABULARY (self));
  g_return_if_fail (self->domain != NULL);
  g_return_if_fail (is_pattern (pattern));

  set_own (self, SCOPE_KIND, pattern, "driver", self_driven ? "self" : "others");
}

/**
 * weft_vocabulary_add_word:
 * @self: a vocabulary of one domain
 * @pattern: (nullable): the lane kinds that it holds for; %NULL for all of the domain's, which is
 *   its name and `.*`
 * @word: the neutral word: `lane`, `queue`, `submission`, `dispatch`, `phase`, `routine`, `source`,
 *   `origin`, `attachment`, `counter`, `counter set`, `trace`, `artifact`, `runtime` or `wait`
 * @singular: what the domain says
 * @plural: (nullable): several of them; %NULL if an s is put behind
 *
 * Gives the domain's own word for one of the neutral ones.
 *
 * Since: 0.1
 */
void
weft_vocabulary_add_word (WeftVocabulary *self, const char *pattern, const char *word,
                          const char *singular, const char *plural)
{
  g_autofree char *own = NULL, *several = NULL, *key = NULL;

  g_return_if_fail (WEFT_IS_VOCABULARY (self));
  g_return_if_fail (self->domain != NULL);
  g_return_if_fail (pattern == NULL || is_pattern (pattern));
  g_return_if_fail (is_name (word) && strchr (word, '\x1f') == NULL);
  g_return_if_fail (is_name (singular) && is_text (plural));

  own = pattern != NULL ? g_strdup (pattern) : g_strconcat (self->domain, ".*", NULL);
  several = plural != NULL ? g_strdup (plural) : g_strconcat (singular, "s", NULL);
  key = g_strconcat (word, KEY_PLURAL_SUFFIX, NULL);
  set_own (self, SCOPE_WORD, own, word, singular);
  set_own (self, SCOPE_WORD, own, key, several);
}

static void
add_term (WeftVocabulary *self, const char *scope, const char *name, const char *label,
          const char *unit, const char *description)
{
  set_own (self, scope, name, "label", label);
  set_own (self, scope, name, "unit", unit);
  set_own (self, scope, name, "description", description);
}

static void
add_polarity (WeftVocabulary *self, const char *scope, const char *name, WeftPolarity polarity)
{
  static const char *const words[] = { "neutral", "higher", "lower" };

  set_own (self, scope, name, "polarity", words[polarity]);
}

/**
 * weft_vocabulary_add_attribute:
 * @self: a vocabulary of one domain
 * @key: key of a tag
 * @label: what people call it
 * @unit: (nullable): unit of its values
 * @description: (nullable): a sentence
 *
 * Describes a tag of dispatches, lanes or metrics.
 *
 * Since: 0.1
 */
void
weft_vocabulary_add_attribute (WeftVocabulary *self, const char *key, const char *label,
                               const char *unit, const char *description)
{
  g_return_if_fail (WEFT_IS_VOCABULARY (self));
  g_return_if_fail (self->domain != NULL);
  g_return_if_fail (is_name (key) && is_name (label) && is_text (unit) && is_text (description));

  add_term (self, SCOPE_ATTRIBUTE, key, label, unit, description);
}

/**
 * weft_vocabulary_add_counter:
 * @self: a vocabulary of one domain
 * @name: name of a counter, as its counter set has it
 * @label: what people call it
 * @unit: (nullable): unit of its values, where the counter set does not tell a better one
 * @description: (nullable): a sentence
 * @polarity: whether more of it is better
 *
 * Describes a counter.
 *
 * Since: 0.1
 */
void
weft_vocabulary_add_counter (WeftVocabulary *self, const char *name, const char *label,
                             const char *unit, const char *description, WeftPolarity polarity)
{
  g_return_if_fail (WEFT_IS_VOCABULARY (self));
  g_return_if_fail (self->domain != NULL);
  g_return_if_fail (is_name (name) && is_name (label) && is_text (unit) && is_text (description));
  g_return_if_fail (polarity <= WEFT_POLARITY_LOWER);

  add_term (self, SCOPE_COUNTER, name, label, unit, description);
  add_polarity (self, SCOPE_COUNTER, name, polarity);
}

/**
 * weft_vocabulary_add_metric:
 * @self: a vocabulary of one domain
 * @name: name of a metric, as lanes report it
 * @label: what people call it
 * @unit: (nullable): unit of its values
 * @description: (nullable): a sentence
 * @polarity: whether more of it is better
 *
 * Describes a metric.
 *
 * Since: 0.1
 */
void
weft_vocabulary_add_metric (WeftVocabulary *self, const char *name, const char *label,
                            const char *unit, const char *description, WeftPolarity polarity)
{
  g_return_if_fail (WEFT_IS_VOCABULARY (self));
  g_return_if_fail (self->domain != NULL);
  g_return_if_fail (is_name (name) && is_name (label) && is_text (unit) && is_text (description));
  g_return_if_fail (polarity <= WEFT_POLARITY_LOWER);

  add_term (self, SCOPE_METRIC, name, label, unit, description);
  add_polarity (self, SCOPE_METRIC, name, polarity);
}

/**
 * weft_vocabulary_add_derived_metric:
 * @self: a vocabulary of one domain
 * @name: name of the new metric
 * @expression: numbers, names of counters, metrics and columns, `+ - * /` and parentheses; a name
 *   with other characters than letters, digits, `_` and `.`, or that begins with a digit, stands
 *   between double quotes
 * @label: what people call it
 * @unit: (nullable): unit of its values
 * @description: (nullable): a sentence
 * @polarity: whether more of it is better
 *
 * Describes a metric that is computed from others.
 *
 * Since: 0.1
 */
void
weft_vocabulary_add_derived_metric (WeftVocabulary *self, const char *name, const char *expression,
                                    const char *label, const char *unit, const char *description,
                                    WeftPolarity polarity)
{
  g_return_if_fail (WEFT_IS_VOCABULARY (self));
  g_return_if_fail (self->domain != NULL);
  g_return_if_fail (is_name (name) && is_name (expression) && is_name (label));
  g_return_if_fail (is_text (unit) && is_text (description));
  g_return_if_fail (polarity <= WEFT_POLARITY_LOWER);

  set_own (self, SCOPE_DERIVED, name, "expression", expression);
  add_term (self, SCOPE_DERIVED, name, label, unit, description);
  add_polarity (self, SCOPE_DERIVED, name, polarity);
}

/**
 * weft_vocabulary_add_hint:
 * @self: a vocabulary of one domain
 * @code: what happened, such as an error code or the name of a check
 * @text: what it means and what to do
 *
 * Adds a hint that views show beside @code.
 *
 * Since: 0.1
 */
void
weft_vocabulary_add_hint (WeftVocabulary *self, const char *code, const char *text)
{
  g_return_if_fail (WEFT_IS_VOCABULARY (self));
  g_return_if_fail (self->domain != NULL);
  g_return_if_fail (is_name (code) && is_name (text));

  set_own (self, SCOPE_HINT, code, "text", text);
}

/* ---- Asking ---- */

/* What DOMAIN says of it; else, or if NULL, what was said first. */
static const Row *
look_up (WeftVocabulary *self, const char *domain, const char *scope, const char *subject,
         const char *key)
{
  g_autofree char *place = place_of (scope, subject, key);
  GPtrArray *there = g_hash_table_lookup (self->places, place);

  if (there == NULL)
    return NULL;
  for (guint i = 0; domain != NULL && i < there->len; i++)
    {
      const Row *row = g_ptr_array_index (there, i);

      if (g_str_equal (row->domain, domain))
        return row;
    }
  return g_ptr_array_index (there, 0);
}

/* What DOMAIN itself says, or NULL. */
static const char *
look_up_own (WeftVocabulary *self, const char *domain, const char *scope, const char *subject,
             const char *key)
{
  g_autofree char *unique = unique_of (domain, scope, subject, key);
  const Row *row = g_hash_table_lookup (self->uniques, unique);

  return row != NULL ? row->text : NULL;
}

/* Longer kinds are described by their own name only: recordings are files of others. */
#define MAX_PATTERN 1024

/* The row of KIND itself, else of the longest pattern that matches it. */
static const Row *
look_up_kind (WeftVocabulary *self, const char *scope, const char *kind, const char *key)
{
  const Row *row = look_up (self, NULL, scope, kind, key);
  const char *end = kind + strlen (kind);

  if (end - kind > MAX_PATTERN)
    return row;
  while (row == NULL && (end = g_strrstr_len (kind, end - kind, ".")) != NULL)
    {
      g_autofree char *pattern = g_strdup_printf ("%.*s.*", (int) (end - kind), kind);

      row = look_up (self, NULL, scope, pattern, key);
    }
  return row;
}

/**
 * weft_vocabulary_get_domains:
 * @self: a vocabulary
 *
 * Returns: (transfer full) (array zero-terminated=1): names of the domains, in the order of
 *   addition
 *
 * Since: 0.1
 */
char **
weft_vocabulary_get_domains (WeftVocabulary *self)
{
  g_autoptr (GStrvBuilder) names = NULL;

  g_return_val_if_fail (WEFT_IS_VOCABULARY (self), NULL);

  names = g_strv_builder_new ();
  for (guint i = 0; i < self->domains->len; i++)
    g_strv_builder_add (names, g_ptr_array_index (self->domains, i));
  return g_strv_builder_end (names);
}

/**
 * weft_vocabulary_get_domain_label:
 * @self: a vocabulary
 * @domain: name of a domain
 *
 * Returns: (transfer none): what people call the domain; @domain if it does not say
 *
 * Since: 0.1
 */
const char *
weft_vocabulary_get_domain_label (WeftVocabulary *self, const char *domain)
{
  const char *text;

  g_return_val_if_fail (WEFT_IS_VOCABULARY (self), NULL);
  g_return_val_if_fail (domain != NULL, NULL);

  text = look_up_own (self, domain, SCOPE_DOMAIN, "", "label");
  return text != NULL ? text : domain;
}

/**
 * weft_vocabulary_get_domain_description:
 * @self: a vocabulary
 * @domain: name of a domain
 *
 * Returns: (transfer none) (nullable): a sentence about the domain
 *
 * Since: 0.1
 */
const char *
weft_vocabulary_get_domain_description (WeftVocabulary *self, const char *domain)
{
  g_return_val_if_fail (WEFT_IS_VOCABULARY (self), NULL);
  g_return_val_if_fail (domain != NULL, NULL);

  return look_up_own (self, domain, SCOPE_DOMAIN, "", "description");
}

/**
 * weft_vocabulary_find_domain:
 * @self: a vocabulary
 * @kind: a lane kind
 *
 * Returns: (transfer none) (nullable): name of the domain that describes @kind most closely
 *
 * Since: 0.1
 */
const char *
weft_vocabulary_find_domain (WeftVocabulary *self, const char *kind)
{
  const Row *row;

  g_return_val_if_fail (WEFT_IS_VOCABULARY (self), NULL);
  g_return_val_if_fail (kind != NULL, NULL);

  row = look_up_kind (self, SCOPE_KIND, kind, "label");
  if (row != NULL)
    return row->domain;
  for (guint i = 0; i < self->domains->len; i++)
    {
      const char *domain = g_ptr_array_index (self->domains, i);

      if (g_str_has_prefix (kind, domain) && kind[strlen (domain)] == '.')
        return domain;
    }
  return NULL;
}

static char **
subjects_of (WeftVocabulary *self, const char *scope)
{
  g_autoptr (GStrvBuilder) subjects = g_strv_builder_new ();
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < self->rows->len; i++)
    {
      const Row *row = g_ptr_array_index (self->rows, i);

      if (g_str_equal (row->scope, scope) && g_hash_table_add (seen, row->subject))
        g_strv_builder_add (subjects, row->subject);
    }
  return g_strv_builder_end (subjects);
}

/**
 * weft_vocabulary_get_kinds:
 * @self: a vocabulary
 *
 * Returns: (transfer full) (array zero-terminated=1): lane kinds and patterns that are described,
 *   in the order of addition
 *
 * Since: 0.1
 */
char **
weft_vocabulary_get_kinds (WeftVocabulary *self)
{
  g_return_val_if_fail (WEFT_IS_VOCABULARY (self), NULL);

  return subjects_of (self, SCOPE_KIND);
}

/**
 * weft_vocabulary_get_label:
 * @self: a vocabulary
 * @kind: a lane kind
 *
 * Returns: (transfer none): what people call such a lane; @kind if no domain describes it
 *
 * Since: 0.1
 */
const char *
weft_vocabulary_get_label (WeftVocabulary *self, const char *kind)
{
  const Row *row;

  g_return_val_if_fail (WEFT_IS_VOCABULARY (self), NULL);
  g_return_val_if_fail (kind != NULL, NULL);

  row = look_up_kind (self, SCOPE_KIND, kind, "label");
  return row != NULL ? row->text : kind;
}

/**
 * weft_vocabulary_get_icon_name:
 * @self: a vocabulary
 * @kind: a lane kind
 *
 * Returns: (transfer none): name of a symbolic icon, a general one if no domain gives it
 *
 * Since: 0.1
 */
const char *
weft_vocabulary_get_icon_name (WeftVocabulary *self, const char *kind)
{
  const Row *row;

  g_return_val_if_fail (WEFT_IS_VOCABULARY (self), NULL);
  g_return_val_if_fail (kind != NULL, NULL);

  row = look_up_kind (self, SCOPE_KIND, kind, "icon");
  return row != NULL && *row->text != '\0' ? row->text : "application-x-executable-symbolic";
}

/**
 * weft_vocabulary_get_color:
 * @self: a vocabulary
 * @kind: a lane kind
 *
 * Returns: (transfer none): `#rrggbb`; if no domain gives one, always the same for the same @kind
 *
 * Since: 0.1
 */
const char *
weft_vocabulary_get_color (WeftVocabulary *self, const char *kind)
{
  static const char *const palette[] = { "#3584e4", "#2190a4", "#3a944a", "#c88800",
                                         "#ed5b00", "#d56199", "#9141ac", "#6f8396" };
  const Row *row;

  g_return_val_if_fail (WEFT_IS_VOCABULARY (self), NULL);
  g_return_val_if_fail (kind != NULL, NULL);

  row = look_up_kind (self, SCOPE_KIND, kind, "color");
  if (row != NULL && is_color (row->text))
    return row->text;
  return palette[g_str_hash (kind) % G_N_ELEMENTS (palette)];
}

/* The neutral words that do not just take an s, and those that do: the text must outlive the call.
 */
static const char *
neutral_word (const char *word, gboolean plural)
{
  static const char *const words[][2] = {
    { "runtime", "runtimes" },    { "lane", "lanes" },
    { "queue", "queues" },        { "submission", "submissions" },
    { "dispatch", "dispatches" }, { "phase", "phases" },
    { "routine", "routines" },    { "source", "sources" },
    { "origin", "origins" },      { "attachment", "attachments" },
    { "counter", "counters" },    { "counter set", "counter sets" },
    { "metric", "metrics" },      { "trace", "traces" },
    { "artifact", "artifacts" },  { "wait", "waits" },
    { "thread", "threads" },      { "process", "processes" },
  };

  for (guint i = 0; plural && i < G_N_ELEMENTS (words); i++)
    if (g_str_equal (word, words[i][0]))
      return words[i][1];
  return word;
}

/**
 * weft_vocabulary_is_self_driven:
 * @self: a vocabulary
 * @kind: a lane kind
 *
 * Returns: whether lanes of this kind find their work themselves; %FALSE if no domain says so
 *
 * Since: 0.1
 */
gboolean
weft_vocabulary_is_self_driven (WeftVocabulary *self, const char *kind)
{
  const Row *row;

  g_return_val_if_fail (WEFT_IS_VOCABULARY (self), FALSE);
  g_return_val_if_fail (kind != NULL, FALSE);

  row = look_up_kind (self, SCOPE_KIND, kind, "driver");
  return row != NULL && g_strcmp0 (row->text, "self") == 0;
}

/**
 * weft_vocabulary_get_word:
 * @self: a vocabulary
 * @kind: (nullable): a lane kind; %NULL asks for the neutral word
 * @word: the neutral word, in the singular: `submission`, `routine`, …
 * @plural: whether several are meant
 *
 * Returns: (transfer none): what the domain of @kind calls it; the neutral word if no domain says
 *
 * Since: 0.1
 */
const char *
weft_vocabulary_get_word (WeftVocabulary *self, const char *kind, const char *word, gboolean plural)
{
  g_autofree char *key = NULL;
  const Row *row = NULL;

  g_return_val_if_fail (WEFT_IS_VOCABULARY (self), NULL);
  g_return_val_if_fail (word != NULL, NULL);

  key = g_strconcat (word, plural ? KEY_PLURAL_SUFFIX : "", NULL);
  if (kind != NULL)
    row = look_up_kind (self, SCOPE_WORD, kind, key);
  return row != NULL ? row->text : neutral_word (word, plural);
}

static WeftPolarity
parse_polarity (const char *text)
{
  if (g_strcmp0 (text, "higher") == 0)
    return WEFT_POLARITY_HIGHER;
  if (g_strcmp0 (text, "lower") == 0)
    return WEFT_POLARITY_LOWER;
  return WEFT_POLARITY_NEUTRAL;
}

static WeftTerm *
term_new (WeftVocabulary *self, const char *domain, const char *scope, const char *name)
{
  WeftTerm *term = g_object_new (WEFT_TYPE_TERM, NULL);
  const Row *row = look_up (self, domain, scope, name, "label");

  term->name = g_strdup (name);
  term->label = g_strdup (row != NULL ? row->text : name);
  if (row == NULL)
    return term;

  /* All of it is to be what the same domain says. */
  term->domain = g_strdup (row->domain);
  term->unit = g_strdup (look_up_own (self, row->domain, scope, name, "unit"));
  term->description = g_strdup (look_up_own (self, row->domain, scope, name, "description"));
  term->expression = g_strdup (look_up_own (self, row->domain, scope, name, "expression"));
  term->polarity = parse_polarity (look_up_own (self, row->domain, scope, name, "polarity"));
  return term;
}

static WeftTerm *
term_for_kind (WeftVocabulary *self, const char *kind, const char *scope, const char *name)
{
  const char *domain = kind != NULL ? weft_vocabulary_find_domain (self, kind) : NULL;

  return term_new (self, domain, scope, name);
}

/**
 * weft_vocabulary_get_attribute:
 * @self: a vocabulary
 * @kind: (nullable): the lane kind at hand, if one is
 * @key: key of a tag
 *
 * Returns: (transfer full): what is known of it
 *
 * Since: 0.1
 */
WeftTerm *
weft_vocabulary_get_attribute (WeftVocabulary *self, const char *kind, const char *key)
{
  g_return_val_if_fail (WEFT_IS_VOCABULARY (self), NULL);
  g_return_val_if_fail (key != NULL, NULL);

  return term_for_kind (self, kind, SCOPE_ATTRIBUTE, key);
}

/**
 * weft_vocabulary_get_counter:
 * @self: a vocabulary
 * @kind: (nullable): the lane kind at hand, if one is
 * @name: name of a counter
 *
 * Returns: (transfer full): what is known of it
 *
 * Since: 0.1
 */
WeftTerm *
weft_vocabulary_get_counter (WeftVocabulary *self, const char *kind, const char *name)
{
  g_return_val_if_fail (WEFT_IS_VOCABULARY (self), NULL);
  g_return_val_if_fail (name != NULL, NULL);

  return term_for_kind (self, kind, SCOPE_COUNTER, name);
}

/**
 * weft_vocabulary_get_metric:
 * @self: a vocabulary
 * @kind: (nullable): the lane kind at hand, if one is
 * @name: name of a metric
 *
 * Returns: (transfer full): what is known of it
 *
 * Since: 0.1
 */
WeftTerm *
weft_vocabulary_get_metric (WeftVocabulary *self, const char *kind, const char *name)
{
  g_return_val_if_fail (WEFT_IS_VOCABULARY (self), NULL);
  g_return_val_if_fail (name != NULL, NULL);

  return term_for_kind (self, kind, SCOPE_METRIC, name);
}

/**
 * weft_vocabulary_get_derived_metric:
 * @self: a vocabulary
 * @kind: (nullable): the lane kind at hand, if one is
 * @name: name of a derived metric
 *
 * Returns: (transfer full) (nullable): what is known of it; %NULL if no domain derives it
 *
 * Since: 0.1
 */
WeftTerm *
weft_vocabulary_get_derived_metric (WeftVocabulary *self, const char *kind, const char *name)
{
  g_autoptr (WeftTerm) term = NULL;

  g_return_val_if_fail (WEFT_IS_VOCABULARY (self), NULL);
  g_return_val_if_fail (name != NULL, NULL);

  term = term_for_kind (self, kind, SCOPE_DERIVED, name);
  return term->expression != NULL ? g_steal_pointer (&term) : NULL;
}

/* One for each domain that describes something of SCOPE by its label. */
static GListModel *
terms_of (WeftVocabulary *self, const char *scope)
{
  GListStore *terms = g_list_store_new (WEFT_TYPE_TERM);

  for (guint i = 0; i < self->rows->len; i++)
    {
      const Row *row = g_ptr_array_index (self->rows, i);
      g_autoptr (WeftTerm) term = NULL;

      if (!g_str_equal (row->scope, scope) || !g_str_equal (row->key, "label"))
        continue;
      term = term_new (self, row->domain, scope, row->subject);
      g_list_store_append (terms, term);
    }
  return G_LIST_MODEL (terms);
}

/**
 * weft_vocabulary_get_attributes:
 * @self: a vocabulary
 *
 * Returns: (transfer full): the [class@Term]s of all tags that are described
 *
 * Since: 0.1
 */
GListModel *
weft_vocabulary_get_attributes (WeftVocabulary *self)
{
  g_return_val_if_fail (WEFT_IS_VOCABULARY (self), NULL);

  return terms_of (self, SCOPE_ATTRIBUTE);
}

/**
 * weft_vocabulary_get_counters:
 * @self: a vocabulary
 *
 * Returns: (transfer full): the [class@Term]s of all counters that are described
 *
 * Since: 0.1
 */
GListModel *
weft_vocabulary_get_counters (WeftVocabulary *self)
{
  g_return_val_if_fail (WEFT_IS_VOCABULARY (self), NULL);

  return terms_of (self, SCOPE_COUNTER);
}

/**
 * weft_vocabulary_get_metrics:
 * @self: a vocabulary
 *
 * Returns: (transfer full): the [class@Term]s of all metrics that are described
 *
 * Since: 0.1
 */
GListModel *
weft_vocabulary_get_metrics (WeftVocabulary *self)
{
  g_return_val_if_fail (WEFT_IS_VOCABULARY (self), NULL);

  return terms_of (self, SCOPE_METRIC);
}

/**
 * weft_vocabulary_get_derived_metrics:
 * @self: a vocabulary
 *
 * Returns: (transfer full): the [class@Term]s of all metrics that are derived
 *
 * Since: 0.1
 */
GListModel *
weft_vocabulary_get_derived_metrics (WeftVocabulary *self)
{
  g_return_val_if_fail (WEFT_IS_VOCABULARY (self), NULL);

  return terms_of (self, SCOPE_DERIVED);
}

/**
 * weft_vocabulary_get_hint:
 * @self: a vocabulary
 * @code: what happened
 *
 * Returns: (transfer none) (nullable): what it means and what to do
 *
 * Since: 0.1
 */
const char *
weft_vocabulary_get_hint (WeftVocabulary *self, const char *code)
{
  const Row *row;

  g_return_val_if_fail (WEFT_IS_VOCABULARY (self), NULL);
  g_return_val_if_fail (code != NULL, NULL);

  row = look_up (self, NULL, SCOPE_HINT, code, "text");
  return row != NULL ? row->text : NULL;
}
