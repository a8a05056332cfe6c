#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The questions of docs/sql.md have the answers that stand there, and the prompt takes questions.

    test-worked.py WEFT PAGE CORPUS CPU [--update]
"""

import json
import os
import pty
import re
import select
import signal
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


class Prompt(unittest.TestCase):
    def told(self, text, *options):
        done = subprocess.run([WEFT, 'sql', *options, CORPUS], input=text.encode(), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=120, env={**os.environ, 'LC_ALL': 'C.UTF-8'})
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def test_questions_that_are_read(self):
        status, out, _ = self.told('select 1 + 1 as two;\nselect count(*) > 0 as some\n  from dispatches; -- that\n', '--json')
        self.assertEqual(status, 0)
        self.assertEqual([json.loads(line)['rows'] for line in out.splitlines()], [[{'two': 2}], [{'some': 1}]])
        status, out, _ = self.told('.tables\n.schema lanes\n.explain select count(*) from lanes\n.help\n.quit\nselect 1;\n')
        self.assertEqual(status, 0)
        for word in ('lane_summary', 'named_dispatches', 'runtime_handle', 'engine: lanes', '.explain'):
            self.assertIn(word, out)
        self.assertNotIn('1\n1', out)

    def test_what_is_wrong(self):
        status, out, errors = self.told('select 1;\nselect * from no_such;\nselect 2 as two;\n', '--csv')
        self.assertEqual((status, out.split()), (1, ['1', '1']))
        self.assertIn('no such table', errors)
        self.assertIn('there is no command “.foo”', self.told('.foo\n')[2])
        self.assertIn('there is no table “foo”', self.told('.schema foo\n')[2])

    def test_on_a_terminal(self):
        """Ctrl-C ends a question and not the program."""
        process, terminal = pty.fork()
        if process == 0:
            # Whoever runs tests in the background may have told them to ignore it.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.execve(WEFT, [WEFT, 'sql', CORPUS], {**os.environ, 'TERM': 'dumb', 'LC_ALL': 'C.UTF-8', 'INPUTRC': '/dev/null'})
        seen = b''

        def expect(word):
            nonlocal seen
            while word not in seen:
                self.assertTrue(select.select([terminal], [], [], 60)[0], f'{word} does not come: {seen}')
                seen += os.read(terminal, 4096)
            seen = seen[seen.index(word) + len(word):]
        expect(b'weft> ')
        os.write(terminal, b'select 40 +\n')
        expect(b'...> ')
        os.write(terminal, b'2;\n')
        expect(b'42')
        expect(b'weft> ')
        os.write(terminal, b'with recursive c(x) as (select 1 union all select x + 1 from c) select count(*) from c;\n')
        expect(b'from c;')
        expect(b'\r\n')
        # One that comes before the question begins ends nothing; and each throws away what is not read yet.
        for _ in range(60):
            os.write(terminal, b'\x03')
            while select.select([terminal], [], [], 1)[0]:
                seen += os.read(terminal, 4096)
            if b'cancelled' in seen:
                break
        self.assertIn(b'cancelled', seen)
        expect(b'weft> ')
        os.write(terminal, b'.quit\n')
        while True:
            try:
                if not os.read(terminal, 4096):
                    break
            except OSError:
                break
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), 0)
        os.close(terminal)


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
