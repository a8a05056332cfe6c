#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The public interface as Python sees it, over the corpus and over a recording that grows.

    smoke.py WEFT PRODUCER RECORDING-OF-THE-CORPUS
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import gi

gi.require_version('Weft', '1')
from gi.repository import Gio, GLib, GObject, Weft  # noqa: E402

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))

import tap_report  # noqa: E402

def setUpModule():
    global folder, corpus
    folder = tempfile.mkdtemp(prefix='weft-smoke-')
    corpus = sys.argv[3]


def tearDownModule():
    shutil.rmtree(folder)


def open_recording(path):
    return Weft.Recording.open(Gio.File.new_for_path(path), None)


def accessor_of(field):
    """Functions of these fields have other names, for theirs are taken."""
    return {'value': 'number', 'type': 'value_type'}.get(field, field.replace('-', '_'))


def lists_of(object_):
    """Lists of the object, by the functions that give them."""
    found = {}
    for name in dir(type(object_)):
        if name.startswith('get_') and not hasattr(GObject.Object, name):
            try:
                value = getattr(object_, name)()
            except TypeError:
                continue  # takes arguments
            except GLib.Error:
                continue  # has nothing to give
            if isinstance(value, Weft.List):
                found[name] = value
    return found


class Corpus(unittest.TestCase):
    def setUp(self):
        self.recording = open_recording(corpus)

    def test_all_objects_of_all_tables(self):
        lists = lists_of(self.recording)
        self.assertGreater(len(lists), 25)
        classes = set()
        for name, objects in lists.items():
            table = name.removeprefix('get_')
            self.assertEqual(len(objects), self.recording.get_n_rows(table), name)
            for object_ in objects:
                classes.add(type(object_))
                self.assertEqual(object_.get_table(), table)
                self.assertTrue(object_.check())
                self.check_object(object_)
        self.assertGreater(len(classes), 20)

    def check_object(self, object_):
        handle = object_.get_handle()
        if handle is not None:
            self.assertTrue(self.recording.find(handle).equal(object_))
        for spec in object_.list_properties():
            value = object_.get_property(spec.name)
            getter = getattr(object_, 'get_' + accessor_of(spec.name), None)
            if getter is None:
                continue
            given = getter()
            if isinstance(value, Weft.Object):
                self.assertTrue(value.equal(given))
            elif value == value:  # not NaN
                self.assertEqual(value, given, f'{handle} {spec.name}')
        for field in object_.list_fields():
            value = object_.get_value(field)
            asks = getattr(object_, 'has_' + accessor_of(field), None)
            if asks is not None:
                self.assertEqual(asks(), value is not None)

    def test_what_belongs_to_objects(self):
        children = 0
        for handle in ('p-1', 'rt-1', 't-1', 'l-1', 'q-1', 'src-1', 'r-1', 's-1', 'd-1', 'cs-1',
                       'cm-1', 'm-1', 'w-1', 'a-1'):
            for name, objects in lists_of(self.recording.find(handle)).items():
                children += len(objects)
                for object_ in objects:
                    self.assertTrue(object_.get_table())
        self.assertGreater(children, 100)

    def test_lanes_have_all_dispatches(self):
        ids = []
        for lane in self.recording.get_lanes():
            ids += [dispatch.get_id() for dispatch in lane.get_dispatches()]
        self.assertEqual(sorted(ids), [d.get_id() for d in self.recording.get_dispatches()])

    def test_sources_have_texts(self):
        texts = 0
        for source in self.recording.get_sources():
            try:
                text = source.get_text()
            except GLib.Error as error:
                self.assertTrue(error.matches(Weft.error_quark(), Weft.Error.NO_SUCH_OBJECT))
                continue
            texts += 1
            self.assertEqual(text.get_data(),
                             self.recording.get_source_text(source.get_id()).get_data())
        self.assertGreater(texts, 0)

    def test_facts(self):
        self.assertEqual(self.recording.props.state, Weft.RecordingState.COMPLETE)
        self.assertIn('weft-corpus', self.recording.props.command_line)
        self.assertGreater(self.recording.props.duration, 0)
        self.assertLess(abs(self.recording.props.start.to_unix() - os.path.getmtime(corpus)), 600)
        for key in self.recording.list_meta():
            self.assertTrue(self.recording.get_meta(key))

    def test_errors(self):
        with self.assertRaises(GLib.Error) as raised:
            self.recording.find('nonsense')
        self.assertTrue(raised.exception.matches(Weft.error_quark(), Weft.Error.NO_SUCH_OBJECT))
        with self.assertRaises(GLib.Error) as raised:
            open_recording('/dev/zero')
        self.assertTrue(raised.exception.matches(Weft.error_quark(), Weft.Error.NOT_A_RECORDING))

    def test_subscription_to_a_finished_recording(self):
        kinds = {Weft.EventKinds.DISPATCH: 'dispatches', Weft.EventKinds.METRIC: 'metric_points',
                 Weft.EventKinds.TRACE: 'traces', Weft.EventKinds.WARNING: 'warnings'}
        every = (Weft.EventKinds.DISPATCH | Weft.EventKinds.METRIC | Weft.EventKinds.TRACE
                 | Weft.EventKinds.WARNING)
        subscription = Weft.Subscription.new(self.recording, every)
        seen = dict.fromkeys(kinds, 0)
        while (batch := subscription.read(1000, None)) is not None:
            self.assertLessEqual(batch.get_n_rows(every), 1000)
            for kind in kinds:
                table = batch.get_table(kind)
                objects = batch.get_objects(kind)
                self.assertEqual(table.get_n_rows(), len(objects))
                seen[kind] += len(objects)
                for row, object_ in enumerate(objects):
                    self.assertEqual(table.get_uint64(0, row), object_.get_id())
        self.assertEqual(seen, {kind: self.recording.get_n_rows(table)
                                for kind, table in kinds.items()})


class Live(unittest.TestCase):
    """Another process records a program of two seconds."""

    def setUp(self):
        self.path = os.path.join(folder, f'{self._testMethodName}.weft')
        environment = dict(os.environ, WEFT_RUNTIME_DIR=folder)
        self.recorder = subprocess.Popen(
            [sys.argv[1], 'record', '-q', '-o', self.path, '--', sys.argv[2],
             'spans=1000', 'rate=500', 'lanes=2'],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=environment)
        self.loop = GLib.MainLoop()
        deadline = time.monotonic() + 20
        while not (os.path.exists(self.path) and os.path.getsize(self.path) > 0):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        self.recording = open_recording(self.path)

    def tearDown(self):
        self.recorder.wait(30)

    def run_loop(self):
        stuck = GLib.timeout_add_seconds(30, self.loop.quit)
        self.loop.run()
        GLib.source_remove(stuck)

    def test_batches_while_it_records(self):
        subscription = Weft.Subscription.new(self.recording, Weft.EventKinds.DISPATCH)
        ids, live = [], []

        def on_batch(source, result):
            batch = source.read_finish(result)
            if batch is None:
                self.loop.quit()
                return
            table = batch.get_table(Weft.EventKinds.DISPATCH)
            ids.extend(table.get_uint64(0, row) for row in range(table.get_n_rows()))
            live.append(self.recorder.poll() is None)
            source.read_async(100000, None, on_batch)

        self.assertTrue(self.recording.props.live)
        subscription.read_async(100000, None, on_batch)
        self.run_loop()
        self.assertIn(True, live)
        self.recording.refresh(None)
        self.assertEqual(self.recording.props.state, Weft.RecordingState.COMPLETE)
        self.assertEqual(ids, list(range(1, self.recording.get_n_rows('dispatches') + 1)))
        self.assertGreater(len(ids), 500)
        self.assertEqual(subscription.props.missed, 0)

    def test_lists_grow(self):
        dispatches = self.recording.get_dispatches()
        seen = len(dispatches)
        steps = []

        def on_items_changed(model, position, removed, added):
            steps.append((position, removed, added))

        dispatches.connect('items-changed', on_items_changed)
        self.recording.props.follow = 100
        self.recording.connect('notify::follow', lambda *_: self.loop.quit())
        self.run_loop()
        self.assertEqual(self.recording.props.state, Weft.RecordingState.COMPLETE)
        for position, removed, added in steps:
            self.assertEqual((position, removed), (seen, 0))
            seen += added
        self.assertEqual(seen, len(dispatches))
        self.assertEqual(seen, self.recording.get_n_rows('dispatches'))
        self.assertGreater(len(steps), 1)


tap_report.main(sys.argv[4:])
