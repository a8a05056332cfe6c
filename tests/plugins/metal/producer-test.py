#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What weft-metal.h reports, from a Metal-shaped producer through recorder and file to the answers."""

import bisect
import collections
import csv
import functools
import hashlib
import io
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

WEFT, PRODUCER, PLUGINS, LIBRARY_FILE = (os.path.abspath(path) for path in sys.argv[1:5])
SANITIZE = sys.argv[5]
SOURCE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(SOURCE, '..', '..', '..')
sys.path.insert(0, os.path.join(SOURCE, '..', '..'))
import tap_report

TEXT = '''#include <metal_stdlib>
using namespace metal;

kernel void tq1s_gemv (device float *out [[buffer (0)]])
{
  out[0] = 1;
}
'''
MANIFEST = '''weft-metal-sources 1
# made at build time
library\t{hash}
flags\t-O3 -gline-tables-only -frecord-sources
source\tgemv.metal
function\ttq1s_gemv\t4\t7
'''
LIBRARY = b'MTLB' + bytes(range(256)) * 300
TICK = 1e9 / 24e6


class Recording:
    """A run of the producer: TRUTH is what it did, tables are what was recorded of it."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix='weft-metal-')
        self.file = os.path.join(self.folder, 'run.weft')
        self.environment = {**os.environ, 'WEFT_PLUGIN_PATH': PLUGINS, 'HOME': self.folder,
                            'XDG_RUNTIME_DIR': self.folder, 'XDG_CACHE_HOME': self.folder}
        self.hash = hashlib.sha256(LIBRARY).hexdigest()
        self.write('fast.metallib', LIBRARY)
        self.write('gemv.metal', TEXT.encode())
        self.write('fast.sources', MANIFEST.format(hash=self.hash).encode())
        run = subprocess.run([WEFT, 'record', '-o', self.file, '--', *self.producer('truth')],
                             env=self.environment, capture_output=True, text=True, timeout=200,
                             check=False)
        if run.returncode != 0:
            raise AssertionError(run.stderr)
        self.tables = {}
        self.read_truth()
        base, = [d for d in self.table('dispatches')
                 if self.lane(d) == 'base']
        self.offset = self.truth['base'][0] - int(base['start'])

    def producer(self, truth, *more):
        return [PRODUCER, os.path.join(self.folder, truth),
                *(os.path.join(self.folder, name) for name in ('fast.metallib', 'fast.sources')),
                *more]

    def write(self, name, contents):
        with open(os.path.join(self.folder, name), 'wb') as file:
            file.write(contents)

    def read_truth(self):
        self.truth = {'stats': {}, 'clock': {}, 'dispatch': {}}
        with open(os.path.join(self.folder, 'truth'), encoding='utf-8') as file:
            for line in file:
                kind, *words = line.rstrip('\n').split('\t')
                if kind == 'stats':
                    figures = dict(zip(('submissions', 'refused', 'dispatches', 'resolved',
                                        'under_way', 'turns'), map(int, words[1:7])))
                    figures.update((word.split('=')[0], int(word.split('=')[1]))
                                   for word in words[7:])
                    self.truth['stats'][words[0]] = figures
                elif kind == 'clock':
                    self.truth['clock'][words[0]] = (float(words[4]), int(words[5]))
                elif kind == 'dispatch':
                    self.truth['dispatch'][words[1]] = (words[0], int(words[2]), int(words[3]))
                elif kind == 'library':
                    self.truth['library'] = words
                else:
                    self.truth[kind] = [int(word) for word in words]

    def table(self, name):
        if name not in self.tables:
            run = subprocess.run([WEFT, 'export', '-t', name, 'csv', self.file],
                                 env=self.environment, capture_output=True, text=True, check=True)
            self.tables[name] = list(csv.DictReader(io.StringIO(run.stdout)))
        return self.tables[name]

    def ask(self, *question):
        run = subprocess.run([WEFT, *question, '--json', self.file], env=self.environment,
                             capture_output=True, text=True, check=True)
        return json.loads(run.stdout)

    def named(self, table, name):
        row, = [row for row in self.table(table) if row['name'] == name]
        return row

    def lane(self, row):
        return {lane['id']: lane['name'] for lane in self.table('lanes')}[row['lane']]

    def dispatches(self, label):
        return [d for d in self.table('dispatches') if d['label'] == label]

    def counts(self, lane):
        """The newest row of conservation."""
        number = self.named('lanes', lane)['id']
        return [row for row in self.table('lane_counts') if row['lane'] == number][-1]

    def tags(self, table, row):
        number = row['id'].split('-')[-1]
        owners = {'lanes': '10', 'routines': '16', 'submissions': '18', 'dispatches': '20'}
        return {tag['key']: tag['text'] or tag['number'] for tag in self.table('tags')
                if (tag['owner_table'], tag['owner']) == (owners[table], number)}


def setUpModule():
    global run
    run = Recording()
    unittest.addModuleCleanup(shutil.rmtree, run.folder)


class Ring(unittest.TestCase):
    def check(self, lane, **figures):
        """The library's counts, and that nothing is lost on the way to the file."""
        stats = run.truth['stats'][lane]
        counts = run.counts(lane)
        for name, value in figures.items():
            self.assertEqual(stats[name.replace('_', '-') if name not in stats else name], value,
                             name)
        reasons = sum(value for key, value in stats.items()
                      if key not in ('submissions', 'refused', 'dispatches', 'resolved',
                                     'under_way', 'turns'))
        self.assertEqual(stats['dispatches'], stats['resolved'] + reasons)
        self.assertEqual([int(counts[key]) for key in ('submitted', 'completed', 'pending',
                                                       'rejected', 'lost')],
                         [stats['dispatches'], stats['resolved'], reasons, 0, 0])

    def test_two_heaps_come_round(self):
        self.check('ring', submissions=20, dispatches=60, resolved=60, turns=7)

    def test_encoders_on_threads(self):
        self.check('threads', submissions=48, dispatches=240, resolved=240)
        threads = {o['thread'] for o in run.table('origins') if o['role'] == 'dispatch'
                   for d in run.dispatches('threads') if o['dispatch'] == d['id']}
        self.assertEqual(len(threads), 4)

    def test_late_resolve(self):
        """Entries that the GPU may still write are not given out again; then they are."""
        self.check('late', dispatches=29, resolved=24, no_slot=5)
        self.assertEqual(len(run.dispatches('late-first')), 16)
        self.assertEqual(run.dispatches('late-no-slot'), [])
        self.assertEqual(len(run.dispatches('late-after')), 8)

    def test_deferred(self):
        self.assertEqual(run.truth['deferred'], [0, 5])
        self.check('deferred', dispatches=35, resolved=35)

    def test_fault(self):
        self.check('fault', dispatches=3, resolved=1, fault=2)
        self.assertEqual(len(run.dispatches('fault-before')), 1)
        self.assertEqual(run.dispatches('fault-lost'), [])

    def test_troubles(self):
        self.check('troubles', dispatches=4, resolved=1, not_written=1, error_value=1, reversed=1)
        self.assertEqual([len(run.dispatches('trouble-' + name))
                          for name in ('none', 'unwritten', 'error-value', 'reversed')],
                         [1, 0, 0, 0])

    def test_stale_entries_show(self):
        self.check('stale', dispatches=17, resolved=16, outside_submission=1)
        self.assertEqual(run.dispatches('stale-never-ran'), [])

    def test_other_unit(self):
        self.check('other unit', dispatches=4, resolved=0, outside_submission=4)

    def test_no_heaps(self):
        self.check('no heaps', dispatches=3, resolved=0, no_heap=3)

    def test_abandoned(self):
        self.check('abandoned', dispatches=20, resolved=8, abandoned=12)

    def test_closed_under_way(self):
        self.assertEqual(len(run.dispatches('closing')), 3)
        self.assertEqual([run.counts('closing')[key] for key in ('submitted', 'completed', 'pending')],
                         ['3', '3', '0'])

    def test_refused(self):
        self.assertEqual(run.truth['refused'], [1])
        self.check('refused', refused=1, dispatches=0)

    def test_reasons_are_told(self):
        """As a metric, and as warnings that grow seldom."""
        reasons = {metric['id']: run.lane(metric) for metric in run.table('metrics')
                   if metric['name'] == 'metal.unresolved'}
        told = collections.Counter()
        for point in run.table('metric_points'):
            if point['metric'] in reasons:
                told[reasons[point['metric']]] += float(point['value'])
        for lane in ('late', 'fault', 'troubles', 'stale', 'other unit', 'no heaps', 'abandoned'):
            stats = run.truth['stats'][lane]
            self.assertEqual(told[lane], stats['dispatches'] - stats['resolved'], lane)
        warnings = collections.Counter((run.lane(w), w['code'], w['message'])
                                       for w in run.table('warnings'))
        self.assertEqual(warnings['late', 'metal-unresolved', 'no-slot'], 3)
        self.assertEqual(warnings['other unit', 'metal-unresolved', 'outside-submission'], 1)
        self.assertEqual(sum(n for (lane, code, _), n in warnings.items()
                             if (lane, code) == ('refused', 'metal-refused')), 1)


class Times(unittest.TestCase):
    def bounds(self, lane):
        """Of a lane's clock: times of pairs, and what each may be wrong by."""
        return self.pairs(run.named('lanes', lane)['clock'])

    @functools.lru_cache
    def pairs(self, clock):
        pairs = sorted((int(pair['time']), int(pair['error_bound']))
                       for pair in run.table('clock_pairs') if pair['clock'] == clock)
        return [time for time, _ in pairs], [error for _, error in pairs]

    def own_bound(self, time):
        """What the runtime's own clock, by which pairs are told, may be wrong by beside the one
        that the truth is told in. A pair is placed as it comes, by the last two of this clock: as
        far behind these as they lie apart, three times their error."""
        own, = [clock['id'] for clock in run.table('clocks') if clock['kind'] != 'device']
        times, errors = self.pairs(own)
        at = bisect.bisect(times, time)
        return 3 * max(errors[max(at - 2, 0):at + 1], default=0)

    def test_within_the_bound_of_the_truth(self):
        """Each time that was recorded is the true one, as near as its clock pairs allow."""
        checked, inside = 0, 0
        worst = 0
        bounds = {}
        for d in run.table('dispatches'):
            if d['producer_id'] not in run.truth['dispatch']:
                continue
            lane = run.lane(d)
            times, errors = bounds.setdefault(lane, self.bounds(lane))
            kink = run.truth['clock'].get(lane, (0, 0))[1] - run.offset
            self.assertEqual(d['marks'], '0')
            for recorded, truth in zip((int(d['start']), int(d['start']) + int(d['duration'])),
                                       run.truth['dispatch'][d['producer_id']][1:]):
                truth -= run.offset
                at = bisect.bisect(times, truth)
                checked += 1
                if not 0 < at < len(times):
                    continue
                inside += 1
                bound = max(errors[at - 1], errors[at]) + self.own_bound(truth) + 2 * TICK + 2
                if times[at - 1] <= kink <= times[at]:
                    bound += 1e-3 * (times[at] - times[at - 1])
                worst = max(worst, abs(recorded - truth))
                self.assertLessEqual(abs(recorded - truth), bound, (lane, d['producer_id']))
        print(f'# {checked} times, {inside} between two pairs; the worst is off by {worst:.0f} ns')
        self.assertGreater(checked, 900)
        self.assertGreater(inside, 0.98 * checked)

    def test_nothing_is_invented(self):
        """What is in the recording was resolved, and lasts as long as the truth says."""
        known = run.truth['dispatch']
        for d in run.table('dispatches'):
            if run.lane(d) not in ('base', 'capture scopes'):
                self.assertIn(d['producer_id'], known)
                self.assertGreater(int(d['end_ticks']), int(d['start_ticks']))
        resolved = sum(stats['resolved'] for stats in run.truth['stats'].values())
        closing = len(run.dispatches('closing'))
        self.assertEqual(len(run.table('dispatches')), resolved + closing + 3)

    def test_drift_is_corrected(self):
        """Without it the last dispatch would be off by what the clock ran ahead."""
        rows = sorted((int(d['start']), d['producer_id']) for d in run.dispatches('drift'))
        kink = run.truth['clock']['drift'][1] - run.offset
        self.assertEqual(len(rows), 50)
        self.assertGreater(rows[-1][0], kink + 100e6)
        ahead = 400e-6 * 500e6
        start, number = min(rows, key=lambda row: abs(row[0] - kink))
        truth = run.truth['dispatch'][number][1] - run.offset
        self.assertLess(abs(start - truth), ahead / 2)

    def test_drift_is_told(self):
        metric = [m['id'] for m in run.table('metrics')
                  if m['name'] == 'metal.clock.drift' and run.lane(m) == 'ring']
        values = [float(point['value']) for point in run.table('metric_points')
                  if point['metric'] in metric]
        self.assertTrue(values)
        self.assertLess(abs(values[-1] - run.truth['clock']['ring'][0]), 100)

    def test_no_pair_is_refused(self):
        self.assertEqual([loss for loss in run.table('losses') if loss['reason'] == 'times-reversed'],
                         [])


class Evidence(unittest.TestCase):
    def roles(self, label):
        """Roles of the origins of each dispatch of that label, and of its submission."""
        for d in run.dispatches(label):
            yield d, {o['role']: o for o in run.table('origins')
                      if o['dispatch'] == d['id'] or o['submission'] == d['submission']}

    def test_waits_prove(self):
        for d, roles in self.roles('ring'):
            self.assertEqual(set(roles), {'dispatch', 'wait-begin', 'wait-end', 'completion'})
            self.assertEqual(roles['dispatch']['thread'], roles['wait-begin']['thread'])
            self.assertNotEqual(roles['dispatch']['thread'], roles['completion']['thread'])
            self.assertTrue(roles['dispatch']['stack'])
            self.assertIn(d['classification'], ('synchronous', 'unknown'))
        states = collections.Counter(d['classification'] for d in run.dispatches('ring'))
        self.assertGreater(states['synchronous'], 50)

    def test_nobody_waits(self):
        for d, roles in self.roles('asynchronous'):
            self.assertEqual(set(roles), {'dispatch', 'completion'})
            self.assertEqual(d['classification'], 'asynchronous')

    def test_origins_are_exact(self):
        """The stack that queued the work was copied there, and leads through the program."""
        rows = [o for _, roles in self.roles('ring') for o in [roles['dispatch']]]
        self.assertEqual({o['link_status'] for o in rows}, {'linked-exact'})
        answer = run.ask('target', 'origins', '--filter', 'lane:ring')['rows']
        self.assertTrue(any(row.get('function') in ('encode', 'run', 'case_ring', 'commit_and_wait',
                                                    'commit', 'weft_metal_dispatch_open',
                                                    'weft_metal_reserve_', 'weft_metal_origin_')
                            for row in answer), answer[:2])

    def test_dispatch_was_queued_before_it_ran(self):
        for d in run.table('dispatches'):
            if d['submitted']:
                self.assertLess(int(d['submitted']), int(d['start']))

    def test_command_buffers(self):
        lane = run.named('lanes', 'ring')['id']
        submissions = [s for s in run.table('submissions') if s['lane'] == lane]
        events = collections.defaultdict(list)
        for event in run.table('submission_events'):
            events[event['submission']].append((int(event['time']), event['kind']))
        self.assertEqual(len(submissions), 20)
        for submission in submissions:
            self.assertEqual([kind for _, kind in sorted(events[submission['id']])],
                             ['begin', 'commit', 'completed'])
            self.assertGreater(int(run.tags('submissions', submission)['metal.gpu-time']), 0)

    def test_fault(self):
        lane = run.named('lanes', 'fault')['id']
        submission, = [s for s in run.table('submissions') if s['lane'] == lane]
        event, = [e for e in run.table('submission_events')
                  if e['submission'] == submission['id'] and e['kind'] == 'fault']
        error, = [e for e in run.table('errors') if e['id'] == event['error']]
        self.assertEqual((event['status'], error['name'], error['message'], error['cause']),
                         ('error', 'MTLCommandBufferErrorDomain 3',
                          'Caused GPU Address Fault Error', 'encoder “reduce” faulted'))
        roles = {o['role'] for o in run.table('origins') if o['submission'] == submission['id']}
        self.assertIn('fault', roles)
        answer = run.ask('target', 'submissions', '--filter', 'lane:fault')['rows']
        self.assertEqual([row['status'] for row in answer], ['error'])


class Words(unittest.TestCase):
    def test_lane(self):
        lane = run.named('lanes', 'drift')
        self.assertEqual(lane['kind'], 'metal.queue')
        tags = run.tags('lanes', lane)
        self.assertEqual((tags['metal.surface'], tags['metal.granularity'], tags['metal.device']),
                         ('timestamp-heap', 'relaxed', 'drift'))
        self.assertEqual(run.tags('lanes', run.named('lanes', 'stale'))['metal.surface'],
                         'counter-sample-buffer')
        self.assertEqual(run.tags('lanes', run.named('lanes', 'ring'))['metal.granularity'],
                         'precise')

    def test_shader_identity(self):
        """Library flavour, function and pipeline: two pipelines of a function are two routines."""
        self.assertEqual(run.truth['library'], [run.hash, ''])
        routines = [r for r in run.table('routines') if r['name'] == 'tq1s_gemv']
        self.assertEqual(sorted(r['flavour'] for r in routines), ['fast/rows=4', 'fast/rows=8'])
        first, = [r for r in routines if r['flavour'] == 'fast/rows=4']
        tags = run.tags('routines', first)
        self.assertEqual((first['label'], tags['metal.library'], tags['metal.library-hash'],
                          tags['metal.function'], tags['metal.pipeline'], tags['metal.stage']),
                         ('matrix × vector', 'fast/fast.metallib', run.hash, 'tq1s_gemv', 'rows=4',
                          'kernel'))
        self.assertEqual(tags['metal.threads-per-threadgroup-max'], '1024')
        fill = run.named('routines', 'fill')
        self.assertEqual((fill['flavour'], fill['source']), ('', ''))

    def test_source_of_the_manifest(self):
        routine = [r for r in run.table('routines') if r['name'] == 'tq1s_gemv'][0]
        source, = [s for s in run.table('sources') if s['language'] == 'metal']
        self.assertEqual((routine['source'], routine['first_line'], routine['last_line']),
                         (source['id'], '4', '7'))
        self.assertEqual((source['path'], source['language'], source['flavour'],
                          source['build_flags']),
                         ('gemv.metal', 'metal', 'fast', '-O3 -gline-tables-only -frecord-sources'))
        run_ = subprocess.run([WEFT, 'target', 'source', 'tq1s_gemv', run.file],
                              env=run.environment, capture_output=True, text=True, check=True)
        self.assertIn('kernel void tq1s_gemv', run_.stdout)

    def test_arguments(self):
        dispatch, = run.dispatches('arguments')
        rows = {(a['kind'], a['slot']): a for a in run.table('attachments')
                if a['dispatch'] == dispatch['id']}
        tensor = rows['tensor', '0']
        self.assertEqual((tensor['label'], tensor['offset'], tensor['size'], tensor['access'],
                          tensor['role'], tensor['element_type'], tensor['shape']),
                         ('blk.7.attn_q', '1024', str(0x8000 - 1024), 'read', 'weights', 'q4_0',
                          '2048×2048'))
        ranges = [(r['name'], r['first'], r['count']) for r in run.table('attachment_ranges')
                  if r['attachment'] == tensor['id']]
        self.assertEqual(ranges, [('layer', '7', '1'), ('head', '0', '16')])
        self.assertEqual((rows['buffer', '1']['access'], rows['buffer', '1']['size']), ('write', ''))
        self.assertEqual(rows['texture', '0']['label'], 'lut')
        self.assertEqual(len(rows), 3)

    def test_arguments_change(self):
        """A removed resource is an address again, an emptied slot is gone."""
        dispatch, = run.dispatches('arguments-changed')
        rows = [(a['kind'], a['slot'], a['label']) for a in run.table('attachments')
                if a['dispatch'] == dispatch['id']]
        self.assertEqual(sorted(rows), [('buffer', '0', ''), ('texture', '0', 'lut')])

    def test_arguments_are_capped(self):
        dispatch, = run.dispatches('arguments-many')
        rows = [a for a in run.table('attachments') if a['dispatch'] == dispatch['id']]
        self.assertEqual(len(rows), 32)
        self.assertEqual(run.tags('dispatches', dispatch)['metal.arguments-omitted'], '8')

    def test_capture(self):
        self.assertEqual(run.truth['capture'], [1, 1, 1])
        artifact, = [a for a in run.table('artifacts') if a['kind'] == 'metal.capture']
        self.assertEqual((artifact['path'], artifact['label']), ('/tmp/step-7.gputrace', 'step 7'))
        linked = {link['owner'] for link in run.table('artifact_links')
                  if link['artifact'] == artifact['id'] and link['owner_table'] == '20'}
        names = {r['id']: r['name'] for r in run.table('routines')}
        scopes = {names[d['routine']]: d for d in run.table('dispatches')
                  if run.lane(d) == 'capture scopes'}
        self.assertEqual(set(scopes), {'prefill', 'decode'})
        self.assertEqual(run.named('lanes', 'capture scopes')['kind'], 'metal.capture')
        during = run.dispatches('capture-during') + [scopes['prefill']]
        self.assertEqual(linked, {d['id'].split('-')[1] for d in during})
        messages = [w['message'] for w in run.table('warnings') if w['code'] == 'metal-capture']
        self.assertEqual(sorted(messages),
                         ['a capture is under way already', 'there is nothing to capture'])


class Counters(unittest.TestCase):
    def values(self, label):
        numbers = {d['id'] for d in run.dispatches(label)}
        samples = {s['id']: s for s in run.table('counter_samples') if s['dispatch'] in numbers}
        names = {c['id']: c['name'] for c in run.table('counters')}
        values = collections.defaultdict(dict)
        for value in run.table('counter_values'):
            if value['sample'] in samples:
                values[value['sample']][names[value['counter']]] = (
                    None if value['is_error'] == 'true' else float(value['value']))
        return list(values.values())

    def test_what_each_dispatch_added(self):
        values = self.values('counters')
        self.assertEqual(len(values), 36)
        for row in values:
            self.assertEqual(row, {'KernelInvocations': 1000, 'TotalCycles': 60000,
                                   'FragmentsPassed': 2})
        self.assertEqual(self.values('counters-off'), [])

    def test_error_values(self):
        row, = self.values('counters-error')
        self.assertEqual(row, {'KernelInvocations': 1000, 'TotalCycles': None,
                               'FragmentsPassed': 2})

    def test_answers(self):
        rows = {(row['counter_name'], row['set_name']): row
                for row in run.ask('target', 'counters')['rows']}
        cycles = rows['TotalCycles', 'statistic']
        self.assertEqual((cycles['unit'], cycles['errors'], cycles['samples'], cycles['value']),
                         ('cycles', 1, 37, 36 * 60000))
        self.assertEqual(rows['KernelInvocations', 'statistic']['unit'], 'invocations')
        self.assertEqual(rows['FragmentsPassed', 'statistic']['unit'], 'count')
        self.assertEqual(rows['TotalCycles', 'stageutilization']['availability'], 'failing')

    def test_mode_and_overhead(self):
        """Disabled until it was asked for; then present, with what a sample costs."""
        self.assertEqual(run.truth['sampled'], [1, 0])
        name = {row['id']: row['name'] for row in run.table('counter_sets')}
        states = [(s['availability'], s['reason'], bool(s['overhead']), bool(s['overhead_text']))
                  for s in run.table('counter_set_states') if name[s['set']] == 'statistic']
        self.assertEqual(states, [('disabled', 'not asked for', False, False),
                                  ('present', '', False, False), ('present', '', True, True)])
        failing, = [s for s in run.table('counter_set_states')
                    if name[s['set']] == 'stageutilization'][-1:]
        self.assertEqual((failing['availability'], failing['reason']),
                         ('failing', 'the device gave no sample buffer of that size'))


class Unrecorded(unittest.TestCase):
    def test_nothing_is_done(self):
        """While nobody records, a dispatch reaches neither device nor heap."""
        plain = subprocess.run(run.producer('cost', '20000'), capture_output=True, text=True,
                               check=True, env={**run.environment, 'WEFT_RUNTIME_DIR': run.folder})
        print('#', plain.stdout.strip())
        self.assertTrue(plain.stdout.startswith('metal-inactive '))
        with open(os.path.join(run.folder, 'cost'), encoding='utf-8') as file:
            words = dict(line.rstrip('\n').split('\t', 1) for line in file)
        self.assertEqual(words['calls'], '2')
        self.assertEqual(words['stats'].split('\t')[1:6], ['0'] * 5)

    def test_cost_recorded(self):
        file = os.path.join(run.folder, 'cost.weft')
        command = [WEFT, 'record', '-o', file, '--', *run.producer('cost-recorded', '5000')]
        recorded = subprocess.run(command, capture_output=True, text=True, check=True,
                                  env=run.environment, timeout=100)
        print('#', recorded.stdout.splitlines()[0])
        self.assertTrue(recorded.stdout.startswith('metal-dispatch '))
        with open(os.path.join(run.folder, 'cost-recorded'), encoding='utf-8') as lines:
            stats, = [line.split('\t') for line in lines if line.startswith('stats')]
        self.assertEqual(stats[4], '5000')
        self.assertEqual(stats[4], stats[5])


class Spool(unittest.TestCase):
    """As on macOS: no recorder is there, a file is imported later."""

    def test_imported(self):
        folder = os.path.join(run.folder, 'spool')
        os.makedirs(folder)
        environment = {**run.environment, 'WEFT_TARGET_SPOOL': folder,
                       'WEFT_RUNTIME_DIR': os.path.join(run.folder, 'nobody')}
        subprocess.run(run.producer('spooled', '5000'), env=environment, check=True,
                       capture_output=True)
        spool, = os.listdir(folder)
        file = os.path.join(folder, 'run.weft')
        subprocess.run([WEFT, 'import', os.path.join(folder, spool), '-o', file], check=True,
                       env=environment, capture_output=True)
        lanes = subprocess.run([WEFT, 'target', 'lanes', '--json', file], check=True,
                               env=environment, capture_output=True, text=True).stdout
        lane, = [row for row in json.loads(lanes)['rows'] if row['kind'] == 'metal.queue']
        self.assertEqual((lane['name'], lane['dispatches']), ('cost', 5000))


class Guide(unittest.TestCase):
    def test_from_nothing(self):
        """docs/metal.md, as it stands."""
        with open(os.path.join(ROOT, 'docs', 'metal.md'), encoding='utf-8') as file:
            blocks = re.findall(r'^```c\n(.*?)^```$', file.read(), re.DOTALL | re.MULTILINE)
        self.assertEqual(len(blocks), 2)
        for text in blocks:
            name = re.match(r'/\* (\S+) \*/', text).group(1)
            run.write(name, text.encode())
        program = os.path.join(run.folder, 'gpu')
        sanitize = [] if SANITIZE == 'none' else ['-fsanitize=' + SANITIZE]
        subprocess.run([os.environ.get('CC', 'cc'), '-std=gnu11', '-Wall', '-Wextra', '-Werror',
                        '-Wno-unused-parameter', '-Wno-missing-field-initializers', *sanitize,
                        f'-I{ROOT}/plugins/metal', f'-I{ROOT}/core/target',
                        os.path.join(run.folder, 'gpu.c'), LIBRARY_FILE, '-o', program, '-pthread',
                        '-ldl'], check=True)
        file = os.path.join(run.folder, 'guide.weft')
        subprocess.run([WEFT, 'record', '-o', file, '--', program], check=True,
                       env=run.environment, capture_output=True, timeout=100)
        rows = subprocess.run([WEFT, 'target', 'dispatches', '--all', '--json', '--filter',
                               'routine:sum', file], check=True, env=run.environment,
                              capture_output=True, text=True).stdout
        self.assertEqual(len(json.loads(rows)['rows']), 100)
        origins = subprocess.run([WEFT, 'target', 'origins', '--all', '--json', file], check=True,
                                 env=run.environment, capture_output=True, text=True).stdout
        # The program's own function, not one of the header by which it reports.
        self.assertEqual({row['function'] for row in json.loads(origins)['rows']
                          if row['link_status'] == 'linked-exact'}, {'main'})


class Manifest(unittest.TestCase):
    """Files that are not what they should be are told of, with the line; what is right is kept."""

    def reason(self, manifest, library='fast.metallib'):
        path = os.path.join(run.folder, 'other.sources')
        with open(path, 'w', encoding='utf-8') as file:
            file.write(manifest)
        truth = os.path.join(run.folder, 'manifest')
        subprocess.run([PRODUCER, truth, os.path.join(run.folder, library), path, '0'],
                       capture_output=True, check=True, env=run.environment)
        with open(truth, encoding='utf-8') as file:
            return file.readline().rstrip('\n').split('\t')[2].replace(run.folder + '/', '')

    def test_bad_lines(self):
        wrong = 'not a line of a source manifest, or not of this library'
        for text, line in (('', 1), ('no magic\n', 1), ('weft-metal-sources 1\nnonsense\n', 2),
                           ('weft-metal-sources 1\nfunction\tf\t1\t2\n', 2),
                           ('weft-metal-sources 1\nsource\tgemv.metal\nfunction\tf\t9\t2\n', 3),
                           ('weft-metal-sources 1\nsource\tgemv.metal\nfunction\tf\t-1\t2\n', 3),
                           ('weft-metal-sources 1\nlibrary\t' + 64 * '0' + '\n', 2)):
            with self.subTest(text):
                self.assertEqual(self.reason(text), f'other.sources:{line}: {wrong}')

    def test_missing_files(self):
        self.assertEqual(self.reason(MANIFEST.format(hash=run.hash), 'none.metallib'),
                         'none.metallib: cannot be read, or is empty')
        os.makedirs(os.path.join(run.folder, 'folder'), exist_ok=True)
        truth = os.path.join(run.folder, 'manifest')
        subprocess.run([PRODUCER, truth, os.path.join(run.folder, 'fast.metallib'),
                        os.path.join(run.folder, 'none.sources'), '0'], check=True,
                       capture_output=True, env=run.environment)
        with open(truth, encoding='utf-8') as file:
            self.assertIn('none.sources: cannot be read', file.readline())

    def test_garbled(self):
        """Whatever stands there, the program goes on."""
        dice = random.Random(7)
        whole = MANIFEST.format(hash=run.hash)
        for _ in range(40):
            text = list(whole)
            for _ in range(dice.randint(1, 12)):
                text[dice.randrange(len(text))] = dice.choice('\t\n9-\x01a\u00fc')
            self.assertLess(len(self.reason(''.join(text[:dice.randint(1, len(text))]))), 256)

    def test_too_large(self):
        self.assertIn('larger than 1 MiB', self.reason('weft-metal-sources 1\n' + '# x\n' * 300000))


tap_report.main(sys.argv[6:])
