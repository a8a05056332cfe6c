/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Text that a view must not believe: all on one lane, whose own name is the first of it. */

#include "corpus.h"

#include <stdlib.h>
#include <string.h>

#define LANE_NAME "hostile \033[31mred\007 lane"

static CorpusLane *
lane (void)
{
  return corpus_lane (LANE_NAME, "executor.worker");
}

/* As routine, label, message, tag and attachment. */
static void
emit (const char *text, uint64_t start)
{
  const WeftTargetErrorDetail error = { text, text, text, text };
  const WeftTargetTag tag = corpus_tag (text, text);
  const WeftTargetAttachment attachment = {
    .kind = text, .label = text, .role = text, .element_type = text, .shape = text
  };
  WeftTargetDispatch dispatch = corpus_dispatch (lane (), text, start, MS);

  dispatch.label = text;
  dispatch.status = WEFT_TARGET_ERROR;
  dispatch.error = &error;
  dispatch.tags = &tag;
  dispatch.n_tags = 1;
  dispatch.attachments = &attachment;
  dispatch.n_attachments = 1;
  corpus_emit (lane (), &dispatch);
}

static void
hostile_escapes (void)
{
  emit ("\033[2Jgone\033]0;title\007", 10 * MS);
}

static void
hostile_controls (void)
{
  emit ("two\nlines\r\tand \x01 more\x7f", 12 * MS);
}

static void
hostile_utf8 (void)
{
  emit ("bad \xff\xfe utf-8 \xc3", 14 * MS);
}

static void
hostile_bidi (void)
{
  emit ("right \xe2\x80\xae"
        "tfel-ot \xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d\xe2\x80\xac end",
        16 * MS);
}

static void
hostile_wide (void)
{
  emit (
      "\xe8\xa1\x8c\xe5\x88\x97\xe4\xb9\x97\xe7\xae\x97 \xf0\x9f\xa7\xb5 e\xcc\x81\xcc\x81\xcc\x81",
      18 * MS);
}

/* 300 two-byte characters: cut between two of them. */
static void
hostile_long (void)
{
  char text[601];

  for (size_t i = 0; i < 300; i++)
    memcpy (text + 2 * i, "\xc3\xbc", 2);
  text[600] = '\0';
  emit (text, 20 * MS);
}

static void
hostile_markup (void)
{
  emit ("<script>alert (1)</script> & \"'; DROP TABLE orders; -- %s%n {}[]\\", 22 * MS);
}

static void
hostile_empty (void)
{
  emit ("", 24 * MS);
}

static void
hostile_lane (void)
{
  corpus_span (corpus_lane ("", "\033[7mno.kind\033[0m \xe2\x80\xae"), "hostile-lane", 26 * MS, MS);
}

static void
hostile_long_lane (void)
{
  char name[301], kind[301];

  memset (name, 'l', 300);
  memset (kind, 'k', 300);
  name[300] = kind[300] = '\0';
  corpus_span (corpus_lane (name, kind), "hostile-long-lane", 28 * MS, MS);
}

static void
work_in_disguise (void *data)
{
  corpus_span (lane (), "hostile-thread", 30 * MS, MS);
}

static void
hostile_thread (void)
{
  CorpusThread *thread = corpus_thread_new ("\033[2J\r\n\xff) S 1");

  corpus_thread_run (thread, work_in_disguise, NULL);
  corpus_thread_free (thread);
}

static const CorpusCase cases[] = {
  { "hostile-escapes", "escape sequences of terminals",
    "kept as they came; no view prints them; the lane's name holds some, too", hostile_escapes },
  { "hostile-controls", "line ends, tabs and other control characters", "kept as they came",
    hostile_controls },
  { "hostile-utf8", "bytes that are no UTF-8", "replaced by U+FFFD, counted as invalid-utf8",
    hostile_utf8 },
  { "hostile-bidi", "text from right to left with an override", "kept as it came", hostile_bidi },
  { "hostile-wide", "wide, combining and astral characters", "kept as they came", hostile_wide },
  { "hostile-long", "600 bytes of a name",
    "cut to 256 bytes at a whole character, counted as "
    "string-cut; 600 bytes of message, stack, cause and tag",
    hostile_long },
  { "hostile-markup", "markup, quotes, format specifiers", "kept as they came", hostile_markup },
  { "hostile-empty", "nothing", "a routine without a name", hostile_empty },
  { "hostile-lane", "a lane without a name, of a kind that holds escape sequences",
    "both as they came", hostile_lane },
  { "hostile-long-lane", "300 bytes of a lane's name and kind", "256 bytes of each",
    hostile_long_lane },
  { "hostile-thread",
    "a thread's name with escape sequences and bad UTF-8, made to look like a "
    "line of the kernel's",
    "a thread `…) S 1` with escapes and U+FFFD", hostile_thread },
};

const CorpusGroup corpus_hostile = { "hostile", cases, N_ELEMENTS (cases) };
