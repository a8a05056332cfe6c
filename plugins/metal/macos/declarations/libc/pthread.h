/* SPDX-License-Identifier: BSD-2-Clause */
/* See stdio.h. */
#pragma once

#include <stdint.h>

typedef struct
{
  long signature;
  char opaque[56];
} pthread_mutex_t;

typedef struct
{
  long signature;
  char opaque[8];
} pthread_mutexattr_t;

typedef struct WeftThread *pthread_t;
typedef unsigned long pthread_key_t;

typedef struct
{
  long signature;
  char opaque[8];
} pthread_once_t;

#define PTHREAD_ONCE_INIT { 0x30B1BCBA, { 0 } }

int pthread_once (pthread_once_t *once, void (*routine) (void));

#define PTHREAD_CANCEL_ENABLE 1
#define PTHREAD_CANCEL_DISABLE 0

int pthread_mutex_init (pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes);
int pthread_mutex_destroy (pthread_mutex_t *mutex);
int pthread_mutex_lock (pthread_mutex_t *mutex);
int pthread_mutex_unlock (pthread_mutex_t *mutex);
int pthread_key_create (pthread_key_t *key, void (*destructor) (void *));
int pthread_setspecific (pthread_key_t key, const void *value);
void *pthread_getspecific (pthread_key_t key);
int pthread_setcancelstate (int state, int *old);
int pthread_atfork (void (*prepare) (void), void (*parent) (void), void (*child) (void));
pthread_t pthread_self (void);
int pthread_threadid_np (pthread_t thread, uint64_t *id);
int pthread_getname_np (pthread_t thread, char *name, unsigned long size);
