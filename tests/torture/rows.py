#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes table rows for C out of manifest.json: rows.py MANIFEST OUTPUT"""
import json
import sys

VERDICTS = {'accept': 'ACCEPT', 'reject': 'REJECT', 'reject-or-liberal': 'EITHER', 'either': 'EITHER'}


def row(message):
    is_request = 'true' if message['kind'] == 'request' else 'false'
    return '{ "%s", "RFC 4475 %s", %s, %s, "%s" },' % (
        message['file'], message['section'], is_request, VERDICTS[message['parse']], ' '.join(message['ua_udp']))


with open(sys.argv[1], encoding='utf-8') as f:
    rows = [row(message) for message in json.load(f)['messages']]
with open(sys.argv[2], 'w', encoding='utf-8') as f:
    f.write('\n'.join(rows) + '\n')
