# SPDX-License-Identifier: LGPL-2.1-or-later
"""The tables of a recording as tables of SQLite's own, by a reader that shares no code with Weft."""

import os
import sys
import tomllib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'store'))
import weft_reader  # noqa: E402

LARGEST = (1 << 63) - 1
WHOLE = ('U64', 'I64', 'TIME', 'DURATION', 'ID', 'BOOL')


def signed(value):
    """As SQL has it: 64 bits with a sign."""
    return value - (1 << 64) if value > LARGEST else value


def wrapped(value):
    return signed(value & ((1 << 64) - 1))


def affinity(field):
    if field['type'] == 'STRING' or (field['type'] == 'ENUM' and 'enum' in field):
        return 'TEXT'
    return 'REAL' if field['type'] == 'F64' else 'INTEGER'


class NativeTables:
    """words: of an enumeration and a number, its word. Contents and numbers of unknown type are left out."""

    def __init__(self, path, words):
        with open(os.path.join(HERE, '..', '..', 'core', 'model', 'model.toml'), 'rb') as file:
            self.tables = tomllib.load(file)
        recording = weft_reader.Recording(path)
        known = {name for name, _ in recording.names.values()}
        self.rows = {name: recording.rows(name) if name in known else [] for name in self.tables}
        self.words = words
        self.columns = {name: [f for f in entry['fields'] if f['type'] != 'BLOB' and
                               not f.get('computed', '').startswith('number')]
                        for name, entry in self.tables.items()}

    def stored(self, row, field):
        value = row[field['name']]
        if value is None or (field['type'] in ('ID', 'STRING') and not field.get('nullable') and not value):
            return None
        if field['type'] == 'ENUM' and 'enum' in field:
            return self.words(field['enum'], value)
        return value if field['type'] in ('STRING', 'F64') else signed(int(value))

    def value(self, row, field):
        if 'computed' not in field:
            return self.stored(row, field)
        first, sign, second = field['computed'].split(' ')
        if sign == '&':
            return int(row[first] & int(second) != 0)
        if row[first] is None or row[second] is None:
            return None
        if sign == '+':
            return wrapped(row[first] + row[second])
        return max(row[first] - row[second], 0)

    def names(self, table):
        """Columns that follow from references: the name of what is referred to."""
        found = {}
        for field in self.columns[table]:
            target = field.get('reference')
            if target and any(f['name'] == 'name' for f in self.tables[target]['fields']):
                found[field['name'] + '_name'] = (field['name'], target)
        return found

    def load(self, database):
        for table in self.tables:
            fields = self.columns[table]
            names = {k: v for k, v in self.names(table).items() if k not in [f['name'] for f in fields]}
            by_id = {target: {r['id']: r for r in self.rows[target]} for _, target in names.values()}
            declared = [f'"{f["name"]}" {affinity(f)}' for f in fields] + [f'"{n}" TEXT' for n in names]
            database.execute(f'create table "{table}" ({", ".join(declared)})')
            marks = ', '.join('?' * len(declared))
            for row in self.rows[table]:
                values = [self.value(row, f) for f in fields]
                values += [(by_id[target].get(row[column]) or {}).get('name') or None
                           for column, target in names.values()]
                database.execute(f'insert into "{table}" values ({marks})', values)


def enumeration_words(weft):
    """The words of the library's enumerations."""
    def words(name, value):
        kind = getattr(weft, name)
        try:
            return kind(value).value_nick
        except (ValueError, AttributeError):
            return str(value)
    return words


