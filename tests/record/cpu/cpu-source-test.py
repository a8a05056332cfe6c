#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""cpu-source-test.py TESTS PROBE TARGET WEFT: sources of CPU events, each way in which they can be had,
on real programs. The probe runs a source with a double in the tracker's place and prints what it was
told; what a program prints must be the same whether it is watched or not."""

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, sys.argv[1])
import tap_report  # noqa: E402

PROBE, TARGET, WEFT = sys.argv[2:5]
PARANOID = '/proc/sys/kernel/perf_event_paranoid'
NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
IS_ROOT = os.geteuid() == 0


def unified():
    with open('/proc/self/mounts') as mounts:
        for line in mounts:
            if line.split()[2] == 'cgroup2':
                return line.split()[1]
    return None


def own_group():
    with open('/proc/self/cgroup') as groups:
        for line in groups:
            if line.startswith('0::'):
                return unified() + line.strip()[3:]
    return None


def groups(recorder):
    """Of one recorder: others may be at work."""
    return [name for name in os.listdir(own_group()) if name.startswith('weft-%d-' % recorder.pid)]


def has_perf():
    """Whether root's perf works at all here."""
    try:
        return int(open(PARANOID).read()) is not None
    except OSError:
        return False


class Case(unittest.TestCase):
    def probe(self, *options, program=None, before=(), expect=0):
        command = [*before, PROBE, *options] + (['--', *program] if program else [])
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        lines = done.stdout.splitlines()
        answer = json.loads(lines[-1])
        answer['printed'] = lines[:-1]
        return answer

    def check(self, answer, sampler, cpu=None, share=0.7):
        """What holds of every source."""
        self.assertEqual(answer['sampler'], sampler, answer)
        self.assertEqual(answer['ordered'], 1)
        self.assertGreater(answer['sample'], 20, answer)
        self.assertGreater(answer['stacks'], 0.8 * answer['sample'] - answer['kernel_samples'], answer)
        if cpu is not None:
            self.assertGreater(answer['weight'], share * cpu, answer)
            self.assertLess(answer['weight'], 1.3 * cpu, answer)


@unittest.skipUnless(IS_ROOT and has_perf() and unified(), 'needs root, perf and control groups of version 2')
class Group(Case):
    def test_program(self):
        answer = self.probe(program=[TARGET, 'spin', '0.5', '3'])
        self.check(answer, 'perf-cgroup', cpu=0.5, share=0.9)
        self.assertEqual(answer['exit_status'], 3)
        self.assertEqual(answer['printed'], ['done'])
        self.assertEqual(answer['exec'], 1)
        self.assertEqual(answer['exit'], 1)
        self.assertEqual(answer['wait_mode'], 'exact')

    def test_fork_storm(self):
        script = 'i=0; while [ $i -lt 500 ]; do /bin/true; i=$((i+1)); done'
        answer = self.probe(program=['sh', '-c', script])
        self.assertEqual(answer['exec'], 501)
        self.assertEqual(answer['exit'], 501)
        self.assertGreaterEqual(answer['weight'], 0.95 * answer['program_cpu'] - 0.01, answer)

    def test_wakeups(self):
        """A pipe between two processes: each is woken by the other, but where what it is to wait for
        is there already, because it was preempted."""
        code = ('import os\nr,w=os.pipe()\nr2,w2=os.pipe()\n'
                'if os.fork():\n for i in range(300): os.write(w,b"x"); os.read(r2,1)\n'
                'else:\n for i in range(300): os.read(r,1); os.write(w2,b"x")')
        answer = self.probe(program=[sys.executable, '-c', code])
        if not answer['tracepoints']:
            self.skipTest('the kernel has no tracepoints')
        self.assertGreater(answer['wakeup'], 200, answer)
        self.assertGreater(answer['waker_stacks'], 200, answer)
        self.assertGreater(answer['out_stacks'], 200, answer)

    def test_no_waits(self):
        answer = self.probe('no-waits', program=[TARGET, 'spin', '0.2'])
        self.assertEqual(answer['out'] + answer['in'] + answer['wakeup'], 0)
        self.assertEqual(answer['wait_mode'], 'off')

    def test_drops_rights(self):
        answer = self.probe(program=[TARGET, 'drop', '0.4'])
        self.check(answer, 'perf-cgroup', cpu=0.4, share=0.9)
        self.assertEqual(answer['printed'], ['uid 65534'])

    def test_nothing_is_left(self):
        recorder = subprocess.Popen([PROBE, '--', TARGET, 'spin', '0.5'], stdout=subprocess.DEVNULL)
        time.sleep(0.3)
        self.assertEqual(len(groups(recorder)), 1)
        self.assertEqual(recorder.wait(), 0)
        self.assertEqual(groups(recorder), [])

    def test_killed_recorder(self):
        """What a killed recorder leaves is removed by the next one once it is empty."""
        recorder = subprocess.Popen([PROBE, '--', 'sleep', '0.7'], stdout=subprocess.DEVNULL)
        time.sleep(0.4)
        self.assertEqual(len(groups(recorder)), 1)
        recorder.kill()
        recorder.wait()
        self.assertEqual(len(groups(recorder)), 1)
        time.sleep(0.8)
        self.probe(program=[TARGET, 'spin', '0.05'])
        self.assertEqual(groups(recorder), [])

    def test_still_running(self):
        """Who goes on is not held up, and back in the recorder's own group."""
        answer = self.probe(program=['sh', '-c', 'sleep 1 >/dev/null 2>&1 & echo $!'])
        pid = int(answer['printed'][0])
        with open('/proc/%d/cgroup' % pid) as group:
            self.assertNotIn('weft-', group.read())

    def test_high_frequency(self):
        answer = self.probe('frequency=3999', program=[TARGET, 'threads', '2', '0.3'])
        self.check(answer, 'perf-cgroup', cpu=0.3, share=0.8)
        lost = answer['lost_events']
        self.assertTrue(lost == 0 or any(n['code'] == 'sampler-lost' for n in answer['notes']), answer)


@unittest.skipUnless(IS_ROOT and has_perf(), 'needs root and perf')
class Privileged(Case):
    def test_attach(self):
        with subprocess.Popen([TARGET, 'threads', '3', '2'], stdout=subprocess.DEVNULL) as target:
            time.sleep(0.2)
            answer = self.probe('pid=%d' % target.pid, 'seconds=0.6')
            target.kill()
        self.check(answer, 'perf')
        self.assertEqual(answer['attach'], 1)

    def test_attach_to_tree(self):
        script = '%s spin 5 & %s spin 5 & wait' % (TARGET, TARGET)
        with subprocess.Popen(['sh', '-c', script], stdout=subprocess.DEVNULL, start_new_session=True) as target:
            time.sleep(0.3)
            answer = self.probe('pid=%d' % target.pid, 'seconds=0.5')
            os.killpg(target.pid, signal.SIGKILL)
        self.check(answer, 'perf')
        self.assertEqual(answer['attach'], 3)

    def test_attach_later_children(self):
        script = 'sleep 0.5; %s spin 0.3; sleep 9' % TARGET
        with subprocess.Popen(['sh', '-c', script], stdout=subprocess.DEVNULL, start_new_session=True) as target:
            time.sleep(0.1)
            answer = self.probe('pid=%d' % target.pid, 'seconds=3')
            os.killpg(target.pid, signal.SIGKILL)
        self.check(answer, 'perf')

    def test_attach_to_many_threads(self):
        """More threads than descriptors for them: all is sampled, and the rest left out."""
        with subprocess.Popen([TARGET, 'threads', '700', '3'], stdout=subprocess.DEVNULL) as target:
            time.sleep(0.5)
            answer = self.probe('pid=%d' % target.pid, 'seconds=0.5', before=['prlimit', '--nofile=1024:1024'])
            target.kill()
        self.check(answer, 'perf')
        self.assertEqual(answer['lost_events'], 0)

    def test_nobody_there(self):
        target = subprocess.Popen(['true'])
        target.wait()
        answer = self.probe('pid=%d' % target.pid, expect=2)
        self.assertIn('There is no process %d' % target.pid, answer['error'])

    def test_one_is_gone(self):
        gone = subprocess.Popen(['true'])
        gone.wait()
        with subprocess.Popen([TARGET, 'spin', '3'], stdout=subprocess.DEVNULL) as target:
            answer = self.probe('pid=%d' % gone.pid, 'pid=%d' % target.pid, 'seconds=0.4')
            target.kill()
        self.check(answer, 'perf')
        self.assertIn('There was no process %d' % gone.pid, answer['missing'])

    def test_system(self):
        with subprocess.Popen([TARGET, 'spin', '3'], stdout=subprocess.DEVNULL) as target:
            answer = self.probe('system', 'seconds=0.6')
            target.kill()
        self.check(answer, 'perf')
        self.assertGreater(answer['attach'], 5)


@unittest.skipUnless(IS_ROOT and has_perf(), 'needs root to set kernel.perf_event_paranoid, and perf')
class User(Case):
    def setUp(self):
        self.paranoid = open(PARANOID).read()
        self.set('2')

    def tearDown(self):
        self.set(self.paranoid)

    def set(self, value):
        with open(PARANOID, 'w') as setting:
            setting.write(value)

    def test_program(self):
        answer = self.probe(program=[TARGET, 'spin', '0.5', '4'], before=NOBODY)
        self.check(answer, 'perf-user', cpu=0.5)
        self.assertEqual(answer['exit_status'], 4)
        self.assertEqual(answer['kernel_samples'], 0)
        self.assertEqual(answer['wait_mode'], 'exact')
        self.assertIn('kernel.perf_event_paranoid=1', answer['missing'])
        self.assertGreater(answer['ring'], 0)

    def test_threads(self):
        answer = self.probe(program=[TARGET, 'storm', '300'], before=NOBODY)
        self.assertEqual(answer['printed'], ['300 threads'])
        self.assertEqual(answer['start'], 300)
        self.assertEqual(answer['exit'], 301)

    def test_attach(self):
        with subprocess.Popen(NOBODY + [TARGET, 'threads', '2', '3'], stdout=subprocess.DEVNULL) as target:
            time.sleep(0.2)
            answer = self.probe('pid=%d' % target.pid, 'seconds=0.5', before=NOBODY)
            target.kill()
        self.check(answer, 'perf-user')

    def test_not_ours(self):
        with subprocess.Popen([TARGET, 'spin', '3'], stdout=subprocess.DEVNULL) as target:
            answer = self.probe('pid=%d' % target.pid, before=NOBODY, expect=2)
            target.kill()
        self.assertIn('another user', answer['error'].lower())

    def test_system(self):
        answer = self.probe('system', before=NOBODY, expect=2)
        self.assertIn('root', answer['error'])

    def test_set_uid(self):
        """The kernel takes the events away; that is said."""
        folder = tempfile.mkdtemp()
        try:
            os.chmod(folder, 0o755)
            program = os.path.join(folder, 'set-uid')
            shutil.copy(TARGET, program)
            os.chmod(program, 0o4755)
            if os.statvfs(folder).f_flag & os.ST_NOSUID:
                self.skipTest('%s is mounted without set-uid programs' % folder)
            answer = self.probe(program=['sh', '-c', '%s spin 0.3; exit 5' % program], before=NOBODY)
            self.assertEqual(answer['exit_status'], 5)
            self.assertIn('sampler-rights', [n['code'] for n in answer['notes']])
        finally:
            shutil.rmtree(folder)

    def test_small_rings(self):
        """Another recorder of this user's has the memory: what is left has to do."""
        answer = self.probe(program=[TARGET, 'spin', '0.3'], before=['prlimit', '--memlock=0:0', *NOBODY])
        self.check(answer, 'perf-user')

    def test_closed(self):
        self.set('3')
        answer = self.probe(program=[TARGET, 'spin', '0.5', '6'], before=NOBODY)
        self.assertIn(answer['sampler'], ('ptrace', 'perf-user'))  # not every kernel knows 3
        self.assertEqual(answer['exit_status'], 6)


class Traced(Case):
    def trace(self, *program, before=()):
        return self.probe('sampler=ptrace', program=[TARGET, *program], before=before)

    def test_program(self):
        answer = self.trace('spin', '0.5', '3')
        self.check(answer, 'ptrace', cpu=0.5, share=0.5)
        self.assertEqual(answer['exit_status'], 3)
        self.assertEqual(answer['wait_mode'], 'approximate')
        self.assertLess(answer['unknown_cpu'], answer['sample'] / 2)

    def test_no_perf(self):
        answer = self.probe(program=[TARGET, 'spin', '0.4'], before=[TARGET, 'no-perf'])
        self.check(answer, 'ptrace', cpu=0.4, share=0.5)
        self.assertIn('filter', answer['missing'])

    def test_asked_for_perf(self):
        answer = self.probe('sampler=perf', program=[TARGET, 'spin', '0.1'], before=[TARGET, 'no-perf'], expect=2)
        self.assertIn('closed', answer['error'])

    @unittest.skipUnless(IS_ROOT, 'needs root to become another user')
    def test_as_nobody(self):
        answer = self.trace('spin', '0.4', before=NOBODY)
        self.check(answer, 'ptrace', cpu=0.4, share=0.5)

    def test_same_results(self):
        for program in (['work', '30'], ['signals', '300'], ['interruptions', '200'], ['stop'], ['fork', '100'],
                        ['storm', '200'], ['threads', '20', '0.02'], ['exec-thread', TARGET, 'spin', '0.1']):
            with self.subTest(program=program[0]):
                alone = subprocess.run([TARGET, *program], capture_output=True, text=True, timeout=60)
                answer = self.trace(*program)
                self.assertEqual('\n'.join(answer['printed']), alone.stdout.strip())
                self.assertEqual(answer['exit_status'], alone.returncode)
                self.assertGreater(answer['sample'], 0)

    def test_killed_by_signal(self):
        self.assertEqual(self.trace('kill')['exit_status'], 128 + signal.SIGTERM)

    def test_fork_storm(self):
        script = 'i=0; while [ $i -lt 100 ]; do /bin/true; i=$((i+1)); done; exit 9'
        answer = self.probe('sampler=ptrace', program=['sh', '-c', script])
        self.assertEqual(answer['exit_status'], 9)
        self.assertEqual(answer['exec'], 101)
        self.assertEqual(answer['exit'], 101)

    def test_attach(self):
        """Let go of, it goes on as it was."""
        with subprocess.Popen([TARGET, 'threads', '3', '1'], stdout=subprocess.PIPE, text=True) as target:
            time.sleep(0.1)
            answer = self.probe('sampler=ptrace', 'pid=%d' % target.pid, 'seconds=0.4')
            self.assertEqual(target.stdout.read().strip(), '3 threads')
        self.check(answer, 'ptrace')
        self.assertEqual(target.returncode, 0)

    def test_killed_recorder(self):
        """The program goes on without its tracer."""
        recorder = subprocess.Popen([PROBE, 'sampler=ptrace', '--', TARGET, 'spin', '0.8', '0'], stdout=subprocess.PIPE,
                                    text=True)
        time.sleep(0.4)
        recorder.kill()
        self.assertEqual(recorder.stdout.read().strip(), 'done')
        recorder.wait()

    @unittest.skipUnless(IS_ROOT, 'needs root to become another user')
    def test_set_uid(self):
        answer = self.probe('sampler=ptrace', program=['su', '--version'], before=NOBODY, expect=2)
        self.assertIn('set-uid', answer['error'])

    def test_no_such_program(self):
        answer = self.probe('sampler=ptrace', program=['/no/such/program'], expect=2)
        self.assertIn('No such file', answer['error'])


class Recorded(Case):
    """All of it together: what the command says."""

    def record(self, *arguments, expect=0, before=()):
        folder = tempfile.mkdtemp()
        os.chmod(folder, 0o777)
        try:
            path = os.path.join(folder, 'x.weft')
            done = subprocess.run([*before, WEFT, 'record', '--no-plugins', '-o', path, *arguments], capture_output=True,
                                  text=True, timeout=120, env={**os.environ, 'HOME': folder, 'XDG_RUNTIME_DIR': folder})
            self.assertEqual(done.returncode, expect, done.stderr)
            return done
        finally:
            shutil.rmtree(folder)

    def test_json(self):
        done = self.record('--json', '--', TARGET, 'spin', '0.4')
        value = json.loads(done.stdout[done.stdout.index('{'):])['value']
        self.assertGreater(value['samples'], 100)
        self.assertGreater(value['stacks_complete'], 0.9 * value['samples'])
        self.assertIn(value['sampler'], ('perf-cgroup', 'perf', 'perf-user', 'ptrace'))

    def test_stops_wake_nobody_else(self):
        """The main thread of a recorder that traces sleeps, however often programs are stopped."""
        done = self.record('--json', '--cpu', 'ptrace', '--', 'sh', '-c',
                           '"$0" spin 0.5 >/dev/null; grep ^voluntary /proc/$PPID/status', TARGET)
        value = json.loads(done.stdout[done.stdout.index('{'):])['value']
        self.assertEqual(value['sampler'], 'ptrace')
        self.assertGreater(value['samples'], 100)
        self.assertLess(int(done.stdout.split()[1]), value['samples'] / 4, done.stdout)

    def test_text(self):
        done = self.record('--', TARGET, 'spin', '0.3', '8', expect=8)
        self.assertRegex(done.stderr, r'CPUs \((perf-cgroup|perf|perf-user|ptrace)\): \d+ CPU samples')

    def test_off(self):
        done = self.record('--json', '--cpu', 'off', '--', TARGET, 'spin', '0.1')
        value = json.loads(done.stdout[done.stdout.index('{'):])['value']
        self.assertEqual((value['sampler'], value['samples']), ('off', 0))

    def test_pid(self):
        with subprocess.Popen([TARGET, 'spin', '1'], stdout=subprocess.DEVNULL) as target:
            begin = time.monotonic()
            done = self.record('--json', '--pid', str(target.pid))
            value = json.loads(done.stdout[done.stdout.index('{'):])['value']
        self.assertGreater(value['samples'], 100)
        self.assertLess(time.monotonic() - begin, 30)

    def test_nobody_there(self):
        target = subprocess.Popen(['true'])
        target.wait()
        done = self.record('--pid', str(target.pid), expect=125)
        self.assertIn('There is no process', done.stderr)

    def test_usage(self):
        for arguments in (['--cpu', 'sometimes'], ['--frequency', '100000'], ['--stack-size', '12'], ['--pid', '1,x'],
                          ['--pid', '1', '--', 'true'], ['--pid', '1', '--system'], ['--cpu', 'off', '--system'],
                          ['--cpu', 'ptrace', '--system']):
            with self.subTest(arguments=arguments):
                self.assertIn('--', self.record(*arguments, expect=2).stderr)


if __name__ == '__main__':
    tap_report.main(sys.argv[5:])
