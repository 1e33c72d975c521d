#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The size budget: what fits on a screen can be understood.

Function: 60 lines, 5 parameters, 4 levels of nesting. File: 700 lines, header 120. Something that is
better off larger says so: `/* lint: size - reason */` in the comment above the function, or in the
first ten lines of the file. Relies on the layout that the format lint enforces: the braces of a
function, and nothing but those, stand alone in the first column.
"""
import re

import lint

FUNCTION_LINES, PARAMETERS, DEPTH, FILE_LINES, HEADER_LINES = 60, 5, 4, 700, 120
EXCUSE = re.compile(r'/?\*\s*lint: size - \S')


def check(path, text):
    lines = text.split('\n')
    if lines and not lines[-1]:
        lines.pop()
    limit = HEADER_LINES if path.endswith('.h') else FILE_LINES
    complaints = []
    if len(lines) > limit and not any(EXCUSE.search(line) for line in lines[:10]):
        complaints.append('%s: %d lines, at most %d' % (path, len(lines), limit))
    for start, end in functions(lines):
        complaints += function(path, lines, start, end)
    return complaints


def functions(lines):
    start = None
    for number, line in enumerate(lines):
        if line == '{':
            start = number
        elif line == '}' and start is not None:
            yield start, number
            start = None


def function(path, lines, start, end):
    head = start
    while head > 0 and lines[head - 1] and not re.match(r'#|.*[;}]$|.*\*/$|END_TEST', lines[head - 1]):
        head -= 1
    signature = ' '.join(line.strip() for line in lines[head:start])
    above, comment = head, []
    while above > 0 and re.match(r'\s*/?\*|.*\*/$', lines[above - 1]):
        above -= 1
        comment.append(lines[above])
    if any(EXCUSE.search(line) for line in comment):
        return []
    name = '%s:%d: %s' % (path, head + 1, signature[:60])
    measures = [('lines', end - start - 1, FUNCTION_LINES), ('parameters', parameters(signature), PARAMETERS),
                ('levels of nesting', depth(lines[start + 1:end]), DEPTH)]
    return ['%s: %d %s, at most %d' % (name, n, what, limit) for what, n, limit in measures if n > limit]


def parameters(signature):
    opening = signature.find('(')
    if opening < 0:
        return 0
    level, commas = 0, 0
    for c in signature[opening:]:
        level += (c == '(') - (c == ')')
        commas += c == ',' and level == 1
        if not level:
            break
    return commas + 1


def depth(body):
    """Blocks inside blocks; the braces of initialisers, cases and of a struct's body are not blocks."""
    level, most, other = 0, 0, 0
    for line in body:
        line = re.sub(r"'(\\.|[^'\\])+'|\"(\\.|[^\"\\])*\"|/\*.*?\*/", '', line)
        opens, closes = line.count('{'), line.count('}')
        block = re.search(r'(\)|\belse|\bdo|^\s*(case .*:|default:)?\s*)\s*\{\s*\\?$', line) and '=' not in line[-4:]
        if other or (opens and not block and closes != opens and not re.search(r'\}\s*else', line)):
            other += opens - closes
            continue
        level += opens - closes
        most = max(most, level)
    return most


def tree():
    return [c for name in lint.files('.c', '.h') for c in check(name, lint.read(name))]


def sample(lines=1, arguments='void', head='', body='\tx();\n'):
    return head + 'static int\nf(' + arguments + ')\n{\n' + body * lines + '}\n'


NESTED = ''.join('\t' * n + 'if (x) {\n' for n in range(1, 6)) + ''.join('\t' * n + '}\n' for n in range(5, 0, -1))
BAD = [
    ('a.c', sample(61)), ('a.c', sample(1, 'int a, int b, int c, int d, int e, int f')), ('a.c', sample(body=NESTED)),
    ('a.c', 'x\n' * 701), ('a.h', 'x\n' * 121), ('a.c', sample(61, head='/* lint: size */\n')),
    ('a.c', sample(61, head='/* lint: size - somewhere else */\n\n')),
]
GOOD = [
    ('a.c', sample(60)), ('a.c', sample(1, 'int a, int (*b)(int, int), int c, int d,\n\tint e')), ('a.c', 'x\n' * 700),
    ('a.c', sample(61, head='/*\n * Why.\n * lint: size - one row for each state\n */\n')),
    ('a.h', '/* lint: size - a table */\n' + 'x\n' * 130),
]

if __name__ == '__main__':
    lint.run(check, BAD, GOOD, tree)
