#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each bad case of the corpus is explained by the findings that are meant for it and by no others, and
what is sound has none. Reports in TAP.

    test-diagnosis.py [TEST…]

WEFT, WEFT_CORPUS and WEFT_RECORD_CORPUS name the programs. Without samples of CPUs, so that nothing
depends on what the machine allows; what they add is held by test-corpus.py.
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import tap_report  # noqa: E402

WEFT = os.environ['WEFT']
WEFT_CORPUS = os.environ['WEFT_CORPUS']
RECORD_CORPUS = os.environ['WEFT_RECORD_CORPUS']

# Work that is known to the last: recorded beside each case, so that a finding is of the case.
SOUND = 'wait-synchronous'
# Of the machine and its load, not of what was reported.
MACHINE = {'own-cost', 'permissions', 'cpu-use'}

# What was made wrong on purpose → the checks that tell of it.
MEANT = {
    'wait-ambiguous': {'clock-error'},
    'origin-missing-thread': {'origin-threads'},
    'origin-synthetic-tid': {'origin-numbers'},
    'origin-wrong-pid': {'origin-processes'},
    'origin-stale': {'stale-origins'},
    'origin-before-run': {'origin-times'},
    'origin-after-run': {'origin-times'},
    'reservation-pending': {'pending'},
    'source-hash-only': {'source-texts'},
    'source-path-only': {'source-texts'},
    'source-none': {'sources'},
    'artifact-registered': {'source-texts'},
    'attachment-many': {'repaired-list-cut'},
    'counter-availability': {'counters-disabled', 'counters-failing', 'counters-unsupported'},
    'counter-changes': {'counter-samples'},
    'counter-errors': {'counter-errors'},
    'warning-severities': {'warnings'},
    'trace-open': {'traces-ended'},
    'clock-one-pair': {'clock-extrapolated'},
    'clock-uncalibrated': {'clock-calibration'},
    'hostile-utf8': {'repaired-invalid-utf8'},
    'hostile-thread': {'repaired-invalid-utf8'},
    'hostile-long': {'repaired-string-cut'},
    'hostile-long-lane': {'repaired-string-cut'},
    'refuse-reversed': {'target-times'},
    'refuse-out-of-range': {'target-times'},
    'refuse-before-recording': {'target-times'},
    'refuse-unknown-routine': {'rejected-unknown-routine'},
    'refuse-invalid': {'rejected-invalid'},
    'refuse-duplicate-id': {'rejected-duplicate-id'},
    'refuse-unknown-id': {'rejected-unknown-id'},
    'cut-to-fit': {'repaired-list-cut'},
    'drop-reentrant': {'lost-reentrant'},
}
# That a routine has no source is told where others of the lane have one.
BESIDE = {'source-none': 'source-text'}
# Where counts differ between runs; without room for a burst a part of it is lost.
DROPS = {'drop-no-room': {'lost-no-room'}, 'sampling-share': set()}


def list_cases():
    listed = subprocess.run([WEFT_CORPUS, '--list'], check=True, capture_output=True, text=True).stdout
    return [line.split('\t')[1] for line in listed.splitlines()]


class Diagnosis(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix='weft-diagnosis-')
        cls.addClassCleanup(cls.folder.cleanup)
        cls.number = 0

    def diagnose(self, *cases, options=('--no-drops',)):
        """The findings that are not as they should be, by their checks."""
        Diagnosis.number += 1
        file = os.path.join(self.folder.name, f'{Diagnosis.number}.weft')
        environment = dict(os.environ, WEFT_CORPUS_RECORD='--cpu off')
        subprocess.run(['sh', RECORD_CORPUS, file, *options, '--only', ','.join(cases)], check=True, env=environment)
        told = subprocess.run([WEFT, 'diagnose', '--json', file], check=True, capture_output=True, text=True).stdout
        return {row['check']: row for row in json.loads(told)['rows']
                if row['verdict'] in ('problem', 'attention') and row['check'] not in MACHINE}

    def explains(self, case, checks, **options):
        found = self.diagnose(SOUND, *BESIDE.get(case, '').split(), case, **options)
        self.assertEqual(set(found), checks)
        for row in found.values():
            self.assertTrue(row['question'].endswith('?') and row['evidence'], row)
            self.assertTrue(row['advice'] or row['check'] == 'sampled-out', row)

    def test_sound(self):
        """Everything that is as it should be, at once: nothing is found."""
        wrong = {*MEANT, *DROPS}
        sound = [case for case in list_cases() if case not in wrong]
        self.assertGreater(len(sound), 60)
        found = self.diagnose(SOUND, *sound)
        # Of these some are deliberately unlinked, which without CPU samples nobody can tell.
        found.pop('origin-links', None)
        self.assertEqual(found, {})

    def test_table_is_whole(self):
        self.assertLessEqual({*MEANT, *DROPS, SOUND}, set(list_cases()))

    def test_drops(self):
        for case, checks in DROPS.items():
            with self.subTest(case):
                self.explains(case, checks, options=())


def add_case(case, checks):
    setattr(Diagnosis, 'test_' + case.replace('-', '_'), lambda self: self.explains(case, checks))


for name, meant in MEANT.items():
    add_case(name, meant)

tap_report.main()
