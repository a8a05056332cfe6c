#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Manual pages and docs/cli.md against what the commands say of themselves. Reports in TAP.

    manual-test.py WEFT PAGES CLI.MD [TEST…]
"""

import os
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import tap_report  # noqa: E402

WEFT, PAGES, DOCUMENT = (os.path.abspath(path) for path in sys.argv[1:4])


def ask(*arguments):
    return subprocess.run([WEFT, *arguments, '--help'], check=True, stdout=subprocess.PIPE, timeout=60,
                          env=dict(os.environ, LC_ALL='C.UTF-8')).stdout.decode()


COMMANDS = re.findall(r'^  ([a-z]+(?: [a-z]+)?)  +\S', ask(), re.M)


class Manual(unittest.TestCase):
    def test_each_command_has_a_page(self):
        self.assertGreater(len(COMMANDS), 25)
        expected = {'weft.1'} | {f"weft-{command.replace(' ', '-')}.1" for command in COMMANDS}
        self.assertEqual(set(os.listdir(PAGES)), expected)

    def test_pages_name_all_options(self):
        for command in COMMANDS:
            with open(os.path.join(PAGES, f"weft-{command.replace(' ', '-')}.1"), encoding='utf-8') as file:
                page = file.read().replace('\\-', '-')
            for option in re.findall(r'--[a-z-]+', ask(*command.split()).partition('Application Options')[2]):
                self.assertIn(option, page, command)

    def test_pages_are_sound(self):
        if shutil.which('groff') is None:
            self.skipTest('groff is not installed')
        for name in sorted(os.listdir(PAGES)):
            done = subprocess.run(['groff', '-man', '-ww', '-K', 'utf8', '-T', 'utf8', name], cwd=PAGES,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
            self.assertEqual((done.returncode, done.stderr.decode()), (0, ''), name)
            self.assertIn('User commands', done.stdout.decode())

    def test_document_tells_of_all(self):
        with open(DOCUMENT, encoding='utf-8') as file:
            document = file.read()
        for command in COMMANDS:
            self.assertIn(f'weft {command}', document)
            options = ask(*command.split()).partition('Application Options')[2]
            for letter, option in re.findall(r'^  (?:-([a-z]), )?(--[a-z-]+)', options, re.M):
                told = option in document or (letter and re.search(rf'`[^`\n]*-{letter}\b', document))
                self.assertTrue(told, f'{command} {option}')


tap_report.main(sys.argv[4:])
