# SPDX-License-Identifier: LGPL-2.1-or-later
"""What tests of OpenCL programs share: running them with and without layers, and asking recordings."""

import atexit
import glob
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

import recorded

WEFT, PLUGINS, LAYER, VICTIM, COUNT = (os.path.abspath(path) for path in sys.argv[1:6])
# What PoCL compiled, for all tests of a run.
CACHE = tempfile.mkdtemp(prefix='weft-opencl-cache-')
atexit.register(shutil.rmtree, CACHE, ignore_errors=True)
PATIENCE = 150  # seconds for one program, on a machine that does much else


def missing_implementation():
    """What is missing to run a program of OpenCL at all, or None."""
    run = subprocess.run([VICTIM, 'release', '0'], capture_output=True, text=True, timeout=PATIENCE, check=False)
    if run.returncode == 0:
        return None
    if not glob.glob(os.path.join(os.environ.get('OCL_ICD_VENDORS', '/etc/OpenCL/vendors'), '*.icd')):
        return 'no implementation of OpenCL is installed (package pocl-opencl-icd)'
    return f'OpenCL does not work here: {run.stdout}{run.stderr}'.strip()


class Recording(recorded.Recording):
    weft, patience = WEFT, PATIENCE


class OpenclCase(unittest.TestCase):
    """Each test has a folder of its own that everybody may write to, caches of compilers included."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='weft-opencl-')
        os.chmod(self.folder, 0o777)
        self.n_recordings = 0
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def environment(self, **more):
        kept = {key: value for key, value in os.environ.items() if key not in ('OPENCL_LAYERS', 'OPENCL_COUNT_FILE')}
        return {**kept, 'XDG_RUNTIME_DIR': self.folder, 'XDG_CACHE_HOME': self.folder, 'HOME': self.folder,
                'POCL_CACHE_DIR': CACHE, 'WEFT_PLUGIN_PATH': PLUGINS, **more}

    def plain(self, *command, **more):
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False,
                              timeout=PATIENCE, cwd=self.folder,
                              env=self.environment(**more))

    def record(self, *command, options=('--with', 'opencl'), before=(), **more):
        self.n_recordings += 1
        file = os.path.join(self.folder, f'run-{self.n_recordings}.weft')
        run = subprocess.run([*before, WEFT, 'record', *options, '-o', file, '--', *command],
                             stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=PATIENCE,
                             cwd=self.folder, env=self.environment(**more))
        if not os.path.exists(file):
            raise AssertionError(run.stderr.decode())
        return Recording(file, run)

    def read_counts(self):
        """What the counting layer counted, by the names of calls."""
        with open(os.path.join(self.folder, 'counts'), 'rb') as file:
            data = file.read()
        return {name.rstrip(b'\0').decode(): count for name, count in struct.iter_unpack('<48sQ', data)}

    def counted(self):
        """The variables that make the counting layer count, from nought."""
        file = os.path.join(self.folder, 'counts')
        if os.path.exists(file):
            os.remove(file)
        return {'OPENCL_LAYERS': COUNT, 'OPENCL_COUNT_FILE': file}

    def record_counted(self, *command, **more):
        recording = self.record(*command, **self.counted(), **more)
        return recording, self.read_counts()

    def assert_adds_up(self, recording, counts):
        """Each call that went well is one dispatch of that name, and nothing else is there."""
        lanes = recording.rows('target', 'lanes', '--filter', 'kind:opencl.queue')
        for lane in lanes:
            self.assertEqual(lane['submitted'], lane['completed'] + lane['pending'] + lane['sampled_out']
                             + lane['rejected'] + lane['lost'], lane)
        asked = {name: count for name, count in counts.items() if name.startswith('Enqueue') and count}
        refused = sum(row['status'] == 'canceled' for row in recording.rows(
            'target', 'dispatches', '--filter', 'kind:opencl.queue', '--all'))
        self.assertEqual(sum(lane['submitted'] for lane in lanes) - refused, sum(asked.values()))
        self.assertEqual(sum(lane['lost'] + lane['rejected'] for lane in lanes), 0)
        if any(lane['pending'] for lane in lanes):
            return
        kernels = asked.pop('EnqueueNDRangeKernel', 0) + asked.pop('EnqueueTask', 0)
        native = asked.pop('EnqueueNativeKernel', 0)
        found, found_kernels = {}, 0
        for row in recording.rows('target', 'top', '--filter', 'kind:opencl.queue -status:canceled', '--limit', '0'):
            if row['name'].startswith('clEnqueue'):
                found[row['name'][2:]] = row['count']
            else:
                found_kernels += row['count']
        self.assertEqual(found, asked)
        self.assertEqual(found_kernels, kernels + native)
        if refused:
            return
        items = [row['value'] for row in recording.rows('target', 'counters') if row['counter_name'] == 'work_items']
        self.assertEqual(int(items[0] or 0) if items else 0, counts['work_items'])
