#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The tree keeps its own rules: what the core may name, what frontends may see, how long functions
are, whose licence a file has.

    tree-test.py SOURCE
"""

import importlib.machinery
import importlib.util
import os
import pathlib
import re
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))

import tap_report  # noqa: E402

ROOT = pathlib.Path(sys.argv[1])
FOLDERS = ['core', 'plugins', 'frontends', 'examples', 'data', 'docs', 'scripts', 'tests']

# What plugins know of, and the core does not. Words for formats are there too: the core reads and
# writes its own, and CSV, JSON and Arrow, which are ways to hand over a table.
DOMAINS = re.compile(r'(?<![a-z0-9])(' + '|'.join([
    'metal', 'metallib', 'opencl', 'cuda', 'rocm', 'vulkan', 'opengl', 'webgpu', 'gpus?', 'tpus?', 'shaders?',
    'gstreamer', 'ffmpeg', 'codecs?', 'executors?', 'tokio', 'openmp', 'ompt', 'thread-?pools?',
    'frame-?loops?', 'frame-?clocks?', 'gtk',
    'perfetto', 'kineto', 'chrome', 'sysprof', 'speedscope', 'pprof', 'otlp', 'tracy',
]) + r')(?![a-z0-9])', re.IGNORECASE)

SOURCES = {'.c', '.h', '.cc', '.py', '.js', '.sh', '.in', '.toml', '.build', '.fish', '.bash'}
# Text, data and pictures; .reuse/dep5 has their licence.
WITHOUT_HEADER = {'.md', '.svg', '.json', '.txt', '.weft', '.suppressions'}

LICENSES = [
    ('core/target/', {'BSD-2-Clause'}),
    ('core/wire/', {'BSD-2-Clause'}),
    ('plugins/codec/weft-codec.h', {'BSD-2-Clause'}),
    ('plugins/executor/weft-executor.h', {'BSD-2-Clause'}),
    ('plugins/frameloop/weft-frameloop.h', {'BSD-2-Clause'}),
    ('plugins/threadpool/weft-threadpool.h', {'BSD-2-Clause'}),
    ('plugins/metal/macos/', {'BSD-2-Clause'}),
    ('plugins/metal/weft-metal.h', {'BSD-2-Clause'}),
    ('plugins/metal/weft-metal-implementation.h', {'BSD-2-Clause'}),
    ('examples/', {'BSD-2-Clause'}),
    ('docs/examples/', {'BSD-2-Clause'}),
    ('tests/', {'LGPL-2.1-or-later', 'BSD-2-Clause'}),
    ('frontends/', {'GPL-3.0-or-later'}),
    ('data/', {'GPL-3.0-or-later', 'LGPL-2.1-or-later'}),
    ('', {'LGPL-2.1-or-later'}),
]

LONGEST = 120
NINETIETH = 40


def files(*folders):
    for folder in folders:
        for path in sorted((ROOT / folder).rglob('*')):
            if path.is_file() and '__pycache__' not in path.parts:
                yield path


def name(path):
    return path.relative_to(ROOT).as_posix()


def sources(*folders):
    """Sources with a known ending, and scripts."""
    for path in files(*folders):
        if path.suffix in SOURCES or (path.suffix not in WITHOUT_HEADER
                                      and path.read_bytes()[:2] == b'#!'):
            yield path


def lines(path):
    return enumerate(path.read_text(encoding='utf-8').splitlines(), 1)


def named_domains(text):
    """Domains that a line names. Words run together with underscores are words."""
    return [match.group(1) for match in DOMAINS.finditer(text)]


def includes(path):
    for number, line in lines(path):
        if match := re.match(r'\s*#\s*include\s+[<"]([^>"]+)[>"]', line):
            yield number, match.group(1)


def function_lengths():
    loader = importlib.machinery.SourceFileLoader('function_lengths', str(ROOT / 'scripts/function-lengths'))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


class Rules(unittest.TestCase):
    def test_core_names_no_domain(self):
        for text in ('WEFT_GPU_LANE', 'x.metal', 'ExecutorPool of an executor', 'GPU*'):
            self.assertTrue(named_domains(text), text)
        for text in ('metallic', 'kernel', 'g_thread_pool_new', 'shade', 'weft_code_copies'):
            self.assertEqual(named_domains(text), [], text)
        found = [f'{name(path)}:{number}: {word}' for path in sources('core')
                 for number, line in lines(path) for word in named_domains(line)]
        self.assertEqual(found, [])

    def test_frontends_see_the_library_only(self):
        """`<weft.h>`, their own headers and the system's; none that lies in core, under any name."""
        core = {path.name for path in files('core') if path.suffix == '.h'}
        core |= {'weft-objects.h', 'weft-enum-types.h', 'weft-version.h'}
        checked = 0
        found = []
        for path in sources('frontends'):
            if path.suffix not in {'.c', '.h'}:
                continue
            for number, header in includes(path):
                checked += 1
                if os.path.basename(header) in core and header != 'weft.h':
                    found.append(f'{name(path)}:{number}: {header}')
        self.assertGreater(checked, 50)
        self.assertEqual(found, [])

    def test_private_headers_are_not_installed(self):
        text = (ROOT / 'core/weft.h').read_text(encoding='utf-8')
        self.assertEqual([header for _, header in includes(ROOT / 'core/weft.h')
                          if header.endswith('-private.h')], [])
        self.assertIn('weft-recording.h', text)

    def test_function_lengths(self):
        lengths = function_lengths()
        for folder in FOLDERS:
            found = lengths.measure([ROOT / folder]) if (ROOT / folder).is_dir() else []
            if not found:
                continue
            with self.subTest(folder):
                self.assertLessEqual(lengths.percentile(found, 90), NINETIETH)
                self.assertEqual([function for function in found if function[0] > LONGEST], [])
        self.assertGreater(len(lengths.measure([ROOT / 'core'])), 1000)

    def test_licenses(self):
        found = []
        for path in sources(*FOLDERS):
            head = path.read_text(encoding='utf-8')[:400]
            said = re.search(r'SPDX-License-Identifier: (\S+)', head)
            allowed = next(licenses for folder, licenses in LICENSES if name(path).startswith(folder))
            if not said or said.group(1) not in allowed:
                found.append(f'{name(path)}: {said.group(1) if said else "no SPDX header"}')
        self.assertEqual(found, [])

    def test_every_license_is_there(self):
        named = {license for _, licenses in LICENSES for license in licenses}
        for license in named:
            self.assertTrue((ROOT / 'LICENSES' / f'{license}.txt').is_file(), license)


tap_report.main()
