#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""clang-format has nothing to change in any .c or .h file."""
import shutil
import subprocess

import lint

TOOL = shutil.which('clang-format-14') or shutil.which('clang-format')


def check(text):
    run = subprocess.run([TOOL, '--dry-run', '-Werror', '--assume-filename=x.c'], input=text, capture_output=True,
                         text=True, cwd=lint.ROOT)
    return [] if run.returncode == 0 else [run.stderr.strip()]


def tree():
    names = lint.files('.c', '.h')
    run = subprocess.run([TOOL, '--dry-run', '-Werror', '-ferror-limit=3'] + names, capture_output=True, text=True,
                         cwd=lint.ROOT)
    return [] if run.returncode == 0 else [run.stderr.strip()]


if __name__ == '__main__':
    if not TOOL:
        lint.skip('no clang-format')
    lint.run(check, [('int  x ;\n',), ('int f(void) {\n    return 0; }\n',)],
             [('int f(void)\n{\n\treturn 0;\n}\n',)], tree)
