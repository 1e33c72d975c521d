#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What bodies say, over a real bus: summaries, and the resources of a list."""
import dbus

import case
import notifier
from case import lab

ALICE, BOB = lab.endpoint_path('alice'), 'sip:bob@127.0.0.1'
PIDF = ('<?xml version="1.0"?><presence xmlns="urn:ietf:params:xml:ns:pidf" entity="pres:bob@127.0.0.1"><tuple id="t">'
        '<status><basic>%s</basic></status></tuple><note>%s</note></presence>')


def rlmi(version, full, *resources):
    """A list's notification; resources: (uri, state), state None: not known."""
    listed, parts = '', ''
    for number, (uri, state) in enumerate(resources):
        instance = '<instance id="1" state="active" cid="%d"/>' % number if state else ''
        listed += '<resource uri="%s">%s</resource>' % (uri, instance)
        if state:
            parts += '--b\r\nContent-ID: <%d>\r\nContent-Type: application/pidf+xml\r\n\r\n%s\r\n' % (number, state)
    return ('--b\r\nContent-Type: application/rlmi+xml\r\n\r\n<list xmlns="urn:ietf:params:xml:ns:rlmi" uri="%s" '
            'version="%d" fullState="%s">%s</list>\r\n%s--b--\r\n' % (BOB, version, full, listed, parts)).encode()


class Summary(case.Case):
    def setUp(self):
        super().setUp()
        self.configure()
        self.bob = notifier.Notifier(self.lab.port)
        self.addCleanup(self.bob.close)
        self.start()
        self.client = self.lab.connect()
        self.heard = []
        for member in ('Notified', 'Summarized', 'ResourceNotified'):
            self.client.bus.add_signal_receiver(
                lambda *arguments, member=member: self.heard.append((member, arguments)),
                member, lab.NAME + '.Subscription', lab.NAME)

    def resident(self, user='alice'):
        self.lab.configure('profiles.d/%s.conf' % user, (
            '[Profile]\nName=%s\nRegister=no\n[User]\nUri=sip:%s@127.0.0.1\n[Server]\nAddr=127.0.0.1:%d\nProtocol=udp\n'
            'Role=registrar\n') % (user, user, self.lab.port))

    def subscribe(self, content_type, state, **options):
        self.bob.content_type, self.bob.state = content_type, state
        return str(self.client.endpoint(ALICE, 'Subscribe', 'ssa{sv}', BOB, 'presence', options))

    def call(self, path, member):
        return self.client.call(path, lab.NAME + '.Subscription.' + member)

    def wait(self, member):
        one = lab.wait_for(lambda: next((h for h in self.heard if h[0] == member), None), member)
        self.heard.remove(one)
        return one[1]

    def test_presence_in_words(self):
        path = self.subscribe('application/pidf+xml', (PIDF % ('open', 'here')).encode(), Summary=True)
        self.wait('Notified')
        summary = self.wait('Summarized')[0]
        self.assertEqual((summary['Basic'], summary['Note'], summary['Kind']), ('open', 'here', 'presence'))
        self.bob.tell((PIDF % ('closed', 'gone')).encode())
        self.assertEqual(self.wait('Summarized')[0]['Basic'], 'closed')
        self.assertEqual(self.call(path, 'GetSummary')['Note'], 'gone')

    def test_a_body_from_wherever(self):
        manager = lab.NAME + '.Manager.ReadBody'
        body = dbus.ByteArray((PIDF % ('open', '')).encode())
        self.assertEqual(self.client.call(lab.ROOT, manager, 'say', 'application/pidf+xml', body)['Basic'], 'open')
        bomb = dbus.ByteArray(b'<!DOCTYPE a [<!ENTITY b "b">]><a>&b;</a>')
        with self.assertRaises(dbus.DBusException) as caught:
            self.client.call(lab.ROOT, manager, 'say', 'application/pidf+xml', bomb)
        self.assertEqual(caught.exception.get_dbus_name(), lab.NAME + '.Error.InvalidArgument')
        self.assertIn('line 1: a document type', caught.exception.get_dbus_message())

    def test_a_list_taken_apart(self):
        first = rlmi(0, 'true', ('sip:a@x', PIDF % ('open', 'a')), ('sip:b@x', None))
        path = self.subscribe('multipart/related;type="application/rlmi+xml";boundary=b', first, List=True)
        uri, _, state, content_type, body, _ = self.wait('ResourceNotified')
        self.assertEqual((uri, state, content_type), ('sip:a@x', 'active', 'application/pidf+xml'))
        self.assertIn(b'>open<', bytes(body))
        self.bob.tell(rlmi(1, 'false', ('sip:b@x', PIDF % ('closed', 'b'))))
        self.assertEqual(self.wait('ResourceNotified')[0], 'sip:b@x')
        resources = {str(r[0]): bytes(r[4]) for r in self.call(path, 'GetResources')}
        self.assertIn(b'>open<', resources['sip:a@x'])
        self.assertIn(b'>closed<', resources['sip:b@x'])
        # A notification was lost: the daemon asks for everything by itself (RFC 4662 section 5.6.2).
        asked = len(self.bob.subscribes())
        self.bob.tell(rlmi(5, 'false'))
        lab.wait_for(lambda: len(self.bob.subscribes()) > asked, 'a refresh')


if __name__ == '__main__':
    case.main()
