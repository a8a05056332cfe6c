#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What recording adds to OpenMP programs of GCC's runtime: CPU time of the whole program, by turns as it is, with the
preloaded library and no recorder, and recorded, in one order and the other.

    openmp-bench.py BUILD

Prints lines `NAME VALUE UNIT`: the median of the differences of neighbouring runs, by region, task or chunk.
"""

import os
import re
import statistics
import subprocess
import sys
import tempfile

TURNS = 9
BUILD = os.path.abspath(sys.argv[1])
VICTIM = os.path.join(BUILD, 'tests/plugins/threadpool/openmp/openmp-victim')
PRELOAD = os.path.join(BUILD, 'plugins/threadpool/openmp/preload/libweft-openmp.so')
RECORD = [os.path.join(BUILD, 'frontends/cli/weft'), 'record', '-q', '--cpu', 'off', '--with', 'openmp', '-o']

# Row, mode, number, and how many regions, tasks or chunks that is.
CASES = (('region', 'regions', 4000, 4000), ('task', 'loose', 4000, 4000), ('chunk', 'loop', 40000, 12000))


def run(folder, mode, number, *before, **more):
    # Threads that spin while they wait would cost more than all else.
    environment = {**os.environ, 'WEFT_PLUGIN_PATH': os.path.join(BUILD, 'plugins/threadpool'), 'OMP_NUM_THREADS': '2',
                   'OMP_WAIT_POLICY': 'passive', 'OPENMP_VICTIM_COST': '1', 'XDG_CACHE_HOME': folder, **more}
    done = subprocess.run([*before, VICTIM, mode, str(number)], env=environment, capture_output=True, text=True,
                          check=False, stdin=subprocess.DEVNULL, timeout=100)
    return float(re.search(r'^cost ([0-9.]+)$', done.stderr, re.M).group(1))


def measure(folder, mode, number):
    """Nanoseconds of each turn: as it is, loaded, recorded."""
    turns = []
    for turn in range(TURNS):
        file = os.path.join(folder, f'{mode}-{turn}.weft')
        ways = [lambda: run(folder, mode, number), lambda: run(folder, mode, number, LD_PRELOAD=PRELOAD),
                lambda file=file: run(folder, mode, number, *RECORD, file, '--')]
        order = (0, 1, 2) if turn % 2 else (2, 1, 0)
        times = {way: ways[way]() for way in order}
        turns.append([times[way] for way in range(3)])
    return turns


def main():
    if not os.access(VICTIM, os.X_OK):
        sys.exit('the program with OpenMP is not built')
    with tempfile.TemporaryDirectory(prefix='weft-openmp-bench-') as folder:
        for row, mode, number, count in CASES:
            turns = measure(folder, mode, number)
            for way, name in ((2, f'openmp-{row}'), (1, f'openmp-{row}-loaded')):
                added = max(statistics.median(times[way] - times[0] for times in turns), 0)
                print(f'{name} {added / count:.1f} ns')


if __name__ == '__main__':
    main()
