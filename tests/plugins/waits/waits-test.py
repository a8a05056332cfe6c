#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who ended whose wait, as a program's own calls tell: known without privileges, and harmless."""

import csv
import io
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

WEFT, PLUGINS, PRELOAD, VICTIM = (os.path.abspath(path) for path in sys.argv[1:5])
SOURCE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(SOURCE, '..', '..'))
import tap_report
from recorded import nobody

# One that everybody may run.
INTERPRETER = '/usr/bin/python3' if os.path.exists('/usr/bin/python3') else sys.executable

PYTHON = '''
import queue, threading
work, done = queue.Queue(4), queue.Queue()
def run():
    while (number := work.get()) is not None:
        done.put(sum(range(number)))
threads = [threading.Thread(target=run) for _ in range(3)]
for thread in threads:
    thread.start()
for number in range(3000):
    work.put(number * 3)
for thread in threads:
    work.put(None)
for thread in threads:
    thread.join()
print(sum(done.get() for _ in range(3000)))
'''


def environment(**more):
    return {**os.environ, 'WEFT_PLUGIN_PATH': PLUGINS, **more}


class Recording:
    """What a program did, recorded without privileges."""

    def __init__(self, folder, *command, options=('--with', 'waits')):
        os.chmod(folder, 0o777)
        self.file = os.path.join(folder, 'run.weft')
        where = environment(XDG_RUNTIME_DIR=folder, XDG_CACHE_HOME=folder, HOME=folder)
        run = subprocess.run([*nobody(), WEFT, 'record', *options, '-o', self.file, '--', *command],
                             env=where, capture_output=True, text=True, timeout=100, check=False)
        if run.returncode != 0:
            raise AssertionError(run.stderr)
        self.output = run.stdout
        self.processes = self.table('processes')
        self.threads = {row['id']: row['name'] for row in self.table('threads')}
        self.waits = self.table('waits')
        self.wakeups = {row['id']: row for row in self.table('wakeups')}

    def table(self, name):
        run = subprocess.run([WEFT, 'export', '-t', name, 'csv', self.file], env=environment(),
                             capture_output=True, text=True, check=True)
        return list(csv.DictReader(io.StringIO(run.stdout)))


class Wakers(unittest.TestCase):
    def record(self, *command, **options):
        folder = tempfile.mkdtemp(prefix='weft-waits-')
        self.addCleanup(shutil.rmtree, folder)
        recording = Recording(folder, *command, **options)
        if not recording.waits:
            self.skipTest('nothing here tells of switches')
        return recording

    def by_turns(self, mode):
        """Each of the two is woken by the other; almost always that is known."""
        recording = self.record(VICTIM, mode, '400')
        waits = [row for row in recording.waits
                 if recording.threads[row['thread']] in ('left', 'right')
                 and row['reason'] != 'preempted']
        known = [row for row in waits if row['wakeup']]
        for row in known:
            wakeup = recording.wakeups[row['wakeup']]
            self.assertEqual(wakeup['source'], 'program')
            self.assertEqual({recording.threads[row['thread']], recording.threads[row['waker']]},
                             {'left', 'right'})
            self.assertLessEqual(int(wakeup['time']), int(row['start']) + int(row['duration']))
        time = sum(int(row['duration']) for row in waits)
        known_time = sum(int(row['duration']) for row in known)
        print(f'# {mode}: waker known of {len(known)} of {len(waits)} waits, '
              f'{100 * known_time / max(time, 1):.1f} % of their time')
        self.assertGreater(len(waits), 100)
        self.assertGreater(known_time, 0.8 * time)
        self.assertGreater(len(known), 0.8 * len(waits))

    def test_condition(self):
        self.by_turns('condition')

    def test_semaphore(self):
        self.by_turns('semaphore')

    def test_barrier(self):
        self.by_turns('barrier')

    def test_futex(self):
        self.by_turns('futex')

    def test_timeout(self):
        """The time was over: nobody woke it, and that is known."""
        recording = self.record(VICTIM, 'timeout', '40')
        waits = [row for row in recording.waits if recording.threads[row['thread']] == 'left'
                 and int(row['duration']) > 3e6]
        known = [row for row in waits if row['wakeup']]
        self.assertGreaterEqual(len(waits), 20)
        self.assertGreater(len(known), 0.8 * len(waits))
        for row in known:
            self.assertEqual(row['waker'], '')

    def test_threaded_python(self):
        recording = self.record(INTERPRETER, '-c', PYTHON)
        # No thread ends those for files and pages of memory.
        waits = [row for row in recording.waits if row['reason'] not in
                 ('preempted', 'sleep', 'io-read', 'io-write', 'page-fault')]
        known = [row for row in waits if row['wakeup']]
        print(f'# python3: waker known of {len(known)} of {len(waits)} waits')
        self.assertGreater(sum(int(row['duration']) for row in known),
                           0.8 * sum(int(row['duration']) for row in waits))
        plain = subprocess.run([INTERPRETER, '-c', PYTHON], capture_output=True, text=True,
                               check=True)
        self.assertEqual(recording.output, plain.stdout)

    def test_short_process(self):
        """It ended before anybody looked at it, and its parent does not ask for its status: who it
        was by its own word and who by the kernel's is one, and so are their threads."""
        parent = ('import subprocess, sys, time; child = subprocess.Popen(sys.argv[1:]); '
                  'time.sleep(0.5); child.wait()')
        for _ in range(3):
            recording = self.record(INTERPRETER, '-c', parent, VICTIM, 'barrier', '40')
            waits = [row for row in recording.waits
                     if recording.threads[row['thread']] in ('left', 'right')
                     and row['reason'] != 'preempted']
            self.assertGreater(len(waits), 20)
            self.assertGreater(sum(bool(row['wakeup']) for row in waits), 0.8 * len(waits),
                               (recording.processes, recording.table('threads')))

    def test_only_when_asked(self):
        recording = self.record(VICTIM, 'condition', '50', options=())
        self.assertFalse([row for row in recording.wakeups.values() if row['source'] == 'program'])


class Harmless(unittest.TestCase):
    def run_both(self, *command, **more):
        plain = subprocess.run(command, capture_output=True, check=True, timeout=60, **more)
        watched = subprocess.run(command, capture_output=True, check=True, timeout=100,
                                 env={**os.environ, 'LD_PRELOAD': PRELOAD}, **more)
        self.assertEqual(plain.stdout, watched.stdout)
        return plain.stderr, watched.stderr

    def test_results(self):
        for mode in ('condition', 'semaphore', 'barrier', 'futex', 'mutex'):
            with self.subTest(mode):
                self.run_both(VICTIM, mode, '2000')
        self.run_both(VICTIM, 'timeout', '10')
        self.run_both(INTERPRETER, '-c', PYTHON)

    def test_fork_and_signals(self):
        plain = subprocess.run([VICTIM, 'fork', '2000'], capture_output=True, check=True)
        folder = tempfile.mkdtemp(prefix='weft-waits-')
        self.addCleanup(shutil.rmtree, folder)
        recording = Recording(folder, VICTIM, 'fork', '2000')
        self.assertEqual(recording.output, plain.stdout.decode())

    def test_cost_of_free_locks(self):
        """Of a lock and an unlock that nobody else wants, beside the same without us."""
        extra = []
        for _ in range(5):
            plain, watched = self.run_both(VICTIM, 'free', '2000000')
            extra.append(float(watched) - float(plain))
        print(f'# a lock and its unlock cost {min(extra):.1f} ns more')
        self.assertLess(min(extra), 40)

    def test_other_programs(self):
        text = b'some text that repeats, some text that repeats\n' * 20000
        if shutil.which('xz') is None:
            self.skipTest('xz is not installed')
        self.run_both('xz', '-T2', '--block-size=65536', '-1', '-c', input=text)


if __name__ == '__main__':
    tap_report.main(sys.argv[5:])
