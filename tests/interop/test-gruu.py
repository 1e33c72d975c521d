#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""GRUUs (RFC 5627) that Kamailio gives: one point of presence among several is reached, in and outside of dialogs."""
import call
import cases
import lab
from cases import ALICE, uri

HOME = lab.endpoint_path('home')


class Gruu(cases.WithSessions):
    def setUp(self):
        super().setUp()
        self.lab.start_registrar()
        self.lab.profile('alice', self.protocol)
        self.lab.profile('alice', 'tls' if self.protocol == 'tls' else 'tcp', name='home')  # the same user in another place
        self.lab.profile('bob', self.protocol)
        self.bus = self.lab.start_daemon()
        for path in (ALICE, HOME, cases.BOB):
            self.bus.wait_state(path, 'registered')
        self.check_at_end(self.bus)
        self.client, self.called = call.Caller(self.lab), call.Caller(self.lab)
        self.called.serve()
        self.pages = lab.PageAgent(self.client, '/pages')
        self.client.call(lab.ROOT, lab.NAME + '.Manager.RegisterAgent', 'oa{sv}', '/pages', {'Kinds': ['page']})
        self.here, self.there = call.Sound(self.lab), call.Sound(self.lab)

    def test_each_place_has_its_own(self):
        """RFC 5627 5.1: the public one is made of the instance; 4.2: a temporary one says nothing of it."""
        gruus = [str(self.bus.get(path, 'Gruu')) for path in (ALICE, HOME)]
        for path, gruu in zip((ALICE, HOME), gruus):
            self.assertRegex(gruu, r'^sip:alice@sipbus\.test;gr=.')
            self.assertIn(str(self.bus.get(path, 'InstanceId')).lower().replace('urn:uuid:', ''), gruu.lower())
            temporary = str(self.bus.get(path, 'TemporaryGruu'))
            self.assertRegex(temporary, r'^sip:[^@]+@sipbus\.test;gr$')
            self.assertNotIn('alice', temporary)
        self.assertNotEqual(*gruus)

    def test_a_page_for_one_place(self):
        """5.3: a request to a GRUU goes to that instance alone; to the address of record to both."""
        for path in (ALICE, HOME):
            for kind in ('Gruu', 'TemporaryGruu'):
                with self.subTest('%s of %s' % (kind, path)):
                    self.bus.page(cases.BOB, self.bus.get(path, kind), b'for one')
                    self.assertEqual([page[0] for page in self.pages.pages], [path])
                    self.pages.pages.clear()

    def test_a_session(self):
        """4.4: Contact is the GRUU on both sides, and what follows in the dialog finds its way by them."""
        s = self.client.dial(cases.BOB, self.bus.get(HOME, 'Gruu'), self.here.describe())
        t = self.called.wait_call()
        self.assertEqual(t.get('Endpoint'), HOME)
        t.accept(self.there.describe())
        s.wait('Established')
        t.wait('Established')
        self.assertEqual((s.get('Gruu'), t.get('Gruu')), (self.bus.get(cases.BOB, 'Gruu'), self.bus.get(HOME, 'Gruu')))
        self.assertEqual((s.get('RemoteTarget'), t.get('RemoteTarget')), (t.get('Gruu'), s.get('Gruu')))
        for a, b in ((s, t), (t, s)):
            status, _ = a.do('SendMessage', 'saya{sv}', 'text/plain', b'by GRUU', {})
            self.assertEqual(int(status), 200)
            self.assertEqual(bytes(bytearray(b.wait('MessageReceived')[1])), b'by GRUU')
        t.terminate()
        self.assertEqual((s.ended()[1], t.ended()[1]), ('remote', 'local'))
        self.assertEqual(len(self.called.received), 1)

    def test_it_is_gone(self):
        """5.3: a GRUU of somebody who has left is 480; the other place goes on."""
        gruu = self.bus.get(HOME, 'Gruu')
        self.bus.endpoint(HOME, 'Unregister', 'a{sv}', {})
        self.assertEqual(self.bus.get(HOME, 'Gruu'), '')
        with self.refused('Refused') as caught:
            self.bus.page(cases.BOB, gruu, b'x')
        self.assertRegex(caught.exception.get_dbus_message(), '^4(04|80) ')
        self.bus.page(cases.BOB, uri('alice'), b'x')
        self.assertEqual([page[0] for page in self.pages.pages], [ALICE])

    def test_transferred_by_it(self):
        """RFC 5627 1: whoever is referred to a GRUU reaches the very place that was talked to."""
        s = self.client.dial(cases.BOB, uri('alice'), self.here.describe())
        calls = [self.called.wait_call(), self.called.wait_call(2)]
        taken = [t for t in calls if t.get('Endpoint') == HOME][0]
        taken.accept(self.there.describe())
        s.wait('Established')
        self.assertEqual(s.get('RemoteTarget'), self.bus.get(HOME, 'Gruu'))
        self.bus.page(cases.BOB, s.get('RemoteTarget'), b'about the call')
        self.assertEqual([page[0] for page in self.pages.pages], [HOME])
        s.terminate()
        s.ended()


class GruuOverTls(Gruu):
    protocol = 'tls'


if __name__ == '__main__':
    lab.main('kamailio')
