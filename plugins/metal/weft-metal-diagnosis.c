/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-metal-diagnosis.h"

#include <string.h>

#include "weft-metal-rows.h"

typedef struct
{
  WeftInquiry *inquiry;
  GHashTable *lanes;    /* guint64* lane to char*: kinds of those of Metal */
  GHashTable *runtimes; /* set of guint64*: those that have such lanes */
  GHashTable *shaders;  /* guint64* routine to char*: names of those that command queues ran */
} Diagnosis;

/* ---- Sets of ids ---- */

static GHashTable *
ids_new (void)
{
  return g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
}

static void
ids_add (GHashTable *ids, guint64 id, const char *text)
{
  g_hash_table_insert (ids, g_memdup2 (&id, sizeof id), g_strdup (text));
}

static gboolean
ids_contain (GHashTable *ids, guint64 id)
{
  return g_hash_table_contains (ids, &id);
}

/* ---- What there is ---- */

#define COLUMNS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static WeftTable *
read_rows (WeftInquiry *inquiry, const char *table, const char *const *fields)
{
  return weft_inquiry_ask (inquiry, table, NULL, NULL, fields, NULL, 0);
}

/* Rows of TABLE in groups by a field, with the VALUE of each group. */
static WeftTable *
read_groups (WeftInquiry *inquiry, const char *table, const char *filter, const char *by,
             const char *value)
{
  return weft_inquiry_ask (inquiry, table, filter, COLUMNS (by), COLUMNS (value), NULL, 0);
}

static void
read_lanes (Diagnosis *self)
{
  g_autoptr (WeftTable) lanes = weft_inquiry_ask (self->inquiry, "lanes", "kind:metal.*", NULL,
                                                  COLUMNS ("id", "kind", "runtime"), NULL, 0);

  for (guint i = 0; lanes != NULL && i < weft_table_get_n_rows (lanes); i++)
    {
      ids_add (self->lanes, weft_table_get_uint64 (lanes, 0, i),
               weft_table_get_string (lanes, 1, i));
      ids_add (self->runtimes, weft_table_get_uint64 (lanes, 2, i), NULL);
    }
}

static void
read_shaders (Diagnosis *self)
{
  g_autoptr (WeftTable) ran =
      weft_inquiry_ask (self->inquiry, "dispatches", "kind:metal.queue",
                        COLUMNS ("routine", "routine.name"), COLUMNS ("count()"), NULL, 0);

  for (guint i = 0; ran != NULL && i < weft_table_get_n_rows (ran); i++)
    ids_add (self->shaders, weft_table_get_uint64 (ran, 0, i), weft_table_get_string (ran, 1, i));
}

/* ---- Lanes, or code of Metal without any ---- */

static gboolean
is_metal_module (const char *path)
{
  static const char *const parts[] = { "/Metal.framework/", "/MetalTools.framework/", "/AGXMetal" };

  for (guint i = 0; path != NULL && i < G_N_ELEMENTS (parts); i++)
    if (strstr (path, parts[i]) != NULL)
      return TRUE;
  return FALSE;
}

/* Modules of Metal that stacks of the CPU lead through. */
static WeftSubjects *
find_metal_code (WeftInquiry *inquiry)
{
  WeftSubjects *found = weft_subjects_new ();
  g_autoptr (WeftTable) modules = read_rows (inquiry, "modules", COLUMNS ("id", "name", "path"));
  g_autoptr (WeftTable) frames = read_groups (inquiry, "frames", NULL, "module", "count()");
  g_autoptr (GHashTable) seen = ids_new ();

  for (guint i = 0; frames != NULL && i < weft_table_get_n_rows (frames); i++)
    ids_add (seen, weft_table_get_uint64 (frames, 0, i), NULL);
  for (guint i = 0; frames != NULL && i < weft_table_get_n_rows (modules); i++)
    {
      guint64 id = weft_table_get_uint64 (modules, 0, i);

      if (ids_contain (seen, id) && is_metal_module (weft_table_get_string (modules, 2, i)))
        weft_subjects_add (found, "mod", id, weft_table_get_string (modules, 1, i));
    }
  return found;
}

gboolean
weft_metal_concerns (WeftDomain *domain, WeftRecording *recording)
{
  g_autoptr (WeftInquiry) inquiry = weft_inquiry_new ("metal", recording, NULL);
  g_autoptr (WeftSubjects) found = find_metal_code (inquiry);

  return weft_subjects_get_count (found) > 0;
}

static void
check_lanes (Diagnosis *self)
{
  static const char question[] = "Is Metal's work reported as lanes?";
  g_autoptr (WeftSubjects) code = find_metal_code (self->inquiry);
  g_autofree char *lanes =
      weft_format_count (g_hash_table_size (self->lanes), "lane of Metal", "lanes of Metal");

  if (g_hash_table_size (self->lanes) > 0)
    weft_inquiry_add (self->inquiry, WEFT_METAL_CHECK_LANES, question, WEFT_VERDICT_GOOD, lanes,
                      NULL, NULL);
  else if (weft_subjects_get_count (code) > 0)
    weft_inquiry_tell (self->inquiry, WEFT_METAL_CHECK_LANES, question, WEFT_VERDICT_PROBLEM,
                       WEFT_METAL_ADVICE_LANES, weft_subjects_get_handles (code),
                       "Stacks of the CPU lead through Metal (%s), and no lane is of Metal: what "
                       "the GPU did is not known",
                       weft_subjects_get_names (code));
}

/* ---- Shaders ---- */

/* Good where LACKING is empty; else the shaders that it lists LACK something. */
static void
tell_of_shaders (Diagnosis *self, const char *check, const char *question, WeftSubjects *lacking,
                 const char *good, const char *lack, const char *advice)
{
  guint64 n = weft_subjects_get_count (lacking);
  g_autofree char *shaders =
      weft_format_count (g_hash_table_size (self->shaders), "shader", "shaders");

  if (n == 0)
    weft_inquiry_tell (self->inquiry, check, question, WEFT_VERDICT_GOOD, NULL, NULL, "%s%s",
                       shaders, good);
  else
    weft_inquiry_tell (self->inquiry, check, question, WEFT_VERDICT_ATTENTION, advice,
                       weft_subjects_get_handles (lacking), "Of %" G_GUINT64_FORMAT " of %s %s: %s",
                       n, shaders, lack, weft_subjects_get_names (lacking));
}

static void
check_shaders (Diagnosis *self)
{
  g_autoptr (WeftTable) routines = read_rows (
      self->inquiry, "routines", COLUMNS ("id", "name", "source", "flavour", "tag:metal.library"));
  g_autoptr (WeftSubjects) without_source = weft_subjects_new ();
  g_autoptr (WeftSubjects) bare = weft_subjects_new ();

  for (guint i = 0; routines != NULL && i < weft_table_get_n_rows (routines); i++)
    {
      guint64 id = weft_table_get_uint64 (routines, 0, i);
      const char *name = weft_table_get_string (routines, 1, i);

      if (!ids_contain (self->shaders, id))
        continue;
      if (weft_table_is_null (routines, 2, i) || weft_table_get_uint64 (routines, 2, i) == 0)
        weft_subjects_add (without_source, "r", id, name);
      if (weft_table_get_string (routines, 3, i) == NULL && weft_table_is_null (routines, 4, i))
        weft_subjects_add (bare, "r", id, name);
    }
  if (g_hash_table_size (self->shaders) == 0)
    return;
  tell_of_shaders (self, WEFT_METAL_CHECK_SOURCES, "Are the sources of the shaders known?",
                   without_source, ", none without its source", "the name is known and no source",
                   WEFT_METAL_ADVICE_SOURCES);
  tell_of_shaders (self, WEFT_METAL_CHECK_IDENTITY, "Can shaders of one name be told apart?", bare,
                   ", each with the library or pipeline that it is of",
                   "neither library nor pipeline is told",
                   "Register shaders with the flavour of their library and the identity of their "
                   "pipeline (weft-metal.h): two builds of one function are two shaders");
}

/* ---- Counters ---- */

/* The last state of a set, in words: why no sample came. */
static char *
explain_set (WeftTable *states, guint64 set)
{
  g_autofree char *availability = NULL;
  const char *reason = NULL;
  const char *probe = NULL;
  GString *text;

  for (guint i = 0; states != NULL && i < weft_table_get_n_rows (states); i++)
    if (weft_table_get_uint64 (states, 0, i) == set)
      {
        g_free (availability);
        availability = weft_table_get_text (states, 1, i);
        reason = weft_table_get_string (states, 2, i);
        probe = weft_table_get_string (states, 3, i);
      }
  if (availability == NULL || strcmp (availability, "present") == 0)
    return g_strdup ("present, and no sample came");
  text = g_string_new (availability);
  if (reason != NULL)
    g_string_append_printf (text, ": %s", reason);
  if (probe != NULL)
    g_string_append_printf (text, " (%s)", probe);
  return g_string_free (text, FALSE);
}

static void
add_unsampled (WeftSubjects *unsampled, WeftTable *sets, guint row, WeftTable *states)
{
  const guint64 id = weft_table_get_uint64 (sets, 0, row);
  const char *name = weft_table_get_string (sets, 1, row);
  g_autofree char *why = explain_set (states, id);
  g_autofree char *text = g_strdup_printf ("“%s” is %s", name ? name : "?", why);

  weft_subjects_add (unsampled, "cs", id, text);
}

static void
check_counters (Diagnosis *self)
{
  static const char question[] = "Are Metal's counter sets sampled?";
  g_autoptr (WeftTable) sets =
      read_rows (self->inquiry, "counter_sets", COLUMNS ("id", "name", "runtime"));
  g_autoptr (WeftTable) states = read_rows (self->inquiry, "counter_set_states",
                                            COLUMNS ("set", "availability", "reason", "probe"));
  g_autoptr (WeftTable) samples =
      read_groups (self->inquiry, "counter_samples", NULL, "set", "count()");
  g_autoptr (GHashTable) sampled = ids_new ();
  g_autoptr (WeftSubjects) unsampled = weft_subjects_new ();
  g_autofree char *all = NULL;
  guint n = 0;

  for (guint i = 0; samples != NULL && i < weft_table_get_n_rows (samples); i++)
    ids_add (sampled, weft_table_get_uint64 (samples, 0, i), NULL);
  for (guint i = 0; samples != NULL && i < weft_table_get_n_rows (sets); i++)
    {
      if (!ids_contain (self->runtimes, weft_table_get_uint64 (sets, 2, i)))
        continue;
      n++;
      if (!ids_contain (sampled, weft_table_get_uint64 (sets, 0, i)))
        add_unsampled (unsampled, sets, i, states);
    }
  if (n == 0)
    return;
  all = weft_format_count (n, "counter set", "counter sets");
  if (weft_subjects_get_count (unsampled) == 0)
    weft_inquiry_tell (self->inquiry, WEFT_METAL_CHECK_COUNTERS, question, WEFT_VERDICT_GOOD, NULL,
                       NULL, "%s, none without samples", all);
  else
    weft_inquiry_tell (self->inquiry, WEFT_METAL_CHECK_COUNTERS, question, WEFT_VERDICT_ATTENTION,
                       WEFT_METAL_ADVICE_COUNTERS, weft_subjects_get_handles (unsampled),
                       "Of %s, listed and not sampled: %" G_GUINT64_FORMAT ": %s", all,
                       weft_subjects_get_count (unsampled), weft_subjects_get_names (unsampled));
}

static void
check_counter_errors (Diagnosis *self)
{
  static const char question[] = "Could the GPU take the samples?";
  g_autoptr (WeftTable) values =
      read_groups (self->inquiry, "counter_values", NULL, "is_error", "count()");
  guint64 counts[2] = { 0, 0 };
  g_autofree char *all = NULL;

  for (guint i = 0; values != NULL && i < weft_table_get_n_rows (values); i++)
    counts[weft_table_get_boolean (values, 0, i)] += weft_table_get_uint64 (values, 1, i);
  if (g_hash_table_size (self->lanes) == 0 || counts[0] + counts[1] == 0)
    return;
  all = weft_format_count (counts[0] + counts[1], "counter value", "counter values");
  weft_inquiry_tell (
      self->inquiry, WEFT_METAL_CHECK_COUNTER_ERRORS, question,
      counts[1] == 0 ? WEFT_VERDICT_GOOD : WEFT_VERDICT_ATTENTION,
      "MTLCounterErrorValue stands where the GPU could not sample: the command buffer failed, or "
      "the sampling point is not supported (supportsCounterSampling:). Such values are counted and "
      "never added up",
      NULL, "%" G_GUINT64_FORMAT " of %s %s", counts[1], all,
      counts[1] == 1 ? "is an error value" : "are error values");
}

/* ---- Timestamps ---- */

/* The number and the reason of what has no times: "3 not-written, 1 fault", as a sum. */
static double
name_reasons (WeftTable *sums, GString *text)
{
  double total = 0;

  for (guint i = 0; sums != NULL && i < weft_table_get_n_rows (sums); i++)
    {
      const double sum = weft_table_get_double (sums, 1, i);
      const char *reason = weft_table_get_string (sums, 0, i);

      if (!(sum > 0))
        continue;
      total += sum;
      g_string_append_printf (text, "%s%.0f %s", text->len > 0 ? ", " : "", sum,
                              reason ? reason : "for reasons not told");
    }
  return total;
}

static void
check_resolved (Diagnosis *self)
{
  static const char question[] = "Are the times of all dispatches resolved?";
  static const char unresolved[] = "metric:metal.unresolved";
  const double n_metrics =
      weft_inquiry_ask_number (self->inquiry, "metric_points", unresolved, "count()");
  g_autoptr (WeftTable) sums =
      read_groups (self->inquiry, "metric_points", unresolved, "metric.tag:reason", "sum(value)");
  g_autoptr (WeftTable) lanes =
      read_groups (self->inquiry, "metric_points", unresolved, "metric.lane", "sum(value)");
  g_autoptr (WeftSubjects) subjects = weft_subjects_new ();
  g_autoptr (GString) reasons = g_string_new (NULL);
  const double total = name_reasons (sums, reasons);
  g_autofree char *dispatches =
      weft_format_count ((guint64) total, "dispatch has", "dispatches have");

  for (guint i = 0; lanes != NULL && i < weft_table_get_n_rows (lanes); i++)
    if (weft_table_get_double (lanes, 1, i) > 0)
      weft_subjects_add (subjects, "l", weft_table_get_uint64 (lanes, 0, i), NULL);
  if (total > 0)
    weft_inquiry_tell (self->inquiry, WEFT_METAL_CHECK_RESOLVED, question, WEFT_VERDICT_ATTENTION,
                       "They stay pending on their lanes. no-slot and no-heap: give the timestamp "
                       "heaps more entries; abandoned: resolve before the queue is closed; fault "
                       "and not-written: see the command buffer's error. The guide has the others "
                       "(docs/metal.md)",
                       weft_subjects_get_handles (subjects),
                       "%s no times, and none are made up: %s", dispatches, reasons->str);
  else if (n_metrics > 0 || g_hash_table_size (self->shaders) > 0)
    weft_inquiry_add (self->inquiry, WEFT_METAL_CHECK_RESOLVED, question, WEFT_VERDICT_GOOD,
                      "No dispatch is told of whose times were not resolved", NULL, NULL);
}

/* ---- All ---- */

GListModel *
weft_metal_diagnose (WeftDomain *domain, WeftRecording *recording, GCancellable *cancellable,
                     GError **error)
{
  g_autoptr (WeftInquiry) inquiry = weft_inquiry_new ("metal", recording, cancellable);
  g_autoptr (GHashTable) lanes = ids_new ();
  g_autoptr (GHashTable) runtimes = ids_new ();
  g_autoptr (GHashTable) shaders = ids_new ();
  Diagnosis self = { inquiry, lanes, runtimes, shaders };

  read_lanes (&self);
  read_shaders (&self);
  check_lanes (&self);
  check_shaders (&self);
  check_counters (&self);
  check_counter_errors (&self);
  check_resolved (&self);
  return weft_inquiry_end (inquiry, error);
}

/* ---- Details ---- */

char *
weft_metal_shader_identity (const char *library, const char *function, const char *pipeline)
{
  const char *const parts[] = { library, function, pipeline };
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    if (parts[i] != NULL && *parts[i] != '\0')
      g_string_append_printf (text, "%s%s", text->len > 0 ? " / " : "", parts[i]);
  return g_string_free (text, FALSE);
}

static void
add_detail (GListStore *details, const char *label, const char *text)
{
  g_autoptr (WeftDetail) detail = weft_detail_new ("Shader", label, text, NULL);

  g_list_store_append (details, detail);
}

/* char* key to char* text */
static GHashTable *
copy_tags (GListModel *tags)
{
  GHashTable *texts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);

  for (guint i = 0; i < g_list_model_get_n_items (tags); i++)
    {
      g_autoptr (WeftTag) tag = g_list_model_get_item (tags, i);

      if (weft_tag_get_key (tag) != NULL && weft_tag_get_text (tag) != NULL)
        g_hash_table_insert (texts, g_strdup (weft_tag_get_key (tag)),
                             g_strdup (weft_tag_get_text (tag)));
    }
  return texts;
}

/* Of a shader, what tells it from others. */
GListModel *
weft_metal_get_details (WeftDomain *domain, WeftRecording *recording, GObject *object)
{
  static const char *const shown[][2] = {
    { "metal.stage", "Stage" },
    { "metal.math", "Floating point" },
    { "metal.library-hash", "Library hash" },
    { "metal.compiler", "Compiler" },
  };
  g_autoptr (GListStore) details = g_list_store_new (WEFT_TYPE_DETAIL);
  g_autoptr (WeftList) list = NULL;
  g_autoptr (GHashTable) tags = NULL;
  g_autofree char *identity = NULL;
  const char *function;

  if (!WEFT_IS_ROUTINE (object))
    return G_LIST_MODEL (g_steal_pointer (&details));
  list = weft_routine_get_tags (WEFT_ROUTINE (object));
  tags = copy_tags (G_LIST_MODEL (list));
  function = g_hash_table_lookup (tags, "metal.function");
  if (function == NULL && !g_hash_table_contains (tags, "metal.library"))
    return G_LIST_MODEL (g_steal_pointer (&details));
  identity = weft_metal_shader_identity (g_hash_table_lookup (tags, "metal.library"),
                                         function ? function
                                                  : weft_routine_get_name (WEFT_ROUTINE (object)),
                                         g_hash_table_lookup (tags, "metal.pipeline"));
  add_detail (details, "Identity", identity);
  for (guint i = 0; i < G_N_ELEMENTS (shown); i++)
    if (g_hash_table_contains (tags, shown[i][0]))
      add_detail (details, shown[i][1], g_hash_table_lookup (tags, shown[i][0]));
  return G_LIST_MODEL (g_steal_pointer (&details));
}
