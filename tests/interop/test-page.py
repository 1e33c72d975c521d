#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pages (RFC 3428) to and from baresip, SIPp and the daemon's own endpoints, through Kamailio."""
import lab
import phone

ALICE, BOB = lab.endpoint_path('alice'), lab.endpoint_path('bob')


def uri(user):
    return 'sip:%s@%s' % (user, lab.DOMAIN)


class Page(lab.Case):
    def setUp(self):
        super().setUp()
        self.lab.start_registrar()
        self.lab.profile('alice', self.protocol)
        self.lab.profile('bob', self.protocol)
        self.bus = self.lab.start_daemon()
        for path in (ALICE, BOB):
            self.bus.wait_state(path, 'registered')
        self.agent_client = self.lab.connect()
        self.agent = lab.PageAgent(self.agent_client)
        self.serve({'Kinds': ['page']})

    def serve(self, options):
        self.agent_client.call(lab.ROOT, lab.NAME + '.Manager.RegisterAgent', 'oa{sv}', '/agent', options)

    def test_to_baresip(self):
        carol = phone.Phone(self.lab, 'carol', self.protocol)
        self.assertEqual(self.bus.page(ALICE, uri('carol'), b'hello baresip')[0], 200)
        lab.wait_for(lambda: carol.says('hello baresip'), 'baresip to show the page')

    def test_from_baresip(self):
        carol = phone.Phone(self.lab, 'carol', self.protocol, contact='alice')
        carol.do('message', 'hello sipbus')
        lab.wait_for(lambda: self.agent.pages, 'the page')
        endpoint, sender, content_type, body, details = self.agent.pages[0]
        self.assertEqual((endpoint, content_type.split(';')[0], body), (ALICE, 'text/plain', b'hello sipbus'))
        self.assertIn('carol@' + lab.DOMAIN, sender)

    def test_to_sipp(self):
        port = lab.free_port()
        self.assertEqual(self.lab.sipp('register', 'carol', port=port, transport=self.protocol), 0)
        taker = self.lab.sipp('take', 'carol', port=port, transport=self.protocol, wait=False)
        status, reason = self.bus.page(ALICE, uri('carol'), b'a page for SIPp')
        self.assertEqual((status, reason), (200, 'Taken By SIPp'))
        lab.wait_for(lambda: not taker.alive, 'SIPp to end')
        self.assertEqual(taker.popen.returncode, 0)

    def test_from_sipp(self):
        self.assertEqual(self.lab.sipp('page', 'carol', to='alice', transport=self.protocol), 0)
        self.assertEqual(self.agent.pages[0][3], b'a page from SIPp')

    def test_any_bytes(self):
        body = bytes(range(256)) * 4
        status, _ = self.bus.page(ALICE, uri('bob'), body, 'application/octet-stream')
        self.assertEqual(status, 200)
        self.assertEqual(self.agent.pages[0][2:4], ('application/octet-stream', body))

    def test_refusals(self):
        """Each final answer is an error whose text begins with the code and the phrase."""
        for user, text in (('busy', '486 Busy Here'), ('nobody', '404 Not Found')):
            with self.refused('Refused') as caught:
                self.bus.page(ALICE, uri(user), b'x')
            self.assertTrue(caught.exception.get_dbus_message().startswith(text), caught.exception)

    def test_redirected(self):
        """RFC 3261 8.1.3.4: 302 names where to try again."""
        self.bus.page(ALICE, uri('moved'), b'for bob')
        self.assertEqual(self.agent.pages[0][0::3][:2], (BOB, b'for bob'))

    def test_agent_refuses(self):
        self.agent.answer = (486, 'Not Now')
        with self.refused('Refused') as caught:
            self.bus.page(ALICE, uri('bob'), b'x')
        self.assertTrue(caught.exception.get_dbus_message().startswith('486 '), caught.exception)

    def test_no_agent(self):
        self.agent_client.call(lab.ROOT, lab.NAME + '.Manager.UnregisterAgent', 'o', '/agent')
        with self.refused('Refused') as caught:
            self.bus.page(ALICE, uri('bob'), b'x')
        self.assertTrue(caught.exception.get_dbus_message().startswith('480 '), caught.exception)

    def test_capabilities(self):
        status, headers, content_type, body = self.bus.endpoint(ALICE, 'QueryCapabilities', 'sa{sv}', uri('bob'), {})
        self.assertEqual(status, 200)
        self.assertIn('allow', [str(name).lower() for name, value in headers])


class PageOverTcp(Page):
    protocol = 'tcp'

    def test_large(self):
        """More than a datagram holds."""
        body = b'0123456789abcdef' * 2048
        self.assertEqual(self.bus.page(ALICE, uri('bob'), body)[0], 200)
        self.assertEqual(self.agent.pages[0][3], body)


class PageOverTls(PageOverTcp):
    protocol = 'tls'


if __name__ == '__main__':
    lab.main('kamailio', 'sipp', 'baresip', 'stunnel')
