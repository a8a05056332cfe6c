#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Running and waiting of real threads: sums, stacks of waits and their price, wakers."""

import csv
import io
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

WEFT, TIMES, HANDOVER = (os.path.abspath(path) for path in sys.argv[1:4])
SLACK = float(os.environ.get('WEFT_TEST_SLACK', '0.05'))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))
import tap_report


class Recording:
    def __init__(self, folder, *command, privileged=False):
        as_whom = []
        if privileged and os.geteuid() != 0:
            raise unittest.SkipTest('needs root')
        if not privileged and os.geteuid() == 0:
            if shutil.which('setpriv') is None:
                raise unittest.SkipTest('root, and no setpriv (package util-linux) to be another')
            as_whom = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
        os.chmod(folder, 0o777)
        self.file = os.path.join(folder, 'run.weft')
        where = {**os.environ, 'XDG_RUNTIME_DIR': folder, 'XDG_CACHE_HOME': folder, 'HOME': folder}
        run = subprocess.run([*as_whom, WEFT, 'record', '-o', self.file, '--', *command], env=where,
                             capture_output=True, text=True, timeout=100, check=False)
        if run.returncode != 0:
            raise AssertionError(run.stderr)
        self.output = run.stdout
        self.meta = {row['key']: row for row in self.table('meta')}
        self.sampler = self.meta['sampler']['text']
        if self.meta['wait-mode']['text'] != 'exact':
            raise unittest.SkipTest(f'no exact switches here: the sampler is {self.sampler}')
        self.threads = {row['id']: row for row in self.table('threads')}
        self.waits = self.table('waits')
        self.times = {row['thread']: row for row in self.table('thread_times')}

    def table(self, name):
        run = subprocess.run([WEFT, 'export', '-t', name, 'csv', self.file], capture_output=True,
                             text=True, check=True)
        return list(csv.DictReader(io.StringIO(run.stdout)))


class Waits(unittest.TestCase):
    def record(self, *command, **options):
        folder = tempfile.mkdtemp(prefix='weft-waits-')
        self.addCleanup(shutil.rmtree, folder)
        return Recording(folder, *command, **options)

    def check_times(self, **options):
        """Both parts are the whole, to the nanosecond; and the CPU time is what the kernel says."""
        recording = self.record(TIMES, '4', '3000', '2000', '60', **options)
        waited = {}
        for row in recording.waits:
            waited[row['thread']] = waited.get(row['thread'], 0) + int(row['duration'])
        for thread, row in recording.times.items():
            self.assertEqual(int(row['on_cpu']) + int(row['off_cpu']),
                             int(row['time']) - int(row['start']))
            self.assertEqual(waited.get(thread, 0), int(row['off_cpu']))
        by_tid = {row['tid']: recording.times[row['id']] for row in recording.threads.values()
                  if row['id'] in recording.times}
        told = [line.split() for line in recording.output.splitlines()]
        self.assertEqual(len(told), 4)
        for tid, cpu, wall in told:
            ours = by_tid[tid]
            print(f"# {recording.sampler}: CPU time {int(cpu) / 1e6:.1f} ms, as recorded "
                  f"{int(ours['on_cpu']) / 1e6:.1f}")
            self.assertAlmostEqual(int(ours['on_cpu']) / int(cpu), 1, delta=SLACK)
            lived = int(ours['time']) - int(ours['start'])
            self.assertAlmostEqual(lived / int(wall), 1, delta=SLACK)

    def test_times_unprivileged(self):
        self.check_times()

    def test_times_privileged(self):
        self.check_times(privileged=True)

    def covered(self, recording):
        waits = [row for row in recording.waits if row['reason'] != 'preempted']
        time = sum(int(row['duration']) for row in waits)
        return sum(int(row['duration']) for row in waits if row['callchain']) / time

    def test_stacks_unprivileged(self):
        """Nearly all of the time that is waited has a stack, and what it was waited for."""
        recording = self.record(TIMES, '3', '500', '20000', '50')
        share = self.covered(recording)
        print(f'# {100 * share:.1f} % of the wait time has a stack')
        self.assertGreater(share, 0.85)
        sleeps = [row for row in recording.waits if row['reason'] == 'sleep']
        self.assertGreater(len(sleeps), 100)
        self.assertTrue(all(row['detail'] == 'clock_nanosleep' for row in sleeps))
        complete = [row for row in sleeps if row['end'] == 'complete']
        self.assertGreater(len(complete), 0.97 * len(sleeps))

    def test_stacks_privileged(self):
        recording = self.record(TIMES, '3', '500', '1000', '200', privileged=True)
        self.assertGreater(self.covered(recording), 0.97)

    def test_price_is_capped(self):
        """More waits than may be looked at: the price stays, and what was left out is counted."""
        recording = self.record(TIMES, '64', '20', '300', '2000')
        duration = int(recording.meta['duration']['number'])
        cpu = int(recording.meta['wait-snapshots-cpu']['number'])
        skipped = int(recording.meta['wait-snapshots-skipped']['number'])
        print(f"# {len(recording.waits)} waits in {duration / 1e9:.2f} s: "
              f"{recording.meta['wait-snapshots']['number']} looks for {100 * cpu / duration:.2f} % "
              f'of a CPU, {skipped} left out')
        self.assertGreater(cpu, 0)
        self.assertLess(cpu, 0.055 * duration + 20e6)
        # Looks are cheap where the watched threads hardly get a CPU: then none need be left out.
        if cpu > 0.04 * duration:
            self.assertGreater(skipped, 0)
        losses = {row['reason']: row['count'] for row in recording.table('losses')}
        self.assertEqual(int(losses.get('snapshot-skipped', 0)), skipped)

    def test_wakers_privileged(self):
        recording = self.record(HANDOVER, 'condition', '400', privileged=True)
        if recording.meta['tracepoints']['text'] != 'yes':
            self.skipTest('no tracepoints here: tracefs is not mounted, or closed')
        names = {id: row['name'] for id, row in recording.threads.items()}
        waits = [row for row in recording.waits if names[row['thread']] in ('left', 'right')
                 and row['reason'] == 'semaphore']
        known = [row for row in waits if row['wakeup']]
        self.assertGreater(len(waits), 100)
        self.assertGreater(len(known), 0.95 * len(waits))
        stacks = {row['id']: row['callchain'] for row in recording.table('wakeups')}
        for row in known:
            self.assertNotEqual(row['thread'], row['waker'])
        self.assertGreater(sum(1 for row in known if stacks[row['wakeup']]), 0.9 * len(known))


if __name__ == '__main__':
    tap_report.main(sys.argv[4:])
