#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What recording adds to a program's calls of OpenCL: CPU time of the calling thread, turn by turn without and with.

    opencl-bench.py BUILD

Prints lines `NAME VALUE UNIT`: the median of the differences of neighbouring runs.
"""

import os
import re
import statistics
import subprocess
import sys
import tempfile

TURNS, COMMANDS = 7, 2048
BUILD = os.path.abspath(sys.argv[1])
VICTIM = os.path.join(BUILD, 'tests/plugins/opencl/opencl-victim')
WEFT = os.path.join(BUILD, 'frontends/cli/weft')
LINE = re.compile(r'argument ([0-9.]+) enqueue ([0-9.]+)')


def run(folder, *before):
    environment = {**os.environ, 'WEFT_PLUGIN_PATH': os.path.join(BUILD, 'plugins/opencl'),
                   'POCL_CACHE_DIR': os.path.join(folder, 'cache'), 'XDG_CACHE_HOME': folder}
    done = subprocess.run([*before, VICTIM, 'cost', str(COMMANDS)], env=environment, capture_output=True, text=True,
                          check=False, stdin=subprocess.DEVNULL, timeout=100)
    if done.returncode == 77:
        sys.exit('no implementation of OpenCL is installed')
    return [float(value) for value in LINE.search(done.stderr).groups()]


def main():
    if not os.access(VICTIM, os.X_OK):
        sys.exit('the programs that use OpenCL are not built: its loader or headers are missing')
    with tempfile.TemporaryDirectory(prefix='weft-opencl-bench-') as folder:
        run(folder)
        pairs = []
        for turn in range(TURNS):
            plain = run(folder)
            recorded = run(folder, WEFT, 'record', '--with', 'opencl', '-o', os.path.join(folder, f'{turn}.weft'), '--')
            pairs.append((plain, recorded))
    for place, name in enumerate(('argument', 'enqueue')):
        more = statistics.median(recorded[place] - plain[place] for plain, recorded in pairs)
        print(f'limit.opencl-{name} {statistics.median(plain[place] for plain, _ in pairs):.1f} ns')
        print(f'opencl-{name} {max(more, 0):.1f} ns')


if __name__ == '__main__':
    main()
