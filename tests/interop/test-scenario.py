#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sessions with SIPp, which does what well-behaved peers do not: sipp/called-*.xml and sipp/caller-*.xml."""
import dbus

import call
import cases
import lab
import scenario

ALICE = lab.endpoint_path('alice')
PEER = 'sip:peer@' + lab.DOMAIN


class WithSipp(cases.WithSessions):
    def setUp(self):
        super().setUp()
        self.port = lab.free_port()
        self.lab.profile('alice', self.protocol, port=self.port, register=False)
        self.check_at_end(self.lab.start_daemon())
        self.client = call.Caller(self.lab)
        self.client.serve()
        self.sound = call.Sound(self.lab)

    def sipp(self, name, *more):
        remote = self.lab.listen_port if name.startswith('caller') else None
        return scenario.Sipp(self.lab, name, self.port, remote, self.protocol, more)


class Called(WithSipp):
    """SIPp is called."""

    def dial(self, name, *more, offer=True):
        self.peer = self.sipp(name, *more)
        return self.client.dial(ALICE, PEER, self.sound.describe() if offer else None)

    def established(self, name, *more):
        s = self.dial(name, *more)
        s.wait('Established')
        return s

    def finish(self, s):
        s.terminate()
        self.assertEqual(s.ended()[1], 'local')
        self.peer.end()

    def test_reliable_provisional(self):
        s = self.established('called-prack')
        self.assertEqual([int(progress[0]) for progress in s.of('Progress')], [183, 180])
        self.finish(s)

    def test_update_both_ways(self):
        s = self.established('called-update')
        s.wait('OfferReceived')
        s.answer(self.sound.describe())
        self.assertTrue(s.offer(self.sound.describe('hold')).startswith(b'v=0'))
        self.finish(s)

    def test_update_of_an_early_session(self):
        s = self.dial('called-early-update')
        s.wait('OfferReceived')
        s.answer(self.sound.describe())
        s.wait('Established')
        self.finish(s)

    def test_glare(self):
        s = self.established('called-glare')
        self.assertTrue(s.offer(self.sound.describe('hold')).startswith(b'v=0'))
        self.finish(s)

    def test_lost_ack(self):
        s = self.established('called-lost-ack', '-nr')
        self.peer.wait('\nACK ', 3)
        self.assertEqual(len(s.of('Established')), 1)
        self.finish(s)

    def test_cancel_crosses_200(self):
        s = self.dial('called-crossing')
        s.wait('Progress')
        self.finish(s)
        self.assertEqual(s.of('Established'), [])

    def test_cancel(self):
        s = self.dial('called-cancelled')
        s.wait('Progress')
        self.finish(s)

    def test_several_answer(self):
        s = self.established('called-forks')
        self.assertEqual(len({str(progress[2]) for progress in s.of('Progress')}), 2)
        self.assertTrue(s.get('Forked'))
        self.peer.wait('\nBYE ')
        self.assertEqual((s.get('State'), len(s.of('Established'))), ('established', 1))
        self.finish(s)

    def test_session_timer(self):
        s = self.established('called-too-short')
        self.peer.wait('CSeq: 1 UPDATE', 2)
        self.assertEqual((int(s.get('SessionExpires')), s.of('OfferReceived')), (7200, []))
        self.finish(s)

    def test_challenged_by_server(self):
        self.finish(self.established('called-401'))

    def test_challenged_by_proxy(self):
        self.finish(self.established('called-407'))

    def test_moved(self):
        self.finish(self.established('called-moved'))

    def test_unknown_extension(self):
        s = self.dial('called-extension')
        self.assertEqual(s.ended(), (420, 'remote'))
        self.peer.end()

    def test_far_end_offers(self):
        s = self.dial('called-offers', offer=False)
        s.wait('OfferReceived')
        s.answer(self.sound.describe())
        s.wait_state('established')
        self.finish(s)

    def test_far_end_has_forgotten(self):
        self.finish(self.established('called-gone'))

    def test_dialog_is_gone(self):
        s = self.established('called-forgot')
        with self.refused('Refused'):
            s.do('SendInfo', 'ssaya{sv}', '', 'text/plain', b'x', {})
        s.ended()
        self.peer.end()

    def test_within(self):
        s = self.established('called-within')
        self.assertEqual(int(s.do('SendInfo', 'ssaya{sv}', 'dtmf', 'text/plain', b'5', {})[0]), 200)
        self.assertEqual(int(s.do('SendMessage', 'saya{sv}', 'text/plain', b'hello', {})[0]), 202)
        self.assertEqual(s.wait('InfoReceived')[1], 'application/dtmf-relay')
        self.assertIn(b'hello', bytes(bytearray(s.wait('MessageReceived')[1])))
        self.peer.wait('SIP/2.0 405')
        self.finish(s)

    def test_refer_without_subscription(self):
        s = self.established('called-transferred')
        s.refer('sip:carol@' + lab.DOMAIN, NoSubscription=True)
        self.assertEqual(int(s.wait('ReferFinished')[0]), 202)
        self.finish(s)

    def test_referred_without_subscription(self):
        s = self.established('called-transfers')
        number, target, _ = s.wait('ReferReceived')
        self.assertIn('carol', target)
        s.do('AcceptRefer', 'ua{sv}', number, {})
        s.do('NotifyRefer', 'uus', number, dbus.UInt32(200), '')
        self.finish(s)

    def test_hung_up_there(self):
        s = self.established('called-hangs-up')
        self.assertEqual(s.ended()[1], 'remote')
        self.peer.end()


    def test_reliable_provisional_comes_again(self):
        s = self.established('called-prack-again')
        self.assertEqual([int(progress[0]) for progress in s.of('Progress')], [183])
        self.finish(s)

    def test_rings_again(self):
        s = self.established('called-rings-again')
        self.assertEqual(int(s.of('Progress')[-1][0]), 183)
        self.finish(s)

    def test_given_up_before_anything_comes(self):
        s = self.dial('called-late')
        s.terminate()
        self.assertEqual(s.ended()[1], 'local')
        self.peer.end()

    def test_rings_too_long(self):
        """The Timeout of CreateSession: CANCEL."""
        self.peer = self.sipp('called-cancelled')
        s = self.client.dial(ALICE, PEER, self.sound.describe(), Timeout=dbus.UInt32(1))
        self.assertEqual(s.ended(), (408, 'timeout'))
        self.peer.end()

    def test_change_refused(self):
        s = self.established('called-refuses')
        with self.refused('Refused') as caught:
            s.offer(self.sound.describe('hold'))
        self.assertTrue(caught.exception.get_dbus_message().startswith('488 '), str(caught.exception))
        self.assertEqual((s.get('State'), s.get('DescriptionState')), ('established', 'stable'))
        self.finish(s)

    def test_unavailable(self):
        self.assertEqual(self.dial('called-unavailable').ended(), (503, 'remote'))
        self.peer.end()


class CalledOverTcp(Called):
    protocol = 'tcp'
    test_lost_ack = None  # nothing is lost


class CalledOverTls(CalledOverTcp):
    protocol = 'tls'


class Caller(WithSipp):
    """SIPp calls."""

    def incoming(self, name, *more):
        self.peer = self.sipp(name, *more)
        return self.client.wait_call()

    def established(self, name, *more):
        s = self.incoming(name, *more)
        s.accept(self.sound.describe())
        s.wait('Established')
        return s

    def hung_up(self, s):
        """There; SIPp was content with all that it got."""
        self.peer.end()
        self.assertEqual(s.ended()[1], 'remote')

    def test_reliable_provisional(self):
        s = self.incoming('caller-prack')
        s.ring(Status=dbus.UInt32(183), ContentType=call.SDP, Description=self.sound.describe())
        lab.wait_for(lambda: s.get('DescriptionState') == 'stable', 'the PRACK')
        s.accept(b'')
        self.hung_up(s)

    def test_wrong_prack(self):
        s = self.incoming('caller-bad-prack')
        s.ring(Status=dbus.UInt32(183), ContentType=call.SDP, Description=self.sound.describe())
        lab.wait_for(lambda: s.get('DescriptionState') == 'stable', 'the PRACK')
        s.accept(b'')
        self.hung_up(s)

    def test_update(self):
        s = self.established('caller-update')
        s.wait('OfferReceived')
        s.answer(self.sound.describe())
        self.hung_up(s)

    def test_glare(self):
        s = self.established('caller-glare')
        self.assertTrue(s.offer(self.sound.describe()).startswith(b'v=0'))
        self.hung_up(s)
        self.assertEqual(s.of('OfferReceived'), [])

    def test_update_while_an_offer_is_out(self):
        s = self.established('caller-busy-update')
        self.assertTrue(s.offer(self.sound.describe()).startswith(b'v=0'))
        self.hung_up(s)

    def test_lost_ack(self):
        s = self.incoming('caller-lost-ack', '-nr')
        s.accept(self.sound.describe())
        self.hung_up(s)

    def test_cancel(self):
        s = self.incoming('caller-cancels')
        s.ring()
        self.assertEqual(s.ended(), (487, 'remote'))
        self.peer.end()

    def test_cancel_crosses_200(self):
        self.hung_up(self.established('caller-crossing'))

    def test_session_timer(self):
        s = self.established('caller-too-short')
        self.hung_up(s)
        self.assertEqual(s.of('OfferReceived'), [])

    def test_refused_by_the_stack(self):
        """What no agent need be asked about."""
        for name in ('caller-extension', 'caller-bad-type', 'caller-stranger'):
            with self.subTest(name):
                self.sipp(name).end()
        self.assertEqual(self.client.received, [])

    def test_refused_by_the_agent(self):
        s = self.incoming('caller-odd-body')
        self.assertEqual(s.details['ContentType'], 'application/made-up')
        self.assertTrue(bytes(bytearray(s.details['Description'])).startswith(b'neither v=0 nor anything'))
        s.reject(415, Headers=dbus.Array([('Accept', call.SDP)], signature='(ss)'))
        self.assertEqual(s.ended(), (415, 'local'))
        self.peer.end()

    def test_no_offer(self):
        s = self.incoming('caller-offerless')
        self.assertEqual(s.details['ContentType'], '')
        s.accept(self.sound.describe())
        self.hung_up(s)
        self.assertIn(b'v=0', b''.join(bytes(bytearray(news[1])) for news in s.of('Established') + s.of('AnswerReceived')))

    def test_within(self):
        s = self.established('caller-within')
        self.hung_up(s)
        self.assertEqual((len(s.of('InfoReceived')), len(s.of('MessageReceived'))), (1, 1))

    def test_unknown_info_package(self):
        s = self.incoming('caller-unknown-package')
        s.accept(self.sound.describe(), Headers=dbus.Array([('Recv-Info', 'dtmf')], signature='(ss)'))
        self.hung_up(s)
        self.assertEqual(s.of('InfoReceived'), [])

    def test_referred_without_subscription(self):
        s = self.established('caller-refers')
        number, target, _ = s.wait('ReferReceived')
        self.assertIn('carol', target)
        s.do('AcceptRefer', 'ua{sv}', number, {})
        self.hung_up(s)

    def test_merged(self):
        s = self.incoming('caller-merged')
        s.ring()
        self.assertEqual(s.ended(), (487, 'remote'))
        self.peer.end()
        self.assertEqual(len(self.client.received), 1)


    def test_late_prack(self):
        s = self.incoming('caller-late-prack', '-nr')
        s.ring(Status=dbus.UInt32(183), ContentType=call.SDP, Description=self.sound.describe())
        lab.wait_for(lambda: s.get('DescriptionState') == 'stable', 'the PRACK')
        s.accept(b'')
        self.hung_up(s)

    def test_bye_while_it_rings(self):
        s = self.incoming('caller-early-bye')
        s.ring()
        self.assertEqual(s.ended()[1], 'remote')
        self.peer.end()


class CallerOverTcp(Caller):
    protocol = 'tcp'
    test_lost_ack = None


class CallerOverTls(CallerOverTcp):
    protocol = 'tls'


if __name__ == '__main__':
    lab.main('sipp', 'stunnel')
