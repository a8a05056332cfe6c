/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "weft-ptrace-place.h"

#define STEADY 8 /* stops on a CPU, without a break, by which somebody is taken to live there */

void
weft_ptrace_place_init (WeftPtracePlace *self)
{
  *self = (WeftPtracePlace){ .cpu = WEFT_PTRACE_ANYWHERE, .last = WEFT_PTRACE_ANYWHERE };
}

static gboolean
is_beside (const WeftPtracePlace *self)
{
  return self->cpu != WEFT_PTRACE_ANYWHERE;
}

/* Nobody can run beside those that have no CPU of their own. */
static void
go (WeftPtracePlace *self, gboolean beside)
{
  self->cpu = beside && self->n_same >= STEADY ? self->last : WEFT_PTRACE_ANYWHERE;
  self->n = 0;
  self->n_elsewhere = 0;
  self->sum = 0;
}

static void
begin_term (WeftPtracePlace *self, gboolean beside)
{
  self->is_trying = FALSE;
  self->n_left = WEFT_PTRACE_TERM;
  go (self, beside);
}

static void
end_trial (WeftPtracePlace *self)
{
  gboolean beside = is_beside (self);
  gboolean is_cheaper;

  self->costs[beside] = self->sum / self->n;
  is_cheaper = self->costs[beside] <= self->costs[!beside];
  if (self->is_trying)
    begin_term (self, is_cheaper ? beside : !beside);
  else if (self->n_left == 0)
    {
      self->is_trying = TRUE;
      go (self, !beside);
    }
  else if (is_cheaper)
    {
      self->n_left--;
      go (self, beside);
    }
  else
    begin_term (self, !beside);
}

/* It moved, or others run elsewhere. */
static gboolean
follow (WeftPtracePlace *self)
{
  if (!is_beside (self) || self->n_elsewhere < STEADY)
    return FALSE;
  if (self->n_same >= STEADY)
    go (self, TRUE);
  else
    begin_term (self, FALSE);
  return TRUE;
}

guint
weft_ptrace_place_note (WeftPtracePlace *self, guint cpu, gint64 away, gint64 done)
{
  self->n_same = cpu == self->last ? self->n_same + 1 : 1;
  self->last = cpu;
  self->n++;
  self->n_elsewhere += cpu != self->cpu;
  self->sum += is_beside (self) ? done : away;
  if (!follow (self) && self->n >= WEFT_PTRACE_TRIAL)
    end_trial (self);
  return self->cpu;
}
