#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Instructions per parsed message, exact by callgrind, beside the targets and what other stacks need.

bench-parse.py BENCH-PARSE FOLDER
"""
import os
import re
import shutil
import subprocess
import sys

# name: target, then libosip2 5.3, sofia-sip 1.12.11, re 1.1, pjsip, Kamailio 5.6 for the same work
MESSAGES = {
    'register': (8000, 135928, 44926, 127232, 34346, 33283),
    'invite': (9000, 149483, 53115, 130444, 34610, 39057),
    'ok200': (10000, 185827, 66419, 119795, 46879, 48742),
    'message': (5500, 48278, 24863, 95400, 18475, 24532),
    'notify': (7500, 98523, 42971, 110862, 27116, 33058),
}
SKIP = 77  # what meson takes for "not here"


def collected(program, path, count):
    run = subprocess.run(['valgrind', '--tool=callgrind', '--callgrind-out-file=/dev/null', program, path, str(count)],
                         capture_output=True, text=True, check=True)
    return int(re.search(r'Collected : (\d+)', run.stderr).group(1))


def main():
    if not shutil.which('valgrind'):
        print('no valgrind: nothing counted')
        return SKIP
    program, folder = sys.argv[1:]
    row = '%-10s %8s %8s %10s %8s %8s %8s %8s'
    print(row % ('message', 'sipbus', 'target', 'osip2', 'sofia', 're', 'pjsip', 'kamailio'))
    for name, (target, *peers) in MESSAGES.items():
        path = os.path.join(folder, name + '.sip')
        ours = (collected(program, path, 110) - collected(program, path, 10)) // 100
        print(row % (name, ours, target, *peers))
    return 0


if __name__ == '__main__':
    sys.exit(main())
