/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "cpu-rows.h"
#include "sample.h"

#include <gio/gio.h>
#include <string.h>

/* ---- A function, made by hand ---- */

/* push %rbp; mov %rsp,%rbp; call 0x2000; imul %rdi,%rax; jne 0x1004; pop %rbp; ret */
static const guint8 work_code[] = { 0x55, 0x48, 0x89, 0xe5, 0xe8, 0xf7, 0x0f, 0x00, 0x00,
                                    0x48, 0x0f, 0xaf, 0xc7, 0x75, 0xf5, 0x5d, 0xc3 };

#define WORK 0x1000
#define CALL (WORK + 4)
#define MULTIPLY (WORK + 9)
#define JUMP (WORK + 13)

static const char *const work_source = "// 1\n// 2\n// 3\n// 4\n// 5\n// 6\n// 7\n// 8\n"
                                       "static int\n"
                                       "work (int by)\n"
                                       "  callee ();\n"
                                       "  do by = mix (by); while (by);\n"
                                       "  // nothing\n"
                                       "}\n";

typedef struct
{
  Sample *sample;
  Model *model;
  guint64 module;
  guint64 work;
  guint64 mix;
  guint64 callee;
} Function;

static void
function_clear (Function *self)
{
  g_clear_pointer (&self->sample, sample_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Function, function_clear)

static guint64
add_symbol (Function *self, const char *name, guint64 offset, guint64 size, const char *file,
            guint64 line)
{
  model_begin (self->model, WEFT_TABLE_SYMBOLS);
  model_set (self->model, WEFT_SYMBOLS_MODULE, self->module);
  model_set (self->model, WEFT_SYMBOLS_NAME, model_string (self->model, name));
  model_set (self->model, WEFT_SYMBOLS_OFFSET, offset);
  model_set (self->model, WEFT_SYMBOLS_SIZE, size);
  if (file != NULL)
    model_set (self->model, WEFT_SYMBOLS_FILE, model_string (self->model, file));
  model_set (self->model, WEFT_SYMBOLS_LINE, line);
  return model_commit (self->model);
}

static guint64
add_code (Function *self, guint64 symbol, guint64 offset, const char *architecture,
          const void *bytes, gsize length)
{
  model_begin (self->model, WEFT_TABLE_CODE);
  model_set (self->model, WEFT_CODE_MODULE, self->module);
  model_set (self->model, WEFT_CODE_SYMBOL, symbol);
  model_set (self->model, WEFT_CODE_OFFSET, offset);
  model_set (self->model, WEFT_CODE_SIZE, length);
  model_set (self->model, WEFT_CODE_ARCHITECTURE, model_string (self->model, architecture));
  model_set (self->model, WEFT_CODE_BYTES,
             weft_store_writer_blob (self->model->writer, bytes, length));
  return model_commit (self->model);
}

static void
add_line (Function *self, guint64 code, guint64 offset, guint64 depth, guint64 symbol,
          const char *file, guint64 line)
{
  model_begin (self->model, WEFT_TABLE_CODE_LINES);
  model_set (self->model, WEFT_CODE_LINES_CODE, code);
  model_set (self->model, WEFT_CODE_LINES_OFFSET, offset);
  model_set (self->model, WEFT_CODE_LINES_DEPTH, depth);
  model_set (self->model, WEFT_CODE_LINES_SYMBOL, symbol);
  model_set (self->model, WEFT_CODE_LINES_FILE, model_string (self->model, file));
  model_set (self->model, WEFT_CODE_LINES_LINE, line);
  model_commit (self->model);
}

static void
add_source (Function *self, const char *path, const char *text)
{
  model_begin (self->model, WEFT_TABLE_SOURCES);
  model_set (self->model, WEFT_SOURCES_PATH, model_string (self->model, path));
  model_set (self->model, WEFT_SOURCES_TEXT,
             weft_store_writer_blob (self->model->writer, text, strlen (text)));
  model_commit (self->model);
}

static guint64
add_frame (Function *self, guint64 offset, guint64 flags, guint64 symbol, guint64 line)
{
  guint64 frame = cpu_frame (self->model, self->module, offset, flags);

  cpu_frame_symbol (self->model, frame, 0, symbol, "f.c", line);
  return frame;
}

/* main calls work, which calls callee and itself, and into which mix is inlined. */
static void
add_samples (Function *self)
{
  Model *model = self->model;
  guint64 main_symbol = add_symbol (self, "main", 0x500, 0x20, "f.c", 30);
  guint64 multiply = add_frame (self, MULTIPLY, 0, self->work, 12);
  guint64 main_stack;
  guint64 call;

  cpu_frame_symbol (model, multiply, 1, self->mix, "mix.h", 3);
  main_stack = cpu_callchain (model, 0, add_frame (self, 0x510, 1, main_symbol, 31));
  call = cpu_callchain (model, main_stack, add_frame (self, CALL + 5, 1, self->work, 11));
  cpu_sample (model, 1, 1, cpu_callchain (model, main_stack, multiply), 20);
  cpu_sample (model, 1, 2, cpu_callchain (model, main_stack, multiply), 10);
  cpu_sample (model, 1, 3,
              cpu_callchain (model, main_stack, add_frame (self, JUMP, 0, self->work, 12)), 10);
  cpu_sample (model, 1, 4,
              cpu_callchain (model, call, add_frame (self, 0x2003, 0, self->callee, 20)), 20);
  /* Twice on the stack, and once in its sum. */
  cpu_sample (model, 1, 5, cpu_callchain (model, call, add_frame (self, WORK, 0, self->work, 10)),
              5);
  cpu_sample (model, 1, 6, cpu_callchain (model, 0, add_frame (self, 0x504, 0, main_symbol, 30)),
              15);
}

static const char *const later_strings[] = { "twice", "call<int>(int)", "x86_64", "aarch64",
                                             "pdp11" };

static void
function_init (Function *self, gboolean with_code, gboolean with_lines)
{
  guint64 code;

  self->sample = sample_new ();
  self->model = self->sample->model;
  self->module = cpu_module (self->model, "program", WEFT_MODULE_KIND_FILE);
  /* The model counts strings of its own only, and blobs have some too: all others come first. */
  for (gsize i = 0; i < G_N_ELEMENTS (later_strings); i++)
    model_string (self->model, later_strings[i]);
  self->work = add_symbol (self, "work", WORK, sizeof work_code, "f.c", 9);
  self->mix = add_symbol (self, "mix", 0, 0, "mix.h", 1);
  self->callee = add_symbol (self, "callee", 0x2000, 0x40, "f.c", 19);
  add_samples (self);
  if (!with_code)
    return;
  code = add_code (self, self->work, WORK, "x86_64", work_code, sizeof work_code);
  if (!with_lines)
    return;
  add_line (self, code, WORK, 0, self->work, "f.c", 10);
  add_line (self, code, CALL, 0, self->work, "f.c", 11);
  add_line (self, code, MULTIPLY, 0, self->work, "f.c", 12);
  add_line (self, code, MULTIPLY, 1, self->mix, "mix.h", 3);
  add_line (self, code, JUMP, 0, self->work, "f.c", 12);
  add_line (self, code, JUMP + 2, 0, self->work, "f.c", 14);
  add_source (self, "f.c", work_source);
}

static WeftReport *
ask (Function *self, const char *handle, const char *mode)
{
  g_autoptr (GError) error = NULL;
  WeftAnalysis *analysis = sample_analysis (self->sample, "annotate");

  weft_analysis_set_handle (analysis, handle);
  g_assert_true (mode == NULL || weft_analysis_set_mode (analysis, mode, &error));
  return sample_run (analysis);
}

static const char *
get_hint (WeftReport *report)
{
  const char *hint = weft_table_get_hint (weft_report_get_main_table (report));

  return hint ? hint : "";
}

static gboolean
has_disassembler (void)
{
#ifdef HAVE_CAPSTONE
  return TRUE;
#else
  return FALSE;
#endif
}

/* ---- Costs ---- */

static void
test_costs (void)
{
  g_auto (Function) function = { 0 };
  g_autoptr (WeftReport) report = NULL;

  function_init (&function, TRUE, TRUE);
  report = ask (&function, NULL, NULL);
  sample_assert_table (weft_report_get_main_table (report),
                       "symbol symbol_name module_name file line samples self total share view",
                       "sym-1 work program f.c 9 4 45 65 0.56 mixed\n");
  sample_assert_table (weft_report_get_table (report, "lines"),
                       "depth line file function samples self total",
                       "0 10 f.c - 1 5 5\n"
                       "0 11 f.c - 0 0 25\n"
                       "0 12 f.c - 3 40 40\n"
                       "1 3 mix.h mix 2 30 30\n"
                       "0 13 f.c - 0 0 0\n"
                       "0 14 f.c - 0 0 0\n");
  sample_assert_table (weft_report_get_table (report, "lines"), "text",
                       "work (int by)\n"
                       "  callee ();\n"
                       "  do by = mix (by); while (by);\n"
                       "-\n"
                       "  // nothing\n"
                       "}\n");
  g_assert_nonnull (strstr (get_hint (report), "A sample is taken some instructions after"));
}

static void
test_instructions (void)
{
  g_auto (Function) function = { 0 };
  g_autoptr (WeftReport) report = NULL;

  if (!has_disassembler ())
    {
      g_test_skip ("built without Capstone");
      return;
    }
  function_init (&function, TRUE, TRUE);
  report = ask (&function, "work", "assembly");
  sample_assert_table (weft_report_get_table (report, "instructions"),
                       "address text target target_name samples self total depth function line",
                       "4096 pushq %rbp - - 1 5 5 0 - 10\n"
                       "4097 movq %rsp, %rbp - - 0 0 0 0 - 10\n"
                       "4100 callq 0x2000 sym-3 callee 0 0 25 0 - 11\n"
                       "4105 imulq %rdi, %rax - - 2 30 30 1 mix 3\n"
                       "4109 jne 0x1004 sym-1 work+0x4 1 10 10 0 - 12\n"
                       "4111 popq %rbp - - 0 0 0 0 - 14\n"
                       "4112 retq - - 0 0 0 0 - 14\n");
  g_assert_null (weft_report_get_table (report, "lines"));
}

/* Without code and lines the frames of samples still tell some. */
static void
test_without_code (void)
{
  g_auto (Function) bare = { 0 };
  g_auto (Function) no_lines = { 0 };
  g_autoptr (WeftReport) of_bare = NULL;
  g_autoptr (WeftReport) of_code = NULL;

  function_init (&bare, FALSE, FALSE);
  of_bare = ask (&bare, "work", NULL);
  sample_assert_table (weft_report_get_table (of_bare, "lines"), "depth line samples self total",
                       "0 10 1 5 5\n"
                       "0 11 0 0 25\n"
                       "0 12 3 40 40\n"
                       "1 3 2 30 30\n");
  g_assert_null (weft_report_get_table (of_bare, "instructions"));
  g_assert_nonnull (strstr (get_hint (of_bare), "has no code of it"));
  g_assert_nonnull (strstr (get_hint (of_bare), "text of its source is not in the recording"));

  function_init (&no_lines, TRUE, FALSE);
  of_code = ask (&no_lines, "work", "assembly");
  g_assert_cmpuint (weft_table_get_n_rows (weft_report_get_table (of_code, "instructions")), >, 0);
}

/* ---- Which function ---- */

static void
test_inlined (void)
{
  g_auto (Function) function = { 0 };
  g_autoptr (WeftReport) report = NULL;

  function_init (&function, TRUE, TRUE);
  report = ask (&function, "mix", NULL);
  sample_assert_table (weft_report_get_main_table (report),
                       "symbol inlined samples self total view", "sym-2 yes 2 30 30 source\n");
  sample_assert_table (weft_report_get_table (report, "lines"), "depth line self", "0 3 30\n");
  g_assert_nonnull (strstr (get_hint (report), "inlined wherever it ran"));
}

static void
fails (Function *self, const char *handle, WeftError code, const char *text)
{
  WeftAnalysis *analysis = sample_analysis (self->sample, "annotate");

  weft_analysis_set_handle (analysis, handle);
  sample_fails (analysis, code, text);
}

static void
test_names (void)
{
  g_auto (Function) function = { 0 };
  g_autoptr (WeftReport) by_begin = NULL;
  g_autoptr (WeftReport) by_handle = NULL;
  guint64 other;

  function_init (&function, TRUE, TRUE);
  for (guint i = 0; i < 2; i++)
    {
      other = add_symbol (&function, "twice", 0x3000 + i * 0x100, 0x40, "f.c", 40);
      cpu_sample (function.model, 1, 7,
                  cpu_callchain (function.model, 0,
                                 add_frame (&function, 0x3000 + i * 0x100, 0, other, 41)),
                  1 + i);
    }
  add_code (&function, add_symbol (&function, "call<int>(int)", 0x4000, 4, NULL, 0), 0x4000,
            "x86_64", "\x90\x90\x90\xc3", 4);
  /* A row that says the same again is the same function. */
  add_symbol (&function, "work", WORK, sizeof work_code, "f.c", 9);
  by_begin = ask (&function, "call", NULL);
  sample_assert_table (weft_report_get_main_table (by_begin), "symbol_name", "call<int>(int)\n");
  by_handle = ask (&function, "sym-8", NULL);
  sample_assert_table (weft_report_get_main_table (by_handle), "symbol self", "sym-1 45\n");
}

static void
test_bad_names (void)
{
  g_auto (Function) function = { 0 };
  g_auto (Function) empty = { 0 };
  guint64 other;

  function_init (&function, TRUE, TRUE);
  for (guint i = 0; i < 2; i++)
    {
      other = add_symbol (&function, "twice", 0x3000 + i * 0x100, 0x40, "f.c", 40);
      cpu_sample (function.model, 1, 7,
                  cpu_callchain (function.model, 0,
                                 add_frame (&function, 0x3000 + i * 0x100, 0, other, 41)),
                  1 + i);
    }
  fails (&function, "twice", WEFT_ERROR_INVALID_QUERY,
         "sym-6 twice (program), sym-5 twice (program)");
  fails (&function, "t*", WEFT_ERROR_INVALID_QUERY, "by its handle");
  fails (&function, "nothing", WEFT_ERROR_NO_SUCH_OBJECT, "weft top");
  fails (&function, "sym-99", WEFT_ERROR_NO_SUCH_OBJECT, "There is no symbol sym-99");

  empty.sample = sample_new ();
  fails (&empty, NULL, WEFT_ERROR_NO_SUCH_OBJECT, "no CPU samples");
}

/* ---- Another machine ---- */

static gboolean
run_tool (const char *folder, const char *first, ...)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  va_list arguments;
  int status;

  va_start (arguments, first);
  for (const char *word = first; word != NULL; word = va_arg (arguments, const char *))
    g_ptr_array_add (words, (gpointer) word);
  va_end (arguments);
  g_ptr_array_add (words, NULL);
  return g_spawn_sync (folder, (char **) words->pdata, NULL,
                       G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, NULL,
                       &status, &error) &&
         g_spawn_check_wait_status (status, NULL);
}

/* A function that a cross compiler made. */
static void
test_aarch64 (void)
{
  g_auto (Function) function = { 0 };
  g_autoptr (WeftReport) report = NULL;
  g_autofree char *source = NULL, *object = NULL, *binary = NULL, *code = NULL, *text = NULL;
  gsize length;

  function_init (&function, FALSE, FALSE);
  source = g_build_filename (function.sample->directory, "f.c", NULL);
  object = g_build_filename (function.sample->directory, "f.o", NULL);
  binary = g_build_filename (function.sample->directory, "f.bin", NULL);
  g_assert_true (g_file_set_contents (
      source, "long f (long a, long b) { return b ? a / b : a * 3; }", -1, NULL));
  if (!has_disassembler () ||
      !run_tool (NULL, "aarch64-linux-gnu-gcc", "-O1", "-c", "-o", object, source, NULL))
    {
      g_test_skip ("needs Capstone and aarch64-linux-gnu-gcc");
      return;
    }
  g_assert_true (run_tool (NULL, "aarch64-linux-gnu-objcopy", "-O", "binary", "-j", ".text", object,
                           binary, NULL));
  g_assert_true (g_file_get_contents (binary, &code, &length, NULL));
  add_code (&function, function.work, WORK, "aarch64", code, length);
  report = ask (&function, "work", "assembly");
  text = sample_text (weft_report_get_table (report, "instructions"), "text");
  g_assert_cmpuint (weft_table_get_n_rows (weft_report_get_table (report, "instructions")), ==,
                    length / 4);
  g_assert_nonnull (strstr (text, "sdiv x0, x0, x1"));
  g_assert_nonnull (strstr (text, "ret"));
}

/* A machine that nobody here understands: bytes, and the samples at them. */
static void
test_unknown_machine (void)
{
  g_auto (Function) function = { 0 };
  g_autoptr (WeftReport) report = NULL;

  function_init (&function, FALSE, FALSE);
  add_code (&function, function.work, WORK, "pdp11", work_code, sizeof work_code);
  report = ask (&function, "work", "assembly");
  sample_assert_table (weft_report_get_table (report, "instructions"), "address bytes text self",
                       "4096 55 48 89 e5 e8 f7 0f 00 - 5\n"
                       "4104 00 - 0\n"
                       "4105 48 0f af c7 - 30\n"
                       "4109 75 f5 5d c3 - 10\n");
  g_assert_nonnull (strstr (get_hint (report), "shown as bytes"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/analyze/annotate/costs", test_costs);
  g_test_add_func ("/analyze/annotate/instructions", test_instructions);
  g_test_add_func ("/analyze/annotate/without-code", test_without_code);
  g_test_add_func ("/analyze/annotate/inlined", test_inlined);
  g_test_add_func ("/analyze/annotate/names", test_names);
  g_test_add_func ("/analyze/annotate/bad-names", test_bad_names);
  g_test_add_func ("/analyze/annotate/aarch64", test_aarch64);
  g_test_add_func ("/analyze/annotate/unknown-machine", test_unknown_machine);
  return g_test_run ();
}
