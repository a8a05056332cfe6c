/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Plays a game in real time and prints its books: frameloop-game [FRAMES [SEED]] */

#include <stdio.h>
#include <stdlib.h>

#include "game.h"

static void
print (const char *name, uint64_t value)
{
  printf ("%s %llu\n", name, (unsigned long long) value);
}

int
main (int argc, char **argv)
{
  Game game = { .frames = argc > 1 ? (unsigned) atoi (argv[1]) : 150,
                .seed = argc > 2 ? (uint64_t) atoll (argv[2]) : 3 };

  free (game_play (&game));
  print ("steps", game.steps);
  print ("catch-up-steps", game.catch_up_steps);
  print ("skipped", game.skipped);
  print ("spikes", game.spikes);
  print ("errors", game.errors);
  print ("accepted", game.queue.accepted);
  print ("rejected", game.queue.rejected);
  print ("dropped", game.queue.dropped);
  print ("drained", game.queue.drained);
  print ("left", game.queue_left);
  print ("entries", game.n_entries);
  print ("entries-dropped", game.n_dropped);
  print ("lag-wrong", game.n_lag_wrong);
  return 0;
}
