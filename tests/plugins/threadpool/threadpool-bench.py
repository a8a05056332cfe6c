#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What recording adds to a push to a GThreadPool with all that follows from it: CPU time of the whole program, by turns
as it is, with the preloaded library and no recorder, and recorded, in one order and the other.

    threadpool-bench.py BUILD

Prints lines `NAME VALUE UNIT`: the median of the differences of neighbouring runs.
"""

import os
import re
import statistics
import subprocess
import sys
import tempfile

TURNS = 9
# As many pushes as have their stacks copied whatever their rate, and so many that nearly none has.
FEW, MANY = 1900, 20000
BUILD = os.path.abspath(sys.argv[1])
VICTIM = os.path.join(BUILD, 'tests/plugins/threadpool/glib-victim')
PRELOAD = os.path.join(BUILD, 'plugins/threadpool/preload/libweft-gthreadpool.so')
RECORD = [os.path.join(BUILD, 'frontends/cli/weft'), 'record', '-q', '--cpu', 'off', '--with', 'gthreadpool', '-o']


def run(folder, pushes, *before, **more):
    environment = {**os.environ, 'WEFT_PLUGIN_PATH': os.path.join(BUILD, 'plugins/threadpool'),
                   'XDG_CACHE_HOME': folder, **more}
    done = subprocess.run([*before, VICTIM, 'cost', str(pushes)], env=environment, capture_output=True, text=True,
                          check=False, stdin=subprocess.DEVNULL, timeout=100)
    return float(re.search(r'^push ([0-9.]+)$', done.stderr, re.M).group(1))


def measure(folder, pushes):
    """Nanoseconds of each turn: as it is, loaded, recorded."""
    turns = []
    for turn in range(TURNS):
        file = os.path.join(folder, f'{pushes}-{turn}.weft')
        ways = [lambda: run(folder, pushes), lambda: run(folder, pushes, LD_PRELOAD=PRELOAD),
                lambda file=file: run(folder, pushes, *RECORD, file, '--')]
        order = (0, 1, 2) if turn % 2 else (2, 1, 0)
        times = {way: ways[way]() for way in order}
        turns.append([times[way] for way in range(3)])
    return turns


def more(turns, way):
    return max(statistics.median(times[way] - times[0] for times in turns), 0)


def main():
    if not os.access(VICTIM, os.X_OK):
        sys.exit('the program with a GThreadPool is not built')
    with tempfile.TemporaryDirectory(prefix='weft-threadpool-bench-') as folder:
        few, many = measure(folder, FEW), measure(folder, MANY)
    print(f'limit.gthreadpool-push {statistics.median(times[0] for times in many):.1f} ns')
    print(f'gthreadpool-push {more(few, 2):.1f} ns')
    print(f'gthreadpool-push-many {more(many, 2):.1f} ns')
    print(f'gthreadpool-loaded {more(many, 1):.1f} ns')


if __name__ == '__main__':
    main()
