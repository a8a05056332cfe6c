#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Questions in SQL have one answer: rewritten for the engine, by SQLite over virtual tables, and by
SQLite over tables of its own, which a reader filled that shares no code with Weft.

    test-sql.py RECORDING [RECORDING…]

WEFT_TEST_SEED repeats a run of the random questions, WEFT_TEST_QUESTIONS says how many.
"""

import math
import os
import random
import sqlite3
import sys
import time
import unittest

import gi

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import tap_report  # noqa: E402

gi.require_version('Weft', '1')
from gi.repository import Gio, GLib, Weft  # noqa: E402

from native_tables import NativeTables, affinity, enumeration_words  # noqa: E402

PATHS = [os.path.abspath(p) for p in sys.argv[1:]]
SEED = int(os.environ.get('WEFT_TEST_SEED', time.time_ns() % 1000000))
COUNT = int(os.environ.get('WEFT_TEST_QUESTIONS', 400))
PERCENTILES = {'p50': 50, 'p75': 75, 'p90': 90, 'p95': 95, 'p99': 99, 'p99_9': 99.9}


def nearest(percent):
    class Nearest:
        def __init__(self):
            self.values = []

        def step(self, value):
            if value is not None:
                self.values.append(value)

        def finalize(self):
            if not self.values:
                return None
            self.values.sort()
            rank = math.ceil(round(percent * 1000000) * len(self.values) / 100000000)
            return self.values[max(rank, 1) - 1]
    return Nearest


def value_of(table, column, row):
    """As SQLite gives it to Python."""
    if table.is_null(column, row):
        return None
    kind = table.get_column_type(column)
    if kind == Weft.ValueType.STRING:
        return table.get_string(column, row)
    if kind == Weft.ValueType.DOUBLE:
        return table.get_double(column, row)
    if kind == Weft.ValueType.BOOLEAN:
        return int(table.get_boolean(column, row))
    if kind in (Weft.ValueType.INT64, Weft.ValueType.TIME):
        return table.get_int64(column, row)
    return table.get_uint64(column, row)


def rows_of(table):
    return [tuple(value_of(table, c, r) for c in range(table.get_n_columns()))
            for r in range(table.get_n_rows())]


def order_of(row):
    return [(value is not None, isinstance(value, str), value if value is not None else 0) for value in row]


class Sides:
    """A recording that is asked three times."""

    def __init__(self, path):
        self.recording = Weft.Recording.open(Gio.File.new_for_path(path), None)
        self.rewritten = Weft.Sql.new(self.recording)
        self.plain = Weft.Sql.new(self.recording)
        self.plain.set_rewriting(False)
        self.tables = NativeTables(path, enumeration_words(Weft))
        self.native = sqlite3.connect(':memory:')
        for name, percent in PERCENTILES.items():
            self.native.create_aggregate(name, 1, nearest(percent))
        self.tables.load(self.native)

    def ask(self, sql, text, *parameters):
        given = GLib.Variant('av', [variant(p) for p in parameters]) if parameters else None
        return sql.query(text, given, None)


def variant(value):
    if isinstance(value, str):
        return GLib.Variant('s', value)
    return GLib.Variant('d', value) if isinstance(value, float) else GLib.Variant('x', value)


class Answers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sides = [Sides(path) for path in PATHS]

    def same(self, side, text, *parameters, rewritten=None):
        """One answer; in one order where it has one. REWRITTEN: whether the engine has a part in it."""
        ordered = 'order by' in text
        first = side.ask(side.rewritten, text, *parameters)
        answers = [rows_of(first), rows_of(side.ask(side.plain, text, *parameters)),
                   [tuple(row) for row in side.native.execute(text, parameters)]]
        if not ordered:
            answers = [sorted(a, key=order_of) for a in answers]
        self.assertEqual(answers[1], answers[2], text)
        self.assertEqual(answers[0], answers[1], text)
        for mine, other in zip(answers[0], answers[1]):
            self.assertEqual([type(v) for v in mine], [type(v) for v in other], text)
        if rewritten is not None:
            told = side.rewritten.explain(text, GLib.Variant('av', [variant(p) for p in parameters])
                                          if parameters else None)
            self.assertEqual('engine:' in told, rewritten, f'{text}\n{told}')
        return first

    def each(self, text, *parameters, rewritten=None):
        for side in self.sides:
            with self.subTest(text=text):
                self.same(side, text, *parameters, rewritten=rewritten)

    def test_every_table(self):
        """Every column of every table."""
        for side in self.sides:
            for table, fields in side.tables.columns.items():
                names = ', '.join(f'"{f["name"]}"' for f in fields)
                self.same(side, f'select {names} from "{table}"')
                self.same(side, f'select {", ".join(side.tables.names(table)) or 1} from "{table}"')

    def test_rewritten(self):
        """Shapes that the engine has to know."""
        for text in [
                'select count(*) from dispatches',
                'select count(*), count(trace), count(distinct lane) from dispatches',
                'select sum(duration), min(duration), max(duration), avg(duration), total(duration) from dispatches',
                'select p50(duration), p95(duration), p99_9(duration) from dispatches',
                'select lane, count(*) from dispatches group by lane',
                'select lane, count(*) n from dispatches group by 1 order by n desc, 1',
                'select routine_name as r, sum(duration) from dispatches group by r order by 2 desc, r limit 3 offset 1',
                'select status, count(*) from dispatches group by status order by status',
                'select lane_name, routine_name, count(*) from dispatches group by lane_name, routine_name',
                'select lane, sum(duration) * 1.0 / count(*) from dispatches group by lane having count(*) > 2',
                'select lane, round(avg(duration) / 1e6, 3) from dispatches group by lane',
                'select lane, case when count(*) > 5 then \'many\' else \'few\' end from dispatches group by lane',
                'select coalesce(sum(queue_wait), -1) from dispatches',
                'select sum(queue_wait), avg(queue_wait), count(queue_wait), total(queue_wait) from dispatches '
                'where duration < 0',
                'select lane, sum(queue_delay) from dispatches where queue_delay is not null group by lane',
                'select distinct status from dispatches',
                'select distinct lane, status from dispatches order by 1, 2 desc',
                'select d.lane, count(*) from dispatches as d where d.failed group by d.lane',
                'select "lane", count(*) from "dispatches" group by [lane]',
                'select max(duration) - min(duration) from dispatches where not failed',
                'select trace, count(*) from dispatches group by trace order by trace',
                'select thread_name, reason, count(*), sum(duration) from waits group by thread_name, reason',
                'select kind, count(*) from lanes group by kind',
                'select lane from dispatches group by lane',
                'select sum(duration) duration, lane from dispatches group by lane order by duration desc, lane',
                'select count(*) from dispatches limit 0',
                'select l, n from (select lane as l, count(*) as n from dispatches group by lane) where n > 1',
                'select name, n from lanes join (select lane, count(*) as n from dispatches group by lane) on lane = id',
                'with w as (select lane, sum(duration) as total from dispatches group by lane) '
                'select count(*) from w where total > 0',
                'select (select count(*) from dispatches) + (select count(*) from lanes)',
                'select min(start), max(start), min(end), max(end) from dispatches',
        ]:
            self.each(text, rewritten=True)

    def test_conditions(self):
        """What is true of which rows, nulls and all."""
        for condition in [
                'duration > 1000000', 'duration >= 1000000.5', '1e6 < duration', 'duration = 3000000.0',
                'duration <> 3000000', 'duration between 1000000 and 2 * 1000000', 'duration not between 0 and 10',
                'lane in (1, 2, 3)', 'lane not in (4, 6)', 'lane in (4, null)', 'lane not in (4, null)',
                'trace is null', 'trace is not null', 'trace notnull', 'not trace isnull', 'trace = 1', 'trace <> 1',
                'not trace = 1', 'not (trace = 1 or lane = 4)', 'not (trace = 1 and lane = 4)',
                "status = 'ok'", "status <> 'ok'", "status in ('ok', 'error')", "status like 'E%'", "status > 'error'",
                "routine_name like '%clock%'", "routine_name not like '%clock%'", "routine_name glob '*clock*'",
                "routine_name >= 'm'", "label is null", "label = ''", "routine_name = 'nothing'",
                'failed', 'not failed', 'failed = 1 and not depth', 'attempts', 'not attempts', 'attempts is null',
                'start < -1', 'start > 9.3e18', 'start >= -9223372036854775808', 'duration < 9223372036854775807',
                'duration > -5', 'queue_wait > 5 or queue_wait is null', '(lane = 4 or lane = 6) and duration > 0',
                'end > 1000000000', 'self_time < duration', 'self_time >= 1', 'duration = null', 'not duration = null',
                'duration > (1 + 2) * 1000', 'duration > -(-3)', "routine_name = 'x' or duration > 5",
                "lane_name between 'a' and 'm'", 'queue_delay > 0']:
            self.each(f'select count(*), sum(duration), min(id), max(id) from dispatches where {condition}')
            self.each(f'select lane, count(*) from dispatches where {condition} group by lane')
            self.each(f'select id from dispatches where {condition}')

    def test_left_to_sqlite(self):
        """What the engine does not know, or knows otherwise."""
        for text in [
                "select count(*) from dispatches where duration = '3000000'",
                "select count(*) from dispatches where routine_name = 5",
                'select sum(duration / 2) from dispatches', 'select group_concat(distinct status) from dispatches',
                'select lane, id, max(duration) from dispatches where lane = 4 group by lane',
                'select count(*) filter (where failed) from dispatches',
                'select lane, sum(duration) over (partition by lane) from dispatches order by id limit 5',
                'select lane from dispatches union select id from lanes',
                'select count(*) from dispatches union all select count(*) from lanes',
                'select lane, count(*) from dispatches group by lane having max(duration) > (select 5)',
                'select count(*) from dispatches d join lanes l on l.id = d.lane',
                'select start / 1000000, count(*) from dispatches group by start / 1000000',
                'with dispatches as (select 1 as lane) select lane, count(*) from dispatches group by lane',
                'select lower(status), count(*) from dispatches group by lower(status)',
                'select status, count(*) from dispatches group by status collate nocase',
                'select sum(distinct lane) from dispatches', 'select min(status), max(routine_name) from dispatches',
                'select count(*) from dispatches where lane = id', 'select avg(start) from dispatches where start < 0',
                'select count(*) from dispatches where exists (select 1 from lanes where id = lane)',
                "select count(*) from dispatches where routine_name like '%!_%' escape '!'",
                'select count(*) from dispatches where lane in (select id from lanes where id > 3)']:
            self.each(text)

    def test_first_rows(self):
        """ORDER BY and LIMIT."""
        for text in [
                'select id, duration from dispatches order by duration desc, id limit 5',
                'select id from dispatches order by duration, id limit 3 offset 2',
                'select id from dispatches where not failed order by start desc, id desc limit 2, 4',
                'select id, duration as d from dispatches order by d desc, id limit 7',
                'select id from dispatches order by id limit 3', 'select id from dispatches order by id desc limit 3',
                'select max(id), min(id) from dispatches', 'select id from lanes order by id desc',
                'select id from dispatches order by queue_wait desc, id limit 3',
                'select id from dispatches order by queue_wait, id limit 3',
                'select id, name from (select id, lane_name as name, duration from dispatches '
                'order by duration desc, id limit 4) order by name, id']:
            self.each(text)

    def test_joins(self):
        """By numbers, by references, and from the left."""
        for text in [
                'select d.id, l.name, r.name from dispatches d join lanes l on l.id = d.lane '
                'left join routines r on r.id = d.routine',
                'select d.id, count(p.name) from dispatches d left join phases p on p.dispatch = d.id group by d.id',
                'select d.id, a.label from dispatches d left join attachments a on a.dispatch = d.id',
                'select c.id, (select count(*) from callchains x where x.parent = c.id) from callchains c',
                'select count(*) from lanes a, lanes b where a.id < b.id',
                'select t.id, count(*) from threads t join dispatches d on d.thread = t.id group by 1',
                "select d.id from dispatches d where d.lane in (select id from lanes where kind like 'metal%')",
                'select o.id from origins o left join stacks s on s.id = o.stack and s.copied > 100 where s.id is null']:
            self.each(text)

    def test_parameters(self):
        self.each('select count(*) from dispatches where duration > ? and lane <> ?', 1000, 4, rewritten=True)
        self.each('select lane, count(*) from dispatches where duration > ?2 group by lane having count(*) > ?1', 1, 10,
                  rewritten=True)
        self.each('select ?, count(*) from dispatches where status = ?', 'x', 'ok')
        self.each('select id from dispatches where duration > ? order by duration desc, id limit ?', 1.5, 3)

    def test_random(self):
        print(f'# WEFT_TEST_SEED={SEED}')
        chance = random.Random(SEED)
        rewritten = 0
        for number in range(COUNT):
            side = self.sides[number % len(self.sides)]
            text = Question(chance, side).text
            self.same(side, text)
            rewritten += 'engine:' in side.rewritten.explain(text, None)
        self.assertGreater(rewritten, COUNT // 4)


class Question:
    """Aggregates of one table, by some columns, under conditions."""

    def __init__(self, chance, side):
        self.chance = chance
        tables = [t for t, rows in side.tables.rows.items() if rows]
        self.table = chance.choice(tables + ['dispatches'] * (len(tables) // 2))
        self.columns = {f['name']: affinity(f) for f in side.tables.columns[self.table]}
        self.columns.update({name: 'TEXT' for name in side.tables.names(self.table) if name not in self.columns})
        self.rows = side.tables.rows[self.table]
        self.fields = {f['name']: f for f in side.tables.columns[self.table]}
        self.side = side
        self.text = self.make()

    def column(self, *kinds):
        chosen = [n for n, kind in self.columns.items() if not kinds or kind in kinds]
        return chosen and self.chance.choice(chosen) or None

    def aggregate(self):
        whole = self.column('INTEGER')
        function = self.chance.choice(['count', 'distinct', 'sum', 'avg', 'min', 'max', 'total', 'p95', 'rows', 'p50'])
        if whole is None or function == 'rows':
            return 'count(*)'
        if function == 'count':
            return f'count("{self.column()}")'
        if function == 'distinct':
            return f'count(distinct "{self.column()}")'
        # Sums may run over, and means of large numbers depend on the order of rows.
        values = [v for v in (self.side.tables.value(r, self.fields[whole]) for r in self.rows) if v is not None]
        if function in ('sum', 'avg', 'total') and sum(abs(v) for v in values) >= 1 << 53:
            return f'max("{whole}")'
        return f'{function}("{whole}")'

    def literal(self, column):
        field = self.fields.get(column)
        value = self.side.tables.value(self.chance.choice(self.rows), field) if field else None
        if self.columns[column] == 'TEXT':
            text = value if isinstance(value, str) and value.isprintable() else 'main'
            return "'" + text.replace("'", "''") + "'"
        value = 0 if value is None else value
        return str(self.chance.choice([value, value + 1, f'{value}.5' if abs(value) < 1 << 40 and
                                       isinstance(value, int) else value]))

    def condition(self, depth=0):
        dice = self.chance.random()
        if depth < 3 and dice < 0.3:
            word = self.chance.choice([' and ', ' or '])
            return f'({self.condition(depth + 1)}{word}{self.condition(depth + 1)})'
        if depth < 3 and dice < 0.4:
            return f'not {self.condition(depth + 1)}'
        column = self.column('TEXT', 'INTEGER')
        literal = self.literal(column)
        if dice < 0.5:
            return f'"{column}" is {self.chance.choice(["", "not "])}null'
        if dice < 0.6:
            return f'"{column}" in ({literal}, {self.literal(column)})'
        if dice < 0.7:
            return f'"{column}" between {literal} and {self.literal(column)}'
        if dice < 0.8 and self.columns[column] == 'TEXT':
            return f'"{column}" like {literal[:-2]}%\'' if len(literal) > 3 else f'"{column}" glob \'*a*\''
        return f'"{column}" {self.chance.choice(["=", "<>", "<", ">", "<=", ">="])} {literal}'

    def make(self):
        keys = list(dict.fromkeys(self.column() for _ in range(self.chance.randrange(3))))
        items = [f'"{k}"' for k in keys] + [self.aggregate() for _ in range(self.chance.randint(1, 3))]
        text = f'select {", ".join(items)} from "{self.table}"'
        if self.chance.random() < 0.6:
            text += f' where {self.condition()}'
        if keys:
            text += ' group by ' + ', '.join(f'"{k}"' for k in keys)
            if self.chance.random() < 0.3:
                text += f' having count(*) > {self.chance.randrange(3)}'
            if self.chance.random() < 0.5:
                text += ' order by ' + ', '.join(f'"{k}"' for k in keys) + f' limit {self.chance.randrange(20)}'
        return text


if __name__ == '__main__':
    sys.exit(tap_report.main())
