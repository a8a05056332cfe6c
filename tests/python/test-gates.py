#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Gates and inquiries from Python, and the example of docs/gates.md as it stands there. Reports in TAP.

    test-gates.py RECORDING
"""

import contextlib
import io
import os
import re
import tempfile

from corpus_case import DOCS, RECORDING, Case, GLib, Weft, main


class Gates(Case):
    def judge(self, *thresholds):
        gate = Weft.Gate.new()
        for threshold in thresholds:
            gate.add_threshold(threshold)
        gate.add_recording(self.recording)
        return gate.run(None)

    def test_verdicts(self):
        self.assertEqual(self.judge('count > 100').get_verdict(), Weft.GateVerdict.PASSED)
        self.assertEqual(self.judge('count > 100', 'errors = 0').get_verdict(), Weft.GateVerdict.FAILED)
        self.assertEqual(self.judge('count lane:nowhere > 1').get_verdict(), Weft.GateVerdict.CANNOT_JUDGE)
        self.assertEqual(self.judge('regressions = 0').get_verdict(), Weft.GateVerdict.CANNOT_JUDGE)

    def test_report(self):
        result = self.judge('many: count > 100', 'errors = 0')
        table = result.get_report().get_main_table()
        self.assertEqual([row.get('name').unpack() for row in table], ['many', 'errors = 0'])
        self.assertEqual(result.count(Weft.GateVerdict.FAILED), 1)
        self.assertIn('2 thresholds: 1 passed, 1 failed', result.to_text())

    def test_unreadable(self):
        gate = Weft.Gate.new()
        self.fails(Weft.error_quark(), Weft.Error.INVALID_QUERY, gate.add_threshold, 'p95 < 2')

    def test_async(self):
        gate, loop, told = Weft.Gate.new(), GLib.MainLoop(), []
        gate.add_threshold('count > 100')
        gate.add_recording(self.recording)

        def done(source, result):
            told.append(source.run_finish(result).get_verdict())
            loop.quit()

        gate.run_async(None, done)
        loop.run()
        self.assertEqual(told, [Weft.GateVerdict.PASSED])

    def test_guide(self):
        """The page's program, beside a recording of the name that it opens."""
        with open(os.path.join(DOCS, 'gates.md'), encoding='utf-8') as page:
            program = re.search(r'```python\n(.*?)```', page.read(), re.DOTALL).group(1)
        before = os.getcwd()
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()) as told:
            os.symlink(RECORDING, os.path.join(folder, 'run.weft'))
            os.chdir(folder)
            try:
                exec(compile(program, 'gates.md', 'exec'), {})
            finally:
                os.chdir(before)
        self.assertTrue(told.getvalue().startswith('cannot-judge ### Performance'), told.getvalue())


class Inquiries(Case):
    def test_findings(self):
        inquiry = Weft.Inquiry.new('loom', self.recording, None)
        lanes = inquiry.ask('lanes', 'kind:codec.*', None, ['id', 'name'], None, 0)
        subjects = Weft.Subjects.new()
        subjects.add_rows(lanes, 0, 1)
        n = int(inquiry.ask_number('dispatches', 'kind:codec.*', 'count()'))
        inquiry.add('loom.queues', 'Are there queues?', Weft.Verdict.GOOD,
                    f"{Weft.format_count(n, 'dispatch', 'dispatches')} on {subjects.get_names()}", 'Make one',
                    subjects.get_handles())
        self.assertGreater(inquiry.analyze('target-lanes', None).get_main_table().get_n_rows(), 1)
        finding, = inquiry.end()
        self.assertEqual(finding.get_evidence(), '48 dispatches on video decoder')
        self.assertIsNone(finding.get_advice())
        self.assertEqual(len(finding.get_handles()), 1)

    def test_failure(self):
        inquiry = Weft.Inquiry.new('loom', self.recording, None)
        self.assertEqual(inquiry.ask_number('dispatches', None, 'max(nothing)'), 0)
        self.assertTrue(inquiry.is_over())
        self.fails(Weft.error_quark(), Weft.Error.NO_SUCH_FIELD, inquiry.end)


main()
