/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The filter language: what is read, how it is written back, and what is refused. */

#include <math.h>
#include <string.h>

#include "weft-enum-types.h"
#include "weft-error.h"
#include "weft-filter-private.h"
#include "weft-model.h"

/* ---- The tree as text, without the library's own printer ---- */

static void
dump_number (GString *out, const WeftFilterNumber *number)
{
  static const char *const units[] = { "", "ns", "B", "%" };

  g_string_append (out, number->negative ? "-" : "");
  if (number->integral)
    g_string_append_printf (out, "%" G_GUINT64_FORMAT, number->magnitude);
  else
    g_string_append_printf (out, "~%g", fabs (number->real));
  g_string_append (out, units[number->unit]);
}

static void
dump_range (GString *out, const WeftFilterRange *range)
{
  g_string_append_c (out, range->has_low && !range->low_open ? '[' : '(');
  if (range->has_low)
    dump_number (out, &range->low);
  g_string_append_c (out, ' ');
  if (range->has_high)
    dump_number (out, &range->high);
  g_string_append_c (out, range->has_high && !range->high_open ? ']' : ')');
}

static void
dump_matches (GString *out, const GPtrArray *matches)
{
  static const char *const kinds[] = { "word", "glob", "contains", "regex", "handle", "range" };

  for (guint i = 0; i < matches->len; i++)
    {
      const WeftFilterMatch *match = matches->pdata[i];

      g_string_append_printf (out, "%s%s ", i > 0 ? "|" : "", kinds[match->kind]);
      if (match->text != NULL)
        g_string_append_printf (out, "<%s>%s", match->text, match->ignore_case ? "i" : "");
      if (match->kind == WEFT_FILTER_MATCH_HANDLE)
        g_string_append_printf (out, "%s %" G_GUINT64_FORMAT,
                                weft_model_get_table ((WeftTableId) match->table)->name, match->id);
      if (match->kind == WEFT_FILTER_MATCH_RANGE || match->has_number)
        dump_range (out, &match->range);
    }
}

static void
dump_node (GString *out, const WeftFilterNode *node)
{
  static const char *const kinds[] = { "all", "and", "or", "not" };

  if (node->kind != WEFT_FILTER_NODE_TERM)
    {
      g_string_append_printf (out, "%s[", kinds[node->kind]);
      for (guint i = 0; i < node->children->len; i++)
        {
          g_string_append (out, i > 0 ? "; " : "");
          dump_node (out, node->children->pdata[i]);
        }
      g_string_append_c (out, ']');
      return;
    }
  g_string_append_printf (
      out, "%s{",
      node->field == WEFT_FILTER_FIELD_ANY ? "any" : weft_filter_field_info (node->field)->name);
  dump_matches (out, node->names);
  if (weft_filter_field_info (node->field)->keyed)
    g_string_append (out, " = ");
  dump_matches (out, node->values);
  if (node->words != 0)
    g_string_append_printf (out, "%#x", node->words);
  g_string_append_c (out, '}');
}

static char *
dump (WeftFilter *filter)
{
  GString *out = g_string_new (NULL);

  dump_node (out, weft_filter_get_root (filter));
  return g_string_free (out, FALSE);
}

static WeftFilter *
read_filter (const char *text)
{
  g_autoptr (GError) error = NULL;
  WeftFilter *filter = weft_filter_new (text, &error);

  g_assert_no_error (error);
  g_assert_nonnull (filter);
  return filter;
}

/* ---- Good texts ---- */

/* ---- Good texts ---- */

static const struct
{
  const char *text;
  const char *canonical;
  const char *tree;
} good[] = {
  { "", "", "all[]" },
  { " \t\n ", "", "all[]" },
  { "gemm", "gemm", "any{contains <gemm>}" },
  { "gemm*", "gemm*", "any{glob <gemm*>}" },
  { "~gemm", "gemm", "any{contains <gemm>}" },
  { "\"GPU 0\"", "\"GPU 0\"", "any{contains <GPU 0>}" },
  { "/a b/", "/a b/", "any{regex <a b>}" },
  { "a,b", "a,b", "any{contains <a>|contains <b>}" },
  { "hello!", "\"hello!\"", "any{contains <hello!>}" },
  { "\"or\"", "\"or\"", "any{contains <or>}" },
  { "order", "order", "any{contains <order>}" },
  { "l-3", "l-3", "any{contains <l-3>}" },
  { "a\\:b", "\"a:b\"", "any{contains <a:b>}" },
  { "\\-x", "\"-x\"", "any{contains <-x>}" },
  { "lane:GPU*", "lane:GPU*", "lane{glob <GPU*>}" },
  { "LANE:x", "lane:x", "lane{word <x>}" },
  { "lane=x", "lane:x", "lane{word <x>}" },
  { "lane!=x", "-lane:x", "not[lane{word <x>}]" },
  { "lane:a,\"b c\",~d,/e/,f?", "lane:a,\"b c\",~d,/e/,f?",
    "lane{word <a>|word <b c>|contains <d>|regex <e>|glob <f?>}" },
  { "lane:l-3,l-4", "lane:l-3,l-4", "lane{handle lanes 3|handle lanes 4}" },
  { "lane:\"l-3\"", "lane:\"l-3\"", "lane{word <l-3>}" },
  { "lane:l-x", "lane:l-x", "lane{word <l-x>}" },
  { "lane:\"a*b\"", "lane:\"a*b\"", "lane{word <a*b>}" },
  { "lane:a\\*b", "lane:\"a*b\"", "lane{word <a*b>}" },
  { "lane:a\\*b*", "lane:a\\*b*", "lane{glob <a\\*b*>}" },
  { "lane:GPU\\ *", "lane:GPU\\ *", "lane{glob <GPU *>}" },
  { "lane:~\"a b\"", "lane:~\"a b\"", "lane{contains <a b>}" },
  { "lane:~a*", "lane:~\"a*\"", "lane{contains <a*>}" },
  { "lane:\"say \\\"hi\\\" \\\\ \\u0007\\n\"", "lane:\"say \\\"hi\\\" \\\\ \\u0007\\u000a\"",
    "lane{word <say \"hi\" \\ \007\n>}" },
  { "lane:日本*", "lane:日本*", "lane{glob <日本*>}" },
  { "routine:std::vector", "routine:std::vector", "routine{word <std::vector>}" },
  { "routine:operator<", "routine:\"operator<\"", "routine{word <operator<>}" },
  { "label:/a\\/b/i", "label:/a\\/b/i", "label{regex <a/b>i}" },
  { "label:/\\//", "label:/\\//", "label{regex </>}" },
  { "source:/usr/lib/a.c", "source:\"/usr/lib/a.c\"", "source{word </usr/lib/a.c>}" },
  { "src:/usr", "source:\"/usr\"", "source{word </usr>}" },
  { "src:/usr.*/", "source:/usr.*/", "source{regex <usr.*>}" },
  { "source:/usr/*", "source:\\/usr/*", "source{glob </usr/*>}" },
  { "error:timeout", "error:timeout", "error{word <timeout>}" },
  { "origin:t-4", "origin:t-4", "origin{handle threads 4}" },
  { "tid:12", "thread:12", "thread{word <12>[12 12]}" },
  { "tid:\"12\"", "thread:\"12\"", "thread{word <12>}" },
  { "pid:12th", "process:\"12th\"", "process{word <12th>}" },
  { "pid:p-1", "process:p-1", "process{handle processes 1}" },
  { "status:error", "status:error", "status{0x2}" },
  { "status:Canceled,error", "status:error,canceled", "status{0x6}" },
  { "status:cancelled", "status:canceled", "status{0x4}" },
  { "status!=ok", "-status:ok", "not[status{0x1}]" },
  { "link:linked*", "link:linked-exact,linked", "link{0x6}" },
  { "link:~far", "link:too-far", "link{0x20}" },
  { "classification:sync", "classification:synchronous", "classification{0x2}" },
  { "class:/^(a|u)/", "classification:undecided,asynchronous,unknown", "classification{0xd}" },
  { "role:wait-*", "role:wait-begin,wait-end", "role{0x6}" },
  { "dur>2ms", "duration>2ms", "duration{range (2000000ns )}" },
  { "dur>=2ms", "duration>=2ms", "duration{range [2000000ns )}" },
  { "dur<2ms", "duration<2ms", "duration{range ( 2000000ns)}" },
  { "dur<=2ms", "duration<=2ms", "duration{range ( 2000000ns]}" },
  { "dur:2ms", "duration:2ms", "duration{range [2000000ns 2000000ns]}" },
  { "dur=2ms", "duration:2ms", "duration{range [2000000ns 2000000ns]}" },
  { "dur!=2ms", "-duration:2ms", "not[duration{range [2000000ns 2000000ns]}]" },
  { "dur:>2ms", "duration>2ms", "duration{range (2000000ns )}" },
  { "dur:1us..1500us", "duration:1us..1.5ms", "duration{range [1000ns 1500000ns]}" },
  { "dur:1us..", "duration>=1us", "duration{range [1000ns )}" },
  { "dur:..1us", "duration<=1us", "duration{range ( 1000ns]}" },
  { "dur:1us..,0,..5ns", "duration:1us..,0ns,..5ns",
    "duration{range [1000ns )|range [0ns 0ns]|range ( 5ns]}" },
  { "dur:1.5s,0.25µs,0.25μs,1min,2h", "duration:1.5s,250ns,250ns,60s,7200s",
    "duration{range [1500000000ns 1500000000ns]|range [250ns 250ns]|range [250ns 250ns]|range "
    "[60000000000ns 60000000000ns]|range [7200000000000ns 7200000000000ns]}" },
  { "dur>2MS", "duration>2ms", "duration{range (2000000ns )}" },
  { "dur>1e3ns", "duration>1us", "duration{range (1000ns )}" },
  { "start>=-1.000000001s", "start>=-1.000000001s", "start{range [-1000000001ns )}" },
  { "time:1.5s..2s", "time:1.5s..2s", "time{range [1500000000ns 2000000000ns]}" },
  { "begin:-0s", "start:0ns", "start{range [0ns 0ns]}" },
  { "queue-wait:*", "queue_wait:*", "queue_wait{range ( )}" },
  { "self<10us", "self<10us", "self{range ( 10000ns)}" },
  { "line:100..120", "line:100..120", "line{range [100 120]}" },
  { "attempts>1 depth:0", "attempts>1 depth:0", "and[attempts{range (1 )}; depth{range [0 0]}]" },
  { "id:d-12,14..16", "id:d-12,14..16", "id{handle dispatches 12|range [14 16]}" },
  { "counter:cycles", "counter:cycles", "counter{word <cycles> = }" },
  { "counter:\"cache misses\">100", "counter:\"cache misses\">100",
    "counter{word <cache misses> = range (100 )}" },
  { "counter:cache\\ *>=1.5", "counter:cache\\ *>=1.5", "counter{glob <cache *> = range [~1.5 )}" },
  { "counter:a,b!=1", "-counter:a,b=1", "not[counter{word <a>|word <b> = range [1 1]}]" },
  { "counter:gpu::busy<12.5%", "counter:gpu::busy<12.5%",
    "counter{word <gpu::busy> = range ( ~12.5%)}" },
  { "counter:x=-18446744073709551615..1e300", "counter:x=-18446744073709551615..1e+300",
    "counter{word <x> = range [-18446744073709551615 ~1e+300]}" },
  { "counter:c-3>2ms", "counter:c-3>2ms", "counter{handle counters 3 = range (2000000ns )}" },
  { "counter:a\\>b>3", "counter:\"a>b\">3", "counter{word <a>b> = range (3 )}" },
  { "metric:queue.pending=*", "metric:queue.pending=*",
    "metric{word <queue.pending> = range ( )}" },
  { "attachment:weights>4MiB", "attachment:weights>4MiB",
    "attachment{word <weights> = range (4194304B )}" },
  { "attachment:~x=1500,1MB,3kb,0", "attachment:~x=1500B,1MB,3kB,0B",
    "attachment{contains <x> = range [1500B 1500B]|range [1000000B 1000000B]|range [3000B "
    "3000B]|range [0B 0B]}" },
  { "phase:*>1ms", "phase:*>1ms", "phase{glob <*> = range (1000000ns )}" },
  { "tag:model", "tag:model", "tag{word <model> = }" },
  { "tag:model=resnet*", "tag:model=resnet*", "tag{word <model> = glob <resnet*>}" },
  { "tag:a:b=c=d", "tag:a:b=\"c=d\"", "tag{word <a:b> = word <c=d>}" },
  { "tag:k=5", "tag:k=5", "tag{word <k> = word <5>[5 5]}" },
  { "tag:k=0050", "tag:k=0050", "tag{word <k> = word <0050>[50 50]}" },
  { "tag:k=\"5\"", "tag:k=\"5\"", "tag{word <k> = word <5>}" },
  { "tag:k=1..3,x..y", "tag:k=1..3,x..y", "tag{word <k> = range [1 3]|word <x..y>}" },
  { "tag:k=\"1..3\"", "tag:k=\"1..3\"", "tag{word <k> = word <1..3>}" },
  { "tag:k=3..1", "tag:k=\"3..1\"", "tag{word <k> = word <3..1>}" },
  { "tag:k=d-1", "tag:k=\"d-1\"", "tag{word <k> = word <d-1>}" },
  { "tag:k>3", "tag:k>3", "tag{word <k> = range (3 )}" },
  { "a b", "a b", "and[any{contains <a>}; any{contains <b>}]" },
  { "a and b AND c", "a b c", "and[any{contains <a>}; any{contains <b>}; any{contains <c>}]" },
  { "a or b c", "a or b c", "or[any{contains <a>}; and[any{contains <b>}; any{contains <c>}]]" },
  { "(a or b) c", "(a or b) c",
    "and[or[any{contains <a>}; any{contains <b>}]; any{contains <c>}]" },
  { "((a)) (b c)", "a b c", "and[any{contains <a>}; any{contains <b>}; any{contains <c>}]" },
  { "(a or b) or c", "a or b or c", "or[any{contains <a>}; any{contains <b>}; any{contains <c>}]" },
  { "not a", "-a", "not[any{contains <a>}]" },
  { "-a", "-a", "not[any{contains <a>}]" },
  { "--a", "a", "any{contains <a>}" },
  { "not -not(a)", "-a", "not[any{contains <a>}]" },
  { "-(a b) -(c or d)", "-(a b) -(c or d)",
    "and[not[and[any{contains <a>}; any{contains <b>}]]; not[or[any{contains <c>}; any{contains "
    "<d>}]]]" },
  { "not a b", "-a b", "and[not[any{contains <a>}]; any{contains <b>}]" },
  { "lane:GPU* routine:gemm dur>2ms origin:~decode",
    "lane:GPU* routine:gemm duration>2ms origin:~decode",
    "and[lane{glob <GPU*>}; routine{word <gemm>}; duration{range (2000000ns )}; origin{contains "
    "<decode>}]" },
};

static void
test_good (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autoptr (WeftFilter) filter = read_filter (good[i].text);
      g_autofree char *text = weft_filter_to_string (filter);
      g_autofree char *tree = dump (filter);
      g_autoptr (WeftFilter) again = read_filter (text);

      g_assert_cmpstr (text, ==, good[i].canonical);
      g_assert_cmpstr (tree, ==, good[i].tree);
      g_assert_true (weft_filter_equal (filter, again));
      g_assert_true (weft_filter_check (good[i].text, NULL, NULL, NULL));
    }
}

/* ---- Bad texts ---- */

static const struct
{
  const char *text;
  const char *message;
  guint offset; /* in bytes */
} bad[] = {
  { "lan:x", "no field is called “lan”; did you mean “lane”?", 0 },
  { "a duratoin>2ms", "no field is called “duratoin”; did you mean “duration”?", 2 },
  { "routnie:x", "no field is called “routnie”; did you mean “routine”?", 0 },
  { "atta:x", "no field is called “atta”; did you mean “attachment”?", 0 },
  { "std::vector", "no field is called “std”; to look for text, write \"std::vector\" in quotes",
    0 },
  { "la*e:x", "no field is called “la*e”; did you mean “lane”?", 0 },
  { "dur > 2ms", "a field must stand directly before “>”, as in duration>2ms or lane:worker*", 4 },
  { "lane : x", "a field must stand directly before “:”, as in duration>2ms or lane:worker*", 5 },
  { ":x", "a field must stand directly before “:”, as in duration>2ms or lane:worker*", 0 },
  { "lane:", "a value is missing here; write it without a blank before it", 5 },
  { "lane: x", "a value is missing here; write it without a blank before it", 5 },
  { "(lane:)", "a value is missing here; write it without a blank before it", 6 },
  { "lane:a,", "nothing follows the comma; write a,b without blanks for any of these", 7 },
  { "lane:a, b", "nothing follows the comma; write a,b without blanks for any of these", 7 },
  { "lane:,a", "a value is missing here; write it without a blank before it", 5 },
  { ",a", "nothing stands before the comma", 0 },
  { "lane:~", "nothing follows “~”; write ~TEXT", 5 },
  { "lane:\"a", "the quote is not closed; add a \" at its end", 5 },
  { "lane:\"\"", "there is nothing between the quotes", 5 },
  { "lane:\"a\\x\"",
    "within quotes a backslash is followed by one of \" \\ n r t u; write \\\\ for a backslash",
    7 },
  { "lane:\"\\u12\"", "\\u needs four hexadecimal digits", 6 },
  { "lane:\"\\u0000\"", "U+0000 is no character that a name can have", 6 },
  { "lane:\"\\ud800\"", "U+D800 is no character that a name can have", 6 },
  { "lane:a\\", "nothing follows the backslash; write \\\\ for a backslash", 6 },
  { "lane:a\"b\"", "a quote begins within a word; put the whole word in quotes, or write \\\"", 6 },
  { "\"a\"b", "a blank is missing before this", 3 },
  { "foo(bar)",
    "a parenthesis stands within a word; put the whole word in quotes, or a blank before the "
    "parenthesis",
    3 },
  { "label:/a",
    "the regular expression is not closed; add a / at its end, or put text that begins with a "
    "slash in quotes",
    6 },
  { "/usr/lib",
    "a regular expression ends at this slash; write \\/ for one within it, or put text that begins "
    "with a slash in quotes",
    4 },
  { "label://", "the regular expression is empty", 6 },
  { "label:/a(b/", "the regular expression is not right: missing terminating )", 10 },
  { "label:/é\\/é[z-a]/",
    "the regular expression is not right: range out of order in character class", 16 },
  { "label:/(*LIMIT_MATCH=9)a/", "the regular expression is not right: (*VERB) not recognized",
    20 },
  { "lane>3", "“lane” is no number and has no order; write lane:VALUE", 4 },
  { "status:>ok", "“>ok” is no status; did you mean “ok”?", 7 },
  { "status<ok", "“status” is no number and has no order; write status:VALUE", 6 },
  { "status:eror", "“eror” is no status; did you mean “error”?", 7 },
  { "status:ok,zzz", "“zzz” is no status; there are ok, error, canceled", 10 },
  { "status:z*", "“z*” is no status; there are ok, error, canceled", 7 },
  { "dur>2", "“2” needs a unit: 2ns, 2us, 2ms or 2s", 4 },
  { "dur>2parsec", "“2parsec” has no unit known here; the units are ns, us, ms, s, min or h", 4 },
  { "dur>4KiB", "“4KiB” has no unit known here; the units are ns, us, ms, s, min or h", 4 },
  { "dur>x", "“x” is not a number with a unit, such as 2ms", 4 },
  { "dur>", "a number is missing here; write it without a blank before it", 4 },
  { "dur>1ms,2ms", "a comparison has one number only", 7 },
  { "dur>\"2ms\"", "a number is missing here; write it without a blank before it", 4 },
  { "dur:\"2ms\"", "“duration” takes numbers, and no quotes around them", 4 },
  { "dur>-2ms", "“-2ms” is negative; nothing here is below 0", 4 },
  { "dur>0.5ns",
    "“0.5ns” is no whole number of nanoseconds; nothing is measured finer than a nanosecond", 4 },
  { "dur>99999999h", "“99999999h” is too large", 4 },
  { "dur>1e999s", "“1e999s” is too large", 4 },
  { "dur:5ms..2ms", "the range is the wrong way round; write 2ms..5ms", 4 },
  { "dur:..", "the range has no ends; write * for any value at all", 4 },
  { "dur:1ms..x", "“x” is not a number with a unit, such as 2ms", 9 },
  { "dur:1ms..2ms..3ms", "“2ms..3ms” has no unit known here; the units are ns, us, ms, s, min or h",
    9 },
  { "counter:x=1ms..2kB", "the two ends of the range differ in their unit", 10 },
  { "attachment:x>0.3B",
    "“0.3B” is no whole number of bytes; nothing is measured finer than a byte", 13 },
  { "attachment:x>2ms",
    "“2ms” has no unit known here; the units are B, kB, MB, GB, TB, KiB, MiB, GiB or TiB", 13 },
  { "depth:1.5", "“1.5” is not a whole number such as 12", 6 },
  { "depth:-1", "“-1” is not a whole number such as 12", 6 },
  { "depth:99999999999999999999", "“99999999999999999999” is not a whole number such as 12", 6 },
  { "depth:9999999999999999999", "“9999999999999999999” is too large", 6 },
  { "lane:r-7",
    "“r-7” is no lane: their handles are such as l-1; to look for this name, write \"r-7\" in "
    "quotes",
    5 },
  { "lane:l-0", "there is no “l-0”: handles count from 1", 5 },
  { "counter>3", "“counter” needs a name before the comparison, as in counter:\"cache misses\">100",
    7 },
  { "counter:x>", "a number is missing here; write it without a blank before it", 10 },
  { "tag:k>abc", "“abc” is not a number", 6 },
  { "tag:k=", "a value is missing here; write it without a blank before it", 6 },
  { "(a", "the parenthesis is not closed; add a ) where it ends", 0 },
  { "a)", "no parenthesis was opened that this one closes", 1 },
  { "()", "a condition is missing here", 1 },
  { "(a)b", "a blank is missing behind the parenthesis", 3 },
  { "a or", "a condition is missing here", 4 },
  { "or a", "a condition is missing here; to look for the text, write it in quotes", 0 },
  { "a and", "a condition is missing here", 5 },
  { "a and or b", "a condition is missing here; to look for the text, write it in quotes", 6 },
  { "a or or", "a condition is missing here; to look for the text, write it in quotes", 5 },
  { "not", "“not” needs a condition behind it; to look for the text, write \"not\" in quotes", 0 },
  { "a -", "“-” needs a condition behind it; to look for the text, write \"-\" in quotes", 2 },
  { "- a", "“-” needs a condition behind it; to look for the text, write \"-\" in quotes", 0 },
  { "日本 lan:x", "no field is called “lan”; did you mean “lane”?", 7 },
  { "a\001b", "the control character U+0001 cannot stand here; write \"\\u0001\" for it", 1 },
  { "a\302\233b", "the control character U+009B cannot stand here; write \"\\u009b\" for it", 1 },
};

static void
test_bad (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (WeftFilter) filter = weft_filter_new (bad[i].text, &error);
      g_autofree char *message = NULL;
      g_auto (GStrv) lines = NULL;
      guint bytes = G_MAXUINT;
      guint characters = G_MAXUINT;

      g_test_message ("%s", bad[i].text);
      g_assert_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_FILTER);
      g_assert_null (filter);
      g_assert_false (weft_filter_check (bad[i].text, &message, &bytes, &characters));
      g_assert_cmpstr (message, ==, bad[i].message);
      g_assert_cmpuint (bytes, ==, bad[i].offset);
      g_assert_cmpuint (characters, ==, g_utf8_strlen (bad[i].text, bytes));
      lines = g_strsplit (error->message, "\n", -1);
      g_assert_cmpuint (g_strv_length (lines), ==, 3);
      g_assert_cmpstr (lines[0], ==, message);
      g_assert_true (g_str_has_suffix (lines[2], "^"));
    }
}

/* The message as a whole, with its picture. */
static void
assert_picture (const char *text, const char *shown, guint columns)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftFilter) filter = weft_filter_new (text, &error);
  g_auto (GStrv) lines = NULL;

  g_assert_null (filter);
  lines = g_strsplit (error->message, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 3);
  g_assert_cmpstr (lines[1], ==, shown);
  g_assert_cmpuint (strlen (lines[2]), ==, columns + 1);
  g_assert_cmpuint (strspn (lines[2], " "), ==, columns);
}

static void
test_pictures (void)
{
  g_autofree char *before = g_strnfill (200, 'a');
  g_autofree char *behind = g_strnfill (200, 'b');
  g_autofree char *text = g_strdup_printf ("%s lan:%s", before, behind);
  g_autofree char *shown = g_strdup_printf ("…%.47s lan:%.20s…", before, behind);

  assert_picture ("a lan:x", "a lan:x", 2);
  /* Two columns each. */
  assert_picture ("日本 lan:x", "日本 lan:x", 5);
  /* e and a combining accent, and a joiner of no width: one column. */
  assert_picture ("e\314\201\342\200\215 lan:x", "e\314\201\342\200\215 lan:x", 2);
  assert_picture ("a\tb\nlan:x", "a b lan:x", 4);
  assert_picture ("a\033[31m", "a\357\277\275[31m", 1);
  assert_picture ("dur>", "dur>", 4);
  assert_picture (text, shown, 49);
  /* Bytes that are no UTF-8, one column each. */
  assert_picture ("ab\377\376c", "ab\357\277\275\357\277\275c", 2);
  assert_picture ("\303\251\303", "\303\251\357\277\275", 1);
}

static void
test_bounds (void)
{
  g_autofree char *longest = g_strnfill (WEFT_FILTER_MAX_BYTES, 'a');
  g_autofree char *too_long = g_strnfill (WEFT_FILTER_MAX_BYTES + 1, 'a');
  g_autofree char *expression = g_strnfill (WEFT_FILTER_MAX_REGEX_BYTES, '/');
  g_autofree char *message = NULL;
  guint bytes;
  guint characters;

  g_assert_true (weft_filter_check (longest, NULL, NULL, NULL));
  g_assert_false (weft_filter_check (too_long, &message, NULL, NULL));
  g_assert_cmpstr (message, ==, "a filter has at most 65536 bytes; this one has more");
  g_clear_pointer (&message, g_free);

  memset (expression + 1, 'a', WEFT_FILTER_MAX_REGEX_BYTES - 2);
  g_assert_true (weft_filter_check (expression, NULL, NULL, NULL));
  memset (too_long, 'a', WEFT_FILTER_MAX_BYTES);
  too_long[0] = too_long[WEFT_FILTER_MAX_BYTES - 1] = '/';
  too_long[WEFT_FILTER_MAX_BYTES] = '\0';
  g_assert_false (weft_filter_check (too_long, &message, &bytes, NULL));
  g_assert_cmpstr (message, ==, "a regular expression has at most 1024 bytes");
  g_assert_cmpuint (bytes, ==, 0);
  g_clear_pointer (&message, g_free);

  g_assert_false (weft_filter_check ("\303\251\377", &message, &bytes, &characters));
  g_assert_cmpstr (message, ==, "this is not UTF-8; filters are UTF-8 text");
  g_assert_cmpuint (bytes, ==, 2);
  g_assert_cmpuint (characters, ==, 1);
}

/* TIMES times PART, then END. */
static gboolean
read_bomb (const char *part, guint times, const char *end, char **message)
{
  GString *text = g_string_new (NULL);
  gboolean fits;

  for (guint i = 0; i < times; i++)
    g_string_append (text, part);
  g_string_append (text, end);
  fits = weft_filter_check (text->str, message, NULL, NULL);
  g_string_free (text, TRUE);
  return fits;
}

static void
test_depth (void)
{
  static const char *const parts[] = { "(", "-", "not ", "-(", "a or (", "lane:x -(" };
  char *message;

  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    {
      g_assert_false (read_bomb (parts[i], 60000 / (guint) strlen (parts[i]), "a", &message));
      g_assert_cmpstr (message, ==, "this is nested deeper than 64 levels");
      g_free (message);
    }
  g_assert_true (read_bomb ("-", WEFT_FILTER_MAX_DEPTH, "a", NULL));
  g_assert_false (read_bomb ("-", WEFT_FILTER_MAX_DEPTH + 1, "a", NULL));
  /* Short, but long when written out. */
  g_assert_false (read_bomb ("link:* ", 9000, "a", &message));
  g_assert_cmpstr (message, ==,
                   "a filter has at most 65536 bytes; this one has more when its words are written "
                   "out");
  g_free (message);
  g_assert_true (read_bomb ("link:* ", 300, "a", NULL));
  g_assert_true (read_bomb ("a or ", 10000, "a", NULL));
  g_assert_true (read_bomb ("a,", 30000, "a", NULL));
}

/* ---- Trees made at random ---- */

#define PICK(ARRAY) ((ARRAY)[g_test_rand_int_range (0, G_N_ELEMENTS (ARRAY))])

static char *
make_text (void)
{
  static const char *const parts[] = { "a",    "B",  "7",  ".",   "..", "-",        "d-1",
                                       "l-22", " ",  "\"", "\\",  "*",  "?",        ",",
                                       "(",    ")",  "<",  ">",   "=",  "!=",       ":",
                                       "/",    "~",  "or", "not", "é",  "日",       "\t",
                                       "\n",   "\a", "%",  "ms",  "+1", "\302\240", "\302\205" };
  GString *text = g_string_new (NULL);

  for (int n = g_test_rand_int_range (1, 6); n > 0; n--)
    g_string_append (text, PICK (parts));
  return g_string_free (text, FALSE);
}

static WeftFilterMatch *
make_glob (void)
{
  static const char *const parts[] = { "a", "*", "?", "\\*", "\\\\", " ", ",", "\"", "(",
                                       ":", "/", "~", "-",   "=",    "é", ">", "..", "5" };
  g_autoptr (GString) pattern = g_string_new (NULL);
  int star = g_test_rand_int_range (0, 4);

  for (int i = 0; i < 4; i++)
    g_string_append (pattern, i == star ? "*" : PICK (parts));
  return weft_filter_match_new (WEFT_FILTER_MATCH_GLOB, pattern->str);
}

static WeftFilterMatch *
make_regex (void)
{
  static const char *const patterns[] = { "a",     "/",       "a/b",  "\\\\",  "[)(]",
                                          "\\d+,", "^\"x\"$", "é|日", "\\\\/", "i" };
  g_autofree char *message = NULL;
  gsize offset;

  return weft_filter_match_new_regex (PICK (patterns), g_test_rand_bit (), &offset, &message);
}

static WeftFilterNumber
make_number (WeftFilterType type)
{
  WeftFilterNumber number = { .integral = TRUE };
  gboolean free_unit = type == WEFT_FILTER_TYPE_NUMBER || type == WEFT_FILTER_TYPE_TAG;

  number.magnitude =
      ((guint64) (guint32) g_test_rand_int () << 32 | (guint32) g_test_rand_int ()) >>
      g_test_rand_int_range (2, 64);
  if (type == WEFT_FILTER_TYPE_TIME || type == WEFT_FILTER_TYPE_DURATION)
    number.unit = WEFT_FILTER_UNIT_NANOSECONDS;
  else if (type == WEFT_FILTER_TYPE_SIZE)
    number.unit = WEFT_FILTER_UNIT_BYTES;
  else if (free_unit)
    number.unit = (WeftFilterUnit) g_test_rand_int_range (0, 4);
  if (free_unit || type == WEFT_FILTER_TYPE_TIME)
    number.negative = g_test_rand_bit () && number.magnitude != 0;
  number.real = (double) number.magnitude * (number.negative ? -1 : 1);
  if (free_unit && g_test_rand_bit () &&
      (number.unit == WEFT_FILTER_UNIT_NONE || number.unit == WEFT_FILTER_UNIT_PERCENT))
    {
      number.real =
          (g_test_rand_double () - 0.5) * pow (10, g_test_rand_int_range (-20, 14)) + 1e-21;
      if (number.real == floor (number.real)) /* would be read as an integer */
        number.real += 0.5;
      number.negative = number.real < 0;
      number.integral = FALSE;
      number.magnitude = 0;
    }
  return number;
}

/* COMPARISON: one end only, which may be open. */
static WeftFilterMatch *
make_range (WeftFilterType type, gboolean comparison)
{
  WeftFilterRange range = { .has_low = g_test_rand_bit (), .has_high = g_test_rand_bit () };

  if (comparison)
    range.has_high = !range.has_low;
  else if (type == WEFT_FILTER_TYPE_TAG)
    range.has_low = range.has_high = TRUE;
  range.low = make_number (type);
  range.high = make_number (type);
  if (range.has_low && range.has_high)
    {
      range.low.integral = TRUE;
      range.low.negative = FALSE;
      range.low.magnitude = (guint32) g_test_rand_int ();
      range.low.real = (double) range.low.magnitude;
      range.high = range.low;
      range.high.magnitude += type == WEFT_FILTER_TYPE_TAG || g_test_rand_bit () ? 1 : 0;
      range.high.real = (double) range.high.magnitude;
    }
  range.low_open = comparison && range.has_low && g_test_rand_bit ();
  range.high_open = comparison && range.has_high && g_test_rand_bit ();
  return weft_filter_match_new_range (&range);
}

static WeftFilterMatch *
make_name (WeftFilterField field, gboolean name)
{
  const WeftFilterFieldInfo *info = weft_filter_field_info (field);
  g_autofree char *text = make_text ();

  switch (g_test_rand_int_range (0, 5))
    {
    case 0:
      return make_glob ();
    case 1:
      return make_regex ();
    case 2:
      if (info->table >= 0 && (name || !info->keyed))
        return weft_filter_match_new_handle (info->table, 1 + (guint32) g_test_rand_int ());
      G_GNUC_FALLTHROUGH;
    case 3:
      if (field != WEFT_FILTER_FIELD_ANY)
        return weft_filter_match_new (WEFT_FILTER_MATCH_WORD, text);
      G_GNUC_FALLTHROUGH;
    default:
      return weft_filter_match_new (WEFT_FILTER_MATCH_CONTAINS, text);
    }
}

static WeftFilterMatch *
make_value (WeftFilterField field)
{
  const WeftFilterFieldInfo *info = weft_filter_field_info (field);

  if (info->type == WEFT_FILTER_TYPE_NAME || info->type == WEFT_FILTER_TYPE_NUMBERED ||
      (info->type == WEFT_FILTER_TYPE_TAG && g_test_rand_bit ()))
    return make_name (field, FALSE);
  if (info->type == WEFT_FILTER_TYPE_ID && g_test_rand_bit ())
    return weft_filter_match_new_handle (WEFT_TABLE_DISPATCHES, 1 + (guint32) g_test_rand_int ());
  return make_range (info->type, FALSE);
}

static WeftFilterNode *
make_term (void)
{
  WeftFilterField field = (WeftFilterField) g_test_rand_int_range (0, WEFT_N_FILTER_FIELDS);
  const WeftFilterFieldInfo *info = weft_filter_field_info (field);
  WeftFilterNode *node = weft_filter_node_new_term (field);
  gboolean numeric = info->type > WEFT_FILTER_TYPE_WORDS;

  if (info->type == WEFT_FILTER_TYPE_WORDS)
    {
      node->words = (guint32) g_test_rand_int_range (1, 8);
      return node;
    }
  for (int n = info->keyed ? g_test_rand_int_range (1, 4) : 0; n > 0; n--)
    g_ptr_array_add (node->names, make_name (field, TRUE));
  if (info->keyed && g_test_rand_int_range (0, 4) == 0)
    return node;
  if (numeric && g_test_rand_bit ())
    {
      g_ptr_array_add (node->values, make_range (info->type, TRUE));
      return node;
    }
  for (int n = g_test_rand_int_range (1, 4); n > 0; n--)
    g_ptr_array_add (node->values, make_value (field));
  return node;
}

static WeftFilterNode *
make_tree (int depth)
{
  WeftFilterNode *node;
  int kind = g_test_rand_int_range (0, 5);

  if (depth == 0 || kind > 2)
    return make_term ();
  if (kind == 0)
    return weft_filter_node_negate (make_tree (depth - 1));
  node = weft_filter_node_new (kind == 1 ? WEFT_FILTER_NODE_AND : WEFT_FILTER_NODE_OR);
  for (int n = g_test_rand_int_range (2, 5); n > 0; n--)
    weft_filter_node_add (node, make_tree (depth - 1));
  return node;
}

static void
test_round_trip (void)
{
  for (guint i = 0; i < 5000; i++)
    {
      g_autoptr (WeftFilter) filter = weft_filter_new_from_node (make_tree (5));
      g_autofree char *text = weft_filter_to_string (filter);
      g_autoptr (GError) error = NULL;
      g_autoptr (WeftFilter) again = weft_filter_new (text, &error);
      g_autofree char *text_again = NULL;

      g_assert_no_error (error);
      if (!weft_filter_equal (filter, again))
        g_error ("read otherwise: %s", text);
      text_again = weft_filter_to_string (again);
      g_assert_cmpstr (text, ==, text_again);
    }
}

/* ---- Bytes made at random ---- */

static void
mutate (GString *text)
{
  static const char specials[] = { '"', '\\', '(', ')', ',', ':', '<', '>', '=',
                                   '!', '-',  '~', '/', '*', '?', '.', ' ', 'i' };

  for (int n = g_test_rand_int_range (1, 5); n > 0; n--)
    {
      int at = g_test_rand_int_range (0, (int) text->len + 1);

      switch (g_test_rand_int_range (0, 4))
        {
        case 0:
          g_string_insert_c (text, at, (char) g_test_rand_int_range (1, 256));
          break;
        case 1:
          g_string_insert_c (text, at, PICK (specials));
          break;
        case 2:
          g_string_erase (text, at, g_test_rand_int_range (0, (int) text->len - at + 1) % 4);
          break;
        default:
          g_string_insert (text, at, PICK (good).text);
        }
    }
}

static void
assert_sound (const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftFilter) filter = weft_filter_new (text, &error);
  g_autoptr (WeftFilter) again = NULL;
  g_autofree char *printed = NULL;
  guint bytes;

  if (filter == NULL)
    {
      g_assert_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_FILTER);
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      g_assert_true (g_str_has_suffix (error->message, "^"));
      g_assert_false (weft_filter_check (text, NULL, &bytes, NULL));
      g_assert_cmpuint (bytes, <=, strlen (text));
      return;
    }
  printed = weft_filter_to_string (filter);
  again = weft_filter_new (printed, &error);
  g_assert_no_error (error);
  if (!weft_filter_equal (filter, again))
    g_error ("“%s” became “%s”, which is read otherwise", text, printed);
}

static void
test_fuzz (void)
{
  guint n_good = 0;

  for (guint i = 0; i < 10000; i++)
    {
      g_autoptr (GString) text = g_string_new (i % 4 == 0 ? "" : PICK (good).text);

      mutate (text);
      assert_sound (text->str);
      n_good += weft_filter_check (text->str, NULL, NULL, NULL);
    }
  /* Both roads were taken. */
  g_assert_cmpuint (n_good, >, 500);
  g_assert_cmpuint (n_good, <, 9500);
}

/* ---- What the conditions mean ---- */

static gboolean
fits (const char *condition, const char *name)
{
  g_autofree char *text = g_strconcat ("lane:", condition, NULL);
  g_autoptr (WeftFilter) filter = read_filter (text);
  g_autoptr (GError) error = NULL;
  gboolean result =
      weft_filter_match_text (weft_filter_get_root (filter)->values->pdata[0], name, &error);

  g_assert_no_error (error);
  return result;
}

static void
test_names (void)
{
  g_assert_true (fits ("gpu", "GPU"));
  g_assert_false (fits ("gpu", "GPU 0"));
  g_assert_true (fits ("\"straße\"", "STRASSE"));
  g_assert_true (fits ("ÉTÉ", "été"));
  g_assert_true (fits ("~PU", "gpu 0"));
  g_assert_false (fits ("~PX", "gpu 0"));
  g_assert_true (fits ("gpu*", "GPU 0"));
  g_assert_true (fits ("*", ""));
  g_assert_true (fits ("*0", "GPU 0"));
  g_assert_false (fits ("*0", "GPU 01"));
  g_assert_true (fits ("g?u*0", "gxu a b 0"));
  g_assert_true (fits ("?日?", "é日本"));
  g_assert_false (fits ("?", ""));
  g_assert_true (fits ("a\\**", "a*b"));
  g_assert_false (fits ("a\\**", "ab"));
  g_assert_true (fits ("a*b*c", "a b b c"));
  g_assert_false (fits ("a*b*c", "a b b"));
  g_assert_true (fits ("\"a*\"", "A*"));
  g_assert_false (fits ("\"a*\"", "ab"));
  g_assert_true (fits ("/^GPU [0-9]$/", "GPU 0"));
  g_assert_false (fits ("/^GPU [0-9]$/", "gpu 0"));
  g_assert_true (fits ("/^GPU [0-9]$/i", "gpu 0"));
}

/* Patterns and names that would take longer than anyone waits. */
static void
test_catastrophes (void)
{
  static const char *const patterns[] = { "lane:/(a+)+$/",           "lane:/(a|aa)+$/",
                                          "lane:/(a|a?)+$/",         "lane:/(x?a+a+)+$/",
                                          "lane:/(.*)*(.*)*[!]{2}/", "lane:/(?R)/" };
  g_autofree char *name = g_strnfill (4000, 'a');
  gint64 begin = g_get_monotonic_time ();

  name[3999] = '!';
  for (guint i = 0; i < G_N_ELEMENTS (patterns); i++)
    {
      g_autoptr (WeftFilter) filter = read_filter (patterns[i]);
      g_autoptr (GError) error = NULL;

      g_assert_false (
          weft_filter_match_text (weft_filter_get_root (filter)->values->pdata[0], name, &error));
      g_assert_error (error, WEFT_ERROR, WEFT_ERROR_INVALID_FILTER);
    }
  /* Long names alone are no matter. */
  g_assert_true (fits ("/^(a|b)+!$/", name));
  /* A glob of many stars has no such patterns; its time is bounded by the lengths. */
  g_assert_false (fits ("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*ab", name));
  g_assert_cmpint (g_get_monotonic_time () - begin, <, 20 * G_USEC_PER_SEC);
}

static void
test_ranges (void)
{
  for (guint i = 0; i < 20000; i++)
    {
      g_autoptr (WeftFilterMatch) match = make_range (WEFT_FILTER_TYPE_NUMBER, i % 2 == 0);
      const WeftFilterRange *range = &match->range;
      const WeftFilterNumber *end = range->has_low ? &range->low : &range->high;
      gint64 near = fabs (end->real) < 9e18 ? (gint64) end->real : 0;
      gint64 values[] = { near - 1, near,       near + 1,   0,
                          -1,       G_MININT64, G_MAXINT64, (guint32) g_test_rand_int () };
      gint64 low;
      gint64 high;
      gboolean any = weft_filter_range_get_bounds (range, &low, &high);

      for (guint j = 0; j < G_N_ELEMENTS (values); j++)
        {
          gboolean inside = any && values[j] >= low && values[j] <= high;

          g_assert_cmpint (weft_filter_range_contains_int64 (range, values[j]), ==, inside);
          if (values[j] >= 0)
            g_assert_cmpint (weft_filter_range_contains_uint64 (range, (guint64) values[j]), ==,
                             inside);
          if (ABS (values[j]) < (G_GINT64_CONSTANT (1) << 52))
            g_assert_cmpint (weft_filter_range_contains_double (range, (double) values[j]), ==,
                             inside);
        }
    }
}

static const WeftFilterRange *
range_of (WeftFilter *filter)
{
  const WeftFilterMatch *match = weft_filter_get_root (filter)->values->pdata[0];

  return &match->range;
}

static void
test_wide_numbers (void)
{
  g_autoptr (WeftFilter) largest = read_filter ("counter:x=18446744073709551615");
  g_autoptr (WeftFilter) beyond = read_filter ("counter:x>18446744073709551616");
  g_autoptr (WeftFilter) fraction = read_filter ("counter:x>2.5");
  g_autoptr (WeftFilter) lowest = read_filter ("counter:x<-9223372036854775808");
  g_autoptr (WeftFilter) any = read_filter ("counter:x=*");
  gint64 low;
  gint64 high;

  g_assert_true (weft_filter_range_contains_uint64 (range_of (largest), G_MAXUINT64));
  g_assert_false (weft_filter_range_contains_uint64 (range_of (largest), G_MAXUINT64 - 1));
  g_assert_false (weft_filter_range_get_bounds (range_of (largest), &low, &high));
  g_assert_false (weft_filter_range_contains_uint64 (range_of (beyond), G_MAXUINT64));
  g_assert_true (weft_filter_range_contains_double (range_of (beyond), 1e20));
  g_assert_false (weft_filter_range_contains_double (range_of (beyond), (double) NAN));
  g_assert_true (weft_filter_range_contains_double (range_of (any), (double) NAN));
  g_assert_true (weft_filter_range_contains_double (range_of (fraction), 2.6));
  g_assert_false (weft_filter_range_contains_double (range_of (fraction), 2.5));
  g_assert_true (weft_filter_range_get_bounds (range_of (fraction), &low, &high));
  g_assert_cmpint (low, ==, 3);
  g_assert_cmpint (high, ==, G_MAXINT64);
  g_assert_false (weft_filter_range_contains_int64 (range_of (lowest), G_MININT64));
  g_assert_false (weft_filter_range_get_bounds (range_of (lowest), &low, &high));
}

/* ---- Filters as values ---- */

static char *
combine (const char *a, const char *b)
{
  g_autoptr (WeftFilter) first = read_filter (a);
  g_autoptr (WeftFilter) second = read_filter (b);
  g_autoptr (WeftFilter) both = weft_filter_and (first, second);
  g_autofree char *text = weft_filter_to_string (both);
  g_autoptr (WeftFilter) again = read_filter (text);

  g_assert_true (weft_filter_equal (both, again));
  return g_steal_pointer (&text);
}

static void
assert_combined (const char *a, const char *b, const char *expected)
{
  g_autofree char *text = combine (a, b);

  g_assert_cmpstr (text, ==, expected);
}

static void
test_and (void)
{
  g_autoptr (WeftFilter) one = read_filter ("a or b");
  g_autoptr (WeftFilter) same = weft_filter_and (one, NULL);

  assert_combined ("a b", "c", "a b c");
  assert_combined ("a or b", "c or d", "(a or b) (c or d)");
  assert_combined ("", "a", "a");
  assert_combined ("a", " ", "a");
  assert_combined ("", "", "");
  g_assert_true (weft_filter_equal (one, same));
}

static void
test_values (void)
{
  g_auto (GValue) value = G_VALUE_INIT;
  g_autoptr (WeftFilter) none = weft_filter_new (NULL, NULL);
  g_autoptr (WeftFilter) one = read_filter ("lane:a dur>2ms");
  g_autoptr (WeftFilter) same = read_filter ("lane:a and duration:>2ms");
  g_autoptr (WeftFilter) other = read_filter ("lane:a dur>=2ms");

  g_assert_true (weft_filter_is_empty (none));
  g_assert_false (weft_filter_is_empty (one));
  g_assert_true (weft_filter_equal (one, same));
  g_assert_false (weft_filter_equal (one, other));
  g_value_init (&value, WEFT_TYPE_FILTER);
  g_value_set_boxed (&value, one);
  g_assert_true (g_value_get_boxed (&value) == one);
}

/* ---- The table of fields ---- */

static void
test_fields (void)
{
  g_autoptr (WeftTable) table = weft_filter_list_fields ();
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  int example = weft_table_find_column (table, "example");

  g_assert_cmpuint (weft_table_get_n_rows (table), ==, WEFT_N_FILTER_FIELDS - 1);
  for (guint i = 0; i < weft_table_get_n_rows (table); i++)
    {
      g_autoptr (WeftFilter) filter =
          read_filter (weft_table_get_string (table, (guint) example, i));
      const WeftFilterNode *node = weft_filter_get_root (filter);
      g_auto (GStrv) aliases = NULL;
      g_autofree char *all = g_strjoin (" ", weft_table_get_string (table, 0, i),
                                        weft_table_get_string (table, 1, i), NULL);

      if (node->kind == WEFT_FILTER_NODE_NOT)
        node = node->children->pdata[0];
      g_assert_cmpstr (weft_filter_field_info (node->field)->name, ==,
                       weft_table_get_string (table, 0, i));
      aliases = g_strsplit (all, " ", -1);
      for (guint j = 0; aliases[j] != NULL; j++)
        g_assert_true (g_hash_table_add (names, g_strdup (aliases[j])));
    }
}

/* A row of the table in docs/filter-language.md. */
static char *
document_row (WeftTable *table, guint row)
{
  GString *line = g_string_new ("|");

  for (guint column = 0; column < weft_table_get_n_columns (table); column++)
    {
      g_autofree char *text = weft_table_get_text (table, column, row);
      const char *name = weft_table_get_column_name (table, column);
      gboolean code =
          *text != '\0' && !g_str_equal (name, "type") && !g_str_equal (name, "description");

      if (g_str_equal (name, "keyed"))
        continue;
      g_string_append_printf (line, code ? " `%s` |" : *text != '\0' ? " %s |" : "%s |", text);
    }
  return g_string_free (line, FALSE);
}

static void
test_document (void)
{
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "docs", "filter-language.md", NULL);
  g_autoptr (WeftTable) table = weft_filter_list_fields ();
  g_autofree char *document = NULL;
  g_autoptr (GError) error = NULL;

  g_file_get_contents (path, &document, NULL, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < weft_table_get_n_rows (table); i++)
    {
      g_autofree char *row = document_row (table, i);

      if (strstr (document, row) == NULL)
        g_test_message ("missing: %s", row);
      g_assert_nonnull (strstr (document, row));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/query/filter/good", test_good);
  g_test_add_func ("/query/filter/bad", test_bad);
  g_test_add_func ("/query/filter/pictures", test_pictures);
  g_test_add_func ("/query/filter/bounds", test_bounds);
  g_test_add_func ("/query/filter/depth", test_depth);
  g_test_add_func ("/query/filter/round-trip", test_round_trip);
  g_test_add_func ("/query/filter/fuzz", test_fuzz);
  g_test_add_func ("/query/filter/names", test_names);
  g_test_add_func ("/query/filter/catastrophes", test_catastrophes);
  g_test_add_func ("/query/filter/ranges", test_ranges);
  g_test_add_func ("/query/filter/wide-numbers", test_wide_numbers);
  g_test_add_func ("/query/filter/and", test_and);
  g_test_add_func ("/query/filter/values", test_values);
  g_test_add_func ("/query/filter/fields", test_fields);
  g_test_add_func ("/query/filter/document", test_document);

  return g_test_run ();
}
