#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""All that the command line does, done from Python with the same outcome. Reports in TAP.

    test-commands.py RECORDING PLUGIN

A command that asks an analysis of its name is compared as it is. Any other has a test here that is named after it; one
that has none fails test_every_command.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import xml.dom.minidom

from corpus_case import CORPUS, RECORDING, WEFT, FolderCase, GLib, Weft, main

PLUGIN = sys.argv.pop(2)
# Kinds that know samples and waits only.
OF_THREADS = {'threads', 'callers', 'waits', 'wakers'}
# Of answers about one object, which one.
OBJECTS = {'callers': 'main', 'target-dispatch': 'd-2'}
# Kinds that may refuse a question: of samples, which the corpus has none of, or in a mode that does not know the word.
REFUSING = {'annotate', 'flame'}
# Orders that differ from “lock” in the reason only.
ALIKE = {reason.value_nick.replace('-', '_') for reason in Weft.WaitReason.__enum_values__.values()} - {'lock'}
# Words whose answer needs something that the corpus has.
RANGE = ('100ms', '400ms')

# Does something with a registry, and prints what `weft plugins --json` does.
DESCRIBE = '''
import json, sys
import gi
gi.require_version('Weft', '1')
from gi.repository import Gio, Weft
registry = Weft.PluginRegistry.new(None)
registry.load(None)
{}
names = lambda extensions: [extension.get_name() for extension in extensions]
print(json.dumps([dict(
    name=plugin.get_name(), version=plugin.get_version(), state=plugin.get_state().value_nick,
    reason=plugin.get_reason(), path=plugin.get_path(), description=plugin.get_description(),
    licence=plugin.get_licence(), domains=names(plugin.get_domains()), instruments=names(plugin.get_instruments()),
    importers=names(plugin.get_importers()), exporters=names(plugin.get_exporters())) for plugin in registry]))
'''


def commands():
    text = subprocess.run([WEFT, '--help'], check=True, stdout=subprocess.PIPE).stdout.decode()
    return re.findall(r'^  (\w[\w -]*?)  ', text, re.M)


def kind_of(command):
    kind = command.replace(' ', '-')
    return kind if kind in Weft.Analysis.list_kinds() else None


def complete(word):
    """Words such as “counter:” want a name behind them."""
    return word + {'counter': 'cycles', 'tag': 'color'}[word[:-1]] if word.endswith(':') else word


class Commands(FolderCase):
    def test_every_command(self):
        found = commands()
        self.assertGreater(len(found), 20)
        for command in found:
            own = getattr(self, 'test_' + command.replace(' ', '_').replace('-', '_'), None)
            self.assertTrue(kind_of(command) or own, f'“weft {command}” has no match in Python that is tested')

    # ---- Questions ----

    def compare(self, command, *arguments, handle=None, **options):
        kind = kind_of(command)
        words = [handle] if handle else []
        done = subprocess.run([WEFT, *command.split(), *arguments, '--json', *words, RECORDING], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        if kind in REFUSING and done.returncode == 1:
            with self.assertRaises(GLib.Error) as refused:
                self.recording.ask(kind, handle, **options)
            self.assertEqual(done.stderr.decode(), f'weft: {refused.exception.message}\n')
            return None
        printed = done.stdout.decode()
        self.assertEqual((done.returncode, done.stderr.decode()), (0, ''), f'{command} {arguments}')
        self.assertEqual(self.recording.ask(kind, handle, **options).to_json(), printed, f'{command} {arguments}')
        return json.loads(printed)

    def test_questions(self):
        asked = 0
        for command in commands():
            kind = kind_of(command)
            if kind is None:
                continue
            handle = OBJECTS.get(kind)
            allowed = Weft.Analysis.kind_get_options(kind)
            self.compare(command, handle=handle)
            if allowed & Weft.AnalysisOptions.FILTER:
                where = 'thread:main' if kind in OF_THREADS else 'status:ok'
                self.compare(command, '-f', where, handle=handle, where=where)
            if allowed & Weft.AnalysisOptions.RANGE:
                self.compare(command, '--from', RANGE[0], '--to', RANGE[1], handle=handle, time_range=RANGE)
            if allowed & Weft.AnalysisOptions.LIMIT:
                self.compare(command, '-n', '2', handle=handle, limit=2)
                self.compare(command, '--all', handle=handle, limit=0)
            if allowed & Weft.AnalysisOptions.AT:
                self.compare(command, '--at', '200ms', handle=handle, at='200ms')
            if allowed & Weft.AnalysisOptions.BUCKETS:
                self.compare(command, '--buckets', '7', handle=handle, buckets=7)
            for word in map(complete, sorted(set(Weft.Analysis.kind_list_orders(kind)) - ALIKE)):
                self.compare(command, '--by', word, handle=handle, by=word)
            for word in map(complete, Weft.Analysis.kind_list_groups(kind)):
                self.compare(command, '--group', word, handle=handle, group_by=word)
            for word in Weft.Analysis.kind_list_modes(kind):
                self.compare(command, '--mode', word, handle=handle, mode=word)
            if allowed & Weft.AnalysisOptions.INVERTED:
                self.compare(command, '--mode', 'wall', '-i', '-x', 'f*', '--min-share', '1', mode='wall', inverted=True,
                             exclude=['f*'], min_share=0.01)
            asked += 1
        self.assertGreater(asked, 12)

    def test_cursors(self):
        answer = self.compare('target dispatches', '-n', '10', limit=10)
        self.compare('target dispatches', '-n', '10', '--cursor', answer['cursor'], limit=10, cursor=answer['cursor'])

    def test_pictures(self):
        printed = self.weft('flame', '--svg', '-', RECORDING).decode()
        title = os.path.basename(RECORDING)
        self.assertEqual(Weft.flame_to_svg(self.recording.ask('flame'), title), printed)
        with self.assertRaises(GLib.Error) as refused:
            Weft.flame_to_svg(self.recording.ask('target-lanes'), title)
        self.assertTrue(refused.exception.matches(Weft.Error.quark(), Weft.Error.INVALID_QUERY))
        root = xml.dom.minidom.parseString(printed).documentElement
        self.assertGreater(len(root.getElementsByTagName('rect')), 20)

    # ---- Recorders ----

    def record(self, *arguments):
        recorder = subprocess.Popen([WEFT, 'record', '-q', '-o', self.path('x.weft'), *arguments],
                                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.addCleanup(recorder.wait, 30)
        self.addCleanup(recorder.terminate)
        deadline = time.monotonic() + 30
        while not len(Weft.Session.list()):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        return recorder, Weft.Session.list()[0]

    def test_record(self):
        told = self.weft_json('record', '--json', '-o', self.path('x.weft'), '--', 'sh', '-c', 'exec "$0" >&2', CORPUS)
        with Weft.record(['sh', '-c', 'exec "$0" >&2', CORPUS], self.path('y.weft')) as recording:
            pass
        status = recording.recorder.get_status()
        told = told['value']
        for name in ('dispatches', 'pending', 'lost', 'rejected', 'sampled_out', 'lanes', 'refused', 'samples',
                     'stacks_complete', 'waits', 'events_lost'):
            self.assertIsInstance(told.pop(name), int)
            self.assertIsInstance(getattr(status, 'get_' + name)(), int)
        for name in ('elapsed', 'file_size', 'cpu'):
            self.assertGreater(told.pop(name), 0)
            self.assertGreater(getattr(status, 'get_' + name)(), 0)
        for name in ('sampler', 'sampler_missing'):
            self.assertEqual(told.pop(name), getattr(status, 'get_' + name)())
        self.assertEqual(told, {'file': self.path('x.weft'), 'complete': True, 'exit_status': 0,
                                'runtimes': status.get_runtimes_seen()})
        self.assertEqual(status.get_state(), Weft.RecorderState.FINISHED)
        self.assertEqual(recording.recorder.get_exit_status(), 0)

    def test_status(self):
        self.assertEqual(self.weft_json('status', '--json')['rows'], [])
        self.assertEqual(len(Weft.Session.list()), 0)
        self.record('-d', '60')
        told, = self.weft_json('status', '--json')['rows']
        session, = Weft.Session.list()
        status = session.get_status()
        self.assertEqual((told.pop('file'), told.pop('pid')), (session.get_path(), session.get_pid()))
        self.assertEqual(told.pop('state'), status.get_state().value_nick)
        for name in ('elapsed', 'cpu', 'resident', 'file_size'):
            self.assertGreaterEqual(getattr(status, 'get_' + name)(), 0)
            told.pop(name)
        for name, value in told.items():
            self.assertEqual(getattr(status, 'get_' + name)(), value, name)
        self.assertEqual(len(told), 15)

    def test_wait(self):
        recorder, session = self.record('--', 'sh', '-c', '"$0" --no-drops >&2; sleep 60', CORPUS)
        self.weft('wait', '--for-dispatches', '300', '-t', '30')
        self.assertTrue(session.refresh())
        self.assertGreaterEqual(session.get_status().get_dispatches(), 300)
        self.assertTrue(session.is_running())

    def test_stop(self):
        recorder, session = self.record('-d', '60')
        self.assertTrue(session.stop())
        self.assertEqual(recorder.wait(30), 0)
        self.assertFalse(session.is_running())
        self.assertEqual(Weft.open(session.get_path()).get_state(), Weft.RecordingState.COMPLETE)

    # ---- Files ----

    def test_compare(self):
        comparison = Weft.Comparison.new()
        comparison.add_recording(Weft.ComparisonSide.A, self.recording)
        comparison.add_recording(Weft.ComparisonSide.B, Weft.open(RECORDING))
        printed = self.weft('compare', '--all', '--json', RECORDING, RECORDING).decode()
        comparison.set_limit(0)
        self.assertEqual(comparison.run(None).to_json(), printed)

    def test_check(self):
        gate = Weft.Gate.new()
        gate.add_threshold('count > 100')
        gate.add_recording(self.recording)
        self.assertEqual(gate.run(None).get_report().to_json(),
                         self.weft('check', '--format', 'json', RECORDING, 'count > 100').decode())

    def test_sql(self):
        question = 'SELECT kind, count(*) AS n FROM lanes GROUP BY kind ORDER BY kind'
        self.assertEqual(self.weft_json('sql', '--json', RECORDING, question)['rows'],
                         self.recording.sql(question).to_dicts())

    def test_list(self):
        os.makedirs(self.path('recordings'))
        shutil.copy(RECORDING, self.path('recordings', 'one.weft'))
        with open(self.path('recordings', 'bad.weft'), 'wb') as file:
            file.write(b'nonsense')
        rows = [{'file': info.get_path(), 'start': info.get_start(), 'dispatches': info.get_dispatches(),
                 'file_size': info.get_size(),
                 'state': info.get_state().value_nick if info.is_readable() else 'unreadable'}
                for info in Weft.recordings_list(None)]
        self.assertEqual(len(rows), 2)
        self.assertEqual(self.weft_json('list', '--json')['rows'], rows)

    def test_repair(self):
        damaged = self.path('damaged.weft')
        with open(RECORDING, 'rb') as file, open(damaged, 'wb') as cut:
            cut.write(file.read()[:-3000])
        told = self.weft_json('repair', '--json', '-o', self.path('x.weft'), damaged)['value']
        summary = Weft.repair(damaged, self.path('y.weft'), None, None)
        self.assertEqual(told.pop('file'), self.path('x.weft'))
        self.assertEqual(told, {name: getattr(summary, name) for name in told})
        self.assertGreater(summary.missing_bytes + summary.damaged_chunks, 0)
        self.assertEqual(Weft.open(self.path('y.weft')).query('lanes').to_dicts(),
                         Weft.open(self.path('x.weft')).query('lanes').to_dicts())

    def test_import(self):
        os.mkdir(self.path('spool'))
        subprocess.run([CORPUS, '--no-drops'], check=True, stdout=subprocess.DEVNULL, timeout=60,
                       env=dict(os.environ, WEFT_TARGET_SPOOL=self.path('spool')))
        spools = sorted(self.path('spool', name) for name in os.listdir(self.path('spool')))
        told = self.weft_json('import', '--json', '-o', self.path('x.weft'), *spools)['value']
        summary = Weft.import_spool(spools, self.path('y.weft'), None, None)
        self.assertEqual(told.pop('file'), self.path('x.weft'))
        self.assertEqual(told, {name: getattr(summary, name) for name in told})
        self.assertGreater(summary.dispatches, 500)
        # What is no spool is for the importers of plugins.
        self.weft('import', RECORDING, '-o', self.path('z.weft'), status=1)
        head = GLib.Bytes.new(b'nonsense')
        self.assertIsNone(Weft.PluginRegistry.new([]).recognize(head, 'x'))

    def test_export(self):
        tables = {'dispatches': None, 'lanes': ['name', 'kind'], 'tags': None}
        for table, select in tables.items():
            words = ['-t', table, *(['-s', ','.join(select)] if select else [])]
            for form in ('csv', 'json', 'arrow'):
                answer = self.recording.query(table, select=select)
                written = self.weft('export', form, *words, RECORDING)
                self.assertEqual(answer.export(form), written, f'{form} {words}')
                answer.export(form, self.path('x'))
                with open(self.path('x'), 'rb') as file:
                    self.assertEqual(file.read(), written)
        self.assertEqual(self.recording.query('dispatches', where='status:error', limit=3).export('csv'),
                         self.weft('export', 'csv', '-f', 'status:error', '-n', '3', RECORDING))
        with self.assertRaises(ValueError) as raised:
            self.recording.query('lanes').export('nonsense')
        self.assertIn('arrow', str(raised.exception))

    # ---- Plugins ----

    def setUpPlugins(self):
        for name in ('plugins', 'data', 'cache'):
            os.mkdir(self.path(name))
        self.environment = dict(os.environ, WEFT_PLUGIN_PATH=self.path('plugins'), XDG_DATA_HOME=self.path('data'),
                                XDG_CACHE_HOME=self.path('cache'))

    def with_registry(self, statement='', *arguments):
        """Descriptions of the plugins that a fresh interpreter has: what is loaded stays loaded."""
        done = subprocess.run([sys.executable, '-c', DESCRIBE.format(statement), *arguments], check=True,
                              env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=60)
        return json.loads(done.stdout)

    def weft_plugins(self, *arguments, status=0):
        done = subprocess.run([WEFT, 'plugins', *arguments], env=self.environment, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, status, done.stderr.decode())
        return done.stdout

    def listed(self):
        return json.loads(self.weft_plugins('--json'))['rows']

    def test_plugins(self):
        self.setUpPlugins()
        shutil.copy(PLUGIN, self.path('plugins', 'loom.so'))
        with open(self.path('plugins', 'bad.so'), 'wb') as file:
            file.write(b'nonsense')
        rows = self.listed()
        self.assertEqual(self.with_registry(), rows)
        self.assertEqual(sorted(row['state'] for row in rows), ['loaded', 'refused'])
        self.assertIn(['weaving'], [row['domains'] for row in rows])

    def test_plugins_install(self):
        self.setUpPlugins()
        plugins = self.with_registry('registry.install(Gio.File.new_for_path(sys.argv[1]), None)', PLUGIN)
        self.assertEqual([plugin['state'] for plugin in plugins], ['loaded'])
        self.assertEqual(self.listed(), plugins)
        with self.assertRaises(subprocess.CalledProcessError):
            self.with_registry('registry.install(Gio.File.new_for_path(sys.argv[1]), None)', RECORDING)
        self.weft_plugins('install', RECORDING, status=1)

    def test_plugins_remove(self):
        self.setUpPlugins()
        self.weft_plugins('install', PLUGIN)
        self.assertEqual([plugin['name'] for plugin in self.with_registry()], ['loom'])
        self.assertEqual(self.with_registry('registry.remove(sys.argv[1])', 'loom'), [])
        self.assertEqual(self.listed(), [])
        self.weft_plugins('remove', 'loom', status=1)
        with self.assertRaises(subprocess.CalledProcessError):
            self.with_registry('registry.remove(sys.argv[1])', 'loom')

    # ---- Words ----

    def test_completion(self):
        """What shells are offered is what the library lists."""
        offered = self.weft('completion', '--', 'target', 'top', '--by', '').decode().split()
        self.assertEqual(offered, Weft.Analysis.kind_list_orders('target-top'))
        self.assertGreater(len(offered), 1)


main()
