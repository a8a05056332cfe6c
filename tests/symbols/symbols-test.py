#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Names, lines and inlined calls of real programs, as binutils and LLVM see them.

    symbols-test.py SYMBOLIZE SYMBOLIZER [TEST…]
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..'))
import tap_report  # noqa: E402

SYMBOLIZE, SYMBOLIZER = map(os.path.abspath, sys.argv[1:3])
NONE, EXPORTED, SYMBOLS, LINES, MISMATCH, FAILED = range(6)
UNKNOWN = [('??', '', 0)]

PROGRAM_CC = r'''
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <vector>
static int compare (const void *a, const void *b) { return *(const int *) a - *(const int *) b; }
template <class T> T twice (T x) { return x + x; }
namespace forest {
struct Tree {
  std::map<std::string, int> leaves;
  void add (const std::string &leaf) { leaves[leaf] += twice (1); }
  int total () const { int sum = 0; for (auto &leaf : leaves) sum += leaf.second; return sum; }
};
}
__attribute__ ((noinline)) int grow (int n)
{
  forest::Tree tree;
  std::vector<std::string> names;
  for (int i = 0; i < n; i++)
    names.push_back (std::to_string (i * 7919 % 1000));
  std::sort (names.begin (), names.end (),
             [] (const std::string &a, const std::string &b) { return a > b; });
  for (auto &name : names)
    tree.add (name);
  std::function<int (int)> f = [&] (int q) { return q + tree.total (); };
  return f (n);
}
int main (int argc, char **argv)
{
  int numbers[4] = { 3, 1, 2, 0 };
  qsort (numbers, 4, 4, compare);
  printf ("%d %d\n", grow (argc * 1000), numbers[0]);
}
'''

PROGRAM_C = r'''
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
struct node { struct node *next; int value; };
static inline int square (int x) { return x * x; }
static inline int cube (int x) { return square (x) * x; }
static struct node *push (struct node *list, int value)
{
  struct node *node = malloc (sizeof *node);
  if (node == NULL)
    abort ();
  node->next = list;
  node->value = cube (value) + square (value);
  return node;
}
__attribute__ ((noinline)) long sum (const struct node *list)
{
  long total = 0;
  for (; list != NULL; list = list->next)
    total += square (list->value);
  return total;
}
int main (int argc, char **argv)
{
  struct node *list = NULL;
  for (int i = 0; i < argc * 100; i++)
    list = push (list, i);
  printf ("%ld %zu\n", sum (list), strlen (argv[0]));
  return 0;
}
'''

PROGRAM_RS = r'''
use std::collections::HashMap;
trait Shape { fn area(&self) -> f64; }
struct Circle(f64);
struct Square(f64);
impl Shape for Circle { fn area(&self) -> f64 { 3.14 * square(self.0) } }
impl Shape for Square { fn area(&self) -> f64 { square(self.0) } }
#[inline(always)]
fn square(x: f64) -> f64 { x * x }
#[inline(never)]
fn total(shapes: &[Box<dyn Shape>]) -> f64 { shapes.iter().map(|s| s.area()).sum() }
fn main() {
    let mut shapes: Vec<Box<dyn Shape>> = Vec::new();
    let mut count: HashMap<String, usize> = HashMap::new();
    for i in 0..1000 {
        if i % 2 == 0 { shapes.push(Box::new(Circle(i as f64))) } else { shapes.push(Box::new(Square(i as f64))) }
        *count.entry(format!("{}", i % 10)).or_insert(0) += 1;
    }
    println!("{} {}", total(&shapes), count.len());
}
'''


def run(*arguments, **options):
    return subprocess.run(arguments, check=True, capture_output=True, text=True, **options).stdout


def need(test, program):
    if shutil.which(program) is None:
        test.skipTest(f'{program} is not installed')


def parse(text):
    """Answers in the form of addr2line -a -i -f: by address, the places, innermost first."""
    answers, places, lines = {}, None, text.splitlines()
    position = 0
    while position < len(lines):
        line = lines[position]
        if re.fullmatch('0x[0-9a-f]+', line):
            places = answers.setdefault(int(line, 16), [])
            position += 1
            continue
        where = re.sub(r' \(discriminator \d+\)$', '', lines[position + 1]) if position + 1 < len(lines) else ''
        path, _, number = where.rpartition(':')
        number = int(number) if number.isdigit() else 0
        # Where there is no line others name the file that a symbol table puts before a function.
        if line:
            places.append((line.replace('operator< <', 'operator<<'), os.path.normpath(path) if number else '', number))
        position += 2
    return answers


def symbolize(path, addresses, build_id=None, debug_path=None):
    environment = dict(os.environ, WEFT_SYMBOLIZER=SYMBOLIZER)
    if debug_path:
        environment['WEFT_DEBUG_PATH'] = debug_path
    text = run(SYMBOLIZE, path, *([build_id] if build_id else []), env=environment,
               input=''.join(f'{address:x}\n' for address in addresses))
    head, _, rest = text.partition('\n')
    state, n_symbols, debug_file, reason = head.split('\t')
    return (int(state), int(n_symbols), debug_file, reason), parse(rest)


def instructions(path, section='.text'):
    text = run('objdump', '-d', '--no-show-raw-insn', '-j', section, path)
    return [int(match, 16) for match in re.findall(r'^\s+([0-9a-f]+):', text, re.M)]


def addr2line(path, addresses):
    return parse(run('addr2line', '-a', '-i', '-f', '-C', '-e', path,
                     input=''.join(f'{address:x}\n' for address in addresses)))


def llvm(path, addresses):
    text = run('llvm-symbolizer-14', '--output-style=GNU', '-a', '-i', '-f', '-C', '-e', path,
               input=''.join(f'0x{address:x}\n' for address in addresses))
    return parse(text)


def sections(path):
    return run('readelf', '-SW', path)


def build_id(path):
    return re.search('Build ID: ([0-9a-f]+)', run('readelf', '-nW', path)).group(1)


def lines_of(places):
    return [(path, line) for _, path, line in places]


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='weft-symbols-')
        os.chmod(self.folder, 0o755)
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), 'w') as file:
            file.write(text)
        return self.path(name)

    def build(self, compiler, text, ending, *flags, name='program'):
        need(self, compiler)
        source = self.write('source' + ending, text)
        run(compiler, *flags, source, '-o', self.path(name), cwd=self.folder)
        return self.path(name)


class Compared(Case):
    """Every instruction of a program: places are those of one of the two others, nearly all of both."""

    def compare(self, path, addresses=None, identity=None, debug=None, names_share=0.995):
        addresses = addresses or instructions(path)
        _, ours = symbolize(path, addresses, identity)
        references = [addr2line(debug or path, addresses)]
        if shutil.which('llvm-symbolizer-14'):
            references.append(llvm(debug or path, addresses))
        # The two others find names where there is no symbol; nothing is invented here.
        known = [a for a in addresses if ours[a] != UNKNOWN]
        self.assertGreater(len(known), 0.9 * len(addresses))
        lines = [a for a in known if any(lines_of(ours[a]) == lines_of(r.get(a, [])) for r in references)]
        names = [a for a in known if all(any(ours[a][i][0] == r[a][i][0] for r in references if i < len(r.get(a, ())))
                                         for i in range(len(ours[a])))]
        depth = max(len(ours[a]) for a in known)
        print(f'# {len(known)} of {len(addresses)} instructions: lines and calls of {len(lines)} agree, names of '
              f'{len(names)}; {depth} deep')
        for wrong in (set(known) - set(lines), set(known) - set(names)):
            for address in sorted(wrong)[:2]:
                for places in [ours[address], *(r.get(address, []) for r in references)]:
                    print('#', hex(address), [(name[:40], os.path.basename(path), line) for name, path, line in places])
        self.assertGreaterEqual(len(lines), 0.995 * len(known))
        self.assertGreaterEqual(len(names), names_share * len(known))
        return ours, depth

    def test_gcc_cxx(self):
        ours, depth = self.compare(self.build('g++', PROGRAM_CC, '.cc', '-O2', '-g'))
        self.assertGreater(depth, 4)
        names = {place[0] for places in ours.values() for place in places}
        self.assertIn('forest::Tree::add(std::__cxx11::basic_string<char, std::char_traits<char>, '
                      'std::allocator<char> > const&)', names)

    def test_gcc_cxx_dwarf4(self):
        self.compare(self.build('g++', PROGRAM_CC, '.cc', '-O2', '-gdwarf-4'))

    def test_gcc_c(self):
        ours, depth = self.compare(self.build('gcc', PROGRAM_C, '.c', '-O2', '-g'))
        self.assertEqual(depth, 4)

    def test_gcc_not_optimized(self):
        self.compare(self.build('gcc', PROGRAM_C, '.c', '-O0', '-g'))

    def test_gcc_compressed(self):
        self.compare(self.build('gcc', PROGRAM_C, '.c', '-O2', '-g', '-gz'))

    def test_gcc_link_time(self):
        self.compare(self.build('gcc', PROGRAM_C, '.c', '-O2', '-g', '-flto'))

    def test_gcc_no_pie(self):
        self.compare(self.build('gcc', PROGRAM_C, '.c', '-O2', '-g', '-no-pie'))

    def test_clang_cxx(self):
        program = self.build('clang++-14', PROGRAM_CC, '.cc', '-O2', '-g')
        self.assertNotIn('.debug_aranges', sections(program))
        self.compare(program)

    def test_clang_c_dwarf4(self):
        self.compare(self.build('clang-14', PROGRAM_C, '.c', '-O2', '-gdwarf-4'))

    def test_libc(self):
        library = next((path for path in ('/lib/x86_64-linux-gnu/libc.so.6', '/lib/aarch64-linux-gnu/libc.so.6')
                        if os.path.exists(path)), None)
        identity = build_id(library) if library else '  '
        debug = f'/usr/lib/debug/.build-id/{identity[:2]}/{identity[2:]}.debug'
        if not os.path.exists(debug):
            self.skipTest('libc6-dbg is not installed')
        addresses = instructions(library)[::37]
        (state, _, debug_file, _), _ = symbolize(library, addresses[:1], identity)
        self.assertEqual((state, debug_file), (LINES, debug))
        # Many of its functions have another name for the linker, which is not the one that is shown.
        self.compare(library, addresses, identity, debug, names_share=0.85)

    def rust(self, *flags):
        program = self.build('rustc', PROGRAM_RS, '.rs', '-O', '-g', *flags)
        mine = [address for address in instructions(program)]
        return self.compare(program, mine[::7])

    def test_rust(self):
        ours, depth = self.rust()
        names = {place[0] for places in ours.values() for place in places}
        self.assertIn('source::total' if 'source::total' in names else 'program::total', names)
        self.assertFalse([name for name in names if re.search('17h[0-9a-f]{16}E', name)])

    def test_rust_v0(self):
        ours, depth = self.rust('-C', 'symbol-mangling-version=v0')
        names = {place[0] for places in ours.values() for place in places}
        self.assertFalse([name for name in names if name.startswith('_R')])


class Separate(Case):
    """Debugging information that is somewhere else, or nowhere."""

    def setUp(self):
        super().setUp()
        self.whole = self.build('gcc', PROGRAM_C, '.c', '-O2', '-g', '-Wl,--build-id', name='whole')
        self.addresses = instructions(self.whole)
        self.build_id = build_id(self.whole)
        _, self.expected = symbolize(self.whole, self.addresses)
        self.debug = self.path('whole.debug')
        run('objcopy', '--only-keep-debug', self.whole, self.debug)
        self.stripped = self.path('stripped')
        run('strip', '-o', self.stripped, self.whole)

    def place_by_id(self, file):
        folder = self.path(f'debug/.build-id/{self.build_id[:2]}')
        os.makedirs(folder, exist_ok=True)
        target = os.path.join(folder, self.build_id[2:] + '.debug')
        shutil.copy(file, target)
        return target

    def test_by_build_id(self):
        place = self.place_by_id(self.debug)
        (state, _, debug_file, reason), ours = symbolize(self.stripped, self.addresses, self.build_id, self.path('debug'))
        self.assertEqual((state, debug_file, reason), (LINES, place, ''))
        self.assertEqual(ours, self.expected)

    def test_wrong_build_id(self):
        other = self.build('gcc', PROGRAM_C.replace('* 100', '* 200'), '.c', '-O2', '-g', '-Wl,--build-id', name='other')
        self.place_by_id(other)
        (state, _, debug_file, reason), ours = symbolize(self.stripped, self.addresses, self.build_id, self.path('debug'))
        self.assertEqual((state, debug_file), (MISMATCH, ''))
        self.assertIn('its build id is another one', reason)
        self.assertTrue(all(place[2] == 0 for places in ours.values() for place in places))

    def link(self, debug, *strip):
        run('strip', *strip, '-o', self.path('linked'), self.whole)
        run('objcopy', f'--add-gnu-debuglink={debug}', self.path('linked'), cwd=self.folder)
        return self.path('linked')

    def test_by_link(self):
        linked = self.link(self.debug)
        for place in 'whole.debug', '.debug/whole.debug', f'debug{self.folder}/whole.debug':
            with self.subTest(place):
                target = self.path(place)
                os.makedirs(os.path.dirname(target), exist_ok=True)
                os.rename(self.debug, target)
                self.debug = target
                (state, _, debug_file, _), ours = symbolize(linked, self.addresses, None, self.path('debug'))
                self.assertEqual((state, debug_file), (LINES, target))
                self.assertEqual(ours, self.expected)

    def test_wrong_sum(self):
        without_id = self.build('gcc', PROGRAM_C, '.c', '-O2', '-g', '-Wl,--build-id=none', name='whole')
        run('objcopy', '--only-keep-debug', without_id, self.debug)
        linked = self.link(self.debug)
        (state, _, debug_file, _), ours = symbolize(linked, self.addresses)
        self.assertEqual((state, debug_file), (LINES, self.debug))
        with open(self.debug, 'r+b') as file:
            file.seek(-1, os.SEEK_END)
            last = file.read(1)
            file.seek(-1, os.SEEK_END)
            file.write(bytes([last[0] ^ 1]))
        (state, _, debug_file, reason), ours = symbolize(linked, self.addresses)
        self.assertEqual((state, debug_file), (MISMATCH, ''))
        self.assertIn('its check sum is another one', reason)

    def test_link_is_a_name(self):
        os.mkdir(self.path('deeper'))
        linked = self.link(self.debug)
        data = open(linked, 'rb').read()
        self.assertEqual(data.count(b'whole.debug\0'), 1)
        with open(linked, 'wb') as file:
            file.write(data.replace(b'whole.debug\0', b'../whole.db\0'))
        os.rename(self.debug, self.path('whole.db'))
        os.rename(linked, self.path('deeper/linked'))
        (state, _, debug_file, _), ours = symbolize(self.path('deeper/linked'), self.addresses)
        self.assertEqual(debug_file, '')

    def test_stripped(self):
        (state, n_symbols, debug_file, reason), ours = symbolize(self.stripped, self.addresses, self.build_id)
        self.assertIn(state, (NONE, EXPORTED))
        self.assertIn('no debugging information', reason)
        self.assertTrue(all(place[2] == 0 for places in ours.values() for place in places))
        # Nothing names them, but the unwinding tables say where they begin and end.
        ranges = re.findall(r' FDE .* pc=([0-9a-f]+)\.\.([0-9a-f]+)', run('readelf', '--debug-dump=frames', self.whole))
        functions = [(int(begin, 16), int(end, 16)) for begin, end in ranges if int(begin, 16) in self.addresses]
        # One that the compiler split has two places.
        self.assertGreater(len(functions), 2)
        for begin, end in functions:
            self.assertEqual({ours[a][-1][0] for a in self.addresses if begin <= a < end}, {f'sub_{begin:x}'})

    def test_symbols_only(self):
        run('strip', '-g', '-o', self.path('symbols'), self.whole)
        (state, n_symbols, _, _), ours = symbolize(self.path('symbols'), self.addresses)
        self.assertEqual(state, SYMBOLS)
        names = {places[-1][0] for places in ours.values()}
        self.assertTrue({'main', 'sum', '_start'} <= names)
        nm = {name for kind, name in re.findall(r'^[0-9a-f]+ ([tT]) (\w+)$', run('nm', self.whole), re.M)}
        self.assertTrue(nm - {'_fini', '_init'} <= names | {'_init', '_fini'}, nm - names)

    def test_exported(self):
        library = self.build('gcc', 'int shown (int x) { return x * 3; }\nstatic int __attribute__ ((noinline, used)) '
                             'hidden (int x) { return x + 4; }\nint calls (int x) { return hidden (x); }', '.c', '-O2',
                             '-shared', '-fPIC', '-s', name='library.so')
        (state, _, _, _), ours = symbolize(library, instructions(library))
        self.assertEqual(state, EXPORTED)
        names = {places[0][0] for places in ours.values()}
        self.assertEqual({name for name in names if not name.startswith('sub_')} - {'??'}, {'shown', 'calls'})

    def test_linkage_table(self):
        for flags in [], ['-Wl,-z,now'], ['-fcf-protection=full', '-Wl,-z,ibtplt'], ['-no-pie'], ['-fno-plt']:
            with self.subTest(flags):
                program = self.build('gcc', PROGRAM_C, '.c', '-O2', *flags, name='linkage')
                text = run('objdump', '-d', program)
                wanted = {name for name in re.findall(r'^[0-9a-f]+ <([\w@]+)@plt>:', text, re.M)}
                addresses = {int(a, 16): n for a, n in re.findall(r'^([0-9a-f]+) <([\w]+@plt)>:', text, re.M)}
                _, ours = symbolize(program, sorted(addresses) or [0])
                self.assertEqual({a: ours[a][0][0] for a in addresses}, addresses)
                if '-fno-plt' not in flags:
                    self.assertTrue(wanted)

    def test_shared_debugging_information(self):
        need(self, 'dwz')
        second = self.build('gcc', PROGRAM_C.replace('* 100', '* 300'), '.c', '-O2', '-g', '-Wl,--build-id', name='second')
        for name in 'one', 'two':
            shutil.copy(self.whole if name == 'one' else second, self.path(name))
        run('dwz', '-m', self.path('common.dwz'), '-r', self.path('one'), self.path('two'))
        self.assertTrue(os.path.exists(self.path('common.dwz')))
        (state, _, _, reason), ours = symbolize(self.path('one'), self.addresses)
        self.assertEqual((state, reason), (LINES, ''))
        self.assertEqual(ours, self.expected)
        os.remove(self.path('common.dwz'))
        (state, _, _, reason), ours = symbolize(self.path('one'), self.addresses)
        self.assertIn('is missing', reason)

    def test_split(self):
        program = self.build('gcc', PROGRAM_C, '.c', '-O2', '-g', '-gsplit-dwarf', name='split')
        (state, _, _, reason), ours = symbolize(program, instructions(program))
        self.assertEqual(state, LINES)
        self.assertIn('.dwo', reason)
        self.assertIn('sum', {places[-1][0] for places in ours.values()})

    def test_packed_symbols(self):
        need(self, 'xz')
        run('strip', '-g', '-o', self.path('mini'), self.whole)
        run('objcopy', '--only-keep-debug', self.path('mini'), self.path('mini.debug'))
        run('xz', '-f', self.path('mini.debug'))
        run('objcopy', '--add-section', f'.gnu_debugdata={self.path("mini.debug.xz")}', self.stripped)
        (state, _, _, _), ours = symbolize(self.stripped, self.addresses, self.build_id)
        if state == EXPORTED:
            self.skipTest('built without liblzma')
        self.assertEqual(state, SYMBOLS)
        self.assertTrue({'main', 'sum', '_start'} <= {places[-1][0] for places in ours.values()})


if __name__ == '__main__':
    tap_report.main(sys.argv[3:])
