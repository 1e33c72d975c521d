#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The protocol library may call memory, string and formatting functions and nothing else.

no-io.py NM LIBRARY
"""
import re
import subprocess
import sys

import lint

ALLOWED = set('''
    memchr memcmp memcpy memmove memmem memrchr memset mempcpy explicit_bzero
    strcasecmp strchr strchrnul strcmp strcspn strlen strncasecmp strncmp strnlen strpbrk strrchr strspn strstr
    strdup strndup
    malloc calloc realloc reallocarray free
    abort qsort bsearch
    snprintf vsnprintf
'''.split())
# What compilers put in by themselves: assertions, _FORTIFY_SOURCE, stack protector, sanitizers,
# coverage, the fuzzer's hooks.
COMPILER = re.compile(r'__assert_fail$|__(mem|str|v?snprintf|explicit)\w*_chk$|__stack_chk_fail'
                      r'|__(asan|ubsan|sanitizer|sancov|gcov|llvm|start___|stop___)|_GLOBAL_OFFSET_TABLE_$'
                      r'|(mangled_path|llvm_gcda_|__fuzzer)|__(tls_get_addr|emutls)|bcmp$')


def check(listing):
    """listing: what `nm -P` prints: name, type, and more."""
    wanted, own = set(), set()
    for line in listing.splitlines():
        field = line.split()
        if len(field) < 2 or len(field[1]) != 1:
            continue
        (wanted if field[1] in 'Uwv' else own).add(field[0])
    return ['%s is neither memory nor string nor formatting' % name for name in sorted(wanted - own)
            if name not in ALLOWED and not COMPILER.match(name)]


def tree():
    listing = subprocess.run([sys.argv[1], '-P', sys.argv[2]], capture_output=True, text=True, check=True).stdout
    if not re.search(r' T ', listing):
        return ['%s defines nothing: the wrong library?' % sys.argv[2]]
    return check(listing)


BAD = [('time U\n',), ('slice_eq T 0 10\nclock_gettime U\n',), ('getrandom U\n',), ('printf U\n',), ('stderr U\n',)]
GOOD = [('memcpy U\nslice_eq T 0 10\n',), ('a.o:\nslice_eq U\nb.o:\nslice_eq T 0 4\n',), ('__asan_report_load8 U\n',)]

if __name__ == '__main__':
    lint.run(check, BAD, GOOD, tree)
