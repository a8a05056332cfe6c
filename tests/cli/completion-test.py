#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the shells offer where a word is begun. Reports in TAP.

    completion-test.py WEFT ARCHIVE SCRIPTS [TEST…]

ARCHIVE is a recording of the corpus; SCRIPTS the folder of the shells' scripts.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import tap_report  # noqa: E402

WEFT, ARCHIVE, SCRIPTS = (os.path.abspath(path) for path in sys.argv[1:4])

BASH = '''
source "$1/weft.bash"; shift
COMP_WORDS=(weft "$@"); COMP_CWORD=$#
_weft
printf '%s\\n' "${COMPREPLY[@]}"
'''

# compadd and _files tell what they are given instead of offering it.
ZSH = '''
script=$1; shift
compadd () { while [[ $1 != -- ]]; do shift; done; shift; print -rl -- "$@" }
_files () { print FILES }
words=(weft "$@"); CURRENT=$#words
source $script/_weft
'''


class Completion(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='weft-completion-')
        self.addCleanup(shutil.rmtree, self.folder)
        os.symlink(ARCHIVE, os.path.join(self.folder, 'latest'))
        self.environment = dict(os.environ, WEFT_RECORDINGS=self.folder, LC_ALL='C.UTF-8', HOME=self.folder,
                                XDG_DATA_HOME=self.folder, XDG_CACHE_HOME=self.folder,
                                WEFT_PLUGIN_PATH=os.path.join(self.folder, 'none'),
                                PATH=os.path.dirname(WEFT) + ':' + os.environ['PATH'])

    def lines(self, command):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=self.environment, cwd=self.folder, timeout=60)
        self.assertEqual(done.stderr.decode(), '')
        return done.stdout.decode().splitlines()

    def weft(self, *words):
        return self.lines([WEFT, 'completion', '--', *words])


class Words(Completion):
    def test_commands(self):
        self.assertEqual(self.weft('sho'), ['show'])
        self.assertEqual(self.weft('target', 'disp'), ['dispatches', 'dispatch'])
        self.assertEqual(self.weft('target', 'dispatch'), ['dispatches', 'dispatch'])
        self.assertEqual(self.weft('plugins', ''), ['install', 'remove'])
        self.assertLessEqual({'record', 'target', 'export', 'completion'}, set(self.weft('')))
        self.assertEqual(self.weft('frobnicate', ''), [])

    def test_options(self):
        self.assertEqual(self.weft('record', '--no-p'), ['--no-plugins'])
        self.assertEqual(self.weft('show', '--fil'), [])
        self.assertEqual(self.weft('target', 'lanes', '--fil'), ['--filter'])

    def test_values(self):
        self.assertIn('lane', self.weft('target', 'top', '--group', ''))
        self.assertIn('p95', self.weft('target', 'top', '-b', 'p'))
        self.assertEqual(self.weft('export', 'csv', '-t', 'dispatche'), ['dispatches'])
        self.assertEqual(self.weft('export', ''), ['csv', 'json', 'arrow'])
        self.assertEqual(self.weft('record', '--with', ''), ['auto'])
        self.assertEqual(self.weft('target', 'lanes', '-l', 'GPU'), ['GPU queue 0'])
        self.assertIn('rms_norm', self.weft('target', 'lanes', '--routine', 'r'))

    def test_filters(self):
        self.assertEqual(self.weft('top', '-f', 'lan'), ['lane:'])
        self.assertEqual(self.weft('top', '-f', 'lane:GP'), ['lane:"GPU queue 0"'])
        self.assertEqual(self.weft('top', '-f', 'lane:"GP'), ['lane:"GPU queue 0"'])
        self.assertEqual(self.weft('top', '-f', 'status:error (kind:metal'), ['status:error (kind:metal.queue'])
        self.assertEqual(self.weft('top', '-f', 'lane:"GPU queue 0" -routin'), ['lane:"GPU queue 0" -routine:'])
        self.assertIn('status:error', self.weft('top', '-f', 'status:'))

    def test_no_recording(self):
        os.unlink(os.path.join(self.folder, 'latest'))
        self.assertEqual(self.weft('target', 'lanes', '-l', ''), [])

    def test_files_are_left_to_the_shell(self):
        self.assertEqual(self.weft('show', ''), [])
        self.assertEqual(self.weft('import', 'x'), [])


class Shells(Completion):
    def shell(self, name, *words):
        if shutil.which(name) is None:
            self.skipTest(f'{name} is not installed')
        return self.lines([name, *words])

    def test_bash(self):
        self.assertEqual(self.shell('bash', '-c', BASH, 'bash', SCRIPTS, 'target', 'disp'), ['dispatches', 'dispatch'])
        self.assertEqual(self.shell('bash', '-c', BASH, 'bash', SCRIPTS, 'top', '-f', 'lane:GP'),
                         ['lane:\\"GPU\\ queue\\ 0\\"'])
        self.assertEqual(self.shell('bash', '-c', BASH, 'bash', SCRIPTS, 'show', ''), [''])

    def test_zsh(self):
        self.assertEqual(self.shell('zsh', '-f', '-c', ZSH, 'zsh', SCRIPTS, 'target', 'disp'), ['dispatches', 'dispatch'])
        self.assertEqual(self.shell('zsh', '-f', '-c', ZSH, 'zsh', SCRIPTS, 'top', '-f', 'lane:GP'),
                         ['lane:"GPU queue 0"'])
        self.assertEqual(self.shell('zsh', '-f', '-c', ZSH, 'zsh', SCRIPTS, 'show', ''), ['FILES'])

    def test_fish(self):
        def offered(line):
            script = f'source {SCRIPTS}/weft.fish; complete -C "{line}"'
            return self.shell('fish', '--no-config', '-c', script)
        self.assertEqual(sorted(offered('weft target disp')), ['dispatch', 'dispatches'])
        self.assertIn('lane', offered('weft target top --group l'))
        self.assertEqual(offered('weft show lat'), ['latest'])


tap_report.main(sys.argv[4:])
