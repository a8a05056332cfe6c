/* SPDX-License-Identifier: BSD-2-Clause */
/* See stdio.h. */
#pragma once

int *__error (void);

#define errno (*__error ())
#define EPERM 1
#define ENOENT 2
#define EINTR 4
#define EAGAIN 35
#define EEXIST 17
#define EOPNOTSUPP 102
#define EWOULDBLOCK EAGAIN
#define EINVAL 22
