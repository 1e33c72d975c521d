#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Counts the results in meson's testlog.json: count.py FILE prints "PASSED FAILED".

A test that speaks TAP counts once for each of its results, any other test once. A test that ended
badly although all its results were good (a crash at exit, a timeout, a leak) counts as one failure.
"""
import json
import re
import sys

RESULT = re.compile(r'^(ok|not ok)\b(?!.*# *(?:SKIP|TODO))', re.M | re.I)


def count(lines):
    passed = failed = 0
    for line in lines:
        test = json.loads(line)
        results = RESULT.findall(test.get('stdout') or '') if test['result'] != 'SKIP' else []
        good = sum(r.lower() == 'ok' for r in results)
        bad = len(results) - good
        if test['result'] in ('OK', 'EXPECTEDFAIL'):
            passed += good or (0 if results else 1)
        elif test['result'] != 'SKIP':
            passed, bad = passed + good, max(bad, 1)
        failed += bad
    return passed, failed


if __name__ == '__main__':
    with open(sys.argv[1], encoding='utf-8') as f:
        print('%d %d' % count(f))
