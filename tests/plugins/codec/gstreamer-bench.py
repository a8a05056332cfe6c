#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What recording adds to GStreamer programs: their CPU time, turn by turn without and with.

    gstreamer-bench.py BUILD

Prints lines `NAME VALUE UNIT`: medians of what neighbouring runs tell.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile

TURNS, BUFFERS, ELEMENTS = 5, 20000, 10
SMALL = 'video/x-raw,width=640,height=360'
# Buffers of nothing through elements that do nothing, and through a queue; and a whole pipeline.
PIPELINES = {
    'buffer': f'fakesrc num-buffers={BUFFERS} ! ' + 'identity silent=true ! ' * (ELEMENTS - 1) + 'fakesink',
    'queued': f'fakesrc num-buffers={BUFFERS} ! queue ! fakesink',
    'pipeline': f'videotestsrc num-buffers=60 ! {SMALL} ! queue ! x264enc threads=1 ! queue ! avdec_h264 '
                'max-threads=1 ! fakesink',
}


def measure_child(command):
    """Runs COMMAND and prints the CPU time that it took."""
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    print('cpu', usage.ru_utime + usage.ru_stime)
    return os.waitstatus_to_exitcode(status)


class Bench:
    def __init__(self, build, folder):
        self.weft = os.path.join(build, 'frontends/cli/weft')
        self.folder = folder
        self.environment = {**os.environ, 'WEFT_PLUGIN_PATH': os.path.join(build, 'plugins/codec'),
                            'XDG_CACHE_HOME': folder, 'XDG_RUNTIME_DIR': folder}

    def run(self, pipeline, *before):
        done = subprocess.run([*before, '/usr/bin/python3', os.path.abspath(__file__), '--child', 'gst-launch-1.0', '-q',
                               *pipeline.split()], env=self.environment, capture_output=True, text=True, check=True,
                              stdin=subprocess.DEVNULL, timeout=100)
        return float(done.stdout.split()[-1])

    def run_recorded(self, pipeline, turn):
        file = os.path.join(self.folder, f'{turn}.weft')
        taken = self.run(pipeline, self.weft, 'record', '-q', '--cpu', 'off', '--with', 'gstreamer', '-o', file, '--')
        os.unlink(file)
        return taken

    def compare(self, pipeline):
        """Seconds without, and with, in turns that change their order."""
        pairs = []
        for turn in range(TURNS):
            if turn % 2:
                recorded = self.run_recorded(pipeline, turn)
                pairs.append((self.run(pipeline), recorded))
            else:
                plain = self.run(pipeline)
                pairs.append((plain, self.run_recorded(pipeline, turn)))
        return pairs


def main():
    if shutil.which('gst-launch-1.0') is None:
        sys.exit('gst-launch-1.0 is not installed')
    with tempfile.TemporaryDirectory(prefix='weft-gstreamer-bench-') as folder:
        bench = Bench(os.path.abspath(sys.argv[1]), folder)
        bench.run(PIPELINES['buffer'])
        bench.run_recorded(PIPELINES['buffer'], 'first')
        for name, handed_on in (('buffer', ELEMENTS), ('queued', 2)):
            pairs = bench.compare(PIPELINES[name])
            more = statistics.median(recorded - plain for plain, recorded in pairs)
            plain = statistics.median(plain for plain, _ in pairs)
            print(f'limit.gstreamer-{name} {1e9 * plain / BUFFERS / handed_on:.0f} ns')
            print(f'gstreamer-{name} {max(1e9 * more / BUFFERS / handed_on, 0):.0f} ns')
        pairs = bench.compare(PIPELINES['pipeline'])
        more = statistics.median(100 * (recorded - plain) / plain for plain, recorded in pairs)
        print(f'gstreamer-pipeline {max(more, 0):.2f} %')


if __name__ == '__main__':
    if sys.argv[1] == '--child':
        sys.exit(measure_child(sys.argv[2:]))
    main()
