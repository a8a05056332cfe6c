/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <json-glib/json-glib.h>
#include <weft.h>

/* What “weft record” is to record of the CPUs. */
typedef struct
{
  char *cpu; /* auto, perf, ptrace, off */
  int frequency;
  int stack_size;
  char *pids; /* with commas between */
  gboolean system;
} Sampling;

/* FALSE after telling what makes no sense. */
gboolean sampling_check (const Sampling *self, gboolean has_program);

/* After check. */
void sampling_apply (const Sampling *self, WeftRecorder *recorder);
void sampling_clear (Sampling *self);

/* For people: "1,203 samples, 41 waits", newly allocated; NULL if nothing was sampled. */
char *sampling_describe (WeftRecorderStatus *status);

/* What is missing, and what was lost, a line each, if anything. */
void sampling_print (WeftRecorderStatus *status);

/* As members of the object that is being built. */
void sampling_add_json (JsonBuilder *builder, WeftRecorderStatus *status);
