/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-metal-diagnosis.h"

#include <string.h>

#include "weft-metal-rows.h"

#define MAX_NAMED 8 /* things that a sentence names */

typedef struct
{
  WeftRecording *recording;
  GCancellable *cancellable;
  GListStore *findings;
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

/* ---- Findings ---- */

static void
add_finding (Diagnosis *self, const char *check, const char *question, WeftVerdict verdict,
             const char *evidence, const char *advice, const char *const *handles)
{
  g_autoptr (WeftFinding) finding =
      weft_finding_new (check, question, verdict, evidence, advice, handles);

  g_list_store_append (self->findings, finding);
}

/* A sentence that names some of many. */
typedef struct
{
  GString *names;
  GStrvBuilder *handles;
  guint n;
} Some;

static void
some_init (Some *some)
{
  some->names = g_string_new (NULL);
  some->handles = g_strv_builder_new ();
  some->n = 0;
}

static void
some_clear (Some *some)
{
  if (some->names == NULL)
    return;
  g_string_free (some->names, TRUE);
  g_strv_builder_unref (some->handles);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Some, some_clear)

/* PREFIX is that of handles, or NULL. */
static void
some_add (Some *some, const char *name, const char *prefix, guint64 id)
{
  if (some->n++ >= MAX_NAMED)
    return;
  g_string_append_printf (some->names, "%s%s", some->names->len > 0 ? ", " : "", name ? name : "?");
  if (prefix != NULL)
    {
      g_autofree char *handle = g_strdup_printf ("%s-%" G_GUINT64_FORMAT, prefix, id);

      g_strv_builder_add (some->handles, handle);
    }
}

static void
some_end (Some *some)
{
  if (some->n > MAX_NAMED)
    g_string_append_printf (some->names, " and %u more", some->n - MAX_NAMED);
}

/* ---- What there is ---- */

static WeftTable *
read_rows (Diagnosis *self, const char *table, const char *fields, GError **error)
{
  return weft_metal_rows_read (self->recording, table, fields, self->cancellable, error);
}

/* Rows of TABLE in groups by some fields, with the VALUE of each group. */
static WeftTable *
read_groups (Diagnosis *self, const char *table, const char *filter, const char *by,
             const char *value, GError **error)
{
  g_autoptr (WeftQuery) query = weft_query_new (table, error);
  g_auto (GStrv) fields = g_strsplit (by, " ", -1);

  if (query == NULL || (filter != NULL && !weft_query_set_filter_text (query, filter, error)))
    return NULL;
  for (guint i = 0; fields[i] != NULL; i++)
    if (!weft_query_group_by (query, fields[i], NULL, error))
      return NULL;
  if (!weft_query_select (query, value, "value", error))
    return NULL;
  weft_query_set_limit (query, 0);
  return weft_query_run (query, self->recording, self->cancellable, error);
}

static gboolean
read_lanes (Diagnosis *self, GError **error)
{
  g_autoptr (WeftTable) lanes = read_rows (self, "lanes", "id kind runtime", error);

  for (guint i = 0; lanes != NULL && i < weft_table_get_n_rows (lanes); i++)
    {
      const char *kind = weft_table_get_string (lanes, 1, i);

      if (kind == NULL || !g_str_has_prefix (kind, "metal."))
        continue;
      ids_add (self->lanes, weft_table_get_uint64 (lanes, 0, i), kind);
      ids_add (self->runtimes, weft_table_get_uint64 (lanes, 2, i), NULL);
    }
  return lanes != NULL;
}

static gboolean
read_shaders (Diagnosis *self, GError **error)
{
  g_autoptr (WeftTable) ran =
      read_groups (self, "dispatches", "kind:metal.queue", "routine", "count()", error);
  g_autoptr (WeftTable) routines = ran ? read_rows (self, "routines", "id name", error) : NULL;

  for (guint i = 0; routines != NULL && i < weft_table_get_n_rows (ran); i++)
    ids_add (self->shaders, weft_table_get_uint64 (ran, 0, i), NULL);
  for (guint i = 0; routines != NULL && i < weft_table_get_n_rows (routines); i++)
    {
      guint64 id = weft_table_get_uint64 (routines, 0, i);

      if (ids_contain (self->shaders, id))
        ids_add (self->shaders, id, weft_table_get_string (routines, 1, i));
    }
  return routines != NULL;
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
static gboolean
find_metal_code (WeftRecording *recording, GCancellable *cancellable, Some *found, GError **error)
{
  Diagnosis self = { .recording = recording, .cancellable = cancellable };
  g_autoptr (WeftTable) frames = NULL;
  g_autoptr (WeftTable) modules = read_rows (&self, "modules", "id name path", error);
  g_autoptr (GHashTable) seen = ids_new ();

  if (modules != NULL)
    frames = read_groups (&self, "frames", NULL, "module", "count()", error);
  for (guint i = 0; frames != NULL && i < weft_table_get_n_rows (frames); i++)
    ids_add (seen, weft_table_get_uint64 (frames, 0, i), NULL);
  for (guint i = 0; frames != NULL && i < weft_table_get_n_rows (modules); i++)
    {
      guint64 id = weft_table_get_uint64 (modules, 0, i);

      if (ids_contain (seen, id) && is_metal_module (weft_table_get_string (modules, 2, i)))
        some_add (found, weft_table_get_string (modules, 1, i), "mod", id);
    }
  some_end (found);
  return frames != NULL;
}

gboolean
weft_metal_concerns (WeftDomain *domain, WeftRecording *recording)
{
  g_auto (Some) found = { NULL };

  some_init (&found);
  return find_metal_code (recording, NULL, &found, NULL) && found.n > 0;
}

static gboolean
check_lanes (Diagnosis *self, GError **error)
{
  static const char question[] = "Is Metal's work reported as lanes?";
  g_auto (Some) code = { NULL };
  g_autofree char *evidence = NULL;
  g_auto (GStrv) handles = NULL;

  some_init (&code);
  if (!find_metal_code (self->recording, self->cancellable, &code, error))
    return FALSE;
  handles = g_strv_builder_end (code.handles);
  if (g_hash_table_size (self->lanes) > 0)
    {
      evidence = g_strdup_printf ("%u lanes of Metal", g_hash_table_size (self->lanes));
      add_finding (self, WEFT_METAL_CHECK_LANES, question, WEFT_VERDICT_GOOD, evidence, NULL, NULL);
    }
  else if (code.n > 0)
    {
      evidence = g_strdup_printf ("Stacks of the CPU lead through Metal (%s), and no lane is of "
                                  "Metal: what the GPU did is not known",
                                  code.names->str);
      add_finding (self, WEFT_METAL_CHECK_LANES, question, WEFT_VERDICT_PROBLEM, evidence,
                   WEFT_METAL_ADVICE_LANES, (const char *const *) handles);
    }
  return TRUE;
}

/* ---- Shaders ---- */

static gboolean
check_sources (Diagnosis *self, GError **error)
{
  static const char question[] = "Are the sources of the shaders known?";
  g_autoptr (WeftTable) routines = read_rows (self, "routines", "id name source", error);
  g_autofree char *evidence = NULL;
  g_auto (GStrv) handles = NULL;
  g_auto (Some) missing = { NULL };

  if (routines == NULL || g_hash_table_size (self->shaders) == 0)
    return routines != NULL;
  some_init (&missing);
  for (guint i = 0; i < weft_table_get_n_rows (routines); i++)
    {
      guint64 id = weft_table_get_uint64 (routines, 0, i);

      if (ids_contain (self->shaders, id) && weft_table_get_uint64 (routines, 2, i) == 0)
        some_add (&missing, weft_table_get_string (routines, 1, i), "r", id);
    }
  some_end (&missing);
  handles = g_strv_builder_end (missing.handles);
  if (missing.n == 0)
    evidence =
        g_strdup_printf ("%u shaders, all with their source", g_hash_table_size (self->shaders));
  else
    evidence = g_strdup_printf ("Of %u of %u shaders the name is known and no source: %s",
                                missing.n, g_hash_table_size (self->shaders), missing.names->str);
  add_finding (self, WEFT_METAL_CHECK_SOURCES, question,
               missing.n == 0 ? WEFT_VERDICT_GOOD : WEFT_VERDICT_ATTENTION, evidence,
               missing.n == 0 ? NULL : WEFT_METAL_ADVICE_SOURCES, (const char *const *) handles);
  return TRUE;
}

static gboolean
check_identity (Diagnosis *self, GError **error)
{
  static const char question[] = "Can shaders of one name be told apart?";
  g_autoptr (WeftTable) routines = read_rows (self, "routines", "id name flavour", error);
  g_autoptr (GHashTable) libraries = NULL;
  g_autofree char *evidence = NULL;
  g_auto (GStrv) handles = NULL;
  g_auto (Some) bare = { NULL };

  if (routines != NULL)
    libraries = weft_metal_rows_read_tags (self->recording, "routines", "metal.library",
                                           self->cancellable, error);
  if (libraries == NULL || g_hash_table_size (self->shaders) == 0)
    return libraries != NULL;
  some_init (&bare);
  for (guint i = 0; i < weft_table_get_n_rows (routines); i++)
    {
      guint64 id = weft_table_get_uint64 (routines, 0, i);

      if (ids_contain (self->shaders, id) && weft_table_get_string (routines, 2, i) == NULL &&
          !ids_contain (libraries, id))
        some_add (&bare, weft_table_get_string (routines, 1, i), "r", id);
    }
  some_end (&bare);
  handles = g_strv_builder_end (bare.handles);
  if (bare.n == 0)
    evidence = g_strdup ("All shaders say which library or pipeline they are of");
  else
    evidence = g_strdup_printf ("Of %u shaders neither library nor pipeline is told: %s", bare.n,
                                bare.names->str);
  add_finding (self, WEFT_METAL_CHECK_IDENTITY, question,
               bare.n == 0 ? WEFT_VERDICT_GOOD : WEFT_VERDICT_ATTENTION, evidence,
               bare.n == 0 ? NULL
                           : "Register shaders with the flavour of their library and the identity "
                             "of their pipeline (weft-metal.h): two builds of one function are "
                             "two shaders",
               (const char *const *) handles);
  return TRUE;
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
add_unsampled (Some *unsampled, WeftTable *sets, guint row, WeftTable *states)
{
  const guint64 id = weft_table_get_uint64 (sets, 0, row);
  const char *name = weft_table_get_string (sets, 1, row);
  g_autofree char *why = explain_set (states, id);
  g_autofree char *text = g_strdup_printf ("“%s” is %s", name ? name : "?", why);

  some_add (unsampled, text, "cs", id);
}

static gboolean
check_counters (Diagnosis *self, GError **error)
{
  static const char question[] = "Are Metal's counter sets sampled?";
  g_autoptr (WeftTable) sets = read_rows (self, "counter_sets", "id name runtime", error);
  g_autoptr (WeftTable) states = NULL;
  g_autoptr (WeftTable) samples = NULL;
  g_autoptr (GHashTable) sampled = ids_new ();
  g_autofree char *evidence = NULL;
  g_auto (GStrv) handles = NULL;
  g_auto (Some) unsampled = { NULL };
  guint n = 0;

  if (sets != NULL)
    states = read_rows (self, "counter_set_states", "set availability reason probe", error);
  if (states != NULL)
    samples = read_groups (self, "counter_samples", NULL, "set", "count()", error);
  if (samples == NULL)
    return FALSE;
  for (guint i = 0; i < weft_table_get_n_rows (samples); i++)
    ids_add (sampled, weft_table_get_uint64 (samples, 0, i), NULL);
  some_init (&unsampled);
  for (guint i = 0; i < weft_table_get_n_rows (sets); i++)
    {
      if (!ids_contain (self->runtimes, weft_table_get_uint64 (sets, 2, i)))
        continue;
      n++;
      if (!ids_contain (sampled, weft_table_get_uint64 (sets, 0, i)))
        add_unsampled (&unsampled, sets, i, states);
    }
  some_end (&unsampled);
  handles = g_strv_builder_end (unsampled.handles);
  if (n == 0)
    return TRUE;
  evidence = unsampled.n == 0
                 ? g_strdup_printf ("%u counter sets, all sampled", n)
                 : g_strdup_printf ("Of %u counter sets %u are listed and not sampled: %s", n,
                                    unsampled.n, unsampled.names->str);
  add_finding (self, WEFT_METAL_CHECK_COUNTERS, question,
               unsampled.n == 0 ? WEFT_VERDICT_GOOD : WEFT_VERDICT_ATTENTION, evidence,
               unsampled.n == 0 ? NULL : WEFT_METAL_ADVICE_COUNTERS, (const char *const *) handles);
  return TRUE;
}

static gboolean
check_counter_errors (Diagnosis *self, GError **error)
{
  static const char question[] = "Could the GPU take the samples?";
  g_autoptr (WeftTable) values =
      read_groups (self, "counter_values", NULL, "is_error", "count()", error);
  guint64 counts[2] = { 0, 0 };
  g_autofree char *evidence = NULL;

  for (guint i = 0; values != NULL && i < weft_table_get_n_rows (values); i++)
    counts[weft_table_get_boolean (values, 0, i)] += weft_table_get_uint64 (values, 1, i);
  if (values == NULL || g_hash_table_size (self->lanes) == 0 || counts[0] + counts[1] == 0)
    return values != NULL;
  evidence = g_strdup_printf ("%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                              " counter values are error values",
                              counts[1], counts[0] + counts[1]);
  add_finding (self, WEFT_METAL_CHECK_COUNTER_ERRORS, question,
               counts[1] == 0 ? WEFT_VERDICT_GOOD : WEFT_VERDICT_ATTENTION, evidence,
               counts[1] == 0 ? NULL
                              : "MTLCounterErrorValue stands where the GPU could not sample: the "
                                "command buffer failed, or the sampling point is not supported "
                                "(supportsCounterSampling:). Such values are counted and never "
                                "added up",
               NULL);
  return TRUE;
}

/* ---- Timestamps ---- */

typedef struct
{
  const char *reason; /* of the table of tags */
  double sum;
} Unresolved;

/* Several lanes may have the same reason. */
static void
count_reason (GArray *unresolved, const char *reason, double sum)
{
  const Unresolved first = { reason, sum };

  for (guint i = 0; i < unresolved->len; i++)
    {
      Unresolved *known = &g_array_index (unresolved, Unresolved, i);

      if (g_strcmp0 (known->reason, reason) == 0)
        {
          known->sum += sum;
          return;
        }
    }
  g_array_append_val (unresolved, first);
}

static double
name_reasons (const GArray *unresolved, GString *text)
{
  double total = 0;

  for (guint i = 0; i < unresolved->len; i++)
    {
      const Unresolved *one = &g_array_index (unresolved, Unresolved, i);

      total += one->sum;
      g_string_append_printf (text, "%s%.0f %s", i > 0 ? ", " : "", one->sum,
                              one->reason ? one->reason : "for reasons not told");
    }
  return total;
}

/* "3 not-written, 1 fault" of all lanes, which are named by their handles. */
static gboolean
read_unresolved (Diagnosis *self, Some *lanes, GString *text, double *total, guint *n_metrics,
                 GError **error)
{
  g_autoptr (WeftTable) metrics = read_rows (self, "metrics", "id name lane", error);
  g_autoptr (WeftTable) sums = NULL;
  g_autoptr (GHashTable) reasons = NULL;
  g_autoptr (GArray) unresolved = g_array_new (FALSE, FALSE, sizeof (Unresolved));
  guint64 last = 0; /* lane; its metrics, one for each reason, come one after the other */

  if (metrics != NULL)
    sums = read_groups (self, "metric_points", NULL, "metric", "sum(value)", error);
  if (sums != NULL)
    reasons =
        weft_metal_rows_read_tags (self->recording, "metrics", "reason", self->cancellable, error);
  for (guint i = 0; reasons != NULL && i < weft_table_get_n_rows (metrics); i++)
    {
      const guint64 id = weft_table_get_uint64 (metrics, 0, i);

      if (g_strcmp0 (weft_table_get_string (metrics, 1, i), "metal.unresolved") != 0)
        continue;
      (*n_metrics)++;
      for (guint k = 0; k < weft_table_get_n_rows (sums); k++)
        {
          const double sum = weft_table_get_double (sums, 1, k);

          if (weft_table_get_uint64 (sums, 0, k) != id || !(sum > 0))
            continue;
          count_reason (unresolved, g_hash_table_lookup (reasons, &id), sum);
          if (weft_table_get_uint64 (metrics, 2, i) != last)
            some_add (lanes, NULL, "l", weft_table_get_uint64 (metrics, 2, i));
          last = weft_table_get_uint64 (metrics, 2, i);
        }
    }
  *total = name_reasons (unresolved, text);
  return reasons != NULL;
}

static gboolean
check_resolved (Diagnosis *self, GError **error)
{
  static const char question[] = "Are the times of all dispatches resolved?";
  g_autofree char *evidence = NULL;
  g_auto (GStrv) handles = NULL;
  g_autoptr (GString) reasons = g_string_new (NULL);
  g_auto (Some) lanes = { NULL };
  double total = 0;
  guint n_metrics = 0;

  some_init (&lanes);
  if (!read_unresolved (self, &lanes, reasons, &total, &n_metrics, error))
    return FALSE;
  handles = g_strv_builder_end (lanes.handles);
  if (total > 0)
    evidence = g_strdup_printf ("%.0f dispatches have no times, and none are made up: %s", total,
                                reasons->str);
  else
    evidence = g_strdup ("No dispatch is told of whose times were not resolved");
  if (n_metrics > 0 || g_hash_table_size (self->shaders) > 0)
    add_finding (self, WEFT_METAL_CHECK_RESOLVED, question,
                 total > 0 ? WEFT_VERDICT_ATTENTION : WEFT_VERDICT_GOOD, evidence,
                 total > 0
                     ? "They stay pending on their lanes. no-slot and no-heap: give the "
                       "timestamp heaps more entries; abandoned: resolve before the queue "
                       "is closed; fault and not-written: see the command buffer's error. The "
                       "guide has the others (docs/metal.md)"
                     : NULL,
                 (const char *const *) handles);
  return TRUE;
}

/* ---- All ---- */

static gboolean
run_checks (Diagnosis *self, GError **error)
{
  return read_lanes (self, error) && read_shaders (self, error) && check_lanes (self, error) &&
         check_sources (self, error) && check_identity (self, error) &&
         check_counters (self, error) && check_counter_errors (self, error) &&
         check_resolved (self, error);
}

GListModel *
weft_metal_diagnose (WeftDomain *domain, WeftRecording *recording, GCancellable *cancellable,
                     GError **error)
{
  g_autoptr (GListStore) findings = g_list_store_new (WEFT_TYPE_FINDING);
  g_autoptr (GHashTable) lanes = ids_new ();
  g_autoptr (GHashTable) runtimes = ids_new ();
  g_autoptr (GHashTable) shaders = ids_new ();
  Diagnosis self = { recording, cancellable, findings, lanes, runtimes, shaders };

  if (!run_checks (&self, error))
    return NULL;
  return G_LIST_MODEL (g_steal_pointer (&findings));
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
