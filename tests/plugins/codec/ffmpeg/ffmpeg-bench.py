#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What recording adds to programs that use FFmpeg: CPU time that ffmpeg itself tells, turn by turn without and with.

    ffmpeg-bench.py BUILD

Prints lines `NAME VALUE UNIT`: medians over neighbouring runs.
"""

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

TURNS = 5
BUILD = os.path.abspath(sys.argv[1])
WEFT = os.path.join(BUILD, 'frontends/cli/weft')
TIMES = re.compile(r'bench: utime=([0-9.]+)s stime=([0-9.]+)s')
ENVIRONMENT = {**os.environ, 'WEFT_PLUGIN_PATH': os.path.join(BUILD, 'plugins/codec')}
FFMPEG = ('ffmpeg', '-nostdin', '-benchmark', '-y')
CLIP = (*FFMPEG, '-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=25:duration=6', '-f', 'lavfi', '-i',
        'sine=frequency=440:duration=120', '-c:v', 'libx264', '-preset', 'veryfast', '-c:a', 'aac', 'clip.mkv')
# Frames that cost something, and many that cost little.
WORK = {
    'video': (*FFMPEG, '-i', 'clip.mkv', '-an', '-vf', 'scale=320:180', '-c:v', 'libx264', '-preset', 'veryfast', '-f',
              'null', '-'),
    'audio': (*FFMPEG, '-i', 'clip.mkv', '-vn', '-f', 'null', '-'),
}


def run(folder, *command):
    """CPU time of ffmpeg in seconds."""
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=True, cwd=folder,
                          stdin=subprocess.DEVNULL, timeout=100)
    return sum(map(float, TIMES.search(done.stderr).groups()))


def count_calls(folder):
    done = subprocess.run([WEFT, 'target', 'lanes', '--json', 'run.weft'], env=ENVIRONMENT, capture_output=True,
                          text=True, check=True, cwd=folder)
    return sum(lane['dispatches'] for lane in json.loads(done.stdout)['rows'])


def record(folder, command):
    file = os.path.join(folder, 'run.weft')
    if os.path.exists(file):
        os.remove(file)
    return run(folder, WEFT, 'record', '--quiet', '--cpu', 'off', '--with', 'ffmpeg', '-o', file, '--', *command)


def compare(folder, command):
    """Without, and what is added."""
    plain, more = [], []
    for turn in range(TURNS):
        steps = [lambda: run(folder, *command), lambda: record(folder, command)]
        times = [step() for step in (steps if turn % 2 == 0 else steps[::-1])]
        without, recorded = times if turn % 2 == 0 else times[::-1]
        plain.append(without)
        more.append(recorded - without)
    return statistics.median(plain), max(statistics.median(more), 0)


def main():
    if shutil.which('ffmpeg') is None:
        sys.exit('no ffmpeg (package ffmpeg)')
    if not os.path.exists(os.path.join(BUILD, 'plugins/codec/ffmpeg/libweft-ffmpeg.so')):
        sys.exit('the library for FFmpeg is not built: its headers are missing')
    with tempfile.TemporaryDirectory(prefix='weft-ffmpeg-bench-') as folder:
        run(folder, *CLIP)
        plain, more = compare(folder, WORK['video'])
        print(f'ffmpeg-transcode {100 * more / plain:.2f} %')
        plain, more = compare(folder, WORK['audio'])
        print(f'ffmpeg-call {1e9 * more / count_calls(folder):.0f} ns')


if __name__ == '__main__':
    main()
