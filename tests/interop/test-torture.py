#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every message of RFC 4475, sent to the running daemon over UDP and TCP, judged by tests/torture/manifest.json.

After each message the daemon must still answer an OPTIONS. None of the messages asks for rport, so the
answer to a datagram goes to the port that its Via names (RFC 3261 18.2.2): the sender listens on all of
those, at an address of its own.
"""
import contextlib
import json
import os
import re
import select
import socket
import time

import lab

MESSAGES = os.path.join(lab.HERE, '..', 'torture')
HERE = '127.0.0.77'
VIA_PORTS = (5060, 5050, 5061, 5070, 6050, 19823)


def header(message, *names):
    """The first value of a header, folds undone; b'' if there is none."""
    head = re.sub(rb'\r?\n[ \t]+', b' ', re.split(rb'\r?\n\r?\n', message, maxsplit=1)[0])
    found = re.search(rb'(?im)^(?:' + b'|'.join(names) + rb')[ \t]*:[ \t]*(.*?)[ \t]*\r?$', head)
    return found.group(1) if found else b''


def branch(message):
    found = re.search(rb'branch\s*=\s*([^;,\s]+)', header(message, b'via', b'v'))
    return found.group(1) if found else b''


def answers(message, response):
    """Whether the response is to this message and not to an earlier one."""
    call = header(message, b'call-id', b'i')
    if call:
        return header(response, b'call-id', b'i') == call
    return bool(branch(message)) and branch(message) in response


def status(response):
    found = re.match(rb'SIP/2\.0 (\d{3}) ', response)
    return int(found.group(1)) if found else 0


def right(statuses, outcomes):
    """Whether what came back is one of the manifest's outcomes."""
    final = [code for code in statuses if code >= 200]
    forbidden = [int(o[4:]) for o in outcomes if o.startswith('not:')]
    return any([
        'liberal' in outcomes,
        'none' in outcomes and not statuses,
        '4xx' in outcomes and any(400 <= code < 500 for code in final),
        any(str(code) in outcomes for code in final),
        bool(forbidden and statuses and not any(code in forbidden for code in statuses)),
    ])


class Torture(lab.Case):
    def setUp(self):
        super().setUp()
        self.lab.listen()
        self.lab.configure('profiles.d/target.conf', '[Profile]\nName=target\nRegister=no\n'
                           '[User]\nUri=sip:target@127.0.0.1\n'
                           '[Server]\nAddr=127.0.0.1:9\nProtocol=udp\nRole=proxy\n')
        self.lab.start_daemon()
        self.daemon = ('127.0.0.1', self.lab.listen_port)
        self.sockets = []
        for port in VIA_PORTS:
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.addCleanup(s.close)
            s.bind((HERE, port))
            self.sockets.append(s)
        self.pings = 0
        with open(os.path.join(MESSAGES, 'manifest.json'), encoding='utf-8') as f:
            self.manifest = json.load(f)['messages']
        self.assertEqual(len(self.manifest), 49)

    def received(self, seconds):
        ready, _, _ = select.select(self.sockets, [], [], seconds)
        return [s.recv(65536) for s in ready]

    def ping(self):
        """Gives what else arrived until the answer, or None without one."""
        self.pings += 1
        call = b'ping-%d@torture' % self.pings
        text = (b'OPTIONS sip:target@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKping%d\r\nMax-Forwards: 70\r\n'
                b'From: <sip:judge@%s>;tag=%d\r\nTo: <sip:target@127.0.0.1>\r\nCall-ID: %s\r\nCSeq: 1 OPTIONS\r\n'
                b'Content-Length: 0\r\n\r\n' % (HERE.encode(), self.pings, HERE.encode(), self.pings, call))
        self.sockets[0].sendto(text, self.daemon)
        others, end = [], time.monotonic() + 5
        while time.monotonic() < end:
            for response in self.received(0.1):
                if header(response, b'call-id') == call:
                    return others
                others.append(response)
        return None

    def message(self, entry, seen):
        """The bytes to send. A branch met before gets a suffix: a retransmission is not what is tested."""
        with open(os.path.join(MESSAGES, entry['file']), 'rb') as f:
            data = f.read()
        key = (branch(data), header(data, b'cseq').split(b' ')[-1])
        if key[0] and key in seen:
            data = data.replace(key[0], key[0] + b'-%d' % len(seen), 1)
        seen.append(key)
        return data

    def test_udp(self):
        seen = []
        for entry in self.manifest:
            with self.subTest(entry['file']):
                data = self.message(entry, seen)
                self.sockets[0].sendto(data, self.daemon)
                others = self.ping()
                self.assertIsNotNone(others, 'deaf after this message')
                self.judge(data, others, entry['ua_udp'], lambda: self.received(0.05))

    def test_tcp(self):
        seen = []
        for entry in self.manifest:
            with self.subTest(entry['file']), socket.create_connection(self.daemon, 5, (HERE, 0)) as s:
                data = self.message(entry, seen)
                s.sendall(data)
                self.judge(data, [], entry.get('ua_tcp') or entry['ua_udp'],
                           lambda: self.stream(s))
                self.assertIsNotNone(self.ping(), 'deaf after this message')

    def stream(self, s):
        """What the connection brings, cut at each status line."""
        s.settimeout(0.05)
        with contextlib.suppress(OSError):
            return re.split(rb'(?m)^(?=SIP/2\.0 )', s.recv(65536))
        return []

    def judge(self, data, responses, outcomes, more):
        """Waits for a right answer, or where silence is right for a little of it."""
        statuses = []
        end = time.monotonic() + (0.3 if 'none' in outcomes else 3)
        while True:
            statuses += [status(r) for r in responses if status(r) and answers(data, r)]
            if time.monotonic() > end or (statuses and right(statuses, outcomes)):
                break
            responses = more()
        self.assertTrue(right(statuses, outcomes), 'wanted %s, got %s' % (outcomes, statuses))


if __name__ == '__main__':
    lab.main()
