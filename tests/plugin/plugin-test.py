#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plugins that were built elsewhere against the installed headers: good ones, and every way to be bad.

    plugin-test.py BUILD HOST WEFT PRODUCER [TEST…]
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..'))
import tap_report  # noqa: E402

BUILD, HOST, WEFT, PRODUCER = map(os.path.abspath, sys.argv[1:5])
CORPUS = os.path.join(BUILD, 'tests', 'corpus', 'weft-corpus')
GUIDE = os.path.join(HERE, '..', '..', 'docs', 'plugin-guide.md')
NOBODY = ['setpriv', '--reuid=12345', '--regid=12345', '--clear-groups']
SANITIZE = os.environ.get('WEFT_TEST_SANITIZE', 'none')
PRELOAD = os.environ.get('WEFT_TEST_PRELOAD', '')

# Counts the processes that load it.
COUNTED = '''
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <string.h>
#include <stdlib.h>
__attribute__ ((constructor)) static void count (void)
{
  const char *path = getenv ("WEFT_TEST_COUNT");
  int fd = path ? open (path, O_WRONLY | O_CREAT | O_APPEND, 0666) : -1;
  const char *name = program_invocation_short_name;
  if (fd >= 0)
    {
      if (write (fd, name, strlen (name)) < 0 || write (fd, "\\n", 1) < 0)
        abort ();
      close (fd);
    }
}
'''

PLUGIN = '''
#include <weft.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
%(counted)s
%(before)s
static gboolean init (WeftPlugin *plugin, GError **error)
{
  %(init)s
  return TRUE;
}
WEFT_PLUGIN_DEFINE ("%(name)s", "%(version)s", "A plugin of the tests", "LGPL-2.1-or-later", init)
'''

# An instrument that other plugins may bring as well.
INSTRUMENT = '''
typedef struct { GObject parent; } %(type)s;
typedef struct { GObjectClass parent; } %(type)sClass;
static char *get_name (WeftInstrument *i) { return g_strdup ("%(instrument)s"); }
static void iface (WeftInstrumentInterface *i) { i->get_name = get_name; }
GType thing_get_type (void);
G_DEFINE_TYPE_WITH_CODE (%(type)s, thing, G_TYPE_OBJECT, G_IMPLEMENT_INTERFACE (WEFT_TYPE_INSTRUMENT, iface))
static void thing_class_init (%(type)sClass *k) {}
static void thing_init (%(type)s *s) {}
'''
# A domain for kinds of the corpus, which says something of all that can be said.
DOMAIN = '''
typedef struct { GObject parent; } Stores;
typedef struct { GObjectClass parent; } StoresClass;
static char *get_name (WeftDomain *d) { return g_strdup ("storage"); }
static WeftVocabulary *get_vocabulary (WeftDomain *d)
{
  WeftVocabulary *words = weft_vocabulary_new ("storage");
  weft_vocabulary_set_title (words, "Storage", "Disks and what they do.");
  weft_vocabulary_add_kind (words, "storage.*", "Disk", "drive-harddisk-symbolic", "#123456");
  weft_vocabulary_add_kind (words, "metal.queue", "Device queue", NULL, NULL);
  weft_vocabulary_add_kind (words, "executor.pool", "Pool", NULL, NULL);
  weft_vocabulary_add_word (words, NULL, "routine", "request kind", NULL);
  weft_vocabulary_add_word (words, NULL, "dispatch", "request", NULL);
  weft_vocabulary_add_word (words, "metal.*", "routine", "shader", NULL);
  weft_vocabulary_add_word (words, "metal.*", "submission", "command buffer", NULL);
  weft_vocabulary_add_counter (words, "cache misses", "Missed lines", "lines", NULL, WEFT_POLARITY_LOWER);
  weft_vocabulary_add_counter (words, "plain", "Plain things", "things", NULL, WEFT_POLARITY_HIGHER);
  weft_vocabulary_add_metric (words, "metric-plain", "Plain measure", "pounds", NULL, WEFT_POLARITY_HIGHER);
  weft_vocabulary_add_attribute (words, "%(tag)s", "Marked", "marks", NULL);
  weft_vocabulary_add_derived_metric (words, "mean-request", "total / dispatches", "Mean request", "ns", NULL,
                                      WEFT_POLARITY_LOWER);
  weft_vocabulary_add_derived_metric (words, "misses-per", "\\"cache misses\\" / count", "Misses a run", "lines",
                                      NULL, WEFT_POLARITY_LOWER);
  weft_vocabulary_add_derived_metric (words, "rate", "\\"metric-counter\\" / dispatches", "Rate", NULL, NULL,
                                      WEFT_POLARITY_HIGHER);
  weft_vocabulary_add_derived_metric (words, "never", "total / (dispatches - dispatches)", "Never", NULL, NULL,
                                      WEFT_POLARITY_NEUTRAL);
  weft_vocabulary_add_derived_metric (words, "level", "\\"metric-gauge.average\\"", "Level", NULL, NULL,
                                      WEFT_POLARITY_NEUTRAL);
  weft_vocabulary_add_derived_metric (words, "middle", "\\"metric-histogram.p50\\" * 100 + \\"metric-histogram.count\\"",
                                      "Middle", NULL, NULL, WEFT_POLARITY_NEUTRAL);
  weft_vocabulary_add_derived_metric (words, "high", "\\"metric-histogram.p95\\"", "High", NULL, NULL,
                                      WEFT_POLARITY_NEUTRAL);
  weft_vocabulary_add_derived_metric (words, "whole", "elapsed", "Whole", "ns", NULL, WEFT_POLARITY_NEUTRAL);
  weft_vocabulary_add_derived_metric (words, "broken", "1 + * 2", "Broken", NULL, NULL, WEFT_POLARITY_NEUTRAL);
  return words;
}
static GListModel *diagnose (WeftDomain *d, WeftRecording *recording, GCancellable *cancellable, GError **error)
{
  %(diagnose)s
}
static void iface (WeftDomainInterface *i)
{
  i->get_name = get_name;
  i->get_vocabulary = get_vocabulary;
  i->diagnose = diagnose;
}
GType thing_get_type (void);
G_DEFINE_TYPE_WITH_CODE (Stores, thing, G_TYPE_OBJECT, G_IMPLEMENT_INTERFACE (WEFT_TYPE_DOMAIN, iface))
static void thing_class_init (StoresClass *k) {}
static void thing_init (Stores *s) {}
'''
ADD_DOMAIN = '''g_autoptr (WeftDomain) thing = g_object_new (thing_get_type (), NULL);
  weft_plugin_add_domain (plugin, thing);'''
FINDING = '''GListStore *findings = g_list_store_new (WEFT_TYPE_FINDING);
  const char *handles[] = { "l-1", "l-2", NULL };
  g_autofree char *evidence = g_strdup_printf ("%" G_GUINT64_FORMAT " requests",
                                               weft_recording_get_n_rows (recording, "dispatches"));
  g_autoptr (WeftFinding) finding = weft_finding_new ("storage.full", "Is there room?", WEFT_VERDICT_PROBLEM,
                                                      evidence, "Tidy up.", handles);
  g_list_store_append (findings, finding);
  return G_LIST_MODEL (findings);'''

# Every kind of answer, of the first thing of each table where one thing is asked about.
ASK_ALL = '''
import sys, gi
gi.require_version('Weft', '1')
from gi.repository import Gio, GLib, Weft
recording = Weft.Recording.open(Gio.File.new_for_path(sys.argv[1]), None)
for kind in Weft.Analysis.list_kinds():
    for handle in (None, 'd-1', 'd-200', 's-1', 'src-1'):
        analysis = Weft.Analysis.new(recording, kind)
        analysis.set_handle(handle)
        try:
            print(kind, handle, analysis.run(None).to_json())
        except GLib.Error as error:
            print(kind, handle, error.message)
'''

ADD_INSTRUMENT = '''g_autoptr (WeftInstrument) thing = g_object_new (thing_get_type (), NULL);
  weft_plugin_add_instrument (plugin, thing);'''

CONSTRUCTOR = '__attribute__ ((constructor)) static void early (void) { %s; }'


def blocks(language):
    with open(GUIDE, encoding='utf-8') as file:
        return re.findall(rf'^```{language}\n(.*?)^```$', file.read(), re.M | re.S)


def works(command):
    try:
        return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


class Installed:
    """A copy of Weft as make install leaves it, and how to build against it."""

    def __init__(self, folder):
        self.root = os.path.join(folder, 'root')
        self.compiled = {}
        subprocess.run(['meson', 'install', '-C', BUILD, '--no-rebuild', '--quiet'], check=True,
                       env=dict(os.environ, DESTDIR=self.root), stdout=subprocess.DEVNULL)
        self.config = self.find('weft-1.pc')
        self.library = os.path.dirname(self.find('libweft-1.so'))
        # Not a sysroot: GLib is where it always is.
        with open(self.config, 'r+', encoding='utf-8') as file:
            text = re.sub('^prefix=', f'prefix={self.root}', file.read(), flags=re.M)
            file.seek(0)
            file.write(text)
        self.environment = dict(os.environ, PKG_CONFIG_PATH=os.path.dirname(self.config))
        self.flags = subprocess.run(['pkg-config', '--cflags', '--libs', 'weft-1'], check=True, text=True,
                                    stdout=subprocess.PIPE, env=self.environment).stdout.split()

    def find(self, name):
        for folder, _, names in os.walk(self.root):
            if name in names:
                return os.path.join(folder, name)
        raise AssertionError(f'{name} is not installed')

    def compile(self, source, path, *flags):
        """Leaves a new file at path; what was compiled before is copied."""
        known = self.compiled.get((source, flags))
        if known is None:
            known = os.path.join(self.root, f'{len(self.compiled)}.so')
            done = subprocess.run(['cc', '-D_GNU_SOURCE', '-shared', '-fPIC', '-fvisibility=hidden', '-x', 'c', '-',
                                   '-o', known, *self.flags, *flags], input=source, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            if done.returncode:
                raise AssertionError(done.stdout)
            os.chmod(known, 0o755)
            self.compiled[source, flags] = known
        shutil.copy(known, path + '.new')
        os.rename(path + '.new', path)


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shared = tempfile.mkdtemp(prefix='weft-plugin-')
        os.chmod(cls.shared, 0o755)
        cls.addClassCleanup(shutil.rmtree, cls.shared, ignore_errors=True)
        cls.installed = Installed(cls.shared)

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='weft-plugin-')
        os.chmod(self.folder, 0o755)
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        for name in ('plugins', 'data', 'cache', 'second'):
            os.makedirs(self.path(name))
        self.user = self.path('data', 'weft', 'plugins')
        self.cache = self.path('cache', 'weft', 'plugins.json')
        self.environment = dict(os.environ, WEFT_PLUGIN_PATH=self.path('plugins'), HOME=self.folder,
                                XDG_DATA_HOME=self.path('data'), XDG_CACHE_HOME=self.path('cache'),
                                WEFT_TEST_COUNT=self.path('count'), LC_ALL='C.UTF-8',
                                WEFT_RUNTIME_DIR=self.path('run'), WEFT_RECORDINGS=self.path('recordings'))
        for name in ('SUDO_UID', 'WEFT_PLUGIN_DISABLE', 'WEFT_PLUGIN_PROBE'):
            self.environment.pop(name, None)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def plugin(self, name='good', folder='plugins', before='', init='', version='1.0', file=None, flags=()):
        path = self.path(folder, (file or name) + '.so')
        self.installed.compile(PLUGIN % dict(name=name, before=before, init=init, version=version,
                                             counted=COUNTED), path, *flags)
        return path

    def run_command(self, command, expect=0, **options):
        options.setdefault('env', self.environment)
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=120, encoding='utf-8', **options)
        for bad in ('Sanitizer', 'runtime error', 'CRITICAL', 'WARNING'):
            self.assertNotIn(bad, done.stderr)
        if expect is not None:
            self.assertEqual(done.returncode, expect, f'{command}\n{done.stdout}\n{done.stderr}')
        return done

    def host(self, *arguments, user=(), expect=0, **options):
        return self.run_command([*user, HOST, *arguments], expect, **options)

    def listed(self, *arguments, **options):
        """(name of the file, state, reason) of each plugin, and the names of what they brought."""
        plugins, brought = [], []
        for line in self.host(*arguments or ('list',), **options).stdout.splitlines():
            kind, name, *fields = line.split('\t')
            if kind == 'plugin':
                plugins.append((os.path.basename(fields[2]), fields[0], fields[3]))
            else:
                brought.append((kind, name))
        return plugins, brought

    def counted(self):
        """Names of the programs that loaded the plugin, and none from now on."""
        try:
            with open(self.path('count'), encoding='utf-8') as file:
                names = file.read().split()
            os.remove(self.path('count'))
            return names
        except FileNotFoundError:
            return []

    def assert_refused(self, file, pattern, *arguments, **options):
        """A good plugin beside it is loaded all the same."""
        if not os.path.exists(self.path('plugins', 'good.so')):
            self.plugin()
        plugins, _ = self.listed(*arguments, **options)
        found = {name: (state, reason) for name, state, reason in plugins}
        self.assertEqual(found['good.so'], ('loaded', ''))
        self.assertEqual(found[file][0], 'refused')
        self.assertRegex(found[file][1], pattern)

    # ---- The guide ----

    def build_weaving(self):
        source = self.path('weaving.c')
        with open(source, 'w', encoding='utf-8') as file:
            file.write(blocks('c')[0])
        command = blocks('sh')[0].strip()
        self.run_command(['sh', '-c', command], env=self.installed.environment, cwd=self.folder)
        return self.path('weaving.so')

    def python(self, script, *arguments):
        environment = dict(self.environment, GI_TYPELIB_PATH=os.path.join(BUILD, 'core'),
                           LD_LIBRARY_PATH=os.path.join(BUILD, 'core'), PYTHONDONTWRITEBYTECODE='1')
        if PRELOAD:
            environment.update(LD_PRELOAD=PRELOAD, ASAN_OPTIONS='detect_leaks=0')
        return self.run_command(['/usr/bin/python3', '-c', script, *arguments], env=environment,
                                cwd=self.folder).stdout

    def test_guide_build_install_list_use_remove(self):
        self.environment.pop('WEFT_PLUGIN_PATH')
        self.build_weaving()
        self.assertEqual(self.python(blocks('python')[0]), blocks('text')[0])
        self.assertEqual(os.listdir(self.user), [])

    def test_guide_meson(self):
        self.build_weaving()
        with open(self.path('meson.build'), 'w', encoding='utf-8') as file:
            file.write(blocks('meson')[0])
        self.run_command(['meson', 'setup', '_build'], env=self.installed.environment, cwd=self.folder)
        self.run_command(['ninja', '-C', '_build'], env=self.installed.environment, cwd=self.folder)
        shutil.copy(self.path('_build', 'weaving.so'), self.path('plugins'))
        plugins, brought = self.listed()
        self.assertEqual(plugins, [('weaving.so', 'loaded', '')])
        self.assertEqual(brought, [('domain', 'weaving'), ('instrument', 'weaving'),
                                   ('exporter', 'dispatch-count')])

    def recording(self):
        file = self.path('x.weft')
        self.run_command([WEFT, 'record', '-q', '-o', file, '--', PRODUCER, 'spans=100'])
        return file

    def test_exporter_of_a_plugin(self):
        shutil.copy(self.build_weaving(), self.path('plugins'))
        told = self.python('''
import sys, gi
gi.require_version('Weft', '1')
from gi.repository import Gio, GLib, Weft
registry = Weft.PluginRegistry.get_default()
registry.load(None)
recording = Weft.Recording.open(Gio.File.new_for_path(sys.argv[1]), None)
stream = Gio.MemoryOutputStream.new_resizable()
loop = GLib.MainLoop()
def done(exporter, result):
    print(exporter.export_finish(result))
    loop.quit()
registry.find_exporter('dispatch-count').export_async(recording, stream, None, None, None, done)
loop.run()
stream.close()
print(stream.steal_as_bytes().get_data())
''', self.recording())
        self.assertIn("(True, losses=['Everything but", told)
        self.assertIn("b'100\\n'", told)

    def test_python_domain_and_exporter(self):
        told = self.python(blocks('python')[1] + '''
import sys
recording = Weft.Recording.open(Gio.File.new_for_path(sys.argv[1]), None)
words = registry.get_vocabulary()
print(words.get_word('knitting.a', 'dispatch', True), words.get_label('knitting.a'))
domain = registry.find_domain_for_kind('knitting.a')
finding = domain.diagnose(recording, None)[0]
print(finding.get_check(), finding.get_verdict().value_nick, finding.props.evidence)
print(len(domain.get_details(recording, recording)))
stream = Gio.MemoryOutputStream.new_resizable()
print(registry.find_exporter('count').export_recording(recording, stream, None, None, None).losses)
loop = GLib.MainLoop()
def done(exporter, result):
    print(exporter.export_finish(result)[0])
    loop.quit()
registry.find_exporter('count').export_async(recording, stream, None, Weft.Progress.new(), None, done)
loop.run()
stream.close()
print(stream.steal_as_bytes().get_data())
try:
    registry.register_domain(Knitting())
except GLib.Error as error:
    print(error.matches(Weft.error_quark(), Weft.Error.PLUGIN), error.message)
''', self.recording())
        self.assertEqual(told.splitlines(), [
            'stitches Needles', 'knitting.stitches good 100 stitches', '0',
            "['All but their number was left out.']", 'True', "b'100 stitches\\n100 stitches\\n'",
            'True There is a domain “knitting” already'])

    def test_python_instrument_and_importer(self):
        told = self.python('''
import gi
gi.require_version('Weft', '1')
from gi.repository import Gio, GLib, GObject, Weft
class Shuttle(GObject.Object, Weft.Instrument):
    def do_get_name(self): return 'shuttle'
    def do_get_domains(self): return ['weaving', 'knitting']
    def do_is_applicable(self, argv): return argv[0] == 'loom', 'not a loom'
    def do_prepare(self, launch):
        if launch.get_argv()[0] == 'stuck':
            raise GLib.Error.new_literal(Weft.error_quark(), 'it is stuck', Weft.Error.PLUGIN)
        return launch.prepend_path('LD_PRELOAD', '/shuttle.so')
    def do_finished(self, launch, status): print('finished', launch.get_argv(), status)
class Cards(GObject.Object, Weft.Importer):
    def do_get_name(self): return 'cards'
    def do_get_patterns(self): return ['*.cards']
    def do_recognizes(self, head, name): return 90 if head.get_data().startswith(b'CARDS') else 0
    def do_import_file(self, source, target, options, progress, cancellable):
        progress.report(0.5, 'halfway')
        target.replace_contents(source.load_contents(cancellable)[1][::-1], None, False, 0, cancellable)
        return True, ['colours']
class Silent(GObject.Object, Weft.Importer):
    def do_get_name(self): return 'silent'
registry = Weft.PluginRegistry.new([])
registry.register_instrument(Shuttle())
registry.register_importer(Cards())
registry.register_importer(Silent())
shuttle = registry.find_instrument('shuttle')
print(shuttle.get_domains(), tuple(shuttle.is_applicable(['loom'])), tuple(shuttle.is_applicable(['x'])))
launch = Weft.Launch.new(['loom'], [])
print(shuttle.prepare(launch), launch.get_environment())
shuttle.finished(launch, 256)
try: shuttle.prepare(Weft.Launch.new(['stuck'], []))
except GLib.Error as error: print(error.message)
found = registry.recognize(GLib.Bytes.new(b'CARDS 1'), 'x')
print(found.get_name(), registry.recognize(GLib.Bytes.new(b'other'), 'x.cards'), found.get_mime_types())
source, target = Gio.File.new_for_path('in'), Gio.File.new_for_path('out')
source.replace_contents(b'abc', None, False, 0, None)
progress = Weft.Progress.new()
loop = GLib.MainLoop()
def done(importer, result):
    try: print(tuple(importer.import_finish(result)))
    except GLib.Error as error: print(error.message)
    loop.quit()
found.import_async(source, target, GLib.Variant('a{sv}', {'a': GLib.Variant('i', 1)}), progress, None, done)
loop.run()
print(target.load_contents(None)[1], progress.get_fraction(), progress.dup_text())
cancelled = Gio.Cancellable()
cancelled.cancel()
found.import_async(source, target, None, progress, cancelled, done)
loop.run()
registry.find_importer('silent').import_async(source, target, None, progress, None, done)
loop.run()
''')
        self.assertEqual(told.splitlines(), [
            "['weaving', 'knitting'] (True, '') (False, 'not a loom')", "True ['LD_PRELOAD=/shuttle.so']",
            "finished ['loom'] 256", 'it is stuck', 'cards None []', "(True, ['colours'])",
            "b'cba' 0.5 halfway", 'Operation was cancelled',
            'The importer __main__+Silent works without blocking only'])

    def test_python_importer_of_several_files(self):
        told = self.python('''
import gi, os
gi.require_version('Weft', '1')
from gi.repository import Gio, GLib, GObject, Weft
class Cards(GObject.Object, Weft.Importer):
    def do_get_name(self): return 'cards'
    def do_recognizes(self, head, name): return 90 if head.get_data().startswith(b'CARDS') else 0
    def do_import_files(self, inputs, target, options, progress, cancellable):
        names = ' '.join(file.get_basename() for file in inputs)
        target.replace_contents(names.encode(), None, False, 0, cancellable)
        return True, ['order']
class Single(GObject.Object, Weft.Importer):
    def do_get_name(self): return 'single'
    def do_get_patterns(self): return ['*.card']
    def do_import_file(self, source, target, options, progress, cancellable):
        target.replace_contents(source.get_basename().encode(), None, False, 0, cancellable)
        return True, []
registry = Weft.PluginRegistry.new([])
registry.register_importer(Cards())
registry.register_importer(Single())
os.makedirs('deck')
for name in ('a.card', 'deck/b', 'deck/c'):
    Gio.File.new_for_path(name).replace_contents(b'CARDS' if '/' in name else b'', None, False, 0, None)
def files(*names):
    store = Gio.ListStore.new(Gio.File)
    for name in names:
        store.append(Gio.File.new_for_path(name))
    return store
target = Gio.File.new_for_path('made')
def contents(): return target.load_contents(None)[1]
cards, single = registry.find_importer('cards'), registry.find_importer('single')
print(tuple(cards.import_files(files('deck/c', 'deck/b'), target, None, None, None)), contents())
print(tuple(cards.import_file(Gio.File.new_for_path('deck/b'), target, None, None, None)), contents())
print(tuple(single.import_files(files('a.card'), target, None, None, None)), contents())
for names in ((), ('a.card', 'deck/b')):
    try: single.import_files(files(*names), target, None, None, None)
    except GLib.Error as error: print(error.matches(Weft.error_quark(), Weft.Error.PLUGIN), error.message)
def name(path):
    found = registry.recognize_file(Gio.File.new_for_path(path), None)
    return found and found.get_name()
print(name('deck'), name('deck/b'), name('a.card'), name('.'))
try: name('absent')
except GLib.Error as error: print(error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.NOT_FOUND))
loop = GLib.MainLoop()
def done(importer, result):
    try: print(tuple(importer.import_files_finish(result)), contents())
    except GLib.Error as error: print(error.message)
    loop.quit()
cards.import_files_async(files('deck/b'), target, None, None, None, done)
loop.run()
cancelled = Gio.Cancellable()
cancelled.cancel()
cards.import_files_async(files('deck/b'), target, None, None, cancelled, done)
loop.run()
''')
        self.assertEqual(told.splitlines(), [
            "(True, ['order']) b'c b'", "(True, ['order']) b'b'", "(True, []) b'a.card'",
            'True The importer “single” makes a recording of one file, not of 0',
            'True The importer “single” makes a recording of one file, not of 2',
            'cards cards single None', 'True', "(True, ['order']) b'b'", 'Operation was cancelled'])

    # ---- Installing ----

    def test_install_and_remove(self):
        source = self.plugin('tidy', folder='second')
        os.chmod(source, 0o600)
        plugins, _ = self.listed('install', source)
        self.assertEqual(plugins, [('tidy.so', 'loaded', '')])
        installed = os.path.join(self.user, 'tidy.so')
        self.assertEqual(os.stat(installed).st_mode & 0o7777, 0o644)
        self.assertEqual(self.counted(), ['weft-plugin-probe', 'plugin-host'])
        self.assertEqual(self.listed()[0], [('tidy.so', 'loaded', '')])
        self.assertEqual(self.counted(), ['plugin-host'])
        # A later version takes its place; the one in use stays so.
        later = self.plugin('tidy', folder='second', version='2.0')
        plugins, _ = self.listed('install', later)
        self.assertEqual([plugin[:2] for plugin in plugins], [('tidy.so', 'loaded'), ('tidy.so', 'refused')])
        self.assertRegex(plugins[1][2], r'^Version 1\.0 of it is in use until this program ends')
        self.assertIn('\t2.0\t', self.host('list').stdout)
        self.assertEqual(self.listed('remove', 'tidy')[0], [])
        self.assertEqual(os.listdir(self.user), [])

    def test_install_refuses_what_cannot_be_loaded(self):
        source = self.plugin('crasher', folder='second', before=CONSTRUCTOR % 'abort ()')
        done = self.host('install', source, expect=1)
        self.assertRegex(done.stderr, r'^The plugin was not installed\. It crashed')
        done = self.host('install', self.path('second', 'none.so'), expect=1)
        self.assertIn('No such file', done.stderr)
        self.assertEqual(os.listdir(self.user), [])

    def test_remove_touches_only_the_users_own(self):
        path = self.plugin('good')
        self.assertIn('outside your own folder', self.host('remove', 'good', expect=1).stderr)
        self.assertTrue(os.path.exists(path))
        self.assertIn('No such file', self.host('remove', 'none', expect=1).stderr)

    # ---- Finding ----

    def test_no_plugins(self):
        self.assertEqual(self.listed(), ([], []))

    def test_search_order_and_name_clash(self):
        os.makedirs(self.user)
        first = self.plugin('twin', file='b', version='1.0')
        self.plugin('twin', file='c', version='2.0')
        os.rename(self.plugin('twin', folder='second', file='a', version='3.0'), os.path.join(self.user, 'a.so'))
        plugins, _ = self.listed()
        self.assertEqual([plugin[:2] for plugin in plugins], [('b.so', 'loaded'), ('c.so', 'refused'),
                                                             ('a.so', 'refused')])
        for plugin in plugins[1:]:
            self.assertEqual(plugin[2], f'Another plugin of this name came first: version 1.0, “{first}”')
        self.environment['WEFT_PLUGIN_PATH'] = self.path('second') + ':' + self.path('plugins') + '::'
        self.plugin('twin', folder='second', file='z')
        self.assertEqual(self.listed()[0][0][:2], ('z.so', 'loaded'))

    def test_extension_clash(self):
        for name in ('first', 'second'):
            self.plugin(name, before=INSTRUMENT % dict(type=name.title() + 'Thing', instrument='same'),
                        init=ADD_INSTRUMENT)
        self.assert_refused('second.so', 'There is an instrument “same” already')
        self.assertEqual(self.listed()[1], [('instrument', 'same')])

    def test_extension_twice_in_one_plugin(self):
        """Neither stays."""
        body = INSTRUMENT % dict(type='Thing', instrument='same')
        self.plugin('greedy', before=body, init=ADD_INSTRUMENT + 'weft_plugin_add_instrument (plugin, thing);')
        self.assert_refused('greedy.so', 'There is an instrument “same” already')
        self.assertEqual(self.listed()[1], [])

    def test_looking_again(self):
        """What is loaded stays as it is, and is listed once; so is what is refused."""
        self.plugin('bad', init='return FALSE;')
        self.plugin('bearer', before=INSTRUMENT % dict(type='Thing', instrument='one'), init=ADD_INSTRUMENT)
        for how in ((), ('--async',)):
            plugins, brought = self.listed(*how, '--twice', 'list')
            self.assertEqual(sorted(plugin[:2] for plugin in plugins),
                             [('bad.so', 'refused'), ('bearer.so', 'loaded')])
            self.assertEqual(brought, [('instrument', 'one')])

    def test_disabled(self):
        self.plugin('quiet', file='other')
        self.plugin('loud')
        self.environment['WEFT_PLUGIN_DISABLE'] = 'quiet, loud'
        plugins, _ = self.listed()
        self.assertEqual([plugin[:2] for plugin in plugins], [('loud.so', 'disabled'), ('other.so', 'disabled')])
        # By the name of its file it is not even tried out.
        self.assertEqual(self.counted(), ['weft-plugin-probe'])

    def test_asynchronous(self):
        self.plugin()
        self.plugin('bad', init='return FALSE;')
        plugins, _ = self.listed('--async', 'list')
        self.assertEqual([plugin[:2] for plugin in plugins], [('bad.so', 'refused'), ('good.so', 'loaded')])

    def test_strange_folders(self):
        self.environment['WEFT_PLUGIN_PATH'] = 'here:' + self.path('none') + ':' + self.path('file')
        with open(self.path('file'), 'w', encoding='utf-8'):
            pass
        plugins, _ = self.listed()
        self.assertEqual([plugin[:2] for plugin in plugins], [('here', 'refused'), ('file', 'refused')])
        self.assertIn('whole paths', plugins[0][2])

    def test_kinds(self):
        shutil.copy(self.build_weaving(), self.path('plugins'))
        told = self.host('kind', 'weaving.loom', 'weaving.other', 'x.y').stdout
        self.assertEqual(told, 'weaving.loom\tweaving\tLoom\tbatches\n'
                               'weaving.other\tweaving\tweaving.other\tbatches\nx.y\tnone\tx.y\tsubmissions\n')

    # ---- Broken plugins ----

    def test_not_elf(self):
        with open(self.path('plugins', 'text.so'), 'w', encoding='utf-8') as file:
            file.write('not a library\n')
        open(self.path('plugins', 'empty.so'), 'w', encoding='utf-8').close()
        self.assert_refused('text.so', '^It cannot be opened: .*(invalid ELF header|file too short)')
        self.assert_refused('empty.so', '^It cannot be opened: .*file too short')

    def test_truncated(self):
        path = self.plugin('cut')
        size = os.path.getsize(path)
        for keep in (70, 1000, size // 4, size // 2):
            with self.subTest(keep=keep):
                os.truncate(path, keep)
                self.assert_refused('cut.so', '^It (cannot be opened|crashed)')
                self.plugin('cut')

    def test_old_abi(self):
        self.plugin('old', before='#undef WEFT_PLUGIN_ABI_MAJOR\n'
                                  '#define WEFT_PLUGIN_ABI_MAJOR 0')
        self.assert_refused('old.so', r'^It is too old: it was built for plugin ABI 0\.0, this is 1\.0')

    def test_too_new(self):
        for major, minor in ((2, 0), (1, 9)):
            with self.subTest(major=major, minor=minor):
                self.plugin('new', before='#undef WEFT_PLUGIN_ABI_MAJOR\n#undef WEFT_PLUGIN_ABI_MINOR\n'
                            f'#define WEFT_PLUGIN_ABI_MAJOR {major}\n#define WEFT_PLUGIN_ABI_MINOR {minor}')
                self.assert_refused('new.so', rf'^It is too new: it was built for plugin ABI {major}\.{minor}')

    def descriptor(self, text):
        self.installed.compile('#include <weft.h>\n' + text, self.path('plugins', 'odd.so'))

    def test_no_descriptor(self):
        self.descriptor('')
        self.assert_refused('odd.so', '^It is no plugin: it does not export weft_plugin_descriptor')

    def test_garbled_descriptor(self):
        make = '__attribute__ ((visibility ("default"))) const WeftPluginDescriptor weft_plugin_descriptor = {%s};'
        init = 'static gboolean init (WeftPlugin *p, GError **e) { return TRUE; }\n'
        head = 'WEFT_PLUGIN_MAGIC, sizeof (WeftPluginDescriptor), WEFT_PLUGIN_ABI_MAJOR, 0, '
        for name, fields, reason in (
                ('magic', '1, 2, 1, 0, "odd", "1", "d", "l", init', 'garbled: it does not begin'),
                ('size', 'WEFT_PLUGIN_MAGIC, 24, 1, 0, "odd", "1", "d", "l", init', 'garbled: it must have'),
                ('init', head + '"odd", "1", "d", "l", NULL', 'garbled: it must have'),
                ('version', head + '"odd", NULL, "d", "l", init', 'garbled: it must have'),
                ('utf-8', head + r'"odd", "1", "\xff", "l", init', 'garbled: it must have'),
                ('name', head + '"No Name", "1", "d", "l", init', '^Its name is not one'),
                ('no-name', head + 'NULL, "1", "d", "l", init', '^Its name is not one'),
                ('pointer', head + '(char *) 8, (char *) 8, "d", "l", init', '^It crashed')):
            with self.subTest(name=name):
                self.descriptor((init if 'init' in fields else '') + make % fields)
                self.assert_refused('odd.so', reason)

    def test_missing_symbol(self):
        self.plugin('lacking', before='void weft_of_tomorrow (void);', init='weft_of_tomorrow ();')
        self.assert_refused('lacking.so', '^It cannot be opened: .*undefined symbol: weft_of_tomorrow')

    def test_missing_library(self):
        self.installed.compile('__attribute__ ((visibility ("default"))) int f (void) { return 1; }',
                               self.path('libgone.so'), '-Wl,-soname,libgone.so')
        self.plugin('lacking', before='int f (void);', init='if (f () != 1) return FALSE;',
                    flags=['-Wl,--no-as-needed', '-L' + self.folder, '-lgone'])
        self.assert_refused('lacking.so', '^It cannot be opened: libgone.so')
        # Nothing was remembered: when the library is there, the plugin works.
        self.environment['LD_LIBRARY_PATH'] = self.folder
        self.assertIn(('lacking.so', 'loaded', ''), self.listed()[0])

    def test_crash_at_load(self):
        for name, crash in (('abort', 'abort ()'), ('fault', '*(volatile int *) 8 = 1'),
                            ('kill', 'raise (SIGKILL)')):
            with self.subTest(name=name):
                self.plugin('crasher', before=CONSTRUCTOR % crash)
                self.assert_refused('crasher.so', r'^It crashed \(.+\) while it was being opened\.')

    def test_crash_in_init(self):
        self.plugin('crasher', init='abort ();')
        self.assert_refused('crasher.so', r'^It crashed \(Aborted\) in its init\.')

    def test_crash_in_what_it_registers(self):
        body = INSTRUMENT.replace('return g_strdup ("%(instrument)s");', 'abort ();')
        self.plugin('crasher', before=body % dict(type='CrashThing'), init=ADD_INSTRUMENT)
        self.assert_refused('crasher.so', r'^It crashed \(Aborted\) in its init\.')

    def test_init_fails(self):
        self.plugin('weak', init='g_set_error (error, WEFT_ERROR, WEFT_ERROR_PLUGIN, "no loom"); return FALSE;')
        self.plugin('mute', init='return FALSE;')
        self.assert_refused('weak.so', '^Its init failed: no loom$')
        self.assert_refused('mute.so', '^Its init failed: it did not say why$')

    def test_bad_name_of_extension(self):
        self.plugin('naming', before=INSTRUMENT % dict(type='Thing', instrument='Bad Name'), init=ADD_INSTRUMENT)
        self.assert_refused('naming.so', 'registers an instrument called “Bad Name”')

    def test_hang_at_load(self):
        self.plugin()
        self.listed()  # tried out with all the time it needs
        self.plugin('sleeper', before=CONSTRUCTOR % 'for (;;) pause ()')
        started = time.monotonic()
        self.assert_refused('sleeper.so', r'^It hung: it had not come back after 1\.5 s, while it was being opened',
                            '--limit=1500', 'list')
        self.assertLess(time.monotonic() - started, 60)

    def test_hang_with_a_child(self):
        """Nothing that it started stays."""
        self.plugin()
        self.listed()
        self.plugin('sleeper', init=f'if (fork () == 0) {{ execlp ("sleep", "sleep", "98765", NULL); _exit (1); }}'
                                    f'for (;;) pause ();')
        self.assert_refused('sleeper.so', '^It hung: .* in its init', '--limit=1500', 'list')
        self.assertEqual(subprocess.run(['pgrep', '-f', '^sleep 98765$'], stdout=subprocess.DEVNULL).returncode, 1)

    def test_exit_at_load(self):
        self.plugin('leaver', before=CONSTRUCTOR % 'exit (0)')
        self.plugin('leaver-init', init='_exit (3);')
        self.assert_refused('leaver.so', r'^It ended the process \(exit status 0\) while it was being opened')
        self.assert_refused('leaver-init.so', r'^It ended the process \(exit status 3\) in its init')

    def test_prints_a_verdict_of_its_own(self):
        self.plugin('liar', init=r'g_print ("{\"verdict\":\"good\",\"name\":\"liar\",\"version\":\"1\"}\n"); abort ();')
        self.assert_refused('liar.so', '^It crashed')

    def test_probe_is_missing(self):
        self.plugin()
        self.environment['WEFT_PLUGIN_PROBE'] = self.path('none')
        plugins, _ = self.listed()
        self.assertEqual(plugins[0][1], 'refused')
        self.assertRegex(plugins[0][2], '^It could not be tried out first: .*WEFT_PLUGIN_PROBE')
        del self.environment['WEFT_PLUGIN_PROBE']
        self.assertEqual(self.listed()[0], [('good.so', 'loaded', '')])

    def test_probe_cannot_start(self):
        """What keeps it from starting is not the plugin's fault, and not remembered as such."""
        self.plugin()
        with open(self.path('stopped'), 'w', encoding='utf-8') as file:
            file.write('#!/bin/sh\nexit 127\n')
        os.chmod(self.path('stopped'), 0o755)
        self.environment['WEFT_PLUGIN_PROBE'] = self.path('stopped')
        plugins, _ = self.listed()
        self.assertEqual(plugins[0][1], 'refused')
        self.assertRegex(plugins[0][2], r'^It could not be tried out first: .*stopped” ended before it began '
                                        r'\(exit status 127\)')
        del self.environment['WEFT_PLUGIN_PROBE']
        self.assertEqual(self.listed()[0], [('good.so', 'loaded', '')])

    def test_not_a_file(self):
        os.mkfifo(self.path('plugins', 'pipe.so'))
        os.mkdir(self.path('plugins', 'folder.so'))
        self.assert_refused('pipe.so', '^It is not a regular file')
        self.assert_refused('folder.so', '^It is not a regular file')
        os.symlink('nowhere', self.path('plugins', 'dangling.so'))
        self.assert_refused('dangling.so', '^It cannot be read: No such file')

    # ---- Rights ----

    def need_other_user(self):
        if os.geteuid() != 0:
            self.skipTest('root is needed to become another user')
        if not works([*NOBODY, 'test', '-x', HOST]):
            self.skipTest('setpriv is missing, or the build folder is closed to other users')

    def test_world_writable(self):
        os.chmod(self.plugin('open'), 0o777)
        self.assert_refused('open.so', 'can be written by others')

    def test_root_and_groups(self):
        if os.geteuid() != 0:
            self.skipTest('root is needed')
        os.chmod(self.plugin('group'), 0o775)
        self.assert_refused('group.so', 'can be written by others')
        os.chown(self.plugin('foreign'), 12345, 12345)
        self.assert_refused('foreign.so', 'belongs to another user')
        os.chmod(self.path('plugins'), 0o777)
        plugins, _ = self.listed()
        self.assertEqual({state for _, state, _ in plugins}, {'refused'})

    def test_elevated(self):
        if os.geteuid() != 0:
            self.skipTest('root is needed')
        os.makedirs(self.user)
        os.rename(self.plugin('own', folder='second'), os.path.join(self.user, 'own.so'))
        self.plugin('named')
        self.environment['SUDO_UID'] = '12345'
        self.assertEqual(self.listed()[0], [('named.so', 'loaded', '')])
        self.assertFalse(os.path.exists(self.cache))
        done = self.host('install', self.plugin('more', folder='second'), expect=1)
        self.assertIn('more rights than its user', done.stderr)
        os.chown(self.folder, 12345, 12345)
        self.assertEqual(self.listed()[0][0][:2], ('named.so', 'refused'))

    def test_unprivileged(self):
        self.need_other_user()
        os.chown(self.path('cache'), 12345, 12345)
        os.chown(self.path('data'), 12345, 12345)
        self.environment['WEFT_TEST_COUNT'] = ''
        self.plugin()
        unreadable = self.plugin('secret')
        os.chmod(unreadable, 0o600)
        self.assert_refused('secret.so', '^It cannot be read: Permission denied', user=NOBODY)
        self.assertEqual(os.stat(self.cache).st_uid, 12345)
        self.assertEqual(os.stat(self.cache).st_mode & 0o777, 0o600)
        plugins, _ = self.listed('install', self.plugin('mine', folder='second'), user=NOBODY)
        self.assertIn(('mine.so', 'loaded', ''), plugins)
        self.listed('remove', 'mine', user=NOBODY)
        self.assertEqual(os.listdir(self.user), [])
        os.chmod(self.path('plugins'), 0o700)
        plugins, _ = self.listed(user=NOBODY)
        self.assertEqual(plugins[0][:2], ('plugins', 'refused'))

    # ---- Verdicts kept ----

    def test_second_load_does_not_try_out_again(self):
        path = self.plugin()
        self.listed()
        self.assertEqual(self.counted(), ['weft-plugin-probe', 'plugin-host'])
        self.listed()
        self.assertEqual(self.counted(), ['plugin-host'])
        os.utime(path, (1, 1))
        self.listed()
        self.assertEqual(self.counted(), ['weft-plugin-probe', 'plugin-host'])
        self.plugin(version='1.1')
        self.listed()
        self.assertEqual(self.counted(), ['weft-plugin-probe', 'plugin-host'])

    def test_crash_is_remembered_until_the_file_changes(self):
        self.plugin('crasher', init='if (getenv ("WEFT_TEST_CRASH")) abort ();')
        self.environment['WEFT_TEST_CRASH'] = '1'
        self.assertRegex(self.listed()[0][0][2], '^It crashed')
        del self.environment['WEFT_TEST_CRASH']
        self.counted()
        self.assertRegex(self.listed()[0][0][2], '^It crashed')
        self.assertEqual(self.counted(), [])
        os.utime(self.path('plugins', 'crasher.so'), (2, 2))
        self.assertEqual(self.listed()[0][0][1], 'loaded')

    def test_failures_are_tried_again(self):
        self.plugin('moody', init='if (getenv ("WEFT_TEST_FAIL")) return FALSE;')
        self.environment['WEFT_TEST_FAIL'] = '1'
        self.assertEqual(self.listed()[0][0][1], 'refused')
        del self.environment['WEFT_TEST_FAIL']
        self.assertEqual(self.listed()[0][0][1], 'loaded')

    def test_verdicts_of_another_version(self):
        """Crashes stand; what depends on the library is found out anew."""
        self.plugin()
        self.plugin('crasher', init='abort ();')
        self.listed()
        with open(self.cache, encoding='utf-8') as file:
            cache = json.load(file)
        self.assertEqual({verdict['verdict'] for verdict in cache['verdicts']}, {'good', 'crash'})
        for verdict in cache['verdicts']:
            verdict['library'] = '0.0.9'
        with open(self.cache, 'w', encoding='utf-8') as file:
            json.dump(cache, file)
        self.counted()
        self.assertEqual([plugin[1] for plugin in self.listed()[0]], ['refused', 'loaded'])
        self.assertEqual(self.counted(), ['weft-plugin-probe', 'plugin-host'])

    def test_garbled_cache(self):
        self.plugin()
        self.listed()
        with open(self.cache, encoding='utf-8') as file:
            sound = file.read()
        for garbled in ('', '{', '[]', 'null', '\x00\x01', '[' * 1000000, '{"format": 1}',
                        '{"format": 2, "verdicts": []}', '{"format": "1", "verdicts": 5}',
                        '{"format": 1, "verdicts": [1, null, {}, {"identity": 4}]}',
                        sound.replace('"good"', '"crash"'), sound.replace('"good"', '"failed"'),
                        sound.replace('"name"', '"mane"'), sound[:-20], ' ' * (5 << 20) + sound):
            with self.subTest(garbled=garbled[:40]):
                with open(self.cache, 'w', encoding='utf-8') as file:
                    file.write(garbled)
                self.counted()
                self.assertEqual(self.listed()[0], [('good.so', 'loaded', '')])
                self.assertEqual(self.counted(), ['weft-plugin-probe', 'plugin-host'])

    def test_cache_of_others(self):
        self.plugin()
        self.listed()
        with open(self.cache, encoding='utf-8') as file:
            cache = json.load(file)
        cache['verdicts'][0].update(verdict='crash', reason='forged')
        with open(self.cache, 'w', encoding='utf-8') as file:
            json.dump(cache, file)
        self.assertEqual(self.listed()[0], [('good.so', 'refused', 'forged')])
        os.chmod(self.cache, 0o666)
        self.assertEqual(self.listed()[0], [('good.so', 'loaded', '')])

    def test_cache_cannot_be_written(self):
        self.plugin()
        shutil.rmtree(self.path('cache'))
        with open(self.path('cache'), 'w', encoding='utf-8'):
            pass
        self.assertEqual(self.listed()[0], [('good.so', 'loaded', '')])

    # ---- Domains in recordings ----

    def domain(self, diagnose=FINDING):
        return self.plugin('stores', before=DOMAIN % dict(tag='size', diagnose=diagnose), init=ADD_DOMAIN)

    def corpus(self, name='corpus.weft', *arguments, expect=0):
        file = self.path(name)
        done = self.run_command([WEFT, 'record', '-q', '-o', file, '--', CORPUS, '--no-drops', *arguments], expect)
        return file, done

    def ask(self, file, *words):
        return json.loads(self.run_command([WEFT, *words, '--json', file]).stdout)

    def check_figures(self, file, lane, derived):
        """Figures of a metric's points: of all, and of a range in which each value holds 10 ms."""
        self.assertEqual(derived[lane, 'middle']['value'], 310)
        self.assertEqual(derived[lane, 'high']['value'], 120)
        gauge = [row for row in self.ask(file, 'metrics')['rows'] if row['name'] == 'metric-gauge'][0]
        begin, end = gauge['first'], gauge['last_time'] + 10_000_000
        lanes = self.ask(file, 'target', 'lanes', '--from', f'{begin}ns', '--to', f'{end}ns')
        cut = {row['metric']: row['value'] for row in lanes['derived'] if row['lane'] == lane}
        self.assertEqual(cut['whole'], 100_000_000)
        self.assertAlmostEqual(cut['level'], gauge['mean'])
        self.assertGreater(derived[lane, 'whole']['value'], cut['whole'])

    def check_words(self, file):
        """What the domain of the tests says is in the answers of the recording."""
        lanes = self.ask(file, 'target', 'lanes')
        disk = [row for row in lanes['rows'] if row['kind'] == 'storage.request'][0]
        self.assertEqual((disk['kind_label'], disk['icon_name'], disk['color']),
                         ('Disk', 'drive-harddisk-symbolic', '#123456'))
        derived = {(row['lane'], row['metric']): row for row in lanes['derived']}
        mean = derived[disk['lane'], 'mean-request']
        self.assertEqual(mean['value'], disk['total'] / disk['dispatches'])
        self.assertEqual((mean['label'], mean['unit'], mean['polarity'], mean['domain']),
                         ('Mean request', 'ns', 'lower', 'storage'))
        self.assertIsNone(derived[disk['lane'], 'never']['value'])
        self.assertNotIn((disk['lane'], 'broken'), derived)
        self.assertNotIn((disk['lane'], 'rate'), derived)
        metrics = self.ask(file, 'metrics')['rows']
        counter = [row for row in metrics if row['name'] == 'metric-counter'][0]
        pool = [row for row in lanes['rows'] if row['lane'] == counter['lane']][0]
        self.assertEqual(derived[pool['lane'], 'rate']['value'], counter['total'] / pool['dispatches'])
        self.check_figures(file, pool['lane'], derived)
        plain = [row for row in metrics if row['name'] == 'metric-plain'][0]
        self.assertEqual((plain['label'], plain['unit'], plain['polarity']), ('Plain measure', 'pounds', 'higher'))
        self.assertEqual((counter['label'], counter['unit']), ('metric-counter', 'invocations'))

        counters = {row['counter_name']: row for row in self.ask(file, 'target', 'counters')['rows']}
        plain, misses = counters['plain'], counters['cache misses']
        self.assertEqual((plain['counter_label'], plain['unit'], plain['polarity']),
                         ('Plain things', 'things', 'higher'))
        # The producer knows its unit best.
        self.assertEqual((misses['counter_label'], misses['unit']), ('Missed lines', 'count'))
        routines = self.ask(file, 'target', 'routines')
        words = {row['routine']: row['routine_word'] for row in routines['rows']}
        self.assertTrue({'shader', 'request kind', 'routine'} <= set(words.values()))
        count = {row['routine']: row['count'] for row in routines['rows']}
        total = {row['routine']: row['total'] for row in routines['counters']
                 if row['counter_name'] == 'cache misses'}
        found = {row['routine']: row['value'] for row in routines['derived'] if row['metric'] == 'misses-per'}
        self.assertTrue(found)
        for routine, value in found.items():
            self.assertEqual(value, total[routine] / count[routine])
        submissions = self.ask(file, 'target', 'submissions')['rows']
        self.assertIn('command buffer', [row['submission_word'] for row in submissions])
        dispatches = self.ask(file, 'target', 'dispatches', '--filter', 'kind:storage.*')['rows']
        handle = dispatches[0]['dispatch']
        one = self.ask(file, 'target', 'dispatch', handle)['value']
        self.assertEqual((one['dispatch_word'], one['routine_word'], one['submission_word'], one['lane_kind_label']),
                         ('request', 'request kind', 'submission', 'Disk'))
        shown = self.run_command([WEFT, 'target', 'dispatch', handle, file]).stdout
        self.assertRegex(shown, rf'(?m)^request +{handle}$')
        self.assertRegex(shown, r'(?m)^request kind +r-')
        show = self.ask(file, 'show')['value']
        self.assertEqual([(row['domain'], row['label'], row['kinds']) for row in show['words']],
                         [('storage', 'Storage', 'storage.*, metal.queue, executor.pool')])
        shown = self.run_command([WEFT, 'diagnose', file]).stdout
        self.assertIn('✗ Is there room? (storage)', shown)
        self.assertIn('“broken” of storage: At character 5', shown)

    def check_findings(self, file):
        found = [row for row in self.ask(file, 'diagnose')['rows'] if row['domain']]
        self.assertEqual([(row['domain'], row['check'], row['question'], row['verdict'], row['advice'], row['handles'])
                          for row in found],
                         [('storage', 'storage.full', 'Is there room?', 'problem', 'Tidy up.', 'l-1 l-2')])
        dispatches = self.ask(file, 'show')['value']['dispatches']
        self.assertEqual(found[0]['evidence'], f'{dispatches} requests')

    def test_words_outlive_their_plugin(self):
        path = self.domain()
        file, _ = self.corpus()
        self.check_words(file)
        self.check_findings(file)
        before = self.python(ASK_ALL, file)
        shown = self.run_command([WEFT, 'show', file]).stdout
        self.assertIn('request kind', before)
        os.remove(path)
        self.assertEqual(self.listed(), ([], []))
        self.assertEqual(self.python(ASK_ALL, file), before)
        self.environment['WEFT_PLUGIN_PATH'] = ''
        self.assertEqual(self.python(ASK_ALL, file), before)
        self.assertEqual(self.run_command([WEFT, 'show', file]).stdout, shown)
        self.check_words(file)
        self.assertEqual([row['name'] for row in self.ask(file, 'show')['value']['plugins']], ['stores'])

    def test_guide_recording(self):
        self.domain()
        self.python(blocks('python')[2], CORPUS, '--only', 'lane-storage')
        self.check_findings(self.path('loom.weft'))

    def test_neutral_words_without_plugin(self):
        file, _ = self.corpus()
        self.domain()
        lanes = self.ask(file, 'target', 'lanes')
        self.assertTrue(all(row['kind_label'] == row['kind'] for row in lanes['rows']))
        self.assertEqual(lanes['derived'], [])
        routines = self.ask(file, 'target', 'routines')
        self.assertEqual({row['routine_word'] for row in routines['rows']}, {'routine'})
        show = self.ask(file, 'show')['value']
        self.assertEqual((show['words'], show['plugins']), ([], []))
        self.assertEqual([row for row in self.ask(file, 'diagnose')['rows'] if row['domain']], [])
        counters = self.ask(file, 'target', 'counters')['rows']
        self.assertTrue(all(row['counter_label'] == row['counter_name'] for row in counters))

    def test_domain_of_other_lanes_is_not_asked(self):
        self.domain('abort ();')
        file = self.recording()
        show = self.ask(file, 'show')['value']
        self.assertEqual((show['words'], [row['name'] for row in show['plugins']]), ([], ['stores']))

    def check_failed_domain(self, diagnose, evidence, expect=0):
        self.domain(diagnose)
        file, done = self.corpus('x.weft', '--only', 'lane-storage', expect=expect)
        show = self.ask(file, 'show')['value']
        self.assertEqual((show['state'], show['dispatches']), ('complete', 65))
        found = [row for row in self.ask(file, 'diagnose')['rows'] if row['domain']]
        self.assertEqual([(row['domain'], row['check'], row['verdict']) for row in found],
                         [('storage', 'storage.diagnosis', 'attention')])
        self.assertRegex(found[0]['evidence'], evidence)
        return done

    def test_domain_that_fails(self):
        self.check_failed_domain('g_set_error_literal (error, WEFT_ERROR, WEFT_ERROR_PLUGIN, "no idea"); return NULL;',
                                 '^no idea$')

    def test_domain_that_hangs(self):
        done = self.check_failed_domain('for (;;) sleep (1); return NULL;', 'left behind')
        self.assertIn('a plugin does not return', done.stderr)

    def test_domain_that_is_cancelled(self):
        self.check_failed_domain('''while (!g_cancellable_is_cancelled (cancellable)) g_usleep (10000);
  g_cancellable_set_error_if_cancelled (cancellable, error);
  return NULL;''', 'cancelled')

    def test_domain_that_finds_too_much(self):
        self.domain('''GListStore *findings = g_list_store_new (WEFT_TYPE_FINDING);
  g_autofree char *text = g_strnfill (1000000, 'x');
  for (int i = 0; i < 1000; i++)
    {
      g_autoptr (WeftFinding) finding = weft_finding_new ("storage.\\x1b[31m", text, WEFT_VERDICT_GOOD, "\\xff", NULL, NULL);
      g_list_store_append (findings, finding);
    }
  return G_LIST_MODEL (findings);''')
        file, _ = self.corpus('x.weft', '--only', 'lane-storage')
        found = [row for row in self.ask(file, 'diagnose')['rows'] if row['domain']]
        self.assertEqual(len(found), 256)
        self.assertEqual((len(found[0]['question']), found[0]['evidence']), (4096, '\ufffd'))
        self.assertNotIn('\x1b', self.run_command([WEFT, 'diagnose', '-w', file]).stdout)

    def test_domain_that_crashes(self):
        """Nothing is lost of what was recorded, though the recorder is."""
        self.domain('abort ();')
        file, _ = self.corpus('x.weft', '--only', 'lane-storage', expect=-6)
        show = self.ask(file, 'show')['value']
        self.assertEqual((show['state'], show['dispatches']), ('unfinished', 65))

    PYTHON_DOMAIN = '''
import sys, gi
gi.require_version('Weft', '1')
from gi.repository import Gio, GLib, GObject, Weft
class Storage(GObject.Object, Weft.Domain):
    def do_get_name(self): return 'storage'
    def do_get_vocabulary(self):
        words = Weft.Vocabulary.new('storage')
        words.set_title('Storage', None)
        words.add_kind('storage.*', 'Disk', None, '#123456')
        words.add_word(None, 'routine', 'request kind', None)
        words.add_derived_metric('mean-request', 'total / dispatches', 'Mean request', 'ns', None, Weft.Polarity.LOWER)
        return words
    def do_diagnose(self, recording, cancellable):
        findings = Gio.ListStore.new(Weft.Finding)
        findings.append(Weft.Finding.new('storage.full', 'Is there room?', Weft.Verdict.PROBLEM,
            f"{recording.get_n_rows('dispatches')} requests", 'Tidy up.', ['l-1', 'l-2']))
        return findings
class Broken(GObject.Object, Weft.Domain):
    def do_get_name(self): return 'broken'
    def do_get_vocabulary(self):
        words = Weft.Vocabulary.new('broken')
        words.set_title('Broken', None)
        return words
    def do_diagnose(self, recording, cancellable):
        raise GLib.Error.new_literal(Weft.error_quark(), 'it is broken', Weft.Error.PLUGIN)
registry = Weft.PluginRegistry.new([])
registry.register_domain(Storage())
recorder = Weft.Recorder.new()
recorder.set_output(sys.argv[1])
recorder.set_argv([sys.argv[2], '--only', 'lane-storage'])
'''

    def test_python_domain_records(self):
        for how in ('''
recorder.start(None)
recorder.wait(None)
print(recorder.add_domain_findings(registry, 0, None))
recorder.stop(None)
''', '''
loop = GLib.MainLoop()
def found(recorder, result):
    print(recorder.add_domain_findings_finish(result))
    recorder.stop_async(None, stopped)
def stopped(recorder, result):
    recorder.stop_finish(result)
    loop.quit()
def over(recorder, result):
    recorder.wait_finish(result)
    recorder.add_domain_findings_async(registry, 0, None, found)
recorder.start(None)
recorder.wait_async(None, over)
loop.run()
'''):
            file = self.path('python.weft')
            told = self.python(self.PYTHON_DOMAIN + 'recorder.add_plugins(registry, None)\n' + how, file, CORPUS)
            self.assertEqual(told, 'True\n')
            self.check_findings(file)
            lanes = self.ask(file, 'target', 'lanes')
            disk = [row for row in lanes['rows'] if row['kind'] == 'storage.request'][0]
            self.assertEqual(disk['kind_label'], 'Disk')
            self.assertEqual([row['value'] for row in lanes['derived']], [disk['total'] / disk['dispatches']])
            routines = self.ask(file, 'target', 'routines')['rows']
            self.assertIn('request kind', {row['routine_word'] for row in routines})
            os.remove(file)

    def test_python_domain_always_and_failing(self):
        file = self.path('python.weft')
        told = self.python(self.PYTHON_DOMAIN + '''
registry.register_domain(Broken())
recorder.add_plugins(registry, ['broken'])
try: recorder.add_domain_findings(registry, 0, None)
except GLib.Error as error: print(error.message)
recorder.start(None)
recorder.wait(None)
print(recorder.add_domain_findings(registry, 0, None))
recorder.stop(None)
try: recorder.add_finding('x', Weft.Finding.new('x', 'x', Weft.Verdict.GOOD, 'x', None, None))
except GLib.Error as error: print(error.message)
''', file, CORPUS)
        self.assertEqual(told.splitlines(), ['Nothing is being recorded by this recorder', 'True',
                                             'The recording is finished: nothing can be added to it'])
        found = {row['domain']: row for row in self.ask(file, 'diagnose')['rows'] if row['domain']}
        self.assertEqual(sorted(found), ['broken', 'storage'])
        self.assertEqual(found['broken']['evidence'], 'it is broken')

    def test_hostile_words(self):
        file = self.path('hostile.weft')
        self.python('''
import sys, gi
gi.require_version('Weft', '1')
from gi.repository import GLib, Weft
recorder = Weft.Recorder.new()
recorder.set_output(sys.argv[1])
recorder.set_argv([sys.argv[2]])
bad = '\\x1b[31m\\x07\\u202e'
rows = [(f'd{i}', 'kind', f'{"a." * (i % 100)}*', 'label', f'{bad}{i}') for i in range(3000)]
rows += [(f'd{i}', 'derived', 'm', key, text) for i in range(3000)
         for key, text in (('label', bad), ('expression', '(' * i))]
rows += [('storage', 'kind', pattern, key, text) for pattern in ('*', '**', '*.*', 'storage.*', '.*', '')
         for key, text in (('label', bad), ('color', bad), ('icon', ''), (bad, bad))]
rows += [('storage', 'word', 'storage.*', 'routine', bad * 100000)]
rows += [('storage', 'derived', f'm{i}', key, text) for i in range(300)
         for key, text in (('label', bad), ('expression', 'total / dispatches'), ('polarity', bad), ('unit', bad))]
rows += [('', '', '', '', ''), ('\\x1f', '\\x1f', '\\x1f', '\\x1f', '\\x1f')]
recorder.add_words(GLib.Variant('a(sssss)', rows), True)
for i in range(300):
    recorder.add_finding(bad, Weft.Finding.new(bad, bad, Weft.Verdict.PROBLEM, bad, bad, [bad, 'l-99999', '', 'x']))
recorder.start(None)
recorder.wait(None)
recorder.stop(None)
''', file, CORPUS)
        self.assertIn('target-lanes None {', self.python(ASK_ALL, file))
        for words in (['target', 'lanes'], ['target', 'routines'], ['show'], ['diagnose'], ['metrics'],
                      ['target', 'dispatch', 'd-200'], ['target', 'counters']):
            told = self.run_command([WEFT, *words, '--wide', file]).stdout
            for character in '\x1b\x07\u202e':
                self.assertNotIn(character, told)

    # ---- Installed ----

    def test_installed_places(self):
        """The library finds the probe and the plugins of its own installation."""
        plugins = os.path.join(self.installed.library, 'weft-1', 'plugins')
        os.makedirs(plugins, exist_ok=True)
        path = os.path.join(plugins, 'good.so')
        shutil.copy(self.plugin(folder='second'), path)
        self.addCleanup(os.remove, path)
        self.environment['LD_LIBRARY_PATH'] = self.installed.library
        done = self.run_command([HOST, 'list'])
        if os.path.realpath(self.installed.library) not in self.linked_with():
            self.skipTest('the linker prefers the build folder to LD_LIBRARY_PATH')
        self.assertIn(f'plugin\tgood\tloaded\t1.0\t{path}', done.stdout)

    def linked_with(self):
        return self.run_command(['ldd', HOST]).stdout


tap_report.main(sys.argv[5:])
