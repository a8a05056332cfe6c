#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every public class from Python: objects, lists, enumerations, errors. Reports in TAP.

    test-classes.py RECORDING
"""

import gc
import glob
import os
import re
import weakref

from gi.repository import GObject

from corpus_case import DOCS, RECORDING, Case, Gio, GLib, Weft, main

# What has no rows in the corpus: nothing of the kind happens there.
NOT_IN_CORPUS = {'diagnostics', 'routine_arguments'}
# Classes whose objects come from elsewhere, with a test of that elsewhere.
ABSTRACT = {Weft.Object}
MADE = {
    'Analysis': lambda recording: Weft.Analysis.new(recording, 'target-lanes'),
    'Comparison': lambda recording: Weft.Comparison.new(),
    'Batch': lambda recording: recording.subscribe('dispatch').read(1, None),
    'Detail': lambda recording: Weft.Detail.new('section', 'label', 'text', None),
    'Finding': lambda recording: Weft.Finding.new('check', 'Why?', Weft.Verdict.GOOD, 'Because.', None, ['d-1']),
    'Gate': lambda recording: Weft.Gate.new(),
    'GateResult': lambda recording: Weft.Gate.new().run(None),
    'Inquiry': lambda recording: Weft.Inquiry.new('loom', recording, None),
    'Launch': lambda recording: Weft.Launch.new(['true'], None),
    'LibraryInstrument': lambda recording: Weft.LibraryInstrument.new('loom', 'A loom.', None, '/library.so'),
    'List': lambda recording: recording.get_lanes(),
    'PluginRegistry': lambda recording: Weft.PluginRegistry.new([]),
    'Progress': lambda recording: Weft.Progress.new(),
    'Query': lambda recording: Weft.Query.new('lanes'),
    'Recorder': lambda recording: Weft.Recorder.new(),
    'RecorderStatus': lambda recording: Weft.Recorder.new().get_status(),
    'Recording': lambda recording: recording,
    'Report': lambda recording: recording.ask('target-lanes'),
    'Row': lambda recording: recording.query('lanes')[0],
    'Sql': lambda recording: Weft.Sql.new(recording),
    'Subjects': lambda recording: Weft.Subjects.new(),
    'Subscription': lambda recording: recording.subscribe(),
    'Table': lambda recording: recording.query('lanes'),
    'Term': lambda recording: recording.get_vocabulary().get_attribute(None, 'x'),
    'Vocabulary': lambda recording: recording.get_vocabulary(),
}
# Nothing to hold without a plugin file, a running recorder, a place to build in or a folder of recordings: their
# own tests (tests/plugin, tests/record, test-live.py, test-commands.py) hold them.
ELSEWHERE = {'Plugin', 'RecordingBuilder', 'RecordingInfo', 'Session'}


def public_classes():
    for name in dir(Weft):
        found = getattr(Weft, name)
        if isinstance(found, type) and issubclass(found, GObject.Object):
            yield name, found


class Classes(Case):
    def tables(self):
        return [row['table'] for row in Weft.Query.list_tables()]

    def lists(self):
        for table in self.tables():
            try:
                yield table, self.recording.get_objects(table)
            except GLib.Error as error:
                self.assertTrue(error.matches(Weft.error_quark(), Weft.Error.NO_SUCH_TABLE), error)

    def test_every_class_can_be_had(self):
        had = {type(found[0]).__name__ for table, found in self.lists() if len(found)}
        for name, make in MADE.items():
            made = make(self.recording)
            self.assertIsInstance(made, getattr(Weft, name))
            self.assertNotIn(name, had)
            had.add(name)
        objects = {name for name, found in public_classes() if found not in ABSTRACT and not found.__gtype__.is_interface()}
        missing = objects - had - ELSEWHERE
        self.assertEqual(missing, {'Diagnostic', 'RoutineArgument'})

    def test_every_getter_of_every_object(self):
        properties = getters = 0
        for table, objects in self.lists():
            self.assertTrue(len(objects) or table in NOT_IN_CORPUS, table)
            for item in list(objects[:30]) + list(objects[-30:]):
                for spec in item.list_properties():
                    value = item.get_property(spec.name)
                    self.assertEqual(getattr(item.props, spec.name.replace('-', '_')) == value, value == value)
                    properties += 1
                for name in dir(type(item)):
                    if name.startswith(('get_', 'has_', 'is_')) and not hasattr(GObject.Object, name):
                        try:
                            getattr(item, name)()
                        except TypeError:
                            self.assertIn(name, ('get_value',))
                        except GLib.Error as error:
                            self.assertIn(error.domain, ('weft-error-quark',), f'{table}.{name}')
                        getters += 1
        self.assertGreater(properties, 5000)
        self.assertGreater(getters, 5000)

    def test_objects_and_rows_agree(self):
        for table in ('dispatches', 'lanes', 'attachments', 'phases', 'tags', 'counter_values', 'origins'):
            rows = self.recording.query(table)
            for item, row in zip(self.recording.get_objects(table)[:100], rows):
                for field in set(item.list_fields()) & set(rows.columns):
                    # Owners are rows of several tables, for which a column has no one prefix.
                    if field != 'owner' and row[field] == row[field]:  # not NaN
                        self.assertEqual(item[field], row[field], f'{table} {field}')

    def test_every_getter_of_the_rest(self):
        for name, make in MADE.items():
            made = make(self.recording)
            for spec in made.list_properties():
                if spec.flags & GObject.ParamFlags.READABLE:
                    made.get_property(spec.name)
            for method in dir(type(made)):
                if method.startswith(('get_', 'is_', 'list_', 'dup_')) and not hasattr(GObject.Object, method):
                    try:
                        getattr(made, method)()
                    except TypeError:
                        pass  # takes arguments

    def test_equality(self):
        first, same, other = (self.recording[handle] for handle in ('d-1', 'd-1', 'd-2'))
        self.assertEqual(first, same)
        self.assertNotEqual(first, other)
        self.assertNotEqual(first, self.recording['l-1'])
        self.assertNotEqual(first, 'd-1')
        self.assertNotEqual(first, Weft.open(RECORDING)['d-1'])
        self.assertEqual(len({first, same, other}), 2)
        self.assertEqual(repr(first), '<Weft.Dispatch d-1>')

    def test_fields(self):
        dispatch = self.recording['d-2']
        self.assertEqual(dispatch['duration'], dispatch.get_duration())
        self.assertEqual(dict(dispatch)['lane'], dispatch.get_lane().get_handle())
        with self.assertRaises(KeyError) as raised:
            dispatch['nonsense']
        self.assertIn('duration', str(raised.exception))

    def test_nothing_is_none(self):
        dispatch = next(d for d in self.recording.get_dispatches() if d.get_submission() is None)
        self.assertIsNone(dispatch['submission'])
        self.assertIsNone(dispatch.props.submission)
        row = self.recording.query('dispatches', where=f'id:{dispatch.get_handle()}', select=['submission'])[0]
        self.assertIsNone(row['submission'])

    def test_objects_keep_the_recording(self):
        dispatch = self.recording['d-1']
        gone = weakref.ref(self.recording)
        self.recording = None
        gc.collect()
        self.assertTrue(dispatch.check())
        self.assertEqual(dispatch.get_recording()['d-1'], dispatch)
        del dispatch
        gc.collect()
        self.assertIsNone(gone())


class Sequences(Case):
    def check_sequence(self, items, same):
        everything = list(items)
        n = len(items)
        self.assertEqual(len(everything), n)
        self.assertGreater(n, 3)
        for got, expected in ((items[0], everything[0]), (items[-1], everything[n - 1]), (items[n - 1], everything[-1])):
            self.assertTrue(same(got, expected))
        for part in (slice(1, 3), slice(None, None, 2), slice(-2, None), slice(5, 1), slice(None, None, -1)):
            got, expected = items[part], everything[part]
            self.assertEqual(len(got), len(expected))
            self.assertTrue(all(map(same, got, expected)))
        for wrong in (n, -n - 1):
            with self.assertRaises(IndexError):
                items[wrong]

    def test_lists(self):
        for items in (self.recording.get_dispatches(), self.recording['l-4'].get_dispatches(),
                      self.recording.get_objects('tags')):
            self.assertIsInstance(items, Gio.ListModel)
            if len(items) > 3:
                self.check_sequence(items, lambda a, b: a.equal(b))
        self.assertIn(self.recording['d-7'], list(self.recording.get_dispatches()))

    def test_tables(self):
        self.check_sequence(self.recording.query('dispatches', select=['id']), lambda a, b: a['id'] == b['id'])

    def test_reports(self):
        self.check_sequence(self.recording.ask('target-lanes'), lambda a, b: dict(a) == dict(b))

    def test_other_models(self):
        batch = self.recording.subscribe('dispatch').read(10, None)
        self.check_sequence(batch.get_objects(Weft.EventKinds.DISPATCH), lambda a, b: a.equal(b))
        self.assertEqual(len(Weft.PluginRegistry.new([]).get_domains()), 0)

    def test_empty_ones(self):
        table = self.recording.query('dispatches', where='dur>1h')
        self.assertEqual((len(table), list(table), table[:3], table.to_dicts()), (0, [], [], []))
        self.assertTrue(table)
        with self.assertRaises(IndexError):
            table[0]


class Words(Case):
    def test_enumerations(self):
        dispatch = next(d for d in self.recording.get_dispatches() if d.get_status() == Weft.Status.ERROR)
        self.assertEqual(dispatch.get_status().value_nick, 'error')
        self.assertEqual(dispatch['status'], 'error')
        self.assertEqual(self.recording.props.state.value_nick, 'complete')
        self.assertEqual((Weft.EventKinds.DISPATCH | Weft.EventKinds.TRACE).value_nicks, ['dispatch', 'trace'])

    def test_every_word_of_every_enumeration(self):
        """All that the headers declare is there, under the name that Python gives it."""
        declared = {}
        for header in glob.glob(os.path.join(DOCS, '..', 'core', '*', '**', 'weft-*.h'), recursive=True) + glob.glob(
                os.path.join(DOCS, '..', 'core', 'weft-*.h')):
            with open(header, encoding='utf-8') as file:
                for body, name in re.findall(r'typedef enum[^{;]*\{([^}]*)\} Weft(\w+);', file.read()):
                    declared[name] = re.findall(r'\bWEFT_[A-Z0-9_]+', body)
        checked = 0
        for name in dir(Weft):
            found = getattr(Weft, name)
            if isinstance(found, type) and issubclass(found, (GObject.GEnum, GObject.GFlags)):
                values = found.__enum_values__ if issubclass(found, GObject.GEnum) else found.__flags_values__
                self.assertEqual(sorted(value.value_names[0] if hasattr(value, 'value_names') else value.value_name
                                        for value in values.values()), sorted(declared[name]), name)
                checked += 1
        self.assertGreater(checked, 20)

    def test_errors(self):
        quark, error = Weft.error_quark(), Weft.Error
        self.fails(quark, error.NO_SUCH_OBJECT, self.recording.find, 'd-999999999')
        self.fails(quark, error.NO_SUCH_TABLE, self.recording.query, 'nonsense')
        self.fails(quark, error.NO_SUCH_FIELD, self.recording.query, 'dispatches', select=['nonsense'])
        self.fails(quark, error.INVALID_FILTER, self.recording.query, 'dispatches', where='dur>>')
        self.fails(quark, error.INVALID_QUERY, self.recording.query, 'dispatches', select=['sum(status)'])
        self.fails(quark, error.INVALID_CURSOR, self.recording.query, 'dispatches', cursor='garbage')
        self.fails(quark, error.NOT_A_RECORDING, Weft.open, '/dev/zero')
        self.fails(quark, error.RECORDER, Weft.Recorder.new().stop)
        self.fails(Gio.io_error_quark(), Gio.IOErrorEnum.NOT_FOUND, Weft.open, '/nonexistent.weft')


main()
