/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A plugin to list, install and remove; it brings a domain. */

#include <weft.h>

typedef struct
{
  GObject parent_instance;
} Loom;

typedef struct
{
  GObjectClass parent_class;
} LoomClass;

static char *
get_name (WeftDomain *domain)
{
  return g_strdup ("weaving");
}

static void
domain_interface_init (WeftDomainInterface *interface)
{
  interface->get_name = get_name;
}

GType loom_get_type (void);
G_DEFINE_TYPE_WITH_CODE (Loom, loom, G_TYPE_OBJECT,
                         G_IMPLEMENT_INTERFACE (WEFT_TYPE_DOMAIN, domain_interface_init))

static void
loom_class_init (LoomClass *klass)
{
}

static void
loom_init (Loom *self)
{
}

static gboolean
init (WeftPlugin *plugin, GError **error)
{
  g_autoptr (WeftDomain) domain = g_object_new (loom_get_type (), NULL);

  weft_plugin_add_domain (plugin, domain);
  return TRUE;
}

WEFT_PLUGIN_DEFINE ("loom", "1.0", "A plugin of the tests", "LGPL-2.1-or-later", init)
