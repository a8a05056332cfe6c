/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-codec-domain.h"

#include "weft-codec-diagnosis.h"

struct _WeftCodecDomain
{
  GObject parent_instance;
};

static char *
get_name (WeftDomain *domain)
{
  return g_strdup ("codec");
}

/* ---- Words ---- */

static void
add_kinds (WeftVocabulary *words)
{
  static const struct
  {
    const char *kind;
    const char *label;
    const char *icon;
    const char *colour;
    const char *lane; /* what one is called, or NULL */
    const char *lanes;
  } kinds[] = {
    { "codec.*", "Stage", "applications-multimedia-symbolic", "#613583", NULL, NULL },
    { "codec.pipeline", "Pipeline", "network-wired-symbolic", "#5e5c64", "pipeline", "pipelines" },
    { "codec.element", "Element", "application-x-addon-symbolic", "#613583", "element",
      "elements" },
    { "codec.stream", "Stream", "media-tape-symbolic", "#1a5fb4", "stream", "streams" },
    { "codec.source", "Source", "camera-video-symbolic", "#26a269", "source", "sources" },
    { "codec.sink", "Sink", "video-display-symbolic", "#a51d2d", "sink", "sinks" },
    { "codec.demuxer", "Demuxer", "edit-cut-symbolic", "#2190a4", "demuxer", "demuxers" },
    { "codec.muxer", "Muxer", "insert-link-symbolic", "#63452c", "muxer", "muxers" },
    { "codec.parser", "Parser", "text-x-generic-symbolic", "#865e3c", "parser", "parsers" },
    { "codec.decoder", "Decoder", "media-playback-start-symbolic", "#1c71d8", "decoder",
      "decoders" },
    { "codec.encoder", "Encoder", "media-record-symbolic", "#c64600", "encoder", "encoders" },
    { "codec.filter", "Filter", "image-filter-symbolic", "#9141ac", "filter", "filters" },
    { "codec.queue", "Queue", "view-list-symbolic", "#e5a50a", "queue", "queues" },
    { "codec.thread", "Streaming thread", "media-playlist-consecutive-symbolic", "#77767b",
      "streaming thread", "streaming threads" },
    { "codec.worker", "Codec thread", "system-run-symbolic", "#9a9996", "codec thread",
      "codec threads" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      weft_vocabulary_add_kind (words, kinds[i].kind, kinds[i].label, kinds[i].icon,
                                kinds[i].colour);
      if (kinds[i].lane != NULL)
        weft_vocabulary_add_word (words, kinds[i].kind, "lane", kinds[i].lane, kinds[i].lanes);
    }
}

static void
add_words (WeftVocabulary *words)
{
  weft_vocabulary_add_word (words, NULL, "lane", "stage", "stages");
  weft_vocabulary_add_word (words, NULL, "runtime", "media program", "media programs");
  weft_vocabulary_add_word (words, NULL, "dispatch", "frame", "frames");
  weft_vocabulary_add_word (words, "codec.pipeline", "dispatch", "state change", "state changes");
  weft_vocabulary_add_word (words, "codec.thread", "dispatch", "run", "runs");
  weft_vocabulary_add_word (words, NULL, "routine", "operation", "operations");
  weft_vocabulary_add_word (words, NULL, "phase", "stage", "stages");
  weft_vocabulary_add_word (words, NULL, "attachment", "buffer", "buffers");
  weft_vocabulary_add_word (words, NULL, "trace", "frame's way", "frames' ways");
}

static void
add_attributes (WeftVocabulary *words)
{
  static const struct
  {
    const char *key;
    const char *label;
    const char *unit;
    const char *description;
  } attributes[] = {
    { "pts", "Presentation time", "ns", "When the frame is to be shown, as its stream counts." },
    { "dts", "Decoding time", "ns", "When the frame is to be decoded, as its stream counts." },
    { "duration", "Frame duration", "ns", "For how long the frame is shown." },
    { "size", "Size", "bytes", "Bytes of the frame or packet." },
    { "caps", "Format", NULL, "Media type and format of the stream." },
    { "codec", "Codec", NULL, "Name of the codec." },
    { "stream", "Stream", NULL, "Index of the stream in its file." },
    { "element", "Element type", NULL, "The factory that made the element." },
    { "allocator", "Memory", NULL, "Where the frame's memory comes from." },
    { "frame.type", "Frame type", NULL, "I, P or B, where the codec tells." },
    { "frame.flags", "Flags", NULL, "key, discont, corrupted, gap, header." },
    { "flow", "Flow", NULL, "What the stage answered, where it was not that all is well." },
    { "state", "State", NULL, "The state that was reached." },
  };

  for (guint i = 0; i < G_N_ELEMENTS (attributes); i++)
    weft_vocabulary_add_attribute (words, attributes[i].key, attributes[i].label,
                                   attributes[i].unit, attributes[i].description);
}

static void
add_metrics (WeftVocabulary *words)
{
  static const struct
  {
    const char *name;
    const char *label;
    const char *unit;
    const char *description;
    WeftPolarity polarity;
  } metrics[] = {
    { "frames.in", "Frames in", "count", "Frames or packets that the stage was given.",
      WEFT_POLARITY_NEUTRAL },
    { "frames.out", "Frames out", "count", "Frames or packets that came out of the stage.",
      WEFT_POLARITY_NEUTRAL },
    { "frames.dropped", "Dropped frames", "count", "Frames that the stage threw away.",
      WEFT_POLARITY_LOWER },
    { "frames.late", "Late frames", "count", "Frames that came after the time to show them.",
      WEFT_POLARITY_LOWER },
    { "bytes.in", "Bytes in", "bytes", NULL, WEFT_POLARITY_NEUTRAL },
    { "bytes.out", "Bytes out", "bytes", NULL, WEFT_POLARITY_NEUTRAL },
    { "errors", "Errors", "count", "Errors that the stage told of.", WEFT_POLARITY_LOWER },
    { "queue.level", "Queue level", "count", "Frames in the queue.", WEFT_POLARITY_NEUTRAL },
    { "queue.level_bytes", "Queue level, bytes", "bytes", NULL, WEFT_POLARITY_NEUTRAL },
    { "queue.level_time", "Queue level, time", "ns", "Playing time of what is in the queue.",
      WEFT_POLARITY_NEUTRAL },
    { "queue.capacity", "Queue capacity", "count", "Frames for which the queue has room.",
      WEFT_POLARITY_NEUTRAL },
    { "queue.wait", "Queue wait", "ns", "From a frame's entry into the queue to its exit.",
      WEFT_POLARITY_LOWER },
    { "queue.full", "Waits for room", "ns", "Time that frames waited as the queue was full.",
      WEFT_POLARITY_LOWER },
    { "queue.empty", "Waits for frames", "ns",
      "Time that the thread behind the queue waited as it was empty.", WEFT_POLARITY_NEUTRAL },
    { "wait.clock", "Waits for the clock", "ns", "Time until it was time to show the frame.",
      WEFT_POLARITY_NEUTRAL },
    { "wait.preroll", "Waits for the start", "ns",
      "Time that the first frame waited for the pipeline to play.", WEFT_POLARITY_NEUTRAL },
    { "qos.jitter", "Lateness", "ns",
      "How late a frame came to be shown; below nought it was early.", WEFT_POLARITY_LOWER },
    { "qos.proportion", "Load by QoS", NULL,
      "Time that frames take beside the time they are shown for; above one they come too late.",
      WEFT_POLARITY_LOWER },
    { "latency", "Latency", "ns", "From the source to this sink, of each frame.",
      WEFT_POLARITY_LOWER },
  };

  for (guint i = 0; i < G_N_ELEMENTS (metrics); i++)
    weft_vocabulary_add_metric (words, metrics[i].name, metrics[i].label, metrics[i].unit,
                                metrics[i].description, metrics[i].polarity);
}

static void
add_counters (WeftVocabulary *words)
{
  weft_vocabulary_add_counter (words, "codec.thread_time", "Time of the codec's threads", "ns",
                               "CPU time of the threads that the codec made for itself, since it "
                               "last gave a frame or packet.",
                               WEFT_POLARITY_LOWER);
}

static void
add_derived_metrics (WeftVocabulary *words)
{
  static const struct
  {
    const char *name;
    const char *expression;
    const char *label;
    const char *unit;
    const char *description;
    WeftPolarity polarity;
  } metrics[] = {
    { "queue_wait_p95", "queue.wait.p95", "Queue wait, p95", "ns",
      "95 of 100 frames waited no longer.", WEFT_POLARITY_LOWER },
    { "queue_fill", "100 * queue.level.average / queue.capacity", "Queue fill", "percent",
      "How full the queue was, over time.", WEFT_POLARITY_NEUTRAL },
    { "queue_full_share", "100 * queue.full / elapsed", "Queue full", "percent",
      "Share of the time that somebody waited for room.", WEFT_POLARITY_LOWER },
    { "queue_empty_share", "100 * queue.empty / elapsed", "Queue empty", "percent",
      "Share of the time that somebody waited for frames.", WEFT_POLARITY_NEUTRAL },
    { "utilisation", "100 * busy / elapsed", "Utilisation", "percent",
      "Share of the time that the stage was at work itself.", WEFT_POLARITY_NEUTRAL },
    { "throughput_in", "1e9 * frames.in / elapsed", "Throughput, in", "1/s",
      "Frames given to the stage, a second.", WEFT_POLARITY_HIGHER },
    { "throughput_out", "1e9 * frames.out / elapsed", "Throughput, out", "1/s",
      "Frames that came out, a second.", WEFT_POLARITY_HIGHER },
    { "drop_rate", "100 * frames.dropped / frames.in", "Drop rate", "percent",
      "Share of frames that were thrown away.", WEFT_POLARITY_LOWER },
    { "late_rate", "100 * frames.late / frames.in", "Late frames", "percent",
      "Share of frames that came too late.", WEFT_POLARITY_LOWER },
    { "latency_p95", "latency.p95", "Latency, p95", "ns",
      "95 of 100 frames took no longer from the source.", WEFT_POLARITY_LOWER },
  };

  for (guint i = 0; i < G_N_ELEMENTS (metrics); i++)
    weft_vocabulary_add_derived_metric (words, metrics[i].name, metrics[i].expression,
                                        metrics[i].label, metrics[i].unit, metrics[i].description,
                                        metrics[i].polarity);
}

static void
add_hints (WeftVocabulary *words)
{
  weft_vocabulary_add_hint (words, "invalid-data",
                            "The packet is damaged, or not of this codec: what was made of it may "
                            "be missing or marked as corrupted.");
  weft_vocabulary_add_hint (words, "unknown-version",
                            "The instrument knows one major version of FFmpeg's libraries: build "
                            "it with the headers of the version that the program uses.");
  weft_vocabulary_add_hint (words, "error",
                            "A stage told of an error: “weft export -t errors csv” has its words, "
                            "and from there on its frames no longer get through.");
  weft_vocabulary_add_hint (words, "not-negotiated",
                            "Two stages found no format that both take: the attachments of the "
                            "frames before tell what was sent.");
  weft_vocabulary_add_hint (words, "not-linked",
                            "The stage's output leads nowhere: nobody takes this stream.");
  weft_vocabulary_add_hint (words, "flushing",
                            "The pipeline was seeking or stopping: that the frame was thrown away "
                            "is as it should be.");
  weft_vocabulary_add_hint (words, "dropped",
                            "A frame was thrown away: “weft diagnose” names the stage that comes "
                            "too late.");
  weft_vocabulary_add_hint (words, "late",
                            "A frame came after the time to show it: “weft target top --by self” "
                            "names the stage that takes the time.");
}

static WeftVocabulary *
get_vocabulary (WeftDomain *domain)
{
  WeftVocabulary *words = weft_vocabulary_new ("codec");

  weft_vocabulary_set_title (words, "Codecs and media pipelines",
                             "Stages that frames pass through, queues between them, and the "
                             "threads that carry frames.");
  add_kinds (words);
  add_words (words);
  add_attributes (words);
  add_metrics (words);
  add_counters (words);
  add_derived_metrics (words);
  add_hints (words);
  return words;
}

/* ---- The domain ---- */

static GListModel *
diagnose (WeftDomain *domain, WeftRecording *recording, GCancellable *cancellable, GError **error)
{
  return weft_codec_diagnose (recording, cancellable, error);
}

static void
domain_interface_init (WeftDomainInterface *interface)
{
  interface->get_name = get_name;
  interface->get_vocabulary = get_vocabulary;
  interface->diagnose = diagnose;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (WeftCodecDomain, weft_codec_domain, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (WEFT_TYPE_DOMAIN, domain_interface_init))

static void
weft_codec_domain_class_init (WeftCodecDomainClass *klass)
{
}

static void
weft_codec_domain_init (WeftCodecDomain *self)
{
}

WeftDomain *
weft_codec_domain_new (void)
{
  return g_object_new (WEFT_CODEC_TYPE_DOMAIN, NULL);
}
