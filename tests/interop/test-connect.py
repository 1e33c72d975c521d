#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""ConnectParties: two baresips talk through Kamailio, joined by a client that has no media at all (RFC 3725)."""
import call
import cases
import lab
import phone
from cases import ALICE, uri


class Connecting(cases.WithSessions):
    """alice at the daemon; carol and dave at baresip, who know nothing of each other."""

    def setUp(self):
        super().setUp()
        self.lab.start_registrar()
        self.lab.profile('alice', self.protocol)
        bus = self.lab.start_daemon()
        self.carol, self.dave = self.phones = [phone.Phone(self.lab, user, self.protocol) for user in ('carol', 'dave')]
        bus.wait_state(ALICE, 'registered')
        self.check_at_end(bus)
        self.client = call.Caller(self.lab)

    def connect(self, first='carol', second='dave', **options):
        path = self.client.endpoint(ALICE, 'ConnectParties', 'ssa{sv}', uri(first), uri(second), options)
        return call.Call(self.client, path)

    def answers(self, who):
        self.assertEqual(who.wait('CALL_INCOMING')['peeruri'], uri('alice'))
        who.do('accept')

    def joined(self):
        s = self.connect()
        self.answers(self.carol)
        self.answers(self.dave)
        self.assertEqual(bytes(bytearray(s.wait('Established')[1])), b'')
        for who in self.phones:
            who.wait('CALL_ESTABLISHED')
        return s

    def finish(self, s):
        """Both were left, and the client was never bothered with a description."""
        self.assertEqual([name for name, _ in s.news if name in ('OfferReceived', 'AnswerReceived')], [])
        for who in self.phones:
            lab.wait_for(lambda: who.count('CALL_CLOSED') == who.count('CALL_INCOMING'), who.user + ' to be left')

    def test_joined(self):
        """Sound arrives at both, from each other: there is nobody else."""
        s = self.joined()
        for who in self.phones:
            who.wait('CALL_RTPESTAB')
        self.assertEqual((s.get('Type'), s.get('Party'), s.get('State')), ('ph2ph', 'third', 'established'))
        self.assertEqual([int(p[0]) for p in s.of('Progress') if p[2] == 'second'], [180])
        with self.refused('WrongState'):
            s.offer(b'v=0')
        s.terminate()
        self.assertEqual(s.ended()[1], 'local')
        self.finish(s)

    def test_either_hangs_up(self):
        for who in self.phones:
            with self.subTest(who=who.user):
                s = self.joined()
                who.do('hangup')
                self.assertEqual(s.ended(), (200, 'remote'))
                self.finish(s)
                for p in self.phones:
                    p.events.clear()

    def test_hold_and_resume(self):
        """RFC 3725 section 7: what dave offers goes to carol, and her answer back."""
        s = self.joined()
        for n, command in enumerate(('hold', 'resume'), 2):
            self.dave.do(command)
            self.carol.wait('CALL_REMOTE_SDP', n)
            self.dave.wait('CALL_REMOTE_SDP', n)
        self.carol.do('hold')
        self.dave.wait('CALL_REMOTE_SDP', 4)
        self.carol.wait('CALL_REMOTE_SDP', 4)
        s.terminate()
        self.assertEqual(s.ended()[1], 'local')
        self.finish(s)

    def test_second_takes_its_time(self):
        """RFC 3725 4.1: carol is held before her 200 has waited too long for its ACK, and asked again (4.4)."""
        s = self.connect()
        self.answers(self.carol)
        self.dave.wait('CALL_INCOMING')
        lab.wait_for(lambda: self.carol.count('CALL_ESTABLISHED'), 'carol to be held', 30)
        self.assertEqual(s.of('Established'), [])
        self.dave.do('accept')
        s.wait('Established')
        for who in self.phones:
            who.wait('CALL_RTPESTAB')
        s.terminate()
        self.assertEqual(s.ended()[1], 'local')
        self.finish(s)

    def test_second_is_busy(self):
        s = self.connect(second='busy')
        self.answers(self.carol)
        self.assertEqual(s.ended(), (486, 'remote'))
        self.finish(s)

    def test_second_refuses(self):
        s = self.connect()
        self.answers(self.carol)
        self.dave.wait('CALL_INCOMING')
        self.dave.do('hangup')
        self.assertEqual(s.ended(), (486, 'remote'))
        self.finish(s)

    def test_first_refuses(self):
        s = self.connect()
        self.carol.wait('CALL_INCOMING')
        self.carol.do('hangup')
        self.assertEqual(s.ended(), (486, 'remote'))
        self.assertEqual(self.dave.count('CALL_INCOMING'), 0)
        self.finish(s)

    def test_given_up(self):
        """While carol rings, and while dave does."""
        s = self.connect()
        self.carol.wait('CALL_INCOMING')
        s.terminate()
        self.assertEqual(s.ended(), (487, 'local'))
        self.finish(s)
        s = self.connect()
        self.carol.wait('CALL_INCOMING', 2)
        self.carol.do('accept')
        self.dave.wait('CALL_INCOMING')
        s.terminate()
        self.assertEqual(s.ended()[1], 'local')
        self.finish(s)

    def test_first_hangs_up_while_second_rings(self):
        s = self.connect()
        self.answers(self.carol)
        self.dave.wait('CALL_INCOMING')
        self.carol.do('hangup')
        self.assertEqual(s.ended()[1], 'remote')
        self.finish(s)


class ConnectingOverTcp(Connecting):
    protocol = 'tcp'


class ConnectingOverTls(Connecting):
    protocol = 'tls'


if __name__ == '__main__':
    lab.main('kamailio', 'baresip')
