#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""No path of the machine on which something was written stands in the tree."""
import re

import lint

MACHINE = re.compile(r'(?<![\w.])/(work|root|home/\w+)(?=/)')


def check(path, text):
    return ['%s:%d: %s' % (path, number, line.strip()[:80]) for number, line in enumerate(text.split('\n'), 1)
            if MACHINE.search(line)]


def tree():
    return [c for name in lint.files() for c in check(name, lint.read(name))]


if __name__ == '__main__':
    lint.run(check, [('a', 'see /' + 'work/x'), ('a', '"/' + 'root/x"'), ('a', 'x\ncd /' + 'home/me/src')],
             [('a', 'a network/root/x'), ('a', '/etc/sipbus')], tree)
