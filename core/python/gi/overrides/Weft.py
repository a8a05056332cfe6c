# SPDX-License-Identifier: LGPL-2.1-or-later
"""What makes Weft pleasant from Python: columns as arrays, rows as mappings, questions as calls.

    from gi.repository import Weft

    recording = Weft.open ()                     # the latest one
    for row in recording.ask ('target-top', by='p95', limit=5):
        print (row['name'], row['p95'])
    table = recording.query ('dispatches', select=['duration'], where='lane:worker*')
    table['duration'].mean ()                    # a numpy array over the answer's own memory
    with Weft.record (['make', '-j4']) as run:   # a recording that grows
        for batch in run.subscribe ('dispatch'):
            print (batch['dispatch']['duration'].max ())

Columns are numpy arrays where numpy is installed, and memoryviews where it is not. Times are
nanoseconds since the start of the recording, durations nanoseconds.
"""

import contextlib
import ctypes
import threading
from collections.abc import Mapping

from gi.module import get_introspection_module
from gi.overrides import override
from gi.repository import Gio, GLib

Weft = get_introspection_module('Weft')
__all__ = ['open', 'record', 'nanoseconds', 'bytes_view', 'Column']


def _override(cls):
    __all__.append(cls.__name__)
    return override(cls)


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

    values: the array as stored, of as many items as the table has rows, read-only, over the table's
            memory, which it keeps alive; for words the indices into `words`. What stands where there
            is no value means nothing.
    valid:  which rows have a value, as an array of booleans, or None if all have.
    words:  what indices stand for, or None.
    type:   the Weft.ValueType; unit: of numbers, or None; prefix: of the handles of ids, or None.
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
            return [v != 0 for v in self.values] if isinstance(self.values, memoryview) else self.values != 0
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
        elif self.type == Weft.ValueType.ID:
            # Things that have no handles are texts as well, as they are in rows.
            found = [f'{self.prefix}-{v}' if self.prefix else str(v) for v in self.values]
        else:
            found = self.values.tolist()
        if valid is None:
            return found
        return [value if good else None for value, good in zip(found, valid)]


# Arrow's structures, as capsules hold them: name, size, offset of the release function.
_ARROW_SCHEMA = (b'arrow_schema', 9 * 8, 7 * 8)
_ARROW_ARRAY = (b'arrow_array', 10 * 8, 8 * 8)
_pointer = ctypes.c_void_p
_new_capsule = ctypes.PYFUNCTYPE(ctypes.py_object, _pointer, ctypes.c_char_p, _pointer)(
    ('PyCapsule_New', ctypes.pythonapi))
_glib.g_malloc0.restype = _pointer
_glib.g_malloc0.argtypes = [ctypes.c_size_t]
_glib.g_free.argtypes = [_pointer]


def _destructor(name, size, offset):
    # By address: to hold on to a capsule that is being freed would free it once more.
    get_pointer = ctypes.PYFUNCTYPE(_pointer, _pointer, ctypes.c_char_p)(('PyCapsule_GetPointer', ctypes.pythonapi))
    free, pointer, release_type = _glib.g_free, _pointer, ctypes.CFUNCTYPE(None, _pointer)

    def destroy(capsule):
        address = get_pointer(capsule, name)
        release = pointer.from_address(address + offset).value
        if release is not None:
            release_type(release)(address)
        free(address)

    destructor = ctypes.PYFUNCTYPE(None, _pointer)(destroy)
    # Capsules may be there for longer than this module.
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(destructor))
    return ctypes.cast(destructor, _pointer)


_DESTRUCTORS = {kind: _destructor(*kind) for kind in (_ARROW_SCHEMA, _ARROW_ARRAY)}


@_override
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
        """The Weft.Column of a name: values, which of them are there, and what they mean."""
        position = self.find_column(name)
        if position < 0:
            raise KeyError(f'{name}; there are: {", ".join(self.columns)}')
        return Column(self, position)

    def __getitem__(self, key):
        """A column's values by its name, a row by its number, or a list of rows by a slice."""
        if isinstance(key, str):
            column = self.column(key)
            return column.to_list() if column.words is not None else column.values
        rows = range(len(self))[key]
        return [self.get_item(i) for i in rows] if isinstance(rows, range) else self.get_item(rows)

    def __iter__(self):
        return (self.get_item(i) for i in range(len(self)))

    def to_dicts(self):
        """All rows as dictionaries, column by column: quicker than going through rows."""
        names = self.columns
        return [dict(zip(names, row)) for row in zip(*(self.column(name).to_list() for name in names))]

    def to_pandas(self):
        """A pandas.DataFrame of the same columns, words as categories; what is missing is NaN."""
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

    def export(self, form, path=None):
        """The table as 'csv', 'json' or 'arrow', as `weft export` writes it, to a file at `path`, or as bytes.

        A file that is there is replaced when all is written.
        """
        report = Weft.Report.new(self.get_name(), False)
        report.append(self)
        writers = {'csv': self.write_csv, 'json': report.write_json, 'arrow': self.write_arrow}
        if form not in writers:
            raise ValueError(f'there is no format “{form}”; there are: {", ".join(writers)}')
        stream = Gio.MemoryOutputStream.new_resizable()
        writers[form](stream, None)
        stream.close(None)
        data = stream.steal_as_bytes().get_data()
        if path is None:
            return data
        Gio.File.new_for_path(path).replace_contents(data, None, False, Gio.FileCreateFlags.PRIVATE, None)

    def __arrow_c_array__(self, requested_schema=None):
        """Two capsules, of a struct ArrowSchema and a struct ArrowArray: what pyarrow.record_batch (table),
        polars and others take a table from, without a copy of its numbers.

        What is in a capsule belongs to who takes it; what nobody took is released with the capsule.
        """
        kinds = (_ARROW_SCHEMA, _ARROW_ARRAY)
        schema, array = (_glib.g_malloc0(size) for _, size, _ in kinds)
        capsules = tuple(_new_capsule(address, kind[0], _DESTRUCTORS[kind])
                         for address, kind in zip((schema, array), kinds))
        self.export_arrow_c(array, schema)
        return capsules

    def __repr__(self):
        return f'<Weft.Table {self.get_name()}: {len(self)} rows of {", ".join(self.columns)}>'


@_override
class Row(Weft.Row):
    """A row of a table, as a mapping of the columns' names to Python values."""

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

    keys, items = Mapping.keys, Mapping.items

    def __repr__(self):
        return f'<Weft.Row {dict(self)}>'


@_override
class Report(Weft.Report):
    """An answer; as far as rows go, it is its main table."""

    @property
    def main(self):
        """The main Weft.Table."""
        return self.get_main_table()

    @property
    def tables(self):
        """All tables, the main one first."""
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

    def to_dict(self):
        """The object that `weft … --json` prints, and to_json () gives as a text, as Python values."""
        import json

        return json.loads(self.to_json())

    def __repr__(self):
        return f'<Weft.Report {self.get_name()}: {", ".join(t.get_name() for t in self.tables)}>'


@_override
class Object(Weft.Object):
    """What stands for a row: two of the same row are equal; values go by the names of fields, too."""

    def __eq__(self, other):
        return isinstance(other, Weft.Object) and self.equal(other)

    def __hash__(self):
        return self.hash()

    def __getitem__(self, field):
        if field not in self.list_fields():
            raise KeyError(f'{field}; there are: {", ".join(self.list_fields())}')
        value = self.get_value(field)
        return None if value is None else value.unpack()

    def keys(self):
        return self.list_fields()

    def __repr__(self):
        return f'<Weft.{type(self).__name__} {self.get_handle() or "of " + self.get_table()}>'

def _data(data):
    # PyGObject hands over what belongs to the first of two callbacks as a tuple, or not at all.
    return data if isinstance(data, tuple) else () if data is None else (data,)


@_override
class Query(Weft.Query):
    def run_async(self, recording, cancellable=None, progress=None, progress_data=None, callback=None, *data):
        """run () on a thread of its own; progress is called with what is done, what there is, and progress_data."""
        super().run_async(recording, cancellable, progress, _data(progress_data), callback, *data)


@_override
class Analysis(Weft.Analysis):
    def run_async(self, cancellable=None, progress=None, progress_data=None, callback=None, *data):
        """run () on a thread of its own; progress is called with what is done, what there is, and progress_data."""
        super().run_async(cancellable, progress, _data(progress_data), callback, *data)


@_override
class Comparison(Weft.Comparison):
    def run_async(self, cancellable=None, progress=None, progress_data=None, callback=None, *data):
        """run () on a thread of its own; progress is called with how many recordings are read, of how many, and
        progress_data."""
        super().run_async(cancellable, progress, _data(progress_data), callback, *data)


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


# Words of Recording.ask (): what an analysis has to know for them, and what tells it.
_OPTIONS = {
    'handle': (Weft.AnalysisOptions.HANDLE, 'set_handle'), 'where': (Weft.AnalysisOptions.FILTER, 'set_filter'),
    'group_by': (Weft.AnalysisOptions.GROUP, 'set_group_by'), 'by': (Weft.AnalysisOptions.ORDER, 'set_order_by'),
    'time_range': (Weft.AnalysisOptions.RANGE, 'set_range'), 'limit': (Weft.AnalysisOptions.LIMIT, 'set_limit'),
    'cursor': (Weft.AnalysisOptions.CURSOR, 'set_cursor'), 'at': (Weft.AnalysisOptions.AT, 'set_at'),
    'buckets': (Weft.AnalysisOptions.BUCKETS, 'set_buckets'),
    'mode': (Weft.AnalysisOptions.MODE, 'set_mode'),
    'exclude': (Weft.AnalysisOptions.EXCLUDED, 'set_excluded_symbols'),
    'inlines': (Weft.AnalysisOptions.INLINES, 'set_inlines'),
    'inverted': (Weft.AnalysisOptions.INVERTED, 'set_inverted'),
    'min_share': (Weft.AnalysisOptions.MIN_SHARE, 'set_min_share'),
    'reasons': (Weft.AnalysisOptions.REASONS, 'set_reasons'),
    'what_if': (Weft.AnalysisOptions.WHAT_IF, 'set_what_if'),
}


def _parameter(value):
    """What SQL can be given: numbers, texts, and None."""
    if value is None:
        return GLib.Variant('ms', None)
    if isinstance(value, str):
        return GLib.Variant('s', value)
    return GLib.Variant('d', value) if isinstance(value, float) else GLib.Variant('x', int(value))


@_override
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
            cursor=None, at=None, buckets=None, mode=None, exclude=None, inlines=None, inverted=None,
            min_share=None, reasons=None, what_if=None, cancellable=None):
        """The Weft.Report that answers what `weft KIND` asks: 'target-top', 'diagnose', …

        by is what comes first, group_by what a row stands for, handle the object that the question is about, at
        and time_range times; a limit of 0 is none; exclude and reasons are lists, what_if such as
        'routine:gemm=2x'. Words that a kind has no use
        for raise TypeError.
        """
        given = {word: value for word, value in locals().items() if word in _OPTIONS and value is not None}
        analysis = Weft.Analysis.new(self, kind)
        for word, value in given.items():
            option, setter = _OPTIONS[word]
            if not Weft.Analysis.kind_get_options(kind) & option:
                raise TypeError(f'“{kind}” takes no {word}')
            if word in ('time_range', 'at'):
                value = tuple(map(nanoseconds, value)) if word == 'time_range' else nanoseconds(value)
            getattr(analysis, setter)(*(value if word == 'time_range' else [value]))
        return analysis.run(cancellable)

    def sql(self, text, *values, cancellable=None, **names):
        """The answer to one SELECT, as a Weft.Table; see docs/sql.md.

            recording.sql ('SELECT name FROM lanes WHERE kind = ?', 'example.queue')
            recording.sql ('SELECT name FROM lanes WHERE kind = :kind', kind='example.queue')
        """
        if values and names:
            raise TypeError('values of parameters are given in their order or by name, not both')
        given = None
        if values:
            given = GLib.Variant('av', [_parameter(value) for value in values])
        elif names:
            given = GLib.Variant('a{sv}', {name: _parameter(value) for name, value in names.items()})
        return Weft.Sql.new(self).query(text, given, cancellable)

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

    def subscribe(self, *kinds, max_rows=65536, bound=None):
        """A Weft.Subscription, to iterate over: each step waits for a Weft.Batch of at most `max_rows` new rows.

        kinds are of 'dispatch', 'metric', 'trace' and 'warning'; all if none is named. It begins with what is
        there already, and ends with the recording. While that grows, who is further behind than `bound` rows
        misses what is older, and is told how much. `for` blocks, `async for` waits in a thread of its own.

            for batch in recording.subscribe ('dispatch', 'warning'):
                print (len (batch['dispatch']), [row['message'] for row in batch['warning']])
        """
        subscription = Weft.Subscription.new(self, _event_kinds(kinds or _EVENTS))
        subscription.max_rows = max_rows
        if bound is not None:
            subscription.set_bound(bound)
        return subscription

    def __repr__(self):
        return f'<Weft.Recording {self.get_file().get_path()}>'


_EVENTS = ('dispatch', 'metric', 'trace', 'warning')


def _event_kinds(words):
    found = Weft.EventKinds(0)
    for word in words:
        if isinstance(word, str) and word not in _EVENTS:
            raise ValueError(f'there are no events “{word}”; there are: {", ".join(_EVENTS)}')
        found |= getattr(Weft.EventKinds, word.upper()) if isinstance(word, str) else word
    return found


@_override
class Batch(Weft.Batch):
    def __getitem__(self, kind):
        """The Weft.Table of what is new of one kind: 'dispatch', 'metric', 'trace' or 'warning'."""
        return self.get_table(_event_kinds([kind]))

    def __len__(self):
        """Rows of all kinds together."""
        return self.get_n_rows(_event_kinds(_EVENTS))

    @property
    def missed(self):
        """How many rows came and went unread before these."""
        return self.get_missed(_event_kinds(_EVENTS))


@_override
class Subscription(Weft.Subscription):
    max_rows = 65536

    def __iter__(self):
        return iter(lambda: self.read(self.max_rows, None), None)

    async def __aiter__(self):
        import asyncio

        cancellable = Gio.Cancellable()
        try:
            while (batch := await asyncio.to_thread(self.read, self.max_rows, cancellable)) is not None:
                yield batch
        finally:
            cancellable.cancel()  # a thread may still wait


def open(path='latest', cancellable=None):
    """Opens a recording; the latest one if no path is given."""
    return Weft.Recording.open(Gio.File.new_for_path(Weft.recordings_resolve(path)), cancellable)


@contextlib.contextmanager
def record(argv=None, output=None, **settings):
    """Records a program while a block of code runs; the block gets the Weft.Recording, which grows.

        with Weft.record (['make', '-j4'], 'make.weft') as recording:
            for batch in recording.subscribe ('warning'):
                print (batch['warning'].to_dicts ())

    The recording ends with the program, and so does the block. One without a program records what connects, until
    the block's end; so does an exception within. A program that still runs then goes on. The file is a new one in
    the recordings folder, and the latest, if none is named. settings are properties of Weft.Recorder, which is the
    recording's `recorder`. What cannot be recorded raises GLib.Error.
    """
    path = output or Weft.recordings_new_path(argv[0] if argv else 'weft')
    recorder = Weft.Recorder(output=path, argv=argv, **settings)
    recorder.start()
    stop, failures = Gio.Cancellable(), []

    def save():
        # One thing after the other: whatever it waited for, and whatever came of it, the file is finished.
        for step in (lambda: recorder.wait(stop), lambda: recorder.stop()):
            try:
                step()
            except GLib.Error as error:
                if not error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED):
                    failures.append(error)

    saver = threading.Thread(target=save)
    saver.start()
    try:
        recording = open(path)
        recording.recorder = recorder
        yield recording
    except BaseException:
        stop.cancel()
        raise
    finally:
        if not argv:
            stop.cancel()
        saver.join()
    if output is None:
        Weft.recordings_set_latest(path)
    if failures:
        raise failures[0]
    recording.refresh()
