/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-metal-domain.h"

#include "xctrace/weft-xctrace-words.h"

struct _WeftMetalDomain
{
  GObject parent_instance;
};

static char *
get_name (WeftDomain *domain)
{
  return g_strdup ("metal");
}

static WeftVocabulary *
get_vocabulary (WeftDomain *domain)
{
  WeftVocabulary *words = weft_vocabulary_new ("metal");

  weft_vocabulary_set_title (words, "Metal", "Work of GPUs that Metal hands over.");
  weft_vocabulary_add_kind (words, "metal.*", "GPU", "video-display-symbolic", "#9141ac");
  weft_vocabulary_add_word (words, NULL, "submission", "command buffer", "command buffers");
  weft_vocabulary_add_word (words, NULL, "queue", "command queue", "command queues");
  weft_vocabulary_add_word (words, NULL, "routine", "shader", "shaders");
  weft_xctrace_add_words (words);
  return words;
}

static void
domain_interface_init (WeftDomainInterface *interface)
{
  interface->get_name = get_name;
  interface->get_vocabulary = get_vocabulary;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (WeftMetalDomain, weft_metal_domain, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (WEFT_TYPE_DOMAIN, domain_interface_init))

static void
weft_metal_domain_class_init (WeftMetalDomainClass *klass)
{
}

static void
weft_metal_domain_init (WeftMetalDomain *self)
{
}

WeftDomain *
weft_metal_domain_new (void)
{
  return g_object_new (WEFT_METAL_TYPE_DOMAIN, NULL);
}
