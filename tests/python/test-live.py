#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Recordings that grow: made, followed and stopped from Python. Reports in TAP.

    test-live.py RECORDING
"""

import asyncio
import os
import subprocess
import threading
import time

from corpus_case import CORPUS, FolderCase, Gio, GLib, Weft, main


class Subscriptions(FolderCase):
    def test_batches(self):
        seen = {'dispatch': 0, 'metric': 0, 'trace': 0, 'warning': 0}
        for batch in self.recording.subscribe(*seen, max_rows=100):
            self.assertLessEqual(len(batch), 100)
            self.assertEqual(len(batch), sum(len(batch[kind]) for kind in seen))
            self.assertEqual(batch.missed, 0)
            for kind in seen:
                seen[kind] += len(batch[kind])
        self.assertEqual(seen, {kind: self.recording.get_n_rows(table) for kind, table in
                                (('dispatch', 'dispatches'), ('metric', 'metric_points'), ('trace', 'traces'),
                                 ('warning', 'warnings'))})

    def test_kinds(self):
        everything = self.recording.subscribe()
        self.assertEqual(everything.get_kinds().value_nicks, ['dispatch', 'metric', 'trace', 'warning'])
        self.assertEqual(self.recording.subscribe(Weft.EventKinds.TRACE).get_kinds(), Weft.EventKinds.TRACE)
        with self.assertRaises(ValueError) as raised:
            self.recording.subscribe('dispatch', 'nonsense')
        self.assertIn('warning', str(raised.exception))
        traces = [row['name'] for batch in self.recording.subscribe('trace') for row in batch['trace']]
        self.assertEqual(len(traces), self.recording.get_n_rows('traces'))

    def test_what_is_missed(self):
        with Weft.record(output=self.path('x.weft')) as recording:
            subprocess.run([CORPUS, '--no-drops'], check=True, stdout=subprocess.DEVNULL, timeout=60)
            recording.recorder.flush()
            recording.refresh()
            subscription = recording.subscribe('dispatch', bound=100)
            batch = next(iter(subscription))
            self.assertGreaterEqual(batch.missed, recording.get_n_rows('dispatches') - 100)
            self.assertGreater(batch.missed, 400)
            self.assertEqual(subscription.get_missed(), batch.missed)
        # One that is finished is delivered whole.
        batches = list(recording.subscribe('dispatch', bound=100))
        self.assertEqual(sum(map(len, batches)), recording.get_n_rows('dispatches'))

    def test_asyncio(self):
        async def count():
            return sum([len(batch) async for batch in self.recording.subscribe('dispatch', max_rows=50)])

        self.assertEqual(asyncio.run(count()), self.recording.get_n_rows('dispatches'))

    def test_asyncio_cancelled(self):
        """One waits for what does not come, and is told to stop."""
        async def wait(recording):
            async for batch in recording.subscribe('warning'):
                pass

        async def give_up(recording):
            with self.assertRaises(asyncio.TimeoutError):
                await asyncio.wait_for(wait(recording), 0.3)

        with Weft.record(output=self.path('x.weft')) as recording:
            started = time.monotonic()
            asyncio.run(give_up(recording))
            self.assertLess(time.monotonic() - started, 20)


class Recorders(FolderCase):
    def test_program(self):
        with Weft.record([CORPUS, '--no-drops'], self.path('x.weft')) as recording:
            self.assertTrue(recording.get_live())
            rows = sum(len(batch['dispatch']) for batch in recording.subscribe('dispatch'))
        self.assertEqual(recording.get_state(), Weft.RecordingState.COMPLETE)
        self.assertEqual(rows, recording.get_n_rows('dispatches'))
        self.assertGreater(rows, 500)
        self.assertEqual(recording.recorder.get_exit_status(), 0)
        self.assertEqual(recording.recorder.get_end(), Weft.RecorderEnd.PROGRAM)

    def test_usual_place(self):
        with Weft.record(['true']) as recording:
            pass
        self.assertTrue(recording.get_file().get_path().startswith(self.path('recordings', 'true-')))
        self.assertEqual(Weft.open().get_start_monotonic(), recording.get_start_monotonic())

    def test_settings(self):
        with Weft.record(['sh', '-c', 'test "$PWD" = / && test "$A" = b || exit 7'], self.path('x.weft'),
                         working_directory='/', environment=['A=b', f'PATH={os.environ["PATH"]}']) as recording:
            pass
        self.assertEqual(recording.recorder.get_exit_status(), 0)
        with Weft.record(['sleep', '60'], self.path('y.weft'), duration=200_000_000) as recording:
            pass
        self.assertEqual(recording.recorder.get_end(), Weft.RecorderEnd.DURATION)
        os.kill(recording.recorder.get_pid(), 15)

    def test_whatever_connects(self):
        with Weft.record(output=self.path('x.weft')) as recording:
            subprocess.run([CORPUS, '--no-drops'], check=True, stdout=subprocess.DEVNULL, timeout=60)
        self.assertEqual(recording.get_state(), Weft.RecordingState.COMPLETE)
        self.assertGreater(recording.get_n_rows('dispatches'), 500)

    def test_exception(self):
        threads = threading.active_count()
        with self.assertRaises(ZeroDivisionError):
            with Weft.record(['sleep', '60'], self.path('x.weft')) as recording:
                1 / 0
        self.assertEqual(threading.active_count(), threads)
        recording.refresh()
        self.assertEqual(recording.get_state(), Weft.RecordingState.COMPLETE)
        os.kill(recording.recorder.get_pid(), 15)

    def test_what_cannot_be_recorded(self):
        for argv, output, domain, code in (
                (['no-such-program'], 'x.weft', GLib.spawn_error_quark(), GLib.SpawnError.NOENT),
                (['true'], 'no-such-folder/x.weft', Gio.io_error_quark(), Gio.IOErrorEnum.NOT_FOUND)):
            with self.assertRaises(GLib.Error) as raised:
                with Weft.record(argv, self.path(output)):
                    self.fail('there is nothing to record')
            self.assertTrue(raised.exception.matches(domain, code), raised.exception)
        self.assertEqual(os.listdir(self.folder), ['run'] if os.path.exists(self.path('run')) else [])
        with self.assertRaises(TypeError):
            with Weft.record(['true'], self.path('x.weft'), nonsense=1):
                self.fail('there is no such setting')


main()
