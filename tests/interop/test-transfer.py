#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Transfers (RFC 5589) with baresip in each role that it knows."""
import re

import dbus

import call
import cases
import lab
import phone
from cases import ALICE, BOB, uri


def follow(s, number, sound):
    """Does what the REFER asks."""
    return call.Call(s.client, s.do('FollowRefer', 'ua{sv}', number, {'ContentType': call.SDP, 'Description': sound.describe()}))


class Blind(cases.WithPhone):
    """alice, carol and frank; who refers stays with nobody."""

    def setUp(self):
        super().setUp()
        self.frank = phone.Phone(self.lab, 'frank', self.protocol)

    def established(self):
        s = self.called()
        s.accept(self.sound.describe())
        s.wait('Established')
        self.carol.wait('CALL_ESTABLISHED')
        return s

    def test_we_refer(self):
        s = self.established()
        s.refer(uri('frank'))
        self.assertEqual(self.frank.wait('CALL_INCOMING')['peeruri'], uri('carol'))
        self.frank.do('accept')
        self.assertEqual(int(s.wait('ReferFinished')[0]), 200)
        self.carol.wait('CALL_ESTABLISHED', 2)
        s.terminate()
        s.ended()
        self.frank.do('hangup')
        self.carol.wait('CALL_CLOSED', 2)

    def test_we_refer_to_who_is_busy(self):
        s = self.established()
        s.refer(uri('busy'))
        self.assertEqual(int(s.wait('ReferFinished')[0]), 486)
        self.assertEqual((s.get('State'), len(s.of('ReferFinished'))), ('established', 1))
        s.terminate()
        s.ended()

    def test_we_are_referred(self):
        s = self.established()
        self.carol.do('transfer', uri('frank'))
        number, target, _ = s.wait('ReferReceived')
        self.assertIn(uri('frank'), target)
        t = follow(s, number, self.sound)
        self.assertEqual(self.frank.wait('CALL_INCOMING')['peeruri'], uri('alice'))
        self.frank.do('accept')
        t.wait('Established')
        self.assertEqual(self.carol.wait('CALL_CLOSED')['param'], 'Call transfered')
        self.assertEqual(s.ended()[1], 'remote')
        self.sound.wait()
        t.terminate()
        t.ended()
        self.frank.wait('CALL_CLOSED')

    def test_we_are_referred_and_decline(self):
        s = self.established()
        self.carol.do('transfer', uri('frank'))
        s.do('RejectRefer', 'uu', s.wait('ReferReceived')[0], dbus.UInt32(603))
        self.assertIn('603', self.carol.wait('TRANSFER_FAILED')['param'])
        self.assertEqual(s.ended()[1], 'remote')  # baresip hangs up then


class BlindOverTcp(Blind):
    protocol = 'tcp'


class BlindOverTls(Blind):
    protocol = 'tls'


class Attended(cases.WithTwo):
    """baresip knows no Replaces, but carries it in a Refer-To that it is given: carol transfers alice to bob."""

    def setUp(self):
        super().setUp()
        self.carol = phone.Phone(self.lab, 'carol', self.protocol, answer='auto')

    def test_by_baresip(self):
        """RFC 3891: bob's session with carol is replaced by one with alice."""
        t = self.called.dial(BOB, uri('carol'), self.there.describe())
        t.wait('Established')
        s = self.caller.dial(ALICE, uri('carol'), self.here.describe())
        s.wait('Established')
        final = bytes(bytearray(t.do('GetMessage', 's', 'final'))).decode()
        to, sender = (re.search(header + r':.*;tag=([^;\s]+)', final, re.I).group(1) for header in ('To', 'From'))
        replaces = '%s%%3Bto-tag%%3D%s%%3Bfrom-tag%%3D%s' % (t.get('CallId').replace('@', '%40'), sender, to)
        self.carol.wait('CALL_ESTABLISHED', 2)
        self.carol.do('transfer', '<%s?Replaces=%s>' % (uri('bob'), replaces))
        number, target, _ = s.wait('ReferReceived')
        self.assertIn('Replaces=', target)
        u = follow(s, number, self.here)
        v = self.called.wait_call()
        self.assertEqual(v.details['Replaces'], t.path)
        v.accept(self.there.describe())
        u.wait('Established')
        t.ended()
        s.ended()
        self.carol.wait('CALL_CLOSED', 2)
        u.terminate()
        u.ended()
        self.assertEqual(v.ended()[1], 'remote')

    def both_with_bob(self):
        """alice talks to bob twice; gives her sides and his."""
        pairs = []
        for n in (1, 2):
            s = self.caller.dial(ALICE, uri('bob'), self.here.describe())
            t = self.called.wait_call(n)
            t.accept(self.there.describe())
            s.wait('Established')
            t.wait('Established')
            pairs.append((s, t))
        return pairs

    def test_between_ourselves(self):
        """RFC 5589 7: bob is transferee and target at once; he calls himself in the place of his second call."""
        (s, first), (t, second) = self.both_with_bob()
        s.refer('', Replaces=dbus.ObjectPath(t.path))
        number, target, by = first.wait('ReferReceived')
        self.assertIn('Replaces=', target)
        self.assertIn(uri('alice'), by)
        u = follow(first, number, self.there)
        v = self.called.wait_call(3)
        self.assertEqual(v.details['Replaces'], second.path)
        v.accept(self.here.describe())
        u.wait('Established')
        self.assertEqual(int(s.wait('ReferFinished')[0]), 200)
        second.ended()
        t.ended()
        s.terminate()
        self.assertEqual((s.ended()[1], first.ended()[1]), ('local', 'remote'))
        u.terminate()
        self.assertEqual((u.ended()[1], v.ended()[1]), ('local', 'remote'))

    def test_replaced_is_gone(self):
        """RFC 3891 3: a dialog that has ended, 603; the transferor hears it and the first call stays."""
        (s, first), (t, second) = self.both_with_bob()
        s.refer('', Replaces=dbus.ObjectPath(t.path))
        number = first.wait('ReferReceived')[0]
        t.terminate()
        second.ended()
        u = follow(first, number, self.there)
        self.assertEqual(u.ended(), (603, 'remote'))
        self.assertEqual(int(s.wait('ReferFinished')[0]), 603)
        self.assertEqual((s.get('State'), first.get('State')), ('established', 'established'))
        s.terminate()
        s.ended()
        first.ended()


class AttendedOverTls(Attended):
    protocol = 'tls'


if __name__ == '__main__':
    lab.main('kamailio', 'baresip')
