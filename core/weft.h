/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The public interface of libweft-1: what frontends, plugins and scripts may use. */

#include "weft-analysis.h"
#include "weft-detail.h"
#include "weft-domain.h"
#include "weft-enum-types.h"
#include "weft-enums.h"
#include "weft-error.h"
#include "weft-exporter.h"
#include "weft-filter.h"
#include "weft-finding.h"
#include "weft-importer.h"
#include "weft-instrument.h"
#include "weft-launch.h"
#include "weft-list.h"
#include "weft-object.h"
#include "weft-objects.h"
#include "weft-plugin.h"
#include "weft-progress.h"
#include "weft-recording.h"
#include "weft-report.h"
#include "weft-table.h"
#include "weft-version.h"
#include "weft-vocabulary.h"
