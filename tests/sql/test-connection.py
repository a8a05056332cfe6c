#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""WeftSql as programs use it: types, limits, refusals, nonsense, and recordings that grow.

    test-connection.py CORPUS CPU FUZZ…
"""

import os
import sys
import tempfile
import unittest

import gi

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import tap_report  # noqa: E402

gi.require_version('Weft', '1')
from gi.repository import Gio, GLib, Weft  # noqa: E402

CORPUS, CPU = map(os.path.abspath, sys.argv[1:3])


def opened(path):
    return Weft.Recording.open(Gio.File.new_for_path(path), None)


class Connection(unittest.TestCase):
    def setUp(self):
        self.sql = Weft.Sql.new(opened(CORPUS))

    def fails(self, domain, code, text, *parameters):
        with self.assertRaises(GLib.Error) as raised:
            self.sql.query(text, *(parameters or (None, None)))
        self.assertTrue(raised.exception.matches(domain, code), f'{text}: {raised.exception}')
        return raised.exception.message

    def test_types(self):
        """Columns that are selected as they are keep their type, through subqueries and views too."""
        kinds = Weft.ValueType
        table = self.sql.query(
            'select id, lane, start, duration, failed, status, depth, trace, 1, 1.5, null, \'x\', duration / 2 from '
            '(select * from dispatches)', None, None)
        self.assertEqual([table.get_column_type(c) for c in range(table.get_n_columns())],
                         [kinds.ID, kinds.ID, kinds.TIME, kinds.DURATION, kinds.BOOLEAN, kinds.STRING, kinds.UINT64,
                          kinds.ID, kinds.INT64, kinds.DOUBLE, kinds.INT64, kinds.STRING, kinds.INT64])
        self.assertEqual([table.get_column_prefix(c) for c in (0, 1, 7)], ['d', 'l', 'tr'])
        self.assertTrue(table.is_null(10, 0))
        for rewriting in (True, False):
            self.sql.set_rewriting(rewriting)
            table = self.sql.query('select sum(duration), avg(duration), max(start), count(*) from dispatches', None, None)
            self.assertEqual([table.get_column_type(c) for c in range(4)],
                             [kinds.DURATION, kinds.DOUBLE, kinds.TIME, kinds.INT64])
            self.assertEqual(table.get_column_unit(1), 'ns')
        mixed = self.sql.query("select 1 as a, 1 as a union all select 'x', x'00ff'", None, None)
        self.assertEqual([mixed.get_column_name(c) for c in range(2)], ['a', 'a_2'])
        self.assertEqual([mixed.get_string(c, r) for c in range(2) for r in range(2)], ['1', 'x', '1', "X'00FF'"])
        self.assertEqual(self.sql.query('select * from dispatches where 0', None, None).get_n_rows(), 0)

    def test_handles_and_codes(self):
        table = self.sql.query("select handle, lane_handle, status_code from dispatches where handle = 'd-12'", None, None)
        self.assertEqual(table.get_n_rows(), 1)
        self.assertEqual(table.get_string(0, 0), 'd-12')
        self.assertRegex(table.get_string(1, 0), r'^l-\d+$')
        self.assertEqual(table.get_int64(2, 0), 0)
        source = self.sql.query('select text from sources where text is not null limit 1', None, None)
        self.assertGreater(len(source.get_string(0, 0)), 3)

    def test_read_only(self):
        for text in ['delete from dispatches', 'create table x (a)', "attach 'x' as y", 'pragma journal_mode = off',
                     'create temp view v as select 1', "select load_extension ('x')", 'begin', 'vacuum',
                     'insert into lanes values (1)', 'drop view named_dispatches', 'pragma temp_store_directory',
                     'update lanes set name = 1', 'create temp table x as select 1', 'analyze']:
            with self.subTest(text):
                self.fails(Weft.error_quark(), Weft.Error.INVALID_QUERY, text)

    def test_errors(self):
        domain = Weft.error_quark()
        self.assertIn('did you mean “dispatches”', self.fails(domain, Weft.Error.NO_SUCH_TABLE, 'select * from dispatch'))
        self.fails(domain, Weft.Error.NO_SUCH_FIELD, 'select no_such from dispatches')
        self.assertIn('at character 10', self.fails(domain, Weft.Error.INVALID_QUERY, 'select * form lanes'))
        self.assertIn('One question', self.fails(domain, Weft.Error.INVALID_QUERY, 'select 1; select 2'))
        self.fails(domain, Weft.Error.INVALID_QUERY, '-- nothing')
        self.fails(domain, Weft.Error.NO_SUCH_FIELD, 'select "no such name" from lanes')
        self.fails(domain, Weft.Error.INVALID_QUERY, 'select p95 (name) from lanes')
        self.assertIn('?1', self.fails(domain, Weft.Error.INVALID_QUERY, 'select ?'))
        self.assertEqual(self.sql.query('select 1; -- that is all', None, None).get_n_rows(), 1)

    def test_parameters(self):
        named = GLib.Variant('a{sv}', {'kind': GLib.Variant('s', 'frameloop.loop'), 'n': GLib.Variant('i', 0)})
        text = 'select name, count(*) from lanes where kind = :kind and id > @n group by name'
        self.assertGreater(self.sql.query(text, named, None).get_n_rows(), 0)
        self.assertEqual(self.sql.query('select ?2, ?1', GLib.Variant('av', [GLib.Variant('s', 'a'), GLib.Variant('d', 1.5)]),
                                        None).get_double(0, 0), 1.5)

    def test_limits(self):
        endless = 'with recursive c(x) as (select 1 union all select x + 1 from c) select {} from c'
        self.sql.set_time_limit(50)
        self.fails(Gio.io_error_quark(), Gio.IOErrorEnum.TIMED_OUT, endless.format('count(*)'))
        self.sql.set_time_limit(0)
        self.sql.set_memory_limit(1 << 20)
        self.fails(Weft.error_quark(), Weft.Error.TOO_LARGE, endless.format('x'))
        self.fails(Weft.error_quark(), Weft.Error.TOO_LARGE, endless.format("printf('%1000d', x)"))
        self.fails(Weft.error_quark(), Weft.Error.INVALID_QUERY, 'select length(zeroblob(1 << 30))')
        self.fails(Weft.error_quark(), Weft.Error.INVALID_QUERY, 'select ' + '(' * 2000 + '1' + ')' * 2000)
        self.assertEqual(self.sql.query('select 1', None, None).get_n_rows(), 1)

    def test_cancel(self):
        cancelled = Gio.Cancellable()
        cancelled.cancel()
        self.fails(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED, 'select count(*) from dispatches', None, cancelled)
        running, loop, failed = Gio.Cancellable(), GLib.MainLoop(), []

        def ended(sql, result):
            try:
                sql.query_finish(result)
            except GLib.Error as error:
                failed.append(error)
            loop.quit()
        self.sql.query_async('with recursive c(x) as (select 1 union all select x + 1 from c) select count(*) from c',
                             None, running, ended)
        GLib.idle_add(running.cancel)
        loop.run()
        self.assertTrue(failed[0].matches(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED))
        self.assertEqual(self.sql.query('select count(*) > 0 from dispatches', None, None).get_int64(0, 0), 1)

    def test_override(self):
        recording = Weft.open(CORPUS)
        self.assertGreater(len(recording.sql('select * from lanes where kind = :kind', kind='frameloop.loop')), 0)
        rows = recording.sql('select lane_name as name, count(*) as n from dispatches where duration >= ? group by 1', 0)
        self.assertEqual(sum(row['n'] for row in rows), len(recording.query('dispatches')))

    def test_lists(self):
        tables = Weft.Sql.list_tables()
        names = [tables.get_string(0, r) for r in range(tables.get_n_rows())]
        self.assertEqual(len(names), len(set(names)))
        for name in names + ['weft_tables', 'weft_columns']:
            self.sql.query(f'select * from "{name}" limit 1', None, None)
        self.assertTrue(Weft.Sql.is_complete('select 1;'))
        self.assertFalse(Weft.Sql.is_complete("select ';"))

    def test_summaries(self):
        """Each is what SQLite itself finds."""
        self.sql.set_rewriting(False)
        for summary, text in {
            'lane_summary': 'select lane, lane_name, count(*), sum(duration), min(duration), max(duration) from dispatches '
                            'group by lane order by lane',
            'routine_summary': 'select routine, routine_name, count(*), sum(duration), p50(duration), p95(duration) '
                               'from dispatches group by routine order by routine',
            'wait_summary': 'select thread, thread_name, reason, count(*), sum(duration), p95(duration) from waits '
                            'group by thread, reason order by 1, 3'}.items():
            columns = {'lane_summary': 'lane, name, count, total, shortest, longest',
                       'routine_summary': 'routine, name, count, total, p50, p95',
                       'wait_summary': 'thread, name, reason, count, total, p95'}[summary]
            for path in (CORPUS, CPU):
                sql = Weft.Sql.new(opened(path))
                sql.set_rewriting(False)
                order = '1, 3' if summary == 'wait_summary' else '1'
                first, second = (sql.query(t, None, None) for t in
                                 (f'select {columns} from {summary} order by {order}', text))
                self.assertEqual(first.get_n_rows(), second.get_n_rows())
                for c in range(first.get_n_columns()):
                    for r in range(first.get_n_rows()):
                        self.assertEqual(first.get_text(c, r), second.get_text(c, r), f'{summary} {c} {r}')

    def test_damaged(self):
        """A file cut or changed anywhere: answers or errors, and nothing else."""
        with open(CORPUS, 'rb') as file:
            whole = file.read()
        questions = ['select count(*), sum(duration), max(id) from dispatches group by routine_name',
                     'select * from named_dispatches order by duration desc limit 3',
                     'select d.id, p.name from dispatches d left join phases p on p.dispatch = d.id',
                     'select * from tags', 'select * from sources', 'select id from dispatches order by id desc']
        failures = 0
        for step in range(40):
            with tempfile.NamedTemporaryFile(suffix='.weft') as file:
                changed = bytearray(whole)
                for place in range(step * 131 + 64, len(changed), 4001):
                    changed[place] ^= 1 << (step % 8)
                file.write(bytes(changed) if step % 2 else whole[:len(whole) * step // 40])
                file.flush()
                try:
                    sql = Weft.Sql.new(opened(file.name))
                except GLib.Error:
                    failures += 1
                    continue
                for text in questions:
                    try:
                        sql.query(text, None, None)
                    except GLib.Error:
                        failures += 1
        self.assertGreater(failures, 0)


if __name__ == '__main__':
    sys.exit(tap_report.main())
