#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Two daemons that page and call each other with no server between them, each on a bus of its own."""
import time
import unittest

import dbus
import dbus.service

import case
from case import lab

ALICE, BOB = lab.endpoint_path('alice'), lab.endpoint_path('bob')
MANAGER = lab.NAME + '.Manager'
SDP = 'application/sdp'
TLS = '[Tls]\nCaFile=%s\nCertificateFile=%s\nKeyFile=%s\n'
KINDS = ('udp', 'tcp', 'tls')


class Sessions(dbus.service.Object):
    """Takes each session and accepts it."""

    def __init__(self, client):
        super().__init__(client.bus, '/sessions')
        self.client, self.taken, self.ended = client, [], []
        client.call(lab.ROOT, MANAGER + '.RegisterAgent', 'oa{sv}', '/sessions',
                    {'Kinds': dbus.Array(['session'], signature='s')})
        client.bus.add_signal_receiver(lambda *a: self.ended.append(a), 'Terminated', lab.NAME + '.Session', lab.NAME)

    @dbus.service.method(lab.NAME + '.Agent', in_signature='oa{sv}')
    def SessionReceived(self, session, details):
        self.taken.append(str(session))

    @dbus.service.method(lab.NAME + '.Agent')
    def Released(self):
        pass


class Side:
    """A daemon with its bus, and one endpoint that listens at a port of its own."""

    def __init__(self, test, user, host='127.0.0.1', conf='', port=None, **options):
        self.test, self.user, self.host = test, user, host
        self.path = lab.endpoint_path(user)
        self.port = port or lab.free_port()
        self.lab = lab.Lab()
        test.addCleanup(self.close)
        self.lab.start_bus()
        self.lab.configure('sipbus.conf', conf)
        self.options = {'Listen': True, **options}
        self.start()

    def close(self):
        self.test.assertEqual(self.lab.close(self.test.failed), [])

    def start(self):
        self.client = self.lab.start_daemon()
        self.create(self.client, **self.options)
        self.agent = lab.PageAgent(self.client)
        self.client.call(lab.ROOT, MANAGER + '.RegisterAgent', 'oa{sv}', '/agent',
                         {'Kinds': dbus.Array(['page'], signature='s')})

    @property
    def uri(self):
        return 'sip:%s@%s:%d' % (self.user, '[%s]' % self.host if ':' in self.host else self.host, self.port)

    def to(self, transport):
        return self.uri if transport == 'udp' else '%s;transport=%s' % (self.uri, transport)

    def create(self, client, user=None, uri=None, **options):
        return client.call(lab.ROOT, MANAGER + '.CreateEndpoint', 'sa{sv}', '',
                           {'Id': user or self.user, 'Uri': uri or self.uri, **options})

    def listeners(self):
        return [tuple(map(str, row)) for row in self.client.get(lab.ROOT, 'Listeners', 'Manager')]

    def call(self, target):
        return self.client.endpoint(self.path, 'CreateSession', 'sa{sv}', target,
                                    {'ContentType': SDP, 'Description': dbus.ByteArray(b'offer')})


def connections(port):
    """Of IPv4, to that port, as the kernel has them."""
    with open('/proc/net/tcp', encoding='ascii') as f:
        rows = [line.split() for line in f][1:]
    return sum(row[2].endswith(':%04X' % port) and row[3] == '01' for row in rows)


class Peer(unittest.TestCase):
    @property
    def failed(self):
        return self.id() in lab.Tap.counted

    def sides(self, host='127.0.0.1', **options):
        self.a = Side(self, 'alice', host, **options)
        self.b = Side(self, 'bob', host, **options)

    def page(self, transport, back=False):
        one, other = (self.b, self.a) if back else (self.a, self.b)
        n = len(other.agent.pages)
        self.assertEqual(one.client.page(one.path, other.to(transport), b'hello')[0], 200)
        self.assertEqual([p[3] for p in other.agent.pages[n:]], [b'hello'])

    def session(self, transport, ends_it):
        """Alice calls, Bob accepts, and either hangs up; both hear of it."""
        taker = Sessions(self.b.client)
        ended = []
        self.a.client.bus.add_signal_receiver(lambda *a: ended.append(a), 'Terminated', lab.NAME + '.Session', lab.NAME)
        session = self.a.call(self.b.to(transport))
        lab.wait_for(lambda: taker.taken, 'the call')
        self.b.client.call(taker.taken[0], lab.NAME + '.Session.Accept', 'saya{sv}', SDP, dbus.ByteArray(b'answer'), {})
        lab.wait_for(lambda: self.a.client.get(session, 'State', 'Session') == 'established', 'established')
        one, path = (self.a, session) if ends_it == 'caller' else (self.b, taker.taken[0])
        one.client.call(path, lab.NAME + '.Session.Terminate', 'a{sv}', {})
        lab.wait_for(lambda: ended and taker.ended, 'the end')
        self.b.client.call(lab.ROOT, MANAGER + '.UnregisterAgent', 'o', '/sessions')
        taker.remove_from_connection()

    def both_ways(self, transport):
        self.page(transport)
        self.page(transport, back=True)
        self.session(transport, 'caller')
        self.session(transport, 'callee')

    def test_udp(self):
        self.sides()
        self.both_ways('udp')

    def test_tcp(self):
        self.sides()
        self.both_ways('tcp')

    def secure(self, **more):
        self.authority = lab.Lab()
        self.addCleanup(lambda: self.assertEqual(self.authority.close(self.failed), []))
        shown = self.authority.certificates['server']
        return TLS % (self.authority.certificates.ca, shown.pem, shown.key)

    def test_tls(self):
        self.sides(conf=self.secure(), Transport='tls')
        self.both_ways('tls')
        self.assertEqual({row[0] for row in self.b.listeners()}, {'tls'})
        # Who speaks TLS is not there for others.
        with self.assertRaises(dbus.DBusException):
            self.a.client.page(self.a.path, self.b.to('tcp'), b'in the clear')

    def test_mutual_tls(self):
        """[Listen] lets in whose certificate is good for one of its domains, and the endpoint is met through it."""
        port = lab.free_port()
        tls = self.secure()
        self.b = Side(self, 'bob', conf='[Listen]\nTransport=tls\nAddress=127.0.0.1\nPort=%d\nMutualTls=yes\n'
                      'AllowedDomains=sipbus.test\n%s' % (port, tls), port=port, Transport='tls')
        self.assertEqual(self.b.listeners(), [('tls', '127.0.0.1', str(port))])
        self.a = Side(self, 'alice', conf=tls, Transport='tls')
        self.page('tls')
        self.session('tls', 'callee')
        other = self.authority.certificates['other']
        stranger = Side(self, 'carol', conf=TLS % (self.authority.certificates.ca, other.pem, other.key), Transport='tls')
        with self.assertRaises(dbus.DBusException) as caught:
            stranger.client.page(stranger.path, self.b.to('tls'), b'let me in')
        self.assertEqual(caught.exception.get_dbus_name(), lab.NAME + '.Error.TransportFailed')

    def test_ipv6(self):
        if not lab.has_ipv6():
            self.skipTest('no IPv6')
        self.sides(host='::1')
        self.both_ways('udp')
        self.both_ways('tcp')

    def test_both_families(self):
        """A name or none: whoever calls by either address is heard, at one port."""
        self.a = Side(self, 'alice')
        port = lab.free_port()
        self.a.create(self.a.client, 'dave', 'sip:dave@peer.test:%d' % port, Listen=True)
        rows = [row for row in self.a.listeners() if row[2] == str(port)]
        families = ['0.0.0.0'] + (['::'] if lab.has_ipv6() else [])
        self.assertEqual(sorted(rows), sorted((t, f, str(port)) for t in ('udp', 'tcp') for f in families))

    def test_not_listening(self):
        """Reached by nobody, but within its sessions, whoever ends them."""
        self.a = Side(self, 'alice', Listen=False)
        self.b = Side(self, 'bob')
        self.assertEqual(self.a.listeners(), [])
        for transport in ('udp', 'tcp'):
            self.page(transport)
            self.session(transport, 'callee')
            self.session(transport, 'caller')
            with self.assertRaises(dbus.DBusException):
                self.b.client.page(self.b.path, self.a.to(transport), b'are you there', Timeout=dbus.UInt32(2))

    def test_sockets_come_and_go(self):
        self.a = Side(self, 'alice')
        before = self.a.listeners()
        self.assertEqual(len(before), 2)
        # A second one at the same port shares it; a third one has its own.
        second = self.a.create(self.a.client, 'second', 'sip:second@127.0.0.1:%d' % self.a.port, Listen=True)
        self.assertEqual(self.a.listeners(), before)
        third = self.a.create(self.a.client, 'third', 'sip:third@127.0.0.1:%d' % lab.free_port(), Listen=True)
        self.assertEqual(len(self.a.listeners()), 4)
        for path in (third, self.a.path):
            self.a.client.endpoint(path, 'Close', '')
        lab.wait_for(lambda: self.a.listeners() == before, 'the third to go, the second to stay')
        self.a.client.endpoint(second, 'Close', '')
        lab.wait_for(lambda: not self.a.listeners(), 'the last to go')

    def test_port_is_taken(self):
        self.a = Side(self, 'alice')
        self.b = Side(self, 'bob')
        with self.assertRaises(dbus.DBusException) as caught:
            self.a.create(self.a.client, 'thief', 'sip:thief@127.0.0.1:%d' % self.b.port, Listen=True)
        self.assertEqual(caught.exception.get_dbus_name(), lab.NAME + '.Error.TransportFailed')

    def test_lifetime(self):
        """What was made for a client's life goes with it; its calls are hung up."""
        self.sides()
        client = self.a.lab.connect()
        path = self.a.create(client, 'short', 'sip:short@127.0.0.1:%d' % self.a.port, Lifetime='client', Listen=True)
        taker = Sessions(self.b.client)
        client.endpoint(path, 'CreateSession', 'sa{sv}', self.b.to('udp'),
                        {'ContentType': SDP, 'Description': dbus.ByteArray(b'offer')})
        lab.wait_for(lambda: taker.taken, 'the call')
        client.bus.close()
        lab.wait_for(lambda: taker.ended, 'the call to be taken back')
        lab.wait_for(lambda: self.a.client.get(lab.ROOT, 'EndpointCount', 'Manager') == 1, 'the endpoint to go')

    def test_session_holds_its_connection(self):
        """However short the linger: a session's connection is there until it ends, and then goes."""
        self.b = Side(self, 'bob')
        self.a = Side(self, 'alice')
        self.a.lab.configure('profiles.d/work.conf', '[Profile]\nKind=peer-to-peer\n[User]\nUri=sip:work@127.0.0.1\n'
                             '[Endpoint]\nConnectionLinger=1s\n')
        self.assertEqual(self.a.client.call(lab.ROOT, MANAGER + '.Reload'), [])
        self.a.path = lab.endpoint_path('work')
        taker = Sessions(self.b.client)
        session = self.a.call(self.b.to('tcp'))
        lab.wait_for(lambda: taker.taken, 'the call')
        self.b.client.call(taker.taken[0], lab.NAME + '.Session.Accept', 'saya{sv}', SDP, dbus.ByteArray(b'answer'), {})
        lab.wait_for(lambda: self.a.client.get(session, 'State', 'Session') == 'established', 'established')
        time.sleep(4)
        self.assertEqual(connections(self.b.port), 1)
        self.a.client.call(session, lab.NAME + '.Session.Terminate', 'a{sv}', {})
        lab.wait_for(lambda: taker.ended, 'the end')
        lab.wait_for(lambda: not connections(self.b.port), 'the connection to go', 60)

    def test_idle(self):
        """Whoever connects and then lies idle is shown out after IdleTimeout, however long the other would linger."""
        port = lab.free_port()
        self.b = Side(self, 'bob', conf='[Listen]\nTransport=tcp\nAddress=127.0.0.1\nPort=%d\nIdleTimeout=1s\n' % port, port=port,
                      Transport='tcp')
        self.a = Side(self, 'alice', Listen=False)
        self.page('tcp')
        self.assertEqual(connections(port), 1)
        lab.wait_for(lambda: not connections(port), 'the idle time to end', 15)

    def test_killed(self):
        """The daemon dies and comes back: what CreateEndpoint made is gone, and the other side finds the new one."""
        self.sides()
        self.page('tcp')
        self.b.lab.daemon.stop(9)
        with self.assertRaises(dbus.DBusException):
            self.a.client.page(self.a.path, self.b.to('tcp'), b'hello')
        self.b.start()
        lab.wait_for(lambda: self.answers(), 'the page to arrive again', 45)

    def answers(self):
        try:
            self.page('tcp')
        except dbus.DBusException:
            time.sleep(0.5)
            return False
        return True

    def test_profile(self):
        """The same by a file, with a linger that one can wait for."""
        self.b = Side(self, 'bob')
        self.a = Side(self, 'alice')
        port = lab.free_port()
        self.a.lab.configure('profiles.d/work.conf', '[Profile]\nKind=peer-to-peer\n[User]\nUri=sip:work@127.0.0.1:%d\n'
                             '[Endpoint]\nListen=yes\nConnectionLinger=1s\n' % port)
        self.assertEqual(self.a.client.call(lab.ROOT, MANAGER + '.Reload'), [])
        path = lab.endpoint_path('work')
        self.assertEqual(self.a.client.get(path, 'Kind'), 'peer-to-peer')
        self.assertEqual(self.a.client.page(path, self.b.to('tcp'), b'hi')[0], 200)
        self.assertEqual(connections(self.b.port), 1)
        lab.wait_for(lambda: not connections(self.b.port), 'the linger to end', 15)
        # A profile that changes takes only what it made with it.
        self.a.lab.configure('profiles.d/work.conf', '[Profile]\nKind=peer-to-peer\n[User]\nUri=sip:work@127.0.0.1:%d\n' % port)
        self.a.client.call(lab.ROOT, MANAGER + '.Reload')
        lab.wait_for(lambda: str(port) not in [row[2] for row in self.a.listeners()], 'its port to close')
        self.page('udp', back=True)


if __name__ == '__main__':
    case.main()
