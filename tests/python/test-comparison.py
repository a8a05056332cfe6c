#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Comparisons from Python. Reports in TAP.

    test-comparison.py RECORDING
"""

import os

from corpus_case import Case, Gio, GLib, Weft, main

ARCHIVES = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'archives')

A, B = Weft.ComparisonSide.A, Weft.ComparisonSide.B


class Comparison(Case):
    def compare(self, **options):
        comparison = Weft.Comparison.new()
        comparison.add_recording(A, self.recording)
        comparison.add_recording(B, self.recording)
        for name, value in options.items():
            getattr(comparison, f'set_{name}')(*value)
        return comparison

    def rows(self, report):
        return [{name: row.get(name).unpack() for name in ('scope', 'metric', 'verdict')}
                for row in report.get_main_table()]

    def test_verdicts(self):
        rows = self.rows(self.compare().run(None))
        self.assertEqual({row['verdict'] for row in rows}, {'no-change'})
        self.assertLessEqual({'routine', 'lane', 'source', 'counter', 'coverage'}, {row['scope'] for row in rows})

    def test_sides(self):
        comparison = self.compare()
        self.assertEqual([comparison.get_n_recordings(side) for side in (A, B)], [1, 1])
        self.assertIs(comparison.get_recording(B, 0), self.recording)

    def test_what_differs(self):
        comparison = Weft.Comparison.new()
        for side, name in ((A, 'before.weft'), (B, 'after.weft')):
            comparison.add_recording(side, Weft.open(os.path.join(ARCHIVES, name)))
        report = comparison.run(None)
        told = {tuple(row.get(name).unpack() for name in ('name', 'verdict')) for row in report.get_main_table()
                if row.get('metric').unpack() == 'p50' and row.get('scope').unpack() == 'routine'}
        self.assertEqual(told, {('sort', 'regressed'), ('pack', 'new'), ('copy', 'vanished'), ('hash', 'no-change'),
                                ('fill', 'no-change'), ('scan', 'no-change')})
        first = report.get_main_table()[0]
        self.assertEqual(first.get('name').unpack(), 'sort')
        self.assertIn('+  check (values);', report.get_table('source_changes')[0].get('diff').unpack())

    def test_parts(self):
        whole = self.rows(self.compare().run(None))
        part = self.rows(self.compare(filter=['status:error']).run(None))
        self.assertLess(0, len(part))
        self.assertLess(len(part), len(whole))
        self.assertLess(len(self.rows(self.compare(range=[0, 1000000]).run(None))), len(whole))
        self.assertLess(len(self.rows(self.compare(limit=[1]).run(None))), len(whole))

    def test_errors(self):
        code = Weft.Error
        self.fails(Weft.error_quark(), code.INVALID_FILTER, self.compare().set_filter, 'lane:(')
        empty = Weft.Comparison.new()
        self.fails(Weft.error_quark(), code.INVALID_QUERY, empty.run, None)
        empty.add_recording(A, self.recording)
        self.fails(Weft.error_quark(), code.INVALID_QUERY, empty.run, None)

    def test_async(self):
        comparison, loop, told, progress = self.compare(), GLib.MainLoop(), [], []

        def done(source, result):
            told.append(self.rows(source.run_finish(result)))
            loop.quit()

        GLib.timeout_add_seconds(60, loop.quit)
        comparison.run_async(None, lambda *words: progress.append(words), 'mine', done)
        loop.run()
        self.assertEqual(told, [self.rows(self.compare().run(None))])
        self.assertEqual(progress, [(1, 2, 'mine'), (2, 2, 'mine')])

    def test_cancelled(self):
        cancellable = Gio.Cancellable()
        cancellable.cancel()
        self.fails(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED, self.compare().run, cancellable)


main()
