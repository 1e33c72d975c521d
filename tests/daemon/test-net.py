#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sockets of the running daemon: what goes in and out, and what strangers cannot do to it."""
import resource
import socket
import struct
import time

import case
import sip
from case import lab

LIMIT_PER_PEER = 256  # NET_MAX_PER_PEER


def udp(host='127.0.0.1', port=0):
    s = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((host, port))
    s.settimeout(20)
    return s


class Udp(case.Case):
    def setUp(self):
        super().setUp()
        self.configure()
        self.start()

    def shown(self):
        return '[%s]' % self.host if ':' in self.host else self.host

    def test_rport(self):
        """RFC 3581 section 4: back to where it came from, with received and rport."""
        with udp(self.host) as s:
            s.sendto(sip.request(via='wrong.example.com:9'), self.here)
            answer, source = s.recvfrom(65536)
            self.assertEqual(source[:2], self.here)
            self.assertEqual(sip.status(answer), 200)
            via = sip.header(answer, 'Via')
            self.assertIn('rport=%d' % s.getsockname()[1], via)
            self.assertIn('received=' + self.host, via)

    def test_sent_by_port(self):
        """RFC 3261 section 18.2.2: without rport, to the port of sent-by."""
        with udp(self.host) as sender, udp(self.host) as server:
            port = server.getsockname()[1]
            sender.sendto(sip.request(via='%s:%d' % (self.shown(), port), rport=False), self.here)
            answer, source = server.recvfrom(65536)
            self.assertEqual((sip.status(answer), source[:2]), (200, self.here))

    def test_noise(self):
        """Nothing is answered to what is no SIP, and what is SIP still is."""
        with udp(self.host) as s:
            for noise in (b'', b'\0', b'\r\n\r\n', b'x', b'\xff' * 65507, b'GET / HTTP/1.0\r\n\r\n', b'SIP/2.0 200 OK\r\n\r\n',
                          b'OPTIONS sip:a SIP/2.0\r\n\r\n', bytes(range(256)) * 4):
                s.sendto(noise, self.here)
            s.sendto(sip.request(), self.here)
            self.assertEqual(sip.status(s.recv(65536)), 200)
            s.settimeout(0.05)
            with self.assertRaises(TimeoutError):
                s.recv(65536)

    def test_many_peers(self):
        request = sip.request
        with udp(self.host) as keeper:
            for _ in range(300):
                with udp(self.host) as s:
                    s.sendto(request(), self.here)
                    self.assertEqual(sip.status(s.recv(65536)), 200)
            keeper.sendto(request(), self.here)
            self.assertEqual(sip.status(keeper.recv(65536)), 200)

    def test_answer_to_nobody(self):
        """ICMP about one peer that left does not disturb the others."""
        with udp(self.host) as s:
            for _ in range(20):
                with udp(self.host) as gone:
                    gone.sendto(sip.request(), self.here)
                s.sendto(sip.request(), self.here)
                self.assertEqual(sip.status(s.recv(65536)), 200)


class Udp6(Udp):
    host = '::1'

    def setUp(self):
        if not lab.has_ipv6():
            self.skipTest('no IPv6 here')
        super().setUp()


class Everywhere(case.Case):
    """[Listen] without an address."""

    def test_answers_from_where_it_was_asked(self):
        self.configure(hosts=[None])
        self.start()
        for host in ['127.0.0.1', '127.0.0.2', '127.1.2.3'] + (['::1'] if lab.has_ipv6() else []):
            with self.subTest(host=host):
                with udp('::1' if ':' in host else '127.0.0.1') as s:
                    s.connect((host, self.here[1]))  # hears from that address alone
                    s.send(sip.request())
                    self.assertEqual(sip.status(s.recv(65536)), 200)
                with sip.Stream((host, self.here[1])) as s:
                    s.send(sip.request(transport='TCP'))
                    self.assertEqual(sip.status(s.messages(1)[0]), 200)

    def test_listeners(self):
        self.configure(hosts=[None])
        self.start()
        at = {(str(t), str(a), str(p)) for t, a, p in self.bus.get(lab.ROOT, 'Listeners', 'Manager')}
        port = str(self.here[1])
        self.assertLessEqual({('udp', '0.0.0.0', port), ('tcp', '0.0.0.0', port)}, at)
        if lab.has_ipv6():
            self.assertLessEqual({('udp', '::', port), ('tcp', '::', port)}, at)

    def test_any_port(self):
        self.lab.configure('sipbus.conf', '[Listen]\nTransport=udp\nAddress=127.0.0.1\nPort=0\n')
        self.start()
        (_, address, port), = self.bus.get(lab.ROOT, 'Listeners', 'Manager')
        self.assertNotEqual(int(port), 0)
        with udp() as s:
            s.sendto(sip.request(), (str(address), int(port)))
            self.assertEqual(sip.status(s.recv(65536)), 200)


class Tcp(case.Case):
    def setUp(self):
        super().setUp()
        self.configure('[Daemon]\nMaximumMessageSize=1M\n')
        self.start()

    def stream(self, **options):
        return sip.Stream(self.here, **options)

    def test_byte_by_byte(self):
        with self.stream() as s:
            s.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in sip.request(transport='TCP', method='MESSAGE', headers='Content-Type: text/plain\r\n', body=b'hello'):
                s.send(bytes([byte]))
            self.assertEqual([sip.status(m) for m in s.messages(1)], [480])

    def test_two_in_one_segment(self):
        two = [sip.request(transport='TCP') for _ in range(2)]
        with self.stream() as s:
            s.send(b'\r\n'.join(two))
            self.assertEqual([sip.header(m, 'Call-ID') for m in s.messages(2)], [sip.header(m, 'Call-ID') for m in two])

    def test_keep_alive(self):
        """RFC 5626 section 4.4.1: CRLF CRLF is answered by CRLF, whole or in parts, also between messages."""
        with self.stream() as s:
            s.send(b'\r\n\r\n')
            self.assertEqual(s.socket.recv(10), b'\r\n')
            s.send(sip.request(transport='TCP') + b'\r\n')
            self.assertEqual(len(s.messages(1)), 1)
            s.send(b'\r\n')
            self.assertEqual(s.socket.recv(10), b'\r\n')

    def test_large(self):
        """Far more than one read or one segment, and a small one at once behind it."""
        body = b'x' * 300000
        with self.stream() as s:
            s.send(sip.request(transport='TCP', method='MESSAGE', headers='Content-Type: text/plain\r\n', body=body)
                   + sip.request(transport='TCP'))
            self.assertEqual([sip.status(m) for m in s.messages(2)], [480, 200])

    def test_end_of_input_after_request(self):
        """The answer is there before the close."""
        with self.stream() as s:
            s.send(sip.request(transport='TCP'))
            s.socket.shutdown(socket.SHUT_WR)
            self.assertEqual([sip.status(m) for m in s.messages(1)], [200])

    def test_not_sip(self):
        for noise in (b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', b'\0' * 100, b'\xff\n\xff\n\n',
                      b'GET / HTTP/1.1\r\nHost: x\r\n\r\n'):
            with self.subTest(noise=noise[:8]), self.stream() as s:
                s.send(noise)
                s.closed()
        self.assert_alive()

    def test_no_content_length(self):
        """RFC 4475 section 3.4.1: without it there is no body; one that follows is no message."""
        bare = sip.request(transport='TCP').replace(b'Content-Length: 0\r\n', b'')
        with self.stream() as s:
            s.send(bare)
            s.send(sip.request(transport='TCP'))
            self.assertEqual([sip.status(m) for m in s.messages(2)], [200, 200])
        with self.stream() as s:
            s.send(bare + b'{"not": "SIP"}\r\n\r\n')
            self.assertEqual(sip.status(s.closed()), 200)

    def test_too_large(self):
        """A body, a header section and a header line without end."""
        with self.stream() as s:
            s.send(sip.request(transport='TCP').replace(b'Content-Length: 0', b'Content-Length: 4000000000'))
            self.assertEqual(sip.status(s.closed()), 513)
        for endless in (b'X: ' + b'x' * 100, b'X: y\r\n'):
            with self.stream() as s:
                s.send(sip.request(transport='TCP')[:-2])
                with self.assertRaises(OSError):
                    while True:
                        s.send(endless * 1000)
        self.assert_alive()

    def test_reset_in_the_middle(self):
        for part in (1, 50, 300):
            s = self.stream()
            s.send(sip.request(transport='TCP')[:part])
            s.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            s.socket.close()
        self.assert_alive()

    def test_reset_before_the_answer(self):
        for _ in range(50):
            s = self.stream()
            s.send(sip.request(transport='TCP') * 3)
            s.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            s.socket.close()
        self.assert_alive()

    def test_reader_that_does_not_read(self):
        """Answers pile up to a limit, then the connection goes."""
        with self.stream() as s:
            s.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            with self.assertRaises(OSError):
                while True:
                    s.send(b''.join(sip.request(transport='TCP') for _ in range(100)))
        self.assert_alive()


class Limits(case.Case):
    def test_new_connections_of_one_peer(self):
        """Who has said nothing valid yet gets no more than that many, and others do."""
        self.configure('[Daemon]\nNewConnectionsPerPeer=3\n')
        self.start()
        streams = [sip.Stream(self.here, '127.0.0.9') for _ in range(3)]
        with sip.Stream(self.here, '127.0.0.9') as s:
            s.closed()
        streams[0].send(sip.request(transport='TCP'))
        self.assertEqual(sip.status(streams[0].messages(1)[0]), 200)
        with sip.Stream(self.here, '127.0.0.9') as s:  # one of them is no longer new
            s.send(sip.request(transport='TCP'))
            self.assertEqual(sip.status(s.messages(1)[0]), 200)
        self.assert_alive()
        for s in streams:
            s.socket.close()

    def test_connections_of_one_peer(self):
        self.configure('[Daemon]\nNewConnectionsPerPeer=%d\n' % LIMIT_PER_PEER)
        self.start()
        streams = [sip.Stream(self.here, '127.0.0.9') for _ in range(LIMIT_PER_PEER)]
        with sip.Stream(self.here, '127.0.0.9') as s:
            s.closed()
        for s in (streams[0], streams[-1]):
            s.send(sip.request(transport='TCP'))
            self.assertEqual(sip.status(s.messages(1)[0]), 200)
        streams.pop().socket.close()
        self.assert_alive()  # another peer is none the worse
        lab.wait_for(self.one_more_fits, 'the place of the closed connection')
        for s in streams:
            s.socket.close()

    def one_more_fits(self):
        with sip.Stream(self.here, '127.0.0.9') as s:
            try:
                s.send(sip.request(transport='TCP'))
                return len(s.messages(1)) == 1
            except OSError:
                return False

    def test_thousands_of_idle_connections(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        n = min(2000, hard - 300)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, n + 200), hard))
        self.configure('[Daemon]\nNewConnectionsPerPeer=%d\n' % LIMIT_PER_PEER)
        self.start()
        streams = [sip.Stream(self.here, '127.0.1.%d' % (1 + i % 10)) for i in range(n)]
        self.assert_alive()
        for s in streams[::200]:
            s.send(sip.request(transport='TCP'))
            self.assertEqual(sip.status(s.messages(1)[0]), 200)
        for s in streams:
            s.socket.close()
        self.assert_alive()

    def test_no_descriptors_left(self):
        """A daemon that runs out of descriptors goes on when there are some again."""
        self.configure()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        self.start('--log-level=debug')
        resource.prlimit(self.lab.daemon.popen.pid, resource.RLIMIT_NOFILE, (40, hard))
        streams = [sip.Stream(self.here, '127.0.1.%d' % (1 + i % 10)) for i in range(60)]
        lab.wait_for(lambda: self.lab.daemon.says('cannot accept'), 'the daemon to be short of descriptors')
        for s in streams:
            s.socket.close()
        self.assert_alive()


class Timeouts(case.Case):
    def test_first_message(self):
        """No valid message in time: closed, whatever else came."""
        self.configure(FirstMessageTimeout='1s')
        self.start()
        beginnings = [b'', b'\r\n\r\n', sip.request(transport='TCP')[:60]]
        streams = [sip.Stream(self.here) for _ in beginnings]
        with sip.Stream(self.here) as good:
            good.send(sip.request(transport='TCP'))
            good.messages(1)
            for s, beginning in zip(streams, beginnings):
                s.send(beginning)
            for s in streams:
                s.closed()
                s.socket.close()
            good.send(sip.request(transport='TCP'))
            self.assertEqual(len(good.messages(1)), 1)

    def test_drop_by_drop(self):
        """Bytes that never become a message buy no time."""
        self.configure(FirstMessageTimeout='1s')
        self.start()
        with sip.Stream(self.here) as s:
            with self.assertRaises(OSError):
                for byte in b'OPTIONS sip:a@b SIP/2.0\r\n' + b'X: y\r\n' * 10000:
                    s.send(bytes([byte]))
                    time.sleep(0.01)

    def test_idle(self):
        self.configure(IdleTimeout='1s')
        self.start()
        with sip.Stream(self.here) as s:
            s.send(sip.request(transport='TCP'))
            self.assertEqual(len(s.messages(1)), 1)
            s.closed()


if __name__ == '__main__':
    case.main()
