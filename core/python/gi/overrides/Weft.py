# SPDX-License-Identifier: LGPL-2.1-or-later
"""What makes Weft pleasant from Python: columns as arrays, rows as mappings, questions as calls.

    from gi.repository import Weft

    recording = Weft.open ()                     # the latest one
    for row in recording.ask ('target-top', by='p95', limit=5):
        print (row['name'], row['p95'])
    table = recording.query ('dispatches', select=['duration'], where='lane:worker*')
    table['duration'].mean ()                    # a numpy array over the answer's own memory

Columns are numpy arrays where numpy is installed, and memoryviews where it is not.
"""

import ctypes

from gi.module import get_introspection_module
from gi.overrides import override
from gi.repository import Gio

Weft = get_introspection_module('Weft')
__all__ = []

_glib = ctypes.CDLL('libglib-2.0.so.0')
_glib.g_bytes_get_data.restype = ctypes.c_void_p
_glib.g_bytes_get_data.argtypes = [ctypes.c_void_p, ctypes.POINTER(ctypes.c_size_t)]

# struct and numpy letters of what a column holds.
_FORMATS = {
    Weft.ValueType.UINT64: 'Q', Weft.ValueType.INT64: 'q', Weft.ValueType.DOUBLE: 'd',
    Weft.ValueType.TIME: 'q', Weft.ValueType.DURATION: 'Q', Weft.ValueType.ID: 'Q',
    Weft.ValueType.STRING: 'I', Weft.ValueType.ENUM: 'I', Weft.ValueType.BOOLEAN: '?',
}
_WORDS = (Weft.ValueType.STRING, Weft.ValueType.ENUM)


def bytes_view(data):
    """The memory of a GLib.Bytes as a read-only memoryview; nothing is copied.

    The view keeps the memory alive.
    """
    size = ctypes.c_size_t()
    # PyGObject hashes a boxed value by its address.
    address = _glib.g_bytes_get_data(hash(data), ctypes.byref(size))
    if not size.value:
        return memoryview(b'')
    array = (ctypes.c_ubyte * size.value).from_address(address)
    array.owner = data
    return memoryview(array).cast('B').toreadonly()


def _array(view, letter):
    try:
        import numpy
    except ImportError:
        return view.cast(letter) if len(view) else memoryview(b'').cast(letter)
    return numpy.frombuffer(view, dtype=letter)


class Column:
    """One column of a table.

    values: the array as stored; for words the indices into `words`.
    valid:  which rows have a value, as an array of booleans, or None if all have.
    words:  what indices stand for, or None.
    """

    def __init__(self, table, position):
        self.name = table.get_column_name(position)
        self.title = table.get_column_title(position)
        self.type = table.get_column_type(position)
        self.unit = table.get_column_unit(position)
        self.prefix = table.get_column_prefix(position)
        self.values = _array(bytes_view(table.get_column_data(position)), _FORMATS[self.type])
        self.words = table.get_column_dictionary(position) if self.type in _WORDS else None
        self._validity = table.get_column_validity(position)
        self._n = table.get_n_rows()

    @property
    def valid(self):
        if self.type == Weft.ValueType.ID:
            return self.values != 0 if hasattr(self.values, 'dtype') else [v != 0 for v in self.values]
        if self._validity is None:
            return None
        bits = bytes_view(self._validity)
        try:
            import numpy
        except ImportError:
            return [bool(bits[row // 8] >> (row % 8) & 1) for row in range(self._n)]
        return numpy.unpackbits(numpy.frombuffer(bits, dtype='B'), count=self._n, bitorder='little').astype(bool)

    def __len__(self):
        return self._n

    def __repr__(self):
        return f'<Column {self.name}: {self._n} × {self.type.value_nick}>'

    def to_list(self):
        """Python values, None where there is none; handles for ids."""
        valid = self.valid
        if self.words is not None:
            # A number that this version has no word for stays a number.
            found = [self.words[v] if v < len(self.words) else str(v) for v in self.values]
        elif self.prefix is not None:
            found = [f'{self.prefix}-{v}' for v in self.values]
        else:
            found = self.values.tolist()
        if valid is None:
            return found
        return [value if good else None for value, good in zip(found, valid)]


class Table(Weft.Table):
    def __len__(self):
        return self.get_n_rows()

    def __bool__(self):
        return True

    @property
    def columns(self):
        """Names of the columns."""
        return [self.get_column_name(i) for i in range(self.get_n_columns())]

    def column(self, name):
        position = self.find_column(name)
        if position < 0:
            raise KeyError(f'{name}; there are: {", ".join(self.columns)}')
        return Column(self, position)

    def __getitem__(self, key):
        """A column's values by its name, or a row by its number."""
        if isinstance(key, str):
            column = self.column(key)
            return column.to_list() if column.words is not None else column.values
        row = self.get_item(range(len(self))[key])
        return row

    def __iter__(self):
        return (self.get_item(i) for i in range(len(self)))

    def to_dicts(self):
        """All rows as dictionaries, column by column: quicker than going through rows."""
        names = self.columns
        return [dict(zip(names, row)) for row in zip(*(self.column(name).to_list() for name in names))]

    def to_pandas(self):
        """A pandas.DataFrame; numbers share the table's memory where none is missing."""
        import pandas

        data = {}
        for name in self.columns:
            column = self.column(name)
            if column.words is not None and column.words:
                codes = column.values.astype('int64')
                if column.valid is not None:
                    codes[~column.valid] = -1
                data[name] = pandas.Categorical.from_codes(codes, column.words)
            elif column.valid is None:
                data[name] = column.values
            else:
                data[name] = pandas.Series(column.values).where(column.valid)
        return pandas.DataFrame(data)

    def __repr__(self):
        return f'<Weft.Table {self.get_name()}: {len(self)} rows of {", ".join(self.columns)}>'


Table = override(Table)
__all__.append('Table')


class Row(Weft.Row):
    def __getitem__(self, name):
        table = self.get_table()
        if table.find_column(name) < 0:
            raise KeyError(f'{name}; there are: {", ".join(table.columns)}')
        value = self.get(name)
        return None if value is None else value.unpack()

    def __iter__(self):
        return iter(self.get_table().columns)

    def __len__(self):
        return self.get_table().get_n_columns()

    def keys(self):
        return self.get_table().columns

    def items(self):
        return [(name, self[name]) for name in self]

    def __repr__(self):
        return f'<Weft.Row {dict(self)}>'


Row = override(Row)
__all__.append('Row')


class Report(Weft.Report):
    """An answer; as far as rows go, it is its main table."""

    @property
    def main(self):
        return self.get_main_table()

    @property
    def tables(self):
        return [self.get_item(i) for i in range(self.get_n_items())]

    def __len__(self):
        return len(self.main)

    def __bool__(self):
        return True

    def __iter__(self):
        return iter(self.main)

    def __getitem__(self, key):
        """A row by its number, a column of the main table or another table by its name."""
        if isinstance(key, str):
            table = self.get_table(key)
            if table is not None and table is not self.main:
                return table
        return self.main[key]

    def to_json(self):
        """The same object that `weft … --json` prints, as Python values."""
        import json

        return json.loads(Weft.Report.to_json(self))

    def __repr__(self):
        return f'<Weft.Report {self.get_name()}: {", ".join(t.get_name() for t in self.tables)}>'


Report = override(Report)
__all__.append('Report')

_UNITS = {'s': 10 ** 9, 'ms': 10 ** 6, 'us': 10 ** 3, 'µs': 10 ** 3, 'ns': 1}


def nanoseconds(time):
    """Nanoseconds of a number (nanoseconds already), or of a text such as '1.5s' or '20ms'."""
    if isinstance(time, int):
        return time
    for unit in ('ns', 'us', 'µs', 'ms', 's'):
        if time.endswith(unit):
            return round(float(time[:-len(unit)]) * _UNITS[unit])
    raise ValueError(f'“{time}” is no time: write a number and a unit, such as 1.5s, 20ms, 300us or 10ns')


def _listed(value):
    # A list is several, a pair is one with a name.
    return [value] if isinstance(value, (str, tuple)) else list(value)


def _prepare(query, select, where, group_by, order_by, time_range, limit, cursor):
    if where is not None:
        query.set_filter_text(where)
    if time_range is not None:
        query.set_range(nanoseconds(time_range[0]), nanoseconds(time_range[1]))
    # A pair gives a column a name of its own.
    for items, add in ((group_by, query.group_by), (select, query.select)):
        for item in _listed(items) if items is not None else ():
            add(*(item if isinstance(item, tuple) else (item, None)))
    for item in _listed(order_by) if order_by is not None else ():
        query.order_by(item.lstrip('-'), item.startswith('-'))
    if limit is not None:
        query.set_limit(limit)
    if cursor is not None:
        query.set_cursor(cursor)
    return query


class Recording(Weft.Recording):
    def query(self, table, select=None, where=None, group_by=None, order_by=None, time_range=None,
              limit=None, cursor=None, cancellable=None):
        """Rows of a table, or groups of them, as a Weft.Table.

        select and group_by take an expression, a pair of one and a name for its column, or a list of
        such; order_by names, with '-' in front for the largest first; time_range a pair of times.

            recording.query ('dispatches', group_by='routine.name', order_by='-total',
                             select=['count', ('sum(duration)', 'total'), 'p95(duration)'])
        """
        query = _prepare(Weft.Query.new(table), select, where, group_by, order_by, time_range, limit, cursor)
        return query.run(self, cancellable)

    def ask(self, kind, handle=None, where=None, group_by=None, by=None, time_range=None, limit=None,
            cursor=None, at=None, buckets=None, cancellable=None):
        """The Weft.Report that answers what `weft KIND` asks: 'target-top', 'diagnose', …"""
        analysis = Weft.Analysis.new(self, kind)
        if where is not None:
            analysis.set_filter(where)
        if group_by is not None:
            analysis.set_group_by(group_by)
        if by is not None:
            analysis.set_order_by(by)
        if time_range is not None:
            analysis.set_range(nanoseconds(time_range[0]), nanoseconds(time_range[1]))
        if limit is not None:
            analysis.set_limit(limit)
        if at is not None:
            analysis.set_at(nanoseconds(at))
        if buckets is not None:
            analysis.set_buckets(buckets)
        analysis.set_handle(handle)
        analysis.set_cursor(cursor)
        return analysis.run(cancellable)

    def pages(self, table, limit=65536, **options):
        """The answer of query () in pages of at most `limit` rows."""
        cursor = None
        while True:
            page = self.query(table, limit=limit, cursor=cursor, **options)
            yield page
            cursor = page.get_cursor()
            if cursor is None:
                return

    def __getitem__(self, handle):
        """The object of a handle such as 'd-12'."""
        return self.find(handle)

    def __repr__(self):
        return f'<Weft.Recording {self.get_file().get_path()}>'


Recording = override(Recording)
__all__.append('Recording')


def open(path='latest', cancellable=None):
    """Opens a recording; the latest one if no path is given."""
    return Weft.Recording.open(Gio.File.new_for_path(Weft.recordings_resolve(path)), cancellable)


__all__ += ['open', 'nanoseconds', 'bytes_view', 'Column']
