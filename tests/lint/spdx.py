#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""One SPDX line at the top of every source and script, and no licence wall."""
import lint

TAG = 'SPDX-License-Identifier: ' + 'LGPL-2.1-or-later'


def check(path, text):
    lines = text.split('\n')
    if path.endswith(('.c', '.h')):
        if lines[0] != '/* %s */' % TAG:
            return ['%s: line 1 is not the SPDX line' % path]
    elif path.endswith(('.py', '.sh')) or lines[0].startswith('#!'):
        if '# ' + TAG not in lines[:2]:
            return ['%s: no SPDX line among the first two' % path]
    return []


def tree():
    return [c for name in lint.files() for c in check(name, lint.read(name))]


if __name__ == '__main__':
    lint.run(check,
             [('a.c', 'int x;\n'), ('a.h', '#pragma once\n/* %s */\n' % TAG), ('a.py', 'import os\n'),
              ('tool', '#!/bin/sh\necho\n')],
             [('a.c', '/* %s */\nint x;\n' % TAG), ('tool', '#!/bin/sh\n# %s\n' % TAG), ('data.bin', 'x')], tree)
