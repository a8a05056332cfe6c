#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""docs/executor-rules.md: no rule without a test, and no test of a rule that is not there.

    rules-test.py SOURCE
"""

import pathlib
import re
import sys
import unittest

ROOT = pathlib.Path(sys.argv[1])
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / 'tests'))
import tap_report

PAGE = (ROOT / 'docs/executor-rules.md').read_text(encoding='utf-8')
GUIDE = (ROOT / 'docs/executor.md').read_text(encoding='utf-8')
ROWS = re.findall(r'^\| (X-\d+) \| (.*?) \| (.*?) \|$', PAGE, re.M)


def cases():
    """Names of all tests there are: of programs in C and C++, and Class.method of those in Python."""
    found = set()
    for path in HERE.iterdir():
        if path.suffix in {'.c', '.cc'}:
            found |= set(re.findall(r'"(/executor/[^"]+)"', path.read_text(encoding='utf-8')))
        if path.suffix == '.py':
            owner = None
            for match in re.finditer(r'^class (\w+)|^    def (test_\w+)', path.read_text(encoding='utf-8'), re.M):
                owner = match.group(1) or owner
                if match.group(2):
                    found.add(f'{owner}.{match.group(2)}')
    return found


class Rules(unittest.TestCase):
    def test_none_is_missing(self):
        """Rules are numbered without gaps, each says something, and has a test that exists."""
        self.assertEqual([rule for rule, _, _ in ROWS], [f'X-{number}' for number in range(1, len(ROWS) + 1)])
        self.assertGreater(len(ROWS), 60)
        there = cases()
        for rule, text, tests in ROWS:
            with self.subTest(rule):
                self.assertGreater(len(text), 10)
                named = re.findall(r'`([^`]+)`', tests)
                self.assertTrue(named)
                self.assertEqual([name for name in named if name not in there], [])

    def test_tests_name_rules(self):
        """Each test that names a rule stands in that rule's row."""
        rows = {rule: tests for rule, _, tests in ROWS}
        named = [name for name in cases() if name.startswith('/executor/')]
        self.assertGreater(len(named), 60)
        for name in named:
            rule = name.split('/')[2]
            self.assertIn(f'`{name}`', rows.get(rule, ''), name)

    def test_opentelemetry(self):
        """Each status, error kind, attribute and metric that the header knows has a counterpart."""
        section = GUIDE.split('## OpenTelemetry', 1)[1].split('\n## ', 1)[0]
        header = (ROOT / 'plugins/executor/weft-executor.h').read_text(encoding='utf-8')
        attributes = set(re.findall(r'"((?:task|worker|queue)\.[a-z_.]+)"', header))
        self.assertGreater(len(attributes), 20)
        words = {'ok', 'canceled', 'error', 'abort', 'queue', 'crash', 'exception', 'attempt.count', 'queue.wait_ms',
                 'INTERNAL', 'UNSET', 'OK', 'ERROR', 'canceled=true'}
        missing = [word for word in sorted(attributes | words) if f'`{word}`' not in section]
        self.assertEqual(missing, [])


if __name__ == '__main__':
    tap_report.main(sys.argv[2:])
