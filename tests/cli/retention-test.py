#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Flight recorders, keeping when a filter fits, and how busy the machine was. Reports in TAP.

    retention-test.py WEFT PRODUCER
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import tap_report  # noqa: E402

WEFT = os.path.abspath(sys.argv[1])
PRODUCER = os.path.abspath(sys.argv[2])


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='weft-retention-')
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.environment = dict(os.environ, WEFT_RUNTIME_DIR=self.path('run'),
                                WEFT_RECORDINGS=self.path('recordings'), LC_ALL='C.UTF-8')
        self.running = []
        self.addCleanup(self.end_all)

    def end_all(self):
        for process in self.running:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.wait()
            process.stderr.close()

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def weft(self, *arguments, expect=0):
        done = subprocess.run([WEFT, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=self.environment, timeout=60, text=True)
        self.assertNotIn('Sanitizer', done.stderr)
        self.assertNotIn('CRITICAL', done.stderr)
        self.assertEqual(done.returncode, expect, f'{arguments}\n{done.stdout}\n{done.stderr}')
        if '--json' in arguments and expect == 0:
            answer = json.loads(done.stdout)
            return answer['rows'] if 'rows' in answer else answer['value']
        return done

    def start(self, *command):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, env=self.environment, text=True)
        self.running.append(process)
        return process

    def until(self, condition, seconds=30):
        deadline = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), deadline, 'nothing happened in time')
            time.sleep(0.05)

    def show(self, file):
        return self.weft('show', '--json', file)

    def findings(self, file):
        return {row['check']: row for row in self.weft('diagnose', '--json', file)}

    def check_sums(self, file):
        self.assertEqual(self.findings(file)['conservation']['verdict'], 'good')

    def disk_use(self, file):
        folder = file + '.parts'
        files = [file] + ([os.path.join(folder, name) for name in os.listdir(folder)]
                          if os.path.isdir(folder) else [])
        size = 0
        for name in files:
            with contextlib.suppress(OSError):
                size += os.stat(name).st_size
        return size


class FlightRecorder(Case):
    def record(self, *options, milliseconds=4000, rate=20000, **arguments):
        """Starts a recorder of a program that works on."""
        self.file = self.path('x.weft')
        words = [f'{key}={value}' for key, value in arguments.items()]
        return self.start(WEFT, 'record', '-q', '--no-plugins', '-o', self.file, *options, '--', 'sh',
                          '-c', f'timeout {milliseconds / 1000} "$@"; true', 'sh', PRODUCER, 'wait=1',
                          'spans=-1', f'rate={rate}', *words)

    def test_seconds(self):
        recorder = self.record('--last', '1s', milliseconds=3500)
        self.until(lambda: os.path.exists(self.file + '.parts/0000000012'))
        # While it runs, every question is answered.
        shown = self.show(self.file)
        self.assertEqual(shown['state'], 'unfinished')
        self.assertGreater(shown['dispatches'], 0)
        self.assertGreater(shown['dispatches_let_go'], 0)
        self.assertEqual(self.weft('target', 'top', '--json', self.file)[0]['name'], 'work')
        self.assertEqual([row['file'] for row in self.weft('status', '--json')], [self.file])
        self.assertEqual(recorder.wait(30), 0)
        shown = self.show(self.file)
        self.assertEqual(shown['state'], 'complete')
        self.assertFalse(os.path.exists(self.file + '.parts'))
        self.assertEqual(shown['dispatches'] + shown['dispatches_let_go'],
                         sum(lane['completed'] for lane in shown['lanes']))
        self.assertGreater(shown['kept_since'], 1_000_000_000)
        self.check_sums(self.file)
        self.assertIn('let go of', self.findings(self.file)['retention']['evidence'])

    def test_size(self):
        recorder = self.record('--last-size', '1MiB', milliseconds=5000, rate=200000, full=1)
        most = 0
        while recorder.poll() is None:
            most = max(most, self.disk_use(self.file))
            time.sleep(0.02)
        self.assertEqual(recorder.returncode, 0)
        # The bound, a part, and in the end the file that replaces them.
        self.assertLess(most, (2 << 20) + (512 << 10))
        self.assertLess(os.stat(self.file).st_size, 1 << 20)
        self.check_sums(self.file)

    def test_killed(self):
        recorder = self.record('--last', '1s', milliseconds=20000)
        self.until(lambda: os.path.exists(self.file + '.parts/0000000012'))
        recorder.send_signal(signal.SIGKILL)
        recorder.wait()
        shown = self.show(self.file)
        self.assertEqual(shown['state'], 'unfinished')
        self.assertGreater(shown['dispatches'], 1000)
        self.weft('repair', self.file, '-o', self.path('y.weft'))
        repaired = self.show(self.path('y.weft'))
        self.assertEqual(repaired['state'], 'complete')
        self.assertEqual(repaired['dispatches'], shown['dispatches'])
        self.assertEqual(repaired['dispatches_let_go'], shown['dispatches_let_go'])

    def test_whole(self):
        """A run that is shorter than the bound is all there."""
        recorder = self.record('--last', '1h', '--last-size', '1GiB', milliseconds=300)
        self.assertEqual(recorder.wait(30), 0)
        shown = self.show(self.file)
        self.assertIsNone(shown['dispatches_let_go'])
        self.assertEqual(shown['state'], 'complete')
        self.check_sums(self.file)

    def test_without_program(self):
        file = self.path('x.weft')
        recorder = self.start(WEFT, 'record', '-q', '--no-plugins', '--last', '1s', '-o', file)
        self.until(lambda: [row['file'] for row in self.weft('status', '--json')] == [file])
        self.weft('stop')
        self.assertEqual(recorder.wait(30), 0)
        self.assertEqual(self.show(file)['state'], 'complete')

    def test_mistakes(self):
        for options, message in (
                (['--last', '30'], 'no time'), (['--last', '0.5s'], 'second at least'),
                (['--last', '-3s'], 'second at least'), (['--last-size', 'much'], 'size such as'),
                (['--last-size', '10kB'], '1MiB at least'),
                (['--keep-after', '2s'], 'belongs to --keep-when'),
                (['--keep-after', '2s', '--keep-when', 'dur>1s'], 'belongs to --keep-when'),
                (['--last', '9s', '--keep-when', 'dur>'], '--keep-when'),
                (['--last', '9s', '--keep-when', 'dur>1s', '--keep-after', 'soon'], 'no time')):
            done = self.weft('record', *options, '-o', self.path('x.weft'), '--', 'true', expect=2)
            self.assertIn(message, done.stderr, options)
            self.assertEqual(os.listdir(self.folder), [])

    def test_unwritable(self):
        os.mkdir(self.path('x.weft.parts'))
        done = self.weft('record', '--last', '5s', '-o', self.path('x.weft'), '--', 'true', expect=125)
        self.assertIn('x.weft.parts', done.stderr)
        self.assertFalse(os.path.exists(self.path('x.weft')))
        done = self.weft('record', '--last', '5s', '-o', self.path('no', 'x.weft'), '--', 'true', expect=125)
        self.assertIn('No such file', done.stderr)


class Keeping(Case):
    def test_kept(self):
        file = self.path('x.weft')
        done = self.weft('record', '--no-plugins', '--json', '-o', file, '--last', '5s', '--keep-when',
                         'lane:lane-0 dur<1h', '--keep-after', '300ms', '--', 'sh', '-c',
                         f'{PRODUCER} wait=1 spans=50 >/dev/null; sleep 3; '
                         f'{PRODUCER} wait=1 spans=50 >/dev/null; sleep 1')
        self.assertEqual(done['matches'], 100)
        self.assertTrue(done['is_kept'])
        self.assertEqual(done['kept'], [self.path('x-kept-1.weft'), self.path('x-kept-2.weft')])
        first, second = (self.show(name) for name in done['kept'])
        # Each run has one more, on a lane that the filter does not fit.
        self.assertEqual((first['state'], first['dispatches']), ('complete', 51))
        self.assertEqual((second['state'], second['dispatches']), ('complete', 102))
        self.check_sums(done['kept'][0])
        self.assertIn('fits', self.findings(done['kept'][0])['keep-trigger']['evidence'])
        self.assertEqual(self.show(file)['dispatches'], 102)

    def test_kept_in_the_end(self):
        """What fits shortly before the end is kept then, without waiting for what follows."""
        done = self.weft('record', '--no-plugins', '--json', '-o', self.path('x.weft'), '--last', '5s',
                         '--keep-when', 'lane:lane-0', '--keep-after', '1h', '--', 'sh', '-c',
                         f'{PRODUCER} wait=1 spans=50 >/dev/null')
        self.assertEqual(done['kept'], [self.path('x-kept-1.weft')])
        self.assertEqual(self.show(self.path('x-kept-1.weft'))['dispatches'], 51)

    def test_plain_run(self):
        for duration, kept in (('dur>1h', False), ('dur<1h', True)):
            done = self.weft('record', '--no-plugins', '--json', '-o', self.path(f'{kept}.weft'),
                             '--keep-when', duration, '--', 'sh', '-c',
                             f'{PRODUCER} wait=1 spans=10 >/dev/null')
            self.assertEqual(done['is_kept'], kept)
            self.assertEqual(os.path.exists(self.path(f'{kept}.weft')), kept)
            self.assertEqual(done['kept'], [])


class Machine(Case):
    def record(self, *options):
        file = self.path('x.weft')
        self.weft('record', '-q', '--no-plugins', '-o', file, *options, '--', sys.executable, '-c',
                  'import time; end = time.process_time() + 1\n'
                  'data = bytearray(50 << 20)\n'
                  'while time.process_time() < end: pass')
        return file

    def test_usage(self):
        file = self.record()
        shown = self.show(file)
        usage = {(row['name'], row['metric']): row for row in shown['usage']}
        self.assertEqual(shown['lanes_reported'], 0)
        self.assertEqual(self.weft('target', 'lanes', '--json', file), [])
        self.assertGreater(usage['cpu', 'use']['max'], 10)
        self.assertLessEqual(usage['cpu', 'use']['max'], 100)
        self.assertGreater(usage['memory', 'total']['last'], usage['memory', 'used']['last'])
        process = {metric: row for (name, metric), row in usage.items()
                   if name.startswith('python3')}
        self.assertGreater(process['resident']['max'], 50 << 20)
        self.assertGreater(process['cpu']['total'], 300e6)
        self.assertEqual(process['cpu']['unit'], 'nanoseconds')
        self.assertIn('python3', [row['name'] for row in shown['processes']])
        state = self.weft('state', '--json', file)
        self.assertIn('use', [row['name'] for row in state['gauges']])

    def test_children(self):
        file = self.path('x.weft')
        self.weft('record', '-q', '--no-plugins', '-o', file, '--', 'sh', '-c', 'sleep 1.5; true')
        self.assertIn('sleep 1.5', [row['command_line'] for row in self.show(file)['processes']])

    def test_without(self):
        self.assertEqual(self.show(self.record('--no-system'))['usage'], [])


tap_report.main(sys.argv[3:])
