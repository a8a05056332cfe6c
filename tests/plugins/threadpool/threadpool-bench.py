#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What recording adds to a push to a GThreadPool with all that follows from it: CPU time of the whole program, by turns
without and with, and without again in the other order.

    threadpool-bench.py BUILD

Prints lines `NAME VALUE UNIT`: the median of the differences of neighbouring runs.
"""

import os
import re
import statistics
import subprocess
import sys
import tempfile

TURNS, PUSHES = 8, 20000
BUILD = os.path.abspath(sys.argv[1])
VICTIM = os.path.join(BUILD, 'tests/plugins/threadpool/glib-victim')
WEFT = os.path.join(BUILD, 'frontends/cli/weft')


def run(folder, *before, **more):
    environment = {**os.environ, 'WEFT_PLUGIN_PATH': os.path.join(BUILD, 'plugins/threadpool'),
                   'XDG_CACHE_HOME': folder, **more}
    done = subprocess.run([*before, VICTIM, 'cost', str(PUSHES)], env=environment, capture_output=True, text=True,
                          check=False, stdin=subprocess.DEVNULL, timeout=100)
    return float(re.search(r'^push ([0-9.]+)$', done.stderr, re.M).group(1))


def main():
    if not os.access(VICTIM, os.X_OK):
        sys.exit('the program with a GThreadPool is not built')
    preload = os.path.join(BUILD, 'plugins/threadpool/preload/libweft-gthreadpool.so')
    plain, loaded, recorded = [], [], []
    with tempfile.TemporaryDirectory(prefix='weft-threadpool-bench-') as folder:
        ways = [(plain, lambda: run(folder)),
                (loaded, lambda: run(folder, LD_PRELOAD=preload)),
                (recorded, lambda: run(folder, WEFT, 'record', '-q', '--cpu', 'off', '--with', 'gthreadpool', '-o',
                                       os.path.join(folder, f'{len(recorded)}.weft'), '--'))]
        for turn in range(TURNS):
            for times, way in ways if turn % 2 else reversed(ways):
                times.append(way())
    print(f'limit.gthreadpool-push {statistics.median(plain):.1f} ns')
    for name, times in (('gthreadpool-loaded', loaded), ('gthreadpool-push', recorded)):
        more = statistics.median(after - before for before, after in zip(plain, times))
        print(f'{name} {max(more, 0):.1f} ns')


if __name__ == '__main__':
    main()
