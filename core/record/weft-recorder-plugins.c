/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a recording takes of plugins: their names and words, and what their domains find in it. */

#include "weft-recorder-plugins.h"

#include "weft-error.h"
#include "weft-objects.h"
#include "weft-recorder-private.h"

/* ---- Names and words ---- */

static gboolean
add_words (WeftRecorder *self, WeftDomain *domain, const char *const *always, GError **error)
{
  g_autoptr (WeftVocabulary) vocabulary = weft_domain_get_vocabulary (domain);
  g_autofree char *name = weft_domain_get_name (domain);
  g_autoptr (GVariant) rows = weft_vocabulary_to_rows (vocabulary);

  return weft_recorder_add_words (self, rows, always != NULL && g_strv_contains (always, name),
                                  error);
}

/**
 * weft_recorder_add_plugins:
 * @self: a recorder
 * @registry: the plugins that are in force
 * @always: (nullable) (array zero-terminated=1): names of domains whose words are kept whatever is
 *   recorded
 * @error: where to say what went wrong
 *
 * Gives the recording the names of the plugins that are loaded, and the words of all domains of
 * @registry, as [method@Recorder.add_plugin] and [method@Recorder.add_words] do. Call it on the
 * main context.
 *
 * Returns: %FALSE with `WEFT_ERROR_RECORDER` if the recording is finished
 *
 * Since: 0.1
 */
gboolean
weft_recorder_add_plugins (WeftRecorder *self, WeftPluginRegistry *registry,
                           const char *const *always, GError **error)
{
  GListModel *domains;

  g_return_val_if_fail (WEFT_IS_RECORDER (self), FALSE);
  g_return_val_if_fail (WEFT_IS_PLUGIN_REGISTRY (registry), FALSE);

  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (registry)); i++)
    {
      g_autoptr (WeftPlugin) plugin = g_list_model_get_item (G_LIST_MODEL (registry), i);

      if (weft_plugin_get_state (plugin) == WEFT_PLUGIN_LOADED &&
          !weft_recorder_add_plugin (self, weft_plugin_get_name (plugin),
                                     weft_plugin_get_version (plugin),
                                     weft_plugin_get_path (plugin), error))
        return FALSE;
    }
  domains = weft_plugin_registry_get_domains (registry);
  for (guint i = 0; i < g_list_model_get_n_items (domains); i++)
    {
      g_autoptr (WeftDomain) domain = g_list_model_get_item (domains, i);

      if (!add_words (self, domain, always, error))
        return FALSE;
    }
  return TRUE;
}

/* ---- Watching over domains ---- */

#define DEFAULT_TIMEOUT 5000           /* ms */
#define GRACE (1 * G_TIME_SPAN_SECOND) /* for what was cancelled to return */

/* Plugins are code of others: once their time is over they are cancelled, and once that does not
 * help either, the file is finished without them. They cannot be stopped, but nothing is lost.
 */
typedef struct
{
  WeftRecorder *recorder; /* outlives it */
  GCancellable *cancellable;
  GThread *thread;
  gint64 deadline;

  GMutex lock;
  GCond changed;
  gboolean is_over;
  char *asked; /* name of the domain that is at work, or NULL */
} Watch;

static void
add_failure (WeftRecorder *recorder, const char *domain, const char *evidence)
{
  g_autofree char *check = g_strconcat (domain, ".diagnosis", NULL);
  g_autoptr (WeftFinding) finding =
      weft_finding_new (check, "Could the domain look at the recording?", WEFT_VERDICT_ATTENTION,
                        evidence, "Update or remove the plugin that brings this domain", NULL);

  weft_recorder_add_finding (recorder, domain, finding, NULL);
}

static gboolean
wait_until (Watch *watch, gint64 time)
{
  while (!watch->is_over && g_cond_wait_until (&watch->changed, &watch->lock, time))
    ;
  return watch->is_over;
}

static gpointer
watch_thread (gpointer data)
{
  Watch *watch = data;
  g_autoptr (WeftRecorderStatus) saved = NULL;
  g_autofree char *asked = NULL;
  gboolean is_over;

  g_mutex_lock (&watch->lock);
  is_over = wait_until (watch, watch->deadline);
  g_mutex_unlock (&watch->lock);
  if (is_over)
    return NULL;
  g_cancellable_cancel (watch->cancellable);

  g_mutex_lock (&watch->lock);
  is_over = wait_until (watch, watch->deadline + GRACE);
  asked = g_strdup (watch->asked);
  g_mutex_unlock (&watch->lock);
  if (is_over || asked == NULL)
    return NULL;
  add_failure (watch->recorder, asked, "It did not come to an end, and was left behind");
  saved = weft_recorder_stop (watch->recorder, NULL, NULL);
  return NULL;
}

static void
watch_begin (Watch *watch, WeftRecorder *recorder, guint timeout)
{
  watch->recorder = recorder;
  watch->cancellable = g_cancellable_new ();
  watch->deadline = g_get_monotonic_time () + (gint64) (timeout ? timeout : DEFAULT_TIMEOUT) * 1000;
  g_mutex_init (&watch->lock);
  g_cond_init (&watch->changed);
  watch->thread = g_thread_new ("weft-domains", watch_thread, watch);
}

static void
watch_set_asked (Watch *watch, const char *name)
{
  g_mutex_lock (&watch->lock);
  g_free (watch->asked);
  watch->asked = g_strdup (name);
  g_mutex_unlock (&watch->lock);
}

static void
watch_end (Watch *watch)
{
  g_mutex_lock (&watch->lock);
  watch->is_over = TRUE;
  g_cond_signal (&watch->changed);
  g_mutex_unlock (&watch->lock);
  g_thread_join (watch->thread);
  g_mutex_clear (&watch->lock);
  g_cond_clear (&watch->changed);
  g_object_unref (watch->cancellable);
  g_free (watch->asked);
}

/* ---- Asking domains ---- */

#define MAX_FINDINGS 256 /* of one domain */

typedef struct
{
  WeftPluginRegistry *registry;
  guint timeout; /* ms, 0: as long as is usual */
  WeftRecording *recording;
  GPtrArray *domains; /* element-type WeftDomain: those in force */
  guint n_asked;
  Watch watch;
  gulong cancelled; /* handler */
} Asking;

static void
asking_free (gpointer data)
{
  Asking *asking = data;

  g_object_unref (asking->registry);
  g_clear_object (&asking->recording);
  g_clear_pointer (&asking->domains, g_ptr_array_unref);
  g_free (asking);
}

static Asking *
asking_new (WeftPluginRegistry *registry, guint timeout)
{
  Asking *asking = g_new0 (Asking, 1);

  asking->registry = g_object_ref (registry);
  asking->timeout = timeout;
  return asking;
}

/* The recording as it stands, with names, as findings tell of functions, too. Any thread. */
static gboolean
read_recording (WeftRecorder *self, Asking *asking, GCancellable *cancellable, GError **error)
{
  g_autoptr (GFile) file = NULL;

  if (!weft_recorder_flush_named (self, cancellable, error))
    return FALSE;
  file = g_file_new_for_path (weft_recorder_get_output (self));
  asking->recording = weft_recording_open (file, cancellable, error);
  return asking->recording != NULL;
}

static void
take_domain (Asking *asking, WeftDomain *domain)
{
  if (domain != NULL && !g_ptr_array_find (asking->domains, domain, NULL))
    g_ptr_array_add (asking->domains, g_object_ref (domain));
}

/* Those that want to be asked though nothing is of their kinds. */
static void
take_concerned (Asking *asking)
{
  GListModel *domains = weft_plugin_registry_get_domains (asking->registry);

  for (guint i = 0; i < g_list_model_get_n_items (domains); i++)
    {
      g_autoptr (WeftDomain) domain = g_list_model_get_item (domains, i);

      if (!g_ptr_array_find (asking->domains, domain, NULL) &&
          weft_domain_concerns (domain, asking->recording))
        take_domain (asking, domain);
    }
}

/* Those of which the file has words, and those of the kinds of its lanes. */
static void
find_domains (Asking *asking)
{
  g_autoptr (WeftVocabulary) words = weft_recording_get_vocabulary (asking->recording);
  g_auto (GStrv) names = weft_vocabulary_get_domains (words);
  g_autoptr (WeftList) lanes = weft_recording_get_lanes (asking->recording);
  g_autoptr (GHashTable) kinds = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  asking->domains = g_ptr_array_new_with_free_func (g_object_unref);
  for (guint i = 0; names[i] != NULL; i++)
    take_domain (asking, weft_plugin_registry_find_domain (asking->registry, names[i]));
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (lanes)); i++)
    {
      g_autoptr (WeftLane) lane = g_list_model_get_item (G_LIST_MODEL (lanes), i);
      const char *kind = weft_lane_get_kind (lane);

      if (kind != NULL && g_hash_table_add (kinds, g_strdup (kind)))
        take_domain (asking, weft_plugin_registry_find_domain_for_kind (asking->registry, kind));
    }
  take_concerned (asking);
}

static void
on_cancelled (GCancellable *cancellable, gpointer data)
{
  g_cancellable_cancel (data);
}

static void
begin_asking (WeftRecorder *self, Asking *asking, GCancellable *cancellable)
{
  find_domains (asking);
  watch_begin (&asking->watch, self, asking->timeout);
  if (cancellable != NULL)
    asking->cancelled = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled),
                                               asking->watch.cancellable, NULL);
}

static void
end_asking (Asking *asking, GCancellable *cancellable)
{
  if (cancellable != NULL)
    g_cancellable_disconnect (cancellable, asking->cancelled);
  watch_end (&asking->watch);
}

static gboolean
add_findings (WeftRecorder *self, const char *name, GListModel *findings, GError **error)
{
  guint n_findings = g_list_model_get_n_items (findings);

  for (guint i = 0; i < MIN (n_findings, MAX_FINDINGS); i++)
    {
      g_autoptr (GObject) finding = g_list_model_get_item (findings, i);

      if (WEFT_IS_FINDING (finding) &&
          !weft_recorder_add_finding (self, name, WEFT_FINDING (finding), error))
        return FALSE;
    }
  return TRUE;
}

/* FALSE, with an error, only if nothing can be added any more. */
static gboolean
ask_next (WeftRecorder *self, Asking *asking, GError **error)
{
  WeftDomain *domain = asking->domains->pdata[asking->n_asked++];
  GCancellable *cancellable = asking->watch.cancellable;
  g_autofree char *name = weft_domain_get_name (domain);
  g_autoptr (GListModel) findings = NULL;
  g_autoptr (GError) failure = NULL;

  if (g_cancellable_is_cancelled (cancellable))
    {
      add_failure (self, name, "The time for that was over before it was asked");
      return TRUE;
    }
  watch_set_asked (&asking->watch, name);
  findings = weft_domain_diagnose (domain, asking->recording, cancellable, &failure);
  watch_set_asked (&asking->watch, NULL);
  if (findings != NULL)
    return add_findings (self, name, findings, error);
  add_failure (self, name, failure->message);
  return TRUE;
}

/**
 * weft_recorder_add_domain_findings:
 * @self: a recorder that records
 * @registry: the plugins that are in force
 * @timeout: milliseconds that the domains have together; 0: 5000
 * @cancellable: (nullable): a cancellable
 * @error: where to say what went wrong
 *
 * Asks the domains of @registry that the recording concerns what they find in it, and keeps their
 * answers in the file. A domain is concerned if a lane of its kinds was recorded, if its words
 * are kept always, or if it says so ([method@Domain.concerns]). Call it on the main context, when
 * what is to be recorded is over, before [method@Recorder.stop].
 *
 * A domain that fails, or is not ready in time, is a finding of its own. One that does not even
 * return when its time is over cannot be stopped: a second later the recorder stops by itself, so
 * that the recording is saved whatever a plugin does.
 *
 * Returns: %FALSE if the recording cannot be read as it stands, or was finished meanwhile
 *   (`WEFT_ERROR_RECORDER`)
 *
 * Since: 0.1
 */
gboolean
weft_recorder_add_domain_findings (WeftRecorder *self, WeftPluginRegistry *registry, guint timeout,
                                   GCancellable *cancellable, GError **error)
{
  Asking *asking;
  gboolean good;

  g_return_val_if_fail (WEFT_IS_RECORDER (self), FALSE);
  g_return_val_if_fail (WEFT_IS_PLUGIN_REGISTRY (registry), FALSE);

  asking = asking_new (registry, timeout);
  good = read_recording (self, asking, cancellable, error);
  if (good)
    {
      begin_asking (self, asking, cancellable);
      while (good && asking->n_asked < asking->domains->len)
        good = ask_next (self, asking, error);
      end_asking (asking, cancellable);
    }
  asking_free (asking);
  return good;
}

/* ---- Without blocking ---- */

static void
read_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GError *error = NULL;

  if (read_recording (source, data, cancellable, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

/* One domain at a time: others have their turn in between. */
static gboolean
on_turn (gpointer data)
{
  GTask *task = data;
  Asking *asking = g_task_get_task_data (task);
  GError *error = NULL;

  if (asking->n_asked < asking->domains->len &&
      ask_next (g_task_get_source_object (task), asking, &error))
    return G_SOURCE_CONTINUE;
  end_asking (asking, g_task_get_cancellable (task));
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_boolean (task, TRUE);
  return G_SOURCE_REMOVE;
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GTask) task = data;
  g_autoptr (GSource) turns = NULL;
  GError *error = NULL;

  if (!g_task_propagate_boolean (G_TASK (result), &error))
    {
      g_task_return_error (task, error);
      return;
    }
  begin_asking (WEFT_RECORDER (source), g_task_get_task_data (task), g_task_get_cancellable (task));
  turns = g_idle_source_new ();
  g_source_set_priority (turns, G_PRIORITY_DEFAULT);
  g_source_set_callback (turns, on_turn, g_object_ref (task), g_object_unref);
  g_source_attach (turns, g_main_context_get_thread_default ());
}

/**
 * weft_recorder_add_domain_findings_async:
 * @self: a recorder that records
 * @registry: the plugins that are in force
 * @timeout: milliseconds that the domains have together; 0: 5000
 * @cancellable: (nullable): a cancellable
 * @callback: called when all were asked
 * @user_data: data for @callback
 *
 * Asks the domains what they find; see [method@Recorder.add_domain_findings]. The file is read
 * without blocking; domains are asked on the main context, one after the other.
 *
 * Since: 0.1
 */
void
weft_recorder_add_domain_findings_async (WeftRecorder *self, WeftPluginRegistry *registry,
                                         guint timeout, GCancellable *cancellable,
                                         GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  g_autoptr (GTask) reading = NULL;
  Asking *asking;

  g_return_if_fail (WEFT_IS_RECORDER (self));
  g_return_if_fail (WEFT_IS_PLUGIN_REGISTRY (registry));

  asking = asking_new (registry, timeout);
  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, weft_recorder_add_domain_findings_async);
  g_task_set_task_data (task, asking, asking_free);
  /* What was found before it was cancelled is in the file. */
  g_task_set_check_cancellable (task, FALSE);
  reading = g_task_new (self, cancellable, on_read, g_object_ref (task));
  g_task_set_task_data (reading, asking, NULL);
  g_task_run_in_thread (reading, read_thread);
}

/**
 * weft_recorder_add_domain_findings_finish:
 * @self: a recorder
 * @result: what the callback got
 * @error: where to say what went wrong
 *
 * Ends [method@Recorder.add_domain_findings_async].
 *
 * Returns: %FALSE as [method@Recorder.add_domain_findings] does
 *
 * Since: 0.1
 */
gboolean
weft_recorder_add_domain_findings_finish (WeftRecorder *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}
