#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The peers among themselves, without the daemon: what fails here is the lab's own fault."""
import lab


class Peers(lab.Case):
    def setUp(self):
        super().setUp()
        self.lab.start_registrar()

    def test_sipp_registers(self):
        for transport in ('udp', 'tcp'):
            self.assertEqual(self.lab.sipp('register', 'carol', transport=transport), 0)
        self.assertEqual(self.lab.requests('REGISTER', 'carol'), 4)

    def test_page_from_sipp_to_sipp(self):
        port = lab.free_port()
        self.assertEqual(self.lab.sipp('register', 'carol', port=port), 0)
        taker = self.lab.sipp('take', 'carol', port=port, wait=False)
        self.assertEqual(self.lab.sipp('page', 'dave', to='carol'), 0)
        lab.wait_for(lambda: not taker.alive, 'SIPp to take the page')
        self.assertEqual(taker.popen.returncode, 0)

    def test_page_to_baresip_and_back(self):
        bob = self.lab.baresip('bob', contact='carol')
        self.assertEqual(self.lab.sipp('page', 'carol', to='bob'), 0)
        lab.wait_for(lambda: bob.says('a page from SIPp'), 'baresip to show the page')
        port = lab.free_port()
        self.assertEqual(self.lab.sipp('register', 'carol', port=port), 0)
        taker = self.lab.sipp('take', 'carol', port=port, wait=False)
        lab.baresip_command(bob, 'message', 'a page for SIPp')
        lab.wait_for(lambda: not taker.alive, 'SIPp to take the page')
        self.assertEqual(taker.popen.returncode, 0)

    def test_registrar_starts_again_and_knows_nobody(self):
        bob = self.lab.baresip('bob')
        self.assertEqual(self.lab.registrar.stop(), 0)
        self.lab.start_registrar()
        self.assertNotEqual(self.lab.sipp('page', 'carol', to='bob'), 0)
        self.assertTrue(bob.alive)


if __name__ == '__main__':
    lab.main('kamailio', 'sipp', 'baresip')
