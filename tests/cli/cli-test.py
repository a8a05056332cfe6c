#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The commands as a person or a script calls them. Reports in TAP.

    cli-test.py WEFT PRODUCER [TEST…]
"""

import contextlib
import json
import os
import re
import resource
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import unicodedata
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import tap_report  # noqa: E402

WEFT = os.path.abspath(sys.argv[1])
PRODUCER = os.path.abspath(sys.argv[2])
NOBODY = ['setpriv', '--reuid=12345', '--regid=12345', '--clear-groups']
CONTROL = re.compile('[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]')


def width(line):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in 'WF' else 1
               for c in line)


def works(command):
    try:
        return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='weft-cli-')
        os.chmod(self.folder, 0o755)
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.environment = dict(os.environ, WEFT_RUNTIME_DIR=self.path('run'),
                                WEFT_RECORDINGS=self.path('recordings'), LC_ALL='C.UTF-8', COLUMNS='80')
        for name in ('WEFT_TARGET_SPOOL', 'WEFT_TARGET_DISABLE', 'SUDO_UID'):
            self.environment.pop(name, None)
        self.running = []
        self.addCleanup(self.end_all)

    def end_all(self):
        for process in self.running:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.wait()
            for stream in (process.stdout, process.stderr):
                if stream:
                    stream.close()

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def run_command(self, command, expect=0, **options):
        environment = options.pop('env', self.environment)
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=environment, timeout=60, **options)
        done.stdout = done.stdout.decode('utf-8')  # invalid UTF-8 is a failure
        done.stderr = done.stderr.decode('utf-8')
        self.assertNotIn('Sanitizer', done.stderr)
        self.assertNotIn('runtime error', done.stderr)
        self.assertNotIn('CRITICAL', done.stderr)
        if expect is not None:
            self.assertEqual(done.returncode, expect, f'{command}\n{done.stdout}\n{done.stderr}')
        return done

    def weft(self, *arguments, expect=0, **options):
        done = self.run_command([WEFT, *arguments], expect, **options)
        if '--json' in arguments and done.returncode == 0:
            name = f'target-{arguments[1]}' if arguments[0] == 'target' else arguments[0]
            done.answer = self.check_json(done.stdout, name)
        else:
            for line in done.stdout.splitlines():
                self.assertIsNone(CONTROL.search(line), repr(line))
        return done

    def check_json(self, text, name):
        answer = json.loads(text)
        self.assertEqual(answer['schema'], f'weft.{name}/1')
        self.assertEqual(('rows' in answer) + ('value' in answer), 1)
        return answer['rows'] if 'rows' in answer else answer['value']

    def start(self, *command, **options):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env=options.pop('env', self.environment), **options)
        self.running.append(process)
        return process

    def start_recorder(self, *arguments, **options):
        process = self.start(WEFT, 'record', *arguments, **options)
        self.until(lambda: process.poll() is not None or process.pid in
                   [row['pid'] for row in self.weft('status', '--json').answer])
        return process

    def until(self, condition, seconds=20):
        deadline = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), deadline, 'nothing happened in time')
            time.sleep(0.02)

    def record(self, *arguments, name='x.weft', expect=0):
        file = self.path(name)
        self.weft('record', '-q', '--no-system', '-o', file, '--', PRODUCER, *arguments, expect=expect)
        return file

    def show(self, file):
        answer = self.weft('show', '--json', file).answer
        answer['rows'] = {table['table']: table['rows'] for table in answer['tables']}
        return answer


class Words(Case):
    def test_without_command(self):
        done = self.weft(expect=2)
        self.assertIn('Usage', done.stderr)

    def test_help_and_version(self):
        self.assertIn('record', self.weft('--help').stdout)
        self.assertIn('weft ', self.weft('--version').stdout)
        for command in ('record', 'status', 'wait', 'stop', 'list', 'show', 'repair', 'import'):
            self.assertIn('Usage', self.weft(command, '--help').stdout)

    def test_wrong_words(self):
        self.assertIn('no command', self.weft('frobnicate', expect=2).stderr)
        for command in ('record', 'status', 'wait', 'stop', 'list', 'show', 'repair', 'import'):
            self.assertIn('--no-such', self.weft(command, '--no-such', expect=2).stderr)
        self.weft('repair', expect=2)
        self.weft('import', expect=2)
        self.weft('wait', expect=2)
        self.weft('show', 'a', 'b', expect=2)
        self.weft('record', '-d', '-3', expect=2)


class Record(Case):
    def test_json(self):
        file = self.path('x.weft')
        done = self.run_command([WEFT, 'record', '--json', '-o', file, '--', PRODUCER, 'spans=100',
                                 'threads=2', 'wait=1'])
        said, line = done.stdout.strip().split('\n')
        answer = self.check_json(line, 'record')
        probes = int(re.search(r'lane:probe=(\d+)', said).group(1))
        self.assertTrue(answer['complete'])
        self.assertEqual(answer['dispatches'], 200 + probes)
        self.assertEqual(answer['lost'] + answer['rejected'] + answer['pending'], 0)
        self.assertEqual(answer['exit_status'], 0)
        self.assertEqual(answer['file_size'], os.path.getsize(file))
        self.assertEqual(stat.S_IMODE(os.stat(file).st_mode), 0o600)
        self.assertEqual(self.show(file)['state'], 'complete')

    def test_summary(self):
        done = self.run_command([WEFT, 'record', '-o', self.path('x.weft'), '--', PRODUCER, 'spans=100', 'wait=1'])
        self.assertIn('dispatches', done.stderr)
        self.assertIn('Own cost', done.stderr)
        self.assertIn(self.path('x.weft'), done.stderr)

    def test_program_without_lanes(self):
        done = self.weft('record', '--cpu', 'off', '-o', self.path('x.weft'), '--', 'true')
        self.assertIn('libweft-target', done.stderr)
        self.assertIn('libweft-target', self.weft('show', self.path('x.weft')).stdout)

    def test_exit_statuses(self):
        for script, status in (('exit 0', 0), ('exit 42', 42), ('kill -9 $$', 137), ('kill -TERM $$', 143)):
            file = self.path(f'{status}.weft')
            self.weft('record', '-q', '-o', file, '--', 'sh', '-c', script, expect=status)
            self.assertEqual(self.show(file)['state'], 'complete')

    def test_no_such_program(self):
        done = self.weft('record', '-o', self.path('x.weft'), '--', 'no-such-program-at-all', expect=127)
        self.assertIn('no-such-program-at-all', done.stderr)
        self.assertFalse(os.path.exists(self.path('x.weft')))
        self.weft('record', '-o', self.path('x.weft'), '--', '/no/such/program', expect=127)

    def test_program_cannot_run(self):
        with open(self.path('text'), 'w') as text:
            text.write('#!/bin/sh\n')
        self.weft('record', '-o', self.path('x.weft'), '--', self.path('text'), expect=126)
        self.weft('record', '-o', self.path('x.weft'), '--', self.folder, expect=126)
        self.assertFalse(os.path.exists(self.path('x.weft')))

    def test_arguments_reach_the_program(self):
        done = self.run_command([WEFT, 'record', '-q', '-o', self.path('x.weft'), '--', 'printf', '%s|', '--json',
                                 '-o', 'a b', '--'])
        self.assertEqual(done.stdout, '--json|-o|a b|--|')

    def test_existing_output(self):
        with open(self.path('x.weft'), 'w') as file:
            file.write('mine')
        done = self.weft('record', '-o', self.path('x.weft'), '--', 'true', expect=125)
        self.assertIn('x.weft', done.stderr)
        with open(self.path('x.weft')) as file:
            self.assertEqual(file.read(), 'mine')

    def test_no_such_folder(self):
        self.assertIn('no', self.weft('record', '-o', self.path('no', 'x.weft'), '--', 'true', expect=125).stderr)

    def test_read_only_folder(self):
        os.mkdir(self.path('closed'), 0o555)
        before = []
        if os.geteuid() == 0:
            if not works(NOBODY + ['test', '-x', WEFT]):
                self.skipTest('the build folder is closed to other users, or setpriv is not there')
            before = NOBODY
            os.mkdir(self.path('nobody'), 0o700)
            os.chown(self.path('nobody'), 12345, 12345)
            self.environment['WEFT_RUNTIME_DIR'] = self.path('nobody', 'run')
        done = self.run_command(before + [WEFT, 'record', '-o', self.path('closed', 'x.weft'), '--', 'true'], 125)
        self.assertIn('closed', done.stderr)

    def test_no_runtime_folder(self):
        self.environment['WEFT_RUNTIME_DIR'] = self.path('no', 'such', 'run')
        done = self.weft('record', '-o', self.path('x.weft'), '--', 'true', expect=125)
        self.assertIn('runtime directory', done.stderr)
        self.assertFalse(os.path.exists(self.path('x.weft')))

    def test_closed_descriptors(self):
        file = self.path('x.weft')
        self.run_command(['sh', '-c', f'exec "$0" record -q -o {file} -- "$1" spans=100 wait=1 full=1 <&- >&- 2>&-',
                          WEFT, PRODUCER])
        self.assertEqual(self.show(file)['state'], 'complete')
        self.assertGreater(self.show(file)['rows']['dispatches'], 100)

    def test_two_at_once(self):
        first = self.start(WEFT, 'record', '-q', '-o', self.path('1.weft'), '--', PRODUCER, 'spans=500', 'rate=1000')
        second = self.start(WEFT, 'record', '-q', '-o', self.path('2.weft'), '--', PRODUCER, 'spans=500', 'rate=1000')
        self.assertEqual((first.wait(30), second.wait(30)), (0, 0))
        for name in ('1.weft', '2.weft'):
            lanes = {lane['name']: lane for lane in self.show(self.path(name))['lanes']}
            self.assertEqual(lanes['lane-0']['completed'], 500)

    def test_many_start_at_once(self):
        for turn in range(3):
            recorders = [self.start(WEFT, 'record', '-q', '-o', self.path(f'{turn}-{i}.weft'), '--', 'true')
                         for i in range(8)]
            self.assertEqual([recorder.wait(30) for recorder in recorders], [0] * 8)

    def test_second_shared_recorder(self):
        first = self.start_recorder('-o', self.path('1.weft'))
        done = self.weft('record', '-o', self.path('2.weft'), expect=125)
        self.assertIn(f'pid {first.pid}', done.stderr)
        self.assertFalse(os.path.exists(self.path('2.weft')))

    def test_recorders_own_folders_go(self):
        self.record('spans=1')
        left = [name for name in os.listdir(self.path('run')) if name.startswith('run-')]
        self.assertEqual(left, [])


class Stopping(Case):
    def ended(self, process, file, status=0):
        self.assertEqual(process.wait(20), status, process.stderr.read())
        self.assertEqual(self.show(file)['state'], 'complete')

    def test_signals(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            file = self.path(f'{int(number)}.weft')
            recorder = self.start_recorder('-o', file)
            self.run_command([PRODUCER, 'spans=10', 'wait=1'])
            recorder.send_signal(number)
            self.ended(recorder, file)
            self.assertGreaterEqual(self.show(file)['rows']['dispatches'], 10)

    def test_signal_reaches_the_program(self):
        file, marker = self.path('x.weft'), self.path('marker')
        recorder = self.start(WEFT, 'record', '-q', '-o', file, '--', 'sh', '-c',
                              f'trap "exit 7" INT; touch {marker}; while :; do sleep 0.05; done')
        self.until(lambda: os.path.exists(marker))
        recorder.send_signal(signal.SIGINT)
        self.ended(recorder, file, 7)

    def test_second_signal_saves_at_once(self):
        file, marker = self.path('x.weft'), self.path('marker')
        recorder = self.start(WEFT, 'record', '-o', file, '--', 'sh', '-c',
                              f'trap "" INT TERM; touch {marker}; i=0; while [ $i -lt 100 ]; do sleep 0.1; i=$((i+1)); done')
        self.until(lambda: os.path.exists(marker))
        begin = time.monotonic()
        recorder.send_signal(signal.SIGINT)
        time.sleep(0.3)
        recorder.send_signal(signal.SIGINT)
        recorder.wait(20)
        self.assertLess(time.monotonic() - begin, 4)
        self.assertEqual(self.show(file)['state'], 'complete')

    def test_duration_leaves_the_program(self):
        file = self.path('x.weft')
        with open(self.path('errors'), 'w') as errors:  # a pipe would stay open with the program
            done = subprocess.run([WEFT, 'record', '-d', '0.4', '-o', file, '--', PRODUCER, 'spans=-1', 'rate=500'],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors,
                                  env=self.environment, timeout=30)
        with open(self.path('errors')) as errors:
            text = errors.read()
        self.assertEqual(done.returncode, 0, text)
        pid = int(re.search(r'\(pid (\d+)\)', text).group(1))
        self.assertEqual(self.show(file)['state'], 'complete')
        os.kill(pid, 0)
        os.kill(pid, signal.SIGKILL)

    def test_stop(self):
        file = self.path('x.weft')
        recorder = self.start_recorder('-o', file)
        self.assertEqual(self.weft('stop').stdout.strip(), file)
        self.assertEqual(self.show(file)['state'], 'complete')
        self.ended(recorder, file)
        recorder = self.start_recorder('-o', self.path('y.weft'))
        answer = self.weft('stop', '--json', '-p', str(recorder.pid)).answer
        self.assertEqual(answer['file'], self.path('y.weft'))
        self.ended(recorder, self.path('y.weft'))

    def test_answer_not_written(self):
        with open('/dev/full', 'w') as full:
            done = subprocess.run([WEFT, 'list', '--json'], stdout=full, stderr=subprocess.PIPE, text=True,
                                  env=self.environment, timeout=20)
        self.assertEqual(done.returncode, 1)
        self.assertIn('cannot write', done.stderr)

    def test_nothing_to_stop(self):
        self.assertIn('nothing is being recorded', self.weft('stop', expect=1).stderr)
        self.assertIn('12', self.weft('stop', '-p', '12', expect=1).stderr)

    def test_stop_needs_a_choice(self):
        first = self.start(WEFT, 'record', '-q', '-o', self.path('1.weft'), '--', 'sleep', '30')
        second = self.start(WEFT, 'record', '-q', '-o', self.path('2.weft'), '--', 'sleep', '30')
        self.until(lambda: len(self.weft('status', '--json').answer) == 2)
        self.assertIn('--pid', self.weft('stop', expect=1).stderr)
        for process in (first, second):
            self.weft('stop', '-p', str(process.pid))
            process.wait(20)

    def test_stopped_while_starting(self):
        for delay in (0, 0.002, 0.005, 0.01, 0.02):
            file = self.path(f'{delay}.weft')
            recorder = self.start(WEFT, 'record', '-q', '-o', file)
            self.until(lambda: os.path.exists(file))
            time.sleep(delay)
            recorder.send_signal(signal.SIGINT)
            status = recorder.wait(20)
            self.assertIn(status, (0, -signal.SIGINT))
            if status == 0:
                self.assertEqual(self.show(file)['state'], 'complete')


class Live(Case):
    def test_status(self):
        self.assertIn('Nothing is being recorded', self.weft('status').stdout)
        self.assertEqual(self.weft('status', '--json').answer, [])
        recorder = self.start_recorder('-o', self.path('x.weft'))
        self.run_command([PRODUCER, 'spans=50', 'wait=1'])
        self.until(lambda: self.weft('status', '--json').answer[0]['dispatches'] >= 50)
        row, = self.weft('status', '--json').answer
        self.assertEqual(row['pid'], recorder.pid)
        self.assertEqual(row['state'], 'recording')
        self.assertEqual(row['file'], self.path('x.weft'))
        text = self.weft('status').stdout
        self.assertIn(self.path('x.weft'), text)
        self.assertIn('dispatches', text)

    def test_file_grows_readably(self):
        self.start_recorder('-o', self.path('x.weft'))
        self.start(PRODUCER, 'spans=-1', 'rate=1000', 'wait=1')
        self.until(lambda: self.show(self.path('x.weft'))['rows']['dispatches'] > 100)
        self.assertEqual(self.show(self.path('x.weft'))['state'], 'unfinished')
        self.weft('show', self.path('x.weft'))

    def test_wait(self):
        self.assertEqual(self.weft('wait', '--for-lanes', '1', expect=1).stdout, '')
        recorder = self.start_recorder('-o', self.path('x.weft'))
        self.weft('wait', '--for-seconds', '0.2')
        self.weft('wait', '-t', '0.2', '--for-dispatches', '1', expect=1)
        self.start(PRODUCER, 'spans=200', 'rate=500', 'wait=1', 'lanes=3')
        self.weft('wait', '--for-lanes', '3', '-t', '20')
        self.weft('wait', '--for-dispatches', '150', '-t', '20', '-p', str(recorder.pid))
        waiting = self.start(WEFT, 'wait', '--until-end', '-t', '20')
        time.sleep(0.2)
        self.assertIsNone(waiting.poll())
        self.weft('stop')
        self.assertEqual(waiting.wait(20), 0)

    def test_killed_recorder(self):
        recorder = self.start_recorder('-o', self.path('x.weft'))
        self.run_command([PRODUCER, 'spans=300', 'wait=1'])
        time.sleep(1.5)
        recorder.kill()
        recorder.wait()
        answer = self.show(self.path('x.weft'))
        self.assertEqual(answer['state'], 'unfinished')
        self.assertGreaterEqual(answer['rows']['dispatches'], 300)
        self.assertEqual(self.weft('status', '--json').answer, [])
        self.assertIn('nothing is being recorded', self.weft('stop', expect=1).stderr)
        self.start_recorder('-o', self.path('y.weft'))
        self.weft('stop')
        self.weft('repair', self.path('x.weft'))
        self.assertGreaterEqual(self.show(self.path('x.weft.repaired.weft'))['rows']['dispatches'], 300)

    def test_control_socket_takes_anything(self):
        recorder = self.start_recorder('-o', self.path('x.weft'))
        for request in (b'', b'\n', b'{}\n', b'[' * 3000 + b'\n', b'{"command": 7}\n', b'\xff\xfe\n', b'x' * 10000,
                        b'{"command": "frob"}\n', b'{"command": {"command": "stop"}}\n', b'null\n', b'{"command"'):
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(10)
                connection.connect(self.path('run', 'control.sock'))
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    connection.sendall(request)
                    connection.shutdown(socket.SHUT_WR)
                    answer = b''
                    while chunk := connection.recv(4096):
                        answer += chunk
                    if answer:
                        self.assertEqual(json.loads(answer)['schema'], 'weft.error/1')
        idle = [socket.socket(socket.AF_UNIX) for _ in range(50)]
        for connection in idle:
            connection.connect(self.path('run', 'control.sock'))
        self.assertEqual(len(self.weft('status', '--json').answer), 1)
        with contextlib.suppress(BrokenPipeError):
            for connection in idle[::2]:
                connection.sendall(b'{"command"')
            idle[0].sendall(b': "stop"}\n')
            for connection in idle[2::2]:
                connection.sendall(b': "status"}\n')
        for connection in idle:
            connection.close()
        self.assertEqual(recorder.wait(20), 0)
        self.assertEqual(self.show(self.path('x.weft'))['state'], 'complete')


class FullDisk(Case):
    def check(self, done_stderr, file):
        self.assertIn('not complete', done_stderr)
        self.assertIn(file, done_stderr)
        self.assertRegex(done_stderr, '(?i)space|large|room|limit')

    def test_file_size_limit(self):
        file = self.path('x.weft')
        recorder = self.start_recorder('-o', file, preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_FSIZE, (400_000, 400_000)))
        program = self.start(PRODUCER, 'spans=3000000', 'threads=2', 'dispatches=100', 'wait=1')
        output = program.communicate(timeout=50)[0].decode()
        self.assertEqual(program.returncode, 0)
        self.assertIn('lane:lane-0=6000200', output)
        self.assertEqual(recorder.wait(20), 125)
        self.check(recorder.stderr.read().decode(), file)
        answer = self.show(file)
        self.assertGreater(answer['rows']['dispatches'], 1000)
        self.assertLessEqual(os.path.getsize(file), 400_000)

    def test_small_disk(self):
        if os.geteuid() != 0 or not works(['unshare', '-m', 'true']):
            self.skipTest('needs root and unshare -m')
        os.mkdir(self.path('disk'))
        script = '''
            mount -t tmpfs -o size=512k tmpfs "$DISK" || exit 77
            "$WEFT" record -q -o "$DISK/x.weft" 2>"$FOLDER/errors" &
            i=0; while [ ! -e "$FOLDER/run/control.sock" ] && [ $i -lt 200 ]; do sleep 0.05; i=$((i+1)); done
            "$PRODUCER" spans=3000000 threads=2 wait=1 >"$FOLDER/output" || exit 78
            wait $!; echo $? >"$FOLDER/status"
            "$WEFT" show --json "$DISK/x.weft" >"$FOLDER/show" || exit 79
        '''
        environment = dict(self.environment, DISK=self.path('disk'), FOLDER=self.folder, WEFT=WEFT, PRODUCER=PRODUCER)
        done = self.run_command(['unshare', '-m', 'sh', '-c', script], None, env=environment)
        if done.returncode == 77:
            self.skipTest('mounting is not permitted')
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(self.path('status')) as file:
            self.assertEqual(file.read().strip(), '125')
        with open(self.path('errors')) as file:
            self.check(file.read(), 'x.weft')
        with open(self.path('show')) as file:
            self.assertGreater(self.check_json(file.read(), 'show')['dispatches'], 1000)
        with open(self.path('output')) as file:
            self.assertIn('lane:lane-0=6000000', file.read())


class Files(Case):
    def test_list(self):
        done = self.weft('list')
        self.assertIn('weft record', done.stdout)
        self.assertEqual(self.weft('list', '--json').answer, [])
        self.weft('record', '-q', '--', PRODUCER, 'spans=20', 'wait=1')
        self.weft('record', '-q', '--', PRODUCER, 'spans=30', 'wait=1')
        with open(self.path('recordings', 'junk.weft'), 'w') as file:
            file.write('junk')
        rows = self.weft('list', '--json').answer
        self.assertEqual(sorted(row['state'] for row in rows), ['complete', 'complete', 'unreadable'])
        self.assertGreaterEqual(rows[0]['start'], rows[1]['start'])
        self.assertIn('unreadable', self.weft('list').stdout)

    def test_show_order(self):
        file = self.path('x.weft')
        self.weft('record', '-q', '-o', file, '--', PRODUCER, 'spans=3000', 'lanes=3', 'wait=1')
        lanes = self.show(file)['lanes']
        lines = self.weft('show', file).stdout.split('\n\n')[1].splitlines()
        self.assertEqual(lines[0], 'Lanes')
        self.assertEqual([line.split()[0] for line in lines[2:] if line.startswith('l-')],
                         [lane['lane'] for lane in lanes])
        routines = self.show(file)['routines']
        self.assertEqual(routines, sorted(routines, key=lambda row: (-row['total'], int(row['routine'][2:]))))
        self.assertEqual(self.show(file)['diagnostics'], [])
        self.assertEqual(self.show(file)['clocks'][0]['clock'], 'k-1')

    def test_cut_spool(self):
        os.mkdir(self.path('spools'))
        environment = dict(self.environment, WEFT_TARGET_SPOOL=self.path('spools'))
        subprocess.run([PRODUCER, 'spans=5000', 'threads=1'], env=environment, check=True, timeout=60,
                       stdout=subprocess.DEVNULL)
        spool = os.path.join(self.path('spools'), os.listdir(self.path('spools'))[0])
        os.truncate(spool, os.path.getsize(spool) - 40000)
        answer = self.weft('import', '--json', '-o', self.path('x.weft'), spool).answer
        self.assertGreater(answer['rejected'], 0)
        self.assertEqual(self.show(self.path('x.weft'))['diagnostics'][0]['code'], 'spool-cut')

    def test_latest(self):
        done = self.weft('show', expect=1)
        self.assertIn('weft record', done.stderr)
        self.weft('record', '-q', '--', PRODUCER, 'spans=20', 'wait=1')
        self.weft('record', '-q', '--', PRODUCER, 'spans=33', 'wait=1', 'tag=-second')
        for arguments in ((), ('latest',)):
            answer = self.weft('show', '--json', *arguments).answer
            self.assertRegex(answer['file'], r'/recordings/.*-[0-9]{6}(-[0-9]+)?\.weft$')
            lanes = {lane['name']: lane for lane in answer['lanes']}
            self.assertEqual(lanes['lane-0-second']['dispatches'], 33)

    def test_show(self):
        file = self.record('spans=1000', 'threads=2', 'lanes=3', 'nest=4', 'full=1', 'metrics=5', 'pending=2', 'wait=1')
        answer = self.show(file)
        lanes = {lane['name']: lane for lane in answer['lanes']}
        self.assertEqual(lanes['lane-0']['kind'], 'test.lane')
        for lane in lanes.values():
            self.assertEqual(lane['submitted'], lane['completed'] + lane['pending'] + lane['sampled_out']
                             + lane['rejected'] + lane['lost'])
            self.assertRegex(lane['lane'], r'^l-\d+$')
        self.assertEqual(sum(lane['pending'] for lane in lanes.values()), 4)
        self.assertIn('gemm', [routine['name'] for routine in answer['routines']])
        self.assertEqual(sum(routine['count'] for routine in answer['routines']), answer['rows']['dispatches'])
        self.assertGreater(answer['own_cpu'], 0)
        self.assertGreater(answer['duration'], 0)
        text = self.weft('show', file).stdout
        for word in ('lane-0', 'gemm', 'own cpu', 'complete'):
            self.assertIn(word, text)

    def test_tables_fit(self):
        self.weft('record', '-q', '--', PRODUCER, 'spans=100', 'wait=1', 'full=1', 'tag=-' + 'a-very-long-name-' * 3)
        for command in (['show'], ['list']):
            for columns in ('80', '72'):
                self.environment['COLUMNS'] = columns
                table = [line for line in self.weft(*command).stdout.splitlines()
                         if re.search(r'\S  +\S', line) and not line.startswith(('Rows', '/'))]
                self.assertTrue(table)
                for line in table:
                    self.assertLessEqual(width(line), int(columns), line)

    def test_no_escape_reaches_the_terminal(self):
        name = 'a\x1b[31mb\x07\x1b]0;owned\x07.weft'
        self.environment['WEFT_RECORDINGS'] = self.folder
        file = self.record('names=1', 'wait=1', name=name)
        for arguments in (('show', file), ('list',), ('show', file + 'no'), ('repair', file),
                          ('import', file), ('show', '\x1b[31m')):
            done = self.run_command([WEFT, *arguments], None)
            for line in (done.stdout + done.stderr).splitlines():
                self.assertIsNone(CONTROL.search(line), (arguments, line))
        for line in self.run_command([WEFT, 'show', '--json', file]).stdout.splitlines():
            self.assertIsNone(CONTROL.search(line), line)
        answer = self.show(file)
        self.assertTrue(any('red' in lane['name'] for lane in answer['lanes']))
        self.start_recorder('-o', self.path('\x1b[2J.weft'))
        for arguments in (('status',), ('stop',)):
            done = self.run_command([WEFT, *arguments], None)
            for line in done.stdout.splitlines():
                self.assertIsNone(CONTROL.search(line), (arguments, line))

    def test_names_that_are_no_utf8(self):
        name = os.fsencode(self.folder) + b'/\xff\xfe.weft'
        self.run_command([WEFT, 'record', '-q', '-o', name, '--', PRODUCER, 'spans=5', 'wait=1'])
        self.weft('show', name)
        self.weft('show', '--json', name)
        self.environment['WEFT_RECORDINGS'] = self.folder
        self.weft('list')
        self.assertEqual(len(self.weft('list', '--json').answer), 1)
        self.start_recorder('-o', os.fsencode(self.folder) + b'/\xfe.weft')
        self.weft('status')
        self.weft('stop')

    def test_broken_files(self):
        with open(self.path('junk.weft'), 'wb') as file:
            file.write(os.urandom(5000))
        open(self.path('empty.weft'), 'w').close()
        for name in ('junk.weft', 'empty.weft', 'absent.weft', ''):
            for command in ('show', 'repair', 'import'):
                done = self.weft(command, self.path(name), expect=1)
                self.assertIn(self.path(name).rstrip('/'), done.stderr)
                self.assertEqual(done.stdout, '')

    def test_repair(self):
        file = self.record('spans=20000', 'threads=2', 'wait=1')
        whole = self.show(file)['rows']['dispatches']
        size = os.path.getsize(file)
        for name, keep in (('most.weft', size - 40), ('half.weft', size // 2)):
            shutil.copy(file, self.path(name))
            os.truncate(self.path(name), keep)
            cut = self.show(self.path(name))
            self.assertNotEqual(cut['state'], 'complete')
            answer = self.weft('repair', '--json', self.path(name), '-o', self.path('r-' + name)).answer
            self.assertEqual(answer['file'], self.path('r-' + name))
            repaired = self.show(self.path('r-' + name))
            self.assertEqual(repaired['state'], 'complete')
            self.assertEqual(repaired['rows']['dispatches'], cut['rows']['dispatches'])
        self.assertEqual(self.show(self.path('r-most.weft'))['rows']['dispatches'], whole)
        self.assertIn('Saved', self.weft('repair', self.path('half.weft')).stdout)
        self.weft('repair', self.path('half.weft'), expect=1)  # its output is there already

    def test_damage_is_told(self):
        file = self.record('spans=20000', 'threads=2', 'wait=1')
        with open(file, 'r+b') as damaged:
            damaged.seek(os.path.getsize(file) // 3)
            damaged.write(b'\xff' * 64)
        self.weft('show', file)  # reads lazily: it may never meet the damage
        answer = self.weft('repair', '--json', file).answer
        self.assertEqual(answer['damaged_chunks'], 1)
        repaired = self.show(file + '.repaired.weft')
        self.assertEqual(repaired['state'], 'complete')
        self.assertEqual(repaired['rows']['lanes'], 2)


class Import(Case):
    def spool(self, *arguments):
        folder = self.path('spool')
        os.makedirs(folder, exist_ok=True)
        done = self.run_command([PRODUCER, *arguments], env=dict(self.environment, WEFT_TARGET_SPOOL=folder))
        return [os.path.join(folder, name) for name in sorted(os.listdir(folder))], done.stdout

    def test_import(self):
        spools, _ = self.spool('spans=1000', 'threads=2', 'nest=3', 'full=1', 'metrics=4', 'device=5', 'wait=1')
        self.assertEqual(len(spools), 1)
        self.assertEqual(stat.S_IMODE(os.stat(spools[0]).st_mode), 0o600)
        answer = self.weft('import', '--json', '-o', self.path('x.weft'), *spools).answer
        self.assertEqual(answer['lost'] + answer['rejected'], 0)
        shown = self.show(self.path('x.weft'))
        lanes = {lane['name']: lane for lane in shown['lanes']}
        self.assertEqual(lanes['lane-0']['completed'], 2006)
        self.assertEqual(lanes['device']['completed'], 5)
        self.assertEqual(shown['state'], 'complete')
        self.assertEqual(answer['dispatches'], shown['rows']['dispatches'])
        self.assertEqual(shown['rows']['attachments'], 2)
        self.assertEqual(shown['rows']['metric_points'], 12)

    def test_import_of_several(self):
        for i in range(3):
            spools, _ = self.spool('spans=100', f'tag=-{i}', 'sources=1')
        self.assertEqual(len(spools), 3)
        self.assertIn('Imported', self.weft('import', '-o', self.path('x.weft'), *spools).stdout)
        shown = self.show(self.path('x.weft'))
        lanes = {lane['name']: lane for lane in shown['lanes']}
        for i in range(3):
            self.assertEqual(lanes[f'lane-0-{i}']['completed'], 100)
        self.assertEqual(shown['rows']['blobs'], 1)
        self.weft('import', '-o', self.path('x.weft'), *spools, expect=1)  # exists

    def test_import_of_a_cut_spool(self):
        spools, _ = self.spool('spans=20000', 'threads=2')
        size = os.path.getsize(spools[0])
        for i, keep in enumerate((size // 2, 64 << 20, 70_000, 4096, 100, 0)):
            shutil.copy(spools[0], self.path('cut.spool'))
            os.truncate(self.path('cut.spool'), min(keep, size))
            done = self.weft('import', '-o', self.path(f'{i}.weft'), self.path('cut.spool'), expect=None)
            self.assertIn(done.returncode, (0, 1))
            if done.returncode == 0:
                self.show(self.path(f'{i}.weft'))

    def test_import_of_a_killed_program(self):
        folder = self.path('spool')
        os.makedirs(folder)
        program = self.start(PRODUCER, 'spans=-1', 'rate=2000', 'wait=1', 'ready=' + self.path('ready'),
                             env=dict(self.environment, WEFT_TARGET_SPOOL=folder))
        self.until(lambda: os.path.exists(self.path('ready')))
        time.sleep(0.3)
        program.kill()
        program.wait()
        spool = os.path.join(folder, os.listdir(folder)[0])
        self.weft('import', '-o', self.path('x.weft'), spool)
        self.assertGreater(self.show(self.path('x.weft'))['rows']['dispatches'], 50)


tap_report.main(sys.argv[3:])
