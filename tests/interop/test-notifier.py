#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""SIPp and baresip watch what docs/examples/notifier.py serves through the daemon."""
import os

import dbus
import dbus.service

import lab
import phone
import scenario

ALICE, CAROL = lab.endpoint_path('alice'), lab.endpoint_path('carol')
EXAMPLE = os.path.join(lab.HERE, '..', '..', 'docs', 'examples', 'notifier.py')


class Notifier(lab.Case):
    def serve(self, name='notifier'):
        """The example, and where one writes what it reads."""
        read, write = os.pipe()
        self.addCleanup(os.close, write)
        with os.fdopen(read) as standard_input:
            example = self.lab.start(name, ['/usr/bin/python3', EXAMPLE, self.lab.address], stdin=standard_input)
        lab.wait_for(lambda: example.says('waiting for watchers'), 'the example')
        return example, write

    def subscribers(self, client):
        return client.call(lab.ROOT, lab.NAME + '.Manager.GetStatistics')['Subscribers']


class Sipp(Notifier):
    def setUp(self):
        super().setUp()
        self.port = lab.free_port()
        self.lab.profile('alice', self.protocol, port=self.port, register=False)
        self.client = self.lab.start_daemon()

    def sipp(self, name):
        return scenario.Sipp(self.lab, name, self.port, self.lab.listen_port, self.protocol)

    def test_watches(self):
        example, write = self.serve()
        peer = self.sipp('caller-watches')
        peer.wait('CSeq: 2 SUBSCRIBE', 2)
        peer.wait('\nNOTIFY ', 2)
        lab.wait_for(lambda: example.says('watches sip:alice@'), 'the example to be asked')
        os.write(write, b'closed\n')
        peer.end()
        lab.wait_for(lambda: self.subscribers(self.client) == 0, 'the subscriber to be gone')

    def test_watches_nothing(self):
        self.serve()
        self.sipp('caller-watches-nothing').end()


class OverTcp(Sipp):
    protocol = 'tcp'


class Mailbox(dbus.service.Object):
    """Serves message-summary (RFC 3842)."""
    TYPE = 'application/simple-message-summary'

    def __init__(self, client):
        super().__init__(client.bus, '/mailbox')
        self.client, self.new, self.subscriber = client, 2, None
        client.call(lab.ROOT, lab.NAME + '.Manager.RegisterAgent', 'oa{sv}', '/mailbox',
                    {name: dbus.Array([value], signature='s') for name, value in (('Kinds', 'subscription'), ('Events', 'message-summary'))})

    def state(self):
        return dbus.ByteArray(b'Messages-Waiting: yes\r\nVoice-Message: %d/8\r\n' % self.new)

    @dbus.service.method(lab.NAME + '.Agent', in_signature='oa{sv}')
    def SubscriptionReceived(self, subscriber, details):
        self.subscriber = subscriber
        # Nobody may wait for an answer in here.
        self.client.bus.call_async(lab.NAME, subscriber, lab.NAME + '.Subscriber', 'Accept', 'a{sv}',
                                   ({'ContentType': self.TYPE, 'Body': self.state()},), lambda: None, print)


class Baresip(Notifier):
    def setUp(self):
        super().setUp()
        self.lab.start_registrar()
        self.lab.profile('alice', self.protocol)
        self.lab.profile('carol', self.protocol)
        self.client = self.lab.start_daemon()
        for path in (ALICE, CAROL):
            self.client.wait_state(path, 'registered')

    def seen(self, carol, pattern, times=1):
        lab.wait_for(lambda: len(carol.says(pattern)) >= times, 'baresip to say ' + pattern)

    def shows(self, carol, status):
        lab.wait_for(lambda: status in carol.do('contacts'), 'baresip to show ' + status)

    def test_presence(self):
        """A contact with presence=p2p; the one who serves it ends, and another goes on (RFC 6665 section 4.1.3)."""
        example, write = self.serve()
        carol = phone.Phone(self.lab, 'carol', self.protocol, watches='presence')
        self.shows(carol, 'Online')
        os.write(write, b'closed\n')
        self.shows(carol, 'Offline')
        os.write(write, b'open\n')
        self.shows(carol, 'Online')
        self.assertEqual(self.subscribers(self.client), 1)
        self.serve('successor')
        example.stop()
        self.seen(carol, 'subscriber closed .*deactivated')
        self.shows(carol, 'Online')
        carol.process.stop()
        lab.wait_for(lambda: self.subscribers(self.client) == 0, 'the subscriber to be gone')

    def test_mailbox(self):
        """baresip asks for its own mailbox, which the daemon keeps under the same address of record."""
        mailbox = Mailbox(self.client)
        carol = phone.Phone(self.lab, 'carol', self.protocol, watches='mwi')
        self.assertIn('Voice-Message: 2/8', carol.wait('MWI_NOTIFY')['param'])
        mailbox.new = 3
        self.client.call(mailbox.subscriber, lab.NAME + '.Subscriber.Notify', 'saya{sv}', mailbox.TYPE, mailbox.state(), {})
        self.assertIn('Voice-Message: 3/8', carol.wait('MWI_NOTIFY', 2)['param'])


class BaresipOverTcp(Baresip):
    protocol = 'tcp'


if __name__ == '__main__':
    lab.main('kamailio', 'sipp', 'baresip')
