#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hundreds of endpoints at one registrar that is dead, comes back, or is found by a daemon that was killed.

Counts, never clocks: how many REGISTERs the registrar has seen that are no retransmissions.
"""
import signal

import case
import sip
from case import lab

MANY = 300
UNPROVEN = 10  # PACE_UNPROVEN: under way at a registrar of which nothing is known


class Storm(case.Case):
    def setUp(self):
        super().setUp()
        self.configure()
        self.peer = self.registrar()
        for i in range(MANY):
            self.lab.configure('profiles.d/user%03d.conf' % i, (
                '[Profile]\nName=user%03d\n[User]\nUri=sip:user%03d@example.com\n[Server]\nAddr=127.0.0.1:%d\nProtocol=udp\n'
                'Role=registrar\n') % (i, i, self.lab.port))

    def seen(self, since=0):
        """Attempts: what has a Call-ID and CSeq of its own. One packet may be one sent again."""
        return {(sip.header(m, 'Call-ID'), sip.header(m, 'CSeq')) for m in self.peer.registers()[since:]}

    def registered(self):
        state = [str(v[lab.NAME + '.Endpoint']['RegistrationState'])
                 for path, v in self.bus.call(lab.ROOT, lab.OBJECTS + '.GetManagedObjects').items()
                 if '/endpoint/user' in path]
        return len(state) == MANY and set(state) == {'registered'}

    def find_out(self, since=0):
        """A registrar that says nothing hears from a few, again and again, and from nobody else."""
        lab.wait_for(lambda: len(self.peer.registers()) - since >= 5 * UNPROVEN, 'retransmissions', 40)
        self.assertEqual(len(self.seen(since)), UNPROVEN)

    def test_dead_and_back(self):
        self.peer.answer = lambda m: None
        self.start()
        self.find_out()
        self.peer.answer = lambda m: 200
        lab.wait_for(self.registered, 'all to be registered', 60)
        self.assertEqual(len(self.seen()), MANY)  # each once

    def test_killed(self):
        """A daemon that was killed comes back to a registrar that is busy with something else."""
        self.start()
        lab.wait_for(self.registered, 'all to be registered', 60)
        before = len(self.peer.registers())
        self.peer.answer = lambda m: None
        self.lab.daemon.stop(signal.SIGKILL)
        self.start()
        self.find_out(before)
        self.peer.answer = lambda m: 200
        lab.wait_for(self.registered, 'all to be registered again', 60)
        self.assertEqual(len(self.seen(before)), MANY)
        self.assertEqual(self.lab.daemon.stop(), 0)
        self.assertFalse(self.lab.daemon.says('could not be unregistered'))

    def test_asks_to_be_left_alone(self):
        """RFC 3261 21.5.4: 503 with Retry-After to one of them is for all."""
        self.peer.answer = lambda m: 503
        self.peer.more = 'Retry-After: 3000'
        self.start()
        lab.wait_for(lambda: len(self.seen()) >= UNPROVEN, 'the first')
        self.assertEqual(int(self.bus.call(lab.ROOT, lab.PROPERTIES + '.Get', 'ss', lab.NAME + '.Manager', 'EndpointCount')), MANY + 1)
        self.assertEqual(len(self.seen()), UNPROVEN)
        # Who means now may ask, and what it finds is good for everybody.
        self.peer.answer = lambda m: 200
        self.bus.endpoint(lab.endpoint_path('user200'), 'Register', 'a{sv}', {})
        lab.wait_for(self.registered, 'all to be registered', 60)


if __name__ == '__main__':
    case.main()
