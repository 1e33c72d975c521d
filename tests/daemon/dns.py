# SPDX-License-Identifier: LGPL-2.1-or-later
"""A name server on loopback that also knows how to be a bad one (RFC 1035, 2308, 2782, 3403)."""
import ipaddress
import select
import socket
import struct
import threading
import time

A, CNAME, SOA, AAAA, SRV, NAPTR = 1, 5, 6, 28, 33, 35
TYPES = {A: 'A', CNAME: 'CNAME', AAAA: 'AAAA', SRV: 'SRV', NAPTR: 'NAPTR'}
NOERROR, SERVFAIL, NXDOMAIN, REFUSED = 0, 2, 3, 5


def encode_name(name):
    labels = [label.encode() for label in name.split('.') if label]
    return b''.join(bytes([len(label)]) + label for label in labels) + b'\0'


def decode_name(message, at):
    labels = []
    while message[at]:
        labels.append(message[at + 1:at + 1 + message[at]].decode())
        at += 1 + message[at]
    return '.'.join(labels), at + 1


def string(text):
    return bytes([len(text)]) + text.encode()


class Server:
    """Answers from records; `treat` says for which questions it misbehaves, and how."""

    def __init__(self):
        self.records = {}  # (name, type): [(ttl, data)]
        self.treat = {}    # (name, type): a word, see answer(), or seconds to wait
        self.asked = []    # (name, type as text, 'udp' or 'tcp')
        self.minimum = 60  # of the SOA: how long nothing is good for
        self.stopping = False
        self.later = []    # (when, function)
        self.tcp = socket.create_server(('127.0.0.1', 0))
        self.port = self.tcp.getsockname()[1]
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(('127.0.0.1', self.port))
        self.streams = {}
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def close(self):
        self.stopping = True
        self.thread.join()
        for s in (self.udp, self.tcp, *self.streams):
            s.close()

    # ---- what it knows ----

    def add(self, name, kind, data, ttl=60):
        self.records.setdefault((name.lower(), kind), []).append((ttl, data))

    def address(self, name, address='127.0.0.1', ttl=60):
        ip = ipaddress.ip_address(address)
        self.add(name, A if ip.version == 4 else AAAA, ip.packed, ttl)

    def cname(self, name, to, ttl=60):
        self.add(name, CNAME, encode_name(to), ttl)

    def srv(self, name, target, port, priority=0, weight=0, ttl=60):
        self.add(name, SRV, struct.pack('!HHH', priority, weight, port) + encode_name(target), ttl)

    def naptr(self, name, services, replacement, order=10, preference=10, flags='s', regexp='', ttl=60):
        self.add(name, NAPTR, struct.pack('!HH', order, preference) + string(flags) + string(services) + string(regexp)
                 + encode_name(replacement), ttl)

    def questions(self, *kinds):
        """What was asked of these types, in order, each retransmission left out."""
        found = []
        for name, kind, _ in list(self.asked):
            if kind in kinds and (not found or found[-1] != (kind, name)):
                found.append((kind, name))
        return ['%s %s' % q for q in found]

    # ---- how it answers ----

    def find(self, name, kind):
        """(records as (owner, type, ttl, data), is there such a name), along CNAMEs."""
        found = []
        for _ in range(8):
            key = name.lower()
            found += [(name, kind, ttl, data) for ttl, data in self.records.get((key, kind), [])]
            aliases = self.records.get((key, CNAME), [])
            if not aliases:
                break
            found.append((name, CNAME, *aliases[0]))
            name = decode_name(aliases[0][1], 0)[0]
        # CNAMEs first, as a server writes them.
        found.sort(key=lambda r: r[1] != CNAME)
        return found, any(known == name.lower() for known, _ in self.records)

    def message(self, query, end, code, found, truncated=False):
        flags = 0x8180 | (0x0200 if truncated else 0) | code
        authority = b''
        if not found and code in (NOERROR, NXDOMAIN):
            data = encode_name('ns.test') + encode_name('root.test') + struct.pack('!IIIII', 1, 60, 60, 60, self.minimum)
            authority = encode_name('test') + struct.pack('!HHIH', SOA, 1, 3600, len(data)) + data
        head = query[:2] + struct.pack('!HHHHH', flags, 1, len(found), 1 if authority else 0, 0)
        body = b''.join(encode_name(owner) + struct.pack('!HHIH', kind, 1, ttl, len(data)) + data
                        for owner, kind, ttl, data in found)
        return head + query[12:end] + body + authority

    def answer(self, query, send, over):
        name, at = decode_name(query, 12)
        kind, end = struct.unpack('!H', query[at:at + 2])[0], at + 4
        self.asked.append((name.lower(), TYPES.get(kind, str(kind)), over))
        how = self.treat.get((name.lower(), kind))
        if how is None:
            how = self.treat.get((name.lower(), None))
        found, exists = self.find(name, kind)
        reply = self.message(query, end, NOERROR if found or exists else NXDOMAIN, found)
        if how == 'silent':
            return
        if how == 'servfail':
            reply = self.message(query, end, SERVFAIL, [])
        elif how == 'refused':
            reply = self.message(query, end, REFUSED, [])
        elif how == 'wrong id':
            reply = bytes([reply[0] ^ 0x55]) + reply[1:]
        elif how == 'wrong question':
            reply = self.message(query[:12] + encode_name('other.test') + query[at:], end + len('other.test') - len(name), NOERROR,
                                 found)
        elif how == 'garbage':
            reply = reply[:12] + b'\xff' * 40
        elif how == 'short':
            reply = reply[:-3]
        if over == 'udp' and (how == 'truncated' or len(reply) > 512):
            reply = self.message(query, end, NOERROR, [], truncated=True)
        if isinstance(how, (int, float)):
            self.later.append((time.monotonic() + how, lambda: send(reply)))
        else:
            send(reply)

    # ---- sockets ----

    def run(self):
        while not self.stopping:
            ready = select.select([self.udp, self.tcp, *self.streams], [], [], 0.02)[0]
            for s in ready:
                self.serve(s)
            now = time.monotonic()
            due = [send for when, send in self.later if when <= now]
            self.later = [(when, send) for when, send in self.later if when > now]
            for send in due:
                send()

    def serve(self, s):
        if s is self.udp:
            query, peer = s.recvfrom(65536)
            self.answer(query, lambda reply: self.udp.sendto(reply, peer), 'udp')
        elif s is self.tcp:
            self.streams[s.accept()[0]] = b''
        else:
            data = s.recv(65536)
            if not data:
                del self.streams[s]
                s.close()
                return
            self.streams[s] += data
            while len(self.streams[s]) > 2 and len(self.streams[s]) >= 2 + struct.unpack('!H', self.streams[s][:2])[0]:
                n = struct.unpack('!H', self.streams[s][:2])[0]
                query, self.streams[s] = self.streams[s][2:2 + n], self.streams[s][2 + n:]
                self.answer(query, lambda reply: s.sendall(struct.pack('!H', len(reply)) + reply), 'tcp')
