/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cpu-rows.h"
#include "sample.h"

#include <string.h>

/* ---- A program, made by hand ---- */

typedef struct
{
  Sample *sample;
  GHashTable *modules; /* name → id */
  GHashTable *frames;  /* "module!function" → id */
  GHashTable *stacks;  /* path → id */
} Program;

static void
program_clear (Program *self)
{
  g_clear_pointer (&self->sample, sample_free);
  g_clear_pointer (&self->modules, g_hash_table_unref);
  g_clear_pointer (&self->frames, g_hash_table_unref);
  g_clear_pointer (&self->stacks, g_hash_table_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Program, program_clear)

static guint64
find_id (GHashTable *table, const char *name)
{
  return GPOINTER_TO_SIZE (g_hash_table_lookup (table, name));
}

static guint64
get_module (Program *self, const char *name)
{
  guint64 id = find_id (self->modules, name);

  if (id != 0)
    return id;
  id = cpu_module (self->sample->model, name,
                   *name == '[' ? WEFT_MODULE_KIND_KERNEL : WEFT_MODULE_KIND_FILE);
  g_hash_table_insert (self->modules, g_strdup (name), GSIZE_TO_POINTER (id));
  return id;
}

/* "module!function", or "module!function+inlined" */
static guint64
get_frame (Program *self, const char *text)
{
  const char *mark = strchr (text, '!');
  g_autofree char *module = g_strndup (text, (gsize) (mark - text));
  g_auto (GStrv) functions = g_strsplit (mark + 1, "+", -1);
  Model *model = self->sample->model;
  guint64 id = find_id (self->frames, text);
  guint64 of_module = get_module (self, module);

  if (id != 0)
    return id;
  id = cpu_frame (model, of_module, 16 * (g_hash_table_size (self->frames) + 1),
                  *module == '[' ? 2 : 0);
  for (guint i = 0; functions[i] != NULL; i++)
    cpu_frame_symbol (model, id, i, cpu_symbol (model, of_module, functions[i]), NULL, 0);
  g_hash_table_insert (self->frames, g_strdup (text), GSIZE_TO_POINTER (id));
  return id;
}

/* Frames with "|" between, the outermost first. */
static guint64
get_stack (Program *self, const char *path)
{
  const char *last = strrchr (path, '|');
  g_autofree char *outer = last ? g_strndup (path, (gsize) (last - path)) : NULL;
  guint64 id = find_id (self->stacks, path);
  guint64 parent;

  if (id != 0)
    return id;
  parent = outer ? get_stack (self, outer) : 0;
  id = cpu_callchain (self->sample->model, parent, get_frame (self, last ? last + 1 : path));
  g_hash_table_insert (self->stacks, g_strdup (path), GSIZE_TO_POINTER (id));
  return id;
}

static void
program_init (Program *self)
{
  self->sample = sample_new ();
  self->modules = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->frames = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->stacks = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

#define START "program!_start|libc.so.6!__libc_start_main|program!main|"
#define HOSTILE                                                                                    \
  "a<b>&\"]]></script><script>alert(1)</script>\n\001\x1b[31m\xe2\x80\xae\xef\xbf\xbf'"

static const struct
{
  const char *path;
  guint n;
} work[] = {
  { START "program!load_scene|program!parse_file+next_token", 120 },
  { START "program!load_scene|program!parse_file|libc.so.6!memcpy", 40 },
  { START "program!load_scene|libz.so.1!inflate|libz.so.1!inflate_fast", 95 },
  { START "program!load_scene|libc.so.6!read|[kernel]!entry_SYSCALL_64|[kernel]!vfs_read", 35 },
  { START "program!render|program!trace_ray|program!hit_sphere+dot", 260 },
  { START "program!render|program!trace_ray|program!hit_sphere", 90 },
  { START "program!render|program!trace_ray|program!trace_ray|program!shade|libm.so.6!__pow", 110 },
  { START "program!render|program!trace_ray|program!shade", 60 },
  { START "program!render|libstdc++.so.6!std::vector<Hit, std::allocator<Hit> >::push_back", 25 },
  { START "program!write_image|libpng16.so.16!png_write_row|libz.so.1!deflate", 80 },
  { START "program!" HOSTILE, 12 },
  { "[kernel]!asm_exc_page_fault|[kernel]!handle_mm_fault", 9 },
};

/* Samples each millisecond, and a wait after each hundred. */
static void
make_program (Program *self)
{
  gint64 time = 0;
  guint64 deep;

  program_init (self);
  deep = get_stack (self, "program!deep_recursion");
  sample_thread (self->sample, 102, "helper");
  for (gsize i = 0; i < G_N_ELEMENTS (work); i++)
    {
      guint64 stack = get_stack (self, work[i].path);

      for (guint n = 0; n < work[i].n; n++)
        cpu_sample (self->sample->model, 1, time += 1000000, stack, 1000000);
      cpu_wait (self->sample->model, 1, time, 4000000, 1 + (guint) i % WEFT_WAIT_REASON_OTHER,
                stack);
      time += 4000000;
    }
  cpu_wait (self->sample->model, 2, 0, (guint64) time / 10, WEFT_WAIT_REASON_IDLE,
            get_stack (self, "libc.so.6!start_thread|program!helper"));
  model_begin (self->sample->model, WEFT_TABLE_SAMPLES);
  model_set (self->sample->model, WEFT_SAMPLES_THREAD, 2);
  model_set (self->sample->model, WEFT_SAMPLES_TIME, (guint64) time);
  model_set (self->sample->model, WEFT_SAMPLES_CALLCHAIN, deep);
  model_set (self->sample->model, WEFT_SAMPLES_WEIGHT, 20000000);
  model_set (self->sample->model, WEFT_SAMPLES_END, WEFT_STACK_END_TRUNCATED);
  model_commit (self->sample->model);
}

static char *
draw (Program *self, const char *mode, const char *order)
{
  g_autoptr (GError) error = NULL;
  WeftAnalysis *analysis = sample_analysis (self->sample, "flame");
  g_autoptr (WeftReport) report = NULL;
  char *svg;

  g_assert_true (weft_analysis_set_mode (analysis, mode, &error));
  g_assert_true (weft_analysis_set_order_by (analysis, order, &error));
  report = sample_run (analysis);
  svg = weft_flame_to_svg (report, "program <" HOSTILE ">", &error);
  g_assert_no_error (error);
  return svg;
}

/* ---- What is in a picture ---- */

typedef struct
{
  GPtrArray *boxes; /* first lines of their titles */
  guint n_scripts;
  gboolean in_title;
  gboolean in_box;
} Found;

static void
start_element (GMarkupParseContext *context, const char *name, const char **names,
               const char **values, gpointer data, GError **error)
{
  Found *found = data;

  found->in_title = strcmp (name, "title") == 0;
  found->n_scripts += strcmp (name, "script") == 0;
  for (guint i = 0; names[i] != NULL; i++)
    {
      if (strcmp (name, "g") == 0 && strcmp (names[i], "class") == 0)
        found->in_box = g_str_has_prefix (values[i], "b ");
      /* Nothing is fetched, and nothing runs but the script. */
      g_assert_false (g_str_has_prefix (names[i], "on"));
      g_assert_null (strstr (names[i], "href"));
      g_assert_true (strcmp (names[i], "xmlns") == 0 || strstr (values[i], "//") == NULL);
    }
}

static void
take_text (GMarkupParseContext *context, const char *text, gsize length, gpointer data,
           GError **error)
{
  Found *found = data;
  const char *end = memchr (text, '\n', length);

  if (found->in_title && found->in_box)
    g_ptr_array_add (found->boxes, g_strndup (text, end ? (gsize) (end - text) : length));
  found->in_title = FALSE;
}

static void
read_picture (const char *svg, Found *found)
{
  static const GMarkupParser parser = { .start_element = start_element, .text = take_text };
  g_autoptr (GMarkupParseContext) context =
      g_markup_parse_context_new (&parser, G_MARKUP_TREAT_CDATA_AS_TEXT, found, NULL);
  g_autoptr (GError) error = NULL;

  *found = (Found){ .boxes = g_ptr_array_new_with_free_func (g_free) };
  g_markup_parse_context_parse (context, svg, -1, &error);
  g_assert_no_error (error);
  g_markup_parse_context_end_parse (context, &error);
  g_assert_no_error (error);
}

static gboolean
has_box (const Found *found, const char *name)
{
  for (guint i = 0; i < found->boxes->len; i++)
    if (strcmp (g_ptr_array_index (found->boxes, i), name) == 0)
      return TRUE;
  return FALSE;
}

/* Names that mean harm are text, and nothing but text. */
static void
test_hostile_names (void)
{
  g_auto (Program) program = { 0 };
  static const char *const orders[] = { "total", "time" };

  make_program (&program);
  for (gsize i = 0; i < G_N_ELEMENTS (orders); i++)
    {
      g_autofree char *svg = draw (&program, "wall", orders[i]);
      Found found;

      read_picture (svg, &found);
      g_assert_cmpuint (found.n_scripts, ==, 1);
      g_assert_true (has_box (&found, "main"));
      g_assert_true (has_box (&found, "main (101)"));
      g_assert_true (has_box (&found, "next_token"));
      g_assert_true (has_box (&found, "[stack cut: longer than its copy]"));
      g_assert_null (strstr (svg, "\x1b"));
      g_assert_null (strstr (svg, "\xe2\x80\xae"));
      g_assert_null (strstr (svg, "<script>alert"));
      g_assert_nonnull (strstr (svg, "a&lt;b&gt;&amp;&quot;]]&gt;&lt;/script&gt;"));
      g_ptr_array_unref (found.boxes);
    }
}

/* The picture of a whole, to the letter; WEFT_TEST_UPDATE writes it anew. */
static void
test_golden (void)
{
  g_auto (Program) program = { 0 };
  static const char *const modes[][2] = { { "cpu", "total" },
                                          { "wall", "total" },
                                          { "wall", "time" } };

  make_program (&program);
  for (gsize i = 0; i < G_N_ELEMENTS (modes); i++)
    {
      g_autofree char *svg = draw (&program, modes[i][0], modes[i][1]);
      g_autofree char *again = draw (&program, modes[i][0], modes[i][1]);
      g_autofree char *name = g_strdup_printf ("flame-%s-%s.svg", modes[i][0], modes[i][1]);
      g_autofree char *path = g_build_filename (GOLDEN, name, NULL);
      g_autofree char *expected = NULL;
      g_autoptr (GError) error = NULL;

      g_assert_cmpstr (svg, ==, again);
      if (g_getenv ("WEFT_TEST_UPDATE") != NULL)
        g_file_set_contents (path, svg, -1, &error);
      g_file_get_contents (path, &expected, NULL, &error);
      g_assert_no_error (error);
      if (strcmp (svg, expected) != 0)
        g_error ("%s differs; run with WEFT_TEST_UPDATE=1 and look at the picture", name);
    }
}

static guint
count_boxes (const char *svg)
{
  Found found;
  guint n;

  read_picture (svg, &found);
  n = found.boxes->len;
  g_ptr_array_unref (found.boxes);
  return n;
}

/* Boxes that nobody could see are not there, and the picture says so. */
static void
test_narrow (void)
{
  g_auto (Program) program = { 0 };
  g_autofree char *svg = NULL;

  program_init (&program);
  cpu_sample (program.sample->model, 1, 0, get_stack (&program, "a!long"), 1000000);
  for (guint i = 0; i < 500; i++)
    {
      g_autofree char *path = g_strdup_printf ("a!short%u|a!inner", i);

      cpu_sample (program.sample->model, 1, i, get_stack (&program, path), 10);
    }
  svg = draw (&program, "cpu", "total");
  g_assert_cmpuint (count_boxes (svg), ==, 3);
  g_assert_nonnull (strstr (svg, "1000 boxes too narrow to be seen are left out"));
}

static void
test_nothing (void)
{
  g_auto (Program) program = { 0 };
  g_autofree char *svg = NULL;

  program_init (&program);
  svg = draw (&program, "off-cpu", "total");
  g_assert_cmpuint (count_boxes (svg), ==, 0);
  g_assert_nonnull (strstr (svg, "The recording has no waits"));
}

static void
test_other_reports (void)
{
  g_auto (Program) program = { 0 };
  g_autoptr (WeftReport) report = NULL;
  g_autoptr (GError) error = NULL;

  program_init (&program);
  report = sample_run (sample_analysis (program.sample, "target-lanes"));
  g_assert_null (weft_flame_to_svg (report, "", &error));
  g_assert_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_QUERY);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/analyze/flame-svg/hostile-names", test_hostile_names);
  g_test_add_func ("/analyze/flame-svg/golden", test_golden);
  g_test_add_func ("/analyze/flame-svg/narrow", test_narrow);
  g_test_add_func ("/analyze/flame-svg/nothing", test_nothing);
  g_test_add_func ("/analyze/flame-svg/other-reports", test_other_reports);
  return g_test_run ();
}
