// SPDX-License-Identifier: LGPL-2.1-or-later

// The header as C++17: the whole of it, and exceptions that go on.

#define WEFT_FRAMELOOP_IMPLEMENTATION
#include "weft-frameloop.h"

#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>

static int failures;

static void
check (bool good, const char *what)
{
  static int number;

  std::printf ("%sok %d - %s\n", good ? "" : "not ", ++number, what);
  failures += !good;
}

static int
load ()
{
  try
    {
      throw std::out_of_range ("index 7");
    }
  catch (...)
    {
      std::throw_with_nested (std::runtime_error ("cannot load the map"));
    }
}

int
main ()
{
  WeftFrameloopOptions options = {};
  options.enabled = WEFT_FRAMELOOP_ON;
  WeftFrameloop *loop = weft_frameloop_new (&options, sizeof options);
  WeftFrameloopSystem *maps = weft_frameloop_system_new (loop, "maps");
  WeftFrameloopSystem *sound = weft_frameloop_system_new (loop, "sound");
  WeftFrameloopTick tick = {};
  std::string caught;
  int result;

  tick.tick = 1;
  weft_frameloop_begin_tick (loop, &tick);
  {
    WEFT_FRAMELOOP_PHASE (loop, "commands");
  }
  try
    {
      weft::run_system (loop, maps, load);
    }
  catch (const std::runtime_error &error)
    {
      caught = error.what ();
    }
  result = weft::run_system (loop, sound, [] { return 7; });
  try
    {
      weft::run_system (loop, sound, [] { throw 5; });
    }
  catch (int number)
    {
      result += number;
    }
  weft_frameloop_end_tick (loop, 0);

  std::printf ("1..7\n");
  WeftFrameloopResult *read = weft_frameloop_read (loop, 0);
  const WeftFrameloopEntry &entry = read->entries[0];
  check (caught == "cannot load the map", "what is thrown goes on");
  check (result == 12, "results and other exceptions go on");
  check (entry.n_systems == 3 && entry.n_phases == 4, "all of it is in the entry");
  check (entry.systems[0].failed &&
             std::strcmp (entry.systems[0].error.message, "cannot load the map") == 0,
         "an exception is annotated");
  check (std::strcmp (entry.systems[0].error.cause, "index 7") == 0, "with its cause");
  check (!entry.systems[1].failed && entry.systems[2].failed, "each run by itself");
  check (entry.warnings == WEFT_FRAMELOOP_SYSTEM_FAILED, "the tick says so");
  weft_frameloop_result_free (read);
  weft_frameloop_free (loop);
  return failures != 0;
}
