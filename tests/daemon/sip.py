# SPDX-License-Identifier: LGPL-2.1-or-later
"""Just enough SIP to be the other side of a socket."""
import itertools
import re
import select
import socket
import threading

serial = itertools.count(1)


def request(method='OPTIONS', uri='sip:alice@127.0.0.1', via='127.0.0.1', transport='UDP', rport=True, headers='', body=b''):
    """A well-formed request with a branch and Call-ID of its own."""
    n = next(serial)
    return ('%s %s SIP/2.0\r\nVia: SIP/2.0/%s %s;branch=z9hG4bKt%d%s\r\nMax-Forwards: 70\r\nTo: <%s>\r\n'
            'From: <sip:tester@example.com>;tag=t%d\r\nCall-ID: c%d@tester\r\nCSeq: %d %s\r\n%sContent-Length: %d\r\n\r\n'
            % (method, uri, transport, via, n, ';rport' if rport else '', uri, n, n, n, method, headers, len(body))
            ).encode() + body


def header(message, name):
    """The value of a header's first line; None if it is absent."""
    found = re.search(rb'(?im)^%s[ \t]*:[ \t]*(.*?)\r$' % name.encode(), message)
    return found.group(1).decode() if found else None


def status(message):
    return int(message.split(b' ', 2)[1])


def split(stream):
    """(whole messages, what is left) of the bytes that came over a connection."""
    messages = []
    while b'\r\n\r\n' in stream:
        head, rest = stream.split(b'\r\n\r\n', 1)
        if not head.strip():
            stream = rest
            continue
        length = int(header(head + b'\r\n', 'Content-Length') or 0)
        if len(rest) < length:
            break
        messages.append(head + b'\r\n\r\n' + rest[:length])
        stream = rest[length:]
    return messages, stream


class Stream:
    """A TCP connection, read message by message."""

    def __init__(self, address, source=None):
        family = socket.AF_INET6 if ':' in address[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        if source:
            self.socket.bind((source, 0))
        self.socket.settimeout(20)
        self.socket.connect(address)
        self.left = b''

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def messages(self, n):
        """The next n messages; fewer if the far end closes first."""
        got = []
        while len(got) < n:
            more, self.left = split(self.left)
            got += more
            if len(got) < n:
                data = self.socket.recv(65536)
                if not data:
                    break
                self.left += data
        return got

    def closed(self):
        """Reads to the end; what came until then, without which the far end is not done."""
        while True:
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError:
                data = b''
            if not data:
                return self.left
            self.left += data


class Telephone:
    """One call to the daemon over UDP, message by message."""

    def __init__(self, address, uri='sip:alice@127.0.0.1'):
        n = next(serial)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(('127.0.0.1', 0))
        self.socket.settimeout(20)
        self.address, self.here = address, '127.0.0.1:%d' % self.socket.getsockname()[1]
        self.us, self.them = '"Tester" <sip:tester@%s>;tag=t%d' % (self.here, n), '<%s>' % uri
        self.target, self.call, self.cseq = uri, 'c%d@tester' % n, 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, method, headers='', body=b''):
        if method not in ('ACK', 'CANCEL'):
            self.cseq += 1
        if method != 'CANCEL': # whose branch and To are the INVITE's
            self.branch = 'z9hG4bKd%d' % next(serial)
        self.socket.sendto(('%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=%s;rport\r\nMax-Forwards: 70\r\nTo: %s\r\nFrom: %s\r\n'
                            'Call-ID: %s\r\nCSeq: %d %s\r\nContact: <sip:tester@%s>\r\n%sContent-Length: %d\r\n\r\n'
                            % (method, self.target, self.here, self.branch, self.them, self.us, self.call, self.cseq, method,
                               self.here, headers, len(body))).encode() + body, self.address)

    def next(self, what):
        """The next message that begins with this, whatever lies before it; its dialog is ours from then on."""
        while True:
            message = self.socket.recvfrom(65536)[0]
            if message.startswith(what.encode()):
                break
        if message.startswith(b'SIP/2.0 2') and header(message, 'CSeq').endswith('INVITE'):
            self.them = header(message, 'To')
            self.target = header(message, 'Contact').split('<')[1].split('>')[0]
        return message

    def invite(self, headers='', body=b'v=0 offer'):
        self.send('INVITE', headers + 'Content-Type: application/sdp\r\n', body)

    def answer(self, request, code=200):
        lines = [line for line in request.decode().split('\r\n') if re.match(r'(?i)(via|from|to|call-id|cseq)\s*:', line)]
        self.socket.sendto(('SIP/2.0 %d Said So\r\n%s\r\nContent-Length: 0\r\n\r\n' % (code, '\r\n'.join(lines))).encode(),
                           self.address)


class Registrar:
    """Says 200 to every REGISTER over UDP and TCP, or what `answer` says; keeps what it heard."""

    more = None  # a header of every answer

    def __init__(self, port, host='127.0.0.1', tls=None):
        """tls: what its connections begin with, an ssl.SSLContext."""
        self.tls = tls
        self.requests = []
        self.accepted = 0
        self.answer = lambda message: 200 # None: silence
        self.lock = threading.Lock()
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((host, port))
        self.tcp = socket.create_server((host, port), family=socket.AF_INET)
        self.streams = {}
        self.stopping = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def close(self):
        self.stopping = True
        self.thread.join()
        for s in (self.udp, self.tcp, *self.streams):
            s.close()

    def hang_up(self):
        """Closes every connection."""
        with self.lock:
            for s in self.streams:
                s.close()
            self.streams.clear()

    def run(self):
        while not self.stopping:
            with self.lock:
                sockets = [self.udp, self.tcp, *self.streams]
            ready = select.select(sockets, [], [], 0.05)[0]
            with self.lock:
                for s in ready:
                    self.serve(s)

    def serve(self, s):
        if s is self.udp:
            data, peer = s.recvfrom(65536)
            self.take(data, lambda answer: s.sendto(answer, peer))
        elif s is self.tcp:
            connection = s.accept()[0]
            if self.tls:
                connection.settimeout(20)
                connection = self.tls.wrap_socket(connection, server_side=True)
            self.streams[connection] = b''
            self.accepted += 1
        elif s in self.streams:
            data = s.recv(65536)
            if not data:
                del self.streams[s]
                s.close()
                return
            messages, self.streams[s] = split(self.streams[s] + data)
            for m in messages:
                self.take(m, s.sendall)

    def take(self, message, send):
        if not message.strip():
            return
        self.requests.append(message)
        if message.startswith(b'SIP/2.0 '):
            return
        code = self.answer(message)
        if code is None:
            return
        lines = [line for line in message.decode(errors='replace').split('\r\n')
                 if re.match(r'(?i)(via|from|to|call-id|cseq)\s*:', line)]
        lines = [line + ';tag=r' if line.lower().startswith('to:') and ';tag=' not in line else line for line in lines]
        contact = header(message, 'Contact')
        expires = header(message, 'Expires') or '60'
        if contact and contact != '*' and expires != '0' and 'expires=0' not in contact:
            lines.append('Contact: ' + re.sub(r';expires=\d+', '', contact) + ';expires=' + expires)
        lines += [self.more] if self.more else []
        send(('SIP/2.0 %d Said So\r\n%s\r\nContent-Length: 0\r\n\r\n' % (code, '\r\n'.join(lines))).encode())

    def send(self, message, address):
        """To the daemon: over the connection that comes from there, else by UDP."""
        with self.lock:
            for s in self.streams:
                if s.getpeername()[:2] == address:
                    s.sendall(message)
                    return
            self.udp.sendto(message, address)

    def registers(self, user=None, gone=None):
        """The REGISTERs heard, of one user, and only those that end (gone) or make a registration."""
        found = [m for m in list(self.requests) if m.startswith(b'REGISTER ')]
        if user:
            found = [m for m in found if 'sip:%s@' % user in header(m, 'To')]
        if gone is not None:
            found = [m for m in found if ends(m) == gone]
        return found


def ends(register):
    contact = header(register, 'Contact') or ''
    return header(register, 'Expires') == '0' or 'expires=0' in contact


class Compositor(Registrar):
    """A registrar that takes PUBLISH, too (RFC 3903 section 6); `states` are those by event, then entity tag."""

    granted = 600

    def __init__(self, port, **how):
        self.states = {}
        self.refusal = None
        super().__init__(port, **how)
        self.answer = self.compose

    def compose(self, message):
        self.more = None
        if not message.startswith(b'PUBLISH '):
            return 200
        if self.refusal:
            return self.refusal
        body = message.split(b'\r\n\r\n', 1)[1]
        kept = self.states.setdefault(header(message, 'Event'), {})
        tag, expires = header(message, 'SIP-If-Match'), int(header(message, 'Expires'))
        if tag is not None and tag not in kept:
            return 412
        state = body or kept[tag]
        kept.pop(tag, None)
        if expires:
            tag = 'e%d' % next(serial)
            kept[tag] = state
        self.more = 'SIP-ETag: %s\r\nExpires: %d' % (tag, min(expires, self.granted))
        return 200

    def published(self, event):
        """The bodies that are there now."""
        return list(self.states.get(event, {}).values())

    def forget(self):
        self.states.clear()

    def publishes(self):
        return [m for m in list(self.requests) if m.startswith(b'PUBLISH ')]
