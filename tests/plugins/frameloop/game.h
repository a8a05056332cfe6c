/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "weft-frameloop.h"

/* A small game on a fixed step: units that move, meet, plan and trade, commands of players in a
 * bounded queue, events in bounded channels. It keeps books of its own, to which what was kept and
 * recorded of it is compared.
 */
typedef struct
{
  /* How it is played. */
  unsigned frames;
  uint64_t seed;
  bool scripted_clock; /* time passes as scripted, and is the loop's clock; else it is real */
  bool off;            /* nothing is kept of it */
  uint32_t capacity;   /* of the ring; 0 is the default */

  /* Its own books. */
  uint64_t checksum; /* of the world at the end */
  uint64_t steps;
  uint64_t catch_up_steps; /* beyond the first of a frame */
  uint64_t skipped;        /* given up, as too many were due */
  uint64_t spikes;         /* steps in which paths were planned anew */
  uint64_t errors;         /* scripts that failed */
  WeftFrameloopQueue queue;
  uint64_t queue_left;

  /* Sums over the entries of the loop. */
  uint64_t n_entries;
  uint64_t n_dropped;
  uint64_t n_lag_wrong;
  uint64_t entry_missed;
  uint64_t entry_errors;
  uint64_t entry_spikes;
  WeftFrameloopQueue entry_queue;
} Game;

/* Plays GAME and fills its books. Returns its entries as lines, to be freed. */
char *game_play (Game *game);
