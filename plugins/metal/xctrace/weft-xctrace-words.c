/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-xctrace-words.h"

void
weft_xctrace_add_words (WeftVocabulary *words)
{
  weft_vocabulary_add_attribute (words, "metal.frame", "Frame", "count",
                                 "Number of the frame that it is part of.");
  weft_vocabulary_add_attribute (words, "metal.bytes", "Bytes", "bytes", "How much it moved.");
  weft_vocabulary_add_attribute (words, "metal.encode-time", "Encoding", "ns",
                                 "How long the CPU took to encode it.");
  weft_vocabulary_add_attribute (words, "metal.iosurfaces", "IOSurfaces", NULL,
                                 "Surfaces that it read and wrote, as Instruments names them.");
  weft_vocabulary_add_attribute (words, "metal.state", "State", NULL,
                                 "Its state, where Instruments shows another than Active.");
  weft_vocabulary_add_attribute (words, "metal.label", "Label", NULL, "The program's own label.");
  weft_vocabulary_add_metric (words, "active channels", "Active channels", "count",
                              "How many channels of the GPU are at work.", WEFT_POLARITY_NEUTRAL);
}
