/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-metal-library.h"

#include <string.h>

#include "weft-metal-archive.h"

#define MAX_FUNCTIONS 65536
#define MAX_ARCHIVES 65536
#define MAX_NAME 4096
#define MAX_SHARES 4            /* functions that code may be of, on average */
#define MAX_OPTIONS 65536       /* bytes of what a compiler was called with */
#define MAX_SOURCES (256 << 20) /* bytes of all, expanded */

#define HEADER_SIZE 88
#define GROUP_HEADER 4

/* Bytes of the file that are still to be read, as one part of it has them. */
typedef struct
{
  const guint8 *data;
  gsize size;
} Part;

typedef struct
{
  guint64 offset;
  guint64 size;
} Section;

/* What a group of tags says of a function. */
typedef struct
{
  Part name;
  Part hash;
  guint type;
  guint64 bitcode_size;
  guint64 offsets[3]; /* in the sections of public and private metadata and of bitcode */
  guint16 versions[4];
  guint64 archive; /* in the section of sources */
  gboolean has_archive;
} Group;

typedef struct
{
  Part file;
  Section functions;
  Section private;
  Section bitcode;
  Section sources;
  gboolean has_link_options; /* before the archives */
  gboolean has_sources;
  GHashTable *archives; /* guint64* place to GArray of guint: sources that came from there */
  guint64 bitcode_left; /* bytes of bitcode that functions may still name */
  gsize sources_left;
  WeftMetalLibrary *library;
} Reader;

/* ---- Parts ---- */

static gboolean damaged (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);

static gboolean
damaged (GError **error, const char *format, ...)
{
  g_autofree char *what = NULL;
  va_list arguments;

  va_start (arguments, format);
  what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
               "The Metal library is damaged: %s. Copy it again, or build it again", what);
  return FALSE;
}

static guint64
get_number (const guint8 *data, guint bytes)
{
  guint64 number = 0;

  for (guint i = 0; i < bytes; i++)
    number |= (guint64) data[i] << (8 * i);
  return number;
}

/* FALSE if there are not as many. */
static gboolean
take (Part *part, guint64 size, Part *taken)
{
  if (size > part->size)
    return FALSE;
  taken->data = part->data;
  taken->size = (gsize) size;
  part->data += size;
  part->size -= (gsize) size;
  return TRUE;
}

static gboolean
take_number (Part *part, guint bytes, guint64 *number)
{
  Part taken;

  if (!take (part, bytes, &taken))
    return FALSE;
  *number = get_number (taken.data, bytes);
  return TRUE;
}

/* Up to a nought, which is left out. */
static gboolean
take_text (Part *part, Part *text)
{
  const guint8 *end = part->size > 0 ? memchr (part->data, 0, part->size) : NULL;
  Part nought;

  return end != NULL && take (part, (guint64) (end - part->data), text) && take (part, 1, &nought);
}

static gboolean
find_section (const Part *file, const Section *section, Part *part)
{
  if (section->offset > file->size || section->size > file->size - section->offset)
    return FALSE;
  part->data = file->data + section->offset;
  part->size = (gsize) section->size;
  return TRUE;
}

static char *
dup_hex (const Part *part)
{
  GString *text = g_string_sized_new (2 * part->size);

  for (gsize i = 0; i < part->size; i++)
    g_string_append_printf (text, "%02x", part->data[i]);
  return g_string_free (text, FALSE);
}

static char *
dup_text (const Part *part)
{
  gsize length = MIN (part->size, MAX_NAME);

  if (length == 0)
    return g_strdup ("");
  return g_utf8_make_valid ((const char *) part->data,
                            (gssize) strnlen ((const char *) part->data, length));
}

/* ---- Tags ---- */

typedef struct
{
  char name[5]; /* empty at the end of a group */
  Part value;
} Tag;

static gboolean
take_tag (Part *part, Tag *tag)
{
  guint64 size;
  Part name;

  if (!take (part, 4, &name))
    return FALSE;
  memcpy (tag->name, name.data, 4);
  tag->name[4] = '\0';
  tag->value = (Part){ NULL, 0 };
  if (strcmp (tag->name, "ENDT") == 0)
    {
      tag->name[0] = '\0';
      return TRUE;
    }
  /* An archive may be longer than others count to. */
  return take_number (part, strcmp (tag->name, "SARC") == 0 ? 4 : 2, &size) &&
         take (part, size, &tag->value);
}

static gboolean
is_tag (const Tag *tag, const char *name, gsize size)
{
  return strcmp (tag->name, name) == 0 && tag->value.size >= size;
}

static void
read_function_tag (Group *group, const Tag *tag)
{
  const guint8 *data = tag->value.data;

  if (is_tag (tag, "NAME", 1))
    group->name = tag->value;
  else if (is_tag (tag, "TYPE", 1))
    group->type = data[0];
  else if (is_tag (tag, "HASH", 1))
    group->hash = tag->value;
  else if (is_tag (tag, "MDSZ", 8))
    group->bitcode_size = get_number (data, 8);
  else if (is_tag (tag, "OFFT", 24))
    for (guint i = 0; i < 3; i++)
      group->offsets[i] = get_number (data + 8 * i, 8);
  else if (is_tag (tag, "VERS", 8))
    for (guint i = 0; i < 4; i++)
      group->versions[i] = (guint16) get_number (data + 2 * i, 2);
  else if (is_tag (tag, "SOFF", 8))
    {
      group->archive = get_number (data, 8);
      group->has_archive = TRUE;
    }
}

/* ---- Functions ---- */

static void
function_free (gpointer data)
{
  WeftMetalFunction *self = data;

  g_free (self->name);
  g_free (self->hash);
  g_free (self->debug_path);
  g_clear_pointer (&self->module, weft_metal_module_free);
  g_free (self);
}

/* Where the function stands, as the linker noted it. */
static gboolean
read_debug (Reader *self, guint64 offset, WeftMetalFunction *function, GError **error)
{
  Part section, group;
  guint64 size, line;
  Tag tag;

  if (!find_section (&self->file, &self->private, &section) || offset > section.size)
    return damaged (error, "notes on “%s” lie outside their section", function->name);
  section.data += offset;
  section.size -= (gsize) offset;
  if (section.size == 0)
    return TRUE;
  if (!take_number (&section, GROUP_HEADER, &size) || size < GROUP_HEADER ||
      !take (&section, size - GROUP_HEADER, &group))
    return damaged (error, "notes on “%s” are cut short", function->name);
  while (group.size > 0)
    {
      if (!take_tag (&group, &tag))
        return damaged (error, "notes on “%s” are cut short", function->name);
      if (*tag.name == '\0')
        break;
      if (!is_tag (&tag, "DEBI", 5) || !take_number (&tag.value, 4, &line))
        continue;
      function->debug_line = (guint) line;
      g_free (function->debug_path);
      function->debug_path = dup_text (&tag.value);
    }
  return TRUE;
}

static gboolean
find_bitcode (Reader *self, const Group *group, const char *name, Part *bitcode, GError **error)
{
  Part section;

  if (!find_section (&self->file, &self->bitcode, &section) || group->offsets[2] > section.size ||
      group->bitcode_size > section.size - group->offsets[2])
    return damaged (error, "the code of “%s” lies outside its section", name);
  if (group->bitcode_size > self->bitcode_left)
    return damaged (error, "too many functions share code, up to “%s”", name);
  self->bitcode_left -= group->bitcode_size;
  bitcode->data = section.data + group->offsets[2];
  bitcode->size = (gsize) group->bitcode_size;
  return TRUE;
}

static gboolean
read_bitcode (Reader *self, const Group *group, WeftMetalFunction *function, GError **error)
{
  g_autoptr (GError) failure = NULL;
  Part bitcode = { NULL, 0 };

  if (group->bitcode_size == 0)
    return TRUE;
  if (!find_bitcode (self, group, function->name, &bitcode, error))
    return FALSE;
  function->module = weft_metal_module_read (bitcode.data, bitcode.size, function->name, &failure);
  return function->module != NULL ||
         damaged (error, "of “%s”, %s", function->name, failure->message);
}

/* Of the sources that came with a function, the one it is in. Files were moved between compiler and
 * linker, perhaps, so that only the last part of the path may agree.
 */
static guint
choose_source (Reader *self, const GArray *sources, const char *path)
{
  g_autofree char *name = path ? g_path_get_basename (path) : NULL;
  guint chosen = WEFT_METAL_NO_SOURCE;
  guint n_found = 0;

  for (guint i = 0; i < sources->len; i++)
    {
      guint index = g_array_index (sources, guint, i);
      const WeftMetalSource *source = self->library->sources->pdata[index];
      g_autofree char *its_name = g_path_get_basename (source->path);

      if (g_strcmp0 (source->path, path) == 0)
        return index;
      if (name != NULL && strcmp (its_name, name) != 0)
        continue;
      chosen = index;
      n_found++;
    }
  return n_found == 1 ? chosen : WEFT_METAL_NO_SOURCE;
}

static void
find_source (Reader *self, const Group *group, WeftMetalFunction *function)
{
  const WeftMetalModule *module = function->module;
  const char *path = module && module->path ? module->path : function->debug_path;
  const GArray *sources =
      group->has_archive ? g_hash_table_lookup (self->archives, &group->archive) : NULL;

  function->source = sources ? choose_source (self, sources, path) : WEFT_METAL_NO_SOURCE;
}

static gboolean
add_function (Reader *self, const Group *group, GError **error)
{
  WeftMetalFunction *function = g_new0 (WeftMetalFunction, 1);

  g_ptr_array_add (self->library->functions, function);
  function->name = dup_text (&group->name);
  function->type = group->type;
  function->hash = group->hash.size > 0 ? dup_hex (&group->hash) : NULL;
  function->source = WEFT_METAL_NO_SOURCE;
  for (guint i = 0; i < 2; i++)
    {
      function->air_version[i] = group->versions[i];
      function->language_version[i] = group->versions[2 + i];
    }
  if (*function->name == '\0')
    return damaged (error, "function %u has no name", self->library->functions->len);
  if (!read_debug (self, group->offsets[1], function, error) ||
      !read_bitcode (self, group, function, error))
    return FALSE;
  find_source (self, group, function);
  return TRUE;
}

static gboolean
read_group (Part *list, Group *group)
{
  guint64 size;
  Part part;
  Tag tag;

  memset (group, 0, sizeof *group);
  if (!take_number (list, GROUP_HEADER, &size) || size < GROUP_HEADER ||
      !take (list, size - GROUP_HEADER, &part))
    return FALSE;
  while (take_tag (&part, &tag))
    {
      if (*tag.name == '\0')
        return TRUE;
      read_function_tag (group, &tag);
    }
  return FALSE;
}

/* The number stands before the list, which does not count it. */
static gboolean
open_functions (Reader *self, Part *list, guint64 *n, GError **error)
{
  Part rest = self->file;
  Part before;

  if (!take (&rest, self->functions.offset, &before) || !take_number (&rest, 4, n) ||
      !take (&rest, self->functions.size, list))
    return damaged (error, "its list of functions lies outside of it");
  if (*n > MAX_FUNCTIONS || *n > list->size / (GROUP_HEADER + 4))
    return damaged (error, "it tells of %" G_GUINT64_FORMAT " functions", *n);
  return TRUE;
}

static gboolean
read_functions (Reader *self, GError **error)
{
  guint64 n = 0;
  Part list = { NULL, 0 };
  Group group;

  if (!open_functions (self, &list, &n, error))
    return FALSE;
  for (guint64 i = 0; i < n; i++)
    {
      if (!read_group (&list, &group))
        return damaged (error, "entry %" G_GUINT64_FORMAT " of its list of functions is cut short",
                        i + 1);
      if (!add_function (self, &group, error))
        return FALSE;
    }
  return TRUE;
}

/* ---- Sources ---- */

static void
source_free (gpointer data)
{
  WeftMetalSource *self = data;

  g_free (self->path);
  g_free (self->options);
  g_bytes_unref (self->text);
  g_free (self);
}

static gboolean
is_text (GBytes *bytes)
{
  gsize size;
  const char *data = g_bytes_get_data (bytes, &size);

  return g_utf8_validate_len (data, size, NULL);
}

/* What compilers put beside the sources. */
#define OPTIONS "metal-options.txt"
#define WORKING_FOLDER "metal-working-dir.txt"
#define INPUT_NAME "original-input-filename.txt"

static char *
dup_options (GPtrArray *files)
{
  for (guint i = 0; i < files->len; i++)
    {
      const WeftMetalFile *file = files->pdata[i];
      gsize size;
      const char *text = g_bytes_get_data (file->contents, &size);

      if (strcmp (file->path, OPTIONS) == 0 && size > 0 && is_text (file->contents))
        return g_strstrip (g_utf8_make_valid (text, (gssize) MIN (size, MAX_OPTIONS)));
    }
  return NULL;
}

static void
add_source (Reader *self, const WeftMetalFile *file, const char *options, GArray *indexes)
{
  WeftMetalSource *source = g_new0 (WeftMetalSource, 1);
  guint index = self->library->sources->len;

  source->path = g_strdup (file->path);
  source->text = g_bytes_ref (file->contents);
  source->options = g_strdup (options);
  g_ptr_array_add (self->library->sources, source);
  g_array_append_val (indexes, index);
}

static void
add_files (Reader *self, GPtrArray *files, GArray *indexes)
{
  g_autofree char *options = dup_options (files);

  for (guint i = 0; i < files->len; i++)
    {
      const WeftMetalFile *file = files->pdata[i];
      const char *const notes[] = { OPTIONS, WORKING_FOLDER, INPUT_NAME, NULL };

      if (g_strv_contains (notes, file->path))
        continue;
      if (is_text (file->contents))
        add_source (self, file, options, indexes);
      else
        g_ptr_array_add (
            self->library->losses,
            g_strdup_printf ("“%s”, which lies among the sources, is no text", file->path));
    }
}

static gsize
sum_sizes (GPtrArray *files)
{
  gsize sum = 0;

  for (guint i = 0; i < files->len; i++)
    sum += g_bytes_get_size (((const WeftMetalFile *) files->pdata[i])->contents);
  return sum;
}

/* The number of the archive stands before it, as a text. */
static gboolean
read_archive (Reader *self, Part archive, guint64 place, GError **error)
{
  g_autoptr (GPtrArray) files = NULL;
  g_autoptr (GError) failure = NULL;
  guint64 *key;
  GArray *indexes;
  Part number;

  if (!take_text (&archive, &number))
    return damaged (error, "an archive of sources has no number");
  files = weft_metal_archive_read (archive.data, archive.size, self->sources_left, &failure);
  if (files == NULL && !g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED))
    return damaged (error, "%s", failure->message);
  if (files == NULL)
    {
      g_ptr_array_add (self->library->losses,
                       g_strdup_printf ("Sources were not read: %s", failure->message));
      return TRUE;
    }
  self->sources_left -= MIN (sum_sizes (files), self->sources_left);
  indexes = g_array_new (FALSE, FALSE, sizeof (guint));
  add_files (self, files, indexes);
  key = g_memdup2 (&place, sizeof place);
  g_hash_table_insert (self->archives, key, indexes);
  return TRUE;
}

/* A group with one archive; places are of its tag, as functions name them. */
static gboolean
read_archives (Reader *self, Part part, const Part *section, guint64 n, GError **error)
{
  for (guint64 i = 0; i < n; i++)
    {
      guint64 size, place;
      Part group;
      Tag tag;

      if (!take_number (&part, GROUP_HEADER, &size) || !take (&part, size, &group))
        return damaged (error, "archive %" G_GUINT64_FORMAT " of its sources is cut short", i + 1);
      place = (guint64) (group.data - section->data);
      if (!take_tag (&group, &tag))
        return damaged (error, "archive %" G_GUINT64_FORMAT " of its sources is cut short", i + 1);
      if (strcmp (tag.name, "SARC") == 0 && !read_archive (self, tag.value, place, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
read_sources (Reader *self, GError **error)
{
  Part section, part, text;
  guint64 n;

  if (!self->has_sources)
    return TRUE;
  if (!find_section (&self->file, &self->sources, &section))
    return damaged (error, "its sources lie outside of it");
  part = section;
  if (!take_number (&part, 4, &n) || n > MAX_ARCHIVES)
    return damaged (error, "its sources are cut short");
  /* What the linker was called with, and where. */
  if (self->has_link_options && (!take_text (&part, &text) || !take_text (&part, &text)))
    return damaged (error, "its sources are cut short");
  return read_archives (self, part, &section, n, error);
}

/* ---- The whole ---- */

static void
read_library_tag (Reader *self, const Tag *tag)
{
  if (is_tag (tag, "UUID", 16) && self->library->uuid == NULL)
    self->library->uuid = dup_hex (&tag->value);
  else if (is_tag (tag, "HSRD", 16) || is_tag (tag, "HSRC", 16))
    {
      self->has_sources = TRUE;
      self->has_link_options = strcmp (tag->name, "HSRD") == 0;
      self->sources.offset = get_number (tag->value.data, 8);
      self->sources.size = get_number (tag->value.data + 8, 8);
    }
}

/* They follow the list of functions; libraries of early versions have none. */
static gboolean
read_library_tags (Reader *self, GError **error)
{
  Part rest = self->file;
  Part before, tags;
  Tag tag;

  if (!take (&rest, self->functions.offset, &before) || !take (&rest, 4, &before) ||
      !take (&rest, self->functions.size, &before))
    return damaged (error, "its list of functions lies outside of it");
  tags = rest;
  while (take_tag (&tags, &tag))
    {
      if (*tag.name == '\0')
        return TRUE;
      read_library_tag (self, &tag);
    }
  return damaged (error, "the notes on the whole are cut short");
}

static gboolean
read_header (Reader *self, GError **error)
{
  WeftMetalLibrary *library = self->library;
  const guint8 *data = self->file.data;
  guint64 size;

  if (!weft_metal_library_recognizes (data, self->file.size))
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                           "This is no Metal library: it does not begin with MTLB");
      return FALSE;
    }
  if (self->file.size < HEADER_SIZE)
    return damaged (error, "it has %zu bytes, and a header alone has %d", self->file.size,
                    HEADER_SIZE);
  size = get_number (data + 16, 8);
  if (size != self->file.size)
    return damaged (error, "it says that it has %" G_GUINT64_FORMAT " bytes, and has %zu", size,
                    self->file.size);
  library->platform = (guint) get_number (data + 4, 2);
  library->version[0] = (guint) get_number (data + 6, 2);
  library->version[1] = (guint) get_number (data + 8, 2);
  library->type = data[10];
  library->os = data[11];
  library->os_version[0] = (guint) get_number (data + 12, 2);
  library->os_version[1] = (guint) get_number (data + 14, 2);
  self->functions = (Section){ get_number (data + 24, 8), get_number (data + 32, 8) };
  self->private = (Section){ get_number (data + 56, 8), get_number (data + 64, 8) };
  self->bitcode = (Section){ get_number (data + 72, 8), get_number (data + 80, 8) };
  self->bitcode_left = MIN (self->bitcode.size, self->file.size) * MAX_SHARES;
  return TRUE;
}

/* ---- Flavour ---- */

/* The system, by what compilers call it in the triple of the target. */
static const char *
name_system (const char *system)
{
  static const char *const names[][2] = {
    { "macos", "macOS" },     { "ios", "iOS" },       { "tvos", "tvOS" },
    { "watchos", "watchOS" }, { "xros", "visionOS" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_str_has_prefix (system, names[i][0]))
      return names[i][1];
  return NULL;
}

/* "macOS 14.4" of "air64-apple-macosx14.4.0"; NULL if it says nothing. */
static char *
describe_target (const char *triple)
{
  g_auto (GStrv) parts = g_strsplit (triple ? triple : "", "-", 4);
  const char *name = g_strv_length (parts) >= 3 ? name_system (parts[2]) : NULL;
  gsize digits = name != NULL ? strcspn (parts[2], "0123456789") : 0;
  g_auto (GStrv) version = NULL;

  if (name == NULL)
    return NULL;
  version = g_strsplit (parts[2] + digits, ".", 3);
  if (g_strv_length (version) < 2)
    return g_strdup (name);
  return g_strdup_printf ("%s %.5s.%.5s%s", name, version[0], version[1],
                          g_strcmp0 (parts[3], "simulator") == 0 ? " simulator" : "");
}

static const WeftMetalModule *
find_module (WeftMetalLibrary *self)
{
  for (guint i = 0; i < self->functions->len; i++)
    {
      const WeftMetalFunction *function = self->functions->pdata[i];

      if (function->module != NULL)
        return function->module;
    }
  return NULL;
}

#define PLATFORM_MACOS 0x8001

static char *
describe_library (WeftMetalLibrary *self)
{
  const WeftMetalModule *module = find_module (self);
  g_autofree char *target = describe_target (module ? module->triple : NULL);
  GString *text = g_string_new (target                             ? target
                                : self->platform == PLATFORM_MACOS ? "macOS"
                                                                   : "iOS or another system");

  if (module != NULL && module->language_version[0] > 0)
    g_string_append_printf (text, ", Metal %u.%u", module->language_version[0],
                            module->language_version[1]);
  if (module != NULL && module->air_version[0] > 0)
    g_string_append_printf (text, ", AIR %u.%u", module->air_version[0], module->air_version[1]);
  return g_string_free (text, FALSE);
}

/* ---- Life ---- */

gboolean
weft_metal_library_recognizes (const guint8 *head, gsize size)
{
  return size >= 4 && memcmp (head, "MTLB", 4) == 0;
}

void
weft_metal_library_free (WeftMetalLibrary *self)
{
  g_free (self->flavour);
  g_free (self->uuid);
  g_free (self->sha256);
  g_ptr_array_unref (self->functions);
  g_ptr_array_unref (self->sources);
  g_ptr_array_unref (self->losses);
  g_free (self);
}

static WeftMetalLibrary *
library_new (void)
{
  WeftMetalLibrary *self = g_new0 (WeftMetalLibrary, 1);

  self->functions = g_ptr_array_new_with_free_func (function_free);
  self->sources = g_ptr_array_new_with_free_func (source_free);
  self->losses = g_ptr_array_new_with_free_func (g_free);
  return self;
}

WeftMetalLibrary *
weft_metal_library_read (GBytes *file, GError **error)
{
  g_autoptr (WeftMetalLibrary) library = library_new ();
  Reader reader = { .library = library, .sources_left = MAX_SOURCES };
  gboolean good;

  reader.file.data = g_bytes_get_data (file, &reader.file.size);
  reader.archives =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, (GDestroyNotify) g_array_unref);
  good = read_header (&reader, error) && read_library_tags (&reader, error) &&
         read_sources (&reader, error) && read_functions (&reader, error);
  g_hash_table_unref (reader.archives);
  if (!good)
    return NULL;
  library->flavour = describe_library (library);
  library->sha256 = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, file);
  return g_steal_pointer (&library);
}

/* ---- Functions, asked ---- */

const char *
weft_metal_function_get_stage (const WeftMetalFunction *self)
{
  static const char *const stages[] = { "vertex",       "fragment", "kernel",
                                        "unqualified",  "visible",  "extern",
                                        "intersection", "mesh",     "object" };

  if (self->module != NULL && self->module->stage != NULL)
    return self->module->stage;
  return self->type < G_N_ELEMENTS (stages) ? stages[self->type] : NULL;
}

guint
weft_metal_function_get_first_line (const WeftMetalFunction *self)
{
  return self->module != NULL && self->module->first_line > 0 ? self->module->first_line
                                                              : self->debug_line;
}

guint
weft_metal_function_get_last_line (const WeftMetalFunction *self)
{
  return MAX (weft_metal_function_get_first_line (self),
              self->module != NULL ? self->module->last_line : 0);
}
