/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "weft-analysis-private.h"

/* The kinds of analysis, each in a file of its own. */
extern const WeftAnalysisKind weft_analyze_annotate;
extern const WeftAnalysisKind weft_analyze_attachments;
extern const WeftAnalysisKind weft_analyze_code;
extern const WeftAnalysisKind weft_analyze_callers;
extern const WeftAnalysisKind weft_analyze_conservation;
extern const WeftAnalysisKind weft_analyze_counters;
extern const WeftAnalysisKind weft_analyze_critical_path;
extern const WeftAnalysisKind weft_analyze_dispatches;
extern const WeftAnalysisKind weft_analyze_flame;
extern const WeftAnalysisKind weft_analyze_lanes;
extern const WeftAnalysisKind weft_analyze_metrics;
extern const WeftAnalysisKind weft_analyze_origins;
extern const WeftAnalysisKind weft_analyze_outliers;
extern const WeftAnalysisKind weft_analyze_routines;
extern const WeftAnalysisKind weft_analyze_state;
extern const WeftAnalysisKind weft_analyze_submissions;
extern const WeftAnalysisKind weft_analyze_target_top;
extern const WeftAnalysisKind weft_analyze_threads;
extern const WeftAnalysisKind weft_analyze_timeline;
extern const WeftAnalysisKind weft_analyze_top;
extern const WeftAnalysisKind weft_analyze_traces;
extern const WeftAnalysisKind weft_analyze_waits;
extern const WeftAnalysisKind weft_analyze_wakers;
extern const WeftAnalysisKind weft_analyze_warnings;
extern const WeftAnalysisKind weft_analyze_dispatch;
extern const WeftAnalysisKind weft_analyze_diagnose;
extern const WeftAnalysisKind weft_analyze_show;
extern const WeftAnalysisKind weft_analyze_source;
