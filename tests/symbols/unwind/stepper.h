/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/types.h>

#include "weft-unwinder.h"

G_BEGIN_DECLS

/* Runs a program instruction by instruction, from one trap in it up to the next. */
typedef struct
{
  pid_t pid; /* of the thread that is followed */
  pid_t process;
  guint n_steps;
} Stepper;

/* FALSE if processes cannot be traced here. */
gboolean stepper_start (Stepper *self, const char *program, const char *argument);

/* One instruction. FALSE at the second trap. */
gboolean stepper_next (Stepper *self);

void stepper_stop (Stepper *self);

void stepper_get_registers (Stepper *self, WeftRegisters *registers);

/* As much of LENGTH bytes as can be read. */
gsize stepper_read (guint64 address, void *buffer, gsize length, gpointer self);

G_END_DECLS
