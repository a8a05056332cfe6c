# SPDX-License-Identifier: LGPL-2.1-or-later
"""Asks Weft and SQLite the same random questions and compares the answers, row by row.

The rows come into SQLite by a reader that shares no code with Weft; the SQL is made beside the
query, not from it. WEFT_TEST_SEED repeats a run, WEFT_TEST_QUERIES says how many.

    random-queries.py RECORDING COUNT   asks that recording; without arguments records the corpus
"""

import array
import math
import os
import random
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
import tomllib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'store'))
import weft_reader  # noqa: E402

try:
    import gi
    gi.require_version('Weft', '1')
    from gi.repository import Gio, GLib, Weft
except (ImportError, ValueError) as missing:
    print(f'1..0 # SKIP {missing}')
    sys.exit(0)

LARGEST = (1 << 63) - 1


# ---- SQLite's side ----

class Nearest:
    """The exact percentile of nearest rank."""

    def __init__(self):
        self.values, self.percent = [], 0

    def step(self, value, percent):
        self.percent = percent
        if value is not None:
            self.values.append(value)

    def finalize(self):
        if not self.values:
            return None
        self.values.sort()
        return self.values[max(math.ceil(self.percent * len(self.values) / 100), 1) - 1]


class Deviation:
    def __init__(self):
        self.values = []

    def step(self, value):
        if value is not None:
            self.values.append(value)

    def finalize(self):
        if len(self.values) < 2:
            return None
        # Addresses lie close together, far from nought: a mean of them is not exact enough.
        values = [value - self.values[0] for value in self.values]
        mean = math.fsum(values) / len(values)
        return math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (len(values) - 1))


class Total:
    """A sum that is exact however large it becomes."""

    def __init__(self):
        self.values = []

    def step(self, value):
        if value is not None:
            self.values.append(value)

    def finalize(self):
        if not self.values:
            return None
        if any(isinstance(v, float) for v in self.values):
            return math.fsum(self.values)
        total = sum(self.values)
        return total if -LARGEST <= total <= LARGEST else float(total)


class Covered:
    def __init__(self):
        self.spans = []

    def step(self, start, end):
        if end > start:
            self.spans.append((start, end))

    def finalize(self):
        covered, last = 0, -LARGEST
        for start, end in sorted(self.spans):
            covered += max(end - max(start, last), 0)
            last = max(last, end)
        return covered


class Model:
    """What tables, fields and references there are: as their description says."""

    def __init__(self, recording):
        with open(os.path.join(HERE, '..', '..', 'core', 'model', 'model.toml'), 'rb') as file:
            self.tables = tomllib.load(file)
        self.rows = {name: recording.rows(name) for name in self.tables}
        self.fields = {}
        for name, entry in self.tables.items():
            rows = self.rows[name]
            self.fields[name] = {
                field['name']: field for field in entry['fields']
                if 'computed' in field or
                not any(isinstance(row[field['name']], int) and row[field['name']] > LARGEST
                        for row in rows)
            }

    def is_kept(self, table, field):
        return field in self.fields[table] and 'computed' not in self.fields[table][field]

    def load(self, database):
        for name, rows in self.rows.items():
            columns = [f for f in self.fields[name] if self.is_kept(name, f)]
            names = ', '.join(f'"{c}"' for c in columns)
            database.execute(f'create table "{name}" (row integer primary key, {names})')
            for place, row in enumerate(sorted(rows, key=lambda r: r['id'])
                                        if name == 'dispatches' else rows):
                values = [self.plain(self.fields[name][c], row[c]) for c in columns]
                marks = ', '.join('?' * (len(columns) + 1))
                database.execute(f'insert into "{name}" values ({marks})', [place + 1] + values)
            for column in columns:
                if column in ('id', 'dispatch', 'sample', 'owner'):
                    database.execute(f'create index "{name}_{column}" on "{name}" ("{column}")')

    @staticmethod
    def plain(field, value):
        if not field.get('nullable') and field['type'] in ('ID', 'STRING', 'BLOB') and not value:
            return None
        return value

    def computed(self, table, field, alias):
        """SQL of a computed field, or None if a part of it is not kept."""
        words = field['computed'].split(' ')
        if words[0] == 'number':
            return None
        a, sign, b = words
        if not self.is_kept(table, a) or (sign != '&' and not self.is_kept(table, b)):
            return None
        if sign == '&':
            return f'(({alias}."{a}" & {b}) <> 0)'
        if sign == '+':
            return f'({alias}."{a}" + {alias}."{b}")'
        difference = f'{alias}."{a}" - {alias}."{b}"'
        return f'(case when {alias}."{a}" is null or {alias}."{b}" is null then null else max({difference}, 0) end)'


class Expression:
    """The same value in both languages."""

    def __init__(self, weft, sql, kind, joins=()):
        self.weft, self.sql, self.kind, self.joins = weft, sql, kind, joins

    def is_number(self):
        return self.kind in ('U64', 'I64', 'F64', 'TIME', 'DURATION', 'BOOL')


class Questions:
    def __init__(self, model, chance):
        self.model, self.random = model, chance
        self.tables = [t for t, rows in model.rows.items() if rows]
        self.known = {}
        self.tag_types = {}
        for row in model.rows['tags']:
            self.tag_types.setdefault(row['key'], set()).add(row['type'])
        self.dispatches = {t: f['dispatch'] for t, f in model.fields.items() if 'dispatch' in f}

    def field(self, table, alias='t', steps=3, path='', joins=()):
        """A field of the table, or through references of another."""
        fields = self.model.fields[table]
        while True:
            field = self.random.choice(list(fields.values()))
            if field['type'] == 'BLOB':
                continue
            name = field['name']
            if 'computed' in field:
                sql = self.model.computed(table, field, alias)
                if sql is None:
                    continue
                return Expression(path + name, sql, field['type'], joins)
            target = field.get('reference')
            if target and steps and self.random.random() < 0.7:
                further = f'{alias}_{name}'
                join = f'left join "{target}" {further} on {further}.id = {alias}."{name}"'
                return self.field(target, further, steps - 1, f'{path}{name}.', joins + (join,))
            return Expression(path + name, f'{alias}."{name}"', field['type'], joins)

    def name_of_dispatch(self):
        return Expression('name', 'coalesce(t.label, t_routine.name)', 'STRING',
                          ('left join "routines" t_routine on t_routine.id = t."routine"',))

    def tag(self, table):
        number = list(self.model.tables).index(table)
        keys = self.tag_types
        chosen = [k for k, types in keys.items() if k and (types == {4} or types == {3})]
        if not chosen or 'id' not in self.model.fields[table] or table in self.dispatches:
            return None
        key = self.random.choice(sorted(chosen))
        value = 'text' if keys[key] == {4} else 'bits'
        if not self.model.is_kept('tags', value) and value == 'bits':
            return None
        quoted = key.replace("'", "''")
        return Expression(f'tag:{key}',
                          f'(select g.{value} from tags g where g.owner = t.id and '
                          f"g.owner_table = {number} and g.key = '{quoted}' order by g.row limit 1)",
                          'STRING' if value == 'text' else 'BOOL')

    def counter(self, table):
        combine = {0: 'sum', 1: 'avg', 2: 'min', 3: 'max'}
        names = {}
        for row in self.model.rows['counters']:
            names.setdefault(row['name'], set()).add((row['aggregation'], row['value_type']))
        chosen = sorted(n for n, kinds in names.items() if len(kinds) == 1 and
                        next(iter(kinds))[0] in combine and next(iter(kinds))[1] in (0, 1))
        if not chosen or not self.model.is_kept('counter_values', 'bits'):
            return None
        name = self.random.choice(chosen)
        aggregation, _ = next(iter(names[name]))
        owner = 'dispatch' if table == 'dispatches' else 'submission'
        quoted = name.replace("'", "''")
        return Expression(f'counter:{name}',
                          f'(select {combine[aggregation]}(v.bits) from counter_samples s '
                          'join counter_values v on v.sample = s.id join counters c on c.id = v.counter '
                          f"where s.{owner} = t.id and c.name = '{quoted}' and v.is_error = 0)",
                          'F64' if aggregation == 1 else 'U64')

    def expression(self, table):
        dice = self.random.random()
        special = None
        if table == 'dispatches' and dice < 0.1:
            special = self.name_of_dispatch()
        elif dice < 0.15:
            special = self.tag(table)
        elif table in ('dispatches', 'submissions') and dice < 0.2:
            special = self.counter(table)
        return special or self.field(table)

    # Filters: the text of one, and the SQL of the same.

    def word(self, table, column):
        if (table, column) not in self.known:
            self.known[table, column] = sorted({
                row[column] for row in self.model.rows[table] if row[column] and
                row[column].isascii() and row[column].isprintable() and
                not set(row[column]) & set('"\\*?')})
        words = self.known[table, column]
        return self.random.choice(words) if words else 'none'

    def number(self, table, column):
        rows = self.model.rows[table]
        return rows and self.random.choice(rows)[column] or 0

    def match(self, word):
        """A word, part of it, or a pattern; and what it is in SQL."""
        low = word.lower().replace("'", "''")
        way = self.random.randrange(4)
        if way == 0 or len(word) < 3:
            return f'"{word}"', f"lower(%s) = '{low}'"
        part = word[1:-1]
        if way == 1:
            return f'~"{part}"', "instr(lower(%s), '{}') > 0".format(part.lower().replace("'", "''"))
        head = word[:2]
        if not head.isalnum():
            return f'"{word}"', f"lower(%s) = '{low}'"
        return f'{head}*', "instr(lower(%s), '{}') = 1".format(head.lower().replace("'", "''"))

    def term(self):
        """A condition on dispatches, whose alias in SQL is d."""
        choice = self.random.randrange(16)
        if choice == 0:
            text, sql = self.match(self.word('lanes', 'name'))
            return f'lane:{text}', '(select {} from lanes x where x.id = d.lane)'.format(sql % 'x.name')
        if choice == 1:
            text, sql = self.match(self.word('routines', 'name'))
            return (f'routine:{text}', '(select {} or {} from routines x where x.id = d.routine)'
                    .format(sql % "coalesce(x.name, '')", sql % "coalesce(x.label, '')"))
        if choice == 2:
            n = self.number('dispatches', 'duration')
            sign = self.random.choice(['>', '<', '>=', '<='])
            return f'dur{sign}{n}ns', f'd.duration {sign} {n}'
        if choice == 3:
            lane = self.number('dispatches', 'lane')
            return f'lane:l-{lane}', f'd.lane = {lane}'
        if choice == 4:
            words = self.random.sample(['ok', 'error', 'canceled'], self.random.randint(1, 2))
            numbers = ', '.join(str(['ok', 'error', 'canceled'].index(w)) for w in words)
            return 'status:' + ','.join(words), f'd.status in ({numbers})'
        if choice == 5:
            text, sql = self.match(self.word('attachments', 'label'))
            size = self.random.choice([None, self.number('attachments', 'size')])
            condition = '({} or {})'.format(sql % "coalesce(x.label, '')", sql % "coalesce(x.kind, '')")
            if size is not None:
                text, condition = f'{text}>{size}', f'{condition} and x.size > {size}'
            return f'attachment:{text}', f'd.id in (select x.dispatch from attachments x where {condition})'
        if choice == 6:
            key = self.word('tags', 'key')
            return (f'tag:"{key}"', f"d.id in (select x.owner from tags x where x.owner_table = 20 "
                    f"and lower(x.key) = '{key.lower()}')")
        if choice == 7:
            text, sql = self.match(self.word('lanes', 'kind'))
            return f'kind:{text}', '(select {} from lanes x where x.id = d.lane)'.format(sql % 'x.kind')
        if choice == 8:
            begin = self.number('dispatches', 'start')
            end = begin + self.random.choice([1000, 1000000, 50000000])
            return (f'time:{begin}ns..{end}ns', f'(d.start <= {end} and '
                    f'max(d.start, d.start + d.duration - (d.duration > 0)) >= {begin})')
        if choice == 9:
            return 'trace:*', 'd.trace in (select id from traces where name is not null)'
        if choice == 10:
            depth = self.random.randrange(4)
            return f'depth>{depth}', f'd.depth > {depth}'
        if choice == 11:
            text, sql = self.match(self.word('threads', 'name'))
            return (f'origin:{text}', 'd.id in (select o.dispatch from origins o join threads x '
                    'on x.id = o.thread where {})'.format(sql % 'x.name'))
        if choice == 12:
            role = self.random.randrange(5)
            word = ['dispatch', 'wait-begin', 'wait-end', 'completion', 'fault'][role]
            return f'role:{word}', f'd.id in (select x.dispatch from origins x where x.role = {role})'
        if choice == 13:
            text, sql = self.match(self.word('warnings', 'code'))
            return (f'warning:{text}', 'd.id in (select x.dispatch from warnings x where {} or {})'
                    .format(sql % "coalesce(x.code, '')", sql % "coalesce(x.message, '')"))
        if choice == 14:
            n = self.number('dispatches', 'queue_wait')
            return f'queue_wait>={n}ns', f'd.queue_wait >= {n}'
        names = self.word('counters', 'name')
        return (f'counter:"{names}"', 'd.id in (select s.dispatch from counter_samples s join '
                'counter_values v on v.sample = s.id join counters c on c.id = v.counter '
                f"where lower(c.name) = '{names.lower()}')")

    def tree(self, depth=2):
        if depth == 0 or self.random.random() < 0.45:
            text, sql = self.term()
            if self.random.random() < 0.2:
                return f'-{text}', f'not coalesce({sql}, 0)'
            return text, f'coalesce({sql}, 0)'
        (a, sql_a), (b, sql_b) = self.tree(depth - 1), self.tree(depth - 1)
        if self.random.random() < 0.5:
            return f'({a}) ({b})', f'(({sql_a}) and ({sql_b}))'
        return f'(({a}) or ({b}))', f'(({sql_a}) or ({sql_b}))'

    def filter(self, table):
        """Filters are made for dispatches; for what belongs to them the same holds of theirs."""
        if table == 'dispatches':
            text, sql = self.tree()
            return text, re.sub(r'\bd\.', 't.', sql)
        if table in ('lanes', 'routines', 'threads'):
            column = {'lanes': 'lane', 'routines': 'routine', 'threads': 'thread'}[table]
            text, sql = f'dur>{self.number("dispatches", "duration")}ns', ''
            sql = f't.id in (select d.{column} from dispatches d where d.duration > {text[4:-2]})'
            return text, sql
        if table in ('attachments', 'phases', 'counter_samples'):
            n = self.number('dispatches', 'lane')
            return f'lane:l-{n}', f'(select d.lane = {n} from dispatches d where d.id = t.dispatch)'
        return None

    def range(self, table):
        fields = self.model.fields[table]
        if 'start' in fields and 'duration' in fields:
            start, end = 't.start', 't.start + t.duration'
        elif 'time' in fields:
            start, end = 't.time', 't.time'
        else:
            return None
        begin = self.number('dispatches', 'start')
        finish = begin + self.random.choice([1, 100000, 100000000])
        return (begin, finish), (f'({start} < {finish} and coalesce(max({start}, {end} - '
                                 f'({end} > {start})), {start}) >= {begin})')

    # Questions

    def aggregate(self, table, span):
        kind = self.random.choice(['count', 'count(x)', 'count_distinct', 'sum', 'min', 'max', 'mean',
                                   'stddev', 'p', 'busy'])
        if kind == 'count':
            return Expression('count()', 'count(*)', 'U64')
        if kind == 'busy':
            if table != 'dispatches':
                return self.aggregate(table, span)
            low, high = span or (-LARGEST, LARGEST)
            return Expression('busy', f'coalesce(covered(max(t.start, {low}), min(t.start + t.duration, {high})), 0)',
                              'U64')
        for _ in range(50):
            x = self.expression(table)
            if x.is_number() or kind.startswith('count'):
                break
        else:
            return Expression('count()', 'count(*)', 'U64')
        if kind == 'sum' and span and x.weft == 'duration':
            x.sql = f'max(min(t.start + t.duration, {span[1]}) - max(t.start, {span[0]}), 0)'
        percent = self.random.choice(['50', '95', '99.9', '1', '100'])
        weft, sql = {
            'count(x)': ('count', 'count({})'), 'count_distinct': ('count_distinct', 'count(distinct {})'),
            'sum': ('sum', 'total_of({})'), 'min': ('min', 'min({})'), 'max': ('max', 'max({})'),
            'mean': ('mean', 'avg({})'), 'stddev': ('stddev', 'deviation({})'),
            'p': (f'p{percent}', f'nearest({{}}, {percent})'),
        }[kind]
        return Expression(f'{weft}({x.weft})', sql.format(x.sql), 'U64', x.joins)

    def question(self):
        chance = self.random
        table = chance.choice(self.tables + ['dispatches'] * len(self.tables))
        ask = {'table': table, 'select': [], 'group': [], 'order': [], 'limit': 0, 'filter': None,
               'range': None}
        where, joins = [], []
        if chance.random() < 0.5 and (made := self.filter(table)):
            ask['filter'], sql = made
            where.append(sql)
        if chance.random() < 0.3 and (made := self.range(table)):
            ask['range'], sql = made
            where.append(sql)
        grouped = chance.random() < 0.6
        if grouped:
            keys = [self.expression(table) for _ in range(chance.choice([0, 1, 1, 1, 2, 3]))]
            chosen = [self.aggregate(table, ask['range']) for _ in range(chance.randint(1, 4))]
            ask['group'] = [k.weft for k in keys]
        else:
            keys, chosen = [], [self.expression(table) for _ in range(chance.randint(1, 5))]
        ask['select'] = [c.weft for c in chosen]
        columns = keys + chosen
        order = []
        # Where two means are the same but for the last bit, either may come first.
        exact = [x for x in columns if not x.weft.startswith(('mean(', 'stddev('))]
        for x in chance.sample(exact, chance.randint(0, min(2, len(exact)))):
            down = chance.random() < 0.5
            ask['order'].append((x.weft, down))
            order.append((x, down))
        ask['limit'] = chance.choice([0, 1, 7, 40]) if grouped else chance.choice([1, 7, 40, 40])
        for x in columns:
            joins += [j for j in x.joins if j not in joins]
        sql = 'select ' + ', '.join(f'{x.sql}' for x in columns) + f' from "{table}" t ' + ' '.join(joins)
        if where:
            sql += ' where ' + ' and '.join(f'({w})' for w in where)
        if keys:
            sql += ' group by ' + ', '.join(str(i + 1) for i in range(len(keys)))
        by = [f'({x.sql}) is null, ({x.sql}) {"desc" if down else ""}' for x, down in order]
        by += [f'({k.sql}) is null, ({k.sql})' for k in keys] if grouped else ['t.row']
        if by:
            sql += ' order by ' + ', '.join(by)
        if ask['limit']:
            sql += f' limit {ask["limit"]}'
        return ask, sql, columns


# ---- Weft's side ----

CODES = {Weft.ValueType.UINT64: 'Q', Weft.ValueType.INT64: 'q', Weft.ValueType.DOUBLE: 'd',
         Weft.ValueType.TIME: 'q', Weft.ValueType.DURATION: 'Q', Weft.ValueType.STRING: 'I',
         Weft.ValueType.ENUM: 'I', Weft.ValueType.ID: 'Q', Weft.ValueType.BOOLEAN: 'B'}


def column_values(table, column):
    kind = table.get_column_type(column)
    values = array.array(CODES[kind], table.get_column_data(column).get_data() or b'').tolist()
    if kind == Weft.ValueType.STRING:
        words = table.get_column_dictionary(column)
        values = [words[v] if words else None for v in values]
    if kind == Weft.ValueType.ID:
        return [v or None for v in values]
    validity = table.get_column_validity(column)
    if validity is not None:
        bits = validity.get_data()
        values = [v if bits[i // 8] >> (i % 8) & 1 else None for i, v in enumerate(values)]
    return values


def make(ask, limit):
    query = Weft.Query.new(ask['table'])
    for text in ask['group']:
        query.group_by(text, None)
    for text in ask['select']:
        query.select(text, None)
    for text, down in ask['order']:
        query.order_by(text, down)
    if ask['filter'] is not None:
        query.set_filter_text(ask['filter'])
    if ask['range'] is not None:
        query.set_range(*ask['range'])
    query.set_limit(limit)
    return query


def rows_of(table):
    return list(zip(*(column_values(table, c) for c in range(table.get_n_columns()))))


def answer(ask, recording):
    """Now and then in pages, which must make the same whole."""
    if not ask['limit'] or ask['limit'] % 2 == 0:
        return rows_of(make(ask, ask['limit']).run(recording, None))
    rows, cursor = [], None
    while len(rows) < ask['limit']:
        query = make(ask, min(3, ask['limit'] - len(rows)))
        query.set_cursor(cursor)
        table = query.run(recording, None)
        rows += rows_of(table)
        cursor = table.get_cursor()
        if cursor is None:
            break
    return rows


def is_same(a, b):
    if a is None or b is None:
        return a is b
    if isinstance(a, float) or isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-6)
    return a == b


def compare(ask, sql, recording, database, compared):
    try:
        found = answer(ask, recording)
    except GLib.Error as error:
        return f'failed: {error.message}'
    expected = database.execute(sql).fetchall()
    compared[bool(expected)] += 1
    if len(found) != len(expected):
        return f'{len(found)} rows instead of {len(expected)}'
    for i, (a, b) in enumerate(zip(found, expected)):
        if not all(is_same(x, y) for x, y in zip(a, b)):
            return f'row {i}: {a} instead of {tuple(b)}'
    return None


def run(path, count, seed, number):
    began = time.monotonic()
    database = sqlite3.connect(':memory:')
    for name, arguments, kind in (('nearest', 2, Nearest), ('deviation', 1, Deviation),
                                  ('total_of', 1, Total), ('covered', 2, Covered)):
        database.create_aggregate(name, arguments, kind)
    model = Model(weft_reader.Recording(path))
    model.load(database)
    recording = Weft.Recording.open(Gio.File.new_for_path(path), None)
    questions = Questions(model, random.Random(seed))
    rows = sum(len(r) for r in model.rows.values())
    wrong, compared = 0, [0, 0]
    for i in range(count):
        ask, sql, _ = questions.question()
        difference = compare(ask, sql, recording, database, compared)
        if difference is None:
            continue
        wrong += 1
        if wrong <= 10:
            print(f'# question {i} of seed {seed}: {ask}\n# {sql}\n# {difference}')
    good = wrong == 0 and compared[True] > count / 2
    print(f"{'ok' if good else 'not ok'} {number} - {count} random questions about {rows} rows, "
          f'seed {seed}: {wrong} wrong')
    print(f'# {time.monotonic() - began:.1f} s; {compared[True]} answers with rows', flush=True)
    return good


def main():
    seed = int(os.environ.get('WEFT_TEST_SEED') or random.randrange(1 << 30))
    count = int(os.environ.get('WEFT_TEST_QUERIES') or 5000)
    if len(sys.argv) > 1:
        print('1..1')
        return 0 if run(sys.argv[1], int(sys.argv[2]), seed, 1) else 1
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'corpus.weft')
        subprocess.run([os.environ['WEFT_RECORD_CORPUS'], path, '--no-drops'], check=True)
        print('1..3')
        good = run(path, count, seed, 1)
        # Several chunks; then the last of them in journals, as of a recorder that was killed.
        for number, options in enumerate(([], ['--unfinished'])):
            path = os.path.join(folder, f'made-{number}.weft')
            subprocess.run([os.environ['WEFT_MAKE_STORE'], path, '70000'] + options, check=True)
            good = run(path, max(count // 100, 1), seed + 1 + number, 2 + number) and good
        return 0 if good else 1


sys.exit(main())
