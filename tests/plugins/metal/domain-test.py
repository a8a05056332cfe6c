#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What Metal calls things, and what the domain finds in recordings: each finding from a program that
leaves something out, on the real way, and none from one that does not."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

WEFT, PLUGINS, SCENES, FRAMES = (os.path.abspath(path) for path in sys.argv[1:5])
SOURCE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(SOURCE, '..', '..'))
import tap_report


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='weft-metal-')
        self.addCleanup(shutil.rmtree, self.folder)

    def run_weft(self, *arguments, plugins=PLUGINS):
        where = {**os.environ, 'G_DEBUG': 'fatal-criticals',
                 'HOME': self.folder, 'XDG_DATA_HOME': self.folder,
                 'XDG_CACHE_HOME': self.folder, 'XDG_RUNTIME_DIR': self.folder,
                 'WEFT_PLUGIN_PATH': plugins}
        run = subprocess.run([WEFT, *arguments], env=where, capture_output=True, text=True,
                             timeout=100, check=False)
        self.assertEqual(run.returncode, 0, run.stderr)
        return run.stdout

    def record(self, *scene, cpu='off', plugins=PLUGINS):
        file = os.path.join(self.folder, f'{scene[0]}.weft')
        self.run_weft('record', '--cpu', cpu, '-q', '-o', file, '--', SCENES, *scene,
                      plugins=plugins)
        return file

    def table(self, file, name):
        return list(csv.DictReader(io.StringIO(self.run_weft('export', '-t', name, 'csv', file))))

    def findings(self, file):
        """Of the domain alone, by the name of the check."""
        rows = self.table(file, 'findings')
        return {row['check']: row for row in rows if row['domain'] == 'metal'}

    def assertFinding(self, found, check, verdict, *evidence):
        self.assertIn(check, found)
        self.assertEqual(found[check]['verdict'], verdict, found[check])
        for part in evidence:
            self.assertIn(part, found[check]['evidence'])
        self.assertEqual(bool(found[check]['advice']), verdict != 'good', found[check])


class Findings(Case):
    def assertOnly(self, found, *checks):
        """Nothing else is wrong."""
        wrong = {check for check, row in found.items() if row['verdict'] != 'good'}
        self.assertEqual(wrong, set(checks))

    def test_healthy(self):
        found = self.findings(self.record('healthy'))
        self.assertOnly(found)
        self.assertEqual(set(found), {'metal.lanes', 'metal.sources', 'metal.identity',
                                      'metal.counters', 'metal.counter-errors', 'metal.resolved'})

    def test_names_without_sources(self):
        found = self.findings(self.record('no-source'))
        self.assertFinding(found, 'metal.sources', 'attention', '1 of 1 shader ', 'scale')
        self.assertIn('metallib', found['metal.sources']['advice'])
        self.assertRegex(found['metal.sources']['handles'], r'^r-\d+$')
        self.assertOnly(found, 'metal.sources')

    def test_shaders_without_identity(self):
        found = self.findings(self.record('no-library'))
        self.assertFinding(found, 'metal.identity', 'attention', 'scale')
        self.assertOnly(found, 'metal.identity')

    def test_counter_sets_without_samples(self):
        """Each with the reason that the program gave, and what its probe said."""
        found = self.findings(self.record('unsampled'))
        self.assertFinding(
            found, 'metal.counters', 'attention', 'Of 4 counter sets, listed and not sampled: 4',
            '“statistic” is disabled: the counter mode is off (supportsCounterSampling: NO)',
            '“stageutilization” is unsupported: not at dispatch boundaries',
            '“timestamp” is failing: no memory for the buffer', '“L2” is present, and no sample')
        self.assertEqual(len(found['metal.counters']['handles'].split()), 4)
        self.assertOnly(found, 'metal.counters')

    def test_error_values(self):
        found = self.findings(self.record('errors'))
        self.assertFinding(found, 'metal.counter-errors', 'attention', '2 of 10 counter values')
        self.assertOnly(found, 'metal.counter-errors')

    def test_unresolved_times(self):
        found = self.findings(self.record('unresolved'))
        self.assertFinding(found, 'metal.resolved', 'attention', '6 dispatches have no times',
                           'made up: 6 not-written')
        self.assertEqual(len(found['metal.resolved']['handles'].split()), 2)
        self.assertOnly(found, 'metal.resolved')

    def test_frames_without_a_lane(self):
        """Stacks of the CPU lead through Metal, and nothing was reported."""
        place = os.path.join(self.folder, 'Metal.framework', 'Versions', 'A')
        os.makedirs(place)
        module = os.path.join(place, 'Metal')
        shutil.copy(FRAMES, module)
        file = self.record('frames', module, cpu='auto')
        if not self.table(file, 'frames'):
            self.skipTest('nothing here samples the CPU')
        found = self.findings(file)
        self.assertFinding(found, 'metal.lanes', 'problem', 'Metal', 'no lane')
        self.assertIn('weft-metal.h', found['metal.lanes']['advice'])
        self.assertEqual(set(found), {'metal.lanes'})

    def test_other_programs_are_not_asked_about(self):
        """The same code under another name is nobody's business."""
        module = os.path.join(self.folder, 'libother.so')
        shutil.copy(FRAMES, module)
        self.assertEqual(self.findings(self.record('frames', module, cpu='auto')), {})

    def test_diagnose_shows_them(self):
        """Wherever the file is read, with the plugin or without."""
        file = self.record('unsampled')
        for plugins in PLUGINS, '/nonexistent':
            answer = json.loads(self.run_weft('diagnose', '--json', file, plugins=plugins))
            checks = {row['check']: row for row in answer['rows']}
            self.assertEqual(checks['metal.counters']['verdict'], 'attention')


class Words(Case):
    def test_recordings_keep_them(self):
        """Once the plugin is gone, a recording still calls things by their names."""
        file = self.record('healthy')
        for plugins in PLUGINS, '/nonexistent':
            answer = json.loads(self.run_weft('target', 'lanes', '--json', file, plugins=plugins))
            (lane,) = answer['rows']
            self.assertEqual(lane['kind'], 'metal.queue')
            self.assertEqual(lane['kind_label'], 'Metal command queue')
            routines = json.loads(
                self.run_weft('target', 'routines', '--json', file, plugins=plugins))
            self.assertEqual(routines['rows'][0]['routine_word'], 'shader')

    def test_without_the_plugin_there_are_none(self):
        file = self.record('healthy', plugins='/nonexistent')
        self.assertEqual(self.table(file, 'words'), [])
        self.assertEqual(self.findings(file), {})

    def words(self):
        """scope → subject → key → text, as recordings keep them."""
        kept = {}
        for row in self.table(self.record('healthy'), 'words'):
            if row['domain'] == 'metal':
                kept.setdefault(row['scope'], {}).setdefault(row['subject'], {})[row['key']] = \
                    row['text']
        return kept

    def test_surfaces_are_kept_apart(self):
        """Every name is in the words of one surface, and of no other."""
        names = {
            'metal.surface.timestamp-heap': (
                'MTL4CounterHeapDescriptor', 'MTL4CounterHeapTypeTimestamp', 'MTL4CounterHeap',
                'MTL4ComputeCommandEncoder', 'MTL4RenderCommandEncoder',
                'writeTimestampWithGranularity', 'writeTimestampIntoHeap', 'resolveCounterHeap',
                'sizeOfCounterHeapEntry', 'queryTimestampFrequency'),
            'metal.surface.counter-sample-buffer': (
                'counterSets', 'MTLCounterSet', 'MTLCounterSampleBufferDescriptor',
                'newCounterSampleBufferWithDescriptor:error:', 'supportsCounterSampling',
                'sampleCountersInBuffer:atSampleIndex:withBarrier:', 'MTLCounterSampleBuffer',
                'MTLCounterResultStatistic', 'MTLCounterResultStageUtilization'),
            'metal.surface.capture': (
                'MTLCaptureManager', 'MTLCaptureDescriptor', 'MTLCaptureScope', '.gputrace'),
        }
        hints = {code: keys['text'] if 'text' in keys else next(iter(keys.values()))
                 for code, keys in self.words()['hint'].items()}
        for surface, own in names.items():
            for name in own:
                self.assertIn(name, hints[surface])
                for other in names.keys() - {surface}:
                    self.assertNotIn(name + ' ', hints[other] + ' ', (name, other))

    def test_counters_have_units(self):
        units = {name: keys.get('unit') for name, keys in self.words()['counter'].items()}
        self.assertEqual(len(units), 15)
        self.assertEqual(units['TotalCycles'], 'cycles')
        self.assertEqual(units['KernelInvocations'], 'invocations')
        self.assertEqual(units['GPUTimestamp'], 'ticks')
        self.assertNotIn(None, units.values())

    def test_rates_follow_from_counters(self):
        """By the sums of what was sampled: 10 samples of 64, each dispatch of 1 µs at least."""
        answer = json.loads(self.run_weft('target', 'routines', '--json', self.record('healthy')))
        derived = {row['metric']: row['value'] for row in answer['derived']}
        self.assertEqual(derived['metal.invocations-per-run'], 64)
        self.assertEqual(derived['metal.invocation-rate'],
                         640e9 / answer['rows'][0]['total'])


if __name__ == '__main__':
    tap_report.main(sys.argv[5:])
