#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What recording adds to a dispatch of a GLib main loop with its poll, and to a GTask from start to return: CPU time of
the whole program, by turns as it is, with the preloaded library and no recorder, and recorded, in one order and the other.

    glib-bench.py BUILD

Prints lines `NAME VALUE UNIT`: the median of the differences of neighbouring runs.
"""

import os
import re
import statistics
import subprocess
import sys
import tempfile

TURNS = 9
BUILD = os.path.abspath(sys.argv[1])
PROGRAM = os.path.join(BUILD, 'tests/plugins/executor/glib/loop-cost')
PRELOAD = os.path.join(BUILD, 'plugins/executor/glib/libweft-glib.so')
RECORD = [os.path.join(BUILD, 'frontends/cli/weft'), 'record', '-q', '--cpu', 'off', '--with', 'glib', '-o']
CASES = (('dispatch', 100000), ('task', 4000))


def run(folder, case, number, *before, **more):
    environment = {**os.environ, 'WEFT_PLUGIN_PATH': os.path.join(BUILD, 'plugins/executor'), 'XDG_CACHE_HOME': folder,
                   **more}
    done = subprocess.run([*before, PROGRAM, case, str(number)], env=environment, capture_output=True, text=True,
                          check=True, stdin=subprocess.DEVNULL, timeout=100)
    return float(re.search(r'^cost ([0-9.]+)$', done.stderr, re.M).group(1))


def measure(folder, case, number):
    """Nanoseconds of each turn: as it is, loaded, recorded."""
    turns = []
    for turn in range(TURNS):
        file = os.path.join(folder, f'{case}-{turn}.weft')
        ways = [lambda: run(folder, case, number), lambda: run(folder, case, number, LD_PRELOAD=PRELOAD),
                lambda file=file: run(folder, case, number, *RECORD, file, '--')]
        order = (0, 1, 2) if turn % 2 else (2, 1, 0)
        times = {way: ways[way]() for way in order}
        turns.append([times[way] for way in range(3)])
    return turns


def main():
    if not os.access(PROGRAM, os.X_OK):
        sys.exit('the program with a main loop is not built')
    with tempfile.TemporaryDirectory(prefix='weft-glib-bench-') as folder:
        for case, number in CASES:
            turns = measure(folder, case, number)
            print(f'limit.glib-{case} {statistics.median(times[0] for times in turns):.1f} ns')
            for way, name in ((2, f'glib-{case}'), (1, f'glib-{case}-loaded')):
                print(f'{name} {max(statistics.median(times[way] - times[0] for times in turns), 0):.1f} ns')


if __name__ == '__main__':
    main()
