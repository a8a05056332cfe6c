/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-detail.h"

/**
 * WeftDetail:
 *
 * A line that a domain adds to what viewers tell of a thing: a label and a text, under a section.
 *
 * Since: 0.1
 */
struct _WeftDetail
{
  GObject parent_instance;

  char *section;
  char *label;
  char *text;
  char *handle;
};

enum
{
  PROP_0,
  PROP_SECTION,
  PROP_LABEL,
  PROP_TEXT,
  PROP_HANDLE,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (WeftDetail, weft_detail, G_TYPE_OBJECT)

static char **
field_of (WeftDetail *self, guint id)
{
  char **const fields[N_PROPS] = { NULL, &self->section, &self->label, &self->text, &self->handle };

  return id < N_PROPS ? fields[id] : NULL;
}

static void
weft_detail_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  char **field = field_of (WEFT_DETAIL (object), id);

  if (field != NULL)
    g_value_set_string (value, *field);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

/* Each is set once, while the object is made. */
static void
weft_detail_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  char **field = field_of (WEFT_DETAIL (object), id);

  if (field != NULL)
    *field = g_value_dup_string (value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
weft_detail_finalize (GObject *object)
{
  WeftDetail *self = WEFT_DETAIL (object);

  g_free (self->section);
  g_free (self->label);
  g_free (self->text);
  g_free (self->handle);

  G_OBJECT_CLASS (weft_detail_parent_class)->finalize (object);
}

static void
weft_detail_class_init (WeftDetailClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS;

  object_class->get_property = weft_detail_get_property;
  object_class->set_property = weft_detail_set_property;
  object_class->finalize = weft_detail_finalize;

  /**
   * WeftDetail:section:
   *
   * Title of the section, the same for lines that belong together.
   *
   * Since: 0.1
   */
  properties[PROP_SECTION] = g_param_spec_string ("section", NULL, NULL, NULL, flags);
  /**
   * WeftDetail:label:
   *
   * What the text is.
   *
   * Since: 0.1
   */
  properties[PROP_LABEL] = g_param_spec_string ("label", NULL, NULL, NULL, flags);
  /**
   * WeftDetail:text:
   *
   * The text, for people.
   *
   * Since: 0.1
   */
  properties[PROP_TEXT] = g_param_spec_string ("text", NULL, NULL, NULL, flags);
  /**
   * WeftDetail:handle:
   *
   * Handle of the thing that the text leads to; %NULL if to none.
   *
   * Since: 0.1
   */
  properties[PROP_HANDLE] = g_param_spec_string ("handle", NULL, NULL, NULL, flags);

  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
weft_detail_init (WeftDetail *self)
{
}

/**
 * weft_detail_new:
 * @section: title of the section, the same for lines that belong together
 * @label: what the text is
 * @text: the text
 * @handle: (nullable): handle of the thing that the text leads to
 *
 * Returns: (transfer full): a line of detail
 *
 * Since: 0.1
 */
WeftDetail *
weft_detail_new (const char *section, const char *label, const char *text, const char *handle)
{
  g_return_val_if_fail (section != NULL && label != NULL && text != NULL, NULL);

  return g_object_new (WEFT_TYPE_DETAIL, "section", section, "label", label, "text", text, "handle",
                       handle, NULL);
}

/**
 * weft_detail_get_section:
 * @self: a detail
 *
 * Returns: (transfer none) (nullable): title of the section
 *
 * Since: 0.1
 */
const char *
weft_detail_get_section (WeftDetail *self)
{
  g_return_val_if_fail (WEFT_IS_DETAIL (self), NULL);

  return self->section;
}

/**
 * weft_detail_get_label:
 * @self: a detail
 *
 * Returns: (transfer none) (nullable): what the text is
 *
 * Since: 0.1
 */
const char *
weft_detail_get_label (WeftDetail *self)
{
  g_return_val_if_fail (WEFT_IS_DETAIL (self), NULL);

  return self->label;
}

/**
 * weft_detail_get_text:
 * @self: a detail
 *
 * Returns: (transfer none) (nullable): the text
 *
 * Since: 0.1
 */
const char *
weft_detail_get_text (WeftDetail *self)
{
  g_return_val_if_fail (WEFT_IS_DETAIL (self), NULL);

  return self->text;
}

/**
 * weft_detail_get_handle:
 * @self: a detail
 *
 * Returns: (transfer none) (nullable): handle of the thing that the text leads to
 *
 * Since: 0.1
 */
const char *
weft_detail_get_handle (WeftDetail *self)
{
  g_return_val_if_fail (WEFT_IS_DETAIL (self), NULL);

  return self->handle;
}
