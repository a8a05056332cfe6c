#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is installed is what Python finds, as the guide says. Reports in TAP.

    test-installed.py BUILD PREFIX RECORDING
"""

import glob
import os
import re
import shutil
import site
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..'))
import tap_report  # noqa: E402

BUILD, PREFIX, RECORDING = (os.path.abspath(word) for word in sys.argv[1:4])
PROGRAM = '''
import sys
import gi
gi.require_version('Weft', '1')
from gi.repository import Weft
import gi.overrides.Weft as override
print(override.__file__)
print(len(Weft.open(sys.argv[1]).query('lanes').to_dicts()))
'''


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = tempfile.mkdtemp(prefix='weft-installed-')
        cls.addClassCleanup(shutil.rmtree, cls.root)
        subprocess.run(['meson', 'install', '-C', BUILD, '--no-rebuild', '--quiet', '--destdir', cls.root], check=True,
                       stdout=subprocess.DEVNULL)
        cls.prefix = cls.root + PREFIX

    def test_place(self):
        found, = glob.glob(self.prefix + '/lib/python3*/dist-packages/gi/overrides/Weft.py')
        self.assertTrue(os.access(found, os.R_OK))
        if PREFIX in ('/usr', '/usr/local'):
            folder = found[len(self.root):].removesuffix('/gi/overrides/Weft.py')
            self.assertIn(folder, site.getsitepackages())

    def test_guide(self):
        """The lines that the guide gives for other prefixes."""
        with open(os.path.join(HERE, '..', '..', 'docs', 'python-guide.md'), encoding='utf-8') as file:
            lines = re.search(r'^```sh\n(.*?)^```$', file.read(), re.M | re.S)[1]
        lines = lines.replace('PREFIX=/usr/local\n', f'PREFIX={self.prefix}\n')
        self.assertIn(self.root, lines)
        environment = {name: value for name, value in os.environ.items()
                       if name not in ('PYTHONPATH', 'GI_TYPELIB_PATH', 'LD_LIBRARY_PATH')}
        preload = os.environ.get('WEFT_TEST_PRELOAD', '')
        if preload:
            lines += f'export LD_PRELOAD={preload} ASAN_OPTIONS=detect_leaks=0\n'
        done = subprocess.run(['sh', '-eu', '-c', lines + 'exec "$@"', 'sh', sys.executable, '-c', PROGRAM, RECORDING],
                              env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        place, lanes = done.stdout.split()
        self.assertTrue(place.startswith(self.prefix), place)
        self.assertGreater(int(lanes), 10)


sys.dont_write_bytecode = True
tap_report.main(sys.argv[4:])
