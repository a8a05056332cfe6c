#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The macOS side compiles, for macOS, against declarations of ours; and the manifest of sources."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(SOURCE / 'tests'))
import tap_report

METAL = SOURCE / 'plugins' / 'metal'
MACOS = METAL / 'macos'
CLANG = next((name for name in ('clang', 'clang-14', 'clang-15', 'clang-16') if shutil.which(name)),
             None)
COMMON = ['-std=gnu11', '-Wall', '-Wextra', '-Werror', '-Wno-unused-parameter',
          '-Wno-missing-field-initializers', '-Wunguarded-availability', '-nostdlibinc',
          '-fsyntax-only', '-isystem', str(MACOS / 'declarations' / 'libc')]
OBJECTIVE_C = ['-x', 'objective-c', '-fblocks', '-fobjc-arc', f'-I{MACOS / "declarations"}',
               f'-I{MACOS}', f'-I{METAL}', f'-I{SOURCE / "core" / "target"}']
LIBRARY = [f'-I{SOURCE / "core" / "target"}', f'-I{SOURCE / "core" / "wire"}']


def guide(language):
    """The blocks of that language in the guide."""
    text = (SOURCE / 'docs' / 'metal.md').read_text(encoding='utf-8')
    return re.findall(rf'^```{language}\n(.*?)^```$', text, re.DOTALL | re.MULTILINE)


class MacOS(unittest.TestCase):
    def setUp(self):
        if CLANG is None:
            self.skipTest('no clang (package clang-14)')

    def compile(self, *arguments, text=None, target='arm64-apple-macos13'):
        return subprocess.run([CLANG, '-target', target, *COMMON, *map(str, arguments)], input=text,
                              capture_output=True, text=True, check=False)

    def check(self, *arguments, **more):
        run = self.compile(*arguments, **more)
        self.assertEqual((run.returncode, run.stderr), (0, ''))

    def test_objective_c(self):
        files = sorted(MACOS.glob('*.m'))
        self.assertGreaterEqual(len(files), 5)
        for path in files:
            with self.subTest(path.name):
                self.check(*OBJECTIVE_C, path)

    def test_both_processors(self):
        for path in sorted(MACOS.glob('*.m')):
            self.check(*OBJECTIVE_C, path, target='x86_64-apple-macos13')

    def test_producer_library(self):
        for path in sorted((SOURCE / 'core' / 'target').glob('*.c')):
            with self.subTest(path.name):
                self.check(*LIBRARY, path)

    def test_headers_alone(self):
        """As C, Objective-C, C++ and Objective-C++ take them."""
        text = '#include "weft-metal.h"\nint x;\n'
        include = [f'-I{METAL}', f'-I{SOURCE / "core" / "target"}']
        for language, standard in (('c', 'gnu11'), ('objective-c', 'gnu11'), ('c++', 'c++17'),
                                   ('objective-c++', 'c++17'), ('c++', 'c++11')):
            with self.subTest(language):
                self.check('-x', language, f'-std={standard}', *include, '-', text=text)

    def test_what_is_wrong_is_found(self):
        """The check would tell: of a method that is not there, and of one that is too new."""
        missing = self.compile(*OBJECTIVE_C, '-', text='#import "weft-metal-objects.h"\n'
                               'void f (id<MTLDevice> d);\n'
                               'void f (id<MTLDevice> d) { [d thereIsNoSuchMethod]; }\n')
        self.assertIn('thereIsNoSuchMethod', missing.stderr)
        new = self.compile(*OBJECTIVE_C, '-', text='#import "weft-metal-objects.h"\n'
                           'void f (id<MTLDevice> d);\n'
                           'void f (id<MTLDevice> d) { [d newMTL4CommandQueue]; }\n')
        self.assertIn('only available on macOS 26', new.stderr)

    def test_guide(self):
        """The guide's pieces of Objective-C stand in a function, or are whole files."""
        blocks = guide('objc')
        self.assertGreaterEqual(len(blocks), 2)
        for text in blocks:
            with self.subTest(text):
                self.check(*OBJECTIVE_C, '-', text=text)

    def test_project_names_every_file(self):
        project = (MACOS / 'CMakeLists.txt').read_text(encoding='utf-8')
        for path in MACOS.glob('*.m'):
            self.assertIn(path.name, project)


SHADERS = '''// kernel void commented (device float *x)
#include <metal_stdlib>
using namespace metal;
constant char text[] = "kernel void quoted (";

kernel void add (device float *a [[buffer (0)]],
                 uint i [[thread_position_in_grid]])
{
  if (i > 0) { a[i] += 1; }
}
kernel void declared (device float *a);

/* two
   lines */ vertex float4 corner (uint i [[vertex_id]]) { return float4 (i); }

template <typename T>
[[kernel]] void gemm (device T *a [[buffer (0)]])
{
  a[0] = 0;
}
template [[host_name ("gemm_f16")]] [[kernel]] void gemm<half> (device half *);
template [[host_name ("gemm_f32")]] [[kernel]] void gemm<float> (device float *);
'''


class Manifest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='weft-manifest-'))
        self.addCleanup(shutil.rmtree, self.folder)

    def run_tool(self, *arguments, **more):
        return subprocess.run([sys.executable, str(METAL / 'weft-metal-manifest'), *arguments],
                              capture_output=True, text=True, cwd=self.folder, **more)

    def test_functions(self):
        (self.folder / 'shaders').mkdir()
        (self.folder / 'shaders' / 'all.metal').write_text(SHADERS, encoding='utf-8')
        (self.folder / 'all.metallib').write_bytes(b'MTLB')
        self.run_tool('--library', 'all.metallib', '--flags', '-O2  -frecord-sources', '-o',
                      'all.sources', 'shaders/all.metal', check=True)
        lines = (self.folder / 'all.sources').read_text(encoding='utf-8').splitlines()
        self.assertEqual(lines[0], 'weft-metal-sources 1')
        self.assertTrue(lines[1].startswith('library\t'))
        self.assertEqual(lines[2], 'flags\t-O2 -frecord-sources')
        self.assertTrue(lines[3].startswith('source\tshaders/all.metal\t'))
        self.assertEqual([line.split('\t')[1:] for line in lines[4:]],
                         [['add', '6', '10'], ['corner', '14', '14'], ['gemm_f16', '17', '20'],
                          ['gemm_f32', '17', '20']])

    def test_one_flag(self):
        """It looks like an option, and is none of the tool's."""
        (self.folder / 'all.metal').write_text(SHADERS, encoding='utf-8')
        run = self.run_tool('--flags', '-O2', 'all.metal', check=True)
        self.assertIn('flags\t-O2', run.stdout.splitlines())

    def test_missing(self):
        run = self.run_tool('none.metal', check=False)
        self.assertEqual((run.returncode, run.stderr),
                         (1, 'weft-metal-manifest: none.metal: No such file or directory\n'))


tap_report.main(sys.argv[1:])
