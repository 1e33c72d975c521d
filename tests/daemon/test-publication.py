#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Publications over a real bus, to a compositor of twenty lines; and what its server tells an endpoint unasked."""
import signal

import dbus

import case
import sip
from case import lab

ALICE = lab.endpoint_path('alice')
PIDF = 'application/pidf+xml'
GONE = 'org.freedesktop.DBus.Error.UnknownObject'


class Publication(case.Case):
    policy = 'end'

    def setUp(self):
        super().setUp()
        self.configure()
        self.compositor = sip.Compositor(self.lab.port)
        self.addCleanup(self.compositor.close)
        self.start()
        self.client, self.other = self.lab.connect(), self.lab.connect()

    def resident(self, user='alice'):
        self.lab.configure('profiles.d/alice.conf', '''\
[Profile]
Name=alice
[User]
Uri=sip:alice@127.0.0.1
[Server]
Addr=127.0.0.1:%d
Protocol=udp
Role=registrar
[Endpoint]
OwnerGrace=0
OnOwnerLost=%s
''' % (self.lab.port, self.policy))

    def publish(self, body=b'open', event='presence', **options):
        return str(self.client.endpoint(ALICE, 'Publish', 'ssaya{sv}', event, PIDF, dbus.ByteArray(body), options))

    def call(self, path, member, *body, client=None):
        arguments = ('say', PIDF, dbus.ByteArray(body[0])) if body else ()
        return (client or self.client).call(path, lab.NAME + '.Publication.' + member, *arguments)

    def get(self, path, name):
        return self.other.get(path, name, 'Publication')

    def wait_state(self, path, state):
        lab.wait_for(lambda: self.get(path, 'State') == state, state)

    def assert_gone(self, path):
        def gone():
            try:
                self.get(path, 'State')
            except dbus.DBusException as e:
                self.assertEqual(e.get_dbus_name(), GONE)
                return True

        lab.wait_for(gone, 'the object to go')


class Basic(Publication):
    def test_whole(self):
        path = self.publish()
        self.wait_state(path, 'published')
        self.assertEqual(self.compositor.published('presence'), [b'open'])
        before = self.get(path, 'ETag')
        self.call(path, 'Modify', b'busy')
        self.assertEqual(self.compositor.published('presence'), [b'busy'])
        self.assertNotEqual(self.get(path, 'ETag'), before)
        self.call(path, 'Remove')
        self.assertEqual(self.compositor.published('presence'), [])
        self.assert_gone(path)

    def test_refresh(self):
        """RFC 3903 section 4.3: without a body, and in time; what was forgotten is there again."""
        self.compositor.granted = 2
        path = self.publish(Wait=True)
        lab.wait_for(lambda: len(self.compositor.publishes()) >= 3, 'two refreshes')
        self.assertTrue(self.compositor.publishes()[1].endswith(b'\r\n\r\n'))
        self.compositor.forget()
        lab.wait_for(lambda: self.compositor.published('presence') == [b'open'], 'the whole state')
        self.assertEqual(self.get(path, 'State'), 'published')

    def test_refused(self):
        failed = self.client.signals('Failed', interface='Publication')
        self.compositor.refusal = 489
        with self.refused(lab.NAME + '.Error.Refused'):
            self.publish(Wait=True)
        path = self.publish()
        lab.wait_for(lambda: [f[0] for f in failed] == [489, 489], 'both to fail')
        self.assert_gone(path)

    def test_somebody_elses(self):
        path = self.publish(Wait=True)
        with self.refused('org.freedesktop.DBus.Error.AccessDenied'):
            self.call(path, 'Remove', client=self.other)
        self.call(path, 'Modify', b'still mine')

    def test_owner_leaves(self):
        path = self.publish(Wait=True)
        self.client.bus.close()
        self.assert_gone(path)
        self.assertEqual(self.compositor.published('presence'), [])

    def test_the_daemon_ends(self):
        """What it has published it takes back."""
        for event in ('presence', 'dialog'):
            self.publish(event=event, Wait=True)
        self.lab.daemon.popen.send_signal(signal.SIGTERM)
        self.assertEqual(self.lab.daemon.stop(), 0)
        self.assertEqual([self.compositor.published(e) for e in ('presence', 'dialog')], [[], []])

    def test_busctl(self):
        """As a script says it."""
        run = self.lab.busctl('call', lab.NAME, ALICE, lab.NAME + '.Endpoint', 'Publish', 'ssaya{sv}', 'presence', PIDF,
                              '2', '104', '105', '1', 'Wait', 'b', 'true')
        self.assertRegex(run.stdout, r'^o "/org/sipbus1/publication/\w+"\n$')


class Kept(Publication):
    policy = 'keep'

    def test_adopted(self):
        path = self.publish(Wait=True)
        self.client.bus.close()
        lab.wait_for(lambda: self.get(path, 'Owner') == '', 'nobody to own it')
        self.call(path, 'Adopt', client=self.other)
        self.call(path, 'Modify', b'taken over', client=self.other)
        self.assertEqual(self.compositor.published('presence'), [b'taken over'])


class MessageWaiting(Publication):
    """RFC 3842, unasked."""

    body = b'Messages-Waiting: yes\r\nVoice-Message: 2/8 (0/2)\r\n'
    headers = 'Event: message-summary\r\nContent-Type: application/simple-message-summary\r\n'

    def tell(self):
        contact = sip.header(self.compositor.registers()[0], 'Contact')
        uri = contact.split('<')[1].split('>')[0]
        host, port = uri.split('@')[1].split(';')[0].split(':')
        message = sip.request('NOTIFY', uri, via='127.0.0.1:%d' % self.lab.port, headers=self.headers, body=self.body)
        return message, (host, int(port))

    def test_from_the_server(self):
        changed = self.other.signals('MessagesChanged')
        self.other.wait_state(ALICE, 'registered')
        self.compositor.send(*self.tell())
        lab.wait_for(lambda: changed, 'the signal')
        summary = self.other.get(ALICE, 'MessageSummary')
        self.assertEqual((bool(summary['MessagesWaiting']), tuple(summary['Voice'])), (True, (2, 8, 0, 2)))
        lab.wait_for(lambda: any(m.startswith(b'SIP/2.0 200') and b' NOTIFY' in m for m in list(self.compositor.requests)),
                     'the answer')

    def test_from_a_stranger(self):
        self.other.wait_state(ALICE, 'registered')
        message, address = self.tell()
        with sip.socket.socket(sip.socket.AF_INET, sip.socket.SOCK_DGRAM) as s:
            s.bind(('127.0.0.1', 0))
            s.settimeout(20)
            s.sendto(message, address)
            self.assertEqual(sip.status(s.recv(65536)), 481)
        self.assertEqual(dict(self.other.get(ALICE, 'MessageSummary')), {})


if __name__ == '__main__':
    case.main()
