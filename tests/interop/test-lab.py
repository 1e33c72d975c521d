#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The peers among themselves, without the daemon: what fails here is the lab's own fault."""
import lab
import phone
import scenario
import states


class Peers(lab.Case):
    def setUp(self):
        super().setUp()
        self.lab.secure = True
        self.lab.start_registrar()

    def test_sipp_registers(self):
        for transport in ('udp', 'tcp', 'tls'):
            with self.subTest(transport):
                self.assertEqual(self.lab.sipp('register', 'carol', transport=transport), 0)
        self.assertEqual(self.lab.requests('REGISTER', 'carol'), 6)

    def test_page_from_sipp_to_sipp_over_tls(self):
        port = lab.free_port()
        self.assertEqual(self.lab.sipp('register', 'carol', transport='tls', port=port), 0)
        taker = self.lab.sipp('take', 'carol', transport='tls', port=port, wait=False)
        self.assertEqual(self.lab.sipp('page', 'dave', to='carol', transport='tls'), 0)
        lab.wait_for(lambda: not taker.alive, 'SIPp to take the page')
        self.assertEqual(taker.popen.returncode, 0)

    def test_page_from_sipp_to_sipp(self):
        port = lab.free_port()
        self.assertEqual(self.lab.sipp('register', 'carol', port=port), 0)
        taker = self.lab.sipp('take', 'carol', port=port, wait=False)
        self.assertEqual(self.lab.sipp('page', 'dave', to='carol'), 0)
        lab.wait_for(lambda: not taker.alive, 'SIPp to take the page')
        self.assertEqual(taker.popen.returncode, 0)

    def test_page_to_baresip_and_back(self):
        bob = phone.Phone(self.lab, 'bob', contact='carol')
        self.assertEqual(self.lab.sipp('page', 'carol', to='bob'), 0)
        lab.wait_for(lambda: bob.says('a page from SIPp'), 'baresip to show the page')
        port = lab.free_port()
        self.assertEqual(self.lab.sipp('register', 'carol', port=port), 0)
        taker = self.lab.sipp('take', 'carol', port=port, wait=False)
        bob.do('message', 'a page for SIPp')
        lab.wait_for(lambda: not taker.alive, 'SIPp to take the page')
        self.assertEqual(taker.popen.returncode, 0)

    def test_registrar_starts_again_and_knows_nobody(self):
        bob = phone.Phone(self.lab, 'bob')
        self.assertEqual(self.lab.registrar.stop(), 0)
        self.lab.start_registrar()
        self.assertNotEqual(self.lab.sipp('page', 'carol', to='bob'), 0)
        self.assertTrue(bob.alive)

    def test_call_between_phones(self):
        """Everything that the session tests want of baresip, over flows of each transport."""
        carol = phone.Phone(self.lab, 'carol', answer='early')
        dave = phone.Phone(self.lab, 'dave', 'tcp')
        frank = phone.Phone(self.lab, 'frank', 'tls')
        dave.dial('carol')
        dave.wait('CALL_PROGRESS')
        carol.do('accept')
        dave.wait('CALL_ESTABLISHED')
        dave.do('hold')
        carol.wait('CALL_REMOTE_SDP', 2)
        dave.do('resume')
        carol.wait('CALL_REMOTE_SDP', 3)
        dave.do('transfer', 'sip:frank@' + lab.DOMAIN)
        frank.wait('CALL_INCOMING')
        frank.do('accept')
        carol.wait('CALL_ESTABLISHED', 2)
        self.assertEqual(dave.wait('CALL_CLOSED')['param'], 'Call transfered')
        frank.do('hangup')
        carol.wait('CALL_CLOSED')

    def test_refused_and_given_up(self):
        carol, dave = phone.Phone(self.lab, 'carol'), phone.Phone(self.lab, 'dave')
        carol.dial('dave')
        dave.wait('CALL_INCOMING')
        dave.do('hangup')
        carol.wait('CALL_CLOSED')
        dave.dial('carol')
        carol.wait('CALL_INCOMING')
        dave.do('hangup')
        carol.wait('CALL_CLOSED', 2)

    def test_sipp_by_scenario(self):
        """The words of scenario.py, with SIPp on both sides."""
        port = lab.free_port()
        called = scenario.Sipp(self.lab, 'called-cancelled', port)
        scenario.Sipp(self.lab, 'caller-cancels', lab.free_port(), port).end()
        called.end()


class States(lab.Case):
    """The presence server, with SIPp on both sides."""

    def setUp(self):
        super().setUp()
        self.lab.start_registrar('PRESENCE')
        self.lab.start_presence(lists={'friends': ['bob', 'carol']})

    def watched(self, watcher):
        lab.wait_for(lambda: not watcher.alive, 'SIPp to have heard everything')
        self.assertEqual(watcher.popen.returncode, 0)

    def published(self, basic, user='bob'):
        self.assertEqual(self.lab.publish(user, 'presence', 'application/pidf+xml', states.pidf(user, basic)), 0)

    def test_presence(self):
        watcher = self.lab.watch('alice', 'bob', 'presence', 'NOTIFY', '<basic>open</basic>')
        lab.wait_for(lambda: self.lab.notified(watcher), 'the first NOTIFY')
        self.published('open')
        self.watched(watcher)

    def test_message_summary(self):
        watcher = self.lab.watch('alice', 'alice', 'message-summary', 'NOTIFY', 'Messages-Waiting: yes')
        lab.wait_for(lambda: self.lab.notified(watcher), 'the first NOTIFY')
        self.assertEqual(self.lab.publish('alice', 'message-summary', 'application/simple-message-summary', states.summary(2, 8)), 0)
        self.watched(watcher)

    def test_resource_list_more_than_once(self):
        """Kamailio's RLS lives as long as its dialogs are in memory (see presence.cfg)."""
        for basic in ('open', 'closed'):
            watcher = self.lab.watch('alice', 'friends', 'presence', 'application/rlmi', '<basic>%s</basic>' % basic, last=False)
            lab.wait_for(lambda: self.lab.notified(watcher), 'the first NOTIFY')
            self.published(basic)
            self.watched(watcher)
        self.assertTrue(self.lab.presence.alive)


if __name__ == '__main__':
    lab.main('kamailio', 'sipp', 'baresip', 'stunnel')
