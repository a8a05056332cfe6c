#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Functions of extensions, which programs ask for by name: they do the same, and what they queue is recorded."""

import collections
import os
import sys

SOURCE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [SOURCE, os.path.join(SOURCE, '..', '..')]
import tap_report  # noqa: E402
from opencl_case import LAYER, OpenclCase, missing_implementation  # noqa: E402

PROGRAM, EXTENSIONS = (os.path.abspath(path) for path in sys.argv[6:8])
MISSING = missing_implementation()


class Extensions(OpenclCase):
    def setUp(self):
        if MISSING:
            self.skipTest(MISSING)
        super().setUp()

    def test_same_without_a_recorder(self):
        plain = self.plain(PROGRAM, OPENCL_LAYERS=EXTENSIONS)
        self.assertEqual(plain.returncode, 0)
        layered = self.plain(PROGRAM, OPENCL_LAYERS=f'{EXTENSIONS}:{LAYER}')
        self.assertEqual(plain.stdout, layered.stdout)

    def test_commands_of_extensions(self):
        plain = self.plain(PROGRAM, OPENCL_LAYERS=EXTENSIONS)
        recording = self.record(PROGRAM, OPENCL_LAYERS=EXTENSIONS)
        self.assertEqual(recording.run.stdout, plain.stdout)
        rows = [row for row in recording.rows('target', 'dispatches') if row['lane_name'].startswith('queue')]
        count = collections.Counter((row['name'], row['status']) for row in rows)
        self.assertEqual(count['clEnqueueWaitSemaphoresKHR', 'ok'], 1)
        self.assertEqual(count['clEnqueueWaitSemaphoresKHR', 'canceled'], 1)
        self.assertEqual(count['clEnqueueSignalSemaphoresKHR', 'ok'], 1)
        self.assertEqual(count['clEnqueueAcquireExternalMemObjectsKHR', 'ok'], 1)
        self.assertEqual(count['clEnqueueReleaseExternalMemObjectsKHR', 'ok'], 1)
        self.assertEqual(count['clEnqueueMemFillINTEL', 'ok'], 1)
        self.assertEqual(count['clEnqueueMigrateMemINTEL', 'ok'], 1)
        self.assertEqual(count['clEnqueueMemcpyINTEL', 'ok'], 1)
        if b'clCreateCommandBufferKHR: there' in plain.stdout:
            self.assertEqual(count['inc, inc', 'ok'], 3)
            self.assertEqual(count['clEnqueueReadBuffer', 'ok'], 1)

    def test_nothing_asked_for(self):
        """Where the platform has none of them, none is given."""
        plain = self.plain(PROGRAM)
        self.assertIn(b'clEnqueueWaitSemaphoresKHR: not there', plain.stdout)
        self.assertEqual(plain.stdout, self.record(PROGRAM).run.stdout)

    def test_more_under_way_than_are_followed(self):
        """Those beyond 65,536 at a time have no times, and stay under way; the program does not notice."""
        n = 66000
        plain = self.plain(PROGRAM, str(n))
        recording = self.record(PROGRAM, str(n), options=('--cpu', 'off', '--with', 'opencl'))
        self.assertEqual(recording.run.stdout, plain.stdout)
        lane, = [row for row in recording.rows('target', 'lanes') if row['kind'] == 'opencl.queue']
        self.assertEqual(lane['dispatches'] + lane['pending'], n)
        self.assertGreaterEqual(lane['dispatches'], 65000)


if __name__ == '__main__':
    tap_report.main(sys.argv[8:])
