/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What a test of a difference needs: Student's distribution, and many tests at once. */

/* How likely a value at least as far from 0 as T is, where nothing is the matter. DF > 0. */
double weft_student_get_p (double t, double df);
/* The T whose p is P; 0 < P < 1. */
double weft_student_get_t (double p, double df);

/* Replaces N p-values by the smallest rate of false discoveries at which each would be one
 * (Benjamini and Hochberg), where tests of greater WEIGHTS, chosen beforehand, need less evidence
 * (Genovese, Roeder and Wasserman).
 */
void weft_adjust_p_values (double *p, const double *weights, gsize n);

G_END_DECLS
