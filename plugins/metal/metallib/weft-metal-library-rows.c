/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-metal-library-rows.h"

#include <string.h>

#include "weft-metal-rows.h"

struct _WeftMetalLibraryRows
{
  const WeftMetalLibrary *library;
  WeftRecordingBuilder *builder;
  char *name; /* of the file */
  guint64 runtime;
  guint64 artifact;
  GArray *sources; /* element-type guint64: rows */
};

static const WeftMetalFunction *
get_function (WeftMetalLibraryRows *self, guint function)
{
  return self->library->functions->pdata[function];
}

/* ---- The library ---- */

static gboolean
add_runtime (WeftMetalLibraryRows *self, GError **error)
{
  const WeftMetalLibrary *library = self->library;
  g_autofree char *version = g_strdup_printf ("%u.%u", library->version[0], library->version[1]);
  const char *const tags[][2] = {
    { "metal.library", self->name },         { "metal.library-hash", library->sha256 },
    { "metal.library-uuid", library->uuid }, { "metal.flavour", library->flavour },
    { "metal.library-format", version },
  };
  g_auto (GVariantDict) row = G_VARIANT_DICT_INIT (NULL);

  weft_metal_row_set_text (&row, "name", self->name);
  self->runtime = weft_metal_row_add (self->builder, "runtimes", &row, error);
  for (guint i = 0; i < G_N_ELEMENTS (tags) && self->runtime != 0; i++)
    if (!weft_metal_row_add_tag (self->builder, "runtimes", self->runtime, tags[i][0], tags[i][1],
                                 error))
      return FALSE;
  return self->runtime != 0;
}

static gboolean
add_artifact (WeftMetalLibraryRows *self, const char *path, GError **error)
{
  g_autofree char *valid = g_utf8_make_valid (path, -1);
  g_auto (GVariantDict) row = G_VARIANT_DICT_INIT (NULL);

  weft_metal_row_set_id (&row, "runtime", self->runtime);
  weft_metal_row_set_text (&row, "kind", "metal.library");
  weft_metal_row_set_text (&row, "path", valid);
  weft_metal_row_set_text (&row, "label", self->library->flavour);
  self->artifact = weft_metal_row_add (self->builder, "artifacts", &row, error);
  return self->artifact != 0;
}

static const char *
guess_language (const char *path)
{
  return g_str_has_suffix (path, ".h") || g_str_has_suffix (path, ".hpp") ? "metal header"
                                                                          : "metal";
}

static gboolean
add_source (WeftMetalLibraryRows *self, const WeftMetalSource *source, GError **error)
{
  g_autofree char *hash = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, source->text);
  g_auto (GVariantDict) row = G_VARIANT_DICT_INIT (NULL);
  guint64 id;

  weft_metal_row_set_id (&row, "runtime", self->runtime);
  weft_metal_row_set_text (&row, "language", guess_language (source->path));
  weft_metal_row_set_text (&row, "path", source->path);
  weft_metal_row_set_text (&row, "hash", hash);
  weft_metal_row_set_text (&row, "flavour", self->library->flavour);
  weft_metal_row_set_text (&row, "build_flags", source->options);
  g_variant_dict_insert_value (
      &row, "text", g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, source->text, TRUE));
  id = weft_metal_row_add (self->builder, "sources", &row, error);
  g_array_append_val (self->sources, id);
  return id != 0;
}

/* ---- Functions ---- */

static guint64
get_source (WeftMetalLibraryRows *self, const WeftMetalFunction *function)
{
  return function->source < self->sources->len
             ? g_array_index (self->sources, guint64, function->source)
             : 0;
}

void
weft_metal_library_rows_set_source (WeftMetalLibraryRows *self, guint index, GVariantDict *routine)
{
  const WeftMetalFunction *function = get_function (self, index);

  weft_metal_row_set_id (routine, "source", get_source (self, function));
  weft_metal_row_set_id (routine, "first_line", weft_metal_function_get_first_line (function));
  weft_metal_row_set_id (routine, "last_line", weft_metal_function_get_last_line (function));
}

static const char *
name_space (const WeftMetalArgument *argument)
{
  static const char *const spaces[] = { NULL, "device", "constant", "threadgroup" };

  return argument->address_space > 0 && argument->address_space < (gint64) G_N_ELEMENTS (spaces)
             ? spaces[argument->address_space]
             : NULL;
}

/* A reference has the size of the whole, a pointer that of an element. */
static gint64
get_size (const WeftMetalArgument *argument)
{
  return argument->buffer_size >= 0 ? argument->buffer_size : argument->size;
}

static gboolean
add_argument (WeftMetalLibraryRows *self, guint64 routine, const WeftMetalArgument *argument,
              GError **error)
{
  static const char *const accesses[] = { "unknown", "read", "write", "read-write" };
  g_auto (GVariantDict) row = G_VARIANT_DICT_INIT (NULL);

  weft_metal_row_set_id (&row, "routine", routine);
  weft_metal_row_set_number (&row, "position", argument->position);
  weft_metal_row_set_text (&row, "name", argument->name);
  weft_metal_row_set_text (&row, "kind", argument->kind);
  weft_metal_row_set_text (&row, "type", argument->type);
  weft_metal_row_set_text (&row, "access", accesses[argument->access]);
  weft_metal_row_set_text (&row, "space", name_space (argument));
  if (argument->slot >= 0)
    weft_metal_row_set_number (&row, "slot", (guint64) argument->slot);
  if (argument->n_slots >= 0)
    weft_metal_row_set_number (&row, "n_slots", (guint64) argument->n_slots);
  if (get_size (argument) >= 0)
    weft_metal_row_set_number (&row, "size", (guint64) get_size (argument));
  return weft_metal_row_add (self->builder, "routine_arguments", &row, error) != 0;
}

static gboolean
add_arguments (WeftMetalLibraryRows *self, guint64 routine, const WeftMetalFunction *function,
               GError **error)
{
  for (guint i = 0; function->module != NULL && i < function->module->arguments->len; i++)
    if (!add_argument (self, routine, function->module->arguments->pdata[i], error))
      return FALSE;
  return TRUE;
}

static gboolean
link_artifact (WeftMetalLibraryRows *self, guint64 routine, GError **error)
{
  g_auto (GVariantDict) row = G_VARIANT_DICT_INIT (NULL);

  weft_metal_row_set_id (&row, "artifact", self->artifact);
  weft_metal_row_set_text (&row, "owner_table", "routines");
  weft_metal_row_set_id (&row, "owner", routine);
  return weft_metal_row_add (self->builder, "artifact_links", &row, error) != 0;
}

/* "fast math": what Metal calls the flavour in which results may differ a little. */
static const char *
describe_math (const WeftMetalModule *module)
{
  const char *const *options = module ? (const char *const *) module->options : NULL;

  if (options == NULL)
    return NULL;
  if (g_strv_contains (options, "air.compile.fast_math_enable"))
    return "fast math";
  return g_strv_contains (options, "air.compile.fast_math_disable") ? "precise math" : NULL;
}

static gboolean
add_tags (WeftMetalLibraryRows *self, guint64 routine, const WeftMetalFunction *function,
          gboolean has_library, GError **error)
{
  /* The first two are what a program told already, perhaps. */
  const char *const tags[][2] = {
    { "metal.library-hash", self->library->sha256 },
    { "metal.library", self->name },
    { "metal.library-uuid", self->library->uuid },
    { "metal.stage", weft_metal_function_get_stage (function) },
    { "metal.math", describe_math (function->module) },
    { "metal.function-hash", function->hash },
    { "metal.compiler", function->module ? function->module->compiler : NULL },
  };

  for (guint i = has_library ? 2 : 0; i < G_N_ELEMENTS (tags); i++)
    if (!weft_metal_row_add_tag (self->builder, "routines", routine, tags[i][0], tags[i][1], error))
      return FALSE;
  return TRUE;
}

gboolean
weft_metal_library_rows_describe (WeftMetalLibraryRows *self, guint index, guint64 routine,
                                  gboolean has_library, GError **error)
{
  const WeftMetalFunction *function = get_function (self, index);

  return add_tags (self, routine, function, has_library, error) &&
         add_arguments (self, routine, function, error) && link_artifact (self, routine, error);
}

gboolean
weft_metal_library_rows_add_routine (WeftMetalLibraryRows *self, guint index, GError **error)
{
  const WeftMetalFunction *function = get_function (self, index);
  g_auto (GVariantDict) row = G_VARIANT_DICT_INIT (NULL);
  guint64 routine;

  weft_metal_row_set_id (&row, "runtime", self->runtime);
  weft_metal_row_set_text (&row, "name", function->name);
  weft_metal_row_set_text (&row, "flavour", self->library->flavour);
  weft_metal_library_rows_set_source (self, index, &row);
  routine = weft_metal_row_add (self->builder, "routines", &row, error);
  return routine != 0 && weft_metal_library_rows_describe (self, index, routine, FALSE, error);
}

/* ---- Life ---- */

void
weft_metal_library_rows_free (WeftMetalLibraryRows *self)
{
  g_array_unref (self->sources);
  g_free (self->name);
  g_free (self);
}

WeftMetalLibraryRows *
weft_metal_library_rows_new (const WeftMetalLibrary *library, const char *path,
                             WeftRecordingBuilder *builder, GError **error)
{
  g_autoptr (WeftMetalLibraryRows) self = g_new0 (WeftMetalLibraryRows, 1);
  g_autofree char *name = g_path_get_basename (path);

  self->name = g_utf8_make_valid (name, -1);
  self->library = library;
  self->builder = builder;
  self->sources = g_array_new (FALSE, FALSE, sizeof (guint64));
  if (!add_runtime (self, error) || !add_artifact (self, path, error))
    return NULL;
  for (guint i = 0; i < library->sources->len; i++)
    if (!add_source (self, library->sources->pdata[i], error))
      return NULL;
  return g_steal_pointer (&self);
}
