/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-metal-bitcode.h"

#include <string.h>

#include "weft-metal-metadata.h"

/* Numbers of LLVM's blocks and records, which never change their meaning. */
enum
{
  BLOCK_MODULE = 8,
  BLOCK_CONSTANTS = 11,
  BLOCK_FUNCTION = 12,
  BLOCK_SYMBOLS = 14,
  BLOCK_METADATA = 15,
  BLOCK_ATTACHMENTS = 16,
  BLOCK_STRINGS = 23,
};

enum
{
  MODULE_VERSION = 1,
  MODULE_TRIPLE = 2,
  MODULE_VARIABLE = 7,
  MODULE_FUNCTION = 8,
  MODULE_OLD_ALIAS = 9,
  MODULE_ALIAS = 14,
  MODULE_INDIRECT = 15,
};

enum
{
  CONSTANT_SET_TYPE = 1,
  CONSTANT_NULL = 2,
  CONSTANT_INTEGER = 4,
};

enum
{
  SYMBOL_ENTRY = 1,
  SYMBOL_FUNCTION = 3,
};

#define STRINGS_BLOB 1
#define ATTACHMENT 11
#define ATTACHMENT_DEBUG 0
#define CODE_LOCATION 35

#define MAX_TEXT 1024 /* bytes of a name; more is cut */
#define MAX_ARGUMENTS 1024
#define MAX_OPTIONS 64

typedef struct
{
  guint64 name_offset; /* in the table of strings */
  guint64 name_size;
  char *name; /* where a symbol told it */
  guint value;
  gboolean has_code;
  guint subprogram;
  char *path;
  guint first_line;
  guint last_line;
} Function;

typedef enum
{
  VALUE_OTHER,
  VALUE_INTEGER,
  VALUE_FUNCTION,
} ValueKind;

typedef struct
{
  ValueKind kind;
  gint64 number; /* the integer, or the place among the functions */
} Value;

typedef struct
{
  guint line;
  guint scope;
  guint inlined_at;
} Location;

typedef struct
{
  WeftMetalBitstream *stream;
  WeftMetalMetadata *metadata;
  GArray *values;    /* element-type Value */
  GArray *functions; /* element-type Function */
  GArray *locations; /* element-type Location: of the function at hand */
  guint next_code;   /* the function whose code comes next */
  guint64 version;
  const guint8 *strings;
  gsize strings_size;
  gsize texts_left; /* bytes: a text may be named more often than it is there */
  WeftMetalModule *module;
} Reader;

/* ---- Values ---- */

static void
add_value (Reader *self, ValueKind kind, gint64 number)
{
  const Value value = { kind, number };

  g_array_append_val (self->values, value);
}

static gint64
decode_signed (guint64 bits)
{
  gint64 number = (gint64) (bits >> 1);

  return (bits & 1) != 0 ? -number : number;
}

static void
add_constant (Reader *self, const WeftMetalBits *bits)
{
  if (bits->code == CONSTANT_SET_TYPE)
    return;
  if (bits->code == CONSTANT_NULL)
    add_value (self, VALUE_INTEGER, 0);
  else if (bits->code == CONSTANT_INTEGER && bits->n_operands > 0)
    add_value (self, VALUE_INTEGER, decode_signed (bits->operands[0]));
  else
    add_value (self, VALUE_OTHER, 0);
}

static void
add_function (Reader *self, const WeftMetalBits *bits)
{
  const guint shift = self->version >= 2 ? 2 : 0; /* place and length of the name come first */
  Function function = { .value = self->values->len, .subprogram = WEFT_METAL_NO_METADATA };

  if (shift > 0 && bits->n_operands >= 2)
    {
      function.name_offset = bits->operands[0];
      function.name_size = bits->operands[1];
    }
  /* type, calling convention, whether it is a declaration */
  function.has_code = bits->n_operands > shift + 2 && bits->operands[shift + 2] == 0;
  add_value (self, VALUE_FUNCTION, self->functions->len);
  g_array_append_val (self->functions, function);
}

static char *
dup_characters (const WeftMetalBits *bits, guint first)
{
  GString *text = g_string_new (NULL);

  for (guint i = first; i < bits->n_operands && text->len < MAX_TEXT; i++)
    g_string_append_c (text, (char) bits->operands[i]);
  return g_string_free (text, FALSE);
}

static void
add_module_record (Reader *self, const WeftMetalBits *bits)
{
  g_autofree char *triple = NULL;

  switch (bits->code)
    {
    case MODULE_VERSION:
      self->version = bits->n_operands > 0 ? bits->operands[0] : 0;
      break;
    case MODULE_TRIPLE:
      triple = dup_characters (bits, 0);
      g_free (self->module->triple);
      self->module->triple = g_utf8_make_valid (triple, -1);
      break;
    case MODULE_FUNCTION:
      add_function (self, bits);
      break;
    case MODULE_VARIABLE:
    case MODULE_OLD_ALIAS:
    case MODULE_ALIAS:
    case MODULE_INDIRECT:
      add_value (self, VALUE_OTHER, 0);
      break;
    default:
      break;
    }
}

static void
add_symbol (Reader *self, const WeftMetalBits *bits)
{
  const guint first = bits->code == SYMBOL_FUNCTION ? 2 : 1;
  const Value *value;
  Function *function;

  /* Since version 2 they tell places only. */
  if (self->version >= 2 || (bits->code != SYMBOL_ENTRY && bits->code != SYMBOL_FUNCTION))
    return;
  if (bits->n_operands < first || bits->operands[0] >= self->values->len)
    return;
  value = &g_array_index (self->values, Value, bits->operands[0]);
  if (value->kind != VALUE_FUNCTION)
    return;
  function = &g_array_index (self->functions, Function, value->number);
  g_free (function->name);
  function->name = dup_characters (bits, first);
}

/* ---- Code: only which lines it came of ---- */

static void
add_location (Reader *self, const WeftMetalBits *bits)
{
  Location location = { 0, WEFT_METAL_NO_METADATA, WEFT_METAL_NO_METADATA };

  if (bits->n_operands < 4)
    return;
  location.line = (guint) MIN (bits->operands[0], G_MAXINT);
  location.scope = (guint) MIN (bits->operands[2] - 1, WEFT_METAL_NO_METADATA);
  location.inlined_at = (guint) MIN (bits->operands[3] - 1, WEFT_METAL_NO_METADATA);
  g_array_append_val (self->locations, location);
}

static void
attach (Function *function, const WeftMetalBits *bits)
{
  if (bits->code != ATTACHMENT || bits->n_operands % 2 != 0)
    return; /* an odd number is of an instruction */
  for (guint i = 0; i < bits->n_operands; i += 2)
    if (bits->operands[i] == ATTACHMENT_DEBUG)
      function->subprogram = (guint) MIN (bits->operands[i + 1], WEFT_METAL_NO_METADATA);
}

/* Debugging information of a function may be known in its block only. */
static void
find_lines (Reader *self, Function *function)
{
  if (function->subprogram == WEFT_METAL_NO_METADATA)
    return;
  g_free (function->path);
  function->path = weft_metal_metadata_dup_path (self->metadata, function->subprogram);
  function->first_line = weft_metal_metadata_get_line (self->metadata, function->subprogram);
  function->last_line = function->first_line;
  for (guint i = 0; i < self->locations->len; i++)
    {
      Location *at = &g_array_index (self->locations, Location, i);

      weft_metal_metadata_leave_inlined (self->metadata, at->inlined_at, &at->line, &at->scope);
      if (weft_metal_metadata_find_subprogram (self->metadata, at->scope) == function->subprogram)
        function->last_line = MAX (function->last_line, at->line);
    }
}

static Function *
find_next_code (Reader *self)
{
  while (self->next_code < self->functions->len)
    {
      Function *function = &g_array_index (self->functions, Function, self->next_code++);

      if (function->has_code)
        return function;
    }
  return NULL;
}

/* A block inside of a function. */
static gboolean
read_inner (Reader *self, Function *function, guint number, GError **error)
{
  WeftMetalBits bits;

  if (number != BLOCK_METADATA && number != BLOCK_ATTACHMENTS)
    return weft_metal_bitstream_skip (self->stream, error);
  while (weft_metal_bitstream_next (self->stream, &bits, error))
    {
      if (bits.kind == WEFT_METAL_BITS_BLOCK_END)
        return TRUE;
      if (bits.kind == WEFT_METAL_BITS_BLOCK && !weft_metal_bitstream_skip (self->stream, error))
        return FALSE;
      if (bits.kind != WEFT_METAL_BITS_RECORD)
        continue;
      if (number == BLOCK_ATTACHMENTS)
        attach (function, &bits);
      else if (!weft_metal_metadata_add (self->metadata, &bits, error))
        return FALSE;
    }
  return FALSE;
}

static gboolean
read_code (Reader *self, GError **error)
{
  Function *function = find_next_code (self);
  const guint before = weft_metal_metadata_get_length (self->metadata);
  WeftMetalBits bits;

  if (function == NULL)
    return weft_metal_bitstream_skip (self->stream, error);
  g_array_set_size (self->locations, 0);
  while (weft_metal_bitstream_next (self->stream, &bits, error))
    {
      if (bits.kind == WEFT_METAL_BITS_BLOCK_END)
        {
          find_lines (self, function);
          weft_metal_metadata_truncate (self->metadata, before);
          return TRUE;
        }
      if (bits.kind == WEFT_METAL_BITS_BLOCK && !read_inner (self, function, bits.code, error))
        return FALSE;
      if (bits.kind == WEFT_METAL_BITS_RECORD && bits.code == CODE_LOCATION)
        add_location (self, &bits);
    }
  return FALSE;
}

/* ---- Blocks ---- */

static gboolean
add_record (Reader *self, guint block, const WeftMetalBits *bits, GError **error)
{
  switch (block)
    {
    case BLOCK_MODULE:
      add_module_record (self, bits);
      return TRUE;
    case BLOCK_CONSTANTS:
      add_constant (self, bits);
      return TRUE;
    case BLOCK_SYMBOLS:
      add_symbol (self, bits);
      return TRUE;
    case BLOCK_METADATA:
      return weft_metal_metadata_add (self->metadata, bits, error);
    case BLOCK_STRINGS:
      if (bits->code == STRINGS_BLOB)
        {
          self->strings = bits->blob;
          self->strings_size = bits->blob_size;
        }
      return TRUE;
    default:
      return TRUE;
    }
}

static gboolean
is_wanted (guint block, guint around)
{
  if (around == 0)
    return block == BLOCK_MODULE || block == BLOCK_STRINGS;
  return around == BLOCK_MODULE && (block == BLOCK_CONSTANTS || block == BLOCK_SYMBOLS ||
                                    block == BLOCK_METADATA || block == BLOCK_FUNCTION);
}

/* Of the bitstream, or of a module in it: nothing else has blocks that matter. */
static gboolean
read_blocks (Reader *self, GError **error)
{
  guint around[3] = { 0 }; /* numbers of the blocks we are in */
  guint depth = 0;
  WeftMetalBits bits;

  while (weft_metal_bitstream_next (self->stream, &bits, error))
    {
      gboolean good = TRUE;

      if (bits.kind == WEFT_METAL_BITS_END)
        return TRUE;
      if (bits.kind == WEFT_METAL_BITS_BLOCK_END)
        depth--;
      else if (bits.kind == WEFT_METAL_BITS_RECORD)
        good = add_record (self, around[depth], &bits, error);
      else if (!is_wanted (bits.code, around[depth]))
        good = weft_metal_bitstream_skip (self->stream, error);
      else if (bits.code == BLOCK_FUNCTION)
        good = read_code (self, error);
      else
        around[++depth] = bits.code;
      if (!good)
        return FALSE;
    }
  return FALSE;
}

/* ---- What the metadata say ---- */

/* Cut, and no more than there is room for. */
static char *
dup_text (Reader *self, guint number)
{
  g_autofree char *text = weft_metal_metadata_dup_text (self->metadata, number);
  const char *end = NULL;
  gsize length;

  if (text == NULL)
    return NULL;
  length = strlen (text);
  if (length > MAX_TEXT)
    {
      g_utf8_validate_len (text, MAX_TEXT, &end);
      length = (gsize) (end - text);
    }
  if (length + 1 > self->texts_left)
    return NULL;
  self->texts_left -= length + 1;
  return g_strndup (text, length);
}

static const Value *
get_value (Reader *self, guint metadata)
{
  gint64 number = weft_metal_metadata_get_value (self->metadata, metadata);

  return number >= 0 && number < self->values->len ? &g_array_index (self->values, Value, number)
                                                   : NULL;
}

static gint64
get_integer (Reader *self, guint metadata)
{
  const Value *value = get_value (self, metadata);

  return value != NULL && value->kind == VALUE_INTEGER ? value->number : WEFT_METAL_NO_NUMBER;
}

static void
argument_free (gpointer data)
{
  WeftMetalArgument *self = data;

  g_free (self->name);
  g_free (self->kind);
  g_free (self->type);
  g_free (self);
}

/* Keys that stand for themselves. */
static void
read_flag (Reader *self, guint key, WeftMetalArgument *argument)
{
  if (weft_metal_metadata_has_text (self->metadata, key, "air.read") ||
      weft_metal_metadata_has_text (self->metadata, key, "air.sample"))
    argument->access = WEFT_METAL_ACCESS_READ;
  else if (weft_metal_metadata_has_text (self->metadata, key, "air.write"))
    argument->access = WEFT_METAL_ACCESS_WRITE;
  else if (weft_metal_metadata_has_text (self->metadata, key, "air.read_write"))
    argument->access = WEFT_METAL_ACCESS_READ_WRITE;
  else if (weft_metal_metadata_has_text (self->metadata, key, "air.arg_unused"))
    argument->is_unused = TRUE;
}

/* Keys with a value after them. */
static void
read_key (Reader *self, guint list, guint place, WeftMetalArgument *argument)
{
  WeftMetalMetadata *metadata = self->metadata;
  const guint key = weft_metal_metadata_get_item (metadata, list, place);
  const guint value = weft_metal_metadata_get_item (metadata, list, place + 1);
  const struct
  {
    const char *key;
    gint64 *number;
  } numbers[] = {
    { "air.location_index", &argument->slot },
    { "air.arg_type_size", &argument->size },
    { "air.arg_type_align_size", &argument->alignment },
    { "air.buffer_size", &argument->buffer_size },
    { "air.address_space", &argument->address_space },
  };

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    if (weft_metal_metadata_has_text (metadata, key, numbers[i].key))
      *numbers[i].number = get_integer (self, value);
  if (weft_metal_metadata_has_text (metadata, key, "air.location_index"))
    argument->n_slots =
        get_integer (self, weft_metal_metadata_get_item (metadata, list, place + 2));
  else if (weft_metal_metadata_has_text (metadata, key, "air.arg_type_name") &&
           argument->type == NULL)
    argument->type = dup_text (self, value);
  else if (weft_metal_metadata_has_text (metadata, key, "air.arg_name") && argument->name == NULL)
    argument->name = dup_text (self, value);
  else
    read_flag (self, key, argument);
}

static gboolean
is_name (Reader *self, guint list, guint place)
{
  const guint before = weft_metal_metadata_get_item (self->metadata, list, place - 1);

  return weft_metal_metadata_has_text (self->metadata, before, "air.arg_type_name") ||
         weft_metal_metadata_has_text (self->metadata, before, "air.arg_name");
}

static void
read_argument (Reader *self, guint list)
{
  const guint n = weft_metal_metadata_get_n_items (self->metadata, list);
  const gint64 position =
      get_integer (self, weft_metal_metadata_get_item (self->metadata, list, 0));
  WeftMetalArgument *argument;
  g_autofree char *kind = NULL;

  if (position < 0 || position > G_MAXUINT16)
    return;
  kind = dup_text (self, weft_metal_metadata_get_item (self->metadata, list, 1));
  if (kind == NULL || !g_str_has_prefix (kind, "air."))
    return;
  argument = g_new0 (WeftMetalArgument, 1);
  argument->position = (guint) position;
  argument->kind = g_strdup (kind + strlen ("air."));
  argument->slot = argument->n_slots = argument->size = WEFT_METAL_NO_NUMBER;
  argument->alignment = argument->buffer_size = argument->address_space = WEFT_METAL_NO_NUMBER;
  /* A name may be spelled like a key. */
  for (guint place = 2; place < n && place < MAX_OPTIONS; place++)
    if (!is_name (self, list, place))
      read_key (self, list, place, argument);
  g_ptr_array_add (self->module->arguments, argument);
}

static void
read_arguments (Reader *self, guint list)
{
  guint n = weft_metal_metadata_get_n_items (self->metadata, list);

  for (guint i = 0; i < n && i < MAX_ARGUMENTS; i++)
    read_argument (self, weft_metal_metadata_get_item (self->metadata, list, i));
}

/* A list of entry points: each names its function, what it gives, and what it takes. */
static void
read_entries (Reader *self, guint index, guint value)
{
  const char *name = weft_metal_metadata_get_name (self->metadata, index);

  for (guint i = 0; i < weft_metal_metadata_get_n_of_name (self->metadata, index); i++)
    {
      guint node = weft_metal_metadata_get_of_name (self->metadata, index, i);
      guint function = weft_metal_metadata_get_item (self->metadata, node, 0);

      if (self->module->stage != NULL ||
          weft_metal_metadata_get_value (self->metadata, function) != value)
        continue;
      self->module->stage = g_utf8_make_valid (name + strlen ("air."), -1);
      read_arguments (self, weft_metal_metadata_get_item (self->metadata, node, 2));
    }
}

static void
read_version (Reader *self, guint node, guint first, guint *version)
{
  for (guint i = 0; i < 3; i++)
    {
      gint64 number =
          get_integer (self, weft_metal_metadata_get_item (self->metadata, node, first + i));

      version[i] = number > 0 && number <= G_MAXUINT16 ? (guint) number : 0;
    }
}

static void
read_options (Reader *self, guint index)
{
  g_autoptr (GStrvBuilder) options = g_strv_builder_new ();
  guint n = weft_metal_metadata_get_n_of_name (self->metadata, index);

  for (guint i = 0; i < n && i < MAX_OPTIONS; i++)
    {
      guint node = weft_metal_metadata_get_of_name (self->metadata, index, i);
      g_autofree char *text =
          dup_text (self, weft_metal_metadata_get_item (self->metadata, node, 0));

      if (text != NULL)
        g_strv_builder_add (options, text);
    }
  g_strfreev (self->module->options);
  self->module->options = g_strv_builder_end (options);
}

/* What is told of the whole module. */
static void
read_fact (Reader *self, guint index)
{
  WeftMetalModule *module = self->module;
  const char *name = weft_metal_metadata_get_name (self->metadata, index);
  const guint node = weft_metal_metadata_get_of_name (self->metadata, index, 0);
  const guint first = weft_metal_metadata_get_item (self->metadata, node, 0);

  if (strcmp (name, "air.version") == 0)
    read_version (self, node, 0, module->air_version);
  else if (strcmp (name, "air.language_version") == 0 && module->language == NULL)
    {
      module->language = dup_text (self, first);
      read_version (self, node, 1, module->language_version);
    }
  else if (strcmp (name, "air.compile_options") == 0)
    read_options (self, index);
  else if (strcmp (name, "llvm.ident") == 0 && module->compiler == NULL)
    module->compiler = dup_text (self, first);
}

static gboolean
is_called (Reader *self, const Function *function, const char *name)
{
  gsize length = strlen (name);

  if (function->name != NULL)
    return strcmp (function->name, name) == 0;
  return self->strings != NULL && function->name_size == length &&
         function->name_offset <= self->strings_size &&
         length <= self->strings_size - function->name_offset &&
         memcmp (self->strings + function->name_offset, name, length) == 0;
}

static const Function *
find_function (Reader *self, const char *name)
{
  for (guint i = 0; i < self->functions->len; i++)
    {
      const Function *function = &g_array_index (self->functions, Function, i);

      if (function->has_code && is_called (self, function, name))
        return function;
    }
  return NULL;
}

static void
read_facts (Reader *self, const char *name)
{
  const Function *function = find_function (self, name);
  WeftMetalModule *module = self->module;

  for (guint i = 0; i < weft_metal_metadata_get_n_named (self->metadata); i++)
    {
      read_fact (self, i);
      if (function != NULL &&
          g_str_has_prefix (weft_metal_metadata_get_name (self->metadata, i), "air."))
        read_entries (self, i, function->value);
    }
  if (function == NULL)
    return;
  module->found = TRUE;
  module->path = g_strdup (function->path);
  module->first_line = function->first_line;
  module->last_line = function->last_line;
}

/* ---- Life ---- */

static void
function_clear (gpointer data)
{
  Function *function = data;

  g_free (function->name);
  g_free (function->path);
}

void
weft_metal_module_free (WeftMetalModule *self)
{
  g_free (self->triple);
  g_free (self->language);
  g_free (self->compiler);
  g_strfreev (self->options);
  g_free (self->stage);
  g_free (self->path);
  g_ptr_array_unref (self->arguments);
  g_free (self);
}

static WeftMetalModule *
module_new (void)
{
  WeftMetalModule *self = g_new0 (WeftMetalModule, 1);

  self->arguments = g_ptr_array_new_with_free_func (argument_free);
  return self;
}

WeftMetalModule *
weft_metal_module_read (const guint8 *data, gsize size, const char *function, GError **error)
{
  g_autoptr (WeftMetalBitstream) stream = weft_metal_bitstream_new (data, size, error);
  g_autoptr (WeftMetalMetadata) metadata = NULL;
  g_autoptr (WeftMetalModule) module = NULL;
  Reader reader = { .stream = stream };
  gboolean good;

  if (stream == NULL)
    return NULL;
  metadata = weft_metal_metadata_new ();
  module = module_new ();
  reader.metadata = metadata;
  reader.module = module;
  reader.texts_left = 4 * size;
  reader.values = g_array_new (FALSE, FALSE, sizeof (Value));
  reader.functions = g_array_new (FALSE, FALSE, sizeof (Function));
  reader.locations = g_array_new (FALSE, FALSE, sizeof (Location));
  g_array_set_clear_func (reader.functions, function_clear);

  good = read_blocks (&reader, error);
  if (good)
    read_facts (&reader, function);
  g_array_unref (reader.values);
  g_array_unref (reader.functions);
  g_array_unref (reader.locations);
  return good ? g_steal_pointer (&module) : NULL;
}
