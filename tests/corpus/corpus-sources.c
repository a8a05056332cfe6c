/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Texts that routines were made from, in several languages and in every degree of completeness. */

#include "corpus.h"

static const char gemm_text[] = "#include <metal_stdlib>\n"
                                "using namespace metal;\n"
                                "\n"
                                "kernel void gemm_q4 (device const uchar *a [[buffer (0)]],\n"
                                "                     device const half *b [[buffer (1)]],\n"
                                "                     device half *c [[buffer (2)]],\n"
                                "                     uint id [[thread_position_in_grid]])\n"
                                "{\n"
                                "  c[id] = half (a[id] & 15) * b[id]; // größer als 4 Bit?\n"
                                "}\n"
                                "\n"
                                "kernel void rms_norm (device half *x [[buffer (0)]],\n"
                                "                      uint id [[thread_position_in_grid]])\n"
                                "{\n"
                                "  x[id] *= rsqrt (x[id] * x[id] + 1e-5h);\n"
                                "}\n";

static const char query_text[] = "SELECT o.id, o.total\n"
                                 "  FROM orders AS o\n"
                                 " WHERE o.customer = $1\n"
                                 " ORDER BY o.placed DESC;\n";

static const char script_text[] = "def decode (frame):\n"
                                  "    for block in frame:\n"
                                  "        yield block * 2\n";

static const char opencl_text[] = "__kernel void scale (__global float *x, float factor)\n"
                                  "{\n"
                                  "  x[get_global_id (0)] *= factor;\n"
                                  "}\n";

static const WeftTargetLine gemm_lines[] = { { 0, 4, 1 },   { 16, 9, 3 },  { 40, 9, 11 },
                                             { 64, 10, 1 }, { 80, 12, 1 }, { 96, 15, 3 },
                                             { 128, 16, 1 } };

static CorpusLane *
lane (void)
{
  return corpus_lane ("sources", "metal.queue");
}

static uint32_t
add_source (WeftTargetSource source)
{
  return weft_target_source_new (&source, sizeof source);
}

/* The same one each time. */
static uint32_t
gemm_source (void)
{
  static uint32_t source;

  if (source == 0)
    source = add_source ((WeftTargetSource){ .language = "metal",
                                             .path = "shaders/gemm.metal",
                                             .hash = "sha256:6f2d0f0c5a3e",
                                             .text = gemm_text,
                                             .flavour = "release",
                                             .build_flags = "-O3 -ffast-math -std=metal3.1",
                                             .lines = gemm_lines,
                                             .n_lines = N_ELEMENTS (gemm_lines) });
  return source;
}

static WeftTargetRoutine *
add_routine (const char *name, const char *label, const char *flavour, uint32_t source,
             uint32_t first, uint32_t last)
{
  const WeftTargetRoutineInfo info = { name, label, flavour, source, first, last };

  return weft_target_routine_new_full (&info, sizeof info);
}

static void
run (WeftTargetRoutine *routine, uint64_t start)
{
  WeftTargetDispatch dispatch = corpus_dispatch (lane (), routine->name, start, 2 * MS);

  dispatch.routine = routine;
  corpus_emit (lane (), &dispatch);
}

static void
source_text (void)
{
  static const struct
  {
    const char *routine, *language, *path, *text;
    uint32_t last;
  } texts[] = { { "decode", "python", "filters/decode.py", script_text, 3 },
                { "SELECT orders by customer", "sql", NULL, query_text, 4 },
                { "scale", "opencl", "kernels/scale.cl", opencl_text, 4 } };

  for (size_t i = 0; i < N_ELEMENTS (texts); i++)
    {
      uint32_t source = add_source ((WeftTargetSource){
          .language = texts[i].language, .path = texts[i].path, .text = texts[i].text });

      run (add_routine (texts[i].routine, NULL, NULL, source, 1, texts[i].last), (10 + 3 * i) * MS);
    }
}

static void
source_line_table (void)
{
  run (add_routine ("source-line-table", NULL, NULL, gemm_source (), 4, 10), 20 * MS);
}

static void
source_ranges (void)
{
  uint32_t source = gemm_source ();
  WeftTargetRoutine *gemm = add_routine ("source-ranges", NULL, NULL, source, 4, 10);
  WeftTargetRoutine *norm = add_routine ("source-ranges-other", NULL, NULL, source, 12, 16);

  weft_target_source_map (source, gemm, 4, 7);
  weft_target_source_map (source, gemm, 8, 10);
  weft_target_source_map (source, norm, 12, 16);
  run (gemm, 30 * MS);
  run (norm, 33 * MS);
}

static void
source_hash_only (void)
{
  uint32_t source = add_source ((WeftTargetSource){
      .language = "spir-v", .hash = "sha256:9c56cc51b374c3ba189210d5b6d4bf57" });

  run (add_routine ("source-hash-only", NULL, NULL, source, 0, 0), 40 * MS);
}

static void
source_path_only (void)
{
  uint32_t source =
      add_source ((WeftTargetSource){ .language = "c", .path = "/usr/src/codec/deblock.c" });

  run (add_routine ("source-path-only", NULL, NULL, source, 120, 188), 50 * MS);
}

static void
source_flavours (void)
{
  static const char *const flavours[] = { "f16", "q4", "q4-debug" };
  static const char *const flags[] = { "-O3", "-O3 -DQ4=1", "-O0 -g -DQ4=1" };

  for (size_t i = 0; i < N_ELEMENTS (flavours); i++)
    {
      uint32_t source = add_source ((WeftTargetSource){ .language = "metal",
                                                        .path = "shaders/attention.metal",
                                                        .text = gemm_text,
                                                        .flavour = flavours[i],
                                                        .build_flags = flags[i] });

      run (add_routine ("source-flavours", "Attention", flavours[i], source, 4, 10),
           (60 + 3 * i) * MS);
    }
}

static void
source_override (void)
{
  uint32_t source = add_source ((WeftTargetSource){
      .language = "javascript", .path = "app.js", .text = "render ();\nupdate ();\n" });
  WeftTargetRoutine *routine = add_routine ("source-override", NULL, NULL, gemm_source (), 4, 10);
  WeftTargetDispatch dispatch = corpus_dispatch (lane (), routine->name, 70 * MS, 2 * MS);

  dispatch.routine = routine;
  dispatch.source = source;
  dispatch.first_line = 2;
  dispatch.last_line = 2;
  corpus_emit (lane (), &dispatch);
}

static void
source_none (void)
{
  corpus_span (lane (), "source-none", 80 * MS, 2 * MS);
}

static const CorpusCase cases[] = {
  { "source-text", "Python, SQL and OpenCL texts, of a routine each",
    "lane `sources`: `decode`, `SELECT orders by customer`, `scale`, each with the whole text as a "
    "blob; the SQL has no path",
    source_text },
  { "source-line-table", "Metal text with UTF-8 in it, hash, flavour, flags and a line table",
    "routine of lines 4 to 10 of `shaders/gemm.metal`; 7 rows of its line table",
    source_line_table },
  { "source-ranges", "two routines of one text, one of them in two ranges",
    "ranges 4–7 and 8–10 of `source-ranges`, 12–16 of `source-ranges-other`", source_ranges },
  { "source-hash-only", "a binary of which only the hash is told",
    "language `spir-v`, hash, no path, no text", source_hash_only },
  { "source-path-only", "a file of which only the path is told",
    "path `/usr/src/codec/deblock.c`, no hash, no text; lines 120 to 188", source_path_only },
  { "source-flavours", "one routine built three ways from one text",
    "three routines of that name with flavours `f16`, `q4`, `q4-debug`, label `Attention`, three "
    "sources with flags of their own that share one blob",
    source_flavours },
  { "source-override", "a dispatch that comes from elsewhere than its routine",
    "the dispatch says line 2 of `app.js`, its routine `shaders/gemm.metal`", source_override },
  { "source-none", "a routine without a source", "no source", source_none },
};

const CorpusGroup corpus_sources = { "sources", cases, N_ELEMENTS (cases) };
