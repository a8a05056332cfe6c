#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Records and builds from Python, by way of the public library only. Reports in TAP.

    recorder-test.py TAP_FOLDER PRODUCER
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, sys.argv[1])

import tap_report

try:
    import gi
    gi.require_version('Weft', '1')
    from gi.repository import Gio, GLib, GObject, Weft
except (ImportError, ValueError) as error:
    print(f'1..0 # SKIP {error}: install python3-gi, and build with introspection')
    sys.exit(0)

PRODUCER = os.path.abspath(sys.argv[2])


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='weft-python-')
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        GLib.setenv('WEFT_RUNTIME_DIR', self.path('run'), True)
        GLib.setenv('WEFT_RECORDINGS', self.path('recordings'), True)
        self.file = self.path('x.weft')

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def recorder(self, *arguments):
        recorder = Weft.Recorder(output=self.file)
        recorder.set_argv(['sh', '-c', 'exec "$@" >/dev/null', 'sh', PRODUCER, *arguments])
        return recorder

    def until(self, condition, seconds=20):
        deadline = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), deadline, 'nothing happened in time')
            time.sleep(0.02)

    def refuses(self, domain, code, function, *arguments):
        with self.assertRaises(GLib.Error) as caught:
            function(*arguments)
        self.assertTrue(caught.exception.matches(domain, code), caught.exception)


class Recorder(Case):
    def test_record(self):
        recorder = self.recorder('spans=100', 'threads=2', 'wait=1')
        self.assertTrue(recorder.start())
        self.assertTrue(recorder.wait())
        self.assertEqual(recorder.props.end, Weft.RecorderEnd.PROGRAM)
        status = recorder.stop()
        self.assertEqual(status.props.state, Weft.RecorderState.FINISHED)
        self.assertGreaterEqual(status.props.dispatches, 200)
        self.assertEqual(status.props.lost + status.props.rejected, 0)
        self.assertEqual(recorder.props.exit_status, 0)
        recording = Weft.Recording.open(Gio.File.new_for_path(self.file))
        self.assertEqual(recording.get_state(), Weft.RecordingState.COMPLETE)
        self.assertEqual(recording.get_n_rows('dispatches'), status.props.dispatches)

    def test_ask_while_it_records(self):
        recorder = self.recorder('spans=100', 'wait=1', 'sleep=1')
        recorder.start()
        self.until(lambda: recorder.get_status().props.dispatches >= 100)
        recorder.flush()
        recording = Weft.Recording.open(Gio.File.new_for_path(self.file))
        self.assertGreaterEqual(recording.get_n_rows('dispatches'), 100)
        session, = Weft.Session.list()
        self.assertEqual(session.props.pid, os.getpid())
        self.assertEqual(session.props.path, self.file)
        self.assertGreaterEqual(session.props.status.props.dispatches, 100)
        words = GLib.Variant('a(sssss)', [('made', 'kind', 'test.*', 'label', 'Lane')])
        self.assertTrue(recorder.add_words(words, False))
        self.assertTrue(recorder.add_diagnostic(Weft.Severity.INFO, 'found', 'Something'))
        recorder.send_signal(signal.SIGTERM)
        recorder.wait()
        recorder.stop()
        recording.refresh()
        self.assertEqual(recording.get_n_rows('words'), 1)
        self.assertEqual(recording.get_n_rows('diagnostics'), 1)
        self.assertEqual(len(Weft.Session.list()), 0)

    def test_main_loop(self):
        recorder = self.recorder('spans=100', 'wait=1')
        recorder.props.status_interval = 20
        loop = GLib.MainLoop()
        states, counts, saved = [], [], []

        def stopped(source, result):
            saved.append(source.stop_finish(result))
            loop.quit()

        recorder.connect('notify::state', lambda source, spec: states.append(source.props.state))
        recorder.connect('notify::status', lambda source, spec: counts.append(source.props.status.props.dispatches))
        recorder.connect('notify::end', lambda source, spec: source.stop_async(None, stopped))
        recorder.start_async(None, lambda source, result: source.start_finish(result))
        GLib.timeout_add_seconds(30, loop.quit)
        loop.run()
        self.assertGreaterEqual(saved[0].props.dispatches, 100)
        self.assertEqual(states[0], Weft.RecorderState.RECORDING)
        self.assertGreaterEqual(len(counts), 2)

    def test_errors(self):
        recorder = Weft.Recorder(output=self.file, argv=['no-such-program-at-all'])
        self.refuses(GLib.spawn_error_quark(), GLib.SpawnError.NOENT, recorder.start)
        self.assertFalse(os.path.exists(self.file))
        self.refuses(Weft.error_quark(), Weft.Error.RECORDER, recorder.stop)
        self.refuses(Gio.io_error_quark(), Gio.IOErrorEnum.NOT_FOUND, Weft.recordings_resolve, None)

    def test_spool(self):
        os.mkdir(self.path('spool'))
        subprocess.run([PRODUCER, 'spans=100'], check=True, stdout=subprocess.DEVNULL, timeout=60,
                       env=dict(os.environ, WEFT_TARGET_SPOOL=self.path('spool')))
        spools = [self.path('spool', name) for name in os.listdir(self.path('spool'))]
        self.assertTrue(spools)
        progress = Weft.Progress.new()
        answers = []
        loop = GLib.MainLoop()
        Weft.import_spool_async(spools, self.path('y.weft'), progress, None,
                                lambda source, result: (answers.append(Weft.import_spool_finish(result)), loop.quit()))
        loop.run()
        self.assertGreaterEqual(answers[0].dispatches, 100)
        self.assertEqual(progress.get_fraction(), 1)
        repaired = Weft.repair(self.path('y.weft'), self.path('z.weft'), None, None)
        self.assertGreater(repaired.rows, 100)
        self.assertEqual(repaired.damaged_chunks, 0)


class Builder(Case):
    def test_build(self):
        builder = Weft.RecordingBuilder.new(self.file)
        builder.add_origin('a script')
        lane = self.add(builder, 'lanes', name=GLib.Variant('s', 'one'), kind=GLib.Variant('s', 'made.lane'))
        routine = self.add(builder, 'routines', name=GLib.Variant('s', 'work'))
        n = 1000
        numbers = lambda size, values: GLib.Bytes.new(b''.join(v.to_bytes(size, sys.byteorder) for v in values))
        good, first = builder.add_dispatches(numbers(4, [lane] * n), numbers(4, [routine] * n),
                                             numbers(8, range(0, n * 10, 10)), numbers(8, [7] * n), None, None)
        self.assertTrue(good)
        self.assertEqual(first, 1)
        good, last = builder.add_dispatch(lane, routine, n * 10, 3, 0, Weft.Status.ERROR)
        self.assertEqual(last, n + 1)
        self.refuses(Weft.error_quark(), Weft.Error.NO_SUCH_FIELD, self.add_with, builder, 'lanes', 'colour')
        self.refuses(Weft.error_quark(), Weft.Error.NO_SUCH_TABLE, self.add_with, builder, 'lakes', 'name')
        self.refuses(Gio.io_error_quark(), Gio.IOErrorEnum.INVALID_ARGUMENT, self.add_with, builder, 'lanes', 'name')
        builder.finish()
        recording = Weft.Recording.open(Gio.File.new_for_path(self.file))
        self.assertEqual(recording.get_n_rows('dispatches'), n + 1)
        self.assertEqual(recording.get_n_rows('lanes'), 1)

    def test_values_and_domain(self):
        class Looms(GObject.Object, Weft.Domain):
            def do_get_name(self): return 'looms'
            def do_get_vocabulary(self):
                words = Weft.Vocabulary.new('looms')
                words.add_word(None, 'dispatch', 'piece', 'pieces')
                return words
            def do_diagnose(self, recording, cancellable):
                findings = Gio.ListStore.new(Weft.Finding)
                findings.append(Weft.Finding.new('looms.lanes', 'Lanes?', Weft.Verdict.GOOD,
                                                 str(recording.get_n_rows('lanes')), None, None))
                return findings

        builder = Weft.RecordingBuilder.new(self.file)
        self.assertEqual(builder.get_path(), self.file)
        builder.set_waits_known(False)
        builder.set_end(5000)
        good, lane = builder.add_values('lanes', [], [], ['name', 'kind'], ['one', 'looms.loom'])
        self.assertTrue(good)
        _, routine = builder.add_values('routines', [], [], ['name'], ['work'])
        _, dispatch = builder.add_values('dispatches', ['lane', 'routine', 'start', 'duration'],
                                         [lane, routine, 2 ** 64 - 5, 20], None, None)
        self.assertEqual(dispatch, 1)
        self.refuses(Weft.error_quark(), Weft.Error.NO_SUCH_OBJECT, builder.add_values, 'dispatches',
                     ['lane', 'routine'], [lane, 9], None, None)
        self.assertTrue(builder.flush(None))
        builder.add_domain(Looms(), None)
        builder.finish()
        recording = Weft.Recording.open(Gio.File.new_for_path(self.file))
        self.assertEqual(recording.get_duration(), 5000)
        self.assertEqual(recording.get_vocabulary().get_word('looms.loom', 'dispatch', True), 'pieces')
        self.assertEqual([recording.get_n_rows(table) for table in ('dispatches', 'findings')], [1, 1])

    def add(self, builder, table, **values):
        good, number = builder.add_row(table, GLib.Variant('a{sv}', values))
        self.assertTrue(good)
        return number

    def add_with(self, builder, table, field):
        builder.add_row(table, GLib.Variant('a{sv}', {field: GLib.Variant('i', 1)}))


tap_report.main(sys.argv[3:])
