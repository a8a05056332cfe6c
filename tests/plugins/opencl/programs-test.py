#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs of others that use OpenCL, unmodified: the same results, and every question has its answer."""

import os
import re
import shutil
import subprocess
import sys

SOURCE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [SOURCE, os.path.join(SOURCE, '..', '..')]
import tap_report  # noqa: E402
from opencl_case import OpenclCase, missing_implementation  # noqa: E402

MISSING = missing_implementation()
FRAMES = 20


class Programs(OpenclCase):
    def setUp(self):
        if MISSING:
            self.skipTest(MISSING)
        super().setUp()

    def need(self, program):
        if shutil.which(program) is None:
            self.skipTest(f'{program} is not installed')

    def assert_questions(self, recording, sources=True):
        """The longest kernel, the most frequent, outliers, who queued, who waited, source, arguments, counters, wait
        in the queue: each by its command."""
        longest = recording.rows('target', 'top', '--filter', 'counter:work_items')
        often = recording.rows('target', 'top', '--by', 'count', '--filter', 'counter:work_items')
        self.assertEqual({row['name'] for row in longest}, {row['name'] for row in often})
        self.assertGreaterEqual(often[0]['count'], longest[0]['count'])
        recording.rows('target', 'outliers')
        dispatch = recording.rows('target', 'dispatches', '--by', 'duration', '--filter', 'counter:work_items',
                                  '--limit', '1')[0]
        queued = [row for row in recording.rows('target', 'origins', dispatch['dispatch'])
                  if row['role'] == 'dispatch']
        self.assertIn(queued[0]['link_status'], ('linked-exact', 'linked'))
        self.assertTrue(queued[0]['call_stack'])
        waits = [row for row in recording.rows('target', 'origins', '--limit', '0')
                 if row['role'] == 'wait-end' and row['lane_name'] != 'OpenCL compiler']
        self.assertTrue(waits)
        if sources:
            self.assertTrue(recording.rows('target', 'source', longest[0]['routine']))
        self.assertTrue(recording.rows('target', 'attachments', dispatch['dispatch']))
        self.assertGreaterEqual(dispatch['queue_delay'], 0)
        names = {row['counter_name'] for row in recording.rows('target', 'counters')}
        self.assertLessEqual({'work_items', 'bytes', 'queued_time', 'submitted_time'}, names)
        found = {row['check']: row for row in recording.rows('diagnose')}
        for check in ('opencl.queues', 'opencl.failures', 'opencl.pending', 'opencl.clock'):
            self.assertEqual(found[check]['verdict'], 'good', found[check])
        print(f"# {longest[0]['name']} took most, {often[0]['name']} ran most often ({often[0]['count']} times)")

    def test_clpeak(self):
        self.need('clpeak')
        recording, counts = self.record_counted('clpeak', '--kernel-latency')
        self.assertRegex(recording.run.stdout.decode(), r'Kernel launch latency : [0-9.]+ us')
        self.assertGreater(counts['EnqueueNDRangeKernel'], 10000)
        self.assert_adds_up(recording, counts)
        self.assert_questions(recording)

    def test_hashcat(self):
        """It finds the word; its kernels are built from text the first time, and loaded the next."""
        self.need('hashcat')
        command = ('hashcat', '-m', '0', '-a', '3', '-O', '--force', '--potfile-disable', '--quiet',
                   '5d41402abc4b2a76b9719d911017c592', '?l?l?l?l?l')
        try:
            plain = self.plain(*command)
        except subprocess.TimeoutExpired:
            self.skipTest('hashcat takes too long here to build its kernels, with nobody watching')
        if b':hello' not in plain.stdout:
            self.skipTest(f'hashcat does not work here: {plain.stdout + plain.stderr}')
        loaded, counts = self.record_counted(*command)
        self.assertEqual(plain.stdout, loaded.run.stdout)
        self.assert_adds_up(loaded, counts)
        found = {row['check']: row for row in loaded.rows('diagnose')}
        self.assertEqual(found['opencl.sources']['verdict'], 'attention')
        # Its own cache of binaries is gone, that of the implementation is not: it gives text again.
        shutil.rmtree(os.path.join(self.folder, 'hashcat'), ignore_errors=True)
        shutil.rmtree(os.path.join(self.folder, '.cache'), ignore_errors=True)
        built, counts = self.record_counted(*command)
        self.assertEqual(plain.stdout, built.run.stdout)
        self.assert_adds_up(built, counts)
        self.assert_questions(built)

    def test_ffmpeg(self):
        """Every frame is the same to the bit, and goes through each kernel as often as it has planes."""
        self.need('ffmpeg')
        command = ('ffmpeg', '-nostdin', '-loglevel', 'error', '-init_hw_device', 'opencl=device', '-filter_hw_device',
                   'device', '-f', 'lavfi', '-i', 'testsrc2=size=320x240:rate=25', '-frames:v', str(FRAMES), '-vf',
                   'format=yuv420p,hwupload,avgblur_opencl=sizeX=3,unsharp_opencl,hwdownload,format=yuv420p',
                   '-f', 'framemd5', '-')
        plain = self.plain(*command)
        if plain.returncode != 0:
            self.skipTest(f'ffmpeg has no filters of OpenCL here: {plain.stderr.decode()[-200:]}')
        recording, counts = self.record_counted(*command)
        self.assertEqual(plain.stdout, recording.run.stdout)
        self.assertEqual(len(re.findall(rb'^0, ', plain.stdout, re.M)), FRAMES)
        self.assert_adds_up(recording, counts)
        kernels = {row['name']: row['count'] for row in
                   recording.rows('target', 'top', '--filter', 'counter:work_items')}
        self.assertEqual(kernels, {'avgblur_horiz': 3 * FRAMES, 'avgblur_vert': 3 * FRAMES,
                                   'unsharp_local': 3 * FRAMES})
        self.assert_questions(recording)


if __name__ == '__main__':
    tap_report.main(sys.argv[6:])
