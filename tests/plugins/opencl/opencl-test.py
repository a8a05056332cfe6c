#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs that use OpenCL, recorded without their help: nothing changes for them, and nothing is missing."""

import os
import sys

SOURCE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [SOURCE, os.path.join(SOURCE, '..', '..')]
import tap_report  # noqa: E402
from opencl_case import COUNT, LAYER, VICTIM, OpenclCase, missing_implementation  # noqa: E402
from recorded import nobody  # noqa: E402

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


class Conservation(OpenclCase):
    """What another layer counted is what the recording holds."""

    def setUp(self):
        if MISSING:
            self.skipTest(MISSING)
        super().setUp()

    def test_every_mode(self):
        for mode, rounds in {**MODES, **ENDS}.items():
            with self.subTest(mode):
                self.assert_adds_up(*self.record_counted(VICTIM, mode, str(rounds)))

    def test_without_privileges(self):
        counts = os.path.join(self.folder, 'counts')
        recording, counts = self.record_counted(VICTIM, 'queues', '3', before=nobody(),
                                                POCL_CACHE_DIR=os.path.join(self.folder, 'pocl'))
        self.assert_adds_up(recording, counts)


class Contents(OpenclCase):
    """What is said of each: where it comes from, its text, what it touched, who waited."""

    def setUp(self):
        if MISSING:
            self.skipTest(MISSING)
        super().setUp()

    def findings(self, recording):
        return {row['check']: row for row in recording.rows('diagnose')}

    def test_queues(self):
        recording = self.record(VICTIM, 'queues', '2')
        kernels = {row['name']: row for row in recording.rows('target', 'top', '--filter', 'counter:work_items')}
        self.assertEqual({name: row['count'] for name, row in kernels.items()},
                         {'scramble': 12, 'combine': 6, 'churn': 6})
        sources = recording.table('sources')
        self.assertIn('OpenCL C', {row['language'] for row in sources})
        text = recording.rows('target', 'source', kernels['churn']['routine'])
        self.assertTrue(text)
        dispatch = recording.rows('target', 'dispatches', '--routine', 'combine')[0]['dispatch']
        attachments = recording.rows('target', 'attachments', dispatch)
        self.assertEqual({row['slot'] for row in attachments}, {0, 1, 2, 3})
        self.assertIn(16384, {row['size'] for row in attachments})
        origins = recording.rows('target', 'origins', dispatch)
        queued = [row for row in origins if row['role'] == 'dispatch']
        self.assertEqual(queued[0]['link_status'], 'linked-exact')
        self.assertIn('work_in_halves', queued[0]['call_stack'])
        waits = [row for row in origins if row['role'] == 'wait-begin']
        self.assertIn('work_in_halves', waits[0]['call_stack'])
        found = self.findings(recording)
        for check in ('opencl.queues', 'opencl.failures', 'opencl.pending', 'opencl.clock', 'opencl.sources',
                      'opencl.stacks'):
            self.assertEqual(found[check]['verdict'], 'good', found[check])

    def test_failures(self):
        found = self.findings(self.record(VICTIM, 'failures'))
        self.assertEqual(found['opencl.builds']['verdict'], 'problem')
        self.assertIn('undeclared', found['opencl.builds']['evidence'])
        self.assertEqual(found['opencl.failures']['verdict'], 'problem')
        self.assertIn('CL_INVALID_KERNEL_ARGS', found['opencl.failures']['evidence'])

    def test_binary(self):
        found = self.findings(self.record(VICTIM, 'binary', '2'))
        self.assertEqual(found['opencl.sources']['verdict'], 'attention')
        self.assertIn('churn', found['opencl.sources']['evidence'])

    def test_left_behind(self):
        found = self.findings(self.record(VICTIM, 'leave', '2'))
        self.assertEqual(found['opencl.pending']['verdict'], 'attention')

    def test_no_opencl(self):
        found = self.findings(self.record('/bin/true'))
        self.assertEqual(found['opencl.queues']['verdict'], 'not-applicable')

    def test_auto(self):
        recording = self.record(VICTIM, 'busy', '1', options=('--with', 'auto'))
        self.assertEqual(len(recording.rows('target', 'lanes', '--filter', 'kind:opencl.queue')), 1)

    def test_samples_in_kernels(self):
        """Of what runs on the processor, samples fall into the command that ran."""
        recording = self.record(VICTIM, 'busy', '20', WEFT_OPENCL_LINES='1')
        self.assertIn(b'their times are not those of other runs', recording.run.stderr)
        answer = recording.ask('target', 'code')
        samples = {row['attributed']: row['samples'] for row in answer['attribution']}
        if not samples:
            self.skipTest('no CPU sample fell into a kernel: sampling is not allowed here')
        self.assertGreater(samples['to one dispatch'], 0.9 * sum(samples.values()))
        self.assertEqual(answer['rows'][0]['routine_name'], 'churn')
        lines = {row['line'] for row in recording.rows('target', 'code', answer['rows'][0]['routine'])}
        self.assertTrue(lines & {25, 26}, lines)
        texts = {row['line']: row['text'] for row in recording.ask('annotate', '_pocl_kernel_churn',
                                                                   '--source')['value']['lines']}
        self.assertIn('STEP (x) ^ (x >> 7)', texts[26])
        self.assertEqual(self.findings(recording)['opencl.extra-flags']['verdict'], 'attention')


if __name__ == '__main__':
    tap_report.main(sys.argv[6:])
