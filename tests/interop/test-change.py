#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What descriptions do in a session with baresip: early media, hold, refusal. The sound itself is listened for."""
import dbus

import call
import cases
import lab
from cases import ALICE, uri


def text(description):
    return bytes(bytearray(description)).decode()


class EarlyHere(cases.WithPhone):
    """carol answers with 183. (baresip says what it will send, but sends nothing before it is answered.)"""
    answer = 'early'

    def test_early_media(self):
        s = self.client.dial(ALICE, uri('carol'), self.sound.describe())
        lab.wait_for(lambda: any(int(p[0]) == 183 for p in s.of('Progress')), '183')
        status, _, fork, content_type, description = [p for p in s.of('Progress') if int(p[0]) == 183][0]
        self.assertEqual((content_type, bool(fork), s.get('State')), (call.SDP, True, 'early'))
        self.assertIn('m=audio', text(description))
        self.carol.do('accept')
        s.wait('Established')
        self.carol.wait('CALL_ESTABLISHED')
        self.sound.wait()
        s.terminate()
        s.ended()

    def test_given_up_early(self):
        s = self.client.dial(ALICE, uri('carol'), self.sound.describe())
        s.wait_state('early')
        s.terminate()
        self.assertEqual(s.ended()[1], 'local')
        self.carol.wait('CALL_CLOSED')


class EarlyHereOverTcp(EarlyHere):
    protocol = 'tcp'


class EarlyHereOverTls(EarlyHere):
    protocol = 'tls'


class Change(cases.WithPhone):
    def established(self):
        s = self.client.dial(ALICE, uri('carol'), self.sound.describe())
        self.carol.wait('CALL_INCOMING')
        self.carol.do('accept')
        s.wait('Established')
        self.carol.wait('CALL_ESTABLISHED')
        return s

    def finish(self, s):
        s.terminate()
        self.assertEqual(s.ended()[1], 'local')
        self.carol.wait('CALL_CLOSED')

    def test_early_media_from_here(self):
        s = self.called()
        s.ring(Status=dbus.UInt32(183), ContentType=call.SDP, Description=self.sound.describe())
        self.carol.wait('CALL_PROGRESS')
        self.sound.wait()
        s.accept(b'')
        s.wait('Established')
        self.carol.wait('CALL_ESTABLISHED')
        self.finish(s)

    def test_hold_and_resume_from_here(self):
        """RFC 3264 8.4: sendonly is answered with recvonly or less."""
        s = self.established()
        self.assertRegex(text(s.offer(self.sound.describe('hold'))), 'a=(recvonly|inactive)')
        self.assertEqual((s.get('State'), s.get('DescriptionState')), ('established', 'stable'))
        self.assertIn('a=sendrecv', text(s.offer(self.sound.describe())))
        self.sound.wait()
        self.finish(s)

    def test_hold_and_resume_from_there(self):
        s = self.called()
        s.accept(self.sound.describe())
        s.wait('Established')
        self.carol.wait('CALL_ESTABLISHED')
        self.carol.do('hold')
        self.assertRegex(text(s.wait('OfferReceived')[1]), 'a=(sendonly|inactive)')
        self.assertEqual(s.get('DescriptionState'), 'remote-offer')
        s.answer(self.sound.describe('held'))
        self.carol.do('resume')
        self.assertIn('a=sendrecv', text(s.wait('OfferReceived', 2)[1]))
        s.answer(self.sound.describe())
        self.sound.wait()
        self.finish(s)

    def test_offer_refused_here(self):
        """RFC 3261 14.2: 488, and the session goes on as it was: the next offers pass both ways."""
        s = self.established()
        self.carol.do('hold')
        s.wait('OfferReceived')
        s.do('RejectOffer', 'u', dbus.UInt32(488))
        lab.wait_for(lambda: s.get('DescriptionState') == 'stable', 'the refusal')
        self.assertIn('m=audio', text(s.offer(self.sound.describe())))
        self.carol.do('resume')
        self.assertIn('a=sendrecv', text(s.wait('OfferReceived', 2)[1]))
        s.answer(self.sound.describe())
        self.sound.wait()
        self.finish(s)

    def test_both_at_once(self):
        """Whoever of the two offers comes first: in the end both were exchanged."""
        s = self.established()
        self.carol.do('hold')
        s.wait('OfferReceived')
        with self.refused('WrongState'):
            s.offer(self.sound.describe())
        s.answer(self.sound.describe('held'))
        self.assertIn('m=audio', text(s.offer(self.sound.describe('held'))))
        self.finish(s)

    def test_nonsense(self):
        s = self.established()
        cases_of = [('Accept', 'saya{sv}', [call.SDP, b'v=0', {}], ['WrongState']),
                    ('Ring', 'a{sv}', [{}], ['WrongState']),
                    ('Reject', 'usa{sv}', [dbus.UInt32(486), '', {}], ['WrongState']),
                    ('Answer', 'say', [call.SDP, b'v=0'], ['WrongState']),
                    ('Offer', 'saya{sv}', ['', b'v=0', {}], ['InvalidArgument']),
                    ('SendMessage', 'saya{sv}', ['text/plain\r\nEvil: 1', b'x', {}], ['InvalidArgument']),
                    ('SendInfo', 'ssaya{sv}', ['a b', 'text/plain', b'x', {}], ['InvalidArgument']),
                    ('Refer', 'sa{sv}', ['no uri', {}], ['InvalidArgument']),
                    ('AcceptRefer', 'ua{sv}', [dbus.UInt32(7), {}], ['NoSuchObject'])]
        for method, signature, arguments, names in cases_of:
            with self.subTest(method):
                with self.refused(*names):
                    s.do(method, signature, *arguments)
        self.finish(s)


class ChangeOverTcp(Change):
    protocol = 'tcp'


class ChangeOverTls(Change):
    protocol = 'tls'


if __name__ == '__main__':
    lab.main('kamailio', 'baresip')
