/* SPDX-License-Identifier: BSD-2-Clause */
/* See stdio.h. */
#pragma once

#define SYS_getpid 20
