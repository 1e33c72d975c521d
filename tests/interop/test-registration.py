#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Registering with Kamailio: first, refresh, points of presence, unregister, refusal, a registrar that goes and comes."""
import time

import lab

ALICE = lab.endpoint_path('alice')
TRANSPORTS = [(protocol, host) for host in ['127.0.0.1'] + ['::1'] * lab.has_ipv6() for protocol in ('udp', 'tcp', 'tls')]


class Registration(lab.Case):
    def start(self, *defines, **profile):
        self.lab.start_registrar(*defines)
        self.lab.profile('alice', **profile)
        self.bus = self.lab.start_daemon()

    def registered(self):
        self.bus.wait_state(ALICE, 'registered')

    def test_life_over_every_transport(self):
        """RFC 3261 10.2: register, the binding as reported, unregister; Digest by RFC 2617 with qop."""
        self.lab.secure = True
        self.lab.start_registrar()
        for n, (protocol, host) in enumerate(TRANSPORTS):
            self.lab.profile('user%d' % n, protocol, host)
        self.bus = self.lab.start_daemon()
        for n, (protocol, host) in enumerate(TRANSPORTS):
            with self.subTest(protocol=protocol, host=host):
                path = lab.endpoint_path('user%d' % n)
                self.bus.wait_state(path, 'registered')
                seen = self.bus.all(path)
                self.assertEqual(seen['Transport'].lower(), protocol)
                self.assertTrue(seen['AuthenticationScheme'].lower().startswith('digest'), seen['AuthenticationScheme'])
                self.assertEqual(len(seen['Bindings']), 1)
                self.assertGreater(seen['RegistrationExpires'], time.time())
                self.assertEqual(self.lab.requests('REGISTER', 'user%d' % n), 2)  # the challenge and its answer
                self.bus.endpoint(path, 'Unregister', 'a{sv}', {})
                self.assertEqual(self.bus.get(path, 'RegistrationState'), 'unregistered')
                self.assertEqual(len(self.bus.get(path, 'Bindings')), 0)
                self.assertEqual(self.lab.sipp('page', 'stranger', to='user%d' % n), 1)  # 404: the binding is gone

    def test_sha256(self):
        """RFC 8760: the registrar asks for SHA-256."""
        self.start('SHA256')
        self.registered()
        self.assertEqual(self.lab.requests('REGISTER', 'alice'), 2)

    def test_refresh(self):
        """RFC 3261 10.2.4: refreshed before it expires, with nobody noticing."""
        self.start(endpoint='RegisterExpires=6s')
        self.registered()
        changes = self.bus.signals('RegistrationChanged', ALICE)
        first = self.bus.get(ALICE, 'RegistrationExpires')
        lab.wait_for(lambda: self.bus.get(ALICE, 'RegistrationExpires') > first + 5, 'two refreshes', 30)
        self.assertEqual(self.bus.get(ALICE, 'RegistrationState'), 'registered')
        self.assertNotIn('unregistered', [str(new) for old, new, status, reason in changes])
        self.assertEqual(len(self.bus.get(ALICE, 'Bindings')), 1)

    def test_interval_too_brief(self):
        """RFC 3261 10.2.8: 423 and Min-Expires."""
        self.start('BRIEF', endpoint='RegisterExpires=30s')
        self.registered()
        self.assertGreater(self.bus.get(ALICE, 'RegistrationExpires'), time.time() + 60)

    def test_second_point_of_presence(self):
        """RFC 3261 10.2.1: what others registered for the same address shows in Bindings; All removes it too."""
        self.start()
        self.registered()
        port = lab.free_port()
        self.assertEqual(self.lab.sipp('register', 'alice', port=port), 0)
        self.bus.endpoint(ALICE, 'Register', 'a{sv}', {})
        bindings = self.bus.get(ALICE, 'Bindings')
        self.assertEqual(len(bindings), 2)
        self.assertTrue(any(':%d' % port in str(value) for binding in bindings for value in binding.values()), bindings)
        self.bus.endpoint(ALICE, 'Unregister', 'a{sv}', {'All': True})
        self.bus.endpoint(ALICE, 'Register', 'a{sv}', {})
        self.assertEqual(len(self.bus.get(ALICE, 'Bindings')), 1)

    def test_wrong_password(self):
        """Refused once and for all, with the reason, and no storm of attempts."""
        self.start(password='wrong')
        self.bus.wait_state(ALICE, 'failed')
        status, reason, origin = self.bus.get(ALICE, 'LastError')
        self.assertEqual((int(status), str(origin)), (401, 'remote'))
        self.assertTrue(reason)
        before = self.lab.requests('REGISTER', 'alice')
        self.assertLessEqual(before, 3)
        with self.refused('AuthenticationFailed'):
            self.bus.endpoint(ALICE, 'Register', 'a{sv}', {})
        quiet = time.monotonic() + 3  # the absence of something takes time to see
        lab.wait_for(lambda: time.monotonic() > quiet, 'three quiet seconds')
        self.assertLessEqual(self.lab.requests('REGISTER', 'alice'), before + 3)

    def test_registrar_goes_and_comes(self):
        """Never gives up, says when it tries next, and is registered again by itself."""
        self.lab.secure = True
        for protocol in ('udp', 'tcp', 'tls'):
            with self.subTest(protocol=protocol):
                self.lab.start_registrar()
                self.lab.profile('alice', protocol, endpoint='RegisterExpires=6s\nAutoRefresh=yes')
                self.bus = self.lab.start_daemon()
                self.registered()
                self.lab.registrar.stop()
                self.bus.wait_state(ALICE, 'waiting', 90)
                self.assertGreater(self.bus.get(ALICE, 'NextAttempt'), time.time() - 1)
                self.assertTrue(self.bus.get(ALICE, 'LastError')[2] in ('network', 'timeout'))
                self.lab.start_registrar()
                self.bus.wait_state(ALICE, 'registered', 120)
                self.assertEqual(self.lab.daemon.stop(), 0)
                self.lab.registrar.stop()

    def test_absent_registrar_does_not_stop_the_start(self):
        self.lab.profile('alice', 'tcp')
        self.bus = self.lab.start_daemon()
        self.bus.wait_state(ALICE, 'waiting', 60)
        self.lab.start_registrar()
        self.bus.endpoint(ALICE, 'Register', 'a{sv}', {})
        self.assertEqual(self.bus.get(ALICE, 'RegistrationState'), 'registered')

    def test_end_unregisters(self):
        """SIGTERM: the binding is taken back before the process ends."""
        self.start()
        self.registered()
        self.assertEqual(self.lab.daemon.stop(), 0)
        self.assertEqual(self.lab.sipp('page', 'stranger', to='alice'), 1)


if __name__ == '__main__':
    lab.main('kamailio', 'sipp')
