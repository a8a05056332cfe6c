#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs that use OpenCL, recorded without their help: nothing changes for them, and nothing is missing."""

import os
import sys

SOURCE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [SOURCE, os.path.join(SOURCE, '..', '..')]
import tap_report  # noqa: E402
from opencl_case import COUNT, LAYER, VICTIM, OpenclCase, missing_implementation, nobody  # noqa: E402

MISSING = missing_implementation()
# Every mode that ends by itself, and the rounds that it is run for.
MODES = {'queues': 3, 'events': 3, 'failed-event': 1, 'profiling': 1, 'transfers': 3, 'native': 3, 'release': 3,
         'failures': 1, 'binary': 3, 'exit': 2, 'fork': 2}
# Those that end by force.
ENDS = {'leave': 2, 'crash': 2, 'abort': 2}


class Harmless(OpenclCase):
    """A program does the same to the byte, and ends as it would have."""

    def setUp(self):
        if MISSING:
            self.skipTest(MISSING)
        super().setUp()

    def assert_same(self, before, after):
        self.assertEqual(before.stdout, after.stdout)
        self.assertEqual(before.stderr, after.stderr)
        self.assertEqual(before.returncode, after.returncode)

    def test_nobody_records(self):
        """With the layer, and no recorder."""
        for mode, rounds in {**MODES, **ENDS}.items():
            with self.subTest(mode):
                command = (VICTIM, mode, str(rounds))
                self.assert_same(self.plain(*command), self.plain(*command, OPENCL_LAYERS=LAYER))

    def test_beside_another_layer(self):
        """Whichever of the two comes first."""
        for layers in (f'{COUNT}:{LAYER}', f'{LAYER}:{COUNT}'):
            with self.subTest(layers):
                plain = self.plain(VICTIM, 'queues', '2', **self.counted())
                alone = self.read_counts()
                both = self.plain(VICTIM, 'queues', '2', **{**self.counted(), 'OPENCL_LAYERS': layers})
                self.assert_same(plain, both)
                self.assertEqual(alone, self.read_counts())
                self.assertEqual(alone['EnqueueNDRangeKernel'], 3 * 2 * 4)


class Recorded(OpenclCase):
    """The same while somebody records."""

    def setUp(self):
        if MISSING:
            self.skipTest(MISSING)
        super().setUp()

    def assert_same_output(self, mode, rounds, **options):
        plain = self.plain(VICTIM, mode, str(rounds))
        recording = self.record(VICTIM, mode, str(rounds), **options)
        self.assertTrue(recording.run.stdout == plain.stdout, recording.run.stdout + recording.run.stderr)
        return recording

    def test_results(self):
        for mode, rounds in MODES.items():
            with self.subTest(mode):
                self.assert_same_output(mode, rounds)

    def test_forced_ends(self):
        for mode, rounds in ENDS.items():
            with self.subTest(mode):
                self.assert_same_output(mode, rounds)

    def test_without_privileges(self):
        self.assert_same_output('queues', 2, before=nobody(), POCL_CACHE_DIR=os.path.join(self.folder, 'pocl'))


if __name__ == '__main__':
    tap_report.main(sys.argv[6:])
