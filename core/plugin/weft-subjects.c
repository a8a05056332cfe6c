/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-subjects.h"

/* Names in a sentence, and handles beside it: a reader follows some, and a count says the rest. */
#define MAX_NAMES 6
#define MAX_HANDLES 32

/**
 * WeftSubjects:
 *
 * The things that a finding is about, as a sentence tells them: how many they are, the names of
 * the first few, each once, and the handles of some more.
 *
 * Since: 0.1
 */
struct _WeftSubjects
{
  GObject parent_instance;

  guint64 count;
  guint64 n_names;
  GHashTable *seen; /* names */
  GPtrArray *handles;
  GString *names;
  char *told; /* the names, with how many more there are */
};

G_DEFINE_FINAL_TYPE (WeftSubjects, weft_subjects, G_TYPE_OBJECT)

static void
weft_subjects_finalize (GObject *object)
{
  WeftSubjects *self = WEFT_SUBJECTS (object);

  g_hash_table_unref (self->seen);
  g_ptr_array_unref (self->handles);
  g_string_free (self->names, TRUE);
  g_free (self->told);

  G_OBJECT_CLASS (weft_subjects_parent_class)->finalize (object);
}

static void
weft_subjects_class_init (WeftSubjectsClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = weft_subjects_finalize;
}

static void
weft_subjects_init (WeftSubjects *self)
{
  self->seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->handles = g_ptr_array_new_null_terminated (0, g_free, TRUE);
  self->names = g_string_new (NULL);
}

/**
 * weft_subjects_new:
 *
 * Returns: (transfer full): none yet
 *
 * Since: 0.1
 */
WeftSubjects *
weft_subjects_new (void)
{
  return g_object_new (WEFT_TYPE_SUBJECTS, NULL);
}

/* Takes HANDLE, which may be NULL. */
static void
add (WeftSubjects *self, char *handle, const char *name)
{
  if (handle != NULL && self->handles->len < MAX_HANDLES)
    g_ptr_array_add (self->handles, handle);
  else
    g_free (handle);
  self->count++;
  if (name == NULL)
    name = "(no name)";
  if (g_hash_table_contains (self->seen, name))
    return;
  g_hash_table_add (self->seen, g_strdup (name));
  if (self->n_names < MAX_NAMES)
    g_string_append_printf (self->names, "%s%s", self->n_names > 0 ? ", " : "", name);
  self->n_names++;
}

/**
 * weft_subjects_add:
 * @self: subjects
 * @prefix: (nullable): the prefix of its handle, such as `l` of a lane; %NULL if it has none
 * @id: its id
 * @name: (nullable): its name; %NULL if it has none
 *
 * Adds one.
 *
 * Since: 0.1
 */
void
weft_subjects_add (WeftSubjects *self, const char *prefix, guint64 id, const char *name)
{
  char *handle = NULL;

  g_return_if_fail (WEFT_IS_SUBJECTS (self));

  if (prefix != NULL && self->handles->len < MAX_HANDLES)
    handle = g_strdup_printf ("%s-%" G_GUINT64_FORMAT, prefix, id);
  add (self, handle, name);
}

/**
 * weft_subjects_add_rows:
 * @self: subjects
 * @table: an answer
 * @column: the column of their ids
 * @name_column: the column of their names; -1 if there is none
 *
 * Adds one for each row.
 *
 * Since: 0.1
 */
void
weft_subjects_add_rows (WeftSubjects *self, WeftTable *table, guint column, int name_column)
{
  g_return_if_fail (WEFT_IS_SUBJECTS (self));
  g_return_if_fail (WEFT_IS_TABLE (table));

  for (guint i = 0; i < weft_table_get_n_rows (table); i++)
    add (self, weft_table_get_handle (table, column, i),
         name_column < 0 ? NULL : weft_table_get_string (table, (guint) name_column, i));
}

/**
 * weft_subjects_get_count:
 * @self: subjects
 *
 * Returns: how many were added
 *
 * Since: 0.1
 */
guint64
weft_subjects_get_count (WeftSubjects *self)
{
  g_return_val_if_fail (WEFT_IS_SUBJECTS (self), 0);

  return self->count;
}

/**
 * weft_subjects_get_names:
 * @self: subjects
 *
 * Returns: (transfer none): the first names, each once: "a, b and 3 more"; the empty text if there
 *   are none. It is good until the next one is added.
 *
 * Since: 0.1
 */
const char *
weft_subjects_get_names (WeftSubjects *self)
{
  g_return_val_if_fail (WEFT_IS_SUBJECTS (self), NULL);

  g_free (self->told);
  if (self->n_names > MAX_NAMES)
    self->told = g_strdup_printf ("%s and %" G_GUINT64_FORMAT " more", self->names->str,
                                  self->n_names - MAX_NAMES);
  else
    self->told = g_strdup (self->names->str);
  return self->told;
}

/**
 * weft_subjects_get_handles:
 * @self: subjects
 *
 * Returns: (transfer none) (array zero-terminated=1): handles of the first of them. They are good
 *   until the next one is added.
 *
 * Since: 0.1
 */
const char *const *
weft_subjects_get_handles (WeftSubjects *self)
{
  static const char *const none[] = { NULL };

  g_return_val_if_fail (WEFT_IS_SUBJECTS (self), NULL);

  return self->handles->len > 0 ? (const char *const *) self->handles->pdata : none;
}

/**
 * weft_format_count:
 * @count: how many
 * @one: what one is called
 * @many: what several are called, or none
 *
 * Counts things in a sentence: "1 lane", "3 lanes".
 *
 * Returns: (transfer full): the number and the word that goes with it
 *
 * Since: 0.1
 */
char *
weft_format_count (guint64 count, const char *one, const char *many)
{
  g_return_val_if_fail (one != NULL && many != NULL, NULL);

  return g_strdup_printf ("%" G_GUINT64_FORMAT " %s", count, count == 1 ? one : many);
}
