#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each header compiles alone: whoever includes it needs nothing before it.

headers.py COMPILER...
"""
import concurrent.futures
import os
import subprocess
import sys
import tempfile

import lint

LIBRARIES = ['dbus-1', 'libevent', 'gnutls', 'nettle', 'libgsasl', 'libcares', 'libsystemd', 'sqlite3', 'expat', 'check']


def library_flags():
    flags = []
    for name in LIBRARIES:
        answer = subprocess.run(['pkg-config', '--cflags', name], capture_output=True, text=True)
        flags += answer.stdout.split() if answer.returncode == 0 else []
    return flags


FLAGS = ['-std=gnu17', '-fsyntax-only', '-Wall', '-Wextra', '-Werror', '-D_GNU_SOURCE', '-I' + lint.ROOT, '-x', 'c', '-']


def check(path):
    unit = '#include "%s"\ntypedef int something; /* no empty unit */\n' % path
    run = subprocess.run(sys.argv[1:] + library_flags() + FLAGS, input=unit, capture_output=True, text=True)
    return [] if run.returncode == 0 else ['%s: %s' % (path, run.stderr.strip())]


def tree():
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return [c for complaints in pool.map(check, lint.files('.h')) for c in complaints]


if __name__ == '__main__':
    with tempfile.TemporaryDirectory() as folder:
        samples = {'bad.h': '#pragma once\nvoid f(struct undeclared *x);\nsize_t g(void);\n',
                   'good.h': '#pragma once\n#include <stddef.h>\nsize_t g(void);\n'}
        for name, text in samples.items():
            with open(os.path.join(folder, name), 'w', encoding='utf-8') as f:
                f.write(text)
        lint.run(check, [(folder + '/bad.h',), (folder + '/missing.h',)], [(folder + '/good.h',)], tree)
