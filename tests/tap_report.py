# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the unittest cases of the program that calls main () and reports them in TAP."""

import sys
import unittest


class TapResult(unittest.TestResult):
    """A line for each test; one of which a subtest failed has failed."""

    def __init__(self):
        super().__init__()
        self.number = 0
        self.told = False
        self.parts_failed = False

    def say(self, good, test, directive=''):
        self.number += 1
        self.told = True
        name = test.id().replace('__main__.', '')
        print(f"{'ok' if good else 'not ok'} {self.number} - {name}{directive}", flush=True)

    def explain(self, test, error):
        for line in self._exc_info_to_string(error, test).splitlines():
            print('#', line)

    def startTest(self, test):
        super().startTest(test)
        self.told = False
        self.parts_failed = False

    def stopTest(self, test):
        super().stopTest(test)
        if self.parts_failed and not self.told:
            self.say(False, test)

    def addSuccess(self, test):
        self.say(True, test)

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.explain(test, error)
        self.say(False, test)

    def addError(self, test, error):
        super().addError(test, error)
        self.explain(test, error)
        self.say(False, test)

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error is not None:
            self.parts_failed = True
            print('#', subtest)
            self.explain(test, error)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.say(True, test, f' # SKIP {reason}')


def main(names=()):
    """Runs the tests called NAMES, or all, and ends the program."""
    module = sys.modules['__main__']
    loader = unittest.defaultTestLoader
    suite = loader.loadTestsFromNames(names, module) if names else loader.loadTestsFromModule(module)
    print(f'1..{suite.countTestCases()}')
    result = TapResult()
    suite.run(result)
    sys.exit(0 if result.wasSuccessful() else 1)
