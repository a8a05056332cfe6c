#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The questions of docs/sql.md have the answers that stand there.

    test-worked.py WEFT PAGE CORPUS CPU [--update]
"""

import os
import re
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import tap_report  # noqa: E402

WEFT, PAGE, CORPUS, CPU = map(os.path.abspath, sys.argv[1:5])
FIRST_OF_CPU = 22
QUESTION = re.compile(r'### (\d+)\. ([^\n]+)\n\n```sql\n(.*?)\n```\n\n```text\n(.*?)```\n', re.S)


def ask(number, question):
    archive = CPU if number >= FIRST_OF_CPU else CORPUS
    done = subprocess.run([WEFT, 'sql', archive, question], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120,
                          stdin=subprocess.DEVNULL, env={**os.environ, 'COLUMNS': '118', 'LC_ALL': 'C.UTF-8'})
    return done.stdout.decode() + done.stderr.decode()


class Worked(unittest.TestCase):
    def test_thirty_questions(self):
        with open(PAGE, encoding='utf-8') as file:
            questions = QUESTION.findall(file.read())
        self.assertEqual([int(number) for number, *_ in questions], list(range(1, 31)))
        for number, title, question, answer in questions:
            with self.subTest(title):
                self.assertEqual(ask(int(number), question), answer)
                self.assertGreater(len(answer.splitlines()), 1, 'nothing is answered')


def update():
    with open(PAGE, encoding='utf-8') as file:
        text = file.read()
    text = QUESTION.sub(lambda m: f'### {m[1]}. {m[2]}\n\n```sql\n{m[3]}\n```\n\n```text\n{ask(int(m[1]), m[3])}```\n', text)
    with open(PAGE, 'w', encoding='utf-8') as file:
        file.write(text)


if __name__ == '__main__':
    if sys.argv[5:] == ['--update']:
        update()
    else:
        sys.exit(tap_report.main())
