/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What dispatches touched. */

#include "corpus.h"

static CorpusLane *
lane (void)
{
  return corpus_lane ("attachments", "metal.queue");
}

static void
emit (const char *name, uint64_t start, const WeftTargetAttachment *attachments, size_t n)
{
  WeftTargetDispatch dispatch = corpus_dispatch (lane (), name, start, MS);

  dispatch.attachments = attachments;
  dispatch.n_attachments = n;
  corpus_emit (lane (), &dispatch);
}

static void
attachment_tensor (void)
{
  static const WeftTargetRange ranges[] = { { "layer", 11, 1 },
                                            { "head", 0, 32 },
                                            { "token", -4, 4 } };
  static const WeftTargetAttachment tensor = { .kind = "tensor",
                                               .label = "blk.11.attn_q",
                                               .role = "weights",
                                               .element_type = "q4_0",
                                               .shape = "4096×4096",
                                               .slot = 2,
                                               .access = WEFT_TARGET_ACCESS_READ,
                                               .offset = 1 << 20,
                                               .size = 9437184,
                                               .ranges = ranges,
                                               .n_ranges = 3 };

  emit ("attachment-tensor", 10 * MS, &tensor, 1);
}

static void
attachment_kinds (void)
{
  static const WeftTargetAttachment kinds[] = {
    { .kind = "buffer", .label = "uniforms", .slot = 0, .size = 256 },
    { .kind = "texture",
      .label = "albedo",
      .element_type = "rgba8",
      .shape = "1024×1024×4",
      .slot = 1,
      .size = 4194304 },
    { .kind = "file",
      .label = "orders.db",
      .role = "main",
      .slot = WEFT_TARGET_NO_SLOT,
      .offset = 8192,
      .size = 4096 },
    { .kind = "frame", .label = "frame 17", .shape = "1920×1080", .slot = -1, .size = 3110400 },
    { .kind = "message", .label = "POST /payments", .slot = WEFT_TARGET_NO_SLOT, .size = 0 }
  };

  emit ("attachment-kinds", 20 * MS, kinds, N_ELEMENTS (kinds));
}

static void
attachment_access (void)
{
  WeftTargetAttachment attachments[WEFT_TARGET_ACCESS_READ_WRITE + 1] = { 0 };
  static const char *const labels[] = { "unknown", "read", "write", "both" };

  for (size_t i = 0; i < N_ELEMENTS (attachments); i++)
    attachments[i] = (WeftTargetAttachment){ .kind = "buffer",
                                             .label = labels[i],
                                             .slot = (int32_t) i,
                                             .size = 64,
                                             .access = (WeftTargetAccess) i };
  emit ("attachment-access", 30 * MS, attachments, N_ELEMENTS (attachments));
}

static void
attachment_redacted (void)
{
  static const WeftTargetRange range = { "account", 4711, 1 };
  static const WeftTargetAttachment secret = { .kind = "message",
                                               .label = "a name that must not be seen",
                                               .role = "request",
                                               .size = 512,
                                               .privacy = WEFT_TARGET_PRIVACY_REDACTED,
                                               .ranges = &range,
                                               .n_ranges = 1 };

  emit ("attachment-redacted", 40 * MS, &secret, 1);
}

static void
attachment_unknown (void)
{
  static const WeftTargetAttachment attachment = { .kind = "buffer",
                                                   .slot = WEFT_TARGET_NO_SLOT,
                                                   .size = WEFT_TARGET_UNKNOWN_SIZE };

  emit ("attachment-unknown", 50 * MS, &attachment, 1);
}

/* One more than are kept. */
static void
attachment_many (void)
{
  WeftTargetAttachment attachments[33];

  for (size_t i = 0; i < N_ELEMENTS (attachments); i++)
    attachments[i] = (WeftTargetAttachment){
      .kind = "buffer", .label = "cache", .slot = (int32_t) i, .size = 4096
    };
  emit ("attachment-many", 60 * MS, attachments, N_ELEMENTS (attachments));
}

static const CorpusCase cases[] = {
  { "attachment-tensor", "a slice of weights, with everything that can be said of it",
    "lane `attachments`: tensor `blk.11.attn_q`, q4_0, 4096×4096, slot 2, 9 MiB at 1 MiB, ranges "
    "layer 11, head 0–31 and token −4 to −1",
    attachment_tensor },
  { "attachment-kinds", "buffer, texture, file, frame and message at one dispatch",
    "5 attachments in that order; slot −1 of the frame; size 0 of the message", attachment_kinds },
  { "attachment-access", "each access", "4 attachments, access unknown, read, write, both",
    attachment_access },
  { "attachment-redacted", "one whose label and ranges are withheld",
    "privacy redacted, kind and size, no label, no range; the label stands nowhere in the file",
    attachment_redacted },
  { "attachment-unknown", "one of unknown size without a slot", "size and slot absent, not 0",
    attachment_unknown },
  { "attachment-many", "33 attachments", "32 attachments; mark list-cut; counted as repaired",
    attachment_many },
};

const CorpusGroup corpus_attachments = { "attachments", cases, N_ELEMENTS (cases) };
