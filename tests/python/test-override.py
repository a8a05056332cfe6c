#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Questions and queries, their rows, handles and times, as Python has them. Reports in TAP.

    test-override.py RECORDING
"""

import os

from corpus_case import RECORDING, Case, FolderCase, Gio, GLib, Weft, main


class Open(FolderCase):
    def test_path(self):
        self.assertEqual(Weft.open(RECORDING).get_file().get_path(), RECORDING)
        self.assertIn(RECORDING, repr(Weft.open(RECORDING)))

    def test_latest(self):
        self.assertIn('weft record', self.fails(Gio.io_error_quark(), Gio.IOErrorEnum.NOT_FOUND, Weft.open))
        os.makedirs(self.path('recordings'))
        os.symlink(RECORDING, self.path('recordings', 'latest'))
        for recording in (Weft.open(), Weft.open('latest')):
            self.assertEqual(recording.get_n_rows('dispatches'), self.recording.get_n_rows('dispatches'))

    def test_what_is_not_there(self):
        self.fails(Gio.io_error_quark(), Gio.IOErrorEnum.NOT_FOUND, Weft.open, '/nonexistent.weft')


class Queries(Case):
    def test_handles(self):
        rows = self.recording.query('dispatches', select=['id'], limit=3).to_dicts()
        self.assertEqual(len(rows), 3)
        for row in rows:
            self.assertRegex(row['id'], r'^d-\d+$')
            self.assertEqual(self.recording[row['id']].get_handle(), row['id'])
        self.fails(Weft.error_quark(), Weft.Error.NO_SUCH_OBJECT, self.recording.__getitem__, 'd-999999999')

    def test_rows_are_mappings(self):
        row = self.recording.query('lanes', limit=1)[0]
        self.assertEqual(dict(row)['name'], row['name'])
        self.assertEqual(dict(row.items()), dict(row))
        self.assertEqual(list(row), list(row.keys()))
        self.assertEqual(len(row), len(row.keys()))
        with self.assertRaises(KeyError) as raised:
            row['nonsense']
        self.assertIn('name', str(raised.exception))

    def test_nulls(self):
        table = self.recording.query('dispatches', select=['id', 'queue_wait'])
        rows = table.to_dicts()
        self.assertIn(None, [row['queue_wait'] for row in rows])
        self.assertTrue(any(row['queue_wait'] is not None for row in rows))
        for row, same in zip(table, rows):
            self.assertEqual(row['queue_wait'], same['queue_wait'])

    def test_groups(self):
        table = self.recording.query('dispatches', group_by=('routine.name', 'name'), order_by='-total',
                                     select=['count', ('sum(duration)', 'total')])
        totals = {}
        for row in self.recording.query('dispatches', select=['routine.name', 'duration']):
            count, total = totals.get(row['routine_name'], (0, 0))
            totals[row['routine_name']] = (count + 1, total + row['duration'])
        self.assertEqual({row['name']: (row['count'], row['total']) for row in table}, totals)
        found = [row['total'] for row in table]
        self.assertEqual(found, sorted(found, reverse=True))

    def test_ranges(self):
        begin, end = 100_000_000, 200_000_000
        table = self.recording.query('dispatches', select=['id', 'start', 'end'], time_range=('100ms', end))
        everything = self.recording.query('dispatches', select=['id', 'start', 'end'])
        inside = {row['id'] for row in everything if row['start'] < end and row['end'] > begin}
        self.assertLessEqual(inside, {row['id'] for row in table})
        self.assertTrue(all(row['start'] <= end and row['end'] >= begin for row in table))
        self.assertGreater(len(inside), 0)

    def test_pages(self):
        pages = [page['id'] for page in self.recording.pages('dispatches', limit=50, select=['id'])]
        self.assertTrue(all(len(page) <= 50 for page in pages))
        ids = [int(i) for page in pages for i in page]
        self.assertEqual(len(ids), self.recording.get_n_rows('dispatches'))
        self.assertEqual(len(set(ids)), len(ids))

    def test_bad_ones(self):
        for bad in (dict(table='nonsense'), dict(table='dispatches', select=['nonsense']),
                    dict(table='dispatches', where='dur>>'), dict(table='dispatches', cursor='garbage')):
            with self.assertRaises(GLib.Error) as raised:
                self.recording.query(**bad)
            self.assertEqual(raised.exception.domain, 'weft-error-quark', bad)
        with self.assertRaises(TypeError):
            self.recording.query('dispatches', wehre='status:ok')

    def test_asynchronously(self):
        loop = GLib.MainLoop()
        found = []

        def ran(query, result):
            found.append(query.run_finish(result))
            loop.quit()

        query = Weft.Query.new('lanes')
        query.run_async(self.recording, None, None, None, ran)
        GLib.timeout_add_seconds(30, loop.quit)
        loop.run()
        self.assertEqual(len(found[0]), self.recording.get_n_rows('lanes'))

    def test_progress(self):
        """Two callbacks, each with what belongs to it."""
        loop = GLib.MainLoop()
        told, found = [], []

        def ran(source, result, *data):
            found.append((source.run_finish(result), data))
            loop.quit()

        def run(source, *arguments):
            source.run_async(*arguments)
            loop.run()

        GLib.timeout_add_seconds(30, loop.quit)
        run(Weft.Query.new('dispatches'), self.recording, None, lambda *words: told.append(words), 'mine', ran, 'too')
        done, total, *data = told[-1]
        self.assertEqual((done, data), (total, ['mine']))
        self.assertEqual(found[-1][1], ('too',))
        run(Weft.Query.new('dispatches'), self.recording, None, lambda *words: told.append(words), None, ran)
        self.assertEqual(len(told[-1]), 2)
        run(Weft.Analysis.new(self.recording, 'target-outliers'), None, lambda *words: told.append(words), None, ran)
        self.assertEqual(found[-1][0].get_name(), 'target-outliers')
        self.assertEqual(len(found), 3)

    def test_cancelled(self):
        cancellable = Gio.Cancellable()
        cancellable.cancel()
        self.fails(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED, self.recording.query, 'dispatches',
                   cancellable=cancellable)

    def test_times(self):
        self.assertEqual(Weft.nanoseconds('1.5s'), 1_500_000_000)
        self.assertEqual(Weft.nanoseconds('20ms'), 20_000_000)
        self.assertEqual(Weft.nanoseconds('3µs'), 3_000)
        self.assertEqual(Weft.nanoseconds('3ns'), 3)
        self.assertEqual(Weft.nanoseconds(7), 7)
        for bad in ('soon', '5', 's', ''):
            with self.assertRaises(ValueError):
                Weft.nanoseconds(bad)


class Reports(Case):
    def test_tables(self):
        report = self.recording.ask('target-lanes')
        self.assertIs(report.tables[0], report.main)
        self.assertEqual(len(report), len(report.main))
        for table in report.tables[1:]:
            self.assertIs(report[table.get_name()], table)
        self.assertIn('lane', report.main.columns)
        self.assertEqual(list(report['lane']), list(report.main['lane']))
        self.assertIn('target-lanes', repr(report))

    def test_options(self):
        some = self.recording.ask('target-dispatches', where='status:error', limit=2)
        self.assertEqual(len(some), 2)
        self.assertEqual(set(some['status']), {'error'})
        more = self.recording.ask('target-dispatches', where='status:error', limit=2, cursor=some.main.get_cursor())
        self.assertFalse({row['dispatch'] for row in some} & {row['dispatch'] for row in more})
        self.assertNotEqual(self.recording.ask('state', at='10ms').to_dict(), self.recording.ask('state').to_dict())
        about = self.recording.ask('target-dispatch', 'd-2')
        self.assertIn('d-2', str(about.to_dict()))

    def test_paths(self):
        """Two dispatches of a submission, one behind the other: twice as fast, both are."""
        last = max(self.recording.ask('target-dispatches', where='routine:wait-submission'),
                   key=lambda row: row['start'])
        report = self.recording.ask('critical-path', last['dispatch'], limit=0, what_if='routine:wait-submission=2x')
        path, change = report['path'][0], report['what_if'][0]
        self.assertEqual(sum(report['duration']), path['wall'])
        self.assertEqual(path['end'], last['start'] + last['duration'])
        self.assertEqual([row['kind'] for row in report][-2:], ['queue', 'device'])
        self.assertEqual(change['wall'] - change['forecast'], last['duration'])
        tree = self.recording.ask('critical-path', last['dispatch'], mode='tree')
        self.assertEqual(tree.main[0]['total'], path['wall'])
        self.assertTrue(Weft.flame_to_svg(tree, 'the path').startswith('<'))
        said = self.fails(Weft.error_quark(), Weft.Error.INVALID_QUERY, self.recording.ask, 'critical-path',
                          what_if='gemm')
        self.assertIn('gemm', said)

    def test_words_that_mean_nothing(self):
        for kind, word in (('show', 'limit'), ('target-lanes', 'at'), ('state', 'by')):
            with self.assertRaises(TypeError) as raised:
                self.recording.ask(kind, **{word: 1})
            self.assertEqual(str(raised.exception), f'“{kind}” takes no {word}')

    def test_unknown_ones(self):
        said = self.fails(Weft.error_quark(), Weft.Error.INVALID_QUERY, self.recording.ask, 'nonsense')
        self.assertIn('nonsense', said)
        self.fails(Weft.error_quark(), Weft.Error.INVALID_QUERY, self.recording.ask, 'target-dispatches', by='nonsense')


main()
