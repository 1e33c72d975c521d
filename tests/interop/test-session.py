#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sessions with baresip through Kamailio and between the daemon's own endpoints: how they begin and end."""
import unittest

import dbus

import call
import cases
import lab
import phone
from cases import ALICE, BOB, uri


class Calling(cases.WithPhone):
    def test_digits(self):
        """INFO as baresip understands it, without a package (RFC 6086 section 9)."""
        s = self.client.dial(ALICE, uri('carol'), self.sound.describe())
        self.carol.wait('CALL_INCOMING')
        self.carol.do('accept')
        s.wait('Established')
        status, _ = s.do('SendInfo', 'ssaya{sv}', '', 'application/dtmf-relay', b'Signal=5\r\nDuration=160\r\n', {})
        self.assertEqual(int(status), 200)
        self.assertEqual(self.carol.wait('CALL_DTMF_START')['param'], '5')
        s.terminate()
        self.assertEqual(s.ended()[1], 'local')

    def test_ringing_established_hung_up_here(self):
        s = self.client.dial(ALICE, uri('carol'), self.sound.describe())
        self.assertEqual(self.carol.wait('CALL_INCOMING')['peeruri'], uri('alice'))
        self.assertEqual(int(s.wait('Progress')[0]), 180)
        self.assertEqual((s.get('State'), bool(s.get('Outgoing')), s.get('Owner')),
                         ('ringing', True, self.client.bus.get_unique_name()))
        self.carol.do('accept')
        content_type, answer = s.wait('Established')
        self.assertEqual(content_type, call.SDP)
        self.assertTrue(bytes(bytearray(answer)).startswith(b'v=0'))
        self.assertEqual((s.get('State'), s.get('DescriptionState')), ('established', 'stable'))
        self.sound.wait()
        self.assertEqual(self.lab.requests('INVITE', 'alice'), 2)  # the first one met 407
        s.terminate()
        self.assertEqual(s.ended()[1], 'local')
        self.carol.wait('CALL_CLOSED')

    def test_hung_up_there(self):
        s = self.client.dial(ALICE, uri('carol'), self.sound.describe())
        self.carol.wait('CALL_INCOMING')
        self.carol.do('accept')
        s.wait('Established')
        self.carol.wait('CALL_ESTABLISHED')
        self.carol.do('hangup')
        self.assertEqual(s.ended()[1], 'remote')

    def test_large_offer(self):
        """RFC 3261 18.1.1: an INVITE of more than 1300 bytes does not go by UDP; whatever follows finds its way."""
        filling = b''.join(b'a=x-fill:%070d\r\n' % n for n in range(20))
        s = self.client.dial(ALICE, uri('carol'), dbus.ByteArray(self.sound.describe() + filling))
        self.carol.wait('CALL_INCOMING')
        self.assertFalse(self.lab.registrar.says('INVITE from alice by udp'))
        self.carol.do('accept')
        s.wait('Established')
        self.carol.wait('CALL_ESTABLISHED')
        self.carol.do('hangup')
        self.assertEqual(s.ended()[1], 'remote')

    def test_refused_there(self):
        s = self.client.dial(ALICE, uri('carol'), self.sound.describe())
        self.carol.wait('CALL_INCOMING')
        self.carol.do('hangup')
        status, origin = s.ended()
        self.assertEqual(origin, 'remote')
        self.assertGreaterEqual(status, 400)
        self.assertEqual(s.of('Established'), [])

    def test_busy_and_unknown(self):
        """The registrar's own refusals."""
        for user, status in (('busy', 486), ('nobody', 404), ('later', 503)):
            with self.subTest(user=user):
                self.assertEqual(self.client.dial(ALICE, uri(user), self.sound.describe()).ended(), (status, 'remote'))

    def test_given_up_while_ringing(self):
        s = self.client.dial(ALICE, uri('carol'), self.sound.describe())
        s.wait('Progress')
        s.terminate()
        self.assertEqual(s.ended()[1], 'local')
        self.carol.wait('CALL_CLOSED')

    def test_given_up_at_once(self):
        """RFC 3261 9.1: no CANCEL before a provisional answer came; whatever overtakes whatever, nothing stays."""
        s = self.client.dial(ALICE, uri('carol'), self.sound.describe())
        s.terminate()
        self.assertEqual(s.ended()[1], 'local')
        lab.wait_for(lambda: self.carol.count('CALL_INCOMING') == self.carol.count('CALL_CLOSED'), 'carol to be left in peace')

    def test_far_end_offers(self):
        """RFC 3264 with an INVITE without offer: baresip offers in its 200, the answer goes in the ACK."""
        s = self.client.dial(ALICE, uri('carol'))
        self.carol.wait('CALL_INCOMING')
        self.carol.do('accept')
        offer = bytes(bytearray(s.wait('OfferReceived')[1]))
        self.assertTrue(offer.startswith(b'v=0'))
        s.answer(self.sound.describe())
        self.carol.wait('CALL_ESTABLISHED')
        self.sound.wait()
        s.terminate()
        s.ended()


class CallingOverTcp(Calling):
    protocol = 'tcp'


class CallingOverTls(Calling):
    protocol = 'tls'


class Called(cases.WithPhone):
    def test_ringing_accepted_hung_up_there(self):
        s = self.called()
        self.assertEqual(s.details['From'], uri('carol'))
        self.assertEqual(s.details['ContentType'], call.SDP)
        self.assertTrue(bytes(bytearray(s.details['Description'])).startswith(b'v=0'))
        self.assertEqual((s.get('State'), bool(s.get('Outgoing')), s.get('Endpoint')), ('incoming', False, ALICE))
        s.ring()
        self.carol.wait('CALL_RINGING')
        s.accept(self.sound.describe())
        self.carol.wait('CALL_ESTABLISHED')
        s.wait('Established')
        self.sound.wait()
        self.carol.do('hangup')
        self.assertEqual(s.ended()[1], 'remote')

    def test_hung_up_here(self):
        s = self.called()
        s.accept(self.sound.describe())
        s.wait('Established')
        self.carol.wait('CALL_ESTABLISHED')
        s.terminate()
        self.assertEqual(s.ended()[1], 'local')
        self.carol.wait('CALL_CLOSED')

    def test_busy(self):
        s = self.called()
        s.reject(486)
        self.assertEqual(s.ended(), (486, 'local'))
        self.assertIn('486', self.carol.wait('CALL_CLOSED')['param'])

    def test_given_up_there(self):
        s = self.called()
        s.ring()
        self.carol.wait('CALL_RINGING')
        self.carol.do('hangup')
        self.assertEqual(s.ended(), (487, 'remote'))

    def test_redirected(self):
        """RFC 3261 8.1.3.4: baresip follows the 302."""
        s = self.called()
        s.do('Redirect', 'asa{sv}', [uri('busy')], {})
        self.assertEqual(s.ended(), (302, 'local'))
        self.carol.wait('CALL_CLOSED')

    def test_nobody_takes_it(self):
        self.client.call(lab.ROOT, lab.NAME + '.Manager.UnregisterAgent', 'o', '/agent')
        self.carol.dial('alice')
        self.assertIn('480', self.carol.wait('CALL_CLOSED')['param'])

    def test_agents_are_asked_in_order(self):
        """Who passes is asked no more; who returns owns it and the others may not act."""
        def decline(_):
            raise call.Pass()
        first = call.Caller(self.lab, take=decline)
        first.serve(Priority=dbus.Int32(5))
        s = self.called()
        self.assertEqual(s.get('Owner'), self.client.bus.get_unique_name())
        with self.refused('org.freedesktop.DBus.Error.AccessDenied'):
            call.Call(first, s.path).accept(self.sound.describe())
        s.reject(603)
        self.assertEqual(s.ended(), (603, 'local'))


class CalledOverTcp(Called):
    protocol = 'tcp'


class CalledOverTls(Called):
    protocol = 'tls'


class Forked(cases.WithPhone):
    """The proxy asks in several places at once."""
    elsewhere = 'tcp'

    def test_two_phones(self):
        """RFC 3261 13.2.2.4: each is an early dialog; who is late hears CANCEL from the proxy."""
        other = phone.Phone(self.lab, 'carol', self.elsewhere, name='carol-at-home')
        s = self.client.dial(ALICE, uri('carol'), self.sound.describe())
        self.carol.wait('CALL_INCOMING')
        other.wait('CALL_INCOMING')
        lab.wait_for(lambda: len({str(progress[2]) for progress in s.of('Progress')}) == 2, 'both to ring')
        self.assertTrue(s.get('Forked'))
        other.do('accept')
        s.wait('Established')
        self.carol.wait('CALL_CLOSED')
        self.sound.wait()
        other.do('hangup')
        self.assertEqual(s.ended()[1], 'remote')

    def test_two_points_of_presence(self):
        """alice is registered twice from here: both endpoints are called, one answers (RFC 3261 16.7 step 10)."""
        self.lab.profile('alice', self.elsewhere, name='office')
        self.client.call(lab.ROOT, lab.NAME + '.Manager.Reload')
        self.client.wait_state(lab.endpoint_path('office'), 'registered')
        self.carol.dial('alice')
        calls = [self.client.wait_call(), self.client.wait_call(2)]
        self.assertEqual({s.get('Endpoint') for s in calls}, {ALICE, lab.endpoint_path('office')})
        calls[1].accept(self.sound.describe())
        calls[1].wait('Established')
        self.carol.wait('CALL_ESTABLISHED')
        self.assertEqual(calls[0].ended()[1], 'remote')
        calls[1].terminate()
        self.assertEqual(calls[1].ended()[1], 'local')
        self.carol.wait('CALL_CLOSED')


class ForkedOverTls(Forked):
    protocol = elsewhere = 'tls'


class Between(cases.WithTwo):
    def test_both_ways(self):
        for n, (endpoint, user) in enumerate(((ALICE, 'bob'), (BOB, 'alice'))):
            s, t = self.established(endpoint, user)
            self.assertEqual(s.get('CallId'), t.get('CallId'))
            (s, t)[n].terminate()
            self.assertEqual((s.ended()[1], t.ended()[1]), (('local', 'remote'), ('remote', 'local'))[n])
            self.called.received.clear()

    def test_message_and_info(self):
        s, t = self.established()
        for a, b in ((s, t), (t, s)):
            status, _ = a.do('SendMessage', 'saya{sv}', 'text/plain', b'in the dialog', {})
            self.assertEqual(int(status), 200)
            self.assertEqual(bytes(bytearray(b.wait('MessageReceived')[1])), b'in the dialog')
            status, _ = a.do('SendInfo', 'ssaya{sv}', '', 'application/dtmf-relay', b'Signal=1\r\n', {})
            self.assertEqual(int(status), 200)
            self.assertEqual(b.wait('InfoReceived')[1], 'application/dtmf-relay')
        s.terminate()
        s.ended()
        t.ended()

    def test_reliable_early_media(self):
        """RFC 3262: the provisional answer is acknowledged with PRACK before the 200."""
        s = self.caller.dial(ALICE, uri('bob'), self.here.describe())
        t = self.called.wait_call()
        answer = self.there.describe()
        t.ring(Status=dbus.UInt32(183), Reliable=True, ContentType=call.SDP, Description=answer)
        status, _, fork, content_type, description = s.wait('Progress')
        self.assertEqual((int(status), content_type, bytes(bytearray(description))), (183, call.SDP, bytes(answer)))
        lab.wait_for(lambda: t.get('DescriptionState') == 'stable', 'the PRACK')
        self.assertEqual((s.get('State'), t.get('State')), ('early', 'early'))
        t.accept(b'')
        s.wait('Established')
        t.wait('Established')
        self.assertGreaterEqual(self.lab.requests('PRACK', 'alice'), 1)
        s.terminate()
        s.ended()
        t.ended()

    def test_proxy_starts_again(self):
        """Calls outlive the proxy that they went through; BYE reaches either side over a new connection.

        Their targets are GRUUs, which the registrar knows again once both have registered.
        """
        s, t = self.established()
        self.called.received.clear()
        u, v = self.established()
        self.assertEqual(self.lab.registrar.stop(), 0)
        self.lab.start_registrar()
        for path in (ALICE, BOB):
            self.called.endpoint(path, 'Register', 'a{sv}', {})
        t.terminate()
        self.assertEqual((s.ended()[1], t.ended()[1]), ('remote', 'local'))
        u.terminate()
        self.assertEqual((u.ended()[1], v.ended()[1]), ('local', 'remote'))

    def test_owner_leaves(self):
        """The session ends once the grace is over, and the far end hears of it."""
        self.lab.profile('alice', self.protocol, endpoint='OwnerGrace=1s')
        self.caller.call(lab.ROOT, lab.NAME + '.Manager.Reload')
        self.called.wait_state(ALICE, 'registered')
        s, t = self.established()
        self.caller.bus.close()
        self.assertEqual(t.ended()[1], 'remote')

    def test_adopted(self):
        """Within the grace another client takes it over."""
        s, t = self.established()
        self.caller.bus.close()
        heir = call.Call(call.Caller(self.lab), s.path)
        lab.wait_for(lambda: heir.get('Owner') == '', 'the session to be free')
        heir.do('Adopt')
        self.assertEqual(heir.get('Owner'), heir.client.bus.get_unique_name())
        heir.terminate()
        self.assertEqual((heir.ended()[1], t.ended()[1]), ('local', 'remote'))


@unittest.skipUnless(lab.has_ipv6(), 'no IPv6')
class BetweenOverIpv6(cases.WithTwo):
    host = '::1'

    def test_both_ways(self):
        s, t = self.established()
        self.assertTrue(self.lab.registrar.says('INVITE from alice by udp ::1:'))
        t.terminate()
        self.assertEqual((s.ended()[1], t.ended()[1]), ('remote', 'local'))


class BetweenOverTls(Between):
    protocol = 'tls'


if __name__ == '__main__':
    lab.main('kamailio', 'baresip')
